//! H.264: parameter sets and the configuration record of MP4.
//!
//! ITU-T H.264 | ISO/IEC 14496-10 (7.3.2.1 sequence parameter sets), ISO/IEC 14496-15 5.3.3.1.

use super::bits::Bits;
use super::nal::{self, Count, Role, Units};
use super::{ALL, Codec, CodecConfig, Description, unusable};
use crate::error::{Code, Error, Result};
use crate::mem::{Account, Bytes};

/// FourCCs that mean H.264, in any case.
pub(super) const NAMES: &[&str] = &["H264", "AVC1", "X264", "DAVC", "AVCB", "AVC3"];

/// The largest width or height believed.
pub(super) const LARGEST_SIDE: u32 = 16_384;

/// Appends the AVCDecoderConfigurationRecord (the payload of `avcC`) to `out`.
///
/// # Errors
/// [`Code::CodecConfig`] without parameter sets or with more than the record can count, [`Code::Budget`] or
/// [`Code::NoMemory`]; nothing is appended then.
pub fn avcc(config: &CodecConfig, account: &mut Account, out: &mut Bytes) -> Result<()> {
    let start = out.len();
    let done = append_record(config, account, out);
    if done.is_err() {
        out.truncate(start);
    }
    done
}

fn append_record(config: &CodecConfig, account: &mut Account, out: &mut Bytes) -> Result<()> {
    let units = Units::of_stream(&config.private);
    let count = Count::of(Codec::H264, units);
    let [profile, constraints, level] = self::profile(config).ok_or(unusable(0))?;
    if config.codec != Codec::H264 || count.sps > 31 || count.pps == 0 || count.pps > 255 {
        return Err(unusable(0));
    }
    let length_size_minus_one = config.nal_length.saturating_sub(1) & 3;
    let head =
        [1, profile, constraints, level, 0xFC | length_size_minus_one, 0xE0 | (count.sps as u8 & 0x1F)];
    out.extend(account, &head)?;
    nal::append_with_lengths(out, account, Codec::H264, units, Role::Sps)?;
    out.push(account, count.pps as u8)?;
    nal::append_with_lengths(out, account, Codec::H264, units, Role::Pps)?;
    // Profiles with a choice of sampling say which; a set that cannot be read leaves the optional tail out.
    if matches!(profile, 100 | 110 | 122 | 144)
        && let Some(sps) = nal::first(config, Role::Sps).and_then(Sps::parse)
    {
        out.extend(account, &[0xFC | sps.chroma_format, 0xF8 | sps.luma_extra, 0xF8 | sps.chroma_extra, 0])?;
    }
    Ok(())
}

/// Profile, constraint flags and level of the first sequence parameter set.
pub(super) fn profile(config: &CodecConfig) -> Option<[u8; 3]> {
    nal::first(config, Role::Sps)?.get(1..)?.first_chunk::<3>().copied()
}

/// Width and height by the first sequence parameter set.
pub(super) fn size(config: &CodecConfig) -> Option<(u32, u32)> {
    nal::first(config, Role::Sps).and_then(Sps::parse).map(|sps| (sps.width, sps.height))
}

/// Reads the private bytes: byte stream form, or a ready configuration record.
pub(super) fn configure(config: &mut CodecConfig, account: &mut Account, d: &Description<'_>) -> Result<()> {
    config.nal_length = match d.nal_length {
        0 => 4,
        n @ (1 | 2 | 4) => n,
        _ => return Err(Error::at(Code::CodecConfig, "QualityLevel@NALUnitLengthField", 0)),
    };
    if d.private.is_empty() {
        return Ok(());
    }
    let units = match record(config.codec, d.private) {
        Some((nal_length, units)) => {
            config.nal_length = nal_length;
            units
        }
        None => Units::of_stream(d.private),
    };
    let count = Count::of(config.codec, units);
    if count.bytes == 0 {
        return Err(unusable(0));
    }
    nal::normalise(&mut config.private, account, config.codec, units, &count)?;
    super::fill_in_size(config);
    Ok(())
}

