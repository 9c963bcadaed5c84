//! Holes in a live presentation, fragments that overlap, encoders that begin anew, and origins that announce nothing.

use crate::common::live::{Answer, Channel, Piece, SECOND, Viewer, config, lengths, steady};
use smoothcore::io::{EventKind, RefreshReason};
use smoothcore::session::State;

const DISCONTINUITY: u32 = 2;
const PREROLL: u32 = 8;

/// From `from` on everything is `by` later in media time and in the time at which it is there.
fn shift(pieces: &mut [Piece], from: u64, by: u64, later: u64) {
    for p in pieces.iter_mut().filter(|p| p.start >= from) {
        p.start += by;
        p.there += later;
    }
}

#[test]
fn a_hole_in_one_stream_is_told_and_played_over() {
    let mut channel = Channel::new();
    shift(&mut channel.tracks[0].pieces, 160 * SECOND, 10 * SECOND, 10_000_000);
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    let told = v.all(EventKind::GapSkipped);
    assert_eq!(told.len(), 1, "{:?}", v.events);
    assert_eq!(told[0].media_time.unwrap().0, 1_600_000_000);
    assert_eq!((told[0].a, told[0].b, told[0].stream.unwrap().0), (10_000_000, 170 * SECOND, 0));
    let first = v.player.decoder().samples.iter().find(|s| s.fragment == 170 * SECOND).unwrap().clone();
    // The time is the origin's: the hole stays as long as it is.
    assert_eq!((first.dts, first.flags & DISCONTINUITY), (1_700_000_000, DISCONTINUITY));
    assert!(v.is_seamless(1), "sound goes on");
    assert!(!v.has(EventKind::Gap) && v.channel().count(404) == 0);
    assert_eq!(v.all(EventKind::StalledAtEdge).len() % 2, 0);
}

#[test]
fn holes_of_different_length_in_sound_and_pictures_stay_on_one_clock() {
    let mut channel = Channel::new();
    shift(&mut channel.tracks[0].pieces, 160 * SECOND, 4 * SECOND, 4_000_000);
    let from = channel.tracks[1].pieces.iter().find(|p| p.start >= 160 * SECOND).unwrap().start;
    shift(&mut channel.tracks[1].pieces, from, 6 * SECOND, 6_000_000);
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    let lengths: Vec<u64> = v.all(EventKind::GapSkipped).iter().map(|e| e.a).collect();
    assert_eq!(lengths.len(), 2, "{:?}", v.events);
    assert!(lengths.contains(&4_000_000) && lengths.contains(&6_000_000), "{lengths:?}");
    assert!(!matches!(v.session().state(), State::Failed(_)));
    assert!(v.fragments(0).last().unwrap().abs_diff(*v.fragments(1).last().unwrap()) < 5 * SECOND);
}

#[test]
fn a_gap_of_rounding_is_no_gap() {
    let mut channel = Channel::new();
    shift(&mut channel.tracks[0].pieces, 160 * SECOND, 9_000, 900);
    let mut v = Viewer::open(config(), channel);
    v.until(100);
    assert!(!v.has(EventKind::GapSkipped), "{:?}", v.all(EventKind::GapSkipped));
    assert!(v.player.decoder().samples.iter().skip(10).all(|s| s.flags & DISCONTINUITY == 0));
}

#[test]
fn after_a_failover_what_was_shown_is_only_decoded() {
    // The second encoder cuts elsewhere: its first fragment holds the last 0.8 s of the one before, too.
    let mut channel = Channel::new();
    let pieces = &mut channel.tracks[0].pieces;
    for p in pieces.iter_mut().filter(|p| p.start >= 160 * SECOND) {
        p.start -= 8_000_000;
        p.there -= 800_000;
    }
    // An overlap is not in the list; the fragment itself says how long it is.
    let mut v = Viewer::open(config(), channel);
    v.until(100);
    let samples = v.player.decoder().samples.clone();
    let again: Vec<_> = samples.iter().filter(|s| s.stream == 0 && s.fragment == 1_592_000_000).collect();
    assert_eq!(again.len(), 4);
    assert!(!v.has(EventKind::GapSkipped) && !v.has(EventKind::Gap));
    let shown_until = |f: u64| {
        samples
            .iter()
            .filter(|s| s.stream == 0 && s.fragment == f)
            .map(|s| s.dts + s.duration as i64)
            .max()
            .unwrap()
    };
    let end = shown_until(158 * SECOND);
    for s in &again {
        assert_eq!(s.flags & PREROLL != 0, s.dts < end, "{s:?} {end}");
    }
}

