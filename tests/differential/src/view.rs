//! What a player reads in a manifest, in one form for all.

use smoothcore::limits::Limits;
use smoothcore::manifest::{ManifestParser, StreamKind};
use smoothcore::mem::Account;

/// What was read, or why nothing was.
pub type Reading = Result<View, String>;

#[derive(Default, Debug)]
pub struct View {
    pub live: bool,
    pub duration: u64,
    pub streams: Vec<Stream>,
    pub systems: Vec<String>,
}

#[derive(Default, Debug)]
pub struct Stream {
    /// The number behind `/s` in its URL.
    pub ordinal: String,
    pub kind: String,
    pub scale: String,
    pub levels: Vec<Level>,
    /// Start and duration.
    pub fragments: Vec<(String, String)>,
}

#[derive(Default, Debug)]
pub struct Level {
    pub bitrate: String,
    /// Hexadecimal, in capitals.
    pub data: String,
    /// Of ours only.
    pub fourcc: String,
}

/// What smoothcore reads.
pub fn ours(text: &str) -> Reading {
    let mut account = Account::new(64 << 20);
    let mut parser = ManifestParser::new(&Limits::default());
    let fed = text.as_bytes().chunks(1460).try_for_each(|piece| parser.feed(&mut account, piece));
    let manifest = fed.and_then(|()| parser.finish()).map_err(|e| e.to_string())?;
    let mut view = View { live: manifest.is_live(), duration: manifest.duration, ..View::default() };
    for (_, s) in manifest.usable() {
        let ordinal = s.url.split_once("/s").map_or("", |(_, rest)| rest);
        let kind = match s.kind {
            StreamKind::Video => "video",
            StreamKind::Audio => "audio",
            StreamKind::Text => "text",
        };
        let levels = s.usable_levels().map(|(_, l)| Level {
            bitrate: l.bitrate.to_string(),
            data: l.config.private.iter().map(|b| format!("{b:02X}")).collect(),
            fourcc: l.config.fourcc.to_string(),
        });
        view.streams.push(Stream {
            ordinal: ordinal.chars().take_while(char::is_ascii_digit).collect(),
            kind: kind.into(),
            scale: s.timescale.per_second().to_string(),
            levels: levels.collect(),
            fragments: s.timeline.iter().map(|f| (f.start.to_string(), f.duration.to_string())).collect(),
        });
    }
    for header in manifest.protection.iter() {
        view.systems.push(header.system_id.iter().map(|b| format!("{b:02x}")).collect());
    }
    Ok(view)
}

/// What another player wrote about it.
pub fn theirs(lines: &[String]) -> Reading {
    let mut view = View::default();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |n: usize| words.get(n).copied().unwrap_or("").to_string();
        match words[0] {
            "E" => return Err(line.clone()),
            "V" => view.live = word(1) == "true",
            "S" => view.streams.push(Stream {
                ordinal: word(1),
                kind: word(2),
                scale: word(3),
                ..Stream::default()
            }),
            "P" => view.systems.push(word(1).replace('-', "")),
            other => {
                let stream = view.streams.last_mut().expect("a stream first");
                match other {
                    "Q" => stream.levels.push(Level {
                        bitrate: word(1),
                        data: word(2).to_uppercase(),
                        fourcc: String::new(),
                    }),
                    _ => stream.fragments.push((word(1), word(2))),
                }
            }
        }
    }
    Ok(view)
}
