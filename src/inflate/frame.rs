//! What stands around deflate data: the head and trailer of gzip, of zlib, or of neither.

use super::bits::Bits;
use super::checksum::{adler32, crc32};
use crate::error::Code;

// Flags of a gzip head. RFC 1952 2.3.1.
const FLAG_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
const FLAGS_RESERVED: u8 = 0xE0;

/// The part of the head that comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Head {
    /// Two bytes that tell zlib, gzip and raw deflate apart.
    Sniff,
    /// The ten fixed bytes of gzip.
    Gzip {
        at: u8,
    },
    ExtraSize,
    Extra {
        left: u16,
    },
    Name,
    Comment,
    Crc,
    /// None: the data follows.
    Body,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Gzip,
    Zlib,
    Raw,
}

/// Head, checksum and trailer of one member.
#[derive(Debug)]
pub(super) struct Frame {
    kind: Kind,
    flags: u8,
    head_crc: u32,
    check: u32,
    size: u32,
}

impl Frame {
    pub(super) const fn new() -> Frame {
        Frame { kind: Kind::Gzip, flags: 0, head_crc: 0, check: 0, size: 0 }
    }

    pub(super) const fn is_gzip(&self) -> bool {
        matches!(self.kind, Kind::Gzip)
    }

    /// The name under which errors report this data.
    pub(super) const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Gzip => "gzip",
            Kind::Zlib | Kind::Raw => "deflate",
        }
    }

    /// Reads the part `head` and says what comes next; `None` when the input ends before.
    pub(super) fn head(
        &mut self,
        head: Head,
        bits: &mut Bits,
        input: &mut &[u8],
    ) -> Result<Option<Head>, Code> {
        let next = match head {
            Head::Sniff => {
                let Some(first) = bits.peek(16, input) else {
                    self.kind = Kind::Raw;
                    return Ok(None);
                };
                self.sniff(first as u16, bits)?
            }
            Head::Gzip { at } => {
                let Some(byte) = self.byte(bits, input) else { return Ok(None) };
                match (at, byte) {
                    (0, 0x1F) | (1, 0x8B) | (2, 8) | (4..=8, _) => Head::Gzip { at: at.saturating_add(1) },
                    (3, flags) if flags & FLAGS_RESERVED == 0 => {
                        self.flags = flags;
                        Head::Gzip { at: 4 }
                    }
                    (9, _) => self.optional(FLAG_EXTRA),
                    _ => return Err(Code::InflateHeader),
                }
            }
            Head::ExtraSize => {
                let Some(size) = bits.take(16, input) else { return Ok(None) };
                self.head_crc = crc32(self.head_crc, &(size as u16).to_le_bytes());
                Head::Extra { left: size as u16 }
            }
            Head::Extra { left: 0 } => self.optional(FLAG_NAME),
            Head::Extra { left } => match self.byte(bits, input) {
                Some(_) => Head::Extra { left: left.saturating_sub(1) },
                None => return Ok(None),
            },
            Head::Name => match self.byte(bits, input) {
                Some(0) => self.optional(FLAG_COMMENT),
                Some(_) => Head::Name,
                None => return Ok(None),
            },
            Head::Comment => match self.byte(bits, input) {
                Some(0) => self.optional(FLAG_CRC),
                Some(_) => Head::Comment,
                None => return Ok(None),
            },
            Head::Crc => match bits.take(16, input) {
                Some(crc) if crc == self.head_crc & 0xFFFF => Head::Body,
                Some(_) => return Err(Code::InflateHeader),
                None => return Ok(None),
            },
            Head::Body => Head::Body,
        };
        Ok(Some(next))
    }

    /// Takes a run of decompressed bytes into the checksum.
    pub(super) fn account(&mut self, run: &[u8]) {
        self.size = self.size.wrapping_add(run.len() as u32);
        match self.kind {
            Kind::Gzip => self.check = crc32(self.check, run),
            Kind::Zlib => self.check = adler32(self.check, run),
            Kind::Raw => {}
        }
    }

    /// Reads part `at` of the trailer and says whether more follows; `None` when the input ends before.
    pub(super) fn trailer(&self, at: u8, bits: &mut Bits, input: &mut &[u8]) -> Result<Option<bool>, Code> {
        if self.kind == Kind::Raw {
            return Ok(Some(false));
        }
        let Some(word) = bits.take(32, input) else { return Ok(None) };
        let (good, more) = match (self.kind, at) {
            (Kind::Gzip, 0) => (word == self.check, true),
            (Kind::Gzip, _) => (word == self.size, false),
            _ => (word.swap_bytes() == self.check, false),
        };
        if good { Ok(Some(more)) } else { Err(Code::InflateChecksum) }
    }

    /// Decides by the first two bytes, in input order from the low end of `first`.
    fn sniff(&mut self, first: u16, bits: &mut Bits) -> Result<Head, Code> {
        let method = first & 0xFF;
        if first == 0x8B1F {
            self.kind = Kind::Gzip;
            return Ok(Head::Gzip { at: 0 });
        }
        // A raw stream that begins like this would be a stored block with a bit set in its padding.
        if method & 15 == 8 && method >> 4 <= 7 && first.swap_bytes().is_multiple_of(31) {
            self.kind = Kind::Zlib;
            self.check = 1;
            bits.skip(16);
            // A preset dictionary, which nobody has.
            if first & 0x2000 != 0 {
                return Err(Code::InflateHeader);
            }
        } else {
            self.kind = Kind::Raw;
        }
        Ok(Head::Body)
    }

    /// The next of the parts that the flags announce, from the one of `flag` on.
    fn optional(&self, flag: u8) -> Head {
        let from_here = match flag {
            FLAG_EXTRA => FLAG_EXTRA | FLAG_NAME | FLAG_COMMENT | FLAG_CRC,
            FLAG_NAME => FLAG_NAME | FLAG_COMMENT | FLAG_CRC,
            FLAG_COMMENT => FLAG_COMMENT | FLAG_CRC,
            _ => FLAG_CRC,
        };
        let flags = self.flags & from_here;
        if flags & FLAG_EXTRA != 0 {
            Head::ExtraSize
        } else if flags & FLAG_NAME != 0 {
            Head::Name
        } else if flags & FLAG_COMMENT != 0 {
            Head::Comment
        } else if flags & FLAG_CRC != 0 {
            Head::Crc
        } else {
            Head::Body
        }
    }

    fn byte(&mut self, bits: &mut Bits, input: &mut &[u8]) -> Option<u8> {
        let byte = bits.take(8, input)? as u8;
        self.head_crc = crc32(self.head_crc, &[byte]);
        Some(byte)
    }
}
