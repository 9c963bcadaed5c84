//! The window of a live presentation: what is told of it, seeking in it, and falling behind it.

use crate::common::live::{Channel, SECOND, Viewer, config, seconds};
use smoothcore::error::Code;
use smoothcore::io::{EventKind, RefreshReason};
use smoothcore::session::{BehindPolicy, Config, LiveConfig, LiveStart, State, WindowChoice};
use smoothcore::time::{MediaTime, Micros};

fn channel(dvr: u64) -> Channel {
    let mut channel = Channel::new();
    channel.dvr = dvr;
    channel
}

fn with(live: LiveConfig) -> Config {
    Config { live, ..config() }
}

fn in_seconds(time: MediaTime) -> i64 {
    time.0 / SECOND as i64
}

#[test]
fn the_window_moves_with_the_edge() {
    let mut v = Viewer::open(config(), channel(60));
    v.until(2);
    let first = v.session().live().unwrap();
    // Listed from 100 to 130 s, though the window is longer.
    assert_eq!(in_seconds(first.start), 100);
    assert!((129..=132).contains(&in_seconds(first.end)), "{first:?}");
    v.until(102);
    let later = v.session().live().unwrap();
    assert!((229..=232).contains(&in_seconds(later.end)), "{later:?}");
    assert!((later.end.0 - later.start.0 - 60 * SECOND as i64).abs() < 1_000_000, "{later:?}");
    assert!((222..=226).contains(&in_seconds(later.edge)), "{later:?}");
    assert!((5_500_000..=9_000_000).contains(&later.latency.unwrap().0), "{later:?}");
    assert!(later.origin_clock.is_none());
}

#[test]
fn the_date_of_the_manifest_is_a_hint_at_the_clock_of_the_origin() {
    let mut channel = channel(60);
    channel.date = "Sun, 06 Nov 1994 08:49:37 GMT".into();
    let mut v = Viewer::open(config(), channel);
    v.until(40);
    let clock = v.session().live().unwrap().origin_clock.unwrap();
    assert!((784_111_777_000_000 + 39_900_000..784_111_777_000_000 + 40_000_000).contains(&clock), "{clock}");
}

#[test]
fn anywhere_in_the_window_can_be_sought_to() {
    let mut v = Viewer::open(config(), channel(120));
    v.until(100);
    let at = v.at();
    for target in [150u64, 125, 200, 217] {
        let before = v.player.decoder().samples.len();
        v.session().seek(at, seconds(target)).unwrap();
        let at = v.at();
        let _ = at;
        v.more(4);
        let first = v.player.decoder().samples[before..].iter().find(|s| s.stream == 0).unwrap().clone();
        assert_eq!(first.fragment, target / 2 * 2 * SECOND);
        let live = v.session().live().unwrap();
        assert!((target as i64..target as i64 + 5).contains(&in_seconds(live.position.unwrap())), "{live:?}");
    }
    // All of it is in the list that was read at first, or has grown since.
    assert_eq!(v.channel().asked("Manifest").len(), 1);
    assert!(!v.has(EventKind::Gap));
}

#[test]
fn seek_live_goes_back_to_the_edge() {
    let mut v = Viewer::open(config(), channel(120));
    v.until(60);
    let at = v.at();
    v.session().seek(at, seconds(110)).unwrap();
    v.more(50);
    let behind = v.session().live().unwrap();
    assert!(behind.latency.unwrap().0 > 60_000_000, "{behind:?}");
    let at = v.at();
    v.session().seek_live(at).unwrap();
    v.more(10);
    let live = v.session().live().unwrap();
    assert!(live.latency.unwrap().0 < 9_500_000, "{live:?}");
    v.more(60);
    assert!(!v.has(EventKind::Stalled), "{:?}", v.events);
}

#[test]
fn a_seek_beyond_the_edge_plays_at_the_edge() {
    let mut v = Viewer::open(config(), channel(120));
    v.until(30);
    let at = v.at();
    v.session().seek(at, seconds(100_000)).unwrap();
    v.more(10);
    let live = v.session().live().unwrap();
    assert!(live.latency.unwrap().0 < 12_000_000, "{live:?}");
}

#[test]
fn it_may_start_at_the_beginning_of_the_window() {
    let mut v =
        Viewer::open(with(LiveConfig { start: LiveStart::Beginning, ..LiveConfig::default() }), channel(0));
    v.until(5);
    assert_eq!(v.fragments(0)[0], 100 * SECOND);
}

#[test]
fn the_target_delay_is_the_hosts() {
    let live = LiveConfig { target_delay: Micros::from_secs(20), ..LiveConfig::default() };
    let mut v = Viewer::open(with(live), channel(60));
    v.until(60);
    assert_eq!(v.fragments(0)[0], 110 * SECOND);
    let live = v.session().live().unwrap();
    assert!((19_500_000..=22_500_000).contains(&live.latency.unwrap().0), "{live:?}");
    assert!(!v.has(EventKind::Stalled));
}

#[test]
fn a_short_window_is_started_in_its_middle() {
    let mut v = Viewer::open(config(), channel(10));
    v.until(100);
    // 10 s of window, half of it.
    assert_eq!(v.fragments(0)[0], 124 * SECOND);
    assert!(!v.has(EventKind::BehindWindow) && !v.has(EventKind::Stalled), "{:?}", v.events);
}

