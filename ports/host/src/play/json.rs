//! The figures of a session as one JSON object.

use serde::Serialize;
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

/// How a session ended, for the figures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Played,
    Broken,
}

/// One object on one line. Times that never came are null.
pub fn figures(end: End, stats: &Stats, sink: &Sink) -> String {
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
        streams: streams.collect(),
    };
    serde_json::to_string(&figures).expect("numbers and text")
}
