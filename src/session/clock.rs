//! When the presentation clock runs and when it is held.

use super::{Config, Session, State};
use crate::io::{DecoderTraits, EventKind, Rate};
use crate::time::{Instant, Micros};

use super::feed::{Feed, Join, Offer, Setup};

/// While the clock runs the session looks at the decoders this often, to notice one that runs dry.
const WATCH: Micros = Micros::from_millis(100);
/// A decoder that refused a sample is asked again after this, unless it reports earlier.
const ASK_AGAIN: Micros = Micros::from_millis(20);

/// The presentation clock as ordered so far.
#[derive(Debug)]
pub(super) struct Presentation {
    order: Order,
    /// What the host wants.
    paused: bool,
    started: bool,
    stalled_at: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    /// None given yet.
    None,
    Held,
    Running,
}

impl Presentation {
    pub const fn new() -> Presentation {
        Presentation { order: Order::None, paused: false, started: false, stalled_at: None }
    }

    pub fn running(&self) -> bool {
        self.order == Order::Running
    }

    /// Whether media is being collected before the clock may start or start again.
    pub fn collecting(&self) -> bool {
        self.order != Order::Running && !self.paused
    }

    /// Whether the clock has been held for so long because a decoder ran dry.
    pub fn has_stood(&self, now: Instant, long: Micros) -> bool {
        !self.paused && self.stalled_at.is_some_and(|since| now.since(since) > long)
    }

    /// A seek: the clock waits for new media.
    pub fn reset(&mut self) {
        self.order = Order::None;
        self.stalled_at = None;
    }
}

impl Session {
    /// Holds the clock until [`Session::play`]; fetching goes on.
    pub fn pause(&mut self, at: Instant) {
        self.advance(at);
        self.clock.paused = true;
        self.paused();
    }

    /// Lets the clock run when there is enough media.
    pub fn play(&mut self, at: Instant) {
        self.advance(at);
        self.clock.paused = false;
        self.unpaused();
    }

    /// The next order to the clock, where one is due.
    pub(super) fn clock_order(&mut self) -> Option<Rate> {
        if self.unpaced() {
            if !self.clock.started && self.stats.first_sample.is_some() {
                self.mark_started();
            }
            return None;
        }
        let paused = self.clock.paused || self.is_suspended();
        match self.clock.order {
            Order::None => {
                self.clock.order = Order::Held;
                Some(Rate::Hold)
            }
            Order::Held if !paused && self.enough() => {
                self.turn(Order::Running);
                if let Some(since) = self.clock.stalled_at.take() {
                    let held = self.now.since(since);
                    self.stats.stalled = self.stats.stalled.plus(held);
                    self.tell(self.event(EventKind::Resumed).numbers(held.0, 0));
                }
                self.mark_started();
                Some(Rate::Run(self.start_rate()))
            }
            Order::Running if paused => {
                self.turn(Order::Held);
                Some(Rate::Hold)
            }
            Order::Running => {
                let Some(dry) = self.dry() else { return self.live_rate().map(Rate::Run) };
                self.turn(Order::Held);
                self.clock.stalled_at = Some(self.now);
                self.stats.stalls = self.stats.stalls.saturating_add(1);
                self.tell(self.event(EventKind::Stalled).about(dry));
                Some(Rate::Hold)
            }
            Order::Held => None,
        }
    }

    pub(super) fn unpaced(&self) -> bool {
        self.config.decoder.has(DecoderTraits::UNPACED)
    }

    fn mark_started(&mut self) {
        if !self.clock.started {
            self.clock.started = true;
            let since = self.now.since(self.opened_at);
            self.stats.startup = Some(since);
            self.tell(self.event(EventKind::Started).numbers(since.0, 0));
        }
    }

    fn turn(&mut self, order: Order) {
        let (now, was) = (self.now, self.clock.running());
        for f in self.feeds.iter_mut() {
            f.clock_turn(now, was);
        }
        self.clock.order = order;
    }

    /// Whether every played stream has what the clock needs to run.
    fn enough(&self) -> bool {
        let want = if self.clock.stalled_at.is_some() {
            self.config.resume_buffer
        } else {
            self.config.start_buffer
        };
        let (now, mut any) = (self.now, false);
        let played = |f: &Feed| f.selected && f.leads() && f.join == Join::Settled;
        for (i, f) in self.feeds.iter().enumerate().filter(|(_, f)| played(f)) {
            any = true;
            // A full decoder for which nothing is under way or awaited at the edge, one that drains before it is set up anew,
            // or full memory: there will never be more.
            let waits = f.blocked || f.setup == Setup::Later;
            let refused = f.offer == Offer::Refused;
            let comes = |i| f.fetch.is_some() || f.retrying || self.waits_for_edge(i);
            let more = refused && !f.blocked && comes(i);
            let full = (refused && !more) || (waits && f.depth(now, false) > Micros::ZERO);
            let arriving = if more { f.arriving() } else { Micros::ZERO };
            if !(f.ended || full || f.ready(now, false).plus(arriving) >= want) {
                return false;
            }
        }
        any
    }

    /// A stream whose decoder has run dry and for which nothing is at hand.
    fn dry(&self) -> Option<crate::io::StreamId> {
        let now = self.now;
        let whole = cfg!(feature = "planner") && self.config.early_release == Config::WHOLE_FRAGMENTS;
        let held_back = |f: &Feed| whole && !f.blocked && f.queue.first().is_some_and(|q| !q.complete);
        self.feeds
            .iter()
            .filter(|f| f.selected && !f.ended && f.leads() && f.join == Join::Settled)
            .filter(|f| f.depth(now, true) == Micros::ZERO)
            .find(|f| f.is_locked() || (f.offer == Offer::None && (!f.sample_at_hand() || held_back(f))))
            .map(|f| f.id)
    }

    /// The next instant at which something may be due without an input.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.is_suspended() {
            return None;
        }
        let limits = &self.config.limits;
        let mut soonest: Option<Instant> = None;
        let mut consider = |at: Instant| soonest = Some(soonest.map_or(at, |s| s.min(at)));
        if let Some(exchange) = &self.opening {
            consider(exchange.deadline(limits));
        } else if self.state == State::Opening && self.manifest.is_none() && self.is_online() {
            consider(self.opening_retry.not_before);
        }
        let running = self.clock.running();
        for f in self.feeds.iter().filter(|f| f.selected && !f.ended) {
            match &f.fetch {
                Some(exchange) if !f.blocked => consider(exchange.deadline(limits)),
                Some(_) => {}
                None if f.retrying && self.is_online() && f.retry.not_before != Instant(u64::MAX) => {
                    consider(f.retry.not_before);
                }
                None => {}
            }
            if let Some(at) = f.key_deadline(self.config.key_timeout) {
                consider(at);
            }
            if f.is_waiting_for_decoder() {
                consider(self.now.after(ASK_AGAIN));
            } else if running {
                consider(self.now.after(WATCH));
            }
        }
        if let Some(at) = self.text_deadline() {
            consider(at);
        }
        if let Some(at) = self.look_at() {
            consider(at);
        }
        if let Some(at) = self.live_deadline() {
            consider(at);
        }
        soonest
    }
}
