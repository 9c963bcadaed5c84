//! Where the fragments of a file lie: by its index, or by looking at every one of them.
//!
//! An index that the file has stays in the file: entries are of one size and ascend, so they are searched in place and
//! take no memory. Where there is none, as after an encoder has crashed, every `moof` is looked at once, and what is
//! kept is the change of the distance from one fragment to the next: three to five bytes each.

use super::files::{FileId, Files, Got, PAGE, Stop};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, List};
use crate::mp4::index::{IndexEntry, MFRO_BYTES, index_size};
use crate::mp4::{SampleTable, parse_moof};
use crate::port::Source;

mod packed;

use packed::{Packed, PackedAt};

/// Bytes of `tfra` before its entries: version and flags, track, lengths, count.
const TFRA_HEAD: usize = 16;
/// Boxes looked at between a `moof` and its `mdat`.
const MOST_BETWEEN: u32 = 16;
/// Bytes read where a box header is all that is wanted.
const HEADER: usize = 32;

/// The index of one file.
pub(super) struct FileIndex {
    pub file: FileId,
    stage: Stage,
    tables: List<Table>,
    scan: Scan,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nothing is known.
    New,
    /// In `mfra`, before the box at the first place; the second is where it ends.
    Mfra(u64, u64),
    /// The index in the file has been read, whatever it holds.
    Indexed,
    /// Before the box at this place.
    Scanning(u64),
    /// Every box has been looked at.
    Scanned,
}

/// What a scan remembers from box to box.
#[derive(Default)]
struct Scan {
    samples: SampleTable,
    boxes: u32,
    /// A `moof` without its `mdat` so far: track, time and place.
    open: Option<(u32, u64, u64)>,
}

/// The fragments of one track.
struct Table {
    track_id: u32,
    count: u32,
    entries: Entries,
    /// For a scan: where the next fragment should start, and what `tfxd` is ahead of decoding.
    next: u64,
    ahead: u64,
}

enum Entries {
    /// In the file at this place, each of so many bytes; times and places of 32 bits in version 0.
    File { at: u64, bytes: u8, version: u8 },
    /// In memory.
    Packed(Packed),
}

/// A search in progress.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Search {
    low: u32,
    /// 0 before the first step.
    high: u32,
}

impl FileIndex {
    pub(super) fn new(file: FileId) -> FileIndex {
        FileIndex { file, stage: Stage::New, tables: List::new(), scan: Scan::default() }
    }

    /// Makes sure that the fragments of a track are known as far as they can be; 0 stands for the only track.
    pub(super) fn prepare<S: Source>(
        &mut self,
        files: &mut Files<S>,
        account: &mut Account,
        limits: &Limits,
        track_id: u32,
    ) -> Got<()> {
        // Each round passes one box, or goes on to the next stage.
        loop {
            self.stage = match self.stage {
                Stage::New => self.find_mfra(files, account)?,
                Stage::Mfra(at, end) => match self.mfra_child(files, account, limits, at, end) {
                    Ok(stage) => stage,
                    Err(Stop::Failed(error)) if !ends_all(error) => {
                        log::warn!(target: crate::trace::LOCAL, "an index of fragments is broken and not used");
                        self.forget(account);
                        Stage::Indexed
                    }
                    other => other?,
                },
                // A live archive may end with an index of nothing.
                Stage::Indexed if self.count(track_id) == 0 => Stage::Scanning(0),
                Stage::Scanning(at) => {
                    let stage = self.scan(files, account, limits, at)?;
                    if stage == Stage::Scanned {
                        self.scan.samples.free(account);
                    }
                    stage
                }
                Stage::Indexed | Stage::Scanned => return Ok(()),
            };
        }
    }

    /// Fragments known of a track.
    pub(super) fn count(&self, track_id: u32) -> u32 {
        self.table(track_id).map_or(0, |table| table.count)
    }

