//! PlayReady objects and the WRMHEADER in them.
//!
//! Object: all numbers little-endian; the whole length in 4 bytes, the number of records in 2, then records of type
//! (2 bytes), length (2 bytes) and content. Type 1 is the WRMHEADER, an XML document in UTF-16.

use heapless::String;

use super::scan::{Ends, Scanner, Token, attribute, unescaped};
use super::{Kid, Scheme};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes, List, Text};

/// The most keys one header may name.
const KEYS: usize = 32;
const OBJECT: &str = "PlayReady object";
const HEADER: &str = "WRMHEADER";
/// Type of the record that holds the WRMHEADER.
const RECORD_HEADER: u16 = 1;

/// What a PlayReady header says. The header itself goes to the DRM agent as it is.
#[derive(Debug, Default)]
pub struct PlayReady {
    /// Major and minor version of the WRMHEADER: (4, 0) to (4, 3); others are read as well as can be. (0, 0) when
    /// there is no WRMHEADER or it names none.
    pub version: (u8, u8),
    /// The keys it names, at most 32; often one, sometimes none.
    pub keys: List<Key>,
    /// Where licences may be had, unescaped; empty when the header leaves that to the host. Never fetched here.
    pub la_url: Text,
    /// Where a person may acquire a licence, unescaped; often empty.
    pub lui_url: Text,
    /// The domain service, as a big-endian identifier.
    pub ds_id: Option<[u8; 16]>,
}

/// One key a header names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its identifier.
    pub kid: Kid,
    /// What it is used with; `None` when the header does not say.
    pub algorithm: Option<Algorithm>,
    /// For [`Algorithm::AesCtr`] the first 8 bytes of the key identifier, in GUID order, encrypted by the key itself;
    /// for [`Algorithm::Cocktail`] 7 bytes and a zero. Tells a wrong key before it makes noise.
    pub checksum: Option<[u8; 8]>,
}

/// `ALGID` of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    /// AES-128 in counter mode.
    AesCtr,
    /// AES-128 in chained blocks; with Smooth Streaming always by a pattern (`cbcs`).
    AesCbc,
    /// The cipher of Windows Media DRM 10.
    Cocktail,
    /// Another one.
    Other,
}

impl PlayReady {
    /// The scheme that the first key's algorithm stands for; `None` when the header does not say or it is not AES.
    pub fn scheme(&self) -> Option<Scheme> {
        match self.keys.first()?.algorithm? {
            Algorithm::AesCtr => Some(Scheme::AesCtr),
            Algorithm::AesCbc => Some(Scheme::Cbcs),
            Algorithm::Cocktail | Algorithm::Other => None,
        }
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        self.keys.free(account);
        self.la_url.free(account);
        self.lui_url.free(account);
    }
}

/// Reads a PlayReady object, or a bare WRMHEADER, which some packagers write instead.
///
/// Records may come in any order; those of other types are passed over, and so are bytes behind the object. The
/// WRMHEADER may begin with a byte order mark, end with zeros, and be UTF-8.
///
/// # Errors
/// [`Code::ProtectionHeader`] with a byte offset into `data` when it is neither; [`Code::LimitProtection`] for more
/// than [`Limits::protection_bytes`] bytes or 32 keys; lack of memory.
pub fn read(data: &[u8], account: &mut Account, limits: &Limits) -> Result<PlayReady> {
    if data.len() > limits.protection_bytes as usize {
        return Err(Error::at(Code::LimitProtection, OBJECT, 0));
    }
    let mut found = PlayReady::default();
    let header = if is_text(data) { Some((0, data)) } else { record(data)? };
    let Some((start, bytes)) = header else { return Ok(found) };
    let mut text = Text::new();
    let done = decode(bytes, account, &mut text)
        .map_err(|at| moved(at, start))
        .and_then(|()| header_text(&text, account, &mut found).map_err(|e| placed(e, bytes, &text, start)));
    text.free(account);
    if let Err(e) = done {
        found.free(account);
        return Err(e);
    }
    Ok(found)
}

