//! `smoothcore index`: writes the server and client manifests of media files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::media::presentation::Presentation;
use crate::media::text::{self, Encoding};
use crate::media::{ism, ismc};

/// Write the server manifest (.ism) and client manifest (.ismc) of fragmented MP4 files.
///
/// All video becomes one stream, with a quality level for every video track. Audio becomes one stream a language: named
/// `audio` if there is one, else `audio_eng`, `audio_fra` and so on. The bitrate of a level is the one its file declares,
/// else the one measured.
///
/// A stream's timeline is that of its lowest level. When another level's fragments start at other times, a warning says
/// where: such content plays, but stumbles when the client switches.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore index film_*.ismv film_*.isma -o film
      writes film.ism and film.ismc
  smoothcore index --strict --encoding utf-16le *.ismv -o film
      as Microsoft's tools write them; fails if levels are not aligned")]
pub struct Args {
    /// Fragmented MP4 files (.ismv, .isma), as FFmpeg's `-f ismv` writes them.
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,

    /// Where to write: NAME.ism and NAME.ismc. An extension .ism is taken off.
    #[arg(short, long, value_name = "NAME")]
    output: PathBuf,

    /// Encoding of both manifests.
    #[arg(long, value_enum, default_value = "utf-8")]
    encoding: Encoding,

    /// Write each fragment as an element of its own, without repeat counts (manifest version 2.0).
    #[arg(long)]
    no_repeat: bool,

    /// Fail, and write nothing, where there would be a warning.
    #[arg(long)]
    strict: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let output = if args.output.extension().is_some_and(|extension| extension == "ism" || extension == "ismc")
    {
        args.output.with_extension("")
    } else {
        args.output.clone()
    };
    let Some(name) = output.file_name() else { bail!("{}: not a name to write to", output.display()) };
    let dir = output.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = dir.canonicalize().with_context(|| dir.display().to_string())?;
    let files = args.files.iter().map(|file| file.canonicalize().with_context(|| file.display().to_string()));
    let files = files.collect::<Result<Vec<_>>>()?;

    let presentation = Presentation::from_files(&files)?;
    for warning in &presentation.warnings {
        eprintln!("warning: {warning}");
    }
    ensure!(!args.strict || presentation.warnings.is_empty(), "nothing written because of --strict");

    let with = |extension: &str| format!("{}.{extension}", name.to_string_lossy());
    let timeline = if args.no_repeat { ismc::Timeline::Singles } else { ismc::Timeline::Runs };
    let client = ismc::write(&presentation, timeline)?;
    let server = ism::write(&presentation, &with("ismc"), &dir)?;
    for (extension, xml) in [("ismc", client), ("ism", server)] {
        let path = dir.join(with(extension));
        fs::write(&path, text::encode(&xml, args.encoding)).with_context(|| path.display().to_string())?;
    }
    let mut out = std::io::stdout();
    for stream in &presentation.streams {
        let rates: Vec<_> = stream.levels.iter().map(|level| level.bitrate.to_string()).collect();
        let fragments = stream.levels.first().map_or(0, |level| level.fragments().len());
        writeln!(out, "{}: {fragments} fragments at {} bit/s", stream.name, rates.join(", "))?;
    }
    Ok(())
}
