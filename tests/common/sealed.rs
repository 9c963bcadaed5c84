//! The test card, encrypted: fragments get a sample encryption box, the manifest a header.

use smoothcore::io::{Kid, Subsample};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::{Body, BodyEnd, BoxWalk, Found, SampleTable, parse_moof, uuid};

use super::Origin;
use super::agent::apply;

/// Which box tells how samples are encrypted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Form {
    Piff,
    /// The box of PIFF with algorithm, size and key in it.
    Override,
    Senc,
    /// `saiz` and `saio`; the table is at the start of the `mdat`.
    MediaData,
    /// The same, behind the samples.
    BehindSamples,
}

/// Which bytes are encrypted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cover {
    /// What follows the first bytes of each NAL unit.
    Nals,
    /// All of a sample.
    Whole,
    /// From the third byte on: the lengths of all units but the first.
    Lengths,
}

/// How one fragment is encrypted.
#[derive(Clone, Debug)]
pub struct Seal {
    pub kid: Option<Kid>,
    pub form: Form,
    pub iv_size: u8,
    pub cover: Cover,
    /// Bytes of the length of a NAL unit.
    pub nal_length: usize,
    /// Boxes behind the `traf`.
    pub extra: Vec<u8>,
}

impl Seal {
    pub fn new(kid: Kid) -> Seal {
        Seal {
            kid: Some(kid),
            form: Form::Piff,
            iv_size: 8,
            cover: Cover::Nals,
            nal_length: 4,
            extra: Vec::new(),
        }
    }
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn add32(bytes: &mut [u8], at: usize, more: usize) {
    let sum = be32(bytes, at) + more as u32;
    bytes[at..at + 4].copy_from_slice(&sum.to_be_bytes());
}

/// Start and end of the children of the box at `at`.
fn children(bytes: &[u8], at: usize) -> Vec<([u8; 4], usize, usize)> {
    let end = at + be32(bytes, at) as usize;
    let (mut found, mut at) = (Vec::new(), at + 8);
    while at < end {
        let size = be32(bytes, at) as usize;
        found.push((bytes[at + 4..at + 8].try_into().unwrap(), at, at + size));
        at += size;
    }
    found
}

/// Offset and size of every sample.
pub fn samples(fragment: &[u8]) -> Vec<(usize, usize)> {
    let (mut account, limits) = (Account::new(1 << 20), Limits::default());
    let (mut walk, mut table) = (BoxWalk::new(), SampleTable::new());
    let body = Body { source: fragment, end: BodyEnd::Reached, content_length: None };
    loop {
        match walk.advance(&body, &limits).unwrap() {
            Found::Moof { offset, size } => {
                let moof = &fragment[offset as usize..offset as usize + size as usize];
                parse_moof(moof, offset, &mut account, &limits, &mut table).unwrap();
            }
            Found::Mdat { payload_offset, payload_size } => {
                table.place(payload_offset, payload_size).unwrap()
            }
            Found::NeedMore { .. } => panic!("cut short"),
            Found::End => break,
        }
    }
    table.samples().iter().map(|s| (s.offset as usize, s.size as usize)).collect()
}

fn parts(sample: &[u8], cover: Cover, length: usize) -> Vec<Subsample> {
    let all = |clear: u32| Subsample { clear, protected: sample.len() as u32 - clear };
    match cover {
        Cover::Whole => Vec::new(),
        Cover::Lengths => vec![all(2)],
        Cover::Nals => {
            let (mut parts, mut at) = (Vec::new(), 0);
            while at < sample.len() {
                let len = sample[at..at + length].iter().fold(0u32, |l, b| l << 8 | u32::from(*b));
                let prefix = length as u32;
                let clear = prefix + 1.min(len) + len.saturating_sub(1) % 16;
                parts.push(Subsample { clear, protected: prefix + len - clear });
                at += length + len as usize;
            }
            parts
        }
    }
}

/// A clear fragment of one `moof` and one `mdat`, encrypted.
pub fn seal(fragment: &[u8], seal: &Seal) -> Vec<u8> {
    let samples = samples(fragment);
    let mut out = fragment.to_vec();
    let mut fields = Vec::new();
    let mut flags = 0u32;
    if seal.form == Form::Override {
        flags |= 1;
        fields.extend_from_slice(&(1u32 << 8 | u32::from(seal.iv_size)).to_be_bytes());
        fields.extend_from_slice(&seal.kid.unwrap().0);
    }
    if seal.cover != Cover::Whole {
        flags |= 2;
    }
    fields.extend_from_slice(&(samples.len() as u32).to_be_bytes());
    let (head, mut sizes) = (fields.len(), Vec::new());
    for (n, (at, size)) in samples.iter().enumerate() {
        let mut iv = (0x1234_5678_0000_0000u64 + n as u64).to_be_bytes().to_vec();
        iv.resize(seal.iv_size.into(), 0x5a);
        let data = &mut out[*at..at + size];
        let parts = parts(data, seal.cover, seal.nal_length);
        let before = fields.len();
        apply(data, seal.kid, &iv, &parts);
        fields.extend_from_slice(&iv);
        if seal.cover != Cover::Whole {
            fields.extend_from_slice(&(parts.len() as u16).to_be_bytes());
            for part in parts {
                fields.extend_from_slice(&u16::try_from(part.clear).unwrap().to_be_bytes());
                fields.extend_from_slice(&part.protected.to_be_bytes());
            }
        }
        sizes.push(fields.len() - before);
    }
    if matches!(seal.form, Form::MediaData | Form::BehindSamples) {
        return auxiliary(seal, &out, &fields[head..], &sizes);
    }
    let mut payload = flags.to_be_bytes().to_vec();
    payload.extend_from_slice(&fields);
    let (kind, payload) = match seal.form {
        Form::Senc => (b"senc", payload),
        _ => (b"uuid", [&uuid::SAMPLE_ENCRYPTION[..], &payload].concat()),
    };
    let made = [&(payload.len() as u32 + 8).to_be_bytes()[..], kind, &payload].concat();
    grown(&out, &[made, seal.extra.clone()], 0)
}

/// `fragment` with one more box in its `traf` and one behind it; its samples move by `more` bytes beyond that.
fn grown(fragment: &[u8], [inside, behind]: &[Vec<u8>; 2], more: usize) -> Vec<u8> {
    let mut out = fragment.to_vec();
    let (_, traf, traf_end) = *children(fragment, 0).iter().find(|(k, ..)| k == b"traf").unwrap();
    let added = inside.len() + behind.len();
    for (kind, at, _) in children(fragment, traf) {
        if &kind == b"trun" && be32(fragment, at + 8) & 1 != 0 {
            add32(&mut out, at + 16, added + more);
        }
    }
    add32(&mut out, traf, inside.len());
    add32(&mut out, 0, added);
    assert!(traf_end <= be32(fragment, 0) as usize);
    [&out[..traf_end], inside, behind, &out[traf_end..]].concat()
}

/// `fragment`, whose samples are encrypted, with its table among the media data.
fn auxiliary(seal: &Seal, fragment: &[u8], table: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (front, moof_end) = (seal.form == Form::MediaData, be32(fragment, 0) as usize);
    assert_eq!(&fragment[moof_end + 4..moof_end + 8], b"mdat");
    let data = be32(fragment, moof_end) as usize;
    let (saiz, saio) = (17 + sizes.len(), 20);
    let mdat = moof_end + saiz + saio + seal.extra.len();
    let at = mdat + if front { 8 } else { data };
    let mut boxes = (saiz as u32).to_be_bytes().to_vec();
    boxes.extend_from_slice(b"saiz\0\0\0\0\0");
    boxes.extend_from_slice(&(sizes.len() as u32).to_be_bytes());
    boxes.extend(sizes.iter().map(|size| u8::try_from(*size).unwrap()));
    boxes.extend_from_slice(&(saio as u32).to_be_bytes());
    boxes.extend_from_slice(b"saio\0\0\0\0\0\0\0\x01");
    boxes.extend_from_slice(&(at as u32).to_be_bytes());
    let shift = if front { table.len() } else { 0 };
    let mut out = grown(fragment, &[boxes, seal.extra.clone()], shift);
    add32(&mut out, mdat, table.len());
    out.splice(at..at, table.iter().copied());
    out
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().enumerate().fold(0u32, |w, (n, b)| w | u32::from(*b) << (16 - 8 * n));
        for n in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= three.len() { letter.into() } else { '=' });
        }
    }
    text
}

