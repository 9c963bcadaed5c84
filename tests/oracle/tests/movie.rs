//! Movies: what FFmpeg and Mozilla's reader find in the start of a file that is written here, and what is read here of
//! files that FFmpeg writes.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use smoothcore::codec::{self, Codec, CodecConfig, EntryNumbers, Kind};
use smoothcore::io::StreamId;
use smoothcore::limits::Limits;
use smoothcore::manifest::{Manifest, ManifestParser};
use smoothcore::mem::{Account, Bytes};
use smoothcore::mp4::init::{self, Entry, Init, Media, Protection};
use smoothcore::mp4::movie::{Movie, MovieTrack};
use smoothcore::session;

const SINE: &str = "sine=frequency=440:sample_rate=48000:duration=2";
const PICTURE: &str = "testsrc=size=256x144:rate=25:duration=2,format=yuv420p,setsar=4/3";

/// Codecs that this FFmpeg can write into a file of fragments: name, arguments, FFmpeg's format.
const CODECS: [(&str, &[&str], &str); 8] = [
    ("h264", &["-i", PICTURE, "-c:v", "libx264", "-bf", "2"], "mp4"),
    ("hvc1", &["-i", PICTURE, "-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1"], "mp4"),
    ("aac", &["-i", SINE, "-c:a", "aac", "-ac", "2"], "mp4"),
    ("ac3", &["-i", SINE, "-c:a", "ac3", "-ac", "2"], "mp4"),
    ("eac3", &["-i", SINE, "-c:a", "eac3", "-ac", "2"], "mp4"),
    ("mp3", &["-i", SINE, "-c:a", "libmp3lame", "-ac", "2"], "mp4"),
    ("ism_h264", &["-i", PICTURE, "-c:v", "libx264"], "ismv"),
    ("ism_aac", &["-i", SINE, "-c:a", "aac", "-ac", "2"], "ismv"),
];

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(program).args(arguments).output();
    let done = done.unwrap_or_else(|e| panic!("this test runs {program}, which is not there ({e})"));
    assert!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    run(
        "ffmpeg",
        &[&["-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-threads", "1"], arguments].concat(),
    )
}

/// A place for one test's files.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A fragmented file that FFmpeg makes.
fn encoded(folder: &Path, name: &str, arguments: &[&str], format: &str) -> PathBuf {
    let file = folder.join(format!("{name}.mp4"));
    let usual = "empty_moov+default_base_moof+frag_keyframe";
    let dolby = "delay_moov+default_base_moof+frag_keyframe";
    let tail = [
        "-map_metadata",
        "-1",
        "-metadata:s:0",
        "language=fra",
        "-movflags",
        // What describes Dolby sound is known after the first packet.
        if name.ends_with("ac3") { dolby } else { usual },
        "-f",
        format,
        text(&file),
    ];
    ffmpeg(&[&["-f", "lavfi"], arguments, &tail[..]].concat());
    file
}

/// What ffprobe says of the first stream, by key.
fn probed(file: &Path) -> BTreeMap<String, String> {
    let keys = "stream=id,codec_name,profile,codec_type,codec_tag_string,width,height,sample_aspect_ratio,sample_rate,\
        channels,time_base,extradata_size:stream_tags=language";
    let said = run(
        "ffprobe",
        &["-v", "error", "-show_data_hash", "md5", "-show_entries", keys, "-of", "flat=s=_", text(file)],
    );
    let said = String::from_utf8(said).unwrap();
    let lines = said.lines().filter_map(|line| line.split_once('='));
    lines.map(|(k, v)| (k.replace("streams_stream_0_", ""), v.trim_matches('"').to_string())).collect()
}

/// Times, sizes and hashes of what FFmpeg makes of a file: packets when `copied`, else decoded frames.
fn frames(file: &Path, copied: bool) -> String {
    let how: &[&str] = if copied { &["-c", "copy"] } else { &[] };
    let all =
        String::from_utf8(ffmpeg(&[&["-i", text(file)], how, &["-f", "framemd5", "-"]].concat())).unwrap();
    let rows: Vec<&str> = all.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.len() > 20, "{} in {}", rows.len(), file.display());
    rows.join("\n")
}

