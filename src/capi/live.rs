//! Live presentations: their window and edge, standby, and the network.

use super::codes::SMOOTHCORE_OK;
use super::player::{self, smoothcore_player};
use super::record::{self, record};
use super::session::{self, smoothcore_session};
use super::types::{SMOOTHCORE_NO_TIME, SMOOTHCORE_NO_TIME_US, smoothcore_config};
use crate::error::Code;
use crate::io::Network;
use crate::session::{BehindPolicy, LiveConfig, LiveStart, Session, WindowChoice};
use crate::time::{Instant, Micros};

/// Start of a live presentation: near its edge; after a suspension it goes on where it was.
pub const SMOOTHCORE_LIVE_START_EDGE: u32 = 0;
/// Start of a live presentation: at the beginning of its window; after a suspension it goes on where it was.
pub const SMOOTHCORE_LIVE_START_BEGINNING: u32 = 1;
/// Start of a live presentation: near its edge, and there again after a suspension.
pub const SMOOTHCORE_LIVE_START_ALWAYS_EDGE: u32 = 2;

/// When the window has overtaken what is played: it goes on at the start of the window, and a margin of five seconds or two
/// fragments.
pub const SMOOTHCORE_BEHIND_WINDOW_START: u32 = 0;
/// When the window has overtaken what is played: it goes to the edge.
pub const SMOOTHCORE_BEHIND_EDGE: u32 = 1;
/// When the window has overtaken what is played: it ends with SMOOTHCORE_E_BEHIND_WINDOW.
pub const SMOOTHCORE_BEHIND_STOP: u32 = 2;

/// How far back it can be played: as the origin says.
pub const SMOOTHCORE_WINDOW_ORIGIN: u32 = 0;
/// How far back it can be played: as far as fragments have been known, for origins that keep them longer than they say.
pub const SMOOTHCORE_WINDOW_UNLIMITED: u32 = 1;

/// Why the manifest is read again, `a` of SMOOTHCORE_EVENT_REFRESHED: a seek went to where the list does not reach.
pub const SMOOTHCORE_REFRESH_SEEK: u32 = 1;
/// Why the manifest is read again: playback goes on after a pause, a suspension, an outage or a jump of the clock.
pub const SMOOTHCORE_REFRESH_RESUME: u32 = 2;
/// Why the manifest is read again: nothing new comes at the edge.
pub const SMOOTHCORE_REFRESH_STALLED: u32 = 3;
/// Why the manifest is read again: a stream was turned on whose list does not reach the position.
pub const SMOOTHCORE_REFRESH_SELECT: u32 = 4;
/// Why the manifest is read again: the origin's fragments do not announce what follows.
pub const SMOOTHCORE_REFRESH_UNANNOUNCED: u32 = 5;
/// Why the manifest is read again: the origin does not have a fragment that is listed.
pub const SMOOTHCORE_REFRESH_MISSING: u32 = 6;
/// Why the manifest is read again: the origin refuses access; a token may have run out.
pub const SMOOTHCORE_REFRESH_FORBIDDEN: u32 = 7;
/// Why the manifest is read again: a played stream lists nothing yet.
pub const SMOOTHCORE_REFRESH_EMPTY: u32 = 8;
/// Why the manifest is read again: the list read before lies wholly before the one known, and is looked at twice.
pub const SMOOTHCORE_REFRESH_RESTART: u32 = 9;
/// Why the manifest is read again: the origin does not answer for a fragment.
pub const SMOOTHCORE_REFRESH_PROBE: u32 = 10;

