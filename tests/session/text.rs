//! Text, markers and captions: how they come out, and that nothing ever waits for them or fails with them.

use crate::common::decoder::Taken;
use crate::common::link::Fault;
use crate::common::{Link, Mode, Origin, Played, Recorder, play, play_with};
use crate::mp4_build::{boxed, full, mdat, moof, moof_with, tfhd, trun, words};
use smoothcore::codec::FourCc;
use smoothcore::error::Code;
use smoothcore::io::{EventKind, Role, StreamId};
use smoothcore::session::{AudioChoice, CaptionChoice, Config, Cue, GivenText, Selection, State, TextChoice};
use smoothcore::time::{Instant, MediaTime};

const SECOND: u64 = 10_000_000;
/// The streams of the test card: pictures, English, French; those of a test follow.
const FIRST: u16 = 3;

/// The test card with `streams` behind its own.
fn with_streams(streams: &str) -> Origin {
    let mut origin = Origin::testcard();
    let card = String::from_utf8(origin.responses["Manifest"].clone()).unwrap();
    let end = "</SmoothStreamingMedia>";
    let xml = card.replace(end, &format!("{streams}{end}"));
    origin.responses.insert("Manifest".into(), xml.into_bytes());
    origin
}

/// A subtitle stream of `count` fragments of 2 s with the name and language given.
fn subtitles(name: &str, language: &str, count: u64) -> String {
    format!(
        "<StreamIndex Type=\"text\" Name=\"{name}\" Language=\"{language}\" Subtype=\"SUBT\" \
         Url=\"QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">\
         <QualityLevel Index=\"0\" Bitrate=\"1000\" FourCC=\"TTML\"/><c t=\"0\" d=\"20000000\" r=\"{count}\"/></StreamIndex>"
    )
}

fn path(name: &str, start: u64) -> String {
    format!("QualityLevels(1000)/Fragments({name}={start})")
}

fn document(n: u64) -> String {
    format!(
        "<?xml version=\"1.0\"?><tt xmlns=\"http://www.w3.org/2006/10/ttaf1\"><p begin=\"0s\">{n}</p></tt>"
    )
}

/// `payload` as the one sample of a fragment.
fn boxes(payload: &[u8], more: &[Vec<u8>]) -> Vec<u8> {
    let make = |size: u32| {
        let mut children = vec![tfhd(0, &[]), trun(0x301, 1, &[size + 8, 20_000_000, payload.len() as u32])];
        children.extend_from_slice(more);
        children
    };
    [moof_with(make), mdat(payload)].concat()
}

/// Fragments of `name` as bare documents.
fn bare(origin: &mut Origin, name: &str, count: u64) {
    for n in 0..count {
        origin.responses.insert(path(name, n * 2 * SECOND), document(n).into_bytes());
    }
}

fn config(text: TextChoice) -> Config {
    Config { audio: AudioChoice::First, text, seed: 11, budget: 4 << 20, ..Config::default() }
}

fn run(config: Config, link: Link, decoder: Recorder) -> Played {
    let played = play(Mode::EventLoop, config, link, decoder);
    assert_eq!(played.link.balance, 0, "every exchange that was started is over");
    played
}

fn of(played: &Played, stream: u16) -> Vec<&Taken> {
    played.decoder.samples.iter().filter(|s| s.stream == stream).collect()
}

/// Sound and pictures as if there were no text at all.
fn assert_untouched(played: &Played) {
    let plain = run(config(TextChoice::None), Link::new(Origin::testcard(), &[200]), Recorder::unpaced());
    assert_eq!(played.state, State::Ended);
    assert_eq!(played.stats.stalls, 0);
    for stream in 0..FIRST {
        let key = |p: &Played| of(p, stream).iter().map(|s| (s.dts, s.duration)).collect::<Vec<_>>();
        assert_eq!(key(played), key(&plain), "stream {stream}");
    }
}

