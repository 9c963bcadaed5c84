//! Fragments as they are met in the wild: each oddity that some origin or encoder is known for, one test a kind.
//!
//! What a session makes of whole presentations of them is in `tests/session/wild.rs`.

use crate::mp4_build::*;
use smoothcore::error::Code;
use smoothcore::mp4::{Span, uuid as ids};

/// A body of one moof with these children of traf, and one mdat.
fn body(children: &[Vec<u8>], payload: &[u8]) -> Vec<u8> {
    [moof(children), mdat(payload)].concat()
}

#[test]
fn quirk_65_tfdt_is_told_apart_and_never_added() {
    for (version, time) in [(0, words(&[500])), (1, longs(&[500]))] {
        let tfdt = full(b"tfdt", version, 0, &time);
        let body = body(&[tfhd(0, &[]), tfdt, tfxd(1, 9000, 10), trun(0x300, 1, &[10, 2])], b"xx");
        let read = read(&body).unwrap();
        assert_eq!(read.infos[0].tfdt, Some(500));
        assert_eq!(read.infos[0].tfxd.unwrap().time, 9000);
        assert_eq!(read.table.total_duration(), 10);
    }
}

#[test]
fn quirk_66_a_bad_data_offset_means_the_start_of_the_payload() {
    let makes: [fn(u32) -> u32; 7] = [
        |_| (-500i32) as u32,
        |_| i32::MIN as u32,
        |_| 0,
        // The size of the moof without the mdat header, or one byte into it.
        |size| size,
        |size| size + 1,
        // One sample fits behind this, the whole run does not.
        |size| size + 8 + 2,
        |size| size + 8 + 5000,
    ];
    for make in makes {
        let moof = moof_with(|size| vec![tfhd(0, &[]), trun(0x301, 2, &[make(size), 10, 2, 10, 3])]);
        let body = [boxed(b"free", b"??"), moof, mdat(b"aabbb")].concat();
        assert_eq!(read(&body).unwrap().samples(&body), [&b"aa"[..], b"bbb"]);
    }
}

#[test]
fn quirk_67_children_stand_in_any_order() {
    let tfrf = tfrf(1, 2, &[(2000, 50), (2050, 50)]);
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let parts = [tfhd(0, &[]), tfxd(1, 1950, 50), trun(0x300, 1, &[50, 2]), tfrf.clone()];
        let body = body(&order.map(|i| parts[i].clone()), b"aa");
        let read = read(&body).unwrap();
        assert_eq!(read.samples(&body), [b"aa"]);
        assert_eq!(read.infos[0].tfxd, Some(Span { time: 1950, duration: 50 }));
        assert_eq!(read.infos[0].tfrf.len(), 2);
    }
}

#[test]
fn quirk_68_sizes_of_64_bits_on_every_box() {
    let trun = boxed64(b"trun", &full_payload(0, 0x300, &words(&[1, 10, 2])));
    let tfhd = boxed64(b"tfhd", &full_payload(0, 0, &words(&[9])));
    let tfxd = boxed64(b"uuid", &[&ids::TFXD[..], &full_payload(1, 0, &longs(&[5, 6]))].concat());
    let moof = boxed64(b"moof", &boxed64(b"traf", &[tfhd, trun, tfxd].concat()));
    let body = [boxed64(b"styp", b"iso6"), moof, boxed64(b"mdat", b"aa")].concat();
    let read = read(&body).unwrap();
    assert_eq!(read.samples(&body), [b"aa"]);
    assert_eq!((read.infos[0].track_id, read.infos[0].tfxd), (9, Some(Span { time: 5, duration: 6 })));
}

#[test]
fn quirk_69_defaults_come_from_tfhd_then_from_zeros() {
    let body1 = body(&[tfhd(0x3A, &[1, 512, 2, 0x0001_0000]), trun(0, 3, &[])], b"aabbcc");
    let read1 = read(&body1).unwrap();
    assert_eq!(read1.samples(&body1), [b"aa", b"bb", b"cc"]);
    assert!(read1.table.samples().iter().all(|s| s.duration == 512 && !s.is_sync()));
    let body2 = body(&[tfhd(0, &[]), trun(0x200, 3, &[2, 2, 2])], b"aabbcc");
    let mut read2 = read(&body2).unwrap();
    assert_eq!(read2.table.total_duration(), 0);
    read2.table.spread(100);
    assert_eq!(read2.table.samples().iter().map(|s| s.duration).collect::<Vec<_>>(), [33, 33, 34]);
    // Durations that are there stay.
    read2.table.spread(900);
    assert_eq!(read2.table.total_duration(), 100);
}

#[test]
fn quirk_70_unknown_boxes_are_passed_over() {
    let strange = boxed(b"qqqq", b"1234");
    let traf =
        [strange.clone(), tfhd(0, &[]), boxed(b"sdtp", &[0; 6]), trun(0x200, 1, &[2]), uuid(&[7; 16], b"?")]
            .concat();
    let moof = boxed(b"moof", &[strange.clone(), mfhd(3), boxed(b"traf", &traf), strange.clone()].concat());
    let body = [strange.clone(), moof, strange.clone(), mdat(b"aa"), strange].concat();
    assert_eq!(read(&body).unwrap().samples(&body), [b"aa"]);
}

