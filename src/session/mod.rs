//! The sans-IO state machine of one presentation.
//!
//! A [`Session`] is told what happened ([`Input`], [`Session::body`]) and asked what to do ([`Session::poll`]). It
//! reads no clock, opens no socket and starts no thread. The contract, each clause of which has a test:
//!
//! 1. Apply one input, then poll until [`Output::Idle`].
//! 2. Early timeouts are harmless, late ones only cost quality.
//! 3. Inputs for an unknown or cancelled exchange are ignored.
//! 4. A bounded number of outputs follows one input.
//! 5. No input makes the session hold more than its budget.
//! 6. Fatal errors are sticky.
//! 7. A sample the decoder refused is offered again unchanged.
//! 8. The epoch rises with every flush and travels on configure, sample, flush and end.
//! 9. An encrypted sample leaves only with a key that is ready, to a decoder that was set up with that key.

mod blocked;
mod budget;
mod capability;
mod captions;
mod clock;
mod config;
mod deliver;
mod failing;
mod feed;
mod fragment;
mod framing;
mod given;
mod init;
mod live;
mod open;
mod protect;
mod receive;
mod restrict;
mod retry;
mod schedule;
mod seek;
mod stats;
#[cfg(feature = "planner")]
mod switching;
mod text;
mod tracks;
#[cfg(not(feature = "planner"))]
mod unplanned;

pub use config::{
    Abandonment, AudioChoice, BehindPolicy, CaptionChoice, Config, LiveConfig, LiveStart, Objective,
    PictureCap, Prior, ProtectionMode, Replacement, SwitchingConfig, SwitchingRule, TextChoice, WindowChoice,
};
pub use given::{Cue, GivenText};
pub use init::{INIT_TRACK_ID, init_segment};
pub use seek::Selection;
pub use stats::{Stats, StreamStats};

use crate::abr::Throughput;
use crate::error::{Code, Error, Result};
use crate::io::{DecoderTraits, Epoch, Event, EventKind, Input, Output, RequestId, StreamId};
use crate::manifest::{Deviation, Manifest, ManifestParser, Strictness};
use crate::mem::{Account, Bytes, List, Pool, Text};
use crate::time::Instant;
use crate::trace;

use capability::Asking;
use clock::Presentation;
use feed::Feed;
use live::{LIVE, Live};
use protect::Protect;
use retry::{Exchange, Retry, Rng};
#[cfg(feature = "planner")]
use switching::Switching;

/// Events kept for a host that polls slowly.
const EVENTS: usize = 64;

/// Where the session stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Made, not opened.
    New,
    /// The manifest is being fetched.
    Opening,
    /// Fragments are being fetched and handed out.
    Playing,
    /// Every selected stream has been handed over to its end.
    Ended,
    /// A fatal error; only dropping the session is left.
    Failed(Error),
}

/// One presentation being played.
#[derive(Debug)]
pub struct Session {
    config: Config,
    account: Account,
    pool: Pool,
    state: State,
    now: Instant,
    opened_at: Instant,
    rng: Rng,

    /// As the host gave it; refreshes go here.
    url: Text,
    /// After redirects; fragment URLs are relative to this.
    base: Text,
    /// The URL being handed out.
    request_url: Text,
    next_request: u32,

    // At most one, while a manifest arrives; half as large as a session.
    parser: List<ManifestParser>,
    manifest: Option<Manifest>,
    /// The deviation for which a strict session refused the manifest.
    refused: Option<Deviation>,
    opening: Option<Exchange>,
    opening_retry: Retry,
    /// When the origin last gave media.
    alive: Instant,
    /// Until when an outage that has begun since then is waited out.
    outage: Option<Instant>,
    cancel: Option<RequestId>,
    inbox: Bytes,

    feeds: List<Feed>,
    live: Live,
    protect: Protect,
    /// The question that the decoder is being asked.
    asking: Option<Asking>,
    shared_blocks: usize,
    media_blocks: usize,
    epoch: Epoch,
    throughput: Throughput,
    #[cfg(feature = "planner")]
    switching: Switching,
    clock: Presentation,
    /// Since when only text is still to come.
    media_over_at: Option<Instant>,

    /// A `moof` that lies across blocks, put together.
    gathered: Bytes,

    events: List<Event>,
    lost_events: u32,
    stats: Stats,
}

/// What to hand out next; resolved into a borrowing [`Output`] in one place.
enum Step {
    Cancel(RequestId),
    Flush(StreamId, Epoch),
    Event(Event),
    Manifest,
    Fragment(usize),
    Configure(usize),
    Captions(usize),
    Sample(usize),
    End(StreamId, Epoch),
    Protection,
    Decrypt(usize),
    Capability,
    Rate(crate::io::Rate),
    Idle(Option<Instant>),
}

