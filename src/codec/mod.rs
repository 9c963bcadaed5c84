//! CodecPrivateData to decoder set-up, and elementary-stream framing.
//!
//! A manifest describes a codec by a FourCC, an AudioTag, a few numbers and some private bytes whose form depends on
//! all of these ([MS-SSTR] 2.2.2.5). [`CodecConfig`] is the one form that the rest of the core and every decoder
//! port sees. One codec is one file; a codec without a file is [`Codec::Other`] and passes as it came.

use core::fmt::{self, Write};

use crate::digits::{self, Decimal};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes};

pub mod aac;
mod bits;
pub mod h264;
#[cfg(test)]
mod tests;

/// Where a fault in the private bytes is reported.
const PRIVATE_DATA: &str = "QualityLevel@CodecPrivateData";
/// WAVE format tag of AAC without any transport framing.
const TAG_RAW_AAC: u32 = 255;
/// The name of AAC when only the tag says so.
const AACL: FourCc = FourCc(*b"AACL");

/// Four characters that name a codec. A shorter name is padded with spaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FourCc(pub [u8; 4]);

impl FourCc {
    /// No name at all.
    pub const NONE: FourCc = FourCc(*b"    ");

    /// The name in `text`: its first four bytes, so that `AAC` and `WmaPro` have one, too. `None` when `text` is
    /// empty or those bytes are not printable ASCII.
    pub fn from_text(text: &str) -> Option<FourCc> {
        let mut name = *b"    ";
        if text.is_empty() {
            return None;
        }
        for (to, from) in name.iter_mut().zip(text.bytes()) {
            if !(b' '..=b'~').contains(&from) {
                return None;
            }
            *to = from;
        }
        if name == FourCc::NONE.0 { None } else { Some(FourCc(name)) }
    }

    /// Whether this is `name` in any case; spaces at the end do not count.
    pub fn is_ignore_case(self, name: &str) -> bool {
        self.0.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes().trim_ascii_end())
    }

    /// Whether this is one of `names` in any case.
    pub fn is_any_of(self, names: &[&str]) -> bool {
        names.iter().any(|n| self.is_ignore_case(n))
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for b in self.0.trim_ascii_end() {
            f.write_char(if (b' '..=b'~').contains(b) { char::from(*b) } else { '?' })?;
        }
        Ok(())
    }
}

/// What a stream carries, as `StreamIndex@Type` names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Subtitles, captions, and every timed text or data.
    Text,
}

/// A codec that the core frames itself, or any other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Codec {
    /// H.264, ITU-T H.264 | ISO/IEC 14496-10.
    H264,
    /// AAC in all its object types, ISO/IEC 14496-3.
    Aac,
    /// Another codec: named by its FourCC and AudioTag alone.
    Other,
}

/// What a manifest says of one QualityLevel's codec. Zero stands for an absent number.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// What the stream carries.
    pub kind: Kind,
    /// `QualityLevel@FourCC`; `None` when absent or empty.
    pub fourcc: Option<FourCc>,
    /// `StreamIndex@Subtype`, which names the codec in old manifests without FourCC; may be empty.
    pub subtype: &'a str,
    /// `QualityLevel@AudioTag`, a WAVE format tag.
    pub audio_tag: u32,
    /// `QualityLevel@SamplingRate` in Hz.
    pub sampling_rate: u32,
    /// `QualityLevel@Channels`.
    pub channels: u16,
    /// `QualityLevel@BitsPerSample`.
    pub bits_per_sample: u16,
    /// `QualityLevel@PacketSize` in bytes.
    pub packet_size: u32,
    /// Coded width in pixels.
    pub width: u32,
    /// Coded height in pixels.
    pub height: u32,
    /// `QualityLevel@NALUnitLengthField` in bytes: 1, 2 or 4; 4 when absent.
    pub nal_length: u8,
    /// `QualityLevel@CodecPrivateData`, decoded from hexadecimal; may be empty.
    pub private: &'a [u8],
}

impl Description<'_> {
    /// A description that says nothing but the kind.
    pub const fn new(kind: Kind) -> Description<'static> {
        Description {
            kind,
            fourcc: None,
            subtype: "",
            audio_tag: 0,
            sampling_rate: 0,
            channels: 0,
            bits_per_sample: 0,
            packet_size: 0,
            width: 0,
            height: 0,
            nal_length: 0,
            private: &[],
        }
    }
}

/// Everything a decoder is set up with. Zero stands for what is not known or does not apply.
#[derive(Debug)]
pub struct CodecConfig {
    /// The codec.
    pub codec: Codec,
    /// The name that the manifest gave it, or that stands for what the AudioTag said; [`FourCc::NONE`] without any.
    pub fourcc: FourCc,
    /// Coded width in pixels.
    pub width: u32,
    /// Coded height in pixels.
    pub height: u32,
    /// Samples per second. For AAC that of the core: a decoder with SBR puts out twice as many.
    pub sampling_rate: u32,
    /// Channels. For AAC those of the core: a decoder with parametric stereo makes two of one. 0 when the bit stream
    /// describes them (AAC channel configuration 0).
    pub channels: u16,
    /// Bits of one sample of sound.
    pub bits_per_sample: u16,
    /// Bytes of one packet of sound (nBlockAlign of WAVEFORMATEX).
    pub packet_size: u32,
    /// WAVE format tag.
    pub audio_tag: u32,
    /// Bytes of the length before each NAL unit: 1, 2 or 4; 0 when samples have no NAL units.
    pub nal_length: u8,
    /// H.264: `00000001 SPS` of every SPS, then `00000001 PPS` of every PPS; empty when they are only in band.
    /// AAC: the AudioSpecificConfig, given or made, without surplus bytes. Otherwise the private bytes as given.
    pub private: Bytes,
}

