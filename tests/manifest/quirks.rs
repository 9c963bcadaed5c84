//! Bad habits of origins and encoders that players met in the field, and what they mean. The numbers are those of a
//! list of such reports; those that are missing here are no matter of the manifest and have tests elsewhere.

use crate::support::*;
use smoothcore::codec::{Codec, codec_string};
use smoothcore::io::{Output, RequestKind};
use smoothcore::limits::Limits;
use smoothcore::manifest::url::fragment;
use smoothcore::manifest::{Manifest, StreamKind};
use smoothcore::mem::{Account, Text};
use smoothcore::session::{Config, Session};
use smoothcore::time::{Instant, MediaTime, Micros, TimeScale};

fn audio(attributes: &str, level: &str) -> String {
    format!(
        "<StreamIndex Type='audio' Url='Q({{bitrate}})/F(a={{start time}})' {attributes}><QualityLevel Bitrate='64000' {level}/>\
         <c d='20000000'/></StreamIndex>"
    )
}

#[test]
fn quirk_01_islive_in_any_case() {
    for yes in ["true", "TRUE", "True"] {
        assert!(parse(&smooth(&format!("IsLive='{yes}'"), VIDEO)).is_live(), "{yes}");
    }
}

#[test]
fn quirk_02_false_is_false() {
    for no in ["FALSE", "false", "False", "", "no"] {
        assert!(!parse(&smooth(&format!("IsLive='{no}'"), VIDEO)).is_live(), "{no}");
    }
}

#[test]
fn quirk_03_other_truth_values_in_any_case() {
    let m = parse(&smooth(
        "CanSeek='TrUe' CanPause='fAlSe'",
        &(VIDEO.to_string() + "<StreamIndex Type='text' ManifestOutput='True'/>"),
    ));
    assert_eq!((m.can_seek, m.can_pause, m.streams[1].embedded), (Some(true), Some(false), true));
}

#[test]
fn quirk_04_duration_before_time() {
    assert_eq!(times(&parse(&fragments("", "<c d='10' t='5'/><c d='10' t='15'/>"))), [(5, 10), (15, 10)]);
}

#[test]
fn quirk_05_first_fragment_without_duration() {
    assert_eq!(times(&parse(&fragments("", "<c t='0'/><c t='20' d='20'/>"))), [(0, 20), (20, 20)]);
}

#[test]
fn quirk_06_repeats_in_a_manifest_of_any_version() {
    for version in ["MinorVersion='0'", "MinorVersion='2'"] {
        let document = fragments("", "<c t='0' d='10' r='3'/>").replace("MinorVersion='0'", version);
        assert_eq!(times(&parse(&document)), [(0, 10), (10, 10), (20, 10)], "{version}");
    }
}

#[test]
fn quirk_07_repeats_count_from_one() {
    assert_eq!(parse(&fragments("", "<c d='10' r='2'/>")).streams[0].timeline.len(), 2);
}

#[test]
fn quirk_09_empty_fourcc_with_the_tag_of_aac() {
    let m = parse(&smooth(
        "",
        &audio("", "FourCC='' AudioTag='255' SamplingRate='44100' Channels='2' CodecPrivateData='1210'"),
    ));
    let l = &m.streams[0].levels[0];
    assert_eq!((l.unusable, l.config.codec, &*codec_string(&l.config)), (None, Codec::Aac, "mp4a.40.2"));
}

#[test]
fn quirk_09_empty_fourcc_on_video_is_not_guessed() {
    let bad = level("Bitrate='1'").replace("H264", "");
    let m = parse(&smooth("", &video("", &(bad + &level("Bitrate='2'") + "<c d='1'/>"))));
    assert_eq!((level_fault(&m, 0, 0), level_fault(&m, 0, 1)), (-307, 0));
}

