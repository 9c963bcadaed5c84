//! `smoothcore download`: the copy holds what the server has, to the byte, goes on after a break, and follows a live one.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::made::{Server, fragment, piff, tfrf, tfxd};
use common::{Origin, fragments, media, scratch, smoothcore, testcard};
use serde_json::Value;

fn download(url: &str, dir: &Path, args: &[&str]) -> Output {
    smoothcore(&[&["download", url, "-o", dir.to_str().unwrap()], args].concat(), &[])
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// The fragments of a file, to the byte.
fn bytes(path: &Path) -> Vec<Vec<u8>> {
    let file = fs::read(path).unwrap();
    fragments(&file).into_iter().map(|(_, whole)| file[whole].to_vec()).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn probe(path: &Path) -> Value {
    let done = smoothcore(&["probe", "--json"], &[path.to_owned()]);
    assert!(done.status.success(), "{done:?}");
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn the_copy_is_the_source() {
    let origin = Origin::start(&testcard(), &[]);
    let url = format!("http://{}{}", origin.address, origin.manifests[0]);
    let dir = scratch("download-all");
    let done = download(&url, &dir, &[]);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(
        names(&dir),
        [
            "testcard.ism",
            "testcard.ismc",
            "testcard_audio_eng_22924.isma",
            "testcard_audio_fra_26030.isma",
            "testcard_video_101261.ismv",
            "testcard_video_151877.ismv",
            "testcard_video_258995.ismv",
            "testcard_video_64852.ismv"
        ]
    );
    let sources: BTreeMap<Vec<Vec<u8>>, PathBuf> =
        media().into_iter().map(|path| (bytes(&path), path)).collect();
    for name in names(&dir).iter().filter(|name| name.contains("_")) {
        assert!(sources.contains_key(&bytes(&dir.join(name))), "{name}");
    }
    let client = |dir: &Path| fs::read_to_string(dir.join("testcard.ismc")).unwrap();
    assert_eq!(client(&dir), client(&testcard()), "nothing of this manifest gets lost");

    // The copy is served, and plays as the source does.
    let copy = Origin::start(&dir, &[]);
    let mut hashes = Vec::new();
    for (origin, name) in [(&origin, "source"), (&copy, "copy")] {
        let out = scratch(&format!("download-play-{name}"));
        let url = format!("http://{}{}", origin.address, origin.manifests[0]);
        let sink = format!("files:{}", out.display());
        let args = ["play", "--speed", "max", "--level", "3", "--audio", "all", "--sink", &sink, &url];
        let done = smoothcore(&args, &[]);
        assert!(done.status.success(), "{}", said(&done));
        hashes.push(
            ["video.h264", "audio_eng.aac", "audio_fra.aac"].map(|file| fs::read(out.join(file)).unwrap()),
        );
    }
    assert!(hashes[0] == hashes[1]);

    // What is there already is not fetched again.
    let again = download(&url, &dir, &[]);
    assert!(again.status.success());
    let index = probe(&dir.join("testcard_video_64852.ismv"));
    assert_eq!((&index["index"], &index["deviations"]), (&Value::from("tfra"), &Value::Array(Vec::new())));
    assert_eq!(index["tracks"][0]["duration"], 480_000_000);
}

#[test]
fn levels_and_sound_are_chosen() {
    let origin = Origin::start(&testcard(), &[]);
    let url = format!("http://{}{}", origin.address, origin.manifests[0]);
    let kept = |name: &str, args: &[&str]| {
        let dir = scratch(&format!("download-{name}"));
        let done = download(&url, &dir, args);
        assert!(done.status.success(), "{}", said(&done));
        names(&dir).into_iter().filter(|name| name.contains('_')).collect::<Vec<_>>()
    };
    assert_eq!(
        kept("some", &["--levels", "0,2", "--audio", "none", "--name", "x"]),
        ["x_video_151877.ismv", "x_video_64852.ismv"]
    );
    assert_eq!(
        kept("best", &["--levels", "highest", "--audio", "fra"]),
        ["testcard_audio_fra_26030.isma", "testcard_video_258995.ismv"]
    );
    let dir = scratch("download-none");
    let done = download(&url, &dir, &["--audio", "deu"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(said(&done).contains("\"deu\""), "{}", said(&done));
    let done = download(&url, &dir, &["--levels", "9"]);
    assert!(done.status.code() == Some(1) && said(&done).contains("no level 9"), "{}", said(&done));
    let done = download(&url, &dir, &["--levels", "some"]);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(names(&dir), [""; 0]);
}

const AVC: &str = "00000001674D400CF30202760220000003002000000641E28523400000000168E97B2C80";

fn manifest(root: &str, fragments: &str, tail: &str) -> String {
    format!(
        "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" {root}><StreamIndex Type=\"video\" Chunks=\"0\" \
         QualityLevels=\"1\" Url=\"Q({{bitrate}})/F({{start time}})\"><QualityLevel Index=\"0\" Bitrate=\"5000\" \
         FourCC=\"H264\" MaxWidth=\"256\" MaxHeight=\"144\" CodecPrivateData=\"{AVC}\"/>{fragments}</StreamIndex>{tail}\
         </SmoothStreamingMedia>"
    )
}

fn path(time: u64) -> String {
    format!("/film.ism/Q(5000)/F({time})")
}

#[test]
fn what_was_broken_off_goes_on() {
    let server = Server::start();
    let list: String = (0..6u64).map(|at| format!("<c t=\"{}\" d=\"10\"/>", at * 10)).collect();
    server.put("/film.ism/Manifest", manifest("Duration=\"60\"", &list, "").as_bytes());
    let made = |at: u64| fragment(9, &[], &[(format!("fragment {at}").as_bytes(), 10, 0, 0)]);
    for at in (0..6).filter(|at| *at != 4) {
        server.put(&path(at * 10), &made(at));
    }
    let dir = scratch("download-resume");
    let done = download(&server.url("/film.ism/Manifest"), &dir, &["--parallel", "1"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(said(&done).contains("fragment at 40") && said(&done).contains("404"), "{}", said(&done));
    assert_eq!(names(&dir), ["film_video_5000.ismv.part", "film_video_5000.ismv.part.log"]);
    // A part that was being written when the power went.
    let part = dir.join("film_video_5000.ismv.part");
    let mut torn = fs::read(&part).unwrap();
    torn.extend_from_slice(b"\0\0\0\x20moo");
    fs::write(&part, torn).unwrap();

    server.put(&path(40), &made(4));
    let before = server.asked.load(Ordering::SeqCst);
    let done = download(&server.url("/film.ism/Manifest"), &dir, &[]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("4 of 6 fragments are there already"), "{}", said(&done));
    assert_eq!(server.asked.load(Ordering::SeqCst) - before, 3, "the manifest and two fragments");
    assert_eq!(names(&dir), ["film.ism", "film.ismc", "film_video_5000.ismv"]);
    let file = dir.join("film_video_5000.ismv");
    assert_eq!(bytes(&file), (0..6).map(made).collect::<Vec<_>>());
    let found = probe(&file);
    assert_eq!(found["tracks"][0]["track_id"], 9);
    let times: Vec<_> =
        found["fragments"].as_array().unwrap().iter().map(|f| f["time"].as_u64().unwrap()).collect();
    assert_eq!(times, [0, 10, 20, 30, 40, 50]);
}

#[test]
fn a_body_that_is_no_fragment_is_not_kept() {
    let server = Server::start();
    server.put("/film.ism/Manifest", manifest("Duration=\"20\"", "<c t=\"0\" d=\"20\"/>", "").as_bytes());
    server.put(&path(0), b"<html>log in first</html>");
    let dir = scratch("download-portal");
    let done = download(&server.url("/film.ism/Manifest"), &dir, &[]);
    assert_eq!(done.status.code(), Some(1));
    assert!(said(&done).contains("(-300)"), "{}", said(&done));
    assert_eq!(names(&dir), [""; 0]);
    let done = download(&server.url("/film.ism/Manifest"), &dir, &["--live-for", "1"]);
    assert!(said(&done).contains("this is none"), "{}", said(&done));
    let done = download(&server.url("/nothing"), &dir, &[]);
    assert!(done.status.code() == Some(1) && said(&done).contains("404"), "{}", said(&done));
}

#[test]
fn encrypted_content_keeps_its_boxes_and_headers() {
    let server = Server::start();
    let kid = *b"0123456789abcdef";
    let tail = "<Protection><ProtectionHeader SystemID=\"{EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED}\">AAECAw==\
        </ProtectionHeader></Protection>";
    server.put("/film.ism/Manifest", manifest("Duration=\"20\"", "<c t=\"0\" d=\"20\"/>", tail).as_bytes());
    let body = fragment(1, &[&piff(Some(kid), &[7, 8])], &[(b"secret", 10, 0, 0), (b"sealed", 10, 0, 0)]);
    server.put(&path(0), &body);
    let dir = scratch("download-encrypted");
    let done = download(&server.url("/film.ism/Manifest"), &dir, &[]);
    assert!(done.status.success(), "{}", said(&done));
    let file = dir.join("film_video_5000.ismv");
    assert_eq!(bytes(&file), [body]);
    let found = probe(&file);
    let track = &found["tracks"][0];
    assert_eq!(
        (&track["entry"], &track["format"], &track["scheme"]),
        (&"encv".into(), &"avc1".into(), &"piff".into())
    );
    assert_eq!(track["codec"], "avc1.4D400C");
    assert_eq!(found["fragments"][0]["kid"], "30313233343536373839616263646566");
    assert_eq!(found["protection"][0]["system_id"], "EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED");
    let client = fs::read_to_string(dir.join("film.ismc")).unwrap();
    assert!(client.contains("AAECAw=="), "{client}");
}

#[test]
fn samples_that_stand_in_the_manifest_stay_there() {
    let server = Server::start();
    let tail = "<StreamIndex Type=\"text\" Subtype=\"SCMD\" Name=\"marks\" ManifestOutput=\"TRUE\" TimeScale=\"1000\" \
        ParentStreamIndex=\"video\"><QualityLevel Index=\"0\" Bitrate=\"0\" FourCC=\"DATA\" CodecPrivateData=\"\"/>\
        <c t=\"1\" d=\"2\"><f i=\"0\">AAECAw==</f></c><c t=\"9\" d=\"2\"/></StreamIndex>";
    server.put("/film.ism/Manifest", manifest("Duration=\"20\"", "<c t=\"0\" d=\"20\"/>", tail).as_bytes());
    server.put(&path(0), &fragment(1, &[], &[(b"picture", 20, 0, 0)]));
    let dir = scratch("download-marks");
    let done = download(&server.url("/film.ism/Manifest"), &dir, &[]);
    assert!(done.status.success(), "{}", said(&done));
    let client = fs::read_to_string(dir.join("film.ismc")).unwrap();
    assert!(client.contains("<f i=\"0\">AAECAw==</f>"), "{client}");
    let found = probe(&dir.join("film.ismc"));
    let marks = &found["streams"][1];
    assert_eq!(
        (&marks["name"], &marks["subtype"], &marks["parent"]),
        (&"marks".into(), &"SCMD".into(), &"video".into())
    );
    assert_eq!(
        (&marks["embedded"], &marks["fragments"], &marks["timescale"]),
        (&true.into(), &2.into(), &1000.into())
    );
    assert_eq!(found["deviations"], Value::Array(Vec::new()));
}

/// One second of a live stream: the fragments announce the one after them.
fn live(at: u64, ahead: u64) -> Vec<u8> {
    let second = 10_000_000;
    let time = at * second;
    let next: Vec<(u64, u64)> = (1..=ahead).map(|n| ((at + n) * second, second)).collect();
    let mut extra = vec![tfxd(time, second)];
    if ahead > 0 {
        extra.push(tfrf(&next));
    }
    let extra: Vec<&[u8]> = extra.iter().map(Vec::as_slice).collect();
    fragment(3, &extra, &[(format!("live {at}").as_bytes(), second as u32, 0, 0)])
}

#[test]
fn a_live_presentation_is_followed_by_what_fragments_announce() {
    let server = Server::start();
    let list = "<c t=\"10000000\" d=\"10000000\"/><c t=\"20000000\" d=\"10000000\"/>";
    let root = "Duration=\"0\" IsLive=\"TRUE\" LookAheadFragmentCount=\"1\"";
    server.put("/film.ism/Manifest", manifest(root, list, "").as_bytes());
    for at in 1..=2 {
        server.put(&path(at * 10_000_000), &live(at, 1));
    }
    let dir = scratch("download-live");
    let mut child = Command::new(env!("CARGO_BIN_EXE_smoothcore"))
        .args(["download", &server.url("/film.ism/Manifest"), "--live-for", "3", "-o", dir.to_str().unwrap()])
        .spawn()
        .unwrap();
    // The third comes late, after answers that it is not there; the fourth is the last that comes in time.
    std::thread::sleep(Duration::from_millis(700));
    server.put(&path(30_000_000), &live(3, 1));
    server.put(&path(40_000_000), &live(4, 1));
    assert!(child.wait().unwrap().success());
    let file = dir.join("film_video_5000.ismv");
    assert_eq!(bytes(&file), (1..=4).map(|at| live(at, 1)).collect::<Vec<_>>());
    let found = probe(&dir.join("film.ismc"));
    assert_eq!((&found["live"], &found["duration"]), (&false.into(), &40_000_000.into()));
    let stream = &found["streams"][0];
    assert_eq!((&stream["fragments"], &stream["first_time"]), (&4.into(), &10_000_000.into()));
    assert_eq!(stream["end_time"], 50_000_000);
    assert!(Origin::start(&dir, &[]).manifests.len() == 1);
}

#[test]
fn a_live_presentation_without_announcements_ends_with_its_manifest() {
    let server = Server::start();
    let c = |at: u64| format!("<c t=\"{}\" d=\"10000000\"/>", at * 10_000_000);
    server.put("/film.ism/Manifest", manifest("Duration=\"0\" IsLive=\"TRUE\"", &c(1), "").as_bytes());
    for at in 1..=3 {
        server.put(&path(at * 10_000_000), &live(at, 0));
    }
    let dir = scratch("download-live-end");
    let mut child = Command::new(env!("CARGO_BIN_EXE_smoothcore"))
        .args(["download", &server.url("/film.ism/Manifest"), "-o", dir.to_str().unwrap()])
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let all: String = (1..=3).map(c).collect();
    server.put("/film.ism/Manifest", manifest("Duration=\"30000000\"", &all, "").as_bytes());
    assert!(child.wait().unwrap().success());
    assert_eq!(bytes(&dir.join("film_video_5000.ismv")).len(), 3);
}

#[test]
fn help_says_what_it_does() {
    let help = String::from_utf8(smoothcore(&["download", "--help"], &[]).stdout).unwrap();
    for word in ["--levels", "--audio", "--live-for", "--parallel", "Exit status", "Examples"] {
        assert!(help.contains(word), "{word}");
    }
}
