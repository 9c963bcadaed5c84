//! When a fragment's exchange fails: it is tried again, elsewhere, or given up; and what an outage is.

use super::Session;
use super::feed::{Join, Offer};
use super::live::LIVE;
use super::retry::{Exchange, Verdict, is_outage, patience};
use crate::error::Code;
use crate::io::{Event, EventKind, Failure};
use crate::time::{Instant, Micros};

impl Session {
    /// The exchange of stream `i` has failed: try again, elsewhere, or give the fragment up.
    pub(super) fn fetch_failed(&mut self, i: usize, failure: Failure) {
        let replacing = self.is_replacing(i);
        self.cancel_fetch(i);
        if replacing {
            return;
        }
        let early = self.is_growing() && matches!(failure.status, 412 | 415);
        if failure.status >= 400 && !early {
            self.stats.http_errors = self.stats.http_errors.saturating_add(1);
        }
        let (now, limits) = (self.now, self.config.limits);
        let event = self.event(EventKind::Retry).because(failure.error);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.keep_offered();
        feed.restart_back(pool, account);
        let Some(committed) = feed.queue.last().map(|f| f.committed()) else { return };
        if self.is_answered(i, &failure) {
            return;
        }
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let verdict = match feed.retry.after(now, &failure, &limits, &mut self.rng) {
            Verdict::OtherLevel if committed || feed.rungs.iter().filter(|r| r.is_open()).count() < 2 => {
                Verdict::Lost
            }
            verdict => verdict,
        };
        feed.retrying = true;
        if LIVE {
            feed.tail.same_level = false;
        }
        if is_outage(&failure) {
            self.outage = self.outage.or(Some(now.after(patience(&limits))));
        } else {
            self.note_alive(now);
        }
        self.note_failing(i, &failure);
        let verdict = match verdict {
            Verdict::Lost if self.is_growing() => self.waits_for_origin(i, &failure).unwrap_or(verdict),
            Verdict::Lost => self.outlasts(i, &failure).unwrap_or(verdict),
            verdict => verdict,
        };
        let Some(feed) = self.feeds.get(i) else { return };
        let (tries, stream) = (feed.retry.failed, feed.id);
        let wait = match verdict {
            Verdict::Again(wait) => wait,
            Verdict::OtherLevel => {
                if let Some(feed) = self.feeds.get_mut(i) {
                    feed.retry.not_before = now.after(Micros::from_millis(100));
                }
                Micros::from_millis(100)
            }
            Verdict::Lost => return self.lose(i, failure),
        };
        let event = event.about(stream).numbers(u64::from(tries), wait.0);
        self.tell(Event { http_status: failure.status, ..event });
    }

    /// The origin gave media at `heard`, or an answer that means one fragment alone.
    pub(super) fn note_alive(&mut self, heard: Instant) {
        if heard > self.alive {
            self.alive = heard;
            self.outage = None;
        }
    }

    /// Whether stream `i`, whose tries are used up, goes on trying all the same: nothing else comes either, and what follows
    /// in the list would fare no better. An origin that answers with an error does come; it counts as gone when every
    /// stream gets such answers.
    fn outlasts(&mut self, i: usize, failure: &Failure) -> Option<Verdict> {
        if !is_outage(failure) || self.outage.is_none_or(|over| self.now >= over) {
            return None;
        }
        let (mut selected, mut failing) = (0u32, 0u32);
        for feed in self.feeds.iter().filter(|f| f.selected && f.leads()) {
            selected = selected.wrapping_add(1);
            failing = failing.wrapping_add(u32::from(feed.retry.failed > 0));
        }
        if failure.status != 0 && (selected < 2 || failing < selected) {
            return None;
        }
        let wait = Micros(self.rng.jitter(self.config.limits.retry_longest.0));
        let feed = self.feeds.get_mut(i).filter(|f| f.leads() && f.join == Join::Settled)?;
        if self.alive > feed.retry.since {
            return None;
        }
        feed.retry.not_before = self.now.after(wait);
        Some(Verdict::Again(wait))
    }

    /// The back of the queue, or what is left of it, is given up: a hole in the stream.
    pub(super) fn lose(&mut self, i: usize, failure: Failure) {
        let event = self.event(EventKind::Gap).because(failure.error);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.retrying = false;
        let Some(last) = feed.queue.len().checked_sub(1) else { return };
        let Some((start, end, from)) =
            feed.queue.get(last).map(|f| (f.start, f.start.saturating_add(f.duration), f.dts.max(f.start)))
        else {
            return;
        };
        feed.recycle(pool, account, last);
        feed.checked.clear();
        if last == 0 {
            feed.offer = match feed.offer {
                Offer::Waiting | Offer::Decrypting | Offer::Lost => Offer::Lost,
                _ => Offer::None,
            };
            feed.discontinuity = true;
        } else {
            feed.hole_behind = true;
        }
        feed.lost_in_a_row = feed.lost_in_a_row.saturating_add(1);
        let hole = feed.scale.micros(end.saturating_sub(from));
        let event = event.about(feed.id).when(feed.scale.media_time(from)).numbers(hole.0, start);
        let (text, lost) = (!feed.leads(), feed.lost_in_a_row);
        let hopeless = !text && lost >= self.config.limits.lost_in_a_row;
        self.stats.gaps = self.stats.gaps.saturating_add(1);
        if text {
            self.text_settled(i);
        }
        self.tell(Event { http_status: failure.status, ..event });
        if hopeless && self.feeds.get(i).is_some_and(|f| f.join != Join::Settled) {
            // The others play as if nobody had wanted it.
            self.drop_stream(i, failure.error);
        } else if hopeless {
            self.fail(failure.error);
        }
    }

    /// Notices exchanges that are overdue.
    pub(super) fn check_deadlines(&mut self) {
        let (now, limits) = (self.now, self.config.limits);
        let overdue = |e: &Exchange| -> Option<Code> { (now >= e.deadline(&limits)).then(|| e.overdue()) };
        if let Some(code) = self.opening.as_ref().and_then(overdue) {
            self.manifest_failed(code.into());
        }
        self.check_keys();
        for i in 0..self.feeds.len() {
            let late = self
                .feeds
                .get(i)
                .and_then(|f| if f.blocked { None } else { f.fetch.as_ref().and_then(overdue) });
            if let Some(code) = late {
                self.fetch_failed(i, code.into());
            }
        }
    }
}