#[test]
fn quirk_10_codec_in_the_subtype_and_padded_private_data() {
    let padded = "CodecPrivateData='1190000000000000000000000000000'".replace("'1190", "'11900");
    let m = parse(&smooth("", &audio("Subtype='AACL'", &padded)));
    let c = &m.streams[0].levels[0].config;
    assert_eq!((c.codec, &c.private[..]), (Codec::Aac, &[0x11, 0x90][..]));
    let m = parse(&smooth("", &audio("Subtype='WmaPro'", "AudioTag='354'")));
    assert_eq!(m.streams[0].levels[0].unusable, None);
}

#[test]
fn quirk_11_no_window_or_one_of_zero_is_the_whole_event() {
    for dvr in ["", "DVRWindowLength='0'"] {
        let m = parse(&fragments(&format!("IsLive='true' {dvr}"), "<c t='500' d='10' r='9'/>"));
        assert_eq!((m.dvr_window, m.first_time()), (0, Some(MediaTime(500))));
    }
}

#[test]
fn quirk_12_fewer_fragments_than_the_window() {
    let m =
        parse(&fragments("IsLive='true' DVRWindowLength='6000000000'", "<c t='900' d='20000000' r='2'/>"));
    assert_eq!(m.first_time(), Some(MediaTime(900)));
}

#[test]
fn quirk_14_chunks_of_zero_and_no_fragment_yet() {
    let empty = video("Chunks='0'", &level("Bitrate='1'"));
    let m = parse(&smooth("IsLive='true'", &empty));
    assert_eq!((stream_fault(&m, 0), m.streams[0].timeline.len(), m.first_time()), (0, 0, None));
    assert_eq!(m.length(), Micros::ZERO);
    let text = "<StreamIndex Type='text' ManifestOutput='true' Chunks='0'/>";
    assert_eq!(stream_fault(&parse(&smooth("", &(VIDEO.to_string() + text))), 1), 0);
}

#[test]
fn quirk_15_empty_and_unknown_streams() {
    let m =
        parse(&smooth("", &format!("<StreamIndex Type='audio'/>{VIDEO}<StreamIndex Type='image' Url='x'/>")));
    assert_eq!((m.streams.len(), stream_fault(&m, 0), stream_fault(&m, 1)), (2, -106, 0));
}

#[test]
fn quirk_16_streams_of_the_same_name_or_none() {
    let m = parse(&smooth(
        "",
        &(audio("Language='eng'", "FourCC='AACL'") + &audio("Language='fra'", "FourCC='AACL'")),
    ));
    let names: Vec<_> = m.streams.iter().map(|s| (&*s.name, &*s.language)).collect();
    assert_eq!(names, [("audio", "eng"), ("audio", "fra")]);
}

#[test]
fn quirk_17_languages_of_every_shape() {
    for language in ["de", "deu", "zh-Hant-TW", "x", ""] {
        let m = parse(&smooth("", &audio(&format!("Language='{language}'"), "FourCC='AACL'")));
        assert_eq!(&*m.streams[0].language, if language.is_empty() { "und" } else { language });
    }
}

#[test]
fn quirk_19_size_only_on_the_stream() {
    let m =
        parse(&smooth("", &video("MaxWidth='640' MaxHeight='360'", &(level("Bitrate='1'") + "<c d='1'/>"))));
    let c = &m.streams[0].levels[0].config;
    assert_eq!((c.width, c.height), (640, 360));
}

#[test]
fn quirk_20_both_names_of_timed_text() {
    let text = |fourcc: &str| {
        format!(
            "<StreamIndex Type='text' Subtype='SUBT' Url='x'><QualityLevel Bitrate='0' FourCC='{fourcc}'/><c d='1'/></StreamIndex>"
        )
    };
    let m = parse(&smooth("", &(VIDEO.to_string() + &text("TTML") + &text("DFXP"))));
    for s in &m.streams[1..] {
        assert_eq!(
            (s.kind, s.unusable, s.levels[0].unusable, s.levels[0].bitrate),
            (StreamKind::Text, None, None, 0)
        );
    }
}

