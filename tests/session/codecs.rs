//! Every codec through a session: the exact bytes that reach the decoder, in both framings.

use crate::common::{Link, Mode, Origin, Played, Recorder, play};
use crate::mp4_build::{mdat, moof_with, tfhd, trun};
use smoothcore::io::{DecoderTraits, EventKind, Framing, SampleFlags};
use smoothcore::session::{AudioChoice, Config, State};

const TICKS: u32 = 400_000;
const SYNC: u32 = 0x0200_0000;
const OTHER: u32 = 0x0101_0000;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks_exact(2).map(|d| d[0] << 4 | d[1]).collect()
}

/// NAL units behind lengths of so many bytes.
fn lengths(bytes: usize, units: &[&str]) -> Vec<u8> {
    let one = |unit: &&str| {
        let unit = hex(unit);
        [&(unit.len() as u32).to_be_bytes()[4 - bytes..], &unit].concat()
    };
    units.iter().flat_map(one).collect()
}

/// The same behind start codes.
fn coded(units: &[&str]) -> Vec<u8> {
    units.iter().flat_map(|unit| [vec![0, 0, 0, 1], hex(unit)].concat()).collect()
}

/// One fragment of samples; the first of them is flagged as a key frame.
fn fragment(samples: &[Vec<u8>]) -> Vec<u8> {
    let moof = moof_with(|size| {
        let mut fields = vec![size + 8];
        for (n, sample) in samples.iter().enumerate() {
            fields.extend_from_slice(&[TICKS, sample.len() as u32, if n == 0 { SYNC } else { OTHER }]);
        }
        vec![tfhd(0, &[]), trun(0x701, samples.len() as u32, &fields)]
    });
    [moof, mdat(&samples.concat())].concat()
}

struct Level {
    attributes: &'static str,
    fragments: Vec<Vec<Vec<u8>>>,
}

/// A presentation of one stream. Levels are told apart by their bitrates, 1 and up.
fn origin(kind: &str, levels: &[Level]) -> Origin {
    let mut origin = Origin::default();
    let mut xml = format!(
        "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"2\" Duration=\"0\"><StreamIndex Type=\"{kind}\" Url=\"Q({{bitrate}})/F({{start time}})\">"
    );
    for (n, level) in levels.iter().enumerate() {
        xml += &format!("<QualityLevel Index=\"{n}\" Bitrate=\"{}\" {}/>", n + 1, level.attributes);
        let mut time = 0;
        for samples in &level.fragments {
            origin.responses.insert(format!("Q({})/F({time})", n + 1), fragment(samples));
            time += samples.len() as u32 * TICKS;
        }
    }
    let mut time = 0;
    for samples in &levels[0].fragments {
        let duration = samples.len() as u32 * TICKS;
        xml += &format!("<c t=\"{time}\" d=\"{duration}\"/>");
        time += duration;
    }
    xml += "</StreamIndex></SmoothStreamingMedia>";
    origin.responses.insert("Manifest".into(), xml.into_bytes());
    origin
}

fn run(origin: &Origin, framing: Framing, flags: u32) -> Played {
    let mut decoder = Recorder::unpaced();
    decoder.traits = DecoderTraits { framing, flags: flags | DecoderTraits::UNPACED };
    let config = Config { audio: AudioChoice::First, budget: 1 << 20, ..Config::default() };
    let played = play(Mode::EventLoop, config, Link::new(origin.clone(), &[7, 100]), decoder);
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.link.balance, 0);
    played
}

fn single(kind: &str, attributes: &'static str, fragments: &[Vec<Vec<u8>>]) -> Origin {
    origin(kind, &[Level { attributes, fragments: fragments.to_vec() }])
}

fn bytes(played: &Played) -> Vec<Vec<u8>> {
    played.decoder.samples.iter().map(|s| s.bytes.clone()).collect()
}

fn keys(played: &Played) -> Vec<bool> {
    played.decoder.samples.iter().map(|s| SampleFlags(s.flags).has(SampleFlags::KEY)).collect()
}

/// Codec name and record of the first set-up.
fn setup(played: &Played) -> (&str, &[u8]) {
    let (_, name, record) = &played.decoder.records[0];
    (name, record)
}

const ES: Framing = Framing::ElementaryStream;
const FILE: Framing = Framing::LengthPrefixed;

