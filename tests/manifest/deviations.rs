//! Every rule that a manifest can break: what it is called, where it lies, and what a strict parse says.

use crate::support::*;
use smoothcore::limits::Limits;
use smoothcore::manifest::{Deviation, Manifest, ManifestParser, Strictness};
use smoothcore::mem::Account;

/// A manifest that breaks no rule.
const TIDY: &str = "<?xml version='1.0' encoding='utf-8'?>\n<!-- tidy -->\n\
    <SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='60000000' TimeScale='10000000' xmlns:v='urn:v' v:x='1'>\n\
    <Protection><ProtectionHeader SystemID='{9A04F079-9840-4286-AB92-E65BE0885F95}'>AQIDBAU=</ProtectionHeader></Protection>\n\
    <StreamIndex Type='video' Name='video' Chunks='3' QualityLevels='2' MaxWidth='320' MaxHeight='240' \
    Url='QualityLevels({bitrate},{CustomAttributes})/Fragments(video={start time})'>\n\
    <QualityLevel Index='0' Bitrate='300000' FourCC='H264' MaxWidth='320' MaxHeight='240' \
    CodecPrivateData='000000016742C00DDA0507E40000000168CE3C80'><CustomAttributes><Attribute Name='a' Value='b'/></CustomAttributes></QualityLevel>\n\
    <QualityLevel Index='1' Bitrate='600000' FourCC='H264' MaxWidth='320' MaxHeight='240' \
    CodecPrivateData='000000016742C00DDA0507E40000000168CE3C80'/>\n\
    <c n='0' t='0' d='20000000' r='2'/><c n='2' d='20000000'/></StreamIndex>\n\
    <StreamIndex Type='audio' Name='audio_eng' Language='eng' Chunks='2' QualityLevels='1' \
    Url='QualityLevels({bitrate})/Fragments(audio_eng={start time})'>\n\
    <QualityLevel Index='0' Bitrate='64000' FourCC='AACL' SamplingRate='44100' Channels='2' BitsPerSample='16' PacketSize='4' \
    AudioTag='255' CodecPrivateData='1210'/>\n\
    <c t='0' d='30000000'/><c t='30000000' d='30000000'/></StreamIndex>\n\
    <StreamIndex Type='text' Name='script' Subtype='SCMD' ManifestOutput='TRUE' ParentStreamIndex='video' TimeScale='1000'>\
    <c t='1000' d='1000'><f i='0'>SGVsbG8=</f></c><c t='5000' d='1000'><f i='0'>eA==</f></c></StreamIndex>\n\
    </SmoothStreamingMedia>\n";

fn rules(manifest: &Manifest) -> Vec<(&'static str, &'static str)> {
    manifest.deviations.iter().map(|d| (d.rule, d.place)).collect()
}

/// The error of a strict parse, and the deviation it is for; the same in pieces of every size.
fn strict(document: &[u8]) -> Option<(i32, &'static str, u64, Deviation)> {
    let of = |piece: usize| {
        let mut account = Account::new(1 << 20);
        let mut parser = ManifestParser::new(&Limits::default());
        parser.set_strictness(Strictness::Strict);
        let fed = document.chunks(piece).try_for_each(|bytes| parser.feed(&mut account, bytes));
        let result = fed.and_then(|()| parser.finish());
        let first = parser.deviations().first().copied();
        parser.free(&mut account);
        let refused = match result {
            Ok(mut manifest) => {
                manifest.free(&mut account);
                None
            }
            Err(e) => Some((e.code.number(), e.place.at, e.place.offset, first.unwrap())),
        };
        assert_eq!(account.held(), 0);
        refused
    };
    let whole = of(document.len());
    for piece in [1, 7, 100] {
        assert_eq!(of(piece), whole, "pieces of {piece}");
    }
    whole
}

/// Replaces `from` in the tidy manifest, and checks that this breaks the one rule, and where.
fn broken(from: &str, to: &str, rule: &'static str, place: &'static str) {
    assert_eq!(TIDY.matches(from).count(), 1, "{from} must be there once");
    let document = TIDY.replace(from, to);
    let manifest = parse(&document);
    assert_eq!(rules(&manifest), [(rule, place)], "{from} -> {to}");
    let offset = manifest.deviations[0].offset;
    assert!(offset < document.len() as u64, "{rule} lies at {offset}");
    assert_eq!(manifest.deviations_lost, 0);
    let deviation = Deviation { rule, place, offset };
    assert_eq!(strict(document.as_bytes()), Some((-112, place, offset, deviation)), "{from} -> {to}");
}

