//! The index at the end of a file leads to its fragments.

use crate::mp4_build::*;
use smoothcore::error::Code;
use smoothcore::limits::Limits;
use smoothcore::mp4::index::{Index, IndexEntry, index_size};

fn tfra(version: u8, track: u32, lengths: u32, count: u32, entries: &[u8]) -> Vec<u8> {
    full(b"tfra", version, 0, &[words(&[track, lengths, count]), entries.to_vec()].concat())
}

fn mfra(children: &[Vec<u8>]) -> Vec<u8> {
    let mut payload = children.concat();
    let size = payload.len() as u32 + 8 + 16;
    payload.extend_from_slice(&full(b"mfro", 0, 0, &words(&[size])));
    boxed(b"mfra", &payload)
}

type Tracks = Vec<(u32, Vec<(u64, u64)>)>;

fn all(mfra: &[u8], limits: &Limits) -> Result<Tracks, Code> {
    let mut index = Index::new(mfra, limits).map_err(|e| e.code)?;
    let mut tracks = Vec::new();
    while let Some(track) = index.next_track().map_err(|e| e.code)? {
        tracks.push((track.track_id, track.iter().map(|e| (e.time, e.moof_offset)).collect()));
    }
    Ok(tracks)
}

#[test]
fn both_versions_and_every_length() {
    let v0 = [words(&[5, 100]), vec![1, 1, 1], words(&[7, 300]), vec![1, 1, 1]].concat();
    let v1 = [longs(&[1 << 40, 1 << 33]), vec![0, 1, 0, 0, 1, 0, 0, 0, 1]].concat();
    let free = boxed(b"free", b"");
    let file = mfra(&[tfra(0, 1, 0, 2, &v0), free, tfra(1, 9, 0b01_10_11, 1, &v1), tfra(1, 3, 0, 0, &[])]);
    let expected = vec![(1, vec![(5, 100), (7, 300)]), (9, vec![(1 << 40, 1 << 33)]), (3, vec![])];
    assert_eq!(all(&file, &Limits::default()), Ok(expected));
    let tail: &[u8; 16] = file.last_chunk().unwrap();
    assert_eq!(index_size(tail), Some(file.len() as u32));
}

#[test]
fn entries_by_number() {
    let v0 = [words(&[5, 100]), vec![1, 1, 1], words(&[7, 300]), vec![1, 1, 1]].concat();
    let file = mfra(&[tfra(0, 1, 0, 2, &v0)]);
    let limits = Limits::default();
    let track = Index::new(&file, &limits).unwrap().next_track().unwrap().unwrap();
    assert_eq!((track.len(), track.is_empty()), (2, false));
    assert_eq!(track.get(1), Some(IndexEntry { time: 7, moof_offset: 300 }));
    assert_eq!(track.get(2), None);
    assert_eq!(track.get(usize::MAX), None);
}

#[test]
fn counts_are_checked() {
    let limits = Limits { fragments: 2, ..Limits::default() };
    for count in [1, 3, u32::MAX] {
        let lie = mfra(&[tfra(0, 1, 0x3F, count, &[0; 19])]);
        assert_eq!(all(&lie, &limits), Err(Code::BoxInvalid));
    }
    assert_eq!(all(&mfra(&[tfra(0, 1, 0, 3, &[0; 33])]), &limits), Err(Code::LimitFragments));
    let many = mfra(&vec![tfra(0, 1, 0, 0, &[]); 1024]);
    assert_eq!(all(&many, &Limits::default()), Err(Code::LimitBoxes));
    assert_eq!(all(&mfra(&[boxed(b"tfra", b"short")]), &limits), Err(Code::BoxInvalid));
}

#[test]
fn no_index_is_not_an_index() {
    assert_eq!(index_size(b"0123456789abcdef"), None);
    let mut tail = *full(b"mfro", 0, 0, &words(&[23])).first_chunk::<16>().unwrap();
    assert_eq!(index_size(&tail), None);
    tail[15] = 24;
    assert_eq!(index_size(&tail), Some(24));
    let limits = Limits::default();
    assert_eq!(all(&mdat(b""), &limits), Err(Code::BoxInvalid));
    let file = mfra(&[tfra(0, 1, 0, 2, &[0; 22])]);
    for cut in 0..file.len() {
        assert_eq!(all(&file[..cut], &limits), Err(Code::BoxInvalid), "{cut}");
    }
}
