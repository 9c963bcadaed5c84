//! Requests and answers, one by one.

use smoothcore::error::Code;
use smoothcore::limits::Limits;
use smoothcore::local::{Local, URL, is_local};

use super::media::{boxes, mfra, reindexed, testcard_muxed, without_index};
use super::source::{Memory, fragment, get, local};

const SMIL: &str = r#"<?xml version="1.0" encoding="utf-16"?>
<smil xmlns="http://www.w3.org/2001/SMIL20/Language">
 <head>
  <meta name="title" content="Ein Tag &amp; eine Nächte – 日"/>
  <meta name="description" content=""/>
  <meta name="clientManifestRelativePath" content="testcard.ismc"/>
  <meta content="nobody"/>
 </head>
 <body><switch>
  <video src="testcard_64.ismv" systemBitrate="64852"><param name="trackID" value="1" valuetype="data"/></video>
  <ref src="nothing"/>
  <audio src="testcard_eng.isma" systemBitrate="22924" systemLanguage="eng">
   <param name="trackName" value="audio_eng" valuetype="data"/><param name="trackID" value="1"/>
   <param name="hardware_profile" value="10000"/>
  </audio>
 </switch></body></smil>"#;

fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn server_manifests_come_in_any_encoding_and_say_what_they_know() {
    let plain = SMIL.as_bytes().to_vec();
    let marked = [b"\xEF\xBB\xBF".to_vec(), plain.clone()].concat();
    for smil in [
        plain,
        marked,
        utf16(SMIL, false, true),
        utf16(SMIL, true, true),
        utf16(SMIL, false, false),
        utf16(SMIL, true, false),
    ] {
        let mut local = local(Memory::testcard().with("testcard.ism", smil));
        local.open("testcard.ism").unwrap();
        assert!(local.is_ready());
        let metadata: Vec<_> = local.metadata().iter().map(|(name, value)| (&**name, &**value)).collect();
        let expected = [
            ("title", "Ein Tag & eine Nächte – 日"),
            ("description", ""),
            ("clientManifestRelativePath", "testcard.ismc"),
        ];
        assert_eq!(metadata, expected);
        let (status, manifest) = get(&mut local, URL).unwrap();
        assert_eq!((status, manifest), (200, Memory::testcard().get("testcard.ismc")));
        let first = super::media::fragments(&Memory::testcard().get("testcard_64.ismv")).remove(3);
        assert_eq!(get(&mut local, &fragment(64_852, "video", first.0)).unwrap(), (200, first.1));
        // The attribute is there to tell tracks apart; nobody need name it.
        for bitrate in ["22924", "22924,hardware_profile=10000"] {
            let url = format!("http://local/x.ism/QualityLevels({bitrate})/Fragments(audio_eng=20053333)");
            assert_eq!(get(&mut local, &url).unwrap().0, 200, "{bitrate}");
        }
    }
}

#[test]
fn every_fragment_is_served_to_the_byte() {
    for version in [0, 1] {
        let memory = Memory::testcard();
        for (bitrate, name, file) in super::common::origin::TESTCARD {
            let file_bytes = memory.get(file);
            let indexed = reindexed(&file_bytes, version, |_| true);
            let memory = memory.clone().with(file, indexed);
            let mut local = local(memory.clone());
            local.open("testcard.ism").unwrap();
            let fragments = super::media::fragments(&file_bytes);
            assert_eq!(fragments.len(), 24);
            for (time, bytes) in fragments {
                let answer = get(&mut local, &fragment(bitrate, name, time)).unwrap();
                assert!(answer == (200, bytes), "{name} {time}");
                assert_eq!(get(&mut local, &fragment(bitrate, name, time + 1)).unwrap(), (404, vec![]));
            }
            // The index is searched where it lies: opening, its tail, and some steps for each fragment.
            assert!(local.held() < 6 << 10, "{} bytes", local.held());
        }
    }
}

#[test]
fn what_is_not_there_is_a_404() {
    let mut local = local(Memory::testcard());
    local.open("testcard.ism").unwrap();
    for url in [
        fragment(64_852, "video", 1),
        fragment(64_852, "video", u64::MAX),
        fragment(64_852, "audio_eng", 0),
        fragment(64_853, "video", 0),
        fragment(64_852, "video", 480_000_000),
        "http://local/presentation.ism/crossdomain.xml".to_owned(),
        "http://local/presentation.ism/QualityLevels(64852)/FragmentInfo(video=0)".to_owned(),
    ] {
        assert_eq!(get(&mut local, &url).unwrap(), (404, vec![]), "{url}");
    }
}

