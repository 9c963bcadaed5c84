//! NAL units of H.264 and H.265: where they lie, what they are for, and parameter sets in one order.
//!
//! ITU-T H.264 7.3.1 and table 7-1, ITU-T H.265 7.3.1 and table 7-1, ISO/IEC 14496-15 5.3.3.1 and 8.3.3.1.

use super::{ALL, Codec, CodecConfig};
use crate::error::{Code, Error, Result};
use crate::mem::{Account, Bytes};

/// What starts a NAL unit in a byte stream.
pub const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Parameter sets accepted of one kind, but for [`MOST_PPS`].
const MOST_SETS: usize = 32;
/// Picture parameter sets accepted.
const MOST_PPS: usize = 256;

/// What a NAL unit is for, as far as framing cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Video parameter set.
    Vps,
    /// Sequence parameter set.
    Sps,
    /// Picture parameter set.
    Pps,
    /// Access unit delimiter.
    Delimiter,
    /// Supplemental enhancement information.
    Sei,
    /// A slice of a picture at which decoding can start: IDR, or any random access picture of H.265.
    KeySlice,
    /// Another slice.
    Slice,
    /// Anything else.
    Other,
}

/// What a NAL unit that starts with `first_byte` is for. `codec` is H.264 or H.265.
pub const fn role(codec: Codec, first_byte: u8) -> Role {
    if ALL && matches!(codec, Codec::H265) {
        match first_byte >> 1 & 0x3F {
            16..=23 => Role::KeySlice,
            0..=15 => Role::Slice,
            32 => Role::Vps,
            33 => Role::Sps,
            34 => Role::Pps,
            35 => Role::Delimiter,
            39 | 40 => Role::Sei,
            _ => Role::Other,
        }
    } else {
        match first_byte & 0x1F {
            5 => Role::KeySlice,
            1..=4 => Role::Slice,
            6 => Role::Sei,
            7 => Role::Sps,
            8 => Role::Pps,
            9 => Role::Delimiter,
            _ => Role::Other,
        }
    }
}

/// An access unit delimiter for any slice type, with its start code. `codec` is H.264 or H.265.
pub const fn delimiter(codec: Codec) -> &'static [u8] {
    match codec {
        Codec::H265 if ALL => &[0, 0, 0, 1, 0x46, 0x01, 0x50],
        _ => &[0, 0, 0, 1, 0x09, 0xF0],
    }
}

/// Which parameter sets a configuration lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lack {
    /// None.
    Nothing,
    /// Video parameter sets alone, which can be made.
    Vps,
    /// Some without which nothing can be decoded.
    Essential,
}

/// Whether it is H.264 or H.265.
pub const fn has_units(codec: Codec) -> bool {
    matches!(codec, Codec::H264) || (ALL && matches!(codec, Codec::H265))
}

/// What a configuration of H.264 or H.265 lacks; nothing for any other codec.
pub fn lack(config: &CodecConfig) -> Lack {
    if !has_units(config.codec) {
        return Lack::Nothing;
    }
    let count = Count::of(config.codec, Units::of_stream(&config.private));
    if count.sps == 0 || count.pps == 0 {
        Lack::Essential
    } else if ALL && config.codec == Codec::H265 && count.vps == 0 {
        Lack::Vps
    } else {
        Lack::Nothing
    }
}

/// Takes parameter sets that came in band into a configuration that lacks some. `found` is in byte stream form; each
/// kind in it takes the place of the sets of that kind in the configuration.
///
/// # Errors
/// [`Code::LimitCodecConfig`], [`Code::Budget`] or [`Code::NoMemory`]; the configuration is as before then.
pub fn adopt(config: &mut CodecConfig, account: &mut Account, found: &[u8]) -> Result<()> {
    let count = Count::of(config.codec, Units::of_stream(found));
    if count.bytes > 0 {
        let mut merged = Bytes::new();
        let done = merge(&mut merged, account, config, found, &count);
        if let Err(e) = done {
            merged.free(account);
            return Err(e);
        }
        config.private.free(account);
        config.private = merged;
        super::fill_in_size(config);
    }
    Ok(())
}

fn merge(
    to: &mut Bytes,
    account: &mut Account,
    config: &CodecConfig,
    found: &[u8],
    count: &Count,
) -> Result<()> {
    check(count)?;
    for (wanted, have) in count.kinds() {
        let from = if have > 0 { found } else { &config.private };
        append(to, account, config.codec, Units::of_stream(from), wanted)?;
    }
    Ok(())
}

/// Puts VPS before SPS before PPS, each after a start code, and leaves everything else out.
pub(super) fn normalise(
    to: &mut Bytes,
    account: &mut Account,
    codec: Codec,
    units: Units<'_>,
    count: &Count,
) -> Result<()> {
    check(count)?;
    to.reserve_exact(account, count.bytes)?;
    for (wanted, _) in count.kinds() {
        append(to, account, codec, units, wanted)?;
    }
    Ok(())
}

fn check(count: &Count) -> Result<()> {
    if count.vps > MOST_SETS || count.sps > MOST_SETS || count.pps > MOST_PPS {
        return Err(Error::at(Code::LimitCodecConfig, super::PRIVATE_DATA, 0));
    }
    Ok(())
}

fn append(to: &mut Bytes, account: &mut Account, codec: Codec, units: Units<'_>, wanted: Role) -> Result<()> {
    for unit in units.filter(|unit| is(codec, unit, wanted)) {
        to.extend(account, &START_CODE)?;
        to.extend(account, unit)?;
    }
    Ok(())
}

