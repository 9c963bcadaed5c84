//! The file seam: seekable bytes by name.

use super::Progress;
use crate::error::Code;

/// Files, or whatever else can be read at any place: a disk, a flash image, an archive.
///
/// Names are what was opened, or lie in its directory or below: `/` between parts, never `..`. A source may block, as a
/// disk does; one that would rather not says `Pending` and is asked again, perhaps after other places were read.
pub trait Source {
    /// One open file.
    type File;

    /// Opens `name` for reading. [`Progress::End`]: there is no such file.
    fn open(&mut self, name: &str) -> Progress<Self::File>;

    /// Bytes of the file.
    ///
    /// # Errors
    /// [`Code::FileIo`] or any other.
    fn size(&mut self, file: &mut Self::File) -> Result<u64, Code>;

    /// Reads bytes from `offset` on into `buffer` (never empty): how many, at most its length. `End` at the file's end.
    fn read_at(&mut self, file: &mut Self::File, offset: u64, buffer: &mut [u8]) -> Progress<usize>;

    /// Closes. Exactly once for each file.
    fn close(&mut self, file: Self::File);
}
