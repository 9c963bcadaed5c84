//! One played stream on its way from the timeline to the decoder.

use crate::abr::Controller;
use crate::codec::Kind;
use crate::error::{Code, Result};
use crate::io::{Buffered, Epoch, RequestId, StreamId};
use crate::mem::{Account, Bytes, List, Pool};
use crate::mp4::SampleTable;
use crate::time::{Instant, MediaTime, Micros, TimeScale};

use super::captions::Found;
use super::fragment::{Form, Fragment};
use super::live::Tail;
use super::open::ticks;
use super::protect::Guard;
use super::retry::{Exchange, Retry};
use super::text::Sparse;

/// One quality level that may be chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rung {
    /// Position in the manifest's list.
    pub level: u16,
    pub bitrate: u32,
    /// Why it may not be chosen any more.
    pub masked: Option<Code>,
    /// Whether output restrictions leave it.
    pub permit: Permit,
}

/// Whether output restrictions leave a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Permit {
    Granted,
    Withdrawn,
}

impl Rung {
    /// Whether it may be chosen.
    pub fn is_open(&self) -> bool {
        self.masked.is_none() && self.permit == Permit::Granted
    }
}

/// Where the next fragment comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cursor {
    /// The fragment that covers this time, or the first one after it.
    Covering(u64),
    /// The one after the fragment that starts here.
    After(u64),
}

/// What became of the sample last offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Offer {
    /// None is out.
    None,
    /// The decoder holds it in its hands.
    Waiting,
    /// It had no room; nothing more before it reports or time passes.
    Refused,
    /// The decoder holds it in its hands, but its fragment has been given up: the answer changes nothing.
    Lost,
    /// The host is decrypting it.
    Decrypting,
    /// The host could not decrypt it yet; nothing more before it reports or time passes.
    Busy,
}

/// How far the decoder's set-up is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Setup {
    /// Nothing is set up, or something else than the next sample needs.
    Due,
    /// Asked for this manifest level, not answered.
    Asked(u16),
    /// The decoder is draining; asked again when it reports or time passes.
    Later,
    /// Ready for this manifest level.
    Ready(u16),
}

/// Whether a stream keeps pace with the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Join {
    /// It does: the clock waits for it.
    Settled,
    /// It was turned on while the clock runs and catches up: nothing waits for it.
    Joining,
    /// The same, and until it is ready another one of its kind plays on: nothing of it is handed out.
    Replacing,
}

/// Where the samples of a stream come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// From listed fragments.
    Fragments,
    /// The same, and from fragments that the responses of its parent announce.
    Announced,
    /// They stand in the manifest, or the host gave them.
    Payloads,
}

#[derive(Debug)]
pub(super) struct Feed {
    pub id: StreamId,
    pub kind: Kind,
    pub scale: TimeScale,
    pub selected: bool,
    /// Rises with every flush of its decoder.
    pub epoch: Epoch,
    /// Ascending by bitrate.
    pub rungs: List<Rung>,
    /// Bitrates of the unmasked rungs, and their positions in `rungs`: scratch of the level choice.
    pub open_bitrates: List<u32>,
    pub open_rungs: List<u16>,
    pub controller: Controller,
    /// The rung in use; `None` before the first choice.
    pub rung: Option<u16>,
    pub bitrate: u32,
    /// Start and bitrate of a fragment not yet asked for about which a decision has been told.
    #[cfg(feature = "planner")]
    pub told: Option<(u64, u32)>,

    /// In order; the front is being handed out, the back is being fetched.
    pub queue: List<Fragment>,
    /// Used ones, to be filled again.
    pub spare: List<Fragment>,
    pub cursor: Cursor,
    pub fetch: Option<Exchange>,
    pub cancel: Option<RequestId>,
    /// The back of the queue has failed and waits for its next try.
    pub retrying: bool,
    pub retry: Retry,
    /// The back of the queue is to take the place of the fragment that starts here.
    pub replaces: Option<u64>,
    pub tail: Tail,
    pub lost_in_a_row: u32,
    /// The table of a fragment fetched again, until it is compared.
    pub checked: SampleTable,
    /// Body bytes wait at the host because no block may be taken.
    pub blocked: bool,
    /// Blocks this stream can always have.
    pub reserve: usize,

    pub setup: Setup,
    /// Position of the level from which the decoder's last sample came.
    pub fed: Option<u16>,
    pub offer: Offer,
    pub flush: bool,
    pub discontinuity: bool,
    /// A hole follows the fragments in the queue.
    pub hole_behind: bool,
    /// The decoder needs parameter sets before the next sample.
    pub parameter_sets_due: bool,
    pub preroll_until: Option<MediaTime>,
    /// The same in stream ticks; 0 where there is none.
    pub unseen: u64,
    pub join: Join,
    /// Where the last sample taken ends, or where the first one is to be looked for, in stream ticks.
    pub handed: u64,
    /// Announced fragments of a sparse stream.
    pub sparse: Sparse,
    /// Where samples come from.
    pub source: Source,
    /// Number of the payload to hand out next.
    pub payload: u32,
    pub ended: bool,
    /// Nothing was accepted since open or the last seek.
    pub fresh: bool,

