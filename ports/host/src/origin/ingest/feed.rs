//! The body of one POST: boxes that come one after the other, for hours.

use std::io::Read;

use anyhow::{Context, Result, ensure};

use crate::media::boxes::{self, Boxes, LONGEST_HEAD};
use crate::media::fragment::{self, Defaults, Sample};
use crate::media::stamp;
use crate::media::track::{Track, tracks};

/// The longest box that is taken.
const LONGEST_BOX: u64 = 64 << 20;
/// The box of the server manifest in a live stream (PIFF).
const SERVER_MANIFEST: [u8; 16] =
    [0xa5, 0xd4, 0x0b, 0x30, 0xe8, 0x14, 0x11, 0xdd, 0xba, 0x2f, 0x08, 0x00, 0x20, 0x0c, 0x9a, 0x66];

/// What comes in.
pub enum Came {
    /// The head of a stream: its tracks, and the bytes of its `moov`.
    Head(Head),
    Fragment(Fragment),
    /// The encoder says that it is done.
    End,
}

/// The head of a stream.
pub struct Head {
    pub tracks: Vec<Announced>,
    /// The box, whole.
    pub moov: Vec<u8>,
    /// Sentences about what was left out.
    pub warnings: Vec<String>,
}

/// One track of a stream.
#[derive(Clone, Debug)]
pub struct Announced {
    pub track: Track,
    /// What the server manifest in the stream says.
    pub bitrate: Option<u64>,
    pub name: Option<String>,
    pub language: Option<String>,
}

/// One `moof` with its `mdat`.
pub struct Fragment {
    pub track: u32,
    /// Ticks.
    pub time: u64,
    pub duration: u64,
    pub bytes: Vec<u8>,
    /// Samples left out since they lie before the start of all time.
    pub dropped: usize,
}

/// Reads what an encoder sends.
pub struct Feed<R> {
    body: R,
    manifest: Option<Smil>,
    tracks: Vec<Track>,
    /// A `moof` whose `mdat` is still to come.
    moof: Option<Vec<u8>>,
    /// Where the next fragment of each track starts if it does not say.
    clock: Vec<(u32, u64)>,
}

impl<R: Read> Feed<R> {
    pub fn new(body: R) -> Self {
        Self { body, manifest: None, tracks: Vec::new(), moof: None, clock: Vec::new() }
    }

    /// Waits for the next thing; nothing when the body has ended.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no live stream.
    pub fn next(&mut self) -> Result<Option<Came>> {
        while let Some((kind, bytes)) = self.whole_box()? {
            let head = boxes::head(&bytes, bytes.len() as u64)?.len as usize;
            let content = bytes.get(head..).unwrap_or(&[]);
            match &kind {
                b"uuid" if content.starts_with(&SERVER_MANIFEST) => {
                    let text = content.get(20..).unwrap_or(&[]);
                    let text = crate::media::text::decode(text).context("server manifest")?;
                    self.manifest = Some(Smil::parse(text.trim_end_matches('\0'))?);
                }
                b"moov" => {
                    let mut warnings = Vec::new();
                    self.tracks = tracks(content, &mut warnings)?;
                    let announced = self.tracks.iter().map(|track| self.announced(track)).collect();
                    return Ok(Some(Came::Head(Head { tracks: announced, moov: bytes, warnings })));
                }
                b"moof" => self.moof = Some(bytes),
                b"mdat" => {
                    let Some(moof) = self.moof.take() else { continue };
                    if let Some(fragment) = self.fragment(moof, bytes)? {
                        return Ok(Some(Came::Fragment(fragment)));
                    }
                }
                b"mfra" => return Ok(Some(Came::End)),
                _ => {}
            }
        }
        Ok(None)
    }

    fn whole_box(&mut self) -> Result<Option<([u8; 4], Vec<u8>)>> {
        let mut bytes = vec![0; 8];
        if !self.fill(&mut bytes)? {
            return Ok(None);
        }
        if bytes.starts_with(&[0, 0, 0, 1]) {
            let mut rest = [0; LONGEST_HEAD - 8];
            ensure!(self.fill(&mut rest)?, "the stream ends in the head of a box");
            bytes.extend(rest);
        }
        ensure!(!bytes.starts_with(&[0; 4]), "a box without a size");
        let head = boxes::head(&bytes, LONGEST_BOX).context("what comes is no stream of boxes")?;
        let at = bytes.len();
        bytes.resize(head.size as usize, 0);
        ensure!(
            at == bytes.len() || self.fill(&mut bytes[at..])?,
            "the stream ends within a {}",
            boxes::name(head.kind)
        );
        Ok(Some((head.kind, bytes)))
    }

    /// Fills `out`; false when the body ended before its first byte.
    fn fill(&mut self, out: &mut [u8]) -> Result<bool> {
        let mut have = 0;
        while have < out.len() {
            match self.body.read(&mut out[have..])? {
                0 if have == 0 => return Ok(false),
                0 => anyhow::bail!("the stream ends within a box"),
                count => have += count,
            }
        }
        Ok(true)
    }

    fn announced(&self, track: &Track) -> Announced {
        let said = self
            .manifest
            .as_ref()
            .and_then(|manifest| manifest.tracks.iter().find(|said| said.id == track.id));
        Announced {
            track: track.clone(),
            bitrate: said.and_then(|said| said.bitrate).or(track.codec.bitrate),
            name: said.and_then(|said| said.name.clone()),
            language: said.and_then(|said| said.language.clone()),
        }
    }

