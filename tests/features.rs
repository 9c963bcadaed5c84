//! What a build does with what it was built without. `cargo test --no-default-features --test features` runs it.

#![cfg(not(any(
    feature = "live",
    feature = "text",
    feature = "protection",
    feature = "codecs",
    feature = "init",
    feature = "details",
    feature = "capabilities",
    feature = "tracks"
)))]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use smoothcore::codec::Codec;
use smoothcore::error::Code;
use smoothcore::io::{DecoderTraits, EventKind, Input, Outcome, Output, StreamId};
use smoothcore::manifest::Strictness;
use smoothcore::session::{Config, ProtectionMode, Selection, Session, State};
use smoothcore::time::Instant;

const VIDEO: StreamId = StreamId(0);
const TEXT: StreamId = StreamId(1);
const DOLBY: StreamId = StreamId(2);

const MANIFEST: &str = "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='20000000' Odd='1'>\
    <Protection><ProtectionHeader SystemID='9a04f079-9840-4286-ab92-e65be0885f95'>AAAA</ProtectionHeader></Protection>\
    <StreamIndex Type='video' Name='v' Chunks='1' QualityLevels='1' Url='Q({bitrate})/F(v={start time})'>\
    <QualityLevel Index='0' Bitrate='100' FourCC='H264' MaxWidth='160' MaxHeight='90' \
    CodecPrivateData='000000016742C00DDA0A0BF92000000168CE3C80'/><c t='0' d='20000000'/></StreamIndex>\
    <StreamIndex Type='text' Subtype='SUBT' Name='t' Chunks='1' QualityLevels='1' Url='Q({bitrate})/F(t={start time})'>\
    <QualityLevel Index='0' Bitrate='10' FourCC='TTML'/><c t='0' d='20000000'/></StreamIndex>\
    <StreamIndex Type='audio' Name='a' Chunks='1' QualityLevels='1' Url='Q({bitrate})/F(a={start time})'>\
    <QualityLevel Index='0' Bitrate='20' FourCC='AC-3' SamplingRate='48000' Channels='2' BitsPerSample='16' \
    PacketSize='4' AudioTag='8192' CodecPrivateData=''/><c t='0' d='20000000'/></StreamIndex></SmoothStreamingMedia>";

