use super::*;
use crate::time::{Instant, Micros};

const LADDER: &[u32] = &[64_000, 128_000, 256_000, 512_000];

fn at(rate: Option<u64>, current: Option<usize>, buffer_ms: u64) -> (usize, Reason) {
    Controller::new(0).choose(&Situation {
        bitrates: LADDER,
        current,
        rate,
        buffer: Micros::from_millis(buffer_ms),
        buffer_target: Micros::from_secs(20),
        duration: Micros::from_secs(2),
    })
}

#[test]
fn starts_low_and_climbs_one_step_at_a_time() {
    assert_eq!(at(None, None, 0), (0, Reason::Start));
    assert_eq!(at(Some(10_000_000), Some(0), 1_000), (0, Reason::Rate), "not before one fragment is ahead");
    assert_eq!(at(Some(10_000_000), Some(0), 3_000), (1, Reason::Rate));
    assert_eq!(at(Some(10_000_000), Some(2), 15_000), (3, Reason::Rate));
}

#[test]
fn falls_at_once_on_a_thin_buffer_and_bridges_on_a_full_one() {
    assert_eq!(at(Some(150_000), Some(3), 2_000), (0, Reason::Rate));
    assert_eq!(at(Some(300_000), Some(3), 15_000), (3, Reason::Buffer));
    assert_eq!(at(Some(100_000), Some(3), 15_000), (0, Reason::Rate), "no bridge over a dead link");
}

#[test]
fn fixed_and_start_bitrates_pick_the_level_at_or_below() {
    let s = Situation {
        bitrates: LADDER,
        current: None,
        rate: None,
        buffer: Micros(0),
        buffer_target: Micros::from_secs(20),
        duration: Micros::from_secs(2),
    };
    assert_eq!(Controller::fixed(300_000).choose(&s), (2, Reason::Fixed));
    assert_eq!(Controller::fixed(1).choose(&s), (0, Reason::Fixed));
    assert_eq!(Controller::new(128_000).choose(&s), (1, Reason::Start));
}

#[test]
fn parallel_exchanges_count_the_link_once() {
    let mut t = Throughput::new();
    assert_eq!(t.rate(), None);
    t.begin(Instant(0));
    t.begin(Instant(0));
    t.bytes(125_000);
    t.bytes(125_000);
    t.end(Instant(1_000_000));
    t.end(Instant(1_000_000));
    assert_eq!(t.rate(), Some(2_000_000));
}

#[test]
fn idle_time_is_no_rate() {
    let mut t = Throughput::new();
    for start in [0u64, 10_000_000] {
        t.begin(Instant(start));
        t.bytes(125_000);
        t.end(Instant(start + 1_000_000));
    }
    assert_eq!(t.rate(), Some(1_000_000));
}
