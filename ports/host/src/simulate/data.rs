//! Traces, movies and sets: files of the data folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::link::{LONGEST_MS, Period};
use super::wrong;

#[derive(Clone)]
pub struct Trace {
    pub name: String,
    pub periods: Vec<Period>,
}

#[derive(Clone, Deserialize)]
pub struct Movie {
    pub segment_duration_ms: u64,
    pub bitrates_kbps: Vec<u64>,
    pub segment_sizes_bits: Vec<Vec<u64>>,
}

#[derive(Clone, Deserialize)]
pub struct Set {
    pub traces: String,
    pub movie: String,
    pub movie_length_s: Option<f64>,
    pub multiplier: f64,
}

/// A set with its files read.
#[derive(Clone)]
pub struct Content {
    pub traces: Vec<Trace>,
    pub movie: Movie,
}

/// Bounds within which no sum overflows and no session takes all day to play.
const MOST_KBPS: u64 = 1_000_000_000;
const MOST_LATENCY_MS: u64 = 3_600_000;
const MOST_PERIOD_MS: u64 = 1_000_000_000;
const MOST_SEGMENTS: usize = 100_000;
const MOST_BITS: u64 = 1_000_000_000_000;
pub const MOST_MULTIPLIER: f64 = 1e6;
/// The core counts bit/s in 32 bits.
const MOST_BITRATE_KBPS: u64 = u32::MAX as u64 / 1000;

impl Trace {
    pub fn read(path: &Path, multiplier: f64) -> Result<Trace> {
        let mut periods: Vec<Period> = json(path, wrong::periods)?;
        bend(&mut periods, multiplier).with_context(|| path.display().to_string())?;
        let name = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Trace { name, periods })
    }
}

/// Checks the periods, and multiplies their rates.
fn bend(periods: &mut [Period], multiplier: f64) -> Result<()> {
    ensure!(!periods.is_empty(), "no periods");
    ensure!(periods.iter().any(|p| p.bandwidth_kbps > 0), "nothing ever arrives: every bandwidth_kbps is 0");
    for (index, period) in periods.iter_mut().enumerate() {
        let Period { duration_ms: ms, bandwidth_kbps: kbps, latency_ms: latency } = *period;
        let n = index + 1;
        ensure!(ms > 0, "period {n}: a period of 0 ms");
        ensure!(ms <= MOST_PERIOD_MS, "period {n}: duration_ms: {ms} is more than {MOST_PERIOD_MS}");
        ensure!(
            kbps <= MOST_KBPS,
            "period {n}: bandwidth_kbps: {kbps} is more than {MOST_KBPS} kbit/s; they are in kbit/s"
        );
        ensure!(
            latency <= MOST_LATENCY_MS,
            "period {n}: latency_ms: {latency} is more than {MOST_LATENCY_MS}; they are in ms"
        );
        let rate = (kbps as f64 * multiplier).round();
        ensure!(
            rate <= MOST_KBPS as f64,
            "period {n}: {kbps} kbit/s with a multiplier of {multiplier} is more than {MOST_KBPS} kbit/s; take a smaller multiplier"
        );
        period.bandwidth_kbps = rate as u64;
    }
    ensure!(
        periods.iter().any(|p| p.bandwidth_kbps > 0),
        "with a multiplier of {multiplier} every rate is 0 kbit/s; take a larger multiplier"
    );
    Ok(())
}

/// A factor for the rates of a link, from a set or the command line.
pub fn check_multiplier(multiplier: f64) -> Result<()> {
    ensure!(
        multiplier.is_finite() && multiplier > 0.0 && multiplier <= MOST_MULTIPLIER,
        "a multiplier of {multiplier}; it must be more than 0 and at most {MOST_MULTIPLIER}"
    );
    Ok(())
}

/// The length a movie is to have, from a set or the command line.
pub fn check_length(length_s: f64) -> Result<()> {
    ensure!(
        length_s.is_finite() && length_s > 0.0,
        "a movie length of {length_s} s; it must be more than 0, and not without end"
    );
    Ok(())
}

impl Movie {
    pub fn read(path: &Path, length_s: Option<f64>) -> Result<Movie> {
        let movie: Movie = json(path, wrong::movie)?;
        movie.check().and_then(|()| movie.of_length(length_s)).with_context(|| path.display().to_string())
    }

