//! What the core costs, measured on this machine, each figure beside a reference of the same run. Asserts nothing about
//! time: a figure without its machine means nothing.
//!
//! `smoothcore-bench MEDIA` with the folder of the test card; `smoothcore-bench manifest vod|dvr` writes a manifest;
//! `smoothcore-bench plan COUNT middle|end` decides so often, for a counter of instructions to run under.

mod counting;
mod manifest;
mod memory;
mod parse;
mod plan;
mod play;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["manifest", "vod"] => print!("{}", manifest::vod()),
        ["manifest", "dvr"] => print!("{}", manifest::dvr()),
        ["plan", count, kind] => match count.parse() {
            Ok(count) => plan::decide(count, kind == "end"),
            Err(_) => return ExitCode::from(2),
        },
        [media] if media != "manifest" => {
            parse::measure();
            memory::measure();
            plan::measure();
            play::measure(Path::new(media));
        }
        _ => {
            eprintln!("usage: smoothcore-bench MEDIA | manifest vod|dvr | plan COUNT middle|end");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// The shortest of `runs` runs: the one the machine disturbed least.
fn best<T>(runs: u32, mut run: impl FnMut() -> T) -> Duration {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(run());
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn megabytes_per_second(bytes: usize, took: Duration) -> f64 {
    bytes as f64 / 1e6 / took.as_secs_f64()
}
