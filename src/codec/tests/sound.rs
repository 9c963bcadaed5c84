//! WMA, MPEG audio, PCM, AC-3 and EC-3, and TTML.

use super::*;
use crate::codec::wma::WaveFormat;

/// WMA 9: tag 0x0161, 2 channels, 44,100 Hz, 16,005 bytes a second, block 2,973, 16 bits, 10 bytes behind.
pub(super) const WMA2: &str = "6101020044AC0000853E00009D0B10000A00008800000F0000000000";
/// What WMA Professional has behind the 18 bytes: 24 bits, 5.1, flags.
const PRO_TAIL: &str = "18003F0000000000000000000000E0000000";
/// The tail of a WAVEFORMATEXTENSIBLE, and a record: 256 kbit/s, 48 kHz, 5.1.
pub(super) const EC3: &str = "00063F000000AF87FBA7022DFB42A4D405CD93843BDD0800200F00";

fn named<'a>(fourcc: &str, audio_tag: u32, private: &'a [u8]) -> Description<'a> {
    Description {
        audio_tag,
        bits_per_sample: 16,
        packet_size: 2973,
        bitrate: 128_040,
        ..audio(fourcc, 44_100, 2, private)
    }
}

#[test]
fn a_whole_wave_format_is_told_from_its_tail() {
    let whole = config(&named("WMA2", 65_534, &hex(WMA2)));
    assert_eq!((whole.codec, &whole.private[..]), (Codec::Wma, &hex(WMA2)[..]));
    assert_eq!((whole.audio_tag, whole.packet_size, whole.sampling_rate), (0x161, 2973, 44_100));
    // The tail alone: the numbers of the manifest before it make the same.
    let tail = config(&named("WMA2", 353, &hex(WMA2)[18..]));
    assert_eq!(tail.private[..], hex(WMA2));
    let nothing = config(&named("WMA2", 353, &[]));
    assert_eq!(nothing.private[..16], hex(WMA2)[..16]);
    assert_eq!(nothing.private[16..], [0, 0]);
    // 18 bytes that begin like no tag are a tail.
    let pro = config(&named("WMAP", 354, &hex(PRO_TAIL)));
    assert_eq!((pro.codec, pro.bits_per_sample, pro.audio_tag), (Codec::WmaPro, 24, 354));
    let wave = WaveFormat::read(&pro.private).unwrap();
    assert_eq!(
        (wave.tag, wave.channels, wave.align, wave.bits, wave.extra),
        (354, 2, 2973, 24, &hex(PRO_TAIL)[..])
    );
    assert_eq!(codec_string(&pro), "WMAP");
    assert_eq!(WaveFormat::whole(&hex(WMA2)[..20]), None, "cut short");
}

#[test]
fn names_and_tags_of_sound() {
    let codec = |name: &str, tag: u32, private: &str| config(&named(name, tag, &hex(private))).codec;
    assert_eq!(codec("WMAP", 0, ""), Codec::WmaPro);
    assert_eq!(codec("WmaPro", 354, ""), Codec::WmaPro);
    // One tag stands for two codecs in the format's description.
    assert_eq!(codec("WMAP", 353, PRO_TAIL), Codec::WmaPro);
    assert_eq!(codec("WMAP", 353, "00008800000F00000000"), Codec::Wma);
    assert_eq!(codec("WMAP", 354, WMA2), Codec::Wma);
    assert_eq!(codec("", 353, ""), Codec::Wma);
    assert_eq!(codec("", 354, ""), Codec::WmaPro);
    for tag in [0, 80, 85] {
        assert_eq!(codec("MP3", tag, ""), Codec::MpegAudio);
    }
    for name in ["WMAP", "AACL", "", "zzzz"] {
        assert_eq!(codec(name, 85, ""), Codec::MpegAudio, "{name}");
    }
    assert_eq!(codec("WMAP", 255, ""), Codec::Aac);
    assert_eq!(codec("", 1, ""), Codec::Pcm);
    assert_eq!(codec("", 0x2000, ""), Codec::Ac3);
    assert_eq!(codec("", 65_534, ""), Codec::Eac3);
    for name in ["EC-3", "ec-3", "dec3"] {
        assert_eq!(codec(name, 65_534, EC3), Codec::Eac3, "{name}");
    }
    for name in ["AC-3", "ac-3", "dac3"] {
        assert_eq!(codec(name, 0, ""), Codec::Ac3, "{name}");
    }
    assert_eq!(codec("opus", 65_534, ""), Codec::Other);
    for name in ["TTML", "DFXP", "dfxp"] {
        let d = Description { fourcc: FourCc::from_text(name), ..Description::new(Kind::Text) };
        assert_eq!((config(&d).codec, &*codec_string(&config(&d))), (Codec::Ttml, "stpp.ttml"), "{name}");
    }
}