#[test]
fn quirk_65_traps_of_tfdt_leave_every_duration_alone() {
    // Nothing, another scale, a 32-bit field with the bits of 64, before zero, and cut short.
    let traps = [
        full(b"tfdt", 1, 0, &longs(&[0])),
        full(b"tfdt", 1, 0, &longs(&[9000 * 9 / 1000])),
        full(b"tfdt", 0, 0, &longs(&[9000])),
        full(b"tfdt", 1, 0, &longs(&[u64::MAX])),
        full(b"tfdt", 1, 0, &[1, 2, 3]),
        boxed(b"tfdt", &[]),
    ];
    for trap in traps {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0]] {
            let parts = [tfhd(0, &[]), trap.clone(), tfxd(1, 9000, 10), trun(0x300, 2, &[4, 1, 6, 1])];
            let body = body(&order.map(|i| parts[i].clone()), b"ab");
            let read = read(&body).unwrap();
            assert_eq!(read.infos[0].tfxd, Some(Span { time: 9000, duration: 10 }));
            assert_eq!(read.table.samples().iter().map(|s| s.duration).collect::<Vec<_>>(), [4, 6]);
        }
    }
}

#[test]
fn quirk_66_negative_data_offset_uses_the_payload() {
    for offset in [-1, -8, -500, i32::MIN] {
        // Alone, and before a run that is right.
        let one = body(&[tfhd(0, &[]), trun(0x201, 2, &[offset as u32, 2, 3])], b"aabbb");
        assert_eq!(read(&one).unwrap().samples(&one), [&b"aa"[..], b"bbb"]);
        let moof = moof_with(|size| {
            vec![tfhd(0, &[]), trun(0x201, 1, &[offset as u32, 2]), trun(0x201, 1, &[size + 8 + 2, 3])]
        });
        let two = [moof, mdat(b"aabbb")].concat();
        assert_eq!(read(&two).unwrap().samples(&two), [&b"aa"[..], b"bbb"]);
    }
}

#[test]
fn quirk_66_offsets_from_the_start_of_the_body_or_of_the_file_use_the_payload() {
    let lead = boxed(b"styp", b"iso6iso6");
    for from in [0, 4_000_000] {
        let moof = moof_with(|size| {
            vec![tfhd(0, &[]), trun(0x201, 2, &[lead.len() as u32 + size + 8 + from, 2, 3])]
        });
        let body = [lead.clone(), moof, mdat(b"aabbb")].concat();
        assert_eq!(read(&body).unwrap().samples(&body), [&b"aa"[..], b"bbb"]);
    }
}

#[test]
fn quirk_67_tfrf_stands_before_trun() {
    let tfrf = tfrf(1, 1, &[(2000, 50)]);
    for children in [
        vec![tfrf.clone(), tfhd(0, &[]), trun(0x300, 1, &[50, 2]), tfxd(1, 1950, 50)],
        vec![tfhd(0, &[]), tfxd(1, 1950, 50), tfrf.clone(), trun(0x300, 1, &[50, 2])],
        // A shorter one has padding after it.
        vec![
            tfhd(0, &[]),
            tfrf.clone(),
            boxed(b"free", &[0; 9]),
            trun(0x300, 1, &[50, 2]),
            tfxd(1, 1950, 50),
        ],
    ] {
        let body = body(&children, b"aa");
        let read = read(&body).unwrap();
        assert_eq!(read.samples(&body), [b"aa"]);
        assert_eq!(read.infos[0].following(1950).collect::<Vec<_>>(), [Span { time: 2000, duration: 50 }]);
    }
}

#[test]
fn quirk_69_each_number_may_be_a_default_alone() {
    // Bit of tfhd, its value, bit of trun, and what the trun says then.
    let sample = |tfhd_bits: u32, defaults: &[u32], bits: u32, fields: &[u32]| {
        let body = body(&[tfhd(tfhd_bits, defaults), trun(bits, 2, fields)], b"aabb");
        let read = read(&body).unwrap();
        let s = read.table.samples();
        assert_eq!(read.samples(&body), [b"aa", b"bb"]);
        s.iter().map(|s| (s.duration, s.flags)).collect::<Vec<_>>()
    };
    let flags = 0x0101_0000;
    assert_eq!(sample(0x08, &[7], 0x200, &[2, 2]), [(7, 0), (7, 0)]);
    assert_eq!(sample(0x10, &[2], 0x100, &[5, 6]), [(5, 0), (6, 0)]);
    assert_eq!(sample(0x20, &[flags], 0x300, &[5, 2, 6, 2]), [(5, flags), (6, flags)]);
    assert_eq!(sample(0x30, &[2, flags], 0x104, &[0x0200_0000, 5, 6]), [(5, 0x0200_0000), (6, flags)]);
    // What each sample says goes before the default.
    assert_eq!(sample(0x38, &[7, 9, flags], 0x700, &[5, 2, 1, 6, 2, 3]), [(5, 1), (6, 3)]);
}

