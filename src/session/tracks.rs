//! Streams as a viewer sees them: roles, lasting names, and changing from one to another while playing.

use super::feed::{Feed, Join, Offer, Setup};
use super::{Selection, Session, State};
use crate::codec::Kind;
use crate::error::{Code, Result};
use crate::io::{Epoch, Role, StreamId, TrackId};
use crate::manifest::Stream;
use crate::time::{Instant, MediaTime, Micros};

/// Subtypes and what they stand for. [MS-SSTR] 2.2.2.3, and names seen in the field.
const ROLES: [(&str, Role); 9] = [
    ("SUBT", Role::Subtitles),
    ("CAPT", Role::Captions),
    ("DESC", Role::Description),
    ("CHAP", Role::Chapters),
    ("SCMD", Role::Script),
    ("ADI3", Role::Ads),
    ("ADVT", Role::Ads),
    ("CTRL", Role::Control),
    ("DATA", Role::Data),
];

/// What `stream` is for.
pub(super) fn role(stream: &Stream) -> Role {
    if stream.kind == Kind::Video
        && stream.subtype.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"TRIC"))
    {
        return Role::TrickMode;
    }
    let named = ROLES.iter().find(|(name, _)| stream.subtype.eq_ignore_ascii_case(name));
    match named {
        // The subtype of pictures and sound names a codec in old manifests.
        Some((_, role)) if stream.kind == Kind::Text || *role == Role::Description => *role,
        _ => Role::Main,
    }
}

/// The subtype that stands for `role`.
pub(super) fn subtype(role: Role) -> &'static str {
    ROLES.iter().find(|(_, r)| *r == role).map_or("", |(name, _)| name)
}

/// FNV-1a, 64 bits.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

/// Kind, name and language are the same.
fn alike(a: &Stream, b: &Stream) -> bool {
    a.kind == b.kind && *a.name == *b.name && *a.language == *b.language
}

impl Session {
    /// What a stream is for; `None` for one that is not listed.
    pub fn role(&self, stream: StreamId) -> Option<Role> {
        self.listed(stream).map(role)
    }

    /// What a stream is recognised by in another session or after the manifest was read again; `None` for one that is
    /// not listed.
    pub fn track(&self, stream: StreamId) -> Option<TrackId> {
        let listed = self.listed(stream).filter(|_| cfg!(feature = "tracks"))?;
        let before = self.manifest.as_ref()?.streams.iter().take(usize::from(stream.0));
        let ordinal = before.filter(|s| alike(s, listed)).count() as u64;
        let mut sum = hash(0xcbf2_9ce4_8422_2325, &[listed.kind as u8, 0]);
        // A NUL ends each part, so that no two of them run together.
        for part in [&listed.name, &listed.language] {
            sum = hash(hash(sum, part.as_bytes()), &[0]);
        }
        Some(TrackId(hash(sum, &ordinal.to_le_bytes())))
    }

    /// The stream that `track` names; `None` when none does.
    pub fn find_track(&self, track: TrackId) -> Option<StreamId> {
        let count = self.manifest.as_ref().filter(|_| cfg!(feature = "tracks"))?.streams.len();
        let ids = (0..count).filter_map(|n| u16::try_from(n).ok()).map(StreamId);
        ids.into_iter().find(|id| self.track(*id) == Some(track))
    }

    pub(super) fn listed(&self, stream: StreamId) -> Option<&Stream> {
        self.manifest.as_ref()?.streams.get(usize::from(stream.0))
    }

