//! `smoothcore play` against `smoothcore origin`: what arrives is what the files hold, at every level and across switches.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{Origin, ismv, scratch, smoothcore, testcard};
use serde_json::Value;

/// The video levels of the test card: Index, bitrate, file.
const LEVELS: [(u32, u32, &str); 4] = [
    (0, 64_852, "testcard_64.ismv"),
    (1, 101_261, "testcard_100.ismv"),
    (2, 151_877, "testcard_150.ismv"),
    (3, 258_995, "testcard_256.ismv"),
];

fn play(origin: &Origin, args: &[&str]) -> Output {
    let url = format!("http://{}{}", origin.address, origin.manifests[0]);
    smoothcore(&[&["play"], args, &[&url]].concat(), &[])
}

fn json(done: &Output) -> Value {
    let text = String::from_utf8(done.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "one object and nothing else: {text}");
    serde_json::from_str(&text).unwrap()
}

fn stderr(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// Size and hash of every frame that FFmpeg finds in a file. It must have nothing to say of that `loudness`.
fn frames(file: &Path, loudness: &str, options: &[&str]) -> Vec<(String, String)> {
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", loudness, "-i"])
        .arg(file)
        .args(options)
        .args(["-f", "framehash", "-"])
        .output();
    let done = done.unwrap_or_else(|e| {
        panic!("this test runs ffmpeg, which is not there ({e}): apt-get install ffmpeg")
    });
    assert!(done.status.success() && done.stderr.is_empty(), "{}: {}", file.display(), stderr(&done));
    let text = String::from_utf8(done.stdout).unwrap();
    let frame = |line: &str| {
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        (fields[4].to_owned(), fields[5].to_owned())
    };
    text.lines().filter(|line| !line.starts_with('#')).map(frame).collect()
}

const EVERY_PICTURE: &[&str] = &["-fps_mode", "passthrough"];
/// Access units without transport headers.
const PACKETS: &[&str] = &["-c", "copy", "-bsf:a", "aac_adtstoasc"];

#[test]
fn every_level_decodes_to_the_pictures_of_its_file() {
    let origin = Origin::start(&testcard(), &[]);
    for (level, bitrate, file) in LEVELS {
        let dir = scratch(&format!("play-level-{level}"));
        let sink = format!("files:{}", dir.display());
        let args = ["--speed", "max", "--level", &level.to_string(), "--sink", &sink, "--json"];
        let done = play(&origin, &args);
        assert!(done.status.success(), "{}", stderr(&done));
        let figures = json(&done);
        assert_eq!(figures["streams"][0]["bitrates"], Value::from(vec![bitrate; 24]));
        assert_eq!(figures["switches"], 0);
        let source = frames(&testcard().join(file), "warning", EVERY_PICTURE);
        assert_eq!(source.len(), 1200);
        let played = frames(&dir.join("video.h264"), "warning", EVERY_PICTURE);
        assert!(played == source, "level {level}: {} pictures, {} in the file", played.len(), source.len());
    }
}

#[test]
fn every_language_decodes_to_the_sound_of_its_file() {
    let origin = Origin::start(&testcard(), &[]);
    let dir = scratch("play-audio");
    let done =
        play(&origin, &["--speed", "max", "--audio", "all", "--sink", &format!("files:{}", dir.display())]);
    assert!(done.status.success(), "{}", stderr(&done));
    for language in ["eng", "fra"] {
        let source = testcard().join(format!("testcard_{language}.isma"));
        let played = dir.join(format!("audio_{language}.aac"));
        for options in [PACKETS, &[]] {
            // Of any ADTS file FFmpeg warns that it must guess the duration.
            let (source, played) = (frames(&source, "error", options), frames(&played, "error", options));
            assert_eq!(source.len(), 2252);
            assert!(played == source, "{language} {options:?}: {} of {}", played.len(), source.len());
        }
    }
}

#[test]
fn chapters_in_the_manifest_come_out_with_their_times() {
    let dir = scratch("play-text-content");
    for file in fs::read_dir(testcard()).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, dir.join(file.file_name().unwrap())).unwrap();
    }
    // "Opening", "Test picture" and, for the command, "go" in UTF-16.
    let streams = "<StreamIndex Type=\"text\" Name=\"chapters\" Subtype=\"CHAP\" ManifestOutput=\"TRUE\">\
        <QualityLevel Index=\"0\" Bitrate=\"0\" FourCC=\"TTML\"/>\
        <c t=\"0\" d=\"100000000\"><f i=\"0\">T3BlbmluZw==</f></c>\
        <c t=\"100000000\" d=\"380000000\"><f i=\"0\">VGVzdCBwaWN0dXJl</f></c></StreamIndex>\
        <StreamIndex Type=\"text\" Name=\"script\" Subtype=\"SCMD\" Language=\"eng\" ManifestOutput=\"TRUE\">\
        <c t=\"70000000\" d=\"1\"><f i=\"0\">ZwBvAA==</f></c></StreamIndex></SmoothStreamingMedia>";
    let manifest = dir.join("testcard.ismc");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("</SmoothStreamingMedia>", streams)).unwrap();
    let origin = Origin::start(&dir, &[]);
    let out = scratch("play-text");
    let sink = format!("files:{}", out.display());
    let done = play(&origin, &["--speed", "max", "--text", "all", "--sink", &sink, "--json"]);
    assert!(done.status.success(), "{}", stderr(&done));
    assert_eq!(fs::read(out.join("chapters.ttml")).unwrap(), b"OpeningTest picture");
    let times = fs::read_to_string(out.join("chapters.times")).unwrap();
    assert_eq!(times, "0 100000000 0 7\n100000000 380000000 7 12\n");
    assert_eq!(fs::read(out.join("script.bin")).unwrap(), b"g\0o\0");
    assert_eq!(fs::read_to_string(out.join("script.times")).unwrap(), "70000000 1 0 4\n");
    // Sound and pictures are as without.
    let plain = scratch("play-text-none");
    let done =
        play(&origin, &["--speed", "max", "--level", "0", "--sink", &format!("files:{}", plain.display())]);
    assert!(done.status.success() && !plain.join("chapters.ttml").exists());
    assert_eq!(fs::read(out.join("audio_eng.aac")).unwrap(), fs::read(plain.join("audio_eng.aac")).unwrap());
}

