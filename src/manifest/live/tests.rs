use super::*;
use std::vec::Vec;

const HNS: TimeScale = TimeScale::HNS;

fn account() -> Account {
    Account::new(1 << 22)
}

fn list(account: &mut Account, all: &[(u64, u64)]) -> Timeline {
    let mut timeline = Timeline::new();
    for (start, duration) in all {
        timeline.push(account, *start, *duration, 1).unwrap();
    }
    timeline
}

fn starts(timeline: &Timeline) -> Vec<u64> {
    timeline.iter().map(|f| f.start).collect()
}

#[test]
fn an_announcement_extends_the_list_and_closes_a_gap_of_rounding() {
    let mut a = account();
    // The last one lasts 40 ticks less than until the next one.
    let mut t = list(&mut a, &[(0, 20_000_000), (20_000_000, 20_019_960)]);
    let learned = t.announce(&mut a, HNS, 40_020_000, 20_000_000).unwrap();
    assert_eq!(learned, Learned::Grown);
    assert_eq!(t.get(1).unwrap().duration, 20_020_000);
    assert_eq!(starts(&t), [0, 20_000_000, 40_020_000]);
    t.free(&mut a);
    assert_eq!(a.held(), 0);
}

#[test]
fn an_announced_time_goes_before_a_computed_one() {
    let mut a = account();
    let mut t = list(&mut a, &[(0, 100), (100, 100), (200, 100), (300, 100)]);
    assert_eq!(t.announce(&mut a, HNS, 203, 100).unwrap(), Learned::Corrected);
    assert_eq!(starts(&t), [0, 100, 203, 300]);
    assert_eq!(t.get(1).unwrap().duration, 103);
    assert_eq!(t.get(2).unwrap().duration, 97);
    assert_eq!(t.announce(&mut a, HNS, 251, 100).unwrap(), Learned::Corrected);
    assert_eq!(starts(&t), [0, 100, 203, 251]);
}

#[test]
fn what_is_listed_is_known() {
    let mut a = account();
    let mut t = list(&mut a, &[(100, 100), (200, 100), (400, 0)]);
    for known in [100, 200, 10] {
        assert_eq!(t.announce(&mut a, HNS, known, 100).unwrap(), Learned::Known);
    }
    // In a hole, and before the end.
    assert_eq!(t.announce(&mut a, HNS, 310, 20).unwrap(), Learned::Known);
    assert_eq!(t.announce(&mut a, HNS, 400, 100).unwrap(), Learned::Corrected);
    assert_eq!(t.last().unwrap().duration, 100);
    assert_eq!(t.announce(&mut a, HNS, 900, 0).unwrap(), Learned::Grown);
    assert_eq!(t.last().map(|f| (f.start, f.duration)), Some((900, 0)));
}

#[test]
fn a_time_far_back_is_left_alone() {
    let mut a = account();
    let mut t = Timeline::new();
    t.push(&mut a, 0, 100, 50).unwrap();
    assert_eq!(t.announce(&mut a, HNS, 1003, 100).unwrap(), Learned::Known);
    assert_eq!(t.announce(&mut a, HNS, 4003, 100).unwrap(), Learned::Corrected);
    assert_eq!(t.len(), 50);
    assert_eq!(t.at_or_before(4003).unwrap().start, 4003);
}

#[test]
fn lists_are_joined() {
    let mut a = account();
    // Known: 0..900; the new list goes from 500 to 700 with other lengths: a stale answer with a moved window.
    for (keep, expected) in [
        (u64::MAX, &[500u64, 605, 700, 800][..]),
        (250, &[200, 300, 400, 500, 605, 700, 800]),
        (0, &[0, 100, 200, 300, 400, 500, 605, 700, 800]),
    ] {
        let mut t = Timeline::new();
        for n in 0..9 {
            // Not one run, so that fragments go one by one.
            t.push(&mut a, n * 100, 99 + n % 2, 1).unwrap();
        }
        let mut newer = list(&mut a, &[(500, 105), (605, 95)]);
        assert_eq!(t.relation(&newer), Relation::Continues);
        t.merge(&mut a, HNS, &mut newer, keep, Tail::Open).unwrap();
        let mut kept = starts(&t);
        // Whole blocks go from the front.
        if keep == 250 {
            kept.retain(|s| *s >= 200);
        }
        assert_eq!(kept, expected);
        t.free(&mut a);
        assert_eq!(a.held(), 0);
    }
}

#[test]
fn a_final_list_ends_what_was_announced() {
    let mut a = account();
    let mut t = list(&mut a, &[(0, 100), (100, 100), (200, 100), (300, 100)]);
    let mut newer = list(&mut a, &[(100, 100), (200, 90)]);
    t.merge(&mut a, HNS, &mut newer, u64::MAX, Tail::Final).unwrap();
    assert_eq!(starts(&t), [100, 200]);
}

#[test]
fn a_list_wholly_before_the_known_one_is_a_restart() {
    let mut a = account();
    let t = list(&mut a, &[(1000, 100), (1100, 100)]);
    assert_eq!(t.relation(&list(&mut a, &[(0, 100), (100, 900)])), Relation::Restarted);
    assert_eq!(t.relation(&list(&mut a, &[(0, 100), (100, 901)])), Relation::Continues);
    assert_eq!(t.relation(&list(&mut a, &[(5000, 100)])), Relation::Continues);
    assert_eq!(t.relation(&Timeline::new()), Relation::Unknown);
}

#[test]
fn times_beyond_2_53_keep_their_last_digit() {
    let mut a = account();
    let start = 17_472_959_488_675_333u64;
    let mut t = list(&mut a, &[(start, 20_000_000)]);
    for n in 1..2_000u64 {
        t.announce(&mut a, HNS, start + n * 20_000_001, 20_000_001).unwrap();
    }
    assert!(t.iter().enumerate().all(|(n, f)| f.start == start + n as u64 * 20_000_001));
}

#[test]
fn lists_of_billions_of_like_fragments_are_joined_as_runs() {
    // `r` says it in ten bytes; whoever looked at each fragment would be at it for minutes.
    const MANY: u32 = 3_000_000_000;
    let mut a = account();
    let mut known = Timeline::new();
    known.push(&mut a, 0, 100, 1_000).unwrap();
    known.push(&mut a, 400_000_000_000, 70, 2_000_000).unwrap();
    let mut newer = Timeline::new();
    newer.push(&mut a, 50_000, 100, MANY).unwrap();
    known.merge(&mut a, HNS, &mut newer, 0, Tail::Open).unwrap();
    assert_eq!(known.len(), 500 + MANY + 2_000_000);
    assert_eq!(known.first().unwrap().start, 0);
    assert_eq!(known.get(499 + MANY).unwrap().start, 49_900 + 100 * u64::from(MANY));
    assert_eq!(known.end(), 400_000_000_000 + 70 * 2_000_000);
    assert_eq!(known.runs_from(0).count(), 2);
    known.forget_before(&mut a, 60_000);
    assert_eq!(known.first().unwrap().start, 60_000);
    assert_eq!(known.len(), MANY - 100 + 2_000_000);
    known.free(&mut a);
    assert_eq!(a.held(), 0);
}