#[test]
fn documents_in_boxes_and_bare_ones_come_out_whole_and_in_time() {
    let mut origin = with_streams(&(subtitles("sub_eng", "eng", 24) + &subtitles("sub_fra", "fra", 24)));
    bare(&mut origin, "sub_eng", 24);
    for n in 0..24 {
        let body = boxes(document(n + 100).as_bytes(), &[]);
        origin.responses.insert(path("sub_fra", n * 2 * SECOND), body);
    }
    for decoder in [Recorder::unpaced(), Recorder::new()] {
        let played = run(config(TextChoice::All), Link::new(origin.clone(), &[200]), decoder);
        assert_untouched(&played);
        for (stream, add) in [(FIRST, 0), (FIRST + 1, 100)] {
            let samples = of(&played, stream);
            assert_eq!(samples.len(), 24);
            for (n, s) in (0u64..).zip(samples) {
                assert_eq!(s.bytes, document(n + add).into_bytes());
                assert_eq!((s.pts, s.duration), ((n * 2 * SECOND) as i64, 2 * SECOND));
            }
            assert!(played.decoder.streams[&stream].ended);
            assert_eq!(played.decoder.streams[&stream].fourcc, "TTML");
        }
        assert_eq!(played.count(EventKind::StreamEnded), 4);
    }
}

#[test]
fn every_driving_mode_gives_the_same_text() {
    let mut origin = with_streams(&(embedded() + &subtitles("sub", "eng", 24)));
    bare(&mut origin, "sub", 24);
    let log = |mode| {
        let played = play(mode, config(TextChoice::All), Link::new(origin.clone(), &[300]), Recorder::new());
        assert_eq!(played.state, State::Ended, "{mode:?}");
        let text = |line: &&str| line.starts_with("sample 3 ") || line.starts_with("sample 5 ");
        played.decoder.log.lines().filter(text).map(String::from).collect::<Vec<_>>()
    };
    let first = log(Mode::SansIo);
    assert_eq!(first.len(), 3 + 24);
    assert_eq!(log(Mode::EventLoop), first);
    assert_eq!(log(Mode::Blocking), first);
}

#[test]
fn times_that_are_rounded_lose_no_text() {
    // Ninety thousand ticks a second against ten million: no start can be told exactly in the other scale.
    let list: String = (0..24u64).map(|n| format!("<c t=\"{}\" d=\"180001\"/>", n * 180_001 + 1)).collect();
    let stream = subtitles("sub", "eng", 1).replace("<c t=\"0\" d=\"20000000\" r=\"1\"/>", &list);
    let stream = stream.replace("Type=", "TimeScale=\"90000\" Type=");
    let mut origin = with_streams(&stream);
    for n in 0..24 {
        origin.responses.insert(path("sub", n * 180_001 + 1), document(n).into_bytes());
    }
    for to in [9u64, 10, 11] {
        let target = MediaTime(((to * 180_001 + 1) * SECOND).div_ceil(90_000) as i64);
        let config = Config { start_at: Some(target), ..config(TextChoice::First) };
        let played = run(config, Link::new(origin.clone(), &[300]), Recorder::unpaced());
        let seen: Vec<_> = of(&played, FIRST).iter().map(|s| s.bytes.clone()).collect();
        let wanted: Vec<_> = (to..24).map(|n| document(n).into_bytes()).collect();
        assert_eq!(seen, wanted, "from {to}: neither the one before nor one too late");
    }
}

#[test]
fn text_comes_a_buffer_ahead_and_no_more() {
    let mut origin = with_streams(&subtitles("sub", "eng", 24));
    bare(&mut origin, "sub", 24);
    let config =
        Config { buffer_target: smoothcore::time::Micros::from_secs(6), ..config(TextChoice::First) };
    let played = run(config, Link::new(origin, &[400]), Recorder::new());
    let clock = played.decoder.rates.iter().find(|(_, r)| *r != smoothcore::io::Rate::Hold).unwrap().0;
    let mut seen = 0;
    for (s, at) in played.decoder.samples.iter().zip(&played.decoder.taken_at) {
        if s.stream == FIRST {
            let shown = at.saturating_sub(clock) as i64 * 10;
            assert!(s.pts <= shown + 62_000_000, "{} at {shown}", s.pts);
            assert!(s.pts + 500_000 >= shown, "{} comes late, at {shown}", s.pts);
            seen += 1;
        }
    }
    assert_eq!(seen, 24);
}