impl CodecConfig {
    /// Whether a decoder set up with this needs nothing new for `other`.
    pub fn same_set_up(&self, other: &CodecConfig) -> bool {
        let numbers = |c: &CodecConfig| {
            (
                (c.codec, c.fourcc, c.width, c.height),
                (c.sampling_rate, c.channels, c.bits_per_sample, c.packet_size, c.audio_tag, c.nal_length),
            )
        };
        numbers(self) == numbers(other) && self.private.as_slice() == other.private.as_slice()
    }

    /// The decoder set-up that `description` stands for.
    ///
    /// A codec without a file of its own becomes [`Codec::Other`]: whether that can be played is not decided here.
    ///
    /// # Errors
    /// [`Code::CodecConfig`] when the private bytes or numbers cannot be used, [`Code::LimitCodecConfig`] when they
    /// are too many, [`Code::Budget`] or [`Code::NoMemory`]. Nothing stays charged to `account` then.
    pub fn from_description(
        account: &mut Account,
        d: &Description<'_>,
        limits: &Limits,
    ) -> Result<CodecConfig> {
        if d.private.len() > limits.codec_config_bytes as usize {
            return Err(Error::at(Code::LimitCodecConfig, PRIVATE_DATA, 0));
        }
        let (codec, fourcc) = identify(d);
        let mut config = CodecConfig {
            codec,
            fourcc,
            width: d.width,
            height: d.height,
            sampling_rate: d.sampling_rate,
            channels: d.channels,
            bits_per_sample: d.bits_per_sample,
            packet_size: d.packet_size,
            audio_tag: d.audio_tag,
            nal_length: 0,
            private: Bytes::new(),
        };
        let done = match codec {
            Codec::H264 => h264::configure(&mut config, account, d),
            Codec::Aac => aac::configure(&mut config, account, d),
            Codec::Other => copy(&mut config.private, account, d.private),
        };
        match done {
            Ok(()) => Ok(config),
            Err(e) => {
                config.free(account);
                Err(e)
            }
        }
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        self.private.free(account);
    }
}

/// The codec's name in the form of RFC 6381: `avc1.PPCCLL`, `mp4a.40.N`, or the FourCC.
pub fn codec_string(config: &CodecConfig) -> heapless::String<32> {
    let mut text = heapless::String::new();
    // 32 bytes hold every name, so writing cannot fail.
    let _ = match config.codec {
        Codec::H264 => {
            let _ = text.push_str("avc1.");
            for byte in h264::profile(config).unwrap_or([0x4D, 0x40, 0x1E]) {
                let _ = digits::push_hex(&mut text, byte);
            }
            Ok(())
        }
        Codec::Aac => write!(text, "mp4a.40.{}", Decimal(aac::announced_object_type(config).into())),
        Codec::Other => write!(text, "{}", config.fourcc),
    };
    text
}

/// Which codec, and the name to keep.
fn identify(d: &Description<'_>) -> (Codec, FourCc) {
    let named = d.fourcc.filter(|f| *f != FourCc::NONE).or_else(|| match d.kind {
        // The subtype of a text stream is its role, never its codec.
        Kind::Text => None,
        Kind::Video | Kind::Audio => FourCc::from_text(d.subtype),
    });
    match d.kind {
        Kind::Video => match named {
            Some(name) if name.is_any_of(h264::NAMES) => (Codec::H264, name),
            other => (Codec::Other, other.unwrap_or(FourCc::NONE)),
        },
        Kind::Audio => match named {
            Some(name) if name.is_any_of(aac::NAMES) => (Codec::Aac, name),
            // Origins are seen that name one codec for every sound and tell the truth in the tag.
            Some(name)
                if d.audio_tag == TAG_RAW_AAC && (d.fourcc.is_none() || name.is_ignore_case("WMAP")) =>
            {
                (Codec::Aac, AACL)
            }
            Some(name) => (Codec::Other, name),
            // Live encoders are seen that leave the name empty; without a tag to the contrary they mean AAC.
            None if d.audio_tag == TAG_RAW_AAC || d.audio_tag == 0 => (Codec::Aac, AACL),
            None => (Codec::Other, FourCc::NONE),
        },
        Kind::Text => (Codec::Other, named.unwrap_or(FourCc::NONE)),
    }
}

/// Makes `to` a copy of `from`, holding no more than that.
fn copy(to: &mut Bytes, account: &mut Account, from: &[u8]) -> Result<()> {
    to.clear();
    to.reserve_exact(account, from.len())?;
    to.extend(account, from)
}

/// [`Code::CodecConfig`] in the private bytes at `offset`.
const fn unusable(offset: u64) -> Error {
    Error::at(Code::CodecConfig, PRIVATE_DATA, offset)
}
