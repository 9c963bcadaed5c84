//! What goes wrong, and when: a script of faults ([`Faults`]), and what they do to a response ([`bend`]).

mod bend;
mod parse;
mod rule;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use super::Origin;
use super::answer::{answer, is_control};
use super::clock::Moment;
use super::http::{Delivery, Request, Response};
use rule::{Asked, Kind, Rule};

/// The help of faults, for `--help`.
pub const HELP: &str = "Faults:
  --faults FILE has a rule a line, CONDITION... : FAULT, and # comments. Every rule that fits a
  request applies.
      seed 7
      time=30..90             : status 503 retry-after=5   # away for a minute
      manifest p=0.2          : stale 20                   # now and then an old manifest
      stream=video nth=5      : truncate 60%
      fragment try=1 every=10 : reset 50%                  # asked for again, it comes
      stream=audio time=100..120/300 : drip 2000           # 20 s out of every 5 minutes
  Conditions (all must hold):
    manifest, fragment, info (FragmentInfo), any; stream=NAME, level=BITRATE, path=TEXT (in it);
    time=A..B[/PERIOD] seconds of the clock; nth=N or N..M among the requests for which all
    before holds; try=N or N..M: the Nth time this URL is asked for; every=N; p=PROBABILITY;
    times=N at most
  The way:
    refuse (cut off at once), delay MS, stall SECONDS [AT%], drip BYTES (a second), reset [AT%]
    and close [AT%] (connection lost within the body), no-length (ends with the connection)
  The answer:
    status CODE [retry-after=S], html and empty (with status 200), redirect URL [code=302] (host,
    or host and path; the rest of the request's path is kept), wrong before|other (the fragment
    that went out before of this stream, or of another), stale SECONDS (the manifest as somebody
    got it so long ago)
  A manifest:
    durations TICKS (wrong by up to so much), last-without-d, list td, names-twice, no-fourcc,
    utf16 le|be, gzip-bomb MB
  A fragment:
    truncate AT% (of the mdat, in a response of that length), corrupt N (bytes), data-offset N
    (more), no-durations, tfrf-first, no-tfrf";

/// How many URLs are counted.
const MOST_URLS: usize = 100_000;
/// How many old manifests are kept of each URL.
const MOST_OLD: usize = 1_000;

/// A script of faults, and what it has to remember.
#[derive(Debug, Default)]
pub struct Faults {
    seed: u64,
    rules: Vec<Rule>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// For each rule: requests that fitted so far, and how often it was applied.
    counts: Vec<(u64, u64)>,
    urls: HashMap<String, u64>,
    /// When somebody got which manifest.
    manifests: HashMap<String, Vec<(u64, Vec<u8>)>>,
    /// The last fragment of each stream.
    last: HashMap<String, Vec<u8>>,
}

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    Refuse,
    Delay(Duration),
    Stall(Duration, f64),
    Drip(u64),
    Reset(f64),
    Close(f64),
    NoLength,
    Status(u16, Option<u32>),
    Html,
    Empty,
    Redirect(String, u16),
    WrongBefore,
    WrongOther,
    Stale(u64),
    Durations(u64),
    LastWithoutD,
    Singles,
    NamesTwice,
    NoFourCc,
    Utf16(crate::media::text::Encoding),
    GzipBomb(u64),
    Truncate(f64),
    Corrupt(u64),
    DataOffset(i32),
    NoDurations,
    TfrfFirst,
    NoTfrf,
}

/// A response, how it is to be sent, and the names of the faults in it.
pub struct Outcome {
    pub response: Response,
    pub delivery: Delivery,
    pub names: Vec<&'static str>,
}

