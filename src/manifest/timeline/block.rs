//! A block of a timeline: a run of equal durations, or bytes that tell each fragment from the one before.
//!
//! The bytes of one fragment are the change of duration, zigzag-folded so that small changes of either sign are
//! small, and only if there is one the gap before it. The first byte holds six bits of the change above a flag for
//! the gap; the rest are groups of seven bits, lowest first. An unchanged duration without a gap is one zero byte.

use super::{Fragment, Last};
use crate::error::Result;
use crate::mem::{Account, Bytes};

/// Bytes of storage of a block that is no run.
const STORAGE: usize = 512;
/// The most bytes one fragment takes: twice 64 bits.
const ENTRY: usize = 20;
/// Fragments from which on a run is worth a block of its own.
const RUN: u32 = 32;

const GAP: u8 = 1;
const MORE: u8 = 0x80;

#[derive(Debug)]
pub(super) struct Block {
    /// Start and duration of the first fragment.
    pub(super) start: u64,
    pub(super) duration: u64,
    /// Index of the first fragment, and how many there are: never 0.
    pub(super) first: u32,
    pub(super) count: u32,
    /// Fragments after the first; those without bytes are like it.
    pub(super) data: Bytes,
}

/// Places near the end of a block from which it can be decoded, the earlier first: live, little else is ever asked for.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Marks([Mark; MARKS]);

/// How many there are: none where lists do not grow.
const MARKS: usize = if super::LIVE { 2 } else { 0 };
/// Fragments between two marks.
const APART: u32 = 16;

impl Marks {
    /// No marks.
    pub(super) const NONE: Marks = Marks([Mark { n: 0, at: 0, start: 0, duration: 0 }; MARKS]);

    /// Forgets those of fragments that a block of `count` has no more.
    pub(super) fn forget(&mut self, count: u32) {
        for mark in self.0.iter_mut().filter(|mark| mark.n >= count) {
            *mark = Mark::default();
        }
    }
}

/// The fragment `n` after the first, and where the bytes of those behind it begin; `n` is 0 where there is no mark.
#[derive(Clone, Copy, Default, Debug)]
struct Mark {
    n: u32,
    at: u32,
    start: u64,
    duration: u64,
}

impl Block {
    pub(super) const fn run(first: u32, start: u64, duration: u64, count: u32) -> Block {
        Block { start, duration, first, count, data: Bytes::new() }
    }

    /// Appends fragments after `last`, and says where the bytes of the last of them begin; `None` when this block
    /// is no place for them.
    pub(super) fn append(
        &mut self,
        account: &mut Account,
        last: Last,
        start: u64,
        duration: u64,
        count: u32,
    ) -> Result<Option<usize>> {
        let gap = start.wrapping_sub(last.start).wrapping_sub(last.duration);
        if self.is_run() {
            if gap == 0 && duration == self.duration {
                self.count = self.count.saturating_add(count);
                return Ok(Some(0));
            }
            if self.count > RUN || count > RUN {
                return Ok(None);
            }
            self.data.reserve_exact(account, STORAGE)?;
            self.data.resize(account, self.count.saturating_sub(1) as usize, 0)?;
        }
        let mut entry = [0; ENTRY];
        let entry = encode(duration.wrapping_sub(last.duration), gap, &mut entry);
        let (at, more) = (self.data.len(), count.saturating_sub(1) as usize);
        let end = at.saturating_add(entry.len()).saturating_add(more);
        if count > RUN || end > STORAGE {
            return Ok(None);
        }
        self.data.extend(account, entry)?;
        self.data.resize(account, end, 0)?;
        self.count = self.count.saturating_add(count);
        Ok(Some(if more == 0 { at } else { end.saturating_sub(1) }))
    }