/// One line of samples.log, with the bytes that it speaks of.
struct Logged {
    fragment: u64,
    bitrate: u32,
    times: [i64; 3],
    flags: u32,
    bytes: Vec<u8>,
}

/// The samples of one stream in order; sizes and hashes in the log must be those of the bytes in the file.
fn logged(dir: &Path, stream: &str, file: &str) -> Vec<Logged> {
    let bytes = fs::read(dir.join(file)).unwrap();
    let mut rest = &bytes[..];
    let mut samples = Vec::new();
    for line in fs::read_to_string(dir.join("samples.log")).unwrap().lines() {
        let fields: Vec<_> = line.split(' ').collect();
        assert_eq!(fields.len(), 9, "{line}");
        if fields[0] != stream {
            continue;
        }
        let (sample, after) = rest.split_at(fields[6].parse().unwrap());
        rest = after;
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(1_099_511_628_211);
        let hash = sample.iter().fold(14_695_981_039_346_656_037, fold);
        assert_eq!(format!("{hash:016x}"), fields[7], "{line}");
        samples.push(Logged {
            fragment: fields[1].parse().unwrap(),
            bitrate: fields[2].parse().unwrap(),
            times: [3, 4, 5].map(|field| fields[field].parse().unwrap()),
            flags: fields[8].parse().unwrap(),
            bytes: sample.to_vec(),
        });
    }
    assert!(rest.is_empty(), "the file ends with the last sample");
    samples
}

