//! Plays a presentation through the port traits: ureq for HTTP, and a decoder that counts, or writes what it is given.
//!
//!     cargo run --manifest-path examples/rust/Cargo.toml --bin play -- URL [DIRECTORY]
//!
//! With a directory, every stream becomes a file in it (`.h264`, `.aac`), as fast as the server sends. Without one, the
//! decoder takes as long as the presentation lasts, as a television would, and shows nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant as StdInstant};

use smoothcore::codec::{Kind, codec_string};
use smoothcore::error::Code;
use smoothcore::io::{
    Buffered, Configure, Configured, DecoderTraits, Epoch, Event, EventKind, Rate, Sample, SampleFlags,
    StreamId,
};
use smoothcore::player::Player;
use smoothcore::port::{Clock, Decoder, Submitted};
use smoothcore::session::Config;
use smoothcore::time::{Instant, MediaTime, Micros};
use smoothcore_ureq::{Settings, UreqHttp};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, directory) = match arguments.as_slice() {
        [url] => (url, None),
        [url, directory] => (url, Some(PathBuf::from(directory))),
        _ => {
            eprintln!("usage: play URL [DIRECTORY]");
            return ExitCode::from(2);
        }
    };
    match play(url, directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("play: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn play(url: &str, directory: Option<PathBuf>) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(directory) = &directory {
        fs::create_dir_all(directory)?;
    }
    let mut clock = SystemClock::new();
    let mut http = UreqHttp::new(&Settings::default()).map_err(Code::text)?;
    // What the port hears on its threads ends the player's sleep.
    let bell = clock.bell.clone();
    http.set_wake(Some(Box::new(move || bell.ring())));
    let decoder = PrintDecoder::new(directory);
    let seed = clock.started.elapsed().as_nanos() as u64 ^ u64::from(std::process::id());
    let mut player = Player::new(Config { seed, ..Config::default() }, http, decoder)?;
    player.open(clock.now(), url)?;
    let played = player.run(&mut clock, &mut print);
    player.decoder().finish()?;
    Ok(played?)
}

fn print(event: &Event) {
    if event.kind == EventKind::FragmentStarted {
        return;
    }
    print!("{:9.3} s  {:?}", event.at.0 as f64 / 1e6, event.kind);
    if let Some(stream) = event.stream {
        print!("  stream {}", stream.0);
    }
    if let Some(time) = event.media_time {
        print!("  at {:.3} s", seconds(time));
    }
    match event.kind {
        EventKind::Opened => print!("  {} streams, {:.3} s", event.a, event.b as f64 / 1e6),
        EventKind::FragmentDone => print!("  {} bytes in {} ms", event.a, event.b / 1000),
        EventKind::Switch => print!("  from {} to {} bit/s", event.a, event.b),
        _ => {}
    }
    if event.http_status != 0 {
        print!("  status {}", event.http_status);
    }
    if let Some(error) = &event.error {
        print!("  {error}");
    }
    println!();
}

fn seconds(time: MediaTime) -> f64 {
    time.0 as f64 / 1e7
}

// ----------------------------------------------------------------------------------------------------------- the clock

/// The system's monotonic clock, whose sleep a bell ends.
struct SystemClock {
    started: StdInstant,
    bell: Arc<Bell>,
}

#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    hear: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.hear.notify_one();
    }
}

impl SystemClock {
    fn new() -> SystemClock {
        SystemClock { started: StdInstant::now(), bell: Arc::default() }
    }
}

impl Clock for SystemClock {
    fn now(&mut self) -> Instant {
        Instant(self.started.elapsed().as_micros() as u64)
    }

    fn wait(&mut self, until: Instant) {
        let time = Duration::from_micros(until.since(self.now()).0);
        let rung = self.bell.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) = self
            .bell
            .hear
            .wait_timeout_while(rung, time, |rung| !*rung)
            .unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

// --------------------------------------------------------------------------------------------------------- the decoder

/// What a decoder with pictures would hold before it says no.
const ROOM: Micros = Micros::from_secs(2);

/// Counts samples, or writes them.
struct PrintDecoder {
    /// Where files go; `None`: nowhere, and playing takes its time.
    directory: Option<PathBuf>,
    lanes: BTreeMap<StreamId, Lane>,
    presentation: Presentation,
}

/// One stream.
struct Lane {
    file: Option<BufWriter<File>>,
    kind: Kind,
    samples: u64,
    keys: u64,
    bytes: u64,
    /// Times of the samples taken since the last flush.
    first: Option<MediaTime>,
    end: MediaTime,
}

/// The presentation clock.
#[derive(Clone, Copy)]
enum Presentation {
    /// Stands; where, when it has run before.
    Held(Option<MediaTime>),
    /// Runs since this moment from this time.
    Running(StdInstant, MediaTime),
}

impl PrintDecoder {
    fn new(directory: Option<PathBuf>) -> PrintDecoder {
        PrintDecoder { directory, lanes: BTreeMap::new(), presentation: Presentation::Held(None) }
    }

