//! Attacks, each with the number it is refused by.

use crate::support::*;
use smoothcore::limits::Limits;

#[test]
fn billion_laughs() {
    let document =
        "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>".to_string();
    assert_eq!(refusal(&(document + &smooth("", VIDEO))), (-102, "DOCTYPE"));
}

#[test]
fn external_entity() {
    let document = "<!DOCTYPE SmoothStreamingMedia SYSTEM 'file:///etc/passwd'>".to_string();
    assert_eq!(refusal(&(document + &smooth("", VIDEO))).0, -102);
}

#[test]
fn undefined_entity() {
    assert_eq!(refusal(&smooth("", &VIDEO.replace("Type=", "Name='&x;' Type="))).0, -103);
    assert_eq!(refusal(&smooth("", &VIDEO.replace("Type=", "Name='&#0;' Type="))).0, -103);
    assert_eq!(refusal(&smooth("", &VIDEO.replace("Type=", "Name='&#x110000;' Type="))).0, -103);
    assert_eq!(refusal(&smooth("", &VIDEO.replace("Type=", "Name='&#xDFFF;' Type="))).0, -103);
}

#[test]
fn depth() {
    let deep = |n: usize| smooth("", &("<x>".repeat(n) + &"</x>".repeat(n) + VIDEO));
    parse(&deep(15));
    assert_eq!(refusal(&deep(16)).0, -122);
    assert_eq!(refusal(&"<SmoothStreamingMedia MajorVersion='2'>".repeat(100_000)).0, -122);
}

#[test]
fn attributes_of_one_element() {
    let many = |n: usize| -> String { (0..n).map(|i| format!("a{i}='' ")).collect() };
    parse(&smooth(&many(62), VIDEO));
    assert_eq!(refusal(&smooth(&many(63), VIDEO)).0, -123);
}

#[test]
fn long_attribute() {
    let long = |n: usize| smooth(&format!("a='{}'", "x".repeat(n)), VIDEO);
    parse(&long(65_536));
    assert_eq!(refusal(&long(65_537)).0, -124);
}

#[test]
fn long_text() {
    let long = |n: usize| smooth("", &format!("<x>{}</x>{VIDEO}", "x".repeat(n)));
    parse(&long(512 << 10));
    assert_eq!(refusal(&long((512 << 10) + 1)).0, -124);
}

#[test]
fn manifest_bytes() {
    let limits = Limits { manifest_bytes: 1000, ..Limits::default() };
    let padded = |n: usize| format!("{}{}", smooth("", VIDEO), " ".repeat(n));
    let size = smooth("", VIDEO).len();
    assert!(parse_pieces(&limits, padded(1000 - size).as_bytes(), 7).is_ok());
    assert_eq!(refusal_under(&limits, &padded(1001 - size)).0, -120);
    let compressed = gzip(padded(1001 - size).as_bytes());
    assert_eq!(parse_pieces(&limits, &compressed, 7).map(|_| ()).unwrap_err().code.number(), -120);
}

#[test]
fn streams() {
    parse(&smooth("", &VIDEO.repeat(64)));
    assert_eq!(refusal(&smooth("", &VIDEO.repeat(65))), (-125, "StreamIndex"));
    assert_eq!(refusal(&smooth("", &"<StreamIndex Type='x'/>".repeat(65))).0, -125, "skipped ones count");
}

#[test]
fn levels() {
    let many = |n: usize| smooth("", &video("", &(level("Bitrate='1'").repeat(n) + "<c d='1'/>")));
    assert_eq!(parse(&many(64)).streams[0].levels.len(), 64);
    assert_eq!(refusal(&many(65)), (-126, "StreamIndex/QualityLevel"));
}

#[test]
fn custom_attributes() {
    let many = |n: usize| {
        let attributes = "<Attribute Name='a' Value='b'/>".repeat(n);
        let one = format!(
            "<QualityLevel Bitrate='1' FourCC='H264' CodecPrivateData='{H264}'><CustomAttributes>{attributes}</CustomAttributes></QualityLevel>"
        );
        smooth("", &video("", &(one + "<c d='1'/>")))
    };
    assert_eq!(parse(&many(32)).streams[0].levels[0].custom.len(), 32);
    assert_eq!(refusal(&many(33)), (-127, "CustomAttributes/Attribute"));
}

#[test]
fn fragments_over_the_whole_manifest() {
    let limits = Limits { fragments: 5, ..Limits::default() };
    assert_eq!(refusal_under(&limits, &smooth("", &VIDEO.repeat(2))).0, -128);
    let lost = video("", &(level("Bitrate='1'") + "<c t='x'/>" + &"<c/>".repeat(5)));
    assert_eq!(refusal_under(&limits, &smooth("", &lost)).0, -128, "those after a bad one count, too");
}

#[test]
fn repeat_bomb() {
    let m = parse(&fragments("", "<c d='1' r='16777216'/>"));
    assert_eq!(m.streams[0].timeline.len(), 16_777_216);
    let (_, peak) =
        parse_pieces(&Limits::default(), fragments("", "<c d='1' r='16777216'/>").as_bytes(), 7).unwrap();
    assert!(peak < 4096, "{peak}");
    assert_eq!(refusal(&fragments("", "<c d='1' r='4294967295'/>")).0, -108, "the only stream is lost");
}

