//! What a day-long manifest costs on the heap, as an allocator sees it that never grows anything in place.

use crate::counting::{held, peak, restart_peak};
use smoothcore::limits::Limits;
use smoothcore::manifest::ManifestParser;
use smoothcore::mem::Account;

const STREAMS: u32 = 10;
const FRAGMENTS: u32 = 43_200;

/// Ten streams of a day each, in fragments of about two seconds.
fn day(duration: impl Fn(u32) -> u32) -> String {
    let mut text = String::from(
        "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"864000000000\">",
    );
    for stream in 0..STREAMS {
        text += &format!(
            "<StreamIndex Type=\"audio\" Name=\"a{stream}\" Chunks=\"{FRAGMENTS}\" QualityLevels=\"1\" \
             Url=\"QualityLevels({{bitrate}})/Fragments(a{stream}={{start time}})\"><QualityLevel Index=\"0\" \
             Bitrate=\"96000\" FourCC=\"AACL\" SamplingRate=\"48000\" Channels=\"2\" CodecPrivateData=\"1190\"/>"
        );
        for n in 0..FRAGMENTS {
            text += &format!("<c d=\"{}\"/>", duration(n));
        }
        text += "</StreamIndex>";
    }
    text + "</SmoothStreamingMedia>"
}

/// Parses in pieces as they come off a network; the most the heap held, and what the account says it was.
fn peaks(document: &str) -> (isize, isize) {
    let before = held();
    restart_peak();
    let mut account = Account::new(64 << 20);
    let mut parser = ManifestParser::new(&Limits::default());
    for piece in document.as_bytes().chunks(1460) {
        parser.feed(&mut account, piece).unwrap();
    }
    let mut manifest = parser.finish().unwrap();
    parser.free(&mut account);
    assert_eq!(manifest.streams.len(), STREAMS as usize);
    assert!(manifest.streams.iter().all(|s| s.timeline.len() == FRAGMENTS && s.unusable.is_none()));
    let peak = peak() - before;
    manifest.free(&mut account);
    assert_eq!(held(), before, "nothing is left");
    println!("{} bytes: {peak} on the heap at most, {} on the account", document.len(), account.peak());
    (peak, account.peak() as isize)
}

#[test]
fn a_day_of_irregular_fragments_fits_in_four_mebibytes() {
    // No two neighbours are equal, and no pattern repeats.
    let (heap, account) = peaks(&day(|n| 20_000_000 + n.wrapping_mul(2_654_435_761) % 399_989));
    assert!(heap < 4 << 20, "{heap}");
    assert!(heap <= account, "{heap} on the heap, {account} on the account");
}

#[test]
fn a_day_of_equal_fragments_fits_in_a_quarter_of_one() {
    let (heap, account) = peaks(&day(|_| 20_000_000));
    assert!(heap < 256 << 10, "{heap}");
    assert!(heap <= account, "{heap} on the heap, {account} on the account");
}
