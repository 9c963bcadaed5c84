//! Whether what is in flight should give way to a lower level.

use super::logarithm::{exp, ln};
use super::table::{Fetch, UNIT, World};
use super::{Planner, Progress, less_others, ln_seconds, plan_time, transfer_time};
use crate::time::Micros;

impl Planner {
    /// The level to fetch instead, when what is in flight should give way. Ask with every progress and at least every
    /// [`WATCH`](super::WATCH), so that a dead link is noticed; then cancel, tell what came ([`Planner::sample`]), and
    /// decide anew with [`Moment::abandoned`](super::Moment::abandoned).
    pub fn abandon(&mut self, progress: &Progress<'_>) -> Option<usize> {
        let t = self.tuning;
        let moment = &progress.moment;
        let rung = *self.rungs.get(progress.level)?;
        if progress.level <= self.lowest() || self.tries >= t.abandon_tries {
            return None;
        }
        if progress.elapsed < Micros::from_millis(u64::from(t.abandon_ms.max(0).unsigned_abs())) {
            return None;
        }
        let nominal = rung.ln.saturating_add(ln_seconds(moment.duration)).saturating_add(self.bias);
        // Bytes: a 65,536th, and an eighth of the bits.
        let total = progress.total.unwrap_or(exp(nominal) >> 19).max(1);
        let left = total.saturating_sub(progress.received).max(1);
        let least = total.saturating_mul(u64::from(t.abandon_left.max(0).unsigned_abs()));
        if left.saturating_mul(1000) < least {
            return None;
        }
        // What the filter would believe if the download ended now.
        let mut rate = self.rate;
        if let Some(first_byte) = progress.first_byte {
            let took = progress.elapsed.minus(first_byte);
            rate.sample(progress.received.max(256), took, moment.at, &t);
        }
        if !rate.is_known() {
            return None;
        }
        let ln_rate = less_others(rate.mean(), moment.others);
        let ln_bits = ln(left.saturating_mul(8));
        let buffer = plan_time(moment.buffer);
        let rest = transfer_time(ln_bits, ln_rate);
        if i64::from(rest) * 1000 < i64::from(buffer) * i64::from(t.abandon_late) {
            return None;
        }
        // How it comes now is seen already: an outage to come is not reckoned with.
        let world = World { sigma: rate.sigma(&t), outages: 0, ..self.world(moment) };
        let tables = self.tables.as_ref()?;
        let wait = if progress.first_byte.is_some() { 0 } else { world.wait };
        let finish = Fetch { ln_bits, ln_rate, wait, buffer };
        let stay = i64::from(tables.expect(progress.level, &rung, &finish, &world)) + i64::from(rung.utility)
            - i64::from(self.switch(moment.last, progress.level));
        let wait = if progress.reconnects { world.wait.saturating_mul(2) } else { world.wait };
        let mut best: Option<(usize, i64)> = None;
        for (a, rung) in self.rungs.iter().enumerate().take(progress.level).filter(|(_, r)| r.open) {
            let ln_bits = rung.ln.saturating_add(world.ln_size);
            let fetch = Fetch { ln_bits, wait, ..finish };
            let worth = i64::from(tables.expect(a, rung, &fetch, &world)) + i64::from(rung.utility)
                - i64::from(self.switch(moment.last, a));
            if best.is_none_or(|b| worth > b.1) {
                best = Some((a, worth));
            }
        }
        let margin = i64::from(UNIT) * i64::from(t.abandon) / 1000;
        let (level, _) = best.filter(|b| b.1 > stay.saturating_add(margin))?;
        self.tries = self.tries.saturating_add(1);
        Some(level)
    }
}
