//! Sample entries (`avc1`, `hvc1`, `mp4a` ...) turned into what a QualityLevel says: FourCC, CodecPrivateData, format.

use anyhow::{Context, Result, bail, ensure};

use super::boxes::{Fields, find, name, need};

/// What a QualityLevel says about its codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    pub four_cc: &'static str,
    /// CodecPrivateData: start-coded parameter sets, or an AudioSpecificConfig.
    pub private_data: Vec<u8>,
    pub shape: Shape,
    /// Mean bits per second by the file's own account, if it gives one.
    pub bitrate: Option<u64>,
}

/// The format of the decoded media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Coded size in pixels and the bytes of a NAL unit's length.
    Video { width: u32, height: u32, nal_length: u8 },
    /// Hertz, channels, bits of a decoded sample, WAVEFORMATEX block alignment, WAVE format tag.
    Audio { rate: u32, channels: u16, bits: u16, packet: u16, tag: u16 },
}

/// Reads the first sample entry of an `stsd` box.
pub fn from_stsd(stsd: &[u8]) -> Result<Codec> {
    let mut fields = Fields::new(stsd);
    fields.take(8)?;
    let entry = fields.rest();
    let head = super::boxes::head(entry, entry.len() as u64)?;
    let body = &entry[head.len as usize..head.size as usize];
    let kind = match &head.kind {
        b"encv" => original(body, VIDEO_FIELDS)?,
        b"enca" => original(body, AUDIO_FIELDS)?,
        kind => *kind,
    };
    let codec = match &kind {
        b"avc1" | b"avc3" => video(body, b"avcC", "H264", avc_sets),
        b"hvc1" | b"hev1" => video(body, b"hvcC", "HVC1", hevc_sets),
        b"mp4a" => aac(body),
        kind => bail!("sample entry {}: not a codec this command knows", name(*kind)),
    };
    codec.with_context(|| format!("sample entry {}", name(head.kind)))
}

/// Bytes of a sample entry before its boxes.
pub const VIDEO_FIELDS: usize = 78;
pub const AUDIO_FIELDS: usize = 28;

/// What a protected sample entry was before (`frma`, ISO/IEC 14496-12 8.12.2).
fn original(body: &[u8], fields: usize) -> Result<[u8; 4]> {
    let frma = need(body.get(fields..).context("sample entry cut short")?, &[b"sinf", b"frma"])?;
    Fields::new(frma).array()
}

type Sets = fn(&[u8]) -> Result<(Vec<u8>, u8)>;

fn video(body: &[u8], config: &[u8; 4], four_cc: &'static str, sets: Sets) -> Result<Codec> {
    let mut fields = Fields::new(body);
    fields.take(24)?;
    let (width, height) = (fields.u16()?.into(), fields.u16()?.into());
    fields.take(50)?;
    let children = fields.rest();
    let config = find(children, config)?.with_context(|| format!("no {} box", name(*config)))?;
    let (private_data, nal_length) = sets(config)?;
    let bitrate = match find(children, b"btrt")? {
        Some(btrt) => {
            let mut fields = Fields::new(btrt);
            fields.take(4)?;
            declared(fields.u32()?, fields.u32()?)
        }
        None => None,
    };
    Ok(Codec { four_cc, private_data, shape: Shape::Video { width, height, nal_length }, bitrate })
}

/// The mean bitrate where it is given, else the greatest.
fn declared(max: u32, mean: u32) -> Option<u64> {
    [mean, max].into_iter().find(|rate| *rate != 0).map(u64::from)
}

/// The start-coded parameter sets of an `avcC` box (ISO/IEC 14496-15 5.3.3.1).
fn avc_sets(avcc: &[u8]) -> Result<(Vec<u8>, u8)> {
    let mut fields = Fields::new(avcc);
    let [version, _, _, _, lengths] = fields.array()?;
    ensure!(version == 1, "avcC version {version}");
    let mut sets = Vec::new();
    let count = fields.u8()? & 0x1f;
    start_code(&mut fields, count.into(), &mut sets)?;
    let count = fields.u8()?;
    start_code(&mut fields, count.into(), &mut sets)?;
    Ok((sets, (lengths & 3) + 1))
}

/// The start-coded parameter sets of an `hvcC` box (ISO/IEC 14496-15 8.3.3.1).
fn hevc_sets(hvcc: &[u8]) -> Result<(Vec<u8>, u8)> {
    let mut fields = Fields::new(hvcc);
    fields.take(21)?;
    let lengths = fields.u8()?;
    let mut sets = Vec::new();
    for _ in 0..fields.u8()? {
        fields.u8()?;
        let count = fields.u16()?;
        start_code(&mut fields, count, &mut sets)?;
    }
    Ok((sets, (lengths & 3) + 1))
}

