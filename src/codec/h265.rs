//! H.265: parameter sets and the configuration record of MP4.
//!
//! ITU-T H.265 | ISO/IEC 23008-2 (7.3.2.1 VPS, 7.3.2.2 SPS, 7.3.3 profile, tier and level), ISO/IEC 14496-15 8.3.3.1.
//! The private bytes hold start-coded SPS and PPS, and a VPS or none: what is missing comes in band, or is made.

use super::bits::{Bits, Packer};
use super::h264::LARGEST_SIDE;
use super::nal::{self, Count, Role, START_CODE, Units};
use super::{ALL, Codec, CodecConfig, unusable};
use crate::error::Result;
use crate::mem::{Account, Bytes};

/// FourCCs that mean H.265, in any case. Dolby Vision lies over it.
pub(super) const NAMES: &[&str] = &["HVC1", "HEV1", "HEVC", "H265", "DVH1", "DVHE"];

/// Profile, tier and level without sub-layers.
const GENERAL: usize = 12;

/// Appends the HEVCDecoderConfigurationRecord (the payload of `hvcC`) to `out`.
///
/// # Errors
/// [`crate::error::Code::CodecConfig`] without SPS or PPS, [`crate::error::Code::Budget`] or [`crate::error::Code::NoMemory`]; nothing is appended then.
pub fn hvcc(config: &CodecConfig, account: &mut Account, out: &mut Bytes) -> Result<()> {
    let start = out.len();
    let done = append_record(config, account, out);
    if done.is_err() {
        out.truncate(start);
    }
    done
}

fn append_record(config: &CodecConfig, account: &mut Account, out: &mut Bytes) -> Result<()> {
    let units = Units::of_stream(&config.private);
    let count = Count::of(Codec::H265, units);
    let sps = sps(config).ok_or(unusable(0))?;
    if !ALL || config.codec != Codec::H265 || count.pps == 0 {
        return Err(unusable(0));
    }
    out.push(account, 1)?;
    out.extend(account, &sps.general)?;
    let layers =
        sps.sub_layers.wrapping_add(1) << 3 | sps.nested << 2 | config.nal_length.saturating_sub(1) & 3;
    out.extend(
        account,
        &[
            0xF0,
            0,
            0xFC,
            0xFC | sps.chroma_format,
            0xF8 | sps.luma_extra,
            0xF8 | sps.chroma_extra,
            0,
            0,
            layers,
            // Three arrays: sets that are missing are made.
            3,
        ],
    )?;
    if count.vps == 0 {
        let mut made = Bytes::new();
        let done = make_vps(config, account, &mut made)
            .and_then(|()| append_array(config, account, out, Units::of_stream(&made), (Role::Vps, 1)));
        made.free(account);
        done?;
    }
    for kind in count.kinds() {
        append_array(config, account, out, units, kind)?;
    }
    Ok(())
}

/// Appends all sets of one kind; nothing when there is none.
fn append_array(
    config: &CodecConfig,
    account: &mut Account,
    out: &mut Bytes,
    units: Units<'_>,
    (role, number): (Role, usize),
) -> Result<()> {
    if number == 0 {
        return Ok(());
    }
    let kind = match role {
        Role::Vps => 32,
        Role::Sps => 33,
        _ => 34,
    };
    // Complete: no more of its kind come in band.
    let complete = if is_complete(config) { 0x80 } else { 0 };
    // At most 256 of a kind were taken.
    out.extend(account, &[complete | kind, (number >> 8) as u8, number as u8])?;
    nal::append_with_lengths(out, account, Codec::H265, units, role)
}

/// Whether every parameter set is in the configuration, and none need be looked for in band: what tells `hvc1` from
/// `hev1`.
pub fn is_complete(config: &CodecConfig) -> bool {
    let count = Count::of(Codec::H265, Units::of_stream(&config.private));
    count.vps > 0 && count.sps > 0 && count.pps > 0 && !config.fourcc.is_any_of(&["HEV1", "DVHE"])
}

/// Makes a video parameter set where a configuration has none, by what its SPS says. Nothing happens when it has one,
/// or no SPS that can be read.
///
/// # Errors
/// [`crate::error::Code::Budget`] or [`crate::error::Code::NoMemory`]; the configuration is as before then.
pub fn complete(config: &mut CodecConfig, account: &mut Account) -> Result<()> {
    if !ALL || config.codec != Codec::H265 || nal::first(config, Role::Vps).is_some() {
        return Ok(());
    }
    let mut unit = Bytes::new();
    let done = make_vps(config, account, &mut unit).and_then(|()| nal::adopt(config, account, &unit));
    unit.free(account);
    done
}

/// Appends a video parameter set for the pictures of the first SPS, behind a start code; nothing when there is none that
/// can be read.
fn make_vps(config: &CodecConfig, account: &mut Account, out: &mut Bytes) -> Result<()> {
    match nal::first(config, Role::Sps).and_then(vps_of) {
        Some(made) => escape(out, account, &made),
        None => Ok(()),
    }
}