#[test]
fn quirk_26_a_bitrate_keeps_its_digits() {
    let m = parse(&smooth(
        "",
        &video("", &(level("Bitrate='1048577'") + &level("Bitrate='0064000'") + "<c d='1'/>")),
    ));
    let digits: Vec<_> = m.streams[0].levels.iter().map(|l| l.bitrate_text.as_str()).collect();
    assert_eq!(digits, ["1048577", "0064000"]);
}

#[test]
fn quirk_35_time_scales_of_manifest_and_stream_differ() {
    let m = parse(&smooth(
        "TimeScale='1000' Duration='4000'",
        &video("TimeScale='90000'", &(level("Bitrate='1'") + "<c t='0'/><c t='180000'/>")),
    ));
    assert_eq!(
        (m.timescale, m.streams[0].timescale),
        (TimeScale::new(1000).unwrap(), TimeScale::new(90_000).unwrap())
    );
    assert_eq!(times(&m), [(0, 180_000), (180_000, 180_000)], "the rest of the manifest's duration");
    assert_eq!(m.length(), Micros::from_secs(4));
}

#[test]
fn quirk_36_no_duration_at_all() {
    let m = parse(&fragments("TimeScale='1000'", "<c t='500' d='1000'/><c d='1500'/>"));
    assert_eq!((m.duration, m.length()), (2500, Micros::from_millis(2500)));
}

#[test]
fn quirk_37_a_duration_beyond_the_last_fragment() {
    let m = parse(&smooth("Duration='99000000'", VIDEO));
    assert_eq!(
        (m.duration, m.end_time(), m.length()),
        (99_000_000, Some(MediaTime(50_000_000)), Micros::from_secs(5))
    );
}

#[test]
fn quirk_32_foreign_attributes_and_elements() {
    let m = parse(&smooth(
        "xmlns:v='urn:v' v:Rev='1' RevInfo='x'",
        &format!("<v:RevInfo a='b'><c d='9'/></v:RevInfo>{}", VIDEO.replace("<c ", "<c v:k='1' ")),
    ));
    assert_eq!(m.streams[0].timeline.len(), 3);
}

#[test]
fn quirk_27_custom_attributes_reach_the_url() {
    let one = format!(
        "<QualityLevel Bitrate='0300000' FourCC='H264' CodecPrivateData='{H264}'><CustomAttributes>\
         <Attribute Name='hardwareProfile' Value='1000'/><Attribute Name='angle' Value='b'/></CustomAttributes></QualityLevel>"
    );
    let stream = format!(
        "<StreamIndex Type='video' Url='QualityLevels({{bitrate}},{{CustomAttributes}})/Fragments(video={{start time}})'>{one}{}\
         <c t='7' d='5'/></StreamIndex>",
        level("Bitrate='9'")
    );
    let m = parse(&smooth("", &stream));
    let s = &m.streams[0];
    let url = |at: usize| {
        let (mut account, mut out, l) = (Account::new(1 << 16), Text::new(), &s.levels[at]);
        let custom = l.custom.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let start = s.timeline.first().unwrap().start;
        let base = "http://h/p.ism/Manifest";
        fragment(&mut account, &mut out, base, &s.url, &l.bitrate_text, custom, start, &Limits::default())
            .unwrap();
        out.as_str().to_string()
    };
    assert_eq!(
        url(0),
        "http://h/p.ism/QualityLevels(0300000,hardwareProfile=1000,angle=b)/Fragments(video=7)"
    );
    assert_eq!(url(1), "http://h/p.ism/QualityLevels(9)/Fragments(video=7)");
}

/// Whether the manifest breaks this rule at this place.
fn breaks(manifest: &Manifest, rule: &str, place: &str) -> bool {
    manifest.deviations.iter().any(|d| (d.rule, d.place) == (rule, place))
}

/// The URL of the fragment at 7 of a template without custom attributes, below `base`.
fn url(base: &str, template: &str) -> String {
    let (mut account, mut out) = (Account::new(1 << 16), Text::new());
    let none = core::iter::empty();
    fragment(&mut account, &mut out, base, template, "500", none, 7, &Limits::default()).unwrap();
    out.as_str().to_string()
}

const TEMPLATE: &str = "QualityLevels({bitrate})/Fragments(video={start time})";

