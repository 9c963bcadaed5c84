//! The three driving modes over the rig.

use smoothcore::io::{Epoch, Event, EventKind, Input, Keys, Kind, Outcome, Output, RequestId, StreamId};
use smoothcore::player::{Player, Ran};
use smoothcore::port::{Clock, Decoder, Decryption, Http, Progress, Protection, Submitted};
use smoothcore::session::{Config, ProtectionMode, Session, State, Stats};
use smoothcore::time::Instant;

use super::{Agent, Link, Recorder};

/// Virtual time between two looks, in microseconds.
pub const TICK: u64 = 5_000;
/// A run that takes longer in virtual time is stuck.
const LONGEST: u64 = 600_000_000;

/// Who drives the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    SansIo,
    EventLoop,
    Blocking,
}

/// What a run left.
pub struct Played {
    pub state: State,
    pub stats: Stats,
    pub events: Vec<Event>,
    pub link: Link,
    pub decoder: Recorder,
    pub agent: Agent,
    pub micros: u64,
}

impl Played {
    pub fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|e| e.kind == kind).count()
    }
}

/// Plays the rig's presentation to the end, or to a fatal error.
pub fn play(mode: Mode, config: Config, link: Link, decoder: Recorder) -> Played {
    play_with(mode, config, link, decoder, |_, _| {})
}

/// The same; `at_tick` sees the session at every tick.
pub fn play_with(
    mode: Mode,
    config: Config,
    link: Link,
    decoder: Recorder,
    at_tick: impl FnMut(u64, &mut Session),
) -> Played {
    play_sealed(mode, config, link, decoder, Agent::none(), at_tick)
}

/// The same with a DRM agent.
pub fn play_sealed(
    mode: Mode,
    config: Config,
    link: Link,
    decoder: Recorder,
    agent: Agent,
    at_tick: impl FnMut(u64, &mut Session),
) -> Played {
    match mode {
        Mode::SansIo => sans_io(config, link, decoder, agent, at_tick),
        Mode::EventLoop => event_loop(config, link, decoder, agent, at_tick),
        Mode::Blocking => blocking(config, link, decoder, agent, at_tick),
    }
}

pub const URL: &str = "http://origin.test/vod/testcard.ism/Manifest";

fn event_loop(
    config: Config,
    link: Link,
    decoder: Recorder,
    agent: Agent,
    mut at_tick: impl FnMut(u64, &mut Session),
) -> Played {
    let mut events = Vec::new();
    let mut player = Player::with_protection(config, link, decoder, agent).unwrap();
    player.open(Instant(0), URL).unwrap();
    let mut now = 0;
    let state = loop {
        player.decoder().advance(now);
        player.protection().clock.set(now);
        let turn = player.step(Instant(now), &mut |e| events.push(*e));
        at_tick(now, player.session());
        match turn.state {
            State::Failed(_) => break turn.state,
            State::Ended if player.is_played_out() => break turn.state,
            _ => {}
        }
        if turn.next != Some(Instant(now)) {
            now += TICK;
        }
        assert!(now < LONGEST, "stuck: {:?} {:#?}", turn, player.session().stats());
    };
    let stats = player.session().stats();
    player.shut_down();
    let (link, decoder, agent) = player.into_all_ports();
    Played { state, stats, events, link, decoder, agent, micros: now }
}

/// A clock that moves only when somebody waits, and takes the decoder along.
struct Virtual<'a> {
    now: &'a std::cell::Cell<u64>,
}

impl Clock for Virtual<'_> {
    fn now(&mut self) -> Instant {
        Instant(self.now.get())
    }

    fn wait(&mut self, until: Instant) {
        assert!(until.0 > self.now.get());
        self.now.set(self.now.get() + TICK);
        assert!(self.now.get() < LONGEST, "stuck");
    }
}

/// A recorder that looks at the shared clock itself, as a port in blocking mode does.
struct Clocked<'a> {
    now: &'a std::cell::Cell<u64>,
    inner: Recorder,
}

