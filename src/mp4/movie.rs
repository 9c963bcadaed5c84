//! Reads the `moov` of a file: its tracks, and what a decoder needs for each.
//!
//! ISO/IEC 14496-12 8.2 to 8.8, ISO/IEC 23001-7 4 and 8, PIFF. Reads in place and holds nothing. Sample tables are not
//! read: the samples are in fragments.

use super::boxes::{Child, Children, Fields, first_box};
use super::encryption::Iv;
use super::uuid;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;

/// The `moov` of a file.
pub struct Movie<'a> {
    /// Ticks per second of `duration`.
    pub timescale: u32,
    /// How long the movie is; 0 when it does not say.
    pub duration: u64,
    payload: &'a [u8],
    children: Children<'a>,
    limits: Limits,
    offset: u64,
}

/// One track.
#[derive(Clone, Copy, Debug)]
pub struct MovieTrack<'a> {
    /// `track_ID`, which `tfhd` and `tfra` name it by.
    pub id: u32,
    /// `vide`, `soun`, `text`, `subt` and others.
    pub handler: [u8; 4],
    /// Ticks per second of every time in the track, its fragments included.
    pub timescale: u32,
    /// How long the track is; 0 when it does not say, as in the files of live archives.
    pub duration: u64,
    /// ISO 639-2 language, three small letters; `und` when unknown.
    pub language: [u8; 3],
    /// What its samples are.
    pub entry: MovieEntry<'a>,
    /// How its samples are encrypted; `None` when they are clear.
    pub protection: Option<TrackProtection>,
    /// What counts when `tfhd` and `trun` say nothing.
    pub defaults: SampleDefaults,
}

/// The first sample entry of a track. 0 stands for what does not apply.
#[derive(Clone, Copy, Default, Debug)]
pub struct MovieEntry<'a> {
    /// Its type; of an encrypted one, the type before encryption.
    pub name: [u8; 4],
    /// The type of the box with the decoder's set-up: `avcC`, `esds`; `None` when there is none.
    pub config_name: Option<[u8; 4]>,
    /// What that box holds, or everything behind the numbers when there is none.
    pub config: &'a [u8],
    /// Coded width in pixels.
    pub width: u16,
    /// Coded height in pixels.
    pub height: u16,
    /// Channels.
    pub channels: u16,
    /// Bits of one sample of sound.
    pub bits_per_sample: u16,
    /// Samples per second; 0 as well when the number did not fit.
    pub sampling_rate: u32,
}

/// How the samples of a track are encrypted, from `sinf`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrackProtection {
    /// `cenc`, `cbc1`, `cens`, `cbcs` or `piff`; zeros when it is not said.
    pub scheme: [u8; 4],
    /// AlgorithmID of PIFF, 1 for AES-CTR and 2 for AES-CBC; 1 in `tenc`, whose scheme names the cipher.
    pub algorithm: u8,
    /// Key identifier, big-endian.
    pub kid: [u8; 16],
    /// Bytes of the vector of each sample.
    pub iv_size: u8,
    /// The vector of every sample when `iv_size` is 0.
    pub constant_iv: Iv,
    /// Encrypted and skipped blocks of 16 bytes, in turn; zeros without a pattern.
    pub pattern: (u8, u8),
}

/// `trex`, ISO/IEC 14496-12 8.8.3.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SampleDefaults {
    /// Ticks.
    pub duration: u32,
    /// Bytes.
    pub size: u32,
    /// Sample flags.
    pub flags: u32,
}

