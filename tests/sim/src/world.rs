//! One session in its world: origin, link, decoders, clock and viewer, in virtual time.

use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

use smoothcore::io::{
    Configured, EventKind, Input, Network, Outcome, Output, Rate, RequestId, Response, StreamId,
};
use smoothcore::session::{Config, Selection, Session, State};
use smoothcore::time::{Instant, MediaTime};

use crate::dice::Dice;
use crate::fault::{Action, Script, longest};
use crate::net::{Happening, Net};
use crate::origin::{self, URL};
use crate::rules::{MOST_OUTPUTS, MOST_STALE, Rules};
use crate::screen::Screen;
use crate::show::{SECOND, Show};

/// A host's habits.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Time-outs come no closer than this, in microseconds.
    pub grain: u64,
    /// One time-out in so many comes early; 0: none.
    pub early: u64,
    /// Answers come up to this much later.
    pub slow: u64,
    /// It asks before it hands over bytes.
    pub gated: bool,
}

impl Default for Habits {
    fn default() -> Habits {
        Habits { grain: 0, early: 0, slow: 0, gated: true }
    }
}

/// An answer that the host owes.
#[derive(Clone, Copy, Debug)]
enum Owed {
    Configured(Configured),
    Taken(bool),
}

pub struct World {
    pub who: u32,
    pub show: Rc<Show>,
    pub script: Rc<Script>,
    pub session: Session,
    pub screen: Screen,
    pub rules: Rules,
    pub habits: Habits,
    pub now: u64,
    dice: Dice,
    /// From virtual time to the host's clock, which also runs by so many millionths faster.
    offset: i64,
    pub drift: i64,
    next_action: usize,
    owed: Vec<(u64, StreamId, Owed)>,
    /// Bytes that the session did not take.
    waiting: Vec<(RequestId, Vec<u8>)>,
    /// Exchanges that were neither finished nor cancelled.
    living: HashMap<u32, bool>,
    deadline: Option<u64>,
    woken: u64,
    reported: u64,
    stale: u32,
    outputs: u32,
    paused: bool,
    asleep_until: u64,
    /// When the last fault was over.
    pub disturbed: u64,
    settled: bool,
    /// When the clock was last set running.
    begun: Option<u64>,
    pub opened: u64,
    /// What broke the rules.
    pub breach: Option<String>,
    /// When requests were made, where that is wanted.
    pub asked: Option<Vec<u64>>,
    /// The log, where one is wanted.
    pub log: Option<String>,
}

macro_rules! note {
    ($w:expr, $($arg:tt)*) => {
        if let Some(log) = &mut $w.log {
            write!(log, "{:>12.6} ", $w.now as f64 / 1e6).expect("text");
            writeln!(log, $($arg)*).expect("text");
        }
    };
}

impl World {
    pub fn new(show: Rc<Show>, script: Rc<Script>, config: Config, screen: Screen, mut dice: Dice) -> World {
        let session = Session::new(config).expect("a session");
        World {
            who: 0,
            session,
            screen,
            rules: Rules::new(show.streams.len()),
            habits: Habits::default(),
            now: 0,
            drift: 0,
            offset: (100_000 * SECOND + dice.below(1_000_000 * SECOND)) as i64,
            dice,
            next_action: 0,
            owed: Vec::new(),
            waiting: Vec::new(),
            living: HashMap::new(),
            deadline: None,
            woken: 0,
            reported: 0,
            stale: 0,
            outputs: 0,
            paused: false,
            asleep_until: 0,
            disturbed: script.last,
            settled: false,
            begun: None,
            opened: 0,
            breach: None,
            asked: None,
            log: None,
            show,
            script,
        }
    }

    fn at(&self) -> Instant {
        let ahead = (i128::from(self.now) * i128::from(self.drift)).div_euclid(1_000_000) as i64;
        Instant((self.now as i64 + ahead + self.offset).max(0) as u64)
    }

