//! The times of a stream's fragments, stored compactly.
//!
//! A [`Timeline`] is a list of small blocks. Fragments of one duration that follow each other without a gap are one
//! run; others take two to three bytes each. It grows block by block, so that a day of a live stream never has to be
//! copied to grow, and loses old blocks from the front as the DVR window moves. [`TimelineBuilder`] makes one from
//! the `c` elements of a manifest.

use crate::error::{Code, Error, Result};
use crate::mem::{Account, List};
use crate::time::{Micros, TimeScale};

mod block;
mod builder;
#[cfg(test)]
mod tests;

use block::{Block, Cursor, Marks};
pub use builder::{C, End, TimelineBuilder};

/// Whether lists grow, and are looked into at their end above all: that is worth some code.
const LIVE: bool = cfg!(feature = "live");

/// One fragment's place in its stream, in ticks of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment {
    /// Counted from the first fragment ever listed; stays the same when earlier ones are dropped.
    pub index: u32,
    /// Start time, as the fragment's URL spells it.
    pub start: u64,
    /// Duration; 0 when not known yet, which only the last fragment's may be.
    pub duration: u64,
}

impl Fragment {
    /// Where the fragment ends; its start when the duration is unknown.
    pub const fn end(self) -> u64 {
        self.start.saturating_add(self.duration)
    }

    /// Whether media is missing between this fragment and `next`. A gap below 1 ms or below 1 % of the duration is
    /// the packager's rounding and no hole.
    pub fn hole_before(self, next: Fragment, scale: TimeScale) -> bool {
        let gap = next.start.saturating_sub(self.end());
        let rounding = scale.ticks(Micros::from_millis(1)).max(self.duration / 100).max(1);
        self.duration != 0 && gap >= rounding
    }
}

/// The fragments of one stream in the order of their start times, without overlaps.
///
/// Its memory is charged to the [`Account`] that each changing call is given; [`Timeline::free`] returns it.
#[derive(Debug, Default)]
pub struct Timeline {
    blocks: List<Block>,
    /// Index of the fragment that will be appended next.
    next: u32,
    last: Last,
    /// Of the last block.
    marks: Marks,
}

/// What appending needs to know of the last fragment, so that no block is ever decoded for it.
#[derive(Clone, Copy, Default, Debug)]
struct Last {
    start: u64,
    duration: u64,
    /// Duration of the fragment before it, if that is in the same block.
    before: u64,
    /// Where its bytes begin in the block's storage.
    at: usize,
}

impl Timeline {
    /// A timeline without fragments, which holds nothing.
    pub const fn new() -> Timeline {
        Timeline {
            blocks: List::new(),
            next: 0,
            last: Last { start: 0, duration: 0, before: 0, at: 0 },
            marks: Marks::NONE,
        }
    }

