//! Makes of a Smooth Streaming fragment one that every MP4 reader takes.
//!
//! What a server sends counts on a client that knows the time of a fragment from its URL, its scale from the manifest,
//! and the boxes of PIFF. Here each `moof` is made anew from the sample table, so that whatever was odd about the old
//! one is gone: the `track_ID` of the `moov`, a `tfdt`, one `trun` with every number of every sample, `senc` with
//! `saiz` and `saio` instead of the box of PIFF, and samples in one piece. Boxes that speak of the same samples stay.

use anyhow::{Context, Result, ensure};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::encryption::{self, EncryptionTable};
use smoothcore::mp4::{Body, BodyEnd, BoxWalk, Found, MoofInfo, SampleEntry, SampleTable, parse_moof};

use super::boxes;

/// What tables may hold while one fragment is rewritten, in bytes.
const ROOM: usize = 256 << 20;

/// What the fragment does not say itself.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// When it starts, in ticks of the stream: the time of its URL.
    pub start: u64,
    /// How long it lasts by the manifest, for samples without a duration; ticks.
    pub duration: u64,
    /// The track of the `moov`.
    pub track_id: u32,
    /// Whether the `moov` says that the samples of the track are encrypted.
    pub protection: Protection,
    /// Counts the `moof` boxes of the file, from one; raised by as many as are written.
    pub sequence: u32,
}

/// What a `moov` says of its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// They are clear.
    None,
    /// They are encrypted, unless a fragment says otherwise.
    Track,
}

/// One `moof` with its samples.
struct Pair<'a> {
    moof: &'a [u8],
    info: MoofInfo,
    /// Its samples among those of the body.
    first: usize,
}

/// The fragment in `body` as `moof` and `mdat`, or several of them, with nothing around.
///
/// # Errors
/// When `body` is no whole fragment.
pub fn fragment(body: &[u8], place: &mut Place) -> Result<Vec<u8>> {
    let limits = Limits { moof_bytes: 4 << 20, samples: 1 << 20, ..Limits::default() };
    let mut account = Account::new(ROOM);
    let mut samples = SampleTable::new();
    let mut table = EncryptionTable::new();
    let pairs = read(body, &limits, &mut account, &mut samples, &mut table)?;
    samples.spread(place.duration);

    let mut out = Vec::with_capacity(body.len() + 1024);
    let mut time = place.start;
    for pair in &pairs {
        let range = pair.first..pair.first + pair.info.samples as usize;
        let own = &samples.samples()[range.clone()];
        write(body, pair, own, &table, time, place, &mut out)?;
        time += own.iter().map(|s| u64::from(s.duration)).sum::<u64>();
        place.sequence += 1;
    }
    Ok(out)
}

fn read<'a>(
    body: &'a [u8],
    limits: &Limits,
    account: &mut Account,
    samples: &mut SampleTable,
    table: &mut EncryptionTable,
) -> Result<Vec<Pair<'a>>> {
    let whole = Body { source: body, end: BodyEnd::Reached, content_length: Some(body.len() as u64) };
    let mut walk = BoxWalk::new();
    let mut pairs = Vec::new();
    loop {
        match walk.advance(&whole, limits)? {
            Found::Moof { offset, size } => {
                let moof = &body[offset as usize..offset as usize + size as usize];
                let first = samples.samples().len();
                let info = parse_moof(moof, offset, account, limits, samples)?;
                // A table of encryption may lie behind it.
                encryption::parse(&body[offset as usize..], &info, samples, account, limits, table)?;
                pairs.push(Pair { moof, info, first });
            }
            Found::Mdat { payload_offset, payload_size } => samples.place(payload_offset, payload_size)?,
            Found::End | Found::NeedMore { .. } => break,
        }
    }
    samples.finish()?;
    Ok(pairs)
}

