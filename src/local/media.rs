//! What a client manifest must say of a track, from its file: the `moov`, and the first and the last fragment.

use super::catalog::{CodecFacts, Track, kind_name};
use super::files::{FileId, Files, Got, Stop};
use super::index::{Cursor, ends_all, extent};
use super::{ClientManifest, Load, Local, Opened, opened};
use crate::codec::{EntryNumbers, Kind, from_sample_entry};
use crate::digits::write_decimal;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes, Text};
use crate::mp4::movie::{Movie, MovieTrack};
use crate::mp4::pssh::PsshBoxes;
use crate::mp4::{SampleTable, parse_moof};
use crate::port::Source;

/// A `moov` may be so many times a `moof`: pictures of covers lie in some.
const MOOV_MOOFS: u32 = 8;
/// Boxes that may stand before it.
const BEFORE_MOOV: u32 = 256;
/// Bytes read where a box header is all that is wanted.
const HEADER: usize = 32;

/// How far the look at one track is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    /// The `moov` is at this place or behind it; boxes passed.
    Moov { at: u64, passed: u32 },
    /// The fragments are wanted.
    Index,
    /// The last one starts here: how long is it?
    Last(u64),
    /// How many bits a second are in the first one?
    Rate(Cursor),
    /// It starts here, lasts so many ticks, and is known up to here; boxes passed.
    Bytes { from: u64, ticks: u64, at: u64, passed: u32 },
}

impl Default for Look {
    fn default() -> Look {
        Look::Moov { at: 0, passed: 0 }
    }
}

/// One of the things a track needs to be decrypted.
pub(super) struct Header {
    pub system_id: [u8; 16],
    pub data: Bytes,
}