/// Length size and parameter sets of a configuration record; `None` when it is none or has no sets.
fn record(codec: Codec, bytes: &[u8]) -> Option<(u8, Units<'_>)> {
    let (version, lengths, units) = if ALL && codec == Codec::H265 {
        let (head, rest) = bytes.split_first_chunk::<23>()?;
        let [version, .., lengths, arrays] = *head;
        (version, lengths, Units::of_arrays(rest, arrays))
    } else {
        let ([version, _, _, _, lengths, sps], rest) = bytes.split_first_chunk::<6>()?;
        (*version, *lengths, Units::of_record(rest, sps & 0x1F))
    };
    match lengths & 3 {
        minus_one @ (0 | 1 | 3) if version == 1 && Count::of(codec, units).bytes > 0 => {
            Some((minus_one.wrapping_add(1), units))
        }
        _ => None,
    }
}

/// What is wanted of a sequence parameter set.
struct Sps {
    width: u32,
    height: u32,
    /// `chroma_format_idc`, 0 to 3.
    chroma_format: u8,
    /// `bit_depth_luma_minus8`, 0 to 7.
    luma_extra: u8,
    /// `bit_depth_chroma_minus8`, 0 to 7.
    chroma_extra: u8,
}

impl Sps {
    /// ITU-T H.264 7.3.2.1.1, up to the cropping rectangle. `None` for anything out of range.
    #[inline(never)]
    fn parse(unit: &[u8]) -> Option<Sps> {
        let ([_, profile, _, _], rest) = unit.split_first_chunk::<4>()?;
        let mut bits = Bits::of_nal(rest);
        bits.ue()?;
        let (mut chroma_format, mut luma_extra, mut chroma_extra) = (1, 0, 0);
        if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
            chroma_format = bits.ue().filter(|c| *c <= 3)? as u8;
            if chroma_format == 3 {
                bits.bit()?;
            }
            luma_extra = bits.ue().filter(|b| *b <= 6)? as u8;
            chroma_extra = bits.ue().filter(|b| *b <= 6)? as u8;
            bits.bit()?;
            if bits.bit()? == 1 {
                skip_scaling_lists(&mut bits, chroma_format)?;
            }
        }
        bits.ue()?;
        skip_picture_order(&mut bits)?;
        bits.ue()?;
        bits.bit()?;
        let width = bits.ue()?.checked_add(1)?.checked_mul(16)?;
        let map_height = bits.ue()?.checked_add(1)?.checked_mul(16)?;
        let frame_only = bits.bit()?;
        let fields = if frame_only == 1 { 1 } else { 2 };
        if frame_only == 0 {
            bits.bit()?;
        }
        bits.bit()?;
        let height = map_height.checked_mul(fields)?;
        let (mut crop_width, mut crop_height) = (0, 0);
        if bits.bit()? == 1 {
            let (unit_x, unit_y) = match chroma_format {
                1 => (2, 2),
                2 => (2, 1),
                _ => (1, 1),
            };
            let (left, right, top, bottom) = (bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?);
            crop_width = left.checked_add(right)?.checked_mul(unit_x)?;
            crop_height = top.checked_add(bottom)?.checked_mul(unit_y)?.checked_mul(fields)?;
        }
        let width = width.checked_sub(crop_width).filter(|w| (1..=LARGEST_SIDE).contains(w))?;
        let height = height.checked_sub(crop_height).filter(|h| (1..=LARGEST_SIDE).contains(h))?;
        Some(Sps { width, height, chroma_format, luma_extra, chroma_extra })
    }
}

fn skip_scaling_lists(bits: &mut Bits<'_>, chroma_format: u8) -> Option<()> {
    for list in 0..if chroma_format == 3 { 12 } else { 8 } {
        if bits.bit()? == 0 {
            continue;
        }
        let (mut last, mut next) = (8i32, 8i32);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = last.wrapping_add(bits.se()?) & 0xFF;
            }
            if next != 0 {
                last = next;
            }
        }
    }
    Some(())
}

fn skip_picture_order(bits: &mut Bits<'_>) -> Option<()> {
    match bits.ue()? {
        0 => {
            bits.ue()?;
        }
        1 => {
            bits.bit()?;
            bits.se()?;
            bits.se()?;
            for _ in 0..bits.ue().filter(|n| *n <= 255)? {
                bits.se()?;
            }
        }
        _ => {}
    }
    Some(())
}