/// The box of that kind at the top level, and everything behind it.
fn top<'a>(file: &'a [u8], kind: &[u8; 4]) -> (&'a [u8], &'a [u8]) {
    let mut rest = file;
    while rest.len() >= 8 {
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (this, after) = rest.split_at(size);
        if &this[4..8] == kind {
            return (this, after);
        }
        rest = after;
    }
    panic!("no {}", String::from_utf8_lossy(kind));
}

fn kind_of(track: &MovieTrack<'_>) -> Kind {
    match &track.handler {
        b"vide" => Kind::Video,
        b"soun" => Kind::Audio,
        _ => Kind::Text,
    }
}

fn config_of(track: &MovieTrack<'_>, account: &mut Account, limits: &Limits) -> CodecConfig {
    let numbers = EntryNumbers {
        kind: kind_of(track),
        width: track.entry.width.into(),
        height: track.entry.height.into(),
        channels: track.entry.channels,
        bits_per_sample: track.entry.bits_per_sample,
        sampling_rate: track.entry.sampling_rate,
        bitrate: 0,
    };
    codec::from_sample_entry(track.entry.name, track.entry.config, &numbers, account, limits).unwrap()
}

/// `ftyp` and `moov` for a configuration.
fn segment(
    config: &CodecConfig,
    timescale: u32,
    display: (u32, u32),
    protection: Option<Protection<'_>>,
) -> Vec<u8> {
    let mut account = Account::new(1 << 20);
    let (mut bytes, mut out) = (Bytes::new(), Bytes::new());
    let names = codec::sample_entry(config, 128_000, &mut account, &mut bytes).unwrap();
    let media = if config.width != 0 {
        let (display_width, display_height) = display;
        Media::Video { width: config.width, height: config.height, display_width, display_height }
    } else if config.sampling_rate != 0 {
        Media::Audio {
            channels: config.channels,
            bits_per_sample: config.bits_per_sample,
            sampling_rate: config.sampling_rate,
        }
    } else {
        Media::Text
    };
    let init = Init {
        timescale,
        duration: None,
        track_id: 1,
        language: *b"fra",
        entry: Entry { name: names.entry, config_name: names.config, config: &bytes, media },
        protection,
        pssh: &[],
    };
    init::write(&init, &mut account, &mut out).unwrap();
    out.to_vec()
}

#[test]
fn files_of_ffmpeg_are_read_as_ffprobe_reads_them() {
    let folder = folder("read");
    let limits = Limits::default();
    let mut account = Account::new(1 << 20);
    for (name, arguments, format) in CODECS {
        let file = encoded(&folder, name, arguments, format);
        let said = probed(&file);
        let bytes = fs::read(&file).unwrap();
        let (moov, _) = top(&bytes, b"moov");
        let mut movie = Movie::new(moov, &limits).unwrap();
        let track = movie.next_track().unwrap().unwrap();
        assert!(movie.next_track().unwrap().is_none());
        let e = &track.entry;
        let number = |key: &str| said[key].parse::<u32>().unwrap();
        assert_eq!(said["id"], format!("0x{:x}", track.id), "{name}");
        assert_eq!(said["time_base"], format!("1/{}", track.timescale), "{name}");
        assert_eq!(said["tags_language"].as_bytes(), track.language, "{name}");
        assert_eq!(said["codec_tag_string"].as_bytes(), e.name, "{name}");
        assert_eq!(said["codec_type"], if &track.handler == b"vide" { "video" } else { "audio" });
        if &track.handler == b"vide" {
            assert_eq!((number("width"), number("height")), (e.width.into(), e.height.into()), "{name}");
        } else {
            assert_eq!(
                (number("sample_rate"), number("channels")),
                (e.sampling_rate, e.channels.into()),
                "{name}"
            );
        }
        // The configuration, where FFmpeg keeps it as it stands in the box.
        if matches!(&e.config_name, Some(kind) if kind == b"avcC" || kind == b"hvcC") {
            assert_eq!(number("extradata_size") as usize, e.config.len(), "{name}");
        }
        let mut config = config_of(&track, &mut account, &limits);
        assert_ne!(config.codec, Codec::Other, "{name}");
        config.free(&mut account);
    }
    assert_eq!(account.held(), 0);
}

