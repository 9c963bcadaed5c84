//! Bytes of fragments, and back: every sample says which one it is.

use std::sync::OnceLock;

use smoothcore::codec::Kind;
use smoothcore::mp4::uuid;

use crate::dice::mix;
use crate::show::{Piece, Show};

pub use crate::movie::{AAC, AVC};

/// The last bytes of every sample.
const MARK: usize = 40;
const MAGIC: u32 = 0x534D_4F4B;

/// Which sample it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub stream: u16,
    pub index: u16,
    pub bitrate: u32,
    pub piece: Piece,
    pub start: u64,
}

fn noise() -> &'static [u8] {
    static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
    NOISE.get_or_init(|| (0..1u64 << 13).flat_map(|n| mix(n).to_be_bytes()).collect())
}

/// Appends `len` bytes that depend on `key`.
fn fill(out: &mut Vec<u8>, len: usize, key: u64) {
    let noise = noise();
    let (mut at, mut left) = (mix(key) as usize % noise.len(), len);
    while left > 0 {
        let n = left.min(noise.len() - at);
        out.extend_from_slice(&noise[at..at + n]);
        (at, left) = (0, left - n);
    }
}

impl Mark {
    /// Bytes of the sample, without what framing changes.
    fn size(&self, show: &Show) -> usize {
        let stream = &show.streams[usize::from(self.stream)];
        let ticks = show.stop(usize::from(self.stream), self.piece) - self.start;
        let bits = u128::from(self.bitrate) * u128::from(ticks) / u128::from(stream.scale);
        let each = (bits as u64 / 8 / show.thin / u64::from(stream.samples)) as usize;
        // A key frame takes three times as much as its neighbours.
        let size = match (stream.kind, self.index, stream.samples) {
            (Kind::Video, 0, n) if n > 3 => each * 3 - each * 2 / n as usize,
            (Kind::Video, _, n) if n > 3 => each - each * 2 / n as usize,
            _ => each,
        };
        size.max(MARK + 1)
    }

    fn key(&self) -> u64 {
        let place = (u64::from(self.stream) << 48) ^ (u64::from(self.index) << 32) ^ u64::from(self.bitrate);
        mix(place ^ self.start) ^ self.piece.n
    }

    /// Appends the sample as it lies in `mdat`, length field and all.
    fn write(&self, show: &Show, out: &mut Vec<u8>) {
        let size = self.size(show);
        let mut body = size - MARK;
        if show.streams[usize::from(self.stream)].kind == Kind::Video {
            out.extend_from_slice(&(size as u32).to_be_bytes());
            out.push(if self.index == 0 { 0x65 } else { 0x41 });
            body -= 1;
        }
        fill(out, body, self.key());
        out.extend_from_slice(&MAGIC.to_be_bytes());
        out.extend_from_slice(&self.stream.to_be_bytes());
        out.extend_from_slice(&self.index.to_be_bytes());
        out.extend_from_slice(&self.bitrate.to_be_bytes());
        out.extend_from_slice(&self.piece.run.to_be_bytes());
        out.extend_from_slice(&self.piece.n.to_be_bytes());
        out.extend_from_slice(&self.start.to_be_bytes());
        out.extend_from_slice(&(self.key()).to_be_bytes());
    }

    /// Which sample these bytes are; `None` when they are none that was ever made.
    pub fn read(show: &Show, bytes: &[u8], scratch: &mut Vec<u8>) -> Option<Mark> {
        let mark = bytes.len().checked_sub(MARK).map(|at| &bytes[at..])?;
        let long = |at: usize| u64::from_be_bytes(mark[at..at + 8].try_into().expect("eight"));
        let word = |at: usize| u32::from_be_bytes(mark[at..at + 4].try_into().expect("four"));
        let half = |at: usize| u16::from_be_bytes(mark[at..at + 2].try_into().expect("two"));
        if word(0) != MAGIC {
            return None;
        }
        let piece = Piece { run: word(12), n: long(16) };
        let mark = Mark { stream: half(4), index: half(6), bitrate: word(8), piece, start: long(24) };
        let stream = show.streams.get(usize::from(mark.stream))?;
        if long(32) != mark.key() || piece.n > 1 << 40 {
            return None;
        }
        if piece.run as usize >= show.runs.len() || !stream.bitrates.contains(&mark.bitrate) {
            return None;
        }
        scratch.clear();
        mark.write(show, scratch);
        // Framing may have changed the length field and put something before it.
        let kept = if stream.kind == Kind::Video { &scratch[4..] } else { &scratch[..] };
        bytes.ends_with(kept).then_some(mark)
    }
}

