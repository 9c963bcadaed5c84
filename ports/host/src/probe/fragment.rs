//! A fragment for people and programs.

use serde::Serialize;
use smoothcore::error::Error;

use super::hex;
use crate::media::samples::{self, Piece};

/// A start and a duration in ticks.
#[derive(Debug, Serialize)]
pub struct Span {
    pub time: u64,
    pub duration: u64,
}

/// One body: usually one `moof` and one `mdat`.
#[derive(Debug, Serialize)]
pub struct Fragment {
    pub track_id: u32,
    pub time: Option<u64>,
    pub duration: u64,
    pub tfrf: Vec<Span>,
    pub samples: Vec<Sample>,
    pub kid: Option<String>,
    pub iv_size: Option<u8>,
}

/// One sample; times in ticks, `offset` from the start of the body.
#[derive(Debug, Serialize)]
pub struct Sample {
    pub offset: u64,
    pub size: u32,
    pub dts: u64,
    pub pts: i128,
    pub duration: u32,
    pub flags: u32,
}

/// Reads a whole body.
///
/// # Errors
/// When it holds no complete fragment.
pub fn read(bytes: &[u8]) -> Result<Fragment, Error> {
    let pieces = samples::read(bytes, [0; 3])?;
    let mut all = Vec::new();
    let mut next = 0;
    for piece in &pieces {
        all.extend(list(piece, 0, &mut next));
    }
    let first = pieces.iter().find(|piece| !piece.samples.is_empty()).or(pieces.first());
    let sum = pieces.iter().map(|piece| piece.info.duration).fold(0, u64::saturating_add);
    let duration = match first.and_then(|piece| piece.info.tfxd) {
        Some(span) if pieces.len() == 1 && span.duration != 0 => span.duration,
        _ => sum,
    };
    let encrypted = pieces.iter().find_map(|piece| piece.encryption.as_ref());
    Ok(Fragment {
        track_id: first.map_or(0, |piece| piece.info.track_id),
        time: first.and_then(Piece::time),
        duration,
        tfrf: pieces.iter().flat_map(tfrf).collect(),
        samples: all,
        kid: encrypted.and_then(|table| table.kid).map(|kid| hex(&kid)),
        iv_size: encrypted.map(|table| table.iv_size),
    })
}

/// The fragments that follow, as one piece announces them.
pub fn tfrf(piece: &Piece) -> Vec<Span> {
    let span = |span: &smoothcore::mp4::Span| Span { time: span.time, duration: span.duration };
    piece.info.tfrf.iter().map(span).collect()
}

/// The samples of one piece that lies at `base` of a file. `next` is where it starts when it does not say, and then where
/// it ends.
pub fn list(piece: &Piece, base: u64, next: &mut u64) -> Vec<Sample> {
    let mut dts = piece.time().unwrap_or(*next);
    let mut list = Vec::new();
    for sample in &piece.samples {
        list.push(Sample {
            offset: base + u64::from(sample.offset),
            size: sample.size,
            dts,
            pts: i128::from(dts) + i128::from(sample.composition),
            duration: sample.duration,
            flags: sample.flags,
        });
        dts = dts.saturating_add(sample.duration.into());
    }
    *next = dts;
    list
}