    reported: Micros,
    reported_at: Instant,
    accepted_since: Micros,
    /// Media that is shown, accepted since open or the last flush: the decoder never holds more.
    given: Micros,
    pub position: Option<MediaTime>,
    pub dropped: u32,

    /// Prefix of the sample on offer.
    pub prefix: Bytes,
    /// The sample on offer, where it had to be copied.
    pub staged: Bytes,
    /// Configuration record in the decoder's form.
    pub record: Bytes,
    /// Keys of its samples.
    pub guard: Guard,
    /// Captions in the sample to be offered.
    pub captions: Found,
    /// Sizes of the sub-samples of the sample on offer.
    pub pieces: List<u32>,
}

impl Feed {
    pub fn new(id: StreamId, kind: Kind, scale: TimeScale, controller: Controller) -> Feed {
        Feed {
            id,
            kind,
            scale,
            selected: false,
            epoch: Epoch(1),
            rungs: List::new(),
            open_bitrates: List::new(),
            open_rungs: List::new(),
            controller,
            rung: None,
            bitrate: 0,
            #[cfg(feature = "planner")]
            told: None,
            queue: List::new(),
            spare: List::new(),
            cursor: Cursor::Covering(0),
            fetch: None,
            cancel: None,
            retrying: false,
            retry: Retry::default(),
            replaces: None,
            tail: Tail::default(),
            lost_in_a_row: 0,
            checked: SampleTable::new(),
            blocked: false,
            reserve: 0,
            setup: Setup::Due,
            fed: None,
            offer: Offer::None,
            flush: false,
            discontinuity: false,
            hole_behind: false,
            parameter_sets_due: true,
            preroll_until: None,
            unseen: 0,
            join: Join::Settled,
            handed: 0,
            sparse: Sparse::new(),
            source: Source::Fragments,
            payload: 0,
            ended: false,
            fresh: true,
            reported: Micros::ZERO,
            reported_at: Instant(0),
            accepted_since: Micros::ZERO,
            given: Micros::ZERO,
            position: None,
            dropped: 0,
            prefix: Bytes::new(),
            staged: Bytes::new(),
            record: Bytes::new(),
            guard: Guard::default(),
            captions: Found::new(),
            pieces: List::new(),
        }
    }

    /// Whether it carries the presentation. Text only goes along: nothing ever waits for it or fails with it.
    pub fn leads(&self) -> bool {
        !cfg!(feature = "text") || self.kind != Kind::Text
    }

    /// Whether it is text that takes memory for bodies.
    pub fn fetches_text(&self) -> bool {
        cfg!(feature = "text") && !self.leads() && self.source != Source::Payloads
    }

    /// Plays on from `time`; what is before `shown` only leads up to it.
    pub fn place(&mut self, time: MediaTime, shown: MediaTime) {
        let at = ticks(time, self.scale);
        self.cursor = Cursor::Covering(at);
        self.handed = at;
        self.lead_up_to(shown);
        self.sparse.begin(at);
    }

    /// What is before `time` is decoded and not shown.
    pub fn lead_up_to(&mut self, time: MediaTime) {
        self.preroll_until = Some(time);
        self.unseen = ticks(time, self.scale);
    }

    /// Media to be shown in the decoder now, as far as can be told between two reports. A decoder may count what it only
    /// decodes.
    pub fn depth(&self, now: Instant, running: bool) -> Micros {
        let known = self.reported.plus(self.accepted_since).min(self.given);
        if running { known.minus(now.since(self.reported_at)) } else { known }
    }

    /// Media to be shown in the decoder and in the queue.
    pub fn ahead(&self, now: Instant, running: bool) -> Micros {
        let twice = cfg!(feature = "planner") && self.replaces.is_some();
        let count = self.queue.len().saturating_sub(usize::from(twice));
        self.depth(now, running).plus(self.queued(count, |_| true))
    }

    /// Media to be shown in the decoder and ready for it.
    pub fn ready(&self, now: Instant, running: bool) -> Micros {
        let depth = self.depth(now, running);
        if self.is_locked() { depth } else { depth.plus(self.queued(usize::MAX, |f| f.complete)) }
    }

    /// Media to be shown of those of the first `count` fragments that `counts` says.
    fn queued(&self, count: usize, counts: fn(&Fragment) -> bool) -> Micros {
        let counted = self.queue.iter().take(count).filter(|f| counts(f));
        self.scale.micros(counted.fold(0u64, |sum, f| sum.saturating_add(f.left_from(self.unseen))))
    }