#[test]
fn a_tidy_manifest_breaks_none() {
    let manifest = parse(TIDY);
    assert_eq!(rules(&manifest), []);
    assert_eq!(strict(TIDY.as_bytes()), None);
    let payloads = &manifest.streams[2].payloads;
    assert_eq!((payloads.len(), payloads[0].time, &payloads[0].bytes[..]), (2, 1000, &b"Hello"[..]));
}

#[test]
fn names_that_iis_writes_are_no_deviation() {
    let live = TIDY.replace(
        "Duration='60000000'",
        "Duration='0' IsLive='true' LookAheadFragmentCount='2' DVRWindowLength='0' CanSeek='TRUE' CanPause='True'",
    );
    assert_eq!(rules(&parse(&live)), []);
    assert_eq!(strict(live.as_bytes()), None);
}

#[test]
fn of_the_document() {
    broken("encoding='utf-8'", "encoding='utf-16'", "xml-encoding", "XML");
    broken("<!-- tidy -->", "<!-- not -- tidy -->", "xml-comment", "XML");
    broken("</SmoothStreamingMedia>\n", "</SmoothStreamingMedia>\n\0\0", "xml-trailing-bytes", "XML");
    broken("<?xml version='1.0' ", "<!-- -->\n<?xml version='1.0' ", "xml-declaration-late", "XML");
}

#[test]
fn of_the_root() {
    let m = "SmoothStreamingMedia";
    let old = TIDY.replace("MajorVersion='2'", "MajorVersion='1'");
    let version = ("major-version", "SmoothStreamingMedia@MajorVersion");
    assert_eq!(rules(&parse(&old)), [version, ("repeat-version", "c@r")]);
    broken("MinorVersion='2'", "MinorVersion='3'", "minor-version", "SmoothStreamingMedia@MinorVersion");
    broken(" Duration='60000000'", "", "attribute-missing", "SmoothStreamingMedia@Duration");
    broken("Duration='60000000'", "Duration=''", "attribute-empty", "SmoothStreamingMedia@Duration");
    broken("Duration='60000000'", "Duration='-1'", "attribute-invalid", "SmoothStreamingMedia@Duration");
    broken(
        "Duration='60000000'",
        "Duration='99000000'",
        "duration-too-long",
        "SmoothStreamingMedia@Duration",
    );
    broken(
        "TimeScale='10000000'",
        "Timescale='10000000'",
        "attribute-case",
        "SmoothStreamingMedia@TimeScale",
    );
    broken("TimeScale='10000000'", "Duration='60000000'", "attribute-twice", "SmoothStreamingMedia@Duration");
    broken("v:x='1'", "IsLive='0'", "boolean-form", "SmoothStreamingMedia@IsLive");
    broken("v:x='1'", "IsLive='no'", "attribute-invalid", "SmoothStreamingMedia@IsLive");
    broken("v:x='1'", "LookaheadCount='2'", "live-attribute", "SmoothStreamingMedia@LookaheadCount");
    broken("v:x='1'", "DVRWindowLength='2'", "live-attribute", "SmoothStreamingMedia@DVRWindowLength");
    broken("v:x='1'", "Title='x'", "attribute-unknown", m);
    broken("<Protection>", "<RevInfo/><Protection>", "element-unknown", m);
}

#[test]
fn of_protection() {
    let header = "Protection/ProtectionHeader";
    let id = "ProtectionHeader@SystemID";
    let braces = "{9A04F079-9840-4286-AB92-E65BE0885F95}";
    broken(braces, "9A04F07998404286AB92E65BE0885F95", "system-id-form", id);
    broken(braces, "9A04", "attribute-invalid", id);
    broken(" SystemID='{9A04F079-9840-4286-AB92-E65BE0885F95}'", "", "attribute-missing", id);
    broken("AQIDBAU=", "AQIDBAU", "base64-padding", header);
    broken("AQIDBAU=", "&lt;a/>", "base64-invalid", header);
    broken("AQIDBAU=", "", "protection-empty", header);
    let block =
        TIDY.get(TIDY.find("<Protection>").unwrap()..TIDY.find("</Protection>").unwrap() + 13).unwrap();
    let last = TIDY
        .replace(block, "")
        .replace("</SmoothStreamingMedia>", &format!("{block}</SmoothStreamingMedia>"));
    assert_eq!(rules(&parse(&last)), [("element-order", "Protection")]);
    broken("</Protection>", "</Protection><Protection/>", "element-twice", "Protection");
}

