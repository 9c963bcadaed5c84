//! Text, markers and other timed data: streams that go along with the presentation.
//!
//! Nothing waits for such a stream and nothing fails with it. It is fetched when it is due, a buffer's length ahead of
//! the position being shown; its memory is a small share of its own; what is wrong with it is an event. Samples come
//! from fragments like those of pictures, from bare documents, from the manifest itself, or, for a sparse stream, from
//! fragments that are announced by the responses of its parent.

use super::feed::{Cursor, Feed, Offer, Source};
use super::fragment::Form;
use super::{Session, State};
use crate::codec::{CodecConfig, Description, FourCc, Kind};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::io::{EventKind, Role, StreamId};
use crate::limits::Limits;
use crate::manifest::{Manifest, QualityLevel, Stream};
use crate::mem::{Account, List, Text};
use crate::mp4::BodyEnd;
use crate::time::{Instant, MediaTime, Micros};

use super::config::TextChoice;
use super::tracks;

mod sparse;

pub(super) use sparse::Sparse;
use sparse::Walk;

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;

/// Fragments of one text stream held at once.
const QUEUE: usize = 8;
/// Text fragments fetched at once.
const EXCHANGES: usize = 2;
/// How long the end of sound and pictures waits for text that is still to come.
const GRACE: Micros = Micros::from_secs(2);
/// Bytes looked at to tell a document from boxes.
const HEAD: usize = 64;
impl Session {
    /// Makes a feed of a listed stream. A text stream that finds no memory is left out.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`] for another one.
    pub(super) fn add_stream(&mut self, n: usize, stream: &mut Stream) -> Result<()> {
        if !cfg!(feature = "text") && stream.kind == Kind::Text {
            // Listed, and no more.
            stream.unusable = stream.unusable.or(Some(Error::at(Code::Unsupported, "StreamIndex", 0)));
            return Ok(());
        }
        let added = give_level(&mut self.account, stream, None).and_then(|()| self.add_feed(n, stream));
        match (added, u16::try_from(n)) {
            (Err(error), Ok(id)) if stream.kind == Kind::Text => {
                self.tell(self.event(EventKind::StreamDropped).about(StreamId(id)).because(error));
                Ok(())
            }
            (added, _) => added,
        }
    }

    /// Chooses the text streams to play from the start.
    pub(super) fn select_text(&mut self, manifest: &Manifest) {
        if !cfg!(feature = "text") {
            return;
        }
        let choice = self.config.text;
        let fits = |f: &Feed| {
            let Some(stream) = manifest.streams.get(usize::from(f.id.0)) else { return false };
            let readable = || {
                use Role::{Captions, Description, Main, Subtitles};
                matches!(tracks::role(stream), Main | Subtitles | Captions | Description)
            };
            f.kind == Kind::Text
                && match &choice {
                    TextChoice::None => false,
                    TextChoice::First => readable(),
                    TextChoice::Language(letters) => readable() && speaks(stream, letters),
                    TextChoice::All => true,
                }
        };
        for feed in self.feeds.iter_mut().filter(|f| fits(f)) {
            feed.selected = true;
            if choice != TextChoice::All {
                return;
            }
        }
    }

    /// Until when text is handed out: a buffer's length from the position being shown.
    fn horizon(&self) -> MediaTime {
        self.position().map_or(MediaTime(i64::MAX), |p| p.after(self.config.buffer_target))
    }

    /// Whether the fragment of text stream `i` that starts at `start` is to be fetched now. Sound and pictures come first.
    pub(super) fn text_due(&self, i: usize, start: u64) -> bool {
        let Some(feed) = self.feeds.get(i).filter(|_| cfg!(feature = "text")) else { return false };
        let begun = |f: &Feed| !f.fresh || f.ended || f.sample_at_hand();
        let busy = self.feeds.iter().filter(|f| !f.leads() && f.fetch.is_some()).count();
        feed.queue.len() < QUEUE
            && feed.scale.media_time(start) <= self.horizon()
            && (feed.source == Source::Payloads
                || (busy < EXCHANGES && self.feeds.iter().filter(|f| f.selected && f.leads()).all(begun)))
    }

