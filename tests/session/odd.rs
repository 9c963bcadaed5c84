//! Odd presentations: times at the ends of what fits, streams of unlike lengths, nothing but sound.

use crate::common::{Fault, Link, Mode, Origin, Played, Recorder, play};
use smoothcore::error::Code;
use smoothcore::io::EventKind;
use smoothcore::session::{AudioChoice, Config, State};

const AVC: &str = "00000001674D400CF30202760220000003002000000641E28523400000000168E97B2C80";

/// A stream of `starts` whose every fragment is the test card's `body`.
struct Stream {
    name: &'static str,
    starts: Vec<u64>,
    /// 0: the manifest does not say how long the last one is.
    duration: u64,
    body: &'static str,
}

fn stream(name: &'static str, starts: impl IntoIterator<Item = u64>, duration: u64) -> Stream {
    let body = match name {
        "video" => "QualityLevels(64852)/Fragments(video=0)",
        _ => "QualityLevels(22924)/Fragments(audio_eng=0)",
    };
    Stream { name, starts: starts.into_iter().collect(), duration, body }
}

fn origin(scale: u64, streams: &[Stream]) -> Origin {
    let card = Origin::testcard();
    let mut origin = Origin::default();
    let mut xml = format!("<SmoothStreamingMedia MajorVersion=\"2\" TimeScale=\"{scale}\" Duration=\"0\">");
    for s in streams {
        let (name, video) = (s.name, s.name == "video");
        xml += &format!(
            "<StreamIndex Type=\"{name}\" Url=\"QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">"
        );
        xml += &if video {
            format!(
                "<QualityLevel Index=\"0\" Bitrate=\"1\" FourCC=\"H264\" MaxWidth=\"256\" MaxHeight=\"144\" CodecPrivateData=\"{AVC}\"/>"
            )
        } else {
            "<QualityLevel Index=\"0\" Bitrate=\"1\" FourCC=\"AACL\" SamplingRate=\"48000\" Channels=\"2\" BitsPerSample=\"16\" PacketSize=\"4\" AudioTag=\"255\" CodecPrivateData=\"119056E500\"/>".into()
        };
        for (n, t) in s.starts.iter().enumerate() {
            let d = if n + 1 < s.starts.len() { s.starts[n + 1] - t } else { s.duration };
            xml += &if d == 0 { format!("<c t=\"{t}\"/>") } else { format!("<c t=\"{t}\" d=\"{d}\"/>") };
            let path = format!("QualityLevels(1)/Fragments({name}={t})");
            origin.responses.insert(path, card.responses[s.body].clone());
        }
        xml += "</StreamIndex>";
    }
    xml += "</SmoothStreamingMedia>";
    origin.responses.insert("Manifest".into(), xml.into_bytes());
    origin
}

fn run(origin: Origin, decoder: Recorder) -> Played {
    let config = Config { audio: AudioChoice::First, seed: 5, budget: 1 << 20, ..Config::default() };
    let played = play(Mode::EventLoop, config, Link::new(origin, &[500]), decoder);
    assert_eq!(played.link.balance, 0);
    played
}

fn both(origin: &Origin) -> [Played; 2] {
    [run(origin.clone(), Recorder::unpaced()), run(origin.clone(), Recorder::new())]
}

const D: u64 = 20_000_000;

#[test]
fn times_near_the_ends_of_what_fits_play_in_order() {
    for (scale, first) in [
        (10_000_000, 1 << 54),
        (10_000_000, i64::MAX as u64 - 5 * D),
        (10_000_000_000, i64::MAX as u64 - 5 * D),
        (1, 1 << 39),
    ] {
        let origin = origin(scale, &[stream("video", (0..4).map(|n| first + n * D), D)]);
        // At one tick a second its fragments last for months: nobody waits for that.
        let paced = (scale > 1).then(Recorder::new);
        for played in [Some(Recorder::unpaced()), paced].into_iter().flatten().map(|d| run(origin.clone(), d))
        {
            assert_eq!(played.state, State::Ended, "{scale} {first}");
            assert_eq!(played.decoder.samples.len(), 200);
            assert_eq!(played.count(EventKind::Gap), 0);
            assert!(played.decoder.samples.windows(2).all(|s| s[0].dts < s[1].dts), "{scale} {first}");
        }
    }
}

#[test]
fn one_fragment_of_unknown_length_is_a_presentation() {
    for played in both(&origin(10_000_000, &[stream("video", [0], 0)])) {
        assert_eq!((played.state, played.decoder.samples.len()), (State::Ended, 50));
    }
}

#[test]
fn sound_alone_plays() {
    for played in both(&origin(10_000_000, &[stream("audio", (0..3).map(|n| n * 20_053_333), 20_053_333)])) {
        assert_eq!(played.state, State::Ended);
        assert_eq!(played.count(EventKind::Started), 1);
    }
}

#[test]
fn streams_of_unlike_lengths_both_end() {
    for (video, audio) in [(1, 6), (6, 1)] {
        let streams =
            [stream("video", (0..video).map(|n| n * D), D), stream("audio", (0..audio).map(|n| n * D), D)];
        for played in both(&origin(10_000_000, &streams)) {
            assert_eq!(played.state, State::Ended, "{video} {audio}");
            assert_eq!(played.count(EventKind::StreamEnded), 2);
            assert_eq!(played.stats.stalls, 0, "{video} {audio}");
        }
    }
}

#[test]
fn a_lone_level_that_is_not_there_fails_with_its_status() {
    let mut origin = origin(10_000_000, &[stream("video", (0..20).map(|n| n * D), D)]);
    origin.responses.retain(|path, _| path == "Manifest");
    for played in both(&origin) {
        assert!(matches!(played.state, State::Failed(e) if e.code == Code::HttpStatus), "{:?}", played.state);
        assert_eq!(played.count(EventKind::Gap), 8);
    }
}

#[test]
fn a_fragment_without_samples_is_passed_over() {
    let mut origin = origin(10_000_000, &[stream("video", (0..3).map(|n| n * D), D)]);
    // A traf whose run is empty, and an mdat of nothing.
    let boxed = |kind: &[u8; 4], payload: &[u8]| {
        [&(payload.len() as u32 + 8).to_be_bytes()[..], kind, payload].concat()
    };
    let traf = [boxed(b"tfhd", &[0, 0, 0, 0, 0, 0, 0, 1]), boxed(b"trun", &[0; 8])].concat();
    let body = [boxed(b"moof", &boxed(b"traf", &traf)), boxed(b"mdat", &[])].concat();
    origin.responses.insert(format!("QualityLevels(1)/Fragments(video={D})"), body);
    for played in both(&origin) {
        assert_eq!((played.state, played.decoder.samples.len()), (State::Ended, 100));
    }
}

#[test]
fn what_is_not_there_yet_is_asked_for_again() {
    let origin = origin(10_000_000, &[stream("video", (0..3).map(|n| n * D), D)]);
    let path = format!("QualityLevels(1)/Fragments(video={D})");
    let config = Config { audio: AudioChoice::First, seed: 5, budget: 1 << 20, ..Config::default() };
    let link =
        Link::new(origin, &[500]).fault(&path, 1, Fault::Status(412)).fault(&path, 2, Fault::Status(412));
    let played = play(Mode::EventLoop, config, link, Recorder::new());
    assert_eq!((played.state, played.count(EventKind::Gap)), (State::Ended, 0));
    assert_eq!((played.count(EventKind::Retry), played.decoder.samples.len()), (2, 150));
}