    /// Plays `to` instead of every other stream of its kind. What plays goes on until `to` has media for the position
    /// being shown; only then is the old one flushed, so that neither it nor any other stream has a gap before that. If
    /// `to` cannot be had, nothing changes.
    ///
    /// # Errors
    /// As [`Session::select`].
    pub fn switch(&mut self, at: Instant, to: StreamId) -> Result<()> {
        if !cfg!(feature = "tracks") {
            return Err(Code::Unsupported.into());
        }
        self.advance(at);
        if !matches!(self.state, State::Playing | State::Ended) {
            return Err(Code::State.into());
        }
        let i = self.playable(to)?;
        let kind = self.feeds.get(i).map_or(Kind::Text, |f| f.kind);
        // One that was on its way and is no longer wanted.
        for n in 0..self.feeds.len() {
            let gone = |f: &Feed| f.kind == kind && f.selected && n != i && f.join == Join::Replacing;
            if self.feeds.get(n).is_some_and(gone) {
                self.turn_off(n);
            }
        }
        self.select(at, to, Selection::On)?;
        let replaces = self.rivals(i).next().is_some();
        let seam = self.seam(i);
        let Some(feed) = self.feeds.get_mut(i) else { return Ok(()) };
        if replaces && kind != Kind::Text && feed.fresh && !feed.ended {
            feed.join = Join::Replacing;
            if let Some(seam) = seam.filter(|_| feed.fetch.is_none() && feed.queue.is_empty()) {
                feed.place(seam, seam);
            }
            // Without a clock there is nothing to bridge: the old one would only run away.
            if self.unpaced() {
                self.take_over(i);
            }
        } else {
            self.take_over(i);
        }
        Ok(())
    }

