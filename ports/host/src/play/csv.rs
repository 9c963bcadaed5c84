//! `smoothcore report`: the same page for a session that another player has recorded.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::record::{Row, grouped};
use super::report::{Data, Group, Mark, MarkKind, page};
use super::status::bits;

/// Draw a recorded session as a page for any browser.
///
/// The page shows bitrate, throughput and buffers over time, with stalls, switches and gaps, and needs no other file.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore report out/session.csv -o session.html

Columns of session.csv, named in its first line, in any order; only time_ms is needed:
  time_ms          milliseconds since the start
  position_ms      media time being shown
  buffer_video_ms  media held and not shown yet, in the first video stream; likewise buffer_audio_ms.
                   video_ahead_ms and audio_ahead_ms mean the same
  bitrate          of the video level, in bit/s
  link_rate        as measured, in bit/s
  event            what has happened since the row before: started, stalled, resumed, switch, gap, retry or failed,
                   with more words if need be; more than one with semicolons between

Without events, switches are taken from the bitrate.")]
pub struct Args {
    /// The recorded session.
    #[arg(value_name = "session.csv")]
    csv: PathBuf,

    /// The page to write.
    #[arg(short, long, value_name = "FILE.html")]
    output: PathBuf,

    /// Title of the page. [default: the name of the recorded session]
    #[arg(long)]
    title: Option<String>,
}

pub fn run(args: &Args) -> Result<()> {
    let name = args.csv.display().to_string();
    let text = std::fs::read_to_string(&args.csv).with_context(|| name.clone())?;
    let data = read(args.title.as_deref().unwrap_or(&name), &text).with_context(|| name.clone())?;
    std::fs::write(&args.output, page(&data)).with_context(|| args.output.display().to_string())
}

/// Where the columns are.
struct Columns {
    time: usize,
    position: Option<usize>,
    bitrate: Option<usize>,
    link_rate: Option<usize>,
    buffers: Vec<(String, usize)>,
    event: Option<usize>,
}

impl Columns {
    fn find(head: &str) -> Result<Self> {
        let names: Vec<_> = head.split(',').map(str::trim).collect();
        let find = |name: &str| names.iter().position(|n| *n == name);
        let buffer = |(at, name): (usize, &&str)| {
            let stream = name
                .strip_prefix("buffer_")
                .and_then(|n| n.strip_suffix("_ms"))
                .or_else(|| name.strip_suffix("_ahead_ms"))?;
            Some((stream.to_owned(), at))
        };
        Ok(Self {
            time: find("time_ms").context("line 1: no column time_ms")?,
            position: find("position_ms"),
            bitrate: find("bitrate"),
            link_rate: find("link_rate"),
            buffers: names.iter().enumerate().filter_map(buffer).collect(),
            event: find("event"),
        })
    }
}

/// Reads a recorded session.
fn read(title: &str, text: &str) -> Result<Data> {
    let mut lines = text.lines();
    let columns = Columns::find(lines.next().context("an empty file")?)?;
    let (mut rows, mut marks) = (Vec::<Row>::new(), Vec::new());
    for (n, line) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        let number = |at: Option<usize>| -> Result<Option<f64>> {
            let Some(field) = at.and_then(|at| fields.get(at)).filter(|field| !field.is_empty()) else {
                return Ok(None);
            };
            let value: f64 =
                field.parse().with_context(|| format!("line {}: not a number: {field}", n + 2))?;
            ensure!(value.is_finite(), "line {}: not a number: {field}", n + 2);
            Ok(Some(value))
        };
        let ahead = columns.buffers.iter().map(|(_, at)| number(Some(*at))).collect::<Result<_>>()?;
        let row = Row {
            live: None,
            time: number(Some(columns.time))?.with_context(|| format!("line {}: no time", n + 2))?,
            position: number(columns.position)?,
            link_rate: number(columns.link_rate)?.unwrap_or(0.0) as u64,
            bitrate: number(columns.bitrate)?.unwrap_or(0.0) as u32,
            ahead,
        };
        ensure!(rows.last().is_none_or(|last| last.time <= row.time), "line {}: time runs back", n + 2);
        let event = columns.event.and_then(|at| fields.get(at)).copied().unwrap_or("");
        let before = rows.last().map_or(0, |last| last.bitrate);
        marks.extend(event.split(';').filter_map(|event| mark(event.trim(), before, &row)));
        if columns.event.is_none() && before != 0 && row.bitrate != 0 && before != row.bitrate {
            marks.extend(mark("switch", before, &row));
        }
        rows.push(row);
    }
    ensure!(!rows.is_empty(), "no rows");
    let figures = figures(&rows, &marks);
    let streams = columns.buffers.into_iter().map(|(name, _)| name).collect();
    Ok(Data { title: title.to_owned(), streams, rows, marks, figures })
}

