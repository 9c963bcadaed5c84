//! What a session was worth.

use serde::Serialize;

use super::data::Movie;
use super::engine::Outcome;

/// The figures of one session, or the means of many. Seconds, kbit/s, shares of one.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Metrics {
    pub startup_s: f64,
    pub rebuffer_s: f64,
    pub rebuffer_ratio: f64,
    pub events: f64,
    pub mean_kbps: f64,
    pub mean_change_kbps: f64,
    pub qoe_lin: f64,
    pub qoe_log: f64,
    pub sabre_score: f64,
    pub waste: f64,
    pub worst_decile_qoe_lin: f64,
}

impl Metrics {
    pub fn of(movie: &Movie, out: &Outcome) -> Metrics {
        let n = out.played.len() as f64;
        let rates: Vec<f64> = movie.bitrates_kbps.iter().map(|r| *r as f64).collect();
        let (low, high) = (rates[0], rates[rates.len() - 1]);
        let seconds = movie.duration() / 1000.0;
        let (startup, stalled) = (out.startup / 1000.0, out.stalled / 1000.0);
        let mu = if high <= 6000.0 { 4.3 } else { high / 1000.0 };
        let qoe = |mu: f64, value: &dyn Fn(usize) -> f64| {
            let sum: f64 = out.played.iter().map(|q| value(*q)).sum();
            (sum - mu * (stalled + startup) - change(&out.played, value)) / n
        };
        let ln = |q: usize| (rates[q] / low).ln();
        let utility: f64 = out.played.iter().map(|q| ln(*q)).sum();
        let qoe_lin = qoe(mu, &|q| rates[q] / 1000.0);
        Metrics {
            startup_s: startup,
            rebuffer_s: stalled,
            rebuffer_ratio: stalled / (stalled + n * seconds),
            events: out.events as f64,
            mean_kbps: out.played.iter().map(|q| rates[*q]).sum::<f64>() / n,
            mean_change_kbps: change(&out.played, &|q| rates[q]) / n,
            qoe_lin,
            qoe_log: qoe(2.66, &ln),
            sabre_score: (utility * seconds - 5.0 * stalled) / (startup + stalled + n * seconds),
            waste: if out.bits > 0.0 { out.wasted / out.bits } else { 0.0 },
            worst_decile_qoe_lin: qoe_lin,
        }
    }

    /// The means, and of the linear quality the mean of the worst tenth, at least one.
    pub fn mean(all: &[Metrics]) -> Metrics {
        let n = all.len() as f64;
        let mean = |of: &dyn Fn(&Metrics) -> f64| all.iter().map(of).sum::<f64>() / n;
        let mut sorted: Vec<f64> = all.iter().map(|m| m.qoe_lin).collect();
        sorted.sort_by(f64::total_cmp);
        let worst = &sorted[..all.len().div_ceil(10)];
        Metrics {
            startup_s: mean(&|m| m.startup_s),
            rebuffer_s: mean(&|m| m.rebuffer_s),
            rebuffer_ratio: mean(&|m| m.rebuffer_ratio),
            events: mean(&|m| m.events),
            mean_kbps: mean(&|m| m.mean_kbps),
            mean_change_kbps: mean(&|m| m.mean_change_kbps),
            qoe_lin: mean(&|m| m.qoe_lin),
            qoe_log: mean(&|m| m.qoe_log),
            sabre_score: mean(&|m| m.sabre_score),
            waste: mean(&|m| m.waste),
            worst_decile_qoe_lin: worst.iter().sum::<f64>() / worst.len() as f64,
        }
    }
}

/// The sum of all changes between neighbours.
pub fn change(played: &[usize], value: &dyn Fn(usize) -> f64) -> f64 {
    played.windows(2).map(|pair| (value(pair[1]) - value(pair[0])).abs()).sum()
}