/// Parameter sets of every video level, by bitrate, as the manifest has them.
fn parameter_sets() -> BTreeMap<u32, Vec<u8>> {
    let text = fs::read_to_string(testcard().join("testcard.ismc")).unwrap();
    let manifest = roxmltree::Document::parse(&text).unwrap();
    let levels = manifest.descendants().filter(|node| node.attribute("FourCC") == Some("H264"));
    let hex = |text: &str| {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    levels
        .map(|l| {
            (l.attribute("Bitrate").unwrap().parse().unwrap(), hex(l.attribute("CodecPrivateData").unwrap()))
        })
        .collect()
}

#[test]
fn no_sample_is_lost_or_doubled_or_changed_by_switching() {
    let dir = scratch("play-switching");
    let (link, log) = (dir.join("link"), dir.join("requests"));
    // Room for every level, then for none, then for every one.
    fs::write(&link, "4 2500 20\n6 90 20\n1000 2500 20\n").unwrap();
    let paths = [&link, &log].map(|path| path.to_str().unwrap().to_owned());
    let origin = Origin::start(&testcard(), &["--link", &paths[0], "--log", &paths[1]]);
    let out = dir.join("out");
    let sink = format!("files:{}", out.display());
    let done = play(&origin, &["--start", "28", "--buffer", "4", "--seed", "1", "--json", "--sink", &sink]);
    assert!(done.status.success(), "{}", stderr(&done));
    let figures = json(&done);

    let files: BTreeMap<u32, _> =
        LEVELS.iter().map(|(_, bitrate, file)| (*bitrate, ismv::read(&testcard().join(file)))).collect();
    let sets = parameter_sets();
    let samples = logged(&out, "0", "video.h264");
    let mut chosen: Vec<(u64, u32)> = samples.iter().map(|s| (s.fragment, s.bitrate)).collect();
    chosen.dedup();
    let starts: Vec<_> = chosen.iter().map(|(start, _)| *start).collect();
    assert_eq!(starts, (14..24).map(|n| n * 20_000_000).collect::<Vec<_>>(), "every fragment once, in order");
    let bitrates: Vec<_> = chosen.iter().map(|(_, bitrate)| *bitrate).collect();
    assert!(!bitrates.is_sorted() && !bitrates.is_sorted_by(|a, b| a >= b), "up and down: {bitrates:?}");
    assert_eq!(figures["streams"][0]["bitrates"], Value::from(bitrates.clone()));
    assert!(
        figures["switches"].as_u64().unwrap() >= bitrates.windows(2).filter(|w| w[0] != w[1]).count() as u64
    );

    // What was asked for is what was logged as chosen.
    let requests = fs::read_to_string(&log).unwrap();
    for (start, bitrate) in &chosen {
        let answered = format!("QualityLevels({bitrate})/Fragments(video={start}) 200 ");
        assert!(requests.contains(&answered), "{answered}: {requests}");
    }

    let mut given = samples.iter();
    let mut level_before = 0;
    for (start, bitrate) in &chosen {
        for (n, unit) in files[bitrate][start].iter().enumerate() {
            let sample = given.next().expect("a sample for every unit of the file");
            let at = format!("fragment {start} at {bitrate}, unit {n}");
            assert_eq!((sample.fragment, sample.bitrate), (*start, *bitrate), "{at}");
            assert_eq!(sample.times, [unit.dts, unit.pts, unit.duration], "{at}");
            let mut expected = if sample.flags & 4 != 0 { sets[bitrate].clone() } else { Vec::new() };
            assert!(
                n > 0 || level_before == *bitrate || !expected.is_empty(),
                "{at}: a new level needs its parameter sets"
            );
            expected.extend(ismv::annex_b(&unit.bytes));
            assert!(sample.bytes == expected, "{at}");
        }
        level_before = *bitrate;
    }
    assert!(given.next().is_none(), "no sample beyond the files");

    let sound = ismv::read(&testcard().join("testcard_eng.isma"));
    let played = logged(&out, "1", "audio_eng.aac");
    let first = played[0].fragment;
    assert!(first <= 280_000_000 && first > 255_000_000, "{first}");
    let units: Vec<_> =
        sound.range(first..).flat_map(|(start, units)| units.iter().map(move |u| (*start, u))).collect();
    assert_eq!(played.len(), units.len());
    for (sample, (start, unit)) in played.iter().zip(units) {
        assert_eq!(
            (sample.fragment, sample.bytes.len()),
            (start, unit.bytes.len() + 7),
            "an ADTS header each"
        );
        assert!(sample.bytes[..2] == [0xff, 0xf1] && sample.bytes[7..] == unit.bytes);
        assert_eq!(sample.times, [unit.dts, unit.pts, unit.duration]);
    }
}

#[test]
fn files_on_disk_give_the_samples_of_a_server() {
    let origin = Origin::start(&testcard(), &[]);
    let dir = scratch("play-disk");
    let by_stream = |dir: &Path| {
        let log = fs::read_to_string(dir.join("samples.log")).unwrap();
        let mut lines: Vec<_> = log.lines().map(str::to_owned).collect();
        // How streams alternate depends on when bytes come.
        lines.sort_by_key(|line| line.split(' ').next().unwrap().to_owned());
        lines
    };
    let copy = dir.join("without client manifest");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(testcard()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending != "ismc") {
            fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
        }
    }
    for (index, _, _) in LEVELS {
        let level = index.to_string();
        let sink = |name: &str| {
            (dir.join(format!("{name}{level}")), format!("files:{}/{name}{level}", dir.display()))
        };
        let options = |sink: &str| -> Vec<String> {
            ["--speed", "max", "--audio", "all", "--level", &level, "--sink", sink]
                .map(str::to_owned)
                .to_vec()
        };
        let (served, to) = sink("served");
        let options_of: Vec<_> = options(&to);
        assert!(play(&origin, &options_of.iter().map(String::as_str).collect::<Vec<_>>()).status.success());
        let expected = by_stream(&served);
        assert_eq!(expected.len(), 1200 + 2 * 2252);
        for (name, file) in [
            ("ism", testcard().join("testcard.ism")),
            ("ismc", testcard().join("testcard.ismc")),
            ("made", copy.join("testcard.ism")),
        ] {
            let (played, to) = sink(name);
            let mut args = vec!["play".to_owned()];
            args.extend(options(&to));
            args.push(file.to_str().unwrap().to_owned());
            let done = smoothcore(&args.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
            assert!(done.status.success(), "{}", stderr(&done));
            assert!(by_stream(&played) == expected, "{name} at level {index}");
        }
    }
    let missing = smoothcore(&["play", "none.ism"], &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("none.ism: file is not there (-8)"), "{}", stderr(&missing));
}

#[test]
fn the_figures_are_one_object_with_exactly_these_keys() {
    let log = scratch("play-json").join("requests");
    let origin = Origin::start(&testcard(), &["--log", log.to_str().unwrap()]);
    let done =
        play(&origin, &["--speed", "max", "--json", "--level", "1", "--audio", "fra", "--budget", "200k"]);
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert!(!done.stderr.is_empty(), "what happens is told on standard error");
    let figures = json(&done);
    let keys: Vec<_> = figures.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "ended",
        "startup_ms",
        "first_sample_ms",
        "stalls",
        "stall_ms",
        "switches",
        "requests",
        "http_errors",
        "bytes",
        "peak_held_bytes",
        "streams",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(figures["ended"], Value::Bool(true));
    for key in expected.iter().filter(|key| !["ended", "streams"].contains(key)) {
        assert!(figures[key].is_u64(), "{key}: {}", figures[key]);
    }
    assert_eq!(figures["http_errors"], 0);
    let held = figures["peak_held_bytes"].as_u64().unwrap();
    assert!((1..=200 << 10).contains(&held), "{held}");
    let streams = figures["streams"].as_array().unwrap();
    let of = |n: usize, key: &str| streams[n][key].clone();
    let told = |n| (of(n, "type"), of(n, "name"), of(n, "fragments"), of(n, "samples"));
    assert_eq!(streams.len(), 2);
    assert_eq!(told(0), ("video".into(), "video".into(), 24.into(), 1200.into()));
    assert_eq!(told(1), ("audio".into(), "audio_fra".into(), 24.into(), 2252.into()));
    assert_eq!(of(1, "bitrates"), Value::from(vec![26_030; 24]));
    assert!(streams.iter().all(|s| s.as_object().unwrap().len() == 5));

    // A pinned level does not cost a second manifest. Lines are written when answers are done.
    let deadline = Instant::now() + Duration::from_secs(5);
    while fs::read_to_string(&log).unwrap().lines().count() < 49 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let requests = fs::read_to_string(&log).unwrap();
    let sum = |line: &str| -> u64 {
        line.split("bytes=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(figures["requests"], requests.lines().count());
    assert_eq!(figures["bytes"], requests.lines().map(sum).sum::<u64>());
}

/// A server that answers the first request with 503 and passes the others on to `origin`; how many came is counted.
fn flaky(origin: &str) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (origin, count) = (origin.to_owned(), Arc::new(AtomicU64::new(0)));
    let counted = count.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let answer = if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
            } else {
                let mut upstream = TcpStream::connect(&origin).unwrap();
                let head = String::from_utf8(head).unwrap().replacen("\r\n", "\r\nConnection: close\r\n", 1);
                upstream.write_all(head.as_bytes()).unwrap();
                let mut answer = Vec::new();
                upstream.read_to_end(&mut answer).unwrap();
                answer
            };
            client.write_all(&answer).unwrap();
        }
    });
    (address, count)
}

