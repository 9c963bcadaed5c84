//! The link of a simulated session: a piecewise-constant function of time, which wraps round.

use serde::Deserialize;

/// One stretch of a network trace.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Period {
    pub duration_ms: u64,
    pub bandwidth_kbps: u64,
    pub latency_ms: u64,
}

/// Bits after which a download in flight is looked at again, and the time: both must have passed.
const LOOK_BITS: f64 = 12_000.0;
const LOOK_MS: f64 = 50.0;

/// No session lasts longer: on a link next to dead it would be played for hours.
pub const LONGEST_MS: f64 = 30.0 * 86_400_000.0;

/// Where on the trace the session is. Times in ms, sizes in bits. Sums are made in the order in which the reference makes
/// them: at the end of a session its rounding shows.
pub struct Link<'a> {
    periods: &'a [Period],
    index: usize,
    /// What is left of the period.
    left: f64,
    pub now: f64,
}

/// A body on its way.
pub struct Flight {
    pub size: f64,
    pub bits: f64,
    /// Time since the request, and the part of it before the first byte.
    pub time: f64,
    pub ttfb: f64,
    /// Until the next look.
    look_ms: f64,
}

impl Flight {
    pub fn is_whole(&self) -> bool {
        self.bits >= self.size
    }
}

impl<'a> Link<'a> {
    pub fn new(periods: &'a [Period]) -> Link<'a> {
        Link { periods, index: 0, left: periods[0].duration_ms as f64, now: 0.0 }
    }

    fn period(&self) -> Period {
        self.periods[self.index]
    }

    fn next(&mut self) {
        self.index = (self.index + 1) % self.periods.len();
        self.left = self.period().duration_ms as f64;
    }

    /// The session has lasted too long; where it is then means nothing any more.
    pub fn is_late(&self) -> bool {
        self.now > LONGEST_MS
    }

    pub fn idle(&mut self, mut ms: f64) {
        self.now += ms;
        while ms > self.left {
            ms -= self.left;
            self.next();
        }
        self.left -= ms;
    }

    /// Sends a request and waits for the first byte.
    pub fn request(&mut self, size: f64) -> Flight {
        let mut unit = 1.0;
        let mut time = 0.0;
        while unit > 0.0 && self.now + time <= LONGEST_MS {
            let latency = self.period().latency_ms as f64;
            let need = unit * latency;
            if need <= self.left {
                self.left -= need;
                time += need;
                break;
            }
            time += self.left;
            unit -= self.left / latency;
            self.next();
        }
        self.now += time;
        Flight { size, bits: 0.0, time, ttfb: time, look_ms: LOOK_MS - time }
    }

    /// Receives all that is left.
    pub fn receive(&mut self, flight: &mut Flight) {
        let mut size = flight.size - flight.bits;
        let mut time = 0.0;
        while size > 0.0 && self.now + time <= LONGEST_MS {
            let rate = self.period().bandwidth_kbps as f64;
            if size <= self.left * rate {
                time += size / rate;
                self.left -= size / rate;
                break;
            }
            time += self.left;
            size -= self.left * rate;
            self.next();
        }
        flight.bits = flight.size;
        flight.time += time;
        self.now += time;
    }

    /// Receives until it is time for a look, or all is there, or for at most `most` ms.
    pub fn receive_some(&mut self, flight: &mut Flight, most: f64) {
        let (mut look_bits, mut look_ms) = (LOOK_BITS, flight.look_ms);
        let mut size = flight.size - flight.bits;
        let (mut bits, mut time) = (0.0, 0.0);
        while size > 0.0 && (look_bits > 0.0 || look_ms > 0.0) && time < most && self.now + time <= LONGEST_MS
        {
            let rate = self.period().bandwidth_kbps as f64;
            let until = (most - time).min(self.left);
            let want = look_bits.max(look_ms * rate).min(size);
            if rate > 0.0 && want <= until * rate {
                let step = want / rate;
                bits += want;
                time += step;
                size -= want;
                self.left -= step;
                break;
            }
            bits += until * rate;
            time += until;
            look_bits -= until * rate;
            look_ms -= until;
            size -= until * rate;
            if until == self.left {
                self.next();
            } else {
                self.left -= until;
            }
        }
        flight.bits =
            if size > 0.0 && flight.bits + bits < flight.size { flight.bits + bits } else { flight.size };
        flight.time += time;
        flight.look_ms = LOOK_MS;
        self.now += time;
    }
}
