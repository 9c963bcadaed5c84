//! Handles: where they live, and that nobody enters one twice.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::error::Code;

/// A body that one caller is in at a time. A second one, from a callback, is refused before it touches the body. The flag
/// is an atomic so that a call from a wrong thread, which the header forbids, most likely ends the same way; it is
/// only loaded and stored, for compare-and-swap wants a helper library on some targets.
pub(super) struct Guarded<B> {
    busy: AtomicBool,
    body: UnsafeCell<B>,
}

impl<B> Guarded<B> {
    /// Begins to make one at `at`, nobody inside; what is returned is where its body goes.
    ///
    /// # Safety
    /// `at` is writable memory for one.
    pub unsafe fn begin(at: *mut Guarded<B>) -> *mut B {
        // SAFETY: the caller's promise.
        unsafe {
            (&raw mut (*at).busy).write(AtomicBool::new(false));
            UnsafeCell::raw_get(&raw const (*at).body)
        }
    }

    /// Runs `act` alone on the body; its result as a number, or that of [`Code::Reentrant`].
    pub fn enter(&self, act: impl FnOnce(&mut B) -> Result<i32, Code>) -> i32 {
        if self.busy.load(Ordering::Acquire) {
            return Code::Reentrant.number();
        }
        self.busy.store(true, Ordering::Relaxed);
        // SAFETY: the header demands one thread at a time; on that thread, whoever sets the flag is alone with the body
        // until it is cleared below.
        let result = act(unsafe { &mut *self.body.get() });
        self.busy.store(false, Ordering::Release);
        match result {
            Ok(number) => number,
            Err(code) => code.number(),
        }
    }
}

/// What a handle of C's points to.
///
/// # Errors
/// [`Code::Argument`] for NULL or what cannot be one.
///
/// # Safety
/// `handle` is NULL or came from [`place`] and lives during `'a`.
pub(super) unsafe fn look<'a, T>(handle: *mut T) -> Result<&'a T, Code> {
    if handle.is_null() || !handle.is_aligned() {
        return Err(Code::Argument);
    }
    // SAFETY: the caller's promise. Only shared references are made from handles; bodies lie in cells.
    Ok(unsafe { &*handle })
}

/// Makes a handle on the heap, in place: handles are too large for a small stack, where a value would lie twice.
///
/// # Errors
/// [`Code::NoMemory`], or what `fill` says.
///
/// # Safety
/// When `fill` says that all is well it has written every field; otherwise none that needs dropping.
pub(super) unsafe fn place<T>(fill: impl FnOnce(*mut T) -> Result<(), Code>) -> Result<*mut T, Code> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not 0.
    let handle = unsafe { alloc(Layout::new::<T>()) }.cast::<T>();
    if handle.is_null() {
        return Err(Code::NoMemory);
    }
    match fill(handle) {
        Ok(()) => Ok(handle),
        Err(code) => {
            // SAFETY: allocated above with this layout.
            unsafe { dealloc(handle.cast(), Layout::new::<T>()) };
            Err(code)
        }
    }
}

/// Drops and frees what [`place`] made.
///
/// # Safety
/// `handle` came from [`place`]; nobody uses it from now on.
pub(super) unsafe fn discard<T>(handle: *mut T) {
    // SAFETY: the caller's promise.
    unsafe {
        ptr::drop_in_place(handle);
        dealloc(handle.cast(), Layout::new::<T>());
    }
}

/// Gives C what `make` makes, or NULL and the reason.
///
/// # Safety
/// `out` is NULL or writable.
pub(super) unsafe fn hand_out<T>(out: *mut *mut T, make: impl FnOnce() -> Result<*mut T, Code>) -> i32 {
    if out.is_null() || !out.is_aligned() {
        return Code::Argument.number();
    }
    let made = make();
    // SAFETY: not NULL; the caller's promise.
    unsafe { out.write(made.unwrap_or(ptr::null_mut())) };
    match made {
        Ok(_) => 0,
        Err(code) => code.number(),
    }
}