    /// The other streams played of the kind of stream `i`.
    fn rivals(&self, i: usize) -> impl Iterator<Item = usize> + '_ {
        let kind = self.feeds.get(i).map(|f| f.kind);
        let rival = move |(n, f): (usize, &Feed)| (n != i && f.selected && Some(f.kind) == kind).then_some(n);
        self.feeds.iter().enumerate().filter_map(rival)
    }

    /// Stream `i` is now the only one of its kind.
    pub(super) fn take_over(&mut self, i: usize) {
        for n in 0..self.feeds.len() {
            if self.rivals(i).any(|r| r == n) {
                self.turn_off(n);
            }
        }
        if let Some(feed) = self.feeds.get_mut(i) {
            feed.epoch = self.epoch;
            if feed.join == Join::Replacing {
                feed.join = Join::Joining;
            }
        }
        // Fewer streams share it than before.
        let _ = self.divide_budget();
    }

    /// Stops playing stream `i`.
    pub(super) fn turn_off(&mut self, i: usize) {
        self.select_feed(i, Selection::Off);
    }

    /// Empties feed `i` and plays it from now on, or no longer. What its decoder was given is flushed.
    pub(super) fn select_feed(&mut self, i: usize, selection: Selection) {
        let Some(feed) = self.feeds.get(i) else { return };
        // A decoder that was given nothing has nothing to flush.
        let used =
            !feed.fresh || feed.ended || feed.offer != Offer::None || !matches!(feed.setup, Setup::Due);
        self.empty_feed(i);
        if used {
            self.epoch = Epoch(self.epoch.0.wrapping_add(1));
        }
        let epoch = self.epoch;
        if let Some(feed) = self.feeds.get_mut(i) {
            feed.selected = selection == Selection::On;
            if used {
                feed.epoch = epoch;
                feed.flush = true;
            }
        }
    }

    /// What is being shown, or about to be: where every stream that keeps pace has been handed over to, less what its
    /// decoder holds. `None` when nothing plays that could tell.
    pub(super) fn position(&self) -> Option<MediaTime> {
        self.feeds.iter().filter(|f| f.leads()).filter_map(|f| self.shown(f)).min()
    }

    /// The same of one stream, if it keeps pace.
    fn shown(&self, f: &Feed) -> Option<MediaTime> {
        if !f.selected || f.ended || f.join != Join::Settled {
            return None;
        }
        let depth = f.depth(self.now, self.clock.running()).0.saturating_mul(10);
        let shown = MediaTime(f.scale.media_time(f.handed).0.saturating_sub_unsigned(depth));
        // What leads up to a target is never shown.
        Some(f.preroll_until.map_or(shown, |until| shown.max(until)))
    }

    /// Where stream `i` takes over: what is being shown of those it replaces.
    fn seam(&self, i: usize) -> Option<MediaTime> {
        let rivals = self.rivals(i).filter_map(|n| self.feeds.get(n));
        rivals.filter_map(|f| self.shown(f)).min().or_else(|| self.position())
    }

    /// Streams that were turned on while the clock runs: lets them begin, take over and settle when they are ready.
    pub(super) fn tend_joining(&mut self) {
        for i in 0..self.feeds.len() {
            match self.feeds.get(i) {
                Some(f) if f.selected && cfg!(feature = "tracks") && f.join == Join::Replacing => {
                    self.try_take_over(i);
                }
                Some(f) if f.selected && f.join == Join::Joining => self.try_settle(i),
                _ => {}
            }
        }
    }

    /// A stream that has caught up is one like the others. Until it has begun, what is over is left out.
    fn try_settle(&mut self, i: usize) {
        let (mut position, unpaced) = (self.position(), self.unpaced());
        let (now, running, wanted) = (self.now, self.clock.running(), self.config.start_buffer);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let waits = unpaced && feed.fresh;
        if waits {
            position = feed.preroll_until;
        }
        if feed.fresh && feed.offer == Offer::None && !matches!(feed.setup, Setup::Asked(_)) {
            self.pass_over(i, position);
        }
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let full = feed.blocked || feed.offer == Offer::Refused || feed.ready(now, running) >= wanted;
        let begun = feed.depth(now, running) > Micros::ZERO
            && position.is_none_or(|p| feed.scale.media_time(feed.handed) > p);
        if feed.ended || !(running || waits) || position.is_none() || (begun && full) {
            feed.join = Join::Settled;
        }
    }

    /// Takes over once there is media from the position on.
    fn try_take_over(&mut self, i: usize) {
        let position = self.seam(i);
        self.pass_over(i, position);
        let exhausted = self.is_exhausted(i);
        let alone = self.rivals(i).all(|n| self.feeds.get(n).is_none_or(|f| f.ended));
        let wanted = self.config.start_buffer;
        let Some(feed) = self.feeds.get(i) else { return };
        let whole = feed.queue.iter().take_while(|f| f.complete).last();
        let until = whole.map(|f| feed.scale.media_time(f.start.saturating_add(f.duration)));
        let ready = match (until, position) {
            (Some(until), Some(position)) => until.since(position) >= wanted || feed.blocked || exhausted,
            (found, _) => found.is_some(),
        };
        if ready || alone || (exhausted && feed.is_drained()) {
            self.take_over(i);
        }
    }

    /// Leaves out what is over before `position`: whole fragments, and samples of sound but for the last.
    fn pass_over(&mut self, i: usize, position: Option<MediaTime>) {
        let Some(position) = position else { return };
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.lead_up_to(feed.preroll_until.map_or(position, |until| until.max(position)));
        let scale = feed.scale;
        let over = |end: u64| scale.media_time(end) <= position;
        while feed.queue.first().is_some_and(|f| f.complete && over(f.start.saturating_add(f.duration))) {
            feed.recycle(pool, account, 0);
        }
        if feed.kind != Kind::Audio {
            return;
        }
        let Some(front) = feed.queue.first_mut().filter(|f| !f.again) else { return };
        let mut first = None;
        while front.sample_at_hand()
            && let Some([this, next, ..]) = front.table.samples().get(front.next..)
        {
            let begins = front.dts.saturating_add(u64::from(this.duration));
            if !over(begins.saturating_add(u64::from(next.duration))) {
                break;
            }
            first = Some(u64::from(next.offset));
            front.dts = begins;
            front.next = front.next.saturating_add(1);
        }
        if let Some(first) = first.filter(|_| front.in_order) {
            front.body.release_before(pool, account, first);
        }
    }
}
