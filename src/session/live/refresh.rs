//! Reading the manifest again: when, and what a failure means.

use super::super::open::INBOX;
use super::super::retry::Exchange;
use super::super::{Session, State};
use super::{LIVE, Power};
use crate::error::{Code, Error, Result};
use crate::io::{Event, EventKind, Failure, RefreshReason};
use crate::manifest::Liveness;
use crate::mem::Text;
use crate::time::{Instant, Micros};

/// Answers in a row that there is no such presentation, and for how long, until that is believed.
const GONE: u32 = 3;
const GONE_FOR: Micros = Micros::from_secs(20);
/// Readings that may fail before a seek goes by the list that is known.
const PATIENT: u32 = 2;
/// How long playback has stood before a list for which there is no room ends it.
const STOOD: Micros = Micros::from_secs(10);
/// What reading takes beside the manifest itself: the inflater's window, a token, bytes as they come.
const READING: usize = 44 << 10;

impl Session {
    /// The manifest is to be read again. A reason that somebody waits for goes before others.
    pub(super) fn want_list(&mut self, reason: RefreshReason) {
        let patient = |r: RefreshReason| {
            matches!(r, RefreshReason::Stalled | RefreshReason::Unannounced | RefreshReason::Probe)
        };
        match self.live.wanted {
            Some(before) if !patient(before) || patient(reason) => {}
            _ => self.live.wanted = Some(reason),
        }
    }

    /// Whether the manifest is being read again rather than for the first time.
    pub(in super::super) fn is_refreshing(&self) -> bool {
        LIVE && self.manifest.is_some() && !matches!(self.state, State::New | State::Opening)
    }

    /// Which try the reading is, as its request tells.
    pub(in super::super) fn refresh_attempt(&self) -> u32 {
        // A second look at a list that may be stale must not come from a cache.
        let fresh = if self.live.reading == Some(RefreshReason::Restart) { 3 } else { 1 };
        self.live.failed.saturating_add(1).max(fresh)
    }

    /// Starts a reading where one is due; whether its request is to be handed out now.
    pub(in super::super) fn refresh_due(&mut self) -> bool {
        if !LIVE || self.live.wanted.is_none() || self.opening.is_some() || self.live.power != Power::On {
            return false;
        }
        if self.state != State::Playing || self.now < self.live.not_before {
            return false;
        }
        if !self.is_growing() {
            self.live.wanted = None;
            return false;
        }
        self.live.reading = self.live.wanted.take();
        self.live.asked = self.now;
        self.live.head = self.now;
        self.make_room(INBOX);
        let room = self.inbox.resize(&mut self.account, INBOX, 0);
        let room = room.and_then(|()| self.begin_reading()).and_then(|()| self.check_room());
        if let Err(error) = room {
            self.refresh_failed(Failure { error, status: 0 });
            return false;
        }
        let id = self.request_id();
        self.stats.refreshes = self.stats.refreshes.saturating_add(1);
        self.opening = Some(Exchange::new(id, self.now));
        true
    }

    /// What is kept free for reading the manifest beside the present one, and for lists that grow.
    pub(in super::super) fn refresh_reserve(&self) -> usize {
        if !self.is_growing() {
            return 0;
        }
        let lists = self.config.budget / 16;
        self.live.manifest_bytes.saturating_add(READING).saturating_add(lists).min(self.config.budget / 4)
    }

    /// A reading has failed: what is known stays in force.
    pub(in super::super) fn refresh_failed(&mut self, failure: Failure) {
        if let Some(exchange) = self.opening.take() {
            self.cancel = Some(exchange.id);
        }
        self.end_reading();
        if failure.status >= 400 {
            self.stats.http_errors = self.stats.http_errors.saturating_add(1);
        }
        let reason = self.live.reading.take().unwrap_or(RefreshReason::Stalled);
        self.live.failed = self.live.failed.saturating_add(1);
        if matches!(failure.status, 1..=407 | 409..=428 | 430..=499) {
            self.live.alive = self.now;
        }
        let wait = self.list_backoff(self.live.failed);
        self.live.not_before = self.now.after(wait);
        let event = self.event(EventKind::RefreshFailed).because(failure.error);
        let event = event.numbers(u64::from(reason as u32), wait.0);
        self.tell(Event { http_status: failure.status, ..event });
        let gone = matches!(failure.status, 404 | 410);
        if gone && self.live.gone == 0 {
            self.live.gone_since = self.now;
        }
        self.live.gone = if gone { self.live.gone.saturating_add(1) } else { 0 };
        let network = failure.status == 0 && matches!(failure.error.code.number(), -299..=-200);
        for i in 0..self.feeds.len() {
            if self.waits_for_list(i) {
                if network && self.live.failed < PATIENT {
                    self.want_list(RefreshReason::Missing);
                } else {
                    self.lose_missing(i);
                }
            }
            if let Some(feed) = self.feeds.get_mut(i).filter(|f| f.tail.hold) {
                feed.tail.hold = self.live.failed <= PATIENT;
                self.live.wanted = self.live.wanted.or(Some(RefreshReason::Select));
            }
        }
        if self.live.hold.is_some() {
            if self.live.failed < PATIENT {
                self.live.wanted = self.live.wanted.or(Some(RefreshReason::Seek));
            } else {
                self.release_hold();
            }
        }
        // What still grows has not ended, whatever has become of its manifest.
        let grown = self.leading().filter_map(|i| self.feeds.get(i)).map(|f| f.tail.grown).max();
        let since = grown.map_or(self.live.gone_since, |g| g.max(self.live.gone_since));
        let long = self.now.since(since) >= GONE_FOR;
        if self.live.gone >= GONE && long && self.is_growing() {
            // After an event its manifest may go before its fragments do.
            if let Some(manifest) = &mut self.manifest {
                manifest.liveness = Liveness::OnDemand;
            }
            self.live_ended(failure.status);
        }
        let no_room = matches!(failure.error.code, Code::Budget | Code::NoMemory);
        if no_room && self.live.failed > PATIENT && self.clock.has_stood(self.now, STOOD) {
            // Playback needs the list, and there will be no room for it.
            self.fail(failure.error);
        }
    }

