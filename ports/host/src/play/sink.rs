//! The decoder port of `play`: counts what comes, and writes it to files when asked to.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use smoothcore::codec::{Codec, CodecConfig, Kind};
use smoothcore::error::Code;
use smoothcore::io::{
    Buffered, Configure, Configured, DecoderTraits, Epoch, Rate, Sample, SampleFlags, StreamId,
};
use smoothcore::port::{Decoder, Submitted};
use smoothcore::time::{MediaTime, Micros};

use super::Speed;
use super::screen::Screen;

/// Takes samples at the speed of a screen, or as fast as they come.
pub struct Sink {
    screen: Option<Screen>,
    files: Option<Files>,
    /// `StreamIndex@Name` of every stream; `None` until the manifest is there.
    names: Option<Vec<String>>,
    tracks: BTreeMap<u16, Track>,
    /// Why samples could not be written.
    broken: Option<anyhow::Error>,
}

/// What came of one stream.
#[derive(Default)]
pub struct Track {
    pub kind: &'static str,
    pub name: String,
    /// Start and bitrate of every fragment from which samples came, in their order.
    pub fragments: Vec<(u64, u32)>,
    pub samples: u64,
    pub bytes: u64,
    /// Decoding time of the last sample.
    last: Option<MediaTime>,
    extension: String,
    /// The WAVEFORMATEX without which the file says nothing; empty where there is none.
    format: Vec<u8>,
}

struct Files {
    dir: PathBuf,
    log: BufWriter<File>,
    streams: BTreeMap<u16, (PathBuf, BufWriter<File>)>,
    /// Of text: when each sample is due and where it lies in the stream's file.
    times: BTreeMap<u16, (PathBuf, BufWriter<File>)>,
}

impl Sink {
    /// A sink that writes to `dir`, when there is one.
    pub fn new(speed: Speed, dir: Option<&Path>) -> Result<Self> {
        let files = dir.map(Files::new).transpose()?;
        let screen = (speed == Speed::Real).then(Screen::default);
        Ok(Self { screen, files, names: None, tracks: BTreeMap::new(), broken: None })
    }

    /// The names of the streams, without which nothing is set up.
    pub fn learn(&mut self, names: Vec<String>) {
        self.names = Some(names);
    }

    /// Lets the simulated clock go on to `now`, in microseconds.
    pub fn advance(&mut self, now: u64) {
        if let Some(screen) = &mut self.screen {
            screen.advance(now);
        }
    }

    /// Ends all files; which ones there are.
    pub fn finish(&mut self) -> Result<Vec<PathBuf>> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let Some(mut files) = self.files.take() else { return Ok(Vec::new()) };
        files.log.flush().with_context(|| files.dir.join("samples.log").display().to_string())?;
        let mut written = Vec::new();
        for (path, mut file) in files.streams.into_values().chain(files.times.into_values()) {
            file.flush().with_context(|| path.display().to_string())?;
            written.push(path);
        }
        written.push(files.dir.join("samples.log"));
        Ok(written)
    }

    /// What came of every stream that was set up.
    pub const fn tracks(&self) -> &BTreeMap<u16, Track> {
        &self.tracks
    }

    /// Media time being shown; without a clock, of what came last on the stream that is furthest behind.
    pub fn position(&self) -> Option<MediaTime> {
        match &self.screen {
            Some(screen) => screen.position().map(MediaTime),
            None => {
                self.tracks.values().filter(|track| !track.is_text()).filter_map(|track| track.last).min()
            }
        }
    }
}

impl Decoder for Sink {
    fn traits(&self) -> DecoderTraits {
        let flags = if self.screen.is_some() { 0 } else { DecoderTraits::UNPACED };
        DecoderTraits { flags, ..DecoderTraits::default() }
    }

    fn configure(&mut self, setup: &Configure<'_>) -> Configured {
        let Some(names) = &self.names else { return Configured::Later };
        let track = self.tracks.entry(setup.stream.0).or_default();
        track.name = names.get(usize::from(setup.stream.0)).cloned().unwrap_or_default();
        track.kind = kind_name(setup.kind);
        track.extension = extension(setup.config);
        if setup.kind == Kind::Text && setup.config.codec != Codec::Ttml {
            track.extension = "bin".to_owned();
        }
        track.format.clear();
        if matches!(setup.config.codec, Codec::Wma | Codec::WmaPro | Codec::Pcm) {
            track.format.extend_from_slice(setup.record);
        }
        // Text is there until it is shown; the clock does not wait for it.
        if let Some(screen) = self.screen.as_mut().filter(|_| setup.kind != Kind::Text) {
            screen.add(setup.stream.0);
        }
        Configured::Ok
    }

    fn submit(&mut self, sample: &Sample<'_>) -> Result<Submitted, Code> {
        let stream = sample.stream.0;
        let Some(track) = self.tracks.get_mut(&stream) else { return Err(Code::State) };
        if let Some(screen) = self.screen.as_mut().filter(|_| !track.is_text()) {
            if !screen.has_room(stream, sample.duration) {
                return Ok(Submitted::Refused);
            }
            if !sample.flags.has(SampleFlags::PREROLL) {
                screen.take(stream, sample.dts.0, sample.duration);
            }
        }
        if let Some(files) = &mut self.files
            && let Err(error) = files.write(track, sample)
        {
            self.broken = Some(error);
            return Err(Code::DecoderFailed);
        }
        track.take(sample);
        Ok(Submitted::Accepted)
    }

