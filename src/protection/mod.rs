//! Content protection: what identifies keys, schemes and licence systems, and what a system's header says.
//!
//! Nothing here decrypts, keeps a key or fetches anything: that is the business of the box's DRM agent. Its header goes
//! to it unmodified; what is read here are the key identifiers and hints a client needs before.

pub mod playready;
mod scan;

pub use playready::{Key, PlayReady};

use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes};

#[cfg(test)]
mod tests;

/// System id of PlayReady, 9A04F079-9840-4286-AB92-E65BE0885F95.
pub const PLAYREADY: [u8; 16] =
    [0x9a, 0x04, 0xf0, 0x79, 0x98, 0x40, 0x42, 0x86, 0xab, 0x92, 0xe6, 0x5b, 0xe0, 0x88, 0x5f, 0x95];
/// PlayReady as some packagers write it, its first fields in the other byte order.
const PLAYREADY_SWAPPED: [u8; 16] =
    [0x79, 0xf0, 0x04, 0x9a, 0x40, 0x98, 0x86, 0x42, 0xab, 0x92, 0xe6, 0x5b, 0xe0, 0x88, 0x5f, 0x95];
/// System id of Widevine, EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED.
pub const WIDEVINE: [u8; 16] =
    [0xed, 0xef, 0x8b, 0xa9, 0x79, 0xd6, 0x4a, 0xce, 0xa3, 0xc8, 0x27, 0xdc, 0xd5, 0x1d, 0x21, 0xed];
/// System id of the AES-128 envelope, B47B251A-2409-4B42-958E-08DBAE7B4EE9: whole fragments are encrypted, which no
/// decoder can take.
pub const ENVELOPE: [u8; 16] =
    [0xb4, 0x7b, 0x25, 0x1a, 0x24, 0x09, 0x4b, 0x42, 0x95, 0x8e, 0x08, 0xdb, 0xae, 0x7b, 0x4e, 0xe9];

/// Identifier of a content key, in the byte order of `tenc` and of the sample encryption box (big-endian).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
#[repr(transparent)]
pub struct Kid(pub [u8; 16]);

impl Kid {
    /// From the order PlayReady headers use: the first three fields of a Windows GUID, little-endian.
    pub const fn from_guid(guid: [u8; 16]) -> Kid {
        Kid(swapped(guid))
    }

    /// In the order PlayReady headers use.
    pub const fn to_guid(self) -> [u8; 16] {
        swapped(self.0)
    }
}

/// The other byte order of a GUID's first three fields.
const fn swapped(id: [u8; 16]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = id;
    [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
}

/// How samples are encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
pub enum Scheme {
    /// AES-128 in counter mode, over all protected bytes of a sample (`cenc`; AlgorithmID 1 of PIFF).
    AesCtr = 1,
    /// AES-128 in chained blocks, over all whole blocks of a sample (`cbc1`; AlgorithmID 2 of PIFF).
    AesCbc = 2,
    /// AES-128 in chained blocks by a pattern, anew in every protected range (`cbcs`).
    Cbcs = 3,
}

impl Scheme {
    /// The scheme of an AlgorithmID in a PIFF box; `None` for 0, which is clear, and for unknown ones.
    pub const fn from_piff(algorithm: u32) -> Option<Scheme> {
        match algorithm {
            1 => Some(Scheme::AesCtr),
            2 => Some(Scheme::AesCbc),
            _ => None,
        }
    }

    /// The scheme of an `schm` box; `piff` there means counter mode. ISO/IEC 23001-7 4.2.
    pub const fn from_four_cc(name: [u8; 4]) -> Option<Scheme> {
        match &name {
            b"cenc" | b"piff" => Some(Scheme::AesCtr),
            b"cbc1" => Some(Scheme::AesCbc),
            b"cbcs" => Some(Scheme::Cbcs),
            _ => None,
        }
    }

    /// Its name in an `schm` box. ISO/IEC 23001-7 4.2.
    pub const fn four_cc(self) -> [u8; 4] {
        match self {
            Scheme::AesCtr => *b"cenc",
            Scheme::AesCbc => *b"cbc1",
            Scheme::Cbcs => *b"cbcs",
        }
    }
}

/// The sixteen bytes of a system id as manifests write it: hexadecimal digits of either case, whatever braces, hyphens
/// and spaces stand between them; `None` for anything else.
pub fn system_id(text: &str) -> Option<[u8; 16]> {
    let mut digits = text.bytes().filter(|b| !matches!(b, b'{' | b'}' | b'-' | b' ' | b'\t' | b'\r' | b'\n'));
    let mut id = [0u8; 16];
    let mut nibble = || char::from(digits.next()?).to_digit(16);
    for byte in &mut id {
        *byte = (nibble()?.wrapping_mul(16).wrapping_add(nibble()?)) as u8;
    }
    if digits.next().is_none() { Some(id) } else { None }
}

/// `id`, or the right one when `id` is PlayReady's in the wrong byte order.
pub fn normalized(id: [u8; 16]) -> [u8; 16] {
    if id == PLAYREADY_SWAPPED { PLAYREADY } else { id }
}

/// What the header of any system says. PlayReady's is read; those of other systems stay opaque, and nothing is known
/// of them but that they are there.
///
/// # Errors
/// [`Code::ProtectionUnsupported`] for the AES-128 envelope; else as [`playready::read`].
pub fn read(system: [u8; 16], data: &[u8], account: &mut Account, limits: &Limits) -> Result<PlayReady> {
    match normalized(system) {
        PLAYREADY if cfg!(feature = "protection") => playready::read(data, account, limits),
        ENVELOPE => Err(Error::at(Code::ProtectionUnsupported, "Protection/ProtectionHeader@SystemID", 0)),
        _ => Ok(PlayReady::default()),
    }
}

/// Appends to `out` a `pssh` box of version 0 around `data`, the way decryption modules take what a manifest carries.
/// ISO/IEC 23001-7 8.1.
///
/// # Errors
/// [`Code::LimitProtection`] for 4 GiB; lack of memory. `out` is unchanged then.
pub fn pssh(system: [u8; 16], data: &[u8], account: &mut Account, out: &mut Bytes) -> Result<()> {
    const HEAD: usize = 32;
    let Some(size) = data.len().checked_add(HEAD).and_then(|size| u32::try_from(size).ok()) else {
        return Err(Code::LimitProtection.into());
    };
    let [a, b, c, d] = size.to_be_bytes();
    let total = out.len().saturating_add(size as usize);
    out.reserve_exact(account, total)?;
    out.extend(account, &[a, b, c, d, b'p', b's', b's', b'h', 0, 0, 0, 0])?;
    out.extend(account, &normalized(system))?;
    out.extend(account, &size.wrapping_sub(HEAD as u32).to_be_bytes())?;
    out.extend(account, data)
}
