//! A session that plays a movie on a shared link, in virtual time: real scheduler, real fragments, null decoders.

use std::rc::Rc;

use smoothcore::io::{
    Configured, Event, EventKind, Input, Outcome, Output, RequestId, RequestKind, Response, StreamId,
};
use smoothcore::session::{Config, Session, State};
use smoothcore::time::Instant;

use crate::movie::Movie;
use crate::pipe::{Came, Pipe};
use crate::screen::Screen;

const URL: &str = "http://origin.test/movie.ism/Manifest";
/// Between two reports of the decoders.
const REPORT: u64 = 50_000;

/// A fragment whose first sample the decoder has taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    pub start: u64,
    pub bitrate: u32,
}

pub struct Viewer {
    pub who: usize,
    pub session: Session,
    pub screen: Screen,
    movie: Rc<Movie>,
    pub now: u64,
    opened: u64,
    deadline: Option<u64>,
    reported: u64,
    /// Bodies on their way: bytes that matter, and where the next ones go.
    bodies: Vec<(RequestId, Vec<u8>, u64, u64)>,
    /// Bytes that found no room.
    waiting: Vec<(RequestId, u64)>,
    pub startup: Option<u64>,
    pub shown: Vec<Shown>,
    pub events: Vec<Event>,
    /// Pictures dropped of each thousand, at a level.
    pub drops: Option<(u32, u64)>,
    dropped: f64,
    /// Bytes of fragments that came.
    pub bytes: u64,
    over: Option<u64>,
}

impl Viewer {
    pub fn new(who: usize, movie: Rc<Movie>, config: Config, capacity: u64) -> Viewer {
        let streams = movie.tracks().count();
        Viewer {
            who,
            session: Session::new(config).expect("a session"),
            screen: Screen::new(streams, capacity),
            movie,
            now: 0,
            opened: 0,
            deadline: None,
            reported: 0,
            bodies: Vec::new(),
            waiting: Vec::new(),
            startup: None,
            shown: Vec::new(),
            events: Vec::new(),
            drops: None,
            dropped: 0.0,
            bytes: 0,
            over: None,
        }
    }

    pub fn open(&mut self, pipe: &mut Pipe, now: u64) {
        (self.now, self.opened, self.reported) = (now, now, now);
        self.screen.advance(now);
        self.session.open(Instant(now), URL).expect("opens");
        self.drain(pipe);
    }

    /// When it wants to be run again.
    pub fn next_time(&self) -> u64 {
        let report = self.reported + REPORT;
        self.deadline.map_or(report, |d| d.min(report)).max(self.now + 1)
    }

    pub fn is_over(&self) -> bool {
        self.over.is_some() || matches!(self.session.state(), State::Failed(_))
    }

    /// Whether nothing is in flight although there is room for pictures: `target` of them are not held, and there are more.
    pub fn is_idle_with_room(&self, target: u64) -> bool {
        let ahead = self.session.stream_stats(StreamId(0)).map_or(0, |s| s.ahead.0);
        let position = self.screen.position.unwrap_or(0).max(0) as u64 / 10;
        let whole = self.movie.count() as u64 * self.movie.millis * 1_000;
        // What a report may be late by aside.
        self.bodies.is_empty() && ahead + REPORT * 2 < target && position + ahead + REPORT * 2 < whole
    }

    /// When the last picture had been shown.
    pub fn end(&self) -> Option<u64> {
        self.over
    }

    fn advance(&mut self, now: u64) {
        let before = self.screen.position.unwrap_or(0);
        self.now = now.max(self.now);
        self.screen.advance(self.now);
        let moved = self.screen.position.unwrap_or(0) - before;
        if let (Some((least, share)), true) = (self.drops, moved > 0) {
            let position = self.screen.position.unwrap_or(0).max(0) as u64;
            let playing = self.shown.iter().rfind(|s| s.start <= position).map_or(0, |s| s.bitrate);
            if playing >= least {
                // Thirty pictures a second.
                self.dropped += moved as f64 / 1e7 * 30.0 * share as f64 / 1e3;
                self.screen.dropped = self.dropped as u32;
            }
        }
        let whole = self.movie.count() as u64 * self.movie.millis * 10_000;
        if self.over.is_none() && self.screen.position.is_some_and(|p| p as u64 + 1 >= whole) {
            self.over = Some(self.now);
        }
    }