/// Where a live presentation can be played, and how far behind its edge it is. You set `struct_size`; the library fills the
/// rest.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_live {
    /// sizeof(smoothcore_live).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The earliest time that can be sought to.
    pub start: i64,
    /// Where the newest fragment that every played stream can have ends: an estimate between two things learnt.
    pub end: i64,
    /// Where `_seek_live` goes: the target delay before `end`, at the start of a fragment.
    pub edge: i64,
    /// What is being shown; SMOOTHCORE_NO_TIME before anything is.
    pub position: i64,
    /// From `position` to `end`; SMOOTHCORE_NO_TIME_US without a position.
    pub latency_us: u64,
    /// The delay behind `end` that is aimed at.
    pub target_delay_us: u64,
    /// The origin's clock now, in microseconds since 1970: a hint, from the Date of its latest manifest.
    /// SMOOTHCORE_NO_TIME_US when it sent none.
    pub origin_clock_us: u64,
    /// Since when the manifest was last read.
    pub age_us: u64,
}

record!(smoothcore_live, age_us, start, end, edge, position, latency_us, target_delay_us, origin_clock_us);

/// What a configuration says of live presentations.
///
/// # Errors
/// [`Code::Argument`].
pub(super) fn config(c: &smoothcore_config) -> Result<LiveConfig, Code> {
    if !cfg!(feature = "live") {
        return Ok(LiveConfig::default());
    }
    let start = match c.live_start {
        SMOOTHCORE_LIVE_START_EDGE => LiveStart::Edge,
        SMOOTHCORE_LIVE_START_BEGINNING => LiveStart::Beginning,
        SMOOTHCORE_LIVE_START_ALWAYS_EDGE => LiveStart::AlwaysEdge,
        _ => return Err(Code::Argument),
    };
    let behind = match c.live_behind {
        SMOOTHCORE_BEHIND_WINDOW_START => BehindPolicy::WindowStart,
        SMOOTHCORE_BEHIND_EDGE => BehindPolicy::Edge,
        SMOOTHCORE_BEHIND_STOP => BehindPolicy::Stop,
        _ => return Err(Code::Argument),
    };
    let window = match c.live_window {
        SMOOTHCORE_WINDOW_ORIGIN => WindowChoice::Origin,
        SMOOTHCORE_WINDOW_UNLIMITED => WindowChoice::Unlimited,
        _ => return Err(Code::Argument),
    };
    if c.live_rate > 200 {
        return Err(Code::Argument);
    }
    Ok(LiveConfig { target_delay: Micros(c.live_target_delay_us), start, behind, window, rate: c.live_rate })
}

/// What a host may ask of a live presentation.
#[derive(Clone, Copy)]
enum Command {
    SeekLive,
    Suspend,
    Resume,
    Network(u32),
}

fn act(session: &mut Session, at: Instant, command: Command) -> Result<i32, Code> {
    let done = match command {
        Command::SeekLive => session.seek_live(at),
        Command::Suspend => session.suspend(at),
        Command::Resume => session.resume(at),
        Command::Network(0) => session.network(at, Network::Down),
        Command::Network(1) => session.network(at, Network::Up),
        Command::Network(_) => return Err(Code::Argument),
    };
    done.map(|()| SMOOTHCORE_OK).map_err(|e| e.code)
}

unsafe fn of_session(session: *mut smoothcore_session, at_us: u64, command: Command) -> i32 {
    if !cfg!(feature = "live") {
        return Code::Unsupported.number();
    }
    // SAFETY: the caller's promise.
    unsafe { session::living(session, &mut |session| act(session, Instant(at_us), command)) }
}

unsafe fn of_player(player: *mut smoothcore_player, command: Command) -> i32 {
    if !cfg!(feature = "live") {
        return Code::Unsupported.number();
    }
    // SAFETY: the caller's promise.
    unsafe { player::living(player, &mut |session, now| act(session, now, command)) }
}

