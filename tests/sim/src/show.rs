//! The model of a presentation: which fragments exist, where they start to the tick, and since when.
//!
//! Nothing is listed ahead: every time follows from a formula, so a month of a channel costs no memory.

use smoothcore::codec::Kind;

use crate::dice::mix;

/// Virtual microseconds of a second.
pub const SECOND: u64 = 1_000_000;
/// Ticks of a second where no scale is named.
pub const HNS: u64 = 10_000_000;

/// A fragment: the run it belongs to and its place in that run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Piece {
    pub run: u32,
    pub n: u64,
}

/// A presentation.
#[derive(Clone, Debug)]
pub struct Show {
    pub streams: Vec<Stream>,
    /// In the order in which they went on the air.
    pub runs: Vec<Run>,
    /// `None`: on demand, all of it is there from the beginning.
    pub live: Option<Live>,
    pub gaps: Vec<Gap>,
    pub listing: Listing,
    /// Bodies are this many times smaller than bitrates say.
    pub thin: u64,
}

/// One stream.
#[derive(Clone, Debug)]
pub struct Stream {
    pub name: &'static str,
    pub kind: Kind,
    pub language: &'static str,
    pub scale: u64,
    /// bit/s, ascending.
    pub bitrates: Vec<u32>,
    /// Samples of a fragment.
    pub samples: u32,
    /// Seconds of a fragment as a fraction.
    pub length: (u64, u64),
    /// Its fragments are there so much later than those of the others, in microseconds.
    pub lag: u64,
    /// Its times begin so many ticks after those of the others.
    pub shift: u64,
}

/// Uninterrupted work of an encoder.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Virtual time at which the run's zero was shot, in microseconds; may lie before the simulation's.
    pub wall: i64,
    /// Media time of its zero in 100 ns.
    pub origin: u64,
    /// Virtual time at which it stopped.
    pub until: Option<i64>,
    /// It goes on where the run before it ended, instead of replacing it.
    pub continues: bool,
}

/// What makes a presentation live.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// How it is spelled.
    pub spelling: &'static str,
    /// Microseconds; 0: everything since the beginning.
    pub dvr: u64,
    pub look_ahead: u64,
    /// The newest fragments are held back altogether, or served and only not listed.
    pub holds: Holds,
    /// From the last picture of a fragment until the origin has it, and by how much that varies.
    pub delay: u64,
    pub jitter: u64,
    /// Fragments that have left the window are served so much longer.
    pub grace: u64,
    pub end: Option<End>,
    /// Version of `tfxd` and `tfrf`.
    pub version: u8,
    /// Whether followers are announced.
    pub announces: bool,
    /// Most entries of a `tfrf`.
    pub most: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// Not served before their followers are known.
    Served,
    /// Served at once, with the followers known so far.
    Listed,
}

/// The end of the event.
#[derive(Clone, Copy, Debug)]
pub struct End {
    pub at: u64,
    pub then: Then,
    /// So long after the end the manifest says so.
    pub told: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// The manifest lists all of it and is no longer live.
    Archive,
    /// The manifest is gone.
    Gone,
}

/// Media that does not exist.
#[derive(Clone, Copy, Debug)]
pub struct Gap {
    pub stream: Option<usize>,
    pub run: u32,
    /// Since the run's zero, in microseconds.
    pub from: u64,
    pub to: u64,
}

/// How fragments are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listing {
    /// `t` and `d` each.
    Times,
    /// The same, with durations a few ticks off: rounded on their own.
    Rounded(u64),
    /// `t` once, then only `d`.
    Durations,
    /// With `r` where durations repeat.
    Repeats,
}

impl Stream {
    pub fn video(scale: u64, bitrates: &[u32], samples: u32, length: (u64, u64)) -> Stream {
        Stream {
            name: "video",
            kind: Kind::Video,
            language: "",
            scale,
            bitrates: bitrates.to_vec(),
            samples,
            length,
            lag: 0,
            shift: 0,
        }
    }

    pub fn audio(name: &'static str, scale: u64, bitrate: u32, samples: u32, length: (u64, u64)) -> Stream {
        Stream {
            name,
            kind: Kind::Audio,
            language: &name[name.len() - 3..],
            scale,
            bitrates: vec![bitrate],
            samples,
            length,
            lag: 0,
            shift: 0,
        }
    }

    /// Ticks from a run's zero to the start of its n-th fragment: exact times, rounded once.
    fn ticks(&self, n: u64) -> u64 {
        let exact = u128::from(n) * u128::from(self.length.0) * u128::from(self.scale);
        (exact / u128::from(self.length.1)) as u64
    }

    /// Microseconds from a run's zero to the start of its n-th fragment, rounded up.
    pub fn micros(&self, n: u64) -> u64 {
        let exact = u128::from(n) * u128::from(self.length.0) * u128::from(SECOND);
        exact.div_ceil(u128::from(self.length.1)) as u64
    }