    /// Appends `count` fragments of `duration` ticks each, back to back, the first at `start`.
    ///
    /// The duration of the last fragment so far is cut back to `start` when it reaches beyond, and becomes known by
    /// `start` when it was not. Duration 0 stands for unknown.
    ///
    /// # Errors
    /// [`Code::ManifestTimeline`] when `start` is not after the start of the last fragment, a time passes 64 bits,
    /// an index 32, or several fragments have no duration; [`Code::Budget`] or [`Code::NoMemory`]. Nothing is
    /// appended then.
    pub fn push(&mut self, account: &mut Account, start: u64, duration: u64, count: u32) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let end = duration.checked_mul(u64::from(count)).and_then(|all| all.checked_add(start));
        if end.is_none() || self.next.checked_add(count).is_none() || (duration == 0 && count > 1) {
            return Err(impossible());
        }
        if let Some(last) = self.last() {
            if start <= last.start {
                return Err(impossible());
            }
            if last.duration == 0 || last.end() > start {
                self.set_last_duration(account, start.saturating_sub(last.start))?;
            }
        }
        self.append(account, start, duration, count)
    }

    /// Makes the duration of the last fragment `duration` ticks: of one that was not known, or one that overlaps
    /// its successor. Does nothing to a timeline without fragments.
    ///
    /// # Errors
    /// [`Code::ManifestTimeline`] when the end passes 64 bits; [`Code::Budget`] or [`Code::NoMemory`]. Nothing is
    /// changed then.
    pub fn set_last_duration(&mut self, account: &mut Account, duration: u64) -> Result<()> {
        let old = self.last;
        let Some(block) = self.blocks.last_mut() else { return Ok(()) };
        if old.start.checked_add(duration).is_none() {
            return Err(impossible());
        }
        if duration == old.duration {
            return Ok(());
        }
        if block.count == 1 {
            block.duration = duration;
            self.last.duration = duration;
            return Ok(());
        }
        // Take the last one off and append it anew.
        let gap = block.pop(old.at);
        if LIVE {
            self.marks.forget(block.count);
        }
        self.next = self.next.saturating_sub(1);
        self.last.start = old.start.wrapping_sub(gap).wrapping_sub(old.before);
        self.last.duration = old.before;
        self.append(account, old.start, duration, 1).inspect_err(|_| {
            // What was taken off needs no memory to return.
            let _ = self.append(account, old.start, old.duration, 1);
        })
    }

    /// Drops fragments that end at or before `time`: whole blocks of about 200 irregular fragments, and regular
    /// ones to the fragment. The last fragment always stays.
    pub fn drop_before(&mut self, account: &mut Account, time: u64) {
        let mut gone = 0usize;
        let spare = self.blocks.len().saturating_sub(1);
        for block in self.blocks.iter_mut().take(spare) {
            if block.start >= time || block.end() > time {
                break;
            }
            block.data.free(account);
            gone = gone.saturating_add(1);
        }
        self.blocks.drop_front(gone);
        if let Some(block) = self.blocks.first_mut() {
            block.drop_before(time);
        }
    }

    /// Drops the first block of fragments, if there is another one behind it. How many went.
    pub fn drop_block(&mut self, account: &mut Account) -> u32 {
        if self.blocks.len() < 2 {
            return 0;
        }
        let Some(mut block) = self.blocks.remove(0) else { return 0 };
        block.data.free(account);
        block.count
    }

    /// Where the first block of fragments ends: what [`Timeline::drop_block`] would leave begins there.
    pub fn first_block_end(&self) -> u64 {
        self.blocks.get(1).map_or(u64::MAX, |block| block.start)
    }

    /// Drops fragments that start at `time` or later.
    pub fn truncate(&mut self, account: &mut Account, time: u64) {
        self.marks = Marks::NONE;
        // Each turn takes a block.
        while self.blocks.last().is_some_and(|block| block.start >= time) {
            if let Some(mut block) = self.blocks.pop() {
                block.data.free(account);
                self.next = block.first;
            }
        }
        let Some(block) = self.blocks.last_mut() else {
            self.last = Last::default();
            return;
        };
        block.truncate(time);
        self.next = block.first.saturating_add(block.count);
        self.last = block.tail();
    }

    /// Frees everything and takes it off the account. Indexes start from 0 again.
    pub fn free(&mut self, account: &mut Account) {
        for block in self.blocks.iter_mut() {
            block.data.free(account);
        }
        self.blocks.free(account);
        *self = Timeline::new();
    }

    /// How many fragments there are.
    pub fn len(&self) -> u32 {
        match self.blocks.first() {
            Some(block) => self.next.saturating_sub(block.first),
            None => 0,
        }
    }

    /// Whether there is no fragment.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The fragment of this index; `None` when it was dropped or is not there yet. A binary search, and at most one
    /// block decoded.
    pub fn get(&self, index: u32) -> Option<Fragment> {
        if let Some(last) = self.last().filter(|last| LIVE && last.index == index) {
            return Some(last);
        }
        let block = self.block_before(|block| block.first <= index)?;
        block.nth(index.wrapping_sub(block.first), &self.marks_of(block))
    }

    /// The first fragment.
    pub fn first(&self) -> Option<Fragment> {
        self.blocks.first()?.nth(0, &Marks::NONE)
    }

    /// The last fragment.
    pub fn last(&self) -> Option<Fragment> {
        if self.is_empty() {
            return None;
        }
        let Last { start, duration, .. } = self.last;
        Some(Fragment { index: self.next.saturating_sub(1), start, duration })
    }

    /// Where the last fragment ends; 0 without fragments.
    pub fn end(&self) -> u64 {
        self.last().map_or(0, Fragment::end)
    }

    /// The fragment that plays at `time`; in a gap or after the end the one before. `None` when `time` is before
    /// the first.
    pub fn at_or_before(&self, time: u64) -> Option<Fragment> {
        // Live, this is what is asked for most.
        if let Some(last) = self.last().filter(|last| LIVE && last.start <= time) {
            return Some(last);
        }
        let block = self.block_before(|block| block.start <= time)?;
        block.at_or_before(time, &self.marks_of(block))
    }

    /// The first fragment that starts after `start`.
    pub fn after(&self, start: u64) -> Option<Fragment> {
        if !LIVE {
            return match self.at_or_before(start) {
                Some(before) => self.get(before.index.checked_add(1)?),
                None => self.first(),
            };
        }
        if self.last().is_some_and(|last| last.start <= start) {
            return None;
        }
        let Some(block) = self.block_before(|block| block.start <= start) else { return self.first() };
        match block.after(start, &self.marks_of(block)) {
            Some(fragment) => Some(fragment),
            None => self.get(block.first.checked_add(block.count)?),
        }
    }

    /// All fragments in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { blocks: self.blocks.iter(), cursor: Cursor::default() }
    }

    /// The fragments in order from `index` on, or from the first when that was dropped.
    pub fn iter_from(&self, index: u32) -> Iter<'_> {
        let at = self.blocks.partition_point(|block| block.first <= index).saturating_sub(1);
        let mut iter =
            Iter { blocks: self.blocks.get(at..).unwrap_or(&[]).iter(), cursor: Cursor::default() };
        if let Some(block) = iter.blocks.next() {
            iter.cursor = block.cursor_at(index.saturating_sub(block.first), &self.marks_of(block));
        }
        iter
    }

    /// The same in runs: a fragment, and how many there are from it on that are like it and leave no gap. A list may have
    /// millions of those; nothing should look at each.
    pub(super) fn runs_from(&self, index: u32) -> impl Iterator<Item = (Fragment, u32)> + '_ {
        let mut iter = self.iter_from(index);
        core::iter::from_fn(move || {
            if let Some(run) = iter.cursor.run() {
                return Some(run);
            }
            iter.cursor = iter.blocks.next()?.cursor();
            iter.cursor.run()
        })
    }

    /// Bytes charged for this timeline.
    pub fn charged_bytes(&self) -> usize {
        let data = self.blocks.iter().map(|block| block.data.charged());
        data.fold(self.blocks.charged(), usize::saturating_add)
    }

    /// Appends what [`Timeline::push`] has checked.
    fn append(&mut self, account: &mut Account, start: u64, duration: u64, count: u32) -> Result<()> {
        let last = self.last;
        let appended = match self.blocks.last_mut() {
            Some(block) => block.append(account, last, start, duration, count)?,
            None => None,
        };
        let at = match appended {
            Some(at) => at,
            None => {
                // Growth by an eighth: the list is small beside the blocks, but a day has hundreds. If that is too
                // much, one more may still fit.
                if self.blocks.len() == self.blocks.capacity() {
                    let len = self.blocks.len();
                    let _ = self.blocks.reserve_exact(account, len.saturating_add(len / 8).saturating_add(1));
                }
                self.blocks.push(account, Block::run(self.next, start, duration, count))?;
                self.marks = Marks::NONE;
                0
            }
        };
        self.next = self.next.saturating_add(count);
        let before = if count > 1 { duration } else { last.duration };
        let start = start.wrapping_add(duration.wrapping_mul(u64::from(count.wrapping_sub(1))));
        self.last = Last { start, duration, before, at };
        if let Some(block) = self.blocks.last().filter(|_| LIVE) {
            block.mark(&mut self.marks, start, duration);
        }
        Ok(())
    }

    fn marks_of(&self, block: &Block) -> Marks {
        let last = LIVE && self.blocks.last().is_some_and(|last| last.first == block.first);
        if last { self.marks } else { Marks::NONE }
    }

    /// The last block for which `before` holds; it must hold for none after one for which it does not.
    fn block_before(&self, before: impl Fn(&Block) -> bool) -> Option<&Block> {
        self.blocks.get(self.blocks.partition_point(before).checked_sub(1)?)
    }
}

/// The fragments of a [`Timeline`] in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    blocks: core::slice::Iter<'a, Block>,
    cursor: Cursor<'a>,
}

impl Iterator for Iter<'_> {
    type Item = Fragment;

    fn next(&mut self) -> Option<Fragment> {
        if let Some(fragment) = self.cursor.next() {
            return Some(fragment);
        }
        self.cursor = self.blocks.next()?.cursor();
        self.cursor.next()
    }
}

impl<'a> IntoIterator for &'a Timeline {
    type Item = Fragment;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

const fn impossible() -> Error {
    Error::at(Code::ManifestTimeline, "c", 0)
}