impl Faults {
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let read = || Self::parse(&std::fs::read_to_string(path)?);
        read().with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let (seed, rules) = parse::script(text)?;
        let memory = Memory { counts: vec![(0, 0); rules.len()], ..Memory::default() };
        Ok(Self { seed, rules, memory: Mutex::new(memory) })
    }

    /// Whether a connection is cut off before it says anything.
    pub fn refuses(&self, now: Moment) -> bool {
        self.rules.iter().any(|rule| rule.fault == Fault::Refuse && rule.is_about_all(now))
    }

    /// The response to a request, with what goes wrong.
    pub fn answer(&self, origin: &Origin, request: &Request) -> Outcome {
        let now = origin.clock.now();
        if self.rules.is_empty() || is_control(origin, request) {
            return Outcome {
                response: answer(origin, request),
                delivery: Delivery::default(),
                names: Vec::new(),
            };
        }
        let asked = Asked::of(&request.target);
        let faults = self.choose(&asked, now);
        let mut delivery = Delivery::default();
        let text = faults.iter().any(|(fault, _)| fault.is_text());
        let mut response = match text {
            // What is to be changed must not be compressed.
            true => answer(origin, &request.without("Accept-Encoding")),
            false => answer(origin, request),
        };
        if response.status == 200 {
            self.remember(&asked, now, &response);
        }
        let mut names = Vec::new();
        for (fault, chance) in &faults {
            names.push(fault.name());
            self.apply(fault, *chance, &asked, now, &mut response, &mut delivery);
        }
        Outcome { response, delivery, names }
    }

    /// The faults that fit, each with a number by chance.
    fn choose(&self, asked: &Asked, now: Moment) -> Vec<(Fault, u64)> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.urls.len() >= MOST_URLS {
            memory.urls.clear();
        }
        let tries = memory.urls.entry(asked.path.to_owned()).or_default();
        *tries += 1;
        let tries = *tries;
        let mut chosen = Vec::new();
        for (at, rule) in self.rules.iter().enumerate() {
            let Some((seen, applied)) = memory.counts.get_mut(at) else { continue };
            if !rule.fits(asked, now) {
                continue;
            }
            *seen += 1;
            let chance = crate::origin::live::chance(self.seed, at as u64 + 1, *seen);
            if rule.happens(*seen, tries, *applied, chance) {
                *applied += 1;
                chosen.push((rule.fault.clone(), chance));
            }
        }
        chosen
    }

    fn remember(&self, asked: &Asked, now: Moment, response: &Response) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let has = |wanted: fn(&Fault) -> bool| self.rules.iter().any(|rule| wanted(&rule.fault));
        let plain = response.find("Content-Encoding").is_none();
        if asked.kind == Kind::Manifest && plain && has(|fault| matches!(fault, Fault::Stale(_))) {
            let old = memory.manifests.entry(asked.path.to_owned()).or_default();
            if old.len() >= MOST_OLD {
                old.remove(0);
            }
            old.push((now.0, response.body.clone()));
        }
        let wrong = |fault: &Fault| matches!(fault, Fault::WrongBefore | Fault::WrongOther);
        if asked.kind == Kind::Fragment && has(wrong) {
            let key = format!("next of {}", asked.stream);
            if let Some(before) = memory.last.insert(key, response.body.clone()) {
                memory.last.insert(asked.stream.to_owned(), before);
            }
        }
    }

    fn apply(
        &self,
        fault: &Fault,
        chance: u64,
        asked: &Asked,
        now: Moment,
        response: &mut Response,
        delivery: &mut Delivery,
    ) {
        let good = response.status == 200;
        match fault {
            Fault::Refuse => delivery.refuse = true,
            Fault::Delay(by) => delivery.delay += *by,
            Fault::Stall(time, at) => delivery.stall = Some((*at, *time)),
            Fault::Drip(rate) => delivery.drip = Some(*rate),
            Fault::Reset(at) => delivery.cut = Some((*at, true)),
            Fault::Close(at) => delivery.cut = Some((*at, false)),
            Fault::NoLength => delivery.no_length = true,
            Fault::Status(status, retry) => {
                *response = Response::error(*status, "a fault of the script");
                if let Some(seconds) = retry {
                    response.headers.push(("Retry-After", seconds.to_string()));
                }
            }
            Fault::Html => {
                let page = b"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Please log in.</body></html>\n";
                *response = Response::new("text/html; charset=utf-8", "no-cache", page.to_vec());
            }
            Fault::Empty => response.body.clear(),
            Fault::Redirect(to, status) => *response = redirect(to, *status, asked.target),
            Fault::WrongBefore | Fault::WrongOther if good && asked.kind == Kind::Fragment => {
                let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
                let own = |key: &str| key == asked.stream || key == format!("next of {}", asked.stream);
                let body = match fault {
                    Fault::WrongBefore => memory.last.get(asked.stream),
                    _ => memory.last.iter().find(|(key, _)| !own(key)).map(|(_, body)| body),
                };
                if let Some(body) = body {
                    response.body = body.clone();
                }
            }
            Fault::Stale(seconds) if asked.kind == Kind::Manifest => {
                let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
                let until = now.0.saturating_sub(seconds * 1_000_000);
                let old = memory.manifests.get(asked.path).map_or(&[][..], Vec::as_slice);
                if let Some((_, body)) = old.iter().rev().find(|(at, _)| *at <= until).or(old.first()) {
                    response.body = body.clone();
                }
            }
            _ if !good => {}
            _ => bend::body(fault, chance, asked.kind, response),
        }
    }
}

fn redirect(to: &str, status: u16, target: &str) -> Response {
    let to = to.trim_end_matches('/');
    let to = if to.contains("://") { to.to_owned() } else { format!("http://{to}") };
    Response::error(status, "moved by a fault of the script").header("Location", &format!("{to}{target}"))
}

impl Fault {
    /// Whether it changes text.
    fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Stale(_)
                | Self::Durations(_)
                | Self::LastWithoutD
                | Self::Singles
                | Self::NamesTwice
                | Self::NoFourCc
                | Self::Utf16(_)
                | Self::GzipBomb(_)
        )
    }

    /// What the script calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Delay(_) => "delay",
            Self::Stall(..) => "stall",
            Self::Drip(_) => "drip",
            Self::Reset(_) => "reset",
            Self::Close(_) => "close",
            Self::NoLength => "no-length",
            Self::Status(..) => "status",
            Self::Html => "html",
            Self::Empty => "empty",
            Self::Redirect(..) => "redirect",
            Self::WrongBefore | Self::WrongOther => "wrong",
            Self::Stale(_) => "stale",
            Self::Durations(_) => "durations",
            Self::LastWithoutD => "last-without-d",
            Self::Singles => "list",
            Self::NamesTwice => "names-twice",
            Self::NoFourCc => "no-fourcc",
            Self::Utf16(_) => "utf16",
            Self::GzipBomb(_) => "gzip-bomb",
            Self::Truncate(_) => "truncate",
            Self::Corrupt(_) => "corrupt",
            Self::DataOffset(_) => "data-offset",
            Self::NoDurations => "no-durations",
            Self::TfrfFirst => "tfrf-first",
            Self::NoTfrf => "no-tfrf",
        }
    }
}
