//! What a parse costs, and what happens when that is more than there is.

use crate::support::*;
use smoothcore::limits::Limits;
use smoothcore::manifest::ManifestParser;
use smoothcore::mem::Account;

/// A day of ten streams, cut into fragments of two seconds, more or less.
fn day(duration: impl Fn(u32) -> u32) -> String {
    let mut streams = String::new();
    for stream in 0..10 {
        streams += &format!(
            "<StreamIndex Type='audio' Name='a{stream}' Url='Q({{bitrate}})/F(a{stream}={{start time}})'>"
        );
        streams += "<QualityLevel Bitrate='64000' FourCC='AACL' SamplingRate='48000'/>";
        for fragment in 0..43_200 {
            streams += &format!("<c d=\"{}\"/>\n", duration(fragment));
        }
        streams += "</StreamIndex>";
    }
    smooth("", &streams)
}

#[test]
fn a_day_of_irregular_fragments() {
    let document = day(|n| 20_000_000 + n.wrapping_mul(2_654_435_761) % 400_000);
    let (manifest, peak) = parse_pieces(&Limits::default(), document.as_bytes(), 1460).unwrap();
    assert_eq!(manifest.streams.iter().map(|s| s.timeline.len()).sum::<u32>(), 432_000);
    assert!(peak < 4 << 20, "{peak}");
}

#[test]
fn a_day_of_regular_fragments() {
    let document = day(|_| 20_000_000);
    for body in [gzip(document.as_bytes()), document.into_bytes()] {
        let (manifest, peak) = parse_pieces(&Limits::default(), &body, 1460).unwrap();
        assert_eq!(manifest.end_time().unwrap().0, 864_000_000_000);
        assert!(peak < 256 << 10, "{peak}");
    }
}

#[test]
fn a_type_that_stands_before_the_one_that_counts_leaves_nothing() {
    let stream = VIDEO.replacen("Type=", "Type='hologram' Type=", 1);
    assert_ne!(stream, VIDEO);
    // The next one takes its place.
    let document = smooth("", &format!("{stream}{VIDEO}"));
    let mut account = Account::new(1 << 20);
    let mut parser = ManifestParser::new(&Limits::default());
    parser.feed(&mut account, document.as_bytes()).unwrap();
    let mut manifest = parser.finish().unwrap();
    assert_eq!(manifest.streams.len(), 2);
    manifest.free(&mut account);
    parser.free(&mut account);
    assert_eq!(account.held(), 0);
}

#[test]
fn every_budget_that_is_too_small_is_an_error_and_leaves_nothing() {
    let custom = "<QualityLevel Bitrate='1' FourCC='AACL'><CustomAttributes><Attribute Name='a' Value='b'/></CustomAttributes></QualityLevel>";
    let children = format!(
        "{VIDEO}<StreamIndex Type='audio' Url='x'>{custom}<c d='5'/><c d='6'/><c d='900'/></StreamIndex><Protection>\
         <ProtectionHeader SystemID='9A04F079-9840-4286-AB92-E65BE0885F95'>AQIDBAUGBwg=</ProtectionHeader></Protection>"
    );
    let document = smooth("", &children);
    for body in [document.clone().into_bytes(), gzip(document.as_bytes())] {
        let (_, peak) = parse_pieces(&Limits::default(), &body, 7).unwrap();
        let step = (peak / 4000).max(1);
        for cap in (0..peak).step_by(step) {
            let mut account = Account::new(cap);
            let mut parser = ManifestParser::new(&Limits::default());
            let fed = body.chunks(7).try_for_each(|bytes| parser.feed(&mut account, bytes));
            let result = fed.and_then(|()| parser.finish());
            parser.free(&mut account);
            match result {
                Ok(mut manifest) => manifest.free(&mut account),
                Err(error) => assert_eq!(error.code.number(), -6, "{cap} of {peak}"),
            }
            assert_eq!(account.held(), 0, "{cap} of {peak}");
        }
    }
}
