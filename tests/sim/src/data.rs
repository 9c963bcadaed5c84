//! Movies and traces of a data folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::movie::{Movie, Period, Track};

/// A set with its files read.
pub struct Content {
    pub names: Vec<String>,
    pub traces: Vec<Vec<Period>>,
    pub movie: Movie,
}

type Read<T> = Result<T, String>;

fn json(path: &Path) -> Read<Value> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

pub fn trace(path: &Path, multiplier: f64) -> Read<Vec<Period>> {
    let all = json(path)?;
    let number = |p: &Value, name: &str| p[name].as_f64().ok_or(format!("{}: no {name}", path.display()));
    let periods = all.as_array().ok_or("no array")?.iter().map(|p| {
        Ok(Period {
            micros: (number(p, "duration_ms")? * 1e3) as u64,
            rate: (number(p, "bandwidth_kbps")? * multiplier).round() * 1e3,
            latency: (number(p, "latency_ms")? * 1e3) as u64,
        })
    });
    periods.collect()
}

/// A movie, cut or repeated to so many seconds.
pub fn movie(path: &Path, length_s: Option<f64>) -> Read<Movie> {
    let all = json(path)?;
    let bad = || format!("{}: no movie", path.display());
    let millis = all["segment_duration_ms"].as_u64().ok_or_else(bad)?;
    let kbps = all["bitrates_kbps"].as_array().ok_or_else(bad)?;
    let bitrates =
        kbps.iter().map(|k| k.as_f64().map(|k| (k * 1e3) as u32).ok_or_else(bad)).collect::<Read<_>>()?;
    let mut sizes: Vec<Vec<u64>> = Vec::new();
    for row in all["segment_sizes_bits"].as_array().ok_or_else(bad)? {
        let row = row.as_array().ok_or_else(bad)?;
        sizes.push(
            row.iter().map(|b| b.as_u64().map(|b| b.div_ceil(8)).ok_or_else(bad)).collect::<Read<_>>()?,
        );
    }
    if let Some(length) = length_s {
        let count = (length * 1e3 / millis as f64).ceil().max(1.0) as usize;
        sizes = sizes.iter().cycle().take(count).cloned().collect();
    }
    Ok(Movie { millis, video: Track { bitrates, sizes }, audio: None, samples: 10, pictures: Vec::new() })
}

/// The set called `name`, of every `every`th trace in the order of their names.
pub fn content(data: &Path, name: &str, every: usize) -> Read<Content> {
    let sets = json(&data.join("sets.json"))?;
    let set = &sets[name];
    let text = |key: &str| set[key].as_str().ok_or(format!("no set {name}"));
    let (movie, folder) = (text("movie")?, data.join("traces").join(text("traces")?));
    let movie =
        self::movie(&data.join("movies").join(format!("{movie}.json")), set["movie_length_s"].as_f64())?;
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    let paths: Vec<_> = paths.into_iter().step_by(every.max(1)).collect();
    let multiplier = set["multiplier"].as_f64().unwrap_or(1.0);
    let traces = paths.iter().map(|p| trace(p, multiplier)).collect::<Read<Vec<_>>>()?;
    let names = paths.iter().filter_map(|p| Some(p.file_stem()?.to_string_lossy().into_owned())).collect();
    Ok(Content { names, traces, movie })
}
