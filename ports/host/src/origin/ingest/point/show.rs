//! What clients see of a publishing point: its manifest, its fragments.

use std::time::Duration;

use super::{Part, Point, State};
use crate::media::ismc::{self, Listing, Live, Manifest};
use crate::media::presentation::SUBTYPE;
use crate::media::stamp::scaled;
use crate::media::{DEFAULT_TIMESCALE, Kind};
use crate::origin::ingest::level::{Level, read};
use crate::origin::live::Answer;
use crate::origin::live::spec::Then;

/// For how long a manifest waits for tracks of which nothing has come.
const PATIENCE: Duration = Duration::from_secs(5);
/// How far a level may be behind before clients are not made to wait for it, in seconds.
const BEHIND: u64 = 10;

impl Point {
    /// The client manifest as it is now.
    pub fn manifest(&self) -> Answer {
        let state = self.state();
        if state.ended && self.spec.then == Then::Gone {
            return Answer::Not(404, "the event is over".to_owned());
        }
        let missing = state.feeds.iter().filter(|feed| !feed.ended).any(|feed| {
            feed.tracks.iter().any(|known| {
                let level = feed.slot(known.track.id).and_then(|at| state.levels.get(at));
                level.is_none_or(|level| level.out.is_empty())
            })
        });
        let waits = missing && state.first_out.is_none_or(|first| first.elapsed() < PATIENCE) && !state.ended;
        let streams = self.listings(&state);
        if waits || streams.is_empty() {
            return Answer::Not(412, "not everything has come yet".to_owned());
        }
        let over = state.ended && self.spec.then == Then::Vod;
        let live = Live {
            spelling: &self.spec.spelling,
            look_ahead: self.spec.look_ahead.into(),
            window: self.spec.window.map_or(0, |window| window * 10),
        };
        let manifest = Manifest {
            duration: if over { length(&streams) } else { 0 },
            live: (!over).then_some(live),
            protection: &state.protection,
            streams,
        };
        match ismc::render(&manifest, self.spec.list) {
            Ok(xml) => Answer::Found(xml.into_bytes()),
            Err(error) => Answer::Not(500, format!("{error:#}")),
        }
    }

    /// The fragment at exactly a time, or only its `moof`, and what it is of.
    pub fn fragment(&self, name: &str, bitrate: u64, time: u64, head: Part) -> (Option<Kind>, Answer) {
        let not = |status, why: &str| (None, Answer::Not(status, why.to_owned()));
        let state = self.state();
        let mut levels = state.levels.iter().filter(|level| level.stream == name);
        let Some(level) = levels.find(|level| level.bitrate == bitrate) else {
            return not(404, "no such stream and bitrate");
        };
        let Some(out) = level.find(time) else {
            let future = level.newest().is_none_or(|newest| time > newest) || level.holds(time);
            return match future {
                true if !state.ended => not(self.spec.early, "not there yet"),
                _ => not(404, &format!("no fragment starts at {time}")),
            };
        };
        if let (Some(window), false, Some(last)) = (self.spec.window, state.ended, level.out.last()) {
            let kept = scaled(window + self.spec.grace, (level.track.timescale, 1_000_000));
            if out.time + out.duration + kept < last.time + last.duration {
                return not(self.spec.expired, "it has left the window");
            }
        }
        let Some(feed) = state.feeds.get(level.feed) else { return not(500, "no file") };
        let (file, kind) = (feed.file.file.clone(), level.kind);
        drop(state);
        let len = if head == Part::Head { out.moof } else { out.len };
        match read(&file, out, len) {
            Ok(bytes) => (Some(kind), Answer::Found(bytes)),
            Err(error) => not(500, &format!("{error:#}")),
        }
    }

    /// Every stream with what clients may know of it.
    pub(super) fn listings<'a>(&self, state: &'a State) -> Vec<Listing<'a>> {
        let mut listings: Vec<Listing> = Vec::new();
        let mut order: Vec<&Level> = state.levels.iter().filter(|level| !level.out.is_empty()).collect();
        order.sort_by_key(|level| (level.kind, level.bitrate));
        for level in &order {
            if listings.iter().any(|listing| listing.name == level.stream) {
                continue;
            }
            let own: Vec<&&Level> = order.iter().filter(|other| other.stream == level.stream).collect();
            let mut fragments = shared(&own);
            if let (Some(window), false, Some((time, duration))) =
                (self.spec.window, state.ended, fragments.last())
            {
                let edge =
                    (time + duration).saturating_sub(scaled(window, (level.track.timescale, 1_000_000)));
                let old = fragments.iter().filter(|(time, duration)| time + duration <= edge).count();
                fragments.drain(..old);
            }
            if fragments.is_empty() {
                continue;
            }
            listings.push(Listing {
                kind: level.kind,
                name: &level.stream,
                language: &level.language,
                subtype: SUBTYPE,
                timescale: level.track.timescale,
                levels: own.iter().map(|level| level.rendition()).collect(),
                fragments,
            });
        }
        listings
    }
}

/// Times and durations that all levels of a stream have, but for those that have fallen behind.
fn shared(levels: &[&&Level]) -> Vec<(u64, u64)> {
    let last = |level: &Level| level.out.last().map_or(0, |out| out.time);
    let newest = levels.iter().map(|level| last(level)).max().unwrap_or(0);
    let alive: Vec<_> = levels
        .iter()
        .filter(|level| last(level).saturating_add(BEHIND * level.track.timescale) >= newest)
        .collect();
    let Some((first, others)) = alive.split_first() else { return Vec::new() };
    let everywhere = |time: u64| others.iter().all(|level| level.find(time).is_some());
    first.out.iter().filter(|out| everywhere(out.time)).map(|out| (out.time, out.duration)).collect()
}

/// From the first start to the last end, in ticks of the default scale.
pub(super) fn length(streams: &[Listing]) -> u64 {
    let (mut first, mut last) = (u64::MAX, 0);
    for stream in streams {
        let common = |ticks| scaled(ticks, (DEFAULT_TIMESCALE, stream.timescale));
        if let (Some(start), Some(end)) = (stream.fragments.first(), stream.fragments.last()) {
            first = first.min(common(start.0));
            last = last.max(common(end.0 + end.1));
        }
    }
    last.saturating_sub(first)
}
