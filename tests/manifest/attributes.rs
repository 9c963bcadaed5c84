//! Every attribute of every element, in the order of the specification and against it.

use crate::support::*;
use smoothcore::codec::codec_string;
use smoothcore::manifest::StreamKind;
use smoothcore::time::{MediaTime, TimeScale};

#[test]
fn root_attributes() {
    let m = parse(&smooth(
        "TimeScale='1000' Duration='5000' IsLive='TRUE' LookaheadCount='2' DVRWindowLength='3000' CanSeek='true' CanPause='False'",
        VIDEO,
    ));
    assert_eq!((m.major, m.minor, m.timescale), (2, 0, TimeScale::new(1000).unwrap()));
    assert_eq!((m.duration, m.is_live(), m.lookahead, m.dvr_window), (5000, true, Some(2), 3000));
    assert_eq!((m.can_seek, m.can_pause), (Some(true), Some(false)));
}

#[test]
fn root_defaults() {
    let m = parse(&smooth("", VIDEO));
    assert_eq!((m.timescale, m.is_live(), m.lookahead, m.dvr_window), (TimeScale::HNS, false, None, 0));
    assert_eq!((m.can_seek, m.can_pause), (None, None));
    assert_eq!(m.duration, 50_000_000, "computed from the fragments");
    assert!(m.protection.is_empty());
}

#[test]
fn both_names_of_the_look_ahead() {
    let m = parse(&smooth("IsLive='true' LookAheadFragmentCount='3'", VIDEO));
    assert_eq!(m.lookahead, Some(3));
}

#[test]
fn versions() {
    let of = |major: &str| format!("<SmoothStreamingMedia {major}>{VIDEO}</SmoothStreamingMedia>");
    assert_eq!(parse(&of("MajorVersion='1' MinorVersion='0'")).major, 1);
    assert_eq!(parse(&of("MajorVersion='2' MinorVersion='2'")).minor, 2);
    assert_eq!(parse(&of("MajorVersion='2'")).minor, 0);
    for bad in
        ["MajorVersion='3'", "MajorVersion='0'", "MajorVersion=''", "MajorVersion='-2'", "MajorVersion='2.0'"]
    {
        assert_eq!(refusal(&of(bad)), (-105, "SmoothStreamingMedia@MajorVersion"), "{bad}");
    }
    assert_eq!(refusal(&of("MinorVersion='2'")), (-106, "SmoothStreamingMedia@MajorVersion"));
}

#[test]
fn stream_attributes() {
    let m = parse(&smooth(
        "TimeScale='1000'",
        &format!(
            "<StreamIndex DisplayHeight='360' Url='Q({{bitrate}})/F(cam={{start time}})' TimeScale='90000' MaxWidth='720' \
             QualityLevels='1' Chunks='9' DisplayWidth='640' Language='deu' Name='cam' MaxHeight='576' Subtype='ZOET' \
             ParentStreamIndex='main' FourCC='H264' Type='video' Other='x'>{}<c d='90000'/></StreamIndex>",
            format_args!("<QualityLevel Bitrate='7' CodecPrivateData='{H264}'/>"),
        ),
    ));
    let s = &m.streams[0];
    assert_eq!(
        (s.kind, &*s.subtype, &*s.name, &*s.language, &*s.parent),
        (StreamKind::Video, "ZOET", "cam", "deu", "main")
    );
    assert_eq!(&*s.url, "Q({bitrate})/F(cam={start time})");
    assert_eq!((s.timescale, s.embedded), (TimeScale::new(90_000).unwrap(), false));
    assert_eq!((s.max_width, s.max_height, s.display_width, s.display_height), (720, 576, 640, 360));
    assert_eq!(s.unusable, None);
    assert_eq!((s.first_time(), s.end_time()), (Some(MediaTime(0)), Some(MediaTime(10_000_000))));
    assert_eq!(m.duration, 1000);
}

#[test]
fn stream_defaults() {
    let m = parse(&smooth("TimeScale='1000'", VIDEO));
    let s = &m.streams[0];
    assert_eq!((&*s.name, &*s.language, &*s.subtype, &*s.parent), ("video", "und", "", ""));
    assert_eq!(s.timescale.per_second(), 1000, "that of the manifest");
    assert_eq!((s.max_width, s.max_height, s.display_width, s.display_height), (320, 240, 320, 240));
}

