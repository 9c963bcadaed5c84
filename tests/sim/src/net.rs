//! The link: bandwidth over time, shared by whoever uses it, and what breaks on it.

use std::collections::HashSet;

use smoothcore::error::Code;
use smoothcore::io::RequestId;

/// Rate over time in bit/s, as steps; starts again after the last one.
#[derive(Clone, Debug)]
pub struct Trace {
    /// When a rate begins, in microseconds, and the rate. The first begins at 0.
    steps: Vec<(u64, u64)>,
    period: u64,
}

impl Trace {
    pub fn constant(rate: u64) -> Trace {
        Trace { steps: vec![(0, rate)], period: u64::MAX }
    }

    /// Steps of so many microseconds and bit/s.
    pub fn steps(list: &[(u64, u64)]) -> Trace {
        let mut at = 0;
        let mut steps = Vec::new();
        for (micros, rate) in list.iter().filter(|s| s.0 > 0) {
            steps.push((at, *rate));
            at += micros;
        }
        Trace { steps, period: at }
    }

    /// The rate at a moment, and when the next one begins.
    pub fn at(&self, now: u64) -> (u64, u64) {
        let (round, within) =
            if self.period == u64::MAX { (0, now) } else { (now / self.period, now % self.period) };
        let n = self.steps.partition_point(|s| s.0 <= within) - 1;
        let next = self.steps.get(n + 1).map_or(self.period, |s| s.0);
        let base = if self.period == u64::MAX { 0 } else { round * self.period };
        (self.steps[n].1, base.saturating_add(next))
    }
}

/// How an answer travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    Whole,
    /// No connection.
    Refuse,
    /// Connected, and then nothing.
    Silence,
    /// The connection breaks after so many bytes.
    Cut(usize),
    /// Nothing more after so many bytes.
    Stall(usize),
    /// So many bytes a second, until then.
    Drip(u64, u64),
    /// It ends after so many bytes as if that were all.
    Short(usize),
}

/// What the origin answers.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub length: Option<u64>,
    pub final_url: String,
    pub wire: Wire,
    /// A fault had its hand in it.
    pub faulted: bool,
}

/// What has happened on the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happening {
    Head,
    /// So many bytes have arrived.
    Bytes(usize),
    Done(Result<(), Code>),
}

/// A stretch of time in which the link is broken.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    pub from: u64,
    pub until: u64,
    pub how: Broken,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// Connections break, and new ones are refused at once.
    Down,
    /// Nothing arrives; nobody is told.
    Hole,
    /// Answers take so many microseconds longer.
    Late(u64),
}

#[derive(Debug)]
struct Flow {
    who: u32,
    id: RequestId,
    answer: Answer,
    phase: Phase,
    sent: usize,
    faulted: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Phase {
    /// Request and head are under way.
    Head(u64),
    /// Bytes arrive: when the link has given each of its users so much.
    Flowing {
        from: u128,
        bytes: usize,
    },
    /// The next few bytes come at this time.
    Dripping(u64),
    /// The receiver reads nothing.
    Paused,
    /// Ends at this time.
    Ending(u64, Result<(), Code>),
    Dead,
}

/// One link and the exchanges on it.
#[derive(Debug)]
pub struct Net {
    trace: Trace,
    /// Round trip in microseconds.
    pub rtt: u64,
    outages: Vec<Outage>,
    /// Largest piece that arrives at once.
    pub piece: usize,
    flows: Vec<Flow>,
    /// What each user has been given since the beginning, in millionths of a bit.
    given: u128,
    at: u64,
    /// Who has a connection, and for which lane.
    open: HashSet<(u32, u32)>,
    /// Bytes that arrived.
    pub bytes: u64,
}

/// A byte in the unit of `given`.
const BYTE: u128 = 8_000_000;

impl Net {
    pub fn new(trace: Trace, rtt: u64, outages: &[Outage]) -> Net {
        Net {
            trace,
            rtt,
            outages: outages.to_vec(),
            piece: 16 << 10,
            flows: Vec::new(),
            given: 0,
            at: 0,
            open: HashSet::new(),
            bytes: 0,
        }
    }

    fn broken(&self, now: u64) -> Option<Broken> {
        self.outages.iter().find(|o| (o.from..o.until).contains(&now)).map(|o| o.how)
    }

