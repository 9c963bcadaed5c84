//! Reading the manifest of a live presentation again: when, how often, and what is made of the answer.

use crate::common::live::{Answer, Channel, SECOND, Track, Viewer, config, seconds, steady};
use smoothcore::error::Code;
use smoothcore::io::{EventKind, RefreshReason, StreamId};
use smoothcore::session::{AudioChoice, Config, Selection, State, TextChoice};

/// Paused for four minutes, so that the list is old.
fn paused(mut v: Viewer) -> Viewer {
    v.until(20);
    let at = v.at();
    v.session().pause(at);
    v.more(240);
    v
}

fn reasons(v: &Viewer) -> Vec<u64> {
    v.all(EventKind::Refreshed).iter().map(|e| e.a).collect()
}

#[test]
fn a_seek_inside_the_list_reads_nothing() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    let mut v = Viewer::open(config(), channel);
    v.until(40);
    let at = v.at();
    v.session().seek(at, seconds(110)).unwrap();
    v.more(10);
    assert!(reasons(&v).is_empty());
}

#[test]
fn a_seek_outside_the_list_waits_for_a_new_one() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    let mut v = paused(Viewer::open(config(), channel));
    let at = v.at();
    v.session().seek(at, seconds(300)).unwrap();
    v.session().play(at);
    v.more(10);
    assert_eq!(reasons(&v), [RefreshReason::Seek as u64]);
    let first = v.player.decoder().samples.iter().rfind(|s| s.epoch > 1 && s.stream == 0).unwrap();
    assert!(first.fragment >= 300 * SECOND && first.fragment < 320 * SECOND);
    let read = v.channel().asked("Manifest")[1].0;
    let asked = v.channel().asked("video=3000000000");
    assert!(asked.len() == 1 && asked[0].0 > read && asked[0].2 == 200, "{asked:?}");
}

#[test]
fn a_seek_goes_by_the_old_list_when_there_is_no_new_one() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    let mut v = paused(Viewer::open(
        config(),
        channel.scripted(|path, now, _| (path == "Manifest" && now > 0).then_some(Answer::Status(500))),
    ));
    let at = v.at();
    v.session().seek(at, seconds(300)).unwrap();
    v.session().play(at);
    v.more(20);
    assert!(v.all(EventKind::RefreshFailed).len() >= 2);
    assert!(v.all(EventKind::RefreshFailed).iter().all(|e| e.http_status == 500));
    assert!(v.player.decoder().samples.iter().any(|s| s.epoch > 1), "{:?}", v.events);
    assert!(!v.has(EventKind::Failed));
}

#[test]
fn after_a_pause_the_list_is_read_only_where_it_does_not_reach() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    let mut v = paused(Viewer::open(config(), channel));
    let at = v.at();
    v.session().play(at);
    v.more(20);
    // What comes next was announced, and what comes then by that.
    assert!(reasons(&v).is_empty(), "{:?}", reasons(&v));
    assert!(v.is_seamless(0));

    let mut channel = Channel::new();
    channel.dvr = 60;
    let mut v = paused(Viewer::open(config(), channel));
    let at = v.at();
    v.session().play(at);
    v.more(20);
    assert_eq!(reasons(&v)[0], RefreshReason::Resume as u64);
    assert_eq!(v.channel().count(404), 0, "nothing is asked for that has left the window");
}

#[test]
fn a_stream_turned_on_late_is_read_first() {
    let mut channel = Channel::new();
    let french = Track { language: "fra", name: "audio_fra".into(), ..channel.tracks[1].clone() };
    channel.tracks.push(french);
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    assert_eq!(v.channel().asked("Manifest").len(), 1);
    let at = v.at();
    v.session().select(at, StreamId(2), Selection::On).unwrap();
    v.more(20);
    assert_eq!(reasons(&v), [RefreshReason::Select as u64]);
    let asked = v.channel().asked("audio_fra");
    assert!(asked[0].0 > v.channel().asked("Manifest")[1].0);
    assert!(asked.iter().all(|a| a.2 == 200), "{asked:?}");
    let first = v.fragments(2)[0];
    assert!(first > 200 * SECOND, "where the others are, not where its list ended: {first}");
    v.session().switch(at, StreamId(1)).unwrap();
    v.more(60);
    assert!(!v.has(EventKind::Stalled), "{:?}", v.events);
}

