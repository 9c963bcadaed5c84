//! Streams as a viewer sees them, text that you bring, and captions inside pictures.

use core::ffi::c_char;

use super::codes::SMOOTHCORE_OK;
use super::player::{self, smoothcore_player};
use super::record::{self, record};
use super::session::{self, smoothcore_session};
use super::types::smoothcore_slice;
use super::{fill, text};
use crate::codec::FourCc;
use crate::error::Code;
use crate::io::{Captions, Role, TrackId};
use crate::session::{Cue, GivenText, Session};
use crate::time::{Instant, MediaTime};

/// Text to play from the start: none.
pub const SMOOTHCORE_TEXT_NONE: u32 = 0;
/// Text to play from the start: the first stream that is to be read, subtitles or captions.
pub const SMOOTHCORE_TEXT_FIRST: u32 = 1;
/// Text to play from the start: the first stream to be read of `text_language`; none when there is none.
pub const SMOOTHCORE_TEXT_LANGUAGE: u32 = 2;
/// Text to play from the start: every text stream, chapters, commands, markers and data included.
pub const SMOOTHCORE_TEXT_ALL: u32 = 3;

/// Role of a stream: what the programme consists of, or nothing special.
pub const SMOOTHCORE_ROLE_MAIN: u32 = 0;
/// Role of a stream: subtitles in another language (SUBT).
pub const SMOOTHCORE_ROLE_SUBTITLES: u32 = 1;
/// Role of a stream: captions for the hard of hearing (CAPT).
pub const SMOOTHCORE_ROLE_CAPTIONS: u32 = 2;
/// Role of a stream: description of what is to be heard or seen (DESC).
pub const SMOOTHCORE_ROLE_DESCRIPTION: u32 = 3;
/// Role of a stream: chapters (CHAP).
pub const SMOOTHCORE_ROLE_CHAPTERS: u32 = 4;
/// Role of a stream: script commands (SCMD).
pub const SMOOTHCORE_ROLE_SCRIPT: u32 = 5;
/// Role of a stream: advertisement markers (ADI3, ADVT).
pub const SMOOTHCORE_ROLE_ADS: u32 = 6;
/// Role of a stream: control events (CTRL).
pub const SMOOTHCORE_ROLE_CONTROL: u32 = 7;
/// Role of a stream: application data (DATA).
pub const SMOOTHCORE_ROLE_DATA: u32 = 8;
/// Role of a stream: pictures for fast play.
pub const SMOOTHCORE_ROLE_TRICK_MODE: u32 = 9;

const ROLES: [Role; 10] = [
    Role::Main,
    Role::Subtitles,
    Role::Captions,
    Role::Description,
    Role::Chapters,
    Role::Script,
    Role::Ads,
    Role::Control,
    Role::Data,
    Role::TrickMode,
];

/// CEA-608 and 708 captions found in a picture. The library fills it; it and its bytes are valid during the call. They come
/// in decoding order, before the sample that carries them: sort by `pts` before use.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_captions {
    /// sizeof(smoothcore_captions) of the library.
    pub struct_size: u32,
    /// The video stream.
    pub stream: u32,
    /// Older epochs are stale.
    pub epoch: u32,
    /// 0.
    pub reserved: u32,
    /// When the picture is shown.
    pub pts: i64,
    /// `pts` on a 33-bit 90 kHz clock.
    pub pts_90k: u64,
    /// The cc_data() of ATSC A/53 part 4, from its first byte; emulation prevention is undone.
    pub data: smoothcore_slice,
}

record!(smoothcore_captions, data, pts, pts_90k);

/// One custom attribute of a quality level, as it tells hardware profiles apart. You set `struct_size`; the library fills
/// the rest. Texts end with NUL and are cut at a character where they are too long.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_attribute {
    /// sizeof(smoothcore_attribute).
    pub struct_size: u32,
    /// How many attributes the level has.
    pub count: u32,
    /// Its name.
    pub name: [c_char; 64],
    /// Its value.
    pub value: [c_char; 192],
}

record!(smoothcore_attribute, value);

/// One sample of a text stream that you bring; a whole document is one. Never grows, so it has no size of its own.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_cue {
    /// When it is due; not negative.
    pub time: i64,
    /// How long it lasts, in 100 ns; 0 when that does not matter.
    pub duration: u64,
    /// Its bytes.
    pub data: smoothcore_slice,
}

