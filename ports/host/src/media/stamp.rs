//! Changes what a fragment says about time and leaves its media alone: `tfxd`, `tfrf` ([MS-SSTR] 2.2.4.4, 2.2.4.5), `tfdt`,
//! the durations of its samples.

use anyhow::{Context, Result, ensure};

use super::boxes::{self, Boxes, Fields, Writer, write_box, write_uuid};
use super::fragment::{Defaults, Sample, TFXD};

pub const TFRF: [u8; 16] =
    [0xd4, 0x80, 0x7e, 0xf2, 0xca, 0x39, 0x46, 0x95, 0x8e, 0x54, 0x26, 0xcb, 0x9e, 0x46, 0xa7, 0x9f];

/// How `tfxd` or `tfrf` writes its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// In 32 bits where all of them fit.
    Short,
    /// In 64 bits.
    Long,
}

/// What a fragment is to say.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Start and duration, ticks.
    pub time: u64,
    pub duration: u64,
    /// Times and durations of the fragments that follow.
    pub following: &'a [(u64, u64)],
    /// `None` leaves the box away.
    pub tfxd: Option<Width>,
    pub tfrf: Option<Width>,
    /// Whether there is a `tfdt`.
    pub decode_time: bool,
    pub sequence: u32,
    /// Another `track_ID` than the fragment has.
    pub track: Option<u32>,
    /// What samples have where the fragment does not say.
    pub defaults: Defaults,
    /// Factor of all durations and offsets of samples, where it is not one.
    pub scale: Option<(u64, u64)>,
}

/// The fragment with that stamp: one `moof` of one `traf`, and all that follows it.
///
/// # Errors
/// When it is no such fragment.
pub fn stamp(fragment: &[u8], stamp: &Stamp) -> Result<Vec<u8>> {
    let head = boxes::head(fragment, fragment.len() as u64)?;
    ensure!(&head.kind == b"moof", "{} where a moof belongs", boxes::name(head.kind));
    let (moof, rest) = fragment.split_at(head.size as usize);
    // The new size does not depend on the place of the data, so the second pass knows it.
    let size = remade(moof, head.len as usize, stamp, 0)?.len();
    let moved = size as i64 - moof.len() as i64;
    let moof = remade(moof, head.len as usize, stamp, moved)?;
    Ok([&moof, rest].concat())
}

/// A fragment of these samples, all in `data` one after the other, without any stamp.
///
/// # Errors
/// When it is too long.
pub fn build(track: u32, samples: &[Sample], data: &[u8]) -> Result<Vec<u8>> {
    let mut tfhd = Writer::new();
    tfhd.u32(0).u32(track);
    let tfhd = write_box(*b"tfhd", &tfhd.done());
    let signed = samples.iter().any(|sample| sample.composition < 0);
    let mfhd = write_box(*b"mfhd", &[0; 8]);
    let trun_len = 8 + 12 + samples.len() * 16;
    let data_offset = 8 + mfhd.len() + 8 + tfhd.len() + trun_len + 8;
    let mut trun = Writer::new();
    trun.u32(u32::from(signed) << 24 | 0xf01).u32(u32::try_from(samples.len())?);
    trun.u32(u32::try_from(data_offset)?);
    for sample in samples {
        trun.u32(sample.duration).u32(sample.size).u32(sample.flags).u32(sample.composition as u32);
    }
    let traf = [tfhd, write_box(*b"trun", &trun.done())].concat();
    let moof = write_box(*b"moof", &[mfhd, write_box(*b"traf", &traf)].concat());
    Ok([moof, write_box(*b"mdat", data)].concat())
}

/// `ticks` by a factor, to the nearest.
pub fn scaled(ticks: u64, (times, over): (u64, u64)) -> u64 {
    let over = u128::from(over.max(1));
    u64::try_from((u128::from(ticks) * u128::from(times) + over / 2) / over).unwrap_or(u64::MAX)
}

