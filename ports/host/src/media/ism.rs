//! The server manifest: a SMIL 2.0 document that says which file holds which stream and bitrate.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use super::presentation::Presentation;
use super::track::{Kind, Track};
use super::{DEFAULT_TIMESCALE, text};

const SMIL: &str = "http://www.w3.org/2001/SMIL20/Language";

/// What a server manifest says.
#[derive(Debug, Default)]
pub struct ServerManifest {
    /// The client manifest, relative to this file.
    pub client: Option<String>,
    pub tracks: Vec<Entry>,
}

/// One `video`, `audio` or `textstream` element.
#[derive(Debug)]
pub struct Entry {
    pub kind: Kind,
    /// The media file, relative to the manifest.
    pub src: String,
    pub bitrate: u64,
    pub language: Option<String>,
    pub track_id: Option<u32>,
    /// The name of the stream.
    pub name: String,
    /// What kind of text.
    pub subtype: Option<String>,
    /// Parameters of no meaning of their own: they tell apart tracks of one bitrate.
    pub attributes: Vec<(String, String)>,
}

/// Parameters that have a meaning, and so are no attributes.
const KNOWN: [&str; 17] = [
    "trackID",
    "trackName",
    "parentTrackName",
    "manifestOutput",
    "timeScale",
    "Subtype",
    "FourCC",
    "CodecPrivateData",
    "MaxWidth",
    "MaxHeight",
    "SamplingRate",
    "Channels",
    "BitsPerSample",
    "PacketSize",
    "AudioTag",
    "DisplayWidth",
    "DisplayHeight",
];

impl ServerManifest {
    /// Reads a server manifest in any of its encodings.
    ///
    /// # Errors
    /// When it is no SMIL document, or an element lacks what it needs.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let xml = text::decode(bytes)?;
        let document = roxmltree::Document::parse(&xml)?;
        let root = document.root_element();
        ensure!(root.tag_name().name() == "smil", "root element is {}, not smil", root.tag_name().name());
        let mut manifest = Self::default();
        for node in root.descendants() {
            match node.tag_name().name() {
                "meta" if node.attribute("name") == Some("clientManifestRelativePath") => {
                    manifest.client =
                        node.attribute("content").filter(|path| !path.is_empty()).map(str::to_owned);
                }
                "video" => manifest.tracks.push(entry(node, Kind::Video)?),
                "audio" => manifest.tracks.push(entry(node, Kind::Audio)?),
                "textstream" => manifest.tracks.push(entry(node, Kind::Text)?),
                _ => {}
            }
        }
        Ok(manifest)
    }
}

fn entry(node: roxmltree::Node, kind: Kind) -> Result<Entry> {
    let src = node.attribute("src").context("media element without src")?.to_owned();
    let bitrate = node.attribute("systemBitrate").with_context(|| format!("{src}: no systemBitrate"))?;
    let bitrate = bitrate.trim().parse().with_context(|| format!("{src}: systemBitrate {bitrate:?}"))?;
    let mut entry = Entry {
        kind,
        bitrate,
        language: node.attribute("systemLanguage").map(str::to_owned),
        track_id: None,
        name: kind.as_str().to_owned(),
        subtype: None,
        attributes: Vec::new(),
        src,
    };
    for param in node.children().filter(|child| child.tag_name().name() == "param") {
        let (Some(name), Some(value)) = (param.attribute("name"), param.attribute("value")) else {
            bail!("{}: param without name or value", entry.src);
        };
        match name {
            "trackID" => {
                entry.track_id = Some(value.trim().parse().with_context(|| format!("trackID {value:?}"))?)
            }
            "trackName" => value.clone_into(&mut entry.name),
            "Subtype" if kind == Kind::Text => entry.subtype = Some(value.to_owned()),
            name if KNOWN.contains(&name) => {}
            name => entry.attributes.push((name.to_owned(), value.to_owned())),
        }
    }
    Ok(entry)
}

/// One `video`, `audio` or `textstream` element to write.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub kind: Kind,
    pub src: &'a str,
    pub bitrate: u64,
    pub language: &'a str,
    pub name: &'a str,
    pub subtype: &'a str,
    pub track: &'a Track,
    pub attributes: &'a [(String, String)],
}

