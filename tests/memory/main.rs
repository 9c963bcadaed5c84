//! What things cost on the heap, as an allocator sees it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../common/mod.rs"]
mod common;
mod counting;

mod manifest;
mod session;
