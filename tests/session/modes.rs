//! One script, three driving modes, one sample log.

use crate::common::{Link, Mode, Origin, Recorder, play};
use smoothcore::io::EventKind;
use smoothcore::session::{AudioChoice, Config, State};

/// A link that forces the level up and down: bytes per millisecond, 5 s each.
pub const RATES: [u64; 4] = [60, 12, 90, 8];

fn config() -> Config {
    Config { audio: AudioChoice::All, seed: 7, budget: 4 << 20, ..Config::default() }
}

#[test]
fn three_modes_give_the_same_log() {
    let run = |mode| play(mode, config(), Link::new(Origin::testcard(), &RATES), Recorder::new());
    let a = run(Mode::EventLoop);
    assert_eq!(a.state, State::Ended);
    assert_eq!(a.link.balance, 0);
    assert_eq!(a.count(EventKind::Gap), 0);
    assert!(a.stats.switches_up > 0 && a.stats.switches_down > 0, "{:?}", a.stats);
    assert_eq!(a.stats.stalls, 0);
    let b = run(Mode::SansIo);
    assert!(a.decoder.log == b.decoder.log, "sans-IO differs");
    let c = run(Mode::Blocking);
    assert!(a.decoder.log == c.decoder.log, "blocking differs");
    println!("{} lines, {} fragments, stats {:?}", a.decoder.log.lines().count(), a.stats.fragments, a.stats);
}
