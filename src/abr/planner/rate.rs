//! How fast the link is and how sure that is: means of unlike memory, each weighed by how near it was of late.

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
/// ln of 195 Gbit/s: no link is faster.
const FASTEST: i32 = 26 * ONE;

/// A pause after which what was measured before counts little.
const PAUSE: Micros = Micros::from_secs(90);

/// No outage is learned as longer, in ms: one of minutes says nothing of the others.
const LONGEST_OUTAGE: i32 = 90_000;

/// How many means there are: of the last download almost alone, to one of ten seconds of download.
pub(super) const TRACKS: usize = 4;

/// A number of thousandths in Q16.
pub(super) fn milli(x: i32) -> i32 {
    narrow(i64::from(x) * i64::from(ONE) / 1000)
}

/// What is known of the link. Logarithms and variances in Q16, rates in bit/s.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    mean: i32,
    tracks: [i32; TRACKS],
    /// Mean square by which each track was off.
    errors: [i32; TRACKS],
    /// Variance of what came about what was expected.
    spread: i32,
    /// Share of downloads that met an outage, their mean length in ms, and how many there were.
    outages: i32,
    lasted: i32,
    broke: u32,
    samples: u32,
    known: bool,
    first_byte: Micros,
    /// When the last download ended.
    at: Instant,
}

impl Rate {
    pub fn new(tuning: &Tuning) -> Rate {
        Rate {
            mean: 0,
            tracks: [0; TRACKS],
            errors: [ONE / 20; TRACKS],
            spread: milli(tuning.spread),
            outages: 0,
            lasted: tuning.outage_ms,
            broke: 0,
            samples: 0,
            known: false,
            first_byte: Micros::from_millis(50),
            at: Instant(0),
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
        // What was kept in flash may have come back as anything.
        let sound = (1..=FASTEST).contains(&prior.ln_rate) && (0..=2 * ONE).contains(&prior.sigma);
        if !sound || prior.age > STALE || self.is_measured() {
            return;
        }
        self.mean = prior.ln_rate;
        self.tracks = [self.mean; TRACKS];
        let sigma = prior.sigma + WIDENED;
        self.spread = mul(sigma, sigma);
        self.known = true;
    }

    pub fn prior(&self) -> Prior {
        if self.known {
            Prior { ln_rate: self.mean, sigma: sqrt(self.spread), age: Micros(0) }
        } else {
            Prior::default()
        }
    }

    /// What is expected now: ln-rate.
    pub const fn mean(&self) -> i32 {
        self.mean
    }

    /// Standard deviation of the rate of the next fragment and of its size.
    pub fn sigma(&self, t: &Tuning) -> i32 {
        let sigma = sqrt(self.spread.saturating_add(milli(t.size)));
        sigma.min(milli(t.spread_most)).max(milli(t.spread_least))
    }

    /// Chance of 256 that the next fragment meets an outage, 0 to 24.
    pub fn outages(&self, t: &Tuning) -> i32 {
        (mul(self.outages, milli(t.outage_weight)) >> 8).clamp(0, 24)
    }

    /// What an outage lasts, in ms.
    pub const fn lasted(&self) -> i32 {
        self.lasted
    }

    /// Whether this link has stood still more than once, and for long.
    pub const fn breaks(&self, t: &Tuning) -> bool {
        self.broke >= t.breaks_after.unsigned_abs() && self.lasted >= t.breaks_ms
    }

    /// The rate in bit/s.
    pub fn bits_per_second(&self) -> u64 {
        exp(self.mean) >> 16
    }

    /// The usual wait for the first byte.
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
        // Bits over seconds; no link is slower than a kilobit.
        let bits = ln(bytes.saturating_mul(8));
        let came = bits.saturating_add(ln(1_000_000)).saturating_sub(ln(took.0.max(1_000))).max(ln(1_000));
        if self.known {
            // After a long pause, a paused player for instance, the last download says most.
            let paused = self.is_measured() && at.since(self.at) > PAUSE;
            self.learn(came, took, paused, t);
        } else {
            self.mean = came;
            self.tracks = [came; TRACKS];
        }
        self.known = true;
        self.at = at;
        self.samples = self.samples.saturating_add(1);
    }

    fn learn(&mut self, came: i32, took: Micros, paused: bool, t: &Tuning) {
        let off = came.saturating_sub(self.mean);
        // What comes faster than expected does no harm, and says little of what may.
        let harm = if off > 0 { mul(off, milli(t.spread_up)) } else { off };
        let squared = mul(harm, harm).min(milli(t.spread_clip));
        self.spread = self.spread.saturating_add((squared - self.spread) / t.spread_memory.max(1));
        let long = took >= Micros::from_millis(u64::from(t.outage_least.max(0).unsigned_abs()));
        let ms = (took.0 / 1_000).min(600_000) as i32;
        let broke = long && off < -milli(t.outage);
        if broke {
            let lasted = ms.min(LONGEST_OUTAGE).max(t.outage_ms);
            self.lasted =
                self.lasted.saturating_add(lasted.saturating_sub(self.lasted) / t.outage_learn.max(1));
            self.broke = self.broke.saturating_add(1);
        }
        let share = if broke { ONE } else { 0 };
        self.outages = self.outages.saturating_add((share - self.outages) / t.outage_memory.max(1));
        let leaps = paused || off.saturating_abs() > milli(t.leap);
        let ms = ms.max(t.track_least).max(1);
        let (mut sum, mut weights) = (0i64, 0i64);
        let tracks = self.tracks.iter_mut().zip(&mut self.errors);
        for ((track, error), memory) in tracks.zip(t.track_ms) {
            let off = came.saturating_sub(*track);
            let squared = mul(off, off).min(milli(t.track_clip));
            *error = error.saturating_add(squared.saturating_sub(*error) / t.track_memory.max(1));
            let gain = div(ms, ms.saturating_add(memory));
            let gain = if leaps { gain.max(milli(t.leap_gain)) } else { gain };
            *track = track.saturating_add(mul(gain, off));
            let trust = div(ONE, error.saturating_add(milli(t.track_floor)));
            let weight = i64::from(mul(trust, trust)) + 1;
            sum += weight * i64::from(*track);
            weights += weight;
        }
        self.mean = narrow(sum / weights.max(1));
    }
}