#[test]
fn fragments_of_any_length_need_one_manifest() {
    let odd: Vec<u64> = (0..300u64).map(|n| 10_000_000 + n * 7_654_321 % 20_000_000).collect();
    let mut channel = Channel::new();
    channel.dvr = 0;
    channel.tracks[0].pieces = lengths(SECOND, 100 * SECOND, &odd, 15);
    let mut v = Viewer::open(config(), channel);
    v.until(400);
    assert_eq!(v.channel().asked("Manifest").len(), 1);
    assert_eq!(v.channel().count(404), 0);
    assert!(v.is_seamless(0) && v.is_seamless(1));
    // An encoder that is so irregular may be asked too early until that is known.
    assert!(v.channel().count(412) <= 8, "{:?}", v.channel().count(412));
    assert!(!v.has(EventKind::Stalled));
}

#[test]
fn any_number_of_announcements_and_both_versions() {
    for (announced, ahead, version) in [(1, 1, 1), (2, 2, 1), (5, 5, 1), (200, 5, 1), (2, 2, 0)] {
        let mut channel = Channel::new();
        (channel.announced, channel.look_ahead, channel.tfrf_version) = (announced, ahead, version);
        let mut v = Viewer::open(config(), channel);
        v.until(120);
        assert_eq!(v.channel().asked("Manifest").len(), 1, "{announced} {version}");
        assert_eq!(v.channel().count(404) + v.channel().count(412), 0, "{announced} {version}");
        assert!(v.is_seamless(0) && !v.has(EventKind::Stalled));
    }
}

#[test]
fn an_origin_that_announces_nothing_is_read_once_a_fragment() {
    let mut channel = Channel::new();
    (channel.announced, channel.look_ahead) = (0, 0);
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    let read = v.channel().asked("Manifest");
    assert!((40..=62).contains(&read.len()), "{}", read.len());
    assert!(read.windows(2).all(|w| w[1].0 - w[0].0 >= 1_600_000), "{read:?}");
    assert!(v.is_seamless(0) && v.is_seamless(1), "{:?}", v.events);
    assert!(!v.has(EventKind::Stalled) && v.channel().count(412) == 0 && v.channel().count(404) == 0);
    assert!(v.all(EventKind::Refreshed).iter().all(|e| e.a == RefreshReason::Unannounced as u64));
}

#[test]
fn lengths_that_are_not_known_yet_are_learnt() {
    // The last `c` has no duration.
    let channel = Channel::new();
    let manifest = channel.manifest(0);
    let open = manifest.replace("<c t='1280000000' d='20000000'/>", "<c t='1280000000'/>");
    assert_ne!(manifest, open);
    let mut v = Viewer::open(
        config(),
        channel.scripted(move |path, _, _| {
            (path == "Manifest").then(|| Answer::Body(open.clone().into_bytes()))
        }),
    );
    v.until(60);
    assert!(v.is_seamless(0), "{:?}", v.events);
    assert_eq!(v.channel().count(404) + v.channel().count(412), 0);
    let timeline = &v.session().manifest().unwrap().streams[0].timeline;
    assert_eq!(timeline.at_or_before(1_280_000_000).unwrap().duration, 20_000_000);
}

#[test]
fn an_encoder_that_begins_anew_is_told_and_followed() {
    let mut channel = Channel::new();
    // After 40 s it stands still for ten, then counts from zero.
    for t in &mut channel.tracks {
        t.pieces.retain(|p| p.there < 40_000_000);
    }
    let mut v = Viewer::open(config(), channel);
    v.until(45);
    for t in &mut v.channel().tracks {
        t.pieces = steady(SECOND, 0, 2 * SECOND, 4, 200);
        for p in &mut t.pieces {
            p.there += 46_000_000;
        }
    }
    v.until(160);
    assert_eq!(v.all(EventKind::OriginRestarted).len(), 1, "{:?}", v.events);
    assert!(v.has(EventKind::StalledAtEdge));
    let samples = v.player.decoder().samples.clone();
    let first = samples.iter().position(|s| s.dts < 60 * SECOND as i64).unwrap();
    assert!(samples[first..].iter().all(|s| s.epoch > 1 && s.dts < 200 * SECOND as i64));
    assert_ne!(samples[first].flags & DISCONTINUITY, 0);
    let live = v.session().live().unwrap();
    assert!(live.latency.unwrap().0 < 12_000_000, "{live:?}");
    assert!(!v.has(EventKind::Failed));
    // It is looked at twice, and then no more often than at the edge.
    assert!(v.channel().asked("Manifest").len() < 12, "{:?}", v.channel().asked("Manifest"));
}

