//! A link that follows a trace, shared evenly by whoever receives.

use crate::movie::Period;

/// What has happened to a request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Came {
    Head,
    /// So many more bytes.
    Bytes(u64),
    Done,
}

#[derive(Clone, Debug)]
struct Flow {
    who: usize,
    id: u32,
    /// What is left of the wait for the first byte, of one.
    unit: f64,
    size: f64,
    bits: f64,
    told: u64,
    looked: u64,
}

/// Bytes are told when so many have come and so much time has passed, or all are there.
const LOOK_BITS: f64 = 12_000.0;
const LOOK_MICROS: u64 = 50_000;

/// Times in microseconds.
pub struct Pipe {
    periods: Vec<Period>,
    index: usize,
    left: f64,
    pub now: f64,
    flows: Vec<Flow>,
    /// Bits that the link could have carried, and bits that it has.
    pub offered: f64,
    pub carried: f64,
}

impl Pipe {
    pub fn new(periods: &[Period]) -> Pipe {
        let left = periods[0].micros as f64;
        Pipe {
            periods: periods.to_vec(),
            index: 0,
            left,
            now: 0.0,
            flows: Vec::new(),
            offered: 0.0,
            carried: 0.0,
        }
    }

    pub fn start(&mut self, who: usize, id: u32, bytes: u64) {
        let size = bytes as f64 * 8.0;
        self.flows.push(Flow { who, id, unit: 1.0, size, bits: 0.0, told: 0, looked: self.now as u64 });
    }

    pub fn cancel(&mut self, who: usize, id: u32) {
        self.flows.retain(|f| (f.who, f.id) != (who, id));
    }

    /// Bytes that have come since they were last told; the caller tells them.
    pub fn arrived(&mut self, who: usize, id: u32) -> u64 {
        let Some(flow) = self.flows.iter_mut().find(|f| (f.who, f.id) == (who, id)) else { return 0 };
        let all = (flow.bits / 8.0) as u64;
        let more = all - flow.told;
        flow.told = all;
        more
    }

    fn period(&self) -> Period {
        self.periods[self.index]
    }

    fn receiving(&self) -> f64 {
        self.flows.iter().filter(|f| f.unit <= 0.0 && f.bits < f.size).count() as f64
    }

    /// Goes on to `until` at most, or to the first thing that happens.
    pub fn step(&mut self, until: f64) -> Option<(usize, u32, Came)> {
        loop {
            if let Some(came) = self.due() {
                return Some(came);
            }
            if self.now >= until {
                return None;
            }
            let period = self.period();
            let users = self.receiving();
            let share = if users > 0.0 { period.rate / users / 1e6 } else { 0.0 };
            let mut dt = (until - self.now).min(self.left);
            for flow in &self.flows {
                if flow.unit > 0.0 {
                    dt = dt.min(flow.unit * period.latency as f64);
                } else if share > 0.0 {
                    let look = flow.told as f64 * 8.0 + LOOK_BITS - flow.bits;
                    let time = (flow.looked + LOOK_MICROS) as f64 - self.now;
                    let want = (look / share).max(time).min((flow.size - flow.bits) / share);
                    dt = dt.min(want.max(0.0));
                }
            }
            for flow in &mut self.flows {
                if flow.unit > 0.0 {
                    flow.unit -= if period.latency == 0 { 1.0 } else { dt / period.latency as f64 };
                    if flow.unit < 1e-9 {
                        flow.unit = 0.0;
                    }
                } else {
                    flow.bits += share * dt;
                    if flow.size - flow.bits < 1e-3 {
                        flow.bits = flow.size;
                    }
                }
            }
            self.offered += period.rate * dt / 1e6;
            self.carried += if users > 0.0 { period.rate * dt / 1e6 } else { 0.0 };
            self.now += dt;
            self.left -= dt;
            if self.left <= 1e-6 {
                self.index = (self.index + 1) % self.periods.len();
                self.left = self.period().micros as f64;
            }
        }
    }

    fn due(&mut self) -> Option<(usize, u32, Came)> {
        for n in 0..self.flows.len() {
            let flow = &mut self.flows[n];
            let (who, id) = (flow.who, flow.id);
            if flow.unit == 0.0 {
                // Told once.
                flow.unit = -1.0;
                return Some((who, id, Came::Head));
            }
            if flow.unit > 0.0 {
                continue;
            }
            let all = (flow.bits / 8.0) as u64;
            let whole = flow.bits >= flow.size;
            let bits = flow.bits - flow.told as f64 * 8.0;
            let time = self.now + 1e-6 >= (flow.looked + LOOK_MICROS) as f64;
            if all > flow.told && (whole || (bits + 1e-3 >= LOOK_BITS && time)) {
                let more = all - flow.told;
                flow.told = all;
                flow.looked = self.now as u64;
                return Some((who, id, Came::Bytes(more)));
            }
            if whole && all == flow.told {
                self.flows.swap_remove(n);
                return Some((who, id, Came::Done));
            }
        }
        None
    }
}