fn start_code(fields: &mut Fields, count: u16, sets: &mut Vec<u8>) -> Result<()> {
    for _ in 0..count {
        let len = fields.u16()?.into();
        sets.extend_from_slice(&[0, 0, 0, 1]);
        sets.extend_from_slice(fields.take(len)?);
    }
    Ok(())
}

fn aac(body: &[u8]) -> Result<Codec> {
    let mut fields = Fields::new(body);
    fields.take(8)?;
    ensure!(fields.u16()? == 0, "QuickTime sound description");
    fields.take(6)?;
    let (entry_channels, bits) = (fields.u16()?, fields.u16()?);
    fields.take(4)?;
    let entry_rate = fields.u32()? >> 16;
    let esds = find(fields.rest(), b"esds")?.context("no esds box")?;
    let (config, bitrate) = descriptors(esds)?;
    let (object, rate, channels) = audio_config(&config).context("AudioSpecificConfig")?;
    let four_cc = match object {
        5 => "AACH",
        29 => "AACP",
        _ => "AACL",
    };
    let rate = if rate == 0 { entry_rate } else { rate };
    let channels = if channels == 0 { entry_channels } else { channels };
    let bits = if bits == 0 { 16 } else { bits };
    let packet = channels.saturating_mul(bits / 8);
    let shape = Shape::Audio { rate, channels, bits, packet, tag: 255 };
    Ok(Codec { four_cc, private_data: config, shape, bitrate })
}

/// The AudioSpecificConfig and bitrate of an `esds` box (ISO/IEC 14496-1 7.2.6).
fn descriptors(esds: &[u8]) -> Result<(Vec<u8>, Option<u64>)> {
    let mut fields = Fields::new(esds);
    fields.full()?;
    let mut es = descriptor(&mut fields, 3)?;
    es.u16()?;
    let flags = es.u8()?;
    if flags & 0x80 != 0 {
        es.u16()?;
    }
    if flags & 0x40 != 0 {
        let len = es.u8()?.into();
        es.take(len)?;
    }
    if flags & 0x20 != 0 {
        es.u16()?;
    }
    let mut decoder = descriptor(&mut es, 4)?;
    let object = decoder.u8()?;
    ensure!(object == 0x40, "object type {object:#04x} is not AAC");
    decoder.take(4)?;
    let bitrate = declared(decoder.u32()?, decoder.u32()?);
    let config = descriptor(&mut decoder, 5)?;
    Ok((config.rest().to_vec(), bitrate))
}

fn descriptor<'a>(fields: &mut Fields<'a>, tag: u8) -> Result<Fields<'a>> {
    let found = fields.u8()?;
    ensure!(found == tag, "descriptor {found} where {tag} belongs");
    let mut len = 0;
    for _ in 0..4 {
        let byte = fields.u8()?;
        len = len << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(Fields::new(fields.take(len)?))
}

const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Object type, sampling rate and channels of an AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1); 0 where it names none.
fn audio_config(config: &[u8]) -> Result<(u8, u32, u16)> {
    let mut bits = Fields::new(config);
    let first = bits.u16()?;
    let object = (first >> 11) as u8;
    ensure!(object != 31, "extended object type");
    let index = usize::from(first >> 7 & 15);
    if index == 15 {
        // 24 bits of rate and 4 of channels follow the 9 bits read.
        let tail = bits.uint(3)?;
        let rate = u64::from(first & 0x7f) << 17 | tail >> 7;
        return Ok((object, rate as u32, (tail >> 3 & 15) as u16));
    }
    let rate = RATES.get(index).copied().unwrap_or(0);
    let channels = match first >> 3 & 15 {
        7 => 8,
        count => count,
    };
    Ok((object, rate, channels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_names_rate_and_channels() {
        assert_eq!(audio_config(&[0x11, 0x90]).unwrap(), (2, 48_000, 2));
        assert_eq!(audio_config(&[0x12, 0x10]).unwrap(), (2, 44_100, 2));
        // Index 15: rate 37,800 in 24 bits, one channel.
        let bits: u64 = 2 << 35 | 15 << 31 | 37_800 << 7 | 1 << 3;
        assert_eq!(audio_config(&bits.to_be_bytes()[3..]).unwrap(), (2, 37_800, 1));
        assert!(audio_config(&[0x11]).is_err());
    }

    #[test]
    fn parameter_sets_get_start_codes() {
        let avcc = [1, 0x4d, 0, 30, 0xff, 0xe1, 0, 2, 0x67, 0xaa, 1, 0, 1, 0x68];
        let (sets, nal_length) = avc_sets(&avcc).unwrap();
        assert_eq!(sets, [0, 0, 0, 1, 0x67, 0xaa, 0, 0, 0, 1, 0x68]);
        assert_eq!(nal_length, 4);
        assert!(avc_sets(&avcc[..13]).is_err(), "a set cut short");
    }
}
