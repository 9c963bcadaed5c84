//! AAC: AudioSpecificConfig, given or made, and ADTS headers.
//!
//! ISO/IEC 14496-3 1.6.2 (AudioSpecificConfig), 4.4.1 (GASpecificConfig), 1.A.2.2 (ADTS).

use super::bits::{Bits, Packed, Packer};
use super::wma::WaveFormat;
use super::{CodecConfig, Description, copy, unusable};
use crate::error::{Code, Error, Result};
use crate::mem::Account;

/// Bytes of an ADTS header without checksum.
pub const ADTS_BYTES: usize = 7;

/// FourCCs that mean AAC, in any case.
pub(super) const NAMES: &[&str] = &["AACL", "AACH", "AACP", "AAC", "AAC-", "mp4a"];

/// Sampling rates by frequency index.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// The index that says: a rate of 24 bits follows.
const EXPLICIT_RATE: u32 = 15;

/// AAC low complexity.
const LC: u32 = 2;
/// Spectral band replication (HE-AAC).
const SBR: u32 = 5;
/// Parametric stereo over SBR (HE-AAC v2).
const PS: u32 = 29;

/// An AudioSpecificConfig, as far as framing needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asc {
    /// Object type of the core: 2 is LC.
    pub object_type: u8,
    /// 5 for explicit SBR, 29 for explicit parametric stereo, otherwise 0.
    pub extension: u8,
    /// Sampling rate of the core in Hz.
    pub sampling_rate: u32,
    /// Channel configuration, 0 to 15; 0 when a program config element describes the channels.
    pub channels: u8,
    /// Bytes that the configuration takes, surplus left out.
    pub len: usize,
}

impl Asc {
    /// Reads the configuration at the start of `bytes`.
    ///
    /// Only the parts that general audio object types have can be measured; for the others `len` is all of `bytes`.
    /// `None` when the bytes end too early or hold a reserved value.
    pub fn parse(bytes: &[u8]) -> Option<Asc> {
        let mut bits = Bits::new(bytes);
        let mut asc = head(&mut bits)?;
        asc.len = match general_audio(&mut bits, u32::from(asc.object_type), u32::from(asc.channels))? {
            Measured::No => bytes.len(),
            Measured::Yes => {
                let plain = bits.bytes_read();
                if asc.extension != 0 { plain } else { sync_extension(bits).unwrap_or(plain) }
            }
        };
        Some(asc)
    }
}

/// The seven bytes that turn a sample of `payload` bytes into an ADTS frame.
///
/// SBR and parametric stereo become implicit: the header names the core. `None` when ADTS cannot say it: a payload
/// above 8,184 bytes, an object type above 4, a rate outside the table, or channels described in the bit stream.
/// Such a decoder needs raw frames and the AudioSpecificConfig.
pub fn adts_header(config: &CodecConfig, payload: u32) -> Option<[u8; ADTS_BYTES]> {
    let asc = head(&mut Bits::new(&config.private))?;
    let profile = match asc.object_type {
        kind @ 1..=4 => kind.wrapping_sub(1),
        _ => return None,
    };
    let index = rate_index(asc.sampling_rate)? as u8;
    let channels = match asc.channels {
        c @ 1..=7 => c,
        _ => return None,
    };
    let len = payload.checked_add(ADTS_BYTES as u32).filter(|len| *len < 1 << 13)?;
    Some([
        0xFF,
        // MPEG-4, layer 0, no checksum.
        0xF1,
        profile << 6 | index << 2 | channels >> 2,
        channels << 6 | (len >> 11) as u8,
        (len >> 3) as u8,
        (len << 5) as u8 | 0x1F,
        0xFC,
    ])
}

/// The object type to announce in a codec string.
pub(super) fn announced_object_type(config: &CodecConfig) -> u32 {
    let (object_type, extension) = match head(&mut Bits::new(&config.private)) {
        Some(asc) => (u32::from(asc.object_type), u32::from(asc.extension)),
        None => (LC, 0),
    };
    if extension != 0 {
        extension
    } else if object_type == LC && config.fourcc.is_ignore_case("AACH") {
        // An implicit core: the name alone says that there is more.
        SBR
    } else if object_type == LC && config.fourcc.is_ignore_case("AACP") {
        PS
    } else {
        object_type
    }
}

/// The FourCC that tells what `bytes` configure.
pub(super) fn name_of(bytes: &[u8]) -> [u8; 4] {
    match Asc::parse(bytes).map_or(0, |asc| u32::from(asc.extension)) {
        SBR => *b"AACH",
        PS => *b"AACP",
        _ => *b"AACL",
    }
}

/// Fills in what `d` says or what must be made up.
pub(super) fn configure(config: &mut CodecConfig, account: &mut Account, d: &Description<'_>) -> Result<()> {
    let made;
    let given = match WaveFormat::whole(d.private) {
        // The tail of the MPEG-4 form begins with twelve bytes about itself.
        Some(wave) if wave.tag == 0x1610 => wave.extra.get(12..).unwrap_or(&[]),
        Some(wave) => wave.extra,
        None => d.private,
    };
    let asc_bytes = if given.is_empty() {
        made = synthesise(config, d)?;
        made.as_slice()
    } else {
        given
    };
    let asc = Asc::parse(asc_bytes).ok_or(unusable(0))?;
    // A long tail of zeros after two good bytes confuses hardware decoders.
    copy(&mut config.private, account, asc_bytes.get(..asc.len).unwrap_or(asc_bytes))?;
    config.sampling_rate = asc.sampling_rate;
    config.channels = match asc.channels {
        7 => 8,
        c => u16::from(c),
    };
    Ok(())
}

