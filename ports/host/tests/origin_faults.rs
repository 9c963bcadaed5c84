//! `smoothcore origin --faults`: each fault of a script as a client meets it, and only where the script says so.

mod common;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::live::{Listed, Told, channels};
use common::{Answer, Origin, fragments, scratch, smoothcore, testcard};

const MANIFEST: &str = "/testcard.ism/Manifest";
const FIRST: &str = "/testcard.ism/QualityLevels(64852)/Fragments(video=0)";
const SECOND: &str = "/testcard.ism/QualityLevels(64852)/Fragments(video=20000000)";
const SOUND: &str = "/testcard.ism/QualityLevels(22924)/Fragments(audio_eng=0)";

fn file(name: &str, script: &str) -> std::path::PathBuf {
    let path = scratch(&format!("faults-{name}")).join("script");
    fs::write(&path, script).unwrap();
    path
}

fn origin(name: &str, script: &str) -> Origin {
    Origin::start(&testcard(), &["--faults", file(name, script).to_str().unwrap()])
}

/// The committed fragments of the lowest level.
fn committed() -> Vec<Vec<u8>> {
    let file = fs::read(testcard().join("testcard_64.ismv")).unwrap();
    fragments(&file).into_iter().map(|(_, whole)| file[whole].to_vec()).collect()
}

/// All that comes for a request, and how it ended.
fn raw(origin: &Origin, path: &str) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = TcpStream::connect(&origin.address).unwrap();
    let mut bytes = Vec::new();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    if let Err(error) = stream.write_all(request.as_bytes()) {
        return (bytes, Some(error.kind()));
    }
    let end = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (bytes, end)
}

#[test]
fn statuses_by_count_try_chance_and_place() {
    let script = "seed 3\n\
        stream=video nth=2 : status 503 retry-after=5\n\
        stream=audio_eng try=1 : status 429\n\
        stream=audio_fra p=0.25 : status 404\n\
        level=101261 every=3 times=2 : status 410\n\
        path=Manifest nth=3..4 : status 415\n";
    let origin = origin("status", script);
    let status = |path: &str| origin.get(path).status;
    assert_eq!([status(FIRST), status(SECOND), status(FIRST)], [200, 503, 200], "the second of all");
    assert_eq!([status(SOUND), status(SOUND), status(SOUND)], [429, 200, 200], "the first of each");
    let other = "/testcard.ism/QualityLevels(22924)/Fragments(audio_eng=20053333)";
    assert_eq!([status(other), status(other)], [429, 200]);
    let level = "/testcard.ism/QualityLevels(101261)/Fragments(video=0)";
    let got: Vec<u16> = (0..10).map(|_| status(level)).collect();
    assert_eq!(got, [200, 200, 410, 200, 200, 410, 200, 200, 200, 200]);
    assert_eq!([(); 5].map(|()| status(MANIFEST)), [200, 200, 415, 415, 200]);
    let french = "/testcard.ism/QualityLevels(26030)/Fragments(audio_fra=0)";
    let lost: Vec<bool> = (0..200).map(|_| status(french) == 404).collect();
    let count = lost.iter().filter(|lost| **lost).count();
    assert!((25..=75).contains(&count), "{count} of 200 at a quarter");
    // The same seed, the same evening.
    let again = self::origin("status-again", script);
    assert_eq!(lost, (0..200).map(|_| again.get(french).status == 404).collect::<Vec<_>>());
    let header = self::origin("retry", "any : status 503 retry-after=5").get(FIRST);
    assert_eq!(header.header("Retry-After"), Some("5"));
}

#[test]
fn rules_follow_the_clock() {
    let script = file("clock", "time=10..20 : status 503\nmanifest time=2..4/10 : html\n");
    let origin = channels(&["a"], &["--faults", script.to_str().unwrap()]);
    for (now, fragment, manifest) in
        [(0.0, 200, "text/xml"), (2.0, 200, "text/html"), (4.0, 200, "text/xml"), (12.0, 503, "text/html")]
    {
        origin.at(now);
        assert_eq!(origin.get(FIRST).status, fragment, "{now}");
        let answer = origin.get("/a.isml/Manifest");
        assert!(answer.header("Content-Type").unwrap().starts_with(manifest), "{now}: {:?}", answer.head);
        assert_eq!(answer.status, 200);
    }
    origin.at(20.0);
    assert_eq!(origin.get(FIRST).status, 200);
}