/// Appends the units of one kind behind lengths of two bytes, as configuration records have them.
pub(super) fn append_with_lengths(
    out: &mut Bytes,
    account: &mut Account,
    codec: Codec,
    units: Units<'_>,
    wanted: Role,
) -> Result<()> {
    for unit in units.filter(|unit| is(codec, unit, wanted)) {
        let len = u16::try_from(unit.len()).map_err(|_| super::unusable(0))?;
        out.extend(account, &len.to_be_bytes())?;
        out.extend(account, unit)?;
    }
    Ok(())
}

/// The first unit of one kind in a configuration.
pub(super) fn first(config: &CodecConfig, wanted: Role) -> Option<&[u8]> {
    Units::of_stream(&config.private).find(|unit| is(config.codec, unit, wanted))
}

fn is(codec: Codec, unit: &[u8], wanted: Role) -> bool {
    unit.first().is_some_and(|b| role(codec, *b) == wanted)
}

/// How many parameter sets there are, and how long they are with start codes.
pub(super) struct Count {
    pub(super) vps: usize,
    pub(super) sps: usize,
    pub(super) pps: usize,
    pub(super) bytes: usize,
}

impl Count {
    pub(super) fn of(codec: Codec, units: Units<'_>) -> Count {
        let mut count = Count { vps: 0, sps: 0, pps: 0, bytes: 0 };
        for unit in units {
            match unit.first().map(|b| role(codec, *b)) {
                Some(Role::Vps) => count.vps = count.vps.wrapping_add(1),
                Some(Role::Sps) => count.sps = count.sps.wrapping_add(1),
                Some(Role::Pps) => count.pps = count.pps.wrapping_add(1),
                _ => continue,
            }
            count.bytes = count.bytes.saturating_add(START_CODE.len()).saturating_add(unit.len());
        }
        count
    }

    /// The kinds in the order of a configuration, with the number of each.
    pub(super) const fn kinds(&self) -> [(Role, usize); 3] {
        [(Role::Vps, self.vps), (Role::Sps, self.sps), (Role::Pps, self.pps)]
    }
}

/// The NAL units of some bytes, one after another, none of them empty. A last one whose length points past the end is
/// left out.
#[derive(Clone, Copy)]
pub(super) struct Units<'a> {
    rest: &'a [u8],
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    /// Behind start codes of three or more bytes.
    Stream,
    /// The sets of an H.264 configuration record: a count, that many 16-bit lengths and units, and once more. Units
    /// left in this group, and groups after it.
    Record(u8, u8),
    /// The same of an H.265 one: a type, a count of 16 bits, lengths and units, as often as the record says.
    Arrays(u16, u8),
}

impl<'a> Units<'a> {
    pub(super) const fn of_stream(bytes: &'a [u8]) -> Units<'a> {
        Units { rest: bytes, form: Form::Stream }
    }

    /// What follows the first six bytes of an AVCDecoderConfigurationRecord.
    pub(super) const fn of_record(bytes: &'a [u8], sps: u8) -> Units<'a> {
        Units { rest: bytes, form: Form::Record(sps, 1) }
    }

    /// What follows the first 23 bytes of an HEVCDecoderConfigurationRecord.
    pub(super) const fn of_arrays(bytes: &'a [u8], arrays: u8) -> Units<'a> {
        Units { rest: bytes, form: Form::Arrays(0, arrays) }
    }

    fn after_start_code(&mut self) -> Option<&'a [u8]> {
        let start = find_start_code(self.rest)?.wrapping_add(3);
        let after = self.rest.get(start..)?;
        let end = find_start_code(after).unwrap_or(after.len());
        let (unit, rest) = after.split_at_checked(end)?;
        self.rest = rest;
        Some(trim_zeros(unit))
    }

    fn after_length(&mut self) -> Option<&'a [u8]> {
        let (length, after) = self.rest.split_first_chunk()?;
        let (unit, rest) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.rest = rest;
        Some(unit)
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
                Form::Record(0, 0) | Form::Arrays(0, 0) => return None,
                Form::Record(0, groups) => {
                    let (count, after) = self.rest.split_first()?;
                    self.rest = after;
                    self.form = Form::Record(*count, groups.wrapping_sub(1));
                    continue;
                }
                Form::Arrays(0, groups) => {
                    let ([_, high, low], after) = self.rest.split_first_chunk()?;
                    self.rest = after;
                    self.form = Form::Arrays(u16::from_be_bytes([*high, *low]), groups.wrapping_sub(1));
                    continue;
                }
                Form::Record(units, groups) => {
                    self.form = Form::Record(units.wrapping_sub(1), groups);
                    self.after_length()?
                }
                Form::Arrays(units, groups) => {
                    self.form = Form::Arrays(units.wrapping_sub(1), groups);
                    self.after_length()?
                }
            };
            if !unit.is_empty() {
                return Some(unit);
            }
        }
    }
}

/// Offset of the next `00 00 01`.
pub(super) fn find_start_code(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|w| w == [0, 0, 1])
}

/// No NAL unit ends in zero: such bytes belong to the next start code or are padding.
fn trim_zeros(mut unit: &[u8]) -> &[u8] {
    while let Some((0, front)) = unit.split_last() {
        unit = front;
    }
    unit
}
