//! A start: the clock runs once every stream has its start buffer of media that is shown, not before.

use crate::common::live::{Answer, Channel, SECOND, Viewer, config, lengths, steady};
use smoothcore::io::{EventKind, Rate};
use smoothcore::time::MediaTime;

/// A sound fragment that ends so many ticks behind the start position, and the one after it only from `late` on.
fn channel(behind: u64, late: u64) -> Channel {
    let mut channel = Channel::new();
    // Pictures start at 124 s. One sound fragment begins at 122 s and ends a little behind that; the next ones are of 2 s.
    let mut all = vec![2 * SECOND; 11];
    all.push(2 * SECOND + behind);
    all.extend(vec![2 * SECOND; 200]);
    channel.tracks[1].pieces = lengths(SECOND, 100 * SECOND, &all, 15);
    channel.tracks[1].samples = 20;
    let next = 124 * SECOND + behind;
    channel.scripted(move |path, now, _| {
        // The link carries the fragment that plays first, and is slow with the one behind it.
        (path.ends_with(&format!("(audio={next})")) && now < late).then_some(Answer::Status(412))
    })
}

/// When the clock was first set running, in microseconds.
fn started(v: &mut Viewer) -> u64 {
    let rates = v.player.decoder().rates.clone();
    rates.iter().find(|(_, rate)| *rate != Rate::Hold).expect("it starts").0
}

/// Media of a stream to be shown from `from` on, of the samples taken before `at`.
fn shown(v: &mut Viewer, stream: u16, from: u64, at: u64) -> i64 {
    let decoder = v.player.decoder();
    let taken = decoder.samples.iter().zip(&decoder.taken_at);
    let taken = taken.filter(|(s, when)| s.stream == stream && **when <= at);
    taken.map(|(s, _)| s.pts + s.duration as i64).max().unwrap_or(0) - from as i64
}

#[test]
fn sound_before_the_start_position_is_no_start_buffer() {
    for behind in [SECOND / 10, SECOND / 5, SECOND / 2] {
        let mut v = Viewer::open(config(), channel(behind, 3_000_000));
        v.until(20);
        assert_eq!((v.fragments(0)[0], v.fragments(1)[0]), (124 * SECOND, 122 * SECOND));
        assert!(!v.has(EventKind::Stalled), "{behind}: {:?}", v.events);
        let start = started(&mut v);
        assert!(start >= 3_000_000, "{behind}: started at {start}");
    }
}

#[test]
fn a_start_is_not_put_off_for_longer_than_it_takes() {
    // With 1.2 s of sound behind the position there is enough, whatever becomes of the next fragment.
    let mut v = Viewer::open(config(), channel(6 * SECOND / 5, 2_000_000));
    v.until(20);
    assert!(started(&mut v) < 1_000_000);
    assert!(!v.has(EventKind::Failed));
}

#[test]
fn a_seek_into_a_fragment_waits_for_the_one_behind_it() {
    // 100 ms before the end of a fragment of pictures; its successor takes two seconds.
    let mut channel = Channel::new();
    for t in &mut channel.tracks {
        t.pieces = steady(SECOND, 100 * SECOND, 2 * SECOND, 15, 200);
        t.samples = 20;
    }
    let mut since = None;
    let channel = channel.scripted(move |path, now, _| {
        let hit = path.ends_with("(video=1120000000)") && *since.get_or_insert(now) + 2_000_000 > now;
        hit.then_some(Answer::Status(412))
    });
    let mut v = Viewer::open(config(), channel);
    v.until(5);
    let (at, before) = (v.at(), v.now);
    let to = 112 * SECOND - SECOND / 10;
    v.session().seek(at, MediaTime(to as i64)).unwrap();
    v.more(10);
    let rates = v.player.decoder().rates.clone();
    let (run, _) = *rates.iter().find(|(t, r)| *t > before && *r != Rate::Hold).expect("it goes on");
    for stream in [0, 1] {
        let media = shown(&mut v, stream, to, run);
        assert!(media >= SECOND as i64, "stream {stream}: {media}");
    }
    assert!(run >= before + 2_000_000, "{run}");
    assert!(!v.has(EventKind::Stalled), "{:?}", v.events);
}
