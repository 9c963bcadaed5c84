//! `--vectors`: whether this simulator agrees with reference results.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::data::{self, Movie, Trace};
use super::engine::{self, Rule};
use super::metrics;
use super::rules::{Abandoning, Fixed};

/// Compares every row of a file of reference vectors, and fails when one differs.
pub fn check(path: &Path, data: &Path) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let sets = data::sets(data)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|h| *h == name)
            .with_context(|| format!("{}: no column {name}", path.display()))
    };
    let names = [
        "set",
        "buffer_s",
        "trace",
        "rule",
        "q",
        "sum_bitrate_kbps",
        "total_time_s",
        "rebuffer_s",
        "rebuffer_events",
        "sum_abs_bitrate_change_kbps",
    ];
    let columns = names.iter().map(|n| column(n)).collect::<Result<Vec<_>>>()?;
    let (mut rows, mut bad, mut worst) = (0, 0, 0f64);
    for line in lines.filter(|l| !l.is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        let cell = |i: usize| cells.get(columns[i]).copied().context("a short row");
        let number = |i: usize| -> Result<f64> {
            cell(i)?.parse().with_context(|| format!("{}: no number in {line}", path.display()))
        };
        let set = sets.get(cell(0)?).with_context(|| format!("no set {}", cell(0).unwrap_or("")))?;
        let movie =
            Movie::read(&data.join("movies").join(format!("{}.json", set.movie)), set.movie_length_s)?;
        let trace = data.join("traces").join(&set.traces).join(format!("{}.json", cell(2)?));
        let trace = Trace::read(&trace, set.multiplier)?;
        let quality: usize =
            cell(4)?.parse().with_context(|| format!("{}: no level in {line}", path.display()))?;
        ensure!(quality < movie.bitrates_kbps.len(), "{}: no level {quality}: {line}", path.display());
        let mut rule: Box<dyn Rule> = if cell(3)? == "ABANDON" {
            Box::new(Abandoning { quality })
        } else {
            Box::new(Fixed { quality })
        };
        let out = engine::run(&trace.periods, &movie, number(1)? * 1000.0, rule.as_mut())?;
        let kbps = |q: usize| movie.bitrates_kbps[q] as f64;
        let sum: f64 = out.played.iter().map(|q| kbps(*q)).sum();
        let same = sum == number(5)?
            && metrics::change(&out.played, &kbps) == number(9)?
            && out.events as f64 == number(8)?;
        let off = (out.total / 1000.0 - number(6)?).abs().max((out.stalled / 1000.0 - number(7)?).abs());
        worst = worst.max(off / movie.segments() as f64);
        if !same || off > 0.001 * movie.segments() as f64 {
            bad += 1;
            println!("differs: {line}");
        }
        rows += 1;
    }
    println!("{rows} rows, {bad} differ; times within {:.4} ms a segment", worst * 1000.0);
    ensure!(bad == 0 && rows > 0, "the simulator does not agree with {}", path.display());
    Ok(())
}