    fn check(&self) -> Result<()> {
        let duration = self.segment_duration_ms;
        ensure!(
            (100..=600_000).contains(&duration),
            "segment_duration_ms: {duration}; there may be 100 to 600000 ms"
        );
        let bitrates = &self.bitrates_kbps;
        let levels = bitrates.len();
        ensure!((1..=255).contains(&levels), "bitrates_kbps: {levels} levels; there may be 1 to 255");
        for kbps in bitrates {
            ensure!(*kbps > 0, "bitrates_kbps: 0; they must be more than 0");
            ensure!(
                *kbps <= MOST_BITRATE_KBPS,
                "bitrates_kbps: {kbps} is more than {MOST_BITRATE_KBPS} kbit/s; they are in kbit/s"
            );
        }
        for pair in bitrates.windows(2) {
            ensure!(
                pair[0] < pair[1],
                "bitrates_kbps: {} comes after {}; they must ascend, and the sizes be in the same order",
                pair[1],
                pair[0]
            );
        }
        let segments = &self.segment_sizes_bits;
        ensure!(!segments.is_empty(), "segment_sizes_bits: no segments");
        ensure!(
            segments.len() <= MOST_SEGMENTS,
            "segment_sizes_bits: {} segments; there may be {MOST_SEGMENTS}",
            segments.len()
        );
        for (index, sizes) in segments.iter().enumerate() {
            let n = index + 1;
            ensure!(
                sizes.len() == levels,
                "segment_sizes_bits: segment {n} has {} sizes, there are {levels} levels",
                sizes.len()
            );
            for (size, kbps) in sizes.iter().zip(bitrates) {
                ensure!(
                    (1..=MOST_BITS).contains(size),
                    "segment_sizes_bits: segment {n} has {size} bits at the level of {kbps} kbit/s; there may be 1 to {MOST_BITS}"
                );
            }
        }
        Ok(())
    }

    /// Cut or repeated to `length_s` seconds.
    fn of_length(mut self, length_s: Option<f64>) -> Result<Movie> {
        if let Some(length) = length_s {
            check_length(length)?;
            let count = (length * 1000.0 / self.segment_duration_ms as f64).ceil().max(1.0);
            ensure!(
                count <= MOST_SEGMENTS as f64,
                "a length of {length} s is more than {MOST_SEGMENTS} segments of {} ms",
                self.segment_duration_ms
            );
            self.segment_sizes_bits =
                self.segment_sizes_bits.iter().cycle().take(count as usize).cloned().collect();
        }
        let seconds = self.segments() as f64 * self.duration() / 1000.0;
        ensure!(
            seconds * 1000.0 <= LONGEST_MS,
            "the movie lasts {seconds} s; no session lasts more than 30 days"
        );
        Ok(self)
    }

    pub fn segments(&self) -> usize {
        self.segment_sizes_bits.len()
    }

    pub fn duration(&self) -> f64 {
        self.segment_duration_ms as f64
    }
}

/// For whoever has no such file, or another.
const SETS: &str = "a data folder has a file sets.json, which says what plays against what: \
    {\"NAME\": {\"traces\": \"FOLDER of traces/\", \"movie\": \"FILE of movies/, without .json\", \
    \"movie_length_s\": null, \"multiplier\": 1.0}}";

/// The sets of a data folder.
pub fn sets(data: &Path) -> Result<BTreeMap<String, Set>> {
    let path = data.join("sets.json");
    let sets: BTreeMap<String, Set> =
        json(&path, wrong::sets).map_err(|error| anyhow!("{error:#}; {SETS}"))?;
    for (name, set) in &sets {
        check_multiplier(set.multiplier)
            .and_then(|()| set.movie_length_s.map_or(Ok(()), check_length))
            .with_context(|| format!("{}: set \"{name}\"", path.display()))?;
    }
    Ok(sets)
}

/// The set called `name`, of every `every`th trace in the order of their names.
pub fn content(data: &Path, name: &str, every: usize) -> Result<Content> {
    let all = sets(data)?;
    let Some(set) = all.get(name) else {
        let names: Vec<_> = all.keys().map(|n| format!("\"{n}\"")).collect();
        bail!("{}: no set \"{name}\"; there are {}", data.join("sets.json").display(), names.join(", "));
    };
    let movie = Movie::read(&data.join("movies").join(format!("{}.json", set.movie)), set.movie_length_s)?;
    let folder = data.join("traces").join(&set.traces);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let traces = paths
        .iter()
        .step_by(every.max(1))
        .map(|path| Trace::read(path, set.multiplier))
        .collect::<Result<Vec<_>>>()?;
    ensure!(!traces.is_empty(), "{}: no traces; they are files NAME.json", folder.display());
    Ok(Content { traces, movie })
}

/// Reads a file. What does not fit is looked for again by `wrong`, which knows better words for it than the parser.
fn json<T: serde::de::DeserializeOwned>(path: &Path, wrong: fn(&Value) -> Option<String>) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).map_err(|error| {
        let words = serde_json::from_str(&text).ok().and_then(|value| wrong(&value));
        anyhow!("{}: {}", path.display(), words.unwrap_or_else(|| format!("no JSON as wanted: {error}")))
    })
}
