//! The walk over a body finds its pairs while it arrives, and knows what is no fragment.

use crate::mp4_build::*;
use smoothcore::error::Code;
use smoothcore::limits::Limits;
use smoothcore::mp4::{Body, BodyEnd, BoxWalk, Found};

fn code(body: &[u8]) -> Code {
    let known = read(body).unwrap_err().code;
    assert_eq!(read_with(body, Some(body.len() as u64), 1, &Limits::default()).unwrap_err().code, known);
    known
}

/// The code without Content-Length, as the body arrives in pieces.
fn code_of_open(body: &[u8]) -> Code {
    read_with(body, None, 3, &Limits::default()).unwrap_err().code
}

fn open(bytes: &[u8]) -> Body<'_, [u8]> {
    Body { source: bytes, end: BodyEnd::Open, content_length: None }
}

#[test]
fn events_come_as_early_as_they_can() {
    let body = usual();
    let moof_size = body.len() - 8 - 15;
    let limits = Limits::default();
    let mut walk = BoxWalk::new();
    assert_eq!(walk.advance(&open(&body[..0]), &limits), Ok(Found::NeedMore { until: 8 }));
    assert!(matches!(walk.advance(&open(&body[..7]), &limits), Ok(Found::NeedMore { .. })));
    let whole = Found::NeedMore { until: moof_size as u64 };
    assert_eq!(walk.advance(&open(&body[..8]), &limits), Ok(whole));
    assert_eq!(walk.advance(&open(&body[..moof_size - 1]), &limits), Ok(whole));
    let moof = Found::Moof { offset: 0, size: moof_size as u32 };
    assert_eq!(walk.advance(&open(&body[..moof_size]), &limits), Ok(moof));
    assert!(matches!(walk.advance(&open(&body[..moof_size + 7]), &limits), Ok(Found::NeedMore { .. })));
    let mdat = Found::Mdat { payload_offset: moof_size as u64 + 8, payload_size: 15 };
    assert_eq!(walk.advance(&open(&body[..moof_size + 8]), &limits), Ok(mdat));
    let next = Found::NeedMore { until: body.len() as u64 + 8 };
    assert_eq!(walk.advance(&open(&body[..moof_size + 9]), &limits), Ok(next));
    assert_eq!(walk.advance(&open(&body), &limits), Ok(next));
    let ended = Body { source: &body[..], end: BodyEnd::Reached, content_length: None };
    assert_eq!(walk.advance(&ended, &limits), Ok(Found::End));
    let mut cut = walk;
    let short = Body { source: &body[..body.len() - 1], end: BodyEnd::Reached, content_length: None };
    assert_eq!(cut.advance(&short, &limits).unwrap_err().code, Code::FragmentTruncated);
}

#[test]
fn pieces_of_every_size_give_the_same() {
    let one = usual();
    let body =
        [boxed(b"styp", b"iso6"), one.clone(), boxed64(b"free", b"12"), one, boxed(b"mfra", b"")].concat();
    let whole = read(&body).unwrap();
    for piece in 1..40 {
        for length in [None, Some(body.len() as u64)] {
            let r = read_with(&body, length, piece, &Limits::default()).unwrap();
            assert_eq!(r.table.samples(), whole.table.samples());
            assert_eq!(r.infos, whole.infos);
        }
    }
}

#[test]
fn boxes_around_the_pair_are_passed_over() {
    let around =
        [b"styp", b"free", b"prft", b"emsg", b"sidx", b"mfra", b"mdat"].map(|kind| boxed(kind, b"payload"));
    let body =
        [around.concat(), uuid(&[9; 16], b"x"), usual(), around.concat(), uuid(&[9; 16], b"")].concat();
    assert_eq!(read(&body).unwrap().samples(&body).concat(), b"aaaabbbbbcccccc");
}

#[test]
fn an_mdat_may_reach_to_the_end() {
    let mut body = usual();
    let at = body.len() - 15 - 8;
    body[at..at + 4].fill(0);
    assert_eq!(read(&body).unwrap().samples(&body).concat(), b"aaaabbbbbcccccc");
    // Without Content-Length its size is known when the body has ended.
    let r = read_with(&body, None, 2, &Limits::default()).unwrap();
    assert_eq!(r.samples(&body).concat(), b"aaaabbbbbcccccc");
}

#[test]
fn a_page_with_status_200_is_no_fragment() {
    let pages: [&[u8]; 9] = [
        b"<!DOCTYPE html><html><body>Log in</body></html>",
        b"<?xml version=\"1.0\"?><tt/>",
        b"\r\n\r\n<html></html>",
        b"{\"error\":404}",
        b"Not found",
        b"OK",
        b"",
        b"\xEF\xBB\xBF<html>",
        &[0; 40],
    ];
    for page in pages {
        assert_eq!(code(page), Code::FragmentNotMp4, "{page:?}");
        assert_eq!(code_of_open(page), Code::FragmentNotMp4, "{page:?}");
    }
    // A page that is longer than the header is refused at once, not when it has arrived.
    let early = BoxWalk::new().advance(&open(b"<html>..."), &Limits::default());
    assert_eq!(early.unwrap_err().code, Code::FragmentNotMp4);
}

#[test]
fn boxes_without_moof_are_no_fragment() {
    for body in [boxed(b"ftyp", b"isom"), mdat(b"abc"), [boxed(b"styp", b""), mdat(b"")].concat()] {
        assert_eq!(code(&body), Code::FragmentNotMp4);
        assert_eq!(code_of_open(&body), Code::FragmentNotMp4);
    }
}

