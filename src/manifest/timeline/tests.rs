use super::*;
use crate::limits::Limits;
use std::vec::Vec;

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The same list without any cleverness.
#[derive(Default)]
struct Model {
    all: Vec<Fragment>,
    next: u32,
}

impl Model {
    fn push(&mut self, start: u64, duration: u64, count: u32) {
        if let Some(last) = self.all.last_mut()
            && (last.duration == 0 || last.end() > start)
        {
            last.duration = start - last.start;
        }
        for i in 0..count {
            self.all.push(Fragment { index: self.next, start: start + duration * u64::from(i), duration });
            self.next += 1;
        }
    }

    fn same(&self, timeline: &Timeline) {
        assert!(timeline.iter().eq(self.all.iter().copied()));
        assert_eq!(timeline.len() as usize, self.all.len());
        assert_eq!(timeline.first(), self.all.first().copied());
        assert_eq!(timeline.last(), self.all.last().copied());
        assert_eq!(timeline.end(), self.all.last().map_or(0, |f| f.end()));
    }

    fn look_up(&self, timeline: &Timeline, random: &mut Random) {
        let Some(last) = self.all.last() else { return };
        let first = self.all[0];
        for _ in 0..20 {
            let i = random.below(self.all.len() as u64) as usize;
            let f = self.all[i];
            assert_eq!(timeline.get(f.index), Some(f));
            assert_eq!(timeline.at_or_before(f.start), Some(f));
            assert_eq!(timeline.at_or_before(f.start + f.duration / 2), Some(f));
            assert_eq!(timeline.after(f.start), self.all.get(i + 1).copied());
            assert_eq!(timeline.after(f.start - 1), Some(f));
            if i > 0 {
                assert_eq!(timeline.at_or_before(f.start - 1), Some(self.all[i - 1]));
            }
            let tail: Vec<Fragment> = timeline.iter_from(f.index).take(5).collect();
            assert_eq!(tail, self.all[i..(i + 5).min(self.all.len())]);
        }
        assert_eq!(timeline.get(last.index + 1), None);
        assert_eq!(timeline.after(last.start), None);
        assert_eq!(timeline.at_or_before(u64::MAX), Some(*last));
        assert_eq!(timeline.at_or_before(first.start - 1), None);
        assert_eq!(timeline.after(0), Some(first));
        assert!(first.index == 0 || timeline.get(first.index - 1).is_none());
        assert_eq!(timeline.iter_from(0).next(), Some(first));
        assert_eq!(timeline.iter_from(u32::MAX).next(), None);
    }
}

