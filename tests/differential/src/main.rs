//! Compares what smoothcore and two other players read in generated manifests.
//!
//!   smoothcore-differential SEED COUNT [NUMBER]     NODE_PATH names the folder of the players
//!
//! Every disagreement must be one of the choices below, or the run fails; NUMBER shows one document.

mod choices;
mod generate;
mod rng;
mod shared;
mod table;
mod view;

use std::io::{BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

use choices::{Peer, compare};
use shared::{Arguments, Tally, answer};

fn main() -> ExitCode {
    let arguments = Arguments::read();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/peers.js");
    let mut node =
        Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node");
    let mut to = node.stdin.take().expect("its input");
    let mut from = BufReader::new(node.stdout.take().expect("its output"));
    let mut tally = Tally::default();
    for number in arguments.numbers() {
        let document = generate::document(arguments.seed, number);
        write!(to, "{}\n{}", document.text.len(), document.text).expect("node listens");
        to.flush().expect("node listens");
        let ours = view::ours(&document.text);
        tally.read += u64::from(ours.is_ok());
        for peer in [Peer::Dash, Peer::Rx] {
            let theirs = view::theirs(&answer(&mut from).expect("node answers"));
            if arguments.only.is_some() {
                println!("{peer:?}: {theirs:?}");
            }
            let differences = compare(peer, &document.traits, &ours, &theirs);
            tally.count(number, peer, &document.traits, &differences);
        }
        if arguments.only.is_some() {
            println!("{}\n{:?}\nours: {ours:?}", document.text, document.traits);
        }
    }
    drop(to);
    let _ = node.wait();
    tally.end("manifests", arguments.seed)
}
