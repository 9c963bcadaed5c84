//! A live presentation: followed by what its fragments announce, started near its edge, played to its end.

use crate::common::live::{Channel, SECOND, Viewer, config};
use smoothcore::io::EventKind;
use smoothcore::session::State;

#[test]
fn ten_minutes_on_one_manifest_and_no_early_request() {
    let mut v = Viewer::open(config(), Channel::new());
    v.until(600);
    let log = v.channel().log.clone();
    let bad: Vec<_> = log.iter().filter(|(_, _, status)| *status != 200).collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert_eq!(v.channel().asked("Manifest").len(), 1);
    assert!(!v.has(EventKind::Stalled) && !v.has(EventKind::StalledAtEdge), "{:?}", v.events);
    assert!(v.is_seamless(0) && v.is_seamless(1));
    // Ten minutes less the start, every fragment once.
    let video = v.fragments(0);
    assert!(video.len() >= 298, "{}", video.len());
    assert!(video.windows(2).all(|w| w[1] - w[0] == 2 * SECOND));
}

#[test]
fn it_starts_three_fragments_behind_the_newest() {
    let mut v = Viewer::open(config(), Channel::new());
    v.until(2);
    assert_eq!(v.fragments(0)[0], (130 - 6) * SECOND);
    let sound = v.fragments(1)[0];
    assert!(sound <= 124 * SECOND && sound > 121 * SECOND, "{sound}");
    let live = v.session().live().unwrap();
    // Three fragments of sound are a little longer than 6 s.
    assert!((6_000_000..6_020_000).contains(&live.target_delay.0), "{live:?}");
    assert!((5_700_000..8_500_000).contains(&live.latency.unwrap().0), "{live:?}");
}

#[test]
fn it_ends_when_the_manifest_says_so() {
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        t.pieces.truncate(45);
    }
    channel.is_live = vec![(0, "true"), (80_000_000, "false")];
    let mut v = Viewer::open(config(), channel);
    v.until(200);
    assert_eq!(v.session().state(), State::Ended);
    assert_eq!(v.all(EventKind::LiveEnded).len(), 1);
    assert_eq!(v.fragments(0).last(), Some(&(188 * SECOND)));
    assert!(!v.has(EventKind::Gap), "{:?}", v.events);
}
