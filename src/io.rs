//! The whole boundary of a session in one file: what goes in, what comes out.
//!
//! Inputs are facts the host learnt (bytes arrived, the decoder took a sample, time passed). Outputs are things the
//! host should do. Nothing here moves by itself.

use crate::codec::CodecConfig;
pub use crate::codec::{Framing, Kind};
use crate::error::{Code, Error};
use crate::mem::Slices;
use crate::time::{Instant, MediaTime, Micros};

mod live;
mod protection;
mod switching;
mod text;

pub use live::{LiveWindow, Network, RefreshReason};
pub use protection::{
    Candidate, Capable, Decrypt, Decrypted, KeyHandle, KeyStatus, Keys, Kid, Offer, OfferSource,
    SampleProtection, Scheme, Secrecy, Subsample,
};
pub use switching::{Decided, Why};
pub use text::{Captions, Role, TrackId};

/// One `StreamIndex`: its position in the manifest, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub u16);

/// One HTTP exchange. Never 0, never used twice in a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u32);

// ---------------------------------------------------------------------------------------------------------- inputs

/// A fact from the host. Body bytes come by `Session::body` or `Session::space`.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The head of a response has arrived. Optional for a stack that only tells the end; then 200 is assumed.
    Response(RequestId, Response<'a>),
    /// The exchange is over.
    Finished(RequestId, Outcome),
    /// The decoder took the sample last offered for this stream.
    Accepted(StreamId),
    /// The decoder has no room for it now; it is offered again after [`Input::Buffered`] or [`Input::Timeout`].
    Refused(StreamId),
    /// What the decoder of this stream holds.
    Buffered(StreamId, Buffered),
    /// The answer to [`Output::Configure`].
    Configured(StreamId, Configured),
    /// How far keys are: any time after they were offered, and again when that changes.
    Key(Keys, KeyStatus),
    /// The answer to [`Output::Decrypt`].
    Decrypted(StreamId, Decrypted),
    /// The answer to [`Output::Capability`], with the candidate's position.
    Capable(StreamId, u16, Capable),
    /// Time has passed. Early ones are harmless.
    Timeout,
}

/// The head of an HTTP response. Header values are verbatim; absent ones are empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Response<'a> {
    /// The status code.
    pub status: u16,
    /// The URL after redirects; empty when it is the one requested.
    pub final_url: &'a str,
    /// `Content-Length` of the bytes that will be handed in; `None` when unknown, or when the stack inflates.
    pub content_length: Option<u64>,
    /// `Content-Type`.
    pub content_type: &'a str,
    /// `Content-Encoding` still in force; empty when the stack has already inflated.
    pub content_encoding: &'a str,
    /// `Date`, a hint at the origin's clock.
    pub date: &'a str,
}

/// How an exchange ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The whole body was handed in.
    Complete,
    /// It broke; a -2xx code says how.
    Failed(Code),
}

/// What the decoder of one stream holds, as the port sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Buffered {
    /// Media accepted but not yet presented.
    pub depth: Micros,
    /// The media time being presented; `None` before the first.
    pub position: Option<MediaTime>,
    /// Pictures dropped since the session opened.
    pub dropped: u32,
}

/// What a decoder port says to a configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Configured {
    /// Ready for samples.
    Ok,
    /// Not before what it holds has drained; ask again.
    Later,
    /// It cannot play this: the quality level is dropped.
    Refused,
}

// --------------------------------------------------------------------------------------------------------- outputs

