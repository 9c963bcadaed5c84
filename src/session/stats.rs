//! Figures of a session, for a host's screen or its report.

use super::Session;
use crate::io::StreamId;
use crate::time::{MediaTime, Micros};

/// Figures since the session opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// From open to the parsed manifest.
    pub manifest: Option<Micros>,
    /// From open to the first byte of a fragment.
    pub first_byte: Option<Micros>,
    /// From open to the first sample the decoder took.
    pub first_sample: Option<Micros>,
    /// From open to the start of the clock.
    pub startup: Option<Micros>,
    /// Times the decoder ran dry.
    pub stalls: u32,
    /// Time the clock was held by stalls.
    pub stalled: Micros,
    /// Changes to a higher video level.
    pub switches_up: u32,
    /// Changes to a lower video level.
    pub switches_down: u32,
    /// Exchanges started.
    pub requests: u32,
    /// Answers with an error status.
    pub http_errors: u32,
    /// Tries after a failed one.
    pub retries: u32,
    /// Fragments that arrived whole.
    pub fragments: u32,
    /// Fragments lost, wholly or in part.
    pub gaps: u32,
    /// Samples the decoders took.
    pub samples: u64,
    /// Body bytes received.
    pub bytes: u64,
    /// Body bytes of the manifest, as received.
    pub manifest_bytes: u64,
    /// Measured link rate in bit/s; 0 when unknown.
    pub link_rate: u64,
    /// Answers that a live fragment is not there yet, which are no failures.
    pub not_yet: u32,
    /// Times the manifest of a live presentation was asked for again.
    pub refreshes: u32,
    /// Fragments given up for a lower level while they came.
    pub abandoned: u32,
    /// Buffered fragments fetched again at a higher level.
    pub replaced: u32,
    /// Body bytes that were thrown away by switching.
    pub wasted: u64,
    /// Bytes held now.
    pub held: usize,
    /// Most bytes ever held.
    pub peak_held: usize,
}

/// Figures of one stream now.
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamStats {
    /// Bitrate of the level being fetched, in bit/s; 0 before the first.
    pub bitrate: u32,
    /// Media in the decoder and in the session.
    pub ahead: Micros,
    /// Media the decoder holds.
    pub depth: Micros,
    /// Position the decoder reported.
    pub position: Option<MediaTime>,
    /// Blocks of media memory held.
    pub blocks: usize,
    /// Fragments held, the arriving one included.
    pub fragments: usize,
}

impl Session {
    /// Figures since open.
    pub fn stats(&self) -> Stats {
        Stats {
            link_rate: self.planned_rate().or(self.throughput.rate()).unwrap_or(0),
            held: self.account.held(),
            peak_held: self.account.peak(),
            ..self.stats
        }
    }

    /// Figures of one stream; `None` when it is not played.
    pub fn stream_stats(&self, stream: StreamId) -> Option<StreamStats> {
        let feed = self.feeds.iter().find(|f| f.id == stream && f.selected)?;
        Some(StreamStats {
            bitrate: feed.bitrate,
            ahead: feed.ahead(self.now, self.clock.running()),
            depth: feed.depth(self.now, self.clock.running()),
            position: feed.position,
            blocks: feed.blocks(),
            fragments: feed.queue.len(),
        })
    }
}
