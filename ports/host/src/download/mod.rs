//! `smoothcore download`: keeps a presentation as files that `origin` serves and `play` plays.

mod file;
mod live;
mod manifests;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use smoothcore::codec::Kind;
use smoothcore::manifest::{QualityLevel, Stream};

use crate::fetch::{Fetcher, Got, Lost};
use crate::media::samples::{self, Piece};
use crate::media::write;
use crate::progress::Progress;
use crate::remote::{Levels, Remote, Sound, choose, clean, track_protection};

use file::LevelFile;

/// Keep a presentation as files.
///
/// Fetches every fragment of the chosen levels and writes one .ismv or .isma file for each level, with an index made of what
/// the manifest says, and the server and client manifests that go with them. Fragments are kept to the byte, encrypted ones
/// too, with the protection headers of the manifest.
///
/// What was broken off goes on where it stopped when the same command is given again.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore download http://127.0.0.1:8080/testcard/testcard.ism/Manifest -o copy
      everything: copy/testcard.ism, copy/testcard.ismc and the media files
  smoothcore download URL -o copy --levels highest --audio eng
      one level of video and one language
  smoothcore download URL -o copy --live-for 600
      ten minutes of a live presentation, and what its window holds already
  smoothcore origin copy
      serves the copy

Text streams are kept, too: those whose samples stand in the manifest there, others as .ismt files.

Exit status:
  0  everything chosen is there
  1  failed: what arrived is kept for the next time
  2  the command line makes no sense")]
pub struct Args {
    /// URL of the manifest.
    #[arg(value_name = "URL")]
    url: String,

    /// Directory to write to; made if it is not there.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    /// Video levels: all, highest, lowest, or numbers such as 0,2: Indexes in the manifest, or else places in the ladder.
    #[arg(long, value_name = "LEVELS", default_value = "all")]
    levels: Levels,

    /// Which sound: all, first, none, or a language or stream name such as eng.
    #[arg(long, value_name = "WHICH", default_value = "all")]
    audio: Sound,

    /// Of a live presentation, stop after this many seconds. [default: when it ends]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    live_for: Option<Duration>,

    /// Exchanges at a time.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    parallel: u8,

    /// Name of the files. [default: that of the presentation in the URL]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(value) if (0.0..1e9).contains(&value) => Ok(Duration::from_secs_f64(value)),
        _ => Err("not a number of seconds".to_owned()),
    }
}

/// One level to keep: places in the manifest, and the names it gets.
#[derive(Clone, Debug)]
pub struct Job {
    stream: usize,
    level: usize,
    /// Unique among streams.
    name: String,
    /// The media file's.
    file: String,
}

/// One level as it was kept.
pub struct Kept {
    pub job: Job,
    pub track_id: u32,
    /// Start and duration of every fragment, in ticks.
    pub fragments: Vec<(u64, u64)>,
}

pub fn run(args: &Args) -> Result<()> {
    let lost = |lost: Lost| anyhow::anyhow!("{lost}");
    let mut fetcher = Fetcher::new(args.parallel.into()).map_err(lost)?;
    let mut remote = Remote::open(&args.url, &mut fetcher)?;
    let name = args.name.as_deref().map_or_else(|| remote.name(), clean);
    let jobs = jobs(&remote, args, &name)?;
    std::fs::create_dir_all(&args.output).with_context(|| args.output.display().to_string())?;
    let mut progress = Progress::new("download");
    let kept = if remote.manifest.is_live() {
        live::keep(args, &mut remote, &mut fetcher, &jobs, &mut progress)?
    } else {
        ensure!(args.live_for.is_none(), "--live-for is for live presentations, and this is none");
        on_demand(args, &remote, &mut fetcher, &jobs, &mut progress)?
    };
    progress.clear();
    manifests::write(&args.output, &name, &remote.manifest, &kept)?;
    for Kept { job, fragments, .. } in &kept {
        let level = &remote.manifest.streams[job.stream].levels[job.level];
        println!("{}: {} at {} bit/s, {} fragments", job.file, job.name, level.bitrate, fragments.len());
    }
    for extension in ["ism", "ismc"] {
        println!("{name}.{extension}");
    }
    Ok(())
}

/// The chosen levels under names of their own.
fn jobs(remote: &Remote, args: &Args, name: &str) -> Result<Vec<Job>> {
    let mut jobs: Vec<Job> = Vec::new();
    for (stream, levels) in choose(&remote.manifest, &args.levels, &args.audio, &Sound::All)? {
        let said = &remote.manifest.streams[stream];
        if said.kind == Kind::Text {
            let level = said.levels.get(levels.first().copied().unwrap_or(0));
            let known =
                level.is_some_and(|level| write::entry(&level.config, said.kind, level.bitrate).is_ok());
            if !known {
                eprintln!("{}: text that media files have no name for is left out", said.name.as_str());
                continue;
            }
        }
        // Other streams of the same name would be at the same URL.
        let base = clean(&said.name);
        let taken = |name: &str| jobs.iter().any(|job| job.name == name);
        let language = format!("{base}_{}", clean(&said.language));
        let numbered = (2..).map(|number| format!("{base}_{number}"));
        let Some(own) = [base.clone(), language].into_iter().chain(numbered).find(|name| !taken(name)) else {
            bail!("no name is left for stream {base}");
        };
        for level in levels {
            let bitrate = said.levels[level].bitrate_text.as_str();
            let extension = match said.kind {
                Kind::Video => "ismv",
                Kind::Audio => "isma",
                Kind::Text => "ismt",
            };
            let stem = format!("{name}_{own}_{bitrate}");
            let mut file = format!("{stem}.{extension}");
            if jobs.iter().any(|job| job.file == file) {
                file = format!("{stem}_{}.{extension}", said.levels[level].index);
            }
            jobs.push(Job { stream, level, name: own.clone(), file });
        }
    }
    Ok(jobs)
}

