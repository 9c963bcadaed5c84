//! What names a codec: FourCC and AudioTag of a manifest, and the strings of RFC 6381.

use super::wma::{WaveFormat, tag};
use super::{ALL, Codec, CodecConfig, Description, FourCc, Kind, aac, dolby, h264, h265, text, vc1};

/// Names of WMA Professional, WMA, MPEG audio and PCM, in any case.
const WMA_PRO: &[&str] = &["WMAP", "WMA3"];
const WMA: &[&str] = &["WMA2", "WMA1", "WMA", "WMAL"];
const MPEG: &[&str] = &["MP3", ".MP3", "MPGA", "MP2", "MPEG", "MP4A.6B"];
const PCM: &[&str] = &["PCM", "LPCM", "SOWT", "IPCM"];

/// Which codec, and the name to keep.
pub(super) fn identify(d: &Description<'_>) -> (Codec, FourCc) {
    let named = d.fourcc.filter(|f| *f != FourCc::NONE).or_else(|| match d.kind {
        // The subtype of a text stream is its role, never its codec.
        Kind::Text => None,
        Kind::Video | Kind::Audio => FourCc::from_text(d.subtype),
    });
    let tables: &[(&[&str], Codec)] = match d.kind {
        Kind::Video if !ALL => &[(h264::NAMES, Codec::H264)],
        Kind::Video => &[(h264::NAMES, Codec::H264), (h265::NAMES, Codec::H265), (vc1::NAMES, Codec::Vc1)],
        Kind::Text => &[(text::NAMES, Codec::Ttml)],
        Kind::Audio if ALL => return sound(d, named),
        Kind::Audio => return plain_sound(d, named),
    };
    let name = named.unwrap_or(FourCc::NONE);
    (look_up(tables, name), name)
}

fn look_up(tables: &[(&[&str], Codec)], name: FourCc) -> Codec {
    let row = tables.iter().find(|(names, _)| name.is_any_of(names));
    row.map_or(Codec::Other, |(_, codec)| *codec)
}

/// AAC, or not: what a build without the other codecs needs to know.
fn plain_sound(d: &Description<'_>, named: Option<FourCc>) -> (Codec, FourCc) {
    let name = named.unwrap_or(FourCc(*b"AACL"));
    let told = matches!(d.audio_tag, 0 | tag::RAW_AAC);
    match named {
        Some(_) if name.is_any_of(aac::NAMES) && !matches!(d.audio_tag, tag::MPEG | tag::MP3) => {
            (Codec::Aac, name)
        }
        None if told => (Codec::Aac, name),
        Some(_) => (Codec::Other, name),
        None => (Codec::Other, FourCc::NONE),
    }
}

fn sound(d: &Description<'_>, named: Option<FourCc>) -> (Codec, FourCc) {
    // What the private bytes say of themselves is the surest.
    let own = WaveFormat::whole(d.private).map(|w| w.tag).filter(|t| *t != tag::EXTENSIBLE);
    let told = own.unwrap_or(d.audio_tag);
    // Origins are seen that name one codec for every sound and tell the truth in the tag.
    if matches!(told, tag::MPEG | tag::MP3) {
        return by_tag(told);
    }
    let Some(name) = named else { return by_tag(told) };
    let codec = look_up(
        &[
            (aac::NAMES, Codec::Aac),
            (dolby::AC3_NAMES, Codec::Ac3),
            (dolby::EC3_NAMES, Codec::Eac3),
            (MPEG, Codec::MpegAudio),
            (PCM, Codec::Pcm),
            (WMA_PRO, Codec::WmaPro),
            (WMA, Codec::Wma),
        ],
        name,
    );
    match (codec, told) {
        (Codec::WmaPro, tag::RAW_AAC) => by_tag(told),
        // The tag that two codecs share in the format's description decides only with private bytes of its length.
        (Codec::WmaPro, tag::WMA1 | tag::WMA2) if own.is_some() || d.private.len() == 10 => by_tag(told),
        (Codec::Wma, tag::WMA_PRO) if own.is_some() || d.private.len() == 18 => by_tag(told),
        // A subtype that is no codec's name.
        (Codec::Other, 1..) if d.fourcc.is_none() => match by_tag(told) {
            (Codec::Other, _) => (codec, name),
            found => found,
        },
        _ => (codec, name),
    }
}

