//! The core's files over C's table, and what is on disk as one more way to bring bytes.

use core::ffi::c_void;

use super::codes::{SMOOTHCORE_END, SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use super::given::Given;
use super::ports::smoothcore_source_port;
use super::record;
use super::scratch::UrlText;
use crate::error::Code;
use crate::port::{Progress, Source};

/// Files of C's, complete.
pub(super) struct SourcePort {
    userdata: *mut c_void,
    open: unsafe extern "C" fn(*mut c_void, *const core::ffi::c_char, *mut *mut c_void) -> i32,
    size: unsafe extern "C" fn(*mut c_void, *mut c_void, *mut u64) -> i32,
    read_at: unsafe extern "C" fn(*mut c_void, *mut c_void, u64, *mut u8, usize, *mut usize) -> i32,
    close: unsafe extern "C" fn(*mut c_void, *mut c_void),
    name: UrlText,
}

impl SourcePort {
    /// # Errors
    /// [`Code::Argument`] for a missing function; [`Code::Abi`]; [`Code::NoMemory`].
    ///
    /// # Safety
    /// `table` as the header says.
    pub unsafe fn read(table: *const smoothcore_source_port, given: &Given) -> Result<SourcePort, Code> {
        // SAFETY: the caller's promise.
        let table = unsafe { record::read(table) }?;
        let (Some(open), Some(size), Some(read_at), Some(close)) =
            (table.open, table.size, table.read_at, table.close)
        else {
            return Err(Code::Argument);
        };
        if table.reserved != 0 {
            return Err(Code::Argument);
        }
        let name = UrlText::new(given.reserve.url_bytes)?;
        Ok(SourcePort { userdata: table.userdata, open, size, read_at, close, name })
    }
}

/// What a negative result of a source means; a positive one that has no meaning breaks the contract.
fn file_code(result: i32) -> Code {
    match (result, Code::from_number(result)) {
        (0.., _) => Code::PortContract,
        (_, Some(code)) => code,
        _ => Code::FileIo,
    }
}

// Each unsafe block calls a function of the port with memory that lives during the call: its own contract.
impl Source for SourcePort {
    type File = *mut c_void;

    fn open(&mut self, name: &str) -> Progress<*mut c_void> {
        let name = match self.name.put(name) {
            Ok(name) => name,
            Err(code) => return Progress::Failed(code),
        };
        let mut file = core::ptr::null_mut();
        // SAFETY: above.
        match unsafe { (self.open)(self.userdata, name, &raw mut file) } {
            SMOOTHCORE_OK => Progress::Ready(file),
            SMOOTHCORE_WOULD_BLOCK => Progress::Pending,
            SMOOTHCORE_END => Progress::End,
            other => Progress::Failed(file_code(other)),
        }
    }

    fn size(&mut self, file: &mut *mut c_void) -> Result<u64, Code> {
        let mut size = 0;
        // SAFETY: above.
        match unsafe { (self.size)(self.userdata, *file, &raw mut size) } {
            SMOOTHCORE_OK => Ok(size),
            other => Err(file_code(other)),
        }
    }

    fn read_at(&mut self, file: &mut *mut c_void, offset: u64, buffer: &mut [u8]) -> Progress<usize> {
        let mut got = 0usize;
        let (to, most) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: above.
        match unsafe { (self.read_at)(self.userdata, *file, offset, to, most, &raw mut got) } {
            SMOOTHCORE_OK if got > 0 && got <= most => Progress::Ready(got),
            SMOOTHCORE_WOULD_BLOCK => Progress::Pending,
            SMOOTHCORE_END => Progress::End,
            other => Progress::Failed(file_code(other)),
        }
    }

    fn close(&mut self, file: *mut c_void) {
        // SAFETY: above.
        unsafe { (self.close)(self.userdata, file) }
    }
}
