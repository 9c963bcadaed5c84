//! A `StreamIndex` on its way into the manifest.

use super::deviation::{Reading, Tally};
use super::level::{CustomUse, Inherited, LevelDraft};
use super::payload::PayloadDraft;
use super::timeline::{C, End, Fragment, Timeline, TimelineBuilder};
use super::value::{Value, keep};
use super::{Ignored, Manifest, Payload, Stream};
use crate::codec::{FourCc, Kind};
use crate::error::{Code, Error, Result};
use crate::mem::{Account, List, Text};
use crate::time::TimeScale;

/// The attributes. Those that are needed stand where the masks below say.
const ATTRIBUTES: [&str; 16] = [
    "StreamIndex@Type",
    "StreamIndex@Chunks",
    "StreamIndex@QualityLevels",
    "StreamIndex@Url",
    "StreamIndex@Subtype",
    "StreamIndex@Name",
    "StreamIndex@TimeScale",
    "StreamIndex@MaxWidth",
    "StreamIndex@MaxHeight",
    "StreamIndex@DisplayWidth",
    "StreamIndex@DisplayHeight",
    "StreamIndex@Language",
    "StreamIndex@ParentStreamIndex",
    "StreamIndex@ManifestOutput",
    "StreamIndex@FourCC",
    "StreamIndex@Index",
];
/// Where attributes stand in [`ATTRIBUTES`].
mod place {
    pub(super) const TYPE: usize = 0;
    pub(super) const CHUNKS: usize = 1;
    pub(super) const QUALITY_LEVELS: usize = 2;
    pub(super) const URL: usize = 3;
    pub(super) const SUBTYPE: usize = 4;
    pub(super) const NAME: usize = 5;
    pub(super) const TIME_SCALE: usize = 6;
    pub(super) const MAX_WIDTH: usize = 7;
    pub(super) const MAX_HEIGHT: usize = 8;
    pub(super) const DISPLAY_WIDTH: usize = 9;
    pub(super) const DISPLAY_HEIGHT: usize = 10;
    pub(super) const LANGUAGE: usize = 11;
    pub(super) const PARENT_STREAM_INDEX: usize = 12;
    pub(super) const MANIFEST_OUTPUT: usize = 13;
    pub(super) const FOUR_CC: usize = 14;
}
const CHUNKS: &str = "StreamIndex@Chunks";
const QUALITY_LEVELS: &str = "StreamIndex@QualityLevels";
const URL: &str = "StreamIndex@Url";
/// `Type`; fragments that are fetched need their number, that of the levels and a URL; text needs its subtype.
const NEEDED: u32 = 0b00001;
const NEEDED_TO_FETCH: u32 = 0b01110;
const NEEDED_OF_TEXT: u32 = 0b10000;

/// What a text stream can be for. [MS-SSTR] 2.2.2.3.
const SUBTYPES: [&str; 7] = ["SCMD", "CHAP", "SUBT", "CAPT", "DESC", "CTRL", "DATA"];

/// The attributes and children of a stream, in any order.
#[derive(Debug)]
pub(super) struct StreamDraft {
    at: u64,
    seen: u32,
    /// `Type`, once it was one of the three.
    kind: Option<Kind>,
    /// `Type` otherwise.
    unknown: Text,
    fourcc: Option<FourCc>,
    timescale: Option<TimeScale>,
    levels_seen: u32,
    /// `Chunks` and `QualityLevels`.
    counts: (Option<u32>, Option<u32>),
    /// `n` of the fragment before.
    ordinal: Option<u64>,
    stream: Stream,
    builder: TimelineBuilder,
}

impl StreamDraft {
    /// A stream whose tag is at `at`.
    pub(super) fn new(at: u64) -> StreamDraft {
        StreamDraft {
            at,
            seen: 0,
            kind: None,
            unknown: Text::new(),
            fourcc: None,
            timescale: None,
            levels_seen: 0,
            counts: (None, None),
            ordinal: None,
            stream: empty_stream(),
            builder: TimelineBuilder::new(),
        }
    }

