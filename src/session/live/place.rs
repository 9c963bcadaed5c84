//! Where a live presentation is played: its window, its edge, seeking in it.

use super::super::config::{LiveStart, WindowChoice};
use super::super::{Session, State};
use super::{Follow, LIVE, Target};
use crate::codec::Kind;
use crate::error::{Code, Result};
use crate::io::{LiveWindow, RefreshReason};
use crate::time::{Instant, MediaTime, Micros};

use super::super::open::ticks;

/// The least distance from the edge and from the start of the window.
const NEAREST: Micros = Micros::from_secs(6);
const MARGIN: Micros = Micros::from_secs(5);

impl Session {
    /// Where a live presentation can be played, and how far behind its edge it is. `None` for one that no longer grows, and
    /// before there is anything to play.
    pub fn live(&self) -> Option<LiveWindow> {
        if !self.is_growing() || self.live.unplaced {
            return None;
        }
        let (start, end) = self.window()?;
        let position = self.position();
        Some(LiveWindow {
            start,
            end,
            edge: self.edge()?,
            position,
            latency: position.map(|p| end.since(p)),
            target_delay: self.delay(),
            origin_clock: self
                .live
                .date
                .map(|(seconds, at)| seconds.saturating_mul(1_000_000).saturating_add(self.now.since(at).0)),
            age: self.now.since(self.live.updated),
        })
    }

    /// Goes to the live edge, the target delay behind the newest fragment, and follows it from there.
    ///
    /// # Errors
    /// [`Code::State`] before the manifest is there, after a fatal error, and for a presentation that is not live;
    /// [`Code::Unsupported`] in a build without `live`.
    pub fn seek_live(&mut self, at: Instant) -> Result<()> {
        if !LIVE {
            return Err(Code::Unsupported.into());
        }
        self.advance(at);
        if !matches!(self.state, State::Playing | State::Ended) || !self.is_growing() {
            return Err(Code::State.into());
        }
        self.hurry();
        self.go_to_edge();
        Ok(())
    }

    /// Somebody waits in front of the screen.
    fn hurry(&mut self) {
        for feed in self.feeds.iter_mut() {
            feed.tail.recovering = false;
        }
    }

    /// Where a presentation starts; `None` where it is no live one. Notes when a played stream lists nothing yet.
    pub(in super::super) fn live_start(&mut self) -> Option<MediaTime> {
        if !self.is_growing() {
            return None;
        }
        self.live.follow = Follow::Edge;
        let lists =
            |i: usize| self.id(i).and_then(|id| self.listed(id)).is_some_and(|s| !s.timeline.is_empty());
        let placeable = self.leading().all(lists);
        self.live.unplaced = !placeable;
        let (start, end) = self.window()?;
        match (self.config.start_at, self.config.live.start) {
            (Some(at), _) => {
                self.live.follow = Follow::Position;
                Some(self.clamp(at, start, end))
            }
            (None, LiveStart::Beginning) => {
                self.live.follow = Follow::Position;
                Some(start)
            }
            (None, _) => self.edge(),
        }
    }

    /// Places streams that had nothing to be placed at, once all of them list something.
    pub(super) fn try_place(&mut self) {
        if !self.live.unplaced {
            return;
        }
        if let Some(start) = self.live_start().filter(|_| !self.live.unplaced) {
            self.place_cursors(start);
        }
    }

    /// The window that every played stream has: the latest start and the earliest end.
    pub(super) fn window(&self) -> Option<(MediaTime, MediaTime)> {
        let manifest = self.manifest.as_ref()?;
        let length = manifest.timescale.media_time(manifest.dvr_window).0;
        let slides = manifest.dvr_window != 0 && self.config.live.window == WindowChoice::Origin;
        let (mut start, mut end): (Option<MediaTime>, Option<MediaTime>) = (None, None);
        for i in self.leading() {
            let Some(stream) = self.id(i).and_then(|id| self.listed(id)) else { continue };
            let (Some(first), Some(last)) = (stream.first_time(), self.stream_end(i)) else { continue };
            let from = MediaTime(last.0.saturating_sub(length));
            let first = if slides { first.max(from) } else { first };
            start = Some(start.map_or(first, |s| s.max(first)));
            end = Some(end.map_or(last, |e| e.min(last)));
        }
        start.zip(end)
    }

    /// Where the newest fragment of stream `i` that is there ends: what is known, or must be by now.
    pub(super) fn stream_end(&self, i: usize) -> Option<MediaTime> {
        let feed = self.feeds.get(i)?;
        let listed = self.listed(feed.id)?.end_time()?;
        if !self.is_growing() {
            return Some(listed);
        }
        let Some((known, at)) = feed.tail.published else { return Some(listed) };
        let since = feed.scale.media_time(known).after(self.now.since(at));
        // What stands at the edge knows it; what plays elsewhere can only tell by the time that has passed.
        let near = feed.tail.stalled || self.at_tail(i) || feed.tail.early > 0;
        Some(if near || since < listed { since.min(listed) } else { since })
    }

    /// How far behind the newest fragment to play.
    pub(super) fn delay(&self) -> Micros {
        let wanted = match self.config.live.target_delay {
            Micros::ZERO => Micros(self.longest().0.saturating_mul(3)).max(NEAREST),
            told => told,
        };
        let Some(manifest) = &self.manifest else { return wanted };
        let window = manifest.timescale.micros(manifest.dvr_window);
        let slides = window != Micros::ZERO && self.config.live.window == WindowChoice::Origin;
        // A window too short for that has room on both sides.
        if slides && window.0 / 2 < wanted.0 { Micros(window.0 / 2) } else { wanted }
    }