    /// A cursor at the latest mark that `before` says is early enough, or at the first fragment.
    fn cursor_from(&self, marks: &Marks, before: impl Fn(&Mark) -> bool) -> Cursor<'_> {
        if !super::LIVE {
            return self.cursor();
        }
        let marked = marks.0.iter().rev().find(|mark| mark.n > 0 && before(mark));
        let Some(mark) = marked else { return self.cursor() };
        let index = self.first.wrapping_add(mark.n);
        Cursor {
            data: self.data.get(mark.at as usize..).unwrap_or(&[]),
            left: self.count.saturating_sub(mark.n),
            now: Fragment { index, start: mark.start, duration: mark.duration },
        }
    }

    /// Takes off the last fragment, whose bytes begin at `at`, and says how large the gap before it was. There must
    /// be one before it.
    pub(super) fn pop(&mut self, at: usize) -> u64 {
        self.count = self.count.saturating_sub(1);
        let entry = if self.is_run() { &[] } else { self.data.get(at..).unwrap_or(&[]) };
        let gap = decode(entry).map_or(0, |(_, gap, _)| gap);
        self.data.truncate(at);
        gap
    }

    /// Drops fragments of a run that end at or before `time`, except the last.
    pub(super) fn drop_before(&mut self, time: u64) {
        if !self.is_run() {
            return;
        }
        let gone = time.saturating_sub(self.start).checked_div(self.duration).unwrap_or(0);
        let gone = gone.min(u64::from(self.count.saturating_sub(1)));
        self.start = self.start.wrapping_add(self.duration.wrapping_mul(gone));
        self.first = self.first.wrapping_add(gone as u32);
        self.count = self.count.wrapping_sub(gone as u32);
    }

    /// Drops fragments that start at `time` or later, except the first.
    pub(super) fn truncate(&mut self, time: u64) {
        if self.is_run() {
            let before = time.saturating_sub(self.start).checked_div(self.duration);
            let exact = time.saturating_sub(self.start).checked_rem(self.duration) == Some(0);
            let keep = before.map_or(1, |n| n.saturating_add(u64::from(!exact))).max(1);
            self.count = u64::from(self.count).min(keep) as u32;
            return;
        }
        let (mut cursor, mut keep, mut len) = (self.cursor(), 1u32, self.data.len());
        while keep < self.count {
            // Where the bytes of the fragment that comes next begin.
            let begins = self.data.len().saturating_sub(cursor.data.len());
            cursor.next();
            if cursor.now.start >= time {
                len = begins;
                break;
            }
            keep = keep.saturating_add(1);
        }
        self.count = keep;
        self.data.truncate(len);
    }

    /// What appending needs to know of the last fragment.
    pub(super) fn tail(&self) -> Last {
        let mut last = Last { start: self.start, duration: self.duration, before: 0, at: 0 };
        let more = u64::from(self.count.saturating_sub(1));
        if self.is_run() {
            last.start = self.start.wrapping_add(self.duration.wrapping_mul(more));
            last.before = self.duration;
            return last;
        }
        let mut cursor = self.cursor();
        for _ in 0..more {
            last.at = self.data.len().saturating_sub(cursor.data.len());
            last.before = cursor.now.duration;
            cursor.next();
            last.start = cursor.now.start;
            last.duration = cursor.now.duration;
        }
        last
    }

    pub(super) fn end(&self) -> u64 {
        if self.is_run() {
            return self.start.wrapping_add(self.duration.wrapping_mul(u64::from(self.count)));
        }
        self.cursor().last().map_or(self.start, Fragment::end)
    }

    /// The fragment `n` after the first.
    pub(super) fn nth(&self, n: u32, marks: &Marks) -> Option<Fragment> {
        if n < self.count { self.cursor_at(n, marks).next() } else { None }
    }

    /// The last fragment that starts at or before `time`.
    pub(super) fn at_or_before(&self, time: u64, marks: &Marks) -> Option<Fragment> {
        if self.is_run() {
            let n = time.checked_sub(self.start)?.checked_div(self.duration).unwrap_or(0);
            return self.nth(n.min(u64::from(self.count.saturating_sub(1))) as u32, marks);
        }
        self.cursor_from(marks, |mark| mark.start <= time)
            .take_while(|fragment| fragment.start <= time)
            .last()
    }

    /// The first fragment that starts after `time`.
    pub(super) fn after(&self, time: u64, marks: &Marks) -> Option<Fragment> {
        if self.is_run() {
            let before = time.checked_sub(self.start).map(|t| t.checked_div(self.duration).unwrap_or(0));
            let n = before.map_or(0, |n| n.saturating_add(1));
            return u32::try_from(n).ok().and_then(|n| self.nth(n, marks));
        }
        self.cursor_from(marks, |mark| mark.start <= time).find(|fragment| fragment.start > time)
    }

    pub(super) fn cursor(&self) -> Cursor<'_> {
        let now = Fragment { index: self.first, start: self.start, duration: self.duration };
        Cursor { data: &self.data, left: self.count, now }
    }

    /// A cursor at the fragment `n` after the first, at its end when there are fewer.
    pub(super) fn cursor_at(&self, n: u32, marks: &Marks) -> Cursor<'_> {
        let n = n.min(self.count);
        let mut cursor = self.cursor_from(marks, |mark| mark.n <= n);
        if self.is_run() {
            cursor.left = cursor.left.wrapping_sub(n);
            cursor.now.index = cursor.now.index.wrapping_add(n);
            cursor.now.start = self.start.wrapping_add(self.duration.wrapping_mul(u64::from(n)));
        } else {
            for _ in 0..n.saturating_sub(cursor.now.index.wrapping_sub(self.first)) {
                cursor.next();
            }
        }
        cursor
    }

    /// Marks the last fragment, which has these times, where the last mark is far enough from it.
    pub(super) fn mark(&self, marks: &mut Marks, start: u64, duration: u64) {
        let [earlier, latest] = marks.0.as_mut_slice() else { return };
        if !self.is_run() && self.count.saturating_sub(latest.n) > APART {
            let (n, at) = (self.count.saturating_sub(1), self.data.len() as u32);
            *earlier = core::mem::replace(latest, Mark { n, at, start, duration });
        }
    }

    fn is_run(&self) -> bool {
        self.data.capacity() == 0
    }
}

