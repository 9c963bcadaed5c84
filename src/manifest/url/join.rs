//! Reference resolution of RFC 3986, clause 5.2, in one pass from pieces into the result.

use super::{Absolute, Scheme, absolute, split};
use crate::digits::split_once;
use crate::error::{Code, Result};
use crate::mem::{Account, Text};

/// A reference that comes in pieces, the same ones each time.
pub(super) type Pieces<'a> = &'a dyn Fn(&mut dyn FnMut(&str) -> Result<()>) -> Result<()>;

/// What becomes of `..` above the directory that a reference starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Climb {
    /// It stops at the root.
    Allowed,
    /// It is an error.
    Refused,
}

/// Writes `reference`, resolved against `base`, into `out`. Neither may be longer than `limit` bytes.
pub(super) fn join(
    account: &mut Account,
    out: &mut Text,
    base: &str,
    reference: Pieces<'_>,
    climb: Climb,
    limit: u32,
) -> Result<()> {
    out.clear();
    let limit = limit as usize;
    let Absolute { scheme, authority, path_and_query } = absolute(base).ok_or(Code::UrlInvalid)?;
    let kind = Kind::of(reference, limit)?;
    if kind == Kind::Absolute(Scheme::Http) && scheme == Scheme::Https {
        return Err(Code::UrlRefused.into());
    }
    let mut writer = Writer { account, out, limit, part: Part::Authority, path: 0, floor: 0 };
    if let Kind::Absolute(other) = kind {
        writer.raw(other.prefix())?;
    } else {
        writer.raw(scheme.prefix())?;
    }
    let path = split_once(path_and_query, b'?').map_or(path_and_query, |(path, _)| path);
    let from_base = match kind {
        Kind::Absolute(_) | Kind::Authority => None,
        Kind::Path => Some("/"),
        Kind::Relative => Some(path.get(..last_slash(path).unwrap_or(0)).unwrap_or("")),
        Kind::Query => Some(path),
        Kind::Empty => Some(path_and_query),
    };
    if let Some(from_base) = from_base {
        writer.text(authority)?;
        writer.text(from_base)?;
        if kind == Kind::Relative {
            writer.text("/")?;
        }
    }
    if climb == Climb::Refused {
        writer.floor = match kind {
            Kind::Relative => writer.out.len(),
            // The path is the base's own.
            Kind::Query | Kind::Empty => 0,
            _ => 1,
        };
    }
    let (mut skip, mut left) = (kind.prefix(), limit);
    reference(&mut |piece| {
        left = left.checked_sub(piece.len()).ok_or(Code::LimitUrl)?;
        for byte in piece.bytes() {
            if skip > 0 {
                skip = skip.saturating_sub(1);
            } else {
                writer.byte(byte)?;
            }
        }
        Ok(())
    })?;
    writer.end()?;
    match split(out) {
        Some(_) => Ok(()),
        None => Err(Code::UrlInvalid.into()),
    }
}

/// How a reference begins. RFC 3986 4.2.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Empty,
    Query,
    Relative,
    /// `/` and a path.
    Path,
    /// `//` and an authority.
    Authority,
    Absolute(Scheme),
}

impl Kind {
    /// Reads as much of the reference as it takes, at most `limit` bytes.
    fn of(reference: Pieces<'_>, limit: usize) -> Result<Kind> {
        let mut seen = 0usize;
        // Lower-case letters of what may be a scheme, and how long it is.
        let (mut scheme, mut length) = ([0u8; 5], 0usize);
        let mut so_far = Found::Start;
        // The error is only the way to stop early; what is really wrong comes up when the reference is written.
        let stop = Err(Code::State.into());
        let _ = reference(&mut |piece| {
            for byte in piece.bytes() {
                seen = seen.saturating_add(1);
                so_far = match (so_far, byte) {
                    (Found::Start, b'/') => Found::Slash,
                    (Found::Start, b'?') => Found::This(Kind::Query),
                    (Found::Start, b'#') => Found::This(Kind::Empty),
                    (Found::Slash, b'/') => Found::This(Kind::Authority),
                    (Found::Slash, _) => Found::This(Kind::Path),
                    (Found::Name, b':') => match scheme.get(..length) {
                        Some(b"http") => Found::Colon(Scheme::Http, 0),
                        Some(b"https") => Found::Colon(Scheme::Https, 0),
                        _ => Found::Refused,
                    },
                    (Found::Colon(scheme, 0), b'/') => Found::Colon(scheme, 1),
                    (Found::Colon(scheme, _), b'/') => Found::This(Kind::Absolute(scheme)),
                    (Found::Colon(..), _) => Found::Invalid,
                    (Found::Start, b) if b.is_ascii_alphabetic() => Found::Name,
                    (Found::Name, b) if b.is_ascii_alphanumeric() || b"+-.".contains(&b) => Found::Name,
                    (Found::Start | Found::Name, _) => Found::This(Kind::Relative),
                    (found, _) => found,
                };
                if so_far == Found::Name {
                    if let Some(place) = scheme.get_mut(length) {
                        *place = byte.to_ascii_lowercase();
                    }
                    length = length.saturating_add(1);
                }
                if matches!(so_far, Found::This(_) | Found::Refused | Found::Invalid) || seen > limit {
                    return stop;
                }
            }
            Ok(())
        });
        match so_far {
            Found::This(kind) => Ok(kind),
            Found::Start => Ok(Kind::Empty),
            Found::Slash => Ok(Kind::Path),
            Found::Name => Ok(Kind::Relative),
            Found::Refused => Err(Code::UrlRefused.into()),
            Found::Invalid | Found::Colon(..) => Err(Code::UrlInvalid.into()),
        }
    }

