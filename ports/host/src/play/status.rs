//! What `play` says while it plays: a status line, a line for each event worth one, and what to do about an error.

use std::io::{IsTerminal, Write};

use smoothcore::error::{Code, Error};
use smoothcore::io::{Event, EventKind};
use smoothcore::session::Stats;

use super::record::Row;

/// Between two status lines on a terminal, and elsewhere, in microseconds.
const OFTEN: u64 = 200_000;
const SELDOM: u64 = 5_000_000;

/// The status on standard error. On a terminal it is one line that changes.
pub struct Status {
    terminal: bool,
    shown: bool,
    next: u64,
}

impl Status {
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { terminal, shown: false, next: if terminal { 0 } else { SELDOM } }
    }

    /// Tells what happened `at` microseconds after the start.
    pub fn event(&mut self, at: u64, event: &Event, names: &[String]) {
        if let Some(text) = describe(event, names) {
            self.say(&format!("{:9.3} s  {text}", at as f64 / 1e6));
        }
    }

    /// Shows where things stand, when it is time to.
    pub fn show(&mut self, at: u64, row: &Row, stats: &Stats) {
        if at < self.next {
            return;
        }
        self.next = at + if self.terminal { OFTEN } else { SELDOM };
        let ahead = row.ahead.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let live = row.live.map_or(String::new(), |live| {
            let behind =
                live.latency.map_or("-".to_owned(), |latency| format!("{:.1} s", latency.0 as f64 / 1e6));
            let window = live.end.0.saturating_sub(live.start.0) as f64 / 1e7;
            format!(", {behind} behind the edge of {window:.0} s")
        });
        let line = format!(
            "{:9.3} s  at {:.1} s, {:.1} s ahead, {} video, link {}, switches {}, stalls {}{live}",
            at as f64 / 1e6,
            row.position.unwrap_or(0.0) / 1e3,
            if ahead.is_finite() { ahead / 1e3 } else { 0.0 },
            bits(u64::from(row.bitrate)),
            bits(stats.link_rate),
            stats.switches_up + stats.switches_down,
            stats.stalls,
        );
        if self.terminal {
            eprint!("\r\x1b[K{line}");
            let _ = std::io::stderr().flush();
            self.shown = true;
        } else {
            eprintln!("{line}");
        }
    }

    /// A line of its own.
    pub fn say(&mut self, line: &str) {
        self.clear();
        eprintln!("{line}");
    }

    /// Takes the status line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\x1b[K");
        }
    }
}

/// Bits a second for a person; a dash when unknown.
pub fn bits(rate: u64) -> String {
    match rate {
        0 => "-".to_owned(),
        1..10_000_000 => format!("{} kbit/s", rate / 1000),
        _ => format!("{:.1} Mbit/s", rate as f64 / 1e6),
    }
}

/// An event in words; `None` for those that come with every fragment.
pub fn describe(event: &Event, names: &[String]) -> Option<String> {
    let (a, b) = (event.a, event.b);
    let name = event.stream.and_then(|stream| names.get(usize::from(stream.0))).map_or("", String::as_str);
    let time = event.media_time.map(|time| format!(" at {time} s")).unwrap_or_default();
    let mut text = match event.kind {
        EventKind::FragmentStarted
        | EventKind::FragmentDone
        | EventKind::StreamEnded
        | EventKind::Decided => return None,
        EventKind::Abandoned => {
            format!("{name}: {} comes too slowly, a lower level is fetched{time}", bits(a))
        }
        EventKind::Replaced => format!("{name}: fetched again, {} instead of {}{time}", bits(b), bits(a)),
        EventKind::DroppingFrames => {
            format!("{name}: pictures are dropped, at most {} for {:.0} s", bits(a), b as f64 / 1e6)
        }
        EventKind::Opened => format!("manifest: {a} streams, {:.1} s", b as f64 / 1e6),
        EventKind::StreamDropped => format!("{name}: not played"),
        EventKind::LevelDropped => format!("{name}: {} not played", bits(a)),
        EventKind::Retry => format!("{name}: try {a} failed, next in {} ms", b / 1000),
        EventKind::Gap => format!("{name}: {:.3} s lost{time}", a as f64 / 1e6),
        EventKind::Switch if b > a => format!("{name}: up from {} to {}{time}", bits(a), bits(b)),
        EventKind::Switch => format!("{name}: down from {} to {}{time}", bits(a), bits(b)),
        EventKind::Started => "the clock starts".to_owned(),
        EventKind::Stalled => format!("stalled: nothing left of {name}"),
        EventKind::Resumed => format!("resumed after {:.3} s", a as f64 / 1e6),
        EventKind::Seeking => format!("seeking{time}"),
        EventKind::Ended => "all samples handed over".to_owned(),
        EventKind::Failed => "failed".to_owned(),
        EventKind::NoKeyFrame => format!("{name}: no key frame at {} to start at{time}", bits(a)),
        EventKind::KeyTimeout => format!("{name}: waits for key {a:016x}{b:016x}{time}"),
        EventKind::HeaderDropped => format!("protection header {a} not used"),
        EventKind::LevelAllowed => format!("{name}: {} allowed again", bits(a)),
        EventKind::NotYet => format!("{name}: not there yet{time}, asked again in {} ms", b / 1000),
        EventKind::StalledAtEdge => format!("nothing new at the edge for {:.1} s", a as f64 / 1e6),
        EventKind::EdgeMoving => format!("the edge moves again after {:.1} s", a as f64 / 1e6),
        EventKind::BehindWindow => {
            let then = match b {
                1 => "goes on at its start",
                2 => "goes to the edge",
                _ => "stops",
            };
            format!("{name}: the window has passed by{time}, {:.1} s ago: {then}", a as f64 / 1e6)
        }
        EventKind::GapSkipped => format!("{name}: nothing for {:.3} s{time}, skipped", a as f64 / 1e6),
        EventKind::OriginRestarted => format!("the encoder has started again{time}"),
        EventKind::LiveEnded => format!("the event is over{time}"),
        EventKind::WindowTrimmed => format!("{name}: {a} fragments left the list, which begins{time}"),
        EventKind::Refreshed => format!("manifest read again ({}) in {} ms", reason(a), b / 1000),
        EventKind::RefreshFailed => {
            format!("manifest not read again ({}), next try in {} ms", reason(a), b / 1000)
        }
        EventKind::ClockJumped => format!("the clock jumped by {:.1} s", a as f64 / 1e6),
    };
    if text.starts_with(": ") {
        text.insert_str(0, "manifest");
    }
    if let Some(error) = event.error {
        text = format!("{text}: {}", explain(error, event.http_status));
    }
    if event.lost != 0 {
        text = format!("{text} ({} events before this were lost)", event.lost);
    }
    Some(text)
}

