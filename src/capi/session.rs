//! Sans-IO: the host moves the bytes.

use core::ffi::c_char;
use core::mem;

use super::codes::{SMOOTHCORE_END, SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use super::fill::{self, CodecName};
use super::handle::{self, Guarded};
use super::info::{
    smoothcore_deviation, smoothcore_level_info, smoothcore_metadata, smoothcore_presentation,
    smoothcore_stats, smoothcore_stream_info,
};
use super::media::{
    SMOOTHCORE_OUTPUT_CANCEL, SMOOTHCORE_OUTPUT_CAPABILITY, SMOOTHCORE_OUTPUT_CAPTIONS,
    SMOOTHCORE_OUTPUT_CONFIGURE, SMOOTHCORE_OUTPUT_DECRYPT, SMOOTHCORE_OUTPUT_END_OF_STREAM,
    SMOOTHCORE_OUTPUT_EVENT, SMOOTHCORE_OUTPUT_FLUSH, SMOOTHCORE_OUTPUT_IDLE, SMOOTHCORE_OUTPUT_PROTECTION,
    SMOOTHCORE_OUTPUT_RATE, SMOOTHCORE_OUTPUT_REQUEST, SMOOTHCORE_OUTPUT_SAMPLE, smoothcore_buffered,
    smoothcore_event, smoothcore_output, smoothcore_request, smoothcore_response, smoothcore_sample,
    smoothcore_setup,
};
use super::protection::{
    self, ProtectionScratch, smoothcore_candidate, smoothcore_decrypt, smoothcore_protection_offer,
};
use super::record;
use super::scratch::{PartList, Reserve, UrlText};
use super::tracks::{self, smoothcore_captions};
use super::types::{SMOOTHCORE_NO_TIME_US, smoothcore_config};
use super::{given, text, wire};
use crate::error::{Code, Error};
use crate::io::{Configured, Input, Outcome, Output, RequestId};
use crate::session::{Session, State};
use crate::time::{Instant, MediaTime};

/// One presentation being played by a host that moves the bytes itself. It reads no clock and calls nothing back; each
/// call brings the time. Apply one input, then poll until SMOOTHCORE_OUTPUT_IDLE.
pub struct smoothcore_session {
    guarded: Guarded<Body>,
}

struct Body {
    session: Session,
    reserve: Reserve,
    /// What pointers in the last output point to.
    url: UrlText,
    parts: PartList,
    codec: CodecName,
    key: u64,
    protection: ProtectionScratch,
    offer: smoothcore_protection_offer,
    decrypt: smoothcore_decrypt,
    candidate: smoothcore_candidate,
    request: smoothcore_request,
    setup: smoothcore_setup,
    sample: smoothcore_sample,
    event: smoothcore_event,
    captions: smoothcore_captions,
}

impl Body {
    /// The session, unless it has failed for good.
    fn living(&mut self) -> Result<&mut Session, Code> {
        match self.session.state() {
            State::Failed(error) => Err(error.code),
            _ => Ok(&mut self.session),
        }
    }

    fn input(&mut self, at_us: u64, input: Input<'_>) -> Result<i32, Code> {
        self.living()?.input(Instant(at_us), input);
        Ok(SMOOTHCORE_OK)
    }

    /// The next output and the result that goes with it.
    fn next(&mut self) -> (smoothcore_output, i32) {
        let mut out: smoothcore_output = record::blank();
        let mut broken = None;
        let mut idle = false;
        let framing = self.session.config().decoder.framing;
        match self.session.poll() {
            Output::Request(request) => match fill::request(&request, &mut self.url) {
                Ok(request) => {
                    self.request = request;
                    out.kind = SMOOTHCORE_OUTPUT_REQUEST;
                    out.request_info = &raw const self.request;
                }
                Err(code) => broken = Some(code),
            },
            Output::Cancel(RequestId(id)) => {
                out.kind = SMOOTHCORE_OUTPUT_CANCEL;
                out.request = id;
            }
            Output::Configure(configure) => {
                self.setup = fill::setup(&configure, &mut self.codec, &mut self.key);
                out.kind = SMOOTHCORE_OUTPUT_CONFIGURE;
                out.setup = &raw const self.setup;
            }
            Output::Sample(sample) => match fill::sample(&sample, &mut self.parts, &mut self.protection) {
                Ok(sample) => {
                    self.sample = sample;
                    out.kind = SMOOTHCORE_OUTPUT_SAMPLE;
                    out.sample = &raw const self.sample;
                }
                Err(code) => broken = Some(code),
            },
            Output::Protection(offer) if cfg!(feature = "protection") => {
                self.offer = protection::offer(&offer);
                out.kind = SMOOTHCORE_OUTPUT_PROTECTION;
                out.offer = &raw const self.offer;
            }
            Output::Decrypt(mut sample) if cfg!(feature = "protection") => {
                out.stream = sample.stream.0.into();
                self.decrypt = protection::decrypt(&mut sample, &mut self.protection);
                out.kind = SMOOTHCORE_OUTPUT_DECRYPT;
                out.decrypt = &raw const self.decrypt;
            }
            Output::Capability(candidate) if cfg!(feature = "capabilities") => {
                out.stream = candidate.stream.0.into();
                self.candidate = protection::candidate(&candidate, framing, &mut self.setup, &mut self.codec);
                out.kind = SMOOTHCORE_OUTPUT_CAPABILITY;
                out.candidate = &raw const self.candidate;
            }
            Output::Captions(captions) if cfg!(feature = "text") => {
                self.captions = tracks::captions(&captions);
                out.kind = SMOOTHCORE_OUTPUT_CAPTIONS;
                out.captions = &raw const self.captions;
            }
            Output::Rate(rate) => {
                out.kind = SMOOTHCORE_OUTPUT_RATE;
                out.rate = fill::rate(rate);
            }
            Output::Flush(stream, epoch) => {
                out.kind = SMOOTHCORE_OUTPUT_FLUSH;
                (out.stream, out.epoch) = (u32::from(stream.0), epoch.0);
            }
            Output::EndOfStream(stream, epoch) => {
                out.kind = SMOOTHCORE_OUTPUT_END_OF_STREAM;
                (out.stream, out.epoch) = (u32::from(stream.0), epoch.0);
            }
            Output::Event(event) => {
                self.event = fill::event(&event);
                out.kind = SMOOTHCORE_OUTPUT_EVENT;
                out.event = &raw const self.event;
            }
            // Of features that this build has not.
            Output::Protection(_) | Output::Decrypt(_) | Output::Capability(_) | Output::Captions(_) => {}
            Output::Idle(until) => {
                out.kind = SMOOTHCORE_OUTPUT_IDLE;
                out.deadline_us = until.map_or(SMOOTHCORE_NO_TIME_US, |at| at.0);
                idle = true;
            }
        }
        if let Some(code) = broken {
            self.session.abort(Error::from(code));
            out.deadline_us = SMOOTHCORE_NO_TIME_US;
            return (out, code.number());
        }
        let result = match self.session.state() {
            State::Failed(error) if idle => error.code.number(),
            State::Ended if idle => SMOOTHCORE_END,
            _ => SMOOTHCORE_OK,
        };
        (out, result)
    }
}

/// Runs `act` on a session's body unless NULL or re-entered.
unsafe fn with(session: *mut smoothcore_session, act: impl FnOnce(&mut Body) -> Result<i32, Code>) -> i32 {
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

/// Goes on from the fragment that covers `to`. Samples before `to` carry SMOOTHCORE_SAMPLE_PREROLL.
///
/// E_STATE before the manifest is there; E_ARGUMENT for a negative time; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_seek(
    session: *mut smoothcore_session,
    at_us: u64,
    to: i64,
) -> i32 {
    let seek = |body: &mut Body| {
        let to = MediaTime(if to < 0 { return Err(Code::Argument) } else { to });
        body.living()?.seek(Instant(at_us), to).map_err(|e| e.code)?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, seek) }
}

