//! What the tests share: fixtures made from parts, and a parse that checks that nothing stays charged.

use smoothcore::error::Error;
use smoothcore::limits::Limits;
use smoothcore::manifest::{Manifest, ManifestParser};
use smoothcore::mem::Account;

/// H.264 parameter sets of 320x240 pictures, baseline profile, level 1.3.
pub const H264: &str = "000000016742C00DDA0507E40000000168CE3C80";

/// One video stream with one level and three fragments.
pub const VIDEO: &str = "<StreamIndex Type='video' Url='Q({bitrate})/F(video={start time})'>\
    <QualityLevel Index='0' Bitrate='300000' FourCC='H264' MaxWidth='320' MaxHeight='240' \
    CodecPrivateData='000000016742C00DDA0507E40000000168CE3C80'/>\
    <c d='20000000'/><c d='20000000'/><c d='10000000'/></StreamIndex>";

/// A manifest with these root attributes and children.
pub fn smooth(attributes: &str, children: &str) -> String {
    format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' {attributes}>{children}</SmoothStreamingMedia>"
    )
}

/// A video stream with these attributes (after Type and Url) and children.
pub fn video(attributes: &str, children: &str) -> String {
    format!(
        "<StreamIndex Type='video' Url='Q({{bitrate}})/F(v={{start time}})' {attributes}>{children}</StreamIndex>"
    )
}

/// A usable level of video with these further attributes.
pub fn level(attributes: &str) -> String {
    format!("<QualityLevel FourCC='H264' CodecPrivateData='{H264}' {attributes}/>")
}

/// A presentation whose only stream has these `c` elements.
pub fn fragments(root: &str, c: &str) -> String {
    smooth(root, &video("", &(level("Bitrate='1'") + c)))
}

/// The model of `document`, parsed in pieces, and the most bytes held meanwhile.
pub fn parse_pieces(limits: &Limits, document: &[u8], piece: usize) -> Result<(Manifest, usize), Error> {
    let mut account = Account::new(256 << 20);
    let mut parser = ManifestParser::new(limits);
    let mut result = Ok(());
    for bytes in document.chunks(piece) {
        result = parser.feed(&mut account, bytes);
        if result.is_err() {
            break;
        }
    }
    let result = result.and_then(|()| parser.finish());
    parser.free(&mut account);
    let held = account.held();
    match result {
        Ok(mut manifest) => {
            // What is charged must be the manifest, to the byte.
            manifest.free(&mut account);
            assert_eq!(account.held(), 0, "the manifest and the account disagree");
            let mut again = Account::new(256 << 20);
            let manifest = parse_once(limits, document, &mut again);
            assert_eq!(again.held(), held);
            Ok((manifest, account.peak()))
        }
        Err(error) => {
            assert_eq!(held, 0, "an error left something charged: {error}");
            Err(error)
        }
    }
}

fn parse_once(limits: &Limits, document: &[u8], account: &mut Account) -> Manifest {
    let mut parser = ManifestParser::new(limits);
    parser.feed(account, document).unwrap();
    let manifest = parser.finish().unwrap();
    parser.free(account);
    manifest
}

/// The model of `document`, the same in pieces of every size.
pub fn try_parse(document: &[u8]) -> Result<Manifest, Error> {
    let limits = Limits::default();
    let whole = parse_pieces(&limits, document, document.len().max(1));
    for piece in [1, 7, 1460] {
        let cut = parse_pieces(&limits, document, piece);
        match (&whole, &cut) {
            (Ok((a, _)), Ok((b, _))) => assert_eq!(format!("{a:?}"), format!("{b:?}"), "pieces of {piece}"),
            (Err(a), Err(b)) => assert_eq!(a.code, b.code, "pieces of {piece}"),
            _ => panic!("pieces of {piece} give {cut:?}, the whole gives {whole:?}"),
        }
    }
    whole.map(|(manifest, _)| manifest)
}

/// The model of a good document.
pub fn parse(document: &str) -> Manifest {
    match try_parse(document.as_bytes()) {
        Ok(manifest) => manifest,
        Err(error) => panic!("{error}\n{document}"),
    }
}

/// The error of a bad one: number and place.
pub fn refusal(document: &str) -> (i32, &'static str) {
    refusal_under(&Limits::default(), document)
}

/// The error of a document that breaks `limits`: number and place.
pub fn refusal_under(limits: &Limits, document: &str) -> (i32, &'static str) {
    let error = parse_pieces(limits, document.as_bytes(), 7).map(|_| document).unwrap_err();
    (error.code.number(), error.place.at)
}

/// Why the `stream`-th stream is unusable, as a number; 0 when it is usable.
pub fn stream_fault(manifest: &Manifest, stream: usize) -> i32 {
    manifest.streams[stream].unusable.map_or(0, |e| e.code.number())
}

/// Why a level is unusable, as a number; 0 when it is usable.
pub fn level_fault(manifest: &Manifest, stream: usize, level: usize) -> i32 {
    manifest.streams[stream].levels[level].unusable.map_or(0, |e| e.code.number())
}

/// Start and duration of every fragment of the first stream.
pub fn times(manifest: &Manifest) -> Vec<(u64, u64)> {
    manifest.streams[0].timeline.iter().map(|f| (f.start, f.duration)).collect()
}

/// `document` as UTF-16.
pub fn utf16(document: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    document.encode_utf16().flat_map(unit).collect()
}

/// `data` as a gzip member of stored blocks.
pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(stored(data));
    let crc = data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 })
    });
    out.extend((!crc).to_le_bytes());
    out.extend((data.len() as u32).to_le_bytes());
    out
}

/// `data` as a zlib stream of stored blocks.
pub fn zlib(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    out.extend(stored(data));
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// `data` as raw deflate of stored blocks.
pub fn stored(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let blocks = data.chunks(60_000).count();
    for (i, block) in data.chunks(60_000).enumerate() {
        let len = block.len() as u16;
        out.push(u8::from(i + 1 == blocks));
        out.extend(len.to_le_bytes());
        out.extend((!len).to_le_bytes());
        out.extend(block);
    }
    out
}
