//! Strings: C's, bounded before they are believed, and ours, cut to fit.

use core::ffi::c_char;
use core::fmt;

use crate::error::Code;

/// Bytes of a response header that are looked at.
const HEADER_BYTES: usize = 1024;

/// The bytes before the NUL at `at`; `None` when there is none among the first `most + 1`.
///
/// # Safety
/// `at` is not NULL and points to bytes that end with NUL, or to more than `most`; they do not change during `'a`.
unsafe fn bounded<'a>(at: *const c_char, most: usize) -> Option<&'a [u8]> {
    let at = at.cast::<u8>();
    let mut len = 0usize;
    while len <= most {
        // SAFETY: no byte before this one was NUL, so this one is there.
        if unsafe { at.add(len).read() } == 0 {
            // SAFETY: so many bytes have just been read.
            return Some(unsafe { core::slice::from_raw_parts(at, len) });
        }
        len = len.wrapping_add(1);
    }
    None
}

/// A URL of C's.
///
/// # Errors
/// [`Code::Argument`] for NULL, [`Code::LimitUrl`] beyond `most` bytes, [`Code::UrlInvalid`] when it is no UTF-8.
///
/// # Safety
/// As [`bounded`], NULL excepted.
pub(super) unsafe fn url<'a>(at: *const c_char, most: usize) -> Result<&'a str, Code> {
    if at.is_null() {
        return Err(Code::Argument);
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { bounded(at, most) }.ok_or(Code::LimitUrl)?;
    core::str::from_utf8(bytes).map_err(|_| Code::UrlInvalid)
}

/// The value of a response header: empty for NULL, and when it is no UTF-8 or too long to be meant.
///
/// # Safety
/// As [`bounded`], NULL excepted.
pub(super) unsafe fn header<'a>(at: *const c_char) -> &'a str {
    if at.is_null() {
        return "";
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { bounded(at, HEADER_BYTES) };
    bytes.and_then(|b| core::str::from_utf8(b).ok()).unwrap_or("")
}

/// Text in an array of C's, ended by NUL and cut at a character.
pub(super) fn array<const N: usize>(text: &str) -> [c_char; N] {
    let mut line = Line::<N>::new();
    line.append(text);
    line.bytes.map(|b| b as c_char)
}

/// A line of at most `N - 1` bytes, ended by NUL. What does not fit is cut off at a character.
pub(super) struct Line<const N: usize> {
    bytes: [u8; N],
    len: usize,
    full: bool,
}

impl<const N: usize> Line<N> {
    pub fn new() -> Line<N> {
        Line { bytes: [0; N], len: 0, full: N == 0 }
    }

    /// What C reads.
    pub fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }

    fn append(&mut self, text: &str) {
        if !self.full {
            self.full = !append(&mut self.bytes, &mut self.len, text);
        }
    }
}

/// Puts `text` into `line` behind its first `len` bytes; `false` when it was cut off. One copy for lines of all lengths.
fn append(line: &mut [u8], len: &mut usize, text: &str) -> bool {
    for c in text.chars() {
        // A NUL would end the line for C.
        let c = if c == '\0' { ' ' } else { c };
        let mut utf8 = [0u8; 4];
        let utf8 = c.encode_utf8(&mut utf8).as_bytes();
        // One byte stays for the NUL.
        let end = len.saturating_add(utf8.len());
        if end >= line.len() {
            return false;
        }
        for (to, from) in line.iter_mut().skip(*len).zip(utf8) {
            *to = *from;
        }
        *len = end;
    }
    true
}

impl<const N: usize> fmt::Write for Line<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.append(text);
        Ok(())
    }
}