#[test]
fn a_fragment_ends_with_its_own_media_and_what_lies_between_belongs_to_it() {
    let file = Memory::testcard().get("testcard_eng.isma");
    let (mut out, mut places, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for (time, bytes) in super::media::fragments(&file) {
        let moof = boxes(&bytes)[0].1.end;
        let free = super::media::boxed(b"free", b"between");
        let with = [&bytes[..moof], &free, &bytes[moof..]].concat();
        places.push((time, out.len() as u64));
        out.extend_from_slice(&with);
        out.extend_from_slice(&free);
        expected.push((time, with));
    }
    out.extend(mfra(1, &[(9, vec![(0, 1)]), (1, places)]));
    let mut local = local(Memory::testcard().with("testcard_eng.isma", out));
    local.open("testcard.ism").unwrap();
    for (time, bytes) in expected {
        assert!(get(&mut local, &fragment(22_924, "audio_eng", time)).unwrap() == (200, bytes), "{time}");
    }
}

#[test]
fn an_index_that_lacks_a_track_or_everything_is_made_up_for() {
    let muxed = testcard_muxed(1);
    let at = boxes(&muxed).pop().unwrap().1.start;
    let english = super::media::fragments(&Memory::testcard().get("testcard_eng.isma"));
    let smil = r#"<smil><body><audio src="movie.ismv" systemBitrate="1">
        <param name="trackID" value="300"/></audio></body></smil>"#;
    for index in
        [mfra(1, &[]), mfra(1, &[(7, vec![(0, 1)])]), mfra(0, &[(300, vec![])]), vec![], vec![1, 2, 3]]
    {
        let file = [&muxed[..at], &index].concat();
        let memory = Memory { piece: usize::MAX, ..Memory::default() };
        let mut local = local(memory.with("a.ism", smil).with("movie.ismv", file));
        local.open("a.ism").unwrap();
        for (time, bytes) in &english {
            let (status, got) = get(&mut local, &fragment(1, "audio", *time)).unwrap();
            assert_eq!((status, got.len()), (200, bytes.len()), "{time}");
        }
        assert_eq!(get(&mut local, &fragment(1, "audio", 1)).unwrap().0, 404);
    }
}

#[test]
fn a_crashed_file_has_all_but_its_last_fragment() {
    let file = without_index(&Memory::testcard().get("testcard_64.ismv"));
    let last = boxes(&file).into_iter().rfind(|(kind, _)| kind == b"moof").unwrap().1;
    for len in [file.len() - 1, last.end + 8, last.end, last.end - 1, last.start + 7, last.start] {
        let mut local = local(Memory::testcard().with("testcard_64.ismv", &file[..len]));
        local.open("testcard.ism").unwrap();
        for (n, status) in [(21, 200), (22, 200), (23, 404)] {
            let url = fragment(64_852, "video", n * 20_000_000);
            assert_eq!(get(&mut local, &url).unwrap().0, status, "fragment {n} of {len} bytes");
        }
    }
}

#[test]
fn opening_happens_once_and_says_what_is_wrong() {
    let fails = |memory: Memory, name: &str| {
        let mut local = local(memory);
        local.open(name).unwrap_err()
    };
    assert_eq!(fails(Memory::testcard(), "nothing.ism").code, Code::NoFile);
    assert_eq!(fails(Memory::testcard(), "nothing.ismv").code, Code::NoFile);
    assert_eq!(fails(Memory::testcard(), "nothing.ismc").code, Code::NoFile);
    assert_eq!(fails(Memory::testcard(), "file://server/testcard.ism").code, Code::UrlRefused);
    assert_eq!(fails(Memory::testcard(), "file:%FF").code, Code::UrlInvalid);
    assert_eq!(fails(Memory::testcard().with("a.ism", "<smil>"), "a.ism").code, Code::ManifestTruncated);
    let mut local = local(Memory::testcard());
    assert_eq!(get(&mut local, URL).unwrap_err(), Code::State);
    local.open("testcard.ism").unwrap();
    assert_eq!(local.open("testcard.ism").unwrap_err().code, Code::State);
}

#[test]
fn names_without_a_server_are_local() {
    for name in ["movie.ism", "/a/b.ismv", "C:\\films\\a.ism", "file:a.ism", "FILE:///a.ism", "a b/c.ismc"] {
        assert!(is_local(name), "{name}");
    }
    for name in ["http://a/b.ism/Manifest", "https://a/b", "ftp://x"] {
        assert!(!is_local(name), "{name}");
    }
}

#[test]
fn a_budget_is_kept() {
    let fits = |budget: usize| {
        let mut memory = Memory::testcard();
        for (name, bytes) in memory.files.clone() {
            if name.ends_with("v") || name.ends_with("a") {
                memory.put(&name, without_index(&bytes));
            }
        }
        let mut local = Local::new(memory, &Limits::default(), budget);
        let opened = local.open("testcard.ism");
        let served = opened.map_err(|e| e.code).and_then(|()| get(&mut local, &fragment(64_852, "video", 0)));
        assert!(local.peak() <= budget);
        served
    };
    assert_eq!(fits(32 << 10).unwrap().0, 200);
    let mut refused = 0;
    for budget in (0..12 << 10).step_by(256) {
        match fits(budget) {
            Ok((200, _)) => {}
            Err(Code::Budget) => refused += 1,
            other => panic!("{:?} with {budget}", other.map(|(status, _)| status)),
        }
    }
    assert!(refused > 10, "{refused}");
}