#[test]
fn agrees_with_a_plain_list() {
    for seed in 1..=60u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut account = Account::new(1 << 22);
        let (mut timeline, mut model) = (Timeline::new(), Model::default());
        let mut time = [1, 1 << 54, 1 << 63, u64::MAX - (1 << 50)][(seed % 4) as usize];
        let base = [2, 180_000, 20_000_000][(seed % 3) as usize];
        for round in 0..400 {
            let duration = match random.below(6) {
                0 => base + random.below(base / 2 + 1),
                1 => base + random.below(3),
                2 if round % 10 == 0 => 1 + random.below(1 << 40),
                _ => base,
            };
            let count = match random.below(12) {
                0 => 1 + random.below(100) as u32,
                1 => 30 + random.below(5) as u32,
                _ => 1,
            };
            match random.below(20) {
                0 => time += random.below(1 << 30),
                1 => time += random.below(3),
                2 => time -= model.all.last().map_or(0, |f| f.duration.saturating_sub(1).min(3)),
                _ => {}
            }
            let unknown = count == 1 && random.below(15) == 0;
            let duration = if unknown { 0 } else { duration };
            timeline.push(&mut account, time, duration, count).unwrap();
            model.push(time, duration, count);
            if unknown && random.below(2) == 0 {
                timeline.set_last_duration(&mut account, base + 7).unwrap();
                model.all.last_mut().unwrap().duration = base + 7;
            }
            time = model.all.last().unwrap().end().max(model.all.last().unwrap().start + 1);
            if round % 50 == 49 {
                model.same(&timeline);
                model.look_up(&timeline, &mut random);
            }
            if random.below(40) == 0 && model.all.len() > 3 {
                let from = random.below(model.all.len() as u64) as usize;
                let cut = model.all[from.max(1)].start + random.below(2);
                timeline.truncate(&mut account, cut);
                model.all.retain(|f| f.start < cut);
                model.next = model.all.last().unwrap().index + 1;
                time = model.all.last().unwrap().end().max(model.all.last().unwrap().start + 1);
                model.same(&timeline);
                let longer = base + random.below(9);
                timeline.set_last_duration(&mut account, longer).unwrap();
                model.all.last_mut().unwrap().duration = longer;
                time = time.max(model.all.last().unwrap().end());
                model.same(&timeline);
            }
            if random.below(60) == 0 {
                let gone = timeline.drop_block(&mut account) as usize;
                model.all.drain(..gone);
                model.same(&timeline);
            }
            if random.below(40) == 0 {
                let at = model.all[random.below(model.all.len() as u64) as usize].end();
                timeline.drop_before(&mut account, at);
                let first = timeline.first().unwrap();
                let gone = model.all.iter().position(|f| *f == first).unwrap();
                assert!(model.all[..gone].iter().all(|f| f.end() <= at));
                // What had to go but stayed is less than a block.
                assert!(model.all[gone..].iter().filter(|f| f.end() <= at).count() <= 512 + 32);
                model.all.drain(..gone);
                model.same(&timeline);
            }
            assert_eq!(account.held(), timeline.charged_bytes());
        }
        timeline.free(&mut account);
        assert_eq!(account.held(), 0);
        assert!(timeline.is_empty());
    }
}

/// Hundredths of a byte a fragment, and bytes.
fn size_of_timeline(durations: impl Iterator<Item = u64>) -> (usize, usize) {
    let mut account = Account::new(1 << 22);
    let mut timeline = Timeline::new();
    let mut time = 16_000_000_000_000_000;
    for duration in durations {
        timeline.push(&mut account, time, duration, 1).unwrap();
        time += duration;
    }
    assert_eq!(timeline.end(), time);
    let held = timeline.charged_bytes();
    (held * 100 / timeline.len() as usize, held)
}

#[test]
fn a_day_of_two_second_fragments_is_small() {
    let aac = [20_053_333, 19_840_000, 20_053_333, 20_053_334];
    let (each, _) = size_of_timeline(aac.into_iter().cycle().take(43_200));
    assert!(each <= 260, "AAC: {each}");
    let mut random = Random(1);
    let (each, _) = size_of_timeline((0..43_200).map(|_| 20_000_000 - 5000 + random.below(10_001)));
    assert!(each <= 300, "jitter: {each}");
    let (_, regular) = size_of_timeline(core::iter::repeat_n(20_000_000, 43_200));
    assert!(regular <= 64, "{regular}");
    let (_, few) = size_of_timeline([20_000_000, 20_000_000, 20_000_000, 15_000_000].into_iter());
    assert!(few <= 600, "{few}");
    // A long run beside a short one needs no bytes for each fragment.
    let (_, runs) = size_of_timeline(core::iter::repeat_n(5, 40).chain(core::iter::repeat_n(6, 40)));
    assert!(runs <= 1000, "{runs}");
    let mut account = Account::new(160);
    let mut timeline = Timeline::new();
    timeline.push(&mut account, 0, 5, 10).unwrap();
    timeline.push(&mut account, 50, 6, 1000).unwrap();
    assert_eq!(timeline.len(), 1010);
}

