use std::vec::Vec;

use super::*;

mod entry;
mod pictures;
mod sound;

fn account() -> Account {
    Account::new(1 << 20)
}

/// A 320x240 baseline SPS and its PPS, as an encoder writes them.
const SPS: &[u8] = &[0x67, 0x42, 0xC0, 0x0D, 0xDA, 0x05, 0x07, 0xE4];
const PPS: &[u8] = &[0x68, 0xCE, 0x3C, 0x80];

fn video(private: &[u8]) -> Description<'_> {
    Description { fourcc: FourCc::from_text("H264"), private, ..Description::new(Kind::Video) }
}

fn audio<'a>(fourcc: &str, sampling_rate: u32, channels: u16, private: &'a [u8]) -> Description<'a> {
    Description {
        fourcc: FourCc::from_text(fourcc),
        sampling_rate,
        channels,
        private,
        ..Description::new(Kind::Audio)
    }
}

fn config(d: &Description<'_>) -> CodecConfig {
    CodecConfig::from_description(&mut account(), d, &Limits::default()).unwrap()
}

fn refused(d: &Description<'_>) -> Code {
    let mut a = account();
    let e = CodecConfig::from_description(&mut a, d, &Limits::default()).unwrap_err();
    assert_eq!(a.held(), 0);
    e.code
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks_exact(2).map(|d| (d[0] * 16 + d[1]) as u8).collect()
}

/// Writes bits first bit first, numbers in exponential Golomb code.
#[derive(Default)]
struct BitWriter(Vec<bool>);

impl BitWriter {
    fn u(&mut self, value: u32, count: u32) -> &mut Self {
        self.0.extend((0..count).rev().map(|i| value >> i & 1 == 1));
        self
    }

    fn ue(&mut self, value: u32) -> &mut Self {
        let bits = (value + 1).ilog2();
        self.u(0, bits).u(value + 1, bits + 1)
    }

    fn se(&mut self, value: i32) -> &mut Self {
        self.ue(if value > 0 { value as u32 * 2 - 1 } else { value.unsigned_abs() * 2 })
    }

    /// With the stop bit, and emulation prevention.
    fn nal(&mut self, head: &[u8]) -> Vec<u8> {
        self.u(1, 1);
        let mut out = head.to_vec();
        let start = out.len();
        for byte in self.0.chunks(8) {
            let byte = byte.iter().enumerate().fold(0u8, |b, (i, bit)| b | u8::from(*bit) << (7 - i));
            if byte <= 3 && out.len() >= start + 2 && out.ends_with(&[0, 0]) {
                out.push(3);
            }
            out.push(byte);
        }
        out
    }
}

/// A high-profile SPS of 1920x1080 interlaceable pictures with scaling lists, 4:2:2 and 10 bits.
fn high_sps() -> Vec<u8> {
    let mut w = BitWriter::default();
    w.ue(0).ue(2).ue(2).ue(1).u(0, 1);
    w.u(1, 1);
    for list in 0..8 {
        w.u(u32::from(list == 0 || list == 6), 1);
        if list == 0 {
            w.se(1);
            for _ in 1..16 {
                w.se(0);
            }
        } else if list == 6 {
            // Ends the list at once: the next scale is zero.
            w.se(-8);
        }
    }
    w.ue(0).ue(1);
    w.u(0, 1).se(-3).se(2).ue(2).se(1).se(-1);
    w.ue(4).u(0, 1).ue(119).ue(33).u(0, 1).u(1, 1).u(1, 1);
    w.u(1, 1).ue(0).ue(0).ue(0).ue(4);
    w.u(0, 1);
    w.nal(&[0x67, 122, 0, 40])
}

fn stream(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|u| [&[0, 0, 0, 1], *u].concat()).collect()
}

