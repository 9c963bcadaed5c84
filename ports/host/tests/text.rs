//! Timed text that is fetched in fragments: downloaded, served from the copy, on the air, and in one MP4 file.

mod common;

use std::fs;

use common::live::{Listed, Told, channels};
use common::made::{Server, fragment, tfxd};
use common::{Origin, fragments, scratch, smoothcore, testcard};

const FIRST: &[u8] = b"<tt xmlns=\"http://www.w3.org/ns/ttml\"><body><div><p begin=\"0s\" end=\"1s\">One</p></div></body></tt>";
const SECOND: &[u8] = b"<tt xmlns=\"http://www.w3.org/ns/ttml\"><body><div><p begin=\"2s\" end=\"3s\">Two</p></div></body></tt>";

/// A presentation of sound and text on a server.
fn server() -> (Server, Vec<(String, Vec<u8>)>) {
    let sound = fs::read(testcard().join("testcard_eng.isma")).unwrap();
    let sound: Vec<Vec<u8>> = fragments(&sound).into_iter().map(|(_, whole)| sound[whole].to_vec()).collect();
    let text =
        |time: u64, document: &[u8]| fragment(3, &[&tfxd(time, 20_000_000)], &[(document, 20_000_000, 0, 0)]);
    let bodies = vec![
        ("/a.ism/QualityLevels(22924)/Fragments(audio_eng=0)".to_owned(), sound[0].clone()),
        ("/a.ism/QualityLevels(22924)/Fragments(audio_eng=20053333)".to_owned(), sound[1].clone()),
        ("/a.ism/QualityLevels(1000)/Fragments(subs=0)".to_owned(), text(0, FIRST)),
        ("/a.ism/QualityLevels(1000)/Fragments(subs=20000000)".to_owned(), text(20_000_000, SECOND)),
    ];
    let manifest = r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" TimeScale="10000000" Duration="40000000">
        <StreamIndex Type="audio" Name="audio_eng" Language="eng" Chunks="2" QualityLevels="1"
            Url="QualityLevels({bitrate})/Fragments(audio_eng={start time})">
          <QualityLevel Index="0" Bitrate="22924" FourCC="AACL" SamplingRate="48000" Channels="2" BitsPerSample="16"
            PacketSize="4" AudioTag="255" CodecPrivateData="1190"/>
          <c t="0" d="20053333"/><c d="20053333"/></StreamIndex>
        <StreamIndex Type="text" Name="subs" Subtype="SUBT" Language="fra" Chunks="2" QualityLevels="1"
            Url="QualityLevels({bitrate})/Fragments(subs={start time})">
          <QualityLevel Index="0" Bitrate="1000" FourCC="TTML" CodecPrivateData=""/>
          <c t="0" d="20000000"/><c d="20000000"/></StreamIndex></SmoothStreamingMedia>"#;
    let server = Server::start();
    server.put("/a.ism/Manifest", manifest.as_bytes());
    for (path, body) in &bodies {
        server.put(path, body);
    }
    (server, bodies)
}

/// The attributes of the text stream in a manifest.
fn described(manifest: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(manifest).unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    let stream = document.descendants().find(|node| node.attribute("Type") == Some("text")).expect("text");
    let level = stream.children().find(|node| node.has_tag_name("QualityLevel")).unwrap();
    let names = ["Name", "Subtype", "Language"].map(|name| stream.attribute(name).unwrap_or("-").to_owned());
    names.into_iter().chain(level.attribute("FourCC").map(str::to_owned)).collect()
}

