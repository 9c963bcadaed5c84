//! Encryption of test content: which key, vector and subsamples a sample gets, and the boxes that say so (PIFF 1.1,
//! ISO/IEC 23001-7).

use anyhow::{Result, ensure};
use smoothcore::protection::Scheme;
use smoothcore_clearkey::{How, Kid, Named, Pattern, Subsample, encrypt, test_key};

use super::boxes::{Writer, write_box, write_uuid};
use super::codec::Shape;
use super::playready::{self, Header};
use super::track::Track;

/// PIFF's sample encryption box.
const PIFF_SAMPLES: [u8; 16] =
    [0xa2, 0x39, 0x4f, 0x52, 0x5a, 0x9b, 0x4f, 0x14, 0xa2, 0x44, 0x6c, 0x42, 0x7c, 0x64, 0x8d, 0xf4];
/// PIFF's track encryption box.
const PIFF_TRACK: [u8; 16] =
    [0x89, 0x74, 0xdb, 0xce, 0x7b, 0xe7, 0x4c, 0x51, 0x84, 0xf9, 0x71, 0x48, 0xf9, 0x88, 0x25, 0x54];
/// The most keys a header may name.
const MOST_KEYS: usize = 32;
/// Bytes of a slice that stay in the clear: more than its header takes.
const SLICE_HEAD: usize = 16;

/// Which boxes carry vectors and subsamples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Carrier {
    /// The `uuid` boxes of PIFF 1.1, as in classic Smooth Streaming.
    Piff,
    /// `senc`, with `saiz` and `saio`.
    Senc,
}

/// How a presentation is to be encrypted.
#[derive(Clone, Debug)]
pub struct Protector {
    pub first: Named,
    pub scheme: Scheme,
    /// 8 or 16.
    pub iv_size: u8,
    /// Encrypts pictures but for the heads of their slices; else whole samples.
    pub subsamples: bool,
    pub carrier: Carrier,
    /// Fragments in the clear before the first that is encrypted.
    pub clear_lead: usize,
    /// Another key after so many fragments.
    pub rotate: Option<usize>,
    pub la_url: Option<String>,
}

impl Protector {
    /// The keys used for `fragments` fragments, in their order.
    ///
    /// # Errors
    /// When they are more than a header can name.
    pub fn keys(&self, fragments: usize) -> Result<Vec<Named>> {
        let count = self.rotate.map_or(1, |every| fragments.div_ceil(every.max(1)).max(1));
        ensure!(
            count <= MOST_KEYS,
            "{count} keys; a PlayReady header names at most {MOST_KEYS}: rotate less often"
        );
        Ok((0..count).map(|generation| self.generation(generation)).collect())
    }

    /// The first key, or one derived from it.
    fn generation(&self, generation: usize) -> Named {
        let Named { kid: Kid(mut kid), key } = self.first;
        if generation == 0 {
            return self.first;
        }
        let last = u32::from_be_bytes([kid[12], kid[13], kid[14], kid[15]]);
        kid[12..].copy_from_slice(&last.wrapping_add(generation as u32).to_be_bytes());
        Named { kid: Kid(kid), key: test_key(&key.0, Kid(kid)) }
    }

    /// The header that manifest and `moov` carry.
    ///
    /// # Errors
    /// As [`Protector::keys`].
    pub fn header(&self, fragments: usize) -> Result<Header> {
        Ok(playready::header(&self.keys(fragments)?, self.scheme, self.la_url.as_deref()))
    }

    /// The box of `moov` that carries `header`.
    pub fn header_box(&self, header: &Header) -> Vec<u8> {
        let mut body = Writer::new();
        body.u32(0).bytes(&header.system).u32(header.data.len() as u32).bytes(&header.data);
        match self.carrier {
            Carrier::Piff => write_uuid(playready::PIFF_HEADER, &body.done()),
            Carrier::Senc => write_box(*b"pssh", &body.done()),
        }
    }

