//! A line on the terminal that shows how far a command is.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const OFTEN: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

/// Progress on standard error; silent where that is no terminal.
pub struct Progress {
    what: String,
    terminal: bool,
    shown: Option<Instant>,
    bytes: u64,
    begin: Instant,
}

impl Progress {
    pub fn new(what: &str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { what: what.to_owned(), terminal, shown: None, bytes: 0, begin: Instant::now() }
    }

    /// `done` of `all` steps (0: nobody knows how many), and `bytes` more.
    pub fn step(&mut self, done: usize, all: usize, bytes: usize) {
        self.bytes += bytes as u64;
        let fresh = self.shown.is_some_and(|shown| shown.elapsed() < OFTEN);
        if !self.terminal || fresh && done != all {
            return;
        }
        self.shown = Some(Instant::now());
        let rate = self.bytes as f64 * 8.0 / 1e6 / self.begin.elapsed().as_secs_f64().max(0.001);
        let size = self.bytes as f64 / 1e6;
        let bar = match all {
            0 => format!("{done}"),
            all => {
                let filled = WIDTH * done.min(all) / all;
                format!("[{}{}] {done}/{all}", "=".repeat(filled), " ".repeat(WIDTH - filled))
            }
        };
        eprint!("\r\x1b[K{} {bar}  {size:.1} MB  {rate:.1} Mbit/s", self.what);
        let _ = std::io::stderr().flush();
    }

    /// `done` of `all` things that have no size.
    pub fn count(&mut self, done: usize, all: usize) {
        let fresh = self.shown.is_some_and(|shown| shown.elapsed() < OFTEN);
        if !self.terminal || fresh && done != all {
            return;
        }
        self.shown = Some(Instant::now());
        let filled = WIDTH * done.min(all) / all.max(1);
        eprint!("\r\x1b[K{} [{}{}] {done}/{all}", self.what, "=".repeat(filled), " ".repeat(WIDTH - filled));
        let _ = std::io::stderr().flush();
    }

    /// A line of its own.
    pub fn say(&mut self, line: &str) {
        self.clear();
        eprintln!("{line}");
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.shown.take().is_some() {
            eprint!("\r\x1b[K");
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
