//! Encrypted presentations: who decrypts, keys that come late, change or never come, what a decoder can play, and what
//! outputs are allowed to show.

use crate::common::decoder::Taken;
use crate::common::sealed::{ENVELOPE, PLAYREADY, playready, seal};
use crate::common::{
    Agent, Cover, Fate, Form, Link, Mode, Origin, Played, Recorder, Seal, play, play_sealed, play_with,
};
use smoothcore::error::Code;
use smoothcore::io::{
    DecoderTraits, Event, EventKind, Framing, Kid, OfferSource, SampleFlags, Scheme, StreamId,
};
use smoothcore::port::Decryption;
use smoothcore::protection;
use smoothcore::session::{AudioChoice, Config, State};
use smoothcore::time::{Instant, Micros};

const EVERY: [Mode; 3] = [Mode::SansIo, Mode::EventLoop, Mode::Blocking];
pub const KID: Kid = Kid(*b"0123456789abcdef");
const NEXT: Kid = Kid(*b"fedcba9876543210");
const HANDLE: u64 = 0xdead_beef_0000_0001;

pub fn config() -> Config {
    Config {
        audio: AudioChoice::First,
        seed: 7,
        budget: 4 << 20,
        fixed_bitrate: 101_261,
        ..Config::default()
    }
}

/// One key, named by the header, in every fragment of pictures and sound.
fn usual() -> Origin {
    let origin = Origin::testcard().sealed(|name, _, _| Some(whole_sound(name, Seal::new(KID))));
    origin.with_headers(&[(PLAYREADY, playready(&[KID], "https://licence.test/a?b=1"))])
}

/// Sound has no subsamples.
fn whole_sound(name: &str, seal: Seal) -> Seal {
    let cover = if name == "video" { seal.cover } else { Cover::Whole };
    Seal { cover, ..seal }
}

fn now() -> Vec<(Option<Kid>, Fate)> {
    vec![(Some(KID), Fate::At(0, HANDLE))]
}

fn run(mode: Mode, origin: Origin, decoder: Recorder, agent: Agent) -> Played {
    run_with(mode, config(), origin, decoder, agent)
}

fn run_with(mode: Mode, config: Config, origin: Origin, decoder: Recorder, agent: Agent) -> Played {
    let played = play_sealed(mode, config, Link::new(origin, &[100]), decoder, agent, |_, _| {});
    assert_eq!(played.link.balance, 0);
    played
}

fn tasting(framing: Framing, flags: u32) -> Recorder {
    Recorder { traits: DecoderTraits { framing, flags }, ..Recorder::new() }
}

/// What came, but for how: in the order of each stream.
fn content(played: &Played) -> Vec<Taken> {
    let mut taken = played.decoder.samples.clone();
    for sample in &mut taken {
        sample.handle = None;
    }
    taken.sort_by_key(|s| s.stream);
    taken
}

/// The same; where a decoder was set up again for a new key it got parameter sets again, which are taken away.
fn content_but_for_set_up(played: &Played, clear: &Played) -> Vec<Taken> {
    let mut taken = content(played);
    for (got, was) in taken.iter_mut().zip(content(clear)) {
        if got.flags != was.flags {
            assert_eq!(got.flags & !SampleFlags::CONFIG.0, was.flags & !SampleFlags::CONFIG.0);
            assert!(got.bytes.ends_with(&was.bytes));
            *got = was;
        }
    }
    taken
}

fn events(played: &Played, kind: EventKind) -> Vec<&Event> {
    played.events.iter().filter(|e| e.kind == kind).collect()
}

fn failed(played: &Played) -> Option<Code> {
    match played.state {
        State::Failed(error) => Some(error.code),
        _ => None,
    }
}

