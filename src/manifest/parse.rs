//! The streaming parser of client manifests.

use heapless::Vec;

use super::deviation::{Notes, Reading, Tally};
use super::level::LevelDraft;
use super::payload::PayloadDraft;
use super::protection_headers::HeaderDraft;
use super::stream::StreamDraft;
use super::timeline::C;
use super::value::Value;
use super::{Deviation, Liveness, Manifest, Strictness};
use crate::error::{Code, Error, Result};
use crate::inflate::{self, Encoding, Inflate};
use crate::limits::Limits;
use crate::mem::{Account, List, Text};
use crate::xml::{Handler, Parser};

/// What every HLS playlist begins with; origins answer so when the wrong format is asked for.
const HLS: &[u8] = b"#EXTM3U";

const VERSION: &str = "SmoothStreamingMedia@MajorVersion";

/// The attributes of the root element, those that are needed first.
const ATTRIBUTES: [&str; 10] = [
    VERSION,
    "SmoothStreamingMedia@MinorVersion",
    "SmoothStreamingMedia@Duration",
    "SmoothStreamingMedia@TimeScale",
    "SmoothStreamingMedia@IsLive",
    "SmoothStreamingMedia@LookaheadCount",
    "SmoothStreamingMedia@LookAheadFragmentCount",
    "SmoothStreamingMedia@DVRWindowLength",
    "SmoothStreamingMedia@CanSeek",
    "SmoothStreamingMedia@CanPause",
];
/// Where attributes stand in [`ATTRIBUTES`].
mod place {
    pub(super) const MAJOR_VERSION: usize = 0;
    pub(super) const MINOR_VERSION: usize = 1;
    pub(super) const DURATION: usize = 2;
    pub(super) const TIME_SCALE: usize = 3;
    pub(super) const IS_LIVE: usize = 4;
    pub(super) const LOOKAHEAD_COUNT: usize = 5;
    pub(super) const LOOK_AHEAD_FRAGMENT_COUNT: usize = 6;
    pub(super) const DVR_WINDOW_LENGTH: usize = 7;
    pub(super) const CAN_SEEK: usize = 8;
    pub(super) const CAN_PAUSE: usize = 9;
}
const NEEDED: u32 = 0b111;
/// A duration that passes the last fragment by more than this, in 100 ns, is wrong: one second.
const LONGER: i64 = 10_000_000;
/// The attributes of a fragment.
const OF_FRAGMENT: [&str; 4] = ["c@t", "c@d", "c@r", "c@n"];

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

    /// Says what deviations from the specification lead to, before the first [`ManifestParser::feed`].
    pub fn set_strictness(&mut self, strictness: Strictness) {
        self.document.notes.strictness = strictness;
    }

    /// The deviations seen so far; empty once [`ManifestParser::finish`] has given them away with the manifest.
    pub fn deviations(&self) -> &[Deviation] {
        &self.document.notes.kept
    }

    /// Parses the next `bytes` of the body.
    ///
    /// # Errors
    /// Those of [`Inflate::feed`] and [`Parser::feed`]; [`Code::ManifestNotSmooth`], [`Code::ManifestVersion`] and
    /// [`Code::ManifestAttribute`] for a root element that leaves nothing to go on with; [`Code::ManifestDeviation`]
    /// for the first deviation of a strict parse; the limit codes for too many of anything; [`Code::Budget`] and [`Code::NoMemory`]. The parse is over then.
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
        let mut manifest = core::mem::take(&mut self.document.model.manifest);
        manifest.deviations = core::mem::take(&mut self.document.notes.kept);
        manifest.deviations_lost = self.document.notes.lost;
        Ok(manifest)
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
    notes: Notes,
}

impl Document {
    fn new(limits: &Limits) -> Document {
        Document {
            size: 0,
            hls: Vec::new(),
            xml: Parser::new(limits),
            model: Model::new(),
            notes: Notes::default(),
        }
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
        let r = Reading { account, limits, notes: &mut self.notes };
        let fed = self.xml.feed(bytes, &mut Reader { r, model: &mut self.model });
        // A deviation comes before whatever the rest of the piece brought, or errors would depend on its size.
        self.notes.refused.map_or(fed, Err)
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
        self.notes.kept.free(account);
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
    Payload,
    /// `CustomAttributes` of the root, and one of them.
    Metadata,
    MetadataItem,
}

impl Place {
    /// The element whose child is read.
    const fn element(self) -> &'static str {
        match self {
            Place::Outside => "",
            Place::Root => "SmoothStreamingMedia",
            Place::Protection => "Protection",
            Place::Header => "ProtectionHeader",
            Place::Stream => "StreamIndex",
            Place::Level => "QualityLevel",
            Place::CustomAttributes | Place::Metadata => "CustomAttributes",
            Place::CustomAttribute | Place::MetadataItem => "Attribute",
            Place::Fragment => "c",
            Place::Payload => "f",
        }
    }
}