    pub fn network(&mut self, pipe: &mut Pipe, now: u64, id: u32, came: Came) {
        self.advance(now);
        let id = RequestId(id);
        match came {
            Came::Head => {
                let length = self.bodies.iter().find(|b| b.0 == id).map(|b| b.2);
                let head = Response { status: 200, content_length: length, ..Response::default() };
                self.session.input(Instant(self.now), Input::Response(id, head));
            }
            Came::Bytes(count) => self.hand_over(id, count),
            Came::Done => {
                if self.waiting.iter().any(|w| w.0 == id) {
                    // Told when the last bytes have found room.
                    self.waiting.push((id, 0));
                } else {
                    self.bodies.retain(|b| b.0 != id);
                    self.session.input(Instant(self.now), Input::Finished(id, Outcome::Complete));
                }
            }
        }
        self.drain(pipe);
    }

    fn hand_over(&mut self, id: RequestId, mut count: u64) {
        self.bytes += count;
        if self.waiting.iter().any(|w| w.0 == id) {
            self.waiting.push((id, count));
            return;
        }
        count -= self.fill(id, count);
        if count > 0 {
            self.waiting.push((id, count));
        }
    }

    /// How many of `count` bytes found room.
    fn fill(&mut self, id: RequestId, count: u64) -> u64 {
        let mut taken = 0;
        while taken < count {
            let Some(body) = self.bodies.iter_mut().find(|b| b.0 == id) else { return count };
            let space = self.session.space(id);
            let n = (space.len() as u64).min(count - taken);
            if n == 0 {
                break;
            }
            for k in 0..n.min((body.1.len() as u64).saturating_sub(body.3)) {
                space[k as usize] = body.1[(body.3 + k) as usize];
            }
            body.3 += n;
            taken += n;
            self.session.filled(Instant(self.now), id, n as usize);
        }
        taken
    }

    fn retry_waiting(&mut self) {
        let mut n = 0;
        while n < self.waiting.len() {
            let (id, count) = self.waiting[n];
            if self.waiting[..n].iter().any(|w| w.0 == id) {
                n += 1;
                continue;
            }
            if count == 0 {
                self.waiting.remove(n);
                self.bodies.retain(|b| b.0 != id);
                self.session.input(Instant(self.now), Input::Finished(id, Outcome::Complete));
                continue;
            }
            let taken = self.fill(id, count);
            if taken == count {
                self.waiting.remove(n);
            } else {
                self.waiting[n].1 -= taken;
                n += 1;
            }
        }
    }

    pub fn tend(&mut self, pipe: &mut Pipe, now: u64) {
        self.advance(now);
        if self.now >= self.reported + REPORT {
            self.reported = self.now;
            for s in 0..self.screen.ears.len() {
                if self.screen.ears[s].configured.is_some() {
                    let state = self.screen.report(s);
                    self.session.input(Instant(self.now), Input::Buffered(StreamId(s as u16), state));
                }
            }
        }
        self.session.input(Instant(self.now), Input::Timeout);
        self.drain(pipe);
        self.retry_waiting();
        self.drain(pipe);
    }

