//! A live origin in virtual time, and a player in front of it.
//!
//! Every fragment has the moment from which it can be had; what a manifest and a `tfrf` say follows from these. Anything else is
//! said by a script: a function that sees each request first.

use std::collections::BTreeMap;
use std::fmt::Write;

use smoothcore::error::Code;
use smoothcore::io::{Event, EventKind, Request, RequestId, Response};
use smoothcore::player::Player;
use smoothcore::port::{Http, Progress};
use smoothcore::session::{Config, Session, State};
use smoothcore::time::{Instant, MediaTime};

use super::Recorder;

/// Where the channel is.
pub const CHANNEL: &str = "http://origin.test/live/channel.isml/Manifest";
/// Virtual time between two looks, in microseconds.
pub const LOOK: u64 = 20_000;
/// Ticks of a second.
pub const SECOND: u64 = 10_000_000;

/// One fragment at the origin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    pub start: u64,
    pub duration: u64,
    /// From when on it can be had, in microseconds.
    pub there: u64,
}

/// One stream of the channel.
#[derive(Clone)]
pub struct Track {
    pub kind: &'static str,
    pub name: String,
    pub language: &'static str,
    pub bitrates: Vec<u32>,
    pub scale: u64,
    pub pieces: Vec<Piece>,
    /// Samples of a fragment.
    pub samples: u64,
}

/// What a script answers.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    /// With status 200.
    Body(Vec<u8>),
    Fail(Code),
    Silence,
    /// From another address.
    Elsewhere(&'static str),
}

type Script = Box<dyn FnMut(&str, u64, u32) -> Option<Answer>>;