impl<S: Source> Local<S> {
    /// Makes a catalog of the tracks of one file.
    pub(super) fn load_only(&mut self, nth: u32, look: Look) -> Got<Load> {
        let ending = match nth {
            0 => "",
            1 => ".ismv",
            _ => ".isma",
        };
        let file = self.file_with_ending(ending)?;
        match self.files.open(file) {
            Err(Stop::Failed(error)) if error.code == Code::NoFile && nth == 1 => {
                return Ok(Load::Only(2, Look::default()));
            }
            other => other?,
        };
        let Look::Moov { at, passed } = look else { return Ok(Load::Track(0, Look::default())) };
        let Local { files, account, limits, catalog, .. } = self;
        let moov = match find_moov(files, account, limits, file, (at, passed))? {
            Ok(moov) => moov,
            Err(next) => return Ok(Load::Only(nth, next)),
        };
        let mut movie = Movie::new(moov, limits)?;
        // Bounded by the boxes that a moov may have.
        loop {
            let found = match movie.next_track() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                // One bad track is no reason to refuse the others, unless the moov itself is bad.
                Err(error) if error.place.at == "moov" || error.code == Code::LimitBoxes => {
                    return Err(error.into());
                }
                Err(_) => continue,
            };
            let kind = match &found.handler {
                b"vide" => Kind::Video,
                b"soun" => Kind::Audio,
                b"text" | b"subt" | b"sbtl" => Kind::Text,
                _ => continue,
            };
            let mut track = Track::new(kind);
            track.track_id = found.id;
            track.file = Some(file);
            // Pictures of several sizes are levels of one stream; sounds are streams of their own.
            let before = catalog.tracks.iter().filter(|other| other.kind == kind).count() as u64;
            let number = (kind != Kind::Video && before > 0).then(|| before.saturating_add(1));
            catalog.add(account, limits, track)?;
            // Named where it is kept.
            if let Some(track) = catalog.tracks.last_mut() {
                track.name = Text::from(account, kind_name(kind))?;
                if let Some(number) = number {
                    track.name.push(account, "_")?;
                    track.name.push(account, write_decimal(number, &mut [0; 20]))?;
                }
            }
        }
        Ok(Load::Track(0, Look::default()))
    }

    /// Looks at the nth track.
    pub(super) fn load_track(&mut self, n: usize, look: Look) -> Got<Load> {
        let Some(track) = self.catalog.tracks.get(n) else {
            return if self.catalog.tracks.iter().any(|track| track.fault.is_none()) {
                Ok(Load::Ready(ClientManifest::Written))
            } else {
                let first = self.catalog.tracks.iter().find_map(|track| track.fault);
                let nothing = Error::at(Code::ManifestNothingPlayable, "moov", 0);
                // Of a single file, its own fault says more.
                let single = opened(&self.name) == Opened::Media && self.catalog.tracks.len() == 1;
                Err(first.filter(|_| single).unwrap_or(nothing).into())
            };
        };
        let (Some(file), None) = (track.file, track.fault) else {
            return Ok(Load::Track(n.saturating_add(1), Look::default()));
        };
        match self.look(n, file, look) {
            Ok(Some(next)) => Ok(Load::Track(n, next)),
            Ok(None) => Ok(Load::Track(n.saturating_add(1), Look::default())),
            Err(Stop::Failed(error)) if !ends_all(error) => {
                log::warn!(target: crate::trace::LOCAL, "a track cannot be used and is left out");
                if let Some(track) = self.catalog.tracks.get_mut(n) {
                    track.fault = Some(error);
                }
                Ok(Load::Track(n.saturating_add(1), Look::default()))
            }
            Err(stop) => Err(stop),
        }
    }

    /// One step; `None` after the last.
    fn look(&mut self, n: usize, file: FileId, look: Look) -> Got<Option<Look>> {
        let Local { files, account, limits, catalog, indexes, headers, .. } = self;
        let gone = Error::from(Code::State);
        let track = catalog.tracks.get_mut(n).ok_or(gone)?;
        let track_id = track.track_id;
        if let Look::Moov { at, passed } = look {
            let moov = match find_moov(files, account, limits, file, (at, passed))? {
                Ok(moov) => moov,
                Err(next) => return Ok(Some(next)),
            };
            let mut movie = Movie::new(moov, limits)?;
            loop {
                let found = match movie.next_track() {
                    Ok(Some(found)) => found,
                    Ok(None) => return Err(Error::at(Code::BoxInvalid, "moov/trak", 0).into()),
                    Err(error) if error.place.at == "moov" || error.code == Code::LimitBoxes => {
                        return Err(error.into());
                    }
                    Err(_) => continue,
                };
                if track_id == 0 || found.id == track_id {
                    describe(track, &found, account, limits)?;
                    if found.protection.is_some() {
                        keep_headers(headers, moov, account, limits)?;
                    }
                    return Ok(Some(Look::Index));
                }
            }
        }
        let at = Self::index_of(indexes, account, file)?;
        let index = indexes.get_mut(at).ok_or(gone)?;
        match look {
            Look::Moov { .. } => Ok(None),
            Look::Index => {
                index.prepare(files, account, limits, track_id)?;
                match index.last(files, account, track_id)? {
                    Some(last) => Ok(Some(Look::Last(last.moof_offset))),
                    None => Err(Error::at(Code::FragmentNotMp4, "file", 0).into()),
                }
            }
            Look::Last(from) => {
                track.last_duration = duration_of(files, account, limits, file, from, track)?;
                Ok((track.bitrate == 0).then(|| Look::Rate(Cursor::default())))
            }
            Look::Rate(mut cursor) => {
                let none = Error::at(Code::FragmentNotMp4, "file", 0);
                let first = index.next(files, account, track_id, &mut cursor)?.ok_or(none)?;
                let second = index.next(files, account, track_id, &mut cursor)?;
                let ticks = second.map_or(track.last_duration, |e| e.time.saturating_sub(first.time));
                let from = first.moof_offset;
                Ok(Some(Look::Bytes { from, ticks, at: from, passed: 0 }))
            }
            Look::Bytes { from, ticks, mut at, mut passed } => {
                match extent(files, account, file, &mut at, &mut passed) {
                    Ok(end) => {
                        let bits = end.saturating_sub(from).saturating_mul(8);
                        let rate = bits.saturating_mul(track.codec.timescale).checked_div(ticks).unwrap_or(0);
                        let rate = u32::try_from(rate).unwrap_or(u32::MAX);
                        let rate = self.free_bitrate(n, rate.clamp(1, u32::MAX - 1024));
                        if let Some(track) = self.catalog.tracks.get_mut(n) {
                            track.bitrate = rate;
                        }
                        Ok(None)
                    }
                    // What has been passed need not be read again, nor could it while others read.
                    Err(Stop::Pending) => {
                        self.load = Load::Track(n, Look::Bytes { from, ticks, at, passed });
                        Err(Stop::Pending)
                    }
                    Err(stop) => Err(stop),
                }
            }
        }
    }

    /// `rate`, or the next one that no level before has: a URL names a level by its bitrate.
    fn free_bitrate(&self, n: usize, rate: u32) -> u32 {
        let tracks = &self.catalog.tracks;
        let Some(own) = tracks.get(n) else { return rate };
        let before = || tracks.iter().take(n).filter(|other| other.is_beside(own) && other.fault.is_none());
        // One of so many must be free.
        let most = u32::try_from(n).unwrap_or(u32::MAX);
        let rates = (0..=most).map(|more| rate.saturating_add(more));
        rates.into_iter().find(|r| before().all(|other| other.bitrate != *r)).unwrap_or(rate)
    }
}

/// The whole `moov`, or where to go on looking for it: place and boxes passed.
fn find_moov<'a, S: Source>(
    files: &'a mut Files<S>,
    account: &mut Account,
    limits: &Limits,
    file: FileId,
    (at, passed): (u64, u32),
) -> Got<core::result::Result<&'a [u8], Look>> {
    let missing = Error::at(Code::BoxInvalid, "moov", at);
    let size = files.open(file)?;
    if size.saturating_sub(at) < 8 {
        return Err(missing.into());
    }
    let head = files.box_head(account, file, at, size, super::PAGE)?;
    let bytes = head.end.saturating_sub(at);
    match &head.kind {
        b"moov" if bytes > u64::from(limits.moof_bytes.saturating_mul(MOOV_MOOFS)) => {
            Err(Error::at(Code::LimitMoofBytes, "moov", at).into())
        }
        b"moov" => files.peek(account, file, at, bytes as usize, bytes as usize).map(Ok),
        b"moof" => Err(missing.into()),
        _ if passed >= BEFORE_MOOV => Err(Error::at(Code::LimitBoxes, "file", at).into()),
        _ => Ok(Err(Look::Moov { at: head.end, passed: passed.saturating_add(1) })),
    }
}