#[test]
fn encrypted_is_as_clear_in_every_mode_and_framing() {
    let tastes = [
        (Framing::ElementaryStream, 0),
        (Framing::ElementaryStream, DecoderTraits::CONTIGUOUS | DecoderTraits::NEEDS_AUD),
        (Framing::ElementaryStream, DecoderTraits::REPEAT_PARAMETER_SETS),
        (Framing::LengthPrefixed, 0),
        (Framing::LengthPrefixed, DecoderTraits::CONTIGUOUS),
    ];
    for (framing, flags) in tastes {
        let clear =
            play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[100]), tasting(framing, flags));
        assert_eq!(clear.state, State::Ended);
        for decryption in [Decryption::Decoder, Decryption::Port] {
            let mut logs = Vec::new();
            for mode in EVERY {
                let agent = Agent::new(decryption, &now());
                let played = run(mode, usual(), tasting(framing, flags), agent);
                assert_eq!(played.state, State::Ended, "{mode:?} {decryption:?}");
                assert!(content(&played) == content(&clear), "{framing:?} {flags} {mode:?} {decryption:?}");
                let handles = played.decoder.samples.iter().filter(|s| s.handle == Some(HANDLE)).count();
                let expected =
                    if decryption == Decryption::Decoder { played.decoder.samples.len() } else { 0 };
                assert_eq!(handles, expected);
                assert_eq!(played.agent.offers.len(), 1);
                assert_eq!(played.agent.closed, 1);
                logs.push(played.decoder.log);
            }
            assert!(logs.iter().all(|log| *log == logs[0]), "{framing:?} {flags} {decryption:?}");
        }
    }
}

#[test]
fn the_header_is_offered_once_before_anything_is_fetched() {
    let played = run(Mode::EventLoop, usual(), Recorder::new(), Agent::new(Decryption::Decoder, &now()));
    let [offer] = &played.agent.offers[..] else { panic!("{:?}", played.agent.offers) };
    let opened = events(&played, EventKind::Opened)[0].at.0;
    let fetched = events(&played, EventKind::FragmentStarted)[0].at.0;
    assert!(opened <= offer.at && offer.at <= fetched);
    assert_eq!((offer.source, offer.system_id), (OfferSource::Manifest, protection::PLAYREADY));
    assert_eq!((&offer.kids[..], offer.scheme), (&[KID][..], Some(Scheme::AesCtr)));
    assert_eq!(offer.la_url, "https://licence.test/a?b=1");
    assert_eq!(offer.data, playready(&[KID], "https://licence.test/a?b=1"), "to the byte");
}

#[test]
fn every_box_vector_and_cover_plays() {
    let clear = play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[100]), Recorder::new());
    for form in [Form::Piff, Form::Override, Form::Senc, Form::MediaData] {
        for iv_size in [8, 16] {
            for decryption in [Decryption::Decoder, Decryption::Port] {
                let how = Seal { form, iv_size, ..Seal::new(KID) };
                let origin = Origin::testcard().sealed(|name, _, _| Some(whole_sound(name, how.clone())));
                // Without a header the fragments must name the key.
                let origin = match form {
                    Form::Override => origin,
                    _ => origin.with_headers(&[(PLAYREADY, playready(&[KID], ""))]),
                };
                let played = run(Mode::EventLoop, origin, Recorder::new(), Agent::new(decryption, &now()));
                assert!(content(&played) == content(&clear), "{form:?} {iv_size} {decryption:?}");
            }
        }
    }
}

#[test]
fn pictures_whose_lengths_are_encrypted_go_out_as_they_lie_in_the_file() {
    for cover in [Cover::Whole, Cover::Lengths] {
        let how = Seal { cover, ..Seal::new(KID) };
        let origin = Origin::testcard().sealed(|name, _, _| Some(whole_sound(name, how.clone())));
        let origin = origin.with_headers(&[(PLAYREADY, playready(&[KID], ""))]);
        let prefixed = play(
            Mode::EventLoop,
            config(),
            Link::new(Origin::testcard(), &[100]),
            tasting(Framing::LengthPrefixed, 0),
        );
        let elementary =
            play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[100]), Recorder::new());
        let played =
            run(Mode::EventLoop, origin.clone(), Recorder::new(), Agent::new(Decryption::Decoder, &now()));
        assert_eq!(played.state, State::Ended);
        let (got, pictures, sound) = (content(&played), content(&prefixed), content(&elementary));
        for ((got, picture), sound) in got.iter().zip(&pictures).zip(&sound) {
            let expected = if got.stream == 0 { &picture.bytes } else { &sound.bytes };
            assert!(got.bytes == *expected, "{cover:?} {} {}", got.stream, got.dts);
            let verbatim = SampleFlags(got.flags).has(SampleFlags::VERBATIM);
            assert_eq!(verbatim, got.stream == 0);
            assert!(!verbatim || !SampleFlags(got.flags).has(SampleFlags::CONFIG));
        }
        assert_eq!(got.len(), pictures.len());
        // Decrypted in memory they are framed as ever.
        let played = run(Mode::EventLoop, origin, Recorder::new(), Agent::new(Decryption::Port, &now()));
        assert!(content(&played) == sound, "{cover:?}");
    }
}

