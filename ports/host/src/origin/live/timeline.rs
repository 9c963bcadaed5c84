//! When which fragment of a looped stream exists, and at what time it stands.

use std::collections::VecDeque;

use super::spec::{Gap, Spec};
use crate::media::stamp::scaled;

/// For how long entries are remembered that have left the window.
const MARGIN: Micros = 60_000_000;

/// Microseconds of a channel's own time, which starts when it went on the air.
pub type Micros = u64;

/// One stream of the presentation behind a channel.
#[derive(Clone, Debug)]
pub struct Reel {
    pub name: String,
    /// Ticks per second in the file, and in the channel.
    pub from: u64,
    pub to: u64,
    /// Starts and durations in ticks of the file, from the start of the presentation.
    pub spans: Vec<(u64, u64)>,
    /// Durations of the samples of the last fragment, if some of them may be left out.
    pub tail: Vec<u32>,
    /// How long one round lasts, in seconds as a fraction.
    pub round: (u64, u64),
}

/// One fragment of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Ticks of the channel.
    pub time: u64,
    pub duration: u64,
    /// When all of its media is there.
    pub exists: Micros,
    /// Which fragments of the file it is made of, and how many samples are left out at its end.
    pub first: usize,
    pub count: usize,
    pub dropped: usize,
    /// How often the encoder had started again.
    pub epoch: usize,
    /// Counts from the start of the channel.
    pub sequence: u32,
}

/// The fragments of one stream up to some time.
#[derive(Debug)]
pub struct Timeline {
    reel: Reel,
    spec: Spec,
    history: Micros,
    /// Ticks of 100 ns.
    base: u64,
    salt: u64,
    epoch: usize,
    /// When this epoch began.
    begin: Micros,
    round: u64,
    /// Where this round starts, in ticks of the file.
    start: u64,
    next: usize,
    /// The fragment after the last one in `entries`, which does not exist yet.
    ahead: Option<Entry>,
    made: u32,
    over: bool,
    pub entries: VecDeque<Entry>,
}

impl Timeline {
    pub fn new(reel: Reel, spec: &Spec, history: Micros, base: u64, salt: u64) -> Self {
        Self {
            reel,
            spec: spec.clone(),
            history,
            base,
            salt,
            epoch: 0,
            begin: 0,
            round: 0,
            start: 0,
            next: 0,
            ahead: None,
            made: 0,
            over: false,
            entries: VecDeque::new(),
        }
    }

    /// Makes all entries that exist at `now`.
    pub fn advance(&mut self, now: Micros) {
        while !self.over {
            let entry = match self.ahead.take() {
                Some(entry) => entry,
                None => match self.make() {
                    Some(entry) => entry,
                    None => break,
                },
            };
            if entry.exists > now {
                self.ahead = Some(entry);
                break;
            }
            self.entries.push_back(entry);
            self.forget(entry.exists);
        }
    }

    /// Lets go of what nobody can have any more.
    fn forget(&mut self, now: Micros) {
        let Some(window) = self.spec.window else { return };
        let kept = window + self.spec.grace + MARGIN;
        while self.entries.len() > usize::from(self.spec.look_ahead) + 2
            && self.entries.front().is_some_and(|first| first.exists + kept < now)
        {
            self.entries.pop_front();
        }
    }

    /// When an epoch ends: at the restart that follows it, or with the event.
    pub fn epoch_end(&self, epoch: usize) -> Option<Micros> {
        let end = self.spec.end.map(|end| end + self.history);
        let restart = self.spec.restarts.get(epoch).map(|(at, _)| at + self.history);
        [end, restart].into_iter().flatten().min()
    }

    /// How long a fragment is said to last, in manifests and by those before it.
    pub fn said(&self, entry: &Entry) -> u64 {
        if self.spec.wrong == 0 {
            return entry.duration;
        }
        let off = chance(self.spec.seed, self.salt, entry.time) % (2 * self.spec.wrong + 1);
        (entry.duration + off).saturating_sub(self.spec.wrong).max(1)
    }

    pub fn reel(&self) -> &Reel {
        &self.reel
    }

