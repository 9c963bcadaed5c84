//! What C programs cannot see well: ages of structs, bounds of text. The rest is tested from C, in `tests/c`.

use core::fmt::Write;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::media::{smoothcore_buffered, smoothcore_event};
use super::record;
use super::text::{self, Line};
use crate::error::Code;

/// A later version of `smoothcore_buffered`, as bytes: the known part, then `tail`.
fn later(tail: &[u8]) -> Vec<u64> {
    let known = smoothcore_buffered { dropped: 3, depth_us: 5, position: 7, ..record::blank() };
    // SAFETY: a record's bytes are integers here.
    let bytes: [u8; size_of::<smoothcore_buffered>()] = unsafe { core::mem::transmute(known) };
    let mut all = bytes.to_vec();
    all.extend_from_slice(tail);
    let size = all.len() as u32;
    all[..4].copy_from_slice(&size.to_ne_bytes());
    all.resize(all.len().next_multiple_of(8), 0);
    // Words, for the alignment.
    all.chunks(8).map(|w| u64::from_ne_bytes(w.try_into().unwrap())).collect()
}

fn read(words: &[u64]) -> Result<smoothcore_buffered, Code> {
    // SAFETY: the declared size lies within the words.
    unsafe { record::read(words.as_ptr().cast()) }
}

#[test]
fn a_longer_struct_is_read_when_its_tail_is_zero() {
    let got = read(&later(&[0; 24])).unwrap();
    assert_eq!((got.dropped, got.depth_us, got.position), (3, 5, 7));
    assert_eq!(got.struct_size as usize, size_of::<smoothcore_buffered>());
    for place in [0, 11, 23] {
        let mut tail = [0; 24];
        tail[place] = 1;
        assert_eq!(read(&later(&tail)).err(), Some(Code::Abi), "{place}");
    }
    assert_eq!(read(&later(&[0; 5000])).err(), Some(Code::Abi), "no version is so long");
}

#[test]
fn a_shorter_struct_continues_with_zeros() {
    for size in 4..=24u32 {
        let mut words = later(&[]);
        let size_and_dropped = words[0].to_ne_bytes();
        let mut first = size.to_ne_bytes().to_vec();
        first.extend_from_slice(&size_and_dropped[4..]);
        words[0] = u64::from_ne_bytes(first.try_into().unwrap());
        let got = read(&words).unwrap();
        let whole = |end: u32, value: u64| if size >= end { value } else { 0 };
        if size % 8 == 0 {
            assert_eq!(u64::from(got.dropped), whole(8, 3));
            assert_eq!(got.depth_us, whole(16, 5));
            assert_eq!(got.position as u64, whole(24, 7));
        }
    }
    assert_eq!(read(&[3]).err(), Some(Code::Abi));
    // SAFETY: NULL is allowed.
    assert_eq!(unsafe { record::read::<smoothcore_buffered>(core::ptr::null()) }.err(), Some(Code::Argument));
}

#[test]
fn a_struct_is_written_as_far_as_its_owner_knows_it() {
    let value = smoothcore_buffered { dropped: 3, depth_us: 5, position: 7, ..record::blank() };
    for size in [4u32, 8, 16, 24, 32] {
        let mut words = vec![u64::from_ne_bytes([0xAA; 8]); 5];
        let mut first = size.to_ne_bytes().to_vec();
        first.extend_from_slice(&[0xAA; 4]);
        words[0] = u64::from_ne_bytes(first.try_into().unwrap());
        // SAFETY: five words are more than any size here.
        unsafe { record::write(words.as_mut_ptr().cast(), &value) }.unwrap();
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).collect();
        assert_eq!(bytes[..4], size.to_ne_bytes(), "its own size stays");
        assert!(bytes[size as usize..].iter().all(|b| *b == 0xAA), "{size}: nothing behind it is touched");
        if size >= 16 {
            assert_eq!((bytes[4], bytes[8]), (3, 5));
        }
        if size == 32 {
            assert_eq!(words[3], 0, "an unknown tail becomes zero");
        }
    }
}

#[test]
fn text_is_cut_at_a_character() {
    let mut line = Line::<8>::new();
    line.write_str("abcdé€x").unwrap();
    // SAFETY: a line ends with NUL.
    let read = unsafe { core::ffi::CStr::from_ptr(line.as_ptr()) }.to_str().unwrap();
    assert_eq!(read, "abcdé");
    let cut: [core::ffi::c_char; 6] = text::array("a\0bcdefgh");
    assert_eq!(cut.map(|c| c as u8), *b"a bcd\0");
}

#[test]
fn urls_are_bounded_and_utf8() {
    let url = |bytes: &[u8], most: usize| {
        // SAFETY: every one ends with NUL.
        unsafe { text::url(bytes.as_ptr().cast(), most) }.map(String::from)
    };
    assert_eq!(url(b"http://a/\0", 9).as_deref(), Ok("http://a/"));
    assert_eq!(url(b"http://a/\0", 8), Err(Code::LimitUrl));
    assert_eq!(url(b"http://\xFF/\0", 64), Err(Code::UrlInvalid));
    // SAFETY: NULL is allowed.
    assert_eq!(unsafe { text::url(core::ptr::null(), 64) }, Err(Code::Argument));
}

#[test]
fn an_event_of_the_core_reads_the_same_in_c() {
    use crate::error::Error;
    use crate::io::{Event, EventKind, StreamId};
    use crate::time::Instant;
    let event = Event::new(EventKind::Gap, Instant(9)).about(StreamId(2));
    let event = event.because(Error::at(Code::BoxInvalid, "moof/traf/trun", 77)).numbers(5, 6);
    let c: smoothcore_event = super::fill::event(&event);
    assert_eq!((c.kind, c.at_us, c.stream, c.code, c.offset), (7, 9, 2, -301, 77));
    assert_eq!((c.a, c.b, c.media_time), (5, 6, i64::MIN));
    let place: Vec<u8> = c.place.iter().map(|b| *b as u8).take_while(|b| *b != 0).collect();
    assert_eq!(place, b"moof/traf/trun");
}
