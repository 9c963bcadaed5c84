//! A plain MP4 file: one table of samples for each track, in front of the media data.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use smoothcore::mp4::SampleEntry;

use super::source::Pick;
use super::{Sink, completed};
use crate::media::movie::TrackProtection;
use crate::media::samples::Piece;
use crate::media::write::{self, Purpose, Tables, Track, scaled};

/// Media data first goes to a file of its own: the index, which stands before it, is not known sooner.
pub struct Writer {
    output: PathBuf,
    /// Removed from the directory once it is open: it goes with the process.
    data: BufWriter<File>,
    /// Bytes of media data.
    at: u64,
    tracks: Vec<Growing>,
    protection: Vec<([u8; 16], Vec<u8>)>,
}

struct Growing {
    pick: Pick,
    tables: Tables,
    /// Ticks at which the first sample is decoded.
    base: Option<u64>,
    /// Ticks at which the last sample begins, and at which it ends.
    last: (u64, u64),
    syncs: Vec<u32>,
    protection: Option<TrackProtection>,
}

impl Writer {
    pub fn new(output: &Path, picks: &[Pick], protection: Vec<([u8; 16], Vec<u8>)>) -> Result<Self> {
        let mut data = output.as_os_str().to_owned();
        data.push(".data");
        let data = PathBuf::from(data);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&data)?;
        std::fs::remove_file(&data)?;
        let growing = |pick: &Pick| Growing {
            pick: pick.clone(),
            tables: Tables::default(),
            base: None,
            last: (0, 0),
            syncs: Vec::new(),
            protection: None,
        };
        let tracks = picks.iter().map(growing).collect();
        Ok(Self { output: output.to_owned(), data: BufWriter::new(file), at: 0, tracks, protection })
    }

    fn piece(&mut self, pick: usize, start: u64, piece: &Piece, bytes: &[u8]) -> Result<()> {
        if piece.samples.is_empty() {
            return Ok(());
        }
        let track = &mut self.tracks[pick];
        track.begin(start);
        if let Some(protection) = completed(&track.pick, piece) {
            track.protection.get_or_insert(protection);
        }
        track.tables.chunks.push((piece.samples.len() as u32, self.at));
        let marked = believable(piece, &track.pick);
        for (at, sample) in piece.samples.iter().enumerate() {
            let from = sample.offset as usize;
            let media =
                bytes.get(from..from + sample.size as usize).context("a sample outside its fragment")?;
            self.data.write_all(media)?;
            self.at += u64::from(sample.size);
            let number = track.tables.sizes.len() as u32;
            if if marked { sample.is_sync() } else { at == 0 } {
                track.syncs.push(number);
            }
            let encryption =
                piece.encryption.as_ref().and_then(|table| table.samples.get(at).cloned().flatten());
            track.sample(sample, encryption);
        }
        Ok(())
    }
}

impl Sink for Writer {
    fn fragment(&mut self, pick: usize, mut start: u64, pieces: &[Piece], bytes: &[u8]) -> Result<()> {
        for piece in pieces {
            self.piece(pick, start, piece, bytes)?;
            start = start.saturating_add(piece.info.duration);
        }
        Ok(())
    }
    fn finish(mut self: Box<Self>) -> Result<Vec<(u64, u64)>> {
        self.data.flush()?;
        let timescale = self.tracks.iter().map(|track| track.pick.timescale).max().unwrap_or(1000);
        // The first thing to be presented is presented at once.
        let first = |track: &Growing| scaled(track.presented(), track.pick.timescale, timescale);
        let zero = self.tracks.iter().filter(|track| track.base.is_some()).map(first).min().unwrap_or(0);
        let figures =
            self.tracks.iter().map(|track| (track.tables.sizes.len() as u64, track.duration())).collect();
        let tracks: Vec<Track> = self
            .tracks
            .drain(..)
            .enumerate()
            .map(|(at, track)| track.finish(at as u32 + 1, zero, timescale))
            .collect::<Result<_>>()?;
        let end = |track: &Track| match track.edits.as_slice() {
            [] => scaled(track.duration, track.timescale, timescale),
            edits => edits.iter().map(|(length, _)| *length).sum(),
        };
        let duration = tracks.iter().map(end).max().unwrap_or(0);

        let mut head = Vec::new();
        write::file_type(&mut head, b"isom", 0x200, &[b"isom", b"iso2", b"mp41"]);
        let moov = head.len() as u64;
        let media_head = if self.at + 8 > u64::from(u32::MAX) { 16 } else { 8 };
        // Its size depends on the width of the offsets alone, so the second writing is as long as the first or the
        // third as the second.
        let mut data = moov + self.at;
        loop {
            head.truncate(moov as usize);
            let purpose = Purpose::Plain { moov, data };
            write::moov(&mut head, purpose, timescale, duration, &tracks, &self.protection);
            let begins = head.len() as u64 + media_head;
            if begins == data {
                break;
            }
            data = begins;
        }
        if media_head == 8 {
            write::u32s(&mut head, &[(self.at + 8) as u32]);
            head.extend_from_slice(b"mdat");
        } else {
            write::u32s(&mut head, &[1]);
            head.extend_from_slice(b"mdat");
            write::u64s(&mut head, &[self.at + 16]);
        }
        let mut out = File::create(&self.output)?;
        out.write_all(&head)?;
        let mut file = self.data.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        std::io::copy(&mut BufReader::with_capacity(1 << 20, file), &mut out)?;
        Ok(figures)
    }
}