#[test]
fn language_is_chosen_and_markers_are_no_subtitles() {
    let chapters = subtitles("chap", "eng", 2).replace("SUBT", "CHAP");
    let mut origin =
        with_streams(&(chapters + &subtitles("sub_eng", "eng", 2) + &subtitles("sub_fra", "fra", 2)));
    for name in ["chap", "sub_eng", "sub_fra"] {
        bare(&mut origin, name, 2);
    }
    let chosen = |text| {
        let played = run(config(text), Link::new(origin.clone(), &[400]), Recorder::unpaced());
        (FIRST..FIRST + 3).filter(|s| !of(&played, *s).is_empty()).map(|s| s - FIRST).collect::<Vec<_>>()
    };
    assert_eq!(chosen(TextChoice::None), []);
    assert_eq!(chosen(TextChoice::First), [1]);
    assert_eq!(chosen(TextChoice::Language(*b"FRA\0\0\0\0\0")), [2]);
    assert_eq!(chosen(TextChoice::Language(*b"deu\0\0\0\0\0")), []);
    assert_eq!(chosen(TextChoice::All), [0, 1, 2]);
}

/// Base64, RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |chunk: &[u8], n: usize| {
        let bits = chunk.iter().chain(&[0, 0]).take(3).fold(0u32, |b, c| b << 8 | u32::from(*c));
        let used = n <= chunk.len();
        if used { char::from(LETTERS[(bits >> (18 - 6 * n) & 63) as usize]) } else { '=' }
    };
    bytes.chunks(3).flat_map(|c| (0..4).map(move |n| letter(c, n))).collect()
}

/// Chapters and commands whose samples stand in the manifest.
fn embedded() -> String {
    let chapter =
        |t: u64, title: &str| format!("<c t=\"{t}\"><f i=\"0\">{}</f></c>", base64(title.as_bytes()));
    let utf16: Vec<u8> = "go".encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!(
        "<StreamIndex Type=\"text\" Name=\"chapters\" Subtype=\"CHAP\" TimeScale=\"1000\" ManifestOutput=\"TRUE\">{}{}{}</StreamIndex>\
         <StreamIndex Type=\"text\" Name=\"script\" Subtype=\"SCMD\" ManifestOutput=\"TRUE\">\
         <QualityLevel Index=\"0\" Bitrate=\"0\" FourCC=\"DATA\" CustomAttributes=\"\"/>\
         <c t=\"70000000\" d=\"5\"><f i=\"0\">{}</f></c></StreamIndex>",
        chapter(0, "Opening"),
        chapter(10_000, "Test picture"),
        chapter(40_000, "Credits"),
        base64(&utf16)
    )
}

#[test]
fn samples_that_stand_in_the_manifest_come_at_their_times_without_a_request() {
    for decoder in [Recorder::unpaced(), Recorder::new()] {
        let played = run(config(TextChoice::All), Link::new(with_streams(&embedded()), &[200]), decoder);
        assert_untouched(&played);
        let seen: Vec<_> = of(&played, FIRST)
            .iter()
            .map(|s| {
                (s.pts as u64 / SECOND, s.duration / SECOND, String::from_utf8(s.bytes.clone()).unwrap())
            })
            .collect();
        let chapter = |at, long, title: &str| (at, long, title.to_string());
        assert_eq!(seen[..2], [chapter(0, 10, "Opening"), chapter(10, 30, "Test picture")]);
        assert_eq!((seen.len(), seen[2].0, &*seen[2].2), (3, 40, "Credits"));
        let script = of(&played, FIRST + 1);
        assert_eq!(script.len(), 1);
        assert_eq!(
            (script[0].pts, script[0].duration, &script[0].bytes[..]),
            (70_000_000, 5, &b"g\0o\0"[..])
        );
        assert!(played.link.requests.iter().all(|r| !r.contains("chapters") && !r.contains("script")));
        assert!(played.decoder.streams[&FIRST].ended);
        assert_eq!(played.decoder.streams[&(FIRST + 1)].fourcc, "DATA");
    }
}

#[test]
fn a_seek_finds_the_chapter_that_covers_its_target() {
    let mut sought = false;
    let played = play_with(
        Mode::EventLoop,
        config(TextChoice::All),
        Link::new(with_streams(&embedded()), &[400]),
        Recorder::new(),
        |now, session| {
            if now > 5_000_000 && !sought {
                sought = true;
                session.seek(Instant(now), MediaTime(35 * SECOND as i64)).unwrap();
            }
        },
    );
    let after: Vec<_> = of(&played, FIRST)
        .iter()
        .filter(|s| s.epoch > 1)
        .map(|s| (s.pts as u64 / SECOND, s.flags & 8))
        .collect();
    assert_eq!(after, [(10, 0), (40, 0)], "it is still running: no preroll");
    let script = of(&played, FIRST + 1);
    assert_eq!(script.last().unwrap().flags & 8, 8, "over before the target");
}