    fn drain(&mut self, pipe: &mut Pipe) {
        for _ in 0..1_000_000 {
            let at = Instant(self.now);
            let answer = match self.session.poll() {
                Output::Idle(until) => {
                    self.deadline = until.map(|at| at.0);
                    return;
                }
                Output::Request(request) => match request.kind {
                    // What it takes to open is not what is measured.
                    RequestKind::Manifest => Err((request.id, true)),
                    RequestKind::Fragment => {
                        let (bytes, size) = self.movie.fragment(request.url).expect("a fragment");
                        self.bodies.push((request.id, bytes, size, 0));
                        pipe.start(self.who, request.id.0, size);
                        continue;
                    }
                },
                Output::Cancel(id) => Err((id, false)),
                Output::Configure(c) => {
                    let s = usize::from(c.stream.0);
                    self.screen.configure(self.now, s, c.bitrate);
                    Ok(Input::Configured(c.stream, Configured::Ok))
                }
                Output::Sample(sample) => {
                    let taken = self.screen.offer(self.now, &sample);
                    if taken && sample.stream == StreamId(0) {
                        let shown = Shown { start: sample.fragment, bitrate: sample.bitrate };
                        if self.shown.last().is_none_or(|s| s.start != shown.start) {
                            self.shown.push(shown);
                        }
                    }
                    Ok(if taken { Input::Accepted(sample.stream) } else { Input::Refused(sample.stream) })
                }
                Output::Rate(rate) => {
                    self.screen.order(self.now, rate);
                    if self.screen.running() && self.startup.is_none() {
                        self.startup = Some(self.now - self.opened);
                    }
                    continue;
                }
                Output::Flush(stream, _) => {
                    self.screen.flush(usize::from(stream.0));
                    continue;
                }
                Output::EndOfStream(stream, _) => {
                    self.screen.ears[usize::from(stream.0)].ended = true;
                    continue;
                }
                Output::Event(event) => {
                    if !matches!(event.kind, EventKind::FragmentDone | EventKind::FragmentStarted) {
                        self.events.push(event);
                    }
                    continue;
                }
                _ => continue,
            };
            match answer {
                Ok(input) => self.session.input(at, input),
                Err((id, true)) => {
                    let text = self.movie.manifest();
                    self.session
                        .input(at, Input::Response(id, Response { status: 200, ..Response::default() }));
                    self.session.body(at, id, text.as_bytes());
                    self.session.input(at, Input::Finished(id, Outcome::Complete));
                }
                Err((id, false)) => {
                    pipe.cancel(self.who, id.0);
                    self.bodies.retain(|b| b.0 != id);
                    self.waiting.retain(|w| w.0 != id);
                }
            }
        }
        panic!("the session never goes idle");
    }
}

/// Runs viewers on one link until all are over, or until then. `begin` says when each opens.
pub fn run(
    viewers: &mut [Viewer],
    begin: &[u64],
    pipe: &mut Pipe,
    until: u64,
    mut each: impl FnMut(u64, &mut [Viewer]),
) {
    let mut open: Vec<bool> = vec![false; viewers.len()];
    loop {
        let mut next = until;
        for (n, v) in viewers.iter().enumerate() {
            if !open[n] {
                next = next.min(begin[n]);
            } else if !v.is_over() {
                next = next.min(v.next_time());
            }
        }
        // The link first: nothing that it brings comes late.
        while let Some((who, id, came)) = pipe.step(next as f64) {
            let now = pipe.now.ceil() as u64;
            viewers[who].network(pipe, now, id, came);
            if let Some(soonest) = viewers
                .iter()
                .enumerate()
                .filter(|(n, v)| open[*n] && !v.is_over())
                .map(|(_, v)| v.next_time())
                .min()
            {
                next = next.min(soonest.max(now));
            }
        }
        for n in 0..viewers.len() {
            if !open[n] && begin[n] <= next {
                open[n] = true;
                viewers[n].open(pipe, next);
            } else if open[n] && !viewers[n].is_over() && viewers[n].next_time() <= next {
                viewers[n].tend(pipe, next);
            }
        }
        each(next, viewers);
        if next >= until || (open.iter().all(|o| *o) && viewers.iter().all(Viewer::is_over)) {
            return;
        }
    }
}