    /// The next fragment, in whatever epoch it falls; nothing after the end.
    fn make(&mut self) -> Option<Entry> {
        loop {
            let (from, to, first, count, dropped) = self.cut();
            if count == 0 {
                continue;
            }
            let (begins, exists) = (self.begin + self.micros(from), self.begin + self.micros(to));
            if let Some(end) = self.epoch_end(self.epoch).filter(|end| exists > *end) {
                let restart = self.spec.restarts.get(self.epoch).map(|(at, down)| (at + self.history, *down));
                match restart {
                    Some((at, down)) if at == end => {
                        (self.epoch, self.begin) = (self.epoch + 1, at + down);
                        (self.round, self.start, self.next) = (0, 0, 0);
                        continue;
                    }
                    _ => {
                        self.over = true;
                        return None;
                    }
                }
            }
            let silent = |gap: &Gap| {
                let at = gap.at + self.history;
                let mine = gap.stream.as_ref().is_none_or(|name| *name == self.reel.name);
                mine && (at..at + gap.len).contains(&begins)
            };
            if self.spec.gaps.iter().any(silent) {
                continue;
            }
            let (time, end) = (self.time(from, begins), self.time(to, begins));
            if let Some(last) = self.entries.back().filter(|last| last.epoch == self.epoch)
                && time <= last.time
            {
                // Two fragments at one time cannot be: the later encoder starts with its next one.
                continue;
            }
            self.made += 1;
            return Some(Entry {
                time,
                duration: end - time,
                exists,
                first,
                count,
                dropped,
                epoch: self.epoch,
                sequence: self.made,
            });
        }
    }

    /// Takes the next fragments of the file: where they start and end in endless ticks of the file, which they are, and how
    /// many samples are too many at the end of a round.
    fn cut(&mut self) -> (u64, u64, usize, usize, usize) {
        let spans = &self.reel.spans;
        let (least, most) = self.spec.merge;
        let salt = self.salt ^ self.round << 20;
        let many = least + chance(self.spec.seed, salt, self.next as u64) % (most - least + 1);
        let first = self.next;
        let count = (many as usize).min(spans.len() - first);
        self.next += count;
        let from = self.start + spans[first].0;
        let last = spans[self.next - 1];
        let mut to = self.start + last.0 + last.1;
        if self.next < spans.len() {
            return (from, to, first, count, 0);
        }
        // The end of a round: sound is cut so that it stays within half an access unit of the pictures, without a hole.
        let wanted = self.ideal(self.round + 1) + spans[0].0;
        let mut dropped = 0;
        for duration in self.reel.tail.iter().rev() {
            if to.saturating_sub(u64::from(*duration) / 2) <= wanted || to <= from + u64::from(*duration) {
                break;
            }
            to -= u64::from(*duration);
            dropped += 1;
        }
        let unit = self.reel.tail.iter().copied().max().unwrap_or(0);
        let near = to.abs_diff(wanted) <= u64::from(unit);
        self.start = if near { to - spans[0].0 } else { self.ideal(self.round + 1) };
        self.round += 1;
        self.next = 0;
        (from, to, first, count, dropped)
    }

    /// Where a round would start if all streams were equally long.
    fn ideal(&self, round: u64) -> u64 {
        let (times, over) = self.reel.round;
        let ticks =
            u128::from(round) * u128::from(times) * u128::from(self.reel.from) / u128::from(over.max(1));
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// Ticks of the file as microseconds of the channel.
    fn micros(&self, ticks: u64) -> Micros {
        let (times, over) = self.spec.stretch;
        let micros = u128::from(ticks) * 1_000_000 * u128::from(times)
            / (u128::from(self.reel.from) * u128::from(over));
        u64::try_from(micros).unwrap_or(u64::MAX)
    }

    /// Ticks of the file as a time of the channel, for a fragment that begins then.
    fn time(&self, ticks: u64, begins: Micros) -> u64 {
        let base = u128::from(self.base) * u128::from(self.reel.to) / 10_000_000;
        let shift: i64 =
            self.spec.splices.iter().filter(|(at, _)| at + self.history <= begins).map(|(_, by)| by).sum();
        let shift = i128::from(shift) * i128::from(self.reel.to) / 1_000_000;
        let own = i128::from(scaled(ticks, self.factor()));
        u64::try_from(base.cast_signed() + own + shift).unwrap_or(0)
    }

    /// From ticks of the file to those of the channel.
    pub fn factor(&self) -> (u64, u64) {
        let (times, over) = self.spec.stretch;
        let (times, over) = (times * self.reel.to, over * self.reel.from);
        let shared = common(times, over);
        (times / shared, over / shared)
    }
}

/// The greatest common divisor.
fn common(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// A number by chance that is always the same for the same place (SplitMix64).
pub fn chance(seed: u64, salt: u64, place: u64) -> u64 {
    let mut x = seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ place.wrapping_mul(0xd134_2543_de82_ef95);
    for factor in [0xbf58_476d_1ce4_e5b9_u64, 0x94d0_49bb_1331_11eb] {
        x = (x ^ x >> 30).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(factor);
    }
    x ^ x >> 31
}
