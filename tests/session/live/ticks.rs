//! Times that are a few ticks off, by the numbers of those who met them.

use crate::common::live::{Channel, Piece, Viewer, config, lengths};
use smoothcore::io::EventKind;

/// A channel of sound and pictures with these lengths of fragments, all from `first`.
fn channel(first: u64, video: &[u64], audio: &[u64], listed: u64) -> Channel {
    let mut channel = Channel::new();
    channel.dvr = 0;
    channel.tracks[0].pieces = lengths(10_000_000, first, video, listed);
    channel.tracks[1].pieces = lengths(10_000_000, first, audio, listed);
    channel
}

fn plays(channel: Channel, seconds: u64) -> Viewer {
    let starts: Vec<Vec<u64>> =
        channel.tracks.iter().map(|t| t.pieces.iter().map(|p: &Piece| p.start).collect()).collect();
    let mut v = Viewer::open(config(), channel);
    v.until(seconds);
    assert_eq!(v.channel().count(404) + v.channel().count(412), 0, "{:?}", v.channel().log);
    assert_eq!(v.channel().asked("Manifest").len(), 1);
    for (n, starts) in starts.iter().enumerate() {
        let played = v.fragments(n as u16);
        let from = starts.iter().position(|s| *s == played[0]).unwrap();
        assert_eq!(played, starts[from..from + played.len()], "verbatim, each once");
    }
    assert!(!v.has(EventKind::GapSkipped) && !v.has(EventKind::Gap), "{:?}", v.events);
    v
}

#[test]
fn s12_a_sum_of_sample_durations_is_a_tick_off() {
    // Six access units and then seven, of 3,715,193 ticks over 16: their rounded sums miss the next start by one.
    let unit = |n: u64| n * 3_715_192_743 / 1000;
    let audio: Vec<u64> = (0..400u64)
        .map(|n| {
            let (from, to) = (n * 13 / 2, (n + 1) * 13 / 2);
            unit(to) - unit(from)
        })
        .collect();
    let sums_miss = (0..400u64).any(|n| {
        let units = (n + 1) * 13 / 2 - n * 13 / 2;
        units * 3_715_192 != audio[n as usize]
    });
    assert!(sums_miss);
    plays(channel(0, &[20_000_000; 400], &audio, 12), 500);
}

#[test]
fn s13_the_last_listed_duration_is_40_ticks_short() {
    // Listed: 20,019,960; the next fragment starts 20,020,000 later.
    let mut channel = channel(40_040_000, &[20_020_000; 200], &[20_020_000; 200], 12);
    let newest = channel.tracks[0].pieces[11].start;
    channel = channel.scripted(move |_, _, _| None);
    let manifest = channel.manifest(0);
    let last = format!("<c t='{newest}' d='20020000'/>");
    assert!(manifest.contains(&last));
    let wrong = manifest.replace(&last, &format!("<c t='{newest}' d='20019960'/>"));
    channel = channel.scripted(move |path, _, _| {
        (path == "Manifest").then(|| crate::common::live::Answer::Body(wrong.clone().into_bytes()))
    });
    let mut v = plays(channel, 300);
    let timeline = &v.session().manifest().unwrap().streams[0].timeline;
    let fragment = timeline.at_or_before(newest).unwrap();
    assert_eq!((fragment.start, fragment.duration), (newest, 20_020_000));
}

#[test]
fn s14_rounded_times_drift_after_600_fragments() {
    // 50 frames of 1001/24000 s a fragment: 20,854,166.66 ticks, rounded each by itself.
    let start = |n: u64| n * 50 * 1001 * 10_000_000 / 24_000;
    let video: Vec<u64> = (0..700).map(|n| start(n + 1) - start(n)).collect();
    assert!(start(640) % 10_000 != 0 && start(700) != 700 * video[0]);
    let mut channel = channel(start(600), &video, &[20_000_000; 700], 12);
    // The list itself is rounded on: one time, then durations.
    let shifted: Vec<u64> = (600..1300).map(|n| start(n + 1) - start(n)).collect();
    channel.tracks[0].pieces = lengths(10_000_000, start(600), &shifted, 12);
    plays(channel, 900);
}

#[test]
fn times_that_the_list_added_up_are_put_right_by_what_fragments_announce() {
    // Every listed duration is 3 ticks short, and the last two fragments are listed by durations alone.
    let mut channel = channel(1_000_000_000, &[20_000_003; 300], &[20_000_003; 300], 12);
    channel.rounded = Some(3);
    plays(channel, 200);
}

#[test]
fn a_time_that_the_list_added_up_and_nothing_announced_is_put_right_by_the_next_list() {
    // The origin announces nothing: the two last times of each list are wrong until the next one.
    let mut channel = channel(1_000_000_000, &[20_000_003; 300], &[20_000_003; 300], 12);
    channel.rounded = Some(3);
    channel.announced = 0;
    channel.look_ahead = 0;
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    assert!(!v.has(EventKind::Gap), "{:?}", v.events);
    assert!(v.is_seamless(0) && v.is_seamless(1));
    assert!(v.channel().asked("Manifest").len() < 70);
}
