//! A `QualityLevel` on its way into the manifest.

use heapless::String;

use super::QualityLevel;
use super::value::{Value, complain, keep};
use crate::codec::wma::WaveFormat;
use crate::codec::{Codec, CodecConfig, Description, FourCc, Kind};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes, List, Text};

/// Where a fault in the private bytes is reported.
const PRIVATE_DATA: &str = "QualityLevel@CodecPrivateData";

/// The attributes that are plain numbers.
const NUMBERS: [&str; 11] = [
    "QualityLevel@Index",
    "QualityLevel@MaxWidth",
    "QualityLevel@MaxHeight",
    "QualityLevel@Width",
    "QualityLevel@Height",
    "QualityLevel@SamplingRate",
    "QualityLevel@PacketSize",
    "QualityLevel@AudioTag",
    "QualityLevel@Channels",
    "QualityLevel@BitsPerSample",
    "QualityLevel@NALUnitLengthField",
];

/// What the `StreamIndex` gives to its levels.
#[derive(Clone, Copy)]
pub(super) struct Inherited<'a> {
    pub(super) kind: Kind,
    pub(super) subtype: &'a str,
    pub(super) fourcc: Option<FourCc>,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Place of the level among the stream's.
    pub(super) ordinal: u32,
    /// Whether custom attributes become part of URLs.
    pub(super) custom: CustomUse,
    pub(super) embedded: bool,
}

/// What custom attributes are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CustomUse {
    /// They tell levels apart in the URL.
    InUrl,
    /// They inform.
    Informative,
}

/// The attributes of a level, in any order.
#[derive(Debug, Default)]
pub(super) struct LevelDraft {
    at: u64,
    bitrate: Option<u32>,
    bitrate_text: String<20>,
    fourcc: Option<FourCc>,
    private: Bytes,
    wave_format: Bytes,
    /// The values of [`NUMBERS`].
    numbers: [Option<u32>; NUMBERS.len()],
    custom: List<(Text, Text)>,
    /// The custom attribute that is being read.
    pair: (Text, Text),
    /// Custom attributes that no URL can carry.
    custom_fault: Option<Error>,
    unusable: Option<Error>,
}

impl LevelDraft {
    /// A level whose tag is at `at`.
    pub(super) fn new(at: u64) -> LevelDraft {
        LevelDraft { at, ..LevelDraft::default() }
    }

