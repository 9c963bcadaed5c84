//! The manifest as of a moment.

use std::fmt::Write;

use smoothcore::codec::Kind;

use crate::dice::mix;
use crate::media::{AAC, AVC};
use crate::show::{Listing, Piece, Show, Then};

/// The text, and the times in it that no fragment has: what a client may ask for none the less.
pub struct Listed {
    pub text: String,
    pub odd: Vec<(usize, u64)>,
}

/// The manifest at a moment. `tail`: the last fragments are listed by rounded durations, so many ticks off.
pub fn write(show: &Show, wall: u64, tail: u64) -> Listed {
    let mut out = Listed { text: String::with_capacity(8192), odd: Vec::new() };
    let archived = show.archived(wall) == Some(Then::Archive);
    let mut root = String::new();
    match &show.live {
        Some(live) if !archived => {
            write!(
                root,
                "Duration=\"0\" IsLive=\"{}\" LookAheadFragmentCount=\"{}\" DVRWindowLength=\"{}\"",
                live.spelling,
                live.look_ahead,
                live.dvr * 10
            )
        }
        _ => write!(root, "Duration=\"{}\"", length(show, wall)),
    }
    .expect("text");
    write!(
        out.text,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" \
         TimeScale=\"10000000\" {root}>\n"
    )
    .expect("text");
    for s in 0..show.streams.len() {
        stream(show, s, wall, tail, &mut out);
    }
    out.text.push_str("</SmoothStreamingMedia>\n");
    out
}

fn length(show: &Show, wall: u64) -> i64 {
    let s = &show.streams[0];
    let list = show.listed(0, wall);
    let (Some(first), Some(last)) = (list.first(), list.last()) else { return 0 };
    s.hns(show.stop(0, *last)) - s.hns(show.start(0, *first))
}

fn stream(show: &Show, s: usize, wall: u64, tail: u64, out: &mut Listed) {
    let stream = &show.streams[s];
    let list = show.listed(s, wall);
    let (kind, name) = (if stream.kind == Kind::Video { "video" } else { "audio" }, stream.name);
    let language =
        if stream.language.is_empty() { String::new() } else { format!(" Language=\"{}\"", stream.language) };
    let scale =
        if stream.scale == 10_000_000 { String::new() } else { format!(" TimeScale=\"{}\"", stream.scale) };
    let levels = stream.bitrates.len();
    writeln!(
        out.text,
        "<StreamIndex Type=\"{kind}\" Name=\"{name}\"{language}{scale} Chunks=\"{}\" QualityLevels=\"{levels}\" \
         Url=\"QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">",
        list.len()
    )
    .expect("text");
    for (n, bitrate) in stream.bitrates.iter().enumerate() {
        match stream.kind {
            Kind::Video => writeln!(
                out.text,
                "<QualityLevel Index=\"{n}\" Bitrate=\"{bitrate}\" FourCC=\"H264\" MaxWidth=\"256\" MaxHeight=\"144\" \
                 CodecPrivateData=\"{AVC}\"/>"
            ),
            _ => writeln!(
                out.text,
                "<QualityLevel Index=\"{n}\" Bitrate=\"{bitrate}\" FourCC=\"AACL\" SamplingRate=\"48000\" Channels=\"2\" \
                 BitsPerSample=\"16\" PacketSize=\"4\" AudioTag=\"255\" CodecPrivateData=\"{AAC}\"/>"
            ),
        }
        .expect("text");
    }
    fragments(show, s, &list, tail, out);
    out.text.push_str("</StreamIndex>\n");
}

fn fragments(show: &Show, s: usize, list: &[Piece], tail: u64, out: &mut Listed) {
    // Where the listed times have got to, as a client adds them up.
    let mut expected = None;
    let rounded = list.len().saturating_sub(3);
    let mut k = 0;
    while k < list.len() {
        let (start, stop) = (show.start(s, list[k]), show.stop(s, list[k]));
        let whole = stop - start;
        let mut told = whole;
        let mut repeat = 1usize;
        let tailed = tail > 0 && k >= rounded;
        if tailed {
            told = whole + tail;
        } else if let Listing::Rounded(most) = show.listing {
            told = (whole + mix(start) % (2 * most + 1)).saturating_sub(most).max(1);
        } else if show.listing == Listing::Repeats {
            let same =
                |p: &Piece, before: u64| show.start(s, *p) == before && show.stop(s, *p) - before == whole;
            while k + repeat < list.len()
                && !(tail > 0 && k + repeat >= rounded)
                && same(&list[k + repeat], start + whole * repeat as u64)
            {
                repeat += 1;
            }
        }
        let named = match show.listing {
            Listing::Times | Listing::Rounded(_) => !tailed || k == rounded,
            Listing::Durations | Listing::Repeats => {
                expected.is_none_or(|e: u64| if tailed { e.abs_diff(start) > whole / 2 } else { e != start })
            }
        };
        out.text.push_str("<c");
        let at = if named { start } else { expected.expect("one before") };
        if named {
            write!(out.text, " t=\"{start}\"").expect("text");
        }
        if at != start {
            out.odd.push((s, at));
        }
        write!(out.text, " d=\"{told}\"").expect("text");
        if repeat > 1 {
            write!(out.text, " r=\"{repeat}\"").expect("text");
        }
        out.text.push_str("/>\n");
        expected = Some(at + told * repeat as u64);
        k += repeat;
    }
}
