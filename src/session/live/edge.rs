//! What fragments announce of their successors, and when those can be had.
//!
//! A fragment is asked for when it must be there: one that is known to be there, and the media between the two. That never
//! comes early at an origin that keeps pace, and no error adds up, for the reference stays the same until the origin shows that
//! it is wrong.

use super::super::Session;
use super::super::feed::{Cursor, Feed};
use super::super::open::ticks;
use super::{LIVE, Power};
use crate::error::{Code, Error, Result};
use crate::io::{EventKind, StreamId};
use crate::manifest::live::Learned;
use crate::manifest::timeline::Fragment;
use crate::mp4::MoofInfo;
use crate::time::{Instant, Micros, TimeScale};

use super::super::config::WindowChoice;

/// Bytes that one more fragment of a timeline may take at most: a block, and the list of blocks.
const GROWTH: usize = 2_048;
/// Fragments lost in a row from which on the next one is not asked for before its time.
const LOST: u32 = 2;
/// The least room in the budget that a timeline may grow to.
const LEAST_SHARE: usize = 2_048;

impl Session {
    /// Takes in what the fragment being fetched says of itself and of those behind it.
    ///
    /// # Errors
    /// [`Code::FragmentNotMp4`] where it says that it is another one than was asked for: origins and caches mix them up.
    pub(in super::super) fn follow(&mut self, i: usize, info: &MoofInfo) -> Result<()> {
        if !self.is_growing() {
            return Ok(());
        }
        let Some(feed) = self.feeds.get_mut(i) else { return Ok(()) };
        let (id, scale, leads) = (feed.id, feed.scale, feed.leads());
        let Some(back) = feed.queue.last() else { return Ok(()) };
        let start = back.start;
        let own = info.tfxd.map_or(info.duration, |span| span.duration);
        if let Some(span) = info.tfxd.filter(|_| leads) {
            let length = if back.duration == 0 { own } else { back.duration };
            let agrees = length == 0 || span.time.abs_diff(start) < length.div_ceil(2);
            // An origin that never agrees counts otherwise; one that announces what follows counts as its URLs do.
            if !agrees && (feed.tail.agreed || !info.tfrf.is_empty()) {
                return Err(Error::at(Code::FragmentNotMp4, "moof/traf/tfxd", 0));
            }
            feed.tail.agreed |= agrees;
        }
        let Some(back) = feed.queue.last_mut() else { return Ok(()) };
        if back.duration == 0 {
            back.duration = own;
            feed.tail.taken.1 = own;
        }
        feed.tail.ends = info.tfxd.map_or(0, |_| start.saturating_add(own));
        feed.tail.silent = info.tfrf.is_empty();
        self.make_room(GROWTH);
        let mut grown = false;
        let Some(stream) = self.manifest.as_mut().and_then(|m| m.streams.get_mut(usize::from(id.0))) else {
            return Ok(());
        };
        let timeline = &mut stream.timeline;
        if timeline.last().is_some_and(|last| last.start == start && last.duration == 0) {
            let _ = timeline.set_last_duration(&mut self.account, own);
        }
        for span in info.following(start) {
            match timeline.announce(&mut self.account, scale, span.time, span.duration) {
                Ok(Learned::Grown) => grown = true,
                Ok(_) => {}
                // There is no room: what is known of it comes again with the next fragment.
                Err(_) => break,
            }
        }
        if grown {
            self.edge_moved(i);
            self.trim(i);
        }
        Ok(())
    }

    /// Lets go of what has left the window of stream `i`, but for what is played, and of what there is no room for.
    pub(super) fn trim(&mut self, i: usize) {
        let Some(feed) = self.feeds.get(i) else { return };
        let Some(manifest) = &self.manifest else { return };
        let Some(stream) = manifest.streams.get(usize::from(feed.id.0)) else { return };
        let scale = feed.scale;
        let timeline = &stream.timeline;
        let (Some(last), len) = (timeline.last(), timeline.len()) else { return };
        let keep = manifest.lookahead.unwrap_or(0).clamp(1, 64).saturating_add(1);
        let Some(kept) = timeline.get(last.index.saturating_sub(keep)).filter(|_| len > keep) else { return };
        // What is shown, and what is fetched.
        let mut played = feed.queue.first().map_or(feed.handed, |f| f.start).min(feed.handed);
        if feed.selected {
            let depth = feed.depth(self.now, self.clock.running());
            played = played.saturating_sub(scale.ticks(depth));
            if let Cursor::Covering(time) = feed.cursor {
                played = played.min(time);
            }
        } else {
            played = u64::MAX;
        }
        let most = kept.start.min(played);
        // What is announced and not there yet does not move the window.
        let end = self.stream_end(i).map_or(last.end(), |end| ticks(end, scale).min(last.end()));
        let window = manifest.timescale.rescale(manifest.dvr_window, scale).unwrap_or(0);
        let slides = window != 0 && self.config.live.window == WindowChoice::Origin;
        let share = self.config.budget / 16 / manifest.streams.len().max(1);
        let share = share.max(LEAST_SHARE);
        let id = feed.id;
        let account = &mut self.account;
        let Some(stream) = self.manifest.as_mut().and_then(|m| m.streams.get_mut(usize::from(id.0))) else {
            return;
        };
        let timeline = &mut stream.timeline;
        if slides {
            timeline.drop_before(account, end.saturating_sub(window).min(most));
        }
        let mut gone = 0u32;
        // Each turn takes a block.
        while timeline.charged_bytes() > share && timeline.first_block_end() <= most {
            gone = gone.saturating_add(timeline.drop_block(account));
        }
        let first = timeline.first().map_or(0, |f| f.start);
        if gone > 0 {
            let event = self.event(EventKind::WindowTrimmed).about(id).when(scale.media_time(first));
            self.tell(event.numbers(gone.into(), 0));
        }
    }