/// Something the host should do now. Borrowed parts are valid until the next call into the session.
#[derive(Debug)]
pub enum Output<'a> {
    /// Start this exchange.
    Request(Request<'a>),
    /// Stop this exchange; nothing more is expected of it.
    Cancel(RequestId),
    /// Set up the decoder of a stream; answer with [`Input::Configured`].
    Configure(Configure<'a>),
    /// Give this sample to the decoder; answer with [`Input::Accepted`] or [`Input::Refused`].
    Sample(Sample<'a>),
    /// A protection header for the DRM agent, unless protection is off; answer with [`Input::Key`], now or later.
    Protection(Offer<'a>),
    /// Decrypt this sample in place; answer with [`Input::Decrypted`].
    Decrypt(Decrypt<'a>),
    /// Could the decoder play this? Answer with [`Input::Capable`]. Only with [`DecoderTraits::CAPABILITIES`].
    Capability(Candidate<'a>),
    /// A caption payload of the sample that is offered next; nothing is answered. Only with `CaptionChoice::On`.
    Captions(Captions<'a>),
    /// Order to the presentation clock.
    Rate(Rate),
    /// Throw away what the decoder of a stream holds, and anything of an older epoch.
    Flush(StreamId, Epoch),
    /// No sample follows on this stream in this epoch.
    EndOfStream(StreamId, Epoch),
    /// Something the host may want to know.
    Event(Event),
    /// Nothing more to do before this instant (`None`: before the next input).
    Idle(Option<Instant>),
}

/// Rises with every flush; travels on configure, sample, flush and end, so that a port can drop what is stale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Epoch(pub u32);

/// An exchange to start: always a plain GET of the whole resource.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its name from now on.
    pub id: RequestId,
    /// Absolute `http` or `https` URL.
    pub url: &'a str,
    /// What is fetched. Send `Accept-Encoding: gzip, deflate` for the manifest alone.
    pub kind: RequestKind,
    /// The stream it belongs to; `None` for the manifest.
    pub stream: Option<StreamId>,
    /// 1 for the first try. From the third try on send `Cache-Control: no-cache`.
    pub attempt: u32,
}

/// What a request fetches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RequestKind {
    /// The client manifest.
    Manifest,
    /// A media fragment.
    Fragment,
}

/// What a decoder port is, told once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DecoderTraits {
    /// How it wants samples.
    pub framing: Framing,
    /// Bits of the constants below.
    pub flags: u32,
}

impl DecoderTraits {
    /// Each sample must be one slice; the core pays the copy.
    pub const CONTIGUOUS: u32 = 1;
    /// Each picture must begin with an access unit delimiter.
    pub const NEEDS_AUD: u32 = 2;
    /// It has no clock: it takes samples as fast as they come (a file, a transmuxer). No rate orders, no stalls.
    pub const UNPACED: u32 = 4;
    /// Parameter sets before every key frame, not only where they may have changed.
    pub const REPEAT_PARAMETER_SETS: u32 = 8;
    /// It wants to be asked about every quality level before playback starts.
    pub const CAPABILITIES: u32 = 16;
    /// Pictures may change their size from one fragment to the next without a break. Without it a change of size is avoided,
    /// and made only where it is likely to last ten seconds.
    pub const SEAMLESS_RESIZE: u32 = 32;

    /// Whether every bit of `flags` is set.
    pub const fn has(self, flags: u32) -> bool {
        self.flags & flags == flags
    }
}

/// Set-up of one stream's decoder.
#[derive(Clone, Copy, Debug)]
pub struct Configure<'a> {
    /// The stream.
    pub stream: StreamId,
    /// Samples that follow carry this epoch.
    pub epoch: Epoch,
    /// What it carries.
    pub kind: Kind,
    /// Codec and its parameters.
    pub config: &'a CodecConfig,
    /// How the samples will be framed.
    pub framing: Framing,
    /// Configuration record in the form the codec has and the framing wants ([`crate::codec::record`]): Annex B
    /// parameter sets, or the payload of `avcC` or `hvcC`; AudioSpecificConfig; WAVEFORMATEX; the payload of `dac3` or
    /// `dec3`; the headers of VC-1. May be empty.
    pub record: &'a [u8],
    /// The quality level's `Index`.
    pub level: u32,
    /// Its bitrate in bit/s.
    pub bitrate: u32,
    /// The key session of the encrypted samples that follow; `None` for a clear decoder. Set up again where it changes.
    pub key: Option<KeyHandle>,
}

/// One access unit.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// The stream.
    pub stream: StreamId,
    /// Older epochs are stale.
    pub epoch: Epoch,
    /// Presentation time.
    pub pts: MediaTime,
    /// Decoding time.
    pub dts: MediaTime,
    /// Duration in 100 ns.
    pub duration: u64,
    /// Key frame and the like.
    pub flags: SampleFlags,
    /// Start of its fragment in stream ticks, as it stood in the URL.
    pub fragment: u64,
    /// Bitrate of its quality level in bit/s.
    pub bitrate: u32,
    /// How it is encrypted; `None` when it is clear.
    pub protection: Option<SampleProtection<'a>>,
    /// Bytes of each sub-sample in order, where the fragment has a table of them (`subs`, ISO/IEC 14496-12 8.7.7): for
    /// bitmap subtitles the document, then its images. Empty otherwise.
    pub pieces: &'a [u32],
    /// The bytes.
    pub data: Parts<'a>,
}

/// Facts about a sample, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SampleFlags(pub u32);

impl SampleFlags {
    /// Decoding can start here.
    pub const KEY: SampleFlags = SampleFlags(1);
    /// Not the direct successor of the sample before.
    pub const DISCONTINUITY: SampleFlags = SampleFlags(2);
    /// A prefix carries parameter sets.
    pub const CONFIG: SampleFlags = SampleFlags(4);
    /// Decode, do not show: it lies before the seek target.
    pub const PREROLL: SampleFlags = SampleFlags(8);
    /// Encrypted where the lengths of NAL units are: left as it lies in the file, whatever the framing.
    pub const VERBATIM: SampleFlags = SampleFlags(16);

    /// These and `other`.
    pub const fn with(self, other: SampleFlags) -> SampleFlags {
        SampleFlags(self.0 | other.0)
    }

    /// Whether every bit of `other` is set.
    pub const fn has(self, other: SampleFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The bytes of a sample: a prefix that the core made, then slices of the body. Iterate to get every part in order.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    prefix: &'a [u8],
    body: Body<'a>,
}

#[derive(Clone, Debug)]
enum Body<'a> {
    Whole(&'a [u8]),
    Blocks(Slices<'a>),
}

impl<'a> Parts<'a> {
    /// A prefix (may be empty) and body slices.
    pub const fn blocks(prefix: &'a [u8], body: Slices<'a>) -> Parts<'a> {
        Parts { prefix, body: Body::Blocks(body) }
    }

    /// A prefix (may be empty) and one body slice.
    pub const fn whole(prefix: &'a [u8], body: &'a [u8]) -> Parts<'a> {
        Parts { prefix, body: Body::Whole(body) }
    }

    /// Bytes in all parts.
    pub fn bytes(&self) -> usize {
        self.clone().fold(0usize, |sum, part| sum.saturating_add(part.len()))
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if !self.prefix.is_empty() {
            return Some(core::mem::take(&mut self.prefix));
        }
        match &mut self.body {
            Body::Whole([]) => None,
            Body::Whole(whole) => Some(core::mem::take(whole)),
            Body::Blocks(slices) => slices.next(),
        }
    }
}

/// Order to the presentation clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rate {
    /// Show nothing new; keep what you have.
    Hold,
    /// Run at `n`/1000 of real time.
    Run(i32),
}

