//! A `moov` as the tools need it: every track of any codec, clear or protected, its sample entry kept as it stands
//! (ISO/IEC 14496-12 8.2, 8.3, 8.5; ISO/IEC 23001-7 8).

use anyhow::{Context, Result, ensure};
use smoothcore::codec::{CodecConfig, EntryNumbers, Kind, from_sample_entry};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::movie::Movie as CoreMovie;
pub use smoothcore::mp4::movie::TrackProtection;
use smoothcore::mp4::uuid;

use super::boxes::{Boxes, Fields, head, need};

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
    /// The content of its configuration box.
    set_up: Vec<u8>,
    numbers: EntryNumbers,
    pub protection: Option<TrackProtection>,
    /// Duration, size and flags of samples where a fragment names none (`trex`).
    pub defaults: [u32; 3],
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
    let mut whole = u32::try_from(moov.len() + 8)?.to_be_bytes().to_vec();
    whole.extend_from_slice(b"moov");
    whole.extend_from_slice(moov);
    (movie.timescale, movie.duration) = movie_header(need(moov, &[b"mvhd"])?).context("mvhd")?;
    let mut count = 0;
    for child in Boxes::new(moov) {
        let (kind, content) = child?;
        match &kind {
            b"trak" => {
                count += 1;
                match track(content, &whole) {
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

fn track(trak: &[u8], whole: &[u8]) -> Result<MovieTrack> {
    let (id, display) = track_header(need(trak, &[b"tkhd"])?).context("tkhd")?;
    let stsd = need(trak, &[b"mdia", b"minf", b"stbl", b"stsd"])?;
    let entries = stsd.get(8..).context("stsd cut short")?;
    let first = head(entries, entries.len() as u64).context("sample entry")?;
    let entry = entries[..first.size as usize].to_vec();
    let limits = Limits::default();
    let mut movie = CoreMovie::new(whole, &limits)?;
    let core = loop {
        match movie.next_track() {
            Ok(Some(track)) if track.id == id => break track,
            Ok(None) => anyhow::bail!("no whole track"),
            Err(error) if error.place.at == "moov" => return Err(error.into()),
            // Another track, or this one, which then is not found.
            Ok(Some(_)) | Err(_) => {}
        }
    };
    let numbers = EntryNumbers {
        kind: match &core.handler {
            b"vide" => Kind::Video,
            b"soun" => Kind::Audio,
            _ => Kind::Text,
        },
        width: core.entry.width.into(),
        height: core.entry.height.into(),
        channels: core.entry.channels,
        bits_per_sample: core.entry.bits_per_sample,
        sampling_rate: core.entry.sampling_rate,
        bitrate: 0,
    };
    Ok(MovieTrack {
        id,
        handler: core.handler,
        timescale: core.timescale,
        duration: core.duration,
        language: core.language.iter().copied().map(char::from).collect(),
        display,
        entry,
        format: core.entry.name,
        set_up: core.entry.config_name.map_or_else(Vec::new, |_| core.entry.config.to_vec()),
        numbers,
        protection: core.protection,
        defaults: [core.defaults.duration, core.defaults.size, core.defaults.flags],
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

impl MovieTrack {
    /// The codec set-up the sample entry stands for; `None` when it is broken.
    pub fn config(&self) -> Option<CodecConfig> {
        from_sample_entry(
            self.format,
            &self.set_up,
            &self.numbers,
            &mut Account::new(1 << 20),
            &Limits::default(),
        )
        .ok()
    }
}
