//! Sessions on a live presentation, over the channel of `common::live`.

mod dvr;
mod follow;
mod gaps;
#[cfg(all(feature = "planner", feature = "protection"))]
mod hostile;
mod power;
mod quirks;
mod rate;
mod refresh;
mod start;
mod status;
mod ticks;
