//! A media file for people and programs: tracks, and every fragment.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use smoothcore::codec::codec_string;
use smoothcore::error::{Code, Error};

use super::fragment::{Sample, Span, list, tfrf};
use super::protection::{self, Header};
use super::{Deviation, Unusable, hex};
use crate::media::boxes::Fields;
use crate::media::movie::{self, MovieTrack};
use crate::media::reader::Reader;
use crate::media::samples;
use crate::media::scan::{self, Fragments};

/// One file.
#[derive(Debug, Serialize)]
pub struct Movie {
    pub major_brand: Option<String>,
    pub compatible_brands: Vec<String>,
    pub timescale: u32,
    pub duration: u64,
    /// `tfra` or `scan`.
    pub index: &'static str,
    pub protection: Vec<Header>,
    pub deviations: Vec<Deviation>,
    pub tracks: Vec<Track>,
    pub fragments: Vec<Fragment>,
}

/// One track; times in its ticks.
#[derive(Debug, Serialize)]
pub struct Track {
    pub track_id: u32,
    #[serde(rename = "type")]
    pub kind: String,
    pub language: String,
    pub timescale: u32,
    pub duration: u64,
    pub entry: String,
    pub format: String,
    pub codec: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub sampling_rate: Option<u32>,
    pub channels: Option<u16>,
    pub config: Option<String>,
    pub scheme: Option<String>,
    pub kid: Option<String>,
    pub iv_size: Option<u8>,
    pub fragments: usize,
    pub first_time: Option<u64>,
    pub end_time: Option<u64>,
    pub bytes: u64,
}

/// One fragment.
#[derive(Debug, Serialize)]
pub struct Fragment {
    pub track_id: u32,
    pub time: u64,
    pub duration: u64,
    pub offset: u64,
    pub size: u64,
    pub sample_count: usize,
    pub sync_count: usize,
    pub tfrf: Vec<Span>,
    pub kid: Option<String>,
    pub iv_size: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<Vec<Sample>>,
}

/// Reads a whole file; `with_samples`: every sample, too.
///
/// # Errors
/// When its `moov` or one of its fragments cannot be read.
pub fn read(reader: &Reader, with_samples: bool) -> Result<Movie, Unusable> {
    let broken = |place: &'static str, at: u64| {
        move |error: anyhow::Error| Unusable {
            error: Error::at(Code::BoxInvalid, place, at),
            message: Some(format!("{}: {error:#}", Code::BoxInvalid.text())),
        }
    };
    let (at, moov) = scan::moov(reader).map_err(broken("moov", 0))?;
    let movie = movie::parse(&moov).map_err(broken("moov", at))?;
    let Fragments { list: found, by_index, warnings } = scan::fragments(reader).map_err(broken("moof", 0))?;
    let (major_brand, compatible_brands) = brands(reader);
    let mut seen = Movie {
        major_brand,
        compatible_brands,
        timescale: movie.timescale,
        duration: movie.duration,
        index: if by_index { "tfra" } else { "scan" },
        protection: movie.protection.iter().map(|(id, data)| protection::describe(id, data)).collect(),
        deviations: Vec::new(),
        tracks: movie.tracks.iter().map(track).collect(),
        fragments: Vec::new(),
    };
    for sentence in movie.skipped.iter().chain(&warnings) {
        seen.deviate(sentence, "moov");
    }
    let mut next: BTreeMap<u32, u64> = BTreeMap::new();
    for found in found {
        let bytes = reader.bytes(found.offset, found.size).map_err(broken("moof", found.offset))?;
        let defaults =
            |id| movie.tracks.iter().find(|track| track.id == id).map_or([0; 3], |track| track.defaults);
        let moved = |mut error: Error| {
            error.place.offset += found.offset;
            error
        };
        let pieces = samples::read(&bytes, defaults(found.track)).map_err(moved)?;
        for piece in &pieces {
            let id = piece.info.track_id;
            let next = next.entry(id).or_default();
            let start = found.time.or(piece.time()).unwrap_or(*next);
            if let (Some(indexed), Some(own)) = (found.time, piece.time())
                && indexed != own
            {
                seen.deviate(
                    &format!("the index says {indexed}, the fragment {own}"),
                    &super::spot("tfra", found.offset),
                );
            }
            *next = start;
            let samples = list(piece, found.offset, next);
            seen.fragments.push(Fragment {
                track_id: id,
                time: start,
                duration: piece
                    .info
                    .tfxd
                    .map(|span| span.duration)
                    .filter(|d| *d != 0)
                    .unwrap_or(piece.info.duration),
                offset: found.offset,
                size: found.size,
                sample_count: samples.len(),
                sync_count: piece.samples.iter().filter(|sample| sample.is_sync()).count(),
                tfrf: tfrf(piece),
                kid: piece.encryption.as_ref().and_then(|table| table.kid).map(|kid| hex(&kid)),
                iv_size: piece.encryption.as_ref().map(|table| table.iv_size),
                samples: with_samples.then_some(samples),
            });
        }
    }
    seen.sum_up();
    Ok(seen)
}

