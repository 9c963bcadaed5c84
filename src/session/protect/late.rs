//! Tables of encryption that lie among the media data, as ISO/IEC 14496-12 8.7.8 and 8.7.9 allow.
//!
//! Samples leave while their fragment arrives, so a table must come before the first sample it speaks of. One behind them
//! is refused: they would wait for the end of the fragment, and a large fragment would never fit in a small budget.

use super::Cipher;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mp4::encryption;
use crate::mp4::{BodyEnd, Encryption, MoofInfo, Range, SampleEntry, SampleTable};
use crate::session::Session;

/// The last `moof`, when its samples wait for their table.
#[derive(Clone, Copy, Default, Debug)]
pub struct Waiting(Option<PutOff>);

impl Waiting {
    pub const NOTHING: Waiting = Waiting(None);
}

/// Places are bytes of the body.
#[derive(Clone, Copy, Debug)]
struct PutOff {
    moof: u64,
    table_end: u64,
    traf: Range,
    samples: u32,
    /// The samples have their places.
    ready: bool,
}

impl Cipher {
    /// Takes note of a table that does not lie in its `moof`; whether it is one.
    pub(super) fn put_off(
        &mut self,
        moof: &[u8],
        info: &MoofInfo,
        table: &SampleTable,
        limits: &Limits,
    ) -> Result<bool> {
        let reach = encryption::reach(moof, info, limits);
        if reach <= moof.len() as u64 {
            return Ok(false);
        }
        let start = table.moof_offset();
        let table_end = start.saturating_add(reach);
        // It is put together with its moof.
        if reach > limits.moof_bytes.into() {
            return Err(Error::at(Code::EncryptionTable, "moof/traf/saio", table_end));
        }
        let (traf, samples) = (info.traf, info.samples);
        self.waiting = Waiting(Some(PutOff { moof: start, table_end, traf, samples, ready: false }));
        Ok(true)
    }

    /// Whether the samples of `table`, which have just got their places, wait for the table of their encryption.
    ///
    /// # Errors
    /// [`Code::EncryptionTable`] when that does not come before them.
    pub fn holds_back(&mut self, table: &SampleTable, payload_end: u64) -> Result<bool> {
        let Some(late) = &mut self.waiting.0 else { return Ok(false) };
        let before = |s: &SampleEntry| s.size != 0 && u64::from(s.offset) < late.table_end;
        let first = table.samples().len().saturating_sub(late.samples as usize);
        if late.table_end > payload_end || table.samples().iter().skip(first).any(before) {
            return Err(Error::at(Code::EncryptionTable, "mdat", late.table_end));
        }
        late.ready = true;
        Ok(true)
    }

    /// The first byte of the body that a table still needs.
    pub fn unread(&self) -> u64 {
        self.waiting.0.map_or(u64::MAX, |late| late.moof)
    }
}

impl Session {
    /// Whether the samples of the fragment being fetched wait for the table of their encryption, which is read as soon as
    /// it is there.
    ///
    /// # Errors
    /// Those of the table and of the samples; [`Code::FragmentTruncated`] when the body ends before it.
    pub(in crate::session) fn waits_for_table(&mut self, i: usize, end: BodyEnd) -> Result<bool> {
        let back = self.feeds.get(i).and_then(|f| f.queue.last());
        let late = back.and_then(|b| Some((b.body.len(), b.cipher.waiting.0?)));
        let Some((arrived, PutOff { moof, table_end, traf, samples, ready: true })) = late else {
            return Ok(false);
        };
        if arrived < table_end {
            return match end {
                BodyEnd::Open => Ok(true),
                BodyEnd::Reached => Err(Error::at(Code::FragmentTruncated, "mdat", arrived)),
            };
        }
        let bytes = table_end.saturating_sub(moof) as u32;
        self.make_room((bytes as usize).saturating_mul(12));
        let Some(feed) = self.feeds.get_mut(i) else { return Ok(false) };
        let Some(back) = feed.queue.last_mut() else { return Ok(false) };
        let (account, limits) = (&mut self.account, &self.config.limits);
        let whole = back.body.gathered(&self.pool, account, &mut self.gathered, moof, bytes)?;
        let table = if back.again { &feed.checked } else { &back.table };
        let info = MoofInfo { encryption: Encryption::Auxiliary, traf, samples, ..MoofInfo::default() };
        back.cipher.waiting = Waiting::NOTHING;
        encryption::parse(whole, &info, table, account, limits, &mut back.cipher.table)?;
        self.protect.learn_from(whole, &back.cipher, account, limits)?;
        self.take_table(i)?;
        Ok(false)
    }
}
