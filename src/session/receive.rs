//! Bytes of responses on their way into fragments.

use super::feed::Feed;
use super::{Session, State};
use crate::codec::Kind;
use crate::error::{Code, Error, Result};
use crate::io::{EventKind, Failure, Outcome, RequestId, Response};
use crate::mem::{Chain, Pool};
use crate::mp4::{self, BodyEnd, Encryption, Found};
use crate::time::Instant;
use crate::trace;

/// A chain and the pool it lies in, as the box parser wants to read them.
struct Reader<'a> {
    chain: &'a Chain,
    pool: &'a Pool,
}

impl mp4::Source for Reader<'_> {
    fn read(&self, at: u64, out: &mut [u8]) -> bool {
        let mut rest = out;
        for part in self.chain.slices(self.pool, at, rest.len() as u64) {
            let Some((to, after)) = rest.split_at_mut_checked(part.len()) else { return false };
            for (to, from) in to.iter_mut().zip(part) {
                *to = *from;
            }
            rest = after;
        }
        rest.is_empty()
    }

    fn len(&self) -> u64 {
        self.chain.len()
    }
}

impl Session {
    /// Hands in body bytes by copy. Returns how many were taken: fewer than given when the budget has no room now. Keep
    /// the rest, stop reading that connection, and offer it again after the next samples have been accepted.
    pub fn body(&mut self, at: Instant, id: RequestId, bytes: &[u8]) -> usize {
        self.advance(at);
        if self.opening.is_some_and(|e| e.id == id) {
            self.manifest_bytes(bytes);
            return bytes.len();
        }
        let Some(i) = self.fetching(id) else { return bytes.len() };
        let mut taken = 0usize;
        while let Some(rest) = bytes.get(taken..).filter(|r| !r.is_empty()) {
            let space = self.fragment_space(i);
            let n = space.len().min(rest.len());
            if n == 0 {
                break;
            }
            for (to, from) in space.iter_mut().zip(rest) {
                *to = *from;
            }
            taken = taken.saturating_add(n);
            self.fragment_filled(i, n);
            if self.fetching(id) != Some(i) {
                // The bytes ended the exchange: what is left of them concerns nobody.
                return bytes.len();
            }
        }
        taken
    }

    /// Memory to read body bytes into; then [`Session::filled`]. Empty when the exchange is unknown, or when the budget
    /// has no room now: stop reading that connection until samples have been accepted.
    pub fn space(&mut self, id: RequestId) -> &mut [u8] {
        if self.opening.is_some_and(|e| e.id == id) {
            return self.inbox.as_mut_slice();
        }
        match self.fetching(id) {
            Some(i) => self.fragment_space(i),
            None => &mut [],
        }
    }

    /// Counts `n` bytes written to the front of [`Session::space`].
    pub fn filled(&mut self, at: Instant, id: RequestId, n: usize) {
        self.advance(at);
        if self.opening.is_some_and(|e| e.id == id) {
            let inbox = core::mem::take(&mut self.inbox);
            self.manifest_bytes(inbox.get(..n.min(inbox.len())).unwrap_or(&[]));
            self.inbox = inbox;
        } else if let Some(i) = self.fetching(id) {
            self.fragment_filled(i, n);
        }
    }

    /// Whether an exchange waits for memory: nothing should be read from its connection now.
    pub fn is_blocked(&self, id: RequestId) -> bool {
        self.fetching(id).and_then(|i| self.feeds.get(i)).is_some_and(|f| f.blocked)
    }

    fn fetching(&self, id: RequestId) -> Option<usize> {
        if self.state != State::Playing {
            return None;
        }
        self.feeds.iter().position(|f| f.fetch.is_some_and(|e| e.id == id))
    }

    fn fragment_space(&mut self, i: usize) -> &mut [u8] {
        match self.make_space(i) {
            Ok(()) => {}
            Err(Code::NoMemory) => {
                // What the host has no memory for comes only from blocks of other streams.
                let busy = |f: &Feed| f.sample_at_hand() || (f.fetch.is_some() && !f.blocked);
                if !self.feeds.iter().any(busy) {
                    self.too_large(i, Error::at(Code::NoMemory, "mdat", 0));
                }
                return &mut [];
            }
            Err(_) if self.relieve(i) && self.make_space(i).is_ok() => {}
            Err(_) => return &mut [],
        }
        match self.feeds.get(i).and_then(|f| f.queue.last()) {
            Some(back) => back.body.space(&mut self.pool),
            None => &mut [],
        }
    }

