//! Following a live presentation.
//!
//! The manifest is read once; every next fragment is learnt from the ones before it (`edge`). It is read again only where
//! that does not do (`refresh`, `merge`): where a seek, a pause, an outage or an origin without announcements leaves a hole in
//! what is known. Nothing here is a failure until the origin has been asked what it has (`missing`).

mod date;
mod edge;
mod merge;
mod missing;
mod place;
mod power;
mod rate;
mod refresh;

use super::{Session, State};
use crate::io::{EventKind, RefreshReason};
use crate::manifest::Liveness;
use crate::mem::Text;
use crate::time::{Instant, MediaTime, Micros};

/// Whether this build follows live presentations.
pub(super) const LIVE: bool = cfg!(feature = "live");
/// What a fragment is taken for while no length is known.
const USUAL: Micros = Micros::from_secs(2);
/// The longest time between two looks at the manifest while nothing comes, and after failures.
const SLOWEST: Micros = Micros::from_secs(10);

/// Where playback goes once the manifest has been read again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    Time(MediaTime),
    /// Where it was, if the window still reaches so far.
    Kept(MediaTime),
    Edge,
}

/// Whether anything may be asked of the network.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Power {
    #[default]
    On,
    /// The network is away.
    Offline,
    /// The box sleeps.
    Suspended,
}

/// Whether the position is that of the live edge, or one that the host chose.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Follow {
    #[default]
    Edge,
    Position,
}

/// What a session knows of a live presentation beside its manifest and its streams.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Why the manifest is to be read again.
    wanted: Option<RefreshReason>,
    /// Why it is being read.
    reading: Option<RefreshReason>,
    /// It is not asked for before this.
    not_before: Instant,
    /// When it was last asked for.
    asked: Instant,
    /// When its head came.
    head: Instant,
    /// When the list in force was received.
    updated: Instant,
    /// Tries that failed in a row.
    failed: u32,
    /// Answers in a row that there is no such presentation, and since when.
    gone: u32,
    gone_since: Instant,
    /// Readings in a row that brought nothing new.
    idle: u32,
    /// The last one lay wholly before what is known.
    lower: bool,
    /// Where it ended when it first ended far before what is known, though something of that is listed.
    fallen: Option<MediaTime>,
    /// After redirects, of the one being read.
    base: Text,
    /// Sound and pictures wait for a reading; then they go on there.
    hold: Option<Target>,
    /// The manifest being set up is that of a live presentation.
    pub(super) lists_more: bool,
    /// Nothing has been placed yet: a stream lists no fragment.
    unplaced: bool,
    follow: Follow,
    /// Since when the host pauses.
    paused: Option<Instant>,
    pub(super) power: Power,
    /// What was shown when the box went to sleep, and when that was.
    slept: Option<(Option<MediaTime>, Instant)>,
    /// When the network went.
    offline: Instant,
    /// When the origin last answered anything.
    alive: Instant,
    /// Bytes that the manifest takes.
    pub(super) manifest_bytes: usize,
    /// Bytes held before it was parsed.
    pub(super) floor: usize,
    /// Thousandths of real time at which the clock runs; 0: as always.
    speed: i32,
    /// The origin's clock in seconds since 1970, and when it said so.
    date: Option<(u64, Instant)>,
    /// Where the first list began.
    first: Option<MediaTime>,
    /// What is added to the host's clock.
    shift: u64,
    /// Until when the host need not call.
    pub(super) promised: Option<Instant>,
    /// Time the host's clock has left out, to be told.
    jumped: Micros,
}

