//! The budget holds whatever comes, and no decoder's order of appetite deadlocks it.

use crate::common::{Link, Mode, Origin, Recorder, Taste, play, play_with};
use smoothcore::error::Code;
use smoothcore::io::EventKind;
use smoothcore::session::{AudioChoice, Config, State};

const RATES: [u64; 4] = [120, 12, 300, 40];

fn config(budget: usize) -> Config {
    Config { audio: AudioChoice::All, seed: 3, budget, ..Config::default() }
}

#[test]
fn one_two_and_four_mebibytes_are_never_exceeded() {
    for mib in [1usize, 2, 4] {
        let budget = mib << 20;
        let link = Link::new(Origin::testcard(), &RATES);
        let played = play_with(Mode::EventLoop, config(budget), link, Recorder::new(), |_, session| {
            assert!(session.stats().held <= budget);
        });
        assert_eq!(played.state, State::Ended, "{mib} MiB");
        assert_eq!(played.count(EventKind::Gap), 0, "{mib} MiB");
        assert!(played.stats.peak_held <= budget, "{mib} MiB: {}", played.stats.peak_held);
        assert_eq!(played.decoder.samples.len(), 1200 + 2 * 2252, "{mib} MiB");
    }
}

#[test]
fn decoders_that_want_one_stream_first_do_not_deadlock() {
    // Streams: 0 video, 1 and 2 audio.
    for taste in [Taste::Needs { first: 0, then: 1 }, Taste::Needs { first: 1, then: 0 }, Taste::Fickle] {
        for budget in [192 << 10, 1 << 20, 2 << 20, 4 << 20] {
            for rates in [&RATES[..], &[2_000], &[40]] {
                let mut decoder = Recorder::new();
                decoder.taste = taste;
                let link = Link::new(Origin::testcard(), rates);
                let played = play(Mode::EventLoop, config(budget), link, decoder);
                assert_eq!(played.state, State::Ended, "{taste:?} {budget}");
                assert_eq!(played.count(EventKind::Gap), 0, "{taste:?} {budget}");
            }
        }
    }
}

#[test]
fn a_budget_that_is_too_small_says_so() {
    for budget in [1usize, 32 << 10] {
        let refused = smoothcore::session::Session::new(config(budget)).unwrap_err();
        assert_eq!((refused.code, refused.place.at), (Code::Budget, "Config::budget"));
    }
    // Enough for a session, too little for this manifest.
    let mut origin = Origin::testcard();
    let text = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let long: String =
        (0..40_000u64).map(|i| format!("<c d=\"{}\"/>", 20_000_000 + i * 7919 % 10_007)).collect();
    let text = text.replacen("<c t=\"0\" d=\"20000000\" r=\"24\"/>", &long, 1);
    assert!(text.len() > 400_000);
    origin.responses.insert("Manifest".into(), text.into_bytes());
    let played = play(Mode::EventLoop, config(64 << 10), Link::new(origin, &[2000]), Recorder::new());
    assert!(matches!(played.state, State::Failed(e) if e.code == Code::Budget), "{:?}", played.state);
    assert!(played.stats.peak_held <= 64 << 10);
}

#[test]
fn a_level_whose_samples_do_not_fit_is_dropped_and_the_rest_plays() {
    // One sample of 60 kB is larger than what 64 KiB leave for video.
    let mut origin = Origin::testcard();
    let mut nal = vec![0x65; 60_000];
    nal[..4].copy_from_slice(&59_996u32.to_be_bytes());
    let moof = |at| {
        vec![crate::mp4_build::tfhd(0, &[]), crate::mp4_build::trun(0x301, 1, &[at, 20_000_000, 60_000])]
    };
    let body = [crate::mp4_build::moof_with(moof), crate::mp4_build::mdat(&nal)].concat();
    for (path, bytes) in origin.responses.iter_mut().filter(|(path, _)| path.contains("(258995)")) {
        assert!(path.contains("video"));
        *bytes = body.clone();
    }
    let link = || Link::new(origin.clone(), &[2000]);
    let config = Config { start_bitrate: 258_995, audio: AudioChoice::First, ..config(64 << 10) };
    let played = play(Mode::EventLoop, config, link(), Recorder::new());
    assert_eq!(played.state, State::Ended);
    let dropped: Vec<_> = played.events.iter().filter(|e| e.kind == EventKind::LevelDropped).collect();
    assert!(!dropped.is_empty(), "some level is too large");
    assert!(dropped.iter().all(|e| e.error.unwrap().code == Code::LimitSampleBytes));
    assert_eq!(played.count(EventKind::Gap), 0);
    assert_eq!(played.decoder.samples.iter().filter(|s| s.stream == 0).count(), 1200);
    // With no smaller level to turn to, the budget is what is wrong.
    let config = Config { min_bitrate: 258_995, ..config };
    let played = play(Mode::EventLoop, config, link(), Recorder::new());
    assert!(matches!(played.state, State::Failed(e) if e.code == Code::Budget), "{:?}", played.state);
}