impl Growing {
    /// A fragment starts at `start`: the sample before it lasts until then.
    fn begin(&mut self, start: u64) {
        if self.base.is_none() {
            self.base = Some(start);
            self.last = (start, start);
            return;
        }
        let (began, _) = self.last;
        let lasts = start.checked_sub(began).and_then(|ticks| u32::try_from(ticks).ok());
        if let (Some(lasts @ 1..), Some(duration)) = (lasts, self.tables.durations.last_mut()) {
            *duration = lasts;
            self.last.1 = start;
        }
    }

    fn sample(&mut self, sample: &SampleEntry, encryption: Option<crate::media::samples::SampleEncryption>) {
        self.tables.sizes.push(sample.size);
        self.tables.durations.push(sample.duration);
        self.tables.compositions.push(sample.composition);
        self.tables.encryption.push(encryption);
        let begins = self.last.1;
        self.last = (begins, begins.saturating_add(sample.duration.into()));
    }

    /// Ticks from the first decoding to the first presentation.
    fn delay(&self) -> i64 {
        let mut decoded: i64 = 0;
        let mut first = i64::MAX;
        for (duration, composition) in self.tables.durations.iter().zip(&self.tables.compositions) {
            first = first.min(decoded + i64::from(*composition));
            decoded += i64::from(*duration);
            // Nothing later is presented sooner.
            if decoded > first.saturating_add(i64::from(u32::MAX)) {
                break;
            }
        }
        if first == i64::MAX { 0 } else { first }
    }

    /// Ticks at which the first sample is presented.
    fn presented(&self) -> u64 {
        self.base.unwrap_or(0).saturating_add_signed(self.delay())
    }

    fn duration(&self) -> u64 {
        self.tables.durations.iter().map(|duration| u64::from(*duration)).sum()
    }

    fn finish(mut self, id: u32, zero: u64, movie: u32) -> Result<Track> {
        let (duration, delay) = (self.duration(), self.delay());
        let scale = self.pick.timescale;
        let wait = scaled(self.presented(), scale, movie).saturating_sub(zero);
        // An edit cannot start before the first sample is decoded: then everything is presented that much later.
        let early = i32::try_from(delay.min(0).unsigned_abs()).unwrap_or(0);
        for composition in &mut self.tables.compositions {
            *composition = composition.saturating_add(early);
        }
        let mut edits = Vec::new();
        // Even where the two cancel out, an edit list says so: players differ in what they make of none.
        if wait > 0 || delay != 0 {
            if wait > 0 {
                edits.push((wait, -1));
            }
            edits.push((scaled(duration, scale, movie), delay.max(0)));
        }
        let video = &self.pick.handler == b"vide";
        let all = self.syncs.len() == self.tables.sizes.len();
        self.tables.syncs = (video && !all).then_some(self.syncs);
        let mut entry = self.pick.entry;
        if let Some(protection) = self.protection {
            entry = write::protect(&entry, video, protection)?;
        } else {
            self.tables.encryption.clear();
        }
        Ok(Track {
            id,
            handler: self.pick.handler,
            timescale: scale,
            duration,
            language: self.pick.language,
            display: self.pick.display,
            entry,
            edits,
            tables: self.tables,
        })
    }
}

/// Whether a fragment's own word counts for which samples are key frames. Encoders are seen that call every picture one:
/// then only the first is, as the format has it.
fn believable(piece: &Piece, pick: &Pick) -> bool {
    &pick.handler != b"vide" || piece.samples.len() == 1 || !piece.samples.iter().all(SampleEntry::is_sync)
}