/// The mark of an event in words.
fn mark(event: &str, before: u32, row: &Row) -> Option<Mark> {
    let has = |word: &str| event.to_ascii_lowercase().contains(word);
    let kind = match () {
        () if event.is_empty() => return None,
        () if has("switch") || has("up from") || has("down from") => {
            if has("up") || (!has("down") && row.bitrate >= before) { MarkKind::Up } else { MarkKind::Down }
        }
        () if has("stall") => MarkKind::Stall,
        () if has("resum") => MarkKind::Resume,
        () if has("gap") || has("lost") => MarkKind::Gap,
        () if has("retry") => MarkKind::Retry,
        () if has("start") => MarkKind::Start,
        () if has("drop") => MarkKind::Dropped,
        () if has("fail") => MarkKind::Failed,
        () => MarkKind::Other,
    };
    let rates = || format!("{} to {}", bits(u64::from(before)), bits(u64::from(row.bitrate)));
    let text = match (event, kind) {
        ("switch", MarkKind::Up) => format!("up from {}", rates()),
        ("switch", MarkKind::Down) => format!("down from {}", rates()),
        _ => event.to_owned(),
    };
    Some(Mark { time: row.time, kind, text })
}

/// What can be told from the rows and marks alone.
fn figures(rows: &[Row], marks: &[Mark]) -> Vec<Group> {
    let count = |kind| marks.iter().filter(|mark| mark.kind == kind).count().to_string();
    let first = |kind| marks.iter().find(|mark: &&Mark| mark.kind == kind).map(|mark| mark.time);
    let millis = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), |time| format!("{time:.0} ms"));
    let shown = |row: &&Row| row.position.is_some_and(|position| position > 0.0);
    let last = rows.last().map_or(0.0, |row| row.time);
    let position = rows.iter().rev().find_map(|row| row.position).unwrap_or(0.0);
    let weighted = |rows: &[Row]| {
        let spans = rows.windows(2).filter(|pair| pair[0].bitrate > 0);
        let (sum, time) = spans.fold((0.0, 0.0), |(sum, time), pair| {
            let span = pair[1].time - pair[0].time;
            (sum + f64::from(pair[0].bitrate) * span, time + span)
        });
        if time > 0.0 { (sum / time) as u64 } else { 0 }
    };
    let held: f64 = {
        let mut since = None;
        let mut sum = 0.0;
        for mark in marks {
            match mark.kind {
                MarkKind::Stall => since = since.or(Some(mark.time)),
                MarkKind::Resume => sum += since.take().map_or(0.0, |from: f64| mark.time - from),
                _ => {}
            }
        }
        sum + since.map_or(0.0, |from| last - from)
    };
    let group = |name: &str, rows: Vec<(&str, String)>| Group {
        name: name.to_owned(),
        rows: rows.into_iter().map(|(label, value)| (label.to_owned(), value)).collect(),
    };
    let started = first(MarkKind::Start).or_else(|| rows.iter().find(shown).map(|row| row.time));
    vec![
        group(
            "Startup",
            vec![
                ("first video level chosen", millis(rows.iter().find(|r| r.bitrate > 0).map(|r| r.time))),
                ("clock start", millis(started)),
            ],
        ),
        group(
            "Playing",
            vec![
                ("took", format!("{:.3} s", last / 1e3)),
                ("media time reached", format!("{:.3} s", position / 1e3)),
                ("bitrate on average", bits(weighted(rows))),
                ("switches up", count(MarkKind::Up)),
                ("switches down", count(MarkKind::Down)),
                ("stalls", count(MarkKind::Stall)),
                ("stalled for", format!("{:.3} s", held / 1e3)),
                ("gaps", count(MarkKind::Gap)),
                ("retries", count(MarkKind::Retry)),
                ("rows recorded", grouped(rows.len() as u64)),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_columns_are_read() {
        let old = "time_ms,position_ms,video_ahead_ms,audio_ahead_ms,bitrate,link_rate\n0,0,0,0,0,0\n\
            200,0,900,1000,64852,2000000\n400,100,800,900,151877,2000000\n";
        let new = "time_ms,position_ms,buffer_video_ms,buffer_audio_ms,bitrate,link_rate,event\n0,0,0,0,0,0,\n\
            200,0,900,1000,64852,2000000,started\n400,100,800,900,151877,2000000,switch up; stalled\n\
            500,100,0,900,151877,2000000,resumed\n";
        for (text, kinds) in [
            (old, &[MarkKind::Up][..]),
            (new, &[MarkKind::Start, MarkKind::Up, MarkKind::Stall, MarkKind::Resume]),
        ] {
            let data = read("t", text).unwrap();
            assert_eq!(data.streams, ["video", "audio"]);
            assert_eq!(data.rows[1].ahead, [Some(900.0), Some(1000.0)]);
            assert_eq!((data.rows[2].bitrate, data.rows[2].position), (151_877, Some(100.0)));
            assert_eq!(data.marks.iter().map(|mark| mark.kind).collect::<Vec<_>>(), kinds);
        }
    }

    #[test]
    fn bad_files_are_refused_by_line() {
        for (text, says) in [
            ("", "empty"),
            ("a,b\n1,2\n", "no column time_ms"),
            ("time_ms\n", "no rows"),
            ("time_ms\n1\nx\n", "line 3: not a number: x"),
            ("time_ms\n5\n4\n", "line 3: time runs back"),
            ("time_ms,bitrate\n,4\n", "line 2: no time"),
        ] {
            let error = read("t", text).err().map(|e| format!("{e:#}")).unwrap_or_default();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
