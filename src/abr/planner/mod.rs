//! The planner: what each level is worth, by stochastic dynamic programming on integers.
//!
//! One [`Planner`] serves one stream of pictures. It is made when the stream's levels are known, takes its memory then and
//! none later, and is told of every download ([`Planner::sample`]) and of the size of every fragment
//! ([`Planner::size`]). It answers which level comes next ([`Planner::decide`]), whether a download in flight should give
//! way to a lower level ([`Planner::abandon`]), and whether a fragment in the buffer should be fetched again
//! ([`Planner::replace`]). The same calls with the same numbers give the same answers on every target.
//!
//! `ports/docs/switching.md` explains how it thinks.

mod choose;
mod frames;
mod give_up;
mod improve;
mod logarithm;
mod rate;
mod small;
mod table;
mod tuning;

pub use frames::Frames;
pub use rate::Prior;
pub use tuning::Tuning;

use self::logarithm::{ONE, exp, ln, mul, narrow};
use self::rate::Rate;
use self::table::{Rung, SECOND, Tables, UNIT};
use super::Reason;
use crate::error::{Code, Result};
use crate::mem::{Account, List};
use crate::time::{Instant, Micros};

/// Levels beyond which the tables would be too coarse: such ladders are planned by the small rule.
pub const MOST_LEVELS: usize = 24;
/// What tables may take unless the host says otherwise.
pub const TABLE_BYTES: usize = 65_536;
/// How often at least [`Planner::abandon`] is to be asked while a fragment is in flight.
pub const WATCH: Micros = Micros::from_millis(250);

/// What a viewer is thought to value.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Objective {
    /// The logarithm of the bitrate: the step from 300 to 600 kbit/s is worth that from 3 to 6 Mbit/s. A second's stall
    /// costs 2.66.
    #[default]
    Log,
    /// The bitrate in Mbit/s. A second's stall costs 4.3, or the top bitrate where that is more than 6.
    Linear,
}

/// What a planner is made from.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Bitrates of all levels in bit/s, ascending, 1 to 65,535 of them.
    pub bitrates: &'a [u32],
    /// Resolution group of each level; between levels of unlike groups the decoder cannot change without a break. Empty:
    /// all are alike.
    pub groups: &'a [u16],
    /// What a fragment usually lasts.
    pub duration: Micros,
    /// The most that is ever held, the fragment being fetched included.
    pub buffer: Micros,
    /// What is to be made most of.
    pub objective: Objective,
    /// Most bytes for tables; with less than they need, 0 for instance, the small rule plans. Usually [`TABLE_BYTES`].
    pub table_bytes: usize,
    /// Usually the default.
    pub tuning: Tuning,
}

/// One level as it stands at a decision, in the order of [`Setup::bitrates`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Whether it may be chosen: screen, decoder, keys, the host's caps, dropped frames.
    pub open: bool,
    /// The most media that the byte budget lets a buffer of this level hold; `u64::MAX` when unlimited.
    pub reach: Micros,
}

impl Choice {
    /// May be chosen, and held for as long as the buffer is.
    pub const OPEN: Choice = Choice { open: true, reach: Micros(u64::MAX) };
}

/// The moment of a decision.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The host's clock.
    pub at: Instant,
    /// Media held ahead of the playback position; 0 before playback and after a seek.
    pub buffer: Micros,
    /// The most that may be held: the buffer target; live, the distance to the edge less one fragment if that is less.
    pub buffer_target: Micros,
    /// Duration of the fragment to choose for.
    pub duration: Micros,
    /// Fragments from this one to the end, it included; `None` live, where no end is known.
    pub remaining: Option<u32>,
    /// Level of the fragment before it; `None` for the first of all.
    pub last: Option<usize>,
    /// Bit/s that other streams take of the link on average: sound mostly.
    pub others: u64,
    /// The level that the fragment was abandoned at just now: only lower ones come into question.
    pub abandoned: Option<usize>,
    /// As many as there are bitrates; those missing are [`Choice::OPEN`].
    pub choices: &'a [Choice],
}

/// What was decided, and what that rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Index into [`Setup::bitrates`]; an open one, if any is.
    pub level: usize,
    /// Why.
    pub reason: Reason,
    /// The link's rate in bit/s that was reckoned with; 0 when unknown.
    pub rate: u64,
    /// Standard deviation of the logarithm of the next fragment's rate, in thousandths.
    pub sigma_milli: u32,
}

