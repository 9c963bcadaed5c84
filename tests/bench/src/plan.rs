//! What a decision costs.

use std::time::Instant as Wall;

use smoothcore::abr::{Choice, Moment, Objective, Planner, Setup, TABLE_BYTES, Tuning};
use smoothcore::mem::Account;
use smoothcore::time::{Instant, Micros};

/// Levels of a long ladder, in bit/s.
const LADDER: [u32; 10] =
    [230_000, 331_000, 477_000, 688_000, 991_000, 1_427_000, 2_056_000, 2_962_000, 5_027_000, 6_000_000];
const DURATION: Micros = Micros::from_secs(2);
const BUFFER: Micros = Micros::from_secs(25);

/// A planner, and the link it is told of: 0.5 to 5 Mbit/s, ever changing.
pub struct Ride {
    planner: Planner,
    at: u64,
    buffer: u64,
    last: Option<usize>,
    pub decisions: u32,
}

impl Ride {
    pub fn new() -> Ride {
        let setup = Setup {
            bitrates: &LADDER,
            groups: &[],
            duration: DURATION,
            buffer: BUFFER,
            objective: Objective::Log,
            table_bytes: TABLE_BYTES,
            tuning: Tuning::default(),
        };
        let planner = Planner::new(&mut Account::new(1 << 20), &setup).expect("a ladder");
        Ride { planner, at: 0, buffer: 0, last: None, decisions: 0 }
    }

    pub fn table_bytes(&self) -> usize {
        self.planner.table_bytes()
    }

    /// One fragment, so many before the end.
    pub fn fragment(&mut self, remaining: Option<u32>) {
        let over = (self.buffer + DURATION.0).saturating_sub(BUFFER.0);
        (self.at, self.buffer) = (self.at + over, self.buffer - over);
        let choices = [Choice::OPEN; LADDER.len()];
        let moment = Moment {
            at: Instant(self.at),
            buffer: Micros(self.buffer),
            buffer_target: BUFFER,
            duration: DURATION,
            remaining,
            last: self.last,
            others: 128_000,
            abandoned: None,
            choices: &choices,
        };
        let level = self.planner.decide(&moment).level;
        let bytes = u64::from(LADDER[level]) / 4;
        let rate = 500_000 + u64::from(self.decisions.wrapping_mul(2_654_435_761) >> 10) % 4_500_000;
        let took = bytes * 8_000_000 / rate;
        self.at += took;
        self.buffer = self.buffer.saturating_sub(took) + DURATION.0;
        self.planner.sample(bytes, Micros(took), Micros(40_000), Instant(self.at));
        self.planner.size(level, DURATION, bytes);
        self.last = Some(level);
        self.decisions += 1;
    }
}

/// The decisions of one kind alone, for a counter of instructions to run under: `START` fragments, then `count` more.
pub const START: u32 = 3;

pub fn decide(count: u32, ending: bool) {
    let mut ride = Ride::new();
    for _ in 0..START {
        ride.fragment(None);
    }
    for n in 0..count {
        ride.fragment(ending.then_some(20 - n % 20));
    }
}

pub fn measure() {
    let mut ride = Ride::new();
    println!(
        "switching: a ladder of {} levels, tables of {} bytes, bound {TABLE_BYTES}",
        LADDER.len(),
        ride.table_bytes()
    );
    for _ in 0..START {
        ride.fragment(None);
    }
    let begin = Wall::now();
    let count = 2_000;
    for _ in 0..count {
        ride.fragment(None);
    }
    let micros = begin.elapsed().as_secs_f64() * 1e6 / f64::from(count);
    println!("  {micros:.0} us a decision on this machine");
}
