//! Encrypted presentations as channels, and published: the boxes that say how are still right after the fragments got other
//! times.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use common::{Origin, boxes, scratch, smoothcore, testcard};

const KEY: &str = "00112233445566778899aabbccddeeff:ffeeddccbbaa99887766554433221100";
const MEDIA: [&str; 2] = ["testcard_64.ismv", "testcard_eng.isma"];

/// Encrypted copies of two files of the test card, with manifests.
fn locked(name: &str, options: &[&str]) -> PathBuf {
    let dir = scratch(name);
    let files: Vec<PathBuf> = MEDIA.iter().map(|file| testcard().join(file)).collect();
    let to = dir.join("locked");
    let args = [&["index", "--protect", KEY, "-o", to.to_str().unwrap()], options].concat();
    let output = smoothcore(&args, &files);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    dir
}

/// What a player makes of it: pictures and sound.
fn played(url: &str, out: &Path, key: &[&str]) -> [Vec<u8>; 2] {
    let sink = format!("files:{}", out.display());
    let output = smoothcore(&[&["play", "--speed", "max", "--sink", &sink, url], key].concat(), &[]);
    assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    ["video.h264", "audio.aac"].map(|name| fs::read(out.join(name)).unwrap())
}

/// The event of a channel that is over: every fragment has been given its time, and nothing is waited for.
fn over(dir: &Path, options: &str) -> Origin {
    let spec = format!("a,dvr=inf,history=60,end=0,{options}");
    let origin = Origin::start(dir, &["--live", &spec, "--clock", "manual"]);
    assert!(!String::from_utf8(origin.get("/a.isml/Manifest").body).unwrap().contains("IsLive"));
    origin
}

#[test]
fn channels_of_encrypted_presentations_play_with_their_key() {
    let plain = scratch("live-clear");
    for file in MEDIA {
        fs::copy(testcard().join(file), plain.join(file)).unwrap();
    }
    for (name, protection, options) in [
        ("piff", &["--box", "piff"][..], "base=utc1970"),
        ("common", &["--box", "senc"], "base=utc1970"),
        ("cbcs", &["--box", "senc", "--scheme", "cbcs"], "tfdt=yes"),
        ("slow", &["--box", "senc"], "stretch=1001/1200,tfxd=none"),
    ] {
        let dir = locked(&format!("live-{name}"), protection);
        let origin = over(&dir, options);
        let manifest = String::from_utf8(origin.get("/a.isml/Manifest").body).unwrap();
        assert!(manifest.contains("<ProtectionHeader SystemID="), "{manifest}");
        let url = format!("http://{}/a.isml/Manifest", origin.address);
        let got = played(&url, &dir.join("out"), &["--key", KEY]);
        let clear = over(&plain, options);
        let url = format!("http://{}/a.isml/Manifest", clear.address);
        let wanted = played(&url, &plain.join("out"), &[]);
        // Encrypted sound is not cut at the end of a round, so only the first is the same.
        assert!(got[0] == wanted[0], "{name}: pictures");
        let same = got[1].iter().zip(&wanted[1]).take_while(|(a, b)| a == b).count();
        assert!(same > wanted[1].len() / 2, "{name}: sound is the same for {same} of {}", wanted[1].len());
    }
    let output = smoothcore(
        &["origin", "--live", "a,merge=2"],
        &[scratch("live-none"), locked("live-merge", &[])][1..],
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be merged"), "{output:?}");
}

#[test]
fn an_encrypted_stream_is_published_with_its_headers() {
    let from = locked("ingest-locked", &["--box", "piff"]);
    let dir = scratch("ingest-locked-dir");
    let origin = Origin::start(&dir, &[]);
    for (id, name) in [("v", MEDIA[0]), ("a", MEDIA[1])] {
        // The whole file at once, index and all: its length is known.
        let file = fs::read(from.join(name)).unwrap();
        assert!(boxes(&file).iter().any(|(kind, _)| kind == b"mfra"));
        let mut stream = TcpStream::connect(&origin.address).unwrap();
        let head = format!(
            "POST /a.isml/Streams({id}) HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            file.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&file).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    // The first stream was over before the second came, so these are two events.
    let archive = Origin::start(&dir, &[]);
    assert_eq!(archive.manifests, ["/a-2.ism/Manifest", "/a.ism/Manifest"]);
    let url = format!("http://{}/a.ism/Manifest", archive.address);
    let manifest = String::from_utf8(archive.get("/a.ism/Manifest").body).unwrap();
    assert!(manifest.contains("<ProtectionHeader SystemID=\"9A04F079-"), "{manifest}");
    let out = dir.join("out");
    let sink = format!("files:{}", out.display());
    let output = smoothcore(&["play", "--speed", "max", "--sink", &sink, &url, "--key", KEY], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let clear = testcard().join(MEDIA[0]);
    let clear_out = dir.join("clear");
    let sink = format!("files:{}", clear_out.display());
    let output = smoothcore(&["play", "--speed", "max", "--sink", &sink, clear.to_str().unwrap()], &[]);
    assert!(output.status.success());
    let read = |dir: &Path| fs::read(dir.join("video.h264")).unwrap();
    assert!(read(&out) == read(&clear_out), "the same pictures");
}
