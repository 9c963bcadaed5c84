//! A `moov` as the tools need it: every track of any codec, clear or protected, its sample entry kept as it stands
//! (ISO/IEC 14496-12 8.2, 8.3, 8.5; ISO/IEC 23001-7 8).

use anyhow::{Context, Result, ensure};
use smoothcore::codec::{CodecConfig, Description, FourCc, Kind};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::uuid;

use super::boxes::{Boxes, Fields, find, head, need};
use super::codec::{Shape, from_stsd};

/// What a `moov` says.
#[derive(Clone, Debug, Default)]
pub struct Movie {
    /// Ticks per second of `duration`.
    pub timescale: u32,
    /// Ticks; 0 when unset.
    pub duration: u64,
    pub tracks: Vec<MovieTrack>,
    /// System and data of every protection header: `pssh`, and its predecessor of PIFF.
    pub protection: Vec<([u8; 16], Vec<u8>)>,
    /// What is wrong with tracks that were left out.
    pub skipped: Vec<String>,
}

/// One `trak`.
#[derive(Clone, Debug)]
pub struct MovieTrack {
    pub id: u32,
    /// `vide`, `soun`, `subt` ...
    pub handler: [u8; 4],
    /// Ticks per second.
    pub timescale: u32,
    /// Ticks; 0 when unset.
    pub duration: u64,
    /// Three letters; `und` when the file names none.
    pub language: String,
    /// Pixels in which to show the picture, as 16.16.
    pub display: (u32, u32),
    /// The first sample entry, header included.
    pub entry: Vec<u8>,
    /// Its type before protection changed it: `avc1`, `mp4a` ...
    pub format: [u8; 4],
    pub protection: Option<TrackProtection>,
    /// Duration, size and flags of samples where a fragment names none (`trex`).
    pub defaults: [u32; 3],
}

/// What `sinf` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackProtection {
    /// `cenc`, `cbcs`, `piff` ...
    pub scheme: [u8; 4],
    pub kid: [u8; 16],
    /// Bytes of an initialization vector: 8 or 16; 0 with a constant one.
    pub iv_size: u8,
}

impl MovieTrack {
    /// What stands behind the fixed fields of the sample entry: its configuration boxes.
    ///
    /// # Errors
    /// When the entry is cut short.
    pub fn configuration(&self) -> Result<&[u8]> {
        children(&self.entry, self.handler)
    }
}

/// Reads the content of a `moov` box.
///
/// # Errors
/// When it has no `mvhd`, or no `trak` at all.
pub fn parse(moov: &[u8]) -> Result<Movie> {
    let mut movie = Movie::default();
    (movie.timescale, movie.duration) = movie_header(need(moov, &[b"mvhd"])?).context("mvhd")?;
    let mut count = 0;
    for child in Boxes::new(moov) {
        let (kind, content) = child?;
        match &kind {
            b"trak" => {
                count += 1;
                match track(content, moov) {
                    Ok(track) => movie.tracks.push(track),
                    Err(error) => movie.skipped.push(format!("trak {count}: {error:#}")),
                }
            }
            b"pssh" => movie.protection.extend(system(content)),
            b"uuid" => {
                let content = content.strip_prefix(&uuid::PROTECTION_HEADER[..]);
                movie.protection.extend(content.and_then(system));
            }
            _ => {}
        }
    }
    ensure!(count > 0, "moov has no trak box");
    Ok(movie)
}

/// System and data of a `pssh` box.
fn system(content: &[u8]) -> Option<([u8; 16], Vec<u8>)> {
    let mut fields = Fields::new(content);
    let (version, _) = fields.full().ok()?;
    let id = fields.array().ok()?;
    if version > 0 {
        let kids = fields.u32().ok()?;
        fields.take(usize::try_from(kids).ok()?.checked_mul(16)?).ok()?;
    }
    let len = fields.u32().ok()?;
    Some((id, fields.take(usize::try_from(len).ok()?).ok()?.to_vec()))
}

fn movie_header(mvhd: &[u8]) -> Result<(u32, u64)> {
    let mut fields = Fields::new(mvhd);
    let (version, _) = fields.full()?;
    fields.time(version)?;
    fields.time(version)?;
    Ok((fields.u32()?, known(fields.time(version)?, version)))
}

/// A duration; 0 when it is the mark of an unknown one.
fn known(duration: u64, version: u8) -> u64 {
    let unset = if version == 0 { u32::MAX.into() } else { u64::MAX };
    if duration == unset { 0 } else { duration }
}