/// Something the host may want to know. What the numbers mean stands at each [`EventKind`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When, on the host's clock.
    pub at: Instant,
    /// The stream, where one is concerned.
    pub stream: Option<StreamId>,
    /// Media time, where one is concerned.
    pub media_time: Option<MediaTime>,
    /// Why, and where in the input.
    pub error: Option<Error>,
    /// HTTP status, 0 when none is concerned.
    pub http_status: u16,
    /// First number.
    pub a: u64,
    /// Second number.
    pub b: u64,
    /// Events dropped before this one because nobody fetched them.
    pub lost: u32,
}

impl Event {
    /// An event of `kind` that concerns nothing in particular.
    pub const fn new(kind: EventKind, at: Instant) -> Event {
        Event { kind, at, stream: None, media_time: None, error: None, http_status: 0, a: 0, b: 0, lost: 0 }
    }

    /// The same about `stream`.
    pub const fn about(self, stream: StreamId) -> Event {
        Event { stream: Some(stream), ..self }
    }

    /// The same with a reason.
    pub const fn because(self, error: Error) -> Event {
        Event { error: Some(error), ..self }
    }

    /// The same at a media time.
    pub const fn when(self, time: MediaTime) -> Event {
        Event { media_time: Some(time), ..self }
    }

    /// The same with its two numbers.
    pub const fn numbers(self, a: u64, b: u64) -> Event {
        Event { a, b, ..self }
    }
}