    /// Starts an exchange of user `who` on the connection of `lane`.
    pub fn start(&mut self, now: u64, who: u32, lane: u32, id: RequestId, answer: Answer) {
        let trips = if self.open.insert((who, lane)) { 2 } else { 1 };
        let mut head = now + self.rtt * trips;
        let faulted = answer.faulted;
        let phase = match (answer.wire, self.broken(now)) {
            (Wire::Refuse, _) => Phase::Ending(now + self.rtt, Err(Code::Connect)),
            (_, Some(Broken::Down)) => Phase::Ending(now + 1000, Err(Code::Connect)),
            (Wire::Silence, _) => Phase::Dead,
            (_, broken) => {
                if let Some(Broken::Late(by)) = broken {
                    head += by;
                }
                Phase::Head(head)
            }
        };
        if matches!(phase, Phase::Ending(..) | Phase::Dead) {
            self.open.remove(&(who, lane));
        }
        self.flows.push(Flow { who, id, answer, phase, sent: 0, faulted });
    }

    /// Whether it was an exchange with a fault in it.
    pub fn cancel(&mut self, who: u32, id: RequestId) -> bool {
        match self.flows.iter().position(|f| (f.who, f.id) == (who, id)) {
            Some(n) => self.flows.swap_remove(n).faulted,
            None => false,
        }
    }

    /// The answer of an exchange.
    pub fn answer(&self, who: u32, id: RequestId) -> Option<&Answer> {
        self.flows.iter().find(|f| (f.who, f.id) == (who, id)).map(|f| &f.answer)
    }

    /// Takes the body out to be handed over; give it back with [`Net::give_back`].
    pub fn take_body(&mut self, who: u32, id: RequestId) -> Vec<u8> {
        self.flow(who, id).map(|f| std::mem::take(&mut f.answer.body)).unwrap_or_default()
    }

    pub fn give_back(&mut self, who: u32, id: RequestId, body: Vec<u8>) {
        if let Some(flow) = self.flow(who, id) {
            flow.answer.body = body;
        }
    }

    /// The receiver stops reading, and later goes on.
    pub fn pause(&mut self, who: u32, id: RequestId) {
        if let Some(flow) = self.flow(who, id)
            && matches!(flow.phase, Phase::Flowing { .. } | Phase::Dripping(_) | Phase::Ending(..))
        {
            flow.phase = Phase::Paused;
        }
    }

    pub fn resume(&mut self, now: u64, who: u32, id: RequestId) {
        self.advance(now);
        if let Some(n) =
            self.flows.iter().position(|f| (f.who, f.id) == (who, id) && f.phase == Phase::Paused)
        {
            self.go_on(now, n);
        }
    }

    fn flow(&mut self, who: u32, id: RequestId) -> Option<&mut Flow> {
        self.flows.iter_mut().find(|f| (f.who, f.id) == (who, id))
    }

    fn rate(&self, now: u64) -> (u64, u64) {
        let (mut rate, mut until) = self.trace.at(now);
        for o in &self.outages {
            if (o.from..o.until).contains(&now) {
                if o.how == Broken::Hole {
                    rate = 0;
                }
                until = until.min(o.until);
            } else if o.from > now {
                until = until.min(o.from);
            }
        }
        (rate, until)
    }

    fn users(&self) -> u64 {
        self.flows.iter().filter(|f| matches!(f.phase, Phase::Flowing { .. })).count() as u64
    }

    /// Brings what the link has given up to a moment.
    fn advance(&mut self, now: u64) {
        let users = self.users();
        while self.at < now {
            let (rate, until) = self.rate(self.at);
            let to = until.min(now);
            if users > 0 {
                self.given += u128::from(to - self.at) * u128::from(rate) / u128::from(users);
            }
            self.at = to;
        }
    }

