//! From the `c` elements of a stream to its timeline. [MS-SSTR] 2.2.2.6, 3.1.5.1.

use super::{Fragment, Timeline};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::Account;

/// The attributes of one `c` element that make times; `None` where one is absent. `t="0"` is not absent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct C {
    /// Start time in ticks of the stream.
    pub t: Option<u64>,
    /// Duration of each fragment in ticks.
    pub d: Option<u64>,
    /// How many fragments the element stands for; absent, 0 and 1 are one.
    pub r: Option<u64>,
}

/// What is known of the end when the last `c` has no duration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The presentation is complete and, if the manifest says so, this long in ticks of the stream.
    Vod(Option<u64>),
    /// Fragments will follow: the last one's duration may stay unknown.
    Live,
}

/// Builds a [`Timeline`] from `c` elements in document order.
///
/// A missing start is the end of the element before; a missing duration is learnt from the start of the next. Time
/// that overlaps is taken from the earlier fragment; a gap stays one.
#[derive(Debug, Default)]
pub struct TimelineBuilder {
    timeline: Timeline,
    /// The element whose duration the next one will tell.
    pending: Option<Pending>,
    /// Start of the element before.
    previous: u64,
    /// Where the next element starts when it does not say so.
    next: u64,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    start: u64,
    count: u32,
    offset: u64,
}

impl TimelineBuilder {
    /// A builder without elements, which holds nothing.
    pub const fn new() -> TimelineBuilder {
        TimelineBuilder { timeline: Timeline::new(), pending: None, previous: 0, next: 0 }
    }

    /// Takes the next element. `seen` counts those of the whole manifest; `offset` is where the element lies.
    ///
    /// An element of duration 0, which some live packagers write, is no fragment; its start still counts.
    ///
    /// # Errors
    /// [`Code::ManifestTimeline`] for a start before the one of the previous element or equal to that of a fragment,
    /// for a missing start after an unknown duration, for times that pass 64 bits, or for too large a repeat;
    /// [`Code::LimitFragments`]; [`Code::Budget`] or [`Code::NoMemory`].
    pub fn element(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        seen: &mut u32,
        c: C,
        offset: u64,
    ) -> Result<()> {
        *seen = seen.saturating_add(1);
        if *seen > limits.fragments {
            return Err(Error::at(Code::LimitFragments, "c", offset));
        }
        let count = match u32::try_from(c.r.unwrap_or(1).max(1)) {
            Ok(count) if count <= limits.repeat => count,
            _ => return Err(bad("c@r", offset)),
        };
        let start = match c.t {
            Some(start) => start,
            None if self.pending.is_some() => return Err(bad("c@t", offset)),
            None => self.next,
        };
        if start < self.previous {
            return Err(bad("c@t", offset));
        }
        if let Some(pending) = self.pending.take() {
            let whole = start.saturating_sub(pending.start);
            match whole.checked_div(u64::from(pending.count)) {
                None | Some(0) => return Err(bad("c@t", offset)),
                Some(duration) => self.push(account, pending, duration)?,
            }
        }
        let now = Pending { start, count, offset };
        match c.d {
            Some(0) => self.next = start,
            Some(duration) => self.push(account, now, duration)?,
            None => self.pending = Some(now),
        }
        self.previous = start;
        Ok(())
    }

    /// Ends the stream and returns its timeline; the builder is as new.
    ///
    /// A last element without duration lasts to the end of a complete presentation, or as long as the fragment
    /// before it; live, or if nothing tells, its duration is 0 for unknown.
    ///
    /// # Errors
    /// [`Code::ManifestTimeline`] when several fragments have no duration; [`Code::Budget`] or [`Code::NoMemory`].
    /// The builder still holds its memory then: call [`TimelineBuilder::free`].
    pub fn finish(&mut self, account: &mut Account, end: End) -> Result<Timeline> {
        if let Some(pending) = self.pending.take() {
            let duration = match end {
                End::Live => 0,
                End::Vod(total) => {
                    let rest = total.unwrap_or(0).saturating_sub(pending.start);
                    match rest.checked_div(u64::from(pending.count)) {
                        None | Some(0) => self.timeline.last().map_or(0, |before| before.duration),
                        Some(duration) => duration,
                    }
                }
            };
            if duration == 0 && pending.count > 1 {
                return Err(bad("c@d", pending.offset));
            }
            self.push(account, pending, duration)?;
        }
        let timeline = core::mem::take(&mut self.timeline);
        *self = TimelineBuilder::new();
        Ok(timeline)
    }

    /// Start of the element before; 0 before the first.
    pub const fn start(&self) -> u64 {
        self.previous
    }

    /// Where the next element starts when it does not say so; `None` while the duration before it is unknown.
    pub const fn expected(&self) -> Option<u64> {
        if self.pending.is_some() { None } else { Some(self.next) }
    }

    /// The last fragment whose duration is known.
    pub fn last(&self) -> Option<Fragment> {
        self.timeline.last()
    }

    /// Frees everything and takes it off the account; the builder is as new.
    pub fn free(&mut self, account: &mut Account) {
        self.timeline.free(account);
        *self = TimelineBuilder::new();
    }

    fn push(&mut self, account: &mut Account, what: Pending, duration: u64) -> Result<()> {
        let Pending { start, count, offset } = what;
        self.timeline.push(account, start, duration, count).map_err(|error| match error.code {
            Code::ManifestTimeline => bad("c", offset),
            _ => error,
        })?;
        self.next = self.timeline.end();
        Ok(())
    }
}

const fn bad(at: &'static str, offset: u64) -> Error {
    Error::at(Code::ManifestTimeline, at, offset)
}