#[test]
fn a_failed_try_for_the_manifest_is_counted_at_a_pinned_level_too() {
    let origin = Origin::start(&testcard(), &[]);
    for pin in [&["--level", "1"][..], &[]] {
        let (address, count) = flaky(&origin.address);
        let url = format!("http://{address}{}", origin.manifests[0]);
        let done = smoothcore(&[&["play", "--speed", "max", "--json"], pin, &[&url]].concat(), &[]);
        assert!(done.status.success() && stderr(&done).contains("503"), "{}", stderr(&done));
        let figures = json(&done);
        assert_eq!(
            (figures["http_errors"].clone(), figures["requests"].clone()),
            (1.into(), 50.into()),
            "{pin:?}"
        );
        assert_eq!(count.load(Ordering::Relaxed), 50);
    }
}

#[test]
fn real_speed_takes_its_time_and_starts_where_told() {
    let origin = Origin::start(&testcard(), &[]);
    let began = Instant::now();
    let done = play(&origin, &["--start", "46", "--json"]);
    let took = began.elapsed();
    assert!(done.status.success(), "{}", stderr(&done));
    assert!(took > Duration::from_millis(1700) && took < Duration::from_secs(6), "{took:?} for 2 s");
    let figures = json(&done);
    assert_eq!((figures["streams"][0]["fragments"].clone(), figures["stalls"].clone()), (1.into(), 0.into()));
}