/// A live channel and the network before it.
pub struct Channel {
    pub tracks: Vec<Track>,
    pub look_ahead: usize,
    /// Announced fragments of each fragment; the same as `look_ahead` as a rule.
    pub announced: usize,
    pub tfrf_version: u8,
    /// In seconds; 0: infinite.
    pub dvr: u64,
    /// In ticks of 100 ns, 0 as a rule.
    pub duration: u64,
    /// `IsLive` to the letter, from a moment on.
    pub is_live: Vec<(u64, &'static str)>,
    /// What a fragment that is not there yet is answered with.
    pub early: u16,
    /// The manifest is as old as this, in microseconds.
    pub stale: u64,
    /// Durations are this many ticks too short, and the last two `c` have no time.
    pub rounded: Option<u64>,
    pub reversed: bool,
    pub header: String,
    pub date: String,
    pub script: Option<Script>,
    /// Bit/s of the link from a second on, shared by all exchanges; empty: all comes at once. With it, fragments weigh
    /// what their level says, and the server says how much.
    pub link: Vec<(u64, u64)>,
    /// Bits that the link may still bring, and until when it has brought them.
    carried: (u64, u64),
    /// When, which path, what status; 0 for none.
    pub log: Vec<(u64, String, u16)>,
    pub started: u64,
    tries: BTreeMap<String, u32>,
    open: BTreeMap<u32, Exchange>,
}

struct Exchange {
    at: u64,
    status: u16,
    body: Vec<u8>,
    sent: usize,
    failed: Option<Code>,
    silent: bool,
    elsewhere: &'static str,
}

/// Fragments of `length` ticks from `first`, the first `listed` of which are there at the start; the others come one by one.
pub fn steady(scale: u64, first: u64, length: u64, listed: u64, count: u64) -> Vec<Piece> {
    lengths(scale, first, &vec![length; count as usize], listed)
}

/// The same with any lengths.
pub fn lengths(scale: u64, first: u64, lengths: &[u64], listed: u64) -> Vec<Piece> {
    let micros = |ticks: u64| (u128::from(ticks) * 1_000_000 / u128::from(scale)) as u64;
    let (mut start, mut after, mut pieces) = (first, 0u64, Vec::new());
    for (n, length) in lengths.iter().enumerate() {
        if n as u64 >= listed {
            after += length;
        }
        pieces.push(Piece { start, duration: *length, there: micros(after) });
        start += length;
    }
    pieces
}

impl Channel {
    /// Pictures of two seconds and sound of about as much, 30 s of each there at the start.
    pub fn new() -> Channel {
        let video = Track {
            kind: "video",
            name: "video".into(),
            language: "und",
            bitrates: vec![500_000, 1_000_000],
            scale: SECOND,
            pieces: steady(SECOND, 100 * SECOND, 2 * SECOND, 15, 600),
            samples: 4,
        };
        let audio = Track {
            kind: "audio",
            name: "audio".into(),
            language: "eng",
            bitrates: vec![64_000],
            samples: 8,
            ..Track { pieces: uneven(100 * SECOND, 15, 600), ..video.clone() }
        };
        Channel {
            tracks: vec![video, audio],
            look_ahead: 2,
            announced: 2,
            tfrf_version: 1,
            dvr: 30,
            duration: 0,
            is_live: vec![(0, "TRUE")],
            early: 412,
            stale: 0,
            rounded: None,
            reversed: false,
            header: String::new(),
            date: String::new(),
            script: None,
            link: Vec::new(),
            carried: (0, 0),
            log: Vec::new(),
            started: 0,
            tries: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    pub fn scripted(self, script: impl FnMut(&str, u64, u32) -> Option<Answer> + 'static) -> Channel {
        Channel { script: Some(Box::new(script)), ..self }
    }

    fn liveness(&self, now: u64) -> &'static str {
        self.is_live.iter().rev().find(|(from, _)| now >= *from).unwrap().1
    }

    /// The manifest at `now`.
    pub fn manifest(&self, now: u64) -> String {
        let now = now.saturating_sub(self.stale);
        let mut m =
            String::from("<?xml version='1.0'?><SmoothStreamingMedia MajorVersion='2' MinorVersion='2' ");
        let live = self.liveness(now);
        write!(m, "Duration='{}' TimeScale='{SECOND}' ", self.duration).unwrap();
        if !live.is_empty() {
            write!(m, "IsLive='{live}' LookAheadFragmentCount='{}' ", self.look_ahead).unwrap();
            write!(m, "DVRWindowLength='{}' CanSeek='TRUE' CanPause='TRUE'", self.dvr * SECOND).unwrap();
        }
        m.push('>');
        m.push_str(&self.header);
        let mut tracks: Vec<&Track> = self.tracks.iter().collect();
        if self.reversed {
            tracks.reverse();
        }
        for t in tracks {
            let end = t.pieces.iter().filter(|p| p.there <= now).map(|p| p.start + p.duration).max();
            let from = match self.dvr {
                0 => 0,
                dvr => end.unwrap_or(0).saturating_sub(dvr * t.scale),
            };
            let listed: Vec<&Piece> = t
                .pieces
                .iter()
                .filter(|p| p.there <= now && p.start + p.duration > from && p.start < end.unwrap_or(0))
                .collect();
            write!(
                m,
                "<StreamIndex Type='{}' Name='{}' Language='{}' TimeScale='{}' Chunks='{}' QualityLevels='{}' \
                 Url='QualityLevels({{bitrate}})/Fragments({}={{start time}})'>",
                t.kind,
                t.name,
                t.language,
                t.scale,
                listed.len(),
                t.bitrates.len(),
                t.name
            )
            .unwrap();
            for (n, bitrate) in t.bitrates.iter().enumerate() {
                write!(m, "<QualityLevel Index='{n}' Bitrate='{bitrate}' ").unwrap();
                m.push_str(match t.kind {
                    "video" => {
                        "FourCC='H264' MaxWidth='160' MaxHeight='90' \
                         CodecPrivateData='000000016742C00DDA0A0BF92000000168CE3C80'/>"
                    }
                    "audio" => {
                        "FourCC='AACL' SamplingRate='48000' Channels='2' BitsPerSample='16' PacketSize='4' \
                         AudioTag='255' CodecPrivateData='1190'/>"
                    }
                    _ => "FourCC='TTML'/>",
                });
            }
            for (n, p) in listed.iter().enumerate() {
                match self.rounded {
                    Some(_) if n + 2 < listed.len() => {
                        write!(m, "<c t='{}' d='{}'/>", p.start, self.short(p))
                    }
                    Some(_) => write!(m, "<c d='{}'/>", self.short(p)),
                    None => write!(m, "<c t='{}' d='{}'/>", p.start, p.duration),
                }
                .unwrap();
            }
            m.push_str("</StreamIndex>");
        }
        m.push_str("</SmoothStreamingMedia>");
        m
    }

    fn short(&self, p: &Piece) -> u64 {
        p.duration - self.rounded.unwrap_or(0)
    }

    /// Status and body of what lies at `path`.
    pub fn get(&self, path: &str, now: u64) -> (u16, Vec<u8>) {
        if path == "Manifest" {
            return (200, self.manifest(now).into_bytes());
        }
        let Some((track, n)) = self.find(path) else { return (404, Vec::new()) };
        let (piece, newest) = (track.pieces[n], track.pieces.iter().rfind(|p| p.there <= now));
        if piece.there > now {
            return (self.early, Vec::new());
        }
        // A cache keeps what has just left the window.
        let window = (self.dvr + 4) * track.scale;
        let newest = newest.map_or(0, |p| p.start + p.duration);
        if self.dvr != 0 && newest > piece.start && piece.start + piece.duration + window < newest {
            return (404, Vec::new());
        }
        let media = self.fragment(track, n);
        let Some(bitrate) = path.split(['(', ')']).nth(1).filter(|_| !self.link.is_empty()) else {
            return (200, media);
        };
        let weight = (bitrate.parse::<u64>().unwrap() * piece.duration / track.scale / 8) as usize;
        let stuffing = vec![0; weight.saturating_sub(media.len() + 8)];
        // Before the media: nothing of it comes early.
        (200, [boxed(b"free", &stuffing), media].concat())
    }

    /// How much of `wanted` bytes the link has brought by now.
    fn carry(&mut self, now: u64, wanted: usize) -> usize {
        let Some((_, rate)) = self.link.iter().rev().find(|(from, _)| now >= from * 1_000_000) else {
            return wanted;
        };
        let (bits, until) = self.carried;
        // What nobody takes is lost, but for two looks.
        let bits = (bits + rate * (now - until) / 1_000_000).min(rate * LOOK / 500_000);
        let bytes = wanted.min(bits as usize / 8);
        self.carried = (bits - bytes as u64 * 8, now);
        bytes
    }

    fn find(&self, path: &str) -> Option<(&Track, usize)> {
        let (bitrate, rest) = path.strip_prefix("QualityLevels(")?.split_once(')')?;
        let (name, start) = rest.strip_prefix("/Fragments(")?.strip_suffix(')')?.split_once('=')?;
        let (bitrate, start): (u32, u64) = (bitrate.parse().ok()?, start.parse().ok()?);
        let track = self.tracks.iter().find(|t| t.name == name && t.bitrates.contains(&bitrate))?;
        Some((track, track.pieces.iter().rposition(|p| p.start == start)?))
    }

    fn fragment(&self, track: &Track, n: usize) -> Vec<u8> {
        let piece = track.pieces[n];
        let following = track.pieces.get(n + 1..).unwrap_or(&[]);
        let following: Vec<(u64, u64)> =
            following.iter().take(self.announced).map(|p| (p.start, p.duration)).collect();
        fragment(track.kind, piece, track.samples, self.tfrf_version, &following)
    }

    /// Paths asked for, with their statuses.
    pub fn asked(&self, part: &str) -> Vec<(u64, String, u16)> {
        self.log.iter().filter(|(_, path, _)| path.contains(part)).cloned().collect()
    }

    pub fn count(&self, status: u16) -> usize {
        self.log.iter().filter(|(_, _, s)| *s == status).count()
    }
}

/// Sound whose access units last 213,333.33 ticks: 93 and 94 of them a fragment, rounded each to whole ticks.
pub fn uneven(first: u64, listed: u64, count: u64) -> Vec<Piece> {
    let (mut units, mut at) = (0u64, 0u64);
    let mut all = Vec::new();
    for n in 0..count {
        units += if n % 4 == 3 { 93 } else { 94 };
        let end = units * 640_000 / 3;
        all.push(end - at);
        at = end;
    }
    lengths(SECOND, first, &all, listed)
}

fn boxed(name: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    [&u32::try_from(payload.len() + 8).unwrap().to_be_bytes(), name.as_slice(), payload].concat()
}

fn extended(uuid: u128, payload: &[u8]) -> Vec<u8> {
    boxed(b"uuid", &[&uuid.to_be_bytes(), payload].concat())
}

/// One fragment of `samples` samples, with its own time and those of the `following`.
pub fn fragment(kind: &str, piece: Piece, samples: u64, version: u8, following: &[(u64, u64)]) -> Vec<u8> {
    let mut runs = Vec::new();
    let mut data = Vec::new();
    for n in 0..samples {
        let duration = piece.duration * (n + 1) / samples - piece.duration * n / samples;
        let bytes = match kind {
            "video" => {
                let nal = if n == 0 { 0x65 } else { 0x41 };
                [&[0, 0, 0, 9, nal], &(piece.start + n).to_be_bytes()[..]].concat()
            }
            _ => (piece.start + n).to_be_bytes().to_vec(),
        };
        runs.extend(u32::try_from(duration).unwrap().to_be_bytes());
        runs.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        data.extend(bytes);
    }
    let time = |t: u64| match version {
        0 => u32::try_from(t).unwrap().to_be_bytes().to_vec(),
        _ => t.to_be_bytes().to_vec(),
    };
    let head = [version, 0, 0, 0];
    let tfxd = [&head[..], &time(piece.start), &time(piece.duration)].concat();
    let tfxd = extended(0x6D1D_9B05_42D5_44E6_80E2_141D_AFF7_57B2, &tfxd);
    let mut tfrf = [&head[..], &[following.len() as u8]].concat();
    for (start, duration) in following {
        tfrf.extend([time(*start), time(*duration)].concat());
    }
    let tfrf = match following {
        [] => Vec::new(),
        _ => extended(0xD480_7EF2_CA39_4695_8E54_26CB_9E46_A79F, &tfrf),
    };
    let count = u32::try_from(samples).unwrap().to_be_bytes();
    let build = |offset: u32| {
        let trun = [&[0, 0, 3, 1], &count[..], &offset.to_be_bytes(), &runs].concat();
        let tfhd = boxed(b"tfhd", &[0, 0, 0, 0, 0, 0, 0, 1]);
        let traf = boxed(b"traf", &[tfhd, boxed(b"trun", &trun), tfxd.clone(), tfrf.clone()].concat());
        boxed(b"moof", &[boxed(b"mfhd", &[0, 0, 0, 0, 0, 0, 0, 1]), traf].concat())
    };
    let moof = build(u32::try_from(build(0).len() + 8).unwrap());
    [moof, boxed(b"mdat", &data)].concat()
}

impl Http for Channel {
    fn start(&mut self, at: Instant, request: &Request<'_>) -> Result<(), Code> {
        let path = request.url.split_once(".isml/").expect("the channel").1.to_string();
        let tries = self.tries.entry(path.clone()).or_default();
        *tries += 1;
        let (nth, now) = (*tries, at.0.wrapping_sub(self.started));
        let told = self.script.as_mut().and_then(|s| s(&path, now, nth));
        let mut exchange = Exchange {
            at: now,
            status: 200,
            body: Vec::new(),
            sent: 0,
            failed: None,
            silent: false,
            elsewhere: "",
        };
        match told {
            None => (exchange.status, exchange.body) = self.get(&path, now),
            Some(Answer::Status(status)) => exchange.status = status,
            Some(Answer::Body(body)) => exchange.body = body,
            Some(Answer::Fail(code)) => exchange.failed = Some(code),
            Some(Answer::Silence) => exchange.silent = true,
            Some(Answer::Elsewhere(url)) => {
                (exchange.status, exchange.body) = self.get(&path, now);
                exchange.elsewhere = url;
            }
        }
        let status = if exchange.failed.is_some() || exchange.silent { 0 } else { exchange.status };
        self.log.push((now, path, status));
        assert!(self.open.insert(request.id.0, exchange).is_none(), "request ids are never used twice");
        Ok(())
    }

