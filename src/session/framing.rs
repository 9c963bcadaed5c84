//! One sample in the decoder's form: start codes, parameter sets, headers.

use super::Session;
use super::feed::Fragment;
use super::protect::Layout;
use crate::codec::h264::NalType;
use crate::codec::{Codec, Framing, aac, h264};
use crate::error::{Code, Error, Result};
use crate::io::{DecoderTraits, Subsample};
use crate::mem::Pool;

/// `00 00 00 01`.
const START_CODE: u32 = 1;

impl Session {
    /// Brings the front sample of stream `i` into the decoder's form, once.
    pub(super) fn prepare_sample(&mut self, i: usize) -> Result<()> {
        let missing = || Error::at(Code::State, "manifest", 0);
        let traits = self.config.decoder;
        let account = &mut self.account;
        let feed = self.feeds.get_mut(i).ok_or_else(missing)?;
        let front = feed.queue.first_mut().ok_or_else(missing)?;
        if front.prepared == Some(front.next) {
            return Ok(());
        }
        let stream =
            self.manifest.as_ref().and_then(|m| m.streams.get(usize::from(feed.id.0))).ok_or_else(missing)?;
        let config = &stream.levels.get(usize::from(front.level)).ok_or_else(missing)?.config;
        let sample = *front.table.samples().get(front.next).ok_or_else(missing)?;
        let (at, size) = (u64::from(sample.offset), u64::from(sample.size));
        feed.prefix.clear();
        feed.staged.clear();
        let elementary = traits.framing == Framing::ElementaryStream;
        let encrypted = front.encryption();
        let protection = if encrypted.is_some() { Sealed::Encrypted } else { Sealed::Clear };
        feed.guard.begin(account, encrypted)?;
        if protection == Sealed::Encrypted
            && elementary
            && matches!(config.codec, Codec::H264)
            && !lengths_are_clear(front, &self.pool, at, size, config.nal_length, feed.guard.parts())
        {
            feed.guard.layout = Layout::Verbatim;
        }
        match config.codec {
            _ if feed.guard.layout == Layout::Verbatim => {}
            Codec::H264 if elementary => {
                check_nals(front, &self.pool, at, size, config.nal_length)?;
                let key = sample.is_sync() || front.next == 0;
                let wanted =
                    feed.parameter_sets_due || (key && traits.has(DecoderTraits::REPEAT_PARAMETER_SETS));
                let mut head = [0u8; 64];
                let readable = feed.guard.parts().first().map_or(size, |p| p.clear.into());
                let head = first_bytes(front, &self.pool, at, readable.min(size), &mut head);
                let delimited = head
                    .get(usize::from(config.nal_length))
                    .is_some_and(|b| h264::nal_type(*b) == NalType::AUD);
                if traits.has(DecoderTraits::NEEDS_AUD) && !delimited {
                    feed.prefix.extend(account, &h264::ACCESS_UNIT_DELIMITER)?;
                }
                if wanted && !h264::starts_with_parameter_sets(head, config.nal_length) {
                    feed.prefix.extend(account, h264::parameter_sets(config))?;
                }
                if config.nal_length == 4 {
                    to_start_codes(front, &mut self.pool, at, size);
                } else {
                    // Shorter lengths have no room for a start code.
                    let mut pos = at;
                    let end = at.saturating_add(size);
                    while let Some((body, len)) = nal_at(front, &self.pool, pos, end, config.nal_length) {
                        feed.staged.extend(account, &START_CODE.to_be_bytes())?;
                        feed.guard
                            .stretch(pos.saturating_sub(at), 4u32.saturating_sub(config.nal_length.into()));
                        for part in front.body.slices(&self.pool, body, len) {
                            feed.staged.extend(account, part)?;
                        }
                        pos = body.saturating_add(len);
                    }
                }
            }
            Codec::Aac if elementary => {
                if let Some(header) = aac::adts_header(config, sample.size) {
                    feed.prefix.extend(account, &header)?;
                }
            }
            _ => {}
        }
        if protection == Sealed::Encrypted {
            feed.guard.prefix(account, feed.prefix.len(), sample.size)?;
        }
        if traits.has(DecoderTraits::CONTIGUOUS) {
            let lone = feed.prefix.is_empty() && front.body.contiguous(&self.pool, at, size).is_some();
            if feed.staged.is_empty() && !lone {
                feed.staged.reserve(account, feed.prefix.len().saturating_add(size as usize))?;
                let prefix = core::mem::take(&mut feed.prefix);
                feed.staged.extend(account, &prefix)?;
                feed.prefix = prefix;
                for part in front.body.slices(&self.pool, at, size) {
                    feed.staged.extend(account, part)?;
                }
                feed.prefix.clear();
            } else if !feed.staged.is_empty() && !feed.prefix.is_empty() {
                feed.prefix.extend(account, &feed.staged)?;
                core::mem::swap(&mut feed.prefix, &mut feed.staged);
                feed.prefix.clear();
            }
        }
        front.prepared = Some(front.next);
        Ok(())
    }
}

