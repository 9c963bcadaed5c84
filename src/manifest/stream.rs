//! A `StreamIndex` on its way into the manifest.

use super::level::{CustomUse, Inherited, LevelDraft};
use super::timeline::{C, End, Timeline, TimelineBuilder};
use super::value::{Value, complain, keep};
use super::{Manifest, Stream};
use crate::codec::{FourCc, Kind};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, List, Text};
use crate::time::TimeScale;

/// The attributes and children of a stream, in any order.
#[derive(Debug)]
pub(super) struct StreamDraft {
    at: u64,
    /// `Type`, once it was one of the three.
    kind: Option<Kind>,
    fourcc: Option<FourCc>,
    timescale: Option<TimeScale>,
    levels_seen: u32,
    stream: Stream,
    builder: TimelineBuilder,
}

impl StreamDraft {
    /// A stream whose tag is at `at`.
    pub(super) fn new(at: u64) -> StreamDraft {
        StreamDraft {
            at,
            kind: None,
            fourcc: None,
            timescale: None,
            levels_seen: 0,
            stream: empty_stream(),
            builder: TimelineBuilder::new(),
        }
    }

    /// Takes one attribute of `StreamIndex`. [MS-SSTR] 2.2.2.3.
    pub(super) fn attribute(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        name: &[u8],
        value: Value<'_>,
    ) -> Result<()> {
        let s = &mut self.stream;
        match name {
            b"Type" => self.kind = kind(value),
            b"Subtype" => value.copy(account, &mut s.subtype)?,
            b"Name" => value.copy(account, &mut s.name)?,
            b"Language" => value.copy(account, &mut s.language)?,
            b"ParentStreamIndex" => value.copy(account, &mut s.parent)?,
            b"ManifestOutput" => s.embedded = value.boolean("StreamIndex@ManifestOutput").unwrap_or(false),
            b"TimeScale" => match value.timescale("StreamIndex@TimeScale") {
                Ok(scale) => self.timescale = Some(scale),
                Err(e) => keep(&mut s.unusable, e)?,
            },
            b"Url" if value.text.len() > limits.url_bytes as usize => {
                keep(&mut s.unusable, Error::at(Code::LimitUrl, "StreamIndex@Url", value.at))?;
            }
            b"Url" => value.copy(account, &mut s.url)?,
            b"MaxWidth" => s.max_width = value.u32("StreamIndex@MaxWidth").unwrap_or(0),
            b"MaxHeight" => s.max_height = value.u32("StreamIndex@MaxHeight").unwrap_or(0),
            b"DisplayWidth" => s.display_width = value.u32("StreamIndex@DisplayWidth").unwrap_or(0),
            b"DisplayHeight" => s.display_height = value.u32("StreamIndex@DisplayHeight").unwrap_or(0),
            b"FourCC" => self.fourcc = FourCc::from_text(value.text.trim_ascii()),
            // Chunks and QualityLevels count what is there to be counted, and often wrongly.
            _ => {}
        }
        Ok(())
    }

    /// Ends the attributes. Says whether the stream is one to read: `None` when its type is unknown.
    pub(super) fn begin(&mut self, account: &mut Account, manifest: &Manifest) -> Result<Option<()>> {
        let Some(kind) = self.kind else {
            complain("StreamIndex", "has no known type and is skipped", self.at);
            return Ok(None);
        };
        let s = &mut self.stream;
        s.kind = kind;
        s.timescale = self.timescale.unwrap_or(manifest.timescale);
        if s.name.is_empty() {
            let name = match kind {
                Kind::Video => "video",
                Kind::Audio => "audio",
                Kind::Text => "text",
            };
            s.name = Text::from(account, name)?;
        }
        if s.language.is_empty() {
            s.language = Text::from(account, "und")?;
        }
        if s.url.is_empty() && !s.embedded {
            keep(&mut s.unusable, Error::at(Code::ManifestAttribute, "StreamIndex@Url", self.at))?;
        }
        Ok(Some(()))
    }

