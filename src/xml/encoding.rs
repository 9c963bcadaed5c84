//! Text encodings: bytes in pieces of any size to UTF-8 text.
//!
//! What the bytes show wins over what the declaration says, because proxies recode documents and leave the
//! declaration: byte order mark, then the zero bytes of UTF-16, then UTF-8. Only for a single-byte encoding is the
//! declaration believed, since nothing else can tell it.

use heapless::{String, Vec};

use crate::error::{Code, Error, Result};

/// Bytes looked at before an undeclared encoding is taken as UTF-8: more than any real XML declaration has.
const DECLARATION: usize = 256;

/// Bytes of recoded text handed on at once.
const BLOCK: usize = 256;

/// Where a block of text lies in the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// Byte offset of the block's first character.
    at: u64,
    /// Input bytes of one ASCII character.
    step: u64,
}

impl Origin {
    /// The input offset of the block's byte `index`. Exact for the start of any character.
    pub(super) fn of(self, index: usize) -> u64 {
        self.at.saturating_add((index as u64).wrapping_mul(self.step))
    }

    /// Input bytes of one ASCII character.
    pub(super) const fn step(self) -> u64 {
        self.step
    }
}

/// What receives the text.
pub(super) type Sink<'a> = dyn FnMut(&str, Origin) -> Result<()> + 'a;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Unknown,
    Utf8,
    Latin1,
    Utf16Le,
    Utf16Be,
}

/// Recognises the encoding and decodes it.
#[derive(Debug)]
pub(super) struct Decoder {
    kind: Kind,
    /// The first bytes, while the encoding is unknown.
    head: Vec<u8, DECLARATION>,
    /// The bytes of a character cut by the end of a piece.
    carry: Vec<u8, 4>,
    /// A high surrogate that waits for its low one.
    high: Option<u16>,
    /// Input bytes decoded.
    offset: u64,
}

impl Decoder {
    pub(super) const fn new() -> Decoder {
        Decoder { kind: Kind::Unknown, head: Vec::new(), carry: Vec::new(), high: None, offset: 0 }
    }

    /// Input bytes decoded so far.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Decodes `bytes` into `sink`, as far as they hold whole characters.
    pub(super) fn feed(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        if self.kind != Kind::Unknown {
            return self.decode(bytes, sink);
        }
        let mut rest = bytes;
        while let Some((byte, tail)) = rest.split_first() {
            let _ = self.head.push(*byte);
            rest = tail;
            if let Some((kind, mark)) = recognise(&self.head) {
                self.settle(kind, mark, sink)?;
                return self.decode(rest, sink);
            }
        }
        Ok(())
    }

    /// Ends the input.
    ///
    /// # Errors
    /// [`Code::ManifestTruncated`] when it ends inside a character, or before its encoding was seen.
    pub(super) fn finish(&self) -> Result<()> {
        if self.kind != Kind::Unknown && self.carry.is_empty() && self.high.is_none() {
            Ok(())
        } else {
            Err(Error::at(Code::ManifestTruncated, "text", self.offset))
        }
    }

    fn settle(&mut self, kind: Kind, mark: usize, sink: &mut Sink<'_>) -> Result<()> {
        self.kind = kind;
        self.offset = mark as u64;
        let head = core::mem::take(&mut self.head);
        self.decode(head.get(mark..).unwrap_or(&[]), sink)
    }

    fn decode(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        match self.kind {
            Kind::Unknown | Kind::Utf8 => self.utf8(bytes, sink),
            Kind::Latin1 => self.latin1(bytes, sink),
            Kind::Utf16Le | Kind::Utf16Be => self.utf16(bytes, sink),
        }
    }

