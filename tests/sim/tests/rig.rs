//! The rig itself: runs repeat, the origin serves what it lists, and the rules notice what they are for.

#![allow(clippy::unwrap_used, clippy::panic)]

use smoothcore::io::RequestKind;
use smoothcore_sim::dice::Dice;
use smoothcore_sim::fault::{Kind, Script};
use smoothcore_sim::media::{Around, Mark, body};
use smoothcore_sim::net::{Happening, Net, Trace, Wire};
use smoothcore_sim::origin::{self, URL};
use smoothcore_sim::scenario::faults::{Fate, Which, one};
use smoothcore_sim::scenario::month::channel;
use smoothcore_sim::show::{Gap, SECOND, Show};

#[test]
fn a_seed_gives_the_same_log_again() {
    for (seed, which) in [(3, Which::Vod), (8, Which::Live), (21, Which::Live)] {
        let logs: Vec<String> = (0..2).map(|_| one(seed, which, None, true).1.log.unwrap()).collect();
        assert!(logs[0].lines().count() > 100);
        assert_eq!(logs[0], logs[1]);
    }
    let (a, b) = (one(8, Which::Live, None, true).1.log, one(10, Which::Live, None, true).1.log);
    assert_ne!(a, b);
}

fn get(show: &Show, wall: u64, url: &str) -> (u16, Vec<u8>) {
    let kind = if url == URL { RequestKind::Manifest } else { RequestKind::Fragment };
    let (answer, _) = origin::answer(show, &Script::default(), wall, url, kind, &mut Dice::new(1));
    (answer.status, answer.body)
}

/// URLs of a stream's fragments as a manifest at that moment lists them, by its `t` attributes.
fn urls(show: &Show, wall: u64, s: usize) -> Vec<String> {
    let text = String::from_utf8(get(show, wall, URL).1).unwrap();
    let stream = text.split("<StreamIndex").nth(s + 1).unwrap();
    let times = stream.split(" t=\"").skip(1).map(|t| t.split('"').next().unwrap());
    let (name, bitrate) = (show.streams[s].name, show.streams[s].bitrates[0]);
    times
        .map(|t| {
            format!("{}QualityLevels({bitrate})/Fragments({name}={t})", URL.trim_end_matches("Manifest"))
        })
        .collect()
}

#[test]
fn what_is_listed_is_served_what_is_to_come_is_412_what_has_left_is_404() {
    let show = channel();
    for wall in [0, 17 * SECOND + 1, 3_600 * SECOND] {
        for s in 0..3 {
            let list = urls(&show, wall, s);
            assert!((27..=31).contains(&list.len()), "a window of a minute: {}", list.len());
            assert!(list.iter().all(|url| get(&show, wall, url).0 == 200));
            // The newest one was not there two fragments ago, and has gone two minutes later.
            assert_eq!(get(&show, wall.saturating_sub(0), list.last().unwrap()).0, 200);
            if wall > 10 * SECOND {
                assert_eq!(get(&show, wall - 4_100_000, list.last().unwrap()).0, 412);
            }
            assert_eq!(get(&show, wall + 120 * SECOND, list.last().unwrap()).0, 404);
            // A tick beside.
            let last = list.last().unwrap().trim_end_matches(')');
            let (head, digits) = last.split_once('=').unwrap();
            let beside = format!("{head}={})", digits.parse::<u64>().unwrap() + 1);
            assert_eq!(get(&show, wall, &beside).0, 404);
        }
    }
}

#[test]
fn samples_say_which_they_are_and_changed_ones_do_not() {
    let show = channel();
    let piece = show.listed(1, 5 * SECOND)[3];
    let bytes = body(&show, 1, 48_000, piece, &Around::default());
    let at = bytes.windows(4).position(|w| w == b"mdat").unwrap() + 4;
    let size = (bytes.len() - at) / 6;
    let mut sample = bytes[at..at + size].to_vec();
    let mark = Mark::read(&show, &sample, &mut Vec::new()).unwrap();
    assert_eq!((mark.stream, mark.index, mark.piece, mark.start), (1, 0, piece, show.start(1, piece)));
    sample[0] ^= 1;
    assert_eq!(Mark::read(&show, &sample, &mut Vec::new()), None);
}

