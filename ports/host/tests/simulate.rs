//! `smoothcore simulate` on small traces of its own making, and on the data folder where the environment names one.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{scratch, smoothcore};
use serde_json::Value;

const KEYS: [&str; 11] = [
    "startup_s",
    "rebuffer_s",
    "rebuffer_ratio",
    "events",
    "mean_kbps",
    "mean_change_kbps",
    "qoe_lin",
    "qoe_log",
    "sabre_score",
    "waste",
    "worst_decile_qoe_lin",
];

/// Durations in ms and rates in kbit/s.
fn trace(dir: &Path, name: &str, periods: &[(u64, u64)]) -> PathBuf {
    let periods: Vec<Value> = periods
        .iter()
        .map(|(ms, kbps)| serde_json::json!({"duration_ms": ms, "bandwidth_kbps": kbps, "latency_ms": 100}))
        .collect();
    let path = dir.join(name);
    fs::write(&path, Value::from(periods).to_string()).unwrap();
    path
}

/// Segments of 2 s, as large as their bitrates say.
fn movie(dir: &Path, kbps: &[u64], segments: usize) -> PathBuf {
    let sizes: Vec<u64> = kbps.iter().map(|k| k * 2000).collect();
    let movie = serde_json::json!({
        "segment_duration_ms": 2000, "bitrates_kbps": kbps, "segment_sizes_bits": vec![sizes; segments],
    });
    let path = dir.join("movie.json");
    fs::write(&path, movie.to_string()).unwrap();
    path
}

fn json(args: &[&str], trace: &Path, movie: &Path) -> Value {
    let (trace, movie) = (trace.to_str().unwrap(), movie.to_str().unwrap());
    let all: Vec<&str> =
        ["simulate", "--json", "--trace", trace, "--movie", movie].iter().chain(args).copied().collect();
    let done = smoothcore(&all, &[]);
    assert!(done.status.success(), "{done:?}");
    serde_json::from_slice(&done.stdout).unwrap()
}

fn near(value: &Value, expected: f64) {
    let found = value.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-9, "{found} for {expected}");
}

#[test]
fn a_session_by_hand_comes_out_to_the_digit() {
    let dir = scratch("simulate-by-hand");
    let trace = trace(&dir, "flat.json", &[(10_000, 1_000)]);
    let found = json(&["--controller", "fixed=1"], &trace, &movie(&dir, &[500, 1_000], 3));
    let mean = &found["mean"];
    let keys: Vec<&String> = mean.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), KEYS.len());
    assert!(KEYS.iter().all(|k| mean.get(k).is_some()), "{keys:?}");
    assert_eq!(found["sessions"][0], *mean);
    // Segment 0 takes 1.1 s, the others 2.1 s each, with 2 s in hand.
    near(&mean["startup_s"], 1.1);
    near(&mean["rebuffer_s"], 0.2);
    near(&mean["rebuffer_ratio"], 0.2 / 6.2);
    near(&mean["events"], 2.0);
    near(&mean["mean_kbps"], 2_500.0 / 3.0);
    near(&mean["mean_change_kbps"], 500.0 / 3.0);
    near(&mean["qoe_lin"], (2.5 - 4.3 * 1.3 - 0.5) / 3.0);
    let two = 2.0f64.ln();
    near(&mean["qoe_log"], (2.0 * two - 2.66 * 1.3 - two) / 3.0);
    near(&mean["sabre_score"], (4.0 * two - 1.0) / 7.3);
    near(&mean["waste"], 0.0);
}

#[test]
fn an_outage_is_waited_out_and_what_was_abandoned_is_waste() {
    let dir = scratch("simulate-outage");
    let trace = trace(&dir, "outage.json", &[(2_000, 2_000), (6_000, 100), (60_000, 2_000)]);
    let found = json(&["--controller", "abandon=1"], &trace, &movie(&dir, &[500, 1_000], 5));
    assert!(found["mean"]["waste"].as_f64().unwrap() > 0.0, "{found}");
    assert!(found["mean"]["rebuffer_s"].as_f64().unwrap() > 0.0, "{found}");
    let fixed = json(&["--controller", "fixed=1"], &trace, &movie(&dir, &[500, 1_000], 5));
    near(&fixed["mean"]["waste"], 0.0);
}

