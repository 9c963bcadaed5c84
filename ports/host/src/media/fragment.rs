//! One `moof`: whose it is, when it starts, how long it lasts, where its samples lie (ISO/IEC 14496-12 8.8, [MS-SSTR]
//! 2.2.4).

use anyhow::{Context, Result, ensure};

use super::boxes::{Boxes, Fields, need};

pub const TFXD: [u8; 16] =
    [0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44, 0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2];

/// What one `traf` of a `moof` says about itself, in its track's ticks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traf {
    pub track: u32,
    /// Decode time by `tfdt`.
    pub decode: Option<u64>,
    /// Time and duration by `tfxd`.
    pub absolute: Option<(u64, u64)>,
    /// Sum of the sample durations; 0 when no sample names one.
    pub duration: u64,
    /// Composition offset of the first sample.
    pub first_offset: i32,
    pub samples: u64,
}

/// Reads the content of a `moof` box: its tracks in their order; `default` is a track's sample duration by `trex`.
pub fn parse(moof: &[u8], default: impl Fn(u32) -> u32) -> Result<Vec<Traf>> {
    let mut found = Vec::new();
    for child in Boxes::new(moof) {
        let (kind, content) = child?;
        if &kind == b"traf" {
            found.push(parse_traf(content, &default)?);
        }
    }
    ensure!(!found.is_empty(), "moof has no traf box");
    Ok(found)
}

