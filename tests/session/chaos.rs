//! Random hosts, networks and decoders around the sans-IO session: whatever they do, its promises hold.
//!
//! Each seed is one session. `CHAOS_SEEDS=from..to` runs others than the usual ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::common::agent::apply;
use crate::common::drive::URL;
use crate::common::origin::TESTCARD;
use crate::common::sealed::{PLAYREADY, playready};
use crate::common::{Cover, Form, Origin, Seal};
use smoothcore::error::Code;
use smoothcore::io::{
    Buffered, Configured, DecoderTraits, Decrypted, EventKind, Framing, Input, KeyHandle, KeyStatus, Keys,
    Kid, Outcome, Output, RequestId, RequestKind, Response, StreamId,
};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::{Body, BodyEnd, BoxWalk, Found, SampleTable, parse_moof};
use smoothcore::session::{AudioChoice, Config, ProtectionMode, Selection, Session, State};
use smoothcore::time::{Instant, MediaTime, Micros};

/// Names of the manifest's streams, in its order.
const NAMES: [&str; 3] = ["video", "audio_eng", "audio_fra"];
/// Outputs after one input. The event ring holds 64; every stream may flush, cancel, ask, configure, offer and end.
const MOST_OUTPUTS: usize = 100;
/// Polls in a row whose idle deadline is not in the future.
const MOST_STALE: u32 = 50;
/// Virtual time after which a session is stuck.
const LONGEST: u64 = 900_000_000;
const STEPS: u32 = 400_000;

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// What the session must hand out: samples by stream, bitrate and fragment.
#[allow(clippy::type_complexity)]
struct Truth {
    origin: Origin,
    sealed: Origin,
    /// Sample bytes as they lie in the file, and ticks until the next.
    samples: BTreeMap<(u16, u32, u64), Vec<(Vec<u8>, u64)>>,
    /// Starts of a stream's fragments.
    starts: [Vec<u64>; 3],
}

impl Truth {
    fn new() -> Truth {
        let origin = Origin::testcard();
        let mut samples = BTreeMap::new();
        let mut starts: [Vec<u64>; 3] = Default::default();
        for (path, body) in origin.responses.iter().filter(|(p, _)| *p != "Manifest") {
            let (bitrate, rest) = path.strip_prefix("QualityLevels(").unwrap().split_once(')').unwrap();
            let (name, start) = rest.split_once("Fragments(").unwrap().1.split_once('=').unwrap();
            let stream = NAMES.iter().position(|n| *n == name).unwrap() as u16;
            let start: u64 = start.trim_end_matches(')').parse().unwrap();
            samples.insert((stream, bitrate.parse().unwrap(), start), samples_of(body));
            starts[usize::from(stream)].push(start);
        }
        for s in &mut starts {
            s.sort_unstable();
            s.dedup();
        }
        let sealed = sealed(&origin);
        Truth { origin, sealed, samples, starts }
    }
}

fn samples_of(body: &[u8]) -> Vec<(Vec<u8>, u64)> {
    let (limits, mut account) = (Limits::default(), Account::new(1 << 24));
    let (mut table, mut walk) = (SampleTable::new(), BoxWalk::new());
    loop {
        let whole = Body { source: body, end: BodyEnd::Reached, content_length: None };
        match walk.advance(&whole, &limits).unwrap() {
            Found::Moof { offset, size } => {
                let moof = &body[offset as usize..][..size as usize];
                parse_moof(moof, offset, &mut account, &limits, &mut table).unwrap();
            }
            Found::Mdat { payload_offset, payload_size } => {
                table.place(payload_offset, payload_size).unwrap();
            }
            _ => break,
        }
    }
    let bytes = |at: u32, size: u32| body[at as usize..][..size as usize].to_vec();
    table.samples().iter().map(|s| (bytes(s.offset, s.size), u64::from(s.duration))).collect()
}

fn start_coded(sample: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (sample.to_vec(), 0);
    while at + 4 <= out.len() {
        let len = u32::from_be_bytes(out[at..at + 4].try_into().unwrap()) as usize;
        if len > 0 {
            out[at..at + 4].copy_from_slice(&[0, 0, 0, 1]);
        }
        at += 4 + len;
    }
    out
}

/// The first half of the presentation has one key, the second half another. Every other fragment of the first half has its
/// table among the media data, where no key is named: the header's is meant.
fn sealed(origin: &Origin) -> Origin {
    let origin = origin.clone().sealed(|name, _, time| {
        let kid = if time < 240_000_000 { KIDS[0] } else { KIDS[1] };
        let cover = if name == "video" { Cover::Nals } else { Cover::Whole };
        let form =
            if kid == KIDS[0] && time / 20_000_000 % 2 == 1 { Form::MediaData } else { Form::Override };
        Some(Seal { form, cover, ..Seal::new(kid) })
    });
    origin.with_headers(&[(PLAYREADY, playready(&KIDS[..1], ""))])
}

