use super::*;

/// A link that walks, leaps and breaks off, from nothing but integers.
fn kbps(n: u64) -> u64 {
    let wave = n.wrapping_mul(2_654_435_761) >> 7;
    match n % 40 {
        30..=32 => 90,
        _ if (n / 60).is_multiple_of(2) => 500 + wave % 900,
        _ => 1_500 + wave % 4_000,
    }
}

/// FNV-1a, so that one number stands for the log.
fn hash(log: &[u64]) -> u64 {
    log.iter()
        .flat_map(|n| n.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_log_of_a_ride_is_always_the_same() {
    let mut log = std::vec::Vec::new();
    for (objective, table_bytes) in
        [(Objective::Log, TABLE_BYTES), (Objective::Linear, TABLE_BYTES), (Objective::Log, 0)]
    {
        let mut ride = Ride::new(&Setup { objective, table_bytes, ..setup() });
        for n in 0..240 {
            let decision = ride.fragment(kbps(n), &[], 64_000 * (n / 100 % 2));
            log.extend([decision.level as u64, decision.rate, u64::from(decision.sigma_milli)]);
        }
    }
    let mut planner = planner(&setup());
    for n in 0..240u64 {
        let level = log[n as usize * 3] as usize;
        planner.sample(kbps(n) * 100, Micros::from_millis(800), Micros(40_000), Instant(n * 1_000_000));
        let at = moment(n * 1_000, n % 20 * 1_000, Some(level));
        let held = [Held { level: 1, due: Micros::from_secs(5) }, Held { level, due: Micros::from_secs(7) }];
        let found = planner.replace(&at, Some(0), &held);
        log.push(found.map_or(99, |r| (r.index * 10 + r.level) as u64));
        let up = planner.abandon(&Progress {
            moment: at,
            level: 7,
            total: None,
            received: n * 500,
            elapsed: Micros::from_millis(n * 20),
            first_byte: Some(Micros(30_000)),
            reconnects: n % 2 == 0,
        });
        log.push(up.map_or(99, |l| l as u64));
        planner.decide(&at);
    }
    assert_eq!(log.len(), 3 * 240 * 3 + 480);
    assert_eq!(hash(&log), GOLDEN, "every change of a choice changes this number, on all targets alike");
}

const GOLDEN: u64 = 10_611_545_257_632_957_237;
