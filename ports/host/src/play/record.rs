//! What a session did, over time: the matter of a report.

use smoothcore::io::{Event, EventKind, LiveWindow, StreamId};
use smoothcore::session::{Session, Stats};
use smoothcore::time::{MediaTime, Micros};

use super::report::{Data, Group, Mark, MarkKind};
use super::status::{bits, describe};
use super::{Speed, sink::Sink};

/// Rows kept. Beyond that every other one goes, and the distance doubles.
const MOST_ROWS: usize = 4000;
/// Between two rows, in microseconds: a fast session is short.
const FAST: u64 = 10_000;
const REAL: u64 = 100_000;

/// How things stand at one moment. Times are milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Since the start.
    pub time: f64,
    /// Media time being shown.
    pub position: Option<f64>,
    /// The measured link rate in bit/s, 0 when unknown.
    pub link_rate: u64,
    /// The video level being fetched in bit/s, 0 before the first.
    pub bitrate: u32,
    /// Where a live presentation stands.
    pub live: Option<LiveWindow>,
    /// Media held for each stream, in their order.
    pub ahead: Vec<Option<f64>>,
}

/// Collects rows and marks.
pub struct Record {
    every: u64,
    next: u64,
    /// The streams that are played: number in the manifest, name, and whether it is the picture.
    streams: Vec<(StreamId, String)>,
    rows: Vec<Row>,
    marks: Vec<Mark>,
}

impl Record {
    pub const fn new(speed: Speed) -> Self {
        let every = match speed {
            Speed::Max => FAST,
            Speed::Real => REAL,
        };
        Self { every, next: 0, streams: Vec::new(), rows: Vec::new(), marks: Vec::new() }
    }

    /// Remembers which streams are played, once they are known.
    pub fn learn(&mut self, session: &Session, names: &[String]) {
        let played = (0u16..).map(StreamId).zip(names);
        let played = played.filter(|(stream, _)| session.stream_stats(*stream).is_some());
        self.streams = played.map(|(stream, name)| (stream, name.clone())).collect();
    }

    /// When the next row is due, in microseconds since the start.
    pub const fn next(&self) -> u64 {
        self.next
    }

    pub fn event(&mut self, at: u64, event: &Event, names: &[String]) {
        let kind = match event.kind {
            EventKind::Switch if event.b > event.a => MarkKind::Up,
            EventKind::Switch => MarkKind::Down,
            EventKind::Gap => MarkKind::Gap,
            EventKind::Retry => MarkKind::Retry,
            EventKind::Started => MarkKind::Start,
            EventKind::Stalled => MarkKind::Stall,
            EventKind::Resumed => MarkKind::Resume,
            EventKind::StreamDropped | EventKind::LevelDropped | EventKind::HeaderDropped => {
                MarkKind::Dropped
            }
            EventKind::Failed => MarkKind::Failed,
            EventKind::Opened | EventKind::Seeking | EventKind::Ended | EventKind::NoKeyFrame => {
                MarkKind::Other
            }
            EventKind::KeyTimeout | EventKind::LevelAllowed | EventKind::NotYet => MarkKind::Other,
            EventKind::StalledAtEdge => MarkKind::Stall,
            EventKind::EdgeMoving => MarkKind::Resume,
            EventKind::GapSkipped | EventKind::BehindWindow => MarkKind::Gap,
            EventKind::OriginRestarted
            | EventKind::LiveEnded
            | EventKind::WindowTrimmed
            | EventKind::Refreshed
            | EventKind::RefreshFailed
            | EventKind::ClockJumped => MarkKind::Other,
            EventKind::Abandoned => MarkKind::Retry,
            EventKind::Replaced => MarkKind::Up,
            EventKind::DroppingFrames => MarkKind::Dropped,
            EventKind::FragmentStarted
            | EventKind::FragmentDone
            | EventKind::StreamEnded
            | EventKind::Decided => return,
        };
        let text = describe(event, names).unwrap_or_default();
        self.marks.push(Mark { time: at as f64 / 1e3, kind, text });
    }

    /// How things stand `at` microseconds after the start.
    pub fn row(&self, at: u64, session: &Session, position: Option<MediaTime>) -> Row {
        let stats = |stream: &StreamId| session.stream_stats(*stream);
        // The manifest lists video first or not; a level above none is the picture's.
        let video = session.manifest().and_then(|m| m.find_kind(smoothcore::codec::Kind::Video));
        let video = video.and_then(|n| u16::try_from(n).ok()).map(StreamId);
        Row {
            time: at as f64 / 1e3,
            position: position.map(|time| time.0 as f64 / 1e4),
            link_rate: session.stats().link_rate,
            bitrate: video.and_then(|stream| stats(&stream)).map_or(0, |s| s.bitrate),
            live: session.live(),
            ahead: self.streams.iter().map(|(id, _)| stats(id).map(|s| s.ahead.0 as f64 / 1e3)).collect(),
        }
    }

