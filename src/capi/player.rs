//! The driver that turns a session against ports; `run` has its blocking mode.

use core::ffi::{c_char, c_void};
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering};

use super::codes::{SMOOTHCORE_END, SMOOTHCORE_OK, SMOOTHCORE_WOULD_BLOCK};
use super::decode::DecoderPort;
use super::fill;
use super::handle::{self, Guarded};
use super::media::smoothcore_event;
use super::ports::{smoothcore_clock_port, smoothcore_event_port, smoothcore_ports};
use super::protection::{self, ProtectionPort};
use super::scratch::Reserve;
use super::types::{SMOOTHCORE_NO_TIME_US, smoothcore_config};
use super::wire::Wire;
use super::{given, record, text};
use crate::error::Code;
use crate::io::{Event, EventKind, Input};
use crate::mem::{Account, List};
use crate::player::Player;
use crate::session::{Session, State};
use crate::time::{Instant, MediaTime};

/// Events kept for a host that fetches them slowly.
const EVENTS: usize = 64;

/// One presentation being played against your ports.
pub struct smoothcore_player {
    /// Read by any thread.
    pub(super) waker: Waker,
    pub(super) guarded: Guarded<Body>,
}

pub(super) struct Waker {
    pub(super) woken: AtomicBool,
    wakeup: Option<unsafe extern "C" fn(*mut c_void)>,
    userdata: *mut c_void,
}

pub(super) struct Body {
    pub(super) player: Player<Wire, DecoderPort, ProtectionPort>,
    pub(super) clock: smoothcore_clock_port,
    pub(super) outlet: Outlet,
    pub(super) reserve: Reserve,
}

/// Where events go.
pub(super) struct Outlet {
    port: Option<smoothcore_event_port>,
    ring: List<Event>,
    lost: u32,
}

impl Outlet {
    pub(super) fn put(&mut self, event: &Event) {
        if let Some(port) = &self.port {
            let event = fill::event(event);
            if let Some(hear) = port.event {
                // SAFETY: the port's own contract; the event lives during the call.
                unsafe { hear(port.userdata, &raw const event) };
            }
            return;
        }
        let mut event = *event;
        if cfg!(feature = "planner") && self.ring.len() >= EVENTS / 2 && event.kind == EventKind::Decided {
            // They would push out what happens once: of those about one stream the newest is enough.
            let same = |e: &Event| e.kind == EventKind::Decided && e.stream == event.stream;
            while let Some(old) = self.ring.iter().position(same).and_then(|old| self.ring.remove(old)) {
                self.lost = self.lost.saturating_add(old.lost);
            }
        }
        if self.ring.len() >= EVENTS {
            let oldest = self.ring.remove(0).map_or(0, |e| e.lost);
            self.lost = self.lost.saturating_add(oldest).saturating_add(1);
        }
        if self.ring.is_empty() {
            event.lost = event.lost.saturating_add(mem::take(&mut self.lost));
        }
        // The room was taken when the player was made.
        let _ = self.ring.push(&mut Account::new(0), event);
    }

    fn take(&mut self) -> Option<Event> {
        let mut event = self.ring.remove(0)?;
        event.lost = event.lost.saturating_add(mem::take(&mut self.lost));
        Some(event)
    }
}

impl Body {
    /// The port's clock.
    fn now(&self) -> Instant {
        match self.clock.now_us {
            // SAFETY: the port's own contract.
            Some(now_us) => Instant(unsafe { now_us(self.clock.userdata) }),
            None => Instant(0),
        }
    }

    /// The session, unless it has failed for good, and the time.
    fn living(&mut self) -> Result<(&mut Session, Instant), Code> {
        let now = self.now();
        let session = self.player.session();
        match session.state() {
            State::Failed(error) => Err(error.code),
            _ => Ok((session, now)),
        }
    }

