//! A rule in the manner of SODA (Chen et al., SIGCOMM 2024): squares of distortion, of the buffer's distance from its aim
//! and of switches, over five intervals of constant rate; plans that only rise or only fall.

use super::engine::{Act, Ask, Fetched, Known, Rule};

const STEPS: usize = 5;

pub struct SodaLike {
    known: Known,
    /// Distortion by quality: 0 for the best, 1 for the lowest.
    distortion: Vec<f64>,
    rate: Option<f64>,
}

/// Weights of a buffer that is not full, of switches, and of a second without pictures.
const BUFFER: f64 = 4.8;
const SWITCH: f64 = 3.2;
const STALL: f64 = 12.5;
/// The rate's mean halves its weight in so many ms of download; no download counts as shorter than the second.
const HALF_LIFE: f64 = 6400.0;
const SHORTEST: f64 = 400.0;

struct Plan<'a> {
    rule: &'a SodaLike,
    rate: f64,
    most: f64,
    up: bool,
    best: f64,
}

impl SodaLike {
    pub fn new(known: &Known, utility: &[f64]) -> SodaLike {
        let (low, high) = (utility[0], utility[utility.len() - 1]);
        let range = (high - low).max(1e-9);
        let distortion = utility.iter().map(|u| (high - u) / range).collect();
        SodaLike { known: known.clone(), distortion, rate: None }
    }
}

impl Plan<'_> {
    fn step(&self, quality: usize, last: usize, buffer: f64) -> (f64, f64) {
        let d = self.rule.known.duration / 1000.0;
        let speed = (self.rate / self.rule.known.bitrates_kbps[quality] as f64).min(8.0);
        let raw = buffer + (speed - 1.0) * d;
        let after = raw.clamp(0.0, self.most);
        let off = (self.most - after) / self.most;
        let distortion = &self.rule.distortion;
        let change = distortion[quality] - distortion[last];
        let stall = (-raw).max(0.0) * STALL;
        // Distortion counts for every segment that arrives.
        (distortion[quality] * speed + BUFFER * off * off + SWITCH * change * change + stall, after)
    }

    fn search(&mut self, left: usize, last: usize, buffer: f64, cost: f64) -> bool {
        if cost >= self.best {
            return false;
        }
        if left == 0 {
            self.best = cost;
            return true;
        }
        let levels = self.rule.distortion.len();
        let range = if self.up { last..levels } else { 0..last + 1 };
        let mut better = false;
        for quality in range {
            let (more, after) = self.step(quality, last, buffer);
            better |= self.search(left - 1, quality, after, cost + more);
        }
        better
    }
}

impl Rule for SodaLike {
    fn choose(&mut self, ask: &Ask<'_>) -> Act {
        let (Some(rate), Some(last)) = (self.rate, ask.last) else {
            return Act::Next { quality: 0, delay: 0.0 };
        };
        let seconds = self.known.duration / 1000.0;
        let most = (self.known.buffer / 1000.0 - seconds).max(seconds);
        let (mut best, mut choice) = (f64::INFINITY, 0);
        for up in [false, true] {
            let mut plan = Plan { rule: self, rate, most, up, best };
            let range = if up { last..self.distortion.len() } else { 0..last + 1 };
            for quality in range {
                let (cost, after) = plan.step(quality, last, ask.level / 1000.0);
                if plan.search(STEPS - 1, quality, after, cost) {
                    choice = quality;
                }
            }
            best = plan.best;
        }
        Act::Next { quality: choice, delay: 0.0 }
    }

    fn ended(&mut self, f: &Fetched) {
        // As the rule has it: the wait for the first byte included.
        let took = f.time.max(1e-3);
        let rate = f.bits / took;
        let keep = 0.5f64.powf(took.max(SHORTEST) / HALF_LIFE);
        self.rate = Some(self.rate.map_or(rate, |r| r * keep + rate * (1.0 - keep)));
    }
}
