//! Which file and track holds which stream and bitrate.

use crate::codec::{FourCc, Kind};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes, List, Text};

use super::files::FileId;

/// Tracks of one presentation, whatever the limits say.
const MOST_TRACKS: usize = 1024;
/// Pieces of metadata that are kept.
const MOST_METADATA: usize = 64;

/// One level of one stream.
pub(super) struct Track {
    pub kind: Kind,
    /// Name of its file, relative to what was opened.
    pub source: Text,
    /// The same once it is in the list of files.
    pub file: Option<FileId>,
    /// `systemBitrate`.
    pub bitrate: u32,
    /// Empty when unknown.
    pub language: Text,
    /// 0 when unknown: the only one of its file.
    pub track_id: u32,
    /// Name of its stream.
    pub name: Text,
    /// Parameters of no meaning of their own, which tell apart tracks of one bitrate.
    pub attributes: List<(Text, Text)>,
    pub codec: CodecFacts,
    /// Ticks of a sample that says nothing of itself.
    pub default_duration: u32,
    /// Ticks of its last fragment.
    pub last_duration: u64,
    /// Why it cannot be played.
    pub fault: Option<Error>,
}

/// What a client manifest says of a level's codec. Zero and nothing stand for what is unknown.
#[derive(Default)]
pub(super) struct CodecFacts {
    pub timescale: u64,
    pub fourcc: Option<FourCc>,
    pub private: Bytes,
    /// As [`NUMBERS`].
    pub numbers: [u32; NUMBERS.len()],
}

/// Parameters that are numbers, and attributes of the same names.
pub(super) const NUMBERS: [&str; 8] = [
    "MaxWidth",
    "MaxHeight",
    "SamplingRate",
    "Channels",
    "BitsPerSample",
    "PacketSize",
    "AudioTag",
    "NALUnitLengthField",
];

/// What was learnt of a presentation.
#[derive(Default)]
pub(super) struct Catalog {
    pub tracks: List<Track>,
    /// Names and values.
    pub metadata: List<(Text, Text)>,
    /// The client manifest's file, relative to what was opened; empty when not said.
    pub client: Text,
}

impl Track {
    pub(super) fn new(kind: Kind) -> Track {
        Track {
            kind,
            source: Text::new(),
            file: None,
            bitrate: 0,
            language: Text::new(),
            track_id: 0,
            name: Text::new(),
            attributes: List::new(),
            codec: CodecFacts::default(),
            default_duration: 0,
            last_duration: 0,
            fault: None,
        }
    }

    /// Whether two levels belong to one stream.
    pub(super) fn is_beside(&self, other: &Track) -> bool {
        self.kind == other.kind && *self.name == *other.name
    }

    pub(super) fn free(&mut self, account: &mut Account) {
        for text in [&mut self.source, &mut self.language, &mut self.name] {
            text.free(account);
        }
        for (name, value) in self.attributes.iter_mut() {
            name.free(account);
            value.free(account);
        }
        self.attributes.free(account);
        self.codec.private.free(account);
    }
}

/// The name of a kind in both manifests.
pub(super) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "video",
        Kind::Audio => "audio",
        Kind::Text => "text",
    }
}

impl Catalog {
    /// Takes a track, or frees it.
    ///
    /// # Errors
    /// [`Code::LimitStreams`]; [`Code::Budget`]; [`Code::NoMemory`].
    pub(super) fn add(&mut self, account: &mut Account, limits: &Limits, mut track: Track) -> Result<()> {
        let most = (limits.streams as usize).saturating_mul(limits.levels as usize);
        let room = if self.tracks.len() >= most.min(MOST_TRACKS) {
            Err(Code::LimitStreams.into())
        } else {
            self.tracks.reserve(account, 1)
        };
        match room {
            Ok(()) => self.tracks.push(account, track),
            Err(error) => {
                track.free(account);
                Err(error)
            }
        }
    }

    /// Takes a piece of metadata; more than enough of them are left out.
    ///
    /// # Errors
    /// [`Code::Budget`]; [`Code::NoMemory`].
    pub(super) fn tell(&mut self, account: &mut Account, name: &str, value: &str) -> Result<()> {
        if name.is_empty() || self.metadata.len() >= MOST_METADATA {
            return Ok(());
        }
        keep_pair(account, &mut self.metadata, name, value)
    }