fn write(
    body: &[u8],
    pair: &Pair,
    samples: &[SampleEntry],
    table: &EncryptionTable,
    time: u64,
    place: &Place,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut boxes = Writer { out };
    let start = boxes.out.len();
    let moof = boxes.open(b"moof");
    let mfhd = boxes.open_full(b"mfhd", 0, 0);
    boxes.u32(place.sequence);
    boxes.close(mfhd);
    let traf = boxes.open(b"traf");
    // The default base of data offsets is the moof.
    let tfhd = boxes.open_full(b"tfhd", 0, 0x02_0000);
    boxes.u32(place.track_id);
    boxes.close(tfhd);
    let tfdt = boxes.open_full(b"tfdt", 1, 0);
    boxes.u64(time);
    boxes.close(tfdt);
    // Version 1: composition offsets have a sign.
    let trun = boxes.open_full(b"trun", 1, 0xF01);
    boxes.u32(samples.len() as u32);
    let data_offset = boxes.out.len();
    boxes.u32(0);
    for sample in samples {
        boxes.u32(sample.duration);
        boxes.u32(sample.size);
        boxes.u32(sample.flags);
        boxes.u32(sample.composition as u32);
    }
    boxes.close(trun);
    boxes.keep(pair.info.traf.of(pair.moof), &[b"sdtp", b"subs", b"sbgp", b"sgpd"])?;
    boxes.encryption(start, pair.first, samples, table, place.protection)?;
    boxes.close(traf);
    let payload = pair.moof.get(8..).context("a moof without content")?;
    boxes.keep(payload, &[b"pssh"])?;
    boxes.close(moof);

    let mdat_len = 8 + samples.iter().map(|s| u64::from(s.size)).sum::<u64>();
    let offset = u32::try_from(boxes.out.len() - start + 8)?;
    boxes.out[data_offset..data_offset + 4].copy_from_slice(&offset.to_be_bytes());
    boxes.u32(u32::try_from(mdat_len).context("a fragment of more than 4 GiB")?);
    boxes.out.extend_from_slice(b"mdat");
    for sample in samples {
        let at = sample.offset as usize;
        boxes.out.extend_from_slice(body.get(at..at + sample.size as usize).context("a sample outside")?);
    }
    Ok(())
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn u32(&mut self, n: u32) {
        self.out.extend_from_slice(&n.to_be_bytes());
    }

    fn u64(&mut self, n: u64) {
        self.out.extend_from_slice(&n.to_be_bytes());
    }

    fn open(&mut self, kind: &[u8; 4]) -> usize {
        let start = self.out.len();
        self.u32(0);
        self.out.extend_from_slice(kind);
        start
    }

    fn open_full(&mut self, kind: &[u8; 4], version: u8, flags: u32) -> usize {
        let start = self.open(kind);
        self.u32(u32::from(version) << 24 | flags);
        start
    }

    fn close(&mut self, start: usize) {
        let size = (self.out.len() - start) as u32;
        self.out[start..start + 4].copy_from_slice(&size.to_be_bytes());
    }

    /// Copies the children of these kinds.
    fn keep(&mut self, parent: &[u8], kinds: &[&[u8; 4]]) -> Result<()> {
        for child in boxes::Boxes::new(parent) {
            let (kind, content) = child?;
            if kinds.contains(&&kind) {
                let copy = self.open(&kind);
                self.out.extend_from_slice(content);
                self.close(copy);
            }
        }
        Ok(())
    }

    /// `senc` with what finds it, when a sample is encrypted; `start` is where the `moof` starts.
    fn encryption(
        &mut self,
        start: usize,
        first: usize,
        samples: &[SampleEntry],
        table: &EncryptionTable,
        protection: Protection,
    ) -> Result<()> {
        let rows: Vec<_> = (first..first + samples.len()).map(|i| table.sample(i)).collect();
        let Some(first) = rows.iter().flatten().next() else {
            if protection == Protection::Track {
                self.clear(samples.len() as u32);
            }
            return Ok(());
        };
        // A clear sample among encrypted ones is one whose only part is clear, which needs the parts of all.
        let parted = rows.iter().any(|row| row.is_none_or(|s| !s.subsamples.is_empty()));
        // A constant vector stands in the `tenc` or the sample group, not here.
        let iv_len = if first.iv == first.setting.constant_iv.as_slice() { 0 } else { first.iv.len() };
        let mut entries = Vec::new();
        let mut sizes = Vec::new();
        for (row, sample) in rows.iter().zip(samples) {
            let before = entries.len();
            let iv = row.map_or(&[0; 16][..iv_len], |s| s.iv);
            ensure!(iv_len == 0 || iv.len() == iv_len, "vectors of {} and {iv_len} bytes", iv.len());
            entries.extend_from_slice(&iv[..iv_len]);
            if parted {
                let parts = match row {
                    Some(s) if !s.subsamples.is_empty() => {
                        s.subsamples.iter().map(|p| (p.clear, p.protected)).collect()
                    }
                    Some(_) => vec![(0, sample.size)],
                    None => clear_parts(sample.size),
                };
                entries.extend_from_slice(&u16::try_from(parts.len())?.to_be_bytes());
                for (clear, protected) in parts {
                    entries.extend_from_slice(&u16::try_from(clear)?.to_be_bytes());
                    entries.extend_from_slice(&protected.to_be_bytes());
                }
            }
            sizes.push(entries.len() - before);
        }
        if !entries.is_empty() && sizes.iter().all(|size| *size <= 255) {
            self.auxiliary(start, &sizes)?;
        }
        let senc = self.open_full(b"senc", 0, if parted { 2 } else { 0 });
        self.u32(rows.len() as u32);
        self.out.extend_from_slice(&entries);
        self.close(senc);
        Ok(())
    }

    /// A sample group that says that the samples are clear (ISO/IEC 23001-7 6).
    fn clear(&mut self, samples: u32) {
        let sgpd = self.open_full(b"sgpd", 1, 0);
        self.out.extend_from_slice(b"seig");
        self.u32(20);
        self.u32(1);
        self.out.extend_from_slice(&[0; 20]);
        self.close(sgpd);
        let sbgp = self.open_full(b"sbgp", 0, 0);
        self.out.extend_from_slice(b"seig");
        self.u32(1);
        self.u32(samples);
        // The first group of this fragment, not of the track.
        self.u32(0x1_0001);
        self.close(sbgp);
    }

    /// `saiz` and `saio` for the `senc` that follows them.
    fn auxiliary(&mut self, start: usize, sizes: &[usize]) -> Result<()> {
        let same = sizes.iter().all(|size| *size == sizes[0]);
        let saiz = self.open_full(b"saiz", 0, 0);
        self.out.push(if same { sizes[0] as u8 } else { 0 });
        self.u32(sizes.len() as u32);
        if !same {
            self.out.extend(sizes.iter().map(|size| *size as u8));
        }
        self.close(saiz);
        let saio = self.open_full(b"saio", 0, 0);
        self.u32(1);
        // This number, then head and count of `senc`.
        self.u32(u32::try_from(self.out.len() - start + 4 + 16)?);
        self.close(saio);
        Ok(())
    }
}

/// Parts of a clear sample: a part counts its clear bytes in 16 bits.
fn clear_parts(size: u32) -> Vec<(u32, u32)> {
    let mut parts = vec![(0xFFFF, 0); (size / 0xFFFF) as usize];
    if !size.is_multiple_of(0xFFFF) || parts.is_empty() {
        parts.push((size % 0xFFFF, 0));
    }
    parts
}

#[cfg(test)]
mod tests;