    fn step(&mut self, woken: &AtomicBool) -> Result<(i32, Option<Instant>), Code> {
        if self.player.session().state() == State::New {
            return Err(Code::State);
        }
        woken.store(false, Ordering::Release);
        let at = self.now();
        let outlet = &mut self.outlet;
        let turn = self.player.step(at, &mut |event: &Event| outlet.put(event));
        match turn.state {
            State::Failed(error) => Err(error.code),
            State::Ended if self.player.is_played_out() => Ok((SMOOTHCORE_END, None)),
            // A wake during the step must not be slept through.
            _ if woken.load(Ordering::Acquire) => Ok((SMOOTHCORE_OK, Some(at))),
            _ => Ok((SMOOTHCORE_OK, turn.next)),
        }
    }
}

/// Runs `act` on a player's body unless NULL or re-entered.
pub(super) unsafe fn with(
    player: *mut smoothcore_player,
    act: impl FnOnce(&mut Body) -> Result<i32, Code>,
) -> i32 {
    // SAFETY: the header's rule: NULL, or what create returned and nobody destroyed.
    match unsafe { handle::look(player) } {
        Ok(player) => player.guarded.enter(act),
        Err(code) => code.number(),
    }
}

/// Runs `act` on the session of a player that has not failed for good.
pub(super) unsafe fn living(
    player: *mut smoothcore_player,
    act: &mut dyn FnMut(&mut Session, Instant) -> Result<i32, Code>,
) -> i32 {
    let run = |body: &mut Body| {
        let (session, now) = body.living()?;
        act(session, now)
    };
    // SAFETY: the caller's promise.
    unsafe { with(player, run) }
}

/// Makes a player. `*out` goes back to smoothcore_player_destroy; it is NULL after an error. No port is called.
///
/// E_ARGUMENT for a number out of range, a missing port or required function; E_ABI for a header of another ABI major or
/// a newer minor; E_BUDGET; E_NO_MEMORY; E_UNSUPPORTED for byte streams in a library without its HTTP client.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_create(
    config: *const smoothcore_config,
    ports: *const smoothcore_ports,
    out: *mut *mut smoothcore_player,
) -> i32 {
    let make = || {
        // SAFETY: as the header says.
        let ports = unsafe { Ports::read(ports) }?;
        let own = mem::size_of::<smoothcore_player>()
            .saturating_add(EVENTS.saturating_mul(mem::size_of::<Event>()));
        // SAFETY: as the header says.
        let mut given = unsafe { given::config(config, own) }?;
        let mut ring = List::new();
        ring.reserve_exact(&mut Account::new(usize::MAX), EVENTS).map_err(|e| e.code)?;
        // SAFETY: as the header says.
        let wire = unsafe { Wire::read(&ports.table, &mut given) }?;
        // SAFETY: as the header says.
        let decoder = unsafe { DecoderPort::read(ports.table.decoder, &given.reserve) }?;
        // SAFETY: as the header says.
        let protection = unsafe { ProtectionPort::read(ports.table.protection) }?;
        let (wakeup, userdata) = (ports.clock.wakeup, ports.clock.userdata);
        let waker = Waker { woken: AtomicBool::new(false), wakeup, userdata };
        let outlet = Outlet { port: ports.events, ring, lost: 0 };
        let fill = |at: *mut smoothcore_player| {
            // SAFETY: `at` is memory for a player; below, every field is written.
            unsafe {
                let body = Guarded::begin(&raw mut (*at).guarded);
                match Player::with_protection(given.core, wire, decoder, protection) {
                    Ok(player) => (&raw mut (*body).player).write(player),
                    Err(error) => return Err(error.code),
                }
                (&raw mut (*body).clock).write(ports.clock);
                (&raw mut (*body).outlet).write(outlet);
                (&raw mut (*body).reserve).write(given.reserve);
                (&raw mut (*at).waker).write(waker);
            }
            Ok(())
        };
        // SAFETY: all of it, or nothing.
        unsafe { handle::place(fill) }
    };
    // SAFETY: as the header says.
    unsafe { handle::hand_out(out, make) }
}

