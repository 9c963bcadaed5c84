//! The head of a response: status line and the fields that matter here (RFC 9112, RFC 9110).

use crate::digits::decimal;
use crate::error::Code;

/// How the body of a response is delimited (RFC 9112, clause 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Body {
    /// There is none.
    #[default]
    None,
    /// So many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
    /// All that comes until the connection closes.
    UntilClose,
}

/// Whether the connection outlives the response.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Persistence {
    #[default]
    Close,
    Keep,
}

/// A field value's place in the head; nothing when the field is absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Span {
    at: usize,
    len: usize,
}

impl Span {
    /// The value in `head`, the bytes that were parsed; empty when absent or not UTF-8.
    pub fn text(self, head: &[u8]) -> &str {
        let value = head.get(self.at..).and_then(|tail| tail.get(..self.len)).unwrap_or(&[]);
        core::str::from_utf8(value).unwrap_or("")
    }
}

/// What a response head says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Head {
    pub status: u16,
    pub body: Body,
    pub persistence: Persistence,
    pub location: Span,
    pub content_type: Span,
    pub content_encoding: Span,
    pub date: Span,
}

impl Head {
    /// An answer before the answer (RFC 9110, clause 15.2).
    pub const fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// A redirect of the kinds that are followed.
    pub const fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308) && self.location.len != 0
    }
}

/// How every answer begins that this client understands.
const VERSION: &[u8] = b"HTTP/1.";

/// Whether `bytes` can still become a response head.
pub(super) fn is_plausible(bytes: &[u8]) -> bool {
    bytes.iter().zip(VERSION).all(|(a, b)| a == b)
}

/// Where the body begins: behind the first empty line. `from` bytes have been searched before.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from.saturating_sub(2);
    while let Some(skip) = bytes.get(at..).and_then(|tail| tail.iter().position(|b| *b == b'\n')) {
        at = at.saturating_add(skip).saturating_add(1);
        match bytes.get(at..) {
            Some([b'\n', ..]) => return Some(at.saturating_add(1)),
            Some([b'\r', b'\n', ..]) => return Some(at.saturating_add(2)),
            _ => {}
        }
    }
    None
}

/// Reads a head that ends with its empty line. Lines may end with a bare line feed; a line folded over two
/// (RFC 9112, clause 5.2) is skipped, unless it continues a field that matters here.
///
/// # Errors
/// [`Code::HttpSyntax`], or [`Code::ContentEncoding`] for a transfer coding other than `chunked`.
pub(super) fn parse(bytes: &[u8]) -> Result<Head, Code> {
    let mut lines = Lines { bytes, at: 0 };
    let (_, line) = lines.next().ok_or(Code::HttpSyntax)?;
    let (minor, status) = status_line(line).ok_or(Code::HttpSyntax)?;
    let mut fields = Fields { kept: minor != b'0', ..Fields::default() };
    let mut head = Head { status, ..Head::default() };
    let mut folding_matters = true;
    for (at, line) in lines {
        if line.is_empty() {
            break;
        }
        if line.iter().any(|b| matches!(b, b'\r' | 0)) {
            return Err(Code::HttpSyntax);
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if folding_matters {
                return Err(Code::HttpSyntax);
            }
            continue;
        }
        let colon = line.iter().position(|b| *b == b':').ok_or(Code::HttpSyntax)?;
        let name = line.get(..colon).unwrap_or(&[]).trim_ascii_end();
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            return Err(Code::HttpSyntax);
        }
        let after = colon.saturating_add(1);
        let raw = line.get(after..).unwrap_or(&[]);
        let front = raw.len().saturating_sub(raw.trim_ascii_start().len());
        let value = raw.trim_ascii();
        let span = Span { at: at.saturating_add(after).saturating_add(front), len: value.len() };
        folding_matters = fields.take(&mut head, name, value, span)?;
    }
    fields.settle(&mut head)?;
    Ok(head)
}

