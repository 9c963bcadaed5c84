//! The tokenizer against documents in every encoding and cut at every place.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::*;
use crate::error::Code;

/// Writes what it hears as one line an event.
struct Recorder {
    account: Account,
    log: String,
    text: String,
    offsets: Vec<u64>,
    odd: Vec<(&'static str, u64)>,
}

impl Recorder {
    fn new() -> Recorder {
        Recorder {
            account: Account::new(1 << 20),
            log: String::new(),
            text: String::new(),
            offsets: Vec::new(),
            odd: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) {
        if !self.text.is_empty() {
            let text = core::mem::take(&mut self.text);
            self.log.push_str(&format!("text {text:?}\n"));
        }
        self.log.push_str(line);
        self.log.push('\n');
    }
}

impl Handler for Recorder {
    fn account(&mut self) -> &mut Account {
        &mut self.account
    }

    fn odd(&mut self, rule: &'static str, at: u64) {
        self.odd.push((rule, at));
    }

    fn start(&mut self, name: &[u8], at: u64) -> Result<()> {
        self.offsets.push(at);
        self.line(&format!("start {}", core::str::from_utf8(name).unwrap()));
        Ok(())
    }

    fn attribute(&mut self, name: &[u8], value: &str, at: u64) -> Result<()> {
        self.offsets.push(at);
        self.line(&format!("attribute {} {value:?}", core::str::from_utf8(name).unwrap()));
        Ok(())
    }

    fn attributes_done(&mut self) -> Result<()> {
        self.line("done");
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.text.push_str(text);
        Ok(())
    }

