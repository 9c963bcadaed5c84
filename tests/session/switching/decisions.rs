//! Bitrate switching in the session: what is fetched, given up, fetched again and left out, and why, in virtual time.

use std::fmt::Write;
use std::rc::Rc;

use crate::movie::Movie;
use crate::pipe::Pipe;
use crate::viewer::{Viewer, run};
use smoothcore::io::{EventKind, StreamId, Why};
use smoothcore::session::{
    Abandonment, Config, PictureCap, Prior, Replacement, SwitchingConfig, SwitchingRule,
};
use smoothcore::time::{Instant, MediaTime, Micros};

use super::{LADDER, SECOND, config, count, play, play_with, trace};

fn movie(fragments: usize) -> Movie {
    Movie::even(&LADDER, 2_000, fragments)
}

fn switching(change: impl FnOnce(&mut SwitchingConfig)) -> Config {
    let mut config = config();
    change(&mut config.switching);
    config
}

#[test]
fn abandonment_saves_a_stall() {
    // The link breaks in when much of a large fragment is still to come.
    let steps = [(31, 7_000), (60, 350), (600, 7_000)];
    let with = play(config(), movie(60), &steps);
    let without = play(switching(|s| s.abandonment = Abandonment::Off), movie(60), &steps);
    assert!(with.session.stats().abandoned > 0);
    assert_eq!(without.session.stats().abandoned, 0);
    let stalled = |v: &Viewer| v.session.stats().stalled;
    assert!(stalled(&with) < stalled(&without), "{:?} {:?}", stalled(&with), stalled(&without));
    // Each time the same fragment is fetched at a lower level, and the decision says why.
    for (n, event) in with.events.iter().enumerate().filter(|(_, e)| e.kind == EventKind::Abandoned) {
        let next =
            with.events[n..].iter().find(|e| e.decided().is_some() && e.stream == Some(StreamId(0))).unwrap();
        let decided = next.decided().unwrap();
        assert_eq!((next.media_time, decided.why), (event.media_time, Why::Abandoned));
        assert!(u64::from(decided.bitrate) < event.a);
    }
}

#[test]
fn what_the_decoder_has_of_a_fragment_is_never_given_up() {
    let steps = [(15, 7_000), (40, 350), (10, 4_000), (20, 200), (600, 7_000)];
    let viewer = play(config(), movie(60), &steps);
    let mut seen = std::collections::BTreeMap::new();
    for shown in &viewer.shown {
        assert!(seen.insert(shown.start, shown.bitrate).is_none(), "one level a fragment, each once");
    }
    assert_eq!(seen.len(), 60);
}

#[test]
fn a_link_that_has_become_better_replaces_what_is_buffered_where_that_is_wanted() {
    // A buffer of low levels is built up, and then there is plenty.
    let steps = [(30, 1_000), (600, 20_000)];
    let on = play(switching(|s| s.replacement = Replacement::On), movie(60), &steps);
    let off = play(config(), movie(60), &steps);
    assert!(on.session.stats().replaced > 0);
    assert_eq!(off.session.stats().replaced, 0);
    assert_eq!(count(&on, EventKind::Replaced) as u32, on.session.stats().replaced);
    let sum = |v: &Viewer| v.shown.iter().map(|s| u64::from(s.bitrate)).sum::<u64>();
    assert!(sum(&on) > sum(&off), "{} {}", sum(&on), sum(&off));
    for v in [&on, &off] {
        assert_eq!(v.session.stats().stalls, 0);
        assert!(v.shown.windows(2).all(|w| w[0].start < w[1].start), "in order, none twice");
        assert_eq!(v.shown.len(), 60);
    }
}

#[test]
fn dropped_pictures_settle_one_level_below_and_do_not_oscillate() {
    let least = LADDER[5];
    let mut shown_high: Vec<u64> = Vec::new();
    let mut first = None;
    let mut viewers = [Viewer::new(0, Rc::new(movie(180)), config(), SECOND)];
    viewers[0].drops = Some((least, 300));
    let mut pipe = Pipe::new(&trace(&[(3_600, 30_000)]));
    let mut next = 0;
    run(&mut viewers, &[0], &mut pipe, 3_600 * SECOND, |now, v| {
        if now < next {
            return;
        }
        next = now + SECOND / 10;
        let position = v[0].screen.position.unwrap_or(0) as u64;
        let level = v[0].shown.iter().rfind(|s| s.start <= position).map_or(0, |s| s.bitrate);
        if level >= least {
            first.get_or_insert(now);
            shown_high.push(now);
        }
    });
    let [viewer] = viewers;
    let first = first.expect("the link carries it");
    let told = viewer.events.iter().find(|e| e.kind == EventKind::DroppingFrames).expect("told");
    assert_eq!((told.a, told.b), (u64::from(LADDER[4]), 30 * SECOND));
    // One level below within ten seconds, and until it is tried again half a minute later.
    let again = told.at.0 + 30 * SECOND;
    let last = shown_high.iter().filter(|t| **t < again).max().unwrap();
    assert!(*last < first + 10 * SECOND, "{} s", (last - first) as f64 / 1e6);
    let played =
        viewer.shown.iter().filter(|s| s.start / 10 > told.at.0 + 10 * SECOND && s.start / 10 < again);
    assert!(played.clone().count() > 5);
    assert!(played.clone().all(|s| s.bitrate == LADDER[4]), "exactly one below");
    // Six minutes: tried at half a minute, then twice as late each time.
    assert!(
        (2..=5).contains(&count(&viewer, EventKind::DroppingFrames)),
        "{}",
        count(&viewer, EventKind::DroppingFrames)
    );
    assert!(shown_high.len() < 600, "a sixth of the time at most: {} s", shown_high.len() / 10);
    assert_eq!(viewer.session.stats().stalls, 0);
}

