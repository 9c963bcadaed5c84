//! A fragmented MP4 file: one index without samples, then a `moof` with `tfdt` and an `mdat` for each fragment (ISO/IEC 14496-12
//! 8.8, ISO/IEC 23000-19).

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::source::Pick;
use super::{Sink, completed};
use crate::media::movie::TrackProtection;
use crate::media::samples::Piece;
use crate::media::write::{self, Purpose, Tables, Track, boxed, full, scaled, u32s, u64s};

/// The default base of a data offset is the `moof`.
const BASE_IS_MOOF: u32 = 0x02_0000;
/// A `trun` with data offset, durations, sizes, flags and composition offsets.
const EVERYTHING: u32 = 0x001 | 0x100 | 0x200 | 0x400 | 0x800;

pub struct Writer {
    out: BufWriter<File>,
    picks: Vec<Pick>,
    /// Samples and end of each track.
    figures: Vec<(u64, u64)>,
    /// Where times are counted from, in each track's ticks.
    zeros: Vec<u64>,
    protections: Vec<Option<TrackProtection>>,
    protection: Vec<([u8; 16], Vec<u8>)>,
    sequence: u32,
    /// Whether the index was written.
    begun: bool,
}

impl Writer {
    pub fn new(output: &Path, picks: &[Pick], protection: Vec<([u8; 16], Vec<u8>)>) -> Result<Self> {
        let out = BufWriter::with_capacity(1 << 20, File::create(output)?);
        let first =
            |pick: &Pick| Some(u128::from(*pick.times.first()?) * 1_000_000_000 / u128::from(pick.timescale));
        // Rounded down, so that no time is negative.
        let zero = picks.iter().filter_map(first).min().unwrap_or(0);
        let ticks =
            |pick: &Pick| u64::try_from(zero * u128::from(pick.timescale) / 1_000_000_000).unwrap_or(0);
        let zeros = picks.iter().map(ticks).collect();
        Ok(Self {
            out,
            figures: vec![(0, 0); picks.len()],
            zeros,
            // Whether samples are encrypted shows in the fragments, but the index comes first.
            protections: picks.iter().map(|pick| pick.protection.map(common)).collect(),
            picks: picks.to_vec(),
            protection,
            sequence: 0,
            begun: false,
        })
    }

    fn head(&self, duration: u64) -> Result<Vec<u8>> {
        let mut tracks = Vec::new();
        for (at, pick) in self.picks.iter().enumerate() {
            let video = &pick.handler == b"vide";
            let entry = match self.protections[at] {
                Some(protection) => write::protect(&pick.entry, video, protection)?,
                None => pick.entry.clone(),
            };
            tracks.push(Track {
                id: at as u32 + 1,
                handler: pick.handler,
                timescale: pick.timescale,
                duration: 0,
                language: pick.language.clone(),
                display: pick.display,
                entry,
                edits: Vec::new(),
                tables: Tables::default(),
            });
        }
        let mut head = Vec::new();
        write::file_type(&mut head, b"iso6", 1, &[b"iso6", b"isom", b"cmfc", b"dash"]);
        write::moov(
            &mut head,
            Purpose::Fragmented,
            timescale(&self.picks),
            duration,
            &tracks,
            &self.protection,
        );
        Ok(head)
    }
}

fn timescale(picks: &[Pick]) -> u32 {
    picks.iter().map(|pick| pick.timescale).max().unwrap_or(1000)
}

/// The same protection under the name that players know.
fn common(protection: TrackProtection) -> TrackProtection {
    let scheme = if &protection.scheme == b"piff" { *b"cenc" } else { protection.scheme };
    TrackProtection { scheme, ..protection }
}

impl Sink for Writer {
    fn piece(&mut self, pick: usize, start: u64, piece: &Piece, bytes: &[u8]) -> Result<()> {
        if let Some(protection) = completed(&self.picks[pick], piece) {
            ensure!(
                !self.begun || self.protections[pick].is_some(),
                "{}: encrypted, which neither the manifest nor the file's index says",
                self.picks[pick].name
            );
            self.protections[pick] = Some(protection);
        }
        if !self.begun {
            self.begun = true;
            let head = self.head(0)?;
            self.out.write_all(&head)?;
        }
        self.sequence += 1;
        let time = start.saturating_sub(self.zeros[pick]);
        let mut moof = Vec::new();
        let mut offset_at = 0;
        boxed(&mut moof, b"moof", |out| {
            full(out, b"mfhd", 0, 0, |out| u32s(out, &[self.sequence]));
            boxed(out, b"traf", |out| {
                full(out, b"tfhd", 0, BASE_IS_MOOF, |out| u32s(out, &[pick as u32 + 1]));
                full(out, b"tfdt", 1, 0, |out| u64s(out, &[time]));
                full(out, b"trun", 1, EVERYTHING, |out| {
                    u32s(out, &[piece.samples.len() as u32]);
                    offset_at = out.len();
                    u32s(out, &[0]);
                    for sample in &piece.samples {
                        u32s(
                            out,
                            &[sample.duration, sample.size, sample.flags, sample.composition.cast_unsigned()],
                        );
                    }
                });
                protect(out, piece, self.protections[pick].is_some());
            });
        });
        let offset = moof.len() as u32 + 8;
        moof[offset_at..offset_at + 4].copy_from_slice(&offset.to_be_bytes());
        let size: u64 = piece.samples.iter().map(|sample| u64::from(sample.size)).sum();
        let size = u32::try_from(size + 8).context("a fragment of 4 GiB")?;
        u32s(&mut moof, &[size]);
        moof.extend_from_slice(b"mdat");
        self.out.write_all(&moof)?;
        for sample in &piece.samples {
            let from = sample.offset as usize;
            let media =
                bytes.get(from..from + sample.size as usize).context("a sample outside its fragment")?;
            self.out.write_all(media)?;
        }
        let (samples, end) = &mut self.figures[pick];
        *samples += piece.samples.len() as u64;
        *end = (*end).max(time.saturating_add(piece.info.duration));
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<(u64, u64)>> {
        let scale = timescale(&self.picks);
        let ends = self.figures.iter().zip(&self.picks);
        let duration = ends.map(|((_, end), pick)| scaled(*end, pick.timescale, scale)).max().unwrap_or(0);
        // As long as the first one, but for what was not known then.
        let head = self.head(duration)?;
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&head)?;
        self.out.flush()?;
        Ok(self.figures)
    }
}

/// How the samples of a fragment of a protected track are encrypted, or that they are not.
fn protect(out: &mut Vec<u8>, piece: &Piece, is_protected: bool) {
    match &piece.encryption {
        Some(table) => {
            let samples: Vec<_> = table.samples.iter().cloned().map(Some).collect();
            // The moof starts the buffer, and saio counts from there.
            write::encryption(out, &samples, |at| at as u64);
        }
        None if is_protected => {
            full(out, b"sgpd", 1, 0, |out| {
                out.extend_from_slice(b"seig");
                u32s(out, &[20, 1]);
                out.extend_from_slice(&[0; 20]);
            });
            full(out, b"sbgp", 0, 0, |out| {
                out.extend_from_slice(b"seig");
                // The first group of this fragment, not of the track.
                u32s(out, &[1, piece.samples.len() as u32, 0x1_0001]);
            });
        }
        None => {}
    }
}
