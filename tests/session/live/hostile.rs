//! What an origin may do to a session that follows it: outputs stay bounded, whatever is listed.

use crate::common::live::{Channel, Viewer, config};
use smoothcore::io::StreamId;
use smoothcore::session::Config;

#[test]
fn a_decision_about_sound_for_which_there_is_no_room_is_told_once() {
    // No fragment of either level of sound has room beside another one.
    let mut channel = Channel::new();
    channel.tracks[1].bitrates = vec![40_000_000, 400_000_000];
    let mut v = Viewer::open(Config { fixed_bitrate: 0, ..config() }, channel);
    let mut restricted = 0;
    for _ in 0..2_000 {
        let at = v.at();
        v.player.decoder().advance(v.now);
        let mut events = 0;
        // Endless ones would never let a turn end.
        let turn = v.player.step(at, &mut |_| {
            events += 1;
            assert!(events < 200, "events without end");
        });
        if turn.next != Some(at) {
            v.now += crate::common::live::LOOK;
        }
        // Only the dear level is left for a while; then it is to be changed for the cheap one.
        let mask = match v.now / 1_000_000 {
            1..8 => 2,
            8.. => 3,
            _ => continue,
        };
        if restricted != mask && v.session().restrict(at, StreamId(1), mask).is_ok() {
            restricted = mask;
        }
    }
    assert_eq!(restricted, 3);
}
