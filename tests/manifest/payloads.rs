//! Samples, streams and metadata that stand in the manifest itself.

use crate::support::*;
use smoothcore::limits::Limits;
use smoothcore::manifest::StreamKind;
use smoothcore::manifest::url::fragment;
use smoothcore::mem::{Account, Text};

/// A script stream with these fragments beside a video stream.
fn script(c: &str) -> String {
    let stream =
        format!("<StreamIndex Type='text' Subtype='SCMD' Name='s' ManifestOutput='true'>{c}</StreamIndex>");
    smooth("", &(VIDEO.to_string() + &stream))
}

fn samples(document: &str) -> Vec<(u64, u32, Vec<u8>)> {
    let stream = &parse(document).streams[1];
    stream.payloads.iter().map(|p| (p.time, p.level, p.bytes.to_vec())).collect()
}

#[test]
fn samples_carry_the_time_of_their_fragment() {
    let c = "<c t='500' d='10'><f i='0'>SGVsbG8=</f></c><c d='10'><f i='3'>\r\n  eA==\r\n </f><f i='4'>eHk</f></c>\
             <c t='900'><f i='0'><![CDATA[AAE]]>C</f></c>";
    let expected: [(u64, u32, &[u8]); 4] =
        [(500, 0, b"Hello"), (510, 3, b"x"), (510, 4, b"xy"), (900, 0, &[0, 1, 2])];
    let all = samples(&script(c));
    assert_eq!(all.iter().map(|(t, l, b)| (*t, *l, &b[..])).collect::<Vec<_>>(), expected);
}

#[test]
fn a_bad_sample_is_left_out_alone() {
    let all = samples(&script(
        "<c t='1' d='1'><f i='0'>****</f></c><c t='2' d='1'><f i='0'/></c><c t='3' d='1'><f>eA==</f></c>",
    ));
    assert_eq!(all, [(3, 0, b"x".to_vec())]);
}

#[test]
fn samples_of_fragments_that_are_fetched_are_not_taken() {
    let m = parse(&fragments("", "<c d='10'><f i='0'>SGVsbG8=</f></c>"));
    assert_eq!((m.streams[0].payloads.len(), m.streams[0].timeline.len()), (0, 1));
}

#[test]
fn elements_inside_a_sample_are_skipped() {
    assert_eq!(
        samples(&script("<c t='1' d='1'><f i='0'>SGVs<x>bG8=</x>bG8=</f></c>")),
        [(1, 0, b"Hello".to_vec())]
    );
}

#[test]
fn too_much_costs_the_stream_and_nothing_else() {
    let c: String =
        (0..20).map(|n| format!("<c t='{n}' d='1'><f i='0'>{}</f></c>", "AAAA".repeat(100))).collect();
    let limits = Limits { payload_bytes: 3000, ..Limits::default() };
    let (mut m, _) = parse_pieces(&limits, script(&c).as_bytes(), 50).unwrap();
    assert_eq!((stream_fault(&m, 0), stream_fault(&m, 1)), (0, -130));
    assert_eq!(m.streams[1].unusable.unwrap().place.at, "c/f");
    assert!(m.streams[1].payloads.len() < 10);
    m.free(&mut Account::new(0));
    assert_eq!(
        refusal(&script(&format!("<c t='1'><f i='0'>{}</f></c>", "A".repeat((512 << 10) + 1)))).0,
        -124
    );
}

#[test]
fn every_budget_is_kept() {
    let document = script(&"<c d='5'><f i='0'>SGVsbG8gd29ybGQ=</f></c>".repeat(9))
        .replace("MajorVersion", "Title='A long title' MajorVersion")
        .replace(
            "<StreamIndex Type='text'",
            "<CustomAttributes><Attribute Name='a' Value='b'/></CustomAttributes><StreamIndex Type='text'",
        )
        .replace("</SmoothStreamingMedia>", "<StreamIndex Type='x' Name='y'/></SmoothStreamingMedia>");
    let (mut whole, peak) = parse_pieces(&Limits::default(), document.as_bytes(), 9).unwrap();
    assert_eq!((whole.streams[1].payloads.len(), whole.ignored.len(), whole.metadata.len()), (9, 1, 2));
    whole.free(&mut Account::new(0));
    for cap in 0..peak {
        let mut account = Account::new(cap);
        let mut parser = smoothcore::manifest::ManifestParser::new(&Limits::default());
        let fed = document.as_bytes().chunks(9).try_for_each(|bytes| parser.feed(&mut account, bytes));
        let result = fed.and_then(|()| parser.finish());
        parser.free(&mut account);
        match result {
            Ok(mut manifest) => manifest.free(&mut account),
            Err(error) => assert_eq!(error.code.number(), -6, "{cap} of {peak}"),
        }
        assert_eq!(account.held(), 0, "{cap} of {peak}");
    }
}