fn overtaken(policy: BehindPolicy) -> Viewer {
    let mut v = Viewer::open(with(LiveConfig { behind: policy, ..LiveConfig::default() }), channel(60));
    v.until(20);
    let at = v.at();
    v.session().pause(at);
    v.more(400);
    let at = v.at();
    v.session().play(at);
    v.more(60);
    v
}

#[test]
fn overtaken_by_the_window_it_goes_on_at_its_start() {
    let mut v = overtaken(BehindPolicy::WindowStart);
    let told = v.all(EventKind::BehindWindow);
    assert_eq!((told.len(), told[0].b), (1, 1), "{:?}", v.events);
    assert!(told[0].a > 250_000_000, "{told:?}");
    let live = v.session().live().unwrap();
    // 60 s of window less the margin.
    assert!((45_000_000..=57_000_000).contains(&live.latency.unwrap().0), "{live:?}");
    assert!(!v.has(EventKind::Failed));
    assert!(v.all(EventKind::Refreshed).iter().any(|e| e.a == RefreshReason::Resume as u64));
}

#[test]
fn overtaken_by_the_window_it_goes_to_the_edge() {
    let mut v = overtaken(BehindPolicy::Edge);
    assert_eq!(v.all(EventKind::BehindWindow)[0].b, 2);
    let live = v.session().live().unwrap();
    assert!(live.latency.unwrap().0 < 12_000_000, "{live:?}");
}

#[test]
fn overtaken_by_the_window_it_stops() {
    let mut v = overtaken(BehindPolicy::Stop);
    assert_eq!(v.all(EventKind::BehindWindow)[0].b, 3);
    assert!(matches!(v.session().state(), State::Failed(e) if e.code == Code::BehindWindow));
    assert_eq!(v.all(EventKind::Failed).len(), 1);
}

#[test]
fn a_pause_within_the_window_goes_on_where_it_was() {
    let mut v = Viewer::open(config(), channel(0));
    v.until(20);
    let at = v.at();
    v.session().pause(at);
    v.more(300);
    let log = v.channel().log.len();
    v.more(60);
    assert_eq!(v.channel().log.len(), log, "nothing is asked for while nothing is needed");
    let at = v.at();
    v.session().play(at);
    v.more(100);
    assert!(v.is_seamless(0) && v.is_seamless(1), "{:?}", v.events);
    let live = v.session().live().unwrap();
    assert!((360_000_000..=372_000_000).contains(&live.latency.unwrap().0), "{live:?}");
}

#[test]
fn an_unlimited_window_keeps_what_the_origin_no_longer_lists() {
    let live = LiveConfig { window: WindowChoice::Unlimited, ..LiveConfig::default() };
    let mut v = Viewer::open(with(live), channel(30));
    v.until(200);
    let window = v.session().live().unwrap();
    assert_eq!(in_seconds(window.start), 100);
    let first = v.session().manifest().unwrap().streams[0].timeline.first().unwrap();
    assert_eq!(first.start, 100 * SECOND);

    let mut v = Viewer::open(config(), channel(30));
    v.until(200);
    let first = v.session().manifest().unwrap().streams[0].timeline.first().unwrap();
    assert!(first.start >= 290 * SECOND, "{first:?}");
}

#[test]
fn a_list_that_outgrows_its_share_loses_its_oldest_and_says_so() {
    let live = LiveConfig { window: WindowChoice::Unlimited, ..LiveConfig::default() };
    let mut channel = channel(0);
    // Lengths that no run can hold.
    let odd: Vec<u64> = (0..4_000u64).map(|n| 2_500_000 + n * 7919 % 100_003).collect();
    channel.tracks[0].pieces = crate::common::live::lengths(SECOND, 0, &odd, 40);
    channel.tracks[1].pieces = crate::common::live::lengths(SECOND, 0, &odd, 40);
    let mut v = Viewer::open(Config { budget: 300 << 10, ..with(live) }, channel);
    v.until(900);
    let told = v.all(EventKind::WindowTrimmed);
    assert!(!told.is_empty(), "{:?}", v.session().stats());
    let first = v.session().manifest().unwrap().streams[0].timeline.first().unwrap();
    let last = told.iter().rev().find(|e| e.stream.unwrap().0 == 0).unwrap();
    assert_eq!(last.media_time.unwrap().0 as u64, first.start);
    assert!(v.session().stats().peak_held <= 300 << 10);
    assert!(!v.has(EventKind::Stalled) && !v.has(EventKind::Gap));
}

#[test]
fn what_is_played_never_leaves_the_list() {
    // Played at the very start of a short window, and the decoder is slow to take it.
    let live = LiveConfig { start: LiveStart::Beginning, ..LiveConfig::default() };
    let mut v = Viewer::open(with(live), channel(20));
    v.until(5);
    for _ in 0..50 {
        v.more(1);
        let first = v.session().manifest().unwrap().streams[0].timeline.first().unwrap().start;
        let shown = v.fragments(0);
        assert!(first <= *shown.last().unwrap());
    }
    assert!(!v.has(EventKind::Gap));
}
