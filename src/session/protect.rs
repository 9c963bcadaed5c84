//! Encrypted samples: offers to the DRM agent, keys, and waiting for them.
//!
//! Each header is offered once, before the first fragment is asked for; a key that only a fragment names is offered
//! when that fragment arrives, which is long before its samples are due. A sample whose key is not ready waits, and
//! with it its stream; clear ones before it pass.

use super::Session;
use super::config::ProtectionMode;
use super::feed::{Cursor, Feed, Fragment, Offer as Offered};
use crate::error::{Code, Error, Result};
use crate::io::{
    Decrypt, Decrypted, EventKind, KeyHandle, KeyStatus, Keys, Kid, Offer, OfferSource, Output,
    SampleProtection, Scheme, StreamId, Subsample,
};
use crate::limits::Limits;
use crate::mem::{Account, Bytes, List, Text};
use crate::mp4::encryption::{Algorithm, EncryptionTable, SampleEncryption};
use crate::mp4::pssh::{Pssh, PsshBoxes};
use crate::protection;
use crate::time::Instant;

/// Keys remembered; the oldest goes when there are more.
const MOST_KEYS: usize = 64;
/// Offers that wait to be fetched, beyond those of the manifest; more are left out.
const MOST_DUE: usize = 16;
/// Headers remembered, so that none is offered twice.
const REMEMBERED: usize = 16;

/// What a session knows of keys.
#[derive(Debug, Default)]
pub(super) struct Protect {
    keys: List<Key>,
    due: List<Due>,
    /// Hashes of what was offered last.
    offered: heapless::Deque<u64, REMEMBERED>,
    /// The header of the manifest that was offered first.
    first: Option<u16>,
    /// The one whose data goes with the offer that is out.
    header: Option<u16>,
    named: Named,
    scheme: Option<Scheme>,
    /// The offer that is out.
    current: Current,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    name: Option<Kid>,
    status: KeyStatus,
}

/// Keys that the manifest's headers name.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Named {
    #[default]
    None,
    One(Kid),
    Many,
}

#[derive(Debug)]
enum Due {
    Header(u16),
    Key(Option<Kid>),
    Box { system_id: [u8; 16], data: Bytes, kids: List<Kid> },
}

#[derive(Debug, Default)]
struct Current {
    source: Option<OfferSource>,
    system_id: [u8; 16],
    data: Bytes,
    kids: List<Kid>,
    la_url: Text,
    scheme: Option<Scheme>,
}

/// What one stream keeps of its protection.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// What its decoder was last set up with.
    pub key: Option<KeyHandle>,
    wait: Option<Wait>,
    /// Samples in a row that could not be decrypted.
    failures: u32,
    /// Parts of the sample on offer, what was put before them included.
    parts: List<Subsample>,
    /// The part in which the last stretched byte lay, where it starts in the sample as it was, and how much it has
    /// grown.
    part: usize,
    part_start: u64,
    grown: u32,
    pub layout: Layout,
}

/// How an encrypted sample is handed over.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Layout {
    /// In the decoder's framing.
    #[default]
    Framed,
    /// As it lies in the file, because its framing is encrypted.
    Verbatim,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    since: Instant,
    told: bool,
}

/// Whether the front sample may go out.
pub(super) enum Lock {
    /// It is clear.
    Clear,
    /// It is encrypted and its key is there.
    Open(KeyHandle),
    /// It waits for its key, or its level has just been given up.
    Shut,
}

/// How the samples of one fragment are encrypted.
#[derive(Debug, Default)]
pub(super) struct Cipher {
    table: EncryptionTable,
    /// Samples before the first `moof` with encrypted ones: they are clear and not in the table.
    clear: usize,
    /// The sample that has been decrypted in place.
    pub opened: Option<usize>,
}

impl Cipher {
    pub const fn new() -> Cipher {
        Cipher { table: EncryptionTable::new(), clear: 0, opened: None }
    }