    /// What is being shown now.
    fn position(&self) -> Option<MediaTime> {
        match self.presentation {
            Presentation::Held(position) => position,
            Presentation::Running(since, from) => {
                Some(MediaTime(from.0 + (since.elapsed().as_nanos() / 100) as i64))
            }
        }
    }

    fn depth(&self, lane: &Lane) -> Micros {
        let Some(from) = self.position().or(lane.first) else { return Micros::ZERO };
        Micros((lane.end.0 - from.0).max(0) as u64 / 10)
    }

    /// Writes what is left to write, and sums up.
    fn finish(&mut self) -> std::io::Result<()> {
        for (id, lane) in &mut self.lanes {
            if let Some(file) = &mut lane.file {
                file.flush()?;
            }
            let Lane { kind, samples, keys, bytes, .. } = lane;
            println!(
                "stream {}: {kind:?}, {samples} samples, {keys} of them key frames, {bytes} bytes",
                id.0
            );
        }
        Ok(())
    }
}

impl Decoder for PrintDecoder {
    fn traits(&self) -> DecoderTraits {
        let flags = if self.directory.is_some() { DecoderTraits::UNPACED } else { 0 };
        DecoderTraits { flags, ..DecoderTraits::default() }
    }

    fn configure(&mut self, setup: &Configure<'_>) -> Configured {
        println!(
            "             stream {}: {} at {} bit/s",
            setup.stream.0,
            codec_string(setup.config),
            setup.bitrate
        );
        if self.lanes.contains_key(&setup.stream) {
            return Configured::Ok;
        }
        let extension = match setup.kind {
            Kind::Video => "h264",
            Kind::Audio => "aac",
            Kind::Text => return Configured::Refused,
        };
        let name = format!("stream-{}.{extension}", setup.stream.0);
        let file = match self.directory.as_ref().map(|d| File::create(d.join(&name))) {
            None => None,
            Some(Ok(file)) => Some(BufWriter::new(file)),
            Some(Err(problem)) => {
                eprintln!("play: {name}: {problem}");
                return Configured::Refused;
            }
        };
        let (first, end) = (None, MediaTime(0));
        let lane = Lane { file, kind: setup.kind, samples: 0, keys: 0, bytes: 0, first, end };
        self.lanes.insert(setup.stream, lane);
        Configured::Ok
    }

    fn submit(&mut self, sample: &Sample<'_>) -> Result<Submitted, Code> {
        let unpaced = self.directory.is_some();
        let full = self.lanes.get(&sample.stream).is_some_and(|lane| self.depth(lane) >= ROOM);
        if full && !unpaced {
            return Ok(Submitted::Refused);
        }
        let lane = self.lanes.get_mut(&sample.stream).ok_or(Code::DecoderFailed)?;
        if let Some(file) = &mut lane.file {
            for part in sample.data.clone() {
                file.write_all(part).map_err(|_| Code::DecoderFailed)?;
            }
        }
        lane.samples += 1;
        lane.keys += u64::from(sample.flags.has(SampleFlags::KEY));
        lane.bytes += sample.data.bytes() as u64;
        lane.first = Some(lane.first.map_or(sample.pts, |first| first.min(sample.pts)));
        lane.end = lane.end.max(MediaTime(sample.pts.0 + sample.duration as i64));
        Ok(Submitted::Accepted)
    }

    fn status(&mut self, stream: StreamId) -> Buffered {
        let Some(lane) = self.lanes.get(&stream) else { return Buffered::default() };
        if self.directory.is_some() {
            return Buffered::default();
        }
        Buffered { depth: self.depth(lane), position: self.position(), dropped: 0 }
    }

    fn flush(&mut self, stream: StreamId, _: Epoch) {
        self.presentation = Presentation::Held(None);
        if let Some(lane) = self.lanes.get_mut(&stream) {
            (lane.first, lane.end) = (None, MediaTime(0));
        }
    }

    fn end(&mut self, _: StreamId, _: Epoch) {}

    fn rate(&mut self, rate: Rate) {
        let position = self.position();
        self.presentation = match rate {
            Rate::Hold => Presentation::Held(position),
            // The session asks for no other rate yet.
            Rate::Run(_) => {
                let earliest = self.lanes.values().filter_map(|lane| lane.first).min();
                Presentation::Running(StdInstant::now(), position.or(earliest).unwrap_or_default())
            }
        };
    }
}
