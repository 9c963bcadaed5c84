//! What was found, as text for people.

use std::fmt::Write;

use super::fragment::{Fragment, Sample};
use super::manifest::{Level, Manifest, Stream};
use super::movie::Movie;
use super::protection::Header;
use super::{Deviation, Found};
use crate::play::bits;

/// Ticks as seconds, to the millisecond.
fn seconds(ticks: u64, timescale: u64) -> String {
    let millis = u128::from(ticks) * 1000 / u128::from(timescale.max(1));
    format!("{}.{:03} s", millis / 1000, millis % 1000)
}

/// Draws it; `samples` and `timeline` as the options of those names.
pub fn draw(found: &Found, samples: bool, timeline: bool) -> String {
    let mut text = String::new();
    // Text takes everything.
    let _ = match found {
        Found::Manifest(manifest) => presentation(&mut text, manifest, timeline),
        Found::Fragment(shown) => fragment(&mut text, shown, samples),
        Found::Movie(shown) => movie(&mut text, shown, samples),
    };
    text
}

fn presentation(out: &mut String, manifest: &Manifest, timeline: bool) -> std::fmt::Result {
    let kind = if manifest.live { "live" } else { "on demand" };
    writeln!(
        out,
        "manifest {}.{}, {kind}, {}, {} ticks a second",
        manifest.major,
        manifest.minor,
        seconds(manifest.duration, manifest.timescale),
        manifest.timescale
    )?;
    if manifest.live {
        let window = match manifest.dvr_window {
            0 => "all of it".to_owned(),
            ticks => seconds(ticks, manifest.timescale),
        };
        let ahead = manifest.lookahead.map_or("-".to_owned(), |count| count.to_string());
        writeln!(out, "  window: {window}; fragments announced: {ahead}")?;
    }
    headers(out, &manifest.protection)?;
    for shown in &manifest.streams {
        stream(out, shown, timeline)?;
    }
    for ignored in &manifest.ignored {
        writeln!(out, "ignored: type {:?} {}", ignored.kind, ignored.name.as_deref().unwrap_or(""))?;
    }
    deviations(out, &manifest.deviations)?;
    if manifest.deviations_lost > 0 {
        writeln!(out, "  and {} more of the same kinds", manifest.deviations_lost)?;
    }
    Ok(())
}

fn headers(out: &mut String, headers: &[Header]) -> std::fmt::Result {
    for header in headers {
        write!(out, "protection {}", header.system_id)?;
        if let Some(version) = &header.header_version {
            write!(out, ", header {version}")?;
        }
        writeln!(out)?;
        for kid in &header.kids {
            writeln!(out, "  key {kid}")?;
        }
        if let Some(url) = &header.la_url {
            writeln!(out, "  licences at {url}")?;
        }
    }
    Ok(())
}

fn deviations(out: &mut String, deviations: &[Deviation]) -> std::fmt::Result {
    if !deviations.is_empty() {
        writeln!(out, "deviations")?;
    }
    for Deviation { rule, place } in deviations {
        writeln!(out, "  {place}: {rule}")?;
    }
    Ok(())
}

fn stream(out: &mut String, stream: &Stream, timeline: bool) -> std::fmt::Result {
    write!(out, "{} {:?}", stream.kind, stream.name)?;
    if let Some(subtype) = &stream.subtype {
        write!(out, " {subtype}")?;
    }
    write!(out, " [{}] {} fragments", stream.language, stream.fragments)?;
    if let (Some(first), Some(end)) = (stream.first_time, stream.end_time) {
        write!(out, ", {} to {}", seconds(first, stream.timescale), seconds(end, stream.timescale))?;
    }
    if let Some(parent) = &stream.parent {
        write!(out, ", announced by {parent:?}")?;
    }
    if stream.embedded {
        write!(out, ", samples in the manifest")?;
    }
    writeln!(out)?;
    if let Some(url) = &stream.url {
        writeln!(out, "  {url}")?;
    }
    if let Some(why) = &stream.why {
        writeln!(out, "  unusable: {why}")?;
    }
    for shown in &stream.levels {
        level(out, shown)?;
    }
    if let (true, Some(times), Some(durations)) = (timeline, &stream.times, &stream.durations) {
        for (time, duration) in times.iter().zip(durations) {
            writeln!(out, "  c t={time} d={duration}  ({})", seconds(*time, stream.timescale))?;
        }
    }
    Ok(())
}