#[test]
fn impossible_times_are_refused_and_change_nothing() {
    let mut account = Account::new(1 << 20);
    let mut timeline = Timeline::new();
    let code = |r: Result<()>| r.map_err(|e| e.code);
    timeline.push(&mut account, 100, 10, 3).unwrap();
    for (start, duration, count) in [
        (120, 10, 1),
        (0, 5, 1),
        (130, 0, 2),
        (u64::MAX, 1, 1),
        (130, u64::MAX / 2, 3),
        (130, 1, u32::MAX - 2),
    ] {
        assert_eq!(
            code(timeline.push(&mut account, start, duration, count)),
            Err(Code::ManifestTimeline),
            "{start} {duration} {count}"
        );
        assert_eq!((timeline.len(), timeline.end()), (3, 130));
    }
    assert_eq!(code(timeline.set_last_duration(&mut account, u64::MAX)), Err(Code::ManifestTimeline));
    timeline.push(&mut account, 130, 1, u32::MAX - 3).unwrap();
    assert_eq!(timeline.len(), u32::MAX);
    assert_eq!(timeline.get(u32::MAX - 1).map(|f| f.start), Some(130 + u64::from(u32::MAX) - 4));
    assert_eq!(code(timeline.push(&mut account, 1 << 40, 1, 1)), Err(Code::ManifestTimeline));
    assert_eq!(Timeline::new().push(&mut account, 5, 5, 0), Ok(()));
}

#[test]
fn refused_memory_leaves_the_timeline_as_it_was() {
    for cap in [0, 47, 48, 100, 200, 559, 600, 2000] {
        let mut account = Account::new(cap);
        let (mut timeline, mut model) = (Timeline::new(), Model::default());
        let mut refused = 0;
        for i in 0..800u64 {
            let duration = 100 + i * i % 37 + if i % 3 == 0 { 1 << 40 } else { 0 };
            let start = model.all.last().map_or(7, |f| f.end());
            match timeline.push(&mut account, start, duration, 1) {
                Ok(()) => model.push(start, duration, 1),
                Err(e) => {
                    assert_eq!(e.code, Code::Budget);
                    refused += 1;
                    model.same(&timeline);
                    // A duration that needs more room than the old one may be refused; the fragment stays.
                    let unchanged = timeline.set_last_duration(&mut account, 1 << 60).is_err();
                    if !unchanged {
                        model.all.last_mut().into_iter().for_each(|f| f.duration = 1 << 60);
                    }
                    model.same(&timeline);
                    break;
                }
            }
        }
        assert_eq!(refused, 1, "{cap}");
        assert!(account.peak() <= cap);
    }
    // A run of two that would have to become an irregular block.
    let mut account = Account::new(48);
    let mut timeline = Timeline::new();
    timeline.push(&mut account, 0, 10, 2).unwrap();
    assert_eq!(timeline.set_last_duration(&mut account, 9).map_err(|e| e.code), Err(Code::Budget));
    let all: Vec<Fragment> = timeline.iter().collect();
    assert_eq!(
        all,
        [Fragment { index: 0, start: 0, duration: 10 }, Fragment { index: 1, start: 10, duration: 10 }]
    );
}

#[test]
fn a_live_window_slides_within_a_bound() {
    let mut account = Account::new(16 << 10);
    let mut timeline = Timeline::new();
    let mut random = Random(3);
    let mut time = 17_000_000_000_000_000u64;
    for i in 0..50_000u32 {
        let duration = 20_000_000 + random.below(300_000);
        timeline.push(&mut account, time, duration, 1).unwrap();
        time += duration;
        timeline.drop_before(&mut account, time - 1800 * 20_000_000);
        assert_eq!(timeline.last().map(|f| f.index), Some(i));
    }
    assert!(timeline.len() >= 1790 && timeline.len() < 2100, "{}", timeline.len());
    // A regular stream slides to the fragment.
    let mut timeline = Timeline::new();
    timeline.push(&mut account, 1000, 10, 1_000_000).unwrap();
    timeline.drop_before(&mut account, 5005);
    assert_eq!(timeline.first(), Some(Fragment { index: 400, start: 5000, duration: 10 }));
    timeline.drop_before(&mut account, u64::MAX);
    assert_eq!(timeline.first(), timeline.last());
    assert_eq!(timeline.last(), Some(Fragment { index: 999_999, start: 10_000_990, duration: 10 }));
}