const KIDS: [Kid; 2] = [Kid([1; 16]), Kid([2; 16])];

struct Exchange {
    id: RequestId,
    body: Vec<u8>,
    sent: usize,
    status: u16,
    told: bool,
    length: Option<u64>,
    end: End,
    /// Bytes come only from here on.
    from: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Complete,
    Cut(usize),
    Stall(usize),
}

struct Offered {
    epoch: u32,
    dts: i64,
    fragment: u64,
    bitrate: u32,
    flags: u32,
    bytes: Vec<u8>,
}

/// A stream's decoder and what is known of its past.
#[derive(Default)]
struct Ear {
    offer: Option<Offered>,
    /// What it will say about the sample it was to decrypt.
    decrypt: Option<Decrypted>,
    key: Option<KeyHandle>,
    /// An answer to a configuration is owed.
    setup: bool,
    /// Bitrate last configured with success, and the one asked about.
    ready: Option<u32>,
    asked: u32,
    depth: u64,
    /// Epoch, fragment and index of the last sample taken.
    last: Option<(u32, u64, usize)>,
    last_dts: Option<(u32, i64)>,
    /// Fragments of which something was told to be missing since the last sample.
    gaps: BTreeSet<u64>,
    /// Time, bitrate and bytes of the sample it refused last, and the key that it was set up with.
    refused_before: Option<(i64, u32, Vec<u8>, Option<KeyHandle>)>,
    ended: Option<u32>,
    epoch: u32,
    taken: usize,
}

struct Chaos<'t> {
    truth: &'t Truth,
    dice: Dice,
    session: Session,
    config: Config,
    now: u64,
    open: Vec<Exchange>,
    ears: [Ear; 3],
    /// Requests that were neither finished nor cancelled.
    living: BTreeSet<u32>,
    requested: u32,
    faults: u32,
    /// Stop, then only do what the session asks for.
    calm: bool,
    /// The host asks `is_blocked` before it touches an exchange.
    gated: bool,
    /// Answers come later than the outputs.
    slow: bool,
    /// Fragments that arrived damaged: their bytes are not compared.
    damaged: BTreeSet<(u16, u64)>,
    /// A level's fragment was answered with another level's.
    swaps: bool,
    running: bool,
    failed: u32,
    ended_events: u32,
    idle: Option<Instant>,
    stale: u32,
    silent_streams: BTreeSet<u16>,
    trace: String,
    seed: u64,
}

macro_rules! note {
    ($c:expr, $($arg:tt)*) => { if tracing() { writeln!($c.trace, $($arg)*).unwrap(); } };
}

fn tracing() -> bool {
    std::env::var_os("CHAOS_TRACE").is_some()
}

impl<'t> Chaos<'t> {
    fn new(truth: &'t Truth, seed: u64) -> Chaos<'t> {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..8 {
            dice.next();
        }
        let framing = dice.pick(&[Framing::ElementaryStream, Framing::LengthPrefixed]);
        let mut flags = 0;
        for flag in
            [DecoderTraits::CONTIGUOUS, DecoderTraits::NEEDS_AUD, DecoderTraits::REPEAT_PARAMETER_SETS]
        {
            if dice.one_in(3) {
                flags |= flag;
            }
        }
        if dice.one_in(3) {
            flags |= DecoderTraits::UNPACED;
        }
        let budget = match dice.below(4) {
            0 => 64 << 10,
            1 => (96 << 10) + dice.below(160 << 10) as usize,
            2 => (256 << 10) + dice.below(768 << 10) as usize,
            _ => 4 << 20,
        };
        let config = Config {
            limits: Limits {
                idle_timeout: Micros::from_secs(1 + dice.below(9)),
                lost_in_a_row: 1000,
                ..Limits::default()
            },
            budget,
            seed,
            audio: dice.pick(&[AudioChoice::First, AudioChoice::First, AudioChoice::All, AudioChoice::None]),
            fixed_bitrate: dice.pick(&[0, 0, 64_852, 151_877]),
            start_bitrate: dice.pick(&[0, 120_000, 400_000]),
            buffer_target: Micros::from_millis(dice.pick(&[0, 500, 3_000, 8_000])),
            start_at: Some(MediaTime((dice.below(480) * 1_000_000) as i64)).filter(|t| t.0 > 240_000_000),
            decoder: DecoderTraits { framing, flags },
            protection: dice.pick(&[ProtectionMode::None, ProtectionMode::Decoder, ProtectionMode::Decrypt]),
            key_timeout: Micros::from_millis(dice.pick(&[10, 500, 10_000])),
            ..Config::default()
        };
        let mut session = Session::new(config).unwrap();
        session.open(Instant(7), URL).unwrap();
        let (gated, slow) = (dice.one_in(2), dice.one_in(2));
        Chaos {
            truth,
            faults: dice.pick(&[0, 3, 10, 40]),
            dice,
            session,
            config,
            now: 7,
            open: Vec::new(),
            ears: Default::default(),
            living: BTreeSet::new(),
            requested: 0,
            calm: false,
            gated,
            slow,
            damaged: BTreeSet::new(),
            swaps: false,
            running: false,
            failed: 0,
            ended_events: 0,
            idle: None,
            stale: 0,
            silent_streams: BTreeSet::new(),
            trace: String::new(),
            seed,
        }
    }

    fn at(&self) -> Instant {
        Instant(self.now)
    }

    fn origin(&self) -> &'t Origin {
        match self.config.protection {
            ProtectionMode::None => &self.truth.origin,
            _ => &self.truth.sealed,
        }
    }

