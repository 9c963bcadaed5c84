//! H.264: parameter sets, access unit framing, and the configuration record of MP4.
//!
//! ITU-T H.264 | ISO/IEC 14496-10 (7.3.1 NAL units, 7.3.2.1 sequence parameter sets), ISO/IEC 14496-15 5.3.3.1.

use super::bits::Bits;
use super::{Codec, CodecConfig, Description, unusable};
use crate::error::{Code, Error, Result};
use crate::mem::{Account, Bytes};

/// What starts a NAL unit in a byte stream.
pub const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// An access unit delimiter for any slice type, with its start code.
pub const ACCESS_UNIT_DELIMITER: [u8; 6] = [0, 0, 0, 1, 0x09, 0xF0];

/// FourCCs that mean H.264, in any case.
pub(super) const NAMES: &[&str] = &["H264", "AVC1", "X264", "DAVC", "AVCB", "AVC3"];

/// Sequence parameter sets accepted.
const MOST_SPS: usize = 32;
/// Picture parameter sets accepted.
const MOST_PPS: usize = 256;
/// The largest width or height believed.
const LARGEST_SIDE: u32 = 16_384;

/// `nal_unit_type`, ITU-T H.264 table 7-1, as far as framing cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NalType(pub u8);

impl NalType {
    /// A slice of a picture that depends on nothing before it.
    pub const IDR: NalType = NalType(5);
    /// Supplemental enhancement information.
    pub const SEI: NalType = NalType(6);
    /// Sequence parameter set.
    pub const SPS: NalType = NalType(7);
    /// Picture parameter set.
    pub const PPS: NalType = NalType(8);
    /// Access unit delimiter.
    pub const AUD: NalType = NalType(9);
}

/// The type in the first byte of a NAL unit.
pub const fn nal_type(first_byte: u8) -> NalType {
    NalType(first_byte & 0x1F)
}

/// The parameter sets in byte stream form: what goes before the first sample, after a flush and at a switch. Empty
/// when they are only in band.
pub fn parameter_sets(config: &CodecConfig) -> &[u8] {
    &config.private
}

/// Whether a sample that begins with `first` brings a parameter set of its own before its first slice, so that none
/// needs to be put in front. `first` has lengths of `nal_length` bytes or start codes; the first 64 bytes do.
pub fn starts_with_parameter_sets(first: &[u8], nal_length: u8) -> bool {
    let units = Units { cut: Cut::Keep, ..Units::of_sample(first, nal_length) };
    for unit in units {
        match unit.first().map(|b| nal_type(*b)) {
            Some(NalType::SPS) => return true,
            Some(NalType::AUD | NalType::SEI) => {}
            _ => return false,
        }
    }
    false
}

/// Takes the parameter sets out of a sample into a configuration that has none: a manifest may leave
/// CodecPrivateData empty when they are in band. `sample` is whole, or cut short with lengths and no start codes yet.
/// Tells whether both kinds were found.
///
/// # Errors
/// [`Code::LimitCodecConfig`], [`Code::Budget`] or [`Code::NoMemory`]; the configuration is as before then.
pub fn adopt_parameter_sets(config: &mut CodecConfig, account: &mut Account, sample: &[u8]) -> Result<bool> {
    if config.codec != Codec::H264 {
        return Ok(false);
    }
    let units = Units::of_sample(sample, config.nal_length);
    let count = Count::of(units);
    if count.sps == 0 || count.pps == 0 {
        return Ok(false);
    }
    let mut found = Bytes::new();
    if let Err(e) = normalise(&mut found, account, units, &count) {
        found.free(account);
        return Err(e);
    }
    config.private.free(account);
    config.private = found;
    fill_in_size(config);
    Ok(true)
}

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
    let count = Count::of(units);
    let [profile, constraints, level] = self::profile(config).ok_or(unusable(0))?;
    if config.codec != Codec::H264 || count.sps > 31 || count.pps == 0 || count.pps > 255 {
        return Err(unusable(0));
    }
    let length_size_minus_one = config.nal_length.saturating_sub(1) & 3;
    let head =
        [1, profile, constraints, level, 0xFC | length_size_minus_one, 0xE0 | (count.sps as u8 & 0x1F)];
    out.extend(account, &head)?;
    append_with_lengths(out, account, units, NalType::SPS)?;
    out.push(account, count.pps as u8)?;
    append_with_lengths(out, account, units, NalType::PPS)?;
    // Profiles with a choice of sampling say which; a set that cannot be read leaves the optional tail out.
    if matches!(profile, 100 | 110 | 122 | 144)
        && let Some(sps) = first_sps(config).and_then(Sps::parse)
    {
        out.extend(account, &[0xFC | sps.chroma_format, 0xF8 | sps.luma_extra, 0xF8 | sps.chroma_extra, 0])?;
    }
    Ok(())
}