const AVC_SPS: &str = "6742C00DDA0507E4";
const AVC_PPS: &str = "68CE3C80";
const AVC_IDR: &str = "658880";
const AVC_P: &str = "419A20";
const VPS: &str = "40010C01FFFF01600000030090000003000003003C959409";
const SPS: &str = "42010101600000030090000003000003003CA00A080F16595952930BC05A0200000300020000030032";
const PPS: &str = "4401C073C189";
const IDR: &str = "2601AF0B";
const TRAIL: &str = "0201D001";

const HEVC: &str = "FourCC=\"HVC1\" MaxWidth=\"320\" MaxHeight=\"240\" CodecPrivateData=\"0000000140010C01FFFF01600000030090000003000003003C9594090000000142010101600000030090000003000003003CA00A080F16595952930BC05A0200000300020000030032000000014401C073C189\"";
const HEVC_NO_VPS: &str = "FourCC=\"HVC1\" MaxWidth=\"320\" MaxHeight=\"240\" CodecPrivateData=\"0000000142010101600000030090000003000003003CA00A080F16595952930BC05A0200000300020000030032000000014401C073C189\"";

fn hevc_fragments() -> Vec<Vec<Vec<u8>>> {
    vec![
        vec![lengths(4, &[IDR, IDR]), lengths(4, &[TRAIL])],
        // Brings its own delimiter and sets.
        vec![lengths(4, &["460150", VPS, SPS, PPS, IDR]), lengths(4, &[TRAIL])],
    ]
}

#[test]
fn h265_in_start_codes_and_as_it_lies_in_the_file() {
    let origin = single("video", HEVC, &hevc_fragments());
    let played = run(&origin, ES, 0);
    let sets = coded(&[VPS, SPS, PPS]);
    assert_eq!(setup(&played), ("hvc1.1.6.L60.90", &sets[..]));
    assert_eq!(
        bytes(&played),
        [
            [sets, coded(&[IDR, IDR])].concat(),
            coded(&[TRAIL]),
            coded(&["460150", VPS, SPS, PPS, IDR]),
            coded(&[TRAIL])
        ]
    );
    assert_eq!(keys(&played), [true, false, true, false]);
    assert_eq!(played.count(EventKind::NoKeyFrame), 0);

    let played = run(&origin, FILE, 0);
    assert_eq!(setup(&played).1[..13], hex("01016000000090000000000 03C"));
    assert_eq!(bytes(&played), hevc_fragments().concat());
}

#[test]
fn h265_gets_delimiters_and_sets_where_the_decoder_wants_them() {
    let fragments = [
        vec![lengths(4, &[IDR]), lengths(4, &["460150", TRAIL])],
        vec![lengths(4, &[IDR])],
        vec![lengths(4, &[VPS, SPS, PPS, IDR])],
    ];
    let origin = single("video", HEVC, &fragments);
    let played = run(&origin, ES, DecoderTraits::NEEDS_AUD | DecoderTraits::REPEAT_PARAMETER_SETS);
    let all = coded(&["460150", VPS, SPS, PPS, IDR]);
    assert_eq!(bytes(&played), [all.clone(), coded(&["460150", TRAIL]), all.clone(), all]);
    // In one piece each.
    let contiguous = run(&origin, ES, DecoderTraits::CONTIGUOUS | DecoderTraits::NEEDS_AUD);
    assert_eq!(bytes(&contiguous)[0], coded(&["460150", VPS, SPS, PPS, IDR]));
}

#[test]
fn h265_without_vps_finds_it_in_band_or_makes_one() {
    // In band: it goes to the front of what the manifest has.
    let origin = single("video", HEVC_NO_VPS, &[vec![lengths(4, &[VPS, IDR]), lengths(4, &[TRAIL])]]);
    let played = run(&origin, ES, 0);
    assert_eq!(setup(&played).1, coded(&[VPS, SPS, PPS]));
    // Its own set comes with the sample, too; what is missing before it does not stay away.
    assert_eq!(bytes(&played)[0], coded(&[VPS, SPS, PPS, VPS, IDR]));
    let origin = single("video", HEVC_NO_VPS, &[vec![lengths(4, &[IDR])]]);
    for framing in [ES, FILE] {
        let played = run(&origin, framing, 0);
        let made = hex("40010C01FFFF01600000030090000003000003003C159409");
        assert!(setup(&played).1.windows(made.len()).any(|w| w == made), "{framing:?}");
        assert_eq!(setup(&played).0, "hvc1.1.6.L60.90");
    }
}

