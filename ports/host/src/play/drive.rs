//! The loop that plays: event-loop mode over the HTTP port, the sink and a real clock.

use std::sync::Arc;
use std::time::{Duration, Instant as Now};

use anyhow::{Result, bail};
use smoothcore::codec::Kind;
use smoothcore::error::Error;
use smoothcore::io::{Event, EventKind, LiveWindow};
use smoothcore::manifest::Manifest;
use smoothcore::player::Player;
use smoothcore::session::{AudioChoice, Config, State, Stats};
use smoothcore::time::Instant;
use smoothcore_clearkey::{Agent, Trouble};

use super::disk::Origin;
use super::net::Waker;
use super::recall::Recall;
use super::record::Record;
use super::sink::Sink;
use super::status::{Status, explain, remedy};
use super::{Args, Speed};

/// The longest sleep: nothing depends on it, but a lost wake-up would.
const LONGEST_SLEEP: u64 = 100_000;

/// What a session left.
pub struct Played {
    pub sink: Sink,
    pub stats: Stats,
    pub record: Record,
    /// Where a live presentation stood at the end.
    pub live: Option<LiveWindow>,
    /// Whether it was stopped before its end, as asked.
    pub stopped: bool,
    /// Why it did not play to the end.
    pub failure: Option<Failure>,
    /// What was wrong with the keys.
    pub trouble: Option<Trouble>,
}

/// Why a session ended early.
#[derive(Clone, Copy)]
pub struct Failure {
    pub error: Error,
    /// Of the last answer that was an error; 0 when the failure is none of HTTP.
    pub http_status: u16,
}

/// A clock that starts at zero.
struct Clock(Now);

