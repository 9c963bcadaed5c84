//! The clock seam.

use crate::time::Instant;

/// A monotonic clock that can sleep. Only blocking mode waits.
pub trait Clock {
    /// Microseconds since an arbitrary origin; never decreases.
    fn now(&mut self) -> Instant;

    /// Returns at `until`, or earlier when something has happened (a socket became ready, a decoder made room).
    /// Returning early is harmless.
    fn wait(&mut self, until: Instant);

    /// Whether somebody wants blocking mode to return, another thread for one. Asked after each
    /// step and wait, and answered `true` once for each time that it was wanted.
    fn interrupted(&mut self) -> bool {
        false
    }
}
