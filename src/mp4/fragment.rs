//! One `moof`: sample table, absolute times, and whether samples are encrypted.
//!
//! ISO/IEC 14496-12 8.8 (movie fragments), [MS-SSTR] 2.2.4. Children may stand in any order; unknown ones are passed
//! over.

use super::boxes::{Child, Children, Fields, first_box};
use super::sample::{SampleEntry, SampleTable};
use super::uuid;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::Account;

/// Following fragments kept of a `tfrf`: the nearest ones. A server sends two.
pub const MOST_FOLLOWING: usize = 16;
/// Ticks beyond which a following fragment is not believed: at the usual scale more than a day ahead.
const FARTHEST: u64 = 1 << 40;

/// Start and length of a fragment in ticks of the stream's scale.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Span {
    /// Where it starts.
    pub time: u64,
    /// How long it lasts.
    pub duration: u64,
}

/// Bytes of a `moof`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Range {
    /// Offset from the start of the `moof`.
    pub offset: u32,
    /// How many.
    pub len: u32,
}

impl Range {
    /// Those bytes of `moof`; empty when it is another one.
    pub fn of(self, moof: &[u8]) -> &[u8] {
        moof.get(self.offset as usize..).and_then(|rest| rest.get(..self.len as usize)).unwrap_or(&[])
    }
}

/// Whether samples are encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Encryption {
    /// No sample encryption box: the samples are clear.
    #[default]
    Clear,
    /// The `uuid` box of PIFF, whose payload (version and flags first) is these bytes of the `moof`.
    Piff {
        /// Offset from the start of the `moof`.
        offset: u32,
        /// Bytes.
        len: u32,
    },
    /// The `senc` box, ISO/IEC 23001-7 7.2, whose payload (version and flags first) is these bytes of the `moof`.
    Senc {
        /// Offset from the start of the `moof`.
        offset: u32,
        /// Bytes.
        len: u32,
    },
    /// Neither, but `saiz` and `saio`, ISO/IEC 14496-12 8.7.8 and 8.7.9, say that there is a table somewhere.
    Auxiliary,
}

/// What a `moof` says besides its samples.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct MoofInfo {
    /// `tfhd` track_ID; arbitrary. 0 without any `traf`.
    pub track_id: u32,
    /// `mfhd` sequence_number; arbitrary, gaps are normal. 0 when absent.
    pub sequence: u32,
    /// Absolute time and duration, [MS-SSTR] 2.2.4.4. `None` as well when the time is negative, as some writers put it
    /// for the first sound.
    pub tfxd: Option<Span>,
    /// The fragments that follow, as sent, nearest first, [MS-SSTR] 2.2.4.5. See [`MoofInfo::following`].
    pub tfrf: heapless::Vec<Span, MOST_FOLLOWING>,
    /// baseMediaDecodeTime, ISO/IEC 14496-12 8.8.12. Wrong on some origins: check it against the manifest.
    pub tfdt: Option<u64>,
    /// Whether samples are encrypted.
    pub encryption: Encryption,
    /// Payload of the `traf` whose samples these are.
    pub traf: Range,
    /// Samples added to the table.
    pub samples: u32,
    /// Ticks of those samples together.
    pub duration: u64,
    /// Bytes of those samples together.
    pub bytes: u64,
}

impl MoofInfo {
    /// The following fragments that can be believed: each later than the one before, the first later than `current`,
    /// none too far from it.
    pub fn following(&self, current: u64) -> impl Iterator<Item = Span> + '_ {
        let mut last = current;
        self.tfrf.iter().copied().filter(move |span| {
            let believed = span.time > last && span.time.saturating_sub(current) < FARTHEST;
            if believed {
                last = span.time;
            }
            believed
        })
    }
}

/// Appends the samples of `moof`, a whole box which starts at `moof_offset` of the body, to `table`.
///
/// Of several `traf`, the first with a `trun` counts. The samples have no place until [`SampleTable::place`].
///
/// # Errors
/// [`Code::BoxInvalid`], [`Code::LimitBoxes`], [`Code::LimitSamples`], [`Code::SamplesOutside`] when the `moof` before
/// this one had samples but no `mdat`, [`Code::Budget`] or [`Code::NoMemory`]. The table is as before then.
pub fn parse_moof(
    moof: &[u8],
    moof_offset: u64,
    account: &mut Account,
    limits: &Limits,
    table: &mut SampleTable,
) -> Result<MoofInfo> {
    table.begin(moof_offset)?;
    let parsed = parse(moof, moof_offset, account, limits, table);
    if parsed.is_err() {
        table.undo();
    }
    parsed
}