/// A PlayReady object that names `kids`.
pub fn playready(kids: &[Kid], la_url: &str) -> Vec<u8> {
    let names: String = kids
        .iter()
        .map(|k| format!("<KID ALGID=\"AESCTR\" VALUE=\"{}\"></KID>", base64(&k.to_guid())))
        .collect();
    let text = format!(
        "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"4.2.0.0\"><DATA><PROTECTINFO><KIDS>{names}</KIDS></PROTECTINFO><LA_URL>{la_url}</LA_URL></DATA></WRMHEADER>"
    );
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut object = (wide.len() as u32 + 10).to_le_bytes().to_vec();
    object.extend_from_slice(&[1, 0, 1, 0]);
    object.extend_from_slice(&(wide.len() as u16).to_le_bytes());
    object.extend_from_slice(&wide);
    object
}

pub const PLAYREADY: &str = "{9A04F079-9840-4286-AB92-E65BE0885F95}";
pub const ENVELOPE: &str = "B47B251A-2409-4B42-958E-08DBAE7B4EE9";

impl Origin {
    /// With protection headers in the manifest.
    pub fn with_headers(mut self, headers: &[(&str, Vec<u8>)]) -> Origin {
        let manifest = String::from_utf8(self.responses["Manifest"].clone()).unwrap();
        let headers: String = headers
            .iter()
            .map(|(id, data)| {
                format!("<ProtectionHeader SystemID=\"{id}\">{}</ProtectionHeader>", base64(data))
            })
            .collect();
        let end = "</SmoothStreamingMedia>";
        let manifest = manifest.replace(end, &format!("<Protection>{headers}</Protection>{end}"));
        self.responses.insert("Manifest".into(), manifest.into_bytes());
        self
    }

    /// With fragments encrypted as `how` says, by stream name, bitrate and start time.
    pub fn sealed(mut self, how: impl Fn(&str, u32, u64) -> Option<Seal>) -> Origin {
        for (path, body) in &mut self.responses {
            let Some((bitrate, rest)) = path.strip_prefix("QualityLevels(").and_then(|p| p.split_once(')'))
            else {
                continue;
            };
            let (name, time) =
                rest.trim_start_matches("/Fragments(").trim_end_matches(')').split_once('=').unwrap();
            if let Some(kind) = how(name, bitrate.parse().unwrap(), time.parse().unwrap()) {
                *body = seal(body, &kind);
            }
        }
        self
    }
}
