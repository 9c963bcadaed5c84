//! H.265 and VC-1.

use super::*;

/// Parameter sets of 320x240 pictures in the main profile, as an encoder writes them.
pub(super) const VPS: &str = "40010C01FFFF01600000030090000003000003003C959409";
pub(super) const SPS: &str =
    "42010101600000030090000003000003003CA00A080F16595952930BC05A0200000300020000030032";
pub(super) const PPS: &str = "4401C073C189";
/// A byte of unknown meaning, a sequence header of 720x480 interlaced pictures at level 2, an entry point.
pub(super) const VC1: &str = "250000010FD3FF1670EF48800000010E5A67F840";

pub(super) fn hevc(units: &[&str]) -> Vec<u8> {
    let units: Vec<Vec<u8>> = units.iter().map(|u| hex(u)).collect();
    stream(&units.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn described<'a>(name: &str, private: &'a [u8]) -> Description<'a> {
    Description { fourcc: FourCc::from_text(name), private, ..Description::new(Kind::Video) }
}

fn records(c: &CodecConfig) -> (Vec<u8>, Vec<u8>) {
    let mut a = account();
    let mut made = |framing| {
        let mut out = Bytes::new();
        record(c, framing, &mut a, &mut out).unwrap();
        out.to_vec()
    };
    (made(Framing::ElementaryStream), made(Framing::LengthPrefixed))
}

#[test]
fn every_name_of_h265_and_vc1_is_known() {
    for name in ["HVC1", "hvc1", "HEV1", "hev1", "HEVC", "DVHE", "DVH1"] {
        assert_eq!(config(&described(name, &[])).codec, Codec::H265, "{name}");
    }
    for name in ["WVC1", "wvc1"] {
        assert_eq!(config(&described(name, &[])).codec, Codec::Vc1, "{name}");
    }
}

#[test]
fn the_record_of_h265_has_no_emulation_prevention_in_its_profile() {
    let c = config(&described("HVC1", &hevc(&[PPS, SPS, VPS])));
    assert_eq!((c.width, c.height, c.nal_length), (320, 240, 4));
    let (annex_b, hvcc) = records(&c);
    assert_eq!(annex_b, hevc(&[VPS, SPS, PPS]));
    let mut expected = hex("010160000000900000000000_3CF000FCFDF8F800000F03".replace('_', "").as_str());
    for (kind, unit) in [(0xA0u8, VPS), (0xA1, SPS), (0xA2, PPS)] {
        let unit = hex(unit);
        expected.extend_from_slice(&[kind, 0, 1, 0, unit.len() as u8]);
        expected.extend_from_slice(&unit);
    }
    assert_eq!(hvcc, expected);
    assert_eq!(codec_string(&c), "hvc1.1.6.L60.90");
    // Ready records are taken apart again.
    let again = config(&described("HVC1", &hvcc));
    assert_eq!(again.private[..], annex_b);
    for cut in 0..hvcc.len() {
        let _ = CodecConfig::from_description(
            &mut account(),
            &described("HVC1", &hvcc[..cut]),
            &Limits::default(),
        );
    }
}

#[test]
fn without_vps_the_name_says_that_sets_come_in_band() {
    let c = config(&described("HVC1", &hevc(&[SPS, PPS])));
    assert_eq!((nal::lack(&c), &*codec_string(&c)), (nal::Lack::Vps, "hev1.1.6.L60.90"));
    let (_, hvcc) = records(&c);
    // One is made, and more of each kind may come.
    assert_eq!((hvcc[22], hvcc[23], hvcc[27]), (3, 0x20, 24));
    let mut a = account();
    let mut out = Bytes::new();
    assert_eq!(sample_entry(&c, 0, &mut a, &mut out).unwrap().entry, *b"hev1");
    let all = config(&described("hev1", &hevc(&[VPS, SPS, PPS])));
    assert_eq!(
        sample_entry(&all, 0, &mut a, &mut out).unwrap(),
        EntryNames { entry: *b"hev1", config: Some(*b"hvcC") }
    );
    let all = config(&described("HEVC", &hevc(&[VPS, SPS, PPS])));
    assert_eq!(sample_entry(&all, 0, &mut a, &mut out).unwrap().entry, *b"hvc1");
}

#[test]
fn a_vps_is_made_from_the_sps() {
    let mut a = account();
    let mut c = config(&described("HVC1", &hevc(&[SPS, PPS])));
    h265::complete(&mut c, &mut a).unwrap();
    assert_eq!(nal::lack(&c), nal::Lack::Nothing);
    // The profile of the SPS, and the order of pictures that the encoder wrote in its own VPS.
    let made = c.private.windows(4).skip(1).position(|w| w == [0, 0, 0, 1]).unwrap() + 1;
    assert_eq!(c.private[4..made], hex("40010C01FFFF01600000030090000003000003003C159409")[..]);
    assert_eq!(c.private[made..], hevc(&[SPS, PPS]));
    let before = c.private.to_vec();
    h265::complete(&mut c, &mut a).unwrap();
    assert_eq!(c.private[..], before);
}

