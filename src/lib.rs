#![no_std]
#![cfg_attr(not(feature = "capi"), forbid(unsafe_code))]
#![cfg_attr(feature = "capi", deny(unsafe_code))]
#![doc = "SmoothCore"]
extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(feature = "capi")]
#[allow(unsafe_code)]
pub mod capi;
pub mod error;
pub mod limits;
pub mod mem;
pub mod time;
pub mod trace;
