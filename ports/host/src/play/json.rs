//! The figures of a session as one JSON object.

use serde::Serialize;
use smoothcore::io::LiveWindow;
use smoothcore::session::Stats;
use smoothcore::time::Micros;

use super::sink::Sink;

#[derive(Serialize)]
struct Figures<'a> {
    ended: bool,
    startup_ms: Option<u64>,
    first_sample_ms: Option<u64>,
    stalls: u32,
    stall_ms: u64,
    switches: u32,
    requests: u32,
    http_errors: u32,
    bytes: u64,
    peak_held_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Live>,
    streams: Vec<Stream<'a>>,
}

#[derive(Serialize)]
struct Stream<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    name: &'a str,
    fragments: usize,
    samples: u64,
    bitrates: Vec<u32>,
}

/// Where a live presentation stood at the end.
#[derive(Serialize)]
struct Live {
    latency_ms: Option<u64>,
    target_delay_ms: u64,
    window_ms: u64,
    refreshes: u32,
    not_yet: u32,
}

/// How a session ended, for the figures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Played,
    /// By --duration.
    Stopped,
    Broken,
}

/// One object on one line. Times that never came are null.
pub fn figures(end: End, stats: &Stats, sink: &Sink, live: Option<LiveWindow>) -> String {
    let streams = sink.tracks().values().map(|track| Stream {
        kind: track.kind,
        name: &track.name,
        fragments: track.fragments.len(),
        samples: track.samples,
        bitrates: track.fragments.iter().map(|(_, bitrate)| *bitrate).collect(),
    });
    let figures = Figures {
        ended: end == End::Played,
        startup_ms: stats.startup.map(Micros::as_millis),
        first_sample_ms: stats.first_sample.map(Micros::as_millis),
        stalls: stats.stalls,
        stall_ms: stats.stalled.as_millis(),
        switches: stats.switches_up + stats.switches_down,
        requests: stats.requests,
        http_errors: stats.http_errors,
        bytes: stats.bytes,
        peak_held_bytes: stats.peak_held,
        live: live.map(|live| Live {
            latency_ms: live.latency.map(Micros::as_millis),
            target_delay_ms: live.target_delay.as_millis(),
            window_ms: u64::try_from(live.end.0.saturating_sub(live.start.0)).unwrap_or(0) / 10_000,
            refreshes: stats.refreshes,
            not_yet: stats.not_yet,
        }),
        streams: streams.collect(),
    };
    serde_json::to_string(&figures).expect("numbers and text")
}
