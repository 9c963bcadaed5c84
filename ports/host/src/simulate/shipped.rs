//! The core's own planner as a rule: the code that ships, told in its own units.

use anyhow::{Result, bail};
use smoothcore::abr::{Choice, Held, Moment, Objective, Planner, Progress, Setup, Tuning};
use smoothcore::mem::Account;
use smoothcore::time::{Instant, Micros};

use super::engine::{Act, Ask, Fetched, Known, Rule};

/// Milliseconds in the core's unit.
fn micros(ms: f64) -> Micros {
    Micros((ms.max(0.0) * 1000.0).round() as u64)
}

pub struct Shipped {
    planner: Planner,
    known: Known,
    choices: Vec<Choice>,
    replaces: bool,
    abandoned: Option<usize>,
}

/// How the core's planner is to play.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub objective: Objective,
    pub replaces: bool,
    pub tuning: Tuning,
}

impl Shipped {
    pub fn new(known: &Known, options: &Options, table_bytes: usize) -> Shipped {
        let bitrates: Vec<u32> = known
            .bitrates_kbps
            .iter()
            .map(|k| u32::try_from(k.saturating_mul(1000)).unwrap_or(u32::MAX))
            .collect();
        let mut account = Account::new(1 << 20);
        let planner = Planner::new(
            &mut account,
            &Setup {
                bitrates: &bitrates,
                groups: &[],
                duration: micros(known.duration),
                buffer: micros(known.buffer),
                objective: options.objective,
                table_bytes,
                tuning: options.tuning,
            },
        )
        .expect("a ladder of the movie");
        Shipped {
            planner,
            choices: vec![Choice::OPEN; bitrates.len()],
            known: known.clone(),
            replaces: options.replaces,
            abandoned: None,
        }
    }

    fn moment(&self, now: f64, level: f64, index: usize, last: Option<usize>) -> Moment<'_> {
        Moment {
            at: Instant(micros(now).0),
            buffer: micros(level),
            buffer_target: micros(self.known.buffer),
            duration: micros(self.known.duration),
            remaining: Some((self.known.segments - index) as u32),
            last,
            others: 0,
            abandoned: self.abandoned,
            choices: &[],
        }
    }
}

impl Rule for Shipped {
    fn choose(&mut self, ask: &Ask<'_>) -> Act {
        if !ask.retry {
            self.abandoned = None;
        }
        let choices = std::mem::take(&mut self.choices);
        let moment = Moment { choices: &choices, ..self.moment(ask.now, ask.level, ask.index, ask.last) };
        let mut act = None;
        if self.replaces && !ask.retry && ask.held.len() > 2 {
            let first = (1.5 + ask.played / self.known.duration).ceil() as usize;
            let due = |i: usize| micros(i as f64 * self.known.duration - ask.played);
            let held: Vec<Held> =
                (first..ask.held.len()).map(|i| Held { level: ask.held[i], due: due(i) }).collect();
            let before = ask.held.get(first - 1).copied();
            act = self
                .planner
                .replace(&moment, before, &held)
                .map(|r| Act::Again { position: first + r.index, quality: r.level });
        }
        let act =
            act.unwrap_or_else(|| Act::Next { quality: self.planner.decide(&moment).level, delay: 0.0 });
        self.choices = choices;
        act
    }

    fn watches(&self) -> bool {
        true
    }

    fn progress(&mut self, f: &Fetched) -> bool {
        let choices = std::mem::take(&mut self.choices);
        let index = f.index.unwrap_or(0);
        let moment = Moment { choices: &choices, ..self.moment(f.now, f.level, index, f.last) };
        let answer = self.planner.abandon(&Progress {
            moment,
            level: f.quality,
            total: Some((f.size / 8.0) as u64),
            received: (f.bits / 8.0) as u64,
            elapsed: micros(f.time),
            first_byte: Some(micros(f.ttfb)),
            reconnects: false,
        });
        self.choices = choices;
        if answer.is_some() {
            self.abandoned = Some(f.quality);
        }
        answer.is_some()
    }

    fn ended(&mut self, f: &Fetched) {
        let bytes = (f.bits / 8.0) as u64;
        self.planner.sample(bytes, micros(f.time - f.ttfb), micros(f.ttfb), Instant(micros(f.now).0));
        if f.bits >= f.size {
            self.planner.size(f.quality, micros(self.known.duration), bytes);
        }
    }
}

macro_rules! tunable {
    ($($name:ident)*) => {
        /// Sets one number of the tuning.
        pub fn tune(tuning: &mut Tuning, name: &str, value: i32) -> Result<()> {
            match name {
                $(stringify!($name) => tuning.$name = value,)*
                _ => bail!("no number \"{name}\" to tune; there are {}", [$(stringify!($name)),*].join(", ")),
            }
            Ok(())
        }
    };
}
tunable!(
    track_least track_memory track_clip track_floor leap leap_gain spread spread_memory
    spread_up spread_clip spread_least spread_most outage outage_least outage_memory
    outage_weight outage_learn outage_ms breaks_after breaks_ms size fade walk_down walk_up
    jump_down jump_up jump_log sweeps_start sweeps horizon abandon abandon_ms abandon_left
    abandon_tries abandon_late replace replace_due replace_ms
);