/// Kinds of events. Numbers are stable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
pub enum EventKind {
    /// The manifest is parsed. a = streams listed, b = duration in microseconds.
    Opened = 1,
    /// A stream will not be played. `error` says why.
    StreamDropped = 2,
    /// A quality level will not be played. `error` says why; a = its bitrate.
    LevelDropped = 3,
    /// A fragment is being fetched. `media_time` = its start; a = bitrate, b = start in stream ticks.
    FragmentStarted = 4,
    /// A fragment has arrived. a = bytes, b = microseconds from request to last byte.
    FragmentDone = 5,
    /// One try failed and another follows. `error` or `http_status` says why; a = try, b = microseconds to wait.
    Retry = 6,
    /// A fragment, or the rest of it, is lost. `media_time` = where the hole starts; a = its length in
    /// microseconds, b = start of the fragment in stream ticks.
    Gap = 7,
    /// The next fragments come from another level. a = bitrate before, b = bitrate now.
    Switch = 8,
    /// The clock was started for the first time. a = microseconds since open.
    Started = 9,
    /// The decoder ran dry: the clock is held. `stream` = which.
    Stalled = 10,
    /// The clock runs again after a stall. a = microseconds it was held.
    Resumed = 11,
    /// A seek begins at the fragment that covers its target. `media_time` = the target.
    Seeking = 12,
    /// One stream has been handed over to its end.
    StreamEnded = 13,
    /// Every stream has ended.
    Ended = 14,
    /// The session cannot go on. `error` says why. Comes once.
    Failed = 15,
    /// The picture at which the decoder must start is no key frame: it goes to it all the same, without the flag.
    /// `media_time` = where; a = bitrate, b = start of the fragment in stream ticks.
    NoKeyFrame = 16,
    /// A key did not come in time; the stream waits on. `media_time` = the sample that waits; a, b = first and last 8
    /// bytes of the key's name, zeros when it has none.
    KeyTimeout = 17,
    /// A protection header cannot be used. `error` says why; a = its place among the headers, from 0.
    HeaderDropped = 18,
    /// A level that output restrictions had taken away may be used again. a = its bitrate.
    LevelAllowed = 19,
    /// Live: the origin does not have the fragment yet; it is asked again. No failure. `media_time` = its start,
    /// `http_status` = how the origin said it; a = how often in a row, b = microseconds to wait.
    NotYet = 20,
    /// Live: nothing new has appeared at the edge for three fragments, or ten seconds; the session goes on asking.
    /// `media_time` = where the newest fragment ends; a = microseconds since something came.
    StalledAtEdge = 21,
    /// Live: the edge moves again after [`EventKind::StalledAtEdge`]. a = microseconds it stood.
    EdgeMoving = 22,
    /// Live: the window has overtaken what is played. `media_time` = the fragment that is gone; a = microseconds from there
    /// to the start of the window; b = what is done: 1 goes on near the start of the window, 2 goes to the edge, 3 stops.
    BehindWindow = 23,
    /// The presentation has no media here, and it is played on behind it: the next sample carries the DISCONTINUITY flag.
    /// `media_time` = where the hole begins; a = its length in microseconds, b = start of the next fragment in ticks.
    GapSkipped = 24,
    /// Live: the encoder counts its time anew, from before or from far ahead. Decoders are flushed; playback goes on near the new edge. `media_time` = the
    /// new start of the window.
    OriginRestarted = 25,
    /// Live: no more fragments will come; what is listed is played to its end. `media_time` = that end; `http_status` where
    /// the origin no longer has the manifest.
    LiveEnded = 26,
    /// Live: the oldest fragments have left the list because it had grown to its share of the budget. `media_time` = what is
    /// the first one now; a = how many went.
    WindowTrimmed = 27,
    /// Live: the manifest was read again. a = why ([`RefreshReason`]), b = microseconds it took.
    Refreshed = 28,
    /// Live: reading the manifest again has failed; the list known stays in force. `error` or `http_status` says why; a = why
    /// it was wanted ([`RefreshReason`]), b = microseconds to the next try.
    RefreshFailed = 29,
    /// The host's clock has jumped forward; the session goes on as if it had not. a = microseconds left out.
    ClockJumped = 30,
    /// The level of the next fragment was decided: [`Event::decided`] reads it. `media_time` = the fragment's start; a = bitrate,
    /// and from bit 32 on the media held in milliseconds; b = the link's rate in bit/s that was reckoned with, and from bit
    /// 56 on why ([`Why`]). Of those that wait to be fetched only the newest is kept once events pile up.
    Decided = 40,
    /// A fragment was coming too slowly: it is fetched again at a lower level. `media_time` = its start; a = bitrate given
    /// up, b = bytes of it that had come.
    Abandoned = 41,
    /// A fragment in the buffer was fetched again at a higher level. `media_time` = its start; a = bitrate before, b =
    /// bitrate now.
    Replaced = 42,
    /// The decoder drops too many pictures: higher levels are left out for a while. a = the highest bitrate left, b =
    /// microseconds.
    DroppingFrames = 43,
}

/// Why one try of an exchange did not succeed; used in events and retry decisions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The code.
    pub error: Error,
    /// HTTP status, 0 when there was none.
    pub status: u16,
}

impl From<Code> for Failure {
    fn from(code: Code) -> Failure {
        Failure { error: code.into(), status: 0 }
    }
}
