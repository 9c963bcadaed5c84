//! Coming back to the target delay: the clock runs a little faster or slower.

use super::super::Session;
use super::{Follow, LIVE};
use crate::time::Micros;

/// Farther than this from the target delay, and than a fragment, the rate changes; nearer than that it is as always.
const FAR: u64 = 1_000_000;
const NEAR: u64 = 200_000;
/// What must be at hand before the clock runs faster, and while it does.
const AT_HAND: Micros = Micros::from_millis(1_500);
const AT_LEAST: Micros = Micros::from_millis(500);

impl Session {
    /// The rate at which the clock starts.
    pub(in super::super) fn start_rate(&mut self) -> i32 {
        self.live.speed = 1000;
        1000
    }

    /// Another rate for the clock that runs, where one is due.
    pub(in super::super) fn live_rate(&mut self) -> Option<i32> {
        let most = i32::try_from(self.config.live.rate).unwrap_or(0);
        if !LIVE || most == 0 {
            return None;
        }
        let wanted = self.wanted_rate(most);
        if wanted == self.live.speed {
            return None;
        }
        self.live.speed = wanted;
        Some(wanted)
    }

    fn wanted_rate(&self, most: i32) -> i32 {
        let (Some((_, end)), Some(position)) = (self.window(), self.position()) else { return 1000 };
        if self.live.follow != Follow::Edge || !self.is_growing() {
            return 1000;
        }
        let (latency, target) = (end.since(position).0, self.delay().0);
        let (behind, before) = (latency.saturating_sub(target), target.saturating_sub(latency));
        let now = self.now;
        let at_hand = self.leading().filter_map(|i| self.feeds.get(i)).map(|f| f.ready(now, true)).min();
        let present = self.live.speed;
        let rich = at_hand.is_some_and(|m| m >= if present > 1000 { AT_LEAST } else { AT_HAND });
        let far = self.longest().0.max(FAR);
        match () {
            () if behind > far && rich => 1000i32.saturating_add(most),
            () if before > far => 1000i32.saturating_sub(most),
            () if behind < NEAR && before < NEAR => 1000,
            () if present > 1000 && !rich => 1000,
            // Once under way, until it is there; past it, no further.
            () if present > 1000 && before == 0 => present,
            () if present < 1000 && behind == 0 => present,
            () => 1000,
        }
    }
}
