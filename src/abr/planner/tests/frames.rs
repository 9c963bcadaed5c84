use super::*;

/// Three seconds of 25 frames each, so many of them dropped.
fn second(frames: &mut Frames, at: &mut u64, level: usize, dropped: u64) {
    for _ in 0..4 {
        *at += 250_000;
        let share = dropped / 4;
        frames.report(Instant(*at), level, 6 - share.min(6), share);
    }
}

#[test]
fn a_level_too_heavy_is_capped_within_ten_seconds() {
    let (mut frames, mut at) = (Frames::new(), 0);
    for _ in 0..4 {
        second(&mut frames, &mut at, 5, 8);
    }
    assert_eq!(frames.cap(Instant(at)), Some(4));
    assert!(at <= 10_000_000);
}

#[test]
fn a_few_dropped_frames_are_nothing() {
    let (mut frames, mut at) = (Frames::new(), 0);
    for _ in 0..100u64 {
        at += 1_000_000;
        frames.report(Instant(at), 5, 23, 2);
    }
    assert_eq!(frames.cap(Instant(at)), None);
}

#[test]
fn each_cap_lasts_twice_as_long() {
    let (mut frames, mut at) = (Frames::new(), 0);
    let mut spans = std::vec::Vec::new();
    for _ in 0..4 {
        while frames.cap(Instant(at)).is_none() {
            second(&mut frames, &mut at, 5, 12);
        }
        let begin = at;
        while frames.cap(Instant(at)).is_some() {
            second(&mut frames, &mut at, 4, 0);
        }
        spans.push((at - begin) / 1_000_000);
    }
    assert_eq!(spans, [30, 60, 120, 240]);
}

#[test]
fn the_lowest_level_is_never_capped_away() {
    let (mut frames, mut at) = (Frames::new(), 0);
    for _ in 0..20 {
        second(&mut frames, &mut at, 0, 20);
    }
    assert_eq!(frames.cap(Instant(at)), None);
}