/// Profile, constraint flags and level of the first sequence parameter set.
pub(super) fn profile(config: &CodecConfig) -> Option<[u8; 3]> {
    first_sps(config)?.get(1..)?.first_chunk::<3>().copied()
}

/// Reads the private bytes: byte stream form, or a ready configuration record.
pub(super) fn configure(config: &mut CodecConfig, account: &mut Account, d: &Description<'_>) -> Result<()> {
    config.nal_length = match d.nal_length {
        0 => 4,
        n @ (1 | 2 | 4) => n,
        _ => return Err(Error::at(Code::CodecConfig, "QualityLevel@NALUnitLengthField", 0)),
    };
    let units = if d.private.is_empty() {
        return Ok(());
    } else if find_start_code(d.private).is_some() {
        Units::of_stream(d.private)
    } else {
        let (nal_length, units) = record(d.private).ok_or(unusable(0))?;
        config.nal_length = nal_length;
        units
    };
    let count = Count::of(units);
    if count.sps == 0 && count.pps == 0 {
        return Err(unusable(0));
    }
    normalise(&mut config.private, account, units, &count)?;
    fill_in_size(config);
    Ok(())
}

/// A player can do without the size, so a set that cannot be read is no error.
fn fill_in_size(config: &mut CodecConfig) {
    if (config.width == 0 || config.height == 0)
        && let Some(sps) = first_sps(config).and_then(Sps::parse)
    {
        (config.width, config.height) = (sps.width, sps.height);
    }
}

fn first_sps(config: &CodecConfig) -> Option<&[u8]> {
    // Sequence parameter sets come first in the normal form.
    Units::of_stream(&config.private).next().filter(|unit| is(unit, NalType::SPS))
}

/// Puts SPS before PPS, each after a start code, and leaves everything else out.
fn normalise(to: &mut Bytes, account: &mut Account, units: Units<'_>, count: &Count) -> Result<()> {
    if count.sps > MOST_SPS || count.pps > MOST_PPS {
        return Err(Error::at(Code::LimitCodecConfig, super::PRIVATE_DATA, 0));
    }
    to.reserve_exact(account, count.bytes)?;
    for wanted in [NalType::SPS, NalType::PPS] {
        for unit in units.filter(|unit| is(unit, wanted)) {
            to.extend(account, &START_CODE)?;
            to.extend(account, unit)?;
        }
    }
    Ok(())
}

fn append_with_lengths(
    out: &mut Bytes,
    account: &mut Account,
    units: Units<'_>,
    wanted: NalType,
) -> Result<()> {
    for unit in units.filter(|unit| is(unit, wanted)) {
        let len = u16::try_from(unit.len()).map_err(|_| unusable(0))?;
        out.extend(account, &len.to_be_bytes())?;
        out.extend(account, unit)?;
    }
    Ok(())
}

fn is(unit: &[u8], wanted: NalType) -> bool {
    unit.first().is_some_and(|b| nal_type(*b) == wanted)
}

/// How many parameter sets there are, and how long they are with start codes.
struct Count {
    sps: usize,
    pps: usize,
    bytes: usize,
}

impl Count {
    fn of(units: Units<'_>) -> Count {
        let mut count = Count { sps: 0, pps: 0, bytes: 0 };
        for unit in units {
            match unit.first().map(|b| nal_type(*b)) {
                Some(NalType::SPS) => count.sps = count.sps.wrapping_add(1),
                Some(NalType::PPS) => count.pps = count.pps.wrapping_add(1),
                _ => continue,
            }
            count.bytes = count.bytes.saturating_add(START_CODE.len()).saturating_add(unit.len());
        }
        count
    }
}