/// Plays (`on` 1) or stops playing (0) one stream. One that is turned on starts where the others are.
///
/// E_STATE before the manifest is there; E_ARGUMENT for a stream that cannot be played; E_BUDGET when the budget cannot
/// be divided among so many; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_select(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
    on: u32,
) -> i32 {
    let select = |body: &mut Body| {
        let (stream, selection) = (fill::stream_id(stream)?, fill::selection(on)?);
        body.living()?.select(Instant(at_us), stream, selection).map_err(|e| e.code)?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, select) }
}

/// Holds the presentation clock until smoothcore_session_play; fetching goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_pause(session: *mut smoothcore_session, at_us: u64) -> i32 {
    let pause = |body: &mut Body| {
        body.living()?.pause(Instant(at_us));
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, pause) }
}

/// Lets the presentation clock run when there is enough media, as it does from the start.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_play(session: *mut smoothcore_session, at_us: u64) -> i32 {
    let play = |body: &mut Body| {
        body.living()?.play(Instant(at_us));
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, play) }
}

/// Figures since open. Also of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_stats(
    session: *mut smoothcore_session,
    out: *mut smoothcore_stats,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::stats(&body.session, &body.reserve)) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// The presentation as a whole. E_STATE before the manifest is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_presentation(
    session: *mut smoothcore_session,
    out: *mut smoothcore_presentation,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::presentation(&body.session)?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// How many streams the manifest lists, playable or not. E_STATE before the manifest is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_stream_count(
    session: *mut smoothcore_session,
    out: *mut u32,
) -> i32 {
    // SAFETY: as the header says.
    let count = |body: &mut Body| unsafe { fill::stream_count(&body.session, out) };
    // SAFETY: as the header says.
    unsafe { with(session, count) }
}