    /// The `sinf` box of a sample entry that was `original`.
    pub fn sinf(&self, original: [u8; 4], track: &Track) -> Vec<u8> {
        // There is no name for a pattern in PIFF.
        let piff = self.carrier == Carrier::Piff && self.scheme != Scheme::Cbcs;
        let pattern = self.pattern(track);
        let mut defaults = Writer::new();
        let (name, version) = if piff { (*b"piff", 0x1_0001) } else { (self.scheme.four_cc(), 0x1_0000) };
        let defaults = if piff {
            defaults.u32(0).u24(self.scheme as u32).u8(self.iv_size).bytes(&self.first.kid.0);
            write_uuid(PIFF_TRACK, &defaults.done())
        } else {
            let full = if self.scheme == Scheme::Cbcs { 1 << 24 } else { 0 };
            defaults.u32(full).u8(0).u8(pattern.crypt << 4 | pattern.skip).u8(1).u8(self.iv_size);
            defaults.bytes(&self.first.kid.0);
            write_box(*b"tenc", &defaults.done())
        };
        let mut scheme = Writer::new();
        scheme.u32(0).bytes(&name).u32(version);
        let parts = [
            write_box(*b"frma", &original),
            write_box(*b"schm", &scheme.done()),
            write_box(*b"schi", &defaults),
        ];
        write_box(*b"sinf", &parts.concat())
    }

    fn pattern(&self, track: &Track) -> Pattern {
        match (self.scheme, &track.codec.shape) {
            (Scheme::Cbcs, Shape::Video { .. }) => Pattern::TENTH,
            _ => Pattern::ALL,
        }
    }
}

/// What encrypts one track of one file.
pub struct Lock<'a> {
    protector: &'a Protector,
    track: &'a Track,
    /// The next vector: a part that is the track's own, and a count.
    own: u64,
    count: u64,
}

/// What encryption adds to a fragment.
#[derive(Debug, Default)]
pub struct Extra {
    /// For the `traf` box, behind what is there.
    pub traf: Vec<u8>,
    /// For the `moof` box, behind the `traf`.
    pub moof: Vec<u8>,
}

impl<'a> Lock<'a> {
    /// `name` is the file's: no two tracks may share a vector.
    pub fn new(protector: &'a Protector, track: &'a Track, name: &str) -> Self {
        let seed = name.bytes().chain(track.id.to_be_bytes());
        let own = seed.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        // Close to where it wraps: who carries into the upper half is found out at once.
        Self { protector, track, own, count: u64::MAX - 7 }
    }

    /// Encrypts the samples of the `index`-th fragment; `traf` is where what is added to the `traf` will begin, counted
    /// from the `moof`.
    ///
    /// # Errors
    /// When a sample has more subsamples than can be told.
    pub fn close(&mut self, index: usize, samples: &mut [Vec<u8>], traf: usize) -> Result<Extra> {
        let Protector { scheme, iv_size, carrier, rotate, .. } = *self.protector;
        if index < self.protector.clear_lead {
            return Ok(Extra::default());
        }
        let named = self.protector.generation(rotate.map_or(0, |every| index / every.max(1)));
        let nal_length = match &self.track.codec.shape {
            Shape::Video { nal_length, .. } if self.protector.subsamples => Some(usize::from(*nal_length)),
            _ => None,
        };
        let hevc = self.track.codec.four_cc.starts_with('H') && self.track.codec.four_cc != "H264";
        let over = rotate.is_some() && carrier == Carrier::Piff && scheme != Scheme::Cbcs;
        let mut body = Writer::new();
        body.u32(u32::from(over) | if nal_length.is_some() { 2 } else { 0 });
        if over {
            body.u24(scheme as u32).u8(iv_size).bytes(&named.kid.0);
        }
        body.u32(samples.len() as u32);
        let first_vector = body.len();
        let mut sizes = Vec::new();
        for sample in samples.iter_mut() {
            let parts = nal_length.map_or_else(Vec::new, |length| subsamples(sample, length, hevc));
            let before = body.len();
            let iv = self.vector(sample.len());
            let how =
                How { scheme, pattern: self.protector.pattern(self.track), iv: &iv, subsamples: &parts };
            encrypt(named.key, &how, sample)?;
            body.bytes(&iv);
            if nal_length.is_some() {
                body.u16(u16::try_from(parts.len())?);
                for part in &parts {
                    body.u16(u16::try_from(part.clear)?).u32(part.protected);
                }
            }
            sizes.push(u8::try_from(body.len() - before));
        }
        let mut extra = Extra::default();
        match carrier {
            Carrier::Piff => extra.traf = write_uuid(PIFF_SAMPLES, &body.done()),
            Carrier::Senc => {
                extra.traf = write_box(*b"senc", &body.done());
                if let Ok(sizes) = sizes.into_iter().collect::<Result<Vec<u8>, _>>() {
                    let mut saiz = Writer::new();
                    saiz.u32(0).u8(0).u32(sizes.len() as u32).bytes(&sizes);
                    extra.traf.extend(write_box(*b"saiz", &saiz.done()));
                    let mut saio = Writer::new();
                    saio.u32(0).u32(1).u32((traf + 8 + first_vector) as u32);
                    extra.traf.extend(write_box(*b"saio", &saio.done()));
                }
            }
        }
        if rotate.is_some() && !over {
            extra.traf.extend(self.group(named.kid, samples.len()));
            let header = playready::header(&[named], scheme, self.protector.la_url.as_deref());
            extra.moof = self.protector.header_box(&header);
        }
        Ok(extra)
    }

