//! The network or the origin goes away for a while: on-demand playback stands still and goes on, and nothing is skipped. What is
//! wrong with one fragment alone is skipped as ever.

use crate::common::{Fault, Link, Mode, Origin, Played, Recorder, play};
use smoothcore::error::Code;
use smoothcore::io::EventKind;
use smoothcore::session::{AudioChoice, Config, State};

const VIDEO: &str = "QualityLevels(64852)/Fragments(video=240000000)";
const PICTURES: usize = 1_200;

fn with(audio: AudioChoice) -> Config {
    Config { fixed_bitrate: 64_852, audio, seed: 1, budget: 4 << 20, ..Config::default() }
}

fn run(audio: AudioChoice, link: Link) -> Played {
    let played = play(Mode::EventLoop, with(audio), link, Recorder::new());
    assert_eq!(played.link.balance, 0);
    played
}

fn link() -> Link {
    Link::new(Origin::testcard(), &[200])
}

fn pictures(played: &Played) -> usize {
    played.decoder.samples.iter().filter(|s| s.stream == 0).count()
}

fn ways() -> [Fault; 3] {
    [Fault::Refuse, Fault::Silence, Fault::Status(503)]
}

#[test]
fn an_outage_of_a_minute_skips_nothing() {
    let whole = run(AudioChoice::First, link());
    for fault in ways() {
        for (from, length) in [(3_000, 12_000), (9_500, 24_000), (10_000, 36_000), (13_000, 60_000)] {
            let played = run(AudioChoice::First, link().outage(from, from + length, fault.clone()));
            let what = format!("{fault:?} from {from} for {length}");
            assert_eq!(played.state, State::Ended, "{what}");
            assert_eq!(played.count(EventKind::Gap), 0, "{what}");
            assert_eq!(played.decoder.samples.len(), whole.decoder.samples.len(), "{what}");
            assert!(played.count(EventKind::Retry) > 0, "{what}");
        }
    }
}

#[test]
fn a_stream_by_itself_waits_for_the_network_too() {
    for fault in [Fault::Refuse, Fault::Silence] {
        let played = run(AudioChoice::None, link().outage(10_000, 50_000, fault));
        assert_eq!((played.state, played.count(EventKind::Gap)), (State::Ended, 0));
        assert_eq!(pictures(&played), PICTURES);
    }
}

#[test]
fn a_network_that_stays_away_ends_playback_once() {
    let link = Link::new(Origin::testcard(), &[14]).outage(10_000, u64::MAX, Fault::Refuse);
    let played = run(AudioChoice::First, link);
    assert!(matches!(played.state, State::Failed(e) if e.code == Code::Connect), "{:?}", played.state);
    assert_eq!(played.count(EventKind::Failed), 1);
    // 8 x 4 tries of 3 s each, and then what it takes to give up eight fragments.
    assert!((96_000_000..180_000_000).contains(&played.micros), "{}", played.micros);
}

#[test]
fn one_fragment_that_cannot_be_had_is_skipped_while_others_come() {
    for fault in [Fault::Refuse, Fault::Status(503), Fault::Cut(0), Fault::Cut(3_000)] {
        let link = (1..64).fold(link(), |link, nth| link.fault(VIDEO, nth, fault.clone()));
        let played = run(AudioChoice::First, link);
        assert_eq!((played.state, played.count(EventKind::Gap)), (State::Ended, 1), "{fault:?}");
        assert_eq!(pictures(&played), PICTURES - 50, "{fault:?}");
    }
}

#[test]
fn a_stream_by_itself_skips_what_the_origin_answers_badly() {
    for fault in [Fault::Status(503), Fault::Cut(3_000)] {
        let link = (1..64).fold(link(), |link, nth| link.fault(VIDEO, nth, fault.clone()));
        let played = run(AudioChoice::None, link);
        assert_eq!((played.state, played.count(EventKind::Gap)), (State::Ended, 1), "{fault:?}");
        assert_eq!(played.count(EventKind::Retry), 3, "{fault:?}");
    }
}
