//! Takes an `http` or `https` URL apart, and finds where a redirect leads (RFC 3986, clause 5).

use crate::digits::{decimal, split_once};
use crate::error::{Code, Result};
use crate::mem::{Account, Text};
use crate::port::Security;

/// Bytes of a host name; DNS allows no more.
const HOST: usize = 255;

/// What a connection and a request need of a URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Target<'a> {
    pub security: Security,
    /// Without the brackets of an IPv6 address.
    pub host: &'a str,
    pub port: u16,
    /// Path and query without the fragment; may be empty or begin with the query.
    pub path: &'a str,
}

impl Target<'_> {
    pub const fn has_default_port(&self) -> bool {
        self.port == default_port(self.security)
    }

    pub fn is_ipv6(&self) -> bool {
        self.host.bytes().any(|b| b == b':')
    }
}

const fn default_port(security: Security) -> u16 {
    match security {
        Security::Plain => 80,
        Security::Tls => 443,
    }
}

/// The parts of `url`; `None` for another scheme, user information, or a host or port that cannot be.
pub(super) fn split(url: &str) -> Option<Target<'_>> {
    let (scheme, rest) = split_once(url, b':')?;
    let security = match () {
        () if scheme.eq_ignore_ascii_case("http") => Security::Plain,
        () if scheme.eq_ignore_ascii_case("https") => Security::Tls,
        () => return None,
    };
    let rest = rest.strip_prefix("//")?;
    let (authority, path) = split_before(rest, |b| matches!(b, b'/' | b'?' | b'#'));
    let (path, _) = split_before(path, |b| b == b'#');
    let (host, port, allowed): (_, _, fn(u8) -> bool) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (host, port) = split_once(inner, b']')?;
            let port = if port.is_empty() { "" } else { port.strip_prefix(':')? };
            // A colon is what tells an address of this kind from a name.
            if !host.bytes().any(|b| b == b':') {
                return None;
            }
            (host, port, |b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
        }
        None => {
            let (host, port) = split_once(authority, b':').unwrap_or((authority, ""));
            (host, port, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
        }
    };
    let port = match port {
        "" => default_port(security),
        digits => u16::try_from(decimal(digits)?).ok()?,
    };
    if port == 0 || host.is_empty() || host.len() > HOST || !host.bytes().all(allowed) {
        return None;
    }
    Some(Target { security, host, port, path })
}

/// Writes into the empty `out` where `location` leads from `base`, in at most `most` bytes.
///
/// # Errors
/// [`Code::TooManyRedirects`] when it leads to no `http` or `https` URL, from `https` back to `http`, or to a URL
/// that is too long; [`Code::Budget`] or [`Code::NoMemory`].
pub(super) fn resolve(
    account: &mut Account,
    out: &mut Text,
    base: &str,
    location: &str,
    most: usize,
) -> Result<()> {
    let from = split(base).ok_or(Code::TooManyRedirects)?;
    let (location, _) = split_before(location.trim_ascii(), |b| b == b'#');
    // Dot segments only ever shorten.
    if base.len().saturating_add(location.len()) > most.saturating_mul(2) {
        return Err(Code::TooManyRedirects.into());
    }
    let (scheme, after_scheme) = split_once(base, b':').unwrap_or(("", ""));
    let (origin, _) =
        split_before(after_scheme.strip_prefix("//").unwrap_or(""), |b| matches!(b, b'/' | b'?' | b'#'));
    let (base_path, _) = split_before(from.path, |b| b == b'?');
    if has_scheme(location) {
        out.push(account, location)?;
    } else {
        out.push(account, scheme)?;
        out.push(account, ":")?;
        if location.starts_with("//") {
            out.push(account, location)?;
        } else {
            out.push(account, "//")?;
            out.push(account, origin)?;
            let (path, query) = split_before(location, |b| b == b'?');
            let floor = out.len();
            if path.starts_with('/') {
                push_path(account, out, floor, path)?;
            } else if path.is_empty() {
                out.push(account, base_path)?;
            } else {
                push_path(account, out, floor, folder(base_path))?;
                // The folder ends with the slash that the first new segment brings along.
                let without = out.len().saturating_sub(1).max(floor);
                out.truncate(without);
                push_path(account, out, floor, path)?;
            }
            out.push(account, query)?;
        }
    }
    if !out.bytes().all(is_plain) {
        let mut escaped = Text::new();
        let done = push_escaped(account, &mut escaped, out);
        out.free(account);
        *out = escaped;
        done?;
    }
    let to = split(out.as_str()).ok_or(Code::TooManyRedirects)?;
    let downgrade = from.security == Security::Tls && to.security == Security::Plain;
    if downgrade || out.len() > most {
        return Err(Code::TooManyRedirects.into());
    }
    Ok(())
}

/// Appends `text` with everything escaped that would end a request line early, or is not ASCII.
pub(super) fn push_escaped(account: &mut Account, out: &mut Text, text: &str) -> Result<()> {
    let mut rest = text;
    // Ends: each round takes a character or more off.
    while !rest.is_empty() {
        let (plain, after) = split_before(rest, |b| !is_plain(b));
        out.push(account, plain)?;
        let len = after.chars().next().map_or(0, char::len_utf8);
        let (odd, after) = after.split_at_checked(len).unwrap_or(("", ""));
        for byte in odd.bytes() {
            let escape = [b'%', hex_digit(byte >> 4), hex_digit(byte & 15)];
            out.push(account, core::str::from_utf8(&escape).unwrap_or(""))?;
        }
        rest = after;
    }
    Ok(())
}

const fn is_plain(b: u8) -> bool {
    b > b' ' && b < 0x7f
}

const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'A'.wrapping_sub(10).wrapping_add(nibble) }
}

/// Appends `/segment` for each segment of `path`, dot segments resolved, never cutting `out` below `floor`.
fn push_path(account: &mut Account, out: &mut Text, floor: usize, path: &str) -> Result<()> {
    let mut rest = path.strip_prefix('/').unwrap_or(path);
    // Ends: each round takes one segment and its slash off.
    loop {
        let (segment, after) = split_before(rest, |b| b == b'/');
        match segment {
            "." => {}
            ".." => {
                let last = out.bytes().rposition(|b| b == b'/');
                out.truncate(last.unwrap_or(floor).max(floor));
            }
            _ => {
                out.push(account, "/")?;
                out.push(account, segment)?;
            }
        }
        match after.strip_prefix('/') {
            Some(next) => rest = next,
            None => {
                if matches!(segment, "." | "..") {
                    out.push(account, "/")?;
                }
                return Ok(());
            }
        }
    }
}

/// `path` up to and with its last slash; a lone slash when it has none.
fn folder(path: &str) -> &str {
    let cut = path.bytes().rposition(|b| b == b'/').unwrap_or(0);
    match path.split_at_checked(cut.saturating_add(1)) {
        Some((folder, _)) => folder,
        None => "/",
    }
}

/// RFC 3986, clause 3.1: a letter, then letters, digits, `+`, `-` and `.`, then a colon.
fn has_scheme(location: &str) -> bool {
    split_once(location, b':').is_some_and(|(scheme, _)| {
        scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

/// `text` before and from the first byte that `stop` names; all of it and nothing when there is none.
fn split_before(text: &str, stop: impl Fn(u8) -> bool) -> (&str, &str) {
    let at = text.bytes().position(stop).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}
