//! `smoothcore probe`: shows what a manifest, a fragment or a media file says.

mod fragment;
mod input;
mod manifest;
mod movie;
pub mod protection;
mod tree;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use smoothcore::error::{Code, Error};
use smoothcore::manifest::Strictness;

use input::Input;
pub use input::{is_url, parse};
pub use manifest::word;

/// Show what a manifest, a fragment or a media file says.
///
/// INPUT is a file or an http(s) URL. What it is is told from its bytes, not from its name: a client manifest (XML in UTF-8 or
/// UTF-16, gzip-compressed or not), a fragment (moof and mdat), or a fragmented MP4 file (.ismv, .isma) with a moov.
///
/// What the specification forbids, but clients repair, is listed under deviations.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore probe http://127.0.0.1:8080/testcard/testcard.ism/Manifest
      the streams and quality levels of a presentation
  smoothcore probe --timeline --json film.ismc | jq '.streams[0].times'
      the start times of the fragments of the first stream
  smoothcore probe --samples 'http://127.0.0.1:8080/testcard/testcard.ism/QualityLevels(64852)/Fragments(video=0)'
      every sample of one fragment
  smoothcore probe film_3000.ismv
      tracks and fragments of a media file

JSON of a manifest (--json), one object; what is absent is null:
  live major minor timescale duration dvr_window lookahead
  protection: list of system_id (upper case with dashes), kids (32 lower-case hex digits each, big-endian), la_url,
    header_version
  deviations: list of rule, place
  streams: list of type (video, audio, text), subtype, name, language, timescale, url, parent, embedded, fragments (how
    many), first_time, last_time (start of the last fragment), end_time (its end), levels; times in ticks of the
    stream's timescale; with --timeline also times and durations, one number a fragment
  levels: list of index, bitrate, fourcc, codec (RFC 6381), width, height, sampling_rate, channels, config (hex),
    usable, why (null, or the error with its number)
  ignored: list of type, name: streams of a type that no client knows

JSON of a fragment:
  track_id, time (tfxd, else tfdt, else null), duration, tfrf (list of time, duration), samples (list of offset, size,
    dts, pts, duration, flags), kid, iv_size (null when clear). Offsets count from the start of the file or body; dts
    starts at time, or 0; flags is the number in the file.

JSON of a media file:
  major_brand, compatible_brands, timescale, duration, index (tfra or scan), protection, deviations
  tracks: list of track_id, type, language, timescale, duration, entry, format, codec, width, height, sampling_rate,
    channels, config, scheme, kid, iv_size, fragments, first_time, end_time, bytes
  fragments: list of track_id, time, duration, offset, size, sample_count, sync_count, tfrf, kid, iv_size; with --samples
    also samples

Exit status:
  0  shown
  1  a media file, shown, but --strict was given and there are deviations
  2  the input cannot be used, or the command line makes no sense. With --json, standard output holds
     {\"error\": {\"code\", \"name\", \"place\", \"message\"}}")]
pub struct Args {
    /// File or URL of a manifest, a fragment or a media file.
    #[arg(value_name = "INPUT")]
    input: String,

    /// Print one JSON object, and nothing else, on standard output.
    #[arg(long)]
    json: bool,

    /// List every sample of a media file or fragment. (JSON of a fragment always has them.)
    #[arg(long)]
    samples: bool,

    /// List every fragment of a manifest.
    #[arg(long)]
    timeline: bool,

    /// Take no manifest that deviates from the specification (status 2); of a media file, tell by status 1.
    #[arg(long)]
    strict: bool,
}

/// Input that cannot be used.
#[derive(Debug)]
pub struct Unusable {
    pub error: Error,
    /// More than the error itself tells, if there is more.
    pub message: Option<String>,
}

impl From<Error> for Unusable {
    fn from(error: Error) -> Self {
        Self { error, message: None }
    }
}

impl Unusable {
    /// `code`, because of something outside the input.
    fn outside(code: Code, message: String) -> Self {
        Self { error: code.into(), message: Some(message) }
    }