    fn response(&mut self, at: Instant, id: RequestId) -> Progress<Response<'_>> {
        let exchange = &self.open[&id.0];
        if let Some(code) = exchange.failed {
            return Progress::Failed(code);
        }
        if exchange.silent || at.0.wrapping_sub(self.started) < exchange.at + 30_000 {
            return Progress::Pending;
        }
        Progress::Ready(Response {
            status: exchange.status,
            final_url: exchange.elsewhere,
            date: &self.date,
            content_length: (!self.link.is_empty()).then_some(exchange.body.len() as u64),
            ..Response::default()
        })
    }

    fn read(&mut self, at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        let exchange = &self.open[&id.0];
        let wanted = buffer.len().min(exchange.body.len() - exchange.sent);
        if wanted == 0 {
            return Progress::End;
        }
        let n = self.carry(at.0.wrapping_sub(self.started), wanted);
        if n == 0 {
            return Progress::Pending;
        }
        let exchange = self.open.get_mut(&id.0).unwrap();
        buffer[..n].copy_from_slice(&exchange.body[exchange.sent..exchange.sent + n]);
        exchange.sent += n;
        Progress::Ready(n)
    }

    fn cancel(&mut self, id: RequestId) {
        assert!(self.open.remove(&id.0).is_some(), "cancelled once, and only what was started");
    }
}

/// A player before a channel.
pub struct Viewer {
    pub player: Player<Channel, Recorder>,
    pub now: u64,
    pub events: Vec<Event>,
    /// Added to the clock that the player is told.
    pub clock: i64,
}

impl Viewer {
    /// Opens the channel at its start.
    pub fn open(config: Config, channel: Channel) -> Viewer {
        let mut player = Player::new(config, channel, Recorder::new()).unwrap();
        player.open(Instant(0), CHANNEL).unwrap();
        Viewer { player, now: 0, events: Vec::new(), clock: 0 }
    }

