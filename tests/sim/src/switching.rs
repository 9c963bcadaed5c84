//! Bitrate switching: traces and shared links.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use smoothcore::session::{Objective, Replacement, SwitchingRule};
use smoothcore_sim::data::{Content, content};
use smoothcore_sim::scenario::share::shared;
use smoothcore_sim::scenario::traces::{Figures, Mode, many, one};

use crate::Options;

/// Sound in the modes that have some, in bit/s.
const AUDIO: u64 = 64_000;

fn rule(options: &Options<'_>) -> Result<SwitchingRule, String> {
    match options.value("--rule") {
        None | Some("planner") => Ok(SwitchingRule::Planner),
        Some("throughput") => Ok(SwitchingRule::Throughput),
        Some(other) => Err(format!("--rule: {other}?")),
    }
}

pub fn traces(options: &Options<'_>) -> Result<(), String> {
    let data = Path::new(options.value("--data").ok_or("--data DIR: where the traces are")?);
    let every = options.number("--every", 1)? as usize;
    let sets: Vec<&str> = match options.value("--set") {
        Some(name) => vec![name],
        None => vec!["hsdpa3g", "hsdpa3g_mss", "oboe", "fcc_sd", "fcc_hd", "lte4g", "starlink", "puffer"],
    };
    let objective = if options.has("--log") { Objective::Log } else { Objective::Linear };
    let buffer = options.number("--buffer", 25)?;
    let replacement = if options.has("--replace") { Replacement::On } else { Replacement::Off };
    let sound = options.number("--sound", AUDIO)? as u32;
    let alike = Mode {
        buffer: buffer as f64,
        rule: rule(options)?,
        objective,
        replacement,
        alike: true,
        audio: 0,
        budget: 1 << 30,
    };
    let (mode, audio) = match options.value("--mode") {
        None | Some("alike") => (alike, 0),
        Some("audio") => (Mode { audio: sound, ..alike }, sound),
        Some(mib) => {
            let mib: usize = mib.parse().map_err(|_| format!("--mode: {mib}?"))?;
            (Mode { alike: false, audio: sound, budget: mib << 20, ..alike }, sound)
        }
    };
    println!(
        "{:<12} {:>8} {:>8} {:>9} {:>8} {:>9} {:>8} {:>7} {:>8} {:>7}",
        "set",
        "qoe_lin",
        "qoe_log",
        "mean kbps",
        "stall s",
        "stalls",
        "change",
        "waste%",
        "start s",
        "idle s"
    );
    let mut worst: Vec<String> = Vec::new();
    for name in sets {
        let content = content(data, name, every)?;
        let (mean, each) = many(&content, &mode);
        line(name, &mean);
        if options.has("--events") {
            let movie = if mode.audio > 0 {
                content.movie.clone().with_audio(mode.audio)
            } else {
                content.movie.clone()
            };
            let (figures, viewer) = one(&content.traces[0], &movie, &mode);
            line(&content.names[0], &figures);
            for e in &viewer.events {
                let told = e.decided().map(|d| format!("{d:?}")).unwrap_or_default();
                let at = e.media_time.map(|t| t.0 as f64 / 1e7);
                println!(
                    "{:>9.3} {:?} {:?} {at:?} {} {} {told}",
                    e.at.0 as f64 / 1e6,
                    e.kind,
                    e.stream.map(|s| s.0),
                    e.a,
                    e.b
                );
            }
        }
        if options.has("--each") {
            content.names.iter().zip(&each).for_each(|(name, f)| line(name, f));
        }
        if let Some(command) = options.value("--smoothcore") {
            if audio > 0 {
                let off = mean.qoe_lin - simulate(command, &content, &mode, Sound::OffTheLink)?;
                println!(
                    "{name:<12} off by {off:+.3} from the simulator with the sound's rate off the link, outages and all"
                );
            }
            let simulated = simulate(command, &content, &mode, Sound::BesideSegments)?;
            let (share, least) = if audio == 0 { (0.03, 0.03) } else { (0.06, 0.06) };
            let off = mean.qoe_lin - simulated;
            let allowed = (simulated.abs() * share).max(least);
            let verdict = if off.abs() <= allowed { "within" } else { "OUTSIDE" };
            println!("{name:<12} {simulated:>8.3} simulated; off by {off:+.3}, {verdict} {allowed:.3}");
            if off.abs() > allowed {
                worst.push(name.to_string());
            }
        }
    }
    if worst.is_empty() { Ok(()) } else { Err(format!("traces: not as simulated: {}", worst.join(", "))) }
}

fn line(name: &str, f: &Figures) {
    println!(
        "{name:<12} {:>8.3} {:>8.3} {:>9.0} {:>8.2} {:>9.2} {:>8.1} {:>7.2} {:>8.2} {:>7.2}",
        f.qoe_lin,
        f.qoe_log,
        f.mean_kbps,
        f.stalled,
        f.events,
        f.change_kbps,
        f.waste * 100.0,
        f.startup,
        f.idle
    );
}

