//! `smoothcore index`: writes the server and client manifests of media files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use smoothcore::protection::Scheme;
use smoothcore_clearkey::Named;

use crate::media::file::{Layout, MediaFile};
use crate::media::presentation::Presentation;
use crate::media::protect::{Carrier, Protector};
use crate::media::text::{self, Encoding};
use crate::media::{ism, ismc, remake};

/// Write the server manifest (.ism) and client manifest (.ismc) of fragmented MP4 files.
///
/// All video becomes one stream, with a quality level for every video track. Audio becomes one stream a language: named
/// `audio` if there is one, else `audio_eng`, `audio_fra` and so on. The bitrate of a level is the one its file declares,
/// else the one measured.
///
/// Any fragmented MP4 file will do, with or without an index. Where fragments cannot be served as they lie there, because
/// several tracks share them, the file is written anew beside the manifests. So are all with --protect.
///
/// A stream's timeline is that of its lowest level. When another level's fragments start at other times, a warning says
/// where: such content plays, but stumbles when the client switches.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore index film_*.ismv film_*.isma -o film
      writes film.ism and film.ismc
  smoothcore index --strict --encoding utf-16le *.ismv -o film
      as Microsoft's tools write them; fails if levels are not aligned
  smoothcore index film.mp4 --protect 0123456789abcdef0123456789abcdef:00112233445566778899aabbccddeeff -o locked/film
      writes locked/film.ismv, encrypted, and its manifests, for tests of protected playback")]
pub struct Args {
    /// Fragmented MP4 files (.ismv, .isma, .mp4), as FFmpeg's `-f ismv` or `-movflags frag_keyframe` writes them.
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,

    /// Where to write: NAME.ism and NAME.ismc, in a directory that is there. An extension .ism is taken off.
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

    #[command(flatten)]
    protection: Protection,
}

/// How test content is encrypted.
#[derive(clap::Args)]
struct Protection {
    /// Encrypt, with that key of that identifier: 32 hexadecimal digits each.
    #[arg(long, value_name = "KID:KEY")]
    protect: Option<Named>,

    /// ctr: AES-128 in counter mode. cbcs: in chained blocks by a pattern.
    #[arg(long, value_enum, default_value = "ctr", requires = "protect")]
    scheme: SchemeName,

    /// Bytes of an initialisation vector, 8 or 16. [default: 8, and 16 for cbcs]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u8).range(8..=16), requires = "protect")]
    iv: Option<u8>,

    /// on: encrypt pictures but for the heads of their slices. off: whole samples.
    #[arg(long, value_enum, default_value = "on", requires = "protect")]
    subsamples: Switch,

    /// Which boxes say so: PIFF's, or the common ones.
    #[arg(long = "box", value_enum, default_value = "piff", requires = "protect")]
    carrier: Carrier,

    /// Leave so many fragments at the beginning in the clear.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "protect")]
    clear_lead: usize,

    /// Take another key after every so many fragments. All keys are printed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), requires = "protect")]
    rotate: Option<u32>,

    /// Where the PlayReady header says that licences are.
    #[arg(long, value_name = "URL", requires = "protect")]
    license_url: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum SchemeName {
    Ctr,
    Cbcs,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Files to index, and the keys of what is encrypted in them.
struct Made {
    files: Vec<PathBuf>,
    keys: Vec<Named>,
}

impl Protection {
    fn protector(&self) -> Result<Option<Protector>> {
        let Some(first) = self.protect else { return Ok(None) };
        let (scheme, usual) = match self.scheme {
            SchemeName::Ctr => (Scheme::AesCtr, 8),
            SchemeName::Cbcs => (Scheme::Cbcs, 16),
        };
        let iv_size = self.iv.unwrap_or(usual);
        ensure!(matches!(iv_size, 8 | 16), "--iv is 8 or 16");
        ensure!(scheme == Scheme::AesCtr || iv_size == 16, "--iv of cbcs is 16");
        Ok(Some(Protector {
            first,
            scheme,
            iv_size,
            subsamples: self.subsamples == Switch::On,
            carrier: self.carrier,
            clear_lead: self.clear_lead,
            rotate: self.rotate.map(|every| every as usize),
            la_url: self.license_url.clone(),
        }))
    }

    /// Writes anew into `dir` what cannot stay as it is.
    fn remake(&self, files: &[PathBuf], dir: &Path) -> Result<Made> {
        let protector = self.protector()?;
        let (mut made, mut fragments) = (Made { files: Vec::new(), keys: Vec::new() }, 0);
        for path in files {
            let file = MediaFile::open(path)?;
            if protector.is_none() && file.layout == Layout::Apart {
                made.files.push(path.clone());
                continue;
            }
            for warning in &file.warnings {
                eprintln!("warning: {}: {warning}", path.display());
            }
            let new = remake::place(path, dir)?;
            ensure!(!made.files.contains(&new), "{}: two files of that name", new.display());
            remake::remake(&file, protector.as_ref(), &new)?;
            fragments = file.tracks.iter().map(|(_, list)| list.len()).fold(fragments, usize::max);
            made.files.push(new);
        }
        if let Some(protector) = &protector {
            made.keys = protector.keys(fragments)?;
        }
        Ok(made)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
    fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    let dir = dir.canonicalize().with_context(|| dir.display().to_string())?;
    let files = args.files.iter().map(|file| file.canonicalize().with_context(|| file.display().to_string()));
    let files = files.collect::<Result<Vec<_>>>()?;

    let made = args.protection.remake(&files, &dir)?;
    let presentation = Presentation::from_files(&made.files)?;
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
    for key in &made.keys {
        writeln!(out, "key {}:{}", hex(&key.kid.0), hex(&key.key.0))?;
    }
    Ok(())
}
