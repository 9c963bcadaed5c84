//! How samples are encrypted: read from fragments, told to decoders, and undone in place.

use super::late::Waiting;
use super::{Cipher, Guard, Layout, Protect, own};
use crate::error::{Code, Error, Result};
use crate::io::{
    Decrypt, Decrypted, KeyHandle, KeyStatus, Output, SampleProtection, Scheme, StreamId, Subsample,
};
use crate::limits::Limits;
use crate::mem::Account;
use crate::mp4::encryption::{Algorithm, EncryptionTable, SampleEncryption};
use crate::session::Session;
use crate::session::config::ProtectionMode;
use crate::session::feed::{Feed, Offer as Offered};
use crate::session::fragment::Fragment;

impl Cipher {
    pub const fn new() -> Cipher {
        Cipher { table: EncryptionTable::new(), clear: 0, opened: None, waiting: Waiting::NOTHING }
    }

    pub fn clear(&mut self) {
        self.table.clear();
        self.clear = 0;
        self.opened = None;
        self.waiting = Waiting::NOTHING;
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
    pub(in crate::session) fn encryption(&self) -> Option<SampleEncryption<'_>> {
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
    pub(in crate::session) fn is_encrypted(&self, index: usize) -> bool {
        self.cipher.opened != Some(index) && self.cipher.sample(index).is_some()
    }
}

impl Fragment {
    /// Whether bytes `from..to` of the body, in its next sample, which starts at `start`, can be read.
    pub(in crate::session) fn is_clear(&self, start: u64, from: u64, to: u64) -> bool {
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
    /// Reads how the samples that `moof` has just added to `table` are encrypted, unless that comes later in the body.
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
        if self.put_off(moof, info, table, limits)? {
            return Ok(());
        }
        crate::mp4::encryption::parse(moof, info, table, account, limits, &mut self.table)
    }
}

impl Session {
    /// Makes the front sample of stream `i` ready to be decrypted; `false` when there is nothing to decrypt.
    ///
    /// # Errors
    /// Lack of memory.
    pub(in crate::session) fn prepare_decrypt(&mut self, i: usize) -> Result<bool> {
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

    pub(in crate::session) fn decrypt_output(&mut self, i: usize) -> Output<'_> {
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

    pub(in crate::session) fn on_decrypted(&mut self, stream: StreamId, answer: Decrypted) {
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