impl<'a> Movie<'a> {
    /// Over a whole `moov` box.
    ///
    /// # Errors
    /// [`Code::BoxInvalid`] when `moov` is no such box or is cut short; [`Code::LimitBoxes`].
    pub fn new(moov: &'a [u8], limits: &Limits) -> Result<Movie<'a>> {
        let top = match first_box(moov, 0) {
            Some((top, _)) if top.kind == *b"moov" => top,
            _ => return Err(Error::at(Code::BoxInvalid, "moov", 0)),
        };
        let children = Children::new(top.payload, top.offset, "moov", limits);
        let mut movie = Movie {
            timescale: 0,
            duration: 0,
            payload: top.payload,
            children,
            limits: *limits,
            offset: top.offset,
        };
        if let Some(mvhd) = find(&top, b"mvhd", "moov", limits)? {
            (movie.timescale, movie.duration, _) =
                scale(mvhd.payload).ok_or(Error::at(Code::BoxInvalid, "moov/mvhd", mvhd.offset))?;
        }
        Ok(movie)
    }

    /// The next track.
    ///
    /// # Errors
    /// [`Code::BoxInvalid`] in the box that is named; the tracks after it can still be asked for, unless it is `moov`.
    /// [`Code::LimitBoxes`].
    pub fn next_track(&mut self) -> Result<Option<MovieTrack<'a>>> {
        // Bounded by the limit inside Children.
        while let Some(child) = self.children.next()? {
            if child.kind == *b"trak" {
                let mut track = read_track(&child, &self.limits)?;
                track.defaults = self.defaults(track.id)?;
                return Ok(Some(track));
            }
        }
        Ok(None)
    }

    fn defaults(&self, track_id: u32) -> Result<SampleDefaults> {
        let top = Child { kind: *b"moov", extended: None, payload: self.payload, offset: self.offset };
        let Some(mvex) = find(&top, b"mvex", "moov", &self.limits)? else {
            return Ok(SampleDefaults::default());
        };
        let mut children = Children::new(mvex.payload, mvex.offset, "moov/mvex", &self.limits);
        while let Some(child) = children.next()? {
            if child.kind == *b"trex"
                && let Some((id, defaults)) = read_trex(child.payload)
                && id == track_id
            {
                return Ok(defaults);
            }
        }
        Ok(SampleDefaults::default())
    }
}

fn read_trex(payload: &[u8]) -> Option<(u32, SampleDefaults)> {
    let (_, _, mut fields) = Fields::full(payload)?;
    let id = fields.u32()?;
    fields.u32()?;
    Some((id, SampleDefaults { duration: fields.u32()?, size: fields.u32()?, flags: fields.u32()? }))
}

/// The first child of that kind.
fn find<'a>(
    parent: &Child<'a>,
    kind: &[u8; 4],
    path: &'static str,
    limits: &Limits,
) -> Result<Option<Child<'a>>> {
    let mut children = Children::new(parent.payload, parent.offset, path, limits);
    while let Some(child) = children.next()? {
        if child.kind == *kind {
            return Ok(Some(child));
        }
    }
    Ok(None)
}

/// The first child of that kind, which must be there.
fn need<'a>(parent: &Child<'a>, kind: &[u8; 4], path: &'static str, limits: &Limits) -> Result<Child<'a>> {
    find(parent, kind, path, limits)?.ok_or(Error::at(Code::BoxInvalid, path, parent.offset))
}

fn read_track<'a>(trak: &Child<'a>, limits: &Limits) -> Result<MovieTrack<'a>> {
    let invalid = |path, child: &Child<'_>| Error::at(Code::BoxInvalid, path, child.offset);
    let tkhd = need(trak, b"tkhd", "moov/trak/tkhd", limits)?;
    let id = track_id(tkhd.payload).ok_or(invalid("moov/trak/tkhd", &tkhd))?;
    let mdia = need(trak, b"mdia", "moov/trak/mdia", limits)?;
    let mdhd = need(&mdia, b"mdhd", "moov/trak/mdia/mdhd", limits)?;
    let (timescale, duration, rest) = scale(mdhd.payload).ok_or(invalid("moov/trak/mdia/mdhd", &mdhd))?;
    let hdlr = need(&mdia, b"hdlr", "moov/trak/mdia/hdlr", limits)?;
    let handler = match hdlr.payload.get(8..).and_then(<[u8]>::first_chunk::<4>) {
        Some(handler) => *handler,
        None => return Err(invalid("moov/trak/mdia/hdlr", &hdlr)),
    };
    let minf = need(&mdia, b"minf", "moov/trak/mdia/minf", limits)?;
    let stbl = need(&minf, b"stbl", "moov/trak/mdia/minf/stbl", limits)?;
    let stsd = need(&stbl, b"stsd", STSD, limits)?;
    let (entry, protection) = read_entry(&stsd, handler, limits)?;
    Ok(MovieTrack {
        id,
        handler,
        timescale,
        duration,
        language: language(rest),
        entry,
        protection,
        defaults: SampleDefaults::default(),
    })
}