#[test]
fn short_lengths_of_h265_and_h264_become_start_codes() {
    let attributes = "FourCC=\"H264\" NALUnitLengthField=\"1\" CodecPrivateData=\"000000016742C00DDA0507E40000000168CE3C80\"";
    let samples = vec![lengths(1, &[AVC_IDR, "650102"]), lengths(1, &[AVC_P])];
    let played = run(&single("video", attributes, std::slice::from_ref(&samples)), ES, 0);
    assert_eq!(bytes(&played), [coded(&[AVC_SPS, AVC_PPS, AVC_IDR, "650102"]), coded(&[AVC_P])]);
    let played = run(&single("video", attributes, std::slice::from_ref(&samples)), FILE, 0);
    assert_eq!(setup(&played).1, hex("0142C00DFC E10008 6742C00DDA0507E4 010004 68CE3C80"));
    assert_eq!(bytes(&played), samples);
    let two = HEVC.replace("FourCC", "NALUnitLengthField=\"2\" FourCC").leak();
    let played = run(&single("video", two, &[vec![lengths(2, &[IDR])]]), ES, DecoderTraits::CONTIGUOUS);
    assert_eq!(bytes(&played), [coded(&[VPS, SPS, PPS, IDR])]);
}

#[test]
fn sets_that_are_in_band_alone_delay_the_set_up() {
    for (name, fragments, sets, hole) in [
        (
            "FourCC=\"H264\" CodecPrivateData=\"\"",
            [
                vec![lengths(4, &[AVC_P]), lengths(4, &[AVC_P])],
                vec![lengths(4, &[AVC_SPS, AVC_PPS, AVC_IDR]), lengths(4, &[AVC_P])],
            ],
            coded(&[AVC_SPS, AVC_PPS]),
            2,
        ),
        (
            "FourCC=\"hev1\"",
            [
                vec![lengths(4, &[TRAIL]), lengths(4, &[TRAIL])],
                vec![lengths(4, &[VPS, SPS, PPS, IDR]), lengths(4, &[TRAIL])],
            ],
            coded(&[VPS, SPS, PPS]),
            2,
        ),
        (
            // In the second sample: the first cannot be decoded, and is not held back.
            "FourCC=\"H264\" CodecPrivateData=\"\"",
            [
                vec![lengths(4, &[AVC_P]), lengths(4, &[AVC_SPS, AVC_PPS, AVC_IDR])],
                vec![lengths(4, &[AVC_IDR]), lengths(4, &[AVC_P])],
            ],
            coded(&[AVC_SPS, AVC_PPS]),
            0,
        ),
    ] {
        let origin = single("video", name, &fragments);
        let played = run(&origin, ES, 0);
        assert_eq!(setup(&played).1, sets);
        assert_eq!(played.decoder.samples.len(), 4 - hole);
        assert_eq!(played.count(EventKind::Gap), hole / 2);
        let played = run(&origin, FILE, 0);
        assert_eq!(setup(&played).1[0], 1);
        assert_eq!(bytes(&played), fragments.concat()[hole..]);
    }
}

#[test]
fn sets_of_the_manifest_and_of_the_stream_both_pass() {
    let other = "68CE06E2";
    let samples = vec![lengths(4, &[AVC_IDR]), lengths(4, &[AVC_SPS, other, AVC_IDR])];
    let attributes = "FourCC=\"H264\" CodecPrivateData=\"000000016742C00DDA0507E40000000168CE3C80\"";
    let played = run(&single("video", attributes, &[samples]), ES, 0);
    assert_eq!(bytes(&played), [coded(&[AVC_SPS, AVC_PPS, AVC_IDR]), coded(&[AVC_SPS, other, AVC_IDR])]);
}