/// Three pictures of three units each, one of them empty, behind lengths of `length` bytes.
fn short_lengths(length: usize) -> Origin {
    const AVC: &str = "00000001674D400CF30202760220000003002000000641E28523400000000168E97B2C80";
    let samples: Vec<Vec<u8>> = (0..3u8)
        .map(|n| {
            let units = [vec![0x65, n, 1, 2], Vec::new(), (0..100 + n).map(|b| 0x65 ^ b).collect()];
            units
                .iter()
                .flat_map(|unit: &Vec<u8>| [&(unit.len() as u64).to_be_bytes()[8 - length..], unit].concat())
                .collect()
        })
        .collect();
    let moof = crate::mp4_build::moof_with(|size| {
        let sizes = samples.iter().flat_map(|s| [10_000_000, s.len() as u32]).collect::<Vec<u32>>();
        let fields = [&[size + 8][..], &sizes].concat();
        vec![crate::mp4_build::tfhd(0, &[]), crate::mp4_build::trun(0x301, 3, &fields)]
    });
    let body = [moof, crate::mp4_build::mdat(&samples.concat())].concat();
    let manifest = format!(
        "<SmoothStreamingMedia MajorVersion=\"2\" Duration=\"0\"><StreamIndex Type=\"video\" Name=\"video\" Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\"><QualityLevel Index=\"0\" Bitrate=\"1\" FourCC=\"H264\" MaxWidth=\"256\" MaxHeight=\"144\" NALUnitLengthField=\"{length}\" CodecPrivateData=\"{AVC}\"/><c t=\"0\" d=\"30000000\" r=\"3\"/></StreamIndex></SmoothStreamingMedia>"
    );
    let mut origin = Origin::default();
    origin.responses.insert("Manifest".into(), manifest.into_bytes());
    for time in [0, 30_000_000, 60_000_000] {
        origin.responses.insert(format!("QualityLevels(1)/Fragments(video={time})"), body.clone());
    }
    origin
}

#[test]
fn parts_grow_with_lengths_of_one_and_two_bytes() {
    for nal_length in [1, 2, 4] {
        for flags in [0, DecoderTraits::CONTIGUOUS, DecoderTraits::NEEDS_AUD] {
            let decoder = || tasting(Framing::ElementaryStream, flags);
            let origin = short_lengths(nal_length);
            let clear = play(Mode::EventLoop, config(), Link::new(origin.clone(), &[100]), decoder());
            assert_eq!((clear.state, clear.decoder.samples.len()), (State::Ended, 9));
            for decryption in [Decryption::Decoder, Decryption::Port] {
                let how = Seal { nal_length, form: Form::Override, ..Seal::new(KID) };
                let origin = origin.clone().sealed(|_, _, _| Some(how.clone()));
                let played = run(Mode::EventLoop, origin, decoder(), Agent::new(decryption, &now()));
                assert!(content(&played) == content(&clear), "{nal_length} {flags} {decryption:?}");
            }
        }
    }
}