#[test]
fn quirk_01_to_03_a_truth_value_that_is_none_is_told() {
    let m = parse(&smooth("IsLive='1' CanSeek='yes'", VIDEO));
    assert_eq!((m.is_live(), m.can_seek), (true, None));
    assert!(breaks(&m, "boolean-form", "SmoothStreamingMedia@IsLive"));
    assert!(breaks(&m, "attribute-invalid", "SmoothStreamingMedia@CanSeek"));
}

#[test]
fn quirk_08_a_format_in_the_manifest_s_name_is_no_part_of_fragment_urls() {
    for name in ["Manifest(format=fmp4-v20)", "manifest(format=fmp4)", "Manifest"] {
        let base = format!("http://h/p.ism/{name}");
        assert_eq!(url(&base, TEMPLATE), "http://h/p.ism/QualityLevels(500)/Fragments(video=7)");
    }
}

#[test]
fn quirk_13_a_window_shorter_than_any_buffer() {
    let m = parse(&fragments("IsLive='true' DVRWindowLength='1'", "<c t='0' d='20000000' r='10'/>"));
    assert_eq!((m.first_time(), m.end_time()), (Some(MediaTime(199_999_999)), Some(MediaTime(200_000_000))));
    let last = m.streams[0].timeline.at_or_before(199_999_999).unwrap();
    assert_eq!(last.start, 180_000_000, "the last fragment covers it");
}

