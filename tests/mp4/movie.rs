//! The `moov` that is written is the one that is read, and a foreign or broken one is read as far as it goes.

use crate::mp4_build::*;
use smoothcore::error::Code;
use smoothcore::limits::Limits;
use smoothcore::mem::{Account, Bytes};
use smoothcore::mp4::encryption::Iv;
use smoothcore::mp4::init::{self, Entry, Init, Media, Protection};
use smoothcore::mp4::movie::{Movie, SampleDefaults};
use smoothcore::mp4::uuid as ids;

const VIDEO: Entry<'static> = Entry {
    name: *b"avc1",
    config_name: Some(*b"avcC"),
    config: b"the set-up",
    media: Media::Video { width: 720, height: 576, display_width: 1024, display_height: 576 },
};
const SOUND: Entry<'static> = Entry {
    name: *b"mp4a",
    config_name: Some(*b"esds"),
    config: b"descriptors",
    media: Media::Audio { channels: 6, bits_per_sample: 0, sampling_rate: 48_000 },
};
const TEXT: Entry<'static> = Entry {
    name: *b"stpp",
    config_name: None,
    config: b"http://www.w3.org/ns/ttml\0\0\0",
    media: Media::Text,
};

fn plain(entry: Entry<'_>) -> Init<'_> {
    Init {
        timescale: 10_000_000,
        duration: Some(480_000_000),
        track_id: 3,
        language: *b"fra",
        entry,
        protection: None,
        pssh: &[],
    }
}

fn written(init: &Init<'_>) -> Vec<u8> {
    let mut account = Account::new(1 << 20);
    let mut out = Bytes::new();
    out.extend(&mut account, b"before").unwrap();
    init::write(init, &mut account, &mut out).unwrap();
    assert_eq!(&out[..6], b"before");
    out[6..].to_vec()
}

/// The `moov` behind `ftyp`.
fn moov(file: &[u8]) -> &[u8] {
    assert_eq!(&file[..28], b"\0\0\0\x1Cftypiso6\0\0\0\x01iso6isomdash");
    &file[28..]
}

/// Boxes by path, in the order of the file: every size is checked on the way.
fn tree(bytes: &[u8], path: &str, out: &mut Vec<(String, Vec<u8>)>) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let kind = String::from_utf8(rest[4..8].to_vec()).unwrap();
        let payload = &rest[8..size];
        let path = if path.is_empty() { kind.clone() } else { format!("{path}/{kind}") };
        out.push((path.clone(), payload.to_vec()));
        match kind.as_str() {
            "moov" | "trak" | "mdia" | "minf" | "dinf" | "stbl" | "mvex" | "sinf" | "schi" => {
                tree(payload, &path, out);
            }
            "stsd" | "dref" => tree(&payload[8..], &path, out),
            "avc1" | "encv" => tree(&payload[78..], &path, out),
            "mp4a" | "enca" => tree(&payload[28..], &path, out),
            _ => {}
        }
        rest = &rest[size..];
    }
}

fn boxes(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    tree(file, "", &mut out);
    out
}

fn payload(file: &[u8], end: &str) -> Vec<u8> {
    let found = boxes(file).into_iter().find(|(path, _)| path.ends_with(end));
    assert!(found.is_some(), "no {end}");
    found.unwrap().1
}

