//! The clear-key decryptor as a C library. The contract stands in `smoothcore_clearkey.h`.
#![allow(non_camel_case_types, reason = "the names are C's")]

use std::slice;

use smoothcore_clearkey::{How, Key, Kid, Pattern, Scheme, Subsample, checksum, decrypt, test_key};

const OK: i32 = 0;
/// SMOOTHCORE_E_ARGUMENT.
const ARGUMENT: i32 = -1;

/// As in `smoothcore_clearkey.h`.
#[repr(C)]
pub struct smoothcore_clearkey_sample {
    struct_size: u32,
    scheme: u32,
    crypt_blocks: u8,
    skip_blocks: u8,
    iv_size: u8,
    reserved: [u8; 5],
    iv: [u8; 16],
    subsamples: *const u32,
    subsample_count: usize,
}

/// The `len` things at `at`.
///
/// # Safety
/// `at` points to so many, or `len` is 0.
unsafe fn list<'a, T>(at: *const T, len: usize) -> Option<&'a [T]> {
    if len == 0 {
        return Some(&[]);
    }
    if at.is_null() || !at.is_aligned() {
        return None;
    }
    // SAFETY: the caller's promise; neither NULL nor crooked.
    Some(unsafe { slice::from_raw_parts(at, len) })
}

/// See `smoothcore_clearkey.h`.
///
/// # Safety
/// As the header says of its arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_clearkey_decrypt(
    key: *const u8,
    sample: *const smoothcore_clearkey_sample,
    data: *mut u8,
    size: usize,
) -> i32 {
    if data.is_null() && size != 0 || sample.is_null() || !sample.is_aligned() {
        return ARGUMENT;
    }
    // SAFETY: not NULL; begins with its size.
    if unsafe { sample.cast::<u32>().read() } as usize != size_of::<smoothcore_clearkey_sample>() {
        return ARGUMENT;
    }
    // SAFETY: of the size declared; the header's contract for what it points to.
    let (sample, key) = unsafe { (&*sample, list(key, 16)) };
    // SAFETY: two numbers a subsample, by the header's contract.
    let pairs = unsafe { list(sample.subsamples, sample.subsample_count.saturating_mul(2)) };
    let scheme = match sample.scheme {
        1 => Scheme::AesCtr,
        2 => Scheme::AesCbc,
        3 => Scheme::Cbcs,
        _ => return ARGUMENT,
    };
    let (Some(pairs), Some(key), Some(iv)) =
        (pairs, key.and_then(|key| key.try_into().ok()), sample.iv.get(..sample.iv_size.into()))
    else {
        return ARGUMENT;
    };
    let subsamples: Vec<Subsample> = pairs
        .as_chunks::<2>()
        .0
        .iter()
        .map(|[clear, protected]| Subsample { clear: *clear, protected: *protected })
        .collect();
    let pattern = Pattern { crypt: sample.crypt_blocks, skip: sample.skip_blocks };
    let how = How { scheme, pattern, iv, subsamples: &subsamples };
    // SAFETY: the header's contract: so many bytes, ours during the call.
    let data = if size == 0 { &mut [] } else { unsafe { slice::from_raw_parts_mut(data, size) } };
    match decrypt(Key(key), &how, data) {
        Ok(()) => OK,
        Err(_) => ARGUMENT,
    }
}

/// See `smoothcore_clearkey.h`.
///
/// # Safety
/// As the header says of its arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_clearkey_checksum(key: *const u8, kid: *const u8, out: *mut u8) -> i32 {
    // SAFETY: NULL or as long as the header says.
    let (Some(key), Some(kid)) = (unsafe { id(key) }, unsafe { id(kid) }) else { return ARGUMENT };
    if out.is_null() {
        return ARGUMENT;
    }
    // SAFETY: not NULL, 8 bytes by the header's contract.
    unsafe { out.cast::<[u8; 8]>().write_unaligned(checksum(Key(key), Kid(kid))) };
    OK
}

/// See `smoothcore_clearkey.h`.
///
/// # Safety
/// As the header says of its arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_clearkey_test_key(
    seed: *const u8,
    seed_size: usize,
    kid: *const u8,
    out: *mut u8,
) -> i32 {
    // SAFETY: NULL or as long as the header says.
    let (Some(seed), Some(kid)) = (unsafe { list(seed, seed_size) }, unsafe { id(kid) }) else {
        return ARGUMENT;
    };
    if out.is_null() {
        return ARGUMENT;
    }
    // SAFETY: not NULL, 16 bytes by the header's contract.
    unsafe { out.cast::<[u8; 16]>().write_unaligned(test_key(seed, Kid(kid)).0) };
    OK
}

/// The 16 bytes at `at`.
///
/// # Safety
/// `at` is NULL or points to so many.
unsafe fn id(at: *const u8) -> Option<[u8; 16]> {
    // SAFETY: the caller's promise.
    unsafe { list(at, 16) }?.try_into().ok()
}
