//! The same thing twice: sessions over the traces that the simulator plays.

use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use smoothcore::io::{DecoderTraits, Framing};
use smoothcore::session::{AudioChoice, Config, Objective, Replacement, SwitchingConfig, SwitchingRule};
use smoothcore::time::Micros;

use crate::data::Content;
use crate::movie::{Movie, Period};
use crate::pipe::Pipe;
use crate::viewer::{Viewer, run};

/// What is varied.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    pub buffer: f64,
    pub rule: SwitchingRule,
    pub objective: Objective,
    pub replacement: Replacement,
    /// Whole fragments alone, and play resumes with any: as the simulator has it. Else as shipped.
    pub alike: bool,
    /// Sound of so many bit/s; 0: none.
    pub audio: u32,
    pub budget: usize,
}

/// What a session came to; seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub startup: f64,
    pub stalled: f64,
    pub events: f64,
    pub mean_kbps: f64,
    pub change_kbps: f64,
    pub qoe_lin: f64,
    pub qoe_log: f64,
    pub waste: f64,
    /// In which nothing was in flight although there was room.
    pub idle: f64,
}

pub fn config(movie: &Movie, mode: &Mode) -> Config {
    let duration = movie.millis as f64 / 1e3;
    let one = |t: Micros| if mode.alike { Micros(1) } else { t };
    let mut config = Config {
        budget: mode.budget,
        block: if mode.budget > 64 << 20 { 64 << 10 } else { 0 },
        seed: 1,
        buffer_target: Micros(((mode.buffer - duration) * 1e6) as u64),
        start_buffer: one(Micros::ZERO),
        resume_buffer: one(Micros::ZERO),
        early_release: if mode.alike { Config::WHOLE_FRAGMENTS } else { Micros::ZERO },
        audio: AudioChoice::First,
        switching: SwitchingConfig {
            rule: mode.rule,
            objective: mode.objective,
            replacement: mode.replacement,
            ..SwitchingConfig::default()
        },
        ..Config::default()
    };
    // Nothing looks into the samples.
    config.decoder =
        DecoderTraits { framing: Framing::LengthPrefixed, flags: DecoderTraits::SEAMLESS_RESIZE };
    // Outages of minutes are part of the traces; the simulator waits for ever.
    let long = Micros::from_secs(600);
    config.limits.idle_timeout = long;
    config.limits.first_byte_timeout = long;
    config.limits.fragment_bytes = 64 << 20;
    config
}

/// Plays a movie over a trace.
pub fn one(periods: &[Period], movie: &Movie, mode: &Mode) -> (Figures, Viewer) {
    let mut pipe = Pipe::new(periods);
    let shared = Rc::new(movie.clone());
    let mut viewers = [Viewer::new(0, shared, config(movie, mode), 1_000_000)];
    let hours = 24 * 3_600_000_000;
    let target = viewers[0].session.config().buffer_target.0;
    let (mut since, mut idle) = (None, 0);
    run(&mut viewers, &[0], &mut pipe, hours, |now, v| {
        idle += since.map_or(0, |since| now - since);
        since = v[0].is_idle_with_room(target).then_some(now);
    });
    let [viewer] = viewers;
    (Figures { idle: idle as f64 / 1e6, ..figures(movie, &viewer) }, viewer)
}

pub fn figures(movie: &Movie, viewer: &Viewer) -> Figures {
    let n = movie.count() as f64;
    let kbps: Vec<f64> = viewer.shown.iter().map(|s| f64::from(s.bitrate) / 1e3).collect();
    assert_eq!(
        kbps.len(),
        movie.count(),
        "{:?} at {}: {:?}",
        viewer.session.state(),
        viewer.now,
        viewer.session.stats()
    );
    let ladder = &movie.video.bitrates;
    let (low, high) = (f64::from(ladder[0]) / 1e3, f64::from(ladder[ladder.len() - 1]) / 1e3);
    let startup = viewer.startup.expect("started") as f64 / 1e6;
    let whole = n * movie.millis as f64 / 1e3;
    let stalled = (viewer.end().expect("an end") as f64 / 1e6 - startup - whole).max(0.0);
    let change =
        |value: &dyn Fn(f64) -> f64| kbps.windows(2).map(|w| (value(w[1]) - value(w[0])).abs()).sum::<f64>();
    let qoe = |mu: f64, value: &dyn Fn(f64) -> f64| {
        (kbps.iter().map(|k| value(*k)).sum::<f64>() - mu * (stalled + startup) - change(value)) / n
    };
    let stats = viewer.session.stats();
    Figures {
        startup,
        stalled,
        events: f64::from(stats.stalls),
        mean_kbps: kbps.iter().sum::<f64>() / n,
        change_kbps: change(&|k| k) / n,
        qoe_lin: qoe(if high <= 6000.0 { 4.3 } else { high / 1e3 }, &|k| k / 1e3),
        qoe_log: qoe(2.66, &|k| (k / low).ln()),
        waste: stats.wasted as f64 / stats.bytes.max(1) as f64,
        idle: 0.0,
    }
}

/// The mean over a set, on every core.
pub fn many(content: &Content, mode: &Mode) -> (Figures, Vec<Figures>) {
    let movie = match mode.audio {
        0 => content.movie.clone(),
        rate => content.movie.clone().with_audio(rate),
    };
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![Figures::default(); content.traces.len()]);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(trace) = content.traces.get(n) else { return };
                    let figures = one(trace, &movie, mode).0;
                    found.lock().expect("whole")[n] = figures;
                }
            });
        }
    });
    let all = found.into_inner().expect("whole");
    let n = all.len() as f64;
    let mean = |of: &dyn Fn(&Figures) -> f64| all.iter().map(of).sum::<f64>() / n;
    let figures = Figures {
        startup: mean(&|f| f.startup),
        stalled: mean(&|f| f.stalled),
        events: mean(&|f| f.events),
        mean_kbps: mean(&|f| f.mean_kbps),
        change_kbps: mean(&|f| f.change_kbps),
        qoe_lin: mean(&|f| f.qoe_lin),
        qoe_log: mean(&|f| f.qoe_log),
        waste: mean(&|f| f.waste),
        idle: mean(&|f| f.idle),
    };
    (figures, all)
}
