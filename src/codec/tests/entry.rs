//! Sample entries of MP4 in both directions.

use super::*;

fn entry(c: &CodecConfig) -> (EntryNames, Vec<u8>) {
    let mut a = account();
    let mut out = Bytes::new();
    let names = sample_entry(c, 96_000, &mut a, &mut out).unwrap();
    (names, out.to_vec())
}

fn back(names: EntryNames, payload: &[u8], kind: Kind) -> CodecConfig {
    let numbers = EntryNumbers {
        kind,
        width: 320,
        height: 240,
        channels: 2,
        bits_per_sample: 16,
        sampling_rate: 48_000,
        bitrate: 96_000,
    };
    from_sample_entry(names.entry, payload, &numbers, &mut account(), &Limits::default()).unwrap()
}

#[test]
fn esds_takes_a_configuration_of_any_length() {
    let (names, esds) = entry(&config(&audio("AACL", 48_000, 2, &[])));
    assert_eq!(names, EntryNames { entry: *b"mp4a", config: Some(*b"esds") });
    let expected = "00000000_0319000000_04114015000600_0001770000017700_05021190_060102".replace('_', "");
    assert_eq!(esds, hex(&expected));
    // Four bytes of explicit signalling, and one so long that lengths take two bytes.
    let (_, esds) = entry(&config(&audio("AACH", 24_000, 2, &[])));
    assert_eq!((esds[5], esds[10], esds[24], esds[25]), (27, 19, 5, 4));
    let mut long = hex("F8E620");
    long.resize(300, 7);
    let c = config(&audio("AACL", 48_000, 2, &long));
    let (names, esds) = entry(&c);
    assert_eq!(esds[4..7], [3, 0x82, 0x45]);
    assert_eq!(back(names, &esds, Kind::Audio).private[..], long);
}

#[test]
fn every_codec_comes_back_from_its_sample_entry() {
    let avc = stream(&[SPS, PPS]);
    let hevc = pictures::hevc(&[pictures::VPS, pictures::SPS, pictures::PPS]);
    let vc1 = hex(pictures::VC1);
    let (wma, ec3) = (hex(sound::WMA2), hex(sound::EC3));
    let shown = |name: &str, private| Description { fourcc: FourCc::from_text(name), ..video(private) };
    for (d, name, kind) in [
        (video(&avc), b"avc1", Kind::Video),
        (shown("HVC1", &hevc), b"hvc1", Kind::Video),
        (shown("WVC1", &vc1), b"vc-1", Kind::Video),
        (audio("AACH", 24_000, 2, &[]), b"mp4a", Kind::Audio),
        (audio("WMA2", 44_100, 2, &wma), b"wma ", Kind::Audio),
        (audio("AC-3", 48_000, 2, &[0x10, 0x11, 0]), b"ac-3", Kind::Audio),
        (audio("EC-3", 48_000, 6, &ec3), b"ec-3", Kind::Audio),
    ] {
        let given = config(&d);
        let (names, payload) = entry(&given);
        assert_eq!(names.entry, *name);
        let c = back(names, &payload, kind);
        assert_eq!((c.codec, &c.private[..]), (given.codec, &given.private[..]), "{name:?}");
        assert_eq!(codec_string(&c), codec_string(&given));
    }
    for (d, name, kind) in [
        (Description { audio_tag: 85, ..audio("", 48_000, 2, &[]) }, b"mp4a", Kind::Audio),
        (Description { bits_per_sample: 16, ..audio("PCM", 48_000, 2, &[]) }, b"ipcm", Kind::Audio),
        (
            Description { fourcc: FourCc::from_text("DFXP"), ..Description::new(Kind::Text) },
            b"stpp",
            Kind::Text,
        ),
        (audio("dtsc", 48_000, 6, &[]), b"dtsc", Kind::Audio),
    ] {
        let given = config(&d);
        let (names, payload) = entry(&given);
        assert_eq!(names.entry, *name);
        assert_eq!(back(names, &payload, kind).codec, given.codec, "{name:?}");
    }
    assert_eq!(
        entry(&config(&Description { bits_per_sample: 16, ..audio("PCM", 1, 1, &[]) })).1,
        [0, 0, 0, 0, 1, 16]
    );
}

#[test]
fn an_entry_without_parameter_sets_cannot_be_made() {
    let mut a = account();
    let mut out = Bytes::new();
    for name in ["H264", "HVC1"] {
        let c = config(&Description { fourcc: FourCc::from_text(name), ..video(&[]) });
        assert_eq!(sample_entry(&c, 0, &mut a, &mut out).unwrap_err().code, Code::CodecConfig);
        assert!(out.is_empty());
    }
}

#[test]
fn broken_descriptors_are_refused() {
    let numbers = EntryNumbers {
        kind: Kind::Audio,
        width: 0,
        height: 0,
        channels: 2,
        bits_per_sample: 16,
        sampling_rate: 48_000,
        bitrate: 0,
    };
    let good = entry(&config(&audio("AACL", 48_000, 2, &[]))).1;
    for cut in 1..good.len() {
        let made = from_sample_entry(*b"mp4a", &good[..cut], &numbers, &mut account(), &Limits::default());
        // Without its last bytes, the numbers make the same configuration.
        match made {
            Ok(c) => assert_eq!(c.private[..], [0x11, 0x90], "{cut}"),
            Err(e) => assert_eq!(e.code, Code::CodecConfig, "{cut}"),
        }
    }
    // No box at all.
    let made = from_sample_entry(*b"mp4a", &[], &numbers, &mut account(), &Limits::default()).unwrap();
    assert_eq!((made.codec, &made.private[..]), (Codec::Aac, &[0x11, 0x90][..]));
}
