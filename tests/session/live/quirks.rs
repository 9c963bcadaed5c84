//! What players of live presentations have stumbled over, each by the number it has in the project's list of quirks.

use crate::common::live::{Answer, Channel, Piece, SECOND, Track, Viewer, config, lengths, seconds, steady};
use smoothcore::io::{EventKind, RefreshReason, StreamId};
use smoothcore::session::{Config, LiveConfig, Selection, State};

fn is_clean(v: &mut Viewer) {
    let bad: Vec<_> = v.channel().log.iter().filter(|l| l.2 != 200).cloned().collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert!(v.is_seamless(0) && v.is_seamless(1) && !v.has(EventKind::Gap), "{:?}", v.events);
    assert!(!v.has(EventKind::Stalled) && !v.has(EventKind::StalledAtEdge), "{:?}", v.events);
}

/// The first piece that is there only later.
fn next(pieces: &[Piece]) -> usize {
    pieces.iter().position(|p| p.there > 0).unwrap()
}

#[test]
fn quirk_39_a_time_that_is_one_tick_off_is_never_asked_for() {
    // Each announced start is a tick or more beside the sum of what came before.
    let mut channel = Channel::new();
    channel.dvr = 0;
    for (n, p) in channel.tracks[0].pieces.iter_mut().enumerate() {
        p.start += [0, 1, 40, 7][n % 4];
        p.duration = 2 * SECOND - 40;
    }
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    assert_eq!(v.channel().count(404) + v.channel().count(410), 0);
    assert!(v.fragments(0).len() > 50 && !v.has(EventKind::GapSkipped));
}

#[test]
fn quirk_40_the_last_digit_of_a_time_beyond_2_53() {
    let mut channel = Channel::new();
    let first = 17_472_959_488_675_333;
    for t in &mut channel.tracks {
        t.pieces = steady(SECOND, first, 2 * SECOND, 15, 200);
    }
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    is_clean(&mut v);
    assert!(v.channel().asked("=17472959908675333").iter().all(|a| a.2 == 200));
    assert_eq!(v.channel().asked("=17472959908675333").len(), 2);
}

#[test]
fn quirk_41_the_second_announced_fragment_is_not_asked_for_before_it_is_due() {
    for announced in [1, 2, 5] {
        let mut channel = Channel::new();
        (channel.announced, channel.look_ahead) = (announced, announced);
        let mut v = Viewer::open(config(), channel);
        v.until(60);
        is_clean(&mut v);
        let there: Vec<(String, u64)> = v
            .channel()
            .tracks
            .iter()
            .flat_map(|t| t.pieces.iter().map(move |p| (format!("({}={})", t.name, p.start), p.there)))
            .collect();
        for (at, path, _) in v.channel().asked("Fragments") {
            let (_, there) = there.iter().find(|(name, _)| path.ends_with(name)).unwrap();
            assert!(at >= *there, "{path} at {at}, there at {there}");
        }
    }
}

#[test]
fn quirk_42_an_announced_time_patches_the_length_before_it() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    let n = next(&channel.tracks[0].pieces);
    for p in &mut channel.tracks[0].pieces[n..] {
        p.start += 40;
    }
    let (last, start) = (channel.tracks[0].pieces[n - 1], channel.tracks[0].pieces[n].start);
    let mut v = Viewer::open(config(), channel);
    v.until(30);
    let timeline = &v.session().manifest().unwrap().streams[0].timeline;
    let patched = timeline.at_or_before(last.start).unwrap();
    assert_eq!((patched.duration, patched.end()), (2 * SECOND + 40, start));
}

#[test]
fn quirk_43_without_announcements_the_manifest_is_read_again() {
    let mut channel = Channel::new();
    (channel.announced, channel.look_ahead) = (0, 0);
    let mut v = Viewer::open(config(), channel);
    v.until(60);
    is_clean(&mut v);
    assert!(v.has(EventKind::Refreshed) && !v.has(EventKind::Failed));
    // And an event whose last fragments announce nothing is played to its end.
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        t.pieces.truncate(30);
    }
    channel.is_live = vec![(0, "TRUE"), (31_000_000, "FALSE")];
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    assert_eq!(v.session().state(), State::Ended);
    assert_eq!(v.fragments(0).last(), Some(&(158 * SECOND)));
}

