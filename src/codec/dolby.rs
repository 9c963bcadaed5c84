//! Dolby Digital (AC-3) and Dolby Digital Plus (EC-3): configuration records, given or made from sync frames.
//!
//! ETSI TS 102 366 4.3 and E.1.2 (sync frames), F.4 (`dac3`), F.6 (`dec3`). The private bytes of an origin are the tail
//! of a WAVEFORMATEXTENSIBLE with the record behind it, the record alone, or nothing of use.

use super::bits::{Bits, Packer};
use super::wma::WaveFormat;
use super::{Codec, CodecConfig, Description, copy};
use crate::error::Result;
use crate::mem::Account;

/// FourCCs that mean AC-3, in any case.
pub(super) const AC3_NAMES: &[&str] = &["AC-3", "AC3", "DAC3"];
/// FourCCs that mean EC-3, in any case.
pub(super) const EC3_NAMES: &[&str] = &["EC-3", "EC3", "DEC3", "EAC3"];

/// Samples of a block, channel mask and sub-format before the record.
const EXTENSIBLE_TAIL: usize = 22;
/// The sub-format of EC-3: A7FB87AF-2D02-42FB-A4D4-05CD93843BDD.
const SUB_FORMAT: [u8; 16] =
    [0xAF, 0x87, 0xFB, 0xA7, 0x02, 0x2D, 0xFB, 0x42, 0xA4, 0xD4, 0x05, 0xCD, 0x93, 0x84, 0x3B, 0xDD];
/// The most sync frames looked at in one sample: six of one block each of eight independent and as many dependent
/// substreams.
const MOST_FRAMES: usize = 96;

const RATES: [u32; 3] = [48_000, 44_100, 32_000];
/// Kilobits per second of AC-3 by `frmsizecod` / 2.
const KILOBITS: [u16; 19] =
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
/// Full channels by `acmod`.
const CHANNELS: [u8; 8] = [2, 1, 2, 3, 3, 4, 4, 5];

/// Keeps the record, and nothing that is none: what is missing comes from the first sync frame.
pub(super) fn configure(config: &mut CodecConfig, account: &mut Account, d: &Description<'_>) -> Result<()> {
    let mut record = WaveFormat::whole(d.private).map_or(d.private, |wave| wave.extra);
    if record.get(6..EXTENSIBLE_TAIL) == Some(&SUB_FORMAT) {
        record = record.get(EXTENSIBLE_TAIL..).unwrap_or(&[]);
    }
    let plausible = match config.codec {
        Codec::Ac3 => is_dac3(record),
        _ => is_dec3(record),
    };
    copy(&mut config.private, account, if plausible { record } else { &[] })
}

/// Whether `sample` begins with a sync frame; if so, makes the record of a configuration that has none, and fills in
/// rate and channels.
///
/// # Errors
/// [`crate::error::Code::Budget`] or [`crate::error::Code::NoMemory`]; the configuration is as before then.
pub fn adopt_sync_frame(config: &mut CodecConfig, account: &mut Account, sample: &[u8]) -> Result<bool> {
    let made = match config.codec {
        Codec::Ac3 => dac3(sample),
        Codec::Eac3 => dec3(sample),
        _ => None,
    };
    let Some(made) = made else { return Ok(false) };
    if config.private.is_empty() {
        copy(&mut config.private, account, &made.record)?;
    }
    (config.sampling_rate, config.channels) = (made.rate, made.channels);
    Ok(true)
}

struct Made {
    record: super::bits::Packed,
    rate: u32,
    channels: u16,
}

/// Three bytes of which the first three fields can be believed.
fn is_dac3(record: &[u8]) -> bool {
    matches!(record, [first, _, _] if first >> 6 != 3 && (first >> 1 & 0x1F) <= 10)
}

/// As long as its own count of substreams says, each with the number of the format.
fn is_dec3(record: &[u8]) -> bool {
    let known = || {
        let mut bits = Bits::new(record);
        bits.skip(13)?;
        for _ in 0..=bits.bits(3)? {
            bits.skip(2)?;
            let format = bits.bits(5)?;
            bits.skip(12)?;
            let dependent = bits.bits(4)?;
            bits.skip(if dependent > 0 { 9 } else { 1 })?;
            if !(11..=16).contains(&format) {
                return None;
            }
        }
        Some(())
    };
    known().is_some()
}

fn channels(mode: u32, low_frequency: u32) -> u16 {
    let full = CHANNELS.get(mode as usize & 7).copied().unwrap_or(2);
    u16::from(full).wrapping_add(low_frequency as u16 & 1)
}

