//! Streams as a viewer sees them: languages, angles and profiles; changing between them while playing; lasting names.

use crate::common::decoder::Taken;
use crate::common::link::Fault;
use crate::common::{Link, Mode, Origin, Played, Recorder, play, play_with};
use smoothcore::error::Code;
use smoothcore::io::{EventKind, Role, StreamId, TrackId};
use smoothcore::session::{AudioChoice, Config, Selection, Session, State};
use smoothcore::time::{Instant, MediaTime, Micros};

const SECOND: i64 = 10_000_000;
const VIDEO: StreamId = StreamId(0);
const ENGLISH: StreamId = StreamId(1);
const FRENCH: StreamId = StreamId(2);

fn config() -> Config {
    Config { audio: AudioChoice::First, seed: 3, budget: 4 << 20, ..Config::default() }
}

/// Plays the test card; `act` is called once at each of `times` (microseconds) with its place in the list.
fn acting(
    config: Config,
    link: Link,
    decoder: Recorder,
    times: &[u64],
    mut act: impl FnMut(usize, Instant, &mut Session),
) -> Played {
    let mut done = 0;
    let played = play_with(Mode::EventLoop, config, link, decoder, |now, session| {
        while times.get(done).is_some_and(|t| now >= *t) {
            act(done, Instant(now), session);
            done += 1;
        }
    });
    assert_eq!(done, times.len(), "the programme was over too early");
    assert_eq!(played.link.balance, 0);
    played
}

fn of(played: &Played, stream: StreamId) -> Vec<(&Taken, u64)> {
    let all = played.decoder.samples.iter().zip(played.decoder.taken_at.iter().copied());
    all.filter(|(s, _)| s.stream == stream.0).collect()
}

/// Every sample of the pictures came, in order, and the clock never stopped.
fn assert_no_gap_in_video(played: &Played) {
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.stats.stalls, 0, "{:?}", played.decoder.rates);
    let video = of(played, VIDEO);
    assert_eq!(video.len(), 24 * 50);
    assert!(video.windows(2).all(|w| w[0].0.dts + w[0].0.duration as i64 == w[1].0.dts));
    assert!(played.decoder.flushes.iter().all(|(_, s)| *s != VIDEO.0));
    assert_eq!(played.count(EventKind::Gap), 0);
}

/// Media time being shown at `at`, when nothing ever stalls.
fn shown(played: &Played, at: u64) -> i64 {
    let start = played.decoder.rates.iter().find(|(_, r)| *r != smoothcore::io::Rate::Hold).unwrap().0;
    (at - start) as i64 * 10
}

fn switch_case(rates: &[u64], at: u64) -> Played {
    acting(config(), Link::new(Origin::testcard(), rates), Recorder::new(), &[at], |_, now, session| {
        session.switch(now, FRENCH).unwrap();
    })
}

#[test]
fn sound_changes_its_language_without_a_gap_in_pictures_or_sound() {
    for (rates, at) in [(&[400u64][..], 9_000_000), (&[60], 13_370_000), (&[60], 21_995_000)] {
        let played = switch_case(rates, at);
        assert_no_gap_in_video(&played);
        let (old, new) = (of(&played, ENGLISH), of(&played, FRENCH));
        // The old one is given up in the very moment in which the new one begins.
        assert_eq!(played.decoder.flushes.len(), 1);
        let (flushed, stream) = played.decoder.flushes[0];
        assert_eq!(stream, ENGLISH.0);
        assert!(flushed >= at && flushed < at + 2_500_000, "after {} us", flushed - at);
        assert_eq!(new[0].1, flushed);
        assert!(old.iter().all(|(_, taken)| *taken <= flushed));
        assert!(old.last().unwrap().1 + 100_000 > flushed, "it was fed until then");
        // What is heard goes on from what is shown; less than a tenth of a second is decoded in vain.
        let position = shown(&played, flushed);
        let first = new[0].0;
        assert!(first.pts <= position && position - first.pts < SECOND / 10, "{} at {position}", first.pts);
        let heard = new.iter().find(|(s, _)| s.flags & 8 == 0).unwrap().0;
        assert!(heard.pts < position + SECOND / 20);
        assert!(new.windows(2).all(|w| w[0].0.dts + w[0].0.duration as i64 >= w[1].0.dts - 1));
        assert!(first.epoch > old[0].0.epoch, "the epoch rises");
        assert!(played.decoder.streams[&FRENCH.0].ended);
    }
}