    /// When something happens next.
    pub fn next_time(&self) -> Option<u64> {
        let users = self.users();
        let (rate, until) = self.rate(self.at);
        let down =
            self.outages.iter().filter(|o| o.how == Broken::Down && o.from > self.at).map(|o| o.from).min();
        let mut soonest: Option<u64> = None;
        let mut consider = |t: u64| soonest = Some(soonest.map_or(t, |s| s.min(t)));
        for flow in &self.flows {
            match flow.phase {
                Phase::Head(at) | Phase::Dripping(at) | Phase::Ending(at, _) => consider(at),
                Phase::Flowing { from, bytes } => {
                    let need = (from + bytes as u128 * BYTE).saturating_sub(self.given) * u128::from(users);
                    match need.checked_div(u128::from(rate)) {
                        Some(micros) => {
                            let exact = micros as u64 + u64::from(!need.is_multiple_of(u128::from(rate)));
                            consider((self.at + exact).min(until));
                        }
                        None => consider(until),
                    }
                }
                Phase::Paused | Phase::Dead => {}
            }
            if let Some(down) = down
                && flow.phase != Phase::Dead
            {
                consider(down);
            }
        }
        soonest
    }

    /// Something that has happened by `now`. Call until `None`.
    pub fn pop(&mut self, now: u64) -> Option<(u32, RequestId, Happening)> {
        self.advance(now);
        let down = self.broken(now) == Some(Broken::Down);
        for n in 0..self.flows.len() {
            let (who, id) = (self.flows[n].who, self.flows[n].id);
            if down && !matches!(self.flows[n].phase, Phase::Ending(..) | Phase::Dead) {
                self.flows[n].phase = Phase::Ending(now, Err(Code::NetworkIo));
                self.flows[n].faulted = true;
                self.open.retain(|c| c.0 != who);
            }
            match self.flows[n].phase {
                Phase::Head(at) if at <= now && self.broken(now) == Some(Broken::Hole) => {
                    // It comes when the link is back.
                    let back = self
                        .outages
                        .iter()
                        .find(|o| (o.from..o.until).contains(&now))
                        .map_or(now, |o| o.until);
                    self.flows[n].phase = Phase::Head(back + self.rtt);
                }
                Phase::Head(at) if at <= now => {
                    self.go_on(now, n);
                    return Some((who, id, Happening::Head));
                }
                Phase::Flowing { from, bytes } if self.given >= from + bytes as u128 * BYTE => {
                    return Some((who, id, self.arrive(now, n, bytes)));
                }
                Phase::Dripping(at) if at <= now => {
                    let Wire::Drip(rate, _) = self.flows[n].answer.wire else { continue };
                    let bytes = (rate as usize / 10).clamp(1, self.left(n).max(1));
                    return Some((who, id, self.arrive(now, n, bytes)));
                }
                Phase::Ending(at, result) if at <= now => {
                    self.flows.swap_remove(n);
                    return Some((who, id, Happening::Done(result)));
                }
                _ => {}
            }
        }
        None
    }

    /// Whether an exchange has a fault in it.
    pub fn faulted(&self, who: u32, id: RequestId) -> bool {
        self.flows.iter().any(|f| (f.who, f.id) == (who, id) && f.faulted)
    }

    /// Where its next bytes begin.
    pub fn sent(&self, who: u32, id: RequestId) -> usize {
        self.flows.iter().find(|f| (f.who, f.id) == (who, id)).map_or(0, |f| f.sent)
    }

    fn arrive(&mut self, now: u64, n: usize, bytes: usize) -> Happening {
        let bytes = bytes.min(self.left(n));
        self.flows[n].sent += bytes;
        self.bytes += bytes as u64;
        self.go_on(now, n);
        Happening::Bytes(bytes)
    }

    /// Bytes that will still come.
    fn left(&self, n: usize) -> usize {
        let flow = &self.flows[n];
        // The body may be on loan.
        let whole =
            flow.answer.length.map_or(flow.answer.body.len(), |l| l as usize).max(flow.answer.body.len());
        let stop = match flow.answer.wire {
            Wire::Cut(at) | Wire::Stall(at) | Wire::Short(at) => at.min(whole),
            _ => whole,
        };
        stop - flow.sent.min(stop)
    }

    fn go_on(&mut self, now: u64, n: usize) {
        let left = self.left(n);
        self.flows[n].phase = match self.flows[n].answer.wire {
            Wire::Stall(_) if left == 0 => Phase::Dead,
            Wire::Cut(_) if left == 0 => Phase::Ending(now, Err(Code::NetworkIo)),
            _ if left == 0 => Phase::Ending(now, Ok(())),
            Wire::Drip(_, until) if now < until => Phase::Dripping(now + 100_000),
            _ => Phase::Flowing { from: self.given, bytes: left.min(self.piece) },
        };
    }
}
