//! Protection system boxes: `pssh`, ISO/IEC 23001-7 8.1, and their older form, the `uuid` box of PIFF.

use super::boxes::{Children, Fields, first_box};
use super::uuid;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;

/// What one protection system wants to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pssh<'a> {
    /// Which system, as the bytes stand in the box.
    pub system_id: [u8; 16],
    /// Key identifiers, big-endian; only boxes of version 1 have them here.
    pub kids: &'a [[u8; 16]],
    /// For the system; a PlayReady object for PlayReady.
    pub data: &'a [u8],
    /// The box as it stands, header included.
    pub whole: &'a [u8],
}

/// The protection system boxes of a `moof` or `moov`: in a `moof`, they announce new keys.
pub struct PsshBoxes<'a> {
    parent: &'a [u8],
    start: u64,
    children: Children<'a>,
    most_bytes: u32,
}

impl<'a> PsshBoxes<'a> {
    /// Over a whole `moof` or `moov`.
    ///
    /// # Errors
    /// [`Code::BoxInvalid`] when the box is cut short.
    pub fn new(parent: &'a [u8], limits: &Limits) -> Result<PsshBoxes<'a>> {
        let Some((top, _)) = first_box(parent, 0) else {
            return Err(Error::at(Code::BoxInvalid, "pssh", 0));
        };
        Ok(PsshBoxes {
            parent,
            start: 0,
            children: Children::new(top.payload, top.offset, "pssh", limits),
            most_bytes: limits.protection_bytes,
        })
    }

    /// The next box that is whole; a broken one is passed over, because what it is for may not need it.
    ///
    /// # Errors
    /// [`Code::BoxInvalid`], [`Code::LimitBoxes`], or [`Code::LimitProtection`] when a box is too large.
    pub fn next_box(&mut self) -> Result<Option<Pssh<'a>>> {
        loop {
            self.start = self.children.at();
            // Bounded by the limit inside Children.
            let Some(child) = self.children.next()? else { return Ok(None) };
            let old = child.extended == Some(&uuid::PROTECTION_HEADER);
            if child.kind != *b"pssh" && !old {
                continue;
            }
            if child.payload.len() > self.most_bytes as usize {
                return Err(Error::at(Code::LimitProtection, "pssh", child.offset));
            }
            let whole = self.parent.get(self.start as usize..self.children.at() as usize).unwrap_or(&[]);
            if let Some(pssh) = read(child.payload, whole) {
                return Ok(Some(pssh));
            }
        }
    }
}

fn read<'a>(payload: &'a [u8], whole: &'a [u8]) -> Option<Pssh<'a>> {
    let (version, _, mut fields) = Fields::full(payload)?;
    let system_id = *fields.id()?;
    let mut kids = &[][..];
    if version != 0 {
        let count = fields.u32()?;
        (kids, _) = fields.take((count as usize).checked_mul(16)?)?.as_chunks::<16>();
    }
    let len = fields.u32()?;
    Some(Pssh { system_id, kids, data: fields.take(len as usize)?, whole })
}
