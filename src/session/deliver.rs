//! From fragments to the decoder: set-up, samples in its framing, end of stream.

use super::feed::{Feed, Join, Offer, Setup};
use super::fragment::{Form, Fragment};
use super::framing::Learned;
use super::live::LIVE;
use super::protect::{Layout, Lock};
use super::{Config, ProtectionMode, Session, State, Step};
use crate::codec::{self, Kind};
use crate::error::{Code, Error, Result};
use crate::io::{
    Buffered, Configure, Configured, Epoch, EventKind, Output, Parts, Sample, SampleFlags, StreamId,
};
use crate::time::{MediaTime, Micros, TimeScale};

/// What goes before a sample is seldom longer: parameter sets and a delimiter.
const PREFIX: usize = 512;

impl Session {
    /// What stream `i` has for its decoder now.
    pub(super) fn deliver(&mut self, i: usize) -> Option<Step> {
        let early = self.early_release(i);
        let feed = self.feeds.get(i)?;
        if !feed.selected || feed.join == Join::Replacing || feed.sparse.is_walking() {
            return None;
        }
        if feed.offer != Offer::None || matches!(feed.setup, Setup::Asked(_) | Setup::Later) {
            return None;
        }
        let front = feed.queue.first()?;
        if !front.sample_at_hand() || !(front.complete || early) {
            return None;
        }
        let level = front.level;
        let key = match self.unlock(i) {
            Lock::Clear => None,
            Lock::Open(handle) => Some(handle),
            Lock::Shut => return None,
        };
        match self.prepare_decrypt(i) {
            Ok(true) => return Some(Step::Decrypt(i)),
            Ok(false) => {}
            Err(error) => {
                self.fail(error);
                return None;
            }
        }
        let key = key.filter(|_| self.config.protection == ProtectionMode::Decoder);
        let feed = self.feeds.get_mut(i)?;
        // Clear samples go to whatever decoder there is.
        if key.is_some() && key != feed.guard.key {
            feed.guard.key = key;
            feed.setup = Setup::Due;
        }
        if feed.setup != Setup::Ready(level) {
            match self.learn(i) {
                Ok(Learned::Enough) => {}
                Ok(Learned::NotYet) => return None,
                Ok(Learned::Nothing) => {
                    self.skip_fragment(i);
                    return None;
                }
                Err(error) => {
                    self.no_setup(i, error);
                    return None;
                }
            }
            return match self.prepare_setup(i) {
                Ok(true) => Some(Step::Configure(i)),
                // Same decoder set-up as before: nothing to ask.
                Ok(false) => self.offer_sample(i),
                Err(error) => {
                    self.no_setup(i, error);
                    None
                }
            };
        }
        self.offer_sample(i)
    }

    /// Fragments that are wholly handed out make room.
    pub(super) fn retire_front(&mut self, i: usize) {
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        while feed.offer == Offer::None
            && feed.queue.first().is_some_and(|f| f.complete && f.next >= f.table.samples().len())
        {
            feed.recycle(pool, account, 0);
        }
    }

    /// Whether samples of an unfinished fragment may leave: only where the decoder would otherwise wait, so that the
    /// fragment can still be given up for another level.
    fn early_release(&self, i: usize) -> bool {
        let Some(feed) = self.feeds.get(i) else { return false };
        if cfg!(feature = "planner") && self.config.early_release == Config::WHOLE_FRAGMENTS {
            return feed.blocked;
        }
        feed.fresh
            || feed.blocked
            || self.clock.collecting()
            || feed.depth(self.now, self.clock.running()) < self.config.early_release
    }

    /// Makes the configuration record for the front fragment's level. `false` when the decoder already has it.
    fn prepare_setup(&mut self, i: usize) -> Result<bool> {
        let missing = || Error::at(Code::State, "manifest", 0);
        let framing = self.config.decoder.framing;
        let feed = self.feeds.get_mut(i).ok_or_else(missing)?;
        let level = feed.queue.first().ok_or_else(missing)?.level;
        let stream =
            self.manifest.as_ref().and_then(|m| m.streams.get(usize::from(feed.id.0))).ok_or_else(missing)?;
        let config = &stream.levels.get(usize::from(level)).ok_or_else(missing)?.config;
        if let Setup::Ready(old) = feed.setup
            && let Some(old) = stream.levels.get(usize::from(old))
            && old.config.same_set_up(config)
        {
            feed.setup = Setup::Ready(level);
            return Ok(false);
        }
        feed.record.clear();
        codec::record(config, framing, &mut self.account, &mut feed.record)?;
        feed.parameter_sets_due = true;
        feed.setup = Setup::Asked(level);
        Ok(true)
    }

