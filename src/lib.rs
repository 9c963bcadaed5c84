#![no_std]
#![cfg_attr(not(feature = "capi"), forbid(unsafe_code))]
#![doc = "SmoothCore"]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod codec;
pub mod digits;
pub mod error;
pub mod inflate;
pub mod limits;
pub mod manifest;
pub mod mem;
pub mod time;
pub mod trace;
pub mod xml;