    /// The first moment at which the host's clock says so.
    fn when(&self, at: Instant) -> u64 {
        let passed = i128::from(at.0 as i64 - self.offset).max(0) * 1_000_000;
        let pace = i128::from(1_000_000 + self.drift);
        ((passed + pace - 1) / pace) as u64
    }

    /// Opens the session now.
    pub fn open(&mut self, net: &mut Net, now: u64) {
        self.now = now;
        self.opened = now;
        self.woken = now;
        self.screen.advance(now);
        self.session.open(self.at(), URL).expect("opens");
        self.drain(net);
    }

    pub fn over(&self) -> bool {
        self.breach.is_some() || self.finished()
    }

    pub fn finished(&self) -> bool {
        match self.session.state() {
            State::Failed(_) => true,
            State::Ended => self.next_action >= self.script.actions.len() && self.screen_empty(),
            _ => false,
        }
    }

    fn screen_empty(&self) -> bool {
        (0..self.screen.ears.len()).all(|s| self.screen.ears[s].silent || self.screen.depth(s) == 0)
            || !self.screen.running()
    }

    fn broken(&mut self, text: String) {
        note!(self, "BROKEN: {text}");
        self.breach.get_or_insert(text);
    }

    fn check(&mut self, checked: Result<(), String>) {
        if let Err(text) = checked {
            self.broken(text);
        }
    }

    /// When it wants to be run again.
    pub fn next_time(&self) -> u64 {
        let mut soonest = u64::MAX;
        let mut consider = |t: u64| soonest = soonest.min(t);
        if let Some(at) = self.deadline {
            consider(at.max(self.woken + self.habits.grain));
        }
        if let Some((at, _)) = self.script.actions.get(self.next_action) {
            consider(*at);
        }
        for (at, _, _) in &self.owed {
            consider(*at);
        }
        if self.screen.running() || !self.waiting.is_empty() {
            consider(self.reported + 100_000.max(self.habits.grain));
        }
        if !self.settled {
            consider(self.settle_at());
        }
        soonest.max(self.now).max(self.asleep_until)
    }

    fn settle_at(&self) -> u64 {
        // Two fragments, the longest wait between tries with its jitter, and a moment for the link.
        let limits = &self.session.config().limits;
        let cap = if self.show.live.is_some() { 10 * SECOND } else { limits.retry_longest.0 };
        self.disturbed + 2 * longest(&self.show) + cap * 6 / 5 + 2 * SECOND
    }

    /// Goes to a moment and does what is due, the link first.
    pub fn run_to(&mut self, net: &mut Net, now: u64) {
        self.now = now.max(self.now);
        self.screen.advance(self.now);
        while let Some((who, id, happening)) = net.pop(self.now) {
            debug_assert_eq!(who, self.who);
            self.network(net, id, happening);
            if self.breach.is_some() {
                return;
            }
        }
        self.tend(net);
    }

    /// Something has happened on the link.
    pub fn network(&mut self, net: &mut Net, id: RequestId, happening: Happening) {
        match happening {
            Happening::Head => {
                let Some(answer) = net.answer(self.who, id) else { return };
                let (status, length, url) = (answer.status, answer.length, answer.final_url.clone());
                // A stack that tells only the end is one, too.
                if status != 200 || length.is_some() || !url.is_empty() || self.dice.one_in(2) {
                    let head =
                        Response { status, content_length: length, final_url: &url, ..Response::default() };
                    note!(self, "head {} {status} {length:?} {url}", id.0);
                    self.input(net, Input::Response(id, head));
                }
            }
            Happening::Bytes(count) => {
                let end = net.sent(self.who, id);
                let body = net.take_body(self.who, id);
                let part = &body[end - count..end];
                let taken = self.hand_over(id, part);
                if taken < part.len() {
                    self.waiting.push((id, part[taken..].to_vec()));
                    net.give_back(self.who, id, body);
                    net.pause(self.who, id);
                } else {
                    net.give_back(self.who, id, body);
                }
                self.outputs = 0;
                self.drain(net);
            }
            Happening::Done(result) => {
                let faulted = self.living.remove(&id.0).unwrap_or(false) || result.is_err();
                if faulted {
                    self.disturb();
                }
                self.waiting.retain(|w| w.0 != id);
                note!(self, "done {} {result:?}", id.0);
                let outcome = match result {
                    Ok(()) => Outcome::Complete,
                    Err(code) => Outcome::Failed(code),
                };
                self.input(net, Input::Finished(id, outcome));
            }
        }
    }