#[test]
fn the_answer_may_be_stale() {
    // Every answer but the first is 20 s old.
    let mut channel = Channel::new();
    channel.dvr = 0;
    let mut v = Viewer::open(config(), channel);
    v.until(40);
    let end = v.session().manifest().unwrap().streams[0].timeline.end();
    v.channel().stale = 20_000_000;
    let french = Track { language: "fra", name: "late".into(), ..v.channel().tracks[1].clone() };
    v.channel().tracks.push(french);
    let at = v.at();
    v.session().seek(at, seconds(10_000)).unwrap();
    v.more(60);
    assert!(v.session().manifest().unwrap().streams[0].timeline.end() >= end);
    assert!(!v.has(EventKind::OriginRestarted) && !v.has(EventKind::Gap), "{:?}", v.events);
    assert_eq!(v.channel().count(404), 0);
}

#[test]
fn one_answer_far_behind_is_no_restart() {
    // A window of 30 s, and once an answer that is a minute old: wholly before what is known.
    let mut v = Viewer::open(config(), Channel::new());
    v.until(120);
    v.channel().stale = 70_000_000;
    let at = v.at();
    v.session().seek(at, seconds(10_000)).unwrap();
    let mut v2 = v;
    v2.more(2);
    v2.channel().stale = 0;
    v2.more(60);
    assert!(!v2.has(EventKind::OriginRestarted) && !v2.has(EventKind::Failed), "{:?}", v2.events);
}

#[test]
fn streams_keep_their_numbers_in_another_order() {
    let mut channel = Channel::new();
    (channel.announced, channel.look_ahead) = (0, 0);
    let mut v = Viewer::open(config(), channel);
    v.until(20);
    v.channel().reversed = true;
    v.until(80);
    assert!(v.is_seamless(0) && v.is_seamless(1) && !v.has(EventKind::Gap));
    let manifest = v.session().manifest().unwrap();
    assert_eq!((&*manifest.streams[0].name, &*manifest.streams[1].name), ("video", "audio"));
    assert_eq!(v.channel().count(404), 0);
}

#[test]
fn a_stream_that_appears_can_be_played() {
    let mut channel = Channel::new();
    (channel.announced, channel.look_ahead) = (0, 0);
    let mut v = Viewer::open(config(), channel);
    v.until(20);
    let french = Track { language: "fra", name: "late".into(), ..v.channel().tracks[1].clone() };
    v.channel().tracks.insert(0, french);
    v.until(40);
    assert_eq!(&*v.session().manifest().unwrap().streams[2].name, "late");
    let at = v.at();
    v.session().switch(at, StreamId(2)).unwrap();
    v.more(30);
    assert!(v.fragments(2).len() > 8);
}

#[test]
fn a_live_presentation_becomes_one_on_demand() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    for t in &mut channel.tracks {
        t.pieces.truncate(40);
    }
    channel.is_live = vec![(0, "TRUE"), (55_000_000, "FALSE")];
    let mut v = Viewer::open(config(), channel);
    v.until(64);
    assert!(v.has(EventKind::LiveEnded), "{:?}", v.events);
    assert!(v.session().live().is_none());
    // Times stay what they were, and all of it can be played again.
    let at = v.at();
    v.session().seek(at, seconds(100)).unwrap();
    v.more(3);
    let again = v.player.decoder().samples.iter().find(|s| s.epoch > 1 && s.stream == 0).unwrap().fragment;
    assert_eq!(again, 100 * SECOND);
    v.until(400);
    assert_eq!(v.session().state(), State::Ended);
    assert_eq!(v.fragments(0).last(), Some(&(178 * SECOND)));
    assert!(!v.has(EventKind::Gap));
}

#[test]
fn a_manifest_that_is_gone_for_twenty_seconds_ends_it() {
    for status in [404, 410] {
        let mut channel = Channel::new();
        for t in &mut channel.tracks {
            t.pieces.truncate(30);
        }
        let mut v = Viewer::open(
            config(),
            channel.scripted(move |path, now, _| {
                (path == "Manifest" && now > 10_000_000).then_some(Answer::Status(status))
            }),
        );
        v.until(300);
        assert_eq!(v.session().state(), State::Ended, "{:?}", v.events);
        let ended = v.all(EventKind::LiveEnded);
        assert_eq!((ended.len(), ended[0].http_status), (1, status));
        let looks = v.all(EventKind::RefreshFailed);
        assert!((3..=8).contains(&looks.len()), "{looks:?}");
        let since = ended[0].at.since(looks[0].at).0;
        assert!((20_000_000..40_000_000).contains(&since), "{since}");
    }
}

