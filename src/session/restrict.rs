//! Output restrictions: which quality levels of a stream may be used, and that this may change while it plays.

use super::feed::{Cursor, Offer, Permit};
use super::{Session, State};
use crate::codec::Kind;
use crate::error::{Code, Error, Result};
use crate::io::{EventKind, StreamId};
use crate::time::Instant;

impl Session {
    /// Leaves only the levels of `stream` whose bit is set in `mask`: bit 0 is the first one of the manifest's list, bit 63
    /// stands for every one from the 64th on. What the mask withdraws and what it gives back is told as events. A
    /// fragment of which samples have gone out is played to its end; everything behind it is fetched again where it is of
    /// a level withdrawn.
    ///
    /// # Errors
    /// [`Code::State`] before playback has started; [`Code::Argument`] for a stream that cannot be played or has no levels
    /// to choose from, and for a mask that leaves none. Nothing changes then.
    pub fn restrict(&mut self, at: Instant, stream: StreamId, mask: u64) -> Result<()> {
        if !cfg!(feature = "protection") {
            return Err(Code::Unsupported.into());
        }
        self.advance(at);
        if !matches!(self.state, State::Playing | State::Ended) {
            return Err(Code::State.into());
        }
        let i = self.feed_of(stream).ok_or(Code::Argument)?;
        let permit = |level: u16| match mask & (1u64 << level.min(63)) {
            0 => Permit::Withdrawn,
            _ => Permit::Granted,
        };
        let Some(feed) = self.feeds.get(i).filter(|f| f.kind != Kind::Text) else {
            return Err(Code::Argument.into());
        };
        if !feed.rungs.iter().any(|r| r.masked.is_none() && permit(r.level) == Permit::Granted) {
            return Err(Code::Argument.into());
        }
        for n in 0..feed.rungs.len() {
            let restricted = Error::at(Code::OutputRestricted, "StreamIndex/QualityLevel", 0);
            let (dropped, allowed) = (
                self.event(EventKind::LevelDropped).because(restricted),
                self.event(EventKind::LevelAllowed),
            );
            let Some(rung) = self.feeds.get_mut(i).and_then(|f| f.rungs.get_mut(n)) else { break };
            let before = core::mem::replace(&mut rung.permit, permit(rung.level));
            if rung.masked.is_some() || before == rung.permit {
                continue;
            }
            let event = if rung.permit == Permit::Granted { allowed } else { dropped };
            let event = event.about(stream).numbers(rung.bitrate.into(), 0);
            self.tell(event);
        }
        self.take_back(i);
        Ok(())
    }

    /// Gives up what lies in the queue from the first fragment on that is of a level withdrawn.
    fn take_back(&mut self, i: usize) {
        let Some(feed) = self.feeds.get(i) else { return };
        let open = |level: u16| feed.rungs.iter().any(|r| r.level == level && r.is_open());
        let begun = |n: usize| {
            n == 0 && (feed.offer != Offer::None || feed.queue.first().is_some_and(|f| f.committed()))
        };
        let Some(first) =
            (0..feed.queue.len()).find(|n| !begun(*n) && feed.queue.get(*n).is_some_and(|f| !open(f.level)))
        else {
            return;
        };
        self.cancel_fetch(i);
        let (pool, account) = (&mut self.pool, &mut self.account);
        let Some(feed) = self.feeds.get_mut(i) else { return };
        let Some((start, hole)) = feed.queue.get(first).map(|f| (f.start, f.after_hole)) else { return };
        // Each turn takes one out.
        while feed.queue.len() > first {
            let last = feed.queue.len().saturating_sub(1);
            feed.recycle(pool, account, last);
        }
        feed.checked.clear();
        feed.retrying = false;
        feed.retry = Default::default();
        feed.hole_behind = hole;
        feed.cursor = Cursor::Covering(start);
    }
}
