use super::*;

#[test]
fn starts_at_the_lowest_and_settles_on_what_the_link_carries() {
    let mut ride = Ride::new(&setup());
    assert_eq!(ride.fragment(1_200, &[], 0).reason, Reason::Start);
    assert_eq!(ride.levels, [0]);
    for _ in 0..60 {
        assert_eq!(ride.fragment(1_200, &[], 0).reason, Reason::Plan);
    }
    // 991 fits into 1,200 and 1,427 does not.
    assert!(ride.levels[40..].iter().all(|l| (4..=5).contains(l)), "{:?}", ride.levels);
    assert_eq!(ride.stalled, 0);
}

#[test]
fn falls_when_the_link_does() {
    let mut ride = Ride::new(&setup());
    for _ in 0..40 {
        ride.fragment(3_500, &[], 0);
    }
    assert!(ride.levels[39] >= 6, "{:?}", ride.levels);
    for _ in 0..20 {
        ride.fragment(400, &[], 0);
    }
    assert!(ride.levels[50..].iter().all(|l| *l <= 2), "{:?}", ride.levels);
}

#[test]
fn closed_levels_are_never_chosen() {
    let mut ride = Ride::new(&setup());
    let closed = Choice { open: false, ..Choice::OPEN };
    let mut choices = [Choice::OPEN; 8];
    for i in [0, 3, 6, 7] {
        choices[i] = closed;
    }
    for _ in 0..60 {
        ride.fragment(4_000, &choices, 0);
    }
    assert!(ride.levels.iter().all(|l| [1, 2, 4, 5].contains(l)), "{:?}", ride.levels);
    assert_eq!(ride.levels[59], 5);
    // A mask that closes the level in use counts at once.
    choices[5] = closed;
    ride.fragment(4_000, &choices, 0);
    assert_eq!(ride.levels[60], 4);
}

#[test]
fn sound_takes_its_share_of_the_link() {
    let alone = {
        let mut ride = Ride::new(&setup());
        (0..60).for_each(|_| _ = ride.fragment(1_700, &[], 0));
        ride.levels[59]
    };
    let mut ride = Ride::new(&setup());
    for _ in 0..60 {
        ride.fragment(1_700, &[], 600_000);
    }
    assert!(ride.levels[59] < alone, "{alone} {:?}", ride.levels);
    assert_eq!(ride.stalled, 0);
}

#[test]
fn a_level_whose_buffer_cannot_be_held_is_used_with_care() {
    // A single fragment of the higher levels fits the budget, so that any pause in the link is a stall.
    let mut choices = [Choice::OPEN; 8];
    for choice in &mut choices[5..] {
        choice.reach = Micros::from_secs(3);
    }
    let mut ride = Ride::new(&setup());
    let mut free = Ride::new(&setup());
    for i in 0..80u64 {
        let kbps = if i % 4 == 3 { 900 } else { 2_600 };
        ride.fragment(kbps, &choices, 0);
        free.fragment(kbps, &[], 0);
    }
    let high = |levels: &[usize]| levels[20..].iter().filter(|l| **l >= 5).count();
    assert!(high(&ride.levels) < high(&free.levels), "{:?} {:?}", ride.levels, free.levels);
}

#[test]
fn a_prior_starts_higher_unless_it_is_old() {
    let mut first = Ride::new(&setup());
    for _ in 0..20 {
        first.fragment(3_000, &[], 0);
    }
    let prior = first.planner.prior();
    let start = |age: Micros| {
        let mut planner = planner(&setup());
        planner.recall(&Prior { age, ..prior });
        let decision = planner.decide(&moment(0, 0, None));
        (decision.level, decision.reason)
    };
    // Half of 3,000 carries 1,427.
    assert_eq!(start(Micros::from_secs(60)), (5, Reason::Prior));
    assert_eq!(start(Micros::from_secs(600)), (5, Reason::Prior));
    assert_eq!(start(Micros::from_secs(601)), (0, Reason::Start));
    // From flash that lies.
    for (ln_rate, sigma) in
        [(i32::MAX, 1), (i32::MIN, 1), (27 * ONE, 1), (prior.ln_rate, -1), (prior.ln_rate, 3 * ONE)]
    {
        let mut planner = planner(&setup());
        planner.recall(&Prior { ln_rate, sigma, age: Micros(0) });
        assert_eq!(planner.decide(&moment(0, 0, None)).reason, Reason::Start, "{ln_rate} {sigma}");
    }
}

