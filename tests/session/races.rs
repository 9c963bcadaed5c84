//! Facts that come late or in an unlucky order: nothing is mistaken for something else.

use crate::common::drive::URL;
use crate::common::{Fault, Link, Mode, Origin, Recorder, play, play_with};
use smoothcore::error::Code;
use smoothcore::io::{
    Configured, DecoderTraits, EventKind, Input, Outcome, Output, RequestId, Response, StreamId,
};
use smoothcore::session::{AudioChoice, Config, Selection, Session, State};
use smoothcore::time::{Instant, MediaTime};

const VIDEO: &str = "QualityLevels(64852)/Fragments(video=60000000)";
const DISCONTINUITY: u32 = 2;

fn pinned() -> Config {
    Config { fixed_bitrate: 64_852, audio: AudioChoice::First, seed: 1, budget: 4 << 20, ..Config::default() }
}

fn unpaced() -> Config {
    let decoder = DecoderTraits { flags: DecoderTraits::UNPACED, ..DecoderTraits::default() };
    Config { decoder, audio: AudioChoice::None, ..pinned() }
}

/// What a poll gave, in words.
#[derive(Clone, PartialEq, Debug)]
enum Seen {
    Request(RequestId, String),
    Cancel(RequestId),
    Configure(u32),
    Sample(u64, i64),
    Gap(u64),
    Other(String),
}

fn outputs(session: &mut Session) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        seen.push(match session.poll() {
            Output::Idle(_) => return seen,
            Output::Request(r) => Seen::Request(r.id, r.url.into()),
            Output::Cancel(id) => Seen::Cancel(id),
            Output::Configure(c) => Seen::Configure(c.bitrate),
            Output::Sample(s) => Seen::Sample(s.fragment, s.dts.0),
            Output::Event(e) if e.kind == EventKind::Gap => Seen::Gap(e.b),
            other => Seen::Other(format!("{other:?}")),
        });
        assert!(seen.len() < 200);
    }
}

fn request(seen: &[Seen]) -> (RequestId, String) {
    let mut requests = seen.iter().rev().filter_map(|s| match s {
        Seen::Request(id, url) => Some((*id, url.clone())),
        _ => None,
    });
    requests.next().unwrap_or_else(|| panic!("no request: {seen:?}"))
}

/// A session with its manifest, and the first request for a fragment.
fn opened(config: Config) -> (Session, (RequestId, String)) {
    let mut session = Session::new(config).unwrap();
    session.open(Instant(0), URL).unwrap();
    let (id, _) = request(&outputs(&mut session));
    session.body(Instant(1), id, Origin::testcard().get(URL).unwrap());
    session.input(Instant(2), Input::Finished(id, Outcome::Complete));
    let first = request(&outputs(&mut session));
    (session, first)
}

#[test]
fn a_manifest_exchange_that_is_over_is_not_cancelled() {
    let mut session = Session::new(pinned()).unwrap();
    session.open(Instant(0), URL).unwrap();
    let (id, _) = request(&outputs(&mut session));
    session.input(Instant(1), Input::Finished(id, Outcome::Failed(Code::NetworkIo)));
    assert!(!outputs(&mut session).contains(&Seen::Cancel(id)));
}

#[test]
fn the_redirect_of_a_failed_try_does_not_stay() {
    for (elsewhere, broken) in
        [("http://mirror.test/a.ism/Manifest", Code::NetworkIo), ("ftp://x/", Code::UrlRefused)]
    {
        let mut session = Session::new(pinned()).unwrap();
        session.open(Instant(0), URL).unwrap();
        let (id, _) = request(&outputs(&mut session));
        let head = Response { status: 200, final_url: elsewhere, ..Response::default() };
        session.input(Instant(1), Input::Response(id, head));
        session.input(Instant(2), Input::Finished(id, Outcome::Failed(broken)));
        outputs(&mut session);
        session.input(Instant(3_000_000), Input::Timeout);
        let (id, _) = request(&outputs(&mut session));
        session.body(Instant(3_000_001), id, Origin::testcard().get(URL).unwrap());
        session.input(Instant(3_000_002), Input::Finished(id, Outcome::Complete));
        let (_, url) = request(&outputs(&mut session));
        assert!(url.starts_with("http://origin.test/vod/testcard.ism/"), "{url}");
    }
}