    /// By copy or without; how many bytes were taken.
    fn hand_over(&mut self, id: RequestId, part: &[u8]) -> usize {
        let at = self.at();
        if self.dice.one_in(2) {
            return self.session.body(at, id, part);
        }
        let mut taken = 0;
        while taken < part.len() {
            let space = self.session.space(id);
            let n = space.len().min(part.len() - taken);
            if n == 0 {
                break;
            }
            space[..n].copy_from_slice(&part[taken..taken + n]);
            self.session.filled(at, id, n);
            taken += n;
            if !self.living.contains_key(&id.0) {
                break;
            }
        }
        taken
    }

    /// The host's own doings: viewer, decoders, time.
    pub fn tend(&mut self, net: &mut Net) {
        if self.now < self.asleep_until {
            return;
        }
        while let Some((at, action)) = self.script.actions.get(self.next_action).copied() {
            if at > self.now {
                break;
            }
            self.next_action += 1;
            self.act(net, action);
        }
        let mut n = 0;
        while n < self.owed.len() {
            if self.owed[n].0 > self.now {
                n += 1;
                continue;
            }
            let (_, stream, owed) = self.owed.remove(n);
            self.pay(net, stream, owed);
            n = 0;
        }
        self.offer_waiting(net);
        let due =
            self.deadline.is_some_and(|at| at <= self.now && self.woken + self.habits.grain <= self.now);
        let early = self.habits.early > 0 && self.dice.one_in(self.habits.early);
        if self.now >= self.reported + 100_000.max(self.habits.grain) || due {
            self.reported = self.now;
            for s in 0..self.screen.ears.len() {
                if self.screen.ears[s].configured.is_some() && !self.screen.ears[s].silent {
                    let state = self.screen.report(s);
                    self.input(net, Input::Buffered(StreamId(s as u16), state));
                }
            }
        }
        if due || early {
            let before = self.deadline;
            self.woken = self.now;
            self.input(net, Input::Timeout);
            let running = !matches!(self.session.state(), State::Failed(_));
            if due && running && self.deadline.is_some_and(|at| at <= self.now) && before.is_some() {
                self.stale += 1;
                if self.stale > MOST_STALE {
                    self.broken("the deadline stays in the past".into());
                }
            } else {
                self.stale = 0;
            }
        }
        if !self.settled && self.living.values().any(|faulted| *faulted) {
            // A fault is not over before the exchange that it hit is.
            self.disturb();
        }
        if !self.settled && self.now >= self.settle_at() {
            self.settled = true;
            self.check_recovery();
        }
    }

    /// After the last fault playback has resumed, or one fatal error was reported.
    fn check_recovery(&mut self) {
        // A clock that runs through hours without media is no playback.
        let shown = (0..self.screen.ears.len()).all(|s| self.screen.depth(s) < 60 * SECOND);
        // Memory for less than two fragments stands still before each; that it went on since the fault is what counts.
        let moves = self.screen.running() && self.now - self.screen.moved < SECOND;
        let moving = shown && (moves || (self.script.tiny && self.screen.moved > self.disturbed));
        let ended = matches!(self.session.state(), State::Ended | State::Failed(_));
        if !(moving || ended || self.paused) {
            let figures = self.figures();
            self.broken(format!(
                "playback has not resumed {} s after the last fault: {figures}",
                (self.now - self.disturbed) / SECOND
            ));
        }
    }

