//! The decoder port of the rig: a presentation clock in virtual time and a log of every sample it took.

use std::collections::BTreeMap;
use std::fmt::Write;

use smoothcore::error::Code;
use smoothcore::io::{
    Buffered, Candidate, Capable, Configure, Configured, DecoderTraits, Epoch, Rate, Sample, StreamId,
};
use smoothcore::port::{Decoder, Submitted};
use smoothcore::time::{MediaTime, Micros};

use super::fnv1a;

/// Peculiarities of decoders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Taste {
    #[default]
    None,
    /// Refuses the first stream number until the second one has samples.
    Needs { first: u16, then: u16 },
    /// Refuses every second offer.
    Fickle,
}

/// Records what it is given. Media is presented in virtual time once the clock runs.
pub struct Recorder {
    pub traits: DecoderTraits,
    pub taste: Taste,
    /// Media it takes ahead, in microseconds.
    pub capacity: u64,
    pub now: u64,
    pub streams: BTreeMap<u16, Held>,
    pub log: String,
    pub samples: Vec<Taken>,
    /// Stream, codec name and record of every set-up.
    pub records: Vec<(u16, String, Vec<u8>)>,
    pub running: bool,
    /// Thousandths of real time at which it runs.
    pub speed: u64,
    pub rates: Vec<(u64, Rate)>,
    /// Bitrates it says it cannot play, and those it was asked about.
    pub incapable: Vec<u32>,
    pub asked: Vec<(u16, u32)>,
    /// Stream, presentation time and bytes of captions, and how many samples had been taken.
    pub captions: Vec<(u16, i64, Vec<u8>, usize)>,
    /// Sizes of sub-samples of each sample that has them, by its place in `samples`.
    pub pieces: BTreeMap<usize, Vec<u32>>,
    /// When each sample was taken, in microseconds.
    pub taken_at: Vec<u64>,
    /// When a stream was flushed.
    pub flushes: Vec<(u64, u16)>,
    pub offers: u64,
    pub last: u64,
}

/// One sample taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    pub stream: u16,
    pub epoch: u32,
    pub dts: i64,
    pub pts: i64,
    pub duration: u64,
    pub flags: u32,
    pub fragment: u64,
    pub bitrate: u32,
    /// Decrypted where they came encrypted.
    pub bytes: Vec<u8>,
    /// Key handle, if it came encrypted.
    pub handle: Option<u64>,
}

#[derive(Default, Debug)]
pub struct Held {
    pub depth: u64,
    pub position: Option<i64>,
    pub taken: u64,
    pub ended: bool,
    /// Text is kept until it is shown, whatever there is of it.
    pub text: bool,
    pub fourcc: String,
    pub configured: Vec<u32>,
    pub refuse_levels: Vec<u32>,
    /// The key it was last set up with.
    pub key: Option<u64>,
}

impl Recorder {
    pub fn new() -> Recorder {
        Recorder {
            traits: DecoderTraits::default(),
            taste: Taste::None,
            capacity: 2_000_000,
            now: 0,
            streams: BTreeMap::new(),
            log: String::new(),
            samples: Vec::new(),
            records: Vec::new(),
            running: false,
            speed: 1000,
            rates: Vec::new(),
            incapable: Vec::new(),
            asked: Vec::new(),
            captions: Vec::new(),
            pieces: BTreeMap::new(),
            taken_at: Vec::new(),
            flushes: Vec::new(),
            offers: 0,
            last: 0,
        }
    }

    pub fn unpaced() -> Recorder {
        let traits = DecoderTraits { flags: DecoderTraits::UNPACED, ..Default::default() };
        Recorder { traits, ..Recorder::new() }
    }

    /// Virtual time goes on.
    pub fn advance(&mut self, now: u64) {
        let passed = now.saturating_sub(self.last) * self.speed / 1000;
        self.last = now;
        self.now = now;
        if self.running {
            for held in self.streams.values_mut() {
                held.depth = held.depth.saturating_sub(passed);
            }
        }
    }

    fn is_unpaced(&self) -> bool {
        self.traits.has(DecoderTraits::UNPACED)
    }
}

impl Decoder for Recorder {
    fn traits(&self) -> DecoderTraits {
        self.traits
    }

