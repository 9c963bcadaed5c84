//! A build without protection: no table is read, so no sample waits for one.

use super::Cipher;
use crate::error::Result;
use crate::limits::Limits;
use crate::mp4::{BodyEnd, MoofInfo, SampleTable};
use crate::session::Session;

#[derive(Clone, Copy, Default, Debug)]
pub struct Waiting;

impl Waiting {
    pub const NOTHING: Waiting = Waiting;
}

impl Cipher {
    pub(super) const fn put_off(
        &mut self,
        _: &[u8],
        _: &MoofInfo,
        _: &SampleTable,
        _: &Limits,
    ) -> Result<bool> {
        Ok(false)
    }

    pub const fn holds_back(&mut self, _: &SampleTable, _: u64) -> Result<bool> {
        Ok(false)
    }

    pub const fn unread(&self) -> u64 {
        u64::MAX
    }
}

impl Session {
    pub(in crate::session) const fn waits_for_table(&mut self, _: usize, _: BodyEnd) -> Result<bool> {
        Ok(false)
    }
}
