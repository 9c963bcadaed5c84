//! Documents and boxes, announcements.

use super::sparse::ANNOUNCED;
use super::*;

#[test]
fn documents_are_told_from_boxes() {
    let yes: [&[u8]; 7] = [
        b"<?xml version=\"1.0\"?>",
        b"\r\n  <tt xmlns=\"http://www.w3.org/ns/ttml\">",
        b"\xEF\xBB\xBF<tt/>",
        b"\xFF\xFE<\0t\0t\0",
        b"\xFE\xFF\0<\0t\0t",
        b"\0<\0?\0x\0m\0l",
        b"WEBVTT\n\n00:01.000 --> 00:02.000",
    ];
    for head in yes {
        assert_eq!(is_document(head, true), Some(true), "{head:?}");
    }
    let no: [&[u8]; 4] = [b"\0\0\x01\x20moof", b"\0\0\0\x18styp", b"<!DOCTYPE html><html>", b"Not found"];
    for head in no {
        assert_eq!(is_document(head, true), Some(false), "{head:?}");
    }
    for head in [&b""[..], b"\r\n", b"<!doc", b"WEB", b"\0<\0"] {
        assert_eq!(is_document(head, false), None, "{head:?}");
    }
    assert_eq!(is_document(b"", true), Some(true), "no text at all is no fault");
}

#[test]
fn announcements_wait_in_order_and_the_oldest_go() {
    let mut sparse = Sparse::new();
    for start in [50, 10, 30, 10, 90, 70] {
        sparse.announce(start);
    }
    assert_eq!(sparse.announced.as_slice(), [10, 30, 50, 70, 90]);
    sparse.taken_up(50);
    sparse.newest = Some(60);
    sparse.announce(60);
    assert_eq!(sparse.announced.as_slice(), [10, 30, 70, 90]);
    for start in 100..110 {
        sparse.announce(start);
    }
    assert_eq!(sparse.announced.len(), ANNOUNCED);
    assert_eq!(sparse.announced.last(), Some(&109));
}
