//! Tables of encryption that lie among the media data: samples still leave while their fragment arrives.

use super::protection::{KID, config};
use crate::common::decoder::Taken;
use crate::common::sealed::{PLAYREADY, playready, seal};
use crate::common::{
    Agent, Cover, Fate, Fault, Form, Link, Mode, Origin, Played, Recorder, Seal, play, play_sealed,
};
use crate::mp4_build::{boxed, full, moof, tfhd, trun, words};
use smoothcore::error::Code;
use smoothcore::io::EventKind;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::encryption::{self, EncryptionTable, reach};
use smoothcore::mp4::{SampleTable, parse_moof};
use smoothcore::port::Decryption;
use smoothcore::session::{Config, State};
use smoothcore::time::Micros;

const VIDEO: &str = "QualityLevels(101261)/Fragments(video=0)";

fn how(form: Form, name: &str) -> Seal {
    let cover = if name == "video" { Cover::Nals } else { Cover::Whole };
    Seal { form, cover, ..Seal::new(KID) }
}

fn origin(form: Form) -> Origin {
    let origin = Origin::testcard().sealed(|name, _, _| Some(how(form, name)));
    origin.with_headers(&[(PLAYREADY, playready(&[KID], ""))])
}

fn agent(decryption: Decryption) -> Agent {
    Agent::new(decryption, &[(Some(KID), Fate::At(0, 9))])
}

fn run(config: Config, link: Link, agent: Agent) -> Played {
    let played = play_sealed(Mode::EventLoop, config, link, Recorder::new(), agent, |_, _| {});
    assert_eq!(played.link.balance, 0);
    played
}

/// What came, in the order of each stream.
fn content(played: &Played) -> Vec<Taken> {
    let mut taken = played.decoder.samples.clone();
    for sample in &mut taken {
        sample.handle = None;
    }
    taken.sort_by_key(|s| s.stream);
    taken
}

fn clear() -> Vec<Taken> {
    content(&play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[100]), Recorder::new()))
}

/// Where the table of a sealed fragment starts and ends.
fn table_of(form: Form) -> (usize, usize) {
    let plain = Origin::testcard().responses[VIDEO].clone();
    let body = seal(&plain, &how(form, "video"));
    let mdat = body.windows(4).position(|w| w == b"mdat").unwrap();
    let old = plain.windows(4).position(|w| w == b"mdat").unwrap();
    let more = (body.len() - mdat) - (plain.len() - old);
    let start = if form == Form::MediaData { mdat + 4 } else { body.len() - more };
    (start, start + more)
}

#[test]
fn samples_leave_before_their_fragment_is_whole() {
    for form in [Form::Senc, Form::MediaData] {
        let played = run(config(), Link::new(origin(form), &[20]), agent(Decryption::Decoder));
        let first = played.stats.first_sample.unwrap().0;
        let done = played.events.iter().find(|e| e.kind == EventKind::FragmentDone).unwrap();
        assert!(first + 200_000 < done.at.0, "{form:?}: {first} {}", done.at.0);
        assert_eq!((played.state, content(&played) == clear()), (State::Ended, true), "{form:?}");
    }
}

#[test]
fn a_table_cut_anywhere_is_read_anew() {
    let (start, end) = table_of(Form::MediaData);
    assert!(end - start > 500, "{start} {end}");
    let clear = clear();
    for at in [start - 9, start - 1, start, start + 1, start + 100, end - 1, end, end + 1, end + 2_000] {
        for decryption in [Decryption::Decoder, Decryption::Port] {
            let link = Link::new(origin(Form::MediaData), &[40]).fault(VIDEO, 1, Fault::Cut(at));
            let played = run(config(), link, agent(decryption));
            assert_eq!(played.count(EventKind::Retry), 1, "{at}");
            assert!(content(&played) == clear, "{at} {decryption:?}");
        }
    }
}

#[test]
fn it_fits_small_budgets() {
    for budget in [256 << 10, 512 << 10] {
        let config = Config { budget, fixed_bitrate: 0, ..config() };
        let link = Link::new(origin(Form::MediaData), &[120, 12, 300, 40]);
        let played = run(config, link, agent(Decryption::Port));
        assert_eq!((played.state, played.count(EventKind::Gap)), (State::Ended, 0), "{budget}");
        assert!(played.stats.peak_held <= budget);
    }
}