    /// Counts one `QualityLevel` at `at`.
    pub(super) fn level_begins(&mut self, limits: &Limits, at: u64) -> Result<()> {
        self.levels_seen = self.levels_seen.saturating_add(1);
        if self.levels_seen > limits.levels {
            return Err(Error::at(Code::LimitLevels, "StreamIndex/QualityLevel", at));
        }
        Ok(())
    }

    /// Takes one complete `QualityLevel`.
    pub(super) fn level(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        draft: &mut LevelDraft,
    ) -> Result<()> {
        let s = &mut self.stream;
        let in_url = s.url.as_bytes().windows(18).any(|w| w.eq_ignore_ascii_case(b"{CustomAttributes}"));
        let from = Inherited {
            kind: s.kind,
            subtype: &s.subtype,
            fourcc: self.fourcc,
            width: s.max_width,
            height: s.max_height,
            ordinal: self.levels_seen.saturating_sub(1),
            custom: if in_url { CustomUse::InUrl } else { CustomUse::Informative },
            embedded: s.embedded,
        };
        // Room first: a level that finds none would stay charged.
        s.levels.reserve(account, 1)?;
        let level = draft.finish(account, limits, from)?;
        s.levels.push(account, level)
    }

    /// Takes one `c`, whose tag is at `at`; `None` when its times are no numbers. `seen` counts those of the whole
    /// manifest. [MS-SSTR] 2.2.2.6.
    pub(super) fn fragment(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        seen: &mut u32,
        c: Option<C>,
        at: u64,
    ) -> Result<()> {
        if let (Some(c), false) = (c, self.lost()) {
            return self.builder.element(account, limits, seen, c, at).or_else(|e| self.untimely(e));
        }
        *seen = seen.saturating_add(1);
        if *seen > limits.fragments {
            return Err(Error::at(Code::LimitFragments, "c", at));
        }
        self.untimely(Error::at(Code::ManifestTimeline, "c", at))
    }

    /// Whether a time was impossible: those that follow mean nothing then.
    fn lost(&self) -> bool {
        self.stream.unusable.is_some_and(|e| e.code == Code::ManifestTimeline)
    }

    /// The whole stream.
    ///
    /// # Errors
    /// Lack of memory or a limit; everything else is kept as the reason why the stream is unusable.
    pub(super) fn finish(&mut self, account: &mut Account, manifest: &Manifest) -> Result<Stream> {
        let scale = self.stream.timescale;
        let end = match manifest.duration {
            _ if manifest.is_live() => End::Live,
            0 => End::Vod(None),
            ticks => End::Vod(manifest.timescale.rescale(ticks, scale)),
        };
        match self.builder.finish(account, end) {
            Ok(timeline) => self.stream.timeline = timeline,
            Err(e) => {
                self.untimely(e)?;
                self.builder.free(account);
            }
        }
        self.check_levels()?;
        self.complete_sizes();
        Ok(core::mem::replace(&mut self.stream, empty_stream()))
    }

    /// Frees everything and takes it off the account.
    pub(super) fn free(&mut self, account: &mut Account) {
        self.stream.free(account);
        self.builder.free(account);
    }

    /// Impossible times cost the stream, anything else the manifest.
    fn untimely(&mut self, error: Error) -> Result<()> {
        if error.code == Code::ManifestTimeline { keep(&mut self.stream.unusable, error) } else { Err(error) }
    }

    /// A stream without a level to play cannot be played itself. Samples in the manifest need none.
    fn check_levels(&mut self) -> Result<()> {
        let s = &mut self.stream;
        if s.embedded || s.levels.iter().any(|l| l.unusable.is_none()) {
            return Ok(());
        }
        let none = Error::at(Code::ManifestAttribute, "StreamIndex/QualityLevel", self.at);
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

fn kind(value: Value<'_>) -> Option<Kind> {
    let kinds = [("video", Kind::Video), ("audio", Kind::Audio), ("text", Kind::Text)];
    kinds.into_iter().find(|(name, _)| value.text.eq_ignore_ascii_case(name)).map(|(_, kind)| kind)
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
