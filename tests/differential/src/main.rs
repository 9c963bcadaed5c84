//! Compares what smoothcore and two other players read in generated manifests.
//!
//!   smoothcore-differential SEED COUNT [NUMBER]     NODE_PATH names the folder of the players
//!
//! Every disagreement must be one of the choices below, or the run fails; NUMBER shows one document.

mod choices;
mod generate;
mod rng;
mod table;
mod view;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

use choices::{Peer, compare};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|a| a.parse::<u64>().expect("a number"));
    let (seed, count) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(300));
    let only = numbers.next();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/peers.js");
    let mut node =
        Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node");
    let mut to = node.stdin.take().expect("its input");
    let mut from = BufReader::new(node.stdout.take().expect("its output"));
    let mut chosen: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut agreed, mut compared, mut unexplained, mut read) = (0u64, 0u64, 0u64, 0u64);
    for number in only.map_or(0..count, |n| n..n + 1) {
        let document = generate::document(seed, number);
        write!(to, "{}\n{}", document.text.len(), document.text).expect("node listens");
        to.flush().expect("node listens");
        let ours = view::ours(&document.text);
        read += u64::from(ours.is_ok());
        for peer in [Peer::Dash, Peer::Rx] {
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                assert!(from.read_line(&mut line).expect("node answers") > 0, "node ended");
                match line.trim_end_matches('\n') {
                    "." => break,
                    line => lines.push(line.to_string()),
                }
            }
            let theirs = view::theirs(&lines);
            if only.is_some() {
                println!("{peer:?}: {theirs:?}");
            }
            compared += 1;
            let differences = compare(peer, &document.traits, &ours, &theirs);
            agreed += u64::from(differences.is_empty());
            for difference in differences {
                match difference.choice {
                    Some(choice) => *chosen.entry(choice).or_default() += 1,
                    None => {
                        unexplained += 1;
                        if unexplained <= 40 {
                            println!("{number} {peer:?} {:?}: {}", document.traits, difference.what);
                        }
                    }
                }
            }
        }
        if only.is_some() {
            println!("{}\n{:?}\nours: {ours:?}", document.text, document.traits);
        }
    }
    drop(to);
    let _ = node.wait();
    println!(
        "differential: seed {seed}: {compared} comparisons, {read} manifests read, {agreed} without any difference"
    );
    for (choice, times) in &chosen {
        println!("  {times:6}  {choice}");
    }
    if unexplained > 0 {
        println!("differential: {unexplained} differences that nobody chose");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