#[test]
fn fourcc_is_case_blind_and_takes_odd_lengths() {
    assert!(FourCc::from_text("h264").unwrap().is_ignore_case("H264"));
    assert!(FourCc::from_text("AAC").unwrap().is_ignore_case("aac"));
    assert!(FourCc::from_text("WmaPro").unwrap().is_ignore_case("WMAP"));
    assert!(!FourCc::from_text("AACL").unwrap().is_ignore_case("AAC"));
    assert_eq!(FourCc::from_text(""), None);
    assert_eq!(FourCc::from_text("  "), None);
    assert_eq!(FourCc::from_text("H\u{e9}"), None);
    assert_eq!(std::format!("{}", FourCc(*b"AAC ")), "AAC");
    assert_eq!(std::format!("{}", FourCc(*b"a\0b\xff")), "a?b?");
}

#[test]
fn every_name_of_h264_and_aac_is_known() {
    for name in ["H264", "avc1", "X264", "DAVC", "AVCB"] {
        let d = Description { fourcc: FourCc::from_text(name), ..Description::new(Kind::Video) };
        assert_eq!(config(&d).codec, Codec::H264, "{name}");
    }
    for name in ["AACL", "aac", "AAC-LC", "AACH", "AACP"] {
        assert_eq!(config(&audio(name, 48_000, 2, &[])).codec, Codec::Aac, "{name}");
    }
}

#[test]
fn an_unknown_codec_passes_as_it_came() {
    let c =
        config(&Description { audio_tag: 0x2001, packet_size: 2973, ..audio("dtsc", 44_100, 6, &[1, 2, 3]) });
    assert_eq!((c.codec, &c.private[..], c.packet_size, c.channels), (Codec::Other, &[1, 2, 3][..], 2973, 6));
    assert_eq!(codec_string(&c), "dtsc");
    let text =
        Description { subtype: "SUBT", fourcc: FourCc::from_text("wvtt"), ..Description::new(Kind::Text) };
    assert_eq!(config(&text).codec, Codec::Other);
    let video = Description { fourcc: FourCc::from_text("XVID"), ..Description::new(Kind::Video) };
    assert_eq!((config(&video).codec, &*codec_string(&config(&video))), (Codec::Other, "XVID"));
}

#[test]
fn the_audio_tag_and_the_subtype_stand_in_for_a_missing_name() {
    let tagged = Description { audio_tag: 255, ..audio("", 44_100, 2, &[]) };
    assert_eq!((config(&tagged).codec, &*codec_string(&config(&tagged))), (Codec::Aac, "mp4a.40.2"));
    let subtype = Description { subtype: "AACL", audio_tag: 65_534, ..audio("", 44_100, 2, &[]) };
    assert_eq!(config(&subtype).codec, Codec::Aac);
    let pro = Description { subtype: "WmaPro", ..audio("", 44_100, 2, &[]) };
    assert_eq!(config(&pro).codec, Codec::WmaPro);
    let nothing = audio("", 44_100, 2, &[]);
    assert_eq!(config(&nothing).codec, Codec::Aac);
    let mp3 = Description { audio_tag: 85, ..audio("WMAP", 44_100, 2, &[]) };
    assert_eq!((config(&mp3).codec, &*codec_string(&config(&mp3))), (Codec::MpegAudio, "mp4a.6B"));
    let extensible = Description { audio_tag: 65_534, ..audio("", 48_000, 6, &[]) };
    assert_eq!((config(&extensible).codec, &*codec_string(&config(&extensible))), (Codec::Eac3, "ec-3"));
    let odd_tag = Description { audio_tag: 0x2001, ..audio("", 48_000, 6, &[]) };
    assert_eq!((config(&odd_tag).codec, config(&odd_tag).fourcc), (Codec::Other, FourCc::NONE));
    let video = Description { subtype: "H264", ..Description::new(Kind::Video) };
    assert_eq!(config(&video).codec, Codec::H264);
}

