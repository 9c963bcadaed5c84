//! Drives a [`Session`] against ports, one turn a call.
//!
//! [`Player::step`] is event-loop mode: it never blocks and says when to be called again. [`Player::run`] and
//! [`Player::run_until`] are blocking mode: the same steps with waits between.

use crate::error::{Code, Error, Result};
use crate::io::{Epoch, Event, Input, Kind, LiveWindow, Network, Outcome, Output, RequestId, StreamId};
use crate::port::{Clock, Decoder, Decryption, Http, NoProtection, Progress, Protection, Submitted};
use crate::session::{Config, ProtectionMode, Session, State};
use crate::time::{Instant, Micros};

/// Exchanges and streams a player serves at once.
const MOST: usize = 32;
/// Rounds of moving bytes in one step: enough to keep up, few enough to return soon.
const ROUNDS: usize = 16;
/// Blocking mode looks again after this while an exchange is open: its clock may not hear sockets.
const LOOK_AGAIN: Micros = Micros::from_millis(5);

/// A session and its ports.
#[derive(Debug)]
pub struct Player<H, D, P = NoProtection> {
    session: Session,
    http: H,
    decoder: D,
    protection: P,
    exchanges: heapless::Vec<Open, MOST>,
    streams: heapless::Vec<StreamId, MOST>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    id: RequestId,
    answered: bool,
}

/// What a step left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Call again at this instant, or earlier when a port has something new; `None`: only then.
    pub next: Option<Instant>,
    /// Where the session stands.
    pub state: State,
}

/// Why [`Player::run_until`] returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ran {
    /// The instant has come, or the clock was interrupted. There is more to play.
    Stopped,
    /// Everything has been shown.
    Ended,
}

impl<H: Http, D: Decoder> Player<H, D> {
    /// A player under `config`; what the decoder is comes from its port.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn new(config: Config, http: H, decoder: D) -> Result<Player<H, D>> {
        Player::with_protection(config, http, decoder, NoProtection)
    }
}

