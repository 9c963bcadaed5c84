//! How levels are chosen: configuration, what is kept for the next session, caps.

use super::codes::SMOOTHCORE_OK;
use super::player::{self, smoothcore_player};
use super::record::{self, record};
use super::session::{self, smoothcore_session};
use crate::error::Code;
use crate::session::{
    Abandonment, Objective, PictureCap, Prior, Replacement, Session, SwitchingConfig, SwitchingRule,
};
use crate::time::{Instant, Micros};

/// Levels are chosen by the planner; in a library without it, and for a decoder without a clock, by the throughput-and-buffer
/// rule.
pub const SMOOTHCORE_RULE_PLANNER: u32 = 0;
/// Levels are chosen by the throughput-and-buffer rule.
pub const SMOOTHCORE_RULE_THROUGHPUT: u32 = 1;
/// No choice: the highest level of at most `fixed_bitrate`, or else the lowest one.
pub const SMOOTHCORE_RULE_FIXED: u32 = 2;

/// What is made most of: the logarithm of the bitrate.
pub const SMOOTHCORE_OBJECTIVE_LOG: u32 = 0;
/// What is made most of: the bitrate.
pub const SMOOTHCORE_OBJECTIVE_LINEAR: u32 = 1;

/// Why a level was chosen, in SMOOTHCORE_EVENT_DECIDED: the first choice, nothing being known of the link; `start_bitrate`, if
/// that is set.
pub const SMOOTHCORE_WHY_START: u32 = 1;
/// Why a level was chosen: the throughput rule, the link carries it.
pub const SMOOTHCORE_WHY_RATE: u32 = 2;
/// Why a level was chosen: the throughput rule, the buffer bridges a link that is too slow for it.
pub const SMOOTHCORE_WHY_BUFFER: u32 = 3;
/// Why a level was chosen: it is pinned.
pub const SMOOTHCORE_WHY_FIXED: u32 = 4;
/// Why a level was chosen: the first choice, from what was known of the network before.
pub const SMOOTHCORE_WHY_PRIOR: u32 = 5;
/// Why a level was chosen: the plan, it is worth most.
pub const SMOOTHCORE_WHY_PLAN: u32 = 6;
/// Why a level was chosen: the fragment was coming too slowly at a higher one.
pub const SMOOTHCORE_WHY_ABANDONED: u32 = 7;
/// Why a level was chosen: the link has become better than what is buffered.
pub const SMOOTHCORE_WHY_REPLACED: u32 = 8;
/// Why a level was chosen: sound, by its share of the link.
pub const SMOOTHCORE_WHY_SHARE: u32 = 9;
/// Why a level was chosen: the plan without tables, a few fragments ahead, there being no room for them in the budget or in
/// `table_bytes`, or more than 24 levels.
pub const SMOOTHCORE_WHY_SMALL: u32 = 10;

/// What one session knew of a network, for the next one on the same network. Keep it as it is; nothing in it is yours to
/// read but `ln_rate`, which is 0 as long as nothing is known: before the first fragment, and always where the planner does not
/// choose. Before you hand it back, set `age_us`. It decides the first level, `start_bitrate` only where there is none.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_prior {
    /// sizeof(smoothcore_prior).
    pub struct_size: u32,
    /// Opaque; 0 when nothing is known.
    pub ln_rate: i32,
    /// Opaque.
    pub sigma: i32,
    /// 0.
    pub reserved: u32,
    /// How long ago it was kept, which you must say: what fills this struct sets 0. Older than ten minutes it is ignored, and so
    /// is one that makes no sense.
    pub age_us: u64,
}

record!(smoothcore_prior, age_us, age_us);

/// Caps on pictures beyond `max_bitrate`; 0 is no cap. The lowest level that `min_bitrate` and the decoder leave stays in any
/// case.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_picture_cap {
    /// sizeof(smoothcore_picture_cap).
    pub struct_size: u32,
    /// Bit/s.
    pub bitrate: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

record!(smoothcore_picture_cap, height);

/// How levels are chosen. Zero it, set `struct_size`, then what you want. Ignored in a library without the planner.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_switching {
    /// sizeof(smoothcore_switching).
    pub struct_size: u32,
    /// A SMOOTHCORE_RULE_ number.
    pub rule: u32,
    /// A SMOOTHCORE_OBJECTIVE_ number.
    pub objective: u32,
    /// 1: buffered fragments of which nothing has gone out are fetched again once the link has become better, where that is
    /// worth the bytes; never live. 0: every byte is fetched once.
    pub replacement: u32,
    /// 1: a fragment is never given up for a lower level. 0: it is where that is likely to avoid a stall.
    pub keep_fragments: u32,
    /// Most bytes for the planner's tables, out of the budget. Default: a 32nd of the budget, 64 KiB at most. With less than
    /// they need (about 25 KiB) a small rule plans.
    pub table_bytes: u32,
    /// What the screen shows; NULL: no cap. Read during the call only.
    pub cap: *const smoothcore_picture_cap,
    /// What is known of the network; NULL: nothing. Read during the call only.
    pub prior: *const smoothcore_prior,
}

