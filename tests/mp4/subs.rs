//! The parts of a sample, as subtitles made of pictures have them.

use crate::mp4_build::*;
use smoothcore::error::Code;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::subs::{self, PartTable};
use smoothcore::mp4::{SampleTable, parse_moof};

/// `subs` of samples: how far from the one before, and the sizes of its parts.
fn subs_box(version: u8, samples: &[(u32, &[u32])]) -> Vec<u8> {
    let mut fields = words(&[samples.len() as u32]);
    for (delta, parts) in samples {
        fields.extend_from_slice(&delta.to_be_bytes());
        fields.extend_from_slice(&(parts.len() as u16).to_be_bytes());
        for (i, size) in parts.iter().enumerate() {
            let bytes = size.to_be_bytes();
            fields.extend_from_slice(if version == 0 { &bytes[2..] } else { &bytes });
            fields.extend_from_slice(&[0, 0]);
            fields.extend_from_slice(&(i as u32).to_be_bytes());
        }
    }
    full(b"subs", version, 0, &fields)
}

fn with(sizes: &[u32], subs: Vec<u8>) -> Vec<u8> {
    moof(&[tfhd(0, &[]), subs, trun(0x200, sizes.len() as u32, sizes)])
}

fn parts(moof: &[u8]) -> Result<PartTable, Code> {
    let limits = Limits::default();
    let mut account = Account::new(8 << 20);
    let mut samples = SampleTable::new();
    let info = parse_moof(moof, 9, &mut account, &limits, &mut samples).unwrap();
    let mut out = PartTable::new();
    match subs::parse(moof, &info, &samples, &mut account, &limits, &mut out) {
        Ok(()) => Ok(out),
        Err(e) => {
            assert!(out.is_empty());
            assert!(e.place.offset > 9, "{e:?}");
            Err(e.code)
        }
    }
}

fn spans(table: &PartTable, sample: usize) -> Vec<(u32, u32, u32)> {
    table.sample(sample).iter().map(|p| (p.offset, p.size, p.parameters)).collect()
}

#[test]
fn quirk_78_a_document_and_its_pictures() {
    for version in [0, 1] {
        let t = parts(&with(&[100, 7, 60], subs_box(version, &[(1, &[40, 50, 10]), (2, &[59])]))).unwrap();
        assert_eq!(spans(&t, 0), [(0, 40, 0), (40, 50, 1), (90, 10, 2)]);
        assert_eq!(spans(&t, 1), []);
        assert_eq!(spans(&t, 2), [(0, 59, 0)]);
        assert_eq!(spans(&t, 3), []);
    }
    let t = parts(&with(&[70_000], subs_box(1, &[(1, &[69_000, 1_000])]))).unwrap();
    assert_eq!(spans(&t, 0), [(0, 69_000, 0), (69_000, 1_000, 1)]);
}

#[test]
fn without_the_box_there_are_no_parts() {
    assert!(parts(&with(&[5], boxed(b"free", b""))).unwrap().is_empty());
    assert!(parts(&with(&[5], subs_box(0, &[]))).unwrap().is_empty());
}

#[test]
fn parts_that_cannot_be_are_refused() {
    let refused = |samples: &[(u32, &[u32])]| parts(&with(&[10, 10], subs_box(0, samples))).unwrap_err();
    for samples in [
        &[(1, &[5, 6][..])][..],
        &[(1, &[11])],
        &[(3, &[1])],
        &[(0, &[1])],
        &[(1, &[1]), (0, &[1])],
        &[(1, &[1]), (2, &[1])],
        &[(1, &[1]), (u32::MAX, &[1])],
    ] {
        assert_eq!(refused(samples), Code::BoxInvalid, "{samples:?}");
    }
    let whole = subs_box(1, &[(1, &[5, 5]), (1, &[10])]);
    for cut in 8..whole.len() {
        let mut short = whole[..cut].to_vec();
        short[..4].copy_from_slice(&(cut as u32).to_be_bytes());
        assert_eq!(parts(&with(&[10, 10], short)).err(), Some(Code::BoxInvalid), "cut at {cut}");
    }
    // A bomb of parts without bytes.
    let many = vec![0u32; 40_000];
    let bomb = subs_box(0, &[(1, &many), (1, &many)]);
    assert_eq!(parts(&with(&[10, 10], bomb)).err(), Some(Code::LimitSubsamples));
}

#[test]
fn samples_are_counted_over_the_body() {
    let limits = Limits::default();
    let mut account = Account::new(1 << 20);
    let (mut samples, mut out) = (SampleTable::new(), PartTable::new());
    let moof = with(&[10, 10], subs_box(0, &[(2, &[4, 6])]));
    for at in [0, 200] {
        let info = parse_moof(&moof, at, &mut account, &limits, &mut samples).unwrap();
        subs::parse(&moof, &info, &samples, &mut account, &limits, &mut out).unwrap();
        samples.place(at + 100, 20).unwrap();
    }
    assert_eq!((0..5).map(|i| out.sample(i).len()).collect::<Vec<_>>(), [0, 2, 0, 2, 0]);
    out.clear();
    samples.free(&mut account);
    out.free(&mut account);
    assert_eq!(account.held(), 0);
}
