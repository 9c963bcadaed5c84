//! Whole presentations from files, against the same ones over HTTP.

use smoothcore::io::EventKind;
use smoothcore::session::{Config, State};

use super::common::{self, Link, Mode, Origin, Recorder, decoder::Taken};
use super::media::{reindexed, testcard_muxed, without_index};
use super::source::{Memory, Played, config, play};

/// The samples of one stream.
fn of(decoder: &Recorder, stream: u16) -> Vec<Taken> {
    decoder.samples.iter().filter(|s| s.stream == stream).cloned().collect()
}

fn over_http(config: Config) -> Recorder {
    let played =
        common::play(Mode::EventLoop, config, Link::new(Origin::testcard(), &[100_000]), Recorder::unpaced());
    assert_eq!(played.state, State::Ended);
    played.decoder
}

fn ended(played: &Played) {
    assert_eq!(played.state, State::Ended, "{:?}", played.events.last());
    let bad = [EventKind::Retry, EventKind::Gap, EventKind::StreamDropped, EventKind::LevelDropped];
    let bad: Vec<_> = played.events.iter().filter(|e| bad.contains(&e.kind)).take(3).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

/// Levels of the test card, all of them played at a fixed bitrate.
const RATES: [u32; 4] = [64_852, 101_261, 151_877, 258_995];

#[test]
fn the_samples_are_those_over_http() {
    for rate in RATES {
        let config = Config { fixed_bitrate: rate, ..config() };
        let expected = over_http(config);
        let played = play(Memory::testcard(), "testcard.ism", config).unwrap();
        ended(&played);
        for stream in 0..3 {
            assert!(of(&expected, stream).len() > 1000);
            assert!(of(&played.decoder, stream) == of(&expected, stream), "stream {stream} at {rate}");
        }
    }
}

#[test]
fn slow_sources_that_give_little_at_a_time_give_the_same() {
    let config = Config { fixed_bitrate: RATES[0], ..config() };
    let expected = over_http(config);
    for memory in [
        Memory { slow: true, ..Memory::testcard() },
        Memory { slow: true, piece: 300, ..Memory::testcard() }.without("testcard.ismc"),
        Memory { piece: 7, ..Memory::testcard() }.without("testcard.ismc"),
    ] {
        let played = play(memory, "testcard.ism", config).unwrap();
        ended(&played);
        for stream in 0..3 {
            assert!(of(&played.decoder, stream) == of(&expected, stream), "stream {stream}");
        }
    }
}

#[test]
fn every_way_in_plays() {
    let config = Config { fixed_bitrate: RATES[3], ..config() };
    let expected = over_http(config);
    let at = |memory: Memory, directory: &str| {
        let files = memory.files.iter().map(|(name, bytes)| (format!("{directory}{name}"), bytes.clone()));
        Memory { files: files.collect(), ..memory.clone() }
    };
    let deep = at(Memory::testcard(), "/films/a b/");
    for (memory, name) in [
        (Memory::testcard(), "testcard.ismc"),
        (Memory::testcard().without("testcard.ismc"), "testcard.ism"),
        (deep.clone(), "/films/a b/testcard.ism"),
        (deep.clone(), "file:///films/a%20b/testcard.ism"),
        (deep.clone(), "FILE://localhost/films/a%20b/testcard.ismc"),
        (Memory::testcard(), "file:testcard.ism"),
    ] {
        let played = play(memory, name, config).unwrap();
        ended(&played);
        for stream in 0..3 {
            assert!(of(&played.decoder, stream) == of(&expected, stream), "{name}: stream {stream}");
        }
    }
}

#[test]
fn files_without_index_play_the_same_from_compact_memory() {
    let config = Config { fixed_bitrate: RATES[1], ..config() };
    let expected = over_http(config);
    for with_client in [true, false] {
        let mut memory = Memory::testcard();
        for (name, bytes) in memory.files.clone() {
            if name.ends_with(".ismv") || name.ends_with(".isma") {
                memory.put(&name, without_index(&bytes));
            }
        }
        if !with_client {
            memory = memory.without("testcard.ismc");
        }
        let played = play(memory, "testcard.ism", config).unwrap();
        ended(&played);
        for stream in 0..3 {
            assert!(of(&played.decoder, stream) == of(&expected, stream), "stream {stream}");
        }
        assert!(played.held < 12 << 10, "{} bytes", played.held);
    }
}

#[test]
fn one_file_holds_everything() {
    let expected = over_http(Config { fixed_bitrate: RATES[3], ..config() });
    let same = |played: &Played, stream| {
        ended(played);
        let (is, should) = (of(&played.decoder, stream), of(&expected, stream));
        assert_eq!(is.len(), should.len());
        for (is, should) in is.iter().zip(&should) {
            // Bitrates are counted here, not read from a manifest.
            assert!(*is == Taken { bitrate: is.bitrate, ..should.clone() }, "stream {stream}");
        }
    };
    for version in [0, 1] {
        let muxed = testcard_muxed(version);
        for (name, bytes) in [("movie.ismv", muxed.clone()), ("movie.mp4", without_index(&muxed))] {
            let played =
                play(Memory { piece: 4096, ..Memory::default() }.with(name, bytes), name, config()).unwrap();
            for stream in 0..3 {
                same(&played, stream);
            }
        }
        // By way of a client manifest that has lost its server manifest.
        let memory = Memory { piece: 4096, ..Memory::default() }.with("movie.ismv", muxed);
        let played = play(memory.with("movie.ismc", *b"<x/>"), "movie.ismc", config()).unwrap();
        same(&played, 2);
    }
    let english = Memory::testcard().get("testcard_eng.isma");
    let memory = Memory { piece: 4096, ..Memory::default() }.with("sound.isma", english);
    for name in ["sound.isma", "sound.ismc"] {
        let played = play(memory.clone(), name, config()).unwrap();
        ended(&played);
        let should = of(&expected, 1);
        assert_eq!(played.decoder.samples.len(), should.len());
        assert!(played.decoder.samples.iter().zip(&should).all(|(is, should)| is.bytes == should.bytes));
    }
}

#[test]
fn a_fragment_that_the_index_lacks_is_a_gap() {
    let config = Config { fixed_bitrate: RATES[0], ..config() };
    let mut memory = Memory::testcard();
    for name in ["testcard_64.ismv", "testcard_100.ismv", "testcard_150.ismv", "testcard_256.ismv"] {
        let file = reindexed(&memory.get(name), 0, |n| n != 5);
        memory.put(name, file);
    }
    let played = play(memory, "testcard.ism", config).unwrap();
    assert_eq!(played.state, State::Ended);
    let gaps: Vec<_> = played.events.iter().filter(|e| e.kind == EventKind::Gap).collect();
    let [gap] = gaps.as_slice() else { panic!("one gap: {gaps:?}") };
    assert_eq!((gap.media_time.unwrap().0, gap.a, gap.http_status), (100_000_000, 2_000_000, 404));
    assert_eq!(of(&played.decoder, 0).len(), 1200 - 50);
    assert_eq!(of(&played.decoder, 1).len(), of(&over_http(config), 1).len());
}

#[test]
fn a_missing_file_leaves_the_levels_of_the_others() {
    let config = Config { fixed_bitrate: 0, ..config() };
    let played = play(Memory::testcard().without("testcard_256.ismv"), "testcard.ism", config).unwrap();
    assert_eq!(played.state, State::Ended);
    assert_eq!(of(&played.decoder, 0).len(), 1200);
    // Without a client manifest, it is not even listed.
    let memory = Memory::testcard().without("testcard_256.ismv").without("testcard.ismc");
    let played = play(memory, "testcard.ism", config).unwrap();
    ended(&played);
    assert_eq!(of(&played.decoder, 0).len(), 1200);
    assert!(played.decoder.samples.iter().all(|s| s.bitrate < 200_000));
}
