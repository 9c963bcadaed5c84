//! `smoothcore index` on the test card, on files without index, with crooked levels, and on damaged files.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{boxes, media, scratch, smoothcore, testcard};

fn output(dir: &std::path::Path) -> String {
    dir.join("testcard").to_str().unwrap().to_owned()
}

/// A copy of the media files in `dir`, each changed by `change`.
fn copies(dir: &std::path::Path, change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> Vec<PathBuf> {
    let copy = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let to = dir.join(name);
        fs::write(&to, change(name, fs::read(path).unwrap())).unwrap();
        to
    };
    media().iter().map(copy).collect()
}

#[test]
fn the_committed_manifests_come_out_again() {
    let dir = scratch("index-again");
    let files = copies(&dir, |_, bytes| bytes);
    let done = smoothcore(&["index", "-o", &output(&dir)], &files);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(String::from_utf8(done.stderr).unwrap(), "");
    for name in ["testcard.ismc", "testcard.ism"] {
        let (made, committed) = (fs::read(dir.join(name)).unwrap(), fs::read(testcard().join(name)).unwrap());
        assert_eq!(String::from_utf8_lossy(&made), String::from_utf8_lossy(&committed), "{name}");
    }
}

#[test]
fn files_without_mfra_give_the_same_manifests() {
    let dir = scratch("index-no-mfra");
    let files = copies(&dir, |_, mut bytes| {
        let (kind, place) = boxes(&bytes).pop().unwrap();
        assert_eq!(&kind, b"mfra");
        bytes.truncate(place.start);
        bytes
    });
    let done = smoothcore(&["index", "-o", &output(&dir)], &files);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(
        fs::read(dir.join("testcard.ismc")).unwrap(),
        fs::read(testcard().join("testcard.ismc")).unwrap()
    );
}

#[test]
fn levels_out_of_step_are_pointed_out() {
    let dir = scratch("index-crooked");
    // The time of the third fragment lies after two entries of 19 bytes in the tfra of the mfra that ends the file.
    let files = copies(&dir, |name, mut bytes| {
        if name == "testcard_150.ismv" {
            let mfra = boxes(&bytes).pop().unwrap().1.start;
            let time = mfra + 8 + 24 + 2 * 19;
            assert_eq!(bytes[time..time + 8], 40_000_000u64.to_be_bytes());
            bytes[time..time + 8].copy_from_slice(&40_400_000u64.to_be_bytes());
        }
        bytes
    });
    let strict = smoothcore(&["index", "--strict", "-o", &output(&dir)], &files);
    assert_eq!(strict.status.code(), Some(1));
    assert!(!dir.join("testcard.ismc").exists() && !dir.join("testcard.ism").exists());

    let done = smoothcore(&["index", "-o", &output(&dir)], &files);
    assert!(done.status.success());
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("not aligned") && said.contains("testcard_150.ismv"), "{said}");
    assert!(said.contains("fragment 2 starts at 40000000 and at 40400000"), "{said}");
    assert!(dir.join("testcard.ismc").exists());
}

#[test]
fn one_language_is_plain_audio_and_no_repeat_spells_all_out() {
    let dir = scratch("index-plain");
    let files = [testcard().join("testcard_64.ismv"), testcard().join("testcard_fra.isma")];
    let done = smoothcore(&["index", "--no-repeat", "-o", &output(&dir)], &files);
    assert!(done.status.success(), "{done:?}");
    let xml = fs::read_to_string(dir.join("testcard.ismc")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    assert_eq!(document.root_element().attribute("MinorVersion"), Some("0"));
    let streams: Vec<_> = document.root_element().children().filter(roxmltree::Node::is_element).collect();
    assert_eq!(streams.len(), 2);
    assert_eq!(streams[1].attribute("Name"), Some("audio"));
    assert_eq!(streams[1].attribute("Language"), Some("fra"));
    for stream in streams {
        let fragments: Vec<_> = stream.children().filter(|node| node.has_tag_name("c")).collect();
        assert_eq!(fragments.len(), 24);
        let mut next = 0;
        for fragment in fragments {
            let number = |name| fragment.attribute(name).unwrap().parse::<u64>().unwrap();
            assert_eq!(number("t"), next);
            assert_eq!(fragment.attribute("r"), None);
            next += number("d");
        }
    }
}

#[test]
fn same_bitrate_twice_gets_two_addresses() {
    let dir = scratch("index-twice");
    let files = [testcard().join("testcard_64.ismv"), testcard().join("testcard_64.ismv")];
    let done = smoothcore(&["index", "-o", &output(&dir)], &files);
    assert!(done.status.success(), "{done:?}");
    let xml = fs::read_to_string(dir.join("testcard.ismc")).unwrap();
    assert!(xml.contains("Bitrate=\"64852\"") && xml.contains("Bitrate=\"64853\""), "{xml}");
}

#[test]
fn damaged_files_are_refused_not_crashed_on() {
    let dir = scratch("index-damaged");
    let whole = fs::read(testcard().join("testcard_64.ismv")).unwrap();
    let path = dir.join("damaged.ismv");
    let check = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        let done = smoothcore(&["index", "-o", &output(&dir)], std::slice::from_ref(&path));
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(matches!(done.status.code(), Some(0 | 1)), "{what}: {:?} {said}", done.status);
        assert!(!said.contains("panicked"), "{what}: {said}");
        assert_eq!(said.is_empty(), done.status.success() && !said.contains("warning"), "{what}: silence");
        done.status.success()
    };
    assert!(check(&whole, "the whole file"));
    for len in (0..1600).step_by(37) {
        let usable = check(&whole[..len], &format!("cut to {len} bytes"));
        assert!(!usable, "cut to {len} bytes, no fragment is whole");
    }
    // Every byte of the moov, and of the index, set to its opposite.
    let moov = boxes(&whole)[1].1.clone();
    let mfra = boxes(&whole).pop().unwrap().1;
    for at in moov.step_by(3).chain(mfra.step_by(5)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        check(&bytes, &format!("byte {at} changed"));
    }
}
