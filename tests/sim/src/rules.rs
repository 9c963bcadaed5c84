//! What must hold in every step of every run.

use std::collections::HashSet;

use smoothcore::codec::Kind;
use smoothcore::io::{EventKind, Sample, SampleFlags};

use crate::media::Mark;
use crate::origin::{Asked, Given};
use crate::show::{Piece, Show};

/// Ticks of 100 ns by which a reported hole may differ from the real one: rounding to microseconds, at both ends.
const SLACK: i64 = 20_000;
/// Outputs after one input. The event ring holds 64; each stream may flush, cancel, ask, configure, offer and end.
pub const MOST_OUTPUTS: u32 = 100;
/// Deadlines in a row that are not in the future.
pub const MOST_STALE: u32 = 50;
/// Requests within one second: a viewer who seeks six times on a fast link makes two hundred.
pub const MOST_REQUESTS: usize = 250;

/// What a stream has had.
#[derive(Clone, Debug, Default)]
struct Past {
    epoch: u32,
    last: Option<Last>,
    /// Holes that were reported, from and to in 100 ns.
    told: Vec<(i64, i64)>,
    /// Fragments that arrived with other bytes than were made.
    damaged: HashSet<u64>,
    refused: Option<(i64, u64, u32, usize)>,
    /// A fragment whose media was there before, in part.
    again: Option<Piece>,
    ended: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Last {
    piece: Piece,
    index: u32,
    /// Where it ends, in 100 ns.
    end: i64,
}

/// Counts of what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub manifests: u64,
    pub fragments: u64,
    /// Answers with 412, and with 404, that no fault made.
    pub early: u64,
    pub missing: u64,
    pub samples: u64,
    pub stalls: u64,
    pub gaps: u64,
    pub failed: u64,
    pub ended: u64,
    /// When the last early and missing answers were given.
    pub early_at: u64,
    pub missing_at: u64,
    pub stalled_at: u64,
}

/// The memory of the rules.
#[derive(Clone, Debug)]
pub struct Rules {
    streams: Vec<Past>,
    /// Times that were listed or announced though no fragment has them.
    odd: HashSet<(usize, u64)>,
    recent: Vec<u64>,
    /// The origin said so often that there is no manifest that it was taken for the end, and that was told.
    gone: bool,
    pub counts: Counts,
    scratch: Vec<u8>,
    bytes: Vec<u8>,
}

type Checked = Result<(), String>;

