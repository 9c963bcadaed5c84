//! A build without the planner: nothing is known, nothing is done.

use super::Session;
use super::config::{PictureCap, Prior};
use super::retry::Exchange;
use crate::abr::Reason;
use crate::error::Error;
use crate::io::{Buffered, StreamId};
use crate::time::{Instant, Micros};

impl Session {
    /// What is known of the network: nothing in a build without the feature `planner`.
    pub const fn prior(&self) -> Prior {
        Prior { ln_rate: 0, sigma: 0, age: Micros::ZERO }
    }

    /// Does nothing in a build without the feature `planner`.
    pub fn cap(&mut self, at: Instant, _: PictureCap) {
        self.advance(at);
    }

    pub(super) const fn planned_rate(&self) -> Option<u64> {
        None
    }
    pub(super) const fn answer_began(&mut self, _: usize) {}
    pub(super) const fn bytes_came(&mut self, _: usize, _: u64) {}
    pub(super) const fn answer_held(&mut self, _: usize) {}
    pub(super) const fn answer_over(&mut self, _: usize, _: &Exchange) {}
    pub(super) const fn whole_came(&mut self, _: usize, _: u64) {}
    pub(super) const fn planner_jumps(&mut self) {}
    pub(super) const fn decision_taken(&mut self, _: usize, _: u64) {}
    pub(super) const fn note_rule(&mut self, _: usize, _: u16, _: Micros, _: Option<u64>, _: Reason) {}
    pub(super) const fn make_planner(&mut self) {}
    pub(super) const fn planned(&mut self, _: usize, _: u64, _: Micros, _: Micros) -> Option<u16> {
        None
    }
    pub(super) const fn planned_again(&mut self, _: usize, _: u64) -> Option<(u16, u16, u32)> {
        None
    }
    pub(super) const fn lets_others_go(&self, _: usize, _: u64, _: Micros, _: Micros) -> bool {
        false
    }
    pub(super) const fn look(&mut self) {}
    pub(super) const fn look_at(&self) -> Option<Instant> {
        None
    }
    pub(super) const fn replacement(
        &mut self,
        _: usize,
        _: u64,
        _: Micros,
        _: Micros,
    ) -> core::result::Result<bool, (Option<u16>, Error)> {
        Ok(false)
    }
    pub(super) const fn replaced(&mut self, _: usize) {}
    pub(super) const fn is_replacing(&self, _: usize) -> bool {
        false
    }
    pub(super) const fn drop_replacement(&mut self, _: usize) -> bool {
        false
    }
    pub(super) const fn tend_replacement(&mut self, _: usize) {}
    pub(super) const fn pictures_shown(&mut self, _: StreamId, _: Buffered) {}
}
