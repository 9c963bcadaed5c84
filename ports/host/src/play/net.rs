//! The HTTP port that `play` uses, and what wakes its loop.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use smoothcore::error::Code;
use smoothcore_ureq::{Settings, UreqHttp};

/// Lets the loop sleep until somebody has something for it.
#[derive(Default)]
pub struct Waker {
    woken: Mutex<bool>,
    change: Condvar,
}

impl Waker {
    /// Ends the present wait, or else the next one.
    pub fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.change.notify_one();
    }

    /// Returns after `most`, or as soon as it was woken.
    pub fn wait(&self, most: Duration) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut woken, _) = self
            .change
            .wait_timeout_while(woken, most, |woken| !*woken)
            .unwrap_or_else(PoisonError::into_inner);
        *woken = false;
    }
}

/// The HTTP stack, which wakes `waker` whenever it has something.
///
/// # Errors
/// As [`UreqHttp::new`].
pub fn stack(waker: &Arc<Waker>) -> Result<UreqHttp, Code> {
    let mut http = UreqHttp::new(&Settings::default())?;
    let waker = waker.clone();
    http.set_wake(Some(Box::new(move || waker.wake())));
    Ok(http)
}
