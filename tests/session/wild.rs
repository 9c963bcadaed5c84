//! Whole presentations of odd fragments play like the plain one, and what is no fragment is tried again, then lost.

use crate::common::{Fault, Link, Mode, Origin, Played, Recorder, play};
use crate::mp4_build::*;
use smoothcore::error::Code;
use smoothcore::io::EventKind;
use smoothcore::session::{AudioChoice, Config, State};

const VIDEO: &str = "QualityLevels(64852)/Fragments(video=60000000)";

/// One level, so that every fragment's bytes are known beforehand.
fn pinned() -> Config {
    Config { fixed_bitrate: 64_852, audio: AudioChoice::First, seed: 1, budget: 4 << 20, ..Config::default() }
}

/// What reached the decoder: stream, times, duration and bytes of every sample.
type Samples = Vec<(u16, i64, i64, u64, Vec<u8>)>;

fn samples(played: &Played) -> Samples {
    let mut all: Samples = played
        .decoder
        .samples
        .iter()
        .map(|s| (s.stream, s.dts, s.pts, s.duration, s.bytes.clone()))
        .collect();
    all.sort_by_key(|s| s.0);
    all
}

fn undisturbed() -> Samples {
    samples(&play(Mode::EventLoop, pinned(), Link::new(Origin::testcard(), &[200]), Recorder::new()))
}

/// The test card with every fragment of the level and language that are played in another shape.
fn shaped(shape: impl Fn(&Parts) -> Vec<u8>) -> Origin {
    let mut origin = Origin::testcard();
    for (path, body) in &mut origin.responses {
        if path.contains("QualityLevels(64852)") || path.contains("audio_eng") {
            let time = path.rsplit(['=', ')']).find(|t| !t.is_empty()).unwrap();
            *body = shape(&Parts::of(body, time.parse().unwrap()));
        }
    }
    origin
}

/// Plays the shape whole and byte by byte of blocks, and finds no difference.
fn plays_alike(shape: impl Fn(&Parts) -> Vec<u8>) {
    let whole = undisturbed();
    assert_eq!(whole.len(), 3452, "the test card");
    let origin = shaped(shape);
    // A fast link, and one over which samples leave before their fragment has arrived.
    for (rate, decoder) in [(200, Recorder::new()), (9, Recorder::unpaced())] {
        let played = play(Mode::EventLoop, pinned(), Link::new(origin.clone(), &[rate]), decoder);
        assert_eq!(played.state, State::Ended);
        assert_eq!((played.count(EventKind::Retry), played.count(EventKind::Gap)), (0, 0));
        let seen = samples(&played);
        assert_eq!(seen.len(), whole.len());
        for (a, b) in seen.iter().zip(&whole) {
            assert!(
                a == b,
                "{:?} is not {:?}",
                (a.0, a.1, a.2, a.3, a.4.len()),
                (b.0, b.1, b.2, b.3, b.4.len())
            );
        }
    }
}

#[test]
fn quirk_65_tfdt_is_never_added() {
    let traps: [fn(u64) -> u64; 5] =
        [|_| 0, |time| time, |time| time * 9 / 1000, |time| time + 1, |_| u64::MAX];
    for trap in traps {
        plays_alike(|parts| {
            let tfdt = full(b"tfdt", 1, 0, &longs(&[trap(parts.time)]));
            let moof =
                moof_with(|size| vec![tfhd(0, &[]), tfdt.clone(), parts.run(Some(size + 8)), parts.tfxd()]);
            [moof, mdat(&parts.payload())].concat()
        });
    }
}

#[test]
fn quirk_65_times_of_an_archive_that_was_live_are_never_added() {
    // The times that the encoder counted, not those of the manifest.
    plays_alike(|parts| {
        let encoder = tfxd(1, 17_472_959_488_675_333 + parts.time, parts.duration());
        let moof = moof_with(|size| vec![tfhd(0, &[]), parts.run(Some(size + 8)), encoder.clone()]);
        [moof, mdat(&parts.payload())].concat()
    });
}

#[test]
fn quirk_66_negative_data_offset_plays() {
    for offset in [-500i32, 0, i32::MAX] {
        plays_alike(|parts| {
            [moof(&[tfhd(0, &[]), parts.run(Some(offset as u32)), parts.tfxd()]), mdat(&parts.payload())]
                .concat()
        });
    }
    plays_alike(|parts| [moof(&[tfhd(0, &[]), parts.run(None)]), mdat(&parts.payload())].concat());
}

#[test]
fn quirk_67_tfrf_before_trun_plays() {
    plays_alike(|parts| {
        let end = parts.time + parts.duration();
        let tfrf = tfrf(1, 2, &[(end, 20_000_000), (end + 20_000_000, 20_000_000)]);
        let moof =
            moof_with(|size| vec![tfrf.clone(), parts.tfxd(), parts.run(Some(size + 8)), tfhd(0, &[])]);
        [moof, mdat(&parts.payload())].concat()
    });
}

#[test]
fn quirk_68_sizes_of_64_bits_play() {
    plays_alike(|parts| {
        let run = &parts.run(None)[8..];
        let traf = [boxed64(b"tfhd", &tfhd(0, &[])[8..]), boxed64(b"trun", run)].concat();
        let moof = boxed64(b"moof", &boxed64(b"traf", &traf));
        [boxed64(b"styp", b"iso6"), moof, boxed64(b"mdat", &parts.payload())].concat()
    });
}

