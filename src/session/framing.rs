//! One sample in the decoder's form: start codes, parameter sets, headers.

use super::Session;
use super::fragment::Fragment;
use super::protect::Layout;
use crate::codec::nal::{self, Lack, Role};
use crate::codec::{self, Codec, CodecConfig, Framing, aac, dolby, h265, vc1};
use crate::error::{Code, Error, Result};
use crate::io::{DecoderTraits, EventKind, Subsample};
use crate::mem::{Account, Bytes, Pool};

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
        let sealed = if encrypted.is_some() { Sealed::Encrypted } else { Sealed::Clear };
        feed.guard.begin(account, encrypted)?;
        // How many bytes of each unit, from its length on, can be read.
        let readable = |bytes: u8| {
            sealed == Sealed::Clear
                || units_are_clear(front, &self.pool, at, size, config.nal_length, bytes, feed.guard.parts())
        };
        let framed = match config.codec {
            codec if nal::has_units(codec) => readable(0),
            Codec::Vc1 if codec::ALL => {
                sealed == Sealed::Clear || feed.guard.parts().first().is_some_and(|p| p.clear >= 4)
            }
            _ => true,
        };
        let typed = framed && readable(1);
        if elementary && !framed {
            feed.guard.layout = Layout::Verbatim;
        }
        match config.codec {
            _ if !framed => front.no_key = false,
            codec if nal::has_units(codec) => {
                let start =
                    if typed { Start::of(front, &self.pool, config, at, size) } else { Start::default() };
                if front.next == 0 {
                    front.no_key = start.picture == Some(Role::Slice);
                }
                if elementary {
                    check_nals(front, &self.pool, at, size, config.nal_length)?;
                    let key = sample.is_sync() || front.next == 0;
                    let wanted =
                        feed.parameter_sets_due || (key && traits.has(DecoderTraits::REPEAT_PARAMETER_SETS));
                    if traits.has(DecoderTraits::NEEDS_AUD) && !start.delimited {
                        feed.prefix.extend(account, nal::delimiter(config.codec))?;
                    }
                    if wanted && !start.brings_sets {
                        feed.prefix.extend(account, &config.private)?;
                    }
                    if config.nal_length == 4 {
                        to_start_codes(front, &mut self.pool, at, size);
                    } else {
                        // Shorter lengths have no room for a start code.
                        let mut pos = at;
                        let end = at.saturating_add(size);
                        while let Some((body, len)) = nal_at(front, &self.pool, pos, end, config.nal_length) {
                            append_nal(&mut feed.staged, account, front, &self.pool, body, len)?;
                            let longer = 4u32.saturating_sub(config.nal_length.into());
                            feed.guard.stretch(pos.saturating_sub(at), longer);
                            pos = body.saturating_add(len);
                        }
                    }
                }
            }
            Codec::Vc1 if codec::ALL && elementary => {
                let mut head = [0u8; 4];
                let head = first_bytes(front, &self.pool, at, size, &mut head);
                // Where every sample is flagged, only the first one is sure to be a key frame.
                let told = sample.is_sync() && !front.table.samples().iter().all(|s| s.is_sync());
                if (front.next == 0 || told || feed.parameter_sets_due) && head != vc1::SEQUENCE_START {
                    feed.prefix.extend(account, &config.private)?;
                }
                if !head.starts_with(&[0, 0, 1]) {
                    feed.prefix.extend(account, &vc1::FRAME_START)?;
                }
            }
            Codec::Aac if elementary => {
                if let Some(header) = aac::adts_header(config, sample.size) {
                    feed.prefix.extend(account, &header)?;
                }
            }
            _ => {}
        }
        if sealed == Sealed::Encrypted {
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
        // After a switch, a seek or a hole the decoder can only start at a key frame.
        let starts = feed.parameter_sets_due || feed.discontinuity || feed.fed != Some(front.level);
        if front.next == 0 && front.no_key && starts {
            let (id, time) = (feed.id, feed.scale.media_time(front.dts));
            let numbers = (u64::from(front.bitrate), front.start);
            let event = self.event(EventKind::NoKeyFrame).about(id).when(time);
            self.tell(event.numbers(numbers.0, numbers.1));
        }
        Ok(())
    }

    /// Looks for what the front fragment's level lacks of its configuration in the samples themselves.
    pub(super) fn learn(&mut self, i: usize) -> Result<Learned> {
        if !codec::ALL {
            return Ok(Learned::Enough);
        }
        let missing = || Error::at(Code::State, "manifest", 0);
        let most = self.config.limits.codec_config_bytes;
        let account = &mut self.account;
        let feed = self.feeds.get_mut(i).ok_or_else(missing)?;
        let front = feed.queue.first_mut().ok_or_else(missing)?;
        let stream = self.manifest.as_mut().and_then(|m| m.streams.get_mut(usize::from(feed.id.0)));
        let level = stream.and_then(|s| s.levels.get_mut(usize::from(front.level))).ok_or_else(missing)?;
        let config = &mut level.config;
        let dolby =
            codec::ALL && matches!(config.codec, Codec::Ac3 | Codec::Eac3) && config.private.is_empty();
        let lack = nal::lack(config);
        if lack == Lack::Nothing && !dolby {
            return Ok(Learned::Enough);
        }
        if front.encryption().is_some() {
            // Nobody here can read it.
            return h265::complete(config, account).map(|()| Learned::Enough);
        }
        let mut found = Bytes::new();
        let done = if dolby {
            first_sample(front, &self.pool, account, most, &mut found)
                .and_then(|()| dolby::adopt_sync_frame(config, account, &found).map(|_| Learned::Enough))
        } else {
            search(front, &self.pool, config, account, most, &mut found)
        };
        found.free(account);
        match done? {
            Learned::NotYet if front.complete => Ok(Learned::Nothing),
            Learned::Enough => h265::complete(config, account).map(|()| Learned::Enough),
            other => Ok(other),
        }
    }
}