    fn paced(&self) -> bool {
        !self.config.decoder.has(DecoderTraits::UNPACED)
    }

    fn request(&mut self, id: RequestId, url: &str, kind: RequestKind) {
        assert!(id.0 > self.requested, "ids rise");
        self.requested = id.0;
        self.living.insert(id.0);
        let path = url.split_once(".ism/").unwrap().1.to_string();
        let body = self.origin().responses.get(&path);
        let mut body = body.unwrap_or_else(|| panic!("{path} is not in the manifest")).clone();
        let (mut status, mut end) = (200, End::Complete);
        let size = body.len() as u64;
        if self.faults > 0 && !self.calm && self.dice.one_in(3) {
            self.faults -= 1;
            let fragment = kind == RequestKind::Fragment;
            match self.dice.below(if fragment { 10 } else { 5 }) {
                0 | 1 => end = End::Cut(self.dice.below(size + 1) as usize),
                2 => (status, body) = (self.dice.pick(&[503, 500, 429]), Vec::new()),
                3 => body = b"<html><body>please pay for your stay</body></html>".to_vec(),
                4 => end = End::Stall(self.dice.below(size) as usize),
                5 => body.truncate(self.dice.below(size) as usize),
                6 => (status, body) = (404, Vec::new()),
                7 => body = self.swapped(&path),
                8 => self.damage(&path, &mut body),
                // Junk behind the samples.
                _ => body.extend(std::iter::repeat_n(0x5A, self.dice.below(200_000) as usize)),
            }
        }
        let length = (body.len() as u64, self.dice.one_in(2));
        let length = Some(length.0).filter(|_| length.1);
        let from = self.now + self.dice.below(200_000);
        note!(self, "{} request {} {path} {status} {end:?} {} bytes", self.now, id.0, body.len());
        self.open.push(Exchange { id, body, sent: 0, status, told: false, length, end, from });
    }

    /// The same fragment of another level.
    fn swapped(&mut self, path: &str) -> Vec<u8> {
        self.swaps = true;
        let (_, fragment) = path.split_once("/Fragments").unwrap();
        let levels: Vec<_> = TESTCARD
            .iter()
            .filter_map(|(b, _, _)| {
                self.origin().responses.get(&format!("QualityLevels({b})/Fragments{fragment}"))
            })
            .collect();
        levels[self.dice.below(levels.len() as u64) as usize].clone()
    }

    /// Bytes of the payload come twice.
    fn damage(&mut self, path: &str, body: &mut Vec<u8>) {
        let (name, start) = path.split_once("Fragments(").unwrap().1.split_once('=').unwrap();
        let stream = NAMES.iter().position(|n| *n == name).unwrap() as u16;
        self.damaged.insert((stream, start.trim_end_matches(')').parse().unwrap()));
        let moof = u32::from_be_bytes(body[..4].try_into().unwrap()) as usize;
        let at = moof + 8 + self.dice.below((body.len() - moof - 8) as u64) as usize;
        let n = (1 + self.dice.below(300) as usize).min(body.len() - at);
        let twice = body[at..at + n].to_vec();
        body.splice(at..at, twice);
    }

