//! Pauses of every kind: the host's, the box's, the network's, and clocks that jump.

use super::super::config::LiveStart;
use super::super::{Session, State};
use super::{LIVE, Power, Target};
use crate::error::{Code, Result};
use crate::io::{Network, RefreshReason};
use crate::time::{Instant, Micros};

/// A step back of the host's clock up to this is waited out.
const STEP: i64 = 1_000_000;
/// A call that comes later than this after it was due comes after a jump of the clock.
const JUMP: i64 = 60_000_000;
/// Within this time everything that waits for the network starts, so that a fleet does not knock in step.
const SPREAD: u64 = 1_000_000;

impl Session {
    /// The box goes to sleep, or the viewer elsewhere: every exchange is cancelled, the clock is held, and nothing is asked
    /// for until [`Session::resume`]. Samples that are at hand may still be taken.
    ///
    /// # Errors
    /// [`Code::Unsupported`] in a build without `live`.
    pub fn suspend(&mut self, at: Instant) -> Result<()> {
        if !LIVE {
            return Err(Code::Unsupported.into());
        }
        self.advance(at);
        if self.live.power != Power::Suspended {
            self.live.slept = Some((self.position(), self.now));
            self.live.power = Power::Suspended;
            self.park();
        }
        Ok(())
    }

    /// The reverse of [`Session::suspend`], in a network that is up. Decoders are flushed and set up anew; playback goes on
    /// where it was. A live presentation goes on there if its window still reaches so far, as `LiveConfig::behind` says if
    /// not, and at the edge where `LiveConfig::start` says so.
    ///
    /// # Errors
    /// [`Code::Unsupported`] in a build without `live`.
    pub fn resume(&mut self, at: Instant) -> Result<()> {
        if !LIVE {
            return Err(Code::Unsupported.into());
        }
        self.advance(at);
        let Some((position, _)) = self.live.slept.take() else { return Ok(()) };
        self.live.power = Power::On;
        self.live.jumped = Micros::ZERO;
        self.spread();
        if self.state != State::Playing {
            return Ok(());
        }
        let Some(position) = position else { return Ok(()) };
        let edge = self.is_growing() && self.config.live.start == LiveStart::AlwaysEdge;
        let follow = self.live.follow;
        self.seek_to(position);
        self.live.follow = follow;
        if self.is_growing() {
            let target = if edge { Target::Edge } else { Target::Kept(position) };
            self.hold_until_read(target, RefreshReason::Resume);
        }
        Ok(())
    }

    /// The network has gone, or come back. Without it nothing is asked for and nothing counts as failed; what is at hand is
    /// played. When it is back, everything starts again within a second.
    ///
    /// # Errors
    /// [`Code::Unsupported`] in a build without `live`.
    pub fn network(&mut self, at: Instant, network: Network) -> Result<()> {
        if !LIVE {
            return Err(Code::Unsupported.into());
        }
        self.advance(at);
        match (network, self.live.power) {
            (Network::Down, Power::On) => {
                self.live.power = Power::Offline;
                self.live.offline = self.now;
                self.park();
            }
            (Network::Up, Power::Offline) => {
                self.live.power = Power::On;
                self.spread();
                if self.is_growing() && self.now.since(self.live.offline) > self.longest() {
                    self.want_list(RefreshReason::Resume);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the box sleeps.
    pub(in super::super) fn is_suspended(&self) -> bool {
        LIVE && self.live.power == Power::Suspended
    }

    /// Whether anything may be asked of the network.
    pub(in super::super) fn is_online(&self) -> bool {
        !LIVE || self.live.power == Power::On
    }

    /// Cancels every exchange; what they fetched is fetched again later.
    fn park(&mut self) {
        if let Some(exchange) = self.opening.take() {
            self.cancel = Some(exchange.id);
            if self.is_refreshing() {
                self.live.wanted = self.live.reading.take().or(self.live.wanted);
                self.end_reading();
            } else {
                self.free_parser();
            }
        }
        for i in 0..self.feeds.len() {
            if self.feeds.get(i).is_none_or(|f| f.fetch.is_none()) {
                continue;
            }
            self.cancel_fetch(i);
            let (pool, account) = (&mut self.pool, &mut self.account);
            if let Some(feed) = self.feeds.get_mut(i) {
                feed.keep_offered();
                feed.restart_back(pool, account);
                feed.retrying = true;
                feed.tail.same_level = true;
            }
        }
    }

    /// Everything that waits for the network starts again, each at its own moment.
    fn spread(&mut self) {
        let now = self.now;
        self.live.failed = 0;
        self.live.not_before = now.after(Micros(self.rng.below(SPREAD)));
        self.opening_retry = Default::default();
        self.opening_retry.not_before = now.after(Micros(self.rng.below(SPREAD)));
        for feed in self.feeds.iter_mut() {
            feed.retry.failed = 0;
            if feed.retry.not_before != Instant(u64::MAX) {
                feed.retry.not_before = now.after(Micros(self.rng.below(SPREAD)));
            }
            feed.tail.failing = None;
            feed.tail.recovering = true;
            feed.tail.grown = now;
        }
    }

    /// The host pauses.
    pub(in super::super) fn paused(&mut self) {
        if LIVE {
            self.live.paused = self.live.paused.or(Some(self.now));
        }
    }

    /// The host goes on: what it wants may have left the list meanwhile, or never come into it.
    pub(in super::super) fn unpaused(&mut self) {
        if !LIVE {
            return;
        }
        let Some(since) = self.live.paused.take() else { return };
        let paused = self.now.since(since);
        if !self.is_growing() || paused <= self.longest() {
            return;
        }
        self.live.follow = super::Follow::Position;
        let start = self.window().map(|(start, _)| start);
        let gone = |i: usize| match (self.next_fragment(i), self.feeds.get(i)) {
            (Some((next, _)), Some(feed)) => start.is_some_and(|s| feed.scale.media_time(next) < s),
            _ => true,
        };
        if self.leading().any(gone) {
            self.want_list(RefreshReason::Resume);
        }
    }

    /// Takes the host's clock. One that jumps far ahead or steps back is followed from where the session stood, so that
    /// neither deadlines nor requests pile up.
    pub(in super::super) fn follow_clock(&mut self, at: Instant) {
        let told = at.0.wrapping_add(self.live.shift);
        let due = self.live.promised.map_or(self.now, |p| p.max(self.now));
        let passed = told.wrapping_sub(self.now.0) as i64;
        let late = told.wrapping_sub(due.0) as i64;
        if passed < 0 {
            if passed < -STEP {
                self.live.shift = self.now.0.wrapping_sub(at.0);
            }
        } else if late > JUMP {
            self.now = due;
            self.live.shift = due.0.wrapping_sub(at.0);
            self.live.jumped = Micros(late.unsigned_abs());
        } else {
            self.now = Instant(told);
        }
    }

    /// The clock may start anywhere.
    pub(in super::super) fn start_clock(&mut self, at: Instant) {
        self.now = at;
        if LIVE {
            self.live.shift = 0;
            self.live.promised = None;
            self.live.jumped = Micros::ZERO;
        }
    }

    /// An instant of the session on the host's clock.
    pub(in super::super) const fn host_time(&self, at: Instant) -> Instant {
        if !LIVE {
            return at;
        }
        Instant(at.0.wrapping_sub(self.live.shift))
    }
}
