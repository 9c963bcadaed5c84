//! A presentation on a server: its manifest, and the URLs of its fragments.

use anyhow::{Context, Result, bail, ensure};
use smoothcore::codec::Kind;
use smoothcore::io::RequestKind;
use smoothcore::limits::Limits;
use smoothcore::manifest::url;
use smoothcore::manifest::{Manifest, QualityLevel, Stream, Strictness};
use smoothcore::mem::{Account, Text};
use smoothcore::mp4::encryption::Iv;
use smoothcore::protection::Scheme;
use smoothcore::trace::redacted;

use crate::fetch::Fetcher;
use crate::media::movie::TrackProtection;
use crate::probe::{parse, protection};

/// A manifest and where it came from.
pub struct Remote {
    pub manifest: Manifest,
    /// The URL after redirects, against which fragments are resolved.
    base: String,
    /// The URL that was asked for.
    url: String,
}

impl Remote {
    /// Fetches and parses the manifest at `url`.
    ///
    /// # Errors
    /// When it cannot be fetched, or is none.
    pub fn open(url: &str, fetcher: &mut Fetcher) -> Result<Self> {
        let shown = redacted(url);
        let got =
            fetcher.get(url, RequestKind::Manifest).map_err(|lost| anyhow::anyhow!("{shown}: {lost}"))?;
        let manifest =
            parse(&got.body, got.encoding, Strictness::Lenient).with_context(|| shown.to_string())?;
        Ok(Self { manifest, base: got.url, url: url.to_owned() })
    }

    /// The name of the presentation: the last part of its path that is a name of something.
    pub fn name(&self) -> String {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        let parts = path.split('/').skip(3).filter(|part| !part.is_empty());
        let parts: Vec<_> = parts.filter(|part| !part.to_ascii_lowercase().starts_with("manifest")).collect();
        let last = parts.last().copied().unwrap_or("presentation");
        let stem = last.split_once(".ism").map_or(last, |(stem, _)| stem);
        clean(stem)
    }

    /// The URL of a fragment.
    ///
    /// # Errors
    /// When the manifest's template makes none.
    pub fn fragment(&self, stream: &Stream, level: &QualityLevel, time: u64) -> Result<String> {
        let mut out = Text::new();
        let custom = level.custom.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        url::fragment(
            &mut Account::new(1 << 20),
            &mut out,
            &self.base,
            if level.url.is_empty() { &stream.url } else { &level.url },
            &level.bitrate_text,
            custom,
            time,
            &Limits::default(),
        )?;
        Ok(out.as_str().to_owned())
    }
}

/// `text` with nothing in it that a file name or a stream's name cannot have; never empty.
pub fn clean(text: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let text: String = text.chars().map(keep).collect();
    if text.is_empty() { "unnamed".to_owned() } else { text }
}

/// How a manifest's protection headers say that samples are encrypted; `None` when it has none.
pub fn track_protection(manifest: &Manifest, kind: Kind) -> Option<TrackProtection> {
    if manifest.protection.is_empty() || kind == Kind::Text {
        return None;
    }
    let headers = || manifest.protection.iter().filter_map(|h| protection::said(&h.system_id, &h.data));
    let kid = headers().find_map(|header| Some(header.keys.first()?.kid.0)).unwrap_or_default();
    let scheme = headers().find_map(|header| header.scheme()).unwrap_or(Scheme::AesCtr);
    let patterned = scheme == Scheme::Cbcs && kind == Kind::Video;
    Some(TrackProtection {
        scheme: scheme.four_cc(),
        algorithm: if scheme == Scheme::AesCtr { 1 } else { 2 },
        kid,
        iv_size: 8,
        constant_iv: Iv::default(),
        pattern: if patterned { (1, 9) } else { (0, 0) },
    })
}

/// Which streams of sound, or of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    All,
    First,
    None,
    /// Those of this language or name.
    Named(String),
}

impl std::str::FromStr for Sound {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "all" => Self::All,
            "first" => Self::First,
            "none" => Self::None,
            name => Self::Named(name.to_owned()),
        })
    }
}

impl Sound {
    /// Whether the `nth` usable stream of its kind, of that name and language, is meant.
    pub fn takes(&self, nth: usize, name: &str, language: &str) -> bool {
        match self {
            Self::All => true,
            Self::First => nth == 0,
            Self::None => false,
            Self::Named(wanted) => wanted == name || wanted.eq_ignore_ascii_case(language),
        }
    }

