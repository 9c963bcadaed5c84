//! One `.ismv` or `.isma` file: its tracks, and where the fragments of each lie.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::boxes::{self, Fields, LONGEST_HEAD, name};
use super::fragment::{self, Defaults, Sample, Traf};
use super::track::{Track, tracks};

/// The longest `moov`, `moof` or `mfra` that is read into memory.
const LONGEST_INDEX: u64 = 64 << 20;
/// The most boxes looked at between a `moof` and its `mdat`.
const MOST_BETWEEN: usize = 16;

/// Where one fragment lies: from its `moof` to the end of the next `mdat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Start in its track's ticks, by the file's index.
    pub time: u64,
    /// Ticks.
    pub duration: u64,
    /// Bytes from the start of the file to the `moof`.
    pub offset: u64,
    /// Bytes of the `moof`.
    pub moof: u64,
    /// Bytes of the whole fragment.
    pub len: u64,
    /// Bytes of media in the `mdat`.
    pub media: u64,
}

/// One file, opened, with its tracks in the order of the file.
#[derive(Debug)]
pub struct MediaFile {
    pub path: PathBuf,
    pub tracks: Vec<(Track, Vec<Fragment>)>,
    /// Sentences about what was left out.
    pub warnings: Vec<String>,
    /// Whether a fragment can be handed out as it lies in the file.
    pub layout: Layout,
    /// The content of the `moov` box.
    pub moov: Vec<u8>,
    source: Source,
}

/// How fragments lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A fragment is of one track, and finds its samples wherever it lies.
    Apart,
    /// Fragments of several tracks share a `moof`, or count from the start of the file.
    Together,
}

impl MediaFile {
    /// Opens a fragmented MP4 file and reads its `moov` and its index of fragments.
    ///
    /// # Errors
    /// When the file cannot be read, is no fragmented MP4, or has no track this command can serve.
    pub fn open(path: &Path) -> Result<Self> {
        Self::read(path).with_context(|| path.display().to_string())
    }

    /// The bytes of a fragment, `len` of them from its `moof` on.
    pub fn bytes(&self, fragment: &Fragment, len: u64) -> Result<Vec<u8>> {
        self.source.bytes(fragment.offset, len).with_context(|| self.path.display().to_string())
    }

    fn read(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let source = Source { len: file.metadata()?.len(), file };
        let mut warnings = Vec::new();
        let moov = source.moov()?;
        let known = tracks(&moov, &mut warnings)?;
        let mut index = match source.mfra() {
            Ok(Some(mfra)) => {
                let mut index = from_mfra(&mfra, &source, &known)?;
                // What a live encoder leaves behind may end with an empty mfra.
                if known.iter().any(|track| index.get(&track.id).is_none_or(Vec::is_empty)) {
                    for (id, list) in from_scan(&source, &known, &mut warnings)? {
                        let have = index.entry(id).or_default();
                        if have.is_empty() {
                            *have = list;
                        }
                    }
                }
                index
            }
            Ok(None) => from_scan(&source, &known, &mut warnings)?,
            Err(error) => {
                warnings.push(format!("mfra not usable, moofs counted instead: {error:#}"));
                from_scan(&source, &known, &mut warnings)?
            }
        };
        let mut tracks = Vec::new();
        for track in known {
            let mut fragments = index.remove(&track.id).unwrap_or_default();
            if fragments.is_empty() {
                warnings.push(format!("track {} left out: it has no fragment", track.id));
                continue;
            }
            durations(&mut fragments, &track, &source)?;
            tracks.push((track, fragments));
        }
        ensure!(!tracks.is_empty(), "no track to serve ({})", warnings.join("; "));
        let layout = source.layout(&tracks)?;
        Ok(Self { path: path.to_owned(), tracks, warnings, layout, moov, source })
    }

    /// The samples of a fragment of the track in `slot`.
    pub fn samples(&self, slot: usize, fragment: &Fragment) -> Result<Vec<Sample>> {
        let (track, _) = self.tracks.get(slot).context("no such track")?;
        let (content, _) = self.source.moof(fragment.offset)?;
        let defaults = |id| {
            let known = self.tracks.iter().find(|(track, _)| track.id == id);
            known.map_or(Defaults::default(), |(track, _)| track.defaults)
        };
        fragment::samples(&content, track.id, defaults, fragment.offset)
            .with_context(|| format!("{}: moof at byte {}", self.path.display(), fragment.offset))
    }

