//! From a URL to streams that are ready to be fetched.

use super::config::AudioChoice;
use super::feed::{Feed, Permit, Rung, Source};
use super::live::LIVE;
use super::receive::is_identity;
use super::retry::{Exchange, Verdict};
use super::text::{source, speaks};
use super::{Session, State};
use crate::abr::Controller;
use crate::codec::{Codec, CodecConfig, Kind};
use crate::error::{Code, Error, Result};
use crate::trace::Plain;

use crate::io::{DecoderTraits, EventKind, Failure, Output, Request, RequestKind, Response, StreamId};
use crate::manifest::{Encoding, Manifest, ManifestParser, Stream, url};
use crate::time::{Instant, MediaTime, TimeScale};
use crate::trace;

/// Bytes of a manifest read at a time.
pub(super) const INBOX: usize = 4 << 10;

impl Session {
    /// Starts: the manifest at `url` is asked for by the next poll.
    ///
    /// # Errors
    /// [`Code::State`] when already opened; [`Code::UrlInvalid`], [`Code::UrlRefused`] or [`Code::LimitUrl`];
    /// [`Code::Budget`] or [`Code::NoMemory`].
    pub fn open(&mut self, at: Instant, url: &str) -> Result<()> {
        if self.state != State::New {
            return Err(Code::State.into());
        }
        // A clock may start anywhere; it only must not run back from here.
        self.start_clock(at);
        self.opened_at = at;
        // Resolving against itself checks scheme, host and length.
        url::resolve(&mut self.account, &mut self.url, url, url, &self.config.limits)?;
        self.base.push(&mut self.account, &self.url)?;
        self.inbox.resize(&mut self.account, INBOX, 0)?;
        self.state = State::Opening;
        log::info!(target: trace::SESSION, "open {}", Plain(trace::redacted(url)));
        Ok(())
    }

    pub(super) fn manifest_due(&mut self) -> bool {
        if self.opening.is_some() || self.manifest.is_some() || self.now < self.opening_retry.not_before {
            return false;
        }
        if !self.is_online() {
            return false;
        }
        if LIVE {
            self.live.floor = self.account.held();
        }
        if let Err(error) = self.begin_reading() {
            self.fail(error);
            return false;
        }
        let id = self.request_id();
        self.opening = Some(Exchange::new(id, self.now));
        true
    }

