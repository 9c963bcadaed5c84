//! The streaming parser of client manifests.

use heapless::Vec;

use super::level::LevelDraft;
use super::protection_headers::HeaderDraft;
use super::stream::StreamDraft;
use super::timeline::C;
use super::value::{Value, complain};
use super::{Liveness, Manifest};
use crate::error::{Code, Error, Result};
use crate::inflate::{self, Encoding, Inflate};
use crate::limits::Limits;
use crate::mem::{Account, List};
use crate::xml::{Handler, Parser};

/// What every HLS playlist begins with; origins answer so when the wrong format is asked for.
const HLS: &[u8] = b"#EXTM3U";

const VERSION: &str = "SmoothStreamingMedia@MajorVersion";

/// Bytes in pieces to a [`Manifest`].
///
/// Whatever happens, call [`ManifestParser::free`] at the end. Besides the growing manifest it holds one token of the
/// document, and 34 KiB more while the document comes compressed.
#[derive(Debug)]
pub struct ManifestParser {
    limits: Limits,
    declared: Option<Encoding>,
    /// The first bytes of the body, until they show whether they are compressed.
    head: Vec<u8, 2>,
    /// Whether they have shown it.
    settled: bool,
    /// One, while the body is compressed: on the heap, because it is large.
    inflate: List<Inflate>,
    document: Document,
}

impl ManifestParser {
    /// A parser at the beginning of a manifest; holds nothing yet.
    pub fn new(limits: &Limits) -> ManifestParser {
        ManifestParser {
            limits: *limits,
            declared: None,
            head: Vec::new(),
            settled: false,
            inflate: List::new(),
            document: Document::new(limits),
        }
    }

    /// Says what the response's `Content-Encoding` was, before the first [`ManifestParser::feed`]. Not needed for gzip,
    /// which shows itself, and harmless when the host has decompressed gzip already.
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.declared = Some(encoding);
    }

    /// Parses the next `bytes` of the body.
    ///
    /// # Errors
    /// Those of [`Inflate::feed`] and [`Parser::feed`]; [`Code::ManifestNotSmooth`], [`Code::ManifestVersion`] and
    /// [`Code::ManifestAttribute`] for a root element that leaves nothing to go on with; the limit codes for too
    /// many of anything; [`Code::Budget`] and [`Code::NoMemory`]. The parse is over then.
    pub fn feed(&mut self, account: &mut Account, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !self.settled {
            let Some((byte, tail)) = rest.split_first() else { return Ok(()) };
            let _ = self.head.push(*byte);
            rest = tail;
            if self.head.len() >= 2 {
                self.settle(account)?;
            }
        }
        self.take(account, rest)
    }

    /// Ends the body and gives the manifest.
    ///
    /// # Errors
    /// [`Code::ManifestTruncated`] or [`Code::InflateTruncated`] when it is not whole,
    /// [`Code::ManifestNothingPlayable`] when nothing in it can be played, or an earlier error.
    pub fn finish(&mut self) -> Result<Manifest> {
        if !self.settled {
            return Err(Error::at(Code::ManifestTruncated, "XML", self.head.len() as u64));
        }
        if let Some(inflate) = self.inflate.first_mut() {
            inflate.finish()?;
        }
        self.document.finish()?;
        Ok(core::mem::take(&mut self.document.model.manifest))
    }

    /// Frees everything but a manifest already given, and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        if let Some(inflate) = self.inflate.first_mut() {
            inflate.free(account);
        }
        self.inflate.free(account);
        self.document.free(account);
    }

    /// Decides from the first two bytes how the body is encoded.
    fn settle(&mut self, account: &mut Account) -> Result<()> {
        let seen = inflate::sniff(&self.head);
        let encoding = match (seen, self.declared) {
            (None, Some(Encoding::Gzip)) => None,
            (seen, declared) => declared.or(seen),
        };
        if let Some(encoding) = encoding {
            self.inflate.reserve_exact(account, 1)?;
            let inflate = Inflate::new(account, encoding, &self.limits)?;
            self.inflate.push(account, inflate)?;
        }
        self.settled = true;
        let head = core::mem::take(&mut self.head);
        self.take(account, &head)
    }

    fn take(&mut self, account: &mut Account, bytes: &[u8]) -> Result<()> {
        let (limits, document) = (&self.limits, &mut self.document);
        match self.inflate.first_mut() {
            Some(inflate) => inflate.feed(bytes, &mut |bytes| document.feed(account, limits, bytes)),
            None => document.feed(account, limits, bytes),
        }
    }
}

/// The decompressed document.
#[derive(Debug)]
struct Document {
    /// Bytes taken.
    size: u64,
    /// The beginning of what may be an HLS playlist.
    hls: Vec<u8, 8>,
    xml: Parser,
    model: Model,
}

impl Document {
    fn new(limits: &Limits) -> Document {
        Document { size: 0, hls: Vec::new(), xml: Parser::new(limits), model: Model::new() }
    }