    fn fragment(&mut self, moof: Vec<u8>, mdat: Vec<u8>) -> Result<Option<Fragment>> {
        let head = boxes::head(&moof, moof.len() as u64)?.len as usize;
        let content = moof.get(head..).unwrap_or(&[]);
        let known = |id| self.tracks.iter().find(|track| track.id == id);
        let defaults = |id| known(id).map_or(Defaults::default(), |track| track.defaults);
        let trafs = fragment::parse(content, |id| defaults(id).duration)?;
        let [traf] = trafs.as_slice() else { anyhow::bail!("{} tracks in one fragment", trafs.len()) };
        let Some(track) = known(traf.track) else { return Ok(None) };
        if traf.samples == 0 {
            return Ok(None);
        }
        let writes_shown = self.manifest.as_ref().is_some_and(|manifest| manifest.shows);
        let next = self.clock.iter().find(|(id, _)| *id == track.id).map_or(0, |(_, next)| *next);
        // Times before the start of all are negative numbers in two's complement.
        let time = match (traf.decode, traf.absolute) {
            (Some(time), _) => time.cast_signed(),
            (None, Some((time, _))) if writes_shown => {
                time.cast_signed().saturating_sub(traf.first_offset.into())
            }
            (None, Some((time, _))) => time.cast_signed(),
            (None, None) => next.cast_signed(),
        };
        let own =
            if traf.duration > 0 { traf.duration } else { traf.absolute.map_or(0, |(_, length)| length) };
        let mut found = Fragment {
            track: track.id,
            time: 0,
            duration: own,
            bytes: [moof.as_slice(), &mdat].concat(),
            dropped: 0,
        };
        if time >= 0 {
            found.time = time.cast_unsigned();
        } else {
            let samples = fragment::samples(content, track.id, defaults, 0)?;
            if !found.cut(&samples, time)? {
                return Ok(None);
            }
        }
        let (id, next) = (found.track, found.time.saturating_add(found.duration));
        match self.clock.iter_mut().find(|(known, _)| *known == id) {
            Some(entry) => entry.1 = next,
            None => self.clock.push((id, next)),
        }
        Ok(Some(found))
    }
}

impl Fragment {
    /// Leaves out the samples before time 0; says whether any are left.
    fn cut(&mut self, samples: &[Sample], mut time: i64) -> Result<bool> {
        let mut rest = samples;
        while let [first, others @ ..] = rest
            && time < 0
        {
            time = time.saturating_add(first.duration.into());
            rest = others;
        }
        self.dropped = samples.len() - rest.len();
        if rest.is_empty() {
            return Ok(false);
        }
        let mut data = Vec::new();
        for sample in rest {
            let at = usize::try_from(sample.at)?;
            data.extend(
                self.bytes.get(at..at + sample.size as usize).context("a sample outside of its fragment")?,
            );
        }
        self.time = time.cast_unsigned();
        self.duration = rest.iter().map(|sample| u64::from(sample.duration)).sum();
        self.bytes = stamp::build(self.track, rest, &data)?;
        Ok(true)
    }

    /// Bytes of media.
    pub fn media(&self) -> u64 {
        let mdat = Boxes::new(&self.bytes).filter_map(Result::ok).find(|(kind, _)| kind == b"mdat");
        mdat.map_or(0, |(_, content)| content.len() as u64)
    }
}

/// The server manifest in a live stream: which track has which bitrate and name.
struct Smil {
    tracks: Vec<Said>,
    /// FFmpeg writes into `tfxd` when the first picture is shown, others when it is decoded.
    shows: bool,
}

struct Said {
    id: u32,
    bitrate: Option<u64>,
    name: Option<String>,
    language: Option<String>,
}

impl Smil {
    fn parse(xml: &str) -> Result<Self> {
        let document = roxmltree::Document::parse(xml)?;
        let root = document.root_element();
        let mut found = Self { tracks: Vec::new(), shows: false };
        for node in root.descendants() {
            match node.tag_name().name() {
                "meta" if node.attribute("name") == Some("creator") => {
                    found.shows =
                        node.attribute("content").is_some_and(|creator| creator.starts_with("Lavf"));
                }
                "video" | "audio" | "textstream" => {
                    let param = |name: &str| {
                        let params = node.children().filter(|child| child.tag_name().name() == "param");
                        let named = params.rev().find(|param| param.attribute("name") == Some(name));
                        named.and_then(|param| param.attribute("value")).map(str::to_owned)
                    };
                    let Some(id) = param("trackID").and_then(|id| id.trim().parse().ok()) else { continue };
                    let bitrate = node.attribute("systemBitrate").and_then(|rate| rate.trim().parse().ok());
                    let language =
                        node.attribute("systemLanguage").map(str::to_owned).or(param("systemLanguage"));
                    found.tracks.push(Said {
                        id,
                        bitrate: bitrate.filter(|rate| *rate > 0),
                        name: param("trackName").filter(|name| !name.is_empty()),
                        language: language.filter(|language| !language.is_empty()),
                    });
                }
                _ => {}
            }
        }
        Ok(found)
    }
}
