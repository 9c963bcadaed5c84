//! Standby, a network that goes and comes back, and clocks that jump.

use crate::common::live::{Channel, Viewer, config};
use smoothcore::io::{EventKind, Network};
use smoothcore::session::{Config, LiveConfig, LiveStart};

fn channel(dvr: u64) -> Channel {
    let mut channel = Channel::new();
    channel.dvr = dvr;
    channel
}

/// Time passes and nobody steps the player.
fn sleep(v: &mut Viewer, seconds: u64) {
    v.now += seconds * 1_000_000;
    v.player.decoder().running = false;
}

/// Half a minute of play, then standby.
fn suspended(config: Config, dvr: u64) -> Viewer {
    let mut v = Viewer::open(config, channel(dvr));
    v.until(30);
    let at = v.at();
    v.session().suspend(at).unwrap();
    v.more(1);
    v
}

/// Five minutes without a step, and twenty seconds of play after that.
fn resumed(config: Config, dvr: u64) -> Viewer {
    let mut v = suspended(config, dvr);
    sleep(&mut v, 300);
    let at = v.at();
    v.session().resume(at).unwrap();
    v.more(20);
    v
}

#[test]
fn a_suspended_session_asks_for_nothing() {
    let mut v = suspended(config(), 0);
    let asked = v.channel().log.len();
    v.more(60);
    assert_eq!(v.channel().log.len(), asked);
    assert!(!v.player.decoder().running);
}

#[test]
fn resumed_within_the_window_it_goes_on_where_it_was() {
    for stepped in [true, false] {
        let mut v = Viewer::open(config(), channel(0));
        v.until(30);
        let before = v.position();
        let at = v.at();
        v.session().suspend(at).unwrap();
        v.more(1);
        if stepped {
            v.more(120);
        } else {
            sleep(&mut v, 120);
        }
        let at = v.at();
        v.session().resume(at).unwrap();
        v.more(20);
        let after = v.position();
        assert!((15_000..22_000).contains(&(after - before)), "{before} {after} {:?}", v.events);
        assert!(!v.has(EventKind::BehindWindow) && !v.has(EventKind::Failed));
    }
}

#[test]
fn resumed_behind_the_window_it_goes_on_by_its_policy() {
    let mut v = resumed(config(), 30);
    let live = v.session().live().unwrap();
    assert!(live.position.unwrap() > live.start, "{live:?}");
    assert!((10_000_000..28_000_000).contains(&live.latency.unwrap().0), "{live:?}");
    v.more(60);
    assert!(!v.has(EventKind::Failed) && v.player.decoder().running);
}

#[test]
fn resumed_at_the_edge_where_that_is_wanted() {
    let live = LiveConfig { start: LiveStart::AlwaysEdge, ..LiveConfig::default() };
    let mut v = resumed(Config { live, ..config() }, 0);
    let live = v.session().live().unwrap();
    assert!(live.latency.unwrap().0 < 12_000_000, "{live:?} {:?}", v.events);
}

#[test]
fn without_a_network_nothing_fails() {
    let mut v = Viewer::open(config(), channel(0));
    v.until(30);
    let at = v.at();
    v.session().network(at, Network::Down).unwrap();
    v.more(1);
    let asked = v.channel().log.len();
    v.more(60);
    assert_eq!(v.channel().log.len(), asked);
    assert!(v.has(EventKind::Stalled) && !v.has(EventKind::Retry) && !v.has(EventKind::Gap));
    let at = v.at();
    v.session().network(at, Network::Up).unwrap();
    v.more(2);
    assert!(v.channel().log.len() > asked);
    v.more(60);
    assert!(v.is_seamless(0) && v.is_seamless(1), "{:?}", v.events);
    assert!(v.has(EventKind::Resumed) && !v.has(EventKind::Failed));
}

#[test]
fn the_network_may_be_away_before_the_manifest_is_there() {
    let mut v = Viewer::open(config(), channel(0));
    let at = v.at();
    v.session().network(at, Network::Down).unwrap();
    v.until(60);
    assert!(v.channel().log.is_empty());
    let at = v.at();
    v.session().network(at, Network::Up).unwrap();
    v.more(20);
    assert!(v.player.decoder().running);
}

#[test]
fn a_clock_that_jumps_hours_ahead_asks_for_no_more_and_stalls_nothing() {
    for hours in [1i64, 12, 24 * 365] {
        let mut v = Viewer::open(config(), channel(0));
        v.until(60);
        let asked = v.channel().log.len();
        v.clock += hours * 3_600_000_000;
        v.more(10);
        let log = v.channel().log[asked..].to_vec();
        // Two streams of two seconds, and the manifest once.
        assert!(log.len() <= 13, "{log:?}");
        v.more(60);
        assert!(!v.has(EventKind::Stalled) && !v.has(EventKind::Retry), "{:?}", v.events);
        assert_eq!(v.all(EventKind::ClockJumped).len(), 1);
        assert!(v.is_seamless(0) && v.is_seamless(1));
    }
}

#[test]
fn a_clock_that_steps_back_asks_for_no_more_and_stalls_nothing() {
    for back in [2i64, 45, 60] {
        let mut v = Viewer::open(config(), channel(0));
        v.until(100);
        let asked = v.channel().log.len();
        v.clock -= back * 1_000_000;
        v.more(10);
        let log = v.channel().log[asked..].to_vec();
        assert!((8..=12).contains(&log.len()), "{log:?}");
        v.more(60);
        assert!(!v.has(EventKind::Stalled) && !v.has(EventKind::Retry), "{:?}", v.events);
        assert!(v.is_seamless(0) && v.is_seamless(1));
    }
}

#[test]
fn a_box_that_slept_without_a_word_goes_on_by_its_policy() {
    let mut v = Viewer::open(config(), channel(30));
    v.until(60);
    sleep(&mut v, 7_000 / 10);
    v.more(60);
    let live = v.session().live().unwrap();
    assert!(live.position.unwrap() > live.start, "{live:?} {:?}", v.events);
    assert!(!v.has(EventKind::Failed));
}