#[test]
fn a_clear_lead_plays_before_the_key_is_there() {
    let origin = Origin::testcard()
        .sealed(|name, _, time| (time >= 100_000_000).then(|| whole_sound(name, Seal::new(KID))))
        .with_headers(&[(PLAYREADY, playready(&[KID], ""))]);
    let clear = play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[100]), Recorder::new());
    for decryption in [Decryption::Decoder, Decryption::Port] {
        // 10 s are clear; the key takes 20.
        let agent = Agent::new(decryption, &[(Some(KID), Fate::At(20_000_000, HANDLE))]);
        let played = run(Mode::EventLoop, origin.clone(), Recorder::new(), agent);
        assert_eq!(played.state, State::Ended);
        assert_eq!(played.stats.stalls, 1);
        assert!(played.stats.startup.unwrap() < Micros::from_secs(3));
        assert!(content_but_for_set_up(&played, &clear) == content(&clear));
        let stalled = events(&played, EventKind::Stalled)[0].at.0;
        let resumed = events(&played, EventKind::Resumed)[0].at.0;
        assert!((9_000_000..13_000_000).contains(&stalled), "{stalled}");
        assert!((20_000_000..21_000_000).contains(&resumed), "{resumed}");
        let timeouts = events(&played, EventKind::KeyTimeout);
        // Both streams wait, from when their last clear sample was taken; only one of the waits need be 10 s.
        assert!(timeouts.len() <= 2);
        if decryption == Decryption::Decoder {
            let configured = played.decoder.log.lines().filter(|l| l.starts_with("configure 0 ")).count();
            assert_eq!(configured, 2, "anew with the key");
        }
    }
}

#[test]
fn a_late_key_is_told_once_and_waited_for() {
    for decryption in [Decryption::Decoder, Decryption::Port] {
        for mode in EVERY {
            let agent = Agent::new(decryption, &[(Some(KID), Fate::At(12_000_000, HANDLE))]);
            let config = Config { key_timeout: Micros::from_secs(3), ..config() };
            let played = run_with(mode, config, usual(), Recorder::new(), agent);
            assert_eq!(played.state, State::Ended, "{mode:?}");
            let timeouts = events(&played, EventKind::KeyTimeout);
            assert_eq!(timeouts.len(), 2, "one a stream");
            for event in timeouts {
                assert!((3_000_000..5_000_000).contains(&event.at.0), "{}", event.at.0);
                assert_eq!(event.error.unwrap().code, Code::KeyTimeout);
                let name = [event.a.to_be_bytes(), event.b.to_be_bytes()].concat();
                assert_eq!(name, KID.0);
                assert_eq!(event.media_time.unwrap().0, 0);
            }
            assert!(played.stats.startup.unwrap() >= Micros::from_secs(12), "nothing starts without it");
            assert_eq!(played.stats.stalls, 0);
        }
    }
}

#[test]
fn a_refused_key_fails_the_stream_with_its_reason() {
    for mode in EVERY {
        for (code, told) in [(Code::KeyRefused, Code::KeyRefused), (Code::NetworkIo, Code::KeyRefused)] {
            let agent = Agent::new(Decryption::Decoder, &[(Some(KID), Fate::Refused(1_000_000, code))]);
            let played = run(mode, usual(), Recorder::new(), agent);
            assert_eq!(failed(&played), Some(told), "{mode:?}");
            assert!(played.decoder.samples.is_empty());
            let dropped = events(&played, EventKind::StreamDropped);
            assert!(dropped.iter().any(|e| e.stream == Some(StreamId(0)) && e.error.unwrap().code == told));
        }
    }
    // Sound alone may go: the picture plays on.
    let both = [(Some(KID), Fate::At(0, HANDLE)), (Some(NEXT), Fate::Refused(0, Code::KeyRefused))];
    let origin = Origin::testcard().sealed(|name, _, _| {
        let kid = if name == "video" { KID } else { NEXT };
        Some(whole_sound(name, Seal { form: Form::Override, ..Seal::new(kid) }))
    });
    let played = run(Mode::EventLoop, origin, Recorder::new(), Agent::new(Decryption::Decoder, &both));
    assert_eq!(played.state, State::Ended);
    assert_eq!(events(&played, EventKind::StreamDropped)[0].stream, Some(StreamId(1)));
    assert!(played.decoder.samples.iter().all(|s| s.stream == 0));
}

