//! `smoothcore origin` as a client sees it: manifests, fragments, refusals, the log, the link.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Answer, Origin, fragments, media, scratch, testcard};
use flate2::read::{GzDecoder, ZlibDecoder};

const LOW: &str = "/testcard.ism/QualityLevels(64852)/";

fn committed() -> Vec<u8> {
    fs::read(testcard().join("testcard.ismc")).unwrap()
}

fn read(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_manifest_is_the_file() {
    let origin = Origin::start(&testcard(), &[]);
    assert_eq!(origin.manifests, ["/testcard.ism/Manifest"]);
    for path in ["/testcard.ism/Manifest", "/testcard.ism/manifest", "/testcard%2Eism/Manifest?token=1"] {
        let answer = origin.get(path);
        assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("text/xml")), "{path}");
        assert_eq!(answer.body, committed());
        assert_eq!(answer.header("Content-Encoding"), None);
        assert!(answer.header("Cache-Control").is_some());
        assert!(httpdate::parse_http_date(answer.header("Date").unwrap()).is_ok());
    }
}

#[test]
fn manifests_are_compressed_when_asked_for_fragments_never() {
    let origin = Origin::start(&testcard(), &[]);
    let gzip = origin.get_with("/testcard.ism/Manifest", "Accept-Encoding: deflate, gzip");
    assert_eq!(gzip.header("Content-Encoding"), Some("gzip"));
    assert!(gzip.body.len() < committed().len() / 2);
    assert_eq!(read(GzDecoder::new(&gzip.body[..])), committed());
    let deflate = origin.get_with("/testcard.ism/Manifest", "accept-encoding: deflate");
    assert_eq!(deflate.header("Content-Encoding"), Some("deflate"));
    assert_eq!(read(ZlibDecoder::new(&deflate.body[..])), committed());
    let refused = origin.get_with("/testcard.ism/Manifest", "Accept-Encoding: gzip;q=0");
    assert_eq!((refused.header("Content-Encoding"), &refused.body), (None, &committed()));
    let fragment = origin.get_with(&format!("{LOW}Fragments(video=0)"), "Accept-Encoding: gzip");
    assert_eq!((fragment.status, fragment.header("Content-Encoding")), (200, None));
}

#[test]
fn manifests_come_in_utf_16() {
    let xml = String::from_utf8(committed()).unwrap().replacen("utf-8", "utf-16", 1);
    let wide = |answer: &Answer, unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = answer.body.chunks(2).map(|two| unit(two.try_into().unwrap())).collect();
        assert_eq!(units[0], 0xfeff, "byte order mark");
        String::from_utf16(&units[1..]).unwrap()
    };
    let plain = Origin::start(&testcard(), &[]);
    assert_eq!(wide(&plain.get("/testcard.ism/Manifest?encoding=utf-16le"), u16::from_le_bytes), xml);
    assert_eq!(wide(&plain.get("/testcard.ism/Manifest?a=b&encoding=UTF-16BE"), u16::from_be_bytes), xml);
    assert_eq!(plain.get("/testcard.ism/Manifest?encoding=latin1").status, 400);
    let flagged = Origin::start(&testcard(), &["--utf16", "be"]);
    assert_eq!(wide(&flagged.get("/testcard.ism/Manifest"), u16::from_be_bytes), xml);
    assert_eq!(flagged.get("/testcard.ism/Manifest?encoding=utf-8").body, committed());
}

#[test]
fn fragments_are_bytes_of_the_file_at_exactly_their_time() {
    let origin = Origin::start(&testcard(), &[]);
    let file = fs::read(testcard().join("testcard_64.ismv")).unwrap();
    let lie = fragments(&file);
    assert_eq!(lie.len(), 24);
    for (at, (moof, whole)) in lie.into_iter().enumerate() {
        let time = at * 20_000_000;
        let answer = origin.get(&format!("{LOW}Fragments(video={time})"));
        assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("video/mp4")));
        assert!(answer.body == file[whole], "fragment at {time}");
        let info = origin.get(&format!("{LOW}FragmentInfo(video={time})"));
        assert!(info.status == 200 && info.body == file[moof], "moof at {time}");
    }
    let french = fs::read(testcard().join("testcard_fra.isma")).unwrap();
    let second = fragments(&french)[1].1.clone();
    let answer = origin.get("/testcard.ism/QualityLevels(26030)/Fragments(audio_fra=20053333)");
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("audio/mp4")));
    assert!(answer.body == french[second]);
}