#[test]
fn a_start_over_ends_where_it_was_said_to() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    for t in &mut channel.tracks {
        t.pieces = steady(SECOND, 100 * SECOND, 2 * SECOND, 15, 40);
    }
    channel.duration = 80 * SECOND;
    let mut v = Viewer::open(config(), channel);
    v.until(120);
    assert_eq!(v.session().state(), State::Ended, "{:?}", v.events);
    assert!(v.has(EventKind::LiveEnded) && !v.has(EventKind::StalledAtEdge));
    assert!(v.channel().asked("Manifest").len() <= 3);
}

#[test]
fn a_garbled_answer_changes_nothing() {
    let bodies: [Vec<u8>; 4] = [
        b"<html>".to_vec(),
        Vec::new(),
        vec![0xFF; 100],
        b"<SmoothStreamingMedia MajorVersion='9'/>".to_vec(),
    ];
    for body in bodies {
        let mut channel = Channel::new();
        (channel.announced, channel.look_ahead) = (0, 0);
        let mut v = Viewer::open(
            config(),
            channel.scripted(move |path, now, _| {
                (path == "Manifest" && (10_000_000..16_000_000).contains(&now))
                    .then(|| Answer::Body(body.clone()))
            }),
        );
        v.until(120);
        assert!(v.has(EventKind::RefreshFailed) && !v.has(EventKind::Failed), "{:?}", v.events);
        assert!(v.is_seamless(0) && v.is_seamless(1) && !v.has(EventKind::Gap));
    }
}

#[test]
fn it_is_never_read_in_a_tight_loop() {
    // Nothing announced, and every answer is the first one.
    let mut channel = Channel::new();
    (channel.announced, channel.look_ahead) = (0, 0);
    let first = channel.manifest(0).into_bytes();
    let mut v = Viewer::open(
        config(),
        channel.scripted(move |path, _, _| (path == "Manifest").then(|| Answer::Body(first.clone()))),
    );
    v.until(120);
    let read = v.channel().asked("Manifest");
    assert!(read.windows(2).all(|w| w[1].0 - w[0].0 >= 1_600_000), "{read:?}");
    // Ten seconds apart in the end.
    assert!((12..=22).contains(&read.len()), "{read:?}");
    assert!(v.has(EventKind::StalledAtEdge));
}

#[test]
fn new_headers_are_offered_and_old_ones_are_not() {
    use smoothcore::io::Output;
    use smoothcore::session::{ProtectionMode, Session};
    use smoothcore::time::Instant;
    let header = |text: &str| {
        format!(
            "<Protection><ProtectionHeader SystemID='{{9A04F079-9840-4286-AB92-E65BE0885F95}}'>{text}</ProtectionHeader></Protection>"
        )
    };
    let mut channel = Channel::new();
    (channel.announced, channel.look_ahead) = (0, 0);
    let config = Config { protection: ProtectionMode::Decoder, ..config() };
    let mut session = Session::new(config).unwrap();
    session.open(Instant(0), crate::common::live::CHANNEL).unwrap();
    let (mut offers, mut dropped) = (0, 0);
    for second in 0..20u64 {
        channel.header = header(if second < 10 { "AAAA" } else { "BBBB" });
        let at = Instant(second * 1_000_000);
        session.input(at, smoothcore::io::Input::Timeout);
        let mut asked = Vec::new();
        loop {
            match session.poll() {
                Output::Idle(_) => break,
                Output::Request(r) => asked.push((r.id, r.url.split_once(".isml/").unwrap().1.to_string())),
                Output::Protection(_) => offers += 1,
                Output::Event(e) if e.kind == EventKind::HeaderDropped => dropped += 1,
                _ => {}
            }
        }
        for (id, path) in asked {
            let (status, body) = channel.get(&path, at.0);
            session.input(
                at,
                smoothcore::io::Input::Response(
                    id,
                    smoothcore::io::Response { status, ..Default::default() },
                ),
            );
            session.body(at, id, &body);
            session.input(at, smoothcore::io::Input::Finished(id, smoothcore::io::Outcome::Complete));
        }
    }
    // Neither is a header that can be used; each is seen once.
    assert_eq!((offers, dropped), (0, 2));
}

