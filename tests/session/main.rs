//! Whole sessions over an origin in memory, a link in virtual time and a decoder that records: one file a question.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::float_arithmetic
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../mp4_build/mod.rs"]
mod mp4_build;

// The rig of tests/sim: presentations without bytes, for what takes hours of play.
#[cfg(feature = "planner")]
#[path = "../sim/src/movie.rs"]
mod movie;
#[cfg(feature = "planner")]
#[path = "../sim/src/pipe.rs"]
mod pipe;
#[cfg(feature = "planner")]
#[path = "../sim/src/screen.rs"]
mod screen;
#[cfg(feature = "planner")]
#[path = "../sim/src/viewer.rs"]
mod viewer;

mod auxiliary;
mod budget;
mod chaos;
mod codecs;
mod contract;
mod faults;
#[cfg(feature = "http1")]
mod http1;
mod init;
#[cfg(feature = "live")]
mod live;
mod modes;
mod odd;
mod outage;
mod protection;
mod races;
mod scripted;
mod strict;
#[cfg(feature = "planner")]
mod switching;
mod text;
mod tracks;
mod wild;