    /// The place of the fragment that starts exactly at `time`; `None` when there is none.
    pub(super) fn find<S: Source>(
        &self,
        files: &mut Files<S>,
        account: &mut Account,
        track_id: u32,
        time: u64,
        search: &mut Search,
    ) -> Got<Option<u64>> {
        let Some(table) = self.table(track_id) else { return Ok(None) };
        if let Entries::Packed(packed) = &table.entries {
            let found = packed.iter().find(|entry| entry.time == time);
            return Ok(found.map(|entry| entry.moof_offset));
        }
        if search.high == 0 {
            *search = Search { low: 0, high: table.count };
        }
        // Halves what is left in each round.
        while search.low < search.high {
            let middle = search.low.wrapping_add(search.high.wrapping_sub(search.low) / 2);
            let Some(entry) = self.entry(files, account, track_id, middle, HEADER)? else { return Ok(None) };
            if entry.time == time {
                return Ok(Some(entry.moof_offset));
            } else if entry.time < time {
                search.low = middle.wrapping_add(1);
            } else {
                search.high = middle;
            }
        }
        Ok(None)
    }

    /// The nth fragment of a track whose index is in the file; `None` past the end.
    fn entry<S: Source>(
        &self,
        files: &mut Files<S>,
        account: &mut Account,
        track_id: u32,
        nth: u32,
        ahead: usize,
    ) -> Got<Option<IndexEntry>> {
        let Some(Table { entries: Entries::File { at, bytes, version }, count, .. }) = self.table(track_id)
        else {
            return Ok(None);
        };
        if nth >= *count {
            return Ok(None);
        }
        let place = at.saturating_add(u64::from(nth).saturating_mul(u64::from(*bytes)));
        let fields = files.peek(account, self.file, place, usize::from(*bytes), ahead)?;
        Ok(numbers(fields, *version).map(|(time, moof_offset, _)| IndexEntry { time, moof_offset }))
    }

    /// The last fragment of a track.
    pub(super) fn last<S: Source>(
        &self,
        files: &mut Files<S>,
        account: &mut Account,
        track_id: u32,
    ) -> Got<Option<IndexEntry>> {
        match self.table(track_id) {
            Some(Table { entries: Entries::Packed(packed), .. }) => Ok(packed.iter().last()),
            Some(table) => self.entry(files, account, track_id, table.count.saturating_sub(1), HEADER),
            None => Ok(None),
        }
    }

    /// The next fragment of a track, one after the other from a new cursor on; `None` past the end.
    pub(super) fn next<S: Source>(
        &self,
        files: &mut Files<S>,
        account: &mut Account,
        track_id: u32,
        cursor: &mut Cursor,
    ) -> Got<Option<IndexEntry>> {
        let entry = match self.table(track_id).map(|table| &table.entries) {
            Some(Entries::Packed(packed)) => packed.next(&mut cursor.packed),
            _ => self.entry(files, account, track_id, cursor.passed, PAGE)?,
        };
        if entry.is_some() {
            cursor.passed = cursor.passed.saturating_add(1);
        }
        Ok(entry)
    }

    fn table(&self, track_id: u32) -> Option<&Table> {
        self.tables.iter().find(|table| track_id == 0 || table.track_id == track_id)
    }

    fn forget(&mut self, account: &mut Account) {
        for table in self.tables.iter_mut() {
            if let Entries::Packed(packed) = &mut table.entries {
                packed.bytes.free(account);
            }
        }
        self.tables.free(account);
    }

    /// Looks at the end of the file. ISO/IEC 14496-12 8.8.11.
    fn find_mfra<S: Source>(&mut self, files: &mut Files<S>, account: &mut Account) -> Got<Stage> {
        let size = files.open(self.file)?;
        let Some(tail) = size.checked_sub(MFRO_BYTES as u64) else { return Ok(Stage::Indexed) };
        let bytes = files.peek(account, self.file, tail, MFRO_BYTES, MFRO_BYTES)?;
        let length = bytes.first_chunk::<MFRO_BYTES>().and_then(index_size);
        Ok(match length.and_then(|length| size.checked_sub(u64::from(length))) {
            Some(at) => Stage::Mfra(at, size),
            None => Stage::Indexed,
        })
    }

