//! `smoothcore play`: plays a presentation without a screen, and tells how it went.

mod csv;
mod disk;
mod drive;
mod json;
pub mod net;
mod recall;
mod record;
mod report;
mod screen;
mod sink;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use smoothcore::io::LiveWindow;
use smoothcore::session::{AudioChoice, Config, LiveConfig, TextChoice};
use smoothcore::time::{MediaTime, Micros};
use smoothcore_clearkey::{Keys, Named};

pub use csv::{Args as ReportArgs, run as run_report};
pub use status::{bits, explain};

/// Play a presentation without a screen, and tell how it went.
///
/// Fetches the manifest and the fragments the way a set-top box would, and hands every sample to a sink instead of a
/// decoder: to nowhere, or to files. Says what happens on standard error and how it went on standard output.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore play http://127.0.0.1:8080/testcard/testcard.ism/Manifest
      plays as a screen would, at the speed of its clock
  smoothcore play --speed max --level 0 --sink files:out URL
      fetches the lowest quality level as fast as the link allows; out/video.h264 plays anywhere
  smoothcore play --report session.html --audio all URL
      draws bitrate, throughput and buffers over time on a page to open in a browser
  smoothcore play film.ism
      plays files as they lie on disk, with no server
  smoothcore play --duration 60 --delay 8 http://HOST/news.isml/Manifest
      plays a live channel for a minute, 8 s behind its newest fragment
  smoothcore play --speed max --json URL | jq .switches
      the figures for a program
  smoothcore play --key 0123456789abcdef0123456789abcdef:00112233445566778899aabbccddeeff URL
      plays protected content with a key given in the clear

Files of --sink files:DIR:
  One elementary stream for each stream, named after it: video.h264, audio_eng.aac. samples.log has a line a sample:
      STREAM FRAGMENT_START BITRATE DTS PTS DURATION SIZE FNV1A64 FLAGS
  FRAGMENT_START is the time in the fragment's URL; DTS, PTS and DURATION are in units of 100 ns; FNV1A64 is over the
  bytes as written. FLAGS: 1 key frame, 2 discontinuity, 4 parameter sets go before, 8 before the --start time.
  Text goes to NAME.ttml, or NAME.bin for what is no TTML; NAME.times has a line a sample:
      PTS DURATION OFFSET SIZE [SIZE OF EACH SUB-SAMPLE ...]

Exit status:
  0  played to the end, or for as long as --duration says
  1  failed: the message names the error's number and place, and what can be done
  2  the command line makes no sense")]
pub struct Args {
    /// URL of the manifest, such as http://HOST/film.ism/Manifest; or a file: an .ism, .ismc, .ismv or .isma.
    #[arg(value_name = "URL|FILE")]
    url: String,

    /// Where samples go: null, or files:DIR.
    #[arg(long, value_name = "SINK", default_value = "null")]
    sink: Where,

    /// Stay at this video quality level: its Index in the manifest, or else its place in the ladder, 0 the lowest.
    #[arg(long, value_name = "N")]
    level: Option<u32>,

    /// max: take samples as fast as they come. real: at the pace of a clock, with 2 s of room.
    #[arg(long, value_enum, default_value = "real")]
    speed: Speed,

    /// Which audio: first, all, none, or a language such as eng.
    #[arg(long, value_name = "WHICH", default_value = "first", value_parser = audio)]
    audio: AudioChoice,

    /// Which text: none, first (subtitles or captions), all (chapters, commands and markers, too), or a language.
    #[arg(long, value_name = "WHICH", default_value = "none", value_parser = text)]
    text: TextChoice,

    /// Most bytes to hold at any time; 512k and 8M are understood. [default: 8M]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    budget: Option<usize>,

    /// Media to fetch ahead. [default: 20]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    buffer: Option<f64>,

    /// Seed of the random part of waits between tries: the same seed, the same waits. [default: another each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Media time to start at.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    start: Option<f64>,

    /// Stop after so long; a live presentation has no end of its own.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    duration: Option<f64>,

    /// Live: how far behind the newest fragment to play. [default: three fragments, 6 s at least]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    delay: Option<f64>,

    /// Decrypt with that key of that identifier: 32 hexadecimal digits each. May be given for each of several keys.
    #[arg(long = "key", value_name = "KID:KEY")]
    keys: Vec<Named>,

    /// Print the figures as one JSON object, and nothing else, on standard output.
    #[arg(long)]
    json: bool,

    /// Write a page that shows the session, for any browser.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// How fast the sink takes samples.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Speed {
    Max,
    Real,
}

/// Where samples go.
#[derive(Clone)]
enum Where {
    Nowhere,
    Files(PathBuf),
}

impl FromStr for Where {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "null" => Ok(Self::Nowhere),
            Some(("files", dir)) if !dir.is_empty() => Ok(Self::Files(dir.into())),
            _ => Err("neither null nor files:DIR".to_owned()),
        }
    }
}