fn track_id(tkhd: &[u8]) -> Option<u32> {
    let (version, _, mut fields) = Fields::full(tkhd)?;
    fields.time(version)?;
    fields.time(version)?;
    fields.u32()
}

/// Scale and duration of `mvhd` or `mdhd`, and what follows. A duration of all ones is none.
fn scale(payload: &[u8]) -> Option<(u32, u64, Fields<'_>)> {
    let (version, _, mut fields) = Fields::full(payload)?;
    fields.time(version)?;
    fields.time(version)?;
    let timescale = fields.u32()?;
    let duration = fields.time(version)?;
    let most = if version == 0 { u64::from(u32::MAX) } else { u64::MAX };
    Some((timescale, if duration == most { 0 } else { duration }, fields))
}

/// Three letters in fifteen bits, ISO/IEC 14496-12 8.4.2.3.
fn language(mut fields: Fields<'_>) -> [u8; 3] {
    let packed = fields.u16().unwrap_or(0);
    let letters = [packed >> 10, packed >> 5, packed].map(|n| (n & 0x1F) as u8 | 0x60);
    if letters.iter().all(u8::is_ascii_lowercase) { letters } else { *b"und" }
}

const STSD: &str = "moov/trak/mdia/minf/stbl/stsd";

fn read_entry<'a>(
    stsd: &Child<'a>,
    handler: [u8; 4],
    limits: &Limits,
) -> Result<(MovieEntry<'a>, Option<TrackProtection>)> {
    let invalid = Error::at(Code::BoxInvalid, STSD, stsd.offset);
    let (version, _, mut fields) = Fields::full(stsd.payload).ok_or(invalid)?;
    fields.u32().ok_or(invalid)?;
    let (child, _) = first_box(fields.0, stsd.offset.saturating_add(8)).ok_or(invalid)?;
    let mut entry = MovieEntry { name: child.kind, ..MovieEntry::default() };
    let rest = match &handler {
        b"vide" => pictures(child.payload, &mut entry),
        b"soun" => sound(child.payload, version, &mut entry),
        _ => child.payload.get(8..),
    }
    .ok_or(invalid)?;
    entry.config = rest;
    let skipped = child.payload.len().saturating_sub(rest.len()) as u64;
    let mut protection = None;
    // Text begins with strings, not with boxes.
    if matches!(&entry.name, b"stpp" | b"sbtt" | b"stxt") {
        return Ok((entry, None));
    }
    let mut children = Children::new(rest, child.offset.saturating_add(skipped), STSD, limits);
    while let Some(child) = children.next()? {
        match &child.kind {
            b"sinf" if protection.is_none() => {
                let (original, found) = read_sinf(&child, limits)?;
                entry.name = original.unwrap_or(entry.name);
                protection = found;
            }
            b"avcC" | b"hvcC" | b"esds" | b"dac3" | b"dec3" | b"dvc1" | b"wfex" | b"pcmC" | b"vttC"
                if entry.config_name.is_none() =>
            {
                entry.config_name = Some(child.kind);
                entry.config = child.payload;
            }
            _ => {}
        }
    }
    Ok((entry, protection))
}

