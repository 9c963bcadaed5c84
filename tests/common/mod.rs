//! The test rig: an origin in memory, a link that takes virtual time, a decoder that records.
//!
//! Everything is integers and virtual microseconds: the same script gives the same log on every target and in every
//! driving mode. `tests/c/rig.c` is the same rig in C.
#![allow(dead_code, unused_imports)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod agent;
pub mod decoder;
pub mod drive;
pub mod link;
pub mod live;
pub mod origin;
pub mod sealed;

pub use agent::{Agent, Fate};
pub use decoder::{Recorder, Taste};
pub use drive::{Mode, Played, play, play_sealed, play_with};
pub use link::{Fault, Link};
pub use origin::Origin;
pub use sealed::{Cover, Form, Seal};

/// FNV-1a, 64 bits: names bytes in logs.
pub fn fnv1a<'a>(parts: impl Iterator<Item = &'a [u8]>) -> u64 {
    parts.flatten().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
