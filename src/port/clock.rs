//! The clock seam.

use crate::time::Instant;

/// A monotonic clock that can sleep. Only blocking mode waits.
pub trait Clock {
    /// Microseconds since an arbitrary origin; never decreases.
    fn now(&mut self) -> Instant;

    /// Returns at `until`, or earlier when something has happened (a socket became ready, a decoder made room).
    /// Returning early is harmless.
    fn wait(&mut self, until: Instant);
}
