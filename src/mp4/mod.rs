//! Fragments: from the bytes of a `moof` and an `mdat` to samples.
//!
//! A response should hold one `moof` and one `mdat` ([MS-SSTR] 2.2.4); what origins send has other boxes before,
//! between and behind, or several pairs. [`BoxWalk`] finds the pairs while the body still arrives,
//! [`fragment::parse_moof`] makes a [`SampleTable`] of each `moof`, and [`SampleTable::place`] fits it to its `mdat`
//! before the first sample may leave. [`encryption`] and [`subs`] read what a `moof` says of the inside of samples.
//! Of whole files, [`index`] reads the fragment index at the end, [`movie`] the tracks at the start, and [`init`] writes
//! the start for decoders that want one.

use crate::error::{Code, Error, Result};
use crate::limits::Limits;

mod boxes;
pub mod encryption;
pub mod fragment;
mod groups;
pub mod index;
pub mod init;
pub mod movie;
pub mod pssh;
mod sample;
pub mod subs;
pub mod uuid;

pub use fragment::{Encryption, MoofInfo, Range, Span, parse_moof};
pub use sample::{SampleEntry, SampleTable, is_sync};

/// Bytes of a body, wherever they lie.
pub trait Source {
    /// Copies the bytes from `at` on into `out`; `false`, and `out` is worthless, unless all of them are there.
    fn read(&self, at: u64, out: &mut [u8]) -> bool;

    /// Bytes that have arrived.
    fn len(&self) -> u64;

    /// Whether nothing has arrived.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Source for [u8] {
    fn read(&self, at: u64, out: &mut [u8]) -> bool {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..)).and_then(|s| s.get(..out.len()));
        match from {
            Some(from) if from.len() == out.len() => {
                out.copy_from_slice(from);
                true
            }
            _ => false,
        }
    }

    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }
}

/// Whether more bytes can come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyEnd {
    /// The body may grow.
    Open,
    /// All bytes are there.
    Reached,
}

/// A body as far as it has arrived.
#[derive(Debug)]
pub struct Body<'a, S: Source + ?Sized> {
    /// Its bytes.
    pub source: &'a S,
    /// Whether it may grow.
    pub end: BodyEnd,
    /// What it will grow to, when the response said so.
    pub content_length: Option<u64>,
}

/// What [`BoxWalk::advance`] found. Offsets and sizes are bytes from the start of the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// A `moof`, all of which has arrived.
    Moof {
        /// Where it starts, header included.
        offset: u64,
        /// Its bytes, header included.
        size: u32,
    },
    /// The `mdat` of the last `moof`. Its payload may still be arriving.
    Mdat {
        /// Where the payload starts.
        payload_offset: u64,
        /// Bytes of payload.
        payload_size: u64,
    },
    /// Nothing new before the body is `until` bytes long or has ended.
    NeedMore {
        /// The length to wait for.
        until: u64,
    },
    /// The body is over and was complete. A `moof` without `mdat` may stand at its end: call
    /// [`SampleTable::finish`].
    End,
}

/// Walks the boxes at the top level of a body as its bytes arrive.
///
/// Each `moof` is followed by the next `mdat`; every other box is passed over. Once a pair is complete, faults in
/// boxes that are passed over do not matter.
#[derive(Clone, Copy, Default, Debug)]
pub struct BoxWalk {
    /// Where the next box starts, possibly beyond what has arrived.
    at: u64,
    /// Boxes passed so far.
    boxes: u32,
    progress: Progress,
    /// Why the bytes before `at` are needed.
    passing: Passing,
}

/// How far the pairs are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Progress {
    /// No `moof` yet.
    #[default]
    Nothing,
    /// A `moof` waits for its `mdat`.
    Moof,
    /// Every `moof` so far has its `mdat`.
    Pairs,
}

/// What lies just before the next box.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Passing {
    /// A box that must be whole.
    #[default]
    Needed,
    /// A box of a type that no fragment has, before any `moof`: perhaps text.
    Foreign,
    /// A box behind a pair that nobody needs.
    Ignored,
    /// Bytes behind a pair that are no boxes.
    Rest,
}

