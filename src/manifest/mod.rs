//! The client manifest: what a presentation consists of.
//!
//! [MS-SSTR] 2.2.2. A [`ManifestParser`] takes the manifest's bytes as the network gives them and leaves a
//! [`Manifest`]: neither text nor a tree of it is ever held. What the manifest says badly is repaired where every
//! client repairs it, and kept as a [`Deviation`]. What cannot be used (a stream, a quality level) stays in its list, in its place,
//! with the error that says why; only a manifest without anything to play is an error itself.

mod deviation;
mod level;
pub mod live;
mod parse;
mod payload;
mod protection_headers;
mod stream;
pub mod timeline;
pub mod url;
mod value;

use heapless::String;

use crate::codec::CodecConfig;
pub use crate::codec::Kind as StreamKind;
use crate::error::{Code, Error, Result};
pub use crate::inflate::Encoding;
use crate::mem::{Account, Bytes, List, Text};
use crate::time::{MediaTime, Micros, TimeScale};
pub use deviation::{Deviation, Strictness};
pub use parse::ManifestParser;
pub use timeline::Timeline;

/// Whether a presentation still grows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Liveness {
    /// All fragments are listed.
    #[default]
    OnDemand,
    /// `IsLive`: more fragments will come.
    Live,
}

/// One presentation. [MS-SSTR] 2.2.2.1, `SmoothStreamingMedia`.
#[derive(Debug, Default)]
pub struct Manifest {
    /// `MajorVersion`: 2, or 1 in manifests from before the format was published.
    pub major: u32,
    /// `MinorVersion`.
    pub minor: u32,
    /// `TimeScale`, in which `duration` and `dvr_window` count.
    pub timescale: TimeScale,
    /// `Duration` in ticks of `timescale`. 0 when unknown; computed when an on-demand manifest does not say it.
    pub duration: u64,
    /// `IsLive`.
    pub liveness: Liveness,
    /// `LookaheadCount` or `LookAheadFragmentCount`: how many fragments a live one announces.
    pub lookahead: Option<u32>,
    /// `DVRWindowLength` in ticks of `timescale`: how far back a live presentation can be played. 0 is all of it.
    pub dvr_window: u64,
    /// `CanSeek`; `None` when absent.
    pub can_seek: Option<bool>,
    /// `CanPause`; `None` when absent.
    pub can_pause: Option<bool>,
    /// The streams in the order of the manifest, but for those of unknown type.
    pub streams: List<Stream>,
    /// The protection headers in the order of the manifest.
    pub protection: List<ProtectionHeader>,
    /// The streams of unknown type, which are not in `streams`.
    pub ignored: List<Ignored>,
    /// Names and values of the root attributes that mean nothing here, such as a title, and of the root's
    /// `CustomAttributes`: as far as the limit allows.
    pub metadata: List<(Text, Text)>,
    /// Where the manifest departs from the specification, in its order: the first few of each kind.
    pub deviations: List<Deviation>,
    /// Deviations seen that are not among them.
    pub deviations_lost: u32,
}

/// A `StreamIndex` of a type that no client knows.
#[derive(Debug)]
pub struct Ignored {
    /// `Type` as it stands; empty when absent.
    pub kind: Text,
    /// `Name`; empty when absent.
    pub name: Text,
}

/// A sample that stands in the manifest. [MS-SSTR] 2.2.2.6, `f`.
#[derive(Debug)]
pub struct Payload {
    /// Start of the fragment it is in, in ticks of the stream.
    pub time: u64,
    /// How long it lasts in ticks of the stream; 0: as long as its fragment.
    pub duration: u64,
    /// `Index` of the quality level it belongs to.
    pub level: u32,
    /// The decoded bytes.
    pub bytes: Bytes,
}

