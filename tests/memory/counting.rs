//! An allocator that counts what each thread holds, so that tests beside each other do not disturb. Nothing grows in place:
//! old and new exist at once.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Bytes held now; less than nothing where another thread had allocated what this one frees.
pub fn held() -> isize {
    HELD.get()
}

/// Calls of `alloc` until now.
pub fn calls() -> usize {
    CALLS.get()
}

/// The most that was held since the last [`restart_peak`].
pub fn peak() -> isize {
    PEAK.get()
}

pub fn restart_peak() {
    PEAK.set(HELD.get());
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = HELD.try_with(|held| {
            held.set(held.get() + layout.size() as isize);
            let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
        });
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        let _ = HELD.try_with(|held| held.set(held.get() - layout.size() as isize));
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