#[test]
fn quirk_44_announcements_of_an_old_fragment_add_nothing() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    let mut v = Viewer::open(config(), channel);
    v.until(40);
    let before: Vec<u64> =
        v.session().manifest().unwrap().streams[0].timeline.iter().map(|f| f.start).collect();
    let at = v.at();
    v.session().seek(at, seconds(110)).unwrap();
    v.more(6);
    let after: Vec<u64> =
        v.session().manifest().unwrap().streams[0].timeline.iter().map(|f| f.start).collect();
    assert!(after.starts_with(&before), "{after:?}");
    assert!(after.windows(2).all(|w| w[1] - w[0] == 2 * SECOND));
}

#[test]
fn quirk_45_an_hour_of_playback_is_one_manifest() {
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        t.pieces = steady(SECOND, 100 * SECOND, 2 * SECOND, 15, 1_900);
    }
    let mut v = Viewer::open(config(), channel);
    v.until(3_600);
    assert_eq!(v.channel().asked("Manifest").len(), 1);
    is_clean(&mut v);
}

#[test]
fn quirk_46_too_early_is_never_fatal() {
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        for (n, p) in t.pieces.iter_mut().enumerate() {
            // An encoder that is late by anything up to four seconds.
            p.there += (n as u64 * 7_919 % 4_001) * 1000;
        }
    }
    let live = LiveConfig { target_delay: smoothcore::time::Micros::from_secs(2), ..LiveConfig::default() };
    let mut v = Viewer::open(Config { live, ..config() }, channel);
    v.until(300);
    assert!(
        !v.has(EventKind::Failed) && !v.has(EventKind::Gap) && !v.has(EventKind::Retry),
        "{:?}",
        v.events
    );
    assert!(v.is_seamless(0) && v.is_seamless(1));
    assert!(v.fragments(0).len() > 140, "{}", v.fragments(0).len());
}

#[test]
fn quirk_47_sound_has_an_edge_of_its_own() {
    // Fragments of sound are longer, and start elsewhere.
    let mut channel = Channel::new();
    channel.tracks[1].pieces = steady(SECOND, 101 * SECOND + 777, 5 * SECOND, 6, 100);
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    is_clean(&mut v);
    assert!(v.fragments(1).iter().all(|s| (s - 101 * SECOND - 777).is_multiple_of(5 * SECOND)));
}

#[test]
fn quirk_49_windows_that_lie_apart_are_played_where_both_are() {
    // The list of sound is 20 s behind that of pictures; both grow at one pace.
    let mut channel = Channel::new();
    channel.dvr = 60;
    channel.tracks[1].pieces = steady(SECOND, 80 * SECOND, 2 * SECOND, 15, 200);
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    assert!(!v.has(EventKind::Gap) && !v.has(EventKind::Failed));
    let live = v.session().live().unwrap();
    let sound = v.fragments(1);
    assert!(sound.len() > 50, "{sound:?}");
    // What is called the edge is what both have.
    assert!(live.end.0 / (SECOND as i64) < 100 + 120 + 12, "{live:?}");
    assert!(v.fragments(0)[0].abs_diff(sound[0]) <= 4 * SECOND, "{} {}", v.fragments(0)[0], sound[0]);
}

#[test]
fn quirk_50_a_seek_to_the_start_of_the_window_is_not_too_late() {
    let mut channel = Channel::new();
    channel.dvr = 60;
    let mut v = Viewer::open(config(), channel);
    v.until(100);
    for _ in 0..5 {
        let live = v.session().live().unwrap();
        let at = v.at();
        // Just before it, as a host does that has looked a moment ago.
        v.session().seek(at, smoothcore::time::MediaTime(live.start.0 - 1)).unwrap();
        v.more(8);
        assert!(!v.has(EventKind::Gap) && !v.has(EventKind::BehindWindow), "{:?}", v.events);
        assert_eq!(v.channel().count(404), 0);
    }
}