    fn message(&self) -> String {
        self.message.clone().unwrap_or_else(|| self.error.code.text().to_owned())
    }
}

/// One thing the specification forbids.
#[derive(Clone, Debug, Serialize)]
pub struct Deviation {
    pub rule: String,
    pub place: String,
}

/// What was found, of any kind.
enum Found {
    Manifest(manifest::Manifest),
    Fragment(fragment::Fragment),
    Movie(movie::Movie),
}

impl Found {
    fn deviations(&self) -> &[Deviation] {
        match self {
            Self::Manifest(manifest) => &manifest.deviations,
            Self::Fragment(_) => &[],
            Self::Movie(movie) => &movie.deviations,
        }
    }

    fn json(&self) -> serde_json::Result<String> {
        match self {
            Self::Manifest(manifest) => serde_json::to_string(manifest),
            Self::Fragment(fragment) => serde_json::to_string(fragment),
            Self::Movie(movie) => serde_json::to_string(movie),
        }
    }
}

/// Shows the input; the status says whether it could be used.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match find(args) {
        Ok(found) => {
            let text = if args.json {
                found.json()? + "\n"
            } else {
                tree::draw(&found, args.samples, args.timeline)
            };
            write_all(&mut out, &text)?;
            let deviates = args.strict && !found.deviations().is_empty();
            Ok(if deviates { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Err(unusable) => {
            if args.json {
                let Error { code, place } = unusable.error;
                let error = serde_json::json!({"error": {
                    "code": code.number(),
                    "name": format!("{code:?}"),
                    "place": spot(place.at, place.offset),
                    "message": unusable.message(),
                }});
                write_all(&mut out, &format!("{error}\n"))?;
            } else {
                let place = spot(unusable.error.place.at, unusable.error.place.offset);
                let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
                let number = unusable.error.code.number();
                eprintln!("smoothcore: {}: {} ({number}){at}", args.input, unusable.message());
            }
            Ok(ExitCode::from(2))
        }
    }
}

/// Writes everything; a reader that has seen enough is no failure.
fn write_all(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn find(args: &Args) -> Result<Found, Unusable> {
    let strictness = if args.strict { Strictness::Strict } else { Strictness::Lenient };
    Ok(match Input::open(&args.input, strictness)? {
        Input::Manifest(loaded) => Found::Manifest(manifest::describe(&loaded, args.timeline)),
        Input::Fragment(bytes) => Found::Fragment(fragment::read(&bytes)?),
        Input::Movie(reader) => Found::Movie(movie::read(&reader, args.samples)?),
    })
}

/// A place as text: `StreamIndex@Type, byte 812`; empty when unknown.
pub fn spot(at: &str, offset: u64) -> String {
    match (at, offset) {
        ("", 0) => String::new(),
        (at, 0) => at.to_owned(),
        ("", offset) => format!("byte {offset}"),
        (at, offset) => format!("{at}, byte {offset}"),
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A system's identifier as the specification writes it: `9A04F079-9840-4286-AB92-E65BE0885F95`.
pub fn system(id: &[u8; 16]) -> String {
    let digits: String = id.iter().map(|byte| format!("{byte:02X}")).collect();
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_like_sentences() {
        assert_eq!(spot("StreamIndex@Type", 812), "StreamIndex@Type, byte 812");
        assert_eq!(spot("mdat", 0), "mdat");
        assert_eq!(spot("", 7), "byte 7");
        assert_eq!(spot("", 0), "");
    }

    #[test]
    fn systems_are_written_as_in_the_specification() {
        let playready =
            [0x9a, 4, 0xf0, 0x79, 0x98, 0x40, 0x42, 0x86, 0xab, 0x92, 0xe6, 0x5b, 0xe0, 0x88, 0x5f, 0x95];
        assert_eq!(system(&playready), "9A04F079-9840-4286-AB92-E65BE0885F95");
    }
}