#[test]
fn mp3_and_pcm_have_a_wave_format() {
    let mp3 = config(&named("WMAP", 85, &[]));
    assert_eq!((mp3.fourcc, &*codec_string(&mp3)), (FourCc(*b"MP3 "), "mp4a.6B"));
    assert_eq!(mp3.private[..], hex("5500020044AC0000853E00009D0B10000000"));
    let pcm = config(&Description { packet_size: 0, bitrate: 0, ..named("PCM", 1, &[]) });
    assert_eq!(pcm.private[..], hex("0100020044AC000010B10200040010000000"));
}

#[test]
fn an_asc_inside_a_wave_format_is_found() {
    let wave = hex("FF00020080BB0000000000000100100002001190");
    let c = config(&audio("AACL", 48_000, 2, &wave));
    assert_eq!(c.private[..], hex("1190"));
    // The MPEG-4 form has twelve bytes of its own before it.
    let wave = hex("1016020080BB000000000000010010000E000000FE00000000000000000011B0");
    assert_eq!(config(&audio("AACL", 48_000, 2, &wave)).private[..], hex("11B0"));
}

#[test]
fn ec3_keeps_its_record_alone() {
    let record = hex("0800200F00");
    assert_eq!(config(&named("EC-3", 65_534, &hex(EC3))).private[..], record);
    assert_eq!(config(&named("EC-3", 65_534, &record)).private[..], record);
    // No record behind the tail, or no sense in it: the first sync frame will tell.
    assert!(config(&named("EC-3", 65_534, &hex(EC3)[..22])).private.is_empty());
    assert!(config(&named("EC-3", 65_534, &hex("00063F0000000102030405060708"))).private.is_empty());
    assert_eq!(codec_string(&config(&named("EC-3", 65_534, &[]))), "ec-3");
}

fn adopted(name: &str, sample: &str) -> Option<CodecConfig> {
    let mut c = config(&audio(name, 48_000, 2, &[]));
    dolby::adopt_sync_frame(&mut c, &mut account(), &hex(sample)).unwrap().then_some(c)
}

#[test]
fn ac3_is_described_by_its_first_sync_frame() {
    // 48 kHz: stereo at 128 kbit/s; 5.1 at 384 kbit/s.
    let stereo = adopted("AC-3", "0B773E71104043E106F0B018").unwrap();
    assert_eq!((&stereo.private[..], stereo.sampling_rate, stereo.channels), (&hex("101100")[..], 48_000, 2));
    let surround = adopted("ac-3", "0B7794121C40EBF8403EFF74").unwrap();
    assert_eq!((&surround.private[..], surround.channels), (&hex("103DC0")[..], 6));
    assert!(adopted("AC-3", "0B763E71104043E106F0B018").is_none());
    assert!(adopted("AC-3", "0B77").is_none());
    // What the manifest gave stays.
    let mut given = config(&audio("AC-3", 48_000, 2, &hex("101180")));
    dolby::adopt_sync_frame(&mut given, &mut account(), &hex("0B773E71104043E106F0B018")).unwrap();
    assert_eq!(given.private[..], hex("101180"));
}

#[test]
fn ec3_is_described_by_all_sync_frames_of_a_sample() {
    // One frame of six blocks and 512 bytes: 128 kbit/s, stereo.
    let mut frame = hex("0B7700FF3487C0002084210831001606");
    frame.resize(512, 0);
    let text =
        |bytes: &[u8]| -> std::string::String { bytes.iter().map(|b| std::format!("{b:02X}")).collect() };
    let c = adopted("EC-3", &text(&frame)).unwrap();
    assert_eq!((&c.private[..], c.sampling_rate, c.channels), (&hex("0400200400")[..], 48_000, 2));
    // A dependent substream of 256 bytes behind it adds a pair at the rear: 192 kbit/s, and where it is.
    let mut w = BitWriter::default();
    w.u(0x0B77, 16).u(1, 2).u(0, 3).u(127, 11).u(0, 2).u(3, 2).u(2, 3).u(0, 1).u(16, 5).u(31, 5).u(0, 1);
    w.u(1, 1).u(0x0200, 16);
    let mut dependent = w.nal(&[]);
    dependent.resize(256, 0);
    let c = adopted("EC-3", &text(&[frame, dependent].concat())).unwrap();
    assert_eq!(c.private[..], hex("060020040202"));
    assert_eq!(c.channels, 2);
}
