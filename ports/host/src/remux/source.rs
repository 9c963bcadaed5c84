//! Where the fragments come from: a server, or files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use smoothcore::codec::{Codec, Kind};

use crate::fetch::Fetcher;
use crate::media::ism::ServerManifest;
use crate::media::movie::{self, Movie, MovieTrack, TrackProtection};
use crate::media::reader::Reader;
use crate::media::{Kind as FileKind, samples, scan, write};
use crate::probe::is_url;
use crate::remote::{Levels, Remote, Sound, choose, track_protection};

/// Exchanges at a time.
const PARALLEL: usize = 4;

/// A presentation to take tracks of.
pub enum Source {
    Remote(Box<Fetcher>, Box<Remote>, Vec<(usize, usize)>),
    Files { files: Vec<(PathBuf, Reader)>, tracks: Vec<FileTrack>, protection: Vec<([u8; 16], Vec<u8>)> },
}

/// One chosen track of a file.
pub struct FileTrack {
    file: usize,
    name: String,
    language: String,
    bitrate: u64,
    track: MovieTrack,
    /// Start in ticks, and offset and size in the file.
    fragments: Vec<(u64, u64, u64)>,
}

/// One track to write.
#[derive(Clone, Debug, Default)]
pub struct Pick {
    /// For messages.
    pub name: String,
    pub handler: [u8; 4],
    pub timescale: u32,
    pub language: String,
    /// Pixels, as 16.16.
    pub display: (u32, u32),
    /// The sample entry, header included.
    pub entry: Vec<u8>,
    /// Starts of the fragments in ticks, ascending.
    pub times: Vec<u64>,
    /// Duration, size and flags of samples where a fragment names none.
    pub defaults: [u32; 3],
    pub protection: Option<TrackProtection>,
}

impl Source {
    /// Opens a URL or file, and chooses.
    ///
    /// # Errors
    /// When it cannot be read, or what is chosen is not there.
    pub fn open(name: &str, levels: &Levels, sound: &Sound, text: &Sound) -> Result<Self> {
        if is_url(name) {
            let lost = |lost| anyhow::anyhow!("{lost}");
            let mut fetcher = Fetcher::new(PARALLEL).map_err(lost)?;
            let remote = Remote::open(name, &mut fetcher)?;
            ensure!(!remote.manifest.is_live(), "a live presentation has no end: download it first");
            let chosen = choose(&remote.manifest, levels, sound, text)?;
            // Of a stream of sound, the best level.
            let best = |(stream, places): (usize, Vec<usize>)| {
                let levels = &remote.manifest.streams[stream].levels;
                let best = places.into_iter().max_by_key(|place| levels[*place].bitrate);
                best.map(|level| (stream, level))
            };
            let chosen = chosen.into_iter().filter_map(best).collect();
            return Ok(Self::Remote(Box::new(fetcher), Box::new(remote), chosen));
        }
        let path = Path::new(name);
        let opened = match extension(path).as_str() {
            "ism" | "isml" => by_server_manifest(path, levels, sound, text),
            "ismc" => by_server_manifest(&beside(path)?, levels, sound, text),
            _ => return by_file(path, levels, sound, text),
        };
        opened.with_context(|| name.to_owned())
    }

    /// The tracks to write; video first.
    pub fn picks(&self) -> Result<Vec<Pick>> {
        match self {
            Self::Remote(_, remote, chosen) => {
                chosen.iter().map(|(stream, level)| remote_pick(remote, *stream, *level)).collect()
            }
            Self::Files { tracks, .. } => tracks.iter().map(file_pick).collect(),
        }
    }

    /// System and data of every protection header.
    pub fn protection(&self) -> Vec<([u8; 16], Vec<u8>)> {
        match self {
            Self::Remote(_, remote, _) => {
                let headers = remote.manifest.protection.iter();
                headers.map(|header| (header.system_id, header.data.to_vec())).collect()
            }
            Self::Files { protection, .. } => protection.clone(),
        }
    }

