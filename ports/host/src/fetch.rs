//! Fetching for the tools: several exchanges at a time over the HTTP port that `play` uses, each with its tries.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant as Now};

use smoothcore::error::{Code, Error};
use smoothcore::inflate::Encoding;
use smoothcore::io::{Request, RequestId, RequestKind};
use smoothcore::limits::Limits;
use smoothcore::port::{Http, Progress};
use smoothcore::time::Instant;
use smoothcore_ureq::UreqHttp;

use crate::play::net::{Waker, stack};

/// The longest sleep: nothing depends on it, but a lost wake-up would.
const LONGEST_SLEEP: Duration = Duration::from_millis(100);

/// A body that arrived whole.
#[derive(Debug)]
pub struct Got {
    /// Where it came from, after redirects.
    pub url: String,
    /// The coding of the body that is still in force.
    pub encoding: Option<Encoding>,
    pub body: Vec<u8>,
}

/// Why a body did not arrive.
#[derive(Clone, Copy, Debug)]
pub struct Lost {
    pub error: Error,
    /// 0 when the failure is none of HTTP.
    pub status: u16,
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::play::explain(self.error, self.status))
    }
}

/// Exchanges on their way, and those that wait for their turn.
pub struct Fetcher {
    http: UreqHttp,
    waker: Arc<Waker>,
    begin: Now,
    next_id: u32,
    limits: Limits,
    /// Exchanges at a time.
    parallel: usize,
    waiting: VecDeque<Job>,
    running: Vec<Running>,
}

struct Job {
    tag: usize,
    url: String,
    kind: RequestKind,
    attempt: u32,
    not_before: Now,
}

struct Running {
    job: Job,
    id: RequestId,
    /// Why the port would not start it.
    refused: Option<Code>,
    head: Option<Head>,
    body: Vec<u8>,
}

struct Head {
    status: u16,
    url: String,
    length: Option<u64>,
    encoding: String,
}

impl Fetcher {
    /// A fetcher of `parallel` exchanges at a time.
    ///
    /// # Errors
    /// When there is no HTTP stack.
    pub fn new(parallel: usize) -> Result<Self, Lost> {
        let waker = Arc::new(Waker::default());
        let http = stack(&waker).map_err(|code| Lost { error: code.into(), status: 0 })?;
        let limits = Limits::default();
        let (waiting, running) = (VecDeque::new(), Vec::new());
        Ok(Self { http, waker, begin: Now::now(), next_id: 1, limits, parallel, waiting, running })
    }

    /// One body, with all its tries.
    ///
    /// # Errors
    /// How the last try ended.
    pub fn get(&mut self, url: &str, kind: RequestKind) -> Result<Got, Lost> {
        self.ask(usize::MAX, url, kind);
        loop {
            if let Some((usize::MAX, done)) = self.next(LONGEST_SLEEP) {
                return done;
            }
        }
    }

    /// Asks for a body, which [`Fetcher::next`] gives under `tag`.
    pub fn ask(&mut self, tag: usize, url: &str, kind: RequestKind) {
        let job = Job { tag, url: url.to_owned(), kind, attempt: 1, not_before: Now::now() };
        self.waiting.push_back(job);
    }

    /// Bodies asked for and not given yet.
    pub fn pending(&self) -> usize {
        self.waiting.len() + self.running.len()
    }

    /// The next body that is there, or why it is lost; `None` after `most`, or when none was asked for.
    pub fn next(&mut self, most: Duration) -> Option<(usize, Result<Got, Lost>)> {
        let until = Now::now() + most;
        loop {
            self.start();
            if let Some(done) = self.poll() {
                return Some(done);
            }
            let now = Now::now();
            if self.pending() == 0 || now >= until {
                return None;
            }
            let due = self.waiting.iter().map(|job| job.not_before).filter(|due| *due > now).min();
            let until = due.map_or(until, |due| due.min(until)).min(now + LONGEST_SLEEP);
            self.waker.wait(until.saturating_duration_since(now));
        }
    }