/// How the simulator, which knows pictures alone, is told of sound.
#[derive(Clone, Copy)]
enum Sound {
    /// Its bits go with each segment: what is buffered of it is not fetched in an outage, and is fetched after it.
    BesideSegments,
    /// Its rate is taken off the link at all times.
    OffTheLink,
}

/// The mean linear quality that the simulator has for the same traces.
fn simulate(command: &str, content: &Content, mode: &Mode, sound: Sound) -> Result<f64, String> {
    let folder = std::env::temp_dir().join(format!("smoothcore-sim-{}", std::process::id()));
    let done = write(content, mode, sound, &folder).and_then(|()| {
        let objective = if mode.objective == Objective::Log { "log" } else { "lin" };
        let mut run = Command::new(command);
        let replacement = if mode.replacement == Replacement::On { "on" } else { "off" };
        run.args([
            "simulate",
            "--set",
            "set",
            "--controller",
            "planner",
            "--replacement",
            replacement,
            "--json",
        ])
        .args(["--objective", objective, "--buffer", &mode.buffer.to_string()])
        .arg("--data")
        .arg(&folder);
        run.output().map_err(|e| format!("{command}: {e}"))
    });
    let _ = std::fs::remove_dir_all(&folder);
    let out = done?;
    if !out.status.success() {
        return Err(format!("{command}: {}", String::from_utf8_lossy(&out.stderr)));
    }
    let json: Value = serde_json::from_slice(&out.stdout).map_err(|e| format!("{command}: {e}"))?;
    json["mean"]["qoe_lin"].as_f64().ok_or(format!("{command}: no mean"))
}

/// The set as a data folder.
fn write(content: &Content, mode: &Mode, sound: Sound, folder: &Path) -> Result<(), String> {
    let put = |path: &str, value: &Value| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder"))
            .and_then(|()| std::fs::write(&path, value.to_string()))
            .map_err(|e| format!("{}: {e}", path.display()))
    };
    put(
        "sets.json",
        &json!({"set": {"traces": "set", "movie": "movie", "movie_length_s": null, "multiplier": 1.0}}),
    )?;
    let movie = &content.movie;
    let kbps: Vec<u32> = movie.video.bitrates.iter().map(|b| b / 1000).collect();
    let (more, less) = match sound {
        Sound::BesideSegments => (u64::from(mode.audio) * movie.millis / 1000, 0.0),
        Sound::OffTheLink => (0, f64::from(mode.audio)),
    };
    let bits: Vec<Vec<u64>> =
        movie.video.sizes.iter().map(|row| row.iter().map(|b| b * 8 + more).collect()).collect();
    put(
        "movies/movie.json",
        &json!({"segment_duration_ms": movie.millis, "bitrates_kbps": kbps, "segment_sizes_bits": bits}),
    )?;
    for (name, trace) in content.names.iter().zip(&content.traces) {
        let periods: Vec<Value> = trace
            .iter()
            .map(|p| {
                let kbps = ((p.rate - less).max(0.0) / 1e3).round() as u64;
                json!({"duration_ms": p.micros / 1000, "bandwidth_kbps": kbps, "latency_ms": p.latency / 1000})
            })
            .collect();
        put(&format!("traces/set/{name}.json"), &Value::Array(periods))?;
    }
    Ok(())
}

pub fn share(options: &Options<'_>) -> Result<(), String> {
    let counts: Vec<usize> = match options.value("--sessions") {
        Some(text) => vec![text.parse().map_err(|_| format!("--sessions: {text}?"))?],
        None => vec![2, 8, 32],
    };
    println!(
        "{:<9} {:<11} {:>6} {:>11} {:>13} {:>12} {:>10} {:>9} {:>7}",
        "sessions",
        "rule",
        "Jain",
        "efficiency",
        "inefficiency",
        "instability",
        "mean kbps",
        "stall s",
        "late s"
    );
    let mut bad = Vec::new();
    for count in counts {
        for (name, rule) in [("planner", SwitchingRule::Planner), ("throughput", SwitchingRule::Throughput)] {
            let seed = options.number("--from", 1)?;
            let f = shared(count, rule, seed, false);
            let late = shared(count, rule, seed, true).late;
            let told = late.map_or("never".into(), |s| s.to_string());
            println!(
                "{count:<9} {name:<11} {:>6.3} {:>11.3} {:>13.3} {:>12.4} {:>10.0} {:>9.2} {told:>7}",
                f.jain, f.efficiency, f.inefficiency, f.instability, f.mean_kbps, f.stalled
            );
            if rule == SwitchingRule::Planner && (f.jain < 0.9 || late.is_none_or(|s| s > 30)) {
                bad.push(count.to_string());
            }
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(format!("share: unfair among {}", bad.join(", "))) }
}