/// The numbers of a VisualSampleEntry, ISO/IEC 14496-12 12.1.3; the boxes after them.
fn pictures<'a>(payload: &'a [u8], entry: &mut MovieEntry<'_>) -> Option<&'a [u8]> {
    let mut fields = Fields(payload);
    fields.take(24)?;
    (entry.width, entry.height) = (fields.u16()?, fields.u16()?);
    fields.take(50)?;
    Some(fields.0)
}

/// The numbers of an AudioSampleEntry, ISO/IEC 14496-12 12.2.3, or of its QuickTime versions; the boxes after them.
fn sound<'a>(payload: &'a [u8], stsd_version: u8, entry: &mut MovieEntry<'_>) -> Option<&'a [u8]> {
    let mut fields = Fields(payload);
    fields.take(8)?;
    let version = fields.u16()?;
    fields.take(6)?;
    (entry.channels, entry.bits_per_sample) = (fields.u16()?, fields.u16()?);
    fields.take(4)?;
    entry.sampling_rate = fields.u32()? >> 16;
    // In a stsd of version 1, the same number means another thing and adds no fields.
    match (stsd_version, version) {
        (0, 1) => fields.take(16).map(|_| ())?,
        (0, 2) => fields.take(36).map(|_| ())?,
        _ => {}
    }
    Some(fields.0)
}

/// The original type and the protection of `sinf`, ISO/IEC 14496-12 8.12.
fn read_sinf(sinf: &Child<'_>, limits: &Limits) -> Result<(Option<[u8; 4]>, Option<TrackProtection>)> {
    const PATH: &str = "moov/trak/mdia/minf/stbl/stsd/sinf";
    let (mut original, mut scheme, mut protection) = (None, [0; 4], None);
    let mut children = Children::new(sinf.payload, sinf.offset, PATH, limits);
    while let Some(child) = children.next()? {
        match &child.kind {
            b"frma" => original = child.payload.first_chunk::<4>().copied(),
            b"schm" => {
                scheme = Fields(child.payload.get(4..).unwrap_or(&[])).u32().unwrap_or(0).to_be_bytes()
            }
            b"schi" => {
                let mut inside = Children::new(child.payload, child.offset, PATH, limits);
                while let Some(child) = inside.next()? {
                    let old = child.extended == Some(&uuid::TRACK_ENCRYPTION);
                    if protection.is_none() && (old || child.kind == *b"tenc") {
                        let invalid = Error::at(Code::BoxInvalid, PATH, child.offset);
                        protection = Some(read_tenc(child.payload).ok_or(invalid)?);
                    }
                }
            }
            _ => {}
        }
    }
    // Encrypted without a key of its own: fragments or the manifest name one.
    let none = TrackProtection {
        scheme,
        algorithm: 1,
        kid: [0; 16],
        iv_size: 8,
        constant_iv: Iv::default(),
        pattern: (0, 0),
    };
    let mut protection = protection.unwrap_or(none);
    protection.scheme = scheme;
    Ok((original, Some(protection)))
}

/// `tenc`, ISO/IEC 23001-7 8.2, or the `uuid` box of PIFF, whose fields lie at the same places.
fn read_tenc(payload: &[u8]) -> Option<TrackProtection> {
    let (version, _, mut fields) = Fields::full(payload)?;
    fields.u8()?;
    let pattern = fields.u8()?;
    let algorithm = fields.u8()?;
    let iv_size = fields.u8()?;
    let kid = *fields.id()?;
    let mut constant_iv = Iv::default();
    if iv_size == 0 && algorithm != 0 {
        let len = fields.u8().unwrap_or(0);
        constant_iv = Iv::new(fields.take(usize::from(len)).unwrap_or(&[]));
    }
    let pattern = if version == 0 { (0, 0) } else { (pattern >> 4, pattern & 15) };
    Some(TrackProtection { scheme: [0; 4], algorithm, kid, iv_size, constant_iv, pattern })
}