/// The tables a player is made of.
struct Ports {
    table: smoothcore_ports,
    clock: smoothcore_clock_port,
    events: Option<smoothcore_event_port>,
}

impl Ports {
    /// # Safety
    /// `ports` and what it points to as the header says.
    unsafe fn read(ports: *const smoothcore_ports) -> Result<Ports, Code> {
        // SAFETY: as the header says.
        let table = unsafe { record::read(ports) }?;
        // SAFETY: as the header says.
        let clock = unsafe { record::read(table.clock) }?;
        let events = if table.events.is_null() {
            None
        } else {
            // SAFETY: as the header says.
            Some(unsafe { record::read(table.events) }?)
        };
        let missing = clock.now_us.is_none() || events.is_some_and(|e| e.event.is_none());
        let reserved = table.reserved | clock.reserved | events.map_or(0, |e| e.reserved);
        if missing || reserved != 0 { Err(Code::Argument) } else { Ok(Ports { table, clock, events }) }
    }
}

/// Ends every exchange in flight through the port, then frees the player and all it holds. NULL is fine. Decoders are
/// yours to stop; with a protection port they are flushed and then that is closed. Does nothing inside a callback of the same player: call it when the callback has returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_destroy(player: *mut smoothcore_player) {
    // SAFETY: as the header says.
    let Ok(living) = (unsafe { handle::look(player) }) else { return };
    let close = |body: &mut Body| {
        body.player.shut_down();
        Ok(SMOOTHCORE_OK)
    };
    // Entering fails inside a callback alone.
    if living.guarded.enter(close) == SMOOTHCORE_OK {
        // SAFETY: made by `place`, and nobody is inside.
        unsafe { handle::discard(player) };
    }
}

/// Starts to play the presentation at `url`: an absolute http or https URL ended by NUL, read during the call. Once a
/// player.
///
/// With a source port, whatever has no `://` in it, and any `file:` URL (its path counts), is opened from that: an .ism,
/// an .ismc, or a single .ismv or .isma, muxed or not. The files are looked at during the call; the client manifest is
/// the .ismc, or is made of what the files say.
///
/// E_STATE when opened before; E_URL_INVALID, E_URL_REFUSED, E_LIMIT_URL; E_UNSUPPORTED for a URL without an HTTP or
/// stream port; of files, E_NO_FILE, E_FILE_IO, what the port says, E_MANIFEST_... for an .ism, E_BOX_INVALID and
/// limits for media; E_BUDGET; E_NO_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_open(player: *mut smoothcore_player, url: *const c_char) -> i32 {
    let open = |body: &mut Body| {
        // SAFETY: as the header says.
        let url = unsafe { text::url(url, body.reserve.url_bytes) }?;
        if body.living()?.0.state() != State::New {
            return Err(Code::State);
        }
        let url = body.player.http().open(url)?;
        let now = body.now();
        body.player.open(now, url).map_err(|e| e.code)?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, open) }
}

/// Event-loop mode: does what can be done now and returns. `*next_us` is when to call again at the latest, by the clock
/// port; SMOOTHCORE_NO_TIME_US: not before a port has something new, which it tells with smoothcore_player_wake.
///
/// OK; END when everything has been shown, though a seek may go on from there; E_STATE before open; a fatal error, which
/// every further call returns as well.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_step(player: *mut smoothcore_player, next_us: *mut u64) -> i32 {
    // SAFETY: as the header says.
    let Ok(living) = (unsafe { handle::look(player) }) else { return Code::Argument.number() };
    if next_us.is_null() {
        return Code::Argument.number();
    }
    living.guarded.enter(|body| {
        let (result, next) = match body.step(&living.waker.woken) {
            Ok((result, next)) => (Ok(result), next),
            Err(code) => (Err(code), None),
        };
        // SAFETY: not NULL; as the header says.
        unsafe { next_us.write(next.map_or(SMOOTHCORE_NO_TIME_US, |at| at.0)) };
        result
    })
}

