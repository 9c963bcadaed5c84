//! Sans-IO: the host moves the bytes.

use core::ffi::c_char;
use core::mem;

use super::codes::{SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use super::fill::{self, CodecName};
use super::handle::{self, Guarded};
use super::media::{
    smoothcore_buffered, smoothcore_event, smoothcore_output, smoothcore_request, smoothcore_response,
    smoothcore_sample, smoothcore_setup,
};
use super::protection::{
    self, ProtectionScratch, smoothcore_candidate, smoothcore_decrypt, smoothcore_protection_offer,
};
use super::record;
use super::scratch::{PartList, Reserve, UrlText};
use super::tracks::smoothcore_captions;
use super::types::smoothcore_config;
use super::{given, text, wire};
use crate::error::{Code, Error};
use crate::io::{Configured, Input, Outcome, RequestId};
use crate::session::{Session, State};
use crate::time::Instant;

/// One presentation being played by a host that moves the bytes itself. It reads no clock and calls nothing back; each
/// call brings the time. Apply one input, then poll until SMOOTHCORE_OUTPUT_IDLE.
pub struct smoothcore_session {
    guarded: Guarded<Body>,
}

pub(super) struct Body {
    pub(super) session: Session,
    pub(super) reserve: Reserve,
    /// What pointers in the last output point to.
    pub(super) url: UrlText,
    pub(super) parts: PartList,
    pub(super) codec: CodecName,
    pub(super) key: u64,
    pub(super) protection: ProtectionScratch,
    pub(super) offer: smoothcore_protection_offer,
    pub(super) decrypt: smoothcore_decrypt,
    pub(super) candidate: smoothcore_candidate,
    pub(super) request: smoothcore_request,
    pub(super) setup: smoothcore_setup,
    pub(super) sample: smoothcore_sample,
    pub(super) event: smoothcore_event,
    pub(super) captions: smoothcore_captions,
}

impl Body {
    /// The session, unless it has failed for good.
    pub(super) fn living(&mut self) -> Result<&mut Session, Code> {
        match self.session.state() {
            State::Failed(error) => Err(error.code),
            _ => Ok(&mut self.session),
        }
    }

    fn input(&mut self, at_us: u64, input: Input<'_>) -> Result<i32, Code> {
        self.living()?.input(Instant(at_us), input);
        Ok(SMOOTHCORE_OK)
    }
}

/// Runs `act` on a session's body unless NULL or re-entered.
pub(super) unsafe fn with(
    session: *mut smoothcore_session,
    act: impl FnOnce(&mut Body) -> Result<i32, Code>,
) -> i32 {
    // SAFETY: the header's rule: NULL, or what create returned and nobody destroyed.
    match unsafe { handle::look(session) } {
        Ok(session) => session.guarded.enter(act),
        Err(code) => code.number(),
    }
}

/// Runs `act` on a session that has not failed for good.
pub(super) unsafe fn living(
    session: *mut smoothcore_session,
    act: &mut dyn FnMut(&mut Session) -> Result<i32, Code>,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { with(session, |body| act(body.living()?)) }
}

/// Makes a session. `*out` goes back to smoothcore_session_destroy; it is NULL after an error.
///
/// E_ARGUMENT; E_ABI for a header of another ABI major or a newer minor; E_BUDGET; E_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_create(
    config: *const smoothcore_config,
    out: *mut *mut smoothcore_session,
) -> i32 {
    let make = || {
        // SAFETY: as the header says.
        let given = unsafe { given::config(config, mem::size_of::<smoothcore_session>()) }?;
        let reserve = given.reserve;
        let url = UrlText::new(reserve.url_bytes)?;
        let fill = |at: *mut smoothcore_session| {
            // SAFETY: `at` is memory for a session; below, every field is written.
            unsafe {
                let body = Guarded::begin(&raw mut (*at).guarded);
                match Session::new(given.core) {
                    Ok(session) => (&raw mut (*body).session).write(session),
                    Err(error) => return Err(error.code),
                }
                (&raw mut (*body).reserve).write(reserve);
                (&raw mut (*body).url).write(url);
                (&raw mut (*body).parts).write(PartList::new(reserve.parts));
                (&raw mut (*body).codec).write([0; 40]);
                (&raw mut (*body).key).write(0);
                (&raw mut (*body).protection).write(record::blank());
                (&raw mut (*body).offer).write(record::blank());
                (&raw mut (*body).decrypt).write(record::blank());
                (&raw mut (*body).candidate).write(record::blank());
                (&raw mut (*body).request).write(record::blank());
                (&raw mut (*body).setup).write(record::blank());
                (&raw mut (*body).sample).write(record::blank());
                (&raw mut (*body).event).write(record::blank());
                (&raw mut (*body).captions).write(record::blank());
            }
            Ok(())
        };
        // SAFETY: all of it, or nothing.
        unsafe { handle::place(fill) }
    };
    // SAFETY: as the header says.
    unsafe { handle::hand_out(out, make) }
}

