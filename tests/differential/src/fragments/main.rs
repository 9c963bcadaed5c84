//! Compares what smoothcore and two other parsers read in generated fragments.
//!
//!   smoothcore-differential-fragments SEED COUNT [NUMBER]     NODE_PATH names the folder of the parsers
//!
//! Every disagreement must be one of the choices below, or the run fails; NUMBER shows one fragment.

mod choices;
mod generate;
#[path = "../rng.rs"]
mod rng;
mod table;
mod view;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use choices::{Peer, compare};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|a| a.parse::<u64>().expect("a number"));
    let (seed, count) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(300));
    let only = numbers.next();
    let mut parsers = Parsers::start();
    let mut chosen: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut agreed, mut compared, mut unexplained, mut read) = (0u64, 0u64, 0u64, 0u64);
    for number in only.map_or(0..count, |n| n..n + 1) {
        let fragment = generate::fragment(seed, number);
        let ours = view::ours(&fragment.bytes);
        read += u64::from(ours.is_ok());
        for peer in [Peer::Mp4box, Peer::Shaka] {
            let lines = parsers.ask(peer, &fragment).unwrap_or_else(|| {
                parsers = Parsers::start();
                vec!["E out of memory".into()]
            });
            let theirs = view::theirs(&lines);
            if only.is_some() {
                println!("{peer:?}: {theirs:#?}");
            }
            compared += 1;
            let mut differences = compare(peer, &fragment, &ours, &theirs);
            agreed += u64::from(differences.is_empty());
            // What is the same for every sample is one difference.
            differences.dedup_by(|a, b| a.choice == b.choice && a.choice.is_some());
            for difference in differences {
                match difference.choice {
                    Some(choice) => *chosen.entry(choice).or_default() += 1,
                    None => {
                        unexplained += 1;
                        if unexplained <= 40 {
                            println!("{number} {peer:?} {:?}: {}", fragment.traits, difference.what);
                        }
                    }
                }
            }
        }
        if only.is_some() {
            let hex: String = fragment.bytes.iter().map(|b| format!("{b:02x}")).collect();
            println!("{hex}\n{:?}\nours: {ours:#?}", fragment.traits);
        }
    }
    println!(
        "differential: fragments of seed {seed}: {compared} comparisons, {read} fragments read, {agreed} without any difference"
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

/// The process that holds the parsers.
struct Parsers {
    node: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Parsers {
    fn start() -> Parsers {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fragments.js");
        let mut node = Command::new("node")
            .args(["--max-old-space-size=256", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node");
        let to = node.stdin.take();
        let from = BufReader::new(node.stdout.take().expect("its output"));
        Parsers { node, to, from }
    }

    /// What `peer` writes about `fragment`; `None` when the process died of it.
    fn ask(&mut self, peer: Peer, fragment: &generate::Fragment) -> Option<Vec<String>> {
        let to = self.to.as_mut()?;
        writeln!(to, "{} {} {peer:?}", fragment.bytes.len(), fragment.iv_size).ok()?;
        to.write_all(&fragment.bytes).and_then(|()| to.flush()).ok()?;
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match self.from.read_line(&mut line) {
                Ok(count) if count > 0 => {}
                _ => return None,
            }
            match line.trim_end_matches('\n') {
                "." => return Some(lines),
                line => lines.push(line.to_string()),
            }
        }
    }
}

impl Drop for Parsers {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.node.wait();
    }
}
