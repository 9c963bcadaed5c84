//! Fast switch up: a buffered fragment of which nothing has gone out is fetched again at a higher level.
//!
//! The new one arrives at the back of the queue and takes the old one's place when it is whole; until then the old one stays.

use super::super::Session;
use super::super::config::Replacement;
use super::super::feed::Offer;
use super::super::fragment::Fragment;
use super::{Flight, rung_of};
use crate::abr::{Held, Moment};
use crate::error::{Error, Result};
use crate::io::{Decided, EventKind, Why};
use crate::time::Micros;

impl Session {
    /// Takes up a replacement rather than the next fragment, where one is worth it. Whether its request is to be handed out.
    ///
    /// # Errors
    /// The level whose URL cannot be made.
    pub(in super::super) fn replacement(
        &mut self,
        i: usize,
        next: u64,
        ahead: Micros,
        span: Micros,
    ) -> core::result::Result<bool, (Option<u16>, Error)> {
        if self.config.switching.replacement == Replacement::Off
            || !self.plans()
            || !self.is_planned(i)
            || self.is_growing()
            || self.switching.pending.is_some_and(|p| p.start == next)
        {
            return Ok(false);
        }
        let Some((index, rung)) = self.find_replacement(i, next, ahead, span) else { return Ok(false) };
        let Some(feed) = self.feeds.get(i) else { return Ok(false) };
        let Some(old) = feed.queue.get(index) else { return Ok(false) };
        let Some(r) = feed.rungs.get(rung) else { return Ok(false) };
        let (start, duration, level, bitrate) = (old.start, old.duration, r.level, r.bitrate);
        if !self.fits(i, bitrate, span) || !self.table_fits(i) {
            return Ok(false);
        }
        self.write_url(i, level, start).map_err(|e| (Some(level), e))?;
        let told = Decided::new(bitrate, ahead, Why::Replaced, self.planned_rate());
        if self.open_replacement(i, start, duration, level, bitrate).is_err() {
            return Ok(false);
        }
        let Some(feed) = self.feeds.get(i) else { return Ok(false) };
        let (id, time) = (feed.id, feed.scale.media_time(start));
        self.tell_decision(id, time, told);
        Ok(true)
    }

    /// Place in the queue and rung.
    fn find_replacement(
        &mut self,
        i: usize,
        next: u64,
        ahead: Micros,
        span: Micros,
    ) -> Option<(usize, usize)> {
        let mut held = core::mem::take(&mut self.switching.held);
        held.clear();
        let feed = self.feeds.get(i)?;
        let mut due = feed.depth(self.now, self.clock.running());
        let (mut first, mut before) = (None, feed.fed.and_then(|level| rung_of(feed, level)));
        for (n, fragment) in feed.queue.iter().enumerate() {
            let rung = rung_of(feed, fragment.level)?;
            let free = fragment.complete && !fragment.committed() && (n > 0 || feed.offer == Offer::None);
            let late = due.0.saturating_mul(2) < span.0.saturating_mul(3);
            if first.is_some() || (n > 0 && free && !late) {
                first = first.or(Some(n));
                held.push(&mut self.account, Held { level: rung, due }).ok()?;
            } else {
                before = Some(rung);
            }
            due = due.plus(feed.scale.micros(fragment.left()));
        }
        let flight = Flight {
            start: next,
            span,
            remaining: None,
            last: feed.rung.map(usize::from),
            ..Flight::default()
        };
        self.switching.held = held;
        first?;
        self.fill_choices(i, span)?;
        let moment = self.moment(i, &flight, ahead);
        let s = &mut self.switching;
        let found =
            s.planner.as_mut()?.replace(&Moment { choices: &s.choices, ..moment }, before, &s.held)?;
        Some((first?.saturating_add(found.index), found.level))
    }

    fn open_replacement(
        &mut self,
        i: usize,
        start: u64,
        duration: u64,
        level: u16,
        bitrate: u32,
    ) -> Result<()> {
        let fragments = self.feeds.get(i).map_or(0, |f| f.spare.len().saturating_add(f.queue.len()));
        self.make_room(fragments.saturating_add(8).saturating_mul(size_of::<Fragment>()));
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return Ok(()) };
        let hole = core::mem::take(&mut feed.hole_behind);
        let opened = feed.open_fragment(account, start, duration);
        feed.hole_behind = hole;
        opened?;
        if let Some(back) = feed.queue.last_mut() {
            (back.level, back.bitrate) = (level, bitrate);
        }
        feed.restart_back(pool, account);
        feed.retry = Default::default();
        feed.replaces = Some(start);
        Ok(())
    }

    /// The replacement of stream `i` has arrived, if it is one: it takes the old one's place.
    pub(in super::super) fn replaced(&mut self, i: usize) {
        let event = self.event(EventKind::Replaced);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let Some(start) = feed.replaces.take() else { return };
        let Some(last) = feed.queue.len().checked_sub(1) else { return };
        let found = feed.queue.iter().take(last).position(|f| f.start == start && !f.committed());
        let free = |n: usize| n > 0 || feed.offer == Offer::None;
        let Some(place) = found.filter(|n| free(*n)) else {
            let wasted = feed.queue.last().map_or(0, |f| f.body.len());
            feed.recycle(pool, account, last);
            self.stats.wasted = self.stats.wasted.saturating_add(wasted);
            return;
        };
        let Some((before, wasted, hole, lead_in)) =
            feed.queue.get(place).map(|f| (f.bitrate, f.body.len(), f.after_hole, f.lead_in))
        else {
            return;
        };
        feed.queue.as_mut_slice().swap(place, last);
        feed.recycle(pool, account, last);
        let newest = place.saturating_add(1) == feed.queue.len();
        let Some(new) = feed.queue.get_mut(place) else { return };
        (new.after_hole, new.lead_in) = (hole, lead_in);
        let (now, level) = (new.bitrate, new.level);
        if newest {
            feed.rung = rung_of(feed, level).and_then(|n| u16::try_from(n).ok());
            feed.bitrate = now;
        }
        let event = event.about(feed.id).when(feed.scale.media_time(start));
        self.stats.replaced = self.stats.replaced.saturating_add(1);
        self.stats.wasted = self.stats.wasted.saturating_add(wasted);
        self.tell(event.numbers(u64::from(before), u64::from(now)));
    }

    /// Whether what stream `i` fetches is a replacement.
    pub(in super::super) fn is_replacing(&self, i: usize) -> bool {
        self.feeds.get(i).is_some_and(|f| f.replaces.is_some())
    }

    /// Whether stream `i` was fetching a replacement. It is given up: what it was to replace is still there.
    pub(in super::super) fn drop_replacement(&mut self, i: usize) -> bool {
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return false };
        if feed.replaces.take().is_none() {
            return false;
        }
        if let Some(last) = feed.queue.len().checked_sub(1) {
            let wasted = feed.queue.get(last).map_or(0, |f| f.body.len());
            feed.recycle(pool, account, last);
            feed.checked.clear();
            self.stats.wasted = self.stats.wasted.saturating_add(wasted);
        }
        true
    }

    /// Gives up a replacement that comes too late: what it was to replace is about to go out.
    pub(in super::super) fn tend_replacement(&mut self, i: usize) {
        let Some(feed) = self.feeds.get(i) else { return };
        let Some(start) = feed.replaces else { return };
        let place = feed.queue.iter().position(|f| f.start == start);
        if place.is_none_or(|n| n == 0 || n.saturating_add(1) >= feed.queue.len()) {
            self.cancel_fetch(i);
        }
    }
}