    /// Every body of `urls` in their order, to `each` with its place.
    ///
    /// # Errors
    /// Those of `each`; what is still on its way is forgotten.
    pub fn in_order<E>(
        &mut self,
        urls: &[String],
        mut each: impl FnMut(usize, Result<Got, Lost>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut there = BTreeMap::new();
        let (mut asked, mut given) = (0, 0);
        while given < urls.len() {
            // What arrived early is held: no more of it than a few times what is on its way.
            while asked < urls.len() && asked < given + self.parallel * 2 {
                self.ask(asked, &urls[asked], RequestKind::Fragment);
                asked += 1;
            }
            if let Some((tag, done)) = self.next(LONGEST_SLEEP) {
                there.insert(tag, done);
            }
            while let Some(done) = there.remove(&given) {
                if let Err(error) = each(given, done) {
                    self.forget();
                    return Err(error);
                }
                given += 1;
            }
        }
        Ok(())
    }

    /// Ends everything on its way.
    pub fn forget(&mut self) {
        self.waiting.clear();
        for running in std::mem::take(&mut self.running) {
            self.http.cancel(running.id);
        }
    }

    fn at(&self) -> Instant {
        Instant(u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn start(&mut self) {
        let now = Now::now();
        while self.running.len() < self.parallel {
            let Some(at) = self.waiting.iter().position(|job| job.not_before <= now) else { return };
            let Some(job) = self.waiting.remove(at) else { return };
            let id = RequestId(self.next_id);
            self.next_id += 1;
            let request = Request { id, url: &job.url, kind: job.kind, stream: None, attempt: job.attempt };
            match self.http.start(Instant(0), &request) {
                Ok(()) => self.running.push(Running { job, id, refused: None, head: None, body: Vec::new() }),
                // The thread of an exchange that is over may take a moment to go.
                Err(Code::NetworkIo) => {
                    self.waiting.push_front(Job { not_before: now + LONGEST_SLEEP, ..job });
                    return;
                }
                // It is over before it began.
                Err(code) => {
                    self.running.push(Running { job, id, refused: Some(code), head: None, body: Vec::new() })
                }
            }
        }
    }

    /// Moves every exchange on; gives the first that is over.
    fn poll(&mut self) -> Option<(usize, Result<Got, Lost>)> {
        let at = self.at();
        for place in 0..self.running.len() {
            let Some(over) = step(&mut self.http, at, &mut self.running[place], &self.limits) else {
                continue;
            };
            let Running { job, id, .. } = self.running.swap_remove(place);
            self.http.cancel(id);
            match over {
                Err(lost) if job.attempt < self.limits.tries && worth_another(lost) => {
                    let wait = self.limits.retry_first.0 << (job.attempt - 1);
                    let wait = Duration::from_micros(wait.min(self.limits.retry_longest.0));
                    let again = Job { attempt: job.attempt + 1, not_before: Now::now() + wait, ..job };
                    self.waiting.push_back(again);
                    return None;
                }
                over => return Some((job.tag, over)),
            }
        }
        None
    }
}

/// Whether another try may end better.
fn worth_another(lost: Lost) -> bool {
    match lost.error.code {
        Code::HttpStatus => matches!(lost.status, 408 | 429 | 500..=599),
        Code::UrlInvalid
        | Code::UrlRefused
        | Code::LimitFragmentBytes
        | Code::LimitManifestBytes
        | Code::Tls => false,
        _ => true,
    }
}

/// Takes what has arrived of one exchange; how it ended, once it has.
fn step(
    http: &mut UreqHttp,
    at: Instant,
    running: &mut Running,
    limits: &Limits,
) -> Option<Result<Got, Lost>> {
    let lost = |code: Code, status| Some(Err(Lost { error: code.into(), status }));
    if let Some(code) = running.refused {
        return lost(code, 0);
    }
    if running.head.is_none() {
        match http.response(at, running.id) {
            Progress::Ready(response) => {
                running.head = Some(Head {
                    status: response.status,
                    url: response.final_url.to_owned(),
                    length: response.content_length,
                    encoding: response.content_encoding.to_owned(),
                });
            }
            Progress::Pending => return None,
            Progress::End => return lost(Code::NetworkIo, 0),
            Progress::Failed(code) => return lost(code, 0),
        }
    }
    let head = running.head.as_ref()?;
    if !(200..300).contains(&head.status) {
        return lost(Code::HttpStatus, head.status);
    }
    let (most, too_many) = match running.job.kind {
        RequestKind::Manifest => (limits.manifest_bytes, Code::LimitManifestBytes),
        _ => (limits.fragment_bytes, Code::LimitFragmentBytes),
    };
    let mut piece = vec![0; 64 << 10];
    loop {
        match http.read(at, running.id, &mut piece) {
            Progress::Ready(count) => {
                running.body.extend_from_slice(&piece[..count]);
                if running.body.len() as u64 > most {
                    return lost(too_many, 0);
                }
            }
            Progress::Pending => return None,
            Progress::Failed(code) => return lost(code, 0),
            Progress::End => break,
        }
    }
    if head.length.is_some_and(|length| running.body.len() as u64 != length) {
        return lost(Code::BodyTruncated, 0);
    }
    let encoding = match head.encoding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Some(Encoding::Gzip),
        "deflate" => Some(Encoding::Deflate),
        _ => None,
    };
    let url = if head.url.is_empty() { running.job.url.clone() } else { head.url.clone() };
    Some(Ok(Got { url, encoding, body: std::mem::take(&mut running.body) }))
}
