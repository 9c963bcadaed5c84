//! A fragment that comes too slowly gives way to a lower level.

use super::super::Session;
use super::super::config::Abandonment;
use super::super::feed::Offer;
use super::rung_of;
use crate::abr::{Moment, Progress};
use crate::io::EventKind;
use crate::time::{Instant, Micros, scale};

/// A fetch is looked at this often whatever comes, so that a dead link is noticed.
const LOOK: Micros = Micros::from_millis(250);
/// And when so much has come since, but not more often than this.
const SOON: Micros = Micros::from_millis(50);
const SOME: u64 = 1_500;

impl Session {
    /// Looks at the planned fetch in flight, where it is time to.
    pub(in super::super) fn look(&mut self) {
        let Some(i) = self.switching.stream.and_then(|id| self.feed_of(id)) else { return };
        let now = self.now;
        let flight = self.switching.flight;
        if !self.may_give_way(i) {
            return;
        }
        let Some(feed) = self.feeds.get(i) else { return };
        let (Some(exchange), Some(back)) = (feed.fetch, feed.queue.last()) else { return };
        let (since, more) = (now.since(flight.looked), back.body.len().saturating_sub(flight.seen));
        if since < LOOK && (since < SOON || more < SOME) {
            return;
        }
        let (received, level) = (back.body.len(), back.level);
        (self.switching.flight.looked, self.switching.flight.seen) = (now, received);
        let Some(rung) = rung_of(feed, level) else { return };
        let buffer = feed.ahead(now, self.clock.running()).minus(flight.span);
        if self.fill_choices(i, flight.span).is_none() {
            return;
        }
        let moment = self.moment(i, &flight, buffer);
        let s = &mut self.switching;
        // Others may receive at the same time: these bytes count as fast as the link is with all of them.
        let (bytes, took) = s.meter.look(now);
        let elapsed = now.since(exchange.started);
        let elapsed = match exchange.first {
            Some(first) if bytes > received => {
                let share = scale(took.0, received, bytes).unwrap_or(took.0);
                first.since(exchange.started).plus(Micros(share)).min(elapsed)
            }
            _ => elapsed,
        };
        let Some(planner) = &mut s.planner else { return };
        let answer = planner.abandon(&Progress {
            moment: Moment { choices: &s.choices, ..moment },
            level: rung,
            total: exchange.content_length,
            received,
            elapsed,
            first_byte: exchange.first.map(|f| f.since(exchange.started)),
            reconnects: true,
        });
        if answer.is_some() {
            self.give_way(i, rung, received);
        }
    }

    /// When the fetch in flight is to be looked at again.
    pub(in super::super) fn look_at(&self) -> Option<Instant> {
        let i = self.switching.stream.and_then(|id| self.feed_of(id))?;
        self.may_give_way(i).then(|| self.switching.flight.looked.max(self.started(i)).after(LOOK))
    }

    fn started(&self, i: usize) -> Instant {
        self.feeds.get(i).and_then(|f| f.fetch).map_or(self.now, |e| e.started)
    }

    /// Whether what stream `i` fetches may still be given up: the decoder has nothing of it.
    fn may_give_way(&self, i: usize) -> bool {
        if self.config.switching.abandonment == Abandonment::Off || !self.plans() || !self.is_planned(i) {
            return false;
        }
        let Some(feed) = self.feeds.get(i) else { return false };
        let Some(back) = feed.queue.last() else { return false };
        let lowest = feed.rungs.iter().find(|r| r.is_open()).is_none_or(|r| r.level == back.level);
        let begun = back.committed() || (feed.queue.len() == 1 && feed.offer != Offer::None);
        feed.fetch.is_some()
            && !feed.blocked
            && feed.replaces.is_none()
            && !begun
            && !lowest
            && back.start == self.switching.flight.start
    }

    fn give_way(&mut self, i: usize, rung: usize, received: u64) {
        let event = self.event(EventKind::Abandoned);
        self.cancel_fetch(i);
        let now = self.now;
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.restart_back(pool, account);
        feed.retrying = true;
        feed.retry.not_before = now;
        feed.tail.same_level = false;
        let Some(back) = feed.queue.last() else { return };
        let event = event.about(feed.id).when(feed.scale.media_time(back.start));
        let event = event.numbers(u64::from(back.bitrate), received);
        let flight = &mut self.switching.flight;
        flight.abandoned = Some(rung);
        flight.seen = 0;
        self.stats.abandoned = self.stats.abandoned.saturating_add(1);
        self.stats.wasted = self.stats.wasted.saturating_add(received);
        self.tell(event);
    }
}