/// A fragment of one sample whose `traf` says that it is encrypted.
fn encrypted() -> Vec<u8> {
    let boxed = |name: &[u8; 4], payload: &[u8]| {
        let size = u32::try_from(payload.len() + 8).unwrap();
        [&size.to_be_bytes(), name.as_slice(), payload].concat()
    };
    let senc = boxed(b"senc", &[0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
    // Data offset, one sample: duration and size.
    let size = 8 + 16 + 8 + 16 + (8 + 4 + 4 + 4 + 8) + senc.len();
    let offset = u32::try_from(size + 8).unwrap().to_be_bytes();
    let trun =
        [&[0, 0, 3, 1, 0, 0, 0, 1], offset.as_slice(), &20_000_000u32.to_be_bytes(), &4u32.to_be_bytes()]
            .concat();
    let traf = [boxed(b"tfhd", &[0, 0, 0, 0, 0, 0, 0, 1]), boxed(b"trun", &trun), senc].concat();
    let moof = [boxed(b"mfhd", &[0, 0, 0, 0, 0, 0, 0, 1]), boxed(b"traf", &traf)].concat();
    [boxed(b"moof", &moof), boxed(b"mdat", &[9, 9, 9, 9])].concat()
}

/// Plays until the session is idle and nothing is left to fetch; codes of the streams dropped.
fn played(session: &mut Session) -> Vec<(Option<StreamId>, Code)> {
    session.open(Instant(0), "http://h/p.ism/Manifest").unwrap();
    let mut dropped = Vec::new();
    for turn in 1..100 {
        match session.poll() {
            Output::Request(request) => {
                let id = request.id;
                let body = if request.stream.is_some() { encrypted() } else { MANIFEST.as_bytes().to_vec() };
                session.body(Instant(turn), id, &body);
                session.input(Instant(turn), Input::Finished(id, Outcome::Complete));
            }
            Output::Event(event) if event.kind == EventKind::StreamDropped => {
                dropped.push((event.stream, event.error.unwrap().code));
            }
            Output::Protection(_) | Output::Captions(_) | Output::Capability(_) => panic!("left out"),
            Output::Idle(_) => break,
            _ => {}
        }
    }
    dropped
}

#[test]
fn encrypted_content_is_refused_whatever_the_host_wants() {
    let config = Config { protection: ProtectionMode::Decoder, ..Config::default() };
    let mut session = Session::new(config).unwrap();
    let dropped = played(&mut session);
    assert!(dropped.contains(&(Some(VIDEO), Code::ProtectionUnsupported)), "{dropped:?}");
    assert!(matches!(session.state(), State::Failed(e) if e.code == Code::ProtectionUnsupported));
}

#[test]
fn a_live_presentation_plays_what_its_window_lists_and_ends() {
    use common::live::{Channel, SECOND, Viewer, config};
    let mut v = Viewer::open(config(), Channel::new());
    v.until(120);
    assert_eq!((v.session().state(), v.has(EventKind::Gap)), (State::Ended, false));
    let played = v.fragments(0);
    assert_eq!((played.first(), played.last()), (Some(&(100 * SECOND)), Some(&(128 * SECOND))));
    assert_eq!(v.channel().asked("Manifest").len(), 1);
    let (at, unsupported) = (v.at(), Err(Code::Unsupported));
    let session = v.session();
    assert_eq!(session.live(), None);
    assert_eq!(session.seek_live(at).map_err(|e| e.code), unsupported);
    assert_eq!(session.suspend(at).map_err(|e| e.code), unsupported);
    assert_eq!(session.resume(at).map_err(|e| e.code), unsupported);
    assert_eq!(session.network(at, smoothcore::io::Network::Down).map_err(|e| e.code), unsupported);
}

#[test]
fn what_is_left_out_is_listed_and_refused() {
    let mut session =
        Session::new(Config { start_buffer: smoothcore::time::Micros(1), ..Config::default() }).unwrap();
    session.open(Instant(0), "http://h/p.ism/Manifest").unwrap();
    let Output::Request(request) = session.poll() else { panic!("no request") };
    let id = request.id;
    session.body(Instant(1), id, MANIFEST.as_bytes());
    session.input(Instant(2), Input::Finished(id, Outcome::Complete));
    assert_eq!(session.state(), State::Playing);

    let unsupported = Err(Code::Unsupported);
    let manifest = session.manifest().unwrap();
    assert_eq!(manifest.streams.len(), 3);
    assert_eq!(manifest.protection.len(), 1);
    assert_eq!(manifest.streams[1].unusable.unwrap().code, Code::Unsupported);
    assert_eq!(manifest.streams[0].levels[0].config.codec, Codec::H264);
    let sound = &manifest.streams[2].levels[0].config;
    assert_eq!((sound.codec, &sound.fourcc.0), (Codec::Other, b"AC-3"));
    assert_eq!((manifest.metadata.len(), session.deviations().len()), (0, 0));

    assert_eq!(session.select(Instant(3), TEXT, Selection::On).map_err(|e| e.code), unsupported);
    assert_eq!(
        session.select(Instant(3), StreamId(9), Selection::On).map_err(|e| e.code),
        Err(Code::Argument)
    );
    assert_eq!(session.select(Instant(3), DOLBY, Selection::Off).map_err(|e| e.code), Ok(()));
    assert_eq!(session.switch(Instant(3), DOLBY).map_err(|e| e.code), unsupported);
    assert_eq!(session.restrict(Instant(3), VIDEO, 1).map_err(|e| e.code), unsupported);
    assert_eq!(session.init_segment(VIDEO, 0).map(<[u8]>::len).map_err(|e| e.code), Err(Code::Unsupported));
    assert_eq!(session.track(VIDEO), None);
    assert_eq!(session.key(0), None);
}

#[test]
fn a_configuration_that_needs_it_is_refused() {
    let strict = Config { strictness: Strictness::Strict, ..Config::default() };
    assert_eq!(Session::new(strict).unwrap_err().code, Code::Unsupported);
    let mut asking = Config::default();
    asking.decoder.flags |= DecoderTraits::CAPABILITIES;
    assert_eq!(Session::new(asking).unwrap_err().code, Code::Unsupported);
}
