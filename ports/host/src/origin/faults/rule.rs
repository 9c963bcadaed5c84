//! To which requests a fault happens.

use std::ops::RangeInclusive;

use super::Fault;
use crate::origin::clock::Moment;

/// One line of a script.
#[derive(Clone, Debug)]
pub struct Rule {
    pub kind: Option<Kind>,
    pub stream: Option<String>,
    pub level: Option<u64>,
    pub path: Option<String>,
    /// From, until, and perhaps after how long again; microseconds of the clock.
    pub time: Option<(u64, u64, Option<u64>)>,
    pub nth: Option<RangeInclusive<u64>>,
    pub tries: Option<RangeInclusive<u64>>,
    pub every: u64,
    /// In 2^32nds.
    pub chance: u64,
    pub times: u64,
    pub fault: Fault,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Manifest,
    Fragment,
    Info,
    Other,
}

/// A request as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub kind: Kind,
    pub target: &'a str,
    /// Without the query.
    pub path: &'a str,
    pub stream: &'a str,
    pub level: Option<u64>,
}

impl<'a> Asked<'a> {
    /// Reads the target of a request.
    pub fn of(target: &'a str) -> Self {
        let path = target.split('?').next().unwrap_or(target);
        let last = path.rsplit('/').next().unwrap_or("");
        let (noun, inner) = last.split_once('(').unwrap_or((last, ""));
        let kind = match noun {
            "Fragments" => Kind::Fragment,
            "FragmentInfo" => Kind::Info,
            _ if last.eq_ignore_ascii_case("Manifest") => Kind::Manifest,
            _ => Kind::Other,
        };
        let stream = inner.split('=').next().unwrap_or("");
        let level =
            path.split_once("QualityLevels(").map(|(_, rest)| rest.split([',', ')']).next().unwrap_or(""));
        Self { kind, target, path, stream, level: level.and_then(|level| level.parse().ok()) }
    }
}

impl Rule {
    pub fn new(fault: Fault) -> Self {
        Self {
            kind: None,
            stream: None,
            level: None,
            path: None,
            time: None,
            nth: None,
            tries: None,
            every: 1,
            chance: 1 << 32,
            times: u64::MAX,
            fault,
        }
    }

    /// Whether a request is one of those it is about.
    pub fn fits(&self, asked: &Asked, now: Moment) -> bool {
        self.kind.is_none_or(|kind| kind == asked.kind)
            && self.stream.as_ref().is_none_or(|stream| stream == asked.stream)
            && self.level.is_none_or(|level| asked.level == Some(level))
            && self.path.as_ref().is_none_or(|path| asked.path.contains(path.as_str()))
            && self.is_in_time(now)
    }

    /// Whether it happens to the `seen`th of those, asked for `tries` times, after it has happened `applied` times.
    pub fn happens(&self, seen: u64, tries: u64, applied: u64, chance: u64) -> bool {
        self.nth.as_ref().is_none_or(|nth| nth.contains(&seen))
            && self.tries.as_ref().is_none_or(|range| range.contains(&tries))
            && seen.is_multiple_of(self.every)
            && chance >> 32 < self.chance
            && applied < self.times
    }

    /// Whether it happens now to whatever comes.
    pub fn is_about_all(&self, now: Moment) -> bool {
        let narrow =
            self.kind.is_some() || self.stream.is_some() || self.level.is_some() || self.path.is_some();
        let counted = self.nth.is_some() || self.tries.is_some() || self.every > 1 || self.times < u64::MAX;
        !narrow && !counted && self.chance >> 32 > 0 && self.is_in_time(now)
    }

    fn is_in_time(&self, now: Moment) -> bool {
        self.time.is_none_or(|(from, until, again)| {
            let now = again.map_or(now.0, |again| now.0 % again.max(1));
            (from..until).contains(&now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let asked = Asked::of("/a.isml/QualityLevels(64000,k=v)/Fragments(audio_eng=12)?x=Manifest");
        assert_eq!((asked.kind, asked.stream, asked.level), (Kind::Fragment, "audio_eng", Some(64_000)));
        assert_eq!(Asked::of("/a.ism/manifest?y").kind, Kind::Manifest);
        assert_eq!(Asked::of("/a.ism/QualityLevels(1)/FragmentInfo(video=0)").kind, Kind::Info);
        assert_eq!(Asked::of("/").kind, Kind::Other);
    }
}
