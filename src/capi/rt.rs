//! What a program without Rust's runtime must have: an allocator over two symbols of the firmware, and a panic
//! handler that cannot be linked.
//!
//! The handler's only act is to call [`smoothcore_panic_path_remains`], which nobody defines. An archive in which any
//! panic can be reached therefore shows that name among its undefined symbols and links into no program.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;

unsafe extern "C" {
    /// Firmware defines this: `size` bytes (never 0) aligned to `align` (a power of two, at most 16 on every
    /// supported target), or NULL when there is no memory, which becomes an error code and no abort. The library
    /// owns the bytes until it hands them to `smoothcore_port_free`. Called on the thread that called the library.
    fn smoothcore_port_alloc(size: usize, align: usize) -> *mut c_void;

    /// Firmware defines this: takes back what `smoothcore_port_alloc` returned, with the same `size` and `align`.
    /// `ptr` is never NULL and never used again.
    fn smoothcore_port_free(ptr: *mut c_void, size: usize, align: usize);

    /// Defined nowhere.
    safe fn smoothcore_panic_path_remains() -> !;
}

/// The firmware's memory. Growing in place is left out: the default moves, and only where growth is rare.
struct PortMemory;

// SAFETY: both functions are the firmware's, whose contract above is `GlobalAlloc`'s: disjoint, aligned blocks that
// live until freed with the layout they were asked for.
unsafe impl GlobalAlloc for PortMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises a size that is not 0; a Layout's alignment is a power of two.
        unsafe { smoothcore_port_alloc(layout.size(), layout.align()).cast() }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that `ptr` came from `alloc` with this layout.
        unsafe { smoothcore_port_free(ptr.cast(), layout.size(), layout.align()) }
    }
}

#[global_allocator]
static MEMORY: PortMemory = PortMemory;

#[panic_handler]
fn unreachable_by_audit(_: &core::panic::PanicInfo<'_>) -> ! {
    smoothcore_panic_path_remains()
}
