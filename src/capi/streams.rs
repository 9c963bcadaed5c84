//! The core's byte streams over C's table.

use core::ffi::c_void;
use core::fmt;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use super::codes::{SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use super::given::Given;
use super::ports::smoothcore_stream_port;
use super::record;
use super::scratch::UrlText;
use super::wire::{moved, network_code};
use crate::error::Code;
use crate::port::{Progress, Security, Streams};

/// Byte streams of C's, complete.
pub(super) struct StreamPort {
    connect: unsafe extern "C" fn(*mut c_void, *const core::ffi::c_char, u32, u32, *mut *mut c_void) -> i32,
    calls: Calls,
    host: UrlText,
}

/// What a connection needs.
#[derive(Clone, Copy)]
struct Calls {
    userdata: *mut c_void,
    connected: unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32,
    read: unsafe extern "C" fn(*mut c_void, *mut c_void, *mut u8, usize, *mut usize) -> i32,
    write: unsafe extern "C" fn(*mut c_void, *mut c_void, *const u8, usize, *mut usize) -> i32,
    close: unsafe extern "C" fn(*mut c_void, *mut c_void),
}

/// One connection of C's.
pub(super) struct Stream {
    calls: Calls,
    connection: *mut c_void,
}

impl StreamPort {
    /// # Errors
    /// [`Code::Argument`] for a missing function; [`Code::Abi`]; [`Code::NoMemory`].
    ///
    /// # Safety
    /// `table` as the header says.
    pub unsafe fn read(table: *const smoothcore_stream_port, given: &Given) -> Result<StreamPort, Code> {
        // SAFETY: the caller's promise.
        let table = unsafe { record::read(table) }?;
        let (Some(connect), Some(connected), Some(read), Some(write), Some(close)) =
            (table.connect, table.connected, table.read, table.write, table.close)
        else {
            return Err(Code::Argument);
        };
        if table.reserved != 0 {
            return Err(Code::Argument);
        }
        let calls = Calls { userdata: table.userdata, connected, read, write, close };
        // A host is part of a URL, so it fits where a URL does.
        Ok(StreamPort { connect, calls, host: UrlText::new(given.reserve.url_bytes)? })
    }
}

// Each unsafe block here and below calls a function of the port with memory that lives during the call: its own
// contract.
impl Streams for StreamPort {
    type Stream = Stream;

    fn connect(&mut self, host: &str, port: u16, security: Security) -> Result<Stream, Code> {
        let host = self.host.put(host)?;
        let secure = match security {
            Security::Plain => 0,
            Security::Tls => 1,
        };
        let mut connection = core::ptr::null_mut();
        // SAFETY: above.
        match unsafe {
            (self.connect)(self.calls.userdata, host, u32::from(port), secure, &raw mut connection)
        } {
            SMOOTHCORE_OK => Ok(Stream { calls: self.calls, connection }),
            other if other == Code::Unsupported.number() => Err(Code::Unsupported),
            other => Err(network_code(other)),
        }
    }

    fn connected(&mut self, stream: &mut Stream) -> Progress<()> {
        // SAFETY: above.
        match unsafe { (self.calls.connected)(self.calls.userdata, stream.connection) } {
            SMOOTHCORE_OK => Progress::Ready(()),
            SMOOTHCORE_WOULD_BLOCK => Progress::Pending,
            other => Progress::Failed(network_code(other)),
        }
    }

    fn close(&mut self, stream: Stream) {
        // SAFETY: above.
        unsafe { (self.calls.close)(self.calls.userdata, stream.connection) }
    }
}

/// Why a stream did not move; the built-in client turns it back into a code.
#[derive(Debug)]
pub(super) struct Fault(ErrorKind);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream port failed")
    }
}

impl core::error::Error for Fault {}

impl embedded_io::Error for Fault {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Fault {
        Fault(match code {
            Code::Connect => ErrorKind::ConnectionRefused,
            Code::IdleTimeout | Code::ConnectTimeout | Code::FirstByteTimeout => ErrorKind::TimedOut,
            Code::Tls => ErrorKind::InvalidData,
            Code::PortContract => ErrorKind::InvalidInput,
            _ => ErrorKind::Other,
        })
    }
}

/// Not ready: readiness of C's streams is only known by trying.
const NOT_READY: Fault = Fault(ErrorKind::Interrupted);

impl ErrorType for Stream {
    type Error = Fault;
}

impl ReadReady for Stream {
    fn read_ready(&mut self) -> Result<bool, Fault> {
        Ok(true)
    }
}

impl WriteReady for Stream {
    fn write_ready(&mut self) -> Result<bool, Fault> {
        Ok(true)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let (to, most, mut got) = (buffer.as_mut_ptr(), buffer.len(), 0usize);
        // SAFETY: above.
        let result =
            unsafe { (self.calls.read)(self.calls.userdata, self.connection, to, most, &raw mut got) };
        match moved(result, got, most) {
            Progress::Ready(count) => Ok(count),
            Progress::Pending => Err(NOT_READY),
            Progress::End => Ok(0),
            Progress::Failed(code) => Err(code.into()),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, data: &[u8]) -> Result<usize, Fault> {
        if data.is_empty() {
            return Ok(0);
        }
        let (from, most, mut put) = (data.as_ptr(), data.len(), 0usize);
        // SAFETY: above.
        let result =
            unsafe { (self.calls.write)(self.calls.userdata, self.connection, from, most, &raw mut put) };
        match moved(result, put, most) {
            Progress::Ready(count) => Ok(count),
            Progress::Pending => Err(NOT_READY),
            // A peer that takes no more has gone.
            Progress::End => Err(Fault(ErrorKind::Other)),
            Progress::Failed(code) => Err(code.into()),
        }
    }

    fn flush(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}
