//! One `moof`: whose it is, when it starts, how long it lasts (ISO/IEC 14496-12 8.8, [MS-SSTR] 2.2.4).

use anyhow::{Result, ensure};

use super::boxes::{Boxes, Fields, need};

const TFXD: [u8; 16] =
    [0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44, 0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2];

/// What one `moof` says about itself, in its track's ticks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moof {
    pub track: u32,
    /// Decode time by `tfdt`.
    pub decode: Option<u64>,
    /// Time and duration by `tfxd`.
    pub absolute: Option<(u64, u64)>,
    /// Sum of the sample durations; 0 when no sample names one.
    pub duration: u64,
    /// Composition offset of the first sample.
    pub first_offset: i32,
}

/// Reads the content of a `moof` box; `default` is the track's sample duration by `trex`.
pub fn parse(moof: &[u8], default: impl Fn(u32) -> u32) -> Result<Moof> {
    let traf = need(moof, &[b"traf"])?;
    let mut tfhd = Fields::new(need(traf, &[b"tfhd"])?);
    let (_, flags) = tfhd.full()?;
    let track = tfhd.u32()?;
    for (flag, len) in [(0x01, 8), (0x02, 4)] {
        if flags & flag != 0 {
            tfhd.take(len)?;
        }
    }
    let sample = if flags & 0x08 != 0 { tfhd.u32()? } else { default(track) };

    let mut found = Moof { track, ..Moof::default() };
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
