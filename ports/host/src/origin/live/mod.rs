//! Channels: presentations on disk, played round and round as if an encoder sent them.

pub mod spec;
mod timeline;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};

use super::catalog::Publication;
use super::clock::{Clock, Moment};
use crate::media::fragment::Sample;
use crate::media::ismc::{self, Listing, Live, Manifest};
use crate::media::presentation::{Level, Presentation};
use crate::media::stamp::{self, Stamp};
use crate::media::{DEFAULT_TIMESCALE, Kind};
use spec::{Base, Spec, Then};
pub use timeline::chance;
use timeline::{Entry, Micros, Reel, Timeline};

/// From 1601 to 1970 in units of 100 ns.
const FROM_1601: u64 = 116_444_736_000_000_000;
const DEFAULT_HISTORY: Micros = 120_000_000;
/// So that a manifest is full from the start, whatever it holds back.
const EXTRA: Micros = 30_000_000;

/// A channel.
#[derive(Debug)]
pub struct Channel {
    pub path: String,
    spec: Spec,
    history: Micros,
    presentation: Arc<Presentation>,
    /// One for each stream of the presentation.
    state: Mutex<Vec<Timeline>>,
}

/// A fragment, and times and durations of those that it announces.
type Found = (Entry, Vec<(u64, u64)>);

/// What a channel answers.
pub enum Answer {
    Found(Vec<u8>),
    /// Another status, and why.
    Not(u16, String),
}

impl Channel {
    /// # Errors
    /// When no presentation fits.
    pub fn new(spec: Spec, publications: &[Publication], clock: &Clock) -> Result<Self> {
        let names =
            || publications.iter().map(|p| p.path.trim_start_matches('/')).collect::<Vec<_>>().join(", ");
        let publication = match &spec.from {
            Some(path) => publications
                .iter()
                .find(|publication| publication.path == *path)
                .with_context(|| format!("{}: no presentation {path}; there are: {}", spec.path, names()))?,
            None => {
                ensure!(!publications.is_empty(), "{}: no presentation to make a channel of", spec.path);
                ensure!(publications.len() == 1, "{}: from=PATH must say which of: {}", spec.path, names());
                &publications[0]
            }
        };
        let presentation = publication.presentation.clone();
        let clear = presentation.protection.is_empty();
        ensure!(clear || spec.merge == (1, 1), "{}: encrypted fragments cannot be merged", spec.path);
        let history = spec.history.or(spec.window.map(|window| window + EXTRA)).unwrap_or(DEFAULT_HISTORY);
        let base = match spec.base {
            Base::Ticks(ticks) => ticks,
            Base::Since1970 => clock.ticks_at_zero().saturating_sub(history * 10),
            Base::Since1601 => clock.ticks_at_zero().saturating_sub(history * 10) + FROM_1601,
        };
        let mut timelines = Vec::new();
        for (salt, reel) in (1..).zip(reels(&presentation, &spec, clear)?) {
            timelines.push(Timeline::new(reel, &spec, history, base, salt));
        }
        Ok(Self { path: spec.path.clone(), spec, history, presentation, state: Mutex::new(timelines) })
    }

    /// The client manifest as it is now.
    pub fn manifest(&self, now: Moment) -> Answer {
        let now = now.0 + self.history;
        let over = self.spec.end.is_some_and(|end| now >= end + self.history);
        if over && self.spec.then == Then::Gone {
            return Answer::Not(404, "the event is over".to_owned());
        }
        let timelines = self.timelines(now);
        let mut streams = Vec::new();
        let (mut first, mut last) = (u64::MAX, 0);
        for (stream, timeline) in self.presentation.streams.iter().zip(timelines.iter()) {
            let Some(mut listing) = Listing::of(stream) else { continue };
            listing.timescale = timeline.reel().to;
            let listed = self.listed(timeline, now);
            if let [start, .., end] | [start @ end] = listed.as_slice() {
                let common = |ticks: u64| in_common(ticks, listing.timescale);
                first = first.min(common(start.time));
                last = last.max(common(end.time + end.duration));
            }
            listing.fragments = listed.iter().map(|entry| (entry.time, timeline.said(entry))).collect();
            streams.push(listing);
        }
        if streams.iter().all(|stream| stream.fragments.is_empty()) {
            return Answer::Not(412, "nothing has been sent yet".to_owned());
        }
        let ended = over && self.spec.then == Then::Vod;
        let announced = self.spec.end.filter(|_| self.spec.announce).map(|end| (end + self.history) * 10);
        let live = Live {
            spelling: &self.spec.spelling,
            look_ahead: self.spec.look_ahead.into(),
            window: self.spec.window.map_or(0, |window| window * 10),
        };
        let manifest = Manifest {
            duration: if ended { last.saturating_sub(first) } else { announced.unwrap_or(0) },
            live: (!ended).then_some(live),
            protection: &self.presentation.protection,
            streams,
        };
        match ismc::render(&manifest, self.spec.list) {
            Ok(xml) => Answer::Found(xml.into_bytes()),
            Err(error) => Answer::Not(500, format!("{error:#}")),
        }
    }