/// Codec and name by the tag alone. Live encoders are seen that leave the name empty: without a tag to the contrary
/// they mean AAC.
fn by_tag(told: u32) -> (Codec, FourCc) {
    let (codec, name) = match told {
        0 | tag::RAW_AAC => (Codec::Aac, b"AACL"),
        tag::PCM => (Codec::Pcm, b"PCM "),
        tag::MPEG | tag::MP3 => (Codec::MpegAudio, b"MP3 "),
        tag::WMA1 | tag::WMA2 | tag::WMA_LOSSLESS => (Codec::Wma, b"WMA2"),
        tag::WMA_PRO => (Codec::WmaPro, b"WMAP"),
        tag::AC3 => (Codec::Ac3, b"AC-3"),
        tag::EXTENSIBLE => (Codec::Eac3, b"EC-3"),
        _ => (Codec::Other, &FourCc::NONE.0),
    };
    (codec, FourCc(*name))
}

/// The codec's name in the form of RFC 6381 where it has one (`avc1.PPCCLL`, `hvc1.`..., `mp4a.40.N`, `mp4a.6B`,
/// `ac-3`, `ec-3`, `stpp.ttml`), or else the FourCC.
pub fn codec_string(config: &CodecConfig) -> heapless::String<40> {
    let mut name = Name(heapless::String::new());
    match config.codec {
        Codec::H264 => {
            name.text("avc1.");
            for byte in h264::profile(config).unwrap_or([0x4D, 0x40, 0x1E]) {
                name.hex(u32::from(byte), 2);
            }
        }
        Codec::H265 if ALL => hevc(&mut name, config),
        Codec::Aac => {
            name.text("mp4a.40.");
            name.decimal(aac::announced_object_type(config));
        }
        Codec::MpegAudio => name.text("mp4a.6B"),
        Codec::Ac3 => name.text("ac-3"),
        Codec::Eac3 => name.text("ec-3"),
        Codec::Ttml => name.text("stpp.ttml"),
        Codec::H265 | Codec::Vc1 | Codec::Wma | Codec::WmaPro | Codec::Pcm | Codec::Other => {
            for byte in config.fourcc.0.trim_ascii_end() {
                name.byte(if (b' '..=b'~').contains(byte) { *byte } else { b'?' });
            }
        }
    }
    name.0
}

/// ISO/IEC 14496-15 annex E.3.
fn hevc(name: &mut Name, config: &CodecConfig) {
    name.text(if h265::is_complete(config) { "hvc1" } else { "hev1" });
    let Some(sps) = h265::sps(config) else {
        // Main profile, level 3.1: what a player can be asked about when nothing is known.
        return name.text(".1.6.L93.B0");
    };
    let [profile, c0, c1, c2, c3, constraints @ .., level] = sps.general;
    name.text(".");
    if let Some(space) = (profile >> 6).checked_sub(1) {
        name.byte(b'A'.wrapping_add(space));
    }
    name.decimal(u32::from(profile & 31));
    name.text(".");
    name.hex(u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits(), 1);
    name.text(if profile & 0x20 != 0 { ".H" } else { ".L" });
    name.decimal(u32::from(level));
    let last = constraints.iter().rposition(|b| *b != 0).map_or(0, |n| n.wrapping_add(1));
    for byte in constraints.iter().take(last) {
        name.text(".");
        name.hex(u32::from(*byte), 1);
    }
}

/// Text without the machinery of formatting. 40 bytes hold every name; what does not fit is left out.
struct Name(heapless::String<40>);

impl Name {
    fn text(&mut self, text: &str) {
        let _ = self.0.push_str(text);
    }

    fn byte(&mut self, byte: u8) {
        let _ = self.0.push(char::from(byte));
    }

    /// Upper case, at least `least` digits.
    fn hex(&mut self, value: u32, least: u32) {
        for n in (0..8u32).rev() {
            let digit = (value >> (n * 4) & 15) as u8;
            if n < least || value >> (n * 4) != 0 {
                self.byte(if digit < 10 {
                    b'0'.wrapping_add(digit)
                } else {
                    b'A'.wrapping_sub(10).wrapping_add(digit)
                });
            }
        }
    }

    fn decimal(&mut self, value: u32) {
        let mut buffer = [0u8; crate::decimal::DIGITS];
        self.text(crate::digits::write_decimal(u64::from(value), &mut buffer));
    }
}