/// The new `moof`; `moved` is by how much its size has grown.
fn remade(moof: &[u8], head: usize, stamp: &Stamp, moved: i64) -> Result<Vec<u8>> {
    let content = moof.get(head..).context("moof cut short")?;
    let mut out = Vec::new();
    let mut places = Places::default();
    let mut trafs = 0;
    for (kind, at, whole) in children(content)? {
        places.note(head + at, 8 + out.len());
        match &kind {
            b"mfhd" => {
                let mut mfhd = Writer::new();
                mfhd.u32(0).u32(stamp.sequence);
                out.extend(write_box(kind, &mfhd.done()));
            }
            b"traf" => {
                trafs += 1;
                let inner = boxes::head(whole, whole.len() as u64)?.len as usize;
                let new = traf(whole, inner, (head + at, 8 + out.len()), stamp, moved, &mut places)?;
                out.extend(new);
            }
            _ => out.extend_from_slice(whole),
        }
    }
    ensure!(trafs == 1, "{trafs} traf boxes where there is one in a fragment");
    Ok(write_box(*b"moof", &out))
}

fn traf(
    whole: &[u8],
    head: usize,
    (old, new): (usize, usize),
    stamp: &Stamp,
    moved: i64,
    places: &mut Places,
) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut given = stamp.defaults;
    let mut saio = Vec::new();
    // Ticks from the start of the fragment to the next sample, before scaling.
    let mut clock = 0;
    for (kind, at, child) in children(whole.get(head..).context("traf cut short")?)? {
        let inner = boxes::head(child, child.len() as u64)?.len as usize;
        let content = child.get(inner..).unwrap_or(&[]);
        places.note(old + head + at, new + 8 + out.len());
        match &kind {
            b"tfdt" => {}
            b"uuid" if content.starts_with(&TFXD) || content.starts_with(&TFRF) => {}
            b"tfhd" => {
                out.extend(write_box(kind, &tfhd(content, stamp, &mut given)?));
                if stamp.decode_time {
                    let mut tfdt = Writer::new();
                    tfdt.u32(1 << 24).u64(stamp.time);
                    out.extend(write_box(*b"tfdt", &tfdt.done()));
                }
            }
            b"trun" => {
                out.extend(write_box(kind, &trun(content, stamp.scale, given, &mut clock, moved)?));
            }
            b"saio" => {
                saio.push((out.len() + 8, content));
                out.extend_from_slice(child);
            }
            _ => out.extend_from_slice(child),
        }
    }
    let mut told = Vec::new();
    if let Some(width) = stamp.tfxd {
        let span = [(stamp.time, stamp.duration)];
        let mut tfxd = Writer::new();
        let version = version(width, &span);
        tfxd.u8(version).u24(0);
        numbers(&mut tfxd, version, &span);
        told.extend(write_uuid(TFXD, &tfxd.done()));
    }
    if let Some(width) = stamp.tfrf {
        let mut tfrf = Writer::new();
        let version = version(width, stamp.following);
        tfrf.u8(version).u24(0).u8(u8::try_from(stamp.following.len())?);
        numbers(&mut tfrf, version, stamp.following);
        told.extend(write_uuid(TFRF, &tfrf.done()));
    }
    out.extend(told);
    for (at, content) in saio {
        let new = places.follow(content)?;
        let end = at.checked_add(new.len()).context("saio")?;
        out.get_mut(at..end).context("saio")?.copy_from_slice(&new);
    }
    Ok(write_box(*b"traf", &out))
}

fn version(width: Width, spans: &[(u64, u64)]) -> u8 {
    let fits = spans.iter().all(|(time, duration)| u32::try_from((*time).max(*duration)).is_ok());
    u8::from(width == Width::Long || !fits)
}

fn numbers(out: &mut Writer, version: u8, spans: &[(u64, u64)]) {
    for number in spans.iter().flat_map(|(time, duration)| [*time, *duration]) {
        match u32::try_from(number) {
            Ok(number) if version == 0 => out.u32(number),
            _ => out.u64(number),
        };
    }
}