    /// The track that the URL of a fragment asks for, and the time; `None` when there is none.
    ///
    /// The last two parts of the path say it: `QualityLevels(BITRATE,NAME=VALUE)/Fragments(STREAM=TIME)`.
    pub(super) fn look_up(&self, url: &str) -> Option<(usize, u64)> {
        let path = url.split_once('?').map_or(url, |(path, _)| path);
        let (path, fragments) = last_part(path);
        let (_, levels) = last_part(path);
        let (name, time) = last_cut(inside(fragments, "Fragments(")?, b'=')?;
        let time = digits::decimal(time)?;
        let levels = inside(levels, "QualityLevels(")?;
        let (bitrate, attributes) = levels.split_once(',').unwrap_or((levels, ""));
        let bitrate = digits::decimal_u32(bitrate)?;
        let suits = |track: &Track| {
            track.fault.is_none()
                && track.bitrate == bitrate
                && is_same(name.as_bytes(), &track.name)
                && parts(attributes).all(|(name, value)| {
                    track.attributes.iter().any(|(n, v)| is_same(name, n) && is_same(value, v))
                })
        };
        let asked = parts(attributes).count();
        // One that has nothing beyond what is asked for comes first.
        let exact = self.tracks.iter().position(|track| track.attributes.len() == asked && suits(track));
        Some((exact.or_else(|| self.tracks.iter().position(suits))?, time))
    }
}

/// Appends a name and a value. Nothing more is held after an error.
///
/// # Errors
/// [`Code::Budget`]; [`Code::NoMemory`].
pub(super) fn keep_pair(
    account: &mut Account,
    pairs: &mut List<(Text, Text)>,
    name: &str,
    value: &str,
) -> Result<()> {
    pairs.reserve(account, 1)?;
    let mut name = Text::from(account, name)?;
    match Text::from(account, value) {
        Ok(value) => pairs.push(account, (name, value)),
        Err(error) => {
            name.free(account);
            Err(error)
        }
    }
}

/// What follows the last slash, and what goes before it.
fn last_part(path: &str) -> (&str, &str) {
    last_cut(path, b'/').unwrap_or(("", path))
}

/// What stands before and behind the last `mark`, which is ASCII.
fn last_cut(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|b| b == mark)?;
    Some((text.get(..at)?, text.get(at.saturating_add(1)..)?))
}

/// What stands between `opening`, in any case, and a closing parenthesis at the end.
fn inside<'a>(text: &'a str, opening: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(opening.len())?;
    if head.eq_ignore_ascii_case(opening) { rest.strip_suffix(')') } else { None }
}

/// The pairs of `NAME=VALUE,NAME=VALUE`. Of bytes: splitting text leaves a way to panic.
fn parts(list: &str) -> impl Iterator<Item = (&[u8], &[u8])> {
    list.as_bytes().split(|b| *b == b',').filter(|part| !part.is_empty()).map(|part| {
        let at = part.iter().position(|b| *b == b'=').unwrap_or(part.len());
        (part.get(..at).unwrap_or(part), part.get(at.saturating_add(1)..).unwrap_or(&[]))
    })
}

/// Whether `encoded`, a part of a URL, stands for `plain`.
fn is_same(encoded: &[u8], plain: &str) -> bool {
    decoded(encoded).eq(plain.bytes())
}

/// The bytes that a part of a URL stands for.
pub(super) fn decoded(encoded: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut bytes = encoded.iter();
    core::iter::from_fn(move || {
        let byte = *bytes.next()?;
        let mut two = bytes.clone();
        let digit = |b: Option<&u8>| char::from(*b?).to_digit(16);
        if byte == b'%'
            && let (Some(high), Some(low)) = (digit(two.next()), digit(two.next()))
        {
            bytes = two;
            return Some((high << 4 | low) as u8);
        }
        Some(byte)
    })
}

/// Whether a name from inside a presentation stays in its directory and below.
pub(super) fn stays_below(name: &str) -> bool {
    let is_slash = |b: &u8| matches!(b, b'/' | b'\\');
    let name = name.as_bytes();
    let climbs = name.split(is_slash).any(|part| part == b"..");
    !climbs && name.first().is_some_and(|b| !is_slash(b)) && !name.iter().any(|b| *b == b':' || *b < b' ')
}