/// Whether `data` begins as XML text does, and not as an object: its length would have to be odd indeed.
fn is_text(data: &[u8]) -> bool {
    let data = without_mark(data).0;
    matches!(data, [b'<', 0, b, 0, ..] | [b'<', b, _, _, ..] if *b != 0)
}

/// The WRMHEADER record of an object and where it starts; `None` when the object has none.
fn record(data: &[u8]) -> Result<Option<(usize, &[u8])>> {
    let broken = |at: usize| Error::at(Code::ProtectionHeader, OBJECT, at as u64);
    let head = data.first_chunk::<6>().ok_or(broken(0))?;
    let [a, b, c, d, e, f] = *head;
    let object = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok().and_then(|length| data.get(..length));
    let object = object.filter(|object| object.len() >= head.len()).ok_or(broken(0))?;
    let mut at = head.len();
    // Every round takes four bytes or ends.
    for _ in 0..u16::from_le_bytes([e, f]) {
        let fields = object.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or(broken(at))?;
        let [a, b, c, d] = *fields;
        let start = at.saturating_add(fields.len());
        let end = start.saturating_add(u16::from_le_bytes([c, d]).into());
        let content = object.get(start..end).ok_or(broken(at))?;
        if u16::from_le_bytes([a, b]) == RECORD_HEADER {
            return Ok(Some((start, content)));
        }
        at = end;
    }
    Ok(None)
}

/// `bytes` behind a byte order mark, and the mark's length.
fn without_mark(bytes: &[u8]) -> (&[u8], usize) {
    match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, 2),
        [0xef, 0xbb, 0xbf, rest @ ..] => (rest, 3),
        _ => (bytes, 0),
    }
}

/// Whether text behind its mark is UTF-16: no tag begins with a NUL.
fn is_wide(text: &[u8]) -> bool {
    !matches!(text, [b'<', b, ..] if *b != 0)
}

/// Appends the text of `bytes` to `out`, without mark and without the NULs behind it. The error carries an offset
/// into `bytes`.
fn decode(bytes: &[u8], account: &mut Account, out: &mut Text) -> Result<()> {
    let broken = |at: usize| Error::at(Code::ProtectionHeader, HEADER, at as u64);
    let (text, mark) = without_mark(bytes);
    if !is_wide(text) {
        let text = core::str::from_utf8(text).map_err(|e| broken(mark.saturating_add(e.valid_up_to())))?;
        return out.push(account, text.trim_end_matches('\0'));
    }
    let (units, odd) = text.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(broken(bytes.len().saturating_sub(1)));
    }
    let ended = units.iter().rposition(|unit| *unit != [0, 0]).map_or(0, |last| last.saturating_add(1));
    let units = units.iter().take(ended).map(|unit| u16::from_le_bytes(*unit));
    let mut at = mark;
    for c in char::decode_utf16(units) {
        let c = c.map_err(|_| broken(at))?;
        let mut utf8: String<4> = String::new();
        let _ = utf8.push(c);
        out.push(account, &utf8)?;
        at = at.saturating_add(c.len_utf16().saturating_mul(2));
    }
    Ok(())
}

/// `error` with its offset moved by the `start` of the record.
fn moved(error: Error, start: usize) -> Error {
    match error.code {
        Code::ProtectionHeader => {
            Error::at(error.code, error.place.at, error.place.offset.saturating_add(start as u64))
        }
        _ => error,
    }
}

/// `error`, whose offset counts in the decoded `text`, as an offset into the object.
fn placed(error: Error, bytes: &[u8], text: &Text, start: usize) -> Error {
    if !matches!(error.code, Code::ProtectionHeader | Code::LimitProtection) {
        return error;
    }
    let (behind, mark) = without_mark(bytes);
    let read = text.get(..error.place.offset as usize).unwrap_or("");
    let length = match is_wide(behind) {
        true => read.chars().map(char::len_utf16).sum::<usize>().saturating_mul(2),
        false => read.len(),
    };
    Error::at(error.code, HEADER, start.saturating_add(mark).saturating_add(length) as u64)
}