/// Stream `stream`, from 0. E_STATE before the manifest is there, E_ARGUMENT when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_stream(
    session: *mut smoothcore_session,
    stream: u32,
    out: *mut smoothcore_stream_info,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::stream(&body.session, stream)?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// Quality level `position` of a stream, from 0 in the order of the manifest. Errors as smoothcore_session_stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_level(
    session: *mut smoothcore_session,
    stream: u32,
    position: u32,
    out: *mut smoothcore_level_info,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::level(&body.session, stream, position)?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// The start of an MP4 file, `ftyp` and `moov`, for quality level `position` of a stream: one track with track_ID 1 that
/// has the decoder's set-up and no samples. `*length` is how long it is; it is in `buffer` only when that is no more
/// than `size`. A NULL buffer of size 0 asks for the length alone.
///
/// E_STATE before the manifest is there; E_ARGUMENT; E_CODEC_CONFIG when the set-up is in band alone;
/// E_PROTECTION_UNSUPPORTED; E_UNSUPPORTED; E_BUDGET; E_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_init_segment(
    session: *mut smoothcore_session,
    stream: u32,
    position: u32,
    buffer: *mut u8,
    size: usize,
    length: *mut usize,
) -> i32 {
    let copy = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { fill::init_segment(&mut body.session, (stream, position), buffer, size, length) }
    };
    // SAFETY: as the header says.
    unsafe { with(session, copy) }
}

/// How many deviations of the manifest from the specification smoothcore_session_deviation tells: into `*kept`; and how
/// many more there were, into `*lost` unless that is NULL. Also of a session that refused its manifest. None before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_deviation_count(
    session: *mut smoothcore_session,
    kept: *mut u32,
    lost: *mut u32,
) -> i32 {
    // SAFETY: as the header says.
    let count = |body: &mut Body| unsafe { fill::deviation_count(&body.session, kept, lost) };
    // SAFETY: as the header says.
    unsafe { with(session, count) }
}

/// Deviation `position`, from 0. E_ARGUMENT when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_deviation(
    session: *mut smoothcore_session,
    position: u32,
    out: *mut smoothcore_deviation,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::deviation(&body.session, position)?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}

/// Root attribute `position` of those that mean nothing to playback, from 0. E_ARGUMENT when there are not so many, and
/// before the manifest is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_metadata(
    session: *mut smoothcore_session,
    position: u32,
    out: *mut smoothcore_metadata,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::metadata(&body.session, position)?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(session, tell) }
}