#[test]
fn a_refused_key_of_some_levels_leaves_the_others() {
    let origin = Origin::testcard()
        .sealed(|name, bitrate, _| {
            let kid = if name == "video" && bitrate > 110_000 { NEXT } else { KID };
            Some(whole_sound(name, Seal { form: Form::Override, ..Seal::new(kid) }))
        })
        .with_headers(&[(PLAYREADY, playready(&[KID, NEXT], ""))]);
    let keys = [(Some(KID), Fate::At(0, HANDLE)), (Some(NEXT), Fate::Refused(0, Code::OutputRestricted))];
    let config = Config { fixed_bitrate: 0, start_bitrate: 300_000, ..config() };
    let played =
        run_with(Mode::EventLoop, config, origin, Recorder::new(), Agent::new(Decryption::Decoder, &keys));
    assert_eq!(played.state, State::Ended);
    let dropped = events(&played, EventKind::LevelDropped);
    assert_eq!(dropped.len(), 2);
    assert!(dropped.iter().all(|e| e.a > 110_000 && e.error.unwrap().code == Code::OutputRestricted));
    assert_eq!(played.count(EventKind::Gap), 0);
    assert_eq!(played.decoder.samples.iter().filter(|s| s.stream == 0).count(), 1200);
}

#[test]
fn keys_change_between_fragments() {
    let clear = play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[100]), Recorder::new());
    let origin = Origin::testcard()
        .sealed(|name, _, time| {
            let kid = if time >= 200_000_000 { NEXT } else { KID };
            Some(whole_sound(name, Seal { form: Form::Override, ..Seal::new(kid) }))
        })
        .with_headers(&[(PLAYREADY, playready(&[KID], ""))]);
    for decryption in [Decryption::Decoder, Decryption::Port] {
        for (ready, stalls) in [(0, 0), (30_000_000, 1)] {
            let keys = [(Some(KID), Fate::At(0, HANDLE)), (Some(NEXT), Fate::At(ready, 9))];
            let played = run(Mode::EventLoop, origin.clone(), Recorder::new(), Agent::new(decryption, &keys));
            assert_eq!(played.state, State::Ended, "{decryption:?} {ready}");
            assert_eq!(played.stats.stalls, stalls);
            assert!(content_but_for_set_up(&played, &clear) == content(&clear), "{decryption:?} {ready}");
            let [first, second] = &played.agent.offers[..] else { panic!("{:?}", played.agent.offers) };
            assert_eq!((first.source, &first.kids[..]), (OfferSource::Manifest, &[KID][..]));
            assert_eq!((second.source, &second.kids[..]), (OfferSource::Key, &[NEXT][..]));
            assert_eq!((second.system_id, &second.data), (first.system_id, &first.data));
            // The key is wanted long before its samples are.
            assert!(second.at < 5_000_000, "{}", second.at);
            if decryption == Decryption::Decoder {
                for s in &played.decoder.samples {
                    assert_eq!(s.handle, Some(if s.fragment >= 200_000_000 { 9 } else { HANDLE }));
                }
            }
        }
    }
}

#[test]
fn a_pssh_box_in_a_fragment_is_offered_once() {
    let pssh = |data: &[u8]| {
        let mut b = (32 + data.len() as u32).to_be_bytes().to_vec();
        b.extend_from_slice(b"pssh\0\0\0\0");
        b.extend_from_slice(&protection::WIDEVINE);
        b.extend_from_slice(&(data.len() as u32).to_be_bytes());
        [b, data.to_vec()].concat()
    };
    let origin = Origin::testcard().sealed(|name, _, _| {
        let how = Seal { form: Form::Override, extra: pssh(b"who has the key?"), ..Seal::new(KID) };
        Some(whole_sound(name, how))
    });
    let played = run(Mode::EventLoop, origin, Recorder::new(), Agent::new(Decryption::Decoder, &now()));
    assert_eq!(played.state, State::Ended);
    let sources: Vec<OfferSource> = played.agent.offers.iter().map(|o| o.source).collect();
    assert_eq!(sources, [OfferSource::Fragment, OfferSource::Key]);
    let offer = &played.agent.offers[0];
    assert_eq!((offer.system_id, &offer.data[..]), (protection::WIDEVINE, &b"who has the key?"[..]));
}

