//! Text that the host brings: a document or a list of cues of its own, played like a stream of the manifest.

use super::text::give_level;
use super::tracks::subtype;
use super::{Selection, Session, State};
use crate::codec::{FourCc, Kind};
use crate::error::{Code, Result};
use crate::io::{Role, StreamId};
use crate::manifest::{Payload, Stream, Timeline};
use crate::mem::{Account, Bytes, List, Pool, Text};
use crate::time::{Instant, MediaTime, TimeScale};

/// A text stream of the host's.
#[derive(Clone, Copy, Debug)]
pub struct GivenText<'a> {
    /// What it is called; with the language it makes the stream's lasting name.
    pub name: &'a str,
    /// Its language; empty for none.
    pub language: &'a str,
    /// What it is for.
    pub role: Role,
    /// What the bytes are, such as `TTML`; handed through to the decoder.
    pub format: FourCc,
}

/// One sample of a text stream of the host's. A whole document is one cue.
#[derive(Clone, Copy, Debug)]
pub struct Cue<'a> {
    /// When it is due; not negative.
    pub time: MediaTime,
    /// How long it lasts in 100 ns; 0 when that does not matter.
    pub duration: u64,
    /// Its bytes, which are copied.
    pub data: &'a [u8],
}

impl Session {
    /// Adds a text stream of `cues` in the order of their times, and plays it: its samples are handed out at their times like those of any other. It is listed
    /// behind the streams of the manifest and can be turned off and on like them.
    ///
    /// # Errors
    /// [`Code::State`] before the manifest is there; [`Code::Argument`] for no cue at all, or times that are negative or
    /// fall; [`Code::LimitStreams`]; [`Code::Budget`] or [`Code::NoMemory`]. Nothing is added then.
    pub fn add_text<'c>(
        &mut self,
        at: Instant,
        given: &GivenText<'_>,
        cues: &mut dyn Iterator<Item = Cue<'c>>,
    ) -> Result<StreamId> {
        if !cfg!(feature = "text") {
            return Err(Code::Unsupported.into());
        }
        self.advance(at);
        if !matches!(self.state, State::Playing | State::Ended) {
            return Err(Code::State.into());
        }
        let Some(manifest) = &mut self.manifest else { return Err(Code::State.into()) };
        let n = manifest.streams.len();
        let id = match u16::try_from(n) {
            Ok(id) if n < self.config.limits.streams as usize => StreamId(id),
            _ => return Err(Code::LimitStreams.into()),
        };
        manifest.streams.reserve(&mut self.account, 1)?;
        let mut stream = empty();
        let added = fill(&mut stream, &mut self.pool, &mut self.account, given, cues)
            .and_then(|()| self.add_feed(n, &stream));
        let Some(manifest) = self.manifest.as_mut().filter(|_| added.is_ok()) else {
            stream.free(&mut self.account);
            return Err(added.err().unwrap_or(Code::State.into()));
        };
        // The room was reserved.
        manifest.streams.push(&mut self.account, stream)?;
        self.select(at, id, Selection::On)?;
        Ok(id)
    }
}

/// A stream without anything whose samples stand in the manifest.
pub(super) fn empty() -> Stream {
    Stream {
        kind: Kind::Text,
        subtype: Text::new(),
        name: Text::new(),
        language: Text::new(),
        parent: Text::new(),
        embedded: true,
        timescale: TimeScale::HNS,
        url: Text::new(),
        max_width: 0,
        max_height: 0,
        display_width: 0,
        display_height: 0,
        levels: List::new(),
        timeline: Timeline::new(),
        payloads: List::new(),
        unusable: None,
    }
}

fn fill<'c>(
    stream: &mut Stream,
    pool: &mut Pool,
    account: &mut Account,
    given: &GivenText<'_>,
    cues: &mut dyn Iterator<Item = Cue<'c>>,
) -> Result<()> {
    let language = if given.language.is_empty() { "und" } else { given.language };
    stream.name.push(account, given.name)?;
    stream.language.push(account, language)?;
    stream.subtype.push(account, subtype(given.role))?;
    for cue in cues {
        let before = stream.payloads.last().map_or(0, |p| p.time);
        let time = u64::try_from(cue.time.0).ok().filter(|t| *t >= before).ok_or(Code::Argument)?;
        // Blocks that lie idle give way.
        let more = cue.data.len().saturating_add(stream.payloads.charged().saturating_mul(2));
        pool.trim(account, more.saturating_add(1024));
        stream.payloads.reserve(account, 1)?;
        let mut bytes = Bytes::new();
        bytes.reserve_exact(account, cue.data.len())?;
        bytes.extend(account, cue.data)?;
        stream.payloads.push(account, Payload { time, duration: cue.duration, level: 0, bytes })?;
    }
    if stream.payloads.is_empty() {
        return Err(Code::Argument.into());
    }
    give_level(account, stream, Some(given.format))
}
