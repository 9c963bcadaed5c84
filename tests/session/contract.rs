//! The session's contract, clause by clause, as `session` states it. Clause 1 is every other test; 5 is
//! `budget` and `tests/memory`.

use crate::common::drive::URL;
use crate::common::{Link, Mode, Origin, Recorder, play, play_with};
use smoothcore::error::{Code, Error};
use smoothcore::io::{
    DecoderTraits, Epoch, EventKind, Input, Outcome, Output, RequestId, Response, StreamId,
};
use smoothcore::session::{AudioChoice, Config, Selection, Session, State};
use smoothcore::time::{Instant, MediaTime};

fn config() -> Config {
    Config { audio: AudioChoice::First, seed: 9, budget: 4 << 20, ..Config::default() }
}

fn steady() -> Link {
    Link::new(Origin::testcard(), &[60])
}

/// Polls until idle and gives what came, by name.
fn outputs(session: &mut Session) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match session.poll() {
            Output::Idle(_) => return seen,
            other => seen.push(format!("{other:?}")),
        }
        assert!(seen.len() < 1000);
    }
}

/// A session whose manifest has arrived and whose first fragments are asked for: the request ids.
fn opened(config: Config) -> (Session, Vec<(RequestId, String)>) {
    let origin = Origin::testcard();
    let mut session = Session::new(config).unwrap();
    session.open(Instant(0), URL).unwrap();
    let id = match session.poll() {
        Output::Request(r) => r.id,
        other => panic!("{other:?}"),
    };
    let manifest = origin.get(URL).unwrap();
    assert_eq!(session.body(Instant(1), id, manifest), manifest.len());
    session.input(Instant(2), Input::Finished(id, Outcome::Complete));
    let mut requests = Vec::new();
    loop {
        match session.poll() {
            Output::Idle(_) => return (session, requests),
            Output::Request(r) => requests.push((r.id, r.url.to_string())),
            _ => {}
        }
    }
}

#[test]
fn clause_2_early_timeouts_are_harmless() {
    let calm = play(Mode::EventLoop, config(), steady(), Recorder::new());
    let nervous = play_with(Mode::EventLoop, config(), steady(), Recorder::new(), |now, session| {
        for _ in 0..3 {
            session.input(Instant(now), Input::Timeout);
        }
    });
    assert!(calm.decoder.log == nervous.decoder.log);
}

#[test]
fn clause_3_unknown_exchanges_are_ignored() {
    let (mut session, requests) = opened(config());
    let before = (format!("{:?}", session.stats()), session.state());
    for id in [RequestId(0), RequestId(1), RequestId(77), RequestId(u32::MAX)] {
        assert_eq!(session.body(Instant(5), id, b"abc"), 3);
        assert!(session.space(id).is_empty());
        session.filled(Instant(5), id, 1000);
        session.input(Instant(5), Input::Response(id, Response { status: 500, ..Response::default() }));
        session.input(Instant(5), Input::Finished(id, Outcome::Failed(Code::NetworkIo)));
    }
    session.input(Instant(5), Input::Accepted(StreamId(40)));
    session.input(Instant(5), Input::Accepted(StreamId(0)));
    session.input(Instant(5), Input::Refused(StreamId(1)));
    session.input(Instant(5), Input::Configured(StreamId(0), smoothcore::io::Configured::Refused));
    assert_eq!((format!("{:?}", session.stats()), session.state()), before);
    // What was cancelled by a seek is unknown from then on.
    session.seek(Instant(6), MediaTime(100_000_000)).unwrap();
    let seen = outputs(&mut session);
    for (id, _) in &requests {
        assert!(seen.contains(&format!("Cancel({id:?})")), "{seen:?}");
        session.input(Instant(7), Input::Finished(*id, Outcome::Failed(Code::NetworkIo)));
    }
    assert_eq!(session.stats().retries, 0);
    assert!(outputs(&mut session).is_empty());
}

#[test]
fn clause_6_fatal_errors_are_sticky() {
    let (mut session, _) = opened(config());
    session.abort(Error::from(Code::DecoderFailed));
    let seen = outputs(&mut session);
    assert_eq!(seen.iter().filter(|o| o.contains("Failed")).count(), 1, "{seen:?}");
    assert_eq!(seen.iter().filter(|o| o.starts_with("Cancel")).count(), 2);
    session.abort(Error::from(Code::Budget));
    session.input(Instant(9), Input::Timeout);
    assert_eq!(session.state(), State::Failed(Code::DecoderFailed.into()));
    assert_eq!(session.seek(Instant(9), MediaTime(0)), Err(Code::State.into()));
    assert!(outputs(&mut session).is_empty());
}

