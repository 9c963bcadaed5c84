//! The kinds of fault, and a script of them that follows from a seed.

use crate::dice::Dice;
use crate::net::{Broken, Outage};
use crate::show::{End, Gap, Run, SECOND, Show, Then};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $on:ident;)+) => {
        /// A kind of fault.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind { $($(#[doc = $doc])+ $name,)+ }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)+];

            pub fn name(self) -> &'static str {
                match self { $(Kind::$name => $text,)+ }
            }

            /// What it can happen to.
            pub fn on(self) -> On {
                match self { $(Kind::$name => On::$on,)+ }
            }
        }
    };
}

/// Presentations to which a kind of fault can happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    Both,
    Live,
    Vod,
}

kinds! {
    // Network.
    /// No connection.
    Refuse = "refuse", Both;
    /// The connection breaks inside the body.
    Reset = "reset", Both;
    /// Silence inside the body.
    Stall = "stall", Both;
    /// Connected, and no answer.
    Silence = "silence", Both;
    /// A few bytes a second.
    Drip = "drip", Both;
    /// Ends early as if that were all, with or without a length that says otherwise.
    Truncate = "truncate", Both;
    /// Every connection breaks, and none is made.
    Down = "down", Both;
    /// Nothing arrives, and nobody is told.
    Hole = "hole", Both;
    /// Answers take seconds.
    Late = "late", Both;

    // HTTP.
    /// The same fragment of another level.
    OtherLevel = "other-level", Both;
    /// Another fragment of the stream.
    OtherTime = "other-time", Live;
    /// Bytes of the header are changed.
    CorruptHeader = "corrupt-header", Both;
    /// Bytes of the samples are changed.
    CorruptData = "corrupt-data", Both;
    /// Bytes behind the samples.
    Junk = "junk", Both;
    /// A page of a captive portal.
    Html = "html", Both;
    /// Nothing, with 200.
    Empty = "empty", Both;
    /// 403.
    Forbidden = "403", Both;
    /// 404.
    NotFound = "404", Both;
    /// 410.
    Gone = "410", Both;
    /// 412.
    TooEarly = "412", Both;
    /// 429.
    TooMany = "429", Both;
    /// 500.
    Broken = "500", Both;
    /// 503.
    Busy = "503", Both;
    /// To a mirror.
    Redirect = "redirect", Both;

    // Presentation.
    /// An old manifest out of a cache.
    StaleManifest = "stale-manifest", Live;
    /// A manifest cut short or garbled.
    GarbledManifest = "garbled-manifest", Both;
    /// The manifest answers 404.
    NoManifest = "no-manifest", Both;
    /// Media that was never shot.
    Gap = "gap", Live;
    /// The same of one stream.
    OneGap = "one-gap", Live;
    /// The encoder starts again at other times.
    Restart = "restart", Live;
    /// A second encoder takes over; its times overlap those of the first.
    Failover = "failover", Live;
    /// Followers that are known already are announced again.
    Again = "announced-again", Live;
    /// The event ends; its archive stays.
    EndArchive = "end-archive", Live;
    /// The event ends; its manifest is gone.
    EndGone = "end-gone", Live;
    /// The encoder is unplugged for a while; the origin answers.
    Unplugged = "unplugged", Live;
    /// No announcements.
    NoFollowers = "no-followers", Live;
    /// Announced times a few ticks off.
    OddFollowers = "odd-followers", Live;
    /// Announcements without or with a single entry.
    FewFollowers = "few-followers", Live;
    /// Listed times a few ticks off at the end.
    OddTail = "odd-tail", Live;
    /// Sound is there seconds after the picture.
    EdgesApart = "edges-apart", Live;

    // Host.
    /// The viewer pauses, in live perhaps longer than the window.
    Pause = "pause", Both;
    /// Seeks anywhere.
    Seek = "seek", Both;
    /// Streams are turned off and on.
    Select = "select", Both;
    /// Output restrictions come and go.
    Restrict = "restrict", Both;
    /// The host's clock jumps hours ahead.
    ClockJump = "clock-jump", Both;
    /// The host's clock steps back.
    ClockBack = "clock-back", Both;
    /// The box sleeps: nothing runs, then everything goes on.
    Sleep = "sleep", Both;
    /// Decoders take nothing for a while.
    Full = "decoder-full", Both;
    /// Decoders put off their set-up.
    Later = "decoder-later", Both;
    /// A level is refused by its decoder.
    Unplayable = "decoder-refuses", Both;
    /// Every second sample is refused; one decoder waits for the other.
    Fickle = "decoder-fickle", Both;
    /// Memory for little more than a fragment.
    Tiny = "tiny-budget", Both;
    /// The host answers late and is woken late.
    Slow = "slow-host", Both;
}

