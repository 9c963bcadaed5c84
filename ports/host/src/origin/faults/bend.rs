//! Bodies that are not what they should be.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Fault;
use super::rule::Kind;
use crate::media::boxes::{self, Boxes, Fields, Writer, write_box};
use crate::media::fragment::TFXD;
use crate::media::stamp::TFRF;
use crate::media::text::{self, Encoding};
use crate::origin::http::Response;
use crate::origin::live::chance as by_chance;

/// Changes the body of a good response, where the fault is of its kind; `chance` is a number by chance.
pub fn body(fault: &Fault, chance: u64, kind: Kind, response: &mut Response) {
    let bent = match (fault, kind) {
        (Fault::Corrupt(count), _) => Ok(corrupted(&response.body, *count, chance)),
        (Fault::GzipBomb(megabytes), Kind::Manifest) => {
            response.headers.push(("Content-Encoding", "gzip".to_owned()));
            Ok(bomb(*megabytes))
        }
        (_, Kind::Manifest) => manifest(fault, chance, &response.body),
        (Fault::Truncate(share), Kind::Fragment) => Ok(truncated(&response.body, *share)),
        (_, Kind::Fragment | Kind::Info) => fragment(fault, &response.body),
        _ => return,
    };
    match bent {
        Ok(bytes) => response.body = bytes,
        Err(error) => *response = Response::error(500, &format!("{}: {error:#}", fault.name())),
    }
}

fn corrupted(bytes: &[u8], count: u64, chance: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..count {
        let place = by_chance(chance, 1, at);
        let len = bytes.len().max(1) as u64;
        if let Some(byte) = bytes.get_mut((place % len) as usize) {
            *byte ^= (place >> 40) as u8 | 1;
        }
    }
    bytes
}

/// Media cut short in a response that is whole.
fn truncated(bytes: &[u8], share: f64) -> Vec<u8> {
    let moof = boxes::head(bytes, bytes.len() as u64).map_or(0, |head| head.size as usize);
    let media = bytes.len().saturating_sub(moof);
    bytes[..moof + (media as f64 * share) as usize].to_vec()
}

/// A manifest that never ends, well packed.
fn bomb(megabytes: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let head =
        br#"<?xml version="1.0"?><SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="0">"#;
    let _ = encoder.write_all(head);
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..megabytes {
        let _ = encoder.write_all(&blanks);
    }
    encoder.finish().unwrap_or_default()
}

fn manifest(fault: &Fault, chance: u64, bytes: &[u8]) -> Result<Vec<u8>> {
    let xml = text::decode(bytes)?;
    let xml = match fault {
        Fault::Utf16(encoding) => return Ok(text::encode(&xml, *encoding)),
        Fault::Durations(most) => durations(&xml, *most, chance),
        Fault::LastWithoutD => last_without_d(&xml),
        Fault::Singles => each_c(&xml, |c| {
            let times =
                (0..c.repeat).map(|at| C { time: c.time.map(|time| time + at * c.duration), repeat: 1, ..c });
            times.map(|c| c.text(true)).collect()
        }),
        Fault::NamesTwice => names_twice(&xml),
        Fault::NoFourCc => values(&xml, "FourCC", |_| String::new()),
        _ => xml,
    };
    Ok(text::encode(&xml, Encoding::Utf8))
}

/// Gives an attribute other values, wherever it stands.
fn values(xml: &str, name: &str, mut new: impl FnMut(&str) -> String) -> String {
    let start = format!(" {name}=\"");
    let (mut out, mut rest) = (String::new(), xml);
    while let Some(at) = rest.find(&start) {
        let (before, after) = rest.split_at(at + start.len());
        let end = after.find('"').unwrap_or(after.len());
        out.push_str(before);
        out.push_str(&new(&after[..end]));
        rest = &after[end..];
    }
    out + rest
}

fn durations(xml: &str, most: u64, chance: u64) -> String {
    let mut count = 0;
    values(xml, "d", |old| {
        count += 1;
        let Ok(ticks) = old.parse::<u64>() else { return old.to_owned() };
        let off = by_chance(chance, 2, count) % (2 * most + 1);
        (ticks + off).saturating_sub(most).max(1).to_string()
    })
}

/// One `c` element.
#[derive(Clone, Copy)]
struct C {
    time: Option<u64>,
    duration: u64,
    repeat: u64,
}

impl C {
    fn text(&self, duration: bool) -> String {
        let mut text = String::from("<c");
        if let Some(time) = self.time {
            text += &format!(" t=\"{time}\"");
        }
        if duration {
            text += &format!(" d=\"{}\"", self.duration);
        }
        if self.repeat > 1 {
            text += &format!(" r=\"{}\"", self.repeat);
        }
        text + "/>"
    }
}

fn attribute(element: &str, name: &str) -> Option<u64> {
    let rest = element.split_once(&format!(" {name}=\""))?.1;
    rest.split('"').next()?.parse().ok()
}

/// Writes each `c` anew.
fn each_c(xml: &str, mut new: impl FnMut(C) -> String) -> String {
    let (mut out, mut rest) = (String::new(), xml);
    while let Some(at) = rest.find("<c ") {
        let (before, after) = rest.split_at(at);
        let end = after.find("/>").map_or(after.len(), |end| end + 2);
        let (element, others) = after.split_at(end);
        out.push_str(before);
        let time = attribute(element, "t");
        let (duration, repeat) = (attribute(element, "d").unwrap_or(0), attribute(element, "r").unwrap_or(1));
        out.push_str(&new(C { time, duration, repeat }));
        rest = others;
    }
    out + rest
}

