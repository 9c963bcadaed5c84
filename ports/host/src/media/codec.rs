//! Sample entries (`avc1`, `hvc1`, `mp4a` ...) turned into what a QualityLevel says: FourCC, CodecPrivateData, format.

use anyhow::{Context, Result, bail, ensure};

use super::boxes::{Fields, find, name, need};

/// What a QualityLevel says about its codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    pub four_cc: &'static str,
    /// CodecPrivateData: start-coded parameter sets or headers, an AudioSpecificConfig, a WAVEFORMATEX, or what EC-3 has.
    pub private_data: Vec<u8>,
    pub shape: Shape,
    /// Mean bits per second by the file's own account, if it gives one.
    pub bitrate: Option<u64>,
}

/// Documents of timed text, which need no set-up.
fn timed_text(four_cc: &'static str) -> Codec {
    Codec { four_cc, private_data: Vec::new(), shape: Shape::Text, bitrate: None }
}

/// The format of the decoded media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Coded size in pixels and the bytes of a NAL unit's length.
    Video {
        width: u32,
        height: u32,
        nal_length: u8,
    },
    /// Hertz, channels, bits of a decoded sample, WAVEFORMATEX block alignment, WAVE format tag.
    Audio {
        rate: u32,
        channels: u16,
        bits: u16,
        packet: u16,
        tag: u16,
    },
    Text,
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
        b"hvc1" => video(body, b"hvcC", "HVC1", hevc_sets),
        b"hev1" => video(body, b"hvcC", "HEV1", hevc_sets),
        b"vc-1" | b"ovc1" => video(body, b"dvc1", "WVC1", vc1_headers),
        b"mp4a" => mp4a(body),
        b"ac-3" => dolby(body, b"dac3", "AC-3", ac3),
        b"ec-3" => dolby(body, b"dec3", "EC-3", eac3),
        b"wma " | b"owma" => wave(body),
        b"sowt" | b"ipcm" => pcm(body),
        b"stpp" => Ok(timed_text("TTML")),
        b"dfxp" => Ok(timed_text("DFXP")),
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

/// Sequence header and entry point of a `dvc1` box (SMPTE RP 2025), behind the byte that manifests have before them.
fn vc1_headers(dvc1: &[u8]) -> Result<(Vec<u8>, u8)> {
    let start = dvc1.windows(4).position(|code| code == [0, 0, 1, 0x0f]).context("no sequence header")?;
    // Samples of VC-1 have no NAL units; 4 is what a manifest need not say.
    Ok(([&[0x25], &dvc1[start..]].concat(), 4))
}

/// The numbers of a sound entry (ISO/IEC 14496-12 12.2.3), or of QuickTime's first version, and the boxes in it.
struct Sound<'a> {
    channels: u16,
    bits: u16,
    rate: u32,
    children: &'a [u8],
}

fn sound(body: &[u8]) -> Result<Sound<'_>> {
    let mut fields = Fields::new(body);
    fields.take(8)?;
    let version = fields.u16()?;
    ensure!(version < 2, "QuickTime sound description {version}");
    fields.take(6)?;
    let (channels, bits) = (fields.u16()?, fields.u16()?);
    fields.take(4)?;
    let rate = fields.u32()? >> 16;
    fields.take(16 * usize::from(version))?;
    Ok(Sound { channels, bits: if bits == 0 { 16 } else { bits }, rate, children: fields.rest() })
}

fn mp4a(body: &[u8]) -> Result<Codec> {
    let sound = sound(body)?;
    let esds = find(sound.children, b"esds")?.context("no esds box")?;
    let (object, config, bitrate) = descriptors(esds)?;
    if matches!(object, 0x69 | 0x6b) {
        // MP3: an origin that has no name for it says so in the tag.
        let Sound { rate, channels, bits, .. } = sound;
        let shape = Shape::Audio { rate, channels, bits, packet: 1, tag: 0x55 };
        return Ok(Codec { four_cc: "MP3", private_data: Vec::new(), shape, bitrate });
    }
    let (object, rate, channels) = audio_config(&config).context("AudioSpecificConfig")?;
    let four_cc = match object {
        5 => "AACH",
        29 => "AACP",
        _ => "AACL",
    };
    let rate = if rate == 0 { sound.rate } else { rate };
    let channels = if channels == 0 { sound.channels } else { channels };
    let packet = channels.saturating_mul(sound.bits / 8);
    let shape = Shape::Audio { rate, channels, bits: sound.bits, packet, tag: 255 };
    Ok(Codec { four_cc, private_data: config, shape, bitrate })
}