/// An AudioSpecificConfig from the numbers of the manifest.
fn synthesise(config: &CodecConfig, d: &Description<'_>) -> Result<Packed> {
    let rate = if d.sampling_rate == 0 { 44_100 } else { d.sampling_rate };
    let channels = match d.channels {
        0 => 2,
        c @ 1..=6 => u32::from(c),
        8 => 7,
        _ => return Err(Error::at(Code::CodecConfig, "QualityLevel@Channels", 0)),
    };
    if rate >= 1 << 24 {
        return Err(Error::at(Code::CodecConfig, "QualityLevel@SamplingRate", 0));
    }
    let mut out = Packer::default();
    let high_efficiency = config.fourcc.is_any_of(&["AACH", "AACP"]);
    if high_efficiency {
        // Packagers disagree on whether the rate is that of the core or of the output; no core is above 24 kHz.
        let core = if rate <= 24_000 { rate } else { rate / 2 };
        // Version 2 codes one channel and the difference.
        let stereo_from_mono = config.fourcc.is_ignore_case("AACP") && channels == 2;
        out.put(if stereo_from_mono { PS } else { SBR }, 5);
        put_rate(&mut out, core);
        out.put(if stereo_from_mono { 1 } else { channels }, 4);
        put_rate(&mut out, core.saturating_mul(2));
        out.put(LC, 5);
    } else {
        out.put(LC, 5);
        put_rate(&mut out, rate);
        out.put(channels, 4);
    }
    // GASpecificConfig: 1,024 samples a frame, no core coder, no extension.
    out.put(0, 3);
    Ok(out.finish())
}

/// Whether the length of a configuration is known after reading it.
enum Measured {
    Yes,
    No,
}

/// Everything before the part that depends on the object type. `len` is not set.
fn head(bits: &mut Bits<'_>) -> Option<Asc> {
    let mut object_type = read_object_type(bits)?;
    let sampling_rate = read_rate(bits)?;
    let channels = bits.bits(4)? as u8;
    let mut extension = 0;
    if object_type == SBR || object_type == PS {
        extension = object_type as u8;
        read_rate(bits)?;
        object_type = read_object_type(bits)?;
        if object_type == 22 {
            bits.skip(4)?;
        }
    }
    if object_type == 0 || object_type == SBR || object_type == PS {
        return None;
    }
    Some(Asc { object_type: u8::try_from(object_type).ok()?, extension, sampling_rate, channels, len: 0 })
}

fn read_object_type(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.bits(5)? {
        31 => Some(bits.bits(6)?.wrapping_add(32)),
        kind => Some(kind),
    }
}

fn read_rate(bits: &mut Bits<'_>) -> Option<u32> {
    let index = bits.bits(4)?;
    let rate = if index == EXPLICIT_RATE { bits.bits(24)? } else { *RATES.get(index as usize)? };
    if rate == 0 { None } else { Some(rate) }
}

/// GASpecificConfig and what follows it up to the sync extension.
fn general_audio(bits: &mut Bits<'_>, object_type: u32, channels: u32) -> Option<Measured> {
    if !matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23) {
        return Some(Measured::No);
    }
    bits.skip(1)?;
    if bits.bit()? == 1 {
        bits.skip(14)?;
    }
    let extension = bits.bit()?;
    if channels == 0 {
        program_config(bits)?;
    }
    if matches!(object_type, 6 | 20) {
        bits.skip(3)?;
    }
    if extension == 1 {
        match object_type {
            22 => bits.skip(16)?,
            17 | 19 | 20 | 23 => bits.skip(3)?,
            _ => {}
        }
        bits.skip(1)?;
    }
    if object_type < 17 {
        return Some(Measured::Yes);
    }
    // Error resilient types end with epConfig; above 1 a description of any length follows.
    Some(if bits.bits(2)? < 2 { Measured::Yes } else { Measured::No })
}

/// program_config_element, ISO/IEC 14496-3 4.4.1.1.
fn program_config(bits: &mut Bits<'_>) -> Option<()> {
    bits.skip(4 + 2 + 4)?;
    let with_pair_flag = bits.bits(4)?.wrapping_add(bits.bits(4)?).wrapping_add(bits.bits(4)?);
    let low_frequency = bits.bits(2)?;
    let associated = bits.bits(3)?;
    let coupling = bits.bits(4)?;
    for mixdown_bits in [4, 4, 3] {
        if bits.bit()? == 1 {
            bits.skip(mixdown_bits)?;
        }
    }
    let elements = with_pair_flag.wrapping_add(coupling).wrapping_mul(5);
    bits.skip(elements.wrapping_add(low_frequency.wrapping_add(associated).wrapping_mul(4)))?;
    bits.align();
    let comment = bits.bits(8)?;
    bits.skip(comment.wrapping_mul(8))
}

/// The backward-compatible signalling of SBR and parametric stereo after a core configuration, ISO/IEC 14496-3
/// 1.6.6.2: bytes up to its end, or `None` when there is none.
fn sync_extension(mut bits: Bits<'_>) -> Option<usize> {
    if bits.bits(11)? != 0x2B7 || read_object_type(&mut bits)? != SBR {
        return None;
    }
    if bits.bit()? == 1 {
        read_rate(&mut bits)?;
        let mut stereo = bits;
        if stereo.bits(11) == Some(0x548) && stereo.bit().is_some() {
            bits = stereo;
        }
    }
    Some(bits.bytes_read())
}

fn rate_index(rate: u32) -> Option<u32> {
    RATES.iter().position(|r| *r == rate).map(|i| i as u32)
}

fn put_rate(out: &mut Packer, rate: u32) {
    match rate_index(rate) {
        Some(index) => out.put(index, 4),
        None => {
            out.put(EXPLICIT_RATE, 4);
            out.put(rate, 24);
        }
    }
}
