//! The planner in the session: what it is told of the link, and what is done about its answers.
//!
//! One stream of pictures is planned (`plan`), sound gets a share of the link (`sound`). What is in flight may give way to a
//! lower level (`abandon`), what is buffered to a higher one (`replace`). Levels are left out for what the screen, the decoder
//! and the host say (`caps`).

mod abandon;
mod caps;
mod meter;
mod plan;
mod replace;
mod sound;

use super::Session;
use super::config::{Prior, SwitchingRule};
use super::feed::Feed;
use super::retry::{Exchange, Measured};
use crate::abr::{self, Choice, Frames, Held, Planner};
use crate::codec::Kind;
use crate::io::{Decided, EventKind, StreamId, Why};
use crate::mem::List;
use crate::time::{Instant, MediaTime, Micros};

use meter::Meter;

/// What a first byte takes as long as none has come.
const USUAL_WAIT: Micros = Micros::from_millis(50);

/// What the session keeps for the planner.
#[derive(Debug, Default)]
pub(super) struct Switching {
    planner: Option<Planner>,
    /// The stream it plans.
    stream: Option<StreamId>,
    meter: Meter,
    /// Levels as they stand, one for each rung.
    choices: List<Choice>,
    /// Scratch of replacement, and places in the queue.
    held: List<Held>,
    /// Decided, and not yet asked for.
    pending: Option<Pending>,
    /// The same, of the rule that plays where nothing is planned.
    ruled: Option<(StreamId, Decided)>,
    flight: Flight,
    /// From request to first byte, lately.
    wait: Option<Micros>,
    /// Standard deviation of the ln-rate at the last decision, in thousandths.
    sigma: u32,
    sound_changed: Option<Instant>,
    cap: super::PictureCap,
    frames: Frames,
    /// How long a picture lasts.
    picture: Micros,
    frames_seen: Instant,
    /// As last reported.
    dropped: u32,
}

/// A decision for the fragment that starts at `start` ticks.
#[derive(Clone, Copy, Debug)]
struct Pending {
    start: u64,
    rung: u16,
    at: Instant,
    told: Decided,
}

/// The planned fragment that was asked for last.
#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    start: u64,
    span: Micros,
    remaining: Option<u32>,
    last: Option<usize>,
    abandoned: Option<usize>,
    looked: Instant,
    seen: u64,
}

impl Switching {
    pub fn new(cap: super::PictureCap) -> Switching {
        Switching { cap, ..Switching::default() }
    }
}

impl Session {
    /// What is known of the network, for the host to store and to hand to the next session on it.
    pub fn prior(&self) -> Prior {
        let known = self.switching.planner.as_ref().map_or(abr::Prior::default(), Planner::prior);
        match known.ln_rate {
            0 => self.config.switching.prior,
            _ => Prior { ln_rate: known.ln_rate, sigma: known.sigma, age: known.age },
        }
    }

    /// The link's rate as the planner sees it.
    pub(super) fn planned_rate(&self) -> Option<u64> {
        self.switching.planner.as_ref()?.rate()
    }

    /// Whether the planner chooses levels.
    pub(super) fn plans(&self) -> bool {
        self.config.switching.rule == SwitchingRule::Planner
            && self.config.fixed_bitrate == 0
            && !self.unpaced()
    }

    /// Whether stream `i` is the one that is planned.
    fn is_planned(&self, i: usize) -> bool {
        let id = self.feeds.get(i).map(|f| f.id);
        self.switching.planner.is_some() && id.is_some() && id == self.switching.stream
    }

    /// The head of an answer has come, and it is a good one.
    pub(super) fn answer_began(&mut self, i: usize) {
        let now = self.now;
        let Some(feed) = self.feeds.get_mut(i).filter(|f| f.leads()) else { return };
        if let Some(exchange) = feed.fetch.as_mut().filter(|e| e.measured == Measured::NotYet) {
            exchange.first = Some(now);
            exchange.measured = Measured::Now;
            self.switching.meter.begin(now, now);
        }
    }

    /// Bytes have come.
    pub(super) fn bytes_came(&mut self, i: usize, count: u64) {
        let now = self.now;
        let Some(feed) = self.feeds.get_mut(i).filter(|f| f.leads()) else { return };
        let Some(exchange) = feed.fetch.as_mut() else { return };
        if exchange.measured == Measured::NotYet {
            // Of a host that tells no heads: nobody knows how much of the time was the wait.
            let from = exchange.started.after(self.switching.wait.unwrap_or(USUAL_WAIT)).min(now);
            exchange.first = Some(from);
            exchange.measured = Measured::Now;
            self.switching.meter.begin(from, now);
        }
        if exchange.measured == Measured::Now {
            self.switching.meter.bytes(count);
        }
    }

