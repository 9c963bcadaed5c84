//! `smoothcore simulate`: sessions in virtual time, with the core's own controller and others.

mod board;
mod controllers;
mod data;
mod engine;
mod link;
mod metrics;
mod mpc;
mod plot;
mod pool;
mod rules;
mod shipped;
mod soda;
mod variant;
mod vectors;

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::{ArgAction, ValueEnum};
use smoothcore::abr::{Objective, Tuning};

use controllers::Controller;
use data::{Content, Movie, Trace};
use metrics::Metrics;
use pool::Job;
use shipped::Options;

/// Where the data folder is, when no option says so.
const DATA: &str = "SMOOTHCORE_ABR_DATA";

/// Play sessions in virtual time over network traces, with the core's own bitrate controller or another, and say what they
/// were worth.
///
/// A trace is a JSON list of periods (`duration_ms`, `bandwidth_kbps`, `latency_ms`), a movie a JSON object
/// (`segment_duration_ms`, `bitrates_kbps`, `segment_sizes_bits`). A data folder holds `traces/NAME/*.json`,
/// `movies/NAME.json` and `sets.json`, which says what plays against what. No size is known to a controller before its
/// segment has begun to arrive; nothing is random.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore simulate --trace tram.json --movie film.json --plot tram.html
      one session, drawn
  smoothcore simulate --data abr --set hsdpa3g --controller planner,robustmpc,throughput
      means over a set, side by side
  smoothcore simulate --data abr --set oboe --buffer 10 --objective log --json
      every figure of every session
  smoothcore simulate --data abr --all
      the whole scoreboard

Exit status:
  0  done
  1  failed; with --vectors also: the simulator differs
  2  the command line makes no sense")]
pub struct Args {
    /// A set of the data folder; may be given more than once.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["trace", "movie"])]
    set: Vec<String>,

    /// The scoreboard: every set at its buffers, with both objectives, beside other rules.
    #[arg(long, conflicts_with_all = ["set", "trace", "movie", "json", "plot"])]
    all: bool,

    /// Every set with its rates, latencies, fragments, ladder and sizes bent, beside the throughput rule.
    #[arg(long, conflicts_with_all = ["all", "set", "trace", "movie", "json", "plot"])]
    robustness: bool,

    /// Compare the simulator with a file of reference results.
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["all", "set", "trace", "movie", "json", "plot"])]
    vectors: Option<PathBuf>,

    /// The data folder. [default: what SMOOTHCORE_ABR_DATA says]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// A network trace.
    #[arg(long, value_name = "FILE.json", requires = "movie")]
    trace: Option<PathBuf>,

    /// What is played over it.
    #[arg(long, value_name = "FILE.json", requires = "trace")]
    movie: Option<PathBuf>,

    /// Cut or repeat the movie to so many seconds.
    #[arg(long, value_name = "S", requires = "movie")]
    movie_length: Option<f64>,

    /// Multiply every rate of the trace.
    #[arg(long, value_name = "X", requires = "trace", default_value_t = 1.0)]
    multiplier: f64,

    /// Most seconds in the buffer.
    #[arg(long, value_name = "S", default_value_t = 25.0)]
    buffer: f64,

    /// Who decides, separated by commas: planner (the core's, the default), small (the core's without tables), soda,
    /// robustmpc, throughput, fixed=Q, abandon=Q.
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "planner")]
    controller: Vec<String>,

    /// What is to be made most of.
    #[arg(long, value_enum, default_value_t = Worth::Lin)]
    objective: Worth,

    /// Whether the planner may fetch buffered segments again at a higher quality.
    #[arg(long, value_name = "on|off", action = ArgAction::Set,
        value_parser = clap::builder::ValueParser::new(on_off), default_value = "on")]
    replacement: bool,

    /// Take only every Nth trace of a set.
    #[arg(long, value_name = "N", default_value_t = 1)]
    every: usize,

    /// Another number in the planner's tuning, for experiments; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    tune: Vec<String>,

    /// One JSON object: every session, and the means.
    #[arg(long)]
    json: bool,

    /// Draw the first session: a page, or the picture alone when the name ends in .svg.
    #[arg(long, value_name = "FILE.html")]
    plot: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Worth {
    /// Mbit/s.
    Lin,
    /// The logarithm of the bitrate.
    Log,
}

fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".into()),
    }
}

