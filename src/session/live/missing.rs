//! What is made of a fragment that the origin does not give.
//!
//! 412 and 415 say that it is not there yet; 404 says so, too, near the edge. Elsewhere the manifest tells whether the
//! fragment has another time, has left the window, or never was.

use super::super::Session;
use super::super::config::BehindPolicy;
use super::super::feed::Cursor;
use super::super::retry::{Verdict, is_outage};
use super::{Resolve, SLOWEST};
use crate::error::{Code, Error};
use crate::io::{Event, EventKind, Failure, RefreshReason};
use crate::manifest::Liveness;
use crate::time::{Instant, Micros};

/// Tries of a fragment near the edge before its 404 is believed.
const BELIEVED: u32 = 3;
/// Readings that may say nothing new of a fragment at the end of the list.
const DOUBTED: u32 = 2;
/// The shortest wait for a fragment that is not there yet.
const SHORTEST: Micros = Micros::from_millis(500);
/// Not before something happens.
const NEVER: Instant = Instant(u64::MAX);

impl Session {
    /// The exchange of stream `i` has failed in a way that a live presentation has an answer to; whether it had.
    pub(in super::super) fn is_answered(&mut self, i: usize, failure: &Failure) -> bool {
        if !self.is_growing() {
            return false;
        }
        if !is_outage(failure) {
            self.live.alive = self.now;
        }
        let Some(feed) = self.feeds.get(i) else { return false };
        let Some(start) = feed.queue.last().map(|f| f.start) else { return false };
        let beyond = start > feed.tail.listed;
        match failure.status {
            412 | 415 => self.not_yet(i, failure),
            404 if beyond && feed.tail.early < BELIEVED => self.not_yet(i, failure),
            404 | 410 if feed.tail.resolve != Resolve::Done => self.missing(i, RefreshReason::Missing),
            403 if feed.tail.resolve != Resolve::Done => self.missing(i, RefreshReason::Forbidden),
            _ => return false,
        }
        true
    }

    /// Whether stream `i`, whose tries are used up, goes on trying all the same: nothing else is heard of the origin either.
    pub(in super::super) fn waits_for_origin(&mut self, i: usize, failure: &Failure) -> Option<Verdict> {
        if !self.is_growing() || !is_outage(failure) {
            return None;
        }
        let now = self.now;
        let wait = Micros(self.rng.jitter(self.config.limits.retry_longest.0));
        let alive = self.live.alive;
        let feed = self.feeds.get_mut(i).filter(|f| f.leads())?;
        if feed.tail.failing.is_some_and(|since| alive > since) {
            return None;
        }
        feed.retry.not_before = now.after(wait);
        self.want_list(RefreshReason::Probe);
        Some(Verdict::Again(wait))
    }

    /// Notes that the fragment of stream `i` fails.
    pub(in super::super) fn note_failing(&mut self, i: usize, failure: &Failure) {
        let (now, outage) = (self.now, is_outage(failure));
        let tries = self.config.limits.tries.min(3);
        if let Some(feed) = self.feeds.get_mut(i).filter(|_| super::LIVE && outage) {
            feed.tail.failing = feed.tail.failing.or(Some(now));
            feed.tail.recovering |= feed.retry.failed >= tries;
        }
    }

    /// The fragment of stream `i` is not there yet.
    fn not_yet(&mut self, i: usize, failure: &Failure) {
        let length = self.length(i);
        let longest = length.max(SHORTEST);
        let now = self.now;
        let event = self.event(EventKind::NotYet);
        self.stats.not_yet = self.stats.not_yet.saturating_add(1);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        if feed.tail.early == 0 {
            feed.tail.early_since = now;
        }
        feed.tail.early = feed.tail.early.saturating_add(1);
        // Half a fragment, then more up to a whole one.
        let base = Micros(length.0 / 2).max(SHORTEST).0;
        let base = base.saturating_add(base / 4 * u64::from(feed.tail.early.saturating_sub(1).min(8)));
        let wait = Micros(self.rng.jitter(base.min(longest.0)));
        feed.retrying = true;
        feed.retry.not_before = now.after(wait);
        feed.tail.same_level = true;
        let event = event.about(feed.id).numbers(feed.tail.early.into(), wait.0);
        let event = match feed.queue.last() {
            Some(back) => event.when(feed.scale.media_time(back.start)),
            None => event,
        };
        self.tell(Event { http_status: failure.status, ..event });
    }

    /// The origin does not have a fragment that should be there, or refuses it: the manifest says what to make of that.
    fn missing(&mut self, i: usize, reason: RefreshReason) {
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.retrying = true;
        feed.retry.not_before = NEVER;
        feed.tail.resolve = Resolve::Waiting;
        if reason == RefreshReason::Forbidden {
            feed.tail.doubted = DOUBTED;
        }
        feed.tail.same_level = true;
        self.want_list(reason);
    }

