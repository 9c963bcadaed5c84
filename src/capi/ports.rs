//! What firmware supplies: tables of functions.
//!
//! Tables are copied when a player is made. Every function is called on the player's thread and returns without
//! waiting, `wait_until` excepted. One that has nothing yet returns SMOOTHCORE_WOULD_BLOCK and is asked again.

use core::ffi::{c_char, c_void};

use super::media::{
    smoothcore_buffered, smoothcore_event, smoothcore_request, smoothcore_response, smoothcore_sample,
    smoothcore_setup,
};
use super::protection::{smoothcore_candidate, smoothcore_protection_port};
use super::record::record;
use super::tracks::smoothcore_captions;

/// A whole HTTP stack. All four functions are required. Errors are -2xx numbers (SMOOTHCORE_E_CONNECT and following);
/// any other negative number counts as SMOOTHCORE_E_NETWORK_IO. A positive number that is not named here, or a count
/// larger than the buffer, ends playback with SMOOTHCORE_E_PORT_CONTRACT.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_http_port {
    /// sizeof(smoothcore_http_port).
    pub struct_size: u32,
    /// Set to 0.
    pub reserved: u32,
    /// Comes first in each call.
    pub userdata: *mut c_void,
    /// Starts an exchange. OK, or an error when it cannot even start, which counts as one failed try; such an
    /// exchange is not cancelled.
    pub start: Option<unsafe extern "C" fn(userdata: *mut c_void, request: *const smoothcore_request) -> i32>,
    /// Tells the head of the response, once. OK, WOULD_BLOCK, or an error.
    pub response: Option<
        unsafe extern "C" fn(userdata: *mut c_void, request: u32, out: *mut smoothcore_response) -> i32,
    >,
    /// Reads body bytes: up to `size` (never 0) into `buffer`, how many into `*got`. OK with at least one byte,
    /// WOULD_BLOCK, END behind the last byte, or an error.
    pub read: Option<
        unsafe extern "C" fn(
            userdata: *mut c_void,
            request: u32,
            buffer: *mut u8,
            size: usize,
            got: *mut usize,
        ) -> i32,
    >,
    /// Ends an exchange, finished or not, and frees what belongs to it. Exactly once for each one that was started.
    pub cancel: Option<unsafe extern "C" fn(userdata: *mut c_void, request: u32)>,
}

record!(smoothcore_http_port, cancel);

/// Byte streams under the built-in HTTP/1.1 client. All five functions are required. Errors as in smoothcore_http_port.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_stream_port {
    /// sizeof(smoothcore_stream_port).
    pub struct_size: u32,
    /// Set to 0.
    pub reserved: u32,
    /// Comes first in each call.
    pub userdata: *mut c_void,
    /// Starts to connect to `port` of `host` (a name or address, ended by NUL, without brackets) and puts a handle of yours
    /// into `*connection`; it may be NULL. `secure` is 1 for TLS with the host's name verified, else 0. OK, or an error;
    /// SMOOTHCORE_E_UNSUPPORTED when there is no TLS. Only what returned OK is closed.
    pub connect: Option<
        unsafe extern "C" fn(
            userdata: *mut c_void,
            host: *const c_char,
            port: u32,
            secure: u32,
            connection: *mut *mut c_void,
        ) -> i32,
    >,
    /// Whether the connection stands: OK, WOULD_BLOCK, or an error.
    pub connected: Option<unsafe extern "C" fn(userdata: *mut c_void, connection: *mut c_void) -> i32>,
    /// Reads up to `size` bytes (never 0), how many into `*got`. OK with at least one byte, WOULD_BLOCK, END when the
    /// other side has closed, or an error.
    pub read: Option<
        unsafe extern "C" fn(
            userdata: *mut c_void,
            connection: *mut c_void,
            buffer: *mut u8,
            size: usize,
            got: *mut usize,
        ) -> i32,
    >,
    /// Writes up to `size` bytes (never 0), how many into `*put`. OK with at least one byte, WOULD_BLOCK, or an error.
    pub write: Option<
        unsafe extern "C" fn(
            userdata: *mut c_void,
            connection: *mut c_void,
            data: *const u8,
            size: usize,
            put: *mut usize,
        ) -> i32,
    >,
    /// Closes and frees. Exactly once for each connection.
    pub close: Option<unsafe extern "C" fn(userdata: *mut c_void, connection: *mut c_void)>,
}