    fn configure(&mut self, setup: &Configure<'_>) -> Configured {
        let held = self.streams.entry(setup.stream.0).or_default();
        if held.refuse_levels.contains(&setup.bitrate) {
            return Configured::Refused;
        }
        held.configured.push(setup.bitrate);
        let name = smoothcore::codec::codec_string(setup.config).to_string();
        self.records.push((setup.stream.0, name, setup.record.to_vec()));
        held.key = setup.key.map(|k| k.0);
        held.text = setup.kind == smoothcore::io::Kind::Text;
        held.fourcc = setup.config.fourcc.to_string();
        writeln!(
            self.log,
            "configure {} epoch {} level {} bitrate {} record {:016x}",
            setup.stream.0,
            setup.epoch.0,
            setup.level,
            setup.bitrate,
            fnv1a([setup.record].into_iter())
        )
        .unwrap();
        if let Some(key) = setup.key {
            writeln!(self.log, "key {} {}", setup.stream.0, key.0).unwrap();
        }
        Configured::Ok
    }

    fn submit(&mut self, sample: &Sample<'_>) -> Result<Submitted, Code> {
        self.offers += 1;
        let stream = sample.stream.0;
        if let Taste::Needs { first, then } = self.taste
            && stream == first
            && self.streams.get(&then).is_none_or(|h| h.taken == 0)
        {
            return Ok(Submitted::Refused);
        }
        if self.taste == Taste::Fickle && self.offers % 2 == 1 {
            return Ok(Submitted::Refused);
        }
        let unpaced = self.is_unpaced();
        let held = self.streams.get_mut(&stream).expect("configured first");
        let unpaced = unpaced || held.text;
        if !unpaced && held.depth + sample.duration / 10 > self.capacity {
            return Ok(Submitted::Refused);
        }
        if !unpaced {
            held.depth += sample.duration / 10;
        }
        held.taken += 1;
        held.position = Some(sample.pts.0);
        let mut bytes: Vec<u8> = sample.data.clone().flatten().copied().collect();
        writeln!(
            self.log,
            "sample {} {} {} {} {} {} {} {} {} {:016x}",
            stream,
            sample.epoch.0,
            sample.flags.0,
            sample.dts.0,
            sample.pts.0,
            sample.duration,
            sample.fragment,
            sample.bitrate,
            bytes.len(),
            fnv1a(sample.data.clone())
        )
        .unwrap();
        if let Some(p) = &sample.protection {
            assert_eq!(held.key, Some(p.handle.0), "set up with the key of its samples");
            writeln!(
                self.log,
                "protected {} {} {:016x} {:016x} {} {}",
                p.handle.0,
                p.scheme as u32,
                fnv1a([&p.kid.unwrap_or_default().0[..]].into_iter()),
                fnv1a([p.iv].into_iter()),
                p.subsamples.len(),
                p.subsamples.first().map_or(0, |s| s.clear)
            )
            .unwrap();
            super::agent::apply(&mut bytes, p.kid, p.iv, p.subsamples);
        }
        if !sample.pieces.is_empty() {
            self.pieces.insert(self.samples.len(), sample.pieces.to_vec());
        }
        self.taken_at.push(self.now);
        self.samples.push(Taken {
            handle: sample.protection.map(|p| p.handle.0),
            stream,
            epoch: sample.epoch.0,
            dts: sample.dts.0,
            pts: sample.pts.0,
            duration: sample.duration,
            flags: sample.flags.0,
            fragment: sample.fragment,
            bitrate: sample.bitrate,
            bytes,
        });
        Ok(Submitted::Accepted)
    }

    fn status(&mut self, stream: StreamId) -> Buffered {
        let held = self.streams.entry(stream.0).or_default();
        Buffered { depth: Micros(held.depth), position: held.position.map(MediaTime), dropped: 0 }
    }

    fn flush(&mut self, stream: StreamId, epoch: Epoch) {
        writeln!(self.log, "flush {} {}", stream.0, epoch.0).unwrap();
        self.flushes.push((self.now, stream.0));
        let held = self.streams.entry(stream.0).or_default();
        held.depth = 0;
        held.ended = false;
    }

    fn end(&mut self, stream: StreamId, epoch: Epoch) {
        writeln!(self.log, "end {} {}", stream.0, epoch.0).unwrap();
        self.streams.entry(stream.0).or_default().ended = true;
    }

    fn can_play(&mut self, candidate: &Candidate<'_>) -> Capable {
        self.asked.push((candidate.stream.0, candidate.bitrate));
        if self.incapable.contains(&candidate.bitrate) { Capable::No } else { Capable::Yes }
    }

    fn captions(&mut self, captions: &smoothcore::io::Captions<'_>) {
        let taken = self.samples.len();
        self.captions.push((captions.stream.0, captions.pts.0, captions.data.to_vec(), taken));
    }

    fn rate(&mut self, rate: Rate) {
        self.running = rate != Rate::Hold;
        if let Rate::Run(speed) = rate {
            self.speed = u64::try_from(speed).unwrap();
        }
        self.rates.push((self.now, rate));
    }
}
