//! RobustMPC: the best sequence of five qualities for a careful guess of the rate (Yin et al., SIGCOMM 2015). As there, a
//! rate is a segment's bits over all the time it took, the wait for the first byte included.

use super::engine::{Act, Ask, Fetched, Known, Rule};

const STEPS: usize = 5;

pub struct RobustMpc {
    known: Known,
    utility: Vec<f64>,
    mu: f64,
    rates: Vec<f64>,
    errors: Vec<f64>,
    guess: Option<f64>,
}

impl RobustMpc {
    pub fn new(known: &Known, utility: Vec<f64>, mu: f64) -> RobustMpc {
        RobustMpc { known: known.clone(), utility, mu, rates: Vec::new(), errors: Vec::new(), guess: None }
    }

    /// Best sum over the remaining steps. Pruned by what the top quality would bring.
    fn best(&self, left: usize, buffer: f64, last: usize, rate: f64, sum: f64, found: &mut f64) -> bool {
        if left == 0 {
            if sum > *found {
                *found = sum;
                return true;
            }
            return false;
        }
        let top = self.utility.last().copied().unwrap_or(0.0);
        if sum + left as f64 * top <= *found {
            return false;
        }
        let seconds = self.known.duration / 1000.0;
        let mut better = false;
        for quality in (0..self.utility.len()).rev() {
            let time = self.known.bitrates_kbps[quality] as f64 * seconds / rate;
            let stall = (time - buffer).max(0.0);
            let after = ((buffer - time).max(0.0) + seconds).min(self.known.buffer / 1000.0);
            let value =
                self.utility[quality] - self.mu * stall - (self.utility[quality] - self.utility[last]).abs();
            better |= self.best(left - 1, after, quality, rate, sum + value, found);
        }
        better
    }
}

impl Rule for RobustMpc {
    fn choose(&mut self, ask: &Ask<'_>) -> Act {
        let (Some(last), false) = (ask.last, self.rates.is_empty()) else {
            return Act::Next { quality: 0, delay: 0.0 };
        };
        let recent = &self.rates[self.rates.len().saturating_sub(STEPS)..];
        let harmonic = recent.len() as f64 / recent.iter().map(|r| 1.0 / r).sum::<f64>();
        let errors = &self.errors[self.errors.len().saturating_sub(STEPS)..];
        let error = errors.iter().copied().fold(0.0, f64::max);
        self.guess = Some(harmonic);
        let rate = harmonic / (1.0 + error);
        let steps = STEPS.min(self.known.segments - ask.index);
        let seconds = self.known.duration / 1000.0;
        let mut found = f64::NEG_INFINITY;
        let mut choice = 0;
        for quality in 0..self.utility.len() {
            let buffer = ask.level / 1000.0;
            let time = self.known.bitrates_kbps[quality] as f64 * seconds / rate;
            let stall = (time - buffer).max(0.0);
            let after = ((buffer - time).max(0.0) + seconds).min(self.known.buffer / 1000.0);
            let value =
                self.utility[quality] - self.mu * stall - (self.utility[quality] - self.utility[last]).abs();
            if self.best(steps - 1, after, quality, rate, value, &mut found) {
                choice = quality;
            }
        }
        Act::Next { quality: choice, delay: 0.0 }
    }

    fn ended(&mut self, f: &Fetched) {
        let rate = f.bits / f.time.max(1e-3);
        if let Some(guess) = self.guess {
            self.errors.push((guess - rate).abs() / rate);
        }
        self.rates.push(rate.max(1e-3));
    }
}
