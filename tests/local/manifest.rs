//! Client manifests made of what the files say.

use smoothcore::limits::Limits;
use smoothcore::local::URL;
use smoothcore::manifest::{Manifest, ManifestParser};
use smoothcore::mem::Account;

use super::media::{boxed, edited, testcard_muxed, without_index};
use super::source::{Memory, get, local};

fn parse(bytes: &[u8]) -> Manifest {
    let mut account = Account::new(1 << 20);
    let mut parser = ManifestParser::new(&Limits::default());
    parser.feed(&mut account, bytes).unwrap();
    parser.finish().unwrap()
}

fn made(memory: Memory, name: &str) -> Manifest {
    let mut local = local(memory);
    local.open(name).unwrap();
    let (status, body) = get(&mut local, URL).unwrap();
    assert_eq!(status, 200);
    parse(&body)
}

#[test]
fn what_the_files_say_is_what_the_client_manifest_says() {
    let written = parse(&Memory::testcard().get("testcard.ismc"));
    let made = made(Memory::testcard().without("testcard.ismc"), "testcard.ism");
    assert_eq!(made.length(), written.length());
    assert_eq!((made.streams.len(), written.streams.len()), (3, 3));
    for (a, b) in made.streams.iter().zip(written.streams.iter()) {
        assert_eq!(
            (a.kind, &*a.name, &*a.language, a.timescale),
            (b.kind, &*b.name, &*b.language, b.timescale)
        );
        assert!(a.unusable.is_none());
        let fragments = |s: &smoothcore::manifest::Stream| {
            (0..s.timeline.len())
                .map(|n| s.timeline.get(n).unwrap())
                .map(|f| (f.start, f.duration))
                .collect::<Vec<_>>()
        };
        assert_eq!(fragments(a), fragments(b));
        assert!(a.levels.len() == b.levels.len() && !a.levels.is_empty());
        for (a, b) in a.levels.iter().zip(b.levels.iter()) {
            assert!(a.unusable.is_none());
            assert_eq!((a.index, a.bitrate), (b.index, b.bitrate));
            let (a, b) = (&a.config, &b.config);
            assert!(!a.private.is_empty());
            assert_eq!(a.private.as_slice(), b.private.as_slice(), "CodecPrivateData");
            assert!(a.same_set_up(b), "{a:?} {b:?}");
        }
    }
}

#[test]
fn one_file_becomes_streams_of_its_tracks() {
    let made = made(Memory { piece: 999, ..Memory::default() }.with("m.ismv", testcard_muxed(1)), "m.ismv");
    let names: Vec<_> = made.streams.iter().map(|s| (&*s.name, &*s.language, s.levels.len())).collect();
    assert_eq!(names, [("video", "und", 1), ("audio", "eng", 1), ("audio_2", "fra", 1)]);
    assert_eq!(made.streams[0].levels[0].config.width, 640);
    // From the first fragment, which is as good a guess as any.
    assert!((200_000..400_000).contains(&made.streams[0].levels[0].bitrate));
    assert!((20_000..40_000).contains(&made.streams[1].levels[0].bitrate));
}

#[test]
fn pictures_of_several_sizes_in_one_file_are_levels_of_their_own_bitrates() {
    let memory = Memory::testcard();
    let [small, large] = ["testcard_64.ismv", "testcard_256.ismv"].map(|name| memory.get(name));
    let muxed = super::media::muxed(&[(1, &small), (2, &large), (3, &small)], 0);
    let made = made(Memory { piece: 999, ..Memory::default() }.with("m.ismv", muxed), "m.ismv");
    assert_eq!(made.streams.len(), 1);
    let levels = &made.streams[0].levels;
    assert_eq!(levels.iter().map(|l| l.config.width).collect::<Vec<_>>(), [256, 640, 256]);
    assert_eq!(levels[2].bitrate, levels[0].bitrate + 1);
    assert!(levels[1].bitrate > 3 * levels[0].bitrate);
}

