//! Where things lie in a fragmented file: its `moov`, and every fragment by its index or by looking.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::boxes::{self, Boxes, Fields};
use super::reader::Reader;

/// The longest `moov` or `mfra` that is read into memory.
const LONGEST_INDEX: u64 = 64 << 20;
/// The most boxes looked at between a `moof` and its `mdat`.
const MOST_BETWEEN: usize = 16;

/// One fragment of a file, from its `moof` to the end of the next `mdat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub track: u32,
    /// Start in ticks, where the index names it.
    pub time: Option<u64>,
    pub offset: u64,
    pub size: u64,
}

/// Every fragment of a file, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Fragments {
    pub list: Vec<Place>,
    /// Whether the file has an index of all of them.
    pub by_index: bool,
    /// Sentences about what is wrong.
    pub warnings: Vec<String>,
}

/// Offset and content of the `moov` box.
///
/// # Errors
/// When there is none, or it is too long.
pub fn moov(reader: &Reader) -> Result<(u64, Vec<u8>)> {
    let mut at = 0;
    while at < reader.len() {
        let head = reader.head(at)?;
        if &head.kind == b"moov" {
            ensure!(head.size <= LONGEST_INDEX, "moov of {} bytes", head.size);
            return Ok((at, reader.bytes(at + head.len, head.size - head.len)?));
        }
        at += head.size;
    }
    bail!("no moov box")
}

/// Finds every `moof` with its `mdat`; times from the index at the end, where it has them.
///
/// # Errors
/// When a `moof` says nothing about its track.
pub fn fragments(reader: &Reader) -> Result<Fragments> {
    let mut found = Fragments::default();
    let index = match index(reader) {
        Ok(index) => index,
        Err(error) => {
            found.warnings.push(format!("mfra not usable: {error:#}"));
            None
        }
    };
    let mut at = 0;
    while at < reader.len() {
        let head = match reader.head(at) {
            Ok(head) => head,
            Err(error) => {
                found.warnings.push(format!("the file ends in the middle of something: {error:#}"));
                break;
            }
        };
        if &head.kind == b"moof" {
            let Ok(size) = extent(reader, at, head.size) else {
                found.warnings.push(format!("the fragment at byte {at} is not complete"));
                break;
            };
            let track = track_of(&reader.bytes(at + head.len, head.size - head.len)?)
                .with_context(|| format!("moof at byte {at}"))?;
            let time = index.as_ref().and_then(|index| index.get(&(track, at)).copied());
            found.list.push(Place { track, time, offset: at, size });
        }
        at += head.size;
    }
    found.by_index = !found.list.is_empty() && found.list.iter().all(|place| place.time.is_some());
    if index.is_some() && !found.by_index && !found.list.is_empty() {
        found.warnings.push("mfra does not list every fragment".to_owned());
    }
    Ok(found)
}

/// Bytes from the `moof` at `at` to the end of the next `mdat`.
fn extent(reader: &Reader, at: u64, moof: u64) -> Result<u64> {
    let mut end = at + moof;
    for _ in 0..MOST_BETWEEN {
        let head = reader.head(end)?;
        end += head.size;
        match &head.kind {
            b"mdat" => return Ok(end - at),
            b"moof" => break,
            _ => {}
        }
    }
    bail!("no mdat follows")
}

fn track_of(moof: &[u8]) -> Result<u32> {
    let mut fields = Fields::new(boxes::need(moof, &[b"traf", b"tfhd"])?);
    fields.full()?;
    fields.u32()
}

/// Start times by track and offset, from the `mfra` box that ends the file, if one does (ISO/IEC 14496-12 8.8.9).
fn index(reader: &Reader) -> Result<Option<BTreeMap<(u32, u64), u64>>> {
    let Some(tail) = reader.len().checked_sub(16) else { return Ok(None) };
    let bytes = reader.bytes(tail, 16)?;
    let mut fields = Fields::new(&bytes);
    if fields.u32()? != 16 || fields.take(4)? != b"mfro" {
        return Ok(None);
    }
    fields.full()?;
    let size = fields.u32()?;
    let at = reader.len().checked_sub(size.into()).context("mfro points before the file")?;
    let head = reader.head(at)?;
    ensure!(&head.kind == b"mfra" && head.size <= LONGEST_INDEX, "mfro points at {}", boxes::name(head.kind));
    let mfra = reader.bytes(at + head.len, head.size - head.len)?;
    let mut index = BTreeMap::new();
    for child in Boxes::new(&mfra) {
        let (kind, content) = child?;
        if &kind != b"tfra" {
            continue;
        }
        let mut fields = Fields::new(content);
        let (version, _) = fields.full()?;
        let id = fields.u32()?;
        let lengths = fields.u32()?;
        let numbers = [lengths >> 4, lengths >> 2, lengths].iter().map(|bits| (bits & 3) as usize + 1).sum();
        for _ in 0..fields.u32()? {
            let (time, offset) = (fields.time(version)?, fields.time(version)?);
            fields.take(numbers)?;
            // Several entries may point into one moof; the first names its start.
            index.entry((id, offset)).or_insert(time);
        }
    }
    Ok(Some(index))
}