#[test]
fn asc_is_made_from_the_numbers() {
    let made = |fourcc, rate, channels| config(&audio(fourcc, rate, channels, &[])).private.to_vec();
    assert_eq!(made("AACL", 48_000, 2), hex("1190"));
    assert_eq!(made("AACL", 44_100, 2), hex("1210"));
    assert_eq!(made("AACL", 22_050, 1), hex("1388"));
    assert_eq!(made("AACL", 48_000, 6), hex("11B0"));
    assert_eq!(made("AACL", 0, 0), hex("1210"));
    assert_eq!(made("AACL", 48_000, 8), hex("11B8"));
    assert_eq!(made("AACL", 37_000, 2), hex("1780484410"));
    assert_eq!(made("AACH", 24_000, 2), hex("2B118800"));
    assert_eq!(made("AACH", 22_050, 2), hex("2B920800"));
    // The rate of the output instead of the core's.
    assert_eq!(made("aach", 48_000, 2), hex("2B118800"));
    assert_eq!(made("AACH", 44_100, 2), hex("2B920800"));
    // Parametric stereo: one channel in the core.
    assert_eq!(made("AACP", 24_000, 2), hex("EB098800"));
    assert_eq!(made("AACP", 24_000, 1), hex("2B098800"));
    for channels in [7, 9, 100] {
        assert_eq!(refused(&audio("AACL", 48_000, channels, &[])), Code::CodecConfig);
    }
    assert_eq!(refused(&audio("AACL", 1 << 24, 2, &[])), Code::CodecConfig);
}

#[test]
fn asc_loses_surplus_bytes_only() {
    let kept = |text: &str| config(&audio("AACL", 48_000, 2, &hex(text))).private.to_vec();
    assert_eq!(kept("11900000000000000000000000000000"), hex("1190"));
    assert_eq!(kept("131056E598"), hex("131056E598"));
    assert_eq!(kept("131056E5980000"), hex("131056E598"));
    // With parametric stereo behind SBR, and without SBR.
    assert_eq!(kept("131056E59D48800000"), hex("131056E59D4880"));
    assert_eq!(kept("131056E5000000"), hex("131056E500"));
    assert_eq!(kept("2B11880000"), hex("2B118800"));
    assert_eq!(kept("178048441000"), hex("1780484410"));
    // An object type whose configuration cannot be measured (ELD, 39) stays whole.
    assert_eq!(kept("F8E6200000000000"), hex("F8E6200000000000"));
}

#[test]
fn asc_with_a_program_config_element_is_measured() {
    // LC, 48 kHz, channel configuration 0; a front pair and nothing else; a comment of two bytes; then surplus.
    let mut w = BitWriter::default();
    w.u(2, 5).u(3, 4).u(0, 4).u(0, 3);
    w.u(0, 4).u(1, 2).u(3, 4).u(1, 4).u(0, 4).u(0, 4).u(0, 2).u(0, 3).u(0, 4).u(0, 3).u(0b10000, 5);
    while w.0.len() % 8 != 0 {
        w.u(0, 1);
    }
    w.u(2, 8).u(0x4142, 16);
    let len = w.0.len() / 8;
    w.u(0, 32);
    let bytes: Vec<u8> = w.0.chunks(8).map(|b| b.iter().fold(0, |v, bit| v << 1 | u8::from(*bit))).collect();
    let c = config(&audio("AACL", 48_000, 2, &bytes));
    assert_eq!(c.private.len(), len);
    assert_eq!(c.channels, 0);
    assert_eq!(aac::adts_header(&c, 100), None);
}

#[test]
fn asc_tells_the_core() {
    let c = config(&audio("AACH", 48_000, 2, &hex("2B118800")));
    assert_eq!((c.sampling_rate, c.channels), (24_000, 2));
    assert_eq!(codec_string(&c), "mp4a.40.5");
    let c = config(&audio("AACP", 48_000, 2, &[]));
    assert_eq!((c.sampling_rate, c.channels, &*codec_string(&c)), (24_000, 1, "mp4a.40.29"));
    let c = config(&audio("AACL", 48_000, 2, &hex("131056E598")));
    assert_eq!((c.sampling_rate, &*codec_string(&c)), (24_000, "mp4a.40.2"));
    let c = config(&audio("AACH", 48_000, 2, &hex("1310")));
    assert_eq!((c.sampling_rate, &*codec_string(&c)), (24_000, "mp4a.40.5"));
    let c = config(&audio("AACL", 48_000, 8, &hex("11B8")));
    assert_eq!(c.channels, 8);
}

