//! The encryption table of a fragment is read whatever box it stands in, and refused when it does not fit.

use std::slice::from_ref;

use crate::mp4_build::*;
use smoothcore::error::Code;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::encryption::{self, Algorithm, EncryptionTable, SampleEncryption, Subsample};
use smoothcore::mp4::pssh::PsshBoxes;
use smoothcore::mp4::{Encryption, MoofInfo, SampleTable, parse_moof, uuid as ids};

const KID: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// A table of a moof at offset 40, read before its samples have their place.
fn table(moof: &[u8]) -> Result<EncryptionTable, (Code, &'static str)> {
    table_with(moof, &Limits::default())
}

fn table_with(moof: &[u8], limits: &Limits) -> Result<EncryptionTable, (Code, &'static str)> {
    let mut account = Account::new(1 << 20);
    let mut samples = SampleTable::new();
    let info = parse_moof(moof, 40, &mut account, limits, &mut samples).unwrap();
    let before = account.held();
    let mut out = EncryptionTable::new();
    let read = encryption::parse(moof, &info, &samples, &mut account, limits, &mut out);
    assert_eq!(account.held(), before + out.charged());
    match read {
        Ok(()) => {
            assert_eq!(out.len(), info.samples as usize, "an entry for each sample");
            for i in 0..out.len() {
                let size: u64 = samples_of(moof)[i].into();
                if let Some(s) = out.sample(i).filter(|s| !s.subsamples.is_empty()) {
                    let sum: u64 =
                        s.subsamples.iter().map(|p| u64::from(p.clear) + u64::from(p.protected)).sum();
                    assert_eq!(sum, size, "parts are as long as their sample");
                }
            }
            Ok(out)
        }
        Err(e) => {
            assert!(out.is_empty(), "nothing is kept of a table that is refused");
            assert!(out.sample(0).is_none());
            assert!(e.place.offset >= 40, "{e}");
            Err((e.code, e.place.at))
        }
    }
}

/// Sizes of the samples of a moof.
fn samples_of(moof: &[u8]) -> Vec<u32> {
    let mut account = Account::new(1 << 20);
    let mut samples = SampleTable::new();
    let info = parse_moof(moof, 0, &mut account, &Limits::default(), &mut samples).unwrap();
    samples.place(0, info.bytes).unwrap();
    samples.samples().iter().map(|s| s.size).collect()
}

/// A sample with its vector and the parts, if it says how many.
fn entry(iv: &[u8], parts: &[(u16, u32)]) -> Vec<u8> {
    let mut e = iv.to_vec();
    e.extend_from_slice(&(parts.len() as u16).to_be_bytes());
    for (clear, protected) in parts {
        e.extend_from_slice(&clear.to_be_bytes());
        e.extend_from_slice(&protected.to_be_bytes());
    }
    e
}

fn payload(flags: u32, over: &[u8], count: u32, entries: &[Vec<u8>]) -> Vec<u8> {
    full_payload(0, flags, &[over, &count.to_be_bytes(), &entries.concat()].concat())
}

fn over(algorithm: u32, iv_size: u8) -> Vec<u8> {
    [&(algorithm << 8 | u32::from(iv_size)).to_be_bytes()[..], &KID].concat()
}

/// A moof with samples of these sizes and one more child.
fn with(sizes: &[u32], child: Vec<u8>) -> Vec<u8> {
    moof(&[tfhd(0, &[]), child, trun(0x200, sizes.len() as u32, sizes)])
}

fn piff(sizes: &[u32], payload: &[u8]) -> Vec<u8> {
    with(sizes, uuid(&ids::SAMPLE_ENCRYPTION, payload))
}

fn senc(sizes: &[u32], payload: &[u8]) -> Vec<u8> {
    with(sizes, boxed(b"senc", payload))
}

fn both(sizes: &[u32], payload: &[u8]) -> [Vec<u8>; 2] {
    [piff(sizes, payload), senc(sizes, payload)]
}

fn first(table: &EncryptionTable) -> SampleEncryption<'_> {
    table.sample(0).unwrap()
}

const PIFF: &str = "moof/traf/uuid";
const SENC: &str = "moof/traf/senc";