/// ETSI TS 102 366 4.4.1 and 4.4.2 to F.4.
fn dac3(sample: &[u8]) -> Option<Made> {
    let mut bits = Bits::new(sample);
    if bits.bits(16)? != 0x0B77 {
        return None;
    }
    bits.skip(16)?;
    let rate_code = bits.bits(2)?;
    let size_code = bits.bits(6)?;
    let (id, service, mode) = (bits.bits(5).filter(|id| *id <= 10)?, bits.bits(3)?, bits.bits(3)?);
    // Mix levels, where there is a centre, a surround channel, or none of both.
    let centre = mode & 1 == 1 && mode != 1;
    let skipped = u32::from(centre) + u32::from(mode & 4 != 0) + u32::from(mode == 2);
    bits.skip(skipped.wrapping_mul(2))?;
    let low_frequency = bits.bit()?;
    KILOBITS.get(size_code as usize >> 1)?;
    let mut record = Packer::default();
    for (value, count) in
        [(rate_code, 2), (id, 5), (service, 3), (mode, 3), (low_frequency, 1), (size_code >> 1, 5), (0, 5)]
    {
        record.put(value, count);
    }
    // Versions 9 and 10 halve and quarter the rate.
    let rate = *RATES.get(rate_code as usize)? >> id.saturating_sub(8);
    Some(Made { record: record.finish(), rate, channels: channels(mode, low_frequency) })
}

/// One sync frame of EC-3. ETSI TS 102 366 E.1.2.
#[derive(Clone, Copy, Default)]
struct Frame {
    /// Bytes of it.
    size: u32,
    kind: u32,
    substream: u32,
    rate_code: u32,
    rate: u32,
    blocks: u32,
    id: u32,
    mode: u32,
    low_frequency: u32,
    /// `chanmap` of a dependent substream.
    map: u32,
}

impl Frame {
    fn parse(bytes: &[u8]) -> Option<Frame> {
        let mut bits = Bits::new(bytes);
        if bits.bits(16)? != 0x0B77 {
            return None;
        }
        let mut frame = Frame { kind: bits.bits(2)?, substream: bits.bits(3)?, ..Frame::default() };
        frame.size = bits.bits(11)?.wrapping_add(1).wrapping_mul(2);
        frame.rate_code = bits.bits(2)?;
        let code = bits.bits(2)?;
        if frame.rate_code == 3 {
            frame.rate = *RATES.get(code as usize)? / 2;
            frame.blocks = 6;
        } else {
            frame.rate = *RATES.get(frame.rate_code as usize)?;
            frame.blocks = if code == 3 { 6 } else { code.wrapping_add(1) };
        }
        (frame.mode, frame.low_frequency) = (bits.bits(3)?, bits.bit()?);
        frame.id = bits.bits(5).filter(|id| (11..=16).contains(id))?;
        for _ in 0..if frame.mode == 0 { 2 } else { 1 } {
            bits.skip(5)?;
            if bits.bit()? == 1 {
                bits.skip(8)?;
            }
        }
        if frame.kind == 1 && bits.bit()? == 1 {
            frame.map = bits.bits(16)?;
        }
        Some(frame)
    }
}

/// ETSI TS 102 366 E.1.2 to F.6: what the sync frames of one sample say together.
fn dec3(sample: &[u8]) -> Option<Made> {
    let first = Frame::parse(sample)?;
    // The record has room for eight independent substreams.
    let mut substreams: heapless::Vec<(Frame, u32, u32), 8> = heapless::Vec::new();
    let (mut rest, mut bytes, mut blocks) = (sample, 0u32, 0u32);
    for _ in 0..MOST_FRAMES {
        let Some(frame) = Frame::parse(rest) else { break };
        bytes = bytes.saturating_add(frame.size);
        if frame.kind == 1 {
            if let Some((_, dependent, places)) = substreams.last_mut() {
                // Frames that repeat in a sample are counted once: each has a number of its own.
                *dependent = (*dependent).max(frame.substream.wrapping_add(1));
                *places |= chan_loc(frame.map);
            }
        } else {
            if frame.substream == 0 {
                blocks = blocks.saturating_add(frame.blocks);
            }
            if !substreams.iter().any(|(f, _, _)| f.substream == frame.substream) {
                let _ = substreams.push((frame, 0, 0));
            }
        }
        rest = rest.get(frame.size as usize..).unwrap_or(&[]);
    }
    // Bytes * 8 / (blocks * 256 / rate) / 1000.
    let samples = blocks.max(1).wrapping_mul(32).wrapping_mul(1000);
    let kilobits = u64::from(bytes).wrapping_mul(u64::from(first.rate)) / u64::from(samples.max(1));
    let mut record = Packer::default();
    record.put((kilobits as u32).min(0x1FFF), 13);
    record.put((substreams.len() as u32).wrapping_sub(1) & 7, 3);
    for (frame, dependent, places) in &substreams {
        for (value, count) in [
            (frame.rate_code, 2),
            (frame.id, 5),
            // Reserved, no associated service, complete main.
            (0, 5),
            (frame.mode, 3),
            (frame.low_frequency, 1),
            (0, 3),
            (*dependent, 4),
        ] {
            record.put(value, count);
        }
        if *dependent > 0 {
            record.put(*places, 9);
        } else {
            record.put(0, 1);
        }
    }
    Some(Made {
        record: record.finish(),
        rate: first.rate,
        channels: channels(first.mode, first.low_frequency),
    })
}

/// `chan_loc` of a channel map: pairs and channels 5 to 12 of the map, and its second low frequency channel, lowest bit
/// first.
fn chan_loc(map: u32) -> u32 {
    let mut places = map >> 1 & 1;
    for channel in (5..=12).rev() {
        places = places << 1 | map >> 15u32.wrapping_sub(channel) & 1;
    }
    places
}
