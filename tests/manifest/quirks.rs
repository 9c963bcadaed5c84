//! Bad habits of origins and encoders that players met in the field, and what they mean.

use crate::support::*;
use smoothcore::codec::{Codec, codec_string};
use smoothcore::limits::Limits;
use smoothcore::manifest::StreamKind;
use smoothcore::manifest::url::fragment;
use smoothcore::mem::{Account, Text};
use smoothcore::time::{MediaTime, Micros, TimeScale};

fn audio(attributes: &str, level: &str) -> String {
    format!(
        "<StreamIndex Type='audio' Url='Q({{bitrate}})/F(a={{start time}})' {attributes}><QualityLevel Bitrate='64000' {level}/>\
         <c d='20000000'/></StreamIndex>"
    )
}

#[test]
fn live_in_any_case() {
    for yes in ["true", "TRUE", "True"] {
        assert!(parse(&smooth(&format!("IsLive='{yes}'"), VIDEO)).is_live(), "{yes}");
    }
}

#[test]
fn false_is_false() {
    for no in ["FALSE", "false", "False", "", "no"] {
        assert!(!parse(&smooth(&format!("IsLive='{no}'"), VIDEO)).is_live(), "{no}");
    }
}

#[test]
fn other_truth_values_in_any_case() {
    let m = parse(&smooth(
        "CanSeek='TrUe' CanPause='fAlSe'",
        &(VIDEO.to_string() + "<StreamIndex Type='text' ManifestOutput='True'/>"),
    ));
    assert_eq!((m.can_seek, m.can_pause, m.streams[1].embedded), (Some(true), Some(false), true));
}

#[test]
fn duration_before_time() {
    assert_eq!(times(&parse(&fragments("", "<c d='10' t='5'/><c d='10' t='15'/>"))), [(5, 10), (15, 10)]);
}

#[test]
fn first_fragment_without_duration() {
    assert_eq!(times(&parse(&fragments("", "<c t='0'/><c t='20' d='20'/>"))), [(0, 20), (20, 20)]);
}

#[test]
fn repeats_in_a_manifest_of_any_version() {
    for version in ["MinorVersion='0'", "MinorVersion='2'"] {
        let document = fragments("", "<c t='0' d='10' r='3'/>").replace("MinorVersion='0'", version);
        assert_eq!(times(&parse(&document)), [(0, 10), (10, 10), (20, 10)], "{version}");
    }
}

#[test]
fn repeats_are_no_zero_based_count() {
    assert_eq!(parse(&fragments("", "<c d='10' r='2'/>")).streams[0].timeline.len(), 2);
}

#[test]
fn empty_fourcc_with_the_tag_of_aac() {
    let m = parse(&smooth(
        "",
        &audio("", "FourCC='' AudioTag='255' SamplingRate='44100' Channels='2' CodecPrivateData='1210'"),
    ));
    let l = &m.streams[0].levels[0];
    assert_eq!((l.unusable, l.config.codec, &*codec_string(&l.config)), (None, Codec::Aac, "mp4a.40.2"));
}

#[test]
fn empty_fourcc_on_video_is_not_guessed() {
    let bad = level("Bitrate='1'").replace("H264", "");
    let m = parse(&smooth("", &video("", &(bad + &level("Bitrate='2'") + "<c d='1'/>"))));
    assert_eq!((level_fault(&m, 0, 0), level_fault(&m, 0, 1)), (-307, 0));
}

#[test]
fn codec_in_the_subtype_and_padded_private_data() {
    let padded = "CodecPrivateData='1190000000000000000000000000000'".replace("'1190", "'11900");
    let m = parse(&smooth("", &audio("Subtype='AACL'", &padded)));
    let c = &m.streams[0].levels[0].config;
    assert_eq!((c.codec, &c.private[..]), (Codec::Aac, &[0x11, 0x90][..]));
    let m = parse(&smooth("", &audio("Subtype='WmaPro'", "AudioTag='354'")));
    assert_eq!(m.streams[0].levels[0].unusable, None);
}

