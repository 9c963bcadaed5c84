//! A `QualityLevel` on its way into the manifest.

use heapless::String;

use super::deviation::{Reading, Tally};
use super::value::{Value, keep, push_pair};
use super::{QualityLevel, free_pairs};
use crate::codec::wma::WaveFormat;
use crate::codec::{ALL, Codec, CodecConfig, Description, FourCc, Kind};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::mem::{Account, Bytes, List, Text};

/// Where a fault in the private bytes is reported.
const PRIVATE_DATA: &str = "QualityLevel@CodecPrivateData";

/// The attributes: from `Bitrate` on the plain numbers, from `WaveFormatEx` on the others.
const ATTRIBUTES: [&str; 18] = [
    "QualityLevel@FourCC",
    "QualityLevel@CodecPrivateData",
    "QualityLevel@Bitrate",
    "QualityLevel@Index",
    "QualityLevel@MaxWidth",
    "QualityLevel@MaxHeight",
    "QualityLevel@SamplingRate",
    "QualityLevel@Channels",
    "QualityLevel@BitsPerSample",
    "QualityLevel@PacketSize",
    "QualityLevel@AudioTag",
    "QualityLevel@Width",
    "QualityLevel@Height",
    "QualityLevel@NALUnitLengthField",
    "QualityLevel@WaveFormatEx",
    "QualityLevel@Url",
    "QualityLevel@Scheme",
    "QualityLevel@SchemeVersion",
];
/// Where some of them stand.
mod place {
    pub(super) const FOUR_CC: usize = 0;
    pub(super) const CODEC_PRIVATE_DATA: usize = 1;
    pub(super) const BITRATE: usize = 2;
    pub(super) const WAVE_FORMAT_EX: usize = 14;
    pub(super) const URL: usize = 15;
}
/// Where the numbers begin among them, and how many there are.
const FIRST_NUMBER: usize = 2;
const NUMBERS: usize = 12;
/// What every level needs, and what those with pictures and those with sound need besides.
const NEEDED: u32 = 0b1100;
const NEEDED_OF_VIDEO: u32 = 0b11_0010;
const NEEDED_OF_AUDIO: u32 = 0b111_1100_0000;
const FOURCC: &str = "QualityLevel@FourCC";

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
    /// Where the stream lies, when neither it nor the level has the URL that a level needs.
    pub(super) without_url: Option<u64>,
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
    seen: u32,
    bitrate_text: String<20>,
    fourcc: Option<FourCc>,
    private: Bytes,
    wave_format: Bytes,
    /// Those of [`ATTRIBUTES`] that are numbers.
    numbers: [Option<u32>; NUMBERS],
    url: Text,
    informative: List<(Text, Text)>,
    custom: List<(Text, Text)>,
    /// The custom attribute that is being read.
    pair: (Text, Text),
    pair_seen: u32,
    /// Custom attributes that no URL can carry.
    custom_fault: Option<Error>,
    unusable: Option<Error>,
}

impl LevelDraft {
    /// A level whose tag is at `at`.
    pub(super) fn new(at: u64) -> LevelDraft {
        LevelDraft { at, ..LevelDraft::default() }
    }

    /// Where its tag is.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// The template of its fragments' URLs in a stream whose template is `of_stream`.
    pub(super) fn url<'a>(&'a self, of_stream: &'a str) -> &'a str {
        if self.url.is_empty() { of_stream } else { &self.url }
    }