/// Stream and level of a job.
fn said<'a>(remote: &'a Remote, job: &Job) -> (&'a Stream, &'a QualityLevel) {
    let stream = &remote.manifest.streams[job.stream];
    (stream, &stream.levels[job.level])
}

/// The index of a media file: `ftyp` and `moov`. Its size does not depend on `duration`.
fn head(remote: &Remote, job: &Job, track_id: u32, duration: u64) -> Result<Vec<u8>> {
    let (stream, level) = said(remote, job);
    let video = stream.kind == Kind::Video;
    let timescale = u32::try_from(stream.timescale.per_second()).context("a timescale beyond 32 bits")?;
    let mut entry = write::entry(&level.config, stream.kind, level.bitrate)?;
    if let Some(mut protection) = track_protection(&remote.manifest, stream.kind) {
        // The name that goes with the boxes of PIFF in the fragments.
        if &protection.scheme == b"cenc" {
            protection.scheme = *b"piff";
        }
        entry = write::protect(&entry, video, protection)?;
    }
    let display = if video { (stream.display_width << 16, stream.display_height << 16) } else { (0, 0) };
    let track = write::Track {
        id: track_id,
        handler: match stream.kind {
            Kind::Video => *b"vide",
            Kind::Audio => *b"soun",
            Kind::Text => *b"subt",
        },
        timescale,
        duration,
        language: stream.language.as_str().to_owned(),
        display,
        entry,
        edits: Vec::new(),
        tables: write::Tables::default(),
    };
    let headers = remote.manifest.protection.iter();
    let headers: Vec<_> = headers.map(|header| (header.system_id, header.data.to_vec())).collect();
    let mut out = Vec::new();
    write::file_type(&mut out, b"isml", 1, &[b"piff", b"iso2"]);
    write::moov(&mut out, write::Purpose::Fragmented, timescale, duration, &[track], &headers);
    Ok(out)
}

/// The pieces of a body that arrived; it must be a whole fragment.
fn checked(got: &Got) -> Result<Vec<Piece>> {
    Ok(samples::read(&got.body, [0; 3])?)
}

/// Every fragment that the manifest lists.
fn on_demand(
    args: &Args,
    remote: &Remote,
    fetcher: &mut Fetcher,
    jobs: &[Job],
    progress: &mut Progress,
) -> Result<Vec<Kept>> {
    let counts = jobs.iter().map(|job| said(remote, job).0.timeline.len() as usize);
    let (all, mut done) = (counts.sum(), 0);
    let mut kept = Vec::new();
    for job in jobs {
        let (stream, level) = said(remote, job);
        let list: Vec<(u64, u64)> = stream.timeline.iter().map(|f| (f.start, f.duration)).collect();
        let times: Vec<u64> = list.iter().map(|(time, _)| *time).collect();
        let path = args.output.join(&job.file);
        if let Some(track_id) = file::complete(&path, &times) {
            done += times.len();
            progress.step(done, all, 0);
            kept.push(Kept { job: job.clone(), track_id, fragments: list });
            continue;
        }
        let mut file = LevelFile::resume(&path, &times)?;
        let there = file.as_ref().map_or(0, LevelFile::len);
        if there > 0 {
            progress.say(&format!("{}: {there} of {} fragments are there already", job.file, times.len()));
        }
        done += there;
        let rest = times.get(there..).unwrap_or_default();
        let urls =
            rest.iter().map(|time| remote.fragment(stream, level, *time)).collect::<Result<Vec<_>>>()?;
        fetcher.in_order(&urls, |at, got| {
            let place = || format!("{} at {} bit/s, fragment at {}", job.name, level.bitrate, rest[at]);
            let got = got.map_err(|lost| anyhow::anyhow!("{}: {lost}", place()))?;
            let pieces = checked(&got).with_context(place)?;
            if file.is_none() {
                let track_id = pieces.first().map_or(1, |piece| piece.info.track_id);
                file = Some(LevelFile::create(&path, track_id, &head(remote, job, track_id, 0)?)?);
            }
            if let Some(file) = &mut file {
                file.push(rest[at], &got.body)?;
            }
            done += 1;
            progress.step(done, all, got.body.len());
            anyhow::Ok(())
        })?;
        let file = file.with_context(|| format!("{}: no fragment is listed", job.name))?;
        let track_id = file.track_id();
        let end = list.last().map_or(0, |(time, duration)| time.saturating_add(*duration));
        let duration = end.saturating_sub(times.first().copied().unwrap_or(0));
        file.finish(&head(remote, job, track_id, duration)?)?;
        kept.push(Kept { job: job.clone(), track_id, fragments: list });
    }
    Ok(kept)
}
