//! Boxes read and written by hand-made input: one file a question.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../mp4_build/mod.rs"]
mod mp4_build;

mod encryption;
mod fragment;
mod hostile;
mod index;
mod movie;
mod subs;
mod walk;
mod wild;
