//! Log targets: one name a module, so that a host can filter by place.
//!
//! Nothing above `trace` level is written per sample, and no URL is ever written with its query string: tokens
//! live there.

use core::fmt;

use crate::digits::split_once;

/// Target of the manifest parser.
pub const MANIFEST: &str = "smoothcore::manifest";
/// Target of the fragment parser.
pub const MP4: &str = "smoothcore::mp4";
/// Target of the session.
pub const SESSION: &str = "smoothcore::session";
/// Target of bitrate switching.
pub const ABR: &str = "smoothcore::abr";
/// Target of the HTTP/1.1 client.
pub const HTTP: &str = "smoothcore::http";
/// Target of presentations on disk.
pub const LOCAL: &str = "smoothcore::local";
/// Target of the player.
pub const PLAYER: &str = "smoothcore::player";

/// `url` up to its query string: what may be logged.
pub fn redacted(url: &str) -> &str {
    split_once(url, b'?').map_or(url, |(head, _)| head)
}

/// Text in a log line. Core's own `Display` of text knows widths and fills, a kilobyte of code that nothing here needs.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a>(pub &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
