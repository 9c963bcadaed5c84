//! `smoothcore probe` on manifests, fragments and files of every kind, good and bad.

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use common::made::{self, Server, boxed, fragment, piff, tfrf, tfxd};
use common::{Origin, media, scratch, smoothcore, testcard};
use serde_json::{Value, json};

fn probe(args: &[&str], path: &Path) -> (i32, Value, String) {
    let done = smoothcore(&[&["probe", "--json"], args].concat(), &[path.to_owned()]);
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "one object and nothing else: {text}");
    let said = String::from_utf8(done.stderr).unwrap();
    (done.status.code().unwrap(), serde_json::from_str(&text).unwrap(), said)
}

fn written(dir: &str, name: &str, bytes: &[u8]) -> PathBuf {
    let path = scratch(dir).join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_manifest_is_one_object_of_a_fixed_form() {
    let (status, found, said) = probe(&[], &testcard().join("testcard.ismc"));
    assert_eq!((status, said.as_str()), (0, ""));
    assert_eq!(
        keys(&found),
        [
            "deviations",
            "duration",
            "dvr_window",
            "ignored",
            "live",
            "lookahead",
            "major",
            "minor",
            "protection",
            "streams",
            "timescale"
        ]
    );
    assert_eq!((&found["live"], &found["lookahead"]), (&json!(false), &Value::Null));
    assert_eq!(
        (&found["major"], &found["minor"], &found["duration"]),
        (&json!(2), &json!(2), &json!(480_400_000))
    );
    assert_eq!((&found["deviations"], &found["ignored"]), (&json!([]), &json!([])));
    let streams = found["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 3);
    assert_eq!(
        keys(&streams[0]),
        [
            "embedded",
            "end_time",
            "first_time",
            "fragments",
            "language",
            "last_time",
            "levels",
            "name",
            "parent",
            "subtype",
            "timescale",
            "type",
            "url"
        ]
    );
    assert_eq!(streams[0]["type"], "video");
    assert_eq!(streams[0]["fragments"], 24);
    assert_eq!((&streams[0]["first_time"], &streams[0]["last_time"]), (&json!(0), &json!(460_000_000)));
    assert_eq!(streams[0]["end_time"], 480_000_000);
    assert_eq!((&streams[0]["subtype"], &streams[0]["parent"]), (&Value::Null, &Value::Null));
    assert_eq!(
        streams[0]["levels"][3],
        json!({
            "index": 3, "bitrate": 258_995, "fourcc": "H264", "codec": "avc1.64001E", "width": 640, "height": 360,
            "sampling_rate": null, "channels": null, "usable": true, "why": null,
            "config": "000000016764001eacd180a02ff97011000003000100000300320f162d1a0000000168e97b2c8b",
        })
    );
    assert_eq!(streams[2]["language"], "fra");
    assert_eq!(
        streams[2]["levels"][0],
        json!({
            "index": 0, "bitrate": 26_030, "fourcc": "AACL", "codec": "mp4a.40.2", "width": null, "height": null,
            "sampling_rate": 48_000, "channels": 2, "config": "119056e500", "usable": true, "why": null,
        })
    );
}

#[test]
fn the_timeline_adds_every_fragment() {
    let (_, found, _) = probe(&["--timeline"], &testcard().join("testcard.ismc"));
    let audio = &found["streams"][1];
    let (times, durations) = (audio["times"].as_array().unwrap(), audio["durations"].as_array().unwrap());
    assert_eq!((times.len(), durations.len()), (24, 24));
    assert_eq!(
        (&times[1], &durations[1], &times[23]),
        (&json!(20_053_333), &json!(20_053_334), &json!(461_226_667))
    );
}

/// A live manifest with times that no double holds, an unusable level, and a stream that nobody knows.
const ODD: &str = r#"<?xml version="1.0"?>
<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="0" IsLive="TRUE" LookAheadFragmentCount="2"
    DVRWindowLength="600000000">
  <StreamIndex Type="video" Name="v" Chunks="2" QualityLevels="2" Url="Q({bitrate})/F(v={start time})">
    <QualityLevel Index="4" Bitrate="1000" FourCC="H264" MaxWidth="16" MaxHeight="16" CodecPrivateData="0"/>
    <QualityLevel Index="7" Bitrate="2000" FourCC="H264" MaxWidth="256" MaxHeight="144"
      CodecPrivateData="00000001674D400CF30202760220000003002000000641E28523400000000168E97B2C80"/>
    <c t="17472959488675333" d="20000001"/>
    <c d="20000000"/>
  </StreamIndex>
  <StreamIndex Type="smell" Name="rose" Chunks="0" QualityLevels="0" Url="x"/>
  <StreamIndex Type="text" Subtype="CTRL" Name="marks" ParentStreamIndex="v" ManifestOutput="TRUE" TimeScale="1000">
    <QualityLevel Index="0" Bitrate="0" FourCC="DATA" CodecPrivateData=""/>
    <c t="1747295948867"><f i="0">AAEC</f></c>
  </StreamIndex>
</SmoothStreamingMedia>"#;

#[test]
fn what_cannot_be_used_stays_in_its_place_and_times_are_exact() {
    let (status, found, _) = probe(&["--timeline"], &written("probe-odd", "m", ODD.as_bytes()));
    assert_eq!(status, 0);
    assert_eq!(
        (&found["live"], &found["lookahead"], &found["dvr_window"]),
        (&json!(true), &json!(2), &json!(600_000_000))
    );
    let video = &found["streams"][0];
    assert_eq!(video["times"], json!([17_472_959_488_675_333u64, 17_472_959_508_675_334u64]));
    assert_eq!(video["end_time"], 17_472_959_528_675_334u64);
    let [bad, good] = video["levels"].as_array().unwrap().as_slice() else { panic!("two levels") };
    assert_eq!((&bad["index"], &bad["usable"]), (&json!(4), &json!(false)));
    assert!(bad["why"].as_str().unwrap().contains("(-306)"), "{bad}");
    assert_eq!((&good["index"], &good["usable"], &good["why"]), (&json!(7), &json!(true), &Value::Null));
    assert_eq!(found["ignored"], json!([{"type": "smell", "name": "rose"}]));
    let text = &found["streams"][1];
    assert_eq!(
        (&text["type"], &text["subtype"], &text["parent"]),
        (&json!("text"), &json!("CTRL"), &json!("v"))
    );
    assert_eq!(
        (&text["embedded"], &text["timescale"], &text["url"]),
        (&json!(true), &json!(1000), &Value::Null)
    );
    let deviations = found["deviations"].as_array().unwrap();
    assert!(!deviations.is_empty());
    for deviation in deviations {
        assert_eq!(keys(deviation), ["place", "rule"]);
    }
    assert!(
        deviations
            .iter()
            .any(|d| d["place"].as_str().unwrap().starts_with("QualityLevel@CodecPrivateData, byte "))
    );

    let (status, refused, _) = probe(&["--strict"], &written("probe-strict", "m", ODD.as_bytes()));
    assert_eq!((status, &refused["error"]["name"]), (2, &json!("ManifestDeviation")));
}

#[test]
fn encodings_and_compression_make_no_difference() {
    let text = fs::read_to_string(testcard().join("testcard.ismc")).unwrap();
    let (_, plain, _) = probe(&[], &testcard().join("testcard.ismc"));
    let units = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = text.replace("utf-8", "utf-16");
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(text.as_bytes()).unwrap();
    let marked = ["\u{feff}".as_bytes(), text.as_bytes()].concat();
    for (name, bytes) in [
        ("le", units(u16::to_le_bytes)),
        ("be", units(u16::to_be_bytes)),
        ("gzip", gzip.finish().unwrap()),
        ("mark", marked),
    ] {
        let (status, found, _) = probe(&[], &written(&format!("probe-{name}"), "fragment.mp4", &bytes));
        assert_eq!((status, &found), (0, &plain), "{name}, under a name that lies");
    }
}

#[test]
fn protection_headers_are_read() {
    let header = "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"4.0.0.0\"><DATA>\
        <PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>AAECAwQFBgcICQoLDA0ODw==</KID>\
        <LA_URL>http://licence.example/a?b=1&amp;c=2</LA_URL></DATA></WRMHEADER>";
    let units: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let len = units.len() as u16;
    let object = [
        &(u32::from(len) + 10).to_le_bytes()[..],
        &1u16.to_le_bytes(),
        &1u16.to_le_bytes(),
        &len.to_le_bytes(),
        &units,
    ]
    .concat();
    let text = fs::read_to_string(testcard().join("testcard.ismc")).unwrap();
    let element = format!(
        "<Protection><ProtectionHeader SystemID=\"9a04f079-9840-4286-ab92-e65be0885f95\">{}</ProtectionHeader></Protection></SmoothStreamingMedia>",
        base64(&object)
    );
    let text = text.replace("</SmoothStreamingMedia>", &element);
    let (status, found, _) = probe(&[], &written("probe-protected", "m", text.as_bytes()));
    assert_eq!(status, 0);
    assert_eq!(
        found["protection"],
        json!([{
            "system_id": "9A04F079-9840-4286-AB92-E65BE0885F95",
            "kids": ["030201000504070608090a0b0c0d0e0f"],
            "la_url": "http://licence.example/a?b=1&c=2",
            "header_version": "4.0.0.0",
        }])
    );
}

fn base64(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let six = bits.chunks(6).map(|six| six.iter().fold(0, |all, bit| all << 1 | bit) << (6 - six.len()));
    let mut text: String = six.map(|value| char::from(digits[usize::from(value)])).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[test]
fn a_fragment_tells_its_samples() {
    let time = 17_472_959_488_675_333u64;
    let extra = [tfxd(time, 900), tfrf(&[(time + 900, 900), (time + 1800, 901)])];
    let extra: Vec<&[u8]> = extra.iter().map(Vec::as_slice).collect();
    let body = fragment(201, &extra, &[(b"abc", 400, 0x0200_0000, 0), (b"de", 500, 0x0101_0000, -100)]);
    let first = body.len() as u64 - 5;
    let (status, found, _) = probe(&[], &written("probe-fragment", "manifest.xml", &body));
    assert_eq!(status, 0);
    assert_eq!(
        found,
        json!({
            "track_id": 201, "time": time, "duration": 900, "kid": null, "iv_size": null,
            "tfrf": [{"time": time + 900, "duration": 900}, {"time": time + 1800, "duration": 901}],
            "samples": [
                {"offset": first, "size": 3, "dts": time, "pts": time, "duration": 400, "flags": 0x0200_0000},
                {"offset": first + 3, "size": 2, "dts": time + 400, "pts": time + 300, "duration": 500,
                 "flags": 0x0101_0000},
            ],
        })
    );
    // What stands around it counts in the offsets; without tfxd, tfdt gives the time.
    let tfdt = boxed(b"tfdt", &[&[1, 0, 0, 0], &77u64.to_be_bytes()]);
    let around = [boxed(b"styp", &[b"msdh\0\0\0\0"]), fragment(1, &[&tfdt], &[(b"xyz", 10, 0, 0)])].concat();
    let (_, found, _) = probe(&[], &written("probe-styp", "f", &around));
    assert_eq!((&found["time"], &found["duration"]), (&json!(77), &json!(10)));
    assert_eq!(found["samples"][0]["offset"], around.len() as u64 - 3);
    // Neither: unknown, and samples count from zero.
    let (_, found, _) = probe(&[], &written("probe-bare", "f", &fragment(1, &[], &[(b"xyz", 10, 0, 5)])));
    assert_eq!(
        (&found["time"], &found["samples"][0]["dts"], &found["samples"][0]["pts"]),
        (&Value::Null, &json!(0), &json!(5))
    );
}

#[test]
fn an_encrypted_fragment_tells_its_key() {
    let kid: [u8; 16] = *b"0123456789abcdef";
    let samples: [made::Made<'_>; 2] = [(b"abc", 400, 0, 0), (b"de", 500, 0, 0)];
    for (kid, told) in [(Some(kid), json!("30313233343536373839616263646566")), (None, Value::Null)] {
        let body = fragment(1, &[&piff(kid, &[1, 2])], &samples);
        let (_, found, _) = probe(&[], &written("probe-piff", "f", &body));
        assert_eq!((&found["kid"], &found["iv_size"]), (&told, &json!(8)));
    }
}

#[test]
fn a_media_file_tells_tracks_and_fragments() {
    for path in media() {
        let (status, found, said) = probe(&[], &path);
        assert_eq!((status, said.as_str()), (0, ""));
        assert_eq!(
            (&found["index"], &found["deviations"]),
            (&json!("tfra"), &json!([])),
            "{}",
            path.display()
        );
        assert_eq!(found["tracks"].as_array().unwrap().len(), 1);
        assert_eq!(found["fragments"].as_array().unwrap().len(), 24);
        assert!(found["fragments"][0].get("samples").is_none());
    }
    let path = testcard().join("testcard_64.ismv");
    let (_, found, _) = probe(&["--samples"], &path);
    assert_eq!(
        (&found["tracks"][0]["codec"], &found["tracks"][0]["width"]),
        (&json!("avc1.4D400C"), &json!(256))
    );
    let own = common::ismv::read(&path);
    let file = fs::read(&path).unwrap();
    for fragment in found["fragments"].as_array().unwrap() {
        let units = &own[&fragment["time"].as_u64().unwrap()];
        let samples = fragment["samples"].as_array().unwrap();
        assert_eq!(samples.len(), units.len());
        for (sample, unit) in samples.iter().zip(units) {
            let at = sample["offset"].as_u64().unwrap() as usize;
            assert_eq!(&file[at..at + sample["size"].as_u64().unwrap() as usize], unit.bytes);
            assert_eq!((&sample["dts"], &sample["pts"]), (&json!(unit.dts), &json!(unit.pts)));
        }
    }
    // Without its index, the same by looking.
    let (kind, place) = common::boxes(&file).pop().unwrap();
    assert_eq!(&kind, b"mfra");
    let (_, looked, _) = probe(&["--samples"], &written("probe-no-mfra", "f", &file[..place.start]));
    assert_eq!(looked["index"], "scan");
    assert_eq!(looked["fragments"], found["fragments"]);
}

#[test]
fn a_url_of_either_kind_is_fetched() {
    let origin = Origin::start(&testcard(), &[]);
    let manifest = format!("http://{}{}", origin.address, origin.manifests[0]);
    let (_, fetched, _) = probe(&[], Path::new(&manifest));
    assert_eq!(fetched, probe(&[], &testcard().join("testcard.ismc")).1);
    let fragment = manifest.replace("/Manifest", "/QualityLevels(64852)/Fragments(video=20000000)");
    let (_, fetched, _) = probe(&[], Path::new(&fragment));
    assert_eq!((&fetched["time"], &fetched["samples"].as_array().unwrap().len()), (&json!(20_000_000), &50));
}

#[test]
fn bad_input_is_an_error_object_and_status_2() {
    let check = |bytes: &[u8], code: i64, name: &str| {
        let (status, found, said) = probe(&[], &written("probe-bad", "f", bytes));
        assert_eq!((status, said.as_str()), (2, ""), "{name}");
        assert_eq!(keys(&found), ["error"]);
        assert_eq!(keys(&found["error"]), ["code", "message", "name", "place"]);
        assert_eq!(
            (found["error"]["code"].as_i64().unwrap(), found["error"]["name"].as_str().unwrap()),
            (code, name)
        );
        assert!(found["error"]["message"].as_str().unwrap().len() > 10);
        found["error"]["place"].as_str().unwrap().to_owned()
    };
    check(b"", -109, "ManifestTruncated");
    check(b"<SmoothStreamingMedia MajorVersion='2'", -109, "ManifestTruncated");
    check(b"<html><body>no</body></html>", -104, "ManifestNotSmooth");
    check(b"#EXTM3U\n", -104, "ManifestNotSmooth");
    check(b"<!DOCTYPE a><a/>", -102, "ManifestDoctype");
    let place = check(
        b"<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' Duration='0'><<",
        -100,
        "ManifestSyntax",
    );
    assert!(place.contains("byte "), "{place}");
    check(b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff\xff", -141, "InflateData");
    let body = fragment(1, &[], &[(b"xyz", 10, 0, 0)]);
    check(&body[..body.len() - 1], -303, "FragmentTruncated");
    check(&boxed(b"free", &[b"nothing"]), -300, "FragmentNotMp4");
    let mut file = fs::read(testcard().join("testcard_64.ismv")).unwrap();
    let stsd = file.windows(4).position(|four| four == b"mvhd").unwrap();
    file[stsd - 4..stsd].copy_from_slice(&3u32.to_be_bytes());
    check(&file, -301, "BoxInvalid");

    let (status, found, _) = probe(&[], Path::new("/nowhere/at/all.ismc"));
    assert_eq!((status, &found["error"]["name"]), (2, &json!("Argument")));
    let (status, found, _) = probe(&[], Path::new("http://127.0.0.1:1/Manifest"));
    assert_eq!((status, &found["error"]["name"]), (2, &json!("Connect")));
    let server = Server::start();
    let (status, found, _) = probe(&[], Path::new(&server.url("/Manifest")));
    assert_eq!((status, &found["error"]["name"]), (2, &json!("HttpStatus")));
    assert!(found["error"]["message"].as_str().unwrap().contains("404"));

    let done = smoothcore(&["probe", "/nowhere/at/all.ismc"], &[]);
    assert_eq!((done.status.code(), done.stdout.len()), (Some(2), 0), "for people, on standard error");
}

#[test]
fn damaged_files_never_crash_it() {
    let whole = fs::read(testcard().join("testcard_64.ismv")).unwrap();
    let moov = common::boxes(&whole)[1].1.clone();
    let first = common::fragments(&whole)[0].clone();
    let mfra = common::boxes(&whole).pop().unwrap().1;
    let places = moov.step_by(41).chain(first.0.step_by(29)).chain(mfra.step_by(97));
    for at in places {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let (status, found, said) = probe(&["--samples"], &written("probe-damaged", "f", &bytes));
        assert!(matches!(status, 0 | 2) && !said.contains("panicked"), "byte {at}: {said}");
        assert_eq!(status == 2, found.get("error").is_some(), "byte {at}");
    }
}

#[test]
fn the_tree_shows_what_there_is() {
    let tree = |args: &[&str], path: &Path| {
        let done = smoothcore(&[&["probe"], args].concat(), &[path.to_owned()]);
        assert!(done.status.success());
        String::from_utf8(done.stdout).unwrap()
    };
    let text = tree(&[], &testcard().join("testcard.ismc"));
    assert!(text.contains("level 3: 258 kbit/s H264 (avc1.64001E) 640x360"), "{text}");
    let text = tree(&["--timeline"], &testcard().join("testcard.ismc"));
    assert!(text.contains("c t=461226667 d=19173333"), "{text}");
    let text = tree(&["--samples"], &testcard().join("testcard_eng.isma"));
    assert_eq!(
        text.lines().filter(|line| line.ends_with(" key")).count(),
        2252 + 24,
        "samples and fragments"
    );
    let odd = written("probe-odd-tree", "m", ODD.as_bytes());
    let text = tree(&[], &odd);
    assert!(text.contains("deviations\n") && text.contains("ignored: type \"smell\" rose"), "{text}");

    let help = String::from_utf8(smoothcore(&["probe", "--help"], &[]).stdout).unwrap();
    for word in ["--json", "--samples", "--timeline", "--strict", "Exit status", "dvr_window", "iv_size"] {
        assert!(help.contains(word), "{word}");
    }
}