    pub(super) fn manifest_request(&mut self) -> Output<'_> {
        let attempt = match self.is_refreshing() {
            true => self.refresh_attempt(),
            false => self.opening_retry.failed.saturating_add(1),
        };
        match &self.opening {
            Some(exchange) => Output::Request(Request {
                id: exchange.id,
                url: &self.url,
                kind: RequestKind::Manifest,
                stream: None,
                attempt,
            }),
            None => Output::Idle(self.deadline()),
        }
    }

    pub(super) fn manifest_head(&mut self, head: &Response<'_>) {
        if !(200..300).contains(&head.status) {
            self.manifest_failed(Failure { error: Code::HttpStatus.into(), status: head.status });
            return;
        }
        self.note_head(head.date);
        let encoding = head.content_encoding.trim_ascii();
        if !is_identity(encoding) {
            let known = match () {
                () if encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip") => {
                    Encoding::Gzip
                }
                () if encoding.eq_ignore_ascii_case("deflate") => Encoding::Deflate,
                () => return self.manifest_failed(Code::ContentEncoding.into()),
            };
            if let Some(parser) = self.parser.first_mut() {
                parser.set_encoding(known);
            }
        }
        if !head.final_url.is_empty() {
            let mut base = self.take_base();
            base.clear();
            let resolved =
                url::resolve(&mut self.account, &mut base, &self.url, head.final_url, &self.config.limits);
            self.put_base(base);
            if let Err(error) = resolved {
                self.manifest_failed(Failure { error, status: 0 });
            }
        }
    }

    pub(super) fn manifest_bytes(&mut self, bytes: &[u8]) {
        let count = bytes.len() as u64;
        self.stats.bytes = self.stats.bytes.saturating_add(count);
        self.stats.manifest_bytes = self.stats.manifest_bytes.saturating_add(count);
        if let Some(exchange) = &mut self.opening {
            exchange.answered = true;
            exchange.heard = self.now;
        }
        self.make_reading_room();
        let fed = match self.parser.first_mut() {
            Some(parser) => parser.feed(&mut self.account, bytes),
            None => Ok(()),
        };
        let fed = match fed {
            Ok(()) if self.is_refreshing() => self.check_room(),
            fed => fed,
        };
        if let Err(error) = fed {
            self.manifest_broken(error);
        }
    }

    pub(super) fn manifest_complete(&mut self) {
        self.opening = None;
        let Some(parser) = self.parser.first_mut() else { return };
        match parser.finish() {
            Ok(manifest) => {
                self.free_parser();
                self.inbox.free(&mut self.account);
                if self.is_refreshing() {
                    return self.take_manifest(manifest);
                }
                self.note_manifest_bytes();
                if let Err(error) = self.begin(manifest) {
                    self.fail(error);
                }
            }
            Err(error) => self.manifest_broken(error),
        }
    }

    /// The body is no usable manifest. A short or foreign one may be a passing fault of a proxy; limits, memory and
    /// a version are not.
    fn manifest_broken(&mut self, error: Error) {
        match error.code {
            _ if self.is_refreshing() => self.refresh_failed(Failure { error, status: 0 }),
            Code::ManifestSyntax
            | Code::ManifestEncoding
            | Code::ManifestTruncated
            | Code::ManifestNotSmooth
            | Code::InflateData
            | Code::InflateHeader
            | Code::InflateChecksum
            | Code::InflateTruncated => self.manifest_failed(Failure { error, status: 0 }),
            _ => {
                self.drop_parser();
                self.fail(error);
            }
        }
    }

    fn drop_parser(&mut self) {
        if let Some(parser) = self.parser.first() {
            self.refused = parser.deviations().first().copied();
        }
        self.free_parser();
    }

    /// Makes the parser for a manifest that is about to be asked for. Out of line: its stack is not to lie under those that
    /// feed it.
    #[inline(never)]
    pub(super) fn begin_reading(&mut self) -> Result<()> {
        self.free_parser();
        let mut parser = ManifestParser::new(&self.config.limits);
        parser.set_strictness(self.config.strictness);
        self.parser.reserve_exact(&mut self.account, 1)?;
        self.parser.push(&mut self.account, parser)
    }

    pub(super) fn free_parser(&mut self) {
        if let Some(parser) = self.parser.first_mut() {
            parser.free(&mut self.account);
        }
        self.parser.free(&mut self.account);
    }

    /// One try to get the manifest has failed.
    pub(super) fn manifest_failed(&mut self, failure: Failure) {
        if self.is_refreshing() {
            return self.refresh_failed(failure);
        }
        if let Some(exchange) = self.opening.take() {
            self.cancel = Some(exchange.id);
        }
        self.drop_parser();
        if failure.status >= 400 {
            self.stats.http_errors = self.stats.http_errors.saturating_add(1);
        }
        let (now, limits) = (self.now, self.config.limits);
        // There is no other level to turn to: a status that is final ends it.
        match self.opening_retry.after(now, &failure, &limits, &mut self.rng) {
            Verdict::Again(wait) => {
                let event = self.event(EventKind::Retry).because(failure.error);
                let event = event.numbers(u64::from(self.opening_retry.failed), wait.0);
                self.stats.retries = self.stats.retries.saturating_add(1);
                self.tell(crate::io::Event { http_status: failure.status, ..event });
                // The redirect of a failed try says nothing about the next one.
                self.base.clear();
                if let Err(error) = self.base.push(&mut self.account, &self.url) {
                    self.fail(error);
                }
            }
            Verdict::OtherLevel | Verdict::Lost => {
                let mut error = failure.error;
                if failure.status != 0 {
                    error.place.offset = u64::from(failure.status);
                    error.place.at = "HTTP status";
                }
                self.fail(error);
            }
        }
    }

    /// Sets up the streams of a manifest.
    fn begin(&mut self, mut manifest: Manifest) -> Result<()> {
        self.stats.manifest = Some(self.now.since(self.opened_at));
        let opened =
            self.event(EventKind::Opened).numbers(manifest.streams.len() as u64, manifest.length().0);
        self.tell(opened);
        if LIVE {
            self.live.lists_more = manifest.is_live();
        }
        for (n, stream) in manifest.streams.iter_mut().enumerate() {
            self.add_stream(n, stream)?;
        }
        self.manifest = Some(manifest);
        self.note_headers()?;
        if cfg!(feature = "capabilities") && self.config.decoder.has(DecoderTraits::CAPABILITIES) {
            // Playback starts when every answer is there.
            self.ask_first();
            return Ok(());
        }
        self.start()
    }

    /// Chooses what to play of what is left, and begins.
    ///
    /// # Errors
    /// [`Code::ManifestNothingPlayable`]; [`Code::Budget`].
    pub(super) fn start(&mut self) -> Result<()> {
        let Some(manifest) = self.manifest.take() else { return Err(Code::State.into()) };
        let from = self.choose_streams(&manifest);
        self.manifest = Some(manifest);
        let from = from?;
        self.listed_first();
        let from = self.live_start().unwrap_or(from);
        self.place_cursors(from);
        self.make_planner();
        self.divide_budget()?;
        self.state = State::Playing;
        Ok(())
    }

    /// Turns the streams on that are played from the start; where that is.
    fn choose_streams(&mut self, manifest: &Manifest) -> Result<MediaTime> {
        let video = self.first_of(manifest, Kind::Video);
        if let Some(feed) = video.and_then(|i| self.feeds.get_mut(i)) {
            feed.selected = true;
        }
        self.select_audio(manifest);
        self.select_text(manifest);
        if !self.feeds.iter().any(|f| f.selected && f.leads()) {
            return Err(Error::at(Code::ManifestNothingPlayable, "SmoothStreamingMedia", 0));
        }
        Ok(self.config.start_at.or_else(|| manifest.first_time()).unwrap_or_default())
    }

    pub(super) fn add_feed(&mut self, n: usize, stream: &Stream) -> Result<()> {
        let Ok(number) = u16::try_from(n) else { return Ok(()) };
        let id = StreamId(number);
        if let Some(error) = stream.unusable {
            self.tell(self.event(EventKind::StreamDropped).about(id).because(error));
            return Ok(());
        }
        let source = source(stream);
        let waits = LIVE && self.live.lists_more;
        if source == Source::Fragments && stream.timeline.is_empty() && !waits {
            return Ok(());
        }
        let config = &self.config;
        let controller = match stream.kind {
            Kind::Video if config.fixed_bitrate != 0 => Controller::fixed(config.fixed_bitrate),
            Kind::Video => Controller::new(config.start_bitrate),
            _ => Controller::new(u32::MAX),
        };
        let mut feed = Feed::new(id, stream.kind, stream.timescale, controller);
        feed.source = source;
        let video = stream.kind == Kind::Video;
        let (lowest, highest) = (config.min_bitrate, config.max_bitrate);
        let asked = config.decoder.has(DecoderTraits::CAPABILITIES);
        // A codec that the library knows goes before one that perhaps the decoder does.
        let mut usable = stream.levels.iter().filter(|l| l.unusable.is_none());
        let first_usable = usable.clone().find(|l| l.config.codec != Codec::Other).or_else(|| usable.next());
        for (position, level) in stream.levels.iter().enumerate() {
            if let Some(error) = level.unusable {
                let event = self.event(EventKind::LevelDropped).about(id).because(error);
                self.tell(event.numbers(u64::from(level.bitrate), 0));
                continue;
            }
            // One decoder plays one codec: levels of another one than the first are left out, once it is known which
            // one that is.
            let foreign = !asked && first_usable.is_some_and(|f| !same_codec(&f.config, &level.config));
            if foreign || (video && (level.bitrate < lowest || level.bitrate > highest)) {
                continue;
            }
            let Ok(position) = u16::try_from(position) else { continue };
            let rung =
                Rung { level: position, bitrate: level.bitrate, masked: None, permit: Permit::Granted };
            feed.rungs.push(&mut self.account, rung)?;
            // Ladders are short and nearly sorted.
            let mut at = feed.rungs.len().saturating_sub(1);
            while at > 0
                && feed.rungs.get(at).map(|r| r.bitrate)
                    < feed.rungs.get(at.wrapping_sub(1)).map(|r| r.bitrate)
            {
                if let Some([a, b]) = feed.rungs.get_mut(at.wrapping_sub(1)..=at) {
                    core::mem::swap(a, b);
                }
                at = at.wrapping_sub(1);
            }
        }
        if feed.rungs.is_empty() {
            let error = Error::at(Code::ManifestNothingPlayable, "StreamIndex", 0);
            self.tell(self.event(EventKind::StreamDropped).about(id).because(error));
            return Ok(());
        }
        self.feeds.push(&mut self.account, feed)
    }

    /// The first stream of a kind; one whose codec the library knows goes before one that perhaps the decoder does.
    fn first_of(&self, manifest: &Manifest, kind: Kind) -> Option<usize> {
        let known = |f: &Feed| {
            let level = f.rungs.first().map_or(0, |r| usize::from(r.level));
            let stream = manifest.streams.get(usize::from(f.id.0));
            stream.and_then(|s| s.levels.get(level)).is_some_and(|l| l.config.codec != Codec::Other)
        };
        let first = |f: &Feed| f.kind == kind;
        self.feeds.iter().position(|f| first(f) && known(f)).or_else(|| self.feeds.iter().position(first))
    }

    fn select_audio(&mut self, manifest: &Manifest) {
        let speaks = |f: &Feed, letters: &[u8; 8]| {
            manifest.streams.get(usize::from(f.id.0)).is_some_and(|s| speaks(s, letters))
        };
        let chosen = match &self.config.audio {
            AudioChoice::None => None,
            AudioChoice::First => self.first_of(manifest, Kind::Audio),
            AudioChoice::Language(letters) => {
                let spoken = self.feeds.iter().position(|f| f.kind == Kind::Audio && speaks(f, letters));
                spoken.or_else(|| self.first_of(manifest, Kind::Audio))
            }
            AudioChoice::All => {
                for feed in self.feeds.iter_mut().filter(|f| f.kind == Kind::Audio) {
                    feed.selected = true;
                }
                None
            }
        };
        if let Some(feed) = chosen.and_then(|i| self.feeds.get_mut(i)) {
            feed.selected = true;
        }
    }

    /// Points every stream at the fragment to start with: video at the one that covers `start`, the others at the ones
    /// that cover its first picture.
    pub(super) fn place_cursors(&mut self, start: MediaTime) {
        let mut from = start;
        if let Some((manifest, feed)) =
            self.manifest.as_ref().zip(self.feeds.iter().find(|f| f.kind == Kind::Video && f.selected))
            && let Some(stream) = manifest.streams.get(usize::from(feed.id.0))
            && let Some(fragment) = stream.timeline.at_or_before(ticks(start, feed.scale))
        {
            from = from.min(feed.scale.media_time(fragment.start));
        }
        for feed in self.feeds.iter_mut() {
            feed.place(if feed.kind == Kind::Audio { from } else { start }, start);
        }
    }
}

/// Media time in ticks of `scale`, rounded up so that a fragment's own start finds that fragment.
pub(super) fn ticks(time: MediaTime, scale: TimeScale) -> u64 {
    let hns = u64::try_from(time.0).unwrap_or(0);
    let down = TimeScale::HNS.rescale(hns, scale).unwrap_or(u64::MAX);
    match scale.rescale(down, TimeScale::HNS) {
        Some(back) if back < hns => down.saturating_add(1),
        _ => down,
    }
}

pub(super) fn same_codec(a: &CodecConfig, b: &CodecConfig) -> bool {
    a.codec == b.codec && (a.fourcc == b.fourcc || a.codec != Codec::Other)
}