#[test]
fn asc_that_ends_early_or_is_reserved_is_refused() {
    for text in ["11", "00", "0000", "1690", "2B11", "17804844", "1780000010"] {
        assert_eq!(refused(&audio("AACL", 48_000, 2, &hex(text))), Code::CodecConfig, "{text}");
    }
}

#[test]
fn adts_names_the_core() {
    let lc = config(&audio("AACL", 48_000, 2, &[]));
    assert_eq!(aac::adts_header(&lc, 371).unwrap().to_vec(), hex("FFF14C802F5FFC"));
    let he = config(&audio("AACH", 24_000, 2, &[]));
    assert_eq!(aac::adts_header(&he, 371).unwrap().to_vec(), hex("FFF158802F5FFC"));
    assert_eq!(aac::adts_header(&lc, 8184).unwrap()[3..6], [0x83, 0xFF, 0xFF]);
    assert_eq!(aac::adts_header(&lc, 8185), None);
    assert_eq!(aac::adts_header(&lc, u32::MAX), None);
    let odd = config(&audio("AACL", 37_000, 2, &[]));
    assert_eq!(aac::adts_header(&odd, 371), None);
    // Seven speakers and a subwoofer use the top bit of the channel configuration.
    let eight = config(&audio("AACL", 48_000, 8, &[]));
    assert_eq!(aac::adts_header(&eight, 371).unwrap().to_vec(), hex("FFF14DC02F5FFC"));
}

#[test]
fn parameter_sets_come_out_in_one_form() {
    let normal = stream(&[SPS, PPS]);
    assert_eq!(config(&video(&normal)).private[..], normal);
    // Three-byte start codes, zeros behind units, a delimiter, an SPS extension and SEI between, PPS first.
    let mut messy = std::vec![0, 0, 1, 9, 0xF0, 0, 0, 1];
    messy.extend_from_slice(PPS);
    messy.extend_from_slice(&[0, 0, 0, 0, 0, 1, 13, 1, 0, 0, 1]);
    messy.extend_from_slice(SPS);
    messy.extend_from_slice(&[0, 0, 1, 6, 5, 1, 0, 0, 0]);
    assert_eq!(config(&video(&messy)).private[..], normal);
    let several = stream(&[SPS, PPS, SPS, PPS, PPS]);
    assert_eq!(config(&video(&several)).private[..], stream(&[SPS, SPS, PPS, PPS, PPS]));
}

#[test]
fn a_ready_record_is_taken_apart() {
    let mut record = std::vec![1, 0x42, 0xC0, 0x0D, 0xFD, 0xE1, 0, SPS.len() as u8];
    record.extend_from_slice(SPS);
    record.extend_from_slice(&[1, 0, PPS.len() as u8]);
    record.extend_from_slice(PPS);
    let c = config(&video(&record));
    assert_eq!(c.private[..], stream(&[SPS, PPS]));
    assert_eq!(c.nal_length, 2);
    for cut in 1..record.len() {
        // Cut short, it holds fewer sets or none; it never panics and never holds half a set.
        let c = CodecConfig::from_description(&mut account(), &video(&record[..cut]), &Limits::default());
        if let Ok(c) = c {
            assert_eq!(c.private[..], stream(&[SPS]), "{cut}");
        }
    }
}

#[test]
fn private_bytes_without_parameter_sets() {
    let empty = config(&video(&[]));
    assert!(empty.private.is_empty());
    assert_eq!((empty.nal_length, &*codec_string(&empty)), (4, "avc1.4D401E"));
    assert_eq!(refused(&video(&[2, 3, 4])), Code::CodecConfig);
    assert_eq!(refused(&video(&[0, 0, 1, 9, 0xF0])), Code::CodecConfig);
    assert_eq!(refused(&video(&[0, 0, 0, 1])), Code::CodecConfig);
    let three = Description { nal_length: 3, ..video(&[]) };
    assert_eq!(refused(&three), Code::CodecConfig);
}