    /// The fragment of a level at exactly a time; `head` wants only its `moof`.
    pub fn fragment(&self, name: &str, level: &Level, time: u64, now: Moment) -> Answer {
        let now = now.0 + self.history;
        let found = {
            let timelines = self.timelines(now);
            let Some(timeline) = timelines.iter().find(|timeline| timeline.reel().name == name) else {
                return Answer::Not(404, format!("no stream {name}"));
            };
            match self.find(timeline, time, now) {
                Ok((entry, following)) => (entry, following, timeline.factor()),
                Err((status, why)) => return Answer::Not(status, why),
            }
        };
        let (entry, following, factor) = found;
        match self.made(level, &entry, &following, factor) {
            Ok(bytes) => Answer::Found(bytes),
            Err(error) => Answer::Not(500, format!("{error:#}")),
        }
    }

    /// The level that a URL names.
    pub fn level(&self, name: &str, bitrate: u64, attributes: &[(&str, &str)]) -> Option<&Level> {
        self.presentation.level(name, bitrate, attributes)
    }

    fn timelines(&self, now: Micros) -> MutexGuard<'_, Vec<Timeline>> {
        let mut timelines = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for timeline in timelines.iter_mut() {
            timeline.advance(now);
        }
        timelines
    }

    /// Nothing expires after the end.
    fn until_end(&self, now: Micros) -> Micros {
        self.spec.end.map_or(now, |end| now.min(end + self.history))
    }

    /// Whether a fragment is handed out: the ones that it announces must be there, or there will be none.
    fn is_out(&self, timeline: &Timeline, at: usize, now: Micros) -> bool {
        let entries = &timeline.entries;
        let Some(entry) = entries.get(at) else { return false };
        let followed = entries
            .get(at + usize::from(self.spec.look_ahead))
            .is_some_and(|after| after.epoch == entry.epoch);
        followed || timeline.epoch_end(entry.epoch).is_some_and(|end| now >= end)
    }

    /// What the manifest lists of a stream.
    fn listed(&self, timeline: &Timeline, now: Micros) -> Vec<Entry> {
        let count = (0..timeline.entries.len())
            .rev()
            .find(|at| self.is_out(timeline, *at, now))
            .map_or(0, |at| at + 1);
        let Some(last) = count.checked_sub(1).and_then(|at| timeline.entries.get(at)) else {
            return Vec::new();
        };
        let mut listed: Vec<_> =
            timeline.entries.iter().take(count).filter(|entry| entry.epoch == last.epoch).copied().collect();
        if let Some(window) = self.spec.window {
            let window = stamp::scaled(window, (timeline.reel().to, 1_000_000));
            let edge = (last.time + last.duration).saturating_sub(window);
            let old = listed.iter().filter(|entry| entry.time + entry.duration <= edge).count();
            listed.drain(..old.min(listed.len() - 1));
        }
        listed
    }

    fn find(&self, timeline: &Timeline, time: u64, now: Micros) -> Result<Found, (u16, String)> {
        let entries = &timeline.entries;
        // The newest epoch that has such a time.
        let at = entries.iter().rposition(|entry| entry.time == time);
        let early = |why: &str| Err((self.spec.early, why.to_owned()));
        let Some(at) = at else {
            let newest = entries.back();
            return match newest {
                Some(newest) if time <= newest.time => {
                    let oldest = entries.iter().find(|entry| entry.epoch == newest.epoch);
                    if oldest.is_some_and(|oldest| time < oldest.time) {
                        Err((self.spec.expired, format!("nothing at {time} any more")))
                    } else {
                        Err((404, format!("no fragment starts at {time}")))
                    }
                }
                _ if timeline.epoch_end(usize::MAX).is_some_and(|end| now >= end) => {
                    Err((404, "the event is over".to_owned()))
                }
                _ => early("not there yet"),
            };
        };
        if !self.is_out(timeline, at, now) {
            return early("those that follow are not there yet");
        }
        let entry = entries[at];
        let listed = self.listed(timeline, now);
        if let Some(window) = self.spec.window
            && listed.first().is_some_and(|first| entry.epoch < first.epoch || entry.time < first.time)
            && entry.exists + window + self.spec.grace < self.until_end(now)
        {
            return Err((self.spec.expired, format!("the fragment at {time} has left the window")));
        }
        let following = entries.iter().skip(at + 1).take(self.spec.look_ahead.into());
        let following = following.filter(|after| after.epoch == entry.epoch);
        Ok((entry, following.map(|after| (after.time, timeline.said(after))).collect()))
    }

    /// The bytes of a fragment.
    fn made(
        &self,
        level: &Level,
        entry: &Entry,
        following: &[(u64, u64)],
        factor: (u64, u64),
    ) -> Result<Vec<u8>> {
        let own = level.fragments().get(entry.first..entry.first + entry.count);
        let own = own.context("this level has fewer fragments than the first one")?;
        let plain = match own {
            [one] if entry.dropped == 0 => level.file.bytes(one, one.len)?,
            several => {
                let mut samples: Vec<Sample> = Vec::new();
                for fragment in several {
                    samples.extend(level.samples(fragment)?);
                }
                samples.truncate(samples.len() - entry.dropped.min(samples.len()));
                let mut data = Vec::new();
                for sample in &samples {
                    data.extend(level.file.sample(sample)?);
                }
                stamp::build(level.track().id, &samples, &data)?
            }
        };
        let stamp = Stamp {
            time: entry.time,
            duration: entry.duration,
            following,
            tfxd: self.spec.tfxd,
            tfrf: self.spec.tfrf.filter(|_| !following.is_empty()),
            decode_time: self.spec.decode_time,
            sequence: entry.sequence,
            track: None,
            defaults: level.track().defaults,
            scale: (factor.0 != factor.1).then_some(factor),
        };
        stamp::stamp(&plain, &stamp)
    }
}