    /// A fragment of stream `i` that ends at `end` is known to be there since `at`. A later instant than is known already
    /// says nothing.
    pub(super) fn publish(&mut self, i: usize, end: u64, at: Instant) {
        if self.published_at(i, end).is_none_or(|known| at < known)
            && let Some(feed) = self.feeds.get_mut(i)
        {
            feed.tail.published = Some((end, at));
        }
    }

    /// When a fragment of stream `i` that ends at `end` is sure to be there; `None` while nothing is known.
    pub(super) fn published_at(&self, i: usize, end: u64) -> Option<Instant> {
        let feed = self.feeds.get(i)?;
        let (known, at) = feed.tail.published?;
        Some(match end.checked_sub(known) {
            Some(more) => at.after(feed.scale.micros(more)),
            None => Instant(at.0.saturating_sub(feed.scale.micros(known.saturating_sub(end)).0)),
        })
    }

    /// When the fragment of stream `i` that starts at `start` is sure to be there.
    fn there_at(&self, i: usize, start: u64, duration: u64) -> Instant {
        let Some(feed) = self.feeds.get(i).filter(|f| start > f.tail.listed) else { return Instant(0) };
        let length = if duration == 0 { feed.tail.taken.1 } else { duration };
        // An encoder is never quite regular.
        let margin = Micros((feed.scale.micros(length).0 / 16).clamp(10_000, 200_000));
        self.published_at(i, start.saturating_add(length)).map_or(Instant(0), |there| there.after(margin))
    }

    /// When the fragment of stream `i` that starts at `start` may be asked for.
    pub(in super::super) fn fetch_at(&self, i: usize, start: u64, duration: u64) -> Instant {
        let mut at = self.there_at(i, start, duration);
        if let Some(feed) = self.feeds.get(i).filter(|f| f.lost_in_a_row >= LOST) {
            // What ails the origin may pass; until then its list must not be used up.
            at = at.max(feed.tail.begun.after(self.length(i).min(super::SLOWEST)));
        }
        match self.feeds.get(i) {
            // A fleet that comes back must not ask for all it has missed at once; but for what a start needs, of which the first
            // fragments may only lead up to it.
            Some(feed) if feed.tail.recovering && feed.tail.reaches(self.started_with(feed)) => {
                let pace = feed.scale.micros(feed.tail.taken.1.max(duration)).0;
                at.max(feed.tail.begun.after(Micros(pace / 5 * 4)))
            }
            _ => at,
        }
    }

    /// Up to where a stream must have media for the clock to start, in ticks.
    fn started_with(&self, feed: &Feed) -> u64 {
        feed.unseen.saturating_add(feed.scale.ticks(self.config.start_buffer))
    }

    /// Whether what stream `i` fetches next is not there yet.
    pub(in super::super) fn waits_for_edge(&self, i: usize) -> bool {
        self.is_growing()
            && self
                .next_fragment(i)
                .is_none_or(|(start, duration)| self.now < self.fetch_at(i, start, duration))
    }

    /// Whether stream `i` may start no fetch now.
    pub(in super::super) fn is_held(&self, i: usize) -> bool {
        let Some(feed) = self.feeds.get(i).filter(|_| LIVE) else { return false };
        let waits = feed.tail.hold || (feed.leads() && (self.live.hold.is_some() || self.live.unplaced));
        waits || self.live.power != Power::On
    }