/// A text stream that you bring. It and everything it points to is read during the call; the bytes are copied within the
/// budget.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_given_text {
    /// sizeof(smoothcore_given_text).
    pub struct_size: u32,
    /// A SMOOTHCORE_ROLE_ number.
    pub role: u32,
    /// What the bytes are, such as "TTML", padded with spaces; comes back in smoothcore_setup.
    pub fourcc: [u8; 4],
    /// How many cues.
    pub cue_count: u32,
    /// What it is called, ended by NUL.
    pub name: *const c_char,
    /// Its language, ended by NUL; NULL for none.
    pub language: *const c_char,
    /// The cues in the order of their times.
    pub cues: *const smoothcore_cue,
    /// Set to NULL.
    pub reserved: *const core::ffi::c_void,
}

record!(smoothcore_given_text, reserved);

pub(super) fn role_number(role: Role) -> u32 {
    let number = ROLES.iter().position(|r| *r == role).unwrap_or(0);
    number as u32
}

pub(super) fn captions(captions: &Captions<'_>) -> smoothcore_captions {
    smoothcore_captions {
        stream: u32::from(captions.stream.0),
        epoch: captions.epoch.0,
        pts: captions.pts.0,
        pts_90k: captions.pts.pts90k(),
        data: smoothcore_slice { data: captions.data.as_ptr(), size: captions.data.len() },
        ..record::blank()
    }
}

fn switch(session: &mut Session, at: Instant, stream: u32) -> Result<i32, Code> {
    session.switch(at, fill::stream_id(stream)?).map_err(|e| e.code)?;
    Ok(SMOOTHCORE_OK)
}

/// # Safety
/// `out` is NULL or writable.
unsafe fn put(out: *mut u32, stream: crate::io::StreamId) {
    // SAFETY: checked by whoever calls; the caller's promise.
    unsafe { out.write(u32::from(stream.0)) }
}

/// # Safety
/// `out` is NULL or writable.
unsafe fn find(session: &mut Session, track: u64, out: *mut u32) -> Result<i32, Code> {
    if out.is_null() || !out.is_aligned() {
        return Err(Code::Argument);
    }
    if !cfg!(feature = "tracks") {
        return Err(Code::Unsupported);
    }
    if session.manifest().is_none() {
        return Err(Code::State);
    }
    let stream = session.find_track(TrackId(track)).ok_or(Code::Argument)?;
    // SAFETY: the caller's promise.
    unsafe { put(out, stream) };
    Ok(SMOOTHCORE_OK)
}

/// # Safety
/// `out` as the header says.
unsafe fn attribute(
    session: &mut Session,
    (stream, level, position): (u32, u32, u32),
    out: *mut smoothcore_attribute,
) -> Result<i32, Code> {
    if !cfg!(feature = "details") {
        return Err(Code::Unsupported);
    }
    let listed = fill::level_of(session, stream, level)?;
    let mut all = listed.custom.iter().chain(listed.informative.iter());
    let count = all.clone().count();
    let (name, value) = usize::try_from(position).ok().and_then(|n| all.nth(n)).ok_or(Code::Argument)?;
    let told = smoothcore_attribute {
        count: u32::try_from(count).unwrap_or(u32::MAX),
        name: text::array(name),
        value: text::array(value),
        ..record::blank()
    };
    // SAFETY: the caller's promise.
    unsafe { record::write(out, &told) }?;
    Ok(SMOOTHCORE_OK)
}