#[test]
fn failures_say_what_where_and_what_to_do() {
    let origin = Origin::start(&testcard(), &[]);
    let base = format!("http://{}", origin.address);
    let missing = smoothcore(&["play", "--json", &format!("{base}/none.ism/Manifest?token=secret")], &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(
        (json(&missing)["ended"].clone(), json(&missing)["startup_ms"].clone()),
        (false.into(), Value::Null)
    );
    assert_eq!(json(&missing)["http_errors"], 1);
    let said = stderr(&missing);
    assert!(said.contains("-200") && said.contains("404") && said.contains("check the URL"), "{said}");
    assert!(!said.contains("secret"), "{said}");

    let level = play(&origin, &["--level", "4"]);
    assert_eq!(level.status.code(), Some(1));
    assert!(stderr(&level).contains("3 (258995 bit/s)"), "{}", stderr(&level));

    let file = scratch("play-unwritable").join("file");
    fs::write(&file, "in the way").unwrap();
    let sink = play(&origin, &["--sink", &format!("files:{}", file.display())]);
    assert_eq!(sink.status.code(), Some(1));
    assert!(stderr(&sink).contains(file.to_str().unwrap()), "{}", stderr(&sink));

    for bad in [
        &["play"][..],
        &["play", "--sink", "tape", &base],
        &["play", "--speed", "fast", &base],
        &["play", "--budget", "10", &base],
        &["play", "--audio", "?", &base],
        &["play", "--start", "-1", &base],
    ] {
        assert_eq!(smoothcore(bad, &[]).status.code(), Some(2), "{bad:?}");
    }
}

/// The page's elements, checked to be closed and well formed, and the data in it.
fn page(path: &Path) -> (String, Value) {
    let html = fs::read_to_string(path).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>\n"));
    let (mut markup, mut data, mut rest) = (String::new(), None, html.as_str());
    // What stands in script and style elements is not markup.
    while let Some(at) = ["<script", "<style"].iter().filter_map(|tag| rest.find(tag)).min() {
        let open = at + rest[at..].find('>').unwrap() + 1;
        let close = open + rest[open..].find("</s").unwrap();
        if rest[at..open].contains("application/json") {
            data = Some(serde_json::from_str(&rest[open..close]).unwrap());
        } else {
            assert!(
                !["url(", "@import", "import(", "fetch(", ".src"]
                    .iter()
                    .any(|word| rest[open..close].contains(word))
            );
        }
        markup.push_str(&rest[..open]);
        rest = &rest[close..];
    }
    markup.push_str(rest);
    let document = roxmltree::Document::parse(markup.strip_prefix("<!DOCTYPE html>\n").unwrap()).unwrap();
    for node in document.descendants().filter(|node| node.is_element()) {
        assert_eq!(node.attribute("src"), None, "the page needs nothing else");
        assert!(node.attribute("href").is_none_or(|href| href == "data:,"));
    }
    let words = document.root().descendants().filter_map(|node| node.text()).collect::<Vec<_>>().join("\n");
    (words, data.expect("data"))
}

#[test]
fn the_report_holds_the_session() {
    let dir = scratch("play-report");
    let origin = Origin::start(&testcard(), &[]);
    let path = dir.join("session.html");
    let done = play(
        &origin,
        &["--speed", "max", "--level", "2", "--audio", "all", "--json", "--report", path.to_str().unwrap()],
    );
    assert!(done.status.success(), "{}", stderr(&done));
    let figures = json(&done);
    let (words, data) = page(&path);
    assert_eq!(data["streams"], serde_json::json!(["video", "audio_eng", "audio_fra"]));
    let column = |name: &str| data[name].as_array().unwrap().clone();
    let times: Vec<_> = column("t").iter().map(|t| t.as_f64().unwrap()).collect();
    // A fast session is a few turns, and how many depends on the machine.
    assert!(times.len() > 5 && times.is_sorted());
    for name in ["position", "rate", "bitrate"] {
        assert_eq!(column(name).len(), times.len(), "{name}");
    }
    assert!(column("buffers").iter().all(|buffer| buffer.as_array().unwrap().len() == times.len()));
    let levels: Vec<_> = column("bitrate").into_iter().filter(|b| !b.is_null()).collect();
    assert!(!levels.is_empty() && levels.iter().all(|b| *b == 151_877), "{levels:?}");
    assert!(column("rate").iter().any(Value::is_u64), "throughput was measured");
    for label in [
        "manifest parsed",
        "first media byte",
        "first sample",
        "clock start",
        "requests",
        "error answers",
        "retries",
        "switches up",
        "switches down",
        "stalls",
        "gaps",
        "most bytes held",
    ] {
        assert!(words.contains(label), "{label}");
    }
    let bytes = figures["bytes"].as_u64().unwrap();
    let (thousands, ones) = (bytes / 1000 % 1000, bytes % 1000);
    assert!(words.contains(&format!("{},{thousands:03},{ones:03}", bytes / 1_000_000)), "{bytes}");
    assert!(words.contains(&origin.address));
}

#[test]
fn a_recorded_session_becomes_a_report() {
    let dir = scratch("play-csv");
    let csv = dir.join("session.csv");
    let rows = "time_ms,position_ms,buffer_video_ms,buffer_audio_ms,bitrate,link_rate,event\n\
        0,0,0,0,0,0,\n200,0,2000,2000,64852,900000,started\n400,200,1800,1900,258995,900000,switch up\n\
        2400,2000,0,100,258995,100000,stalled\n3400,2000,2000,2000,64852,100000,resumed; switch down\n";
    fs::write(&csv, rows).unwrap();
    let report = |name: &str| -> (Output, PathBuf) {
        let out = dir.join(name);
        (
            smoothcore(
                &["report", csv.to_str().unwrap(), "-o", out.to_str().unwrap(), "--title", "a < b"],
                &[],
            ),
            out,
        )
    };
    let (done, out) = report("page.html");
    assert!(done.status.success(), "{}", stderr(&done));
    let (words, data) = page(&out);
    assert!(words.contains("a < b"));
    assert_eq!(data["stalls"], serde_json::json!([[2400.0, 3400.0]]));
    assert_eq!(data["bitrate"], serde_json::json!([null, 64_852, 258_995, 258_995, 64_852]));
    assert_eq!(data["buffers"][1][2], 1900.0);
    let kinds: Vec<_> =
        data["marks"].as_array().unwrap().iter().map(|mark| mark["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["start", "up", "stall", "resume", "down"]);

    fs::write(&csv, "time_ms\n1\ntwo\n").unwrap();
    let (bad, out) = report("bad.html");
    assert_eq!(bad.status.code(), Some(1));
    assert!(stderr(&bad).contains("line 3") && !out.exists(), "{}", stderr(&bad));
}