#[test]
fn a_start_without_key_frame_is_told_and_passed() {
    let attributes = "FourCC=\"H264\" CodecPrivateData=\"000000016742C00DDA0507E40000000168CE3C80\"";
    let avc = |first: &[&str]| single("video", attributes, &[vec![lengths(4, first), lengths(4, &[AVC_P])]]);
    for framing in [ES, FILE] {
        let played = run(&avc(&["09F0", AVC_P]), framing, 0);
        assert_eq!((played.decoder.samples.len(), played.count(EventKind::NoKeyFrame)), (2, 1));
        assert_eq!(keys(&played), [false, false]);
        let event = played.events.iter().find(|e| e.kind == EventKind::NoKeyFrame).unwrap();
        assert_eq!((event.a, event.b, event.media_time.unwrap().0), (1, 0, 0));
        // A recovery point behind another message is as good as an IDR picture.
        let played = run(&avc(&["0605020102060480", AVC_P]), framing, 0);
        assert_eq!((keys(&played), played.count(EventKind::NoKeyFrame)), (vec![true, false], 0));
        let played = run(&single("video", HEVC, &[vec![lengths(4, &[TRAIL])]]), framing, 0);
        assert_eq!((keys(&played), played.count(EventKind::NoKeyFrame)), (vec![false], 1));
        // A clean random access picture (type 21).
        let played = run(&single("video", HEVC, &[vec![lengths(4, &["2A01AF0B"])]]), framing, 0);
        assert_eq!((keys(&played), played.count(EventKind::NoKeyFrame)), (vec![true], 0));
    }
    // In the middle of one level it concerns nobody but the flag.
    let fragments = [vec![lengths(4, &[AVC_IDR])], vec![lengths(4, &[AVC_P])]];
    let played = run(&single("video", attributes, &fragments), ES, 0);
    assert_eq!((keys(&played), played.count(EventKind::NoKeyFrame)), (vec![true, false], 0));
}

const VC1: &str = "FourCC=\"WVC1\" MaxWidth=\"720\" MaxHeight=\"480\" CodecPrivateData=\"250000010FD3FF1670EF48800000010E5A67F840\"";
const VC1_HEADERS: &str = "0000010FD3FF1670EF48800000010E5A67F840";

#[test]
fn vc1_gets_headers_before_key_frames_and_a_code_before_each() {
    let fragments = [
        vec![hex("C0FFEE"), hex("10203040"), hex("0000010D55")],
        vec![hex("0000010F D3FF"), hex("70")],
        vec![hex("0000010E5A"), hex("71")],
    ];
    let origin = single("video", VC1, &fragments);
    for flags in [0, DecoderTraits::CONTIGUOUS] {
        let played = run(&origin, ES, flags);
        assert_eq!(setup(&played), ("WVC1", &hex(VC1_HEADERS)[..]));
        let headers = hex(VC1_HEADERS);
        assert_eq!(
            bytes(&played),
            [
                [&headers[..], &hex("0000010D C0FFEE")].concat(),
                hex("0000010D 10203040"),
                hex("0000010D55"),
                hex("0000010F D3FF"),
                hex("0000010D70"),
                [&headers[..], &hex("0000010E5A")].concat(),
                hex("0000010D71"),
            ]
        );
    }
    let played = run(&origin, FILE, 0);
    assert_eq!(bytes(&played), fragments.concat());
}

#[test]
fn sound_in_every_form() {
    let ec3 = "FourCC=\"EC-3\" AudioTag=\"65534\" SamplingRate=\"48000\" Channels=\"6\" CodecPrivateData=\"00063F000000AF87FBA7022DFB42A4D405CD93843BDD0800200F00\"";
    let wma = "FourCC=\"WMA2\" AudioTag=\"353\" SamplingRate=\"44100\" Channels=\"2\" BitsPerSample=\"16\" PacketSize=\"2973\" CodecPrivateData=\"6101020044AC0000853E00009D0B10000A00008800000F0000000000\"";
    let pro = "FourCC=\"WmaPro\" AudioTag=\"354\" SamplingRate=\"48000\" Channels=\"6\" BitsPerSample=\"16\" PacketSize=\"8192\" CodecPrivateData=\"18003F0000000000000000000000E0000000\"";
    let pcm = "AudioTag=\"1\" SamplingRate=\"48000\" Channels=\"2\" BitsPerSample=\"16\" PacketSize=\"4\"";
    for (attributes, name, record) in [
        (ec3, "ec-3", "0800200F00"),
        ("FourCC=\"AC-3\" SamplingRate=\"48000\" CodecPrivateData=\"\"", "ac-3", "101100"),
        (wma, "WMA2", "6101020044AC0000853E00009D0B10000A00008800000F0000000000"),
        (pro, "WmaP", "6201060080BB00000000000000201800120018003F0000000000000000000000E0000000"),
        (
            "FourCC=\"WMAP\" AudioTag=\"85\" SamplingRate=\"44100\" Channels=\"2\" PacketSize=\"1\"",
            "mp4a.6B",
            "5500020044AC000000000000010010000000",
        ),
        (pcm, "PCM", "0100020080BB000000EE0200040010000000"),
        ("FourCC=\"dtsc\" CodecPrivateData=\"0102\"", "dtsc", "0102"),
        ("AudioTag=\"8193\" CodecPrivateData=\"0102\"", "", "0102"),
    ] {
        // Both begin as AC-3 does, so that the codec without a record finds one.
        let fragments = [vec![hex("0B773E71104043E106F0B018"), hex("0B773E71104043E1")]];
        for framing in [ES, FILE] {
            let played = run(&single("audio", attributes, &fragments), framing, 0);
            assert_eq!(setup(&played), (name, &hex(record)[..]), "{attributes}");
            assert_eq!(bytes(&played), fragments.concat(), "raw in both framings");
            assert_eq!(keys(&played), [true, true]);
        }
    }
}

