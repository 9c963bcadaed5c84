//! Traces, movies and sets: files of the data folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::link::Period;

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

impl Trace {
    pub fn read(path: &Path, multiplier: f64) -> Result<Trace> {
        let mut periods: Vec<Period> = json(path)?;
        for period in &mut periods {
            ensure!(period.duration_ms > 0, "{}: a period without duration", path.display());
            period.bandwidth_kbps = (period.bandwidth_kbps as f64 * multiplier).round() as u64;
        }
        ensure!(
            periods.iter().any(|p| p.bandwidth_kbps > 0),
            "{}: nothing ever arrives on this link",
            path.display()
        );
        let name = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Trace { name, periods })
    }
}

impl Movie {
    pub fn read(path: &Path, length_s: Option<f64>) -> Result<Movie> {
        let movie: Movie = json(path)?;
        let levels = movie.bitrates_kbps.len();
        ensure!(levels > 0 && movie.segment_duration_ms > 0, "{}: no movie", path.display());
        ensure!(
            movie.bitrates_kbps.is_sorted() && movie.bitrates_kbps[0] > 0,
            "{}: bitrates",
            path.display()
        );
        let sizes = &movie.segment_sizes_bits;
        ensure!(!sizes.is_empty() && sizes.iter().all(|s| s.len() == levels), "{}: sizes", path.display());
        Ok(movie.of_length(length_s))
    }

    /// Cut or repeated to `length_s` seconds.
    fn of_length(mut self, length_s: Option<f64>) -> Movie {
        if let Some(length) = length_s {
            let count = (length * 1000.0 / self.segment_duration_ms as f64).ceil().max(1.0) as usize;
            self.segment_sizes_bits = self.segment_sizes_bits.iter().cycle().take(count).cloned().collect();
        }
        self
    }

    pub fn segments(&self) -> usize {
        self.segment_sizes_bits.len()
    }

    pub fn duration(&self) -> f64 {
        self.segment_duration_ms as f64
    }
}

/// The sets of a data folder.
pub fn sets(data: &Path) -> Result<BTreeMap<String, Set>> {
    json(&data.join("sets.json"))
}

/// The set called `name`, of every `every`th trace in the order of their names.
pub fn content(data: &Path, name: &str, every: usize) -> Result<Content> {
    let all = sets(data)?;
    let Some(set) = all.get(name) else {
        let names: Vec<_> = all.keys().map(String::as_str).collect();
        bail!("no set {name}; there are {}", names.join(", "));
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
    ensure!(!traces.is_empty(), "{}: no traces", folder.display());
    Ok(Content { traces, movie })
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
