//! Init segments that a session makes: what manifest, codec and protection say meets in one `moov`.

use crate::common::drive::URL;
use crate::common::{Link, Mode, Origin, Recorder, play_with};
use smoothcore::error::Code;
use smoothcore::io::StreamId;
use smoothcore::limits::Limits;
use smoothcore::manifest::{Manifest, ManifestParser};
use smoothcore::mem::{Account, Bytes};
use smoothcore::mp4::movie::{Movie, MovieTrack};
use smoothcore::mp4::pssh::PsshBoxes;
use smoothcore::protection::PLAYREADY;
use smoothcore::session::{AudioChoice, Config, INIT_TRACK_ID, Session, State, init_segment};

const AVC: &str = "000000016742C00DDA0507E40000000168CE3C80";

fn manifest(root: &str, children: &str) -> (Manifest, Account) {
    let text = format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' {root}>{children}</SmoothStreamingMedia>"
    );
    let mut account = Account::new(4 << 20);
    let mut parser = ManifestParser::new(&Limits::default());
    parser.feed(&mut account, text.as_bytes()).unwrap();
    let manifest = parser.finish().unwrap();
    parser.free(&mut account);
    (manifest, account)
}

fn video(attributes: &str) -> String {
    format!(
        "<StreamIndex Type='video' Url='Q({{bitrate}})/F(v={{start time}})' {attributes}>\
        <QualityLevel Bitrate='1' FourCC='H264' MaxWidth='320' MaxHeight='240' CodecPrivateData='{AVC}'/>\
        <QualityLevel Bitrate='2' FourCC='H264' MaxWidth='640' MaxHeight='480' CodecPrivateData=''/>\
        <c d='1000'/></StreamIndex>"
    )
}

fn audio(attributes: &str) -> String {
    format!(
        "<StreamIndex Type='audio' Url='Q({{bitrate}})/F(a={{start time}})' {attributes}>\
        <QualityLevel Bitrate='1' FourCC='AACL' SamplingRate='48000' Channels='2'/><c d='1000'/></StreamIndex>"
    )
}

const TEXT: &str = "<StreamIndex Type='text' Url='Q({bitrate})/F(t={start time})'>\
    <QualityLevel Bitrate='1' FourCC='TTML'/><c d='1000'/></StreamIndex>";

fn made(manifest: &Manifest, account: &mut Account, stream: u16, position: u32) -> Result<Vec<u8>, Code> {
    let before = account.held();
    let mut out = Bytes::new();
    let done = init_segment(manifest, StreamId(stream), position, account, &Limits::default(), &mut out);
    let bytes = out.to_vec();
    out.free(account);
    assert_eq!(account.held(), before, "nothing stays");
    done.map_err(|e| {
        assert!(bytes.is_empty());
        e.code
    })?;
    Ok(bytes)
}

/// The track of a segment.
fn track(segment: &[u8]) -> MovieTrack<'_> {
    let mut movie = Movie::new(&segment[28..], &Limits::default()).unwrap();
    let track = movie.next_track().unwrap().unwrap();
    assert!(movie.next_track().unwrap().is_none());
    assert_eq!((movie.timescale, movie.duration), (track.timescale, track.duration));
    track
}