impl Decoder for Clocked<'_> {
    fn traits(&self) -> smoothcore::io::DecoderTraits {
        self.inner.traits()
    }
    fn configure(&mut self, setup: &smoothcore::io::Configure<'_>) -> smoothcore::io::Configured {
        self.inner.advance(self.now.get());
        self.inner.configure(setup)
    }
    fn submit(&mut self, sample: &smoothcore::io::Sample<'_>) -> Result<Submitted, smoothcore::error::Code> {
        self.inner.advance(self.now.get());
        self.inner.submit(sample)
    }
    fn status(&mut self, stream: StreamId) -> smoothcore::io::Buffered {
        self.inner.advance(self.now.get());
        self.inner.status(stream)
    }
    fn flush(&mut self, stream: StreamId, epoch: smoothcore::io::Epoch) {
        self.inner.flush(stream, epoch);
    }
    fn end(&mut self, stream: StreamId, epoch: smoothcore::io::Epoch) {
        self.inner.end(stream, epoch);
    }
    fn can_play(&mut self, candidate: &smoothcore::io::Candidate<'_>) -> smoothcore::io::Capable {
        self.inner.can_play(candidate)
    }
    fn captions(&mut self, captions: &smoothcore::io::Captions<'_>) {
        self.inner.captions(captions);
    }
    fn rate(&mut self, rate: smoothcore::io::Rate) {
        self.inner.advance(self.now.get());
        self.inner.rate(rate);
    }
}

fn blocking(
    config: Config,
    link: Link,
    decoder: Recorder,
    agent: Agent,
    mut at_tick: impl FnMut(u64, &mut Session),
) -> Played {
    let now = agent.clock.clone();
    let mut events = Vec::new();
    let decoder = Clocked { now: &now, inner: decoder };
    let mut player = Player::with_protection(config, link, decoder, agent).unwrap();
    player.open(Instant(0), URL).unwrap();
    loop {
        // The clock moves on before it returns: the tick is that of the step.
        let tick = now.get();
        let ran =
            player.run_until(&mut Virtual { now: &now }, Instant(tick + TICK), &mut |e| events.push(*e));
        at_tick(tick, player.session());
        if !matches!(ran, Ok(Ran::Stopped)) && !matches!(player.session().state(), State::Playing) {
            break;
        }
    }
    let (state, stats) = (player.session().state(), player.session().stats());
    player.shut_down();
    let (link, decoder, agent) = player.into_all_ports();
    Played { state, stats, events, link, decoder: decoder.inner, agent, micros: now.get() }
}

