//! The core's HTTP trait over C's tables: a whole stack, byte streams under the built-in client, or files.

use core::ffi::c_void;

use super::codes::{SMOOTHCORE_END, SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
#[cfg(feature = "local")]
use super::files::SourcePort;
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
#[cfg(feature = "local")]
use crate::local::{Local, URL, is_local};
use crate::mem::Text;
#[cfg(feature = "local")]
use crate::mem::{Account, List};
use crate::port::{Http, Progress};
use crate::time::Instant;

/// Least memory the built-in client, or what is on disk, works in.
#[cfg(any(feature = "http1", feature = "local"))]
const CLIENT_BYTES: usize = 32 << 10;

/// Whatever brings bytes: a network, files, or both.
pub(super) struct Wire {
    net: Net,
    /// One, on the heap, with a source; the account is its own.
    #[cfg(feature = "local")]
    files: List<Local<SourcePort>>,
    /// Whether what plays is on disk.
    #[cfg(feature = "local")]
    on_disk: bool,
}

/// A network. One lies in each player, on the heap with it: the difference in size costs nothing.
#[allow(clippy::large_enum_variant)]
enum Net {
    None,
    Stack(HttpPort),
    #[cfg(feature = "http1")]
    Streams(Http1<StreamPort>),
}

impl Net {
    /// # Safety
    /// As [`Wire::read`].
    unsafe fn read(ports: &smoothcore_ports, given: &mut Given) -> Result<Net, Code> {
        match (ports.http.is_null(), ports.streams.is_null()) {
            // SAFETY: the caller's promise.
            (false, true) => Ok(Net::Stack(unsafe { HttpPort::read(ports.http, given) }?)),
            #[cfg(feature = "http1")]
            (true, false) => {
                let client = CLIENT_BYTES.max(given.total() / 16);
                given.set_aside(client)?;
                // SAFETY: the caller's promise.
                let port = unsafe { StreamPort::read(ports.streams, given) }?;
                Ok(Net::Streams(Http1::within(port, &given.core.limits, client).map_err(|e| e.code)?))
            }
            #[cfg(not(feature = "http1"))]
            (true, false) => Err(Code::Unsupported),
            (true, true) if !ports.source.is_null() => Ok(Net::None),
            _ => Err(Code::Argument),
        }
    }
}

impl Wire {
    /// What the ports that are given make possible.
    ///
    /// # Errors
    /// [`Code::Argument`] for no port, both of a network, or one that is incomplete; [`Code::Abi`]; [`Code::Unsupported`]
    /// for byte streams or a source in a build without what uses them; [`Code::Budget`]; [`Code::NoMemory`].
    ///
    /// # Safety
    /// `ports` as the header says.
    pub unsafe fn read(ports: &smoothcore_ports, given: &mut Given) -> Result<Wire, Code> {
        // SAFETY: the caller's promise.
        let net = unsafe { Net::read(ports, given) }?;
        #[cfg(not(feature = "local"))]
        return if ports.source.is_null() { Ok(Wire { net }) } else { Err(Code::Unsupported) };
        #[cfg(feature = "local")]
        {
            let mut files = List::new();
            if !ports.source.is_null() {
                let most = CLIENT_BYTES.max(given.total() / 16);
                let own = size_of::<Local<SourcePort>>();
                given.set_aside(most.saturating_add(own).saturating_add(given.reserve.url_bytes))?;
                // SAFETY: the caller's promise.
                let port = unsafe { SourcePort::read(ports.source, given) }?;
                let mut account = Account::new(own);
                files.reserve_exact(&mut account, 1).map_err(|e| e.code)?;
                files.push(&mut account, Local::new(port, &given.core.limits, most)).map_err(|e| e.code)?;
            }
            Ok(Wire { net, files, on_disk: false })
        }
    }

    /// Opens what `name` names, unless that is for a network: the URL to play.
    ///
    /// # Errors
    /// As [`Local::open`]; [`Code::Unsupported`] for a URL without a network.
    pub fn open<'a>(&mut self, name: &'a str) -> Result<&'a str, Code> {
        #[cfg(feature = "local")]
        if let Some(files) = self.files.first_mut()
            && is_local(name)
        {
            files.open(name).map_err(|e| e.code)?;
            self.on_disk = true;
            return Ok(URL);
        }
        if matches!(self.net, Net::None) { Err(Code::Unsupported) } else { Ok(name) }
    }

    /// How many things a server manifest on disk says, and the nth of them.
    #[cfg_attr(not(feature = "local"), allow(clippy::unused_self))]
    pub fn metadata(&self, nth: u32) -> (u32, Option<&(Text, Text)>) {
        #[cfg(feature = "local")]
        let said = self.files.first().map_or(&[][..], Local::metadata);
        #[cfg(not(feature = "local"))]
        let said: &[(Text, Text)] = &[];
        let nth = usize::try_from(nth).unwrap_or(usize::MAX);
        (u32::try_from(said.len()).unwrap_or(u32::MAX), said.get(nth))
    }

    /// Who answers.
    fn http(&mut self) -> Option<&mut dyn Http> {
        #[cfg(feature = "local")]
        if self.on_disk {
            return self.files.first_mut().map(|files| files as &mut dyn Http);
        }
        match &mut self.net {
            Net::None => None,
            Net::Stack(port) => Some(port),
            #[cfg(feature = "http1")]
            Net::Streams(client) => Some(client),
        }
    }
}

impl Http for Wire {
    fn start(&mut self, at: Instant, request: &Request<'_>) -> Result<(), Code> {
        self.http().map_or(Err(Code::Unsupported), |http| http.start(at, request))
    }

    fn response(&mut self, at: Instant, id: RequestId) -> Progress<Response<'_>> {
        self.http().map_or(Progress::Failed(Code::Unsupported), |http| http.response(at, id))
    }

    fn read(&mut self, at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        self.http().map_or(Progress::Failed(Code::Unsupported), |http| http.read(at, id, buffer))
    }

    fn cancel(&mut self, id: RequestId) {
        if let Some(http) = self.http() {
            http.cancel(id);
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