    pub fn clear(&mut self) {
        self.table.clear();
        self.clear = 0;
        self.opened = None;
    }

    /// Bytes charged for the table.
    pub fn charged(&self) -> usize {
        self.table.charged()
    }

    fn sample(&self, index: usize) -> Option<SampleEncryption<'_>> {
        if !cfg!(feature = "protection") {
            return None;
        }
        self.table.sample(index.checked_sub(self.clear)?)
    }
}

impl Fragment {
    /// How its next sample is encrypted; `None` when it is clear, or has been made so.
    pub(super) fn encryption(&self) -> Option<SampleEncryption<'_>> {
        if !cfg!(feature = "protection")
            || self.cipher.opened == Some(self.next)
            || self.table.samples().get(self.next)?.size == 0
        {
            return None;
        }
        self.cipher.sample(self.next)
    }
}

impl Fragment {
    /// Whether a sample is encrypted still.
    pub(super) fn is_encrypted(&self, index: usize) -> bool {
        self.cipher.opened != Some(index) && self.cipher.sample(index).is_some()
    }
}

impl Fragment {
    /// Whether bytes `from..to` of the body, in its next sample, which starts at `start`, can be read.
    pub(super) fn is_clear(&self, start: u64, from: u64, to: u64) -> bool {
        let Some(sample) = self.encryption() else { return true };
        let mut at = start;
        for part in sample.subsamples {
            let clear_end = at.saturating_add(part.clear.into());
            if from >= at && to <= clear_end {
                return true;
            }
            at = clear_end.saturating_add(part.protected.into());
        }
        false
    }
}

impl Feed {
    /// What it has cannot go out yet.
    pub(super) fn is_locked(&self) -> bool {
        cfg!(feature = "protection")
            && (self.guard.wait.is_some() || matches!(self.offer, Offered::Decrypting | Offered::Busy))
    }

    /// When it is to be told that its key is late.
    pub(super) fn key_deadline(&self, timeout: crate::time::Micros) -> Option<Instant> {
        self.guard.wait.filter(|w| cfg!(feature = "protection") && !w.told).map(|w| w.since.after(timeout))
    }
}

impl Guard {
    /// Forgets the sample that waited; the decoder has to be set up anew.
    pub fn reset(&mut self) {
        self.key = None;
        self.wait = None;
        self.failures = 0;
    }

    /// Takes the parts of a sample before it is framed.
    ///
    /// # Errors
    /// Lack of memory.
    pub fn begin(&mut self, account: &mut Account, sample: Option<SampleEncryption<'_>>) -> Result<()> {
        self.parts.clear();
        (self.part, self.part_start, self.grown) = (0, 0, 0);
        self.layout = Layout::Framed;
        match sample {
            Some(sample) => self.parts.extend(account, sample.subsamples),
            None => Ok(()),
        }
    }

    pub fn parts(&self) -> &[Subsample] {
        &self.parts
    }

    /// `more` clear bytes go in at the clear byte `at` of the sample. To be called in ascending order.
    pub fn stretch(&mut self, at: u64, more: u32) {
        // Each turn passes a part.
        while let Some(part) = self.parts.get_mut(self.part) {
            let length = u64::from(part.clear).saturating_add(part.protected.into());
            let end = self.part_start.saturating_add(length).saturating_sub(self.grown.into());
            if at < end {
                part.clear = part.clear.saturating_add(more);
                self.grown = self.grown.saturating_add(more);
                return;
            }
            (self.part_start, self.grown) = (end, 0);
            self.part = self.part.saturating_add(1);
        }
    }

    /// `bytes` clear bytes go before a sample of `size` bytes.
    ///
    /// # Errors
    /// Lack of memory.
    pub fn prefix(&mut self, account: &mut Account, bytes: usize, size: u32) -> Result<()> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        match self.parts.first_mut() {
            _ if bytes == 0 => Ok(()),
            Some(first) => {
                first.clear = first.clear.saturating_add(bytes);
                Ok(())
            }
            None => self.parts.push(account, Subsample { clear: bytes, protected: size }),
        }
    }
}

