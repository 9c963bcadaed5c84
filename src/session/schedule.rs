//! Which fragment is fetched next, from which quality level.

use super::Session;
use super::feed::{Cursor, Join, Rung, Source};
use super::fragment::Fragment;
use super::live::LIVE;
use super::retry::Exchange;
use crate::abr::Situation;
use crate::codec::Kind;
use crate::decimal::Decimal;
use crate::error::{Code, Error, Result};
use crate::io::{Event, EventKind, Output, Request, RequestKind};
use crate::manifest::url;
use crate::time::Micros;
use crate::trace;

impl Session {
    /// Starts the next fetch of a stream where one is due; whether its request is to be handed out now.
    pub(super) fn schedule(&mut self, i: usize) -> bool {
        let Some(feed) = self.feeds.get(i) else { return false };
        if !feed.selected || feed.ended || feed.fetch.is_some() || self.is_held(i) {
            return false;
        }
        if cfg!(feature = "text") && feed.source == Source::Payloads {
            self.schedule_embedded(i);
            return false;
        }
        let prepared = if feed.retrying {
            if self.now < feed.retry.not_before { Ok(false) } else { self.prepare_retry(i) }
        } else {
            self.prepare_next(i)
        };
        match prepared {
            Ok(true) => {
                let id = self.request_id();
                let (now, attempt) = (self.now, self.feeds.get(i).map_or(0, |f| f.retry.failed));
                if attempt > 0 {
                    self.stats.retries = self.stats.retries.saturating_add(1);
                }
                if let Some(feed) = self.feeds.get_mut(i) {
                    // A small body tells of latency, not of the link.
                    if feed.leads() {
                        self.throughput.begin(now);
                    }
                    feed.fetch = Some(Exchange::new(id, now));
                    if LIVE {
                        feed.tail.begun = now;
                    }
                    feed.retrying = false;
                }
                self.tell_started(i);
                true
            }
            Ok(false) => false,
            Err((level, error)) => {
                self.refuse_level(i, level, error);
                false
            }
        }
    }