/// A download in flight.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// As for a decision about the fragment; [`Moment::buffer`] is what is held now.
    pub moment: Moment<'a>,
    /// The level being fetched.
    pub level: usize,
    /// Bytes of the whole body, where the server has said.
    pub total: Option<u64>,
    /// Bytes of it received.
    pub received: u64,
    /// Since the request went out.
    pub elapsed: Micros,
    /// From the request to the first byte; `None` before that.
    pub first_byte: Option<Micros>,
    /// Giving up costs the connection as well, as it does with HTTP/1.1.
    pub reconnects: bool,
}

/// A fragment in the buffer of which no sample has left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// Its level.
    pub level: usize,
    /// Time until it begins to play.
    pub due: Micros,
}

/// A fragment to fetch again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replacement {
    /// Index into the list of held fragments.
    pub index: usize,
    /// The level to fetch it at.
    pub level: usize,
}

/// Plans the levels of one stream.
#[derive(Debug)]
pub struct Planner {
    rungs: List<Rung>,
    tables: Option<Tables>,
    rate: Rate,
    tuning: Tuning,
    /// Worth of a second's stall.
    mu: i32,
    /// Learned ln of real to nominal size.
    bias: i32,
    /// Levels open at the last decision, one bit each.
    open: u64,
    /// Sweeps due because something changed.
    due: i32,
    /// Times that the present fragment was abandoned.
    tries: i32,
    grouped: bool,
    /// When the last crossing was decided, and the group that it went to.
    crossed: Option<(Instant, u16)>,
}

impl Planner {
    /// A planner that knows nothing of the link yet. All its memory is taken here.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`] when not even the ladder fits; without room for tables it plans by the
    /// small rule. [`Code::Argument`] for a ladder that is empty, too long or not ascending.
    pub fn new(account: &mut Account, setup: &Setup<'_>) -> Result<Planner> {
        let bitrates = setup.bitrates;
        let (Some(lowest), Some(top)) = (bitrates.first(), bitrates.last()) else {
            return Err(Code::Argument.into());
        };
        if bitrates.len() > usize::from(u16::MAX) || !bitrates.is_sorted() {
            return Err(Code::Argument.into());
        }
        let (lowest, top) = (u64::from(*lowest).max(1), u64::from(*top).max(1));
        let range = ln(top).saturating_sub(ln(lowest));
        let mut rungs: List<Rung> = List::new();
        rungs.reserve_exact(account, bitrates.len())?;
        for (i, bitrate) in bitrates.iter().enumerate() {
            let ln_rate = ln(u64::from(*bitrate));
            let above = ln_rate.saturating_sub(ln(lowest)).max(0);
            let utility = match setup.objective {
                Objective::Linear => (u64::from(*bitrate) * UNIT as u64 / top) as i32,
                Objective::Log => narrow(i64::from(above) * i64::from(UNIT) / i64::from(range.max(1))),
            };
            let group = setup.groups.get(i).copied().unwrap_or(0);
            rungs
                .push(account, Rung { bitrate: *bitrate, ln: ln_rate, utility, group, open: true, cap: 0 })?;
        }
        let mu = match setup.objective {
            Objective::Linear if top <= 6_000_000 => UNIT as u64 * 4_300_000 / top,
            Objective::Linear => UNIT as u64,
            // 2.66 in Q16.
            Objective::Log => UNIT as u64 * 174_326 / u64::from(range.max(1).unsigned_abs()),
        };
        let mut tuning = setup.tuning;
        if setup.objective == Objective::Log {
            (tuning.jump_down, tuning.jump_up) = (tuning.jump_log, tuning.jump_log);
        }
        let fits = bitrates.len() <= MOST_LEVELS && Tables::bytes(bitrates.len()) <= setup.table_bytes;
        let top_time = plan_time(setup.buffer.minus(setup.duration));
        let tables = if fits { Tables::new(account, &rungs, top_time).ok() } else { None };
        Ok(Planner {
            grouped: setup.groups.windows(2).any(|pair| pair.first() != pair.last()),
            rungs,
            tables,
            rate: Rate::new(&tuning),
            tuning,
            mu: mu.min(64 * UNIT as u64) as i32,
            bias: 0,
            open: u64::MAX,
            due: tuning.sweeps_start,
            tries: 0,
            crossed: None,
        })
    }