unsafe fn tell(session: &Session, out: *mut smoothcore_live) -> Result<i32, Code> {
    let live = session.live().ok_or(Code::State)?;
    let record = smoothcore_live {
        start: live.start.0,
        end: live.end.0,
        edge: live.edge.0,
        position: live.position.map_or(SMOOTHCORE_NO_TIME, |p| p.0),
        latency_us: live.latency.map_or(SMOOTHCORE_NO_TIME_US, |l| l.0),
        target_delay_us: live.target_delay.0,
        origin_clock_us: live.origin_clock.unwrap_or(SMOOTHCORE_NO_TIME_US),
        age_us: live.age.0,
        ..record::blank()
    };
    // SAFETY: the caller's promise.
    unsafe { record::write(out, &record) }?;
    Ok(SMOOTHCORE_OK)
}

/// Where a live presentation can be played, and how far behind its edge it is.
///
/// E_STATE for one that no longer grows, and before there is anything to play; E_UNSUPPORTED in a library without live
/// presentations; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_live(
    session: *mut smoothcore_session,
    out: *mut smoothcore_live,
) -> i32 {
    if !cfg!(feature = "live") {
        return Code::Unsupported.number();
    }
    // SAFETY: as the header says.
    unsafe { session::living(session, &mut |session| tell(session, out)) }
}

/// Goes to the live edge, the target delay behind the newest fragment, and follows it from there.
///
/// E_STATE before the manifest is there, and for a presentation that is not live; E_UNSUPPORTED in a library without live
/// presentations; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_seek_live(session: *mut smoothcore_session, at_us: u64) -> i32 {
    // SAFETY: as the header says.
    unsafe { of_session(session, at_us, Command::SeekLive) }
}

/// The box goes to sleep: every exchange is cancelled, the clock is held, and nothing is asked for until
/// smoothcore_session_resume. For presentations on demand as well.
///
/// E_UNSUPPORTED in a library without live presentations; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_suspend(session: *mut smoothcore_session, at_us: u64) -> i32 {
    // SAFETY: as the header says.
    unsafe { of_session(session, at_us, Command::Suspend) }
}

/// The reverse: decoders are flushed and set up anew, and playback goes on where it was. A live presentation goes on there if
/// its window still reaches so far; otherwise as `live_behind` says. Errors as smoothcore_session_suspend.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_resume(session: *mut smoothcore_session, at_us: u64) -> i32 {
    // SAFETY: as the header says.
    unsafe { of_session(session, at_us, Command::Resume) }
}

/// The network has gone (`up` 0) or come back (1). Without it nothing is asked for and nothing counts as failed; what is at
/// hand is played. When it is back, everything starts again within a second.
///
/// E_ARGUMENT for another number; else as smoothcore_session_suspend.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_network(
    session: *mut smoothcore_session,
    at_us: u64,
    up: u32,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { of_session(session, at_us, Command::Network(up)) }
}

/// As smoothcore_session_live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_live(
    player: *mut smoothcore_player,
    out: *mut smoothcore_live,
) -> i32 {
    if !cfg!(feature = "live") {
        return Code::Unsupported.number();
    }
    // SAFETY: as the header says.
    unsafe { player::living(player, &mut |session, _| tell(session, out)) }
}

/// As smoothcore_session_seek_live. Step the player afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_seek_live(player: *mut smoothcore_player) -> i32 {
    // SAFETY: as the header says.
    unsafe { of_player(player, Command::SeekLive) }
}

/// As smoothcore_session_suspend. Step the player once more, so that it can cancel what is in flight; then it need not be
/// stepped until smoothcore_player_resume.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_suspend(player: *mut smoothcore_player) -> i32 {
    // SAFETY: as the header says.
    unsafe { of_player(player, Command::Suspend) }
}

/// As smoothcore_session_resume. Step the player afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_resume(player: *mut smoothcore_player) -> i32 {
    // SAFETY: as the header says.
    unsafe { of_player(player, Command::Resume) }
}

/// As smoothcore_session_network. Step the player afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_network(player: *mut smoothcore_player, up: u32) -> i32 {
    // SAFETY: as the header says.
    unsafe { of_player(player, Command::Network(up)) }
}