fn parse(
    moof: &[u8],
    moof_offset: u64,
    account: &mut Account,
    limits: &Limits,
    table: &mut SampleTable,
) -> Result<MoofInfo> {
    let top = match first_box(moof, moof_offset) {
        Some((top, _)) if top.kind == *b"moof" => top,
        _ => return Err(Error::at(Code::BoxInvalid, "moof", moof_offset)),
    };
    let mut info = MoofInfo::default();
    let mut chosen: Option<(Child<'_>, Runs)> = None;
    let mut children = Children::new(top.payload, top.offset, "moof", limits);
    // Bounded by the limit inside Children, as every such loop here.
    while let Some(child) = children.next()? {
        match &child.kind {
            b"mfhd" => info.sequence = sequence(child.payload).unwrap_or(0),
            b"traf" => {
                let runs = has_runs(&child, limits)?;
                let better = match chosen {
                    None => true,
                    Some((_, before)) => before == Runs::None && runs == Runs::Some,
                };
                if better {
                    chosen = Some((child, runs));
                }
            }
            b"uuid" => read_times(&mut info, &child),
            _ => {}
        }
    }
    if let Some((traf, _)) = chosen {
        parse_traf(&traf, moof_offset, account, limits, table, &mut info)?;
    }
    Ok(info)
}

/// Whether a `traf` has a `trun`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    None,
    Some,
}

fn has_runs(traf: &Child<'_>, limits: &Limits) -> Result<Runs> {
    let mut children = Children::new(traf.payload, traf.offset, "moof/traf", limits);
    let mut runs = Runs::None;
    while let Some(child) = children.next()? {
        if child.kind == *b"trun" {
            runs = Runs::Some;
        }
    }
    Ok(runs)
}

fn parse_traf(
    traf: &Child<'_>,
    moof_offset: u64,
    account: &mut Account,
    limits: &Limits,
    table: &mut SampleTable,
    info: &mut MoofInfo,
) -> Result<()> {
    let mut defaults = None;
    info.traf = range(traf, moof_offset);
    let mut children = Children::new(traf.payload, traf.offset, "moof/traf", limits);
    while let Some(child) = children.next()? {
        match &child.kind {
            b"tfhd" if defaults.is_none() => {
                let invalid = Error::at(Code::BoxInvalid, "moof/traf/tfhd", child.offset);
                defaults = Some(Defaults::parse(child.payload).ok_or(invalid)?);
            }
            b"tfdt" => info.tfdt = info.tfdt.or(decode_time(child.payload)),
            b"saiz" if info.encryption == Encryption::Clear && is_encryption_info(child.payload) => {
                info.encryption = Encryption::Auxiliary;
            }
            b"senc" => note_encryption(info, &child, moof_offset),
            b"uuid" if child.extended == Some(&uuid::SAMPLE_ENCRYPTION) => {
                note_encryption(info, &child, moof_offset);
            }
            b"uuid" => read_times(info, &child),
            _ => {}
        }
    }
    let defaults = defaults.ok_or(Error::at(Code::BoxInvalid, "moof/traf/tfhd", traf.offset))?;
    info.track_id = defaults.track_id;
    // The data offset of a run without samples, which is where the next one starts.
    let mut carried = None;
    let mut children = Children::new(traf.payload, traf.offset, "moof/traf", limits);
    while let Some(child) = children.next()? {
        if child.kind == *b"trun" {
            carried = parse_trun(&child, &defaults, carried, account, limits, table, info)?;
        }
    }
    Ok(())
}

/// What `tfhd` says, over a `trex` of zeros: Smooth Streaming has no `moov`.
#[derive(Clone, Copy)]
struct Defaults {
    track_id: u32,
    duration: u32,
    size: u32,
    flags: u32,
}

impl Defaults {
    /// ISO/IEC 14496-12 8.8.7.
    fn parse(payload: &[u8]) -> Option<Defaults> {
        let (_, flags, mut fields) = Fields::full(payload)?;
        let track_id = fields.u32()?;
        if flags & 0x01 != 0 {
            // base-data-offset: a place in the origin's file, which is not here.
            fields.u64()?;
        }
        let mut optional = |bit: u32| if flags & bit == 0 { Some(0) } else { fields.u32() };
        optional(0x02)?;
        Some(Defaults { track_id, duration: optional(0x08)?, size: optional(0x10)?, flags: optional(0x20)? })
    }
}

/// Fields of `trun`, ISO/IEC 14496-12 8.8.8.
const DATA_OFFSET: u32 = 0x001;
const FIRST_FLAGS: u32 = 0x004;
const DURATION: u32 = 0x100;
const SIZE: u32 = 0x200;
const FLAGS: u32 = 0x400;
const COMPOSITION: u32 = 0x800;

