//! Which level the next fragment comes from.

use super::logarithm::{exp, narrow};
use super::table::{Fetch, Rung, SECOND, Tables, UNIT, World};
use super::{Choice, Decision, Moment, Planner, ln_seconds, plan_time, thousandths};
use crate::abr::Reason;
use crate::time::Micros;

/// Sweeps after a change of masks or of the buffer.
const SWEEPS_CHANGED: i32 = 8;
/// Rates about the present one that a plan with an end looks at, to each side.
const NEAR: usize = 1;
/// After a change of resolution group it stays for so long.
const STAY: Micros = Micros::from_secs(10);

impl Planner {
    /// The level of the next fragment.
    pub fn decide(&mut self, moment: &Moment<'_>) -> Decision {
        self.prepare(moment);
        if moment.abandoned.is_none() {
            self.tries = 0;
        }
        let lowest = self.lowest();
        let decision = Decision {
            level: lowest,
            reason: Reason::Start,
            rate: if self.rate.is_known() { self.rate.bits_per_second() } else { 0 },
            sigma_milli: thousandths(self.rate.sigma(&self.tuning)),
        };
        if !self.rate.is_measured() {
            return self.first(decision, moment);
        }
        let ceiling = moment.abandoned.unwrap_or(usize::MAX).max(lowest.saturating_add(1));
        let world = self.world(moment);
        let Some(tables) = &self.tables else {
            return Decision {
                level: self.small(moment, &world, ceiling),
                reason: Reason::Small,
                ..decision
            };
        };
        let stays = self.stays(moment);
        let mut best = (lowest, i64::MIN);
        for (a, rung) in self.rungs.iter().enumerate() {
            let crosses = self.crosses(moment.last, rung);
            if !rung.open || a >= ceiling || stays && crosses && a != lowest {
                continue;
            }
            let fetch = Fetch {
                ln_bits: rung.ln.saturating_add(world.ln_size),
                ln_rate: self.open_rate(moment),
                wait: world.wait,
                buffer: plan_time(moment.buffer),
            };
            let worth = i64::from(tables.expect(a, rung, &fetch, &world)) + i64::from(rung.utility)
                - i64::from(self.switch(moment.last, a))
                - if crosses { i64::from(world.crossing) } else { 0 };
            if worth > best.1 {
                best = (a, worth);
            }
        }
        if let Some(to) = self.rungs.get(best.0).filter(|r| self.crosses(moment.last, r)) {
            self.crossed = Some((moment.at, to.group));
        }
        let reason = if moment.abandoned.is_some() { Reason::Abandoned } else { Reason::Plan };
        Decision { level: best.0, reason, ..decision }
    }

    /// Takes up masks and caps, and brings the tables up to date.
    pub(super) fn prepare(&mut self, moment: &Moment<'_>) {
        let target = plan_time(moment.buffer_target.minus(moment.duration));
        if let Some(tables) = &mut self.tables
            && target.abs_diff(tables.top()) > SECOND.unsigned_abs()
        {
            tables.set_top(target);
            self.due = self.due.max(SWEEPS_CHANGED);
        }
        let most = self.tables.as_ref().map_or(0, Tables::last_bin);
        let mut open = 0u64;
        for (i, rung) in self.rungs.as_mut_slice().iter_mut().enumerate() {
            let choice = moment.choices.get(i).copied().unwrap_or(Choice::OPEN);
            rung.open = choice.open;
            open |= if choice.open { 1u64.checked_shl(i as u32).unwrap_or(0) } else { 0 };
            if let Some(tables) = &self.tables {
                rung.cap = tables.bins(plan_time(choice.reach.minus(moment.duration))).min(most).max(0);
            }
        }
        if open != self.open {
            self.open = open;
            self.due = self.due.max(SWEEPS_CHANGED);
        }
        if !self.rate.is_measured() {
            return;
        }
        let world = self.world(moment);
        let ln_rate = self.open_rate(moment);
        let t = self.tuning;
        let Some(tables) = &mut self.tables else { return };
        match moment.remaining.map(i64::from).map(narrow) {
            // A link that stands still for long at times may do so now: then the buffer is not spent on the end.
            Some(left) if left <= t.horizon && !self.rate.breaks(&t) => {
                // The end is near: from there back to here, for the rates about the present one.
                tables.clear();
                let world = World { fade: 0, ..world };
                for _ in 1..left.clamp(1, 64) {
                    tables.sweep(&self.rungs, &world, &t, Some((ln_rate, NEAR)));
                }
            }
            _ => {
                for _ in 0..self.due.max(t.sweeps).clamp(1, 64) {
                    tables.sweep(&self.rungs, &world, &t, None);
                }
            }
        }
        self.due = 0;
    }

    pub(super) fn world(&self, moment: &Moment<'_>) -> World {
        World {
            ln_size: ln_seconds(moment.duration).saturating_add(self.bias),
            duration: plan_time(moment.duration),
            wait: plan_time(self.rate.first_byte()),
            sigma: self.rate.sigma(&self.tuning),
            outages: self.rate.outages(&self.tuning),
            outage: self.rate.lasted().clamp(0, 300_000) * 128 / 125,
            mu: self.mu,
            crossing: if self.grouped { UNIT / 4 } else { 0 },
            fade: self.tuning.fade.clamp(0, 1_024),
        }
    }

    /// The first level: the lowest, or what half a prior carries.
    fn first(&self, decision: Decision, moment: &Moment<'_>) -> Decision {
        if !self.rate.is_known() {
            return decision;
        }
        let half = (exp(self.open_rate(moment)) >> 16) / 2;
        let fits = |r: &Rung| r.open && u64::from(r.bitrate) <= half;
        let level = self.rungs.iter().rposition(fits).unwrap_or(decision.level);
        Decision { level, reason: Reason::Prior, ..decision }
    }

    fn crosses(&self, last: Option<usize>, to: &Rung) -> bool {
        self.grouped && last.and_then(|l| self.rungs.get(l)).is_some_and(|l| l.group != to.group)
    }

    /// Having crossed, it stays unless the buffer runs out.
    fn stays(&self, moment: &Moment<'_>) -> bool {
        // A crossing that was decided and still waits for room, or did not arrive, is none yet.
        let group = moment.last.and_then(|l| self.rungs.get(l)).map(|l| l.group);
        let recent = self.crossed.is_some_and(|(at, to)| group == Some(to) && moment.at.since(at) < STAY);
        self.grouped && recent && moment.buffer.0 > moment.duration.0.saturating_mul(2)
    }
}