/// The end of one stream's list.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tail {
    /// Where a fragment ends that is known to be there, in ticks, and since when it is.
    published: Option<(u64, Instant)>,
    /// Start of the newest fragment in the manifest last read.
    listed: u64,
    /// That fragment, with its length, until it is noted.
    heard: Option<(u64, u64)>,
    /// When something new last came.
    grown: Instant,
    /// It has been told that nothing comes.
    stalled: bool,
    /// Answers in a row that the fragment is not there yet, and since when.
    early: u32,
    early_since: Instant,
    /// The newest fragment announced nothing.
    silent: bool,
    /// Start and length of the fragment last taken up.
    taken: (u64, u64),
    /// Where that fragment ends by its own word; 0 while it has said nothing.
    ends: u64,
    /// Start of the oldest fragment in the manifest last read.
    oldest: u64,
    /// Its fragments have said that they are those asked for.
    agreed: bool,
    resolve: Resolve,
    /// How often the manifest has said nothing new of the fragment.
    doubted: u32,
    /// The next try is for the same level.
    pub(super) same_level: bool,
    /// The list does not reach the position; nothing is fetched before the manifest was read again.
    hold: bool,
    /// Since when the fragment fails.
    failing: Option<Instant>,
    /// After an outage: fetches keep a distance.
    recovering: bool,
    /// When the last fetch began.
    pub(super) begun: Instant,
}

impl Tail {
    /// Whether what was last taken up lasts to `time`, in ticks.
    fn reaches(&self, time: u64) -> bool {
        let (start, duration) = self.taken;
        start.saturating_add(duration) >= time
    }

    /// What was being fetched is no longer wanted.
    pub(super) fn emptied(&mut self) {
        if LIVE {
            self.early = 0;
            self.resolve = Resolve::No;
            self.same_level = false;
            self.failing = None;
            self.taken = (0, 0);
            self.silent = false;
        }
    }
}

/// How far it has been looked into that the origin does not have a fragment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Resolve {
    #[default]
    No,
    /// The manifest is being read again.
    Waiting,
    /// It was.
    Done,
}

impl Session {
    /// Whether more fragments are to come.
    pub(super) fn is_growing(&self) -> bool {
        LIVE && self.manifest.as_ref().is_some_and(|m| m.liveness == Liveness::Live)
    }

