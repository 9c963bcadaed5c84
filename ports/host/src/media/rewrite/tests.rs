use std::fs;
use std::path::Path;

use smoothcore::mp4::uuid as ids;

use super::*;

fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32 + 8).to_be_bytes()[..], kind, payload].concat()
}

fn full(kind: &[u8; 4], version: u8, flags: u32, fields: &[u8]) -> Vec<u8> {
    boxed(kind, &[&(u32::from(version) << 24 | flags).to_be_bytes()[..], fields].concat())
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

fn pair(traf: &[Vec<u8>], beside: &[u8], payload: &[u8]) -> Vec<u8> {
    let tfhd = full(b"tfhd", 0, 0x28, &words(&[77, 20, 0x0101_0000]));
    let traf = boxed(b"traf", &[tfhd, traf.concat()].concat());
    let moof = boxed(b"moof", &[full(b"mfhd", 0, 0, &words(&[900])), traf, beside.to_vec()].concat());
    [moof, boxed(b"mdat", payload)].concat()
}

fn place() -> Place {
    Place { start: 5_000_000_000, duration: 60, track_id: 3, protection: Protection::None, sequence: 7 }
}

/// What the core reads of a fragment.
struct Again {
    infos: Vec<MoofInfo>,
    samples: Vec<(u32, i32, u32, Vec<u8>)>,
    table: EncryptionTable,
}

fn again(body: &[u8]) -> Again {
    let limits = Limits::default();
    let mut account = Account::new(ROOM);
    let (mut samples, mut table) = (SampleTable::new(), EncryptionTable::new());
    let pairs = read(body, &limits, &mut account, &mut samples, &mut table).unwrap();
    let bytes = |s: &SampleEntry| body[s.offset as usize..(s.offset + s.size) as usize].to_vec();
    Again {
        infos: pairs.into_iter().map(|p| p.info).collect(),
        samples: samples.samples().iter().map(|s| (s.duration, s.composition, s.flags, bytes(s))).collect(),
        table,
    }
}

#[test]
fn times_tracks_and_numbers_become_explicit() {
    let trun = full(b"trun", 0, 0xA01, &words(&[2, (-9i32) as u32, 2, 5, 3, (-5i32) as u32]));
    let tfxd = boxed(b"uuid", &[&ids::TFXD[..], &[1, 0, 0, 0], &[9; 16]].concat());
    let sdtp = full(b"sdtp", 0, 0, &[0x20, 0x10]);
    let pssh = full(b"pssh", 0, 0, &[&[4; 16][..], &words(&[0])].concat());
    let one = pair(&[tfxd, trun, sdtp.clone()], &pssh, b"aabbb");
    let body = [boxed(b"styp", b"msdh"), one.clone(), boxed(b"free", b""), one].concat();
    let mut p = place();
    let out = fragment(&body, &mut p).unwrap();
    assert_eq!(p.sequence, 9);
    let read = again(&out);
    let times: Vec<_> = read.infos.iter().map(|i| (i.track_id, i.sequence, i.tfdt, i.tfxd)).collect();
    assert_eq!(times, [(3, 7, Some(5_000_000_000), None), (3, 8, Some(5_000_000_040), None)]);
    let expected = [(20, 5, 0x0101_0000, b"aa".to_vec()), (20, -5, 0x0101_0000, b"bbb".to_vec())];
    assert_eq!(read.samples, [expected.clone(), expected].concat());
    let holds = |bytes: &[u8]| out.windows(bytes.len()).any(|w| w == bytes);
    assert!(holds(&sdtp) && holds(&pssh), "what speaks of the samples stays");
    assert!(!holds(b"uuid") && !holds(b"styp"));
    // A second time, nothing changes.
    assert_eq!(fragment(&out, &mut place()).unwrap(), out);
}

#[test]
fn runs_are_put_in_one_piece() {
    let first = full(b"trun", 0, 0x201, &words(&[1, 0, 2]));
    let size = pair(&[first.clone(), first.clone()], &[], b"").len() as u32 - 8;
    let runs = [size + 8 + 3, size + 8].map(|at| full(b"trun", 0, 0x201, &words(&[1, at, 2])));
    let out = fragment(&pair(&runs, &[], b"bbxaa"), &mut place()).unwrap();
    assert!(out.ends_with(b"\0\0\0\x0Cmdataabb"));
    // Without durations, that of the manifest is shared out.
    let tfhd_without = [boxed(b"free", b"")];
    assert!(fragment(&pair(&tfhd_without, &[], b""), &mut place()).is_ok());
}

#[test]
fn the_box_of_piff_becomes_senc_and_is_found() {
    let entry = |iv: u8, parts: &[u8]| [&[iv; 8][..], parts].concat();
    let plain = [entry(1, &[]), entry(2, &[])].concat();
    let parts =
        [entry(1, &[0, 1, 0, 1, 0, 0, 0, 1]), entry(2, &[0, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1])].concat();
    for (flags, entries, lens) in [(0, &plain, [0, 0]), (2, &parts, [1, 2])] {
        for named in [false, true] {
            let over = if named { [&[0, 0, 1, 8][..], &[0xAB; 16]].concat() } else { Vec::new() };
            let fields =
                [&(flags | u32::from(named)).to_be_bytes()[..], &over, &words(&[2]), entries].concat();
            let piff = boxed(b"uuid", &[&ids::SAMPLE_ENCRYPTION[..], &fields].concat());
            let trun = full(b"trun", 0, 0x200, &words(&[2, 2, 3]));
            let out = fragment(&pair(&[piff, trun], &[], b"aabbb"), &mut place()).unwrap();
            let read = again(&out);
            assert!(matches!(read.infos[0].encryption, smoothcore::mp4::Encryption::Senc { .. }));
            for (i, len) in lens.into_iter().enumerate() {
                let s = read.table.sample(i).unwrap();
                assert_eq!((s.iv, s.subsamples.len()), (&[i as u8 + 1; 8][..], len));
            }
            // saio points at the first vector, counted from the moof.
            let saio = out.windows(4).position(|w| w == b"saio").unwrap();
            let at = u32::from_be_bytes(out[saio + 12..saio + 16].try_into().unwrap()) as usize;
            assert_eq!(out[at..at + 8], [1; 8]);
            assert_eq!(&out[at - 12..at - 8], b"senc");
            let saiz = out.windows(4).position(|w| w == b"saiz").unwrap();
            let default = out[saiz + 8];
            assert_eq!(default, if flags == 0 { 8 } else { 0 });
            if flags == 2 {
                assert_eq!(out[saiz + 13..saiz + 15], [16, 22]);
            }
            assert_eq!(fragment(&out, &mut place()).unwrap(), out);
        }
    }
}

#[test]
fn a_table_among_the_media_data_becomes_senc() {
    let make = |at: u32| {
        let saiz = full(b"saiz", 0, 0, &[&[8][..], &words(&[2])].concat());
        let saio = full(b"saio", 0, 0, &words(&[1, at]));
        let trun = full(b"trun", 0, 0x201, &words(&[2, at + 16, 2, 3]));
        pair(&[saiz, saio, trun], &[], &[&[1; 8][..], &[2; 8], b"aabbb"].concat())
    };
    let at = make(0).len() as u32 - 21;
    let out = fragment(&make(at), &mut place()).unwrap();
    assert!(out.ends_with(b"\0\0\0\x0Dmdataabbb"), "the table is no media any more");
    let read = again(&out);
    assert!(matches!(read.infos[0].encryption, smoothcore::mp4::Encryption::Senc { .. }));
    assert_eq!([0, 1].map(|n| read.table.sample(n).unwrap().iv[0]), [1, 2]);
}

#[test]
fn every_fragment_of_the_test_card_keeps_its_samples() {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/media/testcard");
    let mut seen = 0;
    for file in fs::read_dir(media).unwrap() {
        let path = file.unwrap().path();
        if !path.extension().is_some_and(|e| e == "ismv" || e == "isma") {
            continue;
        }
        let bytes = fs::read(path).unwrap();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let size = |at: &[u8]| u32::from_be_bytes(at[..4].try_into().unwrap()) as usize;
            let mut len = size(rest);
            if &rest[4..8] == b"moof" {
                len += size(&rest[len..]);
                let out = fragment(&rest[..len], &mut place()).unwrap();
                let (before, after) = (again(&rest[..len]), again(&out));
                assert_eq!(after.samples, before.samples);
                assert_eq!((after.infos[0].track_id, after.infos[0].tfdt), (3, Some(5_000_000_000)));
                seen += 1;
            }
            rest = &rest[len..];
        }
    }
    assert!(seen >= 140, "{seen} fragments");
}

#[test]
fn what_is_no_fragment_is_refused() {
    let trun = full(b"trun", 0, 0x200, &words(&[1, 5]));
    let whole = pair(&[trun], &[], b"aaaaa");
    assert!(fragment(&whole, &mut place()).is_ok());
    for cut in 0..whole.len() {
        assert!(fragment(&whole[..cut], &mut place()).is_err(), "cut at {cut}");
    }
    assert!(fragment(b"<html>please log in</html>", &mut place()).is_err());
}
