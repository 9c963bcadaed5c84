//! What the link has given: bytes of all streams over the time in which any of them came.

use crate::time::{Instant, Micros};

/// Bytes, and the union of the times in which exchanges received them. The wait for a first byte does not count.
#[derive(Debug, Default)]
pub(super) struct Meter {
    receiving: u32,
    since: Instant,
    micros: u64,
    bytes: u64,
}

impl Meter {
    /// An exchange receives, and has since `from`.
    pub fn begin(&mut self, from: Instant, now: Instant) {
        if self.receiving == 0 {
            self.since = from.max(self.since).min(now);
        }
        self.settle(now);
        self.receiving = self.receiving.saturating_add(1);
    }

    pub fn bytes(&mut self, count: u64) {
        self.bytes = self.bytes.saturating_add(count);
    }

    /// An exchange that received does so no longer.
    pub fn end(&mut self, now: Instant) {
        self.settle(now);
        self.receiving = self.receiving.saturating_sub(1);
        self.since = now;
    }

    /// What has come since the last time.
    pub fn take(&mut self, now: Instant) -> (u64, Micros) {
        self.settle(now);
        (core::mem::take(&mut self.bytes), Micros(core::mem::take(&mut self.micros)))
    }

    /// The same, kept.
    pub fn look(&mut self, now: Instant) -> (u64, Micros) {
        self.settle(now);
        (self.bytes, Micros(self.micros))
    }

    fn settle(&mut self, now: Instant) {
        if self.receiving > 0 {
            self.micros = self.micros.saturating_add(now.since(self.since).0);
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_several_receive_counts_once() {
        let mut m = Meter::default();
        m.begin(Instant(100), Instant(100));
        m.begin(Instant(150), Instant(200));
        m.bytes(10);
        m.end(Instant(300));
        m.end(Instant(400));
        assert_eq!(m.take(Instant(900)), (10, Micros(300)));
    }

    #[test]
    fn a_beginning_in_the_past_counts_from_there_but_no_time_twice() {
        let mut m = Meter::default();
        m.begin(Instant(100), Instant(100));
        m.end(Instant(200));
        m.begin(Instant(150), Instant(260));
        m.end(Instant(300));
        assert_eq!(m.take(Instant(300)).1, Micros(200));
    }
}