impl Rules {
    pub fn new(streams: usize) -> Rules {
        Rules {
            streams: vec![Past::default(); streams],
            odd: HashSet::new(),
            recent: Vec::new(),
            gone: false,
            counts: Counts::default(),
            scratch: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// A request was made, and this is what it came to.
    pub fn request(&mut self, show: &Show, now: u64, url: &str, given: &Given, faulted: bool) -> Checked {
        self.recent.retain(|t| t + 1_000_000 > now);
        self.recent.push(now);
        if self.recent.len() > MOST_REQUESTS {
            return Err(format!("{} requests within a second", self.recent.len()));
        }
        match given.asked {
            Asked::Nonsense => return Err(format!("a URL that was never listed: {url}")),
            Asked::Manifest => self.counts.manifests += 1,
            Asked::Fragment { stream, time, .. } => {
                self.counts.fragments += 1;
                if given.piece.is_none() && !self.odd.contains(&(stream, time)) {
                    let near = show.find(stream, time.saturating_sub(1)).or(show.find(stream, time + 1));
                    return Err(format!("a time that was never listed nor announced: {url} (near {near:?})"));
                }
                if given.damaged {
                    self.streams[stream].damaged.insert(time);
                }
                if !faulted && given.status == 412 {
                    self.counts.early += 1;
                    self.counts.early_at = now;
                }
                if !faulted && given.status == 404 {
                    self.counts.missing += 1;
                    self.counts.missing_at = now;
                }
            }
        }
        self.odd.extend(given.odd.iter().copied());
        Ok(())
    }

    /// A sample is offered. `taken`: and the decoder takes it.
    pub fn sample(&mut self, show: &Show, sample: &Sample<'_>, taken: bool) -> Checked {
        let s = usize::from(sample.stream.0);
        let stream = &show.streams[s];
        self.bytes.clear();
        for part in sample.data.clone() {
            self.bytes.extend_from_slice(part);
        }
        let past = &mut self.streams[s];
        if sample.epoch.0 < past.epoch {
            return Err(format!("epoch {} after {}", sample.epoch.0, past.epoch));
        }
        if past.ended == Some(sample.epoch.0) {
            return Err(format!("stream {s}: a sample after the end of epoch {}", sample.epoch.0));
        }
        if sample.epoch.0 > past.epoch {
            past.epoch = sample.epoch.0;
            past.last = None;
            // A hole ahead may have been told while the decoder was not ready for the first sample.
            past.told.retain(|t| t.1 > sample.dts.0);
            past.refused = None;
        }
        let Some(piece) = show.find(s, sample.fragment) else {
            return Err(format!("stream {s}: a sample of a fragment that never was, {}", sample.fragment));
        };
        let whole = show.stop(s, piece) - sample.fragment;
        let index = (0..stream.samples)
            .find(|k| stream.hns(sample.fragment + stream.sample(whole, *k)) == sample.dts.0);
        let Some(index) = index else {
            return Err(format!("stream {s}: no sample of {} starts at {}", sample.fragment, sample.dts.0));
        };
        if sample.pts != sample.dts {
            return Err(format!("stream {s}: shown at {} though decoded at {}", sample.pts.0, sample.dts.0));
        }
        let mark = Mark::read(show, &self.bytes, &mut self.scratch);
        let wanted = |m: &Mark| (usize::from(m.stream), m.piece, u32::from(m.index)) == (s, piece, index);
        if !mark.as_ref().is_some_and(wanted) && !past.damaged.contains(&sample.fragment) {
            return Err(format!(
                "stream {s}: {} bytes of sample {index} of {} are those of {mark:?}",
                self.bytes.len(),
                sample.fragment
            ));
        }
        let facts = (sample.dts.0, sample.fragment, sample.bitrate, self.bytes.len());
        if let Some(before) = past.refused
            && (before.0, before.1, before.2) == (facts.0, facts.1, facts.2)
            && before != facts
            && past.damaged.is_empty()
            && mark.is_some_and(|m| m.bitrate == sample.bitrate)
            && sample.flags.0 & SampleFlags::CONFIG.0 == 0
            && stream.kind == Kind::Audio
        {
            return Err(format!("stream {s}: a refused sample has changed: {before:?}, then {facts:?}"));
        }
        if !taken {
            past.refused = Some(facts);
            return Ok(());
        }
        self.counts.samples += 1;
        past.refused = None;
        let start = sample.dts.0;
        let end = stream.hns(sample.fragment + stream.sample(whole, index + 1));
        if let Some(last) = past.last {
            // Less than a hundredth of a fragment is rounding.
            let slack = SLACK.max(stream.hns(whole) / 100);
            let next = match last.index + 1 == stream.samples {
                true => show.next(s, last.piece).map(|p| (p, 0)),
                false => Some((last.piece, last.index + 1)),
            };
            let follows = next == Some((piece, index));
            // After a change of encoder what was shown is only decoded again.
            let again = overlaps(show, last.piece, piece) && index == 0 || past.again == Some(piece);
            let unseen = sample.flags.has(SampleFlags::PREROLL);
            past.again = again.then_some(piece);
            if again && start + slack < last.end {
                if !unseen {
                    return Err(format!(
                        "stream {s}: media before {} is shown twice, from {start}",
                        last.end
                    ));
                }
                past.last = Some(Last { piece, index, end: last.end.max(end) });
                return Ok(());
            }
            if start + slack < last.end {
                return Err(format!("stream {s}: back from {} to {start}", last.end));
            }
            let hole = start > last.end + slack;
            if hole && !covered(&past.told, last.end, start) {
                return Err(format!(
                    "stream {s}: a hole from {} to {start} was not reported: {:?}",
                    last.end, past.told
                ));
            }
            if !follows && !hole && !overlaps(show, last.piece, piece) {
                return Err(format!("stream {s}: {piece:?} {index} after {last:?}"));
            }
            if hole && !sample.flags.has(SampleFlags::DISCONTINUITY) {
                return Err(format!("stream {s}: a hole from {} to {start} without its flag", last.end));
            }
        }
        past.last = Some(Last { piece, index, end });
        past.told.retain(|t| t.1 > end);
        Ok(())
    }

    pub fn flush(&mut self, s: usize, epoch: u32) -> Checked {
        let past = &mut self.streams[s];
        if epoch <= past.epoch && past.last.is_some() {
            return Err(format!("stream {s}: a flush of epoch {epoch} in epoch {}", past.epoch));
        }
        past.epoch = epoch;
        past.last = None;
        past.told.clear();
        past.refused = None;
        past.ended = None;
        Ok(())
    }

    pub fn end(&mut self, show: &Show, now: u64, s: usize, epoch: u32) -> Checked {
        let past = &mut self.streams[s];
        if past.ended == Some(epoch) {
            return Err(format!("stream {s}: ends twice in epoch {epoch}"));
        }
        past.ended = Some(epoch);
        let Some(last) = past.last else { return Ok(()) };
        if self.gone {
            // What followed was never told to anybody.
            return Ok(());
        }
        // The last one that exists now.
        let mut at = last.piece;
        let mut to = last.end;
        while let Some(next) = show.next(s, at) {
            if show.there_at(s, next) > now as i64 {
                return Err(format!("stream {s}: ends at {} before the presentation does", last.end));
            }
            at = next;
            to = show.streams[s].hns(show.stop(s, next));
        }
        let to = to.max(show.streams[s].hns(show.stop(s, last.piece)));
        if to > last.end + SLACK && !covered(&past.told, last.end, to) {
            return Err(format!(
                "stream {s}: ends at {} though there is media to {to}; {:?}",
                last.end, past.told
            ));
        }
        Ok(())
    }

    pub fn event(&mut self, now: u64, event: &smoothcore::io::Event) -> Checked {
        if event.lost > 0 {
            return Err(format!("{} events were lost", event.lost));
        }
        match event.kind {
            EventKind::Gap | EventKind::GapSkipped => {
                self.counts.gaps += 1;
                if let (Some(stream), Some(from)) = (event.stream, event.media_time) {
                    let told = (from.0, from.0 + event.a as i64 * 10);
                    self.streams[usize::from(stream.0)].told.push(told);
                }
            }
            EventKind::Stalled => {
                self.counts.stalls += 1;
                self.counts.stalled_at = now;
            }
            EventKind::LiveEnded => self.gone |= event.http_status != 0,
            EventKind::Failed => self.counts.failed += 1,
            EventKind::Ended => self.counts.ended += 1,
            _ => {}
        }
        Ok(())
    }

    /// The host turned a stream off or on, or sought: what was missing no longer matters.
    pub fn forget(&mut self, s: usize) {
        let past = &mut self.streams[s];
        past.last = None;
        past.told.clear();
        past.refused = None;
    }
}

/// Fragments of encoders that took over from each other.
fn overlaps(show: &Show, before: Piece, now: Piece) -> bool {
    now.run == before.run + 1 && show.runs[now.run as usize].continues
}

/// Whether reported holes cover all of it.
fn covered(told: &[(i64, i64)], from: i64, to: i64) -> bool {
    let mut at = from;
    // Each turn passes one of them.
    for _ in 0..=told.len() {
        if at + SLACK >= to {
            return true;
        }
        match told.iter().filter(|t| t.0 <= at + SLACK && t.1 > at).map(|t| t.1).max() {
            Some(next) => at = next,
            None => return false,
        }
    }
    at + SLACK >= to
}
