//! Versions, and what a number means.

use core::ffi::{CStr, c_char};

use super::codes::{SMOOTHCORE_END, SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use crate::error::Code;

/// Changes when a program built for an older header would break. While it is 0, every break has an ABI line in
/// CHANGELOG.md.
pub const SMOOTHCORE_ABI_MAJOR: u32 = 0;
/// Rises when functions, constants or struct tails are added.
pub const SMOOTHCORE_ABI_MINOR: u32 = 1;
/// Of the header you compile with, for smoothcore_config: `major << 16 | minor`.
pub const SMOOTHCORE_ABI_VERSION: u32 = SMOOTHCORE_ABI_MAJOR << 16 | SMOOTHCORE_ABI_MINOR;

/// The ABI this archive speaks: `major << 16 | minor`. A program compares the major with `SMOOTHCORE_ABI_MAJOR` and
/// needs at least the minor it was compiled with. Any thread, any time.
#[unsafe(no_mangle)]
pub extern "C" fn smoothcore_abi_version() -> u32 {
    SMOOTHCORE_ABI_VERSION
}

/// The release, for example "0.1.0". Static text, never freed. Any thread, any time.
#[unsafe(no_mangle)]
pub extern "C" fn smoothcore_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// One English line for a result of this library, without a full stop; never NULL, also for numbers it does not
/// know. Static text, never freed. Any thread, any time.
#[unsafe(no_mangle)]
pub extern "C" fn smoothcore_strerror(code: i32) -> *const c_char {
    text(code).as_ptr()
}

fn text(code: i32) -> &'static CStr {
    match code {
        SMOOTHCORE_OK => c"success",
        SMOOTHCORE_WOULD_BLOCK => c"not now, call again later",
        SMOOTHCORE_END => c"the end",
        _ => match Code::from_number(code) {
            Some(code) => code.c_text(),
            None => c"unknown result number",
        },
    }
}

/// The audit's negative control: a panic path that only this build has.
#[cfg(smoothcore_plant_panic)]
#[unsafe(no_mangle)]
#[allow(clippy::indexing_slicing)]
pub extern "C" fn smoothcore_planted_panic(index: usize) -> i32 {
    crate::error::Code::ALL[index].number()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What C reads at `text`.
    fn read(text: *const c_char) -> &'static str {
        // SAFETY: the functions under test return static, NUL-terminated text.
        unsafe { CStr::from_ptr(text) }.to_str().unwrap()
    }

    #[test]
    fn every_number_has_its_line() {
        for code in Code::ALL {
            assert_eq!(read(smoothcore_strerror(code.number())), code.text());
        }
        assert_eq!(read(smoothcore_strerror(0)), "success");
        let unknown = read(smoothcore_strerror(-9999));
        assert_eq!(unknown, "unknown result number");
        assert_eq!(read(smoothcore_strerror(i32::MIN)), unknown);
        assert_ne!(read(smoothcore_strerror(SMOOTHCORE_WOULD_BLOCK)), unknown);
        assert_ne!(read(smoothcore_strerror(SMOOTHCORE_END)), unknown);
    }

    #[test]
    fn versions_are_readable() {
        assert_eq!(smoothcore_abi_version(), 0x0000_0001);
        assert_eq!(read(smoothcore_version()), env!("CARGO_PKG_VERSION"));
    }
}