#[test]
fn quirk_51_a_seek_into_a_hole_plays_what_is_behind_it() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    for p in channel.tracks[0].pieces.iter_mut().chain(&mut Vec::<Piece>::new()) {
        if p.start >= 110 * SECOND {
            p.start += 20 * SECOND;
        }
    }
    for p in &mut channel.tracks[1].pieces {
        if p.start >= 110 * SECOND {
            p.start += 20 * SECOND;
        }
    }
    let mut v = Viewer::open(config(), channel);
    v.until(10);
    let at = v.at();
    v.session().seek(at, seconds(118)).unwrap();
    v.more(10);
    let first = v.player.decoder().samples.iter().find(|s| s.epoch > 1 && s.stream == 0).unwrap().clone();
    assert_eq!(first.fragment, 130 * SECOND);
    assert_eq!(first.flags & 8, 0, "nothing of it is before the target");
    assert!(v.player.decoder().running);
    assert_eq!(v.channel().asked("video=1080000000").len(), 0);
}

#[test]
fn quirk_52_what_has_left_the_window_is_not_tried_for_ever() {
    // Every fragment of the first list is gone.
    let channel = Channel::new().scripted(|path, now, _| {
        let old = |t: &str| t.split_once('=').is_some_and(|(_, s)| s.len() == 11 && s < "1600000000)");
        (path.contains("Fragments") && now < 12_000_000 && old(path)).then_some(Answer::Status(404))
    });
    let mut v = Viewer::open(config(), channel);
    v.until(90);
    assert!(!v.has(EventKind::Failed), "{:?}", v.events);
    for (_, path, _) in v.channel().asked("Fragments") {
        let tries = v.channel().asked(&path).len();
        assert!(tries <= 6, "{path}: {tries}");
    }
    assert!(v.player.decoder().running && v.fragments(0).len() > 20);
}

#[test]
fn quirk_54_turning_tracks_on_and_off_reads_no_more_than_once_a_fragment() {
    let mut channel = Channel::new();
    let french = Track { language: "fra", name: "audio_fra".into(), ..channel.tracks[1].clone() };
    channel.tracks.push(french);
    let mut v = Viewer::open(config(), channel);
    v.until(60);
    for n in 0..40 {
        let at = v.at();
        let on = if n % 2 == 0 { Selection::On } else { Selection::Off };
        v.session().select(at, StreamId(2), on).unwrap();
        v.more(1);
    }
    let read = v.channel().asked("Manifest");
    assert!(read.windows(2).all(|w| w[1].0 - w[0].0 >= 1_600_000), "{read:?}");
}

#[test]
fn quirk_56_a_track_turned_on_late_has_a_fresh_list() {
    let mut channel = Channel::new();
    let french = Track { language: "fra", name: "audio_fra".into(), ..channel.tracks[1].clone() };
    channel.tracks.push(french);
    let mut v = Viewer::open(config(), channel);
    v.until(200);
    let at = v.at();
    v.session().switch(at, StreamId(2)).unwrap();
    v.more(60);
    assert_eq!(v.all(EventKind::Refreshed)[0].a, RefreshReason::Select as u64);
    assert!(v.channel().asked("audio_fra").iter().all(|a| a.2 == 200));
    assert!(!v.has(EventKind::Stalled) && !v.has(EventKind::Gap), "{:?}", v.events);
    assert!(v.fragments(2)[0] > 310 * SECOND);
}

