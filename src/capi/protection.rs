//! Protected content and capabilities: what is offered, asked and answered about keys, samples and levels.

use core::ffi::c_void;
use core::ptr;

use super::codes::{SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use super::fill::{self, CodecName};
use super::media::smoothcore_setup;
use super::record::{self, record};
use super::types::smoothcore_slice;
use crate::error::Code;
use crate::io::{
    Candidate, Capable, Configure, Decrypt, Decrypted, Epoch, Framing, KeyHandle, KeyStatus, Keys, Kid,
    Offer, OfferSource, SampleProtection, Scheme, Secrecy, Subsample,
};
use crate::port::{Decryption, Protection};
use crate::session::ProtectionMode;

/// Encrypted samples: a stream that has one is dropped.
pub const SMOOTHCORE_PROTECTION_NONE: u32 = 0;
/// Encrypted samples: they go to the decoder as they are, with all it needs to decrypt them.
pub const SMOOTHCORE_PROTECTION_DECODER: u32 = 1;
/// Encrypted samples: they are decrypted in memory, by you or your protection port, and reach the decoder clear.
pub const SMOOTHCORE_PROTECTION_DECRYPT: u32 = 2;

/// Scheme: AES-128 in counter mode.
pub const SMOOTHCORE_SCHEME_AES_CTR: u32 = 1;
/// Scheme: AES-128 in chained blocks over all whole blocks.
pub const SMOOTHCORE_SCHEME_AES_CBC: u32 = 2;
/// Scheme: AES-128 in chained blocks by a pattern.
pub const SMOOTHCORE_SCHEME_CBCS: u32 = 3;

/// An offer comes from a protection header of the manifest.
pub const SMOOTHCORE_OFFER_MANIFEST: u32 = 1;
/// An offer comes from a pssh box of a fragment.
pub const SMOOTHCORE_OFFER_FRAGMENT: u32 = 2;
/// An offer comes from a fragment that names a new key; system and data are those of the manifest's first header.
pub const SMOOTHCORE_OFFER_KEY: u32 = 3;

/// A part of a sample: clear bytes, then encrypted ones. Never grows, so it has no size of its own.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_subsample {
    /// Bytes that are clear. May exceed 65,535, for what the library puts before a sample is clear.
    pub clear_bytes: u32,
    /// Bytes after them that are encrypted.
    pub protected_bytes: u32,
}

const _: () = {
    assert!(size_of::<smoothcore_subsample>() == size_of::<Subsample>());
    assert!(core::mem::offset_of!(Subsample, clear) == 0 && size_of::<Kid>() == 16);
};

/// How a sample is encrypted. The library fills it; it and what it points to is valid during the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_sample_protection {
    /// sizeof(smoothcore_sample_protection) of the library.
    pub struct_size: u32,
    /// A SMOOTHCORE_SCHEME_ number.
    pub scheme: u32,
    /// Your number for the session of its key.
    pub key: u64,
    /// Name of its key, big-endian; zeros when nothing names one.
    pub kid: [u8; 16],
    /// Initialisation vector.
    pub iv: [u8; 16],
    /// 1 when `kid` is a name.
    pub has_kid: u32,
    /// Bytes of `iv`: 8 (the upper half of the counter block) or 16; 0 without one.
    pub iv_size: u32,
    /// Encrypted blocks of 16 bytes in a pattern; 0 when the fragment does not say.
    pub crypt_blocks: u32,
    /// Blocks passed over after them.
    pub skip_blocks: u32,
    /// How many parts; 0: all of the sample is encrypted.
    pub subsample_count: usize,
    /// The parts in order, together as long as the sample.
    pub subsamples: *const smoothcore_subsample,
}

record!(smoothcore_sample_protection, subsamples, key);