impl<H: Http, D: Decoder, P: Protection> Player<H, D, P> {
    /// A player of protected content: who decrypts comes from the protection port.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn with_protection(config: Config, http: H, decoder: D, protection: P) -> Result<Player<H, D, P>> {
        let mode = match protection.decryption() {
            None => config.protection,
            Some(Decryption::Decoder) => ProtectionMode::Decoder,
            Some(Decryption::Port) => ProtectionMode::Decrypt,
        };
        let config = Config { decoder: decoder.traits(), protection: mode, ..config };
        Ok(Player {
            session: Session::new(config)?,
            http,
            decoder,
            protection,
            exchanges: heapless::Vec::new(),
            streams: heapless::Vec::new(),
        })
    }

    /// Starts to play the presentation at `url`.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open(&mut self, at: Instant, url: &str) -> Result<()> {
        self.session.open(at, url)
    }

    /// Does what can be done now. Events go to `on_event` as they come.
    pub fn step(&mut self, at: Instant, on_event: &mut impl FnMut(&Event)) -> Turn {
        self.report(at);
        let mut next = self.drain(at, on_event);
        let mut moved = false;
        for _ in 0..ROUNDS {
            moved = self.pump(at);
            if !moved {
                break;
            }
            next = self.drain(at, on_event);
        }
        if !moved {
            // A timeout at the end lets refused samples be offered again and deadlines be seen.
            self.session.input(at, Input::Timeout);
            next = self.drain(at, on_event);
        }
        if moved {
            next = Some(at);
        } else if self.session.state() == State::Ended {
            next = self.played_out_at(at);
        }
        Turn { next, state: self.session.state() }
    }

    /// Plays to the end, waiting on `clock`.
    ///
    /// # Errors
    /// The session's fatal error.
    pub fn run(&mut self, clock: &mut impl Clock, on_event: &mut impl FnMut(&Event)) -> Result<()> {
        // Each turn plays until the clock is interrupted, for which nobody here has a use.
        while self.run_until(clock, Instant(u64::MAX), on_event)? == Ran::Stopped {}
        Ok(())
    }

    /// Plays as [`Player::run`] does, but returns when `clock` says `until`, or that it was interrupted: the moment to seek,
    /// to select, or to stop. Called again it plays on. At least one step is made a call; what fell due at `until` itself is
    /// done by the next call.
    ///
    /// # Errors
    /// The session's fatal error; [`Code::State`] before [`Player::open`].
    pub fn run_until(
        &mut self,
        clock: &mut impl Clock,
        until: Instant,
        on_event: &mut impl FnMut(&Event),
    ) -> Result<Ran> {
        let mut now = clock.now();
        loop {
            let turn = self.step(now, on_event);
            match turn.state {
                State::Failed(error) => return Err(error),
                State::New => return Err(Code::State.into()),
                State::Ended if self.is_played_out() => return Ok(Ran::Ended),
                State::Ended | State::Opening | State::Playing => {}
            }
            let cap = now.after(LOOK_AGAIN);
            let next = match turn.next {
                Some(next) if next < cap => next,
                Some(next) if self.exchanges.is_empty() => next,
                _ => cap,
            };
            if next.min(until) > now {
                clock.wait(next.min(until));
            }
            now = clock.now();
            if clock.interrupted() || now >= until {
                return Ok(Ran::Stopped);
            }
        }
    }

    /// Whether everything was handed over and the decoders hold nothing more to show.
    pub fn is_played_out(&mut self) -> bool {
        let decoder = &mut self.decoder;
        self.session.state() == State::Ended
            && self.streams.iter().all(|s| decoder.status(*s).depth == Micros::ZERO)
    }

    /// Ends every exchange in flight through the port. For the moment before the player goes; do not step it again.
    pub fn shut_down(&mut self) {
        while let Some(open) = self.exchanges.pop() {
            self.http.cancel(open.id);
        }
        if self.protection.decryption().is_some() {
            // Nothing may lie in a secure decoder when its key session ends.
            while let Some(stream) = self.streams.pop() {
                self.decoder.flush(stream, Epoch(u32::MAX));
            }
            self.protection.close();
        }
    }

    /// When the decoders will have shown what they hold; `None` when they have.
    fn played_out_at(&mut self, at: Instant) -> Option<Instant> {
        let decoder = &mut self.decoder;
        let longest = self.streams.iter().map(|s| decoder.status(*s).depth).max()?;
        (longest > Micros::ZERO).then(|| at.after(longest))
    }

    /// The session: state, figures, seeking and selection.
    pub const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Where a live presentation can be played; `None` for another one.
    pub fn live(&self) -> Option<LiveWindow> {
        self.session.live()
    }

    /// Goes to the live edge.
    ///
    /// # Errors
    /// As [`Session::seek_live`].
    pub fn seek_live(&mut self, at: Instant) -> Result<()> {
        self.session.seek_live(at)
    }

    /// The box goes to sleep. One more step cancels what is in flight; none is needed until [`Player::resume`].
    ///
    /// # Errors
    /// As [`Session::suspend`].
    pub fn suspend(&mut self, at: Instant) -> Result<()> {
        self.session.suspend(at)
    }

    /// The box is awake again.
    ///
    /// # Errors
    /// As [`Session::resume`].
    pub fn resume(&mut self, at: Instant) -> Result<()> {
        self.session.resume(at)
    }

    /// The network has gone, or come back.
    ///
    /// # Errors
    /// As [`Session::network`].
    pub fn network(&mut self, at: Instant, network: Network) -> Result<()> {
        self.session.network(at, network)
    }

    /// The decoder port.
    pub const fn decoder(&mut self) -> &mut D {
        &mut self.decoder
    }

    /// The protection port.
    pub const fn protection(&mut self) -> &mut P {
        &mut self.protection
    }

    /// The HTTP port.
    pub const fn http(&mut self) -> &mut H {
        &mut self.http
    }

    /// Tells the session what the decoders hold and how far the keys are.
    fn report(&mut self, at: Instant) {
        let mut n = 0usize;
        // The session bounds them.
        while let Some((keys, before)) = self.session.key(n) {
            match self.protection.key(keys) {
                Some(status) if status != before => self.session.input(at, Input::Key(keys, status)),
                _ => {}
            }
            n = n.saturating_add(1);
        }
        for stream in &self.streams {
            let held = self.decoder.status(*stream);
            self.session.input(at, Input::Buffered(*stream, held));
        }
    }

    /// Does what the session asks until it is idle.
    fn drain(&mut self, at: Instant, on_event: &mut impl FnMut(&Event)) -> Option<Instant> {
        loop {
            match self.session.poll() {
                Output::Idle(next) => return next,
                Output::Event(event) => on_event(&event),
                Output::Request(request) => {
                    let id = request.id;
                    let room = !self.exchanges.is_full();
                    let started = if room { self.http.start(at, &request) } else { Err(Code::NetworkIo) };
                    match started {
                        Ok(()) => {
                            let _ = self.exchanges.push(Open { id, answered: false });
                        }
                        Err(code) => self.failed(at, id, code),
                    }
                }
                Output::Cancel(id) => self.close(id),
                Output::Configure(setup) => {
                    let stream = setup.stream;
                    let answer = self.decoder.configure(&setup);
                    // Nothing waits for text, so nobody asks what is left of it.
                    if setup.kind != Kind::Text && !self.streams.contains(&stream) {
                        let _ = self.streams.push(stream);
                    }
                    self.session.input(at, Input::Configured(stream, answer));
                }
                Output::Sample(sample) => {
                    let stream = sample.stream;
                    match self.decoder.submit(&sample) {
                        Ok(Submitted::Accepted) => self.session.input(at, Input::Accepted(stream)),
                        Ok(Submitted::Refused) => self.session.input(at, Input::Refused(stream)),
                        Err(code) => self.session.abort(Error::at(decoder_fault(code), "decoder", 0)),
                    }
                }
                Output::Protection(offer) if cfg!(feature = "protection") => self.protection.offer(&offer),
                Output::Decrypt(mut sample) if cfg!(feature = "protection") => {
                    let stream = sample.stream;
                    let answer = self.protection.decrypt(&mut sample);
                    self.session.input(at, Input::Decrypted(stream, answer));
                }
                Output::Capability(candidate) if cfg!(feature = "capabilities") => {
                    let (stream, position) = (candidate.stream, candidate.position);
                    let answer = self.decoder.can_play(&candidate);
                    self.session.input(at, Input::Capable(stream, position, answer));
                }
                Output::Captions(captions) if cfg!(feature = "text") => self.decoder.captions(&captions),
                // Of features that this build has not.
                Output::Protection(_) | Output::Decrypt(_) | Output::Capability(_) | Output::Captions(_) => {}
                Output::Rate(rate) => self.decoder.rate(rate),
                Output::Flush(stream, epoch) => self.decoder.flush(stream, epoch),
                Output::EndOfStream(stream, epoch) => self.decoder.end(stream, epoch),
            }
        }
    }

    /// Moves bytes of every open exchange once; whether any moved.
    fn pump(&mut self, at: Instant) -> bool {
        let mut moved = false;
        let mut n = 0usize;
        while let Some(&Open { id, answered }) = self.exchanges.get(n) {
            moved |= if answered { self.read(at, id) } else { self.await_head(at, id, n) };
            // An exchange that closed has made its place free for the last one.
            if self.exchanges.get(n).is_some_and(|e| e.id == id) {
                n = n.saturating_add(1);
            }
        }
        moved
    }

    fn await_head(&mut self, at: Instant, id: RequestId, n: usize) -> bool {
        match self.http.response(at, id) {
            Progress::Ready(head) => {
                self.session.input(at, Input::Response(id, head));
                if let Some(open) = self.exchanges.get_mut(n) {
                    open.answered = true;
                }
                true
            }
            Progress::Pending => false,
            Progress::End => self.finish(at, id, Outcome::Failed(Code::HttpSyntax)),
            Progress::Failed(code) => self.give_up(at, id, code),
        }
    }

    fn read(&mut self, at: Instant, id: RequestId) -> bool {
        let space = self.session.space(id);
        if space.is_empty() {
            // Unknown by now, or no memory: leave the bytes on the wire.
            return false;
        }
        let most = space.len();
        match self.http.read(at, id, space) {
            Progress::Ready(0) | Progress::Pending => false,
            Progress::Ready(count) if count <= most => {
                self.session.filled(at, id, count);
                true
            }
            Progress::Ready(_) => self.give_up(at, id, Code::PortContract),
            Progress::End => self.finish(at, id, Outcome::Complete),
            Progress::Failed(code) => self.give_up(at, id, code),
        }
    }

    fn give_up(&mut self, at: Instant, id: RequestId, code: Code) -> bool {
        self.close(id);
        self.failed(at, id, code);
        true
    }

    /// Tells of a closed exchange. A port that breaks its contract ends the session: retrying would not mend it.
    fn failed(&mut self, at: Instant, id: RequestId, code: Code) {
        match code {
            Code::PortContract => self.session.abort(Error::at(code, "http", 0)),
            _ => self.session.input(at, Input::Finished(id, Outcome::Failed(code))),
        }
    }

    fn finish(&mut self, at: Instant, id: RequestId, outcome: Outcome) -> bool {
        self.close(id);
        self.session.input(at, Input::Finished(id, outcome));
        true
    }

    fn close(&mut self, id: RequestId) {
        if let Some(n) = self.exchanges.iter().position(|e| e.id == id) {
            if n < self.exchanges.len() {
                self.exchanges.swap_remove(n);
            }
            self.http.cancel(id);
        }
    }
}

/// What a decoder's refusal for good is called: its own fault, unless the core or the contract is to blame.
const fn decoder_fault(code: Code) -> Code {
    match code {
        Code::PortContract | Code::Budget | Code::NoMemory => code,
        _ => Code::DecoderFailed,
    }
}

impl<H, D, P> Player<H, D, P> {
    /// The ports, once the player is done with them.
    pub fn into_ports(self) -> (H, D) {
        (self.http, self.decoder)
    }

    /// All three ports, once the player is done with them.
    pub fn into_all_ports(self) -> (H, D, P) {
        (self.http, self.decoder, self.protection)
    }
}