#[test]
fn the_answer_to_a_sample_of_a_lost_fragment_counts_for_no_other() {
    for answer in [Input::Accepted(StreamId(0)), Input::Refused(StreamId(0))] {
        let origin = Origin::testcard();
        let (mut session, (id, url)) = opened(unpaced());
        let body = origin.get(&url).unwrap();
        session.body(Instant(10), id, &body[..body.len() / 2]);
        assert_eq!(outputs(&mut session).last(), Some(&Seen::Configure(64_852)));
        session.input(Instant(10), Input::Configured(StreamId(0), Configured::Ok));
        assert_eq!(outputs(&mut session).last(), Some(&Seen::Sample(0, 0)));
        // The decoder thinks about it; meanwhile the connection breaks and the origin no longer knows the fragment.
        session.input(Instant(11), Input::Finished(id, Outcome::Failed(Code::NetworkIo)));
        outputs(&mut session);
        session.input(Instant(1_000_000), Input::Timeout);
        let (id, _) = request(&outputs(&mut session));
        session
            .input(Instant(1_000_001), Input::Response(id, Response { status: 404, ..Response::default() }));
        let seen = outputs(&mut session);
        assert!(seen.contains(&Seen::Gap(0)), "{seen:?}");
        let (id, url) = request(&seen);
        session.body(Instant(1_000_002), id, origin.get(&url).unwrap());
        assert!(!outputs(&mut session).iter().any(|s| matches!(s, Seen::Sample(..))), "an answer is owed");
        session.input(Instant(1_000_003), answer);
        let seen = outputs(&mut session);
        assert!(seen.contains(&Seen::Sample(20_000_000, 20_000_000)), "{seen:?}");
    }
}

#[test]
fn a_set_up_that_is_answered_late_is_of_the_level_it_was_asked_for() {
    let origin = Origin::testcard();
    let config = Config { fixed_bitrate: 0, start_bitrate: 101_261, ..unpaced() };
    let (mut session, (id, url)) = opened(config);
    assert!(url.contains("(101261)"), "{url}");
    let body = origin.get(&url).unwrap();
    session.body(Instant(10), id, &body[..body.len() / 2]);
    assert_eq!(outputs(&mut session).last(), Some(&Seen::Configure(101_261)));
    session.input(Instant(11), Input::Finished(id, Outcome::Failed(Code::NetworkIo)));
    outputs(&mut session);
    session.input(Instant(1_000_000), Input::Timeout);
    let (id, url) = request(&outputs(&mut session));
    assert!(url.contains("(64852)"), "{url}");
    session.body(Instant(1_000_001), id, origin.get(&url).unwrap());
    outputs(&mut session);
    session.input(Instant(1_000_002), Input::Configured(StreamId(0), Configured::Ok));
    assert_eq!(outputs(&mut session), [Seen::Configure(64_852)]);
}

#[test]
fn a_second_cut_between_table_and_data_loses_nothing() {
    let origin = Origin::testcard();
    let body = &origin.responses[VIDEO];
    let moof = u32::from_be_bytes(body[..4].try_into().unwrap()) as usize;
    let (half, behind_table) = (body.len() / 2, moof + 4);
    let link =
        Link::new(origin, &[4]).fault(VIDEO, 1, Fault::Cut(half)).fault(VIDEO, 2, Fault::Cut(behind_table));
    let played = play(Mode::EventLoop, pinned(), link, Recorder::unpaced());
    assert_eq!((played.state, played.count(EventKind::Gap)), (State::Ended, 0));
    assert_eq!(played.decoder.samples.iter().filter(|s| s.stream == 0).count(), 1200);
}

#[test]
fn a_hole_behind_queued_fragments_is_flagged_where_it_is() {
    let mut origin = Origin::testcard();
    origin.responses.retain(|path, _| !path.contains("(video=60000000)"));
    let played = play(Mode::EventLoop, pinned(), Link::new(origin, &[200]), Recorder::new());
    assert_eq!((played.state, played.count(EventKind::Gap)), (State::Ended, 1));
    let flagged = played.decoder.samples.iter().filter(|s| s.stream == 0 && s.flags & DISCONTINUITY != 0);
    assert_eq!(flagged.map(|s| s.dts).collect::<Vec<_>>(), [80_000_000]);
}