#[test]
fn clause_7_a_refused_sample_comes_again_unchanged() {
    let origin = Origin::testcard();
    let (mut session, requests) = opened(Config {
        decoder: DecoderTraits { flags: DecoderTraits::UNPACED, ..DecoderTraits::default() },
        ..config()
    });
    let (id, url) = requests.iter().find(|(_, url)| url.contains("video=")).unwrap();
    let body = origin.get(url).unwrap();
    assert_eq!(session.body(Instant(10), *id, body), body.len());
    let mut offered: Vec<(i64, Vec<u8>, u32)> = Vec::new();
    let mut now = 10;
    while offered.len() < 300 {
        now += 1;
        let mut stream = None;
        loop {
            match session.poll() {
                Output::Idle(_) => break,
                Output::Configure(c) => {
                    let stream = c.stream;
                    session.input(Instant(now), Input::Configured(stream, smoothcore::io::Configured::Ok));
                }
                Output::Sample(s) => {
                    offered.push((s.dts.0, s.data.clone().flatten().copied().collect(), s.flags.0));
                    stream = Some(s.stream);
                }
                _ => {}
            }
        }
        let Some(stream) = stream else {
            // Nothing is offered after a refusal until time passes.
            session.input(Instant(now), Input::Timeout);
            continue;
        };
        let last_two = offered.len().checked_sub(2).map(|n| &offered[n..]);
        let again = last_two.is_some_and(|s| s[0].0 == s[1].0);
        if !offered.len().is_multiple_of(3) {
            session.input(Instant(now), Input::Refused(stream));
            assert!(!matches!(session.poll(), Output::Sample(_)));
        } else {
            assert!(again);
            session.input(Instant(now), Input::Accepted(stream));
        }
        if offered.len() >= 150 {
            break;
        }
    }
    for three in offered.chunks(3) {
        assert_eq!(three[0], three[1]);
        assert_eq!(three[0], three[2]);
    }
    assert_eq!(offered.len(), 150, "50 samples, each offered three times");
}

#[test]
fn clause_8_the_epoch_rises_with_a_flush_and_travels() {
    let mut sought = false;
    let played = play_with(Mode::EventLoop, config(), steady(), Recorder::new(), |now, session| {
        if now >= 3_000_000 && !sought {
            sought = true;
            session.seek(Instant(now), MediaTime(305_000_000)).unwrap();
        }
    });
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.link.balance, 0);
    let log = &played.decoder.log;
    assert!(log.contains("flush 0 2\n") && log.contains("flush 1 2\n"));
    assert!(log.contains("end 0 2\n") && log.contains("end 1 2\n"));
    assert!(log.contains("configure 0 epoch 2"), "set up again after the flush");
    let after: Vec<_> = played.decoder.samples.iter().filter(|s| s.epoch == 2).collect();
    let video: Vec<_> = after.iter().filter(|s| s.stream == 0).collect();
    let audio: Vec<_> = after.iter().filter(|s| s.stream == 1).collect();
    // Video from the fragment that covers 30.5 s, audio from the one that covers its first picture.
    assert_eq!(video[0].dts, 300_000_000);
    assert!(audio[0].dts <= 300_000_000 && audio[0].dts > 279_000_000, "{}", audio[0].dts);
    assert_eq!(video[0].flags & 0b111, 0b111, "key, discontinuity, parameter sets");
    for s in &after {
        assert_eq!(s.flags & 8 != 0, s.pts < 305_000_000, "preroll until the target: {}", s.pts);
    }
    assert_eq!(video.len(), 9 * 50);
    assert!(played.decoder.samples.iter().all(|s| s.epoch == 1 || s.dts >= audio[0].dts));
}

#[test]
fn seeks_anywhere_keep_order_and_balance() {
    let mut seed = 0x1234_5678u64;
    let mut next_at = 0;
    let mut left = 40;
    let played = play_with(Mode::EventLoop, config(), steady(), Recorder::new(), |now, session| {
        if now >= next_at && left > 0 && session.state() != State::Opening {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            next_at = now + (seed >> 33) % 900_000;
            left -= 1;
            session.seek(Instant(now), MediaTime(((seed >> 20) % 600_000_000) as i64 - 50_000_000)).unwrap();
        }
    });
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.link.balance, 0);
    for stream in [0, 1] {
        let samples: Vec<_> = played.decoder.samples.iter().filter(|s| s.stream == stream).collect();
        for pair in samples.windows(2) {
            assert!(pair[0].epoch < pair[1].epoch || pair[0].dts < pair[1].dts);
        }
    }
    assert_eq!(played.count(EventKind::Seeking), 40);
}

#[test]
fn a_stream_can_be_turned_on_and_off_while_playing() {
    let mut step = 0;
    let played = play_with(Mode::EventLoop, config(), steady(), Recorder::new(), |now, session| {
        if now >= 4_000_000 && step == 0 {
            step = 1;
            session.select(Instant(now), StreamId(2), Selection::On).unwrap();
            session.select(Instant(now), StreamId(1), Selection::Off).unwrap();
            assert_eq!(session.select(Instant(now), StreamId(9), Selection::On), Err(Code::Argument.into()));
        }
    });
    assert_eq!(played.state, State::Ended);
    let of = |stream| played.decoder.samples.iter().filter(move |s| s.stream == stream);
    let (last_eng, first_fra) = (of(1).map(|s| s.dts).max().unwrap(), of(2).next().unwrap().dts);
    assert!(first_fra <= last_eng + 213_334, "no hole between the languages: {last_eng} {first_fra}");
    assert_eq!(of(0).count(), 1200, "video is not touched");
    assert_eq!(of(0).filter(|s| s.epoch != 1).count(), 0);
    assert_eq!(Epoch(1).0, 1);
}

#[test]
fn a_clock_that_steps_back_a_little_is_waited_for() {
    let (mut session, _) = opened(config());
    session.input(Instant(50_000_000), Input::Timeout);
    let _ = outputs(&mut session);
    let now = session.now();
    session.input(Instant(49_500_000), Input::Timeout);
    assert_eq!(session.now(), now);
}

#[cfg(feature = "live")]
#[test]
fn a_clock_that_steps_back_for_good_is_followed() {
    let (mut session, _) = opened(config());
    session.input(Instant(50_000_000), Input::Timeout);
    let _ = outputs(&mut session);
    session.input(Instant(3), Input::Timeout);
    assert_eq!(session.now(), Instant(3));
}