#[test]
fn numbers_that_are_none() {
    let m = parse(&smooth(
        "Duration='-1' DVRWindowLength='99999999999999999999' LookaheadCount='4294967296'",
        VIDEO,
    ));
    assert_eq!((m.duration, m.dvr_window, m.lookahead), (50_000_000, 0, None));
    let sized = level("Bitrate='1' MaxWidth='+5' MaxHeight=' 5' Index='0x1'");
    let m = parse(&smooth("", &video("MaxWidth='4294967296'", &(sized + "<c d='1'/>"))));
    let l = &m.streams[0].levels[0];
    assert_eq!((l.index, l.unusable), (0, None));
    assert!(l.config.width != 5 && l.config.height != 5);
}

#[test]
fn time_scale_of_zero() {
    let place = "SmoothStreamingMedia@TimeScale";
    assert_eq!(refusal(&smooth("TimeScale='0'", VIDEO)), (-106, place));
    assert_eq!(refusal(&smooth("TimeScale='10000000001'", VIDEO)), (-106, place));
    let bad = VIDEO.replace("Type=", "TimeScale='0' Type=");
    let m = parse(&smooth("", &(bad + VIDEO)));
    assert_eq!((stream_fault(&m, 0), stream_fault(&m, 1)), (-106, 0));
    assert_eq!(m.streams[0].unusable.unwrap().place.at, "StreamIndex@TimeScale");
}

#[test]
fn codec_private_data() {
    let with = |private: &str| {
        let one = format!("<QualityLevel Bitrate='1' FourCC='H264' CodecPrivateData='{private}'/>");
        let m = parse(&smooth("", &video("", &(one + &level("Bitrate='2'") + "<c d='1'/>"))));
        level_fault(&m, 0, 0)
    };
    assert_eq!(with(&"00".repeat(8193)), -324);
    assert_eq!(with("000"), -306);
    assert_eq!(with("0x00"), -306);
    assert_eq!(with("00 01"), -306);
}

#[test]
fn url_too_long() {
    let long = |n: usize| {
        let bad = format!(
            "<StreamIndex Type='video' Url='{}'>{}<c d='1'/></StreamIndex>",
            "u".repeat(n),
            level("Bitrate='1'")
        );
        stream_fault(&parse(&smooth("", &(bad + VIDEO))), 0)
    };
    assert_eq!((long(4096), long(4097)), (0, -129));
}

#[test]
fn protection() {
    let headers = |n: usize, text: &str| {
        let one = format!(
            "<ProtectionHeader SystemID='9A04F079-9840-4286-AB92-E65BE0885F95'>{text}</ProtectionHeader>"
        );
        smooth("", &format!("<Protection>{}</Protection>{VIDEO}", one.repeat(n)))
    };
    assert_eq!(parse(&headers(8, "AAAA")).protection.len(), 8);
    assert_eq!(refusal(&headers(9, "AAAA")), (-420, "Protection/ProtectionHeader"));
    let base64 = "AAAA".repeat(65_536 / 3) + "AA";
    assert_eq!(parse(&headers(1, &base64)).protection[0].data.len(), 65_536);
    assert_eq!(refusal(&headers(1, &(base64 + "AAAA"))).0, -420);
    assert_eq!(refusal(&headers(1, &" A".repeat(200_000))).0, -420);
}

#[test]
fn syntax() {
    for bad in [
        "<SmoothStreamingMedia MajorVersion=2/>",
        "<SmoothStreamingMedia MajorVersion='2'></Smooth>",
        "<SmoothStreamingMedia<",
    ] {
        assert_eq!(refusal(bad).0, -100, "{bad}");
    }
    assert_eq!(refusal(&format!("{}<x/>", smooth("", VIDEO))).0, -100);
}

#[test]
fn cut_at_every_byte() {
    let document = format!("<?xml version='1.0'?>\n{}", smooth("", VIDEO));
    for cut in 0..document.len() {
        assert_eq!(refusal(document.get(..cut).unwrap()).0, -109, "cut at {cut}");
    }
    let wide = utf16(&format!("\u{FEFF}{document}"), u16::to_be_bytes);
    for cut in 0..wide.len() {
        let code = parse_pieces(&Limits::default(), &wide[..cut], 7).map(|_| ()).unwrap_err().code.number();
        assert_eq!(code, -109, "cut at {cut}");
    }
}

#[test]
fn every_single_byte_replaced() {
    // Nothing to assert but that it ends, holds nothing after an error and never panics.
    let document = smooth("Duration='50000000'", VIDEO);
    for at in 0..document.len() {
        for byte in [0, b'<', b'>', b'"', b'\'', b'&', b'9', b' ', 0xC3, 0xFF] {
            let mut bytes = document.clone().into_bytes();
            bytes[at] = byte;
            let _ = parse_pieces(&Limits::default(), &bytes, 13);
        }
    }
}
