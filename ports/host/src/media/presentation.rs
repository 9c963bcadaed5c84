//! A presentation put together from media files: streams, each with its quality levels.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::file::{Fragment, Layout, MediaFile};
use super::fragment::Sample;
use super::ism::ServerManifest;
use super::playready::{self, Header};
use super::track::{Kind, Track};

/// What text is when nothing else is said: captions.
pub const SUBTYPE: &str = "CAPT";

/// Everything that is served under one manifest.
#[derive(Debug, Default)]
pub struct Presentation {
    pub streams: Vec<Stream>,
    /// What its files say of its protection.
    pub protection: Vec<Header>,
    /// Sentences about what was left out or looks wrong.
    pub warnings: Vec<String>,
}

/// What becomes one StreamIndex.
#[derive(Debug)]
pub struct Stream {
    pub kind: Kind,
    pub name: String,
    pub language: String,
    /// What kind of text.
    pub subtype: String,
    /// Lowest bitrate first.
    pub levels: Vec<Level>,
}

/// What becomes one QualityLevel: a track of a file.
#[derive(Clone, Debug)]
pub struct Level {
    pub bitrate: u64,
    /// Names and values that tell apart levels of one bitrate (CustomAttributes).
    pub attributes: Vec<(String, String)>,
    pub file: Arc<MediaFile>,
    slot: usize,
}

impl Level {
    pub fn track(&self) -> &Track {
        &self.file.tracks[self.slot].0
    }

    /// Ascending in time; never empty.
    pub fn fragments(&self) -> &[Fragment] {
        &self.file.tracks[self.slot].1
    }

    /// Ticks at which the first fragment starts.
    pub fn start(&self) -> u64 {
        self.fragments().first().map_or(0, |first| first.time)
    }

    pub fn is_video(&self) -> bool {
        self.track().kind == Kind::Video
    }

    /// The samples of one of its fragments.
    pub fn samples(&self, fragment: &Fragment) -> Result<Vec<Sample>> {
        self.file.samples(self.slot, fragment)
    }

    /// Ticks at which the last fragment ends.
    pub fn end(&self) -> u64 {
        self.fragments().last().map_or(0, |last| last.time.saturating_add(last.duration))
    }

    /// The bitrate by the file's own account, else as measured over all its fragments.
    fn measured(&self) -> u64 {
        if let Some(bitrate) = self.track().codec.bitrate {
            return bitrate;
        }
        let media: u64 = self.fragments().iter().map(|fragment| fragment.media).sum();
        let ticks: u64 = self.fragments().iter().map(|fragment| fragment.duration).sum();
        let bits = u128::from(media) * 8 * u128::from(self.track().timescale);
        (bits / u128::from(ticks.max(1))) as u64
    }
}

impl Presentation {
    /// Every track of the given files. Video is one stream; audio and text are one stream a language each, named `audio` when there is
    /// but one, else `audio_LANGUAGE`.
    ///
    /// # Errors
    /// When a file cannot be used, or levels of one stream do not fit together.
    pub fn from_files(paths: &[impl AsRef<Path>]) -> Result<Self> {
        let mut presentation = Self::default();
        for path in paths {
            let file = Arc::new(MediaFile::open(path.as_ref())?);
            presentation.learn_of(&file)?;
            for slot in 0..file.tracks.len() {
                let mut level = Level { bitrate: 0, attributes: Vec::new(), file: file.clone(), slot };
                level.bitrate = level.measured();
                let track = level.track();
                let kind = track.kind;
                let language = if kind == Kind::Video { "und".to_owned() } else { track.language.clone() };
                presentation.place(kind, "", &language, level);
            }
        }
        let count = |kind| presentation.streams.iter().filter(|stream| stream.kind == kind).count();
        let (audio, text) = (count(Kind::Audio), count(Kind::Text));
        for stream in &mut presentation.streams {
            stream.name = stream.kind.as_str().to_owned();
            if stream.kind == Kind::Audio && audio > 1 || stream.kind == Kind::Text && text > 1 {
                stream.name = format!("{}_{}", stream.name, stream.language);
            }
            stream.levels.sort_by_key(|level| level.bitrate);
            // The bitrate is the level's address: no two may share one.
            for at in 1..stream.levels.len() {
                let floor = stream.levels[at - 1].bitrate + 1;
                stream.levels[at].bitrate = stream.levels[at].bitrate.max(floor);
            }
        }
        presentation.streams.sort_by_key(|stream| stream.kind);
        presentation.check()?;
        Ok(presentation)
    }

