//! `smoothcore index --protect`, and files whose tracks share fragments.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::ismv::{self, Unit};
use common::{Origin, boxes, scratch, smoothcore, testcard};
use smoothcore::limits::Limits;
use smoothcore::mem::{Account, List};
use smoothcore::mp4::encryption::{self, EncryptionTable};
use smoothcore::mp4::{SampleTable, parse_moof};
use smoothcore::protection::{self, Kid, Scheme};
use smoothcore_clearkey::{How, Key, Keys, Named, Pattern, Subsample, decrypt};

const KEY: &str = "0102030405060708090a0b0c0d0e0f10:0af844a35a0cdbcd464447d8c2df886e";
const FILES: [&str; 2] = ["testcard_64.ismv", "testcard_eng.isma"];

/// The first and, with `rotate`, the later keys that the command printed.
fn index(dir: &Path, args: &[&str]) -> Keys {
    let output = dir.join("locked").into_os_string().into_string().unwrap();
    let files: Vec<PathBuf> = FILES.iter().map(|name| testcard().join(name)).collect();
    let done = smoothcore(&[&["index", "-o", &output, "--protect", KEY], args].concat(), &files);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(String::from_utf8(done.stderr).unwrap(), "");
    let mut keys = Keys::default();
    for line in String::from_utf8(done.stdout).unwrap().lines() {
        if let Some(named) = line.strip_prefix("key ") {
            let Named { kid, key } = named.parse().unwrap();
            keys.add(kid, key);
        }
    }
    keys
}

struct Clear {
    fragments: BTreeMap<u64, Vec<Unit>>,
    /// The keys of the encrypted fragments; `None` for clear ones.
    used: Vec<Option<Kid>>,
}

/// Decrypts a file by what its boxes say.
fn open(path: &Path, scheme: Scheme, keys: &Keys, first: Kid) -> Clear {
    let file = fs::read(path).unwrap();
    let pattern = match path.extension().unwrap().to_str() {
        Some("ismv") => Pattern::TENTH,
        _ => Pattern::ALL,
    };
    let mut fragments = ismv::read(path);
    let mut used = Vec::new();
    let mut account = Account::new(64 << 20);
    let limits = Limits::default();
    for ((moof, _), units) in common::fragments(&file).into_iter().zip(fragments.values_mut()) {
        let moof_box = &file[moof];
        let mut samples = SampleTable::new();
        let info = parse_moof(moof_box, 0, &mut account, &limits, &mut samples).unwrap();
        let mut table = EncryptionTable::new();
        encryption::parse(moof_box, &info, &samples, &mut account, &limits, &mut table).unwrap();
        let mut kid = None;
        for (at, unit) in units.iter_mut().enumerate() {
            let Some(told) = table.sample(at) else { continue };
            let name = told.setting.kid.map_or(first, Kid);
            kid = Some(name);
            let parts: Vec<_> = told
                .subsamples
                .iter()
                .map(|part| Subsample { clear: part.clear, protected: part.protected })
                .collect();
            let how = How { scheme, pattern, iv: told.iv, subsamples: &parts };
            decrypt(keys.find(name).unwrap(), &how, &mut unit.bytes).unwrap();
        }
        used.push(kid);
    }
    Clear { fragments, used }
}

