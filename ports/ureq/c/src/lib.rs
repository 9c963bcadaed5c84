//! The ureq port as a C library: fills a `smoothcore_http_port`. The contract stands in `smoothcore_ureq.h`.
//!
//! It links beside `libsmoothcore.a`: that archive shows nothing but its exports, this one exports nothing else of the
//! core. The records below mirror `smoothcore.h`; `test.c` compares their sizes.
#![allow(non_camel_case_types, reason = "the names are C's")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::{ptr, slice};

use smoothcore::error::Code;
use smoothcore::io::{Request, RequestId, RequestKind, Response};
use smoothcore::port::{Http, Progress};
use smoothcore::time::Instant;
use smoothcore_ureq::{Settings, Trust, UreqHttp};

const OK: i32 = 0;
const WOULD_BLOCK: i32 = 1;
const END: i32 = 2;
const REQUEST_MANIFEST: u32 = 1;
const TRUST_ANYTHING: u32 = 1;
/// A tail longer than this is garbage in `struct_size`, not a later version.
const LONGEST_TAIL: usize = 4096;

/// As in `smoothcore_ureq.h`.
#[repr(C)]
pub struct smoothcore_ureq_settings {
    struct_size: u32,
    flags: u32,
    ca_pem: *const c_char,
}

/// As in `smoothcore.h`.
#[repr(C)]
pub struct smoothcore_request {
    struct_size: u32,
    id: u32,
    kind: u32,
    attempt: u32,
    stream: i32,
    flags: u32,
    url: *const c_char,
}

/// As in `smoothcore.h`.
#[repr(C)]
pub struct smoothcore_response {
    struct_size: u32,
    status: u32,
    content_length: i64,
    final_url: *const c_char,
    content_type: *const c_char,
    content_encoding: *const c_char,
    date: *const c_char,
}

/// As in `smoothcore.h`.
#[repr(C)]
pub struct smoothcore_http_port {
    struct_size: u32,
    reserved: u32,
    userdata: *mut c_void,
    start: Option<unsafe extern "C" fn(*mut c_void, *const smoothcore_request) -> i32>,
    response: Option<unsafe extern "C" fn(*mut c_void, u32, *mut smoothcore_response) -> i32>,
    read: Option<unsafe extern "C" fn(*mut c_void, u32, *mut u8, usize, *mut usize) -> i32>,
    cancel: Option<unsafe extern "C" fn(*mut c_void, u32)>,
}

/// What `userdata` points to.
struct Port {
    http: UreqHttp,
    /// Texts of the last head told; they live until the next one is.
    texts: [Option<CString>; 4],
}

/// C's function and what it is called with.
struct CWake {
    wake: unsafe extern "C" fn(*mut c_void),
    userdata: *mut c_void,
}

// SAFETY: the header says that the function is called on any thread, and with what.
unsafe impl Send for CWake {}
// SAFETY: as above.
unsafe impl Sync for CWake {}

impl CWake {
    fn call(&self) {
        // SAFETY: C promised that both stay valid until they are replaced.
        unsafe { (self.wake)(self.userdata) }
    }
}

/// The bytes that C declares at `at`, at least `least` of them.
///
/// # Safety
/// `at` is NULL or points to a record that begins with its size.
unsafe fn declared<T>(at: *const T, least: usize) -> Result<usize, i32> {
    if at.is_null() || !at.is_aligned() {
        return Err(Code::Argument.number());
    }
    // SAFETY: not NULL, aligned, and begins with a u32.
    let size = unsafe { at.cast::<u32>().read() } as usize;
    if size < least || size > size_of::<T>() + LONGEST_TAIL { Err(Code::Abi.number()) } else { Ok(size) }
}

/// The text at `at`.
///
/// # Safety
/// `at` is NULL or ends with NUL and outlives the result's use.
unsafe fn text<'a>(at: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    if at.is_null() { None } else { Some(unsafe { CStr::from_ptr(at) }) }
}

/// See `smoothcore_ureq.h`.
///
/// # Safety
/// As the header says of its arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_ureq_create(
    settings: *const smoothcore_ureq_settings,
    out: *mut smoothcore_http_port,
) -> i32 {
    // SAFETY: the header's contract, here and in the calls below.
    let made = unsafe {
        declared(out, size_of::<smoothcore_http_port>()).and_then(|size| Ok((size, make(settings)?)))
    };
    let (size, port) = match made {
        Ok(made) => made,
        Err(code) => return code,
    };
    let table = smoothcore_http_port {
        struct_size: size_of::<smoothcore_http_port>() as u32,
        reserved: 0,
        userdata: Box::into_raw(Box::new(port)).cast(),
        start: Some(start),
        response: Some(response),
        read: Some(read),
        cancel: Some(cancel),
    };
    // SAFETY: C declared `size` bytes, no fewer than the table has.
    unsafe {
        ptr::write_bytes(out.cast::<u8>(), 0, size);
        out.write(table);
    }
    OK
}

/// # Safety
/// As [`smoothcore_ureq_create`].
unsafe fn make(settings: *const smoothcore_ureq_settings) -> Result<Port, i32> {
    let mut rust = Settings::default();
    if !settings.is_null() {
        // SAFETY: not NULL; the header's contract.
        let size = unsafe { declared(settings, size_of::<smoothcore_ureq_settings>()) }?;
        // SAFETY: C declared so many bytes.
        let bytes = unsafe { slice::from_raw_parts(settings.cast::<u8>(), size) };
        // SAFETY: as above.
        let settings = unsafe { &*settings };
        let tail = bytes.get(size_of::<smoothcore_ureq_settings>()..).unwrap_or(&[]);
        if settings.flags & !TRUST_ANYTHING != 0 || tail.iter().any(|b| *b != 0) {
            return Err(Code::Abi.number());
        }
        // SAFETY: NULL or ended by NUL, by the header's contract.
        if let Some(pem) = unsafe { text(settings.ca_pem) } {
            rust.trust = Trust::Only(pem.to_bytes().to_vec());
        }
        if settings.flags & TRUST_ANYTHING != 0 {
            rust.trust = Trust::AnythingAtAll;
        }
    }
    let http = UreqHttp::new(&rust).map_err(Code::number)?;
    Ok(Port { http, texts: [const { None }; 4] })
}