    /// An exchange waits for memory: that says nothing of the link.
    pub(super) fn answer_held(&mut self, i: usize) {
        let now = self.now;
        let Some(feed) = self.feeds.get_mut(i).filter(|f| f.leads()) else { return };
        if let Some(exchange) = &mut feed.fetch {
            if exchange.measured == Measured::Now {
                self.switching.meter.end(now);
            }
            exchange.measured = Measured::NoMore;
        }
    }

    /// An exchange of stream `i` is over, for whatever reason.
    pub(super) fn answer_over(&mut self, i: usize, exchange: &Exchange) {
        let now = self.now;
        if !self.feeds.get(i).is_some_and(Feed::leads) {
            return;
        }
        if exchange.measured == Measured::Now {
            self.switching.meter.end(now);
        }
        if !self.is_planned(i) {
            return;
        }
        let (bytes, took) = self.switching.meter.take(now);
        let Some(first) = exchange.first else { return };
        let mut wait = first.since(exchange.started);
        if self.at_edge(i) {
            if exchange.content_length.is_none() {
                // It may have come as fast as it was made.
                return;
            }
            // The origin may have held the request until the fragment was there.
            wait = wait.min(self.switching.wait.unwrap_or(USUAL_WAIT).plus(USUAL_WAIT));
        }
        self.switching.wait = Some(wait);
        if let Some(planner) = &mut self.switching.planner {
            planner.sample(bytes, took, wait, now);
        }
    }

    /// Whether nothing newer than what stream `i` fetches can be asked for yet.
    fn at_edge(&self, i: usize) -> bool {
        self.is_growing()
            && self
                .next_fragment(i)
                .is_none_or(|(start, duration)| self.fetch_at(i, start, duration) > self.now)
    }

    /// The fragment that stream `i` has fetched is whole: `bytes` of it.
    pub(super) fn whole_came(&mut self, i: usize, bytes: u64) {
        if !self.is_planned(i) {
            return;
        }
        let Some(feed) = self.feeds.get(i) else { return };
        let Some(back) = feed.queue.last() else { return };
        let Some(rung) = rung_of(feed, back.level) else { return };
        let span = feed.scale.micros(back.duration);
        if let Some(planner) = &mut self.switching.planner {
            planner.size(rung, span, bytes);
        }
    }

    /// Playback jumps.
    pub(super) fn planner_jumps(&mut self) {
        self.switching.pending = None;
        self.switching.flight = Flight::default();
        if let Some(planner) = &mut self.switching.planner {
            planner.jump();
        }
    }

    /// Tells a decision.
    fn tell_decision(&mut self, stream: StreamId, time: MediaTime, told: Decided) {
        let (a, b) = told.numbers();
        let event = self.event(EventKind::Decided).about(stream).when(time).numbers(a, b);
        self.tell(event);
    }

    /// Tells what was decided about the fragment of stream `i` that is being asked for.
    pub(super) fn decision_taken(&mut self, i: usize, start: u64) {
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.told = None;
        let (id, time) = (feed.id, feed.scale.media_time(start));
        if feed.kind != Kind::Video {
            return;
        }
        if let Some(pending) = self.switching.pending.take_if(|p| p.start == start) {
            self.tell_decision(id, time, pending.told);
        } else if let Some((_, told)) = self.switching.ruled.take_if(|(of, _)| *of == id) {
            self.tell_decision(id, time, told);
        }
    }

    /// Where nothing is planned, a rule has chosen `rung` for the next fragment of stream `i`.
    pub(super) fn note_rule(
        &mut self,
        i: usize,
        rung: u16,
        buffer: Micros,
        rate: Option<u64>,
        reason: abr::Reason,
    ) {
        if self.plans() {
            return;
        }
        let Some(feed) = self.feeds.get(i).filter(|f| f.kind == Kind::Video) else { return };
        let Some(bitrate) = feed.rungs.get(usize::from(rung)).map(|r| r.bitrate) else { return };
        self.switching.ruled = Some((feed.id, Decided::new(bitrate, buffer, why(reason), rate)));
    }
}

/// The rung of a manifest level.
fn rung_of(feed: &Feed, level: u16) -> Option<usize> {
    feed.rungs.iter().position(|r| r.level == level)
}

/// As events have it.
fn why(reason: abr::Reason) -> Why {
    match reason {
        abr::Reason::Start => Why::Start,
        abr::Reason::Rate => Why::Rate,
        abr::Reason::Buffer => Why::Buffer,
        abr::Reason::Fixed => Why::Fixed,
        abr::Reason::Prior => Why::Prior,
        abr::Reason::Plan => Why::Plan,
        abr::Reason::Small => Why::Small,
        abr::Reason::Abandoned => Why::Abandoned,
        abr::Reason::Replaced => Why::Replaced,
    }
}
