//! Bytes to read anywhere in: a file, or what was fetched.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::boxes::{self, Head, LONGEST_HEAD};

/// A file or a body.
#[derive(Debug)]
pub enum Reader {
    File(File, u64),
    Memory(Vec<u8>),
}

impl Reader {
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let metadata = file.metadata().with_context(|| path.display().to_string())?;
        ensure!(!metadata.is_dir(), "{}: is a directory", path.display());
        Ok(Self::File(file, metadata.len()))
    }

    /// Bytes there are.
    pub fn len(&self) -> u64 {
        match self {
            Self::File(_, len) => *len,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// `len` bytes from `at` on.
    ///
    /// # Errors
    /// When they are not there.
    pub fn bytes(&self, at: u64, len: u64) -> Result<Vec<u8>> {
        ensure!(
            at.checked_add(len).is_some_and(|end| end <= self.len()),
            "{len} bytes at {at}: past the end of the file"
        );
        match self {
            Self::File(file, _) => {
                let mut bytes = vec![0; usize::try_from(len)?];
                file.read_exact_at(&mut bytes, at)?;
                Ok(bytes)
            }
            Self::Memory(all) => Ok(all[at as usize..(at + len) as usize].to_vec()),
        }
    }

    /// At most `most` bytes from the start.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn start(&self, most: u64) -> Result<Vec<u8>> {
        self.bytes(0, most.min(self.len()))
    }

    /// The head of the box at `at`.
    ///
    /// # Errors
    /// When it is no box, or reaches past the end.
    pub fn head(&self, at: u64) -> Result<Head> {
        ensure!(at < self.len(), "box at byte {at}: past the end of the file");
        let room = self.len() - at;
        let bytes = self.bytes(at, room.min(LONGEST_HEAD as u64))?;
        boxes::head(&bytes, room).with_context(|| format!("box at byte {at}"))
    }
}