#[test]
fn what_is_encrypted_comes_out_again_whatever_carries_it() {
    let first = Kid([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    let originals = FILES.map(|name| ismv::read(&testcard().join(name)));
    let cases: [(&str, &[&str], Scheme); 9] = [
        ("piff-8", &[], Scheme::AesCtr),
        ("piff-16", &["--iv", "16"], Scheme::AesCtr),
        ("piff-whole", &["--subsamples", "off"], Scheme::AesCtr),
        ("senc-8", &["--box", "senc"], Scheme::AesCtr),
        ("senc-16-whole", &["--box", "senc", "--iv", "16", "--subsamples", "off"], Scheme::AesCtr),
        ("cbcs", &["--scheme", "cbcs"], Scheme::Cbcs),
        ("cbcs-senc", &["--scheme", "cbcs", "--box", "senc"], Scheme::Cbcs),
        ("rotate", &["--rotate", "7", "--clear-lead", "2"], Scheme::AesCtr),
        ("rotate-senc", &["--rotate", "7", "--box", "senc", "--clear-lead", "2"], Scheme::AesCtr),
    ];
    for (name, args, scheme) in cases {
        let dir = scratch(&format!("protect-{name}"));
        let keys = index(&dir, args);
        for (file, original) in FILES.iter().zip(&originals) {
            let path = dir.join(file);
            let locked = ismv::read(&path);
            assert!(locked.keys().eq(original.keys()), "{name}: the same fragments");
            let opened = open(&path, scheme, &keys, first);
            assert!(opened.fragments == *original, "{name}: {file} comes out again");
            let rotates = name.starts_with("rotate");
            let lead = if rotates { 2 } else { 0 };
            for (at, (locked, original)) in locked.values().zip(original.values()).enumerate() {
                assert_eq!(locked == original, at < lead, "{name}: fragment {at}");
            }
            let wanted = (0..24u8).map(|at| {
                let mut kid = first;
                kid.0[15] += if rotates { at / 7 } else { 0 };
                (usize::from(at) >= lead).then_some(kid)
            });
            assert!(opened.used.iter().copied().eq(wanted), "{name}: {:?}", opened.used);
        }
    }
}

#[test]
fn the_manifest_and_the_files_carry_the_header() {
    let dir = scratch("protect-header");
    let url = "http://127.0.0.1/rights?a=1&b=2";
    let keys = index(&dir, &["--license-url", url]);
    let origin = Origin::start(&dir, &[]);
    assert_eq!(origin.manifests, ["/locked.ism/Manifest"]);
    let xml = String::from_utf8(origin.get("/locked.ism/Manifest").body).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let header = document.descendants().find(|node| node.has_tag_name("ProtectionHeader")).unwrap();
    let system = protection::system_id(header.attribute("SystemID").unwrap()).unwrap();
    assert_eq!(system, protection::PLAYREADY);
    let mut account = Account::new(1 << 20);
    let mut data = List::new();
    let code = smoothcore::error::Code::ProtectionHeader;
    smoothcore::digits::base64(header.text().unwrap(), &mut account, 65_536, &mut data, code).unwrap();
    let read = protection::read(system, &data, &mut account, &Limits::default()).unwrap();
    assert_eq!((read.version, &*read.la_url), ((4, 0), url));
    assert_eq!(keys.wrong(&read.keys), None);
    assert_eq!(keys.find(read.keys[0].kid), Some(Key(hex("0af844a35a0cdbcd464447d8c2df886e"))));

    // Without manifests, the origin makes one of what the files say.
    for name in ["locked.ism", "locked.ismc"] {
        fs::remove_file(dir.join(name)).unwrap();
    }
    let origin = Origin::start(&dir, &[]);
    let again = String::from_utf8(origin.get(&origin.manifests[0]).body).unwrap();
    assert!(again.contains(header.text().unwrap()));
}

fn hex(text: &str) -> [u8; 16] {
    protection::system_id(text).unwrap()
}

#[test]
fn what_makes_no_sense_is_refused() {
    let dir = scratch("protect-refused");
    let output = dir.join("locked").into_os_string().into_string().unwrap();
    let file = testcard().join(FILES[0]);
    let cases: [(&[&str], &str); 6] = [
        (&["--protect", "0102:0304"], "32 hexadecimal digits"),
        (&["--rotate", "2"], "--protect"),
        (&["--protect", KEY, "--iv", "12"], "8 or 16"),
        (&["--protect", KEY, "--scheme", "cbcs", "--iv", "8"], "16"),
        (&["--protect", KEY, "--rotate", "0"], "0"),
        (&["--protect", KEY, "--clear-lead", "-1"], "-1"),
    ];
    for (args, text) in cases {
        let done = smoothcore(&[&["index", "-o", &output], args].concat(), std::slice::from_ref(&file));
        assert!(!done.status.success(), "{args:?}");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(said.contains(text), "{args:?}: {said}");
    }
    // Never over what it is made of, and never twice.
    let copy = dir.join(FILES[0]);
    fs::copy(&file, &copy).unwrap();
    let over = smoothcore(&["index", "-o", &output, "--protect", KEY], std::slice::from_ref(&copy));
    assert!(String::from_utf8_lossy(&over.stderr).contains("another directory"));
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&file).unwrap());
    let locked = scratch("protect-refused-twice");
    index(&locked, &[]);
    let twice = smoothcore(&["index", "-o", &output, "--protect", KEY], &[locked.join(FILES[0])]);
    assert!(String::from_utf8_lossy(&twice.stderr).contains("protected already"), "{twice:?}");
}

