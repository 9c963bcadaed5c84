//! `--all`: the scoreboard, and beside it what others reached.

use std::path::Path;

use anyhow::{Result, ensure};
use smoothcore::abr::Objective;

use super::controllers::Controller;
use super::data::{self, Content};
use super::metrics::Metrics;
use super::pool::Job;
use super::shipped::Options;
use super::variant;

/// Known figures of a row: mean QoE_lin of DYNAMIC, of the best of Sabre's rules, of RobustMPC, of a SODA-like rule, and of
/// the prototype of the planner. All measured elsewhere, on the same data.
struct Row {
    set: &'static str,
    buffer: f64,
    known: [Option<f64>; 5],
}

const fn row(set: &'static str, buffer: f64, known: [Option<f64>; 5]) -> Row {
    Row { set, buffer, known }
}

const ROWS: [Row; 13] = [
    row("hsdpa3g", 25.0, [Some(-1.406), Some(-1.223), Some(-1.384), Some(-1.286), Some(-1.103)]),
    row("lte4g", 25.0, [Some(19.231), Some(21.369), Some(25.003), Some(24.700), Some(25.310)]),
    row("oboe", 25.0, [Some(1.841), Some(1.927), Some(2.204), Some(2.187), Some(2.265)]),
    row("puffer", 25.0, [Some(5.237), Some(6.066), Some(7.282), Some(7.972), Some(8.274)]),
    row("starlink", 25.0, [Some(15.361), Some(17.014), Some(21.575), Some(21.670), Some(21.836)]),
    row("fcc_sd", 25.0, [Some(2.274), Some(3.504), Some(3.323), Some(3.021), Some(3.599)]),
    row("fcc_hd", 25.0, [Some(4.099), Some(7.838), Some(10.997), Some(9.782), Some(12.181)]),
    row("hsdpa3g", 10.0, [Some(-1.845), Some(-1.845), Some(-1.888), Some(-1.893), Some(-1.687)]),
    row("hsdpa3g_mss", 10.0, [Some(-0.945), Some(-0.843), Some(-0.854), Some(-0.811), Some(-0.700)]),
    row("lte4g", 10.0, [None, None, Some(16.806), Some(19.454), Some(20.817)]),
    row("oboe", 10.0, [Some(1.350), Some(1.350), Some(1.611), Some(1.755), Some(1.777)]),
    row("hsdpa3g", 60.0, [Some(-1.047), Some(-0.744), Some(-1.380), Some(-0.941), Some(-0.671)]),
    row("lte4g", 60.0, [None, Some(23.607), Some(26.065), Some(25.901), Some(26.214)]),
];

/// The sets of the rows, for whoever has others.
const PUBLIC: &str = "hsdpa3g, hsdpa3g_mss, lte4g, oboe, puffer, starlink, fcc_sd, fcc_hd";

const OWN: [Controller; 4] =
    [Controller::Planner, Controller::RobustMpc, Controller::Soda, Controller::Throughput];

/// What the first table shows.
fn title(options: &Options) {
    let replaces = if options.replaces { "on" } else { "off" };
    println!("mean QoE_lin, replacement {replaces}; in brackets figures measured elsewhere");
    println!(
        "{:<15}{:>10}{:>10}{:>10}{:>10}{:>10} |{:>9}{:>9}{:>9}{:>9} | planner against them",
        "set, buffer", "(DYNAMIC)", "(Sabre)", "(MPC)", "(SODA)", "(proto)", "planner", "mpc", "soda", "rate"
    );
}

/// Fails unless the folder has all sets of the board.
fn check(data: &Path) -> Result<()> {
    let sets = data::sets(data)?;
    let mut missing: Vec<&str> = ROWS.iter().map(|r| r.set).filter(|s| !sets.contains_key(*s)).collect();
    missing.dedup();
    ensure!(
        missing.is_empty(),
        "{}: no set {}; --all plays thirteen rows of eight public sets ({PUBLIC}); --set NAME and --robustness play any folder",
        data.join("sets.json").display(),
        missing[0]
    );
    Ok(())
}

