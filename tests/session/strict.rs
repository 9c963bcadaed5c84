//! A session under a strict configuration refuses what a lenient one plays, and says for which deviation.

use smoothcore::io::{EventKind, Input, Outcome, Output};
use smoothcore::manifest::Strictness;
use smoothcore::session::{Config, Session, State};
use smoothcore::time::Instant;

const MANIFEST: &str = "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='20000000'>\
    <StreamIndex Type='audio' Name='1' Chunks='1' QualityLevels='1' Url='Q({bitrate})/F(a={start time})'>\
    <QualityLevel Index='0' Bitrate='64000' FourCC='AACL' SamplingRate='48000' Channels='2' BitsPerSample='16' \
    PacketSize='4' AudioTag='255' CodecPrivateData='1190'/><c t='0' d='20000000'/></StreamIndex></SmoothStreamingMedia>";

/// A session that has been given `manifest`, and the codes of its failures.
fn opened(strictness: Strictness, manifest: &str) -> (Session, Vec<i32>) {
    let mut session = Session::new(Config { strictness, ..Config::default() }).unwrap();
    session.open(Instant(0), "http://h/p.ism/Manifest").unwrap();
    let Output::Request(request) = session.poll() else { panic!("no request") };
    let id = request.id;
    let taken = session.body(Instant(1), id, manifest.as_bytes());
    if taken == manifest.len() {
        session.input(Instant(2), Input::Finished(id, Outcome::Complete));
    }
    let mut failures = Vec::new();
    for _ in 0..100 {
        match session.poll() {
            Output::Event(event) if event.kind == EventKind::Failed => {
                failures.extend(event.error.map(|e| e.code.number()));
            }
            Output::Idle(_) => break,
            _ => {}
        }
    }
    (session, failures)
}

#[test]
fn a_strict_session_refuses_and_says_why() {
    let (session, failures) = opened(Strictness::Strict, MANIFEST);
    assert_eq!(failures, [-112]);
    let State::Failed(error) = session.state() else { panic!("{:?}", session.state()) };
    assert_eq!((error.place.at, error.place.offset), ("StreamIndex@Name", 76));
    let told: Vec<_> = session.deviations().iter().map(|d| (d.rule, d.place, d.offset)).collect();
    assert_eq!(told, [("stream-name-form", "StreamIndex@Name", 76)]);
}

#[test]
fn a_lenient_session_plays_and_tells() {
    let (session, failures) = opened(Strictness::Lenient, MANIFEST);
    assert_eq!((session.state(), failures.len()), (State::Playing, 0));
    assert_eq!(session.deviations().len(), 1);
}

#[test]
fn a_strict_session_plays_what_deviates_in_nothing() {
    let (session, failures) = opened(Strictness::Strict, &MANIFEST.replace("Name='1'", "Name='a'"));
    assert_eq!((session.state(), failures.len(), session.deviations().len()), (State::Playing, 0, 0));
}
