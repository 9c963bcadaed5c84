//! An origin in memory over real files, exact in times as IIS was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use smoothcore::limits::Limits;
use smoothcore::mp4::index::{Index, MFRO_BYTES, index_size};

/// Responses by path, without the leading slash and presentation name.
#[derive(Clone, Default)]
pub struct Origin {
    pub responses: BTreeMap<String, Vec<u8>>,
}

/// One level of the test card: bitrate, stream name, file.
pub const TESTCARD: [(u32, &str, &str); 6] = [
    (64_852, "video", "testcard_64.ismv"),
    (101_261, "video", "testcard_100.ismv"),
    (151_877, "video", "testcard_150.ismv"),
    (258_995, "video", "testcard_256.ismv"),
    (22_924, "audio_eng", "testcard_eng.isma"),
    (26030, "audio_fra", "testcard_fra.isma"),
];

/// Where the test card lies.
pub fn media() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/testcard")
}

impl Origin {
    /// The test card: manifest and every fragment of every level.
    pub fn testcard() -> Origin {
        let mut origin = Origin::default();
        let manifest = fs::read(media().join("testcard.ismc")).unwrap();
        let text = String::from_utf8(manifest.clone()).unwrap();
        origin.responses.insert("Manifest".into(), manifest);
        for (bitrate, name, file) in TESTCARD {
            assert!(text.contains(&format!("Bitrate=\"{bitrate}\"")), "{bitrate} is in the manifest");
            for (time, bytes) in fragments(&fs::read(media().join(file)).unwrap()) {
                origin.responses.insert(format!("QualityLevels({bitrate})/Fragments({name}={time})"), bytes);
            }
        }
        origin
    }

    /// The bytes at `url`, by what follows the presentation's directory.
    pub fn get(&self, url: &str) -> Option<&[u8]> {
        let path = url.split_once(".ism/").map_or(url, |(_, path)| path);
        self.responses.get(path).map(Vec::as_slice)
    }
}

/// Times and bytes of a file's fragments, by its index.
pub fn fragments(file: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let tail: &[u8; MFRO_BYTES] = file.last_chunk().unwrap();
    let size = index_size(tail).expect("the file ends in mfro") as usize;
    let limits = Limits::default();
    let mut index = Index::new(&file[file.len() - size..], &limits).unwrap();
    let track = index.next_track().unwrap().expect("one track");
    track
        .iter()
        .map(|entry| {
            let at = entry.moof_offset as usize;
            let moof = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
            let mdat = u32::from_be_bytes(file[at + moof..at + moof + 4].try_into().unwrap()) as usize;
            (entry.time, file[at..at + moof + mdat].to_vec())
        })
        .collect()
}
