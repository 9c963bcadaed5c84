//! `smoothcore play` of a live channel: how long, how far behind, and to its end.

mod common;

use std::fs;
use std::process::Output;

use common::{Origin, scratch, smoothcore, testcard};

fn play(origin: &Origin, args: &[&str]) -> Output {
    let url = format!("http://{}/a.isml/Manifest", origin.address);
    smoothcore(&[&["play", "--json", &url], args].concat(), &[])
}

fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn it_stays_behind_the_edge_for_as_long_as_asked() {
    let log = scratch("play-live").join("log");
    let origin = Origin::start(&testcard(), &["--live", "a", "--log", log.to_str().unwrap()]);
    let figures = json(&play(&origin, &["--duration", "3", "--delay", "12"]));
    assert_eq!(figures["ended"], false, "{figures}");
    let live = &figures["live"];
    assert_eq!(live["target_delay_ms"], 12_000);
    // A fragment is 2 s; the start is at the beginning of one.
    let latency = live["latency_ms"].as_u64().unwrap();
    assert!((10_000..=20_000).contains(&latency), "{figures}");
    assert!(live["window_ms"].as_u64().unwrap() > 100_000, "{figures}");
    assert_eq!((&live["refreshes"], &live["not_yet"]), (&0.into(), &0.into()), "{figures}");
    let text = fs::read_to_string(log).unwrap();
    assert_eq!(text.matches("Manifest 200").count(), 1, "{text}");
    assert!(text.lines().all(|line| line.contains(" 200 ")), "{text}");
    // On demand nothing is said of an edge.
    let url = format!("http://{}/testcard.ism/Manifest", origin.address);
    let figures = json(&smoothcore(&["play", "--json", "--speed", "max", &url], &[]));
    assert!(figures.get("live").is_none() && figures["ended"] == true, "{figures}");
}

#[test]
fn an_event_is_played_to_its_end() {
    let dir = scratch("play-live-end");
    let origin = Origin::start(&testcard(), &["--live", "a,history=30,end=3"]);
    let out = format!("files:{}", dir.display());
    let output = play(&origin, &["--speed", "max", "--sink", &out]);
    let figures = json(&output);
    assert_eq!(figures["ended"], true, "{figures}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the event is over"), "{said}");
    // 33 s: sixteen fragments of 2 s are whole.
    let samples = fs::read_to_string(dir.join("samples.log")).unwrap();
    let last = samples.lines().rfind(|line| line.starts_with("0 ")).unwrap();
    assert_eq!(last.split(' ').nth(1), Some("300000000"), "{last}");
}
