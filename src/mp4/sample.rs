//! The sample table: where each sample of a fragment lies and how long it lasts.

use crate::error::{Code, Error, Result};
use crate::mem::{Account, List};

/// Marks the first sample of a run whose `offset` is still a data offset. The four top bits of sample flags are
/// reserved (ISO/IEC 14496-12 8.8.3.1), so this one costs no room.
const RUN_START: u32 = 1 << 31;
/// The bits of sample flags that mean something.
const FLAGS: u32 = 0x0FFF_FFFF;

/// One sample. Times are ticks of the stream's scale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SampleEntry {
    /// Bytes from the start of the body. Meaningless until [`SampleTable::place`].
    pub offset: u32,
    /// Bytes.
    pub size: u32,
    /// Ticks until the next sample is decoded.
    pub duration: u32,
    /// Ticks from decoding to presentation.
    pub composition: i32,
    /// Sample flags, ISO/IEC 14496-12 8.8.3.1.
    pub flags: u32,
}

impl SampleEntry {
    /// Whether decoding can start here.
    pub const fn is_sync(&self) -> bool {
        is_sync(self.flags)
    }
}

/// Whether decoding can start at a sample with these flags. Some encoders say so of every sample of video.
pub const fn is_sync(flags: u32) -> bool {
    flags & 0x0001_0000 == 0
}

/// The samples of a fragment. Reusable: [`SampleTable::clear`] keeps the room.
#[derive(Debug, Default)]
pub struct SampleTable {
    samples: List<SampleEntry>,
    /// How many have their place.
    placed: usize,
    /// Where the `moof` of the others starts.
    moof_offset: u64,
}

impl SampleTable {
    /// An empty table, which holds nothing.
    pub const fn new() -> SampleTable {
        SampleTable { samples: List::new(), placed: 0, moof_offset: 0 }
    }

    /// The samples that have their place, in decoding order.
    pub fn samples(&self) -> &[SampleEntry] {
        self.samples.get(..self.placed).unwrap_or(&[])
    }

    /// Whether every sample has its place.
    pub fn is_placed(&self) -> bool {
        self.placed == self.samples.len()
    }

    /// Ticks of all samples together.
    pub fn total_duration(&self) -> u64 {
        self.samples.iter().fold(0u64, |sum, s| sum.saturating_add(u64::from(s.duration)))
    }

    /// Gives the samples of the last `moof` their places in its `mdat`.
    ///
    /// A run goes where its data offset points. Where that is not inside the payload with the whole run behind it,
    /// or there is none, the run follows the one before it, the first one at the start of the payload: writers are
    /// seen that leave the offset out, count it from elsewhere, or get it negative.
    ///
    /// # Errors
    /// [`Code::SamplesOutside`] when the samples do not fit into the payload; none of them gets a place then.
    pub fn place(&mut self, payload_offset: u64, payload_size: u64) -> Result<()> {
        let outside = Error::at(Code::SamplesOutside, "mdat", payload_offset);
        let payload_end = payload_offset.saturating_add(payload_size);
        if payload_end > u64::from(u32::MAX) {
            return Err(outside);
        }
        // First measured, then written: a refused table stays as it was.
        let mut next = payload_offset;
        let mut rest = self.unplaced();
        while let Some(run) = split_run(&mut rest) {
            next = self.run_start(run, next, payload_offset, payload_end)?.saturating_add(bytes(run));
        }
        let (mut at, mut i) = (payload_offset, self.placed);
        while let Some(len) = self.samples.get(i..).map(run_length).filter(|len| *len > 0) {
            let run = self.samples.get(i..).and_then(|s| s.get(..len)).unwrap_or(&[]);
            at = self.run_start(run, at, payload_offset, payload_end)?;
            for sample in self.samples.iter_mut().skip(i).take(len) {
                sample.offset = at as u32;
                sample.flags &= FLAGS;
                at = at.saturating_add(u64::from(sample.size));
            }
            i = i.saturating_add(len);
        }
        self.placed = self.samples.len();
        Ok(())
    }

    /// Checks at the end of the body that every sample has its place.
    ///
    /// # Errors
    /// [`Code::FragmentTruncated`] when an `mdat` is missing.
    pub fn finish(&self) -> Result<()> {
        if self.is_placed() {
            Ok(())
        } else {
            Err(Error::at(Code::FragmentTruncated, "mdat", self.moof_offset))
        }
    }