    /// The manifest has been read: what becomes of the fragment of stream `i` that waits.
    pub(super) fn resolve(&mut self, i: usize) {
        let now = self.now;
        let Some(feed) = self.feeds.get(i).filter(|f| f.selected && f.retrying) else { return };
        let waiting = feed.tail.resolve == Resolve::Waiting;
        if !waiting && feed.tail.early == 0 {
            return;
        }
        let Some((start, duration, committed)) =
            feed.queue.last().map(|f| (f.start, f.duration, f.committed()))
        else {
            return;
        };
        let listed = feed.tail.listed;
        let Some(manifest) = &self.manifest else { return };
        let Some(timeline) = manifest.streams.get(usize::from(feed.id.0)).map(|s| &s.timeline) else {
            return;
        };
        let over = manifest.liveness != Liveness::Live;
        if waiting && !over && start < feed.tail.oldest && !committed {
            // It was listed once.
            return self.fall_behind(i, start);
        }
        let (near, first) = (timeline.near(start, duration), timeline.first().map(|f| f.start));
        match near {
            Some(near) if near.start == start => {
                let beyond = start > listed && !over;
                let near_end = start.saturating_add(duration.saturating_mul(3)) > listed;
                let Some(feed) = self.feeds.get_mut(i) else { return };
                if beyond {
                    // Announced, and not in the manifest yet: that takes as long as it takes.
                    feed.tail.resolve = Resolve::No;
                    feed.tail.early = feed.tail.early.max(1);
                    if waiting {
                        feed.tail.early_since = now;
                        feed.tail.early = 1;
                        feed.retry.not_before = now.after(Micros(self.rng.jitter(SHORTEST.0)));
                    }
                } else if waiting && !over && feed.tail.doubted < DOUBTED && near_end {
                    // The end of a list is where its times are worst.
                    feed.tail.doubted = feed.tail.doubted.saturating_add(1);
                    self.want_list(RefreshReason::Missing);
                } else if waiting {
                    feed.tail.resolve = Resolve::Done;
                    feed.tail.same_level = false;
                    feed.retry.failed = 1;
                    feed.retry.not_before = now.after(Micros::from_millis(100));
                }
            }
            Some(near) if !committed => {
                let (pool, account) = (&mut self.pool, &mut self.account);
                let Some(feed) = self.feeds.get_mut(i) else { return };
                if let Some(back) = feed.queue.last_mut() {
                    back.start = near.start;
                    back.duration = near.duration;
                }
                feed.restart_back(pool, account);
                feed.cursor = Cursor::After(near.start);
                feed.tail.taken = (near.start, near.duration);
                feed.tail.resolve = Resolve::Done;
                feed.tail.early = 0;
                feed.retry.not_before = now;
            }
            _ if first.is_some_and(|first| start < first) => self.fall_behind(i, start),
            _ if over && !committed => {
                // It was announced, and the end came first.
                let (pool, account) = (&mut self.pool, &mut self.account);
                let Some(feed) = self.feeds.get_mut(i) else { return };
                let last = feed.queue.len().saturating_sub(1);
                feed.recycle(pool, account, last);
                feed.retrying = false;
                feed.tail.early = 0;
            }
            _ => self.lose_missing(i),
        }
    }

    /// The manifest could not be read: the fragment of stream `i` that waits for it is given up.
    pub(super) fn lose_missing(&mut self, i: usize) {
        let waits = |f: &super::super::feed::Feed| f.retrying && f.selected;
        if !self.feeds.get(i).is_some_and(waits) {
            return;
        }
        if let Some(feed) = self.feeds.get_mut(i) {
            feed.tail.resolve = Resolve::No;
            feed.tail.early = 0;
            feed.keep_offered();
        }
        self.lose(i, Failure { error: Error::at(Code::FragmentLost, "c", 0), status: 404 });
    }

    /// Whether a fragment of stream `i` waits for the manifest.
    pub(super) fn waits_for_list(&self, i: usize) -> bool {
        self.feeds.get(i).is_some_and(|f| f.selected && f.retrying && f.tail.resolve == Resolve::Waiting)
    }

    /// What stream `i` wants, at `wanted` ticks, has left the window.
    pub(in super::super) fn fall_behind(&mut self, i: usize, wanted: u64) {
        let Some(feed) = self.feeds.get(i) else { return };
        let at = feed.scale.media_time(wanted);
        let policy = self.config.live.behind;
        let (number, id) = (policy as u64 + 1, feed.id);
        self.forget_gone();
        let Some((start, _)) = self.window() else { return };
        let event = self.event(EventKind::BehindWindow).about(id).when(at);
        self.tell(event.numbers(start.since(at).0, number));
        match policy {
            BehindPolicy::WindowStart => self.go_to(self.behind_margin(start)),
            BehindPolicy::Edge => self.go_to_edge(),
            BehindPolicy::Stop => self.fail(Error::at(Code::BehindWindow, "DVRWindowLength", 0)),
        }
    }

    /// Lets go of what is older than the manifest last read: the origin does not keep it.
    fn forget_gone(&mut self) {
        for i in 0..self.feeds.len() {
            let Some(feed) = self.feeds.get(i).filter(|f| f.leads()) else { continue };
            let (id, oldest) = (feed.id, feed.tail.oldest);
            let stream = self.manifest.as_mut().and_then(|m| m.streams.get_mut(usize::from(id.0)));
            if let Some(stream) = stream {
                stream.timeline.forget_before(&mut self.account, oldest);
            }
        }
    }

    /// How long to wait before the manifest is asked for again after `failed` tries.
    pub(super) fn list_backoff(&mut self, failed: u32) -> Micros {
        let base = 1_000_000u64.saturating_mul(1 << failed.saturating_sub(1).min(8));
        Micros(self.rng.jitter(base.min(SLOWEST.0)))
    }
}
