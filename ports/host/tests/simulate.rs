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
    for (name, start) in [
        ("plot.html", "<!DOCTYPE html>"),
        ("plot.HTM", "<!DOCTYPE html>"),
        ("plot.svg", "<svg "),
        ("plot.SVG", "<svg "),
    ] {
        let path = dir.join(name);
        json(&["--plot", path.to_str().unwrap()], &trace, &movie);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(start) && text.contains("class=\"q\"") && text.contains("<polyline"),
            "{name}"
        );
    }
}

/// The status, and what stands on standard error. Nothing may stand on the other.
fn refused(args: &[&str]) -> (i32, String) {
    let done = smoothcore(&[&["simulate"], args].concat(), &[]);
    let text = String::from_utf8(done.stderr).unwrap();
    assert!(done.stdout.is_empty(), "{args:?} {}", String::from_utf8_lossy(&done.stdout));
    assert!(!text.contains("panicked"), "{args:?} {text}");
    (done.status.code().unwrap(), text)
}

#[test]
fn command_lines_that_make_no_sense_are_refused() {
    let dir = scratch("simulate-nonsense");
    let (flat, film) = (trace(&dir, "flat.json", &[(9_000, 900)]), movie(&dir, &[500, 1_000], 2));
    let (flat, film) = (flat.to_str().unwrap(), film.to_str().unwrap());
    let played = ["--trace", flat, "--movie", film];
    for (args, words) in [
        (&["--controller", "magic"][..], "no controller \"magic\""),
        (&["--controller", "fixed=x"], "no controller \"fixed=x\""),
        (&["--buffer", "nan"], "--buffer NaN"),
        (&["--buffer", "0"], "--buffer 0"),
        (&["--buffer", "-5"], "--buffer -5"),
        (&["--buffer", "90000"], "at most 86400 s"),
        (&["--multiplier", "0"], "a multiplier of 0;"),
        (&["--multiplier", "inf"], "a multiplier of inf;"),
        (&["--multiplier", "2000000"], "at most 1000000"),
        (&["--movie-length", "0"], "a movie length of 0 s"),
        (&["--movie-length", "-1"], "a movie length of -1 s"),
        (&["--movie-length", "inf"], "a movie length of inf s"),
        (&["--movie-length", "nan"], "a movie length of NaN s"),
        (&["--tune", "nothing=1"], "no number \"nothing\""),
        (&["--tune", "fade=much"], "a whole number"),
        (&["--tune", "fade=-2000000"], "from -1000000 to 1000000"),
        (&["--tune", "walk_up=300"], "shares of 256"),
        (&["--every", "2"], "cannot be used with '--every <N>'"),
        (&["--json", "--controller", "planner,soda"], "one controller"),
        (&["--plot", "tram.png"], "\"tram.png\": give a name that ends in .html or .svg"),
        (&["--plot", "tram"], "ends in .html or .svg"),
    ] {
        let (status, text) = refused(&[&played[..], args].concat());
        assert!(status == 2 && text.contains(words), "{args:?} {status} {text}");
    }
    for (args, words) in [
        (&[][..], "--all, --robustness or --vectors"),
        (&["--set", "a", "--movie-length", "5"], "cannot be used with '--movie-length <S>'"),
        (&["--set", "a", "--multiplier", "5"], "cannot be used with '--multiplier <X>'"),
        (&["--all", "--multiplier", "5"], "cannot be used with"),
        (&["--set", "a", "--every", "0"], "'--every <N>'"),
        (&["--all", "--controller", "soda"], "cannot be used with"),
        (&["--all", "--buffer", "30"], "cannot be used with"),
        (&["--robustness", "--controller", "soda"], "cannot be used with"),
        (&["--vectors", "a.csv", "--every", "2"], "cannot be used with"),
        (&["--set", "a", "--set", "b", "--json"], "--json takes one set"),
    ] {
        let (status, text) = refused(args);
        assert!(status == 2 && text.contains(words), "{args:?} {status} {text}");
    }
    // These are wrong only for what the files hold.
    for (args, words) in [
        (&["--controller", "fixed=2"][..], "fixed=2: the movie has levels 0 to 1"),
        (&["--buffer", "1"], "a segment of 2 s has no room"),
        (&["--movie-length", "1e9"], "movie.json: a length of 1000000000 s is more than 100000 segments"),
        (&["--multiplier", "0.0001"], "flat.json: with a multiplier of 0.0001 every rate is 0"),
    ] {
        let (status, text) = refused(&[&played[..], args].concat());
        assert!(status == 1 && text.contains(words), "{args:?} {status} {text}");
    }
    let mixed = ["simulate", "--trace", flat, "--movie", film, "--controller", "planner, soda , fixed=1"];
    assert!(smoothcore(&mixed, &[]).status.success(), "blanks after commas");
}

