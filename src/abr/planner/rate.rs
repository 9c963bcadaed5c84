//! How fast the link is and how sure that is: a scalar Kalman filter on the logarithm of the rate.

use super::logarithm::{ONE, div, exp, ln, mul, narrow, sqrt};
use super::tuning::Tuning;
use crate::time::{Instant, Micros};

/// What one session knew of a network, for the next: plain numbers, for the host to keep.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Prior {
    /// Natural logarithm of the rate in bit/s, in 65,536ths; 0 when nothing is known.
    pub ln_rate: i32,
    /// Standard deviation of that, in 65,536ths.
    pub sigma: i32,
    /// How long ago it was measured; of a prior just saved, 0.
    pub age: Micros,
}

/// A prior older than this says nothing.
const STALE: Micros = Micros::from_secs(600);
/// What a new session on the same network may differ by, added to the prior's own sigma.
const WIDENED: i32 = ONE * 3 / 10;

/// A number of thousandths in Q16.
pub(super) fn milli(x: i32) -> i32 {
    narrow(i64::from(x) * i64::from(ONE) / 1000)
}

/// The filter. Logarithms and variances in Q16, rates in bit/s.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    mean: i32,
    var: i32,
    /// Variance of the steps from what was expected to what came.
    spread: i32,
    slow: i32,
    slow_weight: i32,
    at: Instant,
    samples: u32,
    known: bool,
    first_byte: Micros,
}

impl Rate {
    pub fn new(tuning: &Tuning) -> Rate {
        Rate {
            mean: 0,
            var: 0,
            spread: milli(tuning.spread),
            slow: 0,
            slow_weight: 0,
            at: Instant(0),
            samples: 0,
            known: false,
            first_byte: Micros::from_millis(50),
        }
    }

    /// Whether there is anything to go by.
    pub const fn is_known(&self) -> bool {
        self.known
    }

    /// Whether anything was measured, not only recalled.
    pub const fn is_measured(&self) -> bool {
        self.samples > 0
    }

    pub fn recall(&mut self, prior: &Prior) {
        if prior.ln_rate <= 0 || prior.age > STALE || self.is_measured() {
            return;
        }
        self.mean = prior.ln_rate.min(30 * ONE);
        let sigma = prior.sigma.clamp(0, 2 * ONE) + WIDENED;
        self.var = mul(sigma, sigma);
        (self.slow, self.slow_weight) = (self.mean, ONE / 10);
        self.known = true;
    }

    pub fn prior(&self) -> Prior {
        if self.known {
            Prior { ln_rate: self.mean, sigma: sqrt(self.var), age: Micros(0) }
        } else {
            Prior::default()
        }
    }

    /// What is expected now: ln-rate.
    pub const fn mean(&self) -> i32 {
        self.mean
    }

    /// The slow mean, ln-rate.
    pub const fn slow(&self) -> i32 {
        self.slow
    }

    /// Standard deviation of the rate of the next fragment, and of its size.
    pub fn sigma(&self, t: &Tuning) -> i32 {
        let sigma = sqrt(self.spread.saturating_add(milli(t.size)));
        sigma.clamp(milli(t.spread_least), milli(t.spread_most))
    }

    /// The rate in bit/s.
    pub fn bits_per_second(&self) -> u64 {
        exp(self.mean) >> 16
    }

    pub const fn first_byte(&self) -> Micros {
        self.first_byte
    }

    pub fn wait(&mut self, first_byte: Micros) {
        let now = first_byte.0.min(10_000_000);
        self.first_byte = if self.samples == 0 {
            Micros(now)
        } else {
            Micros(self.first_byte.0.saturating_mul(3).saturating_add(now) / 4)
        };
    }

    /// `bytes` came in `took`, the wait for the first byte left out.
    pub fn sample(&mut self, bytes: u64, took: Micros, at: Instant, t: &Tuning) {
        let micros = took.0.max(1_000);
        // bytes × 8 / s, in a way that does not overflow.
        let z = ln(bytes.saturating_mul(8).max(1))
            .saturating_add(ln(1_000_000))
            .saturating_sub(ln(micros))
            .max(ln(1_000));
        let ms = narrow(i64::try_from(took.0 / 1_000).unwrap_or(i64::MAX)).clamp(1, 600_000);
        // Noise of this measurement: short ones say little.
        let noise = div(milli(t.noise), ONE.saturating_add(div(ms, t.noise_ms.max(1)).min(600 * ONE)));
        if !self.known {
            (self.mean, self.var) = (z, noise);
        } else {
            let since = narrow(i64::try_from(at.since(self.at).0 / 1_000).unwrap_or(i64::MAX)).min(60_000);
            if self.is_measured() {
                self.var =
                    self.var.saturating_add(narrow(i64::from(milli(t.drift)) * i64::from(since) / 1000));
            }
            let mut off = z.saturating_sub(self.mean);
            let step = if off > 0 { mul(off, milli(t.spread_up)) } else { off };
            let squared = mul(step, step).min(milli(t.spread_clip));
            self.spread = self.spread.saturating_add((squared - self.spread) / t.spread_memory.max(1));
            if off > 0 {
                off = mul(off, milli(t.damp)).min(milli(t.clip));
            }
            if off.saturating_abs() > milli(t.reopen) {
                self.var = self.var.max(ONE);
            }
            let gain = div(self.var, self.var.saturating_add(noise));
            self.mean = self.mean.saturating_add(mul(gain, off));
            self.var = mul(ONE - gain, self.var);
        }
        // The slow mean weighs by time, pauses included up to ten seconds: quick downloads count as well.
        let gap = if self.is_measured() { at.since(self.at).0.min(10_000_000) } else { took.0 };
        let gap = narrow(i64::try_from(gap / 1_000).unwrap_or(i64::MAX)).max(ms);
        let weight = div(gap, t.pull_ms.max(1)).min(ONE);
        self.slow_weight = self.slow_weight.saturating_add(weight).min(ONE);
        let share = div(weight, self.slow_weight).min(ONE);
        self.slow = if self.samples == 0 && !self.known {
            z
        } else {
            self.slow.saturating_add(mul(share, z.saturating_sub(self.slow)))
        };
        self.mean = self.mean.saturating_add(mul(milli(t.pull), self.slow.saturating_sub(self.mean)));
        self.known = true;
        self.samples = self.samples.saturating_add(1);
        self.at = at;
    }
}
