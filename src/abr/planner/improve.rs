//! Whether a fragment in the buffer is worth fetching again.

use super::table::SECOND;
use super::{Held, Moment, Planner, Replacement, plan_time, transfer_time};

impl Planner {
    /// Which fragment of the buffer is worth fetching again rather than the next one now, if any is. `held` is in the order
    /// of playback and starts with the first that may be replaced; `before` is the level of the one before it. Not for
    /// live, where the buffer is thin, nor where bytes cost money.
    pub fn replace(
        &mut self,
        moment: &Moment<'_>,
        before: Option<usize>,
        held: &[Held],
    ) -> Option<Replacement> {
        let last = held.last()?.level;
        self.prepare(moment);
        if !self.rate.is_measured() {
            return None;
        }
        let t = self.tuning;
        let world = self.world(moment);
        let tables = self.tables.as_ref()?;
        let ln_rate = self.open_rate(moment);
        let buffer = plan_time(moment.buffer);
        let full = tables.worth(last, buffer, ln_rate);
        let mut previous = before;
        for (index, fragment) in held.iter().enumerate() {
            let next = held.get(index.wrapping_add(1)).map(|h| h.level);
            let now = self.rungs.get(fragment.level)?;
            let due = i64::from(plan_time(fragment.due));
            // Those behind it have more time still: they are thought to follow where they are lower.
            let changes = |level: usize, a: usize| {
                let next = next.map_or(a, |n| n.max(a));
                let from = if previous.is_some() { self.switch(previous, level) } else { 0 };
                i64::from(from) + i64::from(self.switch(Some(level), next))
            };
            let mut best: Option<(usize, i64)> = None;
            for (a, rung) in self.rungs.iter().enumerate().skip(fragment.level.saturating_add(1)) {
                if !rung.open || self.grouped && rung.group != now.group {
                    continue;
                }
                let time =
                    transfer_time(rung.ln.saturating_add(world.ln_size), ln_rate).saturating_add(world.wait);
                let spare = i64::from(t.replace_ms) * i64::from(SECOND);
                if due * 1000 < i64::from(time) * i64::from(t.replace_due) + spare {
                    continue;
                }
                let gain = i64::from(rung.utility) - i64::from(now.utility) + changes(fragment.level, a)
                    - changes(a, a);
                let after = tables.worth(last, buffer.saturating_sub(time), ln_rate);
                let lost = i64::from(full.saturating_sub(after).max(0));
                let net = gain * 1000 - lost * i64::from(t.replace);
                if net > 0 && best.is_none_or(|b| net > b.1) {
                    best = Some((a, net));
                }
            }
            if let Some((level, _)) = best {
                return Some(Replacement { index, level });
            }
            previous = Some(fragment.level);
        }
        None
    }
}