/// Why a live manifest was wanted again.
const fn reason(number: u64) -> &'static str {
    match number {
        1 => "a seek",
        2 => "going on",
        3 => "nothing new",
        4 => "a stream turned on",
        5 => "nothing is announced",
        6 => "a fragment missing",
        7 => "access refused",
        8 => "a stream is empty",
        9 => "an older list",
        10 => "no answer",
        _ => "unknown",
    }
}

/// An error with its number and place.
pub fn explain(error: Error, http_status: u16) -> String {
    let place = error.place;
    match (error.code, http_status, place.at) {
        (code, 0, "HTTP status") => format!("{} ({}): {}", code.text(), code.number(), place.offset),
        (code, 0, _) if place.at.is_empty() && place.offset == 0 => {
            format!("{} ({})", code.text(), code.number())
        }
        (_, 0, _) => error.to_string(),
        (code, status, _) => format!("{} ({}): {status}", code.text(), code.number()),
    }
}

/// What a person can do about an error that ended the session.
pub const fn remedy(error: Error) -> &'static str {
    match error.code {
        Code::Budget | Code::NoMemory | Code::LimitSampleBytes => {
            "give it more memory with --budget, or fewer streams with --audio"
        }
        Code::HttpStatus => "check the URL in a browser: it should end in .ism/Manifest and give XML",
        Code::UrlInvalid | Code::UrlRefused | Code::LimitUrl => {
            "give an absolute URL such as http://HOST/film.ism/Manifest"
        }
        Code::Connect | Code::ConnectTimeout | Code::NetworkIo => {
            "check that the server runs, and that host and port of the URL are right"
        }
        Code::NoFile => "check the path; names inside an .ism count from the directory it is in",
        Code::FileIo => "check that the file may be read, and that it is a file",
        Code::NameResolution => "check the host in the URL, and the name service",
        Code::FirstByteTimeout | Code::IdleTimeout | Code::BodyTruncated => {
            "the server or the link is too slow or breaks off: try again, or look at the server's log"
        }
        Code::Tls => "check the certificate of the server, or use http where it is offered",
        Code::ManifestNotSmooth | Code::ManifestSyntax | Code::FragmentNotMp4 => {
            "look at what the URL gives: it may be another format, or an error page"
        }
        Code::ProtectionMissing => {
            "the content is encrypted: give --key KID:KEY for each of its keys; probe tells their KIDs"
        }
        Code::ProtectionUnsupported => "only AES-128 of samples can be decrypted, not of whole fragments",
        Code::KeyRefused | Code::KeyTimeout | Code::DecryptFailed => {
            "give the right --key KID:KEY for every key of the content"
        }
        Code::ManifestNothingPlayable | Code::CodecUnsupported | Code::CodecConfig => {
            "the presentation has no stream in a codec that is known, or none at all"
        }
        Code::DecoderFailed => "see above: what was received could not be written",
        Code::State => "this is a fault of the program: please report it",
        _ => match error.code.number() {
            -199..=-100 => "the manifest is at fault: the place above says where",
            -399..=-300 => "the media on the server is damaged: the place above says where",
            _ => "try again; if it stays, report it with this number",
        },
    }
}

#[cfg(test)]
mod tests {
    use smoothcore::io::StreamId;
    use smoothcore::time::{Instant, MediaTime};

    use super::*;

    #[test]
    fn events_read_like_sentences() {
        let names = ["video".to_owned()];
        let switch = Event::new(EventKind::Switch, Instant(0)).about(StreamId(0)).numbers(64_000, 258_995);
        let switch = switch.when(MediaTime(40_000_000));
        assert_eq!(describe(&switch, &names).unwrap(), "video: up from 64 kbit/s to 258 kbit/s at 4.000 s");
        let retry = Event::new(EventKind::Retry, Instant(0)).because(Code::HttpStatus.into());
        let retry = Event { http_status: 503, ..retry.numbers(1, 200_000) };
        assert_eq!(
            describe(&retry, &names).unwrap(),
            "manifest: try 1 failed, next in 200 ms: server answered with an error status (-200): 503"
        );
        assert_eq!(describe(&Event::new(EventKind::FragmentDone, Instant(0)), &names), None);
    }

    #[test]
    fn every_error_has_a_remedy() {
        for code in Code::ALL {
            assert!(remedy((*code).into()).len() > 20, "{code:?}");
        }
    }
}
