//! What the viewer asks of a session.

use super::codes::SMOOTHCORE_OK;
use super::fill;
use super::session::{Body, smoothcore_session, with};
use crate::error::Code;
use crate::time::{Instant, MediaTime};

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