fn track(trak: &[u8], moov: &[u8]) -> Result<MovieTrack> {
    let (id, display) = track_header(need(trak, &[b"tkhd"])?).context("tkhd")?;
    let handler = need(trak, &[b"mdia", b"hdlr"])?.get(8..12).context("hdlr cut short")?.try_into()?;
    let (timescale, duration, language) = media_header(need(trak, &[b"mdia", b"mdhd"])?).context("mdhd")?;
    let stsd = need(trak, &[b"mdia", b"minf", b"stbl", b"stsd"])?;
    let entries = stsd.get(8..).context("stsd cut short")?;
    let first = head(entries, entries.len() as u64).context("sample entry")?;
    let entry = entries[..first.size as usize].to_vec();
    let sinf = match &first.kind {
        b"encv" | b"enca" | b"enct" | b"encs" => find(children(&entry, handler)?, b"sinf")?,
        _ => None,
    };
    let (format, protection) = match sinf {
        Some(sinf) => {
            let format = need(sinf, &[b"frma"])?.get(..4).context("frma cut short")?.try_into()?;
            (format, Some(track_protection(sinf)?))
        }
        None => (first.kind, None),
    };
    let defaults = defaults(moov, id)?;
    Ok(MovieTrack {
        id,
        handler,
        timescale,
        duration,
        language,
        display,
        entry,
        format,
        protection,
        defaults,
    })
}

/// The boxes in a sample entry (ISO/IEC 14496-12 12.1.3, 12.2.3, 12.5.3).
fn children(entry: &[u8], handler: [u8; 4]) -> Result<&[u8]> {
    let fixed = match &handler {
        b"vide" => 78,
        b"soun" => 28,
        b"subt" if entry.get(4..8) == Some(b"stpp") => {
            // Three texts follow the common fields, each with a NUL at its end.
            let texts = entry.get(16..).context("sample entry cut short")?;
            let ends = texts.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at);
            ends.take(3).last().map_or(8, |end| 8 + end + 1)
        }
        _ => 8,
    };
    entry.get(8 + fixed..).context("sample entry cut short")
}

fn track_protection(sinf: &[u8]) -> Result<TrackProtection> {
    let scheme = need(sinf, &[b"schm"])?.get(4..8).context("schm cut short")?.try_into()?;
    let schi = need(sinf, &[b"schi"])?;
    for child in Boxes::new(schi) {
        let (kind, content) = child?;
        let fields = match &kind {
            // Reserved or pattern, then whether it is protected.
            b"tenc" => content,
            b"uuid" => match content.strip_prefix(&uuid::TRACK_ENCRYPTION[..]) {
                Some(content) => content,
                None => continue,
            },
            _ => continue,
        };
        let mut fields = Fields::new(fields);
        fields.full()?;
        fields.take(3)?;
        return Ok(TrackProtection { scheme, iv_size: fields.u8()?, kid: fields.array()? });
    }
    anyhow::bail!("schi has no track encryption box")
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
    Ok((id, (fields.u32()?, fields.u32()?)))
}

fn media_header(mdhd: &[u8]) -> Result<(u32, u64, String)> {
    let mut fields = Fields::new(mdhd);
    let (version, _) = fields.full()?;
    fields.time(version)?;
    fields.time(version)?;
    let timescale = fields.u32()?;
    ensure!(timescale > 0, "timescale 0");
    let duration = known(fields.time(version)?, version);
    let packed = fields.u16()?;
    let letters = [packed >> 10 & 31, packed >> 5 & 31, packed & 31];
    let language = if letters.iter().all(|letter| (1..=26).contains(letter)) {
        letters.iter().map(|letter| char::from(b'`' + *letter as u8)).collect()
    } else {
        "und".to_owned()
    };
    Ok((timescale, duration, language))
}

fn defaults(moov: &[u8], id: u32) -> Result<[u32; 3]> {
    let Some(mvex) = find(moov, b"mvex")? else { return Ok([0; 3]) };
    for child in Boxes::new(mvex) {
        let (kind, content) = child?;
        if &kind != b"trex" {
            continue;
        }
        let mut fields = Fields::new(content);
        fields.full()?;
        if fields.u32()? == id {
            fields.u32()?;
            return Ok([fields.u32()?, fields.u32()?, fields.u32()?]);
        }
    }
    Ok([0; 3])
}

impl MovieTrack {
    /// The codec set-up the sample entry stands for; `None` for a codec that is not known.
    pub fn config(&self) -> Option<CodecConfig> {
        // As it was before protection changed its type.
        let mut stsd = vec![0, 0, 0, 0, 0, 0, 0, 1];
        stsd.extend_from_slice(&self.entry);
        stsd.get_mut(12..16)?.copy_from_slice(&self.format);
        let codec = from_stsd(&stsd).ok()?;
        let kind = if &self.handler == b"vide" { Kind::Video } else { Kind::Audio };
        let mut description = Description::new(kind);
        description.fourcc = FourCc::from_text(codec.four_cc);
        description.private = &codec.private_data;
        match codec.shape {
            Shape::Video { width, height, nal_length } => {
                (description.width, description.height, description.nal_length) = (width, height, nal_length);
            }
            Shape::Audio { rate, channels, bits, packet, tag } => {
                (description.sampling_rate, description.channels) = (rate, channels);
                (description.bits_per_sample, description.packet_size) = (bits, packet.into());
                description.audio_tag = tag.into();
            }
        }
        CodecConfig::from_description(&mut Account::new(1 << 20), &description, &Limits::default()).ok()
    }
}