    /// The next announced fragment of a sparse stream: the missing one first.
    pub(super) fn announced(&self, i: usize) -> Option<(u64, u64)> {
        let feed = self.feeds.get(i).filter(|_| cfg!(feature = "text"))?;
        match feed.sparse.walk {
            Walk::To(start) => Some((start, 0)),
            Walk::At => None,
            Walk::None => feed.sparse.announced.first().map(|start| (*start, 0)),
        }
    }

    /// Reads the announcements in a response's `Content-Type`: `ChildTrack="name=start[,name=start...]"` behind anything
    /// else. Those that cannot be read are passed over. `i` is the stream the response belongs to.
    pub(super) fn on_announcements(&mut self, i: usize, content_type: &str) {
        if !cfg!(feature = "text") {
            return;
        }
        let bytes = content_type.as_bytes();
        let key = b"ChildTrack=";
        let Some(at) = bytes.windows(key.len()).position(|w| w.eq_ignore_ascii_case(key)) else { return };
        let rest = bytes.get(at.saturating_add(key.len())..).unwrap_or(&[]);
        let list = match rest.split_first() {
            Some((b'"', quoted)) => quoted.split(|b| *b == b'"').next().unwrap_or(&[]),
            _ => rest,
        };
        for pair in list.split(|b| matches!(b, b',' | b';')) {
            let Some(at) = pair.iter().rposition(|b| *b == b'=') else { continue };
            let Some((name, start)) = pair.split_at_checked(at) else { continue };
            let start = core::str::from_utf8(start.get(1..).unwrap_or(&[])).ok();
            if let Some(start) = start.and_then(|s| digits::decimal(s.trim_ascii())) {
                self.announced_child(i, name.trim_ascii(), start);
            }
        }
    }

    /// The response of stream `parent` names `start` as the latest fragment of the stream `name`; its own response names
    /// the one before.
    fn announced_child(&mut self, parent: usize, name: &[u8], start: u64) {
        let Some(manifest) = &self.manifest else { return };
        for (i, feed) in self.feeds.iter_mut().enumerate() {
            let Some(stream) = manifest.streams.get(usize::from(feed.id.0)) else { continue };
            if feed.leads() || !feed.selected || feed.ended || stream.name.as_bytes() != name {
                continue;
            }
            let listed = stream.timeline.last().map(|f| f.start);
            if i != parent {
                if listed.is_none_or(|l| start > l) && feed.queue.iter().all(|f| f.start != start) {
                    feed.sparse.announce(start);
                }
                continue;
            }
            let Some(this) = feed.queue.last().map(|f| f.start) else { continue };
            let unknown = start < this
                && this > feed.sparse.floor
                && listed.max(feed.sparse.known).is_none_or(|k| start > k)
                && feed.queue.len().saturating_add(1) < QUEUE;
            if unknown {
                feed.sparse.walk = Walk::To(start);
            }
        }
    }

    /// The newest fragment of a text stream has come, or never will: puts it where it belongs.
    pub(super) fn text_settled(&mut self, i: usize) {
        let Some(feed) = self.feeds.get_mut(i).filter(|_| cfg!(feature = "text")) else { return };
        if let Some(start) = feed.queue.last().map(|f| f.start) {
            let at = feed.queue.partition_point(|f| f.start < start);
            if let Some(tail) = feed.queue.get_mut(at..)
                && !tail.is_empty()
            {
                tail.rotate_right(1);
            }
        }
        if feed.sparse.walk == Walk::At {
            feed.sparse.walk = Walk::None;
        }
        if feed.sparse.walk == Walk::None {
            feed.sparse.known = feed.sparse.newest;
        }
    }

    /// What follows in a stream whose samples stand in the manifest.
    pub(super) fn schedule_embedded(&mut self, i: usize) {
        if !cfg!(feature = "text") {
            return;
        }
        // Bounded by the queue.
        while let Some((n, start, duration, bytes)) = self.next_payload(i) {
            if !self.text_due(i, start) {
                return;
            }
            self.make_room(2 * size_of::<super::fragment::Fragment>());
            let account = &mut self.account;
            let Some(feed) = self.feeds.get_mut(i) else { return };
            if feed.open_fragment(account, start, duration).is_err() {
                return;
            }
            feed.restart_back(&mut self.pool, account);
            let level = feed.rungs.first().map_or(0, |r| r.level);
            let Some(back) = feed.queue.last_mut() else { return };
            if back.table.whole(account, bytes).is_err() {
                let last = feed.queue.len().saturating_sub(1);
                feed.recycle(&mut self.pool, account, last);
                return;
            }
            back.form = Form::Payload(n);
            back.level = level;
            back.placed = 1;
            back.prepared = Some(0);
            back.complete = true;
            feed.payload = n.saturating_add(1);
            feed.cursor = Cursor::After(start);
        }
    }