#[test]
fn a_slow_download_is_given_up_four_times_at_most() {
    let mut ride = Ride::new(&setup());
    for _ in 0..40 {
        ride.fragment(3_500, &[], 0);
    }
    let level = ride.levels[39];
    let progress = |elapsed: u64, received: u64| Progress {
        moment: moment(ride.at / 1_000 + elapsed, 6_000u64.saturating_sub(elapsed), Some(level)),
        level,
        total: Some(u64::from(LADDER[level]) / 4),
        received,
        elapsed: Micros::from_millis(elapsed),
        first_byte: Some(Micros::from_millis(50)),
        reconnects: true,
    };
    // As fast as ever: goes on. Nearly dead: gives way. Nearly done: goes on.
    let (fast, dead) = (progress(400, 150_000), progress(4_000, 20_000));
    let done = progress(4_000, u64::from(LADDER[level]) / 5);
    assert_eq!(ride.planner.abandon(&fast), None);
    assert_eq!(ride.planner.abandon(&done), None);
    let to = ride.planner.abandon(&dead).unwrap();
    assert!(to < level, "{to}");
    let again = Moment { abandoned: Some(level), ..dead.moment };
    let decision = ride.planner.decide(&again);
    assert!(decision.level < level && decision.reason == Reason::Abandoned, "{decision:?}");
    assert!(ride.planner.abandon(&dead).is_some());
    let more = (0..10).filter(|_| ride.planner.abandon(&dead).is_some()).count();
    assert_eq!(more, 2, "four times a fragment at most");
}

#[test]
fn low_fragments_are_fetched_again_when_the_link_has_got_better() {
    let mut ride = Ride::new(&setup());
    for _ in 0..12 {
        ride.fragment(500, &[], 0);
    }
    let held = [2, 2, 2, 2, 2].map(|level| Held { level, due: Micros(0) });
    let held: std::vec::Vec<Held> = held
        .iter()
        .enumerate()
        .map(|(i, h)| Held { due: Micros::from_secs(4 + 2 * i as u64), ..*h })
        .collect();
    let full = Moment { last: Some(2), ..moment(ride.at / 1_000, 16_000, Some(2)) };
    assert_eq!(ride.planner.replace(&full, Some(2), &held), None, "the link carries no more");
    for i in 0..8u64 {
        let at = ride.at + i * 2_000_000;
        ride.planner.sample(1_000_000, Micros::from_millis(800), Micros::from_millis(50), Instant(at));
    }
    let found = ride.planner.replace(&full, Some(2), &held).unwrap();
    assert!(found.level > 2 && found.index < held.len(), "{found:?}");
}

#[test]
fn resolution_groups_are_crossed_seldom() {
    let groups = [0, 0, 0, 0, 1, 1, 1, 1];
    let crossings = |groups: &'static [u16]| {
        let mut ride = Ride::new(&Setup { groups, ..setup() });
        for i in 0..200u64 {
            ride.fragment(if i / 3 % 2 == 0 { 600 } else { 1_400 }, &[], 0);
        }
        ride.levels.windows(2).filter(|p| (p[0] < 4) != (p[1] < 4)).count()
    };
    static GROUPS: [u16; 8] = [0, 0, 0, 0, 1, 1, 1, 1];
    assert_eq!(groups, GROUPS);
    let (free, grouped) = (crossings(&[]), crossings(&GROUPS));
    assert!(grouped < free || free == 0, "{grouped} of {free}");
    assert!(grouped <= 200 * 2 / 10, "at most one in ten seconds");
}