/// A run in which the model of the presentation says something else than what is served.
fn broken_by(change: impl Fn(&mut Show)) -> String {
    let (mut world, mut net) = smoothcore_sim::scenario::faults::world(0, Which::Vod, Some(Kind::Redirect));
    world.open(&mut net, 0);
    smoothcore_sim::world::run(&mut world, &mut net, 2 * SECOND);
    assert_eq!(world.breach, None);
    let mut show = Show::clone(&world.show);
    change(&mut show);
    world.show = std::rc::Rc::new(show);
    smoothcore_sim::world::run(&mut world, &mut net, 200 * SECOND);
    world.breach.unwrap_or_default()
}

#[test]
fn a_time_that_no_fragment_has_is_noticed() {
    let breach = broken_by(|show| show.streams[0].shift += 1);
    assert!(breach.contains("never") || breach.contains("no sample"), "{breach}");
}

#[test]
fn media_of_another_fragment_is_noticed() {
    let breach = broken_by(|show| show.streams[0].bitrates = vec![1]);
    assert!(breach.contains("never listed") || breach.contains("are those of"), "{breach}");
}

#[test]
fn a_fragment_that_vanishes_is_noticed() {
    let breach =
        broken_by(|show| show.gaps.push(Gap { stream: Some(0), run: 0, from: 60 * SECOND, to: 64 * SECOND }));
    assert!(breach.contains("never listed"), "{breach}");
}

#[test]
fn every_kind_of_fault_happens_to_somebody() {
    assert!(Kind::ALL.len() >= 28);
    for kind in Kind::ALL {
        let (fate, world) = one(2, Which::Live, Some(*kind), false);
        assert!(!matches!(fate, Fate::Broken(ref why) if why == "panic"), "{}", kind.name());
        assert_eq!(world.script.kinds, [*kind]);
    }
}

#[test]
fn exchanges_share_a_link_evenly() {
    let answer = |bytes: usize| origin_answer(vec![7; bytes]);
    let mut net = Net::new(Trace::constant(8_000_000), 10_000, &[]);
    net.start(0, 0, 0, smoothcore::io::RequestId(1), answer(1_000_000));
    net.start(0, 1, 0, smoothcore::io::RequestId(2), answer(500_000));
    let mut done = Vec::new();
    while let Some(at) = net.next_time() {
        while let Some((who, _, happening)) = net.pop(at) {
            if let Happening::Done(result) = happening {
                assert_eq!(result, Ok(()));
                done.push((who, at));
            }
        }
    }
    // Half a megabyte each takes a second together; the other half has the link to itself. Heads come after 20 ms.
    assert_eq!(done.iter().map(|d| d.0).collect::<Vec<_>>(), [1, 0]);
    assert!((done[0].1 as i64 - 1_020_000).abs() < 1_000, "{done:?}");
    assert!((done[1].1 as i64 - 1_520_000).abs() < 1_000, "{done:?}");
}

fn origin_answer(body: Vec<u8>) -> smoothcore_sim::net::Answer {
    let length = Some(body.len() as u64);
    smoothcore_sim::net::Answer {
        status: 200,
        body,
        length,
        final_url: String::new(),
        wire: Wire::Whole,
        faulted: false,
    }
}

#[test]
fn a_trace_starts_again_after_its_last_step() {
    let trace = Trace::steps(&[(1_000_000, 10), (500_000, 20)]);
    assert_eq!(trace.at(0), (10, 1_000_000));
    assert_eq!(trace.at(1_200_000), (20, 1_500_000));
    assert_eq!(trace.at(1_500_000), (10, 2_500_000));
}