    /// The streams that carry the presentation and are played.
    fn leading(&self) -> impl Iterator<Item = usize> + '_ {
        self.feeds.iter().enumerate().filter_map(|(i, f)| (f.selected && f.leads()).then_some(i))
    }

    /// How long a fragment of stream `i` is, as far as is known.
    fn length(&self, i: usize) -> Micros {
        let Some(feed) = self.feeds.get(i) else { return USUAL };
        let timeline = self.listed(feed.id).map(|s| &s.timeline);
        let last = timeline.and_then(|t| t.last());
        let before = || timeline.zip(last).and_then(|(t, l)| t.get(l.index.checked_sub(1)?));
        let known = |d: &u64| *d != 0;
        let ticks = last.map(|f| f.duration).filter(known);
        let ticks = ticks.or_else(|| before().map(|f| f.duration).filter(known));
        let ticks = ticks.unwrap_or(feed.tail.taken.1);
        if ticks == 0 { USUAL } else { feed.scale.micros(ticks).max(Micros(1)) }
    }

    /// The longest fragment of the played streams.
    fn longest(&self) -> Micros {
        self.leading().map(|i| self.length(i)).max().unwrap_or(USUAL)
    }

    /// Whether stream `i` has nothing to fetch that its list knows.
    fn at_tail(&self, i: usize) -> bool {
        self.next_fragment(i).is_none()
    }

    /// How long the edge may stand before that is told.
    fn patience(&self, i: usize) -> Micros {
        Micros(self.length(i).0.saturating_mul(3)).max(SLOWEST)
    }

    /// When stream `i`, which waits at the end of its list, wants the manifest, and why: only once its last fragment is here.
    fn wants_list(&self, i: usize) -> Option<(Instant, RefreshReason)> {
        let feed = self.feeds.get(i)?;
        if !feed.selected || feed.ended || feed.tail.hold {
            return None;
        }
        let length = self.length(i);
        let waits = feed.fetch.is_none() && !feed.retrying && self.at_tail(i);
        if waits && self.listed(feed.id).is_some_and(|s| s.timeline.is_empty()) {
            return Some((self.live.updated.after(length.max(USUAL)), RefreshReason::Empty));
        }
        let stalled = feed.tail.grown.after(self.patience(i));
        if feed.leads() && feed.tail.early > 0 {
            let since = feed.tail.early_since.after(Micros(length.0.saturating_mul(7) / 2));
            return Some((since.max(self.live.updated.after(length)), RefreshReason::Stalled));
        }
        if !waits {
            return None;
        }
        if !feed.leads() {
            return Some((self.live.updated.after(SLOWEST), RefreshReason::Unannounced));
        }
        if self.is_long_enough(i) {
            return Some((self.live.updated.after(length), RefreshReason::Stalled));
        }
        if feed.tail.silent {
            let due = self.live.updated.after(length.max(USUAL));
            let next = self.published_at(i, feed.tail.taken.0.saturating_add(feed.tail.taken.1));
            return Some((next.map_or(due, |n| due.max(n.after(length))), RefreshReason::Unannounced));
        }
        Some((stalled, RefreshReason::Stalled))
    }

    /// Looks after everything that time brings. Harmless at any time.
    pub(super) fn tend_live(&mut self) {
        if !LIVE || self.state != State::Playing {
            return;
        }
        let jumped = core::mem::take(&mut self.live.jumped);
        if jumped > Micros::ZERO {
            self.tell(self.event(EventKind::ClockJumped).numbers(jumped.0, 0));
            if self.is_growing() {
                self.want_list(RefreshReason::Resume);
            }
        }
        if !self.is_growing() || self.live.power != Power::On {
            return;
        }
        let now = self.now;
        for i in 0..self.feeds.len() {
            if let Some((_, reason)) = self.wants_list(i).filter(|(at, _)| now >= *at) {
                self.want_list(reason);
            }
            self.watch_edge(i);
        }
        self.try_place();
    }

    /// Tells that nothing comes at the edge of stream `i`, once.
    fn watch_edge(&mut self, i: usize) {
        let patience = self.patience(i);
        let now = self.now;
        let Some(feed) = self.feeds.get(i).filter(|f| f.selected && f.leads() && !f.ended) else { return };
        let waits = feed.tail.early > 0 || (feed.fetch.is_none() && !feed.retrying && self.at_tail(i));
        let stood = now.since(feed.tail.grown);
        if !waits || feed.tail.stalled || stood <= patience {
            return;
        }
        let end = self.listed(feed.id).and_then(|s| s.end_time()).unwrap_or_default();
        let event = self.event(EventKind::StalledAtEdge).about(feed.id).when(end).numbers(stood.0, 0);
        if let Some(feed) = self.feeds.get_mut(i) {
            feed.tail.stalled = true;
        }
        self.tell(event);
    }

    /// Something new has come at the edge of stream `i`.
    fn edge_moved(&mut self, i: usize) {
        let now = self.now;
        let event = self.event(EventKind::EdgeMoving);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let stood = now.since(feed.tail.grown);
        feed.tail.grown = now;
        let stalled = core::mem::take(&mut feed.tail.stalled);
        let event = event.about(feed.id).numbers(stood.0, 0);
        self.live.idle = 0;
        if stalled {
            self.tell(event);
        }
    }

    /// When something of a live presentation is due without an input.
    pub(super) fn live_deadline(&self) -> Option<Instant> {
        if !LIVE || self.state != State::Playing || !self.is_growing() || self.live.power != Power::On {
            return None;
        }
        let mut soonest: Option<Instant> = None;
        let mut consider = |at: Instant| {
            if at > self.now {
                soonest = Some(soonest.map_or(at, |s| s.min(at)));
            }
        };
        if self.live.wanted.is_some() && self.opening.is_none() {
            consider(self.live.not_before);
        }
        for (i, feed) in self.feeds.iter().enumerate().filter(|(_, f)| f.selected && !f.ended) {
            if let Some((at, _)) = self.wants_list(i) {
                consider(at);
            }
            if feed.leads() && !feed.tail.stalled {
                consider(feed.tail.grown.after(self.patience(i)).after(Micros(1)));
            }
            if feed.fetch.is_none()
                && !feed.retrying
                && let Some((start, duration)) = self.next_fragment(i)
            {
                consider(self.fetch_at(i, start, duration));
            }
        }
        soonest
    }
}