/// One `StreamIndex`. [MS-SSTR] 2.2.2.3.
#[derive(Debug)]
pub struct Stream {
    /// `Type`.
    pub kind: StreamKind,
    /// `Subtype`, empty when absent: the role of a text stream, and in old manifests the codec.
    pub subtype: Text,
    /// `Name`, or else the type. Need not be unique.
    pub name: Text,
    /// `Language` as the manifest has it; `und` when it has none.
    pub language: Text,
    /// `ParentStreamIndex`: the name of the stream whose responses announce the fragments of this one.
    pub parent: Text,
    /// `ManifestOutput`: the samples stand in the manifest.
    pub embedded: bool,
    /// `TimeScale` of the fragment times, or else that of the manifest.
    pub timescale: TimeScale,
    /// `Url`: the template of fragment URLs.
    pub url: Text,
    /// `MaxWidth` in pixels, or else that of the widest level.
    pub max_width: u32,
    /// `MaxHeight` in pixels, or else that of the highest level.
    pub max_height: u32,
    /// `DisplayWidth` in pixels, or else `max_width`.
    pub display_width: u32,
    /// `DisplayHeight` in pixels, or else `max_height`.
    pub display_height: u32,
    /// The quality levels in the order of the manifest.
    pub levels: List<QualityLevel>,
    /// The fragments, which all levels share.
    pub timeline: Timeline,
    /// The samples of an `embedded` stream, in the order of the manifest.
    pub payloads: List<Payload>,
    /// Why the stream cannot be played, if it cannot.
    pub unusable: Option<Error>,
}

/// One `QualityLevel`. [MS-SSTR] 2.2.2.5.
#[derive(Debug)]
pub struct QualityLevel {
    /// `Index`, or else its place among the levels.
    pub index: u32,
    /// `Bitrate` in bits per second.
    pub bitrate: u32,
    /// `Bitrate` to the letter, for the URL.
    pub bitrate_text: String<20>,
    /// The decoder set-up; of an unusable level only what the manifest says in numbers.
    pub config: CodecConfig,
    /// `CustomAttributes`: names and values in order.
    pub custom: List<(Text, Text)>,
    /// Attributes that no client knows, names and values in order: manifests before version 2.0 tell levels of one
    /// bitrate apart so (`HardwareProfile`). They never become part of a URL. As many as of `custom`.
    pub informative: List<(Text, Text)>,
    /// `Url` of this level, which goes before that of its stream; mostly empty.
    pub url: Text,
    /// Why the level cannot be played, if it cannot.
    pub unusable: Option<Error>,
}

/// One `ProtectionHeader`. [MS-SSTR] 2.2.2.2.
#[derive(Debug)]
pub struct ProtectionHeader {
    /// `SystemID` in the order in which it is written.
    pub system_id: [u8; 16],
    /// The decoded content; the text itself when it is no base64.
    pub data: Bytes,
}

impl Manifest {
    /// Whether more fragments will come.
    pub fn is_live(&self) -> bool {
        self.liveness == Liveness::Live
    }

    /// The streams that can be played or fetched, with their places in `streams`.
    pub fn usable(&self) -> impl Iterator<Item = (usize, &Stream)> {
        self.streams.iter().enumerate().filter(|(_, s)| s.unusable.is_none())
    }

    /// The place in `streams` of the first usable stream of `kind`.
    pub fn find_kind(&self, kind: StreamKind) -> Option<usize> {
        self.usable().find(|(_, s)| s.kind == kind).map(|(at, _)| at)
    }

    /// The place in `streams` of the `ordinal`-th stream (from 0) of this kind, name and language: what a stream is
    /// known by when a later manifest lists the streams in another order.
    pub fn find_stream(&self, kind: StreamKind, name: &str, language: &str, ordinal: usize) -> Option<usize> {
        let same = |s: &Stream| s.kind == kind && &*s.name == name && &*s.language == language;
        self.streams.iter().enumerate().filter(|(_, s)| same(s)).nth(ordinal).map(|(at, _)| at)
    }

    /// The earliest time at which every usable video and audio stream can be played. For a live presentation, that
    /// is no earlier than its window, which never begins before the first fragment. `None` while none lists one.
    pub fn first_time(&self) -> Option<MediaTime> {
        self.played().filter_map(|s| self.window_start(s)).max()
    }

    /// The end of the last fragment of any usable video or audio stream; `None` while none lists one.
    pub fn end_time(&self) -> Option<MediaTime> {
        self.played().filter_map(Stream::end_time).max()
    }