/// Two hundred fragments over 1.2 Mbit/s to the end, with a standstill of half a minute before those of `broken`.
fn to_the_end(broken: &[u32]) -> Ride {
    let mut ride = Ride::new(&setup());
    ride.remaining = 200;
    for n in 0..200 {
        ride.fragment(if broken.contains(&n) { 40 } else { 1_200 }, &[], 0);
    }
    ride
}

#[test]
fn the_buffer_is_spent_on_the_end_unless_the_link_stood_still_before() {
    let (never, once, twice) = (to_the_end(&[]), to_the_end(&[60]), to_the_end(&[60, 90]));
    assert!(never.buffer + 4_000_000 < twice.buffer, "{} {}", never.buffer, twice.buffer);
    assert!(once.buffer + 4_000_000 < twice.buffer, "{} {}", once.buffer, twice.buffer);
    assert_eq!(never.stalled, 0);
    assert!(once.stalled > 0 && twice.stalled > once.stalled, "those were outages");
}

#[test]
fn how_long_outages_last_is_learned_within_limits() {
    let t = Tuning::default();
    let mut planner = planner(&setup());
    let mut at = 0;
    let mut fetch = |took: u64| {
        at += took;
        planner.sample(200_000, Micros::from_secs(took), Micros(0), Instant(at * 1_000_000));
        planner.rate.lasted()
    };
    assert_eq!((0..10).map(|_| fetch(1)).last(), Some(t.outage_ms), "nothing has broken");
    let after: std::vec::Vec<i32> = [11, 40, 40, 600]
        .into_iter()
        .map(|took| {
            let lasted = fetch(took);
            (0..10).for_each(|_| _ = fetch(1));
            lasted
        })
        .collect();
    assert_eq!(after[0], t.outage_ms, "a short one is thought as long as the shortest");
    assert!(after[0] < after[1] && after[1] < after[2] && after[2] < 40_000, "{after:?}");
    assert!(after[3] < 60_000, "one of minutes says little: {after:?}");
}

/// A link of 100 Mbit/s, and ladders of a factor of 40, 80 and 390.
#[test]
fn the_top_level_is_reached_on_a_fast_link_however_wide_the_ladder() {
    const MANY: [u32; 17] = [
        200_000, 252_000, 317_000, 399_000, 503_000, 634_000, 798_000, 1_004_000, 1_265_000, 1_593_000,
        2_005_000, 2_525_000, 3_180_000, 4_005_000, 5_044_000, 6_352_000, 8_000_000,
    ];
    const MIDDLE: [u32; 11] = [
        100_000, 155_000, 240_000, 372_000, 577_000, 894_000, 1_386_000, 2_148_000, 3_330_000, 5_161_000,
        8_000_000,
    ];
    const FEW: [u32; 5] = [64_000, 284_000, 1_265_000, 5_623_000, 25_000_000];
    for bitrates in [&MANY[..], &MIDDLE, &FEW] {
        let mut planner = planner(&Setup { bitrates, ..setup() });
        let mut last = None;
        for n in 0..60u64 {
            let decision = planner.decide(&moment(n * 2_000, (n * 2_000).min(18_000), last));
            let bytes = u64::from(bitrates[decision.level]) / 4;
            planner.sample(bytes, Micros(bytes * 8 / 100), Micros(20_000), Instant(n * 2_000_000));
            planner.size(decision.level, DURATION, bytes);
            last = Some(decision.level);
        }
        assert_eq!(last, Some(bitrates.len() - 1), "of {} levels", bitrates.len());
    }
}

/// The session decides anew every half second while a decision waits for room.
#[test]
fn a_crossing_that_waits_for_room_is_not_taken_back() {
    let mut planner = planner(&Setup { groups: &[0, 0, 0, 0, 1, 1, 1, 1], ..setup() });
    for n in 0..20u64 {
        planner.sample(2_000_000, Micros::from_secs(2), Micros(50_000), Instant(n * 2_000_000));
    }
    let levels =
        [40_000, 40_500, 41_000, 41_500].map(|ms| planner.decide(&moment(ms, 12_000, Some(3))).level);
    assert!(levels.iter().all(|l| *l >= 4), "{levels:?}");
}