#[test]
fn text_is_kept_served_and_carried() {
    let (server, bodies) = server();
    let dir = scratch("text").join("copy");
    let output = smoothcore(&["download", &server.url("/a.ism/Manifest"), "-o"], std::slice::from_ref(&dir));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(dir.join("a_subs_1000.ismt").is_file(), "{}", String::from_utf8_lossy(&output.stdout));

    let origin = Origin::start(&dir, &[]);
    let expected = ["subs", "SUBT", "fra", "TTML"].map(str::to_owned);
    assert_eq!(described(&origin.get("/a.ism/Manifest").body), expected);
    for (path, body) in &bodies {
        let answer = origin.get(path);
        assert!(answer.status == 200 && answer.body == *body, "{path}: {}", answer.status);
    }
    drop(origin);

    // A channel of it: every round the same documents.
    let origin = Origin::start(&dir, &["--live", "a,history=20,dvr=inf", "--clock", "manual"]);
    let listed = Listed::read(&origin.get("/a.isml/Manifest").body);
    let times = listed.times("subs");
    assert!(times.len() > 4, "{times:?}");
    for (at, time) in times.iter().enumerate() {
        let told = origin.told("a", 1000, "subs", *time);
        assert_eq!(told.media(), [if at % 2 == 0 { FIRST } else { SECOND }.to_vec()], "{at}");
        assert_eq!(told.time(), *time);
    }
    drop(origin);

    // One file with everything, by a reader of its own and by FFmpeg's where it is.
    for (name, more) in [("plain.mp4", None), ("fragmented.mp4", Some("--fragmented"))] {
        let file = dir.join(name);
        let mut args = vec!["remux", "-o", file.to_str().unwrap()];
        args.extend(more);
        let output = smoothcore(&args, &[dir.join("a.ism")]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let bytes = fs::read(&file).unwrap();
        for document in [FIRST, SECOND] {
            assert!(bytes.windows(document.len()).any(|window| window == document), "{name}");
        }
        let probe = smoothcore(&["probe", "--json", "--samples"], std::slice::from_ref(&file));
        let json: serde_json::Value = serde_json::from_slice(&probe.stdout).unwrap();
        let tracks = json["tracks"].as_array().unwrap();
        assert!(tracks.iter().any(|track| track["type"] == "text" && track["entry"] == "stpp"), "{json}");
    }
    let output = smoothcore(
        &["remux", "--text", "none", "-o", dir.join("none.mp4").to_str().unwrap()],
        &[dir.join("a.ism")],
    );
    assert!(output.status.success());
    let bytes = fs::read(dir.join("none.mp4")).unwrap();
    assert!(!bytes.windows(FIRST.len()).any(|window| window == FIRST));
    let output = smoothcore(&["remux", "--text", "deu", "-o", "/dev/null/x"], &[dir.join("a.ism")]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no stream of text"), "{output:?}");

    // Without the client manifest, one is made of what the others say; without any, of the files.
    fs::remove_file(dir.join("a.ismc")).unwrap();
    let origin = Origin::start(&dir, &[]);
    assert_eq!(described(&origin.get("/a.ism/Manifest").body), expected);
    assert!(origin.get(&bodies[2].0).body == bodies[2].1);
    drop(origin);
    fs::remove_file(dir.join("a.ism")).unwrap();
    let files = [dir.join("a_subs_1000.ismt"), dir.join("a_audio_eng_22924.isma")];
    let new = dir.join("made/new/b");
    let output = smoothcore(&["index", "-o", new.to_str().unwrap()], &files);
    assert!(output.status.success(), "makes the directory: {}", String::from_utf8_lossy(&output.stderr));
    let made = fs::read(dir.join("made/new/b.ismc")).unwrap();
    assert_eq!(described(&made), ["text", "CAPT", "fra", "TTML"]);
    assert!(fs::read_to_string(dir.join("made/new/b.ism")).unwrap().contains("<textstream src="));
}

#[test]
fn encryption_leaves_text_alone() {
    let (server, bodies) = server();
    let dir = scratch("text-locked").join("copy");
    let output = smoothcore(&["download", &server.url("/a.ism/Manifest"), "-o"], std::slice::from_ref(&dir));
    assert!(output.status.success());
    let key = "00112233445566778899aabbccddeeff:ffeeddccbbaa99887766554433221100";
    let locked = dir.join("locked/a");
    let files = [dir.join("a_subs_1000.ismt"), dir.join("a_audio_eng_22924.isma")];
    let output = smoothcore(&["index", "--protect", key, "-o", locked.to_str().unwrap()], &files);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = fs::read(dir.join("locked/a_subs_1000.ismt")).unwrap();
    let kept: Vec<Vec<Vec<u8>>> =
        fragments(&file).into_iter().map(|(_, whole)| Told::read(&file[whole]).media()).collect();
    assert_eq!(kept, [[FIRST.to_vec()], [SECOND.to_vec()]]);
    let sound = fs::read(dir.join("locked/a_audio_eng_22924.isma")).unwrap();
    let (_, whole) = fragments(&sound)[0].clone();
    assert_ne!(Told::read(&sound[whole]).media(), Told::read(&bodies[0].1).media());
    // The test card has no text: channels without it are as before.
    assert!(channels(&["a"], &[]).listed("a").stream("text").is_empty());
}
