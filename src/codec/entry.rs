//! Configuration bytes for decoders, and for sample entries of MP4 in both directions.
//!
//! ISO/IEC 14496-12 8.5.2 (sample entries), 14496-14 5.6 and 14496-1 7.2.6 (`esds`), 14496-15 (`avcC`, `hvcC`), ETSI
//! TS 102 366 annex F (`dac3`, `dec3`), SMPTE RP 2025 (`dvc1`), ISO/IEC 23003-5 (`pcmC`).

use super::bits::Bits;
use super::nal::{Lack, lack};
use super::wma::{WaveFormat, tag};
use super::{ALL, Codec, CodecConfig, Description, FourCc, Framing, Kind, aac, h264, h265, text, vc1};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes};

/// Object type indications of `esds`: MPEG-4 audio, MPEG-2 AAC, MPEG-2 and MPEG-1 audio, AC-3, EC-3.
const OBJECT_MPEG4: u8 = 0x40;
const OBJECT_MP3: u8 = 0x6B;

/// Appends what a decoder port is set up with, in the form its framing wants: parameter sets of H.264 and H.265 in
/// byte stream form, or `avcC` and `hvcC`; the AudioSpecificConfig; a WAVEFORMATEX of WMA, MPEG audio and PCM; the
/// payload of `dac3` or `dec3`; the headers of VC-1; the private bytes of any other codec. Nothing is appended where
/// the configuration is in band alone.
///
/// # Errors
/// [`Code::CodecConfig`] when there are more parameter sets than a record can count, [`Code::Budget`] or
/// [`Code::NoMemory`]; nothing is appended then.
pub fn record(config: &CodecConfig, framing: Framing, account: &mut Account, out: &mut Bytes) -> Result<()> {
    let start = out.len();
    let done = match (config.codec, framing) {
        (Codec::H264 | Codec::H265, Framing::LengthPrefixed) if lack(config) == Lack::Essential => Ok(()),
        (Codec::H264, Framing::LengthPrefixed) => h264::avcc(config, account, out),
        (Codec::H265, Framing::LengthPrefixed) if ALL => h265::hvcc(config, account, out),
        _ => out.extend(account, &config.private),
    };
    if done.is_err() {
        out.truncate(start);
    }
    done
}

/// The names of a sample entry and of the box in it that holds the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryNames {
    /// The sample entry: `avc1`, `mp4a` ...
    pub entry: [u8; 4],
    /// The box: `avcC`, `esds` ... `None` when what goes with it stands in the entry itself, or nothing does.
    pub config: Option<[u8; 4]>,
}

/// Names the sample entry of `config`, and appends the payload of its configuration box to `out`: everything behind
/// the box header, version and flags included where it has them. Without a box, what is appended follows the common
/// fields of the entry. `bitrate` is that of the level in bit/s; 0 when it is not known.
///
/// # Errors
/// [`Code::CodecConfig`] when H.264 or H.265 lacks parameter sets, [`Code::Budget`] or [`Code::NoMemory`]; nothing is
/// appended then.
pub fn sample_entry(
    config: &CodecConfig,
    bitrate: u32,
    account: &mut Account,
    out: &mut Bytes,
) -> Result<EntryNames> {
    let start = out.len();
    let mut append = |bytes: &[u8]| out.extend(account, bytes);
    let (entry, name, done): (_, &[u8; 4], _) = match config.codec {
        Codec::H264 => (b"avc1", b"avcC", h264::avcc(config, account, out)),
        Codec::H265 => {
            let entry = if h265::is_complete(config) { b"hvc1" } else { b"hev1" };
            (entry, b"hvcC", h265::hvcc(config, account, out))
        }
        Codec::Vc1 => (b"vc-1", b"dvc1", vc1::dvc1(config, account, out)),
        Codec::Aac => {
            (b"mp4a", b"esds", esds(OBJECT_MPEG4, &config.private, config.channels, bitrate, account, out))
        }
        Codec::MpegAudio => (b"mp4a", b"esds", esds(OBJECT_MP3, &[], config.channels, bitrate, account, out)),
        Codec::Wma | Codec::WmaPro => (b"wma ", b"wfex", append(&config.private)),
        Codec::Ac3 => (b"ac-3", b"dac3", append(&config.private)),
        Codec::Eac3 => (b"ec-3", b"dec3", append(&config.private)),
        // Version and flags; little-endian.
        Codec::Pcm => (b"ipcm", b"pcmC", append(&[0, 0, 0, 0, 1, config.bits_per_sample as u8])),
        Codec::Ttml => (b"stpp", b"    ", append(text::ENTRY)),
        Codec::Other => (&config.fourcc.0, b"    ", Ok(())),
    };
    let config = (name != b"    ").then_some(*name);
    match done {
        Ok(()) => Ok(EntryNames { entry: *entry, config }),
        Err(e) => {
            out.truncate(start);
            Err(e)
        }
    }
}

/// ISO/IEC 14496-1 7.2.6.5: elementary stream, decoder and decoder-specific descriptors, as long as they need be.
fn esds(
    object: u8,
    specific: &[u8],
    channels: u16,
    bitrate: u32,
    account: &mut Account,
    out: &mut Bytes,
) -> Result<()> {
    let private = if specific.is_empty() { 0 } else { descriptor_bytes(specific.len()) };
    let decoder = private.saturating_add(13);
    out.extend(account, &[0, 0, 0, 0])?;
    // Identity and flags; 3 bytes of synchronisation layer at the end.
    descriptor(3, descriptor_bytes(decoder).saturating_add(6), account, out)?;
    out.extend(account, &[0, 0, 0])?;
    descriptor(4, decoder, account, out)?;
    // Audio; 6,144 bits of buffer for each channel.
    let buffer = u32::from(channels).saturating_mul(768).min(0xFF_FFFF).to_be_bytes();
    let [_, b0, b1, b2] = buffer;
    out.extend(account, &[object, 0x15, b0, b1, b2])?;
    out.extend(account, &bitrate.to_be_bytes())?;
    out.extend(account, &bitrate.to_be_bytes())?;
    if !specific.is_empty() {
        descriptor(5, specific.len(), account, out)?;
        out.extend(account, specific)?;
    }
    out.extend(account, &[6, 1, 2])
}

