//! How fast the link is: bytes of all streams over the time in which any exchange was busy.

use crate::time::Instant;

/// Windows shorter than this say more about scheduling than about the link.
const SHORTEST: u64 = 50_000;
/// Bytes before a window counts.
const FEWEST: u64 = 4_096;

/// Bytes that count however fast they came.
const PLENTY: u64 = 131_072;

/// Link rate, from bytes of every exchange over the union of their busy time: parallel requests share one link, so
/// a rate of each alone would be too low.
#[derive(Clone, Debug, Default)]
pub struct Throughput {
    busy: u32,
    since: Instant,
    bytes: u64,
    micros: u64,
    fast: u64,
    slow: u64,
    windows: u32,
}

impl Throughput {
    /// Nothing measured yet.
    pub const fn new() -> Throughput {
        Throughput { busy: 0, since: Instant(0), bytes: 0, micros: 0, fast: 0, slow: 0, windows: 0 }
    }

    /// An exchange has been started: the link is at work.
    pub fn begin(&mut self, at: Instant) {
        if self.busy == 0 {
            self.since = at;
        }
        self.busy = self.busy.saturating_add(1);
    }

    /// `count` bytes have arrived.
    pub fn bytes(&mut self, count: u64) {
        self.bytes = self.bytes.saturating_add(count);
    }

    /// An exchange that had begun is over. Closes a window when enough was seen.
    pub fn end(&mut self, at: Instant) {
        self.settle(at);
        self.busy = self.busy.saturating_sub(1);
        if (self.micros >= SHORTEST && self.bytes >= FEWEST) || self.bytes >= PLENTY {
            self.close();
        }
    }

    /// An exchange that had begun pauses: what it waits for is not the link. Goes on with [`Throughput::begin`].
    pub fn pause(&mut self, at: Instant) {
        self.settle(at);
        self.busy = self.busy.saturating_sub(1);
    }

    /// The cautious estimate in bit/s: the smaller of a fast and a slow mean. `None` before the first window.
    pub fn rate(&self) -> Option<u64> {
        if self.windows == 0 { None } else { Some(self.fast.min(self.slow)) }
    }

    fn settle(&mut self, at: Instant) {
        if self.busy > 0 {
            self.micros = self.micros.saturating_add(at.since(self.since).0);
            self.since = at;
        }
    }

    fn close(&mut self) {
        let rate = self.bytes.saturating_mul(8_000_000) / self.micros.max(1_000);
        if self.windows == 0 {
            (self.fast, self.slow) = (rate, rate);
        } else {
            // Weights 1/2 and 1/6: about two and about six fragments of memory.
            self.fast = self.fast / 2 + rate / 2;
            self.slow = self.slow - self.slow / 6 + rate / 6;
        }
        self.windows = self.windows.saturating_add(1);
        (self.bytes, self.micros) = (0, 0);
    }
}