    /// Sees to it that the arriving fragment can take a byte; the reason when no block may be taken.
    fn make_space(&mut self, i: usize) -> core::result::Result<(), Code> {
        let open = self.blocks_open_to(i);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let feed = self.feeds.get_mut(i).ok_or(Code::State)?;
        let back = feed.queue.last_mut().ok_or(Code::State)?;
        let grown = match back.body.is_full(pool) {
            false => Ok(()),
            true if open == 0 => Err(Code::Budget),
            true => back.body.grow(pool, account).map_err(|e| e.code),
        };
        match grown {
            Ok(()) => self.unblock(i),
            Err(_) => self.block(i),
        }
        grown
    }

    fn fragment_filled(&mut self, i: usize, n: usize) {
        let now = self.now;
        let count = n as u64;
        self.stats.bytes = self.stats.bytes.saturating_add(count);
        if self.feeds.get(i).is_some_and(Feed::leads) {
            self.throughput.bytes(count);
        }
        self.bytes_came(i, count);
        if self.stats.first_byte.is_none() {
            self.stats.first_byte = Some(now.since(self.opened_at));
        }
        let Some(feed) = self.feeds.get_mut(i) else { return };
        if let Some(exchange) = &mut feed.fetch {
            exchange.answered = true;
            exchange.heard = now;
        }
        if let Some(back) = feed.queue.last_mut() {
            back.body.filled(&self.pool, n);
        }
        if let Err(error) = self.parse(i, BodyEnd::Open) {
            self.bad_body(i, error);
            return;
        }
        self.look();
    }

    /// Finds out what the arrived bytes are.
    fn parse(&mut self, i: usize, end: BodyEnd) -> Result<()> {
        if self.is_bare(i, end)? {
            return Ok(());
        }
        // Each turn passes at least one box.
        for _ in 0..=self.config.limits.box_children {
            if self.waits_for_table(i, end)? {
                return Ok(());
            }
            let limits = &self.config.limits;
            let Some(feed) = self.feeds.get_mut(i) else { return Ok(()) };
            let content_length = feed.fetch.and_then(|e| e.content_length);
            let Some(back) = feed.queue.last_mut() else { return Ok(()) };
            let reader = Reader { chain: &back.body, pool: &self.pool };
            match back.walk.advance(&mp4::Body { source: &reader, end, content_length }, limits)? {
                Found::Moof { offset, size } => self.take_moof(i, offset, size)?,
                Found::Mdat { payload_offset, payload_size } => {
                    let table = if back.again { &mut feed.checked } else { &mut back.table };
                    table.place(payload_offset, payload_size)?;
                    if !back.cipher.holds_back(table, payload_offset.saturating_add(payload_size))? {
                        self.take_table(i)?;
                    }
                }
                Found::NeedMore { .. } | Found::End => return Ok(()),
            }
        }
        Ok(())
    }

    fn take_moof(&mut self, i: usize, offset: u64, size: u32) -> Result<()> {
        // Put together, and a table entry of five numbers for each number in it.
        let protecting = self.is_protecting();
        self.make_room((size as usize).saturating_mul(if protecting { 12 } else { 6 }));
        let Some(feed) = self.feeds.get_mut(i) else { return Ok(()) };
        let leads = feed.leads();
        let Some(back) = feed.queue.last_mut() else { return Ok(()) };
        let (pool, account) = (&self.pool, &mut self.account);
        let moof = back.body.gathered(pool, account, &mut self.gathered, offset, size)?;
        let table = if back.again { &mut feed.checked } else { &mut back.table };
        let info = mp4::parse_moof(moof, offset, &mut self.account, &self.config.limits, table)?;
        if !leads {
            let limits = &self.config.limits;
            // A sample without its table is still a sample.
            if mp4::subs::parse(moof, &info, table, &mut self.account, limits, &mut back.parts).is_err() {
                back.parts.clear();
            }
        }
        let read = match () {
            // Text is always clear, whatever stands in its fragments.
            () if feed.kind == Kind::Text => Ok(()),
            () if !protecting && info.encryption == Encryption::Clear => Ok(()),
            () if !cfg!(feature = "protection") => {
                Err(Error::at(Code::ProtectionUnsupported, "moof/traf", offset))
            }
            () if !protecting => Err(Error::at(Code::ProtectionMissing, "moof/traf", offset)),
            () => {
                let (account, limits) = (&mut self.account, &self.config.limits);
                back.cipher.read(moof, &info, table, account, limits)?;
                self.protect.learn_from(moof, &back.cipher, account, limits)
            }
        };
        read.and_then(|()| self.follow(i, &info))
    }