#[test]
fn text_that_never_answers_holds_up_neither_start_nor_play_nor_end() {
    let origin = with_streams(&subtitles("sub", "eng", 24));
    let mut link = Link::new(origin, &[200]);
    for n in 0..24 {
        for nth in 1..5 {
            link = link.fault(&path("sub", n * 2 * SECOND), nth, Fault::Silence);
        }
    }
    let played = run(config(TextChoice::First), link, Recorder::new());
    let plain = run(config(TextChoice::None), Link::new(Origin::testcard(), &[200]), Recorder::new());
    assert_untouched(&played);
    assert_eq!(played.stats.startup, plain.stats.startup);
    assert!(played.micros <= plain.micros + 2_100_000, "{} {}", played.micros, plain.micros);
}

#[test]
fn every_fault_of_text_is_an_event_and_nothing_else() {
    let good = document(7).into_bytes();
    let half = boxes(&good, &[])[..90].to_vec();
    let encrypted = boxes(&good, &[full(b"senc", 0, 0, &words(&[1, 1, 2]))]);
    let cases: [(&str, Fault); 8] = [
        ("not found", Fault::Status(404)),
        ("server", Fault::Status(503)),
        ("page", Fault::Body(b"<!DOCTYPE html><html>Please log in</html>".to_vec())),
        ("noise", Fault::Body(vec![0x55; 3000])),
        ("half", Fault::Body(half)),
        ("cut", Fault::Cut(20)),
        ("huge", Fault::Body([b"<tt>".to_vec(), vec![b'x'; 2 << 20]].concat())),
        ("secret", Fault::Body(encrypted)),
    ];
    for (what, fault) in cases {
        let mut origin = with_streams(&subtitles("sub", "eng", 24));
        bare(&mut origin, "sub", 24);
        let mut link = Link::new(origin, &[200]);
        for nth in 1..10 {
            link = link.fault(&path("sub", 4 * SECOND), nth, fault.clone());
        }
        let played = run(config(TextChoice::First), link, Recorder::unpaced());
        assert_untouched(&played);
        let about_text =
            |k| played.events.iter().filter(|e| e.kind == k && e.stream == Some(StreamId(FIRST))).count();
        if what == "secret" {
            // Text is never encrypted, whatever its fragments say ([MS-SSTR] knows protection of sound and pictures only).
            assert_eq!(about_text(EventKind::StreamDropped) + about_text(EventKind::Gap), 0, "{what}");
            assert_eq!(of(&played, FIRST).len(), 24, "{what}");
            continue;
        }
        assert_eq!(about_text(EventKind::Gap), 1, "{what}");
        assert_eq!(of(&played, FIRST).len(), 23, "{what}: the others come");
    }
}

#[test]
fn a_text_origin_that_is_gone_does_not_end_the_programme() {
    let origin = with_streams(&subtitles("sub", "eng", 24));
    let played = run(config(TextChoice::First), Link::new(origin, &[200]), Recorder::unpaced());
    assert_untouched(&played);
    let gaps = played.events.iter().filter(|e| e.kind == EventKind::Gap);
    assert_eq!(gaps.clone().count(), 24);
    assert!(gaps.into_iter().all(|e| e.stream == Some(StreamId(FIRST)) && e.http_status == 404));
}

#[test]
fn an_empty_fragment_of_text_is_no_fault() {
    let mut origin = with_streams(&subtitles("sub", "eng", 3));
    bare(&mut origin, "sub", 3);
    let empty = [moof(&[tfhd(0, &[]), trun(0, 0, &[])]), boxed(b"mdat", b"")].concat();
    origin.responses.insert(path("sub", 0), empty);
    origin.responses.insert(path("sub", 2 * SECOND), Vec::new());
    let played = run(config(TextChoice::First), Link::new(origin, &[200]), Recorder::unpaced());
    assert_untouched(&played);
    assert_eq!(of(&played, FIRST).iter().map(|s| s.pts).collect::<Vec<_>>(), [4 * SECOND as i64]);
    assert_eq!(played.count(EventKind::Gap), 0);
}

