//! Keys: which are known, how far each is, and samples that wait for theirs.

use super::{Key, Lock, MOST_KEYS, Protect, Wait, own};
use crate::error::{Code, Error, Result};
use crate::io::{EventKind, KeyStatus, Keys, Kid};
use crate::mem::Account;
use crate::session::Session;
use crate::session::feed::{Cursor, Feed, Offer as Offered};
use crate::session::fragment::Fragment;
use crate::time::Instant;

impl Feed {
    /// What it has cannot go out yet.
    pub(in crate::session) fn is_locked(&self) -> bool {
        cfg!(feature = "protection")
            && (self.guard.wait.is_some() || matches!(self.offer, Offered::Decrypting | Offered::Busy))
    }

    /// When it is to be told that its key is late.
    pub(in crate::session) fn key_deadline(&self, timeout: crate::time::Micros) -> Option<Instant> {
        self.guard.wait.filter(|w| cfg!(feature = "protection") && !w.told).map(|w| w.since.after(timeout))
    }
}

impl Protect {
    /// Whether `name` was unknown; it is remembered.
    pub(super) fn learn(&mut self, account: &mut Account, name: Option<Kid>) -> Result<bool> {
        if self.keys.iter().any(|k| k.name == name) {
            return Ok(false);
        }
        if self.keys.len() >= MOST_KEYS {
            self.keys.drop_front(1);
        }
        self.keys.push(account, Key { name, status: KeyStatus::Pending })?;
        Ok(true)
    }
}

impl Session {
    /// The keys it knows of, in the order in which it learnt of them: the `n`-th, from 0, and how far it is.
    pub fn key(&self, n: usize) -> Option<(Keys, KeyStatus)> {
        let key = self.protect.keys.get(n).filter(|_| cfg!(feature = "protection"))?;
        Some((key.name.map_or(Keys::Unnamed, Keys::One), key.status))
    }

    /// Whether the front sample of stream `i` may go out.
    pub(in crate::session) fn unlock(&mut self, i: usize) -> Lock {
        if !cfg!(feature = "protection") {
            return Lock::Clear;
        }
        let now = self.now;
        let Some(feed) = self.feeds.get_mut(i) else { return Lock::Shut };
        let Some(name) =
            feed.queue.first().and_then(Fragment::encryption).map(|s| self.protect.name(s.setting.kid))
        else {
            feed.guard.wait = None;
            return Lock::Clear;
        };
        match self.protect.status(name) {
            KeyStatus::Ready(handle) => {
                feed.guard.wait = None;
                Lock::Open(handle)
            }
            KeyStatus::Pending => {
                feed.guard.wait = feed.guard.wait.or(Some(Wait { since: now, told: false }));
                Lock::Shut
            }
            KeyStatus::Refused(code) => {
                feed.guard.wait = None;
                self.refuse(i, name, code);
                Lock::Shut
            }
        }
    }

    /// The key of the front sample will not come. Where other keys are known another level may have one of them.
    fn refuse(&mut self, i: usize, name: Option<Kid>, code: Code) {
        let error = Error::at(code, "KID", 0);
        let only = name.is_none() || name == self.protect.name(None) || self.protect.keys.len() < 2;
        let Some(level) = self.feeds.get(i).and_then(|f| f.queue.first()).map(|f| f.level) else { return };
        if only {
            self.drop_stream(i, error);
            return;
        }
        self.drop_level(i, level, error);
        if self.feeds.get(i).is_some_and(|f| f.selected) {
            self.give_up_front(i, error);
        }
    }

    /// The front fragment's level cannot be used any more, and what is behind it may be of the same: all is fetched again
    /// from another, but for what is left of a fragment of which samples have gone out.
    pub(in crate::session) fn give_up_front(&mut self, i: usize, error: Error) {
        let event = self.event(EventKind::Gap).because(error);
        let Some(feed) = self.feeds.get(i) else { return };
        let Some(front) = feed.queue.first() else { return };
        let (start, from, begun) = (front.start, front.dts.max(front.start), front.committed());
        let left = feed.scale.micros(start.saturating_add(front.duration).saturating_sub(from));
        let event = event.about(feed.id).when(feed.scale.media_time(from)).numbers(left.0, start);
        self.refetch_from_front(i);
        if begun && let Some(feed) = self.feeds.get_mut(i) {
            feed.cursor = Cursor::After(start);
            feed.discontinuity = true;
            self.stats.gaps = self.stats.gaps.saturating_add(1);
            self.tell(event);
        }
    }

    pub(in crate::session) fn on_key(&mut self, keys: Keys, status: KeyStatus) {
        if !cfg!(feature = "protection") {
            return;
        }
        let status = match status {
            KeyStatus::Refused(code) => KeyStatus::Refused(own(code, Code::KeyRefused)),
            other => other,
        };
        let name = match keys {
            Keys::All => {
                for key in self.protect.keys.iter_mut() {
                    key.status = status;
                }
                return;
            }
            Keys::One(kid) => Some(kid),
            Keys::Unnamed => None,
        };
        // A host may know a key before any fragment does.
        if let Err(error) = self.protect.learn(&mut self.account, name) {
            self.fail(error);
            return;
        }
        for key in self.protect.keys.iter_mut().filter(|k| k.name == name) {
            key.status = status;
        }
    }

    /// Tells of keys that are late, once a wait.
    pub(in crate::session) fn check_keys(&mut self) {
        if !cfg!(feature = "protection") {
            return;
        }
        let (now, timeout) = (self.now, self.config.key_timeout);
        for i in 0..self.feeds.len() {
            let event = self.event(EventKind::KeyTimeout).because(Code::KeyTimeout.into());
            let Some(feed) = self.feeds.get_mut(i) else { return };
            if !feed.selected || feed.key_deadline(timeout).is_none_or(|at| now < at) {
                continue;
            }
            if let Some(wait) = &mut feed.guard.wait {
                wait.told = true;
            }
            let front = feed.queue.first();
            let kid = front.and_then(Fragment::encryption).and_then(|s| self.protect.name(s.setting.kid));
            let kid = kid.unwrap_or_default().0;
            let half = |half: Option<&[u8; 8]>| half.map_or(0, |h| u64::from_be_bytes(*h));
            let mut event = event.about(feed.id);
            event = event.numbers(half(kid.first_chunk()), half(kid.last_chunk()));
            event.media_time = front.map(|f| feed.scale.media_time(f.dts));
            self.tell(event);
        }
    }
}
