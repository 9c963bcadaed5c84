//! The numbers of the controller: one set for every link and ladder.

use super::rate::TRACKS;

/// What the controller is tuned by. Shares, variances and logarithms in thousandths, times in milliseconds.
///
/// The default is what ships, one set for all links and ladders; others are for experiments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tuning {
    /// Memory of each mean of the ln-rate, in time of download.
    pub track_ms: [i32; TRACKS],
    /// No download counts as shorter than this there.
    pub track_least: i32,
    /// Downloads over which a mean's error is learned.
    pub track_memory: i32,
    /// Most that one download adds to that error, squared ln-rate.
    pub track_clip: i32,
    /// What is added to every mean's error, squared ln-rate.
    pub track_floor: i32,
    /// A surprise larger than this is a change of the link, ln-rate.
    pub leap: i32,
    /// Share of it that every mean then takes at once.
    pub leap_gain: i32,
    /// Variance of the ln-rate from one fragment to the next before anything is learned.
    pub spread: i32,
    /// Fragments over which that variance is learned.
    pub spread_memory: i32,
    /// Share of an upward step that counts there.
    pub spread_up: i32,
    /// Most that one step counts there, squared ln-rate.
    pub spread_clip: i32,
    /// Least standard deviation that the plan reckons with.
    pub spread_least: i32,
    /// Most standard deviation that the plan reckons with.
    pub spread_most: i32,
    /// A download slower than expected by this met an outage, ln-rate.
    pub outage: i32,
    /// And when it took at least this.
    pub outage_least: i32,
    /// Downloads over which the share of outages is learned.
    pub outage_memory: i32,
    /// What the plan makes of that share.
    pub outage_weight: i32,
    /// Outages over which their length is learned.
    pub outage_learn: i32,
    /// What an outage lasts at least in the plan.
    pub outage_ms: i32,
    /// Variance of the ln-size of a fragment about its nominal size.
    pub size: i32,
    /// 1,024ths of the next state's worth that are lost.
    pub fade: i32,
    /// Chance of 256 that the rate falls by one step of the table (1.35, or more for wide ladders) before the next fragment.
    pub walk_down: i32,
    /// The same, that it rises by one.
    pub walk_up: i32,
    /// The same, that it falls by three.
    pub jump_down: i32,
    /// The same, that it rises by three.
    pub jump_up: i32,
    /// Both of these with the objective log, where the fall costs more than the rise brings.
    pub jump_log: i32,
    /// Sweeps at the start and after a jump.
    pub sweeps_start: i32,
    /// Sweeps a decision.
    pub sweeps: i32,
    /// Fragments before the end from which on the plan ends there.
    pub horizon: i32,
    /// Not on a link with so many outages behind it.
    pub breaks_after: i32,
    /// Of at least this mean length.
    pub breaks_ms: i32,
    /// What another level must be better by for an abandonment, of the top utility.
    pub abandon: i32,
    /// Time before a fragment may be abandoned.
    pub abandon_ms: i32,
    /// Share of the fragment that must still be missing.
    pub abandon_left: i32,
    /// Times that one fragment may be abandoned.
    pub abandon_tries: i32,
    /// Remaining time, of the buffer, from which on abandonment is thought of.
    pub abandon_late: i32,
    /// Gain that a replacement must have, of the worth lost.
    pub replace: i32,
    /// Time by which a replacement must come before it is due, of its own time.
    pub replace_due: i32,
    /// The same, a constant.
    pub replace_ms: i32,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning {
            track_ms: [100, 1_000, 5_000, 10_000],
            track_least: 1_000,
            track_memory: 10,
            track_clip: 500,
            track_floor: 10,
            leap: 1_500,
            leap_gain: 800,
            spread: 50,
            spread_memory: 16,
            spread_up: 100,
            spread_clip: 800,
            spread_least: 100,
            spread_most: 1_200,
            outage: 700,
            outage_least: 10_000,
            outage_memory: 60,
            outage_weight: 2_500,
            outage_learn: 3,
            outage_ms: 13_000,
            size: 30,
            fade: 2,
            walk_down: 2,
            walk_up: 5,
            jump_down: 1,
            jump_up: 4,
            jump_log: 2,
            sweeps_start: 20,
            sweeps: 2,
            horizon: 11,
            breaks_after: 2,
            breaks_ms: 14_000,
            abandon: 50,
            abandon_ms: 300,
            abandon_left: 100,
            abandon_tries: 4,
            abandon_late: 250,
            replace: 2_500,
            replace_due: 1_300,
            replace_ms: 500,
        }
    }
}
