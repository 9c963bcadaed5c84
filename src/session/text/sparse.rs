//! Sparse streams, whose fragments the responses of their parent announce.

/// Announcements of one sparse stream that wait to be fetched.
pub(super) const ANNOUNCED: usize = 8;

/// What is known of a sparse stream beyond its timeline.
#[derive(Debug)]
pub(in crate::session) struct Sparse {
    /// Starts of fragments that were announced and not taken up, ascending.
    pub(super) announced: heapless::Vec<u64, ANNOUNCED>,
    /// Nothing before the fragment that covers this is wanted.
    pub(super) floor: u64,
    /// The latest start taken up.
    pub(super) newest: Option<u64>,
    /// The same when nothing was missing before it.
    pub(super) known: Option<u64>,
    /// A fragment named its predecessor, which has not come yet: later ones must not leave before it.
    pub(super) walk: Walk,
}

/// Where the way back to the last known fragment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Walk {
    None,
    /// This one is to be fetched next.
    To(u64),
    /// It is being fetched.
    At,
}

impl Sparse {
    pub const fn new() -> Sparse {
        Sparse { announced: heapless::Vec::new(), floor: 0, newest: None, known: None, walk: Walk::None }
    }

    /// Forgets what was announced.
    pub fn clear(&mut self) {
        if !cfg!(feature = "text") {
            return;
        }
        *self = Sparse { floor: self.floor, ..Sparse::new() };
    }

    /// Starts anew at `floor`.
    pub fn begin(&mut self, floor: u64) {
        if !cfg!(feature = "text") {
            return;
        }
        *self = Sparse { floor, ..Sparse::new() };
    }

    /// Whether samples must wait for one before them.
    pub fn is_walking(&self) -> bool {
        cfg!(feature = "text") && self.walk != Walk::None
    }

    /// A fragment at `start` is announced.
    pub(super) fn announce(&mut self, start: u64) {
        if self.newest.is_some_and(|n| start <= n) || self.announced.contains(&start) {
            return;
        }
        if self.announced.is_full() {
            // What has waited longest matters least.
            let _ = self.take(0);
        }
        if self.announced.push(start).is_ok() {
            let at = self.announced.partition_point(|a| *a < start);
            if let Some(tail) = self.announced.get_mut(at..)
                && !tail.is_empty()
            {
                tail.rotate_right(1);
            }
        }
    }

    pub(super) fn take(&mut self, at: usize) -> Option<u64> {
        if at < self.announced.len() { Some(self.announced.remove(at)) } else { None }
    }

    /// The fragment at `start` is being fetched.
    pub fn taken_up(&mut self, start: u64) {
        if !cfg!(feature = "text") {
            return;
        }
        self.newest = self.newest.max(Some(start));
        match self.walk {
            Walk::To(to) if to == start => self.walk = Walk::At,
            _ => {
                let announced = self.announced.iter().position(|a| *a == start);
                if let Some(at) = announced {
                    let _ = self.take(at);
                }
            }
        }
    }
}