    pub(super) fn configure_output(&mut self, i: usize) -> Output<'_> {
        let idle = Output::Idle(self.deadline());
        let Some(feed) = self.feeds.get(i) else { return idle };
        let Some(level) = feed.queue.first().map(|f| usize::from(f.level)) else { return idle };
        let stream = self.manifest.as_ref().and_then(|m| m.streams.get(usize::from(feed.id.0)));
        let Some(level) = stream.and_then(|s| s.levels.get(level)) else { return idle };
        Output::Configure(Configure {
            stream: feed.id,
            epoch: feed.epoch,
            kind: feed.kind,
            config: &level.config,
            framing: self.config.decoder.framing,
            record: &feed.record,
            level: level.index,
            bitrate: level.bitrate,
            key: feed.guard.key,
        })
    }

    /// Brings the front sample into the decoder's form and offers it.
    fn offer_sample(&mut self, i: usize) -> Option<Step> {
        let size = self.feeds.get(i).and_then(|f| f.queue.first()).map_or(0, |f| {
            f.table
                .samples()
                .get(f.next)
                .filter(|_| f.prepared != Some(f.next))
                .map_or(0, |s| s.size as usize)
        });
        let sets = self.feeds.get(i).map_or(0, |f| f.record.len());
        self.make_room(size.saturating_add(PREFIX).saturating_add(sets));
        let leads = self.feeds.get(i).is_some_and(Feed::leads);
        if let Some(step) = self.caption_step(i) {
            return Some(step);
        }
        match self.prepare_sample(i).and_then(|()| self.list_pieces(i)) {
            Ok(()) => {
                self.feeds.get_mut(i)?.offer = Offer::Waiting;
                Some(Step::Sample(i))
            }
            Err(error) if leads && matches!(error.code, Code::Budget | Code::NoMemory) => {
                self.fail(error);
                None
            }
            Err(error) => {
                self.skip_sample(i, error);
                None
            }
        }
    }

    pub(super) fn sample_output(&mut self, i: usize) -> Output<'_> {
        let idle = Output::Idle(self.deadline());
        let Some(feed) = self.feeds.get(i) else { return idle };
        let Some(front) = feed.queue.first() else { return idle };
        let Some(entry) = front.table.samples().get(front.next) else { return idle };
        let data = if let (true, Form::Payload(n)) = (cfg!(feature = "text"), front.form) {
            let payloads = self.listed(feed.id).map(|s| &s.payloads);
            let payload = payloads.and_then(|p| p.get(usize::try_from(n).ok()?));
            Parts::whole(&[], payload.map_or(&[][..], |p| &p.bytes))
        } else if feed.staged.is_empty() {
            Parts::blocks(
                &feed.prefix,
                front.body.slices(&self.pool, u64::from(entry.offset), u64::from(entry.size)),
            )
        } else {
            Parts::whole(&feed.prefix, &feed.staged)
        };
        let pts = composed(feed.scale, front.dts, entry.composition);
        // A whole document lasts as long as its fragment, which may be longer than a table can say.
        let boxed = !cfg!(feature = "text") || matches!(front.form, Form::Boxes);
        let ticks = if boxed { u64::from(entry.duration) } else { front.duration };
        let duration = feed.scale.rescale(ticks, TimeScale::HNS).unwrap_or(0);
        let mut flags = SampleFlags::default();
        // On video only the first sample is sure to be a key frame; some encoders flag all of them.
        if feed.kind != Kind::Video || (front.next == 0 && !front.no_key) {
            flags = flags.with(SampleFlags::KEY);
        }
        if feed.discontinuity || (front.next == 0 && front.after_hole) {
            flags = flags.with(SampleFlags::DISCONTINUITY);
        }
        if feed.guard.layout == Layout::Verbatim {
            flags = flags.with(SampleFlags::VERBATIM);
        } else if feed.parameter_sets_due {
            flags = flags.with(SampleFlags::CONFIG);
        }
        // Text that began before the target may still be shown.
        let matters = if feed.leads() { pts } else { pts.after(Micros(duration / 10)) };
        if feed.preroll_until.is_some_and(|until| matters < until) || (LIVE && front.dts < front.lead_in) {
            flags = flags.with(SampleFlags::PREROLL);
        }
        Output::Sample(Sample {
            stream: feed.id,
            epoch: feed.epoch,
            pts,
            dts: feed.scale.media_time(front.dts),
            duration,
            flags,
            fragment: front.start,
            bitrate: front.bitrate,
            protection: self.protect.of(front, feed.guard.parts()),
            pieces: &feed.pieces,
            data,
        })
    }

    pub(super) fn on_accepted(&mut self, stream: StreamId) {
        let Some(i) = self.feed_of(stream) else { return };
        let offer = self.feeds.get(i).map_or(Offer::None, |f| f.offer);
        if !matches!(offer, Offer::Waiting | Offer::Lost) {
            return;
        }
        let leads = self.feeds.get(i).is_some_and(Feed::leads);
        if leads && self.stats.first_sample.is_none() {
            self.stats.first_sample = Some(self.now.since(self.opened_at));
        }
        self.stats.samples = self.stats.samples.saturating_add(1);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.offer = Offer::None;
        feed.fresh = false;
        if offer == Offer::Lost {
            return;
        }
        feed.discontinuity = false;
        feed.parameter_sets_due = false;
        feed.fed = feed.queue.first().map(|f| f.level);
        let shown = self.step_over(i);
        // A decoder without a clock is never ahead of anything.
        if !self.unpaced()
            && let Some(feed) = self.feeds.get_mut(i)
        {
            feed.accepted(shown);
        }
    }

    /// The front sample is done with: its bytes make room. How long it is shown, in stream ticks.
    fn step_over(&mut self, i: usize) -> u64 {
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return 0 };
        let unseen = feed.unseen;
        let Some(front) = feed.queue.first_mut() else { return 0 };
        let Some(entry) = front.table.samples().get(front.next) else { return 0 };
        let ticks = u64::from(entry.duration);
        let shown = front.shown_of(ticks, unseen);
        front.dts = front.dts.saturating_add(ticks);
        front.next = front.next.saturating_add(1);
        feed.handed = front.dts;
        if front.in_order && !matches!(front.form, Form::Payload(_)) {
            let keep = match front.table.samples().get(front.next) {
                Some(next) => u64::from(next.offset),
                None => u64::from(entry.offset).saturating_add(u64::from(entry.size)),
            };
            if !front.again {
                front.body.release_before(pool, account, keep);
            }
        }
        self.wake_blocked();
        shown
    }

    /// The front fragment's level cannot be set up: its fragments come from another one.
    fn no_setup(&mut self, i: usize, error: Error) {
        if matches!(error.code, Code::Budget | Code::NoMemory) {
            return self.fault(i, error);
        }
        let front = self.feeds.get(i).and_then(|f| f.queue.first());
        if let Some(level) = front.map(|f| f.level) {
            self.drop_level(i, level, error);
            self.give_up_front(i, error);
        }
    }

    /// The front fragment is left out, with an event: its level's configuration is in band alone, and not here.
    fn skip_fragment(&mut self, i: usize) {
        let event = self.event(EventKind::Gap).because(Error::at(Code::CodecConfig, "mdat", 0));
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let Some(front) = feed.queue.first() else { return };
        let left = front.table.samples().len().saturating_sub(front.next);
        let ticks = front.left();
        let event = event.about(feed.id).when(feed.scale.media_time(front.dts));
        let event = event.numbers(feed.scale.micros(ticks).0, front.start);
        feed.discontinuity = true;
        self.stats.gaps = self.stats.gaps.saturating_add(1);
        self.tell(event);
        for _ in 0..left {
            self.step_over(i);
        }
    }

    /// A sample that cannot be brought into the decoder's form is left out, with an event.
    pub(super) fn skip_sample(&mut self, i: usize, error: Error) {
        let event = self.event(EventKind::Gap).because(error);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let Some(front) = feed.queue.first() else { return };
        let ticks = front.table.samples().get(front.next).map_or(0, |s| u64::from(s.duration));
        let event = event.about(feed.id).when(feed.scale.media_time(front.dts));
        let event = event.numbers(feed.scale.micros(ticks).0, front.start);
        feed.discontinuity = true;
        self.stats.gaps = self.stats.gaps.saturating_add(1);
        self.tell(event);
        self.step_over(i);
    }

    pub(super) fn on_refused(&mut self, stream: StreamId) {
        if let Some(feed) = self.feeds.iter_mut().find(|f| f.id == stream) {
            feed.offer = match feed.offer {
                Offer::Waiting => Offer::Refused,
                Offer::Lost => Offer::None,
                other => other,
            };
        }
    }

    pub(super) fn on_buffered(&mut self, stream: StreamId, state: Buffered) {
        let now = self.now;
        // Before the decoder has heard of the flush, it still counts what is void.
        if let Some(feed) = self.feeds.iter_mut().find(|f| f.id == stream && !f.flush) {
            feed.report(now, state);
            feed.ask_again();
            self.pictures_shown(stream, state);
        }
    }

    pub(super) fn on_timeout(&mut self) {
        for feed in self.feeds.iter_mut() {
            feed.ask_again();
        }
    }

    pub(super) fn on_configured(&mut self, stream: StreamId, answer: Configured) {
        let Some(i) = self.feed_of(stream) else { return };
        let Some(feed) = self.feeds.get_mut(i) else { return };
        // The fragment in front may be another one by now; the answer is about what was asked.
        let Setup::Asked(level) = feed.setup else { return };
        match answer {
            Configured::Ok => feed.setup = Setup::Ready(level),
            Configured::Later => feed.setup = Setup::Later,
            Configured::Refused => {
                feed.setup = Setup::Due;
                let in_front = feed.queue.first().is_some_and(|f| f.level == level);
                self.drop_level(i, level, Code::DecoderRefused.into());
                if in_front {
                    self.give_up_front(i, Code::DecoderRefused.into());
                }
            }
        }
    }

    /// Once per epoch: the stream has nothing more, now or later.
    pub(super) fn end_of(&mut self, i: usize) -> Option<(StreamId, Epoch)> {
        self.end_late_text(i);
        let exhausted = self.is_exhausted(i);
        let event = self.event(EventKind::StreamEnded);
        let feed = self.feeds.get_mut(i)?;
        if !feed.selected || feed.ended || !exhausted || !feed.is_drained() {
            return None;
        }
        feed.ended = true;
        let (id, epoch) = (feed.id, feed.epoch);
        self.tell(event.about(id));
        Some((id, epoch))
    }

    /// Nothing is left once every played stream has ended, also when that is because another one was given up.
    pub(super) fn notice_end(&mut self) {
        self.watch_media_end();
        let mut played = self.feeds.iter().filter(|f| f.selected).peekable();
        if self.state == State::Playing && played.peek().is_some() && played.all(|f| f.ended) {
            self.state = State::Ended;
            self.tell(self.event(EventKind::Ended));
        }
    }
}