#[test]
fn parameter_sets_are_limited() {
    let limits = Limits { codec_config_bytes: 64 << 10, ..Limits::default() };
    let count = |sps: usize, pps: usize| {
        let mut units = std::vec![SPS; sps];
        units.extend(std::vec![PPS; pps]);
        let bytes = stream(&units);
        let mut a = account();
        let made = CodecConfig::from_description(&mut a, &video(&bytes), &limits);
        if made.is_err() {
            assert_eq!(a.held(), 0);
        }
        made.map(|c| c.private.len()).map_err(|e| e.code)
    };
    assert_eq!(count(32, 256), Ok(32 * 12 + 256 * 8));
    assert_eq!(count(33, 1), Err(Code::LimitCodecConfig));
    assert_eq!(count(1, 257), Err(Code::LimitCodecConfig));
    assert_eq!(refused(&video(&[0; 8193])), Code::LimitCodecConfig);
    assert_eq!(refused(&audio("WMA2", 1, 1, &[0; 8193])), Code::LimitCodecConfig);
}

#[test]
fn a_small_budget_is_an_error_and_nothing_stays() {
    let private = stream(&[SPS, PPS]);
    let mut a = Account::new(private.len() - 1);
    let e = CodecConfig::from_description(&mut a, &video(&private), &Limits::default()).unwrap_err();
    assert_eq!((e.code, a.held()), (Code::Budget, 0));
    let mut a = Account::new(private.len());
    let mut c = CodecConfig::from_description(&mut a, &video(&private), &Limits::default()).unwrap();
    assert_eq!(a.held(), private.len());
    c.free(&mut a);
    assert_eq!(a.held(), 0);
}

#[test]
fn a_missing_size_is_read_from_the_parameter_set() {
    let base = config(&video(&stream(&[SPS, PPS])));
    assert_eq!((base.width, base.height), (320, 240));
    assert_eq!(codec_string(&base), "avc1.42C00D");
    let high = high_sps();
    assert!(high.windows(3).all(|w| w != [0, 0, 1]), "the fixture must be escaped");
    let c = config(&video(&stream(&[&high, PPS])));
    assert_eq!((c.width, c.height), (1920, 1080));
    let private = stream(&[&high, PPS]);
    let given = config(&Description { width: 100, height: 50, ..video(&private) });
    assert_eq!((given.width, given.height), (100, 50));
    // A set that makes no sense leaves the size open and nothing else.
    let broken = config(&video(&stream(&[&[0x67, 100, 0, 40, 0, 0, 3, 0], PPS])));
    assert_eq!((broken.width, &*codec_string(&broken)), (0, "avc1.640028"));
}

#[test]
fn a_size_behind_escaped_bytes_is_read() {
    let mut w = BitWriter::default();
    // Order type 1 with an offset of so many zero bits that bytes must be escaped before the size.
    w.ue(0).ue(0).ue(1).u(1, 1).se(1 << 23).se(0).ue(0);
    w.ue(1).u(0, 1).ue(39).ue(29).u(1, 1).u(1, 1).u(0, 1).u(0, 1);
    let sps = w.nal(&[0x67, 77, 0, 30]);
    assert!(sps.windows(3).any(|w| w == [0, 0, 3]), "the fixture must be escaped");
    let c = config(&video(&stream(&[&sps, PPS])));
    assert_eq!((c.width, c.height), (640, 480));
}

#[test]
fn the_record_of_mp4_has_a_tail_for_high_profiles() {
    let mut a = account();
    let mut out = Bytes::new();
    h264::avcc(&config(&video(&stream(&[SPS, PPS]))), &mut a, &mut out).unwrap();
    let mut expected = std::vec![1, 0x42, 0xC0, 0x0D, 0xFF, 0xE1, 0, 8];
    expected.extend_from_slice(SPS);
    expected.extend_from_slice(&[1, 0, 4]);
    expected.extend_from_slice(PPS);
    assert_eq!(out[..], expected);
    out.clear();
    h264::avcc(&config(&video(&stream(&[&high_sps(), PPS]))), &mut a, &mut out).unwrap();
    assert_eq!(out[out.len() - 4..], [0xFE, 0xFA, 0xF9, 0]);
    let e = h264::avcc(&config(&video(&[])), &mut a, &mut out).unwrap_err();
    assert_eq!(e.code, Code::CodecConfig);
}