#[test]
fn what_is_not_exact_is_not_there() {
    let origin = Origin::start(&testcard(), &[]);
    for (path, status) in [
        ("/testcard.ism/QualityLevels(64852)/Fragments(video=20000001)", 404),
        ("/testcard.ism/QualityLevels(64852)/Fragments(video=19999999)", 404),
        ("/testcard.ism/QualityLevels(64852)/Fragments(video=480000000)", 404),
        ("/testcard.ism/QualityLevels(64853)/Fragments(video=20000000)", 404),
        ("/testcard.ism/QualityLevels(64852)/Fragments(Video=20000000)", 404),
        ("/testcard.ism/QualityLevels(64852)/Fragments(audio_eng=0)", 404),
        ("/testcard.ism/QualityLevels(22924)/Fragments(audio_fra=0)", 404),
        ("/testcard.ism/QualityLevels(64852,a=b)/Fragments(video=0)", 404),
        ("/testcard.ism/QualityLevels(64852)/KeyFrames(video=0)", 400),
        ("/testcard.ism/QualityLevels(64852)/RawFragments(video=0)", 400),
        ("/testcard.ism/QualityLevels(64852)/Fragments(video)", 400),
        ("/testcard.ism/QualityLevels(x)/Fragments(video=0)", 400),
        ("/testcard.ism/", 404),
        ("/testcard.ism", 404),
        ("/testcard.ismc", 404),
        ("/testcard_64.ismv", 404),
        ("/other.ism/Manifest", 404),
        ("/testcard.ism/../../Cargo.toml", 404),
        ("/", 404),
    ] {
        assert_eq!(origin.get(path).status, status, "{path}");
    }
    let post = origin.send("POST /testcard.ism/Manifest HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!((post.status, post.header("Allow")), (405, Some("GET, HEAD")));
    assert_eq!(origin.send("GET /a b c\r\n\r\n").status, 400);
    assert_eq!(origin.send(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(20_000))).status, 431);
}

#[test]
fn manifests_are_made_when_there_are_none() {
    // Media files alone take the name of their directory.
    let alone = scratch("origin-alone").join("testcard");
    fs::create_dir(&alone).unwrap();
    for path in media() {
        fs::copy(&path, alone.join(path.file_name().unwrap())).unwrap();
    }
    let origin = Origin::start(&alone, &[]);
    assert_eq!(origin.manifests, ["/testcard.ism/Manifest"]);
    assert_eq!(origin.get("/testcard.ism/Manifest").body, committed());
    assert_eq!(origin.get(&format!("{LOW}Fragments(video=0)")).status, 200);
    drop(origin);

    // A server manifest without its client manifest keeps the names and bitrates it gives.
    let xml = fs::read_to_string(testcard().join("testcard.ism")).unwrap();
    let xml = xml.replace("64852", "64000").replace("audio_fra", "parler");
    fs::write(alone.join("renamed.ism"), xml).unwrap();
    let origin = Origin::start(alone.parent().unwrap(), &[]);
    assert_eq!(origin.manifests, ["/testcard/renamed.ism/Manifest"]);
    let made = String::from_utf8(origin.get("/testcard/renamed.ism/Manifest").body).unwrap();
    let expected =
        String::from_utf8(committed()).unwrap().replace("64852", "64000").replace("audio_fra", "parler");
    assert_eq!(made, expected);
    assert_eq!(origin.get("/testcard/renamed.ism/QualityLevels(64000)/Fragments(video=0)").status, 200);
    assert_eq!(origin.get("/testcard/renamed.ism/QualityLevels(64852)/Fragments(video=0)").status, 404);
}

