//! A `moof` becomes the right samples, whatever its writer did.

use crate::mp4_build::*;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::{Encryption, SampleTable, Span, parse_moof, uuid as ids};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|d| (d[0] * 16 + d[1]) as u8).collect()
}

/// A body of one moof with these children of traf, and one mdat.
fn body(children: &[Vec<u8>], payload: &[u8]) -> Vec<u8> {
    [moof(children), mdat(payload)].concat()
}

#[test]
fn the_usual_fragment() {
    let body = usual();
    let read = read(&body).unwrap();
    assert_eq!(read.samples(&body), [&b"aaaa"[..], b"bbbbb", b"cccccc"]);
    let info = &read.infos[0];
    assert_eq!((info.track_id, info.sequence, info.samples, info.duration, info.bytes), (1, 7, 3, 60, 15));
    assert_eq!(info.tfxd, Some(Span { time: 1000, duration: 60 }));
    assert_eq!((info.tfdt, info.encryption), (None, Encryption::Clear));
    let s = read.table.samples();
    assert_eq!(s.iter().map(|s| s.duration).collect::<Vec<_>>(), [10, 20, 30]);
    assert_eq!(s.iter().map(|s| s.is_sync()).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(read.table.total_duration(), 60);
    assert_eq!(size_of_val(&s[0]), 20);
}

#[test]
fn a_good_data_offset_is_followed() {
    let moof = moof_with(|size| vec![tfhd(0, &[]), trun(0x301, 2, &[size + 8 + 3, 10, 2, 10, 3])]);
    let body = [boxed(b"free", b"??"), moof, mdat(b"zzzaabbb")].concat();
    assert_eq!(read(&body).unwrap().samples(&body), [&b"aa"[..], b"bbb"]);
}

#[test]
fn a_base_data_offset_belongs_to_another_file() {
    let moof = moof_with(|size| {
        vec![
            full(b"tfhd", 0, 1, &[words(&[1]), longs(&[77_777])].concat()),
            trun(0x301, 1, &[size + 8, 10, 2]),
        ]
    });
    let body = [moof, mdat(b"aa")].concat();
    assert_eq!(read(&body).unwrap().samples(&body), [b"aa"]);
    assert_eq!(read(&body).unwrap().infos[0].track_id, 1);
}

#[test]
fn a_run_behind_an_empty_one_starts_where_that_one_would() {
    let moof = moof_with(|size| {
        vec![
            tfhd(0, &[]),
            trun(0x201, 0, &[size + 8 + 2]),
            trun(0x200, 0, &[]),
            trun(0x200, 1, &[3]),
            trun(0x200, 1, &[1]),
        ]
    });
    let body = [moof, mdat(b"zzaaab")].concat();
    assert_eq!(read(&body).unwrap().samples(&body), [&b"aaa"[..], b"b"]);
}

#[test]
fn several_runs_follow_one_another_or_their_offsets() {
    let body1 = body(&[tfhd(0, &[]), trun(0x200, 2, &[1, 2]), trun(0x200, 1, &[3])], b"abbccc");
    assert_eq!(read(&body1).unwrap().samples(&body1), [&b"a"[..], b"bb", b"ccc"]);
    let moof = moof_with(|size| {
        vec![
            tfhd(0, &[]),
            trun(0x201, 1, &[size + 8 + 4, 2]),
            trun(0x200, 1, &[1]),
            trun(0x201, 1, &[size + 8, 4]),
            trun(0x201, 0, &[size + 8]),
        ]
    });
    let body2 = [moof, mdat(b"cccCaab")].concat();
    assert_eq!(read(&body2).unwrap().samples(&body2), [&b"aa"[..], b"b", b"cccC"]);
}

#[test]
fn flags_of_the_first_sample_lose_against_flags_of_each() {
    let body1 = body(&[tfhd(0, &[]), trun(0x604, 2, &[0x0001_0000, 1, 0, 1, 0x0001_0000])], b"ab");
    let flags: Vec<_> = read(&body1).unwrap().table.samples().iter().map(|s| s.is_sync()).collect();
    assert_eq!(flags, [true, false]);
    let body2 = body(&[tfhd(0x20, &[0x0001_0000]), trun(0x204, 2, &[0, 1, 1])], b"ab");
    let flags: Vec<_> = read(&body2).unwrap().table.samples().iter().map(|s| s.is_sync()).collect();
    assert_eq!(flags, [true, false]);
    // Reserved bits of the flags are not kept.
    let body3 = body(&[tfhd(0, &[]), trun(0x600, 2, &[1, 0xFFFF_FFFF, 1, 0xF200_0000])], b"ab");
    let flags: Vec<_> = read(&body3).unwrap().table.samples().iter().map(|s| s.flags).collect();
    assert_eq!(flags, [0x0FFF_FFFF, 0x0200_0000]);
}

#[test]
fn composition_offsets_are_signed_in_version_0() {
    let body = body(&[tfhd(0, &[]), trun(0xA00, 2, &[1, 0xFFFF_FFF6, 1, 20])], b"ab");
    let read = read(&body).unwrap();
    assert_eq!(read.table.samples().iter().map(|s| s.composition).collect::<Vec<_>>(), [-10, 20]);
}

#[test]
fn a_sparse_fragment_may_have_no_samples() {
    let empty_run = body(&[tfhd(0, &[]), trun(0x300, 0, &[]), tfxd(1, 5, 0)], b"");
    let without_data = moof(&[tfhd(0, &[]), trun(0, 0, &[])]);
    let without_run = moof(&[tfhd(0x10000, &[])]);
    let without_traf = boxed(b"moof", &mfhd(9));
    for body in [empty_run, without_data, without_run, without_traf] {
        let read = read(&body).unwrap();
        assert_eq!((read.infos.len(), read.table.samples().len()), (1, 0));
        assert!(read.table.is_placed());
    }
}

#[test]
fn the_first_traf_with_samples_counts() {
    let track = |id: u32, trun: Vec<u8>| {
        boxed(b"traf", &[full(b"tfhd", 0, 0, &words(&[id])), tfxd(1, u64::from(id), 1), trun].concat())
    };
    let moof = boxed(
        b"moof",
        &[track(5, vec![]), track(6, trun(0x200, 1, &[2])), track(7, trun(0x200, 1, &[1]))].concat(),
    );
    let body = [moof, mdat(b"aab")].concat();
    let read = read(&body).unwrap();
    assert_eq!(read.samples(&body), [b"aa"]);
    assert_eq!((read.infos[0].track_id, read.infos[0].tfxd.unwrap().time), (6, 6));
}

#[test]
fn pairs_are_joined() {
    let one = usual();
    let body = [boxed(b"styp", b"iso6"), one.clone(), boxed(b"free", b""), one.clone(), one].concat();
    let read = read(&body).unwrap();
    assert_eq!(read.infos.len(), 3);
    assert_eq!(read.samples(&body).concat(), b"aaaabbbbbccccccaaaabbbbbccccccaaaabbbbbcccccc");
    assert_eq!(read.table.total_duration(), 180);
}

#[test]
fn times_as_servers_write_them() {
    let tfxd =
        hex("0000002C 75756964 6D1D9B0542D544E680E2141DAFF757B2 01000000 003E1390677F4E05 0000000001312D00");
    let tfrf = hex("0000003D 75756964 D4807EF2CA3946958E5426CB9E46A79F 01000000 02
         003E139068B07B05 0000000001312D00 003E139069E1A805 0000000001312D00");
    let (t, d) = (17_472_959_488_675_333, 20_000_000);
    assert_eq!(crate::mp4_build::tfxd(1, t, d), tfxd);
    assert_eq!(crate::mp4_build::tfrf(1, 2, &[(t + d, d), (t + 2 * d, d)]), tfrf);
    let body = body(&[tfhd(0, &[]), trun(0x200, 1, &[1]), tfxd, tfrf], b"a");
    let info = read(&body).unwrap().infos.remove(0);
    assert_eq!(info.tfxd, Some(Span { time: t, duration: d }));
    assert_eq!(
        info.following(t).collect::<Vec<_>>(),
        [Span { time: t + d, duration: d }, Span { time: t + 2 * d, duration: d }]
    );
}

#[test]
fn times_of_version_0_and_with_surplus() {
    let mut longer = full_payload(2, 0, &longs(&[70, 80]));
    longer.extend_from_slice(&words(&[3]));
    let tfxd2 = uuid(&ids::TFXD, &longer);
    let body1 = body(&[tfhd(0, &[]), tfxd2, tfrf(0, 1, &[(150, 80)])], b"");
    let info = read(&body1).unwrap().infos.remove(0);
    assert_eq!(info.tfxd, Some(Span { time: 70, duration: 80 }));
    assert_eq!(info.tfrf[..], [Span { time: 150, duration: 80 }]);
    let body2 = body(&[tfhd(0, &[]), tfxd(0, 70, 80)], b"");
    assert_eq!(read(&body2).unwrap().infos[0].tfxd, Some(Span { time: 70, duration: 80 }));
}

#[test]
fn a_negative_time_is_no_time() {
    // What one encoder writes for sound that starts with 21.3 ms of priming.
    let body = body(&[tfhd(0, &[]), tfxd(1, (-213_333i64) as u64, 20_000_000)], b"");
    assert_eq!(read(&body).unwrap().infos[0].tfxd, None);
}

#[test]
fn hostile_tfrf_keeps_what_is_there_and_believes_what_can_be() {
    // More announced than sent.
    let short = body(&[tfhd(0, &[]), tfrf(1, 255, &[(10, 1), (11, 1)])], b"");
    assert_eq!(read(&short).unwrap().infos[0].tfrf.len(), 2);
    let many: Vec<_> = (0..255).map(|i| (100 + i, 1)).collect();
    let long = body(&[tfhd(0, &[]), tfrf(1, 255, &many)], b"");
    let info = read(&long).unwrap().infos.remove(0);
    assert_eq!((info.tfrf.len(), info.tfrf[15].time), (16, 115));
    // Past, too far, and backwards.
    let rogue =
        body(&[tfhd(0, &[]), tfrf(1, 6, &[(50, 1), (u64::MAX, 1), (60, 1), (55, 1), (60, 1), (61, 1)])], b"");
    let info = read(&rogue).unwrap().infos.remove(0);
    assert_eq!(info.following(50).map(|s| s.time).collect::<Vec<_>>(), [60, 61]);
    assert_eq!(info.following(u64::MAX).count(), 0);
    // Too short to say anything.
    for cut in 0..13 {
        let payload = &full_payload(1, 0, &[1, 0, 0, 0, 0, 0, 0, 0, 9])[..cut];
        let body = body(&[tfhd(0, &[]), uuid(&ids::TFRF, payload), uuid(&ids::TFXD, payload)], b"");
        let info = read(&body).unwrap().infos.remove(0);
        assert_eq!((info.tfrf.len(), info.tfxd), (0, None));
    }
}

#[test]
fn encryption_is_told_with_its_place() {
    let payload = full_payload(0, 0, &words(&[1, 1, 2]));
    let piff = body(&[tfhd(0, &[]), trun(0x200, 1, &[1]), uuid(&ids::SAMPLE_ENCRYPTION, &payload)], b"a");
    let Encryption::Piff { offset, len } = read(&piff).unwrap().infos[0].encryption else { panic!() };
    assert_eq!(piff[offset as usize..][..len as usize], payload);
    let lead = boxed(b"free", b"123");
    let senc = body(&[tfhd(0, &[]), boxed(b"senc", &payload), trun(0x200, 1, &[1])], b"a");
    let Encryption::Senc { offset, len } =
        read(&[lead.clone(), senc.clone()].concat()).unwrap().infos[0].encryption
    else {
        panic!()
    };
    assert_eq!(senc[offset as usize..][..len as usize], payload);
}

#[test]
fn a_table_is_used_again_without_growing() {
    let mut account = Account::new(1 << 20);
    let mut table = SampleTable::new();
    let limits = Limits::default();
    let moof = moof(&[tfhd(0, &[]), trun(0x200, 3, &[1, 2, 3])]);
    for _ in 0..5 {
        table.clear();
        parse_moof(&moof, 0, &mut account, &limits, &mut table).unwrap();
        assert!(!table.is_placed());
        assert!(table.samples().is_empty(), "nothing is shown before it has a place");
        table.place(100, 6).unwrap();
        assert_eq!(table.samples().len(), 3);
        assert_eq!(account.held(), 60);
        assert_eq!(table.charged(), 60);
    }
    table.free(&mut account);
    assert_eq!(account.held(), 0);
}

#[test]
fn a_small_budget_leaves_the_table_as_it_was() {
    let mut account = Account::new(100);
    let mut table = SampleTable::new();
    let limits = Limits::default();
    let small = moof(&[tfhd(0, &[]), trun(0x200, 1, &[1])]);
    parse_moof(&small, 0, &mut account, &limits, &mut table).unwrap();
    table.place(0, 1).unwrap();
    let large = moof(&[tfhd(0, &[]), trun(0x200, 1, &[1]), trun(0, 60_000, &[])]);
    let e = parse_moof(&large, 0, &mut account, &limits, &mut table).unwrap_err();
    assert_eq!(e.code, smoothcore::error::Code::Budget);
    assert!(table.is_placed());
    assert_eq!(table.samples().len(), 1);
}