/// Frees a session and all it holds. NULL is fine. Exchanges in flight are yours to stop.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_destroy(session: *mut smoothcore_session) {
    // SAFETY: as the header says.
    let Ok(living) = (unsafe { handle::look(session) }) else { return };
    // Entering fails inside a log sink alone.
    if living.guarded.enter(|_| Ok(SMOOTHCORE_OK)) == SMOOTHCORE_OK {
        // SAFETY: made by `place`, and nobody is inside.
        unsafe { handle::discard(session) };
    }
}

/// Starts: the next poll asks for the manifest at `url`, an absolute http or https URL ended by NUL. Once a session.
///
/// E_STATE when opened before; E_URL_INVALID, E_URL_REFUSED, E_LIMIT_URL; E_BUDGET; E_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_open(
    session: *mut smoothcore_session,
    at_us: u64,
    url: *const c_char,
) -> i32 {
    let open = |body: &mut Body| {
        // SAFETY: as the header says.
        let url = unsafe { text::url(url, body.reserve.url_bytes) }?;
        body.living()?.open(Instant(at_us), url).map_err(|e| e.code)?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, open) }
}

/// Tells the next thing to do. Call until `out->kind` is SMOOTHCORE_OUTPUT_IDLE.
///
/// OK; END with IDLE when every stream was handed over to its end; with IDLE the fatal error that ended the session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_poll(
    session: *mut smoothcore_session,
    out: *mut smoothcore_output,
) -> i32 {
    let poll = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::check(out) }?;
        let (output, result) = body.next();
        // SAFETY: as the header says.
        unsafe { record::write(out, &output) }?;
        Ok(result)
    };
    // SAFETY: as the header says.
    unsafe { with(session, poll) }
}

/// The head of a response has arrived. Optional for a stack that only tells the end; then 200 is assumed. Ignored for an
/// exchange that is unknown or cancelled, as are all facts about one.
///
/// E_ARGUMENT for a status outside 100 to 999 or a negative length other than -1; E_URL_INVALID for the final URL; the
/// fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_response(
    session: *mut smoothcore_session,
    at_us: u64,
    request: u32,
    response: *const smoothcore_response,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        let head = unsafe { record::read(response) }?;
        // SAFETY: its strings live during the call.
        let head = unsafe { wire::head(&head, body.reserve.url_bytes) }?;
        body.input(at_us, Input::Response(RequestId(request), head))
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// Hands in body bytes by copy. `*taken` is how many were taken: fewer than `size` when the budget has no room now. Then
/// keep the rest, stop reading that connection, and offer it again when samples have been accepted.
///
/// OK; WOULD_BLOCK when not all were taken; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_body(
    session: *mut smoothcore_session,
    at_us: u64,
    request: u32,
    data: *const u8,
    size: usize,
    taken: *mut usize,
) -> i32 {
    let hand_in = |body: &mut Body| {
        if taken.is_null() || (data.is_null() && size > 0) || size > isize::MAX as usize {
            return Err(Code::Argument);
        }
        // SAFETY: as the header says: `size` bytes at `data`.
        let bytes = if size == 0 { &[] } else { unsafe { core::slice::from_raw_parts(data, size) } };
        let count = body.living()?.body(Instant(at_us), RequestId(request), bytes);
        // SAFETY: not NULL; as the header says.
        unsafe { taken.write(count) };
        Ok(if count < size { SMOOTHCORE_WOULD_BLOCK } else { SMOOTHCORE_OK })
    };
    // SAFETY: as the header says.
    unsafe { with(session, hand_in) }
}

/// Memory to read body bytes into: `*size` bytes at `*data`, the library's, until the next call with this session; then
/// smoothcore_session_filled. The way without a copy.
///
/// OK; WOULD_BLOCK with `*size` 0 when the budget has no room now or the exchange is unknown: stop reading that
/// connection until samples have been accepted; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_space(
    session: *mut smoothcore_session,
    request: u32,
    data: *mut *mut u8,
    size: *mut usize,
) -> i32 {
    let space = |body: &mut Body| {
        if data.is_null() || size.is_null() {
            return Err(Code::Argument);
        }
        let space = body.living()?.space(RequestId(request));
        // SAFETY: not NULL; as the header says.
        unsafe {
            data.write(if space.is_empty() { core::ptr::null_mut() } else { space.as_mut_ptr() });
            size.write(space.len());
        }
        Ok(if space.is_empty() { SMOOTHCORE_WOULD_BLOCK } else { SMOOTHCORE_OK })
    };
    // SAFETY: as the header says.
    unsafe { with(session, space) }
}