    /// Fragments that are over after so many microseconds.
    fn over(&self, micros: i64) -> u64 {
        if micros <= 0 {
            return 0;
        }
        (micros as u128 * u128::from(self.length.1) / (u128::from(self.length.0) * u128::from(SECOND))) as u64
    }

    /// Media time in 100 ns, as the core counts it.
    pub fn hns(&self, ticks: u64) -> i64 {
        (u128::from(ticks) * u128::from(HNS) / u128::from(self.scale)) as i64
    }

    /// Ticks from the start of a fragment of `whole` ticks to its k-th sample.
    pub fn sample(&self, whole: u64, k: u32) -> u64 {
        whole * u64::from(k) / u64::from(self.samples)
    }
}

impl Show {
    /// On demand, `seconds` long.
    pub fn vod(streams: Vec<Stream>, seconds: u64, origin: u64) -> Show {
        let until = Some((seconds * SECOND) as i64);
        Show {
            streams,
            runs: vec![Run { wall: 0, origin, until, continues: false }],
            live: None,
            gaps: Vec::new(),
            listing: Listing::Times,
            thin: 1,
        }
    }

    /// Start of a fragment in ticks.
    pub fn start(&self, s: usize, p: Piece) -> u64 {
        let stream = &self.streams[s];
        let origin =
            u128::from(self.runs[p.run as usize].origin) * u128::from(stream.scale) / u128::from(HNS);
        origin as u64 + stream.shift + stream.ticks(p.n)
    }

    /// Where it ends: where the next one would start.
    pub fn stop(&self, s: usize, p: Piece) -> u64 {
        self.start(s, Piece { n: p.n + 1, ..p })
    }

    /// The fragment that starts there.
    pub fn find(&self, s: usize, ticks: u64) -> Option<Piece> {
        let stream = &self.streams[s];
        for run in (0..self.runs.len() as u32).rev() {
            let first = self.start(s, Piece { run, n: 0 });
            let Some(since) = ticks.checked_sub(first) else { continue };
            let near = (u128::from(since) * u128::from(stream.length.1)
                / (u128::from(stream.length.0) * u128::from(stream.scale))) as u64;
            for n in [near, near + 1] {
                let piece = Piece { run, n };
                if self.start(s, piece) == ticks && self.exists(s, piece) {
                    return Some(piece);
                }
            }
        }
        None
    }

    /// Whether it was or will be shot and kept.
    pub fn exists(&self, s: usize, p: Piece) -> bool {
        let run = &self.runs[p.run as usize];
        if run.until.is_some_and(|until| p.n >= self.shot_of(s, p.run, until)) {
            return false;
        }
        if run.continues && !self.is_behind(s, p) {
            return false;
        }
        let at = self.streams[s].micros(p.n);
        !self
            .gaps
            .iter()
            .any(|g| g.run == p.run && g.stream.is_none_or(|of| of == s) && (g.from..g.to).contains(&at))
    }

    /// Whether a fragment of an encoder that took over begins behind all of the one before: of others the origin keeps
    /// what it has.
    fn is_behind(&self, s: usize, p: Piece) -> bool {
        let Some(before) = p.run.checked_sub(1) else { return true };
        let Some(until) = self.runs[before as usize].until else { return true };
        let last = self.shot_of(s, before, until).checked_sub(1);
        last.is_none_or(|n| self.start(s, p) > self.start(s, Piece { run: before, n }))
    }

    /// The next one that exists.
    pub fn next(&self, s: usize, p: Piece) -> Option<Piece> {
        // A gap is no longer than this.
        for n in p.n + 1..p.n + 100_000 {
            let piece = Piece { n, ..p };
            if self.exists(s, piece) {
                return Some(piece);
            }
            if self.runs[p.run as usize].until.is_some_and(|until| n >= self.shot_of(s, p.run, until)) {
                break;
            }
        }
        let run = self.runs.get(p.run as usize + 1)?;
        let mut first = (0..10).map(|n| Piece { run: p.run + 1, n });
        first.find(|next| run.continues && self.exists(s, *next))
    }

    /// Fragments of a run that are shot at a moment.
    fn shot_of(&self, s: usize, run: u32, wall: i64) -> u64 {
        let r = &self.runs[run as usize];
        let wall = r.until.map_or(wall, |until| wall.min(until));
        self.streams[s].over(wall - r.wall)
    }

    /// Fragments of a run that the origin has at a moment.
    pub fn there(&self, s: usize, run: u32, wall: u64) -> u64 {
        match self.live {
            Some(live) => {
                let shot = self.shot_of(s, run, wall as i64 - (live.delay + self.streams[s].lag) as i64);
                let last = Piece { run, n: shot.saturating_sub(1) };
                // It may still be under way.
                if shot > 0 && self.there_at(s, last) > wall as i64 { shot - 1 } else { shot }
            }
            None => self.shot_of(s, run, i64::MAX),
        }
    }