/// The elements whose text is of use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaf {
    None,
    Kid,
    Algorithm,
    Checksum,
    LaUrl,
    LuiUrl,
    DsId,
}

impl Leaf {
    fn of(name: &str) -> Leaf {
        match name {
            "KID" => Leaf::Kid,
            "ALGID" => Leaf::Algorithm,
            "CHECKSUM" => Leaf::Checksum,
            "LA_URL" => Leaf::LaUrl,
            "LUI_URL" => Leaf::LuiUrl,
            "DS_ID" => Leaf::DsId,
            _ => Leaf::None,
        }
    }
}

/// Reads the document into `found`. Offsets of errors count in `text`.
fn header_text(text: &str, account: &mut Account, found: &mut PlayReady) -> Result<()> {
    let mut held = Text::new();
    let done = elements(text, account, found, &mut held);
    held.free(account);
    done
}

fn elements(text: &str, account: &mut Account, found: &mut PlayReady, held: &mut Text) -> Result<()> {
    let mut scanner = Scanner::new(text);
    // Elements that are open, and how many of them are those of the packager's own that must not be mistaken.
    let (mut depth, mut foreign) = (0u32, 0u32);
    let mut leaf = Leaf::None;
    // What version 4.0 says of its only key in elements of their own.
    let (mut algorithm, mut checksum) = (None, None);
    loop {
        let at = scanner.at();
        let broken = Error::at(Code::ProtectionHeader, HEADER, at as u64);
        match scanner.next() {
            None => break,
            Some(Err(())) => return Err(broken),
            Some(Ok(Token::Open(name, rest, ends))) => {
                if depth == 0 {
                    if name != "WRMHEADER" {
                        return Err(broken);
                    }
                    found.version = attribute(rest, "version").map_or((0, 0), version);
                }
                if foreign == 0 {
                    leaf = Leaf::of(name);
                    held.clear();
                    if leaf == Leaf::Kid {
                        key_of_attributes(rest, account, &mut found.keys).map_err(|e| at_text(e, at))?;
                    }
                }
                if ends == Ends::Open {
                    depth = depth.saturating_add(1);
                    if foreign > 0 || name == "CUSTOMATTRIBUTES" {
                        foreign = foreign.saturating_add(1);
                    }
                } else {
                    leaf = Leaf::None;
                }
            }
            Some(Ok(Token::Text(piece))) if leaf != Leaf::None && foreign == 0 => {
                unescaped(piece, |part| held.push(account, part))?;
            }
            Some(Ok(Token::Plain(piece))) if leaf != Leaf::None && foreign == 0 => {
                held.push(account, piece)?
            }
            Some(Ok(Token::Text(_) | Token::Plain(_))) => {}
            Some(Ok(Token::Close)) => {
                let value = held.trim_ascii();
                match leaf {
                    _ if foreign > 0 || value.is_empty() => {}
                    Leaf::None => {}
                    Leaf::Kid => {
                        let kid = guid(value, account).map_err(|e| at_text(e, at))?;
                        let key = Key { kid, algorithm: None, checksum: None };
                        add(key, account, &mut found.keys).map_err(|e| at_text(e, at))?;
                    }
                    Leaf::Algorithm => algorithm = Some(algorithm_of(value)),
                    Leaf::Checksum => checksum = checksum_of(value, account)?,
                    Leaf::LaUrl => replace(&mut found.la_url, value, account)?,
                    Leaf::LuiUrl => replace(&mut found.lui_url, value, account)?,
                    Leaf::DsId => found.ds_id = guid(value, account).ok().map(|id| id.0),
                }
                leaf = Leaf::None;
                foreign = foreign.saturating_sub(1);
                depth = depth.checked_sub(1).ok_or(broken)?;
                if depth == 0 {
                    break;
                }
            }
        }
    }
    if depth != 0 || text.trim_ascii().is_empty() {
        return Err(Error::at(Code::ProtectionHeader, HEADER, text.len() as u64));
    }
    let single = found.keys.len() == 1;
    for key in found.keys.iter_mut() {
        key.algorithm = key.algorithm.or(algorithm);
        if single && key.checksum.is_none() {
            key.checksum = checksum;
        }
    }
    Ok(())
}

