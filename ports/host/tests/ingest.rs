//! `smoothcore origin` as a publishing point: an encoder's stream goes in by POST, a channel and an archive come out. The
//! streams are those of the test card, cut into boxes by the test, and those of FFmpeg where it is.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::live::{Listed, Told};
use common::{Answer, Origin, boxes, fragments, scratch, testcard};

const SECOND: u64 = 10_000_000;
const PATIENCE: Duration = Duration::from_secs(20);
const SERVER_MANIFEST: [u8; 16] =
    [0xa5, 0xd4, 0x0b, 0x30, 0xe8, 0x14, 0x11, 0xdd, 0xba, 0x2f, 0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66];

/// A stream to send: its head, and its fragments.
struct Stream {
    head: Vec<u8>,
    fragments: Vec<Vec<u8>>,
}

impl Stream {
    fn of(name: &str) -> Self {
        let file = fs::read(testcard().join(name)).unwrap();
        let head = boxes(&file).into_iter().filter(|(kind, _)| kind == b"ftyp" || kind == b"moov");
        let head = head.flat_map(|(_, place)| file[place].to_vec()).collect();
        Self {
            head,
            fragments: fragments(&file).into_iter().map(|(_, whole)| file[whole].to_vec()).collect(),
        }
    }

    /// The same with a server manifest that gives track 1 a bitrate, and more.
    fn described(mut self, element: &str, attributes: &str, params: &str) -> Self {
        let xml = format!(
            "<?xml version=\"1.0\"?><smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\"><head>\
             <meta name=\"creator\" content=\"A test\"/></head><body><switch><{element} {attributes}>\
             <param name=\"trackID\" value=\"1\" valuetype=\"data\"/>{params}</{element}></switch></body></smil>"
        );
        let content = [&SERVER_MANIFEST[..], &[0; 4], xml.as_bytes()].concat();
        let described = [&(content.len() as u32 + 8).to_be_bytes()[..], b"uuid", &content].concat();
        let ftyp = u32::from_be_bytes(self.head[..4].try_into().unwrap()) as usize;
        self.head.splice(ftyp..ftyp, described);
        self
    }
}

/// An encoder on its connection.
struct Encoder {
    stream: TcpStream,
}

impl Encoder {
    fn connect(origin: &Origin, path: &str) -> Self {
        let mut stream = TcpStream::connect(&origin.address).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nUser-Agent: test\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Self { stream }
    }