#[test]
fn files_that_make_no_sense_are_refused() {
    let dir = scratch("simulate-files");
    let (flat, film) = (trace(&dir, "flat.json", &[(9_000, 900)]), movie(&dir, &[500, 1_000], 2));
    let bad = dir.join("bad.json");
    let check = |text: &str, words: &str, is_trace: bool| {
        fs::write(&bad, text).unwrap();
        let (trace, movie) = if is_trace { (&bad, &film) } else { (&flat, &bad) };
        let (status, text) =
            refused(&["--trace", trace.to_str().unwrap(), "--movie", movie.to_str().unwrap()]);
        let words = format!("bad.json: {words}");
        assert!(status == 1 && text.contains(&words), "{words}: {status} {text}");
    };
    let period = |ms: &str, kbps: &str, latency: &str| {
        format!(
            r#"[{{"duration_ms":1000,"bandwidth_kbps":1,"latency_ms":0}},{{"duration_ms":{ms},"bandwidth_kbps":{kbps},"latency_ms":{latency}}}]"#
        )
    };
    let whole = "there must be whole numbers of 0 or more";
    for (text, words) in [
        ("[]".into(), "no periods".into()),
        ("{}".into(), "no trace, which is a list".into()),
        ("[".into(), "no JSON as wanted".into()),
        (r#"[{"duration_ms":5}]"#.into(), "period 1 has no bandwidth_kbps".into()),
        (r#"[{"duration_ms":5,"bandwidth_kbps":0,"latency_ms":0}]"#.into(), "nothing ever arrives".into()),
        (period("0", "1", "1"), "period 2: a period of 0 ms".into()),
        (period("1.5", "1", "1"), format!("period 2: duration_ms: 1.5; {whole}")),
        (period("5", "-1", "1"), format!("period 2: bandwidth_kbps: -1; {whole}")),
        (period("5", "1", "\"3\""), format!("period 2: latency_ms: \"3\"; {whole}")),
        (period("1000000001", "1", "1"), "period 2: duration_ms: 1000000001 is more than 1000000000".into()),
        (period("5", "1000000001", "1"), "period 2: bandwidth_kbps: 1000000001 is more than".into()),
        (period("5", "1", "3600001"), "period 2: latency_ms: 3600001 is more than 3600000".into()),
    ] {
        check(&text, &words, true);
    }
    let film = |ms: &str, kbps: &str, sizes: &str| {
        format!(r#"{{"segment_duration_ms":{ms},"bitrates_kbps":{kbps},"segment_sizes_bits":{sizes}}}"#)
    };
    let many: Vec<u64> = (1..=256).collect();
    let long = format!("[{}[1]]", "[1],".repeat(100_000));
    for (text, words) in [
        ("[]".into(), "no movie, which is an object".into()),
        (r#"{"segment_duration_ms":2000}"#.into(), "the movie has no bitrates_kbps".into()),
        (
            film("2000", "[500,4500000]", "[[1,1]]"),
            "bitrates_kbps: 4500000 is more than 4294967 kbit/s; they are in kbit/s".into(),
        ),
        (film("2000", "[0,5]", "[[1,1]]"), "bitrates_kbps: 0; they must be more than 0".into()),
        (film("2000", "[5,5]", "[[1,1]]"), "bitrates_kbps: 5 comes after 5; they must ascend".into()),
        (film("2000", "[9,5]", "[[1,1]]"), "bitrates_kbps: 5 comes after 9; they must ascend".into()),
        (film("2000", "[]", "[[]]"), "bitrates_kbps: 0 levels".into()),
        (film("2000", &format!("{many:?}"), "[[1]]"), "bitrates_kbps: 256 levels".into()),
        (film("99", "[5]", "[[1]]"), "segment_duration_ms: 99;".into()),
        (film("600001", "[5]", "[[1]]"), "segment_duration_ms: 600001;".into()),
        (film("2000", "[5]", "[]"), "segment_sizes_bits: no segments".into()),
        (
            film("2000", "[1,2,3,4,5]", "[[1,1,1,1,1],[1,1,1,1,1],[1,1]]"),
            "segment_sizes_bits: segment 3 has 2 sizes, there are 5 levels".into(),
        ),
        (
            film("2000", "[5,6]", "[[1,0]]"),
            "segment_sizes_bits: segment 1 has 0 bits at the level of 6 kbit/s".into(),
        ),
        (
            film("2000", "[5]", "[[1],[1000000000001]]"),
            "segment_sizes_bits: segment 2 has 1000000000001 bits at the level of 5 kbit/s".into(),
        ),
        (film("2000", "[5]", &long), "segment_sizes_bits: 100001 segments".into()),
        (film("2000", "[5.5]", "[[1]]"), format!("bitrates_kbps: 5.5; {whole}")),
        (film("2000", "[5]", "[[1],[-2]]"), format!("segment_sizes_bits: segment 2: -2; {whole}")),
        (film("2000", "[5]", "[1]"), "segment_sizes_bits: segment 1: 1; there must be a list".into()),
    ] {
        check(&text, &words, false);
    }
}

#[test]
fn data_folders_that_make_no_sense_are_refused() {
    let dir = scratch("simulate-folders");
    let folder = dir.to_str().unwrap();
    let check = |args: &[&str], words: &str| {
        let (status, text) = refused(&[&["--data", folder][..], args].concat());
        assert!(status == 1 && text.contains(words), "{words}: {status} {text}");
    };
    check(&["--set", "mine"], "a data folder has a file sets.json, which says what plays against what");
    let sets = |length: &str, multiplier: &str| {
        let text = format!(
            r#"{{"mine":{{"traces":"flat","movie":"movie","movie_length_s":{length},"multiplier":{multiplier}}}}}"#
        );
        fs::write(dir.join("sets.json"), text).unwrap();
    };
    for name in ["traces/flat", "movies"] {
        fs::create_dir_all(dir.join(name)).unwrap();
    }
    trace(&dir.join("traces/flat"), "a.json", &[(9_000, 900)]);
    movie(&dir.join("movies"), &[500, 1_000], 2);
    for (length, multiplier, words) in [
        ("null", "0", "set \"mine\": a multiplier of 0;"),
        ("null", "\"2\"", "set \"mine\": multiplier: \"2\"; there must be a number"),
        ("0", "1", "set \"mine\": a movie length of 0 s"),
        ("-5", "1", "set \"mine\": a movie length of -5 s"),
        ("1e300", "1", "movie.json: a length of"),
    ] {
        sets(length, multiplier);
        check(&["--set", "mine"], words);
    }
    sets("null", "1");
    check(&["--set", "other"], "no set \"other\"; there are \"mine\"");
    check(
        &["--all"],
        "no set hsdpa3g; --all plays thirteen rows of eight public sets (hsdpa3g, hsdpa3g_mss, ",
    );
    check(&["--robustness"], "mine: the movie lasts 4 s; --robustness needs 6 s");
    let found = smoothcore(&["simulate", "--data", folder, "--set", "mine", "--json"], &[]);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["set"], "mine");
}

#[test]
fn a_session_that_would_never_end_is_refused() {
    let dir = scratch("simulate-endless");
    let slow = trace(&dir, "slow.json", &[(1_000_000_000, 0), (1, 1)]);
    let late: Vec<(u64, u64)> = vec![(50, 1); 50];
    let late = trace(&dir, "late.json", &late);
    let film = movie(&dir, &[500, 4_000_000], 500);
    for (trace, controller) in [(&slow, "planner"), (&slow, "throughput"), (&late, "fixed=1")] {
        let (trace, film) = (trace.to_str().unwrap(), film.to_str().unwrap());
        let (status, text) = refused(&["--trace", trace, "--movie", film, "--controller", controller]);
        assert!(status == 1 && text.contains("lasts more than 30 days"), "{controller} {text}");
    }
    for (controller, most) in [("robustmpc", 24u64), ("soda", 64)] {
        let many: Vec<u64> = (1..=most + 1).map(|n| n * 100).collect();
        let film = movie(&dir, &many, 5);
        let (slow, film) = (slow.to_str().unwrap(), film.to_str().unwrap());
        let (status, text) = refused(&["--trace", slow, "--movie", film, "--controller", controller]);
        assert!(status == 1 && text.contains(&format!("at most {most}")), "{text}");
    }
}

#[test]
fn what_played_stands_in_the_json() {
    let dir = scratch("simulate-keys");
    let flat = trace(&dir, "flat.json", &[(10_000, 1_000)]);
    let film = movie(&dir, &[500, 1_000], 3);
    let found = json(&["--controller", "soda", "--objective", "log", "--buffer", "20"], &flat, &film);
    assert_eq!(found["controller"], "soda");
    assert_eq!(found["objective"], "log");
    assert_eq!(found["buffer_s"], 20.0);
    assert!(found["set"].is_null() && found.get("set").is_some());
}

/// Only where the data are; they are no part of this tree.
#[test]
fn reference_vectors_are_reproduced() {
    let Some(data) = std::env::var_os("SMOOTHCORE_ABR_DATA") else { return };
    let vectors = Path::new(&data).join("reference_vectors.csv");
    let done = smoothcore(&["simulate", "--vectors", vectors.to_str().unwrap()], &[]);
    assert!(done.status.success(), "{done:?}");
}
