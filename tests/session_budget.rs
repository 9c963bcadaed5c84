//! The budget holds whatever comes, and no decoder's order of appetite deadlocks it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
mod mp4_build;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::agent::apply;
use common::sealed::{PLAYREADY, playready};
use common::{Cover, Link, Mode, Origin, Recorder, Seal, Taste, play, play_with};
use smoothcore::error::Code;
use smoothcore::io::{DecoderTraits, EventKind};
use smoothcore::session::{AudioChoice, Config, ProtectionMode, State};

const RATES: [u64; 4] = [120, 12, 300, 40];

fn config(budget: usize) -> Config {
    Config { audio: AudioChoice::All, seed: 3, budget, ..Config::default() }
}

#[test]
fn one_two_and_four_mebibytes_are_never_exceeded() {
    for mib in [1usize, 2, 4] {
        let budget = mib << 20;
        let link = Link::new(Origin::testcard(), &RATES);
        let played = play_with(Mode::EventLoop, config(budget), link, Recorder::new(), |_, session| {
            assert!(session.stats().held <= budget);
        });
        assert_eq!(played.state, State::Ended, "{mib} MiB");
        assert_eq!(played.count(EventKind::Gap), 0, "{mib} MiB");
        assert!(played.stats.peak_held <= budget, "{mib} MiB: {}", played.stats.peak_held);
        assert_eq!(played.decoder.samples.len(), 1200 + 2 * 2252, "{mib} MiB");
    }
}

#[test]
fn decoders_that_want_one_stream_first_do_not_deadlock() {
    // Streams: 0 video, 1 and 2 audio.
    for taste in [Taste::Needs { first: 0, then: 1 }, Taste::Needs { first: 1, then: 0 }, Taste::Fickle] {
        for budget in [192 << 10, 1 << 20, 2 << 20, 4 << 20] {
            for rates in [&RATES[..], &[2_000], &[40]] {
                let mut decoder = Recorder::new();
                decoder.taste = taste;
                let link = Link::new(Origin::testcard(), rates);
                let played = play(Mode::EventLoop, config(budget), link, decoder);
                assert_eq!(played.state, State::Ended, "{taste:?} {budget}");
                assert_eq!(played.count(EventKind::Gap), 0, "{taste:?} {budget}");
            }
        }
    }
}

#[test]
fn a_budget_that_is_too_small_says_so() {
    for budget in [1usize, 32 << 10] {
        let refused = smoothcore::session::Session::new(config(budget)).unwrap_err();
        assert_eq!((refused.code, refused.place.at), (Code::Budget, "Config::budget"));
    }
    // Enough for a session, too little for this manifest.
    let mut origin = Origin::testcard();
    let text = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let long: String =
        (0..40_000u64).map(|i| format!("<c d=\"{}\"/>", 20_000_000 + i * 7919 % 10_007)).collect();
    let text = text.replacen("<c t=\"0\" d=\"20000000\" r=\"24\"/>", &long, 1);
    assert!(text.len() > 400_000);
    origin.responses.insert("Manifest".into(), text.into_bytes());
    let played = play(Mode::EventLoop, config(64 << 10), Link::new(origin, &[2000]), Recorder::new());
    assert!(matches!(played.state, State::Failed(e) if e.code == Code::Budget), "{:?}", played.state);
    assert!(played.stats.peak_held <= 64 << 10);
}

#[test]
fn a_level_whose_samples_do_not_fit_is_dropped_and_the_rest_plays() {
    // One sample of 60 kB is larger than what 64 KiB leave for video.
    let mut origin = Origin::testcard();
    let mut nal = vec![0x65; 60_000];
    nal[..4].copy_from_slice(&59_996u32.to_be_bytes());
    let moof = |at| vec![mp4_build::tfhd(0, &[]), mp4_build::trun(0x301, 1, &[at, 20_000_000, 60_000])];
    let body = [mp4_build::moof_with(moof), mp4_build::mdat(&nal)].concat();
    for (path, bytes) in origin.responses.iter_mut().filter(|(path, _)| path.contains("(258995)")) {
        assert!(path.contains("video"));
        *bytes = body.clone();
    }
    let link = || Link::new(origin.clone(), &[2000]);
    let config = Config { start_bitrate: 258_995, audio: AudioChoice::First, ..config(64 << 10) };
    let played = play(Mode::EventLoop, config, link(), Recorder::new());
    assert_eq!(played.state, State::Ended);
    let dropped: Vec<_> = played.events.iter().filter(|e| e.kind == EventKind::LevelDropped).collect();
    assert!(!dropped.is_empty(), "some level is too large");
    assert!(dropped.iter().all(|e| e.error.unwrap().code == Code::LimitSampleBytes));
    assert_eq!(played.count(EventKind::Gap), 0);
    assert_eq!(played.decoder.samples.iter().filter(|s| s.stream == 0).count(), 1200);
    // With no smaller level to turn to, the budget is what is wrong.
    let config = Config { min_bitrate: 258_995, ..config };
    let played = play(Mode::EventLoop, config, link(), Recorder::new());
    assert!(matches!(played.state, State::Failed(e) if e.code == Code::Budget), "{:?}", played.state);
}

