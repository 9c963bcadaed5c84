//! The log sink: the library's only global.

use core::ffi::{c_char, c_void};
use core::fmt::Write;
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use log::{LevelFilter, Log, Metadata, Record};

use super::text::Line;

/// Nothing is logged.
pub const SMOOTHCORE_LOG_OFF: u32 = 0;
/// Playback has failed.
pub const SMOOTHCORE_LOG_ERROR: u32 = 1;
/// Something was lost or repaired.
pub const SMOOTHCORE_LOG_WARN: u32 = 2;
/// Milestones of a presentation.
pub const SMOOTHCORE_LOG_INFO: u32 = 3;
/// Decisions, fragment by fragment.
pub const SMOOTHCORE_LOG_DEBUG: u32 = 4;
/// Everything.
pub const SMOOTHCORE_LOG_TRACE: u32 = 5;

/// Takes log lines: `level` is a SMOOTHCORE_LOG_ number; `target` and `message` end with NUL, are UTF-8 of at most 63 and
/// 255 bytes, cut at a character, and valid during the call.
pub type smoothcore_log_sink = Option<
    unsafe extern "C" fn(userdata: *mut c_void, level: u32, target: *const c_char, message: *const c_char),
>;

/// Sends log lines of up to `max_level` (a SMOOTHCORE_LOG_ number; more counts as TRACE) to `sink`; NULL ends it. For the
/// whole process. Call it before any other thread is inside the library: sink and userdata are not changed together.
/// The sink is called on the thread that called the library and must not call it, smoothcore_player_wake excepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smoothcore_log_set(
    sink: smoothcore_log_sink,
    userdata: *mut c_void,
    max_level: u32,
) {
    log::set_max_level(LevelFilter::Off);
    USERDATA.store(userdata, Ordering::Relaxed);
    SINK.store(sink.map_or(ptr::null_mut(), |sink| sink as *mut ()), Ordering::Release);
    // A second call changes nothing.
    let _ = log::set_logger(&TO_C);
    log::set_max_level(match (sink, max_level) {
        (None, _) | (_, SMOOTHCORE_LOG_OFF) => LevelFilter::Off,
        (_, SMOOTHCORE_LOG_ERROR) => LevelFilter::Error,
        (_, SMOOTHCORE_LOG_WARN) => LevelFilter::Warn,
        (_, SMOOTHCORE_LOG_INFO) => LevelFilter::Info,
        (_, SMOOTHCORE_LOG_DEBUG) => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    });
}

static TO_C: ToC = ToC;
/// A `smoothcore_log_sink`, or NULL.
static SINK: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static USERDATA: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

struct ToC;

impl Log for ToC {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let sink = SINK.load(Ordering::Acquire);
        // SAFETY: NULL, or a function of just this type: nothing else is ever stored.
        let sink: smoothcore_log_sink = unsafe { mem::transmute::<*mut (), smoothcore_log_sink>(sink) };
        let Some(sink) = sink else { return };
        let (mut target, mut message) = (Line::<64>::new(), Line::<256>::new());
        let _ = target.write_str(record.target());
        let _ = message.write_fmt(*record.args());
        // SAFETY: the sink's own contract; both lines end with NUL.
        unsafe {
            sink(USERDATA.load(Ordering::Relaxed), record.level() as u32, target.as_ptr(), message.as_ptr())
        }
    }

    fn flush(&self) {}
}