    /// How long the presentation is: as its fragments have it, or else as the manifest says.
    pub fn length(&self) -> Micros {
        let first = self.played().filter_map(Stream::first_time).min();
        match (first, self.end_time()) {
            (Some(first), Some(end)) => end.since(first),
            _ => self.timescale.micros(self.duration),
        }
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        for stream in self.streams.iter_mut() {
            stream.free(account);
        }
        for header in self.protection.iter_mut() {
            header.data.free(account);
        }
        for stream in self.ignored.iter_mut() {
            stream.kind.free(account);
            stream.name.free(account);
        }
        free_pairs(&mut self.metadata, account);
        self.streams.free(account);
        self.protection.free(account);
        self.ignored.free(account);
        self.deviations.free(account);
    }

    fn played(&self) -> impl Iterator<Item = &Stream> {
        self.usable().map(|(_, s)| s).filter(|s| s.kind != StreamKind::Text)
    }

    /// Where `stream` can be played from.
    fn window_start(&self, stream: &Stream) -> Option<MediaTime> {
        let first = stream.first_time()?;
        if !self.is_live() || self.dvr_window == 0 {
            return Some(first);
        }
        let end = stream.end_time().unwrap_or(first);
        let window = self.timescale.media_time(self.dvr_window);
        Some(first.max(MediaTime(end.0.saturating_sub(window.0))))
    }

    /// When the presentation ends if it is as long as the manifest says.
    fn end_of_duration(&self) -> i64 {
        let first = self.played().filter_map(Stream::first_time).min().unwrap_or_default();
        first.0.saturating_add(self.timescale.media_time(self.duration).0)
    }

    /// Computes what the manifest left out, and refuses what leaves nothing to play.
    fn complete(&mut self) -> Result<()> {
        let playable = |s: &Stream| {
            s.unusable.is_none() && s.kind != StreamKind::Text && (self.is_live() || !s.timeline.is_empty())
        };
        if !self.streams.iter().any(playable) {
            return Err(Error::at(Code::ManifestNothingPlayable, "SmoothStreamingMedia", 0));
        }
        if self.duration == 0 && !self.is_live() {
            let scale = self.timescale;
            let length = |s: &Stream| {
                let first = s.timeline.first()?.start;
                s.timescale.rescale(s.timeline.end().saturating_sub(first), scale)
            };
            self.duration = self.usable().filter_map(|(_, s)| length(s)).max().unwrap_or(0);
        }
        Ok(())
    }
}

impl Stream {
    /// The start of the first fragment; `None` while none is listed.
    pub fn first_time(&self) -> Option<MediaTime> {
        self.timeline.first().map(|f| self.timescale.media_time(f.start))
    }

    /// The end of the last fragment, or its start while its duration is unknown; `None` while none is listed.
    pub fn end_time(&self) -> Option<MediaTime> {
        self.timeline.last().map(|f| self.timescale.media_time(f.end()))
    }

    /// The template of the fragment URLs of `level`.
    pub fn template<'a>(&'a self, level: &'a QualityLevel) -> &'a str {
        if level.url.is_empty() { &self.url } else { &level.url }
    }

    /// The levels that can be played, with their places in `levels`.
    pub fn usable_levels(&self) -> impl Iterator<Item = (usize, &QualityLevel)> {
        self.levels.iter().enumerate().filter(|(_, l)| l.unusable.is_none())
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        for text in [&mut self.subtype, &mut self.name, &mut self.language, &mut self.parent, &mut self.url] {
            text.free(account);
        }
        for level in self.levels.iter_mut() {
            level.free(account);
        }
        for payload in self.payloads.iter_mut() {
            payload.bytes.free(account);
        }
        self.levels.free(account);
        self.timeline.free(account);
        self.payloads.free(account);
    }
}

impl QualityLevel {
    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        self.config.free(account);
        free_pairs(&mut self.custom, account);
        free_pairs(&mut self.informative, account);
        self.url.free(account);
    }
}

#[inline(never)]
fn free_pairs(pairs: &mut List<(Text, Text)>, account: &mut Account) {
    for (name, value) in pairs.iter_mut() {
        name.free(account);
        value.free(account);
    }
    pairs.free(account);
}
