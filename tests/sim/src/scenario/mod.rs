//! What can be run.

pub mod faults;
pub mod traces;
pub mod share;
