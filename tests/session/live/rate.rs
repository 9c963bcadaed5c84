//! Coming back to the target delay by the rate of the clock.

use crate::common::live::{Channel, Viewer, config};
use smoothcore::io::{Network, Rate};
use smoothcore::session::{Config, LiveConfig};

fn with(rate: u32) -> Config {
    Config { live: LiveConfig { rate, ..LiveConfig::default() }, ..config() }
}

fn channel() -> Channel {
    let mut channel = Channel::new();
    channel.dvr = 120;
    channel
}

fn rates(v: &mut Viewer) -> Vec<i32> {
    let all = v.player.decoder().rates.clone();
    all.into_iter().filter_map(|(_, r)| if let Rate::Run(n) = r { Some(n) } else { None }).collect()
}

/// An outage that costs about ten seconds of delay.
fn outage(v: &mut Viewer) {
    v.until(30);
    let at = v.at();
    v.session().network(at, Network::Down).unwrap();
    v.more(16);
    let at = v.at();
    v.session().network(at, Network::Up).unwrap();
}

#[test]
fn without_being_asked_for_the_rate_is_always_the_same() {
    let mut v = Viewer::open(with(0), channel());
    outage(&mut v);
    v.until(300);
    assert!(rates(&mut v).iter().all(|n| *n == 1000));
}

#[test]
fn after_an_outage_it_catches_up_and_then_runs_as_always() {
    let mut v = Viewer::open(with(50), channel());
    outage(&mut v);
    v.more(5);
    let behind = v.session().live().unwrap();
    assert!(behind.latency.unwrap().0 > behind.target_delay.0 + 5_000_000, "{behind:?}");
    v.more(400);
    let ordered = rates(&mut v);
    assert!(ordered.contains(&1050) && ordered.iter().all(|n| [1000, 1050].contains(n)), "{ordered:?}");
    assert_eq!(ordered.last(), Some(&1000), "{ordered:?}");
    assert!(ordered.len() < 20, "{ordered:?}");
    let live = v.session().live().unwrap();
    assert!(live.latency.unwrap().0 < live.target_delay.0 + 500_000, "{live:?}");
}

#[test]
fn a_position_that_the_host_chose_is_left_alone() {
    let mut v = Viewer::open(with(50), channel());
    v.until(60);
    let at = v.at();
    v.session().seek(at, crate::common::live::seconds(120)).unwrap();
    v.more(60);
    assert!(rates(&mut v).iter().all(|n| *n == 1000), "{:?}", rates(&mut v));
}