#[test]
fn without_a_name_there_is_a_key_all_the_same() {
    let origin = Origin::testcard()
        .sealed(|name, _, _| Some(whole_sound(name, Seal { kid: None, ..Seal::new(KID) })))
        .with_headers(&[(PLAYREADY, playready(&[], "https://licence.test/"))]);
    let agent = Agent::new(Decryption::Decoder, &[(None, Fate::At(0, 5))]);
    let played = run(Mode::EventLoop, origin, Recorder::new(), agent);
    assert_eq!(played.state, State::Ended);
    assert!(played.decoder.samples.iter().all(|s| s.handle == Some(5)));
    assert_eq!(played.agent.offers.len(), 1);
}

#[test]
fn without_protection_encrypted_streams_are_dropped() {
    let played = run(Mode::EventLoop, usual(), Recorder::new(), Agent::none());
    assert_eq!(failed(&played), Some(Code::ProtectionMissing));
    assert_eq!(Code::ProtectionMissing.number(), -406);
    assert!(played.agent.offers.is_empty());
}

#[test]
fn the_envelope_is_unsupported_and_not_a_fault_of_the_fragments() {
    for agent in [Agent::none(), Agent::new(Decryption::Decoder, &now())] {
        let mut origin = Origin::testcard().with_headers(&[(ENVELOPE, b"<ContentProtection/>".to_vec())]);
        for (path, body) in &mut origin.responses {
            if path != "Manifest" {
                body.iter_mut().for_each(|b| *b ^= 0x77);
            }
        }
        let played = run(Mode::EventLoop, origin, Recorder::new(), agent);
        assert_eq!(failed(&played), Some(Code::ProtectionUnsupported));
        let dropped = events(&played, EventKind::HeaderDropped);
        assert_eq!(dropped.len(), 1);
        assert_eq!(dropped[0].error.unwrap().code, Code::ProtectionUnsupported);
        assert_eq!(played.count(EventKind::Retry), 0);
    }
}

#[test]
fn a_broken_header_is_reported_and_the_next_one_offered() {
    let headers = [(PLAYREADY, b"no object".to_vec()), (PLAYREADY, playready(&[KID], ""))];
    let origin = Origin::testcard()
        .sealed(|name, _, _| Some(whole_sound(name, Seal::new(KID))))
        .with_headers(&headers);
    let played = run(Mode::EventLoop, origin, Recorder::new(), Agent::new(Decryption::Decoder, &now()));
    assert_eq!(played.state, State::Ended);
    let dropped = events(&played, EventKind::HeaderDropped);
    assert_eq!((dropped.len(), dropped[0].a, dropped[0].error.unwrap().code), (1, 0, Code::ProtectionHeader));
    assert_eq!(played.agent.offers.len(), 1);
    assert_eq!(played.agent.offers[0].data, headers[1].1);
}

#[test]
fn a_busy_decryptor_is_asked_again() {
    let clear = play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[100]), Recorder::new());
    for mode in EVERY {
        let agent = Agent { busy_every: 3, ..Agent::new(Decryption::Port, &now()) };
        let played = run(mode, usual(), Recorder::new(), agent);
        assert!(content(&played) == content(&clear), "{mode:?}");
        assert_eq!(played.agent.decrypted, played.decoder.samples.len() as u64, "each once");
    }
}

#[test]
fn samples_that_cannot_be_decrypted_are_left_out_until_it_is_hopeless() {
    let agent = Agent { failing: Some(Code::DecryptFailed), ..Agent::new(Decryption::Port, &now()) };
    let played = run(Mode::EventLoop, usual(), Recorder::new(), agent);
    assert_eq!(failed(&played), Some(Code::DecryptFailed));
    assert!(played.decoder.samples.is_empty());
    let gaps = events(&played, EventKind::Gap);
    assert!(gaps.len() >= 7 && gaps.iter().all(|e| e.error.unwrap().code == Code::DecryptFailed));
}

