//! Bitrate switching: plain numbers in (bitrates, bytes, microseconds), the index of a quality level out.
//!
//! Integers only, no allocation, no knowledge of manifests. [`Throughput`] measures the link, [`Controller`] decides.

mod controller;
mod throughput;

pub use controller::{Controller, Reason, Situation};
pub use throughput::Throughput;

#[cfg(test)]
mod tests;
