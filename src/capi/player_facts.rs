//! What a player has found out, and how it fares.

use super::codes::SMOOTHCORE_OK;
use super::info::{
    smoothcore_deviation, smoothcore_level_info, smoothcore_metadata, smoothcore_presentation,
    smoothcore_stats, smoothcore_stream_info,
};
use super::player::{Body, smoothcore_player, with};
use super::{fill, record};

/// Figures since open. Also of a failed player.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_stats(
    player: *mut smoothcore_player,
    out: *mut smoothcore_stats,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::stats(body.player.session(), &body.reserve)) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, tell) }
}

/// The presentation as a whole. E_STATE before the manifest is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_presentation(
    player: *mut smoothcore_player,
    out: *mut smoothcore_presentation,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::presentation(body.player.session())?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, tell) }
}

/// How many streams the manifest lists, playable or not. E_STATE before the manifest is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_stream_count(
    player: *mut smoothcore_player,
    out: *mut u32,
) -> i32 {
    // SAFETY: as the header says.
    let count = |body: &mut Body| unsafe { fill::stream_count(body.player.session(), out) };
    // SAFETY: as the header says.
    unsafe { with(player, count) }
}

/// Stream `stream`, from 0. E_STATE before the manifest is there, E_ARGUMENT when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_stream(
    player: *mut smoothcore_player,
    stream: u32,
    out: *mut smoothcore_stream_info,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::stream(body.player.session(), stream)?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, tell) }
}

/// Quality level `position` of a stream, from 0 in the order of the manifest. Errors as smoothcore_player_stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_level(
    player: *mut smoothcore_player,
    stream: u32,
    position: u32,
    out: *mut smoothcore_level_info,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::level(body.player.session(), stream, position)?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, tell) }
}

/// The start of an MP4 file, `ftyp` and `moov`, for quality level `position` of a stream: one track with track_ID 1 that
/// has the decoder's set-up and no samples. `*length` is how long it is; it is in `buffer` only when that is no more
/// than `size`. A NULL buffer of size 0 asks for the length alone.
///
/// E_STATE before the manifest is there; E_ARGUMENT; E_CODEC_CONFIG when the set-up is in band alone;
/// E_PROTECTION_UNSUPPORTED; E_UNSUPPORTED; E_BUDGET; E_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_init_segment(
    player: *mut smoothcore_player,
    stream: u32,
    position: u32,
    buffer: *mut u8,
    size: usize,
    length: *mut usize,
) -> i32 {
    let copy = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { fill::init_segment(body.player.session(), (stream, position), buffer, size, length) }
    };
    // SAFETY: as the header says.
    unsafe { with(player, copy) }
}

/// How many deviations of the manifest from the specification smoothcore_player_deviation tells: into `*kept`; and how
/// many more there were, into `*lost` unless that is NULL. Also of a session that refused its manifest. None before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_deviation_count(
    player: *mut smoothcore_player,
    kept: *mut u32,
    lost: *mut u32,
) -> i32 {
    // SAFETY: as the header says.
    let count = |body: &mut Body| unsafe { fill::deviation_count(body.player.session(), kept, lost) };
    // SAFETY: as the header says.
    unsafe { with(player, count) }
}

/// Deviation `position`, from 0. E_ARGUMENT when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_deviation(
    player: *mut smoothcore_player,
    position: u32,
    out: *mut smoothcore_deviation,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::deviation(body.player.session(), position)?) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, tell) }
}

/// What is said of the presentation, one thing at a time, `position` from 0: first by the server manifest of one on disk,
/// known once it is open, then by root attributes of the manifest. E_ARGUMENT when there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_metadata(
    player: *mut smoothcore_player,
    position: u32,
    out: *mut smoothcore_metadata,
) -> i32 {
    let tell = |body: &mut Body| {
        let (known, pair) = body.player.http().metadata(position);
        let told = match pair {
            Some(pair) => fill::pair(pair),
            None => fill::metadata(body.player.session(), position.saturating_sub(known))?,
        };
        // SAFETY: as the header says.
        unsafe { record::write(out, &told) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, tell) }
}
