//! One publishing point: the streams that encoders send to it, one channel for clients.

mod show;

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Settings;
use super::archive::{MediaWriter, free_name};
use super::feed::{Announced, Came, Feed, Fragment, Head};
use super::level::{Level, Taken};
use crate::media::Kind;
use crate::media::ism::{self, Source};
use crate::media::ismc::{self, Manifest};
use crate::media::playready::{self, Header};
use crate::media::presentation::SUBTYPE;
use crate::origin::live::spec::Spec;
use show::length;

/// A publishing point.
pub struct Point {
    pub path: String,
    dir: PathBuf,
    name: String,
    spec: Spec,
    reconnect: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    feeds: Vec<Sent>,
    levels: Vec<Level>,
    protection: Vec<Header>,
    /// The name of the archive.
    archive: String,
    /// When the first fragment was out.
    first_out: Option<Instant>,
    ended: bool,
    /// Rises with every event.
    event: u64,
}

/// One stream of an encoder.
struct Sent {
    id: String,
    tracks: Vec<Announced>,
    /// Which track is which level.
    slots: Vec<(u32, usize)>,
    file: MediaWriter,
    /// Rises with every connection.
    connection: u64,
    connected: usize,
    ended: bool,
    again: u64,
}

/// A connection of an encoder.
struct Connected {
    event: u64,
    feed: usize,
}

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Point").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Point {
    pub fn new(path: &str, dir: PathBuf, name: String, settings: &Settings) -> Self {
        Self {
            path: path.to_owned(),
            dir,
            name,
            spec: settings.spec.clone(),
            reconnect: settings.reconnect,
            state: Mutex::default(),
        }
    }

    /// Takes the body of a POST until it ends; `id` names the stream.
    ///
    /// # Errors
    /// When it breaks off, or is no live stream.
    pub fn publish(self: &Arc<Self>, id: &str, body: impl Read) -> Result<()> {
        let mut feed = Feed::new(body);
        let mut here = None;
        let done = self.follow(id, &mut feed, &mut here);
        let Some(here) = here else { return done };
        let (whole, why) = match &done {
            Ok(()) => (true, "ended".to_owned()),
            Err(error) => (false, format!("broke off: {error:#}")),
        };
        eprintln!("{}: Streams({id}) {why}", self.path);
        self.leave(&here, whole);
        done
    }

    /// Whether clients should ask for the archive by its other name.
    pub fn is_over(&self) -> bool {
        self.state().ended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, id: &str, feed: &mut Feed<impl Read>, here: &mut Option<Connected>) -> Result<()> {
        while let Some(came) = feed.next()? {
            match came {
                Came::Head(head) => self.head(id, head, here)?,
                Came::Fragment(fragment) => {
                    let here = here.as_ref().context("fragments before any moov box")?;
                    self.fragment_came(here, fragment)?;
                }
                Came::End => return Ok(()),
            }
        }
        Ok(())
    }

    /// The head of a stream: a new one, or one that is sent again.
    fn head(&self, id: &str, head: Head, here: &mut Option<Connected>) -> Result<()> {
        for warning in &head.warnings {
            eprintln!("warning: {}: Streams({id}): {warning}", self.path);
        }
        let headers = playready::of_moov(head.moov.get(8..).unwrap_or(&[]))?;
        let mut state = self.state();
        if state.ended {
            *state = State { event: state.event + 1, ..State::default() };
        }
        if state.feeds.is_empty() {
            state.archive = free_name(&self.dir, &self.name);
        }
        let at = match state.feeds.iter().position(|feed| feed.id == id) {
            Some(at) => at,
            None => {
                let file = MediaWriter::create(&self.dir, &state.archive, id, &head.moov)?;
                let sent = Sent {
                    id: id.to_owned(),
                    tracks: Vec::new(),
                    slots: Vec::new(),
                    file,
                    connection: 0,
                    connected: 0,
                    ended: false,
                    again: 0,
                };
                state.feeds.push(sent);
                state.feeds.len() - 1
            }
        };
        for header in headers {
            if !state.protection.contains(&header) {
                state.protection.push(header);
            }
        }
        let feed = &mut state.feeds[at];
        for old in &feed.tracks {
            let now = head.tracks.iter().find(|track| track.track.id == old.track.id);
            if now.is_some_and(|now| now.track.codec.private_data != old.track.codec.private_data) {
                eprintln!(
                    "warning: {}: Streams({id}): the decoder's private data of track {} is another than before; clients \
                     keep the first",
                    self.path, old.track.id
                );
            }
        }
        let known = if feed.tracks.is_empty() { "comes" } else { "comes again" };
        let kinds: Vec<_> = head
            .tracks
            .iter()
            .map(|track| format!("{} {}", track.track.kind.as_str(), track.track.codec.four_cc))
            .collect();
        eprintln!("{}: Streams({id}) {known}: {}", self.path, kinds.join(", "));
        feed.tracks = named(head.tracks);
        feed.ended = false;
        if here.is_none() {
            feed.connection += 1;
            feed.connected += 1;
            *here = Some(Connected { event: state.event, feed: at });
        }
        Ok(())
    }

    fn fragment_came(&self, here: &Connected, fragment: Fragment) -> Result<()> {
        let mut state = self.state();
        ensure!(state.event == here.event && !state.ended, "the event is over; start the stream again");
        let feed = state.feeds.get(here.feed).context("no such stream")?;
        let announced = feed.tracks.iter().find(|known| known.track.id == fragment.track);
        let Some(announced) = announced.cloned() else { return Ok(()) };
        let feed_id = feed.id.clone();
        if fragment.dropped > 0 {
            eprintln!(
                "{}: Streams({feed_id}): {} samples of {} before time 0 left out",
                self.path,
                fragment.dropped,
                announced.track.kind.as_str()
            );
        }
        let at = match feed.slot(fragment.track) {
            Some(at) => at,
            None => state.place(&announced, here.feed, &fragment),
        };
        let State { levels, feeds, first_out, .. } = &mut *state;
        let (Some(level), time) = (levels.get_mut(at), fragment.time) else { return Ok(()) };
        let file = &mut feeds.get_mut(level.feed).context("no file")?.file;
        if level.take(fragment, &self.spec, file)? == Taken::Again
            && let Some(feed) = feeds.get_mut(here.feed)
        {
            feed.again += 1;
            if feed.again == 1 {
                eprintln!(
                    "{}: Streams({feed_id}): the fragment of {} at {time} was there already; if the encoder has started \
                     again from 0, end the stream first",
                    self.path, level.stream
                );
            }
        }
        if level_is_out(levels) && first_out.is_none() {
            *first_out = Some(Instant::now());
        }
        Ok(())
    }

    /// A connection has ended; if the stream did not, its encoder may come back.
    fn leave(self: &Arc<Self>, here: &Connected, whole: bool) {
        let mut state = self.state();
        if state.event != here.event {
            return;
        }
        let Some(feed) = state.feeds.get_mut(here.feed) else { return };
        feed.connected = feed.connected.saturating_sub(1);
        if feed.connected > 0 {
            return;
        }
        if whole {
            feed.ended = true;
            self.end_if_over(&mut state);
            return;
        }
        let connection = feed.connection;
        drop(state);
        let (point, event, at) = (self.clone(), here.event, here.feed);
        std::thread::spawn(move || {
            std::thread::sleep(point.reconnect);
            let mut state = point.state();
            if state.event != event || state.ended {
                return;
            }
            let Some(feed) = state.feeds.get_mut(at) else { return };
            if feed.connected == 0 && feed.connection == connection {
                eprintln!("{}: Streams({}) did not come back", point.path, feed.id);
                feed.ended = true;
                point.end_if_over(&mut state);
            }
        });
    }

    fn end_if_over(&self, state: &mut State) {
        if state.ended || !state.feeds.iter().all(|feed| feed.ended) {
            return;
        }
        state.ended = true;
        match self.archive(state) {
            Ok(()) => eprintln!("{}: over; archived as {}.ism", self.path, state.archive),
            Err(error) => eprintln!("warning: {}: over, and not archived: {error:#}", self.path),
        }
    }

    fn archive(&self, state: &mut State) -> Result<()> {
        let State { levels, feeds, archive, .. } = state;
        for level in levels.iter_mut() {
            let file = &mut feeds.get_mut(level.feed).context("no file")?.file;
            level.finish(&self.spec, file)?;
        }
        for (at, feed) in feeds.iter_mut().enumerate() {
            feed.file.finish(levels.iter().filter(|level| level.feed == at))?;
        }
        let sources: Vec<Source> = levels
            .iter()
            .filter_map(|level| {
                Some(Source {
                    kind: level.kind,
                    src: &feeds.get(level.feed)?.file.name,
                    bitrate: level.bitrate,
                    language: &level.language,
                    name: &level.stream,
                    subtype: SUBTYPE,
                    track: &level.track,
                    attributes: &[],
                })
            })
            .collect();
        let server = ism::render(&format!("{archive}.ismc"), &sources)?;
        let streams = self.listings(state);
        if streams.is_empty() {
            return Ok(());
        }
        let manifest =
            Manifest { duration: length(&streams), live: None, protection: &state.protection, streams };
        let client = ismc::render(&manifest, self.spec.list)?;
        for (extension, xml) in [("ismc", client), ("ism", server)] {
            let path = self.dir.join(format!("{}.{extension}", state.archive));
            std::fs::write(&path, xml).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

/// What of a fragment is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    Head,
}

fn level_is_out(levels: &[Level]) -> bool {
    levels.iter().any(|level| !level.out.is_empty())
}

impl State {
    /// The level that a track becomes: one that another stream has begun, if name and bitrate say so, or a new one. Without
    /// a bitrate of its own it has that of its first fragment.
    fn place(&mut self, announced: &Announced, feed: usize, fragment: &Fragment) -> usize {
        let stream = announced.stream();
        let same = |level: &Level| level.kind == announced.track.kind && level.stream == stream;
        let known =
            |level: &Level| same(level) && level.feed != feed && announced.bitrate == Some(level.bitrate);
        let at = self.levels.iter().position(known).unwrap_or_else(|| {
            let measured = || {
                let ticks = u128::from(fragment.duration.max(1));
                let bits = u128::from(fragment.media()) * 8 * u128::from(announced.track.timescale);
                u64::try_from(bits / ticks).unwrap_or(0)
            };
            // The bitrate is the level's address: no two may share one.
            let mut bitrate = announced.bitrate.unwrap_or_else(measured);
            while self.levels.iter().any(|level| same(level) && level.bitrate == bitrate) {
                bitrate += 1;
            }
            self.levels.push(Level::new(announced, stream.clone(), announced.spoken(), bitrate, feed));
            self.levels.len() - 1
        });
        if let Some(feed) = self.feeds.get_mut(feed) {
            feed.slots.push((announced.track.id, at));
        }
        at
    }
}

impl Sent {
    /// The level of a track.
    fn slot(&self, track: u32) -> Option<usize> {
        self.slots.iter().find(|(id, _)| *id == track).map(|(_, level)| *level)
    }
}

/// Gives tracks of one name and different languages names of their own.
fn named(mut tracks: Vec<Announced>) -> Vec<Announced> {
    let all: Vec<_> = tracks.iter().map(|track| (track.stream(), track.spoken())).collect();
    for (track, (name, language)) in tracks.iter_mut().zip(&all) {
        let others = all.iter().any(|(other, spoken)| other == name && spoken != language);
        if others && track.track.kind != Kind::Video {
            track.name = Some(format!("{name}_{language}"));
        }
    }
    tracks
}

impl Announced {
    /// The name of its stream.
    fn stream(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.track.kind.as_str().to_owned())
    }

    fn spoken(&self) -> String {
        match self.track.kind {
            Kind::Video => "und".to_owned(),
            Kind::Audio | Kind::Text => self.language.clone().unwrap_or_else(|| self.track.language.clone()),
        }
    }
}