/// What stands in a fragment besides its samples.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Version of both boxes; `None`: neither is there.
    pub version: Option<u8>,
    /// Ticks that the duration in `tfxd` is off by.
    pub off: i64,
    /// Times and durations of followers; `None`: no `tfrf`.
    pub followers: Option<Vec<(u64, u64)>>,
}

/// The whole body of a fragment.
pub fn body(show: &Show, s: usize, bitrate: u32, piece: Piece, around: &Around) -> Vec<u8> {
    let stream = &show.streams[s];
    let (start, stop) = (show.start(s, piece), show.stop(s, piece));
    let whole = stop - start;
    let mark = |index: u32| Mark { stream: s as u16, index: index as u16, bitrate, piece, start };
    let lengths = if stream.kind == Kind::Video { 4 } else { 0 };
    let payload: usize = (0..stream.samples).map(|k| mark(k).size(show) + lengths).sum();
    let boxes = absolute(around, start, whole);
    let trun = 8 + 12 + 8 * stream.samples as usize;
    let traf = 8 + 16 + trun + boxes.len();
    let moof = 8 + 16 + traf;
    let mut out = Vec::with_capacity(moof + 8 + payload);
    let head = |out: &mut Vec<u8>, size: usize, name: &[u8; 4]| {
        out.extend_from_slice(&(size as u32).to_be_bytes());
        out.extend_from_slice(name);
    };
    head(&mut out, moof, b"moof");
    head(&mut out, 16, b"mfhd");
    out.extend_from_slice(&[0, 0, 0, 0]);
    out.extend_from_slice(&(piece.n as u32).to_be_bytes());
    head(&mut out, traf, b"traf");
    head(&mut out, 16, b"tfhd");
    out.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
    head(&mut out, trun, b"trun");
    out.extend_from_slice(&0x301u32.to_be_bytes());
    out.extend_from_slice(&stream.samples.to_be_bytes());
    out.extend_from_slice(&(moof as u32 + 8).to_be_bytes());
    for k in 0..stream.samples {
        let ticks = stream.sample(whole, k + 1) - stream.sample(whole, k);
        out.extend_from_slice(&(ticks as u32).to_be_bytes());
        out.extend_from_slice(&((mark(k).size(show) + lengths) as u32).to_be_bytes());
    }
    out.extend_from_slice(&boxes);
    head(&mut out, payload + 8, b"mdat");
    for k in 0..stream.samples {
        mark(k).write(show, &mut out);
    }
    out
}

/// `tfxd` and `tfrf`.
fn absolute(around: &Around, start: u64, whole: u64) -> Vec<u8> {
    let Some(version) = around.version else { return Vec::new() };
    // 32 bits are soon used up.
    let version = if start + 8 * whole > u64::from(u32::MAX) { 1 } else { version };
    let mut out = Vec::new();
    let number = |out: &mut Vec<u8>, n: u64| match version {
        0 => out.extend_from_slice(&(n as u32).to_be_bytes()),
        _ => out.extend_from_slice(&n.to_be_bytes()),
    };
    let head = |out: &mut Vec<u8>, size: usize, id: &[u8; 16]| {
        out.extend_from_slice(&(size as u32).to_be_bytes());
        out.extend_from_slice(b"uuid");
        out.extend_from_slice(id);
        out.extend_from_slice(&[version, 0, 0, 0]);
    };
    let span = if version == 0 { 8 } else { 16 };
    head(&mut out, 28 + span, &uuid::TFXD);
    number(&mut out, start);
    number(&mut out, whole.saturating_add_signed(around.off));
    if let Some(followers) = &around.followers {
        head(&mut out, 29 + span * followers.len(), &uuid::TFRF);
        out.push(followers.len() as u8);
        for (time, duration) in followers {
            number(&mut out, *time);
            number(&mut out, *duration);
        }
    }
    out
}
