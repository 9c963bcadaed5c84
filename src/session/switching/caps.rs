//! Which levels may be shown: screen, host, and a decoder that drops pictures.

use super::super::Session;
use super::super::config::PictureCap;
use super::super::feed::Cursor;
use super::rung_of;
use crate::codec::Kind;
use crate::io::{Buffered, EventKind, StreamId};
use crate::time::{Instant, Micros};

/// What is due sooner stays in the buffer, whatever the decoder makes of it.
const KEPT: Micros = Micros::from_secs(4);

impl Session {
    /// Caps the pictures to be fetched from now on, because the screen or the viewer's wish has changed. What is buffered
    /// plays.
    pub fn cap(&mut self, at: Instant, cap: PictureCap) {
        self.advance(at);
        self.switching.cap = cap;
        self.switching.pending = None;
    }

    /// Whether rung `n` of stream `i` may be chosen now.
    pub(super) fn may_show(&self, i: usize, n: usize) -> bool {
        let Some(feed) = self.feeds.get(i) else { return false };
        let Some(rung) = feed.rungs.get(n).filter(|r| r.is_open()) else { return false };
        let within = |size: u32, most: u32| most == 0 || size <= most;
        let cap = self.switching.cap;
        let level = self.listed(feed.id).and_then(|s| s.levels.get(usize::from(rung.level)));
        let fits =
            level.is_none_or(|l| within(l.config.width, cap.width) && within(l.config.height, cap.height));
        let held = self.switching.frames.cap(self.now).is_none_or(|most| n <= most);
        fits && held && within(rung.bitrate, cap.bitrate)
    }

    /// The decoder of `stream` has reported.
    pub(in super::super) fn pictures_shown(&mut self, stream: StreamId, state: Buffered) {
        let now = self.now;
        let Some(i) = self.feed_of(stream) else { return };
        if !self.is_planned(i) {
            return;
        }
        let dropped = core::mem::replace(&mut self.switching.dropped, state.dropped);
        if !self.clock.running() {
            self.switching.frames_seen = now;
            return;
        }
        let Some(feed) = self.feeds.get(i).filter(|f| f.kind == Kind::Video) else { return };
        if let Some(front) = feed.queue.first().filter(|f| !f.table.samples().is_empty()) {
            let count = front.table.samples().len() as u64;
            self.switching.picture = Micros(feed.scale.micros(front.duration).0 / count.max(1));
        }
        let passed = now.since(self.switching.frames_seen);
        self.switching.frames_seen = now;
        let Some(level) = feed.fed.and_then(|level| rung_of(feed, level)) else { return };
        let (picture, lost) = (self.switching.picture.0, u64::from(state.dropped.saturating_sub(dropped)));
        let shown = passed.0.checked_div(picture).unwrap_or(0).saturating_sub(lost);
        if self.switching.frames.cap(now).is_some_and(|most| level > most) {
            // Fetched before the cap: it has been judged.
            return;
        }
        if !self.switching.frames.report(now, level, shown, lost) {
            return;
        }
        self.switching.pending = None;
        let Some(most) = self.switching.frames.cap(now) else { return };
        let Some(feed) = self.feeds.get(i) else { return };
        let bitrate = feed.rungs.get(most).map_or(0, |r| r.bitrate);
        let until = self.switching.frames.until().map_or(Micros::ZERO, |u| u.since(now));
        let event = self.event(EventKind::DroppingFrames).about(stream).numbers(u64::from(bitrate), until.0);
        self.tell(event);
        self.take_back_above(i, most);
    }

    /// Gives up what lies in the queue above rung `most`, but for what is due soon.
    fn take_back_above(&mut self, i: usize, most: usize) {
        let Some(feed) = self.feeds.get(i) else { return };
        let mut due = feed.depth(self.now, self.clock.running());
        let mut first = None;
        for (n, fragment) in feed.queue.iter().enumerate() {
            let high = rung_of(feed, fragment.level).is_some_and(|r| r > most);
            if n > 0 && high && due >= KEPT && feed.replaces != Some(fragment.start) {
                first = Some(n);
                break;
            }
            due = due.plus(feed.scale.micros(fragment.left()));
        }
        let Some(first) = first else { return };
        self.cancel_fetch(i);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let Some((start, hole)) = feed.queue.get(first).map(|f| (f.start, f.after_hole)) else { return };
        let mut wasted = 0u64;
        // Each turn takes one out.
        while feed.queue.len() > first {
            let last = feed.queue.len().saturating_sub(1);
            wasted = wasted.saturating_add(feed.queue.get(last).map_or(0, |f| f.body.len()));
            feed.recycle(pool, account, last);
        }
        feed.checked.clear();
        feed.retrying = false;
        feed.retry = Default::default();
        feed.hole_behind = hole;
        feed.cursor = Cursor::Covering(start);
        self.stats.wasted = self.stats.wasted.saturating_add(wasted);
    }
}