/// Whether a sample is encrypted as it goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sealed {
    Clear,
    Encrypted,
}

/// Whether every length of a NAL unit lies in clear bytes. Lengths that do not fit are somebody else's concern.
fn lengths_are_clear(f: &Fragment, pool: &Pool, at: u64, size: u64, length: u8, parts: &[Subsample]) -> bool {
    let end = at.saturating_add(size);
    let (mut parts, mut pos) = (parts.iter(), at);
    // The clear bytes of a part, and where it ends.
    let (mut clear_end, mut part_end) = (at, at);
    while pos < end {
        while pos >= part_end {
            let Some(part) = parts.next() else { return false };
            clear_end = part_end.saturating_add(part.clear.into());
            part_end = clear_end.saturating_add(part.protected.into());
        }
        match nal_at(f, pool, pos, end, length) {
            _ if pos.saturating_add(length.into()) > clear_end => return false,
            Some((body, len)) if length > 0 => pos = body.saturating_add(len),
            _ => return true,
        }
    }
    true
}

/// Offset and length of the NAL unit whose length field is at `pos`; `None` at `end` or when it does not fit.
fn nal_at(f: &Fragment, pool: &Pool, pos: u64, end: u64, length: u8) -> Option<(u64, u64)> {
    let body = pos.checked_add(u64::from(length))?;
    if body > end {
        return None;
    }
    let mut len = 0u64;
    for n in 0..u64::from(length) {
        len = (len << 8) | u64::from(f.body.byte(pool, pos.saturating_add(n))?);
    }
    (body.saturating_add(len) <= end).then_some((body, len))
}

/// Whether the NAL units fill the sample exactly.
fn check_nals(f: &Fragment, pool: &Pool, at: u64, size: u64, length: u8) -> Result<()> {
    let end = at.saturating_add(size);
    let mut pos = at;
    while pos < end {
        match nal_at(f, pool, pos, end, length) {
            Some((body, len)) if length > 0 => pos = body.saturating_add(len),
            _ => return Err(Error::at(Code::NalInvalid, "mdat", pos)),
        }
    }
    Ok(())
}

/// The first bytes of a sample, at most as many as `out` holds.
fn first_bytes<'o>(f: &Fragment, pool: &Pool, at: u64, size: u64, out: &'o mut [u8]) -> &'o [u8] {
    let mut n = 0usize;
    for part in f.body.slices(pool, at, size.min(out.len() as u64)) {
        for (to, from) in out.iter_mut().skip(n).zip(part) {
            *to = *from;
        }
        n = n.saturating_add(part.len());
    }
    out.get(..n).unwrap_or(&[])
}

/// Four-byte lengths become start codes in place; an empty unit's four zeros stay, they are legal padding.
fn to_start_codes(f: &Fragment, pool: &mut Pool, at: u64, size: u64) {
    let end = at.saturating_add(size);
    let mut pos = at;
    while let Some(len) = f.body.u32_at(pool, pos) {
        if pos >= end {
            return;
        }
        if len > 0 {
            f.body.set_u32(pool, pos, START_CODE);
        }
        pos = pos.saturating_add(4).saturating_add(u64::from(len));
    }
}
