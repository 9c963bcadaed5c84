//! The time that live presentations and faults go by: this machine's, faster or slower, or one that a client sets.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};

/// Microseconds since the origin started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// From seconds with decimals.
    ///
    /// # Errors
    /// When it is no such number, or out of bounds.
    pub fn parse(seconds: &str) -> Result<u64> {
        let value: f64 =
            seconds.trim().parse().with_context(|| format!("{seconds:?} is no number of seconds"))?;
        ensure!((0.0..1e11).contains(&value), "{seconds} seconds");
        Ok((value * 1e6).round() as u64)
    }
}

/// How the clock goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many seconds a second.
    Rate(f64),
    /// Only when a client says so.
    Manual,
}

impl FromStr for Pace {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "wall" => Ok(Self::Rate(1.0)),
            "manual" => Ok(Self::Manual),
            _ => {
                let rate = text.strip_suffix('x').and_then(|rate| rate.parse().ok());
                match rate.filter(|rate| (0.01..=1e5).contains(rate)) {
                    Some(rate) => Ok(Self::Rate(rate)),
                    None => bail!("{text:?} is neither wall, manual, nor a speed such as 60x"),
                }
            }
        }
    }
}

/// The clock of an origin.
#[derive(Debug)]
pub struct Clock {
    hand: Hand,
    /// What it shows in the world when it is 0.
    world: SystemTime,
}

#[derive(Debug)]
enum Hand {
    Runs { since: Instant, rate: f64 },
    Set(Mutex<u64>),
}

impl Clock {
    /// A clock at 0; `world` is the date it stands for.
    pub fn new(pace: Pace, world: SystemTime) -> Self {
        let hand = match pace {
            Pace::Rate(rate) => Hand::Runs { since: Instant::now(), rate },
            Pace::Manual => Hand::Set(Mutex::new(0)),
        };
        Self { hand, world }
    }

    pub fn is_manual(&self) -> bool {
        matches!(self.hand, Hand::Set(_))
    }

    pub fn now(&self) -> Moment {
        Moment(match &self.hand {
            Hand::Runs { since, rate } => (since.elapsed().as_micros() as f64 * rate) as u64,
            Hand::Set(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }

    /// The date it shows.
    pub fn date(&self) -> SystemTime {
        self.world + Duration::from_micros(self.now().0)
    }

    /// Units of 100 ns since 1970 when it showed 0.
    pub fn ticks_at_zero(&self) -> u64 {
        let since = self.world.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos() / 100).unwrap_or(u64::MAX)
    }

    /// Sets a manual clock: `to` gets what it shows and gives what it shall.
    ///
    /// # Errors
    /// When it goes by itself, or would go back.
    pub fn set(&self, to: impl FnOnce(u64) -> u64) -> Result<Moment> {
        let Hand::Set(now) = &self.hand else {
            bail!("the clock goes by itself; start the origin with --clock manual")
        };
        let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = to(*now);
        ensure!(wanted >= *now, "the clock shows {} s and never goes back", *now as f64 / 1e6);
        *now = wanted;
        Ok(Moment(wanted))
    }
}
