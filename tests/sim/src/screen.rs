//! The null decoders and their common clock: what a box shows, without showing it.

use smoothcore::io::{Buffered, Configured, Rate, Sample, SampleFlags};
use smoothcore::time::{MediaTime, Micros};

/// Peculiarities of decoders.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Taste {
    #[default]
    Plain,
    /// Takes nothing of the first stream number before it has something of the second.
    Needs(usize, usize),
    /// Refuses every second offer.
    Fickle,
}

/// The decoder of one stream.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    pub configured: Option<u32>,
    /// Where what it holds begins and ends, in 100 ns.
    pub begin: Option<i64>,
    pub end: Option<i64>,
    pub ended: bool,
    /// No longer played.
    pub silent: bool,
    pub offers: u64,
    pub taken: u64,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Screen {
    pub ears: Vec<Ear>,
    /// Media each takes ahead, in microseconds.
    pub capacity: u64,
    pub taste: Taste,
    /// Media time being shown, in 100 ns.
    pub position: Option<i64>,
    /// Thousandths of real time; 0: held.
    pub rate: i64,
    last: u64,
    /// When the position last moved.
    pub moved: u64,
    /// Time during which the clock was held though it had run before, in microseconds.
    pub held: u64,
    started: bool,
    /// What is left of the position's way when it is divided.
    rest: i128,
    /// Every decoder refuses samples, and set-ups are put off, until then.
    pub full_until: u64,
    pub later_until: u64,
    /// Bitrates that are refused, until then.
    pub unplayable: Vec<(u32, u64)>,
    pub dropped: u32,
    /// Its clock runs by so many millionths faster.
    pub drift: i64,
    /// The box sleeps until then: its clock stands still.
    pub asleep_until: u64,
}

impl Screen {
    pub fn new(streams: usize, capacity: u64) -> Screen {
        Screen {
            ears: vec![Ear::default(); streams],
            capacity,
            taste: Taste::Plain,
            position: None,
            rate: 0,
            last: 0,
            moved: 0,
            held: 0,
            started: false,
            rest: 0,
            full_until: 0,
            later_until: 0,
            unplayable: Vec::new(),
            dropped: 0,
            drift: 0,
            asleep_until: 0,
        }
    }

    /// Time goes on.
    pub fn advance(&mut self, now: u64) {
        if self.last < self.asleep_until {
            self.last = self.asleep_until.min(now);
        }
        let passed = now.saturating_sub(self.last);
        self.last = self.last.max(now);
        if self.rate == 0 {
            if self.started {
                self.held += passed;
            }
            return;
        }
        if self.position.is_none() {
            self.begin();
        }
        let Some(position) = self.position else { return };
        // In 10^8ths of 100 ns.
        let way = i128::from(passed) * i128::from(self.rate) * i128::from(1_000_000 + self.drift) + self.rest;
        self.rest = way % 100_000_000;
        let mut to = position + (way / 100_000_000) as i64;
        // A decoder that runs dry holds the clock; one that is behind catches up.
        for ear in self.ears.iter().filter(|e| !e.ended && !e.silent) {
            if let Some(end) = ear.end.filter(|end| *end >= position) {
                to = to.min(end);
            }
        }
        if to > position {
            self.moved = now;
        }
        self.position = Some(to);
    }

    pub fn running(&self) -> bool {
        self.rate != 0
    }

    /// Media held for a stream, in microseconds.
    pub fn depth(&self, s: usize) -> u64 {
        let ear = &self.ears[s];
        let (Some(begin), Some(end)) = (ear.begin, ear.end) else { return 0 };
        let from = self.position.map_or(begin, |p| p.max(begin));
        (end - from).max(0) as u64 / 10
    }

    pub fn report(&self, s: usize) -> Buffered {
        let ear = &self.ears[s];
        let shown = self.position.or(ear.begin);
        Buffered {
            depth: Micros(self.depth(s)),
            position: ear.end.and(shown).map(MediaTime),
            dropped: self.dropped,
        }
    }

    pub fn configure(&mut self, now: u64, s: usize, bitrate: u32) -> Configured {
        if now < self.later_until {
            return Configured::Later;
        }
        if self.unplayable.iter().any(|(b, until)| *b == bitrate && now < *until) {
            return Configured::Refused;
        }
        self.ears[s].configured = Some(bitrate);
        Configured::Ok
    }

    /// Whether it takes the sample.
    pub fn offer(&mut self, now: u64, sample: &Sample<'_>) -> bool {
        let s = usize::from(sample.stream.0);
        self.ears[s].offers += 1;
        let full = match self.taste {
            Taste::Needs(first, then) if s == first => {
                self.ears[then].taken == 0 && self.ears[then].end.is_none()
            }
            Taste::Fickle => self.ears[s].offers % 2 == 1,
            _ => false,
        };
        if full
            || now < self.full_until
            || self.depth(s) + sample.duration / 10 > self.capacity.max(sample.duration / 10 + 1)
        {
            return false;
        }
        let ear = &mut self.ears[s];
        let end = sample.pts.0 + sample.duration as i64;
        ear.taken += 1;
        ear.silent = false;
        if sample.flags.has(SampleFlags::PREROLL) && ear.begin.is_none() {
            return true;
        }
        if ear.begin.is_none() {
            ear.begin = Some(sample.pts.0);
        }
        ear.end = Some(end.max(ear.end.unwrap_or(end)));
        true
    }

    pub fn flush(&mut self, s: usize) {
        let ear = &mut self.ears[s];
        *ear = Ear { configured: ear.configured, offers: ear.offers, ..Ear::default() };
        if self.ears.iter().all(|e| e.end.is_none() || e.silent) {
            self.position = None;
        }
    }

    /// The clock begins at the first picture or sound there is.
    fn begin(&mut self) {
        self.position = self.ears.iter().filter(|e| !e.silent).filter_map(|e| e.begin).min();
    }

    pub fn order(&mut self, now: u64, rate: Rate) {
        self.advance(now);
        match rate {
            Rate::Hold => self.rate = 0,
            Rate::Run(n) => {
                self.rate = i64::from(n);
                self.started = true;
                if self.position.is_none() {
                    self.begin();
                }
            }
        }
    }
}
