//! A manifest that was read again, joined to the one in force.
//!
//! Streams keep their numbers: they are found by kind, name and language, in whatever order they are listed now. Their levels
//! stay, too, as decoders are set up with them; unless the encoder has begun anew.

use super::super::Session;
use super::super::config::WindowChoice;
use super::super::feed::{Cursor, Feed, Source};
use super::super::fragment::Form;
use crate::io::{EventKind, RefreshReason};
use crate::manifest::live::{Relation, Tail};
use crate::manifest::{Liveness, Manifest, Stream};
use crate::time::{MediaTime, Micros};

/// What a new list means for all streams.
#[derive(Clone, Copy)]
struct Join {
    restarted: bool,
    /// No more fragments will come.
    over: bool,
    /// How far back the origin keeps them; 0: for ever.
    window: Micros,
}

impl Session {
    /// Takes in a manifest that was read again. What has no room of it is as if it had not been read.
    pub(in super::super) fn take_manifest(&mut self, mut newer: Manifest) {
        let Some(mut manifest) = self.manifest.take() else { return };
        let leapt = self.has_leapt(&manifest, &newer);
        let lower = !leapt && self.has_restarted(&manifest, &newer);
        let fallen = if leapt || lower { None } else { self.has_fallen(&manifest, &newer) };
        // What grows so far behind is no cache of what was.
        let grows = fallen.is_some_and(|end| self.live.fallen.is_some_and(|before| end > before));
        let restarted = leapt || lower || grows;
        if (lower && !self.live.lower) || (fallen.is_some() && self.live.fallen.is_none()) {
            // Or a cache is far behind.
            newer.free(&mut self.account);
            self.manifest = Some(manifest);
            self.live.base.free(&mut self.account);
            self.live.lower = lower;
            self.live.fallen = fallen;
            self.refreshed(false);
            self.want_list(RefreshReason::Restart);
            self.live.not_before = self.now.after(Micros(self.rng.jitter(super::USUAL.0)));
            return;
        }
        self.live.lower = false;
        self.live.fallen = self.live.fallen.filter(|_| fallen.is_some() && !restarted);
        let over = newer.liveness != Liveness::Live;
        self.live.lists_more = !over;
        let window = newer.timescale.micros(newer.dvr_window);
        let mut grown = false;
        let before = manifest.streams.len();
        for n in 0..newer.streams.len() {
            let known = find(&manifest, &newer, n, before);
            let Some(stream) = newer.streams.get_mut(n) else { break };
            match known.and_then(|at| manifest.streams.get_mut(at).map(|s| (at, s))) {
                Some((at, old)) => grown |= self.join(at, old, stream, Join { restarted, over, window }),
                None => {
                    let id = manifest.streams.len();
                    if id < self.config.limits.streams as usize
                        && manifest.streams.reserve(&mut self.account, 1).is_ok()
                        && self.add_stream(id, stream).is_ok()
                    {
                        if let Some(feed) = self.feeds.last_mut() {
                            feed.epoch = self.epoch;
                        }
                        let stream = core::mem::replace(stream, super::super::given::empty());
                        let _ = manifest.streams.push(&mut self.account, stream);
                    }
                }
            }
        }
        manifest.liveness = newer.liveness;
        manifest.duration = newer.duration;
        manifest.dvr_window = newer.dvr_window;
        manifest.lookahead = newer.lookahead;
        manifest.can_seek = newer.can_seek;
        manifest.can_pause = newer.can_pause;
        core::mem::swap(&mut manifest.protection, &mut newer.protection);
        newer.free(&mut self.account);
        self.manifest = Some(manifest);
        core::mem::swap(&mut self.base, &mut self.live.base);
        if self.base.is_empty() {
            let _ = self.base.push(&mut self.account, &self.url);
        }
        self.live.base.free(&mut self.account);
        // Headers that are not new are known by their content.
        if let Err(error) = self.note_headers() {
            self.fail(error);
        }
        let at = self.live.head;
        for i in 0..self.feeds.len() {
            if let Some(feed) = self.feeds.get_mut(i).filter(|_| restarted) {
                feed.tail.published = None;
            }
            if self.feeds.get(i).is_some_and(|f| f.tail.heard.is_some()) {
                self.note_listed(i, at);
            }
            if let Some(feed) = self.feeds.get_mut(i) {
                feed.tail.hold = false;
            }
        }
        self.refreshed(grown);
        if over {
            self.live_ended(0);
        }
        if restarted {
            self.begin_anew();
            return;
        }
        for i in 0..self.feeds.len() {
            self.resolve(i);
        }
        self.notice_length(grown);
        self.release_hold();
        self.notice_behind();
        for i in 0..self.feeds.len() {
            self.trim(i);
        }
        if self.check_room().is_err() {
            // The lists have grown at the cost of media.
            let _ = self.divide_budget();
        }
        self.try_place();
    }