    /// Polls until idle and checks every output.
    fn drain(&mut self) {
        for outputs in 0.. {
            assert!(outputs < MOST_OUTPUTS, "outputs without end");
            assert!(self.session.stats().held <= self.config.budget, "over budget");
            let now = self.now;
            match self.session.poll() {
                Output::Idle(until) => {
                    self.idle = until;
                    if until.is_some_and(|u| u.0 <= now) && !matches!(self.session.state(), State::Failed(_))
                    {
                        self.stale += 1;
                        assert!(self.stale < MOST_STALE, "the deadline stays in the past");
                    } else {
                        self.stale = 0;
                    }
                    return;
                }
                Output::Request(r) => {
                    let (id, url, kind) = (r.id, r.url.to_string(), r.kind);
                    self.request(id, &url, kind);
                }
                Output::Cancel(id) => {
                    note!(self, "{now} cancel {}", id.0);
                    assert!(self.living.remove(&id.0), "cancelled what is over: {}", id.0);
                    self.open.retain(|e| e.id != id);
                }
                Output::Configure(c) => {
                    let (stream, bitrate, epoch) = (usize::from(c.stream.0), c.bitrate, c.epoch.0);
                    note!(self, "{now} configure {stream} {bitrate}");
                    let ear = &mut self.ears[stream];
                    assert!(!ear.setup && ear.offer.is_none(), "one question at a time");
                    assert!(ear.decrypt.is_none(), "no set-up while it is decrypted");
                    ear.key = c.key;
                    ear.asked = bitrate;
                    ear.setup = true;
                    ear.epoch = epoch;
                }
                Output::Sample(s) => {
                    let stream = usize::from(s.stream.0);
                    let mut bytes: Vec<u8> = s.data.clone().flatten().copied().collect();
                    let decoder = self.config.protection == ProtectionMode::Decoder;
                    assert_eq!(s.protection.is_some(), decoder, "who decrypts");
                    if let Some(p) = &s.protection {
                        assert_eq!(Some(p.handle), self.ears[stream].key, "the key it was set up with");
                        apply(&mut bytes, p.kid, p.iv, p.subsamples);
                    }
                    let offered = Offered {
                        epoch: s.epoch.0,
                        dts: s.dts.0,
                        fragment: s.fragment,
                        bitrate: s.bitrate,
                        flags: s.flags.0,
                        bytes,
                    };
                    if self.config.decoder.has(DecoderTraits::CONTIGUOUS) {
                        assert!(s.data.clone().count() <= 1, "one slice");
                    }
                    note!(
                        self,
                        "{now} sample {stream} {} {} {}",
                        offered.epoch,
                        offered.fragment,
                        offered.dts
                    );
                    let ear = &mut self.ears[stream];
                    assert!(ear.offer.is_none(), "one sample at a time");
                    assert!(!ear.setup, "no sample before the decoder is set up");
                    assert!(ear.ended != Some(offered.epoch), "nothing follows the end");
                    ear.offer = Some(offered);
                }
                Output::Captions(_) => panic!("nobody asked for captions"),
                Output::Protection(_) => {
                    assert!(self.config.protection != ProtectionMode::None);
                    note!(self, "{now} offer");
                }
                Output::Decrypt(d) => {
                    let stream = usize::from(d.stream.0);
                    assert!(self.config.protection == ProtectionMode::Decrypt);
                    let odd = !self.calm && self.faults > 0;
                    let answer = match self.dice.below(40) {
                        0..=5 if odd => Decrypted::Later,
                        _ => Decrypted::Done,
                    };
                    if answer == Decrypted::Done {
                        apply(d.data, d.protection.kid, d.protection.iv, d.protection.subsamples);
                    }
                    note!(self, "{now} decrypt {stream} {answer:?}");
                    let ear = &mut self.ears[stream];
                    assert!(ear.offer.is_none() && ear.decrypt.is_none() && !ear.setup, "one at a time");
                    ear.decrypt = Some(answer);
                }
                Output::Capability(_) => panic!("nobody wants to be asked"),
                Output::Rate(rate) => {
                    note!(self, "{now} rate {rate:?}");
                    self.running = rate != smoothcore::io::Rate::Hold;
                }
                Output::Flush(stream, epoch) => {
                    note!(self, "{now} flush {} {}", stream.0, epoch.0);
                    let ear = &mut self.ears[usize::from(stream.0)];
                    assert!(epoch.0 > ear.epoch, "the epoch rises with every flush");
                    *ear = Ear { epoch: epoch.0, taken: ear.taken, ..Ear::default() };
                }
                Output::EndOfStream(stream, epoch) => {
                    note!(self, "{now} end {} {}", stream.0, epoch.0);
                    let s = usize::from(stream.0);
                    let ear = &mut self.ears[s];
                    assert!(ear.offer.is_none(), "the last sample is answered first");
                    assert!(ear.ended != Some(epoch.0), "one end an epoch");
                    ear.ended = Some(epoch.0);
                    let (last, gaps) = (ear.last, ear.gaps.clone());
                    self.check_to_end(stream.0, last, &gaps);
                }
                Output::Event(e) => {
                    note!(
                        self,
                        "{now} {:?} {:?} {:?} {:?} {} {}",
                        e.kind,
                        e.stream,
                        e.error,
                        e.media_time,
                        e.a,
                        e.b
                    );
                    assert_eq!(e.lost, 0);
                    match (e.kind, e.stream) {
                        (EventKind::Gap, Some(stream)) => {
                            self.ears[usize::from(stream.0)].gaps.insert(e.b);
                        }
                        (EventKind::StreamDropped, Some(stream)) => {
                            self.silent_streams.insert(stream.0);
                        }
                        (EventKind::Failed, _) => self.failed += 1,
                        (EventKind::Ended, _) => self.ended_events += 1,
                        _ => {}
                    }
                }
            }
        }
    }