fn parse_traf(traf: &[u8], default: impl Fn(u32) -> u32) -> Result<Traf> {
    let mut tfhd = Fields::new(need(traf, &[b"tfhd"])?);
    let (_, flags) = tfhd.full()?;
    let track = tfhd.u32()?;
    for (flag, len) in [(0x01, 8), (0x02, 4)] {
        if flags & flag != 0 {
            tfhd.take(len)?;
        }
    }
    let sample = if flags & 0x08 != 0 { tfhd.u32()? } else { default(track) };

    let mut found = Traf { track, ..Traf::default() };
    let mut first = true;
    for child in Boxes::new(traf) {
        let (kind, content) = child?;
        let mut fields = Fields::new(content);
        match &kind {
            b"tfdt" => {
                let (version, _) = fields.full()?;
                found.decode = Some(fields.time(version)?);
            }
            b"uuid" if content.starts_with(&TFXD) => {
                fields.take(16)?;
                let (version, _) = fields.full()?;
                found.absolute = Some((fields.time(version)?, fields.time(version)?));
            }
            b"trun" => {
                found.samples += u64::from(Fields::new(content.get(4..).unwrap_or(&[])).u32()?);
                let (duration, offset) = run(fields, sample)?;
                found.duration = found.duration.saturating_add(duration);
                if first {
                    found.first_offset = offset;
                    first = false;
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The duration of a `trun` and the composition offset of its first sample.
fn run(mut fields: Fields, sample: u32) -> Result<(u64, i32)> {
    let (_, flags) = fields.full()?;
    let count = fields.u32()?;
    for flag in [0x01, 0x04] {
        if flags & flag != 0 {
            fields.u32()?;
        }
    }
    let has = |flag: u32| flags & flag != 0;
    let width = [0x100, 0x200, 0x400, 0x800].into_iter().filter(|flag| has(*flag)).count() * 4;
    if width == 0 {
        return Ok((u64::from(count) * u64::from(sample), 0));
    }
    ensure!(fields.rest().len() / width >= count as usize, "trun names {count} samples and holds fewer");
    let (mut duration, mut offset) = (0, 0);
    for index in 0..count {
        duration += u64::from(if has(0x100) { fields.u32()? } else { sample });
        for flag in [0x200, 0x400] {
            if has(flag) {
                fields.u32()?;
            }
        }
        if has(0x800) {
            let value = fields.u32()? as i32;
            if index == 0 {
                offset = value;
            }
        }
    }
    Ok((duration, offset))
}

/// Whether a `moof` is of several tracks, or places its data by the start of the file.
pub fn is_shared(moof: &[u8]) -> Result<bool> {
    let mut trafs = 0;
    for child in Boxes::new(moof) {
        let (kind, content) = child?;
        if &kind == b"traf" {
            trafs += 1;
            let (_, flags) = Fields::new(need(content, &[b"tfhd"])?).full()?;
            if flags & 0x01 != 0 {
                return Ok(true);
            }
        }
    }
    Ok(trafs > 1)
}

/// One access unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Bytes from the start of the file.
    pub at: u64,
    pub size: u32,
    /// Ticks.
    pub duration: u32,
    pub flags: u32,
    /// Ticks.
    pub composition: i32,
}

/// What samples have when neither `traf` nor `trun` says: the fields of `trex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    pub duration: u32,
    pub size: u32,
    pub flags: u32,
}

/// The samples of `track` in the content of a `moof` that lies at `at` of its file.
pub fn samples(moof: &[u8], track: u32, defaults: impl Fn(u32) -> Defaults, at: u64) -> Result<Vec<Sample>> {
    let mut found = None;
    // Where the data of the next traf starts if it does not say.
    let mut next = at;
    for child in Boxes::new(moof) {
        let (kind, content) = child?;
        if &kind != b"traf" {
            continue;
        }
        let (id, samples, end) = traf_samples(content, &defaults, at, next)?;
        next = end;
        if id == track {
            ensure!(found.replace(samples).is_none(), "two traf boxes of track {track}");
        }
    }
    found.with_context(|| format!("no traf of track {track}"))
}

/// Track, samples, and where the last one ends.
fn traf_samples(
    traf: &[u8],
    defaults: impl Fn(u32) -> Defaults,
    moof: u64,
    next: u64,
) -> Result<(u32, Vec<Sample>, u64)> {
    let mut tfhd = Fields::new(need(traf, &[b"tfhd"])?);
    let (_, flags) = tfhd.full()?;
    let track = tfhd.u32()?;
    let base = match flags {
        _ if flags & 0x01 != 0 => tfhd.u64()?,
        _ if flags & 0x2_0000 != 0 => moof,
        _ => next,
    };
    if flags & 0x02 != 0 {
        tfhd.u32()?;
    }
    let mut given = defaults(track);
    for (flag, field) in [(0x08, &mut given.duration), (0x10, &mut given.size), (0x20, &mut given.flags)] {
        if flags & flag != 0 {
            *field = tfhd.u32()?;
        }
    }
    let (mut samples, mut at) = (Vec::new(), base);
    for child in Boxes::new(traf) {
        let (kind, content) = child?;
        if &kind != b"trun" {
            continue;
        }
        let mut trun = Fields::new(content);
        let (_, flags) = trun.full()?;
        let has = |flag: u32| flags & flag != 0;
        let count = trun.u32()?;
        if has(0x01) {
            at = base.checked_add_signed((trun.u32()? as i32).into()).context("data before the file")?;
        }
        let mut first = if has(0x04) { Some(trun.u32()?) } else { None };
        let width = [0x100, 0x200, 0x400, 0x800].into_iter().filter(|flag| has(*flag)).count() * 4;
        ensure!(
            count as usize <= trun.rest().len() / width.max(1) && (width > 0 || count <= 65_536),
            "trun count"
        );
        for _ in 0..count {
            let mut field = |flag, other| if has(flag) { trun.u32() } else { Ok(other) };
            let (duration, size) = (field(0x100, given.duration)?, field(0x200, given.size)?);
            let (flags, composition) = (field(0x400, first.take().unwrap_or(given.flags))?, field(0x800, 0)?);
            samples.push(Sample { at, size, duration, flags, composition: composition as i32 });
            at = at.checked_add(size.into()).context("samples past any end")?;
        }
    }
    Ok((track, samples, at))
}