    /// # Errors
    /// When a named one was not found.
    pub fn satisfied(&self, taken: usize, what: &str) -> Result<()> {
        if let (Self::Named(name), 0) = (self, taken) {
            bail!("no stream of {what} has the language or name {name:?}");
        }
        Ok(())
    }
}

/// Which levels of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Levels {
    All,
    Highest,
    Lowest,
    /// Those of these Indexes in the manifest, or else at these places of the ladder, 0 the lowest.
    These(Vec<u32>),
}

impl std::str::FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "all" => Self::All,
            "highest" => Self::Highest,
            "lowest" => Self::Lowest,
            list => {
                let number = |part: &str| part.trim().parse().map_err(|_| format!("{part:?} is no level"));
                Self::These(list.split(',').map(number).collect::<Result<_, _>>()?)
            }
        })
    }
}

impl Levels {
    /// The places of the chosen among `levels`, which are Indexes and bitrates.
    ///
    /// # Errors
    /// When a level is not there.
    pub fn choose(&self, levels: &[(u32, u64)]) -> Result<Vec<usize>> {
        let mut ladder: Vec<usize> = (0..levels.len()).collect();
        ladder.sort_by_key(|at| levels[*at].1);
        let (Some(lowest), Some(highest)) = (ladder.first(), ladder.last()) else { return Ok(Vec::new()) };
        Ok(match self {
            Self::All => (0..levels.len()).collect(),
            Self::Highest => vec![*highest],
            Self::Lowest => vec![*lowest],
            Self::These(wanted) => {
                let mut chosen = Vec::new();
                for number in wanted {
                    let by_index = levels.iter().position(|(index, _)| index == number);
                    let at = by_index.or_else(|| ladder.get(*number as usize).copied());
                    let at = at.with_context(|| format!("no level {number}: there are {}", levels.len()))?;
                    if !chosen.contains(&at) {
                        chosen.push(at);
                    }
                }
                chosen.sort_unstable();
                chosen
            }
        })
    }
}

/// The chosen streams and levels of a manifest, as places in its lists.
///
/// # Errors
/// When something named is not there, or nothing is left.
pub fn choose(
    manifest: &Manifest,
    levels: &Levels,
    sound: &Sound,
    text: &Sound,
) -> Result<Vec<(usize, Vec<usize>)>> {
    let mut chosen = Vec::new();
    let (mut nth, mut taken, mut texts, mut read) = (0, 0, 0, 0);
    for (at, stream) in manifest.usable() {
        let usable: Vec<_> =
            stream.usable_levels().map(|(at, level)| (at, level.index, level.bitrate)).collect();
        let numbers: Vec<_> =
            usable.iter().map(|(_, index, bitrate)| (*index, u64::from(*bitrate))).collect();
        let places = match stream.kind {
            Kind::Video => levels.choose(&numbers).with_context(|| stream.name.as_str().to_owned())?,
            Kind::Audio => {
                let takes = sound.takes(nth, &stream.name, &stream.language);
                nth += 1;
                taken += usize::from(takes);
                if takes { (0..usable.len()).collect() } else { Vec::new() }
            }
            // Samples that stand in the manifest have no URL.
            Kind::Text if stream.embedded => Vec::new(),
            Kind::Text => {
                let takes = text.takes(texts, &stream.name, &stream.language);
                texts += 1;
                read += usize::from(takes);
                if takes { (0..usable.len()).collect() } else { Vec::new() }
            }
        };
        if !places.is_empty() {
            chosen.push((at, places.into_iter().map(|place| usable[place].0).collect()));
        }
    }
    sound.satisfied(taken, "sound")?;
    text.satisfied(read, "text")?;
    ensure!(!chosen.is_empty(), "nothing is left of the presentation");
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_chosen_by_index_or_place() {
        let ladder = [(5, 300), (0, 900), (9, 100)];
        let choose = |text: &str| text.parse::<Levels>().unwrap().choose(&ladder);
        assert_eq!(choose("all").unwrap(), [0, 1, 2]);
        assert_eq!(choose("highest").unwrap(), [1]);
        assert_eq!(choose("lowest").unwrap(), [2]);
        assert_eq!(choose("5,9").unwrap(), [0, 2]);
        assert_eq!(choose("2").unwrap(), [1], "no Index 2: the third of the ladder");
        assert_eq!(choose("0,0").unwrap(), [1], "an Index comes first");
        assert!(choose("3").is_err());
        assert!("a".parse::<Levels>().is_err());
    }

    #[test]
    fn names_are_made_of_what_names_may_have() {
        assert_eq!(clean("a b/c.d"), "a_b_c_d");
        assert_eq!(clean(""), "unnamed");
    }
}
