//! The open files, and a window through which their structure is read.

use crate::error::{Code, Error, Result};
use crate::mem::{Account, Bytes, List, Text};
use crate::port::{Progress, Source};

/// Bytes read at a time where more of the same is likely to be wanted.
pub(super) const PAGE: usize = 2 << 10;
/// Files of one presentation.
const MOST_FILES: usize = 512;
/// Bytes of the longest box header: size, type and a large size.
const LONGEST_HEADER: u64 = 16;

/// Why something is not there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    /// Not yet: the source is busy.
    Pending,
    /// And never will be.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

/// Something out of a file.
pub(super) type Got<T> = core::result::Result<T, Stop>;

/// One file, by its place in the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FileId(u16);

/// A box at the top level of a file, or below `mfra`.
#[derive(Clone, Copy, Debug)]
pub(super) struct BoxHead {
    pub kind: [u8; 4],
    /// Bytes of its header.
    pub header: u64,
    /// Where it ends.
    pub end: u64,
}

struct Slot<F> {
    name: Text,
    file: Option<F>,
    size: u64,
    /// What became of opening it.
    fault: Option<Error>,
}

/// The files and the window.
pub(super) struct Files<S: Source> {
    source: S,
    slots: List<Slot<S::File>>,
    window: Bytes,
    /// Whose bytes the window holds, from where, and how many of them are there.
    owner: Option<FileId>,
    from: u64,
    filled: usize,
}

impl<S: Source> Files<S> {
    pub(super) fn new(source: S) -> Files<S> {
        Files { source, slots: List::new(), window: Bytes::new(), owner: None, from: 0, filled: 0 }
    }

    pub(super) const fn source(&mut self) -> &mut S {
        &mut self.source
    }

    /// The file of that name, opened or not.
    ///
    /// # Errors
    /// [`Code::LimitStreams`] for too many files; [`Code::Budget`]; [`Code::NoMemory`].
    pub(super) fn named(&mut self, account: &mut Account, name: &str) -> Result<FileId> {
        let at = match self.slots.iter().position(|slot| &*slot.name == name) {
            Some(at) => at,
            None if self.slots.len() >= MOST_FILES => return Err(Code::LimitStreams.into()),
            None => {
                self.slots.reserve(account, 1)?;
                let name = Text::from(account, name)?;
                self.slots.push(account, Slot { name, file: None, size: 0, fault: None })?;
                self.slots.len().saturating_sub(1)
            }
        };
        Ok(FileId(u16::try_from(at).unwrap_or(u16::MAX)))
    }

    /// Opens a file unless it is open, and tells its size.
    pub(super) fn open(&mut self, id: FileId) -> Got<u64> {
        let Files { source, slots, .. } = self;
        let slot = slots.get_mut(usize::from(id.0)).ok_or(Error::from(Code::State))?;
        if let Some(fault) = slot.fault {
            return Err(fault.into());
        }
        if slot.file.is_some() {
            return Ok(slot.size);
        }
        let fault = match source.open(&slot.name) {
            Progress::Pending => return Err(Stop::Pending),
            Progress::Ready(mut file) => match source.size(&mut file) {
                Ok(size) => {
                    slot.size = size;
                    slot.file = Some(file);
                    return Ok(size);
                }
                Err(code) => {
                    source.close(file);
                    code
                }
            },
            Progress::End => Code::NoFile,
            Progress::Failed(code) => code,
        };
        let fault = Error::at(fault, "file", 0);
        slot.fault = Some(fault);
        Err(fault.into())
    }

    /// Reads into a buffer of the caller's, as [`Source::read_at`].
    pub(super) fn read(&mut self, id: FileId, at: u64, buffer: &mut [u8]) -> Progress<usize> {
        let most = buffer.len();
        let Some(Slot { file: Some(file), .. }) = self.slots.get_mut(usize::from(id.0)) else {
            return Progress::Failed(Code::State);
        };
        match self.source.read_at(file, at, buffer) {
            Progress::Ready(count) if count == 0 || count > most => Progress::Failed(Code::PortContract),
            other => other,
        }
    }

    /// `want` bytes of an open file from `at` on; when they must be fetched, up to `ahead` bytes come with them.
    pub(super) fn peek(
        &mut self,
        account: &mut Account,
        id: FileId,
        at: u64,
        want: usize,
        ahead: usize,
    ) -> Got<&[u8]> {
        let size = self.open(id)?;
        let left = size.saturating_sub(at);
        if (want as u64) > left {
            return Err(Error::at(Code::FragmentTruncated, "file", size).into());
        }
        let inside = self.owner == Some(id)
            && at >= self.from
            && at.saturating_add(want as u64) <= self.from.saturating_add(self.window.len() as u64);
        if !inside {
            // Most windows are small; one that held a whole moov goes.
            if self.window.capacity() > PAGE {
                self.window.free(account);
            }
            (self.owner, self.from, self.filled) = (None, at, 0);
            self.window.clear();
            let len = usize::try_from((want.max(ahead) as u64).min(left)).unwrap_or(want);
            self.window.reserve_exact(account, len)?;
            self.window.resize(account, len, 0)?;
            self.owner = Some(id);
        }
        let skip = usize::try_from(at.saturating_sub(self.from)).unwrap_or(usize::MAX);
        let until = skip.saturating_add(want);
        // Each round reads a byte at least.
        while self.filled < until {
            let (filled, from) = (self.filled, self.from);
            let mut window = core::mem::take(&mut self.window);
            let room = window.get_mut(filled..).unwrap_or(&mut []);
            let got = self.read(id, from.saturating_add(filled as u64), room);
            self.window = window;
            match got {
                Progress::Ready(count) => self.filled = filled.saturating_add(count),
                Progress::Pending => return Err(Stop::Pending),
                Progress::End => return Err(Error::at(Code::FragmentTruncated, "file", from).into()),
                Progress::Failed(code) => return Err(Error::at(code, "file", from).into()),
            }
        }
        Ok(self.window.get(skip..until).unwrap_or(&[]))
    }

    /// The header of the box at `at`, which must lie before `end`. ISO/IEC 14496-12 4.2.
    pub(super) fn box_head(
        &mut self,
        account: &mut Account,
        id: FileId,
        at: u64,
        end: u64,
        ahead: usize,
    ) -> Got<BoxHead> {
        let invalid = Error::at(Code::BoxInvalid, "file", at);
        let want = end.saturating_sub(at).min(LONGEST_HEADER) as usize;
        let bytes = self.peek(account, id, at, want, ahead)?;
        let ([a, b, c, d, kind @ ..], rest) = bytes.split_first_chunk::<8>().ok_or(invalid)?;
        let (mut header, mut size) = (8u64, u64::from(u32::from_be_bytes([*a, *b, *c, *d])));
        if size == 1 {
            (header, size) = (16, u64::from_be_bytes(*rest.first_chunk::<8>().ok_or(invalid)?));
        } else if size == 0 {
            size = end.saturating_sub(at);
        }
        match at.checked_add(size) {
            Some(stop) if size >= header && stop <= end => Ok(BoxHead { kind: *kind, header, end: stop }),
            _ => Err(invalid.into()),
        }
    }

    /// Gives the window's memory back.
    pub(super) fn shrink(&mut self, account: &mut Account) {
        if self.window.capacity() > PAGE {
            self.window.free(account);
            self.owner = None;
        }
    }
}

impl<S: Source> Drop for Files<S> {
    fn drop(&mut self) {
        while let Some(slot) = self.slots.pop() {
            if let Some(file) = slot.file {
                self.source.close(file);
            }
        }
    }
}
