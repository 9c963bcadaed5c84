//! Bitrate switching live: a buffer of a few seconds at the edge, waits for fragments that are not there yet.

use crate::common::live::{Channel, Viewer, config};
use smoothcore::io::{Decided, EventKind, StreamId, Why};
use smoothcore::session::{Config, Replacement, SwitchingConfig};

const LADDER: [u32; 4] = [300_000, 600_000, 1_200_000, 2_400_000];

fn watch(link: &[(u64, u64)], seconds: u64) -> Viewer {
    let mut channel = Channel::new();
    channel.tracks[0].bitrates = LADDER.to_vec();
    channel.link = link.to_vec();
    let switching = SwitchingConfig { replacement: Replacement::On, ..SwitchingConfig::default() };
    let config = Config { fixed_bitrate: 0, budget: 16 << 20, switching, ..config() };
    let mut v = Viewer::open(config, channel);
    v.until(seconds);
    v
}

/// What was decided for pictures from a second on, and until another.
fn decided(v: &Viewer, from: u64, to: u64) -> Vec<Decided> {
    let within = from * 1_000_000..to * 1_000_000;
    let pictures = v.events.iter().filter(|e| e.stream == Some(StreamId(0)) && within.contains(&e.at.0));
    pictures.filter_map(|e| e.decided()).collect()
}

fn stalls(v: &Viewer) -> usize {
    v.all(EventKind::Stalled).len() + v.all(EventKind::StalledAtEdge).len()
}

#[test]
fn at_the_edge_a_good_link_gets_the_top_level_from_a_buffer_of_a_few_seconds() {
    let mut v = watch(&[(0, 8_000_000)], 120);
    let late = decided(&v, 30, 120);
    assert!(late.len() >= 40, "{}", late.len());
    assert!(late.iter().all(|d| d.bitrate == LADDER[3]), "{late:?}");
    // Three fragments behind the newest there is nothing to build a buffer of twenty seconds from.
    assert!(late.iter().all(|d| d.buffer_ms <= 8_000), "{late:?}");
    assert_eq!(stalls(&v), 0, "{:?}", v.events);
    assert!(v.is_seamless(0));
}

#[test]
fn waiting_for_a_fragment_that_is_not_there_yet_says_nothing_of_the_link() {
    // Sixteen times what the lowest level needs: nearly all the time nothing is in flight.
    let v = watch(&[(0, 5_000_000)], 120);
    let late = decided(&v, 60, 120);
    assert!(!late.is_empty() && late.iter().all(|d| d.why == Why::Plan));
    let off: Vec<_> = late.iter().filter(|d| !(4_000_000..6_000_000).contains(&d.rate)).collect();
    assert!(off.is_empty(), "{off:?}");
}

#[test]
fn a_link_that_breaks_in_is_followed_before_the_buffer_is_spent() {
    let v = watch(&[(0, 6_000_000), (60, 900_000)], 240);
    assert_eq!(decided(&v, 40, 60).iter().map(|d| d.bitrate).min(), Some(LADDER[3]));
    // The first fragments after that may be given up; then there is what the link carries beside sound.
    let late = decided(&v, 75, 240);
    assert!(late.iter().all(|d| d.bitrate <= LADDER[1]), "{late:?}");
    assert!(stalls(&v) <= 1, "{:?}", v.all(EventKind::Stalled));
}

#[test]
fn a_link_that_swings_about_a_level_does_not_stall_it() {
    let link: Vec<(u64, u64)> =
        (0..60).map(|n| (n * 5, [1_000_000, 2_600_000, 700_000, 3_500_000][n as usize % 4])).collect();
    let v = watch(&link, 290);
    assert!(stalls(&v) <= 1, "{:?}", v.all(EventKind::Stalled));
    let all = decided(&v, 60, 290);
    let mean = all.iter().map(|d| u64::from(d.bitrate)).sum::<u64>() / all.len() as u64;
    assert!(mean >= 600_000, "not the lowest level for fear: {mean}");
}

#[test]
fn nothing_is_fetched_again_live() {
    let mut v = watch(&[(0, 500_000), (60, 8_000_000)], 120);
    assert!(decided(&v, 100, 120).iter().all(|d| d.bitrate == LADDER[3]));
    assert_eq!(v.session().stats().replaced, 0);
    let mut asked: Vec<String> = v.channel().asked("Fragments(video=").into_iter().map(|a| a.1).collect();
    asked.sort();
    let start = |path: &String| path.split('=').nth(1).map(String::from);
    let abandoned = v.session().stats().abandoned as usize;
    let mut starts: Vec<_> = asked.iter().map(start).collect();
    let count = starts.len();
    starts.sort();
    starts.dedup();
    assert_eq!(count - starts.len(), abandoned, "twice only what was given up");
}