    /// The bytes of a sample.
    pub fn sample(&self, sample: &Sample) -> Result<Vec<u8>> {
        self.source.bytes(sample.at, sample.size.into()).with_context(|| self.path.display().to_string())
    }
}

type Index = HashMap<u32, Vec<Fragment>>;

/// The fragments by the `tfra` boxes of an `mfra` (ISO/IEC 14496-12 8.8.10).
fn from_mfra(mfra: &[u8], source: &Source, tracks: &[Track]) -> Result<Index> {
    let mut index = Index::new();
    for child in boxes::Boxes::new(mfra) {
        let (kind, content) = child?;
        if &kind != b"tfra" {
            continue;
        }
        let mut fields = Fields::new(content);
        let (version, _) = fields.full()?;
        let id = fields.u32()?;
        let lengths = fields.u32()?;
        let numbers = [lengths >> 4, lengths >> 2, lengths].iter().map(|bits| (bits & 3) as usize + 1).sum();
        let count = fields.u32()?;
        if !tracks.iter().any(|track| track.id == id) {
            continue;
        }
        let list = index.entry(id).or_default();
        let mut last = None;
        for _ in 0..count {
            let (time, offset) = (fields.time(version)?, fields.time(version)?);
            fields.take(numbers)?;
            // Several entries may point into one moof; the first names its start.
            if last.replace(offset) == Some(offset) {
                continue;
            }
            let (moof, len, media) = source.extent(offset)?;
            list.push(Fragment { time, duration: 0, offset, moof, len, media });
        }
        list.sort_by_key(|fragment| fragment.time);
    }
    Ok(index)
}

/// The fragments by looking at every `moof` of the file.
fn from_scan(source: &Source, tracks: &[Track], warnings: &mut Vec<String>) -> Result<Index> {
    let mut index = Index::new();
    // Per track: where the next fragment starts if it does not say, and what tfxd runs ahead of decode time.
    let mut clock: HashMap<u32, (u64, u64)> = HashMap::new();
    let mut at = 0;
    while at < source.len {
        let head = match source.head(at) {
            Ok(head) => head,
            Err(error) => {
                warnings.push(format!("file ends in the middle of something at byte {at}: {error:#}"));
                break;
            }
        };
        if &head.kind == b"moof" {
            let trafs = source.parse(at, head.size, tracks)?;
            let Ok((size, len, media)) = source.extent(at) else {
                warnings.push(format!("last fragment, at byte {at}, is not complete and left out"));
                break;
            };
            for traf in trafs {
                let first = !clock.contains_key(&traf.track);
                let (next, ahead) = clock.entry(traf.track).or_default();
                let time = match (traf.decode, traf.absolute) {
                    (Some(time), _) => time,
                    (None, Some((time, _))) => {
                        // Some writers give the presentation time here. Seen at the start, where decode time is 0.
                        if first && traf.first_offset > 0 && time == traf.first_offset as u64 {
                            *ahead = time;
                        }
                        time.saturating_sub(*ahead)
                    }
                    (None, None) => *next,
                };
                *next = time.saturating_add(traf.duration);
                // A track without samples in this fragment has none here.
                if traf.samples > 0 {
                    let list = index.entry(traf.track).or_default();
                    list.push(Fragment { time, duration: 0, offset: at, moof: size, len, media });
                }
            }
        }
        at += head.size;
    }
    Ok(index)
}

/// Gives each fragment its duration: up to the next one; the last one up to the end of its samples.
fn durations(fragments: &mut [Fragment], track: &Track, source: &Source) -> Result<()> {
    for at in 1..fragments.len() {
        let ticks = fragments[at].time.saturating_sub(fragments[at - 1].time);
        ensure!(ticks > 0, "track {} has two fragments at time {}", track.id, fragments[at].time);
        fragments[at - 1].duration = ticks;
    }
    let before = fragments.len().checked_sub(2).map_or(0, |at| fragments[at].duration);
    let Some(last) = fragments.last_mut() else { return Ok(()) };
    let trafs = source.parse(last.offset, last.moof, std::slice::from_ref(track))?;
    let traf = trafs.into_iter().find(|traf| traf.track == track.id).unwrap_or_default();
    let to_end = track.duration.saturating_sub(last.time);
    let by_tfxd = traf.absolute.map_or(0, |(_, duration)| duration);
    last.duration = [traf.duration, to_end, by_tfxd, before]
        .into_iter()
        .find(|ticks| *ticks > 0)
        .unwrap_or(track.timescale);
    Ok(())
}

