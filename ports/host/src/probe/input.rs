//! From a file name or URL to what it is.

use std::io::Read;
use std::path::Path;

use smoothcore::error::{Code, Error};
use smoothcore::inflate::Encoding;
use smoothcore::io::RequestKind;
use smoothcore::limits::Limits;
use smoothcore::manifest::{Manifest, ManifestParser, Strictness};
use smoothcore::mem::Account;

use super::Unusable;
use crate::fetch::Fetcher;
use crate::media::reader::Reader;

/// Memory a parse may take: more than any manifest within the limits.
const MEMORY: usize = 1 << 30;

/// What an input is.
pub enum Input {
    Manifest(Box<Manifest>),
    /// All bytes of a `moof` and an `mdat`, and what may stand around them.
    Fragment(Vec<u8>),
    /// A file with a `moov`.
    Movie(Reader),
}

impl Input {
    /// Reads or fetches, and tells from the first bytes what it is.
    ///
    /// # Errors
    /// When it cannot be read, or its manifest cannot be parsed.
    pub fn open(name: &str, strictness: Strictness) -> Result<Self, Unusable> {
        let unreadable =
            |error: anyhow::Error| Unusable::outside(Code::Argument, format!("cannot be read: {error:#}"));
        let (reader, encoding) = if is_url(name) {
            let fetched = Fetcher::new(1).and_then(|mut fetcher| fetcher.get(name, RequestKind::Manifest));
            let got = fetched.map_err(|lost| match lost.status {
                0 => Unusable::from(lost.error),
                status => Unusable {
                    error: Error::at(lost.error.code, "HTTP status", 0),
                    message: Some(format!("{}: {status}", lost.error.code.text())),
                },
            })?;
            match unpacked(&got.body) {
                // A fragment that a server compressed because it may compress a manifest.
                Some(body) if got.encoding.is_some() => (Reader::Memory(body), None),
                _ => (Reader::Memory(got.body), got.encoding),
            }
        } else {
            (Reader::open(Path::new(name)).map_err(unreadable)?, None)
        };
        let start = reader.start(64).map_err(unreadable)?;
        if encoding.is_some() || !looks_like_boxes(&start) {
            if reader.len() > Limits::default().manifest_bytes {
                return Err(Error::from(Code::LimitManifestBytes).into());
            }
            let bytes = reader.bytes(0, reader.len()).map_err(unreadable)?;
            return Ok(Self::Manifest(Box::new(parse(&bytes, encoding, strictness)?)));
        }
        if has_moov(&reader) {
            return Ok(Self::Movie(reader));
        }
        if reader.len() > Limits::default().fragment_bytes {
            return Err(Error::from(Code::LimitFragmentBytes).into());
        }
        Ok(Self::Fragment(reader.bytes(0, reader.len()).map_err(unreadable)?))
    }
}

/// What gzip or zlib compressed, if that is boxes.
fn unpacked(body: &[u8]) -> Option<Vec<u8>> {
    let most = Limits::default().fragment_bytes + 1;
    let mut boxes = Vec::new();
    let read = match body {
        [0x1f, 0x8b, ..] => flate2::read::MultiGzDecoder::new(body).take(most).read_to_end(&mut boxes),
        _ => flate2::read::ZlibDecoder::new(body).take(most).read_to_end(&mut boxes),
    };
    (read.is_ok() && looks_like_boxes(&boxes)).then_some(boxes)
}

/// Whether `name` is an http or https URL.
pub fn is_url(name: &str) -> bool {
    let scheme = name.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
}

/// Parses a whole manifest.
///
/// # Errors
/// Those of the parser.
pub fn parse(bytes: &[u8], encoding: Option<Encoding>, strictness: Strictness) -> Result<Manifest, Error> {
    let mut account = Account::new(MEMORY);
    let mut parser = ManifestParser::new(&Limits::default());
    parser.set_strictness(strictness);
    if let Some(encoding) = encoding {
        parser.set_encoding(encoding);
    }
    let parsed = parser.feed(&mut account, bytes).and_then(|()| parser.finish());
    parser.free(&mut account);
    parsed
}

/// Whether bytes begin with the head of a box. No text does: its fifth to eighth byte would have to be a type, and its
/// first four a size.
fn looks_like_boxes(start: &[u8]) -> bool {
    const FIRST: [&[u8; 4]; 14] = [
        b"ftyp", b"styp", b"moof", b"moov", b"mdat", b"free", b"skip", b"uuid", b"prft", b"emsg", b"sidx",
        b"wide", b"pdin", b"mfra",
    ];
    let Some((size, rest)) = start.split_first_chunk::<4>() else { return false };
    let Some((kind, _)) = rest.split_first_chunk::<4>() else { return false };
    let plausible = size[0] < 9 && kind.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
    FIRST.contains(&kind) || plausible
}

fn has_moov(reader: &Reader) -> bool {
    let mut at = 0;
    while let Ok(head) = reader.head(at) {
        match &head.kind {
            b"moov" => return true,
            b"moof" => return false,
            _ => at += head.size,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_told_from_text() {
        assert!(looks_like_boxes(b"\0\0\0\x18ftypisml"));
        assert!(looks_like_boxes(b"\0\0\x10\0moof"));
        assert!(looks_like_boxes(b"\0\0\0\x10abcd"));
        assert!(!looks_like_boxes(b"<?xml version"));
        assert!(!looks_like_boxes(b"<\0?\0x\0m\0l\0"));
        assert!(!looks_like_boxes(b"\0<\0?\0x\0m\0l"));
        assert!(!looks_like_boxes(b"\xef\xbb\xbf<?xml"));
        assert!(!looks_like_boxes(b"\x1f\x8b\x08\0\0\0\0\0"));
        assert!(!looks_like_boxes(b"#EXTM3U\n"));
        assert!(!looks_like_boxes(b""));
    }

    #[test]
    fn urls_are_told_from_files() {
        assert!(is_url("http://a/b") && is_url("HTTPS://a"));
        assert!(!is_url("film.ismc") && !is_url("./http:/x") && !is_url("file:///x"));
    }
}