#[test]
fn bitmap_subtitles_come_with_the_sizes_of_their_pieces() {
    let mut origin = with_streams(&subtitles("sub", "eng", 2));
    bare(&mut origin, "sub", 2);
    let payload = [&b"<tt>urn:mpeg:14496-30:subs:1</tt>"[..], &[0x89; 40], &[0x47; 7]].concat();
    let mut fields = words(&[1, 1]);
    fields.extend_from_slice(&3u16.to_be_bytes());
    for size in [33u16, 40, 7] {
        fields.extend_from_slice(&size.to_be_bytes());
        fields.extend_from_slice(&[0, 0, 0, 0, 0, 0]);
    }
    let body = boxes(&payload, &[full(b"subs", 0, 0, &fields)]);
    origin.responses.insert(path("sub", 0), body);
    let played = run(config(TextChoice::First), Link::new(origin, &[200]), Recorder::unpaced());
    assert_untouched(&played);
    let at = played.decoder.samples.iter().position(|s| s.stream == FIRST).unwrap();
    assert_eq!(played.decoder.samples[at].bytes, payload);
    assert_eq!(played.decoder.pieces.into_iter().collect::<Vec<_>>(), [(at, vec![33, 40, 7])]);
}

#[test]
fn what_the_host_gives_is_merged_into_the_timeline() {
    let cues: Vec<(i64, Vec<u8>)> =
        (0..12).map(|n| (n * 4 * SECOND as i64 + 3, format!("cue {n}").into_bytes())).collect();
    for decoder in [Recorder::new(), Recorder::unpaced()] {
        let mut id = None;
        let played = play_with(
            Mode::EventLoop,
            config(TextChoice::None),
            Link::new(Origin::testcard(), &[200]),
            decoder,
            |now, session| {
                if session.manifest().is_none() || id.is_some() {
                    return;
                }
                let cue =
                    |n: usize| Cue { time: MediaTime(cues[n].0), duration: 9 * SECOND, data: &cues[n].1 };
                let given = GivenText {
                    name: "mine",
                    language: "gsw",
                    role: Role::Chapters,
                    format: FourCc(*b"TTML"),
                };
                let mut add =
                    |list: &[Cue<'_>]| session.add_text(Instant(now), &given, &mut list.iter().copied());
                let before = 200_000;
                assert_eq!(add(&[cue(1), cue(0)]), Err(Code::Argument.into()));
                assert_eq!(add(&[Cue { time: MediaTime(-1), ..cue(0) }]), Err(Code::Argument.into()));
                assert_eq!(add(&[]), Err(Code::Argument.into()));
                let big = vec![1; 5 << 20];
                assert_eq!(add(&[cue(0), Cue { data: &big, ..cue(1) }]).unwrap_err().code, Code::Budget);
                assert!(session.stats().held <= before + 4096, "nothing stays behind");
                let mut cues = (0..cues.len()).map(cue);
                let stream = session.add_text(Instant(now), &given, &mut cues).unwrap();
                assert_eq!(session.role(stream), Some(Role::Chapters));
                assert_eq!(session.find_track(session.track(stream).unwrap()), Some(stream));
                id = Some(stream);
            },
        );
        assert_untouched(&played);
        assert_eq!(id, Some(StreamId(FIRST)));
        let samples = of(&played, FIRST);
        assert_eq!(samples.len(), 12);
        for (s, (time, data)) in samples.iter().zip(&cues) {
            assert_eq!((s.pts, s.duration, &s.bytes), (*time, 9 * SECOND, data));
        }
    }
}

#[test]
fn a_given_document_comes_again_after_a_seek() {
    let (mut given, mut sought) = (false, false);
    let played = play_with(
        Mode::EventLoop,
        config(TextChoice::None),
        Link::new(Origin::testcard(), &[400]),
        Recorder::new(),
        |now, session| {
            if session.manifest().is_some() && !given {
                given = true;
                let cue = Cue { time: MediaTime(0), duration: 0, data: b"<tt/>" };
                let text =
                    GivenText { name: "doc", language: "", role: Role::Subtitles, format: FourCc(*b"TTML") };
                session.add_text(Instant(now), &text, &mut [cue].into_iter()).unwrap();
            }
            if now > 6_000_000 && !sought {
                sought = true;
                session.seek(Instant(now), MediaTime(30 * SECOND as i64)).unwrap();
            }
        },
    );
    assert_eq!(played.state, State::Ended);
    let samples = of(&played, FIRST);
    assert_eq!(samples.len(), 2);
    assert!(samples[1].epoch > samples[0].epoch);
}

/// A sparse stream without a list: its fragments are announced by those of the pictures.
fn sparse(name: &str) -> String {
    format!(
        "<StreamIndex Type=\"text\" Name=\"{name}\" Subtype=\"ADVT\" ParentStreamIndex=\"video\" \
         Url=\"QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">\
         <QualityLevel Index=\"0\" Bitrate=\"1000\" FourCC=\"DATA\"/></StreamIndex>"
    )
}

/// Every picture fragment from `from` on announces `start`.
fn announce(link: &mut Link, from: u64, list: &str) {
    for bitrate in [64_852, 101_261, 151_877, 258_995] {
        for n in from..24 {
            let path = format!("QualityLevels({bitrate})/Fragments(video={})", n * 2 * SECOND);
            link.content_types.insert(path, format!("video/mp4;{list}"));
        }
    }
}

#[test]
fn announced_fragments_of_sparse_streams_are_fetched_once_and_in_order() {
    let mut origin = with_streams(&(sparse("ads") + &sparse("ctrl=1")));
    for start in [1, 5, 9] {
        origin.responses.insert(path("ads", start * SECOND), boxes(format!("ad {start}").as_bytes(), &[]));
    }
    origin.responses.insert(path("ctrl=1", 3), boxes(b"control", &[]));
    let mut link = Link::new(origin, &[200]);
    announce(&mut link, 0, "ChildTrack=\"ads=10000000\"");
    announce(&mut link, 2, "ChildTrack=\"ads=50000000,ctrl=1=3;unknown=7,ads=,=4\"");
    announce(&mut link, 6, "charset=x; childtrack=ads=90000000");
    let played = run(config(TextChoice::All), link, Recorder::unpaced());
    assert_untouched(&played);
    let seen: Vec<_> = of(&played, FIRST).iter().map(|s| (s.pts as u64 / SECOND, s.bytes.clone())).collect();
    let ad = |n: u64| (n, format!("ad {n}").into_bytes());
    assert_eq!(seen, [ad(1), ad(5), ad(9)]);
    assert_eq!(of(&played, FIRST + 1).len(), 1);
    let asked = played.link.requests.iter().filter(|r| r.contains("ads")).count();
    assert_eq!(asked, 3, "each once");
    assert!(played.decoder.streams[&FIRST].ended);
    assert_eq!(played.decoder.streams[&FIRST].fourcc, "DATA");
}

#[test]
fn a_sparse_stream_is_walked_back_to_the_last_known_fragment() {
    let mut origin = with_streams(&sparse("ads"));
    for start in [2, 11, 13, 16] {
        origin.responses.insert(path("ads", start * SECOND), boxes(format!("ad {start}").as_bytes(), &[]));
    }
    let mut link = Link::new(origin, &[200]);
    announce(&mut link, 0, "ChildTrack=\"ads=20000000\"");
    announce(&mut link, 8, "ChildTrack=\"ads=160000000\"");
    // Each names the one before it.
    for (start, before) in [(16, 13), (13, 11), (11, 2), (2, 0)] {
        let before = before * SECOND;
        link.content_types
            .insert(path("ads", start * SECOND), format!("video/mp4;ChildTrack=\"ads={before}\""));
    }
    let played = run(config(TextChoice::All), link, Recorder::unpaced());
    assert_untouched(&played);
    let seen: Vec<_> = of(&played, FIRST).iter().map(|s| s.pts as u64 / SECOND).collect();
    assert_eq!(seen, [2, 11, 13, 16], "{:?}", played.link.requests);
    assert_eq!(
        played.link.requests.iter().filter(|r| r.contains("ads=")).count(),
        5,
        "0 is looked for once, too"
    );
}

#[test]
fn a_sparse_fragment_that_is_not_there_is_an_event() {
    let origin = with_streams(&sparse("ads"));
    let mut link = Link::new(origin, &[200]);
    announce(&mut link, 3, "ChildTrack=\"ads=50000000\"");
    let played = run(config(TextChoice::All), link, Recorder::unpaced());
    assert_untouched(&played);
    assert_eq!(played.count(EventKind::Gap), 1);
    assert_eq!(played.link.requests.iter().filter(|r| r.contains("ads")).count(), 1);
}

#[test]
fn text_turned_on_while_playing_starts_where_playback_is() {
    let mut origin = with_streams(&subtitles("sub", "eng", 24));
    bare(&mut origin, "sub", 24);
    let mut on = false;
    let played = play_with(
        Mode::EventLoop,
        config(TextChoice::None),
        Link::new(origin, &[400]),
        Recorder::new(),
        |now, session| {
            if now > 15_000_000 && !on {
                on = true;
                session.select(Instant(now), StreamId(FIRST), Selection::On).unwrap();
            }
        },
    );
    assert_untouched(&played);
    let first = of(&played, FIRST)[0].pts;
    assert!((120_000_000..=150_000_000).contains(&first), "{first}");
    let at = played.decoder.samples.iter().position(|s| s.stream == FIRST).unwrap();
    assert!(played.decoder.taken_at[at] < 15_200_000, "at once, though others have a full buffer");
}

#[test]
fn text_keeps_to_its_share_of_memory() {
    let mut origin = with_streams(&subtitles("sub", "eng", 24));
    let large = [b"<tt>".to_vec(), vec![b'x'; 9_000]].concat();
    for n in 0..24 {
        origin.responses.insert(path("sub", n * 2 * SECOND), large.clone());
    }
    let config = Config { budget: 256 << 10, block: 1024, ..config(TextChoice::First) };
    let mut most = 0;
    let played =
        play_with(Mode::EventLoop, config, Link::new(origin, &[200]), Recorder::new(), |_, session| {
            most = most.max(session.stream_stats(StreamId(FIRST)).map_or(0, |s| s.blocks));
        });
    assert_untouched(&played);
    assert_eq!(of(&played, FIRST).len(), 24);
    assert!((9..=32).contains(&most), "{most} of 256 blocks");
}

#[test]
fn captions_come_before_the_picture_that_carries_them() {
    let payload: Vec<u8> = vec![0xC2, 0xFF, 0xFC, 0x94, 0x2C, 0xFC, 0x00, 0x00, 0xFF];
    let mut sei = vec![0x06, 0x04, (payload.len() + 8) as u8, 0xB5, 0x00, 0x31];
    sei.extend_from_slice(b"GA94\x03");
    for byte in &payload {
        if sei.ends_with(&[0, 0]) && *byte <= 3 {
            sei.push(3);
        }
        sei.push(*byte);
    }
    sei.push(0x80);
    let nal = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let picture = nal(&[0x65, 0x88, 0x84, 0x00, 0x11]);
    let with = [nal(&sei), picture.clone()].concat();
    let make = |size: u32| {
        let (a, b) = (with.len() as u32, picture.len() as u32);
        vec![tfhd(0, &[]), trun(0xB01, 2, &[size + 8, 400_000, a, 800_000, 400_000, b, 0])]
    };
    let body = [moof_with(make), mdat(&[with.clone(), picture.clone()].concat())].concat();
    let mut origin = Origin::testcard();
    for bitrate in [64_852, 101_261, 151_877, 258_995] {
        origin.responses.insert(format!("QualityLevels({bitrate})/Fragments(video=0)"), body.clone());
    }
    let config = |captions| Config { captions, ..config(TextChoice::None) };
    let on = run(config(CaptionChoice::On), Link::new(origin.clone(), &[200]), Recorder::unpaced());
    let off = run(config(CaptionChoice::Off), Link::new(origin, &[200]), Recorder::unpaced());
    assert!(off.decoder.captions.is_empty());
    assert_eq!(on.decoder.samples, off.decoder.samples, "they stay in the samples, too");
    assert_eq!(on.decoder.captions.len(), 1);
    let (stream, pts, data, taken) = on.decoder.captions[0].clone();
    assert_eq!((stream, pts, data), (0, 800_000, payload));
    let (picture, place) = (of(&on, 0)[0], on.decoder.samples.iter().position(|s| s.stream == 0).unwrap());
    assert_eq!(picture.pts, 800_000);
    assert!(taken <= place);
}
