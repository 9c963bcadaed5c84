//! ISO base media boxes in memory and a cursor over their fields (ISO/IEC 14496-12 4.2).

use anyhow::{Context, Result, bail, ensure};

/// The head of one box: its type, and its sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub kind: [u8; 4],
    /// Size of the head itself: 8, or 16 with a 64-bit size.
    pub len: u64,
    /// Size of the whole box, head included.
    pub size: u64,
}

/// The most bytes a box head takes, without the extended type of a `uuid` box.
pub const LONGEST_HEAD: usize = 16;

/// Reads a box head at the start of `bytes`; the box may take up to `room` bytes.
pub fn head(bytes: &[u8], room: u64) -> Result<Head> {
    let mut fields = Fields::new(bytes);
    let short = fields.u32()?;
    let kind = fields.array()?;
    let (len, size) = match short {
        0 => (8, room),
        1 => (16, fields.u64()?),
        size => (8, u64::from(size)),
    };
    ensure!(size >= len && size <= room, "box {} of {size} bytes where {room} are left", name(kind));
    Ok(Head { kind, len, size })
}

/// A box type as text.
pub fn name(kind: [u8; 4]) -> String {
    kind.escape_ascii().to_string()
}

/// The boxes that lie one after the other in `bytes`, as type and content.
pub struct Boxes<'a> {
    rest: &'a [u8],
}

impl<'a> Boxes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<([u8; 4], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        // Some writers end a container with four zero bytes.
        if self.rest.len() < 8 {
            return None;
        }
        let head = match head(self.rest, self.rest.len() as u64) {
            Ok(head) => head,
            Err(error) => {
                self.rest = &[];
                return Some(Err(error));
            }
        };
        let (this, rest) = self.rest.split_at(head.size as usize);
        self.rest = rest;
        Some(Ok((head.kind, &this[head.len as usize..])))
    }
}

/// The content of the first box of type `kind` in `bytes`.
pub fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Result<Option<&'a [u8]>> {
    for child in Boxes::new(bytes) {
        let (found, content) = child?;
        if &found == kind {
            return Ok(Some(content));
        }
    }
    Ok(None)
}

/// The content of the box reached by following `path` down from `bytes`.
pub fn need<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Result<&'a [u8]> {
    let mut here = bytes;
    for kind in path {
        here = find(here, kind)?.with_context(|| format!("no {} box", name(**kind)))?;
    }
    Ok(here)
}

/// A cursor over big-endian fields.
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            bail!("{count} bytes wanted where {} are left", self.rest.len());
        };
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into()?)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// An integer of 1 to 8 bytes.
    pub fn uint(&mut self, bytes: usize) -> Result<u64> {
        Ok(self.take(bytes)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The version and flags every full box begins with.
    pub fn full(&mut self) -> Result<(u8, u32)> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00ff_ffff))
    }

    /// A time or duration: 64 bits from version 1 on, else 32.
    pub fn time(&mut self, version: u8) -> Result<u64> {
        if version == 0 { Ok(self.u32()?.into()) } else { self.u64() }
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

/// Big-endian fields, one after the other.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// The lower 24 bits.
    pub fn u24(&mut self, value: u32) -> &mut Self {
        let [_, high, middle, low] = value.to_be_bytes();
        self.bytes(&[high, middle, low])
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub fn done(self) -> Vec<u8> {
        self.bytes
    }
}

/// A box of that content; its size in 64 bits where 32 are too few.
pub fn write_box(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    match u32::try_from(content.len() + 8) {
        Ok(size) => out.u32(size).bytes(&kind),
        Err(_) => out.u32(1).bytes(&kind).u64(content.len() as u64 + 16),
    };
    out.bytes(content);
    out.done()
}

/// A `uuid` box.
pub fn write_uuid(kind: [u8; 16], content: &[u8]) -> Vec<u8> {
    write_box(*b"uuid", &[&kind, content].concat())
}
