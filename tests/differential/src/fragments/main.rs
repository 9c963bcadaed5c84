//! Compares what smoothcore and two other parsers read in generated fragments.
//!
//!   smoothcore-differential-fragments SEED COUNT [NUMBER]     NODE_PATH names the folder of the parsers
//!
//! Every disagreement must be one of the choices below, or the run fails; NUMBER shows one fragment.

mod choices;
mod generate;
#[path = "../rng.rs"]
mod rng;
#[path = "../shared.rs"]
mod shared;
mod table;
mod view;

use std::io::{BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use choices::{Peer, compare};
use shared::{Arguments, Tally, answer};

fn main() -> ExitCode {
    let arguments = Arguments::read();
    let mut parsers = Parsers::start();
    let mut tally = Tally::default();
    for number in arguments.numbers() {
        let fragment = generate::fragment(arguments.seed, number);
        let ours = view::ours(&fragment.bytes);
        tally.read += u64::from(ours.is_ok());
        for peer in [Peer::Mp4box, Peer::Shaka] {
            let lines = parsers.ask(peer, &fragment).unwrap_or_else(|| {
                parsers = Parsers::start();
                vec!["E out of memory".into()]
            });
            let theirs = view::theirs(&lines);
            if arguments.only.is_some() {
                println!("{peer:?}: {theirs:#?}");
            }
            let mut differences = compare(peer, &fragment, &ours, &theirs);
            // What is the same for every sample is one difference.
            differences.dedup_by(|a, b| a.choice == b.choice && a.choice.is_some());
            tally.count(number, peer, &fragment.traits, &differences);
        }
        if arguments.only.is_some() {
            let hex: String = fragment.bytes.iter().map(|b| format!("{b:02x}")).collect();
            println!("{hex}\n{:?}\nours: {ours:#?}", fragment.traits);
        }
    }
    tally.end("fragments", arguments.seed)
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
        answer(&mut self.from)
    }
}

impl Drop for Parsers {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.node.wait();
    }
}
