//! The server and client manifests of what was kept.

use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use smoothcore::codec::{FourCc, Kind};
use smoothcore::manifest::{Manifest, QualityLevel, Stream};
use smoothcore::time::TimeScale;

use super::Kept;
use crate::probe::{system, word};

const SMIL: &str = "http://www.w3.org/2001/SMIL20/Language";

/// Writes NAME.ism and NAME.ismc in `dir`.
///
/// # Errors
/// When they cannot be written.
pub fn write(dir: &Path, name: &str, manifest: &Manifest, kept: &[Kept]) -> Result<()> {
    let client = format!("{name}.ismc");
    for (file, xml) in
        [(client.clone(), ismc(manifest, kept)?), (format!("{name}.ism"), ism(manifest, kept, &client)?)]
    {
        let path = dir.join(file);
        std::fs::write(&path, xml).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The levels of each stream, in the order of the manifest.
fn streams(kept: &[Kept]) -> impl Iterator<Item = &[Kept]> {
    kept.chunk_by(|a, b| a.job.stream == b.job.stream)
}

fn document(
    root: &str,
    attributes: &[(&str, String)],
    body: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>,
) -> Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    writer.create_element(root).with_attributes(pairs(attributes)).write_inner_content(body)?;
    let mut xml = String::from_utf8(writer.into_inner())?;
    xml.push('\n');
    Ok(xml)
}

fn pairs<'a>(attributes: &'a [(&'a str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

fn ismc(manifest: &Manifest, kept: &[Kept]) -> Result<String> {
    let end = |kept: &Kept| {
        let (first, last) = (kept.fragments.first()?, kept.fragments.last()?);
        let ticks = last.0.saturating_add(last.1).saturating_sub(first.0);
        manifest.streams[kept.job.stream].timescale.rescale(ticks, manifest.timescale)
    };
    let longest = kept.iter().filter_map(end).max().unwrap_or(0);
    let duration = if manifest.is_live() || manifest.duration == 0 { longest } else { manifest.duration };
    let attributes = [
        ("MajorVersion", "2".to_owned()),
        ("MinorVersion", "2".to_owned()),
        ("TimeScale", manifest.timescale.per_second().to_string()),
        ("Duration", duration.to_string()),
    ];
    document("SmoothStreamingMedia", &attributes, |writer| {
        if !manifest.protection.is_empty() {
            writer.create_element("Protection").write_inner_content(|writer| {
                for header in manifest.protection.iter() {
                    let element = writer.create_element("ProtectionHeader");
                    let element = element.with_attribute(("SystemID", system(&header.system_id).as_str()));
                    element.write_text_content(BytesText::new(&base64(&header.data)))?;
                }
                Ok(())
            })?;
        }
        streams(kept).try_for_each(|levels| stream(writer, manifest, levels))?;
        manifest
            .usable()
            .filter(|(_, said)| said.embedded)
            .try_for_each(|(_, said)| embedded(writer, manifest, kept, said))
    })
}

fn stream(writer: &mut Writer<Vec<u8>>, manifest: &Manifest, kept: &[Kept]) -> io::Result<()> {
    let Some(first) = kept.first() else { return Ok(()) };
    let said = &manifest.streams[first.job.stream];
    let name = &first.job.name;
    let mut attributes = vec![("Type", word(said.kind).to_owned()), ("Name", name.clone())];
    if !said.subtype.is_empty() {
        attributes.push(("Subtype", said.subtype.as_str().to_owned()));
    }
    if said.language.as_str() != "und" {
        attributes.push(("Language", said.language.as_str().to_owned()));
    }
    if said.timescale != manifest.timescale {
        attributes.push(("TimeScale", said.timescale.per_second().to_string()));
    }
    attributes.push(("Chunks", first.fragments.len().to_string()));
    attributes.push(("QualityLevels", kept.len().to_string()));
    if said.kind == Kind::Video {
        for (key, value) in [
            ("MaxWidth", said.max_width),
            ("MaxHeight", said.max_height),
            ("DisplayWidth", said.display_width),
            ("DisplayHeight", said.display_height),
        ] {
            attributes.push((key, value.to_string()));
        }
    }
    let custom = kept.iter().any(|kept| !said.levels[kept.job.level].custom.is_empty());
    let predicates = if custom { ",{CustomAttributes}" } else { "" };
    attributes
        .push(("Url", format!("QualityLevels({{bitrate}}{predicates})/Fragments({name}={{start time}})")));
    let element = writer.create_element("StreamIndex").with_attributes(pairs(&attributes));
    element.write_inner_content(|writer| {
        for kept in kept {
            level(writer, said.kind, &said.levels[kept.job.level])?;
        }
        let mut list = first.fragments.as_slice();
        while let Some((time, duration)) = list.first().copied() {
            let touching = |(at, fragment): &(usize, &(u64, u64))| {
                **fragment == (time + duration * *at as u64, duration)
            };
            let run = list.iter().enumerate().take_while(touching).count().max(1);
            list = &list[run..];
            let (time, duration, run) = (time.to_string(), duration.to_string(), run.to_string());
            let mut c = writer.create_element("c").with_attributes([("t", &*time), ("d", &duration)]);
            if run != "1" {
                c = c.with_attribute(("r", run.as_str()));
            }
            c.write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A stream whose samples stand in the manifest, with its samples.
fn embedded(
    writer: &mut Writer<Vec<u8>>,
    manifest: &Manifest,
    kept: &[Kept],
    said: &Stream,
) -> io::Result<()> {
    let mut attributes = vec![("Type", word(said.kind).to_owned()), ("Name", said.name.as_str().to_owned())];
    if !said.subtype.is_empty() {
        attributes.push(("Subtype", said.subtype.as_str().to_owned()));
    }
    if said.language.as_str() != "und" {
        attributes.push(("Language", said.language.as_str().to_owned()));
    }
    if said.timescale != manifest.timescale {
        attributes.push(("TimeScale", said.timescale.per_second().to_string()));
    }
    if kept.iter().any(|kept| kept.job.name == said.parent.as_str()) {
        attributes.push(("ParentStreamIndex", said.parent.as_str().to_owned()));
    }
    attributes.push(("ManifestOutput", "TRUE".to_owned()));
    attributes.push(("Chunks", said.timeline.len().to_string()));
    attributes.push(("QualityLevels", said.levels.len().to_string()));
    let element = writer.create_element("StreamIndex").with_attributes(pairs(&attributes));
    element.write_inner_content(|writer| {
        said.levels.iter().try_for_each(|said_level| level(writer, said.kind, said_level))?;
        for fragment in said.timeline.iter() {
            let mut attributes = vec![("t", fragment.start.to_string())];
            if fragment.duration > 0 {
                attributes.push(("d", fragment.duration.to_string()));
            }
            let c = writer.create_element("c").with_attributes(pairs(&attributes));
            let own: Vec<_> = said.payloads.iter().filter(|payload| payload.time == fragment.start).collect();
            if own.is_empty() {
                c.write_empty()?;
                continue;
            }
            c.write_inner_content(|writer| {
                for payload in own {
                    let f =
                        writer.create_element("f").with_attribute(("i", payload.level.to_string().as_str()));
                    f.write_text_content(BytesText::new(&base64(&payload.bytes)))?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn level(writer: &mut Writer<Vec<u8>>, kind: Kind, level: &QualityLevel) -> io::Result<()> {
    let config = &level.config;
    let mut attributes =
        vec![("Index", level.index.to_string()), ("Bitrate", level.bitrate_text.as_str().to_owned())];
    if config.fourcc != FourCc::NONE {
        attributes.push(("FourCC", config.fourcc.to_string()));
    }
    let mut number = |name, value: u32| {
        if value != 0 {
            attributes.push((name, value.to_string()));
        }
    };
    match kind {
        Kind::Video => {
            number("MaxWidth", config.width);
            number("MaxHeight", config.height);
            number("NALUnitLengthField", if config.nal_length == 4 { 0 } else { config.nal_length.into() });
        }
        Kind::Audio => {
            number("SamplingRate", config.sampling_rate);
            number("Channels", config.channels.into());
            number("BitsPerSample", config.bits_per_sample.into());
            number("PacketSize", config.packet_size);
            number("AudioTag", config.audio_tag);
        }
        Kind::Text => {}
    }
    let hex = config.private.iter().map(|byte| format!("{byte:02X}")).collect();
    attributes.push(("CodecPrivateData", hex));
    let element = writer.create_element("QualityLevel").with_attributes(pairs(&attributes));
    if level.custom.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        writer.create_element("CustomAttributes").write_inner_content(|writer| {
            for (name, value) in level.custom.iter() {
                let attributes = [("Name", name.as_str()), ("Value", value.as_str())];
                writer.create_element("Attribute").with_attributes(attributes).write_empty()?;
            }
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

fn ism(manifest: &Manifest, kept: &[Kept], client: &str) -> Result<String> {
    document("smil", &[("xmlns", SMIL.to_owned())], |writer| {
        writer.create_element("head").write_inner_content(|writer| {
            let meta = [("name", "clientManifestRelativePath"), ("content", client)];
            writer.create_element("meta").with_attributes(meta).write_empty()?;
            Ok(())
        })?;
        writer.create_element("body").write_inner_content(|writer| {
            writer.create_element("switch").write_inner_content(|writer| {
                kept.iter().try_for_each(|kept| track(writer, manifest, kept))
            })?;
            Ok(())
        })?;
        Ok(())
    })
}

fn track(writer: &mut Writer<Vec<u8>>, manifest: &Manifest, kept: &Kept) -> io::Result<()> {
    let said = &manifest.streams[kept.job.stream];
    let level = &said.levels[kept.job.level];
    let name = if said.kind == Kind::Text { "textstream" } else { word(said.kind) };
    let element = writer.create_element(name);
    let mut element = element
        .with_attributes([("src", kept.job.file.as_str()), ("systemBitrate", level.bitrate_text.as_str())]);
    if said.language.as_str() != "und" {
        element = element.with_attribute(("systemLanguage", said.language.as_str()));
    }
    element.write_inner_content(|writer| {
        let mut param = |name: &str, value: &str| {
            let attributes = [("name", name), ("value", value), ("valuetype", "data")];
            writer.create_element("param").with_attributes(attributes).write_empty().map(|_| ())
        };
        param("trackID", &kept.track_id.to_string())?;
        param("trackName", &kept.job.name)?;
        if said.kind == Kind::Text && !said.subtype.is_empty() {
            param("Subtype", said.subtype.as_str())?;
        }
        if said.timescale != TimeScale::HNS {
            param("timeScale", &said.timescale.per_second().to_string())?;
        }
        level.custom.iter().try_for_each(|(name, value)| param(name, value))
    })?;
    Ok(())
}

/// RFC 4648 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_pads() {
        assert_eq!(
            [&b""[..], b"f", b"fo", b"foo", b"foob"].map(base64),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