#[test]
fn of_streams() {
    broken("Type='video'", "Type='Video'", "stream-type-case", "StreamIndex@Type");
    broken("Name='audio_eng'", "Name='video'", "stream-name-duplicate", "StreamIndex@Name");
    broken("Name='audio_eng'", "Name='1'", "stream-name-form", "StreamIndex@Name");
    broken("Language='eng'", "Language='en'", "language-form", "StreamIndex@Language");
    broken("Language='eng'", "Language=''", "language-form", "StreamIndex@Language");
    broken(
        "ParentStreamIndex='video'",
        "ParentStreamIndex='x'",
        "parent-unknown",
        "StreamIndex@ParentStreamIndex",
    );
    broken(" Subtype='SCMD'", "", "attribute-missing", "StreamIndex@Subtype");
    broken("Subtype='SCMD'", "Subtype='ADVT'", "subtype-unknown", "StreamIndex@Subtype");
    broken("Chunks='3' ", "", "attribute-missing", "StreamIndex@Chunks");
    broken("Chunks='3'", "Chunks='0'", "count-wrong", "StreamIndex@Chunks");
    broken("QualityLevels='2'", "QualityLevels='3'", "count-wrong", "StreamIndex@QualityLevels");
    broken("ManifestOutput='TRUE'", "ManifestOutput='1'", "boolean-form", "StreamIndex@ManifestOutput");
    let image = "<StreamIndex Type='image' Name='i'><c/></StreamIndex></SmoothStreamingMedia>";
    broken("</SmoothStreamingMedia>", image, "stream-type-unknown", "StreamIndex@Type");
    let untyped = "<StreamIndex Name='i'/></SmoothStreamingMedia>";
    broken("</SmoothStreamingMedia>", untyped, "attribute-missing", "StreamIndex@Type");
    let empty =
        "<StreamIndex Type='audio' Name='a' Chunks='0' QualityLevels='0' Url='x'/></SmoothStreamingMedia>";
    broken("</SmoothStreamingMedia>", empty, "element-missing", "StreamIndex/QualityLevel");
}

#[test]
fn of_levels() {
    let data = "QualityLevel@CodecPrivateData";
    let audio = "SamplingRate='44100'";
    broken("Index='1' Bitrate='600000'", "Bitrate='600000'", "attribute-missing", "QualityLevel@Index");
    broken(
        "Index='1' Bitrate='600000'",
        "Index='0' Bitrate='600000'",
        "level-index-duplicate",
        "QualityLevel@Index",
    );
    broken("Bitrate='600000' ", "", "attribute-missing", "QualityLevel@Bitrate");
    broken("Bitrate='600000'", "Bitrate='6e5'", "attribute-invalid", "QualityLevel@Bitrate");
    broken("FourCC='AACL' ", "", "fourcc-fallback", "QualityLevel@FourCC");
    broken("FourCC='AACL'", "FourCC=''", "fourcc-fallback", "QualityLevel@FourCC");
    broken("FourCC='AACL'", "FourCC='AAC'", "fourcc-form", "QualityLevel@FourCC");
    broken("'1210'", "'12100000'", "codec-private-data", data);
    broken("'1210'", "'121'", "codec-private-data", data);
    broken("'1210'", "'12x0'", "codec-private-data", data);
    broken("'1210'", "'(null)'", "codec-private-data", data);
    broken(audio, &format!("{audio} WaveFormatEx=''"), "wave-format", "QualityLevel@WaveFormatEx");
    broken(audio, &format!("{audio} NominalBitrate='1'"), "attribute-unknown", "QualityLevel");
    for (attribute, place) in [
        ("SamplingRate='44100' ", "QualityLevel@SamplingRate"),
        ("Channels='2' ", "QualityLevel@Channels"),
        ("BitsPerSample='16' ", "QualityLevel@BitsPerSample"),
        ("PacketSize='4' ", "QualityLevel@PacketSize"),
        ("AudioTag='255' ", "QualityLevel@AudioTag"),
    ] {
        broken(attribute, "", "attribute-missing", place);
    }
    broken("Value='b'", "Value='b/'", "custom-attribute-form", "CustomAttributes/Attribute");
    broken("Name='a' Value='b'", "Value='b'", "attribute-missing", "Attribute@Name");
}

#[test]
fn of_the_size_of_pictures() {
    let second = "Index='1' Bitrate='600000' FourCC='H264' MaxWidth='320' MaxHeight='240'";
    let document = TIDY.replace(second, "Index='1' Bitrate='600000' FourCC='H264' Width='320' Height='240'");
    let missing = [
        ("attribute-missing", "QualityLevel@MaxWidth"),
        ("attribute-missing", "QualityLevel@MaxHeight"),
        ("size-fallback", "QualityLevel@MaxWidth"),
    ];
    assert_eq!(rules(&parse(&document)), missing);
}

