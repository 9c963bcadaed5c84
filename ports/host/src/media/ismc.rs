//! The client manifest ([MS-SSTR] 2.2.2) of a presentation.

use std::io;

use anyhow::Result;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::DEFAULT_TIMESCALE;
use super::codec::Shape;
use super::playready::Header;
use super::presentation::{Level, Presentation, Stream};
use super::track::{Kind, Track};

/// How fragments are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timeline {
    /// Those of one duration as one `c` with a count `r`: version 2.2.
    #[default]
    Runs,
    /// One `c` each with time and duration: version 2.0.
    Singles,
    /// One `c` each, with a time only where it does not follow from the ones before: version 2.0.
    Durations,
}

/// What a client manifest says.
#[derive(Debug)]
pub struct Manifest<'a> {
    /// Ticks of the default scale; 0 while nobody knows.
    pub duration: u64,
    pub live: Option<Live<'a>>,
    pub protection: &'a [Header],
    pub streams: Vec<Listing<'a>>,
}

/// What it says beside that when the presentation is live.
#[derive(Clone, Copy, Debug)]
pub struct Live<'a> {
    /// The value of `IsLive`.
    pub spelling: &'a str,
    pub look_ahead: u32,
    /// Ticks of the default scale; 0 keeps everything.
    pub window: u64,
}

/// One StreamIndex.
#[derive(Debug)]
pub struct Listing<'a> {
    pub kind: Kind,
    pub name: &'a str,
    pub language: &'a str,
    /// What kind of text.
    pub subtype: &'a str,
    /// Ticks per second of its fragments.
    pub timescale: u64,
    pub levels: Vec<Rendition<'a>>,
    /// Times and durations, ascending.
    pub fragments: Vec<(u64, u64)>,
}

/// One QualityLevel.
#[derive(Clone, Copy, Debug)]
pub struct Rendition<'a> {
    pub bitrate: u64,
    pub attributes: &'a [(String, String)],
    pub track: &'a Track,
}

/// Writes the client manifest of a presentation on demand. The timeline of a stream is that of its first level.
pub fn write(presentation: &Presentation, timeline: Timeline) -> Result<String> {
    let duration = presentation.streams.iter().map(|stream| {
        let end = stream.levels.iter().map(Level::end).max().unwrap_or(0);
        let scale = stream.levels.first().map_or(DEFAULT_TIMESCALE, |level| level.track().timescale);
        u64::try_from((u128::from(end) * u128::from(DEFAULT_TIMESCALE)).div_ceil(u128::from(scale)))
            .unwrap_or(u64::MAX)
    });
    let manifest = Manifest {
        duration: duration.max().unwrap_or(0),
        live: None,
        protection: &presentation.protection,
        streams: presentation.streams.iter().filter_map(Listing::of).collect(),
    };
    render(&manifest, timeline)
}

impl<'a> Listing<'a> {
    /// A stream with every fragment of its first level; nothing without a level.
    pub fn of(stream: &'a Stream) -> Option<Self> {
        let first = stream.levels.first()?;
        let rendition = |level: &'a Level| Rendition {
            bitrate: level.bitrate,
            attributes: &level.attributes,
            track: level.track(),
        };
        Some(Self {
            kind: stream.kind,
            name: &stream.name,
            language: &stream.language,
            subtype: &stream.subtype,
            timescale: first.track().timescale,
            levels: stream.levels.iter().map(rendition).collect(),
            fragments: first.fragments().iter().map(|fragment| (fragment.time, fragment.duration)).collect(),
        })
    }
}

/// Writes a client manifest.
pub fn render(manifest: &Manifest, timeline: Timeline) -> Result<String> {
    let minor = if timeline == Timeline::Runs { "2" } else { "0" };
    let mut attributes = vec![
        ("MajorVersion", "2".to_owned()),
        ("MinorVersion", minor.to_owned()),
        ("TimeScale", DEFAULT_TIMESCALE.to_string()),
        ("Duration", manifest.duration.to_string()),
    ];
    if let Some(live) = &manifest.live {
        attributes.push(("IsLive", live.spelling.to_owned()));
        attributes.push(("LookAheadFragmentCount", live.look_ahead.to_string()));
        attributes.push(("DVRWindowLength", live.window.to_string()));
    }
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    writer.create_element("SmoothStreamingMedia").with_attributes(pairs(&attributes)).write_inner_content(
        |writer| {
            write_protection(writer, manifest.protection)?;
            manifest.streams.iter().try_for_each(|stream| write_stream(writer, stream, timeline))
        },
    )?;
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

fn write_stream(writer: &mut Writer<Vec<u8>>, stream: &Listing, timeline: Timeline) -> io::Result<()> {
    let mut attributes: Vec<(&str, String)> = Vec::new();
    attributes.push(("Type", stream.kind.as_str().to_owned()));
    attributes.push(("Name", stream.name.to_owned()));
    if stream.kind == Kind::Text {
        attributes.push(("Subtype", stream.subtype.to_owned()));
    }
    if stream.language != "und" {
        attributes.push(("Language", stream.language.to_owned()));
    }
    if stream.timescale != DEFAULT_TIMESCALE {
        attributes.push(("TimeScale", stream.timescale.to_string()));
    }
    attributes.push(("Chunks", stream.fragments.len().to_string()));
    attributes.push(("QualityLevels", stream.levels.len().to_string()));
    if stream.kind == Kind::Video {
        let largest = stream.levels.iter().max_by_key(|level| size(level));
        let (width, height) = largest.map_or((0, 0), size);
        let shown = largest.map_or((0, 0), |level| level.track.display);
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
            write_timeline(writer, &stream.fragments, timeline)
        },
    )?;
    Ok(())
}

fn pairs<'a>(attributes: &'a [(&'a str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

fn size(level: &Rendition) -> (u32, u32) {
    match level.track.codec.shape {
        Shape::Video { width, height, .. } => (width, height),
        Shape::Audio { .. } | Shape::Text => (0, 0),
    }
}

fn write_level(writer: &mut Writer<Vec<u8>>, index: usize, level: &Rendition) -> io::Result<()> {
    let codec = &level.track.codec;
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
        Shape::Text => {}
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
            for (name, value) in level.attributes {
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
    fragments: &[(u64, u64)],
    timeline: Timeline,
) -> io::Result<()> {
    let touch = |a: &(u64, u64), b: &(u64, u64)| a.0.checked_add(a.1) == Some(b.0);
    let runs = fragments.chunk_by(|a, b| timeline == Timeline::Runs && a.1 == b.1 && touch(a, b));
    let mut before: Option<&(u64, u64)> = None;
    for run in runs {
        let [first, ..] = run else { continue };
        let (time, duration, count) = (first.0.to_string(), first.1.to_string(), run.len().to_string());
        let mut element = writer.create_element("c");
        if timeline != Timeline::Durations || before.is_none_or(|before| !touch(before, first)) {
            element = element.with_attribute(("t", time.as_str()));
        }
        element = element.with_attribute(("d", duration.as_str()));
        if run.len() > 1 {
            element = element.with_attribute(("r", count.as_str()));
        }
        element.write_empty()?;
        before = run.last();
    }
    Ok(())
}