/// Counts what one thread holds, so that tests beside each other do not disturb.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = HELD.try_with(|h| h.set(h.get() + layout.size() as isize));
        let _ = CALLS.try_with(|c| c.set(c.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|h| h.set(h.get() - layout.size() as isize));
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The heap agrees with the account: what a session really allocates is within what it says it holds.
#[test]
fn the_account_tells_the_truth() {
    the_account_under(ProtectionMode::None);
}

#[test]
fn the_account_tells_the_truth_of_encrypted_samples() {
    the_account_under(ProtectionMode::Decoder);
    the_account_under(ProtectionMode::Decrypt);
}

fn the_account_under(protection: ProtectionMode) {
    use smoothcore::io::{Configured, Decrypted, Input, KeyHandle, KeyStatus, Keys, Kid, Outcome, Output};
    use smoothcore::session::Session;
    use smoothcore::time::Instant;

    let mut origin = Origin::testcard();
    if protection != ProtectionMode::None {
        let seal = |cover| Seal { cover, ..Seal::new(Kid([7; 16])) };
        let cover = |name: &str| if name == "video" { Cover::Nals } else { Cover::Whole };
        origin = origin.sealed(|name, _, _| Some(seal(cover(name))));
        origin = origin.with_headers(&[(PLAYREADY, playready(&[Kid([7; 16])], "https://licence.test/"))]);
    }
    let budget = 1 << 20;
    let before = HELD.with(Cell::get);
    let unpaced = DecoderTraits { flags: DecoderTraits::UNPACED, ..DecoderTraits::default() };
    let mut session =
        Session::new(Config { decoder: unpaced, fixed_bitrate: 258_995, protection, ..config(budget) })
            .unwrap();
    session.open(Instant(0), common::drive::URL).unwrap();
    let (mut now, mut calls_at_half, mut accepted) = (0u64, 0, 0u32);
    let mut pending: Vec<(smoothcore::io::RequestId, &[u8])> = Vec::with_capacity(8);
    loop {
        now += 1000;
        let at = Instant(now);
        loop {
            match session.poll() {
                Output::Idle(_) => break,
                Output::Request(r) => pending.push((r.id, origin.get(r.url).unwrap())),
                Output::Configure(c) => {
                    let stream = c.stream;
                    session.input(at, Input::Configured(stream, Configured::Ok));
                }
                Output::Protection(_) => {
                    session.input(at, Input::Key(Keys::All, KeyStatus::Ready(KeyHandle(1))));
                }
                Output::Decrypt(d) => {
                    let (stream, p) = (d.stream, &d.protection);
                    apply(d.data, p.kid, p.iv, p.subsamples);
                    session.input(at, Input::Decrypted(stream, Decrypted::Done));
                }
                Output::Sample(s) => {
                    let stream = s.stream;
                    assert_eq!(s.protection.is_some(), protection == ProtectionMode::Decoder);
                    accepted += 1;
                    session.input(at, Input::Accepted(stream));
                }
                _ => {}
            }
        }
        let heap = HELD.with(Cell::get) - before - (pending.capacity() * size_of::<(u32, &[u8])>()) as isize;
        assert!(heap <= session.stats().held as isize, "{heap} on the heap, {} told", session.stats().held);
        assert!(heap <= budget as isize);
        let Some((id, body)) = pending.pop() else { break };
        let taken = session.body(at, id, &body[..body.len().min(1460)]);
        if taken == body.len() {
            session.input(at, Input::Finished(id, Outcome::Complete));
        } else {
            pending.insert(0, (id, &body[taken..]));
        }
        // Tables of encrypted samples grow to the largest one of each fragment in the round.
        let steady = if protection == ProtectionMode::None { 3000 } else { 4000 };
        if accepted > steady && calls_at_half == 0 {
            calls_at_half = CALLS.with(Cell::get);
        }
    }
    assert_eq!(session.state(), State::Ended);
    assert_eq!(accepted, 5704);
    assert_eq!(CALLS.with(Cell::get) - calls_at_half, 0, "steady play allocates nothing");
    drop(session);
    assert_eq!(HELD.with(Cell::get) - before - (pending.capacity() * size_of::<(u32, &[u8])>()) as isize, 0);
}