record!(smoothcore_switching, prior);

/// What C says of switching.
///
/// # Errors
/// [`Code::Argument`], [`Code::Abi`].
///
/// # Safety
/// `at` is NULL or as the header says.
pub(super) unsafe fn config(at: *const smoothcore_switching) -> Result<SwitchingConfig, Code> {
    if at.is_null() || !cfg!(feature = "planner") {
        return Ok(SwitchingConfig::default());
    }
    // SAFETY: the caller's promise.
    let c = unsafe { record::read(at) }?;
    let rule = match c.rule {
        SMOOTHCORE_RULE_PLANNER => SwitchingRule::Planner,
        SMOOTHCORE_RULE_THROUGHPUT => SwitchingRule::Throughput,
        SMOOTHCORE_RULE_FIXED => SwitchingRule::Fixed,
        _ => return Err(Code::Argument),
    };
    let objective = match c.objective {
        SMOOTHCORE_OBJECTIVE_LOG => Objective::Log,
        SMOOTHCORE_OBJECTIVE_LINEAR => Objective::Linear,
        _ => return Err(Code::Argument),
    };
    let replacement = match c.replacement {
        0 => Replacement::Off,
        1 => Replacement::On,
        _ => return Err(Code::Argument),
    };
    let abandonment = match c.keep_fragments {
        0 => Abandonment::On,
        1 => Abandonment::Off,
        _ => return Err(Code::Argument),
    };
    let cap = if c.cap.is_null() {
        PictureCap::default()
    } else {
        // SAFETY: the caller's promise.
        unsafe { picture_cap(c.cap) }?
    };
    let prior = if c.prior.is_null() {
        Prior::default()
    } else {
        // SAFETY: the caller's promise.
        let p = unsafe { record::read(c.prior) }?;
        Prior { ln_rate: p.ln_rate, sigma: p.sigma, age: Micros(p.age_us) }
    };
    Ok(SwitchingConfig { rule, objective, replacement, abandonment, cap, table_bytes: c.table_bytes, prior })
}

unsafe fn picture_cap(at: *const smoothcore_picture_cap) -> Result<PictureCap, Code> {
    // SAFETY: the caller's promise.
    let c = unsafe { record::read(at) }?;
    Ok(PictureCap { bitrate: c.bitrate, width: c.width, height: c.height })
}

unsafe fn tell(session: &Session, out: *mut smoothcore_prior) -> Result<i32, Code> {
    let prior = session.prior();
    let told = smoothcore_prior {
        ln_rate: prior.ln_rate,
        sigma: prior.sigma,
        age_us: prior.age.0,
        ..record::blank()
    };
    // SAFETY: the caller's promise.
    unsafe { record::write(out, &told) }?;
    Ok(SMOOTHCORE_OK)
}

/// What is known of the network, to be kept for the next session on it.
///
/// E_UNSUPPORTED in a library without the planner; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_prior(
    session: *mut smoothcore_session,
    out: *mut smoothcore_prior,
) -> i32 {
    if !cfg!(feature = "planner") {
        return Code::Unsupported.number();
    }
    // SAFETY: as the header says.
    unsafe { session::living(session, &mut |session| tell(session, out)) }
}

/// Caps the pictures to be fetched from now on, because the screen or the viewer's wish has changed. What is buffered plays.
///
/// E_UNSUPPORTED in a library without the planner; the fatal error of a failed session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_session_cap(
    session: *mut smoothcore_session,
    at_us: u64,
    cap: *const smoothcore_picture_cap,
) -> i32 {
    if !cfg!(feature = "planner") {
        return Code::Unsupported.number();
    }
    let mut act = |session: &mut Session| {
        // SAFETY: as the header says.
        session.cap(Instant(at_us), unsafe { picture_cap(cap) }?);
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { session::living(session, &mut act) }
}

/// As smoothcore_session_prior.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_prior(
    player: *mut smoothcore_player,
    out: *mut smoothcore_prior,
) -> i32 {
    if !cfg!(feature = "planner") {
        return Code::Unsupported.number();
    }
    // SAFETY: as the header says.
    unsafe { player::living(player, &mut |session, _| tell(session, out)) }
}

/// As smoothcore_session_cap. Step the player afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_player_cap(
    player: *mut smoothcore_player,
    cap: *const smoothcore_picture_cap,
) -> i32 {
    if !cfg!(feature = "planner") {
        return Code::Unsupported.number();
    }
    let mut act = |session: &mut Session, now: Instant| {
        // SAFETY: as the header says.
        session.cap(now, unsafe { picture_cap(cap) }?);
        Ok(SMOOTHCORE_OK)
    };
    // SAFETY: as the header says.
    unsafe { player::living(player, &mut act) }
}
