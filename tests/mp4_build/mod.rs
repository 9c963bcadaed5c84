//! Makes boxes, and reads bodies the way a session does.

#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use smoothcore::error::Error;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::{Body, BodyEnd, BoxWalk, Found, MoofInfo, SampleTable, parse_moof};

/// A box with a 32-bit size.
pub fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut b = (payload.len() as u32 + 8).to_be_bytes().to_vec();
    b.extend_from_slice(kind);
    b.extend_from_slice(payload);
    b
}

/// A box with a 64-bit size.
pub fn boxed64(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut b = 1u32.to_be_bytes().to_vec();
    b.extend_from_slice(kind);
    b.extend_from_slice(&(payload.len() as u64 + 16).to_be_bytes());
    b.extend_from_slice(payload);
    b
}

/// A box of an extended type.
pub fn uuid(id: &[u8; 16], payload: &[u8]) -> Vec<u8> {
    boxed(b"uuid", &[id, payload].concat())
}

/// A FullBox.
pub fn full(kind: &[u8; 4], version: u8, flags: u32, fields: &[u8]) -> Vec<u8> {
    boxed(kind, &full_payload(version, flags, fields))
}

pub fn full_payload(version: u8, flags: u32, fields: &[u8]) -> Vec<u8> {
    let mut p = flags.to_be_bytes().to_vec();
    p[0] = version;
    p.extend_from_slice(fields);
    p
}

/// Numbers of 32 bits.
pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

pub fn longs(longs: &[u64]) -> Vec<u8> {
    longs.iter().flat_map(|w| w.to_be_bytes()).collect()
}

pub fn mfhd(sequence: u32) -> Vec<u8> {
    full(b"mfhd", 0, 0, &words(&[sequence]))
}

/// `tfhd` with flags and, after the track, whatever they announce.
pub fn tfhd(flags: u32, fields: &[u32]) -> Vec<u8> {
    full(b"tfhd", 0, flags, &words(&[&[1], fields].concat()))
}

pub fn trun(flags: u32, count: u32, fields: &[u32]) -> Vec<u8> {
    full(b"trun", 0, flags, &words(&[&[count], fields].concat()))
}

pub fn moof(traf_children: &[Vec<u8>]) -> Vec<u8> {
    boxed(b"moof", &[mfhd(7), boxed(b"traf", &traf_children.concat())].concat())
}

/// `moof` of children that depend on the size of the `moof`, as data offsets do.
pub fn moof_with(make: impl Fn(u32) -> Vec<Vec<u8>>) -> Vec<u8> {
    let size = moof(&make(0)).len() as u32;
    moof(&make(size))
}

pub fn mdat(payload: &[u8]) -> Vec<u8> {
    boxed(b"mdat", payload)
}

/// A fragment like those of common origins: three samples of 4, 5 and 6 bytes, 10, 20 and 30 ticks.
pub fn usual() -> Vec<u8> {
    let moof = moof_with(|size| {
        vec![
            tfhd(0x20, &[0x0101_0000]),
            trun(0x305, 3, &[size + 8, 0x0200_0000, 10, 4, 20, 5, 30, 6]),
            tfxd(1, 1000, 60),
        ]
    });
    [moof, mdat(b"aaaabbbbbcccccc")].concat()
}

pub fn tfxd(version: u8, time: u64, duration: u64) -> Vec<u8> {
    uuid(&smoothcore::mp4::uuid::TFXD, &full_payload(version, 0, &span(version, time, duration)))
}

pub fn tfrf(version: u8, count: u8, spans: &[(u64, u64)]) -> Vec<u8> {
    let mut fields = vec![count];
    for (time, duration) in spans {
        fields.extend_from_slice(&span(version, *time, *duration));
    }
    uuid(&smoothcore::mp4::uuid::TFRF, &full_payload(version, 0, &fields))
}

fn span(version: u8, time: u64, duration: u64) -> Vec<u8> {
    if version == 0 { words(&[time as u32, duration as u32]) } else { longs(&[time, duration]) }
}

/// A body that was read.
#[derive(Debug)]
pub struct Read {
    pub infos: Vec<MoofInfo>,
    pub table: SampleTable,
}

impl Read {
    /// Bytes of each sample.
    pub fn samples<'a>(&self, body: &'a [u8]) -> Vec<&'a [u8]> {
        self.table
            .samples()
            .iter()
            .map(|s| &body[s.offset as usize..s.offset as usize + s.size as usize])
            .collect()
    }
}

pub fn read(body: &[u8]) -> Result<Read, Error> {
    read_with(body, Some(body.len() as u64), usize::MAX, &Limits::default())
}