    fn feed(&mut self, account: &mut Account, limits: &Limits, bytes: &[u8]) -> Result<()> {
        let first = self.size == 0;
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > limits.manifest_bytes {
            return Err(Error::at(Code::LimitManifestBytes, "manifest", limits.manifest_bytes));
        }
        if first && bytes.first() == HLS.first() || !self.hls.is_empty() {
            return self.maybe_hls(bytes);
        }
        self.xml.feed(bytes, &mut Reader { account, limits, model: &mut self.model })
    }

    /// No XML begins with `#`, so all that is left to find out is how to call it.
    fn maybe_hls(&mut self, bytes: &[u8]) -> Result<()> {
        for byte in bytes.iter().take(HLS.len().saturating_sub(self.hls.len())) {
            let _ = self.hls.push(*byte);
        }
        if self.hls == HLS {
            Err(Error::at(Code::ManifestNotSmooth, "#EXTM3U", 0))
        } else if HLS.starts_with(&self.hls) {
            Ok(())
        } else {
            Err(Error::at(Code::ManifestSyntax, "text outside the root element", 0))
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.xml.finish()?;
        self.model.manifest.complete()
    }

    fn free(&mut self, account: &mut Account) {
        self.xml.free(account);
        self.model.free(account);
    }
}

/// Where in the manifest the parser is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Outside,
    Root,
    Protection,
    Header,
    Stream,
    Level,
    CustomAttributes,
    CustomAttribute,
    Fragment,
}

/// The manifest and what is being read of it.
#[derive(Debug)]
struct Model {
    manifest: Manifest,
    place: Place,
    /// How deep inside an element of no interest.
    skipping: u32,
    /// Whether `MajorVersion` came.
    versioned: bool,
    streams_seen: u32,
    headers_seen: usize,
    fragments_seen: u32,
    stream: StreamDraft,
    level: LevelDraft,
    header: HeaderDraft,
    fragment: C,
    /// A time of the fragment is no number.
    untimely: bool,
    tag_at: u64,
}

impl Model {
    fn new() -> Model {
        Model {
            manifest: Manifest::default(),
            place: Place::Outside,
            skipping: 0,
            versioned: false,
            streams_seen: 0,
            headers_seen: 0,
            fragments_seen: 0,
            stream: StreamDraft::new(0),
            level: LevelDraft::default(),
            header: HeaderDraft::default(),
            fragment: C::default(),
            untimely: false,
            tag_at: 0,
        }
    }

    fn free(&mut self, account: &mut Account) {
        self.manifest.free(account);
        self.stream.free(account);
        self.level.free(account);
        self.header.free(account);
    }

    /// Takes one attribute of `SmoothStreamingMedia`. [MS-SSTR] 2.2.2.1.
    fn root_attribute(&mut self, name: &[u8], value: Value<'_>) -> Result<()> {
        let m = &mut self.manifest;
        match name {
            b"MajorVersion" => {
                m.major = value.u32(VERSION).unwrap_or(0);
                self.versioned = true;
                match m.major {
                    2 => {}
                    1 => complain(VERSION, "is 1, from before the format was published", value.at),
                    _ => return Err(Error::at(Code::ManifestVersion, VERSION, value.at)),
                }
            }
            b"MinorVersion" => m.minor = value.u32("SmoothStreamingMedia@MinorVersion").unwrap_or(0),
            b"TimeScale" => m.timescale = value.timescale("SmoothStreamingMedia@TimeScale")?,
            b"Duration" => m.duration = value.u64("SmoothStreamingMedia@Duration").unwrap_or(0),
            b"IsLive" => {
                m.liveness = match value.boolean("SmoothStreamingMedia@IsLive") {
                    Some(true) => Liveness::Live,
                    _ => Liveness::OnDemand,
                };
            }
            b"LookaheadCount" | b"LookAheadFragmentCount" => {
                m.lookahead = value.u32("SmoothStreamingMedia@LookaheadCount").or(m.lookahead);
            }
            b"DVRWindowLength" => {
                m.dvr_window = value.u64("SmoothStreamingMedia@DVRWindowLength").unwrap_or(0);
            }
            b"CanSeek" => m.can_seek = value.boolean("SmoothStreamingMedia@CanSeek"),
            b"CanPause" => m.can_pause = value.boolean("SmoothStreamingMedia@CanPause"),
            _ => {}
        }
        Ok(())
    }

    /// Takes one attribute of `c`. [MS-SSTR] 2.2.2.6.
    fn fragment_attribute(&mut self, name: &[u8], value: Value<'_>) {
        let c = &mut self.fragment;
        match name {
            b"t" => {
                c.t = value.u64("c@t");
                self.untimely |= c.t.is_none();
            }
            b"d" => {
                c.d = value.u64("c@d");
                self.untimely |= c.d.is_none();
            }
            b"r" => c.r = value.u64("c@r"),
            // The ordinal n is part of nothing.
            _ => {}
        }
    }
}