    /// Whether a played stream lists only what lies before everything known of it.
    fn has_restarted(&self, manifest: &Manifest, newer: &Manifest) -> bool {
        let count = manifest.streams.len();
        (0..newer.streams.len()).any(|n| {
            let Some(at) = find(manifest, newer, n, count) else { return false };
            let played = self.feeds.iter().any(|f| usize::from(f.id.0) == at && f.selected && f.leads());
            let pair = manifest.streams.get(at).zip(newer.streams.get(n));
            played
                && pair.is_some_and(|(old, new)| old.timeline.relation(&new.timeline) == Relation::Restarted)
        })
    }

    /// Where the lists end if all played streams, to which nothing has come for a while, end far before what is known of them.
    fn has_fallen(&self, manifest: &Manifest, newer: &Manifest) -> Option<MediaTime> {
        let count = manifest.streams.len();
        let mut end = None;
        for i in self.leading() {
            let feed = self.feeds.get(i)?;
            let at = usize::from(feed.id.0);
            let n = (0..newer.streams.len()).find(|n| find(manifest, newer, *n, count) == Some(at))?;
            let (known, listed) = (manifest.streams.get(at)?.end_time()?, newer.streams.get(n)?.end_time()?);
            let quiet = Micros(self.length(i).0.saturating_mul(3));
            if listed.after(super::SLOWEST) > known || self.now.since(feed.tail.grown) < quiet {
                return None;
            }
            end = end.max(Some(listed));
        }
        end
    }

    /// Whether a played stream lists only what begins later than time can have brought it: nobody has missed that, the
    /// encoder counts otherwise.
    fn has_leapt(&self, manifest: &Manifest, newer: &Manifest) -> bool {
        // After a sleep or a jump of the clock nobody knows how much time has passed.
        if self.live.reading == Some(RefreshReason::Resume) {
            return false;
        }
        let count = manifest.streams.len();
        let soon = self.now.after(super::SLOWEST);
        (0..newer.streams.len()).any(|n| {
            let Some(at) = find(manifest, newer, n, count) else { return false };
            let lists = manifest.streams.get(at).zip(newer.streams.get(n));
            let Some((end, first)) = lists.and_then(|(o, n)| o.timeline.last().zip(n.timeline.first()))
            else {
                return false;
            };
            let played = |f: &Feed| usize::from(f.id.0) == at && f.selected && f.leads();
            let there = self.feeds.iter().position(played).and_then(|i| self.published_at(i, first.start));
            first.start > end.end() && there.is_some_and(|at| at > soon)
        })
    }

    /// Joins what a stream lists now to what is known of it; whether that has become longer.
    fn join(&mut self, at: usize, old: &mut Stream, new: &mut Stream, how: Join) -> bool {
        let Join { restarted, over, window } = how;
        let window = new.timescale.ticks(window);
        let feed = self.feeds.iter().position(|f| usize::from(f.id.0) == at);
        if *old.url != *new.url {
            core::mem::swap(&mut old.url, &mut new.url);
        }
        let end = old.timeline.end();
        let heard = new.timeline.last().map(|f| (f.start, f.duration));
        let oldest = new.timeline.first().map_or(0, |f| f.start);
        if let Some(feed) = feed.and_then(|i| self.feeds.get_mut(i)) {
            feed.tail.heard = heard;
            feed.tail.oldest = oldest;
        }
        let account = &mut self.account;
        if restarted {
            old.timeline.free(account);
            core::mem::swap(&mut old.timeline, &mut new.timeline);
            adopt_levels(old, new);
        } else {
            // An origin may list less than its window holds.
            let keep = match (self.config.live.window, window) {
                (WindowChoice::Unlimited, _) | (_, 0) => 0,
                (WindowChoice::Origin, length) => new.timeline.end().saturating_sub(length),
            };
            let tail = if over { Tail::Final } else { Tail::Open };
            let scale = old.timescale;
            let merged = old.timeline.merge(account, scale, &mut new.timeline, keep, tail);
            if let Err(error) = merged {
                log::warn!(target: crate::trace::SESSION, "a list has no room: {error}");
            }
        }
        self.join_payloads(feed, old, new);
        let grown = old.timeline.end() > end || restarted;
        if grown && let Some(i) = feed {
            self.edge_moved(i);
        }
        grown
    }