    fn input(&mut self, input: Input<'_>) {
        self.session.input(Instant(self.now), input);
        self.drain();
    }

    /// The decoder takes the sample it was offered.
    fn accept(&mut self, stream: usize) {
        let Some(sample) = self.ears[stream].offer.take() else { return };
        self.check(stream, &sample);
        let ear = &mut self.ears[stream];
        ear.refused_before = None;
        ear.taken += 1;
        ear.depth += 20_000;
        self.input(Input::Accepted(StreamId(stream as u16)));
    }

    fn refuse(&mut self, stream: usize) {
        let Some(sample) = self.ears[stream].offer.take() else { return };
        let ear = &mut self.ears[stream];
        if let Some(before) = ear.refused_before.take()
            && (before.0, before.1) == (sample.dts, sample.bitrate)
        {
            // A fragment that failed before its first sample was taken may come back as another body.
            let other = self.damaged.contains(&(stream as u16, sample.fragment)) || self.swaps;
            // Set up with another key meanwhile, it needs parameter sets before that sample; a delimiter of six bytes may
            // stand before both.
            let set_up_again =
                before.3 != ear.key && sample.bytes.ends_with(&before.2[6.min(before.2.len())..]);
            let same = before.2 == sample.bytes || set_up_again;
            assert!(same || other, "a refused sample has changed");
        }
        let ear = &mut self.ears[stream];
        ear.refused_before = Some((sample.dts, sample.bitrate, sample.bytes, ear.key));
        self.input(Input::Refused(StreamId(stream as u16)));
    }

    fn check(&mut self, stream: usize, sample: &Offered) {
        let starts = &self.truth.starts[stream];
        let here = starts.binary_search(&sample.fragment).expect("a listed fragment");
        let key = (stream as u16, sample.bitrate, sample.fragment);
        let table = &self.truth.samples[&key];
        let mut dts = sample.fragment as i64;
        let index = table.iter().position(|(_, duration)| {
            let found = dts == sample.dts;
            if !found {
                dts += *duration as i64;
            }
            found
        });
        let index = index.unwrap_or_else(|| panic!("no sample of {key:?} starts at {}", sample.dts));
        let damaged = self.damaged.contains(&(stream as u16, sample.fragment));
        if !damaged {
            let equal = self.truth.samples.iter().any(|((s, _, f), table)| {
                usize::from(*s) == stream
                    && *f == sample.fragment
                    && table.get(index).is_some_and(|(bytes, _)| self.same_bytes(stream, bytes, sample))
            });
            assert!(equal, "bytes of sample {index} of {key:?}");
        }
        let ear = &mut self.ears[stream];
        if let Some((epoch, last)) = ear.last_dts {
            assert!(sample.epoch >= epoch, "epochs rise");
            assert!(sample.epoch > epoch || sample.dts > last, "{} after {last}", sample.dts);
        }
        ear.last_dts = Some((sample.epoch, sample.dts));
        let mut hole = false;
        if let Some((epoch, fragment, before)) = ear.last
            && epoch == sample.epoch
        {
            let told = |f: u64| ear.gaps.contains(&f);
            if fragment == sample.fragment {
                hole = index != before + 1;
                assert!(!hole || told(fragment), "samples are missing in {key:?}");
            } else {
                let there = starts.binary_search(&fragment).unwrap();
                let whole = before + 1 == table_len(self.truth, stream, fragment);
                hole = !whole || here != there + 1 || index != 0;
                assert!(whole || told(fragment), "the rest of {fragment} is missing");
                for skipped in &starts[there + 1..here] {
                    assert!(told(*skipped), "{skipped} is missing");
                }
                assert!(index == 0 || told(sample.fragment), "the front of {key:?} is missing");
            }
        }
        if hole {
            assert!(sample.flags & 2 != 0, "a hole before {} without DISCONTINUITY", sample.dts);
        }
        ear.last = Some((sample.epoch, sample.fragment, index));
        let done = starts[here];
        ear.gaps.retain(|f| *f >= done);
    }

