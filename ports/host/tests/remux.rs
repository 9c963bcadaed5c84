//! `smoothcore remux`: what FFmpeg finds in the MP4 file is what it finds in the source.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::made::{Server, boxed, fragment, piff, tfxd};
use common::{Origin, boxes, scratch, smoothcore, testcard};
use serde_json::Value;

fn remux(source: &str, to: &Path, args: &[&str]) -> Output {
    smoothcore(&[&["remux", source, "-o", to.to_str().unwrap()], args].concat(), &[])
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

fn run(program: &str, args: &[&str]) -> String {
    let done = Command::new(program).args(args).output();
    let done = done.unwrap_or_else(|e| {
        panic!("this test runs {program}, which is not there ({e}): apt-get install ffmpeg")
    });
    assert!(done.status.success() && done.stderr.is_empty(), "{args:?}: {}", said(&done));
    String::from_utf8(done.stdout).unwrap()
}

/// Decoding time, presentation time, size and hash of every packet, as FFmpeg reads one stream of a file.
fn packets(file: &Path, stream: &str) -> Vec<[String; 4]> {
    let args = ["-nostdin", "-v", "error", "-i", file.to_str().unwrap(), "-map", stream, "-c", "copy"];
    frames(&[&args[..], &["-f", "framehash", "-"]].concat())
}

/// The same of every decoded picture, or block of sound.
fn pictures(file: &Path, stream: &str) -> Vec<[String; 4]> {
    let args = ["-nostdin", "-v", "error", "-i", file.to_str().unwrap(), "-map", stream];
    frames(&[&args[..], &["-fps_mode", "passthrough", "-f", "framehash", "-"]].concat())
}

fn frames(args: &[&str]) -> Vec<[String; 4]> {
    let text = run("ffmpeg", args);
    let fields = |line: &str| {
        let fields: Vec<_> = line.split(',').map(|field| field.trim().to_owned()).collect();
        [1, 2, 4, 5].map(|at: usize| fields[at].clone())
    };
    text.lines().filter(|line| !line.starts_with('#')).map(fields).collect()
}

fn streams(file: &Path) -> Vec<Value> {
    let shown =
        "stream=codec_name,codec_tag_string,duration,nb_frames,width,height,start_time:stream_tags=language";
    let args = ["-v", "error", "-of", "json", "-show_entries", shown, file.to_str().unwrap()];
    let found: Value = serde_json::from_str(&run("ffprobe", &args)).unwrap();
    found["streams"].as_array().unwrap().clone()
}

#[test]
fn every_frame_of_the_source_is_there() {
    let origin = Origin::start(&testcard(), &[]);
    let url = format!("http://{}{}", origin.address, origin.manifests[0]);
    let dir = scratch("remux-all");
    let card = testcard();
    let local = |name: &str| card.join(name).to_str().unwrap().to_owned();
    for (name, source, args) in [
        ("url.mp4", url.clone(), &[][..]),
        ("ism.mp4", local("testcard.ism"), &[]),
        ("ismc.mp4", local("testcard.ismc"), &[]),
        ("fragmented.mp4", url.clone(), &["--fragmented"]),
    ] {
        let out = dir.join(name);
        let done = remux(&source, &out, args);
        assert!(done.status.success(), "{name}: {}", said(&done));
        let found = streams(&out);
        assert_eq!(found.len(), 3, "{name}");
        assert_eq!((&found[0]["width"], &found[0]["height"]), (&640.into(), &360.into()));
        assert_eq!(
            (&found[0]["duration"], &found[1]["duration"]),
            (&"48.000000".into(), &"48.040000".into())
        );
        assert_eq!(
            (&found[1]["tags"]["language"], &found[2]["tags"]["language"]),
            (&"eng".into(), &"fra".into())
        );
        if args.is_empty() {
            assert_eq!((&found[0]["nb_frames"], &found[1]["nb_frames"]), (&"1200".into(), &"2252".into()));
        }
        for (stream, file) in
            [("0:0", "testcard_256.ismv"), ("0:1", "testcard_eng.isma"), ("0:2", "testcard_fra.isma")]
        {
            let (source, made) = (packets(&card.join(file), "0:0"), packets(&out, stream));
            assert_eq!(source.len(), if stream == "0:0" { 1200 } else { 2252 });
            let same = source.iter().zip(&made).all(|(a, b)| a[2..] == b[2..]);
            assert!(same && source.len() == made.len(), "{name}, {stream}: other frames");
            if args.is_empty() {
                assert!(source == made, "{name}, {stream}: other times");
            }
        }
        // From the same packets, the same pictures: it is enough to see that once.
        if name == "fragmented.mp4" {
            let (source, made) = (pictures(&card.join("testcard_256.ismv"), "0:0"), pictures(&out, "0:0"));
            assert_eq!(source.len(), 1200);
            assert!(source.iter().map(|f| &f[3]).eq(made.iter().map(|f| &f[3])), "{name}: other pictures");
        }
    }
    let (url, ism) = (fs::read(dir.join("url.mp4")).unwrap(), fs::read(dir.join("ism.mp4")).unwrap());
    let kinds: Vec<_> = boxes(&url).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [*b"ftyp", *b"moov", *b"mdat"], "the index in front");
    let media = |file: &[u8]| file[boxes(file)[2].1.clone()].to_vec();
    assert!(media(&url) == media(&ism));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 4, "nothing else is left");
}

