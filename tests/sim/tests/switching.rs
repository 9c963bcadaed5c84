//! Switching of whole sessions: as the planner alone has it, and many on one link.

use smoothcore::abr::{Moment, Objective as Aim, Planner, Progress, Setup, TABLE_BYTES, Tuning};
use smoothcore::mem::Account;
use smoothcore::session::{Objective, Replacement, SwitchingRule};
use smoothcore::time::{Instant, Micros};
use smoothcore_sim::dice::Dice;
use smoothcore_sim::movie::{Movie, Period};
use smoothcore_sim::pipe::{Came, Pipe};
use smoothcore_sim::scenario::share::{LADDER, shared};
use smoothcore_sim::scenario::traces::{Mode, one};

/// A link that wanders between `low` and `high` kbit/s, a level for some seconds at a time.
fn ride(seed: u64, low: u64, high: u64) -> Vec<Period> {
    let mut dice = Dice::new(seed);
    let period = |_| Period {
        micros: dice.within(1, 9) * 1_000_000,
        rate: dice.within(low, high) as f64 * 1e3,
        latency: 60_000,
    };
    (0..80).map(period).collect()
}

/// Sizes a third off their bitrates, in no order.
fn movie(seed: u64) -> Movie {
    let mut dice = Dice::new(seed);
    let mut movie = Movie::even(&LADDER, 3_000, 120);
    for row in &mut movie.video.sizes {
        let factor = dice.within(66, 133);
        row.iter_mut().for_each(|s| *s = *s * factor / 100);
    }
    movie
}

/// The planner in the simplest of sessions: one request at a time, whole segments, a buffer of so many seconds. Mean
/// linear quality.
fn alone(periods: &[Period], movie: &Movie, buffer: f64) -> f64 {
    let mut account = Account::new(1 << 20);
    let duration = Micros(movie.millis * 1000);
    let setup = Setup {
        bitrates: &movie.video.bitrates,
        groups: &[],
        duration,
        buffer: Micros((buffer * 1e6) as u64),
        objective: Aim::Linear,
        table_bytes: TABLE_BYTES,
        tuning: Tuning::default(),
    };
    let mut planner = Planner::new(&mut account, &setup).expect("a ladder");
    let mut pipe = Pipe::new(periods);
    let (count, each) = (movie.count(), movie.millis as f64 * 1e3);
    // Media held, and since when; times in microseconds.
    let (mut level, mut at, mut stalled, mut startup) = (0.0f64, 0.0f64, 0.0f64, None);
    let mut played: Vec<usize> = Vec::new();
    let mut index = 0;
    let mut abandoned = None;
    let pass = |now: f64, level: &mut f64, at: &mut f64, stalled: &mut f64, started: bool| {
        let passed = now - *at;
        *at = now;
        if started {
            *stalled += (passed - *level).max(0.0);
            *level = (*level - passed).max(0.0);
        }
    };
    while index < count {
        let over = level + each - buffer * 1e6;
        if over > 0.0 {
            pipe.step(pipe.now + over);
            pass(pipe.now, &mut level, &mut at, &mut stalled, startup.is_some());
        }
        let last = played.last().copied();
        let moment = |now: f64, level: f64, abandoned| Moment {
            at: Instant(now as u64),
            buffer: Micros(level as u64),
            buffer_target: setup.buffer,
            duration,
            remaining: Some((count - index) as u32),
            last,
            others: 0,
            abandoned,
            choices: &[],
        };
        let quality = planner.decide(&moment(pipe.now, level, abandoned)).level;
        let size = movie.video.sizes[index][quality];
        let began = pipe.now;
        pipe.start(0, index as u32, size);
        let (mut first, mut came) = (0.0, 0u64);
        let whole = loop {
            let (_, _, what) = pipe.step(f64::MAX).expect("something comes");
            match what {
                Came::Head => first = pipe.now - began,
                Came::Bytes(more) => came += more,
                Came::Done => break true,
            }
            if index == 0 || came == 0 || came == size {
                continue;
            }
            let held = (level - (pipe.now - at)).max(0.0);
            let give_up = planner.abandon(&Progress {
                moment: moment(pipe.now, held, abandoned),
                level: quality,
                total: Some(size),
                received: came,
                elapsed: Micros((pipe.now - began) as u64),
                first_byte: Some(Micros(first as u64)),
                reconnects: false,
            });
            if give_up.is_some() {
                pipe.cancel(0, index as u32);
                break false;
            }
        };
        pass(pipe.now, &mut level, &mut at, &mut stalled, startup.is_some());
        let took = Micros((pipe.now - began - first) as u64);
        planner.sample(came, took, Micros(first as u64), Instant(pipe.now as u64));
        if !whole {
            abandoned = Some(quality);
            continue;
        }
        abandoned = None;
        planner.size(quality, duration, size);
        startup.get_or_insert(pipe.now);
        level += each;
        played.push(quality);
        index += 1;
    }
    let mbit = |q: usize| f64::from(movie.video.bitrates[q]) / 1e6;
    let quality: f64 = played.iter().map(|q| mbit(*q)).sum();
    let change: f64 = played.windows(2).map(|w| (mbit(w[1]) - mbit(w[0])).abs()).sum();
    (quality - change - 4.3 * (stalled + startup.expect("started")) / 1e6) / count as f64
}

#[test]
fn a_session_comes_out_as_the_planner_alone() {
    let mode = Mode {
        buffer: 25.0,
        rule: SwitchingRule::Planner,
        objective: Objective::Linear,
        replacement: Replacement::Off,
        alike: true,
        audio: 0,
        budget: 1 << 30,
    };
    for (low, high) in [(200, 1_500), (500, 6_000), (3_000, 12_000)] {
        let (mut session, mut planner) = (0.0, 0.0);
        for seed in 0..4 {
            let (periods, movie) = (ride(seed, low, high), movie(seed));
            session += one(&periods, &movie, &mode).0.qoe_lin / 4.0;
            planner += alone(&periods, &movie, 25.0) / 4.0;
        }
        let allowed = (planner.abs() * 0.03).max(0.03);
        assert!(
            (session - planner).abs() <= allowed,
            "{low} to {high}: {session:.3}, the planner alone {planner:.3}"
        );
    }
}

#[test]
fn sessions_on_one_link_share_it() {
    for count in [2, 8] {
        let f = shared(count, SwitchingRule::Planner, 3, false);
        assert!(f.jain >= 0.9, "{count}: {f:?}");
        assert!(f.stalled < 1.0, "{count}: {f:?}");
        let late = shared(count, SwitchingRule::Planner, 3, true);
        assert!(late.late.is_some_and(|s| s <= 30), "{count}: {late:?}");
    }
}