#[test]
fn sub_layers_are_walked_over_and_copied() {
    // Three sub-layers: the first with profile and level, the second with its level alone.
    let mut w = BitWriter::default();
    w.u(3, 4).u(2, 3).u(1, 1);
    w.u(0x22, 8).u(0x2000_0000, 32).u(0x9000_0000, 32).u(0, 16).u(93, 8);
    w.u(0b1101, 4).u(0, 12);
    w.u(0x02, 8).u(0x4000_0000, 32).u(0x8000_0000, 32).u(0, 16).u(60, 8);
    w.u(63, 8);
    w.ue(0).ue(1).ue(1920).ue(1088).u(1, 1).ue(0).ue(0).ue(0).ue(4);
    w.ue(2).ue(2).ue(4);
    w.u(1, 1);
    for (held, late) in [(1, 0), (2, 1), (4, 2)] {
        w.ue(held).ue(late).ue(0);
    }
    w.u(0, 9);
    let sps = w.nal(&[0x42, 0x01]);
    let private = stream(&[&sps, &hex(PPS)]);
    let mut c = config(&described("HVC1", &private));
    assert_eq!((c.width, c.height), (1920, 1080));
    assert_eq!(codec_string(&c), "hev1.2.4.H93.90");
    let hvcc = records(&c).1;
    assert_eq!(hvcc[16..22], [0xFD, 0xFA, 0xFA, 0, 0, 0b11_111]);
    let mut a = account();
    h265::complete(&mut c, &mut a).unwrap();
    let mut vps = BitWriter::default();
    vps.u(3, 4).u(0b11, 2).u(0, 6).u(2, 3).u(1, 1).u(0xFFFF, 16);
    vps.u(0x22, 8).u(0x2000_0000, 32).u(0x9000_0000, 32).u(0, 16).u(93, 8);
    vps.u(0b1101, 4).u(0, 12);
    vps.u(0x02, 8).u(0x4000_0000, 32).u(0x8000_0000, 32).u(0, 16).u(60, 8);
    vps.u(63, 8);
    vps.u(0, 1).ue(4).ue(2).ue(0).u(0, 6).ue(0).u(0, 2);
    let vps = vps.nal(&[0x40, 0x01]);
    assert_eq!(c.private[..], stream(&[&vps, &sps, &hex(PPS)]));
}

#[test]
fn a_level_without_parameter_sets_has_a_name_and_no_record() {
    let c = config(&described("hvc1", &[]));
    assert_eq!((nal::lack(&c), &*codec_string(&c)), (nal::Lack::Essential, "hev1.1.6.L93.B0"));
    assert_eq!(records(&c), (Vec::new(), Vec::new()));
    assert_eq!(records(&config(&described("H264", &[]))), (Vec::new(), Vec::new()));
    assert_eq!(refused(&described("HVC1", &[9, 9, 9])), Code::CodecConfig);
    assert_eq!(nal::delimiter(Codec::H265), [0, 0, 0, 1, 0x46, 0x01, 0x50]);
}

#[test]
fn vc1_headers_begin_at_the_sequence_header() {
    let c = config(&described("WVC1", &hex(VC1)));
    assert_eq!(c.private[..], hex(VC1)[1..]);
    assert_eq!((c.width, c.height, &*codec_string(&c)), (720, 480, "WVC1"));
    assert_eq!(records(&c), (hex(VC1)[1..].to_vec(), hex(VC1)[1..].to_vec()));
    let mut a = account();
    let mut out = Bytes::new();
    let names = sample_entry(&c, 0, &mut a, &mut out).unwrap();
    assert_eq!(names, EntryNames { entry: *b"vc-1", config: Some(*b"dvc1") });
    // Advanced profile, level 2 twice, interlaced, anything may come, no frame rate.
    assert_eq!(out[..7], [0xC4, 0x40, 0x00, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(out[7..], hex(VC1)[1..]);
    // No sequence header: everything stays.
    assert_eq!(config(&described("WVC1", &[1, 2, 3])).private[..], [1, 2, 3]);
    assert!(config(&described("WVC1", &[])).private.is_empty());
}

#[test]
fn captions_are_found_in_sei() {
    // Buffering period of two bytes, then captions whose bytes needed emulation prevention, then user data.
    let mut avc =
        hex("0600020102040E_B50031474139340341FFFC0000_03_0100_0502AAAA80".replace('_', "").as_str());
    let found: Vec<Vec<u8>> = captions(Codec::H264, &mut avc).map(<[u8]>::to_vec).collect();
    assert_eq!(found, [hex("41FFFC00000100")[..6].to_vec()]);
    let mut hevc = hex("4E01040CB5003147413934034100FC80_80".replace('_', "").as_str());
    assert_eq!(captions(Codec::H265, &mut hevc).map(<[u8]>::len).collect::<Vec<_>>(), [4]);
    assert_eq!(captions(Codec::H264, &mut hex("650001")).count(), 0);
    assert_eq!(captions(Codec::Aac, &mut hex("060412")).count(), 0);
    // Cut short, or another provider.
    assert_eq!(captions(Codec::H264, &mut hex("06040EB500314741393403")).count(), 0);
    assert_eq!(captions(Codec::H264, &mut hex("0604").to_vec()).count(), 0);
    assert_eq!(captions(Codec::H264, &mut hex("060409B5002F03000000000080")).count(), 0);
}