/// What fields say together.
#[derive(Default)]
struct Fields {
    kept: bool,
    length: Option<u64>,
    coding: Coding,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Coding {
    #[default]
    None,
    Chunked,
}

impl Fields {
    /// Notes one field; whether it is one that matters.
    fn take(&mut self, head: &mut Head, name: &[u8], value: &[u8], span: Span) -> Result<bool, Code> {
        let is = |known: &str| same(name, known);
        if is("content-length") {
            for item in Items(Some(value)) {
                let length = core::str::from_utf8(item).ok().and_then(decimal).ok_or(Code::HttpSyntax)?;
                if self.length.is_some_and(|other| other != length) {
                    return Err(Code::HttpSyntax);
                }
                self.length = Some(length);
            }
        } else if is("transfer-encoding") {
            for item in Items(Some(value)) {
                // Chunked is the last coding and comes once.
                if self.coding == Coding::Chunked {
                    return Err(Code::HttpSyntax);
                } else if same(item, "chunked") {
                    self.coding = Coding::Chunked;
                } else if !same(item, "identity") {
                    return Err(Code::ContentEncoding);
                }
            }
        } else if is("connection") {
            for item in Items(Some(value)) {
                if same(item, "close") {
                    self.kept = false;
                } else if same(item, "keep-alive") {
                    self.kept = true;
                }
            }
        } else {
            let place = match () {
                () if is("location") => &mut head.location,
                () if is("content-type") => &mut head.content_type,
                () if is("content-encoding") => &mut head.content_encoding,
                () if is("date") => &mut head.date,
                () => return Ok(false),
            };
            if place.len == 0 {
                *place = span;
            }
        }
        Ok(true)
    }

    /// RFC 9112, clauses 6.3 and 9.3.
    fn settle(self, head: &mut Head) -> Result<(), Code> {
        let mut kept = self.kept;
        head.body = match (head.status, self.coding, self.length) {
            (100..=199 | 204 | 304, ..) => Body::None,
            (_, Coding::Chunked, length) => {
                // Someone on the way disagrees about where this response ends.
                kept &= length.is_none();
                Body::Chunked
            }
            (_, Coding::None, Some(0)) => Body::None,
            (_, Coding::None, Some(length)) => Body::Length(length),
            (_, Coding::None, None) => {
                kept = false;
                Body::UntilClose
            }
        };
        head.persistence = if kept { Persistence::Keep } else { Persistence::Close };
        Ok(())
    }
}

/// Minor version digit and status of `HTTP/1.x 200 reason`; the reason may be missing.
fn status_line(line: &[u8]) -> Option<(u8, u16)> {
    let rest = line.strip_prefix(VERSION)?;
    let [minor @ b'0'..=b'9', b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', reason @ ..] = rest
    else {
        return None;
    };
    if !matches!(reason.first(), None | Some(b' ')) {
        return None;
    }
    let digit = |b: &u8| u16::from(b.wrapping_sub(b'0'));
    let status = digit(a).saturating_mul(100).saturating_add(digit(b).saturating_mul(10));
    Some((*minor, status.saturating_add(digit(c))))
}

/// Whether these are the same word in any case. One copy of this loop is enough.
#[inline(never)]
fn same(word: &[u8], known: &str) -> bool {
    word.eq_ignore_ascii_case(known.as_bytes())
}

/// RFC 9110, clause 5.6.2.
const fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Lines and their offsets, without line ends.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        let start = self.at;
        let rest = self.bytes.get(start..)?;
        let len = rest.iter().position(|b| *b == b'\n')?;
        self.at = start.saturating_add(len).saturating_add(1);
        let line = rest.get(..len)?;
        Some((start, line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// The items of a comma-separated list, empty ones included.
struct Items<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0?;
        let item = match rest.iter().position(|b| *b == b',') {
            Some(comma) => {
                self.0 = rest.get(comma.saturating_add(1)..);
                rest.get(..comma).unwrap_or(&[])
            }
            None => {
                self.0 = None;
                rest
            }
        };
        Some(item.trim_ascii())
    }
}