#[test]
fn of_a_video_level_without_a_name() {
    let document = TIDY.replace("Index='1' Bitrate='600000' FourCC='H264'", "Index='1' Bitrate='600000'");
    assert_eq!(rules(&parse(&document)), [("attribute-missing", "QualityLevel@FourCC")]);
    let document =
        TIDY.replace("Index='1' Bitrate='600000' FourCC='H264'", "Index='1' Bitrate='600000' FourCC=''");
    assert_eq!(rules(&parse(&document)), [("attribute-missing", "QualityLevel@FourCC")]);
}

#[test]
fn of_fragments() {
    broken("<c t='30000000' d=", "<c t='29999990' d=", "fragment-overlap", "c@t");
    broken("<c t='30000000' d=", "<c t='40000000' d=", "fragment-gap", "c@t");
    broken("<c t='30000000' d='30000000'/>", "<c t='30000000'/>", "last-duration-missing", "c@d");
    broken("<c t='30000000' d='30000000'/>", "<c d='30000000' x='1'/>", "attribute-unknown", "c");
    broken("<c n='2'", "<c n='0'", "fragment-number", "c@n");
    broken("<c n='2' d", "<c n='2' r='-1' d", "attribute-invalid", "c@r");
    broken("<c n='2' d", "<c n='2' r='0' d", "repeat-zero", "c@r");
    broken(
        "<c n='0' t='0' d='20000000' r='2'/><c n='2' d",
        "<c t='0' r='2'/><c t='40000000' d",
        "repeat-without-duration",
        "c@r",
    );
    broken("MinorVersion='2'", "MinorVersion='1'", "repeat-version", "c@r");
    let wordless = TIDY.replace("<c n='2' d='20000000'/>", "<c/>");
    assert_eq!(rules(&parse(&wordless)), [("fragment-without-time", "c"), ("last-duration-missing", "c@d")]);
    let zero = TIDY.replace("<c n='2' d='20000000'/>", "<c d='0'/><c n='2' d='20000000'/>");
    assert_eq!(rules(&parse(&zero)), [("fragment-duration-zero", "c@d")]);
    let back = TIDY.replace("<c t='30000000' d=", "<c t='0' d=");
    assert_eq!(rules(&parse(&back)), [("fragment-overlap", "c@t"), ("fragment-times", "c")]);
    let late = "<c n='0' t='0' d='20000000' r='2'/><c n='2' d='20000000'/>";
    let document = TIDY.replace(late, "").replace(
        "QualityLevels({bitrate},{CustomAttributes})/Fragments(video={start time})'>",
        &format!("QualityLevels({{bitrate}})/Fragments(video={{start time}})'>{late}"),
    );
    let order = ("element-order", "StreamIndex/QualityLevel");
    assert_eq!(rules(&parse(&document)), [order, order]);
}

#[test]
fn of_samples_in_the_manifest() {
    broken("SGVsbG8=", "SGVsbG8=x", "base64-invalid", "c/f");
    broken("SGVsbG8=", "  ", "payload-empty", "c/f");
    broken("<f i='0'>SGV", "<f>SGV", "attribute-missing", "f@i");
    broken("<f i='0'>SGV", "<f i='x'>SGV", "attribute-invalid", "f@i");
}

#[test]
fn rounding_and_late_text_are_no_gap() {
    let rounded = TIDY.replace("<c t='30000000' d=", "<c t='30000100' d=");
    assert_eq!(rules(&parse(&rounded)), []);
    // A second more than the fragments say: encoders stop their streams one by one.
    assert_eq!(rules(&parse(&TIDY.replace("Duration='60000000'", "Duration='69000000'"))), []);
}

#[test]
fn a_few_of_each_kind_are_kept_and_the_rest_counted() {
    let many = TIDY.replace("<c t='30000000' d='30000000'/>", &"<c d='1' r='0'/>".repeat(1000));
    let manifest = parse(&many);
    let zeros = manifest.deviations.iter().filter(|d| d.rule == "repeat-zero").count();
    assert_eq!((zeros, manifest.deviations_lost), (4, 996));
    let limits = Limits { deviations: 2, ..Limits::default() };
    let (mut manifest, _) = parse_pieces(&limits, many.as_bytes(), 100).unwrap();
    assert_eq!((manifest.deviations.len(), manifest.deviations_lost), (2, 999));
    manifest.free(&mut Account::new(0));
}

#[test]
fn the_first_of_a_strict_parse_comes_before_any_later_fault() {
    let document = TIDY
        .replace("<c n='2' d='20000000'/>", "<c n='1' r='0' d='20000000'/><")
        .replace("r='2'/>", "r='0'/>");
    let (code, place, ..) = strict(document.as_bytes()).unwrap();
    assert_eq!((code, place), (-112, "c@r"));
}