#[test]
fn level_and_sound_are_chosen() {
    let dir = scratch("remux-chosen");
    let ism = testcard().join("testcard.ism");
    let out = dir.join("out.mp4");
    let shape = |args: &[&str]| {
        let done = remux(ism.to_str().unwrap(), &out, args);
        assert!(done.status.success(), "{}", said(&done));
        let found = streams(&out);
        let words = |stream: &Value| {
            let width = stream["width"].as_u64();
            width.map_or_else(
                || stream["tags"]["language"].as_str().unwrap().to_owned(),
                |width| width.to_string(),
            )
        };
        found.iter().map(words).collect::<Vec<_>>()
    };
    assert_eq!(shape(&[]), ["640", "eng", "fra"]);
    assert_eq!(shape(&["--level", "1", "--audio", "fra"]), ["384", "fra"]);
    assert_eq!(shape(&["--level", "0", "--audio", "none"]), ["256"]);
    assert_eq!(shape(&["--audio", "first"]), ["640", "eng"]);
    let done = remux(testcard().join("testcard_fra.isma").to_str().unwrap(), &out, &[]);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(packets(&out, "0:0").len(), 2252);
}

/// The one box of that path in an MP4 file: where its content lies.
fn find(file: &[u8], path: &[&[u8; 4]]) -> Option<std::ops::Range<usize>> {
    let mut here = 0..file.len();
    for kind in path {
        let inside = boxes(&file[here.clone()]);
        let (_, place) = inside.into_iter().find(|(found, _)| found == *kind)?;
        here = here.start + place.start + 8..here.start + place.end;
    }
    Some(here)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

const AVC: &str = "00000001674D400CF30202760220000003002000000641E28523400000000168E97B2C80";

/// Serves one level of video whose pictures are shown `late` ticks after they are decoded, and sound.
fn serve(late: i32, protection: &str, extra: &[&[u8]]) -> Server {
    let server = Server::start();
    let manifest = format!(
        "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"2000\" TimeScale=\"1000\">\
         <StreamIndex Type=\"video\" Chunks=\"2\" QualityLevels=\"1\" Url=\"v{{bitrate}}/{{start time}}\">\
         <QualityLevel Index=\"0\" Bitrate=\"5\" FourCC=\"H264\" MaxWidth=\"256\" MaxHeight=\"144\" \
         CodecPrivateData=\"{AVC}\"/><c t=\"5000\" d=\"1000\"/><c d=\"1000\"/></StreamIndex>\
         <StreamIndex Type=\"audio\" Chunks=\"1\" QualityLevels=\"1\" Url=\"a{{bitrate}}/{{start time}}\">\
         <QualityLevel Index=\"0\" Bitrate=\"6\" FourCC=\"AACL\" SamplingRate=\"48000\" Channels=\"2\" \
         BitsPerSample=\"16\" PacketSize=\"4\" AudioTag=\"255\" CodecPrivateData=\"1190\"/><c t=\"5020\" d=\"2000\"/>\
         </StreamIndex>{protection}</SmoothStreamingMedia>"
    );
    server.put("/a/Manifest", manifest.as_bytes());
    let (key, other) = (0x0200_0000, 0x0101_0000);
    server.put(
        "/a/v5/5000",
        &fragment(
            2,
            &[&[&tfxd(5000, 1000)[..]], extra].concat(),
            &[(b"first", 500, key, late), (b"2nd", 499, other, late)],
        ),
    );
    // Every sample is called a key frame, which is not believed.
    server.put("/a/v5/6000", &fragment(2, &[], &[(b"third", 500, key, late), (b"4th", 500, key, late)]));
    server.put("/a/a6/5020", &fragment(2, &[], &[(b"sound", 1000, key, 0), (b"more", 1000, key, 0)]));
    server
}

#[test]
fn tables_say_what_the_fragments_said() {
    let server = serve(80, "", &[]);
    let out = scratch("remux-tables").join("out.mp4");
    let done = remux(&server.url("/a/Manifest"), &out, &[]);
    assert!(done.status.success(), "{}", said(&done));
    let file = fs::read(&out).unwrap();
    let moov = find(&file, &[b"moov"]).unwrap();
    let traks: Vec<_> = boxes(&file[moov.clone()])
        .into_iter()
        .filter(|(kind, _)| kind == b"trak")
        .map(|(_, place)| file[moov.start + place.start + 8..moov.start + place.end].to_vec())
        .collect();
    let table = |trak: &[u8], kind: &[u8; 4]| -> Option<Vec<u32>> {
        let place = find(trak, &[b"mdia", b"minf", b"stbl", kind])?;
        Some(trak[place].chunks(4).skip(1).map(|four| word(four, 0)).collect())
    };
    let video = &traks[0];
    // 499 ticks and one more, until the next fragment starts.
    assert_eq!(table(video, b"stts"), Some(vec![1, 4, 500]));
    assert_eq!(table(video, b"ctts"), Some(vec![1, 4, 80]));
    assert_eq!(table(video, b"stss"), Some(vec![2, 1, 3]));
    assert_eq!(table(video, b"stsz"), Some(vec![0, 4, 5, 3, 5, 3]));
    assert_eq!(table(video, b"stsc"), Some(vec![1, 1, 2, 1]));
    let offsets = table(video, b"stco").unwrap();
    assert_eq!(&file[offsets[1] as usize..][..8], b"first2nd");
    assert_eq!(&file[offsets[2] as usize..][..8], b"third4th");
    assert_eq!(table(&traks[1], b"stss"), None, "sound starts anywhere");
    assert_eq!(&file[table(&traks[1], b"stco").unwrap()[1] as usize..][..9], b"soundmore");

    // Sound is heard at 5,020 and the first picture seen at 5,080: sound starts, the picture waits 60 ticks.
    let edits = |trak: &[u8]| find(trak, &[b"edts", b"elst"]).map(|place| trak[place].to_vec());
    assert_eq!(edits(&traks[1]), None);
    let list = edits(video).unwrap();
    assert_eq!((word(&list, 0) >> 24, word(&list, 4)), (1, 2));
    let edit = |at: usize| {
        let number = |at: usize| u64::from_be_bytes(list[at..at + 8].try_into().unwrap());
        (number(8 + 20 * at), number(16 + 20 * at).cast_signed())
    };
    assert_eq!((edit(0), edit(1)), ((60, -1), (2000, 80)));
}

#[test]
fn pictures_shown_before_they_are_decoded_are_put_right() {
    let server = serve(-30, "", &[]);
    let out = scratch("remux-early").join("out.mp4");
    assert!(remux(&server.url("/a/Manifest"), &out, &[]).status.success());
    let file = fs::read(&out).unwrap();
    let stbl = find(&file, &[b"moov", b"trak", b"mdia", b"minf", b"stbl"]).unwrap();
    assert_eq!(find(&file[stbl], &[b"ctts"]), None, "all offsets are zero now");
}

#[test]
fn times_of_presentation_are_told_from_times_of_decoding() {
    let server = Server::start();
    let manifest = format!(
        "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"3000\" TimeScale=\"1000\">\
         <StreamIndex Type=\"video\" Chunks=\"3\" QualityLevels=\"1\" Url=\"{{bitrate}}/{{start time}}\">\
         <QualityLevel Index=\"0\" Bitrate=\"5\" FourCC=\"H264\" MaxWidth=\"256\" MaxHeight=\"144\" \
         CodecPrivateData=\"{AVC}\"/><c t=\"0\"/><c t=\"1040\"/><c t=\"5000\" d=\"1000\"/></StreamIndex>\
         </SmoothStreamingMedia>"
    );
    server.put("/a/Manifest", manifest.as_bytes());
    let pair =
        |composition| fragment(1, &[], &[(b"1", 500, 0x0200_0000, composition), (b"2", 500, 0x0101_0000, 0)]);
    server.put("/a/5/0", &pair(0));
    // Presented at 1,040, decoded at 1,000; then a hole, behind which the time is that of decoding.
    server.put("/a/5/1040", &pair(40));
    server.put("/a/5/5000", &pair(40));
    let out = scratch("remux-presented").join("out.mp4");
    assert!(remux(&server.url("/a/Manifest"), &out, &[]).status.success());
    let file = fs::read(&out).unwrap();
    let stts = find(&file, &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"]).unwrap();
    let numbers: Vec<u32> = file[stts].chunks(4).skip(1).map(|four| word(four, 0)).collect();
    assert_eq!(numbers, [3, 3, 500, 1, 3500, 2, 500]);
}

#[test]
fn parameter_sets_may_be_among_the_samples() {
    let server = serve(0, "", &[]);
    let manifest = server.answers.lock().unwrap()["/a/Manifest"].clone();
    let manifest = String::from_utf8(manifest).unwrap().replace(AVC, "");
    server.put("/a/Manifest", manifest.as_bytes());
    let out = scratch("remux-in-band").join("out.mp4");
    let done = remux(&server.url("/a/Manifest"), &out, &[]);
    assert!(done.status.success(), "{}", said(&done));
    let file = fs::read(&out).unwrap();
    let stsd = find(&file, &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"]).unwrap();
    assert_eq!(&file[stsd.start + 12..stsd.start + 16], b"avc3");
    let avcc = boxed(b"avcC", &[&[1, 0x4d, 0x40, 0x1e, 0xff, 0xe0, 0]]);
    assert!(file[stsd].windows(avcc.len()).any(|window| window == avcc));
}

#[test]
fn encrypted_samples_stay_encrypted_and_the_file_says_how() {
    let kid = *b"0123456789abcdef";
    let header = "<Protection><ProtectionHeader SystemID=\"EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED\">AAECAw==\
        </ProtectionHeader></Protection>";
    let server = serve(0, header, &[&piff(Some(kid), &[0x1111, 0x2222])]);
    let dir = scratch("remux-encrypted");
    let out = dir.join("plain.mp4");
    let done = remux(&server.url("/a/Manifest"), &out, &[]);
    assert!(done.status.success(), "{}", said(&done));
    let file = fs::read(&out).unwrap();
    let stbl = find(&file, &[b"moov", b"trak", b"mdia", b"minf", b"stbl"]).unwrap();
    let inside =
        |kind: &[u8; 4]| find(&file[stbl.clone()], &[kind]).map(|p| stbl.start + p.start..stbl.start + p.end);
    // Two encrypted samples; the two of the second fragment are clear.
    let senc = inside(b"senc").unwrap();
    assert_eq!((word(&file, senc.start + 4), senc.len()), (4, 8 + 16));
    let saio = inside(b"saio").unwrap();
    let first = u64::from_be_bytes(file[saio.end - 8..saio.end].try_into().unwrap()) as usize;
    assert_eq!(&file[first..first + 16], [0x1111u64.to_be_bytes(), 0x2222u64.to_be_bytes()].concat());
    let saiz = inside(b"saiz").unwrap();
    assert_eq!(&file[saiz.start + 4..saiz.end], [0, 0, 0, 0, 4, 8, 8, 0, 0]);
    let sbgp = inside(b"sbgp").unwrap();
    assert_eq!(
        &file[sbgp.start + 4..sbgp.end],
        [&b"seig"[..], &[0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]].concat()
    );
    let stsd = inside(b"stsd").unwrap();
    assert_eq!(&file[stsd.start + 12..stsd.start + 16], b"encv");
    let tenc = [&boxed(b"tenc", &[&[0, 0, 0, 0, 0, 0, 1, 8], &kid])[..]].concat();
    assert!(file[stsd].windows(tenc.len()).any(|window| window == tenc));
    assert!(find(&file, &[b"moov", b"pssh"]).is_some());
    assert!(file.windows(8).any(|eight| eight == b"first2nd"), "the bytes are as they came");

    let out = dir.join("fragmented.mp4");
    assert!(remux(&server.url("/a/Manifest"), &out, &["--fragmented"]).status.success());
    let done = smoothcore(&["probe", "--json"], &[out]);
    let found: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        (&found["tracks"][0]["scheme"], &found["tracks"][0]["entry"]),
        (&"cenc".into(), &"encv".into())
    );
    assert_eq!(found["tracks"][0]["kid"], "30313233343536373839616263646566");
    let fragments = found["fragments"].as_array().unwrap();
    assert_eq!(fragments.iter().map(|f| f["iv_size"].as_u64()).collect::<Vec<_>>(), [Some(8), None, None]);
    assert_eq!(fragments.iter().map(|f| f["time"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 20, 1000]);
}

#[test]
fn failures_leave_nothing_behind() {
    let dir = scratch("remux-failures");
    let out = dir.join("out.mp4");
    let check = |source: &str, args: &[&str], words: &str| {
        let done = remux(source, &out, args);
        assert_eq!(done.status.code(), Some(1), "{source}");
        assert!(said(&done).contains(words), "{source}: {}", said(&done));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "{source}");
    };
    let card = |name: &str| testcard().join(name).to_str().unwrap().to_owned();
    check("/nowhere.ism", &[], "/nowhere.ism");
    check(&card("testcard.ism"), &["--level", "7"], "no level 7");
    check(&card("testcard.ism"), &["--audio", "deu"], "deu");
    check(&card("make-nothing.ismv"), &[], "make-nothing");
    check(env!("CARGO_MANIFEST_DIR"), &[], "directory");
    let server = serve(0, "", &[]);
    server.take("/a/v5/6000");
    check(&server.url("/a/Manifest"), &[], "404");
    check(&server.url("/b/Manifest"), &[], "404");
    let whole = fs::read(testcard().join("testcard_64.ismv")).unwrap();
    let cut: PathBuf = scratch("remux-cut").join("cut.ismv");
    fs::write(&cut, &whole[..1000]).unwrap();
    check(cut.to_str().unwrap(), &[], "cut.ismv");
    let help = String::from_utf8(smoothcore(&["remux", "--help"], &[]).stdout).unwrap();
    for word in ["--level", "--audio", "--fragmented", "Exit status", "Examples"] {
        assert!(help.contains(word), "{word}");
    }
}
