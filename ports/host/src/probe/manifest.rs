//! A client manifest for people and programs.

use serde::Serialize;
use smoothcore::codec::{FourCc, Kind, codec_string};
use smoothcore::error::Error;
use smoothcore::manifest as core;

use super::protection::{self, Header};
use super::{Deviation, hex, spot};

/// One presentation.
#[derive(Debug, Serialize)]
pub struct Manifest {
    pub live: bool,
    pub major: u32,
    pub minor: u32,
    pub timescale: u64,
    pub duration: u64,
    pub dvr_window: u64,
    pub lookahead: Option<u32>,
    pub protection: Vec<Header>,
    pub deviations: Vec<Deviation>,
    /// How many more there are.
    #[serde(skip)]
    pub deviations_lost: u32,
    pub streams: Vec<Stream>,
    pub ignored: Vec<Ignored>,
}

/// One stream; times in ticks of its timescale.
#[derive(Debug, Serialize)]
pub struct Stream {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub subtype: Option<String>,
    pub name: String,
    pub language: String,
    pub timescale: u64,
    pub url: Option<String>,
    pub parent: Option<String>,
    pub embedded: bool,
    pub fragments: u32,
    pub first_time: Option<u64>,
    pub last_time: Option<u64>,
    pub end_time: Option<u64>,
    pub levels: Vec<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durations: Option<Vec<u64>>,
    /// Why the whole stream is unusable; its levels say so, too.
    #[serde(skip)]
    pub why: Option<String>,
}

/// One quality level.
#[derive(Debug, Serialize)]
pub struct Level {
    pub index: u32,
    pub bitrate: u32,
    pub fourcc: Option<String>,
    pub codec: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub sampling_rate: Option<u32>,
    pub channels: Option<u16>,
    pub config: String,
    pub usable: bool,
    pub why: Option<String>,
}

/// One stream of a type that no client knows.
#[derive(Debug, Serialize)]
pub struct Ignored {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: Option<String>,
}

/// What a manifest says; `timeline`: with every fragment.
pub fn describe(manifest: &core::Manifest, timeline: bool) -> Manifest {
    Manifest {
        live: manifest.is_live(),
        major: manifest.major,
        minor: manifest.minor,
        timescale: manifest.timescale.per_second(),
        duration: manifest.duration,
        dvr_window: manifest.dvr_window,
        lookahead: manifest.lookahead,
        protection: manifest.protection.iter().map(|h| protection::describe(&h.system_id, &h.data)).collect(),
        deviations: manifest.deviations.iter().map(deviation).collect(),
        deviations_lost: manifest.deviations_lost,
        streams: manifest.streams.iter().map(|s| stream(s, timeline)).collect(),
        ignored: manifest.ignored.iter().map(ignored).collect(),
    }
}

fn deviation(found: &core::Deviation) -> Deviation {
    Deviation { rule: found.rule.to_owned(), place: spot(found.place, found.offset) }
}

fn ignored(stream: &core::Ignored) -> Ignored {
    Ignored { kind: stream.kind.as_str().to_owned(), name: given(&stream.name) }
}

/// The word of a manifest for a kind of stream.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "video",
        Kind::Audio => "audio",
        Kind::Text => "text",
    }
}

fn stream(stream: &core::Stream, timeline: bool) -> Stream {
    let list = &stream.timeline;
    Stream {
        kind: word(stream.kind),
        subtype: given(&stream.subtype),
        name: stream.name.as_str().to_owned(),
        language: stream.language.as_str().to_owned(),
        timescale: stream.timescale.per_second(),
        url: given(&stream.url),
        parent: given(&stream.parent),
        embedded: stream.embedded,
        fragments: list.len(),
        first_time: list.first().map(|f| f.start),
        last_time: list.last().map(|f| f.start),
        end_time: list.last().map(|f| f.end()),
        levels: stream.levels.iter().map(|l| level(stream, l)).collect(),
        times: timeline.then(|| list.iter().map(|f| f.start).collect()),
        durations: timeline.then(|| list.iter().map(|f| f.duration).collect()),
        why: stream.unusable.map(why),
    }
}

fn level(stream: &core::Stream, level: &core::QualityLevel) -> Level {
    let config = &level.config;
    let of = |kind: Kind| stream.kind == kind;
    let unusable = level.unusable.or(stream.unusable);
    let codec = codec_string(config).as_str().trim().to_owned();
    Level {
        index: level.index,
        bitrate: level.bitrate,
        fourcc: (config.fourcc != FourCc::NONE).then(|| config.fourcc.to_string()),
        codec: (!codec.is_empty()).then_some(codec),
        width: (of(Kind::Video) && config.width != 0).then_some(config.width),
        height: (of(Kind::Video) && config.height != 0).then_some(config.height),
        sampling_rate: (of(Kind::Audio) && config.sampling_rate != 0).then_some(config.sampling_rate),
        channels: (of(Kind::Audio) && config.channels != 0).then_some(config.channels),
        config: hex(&config.private),
        usable: unusable.is_none(),
        why: unusable.map(why),
    }
}

fn given(text: &smoothcore::mem::Text) -> Option<String> {
    (!text.is_empty()).then(|| text.as_str().to_owned())
}

fn why(error: Error) -> String {
    error.to_string()
}