impl Session {
    /// A session under `config`; nothing moves before [`Session::open`].
    ///
    /// # Errors
    /// [`Code::Budget`] when the budget is below [`Config::SMALLEST_BUDGET`]; [`Code::Unsupported`] for a strict parse in a
    /// build without the feature `details`, and for a decoder that wants to be asked in one without `capabilities`.
    pub fn new(config: Config) -> Result<Session> {
        let config = config.clamped();
        if !cfg!(feature = "details") && config.strictness == Strictness::Strict {
            return Err(Error::at(Code::Unsupported, "Config::strictness", 0));
        }
        if !cfg!(feature = "capabilities") && config.decoder.has(DecoderTraits::CAPABILITIES) {
            return Err(Error::at(Code::Unsupported, "Config::decoder", 0));
        }
        if config.budget < Config::SMALLEST_BUDGET {
            return Err(Error::at(Code::Budget, "Config::budget", 0));
        }
        let mut account = Account::new(config.budget);
        let mut events = List::new();
        events.reserve_exact(&mut account, EVENTS)?;
        Ok(Session {
            pool: Pool::new(config.block_bytes()),
            rng: Rng::new(config.seed),
            account,
            state: State::New,
            now: Instant(0),
            opened_at: Instant(0),
            url: Text::new(),
            base: Text::new(),
            request_url: Text::new(),
            next_request: 1,
            parser: List::new(),
            manifest: None,
            refused: None,
            opening: None,
            opening_retry: Retry::default(),
            alive: Instant(0),
            outage: None,
            cancel: None,
            inbox: Bytes::new(),
            feeds: List::new(),
            live: Live::default(),
            protect: Protect::default(),
            asking: None,
            shared_blocks: 0,
            media_blocks: 0,
            epoch: Epoch(1),
            throughput: Throughput::new(),
            #[cfg(feature = "planner")]
            switching: Switching::new(config.switching.cap),
            config,
            clock: Presentation::new(),
            media_over_at: None,
            gathered: Bytes::new(),
            events,
            lost_events: 0,
            stats: Stats::default(),
        })
    }

    /// Applies one fact. Unknown and cancelled exchanges are ignored, and so is everything after a fatal error.
    pub fn input(&mut self, at: Instant, input: Input<'_>) {
        self.advance(at);
        if matches!(self.state, State::Failed(_)) {
            return;
        }
        if LIVE {
            self.live.promised = None;
        }
        match input {
            Input::Response(id, head) => self.on_response(id, &head),
            Input::Finished(id, outcome) => self.on_finished(id, outcome),
            Input::Accepted(stream) => self.on_accepted(stream),
            Input::Refused(stream) => self.on_refused(stream),
            Input::Buffered(stream, state) => self.on_buffered(stream, state),
            Input::Configured(stream, answer) => self.on_configured(stream, answer),
            Input::Key(keys, status) => self.on_key(keys, status),
            Input::Decrypted(stream, answer) => self.on_decrypted(stream, answer),
            Input::Capable(stream, position, answer) => self.on_capable(stream, position, answer),
            Input::Timeout => self.on_timeout(),
        }
        self.check_deadlines();
        self.look();
        self.tend_live();
    }