/// The whole board with both objectives.
pub fn print(data: &Path, every: usize, options: &Options) -> Result<()> {
    check(data)?;
    let mut first = true;
    let (mut ahead, mut level) = (0, 0);
    let q = |m: &Metrics| m.qoe_lin;
    let mut tables = (Vec::new(), Vec::new());
    for row in &ROWS {
        let content = data::content(data, row.set, every)?;
        let label = format!("{} {}", row.set, row.buffer);
        let linear = Options { objective: Objective::Linear, ..*options };
        let all = run(&content, row.buffer, &linear, &label)?;
        if std::mem::take(&mut first) {
            title(options);
        }
        let own = q(&all[0]);
        let prototype = row.known[4].unwrap_or(f64::NEG_INFINITY);
        let known = row.known[..4].iter().copied().flatten();
        let peers = known.chain(all[1..].iter().map(q)).fold(f64::NEG_INFINITY, f64::max);
        // To the three digits in which the figures are known.
        let reaches = (own * 1000.0).round() >= (prototype * 1000.0).round();
        level += usize::from(reaches);
        ahead += usize::from((own * 1000.0).round() > (prototype * 1000.0).round());
        let known: String =
            row.known.iter().map(|k| k.map_or(format!("{:>10}", "-"), |k| format!("{k:10.3}"))).collect();
        let mine: String = all.iter().map(|m| format!("{:9.3}", q(m))).collect();
        let peers = if own > peers { "leads the peers" } else { "BEHIND A PEER" };
        println!("{label:<15}{known} |{mine} | {:+.3} of the prototype, {peers}", own - prototype);
        tables.0.push((label.clone(), all));
        let log = Options { objective: Objective::Log, ..*options };
        tables.1.push((label.clone(), run(&content, row.buffer, &log, &label)?));
    }
    println!("at least the prototype's figure in {level} of {} rows, better in {ahead}", ROWS.len());
    println!("\nRobustMPC and SODA-like as built here, off the known figures by");
    for ((label, all), row) in tables.0.iter().zip(&ROWS) {
        let off = |own: f64, known: Option<f64>| {
            known.map_or("-".into(), |k| format!("{:+.1} %", 100.0 * (own - k) / k.abs()))
        };
        println!(
            "{label:<15}{:>10}{:>10}",
            off(all[1].qoe_lin, row.known[2]),
            off(all[2].qoe_lin, row.known[3])
        );
    }
    println!(
        "\nrebuffer share in % with the linear objective, the planner's beside that of whoever of the others has the best quality"
    );
    heading();
    for (label, all) in &tables.0 {
        let shares: String = all.iter().map(|m| format!("{:11.2}", 100.0 * m.rebuffer_ratio)).collect();
        let best = (1..all.len()).max_by(|a, b| q(&all[*a]).total_cmp(&q(&all[*b]))).unwrap_or(0);
        let more = 100.0 * (all[0].rebuffer_ratio - all[best].rebuffer_ratio);
        let verdict = if more <= 0.2 { "" } else { ", TOO MUCH" };
        println!(
            "{label:<15}{shares} | {more:+.2} to the best of them, {}{verdict}; waste {:.2} %",
            OWN[best].name(),
            100.0 * all[0].waste
        );
    }
    println!("\nmean QoE_log with the log objective");
    heading();
    for (label, all) in &tables.1 {
        let values: String = all.iter().map(|m| format!("{:11.3}", m.qoe_log)).collect();
        let ahead = all[0].qoe_log > all[1].qoe_log && all[0].qoe_log > all[2].qoe_log;
        println!("{label:<15}{values} | {}", if ahead { "ahead" } else { "BEHIND" });
    }
    Ok(())
}

/// Fails when a segment is longer than the buffer.
pub fn roomy(content: &Content, buffer: f64, label: &str) -> Result<()> {
    let seconds = content.movie.duration() / 1000.0;
    ensure!(
        buffer >= seconds,
        "{label}: a segment of {seconds} s has no room in a buffer of {buffer} s; give a larger --buffer"
    );
    Ok(())
}

fn heading() {
    let names: String = OWN.iter().map(|c| format!("{:>11}", c.name())).collect();
    println!("{:<15}{names}", "set, buffer");
}

fn run(content: &Content, buffer: f64, options: &Options, label: &str) -> Result<Vec<Metrics>> {
    let mean = |controller: Controller| {
        controller.check(&content.movie)?;
        roomy(content, buffer, label)?;
        let job = Job { content, buffer, controller, options };
        Ok(Metrics::mean(&job.run(&format!("{label} {}", controller.name()))?))
    };
    OWN.iter().map(|c| mean(*c)).collect()
}

/// `--robustness`: every set, bent; the planner beside the throughput rule.
pub fn robustness(data: &Path, every: usize, buffer: f64, options: &Options) -> Result<()> {
    let (mut collapses, mut first) = (0, true);
    for set in data::sets(data)?.keys() {
        let content = data::content(data, set, every)?;
        let seconds = content.movie.duration() * content.movie.segments() as f64 / 1000.0;
        ensure!(seconds >= 6.0, "{set}: the movie lasts {seconds} s; --robustness needs 6 s at least");
        for variant in variant::ALL {
            let bent = variant.apply(&content);
            let label = format!("{set}, {}", variant.name());
            roomy(&bent, buffer, &label)?;
            let mean = |controller| -> Result<f64> {
                let job = Job { content: &bent, buffer, controller, options };
                Ok(Metrics::mean(&job.run(&label)?).qoe_lin)
            };
            let (own, rule) = (mean(Controller::Planner)?, mean(Controller::Throughput)?);
            if std::mem::take(&mut first) {
                println!("mean QoE_lin of the planner and of the throughput rule; buffer {buffer} s");
            }
            let share = 100.0 * (own - rule) / rule.abs();
            collapses += usize::from(share < -5.0);
            println!(
                "{label:<32}{own:9.3}{rule:9.3} {share:+8.1} %{}",
                if share < -5.0 { " COLLAPSE" } else { "" }
            );
        }
    }
    println!("below the throughput rule by more than 5 %: {collapses}");
    Ok(())
}
