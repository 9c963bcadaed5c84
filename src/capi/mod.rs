//! The C boundary: everything `include/smoothcore.h` declares, one file a noun, and the only unsafe code.
//!
//! Rules of every file here: no struct holds an enum, bool, `long` or bit-field; every number from C is checked before it
//! means anything; every pointer's owner and lifetime is one sentence at its declaration; `userdata` comes first in
//! each callback; what a vendor fills or receives begins with `uint32_t struct_size`. The header is generated from
//! these files in the order `tests/header` lists them.
//!
//! `codes`, `status`, `types`, `media`, `info`, `protection`, `ports`, `session` and `player` with what belongs to them, `run`,
//! `tracks`, `live`, `switching`, `log` and `rt` are what C sees; the others stand behind them: `record` reads and writes
//! structs of any age, `handle` detects re-entry, `text` bounds strings, `given` checks configurations, `scratch` holds what C
//! reads, `fill` and `output` turn values of the core into structs of C, `wire`, `streams`, `files` and `decode` are the traits
//! of the core over tables of C. What every exported function asks of its caller stands in the header and is not repeated at
//! each of them.

// C's names, so that the header says exactly what the source says.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)]

pub mod codes;
pub mod info;
pub mod live;
pub mod log;
pub mod media;
pub mod player;
pub mod player_facts;
pub mod ports;
pub mod protection;
#[cfg(feature = "rt")]
pub mod rt;
pub mod run;
pub mod session;
pub mod session_commands;
pub mod session_facts;
pub mod status;
pub mod switching;
pub mod tracks;
pub mod types;

mod decode;
#[cfg(feature = "local")]
mod files;
mod fill;
mod given;
mod handle;
mod output;
mod record;
mod scratch;
#[cfg(feature = "http1")]
mod streams;
mod text;
mod wire;

#[cfg(test)]
mod tests;
