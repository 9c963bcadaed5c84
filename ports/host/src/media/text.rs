//! The encodings manifests come in: UTF-8 and UTF-16 of either byte order.

use anyhow::{Result, bail};

/// An encoding a manifest can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Encoding {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-16le")]
    Utf16Le,
    #[value(name = "utf-16be")]
    Utf16Be,
}

impl Encoding {
    /// What an XML declaration calls it.
    fn declared(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le | Self::Utf16Be => "utf-16",
        }
    }
}

/// Text from bytes that begin with a byte order mark, or are UTF-16 XML without one, or else are UTF-8.
///
/// # Errors
/// When the bytes are not valid in that encoding.
pub fn decode(bytes: &[u8]) -> Result<String> {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = bytes.as_chunks::<2>();
        if !odd.is_empty() {
            bail!("UTF-16 text of an odd number of bytes");
        }
        Ok(char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect::<Result<String, _>>()?)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(std::str::from_utf8(rest)?.to_owned()),
        [0xff, 0xfe, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => units(rest, u16::from_be_bytes),
        [b'<', 0, ..] => units(bytes, u16::from_le_bytes),
        [0, b'<', ..] => units(bytes, u16::from_be_bytes),
        _ => Ok(std::str::from_utf8(bytes)?.to_owned()),
    }
}

/// The bytes of an XML document in `encoding`, its declaration changed to match; UTF-16 gets a byte order mark.
pub fn encode(xml: &str, encoding: Encoding) -> Vec<u8> {
    let xml = declare(xml, encoding.declared());
    match encoding {
        Encoding::Utf8 => xml.into_bytes(),
        Encoding::Utf16Le => marked(&xml).flat_map(u16::to_le_bytes).collect(),
        Encoding::Utf16Be => marked(&xml).flat_map(u16::to_be_bytes).collect(),
    }
}

fn marked(xml: &str) -> impl Iterator<Item = u16> {
    std::iter::once(0xfeff).chain(xml.encode_utf16())
}

/// Puts `name` where the XML declaration, if there is one, names an encoding.
fn declare(xml: &str, name: &str) -> String {
    let old = || -> Option<std::ops::Range<usize>> {
        let declaration = xml.starts_with("<?xml").then(|| xml.split_once("?>"))??.0;
        let value = declaration.find("encoding")? + "encoding".len();
        let open = value + declaration[value..].find(['"', '\''])?;
        let quote = declaration[open..].chars().next()?;
        let close = open + 1 + declaration[open + 1..].find(quote)?;
        Some(open + 1..close)
    };
    let mut xml = xml.to_owned();
    if let Some(old) = old() {
        xml.replace_range(old, name);
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<?xml version='1.0' encoding='utf-8'?>\n<a b=\"\u{e9}\u{1f600}\"/>";

    #[test]
    fn every_encoding_comes_back() {
        for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
            let bytes = encode(XML, encoding);
            assert_eq!(decode(&bytes).unwrap(), declare(XML, encoding.declared()));
            assert_eq!(encode(&decode(&bytes).unwrap(), Encoding::Utf8), XML.as_bytes());
        }
        assert_eq!(encode(XML, Encoding::Utf16Le)[..4], [0xff, 0xfe, b'<', 0]);
        assert_eq!(encode(XML, Encoding::Utf16Be)[..4], [0xfe, 0xff, 0, b'<']);
    }

    #[test]
    fn marks_and_nothing_are_understood() {
        assert_eq!(decode(b"\xef\xbb\xbf<a/>").unwrap(), "<a/>");
        assert_eq!(decode(b"<\0a\0/\0>\0").unwrap(), "<a/>");
        assert_eq!(decode(b"\0<\0a\0/\0>").unwrap(), "<a/>");
        assert!(decode(b"\xff\xfe<").is_err(), "half a unit");
        assert!(decode(b"\xff\xfe\x00\xd8").is_err(), "half a pair");
        assert!(decode(b"<a>\xff</a>").is_err(), "not UTF-8");
    }

    #[test]
    fn text_without_declaration_stays() {
        assert_eq!(declare("<a/>", "utf-16"), "<a/>");
        assert_eq!(
            declare("<?xml version=\"1.0\"?><a encoding=\"x\"/>", "utf-16"),
            "<?xml version=\"1.0\"?><a encoding=\"x\"/>"
        );
    }
}
