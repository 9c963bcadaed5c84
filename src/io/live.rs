//! What a host is told of a live presentation, and tells of its network.

use crate::time::{MediaTime, Micros};

/// Where a live presentation can be played, and how far behind its edge it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LiveWindow {
    /// The earliest time that can be sought to.
    pub start: MediaTime,
    /// Where the newest fragment that every played stream can have ends: an estimate between two things learnt.
    pub end: MediaTime,
    /// Where `seek_live` goes: the target delay before `end`, at the start of a fragment.
    pub edge: MediaTime,
    /// What is being shown; `None` before anything is.
    pub position: Option<MediaTime>,
    /// From `position` to `end`; `None` without a position.
    pub latency: Option<Micros>,
    /// The delay behind `end` that is aimed at.
    pub target_delay: Micros,
    /// The origin's clock now, in microseconds since 1970: a hint, from the `Date` of its latest manifest. `None` when it sent
    /// none.
    pub origin_clock: Option<u64>,
    /// Since when the manifest was last read.
    pub age: Micros,
}

/// Whether there is a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// There is none: every exchange is cancelled and none is started.
    Down,
    /// There is one again.
    Up,
}

/// Why the manifest of a live presentation is read again. Numbers are stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum RefreshReason {
    /// A seek went to where the list does not reach.
    Seek = 1,
    /// Playback goes on after a pause, a suspension, an outage or a jump of the clock.
    Resume = 2,
    /// Nothing new comes at the edge.
    Stalled = 3,
    /// A stream was turned on whose list does not reach the position.
    Select = 4,
    /// The origin's fragments do not announce what follows.
    Unannounced = 5,
    /// The origin does not have a fragment that is listed.
    Missing = 6,
    /// The origin refuses access: a token may have run out.
    Forbidden = 7,
    /// A played stream lists nothing yet.
    Empty = 8,
    /// The list read before lies wholly before the one known: it is looked at twice.
    Restart = 9,
    /// The origin does not answer for a fragment: whether it is there at all.
    Probe = 10,
}
