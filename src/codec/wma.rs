//! Sound that is set up with a WAVEFORMATEX: WMA, WMA Professional, MPEG audio (MP3) and PCM.
//!
//! The private bytes are a whole WAVEFORMATEX, or only what follows its 18 bytes, or nothing. What comes out is always
//! a whole one, little-endian, with the manifest's numbers where it was not given.

use super::{Codec, CodecConfig, Description};
use crate::error::Result;
use crate::mem::{Account, Bytes};

/// Bytes of a WAVEFORMATEX without its tail.
pub const WAVE_FORMAT_BYTES: usize = 18;

/// WAVE format tags. RFC 2361, and the registry of the format's owner.
pub(super) mod tag {
    pub const PCM: u32 = 1;
    pub const MPEG: u32 = 0x50;
    pub const MP3: u32 = 0x55;
    pub const RAW_AAC: u32 = 0xFF;
    pub const WMA1: u32 = 0x160;
    pub const WMA2: u32 = 0x161;
    pub const WMA_PRO: u32 = 0x162;
    pub const WMA_LOSSLESS: u32 = 0x163;
    pub const AC3: u32 = 0x2000;
    pub const EXTENSIBLE: u32 = 0xFFFE;
}

/// WAVEFORMATEX: the numbers of a sound codec in 18 little-endian bytes and what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaveFormat<'a> {
    /// `wFormatTag`.
    pub tag: u32,
    /// `nChannels`.
    pub channels: u16,
    /// `nSamplesPerSec` in Hz.
    pub rate: u32,
    /// `nAvgBytesPerSec`.
    pub bytes_per_second: u32,
    /// `nBlockAlign` in bytes.
    pub align: u32,
    /// `wBitsPerSample`.
    pub bits: u16,
    /// What follows, as many bytes as `cbSize` says or as are there.
    pub extra: &'a [u8],
}

impl WaveFormat<'_> {
    /// Reads the structure at the start of `bytes`; `None` when they are too few.
    pub fn read(bytes: &[u8]) -> Option<WaveFormat<'_>> {
        let (head, rest) = bytes.split_first_chunk::<WAVE_FORMAT_BYTES>()?;
        let [t0, t1, c0, c1, r0, r1, r2, r3, v0, v1, v2, v3, a0, a1, b0, b1, x0, x1] = *head;
        let extra = usize::from(u16::from_le_bytes([x0, x1]));
        Some(WaveFormat {
            tag: u32::from(u16::from_le_bytes([t0, t1])),
            channels: u16::from_le_bytes([c0, c1]),
            rate: u32::from_le_bytes([r0, r1, r2, r3]),
            bytes_per_second: u32::from_le_bytes([v0, v1, v2, v3]),
            align: u32::from(u16::from_le_bytes([a0, a1])),
            bits: u16::from_le_bytes([b0, b1]),
            extra: rest.get(..extra).unwrap_or(rest),
        })
    }

    /// The structure when `bytes` are a whole one: nothing else tells it from the tail alone.
    pub fn whole(bytes: &[u8]) -> Option<WaveFormat<'_>> {
        let (head, rest) = bytes.split_first_chunk::<WAVE_FORMAT_BYTES>()?;
        let [.., x0, x1] = *head;
        let wave = WaveFormat::read(bytes)?;
        let fits = usize::from(u16::from_le_bytes([x0, x1])) <= rest.len();
        let plausible = fits && known(wave.tag) && wave.channels > 0 && wave.rate > 0;
        plausible.then_some(wave)
    }

    /// Appends the structure.
    fn write(&self, account: &mut Account, out: &mut Bytes) -> Result<()> {
        // The fields are as narrow as the format has them: what does not fit is cut to the largest that does.
        let small = |n: u32| u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes();
        let extra = u16::try_from(self.extra.len()).unwrap_or(u16::MAX);
        for field in [small(self.tag), self.channels.to_le_bytes()] {
            out.extend(account, &field)?;
        }
        out.extend(account, &self.rate.to_le_bytes())?;
        out.extend(account, &self.bytes_per_second.to_le_bytes())?;
        for field in [small(self.align), self.bits.to_le_bytes(), extra.to_le_bytes()] {
            out.extend(account, &field)?;
        }
        out.extend(account, self.extra.get(..usize::from(extra)).unwrap_or(self.extra))
    }
}

/// Tags that begin a WAVEFORMATEX.
fn known(tag: u32) -> bool {
    matches!(
        tag,
        tag::PCM
            | 3
            | tag::MPEG
            | tag::MP3
            | tag::RAW_AAC
            | tag::WMA1..=tag::WMA_LOSSLESS
            | 0x1600..=0x1610
            | tag::AC3
            | tag::EXTENSIBLE
    )
}

/// Fills in what `d` says, and makes the private bytes a whole WAVEFORMATEX.
pub(super) fn configure(config: &mut CodecConfig, account: &mut Account, d: &Description<'_>) -> Result<()> {
    let given = WaveFormat::whole(d.private);
    let mut wave = given.unwrap_or(WaveFormat {
        tag: match (config.codec, d.audio_tag) {
            (Codec::Wma, tag::WMA1 | tag::WMA_LOSSLESS) | (Codec::MpegAudio, tag::MPEG) => d.audio_tag,
            // Its tail is in the private bytes.
            (Codec::WmaPro | Codec::Pcm, tag::EXTENSIBLE) if d.private.len() >= 22 => d.audio_tag,
            (Codec::Wma, _) => tag::WMA2,
            (Codec::WmaPro, _) => tag::WMA_PRO,
            (Codec::MpegAudio, _) => tag::MP3,
            _ => tag::PCM,
        },
        channels: d.channels,
        rate: d.sampling_rate,
        bytes_per_second: d.bitrate / 8,
        align: d.packet_size,
        bits: d.bits_per_sample,
        extra: d.private,
    });
    if given.is_none()
        && config.codec == Codec::WmaPro
        && wave.tag == tag::WMA_PRO
        && let Some([b0, b1, ..]) = d.private.first_chunk::<18>()
        && let bits @ 1..=32 = u16::from_le_bytes([*b0, *b1])
    {
        wave.bits = bits;
    }
    if wave.tag == tag::PCM {
        let frame = u32::from(wave.channels).saturating_mul(u32::from(wave.bits) / 8);
        wave.align = if wave.align == 0 { frame } else { wave.align };
        if wave.bytes_per_second == 0 {
            wave.bytes_per_second = wave.rate.saturating_mul(wave.align);
        }
    }
    config.sampling_rate = wave.rate;
    config.channels = wave.channels;
    config.bits_per_sample = wave.bits;
    config.packet_size = wave.align;
    config.audio_tag = wave.tag;
    config.private.clear();
    config.private.reserve_exact(account, WAVE_FORMAT_BYTES.saturating_add(wave.extra.len()))?;
    wave.write(account, &mut config.private)
}