#[test]
fn a_prior_of_the_same_network_starts_higher_and_an_old_one_does_not() {
    let steps = [(600, 5_000)];
    let first = play(config(), movie(20), &steps);
    let prior = first.session.prior();
    assert!(prior.ln_rate > 0);
    let begins = |prior: Prior| {
        let viewer = play(switching(|s| s.prior = prior), movie(20), &steps);
        viewer.events.iter().find_map(|e| e.decided()).unwrap()
    };
    let fresh = begins(Prior { age: Micros::from_secs(60), ..prior });
    assert_eq!(fresh.why, Why::Prior);
    // The highest within half of what is known.
    assert_eq!(fresh.bitrate, LADDER[3]);
    let old = begins(Prior { age: Micros::from_secs(601), ..prior });
    assert_eq!((old.why, old.bitrate, old.rate), (Why::Start, LADDER[0], 0));
    let none = begins(Prior::default());
    assert_eq!((none.why, none.bitrate), (Why::Start, LADDER[0]));
}

#[test]
fn a_seek_keeps_what_is_known_of_the_link() {
    let mut sought = false;
    let viewer = play_with(config(), movie(120), &[(600, 8_000)], |now, v| {
        if !sought && now > 20 * SECOND {
            sought = true;
            v.session.seek(Instant(now), MediaTime(2_000_000_000)).unwrap();
        }
    });
    let at = viewer.events.iter().position(|e| e.kind == EventKind::Seeking).unwrap();
    let next = viewer.events[at..].iter().find_map(|e| e.decided()).unwrap();
    assert!(next.why == Why::Plan && next.rate > 6_000_000 && next.buffer_ms == 0, "{next:?}");
    assert!(next.bitrate > LADDER[0], "{next:?}");
}

#[test]
fn caps_hold_from_the_next_fragment_on_and_can_be_lifted() {
    let (mut capped, mut lifted) = (false, false);
    let viewer = play_with(config(), movie(120), &[(600, 20_000)], |now, v| {
        if !capped && now > 40 * SECOND {
            capped = true;
            v.session.cap(Instant(now), PictureCap { bitrate: 1_500_000, ..PictureCap::default() });
        }
        if !lifted && now > 100 * SECOND {
            lifted = true;
            v.session.cap(Instant(now), PictureCap::default());
        }
    });
    let between = |from: u64, to: u64| {
        let inside = move |t: u64| (from * SECOND..to * SECOND).contains(&t);
        let events = viewer.events.iter().filter(move |e| inside(e.at.0));
        events.filter_map(|e| e.decided()).map(|d| d.bitrate).max().unwrap()
    };
    assert_eq!(between(0, 40), LADDER[5]);
    assert_eq!(between(41, 100), LADDER[2]);
    assert_eq!(between(101, 200), LADDER[5]);
    // The pictures are 256 by 144: a screen that shows less still gets the lowest level.
    let small = play(switching(|s| s.cap.width = 100), movie(20), &[(600, 20_000)]);
    assert!(small.shown.iter().all(|s| s.bitrate == LADDER[0]));
}

#[test]
fn a_level_withdrawn_by_the_output_is_not_planned() {
    let mut done = false;
    let viewer = play_with(config(), movie(60), &[(600, 20_000)], |now, v| {
        if !done && now > 30 * SECOND {
            done = true;
            v.session.restrict(Instant(now), StreamId(0), 0b00_1111).unwrap();
        }
    });
    let late = viewer.events.iter().filter(|e| e.at.0 > 31 * SECOND).filter_map(|e| e.decided());
    assert_eq!(late.map(|d| d.bitrate).max(), Some(LADDER[3]));
}