#[test]
fn a_file_gets_every_moment_of_sound_once_when_it_changes() {
    let mut switched = false;
    let played = play_with(
        Mode::EventLoop,
        config(),
        Link::new(Origin::testcard(), &[400]),
        Recorder::unpaced(),
        |now, session| {
            if !switched && session.stats().samples > 500 {
                switched = true;
                session.switch(Instant(now), FRENCH).unwrap();
            }
        },
    );
    assert_no_gap_in_video(&played);
    let (old, new) = (of(&played, ENGLISH), of(&played, FRENCH));
    let end = old.last().map(|(s, _)| s.dts + s.duration as i64).unwrap();
    let begin = new[0].0.dts;
    assert!(begin <= end && end - begin < SECOND / 2, "{begin} {end}");
}

#[test]
fn a_language_that_cannot_be_had_changes_nothing() {
    let mut link = Link::new(Origin::testcard(), &[200]);
    let paths: Vec<String> =
        link.origin.responses.keys().filter(|p| p.contains("audio_fra")).cloned().collect();
    for path in &paths {
        for nth in 1..9 {
            link = link.fault(path, nth, Fault::Status(404));
        }
    }
    let config =
        Config { limits: smoothcore::limits::Limits { lost_in_a_row: 2, ..Default::default() }, ..config() };
    let played = acting(config, link, Recorder::new(), &[9_000_000], |_, now, session| {
        session.switch(now, FRENCH).unwrap();
    });
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.stats.stalls, 0);
    assert!(played.decoder.flushes.is_empty());
    assert!(of(&played, FRENCH).is_empty());
    assert!(of(&played, ENGLISH).last().unwrap().0.pts > 47 * SECOND);
}

#[test]
fn a_viewer_who_cannot_decide_ends_with_the_last_choice() {
    let times = [8_000_000, 8_010_000, 8_020_000, 12_000_000, 12_050_000];
    let wanted = [FRENCH, ENGLISH, FRENCH, ENGLISH, FRENCH];
    let link = Link::new(Origin::testcard(), &[120]);
    let played = acting(config(), link, Recorder::new(), &times, |n, now, session| {
        session.switch(now, wanted[n]).unwrap();
    });
    assert_no_gap_in_video(&played);
    assert!(of(&played, FRENCH).last().unwrap().0.pts > 47 * SECOND);
    assert!(of(&played, ENGLISH).last().unwrap().0.pts < 16 * SECOND);
}

#[test]
fn switching_to_none_and_back_and_while_paused_or_sought() {
    let link = Link::new(Origin::testcard(), &[200]);
    let times = [6_000_000, 10_000_000, 14_000_000, 14_100_000, 15_000_000, 16_000_000];
    let played = acting(config(), link, Recorder::new(), &times, |n, now, session| match n {
        0 => session.select(now, ENGLISH, Selection::Off).unwrap(),
        1 => session.switch(now, FRENCH).unwrap(),
        2 => session.pause(now),
        3 => session.switch(now, ENGLISH).unwrap(),
        4 => session.play(now),
        _ => {
            session.switch(now, FRENCH).unwrap();
            session.seek(now, MediaTime(30 * SECOND)).unwrap();
        }
    });
    assert_eq!((played.state, played.stats.stalls), (State::Ended, 0));
    let french = of(&played, FRENCH);
    assert!(french.last().unwrap().0.pts > 47 * SECOND, "a seek brings the one that was wanted");
    assert!(of(&played, ENGLISH).iter().all(|(s, _)| s.pts < 20 * SECOND));
}

#[test]
fn a_stream_turned_on_while_playing_stalls_nothing_and_catches_up() {
    for rates in [&[400u64][..], &[70]] {
        let link = Link::new(Origin::testcard(), rates);
        let played = acting(config(), link, Recorder::new(), &[9_000_000], |_, now, session| {
            session.select(now, FRENCH, Selection::On).unwrap();
        });
        assert_no_gap_in_video(&played);
        let (english, french) = (of(&played, ENGLISH), of(&played, FRENCH));
        assert!(english.windows(2).all(|w| w[0].0.dts + w[0].0.duration as i64 >= w[1].0.dts - 1));
        let (first, at) = french[0];
        assert!(at < 10_500_000, "{at}");
        let position = shown(&played, at);
        assert!((first.pts - position).abs() < SECOND / 2, "{} at {position}", first.pts);
        assert!(french.last().unwrap().0.pts > 47 * SECOND);
    }
}

#[test]
fn a_stream_turned_on_that_never_answers_stalls_nothing() {
    let mut link = Link::new(Origin::testcard(), &[200]);
    let paths: Vec<String> =
        link.origin.responses.keys().filter(|p| p.contains("audio_fra")).cloned().collect();
    for path in &paths {
        for nth in 1..9 {
            link = link.fault(path, nth, Fault::Silence);
        }
    }
    let played = acting(config(), link, Recorder::new(), &[9_000_000, 40_000_000], |n, now, session| {
        let wanted = if n == 0 { Selection::On } else { Selection::Off };
        session.select(now, FRENCH, wanted).unwrap();
    });
    assert_no_gap_in_video(&played);
}