/// `error` at `at` of the text, unless it is lack of memory.
fn at_text(error: Error, at: usize) -> Error {
    match error.code {
        Code::ProtectionHeader | Code::LimitProtection => Error::at(error.code, HEADER, at as u64),
        _ => error,
    }
}

/// The first two numbers of `4.3.0.0`.
fn version(text: &str) -> (u8, u8) {
    let number = |text| digits::decimal(text).and_then(|n| u8::try_from(n).ok());
    let parts = text.split_once('.').and_then(|(major, rest)| {
        let minor = rest.split_once('.').map_or(rest, |(minor, _)| minor);
        Some((number(major)?, number(minor)?))
    });
    parts.unwrap_or((0, 0))
}

fn algorithm_of(text: &str) -> Algorithm {
    if text.eq_ignore_ascii_case("AESCTR") {
        Algorithm::AesCtr
    } else if text.eq_ignore_ascii_case("AESCBC") {
        Algorithm::AesCbc
    } else if text.eq_ignore_ascii_case("COCKTAIL") {
        Algorithm::Cocktail
    } else {
        Algorithm::Other
    }
}

/// Adds the key that a `KID` element of version 4.1 and later names in its attributes, if it does.
fn key_of_attributes(tag: &str, account: &mut Account, keys: &mut List<Key>) -> Result<()> {
    let Some(value) = attribute(tag, "VALUE").filter(|value| !value.trim_ascii().is_empty()) else {
        return Ok(());
    };
    let kid = guid(value, account)?;
    let checksum = match attribute(tag, "CHECKSUM") {
        Some(text) => checksum_of(text, account)?,
        None => None,
    };
    add(Key { kid, algorithm: attribute(tag, "ALGID").map(algorithm_of), checksum }, account, keys)
}

/// Adds `key` unless it is there.
fn add(key: Key, account: &mut Account, keys: &mut List<Key>) -> Result<()> {
    if keys.iter().any(|k| k.kid == key.kid) {
        return Ok(());
    }
    if keys.len() >= KEYS {
        return Err(Code::LimitProtection.into());
    }
    keys.push(account, key)
}

/// The identifier that `text` spells in base64 and GUID order.
fn guid(text: &str, account: &mut Account) -> Result<Kid> {
    short(text, 16, account)?.map(Kid::from_guid).ok_or(Code::ProtectionHeader.into())
}

/// A checksum of 7 or 8 bytes; what is nothing of the kind is not worth an error.
fn checksum_of(text: &str, account: &mut Account) -> Result<Option<[u8; 8]>> {
    short(text, 7, account)
}

/// At least `least` and at most N bytes from base64, zeros behind them; `None` when `text` is anything else.
///
/// # Errors
/// Lack of memory.
fn short<const N: usize>(text: &str, least: usize, account: &mut Account) -> Result<Option<[u8; N]>> {
    let mut bytes = Bytes::new();
    let read = digits::base64(text, account, N, &mut bytes, Code::ProtectionHeader);
    let mut out = [0u8; N];
    for (to, from) in out.iter_mut().zip(bytes.iter()) {
        *to = *from;
    }
    let enough = bytes.len() >= least;
    bytes.free(account);
    match read {
        Ok(()) if enough => Ok(Some(out)),
        Err(e) if matches!(e.code, Code::Budget | Code::NoMemory) => Err(e),
        _ => Ok(None),
    }
}

fn replace(text: &mut Text, value: &str, account: &mut Account) -> Result<()> {
    text.free(account);
    *text = Text::from(account, value)?;
    Ok(())
}