#[test]
fn vectors_of_eight_bytes_and_no_subsamples() {
    let data = payload(0, &[], 2, &[vec![1; 8], vec![2; 8]]);
    for moof in both(&[100, 200], &data) {
        let t = table(&moof).unwrap();
        assert_eq!((first(&t).iv, first(&t).subsamples), (&[1; 8][..], &[][..]));
        assert_eq!(t.sample(1).unwrap().iv, [2; 8]);
        assert_eq!((first(&t).setting.algorithm, first(&t).setting.kid, t.kid()), (None, None, None));
        assert!(t.sample(2).is_none());
    }
}

#[test]
fn quirk_92_piff_and_senc_are_read_alike() {
    let parts = [(20u16, 80u32), (5, 95)];
    let data = payload(2, &[], 2, &[entry(&[7; 8], &parts), entry(&[8; 8], &[(0, 50)])]);
    let [one, two] = both(&[200, 50], &data).map(|moof| table(&moof).unwrap());
    for t in [one, two] {
        assert_eq!(
            first(&t).subsamples,
            parts.map(|(clear, protected)| Subsample { clear: clear.into(), protected })
        );
        assert_eq!(t.sample(1).unwrap().subsamples, [Subsample { clear: 0, protected: 50 }]);
        assert_eq!(t.sample(1).unwrap().iv, [8; 8]);
    }
}

#[test]
fn the_size_of_vectors_is_what_fits_the_box() {
    for size in [8usize, 16, 0] {
        let plain = payload(0, &[], 2, &[vec![9; size], vec![8; size]]);
        let parts = payload(2, &[], 2, &[entry(&vec![9; size], &[(10, 20)]), entry(&vec![8; size], &[])]);
        for data in [plain, parts] {
            for moof in both(&[30, 7], &data) {
                let t = table(&moof).unwrap();
                assert_eq!((first(&t).iv, t.sample(1).unwrap().iv), (&vec![9; size][..], &vec![8; size][..]));
            }
        }
    }
    // Neither of them.
    let odd = payload(0, &[], 2, &[vec![9; 8], vec![8; 7]]);
    assert_eq!(table(&senc(&[30, 7], &odd)).unwrap_err(), (Code::EncryptionTable, SENC));
    // Bytes that happen to fit with eight are told from sixteen by the sizes of the samples.
    let sixteen = [entry(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 10, 0, 0, 0, 20], &[(1, 2)])];
    let t = table(&senc(&[3], &payload(2, &[], 1, &sixteen))).unwrap();
    assert_eq!(first(&t).iv.len(), 16);
}

#[test]
fn quirk_86_an_override_names_cipher_key_and_size() {
    for (number, algorithm) in [(1, Algorithm::AesCtr), (2, Algorithm::AesCbc)] {
        for size in [8usize, 16] {
            let plain = payload(1, &over(number, size as u8), 1, &[vec![5; size]]);
            let parts = payload(3, &over(number, size as u8), 1, &[entry(&vec![5; size], &[(3, 4)])]);
            for (data, count) in [(plain, 0), (parts, 1)] {
                let t = table(&piff(&[7], &data)).unwrap();
                let s = first(&t);
                assert_eq!((s.setting.algorithm, s.setting.kid), (Some(algorithm), Some(KID)));
                assert_eq!((s.iv, s.subsamples.len()), (&vec![5; size][..], count));
                assert_eq!(t.kid(), Some(KID));
            }
        }
    }
    // Surplus bytes do not matter where the size is known.
    let t = table(&piff(&[7], &payload(1, &over(1, 8), 1, &[vec![5; 8], vec![6; 3]]))).unwrap();
    assert_eq!(first(&t).iv, [5; 8]);
}

#[test]
fn an_override_to_nothing_and_a_table_of_nothing_are_clear() {
    for data in [
        payload(1, &over(0, 0), 2, &[]),
        payload(1, &over(0, 8), 2, &[vec![1; 16]]),
        payload(0, &[], 0, &[]),
        payload(3, &over(1, 8), 0, &[]),
    ] {
        for moof in both(&[7, 8], &data) {
            let t = table(&moof).unwrap();
            assert!(t.sample(0).is_none() && t.sample(1).is_none());
        }
    }
    let clear = moof(&[tfhd(0, &[]), trun(0x200, 2, &[7, 8])]);
    assert!(table(&clear).unwrap().sample(0).is_none());
}

