//! The level of the next fragment of pictures, and whose turn it is.

use super::super::Session;
use super::super::config::Objective;
use super::super::feed::{Feed, Join, Offer};
use super::super::live::LIVE;
use super::{Flight, Pending, why};
use crate::abr::{self, Choice, MOST_LEVELS, Moment, Planner, Setup, TABLE_BYTES, Tuning};
use crate::codec::Kind;
use crate::io::{Decided, DecoderTraits, Why};
use crate::time::Micros;

/// A decision that waits for room holds that long.
const STANDS: Micros = Micros::from_millis(500);
/// What a fragment lasts as long as none is listed.
const USUAL: Micros = Micros::from_secs(2);

impl Session {
    /// Makes the planner of the pictures that are played, before media takes the memory.
    pub(in super::super) fn make_planner(&mut self) {
        let played = |f: &Feed| f.kind == Kind::Video && f.selected;
        if let Some(i) = self.feeds.iter().position(played).filter(|_| self.plans()) {
            self.plan_stream(i);
        }
    }

    /// The rung for the next fragment of stream `i`, which starts at `start`; `None` where the small rule chooses.
    pub(in super::super) fn planned(
        &mut self,
        i: usize,
        start: u64,
        ahead: Micros,
        span: Micros,
    ) -> Option<u16> {
        if !self.plans() {
            return None;
        }
        match self.feeds.get(i)?.kind {
            Kind::Video => self.plan_pictures(i, start, ahead, span),
            Kind::Audio => self.share_for_sound(i, start, ahead),
            Kind::Text => None,
        }
    }

    fn plan_pictures(&mut self, i: usize, start: u64, ahead: Micros, span: Micros) -> Option<u16> {
        if !self.is_planned(i) {
            let old = self.switching.stream.and_then(|id| self.feed_of(id));
            let played = old.and_then(|n| self.feeds.get(n)).is_some_and(|f| f.selected);
            // Of two that are played the one that comes is planned, not the one that goes.
            if played && self.feeds.get(i)?.join == Join::Settled {
                return None;
            }
            self.plan_stream(i);
        }
        if let Some(pending) = self.switching.pending
            && pending.start == start
            && self.now.since(pending.at) < STANDS
            && self.feeds.get(i)?.rungs.get(usize::from(pending.rung)).is_some_and(|r| r.is_open())
        {
            return Some(pending.rung);
        }
        self.fill_choices(i, span)?;
        let feed = self.feeds.get(i)?;
        // Nobody sees a change from what played before a seek.
        let last = feed.rung.filter(|_| !(feed.fresh && feed.queue.is_empty())).map(usize::from);
        let flight = Flight { start, span, last, remaining: self.remaining(i), ..Flight::default() };
        let (rung, told) = self.decide(i, &flight, ahead)?;
        self.switching.flight = flight;
        self.switching.pending = Some(Pending { start, rung, at: self.now, told });
        Some(rung)
    }

    /// The level for a fragment that was abandoned: rung, position in the manifest and bitrate.
    pub(in super::super) fn planned_again(&mut self, i: usize, start: u64) -> Option<(u16, u16, u32)> {
        let flight = self.switching.flight;
        if flight.start != start || flight.abandoned.is_none() || !self.is_planned(i) {
            return None;
        }
        // A try that failed is another matter.
        if self.feeds.get(i)?.retry.failed > 0 {
            return None;
        }
        self.fill_choices(i, flight.span)?;
        let ahead = self.feeds.get(i)?.ahead(self.now, self.clock.running()).minus(flight.span);
        let (rung, told) = self.decide(i, &flight, ahead)?;
        self.switching.pending = Some(Pending { start, rung, at: self.now, told });
        let r = self.feeds.get(i)?.rungs.get(usize::from(rung))?;
        Some((rung, r.level, r.bitrate))
    }

