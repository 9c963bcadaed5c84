//! What a session has found out, and how it fares.

use super::codes::SMOOTHCORE_OK;
use super::info::{
    smoothcore_deviation, smoothcore_level_info, smoothcore_metadata, smoothcore_presentation,
    smoothcore_stats, smoothcore_stream_info,
};
use super::session::{Body, smoothcore_session, with};
use super::{fill, record};

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