    /// The clock never starts before every stream has its start buffer: a stall comes no earlier than that is shown.
    fn check_start(&self) -> Result<(), String> {
        let Some(begun) = self.begun.filter(|_| !self.script.takes_back()) else { return Ok(()) };
        let (shown, least) = (self.now - begun, self.session.config().start_buffer.0);
        // The fastest clock, and a look at the decoders from time to time.
        if shown + 100_000 < least * 1000 / 1200 {
            return Err(format!("a stall {shown} us after the clock was set running"));
        }
        Ok(())
    }

    pub fn settled(&self) -> bool {
        self.settled
    }

    pub fn figures(&self) -> String {
        let streams: Vec<_> =
            (0..self.show.streams.len()).map(|s| self.session.stream_stats(StreamId(s as u16))).collect();
        let (state, held) = (self.session.state(), self.session.stats().held);
        format!("{state:?}, {held} bytes held, position {:?}, {streams:?}", self.screen.position)
    }

    fn disturb(&mut self) {
        if !self.settled {
            self.disturbed = self.disturbed.max(self.now);
        }
    }

    fn offer_waiting(&mut self, net: &mut Net) {
        let mut n = 0;
        while n < self.waiting.len() {
            let id = self.waiting[n].0;
            if self.habits.gated && self.session.is_blocked(id) {
                n += 1;
                continue;
            }
            let (_, part) = self.waiting.remove(n);
            let taken = self.hand_over(id, &part);
            let all = taken == part.len();
            if !all {
                self.waiting.insert(n, (id, part[taken..].to_vec()));
                n += 1;
            }
            self.outputs = 0;
            self.drain(net);
            if all && self.living.contains_key(&id.0) {
                net.resume(self.now, self.who, id);
            }
        }
    }

    fn act(&mut self, net: &mut Net, action: Action) {
        note!(self, "host: {action:?}");
        let at = self.at();
        let streams = self.show.streams.len();
        match action {
            Action::Seek(thousandth) => {
                let to = self.place(thousandth);
                if self.session.seek(at, to).is_ok() {
                    self.owed.clear();
                    (0..streams).for_each(|s| self.rules.forget(s));
                }
            }
            Action::Select(s, on) => {
                let id = StreamId(s as u16);
                let selection = if on { Selection::On } else { Selection::Off };
                let was = self.session.stream_stats(id).is_some();
                if self.session.select(at, id, selection).is_ok() && was != on {
                    self.owed.retain(|o| o.1 != id);
                    self.rules.forget(s);
                    self.screen.ears[s].silent = !on;
                }
            }
            Action::Pause => {
                self.paused = true;
                self.session.pause(at);
            }
            Action::Play => {
                self.paused = false;
                self.session.play(at);
            }
            Action::Restrict(mask) => {
                let _ = self.session.restrict(at, StreamId(0), mask);
            }
            Action::Jump(by) => {
                // Nobody notices before the next call.
                self.offset += by;
                return;
            }
            Action::Sleep(long) => {
                self.asleep_until = self.now + long;
                self.screen.asleep_until = self.asleep_until;
            }
            Action::Full(until) => self.screen.full_until = until,
            Action::Later(until) => self.screen.later_until = until,
            Action::Unplayable(which) => {
                let levels = &self.show.streams[0].bitrates;
                let bitrate = levels[which as usize % levels.len()];
                self.screen.unplayable.push((bitrate, u64::MAX));
            }
            Action::SeekLive => {
                if self.session.seek_live(at).is_ok() {
                    self.owed.clear();
                    (0..streams).for_each(|s| self.rules.forget(s));
                }
            }
            Action::Suspend => drop(self.session.suspend(at)),
            Action::Resume => {
                if self.session.resume(at).is_ok() {
                    self.owed.clear();
                    (0..streams).for_each(|s| self.rules.forget(s));
                }
            }
            Action::Network(up) => {
                let _ = self.session.network(at, if up { Network::Up } else { Network::Down });
            }
        }
        self.outputs = 0;
        self.drain(net);
    }