record!(smoothcore_stream_port, close);

/// Files, for presentations on disk: .ism, .ismc, .ismv, .isma. All four functions are required. Names are what
/// smoothcore_player_open was given, or lie beside it or below; `/` stands between their parts. Errors: any
/// SMOOTHCORE_E_ number; another negative one counts as SMOOTHCORE_E_FILE_IO. A file may be read from by several
/// requests in turn, at several places.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_source_port {
    /// sizeof(smoothcore_source_port).
    pub struct_size: u32,
    /// Set to 0.
    pub reserved: u32,
    /// Comes first in each call.
    pub userdata: *mut c_void,
    /// Opens `name` (UTF-8, ended by NUL) for reading and puts a handle of yours into `*file`; it may be NULL. OK;
    /// WOULD_BLOCK, then it is asked again; END when there is no such file; an error. Only what returned OK is closed.
    pub open: Option<
        unsafe extern "C" fn(userdata: *mut c_void, name: *const c_char, file: *mut *mut c_void) -> i32,
    >,
    /// Tells how many bytes the file has. OK or an error.
    pub size: Option<unsafe extern "C" fn(userdata: *mut c_void, file: *mut c_void, size: *mut u64) -> i32>,
    /// Reads up to `size` bytes (never 0) from `offset` on, how many into `*got`. OK with at least one byte; WOULD_BLOCK, then
    /// the same is asked for again, perhaps after other places; END at the end of the file; an error. May block as a
    /// disk does.
    pub read_at: Option<
        unsafe extern "C" fn(
            userdata: *mut c_void,
            file: *mut c_void,
            offset: u64,
            buffer: *mut u8,
            size: usize,
            got: *mut usize,
        ) -> i32,
    >,
    /// Closes. Exactly once for each file.
    pub close: Option<unsafe extern "C" fn(userdata: *mut c_void, file: *mut c_void)>,
}

record!(smoothcore_source_port, close);

/// Decoders and the presentation clock. `configure`, `submit`, `status` and `flush` are required; NULL for another one
/// means that it is not called.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_decoder_port {
    /// sizeof(smoothcore_decoder_port).
    pub struct_size: u32,
    /// A SMOOTHCORE_FRAMING_ number.
    pub framing: u32,
    /// SMOOTHCORE_DECODER_ flags.
    pub flags: u32,
    /// Set to 0.
    pub reserved: u32,
    /// Comes first in each call.
    pub userdata: *mut c_void,
    /// Sets up the decoder of one stream. OK; WOULD_BLOCK for not before what it holds has drained, then it is asked
    /// again; anything else for it cannot play this, and the quality level is dropped.
    pub configure: Option<unsafe extern "C" fn(userdata: *mut c_void, setup: *const smoothcore_setup) -> i32>,
    /// Takes one sample, by copy or by use, or none of it. OK; WOULD_BLOCK for no room, then the same sample comes
    /// again; an error when the decoder is broken, which ends playback with SMOOTHCORE_E_DECODER_FAILED.
    pub submit: Option<unsafe extern "C" fn(userdata: *mut c_void, sample: *const smoothcore_sample) -> i32>,
    /// Tells what the decoder of a stream holds. Anything but OK counts as nothing held.
    pub status: Option<
        unsafe extern "C" fn(userdata: *mut c_void, stream: u32, out: *mut smoothcore_buffered) -> i32,
    >,
    /// Throws away everything of a stream that is older than `epoch`.
    pub flush: Option<unsafe extern "C" fn(userdata: *mut c_void, stream: u32, epoch: u32)>,
    /// No sample follows on this stream in this epoch. NULL: not told.
    pub end: Option<unsafe extern "C" fn(userdata: *mut c_void, stream: u32, epoch: u32)>,
    /// The presentation clock: 0 shows nothing new, 1000 runs in real time. NULL: the port runs as it likes.
    pub rate: Option<unsafe extern "C" fn(userdata: *mut c_void, rate: i32)>,
    /// With SMOOTHCORE_DECODER_CAPABILITIES, asked about every quality level before playback starts. OK when it can play it;
    /// anything else, and the level is dropped. NULL: it can play everything.
    pub can_play:
        Option<unsafe extern "C" fn(userdata: *mut c_void, candidate: *const smoothcore_candidate) -> i32>,
    /// Captions found in the picture that is submitted next; only with smoothcore_config.captions. NULL: not told.
    pub captions: Option<unsafe extern "C" fn(userdata: *mut c_void, captions: *const smoothcore_captions)>,
}

