//! Rules to compare with: a fixed quality, and the throughput rule.

use super::engine::{Act, Ask, Fetched, Known, Rule};

/// Always the same quality; segment 0 at the lowest.
pub struct Fixed {
    pub quality: usize,
}

impl Rule for Fixed {
    fn choose(&mut self, ask: &Ask<'_>) -> Act {
        Act::Next { quality: if ask.index == 0 { 0 } else { self.quality }, delay: 0.0 }
    }
}

/// The same, but what is not half there after four seconds is abandoned, and fetched at the lowest.
pub struct Abandoning {
    pub quality: usize,
}

impl Rule for Abandoning {
    fn choose(&mut self, ask: &Ask<'_>) -> Act {
        let lowest = ask.index == 0 || ask.retry;
        Act::Next { quality: if lowest { 0 } else { self.quality }, delay: 0.0 }
    }

    fn watches(&self) -> bool {
        true
    }

    fn progress(&mut self, f: &Fetched) -> bool {
        f.time > 4000.0 && f.bits < f.size / 2.0 && f.quality > 0
    }
}

/// The highest quality within nine tenths of the measured rate: the smaller of a fast and a slow mean that weigh by
/// time, with half-lives of 3 and 8 seconds.
pub struct Throughput {
    known: Known,
    means: [(f64, f64); 2],
}

const HALF_LIVES: [f64; 2] = [3000.0, 8000.0];

impl Throughput {
    pub fn new(known: &Known) -> Throughput {
        Throughput { known: known.clone(), means: [(0.0, 0.0); 2] }
    }

    fn rate(&self) -> Option<f64> {
        let means = self.means.iter().filter(|m| m.1 > 0.0).map(|m| m.0 / m.1);
        means.min_by(f64::total_cmp)
    }
}

impl Rule for Throughput {
    fn choose(&mut self, _: &Ask<'_>) -> Act {
        let within = self.rate().map_or(0.0, |r| r * 0.9);
        let above = self.known.bitrates_kbps.partition_point(|b| *b as f64 <= within);
        Act::Next { quality: above.saturating_sub(1), delay: 0.0 }
    }

    fn ended(&mut self, f: &Fetched) {
        let took = f.time - f.ttfb;
        if took > 0.0 && f.bits > 0.0 {
            let rate = f.bits / took;
            for (mean, half) in self.means.iter_mut().zip(HALF_LIVES) {
                let keep = 0.5f64.powf(took / half);
                *mean = (mean.0 * keep + rate * (1.0 - keep), mean.1 * keep + 1.0 - keep);
            }
        }
    }
}