/// Makes smoothcore_player_step due at once and smoothcore_player_run_until return, and calls the clock port's `wakeup` on this thread, which must return at
/// once. Ports call it when a WOULD_BLOCK of theirs has ended. Any thread and any callback, as long as the player lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_wake(player: *mut smoothcore_player) {
    // SAFETY: as the header says; only the waker is touched, which is atomic or never changes.
    let Ok(living) = (unsafe { handle::look(player) }) else { return };
    living.waker.woken.store(true, Ordering::Release);
    if let Some(wakeup) = living.waker.wakeup {
        // SAFETY: the port's own contract.
        unsafe { wakeup(living.waker.userdata) }
    }
}

/// Fetches the oldest event; 64 are kept, and `out->lost` counts those that had to go. With an event port there are none.
///
/// OK; WOULD_BLOCK when there is none. Also of a failed player.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_event(
    player: *mut smoothcore_player,
    out: *mut smoothcore_event,
) -> i32 {
    let fetch = |body: &mut Body| {
        // SAFETY: as the header says.
        unsafe { record::check(out) }?;
        let Some(event) = body.outlet.take() else { return Ok(SMOOTHCORE_WOULD_BLOCK) };
        // SAFETY: as the header says.
        unsafe { record::write(out, &fill::event(&event)) }?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, fetch) }
}

/// Goes on from the fragment that covers `to`. Samples before `to` carry SMOOTHCORE_SAMPLE_PREROLL.
///
/// E_STATE before the manifest is there; E_ARGUMENT for a negative time; the fatal error of a failed player.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_seek(player: *mut smoothcore_player, to: i64) -> i32 {
    let seek = |body: &mut Body| {
        let to = MediaTime(if to < 0 { return Err(Code::Argument) } else { to });
        let (session, now) = body.living()?;
        session.seek(now, to).map_err(|e| e.code)?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, seek) }
}

/// Plays (`on` 1) or stops playing (0) one stream. One that is turned on starts where the others are.
///
/// E_STATE before the manifest is there; E_ARGUMENT for a stream that cannot be played; E_BUDGET when the budget cannot
/// be divided among so many; the fatal error of a failed player.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_select(
    player: *mut smoothcore_player,
    stream: u32,
    on: u32,
) -> i32 {
    let select = |body: &mut Body| {
        let (stream, selection) = (fill::stream_id(stream)?, fill::selection(on)?);
        let (session, now) = body.living()?;
        session.select(now, stream, selection).map_err(|e| e.code)?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, select) }
}

/// How far keys are, for a host without a protection port: as smoothcore_session_key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_key(
    player: *mut smoothcore_player,
    kid: *const u8,
    result: i32,
    key: u64,
) -> i32 {
    let tell = |body: &mut Body| {
        // SAFETY: as the header says.
        let (keys, status) = unsafe { protection::key(kid, result, key) }?;
        let (session, now) = body.living()?;
        session.input(now, Input::Key(keys, status));
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, tell) }
}

/// Leaves only the quality levels of a stream whose bit is set in `mask`: as smoothcore_session_restrict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_restrict(
    player: *mut smoothcore_player,
    stream: u32,
    mask: u64,
) -> i32 {
    let restrict = |body: &mut Body| {
        let stream = fill::stream_id(stream)?;
        let (session, now) = body.living()?;
        session.restrict(now, stream, mask).map_err(|e| e.code)?;
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, restrict) }
}

/// Holds the presentation clock, from the next step on, until smoothcore_player_play; fetching goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_pause(player: *mut smoothcore_player) -> i32 {
    let pause = |body: &mut Body| {
        let (session, now) = body.living()?;
        session.pause(now);
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, pause) }
}

/// Lets the presentation clock run when there is enough media, as it does from the start.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_play(player: *mut smoothcore_player) -> i32 {
    let play = |body: &mut Body| {
        let (session, now) = body.living()?;
        session.play(now);
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { with(player, play) }
}
