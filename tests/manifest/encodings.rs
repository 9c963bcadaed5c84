//! The same manifest in every encoding and compression is the same model.

use crate::support::*;
use smoothcore::inflate::Encoding;
use smoothcore::limits::Limits;
use smoothcore::manifest::{Manifest, ManifestParser};
use smoothcore::mem::{Account, List};

/// All of a manifest but where its deviations lie, which differs from encoding to encoding.
fn model(mut manifest: Manifest) -> String {
    manifest.deviations = List::new();
    format!("{manifest:?}")
}

fn document() -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<!-- made by hand -->\r\n{}",
        smooth("Duration='50000000'", &VIDEO.replace("Type=", "Name='b\u{fc}hne \u{1F3AC}' Type="))
    )
}

#[test]
fn every_encoding_gives_the_same_model() {
    let text = document();
    let plain = model(parse(&text));
    assert!(plain.contains('\u{1F3AC}') || plain.contains("240, 159, 142, 172"));
    let marked = format!("\u{FEFF}{text}");
    for bytes in [
        marked.as_bytes().to_vec(),
        utf16(&marked, u16::to_le_bytes),
        utf16(&marked, u16::to_be_bytes),
        utf16(&text, u16::to_le_bytes),
        utf16(&text, u16::to_be_bytes),
        gzip(text.as_bytes()),
        gzip(&utf16(&marked, u16::to_le_bytes)),
    ] {
        assert_eq!(model(try_parse(&bytes).unwrap()), plain);
    }
}

#[test]
fn latin_1_only_when_declared() {
    let text = document().replace("utf-8", "ISO-8859-1").replace(" \u{1F3AC}", "");
    let latin: Vec<u8> = text.chars().map(|c| c as u8).collect();
    assert_eq!(&*try_parse(&latin).unwrap().streams[0].name, "b\u{fc}hne");
    let undeclared: Vec<u8> = text.replace("ISO-8859-1", "utf-8").chars().map(|c| c as u8).collect();
    assert_eq!(try_parse(&undeclared).unwrap_err().code.number(), -101);
}

#[test]
fn declared_compression() {
    let text = document();
    let plain = model(parse(&text));
    let bodies = [
        (Encoding::Gzip, gzip(text.as_bytes())),
        (Encoding::Gzip, text.clone().into_bytes()),
        (Encoding::Deflate, zlib(text.as_bytes())),
        (Encoding::Deflate, stored(text.as_bytes())),
    ];
    for (encoding, body) in bodies {
        for piece in [1, 7, 1460, body.len()] {
            let mut account = Account::new(1 << 20);
            let mut parser = ManifestParser::new(&Limits::default());
            parser.set_encoding(encoding);
            for bytes in body.chunks(piece) {
                parser.feed(&mut account, bytes).unwrap();
            }
            let mut manifest = parser.finish().unwrap();
            parser.free(&mut account);
            manifest.deviations.free(&mut account);
            assert_eq!(format!("{manifest:?}"), plain, "{encoding:?} in pieces of {piece}");
            manifest.free(&mut account);
            assert_eq!(account.held(), 0);
        }
    }
}

#[test]
fn compressed_data_cut_short() {
    let body = gzip(document().as_bytes());
    for cut in [1, 5, 11, 40, body.len() - 9, body.len() - 1] {
        let code = try_parse(&body[..cut]).unwrap_err().code.number();
        assert!(code == -143 || cut == 1 && code == -109, "cut at {cut}: {code}");
    }
    let mut wrong = body.clone();
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(try_parse(&wrong).unwrap_err().code.number(), -142);
}