#[test]
fn what_cannot_be_is_refused() {
    let fits = |data: &[u8]| {
        let [a, b] = both(&[100, 50], data).map(|moof| table(&moof).map(|_| ()));
        match (a, b) {
            (Err((a, PIFF)), Err((b, SENC))) if a == b => a,
            other => panic!("{other:?}"),
        }
    };
    let two = [entry(&[1; 8], &[(20, 80)]), entry(&[2; 8], &[(0, 50)])];
    assert!(table(&senc(&[100, 50], &payload(2, &[], 2, &two))).is_ok());
    let wrong = Code::EncryptionTable;
    // As many as there are samples, or none.
    for count in [1, 3, 65_537, u32::MAX] {
        assert_eq!(fits(&payload(2, &[], count, &two)), wrong, "{count}");
        assert_eq!(fits(&payload(0, &[], count, &[vec![0; 8], vec![0; 8]])), wrong);
        assert_eq!(fits(&payload(1, &over(1, 8), count, &[vec![0; 8], vec![0; 8]])), wrong);
    }
    // Parts shorter or longer than their sample, alone or in sum.
    for parts in [&[(20, 79)][..], &[(20, 81)], &[(0xFFFF, u32::MAX)], &[(20, 80), (0, 1)]] {
        assert_eq!(fits(&payload(2, &[], 2, &[entry(&[1; 8], parts), two[1].clone()])), wrong, "{parts:?}");
    }
    // More parts than bytes.
    let mut lie = two.clone();
    lie[1][8] = 0xFF;
    assert_eq!(fits(&payload(2, &[], 2, &lie)), wrong);
    // Sizes of vectors that no cipher has.
    for size in [0, 1, 7, 9, 15, 17, 255] {
        assert_eq!(fits(&payload(1, &over(1, size), 2, &[vec![0; 512]])), wrong);
    }
    // A cipher that nobody knows.
    assert_eq!(fits(&payload(1, &over(3, 8), 2, &[vec![0; 16]])), Code::ProtectionUnsupported);
    assert_eq!(fits(&payload(1, &over(0xFF_FFFF, 8), 2, &[vec![0; 16]])), Code::ProtectionUnsupported);
    // Cut anywhere.
    let whole = payload(3, &over(1, 8), 2, &two);
    for cut in 0..whole.len() {
        assert_eq!(fits(&whole[..cut]), wrong, "cut at {cut}");
    }
}

#[test]
fn numbers_of_refusals_are_stable() {
    assert_eq!(Code::EncryptionTable.number(), -310);
    assert_eq!(Code::LimitSubsamples.number(), -326);
    assert_eq!(Code::ProtectionUnsupported.number(), -400);
}

#[test]
fn parts_have_a_limit() {
    let limits = Limits { samples: 10, ..Limits::default() };
    let parts = |n: usize| vec![(1u16, 1u32); n];
    let data = |n: usize| payload(2, &[], 2, &[entry(&[1; 8], &parts(5)), entry(&[1; 8], &parts(n))]);
    assert!(table_with(&senc(&[10, 10], &data(5)), &limits).is_ok());
    let e = table_with(&senc(&[10, 12], &data(6)), &limits).unwrap_err();
    assert_eq!(e, (Code::LimitSubsamples, SENC));
}

#[test]
fn a_small_budget_is_told_apart_and_nothing_is_kept() {
    let moof = senc(&[100; 50], &payload(0, &[], 50, &vec![vec![1; 8]; 50]));
    let limits = Limits::default();
    for room in [0, 100, 500, 1_199] {
        let mut account = Account::new(50 * 20 + room);
        let mut samples = SampleTable::new();
        let info = parse_moof(&moof, 0, &mut account, &limits, &mut samples).unwrap();
        let mut out = EncryptionTable::new();
        let e = encryption::parse(&moof, &info, &samples, &mut account, &limits, &mut out).unwrap_err();
        assert_eq!(e.code, Code::Budget, "{room}");
        assert!(out.is_empty());
    }
}

/// `saiz` and `saio`, of a type when one is given.
fn auxiliary(kind: Option<&[u8; 4]>, default: u8, sizes: &[u8], count: u32, offset: u32) -> Vec<u8> {
    let (flags, kind) = match kind {
        Some(kind) => (1, [&kind[..], &[0; 4]].concat()),
        None => (0, Vec::new()),
    };
    let saiz = full(b"saiz", 0, flags, &[&kind[..], &[default], &count.to_be_bytes(), sizes].concat());
    let saio = full(b"saio", 0, flags, &[&kind[..], &words(&[1, offset])].concat());
    [saiz, saio].concat()
}