/// What the `moov` says of a track. Where it says nothing, the server manifest counts.
fn describe(track: &mut Track, found: &MovieTrack<'_>, account: &mut Account, limits: &Limits) -> Result<()> {
    if found.timescale == 0 {
        return Err(Error::at(Code::BoxInvalid, "moov/trak/mdia/mdhd", 0));
    }
    track.codec.timescale = u64::from(found.timescale);
    track.default_duration = found.defaults.duration;
    if track.language.is_empty()
        && found.language != *b"und"
        && let Ok(language) = core::str::from_utf8(&found.language)
    {
        track.language.free(account);
        track.language = Text::from(account, language)?;
    }
    codec(&mut track.codec, track.kind, found, account, limits)
}

/// How long the fragment at `from` is, in ticks.
fn duration_of<S: Source>(
    files: &mut Files<S>,
    account: &mut Account,
    limits: &Limits,
    file: FileId,
    from: u64,
    track: &Track,
) -> Got<u64> {
    let size = files.open(file)?;
    let head = files.box_head(account, file, from, size, HEADER)?;
    let bytes = head.end.saturating_sub(from);
    if head.kind != *b"moof" || bytes > u64::from(limits.moof_bytes) {
        return Err(Error::at(Code::BoxInvalid, "mfra", from).into());
    }
    let moof = files.peek(account, file, from, bytes as usize, bytes as usize)?;
    let mut samples = SampleTable::new();
    let info = parse_moof(moof, 0, account, limits, &mut samples);
    samples.free(account);
    let info = info?;
    let by_default = u64::from(info.samples).saturating_mul(u64::from(track.default_duration));
    let known = [info.duration, by_default, info.tfxd.map_or(0, |span| span.duration), track.codec.timescale];
    Ok(known.into_iter().find(|ticks| *ticks > 0).unwrap_or(1))
}

/// Keeps what a file says to protection systems, once each.
fn keep_headers(
    headers: &mut crate::mem::List<Header>,
    moov: &[u8],
    account: &mut Account,
    limits: &Limits,
) -> Result<()> {
    let mut boxes = PsshBoxes::new(moov, limits)?;
    while let Some(found) = boxes.next_box()? {
        if headers.iter().any(|header| header.system_id == found.system_id) {
            continue;
        }
        if headers.len() >= limits.protection_headers as usize {
            return Err(Error::at(Code::LimitProtection, "pssh", 0));
        }
        headers.reserve(account, 1)?;
        let mut data = Bytes::new();
        data.reserve_exact(account, found.data.len())?;
        data.extend(account, found.data)?;
        headers.push(account, Header { system_id: found.system_id, data })?;
    }
    Ok(())
}

/// What client manifests write of a codec. Where the file's entry cannot be used, the server manifest counts.
fn codec(
    facts: &mut CodecFacts,
    kind: Kind,
    found: &MovieTrack<'_>,
    account: &mut Account,
    limits: &Limits,
) -> Result<()> {
    let entry = &found.entry;
    let numbers = EntryNumbers {
        kind,
        width: u32::from(entry.width),
        height: u32::from(entry.height),
        channels: entry.channels,
        bits_per_sample: entry.bits_per_sample,
        sampling_rate: entry.sampling_rate,
        bitrate: 0,
    };
    let config_box = if entry.config_name.is_some() { entry.config } else { &[] };
    let mut config = match from_sample_entry(entry.name, config_box, &numbers, account, limits) {
        Ok(config) => config,
        Err(error) if ends_all(error) || facts.fourcc.is_none() => return Err(error),
        Err(_) => return Ok(()),
    };
    facts.private.free(account);
    facts.private = core::mem::take(&mut config.private);
    facts.fourcc = Some(config.fourcc);
    // What writers of manifests put where a codec has no packets of one size.
    let packet = u32::from(config.channels).saturating_mul(u32::from(config.bits_per_sample)) / 8;
    // In the order of NUMBERS. Four bytes before a NAL unit are what a manifest means by silence.
    let known = [
        config.width,
        config.height,
        config.sampling_rate,
        u32::from(config.channels),
        u32::from(config.bits_per_sample),
        if config.packet_size == 0 { packet } else { config.packet_size },
        config.audio_tag,
        if config.nal_length == 4 { 0 } else { u32::from(config.nal_length) },
    ];
    for (number, known) in facts.numbers.iter_mut().zip(known) {
        if known != 0 {
            *number = known;
        }
    }
    Ok(())
}