/// The model at work on one piece.
struct Reader<'a> {
    account: &'a mut Account,
    limits: &'a Limits,
    model: &'a mut Model,
}

impl Handler for Reader<'_> {
    fn account(&mut self) -> &mut Account {
        self.account
    }

    fn start(&mut self, name: &[u8], at: u64) -> Result<()> {
        let m = &mut *self.model;
        if m.skipping > 0 {
            m.skipping = m.skipping.saturating_add(1);
            return Ok(());
        }
        m.tag_at = at;
        m.place = match (m.place, name) {
            (Place::Stream, b"c") => {
                m.fragment = C::default();
                m.untimely = false;
                Place::Fragment
            }
            (Place::Stream, b"QualityLevel") => {
                m.stream.level_begins(self.limits, at)?;
                m.level = LevelDraft::new(at);
                Place::Level
            }
            (Place::Level, b"CustomAttributes") => Place::CustomAttributes,
            (Place::CustomAttributes, b"Attribute") => Place::CustomAttribute,
            (Place::Root, b"StreamIndex") => {
                m.streams_seen = m.streams_seen.saturating_add(1);
                if m.streams_seen > self.limits.streams {
                    return Err(Error::at(Code::LimitStreams, "StreamIndex", at));
                }
                m.stream = StreamDraft::new(at);
                Place::Stream
            }
            (Place::Root, b"Protection") => Place::Protection,
            (Place::Protection, b"ProtectionHeader") => {
                m.header = HeaderDraft::new(at, m.headers_seen, self.limits)?;
                m.headers_seen = m.headers_seen.saturating_add(1);
                Place::Header
            }
            (Place::Outside, b"SmoothStreamingMedia") => Place::Root,
            (Place::Outside, b"MPD") => return Err(Error::at(Code::ManifestNotSmooth, "MPD", at)),
            (Place::Outside, other) => {
                let html = other.eq_ignore_ascii_case(b"html");
                return Err(Error::at(Code::ManifestNotSmooth, if html { "html" } else { "root" }, at));
            }
            (place, _) => {
                m.skipping = 1;
                place
            }
        };
        Ok(())
    }

    fn attribute(&mut self, name: &[u8], value: &str, at: u64) -> Result<()> {
        let m = &mut *self.model;
        if m.skipping > 0 {
            return Ok(());
        }
        let value = Value { text: value, at };
        match m.place {
            Place::Fragment => m.fragment_attribute(name, value),
            Place::Level => m.level.attribute(self.account, self.limits, name, value)?,
            Place::CustomAttribute => m.level.custom_attribute(self.account, name, value)?,
            Place::Stream => m.stream.attribute(self.account, self.limits, name, value)?,
            Place::Root => m.root_attribute(name, value)?,
            Place::Header => m.header.attribute(name, value),
            Place::Outside | Place::Protection | Place::CustomAttributes => {}
        }
        Ok(())
    }

    fn attributes_done(&mut self) -> Result<()> {
        let m = &mut *self.model;
        if m.skipping > 0 {
            return Ok(());
        }
        match m.place {
            Place::Fragment => {
                let c = if m.untimely { None } else { Some(m.fragment) };
                m.stream.fragment(self.account, self.limits, &mut m.fragments_seen, c, m.tag_at)
            }
            Place::Root if !m.versioned => Err(Error::at(Code::ManifestAttribute, VERSION, m.tag_at)),
            Place::Stream => {
                if m.stream.begin(self.account, &m.manifest)?.is_none() {
                    m.stream.free(self.account);
                    m.place = Place::Root;
                    m.skipping = 1;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn text(&mut self, text: &str) -> Result<()> {
        let m = &mut *self.model;
        if m.place == Place::Header && m.skipping == 0 {
            m.header.text(self.account, self.limits, text)?;
        }
        Ok(())
    }

    fn end(&mut self, _name: &[u8], at: u64) -> Result<()> {
        let m = &mut *self.model;
        if m.skipping > 0 {
            m.skipping = m.skipping.saturating_sub(1);
            return Ok(());
        }
        m.place = match m.place {
            Place::Fragment => Place::Stream,
            Place::Level => {
                m.stream.level(self.account, self.limits, &mut m.level)?;
                Place::Stream
            }
            Place::CustomAttribute => {
                m.level.custom_done(self.account, self.limits, at)?;
                Place::CustomAttributes
            }
            Place::CustomAttributes => Place::Level,
            Place::Stream => {
                m.manifest.streams.reserve(self.account, 1)?;
                let stream = m.stream.finish(self.account, &m.manifest)?;
                m.manifest.streams.push(self.account, stream)?;
                Place::Root
            }
            Place::Header => {
                m.manifest.protection.reserve(self.account, 1)?;
                if let Some(header) = m.header.finish(self.account, self.limits)? {
                    m.manifest.protection.push(self.account, header)?;
                }
                Place::Protection
            }
            Place::Protection => Place::Root,
            Place::Root | Place::Outside => Place::Outside,
        };
        Ok(())
    }
}
