//! Boxes inside a slice, and numbers inside boxes.

use crate::error::{Code, Error, Result};
use crate::limits::Limits;

/// A box whose every byte is at hand.
#[derive(Clone, Copy)]
pub(super) struct Child<'a> {
    pub(super) kind: [u8; 4],
    /// The extended type of a `uuid` box.
    pub(super) extended: Option<&'a [u8; 16]>,
    /// What comes after the header.
    pub(super) payload: &'a [u8],
    /// Offset of the payload in the input.
    pub(super) offset: u64,
}

/// The boxes in a parent, ISO/IEC 14496-12 4.2.
pub(super) struct Children<'a> {
    rest: &'a [u8],
    offset: u64,
    /// Path of the parent, for errors.
    path: &'static str,
    left: u32,
}

impl<'a> Children<'a> {
    /// Over the payload of a parent, which lies at `offset` in the input.
    pub(super) const fn new(
        payload: &'a [u8],
        offset: u64,
        path: &'static str,
        limits: &Limits,
    ) -> Children<'a> {
        Children { rest: payload, offset, path, left: limits.box_children }
    }

    /// Where the next box starts in the input.
    pub(super) const fn at(&self) -> u64 {
        self.offset
    }

    /// The next box. Fewer than eight bytes at the end are padding.
    pub(super) fn next(&mut self) -> Result<Option<Child<'a>>> {
        if self.rest.len() < 8 {
            return Ok(None);
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Err(Error::at(Code::LimitBoxes, self.path, self.offset));
        };
        self.left = left;
        let Some((child, taken)) = first_box(self.rest, self.offset) else {
            return Err(Error::at(Code::BoxInvalid, self.path, self.offset));
        };
        self.rest = self.rest.get(taken..).unwrap_or(&[]);
        self.offset = self.offset.saturating_add(taken as u64);
        Ok(Some(child))
    }
}

/// The box at the start of `bytes`, and how many bytes it takes. `None` when its size is less than its header or
/// more than `bytes`.
pub(super) fn first_box(bytes: &[u8], offset: u64) -> Option<(Child<'_>, usize)> {
    let ([a, b, c, d, kind @ ..], after) = bytes.split_first_chunk::<8>()?;
    let mut size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    let mut payload = after;
    if size == 1 {
        let (large, after) = after.split_first_chunk::<8>()?;
        size = usize::try_from(u64::from_be_bytes(*large)).ok()?;
        payload = after;
    } else if size == 0 {
        size = bytes.len();
    }
    let mut extended = None;
    if kind == b"uuid" {
        let (id, after) = payload.split_first_chunk::<16>()?;
        extended = Some(id);
        payload = after;
    }
    let header = bytes.len().checked_sub(payload.len())?;
    let payload = payload.get(..size.checked_sub(header)?)?;
    let offset = offset.saturating_add(header as u64);
    Some((Child { kind: *kind, extended, payload, offset }, size))
}

/// Reads big-endian numbers one after another.
#[derive(Clone, Copy, Default)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// Version and flags of a FullBox, then its fields, ISO/IEC 14496-12 4.2.
    pub(super) fn full(payload: &'a [u8]) -> Option<(u8, u32, Fields<'a>)> {
        let ([version, a, b, c], rest) = payload.split_first_chunk::<4>()?;
        Some((*version, u32::from_be_bytes([0, *a, *b, *c]), Fields(rest)))
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        let (n, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*n)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let (n, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*n))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let (n, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*n))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        let (n, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*n))
    }

    /// Sixteen bytes: a key or system identifier.
    pub(super) fn id(&mut self) -> Option<&'a [u8; 16]> {
        let (id, rest) = self.0.split_first_chunk::<16>()?;
        self.0 = rest;
        Some(id)
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A time: 32 bits in version 0, 64 in every later one.
    pub(super) fn time(&mut self, version: u8) -> Option<u64> {
        if version == 0 { self.u32().map(u64::from) } else { self.u64() }
    }
}