    /// A place in what can be seen now.
    fn place(&self, thousandth: u64) -> MediaTime {
        let list = self.show.listed(0, self.now);
        let (Some(first), Some(last)) = (list.first(), list.last()) else { return MediaTime(0) };
        let stream = &self.show.streams[0];
        let (from, to) = (stream.hns(self.show.start(0, *first)), stream.hns(self.show.stop(0, *last)));
        MediaTime(from + (to - from) / 1000 * thousandth as i64)
    }

    fn pay(&mut self, net: &mut Net, stream: StreamId, owed: Owed) {
        let input = match owed {
            Owed::Configured(answer) => Input::Configured(stream, answer),
            Owed::Taken(true) => Input::Accepted(stream),
            Owed::Taken(false) => Input::Refused(stream),
        };
        self.input(net, input);
    }

    pub fn input(&mut self, net: &mut Net, input: Input<'_>) {
        self.outputs = 0;
        self.session.input(self.at(), input);
        self.drain(net);
    }

    /// Polls until idle and checks every output.
    fn drain(&mut self, net: &mut Net) {
        loop {
            self.outputs += 1;
            if self.outputs > MOST_OUTPUTS {
                return self.broken("outputs without end".into());
            }
            if self.breach.is_some() {
                return;
            }
            let stats = self.session.stats();
            if stats.held > self.session.config().budget {
                return self.broken(format!("{} bytes held of {}", stats.held, self.session.config().budget));
            }
            let mut answer = None;
            let mut checked = Ok(());
            match self.session.poll() {
                Output::Idle(until) => {
                    let deadline = until.map(|u| self.when(u));
                    if self.log.is_some() && deadline != self.deadline {
                        let told = deadline.map_or(f64::INFINITY, |d| d as f64 / 1e6);
                        note!(self, "idle until {told:.6}");
                    }
                    self.deadline = deadline;
                    return;
                }
                Output::Request(r) => {
                    let (id, kind, stream) = (r.id, r.kind, r.stream);
                    let arrives = self.now + net.rtt / 2;
                    let (answer, given) =
                        origin::answer(&self.show, &self.script, arrives, r.url, kind, &mut self.dice);
                    note!(
                        self,
                        "request {} {} try {}: {} {:?}{}",
                        id.0,
                        r.url,
                        r.attempt,
                        given.status,
                        answer.wire,
                        if answer.faulted { " faulted" } else { "" }
                    );
                    checked = self.rules.request(&self.show, self.now, r.url, &given, answer.faulted);
                    self.living.insert(id.0, answer.faulted);
                    if let Some(asked) = &mut self.asked {
                        asked.push(self.now);
                    }
                    net.start(self.now, self.who, stream.map_or(0, |s| u32::from(s.0) + 1), id, answer);
                }
                Output::Cancel(id) => {
                    note!(self, "cancel {}", id.0);
                    self.waiting.retain(|w| w.0 != id);
                    let faulted = net.cancel(self.who, id);
                    match self.living.remove(&id.0) {
                        Some(more) if faulted || more => self.disturb(),
                        Some(_) => {}
                        None => checked = Err(format!("cancelled what is over: {}", id.0)),
                    }
                }
                Output::Configure(c) => {
                    let s = usize::from(c.stream.0);
                    let said = self.screen.configure(self.now, s, c.bitrate);
                    note!(self, "configure {s} epoch {} {} {said:?}", c.epoch.0, c.bitrate);
                    answer = Some((c.stream, Owed::Configured(said)));
                }
                Output::Sample(s) => {
                    let taken = self.screen.offer(self.now, &s);
                    note!(
                        self,
                        "sample {} epoch {} fragment {} at {} flags {} {}",
                        s.stream.0,
                        s.epoch.0,
                        s.fragment,
                        s.dts.0,
                        s.flags.0,
                        if taken { "taken" } else { "refused" }
                    );
                    checked = self.rules.sample(&self.show, &s, taken);
                    answer = Some((s.stream, Owed::Taken(taken)));
                }
                Output::Rate(rate) => {
                    note!(self, "rate {rate:?}");
                    if rate != Rate::Hold && !self.screen.running() {
                        self.begun = Some(self.now);
                    }
                    self.screen.order(self.now, rate);
                }
                Output::Flush(stream, epoch) => {
                    note!(self, "flush {} {}", stream.0, epoch.0);
                    let s = usize::from(stream.0);
                    self.owed.retain(|o| o.1 != stream);
                    self.screen.flush(s);
                    checked = self.rules.flush(s, epoch.0);
                }
                Output::EndOfStream(stream, epoch) => {
                    note!(self, "end {} {}", stream.0, epoch.0);
                    let s = usize::from(stream.0);
                    self.screen.ears[s].ended = true;
                    checked = self.rules.end(&self.show, self.now, s, epoch.0);
                }
                Output::Event(e) => {
                    note!(
                        self,
                        "event {:?} {:?} {:?} {:?} http {} a {} b {}",
                        e.kind,
                        e.stream.map(|s| s.0),
                        e.error.map(|e| e.to_string()),
                        e.media_time.map(|t| t.0),
                        e.http_status,
                        e.a,
                        e.b
                    );
                    if let (EventKind::StreamDropped, Some(stream)) = (e.kind, e.stream) {
                        self.screen.ears[usize::from(stream.0)].silent = true;
                    }
                    if e.kind == EventKind::Retry {
                        // What had come of a body that is no good counted when the clock was set running.
                        self.begun = None;
                    }
                    checked = self.rules.event(self.now, &e).and_then(|()| match e.kind {
                        EventKind::Stalled => self.check_start(),
                        _ => Ok(()),
                    });
                }
                other => checked = Err(format!("nobody asked for {other:?}")),
            }
            self.check(checked);
            if let Some((stream, owed)) = answer {
                if self.habits.slow > 0 {
                    let due = self.now + self.dice.below(self.habits.slow);
                    self.owed.push((due, stream, owed));
                } else {
                    self.outputs = 0;
                    match owed {
                        Owed::Configured(a) => self.session.input(self.at(), Input::Configured(stream, a)),
                        Owed::Taken(true) => self.session.input(self.at(), Input::Accepted(stream)),
                        Owed::Taken(false) => self.session.input(self.at(), Input::Refused(stream)),
                    }
                }
            }
        }
    }

    /// What must hold when a run is over.
    pub fn close(&mut self) {
        let state = self.session.state();
        let counts = self.rules.counts;
        let failed = matches!(state, State::Failed(_));
        if counts.failed != u64::from(failed) {
            self.broken(format!("{} fatal errors reported in state {state:?}", counts.failed));
        }
        if state == State::Ended && counts.ended == 0 {
            self.broken("the end was not reported".into());
        }
        if self.finished() && !self.living.is_empty() {
            let living: Vec<_> = self.living.keys().copied().collect();
            self.broken(format!("never cancelled nor finished: {living:?}"));
        }
        if self.session.stats().peak_held > self.session.config().budget {
            self.broken("over budget".into());
        }
    }
}

/// Runs one session on its own link until it is over, or until then.
pub fn run(world: &mut World, net: &mut Net, until: u64) {
    while !world.over() && world.now < until {
        let mut next = world.next_time();
        if world.now >= world.asleep_until
            && let Some(at) = net.next_time()
        {
            next = next.min(at.max(world.now));
        }
        if next == u64::MAX {
            let figures = world.figures();
            world.broken(format!("idle for ever: {figures}"));
            return;
        }
        world.run_to(net, next.min(until));
    }
}
