//! Asking the decoder, before playback starts, which quality levels it can play.

use super::feed::Feed;
use super::open::same_codec;
use super::{Session, State};
use crate::codec::Codec;
use crate::error::{Code, Error, Result};
use crate::io::{Candidate, Capable, EventKind, Output, Secrecy, StreamId};
use crate::manifest::QualityLevel;

/// Where a level that is not asked about is reported.
const LEVEL: &str = "StreamIndex/QualityLevel";

/// The level being asked about: positions of its feed and rung.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Asking {
    feed: usize,
    rung: usize,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Due,
    Out,
}

impl Session {
    /// Begins to ask about every level.
    pub(super) fn ask_first(&mut self) {
        if !cfg!(feature = "capabilities") {
            return;
        }
        self.asking = Some(Asking { feed: 0, rung: 0, stage: Stage::Due });
        self.settle();
    }

    /// Whether the question is to be handed out now.
    pub(super) fn question_due(&mut self) -> bool {
        match &mut self.asking {
            _ if !cfg!(feature = "capabilities") => false,
            Some(Asking { stage: stage @ Stage::Due, .. }) => {
                *stage = Stage::Out;
                true
            }
            _ => false,
        }
    }

    pub(super) fn capability_output(&self) -> Output<'_> {
        let asked = self.asking.filter(|_| cfg!(feature = "capabilities")).and_then(|a| {
            let feed = self.feeds.get(a.feed)?;
            let position = feed.rungs.get(a.rung)?.level;
            Some((feed, position, self.level_of(feed, position)?))
        });
        let protected = self.manifest.as_ref().is_some_and(|m| !m.protection.is_empty());
        match asked {
            Some((feed, position, level)) => Output::Capability(Candidate {
                stream: feed.id,
                kind: feed.kind,
                position,
                level: level.index,
                bitrate: level.bitrate,
                config: &level.config,
                secrecy: if protected { Secrecy::Protected } else { Secrecy::Clear },
            }),
            None => Output::Idle(None),
        }
    }

    fn level_of(&self, feed: &Feed, position: u16) -> Option<&QualityLevel> {
        let stream = self.manifest.as_ref()?.streams.get(usize::from(feed.id.0))?;
        stream.levels.get(usize::from(position))
    }

    pub(super) fn on_capable(&mut self, stream: StreamId, position: u16, answer: Capable) {
        let out = |a: &Asking| cfg!(feature = "capabilities") && a.stage == Stage::Out;
        let Some(asking) = self.asking.filter(out) else { return };
        let Some(feed) = self.feeds.get(asking.feed).filter(|f| f.id == stream) else { return };
        if feed.rungs.get(asking.rung).is_none_or(|r| r.level != position) {
            return;
        }
        if answer == Capable::No {
            self.leave_out(asking.feed, asking.rung, Code::NotCapable);
        }
        self.asking = Some(Asking { rung: asking.rung.saturating_add(1), stage: Stage::Due, ..asking });
        self.settle();
    }

    /// One level less, with its event.
    fn leave_out(&mut self, i: usize, n: usize, code: Code) {
        let event = self.event(EventKind::LevelDropped).because(Error::at(code, LEVEL, 0));
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let Some(rung) = feed.rungs.get_mut(n).filter(|r| r.masked.is_none()) else { return };
        rung.masked = Some(code);
        let event = event.about(feed.id).numbers(rung.bitrate.into(), 0);
        self.tell(event);
    }

    /// Goes on to the next level there is; after the last one playback starts.
    fn settle(&mut self) {
        // Each turn leaves a stream behind.
        while let Some(asking) = self.asking {
            let Some(feed) = self.feeds.get(asking.feed) else { break };
            // What to do with text is no question of hardware.
            if asking.rung < feed.rungs.len() && feed.leads() {
                return;
            }
            self.asking = Some(Asking { feed: asking.feed.saturating_add(1), rung: 0, stage: Stage::Due });
        }
        self.asking = None;
        let started = self.drop_unplayable().and_then(|()| self.start());
        if let Err(error) = started
            && self.state == State::Opening
        {
            self.fail(error);
        }
    }

    /// Streams of which nothing is left go, and so do levels that need another decoder than the first one that is left.
    fn drop_unplayable(&mut self) -> Result<()> {
        let mut i = 0usize;
        while let Some(feed) = self.feeds.get(i) {
            let id = feed.id;
            let open = || feed.rungs.iter().filter(|r| r.is_open());
            if open().next().is_none() {
                let error = Error::at(Code::NotCapable, "StreamIndex", 0);
                self.tell(self.event(EventKind::StreamDropped).about(id).because(error));
                if let Some(mut feed) = self.feeds.remove(i) {
                    feed.rungs.free(&mut self.account);
                }
                continue;
            }
            // In the order of the manifest; one that the library knows goes before others.
            let rank = |position: u16| {
                let known = self.level_of(feed, position).is_some_and(|l| l.config.codec != Codec::Other);
                (!known, position)
            };
            let first = open().map(|r| rank(r.level)).min().map(|(_, position)| position);
            for n in 0..feed.rungs.len() {
                let Some(feed) = self.feeds.get(i) else { break };
                let config = |position: u16| self.level_of(feed, position).map(|l| &l.config);
                let own = feed.rungs.get(n).and_then(|r| config(r.level));
                if let (Some(first), Some(own)) = (first.and_then(config), own)
                    && !same_codec(first, own)
                {
                    self.leave_out(i, n, Code::CodecUnsupported);
                }
            }
            i = i.saturating_add(1);
        }
        Ok(())
    }
}