impl Protect {
    /// The key of a sample or offer for which the fragment names `kid`.
    fn name(&self, kid: Option<[u8; 16]>) -> Option<Kid> {
        match (kid, self.named) {
            (Some(kid), _) => Some(Kid(kid)),
            (None, Named::One(kid)) => Some(kid),
            _ => None,
        }
    }

    fn status(&self, name: Option<Kid>) -> KeyStatus {
        self.keys.iter().find(|k| k.name == name).map_or(KeyStatus::Pending, |k| k.status)
    }

    /// Whether `hash` is new; it is remembered.
    fn is_new(&mut self, hash: u64) -> bool {
        if self.offered.iter().any(|h| *h == hash) {
            return false;
        }
        if self.offered.is_full() {
            self.offered.pop_front();
        }
        let _ = self.offered.push_back(hash);
        true
    }

    /// Whether `name` was unknown; it is remembered.
    fn learn(&mut self, account: &mut Account, name: Option<Kid>) -> Result<bool> {
        if self.keys.iter().any(|k| k.name == name) {
            return Ok(false);
        }
        if self.keys.len() >= MOST_KEYS {
            self.keys.drop_front(1);
        }
        self.keys.push(account, Key { name, status: KeyStatus::Pending })?;
        Ok(true)
    }

    /// Takes note of the keys that the header being offered names.
    fn learn_header(&mut self, account: &mut Account) -> Result<()> {
        for n in 0..self.current.kids.len() {
            let Some(kid) = self.current.kids.get(n).copied() else { break };
            self.learn(account, Some(kid))?;
            self.named = match self.named {
                Named::None => Named::One(kid),
                Named::One(known) if known == kid => Named::One(kid),
                _ => Named::Many,
            };
        }
        if self.current.kids.is_empty() && self.named == Named::None {
            self.learn(account, None)?;
        }
        Ok(())
    }

    /// Takes note of a key that a fragment needs.
    fn want(&mut self, account: &mut Account, kid: Option<[u8; 16]>) -> Result<()> {
        let name = self.name(kid);
        if self.learn(account, name)? && self.due.len() < MOST_DUE {
            self.due.push(account, Due::Key(name))?;
        }
        Ok(())
    }

    /// Takes note of a box that a fragment carries.
    fn note(&mut self, account: &mut Account, found: &Pssh<'_>) -> Result<()> {
        if self.due.len() >= MOST_DUE || !self.is_new(hash(found.system_id, found.data)) {
            return Ok(());
        }
        let (mut data, mut kids) = (Bytes::new(), List::new());
        let kept = data.extend(account, found.data).and_then(|()| {
            for kid in found.kids {
                self.learn(account, Some(Kid(*kid)))?;
                kids.push(account, Kid(*kid))?;
            }
            self.due.reserve(account, 1)
        });
        if let Err(error) = kept {
            data.free(account);
            kids.free(account);
            return Err(error);
        }
        self.due.push(account, Due::Box { system_id: found.system_id, data, kids })
    }

    /// What a fragment's `moof` says about its samples' keys.
    ///
    /// # Errors
    /// Of the boxes, or lack of memory.
    pub fn learn_from(
        &mut self,
        moof: &[u8],
        cipher: &Cipher,
        account: &mut Account,
        limits: &Limits,
    ) -> Result<()> {
        let mut boxes = PsshBoxes::new(moof, limits)?;
        // Bounded by the limit inside.
        while let Some(found) = boxes.next_box()? {
            self.note(account, &found)?;
        }
        let mut last = None;
        for sample in (0..cipher.table.len()).filter_map(|n| cipher.table.sample(n)) {
            let kid = sample.setting.kid;
            if last != Some(kid) {
                self.want(account, kid)?;
                last = Some(kid);
            }
        }
        Ok(())
    }