#[test]
fn custom_attributes_tell_levels_of_one_bitrate_apart() {
    let dir = scratch("origin-custom");
    let track = |src: &str, profile: &str| {
        fs::copy(testcard().join(src), dir.join(src)).unwrap();
        format!(
            "<video src='{src}' systemBitrate='100'><param name='trackID' value='1'/>\
             <param name='profile' value='{profile}'/></video>"
        )
    };
    let tracks = track("testcard_64.ismv", "small") + &track("testcard_100.ismv", "large");
    fs::write(dir.join("a.ism"), format!("<smil><body><switch>{tracks}</switch></body></smil>")).unwrap();
    let origin = Origin::start(&dir, &[]);
    let manifest = String::from_utf8(origin.get("/a.ism/Manifest").body).unwrap();
    assert!(
        manifest.contains("QualityLevels({bitrate},{CustomAttributes})/Fragments(video={start time})"),
        "{manifest}"
    );
    assert!(manifest.contains("<Attribute Name=\"profile\" Value=\"large\"/>"), "{manifest}");
    for (profile, file) in [("small", "testcard_64.ismv"), ("large", "testcard_100.ismv")] {
        let file = fs::read(dir.join(file)).unwrap();
        let answer = origin.get(&format!("/a.ism/QualityLevels(100,profile={profile})/Fragments(video=0)"));
        assert!(answer.status == 200 && answer.body == file[fragments(&file)[0].1.clone()], "{profile}");
    }
    assert_eq!(origin.get("/a.ism/QualityLevels(100,profile=none)/Fragments(video=0)").status, 404);
}

#[test]
fn plain_trees_are_served_as_they_are() {
    let dir = scratch("origin-tree");
    let level = dir.join("live.isml/QualityLevels(5000)");
    fs::create_dir_all(&level).unwrap();
    fs::write(dir.join("live.isml/Manifest"), "<SmoothStreamingMedia/>").unwrap();
    fs::write(dir.join("live.isml/secret"), "not for clients").unwrap();
    fs::write(level.join("Fragments(video=7)"), "bytes").unwrap();
    let origin = Origin::start(&dir, &[]);
    assert_eq!(origin.manifests, ["/live.isml/Manifest"]);
    assert_eq!(origin.get("/live.isml/Manifest").body, b"<SmoothStreamingMedia/>");
    assert_eq!(origin.get("/live.isml/QualityLevels(5000)/Fragments(video=7)").body, b"bytes");
    for path in [
        "QualityLevels(5000)/Fragments(video=8)",
        "secret",
        "QualityLevels(5000)/../secret",
        "..%2Fsecret",
        "Other",
    ] {
        assert_eq!(origin.get(&format!("/live.isml/{path}")).status, 404, "{path}");
    }
}