    fn end(&mut self, name: &[u8], at: u64) -> Result<()> {
        self.offsets.push(at);
        self.line(&format!("end {}", core::str::from_utf8(name).unwrap()));
        Ok(())
    }
}

fn parse_with(limits: &Limits, document: &[u8], piece: usize) -> Result<(String, Vec<u64>)> {
    let mut recorder = Recorder::new();
    let mut parser = Parser::new(limits);
    let mut result = Ok(());
    for bytes in document.chunks(piece.max(1)) {
        result = parser.feed(bytes, &mut recorder);
        if result.is_err() {
            assert_eq!(parser.feed(b"<more/>", &mut recorder), result, "an error must stick");
            break;
        }
    }
    let result = result.and_then(|()| parser.finish());
    parser.free(&mut recorder.account);
    assert_eq!(recorder.account.held(), 0);
    result.map(|()| (recorder.log, recorder.offsets))
}

/// Parses in pieces of several sizes, which must all give the same.
fn parse(document: &[u8]) -> Result<String> {
    let limits = Limits::default();
    let whole = parse_with(&limits, document, document.len());
    for piece in [1, 2, 3, 7, 64, 1460] {
        let cut = parse_with(&limits, document, piece);
        match (&cut, &whole) {
            (Ok(a), Ok(b)) => assert_eq!(a, b, "pieces of {piece}"),
            (Err(a), Err(b)) => {
                assert_eq!((a.code, a.place.offset), (b.code, b.place.offset), "pieces of {piece}")
            }
            _ => panic!("pieces of {piece}: {cut:?}, but whole: {whole:?}"),
        }
    }
    whole.map(|(log, _)| log)
}

fn refusal(document: &[u8]) -> (i32, u64) {
    let error = parse(document).unwrap_err();
    (error.code.number(), error.place.offset)
}

fn utf16(text: &str, big_endian: bool, mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{FEFF}" } else { "" };
    let units = mark.encode_utf16().chain(text.encode_utf16());
    units.flat_map(|u| if big_endian { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
}

const SAMPLE: &str = "<?xml version=\"1.0\" encoding='utf-8'?>\r\n<!-- a -- b --><a:b x = '1' y=\"&lt;&#65;&#x1F600;\"\n z='\"'>\
    t\u{e4}xt &amp; <![CDATA[<raw> ]] ]>]]]]><c d=\"20000000\"/><c\u{f6}/ ></a:b >\n<?pi ?>\n";

#[test]
fn events_come_in_order() {
    let sample = SAMPLE.replace("/ >", "/>");
    let log = parse(sample.as_bytes()).unwrap();
    let expected = "start a:b\nattribute x \"1\"\nattribute y \"<A\u{1F600}\"\nattribute z \"\\\"\"\ndone\n\
        text \"t\u{e4}xt & <raw> ]] ]>]]\"\nstart c\nattribute d \"20000000\"\ndone\nend c\n\
        start c\u{f6}\ndone\nend c\u{f6}\nend a:b\n";
    assert_eq!(log, expected);
}

#[test]
fn every_encoding_gives_the_same_events() {
    let sample = SAMPLE.replace("/ >", "/>").replace("x = '1'", "x = '\u{20AC}\u{10FFFF}'");
    let plain = parse(sample.as_bytes()).unwrap();
    let mut marked = Vec::from(*b"\xEF\xBB\xBF");
    marked.extend_from_slice(sample.as_bytes());
    assert_eq!(parse(&marked).unwrap(), plain);
    for (big_endian, mark) in [(false, true), (true, true), (false, false), (true, false)] {
        assert_eq!(parse(&utf16(&sample, big_endian, mark)).unwrap(), plain, "{big_endian} {mark}");
    }
}

#[test]
fn the_declaration_decides_only_between_utf_8_and_latin_1() {
    for name in ["ISO-8859-1", "windows-1252", "iso-8859-1"] {
        let mut latin = format!("<?xml version='1.0' encoding = \"{name}\" ?><a n='").into_bytes();
        latin.extend_from_slice(b"\xFCber'/>");
        assert!(parse(&latin).unwrap().contains("attribute n \"\u{fc}ber\""));
    }
    let lies = "<?xml version='1.0' encoding='utf-16'?><a n='\u{fc}'/>";
    assert!(parse(lies.as_bytes()).unwrap().contains("\u{fc}"));
    let marked = format!("\u{FEFF}{}", lies.replace("utf-16", "ISO-8859-1"));
    assert!(parse(marked.as_bytes()).unwrap().contains("attribute n \"\u{fc}\""));
    let lies = lies.replace("utf-16", "utf-8");
    assert!(parse(&utf16(&lies, false, true)).unwrap().contains("\u{fc}"));
}

#[test]
fn broken_encodings_are_named_with_their_offset() {
    assert_eq!(refusal(b"<a>\xFF</a>"), (-101, 3));
    assert_eq!(refusal(b"<a>\xC3\xA4\xC3</a>"), (-101, 5));
    assert_eq!(refusal(b"<a>\xED\xA0\x80</a>"), (-101, 3));
    let mut lone = utf16("<a>", false, true);
    lone.extend_from_slice(&[0x00, 0xDC]);
    assert_eq!(refusal(&lone).0, -101);
    let mut lone = utf16("<a>", true, true);
    lone.extend_from_slice(&[0xD8, 0x00, 0x00, b'<']);
    assert_eq!(refusal(&lone).0, -101);
    assert_eq!(refusal(b"<a>\xE2\x82").0, -109);
    assert_eq!(refusal(b"\xFF\xFE<\0a").0, -109);
}

#[test]
fn offsets_count_input_bytes() {
    let text = "<a>\u{e4}\u{1F600}<b x='1'/></a>";
    let limits = Limits::default();
    let (_, plain) = parse_with(&limits, text.as_bytes(), 5).unwrap();
    assert_eq!(plain, [0, 9, 12, 9, 19]);
    let (_, wide) = parse_with(&limits, &utf16(text, false, true), 5).unwrap();
    assert_eq!(wide, [2, 2 + 12, 2 + 18, 2 + 12, 2 + 32]);
    assert_eq!(refusal(&utf16("<a>\u{e4}\u{1F600}<b x=1/></a>", true, false)), (-100, 22));
}

#[test]
fn line_ends_are_one_character() {
    assert!(parse(b"<a>1\r\n2\r3\n\r4</a>").unwrap().contains("text \"1\\n2\\n3\\n\\n4\""));
    assert!(parse(b"<a x='1\r\n2\r3\n4\t5'/>").unwrap().contains("x \"1 2 3 4 5\""));
    assert!(parse(b"<a x='&#13;&#10;'/>").unwrap().contains("x \"\\r\\n\""));
}

#[test]
fn syntax_errors_are_refused() {
    for bad in [
        "<a></b>",
        "<a><b></a></b>",
        "<a/><b/>",
        "x<a/>",
        "<a b='<'/>",
        "<a b=1/>",
        "<a b/>",
        "<a b='1'c='2'/>",
        "<1a/>",
        "< a/>",
        "</a>",
        "<a/></a>",
        "<a / >",
        "<a></a b>",
        "<![CDATA[x]]><a/>",
        "<!ELEMENT a>",
        "<!>",
        "<a>\u{1}</a>",
        "<a b='\u{0}'/>",
        "<a 'b'/>",
        "#EXTM3U",
        "{}",
        "<a></aa>",
        "<aa></a>",
    ] {
        assert_eq!(refusal(bad.as_bytes()).0, -100, "{bad}");
    }
}

/// The rules a good document breaks, and where; the same in pieces of every size.
fn oddities(document: &[u8]) -> Vec<(&'static str, u64)> {
    let of = |piece: usize| {
        let mut recorder = Recorder::new();
        let mut parser = Parser::new(&Limits::default());
        for bytes in document.chunks(piece) {
            parser.feed(bytes, &mut recorder).unwrap();
        }
        parser.finish().unwrap();
        parser.free(&mut recorder.account);
        recorder.odd
    };
    let whole = of(document.len());
    for piece in [1, 2, 3, 7] {
        assert_eq!(of(piece), whole, "pieces of {piece}");
    }
    whole
}

#[test]
fn what_is_wrong_but_harmless_is_told() {
    assert_eq!(
        oddities(b"<?xml version='1.0' encoding='UTF-8'?>\n<a/>\r\n <!-- a --> <?pi encoding='x'?>"),
        []
    );
    for tail in ["x", "&amp;", "\0\0\0\0", "\u{1}x&"] {
        assert_eq!(oddities(format!("<a/>\n{tail}").as_bytes()), [("xml-trailing-bytes", 5)], "{tail:?}");
    }
    assert_eq!(oddities(b"<a/>x <!-- --> y"), [("xml-trailing-bytes", 4)], "told once");
    assert_eq!(oddities(b"<!-- a -- b --><a/>"), [("xml-comment", 9)]);
    assert_eq!(oddities(b"\r\n<?xml version='1.0'?><a/>"), [("xml-declaration-late", 2)]);
    assert_eq!(oddities(b"<!-- a --><?xml version='1.0'?><a/>"), [("xml-declaration-late", 10)]);
}

#[test]
fn a_declaration_that_names_another_encoding_is_told() {
    let document = |name: &str| format!("<?xml version='1.0' encoding='{name}'?><a/>");
    for name in ["utf-8", "UTF-8", "us-ascii", "ISO-8859-1"] {
        assert_eq!(oddities(document(name).as_bytes()), [], "{name}");
    }
    for name in ["utf-16", "UTF-16LE", "windows-1251", "x"] {
        assert_eq!(oddities(document(name).as_bytes()), [("xml-encoding", 0)], "{name}");
    }
    assert_eq!(oddities(format!("\u{FEFF}{}", document("utf-16")).as_bytes()), [("xml-encoding", 3)]);
    for big_endian in [false, true] {
        assert_eq!(oddities(&utf16(&document("UTF-16"), big_endian, true)), []);
        assert_eq!(oddities(&utf16(&document("utf-8"), big_endian, true)), [("xml-encoding", 2)]);
    }
}

#[test]
fn a_doctype_is_refused() {
    assert_eq!(refusal(b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), (-102, 21));
    assert_eq!(refusal(b"<!doctype html><html/>"), (-102, 0));
}

#[test]
fn only_predefined_and_legal_references_are_taken() {
    let good = "<a b='&amp;&lt;&gt;&quot;&apos;&#9;&#x10FFFF;&#00000065;'/>";
    assert!(parse(good.as_bytes()).unwrap().contains("b \"&<>\\\"'\\t\\u{10ffff}A\""));
    for bad in [
        "&b;",
        "&;",
        "&#;",
        "&#x;",
        "&#0;",
        "&#x110000;",
        "&#xD800;",
        "&#xFFFE;",
        "&#1;",
        "& ",
        "&lt",
        "&#-1;",
        "&#4294967361;",
        "&aaaaaaaaaaaaaaaaa;",
        "&AMP;",
        "&#X41;",
    ] {
        assert_eq!(refusal(format!("<a>{bad}</a>").as_bytes()).0, -103, "{bad} in text");
        assert_eq!(refusal(format!("<a b='{bad}'/>").as_bytes()).0, -103, "{bad} in a value");
    }
}

#[test]
fn a_document_cut_anywhere_is_truncated() {
    let sample = SAMPLE.replace("/ >", "/>");
    let end = sample.rfind("</a:b >").unwrap() + "</a:b >".len();
    for encoded in [Vec::from(sample.as_bytes()), utf16(&sample, true, false)] {
        let end = if encoded.len() == sample.len() {
            end
        } else {
            sample.get(..end).unwrap().encode_utf16().count() * 2
        };
        for cut in 0..end {
            let error = parse(&encoded[..cut]).unwrap_err();
            assert_eq!(error.code, Code::ManifestTruncated, "cut at {cut}");
            let behind = cut - error.place.offset as usize;
            // Nothing is decoded before the declaration is whole.
            assert!(behind < 4 || error.place.offset <= 2, "cut at {cut}: {behind} behind");
        }
        assert!(parse(&encoded[..end]).is_ok());
    }
}

#[test]
fn limits_have_their_own_numbers() {
    let limits = Limits {
        xml_depth: 3,
        xml_attributes: 2,
        xml_attribute_bytes: 10,
        xml_text_bytes: 8,
        ..Limits::default()
    };
    let try_it = |document: &str| -> i32 {
        let results: Vec<i32> = [1, 5, 4096]
            .iter()
            .map(|n| parse_with(&limits, document.as_bytes(), *n).map_or_else(|e| e.code.number(), |_| 0))
            .collect();
        assert!(results.iter().all(|r| *r == results[0]), "{document}: {results:?}");
        results[0]
    };
    assert_eq!(try_it("<a><b><c/></b></a>"), 0);
    assert_eq!(try_it("<a><b><c><d/></c></b></a>"), -122);
    assert_eq!(try_it("<a x='1' y='2'/>"), 0);
    assert_eq!(try_it("<a x='1' y='2' z='3'/>"), -123);
    assert_eq!(try_it("<a x='1234567890'/>"), 0);
    assert_eq!(try_it("<a x='12345678901'/>"), -124);
    assert_eq!(try_it("<a x='1234567890&amp;'/>"), -124);
    assert_eq!(try_it("<a>12345678</a>"), 0);
    assert_eq!(try_it("<a>1234<!-- -->56789</a>"), 0, "a comment begins another text");
    assert_eq!(try_it("<a>123456789</a>"), -124);
    let name = |n: usize| format!("<{}/>", "n".repeat(n));
    assert_eq!(try_it(&name(NAME)), 0);
    assert_eq!(try_it(&name(NAME + 1)), -124);
    assert_eq!(try_it(&format!("<a {}=''/>", "n".repeat(NAME))), 0);
    assert_eq!(try_it(&format!("<a {}=''/>", "n".repeat(NAME + 1))), -124);
}

#[test]
fn depth_stops_at_the_hard_cap_whatever_the_limits() {
    let limits = Limits { xml_depth: u32::MAX, ..Limits::default() };
    assert!(parse_with(&limits, ("<a>".repeat(64) + &"</a>".repeat(64)).as_bytes(), 9).is_ok());
    let error = parse_with(&limits, "<a>".repeat(65).as_bytes(), 9).unwrap_err();
    assert_eq!(error.code, Code::LimitXmlDepth);
}

#[test]
fn lack_of_memory_is_an_error() {
    let mut recorder = Recorder::new();
    recorder.account = Account::new(64);
    let mut parser = Parser::new(&Limits::default());
    parser.feed(b"<a b='", &mut recorder).unwrap();
    let error = parser.feed(&[b'x'; 100], &mut recorder).unwrap_err();
    assert_eq!(error.code, Code::Budget);
}

#[test]
fn random_bytes_never_panic() {
    let alphabet = b"<>/='\"&;!-[]?ab c#x1\r\n\xC3\xA4\x00CDATADOCTYPE";
    let mut x = 0x2545_F491_4F6C_DD1Du64;
    for _ in 0..20_000 {
        let mut document = Vec::new();
        for _ in 0..40 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            document.push(alphabet[(x >> 33) as usize % alphabet.len()]);
        }
        let limits = Limits::default();
        let whole = parse_with(&limits, &document, 40).map_err(|e| e.code);
        let cut = parse_with(&limits, &document, 1).map_err(|e| e.code);
        assert_eq!(whole, cut, "{document:?}");
    }
}