#[test]
fn what_is_written_for_every_codec_plays_in_ffmpeg_as_before() {
    let folder = folder("written");
    let limits = Limits::default();
    let mut account = Account::new(1 << 20);
    for (name, arguments, format) in CODECS {
        let file = encoded(&folder, name, arguments, format);
        let bytes = fs::read(&file).unwrap();
        let (moov, fragments) = top(&bytes, b"moov");
        let track = Movie::new(moov, &limits).unwrap().next_track().unwrap().unwrap();
        let mut config = config_of(&track, &mut account, &limits);
        // Pictures of 256x144 whose pixels are as 4 to 3.
        let ours = segment(&config, track.timescale, (1024, 432), None);
        config.free(&mut account);
        let again = folder.join(format!("{name}_again.mp4"));
        fs::write(&again, [&ours, fragments].concat()).unwrap();

        let (before, mut after) = (probed(&file), probed(&again));
        // Names are a matter of taste where two mean the same.
        for (key, value) in &before {
            let seen = after.remove(key).unwrap_or_else(|| panic!("{name}: no {key}"));
            let renamed = key == "codec_tag_string" && matches!((&value[..], &seen[..]), ("H264", "avc1"));
            let rebuilt = key.starts_with("extradata") && matches!(name, "hvc1" | "aac" | "ism_aac" | "mp3");
            assert!(seen == *value || renamed || rebuilt, "{name}: {key} was {value} and is {seen}");
        }
        assert_eq!(frames(&again, true), frames(&file, true), "{name}: packets");
        assert_eq!(frames(&again, false), frames(&file, false), "{name}: decoded");
    }
    assert_eq!(account.held(), 0);
}

/// Mozilla's reader on a segment.
fn parsed(segment: &[u8]) -> mp4parse::MediaContext {
    mp4parse::read_mp4(&mut &segment[..]).unwrap_or_else(|e| panic!("{e:?}"))
}

