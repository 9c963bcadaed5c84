//! A live presentation, kept as it goes on: fragments announce those that follow them ([MS-SSTR] 2.2.4.5), and where they do not,
//! the manifest is fetched again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use smoothcore::error::Code;
use smoothcore::io::RequestKind;

use super::file::LevelFile;
use super::{Args, Job, Kept, checked, head, said};
use crate::fetch::{Fetcher, Got, Lost};
use crate::progress::Progress;
use crate::remote::Remote;

/// Between two questions for a fragment that is not there yet.
const AGAIN: Duration = Duration::from_millis(500);
/// A fragment that is announced and does not come for so long is lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same when a later one is known.
const SHORT_PATIENCE: Duration = Duration::from_secs(3);
/// Between two fetches of the manifest.
const REFRESH: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// One level on its way.
struct Feed<'a> {
    job: &'a Job,
    file: Option<LevelFile>,
    /// Durations of the fragments kept.
    durations: Vec<u64>,
    queue: VecDeque<u64>,
    /// The last time that was ever queued.
    last: Option<u64>,
    asked: bool,
    not_before: Instant,
    /// Since when the first of the queue is waited for.
    waiting: Option<Instant>,
}

/// Keeps fragments until the presentation ends, or the time is over.
pub fn keep(
    args: &Args,
    remote: &mut Remote,
    fetcher: &mut Fetcher,
    jobs: &[Job],
    progress: &mut Progress,
) -> Result<Vec<Kept>> {
    let begin = Instant::now();
    let mut feeds: Vec<Feed> = jobs.iter().map(|job| Feed::new(job, begin)).collect();
    let (mut refreshed, mut done) = (begin, 0);
    learn(remote, &mut feeds);
    loop {
        let over = args.live_for.is_some_and(|most| begin.elapsed() >= most);
        let idle = feeds.iter().all(|feed| feed.queue.is_empty() && !feed.asked);
        if over || idle && !remote.manifest.is_live() {
            break;
        }
        let dry = feeds.iter().any(|feed| feed.queue.is_empty() && !feed.asked);
        if dry && remote.manifest.is_live() && refreshed.elapsed() >= REFRESH {
            refreshed = Instant::now();
            let before = shape(remote);
            let old = std::mem::replace(&mut *remote, Remote::open(&args.url, fetcher)?);
            if shape(remote) != before {
                *remote = old;
                progress.say("the manifest lists other streams than before: what was there is kept");
                break;
            }
            learn(remote, &mut feeds);
        }
        let now = Instant::now();
        for (tag, feed) in feeds.iter_mut().enumerate() {
            if let (false, Some(time)) = (feed.asked, feed.queue.front())
                && feed.not_before <= now
            {
                let (stream, level) = said(remote, feed.job);
                fetcher.ask(tag, &remote.fragment(stream, level, *time)?, RequestKind::Fragment);
                feed.asked = true;
            }
        }
        if let Some((tag, got)) = fetcher.next(PAUSE) {
            let Some(feed) = feeds.get_mut(tag) else { continue };
            feed.asked = false;
            if let Some(bytes) = feed.take(remote, args, got, progress)? {
                done += 1;
                progress.step(done, 0, bytes);
            }
        }
    }
    fetcher.forget();
    finish(remote, feeds)
}

/// What must stay the same for places in the manifest to mean the same.
fn shape(remote: &Remote) -> Vec<(String, Vec<u32>)> {
    let streams = remote.manifest.streams.iter();
    streams
        .map(|stream| {
            (stream.name.as_str().to_owned(), stream.levels.iter().map(|level| level.bitrate).collect())
        })
        .collect()
}

/// Queues what the manifest lists and nobody knew.
fn learn(remote: &Remote, feeds: &mut [Feed]) {
    for feed in feeds {
        for fragment in said(remote, feed.job).0.timeline.iter() {
            feed.queue(fragment.start);
        }
    }
}

impl<'a> Feed<'a> {
    fn new(job: &'a Job, now: Instant) -> Self {
        Self {
            job,
            file: None,
            durations: Vec::new(),
            queue: VecDeque::new(),
            last: None,
            asked: false,
            not_before: now,
            waiting: None,
        }
    }

    fn queue(&mut self, time: u64) {
        if self.last.is_none_or(|last| time > last) {
            self.last = Some(time);
            self.queue.push_back(time);
        }
    }