    /// Whether the fragment of stream `i` that comes next may be asked for now.
    pub(in super::super) fn is_due(&mut self, i: usize, start: u64, duration: u64) -> bool {
        if !self.is_growing() {
            return true;
        }
        let ahead = self.feeds.get(i).map_or(Micros::ZERO, |f| f.ahead(self.now, self.clock.running()));
        let caught_up = ahead >= self.config.buffer_target || self.now < self.there_at(i, start, duration);
        if let Some(feed) = self.feeds.get_mut(i).filter(|_| caught_up) {
            feed.tail.recovering = false;
        }
        self.now >= self.fetch_at(i, start, duration)
    }

    /// The fragment that `cursor` points at in stream `i`'s own list: never one that is over at the time looked for, and never
    /// the one last taken up under a slightly different time.
    pub(in super::super) fn cursor_fragment(&self, i: usize) -> Option<Fragment> {
        let feed = self.feeds.get(i)?;
        let timeline = &self.listed(feed.id)?.timeline;
        match feed.cursor {
            Cursor::Covering(time) => {
                let found = timeline.at_or_before(time).or_else(|| timeline.first())?;
                if LIVE && found.duration != 0 && found.end() <= time {
                    // A hole: what is behind it comes next.
                    return timeline.after(found.start).or(Some(found));
                }
                Some(found)
            }
            Cursor::After(start) => {
                let next = timeline.after(start)?;
                let (taken, length) = feed.tail.taken;
                if LIVE && taken == start && next.start.saturating_sub(start) < length / 2 {
                    return timeline.after(next.start);
                }
                Some(next)
            }
        }
    }

    /// A fragment of stream `i` is being taken up: says what is missing before it, and what of it has been played. Returns
    /// until when its samples are only to be decoded.
    pub(in super::super) fn take_up(&mut self, i: usize, start: u64, duration: u64) -> u64 {
        if !LIVE {
            return 0;
        }
        let event = self.event(EventKind::GapSkipped);
        let Some(feed) = self.feeds.get_mut(i) else { return 0 };
        let (before, length) = feed.tail.taken;
        let follows = matches!(feed.cursor, Cursor::After(last) if last == before) && feed.leads();
        let tail = &mut feed.tail;
        tail.taken = (start, duration);
        let ends = core::mem::take(&mut tail.ends);
        tail.early = 0;
        tail.resolve = super::Resolve::No;
        tail.doubted = 0;
        tail.same_level = false;
        tail.failing = None;
        if !follows || length == 0 {
            return 0;
        }
        let last = Fragment { index: 0, start: before, duration: length };
        let next = Fragment { index: 0, start, duration };
        if last.hole_before(next, feed.scale) {
            feed.hole_behind = true;
            let hole = feed.scale.micros(start.saturating_sub(last.end()));
            let event = event.about(feed.id).when(feed.scale.media_time(last.end()));
            self.tell(event.numbers(hole.0, start));
            return 0;
        }
        // After a change of encoder two fragments may hold the same media.
        let last = Fragment { duration: ends.saturating_sub(before), ..last };
        if is_more_than_rounding(start, last, feed.scale) { last.end() } else { 0 }
    }

    /// A fragment of stream `i` has arrived whole.
    pub(in super::super) fn arrived(&mut self, i: usize, asked: Instant) {
        if !LIVE {
            return;
        }
        self.live.alive = self.now;
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let Some(back) = feed.queue.last() else { return };
        let end = back.start.saturating_add(back.duration);
        let (early, start) = (feed.tail.early, back.start);
        feed.tail.early = 0;
        feed.tail.failing = None;
        feed.tail.resolve = super::Resolve::No;
        if early > 0 {
            // It came later than was thought, and so will those behind it.
            feed.tail.published = Some((end, asked));
        }
        if self.is_growing() {
            if start > self.feeds.get(i).map_or(0, |f| f.tail.listed) {
                self.publish(i, end, asked);
            }
            self.edge_moved(i);
        }
    }

    /// Whether stream `i` is as long as the manifest says it will be.
    pub(super) fn is_long_enough(&self, i: usize) -> bool {
        let Some(manifest) = self.manifest.as_ref().filter(|m| m.duration != 0) else { return false };
        let Some(stream) = self.feeds.get(i).and_then(|f| self.listed(f.id)) else { return false };
        let (Some(first), Some(end)) = (self.live.first, stream.end_time()) else { return false };
        let slack = Micros(self.length(i).0 / 2);
        end.after(slack).since(first) >= manifest.timescale.micros(manifest.duration)
    }

    pub(super) fn id(&self, i: usize) -> Option<StreamId> {
        self.feeds.get(i).map(|f| f.id)
    }
}

fn is_more_than_rounding(start: u64, last: Fragment, scale: TimeScale) -> bool {
    let over = last.end().saturating_sub(start);
    over >= scale.ticks(Micros::from_millis(1)).max(last.duration / 100).max(1)
}