#[test]
fn a_seek_before_the_key_is_there_waits_anew() {
    let agent = Agent::new(Decryption::Decoder, &[(Some(KID), Fate::At(8_000_000, HANDLE))]);
    let mut seek = Some(5_000_000);
    let config = Config { key_timeout: Micros::from_secs(4), ..config() };
    let played = play_sealed(
        Mode::EventLoop,
        config,
        Link::new(usual(), &[100]),
        Recorder::new(),
        agent,
        |now, session| {
            if seek.is_some_and(|at| now >= at) {
                session.seek(Instant(now), smoothcore::time::MediaTime(300_000_000)).unwrap();
                seek = None;
            }
        },
    );
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.count(EventKind::KeyTimeout), 2, "before the seek; after it the key comes in time");
    assert!(played.decoder.samples.iter().all(|s| s.fragment >= 280_000_000));
}

#[test]
fn cut_fragments_are_decrypted_anew() {
    let clear = play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[100]), Recorder::new());
    for decryption in [Decryption::Decoder, Decryption::Port] {
        let mut link = Link::new(usual(), &[40]);
        for (path, at) in [("video=0", 9000), ("video=100000000", 20_000), ("video=20000000", 1500)] {
            link = link.fault(
                &format!("QualityLevels(101261)/Fragments({path})"),
                1,
                crate::common::Fault::Cut(at),
            );
        }
        let agent = Agent { busy_every: 5, ..Agent::new(decryption, &now()) };
        let played = play_sealed(Mode::EventLoop, config(), link, Recorder::new(), agent, |_, _| {});
        assert_eq!(played.count(EventKind::Retry), 3);
        assert!(content(&played) == content(&clear), "{decryption:?}");
    }
}

#[test]
fn levels_the_decoder_cannot_play_are_dropped_before_the_start() {
    for mode in EVERY {
        let mut decoder = tasting(Framing::ElementaryStream, DecoderTraits::CAPABILITIES);
        decoder.incapable = vec![258_995, 151_877];
        let config = Config { fixed_bitrate: 0, start_bitrate: 300_000, ..config() };
        let played = play(mode, config, Link::new(Origin::testcard(), &[500]), decoder);
        assert_eq!(played.state, State::Ended, "{mode:?}");
        let asked: Vec<(u16, u32)> = played.decoder.asked.clone();
        assert_eq!(asked, [(0, 64_852), (0, 101_261), (0, 151_877), (0, 258_995), (1, 22_924), (2, 26_030)]);
        let dropped = events(&played, EventKind::LevelDropped);
        let told: Vec<u64> = dropped.iter().map(|e| e.a).collect();
        assert_eq!(told, [151_877, 258_995]);
        assert!(dropped.iter().all(|e| e.error.unwrap().code == Code::NotCapable));
        assert!(played.link.requests.iter().all(|r| !r.contains("258995") && !r.contains("151877")));
        let fetched = events(&played, EventKind::FragmentStarted)[0].at;
        assert!(dropped.iter().all(|e| e.at <= fetched));
    }
}

#[test]
fn a_stream_of_which_nothing_can_be_played_gives_way_to_the_next() {
    let mut decoder = tasting(Framing::ElementaryStream, DecoderTraits::CAPABILITIES);
    decoder.incapable = vec![22_924];
    let played = play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[500]), decoder);
    assert_eq!(played.state, State::Ended);
    let dropped = events(&played, EventKind::StreamDropped);
    assert_eq!((dropped.len(), dropped[0].stream), (1, Some(StreamId(1))));
    assert!(played.decoder.samples.iter().any(|s| s.stream == 2), "the second language");
    // And nothing at all is an error of its own.
    let mut decoder = tasting(Framing::ElementaryStream, DecoderTraits::CAPABILITIES);
    decoder.incapable = vec![22_924, 26_030, 64_852, 101_261, 151_877, 258_995];
    let played = play(Mode::EventLoop, config(), Link::new(Origin::testcard(), &[500]), decoder);
    assert_eq!(failed(&played), Some(Code::ManifestNothingPlayable));
}