/// What came of looking for a configuration in band.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Learned {
    /// The decoder can be set up, as well as can be.
    Enough,
    /// More of the fragment may bring it.
    NotYet,
    /// The fragment is there, and nothing in it can be decoded.
    Nothing,
}

/// Whether a sample is encrypted as it goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sealed {
    Clear,
    Encrypted,
}

/// Whether the length of every NAL unit and the `more` bytes behind it lie in clear bytes. Lengths that do not fit are
/// somebody else's concern.
fn units_are_clear(
    f: &Fragment,
    pool: &Pool,
    at: u64,
    size: u64,
    length: u8,
    more: u8,
    parts: &[Subsample],
) -> bool {
    let end = at.saturating_add(size);
    let (mut parts, mut pos) = (parts.iter(), at);
    // The clear bytes of a part, and where it ends.
    let (mut clear_end, mut part_end) = (at, at);
    while pos < end {
        // Each turn takes a part.
        while pos >= part_end {
            let Some(part) = parts.next() else { return false };
            clear_end = part_end.saturating_add(part.clear.into());
            part_end = clear_end.saturating_add(part.protected.into());
        }
        if pos.saturating_add(length.into()) > clear_end {
            return false;
        }
        match nal_at(f, pool, pos, end, length) {
            Some((body, len)) if length > 0 => {
                if len > 0 && body.saturating_add(more.into()) > clear_end {
                    return false;
                }
                pos = body.saturating_add(len);
            }
            _ => return true,
        }
    }
    true
}

/// How an access unit begins, up to its first slice.
#[derive(Default)]
struct Start {
    delimited: bool,
    /// It brings the parameter sets that would go before it.
    brings_sets: bool,
    /// [`Role::KeySlice`] where decoding can start, otherwise [`Role::Slice`]; `None` when no slice was found.
    picture: Option<Role>,
}

impl Start {
    fn of(f: &Fragment, pool: &Pool, config: &CodecConfig, at: u64, size: u64) -> Start {
        let mut start = Start { delimited: false, brings_sets: false, picture: None };
        let (mut vps, mut sps, mut recovery) = (false, false, false);
        let (mut pos, end) = (at, at.saturating_add(size));
        while let Some((body, len)) = nal_at(f, pool, pos, end, config.nal_length) {
            pos = body.saturating_add(len);
            if len == 0 {
                continue;
            }
            match f.body.byte(pool, body).map(|b| nal::role(config.codec, b)) {
                Some(Role::Delimiter) => start.delimited = true,
                Some(Role::Vps) => vps = true,
                Some(Role::Sps) => sps = true,
                Some(Role::Sei) => recovery |= config.codec == Codec::H264 && recovers(f, pool, body, len),
                Some(Role::KeySlice) => {
                    start.picture = Some(Role::KeySlice);
                    break;
                }
                Some(Role::Slice) => {
                    start.picture = Some(if recovery { Role::KeySlice } else { Role::Slice });
                    break;
                }
                _ => {}
            }
        }
        start.brings_sets = sps && (vps || config.codec != Codec::H265);
        start
    }
}

