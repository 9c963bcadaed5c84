//! Units of time: the host's clock, durations, and media ticks.
//!
//! Three things that must never be mixed have three types. Nothing in the core reads a clock: every
//! [`Instant`] comes in from the host.

use core::fmt;

/// A point on the host's monotonic clock, in microseconds from an arbitrary origin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Instant(pub u64);

impl Instant {
    /// The instant `by` later, stopping at the end of the clock.
    pub const fn after(self, by: Micros) -> Instant {
        Instant(self.0.saturating_add(by.0))
    }

    /// Time passed since `earlier`; zero when the clock stepped back.
    pub const fn since(self, earlier: Instant) -> Micros {
        Micros(self.0.saturating_sub(earlier.0))
    }
}

/// A span of host time in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Micros(pub u64);

impl Micros {
    /// No time at all.
    pub const ZERO: Micros = Micros(0);

    /// `ms` milliseconds.
    pub const fn from_millis(ms: u64) -> Micros {
        Micros(ms.saturating_mul(1_000))
    }

    /// `s` seconds.
    pub const fn from_secs(s: u64) -> Micros {
        Micros(s.saturating_mul(1_000_000))
    }

    /// Whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// The sum, stopping at the largest span.
    pub const fn plus(self, other: Micros) -> Micros {
        Micros(self.0.saturating_add(other.0))
    }

    /// The difference, stopping at zero.
    pub const fn minus(self, other: Micros) -> Micros {
        Micros(self.0.saturating_sub(other.0))
    }
}

/// Ticks per second of a presentation or stream, 1 to 10^10.
///
/// [MS-SSTR] 2.2.2.1: 10,000,000 when the attribute is absent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimeScale(u64);

impl Default for TimeScale {
    fn default() -> Self {
        TimeScale::HNS
    }
}

impl TimeScale {
    /// 100 ns: the scale of Smooth Streaming when none is named.
    pub const HNS: TimeScale = TimeScale(10_000_000);
    /// The largest scale accepted.
    pub const MAX: u64 = 10_000_000_000;

    /// A scale of `per_second` ticks; `None` when outside 1 to 10^10.
    pub const fn new(per_second: u64) -> Option<TimeScale> {
        if per_second == 0 || per_second > TimeScale::MAX { None } else { Some(TimeScale(per_second)) }
    }

    /// Ticks per second.
    pub const fn per_second(self) -> u64 {
        self.0
    }

    /// `ticks` of this scale in ticks of `to`, rounded down; `None` when it does not fit in 64 bits.
    pub fn rescale(self, ticks: u64, to: TimeScale) -> Option<u64> {
        scale(ticks, to.0, self.0)
    }

    /// `ticks` as a span of host time, rounded down, stopping at the largest span.
    pub fn micros(self, ticks: u64) -> Micros {
        Micros(scale(ticks, 1_000_000, self.0).unwrap_or(u64::MAX))
    }

    /// Ticks that fit into `span`, rounded down, stopping at the largest count.
    pub fn ticks(self, span: Micros) -> u64 {
        scale(span.0, self.0, 1_000_000).unwrap_or(u64::MAX)
    }

    /// `ticks` as media time, rounded down, stopping at the largest time.
    pub fn media_time(self, ticks: u64) -> MediaTime {
        let hns = scale(ticks, TimeScale::HNS.0, self.0).unwrap_or(u64::MAX);
        MediaTime(i64::try_from(hns).unwrap_or(i64::MAX))
    }
}

/// A point of the presentation in 100 ns units, as the manifest counts it (an archived live event does not start
/// at zero). Negative only for a composition offset before the first tick.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct MediaTime(pub i64);

impl MediaTime {
    /// The time `span` later.
    pub const fn after(self, span: Micros) -> MediaTime {
        let hns = span.0.saturating_mul(10);
        let hns = if hns > i64::MAX as u64 { i64::MAX } else { hns as i64 };
        MediaTime(self.0.saturating_add(hns))
    }