record!(smoothcore_decoder_port, captions);

/// A monotonic clock. `now_us` is required; blocking mode needs `wait_until` as well.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_clock_port {
    /// sizeof(smoothcore_clock_port).
    pub struct_size: u32,
    /// Set to 0.
    pub reserved: u32,
    /// Comes first in each call.
    pub userdata: *mut c_void,
    /// Microseconds since any moment; never goes back.
    pub now_us: Option<unsafe extern "C" fn(userdata: *mut c_void) -> u64>,
    /// Returns at `until_us`, or earlier when something has happened or `wakeup` was called. NULL: no blocking mode.
    pub wait_until: Option<unsafe extern "C" fn(userdata: *mut c_void, until_us: u64)>,
    /// Called by smoothcore_player_wake, on its thread: makes your sleeping loop, or `wait_until`, return. NULL: nothing.
    pub wakeup: Option<unsafe extern "C" fn(userdata: *mut c_void)>,
}

record!(smoothcore_clock_port, wakeup);

/// Hears of events as they happen, for those who would rather not fetch them with smoothcore_player_event.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_event_port {
    /// sizeof(smoothcore_event_port).
    pub struct_size: u32,
    /// Set to 0.
    pub reserved: u32,
    /// Comes first in each call.
    pub userdata: *mut c_void,
    /// One event; valid during the call. Required.
    pub event: Option<unsafe extern "C" fn(userdata: *mut c_void, event: *const smoothcore_event)>,
}

record!(smoothcore_event_port, event);

/// The ports of one player. The tables are copied by smoothcore_player_create and need not outlive it; what their
/// userdata points to must outlive the player.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_ports {
    /// sizeof(smoothcore_ports).
    pub struct_size: u32,
    /// Set to 0.
    pub reserved: u32,
    /// An HTTP stack; NULL with `streams`. Exactly one of the two, or none with `source`.
    pub http: *const smoothcore_http_port,
    /// Byte streams; NULL with `http`. SMOOTHCORE_E_UNSUPPORTED in a library built without its HTTP client.
    pub streams: *const smoothcore_stream_port,
    /// Required.
    pub decoder: *const smoothcore_decoder_port,
    /// Required.
    pub clock: *const smoothcore_clock_port,
    /// Where events go; NULL: to the ring that smoothcore_player_event reads.
    pub events: *const smoothcore_event_port,
    /// Files, for smoothcore_player_open with a path instead of a URL; NULL: none. SMOOTHCORE_E_UNSUPPORTED in a library
    /// built without presentations on disk.
    pub source: *const smoothcore_source_port,
    /// A DRM agent; NULL: none, or one that you speak for yourself.
    pub protection: *const smoothcore_protection_port,
}

record!(smoothcore_ports, protection);
