//! Content bent in ways that no controller was made for.

use super::data::{Content, Movie};

/// A change of traces or of the movie.
#[derive(Clone, Copy, Debug)]
pub enum Variant {
    Rates(f64),
    Latency(u64),
    /// Segments of so many milliseconds.
    Segments(u64),
    Levels(usize),
    /// Sizes anywhere from 0.4 to 2.5 of nominal.
    Sizes,
}

pub const ALL: [Variant; 13] = [
    Variant::Rates(0.5),
    Variant::Rates(2.0),
    Variant::Segments(1000),
    Variant::Segments(2000),
    Variant::Segments(4000),
    Variant::Segments(6000),
    Variant::Levels(3),
    Variant::Levels(5),
    Variant::Levels(8),
    Variant::Levels(12),
    Variant::Levels(16),
    Variant::Sizes,
    Variant::Latency(4),
];

impl Variant {
    pub fn name(self) -> String {
        match self {
            Variant::Rates(x) => format!("rates x {x}"),
            Variant::Latency(x) => format!("latency x {x}"),
            Variant::Segments(ms) => format!("fragments of {} s", ms / 1000),
            Variant::Levels(n) => format!("{n} levels"),
            Variant::Sizes => "sizes 0.4 to 2.5".into(),
        }
    }

    pub fn apply(self, content: &Content) -> Content {
        let mut content = content.clone();
        for period in content.traces.iter_mut().flat_map(|t| &mut t.periods) {
            match self {
                Variant::Rates(x) => {
                    period.bandwidth_kbps = (period.bandwidth_kbps as f64 * x).round() as u64;
                }
                Variant::Latency(x) => period.latency_ms *= x,
                _ => {}
            }
        }
        let movie = &mut content.movie;
        match self {
            Variant::Segments(ms) => cut(movie, ms),
            Variant::Levels(n) => ladder(movie, n),
            Variant::Sizes => stretch(movie),
            _ => {}
        }
        content
    }
}

/// The same media in other segments: within one of the old ones, bits come evenly.
fn cut(movie: &mut Movie, ms: u64) {
    let old = movie.segment_duration_ms;
    let total = old * movie.segments() as u64;
    let levels = movie.bitrates_kbps.len();
    // Sums of all segments before each.
    let mut before = vec![vec![0; levels]];
    for (index, sizes) in movie.segment_sizes_bits.iter().enumerate() {
        before.push(before[index].iter().zip(sizes).map(|(sum, size)| sum + size).collect());
    }
    let bits_until = |at: u64, level: usize| {
        let index = (at / old) as usize;
        let part = movie.segment_sizes_bits.get(index).map_or(0, |s| s[level] * (at % old) / old);
        before[index][level] + part
    };
    let sizes = (0..total / ms)
        .map(|k| (0..levels).map(|q| bits_until((k + 1) * ms, q) - bits_until(k * ms, q)).collect())
        .collect();
    movie.segment_sizes_bits = sizes;
    movie.segment_duration_ms = ms;
}

/// So many levels, in equal ratios from the lowest to the highest; sizes as those of the nearest old level.
fn ladder(movie: &mut Movie, count: usize) {
    let old: Vec<f64> = movie.bitrates_kbps.iter().map(|r| *r as f64).collect();
    let (low, high) = (old[0], old[old.len() - 1]);
    let rates: Vec<f64> =
        (0..count).map(|i| low * (high / low).powf(i as f64 / (count - 1) as f64)).collect();
    let nearest = |rate: f64| {
        let far = |q: &usize| (old[*q] / rate).ln().abs();
        (0..old.len()).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(0)
    };
    for sizes in &mut movie.segment_sizes_bits {
        *sizes = rates
            .iter()
            .map(|rate| {
                let q = nearest(*rate);
                (sizes[q] as f64 * rate / old[q]) as u64
            })
            .collect();
    }
    movie.bitrates_kbps = rates.iter().map(|r| r.round() as u64).collect();
}

/// Ratios to nominal spread evenly in their logarithm over 0.4 to 2.5, alike in all levels, in no order.
fn stretch(movie: &mut Movie) {
    let mut state = 1u64;
    for sizes in &mut movie.segment_sizes_bits {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 40) as f64 / (1u64 << 24) as f64;
        let ratio = 0.4 * (2.5f64 / 0.4).powf(unit);
        for (size, rate) in sizes.iter_mut().zip(&movie.bitrates_kbps) {
            *size = (*rate as f64 * movie.segment_duration_ms as f64 * ratio) as u64;
        }
    }
}