    /// Takes one attribute of `QualityLevel`. [MS-SSTR] 2.2.2.5.
    pub(super) fn attribute(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        name: &[u8],
        value: Value<'_>,
    ) -> Result<()> {
        match name {
            b"Bitrate" => self.set_bitrate(value),
            b"FourCC" => self.fourcc = FourCc::from_text(value.text.trim_ascii()),
            // What FFmpeg's muxer writes for sound without a configuration: made from the other attributes then.
            b"CodecPrivateData" if value.text.trim_ascii() == "(null)" => {}
            b"CodecPrivateData" => {
                let to = &mut self.private;
                bytes(account, limits, value, to, PRIVATE_DATA).or_else(|e| keep(&mut self.unusable, e))?;
            }
            b"WaveFormatEx" => {
                let to = &mut self.wave_format;
                let place = "QualityLevel@WaveFormatEx";
                bytes(account, limits, value, to, place).or_else(|e| keep(&mut self.unusable, e))?;
            }
            _ => {
                // A table, because an arm for each costs ten times the code.
                for (number, place) in self.numbers.iter_mut().zip(NUMBERS) {
                    if place.as_bytes().strip_prefix(b"QualityLevel@") == Some(name) {
                        *number = value.u32(place);
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes one attribute of `CustomAttributes/Attribute`.
    pub(super) fn custom_attribute(
        &mut self,
        account: &mut Account,
        name: &[u8],
        value: Value<'_>,
    ) -> Result<()> {
        let to = match name {
            b"Name" => &mut self.pair.0,
            b"Value" => &mut self.pair.1,
            _ => return Ok(()),
        };
        if value.text.bytes().any(|b| !unreserved(b)) && self.custom_fault.is_none() {
            self.custom_fault = Some(value.bad("CustomAttributes/Attribute"));
        }
        value.copy(account, to)
    }

    /// Ends one `CustomAttributes/Attribute` at `at`.
    pub(super) fn custom_done(&mut self, account: &mut Account, limits: &Limits, at: u64) -> Result<()> {
        if self.custom.len() >= limits.custom_attributes as usize {
            return Err(Error::at(Code::LimitCustomAttributes, "CustomAttributes/Attribute", at));
        }
        if self.pair.0.is_empty() {
            complain("CustomAttributes/Attribute", "has no name and is ignored", at);
            self.pair.1.free(account);
            return Ok(());
        }
        // Room first: the pair is still the draft's when there is none.
        self.custom.reserve(account, 1)?;
        self.custom.push(account, core::mem::take(&mut self.pair))
    }

    /// The level, in the stream that `from` describes.
    ///
    /// # Errors
    /// Lack of memory; everything else is kept as the reason why the level is unusable.
    pub(super) fn finish(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        from: Inherited<'_>,
    ) -> Result<QualityLevel> {
        if from.custom == CustomUse::InUrl
            && let Some(error) = self.custom_fault
        {
            keep(&mut self.unusable, error)?;
        }
        if self.bitrate.is_none() && !from.embedded {
            keep(&mut self.unusable, Error::at(Code::ManifestAttribute, "QualityLevel@Bitrate", self.at))?;
        }
        let [index, ..] = self.numbers;
        let config = self.config(account, limits, from)?;
        self.private.free(account);
        self.wave_format.free(account);
        Ok(QualityLevel {
            index: index.unwrap_or(from.ordinal),
            bitrate: self.bitrate.unwrap_or(0),
            bitrate_text: self.bitrate_text.clone(),
            config,
            custom: core::mem::take(&mut self.custom),
            unusable: self.unusable,
        })
    }

    /// Frees everything and takes it off the account.
    pub(super) fn free(&mut self, account: &mut Account) {
        self.private.free(account);
        self.wave_format.free(account);
        self.pair.0.free(account);
        self.pair.1.free(account);
        for (name, value) in self.custom.iter_mut() {
            name.free(account);
            value.free(account);
        }
        self.custom.free(account);
    }

    fn set_bitrate(&mut self, value: Value<'_>) {
        self.bitrate = value.u32("QualityLevel@Bitrate");
        self.bitrate_text.clear();
        if self.bitrate.is_some() {
            // A number has at most 20 digits, so it fits.
            let _ = self.bitrate_text.push_str(value.text);
        }
    }

    fn config(&mut self, account: &mut Account, limits: &Limits, from: Inherited<'_>) -> Result<CodecConfig> {
        let wave = WaveFormat::read(&self.wave_format);
        // The codecs tell a whole structure from its tail; one that they cannot know stands for its tail.
        let whole = WaveFormat::whole(&self.wave_format).is_some();
        let given: &[u8] = match wave {
            _ if !self.private.is_empty() => &self.private,
            Some(_) if whole => &self.wave_format,
            Some(wave) => wave.extra,
            None => &[],
        };
        let [_, max_width, max_height, width, height, rate, packet, tag, channels, bits, nal] = self.numbers;
        let small = |number: Option<u32>| number.and_then(|n| u16::try_from(n).ok());
        let (stereo, sixteen) = if from.kind == Kind::Audio { (2, 16) } else { (0, 0) };
        let mut description = Description {
            kind: from.kind,
            fourcc: self.fourcc.or(from.fourcc),
            subtype: from.subtype,
            audio_tag: tag.or(wave.map(|w| w.tag)).unwrap_or(0),
            sampling_rate: rate.or(wave.map(|w| w.rate)).unwrap_or(0),
            channels: small(channels).or(wave.map(|w| w.channels)).unwrap_or(stereo),
            bits_per_sample: small(bits).or(wave.map(|w| w.bits)).unwrap_or(sixteen),
            packet_size: packet.or(wave.map(|w| w.align)).unwrap_or(0),
            width: max_width.or(width).unwrap_or(from.width),
            height: max_height.or(height).unwrap_or(from.height),
            nal_length: u8::try_from(nal.unwrap_or(4)).unwrap_or(u8::MAX),
            bitrate: self.bitrate.unwrap_or(0),
            private: given,
        };
        let error = match self.unusable {
            Some(error) => error,
            None => match CodecConfig::from_description(account, &description, limits) {
                Ok(config) if known(&config, from.kind, description.fourcc) => return Ok(config),
                Ok(mut config) => {
                    config.free(account);
                    Error::at(Code::CodecUnsupported, "QualityLevel@FourCC", self.at)
                }
                Err(e) if e.place.at.is_empty() => Error::at(e.code, PRIVATE_DATA, self.at),
                Err(e) => Error::at(e.code, e.place.at, self.at),
            },
        };
        keep(&mut self.unusable, error)?;
        // What is left is a description in numbers, which no codec reads.
        description.private = &[];
        description.kind = Kind::Text;
        CodecConfig::from_description(account, &description, limits)
    }
}

/// Whether something names the codec: what the library does not know, the decoder may.
fn known(config: &CodecConfig, kind: Kind, fourcc: Option<FourCc>) -> bool {
    match (config.codec, kind) {
        (Codec::Other, Kind::Video) => fourcc.is_some(),
        (Codec::Other, Kind::Audio) => config.fourcc != FourCc::NONE || config.audio_tag != 0,
        _ => true,
    }
}

/// Bytes that stand for themselves in a URL. RFC 3986 2.3.
fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Decodes the hexadecimal `value` into `to`.
fn bytes(
    account: &mut Account,
    limits: &Limits,
    value: Value<'_>,
    to: &mut Bytes,
    place: &'static str,
) -> Result<()> {
    to.clear();
    let limit = limits.codec_config_bytes as usize;
    digits::hex(value.text, account, limit, to, Code::CodecConfig)
        .map_err(|e| Error::at(e.code, place, value.at))
}