#[test]
fn quirk_57_bytes_of_before_a_seek_announce_nothing() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    let mut v = Viewer::open(config(), channel);
    v.until(30);
    for n in 0..30u64 {
        let at = v.at();
        v.session().seek(at, seconds(100 + n * 7 % 50)).unwrap();
        v.now += 40_000;
        v.until(v.now / 1_000_000 + 1);
    }
    let timeline = &v.session().manifest().unwrap().streams[0].timeline;
    let starts: Vec<u64> = timeline.iter().map(|f| f.start).collect();
    assert!(starts.windows(2).all(|w| w[1] - w[0] == 2 * SECOND), "{starts:?}");
    assert_eq!(v.channel().count(404), 0);
}

#[test]
fn quirk_58_an_encoder_that_is_unplugged_is_told() {
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        t.pieces.truncate(25);
    }
    let mut v = Viewer::open(config(), channel);
    v.until(300);
    let told = v.all(EventKind::StalledAtEdge);
    assert_eq!(told.len(), 2, "once a stream: {:?}", v.events);
    assert!(told[0].at.0 < 36_000_000 && told[0].media_time.unwrap() >= seconds(149), "{told:?}");
    assert!(v.has(EventKind::Stalled) && !v.has(EventKind::Failed) && !v.has(EventKind::Gap));
    // It goes on asking, ten seconds apart.
    let late = v.channel().asked("Manifest").iter().filter(|a| a.0 > 200_000_000).count();
    assert!((7..=13).contains(&late), "{late}");
}

#[test]
fn quirk_59_an_archive_begins_where_the_event_began() {
    // The same channel after its end: on demand, and not from zero.
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        t.pieces = lengths(SECOND, 16_000_000 * SECOND, &[2 * SECOND; 20], 20);
    }
    channel.dvr = 0;
    channel.is_live = vec![(0, "")];
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    assert_eq!(v.session().state(), State::Ended);
    assert_eq!(v.fragments(0)[0], 16_000_000 * SECOND);
    assert_eq!(v.fragments(0).len(), 20);
    is_clean(&mut v);
}

#[test]
fn quirk_60_a_start_over_grows_to_its_announced_length() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    channel.duration = 100 * SECOND;
    for t in &mut channel.tracks {
        t.pieces = steady(SECOND, 100 * SECOND, 2 * SECOND, 15, 50);
    }
    let live = LiveConfig { start: smoothcore::session::LiveStart::Beginning, ..LiveConfig::default() };
    let mut v = Viewer::open(Config { live, ..config() }, channel);
    v.until(200);
    assert_eq!(v.session().state(), State::Ended, "{:?}", v.events);
    assert_eq!(v.fragments(0).len(), 50);
    assert!(!v.has(EventKind::Gap));
}

#[test]
fn quirk_61_fragments_come_from_where_the_manifest_came_from() {
    let mut channel = Channel::new();
    (channel.announced, channel.look_ahead) = (0, 0);
    let mut v = Viewer::open(
        config(),
        channel.scripted(|path, now, _| {
            let edge = if now < 20_000_000 {
                "http://a.test/live/channel.isml/Manifest"
            } else {
                "http://b.test/live/channel.isml/Manifest"
            };
            (path == "Manifest").then_some(Answer::Elsewhere(edge))
        }),
    );
    v.until(60);
    is_clean(&mut v);
}

#[test]
fn quirk_62_fragments_of_no_length_in_the_list_are_none() {
    let channel = Channel::new();
    let manifest = channel.manifest(0);
    let odd = manifest.replace(
        "<c t='1200000000' d='20000000'/>",
        "<c t='1200000000' d='0'/><c t='1200000000' d='20000000'/>",
    );
    assert_ne!(odd, manifest);
    let mut v = Viewer::open(
        config(),
        channel
            .scripted(move |path, _, _| (path == "Manifest").then(|| Answer::Body(odd.clone().into_bytes()))),
    );
    v.until(60);
    is_clean(&mut v);
}

#[test]
fn quirk_64_only_the_clock_that_never_steps_counts() {
    // The wall clock of the origin says anything.
    for date in ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday"] {
        let mut channel = Channel::new();
        channel.date = date.into();
        let mut v = Viewer::open(config(), channel);
        v.until(60);
        is_clean(&mut v);
    }
}