impl Fragment {
    /// Whether the next sample is there, to its last byte.
    pub(super) fn sample_at_hand(&self) -> bool {
        let here = matches!(self.form, Form::Payload(_));
        self.next < self.placed
            && (here
                || self.table.samples().get(self.next).is_some_and(|s| {
                    u64::from(s.offset).saturating_add(u64::from(s.size)) <= self.body.len()
                }))
    }
}

impl Feed {
    pub(super) fn sample_at_hand(&self) -> bool {
        self.queue.first().is_some_and(Fragment::sample_at_hand)
    }

    /// Whether it can only go on when the decoder says or time passes.
    pub(super) fn is_waiting_for_decoder(&self) -> bool {
        matches!(self.offer, Offer::Refused | Offer::Busy) || self.setup == Setup::Later
    }

    fn ask_again(&mut self) {
        if matches!(self.offer, Offer::Refused | Offer::Busy) {
            self.offer = Offer::None;
        }
        if self.setup == Setup::Later {
            self.setup = Setup::Due;
        }
    }
}

/// Presentation time: decoding time plus a signed offset, scaled as one absolute value so that nothing drifts.
pub(super) fn composed(scale: TimeScale, dts: u64, offset: i32) -> MediaTime {
    match dts.checked_add_signed(i64::from(offset)) {
        Some(pts) => scale.media_time(pts),
        None => MediaTime(
            scale.media_time(u64::from(offset.unsigned_abs()).saturating_sub(dts)).0.saturating_neg(),
        ),
    }
}