    fn same_bytes(&self, stream: usize, source: &[u8], sample: &Offered) -> bool {
        let traits = self.config.decoder;
        if traits.framing == Framing::LengthPrefixed {
            return sample.bytes == source;
        }
        let source = if stream == 0 { start_coded(source) } else { source.to_vec() };
        let Some(prefix) = sample.bytes.strip_suffix(&source[..]) else { return false };
        if stream > 0 {
            return prefix.len() == 7;
        }
        let allowed = traits.has(DecoderTraits::NEEDS_AUD)
            || traits.has(DecoderTraits::REPEAT_PARAMETER_SETS)
            || sample.flags & 4 != 0;
        prefix.is_empty() || allowed
    }

    fn check_to_end(&self, stream: u16, last: Option<(u32, u64, usize)>, gaps: &BTreeSet<u64>) {
        let s = usize::from(stream);
        let starts = &self.truth.starts[s];
        let from = match last {
            Some((_, fragment, before)) => {
                let whole = before + 1 == table_len(self.truth, s, fragment);
                assert!(whole || gaps.contains(&fragment), "stream {stream} ended inside {fragment}");
                starts.binary_search(&fragment).unwrap() + 1
            }
            // Nothing was taken in this epoch: every fragment from some point on must be lost.
            None => starts.len() - 1,
        };
        for f in &starts[from.min(starts.len())..] {
            assert!(gaps.contains(f) || last.is_none(), "stream {stream} ended before {f}");
        }
    }

    /// Moves some bytes of one exchange; whether anything happened.
    fn network(&mut self, n: usize) -> bool {
        let at = self.at();
        let calm = self.calm;
        let Some(e) = self.open.get_mut(n) else { return false };
        let id = e.id;
        if self.now < e.from {
            return false;
        }
        let stop = match e.end {
            End::Complete => e.body.len(),
            End::Cut(n) | End::Stall(n) => n.min(e.body.len()),
        };
        if !e.told {
            if matches!(e.end, End::Stall(0)) {
                return false;
            }
            e.told = true;
            // The head is optional when it says nothing.
            if e.status != 200 || e.length.is_some() || self.dice.one_in(2) {
                let (status, content_length) = (e.status, e.length);
                self.input(Input::Response(id, Response { status, content_length, ..Response::default() }));
                return true;
            }
        }
        if e.sent >= stop {
            let outcome = match e.end {
                End::Stall(_) => return false,
                End::Cut(_) => Outcome::Failed(Code::NetworkIo),
                End::Complete => Outcome::Complete,
            };
            self.open.remove(n);
            self.living.remove(&id.0);
            note!(self, "{} finished {} {outcome:?}", self.now, id.0);
            self.input(Input::Finished(id, outcome));
            return true;
        }
        if self.gated && self.session.is_blocked(id) {
            return false;
        }
        let most = if calm { 64_000 } else { 1 + self.dice.below(20_000) };
        let piece = (most as usize).min(stop - e.sent);
        let bytes = e.body[e.sent..e.sent + piece].to_vec();
        let taken = if self.dice.one_in(2) {
            self.session.body(at, id, &bytes)
        } else {
            let space = self.session.space(id);
            let n = space.len().min(piece);
            space[..n].copy_from_slice(&bytes[..n]);
            if n > 0 {
                self.session.filled(at, id, n);
            }
            n
        };
        if let Some(e) = self.open.iter_mut().find(|e| e.id == id) {
            e.sent += taken;
        }
        if taken == 0 {
            note!(self, "{} blocked {}", self.now, id.0);
        }
        self.drain();
        taken > 0
    }