#[test]
fn streams_of_unknown_type_are_named() {
    let m = parse(&smooth(
        "",
        &format!(
            "<StreamIndex Name='thumbs' Type='image' Url='x'><c d='5'/></StreamIndex>{VIDEO}<StreamIndex/>"
        ),
    ));
    let ignored: Vec<_> = m.ignored.iter().map(|i| (i.kind.as_str(), i.name.as_str())).collect();
    assert_eq!(ignored, [("image", "thumbs"), ("", "")]);
    assert_eq!((m.streams.len(), m.streams[0].kind), (1, StreamKind::Video));
}

#[test]
fn unknown_root_attributes_are_metadata() {
    let m =
        parse(&smooth("Title='Sintel &amp; Co' xmlns:x='u' x:y='1' Description='d' CanSeek='true'", VIDEO));
    let metadata: Vec<_> = m.metadata.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(metadata, [("Title", "Sintel & Co"), ("Description", "d")]);
    let custom = "<CustomAttributes><Attribute Name='timeScaleZeroPoint' Value='7'/><Attribute Value='x'/></CustomAttributes>";
    let m = parse(&smooth("Title='t'", &(custom.to_string() + VIDEO)));
    let metadata: Vec<_> = m.metadata.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(metadata, [("Title", "t"), ("timeScaleZeroPoint", "7")]);
    let limits = Limits { metadata_bytes: 10, ..Limits::default() };
    let document = smooth("Title='too long' a='fits'", VIDEO);
    let (mut m, _) = parse_pieces(&limits, document.as_bytes(), 50).unwrap();
    assert_eq!((m.metadata.len(), m.metadata[0].0.as_str()), (1, "a"));
    m.free(&mut Account::new(0));
}

#[test]
fn attributes_of_old_manifests_inform_and_stay_out_of_urls() {
    let one = level("Bitrate='5' HardwareProfile='1000' WMENC_Profile='a b'");
    let m = parse(&smooth("", &video("", &(one + "<c d='1'/>"))));
    let l = &m.streams[0].levels[0];
    let told: Vec<_> = l.informative.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(told, [("HardwareProfile", "1000"), ("WMENC_Profile", "a b")]);
    assert!(l.custom.is_empty() && l.unusable.is_none());
}

#[test]
fn a_level_may_have_a_url_of_its_own() {
    let levels = level("Bitrate='5' Url='A({bitrate})/{start time}'") + &level("Bitrate='6'");
    let m = parse(&smooth("", &video("", &(levels.clone() + "<c t='7' d='1'/>"))));
    let s = &m.streams[0];
    let url = |at: usize| {
        let (mut account, mut out, l) = (Account::new(1 << 16), Text::new(), &s.levels[at]);
        let none = core::iter::empty();
        fragment(
            &mut account,
            &mut out,
            "http://h/m",
            s.template(l),
            &l.bitrate_text,
            none,
            7,
            &Limits::default(),
        )
        .unwrap();
        out.as_str().to_string()
    };
    assert_eq!((url(0), url(1)), ("http://h/A(5)/7".to_string(), "http://h/Q(6)/F(v=7)".to_string()));
    // Without one of the stream, the level that has none is lost alone.
    let m = parse(&smooth("", &format!("<StreamIndex Type='video'>{levels}<c d='1'/></StreamIndex>")));
    assert_eq!((stream_fault(&m, 0), level_fault(&m, 0, 0), level_fault(&m, 0, 1)), (0, 0, -106));
    let long = level(&format!("Bitrate='5' Url='{}'", "u".repeat(4097)));
    let m = parse(&smooth("", &video("", &(long + &level("Bitrate='6'") + "<c d='1'/>"))));
    assert_eq!((level_fault(&m, 0, 0), level_fault(&m, 0, 1)), (-129, 0));
}
