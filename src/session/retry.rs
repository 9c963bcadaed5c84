//! Exchanges, their deadlines, and when a failed one is tried again.

use crate::error::Code;
use crate::io::{Failure, RequestId};
use crate::limits::Limits;
use crate::time::{Instant, Micros};

/// One HTTP exchange in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub id: RequestId,
    pub started: Instant,
    /// When the host last gave a sign of it, or memory came for it.
    pub heard: Instant,
    /// Whether the head or a byte has come.
    pub answered: bool,
    pub content_length: Option<u64>,
    pub status: u16,
    /// When the answer began.
    #[cfg(feature = "planner")]
    pub first: Option<Instant>,
    #[cfg(feature = "planner")]
    pub measured: Measured,
}

/// Whether what an exchange brings tells of the link.
#[cfg(feature = "planner")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Measured {
    /// No byte has come.
    NotYet,
    Now,
    /// It has waited for memory: what has piled up meanwhile comes faster than the link is.
    NoMore,
}

impl Exchange {
    pub const fn new(id: RequestId, at: Instant) -> Exchange {
        Exchange {
            id,
            started: at,
            heard: at,
            answered: false,
            content_length: None,
            status: 200,
            #[cfg(feature = "planner")]
            first: None,
            #[cfg(feature = "planner")]
            measured: Measured::NotYet,
        }
    }

    /// When it is overdue.
    pub fn deadline(&self, limits: &Limits) -> Instant {
        if self.answered {
            self.heard.after(limits.idle_timeout)
        } else {
            // Later than the start only where memory was waited for meanwhile.
            self.heard.after(limits.connect_timeout.plus(limits.first_byte_timeout))
        }
    }

    /// What it is called when it is.
    pub const fn overdue(&self) -> Code {
        if self.answered { Code::IdleTimeout } else { Code::FirstByteTimeout }
    }
}

/// What to do after a failed try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Try again after the wait.
    Again(Micros),
    /// Try again at once at another quality level.
    OtherLevel,
    /// Give it up.
    Lost,
}

/// Tries of one resource.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retry {
    /// Failed tries so far.
    pub failed: u32,
    /// When the first of them failed.
    pub since: Instant,
    /// Not before this.
    pub not_before: Instant,
}

impl Retry {
    /// Counts a failed try and decides. Times double from `retry_first` to `retry_longest`, each moved by up to
    /// 20 % so that a fleet does not knock in step after an outage.
    pub fn after(&mut self, at: Instant, failure: &Failure, limits: &Limits, rng: &mut Rng) -> Verdict {
        if self.failed == 0 {
            self.since = at;
        }
        self.failed = self.failed.saturating_add(1);
        let tries = match failure.status {
            // The origin has said no: another level may exist, the same URL will not.
            400..=407 | 409..=411 | 413..=428 | 430..=499 => {
                return if self.failed < 2 { Verdict::OtherLevel } else { Verdict::Lost };
            }
            _ => match failure.error.code {
                // A 200 that is no fragment: a captive portal or a broken cache, seldom gone at the third look.
                Code::FragmentNotMp4
                | Code::BoxInvalid
                | Code::SamplesOutside
                | Code::EncryptionTable
                | Code::LimitSubsamples
                | Code::LimitBoxes
                | Code::LimitSamples
                | Code::LimitMoofBytes
                | Code::LimitFragmentBytes => limits.tries.min(2),
                _ => limits.tries,
            },
        };
        if self.failed >= tries {
            return Verdict::Lost;
        }
        let doublings = self.failed.saturating_sub(1).min(16);
        let base = limits.retry_first.0.saturating_mul(1 << doublings).min(limits.retry_longest.0);
        let wait = Micros(rng.jitter(base).max(100_000));
        self.not_before = at.after(wait);
        Verdict::Again(wait)
    }
}

/// Whether a failure says something of the network or the origin rather than of what was asked for.
pub(super) fn is_outage(failure: &Failure) -> bool {
    match failure.status {
        408 | 429 | 500.. => true,
        0 => matches!(failure.error.code.number(), -299..=-200),
        _ => false,
    }
}

/// How long an outage may last before fragments are given up because of it: about as long as it takes to give up as many, one
/// after another, as end playback.
pub(super) fn patience(limits: &Limits) -> Micros {
    // Clamped: 16 times 1,000 times 10 minutes at most.
    let tries = limits.tries.wrapping_mul(limits.lost_in_a_row);
    Micros(limits.retry_longest.0.wrapping_mul(tries.into()))
}

/// xorshift64*: the same seed gives the same session.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub const fn new(seed: u64) -> Rng {
        Rng(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16).checked_rem(end).unwrap_or(0)
    }

    fn next(&mut self) -> u64 {
        let mut x = if self.0 == 0 { 0x2545_F491_4F6C_DD1D } else { self.0 };
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0 = x;
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// `base` moved by up to a fifth either way.
    pub fn jitter(&mut self, base: u64) -> u64 {
        let span = base / 5;
        let shift = (self.next() >> 16) % span.saturating_mul(2).saturating_add(1);
        base.saturating_sub(span).saturating_add(shift)
    }
}