#[test]
fn aac_gets_a_header_for_streams_only() {
    let samples = vec![vec![0x21; 364], vec![0x22; 10]];
    for (attributes, name, asc, adts) in [
        ("FourCC=\"AACL\" SamplingRate=\"48000\" Channels=\"2\"", "mp4a.40.2", "1190", "FFF14C802E7FFC"),
        ("FourCC=\"AACH\" SamplingRate=\"24000\" Channels=\"2\"", "mp4a.40.5", "2B118800", "FFF158802E7FFC"),
        ("FourCC=\"AACP\" SamplingRate=\"48000\" Channels=\"2\"", "mp4a.40.29", "EB098800", "FFF158402E7FFC"),
        (
            "FourCC=\"\" AudioTag=\"255\" SamplingRate=\"44100\" Channels=\"2\" CodecPrivateData=\"121000000000\"",
            "mp4a.40.2",
            "1210",
            "FFF150802E7FFC",
        ),
    ] {
        let origin = single("audio", attributes, std::slice::from_ref(&samples));
        let played = run(&origin, ES, 0);
        assert_eq!(setup(&played), (name, &hex(asc)[..]));
        assert_eq!(bytes(&played)[0], [hex(adts), samples[0].clone()].concat());
        let played = run(&origin, FILE, 0);
        assert_eq!(setup(&played).1, hex(asc));
        assert_eq!(bytes(&played), samples);
    }
}

#[test]
fn an_unknown_picture_codec_goes_to_the_decoder_as_it_is() {
    let samples = vec![hex("00000001"), hex("FF")];
    let unknown =
        Level { attributes: "FourCC=\"av01\" CodecPrivateData=\"8105\"", fragments: vec![samples.clone()] };
    for framing in [ES, FILE] {
        let played = run(&origin("video", std::slice::from_ref(&unknown)), framing, 0);
        assert_eq!(setup(&played), ("av01", &hex("8105")[..]));
        assert_eq!(bytes(&played), samples);
    }
    // Beside one that the library knows, it is left out wherever it stands.
    let known = Level {
        attributes: "FourCC=\"H264\" CodecPrivateData=\"000000016742C00DDA0507E40000000168CE3C80\"",
        fragments: vec![vec![lengths(4, &[AVC_IDR]), lengths(4, &[AVC_P])]],
    };
    let played = run(&origin("video", &[unknown, known]), ES, 0);
    assert_eq!(bytes(&played), [coded(&[AVC_SPS, AVC_PPS, AVC_IDR]), coded(&[AVC_P])]);
}

#[test]
fn a_switch_to_a_level_without_key_frames_is_told() {
    // Fragments of two seconds; the second level never starts one with a key frame.
    let fragments = |first: &str| {
        (0..6).map(|_| (0..50).map(|n| lengths(4, &[if n == 0 { first } else { AVC_P }])).collect()).collect()
    };
    let levels = [
        Level {
            attributes: "FourCC=\"H264\" CodecPrivateData=\"000000016742C00DDA0507E40000000168CE3C80\"",
            fragments: fragments(AVC_IDR),
        },
        Level {
            attributes: "FourCC=\"H264\" CodecPrivateData=\"000000016742C00DDA0507E40000000168CE06E2\"",
            fragments: fragments(AVC_P),
        },
    ];
    let played = run(&origin("video", &levels), ES, 0);
    assert_eq!(played.decoder.samples.len(), 300, "nothing is lost");
    let high: Vec<_> = played.decoder.samples.iter().filter(|s| s.bitrate == 2).collect();
    assert!(!high.is_empty() && high.len() < 300, "both levels were played");
    assert_eq!(played.count(EventKind::NoKeyFrame), played.count(EventKind::Switch), "once a switch");
    assert!(high.iter().all(|s| !SampleFlags(s.flags).has(SampleFlags::KEY)));
    assert!(SampleFlags(high[0].flags).has(SampleFlags::CONFIG));
    assert_eq!(high[0].bytes, coded(&[AVC_SPS, "68CE06E2", AVC_P]));
}
