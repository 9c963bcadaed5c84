//! Presentations on disk: fragmented MP4 files (`.ismv`, `.isma`), the server manifest (`.ism`), the client manifest
//! (`.ismc`).

pub mod boxes;
mod codec;
pub mod file;
pub mod fragment;
pub mod ism;
pub mod ismc;
pub mod movie;
pub mod playready;
pub mod presentation;
pub mod protect;
pub mod reader;
pub mod remake;
// For the commands that write files.
#[allow(dead_code)]
pub mod rewrite;
pub mod samples;
pub mod scan;
pub mod stamp;
pub mod text;
pub mod track;
pub mod write;

pub use track::Kind;

/// Ticks per second when nothing else is said ([MS-SSTR] 2.2.2.1).
pub const DEFAULT_TIMESCALE: u64 = 10_000_000;