#[test]
fn a_box_smaller_than_its_header_is_invalid() {
    for size in [2u32, 7] {
        let mut body = usual();
        body[..4].copy_from_slice(&size.to_be_bytes());
        assert_eq!(code(&body), Code::BoxInvalid);
    }
    let mut small64 = boxed64(b"moof", b"");
    small64[15] = 15;
    assert_eq!(code(&small64), Code::BoxInvalid);
    let small_uuid = boxed(b"uuid", b"tooshort");
    assert_eq!(code(&[small_uuid, usual()].concat()), Code::BoxInvalid);
    let mut overflow = boxed64(b"moof", b"12345678");
    overflow[8..16].fill(0xFF);
    let body = [boxed(b"free", b""), overflow].concat();
    assert_eq!(code(&body), Code::BoxInvalid);
}

#[test]
fn faults_behind_a_pair_do_not_matter_but_for_a_moof() {
    for tail in [
        &[0, 0, 0, 3, b'x', b'x', b'x', b'x'][..],
        b"<!-- cache miss -->",
        &[0; 11],
        b"\n",
        &[0, 0, 1, 0, b'm', b'f', b'r', b'a'],
    ] {
        let body = [&usual()[..], tail].concat();
        assert_eq!(read(&body).unwrap().samples(&body).len(), 3);
        assert_eq!(read_with(&body, None, 1, &Limits::default()).unwrap().samples(&body).len(), 3);
    }
    let body = [usual(), vec![0, 0, 0, 3], b"moof".to_vec()].concat();
    assert_eq!(code(&body), Code::BoxInvalid);
    let body = [usual(), usual()[..60].to_vec()].concat();
    assert_eq!(code(&body), Code::FragmentTruncated);
    let body = [usual(), usual()[..usual().len() - 1].to_vec()].concat();
    assert_eq!(code(&body), Code::FragmentTruncated);
}

#[test]
fn a_size_beyond_the_body_is_told_before_it_has_arrived() {
    let body = usual();
    let limits = Limits::default();
    let early = Body { source: &body[..8], end: BodyEnd::Open, content_length: Some(20) };
    assert_eq!(BoxWalk::new().advance(&early, &limits).unwrap_err().code, Code::FragmentTruncated);
    let mut walk = BoxWalk::new();
    let almost =
        |end| Body { source: &body[..end], end: BodyEnd::Open, content_length: Some(body.len() as u64 - 1) };
    assert!(matches!(walk.advance(&almost(body.len() - 15), &limits), Ok(Found::Moof { .. })));
    let refused = walk.advance(&almost(body.len() - 15), &limits).unwrap_err();
    assert_eq!((refused.code, refused.place.at), (Code::FragmentTruncated, "mdat"));
    // It stays refused.
    assert_eq!(walk.advance(&almost(body.len() - 1), &limits), Err(refused));
}

#[test]
fn limits_of_bytes() {
    let limits = Limits { moof_bytes: 100, fragment_bytes: 1000, ..Limits::default() };
    let refused = |body: &[u8], length: Option<u64>| read_with(body, length, 1, &limits).unwrap_err().code;
    let long_moof = [boxed(b"moof", &[0; 93]), mdat(b"")].concat();
    assert_eq!(refused(&long_moof, None), Code::LimitMoofBytes);
    let endless_moof = [&[0, 0, 0, 0][..], b"moof", &[0; 200]].concat();
    assert_eq!(refused(&endless_moof, None), Code::LimitMoofBytes);
    assert_eq!(refused(b"", Some(1001)), Code::LimitFragmentBytes);
    assert_eq!(refused(&boxed(b"free", &[0; 2000]), None), Code::LimitFragmentBytes);
    let moof = boxed(b"moof", &boxed(b"traf", &tfhd(0, &[])));
    let mut large = [moof.clone(), mdat(b"")].concat();
    let at = large.len() - 8;
    large[at..at + 4].copy_from_slice(&0x7000_0000u32.to_be_bytes());
    assert_eq!(refused(&large, None), Code::LimitFragmentBytes);
    let mut large64 = [moof.clone(), boxed64(b"mdat", b"")].concat();
    let at = large64.len() - 8;
    large64[at] = 0x7F;
    assert_eq!(refused(&large64, None), Code::LimitFragmentBytes);
    let endless = [moof, [&[0; 4][..], b"mdat", &[0; 1000]].concat()].concat();
    assert_eq!(refused(&endless, None), Code::LimitFragmentBytes);
}

#[test]
fn limits_of_boxes() {
    let limits = Limits { box_children: 10, ..Limits::default() };
    let free = boxed(b"free", b"");
    let nine = [free.repeat(8), usual()].concat();
    assert!(read_with(&nine, None, 1, &limits).is_ok());
    for body in [[free.repeat(9), usual()].concat(), [usual(), free.repeat(9)].concat(), free.repeat(2000)] {
        for piece in [1, usize::MAX] {
            assert_eq!(read_with(&body, None, piece, &limits).unwrap_err().code, Code::LimitBoxes);
        }
    }
}

#[test]
fn a_moof_whose_data_never_comes() {
    let moof = moof(&[tfhd(0, &[]), trun(0x200, 1, &[1])]);
    assert_eq!(code(&moof), Code::FragmentTruncated);
    let body = [moof, usual()].concat();
    assert_eq!(code(&body), Code::SamplesOutside);
}