    /// The decoder says something it owes; whether it owed anything.
    fn decoder(&mut self, stream: usize) -> bool {
        let id = StreamId(stream as u16);
        if self.ears[stream].setup {
            self.ears[stream].setup = false;
            let odd = !self.calm && self.faults > 0;
            let answer = match self.dice.below(40) {
                0..=5 if odd => Configured::Later,
                6 if odd && self.config.fixed_bitrate == 0 => Configured::Refused,
                _ => Configured::Ok,
            };
            if answer == Configured::Ok {
                self.ears[stream].ready = Some(self.ears[stream].asked);
            }
            note!(self, "{} configured {stream} {answer:?}", self.now);
            self.input(Input::Configured(id, answer));
            return true;
        }
        if let Some(answer) = self.ears[stream].decrypt.take() {
            note!(self, "{} decrypted {stream} {answer:?}", self.now);
            self.input(Input::Decrypted(id, answer));
            return true;
        }
        if self.ears[stream].offer.is_none() {
            return false;
        }
        let full = self.paced() && self.ears[stream].depth > 2_000_000;
        let fickle = !self.calm && self.dice.one_in(6);
        note!(self, "{} answer {stream} {}", self.now, if full || fickle { "refused" } else { "accepted" });
        if full || fickle {
            self.refuse(stream)
        } else {
            self.accept(stream)
        }
        true
    }

    fn pass(&mut self, micros: u64) {
        self.now += micros;
        if self.running {
            for ear in &mut self.ears {
                ear.depth = ear.depth.saturating_sub(micros);
            }
        }
    }

    fn disturb(&mut self) {
        let at = self.at();
        let stream = self.dice.below(3) as usize;
        let id = StreamId(stream as u16);
        match self.dice.below(60) {
            0 => {
                let to = MediaTime(self.dice.below(520_000_000) as i64 - 20_000_000);
                note!(self, "{} seek {}", self.now, to.0);
                let sought = self.session.seek(at, to);
                let playing = matches!(self.session.state(), State::Playing | State::Ended);
                assert_eq!(sought.is_ok(), playing);
                if sought.is_ok() {
                    for ear in &mut self.ears {
                        (ear.offer, ear.setup, ear.last, ear.decrypt) = (None, false, None, None);
                        ear.gaps.clear();
                    }
                }
            }
            1 | 2 if stream > 0 => {
                let selection = self.dice.pick(&[Selection::On, Selection::Off]);
                let was_on = self.session.stream_stats(id).is_some();
                note!(self, "{} select {stream} {selection:?}", self.now);
                if self.session.select(at, id, selection).is_ok() {
                    self.silent_streams.remove(&(stream as u16));
                    if was_on != (selection == Selection::On) {
                        let ear = &mut self.ears[stream];
                        (ear.offer, ear.setup, ear.last, ear.decrypt) = (None, false, None, None);
                        ear.last_dts = None;
                        ear.gaps.clear();
                        ear.ended = None;
                    }
                }
            }
            3 => self.session.pause(at),
            4 | 5 => self.session.play(at),
            6..=20 => {
                let depth = if self.paced() { self.ears[stream].depth } else { self.dice.below(3_000_000) };
                let depth = if self.dice.one_in(10) { self.dice.below(3_000_000) } else { depth };
                let state = Buffered { depth: Micros(depth), position: None, dropped: 0 };
                self.session.input(at, Input::Buffered(id, state));
            }
            21..=40 => self.session.input(at, Input::Timeout),
            41 => {
                for input in [
                    Input::Finished(RequestId(0), Outcome::Complete),
                    Input::Accepted(StreamId(900)),
                    Input::Configured(StreamId(901), Configured::Refused),
                ] {
                    self.session.input(at, input);
                }
            }
            42..=47 => {
                let name = self.dice.pick(&[Keys::All, Keys::All, Keys::One(KIDS[0]), Keys::One(KIDS[1])]);
                let handle = KeyHandle(self.dice.pick(&[1, 1, 1, 2]));
                let status = if self.dice.one_in(4) { KeyStatus::Pending } else { KeyStatus::Ready(handle) };
                note!(self, "{} key {name:?} {status:?}", self.now);
                self.session.input(at, Input::Key(name, status));
            }
            48 => {
                let mask = self.dice.pick(&[15, 1, 2, 6, 8, 0, 0xF0]);
                let done = self.session.restrict(at, StreamId(0), mask);
                note!(self, "{} restrict {mask:b} {done:?}", self.now);
                assert!(done.is_err() || mask & 15 != 0);
            }
            _ => return,
        }
        self.drain();
    }