/// A box at the top level.
struct TopBox {
    kind: [u8; 4],
    header: u64,
    /// Where it ends; `None` when it goes on to the end of a body of unknown length.
    end: Option<u64>,
}

/// Types seen around fragments. Their sizes are faults of a fragment; those of other types make it no fragment.
const KNOWN: [[u8; 4]; 14] = [
    *b"moof", *b"mdat", *b"ftyp", *b"styp", *b"free", *b"skip", *b"prft", *b"emsg", *b"sidx", *b"ssix",
    *b"uuid", *b"mfra", *b"moov", *b"pdin",
];

impl BoxWalk {
    /// At the start of a body.
    pub const fn new() -> BoxWalk {
        BoxWalk { at: 0, boxes: 0, progress: Progress::Nothing, passing: Passing::Needed }
    }

    /// Finds the next thing. Call again until [`Found::NeedMore`] or [`Found::End`]; an error repeats itself.
    ///
    /// # Errors
    /// [`Code::FragmentNotMp4`], [`Code::BoxInvalid`], [`Code::FragmentTruncated`], [`Code::LimitMoofBytes`],
    /// [`Code::LimitFragmentBytes`], or [`Code::LimitBoxes`] above `box_children` boxes.
    pub fn advance<S: Source + ?Sized>(&mut self, body: &Body<'_, S>, limits: &Limits) -> Result<Found> {
        let arrived = body.source.len();
        if arrived.max(body.content_length.unwrap_or(0)) > limits.fragment_bytes {
            return Err(Error::at(Code::LimitFragmentBytes, "", limits.fragment_bytes));
        }
        // Each turn passes one box.
        for _ in 0..=limits.box_children {
            if self.passing == Passing::Rest || self.at >= arrived {
                return self.at_edge(arrived, body.end);
            }
            if self.boxes >= limits.box_children {
                return Err(Error::at(Code::LimitBoxes, "", self.at));
            }
            let Some(found) = self.header(body, arrived) else {
                return self.inside_header(arrived, body.end);
            };
            let step = found.and_then(|top| self.pass(&top, body, arrived, limits));
            match step {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                // Whatever is wrong behind a complete pair, its samples are there.
                Err(e) if self.progress == Progress::Pairs && e.place.at != "moof" => {
                    self.passing = Passing::Rest;
                }
                Err(e) => return Err(e),
            }
        }
        Err(Error::at(Code::LimitBoxes, "", self.at))
    }

    /// Where the first byte lies that the walk itself still needs; everything before it has been seen.
    pub const fn unread(&self) -> u64 {
        match self.passing {
            Passing::Rest => u64::MAX,
            _ => self.at,
        }
    }

    /// All arrived boxes have been passed.
    fn at_edge(&self, arrived: u64, end: BodyEnd) -> Result<Found> {
        if end == BodyEnd::Open {
            return Ok(Found::NeedMore { until: self.at.max(arrived).saturating_add(8) });
        }
        let whole = self.at == arrived;
        match (self.progress, self.passing) {
            (_, Passing::Rest | Passing::Ignored) => Ok(Found::End),
            (_, Passing::Foreign) if !whole => Err(Error::at(Code::FragmentNotMp4, "", 0)),
            _ if !whole => Err(Error::at(Code::FragmentTruncated, "", arrived)),
            (Progress::Nothing, _) => Err(Error::at(Code::FragmentNotMp4, "", 0)),
            _ => Ok(Found::End),
        }
    }

    /// The bytes end inside a box header.
    fn inside_header(&self, arrived: u64, end: BodyEnd) -> Result<Found> {
        match (end, self.progress) {
            (BodyEnd::Open, _) => Ok(Found::NeedMore { until: arrived.saturating_add(1) }),
            (_, Progress::Pairs) => Ok(Found::End),
            (_, Progress::Nothing) if self.boxes == 0 => Err(Error::at(Code::FragmentNotMp4, "", 0)),
            _ => Err(Error::at(Code::FragmentTruncated, "", arrived)),
        }
    }

