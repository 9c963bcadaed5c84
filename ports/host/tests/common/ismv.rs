//! A reader of ISMV files for tests, written apart from the players and servers under test.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use super::{boxes, fragments};

/// `tfxd`, the extension box with a fragment's absolute time.
const TFXD: [u8; 16] =
    [0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44, 0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2];

/// One access unit as it lies in the file.
#[derive(Debug, PartialEq)]
pub struct Unit {
    pub dts: i64,
    pub pts: i64,
    pub duration: i64,
    pub bytes: Vec<u8>,
}

/// The access units of every fragment of a file, by the fragment's start.
pub fn read(path: &Path) -> BTreeMap<u64, Vec<Unit>> {
    let file = fs::read(path).unwrap();
    fragments(&file).into_iter().map(|(moof, whole)| fragment(&file, &moof, &whole)).collect()
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// What is inside the first box of that type.
fn inside<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> &'a [u8] {
    let found = boxes(bytes).into_iter().find(|(k, _)| k == kind).expect("a box");
    &bytes[found.1.start + 8..found.1.end]
}

fn fragment(file: &[u8], moof: &Range<usize>, whole: &Range<usize>) -> (u64, Vec<Unit>) {
    let traf = inside(&file[moof.start + 8..moof.end], b"traf");
    let (mut start, mut default_duration, mut default_size) = (None, 0, 0);
    let (mut units, mut at) = (Vec::new(), 0);
    for (kind, place) in boxes(traf) {
        let body = &traf[place.start + 8..place.end];
        match &kind {
            b"tfhd" => {
                let flags = word(body, 0) & 0xff_ffff;
                let mut field = 8;
                for (flag, size) in [(1, 8), (2, 4)] {
                    assert!(flags & 1 == 0, "data is counted from the moof");
                    field += if flags & flag != 0 { size } else { 0 };
                }
                if flags & 8 != 0 {
                    default_duration = word(body, field);
                    field += 4;
                }
                if flags & 0x10 != 0 {
                    default_size = word(body, field);
                }
            }
            b"uuid" if body[..16] == TFXD => {
                assert_eq!(body[16], 1, "64-bit times");
                start = Some(u64::from_be_bytes(body[20..28].try_into().unwrap()));
            }
            b"trun" => {
                let flags = word(body, 0) & 0xff_ffff;
                let mut field = 8;
                if flags & 1 != 0 {
                    at = moof.start + word(body, field) as usize;
                    field += 4;
                }
                field += if flags & 4 != 0 { 4 } else { 0 };
                let mut next = |flag: u32, default: u32| {
                    if flags & flag == 0 {
                        return default;
                    }
                    field += 4;
                    word(body, field - 4)
                };
                for _ in 0..word(body, 4) {
                    let (duration, size) = (next(0x100, default_duration), next(0x200, default_size));
                    let (_, composition) = (next(0x400, 0), next(0x800, 0));
                    let end = at + size as usize;
                    assert!(end <= whole.end);
                    // Times are filled in below: the start may stand behind the samples.
                    let pts = i64::from(composition.cast_signed());
                    let bytes = file[at..end].to_vec();
                    units.push(Unit { dts: 0, pts, duration: i64::from(duration), bytes });
                    at = end;
                }
            }
            _ => {}
        }
    }
    let start = start.expect("a time");
    let mut dts = i64::try_from(start).unwrap();
    for unit in &mut units {
        unit.dts = dts;
        unit.pts += dts;
        dts += unit.duration;
    }
    (start, units)
}

/// The bytes of a video unit with start codes instead of four-byte lengths.
pub fn annex_b(unit: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < unit.len() {
        let length = word(unit, at) as usize;
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(&unit[at + 4..at + 4 + length]);
        at += 4 + length;
    }
    assert_eq!(at, unit.len());
    out
}