#[test]
fn a_table_that_only_saiz_and_saio_point_at() {
    let entries = [entry(&[3; 8], &[(20, 80)]), entry(&[4; 8], &[(1, 2), (3, 44)])].concat();
    for kind in [None, Some(b"cenc"), Some(b"piff")] {
        let make = |offset| {
            let aux = auxiliary(kind, 0, &[16, 22, 0], 3, offset);
            [aux, boxed(b"free", &entries)].concat()
        };
        let probe = with(&[100, 50, 9], make(0));
        let at = probe.windows(8).position(|w| w == [3; 8]).unwrap() as u32;
        let moof = with(&[100, 50, 9], make(at));
        let t = table(&moof).unwrap();
        assert_eq!(
            (first(&t).iv, first(&t).subsamples),
            (&[3; 8][..], &[Subsample { clear: 20, protected: 80 }][..])
        );
        assert_eq!(t.sample(1).unwrap().subsamples.len(), 2);
        assert!(t.sample(2).is_none(), "a sample without information is clear");
        // Outside the moof it cannot be had.
        for offset in [moof.len() as u32, moof.len() as u32 - 4, u32::MAX] {
            let e = table(&with(&[100, 50, 9], make(offset))).unwrap_err();
            assert_eq!(e, (Code::EncryptionTable, "moof/traf/saiz"));
        }
    }
    // Vectors alone, of one size.
    for size in [8u8, 16] {
        let make = |offset| {
            let ivs = boxed(b"free", &[vec![6; size.into()], vec![7; size.into()]].concat());
            [auxiliary(None, size, &[], 2, offset), ivs].concat()
        };
        let at = with(&[9, 9], make(0)).windows(8).position(|w| w == [6; 8]).unwrap() as u32;
        let t = table(&with(&[9, 9], make(at))).unwrap();
        assert_eq!(
            (first(&t).iv, t.sample(1).unwrap().iv),
            (&vec![6; size.into()][..], &vec![7; size.into()][..])
        );
    }
    // Information of another kind says nothing of encryption.
    let other = with(&[9], auxiliary(Some(b"qqqq"), 8, &[], 1, 0));
    assert!(table(&other).unwrap().sample(0).is_none());
}

#[test]
fn beside_a_table_saiz_and_saio_do_not_matter() {
    let data = payload(0, &[], 1, &[vec![1; 8]]);
    for order in [[0, 1], [1, 0]] {
        let parts = [auxiliary(None, 77, &[], 9, u32::MAX), boxed(b"senc", &data)];
        let t = table(&with(&[9], order.map(|i| parts[i].clone()).concat())).unwrap();
        assert_eq!(first(&t).iv, [1; 8]);
    }
}

/// A `sgpd` of version 1 whose descriptions are of one length, and the runs of a `sbgp`.
fn groups(length: u32, descriptions: &[Vec<u8>], runs: &[(u32, u32)]) -> Vec<u8> {
    let head = [&b"seig"[..], &words(&[length, descriptions.len() as u32])].concat();
    let sgpd = full(b"sgpd", 1, 0, &[head, descriptions.concat()].concat());
    let runs: Vec<u32> = runs.iter().flat_map(|(n, i)| [*n, *i]).collect();
    let sbgp = full(b"sbgp", 0, 0, &[&b"seig"[..], &words(&[runs.len() as u32 / 2]), &words(&runs)].concat());
    [sbgp, sgpd].concat()
}

fn description(protected: u8, iv_size: u8, kid: u8, rest: &[u8]) -> Vec<u8> {
    [&[0, 0x19, protected, iv_size][..], &[kid; 16], rest].concat()
}

#[test]
fn sample_groups_change_keys_within_a_fragment() {
    let data = payload(0, &[], 5, &vec![vec![1; 8]; 5]);
    let keys = [description(1, 8, 0xAA, &[]), description(0, 0, 0, &[]), description(1, 8, 0xBB, &[])];
    let runs = [(1, 0x1_0001), (0, 0x1_0003), (1, 0x1_0002), (1, 0x1_0003), (1, 0)];
    for length in [20, 0] {
        let keys: Vec<Vec<u8>> = keys
            .iter()
            .map(|k| if length == 0 { [&words(&[20])[..], k].concat() } else { k.clone() })
            .collect();
        let t =
            table(&with(&[9; 5], [groups(length, &keys, &runs), boxed(b"senc", &data)].concat())).unwrap();
        let kids: Vec<_> = (0..5).map(|i| t.sample(i).map(|s| s.setting.kid)).collect();
        assert_eq!(kids, [Some(Some([0xAA; 16])), None, Some(Some([0xBB; 16])), Some(None), Some(None)]);
        assert_eq!(first(&t).setting.pattern, (1, 9));
    }
}

