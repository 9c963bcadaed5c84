//! What both comparisons have in common: differences, the choices that excuse them, and the count of both.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::BufRead;
use std::process::ExitCode;

/// One difference: `choice` says why it may be.
pub struct Difference {
    pub what: String,
    pub choice: Option<&'static str>,
}

/// A documented difference: of this peer (or both), in these aspects, where a trait begins so (an empty one is there
/// always).
pub struct Choice<P: 'static, A: 'static> {
    pub peer: Option<P>,
    pub aspects: &'static [A],
    pub of: &'static [&'static str],
    pub why: &'static str,
}

/// The differences from one peer.
pub struct Found<'a, P: 'static, A: 'static> {
    pub peer: P,
    pub traits: &'a [String],
    pub choices: &'static [Choice<P, A>],
    pub differences: Vec<Difference>,
}

impl<'a, P: PartialEq, A: PartialEq + Debug> Found<'a, P, A> {
    pub fn new(peer: P, traits: &'a [String], choices: &'static [Choice<P, A>]) -> Found<'a, P, A> {
        Found { peer, traits, choices, differences: Vec::new() }
    }

    /// A difference; the first choice that applies is its reason.
    pub fn add(&mut self, aspect: A, what: String) {
        let applies = |c: &&Choice<P, A>| {
            let named = |name: &&&str| name.is_empty() || self.traits.iter().any(|t| t.starts_with(**name));
            c.peer.as_ref().is_none_or(|p| *p == self.peer)
                && c.aspects.contains(&aspect)
                && c.of.iter().any(|n| named(&n))
        };
        let choice = self.choices.iter().find(applies).map(|c| c.why);
        self.differences.push(Difference { what: format!("{aspect:?}: {what}"), choice });
    }

    /// A difference that was recognised where it was compared.
    pub fn chosen(&mut self, why: &'static str) {
        self.differences.push(Difference { what: String::new(), choice: Some(why) });
    }
}

/// SEED COUNT [NUMBER] of the command line.
pub struct Arguments {
    pub seed: u64,
    pub only: Option<u64>,
    count: u64,
}

impl Arguments {
    pub fn read() -> Arguments {
        let mut numbers = std::env::args().skip(1).map(|a| a.parse::<u64>().expect("a number"));
        let (seed, count) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(300));
        Arguments { seed, count, only: numbers.next() }
    }

    /// Which are compared.
    pub fn numbers(&self) -> std::ops::Range<u64> {
        self.only.map_or(0..self.count, |n| n..n + 1)
    }
}

/// What a peer wrote, up to a line with nothing but a dot; `None` when it has ended.
pub fn answer(from: &mut impl BufRead) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end_matches('\n') {
            "." => return Some(lines),
            line => lines.push(line.to_string()),
        }
    }
}

/// How often what was found.
#[derive(Default)]
pub struct Tally {
    /// How many smoothcore could read.
    pub read: u64,
    compared: u64,
    agreed: u64,
    unexplained: u64,
    chosen: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn count(&mut self, number: u64, peer: impl Debug, traits: &[String], differences: &[Difference]) {
        self.compared += 1;
        self.agreed += u64::from(differences.is_empty());
        for difference in differences {
            match difference.choice {
                Some(choice) => *self.chosen.entry(choice).or_default() += 1,
                None => {
                    self.unexplained += 1;
                    if self.unexplained <= 40 {
                        println!("{number} {peer:?} {traits:?}: {}", difference.what);
                    }
                }
            }
        }
    }

    /// Prints it; a difference without a choice is a failure.
    pub fn end(&self, what: &str, seed: u64) -> ExitCode {
        let Tally { read, compared, agreed, unexplained, .. } = self;
        println!(
            "differential: {what} of seed {seed}: {compared} comparisons, {read} {what} read, {agreed} without any difference"
        );
        for (choice, times) in &self.chosen {
            println!("  {times:6}  {choice}");
        }
        if *unexplained > 0 {
            println!("differential: {unexplained} differences that nobody chose");
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}