#[test]
fn parameter_sets_found_in_band_complete_a_configuration() {
    let mut a = account();
    let mut c = config(&video(&[]));
    assert_eq!(nal::lack(&c), nal::Lack::Essential);
    nal::adopt(&mut c, &mut a, &stream(&[&[9, 0xF0]])).unwrap();
    assert!(c.private.is_empty());
    nal::adopt(&mut c, &mut a, &stream(&[PPS])).unwrap();
    assert_eq!((nal::lack(&c), &c.private[..]), (nal::Lack::Essential, &stream(&[PPS])[..]));
    nal::adopt(&mut c, &mut a, &stream(&[SPS])).unwrap();
    assert_eq!((nal::lack(&c), &c.private[..]), (nal::Lack::Nothing, &stream(&[SPS, PPS])[..]));
    assert_eq!((c.width, c.height), (320, 240));
    // What comes later wins, kind by kind.
    let other = [0x68, 0xCE, 0x06, 0xE2];
    nal::adopt(&mut c, &mut a, &stream(&[&other])).unwrap();
    assert_eq!(c.private[..], stream(&[SPS, &other]));
    let held = a.held();
    let many = stream(&std::vec![PPS; 257]);
    assert_eq!(nal::adopt(&mut c, &mut a, &many).unwrap_err().code, Code::LimitCodecConfig);
    assert_eq!((a.held(), &c.private[..]), (held, &stream(&[SPS, &other])[..]));
}

#[test]
fn mangled_private_bytes_never_panic() {
    let seeds = [
        stream(&[SPS, PPS]),
        stream(&[&high_sps(), PPS]),
        hex("131056E59D4880"),
        hex("01420010FFE1000467420010"),
        pictures::hevc(&[pictures::VPS, pictures::SPS, pictures::PPS]),
        hex(sound::EC3),
        hex(sound::WMA2),
        hex(pictures::VC1),
    ];
    let mut x = 0x1234_5678_9ABC_DEF1u64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    let mut made = 0;
    for _ in 0..100_000 {
        let mut bytes = seeds[next() as usize % seeds.len()].clone();
        for _ in 0..1 + next() % 6 {
            let i = next() as usize % bytes.len();
            bytes[i] = next() as u8;
        }
        bytes.truncate(1 + next() as usize % bytes.len());
        let mut a = account();
        let hevc = Description { fourcc: FourCc::from_text("HVC1"), ..video(&bytes) };
        let vc1 = Description { fourcc: FourCc::from_text("WVC1"), ..video(&bytes) };
        let sounds = ["AACL", "WMA2", "WMAP", "AC-3", "EC-3"].map(|name| audio(name, 48_000, 2, &bytes));
        for d in [&[video(&bytes), hevc, vc1][..], &sounds].concat() {
            if let Ok(mut c) = CodecConfig::from_description(&mut a, &d, &Limits::default()) {
                made += 1;
                assert!(c.width <= 16_384 && c.height <= 16_384);
                assert!(!codec_string(&c).is_empty());
                let mut out = Bytes::new();
                for framing in [Framing::ElementaryStream, Framing::LengthPrefixed] {
                    let _ = record(&c, framing, &mut a, &mut out);
                }
                let _ = sample_entry(&c, 1, &mut a, &mut out);
                let _ = h265::complete(&mut c, &mut a);
                let _ = dolby::adopt_sync_frame(&mut c, &mut a, &bytes);
                let _ = captions(c.codec, &mut bytes.clone()).count();
                out.free(&mut a);
                let _ = aac::adts_header(&c, 300);
                c.free(&mut a);
            }
            assert_eq!(a.held(), 0);
        }
    }
    assert!(made > 10_000, "{made}");
}
