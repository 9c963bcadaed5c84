//! URLs of fragments: the template filled in, resolved against the manifest's URL, and kept within bounds.
//!
//! A template is text from outside. What comes out of it is `http` or `https` and nothing else, holds no byte that
//! could end a request line, and does not climb above the manifest's directory. RFC 3986; [MS-SSTR] 2.2.2.5.

use crate::digits::{decimal, split_once, write_decimal};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Text};

mod join;
#[cfg(test)]
mod tests;

use join::{Climb, join};

/// How the bytes of a URL travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// Plain.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The port when none is named: 80 or 443.
    pub const fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Scheme::Http => "http://",
            Scheme::Https => "https://",
        }
    }
}

/// What a client needs of a URL to send a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UrlParts<'a> {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port as written, for a `Host` header: with the brackets of an IPv6 address.
    pub authority: &'a str,
    /// The host to connect to, without brackets.
    pub host: &'a str,
    /// The port to connect to.
    pub port: u16,
    /// The target of the request: path and query, without a `#` part.
    pub path_and_query: &'a str,
}

/// The URL of the fragment at `start`, into `out`.
///
/// In `template`, every `{bitrate}`, `{Bitrate}`, `{start time}`, `{start_time}` and `{CustomAttributes}` is filled
/// in: the first two by the digits of `bitrate` as the manifest wrote them, the last by `custom` as `name=value`
/// joined by commas. When there is no custom attribute, a comma before its token goes too. Other braces stay.
/// The result is resolved against `base`, the URL the manifest was read from after redirects. `out` keeps its room,
/// so that a reused one costs no allocation; after an error it is empty.
///
/// # Errors
/// [`Code::UrlInvalid`] for control bytes or a backslash, for a bitrate that is not digits, for a custom attribute
/// that is used and has other than unreserved bytes, or when `base` or the result is no URL; [`Code::UrlRefused`]
/// for another scheme, for `http` from `https`, for user information, or for a path that climbs above the directory
/// of `base`; [`Code::LimitUrl`]; [`Code::Budget`] or [`Code::NoMemory`].
#[allow(clippy::too_many_arguments)]
pub fn fragment<'a>(
    account: &mut Account,
    out: &mut Text,
    base: &str,
    template: &str,
    bitrate: &str,
    custom: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    start: u64,
    limits: &Limits,
) -> Result<()> {
    let reference =
        |each: &mut dyn FnMut(&str) -> Result<()>| expand(template, bitrate, custom.clone(), start, each);
    let joined = join(account, out, base, &reference, Climb::Refused, limits.url_bytes);
    placed(joined, "StreamIndex@Url", out)
}

/// `reference` resolved against `base`, into `out`, as for a redirect. After an error `out` is empty.
///
/// # Errors
/// As for [`fragment`], except that a path may climb as far as its root.
pub fn resolve(
    account: &mut Account,
    out: &mut Text,
    base: &str,
    reference: &str,
    limits: &Limits,
) -> Result<()> {
    let whole = |each: &mut dyn FnMut(&str) -> Result<()>| each(reference);
    let joined = join(account, out, base, &whole, Climb::Allowed, limits.url_bytes);
    placed(joined, "Location", out)
}

/// The parts of an absolute `http` or `https` URL; `None` for any other, for a malformed host or port, for user
/// information, and for a query right after the host ([`resolve`] writes a path between them).
pub fn split(url: &str) -> Option<UrlParts<'_>> {
    let Absolute { scheme, authority, path_and_query } = absolute(url)?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = split_once(bracketed, b']')?;
            let is_address = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
            if !host.contains(':') || !host.bytes().all(is_address) {
                return None;
            }
            (host, if rest.is_empty() { "" } else { rest.strip_prefix(':')? })
        }
        None => {
            let (host, port) = split_once(authority, b':').unwrap_or((authority, ""));
            if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
                return None;
            }
            (host, port)
        }
    };
    let port = match port {
        "" => scheme.port(),
        digits => u16::try_from(decimal(digits)?).ok().filter(|port| *port != 0)?,
    };
    let path_and_query = match path_and_query {
        "" => "/",
        target if target.starts_with('/') => target,
        _ => return None,
    };
    Some(UrlParts { scheme, authority, host, port, path_and_query })
}

/// An absolute URL, cut but not checked.
struct Absolute<'a> {
    scheme: Scheme,
    authority: &'a str,
    /// May be empty or begin with the query.
    path_and_query: &'a str,
}

fn absolute(url: &str) -> Option<Absolute<'_>> {
    let (scheme, rest) = split_once(url, b':')?;
    let scheme = if scheme.eq_ignore_ascii_case("http") {
        Scheme::Http
    } else if scheme.eq_ignore_ascii_case("https") {
        Scheme::Https
    } else {
        return None;
    };
    let rest = rest.strip_prefix("//")?;
    let rest = split_once(rest, b'#').map_or(rest, |(before, _)| before);
    let end = rest.bytes().position(|b| b == b'/' || b == b'?').unwrap_or(rest.len());
    let (authority, path_and_query) = rest.split_at_checked(end)?;
    Some(Absolute { scheme, authority, path_and_query })
}

/// Passes the pieces of the filled-in template to `each`.
fn expand<'a>(
    template: &str,
    bitrate: &str,
    custom: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    start: u64,
    each: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<()> {
    let mut rest = template;
    // Each round takes a brace from the template.
    while let Some((literal, after)) = split_once(rest, b'{') {
        let strip = |token| after.strip_prefix(token);
        if let Some(next) = strip("bitrate}").or_else(|| strip("Bitrate}")) {
            each(literal)?;
            if bitrate.is_empty() || !bitrate.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Error::at(Code::UrlInvalid, "QualityLevel@Bitrate", 0));
            }
            each(bitrate)?;
            rest = next;
        } else if let Some(next) = strip("start time}").or_else(|| strip("start_time}")) {
            each(literal)?;
            each(write_decimal(start, &mut [0; 20]))?;
            rest = next;
        } else if let Some(next) = strip("CustomAttributes}") {
            let mut separator = literal;
            if custom.clone().next().is_none() {
                separator = literal.strip_suffix(',').unwrap_or(literal);
            }
            each(separator)?;
            custom_attributes(custom.clone(), each)?;
            rest = next;
        } else {
            each(literal)?;
            each("{")?;
            rest = after;
        }
    }
    each(rest)
}

/// `name=value,name=value`. Nothing is encoded: a server compares these to the byte, and the specification leaves
/// them no byte that needs it.
fn custom_attributes<'a>(
    custom: impl Iterator<Item = (&'a str, &'a str)>,
    each: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<()> {
    let mut separator = "";
    for (name, value) in custom {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if name.is_empty() || !name.bytes().chain(value.bytes()).all(unreserved) {
            return Err(Error::at(Code::UrlInvalid, "CustomAttributes", 0));
        }
        for piece in [separator, name, "=", value] {
            each(piece)?;
        }
        separator = ",";
    }
    Ok(())
}

/// Empties `out` after an error, and names a place where there is none.
fn placed(joined: Result<()>, at: &'static str, out: &mut Text) -> Result<()> {
    joined.map_err(|error| {
        out.clear();
        if error.place.at.is_empty() { Error::at(error.code, at, error.place.offset) } else { error }
    })
}
