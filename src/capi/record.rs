//! Structs that C fills or receives, of any age: the one place that reads and writes them.

use core::mem::MaybeUninit;
use core::ptr;

use crate::error::Code;

/// A tail longer than this is garbage in `struct_size`, not a later version.
const LONGEST_TAIL: usize = 4096;
/// Every version of every struct has at least `struct_size` itself.
const SMALLEST: usize = size_of::<u32>();

/// A struct of the boundary that begins with `uint32_t struct_size`.
///
/// # Safety
/// `repr(C)`; the first field is that `u32`; every field is an integer, a raw pointer, an optional function pointer, or
/// an array or record of these, so that zero bytes are a value and any bytes are.
pub(super) unsafe trait Record: Copy {}

/// A record of zeros but for its size.
pub(super) fn blank<T: Record>() -> T {
    // SAFETY: zero bytes are a value of every record.
    let mut value = unsafe { MaybeUninit::<T>::zeroed().assume_init() };
    set_size(&mut value, size_of::<T>());
    value
}

fn set_size<T: Record>(value: &mut T, size: usize) {
    // SAFETY: a record begins with a u32 and is aligned for it.
    unsafe { ptr::from_mut(value).cast::<u32>().write(size as u32) }
}

/// The size C declares at `at`.
///
/// # Errors
/// [`Code::Argument`] for NULL or a misaligned pointer, [`Code::Abi`] for a size no version can have.
///
/// # Safety
/// `at`, when not NULL, points to a record of C's with a truthful `struct_size`.
unsafe fn declared<T: Record>(at: *const T) -> Result<usize, Code> {
    if !at.is_aligned() {
        return Err(Code::Argument);
    }
    // SAFETY: aligned; the caller's promise.
    unsafe { declared_size(at.cast(), size_of::<T>()) }
}

/// What of [`declared`] is the same for every struct, `known` bytes in this version.
///
/// # Safety
/// As [`declared`]; aligned.
#[inline(never)]
unsafe fn declared_size(at: *const u32, known: usize) -> Result<usize, Code> {
    if at.is_null() {
        return Err(Code::Argument);
    }
    // SAFETY: not NULL and aligned; the first four bytes of every record are there.
    let size = unsafe { at.read() } as usize;
    if size < SMALLEST || size > known.saturating_add(LONGEST_TAIL) { Err(Code::Abi) } else { Ok(size) }
}

/// A copy of C's record at `at`: a shorter one continues with zeros.
///
/// # Errors
/// [`Code::Argument`] for NULL; [`Code::Abi`] for a size no version can have, and for a longer one whose unknown tail
/// is not zero.
///
/// # Safety
/// As [`declared`]; nobody changes it during the call.
pub(super) unsafe fn read<T: Record>(at: *const T) -> Result<T, Code> {
    // SAFETY: the caller's promise.
    let size = unsafe { declared(at) }?;
    let known = size_of::<T>();
    let mut value = blank::<T>();
    // SAFETY: C declared `size` bytes; `value` has `known`.
    unsafe { copy_in(at.cast(), size, ptr::from_mut(&mut value).cast(), known) }?;
    set_size(&mut value, known);
    Ok(value)
}

/// Copies a record of `size` bytes to one of `known`.
///
/// # Errors
/// [`Code::Abi`] for a tail that is not zero.
///
/// # Safety
/// Both have so many bytes.
#[inline(never)]
unsafe fn copy_in(at: *const u8, size: usize, to: *mut u8, known: usize) -> Result<(), Code> {
    for n in known..size {
        // SAFETY: the caller's promise.
        if unsafe { at.add(n).read() } != 0 {
            return Err(Code::Abi);
        }
    }
    // SAFETY: both are at least so many bytes, and apart: one is ours.
    unsafe { ptr::copy_nonoverlapping(at, to, size.min(known)) };
    Ok(())
}

/// Fills C's record at `to` from `value`, as much of it as C declared; a tail this version does not know becomes zero.
///
/// # Errors
/// As [`read`], except that an unknown tail is filled, not refused.
///
/// # Safety
/// As [`declared`], for writing.
pub(super) unsafe fn write<T: Record>(to: *mut T, value: &T) -> Result<(), Code> {
    // SAFETY: the caller's promise.
    let size = unsafe { declared(to.cast_const()) }?;
    // SAFETY: C declared `size` bytes; `value` has as many as its type.
    unsafe { copy_out(ptr::from_ref(value).cast(), size_of::<T>(), to.cast(), size) };
    Ok(())
}

/// Copies a record of `known` bytes to one of `size`, all but the size it begins with.
///
/// # Safety
/// Both have so many bytes, [`SMALLEST`] at least.
#[inline(never)]
unsafe fn copy_out(from: *const u8, known: usize, to: *mut u8, size: usize) {
    let filled = size.min(known);
    // SAFETY: both are at least `filled` bytes, of which the first SMALLEST, the size, stay.
    unsafe {
        ptr::copy_nonoverlapping(from.add(SMALLEST), to.add(SMALLEST), filled.wrapping_sub(SMALLEST));
        ptr::write_bytes(to.add(filled), 0, size.wrapping_sub(filled));
    }
}

/// Checks `to` before anything is done whose result could then not be told.
///
/// # Errors
/// As [`write`].
///
/// # Safety
/// As [`write`].
pub(super) unsafe fn check<T: Record>(to: *mut T) -> Result<(), Code> {
    // SAFETY: the caller's promise.
    unsafe { declared(to.cast_const()) }.map(|_| ())
}

/// States that a struct is a [`Record`] whose layout is the same on every ABI of one pointer size: `struct_size` first,
/// the named 64-bit fields at multiples of eight, nothing behind the last field.
macro_rules! record {
    ($name:ident, $last:ident $(, $wide:ident)*) => {
        // SAFETY: the fields are of the permitted kinds; the layout is checked below.
        unsafe impl $crate::capi::record::Record for $name {}
        const _: () = {
            assert!(core::mem::offset_of!($name, struct_size) == 0);
            $(assert!(core::mem::offset_of!($name, $wide) % 8 == 0);)*
            let end = core::mem::offset_of!($name, $last) + $crate::capi::record::size_of_field(|s: &$name| &raw const s.$last);
            assert!(end == size_of::<$name>());
        };
    };
}
pub(super) use record;

/// Bytes of the field that the accessor names.
pub(super) const fn size_of_field<S, F>(_: fn(&S) -> *const F) -> usize {
    size_of::<F>()
}