#[test]
fn no_budget_stalls_on_a_constant_link_that_a_lower_level_would_suit() {
    for mib in [2usize, 4, 8] {
        for kbps in [450, 700, 1_000, 1_500, 2_500, 4_000, 6_500, 12_000, 40_000] {
            let config = Config { budget: mib << 20, ..config() };
            // Fragments a third larger and smaller than their level says, in turns.
            let mut movie = movie(60).with_audio(64_000);
            for (n, row) in movie.video.sizes.iter_mut().enumerate() {
                row.iter_mut().for_each(|s| *s = *s * [3, 4, 2, 3][n % 4] / 3);
            }
            let viewer = play(config, movie, &[(600, kbps)]);
            let stats = viewer.session.stats();
            assert_eq!(stats.stalls, 0, "{mib} MiB, {kbps} kbit/s: {stats:?}");
            assert!(stats.peak_held <= mib << 20);
        }
    }
}

#[test]
fn sound_neither_runs_away_nor_lags() {
    let mut worst = (0i64, 0i64);
    let mut next = 0;
    let viewer = play_with(
        config(),
        movie(60).with_audio(96_000),
        &[(40, 2_000), (30, 600), (600, 3_000)],
        |now, v| {
            if now < next {
                return;
            }
            next = now + SECOND / 10;
            let end = |s: u16| {
                let stats = v.session.stream_stats(StreamId(s)).unwrap();
                stats.ahead.0 as i64
            };
            if v.startup.is_some() && v.session.state() == smoothcore::session::State::Playing {
                let lead = end(1) - end(0);
                worst = (worst.0.min(lead), worst.1.max(lead));
            }
        },
    );
    assert_eq!(viewer.session.stats().stalls, 0);
    // A fragment in flight counts as held.
    assert!(worst.0 >= -4_100_000 && worst.1 <= 2_100_000, "{worst:?}");
}

/// Why each fragment got the level that it was fetched at.
fn reasons(viewer: &Viewer) -> Vec<Why> {
    let told: Vec<_> = viewer.events.iter().filter_map(|e| e.decided()).collect();
    assert_eq!(told.len(), viewer.shown.len());
    assert!(told.iter().zip(&viewer.shown).all(|(t, s)| t.bitrate == s.bitrate));
    told.iter().map(|d| d.why).collect()
}

#[test]
fn the_rule_can_be_chosen() {
    let steps = [(600, 5_000)];
    let small = play(switching(|s| s.rule = SwitchingRule::Throughput), movie(20), &steps);
    assert!(small.session.stats().switches_up > 0);
    assert_eq!(reasons(&small)[..2], [Why::Start, Why::Rate]);
    let fixed = play(switching(|s| s.rule = SwitchingRule::Fixed), movie(20), &steps);
    assert!(fixed.shown.iter().all(|s| s.bitrate == LADDER[0]));
    assert_eq!(reasons(&fixed), [Why::Fixed; 20]);
    let pinned = play(Config { fixed_bitrate: 1_300_000, ..config() }, movie(20), &steps);
    assert!(pinned.shown.iter().all(|s| s.bitrate == LADDER[2]));
    assert_eq!(reasons(&pinned), [Why::Fixed; 20]);
    let none = switching(|s| s.table_bytes = 1);
    let none = play(none, movie(60), &steps);
    assert_eq!(none.session.stats().stalls, 0, "without room for tables the small rule plans");
    assert_eq!(reasons(&none)[..2], [Why::Start, Why::Small]);
}

/// What was decided over a link of every kind, as text: the same on every target.
#[test]
fn decisions_are_the_same_everywhere() {
    let mut steps = Vec::new();
    let mut state = 12_345u64;
    for _ in 0..60 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        steps.push((
            1 + (state >> 60) % 7,
            [0, 250, 400, 900, 1_700, 3_500, 8_000, 15_000][(state >> 33) as usize % 8],
        ));
    }
    let config = switching(|s| s.replacement = Replacement::On);
    let viewer = play(config, movie(120).with_audio(64_000), &steps);
    let mut log = String::new();
    for e in &viewer.events {
        let time = e.media_time.map_or(-1, |t| t.0);
        let stream = e.stream.map_or(-1, |s| i32::from(s.0));
        match e.decided() {
            Some(d) => writeln!(
                log,
                "{} decided {stream} {time} {} {:?} rate {} buffer {}",
                e.at.0, d.bitrate, d.why, d.rate, d.buffer_ms
            ),
            None => writeln!(log, "{} {:?} {stream} {time} {} {}", e.at.0, e.kind, e.a, e.b),
        }
        .unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/session/switching/decisions.log");
    if std::env::var_os("SMOOTHCORE_UPDATE").is_some() {
        std::fs::write(path, &log).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    let differs = golden.lines().zip(log.lines()).find(|(a, b)| a != b);
    assert!(golden == log, "first difference: {differs:?}; SMOOTHCORE_UPDATE=1 writes it anew");
}