    /// Keeps a row.
    pub fn keep(&mut self, at: u64, row: Row) {
        self.next = at + self.every;
        self.rows.push(row);
        if self.rows.len() >= MOST_ROWS {
            let mut n = 0;
            self.rows.retain(|_| {
                n += 1;
                n % 2 == 1
            });
            self.every *= 2;
        }
    }

    /// The report's matter.
    pub fn into_data(self, title: &str, stats: &Stats, sink: &Sink, live: Option<LiveWindow>) -> Data {
        Data {
            title: title.to_owned(),
            streams: self.streams.into_iter().map(|(_, name)| name).collect(),
            rows: self.rows,
            marks: self.marks,
            figures: figures(stats, sink, live),
        }
    }
}

fn millis(time: Option<Micros>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{:.1} ms", time.0 as f64 / 1e3))
}

/// The table of the report, and what `play` prints at the end.
pub fn figures(stats: &Stats, sink: &Sink, live: Option<LiveWindow>) -> Vec<Group> {
    let group = |name: &str, rows: Vec<(&str, String)>| Group {
        name: name.to_owned(),
        rows: rows.into_iter().map(|(label, value)| (label.to_owned(), value)).collect(),
    };
    let mut groups = vec![
        group(
            "Startup",
            vec![
                ("manifest parsed", millis(stats.manifest)),
                ("first media byte", millis(stats.first_byte)),
                ("first sample", millis(stats.first_sample)),
                ("clock start", millis(stats.startup)),
            ],
        ),
        group(
            "Playing",
            vec![
                ("switches up", stats.switches_up.to_string()),
                ("switches down", stats.switches_down.to_string()),
                ("stalls", stats.stalls.to_string()),
                ("stalled for", format!("{:.3} s", stats.stalled.0 as f64 / 1e6)),
                ("gaps", stats.gaps.to_string()),
                ("samples", grouped(stats.samples)),
            ],
        ),
        group(
            "Network",
            vec![
                ("bytes", grouped(stats.bytes)),
                ("of which manifest", grouped(stats.manifest_bytes)),
                ("requests", grouped(u64::from(stats.requests))),
                ("error answers", stats.http_errors.to_string()),
                ("retries", stats.retries.to_string()),
                ("link rate at the end", bits(stats.link_rate)),
            ],
        ),
        group("Memory", vec![("most bytes held", grouped(stats.peak_held as u64))]),
    ];
    if let Some(live) = live {
        let seconds = |micros: u64| format!("{:.3} s", micros as f64 / 1e6);
        let window = u64::try_from(live.end.0.saturating_sub(live.start.0)).unwrap_or(0) / 10;
        groups.push(group(
            "Live",
            vec![
                ("behind the edge", live.latency.map_or("-".to_owned(), |latency| seconds(latency.0))),
                ("aimed at", seconds(live.target_delay.0)),
                ("window", seconds(window)),
                ("manifest read again", stats.refreshes.to_string()),
                ("not there yet", stats.not_yet.to_string()),
            ],
        ));
    }
    let line = |track: &super::sink::Track| {
        let (fragments, samples, bytes) =
            (track.fragments.len(), grouped(track.samples), grouped(track.bytes));
        format!("{fragments} fragments, {samples} samples, {bytes} bytes")
    };
    let streams = sink.tracks().values().map(|track| (track.name.clone(), line(track)));
    groups.push(Group { name: "Streams".to_owned(), rows: streams.collect() });
    groups
}

/// A number with commas.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_long_session_keeps_fewer_rows() {
        let mut record = Record::new(Speed::Real);
        for at in 0..100_000u64 {
            if at * 100_000 >= record.next() {
                record.keep(at * 100_000, Row { time: at as f64 * 100.0, ..Row::default() });
            }
        }
        assert!((MOST_ROWS / 4..MOST_ROWS).contains(&record.rows.len()), "{}", record.rows.len());
        assert!(record.rows.is_sorted_by(|a, b| a.time < b.time));
        assert!(record.rows.last().unwrap().time > 9_900_000.0);
    }
}