    /// The next thing to do. Call until [`Output::Idle`]; borrowed parts are valid until the next call.
    pub fn poll(&mut self) -> Output<'_> {
        match self.step() {
            Step::Cancel(id) => Output::Cancel(id),
            Step::Flush(stream, epoch) => Output::Flush(stream, epoch),
            Step::Event(event) if !LIVE => Output::Event(event),
            Step::Event(event) => Output::Event(Event { at: self.host_time(event.at), ..event }),
            Step::Manifest => self.manifest_request(),
            Step::Fragment(i) => self.fragment_request(i),
            Step::Configure(i) => self.configure_output(i),
            Step::Captions(i) => self.captions_output(i),
            Step::Sample(i) => self.sample_output(i),
            Step::End(stream, epoch) => Output::EndOfStream(stream, epoch),
            Step::Protection => self.protection_output(),
            Step::Decrypt(i) => self.decrypt_output(i),
            Step::Capability => self.capability_output(),
            Step::Rate(rate) => Output::Rate(rate),
            Step::Idle(until) => {
                if LIVE {
                    self.live.promised = until;
                }
                Output::Idle(until.map(|at| self.host_time(at)))
            }
        }
    }

    /// Where the session stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The manifest, once it is parsed.
    pub const fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Where the manifest deviates from the specification: the first few of each kind. Of a manifest that was refused
    /// the first one.
    pub fn deviations(&self) -> &[Deviation] {
        match &self.manifest {
            Some(manifest) => &manifest.deviations,
            None => self.refused.as_slice(),
        }
    }

    /// The configuration in force, limits brought within their caps.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The last instant the host told.
    pub const fn now(&self) -> Instant {
        self.host_time(self.now)
    }

    /// Ends the session with an error of the host's, a broken decoder for one.
    pub fn abort(&mut self, error: Error) {
        self.fail(error);
    }

    fn step(&mut self) -> Step {
        if let Some(id) = self.take_cancel() {
            return Step::Cancel(id);
        }
        if let Some((stream, epoch)) = self.take_flush() {
            return Step::Flush(stream, epoch);
        }
        if let Some(event) = self.take_event() {
            return Step::Event(event);
        }
        let living = !matches!(self.state, State::New | State::Failed(_));
        if living && self.offer_due() {
            return Step::Protection;
        }
        // A header that cannot be offered is an event.
        if let Some(event) = self.take_event() {
            return Step::Event(event);
        }
        match self.state {
            State::New | State::Failed(_) => return Step::Idle(None),
            State::Opening if cfg!(feature = "capabilities") && self.asking.is_some() => {
                return if self.question_due() { Step::Capability } else { Step::Idle(None) };
            }
            State::Opening => {
                return if self.manifest_due() { Step::Manifest } else { Step::Idle(self.deadline()) };
            }
            State::Playing | State::Ended => {}
        }
        if self.refresh_due() {
            return Step::Manifest;
        }
        if let Some(step) = self.media_step() {
            return step;
        }
        // Scheduling may have lost a fragment or the session; say so before going idle.
        if let Some(id) = self.take_cancel() {
            return Step::Cancel(id);
        }
        match self.take_event() {
            Some(event) => Step::Event(event),
            None => Step::Idle(self.deadline()),
        }
    }

    fn media_step(&mut self) -> Option<Step> {
        for i in 0..self.feeds.len() {
            // Before the next fetch is thought about: what has been handed out makes room for it.
            self.retire_front(i);
            self.tend_replacement(i);
            if self.schedule(i) {
                return Some(Step::Fragment(i));
            }
        }
        self.tend_joining();
        if let Some((stream, epoch)) = self.take_flush() {
            return Some(Step::Flush(stream, epoch));
        }
        for i in 0..self.feeds.len() {
            if let Some(step) = self.deliver(i) {
                return Some(step);
            }
        }
        for i in 0..self.feeds.len() {
            if let Some((stream, epoch)) = self.end_of(i) {
                return Some(Step::End(stream, epoch));
            }
        }
        self.tend_blocked();
        if matches!(self.state, State::Failed(_)) {
            return None;
        }
        self.notice_end();
        if let Some(rate) = self.clock_order() {
            return Some(Step::Rate(rate));
        }
        None
    }

    fn advance(&mut self, at: Instant) {
        if LIVE {
            self.follow_clock(at);
        } else if at > self.now {
            // A clock that steps back is held, not followed.
            self.now = at;
        }
    }

    fn take_cancel(&mut self) -> Option<RequestId> {
        if let Some(id) = self.cancel.take() {
            return Some(id);
        }
        self.feeds.iter_mut().find_map(|f| f.cancel.take())
    }

    fn take_flush(&mut self) -> Option<(StreamId, Epoch)> {
        let feed = self.feeds.iter_mut().find(|f| f.flush)?;
        feed.flush = false;
        Some((feed.id, feed.epoch))
    }

    fn take_event(&mut self) -> Option<Event> {
        let mut event = self.events.remove(0)?;
        event.lost = core::mem::take(&mut self.lost_events);
        Some(event)
    }

    /// A new event of now.
    fn event(&self, kind: EventKind) -> Event {
        Event::new(kind, self.now)
    }

    /// Queues an event; the oldest goes when the ring is full.
    fn tell(&mut self, event: Event) {
        if self.events.len() >= EVENTS {
            self.events.drop_front(1);
            self.lost_events = self.lost_events.saturating_add(1);
        }
        // Room was reserved when the session was made.
        let _ = self.events.push(&mut self.account, event);
    }

    /// The session cannot go on.
    fn fail(&mut self, error: Error) {
        if matches!(self.state, State::Failed(_)) {
            return;
        }
        log::error!(target: trace::SESSION, "failed: {error}");
        self.state = State::Failed(error);
        self.drop_exchanges();
        self.tell(self.event(EventKind::Failed).because(error));
    }

    /// Cancels every exchange in flight.
    fn drop_exchanges(&mut self) {
        if let Some(exchange) = self.opening.take() {
            self.cancel = Some(exchange.id);
        }
        for i in 0..self.feeds.len() {
            self.cancel_fetch(i);
        }
    }

    fn feed_of(&self, stream: StreamId) -> Option<usize> {
        self.feeds.iter().position(|f| f.id == stream)
    }

    fn request_id(&mut self) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1).max(1);
        self.stats.requests = self.stats.requests.saturating_add(1);
        id
    }
}