#[test]
fn an_encoder_that_leaps_ahead_counts_anew() {
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        t.pieces.retain(|p| p.there < 40_000_000);
    }
    let mut v = Viewer::open(config(), channel);
    v.until(60);
    for t in &mut v.channel().tracks {
        let mut more = steady(SECOND, 5_000 * SECOND, 2 * SECOND, 0, 200);
        for p in &mut more {
            p.there += 60_000_000;
        }
        t.pieces.extend(more);
    }
    v.until(160);
    // An hour without pictures cannot lie in a minute: decoders are flushed rather than left to wait for it.
    assert_eq!(v.all(EventKind::OriginRestarted).len(), 1, "{:?}", v.channel().log);
    assert!(!v.has(EventKind::GapSkipped) && !v.has(EventKind::Failed));
    assert!(*v.fragments(0).last().unwrap() > 5_060 * SECOND);
}

/// An event whose list begins at 0 and is open: `old` seconds of it, then the encoder is back at 0 after `pause` seconds.
fn back_at_zero(old: u64, pause: u64) -> (Channel, impl Fn(&mut Channel)) {
    let mut channel = Channel::new();
    channel.dvr = 0;
    for t in &mut channel.tracks {
        t.pieces = steady(SECOND, 0, 2 * SECOND, 15, old / 2);
    }
    let anew = (old - 30 + pause) * 1_000_000;
    let restart = move |channel: &mut Channel| {
        for t in &mut channel.tracks {
            t.pieces = steady(SECOND, 0, 2 * SECOND, 0, 200);
            for p in &mut t.pieces {
                p.there += anew;
            }
        }
    };
    (channel, restart)
}

#[test]
fn an_encoder_that_is_back_at_zero_on_an_open_event_is_followed() {
    for pause in [2, 30] {
        // 70 s were on the air; then it counts from zero, which the list known begins with, too.
        let (channel, restart) = back_at_zero(100, pause);
        let mut v = Viewer::open(config(), channel);
        v.until(70 + pause);
        restart(v.channel());
        v.more(80);
        assert_eq!(v.all(EventKind::OriginRestarted).len(), 1, "{pause}: {:?}", v.events);
        let samples = v.player.decoder().samples.clone();
        let last = samples.iter().rposition(|s| s.fragment == 98 * SECOND).unwrap();
        let behind: Vec<_> = samples[last + 1..].iter().filter(|s| s.stream == 0).collect();
        assert!(behind.iter().all(|s| s.epoch > 1 && s.dts < 90 * SECOND as i64));
        assert_ne!(behind[0].flags & DISCONTINUITY, 0);
        assert!(behind.last().unwrap().dts > 60 * SECOND as i64, "{:?}", behind.last());
        let live = v.session().live().unwrap();
        assert!(live.latency.unwrap().0 < 12_000_000 && !v.has(EventKind::Failed), "{live:?}");
        assert!(v.channel().asked("Manifest").len() < 16, "{:?}", v.channel().asked("Manifest"));
    }
}

#[test]
fn an_old_list_that_stands_is_no_encoder_back_at_zero() {
    // The encoder stands for a minute, and a cache answers with the list of a minute ago.
    let (mut channel, _) = back_at_zero(100, 0);
    for t in &mut channel.tracks {
        t.pieces = steady(SECOND, 0, 2 * SECOND, 15, 400);
        for p in t.pieces.iter_mut().filter(|p| p.start >= 100 * SECOND) {
            p.there += 60_000_000;
        }
    }
    let stale = back_at_zero(100, 0).0.manifest(20_000_000).into_bytes();
    let channel = channel.scripted(move |path, now, _| {
        let old = path == "Manifest" && (72_000_000..128_000_000).contains(&now);
        old.then(|| Answer::Body(stale.clone()))
    });
    let mut v = Viewer::open(config(), channel);
    v.until(170);
    assert!(!v.has(EventKind::OriginRestarted) && !v.has(EventKind::Failed), "{:?}", v.events);
    assert!(v.has(EventKind::StalledAtEdge) && v.has(EventKind::EdgeMoving));
    assert!(*v.fragments(0).last().unwrap() > 120 * SECOND && v.is_seamless(0), "{:?}", v.fragments(0));
    // Every ten seconds or so once it has looked twice.
    assert!(v.channel().asked("Manifest").len() < 14, "{:?}", v.channel().asked("Manifest"));
}
