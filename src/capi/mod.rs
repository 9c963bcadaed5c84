//! The C boundary: everything `include/smoothcore.h` declares, one file a noun, and the only unsafe code.
//!
//! Rules of every file here: no struct holds an enum, bool, `long` or bit-field; every number from C is checked before it
//! means anything; every pointer's owner and lifetime is one sentence at its declaration; `userdata` comes first in
//! each callback; what a vendor fills or receives begins with `uint32_t struct_size`. The header is generated from
//! these files in the order `tests/header` lists them.

// C's names, so that the header says exactly what the source says.
#![allow(non_camel_case_types)]

pub mod codes;
#[cfg(feature = "rt")]
pub mod rt;
pub mod status;