    fn decide(&mut self, i: usize, flight: &Flight, buffer: Micros) -> Option<(u16, Decided)> {
        let moment = self.moment(i, flight, buffer);
        let start_bitrate = self.config.start_bitrate;
        let s = &mut self.switching;
        let planner = s.planner.as_mut()?;
        let unknown = planner.rate().is_none();
        let mut decision = planner.decide(&Moment { choices: &s.choices, ..moment });
        s.sigma = decision.sigma_milli;
        let feed = self.feeds.get(i)?;
        if unknown && start_bitrate != 0 && flight.abandoned.is_none() {
            let fits = |n: usize| {
                let open = s.choices.get(n).is_some_and(|c| c.open);
                open && feed.rungs.get(n).is_some_and(|r| r.bitrate <= start_bitrate)
            };
            let wanted = (0..feed.rungs.len()).rev().find(|n| fits(*n));
            decision = abr::Decision { level: wanted.unwrap_or(decision.level), ..decision };
        }
        let bitrate = feed.rungs.get(decision.level)?.bitrate;
        let why = if unknown { Why::Start } else { why(decision.reason) };
        Some((u16::try_from(decision.level).ok()?, Decided::new(bitrate, buffer, why, Some(decision.rate))))
    }

    /// The moment of a decision about `flight`, its choices left out.
    pub(super) fn moment(&self, i: usize, flight: &Flight, buffer: Micros) -> Moment<'static> {
        Moment {
            at: self.now,
            buffer,
            buffer_target: self.most_ahead(i, flight.span),
            duration: flight.span,
            remaining: flight.remaining,
            last: flight.last,
            others: self.others(i),
            abandoned: flight.abandoned,
            choices: &[],
        }
    }

    /// The most that is ever held of stream `i`, the fragment being fetched included.
    fn most_ahead(&self, i: usize, span: Micros) -> Micros {
        let wanted = self.config.buffer_target.plus(span);
        if !LIVE || !self.is_growing() {
            return wanted;
        }
        // No more than there is up to the edge, less the fragment that is being made.
        let end = self.feeds.get(i).and_then(|f| self.listed(f.id)).and_then(|s| s.end_time());
        match end.zip(self.position()) {
            Some((end, position)) => {
                wanted.min(end.since(position).minus(span)).max(Micros(span.0.saturating_mul(2)))
            }
            None => wanted,
        }
    }

    /// Fragments of stream `i` from the next one to the end; `None` where no end is known.
    fn remaining(&self, i: usize) -> Option<u32> {
        if self.is_growing() {
            return None;
        }
        let next = self.cursor_fragment(i)?;
        let timeline = &self.listed(self.feeds.get(i)?.id)?.timeline;
        Some(timeline.last()?.index.saturating_sub(next.index).saturating_add(1))
    }

    /// Bit/s that other streams take of the link.
    fn others(&self, i: usize) -> u64 {
        let taking = |(n, f): &(usize, &Feed)| *n != i && f.selected && !f.ended && f.kind == Kind::Audio;
        self.feeds.iter().enumerate().filter(taking).fold(0u64, |sum, (_, f)| {
            let lowest = f.rungs.first().map_or(0, |r| r.bitrate);
            sum.saturating_add(u64::from(if f.bitrate == 0 { lowest } else { f.bitrate }))
        })
    }

    /// Notes how each level stands now.
    pub(super) fn fill_choices(&mut self, i: usize, span: Micros) -> Option<()> {
        let mut choices = core::mem::take(&mut self.switching.choices);
        choices.clear();
        let feed = self.feeds.get(i)?;
        let blocks = self.blocks_open_to(i).saturating_add(feed.blocks());
        let bits = (blocks as u64).saturating_mul(self.pool.block_bytes() as u64).saturating_mul(8);
        let target = self.config.buffer_target.plus(span);
        for n in 0..feed.rungs.len() {
            let Some(rung) = feed.rungs.get(n) else { break };
            // A fragment may be a quarter larger than its level says, as for the room that it is given.
            let reach = bits.saturating_mul(800_000) / u64::from(rung.bitrate.max(1));
            let reach = if reach >= target.0 { u64::MAX } else { reach };
            let choice = Choice { open: self.may_show(i, n), reach: Micros(reach) };
            // Room was taken with the planner.
            let _ = choices.push(&mut self.account, choice);
        }
        if choices.iter().all(|c| !c.open) {
            let lowest = feed.rungs.iter().position(|r| r.is_open())?;
            if let Some(choice) = choices.get_mut(lowest) {
                choice.open = true;
            }
        }
        self.switching.choices = choices;
        Some(())
    }

    /// Makes stream `i` the one that is planned; what is known of the link stays.
    fn plan_stream(&mut self, i: usize) {
        let prior = self.prior();
        let account = &mut self.account;
        let s = &mut self.switching;
        if let Some(mut old) = s.planner.take() {
            old.free(account);
        }
        (s.stream, s.pending) = (None, None);
        let Some(feed) = self.feeds.get(i) else { return };
        let id = feed.id;
        let seamless = self.config.decoder.has(DecoderTraits::SEAMLESS_RESIZE);
        let Some(stream) = self.manifest.as_ref().and_then(|m| m.streams.get(usize::from(id.0))) else {
            return;
        };
        let mut bitrates = heapless::Vec::<u32, MOST_LEVELS>::new();
        let mut groups = heapless::Vec::<u16, MOST_LEVELS>::new();
        let size = |n: usize| {
            let level = feed.rungs.get(n).and_then(|r| stream.levels.get(usize::from(r.level)));
            level.map(|l| (l.config.width, l.config.height))
        };
        for (n, rung) in feed.rungs.iter().enumerate() {
            let group = (0..n).find(|m| size(*m) == size(n)).unwrap_or(n);
            if bitrates.push(rung.bitrate).is_err() || groups.push(u16::try_from(group).unwrap_or(0)).is_err()
            {
                // Longer ladders are not planned.
                return;
            }
        }
        let tick = stream.timeline.first().map(|f| feed.scale.micros(f.duration));
        let duration = tick.filter(|d| *d > Micros::ZERO).unwrap_or(USUAL);
        let config = &self.config.switching;
        let table_bytes = match config.table_bytes as usize {
            0 => (self.config.budget / 32).min(TABLE_BYTES),
            bytes => bytes,
        };
        let setup = Setup {
            bitrates: &bitrates,
            groups: if seamless { &[] } else { &groups },
            duration,
            buffer: self.config.buffer_target.plus(duration),
            objective: match config.objective {
                Objective::Log => abr::Objective::Log,
                Objective::Linear => abr::Objective::Linear,
            },
            table_bytes,
            tuning: Tuning::default(),
        };
        let rungs = bitrates.len();
        if s.choices.reserve_exact(account, rungs).is_err() {
            return;
        }
        // Without memory the small rule goes on.
        if let Ok(mut planner) = Planner::new(account, &setup) {
            planner.recall(&abr::Prior { ln_rate: prior.ln_rate, sigma: prior.sigma, age: prior.age });
            (s.planner, s.stream) = (Some(planner), Some(id));
        }
    }

    /// Whether stream `i` lets another one go first: the earliest deadline comes first. Sound does not get ahead of the pictures
    /// that are coming, and pictures by one fragment at most.
    pub(in super::super) fn lets_others_go(&self, i: usize, start: u64, ahead: Micros, span: Micros) -> bool {
        // At the edge there is nothing to get ahead with; and what has nothing cannot wait.
        if !self.plans() || self.is_growing() || ahead == Micros::ZERO {
            return false;
        }
        let Some(feed) = self.feeds.get(i).filter(|f| f.leads()) else { return false };
        let start = feed.scale.media_time(start);
        let slack = if feed.kind == Kind::Video { span } else { Micros::ZERO };
        let behind = |(n, f): (usize, &Feed)| {
            // While the clock is held, what a decoder has refused makes no room for more.
            let stands = !self.clock.running() && f.offer == Offer::Refused;
            let later = f.retrying && f.retry.not_before > self.now;
            let waits = f.blocked || later || f.is_locked() || stands;
            if n == i || !f.selected || f.ended || !f.leads() || f.join != Join::Settled || waits {
                return false;
            }
            let next = match f.queue.last().filter(|q| !q.complete) {
                Some(coming) => Some(coming.start),
                None => self.next_fragment(n).map(|(start, _)| start),
            };
            next.is_some_and(|next| f.scale.media_time(next).after(slack) < start)
        };
        self.feeds.iter().enumerate().any(behind)
    }
}