#[test]
fn the_largest_level_gives_the_size_of_the_stream() {
    let levels = level("Bitrate='1' MaxWidth='640' MaxHeight='360'")
        + &level("Bitrate='2' MaxWidth='512' MaxHeight='384'");
    let m = parse(&smooth("", &video("", &(levels + "<c d='1'/>"))));
    assert_eq!((m.streams[0].max_width, m.streams[0].max_height), (640, 384));
}

#[test]
fn types_in_any_case_and_unknown_ones_skipped() {
    let other =
        "<StreamIndex Type='data' Url='x'><QualityLevel Bitrate='1'/><c d='1'/><Any><c/></Any></StreamIndex>";
    let m =
        parse(&smooth("", &format!("{other}<StreamIndex/>{}", VIDEO.replace("'video' Url", "'VIDEO' Url"))));
    assert_eq!(m.streams.len(), 1);
    assert_eq!((m.streams[0].kind, m.streams[0].timeline.len()), (StreamKind::Video, 3));
}

#[test]
fn video_level_attributes() {
    let one = format!(
        "<QualityLevel MaxHeight='480' CodecPrivateData='{}' NALUnitLengthField='2' FourCC='avc1' MaxWidth='640' Bitrate='0500000' Index='5'/>",
        H264.to_lowercase()
    );
    let m = parse(&smooth("", &video("", &(one + "<c d='1'/>"))));
    let l = &m.streams[0].levels[0];
    assert_eq!((l.index, l.bitrate, &*l.bitrate_text, l.unusable), (5, 500_000, "0500000", None));
    assert_eq!((l.config.width, l.config.height, l.config.nal_length), (640, 480, 2));
    assert_eq!(codec_string(&l.config), "avc1.42C00D");
    assert_eq!(l.config.private.len(), 20);
}

#[test]
fn audio_level_attributes() {
    let audio = "<StreamIndex Type='audio' Url='Q({bitrate})/F(audio={start time})'>\
        <QualityLevel Bitrate='64000' SamplingRate='48000' Channels='6' BitsPerSample='24' PacketSize='4' AudioTag='255' \
        FourCC='AACL' CodecPrivateData=''/><QualityLevel Bitrate='65000' FourCC='AACL'/><c d='1'/></StreamIndex>";
    let m = parse(&smooth("", audio));
    let c = &m.streams[0].levels[0].config;
    assert_eq!(
        (c.sampling_rate, c.channels, c.bits_per_sample, c.packet_size, c.audio_tag),
        (48_000, 6, 24, 4, 255)
    );
    assert_eq!(&c.private[..], [0x11, 0xB0]);
    let l = &m.streams[0].levels[1];
    assert_eq!((l.index, l.config.channels, l.config.bits_per_sample), (1, 2, 16), "defaults");
}

#[test]
fn a_whole_wave_format_fills_what_is_missing() {
    // Tag 255, 2 channels, 44,100 Hz, block of 4, 16 bits, and an AudioSpecificConfig of 2 bytes.
    let wave = "FF00020044AC0000803E000004001000020012 10".replace(' ', "");
    let audio = format!(
        "<StreamIndex Type='audio' Subtype='AACL' Url='x'><QualityLevel Bitrate='1' WaveFormatEx='{wave}'/><c d='1'/></StreamIndex>"
    );
    let m = parse(&smooth("", &audio));
    let c = &m.streams[0].levels[0].config;
    assert_eq!(
        (c.audio_tag, c.channels, c.sampling_rate, c.packet_size, c.bits_per_sample),
        (255, 2, 44_100, 4, 16)
    );
    assert_eq!(&c.private[..], [0x12, 0x10]);
}

#[test]
fn custom_attributes_in_order() {
    let one = format!(
        "<QualityLevel Bitrate='1' FourCC='H264' CodecPrivateData='{H264}'><CustomAttributes><Attribute Name='a' Value='1'/>\
         <Attribute Value='two' Name='b'></Attribute><Attribute Value='nameless'/></CustomAttributes></QualityLevel>"
    );
    let m = parse(&smooth("", &video("", &(one + "<c d='1'/>"))));
    let custom: Vec<_> =
        m.streams[0].levels[0].custom.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(custom, [("a", "1"), ("b", "two")]);
}

