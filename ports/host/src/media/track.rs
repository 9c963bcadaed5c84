//! One `trak` of a `moov`: its identity, clock, language and codec (ISO/IEC 14496-12 8.3.1).

use anyhow::{Context, Result, ensure};

use super::boxes::{Boxes, Fields, find, need};
use super::codec::{Codec, from_stsd};
use super::fragment::Defaults;

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Video,
    Audio,
    Text,
}

impl Kind {
    /// The word manifests use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Text => "text",
        }
    }

    /// The element of server manifests.
    pub fn element(self) -> &'static str {
        match self {
            Self::Text => "textstream",
            other => other.as_str(),
        }
    }
}

/// One track of a file.
#[derive(Clone, Debug)]
pub struct Track {
    pub id: u32,
    pub kind: Kind,
    /// Three letters of ISO 639-2/T; `und` when the file names none.
    pub language: String,
    /// Ticks per second.
    pub timescale: u64,
    /// Ticks, by the track's header; 0 when unset, as in fragmented files it often is.
    pub duration: u64,
    /// Pixels in which to show the picture, by the track's header; 0 when unset.
    pub display: (u32, u32),
    pub codec: Codec,
    /// What samples have where a fragment says nothing (`trex`).
    pub defaults: Defaults,
}

/// The tracks of a `moov` that can be served; what is wrong with the others goes to `skipped`.
pub fn tracks(moov: &[u8], skipped: &mut Vec<String>) -> Result<Vec<Track>> {
    let mut tracks = Vec::new();
    let mut count = 0;
    for child in Boxes::new(moov) {
        let (kind, content) = child?;
        if &kind != b"trak" {
            continue;
        }
        count += 1;
        match track(content, moov) {
            Ok(track) => tracks.push(track),
            Err(error) => skipped.push(format!("trak {count} left out: {error:#}")),
        }
    }
    ensure!(count > 0, "moov has no trak box");
    Ok(tracks)
}

fn track(trak: &[u8], moov: &[u8]) -> Result<Track> {
    let (id, display) = track_header(need(trak, &[b"tkhd"])?).context("tkhd")?;
    let handler = need(trak, &[b"mdia", b"hdlr"])?.get(8..12).context("hdlr cut short")?;
    let kind = match handler {
        b"vide" => Kind::Video,
        b"soun" => Kind::Audio,
        b"subt" | b"text" | b"sbtl" => Kind::Text,
        other => anyhow::bail!("handler {} is neither video, audio nor text", other.escape_ascii()),
    };
    let (timescale, duration, language) = media_header(need(trak, &[b"mdia", b"mdhd"])?).context("mdhd")?;
    let codec = from_stsd(need(trak, &[b"mdia", b"minf", b"stbl", b"stsd"])?)?;
    let defaults = defaults(moov, id)?;
    Ok(Track { id, kind, language, timescale, duration, display, codec, defaults })
}

fn track_header(tkhd: &[u8]) -> Result<(u32, (u32, u32))> {
    let mut fields = Fields::new(tkhd);
    let (version, _) = fields.full()?;
    fields.time(version)?;
    fields.time(version)?;
    let id = fields.u32()?;
    fields.u32()?;
    fields.time(version)?;
    fields.take(52)?;
    Ok((id, (fields.u32()? >> 16, fields.u32()? >> 16)))
}

fn media_header(mdhd: &[u8]) -> Result<(u64, u64, String)> {
    let mut fields = Fields::new(mdhd);
    let (version, _) = fields.full()?;
    fields.time(version)?;
    fields.time(version)?;
    let timescale = fields.u32()?;
    ensure!(timescale > 0, "timescale 0");
    let duration = fields.time(version)?;
    let unset = if version == 0 { u32::MAX.into() } else { u64::MAX };
    let duration = if duration == unset { 0 } else { duration };
    let packed = fields.u16()?;
    let letters = [packed >> 10 & 31, packed >> 5 & 31, packed & 31];
    let language = if letters.iter().all(|letter| (1..=26).contains(letter)) {
        letters.iter().map(|letter| char::from(b'`' + *letter as u8)).collect()
    } else {
        "und".to_owned()
    };
    Ok((timescale.into(), duration, language))
}

fn defaults(moov: &[u8], id: u32) -> Result<Defaults> {
    let Some(mvex) = find(moov, b"mvex")? else { return Ok(Defaults::default()) };
    for child in Boxes::new(mvex) {
        let (kind, content) = child?;
        let mut fields = Fields::new(content);
        if &kind != b"trex" {
            continue;
        }
        fields.full()?;
        if fields.u32()? == id {
            fields.u32()?;
            return Ok(Defaults { duration: fields.u32()?, size: fields.u32()?, flags: fields.u32()? });
        }
    }
    Ok(Defaults::default())
}