    /// The tracks a server manifest names, under the names and bitrates it gives them; `dir` is where it lies.
    ///
    /// # Errors
    /// When a file cannot be used, a track is missing, or levels of one stream do not fit together.
    pub fn from_ism(manifest: &ServerManifest, dir: &Path) -> Result<Self> {
        let mut presentation = Self::default();
        let mut files: Vec<(String, Arc<MediaFile>)> = Vec::new();
        for entry in &manifest.tracks {
            let file = match files.iter().find(|(src, _)| *src == entry.src) {
                Some((_, file)) => file.clone(),
                None => {
                    let file = Arc::new(MediaFile::open(&dir.join(&entry.src))?);
                    presentation.learn_of(&file)?;
                    files.push((entry.src.clone(), file.clone()));
                    file
                }
            };
            let slot = match entry.track_id {
                Some(id) => file.tracks.iter().position(|(track, _)| track.id == id),
                None => file.tracks.iter().position(|(track, _)| track.kind == entry.kind),
            };
            let Some(slot) = slot else {
                let id = entry.track_id.map_or("of that kind".to_owned(), |id| id.to_string());
                presentation.warnings.push(format!("{}: no track {id}; left out", entry.src));
                continue;
            };
            let level = Level { bitrate: entry.bitrate, attributes: entry.attributes.clone(), file, slot };
            let language = match &entry.language {
                Some(language) => language.clone(),
                None if entry.kind != Kind::Video => level.track().language.clone(),
                None => "und".to_owned(),
            };
            presentation.place(entry.kind, &entry.name, &language, level);
            if let (Some(subtype), Some(stream)) = (&entry.subtype, presentation.streams.last_mut()) {
                stream.subtype.clone_from(subtype);
            }
        }
        presentation.check()?;
        Ok(presentation)
    }

    /// The level with that bitrate and all those attributes.
    pub fn level(&self, name: &str, bitrate: u64, attributes: &[(&str, &str)]) -> Option<&Level> {
        let streams = self.streams.iter().filter(|stream| stream.name == name);
        streams.flat_map(|stream| &stream.levels).find(|level| {
            let has =
                |(key, value): &(&str, &str)| level.attributes.iter().any(|(k, v)| k == key && v == value);
            level.bitrate == bitrate && attributes.iter().all(has)
        })
    }

    /// The fragment at exactly `time` of the level with that bitrate and all those attributes.
    pub fn find(
        &self,
        name: &str,
        bitrate: u64,
        attributes: &[(&str, &str)],
        time: u64,
    ) -> Option<(&Level, &Fragment)> {
        let level = self.level(name, bitrate, attributes)?;
        let at = level.fragments().binary_search_by_key(&time, |fragment| fragment.time).ok()?;
        Some((level, &level.fragments()[at]))
    }

    /// Takes what concerns the whole: protection and warnings.
    fn learn_of(&mut self, file: &MediaFile) -> Result<()> {
        let path = file.path.display();
        self.warnings.extend(file.warnings.iter().map(|warning| format!("{path}: {warning}")));
        if file.layout == Layout::Together {
            self.warnings.push(format!(
                "{path}: its fragments cannot be served as they lie there; `smoothcore index` writes a file of which they \
                 can"
            ));
        }
        let headers = playready::of_moov(&file.moov).with_context(|| path.to_string())?;
        for header in headers {
            if !self.protection.contains(&header) {
                self.protection.push(header);
            }
        }
        Ok(())
    }

    fn place(&mut self, kind: Kind, name: &str, language: &str, level: Level) {
        let same = |stream: &&mut Stream| {
            stream.kind == kind && stream.name == name && (!name.is_empty() || stream.language == language)
        };
        match self.streams.iter_mut().find(same) {
            Some(stream) => stream.levels.push(level),
            None => {
                let (name, language) = (name.to_owned(), language.to_owned());
                let subtype = SUBTYPE.to_owned();
                self.streams.push(Stream { kind, name, language, subtype, levels: vec![level] });
            }
        }
    }

    /// Levels of one stream must share clock and fragment times: a client switches only between such levels.
    fn check(&mut self) -> Result<()> {
        ensure!(!self.streams.is_empty(), "no track to serve");
        for stream in &self.streams {
            let [first, others @ ..] = stream.levels.as_slice() else { continue };
            for other in others {
                ensure!(
                    first.track().timescale == other.track().timescale,
                    "stream {}: levels {} and {} differ in timescale",
                    stream.name,
                    first.bitrate,
                    other.bitrate
                );
                if let Some(place) = differ(first, other) {
                    self.warnings.push(format!(
                        "stream {}: levels {} ({}) and {} ({}) are not aligned: {place}. Clients can only switch \
                         between levels whose fragments start at the same times: encode them again with the same key \
                         frames",
                        stream.name,
                        first.bitrate,
                        first.file.path.display(),
                        other.bitrate,
                        other.file.path.display()
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Says where the fragment times of two levels first differ.
fn differ(a: &Level, b: &Level) -> Option<String> {
    let (a, b) = (a.fragments(), b.fragments());
    let pairs = a.iter().zip(b).enumerate();
    for (at, (a, b)) in pairs {
        if a.time != b.time {
            return Some(format!("fragment {at} starts at {} and at {}", a.time, b.time));
        }
    }
    (a.len() != b.len()).then(|| format!("{} fragments and {}", a.len(), b.len()))
}
