//! What a session costs for each sample, from memory to a decoder that takes everything, beside a copy of the same bytes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use smoothcore::io::{Configured, DecoderTraits, Framing, Input, Outcome, Output, RequestId};
use smoothcore::limits::Limits;
use smoothcore::mp4::index::{Index, MFRO_BYTES, index_size};
use smoothcore::session::{AudioChoice, Config, Session, State};
use smoothcore::time::{Instant, MediaTime};

use crate::{best, counting, megabytes_per_second};

const URL: &str = "http://origin.test/testcard.ism/Manifest";
const FILES: [(u32, &str, &str); 6] = [
    (64_852, "video", "testcard_64.ismv"),
    (101_261, "video", "testcard_100.ismv"),
    (151_877, "video", "testcard_150.ismv"),
    (258_995, "video", "testcard_256.ismv"),
    (22_924, "audio_eng", "testcard_eng.isma"),
    (26_030, "audio_fra", "testcard_fra.isma"),
];

type Origin = BTreeMap<String, &'static [u8]>;

fn origin(media: &Path) -> Origin {
    let read = |name: &str| match std::fs::read(media.join(name)) {
        Ok(bytes) => bytes,
        Err(error) => panic!("{}: {error}", media.join(name).display()),
    };
    // Read once, kept to the end.
    let mut origin = Origin::new();
    origin.insert("Manifest".into(), read("testcard.ismc").leak());
    for (bitrate, stream, name) in FILES {
        let file: &'static [u8] = read(name).leak();
        let tail: &[u8; MFRO_BYTES] = file.last_chunk().expect("a file");
        let size = index_size(tail).expect("a file that ends in its index") as usize;
        let mut index = Index::new(&file[file.len() - size..], &Limits::default()).expect("an index");
        let track = index.next_track().expect("an index").expect("a track");
        for entry in track.iter() {
            let length = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().expect("four")) as usize;
            let moof = entry.moof_offset as usize;
            let mdat = moof + length(moof);
            let path = format!("QualityLevels({bitrate})/Fragments({stream}={})", entry.time);
            origin.insert(path, &file[moof..mdat + length(mdat)]);
        }
    }
    origin
}

/// What one session did.
#[derive(Default)]
struct Cost {
    samples: u64,
    fragments: u64,
    bytes: usize,
}

fn open(framing: Framing) -> Session {
    let decoder = DecoderTraits { framing, flags: DecoderTraits::UNPACED };
    let config = Config { decoder, audio: AudioChoice::All, fixed_bitrate: 258_995, ..Config::default() };
    let mut session = Session::new(config).expect("a session");
    session.open(Instant(0), URL).expect("a good URL");
    session
}

/// Plays to the end, from where the session stands.
fn play(session: &mut Session, origin: &Origin, open: &mut Vec<(RequestId, &'static [u8])>) -> Cost {
    let mut cost = Cost::default();
    let at = Instant(0);
    loop {
        loop {
            match session.poll() {
                Output::Idle(_) => break,
                Output::Request(request) => {
                    let path = request.url.split_once(".ism/").expect("a path").1;
                    let body = origin[path];
                    cost.fragments += 1;
                    cost.bytes += body.len();
                    open.push((request.id, body));
                }
                Output::Configure(setup) => {
                    let stream = setup.stream;
                    session.input(at, Input::Configured(stream, Configured::Ok));
                }
                Output::Sample(sample) => {
                    let stream = sample.stream;
                    cost.samples += 1;
                    session.input(at, Input::Accepted(stream));
                }
                _ => {}
            }
        }
        // In turns, as a network would bring them.
        let Some((id, body)) = open.pop() else { break };
        let space = session.space(id);
        let count = space.len().min(body.len());
        space[..count].copy_from_slice(&body[..count]);
        session.filled(at, id, count);
        if count == body.len() {
            session.input(at, Input::Finished(id, Outcome::Complete));
        } else {
            open.insert(0, (id, &body[count..]));
        }
    }
    assert_eq!(session.state(), State::Ended);
    cost
}

/// The same bytes into a block of 16 KiB, again and again: what moving them costs anyone.
fn copy(origin: &Origin) -> u64 {
    let mut block = vec![0u8; 16 << 10];
    let mut sum = 0;
    for (_, body) in origin.iter().filter(|(path, _)| path.contains("258995") || path.contains("audio")) {
        for part in body.chunks(block.len()) {
            block[..part.len()].copy_from_slice(part);
            sum += u64::from(std::hint::black_box(&block)[0]);
        }
    }
    sum
}

pub fn measure(media: &Path) {
    let origin = origin(media);
    println!(
        "play: the test card from memory, highest level and two audio streams, to a decoder that keeps nothing"
    );
    let (mut last, mut again, mut calls) = (Cost::default(), Cost::default(), 0);
    let mut exchanges = Vec::with_capacity(8);
    let floor = best(50, || copy(&origin));
    for (what, framing) in
        [("start codes and ADTS", Framing::ElementaryStream), ("length-prefixed", Framing::LengthPrefixed)]
    {
        let took = best(50, || last = play(&mut open(framing), &origin, &mut exchanges));
        line(what, took, &last);
        let mut session = open(framing);
        play(&mut session, &origin, &mut exchanges);
        session.seek(Instant(0), MediaTime(0)).expect("a session to seek in");
        calls += counting::calls_of(|| again = play(&mut session, &origin, &mut exchanges));
    }
    line("reference: copying it", floor, &last);
    println!(
        "  {calls} allocations for the {} fragments that follow once all has been played",
        again.fragments
    );
}

fn line(what: &str, took: Duration, cost: &Cost) {
    println!(
        "  {what:<26} {:>8.2} ms {:>7.0} MB/s {:>7.0} ns a sample",
        took.as_secs_f64() * 1e3,
        megabytes_per_second(cost.bytes, took),
        took.as_nanos() as f64 / cost.samples as f64
    );
}
