//! Many sessions on one bottleneck: how well they use it, how evenly, how steadily.
//!
//! Inefficiency and instability as FESTIVE defines them (Jiang, Sekar, Zhang: Improving Fairness, Efficiency, and Stability in
//! HTTP-based Adaptive Video Streaming, CoNEXT 2012); fairness is Jain's index.

use std::rc::Rc;

use smoothcore::io::StreamId;
use smoothcore::session::{Objective, Replacement, SwitchingRule};

use crate::dice::Dice;
use crate::movie::{Movie, Period};
use crate::pipe::Pipe;
use crate::scenario::traces::{Mode, config};
use crate::viewer::{Viewer, run};

pub const LADDER: [u32; 10] =
    [230_000, 331_000, 477_000, 688_000, 991_000, 1_427_000, 2_056_000, 2_962_000, 5_027_000, 6_000_000];
/// What is left to each, in bit/s, when the link is shared evenly.
pub const FAIR: f64 = 2_500_000.0;
const SECOND: u64 = 1_000_000;
/// Until then everybody is settling.
const WARM: usize = 60;
/// The last one comes at this second; how long all play.
const LATE: usize = 120;
const LENGTH: usize = 300;
/// Seconds over which instability is weighed.
const SPAN: usize = 20;

#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub jain: f64,
    /// Share of the link that was used while all play.
    pub efficiency: f64,
    /// |sum of bitrates - link| / link.
    pub inefficiency: f64,
    pub instability: f64,
    pub stalled: f64,
    pub mean_kbps: f64,
    /// Seconds until the one who came late had half of its share.
    pub late: Option<usize>,
}

/// `count` sessions that begin within ten seconds; in a second run the last of them comes late.
pub fn shared(count: usize, rule: SwitchingRule, seed: u64, latecomer: bool) -> Figures {
    let movie = Rc::new(Movie::even(&LADDER, 2_000, LENGTH));
    let mode = Mode {
        buffer: 22.0,
        rule,
        objective: Objective::Log,
        replacement: Replacement::Off,
        alike: false,
        audio: 0,
        budget: 64 << 20,
    };
    let mut dice = Dice::new(seed);
    let link = FAIR * count as f64;
    let mut pipe = Pipe::new(&[Period { micros: 3_600 * SECOND, rate: link, latency: 40_000 }]);
    let mut viewers: Vec<Viewer> = (0..count)
        .map(|n| {
            let mut config = config(&movie, &mode);
            config.seed = seed ^ n as u64;
            Viewer::new(n, movie.clone(), config, 2 * SECOND)
        })
        .collect();
    let mut begin: Vec<u64> = (0..count).map(|_| dice.below(10 * SECOND)).collect();
    if latecomer {
        begin[count - 1] = LATE as u64 * SECOND;
    }
    // Each second: bitrates being fetched, and bytes that have come.
    let (mut rates, mut bytes) = (Vec::new(), Vec::new());
    let mut next = 0;
    run(&mut viewers, &begin, &mut pipe, LENGTH as u64 * SECOND, |now, viewers| {
        while now >= next {
            let rate = |v: &Viewer| v.session.stream_stats(StreamId(0)).map_or(0, |s| s.bitrate);
            rates.push(viewers.iter().map(|v| f64::from(rate(v))).collect::<Vec<_>>());
            bytes.push(viewers.iter().map(|v| v.bytes as f64).collect::<Vec<_>>());
            next += SECOND;
        }
    });
    figures(&rates, &bytes, &viewers, link, latecomer)
}

fn figures(
    rates: &[Vec<f64>],
    bytes: &[Vec<f64>],
    viewers: &[Viewer],
    link: f64,
    latecomer: bool,
) -> Figures {
    let count = viewers.len();
    let last = rates.len() - 1;
    let warm = if latecomer { LATE + WARM } else { WARM };
    let seconds = (last - warm) as f64;
    let mean = |n: usize| rates[warm..last].iter().map(|r| r[n]).sum::<f64>() / seconds;
    let means: Vec<f64> = (0..count).map(mean).collect();
    let (sum, squares) = (means.iter().sum::<f64>(), means.iter().map(|m| m * m).sum::<f64>());
    let came: f64 = (0..count).map(|n| bytes[last][n] - bytes[warm][n]).sum::<f64>() * 8.0 / seconds;
    let off = |r: &Vec<f64>| (r.iter().sum::<f64>() - link).abs() / link;
    // Changes of the last so many seconds, the latest weighing most, against what was played in them.
    let unsteady = |n: usize| {
        let at = |t: usize| {
            let weight = |d: usize| (SPAN - d) as f64;
            let changes: f64 =
                (0..SPAN).map(|d| (rates[t - d][n] - rates[t - d - 1][n]).abs() * weight(d)).sum();
            let played: f64 = (1..=SPAN).map(|d| rates[t - d][n] * (SPAN - d + 1) as f64).sum();
            if played > 0.0 { changes / played } else { 0.0 }
        };
        (warm..last).map(at).sum::<f64>() / seconds
    };
    let late = latecomer.then(|| {
        // Over five seconds: fragments come in bursts.
        (LATE + 1..last).find(|t| {
            let from = t.saturating_sub(5).max(LATE);
            (bytes[*t][count - 1] - bytes[from][count - 1]) * 8.0 / (t - from) as f64 >= FAIR / 2.0
        })
    });
    Figures {
        jain: sum * sum / (count as f64 * squares),
        efficiency: came / link,
        inefficiency: rates[warm..last].iter().map(off).sum::<f64>() / seconds,
        instability: (0..count).map(unsteady).sum::<f64>() / count as f64,
        stalled: viewers.iter().map(|v| v.session.stats().stalled.0 as f64 / 1e6).sum::<f64>() / count as f64,
        mean_kbps: sum / count as f64 / 1e3,
        late: late.flatten().map(|t| t - LATE),
    }
}