/// # Safety
/// `given` and `out` as the header says.
unsafe fn add(
    session: &mut Session,
    at: Instant,
    given: *const smoothcore_given_text,
    out: *mut u32,
) -> Result<i32, Code> {
    if !cfg!(feature = "text") {
        return Err(Code::Unsupported);
    }
    // SAFETY: the caller's promise, here and below.
    let given = unsafe { record::read(given) }?;
    let role = usize::try_from(given.role).ok().and_then(|n| ROLES.get(n)).ok_or(Code::Argument)?;
    let count = usize::try_from(given.cue_count).map_err(|_| Code::Argument)?;
    let misplaced = given.cues.is_null() || !given.cues.is_aligned();
    let too_many = count.checked_mul(size_of::<smoothcore_cue>()).is_none_or(|b| b > isize::MAX as usize);
    if misplaced || too_many || out.is_null() || !out.is_aligned() || !given.reserved.is_null() {
        return Err(Code::Argument);
    }
    // SAFETY: as above; both are checked.
    let cues = unsafe { core::slice::from_raw_parts(given.cues, count) };
    let wild =
        |c: &smoothcore_cue| (c.data.data.is_null() && c.data.size > 0) || c.data.size > isize::MAX as usize;
    if cues.iter().any(wild) {
        return Err(Code::Argument);
    }
    let mut cues = cues.iter().map(|c| Cue {
        time: MediaTime(c.time),
        duration: c.duration,
        // SAFETY: as above: so many bytes, or none.
        data: if c.data.size == 0 {
            &[]
        } else {
            unsafe { core::slice::from_raw_parts(c.data.data, c.data.size) }
        },
    });
    // SAFETY: as above.
    let (name, language) = unsafe { (text::header(given.name), text::header(given.language)) };
    let named = GivenText { name, language, role: *role, format: FourCc(given.fourcc) };
    let stream = session.add_text(at, &named, &mut cues).map_err(|e| e.code)?;
    // SAFETY: as above.
    unsafe { put(out, stream) };
    Ok(SMOOTHCORE_OK)
}

/// Plays `stream` instead of every other one of its kind: another language, another angle. What plays goes on until the
/// new one has media for the position being shown; then the old one is flushed, and the new one begins there. If it cannot
/// be had, nothing changes.
///
/// E_STATE before the manifest is there; E_ARGUMENT for a stream that cannot be played; E_BUDGET when there is no memory for
/// both for a while; the fatal error of a failed player.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_switch(player: *mut smoothcore_player, stream: u32) -> i32 {
    // SAFETY: as the header says.
    unsafe { player::living(player, &mut |session, at| switch(session, at, stream)) }
}

/// As smoothcore_player_switch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_switch(
    session: *mut smoothcore_session,
    at_us: u64,
    stream: u32,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { session::living(session, &mut |session| switch(session, Instant(at_us), stream)) }
}

/// Puts into `*stream` the number of the stream whose smoothcore_stream_info.track is `track`: the same stream, wherever
/// the manifest lists it now.
///
/// E_STATE before the manifest is there; E_ARGUMENT when there is none; the fatal error of a failed player.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_find_track(
    player: *mut smoothcore_player,
    track: u64,
    stream: *mut u32,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { player::living(player, &mut |session, _| find(session, track, stream)) }
}

/// As smoothcore_player_find_track.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_find_track(
    session: *mut smoothcore_session,
    track: u64,
    stream: *mut u32,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { session::living(session, &mut |session| find(session, track, stream)) }
}

/// Custom attribute `position`, from 0, of quality level `level` of a stream, both from 0 in the order of the manifest.
///
/// E_STATE before the manifest is there; E_ARGUMENT when there are not so many; the fatal error of a failed player.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_attribute(
    player: *mut smoothcore_player,
    stream: u32,
    level: u32,
    position: u32,
    out: *mut smoothcore_attribute,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { player::living(player, &mut |session, _| attribute(session, (stream, level, position), out)) }
}

/// As smoothcore_player_attribute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_attribute(
    session: *mut smoothcore_session,
    stream: u32,
    level: u32,
    position: u32,
    out: *mut smoothcore_attribute,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { session::living(session, &mut |session| attribute(session, (stream, level, position), out)) }
}

/// Adds a text stream of yours, and plays it: a document or a list of cues or markers. Its samples come to the decoder port
/// at their times, and it can be turned off and on like any other. Its number goes to `*stream`.
///
/// E_STATE before the manifest is there; E_ARGUMENT for no cue, times that are negative or fall, or a number out of range;
/// E_LIMIT_STREAMS; E_BUDGET; E_NO_MEMORY; the fatal error of a failed player.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_add_text(
    player: *mut smoothcore_player,
    given: *const smoothcore_given_text,
    stream: *mut u32,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { player::living(player, &mut |session, at| add(session, at, given, stream)) }
}

/// As smoothcore_player_add_text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_add_text(
    session: *mut smoothcore_session,
    at_us: u64,
    given: *const smoothcore_given_text,
    stream: *mut u32,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { session::living(session, &mut |session| add(session, Instant(at_us), given, stream)) }
}
