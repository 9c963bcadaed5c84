//! One session in virtual time: a trace, a movie, a buffer limit and a rule. Times in ms, sizes in bits.

use std::collections::VecDeque;

use anyhow::{Result, ensure};

use super::data::Movie;
use super::link::{Flight, Link, Period};

/// What a rule knows of the session from its start.
#[derive(Clone)]
pub struct Known {
    pub bitrates_kbps: Vec<u64>,
    pub duration: f64,
    pub segments: usize,
    pub buffer: f64,
}

/// What a rule is told when it is asked.
pub struct Ask<'a> {
    pub now: f64,
    /// The segment that is next in order.
    pub index: usize,
    pub level: f64,
    /// Qualities in the buffer, the one that plays first, and how much of that one has played.
    pub held: &'a VecDeque<usize>,
    pub played: f64,
    /// Quality of the segment before the next, whether it is still held or not.
    pub last: Option<usize>,
    /// The segment was abandoned just now.
    pub retry: bool,
}

pub enum Act {
    Next {
        quality: usize,
        delay: f64,
    },
    /// Fetches the segment at that position of the buffer again.
    Again {
        position: usize,
        quality: usize,
    },
}

/// A request that has ended, or is under way.
pub struct Fetched {
    pub quality: usize,
    pub size: f64,
    pub bits: f64,
    pub ttfb: f64,
    pub time: f64,
    pub now: f64,
    pub level: f64,
    /// In order: not a replacement.
    pub index: Option<usize>,
    pub last: Option<usize>,
}

pub trait Rule {
    fn choose(&mut self, ask: &Ask<'_>) -> Act;
    /// Whether it wants to see downloads in flight.
    fn watches(&self) -> bool {
        false
    }
    /// Whether to abandon what is in flight. Never called for segment 0 and for replacements.
    fn progress(&mut self, _: &Fetched) -> bool {
        false
    }
    /// A request has ended: it is complete when all its bits have come.
    fn ended(&mut self, _: &Fetched) {}
}

/// What is drawn of a session.
#[derive(Default)]
pub struct Record {
    /// Time, buffer level.
    pub levels: Vec<(f64, f64)>,
    /// Start, end, quality, measured rate in kbps, whether it counted.
    pub fetches: Vec<(f64, f64, usize, f64, bool)>,
    pub stalls: Vec<(f64, f64)>,
}

/// What a session came to.
#[derive(Default)]
pub struct Outcome {
    pub startup: f64,
    pub stalled: f64,
    pub events: u64,
    pub total: f64,
    /// Qualities in the order in which they began to play.
    pub played: Vec<usize>,
    pub bits: f64,
    pub wasted: f64,
    pub record: Record,
}

struct Session<'a> {
    movie: &'a Movie,
    link: Link<'a>,
    limit: f64,
    held: VecDeque<usize>,
    /// Index of the segment at the front.
    front: usize,
    played: f64,
    started: bool,
    /// The buffer has run empty, and no time has passed since.
    dry: bool,
    stall_since: Option<f64>,
    out: Outcome,
}

/// Plays `movie` over `periods`. Fails when that takes too long.
pub fn run(periods: &[Period], movie: &Movie, limit: f64, rule: &mut dyn Rule) -> Result<Outcome> {
    let mut s = Session {
        movie,
        link: Link::new(periods),
        limit,
        held: VecDeque::new(),
        front: 0,
        played: 0.0,
        started: false,
        dry: false,
        stall_since: None,
        out: Outcome::default(),
    };
    let (mut index, mut retry, mut last) = (0, false, None);
    while index < movie.segments() {
        s.idle_for_room();
        s.in_time()?;
        let ask =
            Ask { now: s.link.now, index, level: s.level(), held: &s.held, played: s.played, last, retry };
        match rule.choose(&ask) {
            Act::Next { quality, delay } => {
                s.pass(delay);
                if s.fetch(index, quality, last, rule) {
                    (last, retry) = (Some(quality), false);
                    index += 1;
                } else {
                    retry = true;
                }
            }
            Act::Again { position, quality } => {
                s.replace(position, quality, rule);
                last = s.held.back().copied().or(last);
                retry = false;
            }
        }
    }
    s.in_time()?;
    let rest = s.level();
    s.drain(rest);
    s.out.total = s.link.now + rest;
    Ok(s.out)
}

