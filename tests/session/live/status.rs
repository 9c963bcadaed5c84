//! What each HTTP status means while a presentation is live: one test a row of the table in the guide.

use crate::common::live::{Answer, Channel, SECOND, Viewer, config, seconds};
use smoothcore::error::Code;
use smoothcore::io::{EventKind, RefreshReason};
use smoothcore::session::{Config, State};

/// The first fragment of pictures that is not listed at the start.
const NEXT: &str = "(video=1300000000)";
/// One that is.
const LISTED: &str = "(video=1200000000)";

fn answering(part: &'static str, tries: u32, answer: Answer) -> Channel {
    Channel::new().scripted(move |path, _, nth| (path.contains(part) && nth <= tries).then(|| answer.clone()))
}

fn played(channel: Channel) -> Viewer {
    let mut v = Viewer::open(config(), channel);
    v.until(60);
    v
}

fn whole(v: &mut Viewer) {
    assert!(v.is_seamless(0) && v.is_seamless(1), "{:?}", v.events);
    assert!(v.fragments(0).len() > 25 && !v.has(EventKind::Gap), "{:?}", v.events);
}

#[test]
fn status_200_is_played() {
    let mut v = played(Channel::new());
    whole(&mut v);
    assert_eq!(v.session().stats().http_errors, 0);
}

#[test]
fn status_412_is_waited_for_and_is_no_failure() {
    let mut v = played(answering(NEXT, 1, Answer::Status(412)));
    whole(&mut v);
    let waits = v.all(EventKind::NotYet);
    assert_eq!(waits.len(), 1);
    // Half a fragment, give or take a fifth.
    assert!((800_000..=1_200_000).contains(&waits[0].b), "{waits:?}");
    let stats = v.session().stats();
    assert_eq!((stats.http_errors, stats.not_yet, stats.gaps), (0, 1, 0));
    assert!(!v.has(EventKind::Switch) && !v.has(EventKind::Retry));
}

#[test]
fn status_412_never_changes_the_level() {
    let mut channel = answering("(video=", 0, Answer::Status(412));
    channel.script =
        Some(Box::new(|path, _, nth| (path.contains("video=13") && nth <= 2).then_some(Answer::Status(412))));
    let config = Config { fixed_bitrate: 0, start_bitrate: 1_000_000, min_bitrate: 0, ..config() };
    let mut v = Viewer::open(config, channel);
    v.until(40);
    let levels: Vec<String> = v.channel().asked("video=13").into_iter().map(|(_, p, _)| p).collect();
    // Every fragment that was early is asked for at one level.
    for path in &levels {
        let start = path.split_once('=').unwrap().1;
        assert!(levels.iter().filter(|p| p.ends_with(start)).all(|p| p == path), "{levels:?}");
    }
}

#[test]
fn status_412_for_long_reads_the_manifest_and_tells() {
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        for p in t.pieces.iter_mut().filter(|p| p.start >= 140 * SECOND) {
            p.there += 60_000_000;
        }
    }
    let mut v = Viewer::open(config(), channel);
    v.until(150);
    assert!(v.has(EventKind::StalledAtEdge) && v.has(EventKind::EdgeMoving), "{:?}", v.events);
    let reads = v.all(EventKind::Refreshed);
    assert!(reads.iter().any(|e| e.a == RefreshReason::Stalled as u64), "{reads:?}");
    // Not more often than each ten seconds in the end, and no try more often than about one a fragment.
    assert!((2..=12).contains(&v.channel().asked("Manifest").len()), "{:?}", v.channel().asked("Manifest"));
    assert!(v.channel().count(412) < 100, "{}", v.channel().count(412));
    assert!(v.is_seamless(0) && v.is_seamless(1));
    assert!(!v.has(EventKind::Gap));
}

#[test]
fn status_404_near_the_edge_is_taken_for_412() {
    let mut v = played(answering(NEXT, 3, Answer::Status(404)));
    whole(&mut v);
    assert_eq!(v.all(EventKind::NotYet).len(), 3);
    assert_eq!(v.channel().asked("Manifest").len(), 1);
}

#[test]
fn status_404_of_what_is_listed_reads_the_manifest_once_then_is_a_gap() {
    let mut channel = answering(LISTED, 99, Answer::Status(404));
    channel.dvr = 120;
    let mut v = Viewer::open(config(), channel);
    v.until(40);
    let at = v.at();
    v.session().seek(at, seconds(118)).unwrap();
    v.player.decoder().samples.clear();
    v.until(70);
    assert!(!matches!(v.session().state(), State::Failed(_)));
    assert_eq!(v.channel().asked("Manifest").len(), 2);
    assert_eq!(v.all(EventKind::Refreshed)[0].a, RefreshReason::Missing as u64);
    assert!(v.channel().asked(LISTED).len() <= 3, "{:?}", v.channel().asked(LISTED));
    let gaps = v.all(EventKind::Gap);
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].a, gaps[0].b, gaps[0].http_status), (2_000_000, 120 * SECOND, 404));
    assert!(!v.fragments(0).contains(&(120 * SECOND)) && v.fragments(0).contains(&(122 * SECOND)));
    assert!(v.is_seamless(1));
}

#[test]
fn status_410_is_not_asked_for_again_before_the_manifest_was_read() {
    let mut v = played(answering(NEXT, 99, Answer::Status(410)));
    let asked = v.channel().asked(NEXT);
    let read = v.channel().asked("Manifest");
    assert!(read.len() >= 2 && asked[1].0 > read[1].0, "{asked:?} {read:?}");
    assert_eq!(v.all(EventKind::Gap).len(), 1);
    assert!(v.fragments(0).contains(&(132 * SECOND)));
}