    /// What the player takes for now.
    pub fn at(&self) -> Instant {
        Instant(self.now.wrapping_add_signed(self.clock))
    }

    /// Plays until `seconds` have passed since the start.
    pub fn until(&mut self, seconds: u64) -> &mut Viewer {
        while self.now < seconds * 1_000_000 {
            if !self.look() {
                break;
            }
        }
        self
    }

    /// The same from now on.
    pub fn more(&mut self, seconds: u64) -> &mut Viewer {
        self.until(self.now / 1_000_000 + seconds)
    }

    fn look(&mut self) -> bool {
        self.player.decoder().advance(self.now);
        let (at, events) = (self.at(), &mut self.events);
        // The channel goes by its own clock.
        self.player.http().started = at.0.wrapping_sub(self.now);
        let turn = self.player.step(at, &mut |e| events.push(*e));
        match turn.state {
            State::Failed(_) => return false,
            State::Ended if self.player.is_played_out() => return false,
            _ => {}
        }
        if turn.next != Some(at) {
            self.now += LOOK;
        }
        true
    }

    pub fn session(&mut self) -> &mut Session {
        self.player.session()
    }

    pub fn channel(&mut self) -> &mut Channel {
        self.player.http()
    }

    pub fn has(&self, kind: EventKind) -> bool {
        self.events.iter().any(|e| e.kind == kind)
    }

