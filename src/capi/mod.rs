//! The C boundary: everything `include/smoothcore.h` declares, one file a noun, and the only unsafe code.
//!
//! Rules of every file here: no struct holds an enum, bool, `long` or bit-field; every number from C is checked before it
//! means anything; every pointer's owner and lifetime is one sentence at its declaration; `userdata` comes first in
//! each callback; what a vendor fills or receives begins with `uint32_t struct_size`. The header is generated from
//! these files in the order `tests/header` lists them.
//!
//! `codes`, `status`, `types`, `media`, `info`, `ports`, `session`, `player`, `log` and `rt` are what C sees; the others
//! stand behind them: `record` reads and writes structs of any age, `handle` detects re-entry, `text` bounds strings,
//! `fill` turns the core's values into C's, `wire` and `decode` are the core's port traits over C's tables.

// C's names, so that the header says exactly what the source says.
#![allow(non_camel_case_types)]

pub mod codes;
pub mod info;
pub mod log;
pub mod media;
pub mod player;
pub mod ports;
#[cfg(feature = "rt")]
pub mod rt;
pub mod session;
pub mod status;
pub mod types;

mod decode;
mod fill;
mod handle;
mod record;
mod text;
mod wire;

#[cfg(test)]
mod tests;
