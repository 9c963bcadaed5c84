//! The core's HTTP trait over C's tables: a whole stack, or byte streams under the built-in client.

use core::ffi::c_void;

use super::codes::{SMOOTHCORE_END, SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use super::given::Given;
use super::media::{smoothcore_request, smoothcore_response};
use super::ports::{smoothcore_http_port, smoothcore_ports};
use super::scratch::UrlText;
#[cfg(feature = "http1")]
use super::streams::StreamPort;
use super::{fill, record, text};
use crate::error::Code;
#[cfg(feature = "http1")]
use crate::http1::Http1;
use crate::io::{Request, RequestId, Response};
use crate::port::{Http, Progress};
use crate::time::Instant;

/// Least memory the built-in client works in.
#[cfg(feature = "http1")]
const CLIENT_BYTES: usize = 32 << 10;

/// Whatever brings bytes. One lies in each player, on the heap with it: the difference in size costs nothing.
#[allow(clippy::large_enum_variant)]
pub(super) enum Wire {
    Stack(HttpPort),
    #[cfg(feature = "http1")]
    Streams(Http1<StreamPort>),
}

impl Wire {
    /// The one of the two ports that is given.
    ///
    /// # Errors
    /// [`Code::Argument`] for none, both, or one that is incomplete; [`Code::Abi`]; [`Code::Unsupported`] for byte streams
    /// without the built-in client; [`Code::Budget`]; [`Code::NoMemory`].
    ///
    /// # Safety
    /// `ports` as the header says.
    pub unsafe fn read(ports: &smoothcore_ports, given: &mut Given) -> Result<Wire, Code> {
        match (ports.http.is_null(), ports.streams.is_null()) {
            // SAFETY: the caller's promise.
            (false, true) => Ok(Wire::Stack(unsafe { HttpPort::read(ports.http, given) }?)),
            #[cfg(feature = "http1")]
            (true, false) => {
                let client = CLIENT_BYTES.max(given.total() / 16);
                given.set_aside(client)?;
                // SAFETY: the caller's promise.
                let port = unsafe { StreamPort::read(ports.streams, given) }?;
                Ok(Wire::Streams(Http1::within(port, &given.core.limits, client).map_err(|e| e.code)?))
            }
            #[cfg(not(feature = "http1"))]
            (true, false) => Err(Code::Unsupported),
            _ => Err(Code::Argument),
        }
    }
}

impl Http for Wire {
    fn start(&mut self, at: Instant, request: &Request<'_>) -> Result<(), Code> {
        match self {
            Wire::Stack(port) => port.start(at, request),
            #[cfg(feature = "http1")]
            Wire::Streams(client) => client.start(at, request),
        }
    }

    fn response(&mut self, at: Instant, id: RequestId) -> Progress<Response<'_>> {
        match self {
            Wire::Stack(port) => port.response(at, id),
            #[cfg(feature = "http1")]
            Wire::Streams(client) => client.response(at, id),
        }
    }

    fn read(&mut self, at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        match self {
            Wire::Stack(port) => port.read(at, id, buffer),
            #[cfg(feature = "http1")]
            Wire::Streams(client) => client.read(at, id, buffer),
        }
    }

    fn cancel(&mut self, id: RequestId) {
        match self {
            Wire::Stack(port) => port.cancel(id),
            #[cfg(feature = "http1")]
            Wire::Streams(client) => client.cancel(id),
        }
    }
}

/// What a negative result of an HTTP port means; a positive one that has no meaning breaks the contract.
pub(super) fn network_code(result: i32) -> Code {
    match (result, Code::from_number(result)) {
        (1.., _) => Code::PortContract,
        (-299..=-200, Some(code)) => code,
        _ => Code::NetworkIo,
    }
}

/// How a read or write that moved `count` of at most `most` bytes went.
pub(super) fn moved(result: i32, count: usize, most: usize) -> Progress<usize> {
    match result {
        SMOOTHCORE_OK if count > 0 && count <= most => Progress::Ready(count),
        SMOOTHCORE_OK => Progress::Failed(Code::PortContract),
        SMOOTHCORE_WOULD_BLOCK => Progress::Pending,
        SMOOTHCORE_END => Progress::End,
        other => Progress::Failed(network_code(other)),
    }
}