#[test]
fn a_table_behind_its_samples_is_refused_by_name() {
    let limits = Limits { tries: 2, retry_first: Micros::from_millis(1), ..Limits::default() };
    let played = run(
        Config { limits, ..config() },
        Link::new(origin(Form::BehindSamples), &[500]),
        agent(Decryption::Decoder),
    );
    let codes: Vec<Code> = played.events.iter().filter_map(|e| e.error).map(|e| e.code).collect();
    assert!(codes.contains(&Code::EncryptionTable), "{codes:?}");
    assert!(
        matches!(played.state, State::Failed(e) if e.code == Code::EncryptionTable),
        "{:?}",
        played.state
    );
    assert!(played.decoder.samples.is_empty());
}

#[test]
fn one_fragment_with_its_table_behind_is_a_gap() {
    let mut origin = origin(Form::Senc);
    let path = "QualityLevels(101261)/Fragments(video=60000000)";
    let plain = Origin::testcard().responses[path].clone();
    origin.responses.insert(path.into(), seal(&plain, &how(Form::BehindSamples, "video")));
    let played = run(config(), Link::new(origin, &[500]), agent(Decryption::Decoder));
    assert_eq!((played.state, played.count(EventKind::Gap)), (State::Ended, 1));
}

/// A `moof` with two samples of nine bytes, whose vectors of eight bytes lie at `offset`.
fn pointing(offset: u32, entries: u32) -> Vec<u8> {
    let saiz = full(b"saiz", 0, 0, &[&[8][..], &words(&[2])].concat());
    let offsets = vec![offset; entries as usize];
    let saio = full(b"saio", 0, 0, &words(&[&[entries][..], &offsets].concat()));
    moof(&[tfhd(0, &[]), [saiz, saio].concat(), trun(0x200, 2, &[9, 9])])
}

#[test]
fn how_far_a_table_reaches() {
    let limits = Limits::default();
    let mut account = Account::new(1 << 20);
    let len = pointing(0, 1).len() as u32;
    let cases = [
        (0, 1, len),
        (len - 16, 1, len),
        (len + 8, 1, len + 24),
        (len + 800, 1, len + 816),
        // Too far for any body, and in more than one piece: left to be refused.
        (u32::MAX, 1, if usize::BITS == 32 { len } else { u32::MAX.wrapping_add(16) }),
        (len + 8, 2, len + 4),
        (len + 8, 0, len - 4),
    ];
    for (offset, entries, far) in cases {
        let moof = pointing(offset, entries);
        let mut samples = SampleTable::new();
        let info = parse_moof(&moof, 40, &mut account, &limits, &mut samples).unwrap();
        assert_eq!(reach(&moof, &info, &limits) as u32, far, "{offset} {entries}");
        samples.free(&mut account);
    }
}

#[test]
fn a_table_is_read_from_what_follows_the_moof() {
    let limits = Limits::default();
    let mut account = Account::new(1 << 20);
    let head = pointing(pointing(0, 1).len() as u32 + 8, 1);
    let body = [&head[..], &boxed(b"mdat", &[[1; 8], [2; 8], [3; 8]].concat())].concat();
    let mut samples = SampleTable::new();
    let info = parse_moof(&head, 40, &mut account, &limits, &mut samples).unwrap();
    let far = reach(&head, &info, &limits) as usize;
    let mut out = EncryptionTable::new();
    for end in head.len()..=body.len() {
        let read = encryption::parse(&body[..end], &info, &samples, &mut account, &limits, &mut out);
        assert_eq!(read.map_err(|e| e.code), if end < far { Err(Code::EncryptionTable) } else { Ok(()) });
        if end >= far {
            let ivs = [0, 1].map(|n| out.sample(n).unwrap().iv.to_vec());
            assert_eq!(ivs, [vec![1; 8], vec![2; 8]]);
        }
        out.clear();
    }
}
