#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;
use common::live::*;
use smoothcore::io::EventKind;
#[test]
fn dbg() {
    let odd: Vec<u64> = (0..300u64).map(|n| 10_000_000 + n * 7_654_321 % 20_000_000).collect();
    let mut channel = Channel::new();
    channel.dvr = 0;
    channel.tracks[0].pieces = lengths(SECOND, 5 * SECOND, &odd, 20);
    let mut v = Viewer::open(config(), channel);
    v.until(100);
    for p in &v.channel().tracks[0].pieces[14..30] {
        println!("{p:?}");
    }
    println!("{:?}", v.session().live());
    for e in v
        .events
        .iter()
        .filter(|e| e.stream.is_none_or(|s| s.0 == 0) || matches!(e.kind, EventKind::Stalled))
        .take(50)
    {
        println!("{e:?}");
    }
}