    pub fn all(&self, kind: EventKind) -> Vec<Event> {
        self.events.iter().filter(|e| e.kind == kind).copied().collect()
    }

    /// Starts of the fragments from which samples were taken, each once, in the order taken.
    pub fn fragments(&mut self, stream: u16) -> Vec<u64> {
        let mut all = Vec::new();
        for s in self.player.decoder().samples.iter().filter(|s| s.stream == stream) {
            if all.last() != Some(&s.fragment) {
                all.push(s.fragment);
            }
        }
        all
    }

    /// Whether every sample of a stream follows the one before it, save for one tick of rounding.
    pub fn is_seamless(&mut self, stream: u16) -> bool {
        let samples: Vec<_> =
            self.player.decoder().samples.iter().filter(|s| s.stream == stream).cloned().collect();
        samples.windows(2).all(|w| (w[1].dts - w[0].dts - w[0].duration as i64).abs() <= 2)
    }

    /// What is shown, in milliseconds.
    pub fn position(&mut self) -> i64 {
        self.session().live().and_then(|l| l.position).map_or(0, |p| p.0 / 10_000)
    }
}

/// A media time in seconds.
pub fn seconds(s: u64) -> MediaTime {
    MediaTime((s * SECOND) as i64)
}

/// The usual configuration.
pub fn config() -> Config {
    Config { seed: 7, budget: 4 << 20, fixed_bitrate: 500_000, ..Config::default() }
}