    /// Keeps a fragment, or decides what to do without it. Gives the bytes kept.
    fn take(
        &mut self,
        remote: &Remote,
        args: &Args,
        got: Result<Got, Lost>,
        progress: &mut Progress,
    ) -> Result<Option<usize>> {
        let Some(time) = self.queue.front().copied() else { return Ok(None) };
        let place = || format!("{}, fragment at {time}", self.job.name);
        let got = match got.map_err(|lost| (lost.to_string(), early(lost), lost.status)).and_then(|got| {
            match checked(&got) {
                Ok(pieces) => Ok((got, pieces)),
                Err(error) => Err((format!("{error:#}"), true, 200)),
            }
        }) {
            Ok(got) => got,
            Err((why, early, status)) => {
                let since = *self.waiting.get_or_insert_with(Instant::now);
                // When a later one is known already, this one should be there, unless the server says that it will be.
                let there = self.queue.len() > 1 && status != 412;
                let patience = if there { SHORT_PATIENCE } else { PATIENCE };
                if early && since.elapsed() < patience {
                    self.not_before = Instant::now() + AGAIN;
                } else {
                    progress.say(&format!("{}: lost: {why}", place()));
                    self.queue.pop_front();
                    self.waiting = None;
                }
                return Ok(None);
            }
        };
        let (got, pieces) = got;
        if self.file.is_none() {
            let track_id = pieces.first().map_or(1, |piece| piece.info.track_id);
            let path = args.output.join(&self.job.file);
            self.file = Some(LevelFile::create(&path, track_id, &head(remote, self.job, track_id, 0)?)?);
        }
        let Some(file) = &mut self.file else { return Ok(None) };
        file.push(time, &got.body)?;
        let sum: u64 = pieces.iter().map(|piece| piece.info.duration).sum();
        let told = pieces.first().and_then(|piece| piece.info.tfxd).map(|span| span.duration);
        self.durations.push(told.filter(|ticks| *ticks > 0 && pieces.len() == 1).unwrap_or(sum));
        self.queue.pop_front();
        self.waiting = None;
        for next in pieces.iter().flat_map(|piece| piece.info.following(time)) {
            self.queue(next.time);
        }
        Ok(Some(got.body.len()))
    }
}

/// Whether the fragment may come yet.
fn early(lost: Lost) -> bool {
    match lost.error.code {
        Code::HttpStatus => matches!(lost.status, 404 | 408 | 412 | 416 | 429 | 500..=599),
        Code::UrlInvalid | Code::UrlRefused => false,
        _ => true,
    }
}

fn finish(remote: &Remote, feeds: Vec<Feed>) -> Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for feed in feeds {
        let Feed { job, file, durations, .. } = feed;
        let Some(file) = file else { continue };
        let times: Vec<u64> = file.times().collect();
        // Until the next one, where that is close: sums of durations are off by some ticks.
        let until = |at: usize| -> u64 {
            let own = durations.get(at).copied().unwrap_or(0);
            let next = times.get(at + 1).map_or(own, |next| next - times[at]);
            if own == 0 || next < own.saturating_add(own / 2) { next } else { own }
        };
        let fragments: Vec<(u64, u64)> =
            times.iter().enumerate().map(|(at, time)| (*time, until(at))).collect();
        let track_id = file.track_id();
        let (first, last) = (fragments.first(), fragments.last());
        let duration = first.zip(last).map_or(0, |(first, last)| (last.0 + last.1).saturating_sub(first.0));
        file.finish(&head(remote, job, track_id, duration)?).with_context(|| job.file.clone())?;
        kept.push(Kept { job: job.clone(), track_id, fragments });
    }
    ensure!(!kept.is_empty(), "no fragment came");
    Ok(in_step(kept))
}

/// The client manifest has one list of fragments for all levels of a stream: only what every level has.
fn in_step(mut kept: Vec<Kept>) -> Vec<Kept> {
    let lists: Vec<(usize, Vec<u64>)> = kept
        .iter()
        .map(|kept| (kept.job.stream, kept.fragments.iter().map(|(time, _)| *time).collect()))
        .collect();
    for kept in &mut kept {
        let others = || lists.iter().filter(|(stream, _)| *stream == kept.job.stream);
        kept.fragments.retain(|(time, _)| others().all(|(_, times)| times.binary_search(time).is_ok()));
    }
    kept
}
