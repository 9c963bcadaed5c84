//! Blocking mode: to the end, or to an instant or a wake.

use core::sync::atomic::{AtomicBool, Ordering};

use super::codes::{SMOOTHCORE_END, SMOOTHCORE_OK};
use super::handle;
use super::player::{Body, smoothcore_player};
use super::ports::smoothcore_clock_port;
use crate::error::Code;
use crate::io::Event;
use crate::player::Ran;
use crate::port::Clock;
use crate::time::Instant;

/// The port's clock as blocking mode wants it.
struct Waiting<'a> {
    port: smoothcore_clock_port,
    woken: &'a AtomicBool,
}

impl Clock for Waiting<'_> {
    fn now(&mut self) -> Instant {
        match self.port.now_us {
            // SAFETY: the port's own contract.
            Some(now_us) => Instant(unsafe { now_us(self.port.userdata) }),
            None => Instant(0),
        }
    }

    fn wait(&mut self, until: Instant) {
        // A wake during the step must not be slept through.
        if self.woken.load(Ordering::Acquire) {
            return;
        }
        if let Some(wait_until) = self.port.wait_until {
            // SAFETY: the port's own contract.
            unsafe { wait_until(self.port.userdata, until.0) }
        }
    }

    fn interrupted(&mut self) -> bool {
        let woken = self.woken.load(Ordering::Acquire);
        if woken {
            self.woken.store(false, Ordering::Relaxed);
        }
        woken
    }
}

/// Plays until `until`, a wake or the end.
fn run(body: &mut Body, woken: &AtomicBool, until: Instant) -> Result<Ran, Code> {
    if body.clock.wait_until.is_none() {
        return Err(Code::Unsupported);
    }
    let (outlet, mut clock) = (&mut body.outlet, Waiting { port: body.clock, woken });
    let ran = body.player.run_until(&mut clock, until, &mut |event: &Event| outlet.put(event));
    ran.map_err(|error| error.code)
}

/// Blocking mode, for bring-up: plays to the end, sleeping in the clock port's `wait_until`. While an exchange is open it
/// looks at the ports every 5 ms at least. Give an event port to hear of events meanwhile.
///
/// OK when everything has been shown; E_UNSUPPORTED without `wait_until`; E_STATE before open; a fatal error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_run(player: *mut smoothcore_player) -> i32 {
    // SAFETY: as the header says.
    let Ok(living) = (unsafe { handle::look(player) }) else { return Code::Argument.number() };
    living.guarded.enter(|body| {
        // Each turn ends with a wake.
        while run(body, &living.waker.woken, Instant(u64::MAX))? == Ran::Stopped {}
        Ok(SMOOTHCORE_OK)
    })
}

/// Blocking mode for a thread that has more to do: plays as smoothcore_player_run does and returns when the clock port says
/// `until_us`, or soon after smoothcore_player_wake, whoever called it. Then seek, select, fetch events or destroy, and
/// call it again to play on. SMOOTHCORE_NO_TIME_US: a wake alone ends it. Each call makes at least one step.
///
/// OK when there is more to play; END when everything has been shown, though a seek may go on from there; E_UNSUPPORTED
/// without `wait_until`; E_STATE before open; a fatal error, which every further call returns as well.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_run_until(player: *mut smoothcore_player, until_us: u64) -> i32 {
    // SAFETY: as the header says.
    let Ok(living) = (unsafe { handle::look(player) }) else { return Code::Argument.number() };
    living.guarded.enter(|body| {
        Ok(match run(body, &living.waker.woken, Instant(until_us))? {
            Ran::Stopped => SMOOTHCORE_OK,
            Ran::Ended => SMOOTHCORE_END,
        })
    })
}