/// The manifest and what is being read of it.
#[derive(Debug)]
struct Model {
    manifest: Manifest,
    place: Place,
    /// How deep inside an element of no interest.
    skipping: u32,
    /// The root attributes that came.
    seen: u32,
    /// Bytes of metadata kept, and the pair being read.
    metadata: u32,
    item: (Text, Text),
    /// Bytes of payloads kept.
    payloads: u32,
    streams_seen: u32,
    headers_seen: usize,
    fragments_seen: u32,
    stream: StreamDraft,
    level: LevelDraft,
    header: HeaderDraft,
    payload: PayloadDraft,
    fragment: C,
    fragment_seen: u32,
    ordinal: Option<u64>,
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
            seen: 0,
            metadata: 0,
            item: (Text::new(), Text::new()),
            payloads: 0,
            streams_seen: 0,
            headers_seen: 0,
            fragments_seen: 0,
            stream: StreamDraft::new(0),
            level: LevelDraft::default(),
            header: HeaderDraft::default(),
            payload: PayloadDraft::default(),
            fragment: C::default(),
            fragment_seen: 0,
            ordinal: None,
            untimely: false,
            tag_at: 0,
        }
    }

    fn free(&mut self, account: &mut Account) {
        self.manifest.free(account);
        self.stream.free(account);
        self.level.free(account);
        self.header.free(account);
        self.payload.free(account);
        self.item.0.free(account);
        self.item.1.free(account);
    }

    /// Takes one attribute of `SmoothStreamingMedia`. [MS-SSTR] 2.2.2.1.
    fn root_attribute(&mut self, r: &mut Reading<'_>, name: &[u8], value: Value<'_>) -> Result<()> {
        let known = r.tally(&mut self.seen, &ATTRIBUTES, name, value.at);
        if cfg!(feature = "details") && known == Tally::Unknown {
            value.copy(r.account, &mut self.item.1)?;
            Value { text: core::str::from_utf8(name).unwrap_or(""), at: value.at }
                .copy(r.account, &mut self.item.0)?;
            return self.keep_metadata(r);
        }
        let Tally::Known(place) = known else { return Ok(()) };
        let m = &mut self.manifest;
        match place {
            place::MAJOR_VERSION => {
                m.major = value.u32(r, VERSION).unwrap_or(0);
                match m.major {
                    2 => {}
                    // From before the format was published.
                    1 => r.note("major-version", VERSION, value.at),
                    _ => return Err(Error::at(Code::ManifestVersion, VERSION, value.at)),
                }
            }
            place::MINOR_VERSION => {
                m.minor = value.u32(r, "SmoothStreamingMedia@MinorVersion").unwrap_or(0);
                if m.minor > 2 {
                    r.note("minor-version", "SmoothStreamingMedia@MinorVersion", value.at);
                }
            }
            place::TIME_SCALE => m.timescale = value.timescale(r, "SmoothStreamingMedia@TimeScale")?,
            place::DURATION => m.duration = value.u64(r, "SmoothStreamingMedia@Duration").unwrap_or(0),
            place::IS_LIVE => {
                m.liveness = match value.boolean(r, "SmoothStreamingMedia@IsLive") {
                    Some(true) => Liveness::Live,
                    _ => Liveness::OnDemand,
                };
            }
            place::LOOKAHEAD_COUNT | place::LOOK_AHEAD_FRAGMENT_COUNT => {
                m.lookahead = value.u32(r, "SmoothStreamingMedia@LookaheadCount").or(m.lookahead);
            }
            place::DVR_WINDOW_LENGTH => {
                m.dvr_window = value.u64(r, "SmoothStreamingMedia@DVRWindowLength").unwrap_or(0);
            }
            place::CAN_SEEK => m.can_seek = value.boolean(r, "SmoothStreamingMedia@CanSeek"),
            place::CAN_PAUSE => m.can_pause = value.boolean(r, "SmoothStreamingMedia@CanPause"),
            _ => {}
        }
        Ok(())
    }

    /// Keeps the name and value in `item`, if there is room.
    fn keep_metadata(&mut self, r: &mut Reading<'_>) -> Result<()> {
        let (name, value) = &mut self.item;
        let bytes = name.len().saturating_add(value.len()).min(u32::MAX as usize) as u32;
        let sum = self.metadata.saturating_add(bytes);
        if name.is_empty() || sum > r.limits.metadata_bytes {
            name.free(r.account);
            value.free(r.account);
            return Ok(());
        }
        // Room first: the pair is still ours when there is none.
        self.manifest.metadata.reserve(r.account, 1)?;
        self.metadata = sum;
        self.manifest.metadata.push(r.account, core::mem::take(&mut self.item))
    }

    /// Ends the attributes of the root element.
    fn root_begins(&mut self, r: &mut Reading<'_>) -> Result<()> {
        if self.seen & 1 == 0 {
            return Err(Error::at(Code::ManifestAttribute, VERSION, self.tag_at));
        }
        r.missing(self.seen, NEEDED, &ATTRIBUTES, self.tag_at);
        let m = &self.manifest;
        if !m.is_live() {
            if m.lookahead.unwrap_or(0) != 0 {
                r.note("live-attribute", "SmoothStreamingMedia@LookaheadCount", self.tag_at);
            }
            if m.dvr_window != 0 {
                r.note("live-attribute", "SmoothStreamingMedia@DVRWindowLength", self.tag_at);
            }
        }
        Ok(())
    }

    /// Ends the root element.
    fn root_ends(&mut self, r: &mut Reading<'_>, at: u64) {
        if !cfg!(feature = "details") {
            return;
        }
        let m = &self.manifest;
        for stream in m.streams.iter().filter(|s| !s.parent.is_empty()) {
            // At most as many streams as the limit, each looked at once for each.
            if !m.streams.iter().any(|other| *other.name == *stream.parent) {
                r.note("parent-unknown", "StreamIndex@ParentStreamIndex", at);
            }
        }
        if !m.is_live() && m.duration != 0 {
            let end = m.end_time().unwrap_or_default().0;
            let last = m.end_of_duration();
            // What rounding and an encoder that stops its streams one by one can explain.
            if last > end.saturating_add(LONGER) {
                r.note("duration-too-long", "SmoothStreamingMedia@Duration", at);
            }
        }
    }

    /// Takes one attribute of `c`. [MS-SSTR] 2.2.2.6.
    fn fragment_attribute(&mut self, r: &mut Reading<'_>, name: &[u8], value: Value<'_>) {
        r.tally(&mut self.fragment_seen, &OF_FRAGMENT, name, value.at);
        let c = &mut self.fragment;
        match name {
            b"t" => {
                c.t = value.u64(r, "c@t");
                self.untimely |= c.t.is_none();
            }
            b"d" => {
                c.d = value.u64(r, "c@d");
                self.untimely |= c.d.is_none();
            }
            b"r" => {
                c.r = value.u64(r, "c@r");
                if (self.manifest.major, self.manifest.minor) < (2, 2) {
                    r.note("repeat-version", "c@r", value.at);
                }
            }
            // Part of nothing.
            b"n" => self.ordinal = value.u64(r, "c@n"),
            _ => {}
        }
    }
}

