//! Makes other files of the test card's: muxed, with an index of another version, without one.

use super::source::Memory;

pub fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Kind and range of each box in `bytes`.
pub fn boxes(bytes: &[u8]) -> Vec<([u8; 4], std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + 8 <= bytes.len() {
        let size = u32_at(bytes, at);
        found.push((bytes[at + 4..at + 8].try_into().unwrap(), at..at + size));
        at += size;
    }
    found
}

/// The content of the first box of that path.
pub fn child<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> &'a [u8] {
    path.iter().fold(bytes, |inside, kind| {
        let (_, range) = boxes(inside).into_iter().find(|(k, _)| k == *kind).expect("a box");
        &inside[range.start + 8..range.end]
    })
}

pub fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut out = (content.len() as u32 + 8).to_be_bytes().to_vec();
    out.extend_from_slice(kind);
    out.extend_from_slice(content);
    out
}

/// `bytes` with the content of the first box of that path changed.
pub fn edited(bytes: &[u8], path: &[&[u8; 4]], change: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let Some((first, rest)) = path.split_first() else { return change(bytes) };
    let mut out = Vec::new();
    let mut done = false;
    for (kind, range) in boxes(bytes) {
        if kind == **first && !done {
            done = true;
            out.extend(boxed(&kind, &edited(&bytes[range.start + 8..range.end], rest, change)));
        } else {
            out.extend_from_slice(&bytes[range]);
        }
    }
    assert!(done, "{path:?}");
    out
}

/// Puts `id` behind the first `kind` in `bytes`, at `offset` from the box's start.
fn renumber(bytes: &mut [u8], kind: &[u8; 4], offset: usize, id: u32) {
    let at = bytes.windows(4).position(|w| w == kind).unwrap() - 4;
    bytes[at + offset..at + offset + 4].copy_from_slice(&id.to_be_bytes());
}

/// Without what follows the last fragment.
pub fn without_index(file: &[u8]) -> Vec<u8> {
    let (kind, last) = boxes(file).pop().unwrap();
    assert_eq!(&kind, b"mfra");
    file[..last.start].to_vec()
}

/// Times and bytes of the fragments.
pub fn fragments(file: &[u8]) -> Vec<(u64, Vec<u8>)> {
    crate::common::origin::fragments(file)
}

/// An index over (track, entries of time and place).
pub fn mfra(version: u8, tracks: &[(u32, Vec<(u64, u64)>)]) -> Vec<u8> {
    let mut content = Vec::new();
    for (track, entries) in tracks {
        let mut tfra = vec![version, 0, 0, 0];
        tfra.extend(track.to_be_bytes());
        // Numbers of 1, 2 and 3 bytes.
        tfra.extend(0b00_01_10u32.to_be_bytes());
        tfra.extend((entries.len() as u32).to_be_bytes());
        for (time, place) in entries {
            for number in [time, place] {
                match version {
                    0 => tfra.extend((*number as u32).to_be_bytes()),
                    _ => tfra.extend(number.to_be_bytes()),
                }
            }
            tfra.extend([1, 0, 1, 0, 0, 1]);
        }
        content.extend(boxed(b"tfra", &tfra));
    }
    let size = content.len() as u32 + 24;
    content.extend(boxed(
        b"mfro",
        &[0, 0, 0, 0, (size >> 24) as u8, (size >> 16) as u8, (size >> 8) as u8, size as u8],
    ));
    boxed(b"mfra", &content)
}

/// `file` with an index of that version and those entries kept.
pub fn reindexed(file: &[u8], version: u8, keep: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut out = without_index(file);
    let places =
        boxes(&out).into_iter().filter(|(kind, _)| kind == b"moof").map(|(_, range)| range.start as u64);
    let entries = fragments(file).into_iter().zip(places).map(|((time, _), place)| (time, place));
    let entries = entries.enumerate().filter(|(n, _)| keep(*n)).map(|(_, entry)| entry).collect();
    out.extend(mfra(version, &[(1, entries)]));
    out
}

/// One file of several, tracks numbered as given, fragments in turns.
pub fn muxed(files: &[(u32, &[u8])], version: u8) -> Vec<u8> {
    let (mut traks, mut trexes) = (Vec::new(), Vec::new());
    for (id, file) in files {
        let moov = child(file, &[b"moov"]);
        let mut trak = boxed(b"trak", child(moov, &[b"trak"]));
        renumber(&mut trak, b"tkhd", 28, *id);
        traks.extend(trak);
        let mut trex = boxed(b"trex", child(moov, &[b"mvex", b"trex"]));
        renumber(&mut trex, b"trex", 12, *id);
        trexes.extend(trex);
    }
    let first = child(files[0].1, &[b"moov"]);
    let mvhd = boxed(b"mvhd", child(first, &[b"mvhd"]));
    let moov = boxed(b"moov", &[mvhd, traks, boxed(b"mvex", &trexes)].concat());
    let mut out = [boxed(b"ftyp", b"piff\0\0\0\x01iso2piff"), moov].concat();
    let all: Vec<_> = files.iter().map(|(id, file)| (*id, fragments(file))).collect();
    let mut index: Vec<(u32, Vec<(u64, u64)>)> = all.iter().map(|(id, _)| (*id, Vec::new())).collect();
    for n in 0..all.iter().map(|(_, list)| list.len()).max().unwrap() {
        for ((id, list), (_, entries)) in all.iter().zip(&mut index) {
            let Some((time, bytes)) = list.get(n) else { continue };
            let mut bytes = bytes.clone();
            renumber(&mut bytes, b"tfhd", 12, *id);
            entries.push((*time, out.len() as u64));
            out.extend(bytes);
        }
    }
    out.extend(mfra(version, &index));
    out
}

/// The test card's highest level and both languages in one file.
pub fn testcard_muxed(version: u8) -> Vec<u8> {
    let memory = Memory::testcard();
    let [video, english, french] =
        ["testcard_256.ismv", "testcard_eng.isma", "testcard_fra.isma"].map(|name| memory.get(name));
    muxed(&[(7, &video), (300, &english), (2, &french)], version)
}