#[test]
fn the_planner_does_better_than_the_throughput_rule_on_a_link_that_moves() {
    let dir = scratch("simulate-planner");
    let periods: Vec<(u64, u64)> =
        (0..120u64).map(|n| (1_500, 400 + n.wrapping_mul(2_654_435_761) % 3_000)).collect();
    let trace = trace(&dir, "waves.json", &periods);
    let movie = movie(&dir, &[300, 600, 1_200, 2_400], 120);
    let qoe = |controller: &str, replacement: &str| {
        let args = ["--controller", controller, "--replacement", replacement];
        json(&args, &trace, &movie)["mean"]["qoe_lin"].as_f64().unwrap()
    };
    for replacement in ["on", "off"] {
        let (planner, rule) = (qoe("planner", replacement), qoe("throughput", "off"));
        assert!(planner > rule, "{planner} {rule}");
    }
    assert_eq!(qoe("planner", "on"), qoe("planner", "on"), "nothing is random");
}

#[test]
fn lengths_multipliers_and_sets_are_taken_up() {
    let dir = scratch("simulate-set");
    let data = dir.join("data");
    for folder in ["traces/flat", "movies"] {
        fs::create_dir_all(data.join(folder)).unwrap();
    }
    let one = trace(&data.join("traces/flat"), "a.json", &[(5_000, 800)]);
    trace(&data.join("traces/flat"), "b.json", &[(5_000, 1_600)]);
    let film = movie(&data.join("movies"), &[500, 1_000], 4);
    fs::rename(&film, data.join("movies/film.json")).unwrap();
    let sets = r#"{"flat":{"traces":"flat","movie":"film","movie_length_s":19,"multiplier":2.0}}"#;
    fs::write(data.join("sets.json"), sets).unwrap();
    let folder = data.to_str().unwrap();
    let args = ["simulate", "--json", "--data", folder, "--set", "flat", "--controller", "fixed=1"];
    let done = smoothcore(&args, &[]);
    let all: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(all["traces"], serde_json::json!(["a", "b"]));
    let alone = json(
        &["--controller", "fixed=1", "--movie-length", "19", "--multiplier", "2"],
        &one,
        &data.join("movies/film.json"),
    );
    assert_eq!(alone["mean"], all["sessions"][0]);
    // Ten segments, of which the first at the lower level.
    near(&alone["mean"]["mean_kbps"], 950.0);
}

#[test]
fn plots_are_pages_and_pictures() {
    let dir = scratch("simulate-plot");
    let (trace, movie) = (trace(&dir, "flat.json", &[(9_000, 900)]), movie(&dir, &[500, 1_000], 20));
    for (name, start) in [("plot.html", "<!DOCTYPE html>"), ("plot.svg", "<svg ")] {
        let path = dir.join(name);
        json(&["--plot", path.to_str().unwrap()], &trace, &movie);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(start) && text.contains("class=\"q\"") && text.contains("<polyline"),
            "{name}"
        );
    }
}

#[test]
fn nonsense_is_refused() {
    let dir = scratch("simulate-nonsense");
    let (flat, film) = (trace(&dir, "flat.json", &[(9_000, 900)]), movie(&dir, &[500, 1_000], 2));
    let dead = trace(&dir, "dead.json", &[(9_000, 0)]);
    let (flat, film, dead) = (flat.to_str().unwrap(), film.to_str().unwrap(), dead.to_str().unwrap());
    for args in [
        &["simulate"][..],
        &["simulate", "--trace", flat, "--movie", film, "--controller", "magic"],
        &["simulate", "--trace", flat, "--movie", film, "--controller", "fixed=2"],
        &["simulate", "--trace", flat, "--movie", film, "--buffer", "1"],
        &["simulate", "--trace", flat, "--movie", film, "--tune", "nothing=1"],
        &["simulate", "--trace", dead, "--movie", film],
        &["simulate", "--trace", film, "--movie", film],
    ] {
        let done = smoothcore(args, &[]);
        assert_eq!(done.status.code(), Some(1), "{args:?} {done:?}");
        assert!(!done.stderr.is_empty());
    }
}

/// Only where the data are; they are no part of this tree.
#[test]
fn reference_vectors_are_reproduced() {
    let Some(data) = std::env::var_os("SMOOTHCORE_ABR_DATA") else { return };
    let vectors = Path::new(&data).join("reference_vectors.csv");
    let done = smoothcore(&["simulate", "--vectors", vectors.to_str().unwrap()], &[]);
    assert!(done.status.success(), "{done:?}");
}
