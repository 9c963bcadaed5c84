//! Streams that wait for memory: until others let go of some, or for good.

use super::Session;
use super::feed::{Feed, Offer};
use crate::error::{Code, Error};
use crate::time::Micros;

/// Until a fragment is fetched again for whose table there was no room.
const PUT_OFF: Micros = Micros::from_millis(1000);
/// A stream that waits for memory so long while everything stands still waits for ever.
const STUCK: Micros = Micros::from_secs(2);

impl Session {
    /// The exchange of stream `i` waits for memory: no time passes for it.
    pub(super) fn block(&mut self, i: usize) {
        let now = self.now;
        if let Some(feed) = self.feeds.get_mut(i)
            && !feed.blocked
        {
            feed.blocked = true;
            if feed.leads() {
                self.throughput.pause(now);
            }
            self.answer_held(i);
        }
    }

    /// The exchange of stream `i` no longer waits for memory.
    pub(super) fn unblock(&mut self, i: usize) {
        let now = self.now;
        if let Some(feed) = self.feeds.get_mut(i)
            && feed.blocked
        {
            feed.blocked = false;
            if feed.leads() {
                self.throughput.begin(now);
            }
            if let Some(exchange) = &mut feed.fetch {
                exchange.heard = now;
            }
        }
    }

    /// A stream that can take no more bytes and has nothing to hand out would wait for ever. Whether it has got rid of
    /// bytes that nobody needs; if there are none, its fragment is too large.
    pub(super) fn relieve(&mut self, i: usize) -> bool {
        // Memory may be short for another reason than blocks; then it matters whether any sample can still leave.
        let moving = self.feeds.iter().any(|f| f.selected && (f.offer != Offer::None || f.sample_at_hand()));
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return false };
        let alone = feed.queue.len() <= 1 && (feed.blocks() >= feed.reserve || !moving);
        if !alone || feed.sample_at_hand() {
            return false;
        }
        if let Some(back) = feed.queue.last_mut() {
            let unread = back.walk.unread().min(back.cipher.unread());
            let needed = match back.table.samples().get(back.next) {
                Some(_) if back.next < back.placed && !back.in_order => 0,
                Some(next) if back.next < back.placed => u64::from(next.offset).min(unread),
                _ => unread,
            };
            let before = back.body.blocks();
            back.body.release_before(pool, account, needed);
            if back.body.blocks() < before {
                return true;
            }
        }
        self.too_large(i, Error::at(Code::LimitSampleBytes, "mdat", 0));
        false
    }

    /// Looks after exchanges that wait for memory, for a host that does not touch them meanwhile.
    pub(super) fn tend_blocked(&mut self) {
        if self.is_stuck() {
            self.fail(Error::at(Code::Budget, "Config::budget", 0));
        }
        self.wake_blocked();
        for i in 0..self.feeds.len() {
            if self.feeds.get(i).is_some_and(|f| f.blocked) && self.relieve(i) {
                self.unblock(i);
            }
        }
    }

    /// Whether nothing will ever free memory: the clock is held for a stream that waits for it, and the decoders of the
    /// others are full. Copies of large samples can take what was meant for blocks.
    fn is_stuck(&self) -> bool {
        let starved = |f: &Feed| f.blocked && !f.sample_at_hand() && f.blocks() < f.reserve;
        let mut played = self.feeds.iter().filter(|f| f.selected && f.leads() && !f.ended);
        self.clock.has_stood(self.now, STUCK)
            && played.clone().any(starved)
            && played.all(|f| starved(f) || f.offer == Offer::Refused)
    }

    /// There is no room for the table of the fragment being fetched: where the stream has others before it, whose samples
    /// give theirs back, it is fetched again later. Whether that is so.
    pub(super) fn put_off(&mut self, i: usize) -> bool {
        if self.feeds.get(i).is_none_or(|f| f.queue.len() < 2) {
            return false;
        }
        self.cancel_fetch(i);
        let not_before = self.now.after(PUT_OFF);
        let (pool, account) = (&mut self.pool, &mut self.account);
        if let Some(feed) = self.feeds.get_mut(i) {
            feed.restart_back(pool, account);
            feed.retrying = true;
            feed.retry.not_before = not_before;
        }
        true
    }

    /// Bytes have made room: whoever waited for it may go on.
    pub(super) fn wake_blocked(&mut self) {
        let room = self.account.room() >= self.pool.block_bytes() || self.pool.has_idle();
        for i in 0..self.feeds.len() {
            if room && self.feeds.get(i).is_some_and(|f| f.blocked) && self.blocks_open_to(i) > 0 {
                self.unblock(i);
            }
        }
    }
}