/// The test card with another angle, the same pictures under another name.
fn with_angle() -> Origin {
    let mut origin = Origin::testcard();
    let card = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let video = &card[card.find("<StreamIndex").unwrap()..card.find("</StreamIndex>").unwrap() + 14];
    let angle = video.replace("Name=\"video\"", "Name=\"angle2\"").replace("(video=", "(angle2=");
    let angle = angle.replace("<StreamIndex ", "<StreamIndex Subtype=\"\" ");
    let end = "</SmoothStreamingMedia>";
    origin.responses.insert("Manifest".into(), card.replace(end, &format!("{angle}{end}")).into_bytes());
    let more: Vec<_> = origin
        .responses
        .iter()
        .filter(|(path, _)| path.contains("video="))
        .map(|(path, body)| (path.replace("video=", "angle2="), body.clone()))
        .collect();
    origin.responses.extend(more);
    origin
}

#[test]
fn angles_are_streams_and_only_one_plays() {
    let played = play(Mode::EventLoop, config(), Link::new(with_angle(), &[300]), Recorder::new());
    assert_eq!((played.state, of(&played, StreamId(3)).len()), (State::Ended, 0));
    let link = Link::new(with_angle(), &[300]);
    let played = acting(config(), link, Recorder::new(), &[9_000_000], |_, now, session| {
        session.switch(now, StreamId(3)).unwrap();
    });
    assert_eq!((played.state, played.stats.stalls), (State::Ended, 0));
    let angle = of(&played, StreamId(3));
    let position = shown(&played, angle[0].1);
    assert!(angle[0].0.pts <= position, "from the key frame before the position");
    assert!(angle.iter().any(|(s, _)| s.flags & 8 == 0 && s.pts < position + SECOND / 20));
    assert!(angle.last().unwrap().0.pts > 47 * SECOND);
    let audio = of(&played, ENGLISH);
    assert!(audio.windows(2).all(|w| w[0].0.dts + w[0].0.duration as i64 >= w[1].0.dts - 1));
}

/// Two levels of one bitrate that custom attributes tell apart.
fn profiles() -> Origin {
    let mut origin = Origin::testcard();
    let card = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let level =
        card.lines().find(|l| l.contains("Bitrate=\"101261\"")).unwrap().trim().trim_end_matches("/>");
    let with = |value: &str| {
        format!(
            "{level}><CustomAttributes><Attribute Name=\"Compatibility\" Value=\"{value}\"/></CustomAttributes></QualityLevel>"
        )
    };
    let both = with("Desktop") + &with("Handheld");
    let card = card.replace(&format!("{level}/>"), &both).replacen(
        "QualityLevels({bitrate})",
        "QualityLevels({bitrate},{CustomAttributes})",
        1,
    );
    origin.responses.insert("Manifest".into(), card.into_bytes());
    let mut more = Vec::new();
    for (path, body) in &origin.responses {
        for bitrate in [64_852, 151_877, 258_995] {
            more.push((path.replace(&format!("({bitrate})"), &format!("({bitrate},)")), body.clone()));
        }
        for value in ["Desktop", "Handheld"] {
            more.push((path.replace("(101261)", &format!("(101261,Compatibility={value})")), body.clone()));
        }
    }
    origin.responses.extend(more);
    origin
}

#[test]
fn of_two_profiles_of_one_bitrate_the_first_plays() {
    let fixed = Config { fixed_bitrate: 101_261, ..config() };
    let asked = |played: &Played, value: &str| {
        played.link.requests.iter().filter(|r| r.contains(&format!("Compatibility={value})"))).count()
    };
    let played = play(Mode::EventLoop, fixed, Link::new(profiles(), &[300]), Recorder::unpaced());
    assert_eq!(played.state, State::Ended);
    assert_eq!((asked(&played, "Desktop"), asked(&played, "Handheld")), (24, 0));
    assert_eq!(played.count(EventKind::Switch), 0);
    // Up and down: a change of bitrate is no change of profile.
    let mut link = Link::new(profiles(), &[60, 12, 15]);
    link.period_ms = 9_000;
    let played = play(Mode::EventLoop, config(), link, Recorder::new());
    assert_eq!((played.state, asked(&played, "Handheld")), (State::Ended, 0));
}

