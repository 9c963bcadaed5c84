//! `smoothcore simulate`: sessions in virtual time, with the core's own controller and others.

mod data;
mod engine;
mod link;
mod metrics;
mod mpc;
mod rules;
mod shipped;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use smoothcore::abr::{Objective, TABLE_BYTES, Tuning};

use data::{Movie, Trace};
use engine::{Known, Outcome, Rule};
use metrics::Metrics;

/// Play sessions in virtual time, with the core's own controller or another.
#[derive(clap::Args, Clone)]
pub struct Args {
    #[arg(long)]
    set: Vec<String>,
    #[arg(long)]
    all: bool,
    #[arg(long)]
    data: Option<PathBuf>,
    #[arg(long, default_value_t = 25.0)]
    buffer: f64,
    #[arg(long, default_value = "planner")]
    controller: Vec<String>,
    #[arg(long, default_value = "lin")]
    objective: String,
    #[arg(long, default_value = "off")]
    replacement: String,
    #[arg(long, default_value_t = 1)]
    every: usize,
    #[arg(long)]
    tune: Vec<String>,
    #[arg(long)]
    vectors: Option<PathBuf>,
}

fn utilities(movie: &Movie, objective: Objective) -> (Vec<f64>, f64) {
    let rates: Vec<f64> = movie.bitrates_kbps.iter().map(|r| *r as f64).collect();
    let high = rates[rates.len() - 1];
    match objective {
        Objective::Linear => {
            (rates.iter().map(|r| r / 1000.0).collect(), if high <= 6000.0 { 4.3 } else { high / 1000.0 })
        }
        Objective::Log => (rates.iter().map(|r| (r / rates[0]).ln()).collect(), 2.66),
    }
}

fn make(name: &str, known: &Known, movie: &Movie, options: &shipped::Options) -> Result<Box<dyn Rule>> {
    let (utility, mu) = utilities(movie, options.objective);
    Ok(match name {
        "planner" => Box::new(shipped::Shipped::new(known, options)),
        "soda" => Box::new(shipped::Shipped::new(known, &shipped::Options { table_bytes: 0, ..*options })),
        "robustmpc" => Box::new(mpc::RobustMpc::new(known, utility, mu)),
        "throughput" => Box::new(rules::Throughput::new(known)),
        _ => match name.strip_prefix("fixed").and_then(|q| q.trim_start_matches('=').parse().ok()) {
            Some(quality) => Box::new(rules::Fixed { quality }),
            None => bail!("no controller {name}"),
        },
    })
}