/// Bytes of a descriptor with its head.
const fn descriptor_bytes(content: usize) -> usize {
    content.saturating_add(if content < 0x80 {
        2
    } else if content < 0x4000 {
        3
    } else {
        4
    })
}

/// The head of a descriptor: tag and length, seven bits a byte. Configurations end far below 2^21 bytes.
fn descriptor(tag: u8, len: usize, account: &mut Account, out: &mut Bytes) -> Result<()> {
    out.push(account, tag)?;
    for shift in [14u32, 7] {
        if len >> shift > 0 {
            out.push(account, 0x80 | (len >> shift) as u8 & 0x7F)?;
        }
    }
    out.push(account, len as u8 & 0x7F)
}

/// The numbers of a sample entry; zero where it has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryNumbers {
    /// What the track carries.
    pub kind: Kind,
    /// Coded width in pixels.
    pub width: u32,
    /// Coded height in pixels.
    pub height: u32,
    /// Channels.
    pub channels: u16,
    /// Bits of a sample of sound.
    pub bits_per_sample: u16,
    /// Hertz.
    pub sampling_rate: u32,
    /// Bits a second by the file's own account.
    pub bitrate: u32,
}

/// The decoder set-up that a sample entry of a file stands for: `entry` is its name (the original format where it is
/// protected), `config_box` the payload of its configuration box (`avcC`, `hvcC`, `esds`, `dac3`, `dec3`, `wfex`,
/// `dvc1`), empty when it has none.
///
/// # Errors
/// As [`CodecConfig::from_description`].
pub fn from_sample_entry(
    entry: [u8; 4],
    config_box: &[u8],
    numbers: &EntryNumbers,
    account: &mut Account,
    limits: &Limits,
) -> Result<CodecConfig> {
    let mut d = Description {
        sampling_rate: numbers.sampling_rate,
        channels: numbers.channels,
        bits_per_sample: numbers.bits_per_sample,
        width: numbers.width,
        height: numbers.height,
        bitrate: numbers.bitrate,
        private: config_box,
        ..Description::new(numbers.kind)
    };
    let mut name = entry;
    match &entry {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => name = *b"H264",
        b"vc-1" | b"ovc1" | b"wvc1" => name = *b"WVC1",
        b"wma " | b"owma" => {
            // Without a WAVEFORMATEX, the professional kind.
            let wave = WaveFormat::whole(config_box);
            d.audio_tag = wave.map_or(tag::WMA_PRO, |w| w.tag);
            name = if (tag::WMA1..=tag::WMA2).contains(&d.audio_tag) { *b"WMA2" } else { *b"WMAP" };
        }
        b".mp3" => name = *b"MP3 ",
        b"ipcm" | b"sowt" => (name, d.private) = (*b"PCM ", &[]),
        b"stpp" => (name, d.private) = (*b"TTML", &[]),
        b"mp4a" => {
            let (object, specific) = if config_box.is_empty() {
                (OBJECT_MPEG4, config_box)
            } else {
                descriptors(config_box).ok_or(Error::at(Code::CodecConfig, "esds", 0))?
            };
            d.private = specific;
            (name, d.audio_tag) = match object {
                OBJECT_MPEG4 | 0x66..=0x68 => (*b"AACL", tag::RAW_AAC),
                0x69 | OBJECT_MP3 => (*b"MP3 ", tag::MP3),
                0xA5 => (*b"AC-3", 0),
                0xA6 => (*b"EC-3", 0),
                0xA9 => (*b"dtsc", 0),
                _ => (entry, 0),
            };
            if name == *b"AACL" {
                name = aac::name_of(specific);
            }
        }
        _ => {}
    }
    d.fourcc = Some(FourCc(name));
    CodecConfig::from_description(account, &d, limits)
}

/// Object type and decoder-specific bytes of the payload of an `esds` box.
fn descriptors(payload: &[u8]) -> Option<(u8, &[u8])> {
    let mut bits = Bits::new(payload);
    bits.skip(32)?;
    open_descriptor(&mut bits, 3)?;
    bits.skip(16)?;
    let flags = bits.bits(8)?;
    if flags & 0x80 != 0 {
        bits.skip(16)?;
    }
    if flags & 0x40 != 0 {
        let url = bits.bits(8)?;
        bits.skip(url.wrapping_mul(8))?;
    }
    if flags & 0x20 != 0 {
        bits.skip(16)?;
    }
    open_descriptor(&mut bits, 4)?;
    let object = bits.bits(8)? as u8;
    bits.skip(12 * 8)?;
    let specific = open_descriptor(&mut bits, 5).and_then(|len| {
        let start = bits.bytes_read();
        payload.get(start..start.saturating_add(len))
    });
    Some((object, specific.unwrap_or(&[])))
}

/// Goes to the content of the descriptor that must come next; its length in bytes.
fn open_descriptor(bits: &mut Bits<'_>, tag: u32) -> Option<usize> {
    if bits.bits(8)? != tag {
        return None;
    }
    let mut len = 0u32;
    for _ in 0..4 {
        let byte = bits.bits(8)?;
        len = len << 7 | byte & 0x7F;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(len as usize)
}