#[test]
fn no_window_or_a_window_of_zero_is_the_whole_event() {
    for dvr in ["", "DVRWindowLength='0'"] {
        let m = parse(&fragments(&format!("IsLive='true' {dvr}"), "<c t='500' d='10' r='9'/>"));
        assert_eq!((m.dvr_window, m.first_time()), (0, Some(MediaTime(500))));
    }
}

#[test]
fn fewer_fragments_than_the_window() {
    let m =
        parse(&fragments("IsLive='true' DVRWindowLength='6000000000'", "<c t='900' d='20000000' r='2'/>"));
    assert_eq!(m.first_time(), Some(MediaTime(900)));
}

#[test]
fn chunks_of_zero_and_no_fragment_yet() {
    let empty = video("Chunks='0'", &level("Bitrate='1'"));
    let m = parse(&smooth("IsLive='true'", &empty));
    assert_eq!((stream_fault(&m, 0), m.streams[0].timeline.len(), m.first_time()), (0, 0, None));
    assert_eq!(m.length(), Micros::ZERO);
    let text = "<StreamIndex Type='text' ManifestOutput='true' Chunks='0'/>";
    assert_eq!(stream_fault(&parse(&smooth("", &(VIDEO.to_string() + text))), 1), 0);
}

#[test]
fn empty_and_unknown_streams() {
    let m =
        parse(&smooth("", &format!("<StreamIndex Type='audio'/>{VIDEO}<StreamIndex Type='image' Url='x'/>")));
    assert_eq!((m.streams.len(), stream_fault(&m, 0), stream_fault(&m, 1)), (2, -106, 0));
}

#[test]
fn streams_of_the_same_name_or_none() {
    let m = parse(&smooth(
        "",
        &(audio("Language='eng'", "FourCC='AACL'") + &audio("Language='fra'", "FourCC='AACL'")),
    ));
    let names: Vec<_> = m.streams.iter().map(|s| (&*s.name, &*s.language)).collect();
    assert_eq!(names, [("audio", "eng"), ("audio", "fra")]);
}

#[test]
fn languages_of_every_shape() {
    for language in ["de", "deu", "zh-Hant-TW", "x", ""] {
        let m = parse(&smooth("", &audio(&format!("Language='{language}'"), "FourCC='AACL'")));
        assert_eq!(&*m.streams[0].language, if language.is_empty() { "und" } else { language });
    }
}

#[test]
fn size_only_on_the_stream() {
    let m =
        parse(&smooth("", &video("MaxWidth='640' MaxHeight='360'", &(level("Bitrate='1'") + "<c d='1'/>"))));
    let c = &m.streams[0].levels[0].config;
    assert_eq!((c.width, c.height), (640, 360));
}

#[test]
fn both_names_of_timed_text() {
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
fn a_bitrate_keeps_its_digits() {
    let m = parse(&smooth(
        "",
        &video("", &(level("Bitrate='1048577'") + &level("Bitrate='0064000'") + "<c d='1'/>")),
    ));
    let digits: Vec<_> = m.streams[0].levels.iter().map(|l| l.bitrate_text.as_str()).collect();
    assert_eq!(digits, ["1048577", "0064000"]);
}

#[test]
fn time_scales_of_manifest_and_stream_differ() {
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
fn no_duration_at_all() {
    let m = parse(&fragments("TimeScale='1000'", "<c t='500' d='1000'/><c d='1500'/>"));
    assert_eq!((m.duration, m.length()), (2500, Micros::from_millis(2500)));
}

#[test]
fn a_duration_beyond_the_last_fragment() {
    let m = parse(&smooth("Duration='99000000'", VIDEO));
    assert_eq!(
        (m.duration, m.end_time(), m.length()),
        (99_000_000, Some(MediaTime(50_000_000)), Micros::from_secs(5))
    );
}

#[test]
fn foreign_attributes_and_elements() {
    let m = parse(&smooth(
        "xmlns:v='urn:v' v:Rev='1' RevInfo='x'",
        &format!("<v:RevInfo a='b'><c d='9'/></v:RevInfo>{}", VIDEO.replace("<c ", "<c v:k='1' ")),
    ));
    assert_eq!(m.streams[0].timeline.len(), 3);
}

#[test]
fn custom_attributes_and_digits_reach_the_url() {
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
