//! A small reader of XML tags in text that is wholly in memory, for the few elements of a WRMHEADER.
//!
//! It checks no more than it must to find its way. No recursion; every step moves forward.

use heapless::String;

/// A piece of the document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    /// A start tag: the name without prefix, everything behind it up to the end of the tag, and what ends it.
    Open(&'a str, &'a str, Ends),
    /// An end tag.
    Close,
    /// Text whose references are not resolved.
    Text(&'a str),
    /// Text without references.
    Plain(&'a str),
}

/// How a start tag ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ends {
    /// With `>`: an end tag follows.
    Open,
    /// With `/>`: the element is empty.
    Closed,
}

/// Yields the tokens of a text one by one.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    /// Bytes read so far; inside the token that failed, after an error.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The next token; `None` at the end, `Some(Err(()))` for markup that never ends.
    pub(super) fn next(&mut self) -> Option<Result<Token<'a>, ()>> {
        loop {
            let rest = self.text.get(self.at..)?;
            if rest.is_empty() {
                return None;
            }
            if !rest.starts_with('<') {
                let end = position(rest, b'<').unwrap_or(rest.len());
                return Some(self.take(end).map(Token::Text).ok_or(()));
            }
            if rest.starts_with("<![CDATA[") {
                return Some(self.behind(rest, 9, b"]]>").map(Token::Plain).ok_or(()));
            }
            let skipped = if rest.starts_with("<!--") {
                self.behind(rest, 4, b"-->")
            } else if rest.starts_with("<?") {
                self.behind(rest, 2, b"?>")
            } else if rest.starts_with("<!") {
                self.behind(rest, 2, b">")
            } else {
                return Some(self.tag(rest).ok_or(()));
            };
            if skipped.is_none() {
                return Some(Err(()));
            }
        }
    }

    /// Moves `count` bytes on and returns them.
    fn take(&mut self, count: usize) -> Option<&'a str> {
        let end = self.at.checked_add(count)?;
        let taken = self.text.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// Moves behind the next `mark`; what lies between `from` and it.
    fn behind(&mut self, rest: &'a str, from: usize, mark: &[u8]) -> Option<&'a str> {
        let body = rest.get(from..)?;
        let length = body.as_bytes().windows(mark.len().max(1)).position(|w| w == mark)?;
        self.at = self.at.checked_add(from)?.checked_add(length)?.checked_add(mark.len())?;
        body.get(..length)
    }

    /// The tag that `rest` begins with.
    fn tag(&mut self, rest: &'a str) -> Option<Token<'a>> {
        let mut quote = None;
        let length = rest.bytes().position(|byte| {
            match quote {
                Some(open) if byte == open => quote = None,
                Some(_) => {}
                None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
                None => return byte == b'>',
            }
            false
        })?;
        let inner = rest.get(1..length)?;
        self.take(length.checked_add(1)?)?;
        if inner.starts_with('/') {
            return Some(Token::Close);
        }
        let (inner, ends) = match inner.strip_suffix('/') {
            Some(inner) => (inner, Ends::Closed),
            None => (inner, Ends::Open),
        };
        let end = inner.bytes().position(|b| b.is_ascii_whitespace()).unwrap_or(inner.len());
        let name = inner.get(..end)?;
        let local = match position(name, b':') {
            Some(colon) => name.get(colon.checked_add(1)?..)?,
            None => name,
        };
        Some(Token::Open(local, inner.get(end..)?, ends))
    }
}

/// The value of the attribute `name` in the part of a start tag behind its name, references unresolved.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = tag;
    // Every round takes an attribute off.
    loop {
        let equals = position(rest, b'=')?;
        let found = rest.get(..equals)?.trim_ascii();
        let value = rest.get(equals.checked_add(1)?..)?.trim_ascii_start();
        let quote = value.bytes().next().filter(|b| matches!(b, b'"' | b'\''))?;
        let value = value.get(1..)?;
        let end = position(value, quote)?;
        if found == name {
            return value.get(..end);
        }
        rest = value.get(end.checked_add(1)?..)?;
    }
}

fn position(text: &str, byte: u8) -> Option<usize> {
    text.bytes().position(|b| b == byte)
}

/// Hands the pieces of `text` to `sink`, references resolved. An ampersand that begins none stands for itself:
/// URLs are often written so.
pub(super) fn unescaped<E>(text: &str, mut sink: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    /// The longest reference, `&#x10FFFF;`, without its marks.
    const LONGEST: usize = 8;
    let mut rest = text;
    // Every round takes at least the ampersand.
    while let Some(ampersand) = position(rest, b'&') {
        let (head, tail) = rest.split_at_checked(ampersand).unwrap_or((rest, ""));
        sink(head)?;
        let tail = tail.get(1..).unwrap_or("");
        let end = tail.bytes().take(LONGEST.saturating_add(1)).position(|b| b == b';');
        let found =
            end.and_then(|end| Some((character(tail.get(..end)?)?, tail.get(end.checked_add(1)?..)?)));
        match found {
            Some((c, behind)) => {
                sink(&c)?;
                rest = behind;
            }
            None => {
                sink("&")?;
                rest = tail;
            }
        }
    }
    sink(rest)
}

/// The character of a reference.
fn character(word: &str) -> Option<String<4>> {
    let c = match word.as_bytes() {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x', hex @ ..] => numbered(hex, 16)?,
        [b'#', decimal @ ..] => numbered(decimal, 10)?,
        _ => return None,
    };
    let mut text = String::new();
    text.push(c).ok()?;
    Some(text)
}

fn numbered(digits: &[u8], base: u32) -> Option<char> {
    if digits.is_empty() {
        return None;
    }
    let mut code = 0u32;
    for digit in digits {
        code = code.checked_mul(base)?.checked_add(char::from(*digit).to_digit(base)?)?;
    }
    // A control character in a URL is nothing but an attack on whoever writes requests.
    char::from_u32(code).filter(|c| !c.is_ascii_control())
}