#[test]
fn without_room_for_it_playback_goes_on() {
    let mut channel = Channel::new();
    channel.dvr = 0;
    let mut v = Viewer::open(Config { budget: 96 << 10, ..config() }, channel);
    v.until(30);
    // From now on the list takes more than is left beside the one known.
    let odd: Vec<u64> = (0..40_000u64).map(|n| 20_000_000 + n * 7919 % 1_000_003).collect();
    v.channel().tracks[0].pieces.extend(crate::common::live::lengths(
        SECOND,
        1_000_000 * SECOND,
        &odd,
        40_000,
    ));
    let at = v.at();
    v.session().seek(at, seconds(1_000_000)).unwrap();
    v.more(60);
    let failed = v.all(EventKind::RefreshFailed);
    assert!(failed.iter().all(|e| e.error.unwrap().code == Code::Budget), "{failed:?}");
    assert!(!failed.is_empty() && !v.has(EventKind::Failed), "{:?}", v.session().stats());
    assert!(v.session().stats().peak_held <= 96 << 10);
    assert!(v.player.decoder().running && !v.has(EventKind::Gap));
}

#[test]
fn the_heap_is_flat_over_many_readings() {
    let mut channel = Channel::new();
    (channel.announced, channel.look_ahead) = (0, 0);
    let mut v = Viewer::open(config(), channel);
    v.until(200);
    let peak = v.session().stats().peak_held;
    v.until(900);
    assert!(v.session().stats().peak_held <= peak + 1024, "{peak} {:?}", v.session().stats());
    assert!(v.session().stats().refreshes > 300);
}

#[test]
fn a_stream_that_lists_nothing_yet_is_waited_for() {
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        for p in &mut t.pieces {
            p.there += 20_000_000;
        }
    }
    let mut v = Viewer::open(config(), channel);
    v.until(80);
    assert!(reasons(&v).contains(&(RefreshReason::Empty as u64)), "{:?}", v.events);
    assert!(v.is_seamless(0) && v.fragments(0).len() > 20, "{:?}", v.events);
    assert!(v.channel().asked("Manifest").len() < 14);
}

#[test]
fn text_in_the_list_alone_is_read_every_ten_seconds() {
    let mut channel = Channel::new();
    let mut text = Track {
        kind: "text",
        name: "subs".into(),
        bitrates: vec![1000],
        samples: 1,
        ..channel.tracks[0].clone()
    };
    text.pieces = steady(SECOND, 100 * SECOND, 10 * SECOND, 3, 100);
    channel.tracks.push(text);
    channel.announced = 2;
    let mut v =
        Viewer::open(Config { text: TextChoice::All, audio: AudioChoice::First, ..config() }, channel);
    v.until(120);
    // Its fragments announce what follows, as those of the others do.
    assert!(v.channel().asked("Manifest").len() <= 3, "{:?}", v.channel().asked("Manifest"));
    assert!(v.fragments(2).len() > 8, "{:?}", v.fragments(2));
    assert!(!v.has(EventKind::Stalled));
}

#[test]
fn a_list_for_which_there_is_no_room_ends_playback_once() {
    let mut channel = Channel::new();
    channel.announced = 0;
    let text = channel.manifest(0);
    let (before, after) = text.split_at(text.find("</StreamIndex>").unwrap());
    let irregular: String =
        (0..400_000u64).map(|n| format!("<c d=\"{}\"/>", 20_000_000 + n * 7_919 % 1_000)).collect();
    let endless = format!("{before}{irregular}{after}").into_bytes();
    let script = move |path: &str, _: u64, nth: u32| {
        (path.ends_with("Manifest") && nth > 1).then(|| Answer::Body(endless.clone()))
    };
    let mut v = Viewer::open(Config { budget: 512 << 10, ..config() }, channel.scripted(script));
    v.until(180);
    let failed = v.all(EventKind::Failed);
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].error.unwrap().code, Code::Budget);
    assert!(v.all(EventKind::RefreshFailed).len() > 2 && v.has(EventKind::Stalled));
}