type Dolby = fn(&[u8]) -> Result<(Vec<u8>, u16, u16)>;

fn dolby(body: &[u8], config: &[u8; 4], four_cc: &'static str, read: Dolby) -> Result<Codec> {
    let Sound { channels, rate, bits, children } = sound(body)?;
    let config = find(children, config)?.with_context(|| format!("no {} box", name(*config)))?;
    let (private_data, tag, kilobits) = read(config)?;
    // A sync frame holds 1,536 samples: 32 ms at the usual rate.
    let packet = kilobits.saturating_mul(4);
    let shape = Shape::Audio { rate, channels, bits, packet, tag };
    Ok(Codec { four_cc, private_data, shape, bitrate: Some(u64::from(kilobits) * 1000) })
}

/// The payload of `dac3` (ETSI TS 102 366 F.4) as it is.
fn ac3(dac3: &[u8]) -> Result<(Vec<u8>, u16, u16)> {
    const KILOBITS: [u16; 19] =
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
    let code = Fields::new(dac3).uint(3)? >> 5 & 31;
    let kilobits = *KILOBITS.get(code as usize).context("bit rate code")?;
    Ok((dac3.to_vec(), 0x2000, kilobits))
}

/// The payload of `dec3` (ETSI TS 102 366 F.6) behind the tail of a WAVEFORMATEXTENSIBLE: samples of a block, channel
/// mask, sub-format A7FB87AF-2D02-42FB-A4D4-05CD93843BDD.
fn eac3(dec3: &[u8]) -> Result<(Vec<u8>, u16, u16)> {
    const SUB_FORMAT: [u8; 16] =
        [0xaf, 0x87, 0xfb, 0xa7, 0x02, 0x2d, 0xfb, 0x42, 0xa4, 0xd4, 0x05, 0xcd, 0x93, 0x84, 0x3b, 0xdd];
    let kilobits = Fields::new(dec3).u16()? >> 3;
    Ok(([&[0, 6, 3, 0, 0, 0], &SUB_FORMAT[..], dec3].concat(), 0xfffe, kilobits))
}

/// Little-endian samples: what a WAVEFORMATEX would say is in the numbers.
fn pcm(body: &[u8]) -> Result<Codec> {
    let Sound { channels, rate, bits, .. } = sound(body)?;
    let packet = channels.saturating_mul(bits / 8);
    let shape = Shape::Audio { rate, channels, bits, packet, tag: 1 };
    let bitrate = Some(u64::from(rate) * u64::from(packet) * 8);
    Ok(Codec { four_cc: "PCM", private_data: Vec::new(), shape, bitrate })
}

/// WMA: a WAVEFORMATEX in a `wfex` box.
fn wave(body: &[u8]) -> Result<Codec> {
    let children = sound(body)?.children;
    let format = find(children, b"wfex")?.context("no wfex box")?;
    let number = |at: usize| {
        format
            .get(at..at + 2)
            .map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
            .context("WAVEFORMATEX cut short")
    };
    let (tag, channels, packet, bits) = (number(0)?, number(2)?, number(12)?, number(14)?);
    let wide = |at: usize| Ok::<_, anyhow::Error>(u32::from(number(at + 2)?) << 16 | u32::from(number(at)?));
    let (rate, bytes_per_second) = (wide(4)?, wide(8)?);
    let four_cc = match tag {
        0x160 | 0x161 | 0x163 => "WMA2",
        0x162 => "WMAP",
        _ => bail!("WAVE format tag {tag:#06x}"),
    };
    let shape = Shape::Audio { rate, channels, bits, packet, tag };
    Ok(Codec {
        four_cc,
        private_data: format.to_vec(),
        shape,
        bitrate: declared(0, bytes_per_second.saturating_mul(8)),
    })
}

/// The object type, AudioSpecificConfig and bitrate of an `esds` box (ISO/IEC 14496-1 7.2.6).
fn descriptors(esds: &[u8]) -> Result<(u8, Vec<u8>, Option<u64>)> {
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
    ensure!(
        matches!(object, 0x40 | 0x66..=0x69 | 0x6b),
        "object type {object:#04x} is neither AAC nor MPEG audio"
    );
    decoder.take(4)?;
    let bitrate = declared(decoder.u32()?, decoder.u32()?);
    if matches!(object, 0x69 | 0x6b) {
        return Ok((object, Vec::new(), bitrate));
    }
    let config = descriptor(&mut decoder, 5)?;
    Ok((object, config.rest().to_vec(), bitrate))
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