#[derive(Debug)]
struct Source {
    file: File,
    len: u64,
}

impl Source {
    fn bytes(&self, at: u64, len: u64) -> Result<Vec<u8>> {
        ensure!(
            at.checked_add(len).is_some_and(|end| end <= self.len),
            "{len} bytes at {at}: past the end of the file"
        );
        let mut bytes = vec![0; usize::try_from(len)?];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }

    fn head(&self, at: u64) -> Result<boxes::Head> {
        ensure!(at < self.len, "box at byte {at}: past the end of the file");
        let room = self.len - at;
        let bytes = self.bytes(at, room.min(LONGEST_HEAD as u64))?;
        boxes::head(&bytes, room).with_context(|| format!("box at byte {at}"))
    }

    /// The content of the box at `at`.
    fn content(&self, at: u64, head: boxes::Head) -> Result<Vec<u8>> {
        ensure!(head.size <= LONGEST_INDEX, "{} of {} bytes", name(head.kind), head.size);
        self.bytes(at + head.len, head.size - head.len)
    }

    fn moov(&self) -> Result<Vec<u8>> {
        let mut at = 0;
        while at < self.len {
            let head = self.head(at)?;
            match &head.kind {
                b"moov" => return self.content(at, head),
                b"moof" => bail!("fragments before any moov box"),
                _ => at += head.size,
            }
        }
        bail!("no moov box")
    }

    /// The content of the `mfra` box that ends the file, if one does.
    fn mfra(&self) -> Result<Option<Vec<u8>>> {
        let Some(tail) = self.len.checked_sub(16) else { return Ok(None) };
        let bytes = self.bytes(tail, 16)?;
        let mut fields = Fields::new(&bytes);
        if fields.u32()? != 16 || fields.take(4)? != b"mfro" {
            return Ok(None);
        }
        fields.full()?;
        let size = fields.u32()?;
        let at = self.len.checked_sub(size.into()).context("mfro points before the file")?;
        let head = self.head(at)?;
        ensure!(&head.kind == b"mfra" && head.size == u64::from(size), "mfro points at {}", name(head.kind));
        self.content(at, head).map(Some)
    }

    /// Size of the `moof` at `at`, of everything from there to the end of the next `mdat`, and of the media in it.
    fn extent(&self, at: u64) -> Result<(u64, u64, u64)> {
        let moof = self.head(at)?;
        ensure!(&moof.kind == b"moof", "{} at byte {at} where the index promises a moof", name(moof.kind));
        let mut end = at + moof.size;
        for _ in 0..MOST_BETWEEN {
            let head = self.head(end)?;
            end += head.size;
            match &head.kind {
                b"mdat" => return Ok((moof.size, end - at, head.size - head.len)),
                b"moof" => break,
                _ => {}
            }
        }
        bail!("no mdat follows the moof at byte {at}")
    }

    /// The content of the `moof` at `at`, and its size.
    fn moof(&self, at: u64) -> Result<(Vec<u8>, u64)> {
        let head = self.head(at)?;
        Ok((self.content(at, head)?, head.size))
    }

    /// By the first fragment of each track.
    fn layout(&self, tracks: &[(Track, Vec<Fragment>)]) -> Result<Layout> {
        for (_, fragments) in tracks {
            let Some(first) = fragments.first() else { continue };
            if fragment::is_shared(&self.moof(first.offset)?.0)? {
                return Ok(Layout::Together);
            }
        }
        Ok(Layout::Apart)
    }

    fn parse(&self, at: u64, size: u64, tracks: &[Track]) -> Result<Vec<Traf>> {
        let (content, found) = self.moof(at)?;
        ensure!(found == size, "moof at byte {at} changed its size");
        let default =
            |id| tracks.iter().find(|track| track.id == id).map_or(0, |track| track.defaults.duration);
        fragment::parse(&content, default).with_context(|| format!("moof at byte {at}"))
    }
}
