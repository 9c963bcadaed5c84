//! How fast a manifest is read, beside a loop that only looks at each byte.

use std::hint::black_box;

use smoothcore::limits::Limits;
use smoothcore::manifest::ManifestParser;
use smoothcore::mem::Account;

use crate::{best, manifest, megabytes_per_second};

/// Parses in pieces; how many fragments are listed.
pub fn parse(document: &[u8], piece: usize) -> u32 {
    let mut account = Account::new(64 << 20);
    let mut parser = ManifestParser::new(&Limits::default());
    for bytes in document.chunks(piece) {
        parser.feed(&mut account, bytes).expect("a good manifest");
    }
    let mut manifest = parser.finish().expect("a good manifest");
    parser.free(&mut account);
    let fragments = manifest.streams.iter().map(|s| s.timeline.len()).sum();
    manifest.free(&mut account);
    fragments
}

/// Counts what opens tags and values: the least a parser could do, one byte at a time.
fn scan(document: &[u8]) -> usize {
    let mut marks = 0;
    for byte in document {
        marks += usize::from(black_box(*byte) == b'<') + usize::from(*byte == b'"');
    }
    marks
}

pub fn measure() {
    for (name, document) in [("2 h", manifest::vod()), ("24 h", manifest::dvr())] {
        let document = document.as_bytes();
        let floor = best(20, || scan(document));
        println!(
            "parse: a manifest of {name}, {} bytes, {} fragments",
            document.len(),
            parse(document, 1460)
        );
        for (what, piece) in [("in pieces of 1460 bytes", 1460), ("in one piece", document.len())] {
            let took = best(20, || parse(document, piece));
            println!(
                "  {what:<26} {:>8.2} ms {:>7.0} MB/s",
                took.as_secs_f64() * 1e3,
                megabytes_per_second(document.len(), took)
            );
        }
        println!(
            "  {:<26} {:>8.2} ms {:>7.0} MB/s",
            "reference: look at a byte",
            floor.as_secs_f64() * 1e3,
            megabytes_per_second(document.len(), floor)
        );
    }
}