/// The host moves every byte itself, in the order the player would.
fn sans_io(
    config: Config,
    mut link: Link,
    mut decoder: Recorder,
    mut agent: Agent,
    mut at_tick: impl FnMut(u64, &mut Session),
) -> Played {
    let protection = match agent.decryption {
        None => config.protection,
        Some(Decryption::Decoder) => ProtectionMode::Decoder,
        Some(Decryption::Port) => ProtectionMode::Decrypt,
    };
    let config = Config { decoder: decoder.traits, protection, ..config };
    let mut session = Session::new(config).unwrap();
    session.open(Instant(0), URL).unwrap();
    let mut events = Vec::new();
    let mut open: Vec<(RequestId, bool)> = Vec::new();
    let mut streams: Vec<StreamId> = Vec::new();
    let mut now = 0u64;
    let state = loop {
        let at = Instant(now);
        decoder.advance(now);
        agent.clock.set(now);
        for s in streams.clone() {
            let held = decoder.status(s);
            session.input(at, Input::Buffered(s, held));
        }
        let keys: Vec<Keys> = (0..).map_while(|n| session.key(n).map(|k| k.0)).collect();
        for name in keys {
            if let Some(status) = agent.key(name) {
                session.input(at, Input::Key(name, status));
            }
        }
        drain(&mut session, at, &mut link, &mut decoder, &mut agent, &mut open, &mut streams, &mut events);
        let mut moved = false;
        for _ in 0..16 {
            moved = false;
            let mut n = 0;
            while n < open.len() {
                let (id, answered) = open[n];
                if !answered {
                    match link.response(at, id) {
                        Progress::Ready(head) => {
                            session.input(at, Input::Response(id, head));
                            open[n].1 = true;
                            moved = true;
                        }
                        Progress::Pending => {}
                        other => panic!("{other:?}"),
                    }
                } else if !session.space(id).is_empty() {
                    // Half of the bytes go in by copy, half in place.
                    let mut buffer = vec![0; session.space(id).len()];
                    match link.read(at, id, &mut buffer) {
                        Progress::Ready(count) => {
                            if count % 2 == 0 {
                                session.space(id)[..count].copy_from_slice(&buffer[..count]);
                                session.filled(at, id, count);
                            } else {
                                assert_eq!(session.body(at, id, &buffer[..count]), count);
                            }
                            moved = true;
                        }
                        Progress::Pending => {}
                        done => {
                            open.swap_remove(n);
                            link.cancel(id);
                            let outcome = match done {
                                Progress::Failed(code) => Outcome::Failed(code),
                                _ => Outcome::Complete,
                            };
                            session.input(at, Input::Finished(id, outcome));
                            moved = true;
                            continue;
                        }
                    }
                }
                n += 1;
            }
            if !moved {
                break;
            }
            drain(
                &mut session,
                at,
                &mut link,
                &mut decoder,
                &mut agent,
                &mut open,
                &mut streams,
                &mut events,
            );
        }
        if !moved {
            session.input(at, Input::Timeout);
            drain(
                &mut session,
                at,
                &mut link,
                &mut decoder,
                &mut agent,
                &mut open,
                &mut streams,
                &mut events,
            );
        }
        at_tick(now, &mut session);
        match session.state() {
            State::Failed(_) => break session.state(),
            State::Ended if streams.iter().all(|s| decoder.status(*s).depth.0 == 0) => break session.state(),
            _ => {}
        }
        if !moved {
            now += TICK;
        }
        assert!(now < LONGEST, "stuck");
    };
    if agent.decryption.is_some() {
        for stream in streams.iter().rev() {
            decoder.flush(*stream, Epoch(u32::MAX));
        }
        agent.close();
    }
    Played { state, stats: session.stats(), events, link, decoder, agent, micros: now }
}

#[allow(clippy::too_many_arguments)]
fn drain(
    session: &mut Session,
    at: Instant,
    link: &mut Link,
    decoder: &mut Recorder,
    agent: &mut Agent,
    open: &mut Vec<(RequestId, bool)>,
    streams: &mut Vec<StreamId>,
    events: &mut Vec<Event>,
) {
    for outputs in 0.. {
        assert!(outputs < 10_000, "a bounded number of outputs follows one input");
        match session.poll() {
            Output::Idle(_) => return,
            Output::Event(e) => events.push(e),
            Output::Request(r) => {
                link.start(at, &r).unwrap();
                open.push((r.id, false));
            }
            Output::Cancel(id) => {
                if let Some(n) = open.iter().position(|(o, _)| *o == id) {
                    open.swap_remove(n);
                    link.cancel(id);
                }
            }
            Output::Configure(setup) => {
                let (stream, answer) = (setup.stream, decoder.configure(&setup));
                if setup.kind != Kind::Text && !streams.contains(&stream) {
                    streams.push(stream);
                }
                session.input(at, Input::Configured(stream, answer));
            }
            Output::Sample(sample) => {
                let stream = sample.stream;
                match decoder.submit(&sample).unwrap() {
                    Submitted::Accepted => session.input(at, Input::Accepted(stream)),
                    Submitted::Refused => session.input(at, Input::Refused(stream)),
                }
            }
            Output::Protection(offer) => agent.offer(&offer),
            Output::Decrypt(mut sample) => {
                let stream = sample.stream;
                let answer = agent.decrypt(&mut sample);
                session.input(at, Input::Decrypted(stream, answer));
            }
            Output::Capability(candidate) => {
                let (stream, position) = (candidate.stream, candidate.position);
                let answer = decoder.can_play(&candidate);
                session.input(at, Input::Capable(stream, position, answer));
            }
            Output::Captions(captions) => decoder.captions(&captions),
            Output::Rate(rate) => decoder.rate(rate),
            Output::Flush(stream, epoch) => decoder.flush(stream, epoch),
            Output::EndOfStream(stream, epoch) => decoder.end(stream, epoch),
        }
    }
}
