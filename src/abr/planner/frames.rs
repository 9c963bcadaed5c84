//! Dropped frames: a level that the decoder cannot hold is capped, longer each time.

use crate::time::{Instant, Micros};

/// How long a decoder is watched before it is judged.
const WINDOW: Micros = Micros::from_secs(3);
/// The first cap lasts this long, each later one twice as long as the one before.
const FIRST: Micros = Micros::from_secs(30);
const LONGEST: Micros = Micros::from_secs(3_600);
/// No judgement on fewer frames.
const FEWEST: u64 = 24;

/// Counts the frames that a decoder shows and drops, and says which level is too much for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frames {
    level: Option<usize>,
    since: Instant,
    shown: u64,
    dropped: u64,
    cap: Option<usize>,
    until: Instant,
    next: Micros,
}

impl Default for Frames {
    fn default() -> Frames {
        Frames::new()
    }
}

impl Frames {
    /// Nothing seen.
    pub const fn new() -> Frames {
        Frames {
            level: None,
            since: Instant(0),
            shown: 0,
            dropped: 0,
            cap: None,
            until: Instant(0),
            next: FIRST,
        }
    }

    /// While `level` played, so many more frames were shown and so many dropped; 0 and 0 is welcome. Whether the cap has
    /// changed: when more than a tenth was dropped in three seconds, the level below is the highest for 30 s, twice as long
    /// the next time.
    pub fn report(&mut self, at: Instant, level: usize, shown: u64, dropped: u64) -> bool {
        let expired = self.expire(at);
        if self.level != Some(level) {
            self.level = Some(level);
            self.begin(at);
            // What is reported now was shown before the change.
            return expired;
        }
        self.shown = self.shown.saturating_add(shown);
        self.dropped = self.dropped.saturating_add(dropped);
        let all = self.shown.saturating_add(self.dropped);
        if at.since(self.since) < WINDOW || all < FEWEST {
            return expired;
        }
        let bad = self.dropped.saturating_mul(10) > all && level > 0;
        if bad {
            self.cap = Some(level.saturating_sub(1));
            self.until = at.after(self.next);
            self.next = Micros(self.next.0.saturating_mul(2).min(LONGEST.0));
        }
        self.begin(at);
        bad || expired
    }

    /// The highest level that may be chosen; `None` when all may.
    pub fn cap(&self, at: Instant) -> Option<usize> {
        self.cap.filter(|_| at < self.until)
    }

    /// When the cap ends, for the host's next wake-up.
    pub fn until(&self) -> Option<Instant> {
        self.cap.map(|_| self.until)
    }

    fn begin(&mut self, at: Instant) {
        (self.since, self.shown, self.dropped) = (at, 0, 0);
    }

    fn expire(&mut self, at: Instant) -> bool {
        let over = self.cap.is_some() && at >= self.until;
        if over {
            self.cap = None;
        }
        over
    }
}
