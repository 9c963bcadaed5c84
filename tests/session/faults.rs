//! The network fails: nothing is lost that can be had, nothing comes twice, and what is lost is said.

use crate::common::{Fault, Link, Mode, Origin, Played, Recorder, play};
use smoothcore::error::Code;
use smoothcore::io::EventKind;
use smoothcore::session::{AudioChoice, Config, State};

const VIDEO: &str = "QualityLevels(64852)/Fragments(video=60000000)";
const AUDIO: &str = "QualityLevels(22924)/Fragments(audio_eng=60160000)";

/// One level, so that every fragment's bytes are known beforehand.
fn pinned() -> Config {
    Config { fixed_bitrate: 64_852, audio: AudioChoice::First, seed: 1, budget: 4 << 20, ..Config::default() }
}

fn fast() -> Link {
    Link::new(Origin::testcard(), &[200])
}

fn samples_of(played: &Played) -> Vec<(u16, i64, i64, Vec<u8>)> {
    played.decoder.samples.iter().map(|s| (s.stream, s.dts, s.pts, s.bytes.clone())).collect()
}

fn by_stream(mut samples: Vec<(u16, i64, i64, Vec<u8>)>) -> Vec<(u16, i64, i64, Vec<u8>)> {
    samples.sort_by_key(|s| s.0);
    samples
}

fn undisturbed() -> Vec<(u16, i64, i64, Vec<u8>)> {
    let played = play(Mode::EventLoop, pinned(), fast(), Recorder::new());
    assert_eq!(played.state, State::Ended);
    by_stream(samples_of(&played))
}

#[test]
fn a_cut_at_every_twentieth_loses_nothing() {
    let whole = undisturbed();
    let link = fast();
    for path in [VIDEO, AUDIO] {
        let size = link.origin.responses[path].len();
        for part in 0..20 {
            let cut = size * part / 20;
            // A slow link and an impatient decoder make the samples leave before the cut; a fast one after it.
            for rates in [[200u64], [4]] {
                for decoder in [Recorder::new(), Recorder::unpaced()] {
                    let link = Link::new(link.origin.clone(), &rates).fault(path, 1, Fault::Cut(cut));
                    let played = play(Mode::EventLoop, pinned(), link, decoder);
                    assert_eq!(played.state, State::Ended);
                    assert_eq!(played.count(EventKind::Retry), 1, "{path} cut at {cut}");
                    assert_eq!(played.count(EventKind::Gap), 0);
                    assert_eq!(played.link.balance, 0);
                    assert!(by_stream(samples_of(&played)) == whole, "{path} cut at {cut} of {size}");
                }
            }
        }
    }
}

#[test]
fn a_body_that_changed_on_retry_is_one_gap() {
    let origin = Origin::testcard();
    let other = origin.responses["QualityLevels(101261)/Fragments(video=60000000)"].clone();
    let cut = origin.responses[VIDEO].len() / 2;
    let link = Link::new(origin, &[4]).fault(VIDEO, 1, Fault::Cut(cut)).fault(VIDEO, 2, Fault::Body(other));
    let played = play(Mode::EventLoop, pinned(), link, Recorder::unpaced());
    assert_eq!(played.state, State::Ended);
    let gaps: Vec<_> = played.events.iter().filter(|e| e.kind == EventKind::Gap).collect();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].error.unwrap().code, Code::FragmentChanged);
    let in_fragment =
        played.decoder.samples.iter().filter(|s| s.stream == 0 && s.fragment == 60_000_000).count();
    assert!((1..50).contains(&in_fragment), "{in_fragment} had left before the cut");
    let after = played.decoder.samples.iter().find(|s| s.stream == 0 && s.fragment == 80_000_000).unwrap();
    assert_eq!(after.flags & 2, 2, "the next fragment starts with a discontinuity");
}

#[test]
fn a_missing_fragment_is_tried_at_another_level_and_then_skipped() {
    let mut origin = Origin::testcard();
    for (path, body) in origin.responses.iter_mut() {
        if path.contains("(video=60000000)") {
            body.clear();
        }
    }
    origin.responses.retain(|path, body| !(path.contains("(video=60000000)") && body.is_empty()));
    let config = Config { fixed_bitrate: 0, ..pinned() };
    let played = play(Mode::EventLoop, config, Link::new(origin, &[200]), Recorder::new());
    assert_eq!(played.state, State::Ended);
    let gap = played.events.iter().find(|e| e.kind == EventKind::Gap).expect("a gap");
    assert_eq!((gap.a, gap.b, gap.http_status), (2_000_000, 60_000_000, 404));
    assert_eq!(played.count(EventKind::Gap), 1);
    assert_eq!(played.stats.http_errors, 2);
    assert!(played.decoder.samples.iter().all(|s| s.stream != 0 || s.fragment != 60_000_000));
    assert_eq!(played.decoder.samples.iter().filter(|s| s.stream == 0).count(), 23 * 50);
}

#[test]
fn passing_failures_are_waited_out() {
    let whole = undisturbed();
    for fault in [
        Fault::Status(503),
        Fault::Status(429),
        Fault::Body(b"<html><body>please log in</body></html>".to_vec()),
        Fault::Body(Vec::new()),
        Fault::Short(300),
        Fault::Short(5_000),
        Fault::Silence,
        Fault::Stall(2_000),
    ] {
        let link = fast().fault(VIDEO, 1, fault.clone());
        let played = play(Mode::EventLoop, pinned(), link, Recorder::new());
        assert_eq!(played.state, State::Ended, "{fault:?}");
        assert_eq!(played.count(EventKind::Retry), 1, "{fault:?}");
        assert!(by_stream(samples_of(&played)) == whole, "{fault:?}");
        assert_eq!(played.link.balance, 0);
    }
}

#[test]
fn silence_is_noticed_by_its_deadline() {
    let link = fast().fault(VIDEO, 1, Fault::Silence).fault(AUDIO, 1, Fault::Stall(100));
    let played = play(Mode::EventLoop, pinned(), link, Recorder::new());
    let codes: Vec<_> =
        played.events.iter().filter(|e| e.kind == EventKind::Retry).map(|e| e.error.unwrap().code).collect();
    assert!(codes.contains(&Code::FirstByteTimeout) && codes.contains(&Code::IdleTimeout), "{codes:?}");
}

#[test]
fn an_origin_that_is_gone_ends_the_session_once() {
    let mut origin = Origin::testcard();
    origin.responses.retain(|path, _| path == "Manifest");
    let played = play(Mode::EventLoop, pinned(), Link::new(origin, &[200]), Recorder::new());
    assert!(matches!(played.state, State::Failed(e) if e.code == Code::HttpStatus), "{:?}", played.state);
    assert_eq!(played.count(EventKind::Failed), 1);
    assert_eq!(played.link.balance, 0);
}

#[test]
fn a_manifest_that_is_not_there_is_fatal_with_its_status() {
    let played = play(Mode::EventLoop, pinned(), Link::new(Origin::default(), &[200]), Recorder::new());
    match played.state {
        State::Failed(e) => assert_eq!((e.code, e.place.offset), (Code::HttpStatus, 404)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_manifest_cut_short_is_fetched_again() {
    let link = fast().fault("Manifest", 1, Fault::Cut(700)).fault("Manifest", 2, Fault::Short(900));
    let played = play(Mode::EventLoop, pinned(), link, Recorder::new());
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.link.requests.iter().filter(|p| *p == "Manifest").count(), 3);
}