    /// Gives its memory back.
    pub fn free(&mut self, account: &mut Account) {
        if let Some(mut tables) = self.tables.take() {
            tables.free(account);
        }
        self.rungs.free(account);
    }

    /// Takes up what was known of the network before. Of a prior older than ten minutes, or after the first sample, nothing.
    /// It carries over from one presentation to the next: [`Planner::prior`] of the one, with its age, into the other.
    pub fn recall(&mut self, prior: &Prior) {
        self.rate.recall(prior);
    }

    /// A download has ended, whole or not: bytes of all streams over the time in which the link was busy with them, the
    /// wait for the first byte left out of `took`. Nothing is learned from less than 2 KiB, and time without a request in
    /// flight is no part of it.
    pub fn sample(&mut self, bytes: u64, took: Micros, first_byte: Micros, at: Instant) {
        self.rate.wait(first_byte);
        if bytes >= 2_048 {
            self.rate.sample(bytes, took, at, &self.tuning);
        }
    }

    /// The whole fragment of that level and duration was that large: teaches how real sizes differ from nominal ones.
    pub fn size(&mut self, level: usize, duration: Micros, bytes: u64) {
        let Some(rung) = self.rungs.get(level) else { return };
        let nominal = rung.ln.saturating_add(ln_seconds(duration));
        let off = ln(bytes.saturating_mul(8).max(1)).saturating_sub(nominal).clamp(-ONE, ONE);
        self.bias = self.bias.saturating_add(off.saturating_sub(self.bias) / 16);
    }

    /// Playback jumps: what is known of the link stays, the buffer is empty.
    pub fn jump(&mut self) {
        self.due = self.tuning.sweeps_start;
        self.tries = 0;
        self.crossed = None;
    }

    /// What is known of the network, for the host to keep.
    pub fn prior(&self) -> Prior {
        self.rate.prior()
    }

    /// The link's rate in bit/s, as far as known.
    pub fn rate(&self) -> Option<u64> {
        self.rate.is_known().then(|| self.rate.bits_per_second())
    }

    /// Bytes of tables; 0 when the small rule plans.
    pub fn table_bytes(&self) -> usize {
        self.tables.as_ref().map_or(0, Tables::charged)
    }

    fn lowest(&self) -> usize {
        self.rungs.iter().position(|r| r.open).unwrap_or(0)
    }

    /// The most that a buffer of level `a` holds when the next fragment is asked for.
    fn reach(&self, moment: &Moment<'_>, a: usize) -> Micros {
        moment.choices.get(a).map_or(Micros(u64::MAX), |c| c.reach).minus(moment.duration)
    }

    /// The rate left for this stream, ln.
    fn open_rate(&self, moment: &Moment<'_>) -> i32 {
        less_others(self.rate.mean(), moment.others)
    }

    /// Price of a change from `last` to `a`, without that of crossing groups.
    fn switch(&self, last: Option<usize>, a: usize) -> i32 {
        let utility = |i: usize| self.rungs.get(i).map_or(0, |r| r.utility);
        last.map_or(0, |l| utility(l).saturating_sub(utility(a)).saturating_abs())
    }
}

/// What is left of a rate when others take their part, ln. A quarter is always left, or nothing would ever be tried.
fn less_others(ln_rate: i32, others: u64) -> i32 {
    if others == 0 {
        return ln_rate;
    }
    let rate = exp(ln_rate) >> 16;
    ln(rate.saturating_sub(others).max(rate / 4).max(1))
}

/// A span in the plan's unit, at most an hour.
fn plan_time(span: Micros) -> i32 {
    let span = span.0.min(3_600_000_000);
    (span.saturating_mul(SECOND as u64) / 1_000_000) as i32
}

/// The logarithm of a span in seconds.
fn ln_seconds(span: Micros) -> i32 {
    ln(span.0.clamp(1_000, 3_600_000_000)).saturating_sub(ln(1_000_000))
}

/// e^`ln_bits` bits at e^`ln_rate`, in the plan's unit.
fn transfer_time(ln_bits: i32, ln_rate: i32) -> i32 {
    plan_time(Micros(exp(ln_bits.saturating_sub(ln_rate).min(9 * ONE)).saturating_mul(1_000_000) >> 16))
}

fn thousandths(x: i32) -> u32 {
    mul(x.max(0), 1000).unsigned_abs()
}

#[cfg(test)]
mod tests;