/// A fault for a while.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    pub from: u64,
    pub until: u64,
    /// It hits one exchange in so many.
    pub odds: u64,
    /// The stream it hits, if only one.
    pub stream: Option<usize>,
    /// Seed of the details.
    pub amount: u64,
}

/// Something the host or the viewer does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Action {
    /// To so many thousandths of what can be seen.
    Seek(u64),
    /// To the live edge.
    SeekLive,
    Select(usize, bool),
    /// The box says that it goes to sleep, and that it is back.
    Suspend,
    Resume,
    Pause,
    Play,
    Restrict(u64),
    /// The clock moves by so many microseconds.
    Jump(i64),
    /// Nothing runs for so many microseconds.
    Sleep(u64),
    Full(u64),
    Later(u64),
    Unplayable(u64),
    /// The host says that the network is gone, or back.
    Network(bool),
}

/// All that goes wrong in a run.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub kinds: Vec<Kind>,
    pub faults: Vec<Fault>,
    pub actions: Vec<(u64, Action)>,
    pub outages: Vec<Outage>,
    /// When the last of it is over, in virtual microseconds.
    pub last: u64,
    pub tiny: bool,
    pub slow: bool,
    pub fickle: bool,
}

impl Script {
    /// Faults of these kinds within the first minutes; `show` is changed where the presentation itself is at fault.
    pub fn write(kinds: &[Kind], show: &mut Show, dice: &mut Dice) -> Script {
        let mut script = Script { kinds: kinds.to_vec(), ..Script::default() };
        // An end comes last.
        let ends = |kind: &Kind| matches!(kind, Kind::EndArchive | Kind::EndGone);
        let (last, first): (Vec<Kind>, Vec<Kind>) = kinds.iter().partition(|kind| ends(kind));
        for kind in first.into_iter().chain(last) {
            script.add(kind, show, &mut dice.split());
        }
        script.actions.sort_by_key(|a| a.0);
        script
    }

    fn until(&mut self, at: u64) {
        self.last = self.last.max(at);
    }

    fn act(&mut self, at: u64, action: Action) {
        self.actions.push((at, action));
        self.until(at);
    }