#[test]
fn a_custom_attribute_that_would_break_the_url_costs_the_level_only_where_it_goes_there() {
    let one = |value: &str| {
        format!(
            "<QualityLevel Bitrate='1' FourCC='H264' CodecPrivateData='{H264}'><CustomAttributes>\
             <Attribute Name='a' Value='{value}'/></CustomAttributes></QualityLevel>"
        )
    };
    let stream = |url: &str| {
        format!(
            "<StreamIndex Type='video' Url='{url}'>{}{}<c d='1'/></StreamIndex>",
            one("../x"),
            one("A-z_0.9~")
        )
    };
    let m = parse(&smooth("", &stream("Q({bitrate},{CustomAttributes})/F(v={start time})")));
    assert_eq!((level_fault(&m, 0, 0), level_fault(&m, 0, 1)), (-106, 0));
    let m = parse(&smooth("", &stream("Q({bitrate})/F(v={start time})")));
    assert_eq!((level_fault(&m, 0, 0), level_fault(&m, 0, 1)), (0, 0));
}

#[test]
fn protection_headers_wherever_they_stand() {
    let headers = "<Protection><ProtectionHeader SystemID='{9A04F079-9840-4286-AB92-E65BE0885F95}'>\r\n  AQID\r\n  BAU </ProtectionHeader>\
        <ProtectionHeader SystemID='edef8ba979d64acea3c827dcd51d21ed'>AA==</ProtectionHeader>\
        <ProtectionHeader SystemID='B47B251A-2409-4B42-958E-08DBAE7B4EE9'> &lt;Envelope/> </ProtectionHeader>\
        <ProtectionHeader SystemID='short'>AAAA</ProtectionHeader></Protection>";
    for children in [format!("{headers}{VIDEO}"), format!("{VIDEO}{headers}")] {
        let m = parse(&smooth("", &children));
        assert_eq!(m.protection.len(), 3);
        assert_eq!(m.protection[0].system_id[..4], [0x9A, 0x04, 0xF0, 0x79]);
        assert_eq!(m.protection[0].system_id[15], 0x95);
        assert_eq!(&m.protection[0].data[..], [1, 2, 3, 4, 5]);
        assert_eq!(m.protection[1].system_id[0], 0xED);
        assert_eq!(&m.protection[1].data[..], [0]);
        assert_eq!(&m.protection[2].data[..], b"<Envelope/>", "not base64: kept as it is");
    }
}

#[test]
fn children_in_any_order_and_unknown_ones_skipped() {
    let children = format!(
        "<CustomAttributes><Attribute Name='x' Value='y'/></CustomAttributes><StreamIndex Type='video' Url='x'><c d='5'/>\
         <c d='6'><f i='0' s='1'/></c><ns:extra><QualityLevel Bitrate='9'/></ns:extra>{}</StreamIndex><c d='3'/>",
        level("Bitrate='1'")
    );
    let m = parse(&smooth("", &children));
    assert_eq!(times(&m), [(0, 5), (5, 6)]);
    assert_eq!((m.streams[0].levels.len(), stream_fault(&m, 0)), (1, 0));
}

#[test]
fn embedded_text_needs_neither_url_nor_level() {
    let text = "<StreamIndex Type='text' Subtype='SCMD' Name='script' ManifestOutput='TRUE' ParentStreamIndex='video'>\
        <QualityLevel Index='0'/><c t='10000000'><f i='0'>SGVsbG8=</f></c><c t='30000000'><f i='0'>eA==</f></c></StreamIndex>\
        <StreamIndex Type='text' ManifestOutput='true' TimeScale='1000'><c t='1' d='1'/></StreamIndex>";
    let m = parse(&smooth("Duration='50000000'", &(VIDEO.to_string() + text)));
    let s = &m.streams[1];
    assert_eq!((s.kind, s.embedded, &*s.parent, s.unusable), (StreamKind::Text, true, "video", None));
    assert_eq!(s.timeline.len(), 2);
    assert_eq!((stream_fault(&m, 2), m.streams[2].levels.len()), (0, 0));
}

