use super::logarithm::{ONE, exp, ln, sqrt};
use super::*;

mod decisions;
mod frames;
mod golden;
mod limits;
mod storm;

const LADDER: &[u32] = &[230_000, 331_000, 477_000, 688_000, 991_000, 1_427_000, 2_056_000, 2_962_000];
const DURATION: Micros = Micros::from_secs(2);
const BUFFER: Micros = Micros::from_secs(20);

fn setup() -> Setup<'static> {
    Setup {
        bitrates: LADDER,
        groups: &[],
        duration: DURATION,
        buffer: BUFFER,
        objective: Objective::Log,
        table_bytes: TABLE_BYTES,
        tuning: Tuning::default(),
    }
}

fn planner(setup: &Setup<'_>) -> Planner {
    Planner::new(&mut Account::new(1 << 20), setup).unwrap()
}

fn moment(at_ms: u64, buffer_ms: u64, last: Option<usize>) -> Moment<'static> {
    Moment {
        at: Instant(at_ms * 1_000),
        buffer: Micros::from_millis(buffer_ms),
        buffer_target: BUFFER,
        duration: DURATION,
        remaining: Some(1_000),
        last,
        others: 0,
        abandoned: None,
        choices: &[],
    }
}

/// A link: what a fragment of so many bytes takes from a time on, without the wait for its first byte.
struct Ride {
    planner: Planner,
    at: u64,
    buffer: u64,
    last: Option<usize>,
    stalled: u64,
    /// Fragments to the end.
    remaining: u32,
    levels: std::vec::Vec<usize>,
}

impl Ride {
    fn new(setup: &Setup<'_>) -> Ride {
        Ride {
            planner: planner(setup),
            at: 0,
            buffer: 0,
            last: None,
            stalled: 0,
            remaining: 1_000,
            levels: std::vec::Vec::new(),
        }
    }

    /// Fetches one fragment over a link of `kbps`; times in microseconds.
    fn fragment(&mut self, kbps: u64, choices: &[Choice], others: u64) -> Decision {
        let duration = DURATION.0;
        let over = (self.buffer + duration).saturating_sub(BUFFER.0);
        (self.at, self.buffer) = (self.at + over, self.buffer - over);
        let moment = Moment {
            others,
            choices,
            remaining: Some(self.remaining),
            ..moment(self.at / 1_000, self.buffer / 1_000, self.last)
        };
        let decision = self.planner.decide(&moment);
        let bytes = u64::from(LADDER[decision.level]) * duration / 8_000_000;
        let took = bytes * 8_000 / (kbps - others / 1_000);
        let wait = 50_000;
        if self.last.is_some() {
            self.stalled += (took + wait).saturating_sub(self.buffer);
        }
        self.at += took + wait;
        self.buffer = self.buffer.saturating_sub(took + wait) + duration;
        // All streams share the link: what the others took came in the same time.
        let all = bytes + others * took / 8_000_000;
        self.planner.sample(all, Micros(took), Micros(wait), Instant(self.at));
        self.planner.size(decision.level, DURATION, bytes);
        self.last = Some(decision.level);
        self.levels.push(decision.level);
        self.remaining = self.remaining.saturating_sub(1);
        decision
    }
}

#[test]
fn logarithms_agree_with_the_exact_ones() {
    #![allow(clippy::float_arithmetic)]
    for x in [1u64, 2, 3, 64, 65, 1_000, 65_535, 65_536, 1_000_000, 123_456_789, u64::MAX] {
        let exact = (x as f64).ln();
        assert!((f64::from(ln(x)) / 65_536.0 - exact).abs() < 2e-4, "{x}");
    }
    for x in [-11 * ONE, -ONE, -1, 0, 1, ONE, 5 * ONE + 77, 20 * ONE, 30 * ONE] {
        let exact = (f64::from(x) / 65_536.0).exp();
        let found = exp(x) as f64 / 65_536.0;
        assert!((found - exact).abs() <= exact * 3e-4 + 2e-5, "{x}: {found} {exact}");
    }
    assert_eq!((ln(0), exp(i32::MIN), exp(i32::MAX)), (0, exp(-11 * ONE), exp(30 * ONE)));
    assert_eq!((sqrt(4 * ONE), sqrt(-5), sqrt(ONE / 4)), (2 * ONE, 0, ONE / 2));
}