    /// When the origin has a fragment.
    pub fn there_at(&self, s: usize, p: Piece) -> i64 {
        let Some(live) = self.live else { return i64::MIN };
        let stream = &self.streams[s];
        let late = mix(p.n ^ (s as u64) << 60) % (live.jitter + 1);
        self.runs[p.run as usize].wall + (stream.micros(p.n + 1) + live.delay + stream.lag + late) as i64
    }

    /// Whether a run is over, so that nothing of it is held back any more.
    fn released(&self, s: usize, run: u32, wall: u64) -> bool {
        let Some(live) = self.live else { return true };
        let late = (live.delay + self.streams[s].lag + SECOND) as i64;
        self.runs[run as usize].until.is_some_and(|until| wall as i64 > until + late)
    }

    /// Fragments of a run that are listed, and that are served: up to, not including.
    pub fn edge(&self, s: usize, run: u32, wall: u64) -> (u64, u64) {
        let there = self.there(s, run, wall);
        let Some(live) = self.live else { return (there, there) };
        if self.released(s, run, wall) {
            return (there, there);
        }
        let listed = there.saturating_sub(live.look_ahead);
        (listed, if live.holds == Holds::Served { listed } else { there })
    }

    /// When a fragment is served.
    pub fn served_at(&self, s: usize, p: Piece) -> i64 {
        let Some(live) = self.live else { return i64::MIN };
        if live.holds == Holds::Listed {
            return self.there_at(s, p);
        }
        let held = self.there_at(s, Piece { n: p.n + live.look_ahead, ..p });
        let late = (live.delay + self.streams[s].lag + SECOND) as i64;
        self.runs[p.run as usize].until.map_or(held, |until| held.min(until + late + 1))
    }

    /// The run on the air: the last one of which something is listed of every stream.
    pub fn current(&self, wall: u64) -> u32 {
        let all = |run: u32| (0..self.streams.len()).all(|s| self.edge(s, run, wall).0 > 0);
        (0..self.runs.len() as u32).rev().find(|run| all(*run)).unwrap_or(0)
    }

    /// Where the event has ended and the manifest says so: not before the last fragments are there.
    pub fn archived(&self, wall: u64) -> Option<Then> {
        let end = self.live?.end?;
        (wall > end.at + self.last_come() + end.told).then_some(end.then)
    }

    /// How long after the end of an event its last fragments come, at most.
    pub fn last_come(&self) -> u64 {
        let lag = self.streams.iter().map(|s| s.lag).max().unwrap_or(0);
        self.live.map_or(0, |live| live.delay + lag + SECOND)
    }

    /// The first fragment of a run that is still in the window, or `keep` microseconds longer.
    pub fn window_start(&self, s: usize, run: u32, wall: u64, keep: u64) -> u64 {
        let Some(live) = self.live else { return 0 };
        if live.dvr == 0 || self.archived(wall).is_some() {
            return 0;
        }
        let stream = &self.streams[s];
        // Seen from the newest run on the air, in media time.
        let newest = self.current(wall).max(run);
        let edge = stream.micros(self.edge(s, newest, wall).0);
        let ahead = self.runs[newest as usize].origin as i128 - self.runs[run as usize].origin as i128;
        let edge = edge as i128 + ahead / 10;
        let from = edge - i128::from(live.dvr) - i128::from(keep);
        if from <= 0 { 0 } else { stream.over(from as i64) }
    }

    /// What is listed of a stream: pieces in order.
    pub fn listed(&self, s: usize, wall: u64) -> Vec<Piece> {
        let last = self.current(wall);
        let mut first = last;
        while self.runs[first as usize].continues && first > 0 {
            first -= 1;
        }
        let mut all = Vec::new();
        for run in first..=last {
            let (to, _) = self.edge(s, run, wall);
            let from = self.window_start(s, run, wall, 0);
            all.extend((from..to).map(|n| Piece { run, n }).filter(|p| self.exists(s, *p)));
        }
        all
    }

    /// Followers of a fragment that are known at a moment, nearest first.
    pub fn followers(&self, s: usize, p: Piece, wall: u64) -> Vec<Piece> {
        let Some(live) = self.live else { return Vec::new() };
        let most = (live.look_ahead as usize).min(live.most);
        let mut all = Vec::new();
        let mut at = p;
        while all.len() < most
            && let Some(next) = self.next(s, at)
            && self.there_at(s, next) <= wall as i64
        {
            all.push(next);
            at = next;
        }
        all
    }

    /// The stream of a name.
    pub fn stream(&self, name: &str) -> Option<usize> {
        self.streams.iter().position(|s| s.name == name)
    }
}