#[test]
fn a_hole_is_more_than_rounding() {
    let at = |start, duration| Fragment { index: 0, start, duration };
    let before = at(0, 20_000_000);
    for (start, hole) in [(19_000_000, false), (20_000_000, false), (20_199_999, false), (20_200_000, true)] {
        assert_eq!(before.hole_before(at(start, 1), TimeScale::HNS), hole, "{start}");
    }
    assert!(!at(0, 100).hole_before(at(10_099, 1), TimeScale::HNS));
    assert!(at(0, 100).hole_before(at(10_100, 1), TimeScale::HNS));
    assert!(!at(0, 0).hole_before(at(10_000_000, 1), TimeScale::HNS));
}

/// The fragments of `c` elements, each `(t, d, r)`.
fn build(
    elements: &[(Option<u64>, Option<u64>, Option<u64>)],
    end: End,
) -> core::result::Result<Vec<(u64, u64)>, Error> {
    let mut account = Account::new(1 << 20);
    let (mut builder, limits, mut seen) = (TimelineBuilder::new(), Limits::default(), 0);
    let fed = elements.iter().enumerate().try_for_each(|(i, (t, d, r))| {
        let c = C { t: *t, d: *d, r: *r };
        builder.element(&mut account, &limits, &mut seen, c, 100 + i as u64)
    });
    let built = fed.and_then(|()| builder.finish(&mut account, end));
    builder.free(&mut account);
    let mut timeline = built.inspect_err(|_| assert_eq!(account.held(), 0))?;
    assert_eq!(seen as usize, elements.len());
    let times = timeline.iter().map(|f| (f.start, f.duration)).collect();
    timeline.free(&mut account);
    assert_eq!(account.held(), 0);
    Ok(times)
}

const NO: Option<u64> = None;

fn at(code: &'static str, offset: u64) -> core::result::Result<Vec<(u64, u64)>, Error> {
    Err(Error::at(Code::ManifestTimeline, code, offset))
}

#[test]
fn starts_are_inferred() {
    let all = [(NO, Some(5), NO), (NO, Some(6), NO), (NO, Some(5), NO)];
    assert_eq!(build(&all, End::Live), Ok([(0, 5), (5, 6), (11, 5)].to_vec()));
    let all =
        [(Some(0), Some(5), Some(0)), (NO, Some(4), Some(1)), (NO, Some(5), Some(3)), (NO, Some(1), NO)];
    assert_eq!(build(&all, End::Vod(None)), Ok([(0, 5), (5, 4), (9, 5), (14, 5), (19, 5), (24, 1)].to_vec()));
    let all = [(Some(1 << 60), Some(5), NO), (NO, Some(6), NO)];
    assert_eq!(build(&all, End::Live), Ok([(1 << 60, 5), ((1 << 60) + 5, 6)].to_vec()));
}

#[test]
fn a_missing_duration_comes_from_the_next_start() {
    let all = [(Some(10), NO, NO), (Some(17), NO, Some(2)), (Some(38), Some(4), NO)];
    assert_eq!(build(&all, End::Live), Ok([(10, 7), (17, 10), (27, 10), (38, 4)].to_vec()));
    let all = [(Some(10), NO, NO), (NO, Some(3), NO)];
    assert_eq!(build(&all, End::Live), at("c@t", 101));
    let all = [(Some(10), NO, Some(100)), (Some(20), Some(3), NO)];
    assert_eq!(build(&all, End::Live), at("c@t", 101));
}