/// Ticks of one scale in the default one.
fn in_common(ticks: u64, scale: u64) -> u64 {
    stamp::scaled(ticks, (DEFAULT_TIMESCALE, scale))
}

/// The streams as they are looped: each round is as long as the pictures, or else the longest stream.
fn reels(presentation: &Presentation, spec: &Spec, clear: bool) -> Result<Vec<Reel>> {
    let firsts: Vec<&Level> =
        presentation.streams.iter().filter_map(|stream| stream.levels.first()).collect();
    let longest = firsts.iter().max_by_key(|level| in_common(level.end(), level.track().timescale));
    let master = firsts.first().filter(|level| level.is_video()).or(longest).context("nothing in it")?;
    // Seconds as fractions of the master's scale.
    let zero =
        firsts.iter().map(|level| in_common(level.start(), level.track().timescale)).min().unwrap_or(0);
    let own_zero = |level: &Level| stamp::scaled(zero, (level.track().timescale, DEFAULT_TIMESCALE));
    let round = (master.end() - own_zero(master), master.track().timescale);
    let mut reels = Vec::new();
    for (stream, level) in presentation.streams.iter().zip(firsts) {
        let zero = own_zero(level);
        let spans = level.fragments();
        let tail = match spans.last() {
            Some(last) if clear && level.track().kind == Kind::Audio => {
                level.samples(last)?.iter().map(|sample| sample.duration).collect()
            }
            _ => Vec::new(),
        };
        reels.push(Reel {
            name: stream.name.clone(),
            from: level.track().timescale,
            to: spec.timescale.unwrap_or(level.track().timescale),
            spans: spans.iter().map(|span| (span.time.saturating_sub(zero), span.duration)).collect(),
            tail,
            round,
        });
    }
    Ok(reels)
}
