//! The client manifest.

pub mod timeline;
pub mod url;
