//! The fragments of a track that its file has no index of, in few bytes each.

use crate::error::Result;
use crate::mem::{Account, Bytes};
use crate::mp4::index::IndexEntry;

/// Fragments as two numbers each: by how much the distance in time, and that in bytes, differ from those before.
#[derive(Default)]
pub(super) struct Packed {
    pub(super) bytes: Bytes,
    last: PackedAt,
}

#[derive(Clone, Copy, Default, Debug)]
pub(super) struct PackedAt {
    at: usize,
    time: u64,
    offset: u64,
    time_step: u64,
    offset_step: u64,
}

impl Packed {
    pub(super) fn push(&mut self, account: &mut Account, entry: IndexEntry) -> Result<()> {
        let last = &mut self.last;
        let (time_step, offset_step) =
            (entry.time.wrapping_sub(last.time), entry.moof_offset.wrapping_sub(last.offset));
        put(account, &mut self.bytes, time_step.wrapping_sub(last.time_step))?;
        put(account, &mut self.bytes, offset_step.wrapping_sub(last.offset_step))?;
        (last.time, last.offset, last.time_step, last.offset_step) =
            (entry.time, entry.moof_offset, time_step, offset_step);
        Ok(())
    }

    pub(super) fn next(&self, at: &mut PackedAt) -> Option<IndexEntry> {
        let mut after = *at;
        after.time_step = after.time_step.wrapping_add(take(&self.bytes, &mut after.at)?);
        after.offset_step = after.offset_step.wrapping_add(take(&self.bytes, &mut after.at)?);
        after.time = after.time.wrapping_add(after.time_step);
        after.offset = after.offset.wrapping_add(after.offset_step);
        *at = after;
        Some(IndexEntry { time: after.time, moof_offset: after.offset })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = IndexEntry> + '_ {
        let mut at = PackedAt::default();
        core::iter::from_fn(move || self.next(&mut at))
    }
}

/// Appends a difference, small ones of either sign in few bytes: seven bits a byte, the highest says that more follow.
fn put(account: &mut Account, out: &mut Bytes, difference: u64) -> Result<()> {
    let mut rest = difference << 1 ^ (difference as i64 >> 63) as u64;
    // Ten bytes at most.
    while rest > 0x7F {
        out.push(account, rest as u8 | 0x80)?;
        rest >>= 7;
    }
    out.push(account, rest as u8)
}

fn take(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let (mut value, mut shift) = (0u64, 0u32);
    for byte in bytes.get(*at..)?.iter().take(10) {
        value |= u64::from(byte & 0x7F) << (shift & 63);
        shift = shift.wrapping_add(7);
        *at = at.saturating_add(1);
        if byte & 0x80 == 0 {
            return Some(value >> 1 ^ 0u64.wrapping_sub(value & 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_fragments_come_back_and_take_few_bytes() {
        let mut account = Account::new(1 << 20);
        let mut packed = Packed::default();
        let mut entries = std::vec::Vec::new();
        let mut offset = 755;
        for n in 0..1800u64 {
            entries.push(IndexEntry { time: n * 20_000_000 + n % 2, moof_offset: offset });
            offset += 500_000 + n * 7919 % 40_000;
        }
        entries.push(IndexEntry { time: 5, moof_offset: u64::MAX });
        entries.push(IndexEntry { time: u64::MAX, moof_offset: 0 });
        for entry in &entries {
            packed.push(&mut account, *entry).unwrap();
        }
        assert!(packed.iter().eq(entries.iter().copied()));
        assert!(packed.bytes.len() < entries.len() * 5, "{}", packed.bytes.len());
    }
}