#[test]
fn scale_duration_and_language_are_those_of_the_stream() {
    for (language, expected) in [
        ("", b"und"),
        ("Language='eng'", b"eng"),
        ("Language='FRA'", b"fra"),
        ("Language='de'", b"deu"),
        ("Language='pt-BR'", b"por"),
        ("Language='zh_Hant'", b"zho"),
        ("Language='xx'", b"und"),
        ("Language='Deutsch'", b"und"),
        ("Language='12'", b"und"),
    ] {
        let (m, mut account) =
            manifest("TimeScale='1000' Duration='4000'", &(video("TimeScale='90000'") + &audio(language)));
        let (v, a) = (made(&m, &mut account, 0, 0).unwrap(), made(&m, &mut account, 1, 0).unwrap());
        let (v, a) = (track(&v), track(&a));
        assert_eq!((v.id, v.timescale, v.duration), (INIT_TRACK_ID, 90_000, 360_000));
        assert_eq!((a.id, a.timescale, a.duration), (INIT_TRACK_ID, 1_000, 4_000));
        assert_eq!(&a.language, expected, "{language}");
        assert_eq!((&v.entry.name, v.entry.width, v.entry.height), (b"avc1", 320, 240));
        assert_eq!((&a.entry.name, a.entry.channels, a.entry.sampling_rate), (b"mp4a", 2, 48_000));
    }
    let (live, mut account) =
        manifest("IsLive='TRUE' LookAheadFragmentCount='2' DVRWindowLength='0'", &video(""));
    let segment = made(&live, &mut account, 0, 0).unwrap();
    assert_eq!(track(&segment).duration, 0, "all ones");
}

#[test]
fn the_shape_of_pixels_comes_from_the_display_size() {
    let (m, mut account) = manifest("Duration='1000'", &video("DisplayWidth='16' DisplayHeight='9'"));
    let segment = made(&m, &mut account, 0, 0).unwrap();
    let pasp = segment.windows(4).position(|w| w == b"pasp").expect("a ratio");
    // 16:9 over 320:240.
    assert_eq!(segment[pasp + 4..pasp + 12], [0, 0, 0, 4, 0, 0, 0, 3]);
}

#[test]
fn what_cannot_be_made_says_why() {
    let (m, mut account) = manifest("Duration='1000'", &video(""));
    assert_eq!(made(&m, &mut account, 1, 0), Err(Code::Argument));
    assert_eq!(made(&m, &mut account, 0, 2), Err(Code::Argument));
    assert_eq!(made(&m, &mut account, 0, 1), Err(Code::CodecConfig), "parameter sets in band alone");
    let (m, mut account) = manifest("Duration='1000' TimeScale='10000000000'", &video(""));
    assert_eq!(made(&m, &mut account, 0, 0), Err(Code::Unsupported));
    let (m, account) = manifest("Duration='1000'", &video(""));
    let mut small = Account::new(account.held() + 300);
    small.charge(account.held()).unwrap();
    assert_eq!(made(&m, &mut small, 0, 0), Err(Code::Budget));
}

/// A PlayReady object whose header names these keys, in base64.
fn playready(header: &str) -> String {
    let text: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut object = (text.len() as u32 + 10).to_le_bytes().to_vec();
    object.extend_from_slice(&[1, 0, 1, 0]);
    object.extend_from_slice(&(text.len() as u16).to_le_bytes());
    object.extend_from_slice(&text);
    base64(&object)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let n = three.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for i in 0..4 {
            let digit = char::from(DIGITS[(n >> (18 - 6 * i) & 63) as usize]);
            text.push(if i <= three.len() { digit } else { '=' });
        }
    }
    text
}

fn protected(headers: &[(&str, &str)]) -> (Manifest, Account) {
    let headers: String = headers
        .iter()
        .map(|(id, data)| format!("<ProtectionHeader SystemID='{id}'>{data}</ProtectionHeader>"))
        .collect();
    manifest(
        "Duration='1000'",
        &(format!("<Protection>{headers}</Protection>") + &video("") + &audio("") + TEXT),
    )
}

const PLAYREADY_ID: &str = "9A04F079-9840-4286-AB92-E65BE0885F95";
const OTHER_ID: &str = "EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED";
/// Big-endian 0102030405060708090A0B0C0D0E0F10 as a header writes it.
const KID_TEXT: &str = "BAMCAQYFCAcJCgsMDQ4PEA==";
const KID: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

fn header(version: &str, inside: &str) -> String {
    playready(&format!(
        "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"{version}\">\
        <DATA>{inside}</DATA></WRMHEADER>"
    ))
}