pub fn run(args: &Args) -> Result<()> {
    let options = options(args)?;
    ensure!(args.buffer.is_finite() && args.buffer > 0.0, "a buffer of {} s", args.buffer);
    if let Some(file) = &args.vectors {
        return vectors::check(file, &folder(args)?);
    }
    if args.all {
        return board::print(&folder(args)?, args.every, &options);
    }
    if args.robustness {
        return board::robustness(&folder(args)?, args.every, args.buffer, &options);
    }
    let controllers = args.controller.iter().map(|n| Controller::parse(n)).collect::<Result<Vec<_>>>()?;
    let contents = contents(args)?;
    ensure!(
        !args.json || contents.len() == 1 && controllers.len() == 1,
        "--json takes one set and one controller"
    );
    if !args.json {
        heading();
    }
    for (name, content) in &contents {
        let seconds = content.movie.duration() / 1000.0;
        ensure!(
            args.buffer >= seconds,
            "{name}: a segment of {seconds} s has no room in a buffer of {} s",
            args.buffer
        );
        for controller in &controllers {
            controller.check(&content.movie)?;
            let job = Job { content, buffer: args.buffer, controller: *controller, options: &options };
            let all = job.run(&format!("{name} {}", controller.name()));
            let mean = Metrics::mean(&all);
            if args.json {
                println!("{}", json(content, &all, &mean)?);
            } else {
                line(name, args.buffer, &controller.name(), &mean);
            }
        }
    }
    if let (Some(path), Some((name, content)), Some(controller)) =
        (&args.plot, contents.first(), controllers.first())
    {
        let job = Job { content, buffer: args.buffer, controller: *controller, options: &options };
        let trace = &content.traces[0];
        let outcome = job.session(0);
        let title = format!("{}, {name}, buffer {} s, {}", trace.name, args.buffer, controller.name());
        let scene = plot::Scene {
            title: &title,
            trace,
            movie: &content.movie,
            outcome: &outcome,
            buffer: args.buffer,
        };
        let svg = path.extension().is_some_and(|e| e == "svg");
        let text = if svg { scene.svg() } else { scene.page() };
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn options(args: &Args) -> Result<Options> {
    let mut tuning = Tuning::default();
    for pair in &args.tune {
        let (name, value) = pair.split_once('=').with_context(|| format!("{pair}: not NAME=VALUE"))?;
        shipped::tune(&mut tuning, name, value.parse().with_context(|| format!("{pair}: no number"))?)?;
    }
    let objective = match args.objective {
        Worth::Lin => Objective::Linear,
        Worth::Log => Objective::Log,
    };
    Ok(Options { objective, replaces: args.replacement, tuning })
}

fn folder(args: &Args) -> Result<PathBuf> {
    let folder = args.data.clone().or_else(|| std::env::var_os(DATA).map(PathBuf::from));
    folder.with_context(|| format!("no data: give --data DIR or set {DATA}"))
}

/// What is to be played, by name.
fn contents(args: &Args) -> Result<Vec<(String, Content)>> {
    if let (Some(trace), Some(movie)) = (&args.trace, &args.movie) {
        ensure!(args.multiplier.is_finite() && args.multiplier > 0.0, "--multiplier {}", args.multiplier);
        let movie = Movie::read(movie, args.movie_length)?;
        let content = Content { traces: vec![Trace::read(trace, args.multiplier)?], movie };
        return Ok(vec![("one trace".into(), content)]);
    }
    if args.set.is_empty() {
        bail!("nothing to play: give --set, --trace with --movie, or --all");
    }
    let data = folder(args)?;
    args.set.iter().map(|name| Ok((name.clone(), data::content(&data, name, args.every)?))).collect()
}

#[derive(serde::Serialize)]
struct Report<'a> {
    /// Names of the traces, in the order of the sessions.
    traces: Vec<&'a str>,
    sessions: &'a [Metrics],
    mean: &'a Metrics,
}

fn json(content: &Content, sessions: &[Metrics], mean: &Metrics) -> Result<String> {
    let traces = content.traces.iter().map(|t| t.name.as_str()).collect();
    Ok(serde_json::to_string(&Report { traces, sessions, mean })?)
}

fn heading() {
    println!(
        "{:<13}{:>7} {:<11}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "set",
        "buffer",
        "controller",
        "QoE_lin",
        "QoE_log",
        "worst",
        "kbit/s",
        "change",
        "stall %",
        "stalls",
        "start s",
        "waste %"
    );
}

fn line(set: &str, buffer: f64, controller: &str, m: &Metrics) {
    println!(
        "{set:<13}{buffer:>7} {controller:<11}{:9.3}{:9.3}{:9.3}{:9.0}{:9.0}{:9.2}{:9.2}{:9.2}{:9.2}",
        m.qoe_lin,
        m.qoe_log,
        m.worst_decile_qoe_lin,
        m.mean_kbps,
        m.mean_change_kbps,
        100.0 * m.rebuffer_ratio,
        m.events,
        m.startup_s,
        100.0 * m.waste
    );
}