fn level(out: &mut String, level: &Level) -> std::fmt::Result {
    write!(out, "  level {}: {}", level.index, bits(level.bitrate.into()))?;
    if let Some(fourcc) = &level.fourcc {
        write!(out, " {fourcc}")?;
    }
    if let Some(codec) = &level.codec {
        write!(out, " ({codec})")?;
    }
    if let (Some(width), Some(height)) = (level.width, level.height) {
        write!(out, " {width}x{height}")?;
    }
    if let Some(rate) = level.sampling_rate {
        write!(out, " {rate} Hz")?;
    }
    if let Some(channels) = level.channels {
        write!(out, " {channels} channels")?;
    }
    if let Some(why) = &level.why {
        write!(out, "; unusable: {why}")?;
    }
    writeln!(out)
}

fn fragment(out: &mut String, fragment: &Fragment, samples: bool) -> std::fmt::Result {
    let time = fragment.time.map_or("unknown".to_owned(), |time| time.to_string());
    writeln!(out, "fragment of track {}, time {time}, duration {}", fragment.track_id, fragment.duration)?;
    for next in &fragment.tfrf {
        writeln!(out, "  followed by time {}, duration {}", next.time, next.duration)?;
    }
    if let Some(size) = fragment.iv_size {
        let kid = fragment.kid.as_deref().unwrap_or("not named here");
        writeln!(out, "  encrypted: key {kid}, initialization vectors of {size} bytes")?;
    }
    let bytes: u64 = fragment.samples.iter().map(|sample| u64::from(sample.size)).sum();
    writeln!(out, "  {} samples, {bytes} bytes", fragment.samples.len())?;
    if samples { table(out, &fragment.samples) } else { Ok(()) }
}

fn table(out: &mut String, samples: &[Sample]) -> std::fmt::Result {
    writeln!(out, "  {:>10} {:>8} {:>20} {:>20} {:>10} flags", "offset", "size", "dts", "pts", "duration")?;
    for sample in samples {
        let key = if smoothcore::mp4::is_sync(sample.flags) { " key" } else { "" };
        writeln!(
            out,
            "  {:>10} {:>8} {:>20} {:>20} {:>10} {:08x}{key}",
            sample.offset, sample.size, sample.dts, sample.pts, sample.duration, sample.flags
        )?;
    }
    Ok(())
}

fn movie(out: &mut String, movie: &Movie, samples: bool) -> std::fmt::Result {
    let brand = movie.major_brand.as_deref().unwrap_or("no brand");
    writeln!(
        out,
        "media file ({brand}), {}, {} fragments by {}",
        seconds(movie.duration, movie.timescale.into()),
        movie.fragments.len(),
        if movie.index == "tfra" { "its index" } else { "looking" }
    )?;
    headers(out, &movie.protection)?;
    for track in &movie.tracks {
        write!(out, "track {}: {} {}", track.track_id, track.kind, track.entry)?;
        if let Some(codec) = &track.codec {
            write!(out, " ({codec})")?;
        }
        if let (Some(width), Some(height)) = (track.width, track.height) {
            write!(out, " {width}x{height}")?;
        }
        if let (Some(rate), Some(channels)) = (track.sampling_rate, track.channels) {
            write!(out, " {rate} Hz, {channels} channels")?;
        }
        write!(out, " [{}] {} fragments, {} bytes", track.language, track.fragments, track.bytes)?;
        if let (Some(first), Some(end)) = (track.first_time, track.end_time) {
            let scale = track.timescale.into();
            write!(out, ", {} to {}", seconds(first, scale), seconds(end, scale))?;
        }
        writeln!(out)?;
        if let (Some(scheme), Some(kid)) = (&track.scheme, &track.kid) {
            writeln!(out, "  encrypted ({scheme}) with key {kid}")?;
        }
    }
    for fragment in &movie.fragments {
        let lock = if fragment.iv_size.is_some() { ", encrypted" } else { "" };
        writeln!(
            out,
            "  {:>10} track {} t={} d={} {} bytes, {} samples, {} key{lock}",
            fragment.offset,
            fragment.track_id,
            fragment.time,
            fragment.duration,
            fragment.size,
            fragment.sample_count,
            fragment.sync_count
        )?;
        if let (true, Some(samples)) = (samples, &fragment.samples) {
            table(out, samples)?;
        }
    }
    deviations(out, &movie.deviations)
}
