//! The numbers of the controller: one set for every link and ladder.

/// What the controller is tuned by. Shares and variances in thousandths, times in milliseconds.
///
/// The default is what ships, one set for all links and ladders; others are for experiments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tuning {
    /// Variance of the measured ln-rate of a fragment that took no time.
    pub noise: i32,
    /// Milliseconds of download after which that variance has halved.
    pub noise_ms: i32,
    /// Variance that the true ln-rate gains in a second.
    pub drift: i32,
    /// Variance of one step of the ln-rate before anything is learned.
    pub spread: i32,
    /// Fragments over which the variance of steps is learned.
    pub spread_memory: i32,
    /// Share of an upward step that counts there.
    pub spread_up: i32,
    /// Most that one step counts there.
    pub spread_clip: i32,
    /// Least standard deviation the plan reckons with.
    pub spread_least: i32,
    /// Most standard deviation the plan reckons with.
    pub spread_most: i32,
    /// Share of an upward surprise that is believed.
    pub damp: i32,
    /// Most of an upward surprise, ln-rate.
    pub clip: i32,
    /// A surprise larger than this opens the filter again, ln-rate.
    pub reopen: i32,
    /// Share of the way to the slow mean that the estimate goes with each fragment.
    pub pull: i32,
    /// Time constant of the slow mean.
    pub pull_ms: i32,
    /// Variance of the ln-size of a fragment about its nominal size.
    pub size: i32,
    /// Share of the standard deviation by which the believed rate moves with each rate point.
    pub follow: i32,
    /// Share of the rest of a fragment's way back to the slow mean, in the plan.
    pub revert: i32,
    /// Worth of the next step of the plan, against this one.
    pub discount: i32,
    /// Chance of 256 that the rate goes one step of 1.35 down or up before the next fragment, and three.
    pub walk_down: i32,
    /// The same, up.
    pub walk_up: i32,
    /// The same, three steps down.
    pub jump_down: i32,
    /// The same, three steps up.
    pub jump_up: i32,
    /// Sweeps at the start and after a jump.
    pub sweeps_start: i32,
    /// Sweeps a decision.
    pub sweeps: i32,
    /// Fragments before the end from which on the plan ends there.
    pub horizon: i32,
    /// Worth of a full buffer beyond the end of the plan.
    pub shift: i32,
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
    /// Gain that a replacement must have, of the value lost.
    pub replace: i32,
    /// Time by which a replacement must come before it is due, of its own time.
    pub replace_due: i32,
    /// The same, a constant.
    pub replace_ms: i32,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning {
            noise: 100,
            noise_ms: 2000,
            drift: 80,
            spread: 200,
            spread_memory: 8,
            spread_up: 100,
            spread_clip: 1000,
            spread_least: 100,
            spread_most: 1200,
            damp: 1000,
            clip: 3000,
            reopen: 1000,
            pull: 80,
            pull_ms: 30_000,
            size: 40,
            follow: 0,
            revert: 0,
            discount: 1000,
            walk_down: 0,
            walk_up: 0,
            jump_down: 0,
            jump_up: 0,
            sweeps_start: 20,
            sweeps: 2,
            horizon: 20,
            shift: 0,
            abandon: 60,
            abandon_ms: 300,
            abandon_left: 300,
            abandon_tries: 2,
            abandon_late: 1000,
            replace: 1500,
            replace_due: 1300,
            replace_ms: 500,
        }
    }
}