    /// Shares `duration` ticks out evenly when no sample has a duration of its own, as in trick-mode fragments or
    /// with defaults that only a `moov` would have.
    pub fn spread(&mut self, duration: u64) {
        let count = self.samples.len() as u64;
        if count == 0 || self.samples.iter().any(|s| s.duration != 0) {
            return;
        }
        let (each, over) = (duration / count, duration % count);
        let mut owed = 0u64;
        for sample in self.samples.iter_mut() {
            // Carries the remainder along, so that the sum is exact.
            owed = owed.saturating_add(over);
            let extra = u64::from(owed >= count);
            owed = owed.saturating_sub(count.saturating_mul(extra));
            sample.duration = u32::try_from(each.saturating_add(extra)).unwrap_or(u32::MAX);
        }
    }

    /// Makes the whole body of `bytes` one sample: there are no boxes. Its duration is that of the fragment.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`].
    pub fn whole(&mut self, account: &mut Account, bytes: u32) -> Result<()> {
        self.clear();
        let sample = SampleEntry { offset: 0, size: bytes, duration: 0, composition: 0, flags: 0 };
        self.samples.push(account, sample)?;
        self.placed = 1;
        Ok(())
    }

    /// Removes every sample; the room stays.
    pub fn clear(&mut self) {
        self.samples.clear();
        self.placed = 0;
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        self.clear();
        self.samples.free(account);
    }

    /// Bytes charged for the table.
    pub fn charged(&self) -> usize {
        self.samples.charged()
    }

    /// Starts the samples of another `moof`.
    pub(super) fn begin(&mut self, moof_offset: u64) -> Result<()> {
        if !self.is_placed() {
            return Err(Error::at(Code::SamplesOutside, "moof", moof_offset));
        }
        self.moof_offset = moof_offset;
        Ok(())
    }

    /// Takes the samples of the last `moof` off again.
    pub(super) fn undo(&mut self) {
        self.samples.truncate(self.placed);
    }

    /// The last `count` samples, with or without place: those of the last `moof`.
    pub(super) fn latest(&self, count: u32) -> &[SampleEntry] {
        let first = self.samples.len().checked_sub(count as usize);
        first.and_then(|first| self.samples.get(first..)).unwrap_or(&[])
    }

    /// Where the last `moof` starts in the body.
    pub const fn moof_offset(&self) -> u64 {
        self.moof_offset
    }

    /// Samples with and without place.
    pub(super) fn count(&self) -> usize {
        self.samples.len()
    }

    pub(super) fn reserve(&mut self, account: &mut Account, more: usize) -> Result<()> {
        let total = self.samples.len().saturating_add(more);
        if total > self.samples.capacity() { self.samples.reserve_exact(account, total) } else { Ok(()) }
    }

    /// Appends a sample. `run` is the data offset of the run that starts here, if it has one.
    pub(super) fn push(
        &mut self,
        account: &mut Account,
        mut sample: SampleEntry,
        run: Option<i32>,
    ) -> Result<()> {
        sample.flags &= FLAGS;
        sample.offset = 0;
        if let Some(data_offset) = run {
            sample.flags |= RUN_START;
            sample.offset = data_offset as u32;
        }
        self.samples.push(account, sample)
    }

    fn unplaced(&self) -> &[SampleEntry] {
        self.samples.get(self.placed..).unwrap_or(&[])
    }

    /// Where `run` goes in a payload when `next` follows the run before it.
    fn run_start(&self, run: &[SampleEntry], next: u64, start: u64, end: u64) -> Result<u64> {
        let len = bytes(run);
        let fits = |at: u64| at >= start && at.checked_add(len).is_some_and(|run_end| run_end <= end);
        let given = run
            .first()
            .filter(|s| s.flags & RUN_START != 0)
            .and_then(|s| self.moof_offset.checked_add_signed(i64::from(s.offset as i32)));
        match given {
            Some(at) if fits(at) => Ok(at),
            _ if fits(next) => Ok(next),
            _ => Err(Error::at(Code::SamplesOutside, "mdat", start)),
        }
    }
}

/// Samples up to the next start of a run with a data offset.
fn run_length(samples: &[SampleEntry]) -> usize {
    let after_first = samples.iter().skip(1).position(|s| s.flags & RUN_START != 0);
    after_first.map_or(samples.len(), |n| n.saturating_add(1))
}

fn split_run<'a>(samples: &mut &'a [SampleEntry]) -> Option<&'a [SampleEntry]> {
    let (run, rest) = samples.split_at_checked(run_length(samples)).filter(|(run, _)| !run.is_empty())?;
    *samples = rest;
    Some(run)
}

fn bytes(run: &[SampleEntry]) -> u64 {
    run.iter().fold(0u64, |sum, s| sum.saturating_add(u64::from(s.size)))
}
