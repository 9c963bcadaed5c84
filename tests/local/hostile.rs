//! Files that lie, and manifests that would have anything read.

use smoothcore::error::Code;
use smoothcore::io::EventKind;
use smoothcore::limits::Limits;
use smoothcore::local::{Local, URL};
use smoothcore::session::State;

use super::media::{boxed, boxes, child, mfra, without_index};
use super::source::{BUDGET, Memory, config, fragment, get, local, play};

fn open(smil: &str) -> Result<(), Code> {
    open_with(smil, Limits::default())
}

fn open_with(smil: &str, limits: Limits) -> Result<(), Code> {
    let mut local =
        Local::new(Memory::testcard().with("a.ism", smil).without("testcard.ismc"), &limits, BUDGET);
    let opened = local.open("a.ism").map_err(|error| error.code);
    assert!(local.peak() <= BUDGET);
    opened
}

fn smil(tracks: &str) -> String {
    format!("<smil><head/><body><switch>{tracks}</switch></body></smil>")
}

const TRACK: &str = r#"<video src="testcard_64.ismv" systemBitrate="1"/>"#;

#[test]
fn server_manifests_fail_with_their_numbers() {
    assert_eq!(open(&smil(TRACK)), Ok(()));
    for (text, code) in [
        ("<html><body/></html>", Code::ManifestNotSmooth),
        ("<SmoothStreamingMedia/>", Code::ManifestNotSmooth),
        ("", Code::ManifestTruncated),
        ("no markup", Code::ManifestSyntax),
        ("<smil><body></smil>", Code::ManifestSyntax),
        ("<!DOCTYPE smil><smil/>", Code::ManifestDoctype),
        ("<smil>&nbsp;</smil>", Code::ManifestEntity),
        ("<smil/>", Code::ManifestNothingPlayable),
        (&smil(r#"<video systemBitrate="1"/>"#), Code::ManifestNothingPlayable),
        (&smil(r#"<video src="testcard_64.ismv" systemBitrate="-1"/>"#), Code::ManifestNothingPlayable),
        (
            &smil(r#"<video src="testcard_64.ismv" systemBitrate="99999999999"/>"#),
            Code::ManifestNothingPlayable,
        ),
        (&smil(r#"<video src="../testcard_64.ismv" systemBitrate="1"/>"#), Code::ManifestNothingPlayable),
        (&smil(r#"<video src="/etc/passwd" systemBitrate="1"/>"#), Code::ManifestNothingPlayable),
        (&smil(r#"<video src="gone.ismv" systemBitrate="1"/>"#), Code::ManifestNothingPlayable),
        (&smil(r#"<video src="a.ism" systemBitrate="1"/>"#), Code::ManifestNothingPlayable),
    ] {
        assert_eq!(open(text), Err(code), "{text}");
    }
}

#[test]
fn bad_tracks_leave_the_good_ones() {
    let bad = r#"<video src="..\x.ismv" systemBitrate="2"/><video systemBitrate="3"/><audio src="a.ism" systemBitrate="x"/>
        <video src="testcard_64.ismv" systemBitrate="4"><param name="trackID" value="none"/></video>
        <video src="testcard_64.ismv" systemBitrate="5"><param name="trackID" value="77"/></video>"#;
    let memory = Memory::testcard().with("a.ism", smil(&format!("{bad}{TRACK}")));
    let played = play(memory, "a.ism", config()).unwrap();
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.decoder.samples.len(), 1200);
    assert!(played.decoder.samples.iter().all(|s| s.bitrate == 1));
}

#[test]
fn limits_hold() {
    let default = Limits::default;
    assert_eq!(
        open_with(&smil(TRACK), Limits { manifest_bytes: 50, ..default() }),
        Err(Code::LimitManifestBytes)
    );
    let long = smil(&format!(r#"<video src="{}.ismv" systemBitrate="1"/>"#, "a".repeat(5000)));
    let narrow = Limits { xml_attribute_bytes: 4096, ..default() };
    assert_eq!(open_with(&long, narrow), Err(Code::LimitXmlText));
    let deep = format!("{}{}", "<smil>".repeat(30), "</smil>".repeat(30));
    assert_eq!(open(&deep), Err(Code::LimitXmlDepth));
    let params: String = (0..40).map(|n| format!(r#"<param name="p{n}" value="v"/>"#)).collect();
    let many = smil(&format!(r#"<video src="testcard_64.ismv" systemBitrate="1">{params}</video>"#));
    assert_eq!(open(&many), Err(Code::LimitCustomAttributes));
    let few = Limits { streams: 2, levels: 2, ..default() };
    assert_eq!(open_with(&smil(&TRACK.repeat(5)), few), Err(Code::LimitStreams));
    assert_eq!(open(&smil(&TRACK.repeat(5000))), Err(Code::Budget), "five thousand tracks");
    let short = Limits { url_bytes: 64, ..default() };
    let long = smil(&format!(r#"<video src="{}.ismv" systemBitrate="1"/>"#, "a".repeat(70)));
    assert_eq!(open_with(&long, short), Err(Code::LimitUrl));
    // Metadata without end is cut off.
    let metas = r#"<meta name="a" content="b"/>"#.repeat(1000);
    let mut local = local(Memory::testcard().with("a.ism", format!("<smil>{metas}{TRACK}</smil>")));
    local.open("a.ism").unwrap();
    assert_eq!(local.metadata().len(), 64);
}

/// What is answered to the first fragment of a file.
fn first_of(file: Vec<u8>, limits: Limits) -> Result<u16, Code> {
    let memory = Memory::testcard().with("testcard_64.ismv", file);
    let mut local = Local::new(memory, &limits, BUDGET);
    local.open("testcard.ism").unwrap();
    let answer = get(&mut local, &fragment(64_852, "video", 0));
    assert!(local.peak() <= BUDGET);
    answer.map(|(status, _)| status)
}

#[test]
fn an_index_that_lies_is_a_404_or_no_index() {
    let file = without_index(&Memory::testcard().get("testcard_64.ismv"));
    let with = |index: &[u8]| [&file, index].concat();
    let first = boxes(&file).into_iter().find(|(kind, _)| kind == b"moof").unwrap().1;
    assert_eq!(first_of(with(&mfra(1, &[(1, vec![(0, first.start as u64)])])), Limits::default()), Ok(200));
    for place in
        [0, 1, first.start as u64 + 1, first.end as u64, file.len() as u64 - 4, file.len() as u64, u64::MAX]
    {
        assert_eq!(first_of(with(&mfra(1, &[(1, vec![(0, place)])])), Limits::default()), Ok(404), "{place}");
    }
    // A count beyond the box, sizes beyond the file, and an index that points before the file: looked for by hand.
    let good = mfra(1, &[(1, vec![(0, 1)])]);
    for (at, value) in [(8 + 20, 0x7FFF_FFFF), (8, 0xFFFF_FFFF), (8, 1), (8, 7), (0, 9), (0, 0xFFFF_FFF0)] {
        let mut bad = good.clone();
        bad[at..at + 4].copy_from_slice(&u32::to_be_bytes(value));
        assert_eq!(first_of(with(&bad), Limits::default()), Ok(200), "{value:x} at {at}");
    }
    let mut before = good.clone();
    let end = before.len();
    before[end - 4..].copy_from_slice(&[0xFF; 4]);
    assert_eq!(first_of(with(&before), Limits::default()), Ok(200));
}

#[test]
fn scans_have_bounds() {
    let file = without_index(&Memory::testcard().get("testcard_64.ismv"));
    let limits = Limits::default;
    assert_eq!(first_of(file.clone(), limits()), Ok(200));
    assert_eq!(first_of(file.clone(), Limits { fragments: 10, ..limits() }), Err(Code::LimitFragments));
    assert_eq!(first_of(file.clone(), Limits { moof_bytes: 100, ..limits() }), Err(Code::LimitMoofBytes));
    assert_eq!(
        first_of(file.clone(), Limits { fragment_bytes: 1000, ..limits() }),
        Err(Code::LimitFragmentBytes)
    );
    let flood = boxed(b"free", b"").repeat(2000);
    assert_eq!(first_of(flood.clone(), Limits { fragments: 100, ..limits() }), Err(Code::LimitBoxes));
    assert_eq!(first_of(flood, limits()), Ok(404));
    assert_eq!(first_of(Vec::new(), limits()), Ok(404));
    assert_eq!(first_of(vec![0; 7], limits()), Ok(404));
    assert_eq!(first_of(vec![0; 5000], limits()), Ok(404));
    assert_eq!(first_of(vec![0xFF; 5000], limits()), Ok(404));
    // Fragments of ever other tracks.
    let moof = |id: u32| {
        let tfhd = boxed(b"tfhd", &[&[0; 4], &id.to_be_bytes()[..]].concat());
        [boxed(b"moof", &boxed(b"traf", &tfhd)), boxed(b"mdat", b"")].concat()
    };
    let many: Vec<u8> = (1..=3000).flat_map(moof).collect();
    assert_eq!(first_of(many, limits()), Ok(200), "the first track is among those that are kept");
}

#[test]
fn a_single_file_fails_with_its_own_error() {
    let fails = |file: &[u8], limits: Limits| {
        let memory = Memory { piece: 100, ..Memory::default() }.with("a.ismv", file);
        let mut local = Local::new(memory, &limits, BUDGET);
        let error = local.open("a.ismv").unwrap_err();
        assert_eq!(get(&mut local, URL).unwrap_err(), error.code);
        error.code
    };
    let limits = Limits::default;
    let good = Memory::testcard().get("testcard_64.ismv");
    let head = &good[..boxes(&good)[1].1.end];
    assert_eq!(fails(b"", limits()), Code::BoxInvalid);
    assert_eq!(fails(&[0xFF; 100], limits()), Code::BoxInvalid);
    assert_eq!(fails(b"<html>captive portal</html>", limits()), Code::BoxInvalid);
    assert_eq!(fails(head, limits()), Code::FragmentNotMp4, "no fragment");
    assert_eq!(fails(&good[head.len()..], limits()), Code::BoxInvalid, "no moov");
    assert_eq!(fails(&head[..head.len() - 1], limits()), Code::BoxInvalid);
    assert_eq!(fails(&good, Limits { moof_bytes: 64, ..limits() }), Code::LimitMoofBytes);
    let flood = boxed(b"free", b"").repeat(257);
    assert_eq!(
        fails(&[&flood, &good[..]].concat(), limits()),
        Code::LimitBoxes,
        "looks for the moov for ever"
    );
    let mute = boxed(b"moov", &boxed(b"mvhd", child(&good, &[b"moov", b"mvhd"])));
    assert_eq!(fails(&mute, limits()), Code::ManifestNothingPlayable);
}

#[test]
fn a_file_changed_at_any_byte_breaks_nothing() {
    let good = super::media::testcard_muxed(1);
    let moov = boxes(&good)[1].1.clone();
    let mut played = 0;
    for at in moov.clone().chain(good.len() - 300..good.len()) {
        for flip in [0xFF, 0x01] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            let mut local = local(Memory { piece: usize::MAX, ..Memory::default() }.with("a.ismv", bad));
            if local.open("a.ismv").is_ok() {
                let manifest = get(&mut local, URL).unwrap().1;
                assert!(manifest.ends_with(b"</SmoothStreamingMedia>\n"));
                let _ = get(&mut local, &fragment(1, "video", 0));
                played += 1;
            }
            assert!(local.peak() <= BUDGET);
        }
    }
    assert!(played > moov.len());
}

#[test]
fn a_file_that_shrinks_while_it_plays_is_a_broken_answer() {
    let mut memory = Memory::testcard();
    let shrunk = memory.get("testcard_eng.isma");
    memory.put("testcard_eng.isma", shrunk[..shrunk.len() - 5000].to_vec());
    let played = play(memory, "testcard.ism", config()).unwrap();
    // The index is gone with the end, the fragments before it are not.
    assert_eq!(played.state, State::Ended);
    assert!(played.events.iter().any(|e| e.kind == EventKind::Gap));
}
