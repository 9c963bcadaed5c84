use super::*;

#[test]
fn memory_is_taken_once_and_given_back() {
    let mut account = Account::new(1 << 20);
    let mut planner = Planner::new(&mut account, &setup()).unwrap();
    let held = account.held();
    assert!(planner.table_bytes() > 0 && planner.table_bytes() <= TABLE_BYTES);
    assert!(held >= planner.table_bytes() && held < planner.table_bytes() + 1_024, "{held}");
    planner.decide(&moment(0, 0, None));
    planner.free(&mut account);
    assert_eq!(account.held(), 0);
}

#[test]
fn tables_keep_within_their_cap_for_every_ladder() {
    for levels in 1..=30u32 {
        let bitrates: std::vec::Vec<u32> = (1..=levels).map(|i| i * 200_000).collect();
        let planner = planner(&Setup { bitrates: &bitrates, ..setup() });
        assert!(planner.table_bytes() <= TABLE_BYTES, "{levels}");
        assert_eq!(planner.table_bytes() == 0, levels as usize > MOST_LEVELS, "{levels}");
    }
}

#[test]
fn without_room_for_tables_the_small_rule_plans() {
    let mut account = Account::new(2_000);
    let mut planner = Planner::new(&mut account, &setup()).unwrap();
    assert_eq!(planner.table_bytes(), 0);
    let mut ride = Ride::new(&Setup { table_bytes: 0, ..setup() });
    for _ in 0..60 {
        ride.fragment(1_200, &[], 0);
    }
    assert!(ride.levels[30..].iter().all(|l| (3..=5).contains(l)), "{:?}", ride.levels);
    assert_eq!(ride.stalled, 0);
    planner.free(&mut account);
    assert!(Planner::new(&mut Account::new(50), &setup()).is_err());
}

#[test]
fn nonsense_is_refused_or_survived() {
    let mut account = Account::new(1 << 20);
    for bitrates in [&[][..], &[500_000, 200_000]] {
        assert!(Planner::new(&mut account, &Setup { bitrates, ..setup() }).is_err());
    }
    for bitrates in [&[0, 0][..], &[0, u32::MAX], &[7], &[1_000_000, 1_000_000], &[u32::MAX, u32::MAX]] {
        for objective in [Objective::Log, Objective::Linear] {
            for micros in [0, 1, 2_000_000, u64::MAX] {
                let duration = Micros(micros);
                let buffer = Micros(micros.saturating_mul(3));
                let mut planner = planner(&Setup { bitrates, objective, duration, buffer, ..setup() });
                for n in [0u64, 1, 5_000, u64::MAX] {
                    planner.sample(n, Micros(n), Micros(n), Instant(n));
                    planner.size(0, Micros(n), n);
                    let closed = [Choice { open: false, reach: Micros(n) }; 2];
                    let moment = Moment {
                        at: Instant(n),
                        buffer: Micros(n),
                        buffer_target: Micros(n),
                        duration: Micros(n),
                        remaining: Some(n as u32),
                        last: Some(n as usize),
                        others: n,
                        abandoned: None,
                        choices: if n == 1 { &closed } else { &[] },
                    };
                    assert!(planner.decide(&moment).level < bitrates.len());
                    let held = [Held { level: 0, due: Micros(n) }; 3];
                    let _ = planner.replace(&moment, Some(n as usize), &held);
                    let _ = planner.abandon(&Progress {
                        moment,
                        level: 1,
                        total: Some(n),
                        received: n / 2,
                        elapsed: Micros(n),
                        first_byte: None,
                        reconnects: true,
                    });
                }
            }
        }
    }
}

#[test]
fn stalls_dearer_than_a_table_holds_are_as_dear_as_it_holds() {
    let setup = Setup {
        bitrates: &[1_000_000, 1_020_000],
        duration: Micros::from_secs(60),
        buffer: Micros::from_secs(310),
        ..setup()
    };
    let mut planner = planner(&setup);
    planner.sample(7_500_000, Micros::from_secs(30), Micros(50_000), Instant(30_000_000));
    let at =
        Moment { buffer_target: setup.buffer, duration: setup.duration, ..moment(30_000, 240_000, Some(0)) };
    assert_eq!(planner.decide(&at).level, 1);
}