    fn describe<'s>(
        &self,
        sample: &SampleEncryption<'s>,
        parts: &'s [Subsample],
        handle: KeyHandle,
    ) -> SampleProtection<'s> {
        let setting = sample.setting;
        let scheme = match setting.algorithm {
            _ if setting.pattern != (0, 0) => Scheme::Cbcs,
            Some(Algorithm::AesCtr) => Scheme::AesCtr,
            Some(Algorithm::AesCbc) => Scheme::AesCbc,
            None => self.scheme.unwrap_or(Scheme::AesCtr),
        };
        SampleProtection {
            scheme,
            pattern: setting.pattern,
            kid: self.name(setting.kid),
            iv: sample.iv,
            subsamples: parts,
            handle,
        }
    }

    fn handle(&self, sample: &SampleEncryption<'_>) -> Option<KeyHandle> {
        match self.status(self.name(sample.setting.kid)) {
            KeyStatus::Ready(handle) => Some(handle),
            KeyStatus::Pending | KeyStatus::Refused(_) => None,
        }
    }

    /// How the next sample of `front` is encrypted, for a decoder or decryptor; `None` when it is clear.
    pub fn of<'s>(&self, front: &'s Fragment, parts: &'s [Subsample]) -> Option<SampleProtection<'s>> {
        let sample = front.encryption()?;
        self.handle(&sample).map(|handle| self.describe(&sample, parts, handle))
    }
}

impl Cipher {
    /// Reads how the samples that `moof` has just added to `table` are encrypted.
    ///
    /// # Errors
    /// As [`crate::mp4::encryption::parse`].
    pub fn read(
        &mut self,
        moof: &[u8],
        info: &crate::mp4::MoofInfo,
        table: &crate::mp4::SampleTable,
        account: &mut Account,
        limits: &Limits,
    ) -> Result<()> {
        if self.table.is_empty() {
            if info.encryption == crate::mp4::Encryption::Clear {
                return Ok(());
            }
            // Those before have their places, those of this one not yet.
            self.clear = table.samples().len();
        }
        crate::mp4::encryption::parse(moof, info, table, account, limits, &mut self.table)
    }
}

impl Session {
    /// The keys it knows of, in the order in which it learnt of them: the `n`-th, from 0, and how far it is.
    pub fn key(&self, n: usize) -> Option<(Keys, KeyStatus)> {
        let key = self.protect.keys.get(n).filter(|_| cfg!(feature = "protection"))?;
        Some((key.name.map_or(Keys::Unnamed, Keys::One), key.status))
    }

    pub(super) fn is_protecting(&self) -> bool {
        cfg!(feature = "protection") && self.config.protection != ProtectionMode::None
    }

    /// The manifest is there: its headers are due.
    ///
    /// # Errors
    /// Lack of memory.
    pub(super) fn note_headers(&mut self) -> Result<()> {
        let Some(manifest) = &self.manifest else { return Ok(()) };
        let mut envelope = None;
        for (n, header) in (0u16..).zip(manifest.protection.iter()) {
            if protection::normalized(header.system_id) == protection::ENVELOPE {
                envelope = Some(n);
            }
            if self.is_protecting() && self.protect.is_new(hash(header.system_id, &header.data)) {
                self.protect.due.push(&mut self.account, Due::Header(n))?;
            }
        }
        // Nobody can offer it, but everybody wants to know.
        if let (false, Some(n)) = (self.is_protecting(), envelope) {
            self.header_dropped(n, Error::at(Code::ProtectionUnsupported, "Protection/ProtectionHeader", 0));
        }
        Ok(())
    }

    /// Whether the manifest says that whole fragments are encrypted: what comes is no MP4 then.
    pub(super) fn is_enveloped(&self) -> bool {
        self.manifest.as_ref().is_some_and(|m| {
            m.protection.iter().any(|h| protection::normalized(h.system_id) == protection::ENVELOPE)
        })
    }

    fn header_dropped(&mut self, n: u16, error: Error) {
        let event = self.event(EventKind::HeaderDropped).because(error);
        self.tell(event.numbers(n.into(), 0));
    }

