//! Input made to hurt gives an error with its number, and never more memory than the input can justify.

use crate::mp4_build::*;
use smoothcore::error::Code;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::{SampleTable, parse_moof};

/// What a moof is refused with; nothing may be held then.
fn refused(moof: &[u8]) -> (Code, &'static str) {
    let mut account = Account::new(1 << 20);
    let mut table = SampleTable::new();
    let e = parse_moof(moof, 40, &mut account, &Limits::default(), &mut table).unwrap_err();
    table.free(&mut account);
    assert_eq!(account.held(), 0);
    (e.code, e.place.at)
}

fn allocated(moof: &[u8]) -> usize {
    let mut account = Account::new(1 << 20);
    let _ = parse_moof(moof, 0, &mut account, &Limits::default(), &mut SampleTable::new());
    account.peak()
}

const TRUN: &str = "moof/traf/trun";

#[test]
fn a_count_without_fields_is_a_bomb() {
    for count in [65_537, 1 << 24, u32::MAX] {
        let bomb = moof(&[tfhd(0, &[]), trun(0, count, &[])]);
        assert_eq!(refused(&bomb), (Code::LimitSamples, TRUN));
        assert_eq!(allocated(&bomb), 0);
    }
}

#[test]
fn a_count_with_fields_needs_their_bytes() {
    let bomb = moof(&[tfhd(0, &[]), trun(0x300, u32::MAX, &[1, 2])]);
    assert_eq!(refused(&bomb), (Code::LimitSamples, TRUN));
    for flags in [0x100, 0x200, 0x400, 0x800, 0xF00] {
        let lie = moof(&[tfhd(0, &[]), trun(flags, 60_000, &[1, 2])]);
        assert_eq!(refused(&lie), (Code::BoxInvalid, TRUN));
        assert_eq!(allocated(&lie), 0);
    }
    let one_missing = moof(&[tfhd(0, &[]), trun(0x300, 2, &[1, 2, 3])]);
    assert_eq!(refused(&one_missing), (Code::BoxInvalid, TRUN));
}

#[test]
fn counts_add_up_over_runs_and_pairs() {
    let runs = moof(&[tfhd(0, &[]), trun(0, 40_000, &[]), trun(0, 40_000, &[])]);
    let limits = Limits::default();
    let mut account = Account::new(8 << 20);
    let mut table = SampleTable::new();
    let e = parse_moof(&runs, 0, &mut account, &limits, &mut table).unwrap_err();
    assert_eq!(e.code, Code::LimitSamples);
    let pair = [moof(&[tfhd(0, &[]), trun(0, 40_000, &[])]), mdat(b"")].concat();
    assert_eq!(read(&pair.repeat(2)).unwrap_err().code, Code::LimitSamples);
    assert!(read(&pair).is_ok());
}

#[test]
fn sizes_that_pass_their_mdat() {
    let with = |sizes: &[u32], payload: &[u8]| {
        let body = [moof(&[tfhd(0, &[]), trun(0x200, sizes.len() as u32, sizes)]), mdat(payload)].concat();
        read(&body).map(|r| r.table.samples().len()).map_err(|e| e.code)
    };
    assert_eq!(with(&[1, 2], b"abb"), Ok(2));
    assert_eq!(with(&[1, 3], b"abb"), Err(Code::SamplesOutside));
    assert_eq!(with(&[u32::MAX, u32::MAX, 3], b"abb"), Err(Code::SamplesOutside));
    assert_eq!(with(&[0, 0], b""), Ok(2));
    // Default sizes count as well.
    let body = [moof(&[tfhd(0x10, &[1 << 31]), trun(0, 4, &[])]), mdat(b"abc")].concat();
    assert_eq!(read(&body).unwrap_err().code, Code::SamplesOutside);
}

#[test]
fn a_table_that_does_not_fit_shows_nothing() {
    let mut account = Account::new(1 << 20);
    let mut table = SampleTable::new();
    let moof = moof_with(|size| vec![tfhd(0, &[]), trun(0x201, 1, &[size + 8, 3]), trun(0x200, 1, &[4])]);
    parse_moof(&moof, 0, &mut account, &Limits::default(), &mut table).unwrap();
    let at = moof.len() as u64 + 8;
    assert_eq!(table.place(at, 6).unwrap_err().code, Code::SamplesOutside);
    assert_eq!(table.place(u64::MAX, 100).unwrap_err().code, Code::SamplesOutside);
    assert_eq!(table.place(u64::from(u32::MAX), 100).unwrap_err().code, Code::SamplesOutside);
    assert!(table.samples().is_empty());
    table.place(at, 7).unwrap();
    let places: Vec<_> = table.samples().iter().map(|s| u64::from(s.offset) - at).collect();
    assert_eq!(places, [0, 3]);
}