#[test]
fn fragments_that_tracks_share_are_taken_apart() {
    let dir = scratch("index-shared");
    let mp4 = dir.join("film.mp4");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]);
    for file in FILES {
        ffmpeg.arg("-i").arg(testcard().join(file));
    }
    ffmpeg.args(["-map", "0", "-map", "1", "-c", "copy", "-movflags"]);
    ffmpeg.arg("frag_keyframe+empty_moov+skip_trailer+default_base_moof").arg(&mp4);
    let made = ffmpeg.output().expect("this test runs ffmpeg: apt-get install ffmpeg");
    assert!(made.status.success(), "{made:?}");
    let file = fs::read(&mp4).unwrap();
    assert!(boxes(&file).iter().all(|(kind, _)| kind != b"mfra"), "no index");
    let trafs = common::fragments(&file)[0].0.clone();
    assert_eq!(
        boxes(&file[trafs.start + 8..trafs.end]).iter().filter(|(kind, _)| kind == b"traf").count(),
        2
    );

    let out = scratch("index-shared-out");
    let name = out.join("film").into_os_string().into_string().unwrap();
    let done = smoothcore(&["index", "-o", &name], std::slice::from_ref(&mp4));
    assert!(done.status.success(), "{done:?}");
    let origin = Origin::start(&out, &[]);
    let xml = String::from_utf8(origin.get(&origin.manifests[0]).body).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let streams: Vec<_> = document.descendants().filter(|node| node.has_tag_name("StreamIndex")).collect();
    assert_eq!(streams.len(), 2);

    // Every fragment of a stream is served, of that stream alone, and together they are the samples of the source.
    for (stream, source) in streams.iter().zip(FILES) {
        let level = stream.descendants().find(|node| node.has_tag_name("QualityLevel")).unwrap();
        let (name, bitrate) = (stream.attribute("Name").unwrap(), level.attribute("Bitrate").unwrap());
        let (mut next, mut samples) = (0, Vec::new());
        for c in stream.children().filter(|node| node.has_tag_name("c")) {
            let number = |name| c.attribute(name).map_or(1, |text| text.parse::<u64>().unwrap());
            next = number("t");
            for _ in 0..number("r") {
                let path = format!("/film.ism/QualityLevels({bitrate})/Fragments({name}={next})");
                let answer = origin.get(&path);
                assert_eq!(answer.status, 200, "{path}");
                let place = out.join("fragment");
                fs::write(&place, &answer.body).unwrap();
                let units = ismv::read(&place);
                assert_eq!(units.len(), 1);
                samples.extend(units.into_values().flatten().map(|unit| unit.bytes));
                next += number("d");
            }
        }
        assert!(next > 0);
        let original: Vec<_> =
            ismv::read(&testcard().join(source)).into_values().flatten().map(|unit| unit.bytes).collect();
        assert!(samples == original, "{name}: {} samples of {}", samples.len(), original.len());
    }
}