#[test]
fn a_constant_vector_of_a_group_serves_every_sample_of_it() {
    let data = payload(2, &[], 2, &[entry(&[], &[(4, 5)]), entry(&[], &[(9, 0)])]);
    let key = description(1, 0, 0xCC, &[&[16][..], &[0x77; 16]].concat());
    let t = table(&with(&[9, 9], [groups(37, &[key], &[(2, 0x1_0001)]), boxed(b"senc", &data)].concat()))
        .unwrap();
    assert_eq!((first(&t).iv, t.sample(1).unwrap().iv), (&[0x77; 16][..], &[0x77; 16][..]));
}

#[test]
fn broken_groups_are_refused() {
    let data = boxed(b"senc", &payload(0, &[], 2, &vec![vec![1; 8]; 2]));
    let key = description(1, 8, 0xAA, &[]);
    let refused = |groups: Vec<u8>| table(&with(&[9, 9], [groups, data.clone()].concat())).unwrap_err();
    let wrong = (Code::EncryptionTable, SENC);
    // A description that is not there, is cut short, or lies far away.
    assert_eq!(refused(groups(20, from_ref(&key), &[(2, 0x1_0002)])), wrong);
    assert_eq!(refused(groups(20, from_ref(&key), &[(2, u32::MAX)])), wrong);
    assert_eq!(refused(groups(20, &[key[..19].to_vec()], &[(2, 0x1_0001)])), wrong);
    assert_eq!(refused(groups(u32::MAX, &[key.clone(), key.clone()], &[(2, 0x1_0002)])), wrong);
    assert_eq!(refused(groups(0, &[words(&[u32::MAX])], &[(2, 0x1_0001)])), wrong);
    // More runs announced than there are.
    let mut runs = groups(20, &[key], &[(1, 0x1_0001)]);
    runs[8 + 4 + 4 + 3] = 9;
    assert_eq!(refused(runs), wrong);
}

#[test]
fn several_moofs_of_a_body_make_one_table() {
    let limits = Limits::default();
    let mut account = Account::new(1 << 20);
    let (mut samples, mut out) = (SampleTable::new(), EncryptionTable::new());
    let ivs = |n: u8| payload(1, &over(1, 8), 2, &[vec![n; 8], vec![n + 1; 8]]);
    let moofs = [piff(&[5, 5], &ivs(10)), with(&[5, 5], boxed(b"free", b"")), piff(&[5, 5], &ivs(20))];
    let mut at = 0;
    for moof in &moofs {
        let info: MoofInfo = parse_moof(moof, at, &mut account, &limits, &mut samples).unwrap();
        // After the place is known it is the same.
        samples.place(at + moof.len() as u64 + 8, 10).unwrap();
        encryption::parse(moof, &info, &samples, &mut account, &limits, &mut out).unwrap();
        at += moof.len() as u64 + 18;
    }
    let first_bytes: Vec<_> = (0..6).map(|i| out.sample(i).map(|s| s.iv[0])).collect();
    assert_eq!(first_bytes, [Some(10), Some(11), None, None, Some(20), Some(21)]);
    // A refused one takes nothing along.
    let bad = piff(&[5, 5], &payload(0, &[], 3, &[]));
    let info = parse_moof(&bad, at, &mut account, &limits, &mut samples).unwrap();
    assert!(encryption::parse(&bad, &info, &samples, &mut account, &limits, &mut out).is_err());
    assert_eq!((out.len(), out.sample(5).unwrap().iv), (6, &[21; 8][..]));
    let room = out.charged();
    out.clear();
    assert!(out.is_empty());
    assert_eq!(out.charged(), room, "the room stays");
    samples.free(&mut account);
    out.free(&mut account);
    assert_eq!(account.held(), 0);
}

#[test]
fn the_traf_of_the_samples_is_the_one_that_counts() {
    let empty = boxed(b"traf", &[tfhd(0, &[]), boxed(b"senc", &payload(0, &[], 9, &[]))].concat());
    let data = payload(0, &[], 1, &[vec![1; 8]]);
    let real = boxed(b"traf", &[tfhd(0, &[]), boxed(b"senc", &data), trun(0x200, 1, &[9])].concat());
    let t = table(&boxed(b"moof", &[empty, real].concat())).unwrap();
    assert_eq!(first(&t).iv, [1; 8]);
}