/// Writes the server manifest of a presentation; `client` is the client manifest's name beside it, and media files are
/// named relative to `dir`.
pub fn write(presentation: &Presentation, client: &str, dir: &Path) -> Result<String> {
    let mut names = Vec::new();
    for level in presentation.streams.iter().flat_map(|stream| &stream.levels) {
        names.push(level.file.path.strip_prefix(dir).unwrap_or(&level.file.path).to_string_lossy());
    }
    let mut sources = Vec::new();
    let levels =
        presentation.streams.iter().flat_map(|stream| stream.levels.iter().map(move |level| (stream, level)));
    for ((stream, level), src) in levels.zip(&names) {
        sources.push(Source {
            kind: stream.kind,
            src,
            bitrate: level.bitrate,
            language: &stream.language,
            name: &stream.name,
            subtype: &stream.subtype,
            track: level.track(),
            attributes: &level.attributes,
        });
    }
    render(client, &sources)
}

/// Writes a server manifest.
pub fn render(client: &str, sources: &[Source]) -> Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    writer.create_element("smil").with_attribute(("xmlns", SMIL)).write_inner_content(|writer| {
        writer.create_element("head").write_inner_content(|writer| {
            let meta = [("name", "clientManifestRelativePath"), ("content", client)];
            writer.create_element("meta").with_attributes(meta).write_empty()?;
            Ok(())
        })?;
        writer.create_element("body").write_inner_content(|writer| {
            writer.create_element("switch").write_inner_content(|writer| {
                sources.iter().try_for_each(|source| element(writer, source))
            })?;
            Ok(())
        })?;
        Ok(())
    })?;
    let mut xml = String::from_utf8(writer.into_inner())?;
    xml.push('\n');
    Ok(xml)
}

fn element(writer: &mut Writer<Vec<u8>>, source: &Source) -> std::io::Result<()> {
    let bitrate = source.bitrate.to_string();
    let mut element = writer.create_element(source.kind.element());
    element = element.with_attributes([("src", source.src), ("systemBitrate", &bitrate)]);
    if source.language != "und" {
        element = element.with_attribute(("systemLanguage", source.language));
    }
    element.write_inner_content(|writer| {
        let mut param = |name: &str, value: &str| {
            let attributes = [("name", name), ("value", value), ("valuetype", "data")];
            writer.create_element("param").with_attributes(attributes).write_empty().map(|_| ())
        };
        param("trackID", &source.track.id.to_string())?;
        param("trackName", source.name)?;
        if source.kind == Kind::Text {
            param("Subtype", source.subtype)?;
        }
        if source.track.timescale != DEFAULT_TIMESCALE {
            param("timeScale", &source.track.timescale.to_string())?;
        }
        for (name, value) in source.attributes {
            param(name, value)?;
        }
        Ok(())
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_no_known_meaning_are_attributes() {
        let xml = r#"<?xml version="1.0"?><smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head>
            <meta name="clientManifestRelativePath" content="a.ismc"/></head><body><switch>
            <video src="a.ismv" systemBitrate="500000"><param name="trackID" value="2" valuetype="data"/>
              <param name="hardware_profile" value="low" valuetype="data"/><param name="FourCC" value="H264"/></video>
            <audio src="a.ismv" systemBitrate="64000" systemLanguage="fra"><param name="trackName" value="talk"/></audio>
            </switch></body></smil>"#;
        let manifest = ServerManifest::parse(xml.as_bytes()).unwrap();
        assert_eq!(manifest.client.as_deref(), Some("a.ismc"));
        let [video, audio] = manifest.tracks.as_slice() else { panic!("two tracks") };
        assert_eq!((video.name.as_str(), video.track_id, video.bitrate), ("video", Some(2), 500_000));
        assert_eq!(video.attributes, [("hardware_profile".to_owned(), "low".to_owned())]);
        assert_eq!((audio.name.as_str(), audio.language.as_deref()), ("talk", Some("fra")));
        assert!(ServerManifest::parse(b"<SmoothStreamingMedia/>").is_err());
        assert!(ServerManifest::parse(b"<smil><video src='a'/></smil>").is_err(), "no bitrate");
    }
}
