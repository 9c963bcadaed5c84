//! Bitrate switching: plain numbers in (bitrates, bytes, microseconds), the index of a quality level out.
//!
//! Integers only, no knowledge of manifests. [`Throughput`] measures the link, [`Controller`] decides by a small rule and keeps
//! nothing. With the feature `planner` there is [`Planner`], which plans ahead in tables that it takes once.

mod controller;
#[cfg(feature = "planner")]
mod planner;
mod throughput;

pub use controller::{Controller, Reason, Situation};
#[cfg(feature = "planner")]
pub use planner::*;
pub use throughput::Throughput;

#[cfg(test)]
mod tests;
