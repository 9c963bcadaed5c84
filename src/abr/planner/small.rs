//! The small rule, for ladders without tables: costs in squares, as in SODA (Chen et al., SIGCOMM 2024), over five
//! fragments' time at one level.

use super::logarithm::{ONE, div, exp, mul, narrow};
use super::table::{UNIT, World};
use super::{Moment, Planner, plan_time};

/// Intervals of a fragment's duration that are looked ahead.
const STEPS: usize = 5;
/// Weights in Q16 of a buffer that is not full and of a switch.
const BUFFER: i32 = ONE * 24 / 5;
const SWITCH: i32 = 2 * ONE;

impl Planner {
    /// The cheapest open level below `ceiling`; the lowest open one when none is.
    pub(super) fn small(&self, moment: &Moment<'_>, world: &World, ceiling: usize) -> usize {
        let ln_rate = self.open_rate(moment).saturating_sub(world.sigma / 8);
        let target = plan_time(moment.buffer_target).max(1);
        let duration = world.duration;
        let most = target.saturating_sub(duration).max(1);
        let utility = |i: usize| self.rungs.get(i).map_or(0, |r| r.utility);
        let mut best = (self.lowest(), i64::MAX);
        for (a, rung) in self.rungs.iter().enumerate() {
            if !rung.open || a >= ceiling {
                continue;
            }
            let most = most.min(plan_time(self.reach(moment, a))).max(1);
            // Fragments that arrive while one plays.
            let speed =
                exp(ln_rate.saturating_sub(rung.ln).saturating_sub(self.bias)).min(8 * ONE as u64) as i32;
            let mut buffer = plan_time(moment.buffer);
            let mut cost = 0i64;
            for _ in 0..STEPS {
                buffer = buffer.saturating_add(mul(speed - ONE, duration));
                if buffer < 0 {
                    cost += (i64::from(buffer.saturating_neg()) * i64::from(world.mu)) >> 10;
                }
                buffer = buffer.min(most).max(0);
                let off = div(most - buffer, most);
                cost += (i64::from(mul(mul(off, off), BUFFER)) * i64::from(UNIT)) >> 16;
                // What is missing in quality counts for every fragment that arrives.
                cost += i64::from(mul(UNIT - rung.utility, speed));
            }
            if let Some(last) = moment.last {
                let step = narrow(i64::from(rung.utility - utility(last)) * i64::from(ONE) / i64::from(UNIT));
                cost += (i64::from(mul(mul(step, step), SWITCH)) * i64::from(UNIT)) >> 16;
            }
            if cost < best.1 {
                best = (a, cost);
            }
        }
        best.0
    }
}
