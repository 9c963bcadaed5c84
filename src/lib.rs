#![no_std]
#![cfg_attr(not(feature = "capi"), forbid(unsafe_code))]
#![doc = "SmoothCore"]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod codec;
pub mod error;
pub mod limits;
pub mod mem;
pub mod mp4;
pub mod time;
pub mod trace;
