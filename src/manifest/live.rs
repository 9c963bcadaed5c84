//! How the timeline of a live stream grows: by what fragments announce of their successors, and by a manifest read again.
//!
//! Only times that the origin wrote are kept: those of a manifest, and those of `tfrf` entries ([MS-SSTR] 2.2.4.5). Nothing
//! is ever computed from how long something lasts.

use super::timeline::{Fragment, Timeline};
use crate::error::Result;
use crate::mem::Account;
use crate::time::TimeScale;

/// Fragments at the end of a timeline whose times may still be put right.
const LATEST: usize = 16;

/// What an announcement has brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Learned {
    /// Nothing: the fragment is listed, or lies before the end of the list.
    Known,
    /// A listed fragment has another time than was thought.
    Corrected,
    /// The list has grown.
    Grown,
}

/// How a list that was read again stands to the one known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// Either has no fragment: nothing can be said.
    Unknown,
    /// It overlaps the one known, or lies behind it.
    Continues,
    /// It lies wholly before the one known: the encoder counts anew.
    Restarted,
}

/// Whether a list that was read again may be short of what has been announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// More may be known than it says.
    Open,
    /// It is all there will ever be.
    Final,
}

impl Timeline {
    /// Takes in a fragment that one before it announced, of `duration` ticks (0: unknown).
    ///
    /// An announced time goes before a listed one that differs by less than half a fragment: a list may have been made by
    /// adding durations up. What lies between the end and `time` stays a gap, unless it is rounding; then the fragment before
    /// lasts until `time`.
    ///
    /// # Errors
    /// As [`Timeline::push`].
    pub fn announce(
        &mut self,
        account: &mut Account,
        scale: TimeScale,
        time: u64,
        duration: u64,
    ) -> Result<Learned> {
        let Some(near) = self.near(time, duration) else {
            if self.last().is_some_and(|last| time <= last.start) {
                return Ok(Learned::Known);
            }
            self.extend(account, scale, time, duration)?;
            return Ok(Learned::Grown);
        };
        if near.start == time {
            // Only the last one's length may be unknown.
            if near.duration == 0 && duration != 0 && self.last() == Some(near) {
                self.set_last_duration(account, duration)?;
                return Ok(Learned::Corrected);
            }
            return Ok(Learned::Known);
        }
        let behind = self.iter_from(near.index.saturating_add(1));
        let mut rest: heapless::Vec<Fragment, LATEST> = heapless::Vec::new();
        for fragment in behind {
            if rest.push(fragment).is_err() {
                // Too far back to matter.
                return Ok(Learned::Known);
            }
        }
        self.truncate(account, near.start);
        let length = if duration == 0 { near.duration } else { duration };
        self.extend(account, scale, time, length)?;
        for fragment in rest.iter().filter(|f| f.start > time) {
            self.extend(account, scale, fragment.start, fragment.duration)?;
        }
        Ok(Learned::Corrected)
    }

    /// The fragment whose start differs from `time` by less than half of its length, or of `duration` ticks where its own is
    /// not known.
    pub fn near(&self, time: u64, duration: u64) -> Option<Fragment> {
        let close = |f: &Fragment| {
            let length = if f.duration == 0 { duration } else { f.duration };
            f.start == time || f.start.abs_diff(time) < length / 2
        };
        let before = self.at_or_before(time);
        before.filter(close).or_else(|| {
            let next = match before {
                Some(before) => self.get(before.index.checked_add(1)?),
                None => self.first(),
            };
            next.filter(close)
        })
    }

    /// How `newer`, read from the manifest again, stands to this list.
    pub fn relation(&self, newer: &Timeline) -> Relation {
        match (self.first(), newer.last()) {
            (Some(first), Some(last)) if last.end() <= first.start => Relation::Restarted,
            (Some(_), Some(_)) => Relation::Continues,
            _ => Relation::Unknown,
        }
    }

    /// Makes this list what is known after `newer` was read: `newer` where it says something; what this one knows beyond its
    /// end, unless that is [`Tail::Final`] (the answer may come from a stale cache); and before its beginning what ends later
    /// than `keep_from`. A fragment is the same in both where its time is.
    ///
    /// # Errors
    /// As [`Timeline::push`]. This list is then as much of it as there was room for.
    pub fn merge(
        &mut self,
        account: &mut Account,
        scale: TimeScale,
        newer: &mut Timeline,
        keep_from: u64,
        end: Tail,
    ) -> Result<()> {
        let (Some(first), Some(last)) = (newer.first(), newer.last()) else { return Ok(()) };
        let mut tail = Timeline::new();
        let copied = match end {
            Tail::Open => self.copy_after(account, &mut tail, last),
            Tail::Final => Ok(()),
        };
        let merged = copied.and_then(|()| {
            let begins = first.start.saturating_sub(first.duration / 2);
            let head =
                begins.checked_sub(1).and_then(|t| self.at_or_before(t)).is_some_and(|f| f.end() > keep_from);
            if !head {
                self.free(account);
                *self = core::mem::take(newer);
                return Ok(());
            }
            self.truncate(account, begins);
            self.drop_before(account, keep_from);
            self.extend_by(account, scale, newer)
        });
        let merged = merged.and_then(|()| self.extend_by(account, scale, &tail));
        tail.free(account);
        newer.free(account);
        merged
    }

    /// Drops fragments that start before `time`, to the fragment where there is memory for it; never the last one.
    pub fn forget_before(&mut self, account: &mut Account, time: u64) {
        let time = time.min(self.last().map_or(0, |last| last.start));
        if self.first().is_none_or(|first| first.start >= time) {
            return;
        }
        let mut kept = Timeline::new();
        let from = self.after(time.saturating_sub(1)).map_or(0, |f| f.index);
        let copied =
            self.runs_from(from).try_for_each(|(f, count)| kept.push(account, f.start, f.duration, count));
        if copied.is_err() {
            kept.free(account);
            return self.drop_before(account, time);
        }
        self.free(account);
        *self = kept;
    }

    /// Copies what follows `last` into `tail`.
    fn copy_after(&self, account: &mut Account, tail: &mut Timeline, last: Fragment) -> Result<()> {
        let beyond = last.start.saturating_add(last.duration / 2);
        let Some(first) = self.after(beyond) else { return Ok(()) };
        self.runs_from(first.index).try_for_each(|(f, count)| tail.push(account, f.start, f.duration, count))
    }

    /// Appends all of another list.
    fn extend_by(&mut self, account: &mut Account, scale: TimeScale, more: &Timeline) -> Result<()> {
        more.runs_from(0)
            .try_for_each(|(f, count)| self.extend_run(account, scale, f.start, f.duration, count))
    }

    /// Appends a fragment; a gap before it that is no more than rounding is closed.
    fn extend(&mut self, account: &mut Account, scale: TimeScale, start: u64, duration: u64) -> Result<()> {
        self.extend_run(account, scale, start, duration, 1)
    }

    /// The same with `count` fragments that follow each other.
    fn extend_run(
        &mut self,
        account: &mut Account,
        scale: TimeScale,
        start: u64,
        duration: u64,
        count: u32,
    ) -> Result<()> {
        if let Some(last) = self.last()
            && start > last.end()
            && !last.hole_before(Fragment { index: 0, start, duration }, scale)
        {
            self.set_last_duration(account, start.saturating_sub(last.start))?;
        }
        self.push(account, start, duration, count)
    }
}

#[cfg(test)]
mod tests;
