//! Captions inside pictures, handed out beside them.

use super::config::CaptionChoice;
use super::deliver::composed;
use super::framing::nal_at;
use super::{Session, Step};
use crate::codec::nal::{Role, role};
use crate::codec::{self, Kind};
use crate::error::Result;
use crate::io::{self, Output};
use crate::mem::{Account, Bytes};

/// Bytes of one SEI unit that are looked at. Captions of one picture take less than 100; others are not searched.
const LONGEST: u64 = 4096;

/// The caption payloads of one sample, each behind its length in two bytes.
#[derive(Debug)]
pub(super) struct Found {
    bytes: Bytes,
    /// Where the one to hand out next begins.
    at: usize,
    /// Start of the fragment and number of the sample that was searched.
    of: Option<(u64, usize)>,
}

impl Found {
    pub const fn new() -> Found {
        Found { bytes: Bytes::new(), at: 0, of: None }
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.at = 0;
        self.of = None;
    }

    fn push(&mut self, account: &mut Account, payload: &[u8]) -> Result<()> {
        // No longer than the unit it was found in.
        let length = u16::try_from(payload.len()).unwrap_or(0).to_be_bytes();
        self.bytes.extend(account, &length)?;
        self.bytes.extend(account, payload)
    }

    fn is_waiting(&self) -> bool {
        self.at < self.bytes.len()
    }

    fn next(&mut self) -> Option<&[u8]> {
        let (length, rest) = self.bytes.get(self.at..)?.split_first_chunk::<2>()?;
        let payload = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        self.at = self.at.saturating_add(2).saturating_add(payload.len());
        Some(payload)
    }
}

impl Session {
    /// The captions of the front sample of stream `i`, if it is about to be offered for the first time; one at a time.
    pub(super) fn caption_step(&mut self, i: usize) -> Option<Step> {
        if !cfg!(feature = "text") || self.config.captions == CaptionChoice::Off {
            return None;
        }
        if self.find_captions(i).is_err() {
            // No memory for them now: the picture matters more.
            self.feeds.get_mut(i)?.captions.bytes.clear();
        }
        self.feeds.get(i)?.captions.is_waiting().then_some(Step::Captions(i))
    }

    /// Looks for captions before the sample takes the decoder's form.
    fn find_captions(&mut self, i: usize) -> Result<()> {
        let (pool, account, scratch) = (&self.pool, &mut self.account, &mut self.gathered);
        let Some(feed) = self.feeds.get_mut(i).filter(|f| f.kind == Kind::Video) else { return Ok(()) };
        let Some(front) = feed.queue.first().filter(|f| f.prepared != Some(f.next)) else { return Ok(()) };
        let of = Some((front.start, front.next));
        if feed.captions.of == of {
            return Ok(());
        }
        feed.captions.clear();
        feed.captions.of = of;
        let Some(sample) = front.table.samples().get(front.next) else { return Ok(()) };
        let stream = self.manifest.as_ref().and_then(|m| m.streams.get(usize::from(feed.id.0)));
        let Some(level) = stream.and_then(|s| s.levels.get(usize::from(front.level))) else { return Ok(()) };
        let (codec, length) = (level.config.codec, level.config.nal_length);
        if length == 0 {
            return Ok(());
        }
        let from = u64::from(sample.offset);
        let mut pos = from;
        let end = pos.saturating_add(u64::from(sample.size));
        // Each turn passes at least the length of a unit.
        while let Some((body, len)) = nal_at(front, pool, pos, end, length) {
            pos = body.saturating_add(len);
            let sei = front.body.byte(pool, body).is_some_and(|b| role(codec, b) == Role::Sei);
            if !sei || len > LONGEST || !front.is_clear(from, body.saturating_sub(length.into()), pos) {
                continue;
            }
            scratch.clear();
            for part in front.body.slices(pool, body, len) {
                scratch.extend(account, part)?;
            }
            for payload in codec::captions(codec, scratch) {
                feed.captions.push(account, payload)?;
            }
        }
        Ok(())
    }

    /// The next caption payload of stream `i`.
    pub(super) fn captions_output(&mut self, i: usize) -> Output<'_> {
        let idle = Output::Idle(self.deadline());
        let Some(feed) = self.feeds.get_mut(i).filter(|_| cfg!(feature = "text")) else { return idle };
        let Some(front) = feed.queue.first() else { return idle };
        let Some(entry) = front.table.samples().get(front.next) else { return idle };
        let pts = composed(feed.scale, front.dts, entry.composition);
        let (stream, epoch) = (feed.id, feed.epoch);
        match feed.captions.next() {
            Some(data) => Output::Captions(io::Captions { stream, epoch, pts, data }),
            None => idle,
        }
    }
}