/// What a DRM agent needs to get keys. The library fills it; it and what it points to is valid during the call, or until
/// the next one with the same session.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_protection_offer {
    /// sizeof(smoothcore_protection_offer) of the library.
    pub struct_size: u32,
    /// A SMOOTHCORE_OFFER_ number.
    pub source: u32,
    /// A SMOOTHCORE_SCHEME_ number; 0 when the header names none.
    pub scheme: u32,
    /// How many keys it names.
    pub kid_count: u32,
    /// The system it is for, in the order in which it is written; zeros when none is known.
    pub system_id: [u8; 16],
    /// The header as it came; for PlayReady a PlayReady object.
    pub data: smoothcore_slice,
    /// Where the header says that licences may be had: UTF-8, no NUL; often empty.
    pub la_url: smoothcore_slice,
    /// Names of the keys, 16 bytes each, big-endian.
    pub kids: *const u8,
}

record!(smoothcore_protection_offer, kids);

/// One encrypted sample to decrypt in place. The library fills it; it and what it points to is valid during the call, or
/// until the next one with the same session.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_decrypt {
    /// sizeof(smoothcore_decrypt) of the library.
    pub struct_size: u32,
    /// The stream.
    pub stream: u32,
    /// Its epoch.
    pub epoch: u32,
    /// 0.
    pub reserved: u32,
    /// The bytes, to be replaced.
    pub data: *mut u8,
    /// How many.
    pub size: usize,
    /// How they are encrypted.
    pub protection: *const smoothcore_sample_protection,
}

record!(smoothcore_decrypt, protection);

/// A quality level about which the decoder is asked. The library fills it; it and what it points to is valid during the
/// call, or until the next one with the same session.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_candidate {
    /// sizeof(smoothcore_candidate) of the library.
    pub struct_size: u32,
    /// The level's position in the manifest's list, from 0: its name in the answer.
    pub position: u32,
    /// 1 when the manifest has protection headers, so that a secure decoder will be needed.
    pub secure: u32,
    /// 0.
    pub reserved: u32,
    /// What it would be set up with, but for `record`, `epoch` and `key`.
    pub setup: *const smoothcore_setup,
}

record!(smoothcore_candidate, setup);

/// A DRM agent. `offer` and `key` are required. With `decrypt` samples are decrypted there and reach the decoder clear;
/// without it the decoder port gets them encrypted.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_protection_port {
    /// sizeof(smoothcore_protection_port).
    pub struct_size: u32,
    /// Set to 0.
    pub reserved: u32,
    /// Comes first in each call.
    pub userdata: *mut c_void,
    /// A header to get keys with. Each comes once, as early as it is known.
    pub offer: Option<unsafe extern "C" fn(userdata: *mut c_void, offer: *const smoothcore_protection_offer)>,
    /// How far the key named by the 16 bytes at `kid` is; `kid` is NULL for samples whose key nothing names. OK with your
    /// number for its session in `*key`; WOULD_BLOCK for not yet; a SMOOTHCORE_E_ number of -4xx when it will not come
    /// (any other counts as SMOOTHCORE_E_KEY_REFUSED). Asked at every step, so that a key may still change.
    pub key: Option<unsafe extern "C" fn(userdata: *mut c_void, kid: *const u8, key: *mut u64) -> i32>,
    /// Decrypts a sample in place. OK; WOULD_BLOCK for not now, then it comes again as it is then; a negative number when it
    /// cannot be, and the sample is left out. NULL: the decoder port decrypts.
    pub decrypt:
        Option<unsafe extern "C" fn(userdata: *mut c_void, sample: *const smoothcore_decrypt) -> i32>,
    /// The player is being destroyed; every decoder was flushed. NULL: not told.
    pub close: Option<unsafe extern "C" fn(userdata: *mut c_void)>,
}

record!(smoothcore_protection_port, close);

/// What C reads of the protection of a sample.
pub(super) type ProtectionScratch = smoothcore_sample_protection;

const fn scheme(scheme: Scheme) -> u32 {
    match scheme {
        Scheme::AesCtr => SMOOTHCORE_SCHEME_AES_CTR,
        Scheme::AesCbc => SMOOTHCORE_SCHEME_AES_CBC,
        Scheme::Cbcs => SMOOTHCORE_SCHEME_CBCS,
    }
}

pub(super) fn mode(mode: u32) -> Result<ProtectionMode, Code> {
    match mode {
        SMOOTHCORE_PROTECTION_NONE => Ok(ProtectionMode::None),
        SMOOTHCORE_PROTECTION_DECODER => Ok(ProtectionMode::Decoder),
        SMOOTHCORE_PROTECTION_DECRYPT => Ok(ProtectionMode::Decrypt),
        _ => Err(Code::Argument),
    }
}

