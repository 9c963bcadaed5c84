//! A simulated screen: a presentation clock that obeys rate orders, in front of decoders with little room.

use std::collections::BTreeMap;

use smoothcore::io::Rate;

/// Media a decoder takes ahead of the clock, in 100 ns.
const ROOM: i64 = 20_000_000;

/// All streams share the clock. Times are media times in 100 ns.
#[derive(Default)]
pub struct Screen {
    /// Thousandths of real time; 0 while held.
    rate: i32,
    /// Host time of the last look, in microseconds.
    looked: u64,
    position: Option<i64>,
    /// It has run since the position was set: an earlier sample no longer sets it back.
    begun: bool,
    queues: BTreeMap<u16, Queue>,
}

#[derive(Default)]
struct Queue {
    /// Where the media taken so far ends.
    end: Option<i64>,
    /// Nothing follows.
    ended: bool,
}

impl Screen {
    /// Brings the position to the present. It does not pass the end of a stream that still goes on: picture and sound
    /// stay together, and nothing is dropped.
    pub fn advance(&mut self, now: u64) {
        let passed = now.saturating_sub(self.looked).saturating_mul(10).min(i64::MAX as u64 / 10_000);
        self.looked = now;
        let Some(position) = self.position.filter(|_| self.rate > 0) else { return };
        let going_on = self.queues.values().filter(|q| !q.ended).map(|q| q.end.unwrap_or(position)).min();
        let most = going_on.or_else(|| self.queues.values().filter_map(|q| q.end).max()).unwrap_or(position);
        let moved = position.saturating_add(passed as i64 * i64::from(self.rate) / 1000);
        self.position = Some(moved.min(most).max(position));
        self.begun = true;
    }

    /// Whether a sample has room. One always has: the clock would never reach the next otherwise.
    pub fn has_room(&self, stream: u16, duration: u64) -> bool {
        let depth = self.depth(stream);
        depth == 0 || depth.saturating_add(i64::try_from(duration).unwrap_or(i64::MAX)) <= ROOM
    }

    /// Takes a sample that is to be shown. The clock begins at the first of all.
    pub fn take(&mut self, stream: u16, dts: i64, duration: u64) {
        let end = dts.saturating_add(i64::try_from(duration).unwrap_or(i64::MAX));
        self.position = match self.position {
            Some(position) if self.begun => Some(position),
            Some(position) => Some(position.min(dts)),
            None => Some(dts),
        };
        let queue = self.queues.entry(stream).or_default();
        queue.end = Some(end.max(queue.end.unwrap_or(end)));
    }

    /// Announces a stream, so that the clock waits for it.
    pub fn add(&mut self, stream: u16) {
        self.queues.entry(stream).or_default().ended = false;
    }

    pub fn end(&mut self, stream: u16) {
        self.queues.entry(stream).or_default().ended = true;
    }

    /// Throws away what a stream holds; the next sample of any stream sets the clock.
    pub fn flush(&mut self, stream: u16) {
        self.queues.insert(stream, Queue::default());
        self.position = None;
        self.begun = false;
    }

    pub fn order(&mut self, rate: Rate) {
        self.rate = match rate {
            Rate::Hold => 0,
            Rate::Run(thousandths) => thousandths.max(0),
        };
    }

    pub const fn position(&self) -> Option<i64> {
        self.position
    }

    /// Media taken and not shown yet, in 100 ns.
    pub fn depth(&self, stream: u16) -> i64 {
        let end = self.queues.get(&stream).and_then(|q| q.end);
        end.zip(self.position).map_or(0, |(end, position)| end.saturating_sub(position).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 10_000_000;

    fn two_streams() -> Screen {
        let mut screen = Screen::default();
        screen.add(0);
        screen.add(1);
        screen.take(0, 0, 2 * SECOND as u64);
        screen.take(1, 0, SECOND as u64);
        screen
    }

    #[test]
    fn it_moves_only_when_told_and_as_fast_as_told() {
        let mut screen = two_streams();
        screen.advance(500_000);
        assert_eq!(screen.position(), Some(0));
        screen.order(Rate::Run(1000));
        screen.advance(750_000);
        assert_eq!((screen.position(), screen.depth(0)), (Some(SECOND / 4), SECOND * 7 / 4));
        screen.order(Rate::Run(500));
        screen.advance(1_250_000);
        assert_eq!(screen.position(), Some(SECOND / 2));
        screen.order(Rate::Hold);
        screen.advance(9_000_000);
        assert_eq!(screen.position(), Some(SECOND / 2));
    }

    #[test]
    fn it_waits_for_the_driest_stream_until_that_one_has_ended() {
        let mut screen = two_streams();
        screen.order(Rate::Run(1000));
        screen.advance(5_000_000);
        assert_eq!((screen.position(), screen.depth(0), screen.depth(1)), (Some(SECOND), SECOND, 0));
        screen.end(1);
        screen.advance(5_500_000);
        assert_eq!(screen.position(), Some(SECOND * 3 / 2));
        screen.end(0);
        screen.advance(60_000_000);
        assert_eq!((screen.position(), screen.depth(0)), (Some(2 * SECOND), 0));
    }

    #[test]
    fn room_is_two_seconds_and_never_less_than_a_sample() {
        let mut screen = two_streams();
        assert!(!screen.has_room(0, 1));
        assert!(screen.has_room(1, SECOND as u64) && !screen.has_room(1, SECOND as u64 + 1));
        screen.flush(0);
        assert!(screen.has_room(0, 100 * SECOND as u64));
    }

    #[test]
    fn it_begins_at_the_earliest_sample() {
        let mut screen = Screen::default();
        screen.take(0, 3 * SECOND, 1);
        screen.take(1, 2 * SECOND, 1);
        assert_eq!(screen.position(), Some(2 * SECOND));
        screen.flush(0);
        screen.take(0, 7 * SECOND, 1);
        assert_eq!(screen.position(), Some(7 * SECOND));
    }
}
