//! Calls in any order with any numbers: nothing overflows (tests check), and no closed level is chosen.

use super::*;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below.max(1)
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    /// Any magnitude, the extremes often.
    fn wild(&mut self) -> u64 {
        let power = 1u64 << self.roll(64);
        let some = self.roll(600_000_000);
        self.of(&[0, 1, u64::MAX, power, power - 1, some, some, some])
    }

    fn span(&mut self) -> Micros {
        Micros(self.wild())
    }

    fn storm(&mut self, calls: u32) {
        let n = self.of(&[1u64, 2, 3, 10, 11, 16, 17, 24, 25, 70]);
        let (base, width) =
            (self.of(&[0, 1, 200_000, 1 << 20, u32::MAX]), self.of(&[1, 50_000, 3_000_000, 1 << 31]));
        let mut bitrates: std::vec::Vec<u32> =
            (0..n).map(|_| base.saturating_add(self.roll(width) as u32)).collect();
        bitrates.sort_unstable();
        let groups: std::vec::Vec<u16> = (0..n).map(|_| self.roll(3) as u16).collect();
        let groups = if self.roll(2) == 0 { &groups[..] } else { &[] };
        let (duration, buffer) = (self.span(), self.span());
        let objective = self.of(&[Objective::Log, Objective::Linear]);
        let mut p = planner(&Setup { bitrates: &bitrates, groups, duration, buffer, objective, ..setup() });
        let (mut span, mut target) = (duration, buffer);
        for _ in 0..calls {
            if self.roll(30) == 0 {
                (span, target) = (self.span(), self.span());
            }
            let (level, known, shut) = (self.roll(n) as usize, self.of(&[0, n, n + 3]), self.roll(4));
            let choices: std::vec::Vec<Choice> =
                (0..known).map(|_| Choice { open: self.roll(4) >= shut, reach: self.span() }).collect();
            let open = |i: usize| choices.get(i).is_none_or(|c| c.open);
            let moment = Moment {
                at: Instant(self.wild()),
                buffer: self.span(),
                buffer_target: target,
                duration: span,
                remaining: self.of(&[None, Some(0), Some(1), Some(11), Some(12), Some(u32::MAX)]),
                last: self.of(&[None, Some(0), Some(level)]),
                others: self.of(&[0, 0, 500_000, u64::MAX]),
                abandoned: self.of(&[None, None, Some(level)]),
                choices: &choices,
            };
            let (total, first_byte) = (Some(self.wild()), Some(self.span()));
            match self.roll(10) {
                0..3 => {
                    let level = p.decide(&moment).level;
                    assert!(open(level) || !(0..bitrates.len()).any(open), "{level} {choices:?}");
                }
                3..6 => p.sample(self.wild(), self.span(), self.span(), moment.at),
                6 => p.size(level, self.span(), self.wild()),
                7 => {
                    let (total, first_byte) = (self.of(&[None, total]), self.of(&[None, first_byte]));
                    let (received, elapsed) = (self.wild(), self.span());
                    let flight =
                        Progress { moment, level, total, received, elapsed, first_byte, reconnects: true };
                    assert!(p.abandon(&flight).is_none_or(|to| to < level));
                }
                8 => {
                    let held = [0; 3].map(|_| Held { level: self.roll(n) as usize, due: self.span() });
                    let found = p.replace(&moment, moment.last, &held);
                    assert!(found.is_none_or(|r| r.level > held[r.index].level && open(r.level)));
                }
                _ if self.roll(2) == 0 => p.jump(),
                _ => p.recall(&Prior {
                    ln_rate: self.wild() as i32,
                    sigma: self.wild() as i32,
                    age: self.span(),
                }),
            }
        }
    }
}

#[test]
fn nothing_overflows_in_a_storm_of_extremes() {
    (1..=60).for_each(|seed| Dice(seed).storm(250));
}
