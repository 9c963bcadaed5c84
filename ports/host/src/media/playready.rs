//! PlayReady headers for test content: the object, and what a file or manifest already carries.

use std::fmt::Write;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smoothcore::protection::{PLAYREADY, Scheme};
use smoothcore_clearkey::{Named, checksum};

use super::boxes::{Boxes, Fields};

/// The header of one protection system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub system: [u8; 16],
    pub data: Vec<u8>,
}

/// PIFF's box for what `pssh` carries elsewhere.
pub const PIFF_HEADER: [u8; 16] =
    [0xd0, 0x8a, 0x4f, 0x18, 0x10, 0xf3, 0x4a, 0x82, 0xb6, 0xc8, 0x32, 0xd8, 0xab, 0xa1, 0x83, 0xd3];

impl Header {
    /// The text of `ProtectionHeader`.
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.data)
    }

    /// The system as manifests write it.
    pub fn system(&self) -> String {
        let mut text = String::new();
        for (at, byte) in self.system.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            let _ = write!(text, "{byte:02X}");
        }
        text
    }
}

/// The headers in the content of a `moov` box: `pssh` of version 0, and PIFF's own box.
pub fn of_moov(moov: &[u8]) -> Result<Vec<Header>> {
    let mut found = Vec::new();
    for child in Boxes::new(moov) {
        let (kind, content) = child?;
        let mut fields = Fields::new(content);
        match &kind {
            b"pssh" => {}
            b"uuid" if content.starts_with(&PIFF_HEADER) => {
                fields.take(16)?;
            }
            _ => continue,
        }
        if fields.full()?.0 == 0 {
            let (system, len) = (fields.array()?, fields.u32()? as usize);
            found.push(Header { system, data: fields.take(len)?.to_vec() });
        }
    }
    Ok(found)
}

/// A PlayReady object that names `keys`, with a WRMHEADER of the lowest version that can.
pub fn header(keys: &[Named], scheme: Scheme, la_url: Option<&str>) -> Header {
    let kid = |named: &Named| STANDARD.encode(named.kid.to_guid());
    let sum = |named: &Named| STANDARD.encode(checksum(named.key, named.kid));
    let url = la_url.map_or_else(String::new, |url| {
        format!("<LA_URL>{}</LA_URL>", url.replace('&', "&amp;").replace('<', "&lt;"))
    });
    let (version, data) = match (keys, scheme) {
        ([only], Scheme::AesCtr) => (
            "4.0.0.0",
            format!(
                "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{}</KID>\
                 <CHECKSUM>{}</CHECKSUM>{url}",
                kid(only),
                sum(only)
            ),
        ),
        (keys, Scheme::AesCtr) => {
            let one = |key: &Named| {
                format!("<KID ALGID=\"AESCTR\" CHECKSUM=\"{}\" VALUE=\"{}\"></KID>", sum(key), kid(key))
            };
            ("4.2.0.0", kids(keys, one, &url))
        }
        (keys, Scheme::AesCbc | Scheme::Cbcs) => {
            let one = |key: &Named| format!("<KID ALGID=\"AESCBC\" VALUE=\"{}\"></KID>", kid(key));
            ("4.3.0.0", kids(keys, one, &url))
        }
    };
    let text = format!(
        "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"{version}\">\
         <DATA>{data}</DATA></WRMHEADER>"
    );
    let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut object = (text.len() as u32 + 10).to_le_bytes().to_vec();
    object.extend([1, 0, 1, 0]);
    object.extend((text.len() as u16).to_le_bytes());
    object.extend(text);
    Header { system: PLAYREADY, data: object }
}

fn kids(keys: &[Named], one: impl Fn(&Named) -> String, url: &str) -> String {
    let kids: String = keys.iter().map(one).collect();
    format!("{url}<PROTECTINFO><KIDS>{kids}</KIDS></PROTECTINFO>")
}

#[cfg(test)]
mod tests {
    use smoothcore::limits::Limits;
    use smoothcore::mem::Account;
    use smoothcore::protection;
    use smoothcore_clearkey::{Keys, Kid};

    use super::*;

    fn named(n: u8) -> Named {
        Named { kid: Kid([n; 16]), key: smoothcore_clearkey::Key([n + 1; 16]) }
    }

    #[test]
    fn the_core_reads_what_is_written() {
        let cases = [
            (&[named(1)][..], Scheme::AesCtr, (4, 0)),
            (&[named(1), named(2)], Scheme::AesCtr, (4, 2)),
            (&[named(1)], Scheme::Cbcs, (4, 3)),
        ];
        for (keys, scheme, version) in cases {
            let header = header(keys, scheme, Some("http://k/?a&b"));
            assert_eq!(header.system(), "9A04F079-9840-4286-AB92-E65BE0885F95");
            let mut account = Account::new(1 << 20);
            let read =
                protection::read(header.system, &header.data, &mut account, &Limits::default()).unwrap();
            assert_eq!(
                (read.version, read.scheme(), &*read.la_url),
                (version, Some(scheme), "http://k/?a&b")
            );
            assert!(read.keys.iter().map(|key| key.kid).eq(keys.iter().map(|key| key.kid)));
            let mut known = Keys::default();
            known.add(keys[0].kid, keys[0].key);
            assert_eq!(known.wrong(&read.keys), None);
            known.add(keys[0].kid, smoothcore_clearkey::Key([9; 16]));
            let told = (scheme == Scheme::AesCtr).then_some(keys[0].kid);
            assert_eq!(known.wrong(&read.keys), told);
        }
    }
}