    /// Takes one attribute of `StreamIndex`. [MS-SSTR] 2.2.2.3.
    pub(super) fn attribute(&mut self, r: &mut Reading<'_>, name: &[u8], value: Value<'_>) -> Result<()> {
        let Tally::Known(place) = r.tally(&mut self.seen, &ATTRIBUTES, name, value.at) else { return Ok(()) };
        let s = &mut self.stream;
        // By place: comparing every name once more costs a kilobyte.
        match place {
            place::TYPE => {
                self.kind = kind(value.text);
                if self.kind.is_none() {
                    value.copy(r.account, &mut self.unknown)?;
                } else if value.text.bytes().any(|b| b.is_ascii_uppercase()) {
                    r.note("stream-type-case", "StreamIndex@Type", value.at);
                }
            }
            place::SUBTYPE => value.copy(r.account, &mut s.subtype)?,
            place::NAME => value.copy(r.account, &mut s.name)?,
            place::LANGUAGE => {
                value.copy(r.account, &mut s.language)?;
                let letters = value.text.bytes().all(|b| b.is_ascii_lowercase());
                if !letters || value.text.len() != 3 {
                    r.note("language-form", "StreamIndex@Language", value.at);
                }
            }
            place::PARENT_STREAM_INDEX => value.copy(r.account, &mut s.parent)?,
            place::MANIFEST_OUTPUT => {
                s.embedded = value.boolean(r, "StreamIndex@ManifestOutput").unwrap_or(false)
            }
            place::TIME_SCALE => match value.timescale(r, "StreamIndex@TimeScale") {
                Ok(scale) => self.timescale = Some(scale),
                Err(e) => keep(&mut s.unusable, e)?,
            },
            place::URL if value.text.len() > r.limits.url_bytes as usize => {
                keep(&mut s.unusable, Error::at(Code::LimitUrl, URL, value.at))?;
            }
            place::URL => value.copy(r.account, &mut s.url)?,
            place::MAX_WIDTH => s.max_width = value.u32(r, "StreamIndex@MaxWidth").unwrap_or(0),
            place::MAX_HEIGHT => s.max_height = value.u32(r, "StreamIndex@MaxHeight").unwrap_or(0),
            place::DISPLAY_WIDTH => s.display_width = value.u32(r, "StreamIndex@DisplayWidth").unwrap_or(0),
            place::DISPLAY_HEIGHT => {
                s.display_height = value.u32(r, "StreamIndex@DisplayHeight").unwrap_or(0)
            }
            place::FOUR_CC => self.fourcc = FourCc::from_text(value.text.trim_ascii()),
            // They count what is there to be counted, and often wrongly.
            place::CHUNKS => self.counts.0 = value.u32(r, CHUNKS),
            place::QUALITY_LEVELS => self.counts.1 = value.u32(r, QUALITY_LEVELS),
            _ => {}
        }
        Ok(())
    }

    /// Ends the attributes. A stream whose type is unknown is not one to read.
    pub(super) fn begin(&mut self, r: &mut Reading<'_>, manifest: &Manifest) -> Result<Option<Ignored>> {
        let Some(kind) = self.kind else {
            let rule = if self.seen & NEEDED == 0 { "attribute-missing" } else { "stream-type-unknown" };
            r.note(rule, "StreamIndex@Type", self.at);
            let name = core::mem::take(&mut self.stream.name);
            return Ok(Some(Ignored { kind: core::mem::take(&mut self.unknown), name }));
        };
        // Of a Type that stood before the one that counts.
        self.unknown.free(r.account);
        let s = &mut self.stream;
        s.kind = kind;
        s.timescale = self.timescale.unwrap_or(manifest.timescale);
        let mut needed = NEEDED;
        if !s.embedded {
            needed |= NEEDED_TO_FETCH;
        }
        if kind == Kind::Text {
            needed |= NEEDED_OF_TEXT;
            let known = |name: &&str| name.eq_ignore_ascii_case(&s.subtype);
            if self.seen & NEEDED_OF_TEXT != 0 && !SUBTYPES.iter().any(known) {
                r.note("subtype-unknown", "StreamIndex@Subtype", self.at);
            }
        }
        r.missing(self.seen, needed, &ATTRIBUTES, self.at);
        if s.name.is_empty() {
            let name = match kind {
                Kind::Video => "video",
                Kind::Audio => "audio",
                Kind::Text => "text",
            };
            s.name = Text::from(r.account, name)?;
        } else if cfg!(feature = "details") && !identifier(&s.name) {
            r.note("stream-name-form", "StreamIndex@Name", self.at);
        }
        if cfg!(feature = "details") && manifest.streams.iter().any(|other| *other.name == *s.name) {
            r.note("stream-name-duplicate", "StreamIndex@Name", self.at);
        }
        if s.language.is_empty() {
            s.language = Text::from(r.account, "und")?;
        }
        Ok(None)
    }

    /// Whether samples in the manifest are this stream's.
    pub(super) const fn embedded(&self) -> bool {
        self.stream.embedded
    }

