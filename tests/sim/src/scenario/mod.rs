//! What can be run.

pub mod faults;
