//! What the boundary itself holds, taken off the budget before the session gets it.

use core::ffi::c_char;

use super::types::smoothcore_slice;
use crate::error::Code;
use crate::io::Parts;
use crate::mem::{Account, Bytes, List};

/// Memory of the boundary: the handle and its scratch, as if always full.
#[derive(Clone, Copy)]
pub(super) struct Reserve {
    /// All of it.
    pub bytes: usize,
    /// Of which the parts of one sample may take so much.
    pub parts: usize,
    /// Longest URL.
    pub url_bytes: usize,
}

/// A URL as C reads it.
pub(super) struct UrlText {
    bytes: Bytes,
}

impl UrlText {
    /// # Errors
    /// [`Code::NoMemory`].
    pub fn new(url_bytes: usize) -> Result<UrlText, Code> {
        let room = url_bytes.saturating_add(1);
        let mut bytes = Bytes::new();
        bytes.reserve_exact(&mut Account::new(room), room).map_err(|e| e.code)?;
        Ok(UrlText { bytes })
    }

    /// `url` with a NUL behind it, until the next call.
    ///
    /// # Errors
    /// [`Code::LimitUrl`] when there is no room, [`Code::UrlInvalid`] when a NUL is within.
    pub fn put(&mut self, url: &str) -> Result<*const c_char, Code> {
        if url.len() >= self.bytes.capacity() {
            return Err(Code::LimitUrl);
        }
        if url.bytes().any(|b| b == 0) {
            return Err(Code::UrlInvalid);
        }
        self.bytes.clear();
        // There is room, so no account is asked.
        let mut nobody = Account::new(0);
        self.bytes.extend(&mut nobody, url.as_bytes()).map_err(|e| e.code)?;
        self.bytes.push(&mut nobody, 0).map_err(|e| e.code)?;
        Ok(self.bytes.as_ptr().cast())
    }
}

/// The parts of a sample as C reads them. Grows to the largest sample.
pub(super) struct PartList {
    account: Account,
    list: List<smoothcore_slice>,
}

impl PartList {
    /// A list that never holds more than `most` bytes.
    pub const fn new(most: usize) -> PartList {
        PartList { account: Account::new(most), list: List::new() }
    }

    /// Lists `parts`, until the next call; how many bytes they have together.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`].
    pub fn put(&mut self, parts: &Parts<'_>) -> Result<usize, Code> {
        let PartList { account, list } = self;
        let count = parts.clone().count();
        list.clear();
        if count > list.capacity() {
            // Nothing in it is needed: freeing first saves holding both.
            list.free(account);
            let roomy = count.saturating_mul(2).max(16);
            if list.reserve_exact(account, roomy).is_err() {
                list.reserve_exact(account, count).map_err(|e| e.code)?;
            }
        }
        let mut bytes = 0usize;
        for part in parts.clone() {
            list.push(account, smoothcore_slice { data: part.as_ptr(), size: part.len() })
                .map_err(|e| e.code)?;
            bytes = bytes.saturating_add(part.len());
        }
        Ok(bytes)
    }

    pub fn count(&self) -> u32 {
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    pub fn as_ptr(&self) -> *const smoothcore_slice {
        self.list.as_ptr()
    }
}