/// Whether an SEI unit of H.264 holds a recovery point: decoding can start there, too. ITU-T H.264 D.1.8.
fn recovers(f: &Fragment, pool: &Pool, body: u64, len: u64) -> bool {
    let end = body.saturating_add(len);
    let mut pos = body.saturating_add(1);
    // Each turn takes two bytes at least.
    while let Some((kind, after)) = sei_number(f, pool, pos, end)
        && let Some((size, payload)) = sei_number(f, pool, after, end)
    {
        if kind == 6 {
            return true;
        }
        pos = payload.saturating_add(size);
    }
    false
}

/// A payload type or size at `pos`, and where it ends.
fn sei_number(f: &Fragment, pool: &Pool, mut pos: u64, end: u64) -> Option<(u64, u64)> {
    let mut sum = 0u64;
    while pos < end {
        let byte = f.body.byte(pool, pos)?;
        pos = pos.saturating_add(1);
        sum = sum.saturating_add(u64::from(byte));
        if byte != 255 {
            return Some((sum, pos));
        }
    }
    None
}

/// Appends a unit behind a start code.
fn append_nal(
    out: &mut Bytes,
    account: &mut Account,
    f: &Fragment,
    pool: &Pool,
    body: u64,
    len: u64,
) -> Result<()> {
    out.extend(account, &START_CODE.to_be_bytes())?;
    for part in f.body.slices(pool, body, len) {
        out.extend(account, part)?;
    }
    Ok(())
}

/// Looks for parameter sets in the samples at hand, each once, until nothing essential is missing. `Enough` also when
/// the samples cannot be read: there is nothing to wait for then.
fn search(
    f: &mut Fragment,
    pool: &Pool,
    config: &mut CodecConfig,
    account: &mut Account,
    most: u32,
    found: &mut Bytes,
) -> Result<Learned> {
    for n in f.next.max(f.searched)..f.placed {
        let Some(sample) = f.table.samples().get(n) else { break };
        let (at, size) = (u64::from(sample.offset), u64::from(sample.size));
        // What has its start codes already was read before.
        if at.saturating_add(size) > f.body.len() || f.prepared == Some(n) || f.is_encrypted(n) {
            break;
        }
        if check_nals(f, pool, at, size, config.nal_length).is_err() {
            return Ok(Learned::Enough);
        }
        f.searched = n.saturating_add(1);
        found.clear();
        sets(f, pool, config, account, (at, size, most), found)?;
        nal::adopt(config, account, found)?;
        if nal::lack(config) != Lack::Essential {
            return Ok(Learned::Enough);
        }
    }
    Ok(if nal::lack(config) == Lack::Essential { Learned::NotYet } else { Learned::Enough })
}

/// Appends the parameter sets before the first slice of the sample at `at` of so many bytes, in byte stream form, no
/// more than `most` bytes.
fn sets(
    f: &Fragment,
    pool: &Pool,
    config: &CodecConfig,
    account: &mut Account,
    (at, size, most): (u64, u64, u32),
    out: &mut Bytes,
) -> Result<()> {
    let (mut pos, end) = (at, at.saturating_add(size));
    while let Some((body, len)) = nal_at(f, pool, pos, end, config.nal_length) {
        pos = body.saturating_add(len);
        match f.body.byte(pool, body).map(|b| nal::role(config.codec, b)) {
            Some(Role::Slice | Role::KeySlice) if len > 0 => break,
            Some(Role::Vps | Role::Sps | Role::Pps)
                if len > 0 && len.saturating_add(out.len() as u64) < u64::from(most) =>
            {
                append_nal(out, account, f, pool, body, len)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Appends the sample in front, no more than `most` bytes of it.
fn first_sample(f: &Fragment, pool: &Pool, account: &mut Account, most: u32, out: &mut Bytes) -> Result<()> {
    let Some(sample) = f.table.samples().get(f.next) else { return Ok(()) };
    for part in f.body.slices(pool, u64::from(sample.offset), u64::from(sample.size.min(most))) {
        out.extend(account, part)?;
    }
    Ok(())
}

/// Offset and length of the NAL unit whose length field is at `pos`; `None` at `end` or when it does not fit.
pub(super) fn nal_at(f: &Fragment, pool: &Pool, pos: u64, end: u64, length: u8) -> Option<(u64, u64)> {
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