impl Movie {
    fn deviate(&mut self, rule: &str, place: &str) {
        self.deviations.push(Deviation { rule: rule.to_owned(), place: place.to_owned() });
    }

    fn sum_up(&mut self) {
        let mut ids = BTreeSet::new();
        for track in &mut self.tracks {
            let own = || self.fragments.iter().filter(|fragment| fragment.track_id == track.track_id);
            track.fragments = own().count();
            track.first_time = own().map(|fragment| fragment.time).min();
            track.end_time = own().map(|fragment| fragment.time.saturating_add(fragment.duration)).max();
            track.bytes = own().map(|fragment| fragment.size).sum();
            ids.insert(track.track_id);
        }
        let strangers: BTreeSet<_> =
            self.fragments.iter().map(|fragment| fragment.track_id).filter(|id| !ids.contains(id)).collect();
        for id in strangers {
            self.deviate(&format!("fragments of track {id}, which moov does not have"), "moof");
        }
    }
}

fn brands(reader: &Reader) -> (Option<String>, Vec<String>) {
    let name = |four: [u8; 4]| four.escape_ascii().to_string();
    let content = reader.head(0).ok().filter(|head| matches!(&head.kind, b"ftyp" | b"styp"));
    let content = content.and_then(|head| reader.bytes(head.len, head.size.min(4096) - head.len).ok());
    let Some(content) = content else { return (None, Vec::new()) };
    let mut fields = Fields::new(&content);
    let major = fields.array().ok().map(name);
    let _ = fields.u32();
    let (rest, _) = fields.rest().as_chunks::<4>();
    (major, rest.iter().map(|four| name(*four)).collect())
}

fn track(track: &MovieTrack) -> Track {
    let text = |four: [u8; 4]| four.escape_ascii().to_string();
    let entry = track.entry.get(4..8).map(|kind| kind.escape_ascii().to_string()).unwrap_or_default();
    let kind = match &track.handler {
        b"vide" => "video".to_owned(),
        b"soun" => "audio".to_owned(),
        b"subt" | b"text" | b"sbtl" => "text".to_owned(),
        other => text(*other),
    };
    let config = track.config();
    let shown = config.as_ref();
    Track {
        track_id: track.id,
        language: track.language.clone(),
        timescale: track.timescale,
        duration: track.duration,
        entry,
        format: text(track.format),
        codec: shown
            .map(|config| codec_string(config).as_str().trim().to_owned())
            .filter(|codec| !codec.is_empty()),
        width: shown.map(|config| config.width).filter(|width| kind == "video" && *width != 0),
        height: shown.map(|config| config.height).filter(|height| kind == "video" && *height != 0),
        sampling_rate: shown.map(|config| config.sampling_rate).filter(|rate| kind == "audio" && *rate != 0),
        channels: shown.map(|config| config.channels).filter(|channels| kind == "audio" && *channels != 0),
        config: shown.map(|config| hex(&config.private)),
        scheme: track.protection.map(|protection| text(protection.scheme)),
        kid: track.protection.map(|protection| hex(&protection.kid)),
        iv_size: track.protection.map(|protection| protection.iv_size),
        fragments: 0,
        first_time: None,
        end_time: None,
        bytes: 0,
        kind,
    }
}