    /// The bytes of the fragments in `order`, which are tracks and places.
    ///
    /// # Errors
    /// When one does not arrive, or `each` fails.
    pub fn read(
        &mut self,
        order: &[(usize, usize)],
        each: &mut dyn FnMut(usize, usize, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Remote(fetcher, remote, chosen) => {
                let url = |(pick, at): &(usize, usize)| {
                    let (stream, level) = chosen[*pick];
                    let stream = &remote.manifest.streams[stream];
                    let time = stream.timeline.get(*at as u32).context("no such fragment")?.start;
                    remote.fragment(stream, &stream.levels[level], time)
                };
                let urls = order.iter().map(url).collect::<Result<Vec<_>>>()?;
                fetcher.in_order(&urls, |at, got| {
                    let got = got.map_err(|lost| anyhow::anyhow!("{}: {lost}", urls[at]))?;
                    each(order[at].0, order[at].1, got.body)
                })
            }
            Self::Files { files, tracks, .. } => {
                for (pick, at) in order {
                    let track = &tracks[*pick];
                    let (_, offset, size) = track.fragments[*at];
                    let (path, reader) = &files[track.file];
                    let bytes = reader.bytes(offset, size).with_context(|| path.display().to_string())?;
                    each(*pick, *at, bytes)?;
                }
                Ok(())
            }
        }
    }
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// The server manifest that names a client manifest, or else the one of the same name.
fn beside(client: &Path) -> Result<PathBuf> {
    let name = client.file_name().unwrap_or_default().to_string_lossy();
    let dir = client.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut others = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if matches!(extension(&path).as_str(), "ism" | "isml") {
            let server = std::fs::read(&path).ok().and_then(|bytes| ServerManifest::parse(&bytes).ok());
            if server.is_some_and(|server| server.client.as_deref() == Some(&*name)) {
                return Ok(path);
            }
            others.push(path);
        }
    }
    let same = others.into_iter().find(|path| path.file_stem() == client.file_stem());
    same.context("no server manifest (.ism) beside it says where the media lies")
}

fn remote_pick(remote: &Remote, stream: usize, level: usize) -> Result<Pick> {
    let stream = &remote.manifest.streams[stream];
    let level = &stream.levels[level];
    let timescale = u32::try_from(stream.timescale.per_second()).context("a timescale beyond 32 bits")?;
    ensure!(
        level.config.codec != Codec::Other,
        "{}: MP4 players know no codec {}",
        stream.name.as_str(),
        level.config.fourcc
    );
    let entry = write::entry(&level.config, stream.kind, level.bitrate);
    let entry = entry.with_context(|| format!("{} at {} bit/s", stream.name.as_str(), level.bitrate))?;
    let (width, height) = match stream.kind {
        Kind::Video if stream.display_width != 0 => (stream.display_width, stream.display_height),
        Kind::Video => (level.config.width, level.config.height),
        _ => (0, 0),
    };
    Ok(Pick {
        name: stream.name.as_str().to_owned(),
        handler: match stream.kind {
            Kind::Video => *b"vide",
            Kind::Audio => *b"soun",
            Kind::Text => *b"subt",
        },
        timescale,
        language: stream.language.as_str().to_owned(),
        display: (width << 16, height << 16),
        entry,
        times: stream.timeline.iter().map(|fragment| fragment.start).collect(),
        defaults: [0; 3],
        protection: track_protection(&remote.manifest, stream.kind),
    })
}

fn file_pick(track: &FileTrack) -> Result<Pick> {
    let MovieTrack { handler, timescale, display, defaults, protection, .. } = track.track;
    Ok(Pick {
        name: track.name.clone(),
        handler,
        timescale,
        language: track.language.clone(),
        display,
        entry: write::unprotected(&track.track)?,
        times: track.fragments.iter().map(|(time, _, _)| *time).collect(),
        defaults,
        protection,
    })
}

/// One file with what is in it.
struct Opened {
    reader: Reader,
    movie: Movie,
    fragments: scan::Fragments,
}

impl Opened {
    fn open(path: &Path) -> Result<Self> {
        let reader = Reader::open(path)?;
        let inside = || -> Result<_> {
            let (_, moov) = scan::moov(&reader)?;
            Ok((movie::parse(&moov)?, scan::fragments(&reader)?))
        };
        let (movie, fragments) = inside().with_context(|| path.display().to_string())?;
        for sentence in movie.skipped.iter().chain(&fragments.warnings) {
            eprintln!("warning: {}: {sentence}", path.display());
        }
        Ok(Self { reader, movie, fragments })
    }

    /// Start, offset and size of the fragments of a track. Where the index does not say, the fragment does.
    fn fragments(&self, track: &MovieTrack) -> Result<Vec<(u64, u64, u64)>> {
        let mut next = 0;
        let mut list = Vec::new();
        for place in self.fragments.list.iter().filter(|place| place.track == track.id) {
            let time = match place.time {
                Some(time) => time,
                None => {
                    let bytes = self.reader.bytes(place.offset, place.size)?;
                    let pieces = samples::read(&bytes, track.defaults)?;
                    let first = pieces.first().context("no moof")?;
                    let time = first.info.tfdt.or(first.time()).unwrap_or(next);
                    next = time + pieces.iter().map(|piece| piece.info.duration).sum::<u64>();
                    time
                }
            };
            list.push((time, place.offset, place.size));
        }
        list.sort_unstable();
        Ok(list)
    }
}

