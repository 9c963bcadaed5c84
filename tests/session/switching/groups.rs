//! Bitrate switching for decoders that cannot change the size of pictures without a break, in virtual time.

use super::{LADDER, config};
use crate::movie::Movie;
use crate::viewer::Viewer;
use smoothcore::io::{DecoderTraits, Event, Framing, StreamId};
use smoothcore::session::Config;
use smoothcore::time::Micros;

/// Two levels of each size.
const SIZES: [(u32, u32); 6] = [(256, 144), (256, 144), (640, 360), (640, 360), (1280, 720), (1280, 720)];

fn movie() -> Movie {
    Movie { pictures: SIZES.to_vec(), ..Movie::even(&LADDER, 2_000, 120) }
}

/// Plays over a link of seconds and kbit/s.
fn play(flags: u32, steps: &[(u64, u64)]) -> Viewer {
    let decoder = DecoderTraits { framing: Framing::LengthPrefixed, flags };
    let viewer = super::play(Config { decoder, ..config() }, movie(), steps);
    assert_eq!(viewer.shown.len(), 120);
    viewer
}

fn group(bitrate: u32) -> usize {
    LADDER.iter().position(|b| *b == bitrate).unwrap() / 2
}

/// Where in the media, in seconds, pictures change their size.
fn crossings(viewer: &Viewer) -> Vec<u64> {
    let pairs = viewer.shown.windows(2).filter(|w| group(w[0].bitrate) != group(w[1].bitrate));
    pairs.map(|w| w[1].start / 10_000_000).collect()
}

/// A link that swings about what one size and the next one need.
fn swinging() -> Vec<(u64, u64)> {
    (0..40).map(|n| (8, [2_200, 5_500, 3_000, 7_000][n % 4])).collect()
}

#[test]
fn a_decoder_that_cannot_resize_seldom_sees_another_size() {
    let (any, fixed) = (play(DecoderTraits::SEAMLESS_RESIZE, &swinging()), play(0, &swinging()));
    let (free, bound) = (crossings(&any), crossings(&fixed));
    assert!(free.len() >= 6, "the link is one that would change sizes: {free:?}");
    assert!(bound.len() * 3 <= free.len() * 2, "{bound:?} of {free:?}");
    assert_eq!(fixed.session.stats().stalls, 0);
}

#[test]
fn a_size_once_changed_stays_for_ten_seconds_while_there_is_a_buffer() {
    let viewer = play(0, &swinging());
    let decisions: Vec<&Event> =
        viewer.events.iter().filter(|e| e.decided().is_some() && e.stream == Some(StreamId(0))).collect();
    let mut crossed = None;
    let mut count = 0;
    for pair in decisions.windows(2) {
        let (before, now) = (pair[0].decided().unwrap(), pair[1].decided().unwrap());
        if group(before.bitrate) == group(now.bitrate) {
            continue;
        }
        count += 1;
        if let Some(last) = crossed
            && now.buffer_ms > 4_000
            && group(now.bitrate) != 0
        {
            assert!(pair[1].at.since(last) >= Micros::from_secs(10), "{now:?} at {:?}", pair[1].at);
        }
        crossed = Some(pair[1].at);
    }
    assert!(count >= 1, "from the smallest to a larger one at least");
}

#[test]
fn a_decoder_that_cannot_resize_still_gets_the_best_that_a_link_carries_and_gives_way_to_a_bad_one() {
    let viewer = play(0, &[(60, 20_000), (600, 700)]);
    let best = viewer.shown.iter().filter(|s| s.bitrate == LADDER[5]).count();
    assert!(best >= 20, "{best} fragments of the top level");
    // At the very end the buffer is spent.
    let late = &viewer.shown[85..105];
    assert!(late.iter().all(|s| group(s.bitrate) == 0), "{late:?}");
}