    /// Time from `earlier` to this; zero when this is not later.
    pub const fn since(self, earlier: MediaTime) -> Micros {
        let d = self.0.saturating_sub(earlier.0);
        if d <= 0 { Micros(0) } else { Micros(d as u64 / 10) }
    }

    /// The same point as a 33-bit 90 kHz clock, as transport streams and many decoders count it.
    pub const fn pts90k(self) -> u64 {
        // 100 ns to 90 kHz is 9/1000, rounded to the nearest; split so that nothing overflows.
        let (q, r) = (self.0.div_euclid(1000), self.0.rem_euclid(1000));
        let t = q.wrapping_mul(9).wrapping_add((r * 9 + 500) / 1000);
        (t as u64) & 0x1_FFFF_FFFF
    }
}

impl fmt::Display for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.unsigned_abs() / 10_000;
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}.{:03}", ms / 1000, ms % 1000)
    }
}

/// `value * mul / div`, rounded down, exact; `None` when it does not fit in 64 bits or `div` is zero.
pub fn scale(value: u64, mul: u64, div: u64) -> Option<u64> {
    if div == 0 {
        return None;
    }
    let (q, r) = (value / div, value % div);
    let whole = q.checked_mul(mul)?;
    // r < div, so r * mul fits whenever both are 32 bits; beyond that, halve the work bit by bit.
    let part = match r.checked_mul(mul) {
        Some(product) => product / div,
        None => mul_div(r, mul, div),
    };
    whole.checked_add(part)
}

/// `a * b / div` for `a < div`, by shift and subtract: the quotient then fits in 64 bits.
fn mul_div(a: u64, b: u64, div: u64) -> u64 {
    let (mut quotient, mut rest) = (0u64, 0u64);
    let mut bit = 64u32;
    while bit > 0 {
        bit = bit.wrapping_sub(1);
        quotient = quotient.wrapping_shl(1);
        // rest = rest * 2 + (b's bit) * a, kept below div: two conditional subtractions a step.
        let carry = rest >> 63;
        rest = rest.wrapping_shl(1);
        if carry == 1 || rest >= div {
            rest = rest.wrapping_sub(div);
            quotient = quotient.wrapping_add(1);
        }
        if b.wrapping_shr(bit) & 1 == 1 {
            let (sum, over) = rest.overflowing_add(a);
            rest = sum;
            if over || rest >= div {
                rest = rest.wrapping_sub(div);
                quotient = quotient.wrapping_add(1);
            }
        }
    }
    quotient
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_agrees_with_128_bits() {
        let mut x = 0x9E37_79B9_7F4A_7C15u64;
        let mut next = || {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x
        };
        for i in 0..100_000u32 {
            let v = next() >> (i % 40);
            let mul = 1 + next() % TimeScale::MAX;
            let div = 1 + next() % TimeScale::MAX;
            let exact = u128::from(v) * u128::from(mul) / u128::from(div);
            assert_eq!(scale(v, mul, div), u64::try_from(exact).ok(), "{v} * {mul} / {div}");
        }
        assert_eq!(scale(5, 1, 0), None);
    }

    #[test]
    fn a_live_time_beyond_2_53_in_90_khz() {
        let t = MediaTime(17_472_959_488_675_333);
        assert_eq!(t.pts90k(), 702_822_334);
        assert_eq!(157_256_635_398_078u64 & 0x1_FFFF_FFFF, 702_822_334);
    }

    #[test]
    fn spans_stop_at_their_ends() {
        assert_eq!(Instant(5).since(Instant(9)), Micros::ZERO);
        assert_eq!(Instant(u64::MAX).after(Micros(1)), Instant(u64::MAX));
        assert_eq!(TimeScale::new(0), None);
        assert_eq!(TimeScale::new(TimeScale::MAX + 1), None);
        assert_eq!(TimeScale::HNS.micros(10_000_000), Micros::from_secs(1));
        assert_eq!(std::format!("{}", MediaTime(-15_000)), "-0.001");
    }
}