/// Fills `scratch`; what C is to read: it, or NULL.
pub(super) fn sample_protection(
    given: Option<&SampleProtection<'_>>,
    scratch: &mut ProtectionScratch,
) -> *const smoothcore_sample_protection {
    let Some(given) = given.filter(|_| cfg!(feature = "protection")) else { return ptr::null() };
    let mut iv = [0u8; 16];
    for (to, from) in iv.iter_mut().zip(given.iv) {
        *to = *from;
    }
    *scratch = smoothcore_sample_protection {
        scheme: scheme(given.scheme),
        key: given.handle.0,
        kid: given.kid.unwrap_or_default().0,
        iv,
        has_kid: given.kid.is_some().into(),
        iv_size: given.iv.len().min(iv.len()) as u32,
        crypt_blocks: given.pattern.0.into(),
        skip_blocks: given.pattern.1.into(),
        subsample_count: given.subsamples.len(),
        subsamples: given.subsamples.as_ptr().cast(),
        ..record::blank()
    };
    ptr::from_ref(scratch)
}

pub(super) fn offer(given: &Offer<'_>) -> smoothcore_protection_offer {
    smoothcore_protection_offer {
        source: match given.source {
            OfferSource::Manifest => SMOOTHCORE_OFFER_MANIFEST,
            OfferSource::Fragment => SMOOTHCORE_OFFER_FRAGMENT,
            OfferSource::Key => SMOOTHCORE_OFFER_KEY,
        },
        scheme: given.scheme.map_or(0, scheme),
        kid_count: given.kids.len() as u32,
        system_id: given.system_id,
        data: fill::slice(given.data),
        la_url: fill::slice(given.la_url.as_bytes()),
        kids: given.kids.as_ptr().cast(),
        ..record::blank()
    }
}

/// The sample to decrypt; `scratch` is what its `protection` points to.
pub(super) fn decrypt(given: &mut Decrypt<'_>, scratch: &mut ProtectionScratch) -> smoothcore_decrypt {
    smoothcore_decrypt {
        stream: given.stream.0.into(),
        epoch: given.epoch.0,
        data: given.data.as_mut_ptr(),
        size: given.data.len(),
        protection: sample_protection(Some(&given.protection), scratch),
        ..record::blank()
    }
}

/// The candidate; `setup` is what it points to, `name` what that points to.
pub(super) fn candidate(
    given: &Candidate<'_>,
    framing: Framing,
    setup: &mut smoothcore_setup,
    name: &mut CodecName,
) -> smoothcore_candidate {
    let configure = Configure {
        stream: given.stream,
        epoch: Epoch(0),
        kind: given.kind,
        config: given.config,
        framing,
        record: &[],
        level: given.level,
        bitrate: given.bitrate,
        key: None,
    };
    *setup = fill::setup(&configure, name, &mut 0);
    smoothcore_candidate {
        position: given.position.into(),
        secure: (given.secrecy == Secrecy::Protected).into(),
        setup: ptr::from_ref(setup),
        ..record::blank()
    }
}

/// What C says about keys.
///
/// # Errors
/// [`Code::Argument`] for a positive number that means nothing.
///
/// # Safety
/// `kid` is NULL or points to 16 bytes.
pub(super) unsafe fn key(kid: *const u8, result: i32, key: u64) -> Result<(Keys, KeyStatus), Code> {
    if !cfg!(feature = "protection") {
        return Err(Code::Unsupported);
    }
    let keys = if kid.is_null() {
        Keys::All
    } else {
        // SAFETY: the caller's promise.
        Keys::One(Kid(unsafe { kid.cast::<[u8; 16]>().read_unaligned() }))
    };
    Ok((keys, status(result, key).ok_or(Code::Argument)?))
}

fn status(result: i32, key: u64) -> Option<KeyStatus> {
    match result {
        SMOOTHCORE_OK => Some(KeyStatus::Ready(KeyHandle(key))),
        SMOOTHCORE_WOULD_BLOCK => Some(KeyStatus::Pending),
        i32::MIN..0 => Some(KeyStatus::Refused(Code::from_number(result).unwrap_or(Code::KeyRefused))),
        _ => None,
    }
}