    /// The header at `at`, ISO/IEC 14496-12 4.2; `None` while it is incomplete.
    fn header<S: Source + ?Sized>(&self, body: &Body<'_, S>, arrived: u64) -> Option<Result<TopBox>> {
        let mut first = [0u8; 8];
        if !body.source.read(self.at, &mut first) {
            return None;
        }
        let [a, b, c, d, kind @ ..] = first;
        let invalid = || Error::at(Code::BoxInvalid, name(kind), self.at);
        let (mut header, mut size) = (8u64, u64::from(u32::from_be_bytes([a, b, c, d])));
        if size == 1 {
            let mut large = [0u8; 8];
            if !body.source.read(self.at.saturating_add(8), &mut large) {
                return None;
            }
            (header, size) = (16, u64::from_be_bytes(large));
        } else if size == 0 {
            let end = body.content_length.or((body.end == BodyEnd::Reached).then_some(arrived));
            return Some(Ok(TopBox { kind, header, end }));
        }
        let least = if kind == *b"uuid" { header.saturating_add(16) } else { header };
        if size < least {
            return Some(Err(self.fault(kind, invalid())));
        }
        Some(match self.at.checked_add(size) {
            Some(end) => Ok(TopBox { kind, header, end: Some(end) }),
            None => Err(self.fault(kind, invalid())),
        })
    }

    /// Goes past one box, or tells what it is.
    fn pass<S: Source + ?Sized>(
        &mut self,
        top: &TopBox,
        body: &Body<'_, S>,
        arrived: u64,
        limits: &Limits,
    ) -> Result<Option<Found>> {
        let is_moof = top.kind == *b"moof";
        let is_data = top.kind == *b"mdat" && self.progress == Progress::Moof;
        if !is_moof && self.progress == Progress::Pairs {
            self.step(top.end.unwrap_or(u64::MAX), Passing::Ignored);
            return Ok(None);
        }
        if is_moof && top.end.unwrap_or(arrived).saturating_sub(self.at) > u64::from(limits.moof_bytes) {
            return Err(Error::at(Code::LimitMoofBytes, "moof", self.at));
        }
        let Some(end) = top.end else {
            return Ok(Some(Found::NeedMore { until: arrived.saturating_add(1) }));
        };
        if end > limits.fragment_bytes {
            let e = Error::at(Code::LimitFragmentBytes, name(top.kind), self.at);
            return Err(self.fault(top.kind, e));
        }
        if body.content_length.is_some_and(|all| end > all) {
            let e = Error::at(Code::FragmentTruncated, name(top.kind), self.at);
            return Err(self.fault(top.kind, e));
        }
        if is_moof && end > arrived {
            return match body.end {
                BodyEnd::Open => Ok(Some(Found::NeedMore { until: end })),
                BodyEnd::Reached => Err(Error::at(Code::FragmentTruncated, "moof", arrived)),
            };
        }
        let start = self.at;
        let known = KNOWN.contains(&top.kind) || self.progress != Progress::Nothing;
        self.step(end, if known { Passing::Needed } else { Passing::Foreign });
        if is_moof {
            self.progress = Progress::Moof;
            let size = u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX);
            return Ok(Some(Found::Moof { offset: start, size }));
        }
        if is_data {
            self.progress = Progress::Pairs;
            let payload_offset = start.saturating_add(top.header);
            let payload_size = end.saturating_sub(payload_offset);
            return Ok(Some(Found::Mdat { payload_offset, payload_size }));
        }
        Ok(None)
    }

    fn step(&mut self, to: u64, passing: Passing) {
        self.at = to;
        self.boxes = self.boxes.saturating_add(1);
        self.passing = passing;
    }

    /// A fault before any `moof` in a box that no fragment has means that this is no fragment: captive portals
    /// answer every request with a page and status 200.
    fn fault(&self, kind: [u8; 4], error: Error) -> Error {
        if self.progress == Progress::Nothing && !KNOWN.contains(&kind) {
            Error::at(Code::FragmentNotMp4, "", 0)
        } else {
            error
        }
    }
}

/// The type as part of an error's place.
fn name(kind: [u8; 4]) -> &'static str {
    match &kind {
        b"moof" => "moof",
        b"mdat" => "mdat",
        b"styp" => "styp",
        b"sidx" => "sidx",
        b"uuid" => "uuid",
        b"free" => "free",
        _ => "box",
    }
}
