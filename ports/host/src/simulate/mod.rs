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
mod wrong;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

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

/// More is never held, and a session has to end.
const MOST_BUFFER_S: f64 = 86_400.0;
const MOST_TUNE: i32 = 1_000_000;

/// Play sessions in virtual time over network traces, with the core's own bitrate controller or another, and say what they
/// were worth.
///
/// A trace is a JSON list of periods (`duration_ms`, `bandwidth_kbps`, `latency_ms`), a movie a JSON object
/// (`segment_duration_ms`, `bitrates_kbps`, ascending, and `segment_sizes_bits`: a list a segment, in it a size a level).
/// Rates are in kbit/s, sizes in bits; all are whole numbers. A data folder holds `traces/NAME/*.json`, `movies/NAME.json`
/// and `sets.json`, which says what plays against what. ports/docs/tools.md has an example of each. No size is known to a
/// controller before its segment has begun to arrive; nothing is random.
///
/// The defaults are not those of a session on a box, which is --objective log --replacement off --buffer 20.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smoothcore simulate --trace tram.json --movie film.json --plot tram.html
      one session, drawn
  smoothcore simulate --data abr --set hsdpa3g --controller planner,robustmpc,throughput
      means over a set, side by side
  smoothcore simulate --data abr --set oboe --buffer 10 --objective log --json
      every figure of every session
  smoothcore simulate --data abr --all
      the whole scoreboard, for the eight public sets

Exit status:
  0  done
  1  failed; with --vectors also: the simulator differs
  2  the command line makes no sense")]
pub struct Args {
    /// A set of the data folder; may be given more than once.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["trace", "movie"])]
    set: Vec<String>,

    /// The scoreboard: thirteen rows of eight public sets (hsdpa3g, hsdpa3g_mss, lte4g, oboe, puffer, starlink, fcc_sd,
    /// fcc_hd) at buffers of their own, with both objectives, beside other rules. A folder without them plays with --set or
    /// --robustness.
    #[arg(long, conflicts_with_all = ["set", "trace", "movie", "json", "plot", "controller", "buffer", "objective"])]
    all: bool,

    /// Every set with its rates, latencies, fragments, ladder and sizes bent, beside the throughput rule.
    #[arg(long, conflicts_with_all = ["all", "set", "trace", "movie", "json", "plot", "controller"])]
    robustness: bool,

    /// Compare the simulator with a file of reference results.
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["all", "robustness", "set", "trace", "movie", "json", "plot",
        "controller", "buffer", "objective", "replacement", "tune"])]
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

    /// Cut or repeat the movie to so many seconds; with --trace. A set has its own length.
    #[arg(long, value_name = "S", requires = "movie", allow_negative_numbers = true,
        conflicts_with_all = ["set", "all", "robustness", "vectors"])]
    movie_length: Option<f64>,

    /// Multiply every rate of the trace; with --trace. A set has its own multiplier.
    #[arg(long, value_name = "X", requires = "trace", default_value_t = 1.0, allow_negative_numbers = true,
        conflicts_with_all = ["set", "all", "robustness", "vectors"])]
    multiplier: f64,

    /// Most seconds in the buffer, at least a segment and at most 86400.
    #[arg(long, value_name = "S", default_value_t = 25.0, allow_negative_numbers = true)]
    buffer: f64,

    /// Who decides, separated by commas: planner (the core's, the default), small (the core's without tables), soda
    /// (to 64 levels), robustmpc (to 24 levels), throughput, fixed=Q, abandon=Q. Q is a level, 0 the lowest.
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "planner")]
    controller: Vec<String>,

    /// What is to be made most of.
    #[arg(long, value_enum, default_value_t = Worth::Lin)]
    objective: Worth,

    /// Whether the planner may fetch buffered segments again at a higher quality.
    #[arg(long, value_name = "on|off", action = ArgAction::Set,
        value_parser = clap::builder::ValueParser::new(on_off), default_value = "on")]
    replacement: bool,

    /// Take only every Nth trace of a set; with --set, --all or --robustness.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["trace", "movie", "vectors"],
        value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,

    /// Another number in the planner's tuning, for experiments; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    tune: Vec<String>,

    /// One JSON object: what played, every session, and the means. Takes one set, or a trace, and one controller.
    #[arg(long)]
    json: bool,

    /// Draw the first session: a page when the name ends in .html or .htm, the picture alone when in .svg.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Worth {
    /// Mbit/s.
    Lin,
    /// The logarithm of the bitrate.
    Log,
}

impl Worth {
    fn objective(self) -> Objective {
        match self {
            Worth::Lin => Objective::Linear,
            Worth::Log => Objective::Log,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Worth::Lin => "lin",
            Worth::Log => "log",
        }
    }
}

fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".into()),
    }
}

/// What the command line asks for, checked as far as it can be without reading a file.
struct Plan {
    options: Options,
    controllers: Vec<Controller>,
}

pub fn run(args: &Args) -> Result<ExitCode> {
    match plan(args) {
        Ok(plan) => play(args, &plan).map(|()| ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("smoothcore: {error:#}");
            Ok(ExitCode::from(2))
        }
    }
}