#[test]
fn mozillas_reader_finds_the_same() {
    use mp4parse::{AudioCodecSpecific, SampleEntry, TrackType, VideoCodecSpecific};
    let folder = folder("mozilla");
    let limits = Limits::default();
    let mut account = Account::new(1 << 20);
    let kid = [7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    let cenc = Protection { scheme: *b"cenc", kid, iv_size: 8, constant_iv: &[], pattern: (0, 0) };
    let cbcs = Protection { scheme: *b"cbcs", kid, iv_size: 0, constant_iv: &[5; 16], pattern: (1, 9) };
    for (name, arguments, format) in CODECS {
        let bytes = fs::read(encoded(&folder, name, arguments, format)).unwrap();
        let (moov, _) = top(&bytes, b"moov");
        let track = Movie::new(moov, &limits).unwrap().next_track().unwrap().unwrap();
        let mut config = config_of(&track, &mut account, &limits);
        for protection in [None, Some(cenc), Some(cbcs)] {
            let segment = segment(&config, 10_000_000, (1024, 432), protection);
            let read = parsed(&segment);
            assert_eq!((read.tracks.len(), read.mvex.is_some()), (1, true), "{name}");
            let t = &read.tracks[0];
            assert_eq!((t.track_id, t.timescale.map(|t| t.0)), (Some(1), Some(10_000_000)));
            let stsd = t.stsd.as_ref().unwrap();
            let tables = (&t.stts, &t.stsc, &t.stsz, &t.stco);
            assert!(matches!(tables, (Some(_), Some(_), Some(_), Some(_))), "empty, but there");
            let schemes = match &stsd.descriptions[0] {
                SampleEntry::Video(v) => {
                    assert_eq!(t.track_type, TrackType::Video);
                    assert_eq!((v.width, v.height), (256, 144));
                    let head = t.tkhd.as_ref().unwrap();
                    assert_eq!((head.width >> 16, head.height >> 16), (1024, 432));
                    match &v.codec_specific {
                        VideoCodecSpecific::AVCConfig(avcc) => assert_eq!(avcc[..], *track.entry.config),
                        other => panic!("{name}: {other:?}"),
                    }
                    &v.protection_info
                }
                SampleEntry::Audio(a) => {
                    assert_eq!(t.track_type, TrackType::Audio);
                    assert_eq!(
                        (a.channelcount, a.samplerate),
                        (track.entry.channels.into(), 48_000.0),
                        "{name}"
                    );
                    match &a.codec_specific {
                        AudioCodecSpecific::ES_Descriptor(es) => {
                            assert_eq!(
                                &es.decoder_specific_data[..],
                                if name == "mp3" { &[] } else { &config.private[..] }
                            );
                        }
                        other => panic!("{name}: {other:?}"),
                    }
                    &a.protection_info
                }
                // It knows neither H.265 nor Dolby.
                SampleEntry::Unknown => {
                    assert!(matches!(name, "hvc1" | "ac3" | "eac3"), "{name}");
                    continue;
                }
            };
            let Some(wanted) = protection else {
                assert!(schemes.is_empty());
                continue;
            };
            let scheme = &schemes[0];
            assert_eq!(scheme.scheme_type.as_ref().unwrap().scheme_type.value, wanted.scheme);
            let tenc = scheme.tenc.as_ref().unwrap();
            assert_eq!((tenc.is_encrypted, tenc.iv_size, &tenc.kid[..]), (1, wanted.iv_size, &kid[..]));
            let constant = tenc.constant_iv.as_ref().map(|iv| iv.to_vec());
            assert_eq!(constant, (wanted.iv_size == 0).then(|| wanted.constant_iv.to_vec()));
            let pattern = (tenc.crypt_byte_block_count, tenc.skip_byte_block_count);
            assert_eq!(pattern, if wanted.scheme == *b"cbcs" { (Some(1), Some(9)) } else { (None, None) });
        }
        config.free(&mut account);
    }
}

fn testcard(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../media/testcard").join(name)
}

fn manifest(bytes: &[u8]) -> (Manifest, Account) {
    let mut account = Account::new(4 << 20);
    let mut parser = ManifestParser::new(&Limits::default());
    parser.feed(&mut account, bytes).unwrap();
    let manifest = parser.finish().unwrap();
    parser.free(&mut account);
    (manifest, account)
}

#[test]
fn every_level_of_the_test_card_plays_behind_its_init_segment() {
    let folder = folder("testcard");
    let (manifest, mut account) = manifest(&fs::read(testcard("testcard.ismc")).unwrap());
    let files = [
        (0, 0, "testcard_64.ismv"),
        (0, 1, "testcard_100.ismv"),
        (0, 2, "testcard_150.ismv"),
        (0, 3, "testcard_256.ismv"),
        (1, 0, "testcard_eng.isma"),
        (2, 0, "testcard_fra.isma"),
    ];
    for (stream, position, name) in files {
        let file = testcard(name);
        let bytes = fs::read(&file).unwrap();
        let (_, fragments) = top(&bytes, b"moov");
        let mut out = Bytes::new();
        let limits = Limits::default();
        session::init_segment(&manifest, StreamId(stream), position, &mut account, &limits, &mut out)
            .unwrap();
        let again = folder.join(name);
        fs::write(&again, [&out, fragments].concat()).unwrap();
        let (before, after) = (probed(&file), probed(&again));
        for key in ["codec_name", "codec_type", "time_base", "width", "height", "sample_rate", "channels"] {
            assert_eq!(after.get(key), before.get(key), "{name}: {key}");
        }
        assert_eq!(frames(&again, true), frames(&file, true), "{name}: packets");
        assert_eq!(frames(&again, false), frames(&file, false), "{name}: decoded");
        parsed(&out);
    }
}

/// WAVEFORMATEX and what follows it.
fn wave(tag: u16, channels: u16, rate: u32, align: u16, bits: u16, extra: &[u8]) -> Vec<u8> {
    let mut bytes = [tag.to_le_bytes(), channels.to_le_bytes()].concat();
    bytes.extend_from_slice(&rate.to_le_bytes());
    bytes.extend_from_slice(&16_000u32.to_le_bytes());
    for word in [align, bits, extra.len() as u16] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(extra);
    bytes
}

#[test]
fn codecs_without_an_encoder_have_the_right_names() {
    let folder = folder("named");
    let limits = Limits::default();
    let mut account = Account::new(1 << 20);
    let wma2 = wave(0x161, 2, 44_100, 2973, 16, &[0, 0x88, 0, 0, 0x0F, 0, 0, 0, 0, 0]);
    let pro = wave(0x162, 2, 44_100, 2973, 16, &[16, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xE0, 0, 0, 0]);
    // Advanced profile, level 3, 720x576; an entry point.
    let vc1 = [0, 0, 1, 0x0F, 0xDB, 0xFE, 0x16, 0x71, 0x3F, 0x0A, 0x80, 0, 0, 1, 0x0E, 0x5A, 0xC0, 0x40];
    let sound = |fourcc: &str, private: &[u8]| (Kind::Audio, fourcc.to_string(), private.to_vec());
    let cases = [
        ("wmav2", "a[1][0][0]", sound("WMA2", &wma2)),
        ("wmapro", "b[1][0][0]", sound("WMAP", &pro)),
        ("vc1", "vc-1", (Kind::Video, "WVC1".into(), vc1.to_vec())),
        ("ttml", "stpp", (Kind::Text, "TTML".into(), Vec::new())),
    ];
    for (name, entry, (kind, fourcc, private)) in cases {
        let is = |k: Kind, n: u32| if kind == k { n } else { 0 };
        let description = codec::Description {
            fourcc: codec::FourCc::from_text(&fourcc),
            private: &private,
            width: is(Kind::Video, 720),
            height: is(Kind::Video, 576),
            sampling_rate: is(Kind::Audio, 44_100),
            channels: is(Kind::Audio, 2) as u16,
            ..codec::Description::new(kind)
        };
        let mut config = CodecConfig::from_description(&mut account, &description, &limits).unwrap();
        let file = folder.join(format!("{name}.mp4"));
        fs::write(&file, segment(&config, 10_000_000, (0, 0), None)).unwrap();
        config.free(&mut account);
        let said = probed(&file);
        assert_eq!(said["time_base"], "1/10000000", "{name}");
        // Of WMA it tells the format tag, which it has from the WAVEFORMATEX.
        assert_eq!(said["codec_tag_string"], entry, "{name}");
        // FFmpeg has no reader for TTML in MP4.
        assert_eq!(said["codec_name"], if name == "ttml" { "unknown" } else { name });
        if kind == Kind::Audio {
            assert_eq!((&said["sample_rate"][..], &said["channels"][..]), ("44100", "2"), "{name}");
        }
    }
    assert_eq!(account.held(), 0);
}

#[test]
fn keys_in_files_of_ffmpeg_are_found() {
    let folder = folder("keys");
    let file = folder.join("cenc.mp4");
    let kid = "a7e61c373e219033c21091fa607bf3b8";
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        PICTURE,
        "-c:v",
        "libx264",
        "-encryption_scheme",
        "cenc-aes-ctr",
        "-encryption_key",
        "76a6c65c5ea762046bd749a2e632ccbb",
        "-encryption_kid",
        kid,
        "-f",
        "mp4",
        text(&file),
    ]);
    let bytes = fs::read(&file).unwrap();
    let (moov, _) = top(&bytes, b"moov");
    let track = Movie::new(moov, &Limits::default()).unwrap().next_track().unwrap().unwrap();
    let protection = track.protection.unwrap();
    assert_eq!((&track.entry.name, &protection.scheme, protection.iv_size), (b"avc1", b"cenc", 8));
    let seen: String = protection.kid.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(seen, kid);
}