#[test]
fn a_stream_without_what_it_needs_stays_listed_with_the_reason() {
    let without_url = format!("<StreamIndex Type='video'>{}<c d='1'/></StreamIndex>", level("Bitrate='1'"));
    let m = parse(&smooth("", &(without_url + &video("", "<c d='1'/>") + VIDEO)));
    assert_eq!((stream_fault(&m, 0), m.streams[0].unusable.unwrap().place.at), (-106, "StreamIndex@Url"));
    assert_eq!(
        (stream_fault(&m, 1), m.streams[1].unusable.unwrap().place.at),
        (-106, "StreamIndex/QualityLevel")
    );
    assert_eq!(stream_fault(&m, 2), 0);
    assert_eq!(m.find_kind(StreamKind::Video), Some(2));
}

#[test]
fn a_level_without_what_it_needs_stays_listed_with_the_reason() {
    let levels = "<QualityLevel FourCC='H264' CodecPrivateData='' MaxWidth='1' MaxHeight='1'/>\
        <QualityLevel Bitrate='-5' FourCC='H264'/><QualityLevel Bitrate='4294967296' FourCC='H264'/>\
        <QualityLevel Bitrate='1' FourCC='H264' CodecPrivateData='ABC'/>\
        <QualityLevel Bitrate='1' FourCC='H264' CodecPrivateData='zz'/><QualityLevel Bitrate='1'/>\
        <QualityLevel Bitrate='1' FourCC='none'/>";
    let m = parse(&smooth("", &video("", &(levels.to_string() + &level("Bitrate='8'") + "<c d='1'/>"))));
    let faults: Vec<i32> = (0..8).map(|l| level_fault(&m, 0, l)).collect();
    // A name that says nothing to the library may to the decoder.
    assert_eq!(faults, [-106, -106, -106, -306, -306, -307, 0, 0]);
    assert_eq!(m.streams[0].levels[4].unusable.unwrap().place.at, "QualityLevel@CodecPrivateData");
    assert_eq!(
        m.streams[0].usable_levels().map(|(at, l)| (at, l.index)).collect::<Vec<_>>(),
        [(6, 6), (7, 7)]
    );
    assert_eq!(stream_fault(&m, 0), 0);
}

#[test]
fn nothing_playable_is_an_error() {
    assert_eq!(refusal(&smooth("", "")), (-108, "SmoothStreamingMedia"));
    let text =
        "<StreamIndex Type='text' Url='x'><QualityLevel Bitrate='1' FourCC='TTML'/><c d='1'/></StreamIndex>";
    assert_eq!(refusal(&smooth("", text)).0, -108);
    assert_eq!(refusal(&smooth("", &video("", "<QualityLevel Bitrate='1' FourCC=''/><c d='1'/>"))).0, -108);
    assert_eq!(refusal(&smooth("", &video("", &level("Bitrate='1'")))).0, -108, "on demand, no fragment");
}

#[test]
fn what_is_no_smooth_manifest_is_named() {
    assert_eq!(refusal("<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>"), (-104, "MPD"));
    assert_eq!(refusal("<html><body>404</body></html>"), (-104, "html"));
    assert_eq!(refusal("<HTML/>"), (-104, "html"));
    assert_eq!(refusal("<smoothstreamingmedia/>"), (-104, "root"));
    assert_eq!(refusal("#EXTM3U\n#EXT-X-VERSION:4\n"), (-104, "#EXTM3U"));
    assert_eq!(refusal("#EXT").0, -109);
    assert_eq!(refusal("#EXTINF").0, -100);
    assert_eq!(refusal("not found").0, -100);
    assert_eq!(refusal("").0, -109);
}

#[test]
fn streams_are_found_by_what_they_are() {
    let audio = |name: &str, language: &str| {
        format!(
            "<StreamIndex Type='audio' Name='{name}' Language='{language}' Url='x'><QualityLevel Bitrate='1' FourCC='AACL'/><c d='1'/></StreamIndex>"
        )
    };
    let m = parse(&smooth("", &(audio("a", "eng") + &audio("a", "deu") + &audio("a", "eng"))));
    assert_eq!(m.find_stream(StreamKind::Audio, "a", "eng", 1), Some(2));
    assert_eq!(m.find_stream(StreamKind::Audio, "a", "deu", 0), Some(1));
    assert_eq!(m.find_stream(StreamKind::Audio, "a", "deu", 1), None);
    assert_eq!(m.find_stream(StreamKind::Video, "a", "deu", 0), None);
}
