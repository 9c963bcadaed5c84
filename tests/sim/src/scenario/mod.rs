//! What can be run.

pub mod faults;
pub mod fleet;
pub mod month;
pub mod share;
pub mod traces;