    /// Bytes at its beginning that are written already.
    const fn prefix(self) -> usize {
        match self {
            Kind::Empty | Kind::Query | Kind::Relative => 0,
            Kind::Path => 1,
            Kind::Authority => 2,
            Kind::Absolute(scheme) => scheme.prefix().len(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Start,
    Slash,
    Name,
    /// A scheme that may be fetched, its colon, and so many slashes.
    Colon(Scheme, u8),
    This(Kind),
    Refused,
    Invalid,
}

/// Writes a URL after its scheme, and removes dot segments as they end. RFC 3986 5.2.4.
struct Writer<'a> {
    account: &'a mut Account,
    out: &'a mut Text,
    limit: usize,
    part: Part,
    /// Where the path begins in `out`.
    path: usize,
    /// What `..` must leave of `out`; 0 when it may go to the root.
    floor: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Authority,
    Path,
    Query,
    /// After a `#`, which is never sent.
    Anchor,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) -> Result<()> {
        text.bytes().try_for_each(|byte| self.byte(byte))
    }

    fn byte(&mut self, byte: u8) -> Result<()> {
        match (self.part, byte) {
            (Part::Anchor, _) => Ok(()),
            (Part::Query, b'#') => {
                self.part = Part::Anchor;
                Ok(())
            }
            (Part::Authority, b'/') => self.begin_path(),
            (Part::Authority, b'?') => {
                self.begin_path()?;
                self.part = Part::Query;
                self.raw("?")
            }
            (Part::Authority, b'#') => {
                self.begin_path()?;
                self.part = Part::Anchor;
                Ok(())
            }
            (Part::Authority, b'@') => Err(Code::UrlRefused.into()),
            (Part::Authority, b' ' | 0x80..) => Err(Code::UrlInvalid.into()),
            (Part::Path, b'/') => {
                if self.end_segment()? {
                    self.raw("/")
                } else {
                    Ok(())
                }
            }
            (Part::Path, b'?') => {
                self.end_segment()?;
                self.part = Part::Query;
                self.raw("?")
            }
            (Part::Path, b'#') => {
                self.end_segment()?;
                self.part = Part::Anchor;
                Ok(())
            }
            _ => self.encoded(byte),
        }
    }

    fn end(&mut self) -> Result<()> {
        match self.part {
            Part::Authority => self.begin_path(),
            Part::Path => self.end_segment().map(|_| ()),
            Part::Query | Part::Anchor => Ok(()),
        }
    }

    fn begin_path(&mut self) -> Result<()> {
        self.part = Part::Path;
        self.path = self.out.len();
        self.raw("/")
    }

    /// Removes the last segment if it is one of dots, `..` with the segment before it; says whether it was none.
    fn end_segment(&mut self) -> Result<bool> {
        let Some((before, segment)) = last_slash(self.out).and_then(|at| self.out.split_at_checked(at))
        else {
            return Ok(true);
        };
        let keep = match dots(segment.strip_prefix('/').unwrap_or("")) {
            0 => return Ok(true),
            1 => before.len().saturating_add(1),
            _ => {
                let parent = last_slash(before).map_or(0, |above| above.saturating_add(1));
                let at_root = before.len() <= self.path;
                if self.floor != 0 && (at_root || parent < self.floor) {
                    return Err(Code::UrlRefused.into());
                }
                if at_root { self.path.saturating_add(1) } else { parent }
            }
        };
        self.out.truncate(keep);
        Ok(false)
    }

    /// One byte, percent-encoded where it must be. RFC 3986 2.1.
    fn encoded(&mut self, byte: u8) -> Result<()> {
        match byte {
            b'!'..=b'[' | b']'..=b'~' => self.raw(core::str::from_utf8(&[byte]).unwrap_or("")),
            b' ' | 0x80.. => {
                let code = [b'%', upper_hex(byte >> 4), upper_hex(byte & 15)];
                self.raw(core::str::from_utf8(&code).unwrap_or(""))
            }
            _ => Err(Code::UrlInvalid.into()),
        }
    }

    fn raw(&mut self, text: &str) -> Result<()> {
        if self.out.len().saturating_add(text.len()) > self.limit {
            return Err(Code::LimitUrl.into());
        }
        self.out.push(self.account, text)
    }
}

/// Where the last slash is. The search of `str` would do, had it no panic path.
fn last_slash(text: &str) -> Option<usize> {
    text.bytes().rposition(|byte| byte == b'/')
}

const fn upper_hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'A'.wrapping_add(nibble).wrapping_sub(10) }
}

/// 1 for `.`, 2 for `..`, else 0. An encoded dot is a dot: RFC 3986 6.2.2.2.
fn dots(segment: &str) -> usize {
    let (mut rest, mut count) = (segment.as_bytes(), 0usize);
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'.', _) => after,
            (b'%', [b'2', b'e' | b'E', tail @ ..]) => tail,
            _ => return 0,
        };
        count = count.saturating_add(1);
    }
    if count > 2 { 0 } else { count }
}