/// A response head of C's.
///
/// # Errors
/// [`Code::Argument`] for a status or length that cannot be; [`Code::UrlInvalid`] for the final URL.
///
/// # Safety
/// Its strings are NULL or end with NUL, and live during `'a`.
pub(super) unsafe fn head<'a>(head: &smoothcore_response, url_bytes: usize) -> Result<Response<'a>, Code> {
    let status = u16::try_from(head.status).ok().filter(|s| (100..1000).contains(s)).ok_or(Code::Argument)?;
    let content_length = match head.content_length {
        -1 => None,
        length => Some(u64::try_from(length).map_err(|_| Code::Argument)?),
    };
    // SAFETY: the caller's promise, here and below.
    let final_url = match unsafe { text::url(head.final_url, url_bytes) } {
        _ if head.final_url.is_null() => "",
        Ok(url) => url,
        Err(_) => return Err(Code::UrlInvalid),
    };
    // SAFETY: as above.
    unsafe {
        Ok(Response {
            status,
            final_url,
            content_length,
            content_type: text::header(head.content_type),
            content_encoding: text::header(head.content_encoding),
            date: text::header(head.date),
        })
    }
}

/// An HTTP stack of C's, complete.
pub(super) struct HttpPort {
    userdata: *mut c_void,
    start: unsafe extern "C" fn(*mut c_void, *const smoothcore_request) -> i32,
    response: unsafe extern "C" fn(*mut c_void, u32, *mut smoothcore_response) -> i32,
    read: unsafe extern "C" fn(*mut c_void, u32, *mut u8, usize, *mut usize) -> i32,
    cancel: unsafe extern "C" fn(*mut c_void, u32),
    url: UrlText,
    url_bytes: usize,
}

impl HttpPort {
    /// # Safety
    /// `table` as the header says.
    unsafe fn read(table: *const smoothcore_http_port, given: &Given) -> Result<HttpPort, Code> {
        // SAFETY: the caller's promise.
        let table = unsafe { record::read(table) }?;
        let (Some(start), Some(response), Some(read), Some(cancel)) =
            (table.start, table.response, table.read, table.cancel)
        else {
            return Err(Code::Argument);
        };
        if table.reserved != 0 {
            return Err(Code::Argument);
        }
        let url_bytes = given.reserve.url_bytes;
        let url = UrlText::new(url_bytes)?;
        Ok(HttpPort { userdata: table.userdata, start, response, read, cancel, url, url_bytes })
    }
}

// Each unsafe block calls a function of the port with memory that lives during the call: its own contract.
impl Http for HttpPort {
    fn start(&mut self, _: Instant, request: &Request<'_>) -> Result<(), Code> {
        let request = fill::request(request, &mut self.url)?;
        // SAFETY: above.
        match unsafe { (self.start)(self.userdata, &raw const request) } {
            SMOOTHCORE_OK => Ok(()),
            other => Err(network_code(other)),
        }
    }

    fn response(&mut self, _: Instant, id: RequestId) -> Progress<Response<'_>> {
        let mut out = smoothcore_response { content_length: -1, ..record::blank() };
        // SAFETY: above.
        match unsafe { (self.response)(self.userdata, id.0, &raw mut out) } {
            // SAFETY: the port's strings live until it is called again, which needs `self` anew.
            SMOOTHCORE_OK => match unsafe { head(&out, self.url_bytes) } {
                Ok(head) => Progress::Ready(head),
                Err(Code::Argument) => Progress::Failed(Code::PortContract),
                Err(_) => Progress::Failed(Code::HttpSyntax),
            },
            SMOOTHCORE_WOULD_BLOCK => Progress::Pending,
            other => Progress::Failed(network_code(other)),
        }
    }

    fn read(&mut self, _: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        let mut got = 0usize;
        let (to, most) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: above.
        moved(unsafe { (self.read)(self.userdata, id.0, to, most, &raw mut got) }, got, most)
    }

    fn cancel(&mut self, id: RequestId) {
        // SAFETY: above.
        unsafe { (self.cancel)(self.userdata, id.0) }
    }
}
