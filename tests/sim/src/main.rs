//! `sim`: runs the simulations.

mod switching;

use std::process::ExitCode;
use std::time::Instant;

use smoothcore_sim::fault::Kind;
use smoothcore_sim::scenario::faults::{self, Fate, Which};
use smoothcore_sim::scenario::{fleet, month};

const HELP: &str = "\
sim: whole presentations in virtual time around the session of smoothcore

  sim faults [--seeds N] [--from N] [--kind KIND] [--live | --vod]
      N runs (400) under faults, singly and in mixtures of three; fails when a rule is broken
  sim replay SEED --live | --vod [--kind KIND]
      one of those runs, with its log
  sim share [--sessions N] [--from SEED]
      2, 8 and 32 sessions on one link: fairness, efficiency, instability, a latecomer; beside the throughput rule
  sim traces --data DIR [--set NAME] [--every N] [--buffer S] [--mode alike|audio|2|4|8] [--rule planner|throughput]
             [--log] [--replace] [--sound BITRATE] [--smoothcore PATH] [--each] [--events]
      sessions over the traces of a data folder; with the command named, beside its simulator
  sim month [--days N] [--seed N] [--drift PPM]
      a channel of three streams for N days (30): one manifest, no 404, no 412 after the start, no stall, memory flat; on a
      box whose clock runs faster by so many millionths (0), with a rate to come back to its delay
  sim fleet [--sessions N] [--how KIND] [--svg FILE] [--seed N]
      N sessions (10000) of a channel whose origin fails for a minute (503): what they ask for when it is back
  sim kinds
      the kinds of fault
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let options = Options(&words);
    let done = match words.first() {
        Some(&"faults") => many(&options),
        Some(&"replay") => replay(&options),
        Some(&"traces") => switching::traces(&options),
        Some(&"share") => switching::share(&options),
        Some(&"month") => whole_month(&options),
        Some(&"fleet") => whole_fleet(&options),
        Some(&"kinds") => {
            Kind::ALL.iter().for_each(|k| println!("{:<18} {:?}", k.name(), k.on()));
            Ok(())
        }
        _ => Err(HELP.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

pub struct Options<'a>(&'a [&'a str]);

impl Options<'_> {
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|w| *w == name)?;
        self.0.get(at + 1).copied()
    }

    pub fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        match self.value(name) {
            Some(text) => text.parse().map_err(|_| format!("{name}: no number: {text}")),
            None => Ok(default),
        }
    }

    fn kind(&self) -> Result<Option<Kind>, String> {
        let Some(name) = self.value("--kind") else { return Ok(None) };
        let kind = Kind::ALL.iter().find(|k| k.name() == name);
        kind.map(|k| Some(*k)).ok_or_else(|| format!("no kind of fault is called {name}; see: sim kinds"))
    }

    fn which(&self) -> Vec<Which> {
        match (self.has("--live"), self.has("--vod")) {
            (true, false) => vec![Which::Live],
            (false, true) => vec![Which::Vod],
            _ => vec![Which::Vod, Which::Live],
        }
    }
}

fn many(options: &Options<'_>) -> Result<(), String> {
    let (from, seeds) = (options.number("--from", 0)?, options.number("--seeds", 400)?);
    let begin = Instant::now();
    let table = faults::many(from, from + seeds, &options.which(), options.kind()?, |t| {
        if t.runs % 1000 == 0 {
            eprintln!(
                "sim: {} runs, {} broken, {:.0} s",
                t.runs,
                t.broken.len(),
                begin.elapsed().as_secs_f64()
            );
        }
    });
    println!("{:<18} {:>6} {:>6}", "kind", "runs", "fatal");
    for (kind, (runs, failed)) in &table.by_kind {
        println!("{:<18} {runs:>6} {failed:>6}", kind.name());
    }
    for (why, count) in &table.failed {
        println!("fatal: {count:>5} {why}");
    }
    for (seed, which, why) in &table.broken {
        let which = format!("--{which:?}").to_lowercase();
        println!(
            "BROKEN seed {seed} {which} {:?}: {why}",
            faults::kinds(*seed, if which == "--live" { Which::Live } else { Which::Vod }, options.kind()?)
                .iter()
                .map(|k| k.name())
                .collect::<Vec<_>>()
        );
    }
    println!(
        "faults: {} runs of {} kinds, {:.1} hours of play, {} samples, {} broken, {:.1} s",
        table.runs,
        table.by_kind.len(),
        table.seconds as f64 / 3600.0,
        table.samples,
        table.broken.len(),
        begin.elapsed().as_secs_f64()
    );
    if table.broken.is_empty() {
        Ok(())
    } else {
        Err("faults: rules were broken; sim replay SEED shows a run".into())
    }
}