    fn add(&mut self, kind: Kind, show: &mut Show, dice: &mut Dice) {
        let from = dice.within(0, 40) * SECOND + dice.below(SECOND);
        let length = dice.within(1, 12) * SECOND + dice.below(SECOND);
        // What happens to an encoder happens to one that has been at work for a while.
        let encoder =
            matches!(kind, Kind::Gap | Kind::OneGap | Kind::Restart | Kind::Failover | Kind::Unplugged);
        let begun = show.runs.last().map_or(0, |r| r.wall.max(0)) as u64;
        let from = if encoder && begun > 0 { from.max(begun + 20 * SECOND) } else { from };
        let until = from + length;
        let odds = dice.pick(&[1, 1, 2, 3, 6]);
        let stream = dice.pick(&[None, None, Some(0), Some(1)]);
        let mut fault = Fault { kind, from, until, odds, stream, amount: dice.roll() };
        match kind {
            Kind::Down | Kind::Hole | Kind::Late => {
                let how = match kind {
                    Kind::Down => Broken::Down,
                    Kind::Hole => Broken::Hole,
                    _ => Broken::Late(dice.within(1, 8) * SECOND),
                };
                let until = from + length * if kind == Kind::Down { dice.pick(&[1, 3]) } else { 1 };
                self.outages.push(Outage { from, until, how });
                // An answer under way when it ends is late by as much.
                self.until(until + if let Broken::Late(by) = how { by } else { 0 });
                if kind == Kind::Down && dice.one_in(2) {
                    self.act(from, Action::Network(false));
                    self.act(until, Action::Network(true));
                }
                return;
            }
            Kind::Pause => {
                let long = show.live.map_or(30, |l| (l.dvr / SECOND).max(20));
                let long = dice.within(1, long * 2) * SECOND;
                self.act(from, Action::Pause);
                return self.act(from + long, Action::Play);
            }
            Kind::Seek => {
                for _ in 0..dice.within(1, 6) {
                    let at = from + dice.below(length);
                    let to = match show.live {
                        Some(_) if dice.one_in(4) => Action::SeekLive,
                        _ => Action::Seek(dice.below(1001)),
                    };
                    self.act(at, to);
                }
                return;
            }
            Kind::Select => {
                let last = show.streams.len() - 1;
                for _ in 0..dice.within(1, 4) {
                    let (s, at) = (dice.within(1, last as u64) as usize, from + dice.below(length));
                    self.act(at, Action::Select(s, dice.one_in(2)));
                }
                // So that what has to play is known.
                for s in 1..=last {
                    self.act(until, Action::Select(s, true));
                }
                return;
            }
            Kind::Restrict => {
                for _ in 0..dice.within(1, 4) {
                    self.act(from + dice.below(length), Action::Restrict(dice.within(1, 15)));
                }
                return self.act(until, Action::Restrict(u64::MAX));
            }
            Kind::ClockJump => {
                let hours = dice.within(1, 30) * 3600 * SECOND;
                return self.act(from, Action::Jump(hours as i64 + dice.below(SECOND) as i64));
            }
            Kind::ClockBack => {
                let back = dice.pick(&[1000, SECOND, 30 * SECOND, 3600 * SECOND]);
                return self.act(from, Action::Jump(-((back / 2 + dice.below(back)) as i64)));
            }
            Kind::Sleep => {
                let long = dice.pick(&[5, 60, 600, 7200]) * SECOND;
                let told = dice.one_in(2);
                if told {
                    self.act(from, Action::Suspend);
                }
                self.act(from + 1, Action::Sleep(long));
                if told {
                    self.act(from + 1 + long, Action::Resume);
                }
                return self.until(from + 1 + long);
            }
            Kind::Full => {
                self.actions.push((from, Action::Full(until)));
                return self.until(until);
            }
            Kind::Later => {
                self.actions.push((from.min(2 * SECOND), Action::Later(until)));
                return self.until(until);
            }
            Kind::Unplayable => {
                let which = dice.below(8);
                return self.act(from.min(3 * SECOND), Action::Unplayable(which));
            }
            Kind::Fickle => {
                self.fickle = true;
                return;
            }
            Kind::Tiny => {
                self.tiny = true;
                return;
            }
            Kind::Slow => {
                self.slow = true;
                return;
            }
            Kind::Gap | Kind::OneGap => {
                let run = (show.runs.len() - 1) as u32;
                let wall = show.runs[run as usize].wall;
                let from = (from as i64 - wall) as u64;
                let stream = (kind == Kind::OneGap).then(|| dice.below(show.streams.len() as u64) as usize);
                show.gaps.push(Gap { stream, run, from, to: from + length });
                return self.until(until + behind(show));
            }
            Kind::Restart => {
                let pause = dice.pick(&[0, 3, 15]) * SECOND;
                let before = show.runs.last().expect("a run");
                // Never times that were there before, which no cache could tell apart.
                let origin = match dice.below(3) {
                    0 if before.origin > 0 => 0,
                    1 if before.origin > 0 => before.origin / 2,
                    _ => before.origin + dice.within(200_000, 900_000) * 10_000_000,
                };
                let wall = (from + pause) as i64;
                show.runs.last_mut().expect("a run").until = Some(from as i64);
                show.runs.push(Run { wall, origin, until: None, continues: false });
                return self.until(from + pause + behind(show) + longest(show) * 3);
            }
            Kind::Failover => {
                let before = show.runs.last_mut().expect("a run");
                before.until = Some(from as i64);
                // The second encoder has been running beside the first, and its fragments lie a little otherwise.
                let (origin, since) = (before.origin, (from as i64 - before.wall) as u64);
                let back = dice.below(2 * SECOND);
                let origin = origin + (since - back.min(since)) * 10 + dice.below(1000);
                show.runs.push(Run {
                    wall: (from - back.min(from)) as i64,
                    origin,
                    until: None,
                    continues: true,
                });
                return self.until(from + behind(show));
            }
            Kind::Unplugged => {
                let run = (show.runs.len() - 1) as u32;
                let wall = show.runs[run as usize].wall;
                let gap = Gap {
                    stream: None,
                    run,
                    from: (from as i64 - wall) as u64,
                    to: (until as i64 - wall) as u64,
                };
                show.gaps.push(gap);
                return self.until(until + behind(show));
            }
            Kind::EndArchive | Kind::EndGone => {
                let at = from.max(begun) + 20 * SECOND;
                let then = if kind == Kind::EndArchive { Then::Archive } else { Then::Gone };
                let told = dice.pick(&[0, 2, 20]) * SECOND;
                show.runs.last_mut().expect("a run").until = Some(at as i64);
                if let Some(live) = &mut show.live {
                    live.end = Some(End { at, then, told });
                }
                // A manifest that is gone is believed only after a while, and a viewer may be far behind.
                return self.until(
                    at + show.last_come() + told + if kind == Kind::EndGone { 480 * SECOND } else { 0 },
                );
            }
            Kind::EdgesApart => {
                let s = dice.within(0, show.streams.len() as u64 - 1) as usize;
                show.streams[s].lag = dice.within(1, 6) * SECOND;
                return;
            }
            // Such an origin is one from the beginning.
            Kind::NoFollowers | Kind::FewFollowers if dice.one_in(2) => {
                (fault.from, fault.until, fault.odds, fault.stream) = (0, u64::MAX, 1, None);
                self.faults.push(fault);
                return;
            }
            Kind::StaleManifest | Kind::GarbledManifest | Kind::NoManifest => {
                // Where it is read, or not at all.
                if dice.one_in(2) {
                    (fault.from, fault.until) = (0, length / 2);
                }
                fault.stream = None;
            }
            _ => {}
        }
        self.faults.push(fault);
        self.until(fault.until);
    }

    /// Whether decoders may refuse what was there when the clock was set running, or memory holds less than a start buffer.
    pub fn takes_back(&self) -> bool {
        self.tiny || self.kinds.contains(&Kind::Unplayable)
    }

    /// The faults that can hit an exchange started now.
    pub fn active(&self, now: u64) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(move |f| (f.from..f.until).contains(&now))
    }
}

/// How far behind the edge a viewer may be, in microseconds: what happens at the encoder happens to him so much later.
pub fn behind(show: &Show) -> u64 {
    let ahead = show.live.map_or(0, |l| l.look_ahead + 4);
    longest(show) * ahead + 8 * SECOND
}

/// The longest fragment in microseconds.
pub fn longest(show: &Show) -> u64 {
    show.streams.iter().map(|s| s.micros(1)).max().unwrap_or(0)
}