    /// Number, start, duration and bytes of the payload the cursor points at.
    pub(super) fn next_payload(&self, i: usize) -> Option<(u32, u64, u64, u32)> {
        let feed = self.feeds.get(i).filter(|_| cfg!(feature = "text"))?;
        let stream = self.listed(feed.id)?;
        let payloads = &stream.payloads;
        let from = match feed.cursor {
            Cursor::After(_) => feed.payload as usize,
            Cursor::Covering(time) => {
                let covering = payloads.partition_point(|p| p.time <= time).saturating_sub(1);
                let start = payloads.get(covering).map_or(0, |p| p.time);
                payloads.partition_point(|p| p.time < start)
            }
        };
        let level = feed.rungs.first().and_then(|r| stream.levels.get(usize::from(r.level)));
        // One of several levels is played; without any choice every payload is.
        let wanted = level.filter(|_| stream.levels.len() > 1).map(|l| l.index);
        let (n, payload) = payloads
            .iter()
            .enumerate()
            .skip(from)
            .find(|(_, p)| wanted.is_none_or(|index| p.level == index))?;
        let listed = || stream.timeline.at_or_before(payload.time).filter(|f| f.start == payload.time);
        let duration = match payload.duration {
            0 => listed().map_or(0, |f| f.duration),
            known => known,
        };
        let bytes = u32::try_from(payload.bytes.len()).ok()?;
        Some((u32::try_from(n).ok()?, payload.time, duration, bytes))
    }

    /// Whether every stream that leads has been handed over to its end.
    pub(super) fn media_over(&self) -> bool {
        self.feeds.iter().filter(|f| f.selected && f.leads()).all(|f| f.ended)
    }

    /// Notes when sound and pictures are over.
    pub(super) fn watch_media_end(&mut self) {
        let over = cfg!(feature = "text") && self.state == State::Playing && self.media_over();
        self.media_over_at = if over { self.media_over_at.or(Some(self.now)) } else { None };
    }

    /// When text that is still to come has had its time after the end of sound and pictures. A file waits for all of it.
    pub(super) fn text_deadline(&self) -> Option<Instant> {
        let since = self
            .media_over_at
            .filter(|_| cfg!(feature = "text") && !self.unpaced() && self.state == State::Playing)?;
        Some(since.after(GRACE))
    }

    /// Gives up what is left of text stream `i` when it holds up the end.
    pub(super) fn end_late_text(&mut self, i: usize) {
        let late = self.text_deadline().is_some_and(|at| self.now >= at);
        let held_up =
            |f: &Feed| cfg!(feature = "text") && f.selected && !f.leads() && !f.ended && !f.is_drained();
        if !late || !self.feeds.get(i).is_some_and(held_up) {
            return;
        }
        self.cancel_fetch(i);
        let event = self.event(EventKind::Gap).because(Code::IdleTimeout.into());
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let event = event.about(feed.id).when(feed.scale.media_time(feed.handed));
        feed.clear_queue(pool, account);
        feed.retrying = false;
        feed.offer = Offer::None;
        feed.sparse.clear();
        feed.cursor = Cursor::After(u64::MAX);
        feed.payload = u32::MAX;
        self.tell(event);
    }

    /// What ends the session when it hits sound or pictures ends the stream when it hits text.
    pub(super) fn fault(&mut self, i: usize, error: Error) {
        if self.feeds.get(i).is_some_and(|f| !f.leads()) {
            self.drop_stream(i, error);
        } else {
            self.fail(error);
        }
    }

    /// Lists the sizes of the sub-samples of the sample to be offered.
    pub(super) fn list_pieces(&mut self, i: usize) -> Result<()> {
        let Some(feed) = self.feeds.get_mut(i).filter(|_| cfg!(feature = "text")) else { return Ok(()) };
        feed.pieces.clear();
        let Some(front) = feed.queue.first() else { return Ok(()) };
        for part in front.parts.sample(front.next) {
            feed.pieces.push(&mut self.account, part.size)?;
        }
        Ok(())
    }