fn by_file(path: &Path, levels: &Levels, sound: &Sound, text: &Sound) -> Result<Source> {
    let opened = Opened::open(path)?;
    let mut tracks = Vec::new();
    for track in &opened.movie.tracks {
        let fragments = opened.fragments(track)?;
        let bytes: u64 = fragments.iter().map(|(_, _, size)| *size).sum();
        let name = format!("track {}", track.id);
        let (language, track) = (track.language.clone(), track.clone());
        tracks.push(FileTrack { file: 0, name, language, bitrate: bytes, track, fragments });
    }
    let protection = opened.movie.protection;
    finish(vec![(path.to_owned(), opened.reader)], tracks, protection, levels, [sound, text])
}

fn by_server_manifest(path: &Path, levels: &Levels, sound: &Sound, text: &Sound) -> Result<Source> {
    let server = ServerManifest::parse(&std::fs::read(path)?)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut opened: Vec<(PathBuf, Opened)> = Vec::new();
    let mut tracks = Vec::new();
    let mut protection: Vec<([u8; 16], Vec<u8>)> = Vec::new();
    for entry in &server.tracks {
        let media = dir.join(&entry.src);
        let file = match opened.iter().position(|(path, _)| *path == media) {
            Some(file) => file,
            None => {
                opened.push((media.clone(), Opened::open(&media)?));
                opened.len() - 1
            }
        };
        let inside = &opened[file].1;
        let track = inside.movie.tracks.iter().find(|track| match entry.track_id {
            Some(id) => track.id == id,
            None => match entry.kind {
                FileKind::Video => &track.handler == b"vide",
                FileKind::Audio => &track.handler == b"soun",
                FileKind::Text => is_text(track),
            },
        });
        let Some(track) = track else {
            eprintln!("warning: {}: no track {:?}; left out", entry.src, entry.track_id);
            continue;
        };
        for header in &inside.movie.protection {
            if !protection.contains(header) {
                protection.push(header.clone());
            }
        }
        tracks.push(FileTrack {
            file,
            name: entry.name.clone(),
            language: entry.language.clone().unwrap_or_else(|| track.language.clone()),
            bitrate: entry.bitrate,
            fragments: inside.fragments(track)?,
            track: track.clone(),
        });
    }
    let files = opened.into_iter().map(|(path, opened)| (path, opened.reader)).collect();
    finish(files, tracks, protection, levels, [sound, text])
}

fn is_text(track: &MovieTrack) -> bool {
    matches!(&track.handler, b"subt" | b"text" | b"sbtl")
}

/// Chooses one level of video, sound, and text.
fn finish(
    files: Vec<(PathBuf, Reader)>,
    tracks: Vec<FileTrack>,
    protection: Vec<([u8; 16], Vec<u8>)>,
    levels: &Levels,
    [sound, text]: [&Sound; 2],
) -> Result<Source> {
    let (mut video, mut heard, mut read): (Vec<FileTrack>, Vec<FileTrack>, Vec<FileTrack>) =
        Default::default();
    for track in tracks.into_iter().filter(|track| !track.fragments.is_empty()) {
        match &track.track.handler {
            b"vide" => video.push(track),
            b"soun" => heard.push(track),
            _ if is_text(&track.track) => read.push(track),
            _ => {}
        }
    }
    let ladder: Vec<(u32, u64)> = video.iter().zip(0..).map(|(track, at)| (at, track.bitrate)).collect();
    let chosen = levels.choose(&ladder)?;
    let mut tracks: Vec<FileTrack> =
        video.into_iter().enumerate().filter(|(at, _)| chosen.contains(at)).map(|(_, track)| track).collect();
    for (wanted, mut list, what) in [(sound, heard, "sound"), (text, read, "text")] {
        let (mut taken, mut names) = (0, Vec::new());
        // Of several levels of a stream, the best.
        list.sort_by_key(|track| std::cmp::Reverse(track.bitrate));
        list.sort_by_key(|track| (track.name.clone(), track.language.clone()));
        for track in list {
            let same = names.contains(&(track.name.clone(), track.language.clone()));
            if !same && wanted.takes(names.len(), &track.name, &track.language) {
                taken += 1;
                names.push((track.name.clone(), track.language.clone()));
                tracks.push(track);
            } else if !same {
                names.push((track.name.clone(), track.language.clone()));
            }
        }
        wanted.satisfied(taken, what)?;
    }
    if tracks.is_empty() {
        bail!("no track with a fragment is left");
    }
    Ok(Source::Files { files, tracks, protection })
}
