//! What is wrong with a trace, a movie or a list of sets that the parser refuses, in the words of who wrote it.

use serde_json::Value;

const WHOLE: &str = "there must be whole numbers of 0 or more";

pub fn periods(value: &Value) -> Option<String> {
    let Some(periods) = value.as_array() else {
        return Some("no trace, which is a list of periods in [ ]".into());
    };
    periods.iter().enumerate().find_map(|(index, period)| {
        ["duration_ms", "bandwidth_kbps", "latency_ms"].iter().find_map(|field| match period.get(field) {
            None => Some(format!("period {} has no {field}", index + 1)),
            Some(v) if !v.is_u64() => Some(format!("period {}: {field}: {}; {WHOLE}", index + 1, short(v))),
            Some(_) => None,
        })
    })
}

pub fn movie(value: &Value) -> Option<String> {
    let Some(movie) = value.as_object() else {
        return Some("no movie, which is an object in { }".into());
    };
    let field = |name: &str| movie.get(name).ok_or_else(|| format!("the movie has no {name}"));
    let whole = |what: &str, v: &Value| {
        if v.is_u64() { Ok(()) } else { Err(format!("{what}: {}; {WHOLE}", short(v))) }
    };
    let list = |what: &str, v: &Value| -> Result<(), String> {
        let items = v.as_array().ok_or_else(|| format!("{what}: {}; there must be a list", short(v)))?;
        items.iter().try_for_each(|item| whole(what, item))
    };
    let all = || -> Result<(), String> {
        whole("segment_duration_ms", field("segment_duration_ms")?)?;
        list("bitrates_kbps", field("bitrates_kbps")?)?;
        let sizes = field("segment_sizes_bits")?;
        let segments = sizes.as_array().ok_or_else(|| {
            format!("segment_sizes_bits: {}; there must be a list of segments", short(sizes))
        })?;
        segments
            .iter()
            .enumerate()
            .try_for_each(|(index, s)| list(&format!("segment_sizes_bits: segment {}", index + 1), s))
    };
    all().err()
}

pub fn sets(value: &Value) -> Option<String> {
    let Some(sets) = value.as_object() else {
        return Some("no sets, which are an object in { }".into());
    };
    sets.iter().find_map(|(name, set)| {
        let text = |field| match set.get(field) {
            Some(v) if v.is_string() => None,
            v => Some(format!(
                "{field}: {}; there must be a name in quotes",
                v.map_or("missing".into(), short)
            )),
        };
        let number = |field, needed: bool| match set.get(field) {
            Some(v) if v.is_number() || v.is_null() && !needed => None,
            None if !needed => None,
            v => Some(format!("{field}: {}; there must be a number", v.map_or("missing".into(), short))),
        };
        text("traces")
            .or_else(|| text("movie"))
            .or_else(|| number("movie_length_s", false))
            .or_else(|| number("multiplier", true))
            .map(|words| format!("set \"{name}\": {words}"))
    })
}

/// A value as it stands in the file, if it is not too long to be read.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 40 { text } else { text.chars().take(40).chain("...".chars()).collect() }
}