#[test]
fn quirk_69_durations_only_in_tfhd_play() {
    plays_alike(|parts| {
        let first = parts.samples[0].0;
        if parts.samples.iter().any(|s| s.0 != first) {
            return parts.plain();
        }
        let mut fields = Vec::new();
        for (_, flags, composition, bytes) in &parts.samples {
            fields.extend([bytes.len() as u32, *flags, *composition as u32]);
        }
        let run = trun(0xE00, parts.samples.len() as u32, &fields);
        [moof(&[tfhd(0x08, &[first]), run]), mdat(&parts.payload())].concat()
    });
}

#[test]
fn quirk_69_no_durations_at_all_share_that_of_the_manifest() {
    let origin = shaped(|parts| {
        if parts.samples.len() != 50 {
            return parts.plain();
        }
        let mut fields = Vec::new();
        for (_, flags, composition, bytes) in &parts.samples {
            fields.extend([bytes.len() as u32, *flags, *composition as u32]);
        }
        [moof(&[tfhd(0, &[]), trun(0xE00, 50, &fields)]), mdat(&parts.payload())].concat()
    });
    let played = play(Mode::EventLoop, pinned(), Link::new(origin, &[200]), Recorder::new());
    assert_eq!(samples(&played), undisturbed());
}

#[test]
fn several_trun_and_several_pairs_play() {
    plays_alike(|parts| {
        let (a, b) = parts.split(parts.samples.len() / 3);
        let moof = moof(&[tfhd(0, &[]), a.run(None), b.run(None), parts.tfxd()]);
        [moof, mdat(&parts.payload())].concat()
    });
    plays_alike(|parts| {
        let (a, b) = parts.split(parts.samples.len() / 3);
        [boxed(b"styp", b"cmfc"), a.plain(), boxed(b"free", b"between"), b.plain()].concat()
    });
}

#[test]
fn quirk_70_strange_boxes_everywhere_play() {
    let strange = boxed(b"qqqq", &[0x55; 33]);
    plays_alike(|parts| {
        let run = parts.run(None);
        let traf = [strange.clone(), tfhd(0, &[]), uuid(&[9; 16], b"own"), run, strange.clone()].concat();
        let moof = boxed(b"moof", &[strange.clone(), boxed(b"traf", &traf), strange.clone()].concat());
        let event = full(b"emsg", 1, 0, &[0; 40]);
        [event, moof, strange.clone(), mdat(&parts.payload()), boxed(b"mfra", &[0; 16])].concat()
    });
}

#[test]
fn a_page_with_status_200_is_tried_again_and_then_lost() {
    let page = b"<!DOCTYPE html><html><body>Please sign in to our hotel</body></html>".to_vec();
    let whole = undisturbed();
    // A page is seldom gone at the third look.
    let tries = 2;
    for pages in [1, tries] {
        let mut link = Link::new(Origin::testcard(), &[200]);
        for n in 1..=pages {
            link = link.fault(VIDEO, n, Fault::Body(page.clone()));
        }
        let played = play(Mode::EventLoop, pinned(), link, Recorder::new());
        assert_eq!(played.state, State::Ended);
        assert_eq!(played.link.requests.iter().filter(|r| *r == VIDEO).count() as u32, tries);
        let gaps: Vec<_> = played.events.iter().filter(|e| e.kind == EventKind::Gap).collect();
        let seen = samples(&played);
        if pages < tries {
            assert!(gaps.is_empty() && seen == whole);
            let retry = played.events.iter().find(|e| e.kind == EventKind::Retry).unwrap();
            assert_eq!(retry.error.unwrap().code, Code::FragmentNotMp4);
            continue;
        }
        // Lost: one gap that says why, and nothing else is missing.
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].error.unwrap().code, Code::FragmentNotMp4);
        assert_eq!((gaps[0].a, gaps[0].b), (2_000_000, 60_000_000));
        let rest: Samples = whole
            .iter()
            .filter(|s| !(s.0 == 0 && (60_000_000..80_000_000).contains(&s.1)))
            .cloned()
            .collect();
        assert!(seen == rest);
    }
}

#[test]
fn a_truncated_body_that_claims_to_be_whole_is_tried_again() {
    let whole = undisturbed();
    let size = Origin::testcard().responses[VIDEO].len();
    for cut in [0, 1, 7, 8, 100, 700, size / 2, size - 1] {
        for rate in [200, 9] {
            let link = Link::new(Origin::testcard(), &[rate]).fault(VIDEO, 1, Fault::Short(cut));
            let played = play(Mode::EventLoop, pinned(), link, Recorder::unpaced());
            assert_eq!(played.state, State::Ended);
            assert_eq!(
                (played.count(EventKind::Retry), played.count(EventKind::Gap)),
                (1, 0),
                "cut at {cut}"
            );
            assert!(samples(&played) == whole, "cut at {cut}: nothing is missing and nothing comes twice");
        }
    }
}

#[test]
fn tables_larger_than_their_data_are_refused_before_the_first_sample() {
    let parts = Parts::of(&Origin::testcard().responses[VIDEO], 60_000_000);
    let mut payload = parts.payload();
    payload.pop();
    let moof = moof(&[tfhd(0, &[]), parts.run(None)]);
    let bad = [moof, mdat(&payload)].concat();
    let mut link = Link::new(Origin::testcard(), &[9]);
    for n in 1..=pinned().limits.tries {
        link = link.fault(VIDEO, n, Fault::Body(bad.clone()));
    }
    let played = play(Mode::EventLoop, pinned(), link, Recorder::unpaced());
    let gap = played.events.iter().find(|e| e.kind == EventKind::Gap).unwrap();
    assert_eq!(gap.error.unwrap().code, Code::SamplesOutside);
    assert!(played.decoder.samples.iter().all(|s| s.stream != 0 || s.fragment != 60_000_000));
}