#[test]
fn new_keys_in_a_moof_are_found() {
    let old = uuid(&ids::PROTECTION_HEADER, &full_payload(0, 0, &[&KID[..], &words(&[3]), b"old"].concat()));
    let v0 = full(b"pssh", 0, 0, &[&[7; 16][..], &words(&[2]), b"v0"].concat());
    let v1 = full(b"pssh", 1, 0, &[&[8; 16][..], &words(&[2]), &KID, &[9; 16], &words(&[0])].concat());
    let broken = full(b"pssh", 0, 0, &[&[7; 16][..], &words(&[3]), b"v0"].concat());
    let many = full(b"pssh", 1, 0, &[&[7; 16][..], &words(&[u32::MAX])].concat());
    let moof = boxed(b"moof", &[mfhd(1), old.clone(), broken, v0.clone(), many, v1.clone()].concat());
    let limits = Limits::default();
    let mut boxes = PsshBoxes::new(&moof, &limits).unwrap();
    let one = boxes.next_box().unwrap().unwrap();
    assert_eq!((one.system_id, one.data, one.whole), (KID, &b"old"[..], &old[..]));
    let two = boxes.next_box().unwrap().unwrap();
    assert_eq!((two.system_id, two.kids.len(), two.data, two.whole), ([7; 16], 0, &b"v0"[..], &v0[..]));
    let three = boxes.next_box().unwrap().unwrap();
    assert_eq!((three.kids, three.data, three.whole), (&[KID, [9; 16]][..], &[][..], &v1[..]));
    assert_eq!(boxes.next_box().unwrap(), None);
    let small = Limits { protection_bytes: 20, ..limits };
    let e = PsshBoxes::new(&moof, &small).unwrap().next_box().unwrap_err();
    assert_eq!(e.code, Code::LimitProtection);
    assert_eq!(PsshBoxes::new(&moof[..20], &limits).err().unwrap().code, Code::BoxInvalid);
}

#[test]
fn mutated_tables_never_panic_and_never_pass_their_samples() {
    let entries = [entry(&[1; 8], &[(20, 80)]), entry(&[2; 8], &[(0, 30), (10, 10)])];
    let keys = [description(1, 8, 0xAA, &[]), description(1, 0, 0xBB, &[&[8][..], &[5; 8]].concat())];
    let runs = groups(
        0,
        &[[&words(&[20])[..], &keys[0]].concat(), [&words(&[29])[..], &keys[1]].concat()],
        &[(1, 0x1_0002), (1, 0x1_0001)],
    );
    let free = boxed(b"free", &entries.concat());
    let seeds = [
        piff(&[100, 50], &payload(3, &over(1, 8), 2, &entries)),
        senc(&[100, 50], &payload(2, &[], 2, &entries)),
        with(&[100, 50], [runs, boxed(b"senc", &payload(2, &[], 2, &entries))].concat()),
        with(&[100, 50], [auxiliary(None, 0, &[16, 22], 2, 120), free].concat()),
    ];
    let mut x = 0x2545_F491_4F6C_DD1Du64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    let limits = Limits::default();
    let (mut good, mut bad) = (0, 0);
    for i in 0..100_000 {
        let mut moof = seeds[i % seeds.len()].clone();
        for _ in 0..1 + next() % 3 {
            let at = next() as usize % moof.len();
            let edges = [0, 1, 0x7F, 0x80, 0xFF];
            moof[at] = if next() % 2 == 0 { next() as u8 } else { edges[next() as usize % 5] };
        }
        let mut account = Account::new(4 << 20);
        let mut samples = SampleTable::new();
        let Ok(info) = parse_moof(&moof, 0, &mut account, &limits, &mut samples) else { continue };
        let mut out = EncryptionTable::new();
        match encryption::parse(&moof, &info, &samples, &mut account, &limits, &mut out) {
            Ok(()) => {
                good += 1;
                assert_eq!(out.len(), info.samples as usize);
                if info.encryption == Encryption::Clear {
                    assert!((0..out.len()).all(|i| out.sample(i).is_none()));
                }
            }
            Err(_) => {
                bad += 1;
                assert!(out.is_empty());
            }
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} {bad}");
}