/// A video parameter set for the pictures of `sps`, without start code and emulation prevention.
fn vps_of(sps: &[u8]) -> Option<super::bits::Packed> {
    let known = Sps::parse(sps)?;
    let mut vps = Packer::default();
    vps.put(0x4001, 16);
    vps.put(u32::from(known.vps_id), 4);
    // Base layer internal and available, one layer.
    vps.put(0b11_000000, 8);
    vps.put(u32::from(known.sub_layers), 3);
    vps.put(u32::from(known.nested), 1);
    vps.put(0xFFFF, 16);
    let mut bits = Bits::of_nal(sps.get(2..)?);
    bits.skip(8)?;
    for _ in 0..known.profile_bytes {
        vps.put(bits.bits(8)?, 8);
    }
    // Ordering of the highest sub-layer alone.
    vps.put(0, 1);
    for value in known.ordering {
        vps.ue(value);
    }
    // One layer set of one layer; no timing, no extension; the stop bit.
    vps.put(0, 6);
    vps.ue(0);
    vps.put(0b001, 3);
    Some(vps.finish())
}

/// Appends `unit` behind a start code, with emulation prevention.
fn escape(out: &mut Bytes, account: &mut Account, unit: &[u8]) -> Result<()> {
    out.extend(account, &START_CODE)?;
    let mut zeros = 0u32;
    for byte in unit {
        if zeros >= 2 && *byte <= 3 {
            out.push(account, 3)?;
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros.wrapping_add(1) } else { 0 };
        out.push(account, *byte)?;
    }
    Ok(())
}

/// The first sequence parameter set, as far as it is read.
pub(super) fn sps(config: &CodecConfig) -> Option<Sps> {
    nal::first(config, Role::Sps).and_then(Sps::parse)
}

/// What is wanted of a sequence parameter set.
pub(super) struct Sps {
    vps_id: u8,
    /// `sps_max_sub_layers_minus1`, 0 to 6.
    sub_layers: u8,
    /// `sps_temporal_id_nesting_flag`.
    nested: u8,
    /// Profile, tier and level without sub-layers, emulation prevention removed.
    pub(super) general: [u8; GENERAL],
    /// Bytes of profile, tier and level with sub-layers.
    profile_bytes: u32,
    pub(super) width: u32,
    pub(super) height: u32,
    /// `chroma_format_idc`, 0 to 3.
    chroma_format: u8,
    /// `bit_depth_luma_minus8`, 0 to 7.
    luma_extra: u8,
    /// `bit_depth_chroma_minus8`, 0 to 7.
    chroma_extra: u8,
    /// Pictures held, reordered, and late, of the highest sub-layer.
    ordering: [u32; 3],
}

impl Sps {
    /// ITU-T H.265 7.3.2.2.1, up to the ordering of pictures. `None` for anything out of range.
    #[inline(never)]
    fn parse(unit: &[u8]) -> Option<Sps> {
        let mut bits = Bits::of_nal(unit.get(2..)?);
        let vps_id = bits.bits(4)? as u8;
        let sub_layers = bits.bits(3).filter(|n| *n <= 6)? as u8;
        let nested = bits.bit()? as u8;
        let mut general = [0u8; GENERAL];
        for byte in &mut general {
            *byte = bits.bits(8)? as u8;
        }
        let profile_bytes = skip_sub_layers(&mut bits, sub_layers)?.wrapping_add(GENERAL as u32);
        bits.ue()?;
        let chroma_format = bits.ue().filter(|c| *c <= 3)? as u8;
        if chroma_format == 3 {
            bits.bit()?;
        }
        let (coded_width, coded_height) = (bits.ue()?, bits.ue()?);
        let (mut crop_width, mut crop_height) = (0, 0);
        if bits.bit()? == 1 {
            let (unit_x, unit_y) = match chroma_format {
                1 => (2, 2),
                2 => (2, 1),
                _ => (1, 1),
            };
            let (left, right, top, bottom) = (bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?);
            crop_width = left.checked_add(right)?.checked_mul(unit_x)?;
            crop_height = top.checked_add(bottom)?.checked_mul(unit_y)?;
        }
        let side = |coded: u32, crop: u32| coded.checked_sub(crop).filter(|s| (1..=LARGEST_SIDE).contains(s));
        let (width, height) = (side(coded_width, crop_width)?, side(coded_height, crop_height)?);
        let luma_extra = bits.ue().filter(|b| *b <= 7)? as u8;
        let chroma_extra = bits.ue().filter(|b| *b <= 7)? as u8;
        bits.ue()?;
        let all = bits.bit()? == 1;
        let mut ordering = [0; 3];
        for _ in 0..if all { sub_layers.wrapping_add(1) } else { 1 } {
            for value in &mut ordering {
                *value = bits.ue()?;
            }
        }
        Some(Sps {
            vps_id,
            sub_layers,
            nested,
            general,
            profile_bytes,
            width,
            height,
            chroma_format,
            luma_extra,
            chroma_extra,
            ordering,
        })
    }
}

/// Profile and level of the sub-layers below the highest; how many bytes they take.
fn skip_sub_layers(bits: &mut Bits<'_>, sub_layers: u8) -> Option<u32> {
    if sub_layers == 0 {
        return Some(0);
    }
    let mut bytes = 2u32;
    let flags = bits.bits(16)?;
    for layer in 0..u32::from(sub_layers) {
        // Two bits a layer from the top: profile present, level present.
        let pair = flags >> 14u32.wrapping_sub(layer.wrapping_mul(2)) & 3;
        let more = if pair & 2 != 0 { 11u32 } else { 0 }.wrapping_add(pair & 1);
        bits.skip(more.wrapping_mul(8))?;
        bytes = bytes.wrapping_add(more);
    }
    Some(bytes)
}