#[test]
fn quirk_16_streams_of_one_name_are_told_and_keep_their_places() {
    let m = parse(&smooth("", &(audio("Name='a'", "FourCC='AACL'") + &audio("Name='a'", "FourCC='AACH'"))));
    assert!(breaks(&m, "stream-name-duplicate", "StreamIndex@Name"));
    assert_eq!(m.usable().map(|(at, _)| at).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn quirk_18_a_stream_is_found_again_whatever_its_place() {
    let one =
        |name: &str, language: &str| audio(&format!("Name='{name}' Language='{language}'"), "FourCC='AACL'");
    let (a, b, c) = (one("a", "eng"), one("a", "fra"), one("c", "eng"));
    let before = parse(&smooth("", &format!("{a}{b}{c}{VIDEO}")));
    let after = parse(&smooth("", &format!("{VIDEO}{c}{b}{a}")));
    let places: Vec<_> =
        before.streams.iter().map(|s| after.find_stream(s.kind, &s.name, &s.language, 0)).collect();
    assert_eq!(places, [Some(3), Some(2), Some(1), Some(0)]);
}

#[test]
fn quirk_21_to_23_codecs_that_not_every_box_plays_stay_listed() {
    for (name, tag) in
        [("AACH", 255), ("AACP", 255), ("EC-3", 65534), ("AC-3", 65534), ("dtsc", 65534), ("WMAP", 354)]
    {
        let level = format!("FourCC='{name}' AudioTag='{tag}' SamplingRate='48000' Channels='2'");
        let m = parse(&smooth("", &audio("", &level)));
        assert_eq!(level_fault(&m, 0, 0), 0, "{name}");
    }
    let one = "<QualityLevel Bitrate='1' FourCC='WVC1' MaxWidth='320' MaxHeight='240' CodecPrivateData='270000010FCBEE1670EF8A1678\
        3BF180C9089CC4AFA11C0000010E1207F840'/>";
    let m = parse(&smooth("", &video("", &(one.to_string() + "<c d='1'/>"))));
    assert_eq!((level_fault(&m, 0, 0), m.streams[0].levels[0].config.fourcc.0), (0, *b"WVC1"));
}

#[test]
fn quirk_24_what_cannot_be_played_is_out_before_the_start() {
    let levels = level("Bitrate='1'") + "<QualityLevel Bitrate='2'/>" + &level("Bitrate='3'");
    let m = parse(&smooth("", &video("", &(levels + "<c d='1'/>"))));
    assert_eq!(m.streams[0].usable_levels().map(|(at, _)| at).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn quirk_25_no_bitrate_is_too_low() {
    let text = "<StreamIndex Type='text' Subtype='CAPT' Name='t' Url='x'><QualityLevel Bitrate='0' FourCC='TTML'/><c d='1'/></StreamIndex>";
    let low = audio("", "FourCC='AACL'").replace("64000", "1");
    let m = parse(&smooth("", &(low + text)));
    assert_eq!((level_fault(&m, 0, 0), level_fault(&m, 1, 0)), (0, 0));
}

#[test]
fn quirk_28_a_query_stays_with_the_url_it_came_with() {
    let base = "http://h/p.ism/Manifest?token=1/2&f=a";
    assert_eq!(url(base, TEMPLATE), "http://h/p.ism/QualityLevels(500)/Fragments(video=7)");
    let signed = format!("{TEMPLATE}?token=9");
    assert_eq!(url(base, &signed), "http://h/p.ism/QualityLevels(500)/Fragments(video=7)?token=9");
}

#[test]
fn quirk_29_and_30_a_url_is_taken_as_it_is() {
    assert_eq!(url("http://h/any/thing.wsx", "{bitrate}/{start_time}"), "http://h/any/500/7");
    assert_eq!(url("http://h", "{Bitrate}/{start time}"), "http://h/500/7");
}

#[test]
fn quirk_31_of_a_name_only_the_space_is_encoded() {
    let base = "http://h/SD%20NTSC%20(720x480)%2029,97fps.ism/Manifest";
    let template = "QualityLevels({bitrate})/Fragments(my video, 29,97={start time})";
    let expected =
        "http://h/SD%20NTSC%20(720x480)%2029,97fps.ism/QualityLevels(500)/Fragments(my%20video,%2029,97=7)";
    assert_eq!(url(base, template), expected);
}

#[test]
fn quirk_33_broken_xml_is_an_error_with_a_place() {
    for (document, code) in [
        ("<SmoothStreamingMedia MajorVersion='2'", -109),
        ("<SmoothStreamingMedia MajorVersion='2'><StreamIndex</SmoothStreamingMedia>", -100),
        ("<SmoothStreamingMedia MajorVersion='2' &><c/></SmoothStreamingMedia>", -100),
        ("\u{1}<a/>", -100),
    ] {
        let error = try_parse(document.as_bytes()).unwrap_err();
        assert_eq!(error.code.number(), code, "{document}");
        assert!(!error.place.at.is_empty());
    }
}

#[test]
fn quirk_34_parameter_sets_are_known_by_their_type() {
    let (sps, pps) = ("000000016742C00DDA0507E4", "0000000168CE3C80");
    // A delimiter before, and enhancement information between them.
    let private = format!("0000000109F0{sps}00000001060104{pps}");
    let one = format!("<QualityLevel Bitrate='1' FourCC='H264' CodecPrivateData='{private}'/>");
    let m = parse(&smooth("", &video("", &(one + "<c d='1'/>"))));
    let c = &m.streams[0].levels[0].config;
    let hex: String = c.private.iter().map(|b| format!("{b:02X}")).collect();
    assert_eq!((hex, c.width, c.height), (format!("{sps}{pps}"), 320, 240));
    assert_eq!(&*codec_string(c), "avc1.42C00D");
}

#[test]
fn quirk_37_a_duration_far_beyond_the_last_fragment_is_told() {
    let m = parse(&smooth("Duration='99000000'", VIDEO));
    assert!(breaks(&m, "duration-too-long", "SmoothStreamingMedia@Duration"));
    assert_eq!(m.streams[0].end_time(), Some(MediaTime(50_000_000)), "where the stream ends");
}

#[test]
fn quirk_38_a_manifest_s_request_is_known_as_one() {
    let mut session = Session::new(Config::default()).unwrap();
    session.open(Instant(0), "http://h/p.ism/Manifest").unwrap();
    // A host adds what keeps caches out by this kind; from the third try on it is told to.
    let Output::Request(request) = session.poll() else { panic!("no request") };
    assert_eq!((request.kind, request.attempt), (RequestKind::Manifest, 1));
}

#[test]
fn quirk_86_and_94_a_header_without_a_key_or_a_licence_server_is_kept() {
    let header = "<Protection><ProtectionHeader SystemID='9A04F079-9840-4286-AB92-E65BE0885F95'>CAAAAAEAAQACAAAA</ProtectionHeader></Protection>";
    let m = parse(&smooth("", &(header.to_string() + VIDEO)));
    assert_eq!((m.protection.len(), m.protection[0].data.len(), stream_fault(&m, 0)), (1, 12, 0));
}

#[test]
fn quirk_89_a_header_that_is_xml_is_kept_as_text() {
    let header = "<Protection><ProtectionHeader SystemID='{B47B251A-2409-4B42-958E-08DBAE7B4EE9}'>&lt;Envelope/&gt;</ProtectionHeader></Protection>";
    let m = parse(&smooth("", &(header.to_string() + VIDEO)));
    assert_eq!(&m.protection[0].data[..], b"<Envelope/>");
    assert!(breaks(&m, "base64-invalid", "Protection/ProtectionHeader"));
}

#[test]
fn quirk_90_every_protection_system_is_kept_in_order() {
    let one = |id: &str| format!("<ProtectionHeader SystemID='{id}'>AAAA</ProtectionHeader>");
    let (a, b) = ("EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED", "9A04F079-9840-4286-AB92-E65BE0885F95");
    let m = parse(&smooth("", &format!("{VIDEO}<Protection>{}{}</Protection>", one(a), one(b))));
    let first: Vec<u8> = m.protection.iter().map(|p| p.system_id[0]).collect();
    assert_eq!(first, [0xED, 0x9A]);
}

#[test]
fn quirk_91_a_system_in_any_spelling() {
    for id in [
        "{9A04F079-9840-4286-AB92-E65BE0885F95}",
        "9a04f079-9840-4286-ab92-e65be0885f95",
        "9A04F07998404286AB92E65BE0885F95",
        " {9a04f079-9840-4286-ab92-e65be0885f95} ",
    ] {
        let header =
            format!("<Protection><ProtectionHeader SystemID='{id}'>AA==</ProtectionHeader></Protection>");
        let m = parse(&smooth("", &(header + VIDEO)));
        assert_eq!(m.protection[0].system_id[..4], [0x9A, 0x04, 0xF0, 0x79], "{id}");
    }
}

#[test]
fn quirk_96_another_format_is_called_by_its_name() {
    let smooth = smooth("", VIDEO);
    for (document, place) in [
        ("<?xml version='1.0'?>\n<!-- x -->\n<MPD profiles='x'><Period/></MPD>", "MPD"),
        ("#EXTM3U\n#EXT-X-VERSION:3\n", "#EXTM3U"),
        ("<html><head/></html>", "html"),
        ("<smil/>", "root"),
    ] {
        assert_eq!(refusal(document), (-104, place));
    }
    assert!(!parse(&smooth).streams.is_empty());
}

#[test]
fn quirk_97_sound_of_several_codecs_in_one_stream() {
    let levels = "<QualityLevel Index='0' Bitrate='64000' FourCC='AACL' AudioTag='255' SamplingRate='48000' Channels='2' CodecPrivateData='1190'/>\
        <QualityLevel Index='1' Bitrate='192000' FourCC='EC-3' AudioTag='65534' SamplingRate='48000' Channels='6' PacketSize='768' \
        CodecPrivateData='00063F000000AF87FBA7022DFB42A4D405CD93843BDD0600200F00'/>";
    let stream = format!(
        "<StreamIndex Type='audio' Url='Q({{bitrate}})/F(a={{start time}})'>{levels}<c d='20000000'/></StreamIndex>"
    );
    let m = parse(&smooth("", &stream));
    let codecs: Vec<_> = m.streams[0].usable_levels().map(|(_, l)| (l.index, l.config.fourcc.0)).collect();
    assert_eq!(codecs, [(0, *b"AACL"), (1, *b"EC-3")]);
}
