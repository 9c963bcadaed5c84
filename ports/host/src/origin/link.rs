//! A link of changing speed that all connections share: bytes pass it one after the other, in real time.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How far behind its schedule the link may catch up, in microseconds: what a sleep that ends late has lost.
const CATCH_UP: u64 = 5_000;
/// How long one piece should be on the link, in microseconds.
const PIECE: u64 = 10_000;
const SMALLEST_PIECE: u64 = 256;
const LARGEST_PIECE: u64 = 16 << 10;

/// The link, its clock and its queue.
pub struct Link {
    schedule: Schedule,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    start: Option<Instant>,
    /// When all that was handed over has passed, in microseconds since the start.
    free: u64,
}

impl Link {
    /// Reads a link file: lines of `SECONDS KBPS [LATENCY_MS]`, or a JSON list.
    pub fn load(path: &Path) -> Result<Self> {
        let read = || Schedule::parse(&std::fs::read_to_string(path)?);
        let schedule = read().with_context(|| path.display().to_string())?;
        Ok(Self { schedule, queue: Mutex::default() })
    }

    /// Says that a request came, and how long its response must wait before the first byte. The first one starts the clock.
    pub fn request(&self) -> Duration {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let since = queue.start.get_or_insert_with(Instant::now).elapsed();
        Duration::from_micros(self.schedule.period(micros(since)).0.latency)
    }

    /// Waits until the next bytes have passed, at most `bytes` of them; returns how many.
    pub fn pass(&self, bytes: usize) -> usize {
        let (count, wait) = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let elapsed = micros(queue.start.get_or_insert_with(Instant::now).elapsed());
            let from = queue.free.max(elapsed.saturating_sub(CATCH_UP));
            let count = self.schedule.piece(from).min(bytes as u64);
            queue.free = self.schedule.finish(from, count);
            (count, queue.free.saturating_sub(elapsed))
        };
        thread::sleep(Duration::from_micros(wait));
        count as usize
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// What the link can carry, and when; repeats from its end.
#[derive(Debug, PartialEq, Eq)]
struct Schedule {
    periods: Vec<Period>,
    /// Microseconds.
    total: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Period {
    /// Microseconds.
    len: u64,
    /// Bits per second.
    rate: u64,
    /// Microseconds.
    latency: u64,
}

/// One period of a JSON link file.
#[derive(serde::Deserialize)]
struct Entry {
    duration_ms: f64,
    bandwidth_kbps: f64,
    #[serde(default)]
    latency_ms: f64,
}

impl Schedule {
    fn parse(text: &str) -> Result<Self> {
        let periods = if text.trim_start().starts_with('[') {
            let entries: Vec<Entry> = serde_json::from_str(text)?;
            let period = |entry: Entry| period(entry.duration_ms, entry.bandwidth_kbps, entry.latency_ms);
            entries.into_iter().map(period).collect::<Result<Vec<_>>>()?
        } else {
            let mut periods = Vec::new();
            for (at, line) in text.lines().enumerate() {
                let line = line.split('#').next().unwrap_or("").trim();
                if !line.is_empty() {
                    periods.push(parse_line(line).with_context(|| format!("line {}", at + 1))?);
                }
            }
            periods
        };
        ensure!(periods.iter().any(|period| period.rate > 0), "no period in which anything passes");
        let total = periods.iter().map(|period| period.len).sum();
        Ok(Self { periods, total })
    }

    /// The period in force at a time, and how much of it is left.
    fn period(&self, at: u64) -> (Period, u64) {
        let mut into = at % self.total;
        for period in &self.periods {
            if into < period.len {
                return (*period, period.len - into);
            }
            into -= period.len;
        }
        unreachable!("a time within the schedule is in one of its periods")
    }

    /// How many bytes may go at once, so that writes come smoothly.
    fn piece(&self, at: u64) -> u64 {
        (self.period(at).0.rate * PIECE / 8_000_000).clamp(SMALLEST_PIECE, LARGEST_PIECE)
    }

    /// When `bytes` have passed that begin to at `from`.
    fn finish(&self, from: u64, bytes: u64) -> u64 {
        // Bits times a million: what one period passes is rate times microseconds.
        let mut need = bytes * 8_000_000;
        let mut at = from;
        loop {
            let (period, left) = self.period(at);
            let room = period.rate.saturating_mul(left);
            if need <= room {
                return at + need.div_ceil(period.rate.max(1));
            }
            need -= room;
            at += left;
        }
    }
}

fn parse_line(line: &str) -> Result<Period> {
    let numbers =
        line.split_whitespace().map(|word| word.parse().with_context(|| format!("not a number: {word}")));
    match numbers.collect::<Result<Vec<f64>>>()?.as_slice() {
        [seconds, kbps] => period(seconds * 1e3, *kbps, 0.0),
        [seconds, kbps, latency] => period(seconds * 1e3, *kbps, *latency),
        _ => bail!("not SECONDS KBPS [LATENCY_MS]: {line}"),
    }
}

fn period(millis: f64, kbps: f64, latency: f64) -> Result<Period> {
    let sound = |value: f64| (0.0..1e9).contains(&value);
    ensure!(
        sound(millis) && sound(kbps) && sound(latency),
        "{millis} ms of {kbps} kbit/s, {latency} ms late"
    );
    ensure!(millis >= 1.0, "a period of {millis} ms; at least 1");
    Ok(Period { len: (millis * 1e3) as u64, rate: (kbps * 1e3) as u64, latency: (latency * 1e3) as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_json_say_the_same() {
        let lines = Schedule::parse("# a link\n2 800 40\n\n0.5 0 # nothing\n").unwrap();
        let json = r#"[{"duration_ms": 2000, "bandwidth_kbps": 800, "latency_ms": 40},
            {"duration_ms": 500, "bandwidth_kbps": 0}]"#;
        assert_eq!(lines, Schedule::parse(json).unwrap());
        assert_eq!(lines.periods[0], Period { len: 2_000_000, rate: 800_000, latency: 40_000 });
        for bad in ["", "5 0", "5", "5 x", "0 100", "-1 100", "1 2 3 4", "1 nan", "[]", "[1]"] {
            assert!(Schedule::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn bytes_take_the_time_of_the_periods_they_pass() {
        // 100 bytes a millisecond for a second, then nothing for a second, then 10 bytes a millisecond for a second.
        let schedule = Schedule::parse("1 800\n1 0\n1 80").unwrap();
        assert_eq!(schedule.finish(0, 1_000), 10_000);
        assert_eq!(schedule.finish(0, 100_000), 1_000_000);
        assert_eq!(schedule.finish(0, 100_010), 2_001_000);
        assert_eq!(schedule.finish(1_500_000, 10), 2_001_000);
        assert_eq!(schedule.finish(0, 110_100), 3_001_000, "it starts again");
        assert_eq!(schedule.finish(300_000_000, 1_000), 300_010_000, "and again");
        assert_eq!(schedule.period(2_999_999).1, 1);
    }

    #[test]
    fn pieces_are_small_on_a_slow_link() {
        let schedule = Schedule::parse("1 8000\n1 80\n1 900000").unwrap();
        assert_eq!(schedule.piece(0), 10_000);
        assert_eq!(schedule.piece(1_000_000), SMALLEST_PIECE);
        assert_eq!(schedule.piece(2_000_000), LARGEST_PIECE);
    }
}