    /// The request just started by [`Session::schedule`].
    pub(super) fn fragment_request(&mut self, i: usize) -> Output<'_> {
        match self.feeds.get(i).and_then(|f| f.fetch.as_ref().map(|e| (e.id, f.id, f.retry.failed))) {
            Some((id, stream, failed)) => Output::Request(Request {
                id,
                url: &self.request_url,
                kind: RequestKind::Fragment,
                stream: Some(stream),
                attempt: failed.saturating_add(1),
            }),
            None => Output::Idle(self.deadline()),
        }
    }

    fn prepare_next(&mut self, i: usize) -> core::result::Result<bool, (Option<u16>, Error)> {
        let Some((start, duration)) = self.next_fragment(i) else { return Ok(false) };
        if !self.is_due(i, start, duration) {
            return Ok(false);
        }
        let running = self.clock.running();
        let Some(feed) = self.feeds.get(i) else { return Ok(false) };
        let ahead = feed.ahead(self.now, running);
        let empty = feed.queue.is_empty();
        let span = feed.scale.micros(duration);
        if !feed.leads() && !self.text_due(i, start) {
            return Ok(false);
        }
        // The fragment in hand always counts: a target below one fragment must not starve the decoder.
        if feed.leads() && !empty && ahead >= self.config.buffer_target {
            return Ok(false);
        }
        if self.lets_others_go(i, start, ahead, span) {
            return Ok(false);
        }
        if self.replacement(i, start, ahead, span)? {
            return Ok(true);
        }
        let rung = match self.planned(i, start, ahead, span) {
            Some(rung) => rung,
            None => match self.choose(i, ahead, span) {
                Some(rung) => rung,
                None => return Ok(false),
            },
        };
        let Some((level, bitrate)) =
            self.feeds.get(i).and_then(|f| f.rungs.get(usize::from(rung)).map(|r| (r.level, r.bitrate)))
        else {
            return Ok(false);
        };
        let room = self.fits(i, bitrate, span) && self.table_fits(i);
        if !empty && !room {
            return Ok(false);
        }
        if LIVE && let Some(wanted) = self.behind(i) {
            self.fall_behind(i, wanted);
            return Ok(false);
        }
        self.write_url(i, level, start).map_err(|e| (Some(level), e))?;
        if empty {
            // The lists below, each at most doubled.
            let fragments = self.feeds.get(i).map_or(0, |f| f.spare.len().saturating_add(f.queue.len()));
            self.make_room(fragments.saturating_add(8).saturating_mul(size_of::<Fragment>()));
        }
        let before = self.feeds.get(i).filter(|_| LIVE).map(|f| (f.tail, f.hole_behind));
        let lead_in = self.take_up(i, start, duration);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return Ok(false) };
        if let Err(error) = feed.open_fragment(account, start, duration) {
            // Memory is short: wait for the decoder to take what is there.
            if let Some((tail, hole)) = before {
                (feed.tail, feed.hole_behind) = (tail, hole);
            }
            return if empty { Err((None, error)) } else { Ok(false) };
        }
        if let Some(f) = feed.queue.last_mut() {
            f.level = level;
            f.bitrate = bitrate;
            if LIVE {
                f.lead_in = lead_in;
            }
        }
        feed.restart_back(pool, account);
        feed.cursor = match feed.cursor {
            // The way back to a missing fragment does not count.
            Cursor::After(last) => Cursor::After(start.max(last)),
            Cursor::Covering(_) => Cursor::After(start),
        };
        feed.sparse.taken_up(start);
        feed.retry = Default::default();
        self.decision_taken(i, start);
        self.switch_to(i, rung, bitrate);
        Ok(true)
    }

    fn prepare_retry(&mut self, i: usize) -> core::result::Result<bool, (Option<u16>, Error)> {
        let Some((start, duration, level, committed)) = self
            .feeds
            .get(i)
            .and_then(|f| f.queue.last().map(|q| (q.start, q.duration, q.level, q.committed())))
        else {
            if let Some(feed) = self.feeds.get_mut(i) {
                feed.retrying = false;
            }
            return Ok(false);
        };
        let mut level = level;
        let kept = LIVE && self.feeds.get(i).is_some_and(|f| f.tail.same_level);
        if !committed && !kept {
            // Nothing of it has left: a level that is likely to arrive beats the one that just failed.
            let again = self.planned_again(i, start);
            let rung = again.or_else(|| self.retry_rung(i, level, duration));
            if let Some((rung, to, bitrate)) = rung {
                level = to;
                if let Some(f) = self.feeds.get_mut(i).and_then(|f| f.queue.last_mut()) {
                    f.level = to;
                    f.bitrate = bitrate;
                }
                self.decision_taken(i, start);
                self.switch_to(i, rung, bitrate);
            }
        }
        self.write_url(i, level, start).map_err(|e| (Some(level), e))?;
        Ok(true)
    }

    /// A lower rung for a second try; `None` keeps the level.
    fn retry_rung(&mut self, i: usize, level: u16, _duration: u64) -> Option<(u16, u16, u32)> {
        let feed = self.feeds.get(i)?;
        let present = feed.rungs.iter().position(|r| r.level == level)?;
        let masked = feed.rungs.get(present).is_some_and(|r| !r.is_open());
        // The host's pin is kept as long as the level may be used at all.
        if self.config.fixed_bitrate != 0 && !masked {
            return None;
        }
        let bitrate = feed.rungs.get(present).map_or(0, |r| r.bitrate);
        let lower = |(_, r): &(usize, &Rung)| r.is_open() && r.bitrate < bitrate;
        let below = feed.rungs.iter().enumerate().take(present).rev().find(lower);
        let any = || feed.rungs.iter().enumerate().find(|(_, r)| r.is_open());
        let (rung, r) = below.or_else(|| if masked { any() } else { None })?;
        Some((u16::try_from(rung).ok()?, r.level, r.bitrate))
    }

    /// Start and duration of the fragment the cursor points at, in stream ticks.
    pub(super) fn next_fragment(&self, i: usize) -> Option<(u64, u64)> {
        let feed = self.feeds.get(i)?;
        if cfg!(feature = "text") && feed.source == Source::Payloads {
            return self.next_payload(i).map(|(_, start, duration, _)| (start, duration));
        }
        if feed.sparse.is_walking() {
            return self.announced(i);
        }
        match self.cursor_fragment(i) {
            Some(fragment) => Some((fragment.start, fragment.duration)),
            None => self.announced(i),
        }
    }

    /// Whether every listed fragment of the stream has been taken up.
    pub(super) fn is_exhausted(&self, i: usize) -> bool {
        let announced =
            cfg!(feature = "text") && self.feeds.get(i).is_some_and(|f| f.source == Source::Announced);
        !self.is_growing() && self.next_fragment(i).is_none() && (!announced || self.media_over())
    }

    /// Whether a fragment of that bitrate and length, a quarter added, has room.
    pub(super) fn fits(&self, i: usize, bitrate: u32, span: Micros) -> bool {
        let bytes = u64::from(bitrate).saturating_mul(span.0) / 8_000_000;
        let bytes = bytes.saturating_add(bytes / 4);
        let block = (self.pool.block_bytes() as u64).max(1);
        let blocks = bytes.div_ceil(block).saturating_add(1);
        blocks <= self.blocks_open_to(i) as u64
    }

    /// The rung for the next fragment.
    fn choose(&mut self, i: usize, ahead: Micros, span: Micros) -> Option<u16> {
        let others = self
            .feeds
            .iter()
            .enumerate()
            .filter(|(n, f)| *n != i && f.selected && !f.ended)
            .fold(0u64, |sum, (_, f)| sum.saturating_add(u64::from(f.bitrate)));
        // A decoder without a clock has no buffer to speak of: only the link decides.
        let target = self.config.buffer_target;
        let buffer = if self.unpaced() { Micros(target.0 / 8 * 3) } else { ahead };
        let rate = self.throughput.rate().map(|r| r.saturating_sub(others).max(r / 4));
        let account = &mut self.account;
        let feed = self.feeds.get_mut(i)?;
        feed.open_bitrates.clear();
        feed.open_rungs.clear();
        for (n, r) in feed.rungs.iter().enumerate() {
            // Of several levels of one bitrate, told apart by their attributes, the first counts.
            if r.is_open() && feed.open_bitrates.last() != Some(&r.bitrate) {
                feed.open_bitrates.push(account, r.bitrate).ok()?;
                feed.open_rungs.push(account, u16::try_from(n).ok()?).ok()?;
            }
        }
        if feed.open_rungs.is_empty() {
            return None;
        }
        let current = feed.rung.and_then(|rung| {
            // A masked rung in use counts as the next lower open one.
            feed.open_rungs.iter().rposition(|r| *r <= rung).or(Some(0))
        });
        let situation = Situation {
            bitrates: &feed.open_bitrates,
            current,
            rate: if feed.kind == Kind::Video { rate } else { rate.map(|r| r / 8) },
            buffer,
            buffer_target: target,
            duration: span,
        };
        let (index, reason) = feed.controller.choose(&situation);
        let rung = feed.open_rungs.get(index.min(feed.open_rungs.len().saturating_sub(1))).copied()?;
        self.note_rule(i, rung, ahead, rate, reason);
        Some(rung)
    }

    /// Counts and tells a change of level.
    fn switch_to(&mut self, i: usize, rung: u16, bitrate: u32) {
        let event = self.event(EventKind::Switch);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let before = (feed.rung, feed.bitrate);
        feed.rung = Some(rung);
        feed.bitrate = bitrate;
        let (Some(old), old_bitrate) = before else { return };
        if old == rung {
            return;
        }
        let event = event.about(feed.id).numbers(u64::from(old_bitrate), u64::from(bitrate));
        if feed.kind == Kind::Video {
            let count = if rung > old { &mut self.stats.switches_up } else { &mut self.stats.switches_down };
            *count = count.saturating_add(1);
        }
        let time = self.feeds.get(i).and_then(|f| f.queue.last().map(|q| f.scale.media_time(q.start)));
        self.tell(Event { media_time: time, ..event });
    }

    fn tell_started(&mut self, i: usize) {
        let event = self.event(EventKind::FragmentStarted);
        let Some(feed) = self.feeds.get(i) else { return };
        let Some(f) = feed.queue.last() else { return };
        let event = event.about(feed.id).when(feed.scale.media_time(f.start));
        self.tell(event.numbers(u64::from(f.bitrate), f.start));
    }

    /// Puts the fragment's URL into `request_url`.
    pub(super) fn write_url(&mut self, i: usize, level: u16, start: u64) -> Result<()> {
        let missing = || Error::at(Code::State, "manifest", 0);
        let stream = usize::from(self.feeds.get(i).ok_or_else(missing)?.id.0);
        let stream = self.manifest.as_ref().and_then(|m| m.streams.get(stream)).ok_or_else(missing)?;
        let level = stream.levels.get(usize::from(level)).ok_or_else(missing)?;
        self.request_url.clear();
        url::fragment(
            &mut self.account,
            &mut self.request_url,
            &self.base,
            stream.template(level),
            &level.bitrate_text,
            level.custom.iter().map(|(name, value)| (name.as_str(), value.as_str())),
            start,
            &self.config.limits,
        )
    }

    /// A level whose URL cannot be made, or for which there is no memory, is no level.
    fn refuse_level(&mut self, i: usize, level: Option<u16>, error: Error) {
        match level {
            _ if error.code == Code::Budget || error.code == Code::NoMemory => self.fault(i, error),
            Some(level) => self.drop_level(i, level, error),
            None => self.drop_stream(i, error),
        }
    }

    /// Excludes a level, and the stream when none is left.
    pub(super) fn drop_level(&mut self, i: usize, level: u16, error: Error) {
        let event = self.event(EventKind::LevelDropped).because(error);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let bitrate = feed.rungs.iter().find(|r| r.level == level).map_or(0, |r| r.bitrate);
        let left = feed.mask(level, error.code);
        let event = event.about(feed.id).numbers(u64::from(bitrate), 0);
        log::warn!(target: trace::SESSION, "stream {}: level of {} bit/s dropped: {error}", Decimal(feed.id.0.into()), Decimal(bitrate.into()));
        self.tell(event);
        if left.is_err() {
            self.drop_stream(i, error);
        }
    }

    /// Gives a stream up. The last one takes the session with it.
    pub(super) fn drop_stream(&mut self, i: usize, error: Error) {
        self.cancel_fetch(i);
        let event = self.event(EventKind::StreamDropped).because(error);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.selected = false;
        feed.clear_queue(pool, account);
        let event = event.about(feed.id);
        let (essential, text) = (feed.kind == Kind::Video && feed.join == Join::Settled, !feed.leads());
        self.tell(event);
        if text {
            return;
        }
        // Sound without a picture may be wanted; a picture stream that failed is a broken programme.
        if essential || !self.feeds.iter().any(|f| f.selected && f.leads()) {
            self.fail(error);
        }
    }

    /// Ends the exchange of a stream, if there is one, without a verdict on it.
    pub(super) fn cancel_fetch(&mut self, i: usize) {
        let id = self.finish_exchange(i);
        if let Some(feed) = self.feeds.get_mut(i).filter(|_| id.is_some()) {
            feed.cancel = id;
        }
        self.drop_replacement(i);
    }
}