/// The model at work on one piece.
struct Reader<'a> {
    r: Reading<'a>,
    model: &'a mut Model,
}

impl Handler for Reader<'_> {
    fn account(&mut self) -> &mut Account {
        self.r.account
    }

    fn odd(&mut self, rule: &'static str, at: u64) {
        self.r.note(rule, "XML", at);
    }

    fn start(&mut self, name: &[u8], at: u64) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        if m.skipping > 0 {
            m.skipping = m.skipping.saturating_add(1);
            return Ok(());
        }
        m.tag_at = at;
        m.place = match (m.place, name) {
            (Place::Stream, b"c") => {
                m.fragment = C::default();
                m.fragment_seen = 0;
                m.ordinal = None;
                m.untimely = false;
                Place::Fragment
            }
            (Place::Fragment, b"f") if cfg!(feature = "text") && m.stream.embedded() => {
                m.payload = PayloadDraft::new(at);
                Place::Payload
            }
            (Place::Stream, b"QualityLevel") => {
                m.stream.level_begins(r, at)?;
                m.level = LevelDraft::new(at);
                Place::Level
            }
            (Place::Level, b"CustomAttributes") => Place::CustomAttributes,
            (Place::CustomAttributes, b"Attribute") => Place::CustomAttribute,
            (Place::Root, b"StreamIndex") => {
                m.streams_seen = m.streams_seen.saturating_add(1);
                if m.streams_seen > r.limits.streams {
                    return Err(Error::at(Code::LimitStreams, "StreamIndex", at));
                }
                m.stream = StreamDraft::new(at);
                Place::Stream
            }
            (Place::Root, b"CustomAttributes") if cfg!(feature = "details") => Place::Metadata,
            (Place::Metadata, b"Attribute") if cfg!(feature = "details") => Place::MetadataItem,
            (Place::Root, b"Protection") => {
                if m.headers_seen > 0 {
                    r.note("element-twice", "Protection", at);
                }
                if m.streams_seen > 0 {
                    r.note("element-order", "Protection", at);
                }
                Place::Protection
            }
            (Place::Protection, b"ProtectionHeader") => {
                m.header = HeaderDraft::new(at, m.headers_seen, r)?;
                m.headers_seen = m.headers_seen.saturating_add(1);
                Place::Header
            }
            (Place::Outside, b"SmoothStreamingMedia") => Place::Root,
            (Place::Outside, b"MPD") => return Err(Error::at(Code::ManifestNotSmooth, "MPD", at)),
            (Place::Outside, other) => {
                let html = other.eq_ignore_ascii_case(b"html");
                return Err(Error::at(Code::ManifestNotSmooth, if html { "html" } else { "root" }, at));
            }
            (place, other) => {
                let expected = place == Place::Fragment && other == b"f";
                if !expected && !other.contains(&b':') {
                    r.note("element-unknown", place.element(), at);
                }
                m.skipping = 1;
                place
            }
        };
        Ok(())
    }

    fn attribute(&mut self, name: &[u8], value: &str, at: u64) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        if m.skipping > 0 {
            return Ok(());
        }
        let value = Value { text: value, at };
        match m.place {
            Place::Fragment => m.fragment_attribute(r, name, value),
            Place::Level => m.level.attribute(r, name, value)?,
            Place::CustomAttribute => m.level.custom_attribute(r, name, value)?,
            Place::Stream => m.stream.attribute(r, name, value)?,
            Place::Root => m.root_attribute(r, name, value)?,
            Place::Header => m.header.attribute(r, name, value),
            Place::Payload if cfg!(feature = "text") => m.payload.attribute(r, name, value),
            Place::MetadataItem if cfg!(feature = "details") && name == b"Name" => {
                value.copy(r.account, &mut m.item.0)?
            }
            Place::MetadataItem if cfg!(feature = "details") && name == b"Value" => {
                value.copy(r.account, &mut m.item.1)?
            }
            _ => {}
        }
        Ok(())
    }

    fn attributes_done(&mut self) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        if m.skipping > 0 {
            return Ok(());
        }
        match m.place {
            Place::Fragment => {
                let c = if m.untimely { None } else { Some(m.fragment) };
                m.stream.fragment(r, &mut m.fragments_seen, c, m.ordinal, m.tag_at)
            }
            Place::Root => m.root_begins(r),
            Place::Stream => {
                let Some(mut ignored) = m.stream.begin(r, &m.manifest)? else { return Ok(()) };
                m.stream.free(r.account);
                m.place = Place::Root;
                m.skipping = 1;
                if !cfg!(feature = "details") {
                    ignored.kind.free(r.account);
                    ignored.name.free(r.account);
                    return Ok(());
                }
                let pushed = m.manifest.ignored.reserve(r.account, 1);
                if pushed.is_err() {
                    ignored.kind.free(r.account);
                    ignored.name.free(r.account);
                }
                pushed?;
                m.manifest.ignored.push(r.account, ignored)
            }
            _ => Ok(()),
        }
    }

    fn text(&mut self, text: &str) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        match m.place {
            _ if m.skipping > 0 => Ok(()),
            Place::Header => m.header.text(r, text),
            Place::Payload if cfg!(feature = "text") => m.payload.text(r, text),
            _ => Ok(()),
        }
    }

    fn end(&mut self, _name: &[u8], at: u64) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        if m.skipping > 0 {
            m.skipping = m.skipping.saturating_sub(1);
            return Ok(());
        }
        m.place = match m.place {
            Place::Payload => {
                if cfg!(feature = "text") {
                    m.stream.payload(r, &mut m.payload, &mut m.payloads)?;
                }
                Place::Fragment
            }
            Place::Fragment => Place::Stream,
            Place::Level => {
                m.stream.level(r, &mut m.level)?;
                Place::Stream
            }
            Place::CustomAttribute => {
                m.level.custom_done(r, at)?;
                Place::CustomAttributes
            }
            Place::CustomAttributes => Place::Level,
            Place::Stream => {
                m.manifest.streams.reserve(r.account, 1)?;
                let stream = m.stream.finish(r, &m.manifest)?;
                m.manifest.streams.push(r.account, stream)?;
                Place::Root
            }
            Place::Header => {
                m.manifest.protection.reserve(r.account, 1)?;
                if let Some(header) = m.header.finish(r)? {
                    m.manifest.protection.push(r.account, header)?;
                }
                Place::Protection
            }
            Place::MetadataItem => {
                if cfg!(feature = "details") {
                    m.keep_metadata(r)?;
                }
                Place::Metadata
            }
            Place::Protection | Place::Metadata => Place::Root,
            Place::Root => {
                m.root_ends(r, at);
                Place::Outside
            }
            Place::Outside => Place::Outside,
        };
        Ok(())
    }
}
