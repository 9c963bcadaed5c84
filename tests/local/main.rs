//! Presentations on disk: the same session, the same samples, no server.
#![cfg(feature = "local")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

#[path = "../common/mod.rs"]
mod common;
mod hostile;
mod manifest;
mod media;
mod plays;
mod serves;
mod source;
