//! The fragment index at the end of a file: `mfra`, `tfra`, `mfro`.
//!
//! ISO/IEC 14496-12 8.8.9 to 8.8.11. Reads in place and holds nothing.

use super::boxes::{Children, Fields, first_box};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;

/// Bytes of `mfro`, which ends a file.
pub const MFRO_BYTES: usize = 16;

/// Bytes of the `mfra` at the end of a file whose last bytes are `tail`; `None` when there is none. A missing index is
/// normal: an encoder that crashed wrote none.
pub fn index_size(tail: &[u8; MFRO_BYTES]) -> Option<u32> {
    match tail {
        [0, 0, 0, 16, b'm', b'f', b'r', b'o', _, _, _, _, a, b, c, d] => {
            let size = u32::from_be_bytes([*a, *b, *c, *d]);
            // The `mfra` header and this box at least.
            if size >= 24 { Some(size) } else { None }
        }
        _ => None,
    }
}

/// The index of a file: one [`TrackIndex`] after another.
pub struct Index<'a> {
    children: Children<'a>,
    most_fragments: u32,
}

impl<'a> Index<'a> {
    /// Over a whole `mfra` box.
    ///
    /// # Errors
    /// [`Code::BoxInvalid`] when `mfra` is no such box or is cut short.
    pub fn new(mfra: &'a [u8], limits: &Limits) -> Result<Index<'a>> {
        match first_box(mfra, 0) {
            Some((top, _)) if top.kind == *b"mfra" => Ok(Index {
                children: Children::new(top.payload, top.offset, "mfra", limits),
                most_fragments: limits.fragments,
            }),
            _ => Err(Error::at(Code::BoxInvalid, "mfra", 0)),
        }
    }

    /// The next track.
    ///
    /// # Errors
    /// [`Code::BoxInvalid`], [`Code::LimitBoxes`], or [`Code::LimitFragments`].
    pub fn next_track(&mut self) -> Result<Option<TrackIndex<'a>>> {
        // Bounded by the limit inside Children.
        while let Some(child) = self.children.next()? {
            if child.kind == *b"tfra" {
                let invalid = Error::at(Code::BoxInvalid, "mfra/tfra", child.offset);
                let track = TrackIndex::parse(child.payload).ok_or(invalid)?;
                if track.len() > self.most_fragments as usize {
                    return Err(Error::at(Code::LimitFragments, "mfra/tfra", child.offset));
                }
                return Ok(Some(track));
            }
        }
        Ok(None)
    }
}

/// Where one fragment of a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexEntry {
    /// When it starts, in ticks of the track.
    pub time: u64,
    /// Offset of its `moof` in the file.
    pub moof_offset: u64,
}

/// The fragments of one track.
#[derive(Clone, Copy)]
pub struct TrackIndex<'a> {
    /// Which track.
    pub track_id: u32,
    version: u8,
    entry_bytes: usize,
    entries: &'a [u8],
}

impl<'a> TrackIndex<'a> {
    fn parse(payload: &'a [u8]) -> Option<TrackIndex<'a>> {
        let (version, _, mut fields) = Fields::full(payload)?;
        let track_id = fields.u32()?;
        let lengths = fields.u32()?;
        let count = fields.u32()?;
        // Three numbers of one to four bytes each follow time and offset.
        let numbers =
            (lengths >> 4 & 3).wrapping_add(lengths >> 2 & 3).wrapping_add(lengths & 3).wrapping_add(3);
        let times: u32 = if version == 0 { 8 } else { 16 };
        let entry_bytes = times.wrapping_add(numbers);
        let all = usize::try_from(u64::from(count).checked_mul(u64::from(entry_bytes))?).ok()?;
        let entries = fields.0.get(..all)?;
        Some(TrackIndex { track_id, version, entry_bytes: entry_bytes as usize, entries })
    }

    /// How many fragments.
    pub fn len(&self) -> usize {
        self.entries.len().checked_div(self.entry_bytes).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The fragment at `index`; `None` past the end.
    pub fn get(&self, index: usize) -> Option<IndexEntry> {
        let mut fields = Fields(self.entries.get(index.checked_mul(self.entry_bytes)?..)?);
        Some(IndexEntry { time: fields.time(self.version)?, moof_offset: fields.time(self.version)? })
    }

    /// All fragments, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = IndexEntry> + '_ {
        (0..self.len()).map_while(|i| self.get(i))
    }
}
