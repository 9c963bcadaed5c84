//! What every target watches besides panics: memory and time.

pub mod disk;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use smoothcore::mem::Account;

/// Bytes that a target may hold.
pub const BUDGET: usize = 4 << 20;

/// Time of this thread that one input may take. Not the wall's: other processes are nobody's fault.
const MOST: u64 = 100_000_000;

/// Bytes that the heap may hold for one input, what the target itself notes included.
const HEAP: usize = 4 * BUDGET;

/// The heap, counted: accounts only know what they are told.
struct Counted;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static HEAP_IN_USE: Counted = Counted;

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

/// Runs `target` with an account, and stops the fuzzer when it kept a byte that it did not free, or took too long: every
/// time, for on a machine that is shared the time of a thread can be another's, too.
pub fn watched(target: impl Fn(&mut Account)) {
    let mut took = u64::MAX;
    for _ in 0..3 {
        took = took.min(once(&target));
        if took < MOST {
            return;
        }
    }
    panic!("took {} ms", took / 1_000_000);
}

/// Runs `target` once: the nanoseconds that it took.
fn once(target: impl Fn(&mut Account)) -> u64 {
    let mut account = Account::new(BUDGET);
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let start = thread_nanoseconds();
    target(&mut account);
    let took = thread_nanoseconds() - start;
    assert_eq!(HELD.load(Relaxed), before, "bytes of the heap kept");
    assert!(PEAK.load(Relaxed) - before <= HEAP, "more of the heap than any input is worth");
    assert_eq!(account.held(), 0, "bytes still charged after everything was freed");
    assert!(account.peak() <= BUDGET, "more held than the budget");
    took
}

/// Bytes that the heap holds now.
pub fn heap() -> usize {
    HELD.load(Relaxed)
}

/// Runs `target` with an account that is soon exhausted, by how much `data` decides: whatever comes of it, nothing may
/// stay charged.
pub fn tight(data: &[u8], target: impl FnOnce(&mut Account)) {
    let mut account = Account::new(tight_budget(data));
    target(&mut account);
    assert_eq!(account.held(), 0, "bytes still charged after everything was freed");
}

/// Up to 64 KiB, small ones as often as large ones.
pub fn tight_budget(data: &[u8]) -> usize {
    let sum = data.iter().fold(0u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(*b)));
    (65_536 >> (sum & 15)) + (sum >> 4 & 0xFF) as usize
}

/// Splits `data` into pieces whose lengths its own first byte decides, so that a crash repeats itself.
pub fn pieces(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(data.first().copied().unwrap_or(1)) | 1;
    let mut rest = data;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let len = (state >> 24) as usize % 61 + 1;
        let (piece, after) = rest.split_at(len.min(rest.len()));
        rest = after;
        Some(piece)
    })
}

/// Takes a number off the front of `data`.
pub fn number(data: &mut &[u8]) -> u32 {
    match data.split_first_chunk::<4>() {
        Some((head, rest)) => {
            *data = rest;
            u32::from_le_bytes(*head)
        }
        None => 0,
    }
}

fn thread_nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