#[test]
fn quirk_88_protection_headers_become_entries_and_pssh() {
    let one =
        header("4.0.0.0", &format!("<PROTECTINFO><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{KID_TEXT}</KID>"));
    let (m, mut account) = protected(&[(PLAYREADY_ID, &one), (OTHER_ID, "AAEC")]);
    for stream in 0..2 {
        let segment = made(&m, &mut account, stream, 0).unwrap();
        let p = track(&segment).protection.expect("encrypted");
        assert_eq!((&p.scheme, p.kid, p.iv_size, p.pattern), (b"cenc", KID, 8, (0, 0)));
        let limits = Limits::default();
        let mut boxes = PsshBoxes::new(&segment[28..], &limits).unwrap();
        let first = boxes.next_box().unwrap().unwrap();
        assert_eq!((first.system_id, first.data), (PLAYREADY, &m.protection[0].data[..]));
        assert_eq!(boxes.next_box().unwrap().unwrap().data, [0, 1, 2]);
        assert!(boxes.next_box().unwrap().is_none());
    }
    // Text is never encrypted.
    let segment = made(&m, &mut account, 2, 0).unwrap();
    assert!(track(&segment).protection.is_none());
    assert_eq!(&track(&segment).entry.name, b"stpp");
}

#[test]
fn keys_are_not_guessed_among_several() {
    let kid = |value: &str| format!("<KID ALGID=\"AESCBC\" VALUE=\"{value}\"></KID>");
    let several = header(
        "4.3.0.0",
        &format!(
            "<PROTECTINFO><KIDS>{}{}</KIDS></PROTECTINFO>",
            kid(KID_TEXT),
            kid("AAAAAAAAAAAAAAAAAAAAAQ==")
        ),
    );
    let none = header("4.0.0.0", "");
    for (header, scheme, iv_size) in [(several, b"cbcs", 16), (none, b"cenc", 8), ("AAEC".into(), b"cenc", 8)]
    {
        let (m, mut account) = protected(&[(PLAYREADY_ID, &header)]);
        let segment = made(&m, &mut account, 0, 0).unwrap();
        let p = track(&segment).protection.unwrap();
        assert_eq!((p.kid, &p.scheme, p.iv_size), ([0; 16], scheme, iv_size));
        assert_eq!(p.pattern, if scheme == b"cbcs" { (1, 9) } else { (0, 0) });
    }
    let (m, mut account) = protected(&[("B47B251A-2409-4B42-958E-08DBAE7B4EE9", "&lt;x/&gt;")]);
    assert_eq!(made(&m, &mut account, 0, 0), Err(Code::ProtectionUnsupported));
}

#[test]
fn a_session_makes_them_while_it_plays() {
    let config = Config { audio: AudioChoice::First, seed: 1, budget: 4 << 20, ..Config::default() };
    let mut session = Session::new(config).unwrap();
    assert_eq!(session.init_segment(StreamId(0), 0).unwrap_err().code, Code::State);
    session.open(smoothcore::time::Instant(0), URL).unwrap();
    assert_eq!(session.init_segment(StreamId(0), 0).unwrap_err().code, Code::State);
    let mut lengths = std::collections::BTreeSet::new();
    let link = Link::new(Origin::testcard(), &[40]);
    let played = play_with(Mode::EventLoop, config, link, Recorder::new(), |_, session| {
        for (stream, position) in [(0, 0), (0, 3), (1, 0), (2, 0)] {
            if let Ok(segment) = session.init_segment(StreamId(stream), position) {
                lengths.insert((stream, position, segment.len()));
                assert_eq!(&segment[4..8], b"ftyp");
            } else {
                assert_eq!(session.state(), State::Opening);
            }
        }
    });
    assert_eq!(played.state, State::Ended);
    assert_eq!(lengths.len(), 4, "the same every time: {lengths:?}");
    assert_eq!(played.decoder.samples.len(), 3452, "and nothing is lost by asking");
}
