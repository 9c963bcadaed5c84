#![no_std]
#![cfg_attr(not(feature = "capi"), forbid(unsafe_code))]
#![doc = "SmoothCore"]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod abr;
#[cfg(feature = "capi")]
pub mod capi;
pub mod codec;
pub mod digits;
pub mod error;
#[cfg(feature = "http1")]
pub mod http1;
pub mod inflate;
pub mod io;
pub mod limits;
pub mod manifest;
pub mod mem;
pub mod mp4;
pub mod player;
pub mod port;
pub mod session;
pub mod time;
pub mod trace;
pub mod xml;