/// Decodes a block from front to back.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    data: &'a [u8],
    left: u32,
    now: Fragment,
}

impl Default for Cursor<'_> {
    fn default() -> Self {
        Cursor { data: &[], left: 0, now: Fragment { index: 0, start: 0, duration: 0 } }
    }
}

impl Cursor<'_> {
    /// The next fragment, and how many there are from it on that are like it and leave no gap.
    pub(super) fn run(&mut self) -> Option<(Fragment, u32)> {
        if self.data.is_empty() && self.left > 0 {
            return Some((self.now, core::mem::take(&mut self.left)));
        }
        self.next().map(|fragment| (fragment, 1))
    }
}

impl Iterator for Cursor<'_> {
    type Item = Fragment;

    fn next(&mut self) -> Option<Fragment> {
        self.left = self.left.checked_sub(1)?;
        let current = self.now;
        self.now.index = current.index.wrapping_add(1);
        self.now.start = current.start.wrapping_add(current.duration);
        if let Some((change, gap, rest)) = decode(self.data) {
            self.now.start = self.now.start.wrapping_add(gap);
            self.now.duration = current.duration.wrapping_add(change);
            self.data = rest;
        }
        Some(current)
    }
}

/// The bytes of a fragment whose duration is `change` more, in two's complement, and which starts after `gap`.
fn encode(change: u64, gap: u64, buffer: &mut [u8; ENTRY]) -> &[u8] {
    let mut rest = (change << 1) ^ ((change as i64 >> 63) as u64);
    let mut first = (rest as u8 & 63) << 1;
    rest >>= 6;
    if gap != 0 {
        first |= GAP;
    }
    if rest != 0 {
        first |= MORE;
    }
    let mut used = 0usize;
    let mut places = buffer.iter_mut();
    let mut put = |byte| {
        if let Some(place) = places.next() {
            *place = byte;
            used = used.wrapping_add(1);
        }
    };
    put(first);
    for mut value in [rest, gap] {
        // At most ten groups.
        while value != 0 {
            let more = if value > 127 { MORE } else { 0 };
            put(value as u8 & 127 | more);
            value >>= 7;
        }
    }
    buffer.get(..used).unwrap_or(&[])
}

/// The change of duration in two's complement, the gap, and what follows.
fn decode(data: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (first, rest) = data.split_first()?;
    let (high, rest) = if first & MORE != 0 { groups(rest)? } else { (0, rest) };
    let (gap, rest) = if first & GAP != 0 { groups(rest)? } else { (0, rest) };
    let folded = high << 6 | u64::from(first >> 1 & 63);
    Some(((folded >> 1) ^ (folded & 1).wrapping_neg(), gap, rest))
}

/// A number in groups of seven bits, at most ten of them.
fn groups(data: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut shift, mut rest) = (0u64, 0u32, data);
    while shift < 70 {
        let (byte, after) = rest.split_first()?;
        value |= u64::from(byte & 127).checked_shl(shift).unwrap_or(0);
        rest = after;
        if byte & MORE == 0 {
            return Some((value, rest));
        }
        shift = shift.wrapping_add(7);
    }
    None
}