pub fn run(args: &Args) -> Result<()> {
    let data = args.data.clone().context("--data")?;
    let mut tuning = Tuning::default();
    for pair in &args.tune {
        for pair in pair.split(',') {
            let (name, value) = pair.split_once('=').context("NAME=VALUE")?;
            shipped::tune(&mut tuning, name, value.parse()?)?;
        }
    }
    let options = shipped::Options {
        objective: if args.objective == "log" { Objective::Log } else { Objective::Linear },
        replaces: args.replacement == "on",
        table_bytes: TABLE_BYTES,
        tuning,
    };
    if let Some(v) = &args.vectors {
        return vectors(v, &data);
    }
    let rows: Vec<(String, f64)> = if args.all {
        [
            ("hsdpa3g", 25.),
            ("lte4g", 25.),
            ("oboe", 25.),
            ("puffer", 25.),
            ("starlink", 25.),
            ("fcc_sd", 25.),
            ("fcc_hd", 25.),
            ("hsdpa3g", 10.),
            ("hsdpa3g_mss", 10.),
            ("lte4g", 10.),
            ("oboe", 10.),
            ("hsdpa3g", 60.),
            ("lte4g", 60.),
        ]
        .iter()
        .map(|(n, b)| (n.to_string(), *b))
        .collect()
    } else {
        args.set
            .iter()
            .map(|s| {
                let (n, b) = s.split_once(':').unwrap_or((s, ""));
                (n.to_string(), b.parse().unwrap_or(args.buffer))
            })
            .collect()
    };
    for (set, buffer) in rows {
        let content = data::content(&data, &set, args.every, 1.0)?;
        for name in &args.controller {
            let all = parallel(&content.traces, |t| {
                let known = Known {
                    bitrates_kbps: content.movie.bitrates_kbps.clone(),
                    duration: content.movie.duration(),
                    segments: content.movie.segments(),
                    buffer: buffer * 1000.0,
                };
                let mut rule = make(name, &known, &content.movie, &options).unwrap();
                let out = engine::run(&t.periods, &content.movie, known.buffer, rule.as_mut());
                if std::env::var_os("SHOW").is_some() {
                    println!(
                        "{} {} startup {:.2} stall {:.2} {:?}",
                        t.name,
                        name,
                        out.startup / 1000.,
                        out.stalled / 1000.,
                        out.played
                    );
                }
                Metrics::of(&content.movie, &out)
            });
            let m = Metrics::mean(&all);
            println!(
                "{set:12} {buffer:3} {name:10} lin {:8.3} log {:7.3} mean {:7.0} ratio {:.4} ev {:5.1} change {:6.0} waste {:.4} worst {:.3}",
                m.qoe_lin,
                m.qoe_log,
                m.mean_kbps,
                m.rebuffer_ratio,
                m.events,
                m.mean_change_kbps,
                m.waste,
                m.worst_decile_qoe_lin
            );
        }
    }
    Ok(())
}

fn parallel<T: Send + Clone + Default>(traces: &[Trace], work: impl Fn(&Trace) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut all = vec![T::default(); traces.len()];
    let parts: Vec<Vec<(usize, T)>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let Some(trace) = traces.get(i) else { return mine };
                        mine.push((i, work(trace)));
                    }
                })
            })
            .collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    for (i, m) in parts.into_iter().flatten() {
        all[i] = m;
    }
    all
}

fn vectors(path: &PathBuf, data: &PathBuf) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    let sets = data::sets(data)?;
    let (mut worst, mut bad, mut n) = (0f64, 0, 0);
    for line in text.lines().skip(1) {
        let f: Vec<&str> = line.split(',').collect();
        let set = &sets[f[0]];
        let movie =
            Movie::read(&data.join("movies").join(format!("{}.json", set.movie)), set.movie_length_s)?;
        let trace = Trace::read(
            &data.join("traces").join(&set.traces).join(format!("{}.json", f[2])),
            set.multiplier,
        )?;
        let quality = f[4].parse()?;
        let mut rule: Box<dyn Rule> = if f[3] == "FIXED" {
            Box::new(rules::Fixed { quality })
        } else {
            Box::new(rules::Abandoning { quality })
        };
        let out: Outcome = engine::run(&trace.periods, &movie, f[1].parse::<f64>()? * 1000.0, rule.as_mut());
        let rates: u64 = out.played.iter().map(|q| movie.bitrates_kbps[*q]).sum();
        let change = metrics::change(&out.played, &|q| movie.bitrates_kbps[q] as f64);
        let (total, reb, ev, ch) =
            (f[9].parse::<f64>()?, f[10].parse::<f64>()?, f[11].parse::<u64>()?, f[12].parse::<f64>()?);
        let off = (total - out.total / 1000.0).abs().max((reb - out.stalled / 1000.0).abs());
        worst = worst.max(off);
        n += 1;
        if rates != f[8].parse::<u64>()? || change != ch || ev != out.events || off > 1e-3 {
            bad += 1;
            println!(
                "{line}\n   total {} reb {} ev {} ch {change} rates {rates}",
                out.total / 1000.0,
                out.stalled / 1000.0,
                out.events
            );
        }
    }
    println!("{n} rows, {bad} differ, worst {worst}");
    Ok(())
}
