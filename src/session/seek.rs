//! Seeking, and turning streams on and off.

use super::feed::{Cursor, Join, Offer, Setup};
use super::{Session, State};
use crate::codec::Kind;
use crate::error::{Code, Result};
use crate::io::{Epoch, EventKind, StreamId};
use crate::time::{Instant, MediaTime};

impl Session {
    /// Goes on from the fragment that covers `to`. Samples before `to` carry the PREROLL flag.
    ///
    /// In a live presentation a target before the window becomes its start and a margin, one behind its end the live edge; what
    /// the list does not reach waits until the manifest has been read again.
    ///
    /// # Errors
    /// [`Code::State`] before the manifest is there and after a fatal error.
    pub fn seek(&mut self, at: Instant, to: MediaTime) -> Result<()> {
        self.advance(at);
        if !matches!(self.state, State::Playing | State::Ended) {
            return Err(Code::State.into());
        }
        let to = self.seek_target(to);
        self.seek_to(to);
        Ok(())
    }

    /// The same without further questions.
    pub(super) fn seek_to(&mut self, to: MediaTime) {
        for i in 0..self.feeds.len() {
            // What was to be replaced need not wait any longer.
            if self
                .feeds
                .get(i)
                .is_some_and(|f| cfg!(feature = "tracks") && f.selected && f.join == Join::Replacing)
            {
                self.take_over(i);
            }
        }
        self.epoch = Epoch(self.epoch.0.wrapping_add(1));
        let epoch = self.epoch;
        for i in 0..self.feeds.len() {
            self.empty_feed(i);
            if let Some(feed) = self.feeds.get_mut(i) {
                feed.epoch = epoch;
                feed.flush |= feed.selected;
            }
        }
        self.planner_jumps();
        self.place_cursors(to);
        self.clock.reset();
        self.state = State::Playing;
        self.tell(self.event(EventKind::Seeking).when(to));
    }

    /// Plays or stops playing one stream. A stream turned on starts at the position being shown; while the clock runs
    /// nothing waits for it until it has caught up.
    ///
    /// # Errors
    /// [`Code::State`] before the manifest is there, [`Code::Argument`] for a stream that cannot be played,
    /// [`Code::Unsupported`] for text in a build without it,
    /// [`Code::Budget`] when the budget cannot be divided among so many.
    pub fn select(&mut self, at: Instant, stream: StreamId, selection: Selection) -> Result<()> {
        self.advance(at);
        if !matches!(self.state, State::Playing | State::Ended) {
            return Err(Code::State.into());
        }
        let i = self.playable(stream)?;
        let wanted = selection == Selection::On;
        let Some(feed) = self.feeds.get(i) else { return Err(Code::Argument.into()) };
        if feed.selected == wanted {
            return Ok(());
        }
        if wanted && feed.rungs.iter().all(|r| !r.is_open()) {
            return Err(Code::Argument.into());
        }
        let position = self.position();
        let (running, unpaced) = (self.clock.running(), self.unpaced());
        self.select_feed(i, selection);
        if let (true, Some(feed)) = (wanted, self.feeds.get_mut(i)) {
            if let Some(position) = position {
                feed.place(position, position);
            }
            if feed.leads() && (running || unpaced) {
                feed.join = Join::Joining;
            }
            if feed.leads() {
                self.state = State::Playing;
            }
            self.turned_on(i);
        }
        let divided = self.divide_budget();
        if divided.is_err()
            && let Some(feed) = self.feeds.get_mut(i)
        {
            feed.selected = !wanted;
            let _ = self.divide_budget();
        }
        divided
    }

    /// The feed of a stream that can be played.
    pub(super) fn playable(&self, stream: StreamId) -> core::result::Result<usize, Code> {
        match self.feed_of(stream) {
            Some(i) => Ok(i),
            None if !cfg!(feature = "text") && self.listed(stream).is_some_and(|s| s.kind == Kind::Text) => {
                Err(Code::Unsupported)
            }
            None => Err(Code::Argument),
        }
    }

    /// Throws away what a stream holds, here and in its decoder.
    pub(super) fn empty_feed(&mut self, i: usize) {
        self.cancel_fetch(i);
        let now = self.now;
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.clear_queue(pool, account);
        feed.retrying = false;
        feed.retry = Default::default();
        feed.tail.emptied();
        feed.offer = Offer::None;
        feed.setup = Setup::Due;
        feed.guard.reset();
        feed.fresh = true;
        feed.discontinuity = true;
        feed.parameter_sets_due = true;
        feed.ended = false;
        feed.join = Join::Settled;
        feed.sparse.clear();
        feed.flushed(now);
    }

    /// The decoder refused the level of the fragment in front: nothing fetched at it is of use.
    pub(super) fn refetch_from_front(&mut self, i: usize) {
        self.cancel_fetch(i);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        if let Some(start) = feed.queue.first().map(|f| f.start) {
            feed.cursor = Cursor::Covering(start);
        }
        feed.discontinuity |= feed.queue.first().is_some_and(|f| f.after_hole);
        feed.clear_queue(pool, account);
        feed.retrying = false;
        feed.offer = Offer::None;
    }
}

/// Whether a stream is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selection {
    /// Play it.
    On,
    /// Do not.
    Off,
}
