//! The decision: which level the next fragment comes from.

use crate::time::Micros;

/// What the controller may look at.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Bitrates in bit/s of the levels that may be chosen, ascending, never empty.
    pub bitrates: &'a [u32],
    /// Index into `bitrates` of the level in use; `None` before the first choice.
    pub current: Option<usize>,
    /// Link rate in bit/s that this stream may count on; `None` when unknown.
    pub rate: Option<u64>,
    /// Media ahead of the playback position.
    pub buffer: Micros,
    /// The most that may be ahead.
    pub buffer_target: Micros,
    /// Duration of the fragment to choose for.
    pub duration: Micros,
}

/// Why a level was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// First choice, without knowledge of the link.
    Start,
    /// The link carries it.
    Rate,
    /// The buffer bridges a link that is too slow for it.
    Buffer,
    /// The host pinned it.
    Fixed,
    /// First choice, from what was known of the network before.
    Prior,
    /// The plan: it is worth most, all that may come considered.
    Plan,
    /// The small rule, there being no room for tables.
    Small,
    /// A fragment of a higher level was coming too slowly.
    Abandoned,
    /// The link has got better than a fragment in the buffer is.
    Replaced,
}

/// The throughput-and-buffer rule: go up one level at a time when the link carries it with a margin, hold a level
/// on a full buffer, and fall as far as needed on a thin one.
#[derive(Clone, Debug, Default)]
pub struct Controller {
    start_bitrate: u32,
    fixed: Option<u32>,
}

impl Controller {
    /// Starts at the highest level of at most `start_bitrate` bit/s (0: the lowest).
    pub const fn new(start_bitrate: u32) -> Controller {
        Controller { start_bitrate, fixed: None }
    }

    /// Always the highest level of at most `bitrate` bit/s.
    pub const fn fixed(bitrate: u32) -> Controller {
        Controller { start_bitrate: bitrate, fixed: Some(bitrate) }
    }

    /// The index into `situation.bitrates` for the next fragment, and why.
    pub fn choose(&self, situation: &Situation<'_>) -> (usize, Reason) {
        if let Some(bitrate) = self.fixed {
            return (highest_within(situation.bitrates, u64::from(bitrate)), Reason::Fixed);
        }
        let (Some(rate), Some(current)) = (situation.rate, situation.current) else {
            let index = match situation.current {
                Some(current) => current.min(situation.bitrates.len().saturating_sub(1)),
                None => highest_within(situation.bitrates, u64::from(self.start_bitrate)),
            };
            return (index, Reason::Start);
        };
        let full = situation.buffer_target.0.max(1);
        let buffer = situation.buffer.0;
        // The thinner the buffer, the larger the margin: 60 % of the rate at a quarter full, 90 % at half.
        let percent = if buffer < full / 4 {
            60
        } else if buffer < full / 2 {
            75
        } else {
            90
        };
        let carried = highest_within(situation.bitrates, rate / 100 * percent);
        if carried > current {
            // One step, and only when a fragment at the higher level cannot empty the buffer.
            let ahead = buffer >= situation.duration.0;
            return (if ahead { current.saturating_add(1) } else { current }, Reason::Rate);
        }
        if carried < current && buffer >= full / 2 {
            let needed = situation.bitrates.get(current).copied().unwrap_or(0);
            // Bridging pays only while the link is not hopeless.
            if rate >= u64::from(needed) / 2 {
                return (current, Reason::Buffer);
            }
        }
        (carried, Reason::Rate)
    }
}

/// The last index whose bitrate is at most `rate`; 0 when none is.
fn highest_within(bitrates: &[u32], rate: u64) -> usize {
    bitrates.partition_point(|b| u64::from(*b) <= rate).saturating_sub(1)
}