    /// Passes one box of `mfra`, which itself starts where the walk does.
    fn mfra_child<S: Source>(
        &mut self,
        files: &mut Files<S>,
        account: &mut Account,
        limits: &Limits,
        at: u64,
        end: u64,
    ) -> Got<Stage> {
        if end.saturating_sub(at) < 8 {
            return Ok(Stage::Indexed);
        }
        let head = files.box_head(account, self.file, at, end, PAGE)?;
        let inside = at.saturating_add(head.header);
        match &head.kind {
            // The outer box: its content is walked.
            b"mfra" => return Ok(Stage::Mfra(inside, head.end)),
            b"tfra" => {}
            _ => return Ok(Stage::Mfra(head.end, end)),
        }
        if self.tables.len() >= limits.streams.saturating_mul(4) as usize {
            return Err(Error::at(Code::LimitBoxes, "mfra", at).into());
        }
        let invalid = Error::at(Code::BoxInvalid, "mfra/tfra", at);
        let fields = files.peek(account, self.file, inside, TFRA_HEAD, PAGE)?;
        let [version, _, _, _, i, j, k, l, .., lengths, a, b, c, d] = fields else {
            return Err(invalid.into());
        };
        let (track_id, count) = (u32::from_be_bytes([*i, *j, *k, *l]), u32::from_be_bytes([*a, *b, *c, *d]));
        // Three numbers of one to four bytes each follow time and place.
        let numbers = (lengths >> 4 & 3).wrapping_add(lengths >> 2 & 3).wrapping_add(lengths & 3);
        let bytes = numbers.wrapping_add(3).wrapping_add(if *version == 0 { 8 } else { 16 });
        let (version, first) = (*version, inside.saturating_add(TFRA_HEAD as u64));
        if count > limits.fragments {
            return Err(Error::at(Code::LimitFragments, "mfra/tfra", at).into());
        }
        if first.saturating_add(u64::from(count).saturating_mul(u64::from(bytes))) > head.end {
            return Err(invalid.into());
        }
        if count > 0 && (track_id == 0 || self.count(track_id) == 0) {
            let entries = Entries::File { at: first, bytes, version };
            self.tables.push(account, Table { track_id, count, entries, next: 0, ahead: 0 })?;
        }
        Ok(Stage::Mfra(head.end, end))
    }

    /// Passes one box at the top level of a file without index.
    fn scan<S: Source>(
        &mut self,
        files: &mut Files<S>,
        account: &mut Account,
        limits: &Limits,
        at: u64,
    ) -> Got<Stage> {
        let size = files.open(self.file)?;
        self.scan.boxes = self.scan.boxes.saturating_add(1);
        if self.scan.boxes > limits.fragments.saturating_mul(4) {
            return Err(Error::at(Code::LimitBoxes, "file", at).into());
        }
        if size.saturating_sub(at) < 8 {
            return Ok(Stage::Scanned);
        }
        let head = match files.box_head(account, self.file, at, size, HEADER) {
            // Whoever crashed did so in the middle of something.
            Err(Stop::Failed(error)) if error.code == Code::BoxInvalid => return Ok(Stage::Scanned),
            head => head?,
        };
        match &head.kind {
            b"moof" => {
                let bytes = head.end.saturating_sub(at);
                if bytes > u64::from(limits.moof_bytes) {
                    return Err(Error::at(Code::LimitMoofBytes, "moof", at).into());
                }
                let moof = files.peek(account, self.file, at, bytes as usize, bytes as usize)?;
                self.scan.open = match self.moof(account, limits, moof, at) {
                    Err(error) if ends_all(error) => return Err(error.into()),
                    found => found.ok(),
                };
            }
            b"mdat" => {
                if let Some((track_id, time, offset)) = self.scan.open.take() {
                    self.keep(account, limits, track_id, IndexEntry { time, moof_offset: offset })?;
                }
            }
            _ => {}
        }
        Ok(Stage::Scanning(head.end))
    }