/// The content of `tfhd` without a place in the file, which means nothing in a response.
fn tfhd(content: &[u8], stamp: &Stamp, given: &mut Defaults) -> Result<Vec<u8>> {
    let mut fields = Fields::new(content);
    let (version, flags) = fields.full()?;
    let mut out = Writer::new();
    let track = fields.u32()?;
    out.u8(version).u24(flags & !1).u32(stamp.track.unwrap_or(track));
    if flags & 0x01 != 0 {
        fields.u64()?;
    }
    if flags & 0x02 != 0 {
        out.u32(fields.u32()?);
    }
    if flags & 0x08 != 0 {
        given.duration = fields.u32()?;
        out.u32(stamp.scale.map_or(given.duration, |scale| scaled(given.duration.into(), scale) as u32));
    }
    for (flag, field) in [(0x10, &mut given.size), (0x20, &mut given.flags)] {
        if flags & flag != 0 {
            *field = fields.u32()?;
            out.u32(*field);
        }
    }
    out.bytes(fields.rest());
    Ok(out.done())
}

/// The content of `trun`: data where it is now, durations by the scale, so that they add up.
fn trun(
    content: &[u8],
    scale: Option<(u64, u64)>,
    given: Defaults,
    clock: &mut u64,
    moved: i64,
) -> Result<Vec<u8>> {
    let mut fields = Fields::new(content);
    let (version, flags) = fields.full()?;
    let count = fields.u32()?;
    let has = |flag: u32| flags & flag != 0;
    let mut out = Writer::new();
    let new_flags = if scale.is_some() { flags | 0x100 } else { flags };
    out.u8(version).u24(new_flags).u32(count);
    if has(0x01) {
        let offset = i64::from(fields.u32()? as i32) + moved;
        out.u32(i32::try_from(offset).context("data too far away")? as u32);
    }
    if has(0x04) {
        out.u32(fields.u32()?);
    }
    let Some(scale) = scale else {
        out.bytes(fields.rest());
        return Ok(out.done());
    };
    for _ in 0..count {
        let duration = if has(0x100) { fields.u32()? } else { given.duration };
        let end = *clock + u64::from(duration);
        out.u32(u32::try_from(scaled(end, scale) - scaled(*clock, scale))?);
        *clock = end;
        for flag in [0x200, 0x400] {
            if has(flag) {
                out.u32(fields.u32()?);
            }
        }
        if has(0x800) {
            let offset = fields.u32()? as i32;
            let size = scaled(offset.unsigned_abs().into(), scale) as i32;
            out.u32((if offset < 0 { -size } else { size }) as u32);
        }
    }
    Ok(out.done())
}

/// Where boxes were and are, from the start of the `moof`.
#[derive(Default)]
struct Places(Vec<(usize, usize)>);

impl Places {
    fn note(&mut self, old: usize, new: usize) {
        self.0.push((old, new));
    }

    /// The content of a `saio` whose targets have moved (ISO/IEC 14496-12 8.7.9).
    fn follow(&self, content: &[u8]) -> Result<Vec<u8>> {
        let mut fields = Fields::new(content);
        let (version, flags) = fields.full()?;
        let mut out = Writer::new();
        out.u8(version).u24(flags);
        if flags & 1 != 0 {
            out.bytes(fields.take(8)?);
        }
        let count = fields.u32()?;
        out.u32(count);
        for _ in 0..count {
            let offset = fields.time(version)?;
            let within = self.0.iter().filter(|(old, _)| *old as u64 <= offset).max_by_key(|(old, _)| *old);
            let offset = within.map_or(offset, |(old, new)| offset - *old as u64 + *new as u64);
            if version == 0 {
                out.u32(u32::try_from(offset)?)
            } else {
                out.u64(offset)
            };
        }
        Ok(out.done())
    }
}

type Child<'a> = ([u8; 4], usize, &'a [u8]);

/// Type, place and bytes of each box in `content`.
fn children(content: &[u8]) -> Result<Vec<Child<'_>>> {
    let mut found = Vec::new();
    let mut at = 0;
    for child in Boxes::new(content) {
        let (kind, _) = child?;
        let rest = content.get(at..).context("boxes")?;
        let head = boxes::head(rest, rest.len() as u64)?;
        found.push((kind, at, rest.get(..head.size as usize).context("boxes")?));
        at += head.size as usize;
    }
    Ok(found)
}
