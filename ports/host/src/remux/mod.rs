//! `smoothcore remux`: makes one plain MP4 file of a presentation.

mod fragmented;
mod plain;
mod source;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use smoothcore::mp4::encryption::{Algorithm, Iv};

use crate::media::movie::TrackProtection;
use crate::media::samples::{self, Piece};
use crate::progress::Progress;
use crate::remote::{Levels, Sound};

use source::{Pick, Source};

/// Make one MP4 file of a presentation, for players that know nothing of Smooth Streaming.
///
/// SOURCE is the URL of a manifest, or a file: a server manifest (.ism), a client manifest (.ismc) beside its server manifest,
/// or one media file (.ismv, .isma). Nothing is encoded again. Written is one video level, the sound and timed text, interleaved, with
/// the index in front. Where sound and pictures do not start together, an edit list keeps them in step.
///
/// Encrypted samples stay encrypted; the file says how, and under which key.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore remux http://127.0.0.1:8080/testcard/testcard.ism/Manifest -o testcard.mp4
      the highest level and all languages
  smoothcore remux film.ism --level 0 --audio eng -o small.mp4
      the lowest level with one language
  smoothcore remux film_3000.ismv --fragmented -o film.mp4
      fragments with tfdt (CMAF), as DASH packagers take them

Text streams become tracks of timed text (stpp); those whose samples stand in the manifest are left out.

Exit status:
  0  written
  1  failed: nothing is left behind
  2  the command line makes no sense")]
pub struct Args {
    /// URL of a manifest, or a .ism, .ismc, .ismv or .isma file.
    #[arg(value_name = "SOURCE")]
    source: String,

    /// The file to write.
    #[arg(short, long, value_name = "FILE.mp4")]
    output: PathBuf,

    /// Video level: its Index in the manifest, or else its place in the ladder, 0 the lowest. [default: the highest]
    #[arg(long, value_name = "N")]
    level: Option<u32>,

    /// Which sound: all, first, none, or a language or stream name such as eng.
    #[arg(long, value_name = "WHICH", default_value = "all")]
    audio: Sound,

    /// Which text: all, first, none, or a language or stream name such as eng.
    #[arg(long, value_name = "WHICH", default_value = "all")]
    text: Sound,

    /// Write fragments instead of one table of samples.
    #[arg(long)]
    fragmented: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let levels = args.level.map_or(Levels::Highest, |level| Levels::These(vec![level]));
    let mut source = Source::open(&args.source, &levels, &args.audio, &args.text)?;
    let mut part = args.output.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = write(args, &mut source, &part);
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
        return written;
    }
    std::fs::rename(&part, &args.output).with_context(|| args.output.display().to_string())
}

fn write(args: &Args, source: &mut Source, part: &std::path::Path) -> Result<()> {
    let picks = source.picks()?;
    let shown = |path: &std::path::Path| path.display().to_string();
    let mut progress = Progress::new("remux");
    let order = order(&picks);
    let all = order.len();
    let mut sink: Box<dyn Sink> = if args.fragmented {
        Box::new(fragmented::Writer::new(part, &picks, source.protection()).with_context(|| shown(part))?)
    } else {
        Box::new(plain::Writer::new(part, &picks, source.protection()).with_context(|| shown(part))?)
    };
    let mut clocks = vec![Clock::default(); picks.len()];
    let mut done = 0;
    source.read(&order, &mut |pick, at, bytes| {
        let taken = &picks[pick];
        let pieces = samples::read(&bytes, taken.defaults);
        let pieces = pieces.with_context(|| format!("{}, fragment at {}", taken.name, taken.times[at]))?;
        let start = clocks[pick].start(taken.times[at], &pieces);
        sink.fragment(pick, start, &pieces, &bytes)?;
        done += 1;
        progress.step(done, all, bytes.len());
        Ok(())
    })?;
    progress.clear();
    let figures = sink.finish()?;
    for (pick, (samples, ticks)) in picks.iter().zip(figures) {
        let seconds = ticks as f64 / f64::from(pick.timescale);
        println!("{}: {samples} samples, {seconds:.3} s", pick.name);
        ensure!(samples > 0, "{}: no sample", pick.name);
    }
    Ok(())
}

/// Where the last fragment of a track ended, in ticks of decoding.
#[derive(Clone, Copy, Debug, Default)]
struct Clock(Option<u64>);

impl Clock {
    /// Where a fragment of that URL or index starts. That time is when its first sample is decoded, but some writers put
    /// there when it is presented: told by both, the fragment follows the one before.
    fn start(&mut self, told: u64, pieces: &[Piece]) -> u64 {
        let first =
            pieces.iter().find_map(|piece| piece.samples.first()).map_or(0, |sample| sample.composition);
        let follows =
            self.0.filter(|end| first > 2 && end.saturating_add_signed(first.into()).abs_diff(told) <= 2);
        let start = follows.unwrap_or(told);
        let ticks: u64 = pieces.iter().map(|piece| piece.info.duration).sum();
        self.0 = Some(start.saturating_add(ticks));
        start
    }
}

/// What writes the file.
trait Sink {
    /// Takes a fragment that starts at `start` ticks of its track: its bytes, and what is in them.
    fn fragment(&mut self, pick: usize, start: u64, pieces: &[Piece], bytes: &[u8]) -> Result<()>;

    /// Ends the file. Gives samples and ticks of each track.
    fn finish(self: Box<Self>) -> Result<Vec<(u64, u64)>>;
}

/// All fragments of all tracks by their time: which track, which fragment.
fn order(picks: &[Pick]) -> Vec<(usize, usize)> {
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (pick, taken) in picks.iter().enumerate() {
        order.extend((0..taken.times.len()).map(|at| (pick, at)));
    }
    // Seconds, exactly: ticks of one track times the scale of the other.
    order.sort_by(|(a, i), (b, j)| {
        let (left, right) = (&picks[*a], &picks[*b]);
        let left = u128::from(left.times[*i]) * u128::from(right.timescale);
        let right = u128::from(right.times[*j]) * u128::from(picks[*a].timescale);
        left.cmp(&right).then(a.cmp(b)).then(i.cmp(j))
    });
    order
}

/// The protection of a track: what its file says, completed by what its fragments say.
fn completed(pick: &Pick, piece: &Piece) -> Option<TrackProtection> {
    let encrypted = piece.encryption.as_ref()?;
    let cbc = encrypted.algorithm == Some(Algorithm::AesCbc);
    let unknown = TrackProtection {
        scheme: if cbc { *b"cbc1" } else { *b"cenc" },
        algorithm: if cbc { 2 } else { 1 },
        kid: [0; 16],
        iv_size: 8,
        constant_iv: Iv::default(),
        pattern: (0, 0),
    };
    let mut protection = pick.protection.unwrap_or(unknown);
    if &protection.scheme == b"piff" || encrypted.algorithm.is_some() && &protection.scheme == b"cenc" {
        (protection.scheme, protection.algorithm) = (unknown.scheme, unknown.algorithm);
    }
    protection.kid = encrypted.kid.unwrap_or(protection.kid);
    protection.iv_size = encrypted.iv_size;
    Some(protection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(timescale: u32, times: &[u64]) -> Pick {
        Pick { timescale, times: times.to_vec(), ..Pick::default() }
    }

    #[test]
    fn fragments_are_written_in_the_order_of_time() {
        let picks = [pick(10_000_000, &[0, 20_000_000, 40_000_000]), pick(48_000, &[0, 96_256, 190_000])];
        assert_eq!(order(&picks), [(0, 0), (1, 0), (0, 1), (1, 1), (1, 2), (0, 2)]);
    }
}
