//! A fragmented MP4 file: one index without samples, then a `moof` with `tfdt` and an `mdat` for each fragment (ISO/IEC 14496-12
//! 8.8, ISO/IEC 23000-19).

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Result, ensure};

use super::source::Pick;
use super::{Sink, completed};
use crate::media::movie::TrackProtection;
use crate::media::rewrite::{self, Protection};
use crate::media::samples::Piece;
use crate::media::write::{self, Purpose, Tables, Track, scaled};

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
            sequence: 1,
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
    fn fragment(&mut self, pick: usize, start: u64, pieces: &[Piece], bytes: &[u8]) -> Result<()> {
        for protection in pieces.iter().filter_map(|piece| completed(&self.picks[pick], piece)) {
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
        let time = start.saturating_sub(self.zeros[pick]);
        let duration: u64 = pieces.iter().map(|piece| piece.info.duration).sum();
        let mut place = rewrite::Place {
            start: time,
            duration,
            track_id: pick as u32 + 1,
            sequence: self.sequence,
            protection: if self.protections[pick].is_some() { Protection::Track } else { Protection::None },
        };
        self.out.write_all(&rewrite::fragment(bytes, &mut place)?)?;
        self.sequence = place.sequence;
        let (samples, end) = &mut self.figures[pick];
        *samples += pieces.iter().map(|piece| piece.samples.len() as u64).sum::<u64>();
        *end = (*end).max(time.saturating_add(duration));
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