    /// Takes one attribute of `QualityLevel`. [MS-SSTR] 2.2.2.5.
    pub(super) fn attribute(&mut self, r: &mut Reading<'_>, name: &[u8], value: Value<'_>) -> Result<()> {
        let place = match r.tally(&mut self.seen, &ATTRIBUTES, name, value.at) {
            Tally::Known(place) => place,
            Tally::Foreign => return Ok(()),
            Tally::Unknown => return self.keep_unknown(r, name, value),
        };
        if let Some(number) = place.checked_sub(FIRST_NUMBER).and_then(|n| self.numbers.get_mut(n)) {
            *number = value.u32(r, ATTRIBUTES.get(place).copied().unwrap_or(""));
        }
        match place {
            place::BITRATE => self.set_bitrate(value),
            place::FOUR_CC => {
                self.fourcc = FourCc::from_text(value.text.trim_ascii());
                if self.fourcc.is_some() && value.text.len() != 4 {
                    r.note("fourcc-form", FOURCC, value.at);
                }
            }
            // What FFmpeg's muxer writes for sound without a configuration: made from the other attributes then.
            place::CODEC_PRIVATE_DATA if value.text.trim_ascii() == "(null)" => {
                r.note("codec-private-data", PRIVATE_DATA, value.at);
            }
            place::CODEC_PRIVATE_DATA => {
                let done = bytes(r, value, &mut self.private, PRIVATE_DATA);
                done.or_else(|e| keep(&mut self.unusable, e))?;
            }
            place::WAVE_FORMAT_EX if ALL => {
                let place = "QualityLevel@WaveFormatEx";
                r.note("wave-format", place, value.at);
                let done = bytes(r, value, &mut self.wave_format, place);
                done.or_else(|e| keep(&mut self.unusable, e))?;
            }
            place::URL if value.text.len() > r.limits.url_bytes as usize => {
                keep(&mut self.unusable, Error::at(Code::LimitUrl, "QualityLevel@Url", value.at))?;
            }
            place::URL => value.copy(r.account, &mut self.url)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes one attribute of `CustomAttributes/Attribute`.
    pub(super) fn custom_attribute(
        &mut self,
        r: &mut Reading<'_>,
        name: &[u8],
        value: Value<'_>,
    ) -> Result<()> {
        r.tally(&mut self.pair_seen, &CUSTOM, name, value.at);
        let to = match name {
            b"Name" => &mut self.pair.0,
            b"Value" => &mut self.pair.1,
            _ => return Ok(()),
        };
        if value.text.bytes().any(|b| !unreserved(b)) {
            r.note("custom-attribute-form", "CustomAttributes/Attribute", value.at);
            if self.custom_fault.is_none() {
                self.custom_fault = Some(value.bad("CustomAttributes/Attribute"));
            }
        }
        value.copy(r.account, to)
    }

    /// Ends one `CustomAttributes/Attribute` at `at`.
    pub(super) fn custom_done(&mut self, r: &mut Reading<'_>, at: u64) -> Result<()> {
        if self.custom.len() >= r.limits.custom_attributes as usize {
            return Err(Error::at(Code::LimitCustomAttributes, "CustomAttributes/Attribute", at));
        }
        r.missing(core::mem::take(&mut self.pair_seen), 0b11, &CUSTOM, at);
        if self.pair.0.is_empty() {
            self.pair.1.free(r.account);
            return Ok(());
        }
        // Room first: the pair is still the draft's when there is none.
        self.custom.reserve(r.account, 1)?;
        self.custom.push(r.account, core::mem::take(&mut self.pair))
    }

    /// The level, in the stream that `from` describes.
    ///
    /// # Errors
    /// Lack of memory; everything else is kept as the reason why the level is unusable.
    pub(super) fn finish(&mut self, r: &mut Reading<'_>, from: Inherited<'_>) -> Result<QualityLevel> {
        if from.custom == CustomUse::InUrl
            && let Some(error) = self.custom_fault
        {
            keep(&mut self.unusable, error)?;
        }
        let needed = match from.kind {
            Kind::Text if from.embedded => 0,
            Kind::Text => NEEDED,
            Kind::Video => NEEDED | NEEDED_OF_VIDEO,
            Kind::Audio => NEEDED | NEEDED_OF_AUDIO,
        };
        r.missing(self.seen, needed, &ATTRIBUTES, self.at);
        let [bitrate, index, ..] = self.numbers;
        if !from.embedded {
            if bitrate.is_none() {
                keep(
                    &mut self.unusable,
                    Error::at(Code::ManifestAttribute, "QualityLevel@Bitrate", self.at),
                )?;
            }
            if let Some(at) = from.without_url {
                keep(&mut self.unusable, Error::at(Code::ManifestAttribute, "StreamIndex@Url", at))?;
            }
        }
        let config = self.config(r, from)?;
        self.private.free(r.account);
        self.wave_format.free(r.account);
        Ok(QualityLevel {
            index: index.unwrap_or(from.ordinal),
            bitrate: bitrate.unwrap_or(0),
            bitrate_text: self.bitrate_text.clone(),
            config,
            custom: core::mem::take(&mut self.custom),
            informative: core::mem::take(&mut self.informative),
            url: core::mem::take(&mut self.url),
            unusable: self.unusable,
        })
    }

    /// Frees everything and takes it off the account.
    pub(super) fn free(&mut self, account: &mut Account) {
        self.private.free(account);
        self.wave_format.free(account);
        self.pair.0.free(account);
        self.pair.1.free(account);
        self.url.free(account);
        free_pairs(&mut self.custom, account);
        free_pairs(&mut self.informative, account);
    }

    /// Keeps an attribute of no meaning, if there is room.
    fn keep_unknown(&mut self, r: &mut Reading<'_>, name: &[u8], value: Value<'_>) -> Result<()> {
        if !cfg!(feature = "details") || self.informative.len() >= r.limits.custom_attributes as usize {
            return Ok(());
        }
        push_pair(r.account, &mut self.informative, name, value.text)
    }

    fn set_bitrate(&mut self, value: Value<'_>) {
        self.bitrate_text.clear();
        let [bitrate, ..] = self.numbers;
        if bitrate.is_some() {
            // A number has at most 20 digits, so it fits.
            let _ = self.bitrate_text.push_str(value.text);
        }
    }

    fn config(&mut self, r: &mut Reading<'_>, from: Inherited<'_>) -> Result<CodecConfig> {
        let wave = if ALL { WaveFormat::read(&self.wave_format) } else { None };
        // The codecs tell a whole structure from its tail; one that they cannot know stands for its tail.
        let whole = ALL && WaveFormat::whole(&self.wave_format).is_some();
        let given: &[u8] = match wave {
            _ if !self.private.is_empty() => &self.private,
            Some(_) if whole => &self.wave_format,
            Some(wave) => wave.extra,
            None => &[],
        };
        let [bitrate, _, max_width, max_height, rate, channels, bits, packet, tag, width, height, nal] =
            self.numbers;
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
            bitrate: bitrate.unwrap_or(0),
            private: given,
        };
        let error = match self.unusable {
            Some(error) => error,
            None => match CodecConfig::from_description(r.account, &description, r.limits) {
                Ok(config) if known(&config, from.kind, description.fourcc) => {
                    self.look_at(r, &config, from);
                    return Ok(config);
                }
                Ok(mut config) => {
                    config.free(r.account);
                    Error::at(Code::CodecUnsupported, "QualityLevel@FourCC", self.at)
                }
                Err(e) if e.place.at.is_empty() => Error::at(e.code, PRIVATE_DATA, self.at),
                Err(e) => Error::at(e.code, e.place.at, self.at),
            },
        };
        match error.code {
            Code::CodecConfig => r.note("codec-private-data", PRIVATE_DATA, self.at),
            Code::CodecUnsupported if description.fourcc.is_none() => {
                r.note("attribute-missing", FOURCC, self.at);
            }
            _ => {}
        }
        keep(&mut self.unusable, error)?;
        // What is left is a description in numbers, which no codec reads.
        description.private = &[];
        description.kind = Kind::Text;
        CodecConfig::from_description(r.account, &description, r.limits)
    }

    /// Notes what a usable level had to be helped with.
    fn look_at(&self, r: &mut Reading<'_>, config: &CodecConfig, from: Inherited<'_>) {
        if !cfg!(feature = "details") {
            return;
        }
        if self.fourcc.is_none() && from.kind != Kind::Text {
            r.note("fourcc-fallback", FOURCC, self.at);
        }
        let [_, _, max_width, max_height, ..] = self.numbers;
        if from.kind == Kind::Video
            && (max_width.is_none() && config.width != 0 || max_height.is_none() && config.height != 0)
        {
            r.note("size-fallback", "QualityLevel@MaxWidth", self.at);
        }
        // More than an AudioSpecificConfig; what follows it is dropped.
        if config.codec == Codec::Aac && config.private.len() < self.private.len() {
            r.note("codec-private-data", PRIVATE_DATA, self.at);
        }
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

const CUSTOM: [&str; 2] = ["Attribute@Name", "Attribute@Value"];

/// Decodes the hexadecimal `value` into `to`.
fn bytes(r: &mut Reading<'_>, value: Value<'_>, to: &mut Bytes, place: &'static str) -> Result<()> {
    to.clear();
    let limit = r.limits.codec_config_bytes as usize;
    digits::hex(value.text, r.account, limit, to, Code::CodecConfig)
        .map_err(|e| Error::at(e.code, place, value.at))
}