#[test]
fn turning_a_stream_off_flushes_it_in_an_epoch_of_its_own() {
    let mut step = 0;
    let played = play_with(
        Mode::EventLoop,
        pinned(),
        Link::new(Origin::testcard(), &[60]),
        Recorder::new(),
        |now, session| {
            let due = [4_000_000, 9_000_000].get(step).is_some_and(|at| now >= *at);
            if due {
                let selection = [Selection::Off, Selection::On][step];
                session.select(Instant(now), StreamId(1), selection).unwrap();
                step += 1;
            }
        },
    );
    assert_eq!(played.state, State::Ended);
    let flushes: Vec<_> = played.decoder.log.lines().filter(|l| l.starts_with("flush")).collect();
    assert_eq!(flushes, ["flush 1 2"]);
    let audio: Vec<_> = played.decoder.samples.iter().filter(|s| s.stream == 1).collect();
    assert!(audio.windows(2).all(|s| (s[0].epoch, s[0].dts) < (s[1].epoch, s[1].dts)));
    assert_eq!(audio.last().unwrap().epoch, 2);
    assert!(played.decoder.samples.iter().all(|s| s.stream == 1 || s.epoch == 1), "video is not touched");
}

#[test]
fn the_end_is_told_when_the_last_unfinished_stream_is_turned_off() {
    let mut session_end = None;
    // Audio has nothing in its last fragments but silence of the origin, until it is turned off.
    let mut link = Link::new(Origin::testcard(), &[200]);
    for nth in 1..20 {
        link = link.fault("QualityLevels(22924)/Fragments(audio_eng=461226667)", nth, Fault::Silence);
    }
    let config = Config { start_at: Some(MediaTime(440_000_000)), ..pinned() };
    let played = play_with(Mode::EventLoop, config, link, Recorder::unpaced(), |now, session| {
        if now >= 5_000_000 && session_end.is_none() {
            session_end = Some(session.state());
            session.select(Instant(now), StreamId(1), Selection::Off).unwrap();
        }
    });
    assert_eq!(session_end, Some(State::Playing));
    assert_eq!((played.state, played.count(EventKind::Ended)), (State::Ended, 1));
    assert!(played.micros < 6_000_000, "{}", played.micros);
}

#[test]
fn junk_behind_the_samples_is_let_go() {
    let origin = Origin::testcard();
    let mut body = origin.responses[VIDEO].clone();
    body.extend(std::iter::repeat_n(0x5A, 3 << 20));
    let config = Config { budget: 256 << 10, ..pinned() };
    let link = Link::new(origin, &[2_000]).fault(VIDEO, 1, Fault::Body(body));
    let played = play(Mode::EventLoop, config, link, Recorder::new());
    assert_eq!(played.state, State::Ended);
    let told = (played.count(EventKind::Gap), played.count(EventKind::LevelDropped));
    assert_eq!(told, (0, 0));
    assert!(played.link.balance == 0 && played.stats.peak_held <= 256 << 10);
}

#[test]
fn waiting_for_memory_is_not_taken_for_a_slow_link() {
    // 16 Mbit/s, and a fragment does not fit at once: while the viewer pauses, half of it stays on the wire.
    let config = Config { budget: 80 << 10, fixed_bitrate: 258_995, audio: AudioChoice::None, ..pinned() };
    let link = Link::new(Origin::testcard(), &[2_000]);
    let (mut lowest, mut paused_at) = (u64::MAX, None);
    let played = play_with(Mode::EventLoop, config, link, Recorder::new(), |now, session| {
        if paused_at.is_none() && now > 4_000_000 && (1..100).any(|id| session.is_blocked(RequestId(id))) {
            paused_at = Some(now);
            session.pause(Instant(now));
        } else if paused_at.is_some_and(|at| now > at + 30_000_000) {
            session.play(Instant(now));
        }
        lowest = lowest.min(Some(session.stats().link_rate).filter(|r| *r > 0).unwrap_or(u64::MAX));
    });
    assert_eq!((played.state, played.count(EventKind::Gap), paused_at.is_some()), (State::Ended, 0, true));
    assert_eq!(played.count(EventKind::Retry), 0);
    assert!(lowest > 6_000_000, "{lowest} bit/s");
}