    /// One random step.
    fn step(&mut self) {
        match self.dice.below(8) {
            0..=2 => {
                let n = self.dice.below(self.open.len() as u64) as usize;
                self.network(n);
            }
            3..=5 => {
                let stream = self.dice.below(3) as usize;
                self.decoder(stream);
            }
            6 => self.disturb(),
            _ => {
                let most = self.dice.pick(&[1_000, 20_000, 20_000, 200_000]);
                let micros = self.dice.below(most);
                self.pass(micros);
                self.input(Input::Timeout);
            }
        }
        if !self.slow {
            for stream in 0..3 {
                for _ in 0..200 {
                    if !self.decoder(stream) {
                        break;
                    }
                }
            }
        }
    }

    /// Does all that can be done, then waits as the session says.
    fn calm_step(&mut self) {
        let mut moved = false;
        self.input(Input::Key(Keys::All, KeyStatus::Ready(KeyHandle(1))));
        for n in (0..self.open.len()).rev() {
            for _ in 0..8 {
                moved |= self.network(n);
            }
        }
        for stream in 0..3 {
            for _ in 0..8 {
                moved |= self.decoder(stream);
            }
        }
        if moved || self.over() {
            return;
        }
        let network = self.open.iter().filter(|e| self.now < e.from).map(|e| e.from).min();
        let until = match (self.idle.map(|u| u.0), network) {
            (Some(a), Some(b)) => a.min(b),
            (a, b) => a
                .or(b)
                .unwrap_or_else(|| panic!("idle for ever: {:?} {:#?}", self.session.state(), self.figures())),
        };
        self.pass(until.saturating_sub(self.now));
        self.input(Input::Timeout);
    }

    fn figures(&self) -> String {
        let streams: Vec<_> = (0..3).map(|s| self.session.stream_stats(StreamId(s))).collect();
        format!(
            "{:?} {streams:?} {:?}",
            self.session.stats(),
            self.open.iter().map(|e| (e.id, e.sent)).collect::<Vec<_>>()
        )
    }

    fn over(&self) -> bool {
        matches!(self.session.state(), State::Failed(_) | State::Ended)
    }

    fn run(&mut self) {
        self.drain();
        let wild = 200 + self.dice.below(6_000) as u32;
        for _ in 0..wild {
            self.step();
            if matches!(self.session.state(), State::Failed(_)) {
                break;
            }
        }
        self.calm = true;
        let at = self.at();
        let _ = self.session.restrict(at, StreamId(0), u64::MAX);
        self.session.play(at);
        if matches!(self.session.state(), State::Playing | State::Ended)
            && (0..3).all(|s| self.session.stream_stats(StreamId(s)).is_none())
        {
            self.session.select(at, StreamId(0), Selection::On).unwrap();
        }
        self.drain();
        let (from, mut steps) = (self.now, 0);
        while !self.over() {
            steps += 1;
            assert!(self.now - from < LONGEST && steps < STEPS, "stuck: {}", self.figures());
            self.calm_step();
        }
        self.drain();
        let failed = matches!(self.session.state(), State::Failed(_));
        assert_eq!(self.failed, u32::from(failed));
        assert!(failed || self.ended_events > 0);
        assert!(self.living.is_empty(), "never cancelled nor finished: {:?}", self.living);
        assert!(self.session.stats().peak_held <= self.config.budget);
    }
}

fn table_len(truth: &Truth, stream: usize, fragment: u64) -> usize {
    let tables = truth.samples.iter().filter(|((s, _, f), _)| usize::from(*s) == stream && *f == fragment);
    tables.map(|(_, t)| t.len()).next().unwrap()
}

#[test]
fn whatever_hosts_and_networks_do_the_promises_hold() {
    let seeds = match std::env::var("CHAOS_SEEDS") {
        Ok(range) => {
            let (from, to) = range.split_once("..").expect("from..to");
            from.parse().unwrap()..to.parse().unwrap()
        }
        Err(_) => 1_200..1_500u64,
    };
    let truth = Truth::new();
    let mut ended = 0;
    let mut failures: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for seed in seeds.clone() {
        let mut chaos = Chaos::new(&truth, seed);
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| chaos.run()));
        print!("{}", chaos.trace);
        if ran.is_err() {
            println!("seed {} of {:?}: broken", chaos.seed, chaos.config);
            failures.entry("broken".into()).or_default().push(seed);
            continue;
        }
        match chaos.session.state() {
            State::Ended => ended += 1,
            State::Failed(e) => {
                failures.entry(format!("{e}, {} KiB", chaos.config.budget >> 10)).or_default().push(seed)
            }
            other => panic!("{other:?}"),
        }
    }
    println!("{ended} ended, {failures:?}");
    assert!(!failures.contains_key("broken"), "{failures:?}");
    assert!(ended * 10 >= (seeds.end - seeds.start) * 5, "too few reach the end: {ended}, {failures:?}");
}