    /// Track, time and place of one fragment.
    fn moof(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        moof: &[u8],
        at: u64,
    ) -> Result<(u32, u64, u64)> {
        let samples = &mut self.scan.samples;
        samples.clear();
        let info = parse_moof(moof, 0, account, limits, samples)?;
        // Any place will do: only the first composition offset is wanted.
        let _ = samples.place(0, info.bytes);
        let lead = samples.samples().first().map_or(0, |s| u64::try_from(s.composition).unwrap_or(0));
        samples.clear();
        let table = match self.tables.iter_mut().position(|t| t.track_id == info.track_id) {
            Some(n) => self.tables.get_mut(n),
            None => {
                let entries = Entries::Packed(Packed::default());
                let table = Table { track_id: info.track_id, count: 0, entries, next: 0, ahead: 0 };
                if self.tables.len() >= limits.streams.saturating_mul(4) as usize {
                    return Err(Error::at(Code::LimitBoxes, "file", at));
                }
                self.tables.push(account, table)?;
                self.tables.last_mut()
            }
        };
        let table = table.ok_or(Code::State)?;
        let time = match (info.tfdt, info.tfxd) {
            (Some(time), _) => time,
            (None, Some(span)) => {
                // Some writers give the presentation time here. Seen at the start, where decoding is at 0.
                if table.count == 0 && span.time == lead {
                    table.ahead = lead;
                }
                span.time.saturating_sub(table.ahead)
            }
            (None, None) => table.next,
        };
        let duration = if info.duration == 0 { info.tfxd.map_or(0, |s| s.duration) } else { info.duration };
        table.next = time.saturating_add(duration);
        Ok((info.track_id, time, at))
    }

    fn keep(
        &mut self,
        account: &mut Account,
        limits: &Limits,
        track_id: u32,
        entry: IndexEntry,
    ) -> Result<()> {
        let table = self.tables.iter_mut().find(|table| table.track_id == track_id);
        let Some(Table { entries: Entries::Packed(packed), count, .. }) = table else { return Ok(()) };
        if *count >= limits.fragments {
            return Err(Error::at(Code::LimitFragments, "moof", entry.moof_offset));
        }
        packed.push(account, entry)?;
        *count = count.saturating_add(1);
        Ok(())
    }
}

/// Where a fragment ends: behind the next `mdat`. `at` goes on from the `moof` box by box.
pub(super) fn extent<S: Source>(
    files: &mut Files<S>,
    account: &mut Account,
    file: FileId,
    at: &mut u64,
    passed: &mut u32,
) -> Got<u64> {
    let size = files.open(file)?;
    while *passed < MOST_BETWEEN {
        let head = files.box_head(account, file, *at, size, HEADER)?;
        let first = *passed == 0;
        if first != (head.kind == *b"moof") {
            break;
        }
        if head.kind == *b"mdat" {
            return Ok(head.end);
        }
        *at = head.end;
        *passed = passed.saturating_add(1);
    }
    Err(Error::at(Code::BoxInvalid, "mfra", *at).into())
}

/// Time, place and the rest of an index entry.
fn numbers(fields: &[u8], version: u8) -> Option<(u64, u64, &[u8])> {
    if version == 0 {
        let (time, rest) = fields.split_first_chunk::<4>()?;
        let (place, rest) = rest.split_first_chunk::<4>()?;
        Some((u64::from(u32::from_be_bytes(*time)), u64::from(u32::from_be_bytes(*place)), rest))
    } else {
        let (time, rest) = fields.split_first_chunk::<8>()?;
        let (place, rest) = rest.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*time), u64::from_be_bytes(*place), rest))
    }
}

/// Whether `error` ends more than what it is about.
pub(super) const fn ends_all(error: Error) -> bool {
    matches!(error.code, Code::Budget | Code::NoMemory | Code::PortContract)
}

/// Where one reader of a track's fragments is.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Cursor {
    passed: u32,
    packed: PackedAt,
}