fn plan(args: &Args) -> Result<Plan> {
    let options = options(args)?;
    ensure!(
        args.buffer.is_finite() && args.buffer > 0.0 && args.buffer <= MOST_BUFFER_S,
        "--buffer {}: a buffer has more than 0 and at most {MOST_BUFFER_S} s",
        args.buffer
    );
    data::check_multiplier(args.multiplier).context("--multiplier")?;
    args.movie_length.map_or(Ok(()), data::check_length).context("--movie-length")?;
    let controllers =
        args.controller.iter().map(|n| Controller::parse(n.trim())).collect::<Result<Vec<_>>>()?;
    if args.set.is_empty() && args.trace.is_none() && !args.all && !args.robustness && args.vectors.is_none()
    {
        bail!("nothing to play: give --set, --trace with --movie, --all, --robustness or --vectors");
    }
    ensure!(
        !args.json || args.set.len() <= 1 && controllers.len() == 1,
        "--json takes one set, or a trace, and one controller: call it once for each"
    );
    args.plot.as_deref().map_or(Ok(true), is_picture)?;
    Ok(Plan { options, controllers })
}

fn play(args: &Args, plan: &Plan) -> Result<()> {
    let Plan { options, controllers } = plan;
    let every = args.every as usize;
    if let Some(file) = &args.vectors {
        return vectors::check(file, &folder(args)?);
    }
    if args.all {
        return board::print(&folder(args)?, every, options);
    }
    if args.robustness {
        return board::robustness(&folder(args)?, every, args.buffer, options);
    }
    let contents = contents(args)?;
    for (name, content) in &contents {
        board::roomy(content, args.buffer, name)?;
        controllers.iter().try_for_each(|c| c.check(&content.movie)).with_context(|| name.clone())?;
    }
    let mut first = true;
    for (name, content) in &contents {
        for controller in controllers {
            let job = Job { content, buffer: args.buffer, controller: *controller, options };
            let all = job.run(&format!("{name} {}", controller.name()))?;
            let mean = Metrics::mean(&all);
            if args.json {
                println!("{}", json(args, &job, &all, &mean)?);
                continue;
            }
            if std::mem::take(&mut first) {
                heading();
            }
            line(name, args.buffer, &controller.name(), &mean);
        }
    }
    if let (Some(path), Some((name, content)), Some(controller)) =
        (&args.plot, contents.first(), controllers.first())
    {
        let job = Job { content, buffer: args.buffer, controller: *controller, options };
        let trace = &content.traces[0];
        let outcome = job.session(0)?;
        let title = format!("{}, {name}, buffer {} s, {}", trace.name, args.buffer, controller.name());
        let scene = plot::Scene {
            title: &title,
            trace,
            movie: &content.movie,
            outcome: &outcome,
            buffer: args.buffer,
        };
        let text = if is_picture(path)? { scene.svg() } else { scene.page() };
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Whether the file is to be a picture, not a page.
fn is_picture(path: &Path) -> Result<bool> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("svg") => Ok(true),
        Some("html" | "htm") => Ok(false),
        _ => bail!("--plot \"{}\": give a name that ends in .html or .svg", path.display()),
    }
}

fn options(args: &Args) -> Result<Options> {
    let mut tuning = Tuning::default();
    for pair in &args.tune {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("--tune \"{pair}\": not NAME=VALUE"))?;
        let value = value.trim().parse().ok();
        let value = value.with_context(|| format!("--tune \"{pair}\": a whole number is wanted"))?;
        ensure!(
            (-MOST_TUNE..=MOST_TUNE).contains(&value),
            "--tune \"{pair}\": a number from {} to {MOST_TUNE} is wanted",
            -MOST_TUNE
        );
        shipped::tune(&mut tuning, name.trim(), value)?;
    }
    // Far beyond these the planner's integers would overflow.
    let t = &tuning;
    let shares = [t.walk_down, t.walk_up, t.jump_down, t.jump_up, t.jump_log, t.jump_log];
    ensure!(
        shares.iter().all(|s| (0..=256).contains(s)) && shares.iter().sum::<i32>() <= 256,
        "--tune: walk_down, walk_up, jump_down, jump_up and twice jump_log are shares of 256: 0 or more, and together at most 256"
    );
    Ok(Options { objective: args.objective.objective(), replaces: args.replacement, tuning })
}

fn folder(args: &Args) -> Result<PathBuf> {
    let folder = args.data.clone().or_else(|| std::env::var_os(DATA).map(PathBuf::from));
    folder.with_context(|| format!("no data: give --data DIR or set {DATA}"))
}

/// What is to be played, by name.
fn contents(args: &Args) -> Result<Vec<(String, Content)>> {
    if let (Some(trace), Some(movie)) = (&args.trace, &args.movie) {
        let movie = Movie::read(movie, args.movie_length)?;
        let content = Content { traces: vec![Trace::read(trace, args.multiplier)?], movie };
        return Ok(vec![("one trace".into(), content)]);
    }
    let data = folder(args)?;
    args.set.iter().map(|name| Ok((name.clone(), data::content(&data, name, args.every as usize)?))).collect()
}

#[derive(serde::Serialize)]
struct Report<'a> {
    /// None for a trace alone.
    set: Option<&'a str>,
    controller: String,
    objective: &'a str,
    buffer_s: f64,
    /// Names of the traces, in the order of the sessions.
    traces: Vec<&'a str>,
    sessions: &'a [Metrics],
    mean: &'a Metrics,
}

fn json(args: &Args, job: &Job<'_>, sessions: &[Metrics], mean: &Metrics) -> Result<String> {
    Ok(serde_json::to_string(&Report {
        set: args.set.first().map(String::as_str),
        controller: job.controller.name(),
        objective: args.objective.name(),
        buffer_s: job.buffer,
        traces: job.content.traces.iter().map(|t| t.name.as_str()).collect(),
        sessions,
        mean,
    })?)
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