    fn utf8(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        let mut bytes = bytes;
        while !self.carry.is_empty() {
            let Some((byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            let _ = self.carry.push(*byte);
            match core::str::from_utf8(&self.carry) {
                Ok(text) => {
                    let origin = Origin { at: self.offset, step: 1 };
                    sink(text, origin)?;
                    self.offset = self.offset.saturating_add(self.carry.len() as u64);
                    self.carry.clear();
                }
                Err(e) if e.error_len().is_some() => return Err(self.broken(0)),
                Err(_) => {}
            }
        }
        let origin = Origin { at: self.offset, step: 1 };
        let valid = match core::str::from_utf8(bytes) {
            Ok(text) => {
                sink(text, origin)?;
                bytes.len()
            }
            Err(e) => {
                let valid = e.valid_up_to();
                // Checked a second time: happens at most once a piece.
                let text = core::str::from_utf8(bytes.get(..valid).unwrap_or(&[])).unwrap_or("");
                sink(text, origin)?;
                if e.error_len().is_some() {
                    return Err(self.broken(valid));
                }
                let _ = self.carry.extend_from_slice(bytes.get(valid..).unwrap_or(&[]));
                valid
            }
        };
        self.offset = self.offset.saturating_add(valid as u64);
        Ok(())
    }

    fn latin1(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        let mut block = Block::new(self.offset, 1);
        for byte in bytes {
            block.push(char::from(*byte), sink)?;
        }
        block.flush(sink)?;
        self.offset = self.offset.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn utf16(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
        let start = self.offset.saturating_sub(if self.high.is_some() { 2 } else { 0 });
        let mut block = Block::new(start, 2);
        for byte in bytes {
            let Some(first) = self.carry.pop() else {
                let _ = self.carry.push(*byte);
                continue;
            };
            let unit = match self.kind {
                Kind::Utf16Be => u16::from_be_bytes([first, *byte]),
                _ => u16::from_le_bytes([first, *byte]),
            };
            let code = match (self.high.take(), unit) {
                (None, 0xD800..=0xDBFF) => {
                    self.high = Some(unit);
                    self.offset = self.offset.saturating_add(2);
                    continue;
                }
                (Some(high), 0xDC00..=0xDFFF) => {
                    0x1_0000 + ((u32::from(high) & 0x3FF) << 10) + (u32::from(unit) & 0x3FF)
                }
                (Some(_), _) => 0xD800,
                (None, _) => u32::from(unit),
            };
            // A lone surrogate is no character.
            let Some(c) = char::from_u32(code) else {
                block.flush(sink)?;
                return Err(self.broken(0));
            };
            block.push(c, sink)?;
            self.offset = self.offset.saturating_add(2);
        }
        block.flush(sink)
    }

    fn broken(&self, ahead: usize) -> Error {
        Error::at(Code::ManifestEncoding, "text", self.offset.saturating_add(ahead as u64))
    }
}

/// Recoded text on its way to the sink. A block ends after its first character beyond ASCII, so that offsets
/// within it are a multiplication.
struct Block {
    text: String<BLOCK>,
    origin: Origin,
}

impl Block {
    fn new(at: u64, step: u64) -> Block {
        Block { text: String::new(), origin: Origin { at, step } }
    }

    fn push(&mut self, c: char, sink: &mut Sink<'_>) -> Result<()> {
        let _ = self.text.push(c);
        if c.is_ascii() {
            if self.text.len() > BLOCK - 4 {
                self.flush(sink)?;
            }
            return Ok(());
        }
        let ascii = self.text.len().saturating_sub(c.len_utf8());
        let wide = if u32::from(c) > 0xFFFF { 2 } else { 1 };
        let next = self.origin.of(ascii.saturating_add(wide));
        self.flush(sink)?;
        self.origin.at = next;
        Ok(())
    }

    fn flush(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        if !self.text.is_empty() {
            sink(&self.text, self.origin)?;
            self.origin.at = self.origin.of(self.text.len());
            self.text.clear();
        }
        Ok(())
    }
}

/// The encoding that `head` shows, and the length of its byte order mark; `None` while more bytes are needed.
fn recognise(head: &[u8]) -> Option<(Kind, usize)> {
    match head {
        [] | [0xEF] | [0xEF, 0xBB] | [0xFF] | [0xFE] | [0x00] | [b'<'] => None,
        [0xEF, 0xBB, 0xBF, ..] => Some((Kind::Utf8, 3)),
        [0xFF, 0xFE, ..] => Some((Kind::Utf16Le, 2)),
        [0xFE, 0xFF, ..] => Some((Kind::Utf16Be, 2)),
        [b'<', 0x00, ..] => Some((Kind::Utf16Le, 0)),
        [0x00, b'<', ..] => Some((Kind::Utf16Be, 0)),
        _ => declared(head),
    }
}

fn declared(head: &[u8]) -> Option<(Kind, usize)> {
    let opening = b"<?xml";
    let same = head.iter().zip(opening).all(|(a, b)| a == b);
    if same && head.last() != Some(&b'>') && head.len() < DECLARATION {
        return None;
    }
    let kind = match encoding_name(head) {
        Some(name) if same && single_byte(name) => Kind::Latin1,
        _ => Kind::Utf8,
    };
    Some((kind, 0))
}

/// The value of `encoding` in an XML declaration.
pub(super) fn encoding_name(declaration: &[u8]) -> Option<&[u8]> {
    let key = b"encoding";
    let at = declaration.windows(key.len()).position(|w| w == key)?;
    let rest = declaration.get(at.saturating_add(key.len())..)?;
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, rest) = rest.split_first()?;
    rest.split(|b| b == quote).next()
}

/// Whether `name` is an encoding that is read as what it is, with one byte for each ASCII character.
pub(super) fn narrow(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"utf-8") || name.eq_ignore_ascii_case(b"us-ascii") || single_byte(name)
}

fn single_byte(name: &[u8]) -> bool {
    let names: [&[u8]; 4] = [b"iso-8859-1", b"iso8859-1", b"latin1", b"windows-1252"];
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}