#[test]
fn the_tree_is_that_of_the_standard() {
    let paths: Vec<String> = boxes(&written(&plain(VIDEO))).into_iter().map(|(path, _)| path).collect();
    let stbl = "moov/trak/mdia/minf/stbl";
    let expected = [
        "ftyp",
        "moov",
        "moov/mvhd",
        "moov/trak",
        "moov/trak/tkhd",
        "moov/trak/mdia",
        "moov/trak/mdia/mdhd",
        "moov/trak/mdia/hdlr",
        "moov/trak/mdia/minf",
        "moov/trak/mdia/minf/vmhd",
        "moov/trak/mdia/minf/dinf",
        "moov/trak/mdia/minf/dinf/dref",
        "moov/trak/mdia/minf/dinf/dref/url ",
        stbl,
        &format!("{stbl}/stsd"),
        &format!("{stbl}/stsd/avc1"),
        &format!("{stbl}/stsd/avc1/avcC"),
        &format!("{stbl}/stsd/avc1/pasp"),
        &format!("{stbl}/stts"),
        &format!("{stbl}/stsc"),
        &format!("{stbl}/stsz"),
        &format!("{stbl}/stco"),
        "moov/mvex",
        "moov/mvex/trex",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn every_number_is_in_its_place() {
    let file = written(&plain(VIDEO));
    let sizes =
        [("mvhd", 112), ("tkhd", 96), ("mdhd", 36), ("vmhd", 12), ("trex", 24), ("stsz", 12), ("stts", 8)];
    for (kind, len) in sizes {
        assert_eq!(payload(&file, kind).len(), len, "{kind}");
    }
    let mvhd = payload(&file, "mvhd");
    assert_eq!(mvhd[..4], [1, 0, 0, 0]);
    assert_eq!(mvhd[20..32], [&words(&[10_000_000])[..], &longs(&[480_000_000])].concat());
    assert_eq!(mvhd[32..38], [0, 1, 0, 0, 1, 0]);
    let matrix = words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
    assert_eq!(mvhd[48..84], matrix);
    assert_eq!(mvhd[108..], [0, 0, 0, 4]);
    let tkhd = payload(&file, "tkhd");
    assert_eq!(tkhd[..4], [1, 0, 0, 7]);
    assert_eq!(tkhd[20..36], [&words(&[3, 0])[..], &longs(&[480_000_000])].concat());
    assert_eq!(tkhd[36..52], [0; 16], "layer, group, volume");
    assert_eq!(tkhd[52..88], matrix);
    assert_eq!(tkhd[88..], words(&[1024 << 16, 576 << 16]));
    let mdhd = payload(&file, "mdhd");
    assert_eq!(mdhd[20..], [&words(&[10_000_000])[..], &longs(&[480_000_000]), &[0x1A, 0x41, 0, 0]].concat());
    assert_eq!(payload(&file, "hdlr"), [&words(&[0, 0])[..], b"vide", &[0; 13]].concat());
    assert_eq!(payload(&file, "trex"), words(&[0, 3, 1, 0, 0, 0]));
    assert_eq!(payload(&file, "url "), [0, 0, 0, 1]);
    assert_eq!(payload(&file, "stsd")[..8], [0, 0, 0, 0, 0, 0, 0, 1]);
    let avc1 = payload(&file, "avc1");
    assert_eq!(avc1[6..8], [0, 1]);
    assert_eq!(avc1[24..28], [2, 0xD0, 2, 0x40]);
    assert_eq!(avc1[28..36], words(&[0x48_0000, 0x48_0000]));
    assert_eq!(avc1[40..42], [0, 1]);
    assert_eq!(avc1[42..74], [0; 32]);
    assert_eq!(avc1[74..78], [0, 0x18, 0xFF, 0xFF]);
    assert_eq!(payload(&file, "avcC"), b"the set-up");
    // 1024:576 over 720x576.
    assert_eq!(payload(&file, "pasp"), words(&[64, 45]));
    let sound = written(&plain(SOUND));
    assert_eq!(payload(&sound, "tkhd")[48..50], [1, 0], "volume");
    assert_eq!(payload(&sound, "smhd"), [0; 8]);
    let mp4a = payload(&sound, "mp4a");
    assert_eq!(
        mp4a[..28],
        [&[0; 7][..], &[1], &[0; 8], &[0, 6, 0, 16], &[0; 4], &words(&[48_000 << 16])].concat()
    );
}

#[test]
fn quirk_63_a_live_presentation_has_no_duration() {
    let file = written(&Init { duration: None, ..plain(VIDEO) });
    for (kind, at) in [("mvhd", 24), ("tkhd", 28), ("mdhd", 24)] {
        assert_eq!(payload(&file, kind)[at..at + 8], [0xFF; 8], "{kind}");
    }
    let limits = Limits::default();
    let mut movie = Movie::new(moov(&file), &limits).unwrap();
    assert_eq!((movie.duration, movie.next_track().unwrap().unwrap().duration), (0, 0));
}

#[test]
fn languages_are_packed_as_in_the_standard() {
    for (language, packed) in [(b"und", 0x55C4u16), (b"eng", 0x15C7), (b"fra", 0x1A41), (b"E!\xFF", 0x55C4)] {
        let file = written(&Init { language: *language, ..plain(SOUND) });
        assert_eq!(payload(&file, "mdhd")[32..34], packed.to_be_bytes());
    }
}

#[test]
fn numbers_that_do_not_fit_become_unknown() {
    let media = Media::Audio { channels: 2, bits_per_sample: 24, sampling_rate: 96_000 };
    let mp4a = payload(&written(&plain(Entry { media, ..SOUND })), "mp4a");
    assert_eq!(mp4a[16..28], [0, 2, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0]);
    let media = Media::Video { width: 70_000, height: 576, display_width: 0, display_height: 0 };
    let file = written(&plain(Entry { media, ..VIDEO }));
    assert_eq!(payload(&file, "avc1")[24..28], [0, 0, 2, 0x40]);
    assert!(boxes(&file).iter().all(|(path, _)| !path.ends_with("pasp")));
    // Square, unknown, and beyond what a ratio can say.
    for (w, h, dw, dh) in
        [(720, 576, 720, 576), (720, 576, 1440, 1152), (0, 0, 4, 3), (u32::MAX, 1, 1, u32::MAX - 1)]
    {
        let media = Media::Video { width: w, height: h, display_width: dw, display_height: dh };
        let file = written(&plain(Entry { media, ..VIDEO }));
        assert!(boxes(&file).iter().all(|(path, _)| !path.ends_with("pasp")), "{w} {h} {dw} {dh}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    let limits = Limits::default();
    for (entry, handler) in [(VIDEO, b"vide"), (SOUND, b"soun"), (TEXT, b"subt")] {
        let file = written(&plain(entry));
        let mut movie = Movie::new(moov(&file), &limits).unwrap();
        assert_eq!((movie.timescale, movie.duration), (10_000_000, 480_000_000));
        let track = movie.next_track().unwrap().unwrap();
        assert_eq!((track.id, &track.handler, track.timescale), (3, handler, 10_000_000));
        assert_eq!((track.duration, &track.language), (480_000_000, b"fra"));
        assert_eq!((track.entry.name, track.entry.config_name), (entry.name, entry.config_name));
        assert_eq!(track.entry.config, entry.config);
        assert!(track.protection.is_none());
        match entry.media {
            Media::Video { .. } => assert_eq!((track.entry.width, track.entry.height), (720, 576)),
            Media::Audio { .. } => {
                let e = &track.entry;
                assert_eq!((e.channels, e.bits_per_sample, e.sampling_rate), (6, 16, 48_000));
            }
            Media::Text => {}
        }
        assert!(movie.next_track().unwrap().is_none());
    }
}

const KID: [u8; 16] = [0xA1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

#[test]
fn quirk_93_encrypted_entries_say_so() {
    let limits = Limits::default();
    let pssh = full(b"pssh", 0, 0, &[&[9; 16][..], &words(&[2]), b"ok"].concat());
    for (entry, name) in [(VIDEO, "encv"), (SOUND, "enca"), (TEXT, "enct")] {
        let cenc = Protection { scheme: *b"cenc", kid: KID, iv_size: 8, constant_iv: &[], pattern: (0, 0) };
        let file = written(&Init { protection: Some(cenc), pssh: &pssh, ..plain(entry) });
        assert!(boxes(&file).iter().any(|(path, _)| path.ends_with(name)));
        assert_eq!(boxes(&file).last().unwrap().0, "moov/pssh", "after mvex");
        if name != "enct" {
            assert_eq!(payload(&file, "frma"), entry.name);
            assert_eq!(payload(&file, "schm"), [&[0; 4][..], b"cenc", &[0, 1, 0, 0]].concat());
            assert_eq!(payload(&file, "tenc"), [&[0, 0, 0, 0, 0, 0, 1, 8][..], &KID].concat());
            let mut movie = Movie::new(moov(&file), &limits).unwrap();
            let track = movie.next_track().unwrap().unwrap();
            assert_eq!((track.entry.name, track.entry.config), (entry.name, entry.config));
            let p = track.protection.unwrap();
            assert_eq!((&p.scheme, p.kid, p.iv_size, p.pattern), (b"cenc", KID, 8, (0, 0)));
        }
    }
    let iv = [0x33; 16];
    for (pattern, byte) in [((1, 9), 0x19), ((0, 0), 0)] {
        let cbcs = Protection { scheme: *b"cbcs", kid: KID, iv_size: 0, constant_iv: &iv, pattern };
        let file = written(&Init { protection: Some(cbcs), ..plain(VIDEO) });
        let tenc = [&[1, 0, 0, 0, 0, byte, 1, 0][..], &KID, &[16], &iv].concat();
        assert_eq!(payload(&file, "tenc"), tenc);
        let p = Movie::new(moov(&file), &limits).unwrap().next_track().unwrap().unwrap().protection.unwrap();
        assert_eq!((&p.scheme, p.iv_size, p.constant_iv, p.pattern), (b"cbcs", 0, Iv::new(&iv), pattern));
    }
}

#[test]
fn a_small_budget_writes_nothing() {
    for cap in [0, 100, 700, 900] {
        let mut account = Account::new(cap);
        let mut out = Bytes::new();
        let e = init::write(&plain(VIDEO), &mut account, &mut out).unwrap_err();
        assert_eq!(e.code, Code::Budget, "{cap}");
        assert!(out.is_empty());
    }
}

/// A `trak` as old writers make it: version 0, and boxes that nobody asked for.
fn old_track(id: u32, handler: &[u8; 4], stsd: &[u8]) -> Vec<u8> {
    let tkhd = full(b"tkhd", 0, 7, &words(&[1, 2, id, 0, 77]));
    let mdhd = full(b"mdhd", 0, 0, &[&words(&[1, 2, 1000, 77])[..], &[0x55, 0xC4, 0, 0]].concat());
    let hdlr = full(b"hdlr", 0, 0, &[&[0; 4][..], handler, &[0; 12], b"name\0"].concat());
    let stbl = boxed(b"stbl", &[boxed(b"free", b""), stsd.to_vec()].concat());
    let minf = boxed(b"minf", &[boxed(b"nmhd", &[0; 4]), stbl].concat());
    let mdia = boxed(b"mdia", &[mdhd, hdlr, minf].concat());
    boxed(b"trak", &[boxed(b"edts", b"1234"), tkhd, mdia].concat())
}

fn stsd(version: u8, entry: &[u8]) -> Vec<u8> {
    full(b"stsd", version, 0, &[&words(&[1])[..], entry].concat())
}

fn sound_entry(kind: &[u8; 4], version: u16, extra: &[u8], children: &[u8]) -> Vec<u8> {
    let head =
        [&[0, 0, 0, 0, 0, 0, 0, 1][..], &version.to_be_bytes(), &[0; 6], &[0, 2, 0, 16], &[0; 4]].concat();
    boxed(kind, &[&head[..], &words(&[44_100 << 16]), extra, children].concat())
}

#[test]
fn tracks_of_other_writers() {
    let wfex = boxed(b"wfex", b"numbers");
    let btrt = boxed(b"btrt", &[0; 12]);
    let mvhd = full(b"mvhd", 0, 0, &words(&[1, 2, 600, u32::MAX]));
    let trex = |id: u32| full(b"trex", 0, 0, &words(&[id, 1, id * 10, id * 100, 0x0101_0000]));
    let mvex = boxed(b"mvex", &[full(b"mehd", 0, 0, &words(&[5])), trex(1), trex(2)].concat());
    let moov = boxed(
        b"moov",
        &[
            mvhd,
            mvex,
            old_track(
                2,
                b"soun",
                &stsd(0, &sound_entry(b"wma ", 0, &[], &[btrt.clone(), wfex.clone()].concat())),
            ),
            boxed(b"udta", b"12345678"),
            // QuickTime puts more numbers there; an ISO file of version 1 does not.
            old_track(1, b"soun", &stsd(0, &sound_entry(b"mp4a", 1, &[0xEE; 16], &wfex))),
            old_track(4, b"soun", &stsd(0, &sound_entry(b"mp4a", 2, &[0xEE; 36], &wfex))),
            old_track(5, b"soun", &stsd(1, &sound_entry(b"mp4a", 1, &[], &wfex))),
            old_track(6, b"text", &stsd(0, &boxed(b"dfxp", &[0, 0, 0, 0, 0, 0, 0, 1]))),
        ]
        .concat(),
    );
    let limits = Limits::default();
    let mut movie = Movie::new(&moov, &limits).unwrap();
    assert_eq!((movie.timescale, movie.duration), (600, 0), "all ones is no duration");
    let first = movie.next_track().unwrap().unwrap();
    assert_eq!((first.id, first.timescale, first.duration, &first.language), (2, 1000, 77, b"und"));
    assert_eq!((&first.entry.name, first.entry.channels, first.entry.sampling_rate), (b"wma ", 2, 44_100));
    assert_eq!(first.defaults, SampleDefaults { duration: 20, size: 200, flags: 0x0101_0000 });
    for (id, defaults) in [(1, 10), (4, 0), (5, 0)] {
        let track = movie.next_track().unwrap().unwrap();
        assert_eq!((track.id, track.defaults.duration), (id, defaults));
        assert_eq!((track.entry.config_name, track.entry.config), (Some(*b"wfex"), &b"numbers"[..]), "{id}");
    }
    let text = movie.next_track().unwrap().unwrap();
    assert_eq!((&text.handler, &text.entry.name, text.entry.config_name), (b"text", b"dfxp", None));
    assert!(movie.next_track().unwrap().is_none());
}

#[test]
fn protection_as_piff_writes_it() {
    let limits = Limits::default();
    let schm = full(b"schm", 0, 0, &[&b"piff"[..], &words(&[0x1_0001])].concat());
    let track = uuid(&ids::TRACK_ENCRYPTION, &full_payload(0, 0, &[&[0, 0, 2, 16][..], &KID].concat()));
    for (schi, algorithm, kid, iv_size) in [(track, 2, KID, 16), (Vec::new(), 1, [0; 16], 8)] {
        let sinf = boxed(b"sinf", &[boxed(b"frma", b"mp4a"), schm.clone(), boxed(b"schi", &schi)].concat());
        let entry = sound_entry(b"enca", 0, &[], &[boxed(b"esds", b"e"), sinf].concat());
        let moov = boxed(b"moov", &old_track(1, b"soun", &stsd(0, &entry)));
        let track = Movie::new(&moov, &limits).unwrap().next_track().unwrap().unwrap();
        assert_eq!((&track.entry.name, track.entry.config), (b"mp4a", &b"e"[..]));
        let p = track.protection.unwrap();
        assert_eq!((&p.scheme, p.algorithm, p.kid, p.iv_size), (b"piff", algorithm, kid, iv_size));
    }
}

#[test]
fn one_broken_track_does_not_cost_the_others() {
    let limits = Limits::default();
    let entry = stsd(0, &sound_entry(b"mp4a", 0, &[], &[]));
    let good = old_track(1, b"soun", &entry);
    let broken = [
        (boxed(b"trak", &[]), "moov/trak/tkhd"),
        (old_track(1, b"soun", &stsd(0, &[])), "moov/trak/mdia/minf/stbl/stsd"),
        (old_track(1, b"vide", &entry), "moov/trak/mdia/minf/stbl/stsd"),
        (old_track(1, b"soun", &boxed(b"stsz", &[])), "moov/trak/mdia/minf/stbl/stsd"),
        (
            old_track(1, b"soun", &stsd(0, &sound_entry(b"mp4a", 1, &[0; 7], &[]))),
            "moov/trak/mdia/minf/stbl/stsd",
        ),
    ];
    for (bad, place) in broken {
        let moov = boxed(b"moov", &[bad, good.clone()].concat());
        let mut movie = Movie::new(&moov, &limits).unwrap();
        let e = movie.next_track().unwrap_err();
        assert_eq!((e.code, e.place.at), (Code::BoxInvalid, place));
        assert_eq!(movie.next_track().unwrap().unwrap().id, 1);
        assert!(movie.next_track().unwrap().is_none());
    }
    assert_eq!(Movie::new(&good, &limits).err().unwrap().code, Code::BoxInvalid);
    let many = boxed(b"moov", &boxed(b"free", &[]).repeat(1025));
    assert_eq!(Movie::new(&many, &limits).err().unwrap().code, Code::LimitBoxes);
}

#[test]
fn cut_and_mutated_movies_never_panic() {
    let limits = Limits::default();
    let cenc = Protection { scheme: *b"cenc", kid: KID, iv_size: 8, constant_iv: &[], pattern: (0, 0) };
    let seeds = [
        moov(&written(&Init { protection: Some(cenc), ..plain(VIDEO) })).to_vec(),
        moov(&written(&plain(SOUND))).to_vec(),
        boxed(
            b"moov",
            &old_track(1, b"soun", &stsd(0, &sound_entry(b"mp4a", 1, &[0; 16], &boxed(b"esds", b"x")))),
        ),
    ];
    for seed in &seeds {
        for cut in 0..seed.len() {
            assert!(Movie::new(&seed[..cut], &limits).is_err(), "cut at {cut}");
        }
    }
    let mut next = dice();
    let (mut good, mut bad) = (0, 0);
    for i in 0..100_000 {
        let mut moov = seeds[i % 3].clone();
        let times = 1 + next() % 3;
        spoil(&mut moov, times, &mut next);
        let Ok(mut movie) = Movie::new(&moov, &limits) else { continue };
        match movie.next_track() {
            Ok(_) => good += 1,
            Err(_) => bad += 1,
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} {bad}");
}