#[test]
fn one_connection_carries_many_requests() {
    let origin = Origin::start(&testcard(), &[]);
    let mut stream = TcpStream::connect(&origin.address).unwrap();
    // Two at once, then the last.
    let keep = format!("GET {LOW}FragmentInfo(video=0) HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = "HEAD /testcard.ism/Manifest HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(format!("{keep}{head}").as_bytes()).unwrap();
    stream.write_all(b"GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut rest = read(stream);
    let mut statuses = Vec::new();
    for has_body in [true, false, true] {
        let answer = Answer::parse(&rest);
        let length: usize = answer.header("Content-Length").unwrap().parse().unwrap();
        statuses.push(answer.status);
        rest = answer.body[if has_body { length } else { 0 }..].to_vec();
    }
    assert_eq!((statuses, rest.len()), (vec![200, 200, 404], 0));
}

#[test]
fn many_clients_at_once() {
    let origin = Origin::start(&testcard(), &[]);
    let file = fs::read(testcard().join("testcard_64.ismv")).unwrap();
    let lie = fragments(&file);
    std::thread::scope(|scope| {
        for client in 0..64 {
            let (origin, file, lie) = (&origin, &file, &lie);
            scope.spawn(move || {
                let at = client % lie.len();
                let answer = origin.get(&format!("{LOW}Fragments(video={})", at * 20_000_000));
                assert!(answer.body == file[lie[at].1.clone()], "client {client}");
            });
        }
    });
}

#[test]
fn the_log_has_a_line_a_request() {
    let log = scratch("origin-log").join("log");
    let origin = Origin::start(&testcard(), &["--log", log.to_str().unwrap()]);
    let fragment = origin.get(&format!("{LOW}Fragments(video=0)?token=x"));
    origin.get("/none");
    origin.send("HEAD /testcard.ism/Manifest HTTP/1.0\r\n\r\n");
    // A line is written when its response is done, which the client may notice first.
    let deadline = Instant::now() + Duration::from_secs(5);
    let text = loop {
        let text = fs::read_to_string(&log).unwrap();
        if text.lines().count() >= 3 || Instant::now() > deadline {
            break text;
        }
    };
    let lines: Vec<_> = text.lines().map(|line| line.rsplit_once(" ms=").unwrap()).collect();
    let expected = [
        format!("GET {LOW}Fragments(video=0)?token=x 200 bytes={}", fragment.body.len()),
        format!("GET /none 404 bytes={}", "no such presentation\n".len()),
        "HEAD /testcard.ism/Manifest 200 bytes=0".to_owned(),
    ];
    assert_eq!(lines.iter().map(|(line, _)| *line).collect::<Vec<_>>(), expected);
    assert!(lines.iter().all(|(_, ms)| ms.parse::<u64>().is_ok()), "{text}");
}

#[test]
fn the_link_is_shared_and_no_faster_than_it_says() {
    let dir = scratch("origin-link");
    let (link, log) = (dir.join("link"), dir.join("log"));
    fs::write(&link, "10 800 # 100 bytes a millisecond\n").unwrap();
    let args = ["--link", link.to_str().unwrap(), "--log", log.to_str().unwrap()];
    let origin = Origin::start(&testcard(), &args);
    let start = Instant::now();
    let bytes: usize = std::thread::scope(|scope| {
        let large =
            scope.spawn(|| origin.get("/testcard.ism/QualityLevels(258995)/Fragments(video=0)").body.len());
        // Asked for later, done first: the link is shared, not queued for.
        std::thread::sleep(Duration::from_millis(100));
        let small = origin.get(&format!("{LOW}FragmentInfo(video=0)")).body.len();
        assert!(!large.is_finished(), "the large response is still on its way");
        large.join().unwrap() + small
    });
    let took = start.elapsed();
    let least = Duration::from_micros(bytes as u64 * 10) - Duration::from_millis(30);
    assert!(took >= least, "{bytes} bytes in {took:?}");
    let first = fs::read_to_string(&log).unwrap();
    assert!(first.lines().next().unwrap().contains("FragmentInfo"), "{first}");
}

#[test]
fn latency_and_silence_hold_responses_back() {
    let link = scratch("origin-latency").join("link.json");
    // Nothing passes in the first 300 ms; then the link is fast, but late.
    let trace = r#"[{"duration_ms": 300, "bandwidth_kbps": 0, "latency_ms": 0},
        {"duration_ms": 60000, "bandwidth_kbps": 100000, "latency_ms": 200}]"#;
    fs::write(&link, trace).unwrap();
    let origin = Origin::start(&testcard(), &["--link", link.to_str().unwrap()]);
    // The clock starts with the first request, so this wait changes nothing.
    std::thread::sleep(Duration::from_millis(350));
    for least in [300, 200] {
        let start = Instant::now();
        assert_eq!(origin.get("/testcard.ism/Manifest").body, committed());
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(least - 25), "{took:?} where {least} ms were due");
    }
    assert_eq!(common::smoothcore(&["origin", "--link", "/dev/null"], &[testcard()]).status.code(), Some(1));
}

#[test]
fn a_termination_signal_ends_it_at_once() {
    let mut origin = Origin::start(&testcard(), &[]);
    let _open = TcpStream::connect(&origin.address).unwrap();
    assert!(Command::new("kill").arg(origin.child.id().to_string()).status().unwrap().success());
    let deadline = Instant::now() + Duration::from_secs(5);
    while origin.child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "still there");
        std::thread::sleep(Duration::from_millis(5));
    }
}
