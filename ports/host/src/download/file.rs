//! One media file on its way: the index, then fragments as they arrive, and a journal to go on from.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::media::reader::Reader;
use crate::media::scan;
use crate::media::write::{boxed, full, u32s, u64s};

/// A media file that grows under the name `FILE.part`.
#[derive(Debug)]
pub struct LevelFile {
    path: PathBuf,
    part: PathBuf,
    out: File,
    /// `FILE.part.log`: track and size of the index, then time, offset and size of every fragment that is whole.
    journal: File,
    track_id: u32,
    head: u64,
    /// Start in ticks, and offset in the file.
    entries: Vec<(u64, u64)>,
    at: u64,
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(extension);
    name.into()
}

/// The track of a file that holds exactly the fragments at `times`; `None` when it is not there or holds others.
pub fn complete(path: &Path, times: &[u64]) -> Option<u32> {
    let reader = Reader::open(path).ok()?;
    let found = scan::fragments(&reader).ok()?;
    let first = found.list.first()?.track;
    let same = found.list.iter().map(|place| place.time).eq(times.iter().map(|time| Some(*time)));
    (same && found.by_index && found.list.iter().all(|place| place.track == first)).then_some(first)
}

impl LevelFile {
    /// Starts a file with its index.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path, track_id: u32, head: &[u8]) -> Result<Self> {
        let part = beside(path, ".part");
        let opened = || -> std::io::Result<(File, File)> {
            let mut out =
                OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&part)?;
            let mut journal = File::create(beside(path, ".part.log"))?;
            out.write_all(head)?;
            writeln!(journal, "{track_id} {}", head.len())?;
            Ok((out, journal))
        };
        let (out, journal) = opened().with_context(|| part.display().to_string())?;
        let head = head.len() as u64;
        Ok(Self { path: path.to_owned(), part, out, journal, track_id, head, entries: Vec::new(), at: head })
    }

    /// The file that an earlier run left, up to where it holds the fragments at `times`; `None` when there is none of use.
    ///
    /// # Errors
    /// When it is there and cannot be opened.
    pub fn resume(path: &Path, times: &[u64]) -> Result<Option<Self>> {
        let (part, log) = (beside(path, ".part"), beside(path, ".part.log"));
        let Ok(text) = std::fs::read_to_string(&log) else { return Ok(None) };
        let Ok(mut out) = OpenOptions::new().read(true).write(true).open(&part) else { return Ok(None) };
        let len = out.metadata()?.len();
        let numbers =
            |line: &str| line.split(' ').map(|word| word.parse().ok()).collect::<Option<Vec<u64>>>();
        // A line that was being written has no end yet.
        let mut lines = text.split_inclusive('\n').filter_map(|line| numbers(line.strip_suffix('\n')?));
        let Some([track_id, head]) = lines.next().and_then(|line| <[u64; 2]>::try_from(line).ok()) else {
            return Ok(None);
        };
        let (mut entries, mut at) = (Vec::new(), head);
        for line in lines {
            let Ok([time, offset, size]) = <[u64; 3]>::try_from(line) else { break };
            if times.get(entries.len()) != Some(&time) || offset != at || at + size > len {
                break;
            }
            entries.push((time, offset));
            at += size;
        }
        if entries.is_empty() {
            return Ok(None);
        }
        out.set_len(at)?;
        out.seek(SeekFrom::Start(at))?;
        let mut journal = File::create(&log)?;
        writeln!(journal, "{track_id} {head}")?;
        let ends = entries.iter().skip(1).map(|(_, offset)| *offset).chain([at]);
        for ((time, offset), end) in entries.iter().zip(ends) {
            writeln!(journal, "{time} {offset} {}", end - offset)?;
        }
        let track_id = u32::try_from(track_id)?;
        Ok(Some(Self { path: path.to_owned(), part, out, journal, track_id, head, entries, at }))
    }

    /// Fragments it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn track_id(&self) -> u32 {
        self.track_id
    }

    /// Starts of the fragments it holds.
    pub fn times(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().map(|(time, _)| *time)
    }

    /// Takes a whole fragment that starts at `time`, to the byte.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn push(&mut self, time: u64, bytes: &[u8]) -> Result<()> {
        let mut written = || -> std::io::Result<()> {
            self.out.write_all(bytes)?;
            writeln!(self.journal, "{time} {} {}", self.at, bytes.len())
        };
        written().with_context(|| self.part.display().to_string())?;
        self.entries.push((time, self.at));
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Ends the file with the list of its fragments, and gives it its name. `head` is the index as it is at the end.
    ///
    /// # Errors
    /// When it cannot be written, or `head` is not as long as the one it began with.
    pub fn finish(mut self, head: &[u8]) -> Result<()> {
        ensure!(head.len() as u64 == self.head, "the index changed its size");
        let offsets = self.moofs()?;
        let mut mfra = Vec::new();
        boxed(&mut mfra, b"mfra", |out| {
            full(out, b"tfra", 1, 0, |out| {
                u32s(out, &[self.track_id, 0, offsets.len() as u32]);
                for (time, offset) in &offsets {
                    u64s(out, &[*time, *offset]);
                    out.extend_from_slice(&[1, 1, 1]);
                }
            });
            let size = out.len() as u32 + 16;
            full(out, b"mfro", 0, 0, |out| u32s(out, &[size]));
        });
        let mut written = || -> std::io::Result<()> {
            self.out.seek(SeekFrom::Start(self.at))?;
            self.out.write_all(&mfra)?;
            self.out.seek(SeekFrom::Start(0))?;
            self.out.write_all(head)?;
            self.out.sync_all()?;
            std::fs::rename(&self.part, &self.path)
        };
        written().with_context(|| self.part.display().to_string())?;
        let _ = std::fs::remove_file(beside(&self.path, ".part.log"));
        Ok(())
    }

    /// Start of each fragment, and where its `moof` lies: other boxes may stand before it.
    fn moofs(&mut self) -> Result<Vec<(u64, u64)>> {
        let mut list = Vec::new();
        for (time, offset) in &self.entries {
            let mut at = *offset;
            loop {
                let mut head = [0; 8];
                self.out.seek(SeekFrom::Start(at))?;
                self.out.read_exact(&mut head)?;
                let [a, b, c, d, kind @ ..] = head;
                if &kind == b"moof" {
                    break;
                }
                let size = u64::from(u32::from_be_bytes([a, b, c, d]));
                ensure!(size >= 8, "a box of {size} bytes at {at}");
                at += size;
            }
            list.push((*time, at));
        }
        Ok(list)
    }
}