#[test]
fn a_last_element_without_duration() {
    let all = [(Some(0), Some(20), NO), (Some(20), NO, NO)];
    assert_eq!(build(&all, End::Live), Ok([(0, 20), (20, 0)].to_vec()));
    assert_eq!(build(&all, End::Vod(Some(33))), Ok([(0, 20), (20, 13)].to_vec()));
    assert_eq!(build(&all, End::Vod(Some(20))), Ok([(0, 20), (20, 20)].to_vec()));
    assert_eq!(build(&all, End::Vod(None)), Ok([(0, 20), (20, 20)].to_vec()));
    assert_eq!(build(&[(Some(0), NO, NO)], End::Vod(None)), Ok([(0, 0)].to_vec()));
    assert_eq!(build(&[(Some(0), NO, Some(4))], End::Vod(Some(40))).map(|all| all[3]), Ok((30, 10)));
    assert_eq!(build(&[(Some(0), NO, Some(4))], End::Live), at("c@d", 100));
    assert_eq!(build(&[], End::Live), Ok(Vec::new()));
}

#[test]
fn overlaps_shorten_and_gaps_stay() {
    let all = [(Some(0), Some(20), Some(2)), (Some(39), Some(20), NO), (Some(70), Some(20), NO)];
    assert_eq!(build(&all, End::Live), Ok([(0, 20), (20, 19), (39, 20), (70, 20)].to_vec()));
}

#[test]
fn times_that_go_back_are_refused() {
    assert_eq!(build(&[(Some(9), Some(2), NO), (Some(8), Some(2), NO)], End::Live), at("c@t", 101));
    assert_eq!(build(&[(Some(9), Some(2), NO), (Some(9), Some(2), NO)], End::Live), at("c", 101));
    assert_eq!(build(&[(Some(9), NO, NO), (Some(9), Some(2), NO)], End::Live), at("c@t", 101));
    assert_eq!(build(&[(Some(0), Some(2), Some(5)), (Some(5), Some(2), NO)], End::Live), at("c", 101));
    assert_eq!(build(&[(Some(u64::MAX - 9), Some(5), Some(3))], End::Live), at("c", 100));
}

#[test]
fn an_element_of_no_duration_only_says_where_the_next_starts() {
    let all = [(Some(100), Some(0), NO), (NO, Some(7), NO), (Some(107), Some(0), Some(3)), (NO, Some(2), NO)];
    assert_eq!(build(&all, End::Live), Ok([(100, 7), (107, 2)].to_vec()));
    let all = [(Some(100), NO, NO), (Some(108), Some(0), NO), (Some(108), Some(9), NO)];
    assert_eq!(build(&all, End::Live), Ok([(100, 8), (108, 9)].to_vec()));
}

#[test]
fn counts_and_repeats_have_limits() {
    let most = u64::from(Limits::default().repeat);
    assert_eq!(build(&[(Some(0), Some(1), Some(most))], End::Live).map(|all| all.len() as u64), Ok(most));
    assert_eq!(build(&[(Some(0), Some(1), Some(most + 1))], End::Live), at("c@r", 100));
    assert_eq!(build(&[(Some(0), Some(1), Some(u64::MAX))], End::Live), at("c@r", 100));
    let (mut account, limits) = (Account::new(1 << 20), Limits { fragments: 3, ..Limits::default() });
    let (mut builder, mut seen) = (TimelineBuilder::new(), 1);
    let c = C { d: Some(2), ..C::default() };
    builder.element(&mut account, &limits, &mut seen, c, 1).unwrap();
    builder.element(&mut account, &limits, &mut seen, c, 2).unwrap();
    let refused = builder.element(&mut account, &limits, &mut seen, c, 3);
    assert_eq!(refused, Err(Error::at(Code::LimitFragments, "c", 3)));
    builder.free(&mut account);
    assert_eq!(account.held(), 0);
}