/// The last fragment of each stream does not say how long it is.
fn last_without_d(xml: &str) -> String {
    let streams: Vec<String> = xml
        .split_inclusive("</StreamIndex>")
        .map(|stream| {
            let count = stream.matches("<c ").count();
            let mut at = 0;
            each_c(stream, |c| {
                at += 1;
                let last = C { time: c.time.map(|time| time + (c.repeat - 1) * c.duration), repeat: 1, ..c };
                match (at == count, c.repeat) {
                    (true, 1) => last.text(false),
                    (true, repeat) => C { repeat: repeat - 1, ..c }.text(true) + &last.text(false),
                    _ => c.text(true),
                }
            })
        })
        .collect();
    streams.concat()
}

/// Streams of one type all have the name of the first.
fn names_twice(xml: &str) -> String {
    let mut first: Vec<(String, String)> = Vec::new();
    let streams: Vec<String> = xml
        .split_inclusive("</StreamIndex>")
        .map(|stream| {
            let kind =
                stream.split_once(" Type=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or("");
            values(stream, "Name", |name| match first.iter().find(|(of, _)| of == kind) {
                Some((_, name)) => name.clone(),
                None => {
                    first.push((kind.to_owned(), name.to_owned()));
                    name.to_owned()
                }
            })
        })
        .collect();
    streams.concat()
}

type Child = ([u8; 4], Vec<u8>);

/// Changes the `traf` of a fragment; the data stays where its `trun` says, but for the fault.
fn fragment(fault: &Fault, bytes: &[u8]) -> Result<Vec<u8>> {
    let head = boxes::head(bytes, bytes.len() as u64)?;
    let (moof, rest) = bytes.split_at(head.size as usize);
    let mut children = read(&moof[head.len as usize..])?;
    let (_, traf) = children.iter_mut().find(|(kind, _)| kind == b"traf").context("no traf")?;
    let mut inner = read(traf)?;
    let mut more = 0;
    match fault {
        Fault::DataOffset(by) => more = *by,
        Fault::NoDurations => {
            for (kind, content) in &mut inner {
                match &*kind {
                    b"tfhd" => *content = without_default(content)?,
                    b"trun" => *content = without_durations(content)?,
                    _ => {}
                }
            }
        }
        Fault::TfrfFirst => inner.sort_by_key(|(kind, content)| {
            let told = kind == b"uuid" && (content.starts_with(&TFXD) || content.starts_with(&TFRF));
            (kind != b"tfhd", !told)
        }),
        Fault::NoTfrf => inner.retain(|(kind, content)| kind != b"uuid" || !content.starts_with(&TFRF)),
        _ => return Ok(bytes.to_vec()),
    }
    *traf = written(&inner);
    let moved = written(&children).len() as i32 - (moof.len() - head.len as usize) as i32;
    for (kind, content) in &mut inner {
        if kind == b"trun" {
            move_data(content, moved + more)?;
        }
    }
    if let Some((_, traf)) = children.iter_mut().find(|(kind, _)| kind == b"traf") {
        *traf = written(&inner);
    }
    Ok([write_box(*b"moof", &written(&children)).as_slice(), rest].concat())
}

fn read(content: &[u8]) -> Result<Vec<Child>> {
    Boxes::new(content).map(|child| child.map(|(kind, content)| (kind, content.to_vec()))).collect()
}

fn written(children: &[Child]) -> Vec<u8> {
    children.iter().flat_map(|(kind, content)| write_box(*kind, content)).collect()
}

fn move_data(trun: &mut [u8], by: i32) -> Result<()> {
    if trun.get(3).is_some_and(|flags| flags & 1 != 0) {
        let field = trun.get_mut(8..12).context("trun cut short")?;
        let old = i32::from_be_bytes((&*field).try_into()?);
        field.copy_from_slice(&old.wrapping_add(by).to_be_bytes());
    }
    Ok(())
}

fn without_default(tfhd: &[u8]) -> Result<Vec<u8>> {
    let mut fields = Fields::new(tfhd);
    let (version, flags) = fields.full()?;
    let mut out = Writer::new();
    out.u8(version).u24(flags & !0x08).u32(fields.u32()?);
    for (flag, len) in [(0x01, 8), (0x02, 4)] {
        if flags & flag != 0 {
            out.bytes(fields.take(len)?);
        }
    }
    if flags & 0x08 != 0 {
        fields.u32()?;
    }
    out.bytes(fields.rest());
    Ok(out.done())
}

fn without_durations(trun: &[u8]) -> Result<Vec<u8>> {
    let mut fields = Fields::new(trun);
    let (version, flags) = fields.full()?;
    let count = fields.u32()?;
    let mut out = Writer::new();
    out.u8(version).u24(flags & !0x100).u32(count);
    for flag in [0x01, 0x04] {
        if flags & flag != 0 {
            out.u32(fields.u32()?);
        }
    }
    for _ in 0..count {
        for flag in [0x100, 0x200, 0x400, 0x800] {
            if flags & flag != 0 {
                let value = fields.u32()?;
                if flag != 0x100 {
                    out.u32(value);
                }
            }
        }
    }
    Ok(out.done())
}
