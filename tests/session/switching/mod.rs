//! Bitrate switching, over presentations without bytes and a link of seconds and kbit/s.

mod decisions;
mod groups;
#[cfg(feature = "live")]
mod live;

use std::rc::Rc;

use crate::movie::{Movie, Period};
use crate::pipe::Pipe;
use crate::viewer::{Viewer, run};
use smoothcore::io::{DecoderTraits, EventKind, Framing};
use smoothcore::session::Config;

const SECOND: u64 = 1_000_000;
const LADDER: [u32; 6] = [300_000, 600_000, 1_200_000, 2_400_000, 4_000_000, 6_000_000];

fn config() -> Config {
    Config {
        budget: 32 << 20,
        seed: 1,
        decoder: DecoderTraits { framing: Framing::LengthPrefixed, flags: DecoderTraits::SEAMLESS_RESIZE },
        ..Config::default()
    }
}

/// Seconds and kbit/s.
fn trace(steps: &[(u64, u64)]) -> Vec<Period> {
    let period = |(seconds, kbps): &(u64, u64)| Period {
        micros: seconds * SECOND,
        rate: *kbps as f64 * 1e3,
        latency: 50_000,
    };
    steps.iter().map(period).collect()
}

fn play_with(
    config: Config,
    movie: Movie,
    steps: &[(u64, u64)],
    mut each: impl FnMut(u64, &mut Viewer),
) -> Viewer {
    let mut viewers = [Viewer::new(0, Rc::new(movie), config, SECOND)];
    let mut pipe = Pipe::new(&trace(steps));
    run(&mut viewers, &[0], &mut pipe, 3_600 * SECOND, |now, v| each(now, &mut v[0]));
    let [viewer] = viewers;
    assert!(viewer.end().is_some(), "played to its end: {:?}", viewer.session.state());
    assert_eq!(count(&viewer, EventKind::Gap), 0);
    viewer
}

fn play(config: Config, movie: Movie, steps: &[(u64, u64)]) -> Viewer {
    play_with(config, movie, steps, |_, _| {})
}

fn count(viewer: &Viewer, kind: EventKind) -> usize {
    viewer.events.iter().filter(|e| e.kind == kind).count()
}