#[test]
fn odd_names_and_attributes_survive_the_way_through_xml_and_urls() {
    let name = "Gro\u{df} & \"klein\" <50%> {start time}/x)";
    let escaped = name.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let track = |bitrate: u32, file: &str, profile: &str| {
        format!(
            r#"<video src="{file}" systemBitrate="{bitrate}"><param name="trackName" value="{escaped}"/>
            <param name="profile" value="{profile}"/><param name="MaxWidth" value="9"/></video>"#
        )
    };
    let (low, high) = (track(7, "testcard_64.ismv", "low"), track(7, "testcard_256.ismv", "high"));
    let memory = Memory::testcard().with("a.ism", format!("<smil><body>{low}{high}</body></smil>"));
    let manifest = made(memory.clone(), "a.ism");
    let stream = &manifest.streams[0];
    assert_eq!(&*stream.name, name);
    assert_eq!(stream.levels[1].config.width, 640, "the file knows better");
    let custom: Vec<_> = stream.levels[1].custom.iter().map(|(n, v)| (&**n, &**v)).collect();
    assert_eq!(custom, [("profile", "high")]);
    let played = super::source::play(memory, "a.ism", super::source::config()).unwrap();
    assert_eq!(played.state, smoothcore::session::State::Ended);
    assert_eq!(played.decoder.samples.len(), 1200);
}

#[test]
fn what_an_encrypted_file_says_to_protection_systems_becomes_a_header() {
    let (playready, other) = (*b"\x9A\x04\xF0\x79\x98\x40\x42\x86\xAB\x92\xE6\x5B\xE0\x88\x5F\x95", [7; 16]);
    let full = |fields: &[&[u8]]| [&[0u8; 4][..], &fields.concat()].concat();
    let pssh =
        |id: &[u8; 16], data: &[u8]| boxed(b"pssh", &full(&[id, &(data.len() as u32).to_be_bytes(), data]));
    let tenc = boxed(b"tenc", &full(&[&[0, 0, 1, 8], &[9; 16]]));
    let schm = boxed(b"schm", &full(&[b"cenc", &[0, 1, 0, 0]]));
    let sinf = boxed(b"sinf", &[boxed(b"frma", b"avc1"), schm, boxed(b"schi", &tenc)].concat());
    let clear = Memory::testcard().get("testcard_64.ismv");
    let stsd = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"];
    let encrypted = edited(&clear, &stsd, &|entries| {
        [&entries[..8], &boxed(b"encv", &[&entries[16..], &sinf[..]].concat())].concat()
    });
    for length in 0..5 {
        let data = &b"\x00\xFFob"[..length];
        let file = edited(&encrypted, &[b"moov"], &|moov| {
            [moov, &pssh(&playready, data), &pssh(&playready, b"again"), &pssh(&other, b"")].concat()
        });
        // Places have changed, so the index has gone.
        let memory = Memory { piece: 999, ..Memory::default() }.with("m.ismv", without_index(&file));
        let made = made(memory, "m.ismv");
        let headers: Vec<_> = made.protection.iter().map(|h| (h.system_id, h.data.to_vec())).collect();
        assert_eq!(headers[0], (playready, data.to_vec()));
        let config = &made.streams[0].levels[0].config;
        assert_eq!((config.codec, config.width), (smoothcore::codec::Codec::H264, 256));
    }
}

#[test]
fn text_in_a_file_is_a_stream_of_its_own() {
    let clear = Memory::testcard().get("testcard_eng.isma");
    let mdia: [&[u8; 4]; 3] = [b"moov", b"trak", b"mdia"];
    let text = edited(&clear, &mdia, &|mdia| {
        let named = edited(mdia, &[b"hdlr"], &|hdlr| [&hdlr[..8], b"subt", &hdlr[12..]].concat());
        edited(&named, &[b"minf", b"stbl", b"stsd"], &|entries| {
            let entry = [&[0, 0, 0, 0, 0, 0, 0, 1], &b"http://www.w3.org/ns/ttml\0\0\0"[..]].concat();
            [&entries[..8], &boxed(b"stpp", &entry)].concat()
        })
    });
    let text = without_index(&text);
    let smil = r#"<smil><body><switch><video src="testcard_64.ismv" systemBitrate="64852"/>
        <textstream src="text.ismt" systemBitrate="1000" systemLanguage="eng"><param name="trackName" value="subs"/>
        </textstream></switch></body></smil>"#;
    let memory = Memory::testcard().with("a.ism", smil).with("text.ismt", text);
    let made = made(memory, "a.ism");
    let stream = &made.streams[1];
    assert_eq!(
        (stream.kind, &*stream.name, &*stream.language),
        (smoothcore::codec::Kind::Text, "subs", "eng")
    );
    assert_eq!(stream.timeline.len(), 24);
    assert_eq!(stream.levels[0].config.codec, smoothcore::codec::Codec::Ttml);
}