    /// Counts one `QualityLevel` at `at`.
    pub(super) fn level_begins(&mut self, r: &mut Reading<'_>, at: u64) -> Result<()> {
        self.levels_seen = self.levels_seen.saturating_add(1);
        if self.levels_seen > r.limits.levels {
            return Err(Error::at(Code::LimitLevels, "StreamIndex/QualityLevel", at));
        }
        if self.builder.last().is_some() {
            r.note("element-order", "StreamIndex/QualityLevel", at);
        }
        Ok(())
    }

    /// Takes one complete `QualityLevel`.
    pub(super) fn level(&mut self, r: &mut Reading<'_>, draft: &mut LevelDraft) -> Result<()> {
        let s = &mut self.stream;
        let url = draft.url(&s.url);
        let in_url = url.as_bytes().windows(18).any(|w| w.eq_ignore_ascii_case(b"{CustomAttributes}"));
        let without_url = if url.is_empty() { Some(self.at) } else { None };
        let from = Inherited {
            kind: s.kind,
            subtype: &s.subtype,
            fourcc: self.fourcc,
            width: s.max_width,
            height: s.max_height,
            ordinal: self.levels_seen.saturating_sub(1),
            custom: if in_url { CustomUse::InUrl } else { CustomUse::Informative },
            embedded: s.embedded,
            without_url,
        };
        // Room first: a level that finds none would stay charged.
        s.levels.reserve(r.account, 1)?;
        let level = draft.finish(r, from)?;
        if cfg!(feature = "details") && s.levels.iter().any(|l| l.index == level.index) {
            r.note("level-index-duplicate", "QualityLevel@Index", draft.at());
        }
        s.levels.push(r.account, level)
    }

    /// Takes one `c`, whose tag is at `at`; `None` when its times are no numbers. `n` is its ordinal, `seen` counts those
    /// of the whole manifest. [MS-SSTR] 2.2.2.6.
    pub(super) fn fragment(
        &mut self,
        r: &mut Reading<'_>,
        seen: &mut u32,
        c: Option<C>,
        n: Option<u64>,
        at: u64,
    ) -> Result<()> {
        if n.is_some() && n <= self.ordinal {
            r.note("fragment-number", "c@n", at);
        }
        self.ordinal = n.or(self.ordinal);
        if let (Some(c), false) = (c, self.lost()) {
            self.look_at(r, c, at);
            return match self.builder.element(r.account, r.limits, seen, c, at) {
                Ok(()) => Ok(()),
                Err(e) => self.untimely(r, e),
            };
        }
        *seen = seen.saturating_add(1);
        if *seen > r.limits.fragments {
            return Err(Error::at(Code::LimitFragments, "c", at));
        }
        self.untimely(r, Error::at(Code::ManifestTimeline, "c", at))
    }

    /// Notes what is odd about a fragment that can be used.
    fn look_at(&self, r: &mut Reading<'_>, c: C, at: u64) {
        if !cfg!(feature = "details") {
            return;
        }
        match (c.t, c.d) {
            (None, None) => r.note("fragment-without-time", "c", at),
            (_, Some(0)) => r.note("fragment-duration-zero", "c@d", at),
            _ => {}
        }
        match (c.r, c.d) {
            (Some(0), _) => r.note("repeat-zero", "c@r", at),
            (Some(2..), None) => r.note("repeat-without-duration", "c@r", at),
            _ => {}
        }
        if let (Some(start), Some(expected), Some(last)) = (c.t, self.builder.expected(), self.builder.last())
        {
            let next = Fragment { index: 0, start, duration: 0 };
            // Text and whatever hangs on another stream comes when it comes.
            let steady = self.stream.kind != Kind::Text && self.stream.parent.is_empty();
            if start < expected {
                r.note("fragment-overlap", "c@t", at);
            } else if steady && last.hole_before(next, self.stream.timescale) {
                r.note("fragment-gap", "c@t", at);
            }
        }
    }

    /// Takes the sample of an `f` in the fragment that came last. `held` counts the bytes of the whole manifest's.
    pub(super) fn payload(
        &mut self,
        r: &mut Reading<'_>,
        draft: &mut PayloadDraft,
        held: &mut u32,
    ) -> Result<()> {
        if self.stream.unusable.is_some() {
            draft.free(r.account);
            return Ok(());
        }
        let cost = size_of::<Payload>() as u32;
        let room = r.limits.payload_bytes.saturating_sub(held.saturating_add(cost));
        self.stream.payloads.reserve(r.account, 1)?;
        match draft.finish(r, self.builder.start(), room as usize) {
            Ok(None) => Ok(()),
            Ok(Some(payload)) => {
                *held = held.saturating_add(cost).saturating_add(payload.bytes.len() as u32);
                self.stream.payloads.push(r.account, payload)
            }
            Err(e) => keep(&mut self.stream.unusable, e),
        }
    }

