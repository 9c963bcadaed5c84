//! The HTTP port of the rig: a link whose rate is a function of virtual time, with faults by script.

use std::collections::BTreeMap;

use smoothcore::error::Code;
use smoothcore::io::{Request, RequestId, Response};
use smoothcore::port::{Http, Progress};
use smoothcore::time::Instant;

use super::Origin;

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection breaks after so many body bytes.
    Cut(usize),
    /// No connection.
    Refuse,
    /// This status, no body.
    Status(u16),
    /// These bytes instead, with status 200.
    Body(Vec<u8>),
    /// The body ends here and claims to be whole.
    Short(usize),
    /// No answer ever.
    Silence,
    /// The answer stops here for ever.
    Stall(usize),
}

/// Virtual network: every exchange has `latency`, then its own share of nothing: each runs at the full rate, which
/// keeps the model trivial to write twice.
pub struct Link {
    pub origin: Origin,
    /// Bytes per millisecond, one entry each `period_ms`, for ever repeated.
    pub rates: Vec<u64>,
    pub period_ms: u64,
    pub latency_ms: u64,
    /// Faults of the n-th request (from 1) of a path.
    pub faults: BTreeMap<(String, u32), Fault>,
    /// From and to this millisecond every request fares so, and what is under way stops.
    pub outage: Option<(u64, u64, Fault)>,
    /// Content types other than `video/mp4`, by path.
    pub content_types: BTreeMap<String, String>,
    pub requests: Vec<String>,
    tries: BTreeMap<String, u32>,
    open: BTreeMap<u32, Exchange>,
    /// Started minus cancelled: must be 0 at the end.
    pub balance: i64,
}

struct Exchange {
    content_type: String,
    body: Vec<u8>,
    status: u16,
    sent: usize,
    started: u64,
    cut: Option<usize>,
    stall: Option<usize>,
    silent: bool,
}

impl Link {
    pub fn new(origin: Origin, rates: &[u64]) -> Link {
        Link {
            origin,
            rates: rates.to_vec(),
            period_ms: 5_000,
            latency_ms: 20,
            faults: BTreeMap::new(),
            outage: None,
            content_types: BTreeMap::new(),
            requests: Vec::new(),
            tries: BTreeMap::new(),
            open: BTreeMap::new(),
            balance: 0,
        }
    }

    pub fn fault(mut self, path: &str, nth: u32, fault: Fault) -> Link {
        self.faults.insert((path.into(), nth), fault);
        self
    }

    /// Nothing but `fault` between `from` and `to`, in milliseconds.
    pub fn outage(mut self, from: u64, to: u64, fault: Fault) -> Link {
        self.outage = Some((from, to, fault));
        self
    }

    /// Bytes the link can carry in `[from, to)` milliseconds.
    fn carried(&self, from: u64, to: u64) -> u64 {
        let (mut at, mut sum) = (from, 0);
        while at < to {
            let period = at / self.period_ms;
            let end = to.min((period + 1) * self.period_ms);
            sum += (end - at) * self.rates[period as usize % self.rates.len()];
            at = end;
        }
        sum
    }
}

impl Http for Link {
    fn start(&mut self, at: Instant, request: &Request<'_>) -> Result<(), Code> {
        let path = request.url.split_once(".ism/").expect("a presentation").1.to_string();
        self.requests.push(path.clone());
        let nth = self.tries.entry(path.clone()).or_default();
        *nth += 1;
        let mut exchange = Exchange {
            content_type: self.content_types.get(&path).cloned().unwrap_or("video/mp4".into()),
            body: self.origin.get(request.url).unwrap_or(&[]).to_vec(),
            status: if self.origin.get(request.url).is_some() { 200 } else { 404 },
            sent: 0,
            started: at.0 / 1000,
            cut: None,
            stall: None,
            silent: false,
        };
        let down = self.outage.as_ref().filter(|(from, to, _)| (*from..*to).contains(&(at.0 / 1000)));
        match down.map(|(_, _, fault)| fault).or(self.faults.get(&(path, *nth))) {
            None => {}
            Some(Fault::Refuse) => return Err(Code::Connect),
            Some(Fault::Cut(n)) => exchange.cut = Some(*n),
            Some(Fault::Status(status)) => (exchange.status, exchange.body) = (*status, Vec::new()),
            Some(Fault::Body(bytes)) => exchange.body = bytes.clone(),
            Some(Fault::Short(n)) => exchange.body.truncate(*n),
            Some(Fault::Silence) => exchange.silent = true,
            Some(Fault::Stall(n)) => exchange.stall = Some(*n),
        }
        self.balance += 1;
        assert!(self.open.insert(request.id.0, exchange).is_none(), "request ids are never used twice");
        Ok(())
    }

    fn response(&mut self, at: Instant, id: RequestId) -> Progress<Response<'_>> {
        let exchange = &self.open[&id.0];
        if exchange.silent || at.0 / 1000 < exchange.started + self.latency_ms {
            return Progress::Pending;
        }
        Progress::Ready(Response {
            status: exchange.status,
            content_type: &exchange.content_type,
            ..Response::default()
        })
    }

    fn read(&mut self, at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        let exchange = &self.open[&id.0];
        let from = exchange.started + self.latency_ms;
        let carried = self.carried(from, (at.0 / 1000).max(from)) as usize;
        let exchange = self.open.get_mut(&id.0).unwrap();
        if self.outage.as_ref().is_some_and(|(from, to, _)| (*from..*to).contains(&(at.0 / 1000))) {
            return Progress::Failed(Code::NetworkIo);
        }
        if exchange.cut.is_some_and(|cut| exchange.sent >= cut) {
            return Progress::Failed(Code::NetworkIo);
        }
        if exchange.sent >= exchange.body.len() {
            return Progress::End;
        }
        let most = exchange.body.len().min(exchange.cut.unwrap_or(usize::MAX));
        let most = most.min(exchange.stall.unwrap_or(usize::MAX)).min(carried);
        let n = most.saturating_sub(exchange.sent).min(buffer.len());
        if n == 0 {
            return Progress::Pending;
        }
        buffer[..n].copy_from_slice(&exchange.body[exchange.sent..exchange.sent + n]);
        exchange.sent += n;
        Progress::Ready(n)
    }

    fn cancel(&mut self, id: RequestId) {
        self.balance -= 1;
        assert!(self.open.remove(&id.0).is_some(), "cancelled once, and only what was started");
    }
}