#[test]
fn status_400_is_not_asked_for_again_at_that_level() {
    let mut v = played(answering(NEXT, 99, Answer::Status(400)));
    let asked = v.channel().asked(NEXT);
    assert!(asked.len() <= 2, "{asked:?}");
    assert_eq!(v.all(EventKind::Gap).len(), 1);
    assert_eq!(v.channel().asked("Manifest").len(), 1);
}

#[test]
fn status_403_reads_the_manifest_at_its_first_address_once() {
    let mut v = played(answering(NEXT, 1, Answer::Status(403)));
    whole(&mut v);
    assert_eq!(v.all(EventKind::Refreshed)[0].a, RefreshReason::Forbidden as u64);
    assert_eq!(v.channel().asked(NEXT).len(), 2);

    let mut v = played(answering(NEXT, 99, Answer::Status(403)));
    assert_eq!(v.channel().asked("Manifest").len(), 2);
    let gaps = v.all(EventKind::Gap);
    assert_eq!((gaps.len(), gaps[0].http_status), (1, 403));
}

#[test]
fn status_403_for_ever_is_one_fatal_error() {
    let mut v = Viewer::open(config(), answering("/Fragments(", u32::MAX, Answer::Status(403)));
    v.until(300);
    assert!(
        matches!(v.session().state(), State::Failed(e) if e.code == Code::HttpStatus),
        "{:?}",
        v.session().state()
    );
    assert_eq!(v.all(EventKind::Failed).len(), 1);
}

#[test]
fn status_415_is_taken_for_412() {
    let mut v = played(answering(NEXT, 2, Answer::Status(415)));
    whole(&mut v);
    assert_eq!(v.all(EventKind::NotYet).len(), 2);
}

#[test]
fn status_416_says_nothing_of_the_next_fragment() {
    // No range is ever asked for; what a proxy makes of it is one lost fragment.
    let mut v = played(answering(NEXT, 99, Answer::Status(416)));
    assert!(v.fragments(0).contains(&(132 * SECOND)));
    assert_eq!(v.all(EventKind::Gap).len(), 1);
}

#[test]
fn statuses_408_429_and_5xx_are_tried_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let mut v = played(answering(NEXT, 3, Answer::Status(status)));
        whole(&mut v);
        let waits = v.all(EventKind::Retry);
        assert_eq!(waits.len(), 3, "{status}");
        assert!(waits[0].b <= 240_000 && waits[1].b > waits[0].b && waits[2].b > waits[1].b, "{waits:?}");
    }
}

#[test]
fn one_fragment_that_is_always_500_is_a_gap() {
    let mut v = played(answering(NEXT, 99, Answer::Status(500)));
    assert!(v.fragments(0).contains(&(132 * SECOND)), "{:?}", v.events);
    assert_eq!(v.all(EventKind::Gap).len(), 1);
}

#[test]
fn time_outs_are_tried_again() {
    let mut v = Viewer::open(config(), answering(NEXT, 1, Answer::Silence));
    v.until(90);
    assert!(v.is_seamless(0) && !v.has(EventKind::Gap), "{:?}", v.events);
    assert_eq!(v.channel().asked(NEXT).len(), 2);
}

#[test]
fn an_origin_that_is_away_for_a_minute_loses_nothing_that_it_still_has() {
    for answer in [Answer::Status(503), Answer::Fail(Code::Connect), Answer::Silence] {
        let mut channel = Channel::new();
        channel.dvr = 120;
        let mut v = Viewer::open(
            config(),
            channel
                .scripted(move |_, now, _| (20_000_000..80_000_000).contains(&now).then(|| answer.clone())),
        );
        v.until(100);
        assert!(!v.has(EventKind::Failed) && !v.has(EventKind::Gap), "{:?}", v.events);
        assert!(v.has(EventKind::Stalled) && v.has(EventKind::Resumed));
        v.until(160);
        assert!(v.is_seamless(0) && v.is_seamless(1), "{:?}", v.events);
        // After it, no more than a quarter faster than in real time.
        let after: Vec<u64> =
            v.channel().asked("(video=").iter().map(|a| a.0).filter(|at| *at > 80_000_000).collect();
        assert!(after[0] < 94_000_000);
        // But for one, where it has caught up.
        assert!(after.windows(2).filter(|w| w[1] - w[0] < 1_500_000).count() <= 1, "{after:?}");
    }
}

#[test]
fn redirects_are_followed_by_the_host_and_fragments_with_them() {
    let mut v = played(Channel::new().scripted(|path, _, _| {
        (path == "Manifest").then_some(Answer::Elsewhere("http://edge7.test/live/channel.isml/Manifest"))
    }));
    whole(&mut v);
}

#[test]
fn a_page_instead_of_a_fragment_is_looked_at_twice() {
    let page = b"<html><body>Log in</body></html>".to_vec();
    let mut v = played(answering(NEXT, 1, Answer::Body(page.clone())));
    whole(&mut v);
    let mut v = played(answering(NEXT, 99, Answer::Body(page)));
    assert_eq!(v.channel().asked(NEXT).len(), 2);
    assert_eq!(v.all(EventKind::Gap).len(), 1);
    let mut v = played(answering(NEXT, 1, Answer::Body(Vec::new())));
    whole(&mut v);
}
