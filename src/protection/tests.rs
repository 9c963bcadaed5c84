//! What headers of packagers say, and what hostile ones get.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::playready::Algorithm;
use super::*;
use crate::mem::List;

const KID: Kid = Kid([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
/// [`KID`] in GUID order and base64.
const KID_TEXT: &str = "BAMCAQYFCAcJCgsMDQ4PEA==";
const OTHER_TEXT: &str = "AAAAAAAAAAAAAAAAAAAAAQ==";
const NAMESPACE: &str = "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader";

fn wrm(version: &str, data: &str) -> String {
    format!("<WRMHEADER xmlns=\"{NAMESPACE}\" version=\"{version}\"><DATA>{data}</DATA></WRMHEADER>")
}

fn wrm_4_0() -> String {
    wrm(
        "4.0.0.0",
        &format!("<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{KID_TEXT}</KID>"),
    )
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn object(records: &[(u16, &[u8])]) -> Vec<u8> {
    let total = 6 + records.iter().map(|(_, content)| 4 + content.len()).sum::<usize>();
    let mut out = (total as u32).to_le_bytes().to_vec();
    out.extend((records.len() as u16).to_le_bytes());
    for (kind, content) in records {
        out.extend(kind.to_le_bytes());
        out.extend((content.len() as u16).to_le_bytes());
        out.extend(*content);
    }
    out
}

fn of_text(text: &str) -> Vec<u8> {
    object(&[(1, &utf16(text))])
}

/// Reads `data` on an account that must be empty again in the end.
fn reading(data: &[u8]) -> core::result::Result<Found, (Code, &'static str, u64)> {
    let mut account = Account::new(1 << 20);
    let result = playready::read(data, &mut account, &Limits::default());
    let found = result.map(|mut header| {
        let found = Found {
            version: header.version,
            keys: header.keys.to_vec(),
            la_url: header.la_url.to_string(),
            lui_url: header.lui_url.to_string(),
            ds_id: header.ds_id,
            scheme: header.scheme(),
        };
        header.free(&mut account);
        found
    });
    assert_eq!(account.held(), 0);
    found.map_err(|e| (e.code, e.place.at, e.place.offset))
}

#[derive(Debug, PartialEq)]
struct Found {
    version: (u8, u8),
    keys: Vec<Key>,
    la_url: String,
    lui_url: String,
    ds_id: Option<[u8; 16]>,
    scheme: Option<Scheme>,
}

#[track_caller]
fn good(data: &[u8]) -> Found {
    reading(data).unwrap()
}

#[track_caller]
fn bad(data: &[u8]) -> (Code, &'static str, u64) {
    reading(data).unwrap_err()
}

#[track_caller]
fn kids(data: &[u8]) -> Vec<Kid> {
    good(data).keys.iter().map(|key| key.kid).collect()
}

#[test]
fn the_smallest_object() {
    let data = of_text(&wrm_4_0());
    assert_eq!(data.len(), 452);
    assert_eq!(
        data[..16],
        [0xc4, 1, 0, 0, 1, 0, 1, 0, 0xba, 1, 0x3c, 0, 0x57, 0, 0x52, 0],
        "length, count, type, length, text"
    );
    let found = good(&data);
    assert_eq!(found.version, (4, 0));
    assert_eq!(found.scheme, Some(Scheme::AesCtr));
    assert_eq!(found.keys, [Key { kid: KID, algorithm: Some(Algorithm::AesCtr), checksum: None }]);
    assert_eq!((found.la_url.as_str(), found.lui_url.as_str(), found.ds_id), ("", "", None));
}

#[test]
fn a_kid_has_two_byte_orders() {
    let guid = [4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16];
    assert_eq!(KID.to_guid(), guid);
    assert_eq!(Kid::from_guid(guid), KID);
}

#[test]
fn every_version_is_read() {
    let checksum = Some([0xd6, 0x16, 0xba, 0xfe, 0xb4, 0x7d, 0x97, 0x83]);
    let v4_0 = wrm(
        "4.0.0.0",
        &format!(
            "<KID>{KID_TEXT}</KID><CHECKSUM>1ha6/rR9l4M=</CHECKSUM>\
             <PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO>"
        ),
    );
    let v4_1 = wrm(
        "4.1.0.0",
        &format!(
            "<PROTECTINFO><KID VALUE=\"{KID_TEXT}\" ALGID=\"AESCTR\" CHECKSUM=\"1ha6/rR9l4M=\"></KID></PROTECTINFO>"
        ),
    );
    for (text, version) in [(v4_0, (4, 0)), (v4_1, (4, 1))] {
        let found = good(&of_text(&text));
        assert_eq!(found.version, version);
        assert_eq!(found.keys, [Key { kid: KID, algorithm: Some(Algorithm::AesCtr), checksum }]);
    }

    let v4_2 = wrm(
        "4.2.0.0",
        &format!(
            "<PROTECTINFO><KIDS><KID ALGID='AESCTR' VALUE='{KID_TEXT}'/>\
             <KID ALGID='AESCTR' CHECKSUM='1ha6/rR9l4M=' VALUE='{OTHER_TEXT}'></KID></KIDS></PROTECTINFO>"
        ),
    );
    let found = good(&of_text(&v4_2));
    assert_eq!(found.version, (4, 2));
    assert_eq!(found.keys.len(), 2);
    assert_eq!((found.keys[0].kid, found.keys[0].checksum), (KID, None));
    assert_eq!((found.keys[1].kid.0[15], found.keys[1].checksum), (1, checksum));

    let v4_3 = wrm(
        "4.3.0.0",
        &format!(
            "<PROTECTINFO LICENSEREQUESTED=\"true\"><KIDS><KID ALGID=\"AESCBC\" VALUE=\"{KID_TEXT}\"></KID></KIDS></PROTECTINFO>"
        ),
    );
    let found = good(&of_text(&v4_3));
    assert_eq!((found.version, found.scheme), ((4, 3), Some(Scheme::Cbcs)));
    assert_eq!(found.keys[0].algorithm, Some(Algorithm::AesCbc));

    // A version to come, and none at all.
    assert_eq!(good(&of_text(&wrm("5.17.0.0", ""))).version, (5, 17));
    assert_eq!(good(&of_text(&wrm("soon", ""))).version, (0, 0));
    assert_eq!(good(&of_text("<WRMHEADER/>")).keys, []);
}

#[test]
fn the_old_cipher_is_named_but_no_scheme() {
    let text = wrm(
        "4.0.0.0",
        &format!(
            "<PROTECTINFO><KEYLEN>7</KEYLEN><ALGID>COCKTAIL</ALGID></PROTECTINFO><KID>{KID_TEXT}</KID>\
             <CHECKSUM>AQIDBAUGBw==</CHECKSUM>"
        ),
    );
    let found = good(&of_text(&text));
    assert_eq!(found.scheme, None);
    assert_eq!(found.keys[0].algorithm, Some(Algorithm::Cocktail));
    assert_eq!(found.keys[0].checksum, Some([1, 2, 3, 4, 5, 6, 7, 0]));
    let odd = text.replace("COCKTAIL", "ROT13").replace("AQIDBAUGBw==", "?");
    let found = good(&of_text(&odd));
    assert_eq!(found.keys[0].algorithm, Some(Algorithm::Other));
    assert_eq!(found.keys[0].checksum, None);
}

#[test]
fn urls_come_without_their_escapes() {
    let text = wrm(
        "4.0.0.0",
        "<LA_URL> http://k.example/get?a=1&amp;b=&#x32;&amp;amp;c=&quot;\u{e9}&quot; </LA_URL>\
         <LUI_URL>http://k.example/shop?a=1&b=2;&#0;</LUI_URL><DS_ID>BAMCAQYFCAcJCgsMDQ4PEA==</DS_ID>",
    );
    let found = good(&of_text(&text));
    assert_eq!(found.la_url, "http://k.example/get?a=1&b=2&amp;c=\"\u{e9}\"");
    assert_eq!(found.lui_url, "http://k.example/shop?a=1&b=2;&#0;", "what is no reference stays");
    assert_eq!(found.ds_id, Some(KID.0));
    let plain = wrm("4.0.0.0", "<LA_URL><!-- here --><![CDATA[http://k.example/?a&amp;b]]></LA_URL>");
    assert_eq!(good(&of_text(&plain)).la_url, "http://k.example/?a&amp;b");
}

#[test]
fn elements_of_the_packagers_own_are_not_taken_for_ours() {
    let text = wrm(
        "4.0.0.0",
        &format!(
            "<CUSTOMATTRIBUTES xmlns=\"\"><CUSTOMATTRIBUTES/><x><KID>no</KID><LA_URL>no</LA_URL></x>\
             <KID VALUE='no'/></CUSTOMATTRIBUTES><KID>{KID_TEXT}</KID>"
        ),
    );
    let found = good(&of_text(&text));
    assert_eq!(found.keys.iter().map(|key| key.kid).collect::<Vec<_>>(), [KID]);
    assert_eq!(found.la_url, "");
}

#[test]
fn prefixes_declarations_and_quotes_do_not_matter() {
    let text = format!(
        "<?xml version='1.0'?><!-- > --><p:WRMHEADER xmlns:p='x' note=\"/>\" version = '4.1.0.0' >\r\n\
         <p:DATA><p:PROTECTINFO><p:KID\n VALUE = '{KID_TEXT}' /></p:PROTECTINFO></p:DATA></p:WRMHEADER> tail"
    );
    let found = good(&of_text(&text));
    assert_eq!(found.version, (4, 1));
    assert_eq!(found.keys[0].kid, KID);
}

#[test]
fn records_may_come_in_any_order() {
    let header = utf16(&wrm_4_0());
    let store = [0u8; 1000];
    for records in [
        &[(3, &store[..]), (1, &header)][..],
        &[(1, &header), (3, &store)],
        &[(2, &[]), (9, &[1]), (1, &header)],
    ] {
        assert_eq!(kids(&object(records)), [KID]);
    }
    // Two headers: the first counts. None: nothing is known, which is no error.
    let second = utf16(&wrm("4.0.0.0", &format!("<KID>{OTHER_TEXT}</KID>")));
    assert_eq!(kids(&object(&[(1, &header), (1, &second)])), [KID]);
    assert_eq!(kids(&object(&[(3, &store)])), []);
    assert_eq!(good(&object(&[])).version, (0, 0));
}

#[test]
fn zeros_and_surplus_behind_the_object_are_passed_over() {
    let data = of_text(&wrm_4_0());
    for tail in [&[0u8; 7][..], &[0], b"surplus"] {
        assert_eq!(kids(&[&data, tail].concat()), [KID]);
    }
}

#[test]
fn marks_zeros_and_utf_8_in_the_record() {
    let text = wrm_4_0();
    let wide = utf16(&text);
    let forms = [
        [b"\xff\xfe", &wide[..]].concat(),
        [&wide[..], b"\0\0"].concat(),
        [b"\xff\xfe", &wide[..], &[0; 6]].concat(),
        text.clone().into_bytes(),
        [text.as_bytes(), b"\0"].concat(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
    ];
    for form in forms {
        assert_eq!(kids(&object(&[(1, &form)])), [KID], "in an object: {:02x?}", &form[..8]);
        assert_eq!(kids(&form), [KID], "bare: {:02x?}", &form[..8]);
    }
}

#[test]
fn systems_are_told_apart_however_they_are_written() {
    for text in [
        "9A04F079-9840-4286-AB92-E65BE0885F95",
        "{9a04f079-9840-4286-ab92-e65be0885f95}",
        " 9a04F07998404286aB92E65be0885f95\n",
        "79F0049A-4098-8642-AB92-E65BE0885F95",
    ] {
        assert_eq!(system_id(text).map(normalized), Some(PLAYREADY), "{text}");
    }
    assert_eq!(system_id("EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED").map(normalized), Some(WIDEVINE));
    assert_eq!(system_id("B47B251A-2409-4B42-958E-08DBAE7B4EE9"), Some(ENVELOPE));
    for text in ["", "9A04F079-9840-4286-AB92-E65BE0885F9", "9A04F079-9840-4286-AB92-E65BE0885F95A", "[x]"] {
        assert_eq!(system_id(text), None, "{text}");
    }
}

#[test]
fn schemes_have_numbers_and_names() {
    for scheme in [Scheme::AesCtr, Scheme::AesCbc, Scheme::Cbcs] {
        assert_eq!(Scheme::from_four_cc(scheme.four_cc()), Some(scheme));
    }
    assert_eq!(Scheme::from_four_cc(*b"piff"), Some(Scheme::AesCtr));
    assert_eq!(Scheme::from_four_cc(*b"cens"), None);
    assert_eq!([0, 1, 2, 3].map(Scheme::from_piff), [None, Some(Scheme::AesCtr), Some(Scheme::AesCbc), None]);
}

fn through(system: [u8; 16], data: &[u8]) -> Result<usize> {
    let mut account = Account::new(1 << 16);
    let mut header = read(system, data, &mut account, &Limits::default())?;
    let keys = header.keys.len();
    header.free(&mut account);
    assert_eq!(account.held(), 0);
    Ok(keys)
}

#[test]
fn quirk_86_no_kid_in_the_header() {
    for data in ["", "<KID></KID>", "<KID/>", "<PROTECTINFO><KID VALUE=\"\"/></PROTECTINFO>"] {
        let found = good(&of_text(&wrm("4.0.0.0", &format!("{data}<LA_URL>http://k/</LA_URL>"))));
        assert_eq!(found.keys, [], "{data}");
        assert_eq!(found.la_url, "http://k/");
    }
}

#[test]
fn quirk_87_the_kid_is_turned_to_the_order_of_the_fragments() {
    assert_eq!(kids(&of_text(&wrm_4_0())), [KID]);
    let attribute = wrm("4.1.0.0", &format!("<PROTECTINFO><KID VALUE=\"{KID_TEXT}\"/></PROTECTINFO>"));
    assert_eq!(kids(&of_text(&attribute)), [KID]);
}

#[test]
fn quirk_88_decryption_modules_want_a_pssh_box() {
    let data = of_text(&wrm_4_0());
    let mut account = Account::new(1 << 16);
    let mut out = List::new();
    out.extend(&mut account, b"before").unwrap();
    let swapped = system_id("79F0049A-4098-8642-AB92-E65BE0885F95").unwrap();
    pssh(swapped, &data, &mut account, &mut out).unwrap();
    assert_eq!(out[..6], *b"before");
    assert_eq!(out[6..18], [0, 0, 1, 0xe4, b'p', b's', b's', b'h', 0, 0, 0, 0]);
    assert_eq!(out[18..34], PLAYREADY);
    assert_eq!(out[34..38], [0, 0, 1, 0xc4]);
    assert_eq!(out[38..], data);

    let mut small = Account::new(100);
    let mut out = List::new();
    assert_eq!(pssh(PLAYREADY, &data, &mut small, &mut out), Err(Code::Budget.into()));
    assert!(out.is_empty());
}

#[test]
fn quirk_89_the_aes_envelope_is_unsupported_not_malformed() {
    let xml = b"<ContentProtection schemeIdUri='urn:mpeg:dash:sea:2012'/>";
    let error = through(ENVELOPE, xml).unwrap_err();
    assert_eq!((error.code, error.code.number()), (Code::ProtectionUnsupported, -400));
    assert_eq!(error.place.at, "Protection/ProtectionHeader@SystemID");
}

#[test]
fn quirk_91_the_system_id_in_any_case_and_byte_order() {
    let data = of_text(&wrm_4_0());
    for text in ["{9a04f079-9840-4286-ab92-e65be0885f95}", "79f0049a-4098-8642-ab92-e65be0885f95"] {
        assert_eq!(through(system_id(text).unwrap(), &data), Ok(1), "{text}");
    }
    assert_eq!(through(WIDEVINE, b"\x08\x01"), Ok(0), "opaque");
    assert_eq!(through([7; 16], b""), Ok(0), "opaque");
}

#[test]
fn quirk_94_a_header_without_licence_url() {
    let found = good(&of_text(&wrm_4_0()));
    assert_eq!((found.keys.len(), found.la_url.as_str()), (1, ""));
    assert_eq!(good(&of_text(&wrm("4.0.0.0", "<LA_URL></LA_URL><LA_URL/>"))).la_url, "");
}

#[test]
fn lengths_that_lie_are_told_from_headers() {
    let data = of_text(&wrm_4_0());
    let with = |at: usize, bytes: &[u8]| {
        let mut data = data.clone();
        data[at..at + bytes.len()].copy_from_slice(bytes);
        data
    };
    let object = "PlayReady object";
    let cases: [(Vec<u8>, u64); 10] = [
        (Vec::new(), 0),
        (data[..5].to_vec(), 0),
        (data[..451].to_vec(), 0),
        (with(0, &453u32.to_le_bytes()), 0),
        (with(0, &u32::MAX.to_le_bytes()), 0),
        (with(0, &3u32.to_le_bytes()), 0),
        (with(0, &8u32.to_le_bytes()), 6),
        (with(0, &451u32.to_le_bytes()), 6),
        (with(8, &[0xff, 0xff]), 6),
        (with(6, &[3, 0, 0, 0]), 0),
    ];
    for (number, (data, at)) in cases.iter().enumerate() {
        if number == 9 {
            // The only record is of another type: nothing is known.
            assert_eq!(kids(data), []);
        } else {
            assert_eq!(bad(data), (Code::ProtectionHeader, object, *at), "case {number}");
        }
    }
    // More records promised than there are, none of them a header.
    let mut store = self::object(&[(3, &[0; 4])]);
    store[4..6].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(bad(&store), (Code::ProtectionHeader, object, 14));
    assert_eq!(bad(&[0; 64]), (Code::ProtectionHeader, object, 0));
}

#[test]
fn broken_text_has_a_place() {
    let header = "WRMHEADER";
    let odd = object(&[(1, &utf16(&wrm_4_0())[..441])]);
    assert_eq!(bad(&odd), (Code::ProtectionHeader, header, 10 + 440));
    let mut half = utf16("<WRMHEADER>");
    half.extend([0x00, 0xd8]);
    assert_eq!(bad(&object(&[(1, &half)])), (Code::ProtectionHeader, header, 10 + 22));
    assert_eq!(bad(b"<WRMHEADER>\xff</WRMHEADER>"), (Code::ProtectionHeader, header, 11));
    assert_eq!(bad(&object(&[(1, &[])])), (Code::ProtectionHeader, header, 10));

    // Offsets count bytes of the object, also behind other characters.
    let text = "<WRMHEADER><A>\u{1f600}</A><KID>short</KID></WRMHEADER>";
    let at = text.find("</KID>").unwrap() - 2;
    assert_eq!(bad(&of_text(text)), (Code::ProtectionHeader, header, 10 + 2 * at as u64));
    assert_eq!(bad(text.as_bytes()), (Code::ProtectionHeader, header, at as u64 + 2));

    for (text, at) in [
        ("<MPD/>", 0),
        ("text<WRMHEADER", 4),
        ("<WRMHEADER>", 11),
        ("<WRMHEADER><DATA></WRMHEADER>", 29),
        ("<WRMHEADER><!-- ", 11),
        ("<WRMHEADER a='>", 0),
        ("</WRMHEADER>", 0),
        ("<WRMHEADER><KID VALUE='AAAA'/></WRMHEADER>", 11),
    ] {
        assert_eq!(bad(&of_text(text)), (Code::ProtectionHeader, header, 10 + 2 * at), "{text}");
    }
}

#[test]
fn headers_and_keys_are_counted() {
    let large = of_text(&wrm("4.0.0.0", &"x".repeat(20_000)));
    assert_eq!(kids(&large), []);
    let beyond = vec_of(64 * 1024 + 1);
    assert_eq!(bad(&beyond), (Code::LimitProtection, "PlayReady object", 0));

    let list = |count: u8| {
        let kid = |n: u8| format!("<KID VALUE=\"AAAAAAAAAAAAAAAAAAAA{}A==\"/>", base64_pair(n));
        wrm("4.2.0.0", &format!("<KIDS>{}</KIDS>", (0..count).map(kid).collect::<String>()))
    };
    assert_eq!(kids(&of_text(&list(32))).len(), 32);
    let (code, place, at) = bad(&of_text(&list(33)));
    assert_eq!((code, place), (Code::LimitProtection, "WRMHEADER"));
    assert!(at > 1000, "{at}");
    // The same key again is no other key.
    let same = wrm("4.2.0.0", &format!("<KID VALUE='{KID_TEXT}'/>").repeat(100));
    assert_eq!(kids(&of_text(&same)), [KID]);
}

fn vec_of(len: usize) -> Vec<u8> {
    std::iter::repeat_n(0x20, len).collect()
}

/// One character of base64.
fn base64_pair(n: u8) -> char {
    char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[usize::from(n)])
}

#[test]
fn lack_of_memory_is_said_and_leaves_nothing() {
    let data = of_text(&wrm("4.0.0.0", &format!("<KID>{KID_TEXT}</KID><LA_URL>http://k.example/</LA_URL>")));
    let mut refused = 0;
    for cap in 0..2000 {
        let mut account = Account::new(cap);
        match playready::read(&data, &mut account, &Limits::default()) {
            Ok(mut header) => header.free(&mut account),
            Err(e) => {
                assert_eq!(e.code, Code::Budget, "{cap}");
                refused += 1;
            }
        }
        assert_eq!(account.held(), 0, "{cap}");
    }
    assert!((200..1500).contains(&refused), "{refused}");
}

#[test]
fn no_damage_does_harm() {
    let url = "<LA_URL>http://k.example/?a=1&amp;b</LA_URL>";
    let text = wrm("4.2.0.0", &format!("<KIDS><KID ALGID='AESCTR' VALUE='{KID_TEXT}'/></KIDS>{url}"));
    for whole in [of_text(&text), text.into_bytes()] {
        for len in 0..whole.len() {
            let _ = reading(&whole[..len]);
        }
        for at in 0..whole.len() {
            for to in [0, 0x22, 0x26, 0x3c, 0x3e, 0x80, 0xd8, 0xff] {
                let mut data = whole.clone();
                data[at] = to;
                let _ = reading(&data);
            }
        }
    }
}