/// Reads a body that arrives in pieces. Checks after every step that no sample reaches beyond its body.
pub fn read_with(
    body: &[u8],
    content_length: Option<u64>,
    piece: usize,
    limits: &Limits,
) -> Result<Read, Error> {
    let mut account = Account::new(8 << 20);
    let mut walk = BoxWalk::new();
    let mut read = Read { infos: Vec::new(), table: SampleTable::new() };
    let mut arrived = 0;
    let mut steps = 0u32;
    loop {
        steps += 1;
        assert!(steps < 1_000_000, "no progress");
        let end = if arrived == body.len() { BodyEnd::Reached } else { BodyEnd::Open };
        let so_far = Body { source: &body[..arrived], end, content_length };
        match walk.advance(&so_far, limits)? {
            Found::Moof { offset, size } => {
                let bytes = &body[..arrived][offset as usize..offset as usize + size as usize];
                let before = read.table.samples().to_vec();
                let parsed = parse_moof(bytes, offset, &mut account, limits, &mut read.table);
                assert_eq!(read.table.samples(), before, "nothing is shown before it has a place");
                read.infos.push(parsed?);
            }
            Found::Mdat { payload_offset, payload_size } => {
                read.table.place(payload_offset, payload_size)?;
                let end = payload_offset + payload_size;
                assert!(read.table.samples().iter().all(|s| u64::from(s.offset) + u64::from(s.size) <= end));
            }
            Found::NeedMore { until } => {
                assert!(end == BodyEnd::Open, "more wanted after the end");
                assert!(until > arrived as u64, "{until} has arrived");
                arrived = arrived.saturating_add(piece).min(body.len());
            }
            Found::End => {
                read.table.finish()?;
                break;
            }
        }
    }
    Ok(read)
}

/// A fragment taken apart, to be put together in another shape.
#[derive(Clone, Debug)]
pub struct Parts {
    pub time: u64,
    /// Duration, flags, composition offset, bytes.
    pub samples: Vec<(u32, u32, i32, Vec<u8>)>,
}

impl Parts {
    pub fn of(body: &[u8], time: u64) -> Parts {
        let read = read(body).unwrap();
        let bytes = read.samples(body);
        let samples = read.table.samples().iter().zip(bytes);
        let samples = samples.map(|(s, b)| (s.duration, s.flags, s.composition, b.to_vec())).collect();
        Parts { time, samples }
    }

    pub fn duration(&self) -> u64 {
        self.samples.iter().map(|s| u64::from(s.0)).sum()
    }

    /// The bytes of all samples.
    pub fn payload(&self) -> Vec<u8> {
        self.samples.iter().flat_map(|s| s.3.clone()).collect()
    }

    /// A `trun` with every number; `data_offset` when there is one.
    pub fn run(&self, data_offset: Option<u32>) -> Vec<u8> {
        let mut fields: Vec<u32> = data_offset.into_iter().collect();
        for (duration, flags, composition, bytes) in &self.samples {
            fields.extend([*duration, bytes.len() as u32, *flags, *composition as u32]);
        }
        trun(0xF00 | u32::from(data_offset.is_some()), self.samples.len() as u32, &fields)
    }

    /// The first `count` samples, and the others.
    pub fn split(&self, count: usize) -> (Parts, Parts) {
        let (a, b) = self.samples.split_at(count);
        let first = Parts { time: self.time, samples: a.to_vec() };
        let time = self.time + first.duration();
        (first, Parts { time, samples: b.to_vec() })
    }

    pub fn tfxd(&self) -> Vec<u8> {
        tfxd(1, self.time, self.duration())
    }

    /// As a careful origin sends it.
    pub fn plain(&self) -> Vec<u8> {
        let moof = moof_with(|size| vec![tfhd(0, &[]), self.run(Some(size + 8)), self.tfxd()]);
        [moof, mdat(&self.payload())].concat()
    }
}

/// Random numbers, always the same ones.
pub fn dice() -> impl FnMut() -> u64 {
    let mut x = 0x9E37_79B9_7F4A_7C15u64;
    move || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    }
}

/// Overwrites so many bytes, often with those at the edges of what a byte holds.
pub fn spoil(bytes: &mut [u8], times: u64, next: &mut impl FnMut() -> u64) {
    for _ in 0..times {
        let at = next() as usize % bytes.len();
        let edges = [0, 1, 0x7F, 0x80, 0xFF];
        bytes[at] = if next().is_multiple_of(2) { next() as u8 } else { edges[next() as usize % 5] };
    }
}