    /// Nothing is left of a reading.
    pub(super) fn end_reading(&mut self) {
        self.free_parser();
        self.inbox.free(&mut self.account);
        self.live.base.free(&mut self.account);
    }

    /// Before bytes of a reading are parsed: blocks that lie idle give way.
    pub(in super::super) fn make_reading_room(&mut self) {
        if self.is_refreshing() {
            self.make_room(INBOX.saturating_mul(2));
        }
    }

    /// Whether what media has been promised is still there.
    ///
    /// # Errors
    /// [`Code::Budget`].
    pub(in super::super) fn check_room(&self) -> Result<()> {
        let all = self.media_blocks.saturating_mul(self.pool.block_bytes());
        if LIVE && self.account.room() < all.saturating_sub(self.pool.charged()) {
            return Err(Error::at(Code::Budget, "Config::budget", 0));
        }
        Ok(())
    }

    /// A reading has succeeded.
    pub(super) fn refreshed(&mut self, grown: bool) {
        let reason = self.live.reading.take().unwrap_or(RefreshReason::Stalled);
        let took = self.now.since(self.live.asked);
        self.live.failed = 0;
        self.live.gone = 0;
        self.live.alive = self.now;
        self.live.updated = self.now;
        self.live.idle = if grown { 0 } else { self.live.idle.saturating_add(1) };
        let first = self.longest().max(super::USUAL).0;
        let wait = first.saturating_mul(1 << self.live.idle.saturating_sub(1).min(4));
        let wait = Micros(self.rng.jitter(wait.min(super::SLOWEST.0.max(first))));
        self.live.not_before = self.now.after(wait);
        self.tell(self.event(EventKind::Refreshed).numbers(u64::from(reason as u32), took.0));
    }

    /// The list of the first reading is in force.
    pub(in super::super) fn listed_first(&mut self) {
        if !self.is_growing() {
            return;
        }
        self.live.updated = self.now;
        self.live.alive = self.now;
        self.live.asked = self.opened_at;
        let wait = Micros(self.rng.jitter(self.longest().max(super::USUAL).0));
        self.live.not_before = self.now.after(wait);
        self.live.first = self.leading().filter_map(|i| self.listed(self.id(i)?)?.first_time()).min();
        let at = if self.live.head == Instant(0) { self.now } else { self.live.head };
        for i in 0..self.feeds.len() {
            self.note_listed(i, at);
        }
    }

    /// What stream `i` lists is there since `at` at the latest.
    pub(super) fn note_listed(&mut self, i: usize, at: Instant) {
        let now = self.now;
        let last = self.id(i).and_then(|id| self.listed(id)?.timeline.last()).map(|f| (f.start, f.duration));
        let Some(feed) = self.feeds.get_mut(i) else { return };
        // What was announced is not what is listed.
        let last = feed.tail.heard.take().or(last);
        if feed.tail.grown == Instant(0) {
            feed.tail.grown = now;
        }
        let Some((start, known)) = last else { return };
        feed.tail.listed = start;
        let length = self.length(i);
        let Some(feed) = self.feeds.get(i) else { return };
        let length = if known == 0 { feed.scale.ticks(length) } else { known };
        self.publish(i, start.saturating_add(length), at);
    }

    /// The head of a reading has come.
    pub(in super::super) fn note_head(&mut self, date: &str) {
        if !LIVE {
            return;
        }
        self.live.head = self.now;
        self.live.date = super::date::seconds(date).map(|s| (s, self.now)).or(self.live.date);
    }

    /// Notes what the manifest takes, before media memory is divided.
    pub(in super::super) fn note_manifest_bytes(&mut self) {
        if LIVE {
            let now = self.account.held().saturating_add(INBOX);
            self.live.manifest_bytes = now.saturating_sub(self.live.floor);
        }
    }

    /// Where the head's final URL is kept until the reading has succeeded.
    pub(in super::super) fn take_base(&mut self) -> Text {
        if self.is_refreshing() {
            core::mem::take(&mut self.live.base)
        } else {
            core::mem::take(&mut self.base)
        }
    }

    /// The reverse of [`Session::take_base`].
    pub(in super::super) fn put_base(&mut self, base: Text) {
        if self.is_refreshing() {
            self.live.base = base;
        } else {
            self.base = base;
        }
    }
}
