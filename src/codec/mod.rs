//! CodecPrivateData to decoder set-up, and elementary-stream framing.
//!
//! A manifest describes a codec by a FourCC, an AudioTag, a few numbers and some private bytes whose form depends on
//! all of these ([MS-SSTR] 2.2.2.5). [`CodecConfig`] is the one form that the rest of the core and every decoder
//! port sees. One codec is one file; a codec without a file is [`Codec::Other`] and passes as it came.

use core::fmt::{self, Write};

use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes};

pub mod aac;
mod bits;
mod captions;
pub mod dolby;
mod entry;
pub mod h264;
pub mod h265;
pub mod nal;
mod names;
#[cfg(test)]
mod tests;
mod text;
pub mod vc1;
pub mod wma;

pub use captions::{Captions, captions};
pub use entry::{EntryNames, EntryNumbers, from_sample_entry, record, sample_entry};
pub use names::codec_string;

/// Where a fault in the private bytes is reported.
const PRIVATE_DATA: &str = "QualityLevel@CodecPrivateData";
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

/// How samples are framed; a property of the decoder port.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Framing {
    /// Annex B start codes, ADTS headers: what hardware decoders take.
    #[default]
    ElementaryStream,
    /// NAL length prefixes and raw access units, as they lie in the file.
    LengthPrefixed,
}

/// A codec that the core knows, or any other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Codec {
    /// H.264, ITU-T H.264 | ISO/IEC 14496-10.
    H264,
    /// H.265, ITU-T H.265 | ISO/IEC 23008-2.
    H265,
    /// VC-1 Advanced Profile, SMPTE ST 421.
    Vc1,
    /// AAC in all its object types, ISO/IEC 14496-3.
    Aac,
    /// Windows Media Audio, versions 1, 2 and lossless.
    Wma,
    /// Windows Media Audio Professional.
    WmaPro,
    /// Dolby Digital, ETSI TS 102 366.
    Ac3,
    /// Dolby Digital Plus, ETSI TS 102 366 annex E.
    Eac3,
    /// MPEG-1 and MPEG-2 audio, MP3 above all, ISO/IEC 11172-3 and 13818-3.
    MpegAudio,
    /// Samples as they are, little-endian.
    Pcm,
    /// Timed text as whole documents, W3C TTML.
    Ttml,
    /// Another codec: named by its FourCC and AudioTag alone.
    Other,
}

/// Whether this build knows more than H.264 and AAC. What it does not know is [`Codec::Other`].
pub(crate) const ALL: bool = cfg!(feature = "codecs");

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
    /// `QualityLevel@Bitrate` in bit/s.
    pub bitrate: u32,
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
            bitrate: 0,
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
    /// H.264: `00000001 SPS` of every SPS, then `00000001 PPS` of every PPS; H.265: the same with every VPS before.
    /// Those that are only in band are missing until the first fragment brings them.
    /// VC-1: sequence header and entry point with their start codes.
    /// AAC: the AudioSpecificConfig, given or made, without surplus bytes.
    /// WMA, WMA Professional, MPEG audio, PCM: a whole WAVEFORMATEX, given or made.
    /// AC-3, EC-3: the payload of `dac3` or `dec3`; empty until the first fragment tells it.
    /// Otherwise the private bytes as given.
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
        let (codec, fourcc) = names::identify(d);
        let codec =
            if ALL || matches!(codec, Codec::H264 | Codec::Aac | Codec::Ttml) { codec } else { Codec::Other };
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
            Codec::H265 if ALL => h264::configure(&mut config, account, d),
            _ if !ALL && codec != Codec::Aac => copy(&mut config.private, account, d.private),
            Codec::Vc1 => vc1::configure(&mut config, account, d),
            Codec::Aac => aac::configure(&mut config, account, d),
            Codec::Wma | Codec::WmaPro | Codec::MpegAudio | Codec::Pcm => {
                wma::configure(&mut config, account, d)
            }
            Codec::Ac3 | Codec::Eac3 => dolby::configure(&mut config, account, d),
            Codec::H265 | Codec::Ttml | Codec::Other => copy(&mut config.private, account, d.private),
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

/// Takes width and height from the parameter sets where the manifest has none. A player can do without them, so a set
/// that cannot be read is no error.
fn fill_in_size(config: &mut CodecConfig) {
    if config.width != 0 && config.height != 0 {
        return;
    }
    let size = match config.codec {
        Codec::H265 if ALL => h265::sps(config).map(|sps| (sps.width, sps.height)),
        _ => h264::size(config),
    };
    if let Some(size) = size {
        (config.width, config.height) = size;
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