/// Appends the samples of a run. `carried` is the data offset of empty runs before it; returned is that for the next one.
fn parse_trun(
    trun: &Child<'_>,
    defaults: &Defaults,
    carried: Option<i32>,
    account: &mut Account,
    limits: &Limits,
    table: &mut SampleTable,
    info: &mut MoofInfo,
) -> Result<Option<i32>> {
    let invalid = Error::at(Code::BoxInvalid, "moof/traf/trun", trun.offset);
    let (_, present, mut fields) = Fields::full(trun.payload).ok_or(invalid)?;
    let count = fields.u32().ok_or(invalid)?;
    // Before anything is allocated: fields may be absent, so four bytes could ask for any number of samples.
    if table.count().saturating_add(count as usize) > limits.samples as usize {
        return Err(Error::at(Code::LimitSamples, "moof/traf/trun", trun.offset));
    }
    let data_offset =
        if present & DATA_OFFSET != 0 { Some(fields.u32().ok_or(invalid)? as i32) } else { carried };
    let first_flags = if present & FIRST_FLAGS != 0 { Some(fields.u32().ok_or(invalid)?) } else { None };
    let entry_bytes = (present & (DURATION | SIZE | FLAGS | COMPOSITION)).count_ones().wrapping_mul(4);
    if u64::from(count).saturating_mul(u64::from(entry_bytes)) > fields.0.len() as u64 {
        return Err(invalid);
    }
    table.reserve(account, count as usize)?;
    for i in 0..count {
        let mut field = |bit: u32, default: u32| {
            if present & bit == 0 { Some(default) } else { fields.u32() }
        };
        let default_flags = match first_flags {
            // With flags for each sample, those for the first one are against the rules and not believed.
            Some(first) if i == 0 => first,
            _ => defaults.flags,
        };
        let sample = SampleEntry {
            offset: 0,
            duration: field(DURATION, defaults.duration).ok_or(invalid)?,
            size: field(SIZE, defaults.size).ok_or(invalid)?,
            flags: field(FLAGS, default_flags).ok_or(invalid)?,
            // Signed in version 0, too: encoders do not care.
            composition: field(COMPOSITION, 0).ok_or(invalid)? as i32,
        };
        info.samples = info.samples.saturating_add(1);
        info.duration = info.duration.saturating_add(u64::from(sample.duration));
        info.bytes = info.bytes.saturating_add(u64::from(sample.size));
        table.push(account, sample, data_offset.filter(|_| i == 0))?;
    }
    Ok(data_offset.filter(|_| count == 0))
}

fn sequence(payload: &[u8]) -> Option<u32> {
    Fields::full(payload)?.2.u32()
}

fn decode_time(payload: &[u8]) -> Option<u64> {
    let (version, _, mut fields) = Fields::full(payload)?;
    fields.time(version)
}

fn note_encryption(info: &mut MoofInfo, child: &Child<'_>, moof_offset: u64) {
    if matches!(info.encryption, Encryption::Clear | Encryption::Auxiliary) {
        let Range { offset, len } = range(child, moof_offset);
        info.encryption = match child.extended {
            Some(_) => Encryption::Piff { offset, len },
            None => Encryption::Senc { offset, len },
        };
    }
}

/// Where the payload of a box lies in its `moof`.
fn range(child: &Child<'_>, moof_offset: u64) -> Range {
    Range { offset: child.offset.saturating_sub(moof_offset) as u32, len: child.payload.len() as u32 }
}

/// Whether a `saiz` speaks of encryption: its type names a scheme, or is left out, which means the same.
pub(super) fn is_encryption_info(saiz: &[u8]) -> bool {
    Fields::full(saiz).is_some_and(|(_, flags, fields)| {
        flags & 1 == 0
            || matches!(fields.0.first_chunk(), Some(b"cenc" | b"cbcs" | b"cbc1" | b"cens" | b"piff"))
    })
}

/// `tfxd` and `tfrf`. Samples play without them, so one that is too short is as good as absent; bytes behind the
/// fields belong to later versions.
fn read_times(info: &mut MoofInfo, child: &Child<'_>) {
    if child.extended == Some(&uuid::TFXD) && info.tfxd.is_none() {
        info.tfxd = Fields::full(child.payload)
            .and_then(|(version, _, mut fields)| span(&mut fields, version))
            .filter(|span| span.time <= i64::MAX as u64);
    } else if child.extended == Some(&uuid::TFRF)
        && info.tfrf.is_empty()
        && let Some((version, _, mut fields)) = Fields::full(child.payload)
    {
        // One byte, whatever the prose of [MS-SSTR] 2.2.4.5 says: its grammar and every server agree.
        let count = fields.u8().unwrap_or(0);
        for _ in 0..usize::from(count).min(MOST_FOLLOWING) {
            let Some(next) = span(&mut fields, version) else { break };
            let _ = info.tfrf.push(next);
        }
    }
}

fn span(fields: &mut Fields<'_>, version: u8) -> Option<Span> {
    Some(Span { time: fields.time(version)?, duration: fields.time(version)? })
}