#[test]
fn restrictions_change_while_it_plays() {
    for mode in [Mode::SansIo, Mode::EventLoop] {
        let config = Config { fixed_bitrate: 0, start_bitrate: 300_000, ..config() };
        let mut steps = vec![(24_000_000, 0b1111u64), (12_000_000, 0b0011)];
        let played = play_with(
            mode,
            config,
            Link::new(Origin::testcard(), &[500]),
            Recorder::new(),
            |now, session| {
                if let Some((at, mask)) = steps.last().copied()
                    && now >= at
                {
                    assert_eq!(session.restrict(Instant(now), StreamId(0), 0), Err(Code::Argument.into()));
                    assert_eq!(session.restrict(Instant(now), StreamId(9), 1), Err(Code::Argument.into()));
                    session.restrict(Instant(now), StreamId(0), mask).unwrap();
                    steps.pop();
                }
            },
        );
        assert_eq!(played.state, State::Ended, "{mode:?}");
        assert_eq!(played.count(EventKind::Gap), 0);
        let pictures: Vec<&Taken> = played.decoder.samples.iter().filter(|s| s.stream == 0).collect();
        assert_eq!(pictures.len(), 1200, "every picture once");
        assert!(pictures.windows(2).all(|w| w[0].dts < w[1].dts));
        let dropped: Vec<u64> = events(&played, EventKind::LevelDropped).iter().map(|e| e.a).collect();
        assert_eq!(dropped, [151_877, 258_995]);
        let allowed: Vec<u64> = events(&played, EventKind::LevelAllowed).iter().map(|e| e.a).collect();
        assert_eq!(allowed, [151_877, 258_995]);
        // The decoder holds 2 s, and the fragment that was begun 2 s more.
        let level = |s: &&Taken| (s.fragment, s.bitrate);
        let at = |time: u64| pictures.iter().map(level).find(|(f, _)| *f >= time).unwrap().1;
        assert!(at(40_000_000) > 110_000);
        for s in pictures.iter().filter(|s| (180_000_000..220_000_000).contains(&s.fragment)) {
            assert!(s.bitrate < 110_000, "{} {}", s.fragment, s.bitrate);
        }
        assert!(pictures.last().unwrap().bitrate > 110_000, "and up again");
    }
}

#[test]
fn it_stays_within_small_budgets() {
    for decryption in [Decryption::Decoder, Decryption::Port] {
        for budget in [256 << 10, 512 << 10, 1 << 20] {
            let config = Config { budget, fixed_bitrate: 0, ..config() };
            let agent = Agent::new(decryption, &now());
            let link = Link::new(usual(), &[120, 12, 300, 40]);
            let mut most = 0;
            let played = play_sealed(Mode::EventLoop, config, link, Recorder::new(), agent, |_, session| {
                most = most.max(session.stats().held);
            });
            assert_eq!(played.state, State::Ended, "{budget}");
            assert!(played.stats.peak_held <= budget && most > 0);
            assert_eq!(played.count(EventKind::Gap), 0, "{decryption:?} {budget}");
        }
    }
}

#[test]
fn broken_tables_are_lost_fragments_and_nothing_worse() {
    let origin = usual();
    let path = "QualityLevels(101261)/Fragments(video=60000000)";
    let good = origin.responses[path].clone();
    let clear = Origin::testcard().responses[path].clone();
    assert_eq!(good, seal(&clear, &Seal::new(KID)));
    let at = good.windows(4).position(|w| w == b"uuid" && !good.is_empty()).unwrap();
    for step in (0..600).step_by(7) {
        let mut broken = origin.clone();
        let body = broken.responses.get_mut(path).unwrap();
        body[at + step] ^= 0x81;
        let agent = Agent { any: Some(3), ..Agent::new(Decryption::Decoder, &now()) };
        let config = Config { limits: quick(), ..config() };
        // What decrypts to nonsense is the decoder's concern; the parts of every sample are its length all the same.
        let link = Link::new(broken, &[5_000]);
        let played = play_sealed(Mode::EventLoop, config, link, Recorder::unpaced(), agent, |_, _| {});
        assert_eq!(played.state, State::Ended, "{step}");
        let pictures = played.decoder.samples.iter().filter(|s| s.stream == 0).count();
        assert!(
            pictures == 1200 || (pictures == 1150 && played.count(EventKind::Gap) == 1),
            "{step} {pictures}"
        );
    }
}

fn quick() -> smoothcore::limits::Limits {
    smoothcore::limits::Limits { tries: 2, retry_first: Micros::from_millis(1), ..Default::default() }
}