    fn status(&mut self, stream: StreamId) -> Buffered {
        let (depth, position) = match &self.screen {
            Some(screen) => (screen.depth(stream.0), screen.position().map(MediaTime)),
            None => (0, self.tracks.get(&stream.0).and_then(|track| track.last)),
        };
        Buffered { depth: Micros(u64::try_from(depth / 10).unwrap_or(0)), position, dropped: 0 }
    }

    fn flush(&mut self, stream: StreamId, _epoch: Epoch) {
        if let Some(screen) = &mut self.screen {
            screen.flush(stream.0);
        }
    }

    fn end(&mut self, stream: StreamId, _epoch: Epoch) {
        if let Some(screen) = &mut self.screen {
            screen.end(stream.0);
        }
    }

    fn rate(&mut self, rate: Rate) {
        if let Some(screen) = &mut self.screen {
            screen.order(rate);
        }
    }
}

impl Track {
    fn is_text(&self) -> bool {
        self.kind == kind_name(Kind::Text)
    }

    fn take(&mut self, sample: &Sample<'_>) {
        if self.fragments.last().is_none_or(|(start, _)| *start != sample.fragment) {
            self.fragments.push((sample.fragment, sample.bitrate));
        }
        self.samples += 1;
        self.bytes += sample.data.bytes() as u64;
        self.last = Some(sample.dts);
    }
}

impl Files {
    fn new(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        let log = create(&dir.join("samples.log"))?;
        Ok(Self { dir: dir.to_owned(), log, streams: BTreeMap::new(), times: BTreeMap::new() })
    }

    /// Appends a sample to its stream's file, and a line to the log.
    fn write(&mut self, track: &Track, sample: &Sample<'_>) -> Result<()> {
        let stream = sample.stream.0;
        if !self.streams.contains_key(&stream) {
            let path = self.dir.join(self.file_name(track, stream));
            let file = create(&path)?;
            if !track.format.is_empty() {
                create(&path.with_extension("wfx"))?.write_all(&track.format)?;
            }
            self.streams.insert(stream, (path, file));
        }
        if track.is_text() {
            self.write_times(track, sample)?;
        }
        let (path, file) = self.streams.get_mut(&stream).expect("just made");
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for part in sample.data.clone() {
            file.write_all(part).with_context(|| path.display().to_string())?;
            for byte in part {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
        let (size, flags) = (sample.data.bytes(), sample.flags.0);
        writeln!(
            self.log,
            "{stream} {} {} {} {} {} {size} {hash:016x} {flags}",
            sample.fragment, sample.bitrate, sample.dts.0, sample.pts.0, sample.duration,
        )
        .context("samples.log")
    }

    fn write_times(&mut self, track: &Track, sample: &Sample<'_>) -> Result<()> {
        let stream = sample.stream.0;
        if !self.times.contains_key(&stream) {
            let path = self.streams[&stream].0.with_extension("times");
            let file = create(&path)?;
            self.times.insert(stream, (path, file));
        }
        let (path, file) = self.times.get_mut(&stream).expect("just made");
        let pieces: String = sample.pieces.iter().map(|size| format!(" {size}")).collect();
        let (offset, size) = (track.bytes, sample.data.bytes());
        writeln!(file, "{} {} {offset} {size}{pieces}", sample.pts.0, sample.duration)
            .with_context(|| path.display().to_string())
    }

    /// The stream's name where it can be a file's and is still free.
    fn file_name(&self, track: &Track, stream: u16) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let stem: String = track.name.chars().map(plain).take(64).collect();
        let stem = if stem.is_empty() { track.kind.to_owned() } else { stem };
        let extension: String = track.extension.chars().map(plain).collect();
        let name = format!("{stem}.{extension}");
        let taken = self.streams.values().any(|(path, _)| path.ends_with(&name));
        if taken { format!("{stem}_{stream}.{extension}") } else { name }
    }
}

/// What files of a codec's elementary stream are called; by its FourCC where they have no common name.
fn extension(config: &CodecConfig) -> String {
    match config.codec {
        Codec::H264 => "h264",
        Codec::H265 => "h265",
        Codec::Vc1 => "vc1",
        Codec::Aac => "aac",
        Codec::Wma | Codec::WmaPro => "wma",
        Codec::Ac3 => "ac3",
        Codec::Eac3 => "ec3",
        Codec::MpegAudio => "mp3",
        Codec::Pcm => "pcm",
        Codec::Ttml => "ttml",
        _ => return config.fourcc.to_string().to_lowercase(),
    }
    .to_owned()
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).with_context(|| path.display().to_string())?))
}

pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "video",
        Kind::Audio => "audio",
        Kind::Text => "text",
    }
}