    /// The samples have their places: check them, and against what has already left on an earlier try.
    pub(super) fn take_table(&mut self, i: usize) -> Result<()> {
        let largest = self.largest_sample(i);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return Ok(()) };
        let Some(back) = feed.queue.last_mut() else { return Ok(()) };
        if back.again {
            feed.checked.spread(back.duration);
            let (new, old) = (feed.checked.samples(), back.table.samples());
            if new.len() <= back.next && back.next < old.len() {
                // More pairs follow; compare when the ones that left are there.
                return Ok(());
            }
            let same = new.len() <= old.len()
                && new
                    .iter()
                    .zip(old)
                    .all(|(n, o)| (n.size, n.duration, n.composition) == (o.size, o.duration, o.composition));
            if !same {
                feed.checked.clear();
                return Err(Error::at(Code::FragmentChanged, "moof", 0));
            }
            core::mem::swap(&mut back.table, &mut feed.checked);
            feed.checked.clear();
            back.again = false;
        } else {
            back.table.spread(back.duration);
        }
        let samples = back.table.samples();
        if let Some(big) = samples.iter().find(|s| u64::from(s.size) > largest) {
            return Err(Error::at(Code::LimitSampleBytes, "moof/traf/trun", u64::from(big.offset)));
        }
        back.in_order = samples.is_sorted_by_key(|s| s.offset);
        back.placed = samples.len();
        if back.in_order
            && let Some(next) = back.table.samples().get(back.next)
        {
            back.body.release_before(pool, account, u64::from(next.offset));
        }
        Ok(())
    }

    pub(super) fn on_response(&mut self, id: RequestId, head: &Response<'_>) {
        let now = self.now;
        if let Some(exchange) = self.opening.as_mut().filter(|e| e.id == id) {
            exchange.answered = true;
            exchange.heard = now;
            exchange.status = head.status;
            self.manifest_head(head);
            return;
        }
        let Some(i) = self.fetching(id) else { return };
        let most = self.config.limits.fragment_bytes;
        if let Some(exchange) = self.feeds.get_mut(i).and_then(|f| f.fetch.as_mut()) {
            exchange.answered = true;
            exchange.heard = now;
            exchange.status = head.status;
            exchange.content_length = head.content_length;
        }
        if (200..300).contains(&head.status) {
            self.answer_began(i);
            self.on_announcements(i, head.content_type);
        }
        let failure = if !(200..300).contains(&head.status) {
            Failure { error: Code::HttpStatus.into(), status: head.status }
        } else if !is_identity(head.content_encoding) {
            Code::ContentEncoding.into()
        } else if head.content_length.is_some_and(|l| l > most) {
            Code::LimitFragmentBytes.into()
        } else {
            return;
        };
        self.fetch_failed(i, failure);
    }

    pub(super) fn on_finished(&mut self, id: RequestId, outcome: Outcome) {
        if self.opening.is_some_and(|e| e.id == id) {
            // The host has closed it: nothing to cancel.
            self.opening = None;
            match outcome {
                Outcome::Complete => self.manifest_complete(),
                Outcome::Failed(code) => self.manifest_failed(network(code)),
            }
            return;
        }
        let Some(i) = self.fetching(id) else { return };
        match outcome {
            Outcome::Complete => self.fragment_complete(i),
            Outcome::Failed(code) => {
                self.finish_exchange(i);
                self.fetch_failed(i, network(code));
            }
        }
    }

    fn fragment_complete(&mut self, i: usize) {
        let checked = self.parse(i, BodyEnd::Reached).and_then(|()| self.check_whole(i));
        if let Err(error) = checked {
            self.finish_exchange(i);
            self.bad_body(i, error);
            return;
        }
        let exchange = self.feeds.get(i).and_then(|f| f.fetch);
        self.finish_exchange(i);
        let event = self.event(EventKind::FragmentDone);
        let now = self.now;
        self.whole_came(i, self.feeds.get(i).and_then(|f| f.queue.last()).map_or(0, |b| b.body.len()));
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let Some(back) = feed.queue.last_mut() else { return };
        back.complete = true;
        feed.retry = Default::default();
        feed.lost_in_a_row = 0;
        let took = exchange.map_or(0, |e| now.since(e.started).0);
        let asked = exchange.map_or(now, |e| e.started);
        let event =
            event.about(feed.id).when(feed.scale.media_time(back.start)).numbers(back.body.len(), took);
        self.stats.fragments = self.stats.fragments.saturating_add(1);
        let text = !feed.leads();
        self.tell(event);
        self.replaced(i);
        self.arrived(i, asked);
        if text {
            self.text_settled(i);
        }
    }

    /// Every byte that the head and the tables promise has come.
    fn check_whole(&self, i: usize) -> Result<()> {
        let Some(feed) = self.feeds.get(i) else { return Ok(()) };
        let Some(back) = feed.queue.last() else { return Ok(()) };
        let short = |at: &'static str| Err(Error::at(Code::FragmentTruncated, at, back.body.len()));
        if feed.fetch.and_then(|e| e.content_length).is_some_and(|l| l > back.body.len()) {
            return Err(Error::at(Code::BodyTruncated, "Content-Length", back.body.len()));
        }
        if back.again {
            return short("mdat");
        }
        back.table.finish()?;
        if feed.leads() && back.table.samples().is_empty() {
            // Boxes around nothing are no sound and no picture, and nobody would be told.
            return Err(Error::at(Code::FragmentNotMp4, "moof/traf", 0));
        }
        let end = |s: &mp4::SampleEntry| u64::from(s.offset).saturating_add(u64::from(s.size));
        if back.table.samples().iter().any(|s| end(s) > back.body.len()) {
            return short("mdat");
        }
        Ok(())
    }

    /// The exchange of stream `i` is over; its id, which has to be cancelled unless the host has closed it.
    pub(super) fn finish_exchange(&mut self, i: usize) -> Option<RequestId> {
        self.unblock(i);
        let now = self.now;
        let feed = self.feeds.get_mut(i)?;
        let exchange = feed.fetch.take()?;
        if feed.leads() {
            self.throughput.end(now);
        }
        self.answer_over(i, &exchange);
        if exchange.answered && exchange.status < 300 {
            self.note_alive(exchange.heard);
        }
        Some(exchange.id)
    }

    /// The body is not what it should be.
    fn bad_body(&mut self, i: usize, error: Error) {
        log::warn!(target: trace::MP4, "fragment refused: {error}");
        if self.is_replacing(i) {
            return self.cancel_fetch(i);
        }
        if error.code == Code::FragmentNotMp4 && self.is_enveloped() {
            self.drop_stream(i, Error { code: Code::ProtectionUnsupported, ..error });
            return;
        }
        let leads = self.feeds.get(i).is_some_and(Feed::leads);
        match error.code {
            // The smallest archive has no code to wait with.
            Code::Budget if super::live::LIVE && leads && self.put_off(i) => {}
            Code::Budget | Code::NoMemory if leads => self.fail(error),
            Code::LimitSampleBytes | Code::Budget | Code::NoMemory => self.too_large(i, error),
            Code::ProtectionUnsupported | Code::ProtectionMissing => self.drop_stream(i, error),
            Code::FragmentChanged => {
                self.cancel_fetch(i);
                self.lose(i, Failure { error, status: 0 });
            }
            _ => self.fetch_failed(i, Failure { error, status: 0 }),
        }
    }

    /// A sample can never fit: not at this level.
    pub(super) fn too_large(&mut self, i: usize, error: Error) {
        let replacing = self.is_replacing(i);
        self.cancel_fetch(i);
        if replacing {
            return;
        }
        let Some(feed) = self.feeds.get_mut(i) else { return };
        feed.keep_offered();
        if !feed.leads() {
            self.lose(i, Failure { error, status: 0 });
            return;
        }
        if error.code == Code::NoMemory {
            self.fail(error);
            return;
        }
        let Some((level, committed)) = feed.queue.last().map(|q| (q.level, q.committed())) else { return };
        let left = self.feeds.get(i).map_or(0, |f| f.rungs.iter().filter(|r| r.is_open()).count());
        if left <= 1 {
            // Not even the last level: the budget is what is wrong.
            self.fail(Error { code: Code::Budget, place: error.place });
            return;
        }
        self.drop_level(i, level, error);
        if committed {
            self.lose(i, Failure { error, status: 0 });
            return;
        }
        let now = self.now;
        let (pool, account) = (&mut self.pool, &mut self.account);
        if let Some(feed) = self.feeds.get_mut(i) {
            feed.restart_back(pool, account);
            feed.retrying = true;
            feed.retry.not_before = now;
        }
    }
}

/// Whether `Content-Encoding` says that the bytes are as they are.
pub(super) fn is_identity(encoding: &str) -> bool {
    let name = encoding.trim_ascii();
    name.is_empty() || name.eq_ignore_ascii_case("identity")
}

/// What a port reports is taken as a network failure, whatever number it chose.
fn network(code: Code) -> Failure {
    match code.number() {
        -299..=-200 => code.into(),
        _ => Code::NetworkIo.into(),
    }
}