    /// Makes the next offer ready; whether there is one. A header that cannot be used gives an event instead.
    pub(super) fn offer_due(&mut self) -> bool {
        if !cfg!(feature = "protection") {
            return false;
        }
        // Each turn takes one out.
        while let Some(due) = self.protect.due.remove(0) {
            match self.make_offer(due) {
                Ok(()) => return true,
                Err((_, error)) if matches!(error.code, Code::Budget | Code::NoMemory) => {
                    self.fail(error);
                    return false;
                }
                Err((n, error)) => self.header_dropped(n, error),
            }
        }
        false
    }

    fn make_offer(&mut self, due: Due) -> core::result::Result<(), (u16, Error)> {
        let (account, limits) = (&mut self.account, &self.config.limits);
        let protect = &mut self.protect;
        let current = &mut protect.current;
        current.data.free(account);
        current.kids.clear();
        current.la_url.free(account);
        current.scheme = None;
        let headers = self.manifest.as_ref().map_or(&[][..], |m| &m.protection);
        match due {
            Due::Box { system_id, data, kids } => {
                current.source = Some(OfferSource::Fragment);
                current.system_id = system_id;
                current.kids.free(account);
                (current.data, current.kids) = (data, kids);
            }
            Due::Key(name) => {
                protect.header = protect.first;
                let header = protect.first.and_then(|n| headers.get(usize::from(n)));
                current.source = Some(OfferSource::Key);
                current.system_id = header.map_or([0; 16], |h| h.system_id);
                current.scheme = protect.scheme;
                if let Some(kid) = name {
                    current.kids.push(account, kid).map_err(|e| (0, e))?;
                }
            }
            Due::Header(n) => {
                let Some(header) = headers.get(usize::from(n)) else { return Ok(()) };
                let mut read =
                    protection::read(header.system_id, &header.data, account, limits).map_err(|e| (n, e))?;
                current.source = Some(OfferSource::Manifest);
                current.system_id = protection::normalized(header.system_id);
                current.scheme = read.scheme();
                current.la_url = core::mem::take(&mut read.la_url);
                let mut kept = Ok(());
                for key in read.keys.iter() {
                    kept = kept.and_then(|()| current.kids.push(account, key.kid));
                }
                read.free(account);
                kept.map_err(|e| (n, e))?;
                protect.header = Some(n);
                protect.first = protect.first.or(Some(n));
                if protect.scheme.is_none() {
                    protect.scheme = protect.current.scheme;
                }
                protect.learn_header(account).map_err(|e| (n, e))?;
            }
        }
        Ok(())
    }

    /// The offer that [`Session::offer_due`] made ready.
    pub(super) fn protection_output(&self) -> Output<'_> {
        let current = &self.protect.current;
        let Some(source) = current.source.filter(|_| cfg!(feature = "protection")) else {
            return Output::Idle(self.deadline());
        };
        let header = self.protect.header.and_then(|n| self.manifest.as_ref()?.protection.get(usize::from(n)));
        let data: &[u8] = match source {
            OfferSource::Fragment => &current.data,
            OfferSource::Manifest | OfferSource::Key => header.map_or(&[], |h| &h.data),
        };
        Output::Protection(Offer {
            source,
            system_id: current.system_id,
            data,
            kids: &current.kids,
            la_url: &current.la_url,
            scheme: current.scheme,
        })
    }
}