#[test]
fn connections_are_cut_where_the_script_says() {
    let whole = committed();
    let script = "fragment path=video=0 : reset 50%\npath=video=20000000 : close 25%\nstream=audio_eng : refuse\ninfo : no-length\n";
    let log = scratch("faults-log").join("log");
    let path = file("cut", script);
    let origin =
        Origin::start(&testcard(), &["--faults", path.to_str().unwrap(), "--log", log.to_str().unwrap()]);
    let (_, end) = raw(&origin, FIRST);
    assert_eq!(end, Some(ErrorKind::ConnectionReset));
    let (bytes, end) = raw(&origin, SECOND);
    let answer = Answer::parse(&bytes);
    assert_eq!(end, None, "closed in good order");
    assert_eq!(answer.header("Content-Length"), Some(whole[1].len().to_string().as_str()));
    assert!(answer.body == whole[1][..whole[1].len() / 4], "{} of {}", answer.body.len(), whole[1].len());
    let (bytes, end) = raw(&origin, SOUND);
    assert!(bytes.is_empty() && end == Some(ErrorKind::ConnectionReset), "{end:?}");
    let info = origin.get("/testcard.ism/QualityLevels(64852)/FragmentInfo(video=0)");
    assert_eq!((info.status, info.header("Content-Length")), (200, None));
    assert!(whole[0].starts_with(&info.body) && !info.body.is_empty());
    let text = fs::read_to_string(log).unwrap();
    for name in ["fault=reset", "fault=close", "0 bytes=0 ms=0 fault=refuse", "fault=no-length"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    // A time alone: nobody gets in.
    let script = file("away", "time=5..6 : refuse\n");
    let origin = channels(&[], &["--faults", script.to_str().unwrap()]);
    origin.at(5.0);
    let (bytes, end) = raw(&origin, MANIFEST);
    assert!(bytes.is_empty() && end.is_some(), "{end:?}");
}

#[test]
fn slow_ways_take_their_time() {
    let origin = origin(
        "slow",
        "path=video=0 : delay 300\nstream=audio_eng : stall 0.3 50%\npath=video=20000000 : drip 40000\n",
    );
    let took = |path: &str| {
        let start = Instant::now();
        let answer = origin.get(path);
        assert_eq!(answer.status, 200);
        (start.elapsed(), answer.body)
    };
    let (time, body) = took(FIRST);
    assert!(time >= Duration::from_millis(300) && body == committed()[0], "{time:?}");
    let (time, body) = took(SOUND);
    assert!(time >= Duration::from_millis(300) && !body.is_empty(), "{time:?}");
    let (time, body) = took(SECOND);
    assert!(body == committed()[1]);
    assert!(time >= Duration::from_micros(body.len() as u64 * 25 * 9 / 10), "{time:?} for {}", body.len());
}

#[test]
fn answers_are_of_others() {
    let script = "path=video=20000000 : wrong before\npath=video=40000000 : wrong other\npath=ism/Manifest nth=2 : redirect 127.0.0.2:99\n\
        path=ism/Manifest nth=3 : redirect https://cdn.test/x code=307\npath=ism/Manifest nth=4 : empty\n";
    let origin = origin("others", script);
    let (first, sound) = (origin.get(FIRST).body, origin.get(SOUND).body);
    assert!(first == committed()[0]);
    assert!(origin.get(SECOND).body == first, "the fragment before");
    assert!(origin.get(&SECOND.replace("=2", "=4")).body == sound, "a fragment of the sound");
    let expected =
        [(200, None), (302, Some("http://127.0.0.2:99")), (307, Some("https://cdn.test/x")), (200, None)];
    for (at, (status, to)) in expected.into_iter().enumerate() {
        let answer = origin.get("/testcard.ism/Manifest?token=1");
        let to = to.map(|to| format!("{to}/testcard.ism/Manifest?token=1"));
        assert_eq!((answer.status, answer.header("Location")), (status, to.as_deref()));
        assert_eq!(answer.body.is_empty(), at == 3);
    }
}

#[test]
fn manifests_are_old_or_wrong() {
    let script = file("stale", "manifest time=30..40 : stale 20\n");
    let origin = channels(&["a"], &["--faults", script.to_str().unwrap()]);
    let mut seen = Vec::new();
    for step in 0..=35 {
        origin.at(f64::from(step));
        seen.push(origin.listed("a").times("video"));
    }
    assert_ne!(seen[29], seen[9]);
    assert_eq!(seen[30], seen[10]);
    assert_eq!(seen[35], seen[15]);
    origin.at(41.0);
    assert!(origin.listed("a").times("video").last() > seen[29].last());

    let script = "path=1 : durations 70\npath=2 : last-without-d\npath=3 : list td\npath=4 : names-twice\npath=5 : no-fourcc\n\
        path=6 : utf16 be\npath=7 : gzip-bomb 20\npath=8 : corrupt 5\n";
    let script = file("wrong", script);
    let names = ["c1,list=r", "c2,list=r", "c3,list=r", "c4", "c5", "c6", "c7", "c8", "c9"];
    let origin = channels(&names, &["--faults", script.to_str().unwrap()]);
    let good = origin.listed("c9");
    let off = origin.listed("c1");
    // Fewer times are written than fragments listed: what follows from wrong durations is wrong too.
    let wrong = |name: &str| {
        off.stream(name).iter().zip(good.stream(name)).filter(|(bad, good)| bad.1 != good.1).count()
    };
    assert!(wrong("video") > 10 && wrong("audio_eng") > 10);
    let off = |(bad, good): (&(u64, u64), &(u64, u64))| bad.1.abs_diff(good.1) <= 70;
    assert!(origin.listed("c1").stream("video").iter().zip(&good.stream("video")).all(off));

    let last = origin.listed("c2");
    for name in ["video", "audio_eng", "audio_fra"] {
        assert_eq!(last.times(name), good.times(name));
        assert_eq!(last.stream(name).last().unwrap().1, 0, "no duration");
        assert_eq!(last.stream(name).len(), good.stream(name).len());
    }
    let single = origin.listed("c3");
    assert!(!single.text.contains(" r=") && single.streams == good.streams);
    let text = origin.listed("c4").text;
    assert_eq!(text.matches(" Name=\"audio_eng\"").count(), 2, "{text}");
    assert!(text.contains("Fragments(audio_fra="));
    let text = origin.listed("c5").text;
    assert_eq!((text.matches("FourCC=\"\"").count(), text.matches("FourCC=").count()), (6, 6));
    let answer = origin.get("/c6.isml/Manifest");
    let units: Vec<u16> =
        answer.body.chunks(2).map(|two| u16::from_be_bytes(two.try_into().unwrap())).collect();
    assert_eq!(units[0], 0xfeff);
    let wide = String::from_utf16(&units[1..]).unwrap();
    assert_eq!(Listed::read(wide.replace("utf-16", "utf-8").as_bytes()).streams, good.streams);
    let bomb = origin.get("/c7.isml/Manifest");
    assert_eq!(bomb.header("Content-Encoding"), Some("gzip"));
    let mut count = 0;
    let mut reader = flate2::read::GzDecoder::new(&bomb.body[..]);
    let mut piece = vec![0; 1 << 16];
    while let Ok(more @ 1..) = reader.read(&mut piece) {
        count += more;
    }
    assert!(count > 20 << 20 && bomb.body.len() < 1 << 20, "{} to {count}", bomb.body.len());
    let bad = origin.get("/c8.isml/Manifest").body;
    let differs = bad.iter().zip(good.text.as_bytes()).filter(|(a, b)| a != b).count();
    assert!((1..=5).contains(&differs), "{differs}");
}

#[test]
fn fragments_are_short_corrupt_or_odd() {
    let script = "path=c1 : truncate 40%\npath=c2 : corrupt 7\npath=c3 : data-offset 12\npath=c4 : no-durations\n\
        path=c5 : tfrf-first\npath=c6 : no-tfrf\n";
    let script = file("odd", script);
    let names = ["c1", "c2", "c3", "c4", "c5", "c6", "c9"];
    let origin = channels(&names, &["--faults", script.to_str().unwrap()]);
    let time = origin.listed("c9").times("video")[2];
    let get = |name: &str| origin.get(&format!("/{name}.isml/QualityLevels(64852)/Fragments(video={time})"));
    let good = get("c9").body;
    let moof = u32::from_be_bytes(good[..4].try_into().unwrap()) as usize;
    let short = get("c1");
    assert!(short.body == good[..moof + (good.len() - moof) * 2 / 5]);
    assert_eq!(short.header("Content-Length"), Some(short.body.len().to_string().as_str()));
    let bad = get("c2").body;
    let differs = bad.iter().zip(&good).filter(|(a, b)| a != b).count();
    assert!(bad.len() == good.len() && (1..=7).contains(&differs), "{differs}");
    // The data offset is the only difference.
    let moved = get("c3").body;
    let places: Vec<usize> = (0..good.len()).filter(|at| moved[*at] != good[*at]).collect();
    let field = good.windows(4).position(|four| four == b"trun").unwrap() + 12;
    assert!(places.iter().all(|at| (field..field + 4).contains(at)) && !places.is_empty(), "{places:?}");
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes[field..field + 4].try_into().unwrap());
    assert_eq!(number(&moved), number(&good) + 12);
    let (good, plain) = (Told::read(&good), Told::read(&get("c4").body));
    assert!(plain.samples.iter().all(|sample| sample.0 == 0));
    assert_eq!((plain.media(), plain.tfxd, plain.following()), (good.media(), good.tfxd, good.following()));
    let first = Told::read(&get("c5").body);
    assert_eq!(first.order, ["tfhd", "uuid", "uuid", "trun"]);
    assert_eq!((first.samples, first.tfxd, first.tfrf), (good.samples.clone(), good.tfxd, good.tfrf.clone()));
    let none = Told::read(&get("c6").body);
    assert_eq!((none.samples, none.tfxd, none.tfrf), (good.samples, good.tfxd, None));
}

#[test]
fn scripts_that_cannot_be_read_are_told() {
    for (script, word) in
        [("any : explode\n", "line 1"), ("\nvideo : html\n", "line 2"), ("any html", "CONDITION")]
    {
        let path = file("bad", script);
        let output = smoothcore(&["origin", "--faults", path.to_str().unwrap()], &[testcard()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(word), "{said}");
    }
}