impl Session<'_> {
    fn level(&self) -> f64 {
        self.held.len() as f64 * self.movie.duration() - self.played
    }

    fn in_time(&self) -> Result<()> {
        ensure!(
            !self.link.is_late(),
            "the session lasts more than 30 days: the link is too slow for the movie, or waits too long"
        );
        Ok(())
    }

    fn mark(&mut self) {
        let point = (self.link.now, self.level());
        self.out.record.levels.push(point);
    }

    fn idle_for_room(&mut self) {
        let over = self.level() + self.movie.duration() - self.limit;
        if over > 0.0 {
            self.pass(over);
        }
    }

    /// Waits, and plays meanwhile.
    fn pass(&mut self, ms: f64) {
        if ms > 0.0 {
            self.link.idle(ms);
            self.drain(ms);
            self.mark();
        }
    }

    /// Plays for `ms`, which have passed on the link. Time that plays nothing is a stall, but before the first segment.
    /// What rounding leaves at the very end counts as a transition too: the reference does so.
    fn drain(&mut self, mut ms: f64) {
        if !self.started {
            return;
        }
        let duration = self.movie.duration();
        let end = self.link.now;
        while ms > 0.0 && !self.held.is_empty() {
            let left = duration - self.played;
            if self.played + ms < duration {
                self.played += ms;
                return;
            }
            ms -= left;
            self.held.pop_front();
            self.front += 1;
            self.played = 0.0;
            self.begins();
            self.dry = self.held.is_empty();
        }
        if ms > 0.0 {
            self.out.stalled += ms;
            if self.dry {
                self.dry = false;
                self.out.events += 1;
                self.stall_since = Some(end - ms);
            }
        }
    }

    /// The segment at the front, if there is one, begins to play.
    fn begins(&mut self) {
        if let Some(&quality) = self.held.front() {
            self.out.played.push(quality);
        }
    }

    /// Whether the segment arrived; else it was abandoned.
    fn fetch(&mut self, index: usize, quality: usize, last: Option<usize>, rule: &mut dyn Rule) -> bool {
        let began = self.link.now;
        let size = self.movie.segment_sizes_bits[index][quality] as f64;
        let mut flight = self.link.request(size);
        let level = self.level();
        let mut whole = true;
        if index == 0 || !rule.watches() {
            self.link.receive(&mut flight);
        }
        while !flight.is_whole() && !self.link.is_late() {
            self.link.receive_some(&mut flight, f64::INFINITY);
            let held = (level - flight.time).max(0.0);
            let seen = self.fetched(&flight, quality, Some(index), last, held);
            if !flight.is_whole() && rule.progress(&seen) {
                whole = false;
                break;
            }
        }
        self.drain(flight.time);
        self.mark();
        self.count(began, &flight, quality, whole);
        rule.ended(&self.fetched(&flight, quality, Some(index), last, self.level()));
        if whole {
            self.held.push_back(quality);
            if !self.started {
                self.started = true;
                self.out.startup = flight.time;
            }
            if self.held.len() == 1 {
                self.front = index;
                self.begins();
            }
            if let Some(since) = self.stall_since.take() {
                self.out.record.stalls.push((since, self.link.now));
            }
            self.mark();
        }
        whole
    }

    fn replace(&mut self, position: usize, quality: usize, rule: &mut dyn Rule) {
        let duration = self.movie.duration();
        let first = (1.5 + self.played / duration).ceil() as usize;
        assert!(position >= first && position < self.held.len(), "a replacement that may not be");
        let index = self.front + position;
        let began = self.link.now;
        let due = position as f64 * duration - self.played;
        let mut flight = self.link.request(self.movie.segment_sizes_bits[index][quality] as f64);
        while flight.time < due && !flight.is_whole() && !self.link.is_late() {
            let left = due - flight.time;
            self.link.receive_some(&mut flight, left);
        }
        self.drain(flight.time);
        // Should it end as the segment begins, it is too late.
        let whole = flight.is_whole() && index > self.front;
        self.mark();
        self.count(began, &flight, quality, whole);
        rule.ended(&self.fetched(&flight, quality, None, None, self.level()));
        if whole {
            let old = self.held[index - self.front];
            self.out.wasted += self.movie.segment_sizes_bits[index][old] as f64;
            self.held[index - self.front] = quality;
        }
    }

    fn count(&mut self, began: f64, flight: &Flight, quality: usize, whole: bool) {
        self.out.bits += flight.bits;
        if !whole {
            self.out.wasted += flight.bits;
        }
        let rate = flight.bits / (flight.time - flight.ttfb).max(1e-3);
        self.out.record.fetches.push((began, self.link.now, quality, rate, whole));
    }

    fn fetched(
        &self,
        flight: &Flight,
        quality: usize,
        index: Option<usize>,
        last: Option<usize>,
        level: f64,
    ) -> Fetched {
        Fetched {
            quality,
            size: flight.size,
            bits: flight.bits,
            ttfb: flight.ttfb,
            time: flight.time,
            now: self.link.now,
            level,
            index,
            last,
        }
    }
}