/// What C says of a sample to decrypt.
///
/// # Errors
/// [`Code::Argument`] for a positive number that means nothing.
pub(super) fn decrypted(result: i32) -> Result<Decrypted, Code> {
    match result {
        _ if !cfg!(feature = "protection") => Err(Code::Unsupported),
        SMOOTHCORE_OK => Ok(Decrypted::Done),
        SMOOTHCORE_WOULD_BLOCK => Ok(Decrypted::Later),
        i32::MIN..0 => Ok(Decrypted::Failed(Code::from_number(result).unwrap_or(Code::DecryptFailed))),
        _ => Err(Code::Argument),
    }
}

pub(super) fn capable(yes: u32) -> Result<Capable, Code> {
    match yes {
        _ if !cfg!(feature = "capabilities") => Err(Code::Unsupported),
        0 => Ok(Capable::No),
        1 => Ok(Capable::Yes),
        _ => Err(Code::Argument),
    }
}

/// A DRM agent of C's, or none.
pub(super) struct ProtectionPort {
    table: Option<smoothcore_protection_port>,
    scratch: ProtectionScratch,
}

impl ProtectionPort {
    /// # Errors
    /// [`Code::Argument`] for a missing function; [`Code::Abi`].
    ///
    /// # Safety
    /// `table` is NULL or as the header says.
    pub unsafe fn read(table: *const smoothcore_protection_port) -> Result<ProtectionPort, Code> {
        let table = if table.is_null() || !cfg!(feature = "protection") {
            None
        } else {
            // SAFETY: the caller's promise.
            let table = unsafe { record::read(table) }?;
            if table.offer.is_none() || table.key.is_none() || table.reserved != 0 {
                return Err(Code::Argument);
            }
            Some(table)
        };
        Ok(ProtectionPort { table, scratch: record::blank() })
    }
}

impl ProtectionPort {
    fn table(&self) -> Option<&smoothcore_protection_port> {
        self.table.as_ref().filter(|_| cfg!(feature = "protection"))
    }
}

// Each unsafe block calls a function of the port with memory that lives during the call: its own contract.
impl Protection for ProtectionPort {
    fn decryption(&self) -> Option<Decryption> {
        self.table().map(|t| if t.decrypt.is_some() { Decryption::Port } else { Decryption::Decoder })
    }

    fn offer(&mut self, given: &Offer<'_>) {
        if let Some((userdata, hear)) = self.table().and_then(|t| Some((t.userdata, t.offer?))) {
            let given = offer(given);
            // SAFETY: above.
            unsafe { hear(userdata, &raw const given) }
        }
    }

    fn key(&mut self, keys: Keys) -> Option<KeyStatus> {
        let (userdata, ask) = self.table().and_then(|t| Some((t.userdata, t.key?)))?;
        let (kid, mut handle) = match keys {
            Keys::One(kid) => (Some(kid.0), 0u64),
            Keys::All | Keys::Unnamed => (None, 0),
        };
        let at = kid.as_ref().map_or(ptr::null(), |kid| kid.as_ptr());
        // SAFETY: above.
        let result = unsafe { ask(userdata, at, &raw mut handle) };
        Some(status(result, handle).unwrap_or(KeyStatus::Refused(Code::KeyRefused)))
    }

    fn decrypt(&mut self, sample: &mut Decrypt<'_>) -> Decrypted {
        let Some((userdata, open)) = self.table().and_then(|t| Some((t.userdata, t.decrypt?))) else {
            return Decrypted::Failed(Code::DecryptFailed);
        };
        let sample = decrypt(sample, &mut self.scratch);
        // SAFETY: above.
        let result = unsafe { open(userdata, &raw const sample) };
        decrypted(result).unwrap_or(Decrypted::Failed(Code::DecryptFailed))
    }

    fn close(&mut self) {
        if let Some((userdata, close)) = self.table().and_then(|t| Some((t.userdata, t.close?))) {
            // SAFETY: above.
            unsafe { close(userdata) }
        }
    }
}