    /// What a full decoder can still be given of the fragment that is arriving.
    pub fn arriving(&self) -> Micros {
        let front = self.queue.first().filter(|f| !f.complete && !self.is_locked());
        front.map_or(Micros::ZERO, |f| self.scale.micros(f.here(self.unseen)))
    }

    pub fn report(&mut self, now: Instant, state: Buffered) {
        self.reported = state.depth;
        self.reported_at = now;
        self.accepted_since = Micros::ZERO;
        self.position = state.position.or(self.position);
        self.dropped = state.dropped;
    }

    pub fn accepted(&mut self, ticks: u64) {
        let more = self.scale.micros(ticks);
        self.accepted_since = self.accepted_since.plus(more);
        self.given = self.given.plus(more);
    }

    /// Its decoder holds nothing.
    pub fn flushed(&mut self, now: Instant) {
        self.report(now, Buffered::default());
        self.given = Micros::ZERO;
    }

    /// The clock starts or stops: what was true until now becomes the new report.
    pub fn clock_turn(&mut self, now: Instant, was_running: bool) {
        self.reported = self.depth(now, was_running);
        self.reported_at = now;
        self.accepted_since = Micros::ZERO;
    }

    /// Blocks its fragments hold.
    pub fn blocks(&self) -> usize {
        self.queue.iter().fold(0usize, |sum, f| sum.saturating_add(f.body.blocks()))
    }

    /// Nothing is left to fetch or hand out in the queue, and no answer to a sample is owed.
    pub fn is_drained(&self) -> bool {
        self.offer == Offer::None && self.queue.is_empty() && self.fetch.is_none() && !self.retrying
    }

    /// Marks the fragment in front as one that cannot be replaced where the decoder may have taken its sample and not
    /// said so yet.
    pub fn keep_offered(&mut self) {
        if self.offer == Offer::Waiting
            && self.queue.len() == 1
            && let Some(front) = self.queue.first_mut()
        {
            front.again = true;
        }
    }

    /// Makes the back of the queue ready for a body from byte 0.
    pub fn restart_back(&mut self, pool: &mut Pool, account: &mut Account) {
        self.checked.clear();
        if self.offer == Offer::Decrypting && self.queue.len() == 1 {
            // The answer will be about bytes that are gone.
            self.offer = Offer::Lost;
        }
        let form = if self.leads() { Form::Boxes } else { Form::Unknown };
        if let Some(back) = self.queue.last_mut() {
            back.restart(pool, account);
            back.form = form;
        }
    }

    /// Appends an empty fragment, a used one where there is one.
    pub fn open_fragment(&mut self, account: &mut Account, start: u64, duration: u64) -> Result<()> {
        // Both lists get room for all fragments that exist, so that recycling never fails.
        let all = self.queue.len().saturating_add(self.spare.len()).saturating_add(1);
        if self.spare.capacity() < all {
            let more = all.saturating_sub(self.spare.len()).saturating_add(7);
            self.spare.reserve(account, more)?;
        }
        self.queue.reserve(account, 1)?;
        let mut fragment = self.spare.pop().unwrap_or_else(Fragment::new);
        fragment.start = start;
        fragment.duration = duration;
        fragment.next = 0;
        fragment.no_key = false;
        fragment.searched = 0;
        fragment.again = false;
        fragment.lead_in = 0;
        fragment.after_hole = core::mem::take(&mut self.hole_behind);
        self.queue.push(account, fragment)
    }

    /// Takes the fragment at `index` out and keeps its memory for later ones.
    pub fn recycle(&mut self, pool: &mut Pool, account: &mut Account, index: usize) {
        if let Some(mut fragment) = self.queue.remove(index) {
            fragment.body.clear(pool, account);
            fragment.table.clear();
            fragment.cipher.clear();
            let _ = self.spare.push(account, fragment);
        }
    }

    /// Takes out every fragment.
    pub fn clear_queue(&mut self, pool: &mut Pool, account: &mut Account) {
        self.hole_behind = false;
        self.replaces = None;
        self.captions.clear();
        while !self.queue.is_empty() {
            let last = self.queue.len().saturating_sub(1);
            self.recycle(pool, account, last);
        }
    }

    /// Excludes the rung of manifest level `level` from further choices.
    ///
    /// # Errors
    /// [`Code::DecoderRefused`] when no rung is left.
    pub fn mask(&mut self, level: u16, why: Code) -> Result<()> {
        for r in self.rungs.iter_mut().filter(|r| r.level == level) {
            r.masked = Some(why);
        }
        if self.rungs.iter().all(|r| !r.is_open()) { Err(Code::DecoderRefused.into()) } else { Ok(()) }
    }
}