#[test]
fn quirk_74_flags_of_every_picture_may_say_key_frame() {
    let body = body(&[tfhd(0x20, &[0x0200_0000]), trun(0x300, 3, &[1, 1, 1, 1, 1, 1])], b"abc");
    let read = read(&body).unwrap();
    assert!(read.table.samples().iter().all(|s| s.is_sync()), "so no one may count on it");
}

#[test]
fn quirk_80_one_picture_lasts_as_long_as_its_fragment() {
    for children in [
        vec![tfhd(0, &[]), trun(0x200, 1, &[4])],
        vec![tfhd(0x18, &[0, 4]), trun(0, 1, &[])],
        vec![tfhd(0, &[]), trun(0x300, 1, &[0, 4])],
    ] {
        let body = body(&children, b"idr.");
        let mut read = read(&body).unwrap();
        read.table.spread(20_000_000);
        assert_eq!(read.table.samples()[0].duration, 20_000_000);
        assert_eq!(read.samples(&body), [b"idr."]);
    }
}

#[test]
fn several_trun_share_one_payload() {
    let all = Parts { time: 5, samples: (0..6u8).map(|i| (10, 0, 0, vec![i; 1 + usize::from(i)])).collect() };
    let (a, bc) = all.split(1);
    let (b, c) = bc.split(3);
    let runs = |with: [bool; 3]| {
        let moof = moof_with(|size| {
            let mut at = size + 8;
            let mut children = vec![tfhd(0, &[])];
            for (run, with) in [&a, &b, &c].into_iter().zip(with) {
                children.push(run.run(with.then_some(at)));
                at += run.payload().len() as u32;
            }
            children
        });
        [moof, mdat(&all.payload())].concat()
    };
    for n in 0..8 {
        let body = runs([n & 1 != 0, n & 2 != 0, n & 4 != 0]);
        let read = read(&body).unwrap();
        assert_eq!(read.samples(&body).concat(), all.payload(), "{n:03b}");
        assert_eq!(read.table.total_duration(), 60);
    }
}

#[test]
fn boxes_of_newer_packagers_stand_around() {
    let one = usual();
    let event = full(b"emsg", 1, 0, &[0; 40]);
    let producer = full(b"prft", 1, 0, &[0; 20]);
    let index = full(b"sidx", 0, 0, &[0; 24]);
    let own = uuid(&[0x5A; 16], b"whatever");
    let lead = [boxed(b"styp", b"cmfccmfc"), producer, index, event, own.clone()].concat();
    for body in [
        [lead.clone(), one.clone()].concat(),
        [lead.clone(), one.clone(), boxed(b"mfra", &[0; 30]), boxed(b"free", &[])].concat(),
        // Text behind the fragment is no box at all.
        [one.clone(), b"<!-- served by edge 7 -->".to_vec()].concat(),
        // An mdat that no moof asks for.
        [mdat(b"lost"), one.clone(), mdat(b"more")].concat(),
    ] {
        let read = read(&body).unwrap();
        assert_eq!(read.samples(&body), [&b"aaaa"[..], b"bbbbb", b"cccccc"]);
    }
}

#[test]
fn a_page_with_status_200_is_no_fragment() {
    for page in [
        &b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome to our hotel</body></html>"
            [..],
        b"<html></html>",
        b"{\"error\":\"token expired\"}",
        b"#EXTM3U\n#EXT-X-VERSION:3\n",
        b"\xEF\xBB\xBF<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
        b"\r\n\r\n\r\n\r\n",
        b"404",
        b"",
    ] {
        for length in [None, Some(page.len() as u64)] {
            for piece in [1, usize::MAX] {
                let e = read_with(page, length, piece, &smoothcore::limits::Limits::default()).unwrap_err();
                assert_eq!(e.code, Code::FragmentNotMp4, "{}", String::from_utf8_lossy(page));
            }
        }
    }
}

#[test]
fn a_truncated_body_is_never_a_shorter_fragment() {
    let whole = usual();
    for cut in 0..whole.len() {
        // Neither with a length that tells, nor with one that lies, nor with none.
        for length in [None, Some(cut as u64), Some(whole.len() as u64)] {
            let e = read_with(&whole[..cut], length, usize::MAX, &Default::default()).unwrap_err();
            assert!(matches!(e.code, Code::FragmentTruncated | Code::FragmentNotMp4), "{cut}: {e}");
        }
    }
    // An mdat to the end of the body has no size to be short of; its samples have.
    let mut open = whole.clone();
    let at = open.windows(4).position(|w| w == b"mdat").unwrap() - 4;
    open[at..at + 4].fill(0);
    assert_eq!(read(&open).unwrap().samples(&open).len(), 3);
    for cut in at + 8..open.len() {
        assert_eq!(read(&open[..cut]).unwrap_err().code, Code::SamplesOutside, "{cut}");
    }
}