    /// Samples that stand in the manifest and were not there before.
    fn join_payloads(&mut self, feed: Option<usize>, old: &mut Stream, new: &mut Stream) {
        if !cfg!(feature = "text") || !old.embedded || new.payloads.is_empty() {
            return;
        }
        let Some(feed) = feed.and_then(|i| self.feeds.get_mut(i)).filter(|f| f.source == Source::Payloads)
        else {
            return;
        };
        let first = new.payloads.first().map_or(0, |p| p.time);
        let last = old.payloads.last().map_or(0, |p| p.time);
        // What has gone from the list and is not in hand.
        let held = feed.queue.iter().filter_map(|f| match f.form {
            Form::Payload(n) => Some(n as usize),
            _ => None,
        });
        let next = held.min().unwrap_or(usize::MAX).min(feed.payload as usize);
        let gone = old.payloads.partition_point(|p| p.time < first).min(next);
        for payload in old.payloads.iter_mut().take(gone) {
            payload.bytes.free(&mut self.account);
        }
        old.payloads.drop_front(gone);
        let less = u32::try_from(gone).unwrap_or(0);
        feed.payload = feed.payload.saturating_sub(less);
        for fragment in feed.queue.iter_mut() {
            if let Form::Payload(n) = &mut fragment.form {
                *n = n.saturating_sub(less);
            }
        }
        let known = old.payloads.is_empty();
        for payload in new.payloads.iter_mut().filter(|p| known || p.time > last) {
            if old.payloads.reserve(&mut self.account, 1).is_err() {
                break;
            }
            let bytes = core::mem::take(&mut payload.bytes);
            let (time, duration, level) = (payload.time, payload.duration, payload.level);
            let _ = old
                .payloads
                .push(&mut self.account, crate::manifest::Payload { time, duration, level, bytes });
        }
    }

    /// No more fragments will come.
    pub(super) fn live_ended(&mut self, status: u16) {
        let ends = self.leading().filter_map(|i| self.listed(self.id(i)?)?.end_time());
        let end = ends.max().unwrap_or_default();
        let event = self.event(EventKind::LiveEnded).when(end);
        self.tell(crate::io::Event { http_status: status, ..event });
        self.live.wanted = None;
        self.live.unplaced = false;
        for i in 0..self.feeds.len() {
            self.resolve(i);
            if let Some(feed) = self.feeds.get_mut(i) {
                feed.tail.hold = false;
                feed.tail.stalled = false;
            }
        }
        self.release_hold();
    }

    /// The encoder counts anew: everything known of the old times is void.
    fn begin_anew(&mut self) {
        let start = self.window().map_or_else(Default::default, |(start, _)| start);
        self.tell(self.event(EventKind::OriginRestarted).when(start));
        self.live.hold = None;
        self.go_to_edge();
    }

    /// A presentation that is as long as it was to become, and grows no more, is over.
    fn notice_length(&mut self, grown: bool) {
        let done = |i: usize| self.is_long_enough(i) && self.at_tail(i);
        if grown || !self.is_growing() || !self.leading().all(done) {
            return;
        }
        if let Some(manifest) = &mut self.manifest {
            manifest.liveness = Liveness::OnDemand;
        }
        self.live_ended(0);
    }

    /// Streams whose next fragment has left the window.
    fn notice_behind(&mut self) {
        if !self.is_growing() || self.live.hold.is_some() {
            return;
        }
        for i in 0..self.feeds.len() {
            if let Some(wanted) = self.behind(i) {
                return self.fall_behind(i, wanted);
            }
        }
    }

    /// Where stream `i` is to go on, in ticks, if the next fragment that it knows is the oldest of the manifest last read and
    /// begins much later: what lies between has left the window, and was no hole.
    pub(in super::super) fn behind(&self, i: usize) -> Option<u64> {
        let feed = self.feeds.get(i).filter(|f| f.selected && f.leads() && !f.ended)?;
        let (taken, length) = feed.tail.taken;
        if !self.is_growing() || feed.cursor != Cursor::After(taken) || length == 0 {
            return None;
        }
        let wanted = taken.saturating_add(length);
        let next = self.listed(feed.id)?.timeline.after(taken)?;
        // Less than half a fragment is how lists differ.
        let far = next.start > wanted.saturating_add(length / 2);
        (far && next.start == feed.tail.oldest).then_some(wanted)
    }
}

/// Where the stream `n` of `newer` stands among the first `count` of `manifest`.
fn find(manifest: &Manifest, newer: &Manifest, n: usize, count: usize) -> Option<usize> {
    let stream = newer.streams.get(n)?;
    let same =
        |s: &&Stream| s.kind == stream.kind && *s.name == *stream.name && *s.language == *stream.language;
    let ordinal = newer.streams.iter().take(n).filter(same).count();
    manifest.find_stream(stream.kind, &stream.name, &stream.language, ordinal).filter(|at| *at < count)
}

/// Levels that are listed as before may have other parameters since the encoder began anew.
fn adopt_levels(old: &mut Stream, new: &mut Stream) {
    for level in old.levels.iter_mut() {
        let same = |l: &&mut crate::manifest::QualityLevel| {
            l.bitrate == level.bitrate && l.index == level.index && l.unusable.is_none()
        };
        if let Some(found) = new.levels.iter_mut().find(same)
            && level.unusable.is_none()
            && level.config.codec == found.config.codec
        {
            core::mem::swap(&mut level.config, &mut found.config);
        }
    }
}