    /// Finds out whether the body of a text fragment is a bare document; `true` when it is, or may be.
    pub(super) fn is_bare(&mut self, i: usize, end: BodyEnd) -> Result<bool> {
        let Some(feed) = self.feeds.get_mut(i).filter(|_| cfg!(feature = "text")) else { return Ok(false) };
        let Some(back) = feed.queue.last_mut() else { return Ok(false) };
        if back.form == Form::Unknown {
            let mut head = [0u8; HEAD];
            let mut seen = 0usize;
            for part in back.body.slices(&self.pool, 0, HEAD as u64) {
                for (to, from) in head.iter_mut().skip(seen).zip(part) {
                    *to = *from;
                }
                seen = seen.saturating_add(part.len());
            }
            let head = head.get(..seen).unwrap_or(&[]);
            back.form = match is_document(head, end == BodyEnd::Reached || seen >= HEAD) {
                None => return Ok(true),
                Some(true) => Form::Document,
                Some(false) => Form::Boxes,
            };
        }
        if back.form != Form::Document {
            return Ok(false);
        }
        let limit = self.config.limits.fragment_bytes;
        if back.body.len() > limit {
            return Err(Error::at(Code::LimitFragmentBytes, "", limit));
        }
        if end == BodyEnd::Reached && back.placed == 0 && !back.body.is_empty() {
            let bytes = u32::try_from(back.body.len()).unwrap_or(u32::MAX);
            back.table.whole(&mut self.account, bytes)?;
            back.placed = 1;
        }
        Ok(true)
    }
}

/// Where the samples of `stream` come from.
pub(super) fn source(stream: &Stream) -> Source {
    let embedded = stream.embedded && (!stream.payloads.is_empty() || stream.url.is_empty());
    match stream.kind {
        _ if !cfg!(feature = "text") => Source::Fragments,
        Kind::Text if embedded => Source::Payloads,
        Kind::Text if !stream.parent.is_empty() => Source::Announced,
        _ => Source::Fragments,
    }
}

/// Whether the language of `stream` is the one of `letters`.
pub(super) fn speaks(stream: &Stream, letters: &[u8; 8]) -> bool {
    let wanted = letters.split(|b| *b == 0).next().unwrap_or(&[]);
    !wanted.is_empty() && stream.language.as_bytes().eq_ignore_ascii_case(wanted)
}

/// Gives a stream without levels, whose samples stand in the manifest, one to be set up with.
///
/// # Errors
/// Lack of memory.
pub(super) fn give_level(account: &mut Account, stream: &mut Stream, format: Option<FourCc>) -> Result<()> {
    if !cfg!(feature = "text") || !stream.embedded || !stream.levels.is_empty() {
        return Ok(());
    }
    let description = Description { fourcc: format, ..Description::new(Kind::Text) };
    let config = CodecConfig::from_description(account, &description, &Limits::default())?;
    let level = QualityLevel {
        index: 0,
        bitrate: 0,
        bitrate_text: heapless::String::new(),
        config,
        custom: List::new(),
        informative: List::new(),
        url: Text::new(),
        unusable: None,
    };
    stream.levels.push(account, level)
}

/// Whether the first bytes of a body are those of a bare document, and not of a box; `None` while there are too few to
/// tell.
pub(super) fn is_document(head: &[u8], all: bool) -> Option<bool> {
    match head {
        [0xEF, 0xBB, 0xBF, ..] | [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, b'<', 0, _, 0, ..] => {
            return Some(true);
        }
        // Too short for UTF-16 without a mark, which looks like the size of a box.
        [0, b'<', 0, ..] | [0, b'<'] | [0] if head.len() < 5 && !all => return None,
        _ => {}
    }
    let text = head.trim_ascii_start();
    let begins = |with: &[u8]| text.get(..with.len()).is_some_and(|t| t.eq_ignore_ascii_case(with));
    match text.first() {
        None => {
            if all {
                Some(true)
            } else {
                None
            }
        }
        // A page where a document should be comes from a captive portal.
        Some(b'<') if begins(b"<html") || begins(b"<!doctype html") => Some(false),
        Some(b'<') if text.len() < 16 && !all => None,
        Some(b'<') => Some(true),
        Some(b'W') if text.len() < 6 && !all => None,
        Some(_) => Some(begins(b"WEBVTT")),
    }
}