fn replay(options: &Options<'_>) -> Result<(), String> {
    let seed = options.0.get(1).and_then(|s| s.parse().ok()).ok_or("replay: which seed?")?;
    let which = *options.which().first().ok_or("--live or --vod")?;
    let (fate, world) = faults::one(seed, which, options.kind()?, true);
    println!("{:?}\n{:?}\n{:?}", world.script, world.session.config(), world.habits);
    println!("{}", world.log.as_deref().unwrap_or(""));
    println!("{:?}\n{}", fate, world.figures());
    if matches!(fate, Fate::Broken(_)) { Err("broken".into()) } else { Ok(()) }
}

fn whole_month(options: &Options<'_>) -> Result<(), String> {
    let drift = options.value("--drift").map_or(Ok(0), str::parse);
    let drift: i64 = drift.map_err(|_| "--drift: no number")?;
    let month =
        month::Month { days: options.number("--days", 30)?, seed: options.number("--seed", 1)?, drift };
    let begin = Instant::now();
    println!(" day manifests fragments 412 404 stalls gaps    held  behind");
    let world = month::play(month, |day, d, _| {
        println!(
            "{day:>4} {:>9} {:>9} {:>3} {:>3} {:>6} {:>4} {:>7} {:>5}.{:03} s",
            d.manifests,
            d.fragments,
            d.early,
            d.missing,
            d.stalls,
            d.gaps,
            d.held,
            d.latency / 1000,
            d.latency % 1000
        );
    })?;
    let counts = world.rules.counts;
    println!(
        "month: {} days, {} manifest, {} fragments, {} samples, {} x 412{}, {} x 404, {} stalls, peak {} bytes, {:.0} s",
        month.days,
        counts.manifests,
        counts.fragments,
        counts.samples,
        counts.early,
        if drift == 0 { " at the start" } else { "" },
        counts.missing,
        counts.stalls,
        world.session.stats().peak_held,
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

fn whole_fleet(options: &Options<'_>) -> Result<(), String> {
    let how = match options.value("--how") {
        None => Kind::Busy,
        Some(name) => *Kind::ALL.iter().find(|k| k.name() == name).ok_or("no such kind of fault")?,
    };
    let sessions = options.number("--sessions", 10_000)? as u32;
    let fleet = fleet::Fleet { sessions, seed: options.number("--seed", 1)?, how };
    let begin = Instant::now();
    let knocks = fleet::run(fleet);
    if let Some(path) = options.value("--svg") {
        std::fs::write(path, fleet::picture(fleet, &knocks)).map_err(|e| format!("{path}: {e}"))?;
    }
    if options.has("--seconds") {
        knocks.seconds.iter().enumerate().for_each(|(s, n)| println!("{s} {n}"));
    }
    for (n, breach) in knocks.breaches.iter().take(10) {
        println!("BROKEN session {n}: {breach}");
    }
    let factor = f64::from(knocks.most) / knocks.steady;
    println!(
        "fleet: {} sessions, steady {:.0} requests a second (most {}), after the outage at most {} (second {}): {:.2} x steady; \
         {} stalled, {} play at the end, {} failed, {} broken, {:.0} s",
        sessions,
        knocks.steady,
        knocks.steady_most,
        knocks.most,
        knocks.most_at,
        factor,
        knocks.stalled,
        knocks.playing,
        knocks.failed,
        knocks.breaches.len(),
        begin.elapsed().as_secs_f64()
    );
    match () {
        () if !knocks.breaches.is_empty() => Err("fleet: rules were broken".into()),
        () if knocks.failed > 0 || knocks.playing < u64::from(sessions) => {
            Err("fleet: not every session plays".into())
        }
        () if factor >= 1.5 => Err("fleet: they knock harder than 1.5 times the steady rate".into()),
        () => Ok(()),
    }
}