#[test]
fn children_must_fit_into_their_parent() {
    let mut long = moof(&[tfhd(0, &[]), trun(0x200, 1, &[1])]);
    let at = long.windows(4).position(|w| w == b"trun").unwrap() - 4;
    for (size, code) in [(0xFFu8, Code::BoxInvalid), (7, Code::BoxInvalid), (1, Code::BoxInvalid)] {
        long[at..at + 4].copy_from_slice(&[0, 0, 0, size]);
        assert_eq!(refused(&long), (code, "moof/traf"));
    }
    let traf = boxed(b"traf", &[tfhd(0, &[]), trun(0, 1, &[])].concat());
    let mut outer = boxed(b"moof", &traf);
    outer[11] += 1;
    assert_eq!(refused(&outer), (Code::BoxInvalid, "moof"));
    let short_uuid = moof(&[tfhd(0, &[]), boxed(b"uuid", b"0123456789")]);
    assert_eq!(refused(&short_uuid), (Code::BoxInvalid, "moof/traf"));
    let mut huge = boxed64(b"trun", &[]);
    huge[8..16].fill(0xFF);
    assert_eq!(refused(&moof(&[tfhd(0, &[]), huge])), (Code::BoxInvalid, "moof/traf"));
}

#[test]
fn headers_must_hold_their_fields() {
    assert_eq!(refused(&moof(&[trun(0, 1, &[])])), (Code::BoxInvalid, "moof/traf/tfhd"));
    assert_eq!(refused(&moof(&[boxed(b"tfhd", b"123")])), (Code::BoxInvalid, "moof/traf/tfhd"));
    for flags in [0x01, 0x02, 0x08, 0x10, 0x20] {
        assert_eq!(refused(&moof(&[tfhd(flags, &[])])), (Code::BoxInvalid, "moof/traf/tfhd"));
    }
    assert_eq!(refused(&moof(&[tfhd(0, &[]), boxed(b"trun", b"1234567")])), (Code::BoxInvalid, TRUN));
    assert_eq!(refused(&moof(&[tfhd(0, &[]), trun(0x005, 0, &[1])])), (Code::BoxInvalid, TRUN));
    assert_eq!(refused(b"abc"), (Code::BoxInvalid, "moof"));
    assert_eq!(refused(&mdat(b"abc")), (Code::BoxInvalid, "moof"));
    assert_eq!(refused(&moof(&[tfhd(0, &[])])[..30]), (Code::BoxInvalid, "moof"));
}

#[test]
fn too_many_children() {
    let free = boxed(b"free", b"").repeat(1024);
    assert_eq!(refused(&boxed(b"moof", &[free.clone(), mfhd(1)].concat())), (Code::LimitBoxes, "moof"));
    assert_eq!(refused(&moof(&[free, tfhd(0, &[])])), (Code::LimitBoxes, "moof/traf"));
}

#[test]
fn a_body_cut_anywhere_is_an_error_or_whole() {
    let moof = moof_with(|size| {
        vec![
            tfhd(0x38, &[5, 6, 7]),
            trun(0xF01, 2, &[size + 8, 10, 2, 0, 0, 10, 3, 0, 0]),
            tfxd(1, 5, 20),
            tfrf(1, 2, &[(25, 20), (45, 20)]),
        ]
    });
    let pair = [moof, mdat(b"aabbb")].concat();
    let body = [boxed(b"styp", b"iso6"), pair, boxed(b"free", b"xyz")].concat();
    let pair_end = body.len() - 11;
    for cut in 0..body.len() {
        for length in [None, Some(cut as u64), Some(body.len() as u64)] {
            match read_with(&body[..cut], length, 5, &Limits::default()) {
                Ok(r) => {
                    assert!(cut >= pair_end, "{cut} bytes pass for a fragment");
                    assert_eq!(r.samples(&body[..cut]), [&b"aa"[..], b"bbb"]);
                }
                Err(e) => {
                    assert!(cut < pair_end, "{cut}: {e}");
                    let expected = if cut < 8 { Code::FragmentNotMp4 } else { Code::FragmentTruncated };
                    // Between the boxes before a moof, nothing is cut, but nothing is there.
                    let expected = if cut == 12 { Code::FragmentNotMp4 } else { expected };
                    assert_eq!(e.code, expected, "{cut} {length:?}");
                }
            }
        }
    }
}

#[test]
fn mutations_never_panic_and_never_show_bytes_outside() {
    let seeds = [
        usual(),
        [
            boxed(b"styp", b"iso6"),
            moof(&[
                tfxd(1, 1000, 10),
                tfrf(1, 2, &[(1010, 10), (1020, 10)]),
                uuid(&smoothcore::mp4::uuid::SAMPLE_ENCRYPTION, &full_payload(0, 2, &words(&[2, 1, 2, 3]))),
                trun(0x201, 1, &[130, 3]),
                trun(0x801, 2, &[200, 1, 2]),
                full(b"tfdt", 1, 0, &longs(&[1000])),
                tfhd(0x3B, &[0, 0, 1, 5, 2, 0]),
            ]),
            boxed64(b"mdat", b"0123456789"),
            usual(),
        ]
        .concat(),
    ];
    let mut next = dice();
    let (mut good, mut bad) = (0, 0);
    for i in 0..100_000 {
        let mut body = seeds[i % 2].clone();
        let times = 1 + next() % 4;
        spoil(&mut body, times, &mut next);
        if next().is_multiple_of(4) {
            body.truncate(next() as usize % body.len());
        }
        let length = next().is_multiple_of(2).then_some(body.len() as u64);
        let piece = if next().is_multiple_of(8) { 7 } else { usize::MAX };
        // The reader asserts that no sample ends outside its mdat.
        match read_with(&body, length, piece, &Limits::default()) {
            Ok(r) => {
                good += 1;
                let _ = r.samples(&body);
            }
            Err(_) => bad += 1,
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} {bad}");
}
