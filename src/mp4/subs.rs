//! The parts of samples: `subs`, ISO/IEC 14496-12 8.7.7.
//!
//! Subtitles made of pictures carry a document and its pictures in one sample; this table says where each begins.

use super::boxes::{Child, Children, Fields};
use super::fragment::MoofInfo;
use super::sample::SampleTable;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, List};

/// One part of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Part {
    /// Which sample, counted over the body as in its [`SampleTable`].
    pub sample: u32,
    /// Bytes from the start of the sample.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// codec_specific_parameters; 0 for subtitles.
    pub parameters: u32,
}

/// The parts of the samples of a body, in their order. Reusable: [`PartTable::clear`] keeps the room.
#[derive(Debug, Default)]
pub struct PartTable {
    parts: List<Part>,
}

impl PartTable {
    /// An empty table, which holds nothing.
    pub const fn new() -> PartTable {
        PartTable { parts: List::new() }
    }

    /// The parts of the sample at `index`; none when it is all of one piece.
    pub fn sample(&self, index: usize) -> &[Part] {
        let start = self.parts.partition_point(|p| (p.sample as usize) < index);
        let end = self.parts.partition_point(|p| (p.sample as usize) <= index);
        self.parts.get(start..end).unwrap_or(&[])
    }

    /// Whether no sample has parts.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Removes every part; the room stays.
    pub fn clear(&mut self) {
        self.parts.clear();
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        self.parts.free(account);
    }

    /// Bytes charged for the table.
    pub fn charged(&self) -> usize {
        self.parts.charged()
    }
}

/// Appends to `out` the parts of the samples that [`super::parse_moof`] has just appended to `table`, whether they have
/// their place or not. `moof` is the whole box, `info` what `parse_moof` said of it. Without `subs`, nothing is added.
///
/// # Errors
/// [`Code::BoxInvalid`] when the parts pass the box, their sample or the table; [`Code::LimitSubsamples`] above
/// [`Limits::samples`]; [`Code::LimitBoxes`], [`Code::Budget`] or [`Code::NoMemory`]. `out` is as before then.
pub fn parse(
    moof: &[u8],
    info: &MoofInfo,
    table: &SampleTable,
    account: &mut Account,
    limits: &Limits,
    out: &mut PartTable,
) -> Result<()> {
    let before = out.parts.len();
    let offset = table.moof_offset().saturating_add(info.traf.offset.into());
    let mut children = Children::new(info.traf.of(moof), offset, "moof/traf", limits);
    // Bounded by the limit inside Children.
    while let Some(child) = children.next()? {
        if child.kind == *b"subs" {
            let read = read(&child, info, table, account, limits, out);
            if read.is_err() {
                out.parts.truncate(before);
            }
            // A second box would be for another use of the samples.
            return read;
        }
    }
    Ok(())
}

fn read(
    subs: &Child<'_>,
    info: &MoofInfo,
    table: &SampleTable,
    account: &mut Account,
    limits: &Limits,
    out: &mut PartTable,
) -> Result<()> {
    let invalid = Error::at(Code::BoxInvalid, "moof/traf/subs", subs.offset);
    let (version, _, mut fields) = Fields::full(subs.payload).ok_or(invalid)?;
    let count = fields.u32().ok_or(invalid)?;
    let samples = table.latest(info.samples);
    let first = table.count().saturating_sub(samples.len());
    // The number of the sample in this moof, counted from one as the box counts.
    let mut number = 0u32;
    // Each turn takes six bytes at least.
    for _ in 0..count {
        let delta = fields.u32().ok_or(invalid)?;
        let parts = fields.u16().ok_or(invalid)?;
        number = number.checked_add(delta).ok_or(invalid)?;
        let at = (number as usize).checked_sub(1).ok_or(invalid)?;
        if delta == 0 {
            return Err(invalid);
        }
        let size_of_sample = samples.get(at).ok_or(invalid)?.size;
        let mut offset = 0u32;
        for _ in 0..parts {
            let size =
                if version == 0 { fields.u16().map(u32::from) } else { fields.u32() }.ok_or(invalid)?;
            // Priority and whether it can be dropped.
            fields.u16().ok_or(invalid)?;
            let parameters = fields.u32().ok_or(invalid)?;
            if out.parts.len() >= limits.samples as usize {
                return Err(Error { code: Code::LimitSubsamples, ..invalid });
            }
            let sample = first.saturating_add(at) as u32;
            out.parts.push(account, Part { sample, offset, size, parameters })?;
            offset = offset.checked_add(size).filter(|end| *end <= size_of_sample).ok_or(invalid)?;
        }
    }
    Ok(())
}