    /// Whether a time was impossible: those that follow mean nothing then.
    fn lost(&self) -> bool {
        self.stream.unusable.is_some_and(|e| e.code == Code::ManifestTimeline)
    }

    /// The whole stream.
    ///
    /// # Errors
    /// Lack of memory or a limit; everything else is kept as the reason why the stream is unusable.
    pub(super) fn finish(&mut self, r: &mut Reading<'_>, manifest: &Manifest) -> Result<Stream> {
        let scale = self.stream.timescale;
        let end = match manifest.duration {
            _ if manifest.is_live() => End::Live,
            0 => End::Vod(None),
            ticks => End::Vod(manifest.timescale.rescale(ticks, scale)),
        };
        if self.builder.expected().is_none() {
            r.note("last-duration-missing", "c@d", self.at);
        }
        match self.builder.finish(r.account, end) {
            Ok(timeline) => self.stream.timeline = timeline,
            Err(e) => {
                self.untimely(r, e)?;
                self.builder.free(r.account);
            }
        }
        self.check_counts(r);
        self.check_levels(r)?;
        self.complete_sizes();
        Ok(core::mem::replace(&mut self.stream, empty_stream()))
    }

    /// Frees everything and takes it off the account.
    pub(super) fn free(&mut self, account: &mut Account) {
        self.unknown.free(account);
        self.stream.free(account);
        self.builder.free(account);
    }

    /// Impossible times cost the stream, anything else the manifest.
    fn untimely(&mut self, r: &mut Reading<'_>, error: Error) -> Result<()> {
        if error.code != Code::ManifestTimeline {
            return Err(error);
        }
        if !self.lost() {
            r.note("fragment-times", error.place.at, error.place.offset);
        }
        keep(&mut self.stream.unusable, error)
    }

    fn check_counts(&self, r: &mut Reading<'_>) {
        let (chunks, levels) = self.counts;
        if chunks.is_some_and(|n| n != self.stream.timeline.len()) && !self.lost() {
            r.note("count-wrong", CHUNKS, self.at);
        }
        if levels.is_some_and(|n| n != self.levels_seen) {
            r.note("count-wrong", QUALITY_LEVELS, self.at);
        }
    }

    /// A stream without a level to play cannot be played itself. Samples in the manifest need none.
    fn check_levels(&mut self, r: &mut Reading<'_>) -> Result<()> {
        let s = &mut self.stream;
        if s.embedded || s.levels.iter().any(|l| l.unusable.is_none()) {
            return Ok(());
        }
        let none = Error::at(Code::ManifestAttribute, "StreamIndex/QualityLevel", self.at);
        if s.levels.is_empty() {
            r.note("element-missing", "StreamIndex/QualityLevel", self.at);
        }
        let error = s.levels.iter().find_map(|l| l.unusable).unwrap_or(none);
        keep(&mut s.unusable, error)
    }

    fn complete_sizes(&mut self) {
        let s = &mut self.stream;
        let widest = s.levels.iter().map(|l| l.config.width).max().unwrap_or(0);
        let highest = s.levels.iter().map(|l| l.config.height).max().unwrap_or(0);
        for (size, otherwise) in [(&mut s.max_width, widest), (&mut s.max_height, highest)] {
            if *size == 0 {
                *size = otherwise;
            }
        }
        if s.display_width == 0 || s.display_height == 0 {
            (s.display_width, s.display_height) = (s.max_width, s.max_height);
        }
    }
}

fn kind(text: &str) -> Option<Kind> {
    let kinds = [("video", Kind::Video), ("audio", Kind::Audio), ("text", Kind::Text)];
    kinds.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, kind)| kind)
}

/// A letter, then letters, digits, hyphens and underscores.
fn identifier(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn empty_stream() -> Stream {
    Stream {
        kind: Kind::Text,
        subtype: Text::new(),
        name: Text::new(),
        language: Text::new(),
        parent: Text::new(),
        embedded: false,
        timescale: TimeScale::HNS,
        url: Text::new(),
        max_width: 0,
        max_height: 0,
        display_width: 0,
        display_height: 0,
        levels: List::new(),
        timeline: Timeline::default(),
        payloads: List::new(),
        unusable: None,
    }
}