/// The track ids of what a manifest lists, with what is called how.
fn tracks(origin: Origin) -> Vec<(String, TrackId, Option<Role>)> {
    let mut seen = Vec::new();
    play_with(Mode::EventLoop, config(), Link::new(origin, &[900]), Recorder::unpaced(), |_, session| {
        let Some(manifest) = session.manifest() else { return };
        let ids = (0u16..).map(StreamId);
        seen = manifest
            .streams
            .iter()
            .zip(ids)
            .map(|(s, id)| {
                (format!("{} {}", &*s.name, &*s.language), session.track(id).unwrap(), session.role(id))
            })
            .collect();
        for (n, (_, track, _)) in (0u16..).zip(&seen) {
            assert_eq!(session.find_track(*track), Some(StreamId(n)));
        }
        assert_eq!(session.track(StreamId(99)), None);
        assert_eq!(session.find_track(TrackId(1)), None);
    });
    seen
}

#[test]
fn a_stream_is_found_again_when_the_manifest_lists_another_order() {
    let origin = with_angle();
    let card = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let first = card.find("  <StreamIndex").unwrap();
    let end = card.find("</SmoothStreamingMedia>").unwrap();
    let mut parts: Vec<&str> =
        card[first..end].split_inclusive("</StreamIndex>").filter(|s| s.contains("Type")).collect();
    assert_eq!(parts.len(), 4);
    parts.reverse();
    let mut other = origin.clone();
    let turned = format!("{}{}{}", &card[..first], parts.concat(), &card[end..]);
    other.responses.insert("Manifest".into(), turned.into_bytes());
    let (mut a, mut b) = (tracks(origin), tracks(other));
    assert_ne!(a, b);
    a.sort();
    b.sort();
    assert_eq!(a, b);
    // The hash is part of the promise: hosts keep it over years.
    let video = a.iter().find(|(name, ..)| name == "video und").unwrap().1;
    assert_eq!(video, TrackId(expected(b"\0\0video\0und\0\0\0\0\0\0\0\0\0")));
}

fn expected(bytes: &[u8]) -> u64 {
    crate::common::fnv1a([bytes].into_iter())
}

#[test]
fn streams_alike_in_name_are_told_apart_by_their_place() {
    // No name, no language, twice: what some packagers write.
    let mut origin = Origin::testcard();
    let card = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let card = card
        .replace("Name=\"audio_eng\" Language=\"eng\"", "")
        .replace("Name=\"audio_fra\" Language=\"fra\"", "");
    origin.responses.insert("Manifest".into(), card.into_bytes());
    let all = tracks(origin.clone());
    assert_eq!(all[1].0, all[2].0);
    assert_ne!(all[1].1, all[2].1);
    let both = Config { audio: AudioChoice::All, ..config() };
    let played = play(Mode::EventLoop, both, Link::new(origin, &[300]), Recorder::unpaced());
    assert_eq!(played.state, State::Ended);
    for stream in [ENGLISH, FRENCH] {
        assert!(!of(&played, stream).is_empty(), "both play: neither hides the other");
    }
}

#[test]
fn roles_come_from_the_subtype_in_any_case() {
    let mut origin = Origin::testcard();
    let card = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let mut more = String::new();
    let names = ["SUBT", "capt", "Desc", "CHAP", "SCMD", "ADI3", "ADVT", "CTRL", "DATA", "XYZW", ""];
    for name in names {
        more += &format!(
            "<StreamIndex Type=\"text\" Subtype=\"{name}\" Url=\"q({{bitrate}},{{start time}})\"><QualityLevel Bitrate=\"1\" FourCC=\"TTML\"/></StreamIndex>"
        );
    }
    let end = "</SmoothStreamingMedia>";
    origin.responses.insert("Manifest".into(), card.replace(end, &format!("{more}{end}")).into_bytes());
    let roles: Vec<_> = tracks(origin).iter().map(|(_, _, role)| role.unwrap()).collect();
    use Role::*;
    assert_eq!(roles[..3], [Main; 3]);
    assert_eq!(
        roles[3..],
        [Subtitles, Captions, Description, Chapters, Script, Ads, Ads, Control, Data, Main, Main]
    );
}

#[test]
fn what_cannot_be_switched_to_is_refused() {
    let mut tried = false;
    play_with(
        Mode::EventLoop,
        Config { buffer_target: Micros::from_secs(4), ..config() },
        Link::new(Origin::testcard(), &[300]),
        Recorder::new(),
        |now, session| {
            if session.manifest().is_none() {
                assert_eq!(session.switch(Instant(now), FRENCH), Err(Code::State.into()));
            } else if !tried {
                tried = true;
                assert_eq!(session.switch(Instant(now), StreamId(9)), Err(Code::Argument.into()));
                assert_eq!(session.switch(Instant(now), ENGLISH), Ok(()), "it plays already");
            }
        },
    );
    assert!(tried);
}