impl Clock {
    fn now(&self) -> Instant {
        Instant(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

/// Plays the presentation to its end, or to a fatal error.
pub fn play(args: &Args, sink: Sink, status: &mut Status) -> Result<Played> {
    let clock = Clock(Now::now());
    let waker = Arc::new(Waker::default());
    let mut config = args.config();
    let (origin, url) = Origin::of(&args.url, &waker).map_err(|error| unopened(args, error))?;
    let mut http = Recall::off(origin);
    if let Some(level) = args.level {
        match pin(args, config, level, &clock, &waker, status)? {
            Ok((bitrate, kept)) => {
                config.fixed_bitrate = bitrate;
                http = kept.tell();
            }
            Err((error, stats)) => {
                let failure = Some(Failure { error, http_status: 0 });
                let record = Record::new(args.speed);
                return Ok(Played {
                    sink,
                    stats,
                    record,
                    live: None,
                    stopped: false,
                    failure,
                    trouble: None,
                });
            }
        }
    }
    let before = http.failed();
    let agent = Agent::new(args.keys());
    let mut player = Player::with_protection(config, http, sink, agent).map_err(fatal)?;
    // The manifest that is told again was asked for at the beginning, too.
    player.open(Instant(0), url).map_err(fatal)?;

    let mut record = Record::new(args.speed);
    let mut names = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let mut http_status = 0;
    let over = args.duration.map_or(u64::MAX, |seconds| (seconds * 1e6) as u64);
    let mut stopped = false;
    let failure = loop {
        let now = clock.now();
        player.decoder().advance(now.0);
        let turn = player.step(now, &mut |event| events.push(*event));
        let mut again = false;
        if names.is_empty()
            && let Some(manifest) = player.session().manifest()
        {
            names = manifest.streams.iter().map(|s| s.name.as_str().to_owned()).collect();
            let kinds: Vec<_> = manifest.streams.iter().map(|s| s.kind).collect();
            check_audio(args, manifest, status);
            player.protection().learn(kinds);
            player.decoder().learn(names.clone());
            record.learn(player.session(), &names);
            again = true;
        }
        let mut due = now.0 >= record.next();
        for event in events.drain(..) {
            http_status = if event.http_status == 0 { http_status } else { event.http_status };
            due |= !matches!(event.kind, EventKind::FragmentStarted | EventKind::FragmentDone);
            due |= args.speed == Speed::Max;
            status.event(event.at.0, &event, &names);
            record.event(event.at.0, &event, &names);
        }
        if due {
            let position = player.decoder().position();
            let row = record.row(now.0, player.session(), position);
            status.show(now.0, &row, &player.session().stats());
            record.keep(now.0, row);
        }
        match turn.state {
            State::Failed(error) => {
                break Some(Failure { error, http_status: status_of(error, http_status) });
            }
            State::Ended if player.is_played_out() => break None,
            _ => {}
        }
        if now.0 >= over {
            stopped = true;
            break None;
        }
        let next = turn.next.map_or(u64::MAX, |next| next.0).min(now.0 + LONGEST_SLEEP).min(record.next());
        if next > now.0 && !again {
            waker.wait(Duration::from_micros(next - now.0));
        }
    };
    let mut stats = player.session().stats();
    stats.requests += before.tries;
    stats.retries += before.tries;
    stats.http_errors += before.refused;
    let live = player.session().live();
    let trouble = player.protection().trouble();
    let (_, sink) = player.into_ports();
    Ok(Played { sink, stats, record, live, stopped, failure, trouble })
}

/// The status that explains an error, where it is one of an HTTP answer.
const fn status_of(error: Error, last: u16) -> u16 {
    if matches!(error.code, smoothcore::error::Code::HttpStatus) { last } else { 0 }
}

/// An error before anything moved.
fn fatal(error: Error) -> anyhow::Error {
    anyhow::anyhow!("{}\n  {}", explain(error, 0), remedy(error))
}

/// An error of files, which has no session to end.
fn unopened(args: &Args, error: Error) -> anyhow::Error {
    anyhow::anyhow!("{}: {}\n  {}", smoothcore::trace::redacted(&args.url), explain(error, 0), remedy(error))
}

type Pinned = std::result::Result<(u32, Recall<Origin>), (Error, Stats)>;

/// Fetches the manifest to find out the bitrate of a level.
fn pin(
    args: &Args,
    config: Config,
    level: u32,
    clock: &Clock,
    waker: &Arc<Waker>,
    status: &mut Status,
) -> Result<Pinned> {
    let sink = Sink::new(Speed::Max, None)?;
    let (origin, url) = Origin::of(&args.url, waker).map_err(|error| unopened(args, error))?;
    let mut player = Player::new(config, Recall::keeping(origin), sink).map_err(fatal)?;
    player.open(Instant(0), url).map_err(fatal)?;
    loop {
        let now = clock.now();
        let turn = player.step(now, &mut |event| {
            if event.stream.is_none() && event.kind == EventKind::Retry {
                status.event(event.at.0, event, &[]);
            }
        });
        if let Some(manifest) = player.session().manifest() {
            let bitrate = bitrate_of(manifest, level)?;
            return Ok(Ok((bitrate, player.into_ports().0)));
        }
        if let State::Failed(error) = turn.state {
            return Ok(Err((error, player.session().stats())));
        }
        let next = turn.next.map_or(u64::MAX, |next| next.0).min(now.0 + LONGEST_SLEEP);
        if next > now.0 {
            waker.wait(Duration::from_micros(next - now.0));
        }
    }
}

/// The bitrate of the video level of that Index, or else at that place of the ladder.
fn bitrate_of(manifest: &Manifest, level: u32) -> Result<u32> {
    let Some((_, video)) = manifest.usable().find(|(_, s)| s.kind == Kind::Video) else {
        bail!("--level {level}: the presentation has no video");
    };
    let mut ladder: Vec<_> = video.usable_levels().map(|(_, l)| (l.bitrate, l.index)).collect();
    ladder.sort_unstable();
    let by_index = ladder.iter().find(|(_, index)| *index == level);
    let found = by_index.or_else(|| ladder.get(usize::try_from(level).ok()?));
    if let Some((bitrate, _)) = found {
        return Ok(*bitrate);
    }
    let there: Vec<_> = ladder.iter().map(|(rate, index)| format!("{index} ({rate} bit/s)")).collect();
    bail!("--level {level}: no such video level; there are {}", there.join(", "))
}

/// A language that is not there is replaced; say so.
fn check_audio(args: &Args, manifest: &Manifest, status: &mut Status) {
    let AudioChoice::Language(letters) = args.audio else { return };
    let wanted = String::from_utf8_lossy(&letters).trim_end_matches('\0').to_owned();
    let audio = || manifest.usable().map(|(_, s)| s).filter(|s| s.kind == Kind::Audio);
    if !audio().any(|s| s.language.eq_ignore_ascii_case(&wanted)) {
        let there: Vec<_> = audio().map(|s| s.language.as_str()).collect();
        status.say(&format!("no audio in {wanted}, only in {}: playing the first", there.join(", ")));
    }
}