    /// The `seig` sample group of `count` samples, all of one key. ISO/IEC 23001-7 6.
    fn group(&self, kid: Kid, count: usize) -> Vec<u8> {
        let pattern = self.protector.pattern(self.track);
        let mut description = Writer::new();
        description.u32(1 << 24).bytes(b"seig").u32(20).u32(1);
        description
            .u8(0)
            .u8(pattern.crypt << 4 | pattern.skip)
            .u8(1)
            .u8(self.protector.iv_size)
            .bytes(&kid.0);
        let mut group = Writer::new();
        group.u32(0).bytes(b"seig").u32(1).u32(count as u32).u32(0x1_0001);
        [write_box(*b"sbgp", &group.done()), write_box(*b"sgpd", &description.done())].concat()
    }

    /// The vector of the next sample, of `len` bytes: no block counter comes twice.
    fn vector(&mut self, len: usize) -> Vec<u8> {
        let count = self.count;
        if self.protector.iv_size == 8 {
            self.count = count.wrapping_add(1);
            return self.own.wrapping_add(count).to_be_bytes().to_vec();
        }
        self.count = count.wrapping_add(len.div_ceil(16).max(1) as u64);
        [self.own.to_be_bytes(), count.to_be_bytes()].concat()
    }
}

/// Pictures but for lengths, headers and what is no slice. A sample that is no list of NAL units stays clear.
fn subsamples(sample: &[u8], nal_length: usize, hevc: bool) -> Vec<Subsample> {
    let (mut parts, mut clear, mut at) = (Vec::new(), 0, 0);
    while let Some(length) = sample.get(at..at + nal_length) {
        let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let Some(unit) = sample.get(at + nal_length..).and_then(|rest| rest.get(..length)) else { break };
        let first = unit.first().copied().unwrap_or(0);
        let slice = if hevc { first >> 1 & 0x3f < 32 } else { matches!(first & 0x1f, 1..=5) };
        let head = if slice { length.min(SLICE_HEAD) } else { length };
        clear += nal_length + head;
        if length > head {
            push(&mut parts, clear, length - head);
            clear = 0;
        }
        at += nal_length + length;
    }
    clear += sample.len() - at;
    if clear > 0 || parts.is_empty() {
        push(&mut parts, clear, 0);
    }
    parts
}

/// Clear bytes are told in 16 bits.
fn push(parts: &mut Vec<Subsample>, mut clear: usize, protected: usize) {
    const MOST: usize = u16::MAX as usize;
    while clear > MOST {
        parts.push(Subsample { clear: MOST as u32, protected: 0 });
        clear -= MOST;
    }
    parts.push(Subsample { clear: clear as u32, protected: protected as u32 });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(kind: u8, len: usize) -> Vec<u8> {
        let mut unit = (len as u32).to_be_bytes().to_vec();
        unit.push(kind);
        unit.resize(4 + len, 7);
        unit
    }

    #[test]
    fn only_slices_are_encrypted_behind_their_heads() {
        let sample = [unit(9, 2), unit(6, 70_000), unit(0x65, 1000), unit(0x41, 16), unit(0x41, 17)].concat();
        let parts = subsamples(&sample, 4, false);
        let pairs: Vec<_> = parts.iter().map(|part| (part.clear, part.protected)).collect();
        let clear = 6 + 70_004 + 20;
        assert_eq!(pairs, [(65_535, 0), (clear - 65_535, 984), (40, 1)]);
        assert_eq!(subsamples(&unit(0x02, 100), 4, true).len(), 1);
        assert_eq!(subsamples(&unit(0x40, 100), 4, true)[0].protected, 0);
        // No list of NAL units.
        assert_eq!(subsamples(&[0, 0, 9, 9, 1], 4, false), [Subsample { clear: 5, protected: 0 }]);
        assert_eq!(subsamples(&[], 4, false), [Subsample { clear: 0, protected: 0 }]);
    }
}