/// The test card with two subtitle streams, of which some fragments are missing, and chapters.
fn with_text() -> Origin {
    let mut origin = Origin::testcard();
    let mut more = String::new();
    for name in ["sub_eng", "sub_fra"] {
        more += &format!(
            "<StreamIndex Type=\"text\" Name=\"{name}\" Subtype=\"SUBT\" Url=\"q({{bitrate}})/{name}({{start time}})\">\
             <QualityLevel Bitrate=\"1\" FourCC=\"TTML\"/><c t=\"0\" d=\"20000000\" r=\"24\"/></StreamIndex>"
        );
        for n in (0..24).filter(|n| n % 5 != 3) {
            origin.responses.insert(
                format!("q(1)/{name}({})", n * 20_000_000),
                b"<tt>text, and more of it</tt>".to_vec(),
            );
        }
    }
    more += "<StreamIndex Type=\"text\" Name=\"chapters\" Subtype=\"CHAP\" ManifestOutput=\"TRUE\">\
             <c t=\"0\" d=\"240000000\"><f i=\"0\">T25l</f></c><c d=\"240000000\"><f i=\"0\">VHdv</f></c></StreamIndex>";
    let card = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let end = "</SmoothStreamingMedia>";
    origin.responses.insert("Manifest".into(), card.replace(end, &format!("{more}{end}")).into_bytes());
    origin
}

#[test]
fn whatever_a_viewer_presses_the_programme_goes_on() {
    let origin = with_text();
    let (mut flushes, mut texts) = (0, 0);
    for seed in 0..60u64 {
        let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut roll = move |below: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % below
        };
        let budget = [256 << 10, 1 << 20, 4 << 20][seed as usize % 3];
        let text =
            [smoothcore::session::TextChoice::All, smoothcore::session::TextChoice::First][seed as usize % 2];
        let config = Config { seed, budget, text, ..config() };
        let mut link = Link::new(origin.clone(), &[40 + roll(300)]);
        if roll(3) == 0 {
            for n in 0..24 {
                link = link.fault(&format!("q(1)/sub_eng({})", n * 20_000_000), 1, Fault::Stall(5));
            }
        }
        let decoder = if roll(5) == 0 { Recorder::unpaced() } else { Recorder::new() };
        let (mut next, mut paused) = (1_000_000u64, None);
        let played = play_with(Mode::EventLoop, config, link, decoder, |now, session| {
            let at = Instant(now);
            assert!(session.stats().peak_held <= budget);
            if paused.is_some_and(|until| now >= until) {
                session.play(at);
                paused = None;
            }
            if now < next || session.manifest().is_none() || now > 40_000_000 {
                return;
            }
            next = now + 20_000 + roll(3_000_000);
            match roll(10) {
                0..4 => drop(session.switch(at, StreamId(1 + roll(2) as u16))),
                4..6 => drop(session.select(at, StreamId(3 + roll(3) as u16), Selection::On)),
                6..8 => drop(session.select(at, StreamId(3 + roll(3) as u16), Selection::Off)),
                8 => drop(session.seek(at, MediaTime(roll(47 * SECOND as u64) as i64))),
                _ => {
                    session.pause(at);
                    paused = Some(now + roll(1_500_000));
                }
            }
        });
        assert_eq!(played.state, State::Ended, "{seed}");
        assert_eq!(played.link.balance, 0, "{seed}");
        flushes += played.decoder.flushes.len();
        texts += played.decoder.samples.iter().filter(|s| s.stream >= 3).count();
        let about_text = |e: &&smoothcore::io::Event| e.stream.is_some_and(|s| s.0 >= 3);
        let faults = [EventKind::Gap, EventKind::StreamDropped, EventKind::LevelDropped];
        assert!(played.events.iter().filter(|e| faults.contains(&e.kind)).all(|e| about_text(&e)), "{seed}");
        for stream in 0..3u16 {
            let taken: Vec<_> = played.decoder.samples.iter().filter(|s| s.stream == stream).collect();
            for pair in taken.windows(2).filter(|p| p[0].epoch == p[1].epoch) {
                let end = pair[0].dts + pair[0].duration as i64;
                let whole = (end - pair[1].dts).abs() <= 1 || pair[1].flags & 2 != 0;
                assert!(whole, "{seed}: stream {stream} from {end} to {}", pair[1].dts);
            }
        }
    }
    assert!(flushes > 150 && texts > 1000, "{flushes} {texts}");
}