    /// The position that is called live: at the start of a fragment of pictures.
    pub(super) fn edge(&self) -> Option<MediaTime> {
        let (start, end) = self.window()?;
        let back = i64::try_from(self.delay().0.saturating_mul(10)).unwrap_or(i64::MAX);
        let at = MediaTime(end.0.saturating_sub(back)).max(start);
        // Sound that ends a little before the pictures does not cost a whole fragment of delay.
        let about = at.after(Micros(self.longest().0 / 8));
        Some(self.on_a_key(about).filter(|key| *key >= start).unwrap_or(at))
    }

    /// The start of the fragment of pictures, or of sound where there are none, that plays at `time`.
    fn on_a_key(&self, time: MediaTime) -> Option<MediaTime> {
        let kind = |k: Kind| self.leading().find(|i| self.feeds.get(*i).is_some_and(|f| f.kind == k));
        let i = kind(Kind::Video).or_else(|| kind(Kind::Audio))?;
        let feed = self.feeds.get(i)?;
        let at = ticks(time, feed.scale);
        // A list that does not reach so far knows nothing of it.
        let fragment = self.listed(feed.id)?.timeline.at_or_before(at).filter(|f| f.end() > at)?;
        Some(feed.scale.media_time(fragment.start))
    }

    /// A position behind the start of the window that will not have left it before it is fetched.
    pub(super) fn behind_margin(&self, start: MediaTime) -> MediaTime {
        let margin = MARGIN.max(Micros(self.longest().0.saturating_mul(2)));
        let at = start.after(margin);
        // The start of a fragment there, and none before it.
        let at = self.on_a_key(at.after(self.longest())).filter(|key| *key >= at).unwrap_or(at);
        self.edge().map_or(at, |edge| at.min(edge).max(start))
    }

    /// `to` brought into the window.
    fn clamp(&self, to: MediaTime, start: MediaTime, end: MediaTime) -> MediaTime {
        let slides = self.manifest.as_ref().is_some_and(|m| m.dvr_window != 0);
        match () {
            () if to >= end => self.edge().unwrap_or(start),
            // A window that moves would have left the position before its fragment is here.
            () if slides && self.is_growing() && to < start => self.behind_margin(start),
            () => to.max(start),
        }
    }

    /// Whether the lists of all played streams reach `to`.
    fn covers(&self, to: MediaTime) -> bool {
        self.leading().all(|i| {
            let stream = self.id(i).and_then(|id| self.listed(id));
            let Some((first, end)) = stream.and_then(|s| s.first_time().zip(s.end_time())) else {
                return false;
            };
            first <= to && to < end
        })
    }

    /// Where a seek to `to` goes. What the list does not reach waits for a new one, unless it is as good as new.
    pub(in super::super) fn seek_target(&mut self, to: MediaTime) -> MediaTime {
        if !self.is_growing() {
            return to;
        }
        self.hurry();
        self.live.follow = Follow::Position;
        self.live.hold = None;
        let fresh = self.now.since(self.live.updated) < self.longest();
        let inside = self.window().is_some_and(|(start, end)| start <= to && to < end);
        let known = fresh || (inside && self.covers(to));
        if !known {
            self.hold_until_read(Target::Time(to), RefreshReason::Seek);
            return to;
        }
        match self.window() {
            Some((start, end)) => self.clamp(to, start, end),
            None => to,
        }
    }

    /// Goes to `to` with a flush.
    pub(super) fn go_to(&mut self, to: MediaTime) {
        let follow = self.live.follow;
        self.live.hold = None;
        self.seek_to(to);
        self.live.follow = follow;
    }

    /// Goes to the edge with a flush; where that is not known, once the manifest has been read again.
    pub(super) fn go_to_edge(&mut self) {
        let Some(edge) = self.edge() else { return };
        // A list that does not reach so far says nothing of what is there.
        let known = self.covers(edge);
        self.seek_to(edge);
        if !known {
            self.hold_until_read(Target::Edge, RefreshReason::Seek);
        }
        self.live.follow = Follow::Edge;
    }

    /// Sound and pictures wait until the manifest has been read again.
    pub(super) fn hold_until_read(&mut self, target: Target, reason: RefreshReason) {
        self.live.hold = Some(target);
        self.want_list(reason);
    }

    /// The manifest has been read again, or cannot be: those who wait for it go on.
    pub(super) fn release_hold(&mut self) {
        let Some(target) = self.live.hold.take() else { return };
        let to = match (target, self.window()) {
            (Target::Kept(to), Some((start, _))) if to < start && self.is_growing() => {
                let first = self.leading().next();
                if let Some(i) = first {
                    let wanted = self.feeds.get(i).map_or(0, |f| ticks(to, f.scale));
                    self.fall_behind(i, wanted);
                }
                return;
            }
            (Target::Time(to) | Target::Kept(to), Some((start, end))) => self.clamp(to, start, end),
            (Target::Time(to) | Target::Kept(to), None) => to,
            (Target::Edge, _) => match self.edge() {
                Some(edge) => edge,
                None => return,
            },
        };
        self.place_cursors(to);
        self.tell(self.event(crate::io::EventKind::Seeking).when(to));
    }

    /// A stream was turned on: its list may have stood still for long.
    pub(in super::super) fn turned_on(&mut self, i: usize) {
        if !self.is_growing() {
            return;
        }
        let now = self.now;
        let Some(feed) = self.feeds.get(i) else { return };
        let at = feed.scale.media_time(feed.handed);
        let list = self.listed(feed.id).map(|s| &s.timeline);
        let reaches = list.is_some_and(|t| t.end() > ticks(at, feed.scale));
        let payloads = feed.source == super::super::feed::Source::Payloads;
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.tail.grown = now;
        feed.tail.stalled = false;
        if !reaches || payloads {
            feed.tail.hold = !reaches && !payloads;
            self.want_list(RefreshReason::Select);
        }
    }
}
