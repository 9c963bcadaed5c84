//! The manifest as it grows, and what is being read of it.

use crate::error::{Code, Error, Result};
use crate::manifest::deviation::{Reading, Tally};
use crate::manifest::level::LevelDraft;
use crate::manifest::payload::PayloadDraft;
use crate::manifest::protection_headers::HeaderDraft;
use crate::manifest::stream::StreamDraft;
use crate::manifest::timeline::C;
use crate::manifest::value::Value;
use crate::manifest::{Liveness, Manifest};
use crate::mem::{Account, Text};

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

/// Where in the manifest the parser is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
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
    pub(super) const fn element(self) -> &'static str {
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
pub(super) struct Model {
    pub(super) manifest: Manifest,
    pub(super) place: Place,
    /// How deep inside an element of no interest.
    pub(super) skipping: u32,
    /// The root attributes that came.
    pub(super) seen: u32,
    /// Bytes of metadata kept, and the pair being read.
    pub(super) metadata: u32,
    pub(super) item: (Text, Text),
    /// Bytes of payloads kept.
    pub(super) payloads: u32,
    pub(super) streams_seen: u32,
    pub(super) headers_seen: usize,
    pub(super) fragments_seen: u32,
    pub(super) stream: StreamDraft,
    pub(super) level: LevelDraft,
    pub(super) header: HeaderDraft,
    pub(super) payload: PayloadDraft,
    pub(super) fragment: C,
    pub(super) fragment_seen: u32,
    pub(super) ordinal: Option<u64>,
    /// A time of the fragment is no number.
    pub(super) untimely: bool,
    pub(super) tag_at: u64,
}

impl Model {
    pub(super) fn new() -> Model {
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

    pub(super) fn free(&mut self, account: &mut Account) {
        self.manifest.free(account);
        self.stream.free(account);
        self.level.free(account);
        self.header.free(account);
        self.payload.free(account);
        self.item.0.free(account);
        self.item.1.free(account);
    }

    /// Takes one attribute of `SmoothStreamingMedia`. [MS-SSTR] 2.2.2.1.
    pub(super) fn root_attribute(
        &mut self,
        r: &mut Reading<'_>,
        name: &[u8],
        value: Value<'_>,
    ) -> Result<()> {
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
    pub(super) fn keep_metadata(&mut self, r: &mut Reading<'_>) -> Result<()> {
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
    pub(super) fn root_begins(&mut self, r: &mut Reading<'_>) -> Result<()> {
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
    pub(super) fn root_ends(&mut self, r: &mut Reading<'_>, at: u64) {
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
    pub(super) fn fragment_attribute(&mut self, r: &mut Reading<'_>, name: &[u8], value: Value<'_>) {
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