/// See `smoothcore_ureq.h`.
///
/// # Safety
/// As the header says of its arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_ureq_set_wake(
    port: *const smoothcore_http_port,
    wake: Option<unsafe extern "C" fn(*mut c_void)>,
    wake_userdata: *mut c_void,
) {
    // SAFETY: NULL or a table that create filled.
    let Some(table) = (unsafe { port.as_ref() }) else { return };
    // SAFETY: create put it there.
    let Some(port) = (unsafe { table.userdata.cast::<Port>().as_mut() }) else { return };
    let wake = wake.map(|wake| CWake { wake, userdata: wake_userdata });
    port.http.set_wake(wake.map(|c| Box::new(move || c.call()) as smoothcore_ureq::Wake));
}

/// See `smoothcore_ureq.h`.
///
/// # Safety
/// As the header says of its arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_ureq_destroy(port: *mut smoothcore_http_port) {
    // SAFETY: NULL or a table that create filled.
    let Some(table) = (unsafe { port.as_mut() }) else { return };
    let userdata = std::mem::replace(&mut table.userdata, ptr::null_mut()).cast::<Port>();
    if !userdata.is_null() {
        // SAFETY: create made it by `Box::into_raw`; it is taken once.
        drop(unsafe { Box::from_raw(userdata) });
    }
}

unsafe extern "C" fn start(userdata: *mut c_void, request: *const smoothcore_request) -> i32 {
    // SAFETY: create put it there; the core calls on one thread, one call at a time.
    let Some(port) = (unsafe { userdata.cast::<Port>().as_mut() }) else { return Code::Argument.number() };
    // SAFETY: the core's request, valid during the call.
    if let Err(code) = unsafe { declared(request, size_of::<smoothcore_request>()) } {
        return code;
    }
    // SAFETY: as above.
    let request = unsafe { &*request };
    // SAFETY: ended by NUL, valid during the call.
    let Some(url) = (unsafe { text(request.url) }).and_then(|url| url.to_str().ok()) else {
        return Code::UrlInvalid.number();
    };
    let kind = if request.kind == REQUEST_MANIFEST { RequestKind::Manifest } else { RequestKind::Fragment };
    let request = Request { id: RequestId(request.id), url, kind, stream: None, attempt: request.attempt };
    port.http.start(Instant(0), &request).map_or_else(Code::number, |()| OK)
}

unsafe extern "C" fn response(userdata: *mut c_void, request: u32, out: *mut smoothcore_response) -> i32 {
    // SAFETY: create put it there; the core calls on one thread, one call at a time.
    let Some(port) = (unsafe { userdata.cast::<Port>().as_mut() }) else { return Code::Argument.number() };
    // SAFETY: the core's record.
    if let Err(code) = unsafe { declared(out, size_of::<smoothcore_response>()) } {
        return code;
    }
    let head = match port.http.response(Instant(0), RequestId(request)) {
        Progress::Ready(head) => head,
        Progress::Pending => return WOULD_BLOCK,
        Progress::End => return Code::HttpSyntax.number(),
        Progress::Failed(code) => return code.number(),
    };
    let Response { status, final_url, content_length, content_type, content_encoding, date } = head;
    port.texts = [final_url, content_type, content_encoding, date]
        .map(|text| if text.is_empty() { None } else { CString::new(text).ok() });
    let [final_url, content_type, content_encoding, date] =
        port.texts.each_ref().map(|text| text.as_ref().map_or(ptr::null(), |t| t.as_ptr()));
    // SAFETY: the core declared at least so many bytes; a longer tail keeps the core's zeros.
    unsafe {
        let struct_size = (*out).struct_size;
        out.write(smoothcore_response {
            struct_size,
            status: u32::from(status),
            content_length: content_length.and_then(|n| i64::try_from(n).ok()).unwrap_or(-1),
            final_url,
            content_type,
            content_encoding,
            date,
        });
    }
    OK
}

unsafe extern "C" fn read(
    userdata: *mut c_void,
    request: u32,
    buffer: *mut u8,
    size: usize,
    got: *mut usize,
) -> i32 {
    // SAFETY: create put it there; the core calls on one thread, one call at a time.
    let Some(port) = (unsafe { userdata.cast::<Port>().as_mut() }) else { return Code::Argument.number() };
    if buffer.is_null() || size == 0 || got.is_null() {
        return Code::Argument.number();
    }
    // SAFETY: the core lends `size` initialised bytes for the call.
    let space = unsafe { slice::from_raw_parts_mut(buffer, size) };
    match port.http.read(Instant(0), RequestId(request), space) {
        Progress::Ready(count) => {
            // SAFETY: not NULL, the core's.
            unsafe { got.write(count) };
            OK
        }
        Progress::Pending => WOULD_BLOCK,
        Progress::End => END,
        Progress::Failed(code) => code.number(),
    }
}

unsafe extern "C" fn cancel(userdata: *mut c_void, request: u32) {
    // SAFETY: create put it there; the core calls on one thread, one call at a time.
    if let Some(port) = unsafe { userdata.cast::<Port>().as_mut() } {
        port.http.cancel(RequestId(request));
    }
}