/// Counts `size` bytes written to the front of what smoothcore_session_space returned.
///
/// E_PORT_CONTRACT when that is more than there was, and the session fails; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_filled(
    session: *mut smoothcore_session,
    at_us: u64,
    request: u32,
    size: usize,
) -> i32 {
    let count = |body: &mut Body| {
        let session = body.living()?;
        if size > session.space(RequestId(request)).len() {
            session.abort(Error::at(Code::PortContract, "smoothcore_session_filled", 0));
            return Err(Code::PortContract);
        }
        session.filled(Instant(at_us), RequestId(request), size);
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, count) }
}

/// The exchange is over: `outcome` 0 when the whole body was handed in, else a -2xx number; any other negative number
/// counts as SMOOTHCORE_E_NETWORK_IO.
///
/// E_ARGUMENT for a positive outcome; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_finished(
    session: *mut smoothcore_session,
    at_us: u64,
    request: u32,
    outcome: i32,
) -> i32 {
    let tell = |body: &mut Body| {
        let outcome = match outcome {
            0 => Outcome::Complete,
            1.. => return Err(Code::Argument),
            _ => Outcome::Failed(wire::network_code(outcome)),
        };
        body.input(at_us, Input::Finished(RequestId(request), outcome))
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// The decoder took the sample last offered for this stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_accepted(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
) -> i32 {
    let tell = |body: &mut Body| body.input(at_us, Input::Accepted(fill::stream_id(stream)?));
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// The decoder has no room for it now. It is offered again after smoothcore_session_buffered or _timeout.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_refused(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
) -> i32 {
    let tell = |body: &mut Body| body.input(at_us, Input::Refused(fill::stream_id(stream)?));
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// What the decoder of a stream holds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_buffered(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
    held: *const smoothcore_buffered,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        let held = unsafe { record::read(held) }?;
        body.input(at_us, Input::Buffered(fill::stream_id(stream)?, fill::buffered(&held)))
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// The answer to SMOOTHCORE_OUTPUT_CONFIGURE: OK; WOULD_BLOCK for not before the decoder has drained; a negative number
/// when it cannot play this, and the quality level is dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_configured(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
    answer: i32,
) -> i32 {
    let tell = |body: &mut Body| {
        let answer = match answer {
            SMOOTHCORE_OK => Configured::Ok,
            SMOOTHCORE_WOULD_BLOCK => Configured::Later,
            i32::MIN..0 => Configured::Refused,
            _ => return Err(Code::Argument),
        };
        body.input(at_us, Input::Configured(fill::stream_id(stream)?, answer))
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// How far keys are: the one named by the 16 bytes at `kid` (big-endian), or with NULL all that the session knows of by
/// now. `result` is OK, with your number for its session in `key`; WOULD_BLOCK for not yet; a SMOOTHCORE_E_ number of
/// -4xx when it will not come (any other counts as SMOOTHCORE_E_KEY_REFUSED).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_key(
    session: *mut smoothcore_session,
    at_us: u64,
    kid: *const u8,
    result: i32,
    key: u64,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        let (keys, status) = unsafe { protection::key(kid, result, key) }?;
        body.input(at_us, Input::Key(keys, status))
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// The answer to SMOOTHCORE_OUTPUT_DECRYPT: OK when the sample is clear now; WOULD_BLOCK for not now, then it is offered
/// again, as it is then, after smoothcore_session_buffered or _timeout; a negative number when it cannot be decrypted, and
/// it is left out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_decrypted(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
    result: i32,
) -> i32 {
    let tell = |body: &mut Body| {
        let answer = protection::decrypted(result)?;
        body.input(at_us, Input::Decrypted(fill::stream_id(stream)?, answer))
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// The answer to SMOOTHCORE_OUTPUT_CAPABILITY, by the candidate's stream and position: 1 when the decoder can play it, 0
/// when not, and the quality level is dropped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_capable(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
    position: u32,
    yes: u32,
) -> i32 {
    let tell = |body: &mut Body| {
        let position = u16::try_from(position).map_err(|_| Code::Argument)?;
        let answer = protection::capable(yes)?;
        body.input(at_us, Input::Capable(fill::stream_id(stream)?, position, answer))
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// Leaves only the quality levels of a stream whose bit is set in `mask`, for output restrictions: bit 0 is the first of
/// the manifest's list, bit 63 stands for all from the 64th on. May change while playing. A fragment of which samples
/// were handed out is played to its end; what is behind it is fetched again where its level was withdrawn.
///
/// E_STATE before playback has started; E_ARGUMENT for a stream that cannot be played or is text, and for a mask that
/// leaves no level; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_restrict(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
    mask: u64,
) -> i32 {
    let restrict = |body: &mut Body| {
        let stream = fill::stream_id(stream)?;
        body.living()?.restrict(Instant(at_us), stream, mask).map_err(|e| e.code)?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, restrict) }
}

/// Time has passed. Early ones are harmless.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_timeout(session: *mut smoothcore_session, at_us: u64) -> i32 {
    let tell = |body: &mut Body| body.input(at_us, Input::Timeout);
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}