/// The NAL units of some bytes, one after another, none of them empty.
#[derive(Clone, Copy)]
struct Units<'a> {
    rest: &'a [u8],
    form: Form,
    cut: Cut,
}

/// What becomes of a last unit whose length points past the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Drop,
    Keep,
}

#[derive(Clone, Copy)]
enum Form {
    /// Behind start codes of three or more bytes.
    Stream,
    /// Behind lengths of so many bytes.
    Lengths(u8),
    /// The sets of a configuration record: a count, that many 16-bit lengths and units, and once more. Units left
    /// in this group, and groups after it.
    Record(u8, u8),
}

impl<'a> Units<'a> {
    const fn of_stream(bytes: &'a [u8]) -> Units<'a> {
        Units { rest: bytes, form: Form::Stream, cut: Cut::Drop }
    }

    /// Lengths of four bytes may have become start codes already. A first unit of a single byte cannot be told from
    /// one; no sample starts with that.
    fn of_sample(bytes: &'a [u8], nal_length: u8) -> Units<'a> {
        if bytes.starts_with(&START_CODE) {
            Units::of_stream(bytes)
        } else {
            Units { rest: bytes, form: Form::Lengths(nal_length), cut: Cut::Drop }
        }
    }

    fn after_start_code(&mut self) -> Option<&'a [u8]> {
        let start = find_start_code(self.rest)?.wrapping_add(3);
        let after = self.rest.get(start..)?;
        let end = find_start_code(after).unwrap_or(after.len());
        let (unit, rest) = after.split_at_checked(end)?;
        self.rest = rest;
        Some(trim_zeros(unit))
    }

    fn after_length(&mut self, length_bytes: u8) -> Option<&'a [u8]> {
        let (length, after) = match length_bytes {
            1 => self.rest.split_first().map(|(l, after)| (u32::from(*l), after))?,
            2 => {
                self.rest.split_first_chunk().map(|(l, after)| (u32::from(u16::from_be_bytes(*l)), after))?
            }
            _ => self.rest.split_first_chunk().map(|(l, after)| (u32::from_be_bytes(*l), after))?,
        };
        match after.split_at_checked(length as usize) {
            Some((unit, rest)) => {
                self.rest = rest;
                Some(unit)
            }
            None => {
                self.rest = &[];
                if self.cut == Cut::Keep { Some(after) } else { None }
            }
        }
    }
}

impl<'a> Iterator for Units<'a> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        // Each turn takes at least one byte off the rest.
        loop {
            let unit = match self.form {
                Form::Stream => self.after_start_code()?,
                Form::Lengths(bytes) => self.after_length(bytes)?,
                Form::Record(0, 0) => return None,
                Form::Record(0, groups) => {
                    let (count, after) = self.rest.split_first()?;
                    self.rest = after;
                    self.form = Form::Record(*count, groups.wrapping_sub(1));
                    continue;
                }
                Form::Record(units, groups) => {
                    self.form = Form::Record(units.wrapping_sub(1), groups);
                    self.after_length(2)?
                }
            };
            if !unit.is_empty() {
                return Some(unit);
            }
        }
    }
}

/// Length size and parameter sets of an AVCDecoderConfigurationRecord.
fn record(bytes: &[u8]) -> Option<(u8, Units<'_>)> {
    let ([version, _, _, _, lengths, sps_count], rest) = bytes.split_first_chunk::<6>()?;
    let nal_length = match lengths & 3 {
        2 => return None,
        minus_one => minus_one.wrapping_add(1),
    };
    if *version != 1 {
        return None;
    }
    Some((nal_length, Units { rest, form: Form::Record(sps_count & 0x1F, 1), cut: Cut::Drop }))
}

/// Offset of the next `00 00 01`.
fn find_start_code(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|w| w == [0, 0, 1])
}

/// No NAL unit ends in zero: such bytes belong to the next start code or are padding.
fn trim_zeros(mut unit: &[u8]) -> &[u8] {
    while let Some((0, front)) = unit.split_last() {
        unit = front;
    }
    unit
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