    /// Sends bytes in chunks of an awkward size.
    fn send(&mut self, bytes: &[u8]) {
        let chunks = bytes
            .chunks(7_001)
            .flat_map(|chunk| [format!("{:X};x=y\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        self.stream.write_all(&chunks.collect::<Vec<_>>()).unwrap();
    }

    /// Says that the stream is over, as FFmpeg does, and reads the answer.
    fn end(mut self) -> Answer {
        self.send(&[0, 0, 0, 8, b'm', b'f', b'r', b'a']);
        self.stream.write_all(b"0\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }

    /// Loses its connection in the middle of something.
    fn break_off(self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }
}

/// Waits until the manifest is as wanted, and gives it.
fn until(origin: &Origin, path: &str, wanted: impl Fn(&Listed) -> bool) -> Listed {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = origin.get(path);
        if answer.status == 200 {
            let listed = Listed::read(&answer.body);
            if wanted(&listed) {
                return listed;
            }
            assert!(Instant::now() < deadline, "{}", listed.text);
        }
        assert!(Instant::now() < deadline, "{}", answer.head);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn has(listed: &Listed, stream: &str, count: usize) -> bool {
    listed.stream(stream).len() >= count
}

fn times(count: u64) -> Vec<u64> {
    (0..count).map(|at| at * 2 * SECOND).collect()
}

fn start(dir: &Path, args: &[&str]) -> Origin {
    Origin::start(dir, args)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_published_is_on_the_air_and_then_an_archive_at_the_same_url() {
    let dir = scratch("ingest-whole");
    let origin = start(&dir, &[]);
    assert!(origin.manifests.is_empty(), "it starts with nothing");
    assert_eq!(origin.get("/live.isml/Manifest").status, 404);
    // Encoders first ask whether they may.
    let check = origin.send("POST /live.isml/Streams(a) HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(check.status, 200);
    assert_eq!(origin.get("/live.isml/Manifest").status, 412, "not begun");

    let stream = Stream::of("testcard_64.ismv").described("video", "systemBitrate=\"65000\"", "");
    let mut encoder = Encoder::connect(&origin, "/live.isml/Streams(a)");
    encoder.send(&stream.head);
    let fragment = |time: u64| format!("/live.isml/QualityLevels(65000)/Fragments(video={time})");
    for (at, bytes) in stream.fragments.iter().enumerate() {
        encoder.send(bytes);
        if at < 2 {
            continue;
        }
        let listed = until(&origin, "/live.isml/Manifest", |listed| has(listed, "video", at - 1));
        assert_eq!(listed.times("video"), times(at as u64 - 1), "two are held back");
        assert_eq!(listed.attribute("IsLive"), Some("TRUE"));
        assert_eq!(listed.attribute("LookAheadFragmentCount"), Some("2"));
        let time = (at as u64 - 2) * 2 * SECOND;
        let answer = origin.get(&fragment(time));
        let told = Told::read(&answer.body);
        assert_eq!(told.tfxd, Some((1, time, 2 * SECOND)));
        assert_eq!(told.following(), [(time + 2 * SECOND, 2 * SECOND), (time + 4 * SECOND, 2 * SECOND)]);
        assert_eq!(told.samples, Told::read(&stream.fragments[at - 2]).samples);
        assert_eq!(origin.get(&fragment(time + 2 * SECOND)).status, 412);
        assert_eq!(origin.get(&fragment(time + 60 * SECOND)).status, 412);
        assert_eq!(origin.get(&fragment(time + 1)).status, 404);
    }
    let live: Vec<Vec<u8>> = times(22).iter().map(|time| origin.get(&fragment(*time)).body).collect();
    assert_eq!(names(&dir), ["live_a.ismv.part"]);
    assert_eq!(encoder.end().status, 200);
    let over = until(&origin, "/live.isml/Manifest", |listed| listed.attribute("IsLive").is_none());
    assert_eq!((over.times("video"), over.attribute("Duration")), (times(24), Some("480000000")));
    assert_eq!(names(&dir), ["live.ism", "live.ismc", "live_a.ismv"]);
    assert_eq!(origin.get(&fragment(48 * SECOND)).status, 404, "there will be no more");

    // The same bytes during the event, after it, and from another origin that finds the archive.
    let archive = start(&dir, &[]);
    assert_eq!(archive.manifests, ["/live.ism/Manifest"]);
    for (at, time) in times(24).into_iter().enumerate() {
        let body = origin.get(&fragment(time)).body;
        assert!(live.get(at).is_none_or(|before| *before == body), "fragment {at} has changed");
        for path in [fragment(time), fragment(time).replace(".isml", ".ism")] {
            assert!(archive.get(&path).body == body, "{path}");
        }
        assert!(origin.get(&fragment(time).replace(".isml", ".ism")).body == body);
        let told = Told::read(&body);
        assert_eq!(told.samples, Told::read(&stream.fragments[at]).samples);
        assert_eq!(told.following().len(), 2.min(23 - at));
    }
    assert_eq!(Listed::read(&archive.get("/live.isml/Manifest").body).streams, over.streams);
    // A broken encoder comes back later: another event, which leaves the archive alone.
    let mut encoder = Encoder::connect(&origin, "/live.isml/Streams(a)");
    encoder.send(&stream.head);
    stream.fragments[..4].iter().for_each(|bytes| encoder.send(bytes));
    let again = until(&origin, "/live.isml/Manifest", |listed| listed.attribute("IsLive").is_some());
    assert!(again.stream("video").len() <= 2);
    assert_eq!(encoder.end().status, 200);
    until(&origin, "/live.isml/Manifest", |listed| listed.attribute("IsLive").is_none());
    let kept = ["live-2.ism", "live-2.ismc", "live-2_a.ismv", "live.ism", "live.ismc", "live_a.ismv"];
    assert_eq!(names(&dir), kept);
}

#[test]
fn an_encoder_that_comes_back_sends_again_what_was_sent() {
    let dir = scratch("ingest-again");
    let origin = start(&dir, &["--reconnect", "600"]);
    let stream = Stream::of("testcard_64.ismv");
    let mut encoder = Encoder::connect(&origin, "/a.isml/Streams(1)");
    encoder.send(&stream.head);
    stream.fragments[..6].iter().for_each(|bytes| encoder.send(bytes));
    encoder.send(&stream.fragments[6][..stream.fragments[6].len() / 2]);
    until(&origin, "/a.isml/Manifest", |listed| has(listed, "video", 4));
    encoder.break_off();
    // The head again, the last two fragments again, then what was cut.
    let mut encoder = Encoder::connect(&origin, "/a.isml/Events(7)/Streams(1)");
    encoder.send(&stream.head);
    stream.fragments[4..].iter().for_each(|bytes| encoder.send(bytes));
    let listed = until(&origin, "/a.isml/Manifest", |listed| has(listed, "video", 22));
    assert_eq!(listed.times("video"), times(22));
    encoder.end();
    let over = until(&origin, "/a.isml/Manifest", |listed| listed.attribute("IsLive").is_none());
    assert_eq!(over.times("video"), times(24));
    let file = fs::read(dir.join("a_1.ismv")).unwrap();
    let kept: Vec<Told> = fragments(&file).into_iter().map(|(_, whole)| Told::read(&file[whole])).collect();
    assert_eq!(kept.len(), 24);
    for (kept, sent) in kept.iter().zip(&stream.fragments) {
        assert_eq!(kept.samples, Told::read(sent).samples);
    }
}

#[test]
fn an_encoder_that_does_not_come_back_ends_its_stream() {
    let dir = scratch("ingest-lost");
    let origin = start(&dir, &["--reconnect", "0"]);
    let stream = Stream::of("testcard_64.ismv");
    let mut encoder = Encoder::connect(&origin, "/a.isml/Streams(1)");
    encoder.send(&stream.head);
    stream.fragments[..6].iter().for_each(|bytes| encoder.send(bytes));
    until(&origin, "/a.isml/Manifest", |listed| has(listed, "video", 4));
    encoder.break_off();
    let over = until(&origin, "/a.isml/Manifest", |listed| listed.attribute("IsLive").is_none());
    assert_eq!(over.times("video"), times(6), "what was held back is out");
}

#[test]
fn streams_of_several_encoders_are_one_channel() {
    let dir = scratch("ingest-several");
    let origin = start(&dir, &[]);
    let sound = |name, language: &str| {
        let attributes = format!("systemBitrate=\"24000\" systemLanguage=\"{language}\"");
        Stream::of(name).described("audio", &attributes, "<param name=\"trackName\" value=\"talk\"/>")
    };
    let streams = [
        ("low", Stream::of("testcard_64.ismv").described("video", "systemBitrate=\"64000\"", "")),
        ("high", Stream::of("testcard_256.ismv").described("video", "systemBitrate=\"256000\"", "")),
        ("eng", sound("testcard_eng.isma", "eng")),
        // A second encoder for the same sound: the one that is first counts.
        ("spare", sound("testcard_eng.isma", "eng")),
    ];
    let mut encoders = Vec::new();
    for (id, stream) in &streams {
        let mut encoder = Encoder::connect(&origin, &format!("/tv.isml/Streams({id})"));
        encoder.send(&stream.head);
        encoders.push(encoder);
    }
    let send = |encoders: &mut Vec<Encoder>, slot: usize, from: usize, to: usize| {
        streams[slot].1.fragments[from..to].iter().for_each(|bytes| encoders[slot].send(bytes));
    };
    send(&mut encoders, 0, 0, 6);
    send(&mut encoders, 1, 0, 4);
    send(&mut encoders, 2, 0, 5);
    send(&mut encoders, 3, 0, 5);
    // The list has what both levels have.
    let listed =
        until(&origin, "/tv.isml/Manifest", |listed| has(listed, "video", 2) && has(listed, "talk", 3));
    assert_eq!(listed.times("video"), times(2), "{}", listed.text);
    assert_eq!(listed.text.matches("<QualityLevel ").count(), 3);
    assert_eq!(listed.streams.len(), 2);
    assert!(listed.text.contains("Name=\"talk\" Language=\"eng\""));
    send(&mut encoders, 1, 4, 6);
    let listed = until(&origin, "/tv.isml/Manifest", |listed| has(listed, "video", 4));
    assert_eq!(listed.times("video"), times(4));
    for (slot, bitrate) in [(0, 64_000), (1, 256_000)] {
        let answer = origin.get(&format!("/tv.isml/QualityLevels({bitrate})/Fragments(video=20000000)"));
        assert_eq!(Told::read(&answer.body).samples, Told::read(&streams[slot].1.fragments[1]).samples);
    }
    // One ends; the channel goes on until all have.
    let mut rest = encoders.drain(..);
    for encoder in [rest.next().unwrap(), rest.next().unwrap(), rest.next().unwrap()] {
        assert_eq!(encoder.end().status, 200);
    }
    assert_eq!(Listed::read(&origin.get("/tv.isml/Manifest").body).attribute("IsLive"), Some("TRUE"));
    rest.next().unwrap().end();
    let over = until(&origin, "/tv.isml/Manifest", |listed| listed.attribute("IsLive").is_none());
    assert_eq!(over.times("video"), times(6));
    let archive = start(&dir, &[]);
    let kept = Listed::read(&archive.get("/tv.ism/Manifest").body);
    assert_eq!(kept.streams, over.streams);
    for (name, list) in &kept.streams {
        let levels: &[u64] = if name == "video" { &[64_000, 256_000] } else { &[24_000] };
        for (level, (time, _)) in levels.iter().flat_map(|level| list.iter().map(move |entry| (level, entry)))
        {
            let path = format!("/tv.ism/QualityLevels({level})/Fragments({name}={time})");
            assert_eq!(archive.get(&path).status, 200, "{path}");
        }
    }
}

#[test]
fn look_ahead_and_window_are_as_asked() {
    for (ahead, count) in [(0_u64, 24_u64), (1, 23), (5, 19)] {
        let dir = scratch(&format!("ingest-ahead-{ahead}"));
        let origin = start(&dir, &["--ingest", &format!("lookahead={ahead},dvr=10,grace=4,islive=true")]);
        let stream = Stream::of("testcard_64.ismv").described("video", "systemBitrate=\"65000\"", "");
        let mut encoder = Encoder::connect(&origin, "/a.isml/Streams(1)");
        encoder.send(&stream.head);
        stream.fragments.iter().for_each(|bytes| encoder.send(bytes));
        let last = (count - 1) * 2 * SECOND;
        let listed = until(&origin, "/a.isml/Manifest", |listed| listed.times("video").last() == Some(&last));
        assert_eq!(listed.times("video"), times(count)[count as usize - 5..], "10 s of 2 s each");
        assert_eq!(listed.attribute("IsLive"), Some("true"));
        assert_eq!(listed.attribute("DVRWindowLength"), Some("100000000"));
        let get = |time: u64| origin.get(&format!("/a.isml/QualityLevels(65000)/Fragments(video={time})"));
        assert_eq!(Told::read(&get(last).body).following().len() as u64, ahead);
        assert_eq!(get(last - 12 * SECOND).status, 200, "for a while");
        assert_eq!(get(last - 18 * SECOND).status, 404);
        encoder.end();
        let over = until(&origin, "/a.isml/Manifest", |listed| listed.attribute("IsLive").is_none());
        assert_eq!(over.times("video"), times(24), "the archive has all");
        assert_eq!(get(0).status, 200);
    }
}

#[test]
fn what_is_no_stream_is_refused() {
    let dir = scratch("ingest-refused");
    let origin = start(&dir, &[]);
    let post = |origin: &Origin, path: &str, body: &str| {
        origin.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    assert_eq!(post(&origin, "/a.isml/Streams(1)", "not boxes at all").status, 400);
    assert_eq!(post(&origin, "/a.isml/Streams(1)", "\0\0\0\x0cmoovmore").status, 400);
    assert_eq!(
        post(&origin, "/a.isml/Streams(1)", "\0\0\0\x08mdat\0\0\0\x08free").status,
        200,
        "nothing of use"
    );
    for path in ["/x/a.isml/Streams(1)", "/..%2Fa.isml/Streams(1)", "/.a.isml/Streams(1)"] {
        let answer = post(&origin, path, "");
        assert_eq!(answer.status, 403, "{path}");
    }
    for path in ["/a.ism/Streams(1)", "/a.isml/Streams(..%2F1)", "/a.isml/Manifest", "/a.isml"] {
        assert_eq!(post(&origin, path, "").status, 405, "{path}");
    }
    assert!(names(&dir).is_empty(), "{:?}", names(&dir));
    let origin = start(&dir, &["--no-ingest"]);
    assert_eq!(post(&origin, "/a.isml/Streams(1)", "").status, 403);
    // A client that wants to hear first whether it may send.
    let origin = start(&dir, &[]);
    let mut stream = TcpStream::connect(&origin.address).unwrap();
    stream
        .write_all(
            b"POST /a.isml/Streams(1) HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
        .unwrap();
    let mut line = [0; 25];
    stream.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
}

/// FFmpeg, or nothing where it is not.
fn ffmpeg(args: &[&str]) -> Option<String> {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
        .args(args)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("ffmpeg is not there: its streams are not tried");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Decode time, duration, size and hash of every packet of a stream, by FFmpeg; times in 100 ns.
fn packets(input: &str, stream: &str) -> Vec<(i64, String, String)> {
    let out =
        ffmpeg(&["-copyts", "-i", input, "-map", stream, "-c", "copy", "-copyts", "-f", "framemd5", "-"])
            .unwrap();
    let rows = out.lines().filter(|line| !line.starts_with('#'));
    let scale = out.lines().find_map(|line| line.strip_prefix("#tb 0: ")).expect("a time base");
    let (over, below) = scale.split_once('/').unwrap();
    let (over, below): (i64, i64) = (over.parse().unwrap(), below.parse().unwrap());
    rows.map(|line| {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let time: i64 = fields[1].parse().unwrap();
        (time * over * 10_000_000 / below, fields[4].to_owned(), fields[5].to_owned())
    })
    .collect()
}

#[test]
fn streams_of_ffmpeg_are_kept_packet_for_packet() {
    let dir = scratch("ingest-ffmpeg");
    let made = dir.join("made.mp4");
    let path = |path: &PathBuf| path.to_str().unwrap().to_owned();
    let pictures = "testsrc2=size=192x108:rate=25:duration=12";
    let sound = "sine=frequency=330:sample_rate=48000:duration=12";
    let encode = [
        "-f",
        "lavfi",
        "-i",
        pictures,
        "-f",
        "lavfi",
        "-i",
        sound,
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-bf",
        "2",
        "-g",
        "50",
        "-keyint_min",
        "50",
        "-sc_threshold",
        "0",
        "-b:v",
        "150k",
        "-c:a",
        "aac",
        "-b:a",
        "64k",
    ];
    if ffmpeg(&[&encode[..], &[&path(&made)]].concat()).is_none() {
        return;
    }
    let origin = start(&dir, &[]);
    // From 0, and from a clock that counts since 1970.
    for (name, offset) in [("zero", "0"), ("clock", "1700000000")] {
        let to = format!("http://{}/{name}.isml/Streams(a)", origin.address);
        ffmpeg(&[
            "-i",
            &path(&made),
            "-c",
            "copy",
            "-output_ts_offset",
            offset,
            "-f",
            "ismv",
            "-movflags",
            "isml+frag_keyframe",
            &to,
        ]);
        let over =
            until(&origin, &format!("/{name}.isml/Manifest"), |listed| listed.attribute("IsLive").is_none());
        // FFmpeg names streams after their language too.
        let name_of = over.streams[0].0.clone();
        assert!(name_of.starts_with("video"), "{}", over.text);
        assert_eq!(over.stream(&name_of).len(), 6);
        let offset: u64 = offset.parse().unwrap();
        assert_eq!(over.times(&name_of)[1] - over.times(&name_of)[0], 2 * SECOND);
        // FFmpeg lets the first picture be shown when it is decoded, and others before they are.
        let sent = packets(&path(&made), "0:v");
        assert_eq!(over.times(&name_of)[0], offset * SECOND, "{name}");
        let kept = packets(&path(&dir.join(format!("{name}_a.ismv"))), "0:v");
        let hashes = |packets: &[(i64, String, String)]| -> Vec<String> {
            packets.iter().map(|packet| packet.2.clone()).collect()
        };
        assert_eq!(hashes(&kept), hashes(&sent), "{name}: every picture, once, in order");
        let (sent, kept) =
            (packets(&path(&made), "0:a"), packets(&path(&dir.join(format!("{name}_a.ismv"))), "0:a"));
        // What an encoder puts before time 0 has no time in a URL.
        let before = if offset == 0 { sent.iter().filter(|packet| packet.0 < 0).count() } else { 0 };
        assert!(before <= 2, "{before}");
        assert_eq!(hashes(&kept), hashes(&sent[before..]), "{name}: sound");
    }
}
