//! The client manifest ([MS-SSTR] 2.2.2) of a presentation.

use std::io;

use anyhow::Result;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::DEFAULT_TIMESCALE;
use super::codec::Shape;
use super::file::Fragment;
use super::playready::Header;
use super::presentation::{Level, Presentation, Stream};
use super::track::Kind;

/// How fragments of one duration are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeline {
    /// As one `c` with a count `r`: version 2.2.
    Runs,
    /// One `c` each: version 2.0.
    Singles,
}

/// Writes the client manifest. The timeline of a stream is that of its first level.
pub fn write(presentation: &Presentation, timeline: Timeline) -> Result<String> {
    let duration = presentation.streams.iter().map(|stream| {
        let end = stream.levels.iter().map(Level::end).max().unwrap_or(0);
        let scale = stream.levels.first().map_or(DEFAULT_TIMESCALE, |level| level.track().timescale);
        (u128::from(end) * u128::from(DEFAULT_TIMESCALE)).div_ceil(u128::from(scale))
    });
    let duration = duration.max().unwrap_or(0).to_string();
    let minor = match timeline {
        Timeline::Runs => "2",
        Timeline::Singles => "0",
    };
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    writer
        .create_element("SmoothStreamingMedia")
        .with_attributes([("MajorVersion", "2"), ("MinorVersion", minor)])
        .with_attributes([("TimeScale", &*DEFAULT_TIMESCALE.to_string()), ("Duration", &duration)])
        .write_inner_content(|writer| {
            write_protection(writer, &presentation.protection)?;
            presentation.streams.iter().try_for_each(|stream| write_stream(writer, stream, timeline))
        })?;
    let mut xml = String::from_utf8(writer.into_inner())?;
    xml.push('\n');
    Ok(xml)
}

fn write_protection(writer: &mut Writer<Vec<u8>>, headers: &[Header]) -> io::Result<()> {
    if headers.is_empty() {
        return Ok(());
    }
    writer.create_element("Protection").write_inner_content(|writer| {
        for header in headers {
            let element = writer.create_element("ProtectionHeader");
            let element = element.with_attribute(("SystemID", &*header.system()));
            element.write_text_content(BytesText::new(&header.base64()))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_stream(writer: &mut Writer<Vec<u8>>, stream: &Stream, timeline: Timeline) -> io::Result<()> {
    let Some(first) = stream.levels.first() else { return Ok(()) };
    let mut attributes: Vec<(&str, String)> = Vec::new();
    attributes.push(("Type", stream.kind.as_str().to_owned()));
    attributes.push(("Name", stream.name.clone()));
    if stream.language != "und" {
        attributes.push(("Language", stream.language.clone()));
    }
    if first.track().timescale != DEFAULT_TIMESCALE {
        attributes.push(("TimeScale", first.track().timescale.to_string()));
    }
    attributes.push(("Chunks", first.fragments().len().to_string()));
    attributes.push(("QualityLevels", stream.levels.len().to_string()));
    if stream.kind == Kind::Video {
        let largest = stream.levels.iter().max_by_key(|level| size(level));
        let (width, height) = largest.map_or((0, 0), size);
        let shown = largest.map_or((0, 0), |level| level.track().display);
        let (across, down) = if shown.0 == 0 || shown.1 == 0 { (width, height) } else { shown };
        for (name, value) in
            [("MaxWidth", width), ("MaxHeight", height), ("DisplayWidth", across), ("DisplayHeight", down)]
        {
            attributes.push((name, value.to_string()));
        }
    }
    let custom = stream.levels.iter().any(|level| !level.attributes.is_empty());
    let predicates = if custom { ",{CustomAttributes}" } else { "" };
    attributes.push((
        "Url",
        format!("QualityLevels({{bitrate}}{predicates})/Fragments({}={{start time}})", stream.name),
    ));

    writer.create_element("StreamIndex").with_attributes(pairs(&attributes)).write_inner_content(
        |writer| {
            for (index, level) in stream.levels.iter().enumerate() {
                write_level(writer, index, level)?;
            }
            write_timeline(writer, first.fragments(), timeline)
        },
    )?;
    Ok(())
}

fn pairs<'a>(attributes: &'a [(&'a str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

fn size(level: &Level) -> (u32, u32) {
    match level.track().codec.shape {
        Shape::Video { width, height, .. } => (width, height),
        Shape::Audio { .. } => (0, 0),
    }
}

fn write_level(writer: &mut Writer<Vec<u8>>, index: usize, level: &Level) -> io::Result<()> {
    let codec = &level.track().codec;
    let mut attributes: Vec<(&str, String)> = Vec::new();
    attributes.push(("Index", index.to_string()));
    attributes.push(("Bitrate", level.bitrate.to_string()));
    attributes.push(("FourCC", codec.four_cc.to_owned()));
    match codec.shape {
        Shape::Video { width, height, nal_length } => {
            attributes.push(("MaxWidth", width.to_string()));
            attributes.push(("MaxHeight", height.to_string()));
            if nal_length != 4 {
                attributes.push(("NALUnitLengthField", nal_length.to_string()));
            }
        }
        Shape::Audio { rate, channels, bits, packet, tag } => {
            attributes.push(("SamplingRate", rate.to_string()));
            attributes.push(("Channels", channels.to_string()));
            attributes.push(("BitsPerSample", bits.to_string()));
            attributes.push(("PacketSize", packet.to_string()));
            attributes.push(("AudioTag", tag.to_string()));
        }
    }
    let hex = codec.private_data.iter().map(|byte| format!("{byte:02X}")).collect();
    attributes.push(("CodecPrivateData", hex));
    let element = writer.create_element("QualityLevel").with_attributes(pairs(&attributes));
    if level.attributes.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        writer.create_element("CustomAttributes").write_inner_content(|writer| {
            for (name, value) in &level.attributes {
                let attributes = [("Name", name.as_str()), ("Value", value.as_str())];
                writer.create_element("Attribute").with_attributes(attributes).write_empty()?;
            }
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

fn write_timeline(
    writer: &mut Writer<Vec<u8>>,
    fragments: &[Fragment],
    timeline: Timeline,
) -> io::Result<()> {
    // Neighbours always touch: a duration is the distance to the next time.
    let runs = fragments.chunk_by(|a, b| timeline == Timeline::Runs && a.duration == b.duration);
    for run in runs {
        let Some(first) = run.first() else { continue };
        let (time, duration, count) =
            (first.time.to_string(), first.duration.to_string(), run.len().to_string());
        let mut element = writer.create_element("c").with_attributes([("t", &*time), ("d", &duration)]);
        if run.len() > 1 {
            element = element.with_attribute(("r", count.as_str()));
        }
        element.write_empty()?;
    }
    Ok(())
}
