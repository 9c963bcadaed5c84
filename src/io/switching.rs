//! Why a quality level was chosen, as events tell it.

use super::{Event, EventKind};
#[cfg(feature = "planner")]
use crate::time::Micros;

/// Why a quality level was chosen. Numbers are stable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Why {
    /// The first choice, nothing being known of the link.
    Start = 1,
    /// The throughput-and-buffer rule: the link carries it.
    Rate = 2,
    /// The throughput-and-buffer rule: the buffer bridges a link that is too slow for it.
    Buffer = 3,
    /// The host pinned it.
    Fixed = 4,
    /// The first choice, from what was known of the network before.
    Prior = 5,
    /// The plan: it is worth most, all that may come considered.
    Plan = 6,
    /// The fragment was coming too slowly at a higher level.
    Abandoned = 7,
    /// A buffered fragment is fetched again: the link has become better than it is.
    Replaced = 8,
    /// Sound: its share of the link.
    Share = 9,
    /// The plan without tables, for which there was no room: a few fragments ahead.
    Small = 10,
}

impl Why {
    const ALL: [Why; 10] = [
        Why::Start,
        Why::Rate,
        Why::Buffer,
        Why::Fixed,
        Why::Prior,
        Why::Plan,
        Why::Abandoned,
        Why::Replaced,
        Why::Share,
        Why::Small,
    ];
}

/// What an event of [`EventKind::Decided`] says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decided {
    /// Bitrate of the level chosen, in bit/s.
    pub bitrate: u32,
    /// Media held when it was chosen, in milliseconds.
    pub buffer_ms: u32,
    /// Why.
    pub why: Why,
    /// The link's rate that was reckoned with, in bit/s; 0 when unknown.
    pub rate: u64,
}

/// The reason stands above the rate.
const WHY_SHIFT: u32 = 56;

impl Decided {
    #[cfg(feature = "planner")]
    pub(crate) fn new(bitrate: u32, buffer: Micros, why: Why, rate: Option<u64>) -> Decided {
        let buffer_ms = u32::try_from(buffer.as_millis()).unwrap_or(u32::MAX);
        Decided { bitrate, buffer_ms, why, rate: rate.unwrap_or(0) }
    }

    /// The two numbers of its event.
    pub const fn numbers(self) -> (u64, u64) {
        let rate = if self.rate >> WHY_SHIFT == 0 { self.rate } else { (1 << WHY_SHIFT) - 1 };
        (self.bitrate as u64 | (self.buffer_ms as u64) << 32, rate | (self.why as u64) << WHY_SHIFT)
    }
}

impl Event {
    /// What it says about a decision; `None` of every kind but [`EventKind::Decided`].
    pub fn decided(&self) -> Option<Decided> {
        if self.kind != EventKind::Decided {
            return None;
        }
        let why = Why::ALL.iter().find(|w| **w as u64 == self.b >> WHY_SHIFT)?;
        Some(Decided {
            bitrate: self.a as u32,
            buffer_ms: (self.a >> 32) as u32,
            why: *why,
            rate: self.b & ((1 << WHY_SHIFT) - 1),
        })
    }
}
