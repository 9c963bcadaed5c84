//! Presentations on disk: fragmented MP4 files (`.ismv`, `.isma`), the server manifest (`.ism`), the client manifest
//! (`.ismc`).

mod boxes;
mod codec;
mod file;
mod fragment;
pub mod ism;
pub mod ismc;
pub mod presentation;
// For the commands that write files.
#[allow(dead_code)]
pub mod rewrite;
pub mod text;
mod track;

pub use track::Kind;

/// Ticks per second when nothing else is said ([MS-SSTR] 2.2.2.1).
pub const DEFAULT_TIMESCALE: u64 = 10_000_000;