impl Session {
    /// Whether the front sample of stream `i` may go out.
    pub(super) fn unlock(&mut self, i: usize) -> Lock {
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
    pub(super) fn give_up_front(&mut self, i: usize, error: Error) {
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

    pub(super) fn on_key(&mut self, keys: Keys, status: KeyStatus) {
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
    pub(super) fn check_keys(&mut self) {
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

    /// Makes the front sample of stream `i` ready to be decrypted; `false` when there is nothing to decrypt.
    ///
    /// # Errors
    /// Lack of memory.
    pub(super) fn prepare_decrypt(&mut self, i: usize) -> Result<bool> {
        if !self.is_protecting() || self.config.protection != ProtectionMode::Decrypt {
            return Ok(false);
        }
        let Some(feed) = self.feeds.get_mut(i) else { return Ok(false) };
        let Some(front) = feed.queue.first() else { return Ok(false) };
        let (Some(sample), Some(entry)) = (front.encryption(), front.table.samples().get(front.next)) else {
            return Ok(false);
        };
        // Twice: a list that grows is held twice for a moment.
        self.pool.trim(&mut self.account, (entry.size as usize).saturating_mul(2));
        feed.guard.begin(&mut self.account, Some(sample))?;
        let (at, size) = (u64::from(entry.offset), u64::from(entry.size));
        feed.staged.clear();
        if front.body.contiguous(&self.pool, at, size).is_none() {
            feed.staged.reserve(&mut self.account, entry.size as usize)?;
            for part in front.body.slices(&self.pool, at, size) {
                feed.staged.extend(&mut self.account, part)?;
            }
        }
        feed.offer = Offered::Decrypting;
        Ok(true)
    }

    pub(super) fn decrypt_output(&mut self, i: usize) -> Output<'_> {
        let idle = Output::Idle(self.deadline());
        let Some(Feed { id, epoch, queue, staged, guard, .. }) = self.feeds.get_mut(i) else { return idle };
        let Some(front) = queue.first().filter(|_| cfg!(feature = "protection")) else { return idle };
        let Some(entry) = front.table.samples().get(front.next) else { return idle };
        let Some(protection) = self.protect.of(front, &guard.parts) else { return idle };
        let data = if staged.is_empty() {
            front.body.contiguous_mut(&mut self.pool, entry.offset.into(), entry.size.into())
        } else {
            Some(staged.as_mut_slice())
        };
        match data {
            Some(data) => Output::Decrypt(Decrypt { stream: *id, epoch: *epoch, protection, data }),
            None => idle,
        }
    }

    pub(super) fn on_decrypted(&mut self, stream: StreamId, answer: Decrypted) {
        let Some(i) = self.feed_of(stream).filter(|_| cfg!(feature = "protection")) else { return };
        let most = self.config.limits.lost_in_a_row;
        let pool = &mut self.pool;
        let Some(feed) = self.feeds.get_mut(i) else { return };
        match feed.offer {
            Offered::Decrypting => feed.offer = Offered::None,
            Offered::Lost => {
                feed.offer = Offered::None;
                return;
            }
            _ => return,
        }
        let Some(front) = feed.queue.first_mut() else { return };
        let at = front.table.samples().get(front.next).map_or(0, |s| u64::from(s.offset));
        match answer {
            Decrypted::Done | Decrypted::Later => {
                front.body.write(pool, at, &feed.staged);
                feed.staged.clear();
                if answer == Decrypted::Later {
                    feed.offer = Offered::Busy;
                } else {
                    front.cipher.opened = Some(front.next);
                    feed.guard.failures = 0;
                }
            }
            Decrypted::Failed(code) => {
                let error = Error::at(own(code, Code::DecryptFailed), "mdat", at);
                feed.staged.clear();
                feed.guard.failures = feed.guard.failures.saturating_add(1);
                if feed.guard.failures >= most {
                    self.drop_stream(i, error);
                } else {
                    self.skip_sample(i, error);
                }
            }
        }
    }
}

/// `code` where it is one of protection, or else `instead`.
fn own(code: Code, instead: Code) -> Code {
    if matches!(code.number(), -499..=-400) { code } else { instead }
}

/// FNV-1a, 64 bits: names a header.
fn hash(system_id: [u8; 16], data: &[u8]) -> u64 {
    let bytes = protection::normalized(system_id);
    let one = |h: u64, b: &u8| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
    data.iter().fold(bytes.iter().fold(0xcbf2_9ce4_8422_2325, one), one)
}