/// `name` beside `opened`, with slashes as a source wants them.
///
/// # Errors
/// [`Code::UrlRefused`] when it would leave the directory; [`Code::LimitUrl`]; [`Code::Budget`]; [`Code::NoMemory`].
pub(super) fn beside(account: &mut Account, limits: &Limits, opened: &str, name: &str) -> Result<Text> {
    if !stays_below(name) {
        return Err(Error::at(Code::UrlRefused, "file name", 0));
    }
    let directory = last_cut(opened, b'/').map_or(0, |(directory, _)| directory.len().saturating_add(1));
    if directory.saturating_add(name.len()) > limits.url_bytes as usize {
        return Err(Error::at(Code::LimitUrl, "file name", 0));
    }
    let mut path = Text::from(account, opened.get(..directory).unwrap_or(""))?;
    let pushed = name.chars().try_for_each(|c| {
        let c = if c == '\\' { '/' } else { c };
        path.push(account, c.encode_utf8(&mut [0; 4]))
    });
    if pushed.is_err() {
        path.free(account);
    }
    pushed.map(|()| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(account: &mut Account) -> Catalog {
        let mut catalog = Catalog::default();
        let mut add = |bitrate, name: &str, attributes: &[(&str, &str)]| {
            let mut track = Track::new(Kind::Video);
            track.bitrate = bitrate;
            track.name = Text::from(account, name).unwrap();
            for (name, value) in attributes {
                let pair = (Text::from(account, name).unwrap(), Text::from(account, value).unwrap());
                track.attributes.push(account, pair).unwrap();
            }
            catalog.add(account, &Limits::default(), track).unwrap();
        };
        add(500, "video", &[("profile", "high")]);
        add(500, "video", &[]);
        add(500, "video", &[("profile", "low")]);
        add(64, "audio eng", &[]);
        catalog
    }

    #[test]
    fn a_url_names_its_track_by_bitrate_name_and_attributes() {
        let mut account = Account::new(1 << 16);
        let catalog = catalog(&mut account);
        let finds = |url: &str, track: usize, time: u64| {
            assert_eq!(catalog.look_up(url), Some((track, time)), "{url}");
        };
        finds("http://local/a.ism/QualityLevels(500)/Fragments(video=0)", 1, 0);
        finds("http://local/a.ism/QualityLevels(500,profile=low)/Fragments(video=20)", 2, 20);
        finds("http://local/a.ism/qualitylevels(500,profile=high)/fragments(video=20)?token=a/b", 0, 20);
        finds("QualityLevels(64)/Fragments(audio%20eng=18446744073709551615)", 3, u64::MAX);
        for none in [
            "http://local/a.ism/QualityLevels(501)/Fragments(video=0)",
            "http://local/a.ism/QualityLevels(500)/Fragments(Video=0)",
            "http://local/a.ism/QualityLevels(500,profile=middle)/Fragments(video=0)",
            "http://local/a.ism/QualityLevels(500)/Fragments(video=-1)",
            "http://local/a.ism/QualityLevels(500)/Fragments(video=)",
            "http://local/a.ism/QualityLevels(500)/Fragments(video)",
            "http://local/a.ism/QualityLevels(500)/FragmentInfo(video=0)",
            "Fragments(video=0)",
            "",
        ] {
            assert_eq!(catalog.look_up(none), None, "{none}");
        }
    }

    #[test]
    fn what_does_not_fit_stays_charged_nowhere() {
        // Every budget, so that every charge is refused once.
        let fits = |cap| {
            let mut account = Account::new(cap);
            let (mut catalog, limits) = (Catalog::default(), Limits::default());
            let mut track = Track::new(Kind::Audio);
            let done = track
                .source
                .push(&mut account, "a.isma")
                .and_then(|()| catalog.add(&mut account, &limits, track))
                .and_then(|()| catalog.tell(&mut account, "title", "A film"))
                .and_then(|()| beside(&mut account, &limits, "/films/a.ism", "parts\\a.isma"))
                .map(|mut path| path.free(&mut account));
            for track in catalog.tracks.iter_mut() {
                track.free(&mut account);
            }
            for (name, value) in catalog.metadata.iter_mut() {
                name.free(&mut account);
                value.free(&mut account);
            }
            catalog.tracks.free(&mut account);
            catalog.metadata.free(&mut account);
            assert_eq!(account.held(), 0, "with {cap} bytes");
            done.is_ok()
        };
        let enough = (0..8 << 10).find(|cap| fits(*cap)).unwrap();
        assert!(enough > size_of::<Track>());
    }

    #[test]
    fn names_stay_below_what_was_opened() {
        let mut account = Account::new(1 << 16);
        let mut path = |opened: &str, name: &str| {
            beside(&mut account, &Limits::default(), opened, name).map(|text| text.as_str().to_owned())
        };
        assert_eq!(path("/films/a/a.ism", "a_1.ismv").unwrap(), "/films/a/a_1.ismv");
        assert_eq!(path("a.ism", "part\\b..c/a_1.ismv").unwrap(), "part/b..c/a_1.ismv");
        for bad in ["../a.ismv", "x/../../a", "..", "/etc/passwd", "\\a", "c:\\a", "http://x/a", "", "a\nb"] {
            assert_eq!(path("/films/a/a.ism", bad).unwrap_err().code, Code::UrlRefused, "{bad:?}");
        }
    }
    use std::borrow::ToOwned;
}