fn audio(text: &str) -> Result<AudioChoice, String> {
    match text {
        "first" => Ok(AudioChoice::First),
        "all" => Ok(AudioChoice::All),
        "none" => Ok(AudioChoice::None),
        _ if (2..=8).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') =>
        {
            let mut letters = [0; 8];
            letters[..text.len()].copy_from_slice(text.as_bytes());
            Ok(AudioChoice::Language(letters))
        }
        _ => Err("neither first, all, none nor a language such as eng".to_owned()),
    }
}

fn text(text: &str) -> Result<TextChoice, String> {
    match (text, audio(text)) {
        ("none", _) => Ok(TextChoice::None),
        ("first", _) => Ok(TextChoice::First),
        ("all", _) => Ok(TextChoice::All),
        (_, Ok(AudioChoice::Language(letters))) => Ok(TextChoice::Language(letters)),
        _ => Err("neither none, first, all nor a language such as eng".to_owned()),
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1 << 10),
        None => text.strip_suffix(['m', 'M']).map_or((text, 1), |digits| (digits, 1 << 20)),
    };
    let count = digits.parse::<usize>().ok().and_then(|count| count.checked_mul(unit));
    match count {
        None => Err("not a number of bytes such as 300000, 512k or 8M".to_owned()),
        Some(count) if count < Config::SMALLEST_BUDGET => {
            Err(format!("less than {} bytes hold nothing", Config::SMALLEST_BUDGET))
        }
        Some(count) => Ok(count),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..1e9).contains(&value) => Ok(value),
        _ => Err("not a number of seconds".to_owned()),
    }
}

impl Args {
    fn keys(&self) -> Keys {
        let mut keys = Keys::default();
        for named in &self.keys {
            keys.add(named.kid, named.key);
        }
        keys
    }

    fn config(&self) -> Config {
        let micros = |seconds: f64| Micros((seconds * 1e6) as u64);
        Config {
            budget: self.budget.unwrap_or(0),
            seed: self.seed.unwrap_or_else(some_seed),
            // Zero means the default to a session; whoever asks for none gets next to none.
            buffer_target: self.buffer.map_or(Micros::ZERO, |s| micros(s).max(Micros(1))),
            audio: self.audio,
            text: self.text,
            live: LiveConfig {
                target_delay: self.delay.map_or(Micros::ZERO, micros),
                ..LiveConfig::default()
            },
            start_at: self.start.map(|s| MediaTime((s * 1e7) as i64)),
            ..Config::default()
        }
    }
}

fn some_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

/// Plays; success only when the presentation was played to its end.
pub fn run(args: &Args) -> Result<ExitCode> {
    let dir = match &args.sink {
        Where::Nowhere => None,
        Where::Files(dir) => Some(dir.as_path()),
    };
    let mut sink = sink::Sink::new(args.speed, dir)?;
    let mut status = status::Status::new();
    let mut played = drive::play(args, sink, &mut status)?;
    status.clear();
    sink = played.sink;
    let end = match (&played.failure, played.stopped) {
        (Some(_), _) => json::End::Broken,
        (None, true) => json::End::Stopped,
        (None, false) => json::End::Played,
    };
    let written = sink.finish();
    if args.json {
        println!("{}", json::figures(end, &played.stats, &sink, played.live));
    } else {
        print_figures(&played.stats, &sink, played.live);
        for path in written.iter().flatten() {
            println!("{}", path.display());
        }
    }
    if let Some(path) = &args.report {
        let title = smoothcore::trace::redacted(&args.url);
        let data = played.record.into_data(title, &played.stats, &sink, played.live);
        std::fs::write(path, report::page(&data)).with_context(|| path.display().to_string())?;
    }
    written?;
    match played.failure.take() {
        None => Ok(ExitCode::SUCCESS),
        Some(failure) => {
            let url = smoothcore::trace::redacted(&args.url);
            let text = status::explain(failure.error, failure.http_status);
            let remedy = status::remedy(failure.error);
            match played.trouble {
                Some(trouble) => bail!("{url}: {text}\n  {trouble}\n  {remedy}"),
                None => bail!("{url}: {text}\n  {remedy}"),
            }
        }
    }
}

fn print_figures(stats: &smoothcore::session::Stats, sink: &sink::Sink, live: Option<LiveWindow>) {
    for group in record::figures(stats, sink, live) {
        println!("{}", group.name);
        for (label, value) in group.rows {
            println!("  {label:22} {value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("300000"), Ok(300_000));
        assert_eq!(bytes("512k"), Ok(512 << 10));
        assert_eq!(bytes("8M"), Ok(8 << 20));
        for bad in ["", "k", "8G", "-1", "1k", "99999999999999999999M"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_is_a_choice_or_a_language() {
        assert_eq!(text("none"), Ok(TextChoice::None));
        assert_eq!(text("all"), Ok(TextChoice::All));
        assert_eq!(text("fra"), Ok(TextChoice::Language(*b"fra\0\0\0\0\0")));
        assert!(text("e").is_err());
    }

    #[test]
    fn audio_is_a_choice_or_a_language() {
        assert_eq!(audio("all"), Ok(AudioChoice::All));
        assert_eq!(audio("eng"), Ok(AudioChoice::Language(*b"eng\0\0\0\0\0")));
        for bad in ["", "e", "englishes", "en g"] {
            assert!(audio(bad).is_err(), "{bad}");
        }
    }
}
