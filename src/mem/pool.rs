//! Fixed-size blocks for media bytes, and bodies made of them.
//!
//! Fragment bodies lie in blocks that go round: steady play allocates nothing, and a vendor's heap does not
//! fragment. A [`Chain`] is one body: blocks in order, freed from the front as its samples leave.

use super::{Account, Bytes, List};
use crate::error::{Code, Result};

/// The blocks of one session.
#[derive(Debug)]
pub struct Pool {
    block: usize,
    blocks: List<Bytes>,
    /// Blocks in no chain. Their memory may have been given back: then they are empty.
    free: List<u16>,
    hollow: usize,
}

impl Pool {
    /// An empty pool of blocks of `block` bytes each, at least 256.
    pub const fn new(block: usize) -> Pool {
        Pool {
            block: if block < 256 { 256 } else { block },
            blocks: List::new(),
            free: List::new(),
            hollow: 0,
        }
    }

    /// Bytes of one block.
    pub const fn block_bytes(&self) -> usize {
        self.block
    }

    /// Blocks out in chains.
    pub fn used(&self) -> usize {
        self.blocks.len().saturating_sub(self.free.len())
    }

    /// Whether a block that has its memory is in no chain.
    pub fn has_idle(&self) -> bool {
        self.free.len() > self.hollow
    }

    /// Bytes charged for blocks and lists.
    pub fn charged(&self) -> usize {
        let blocks = self.blocks.len().saturating_sub(self.hollow).saturating_mul(self.block);
        blocks.saturating_add(self.blocks.charged()).saturating_add(self.free.charged())
    }

    /// A block, fresh from the account only when none is free.
    fn take(&mut self, account: &mut Account) -> Result<u16> {
        if let Some(index) = self.free.pop() {
            let filled = self.fill(account, index);
            if filled.is_err() {
                self.give(account, index);
            }
            return filled.map(|()| index);
        }
        let index = u16::try_from(self.blocks.len()).map_err(|_| Code::Budget)?;
        // Room on the free list comes first, so that giving a block back can never fail.
        let slots = self.blocks.len().saturating_add(1);
        if self.free.capacity() < slots {
            let more = slots.saturating_sub(self.free.len()).saturating_add(15);
            self.free.reserve(account, more)?;
        }
        let mut bytes = Bytes::new();
        bytes.reserve_exact(account, self.block)?;
        bytes.resize(account, self.block, 0)?;
        match self.blocks.push(account, core::mem::take(&mut bytes)) {
            Ok(()) => Ok(index),
            Err(e) => {
                account.release(self.block);
                Err(e)
            }
        }
    }

    /// Gets the block's memory again where [`Pool::trim`] took it.
    fn fill(&mut self, account: &mut Account, index: u16) -> Result<()> {
        match self.blocks.get_mut(usize::from(index)).filter(|b| b.is_empty()) {
            Some(block) => {
                block.reserve_exact(account, self.block)?;
                block.resize(account, self.block, 0)?;
                self.hollow = self.hollow.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Gives memory of free blocks back until `account` has room for `want` bytes, as far as they reach.
    pub fn trim(&mut self, account: &mut Account, want: usize) {
        // From the front: the blocks freed last are taken first.
        for index in self.free.iter() {
            if account.room() >= want {
                return;
            }
            if let Some(block) = self.blocks.get_mut(usize::from(*index)).filter(|b| !b.is_empty()) {
                block.free(account);
                self.hollow = self.hollow.saturating_add(1);
            }
        }
    }

    fn give(&mut self, account: &mut Account, index: u16) {
        let _ = self.free.push(account, index);
    }

    fn block(&self, index: u16) -> &[u8] {
        match self.blocks.get(usize::from(index)) {
            Some(b) => b,
            None => &[],
        }
    }

    fn block_mut(&mut self, index: u16) -> &mut [u8] {
        match self.blocks.get_mut(usize::from(index)) {
            Some(b) => b,
            None => &mut [],
        }
    }

    /// Frees every block. Chains into this pool are void afterwards.
    pub fn free_all(&mut self, account: &mut Account) {
        for b in self.blocks.iter_mut() {
            b.free(account);
        }
        self.blocks.free(account);
        self.free.free(account);
        self.hollow = 0;
    }
}

/// One body in blocks. Offsets count from the body's first byte, also after its front has been freed.
#[derive(Debug, Default)]
pub struct Chain {
    blocks: List<u16>,
    base: u64,
    len: u64,
}

impl Chain {
    /// An empty body.
    pub const fn new() -> Chain {
        Chain { blocks: List::new(), base: 0, len: 0 }
    }

    /// Bytes that have arrived, freed ones included.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// No byte has arrived.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Blocks held.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// The writable rest of the last block, which [`Chain::filled`] then counts; empty when a new block is
    /// needed first ([`Chain::grow`]).
    pub fn space<'p>(&self, pool: &'p mut Pool) -> &'p mut [u8] {
        let used = self.len.saturating_sub(self.base);
        let size = pool.block as u64;
        let full = (self.blocks.len() as u64).saturating_mul(size);
        if size == 0 || used >= full {
            return &mut [];
        }
        let at = (used % size) as usize;
        match self.blocks.last() {
            Some(&last) => pool.block_mut(last).get_mut(at..).unwrap_or(&mut []),
            None => &mut [],
        }
    }

    /// Adds a block when the last one is full.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`].
    pub fn grow(&mut self, pool: &mut Pool, account: &mut Account) -> Result<()> {
        if !self.space(pool).is_empty() {
            return Ok(());
        }
        self.blocks.reserve(account, 1)?;
        let block = pool.take(account)?;
        self.blocks.push(account, block)
    }

    /// Whether the next byte needs a new block.
    pub fn is_full(&self, pool: &Pool) -> bool {
        let used = self.len.saturating_sub(self.base);
        used >= (self.blocks.len() as u64).saturating_mul(pool.block as u64)
    }

    /// Counts `n` bytes written into [`Chain::space`].
    pub fn filled(&mut self, pool: &Pool, n: usize) {
        let used = self.len.saturating_sub(self.base);
        let full = (self.blocks.len() as u64).saturating_mul(pool.block as u64);
        let room = full.saturating_sub(used);
        self.len = self.len.saturating_add((n as u64).min(room));
    }

    /// Frees the blocks that lie wholly before body offset `at`.
    pub fn release_before(&mut self, pool: &mut Pool, account: &mut Account, at: u64) {
        let size = pool.block as u64;
        let at = at.min(self.len);
        let mut n = 0usize;
        while self.base.saturating_add(size) <= at && n < self.blocks.len() {
            if let Some(&b) = self.blocks.get(n) {
                pool.give(account, b);
            }
            self.base = self.base.saturating_add(size);
            n = n.saturating_add(1);
        }
        self.blocks.drop_front(n);
    }

    /// Frees every block and starts again at offset 0; the list's own room stays.
    pub fn clear(&mut self, pool: &mut Pool, account: &mut Account) {
        while let Some(b) = self.blocks.pop() {
            pool.give(account, b);
        }
        self.base = 0;
        self.len = 0;
    }

    /// Frees every block and the list.
    pub fn free(&mut self, pool: &mut Pool, account: &mut Account) {
        self.clear(pool, account);
        self.blocks.free(account);
    }

    /// The byte at `at`; `None` when it has not arrived or is freed.
    pub fn byte(&self, pool: &Pool, at: u64) -> Option<u8> {
        let (block, within) = self.find(pool, at)?;
        pool.block(block).get(within).copied()
    }

    /// Overwrites the byte at `at`, where there is one.
    pub fn set_byte(&self, pool: &mut Pool, at: u64, value: u8) {
        if let Some((block, within)) = self.find(pool, at)
            && let Some(b) = pool.block_mut(block).get_mut(within)
        {
            *b = value;
        }
    }

    /// Four bytes at `at`, big-endian; `None` when not all are there.
    pub fn u32_at(&self, pool: &Pool, at: u64) -> Option<u32> {
        if at.saturating_add(4) > self.len {
            return None;
        }
        let (block, within) = self.find(pool, at)?;
        if let Some(four) = pool.block(block).get(within..).and_then(|b| b.first_chunk::<4>()) {
            return Some(u32::from_be_bytes(*four));
        }
        let mut four = [0u8; 4];
        for (i, b) in four.iter_mut().enumerate() {
            *b = self.byte(pool, at.saturating_add(i as u64))?;
        }
        Some(u32::from_be_bytes(four))
    }

    /// Overwrites four bytes at `at`.
    pub fn set_u32(&self, pool: &mut Pool, at: u64, value: u32) {
        for (i, b) in value.to_be_bytes().iter().enumerate() {
            self.set_byte(pool, at.saturating_add(i as u64), *b);
        }
    }

    /// The bytes from `at`, at most `len`, as slices in order.
    pub fn slices<'p>(&'p self, pool: &'p Pool, at: u64, len: u64) -> Slices<'p> {
        let end = at.saturating_add(len).min(self.len);
        Slices { chain: self, pool, at: at.max(self.base), end }
    }

    /// The bytes `at..at + len` when one block holds them all.
    pub fn contiguous<'p>(&'p self, pool: &'p Pool, at: u64, len: u64) -> Option<&'p [u8]> {
        if at.saturating_add(len) > self.len {
            return None;
        }
        let (block, within) = self.find(pool, at)?;
        let end = within.checked_add(usize::try_from(len).ok()?)?;
        pool.block(block).get(within..end)
    }

    /// The bytes `at..at + len` in one piece, put together in `scratch` when they lie across blocks.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`].
    pub fn gathered<'p>(
        &'p self,
        pool: &'p Pool,
        account: &mut Account,
        scratch: &'p mut Bytes,
        at: u64,
        len: u32,
    ) -> Result<&'p [u8]> {
        if let Some(whole) = self.contiguous(pool, at, len.into()) {
            return Ok(whole);
        }
        scratch.clear();
        scratch.reserve(account, len as usize)?;
        for part in self.slices(pool, at, len.into()) {
            scratch.extend(account, part)?;
        }
        Ok(scratch)
    }

    /// The bytes `at..at + len` of one block, to change in place.
    pub fn contiguous_mut<'p>(&self, pool: &'p mut Pool, at: u64, len: u64) -> Option<&'p mut [u8]> {
        if at.saturating_add(len) > self.len {
            return None;
        }
        let (block, within) = self.find(pool, at)?;
        let end = within.checked_add(usize::try_from(len).ok()?)?;
        pool.block_mut(block).get_mut(within..end)
    }

    /// Overwrites the bytes from `at`, as many of them as are there.
    pub fn write(&self, pool: &mut Pool, at: u64, bytes: &[u8]) {
        let (mut at, mut rest) = (at, bytes);
        // Each turn fills a block to its end.
        while let Some((block, within)) = self.find(pool, at).filter(|_| !rest.is_empty()) {
            let Some(to) = pool.block_mut(block).get_mut(within..) else { return };
            let n = to
                .len()
                .min(rest.len())
                .min(usize::try_from(self.len.wrapping_sub(at)).unwrap_or(usize::MAX));
            for (to, from) in to.iter_mut().zip(rest).take(n) {
                *to = *from;
            }
            at = at.saturating_add(n as u64);
            rest = rest.get(n..).unwrap_or(&[]);
        }
    }

    /// Block index and offset within it of body offset `at`.
    fn find(&self, pool: &Pool, at: u64) -> Option<(u16, usize)> {
        if at < self.base || at >= self.len {
            return None;
        }
        let size = pool.block as u64;
        if size == 0 {
            return None;
        }
        let from_base = at.wrapping_sub(self.base);
        let block = self.blocks.get((from_base / size) as usize)?;
        Some((*block, (from_base % size) as usize))
    }
}

/// Slices of a body, in order; none is empty.
#[derive(Clone, Debug)]
pub struct Slices<'p> {
    chain: &'p Chain,
    pool: &'p Pool,
    at: u64,
    end: u64,
}

impl<'p> Iterator for Slices<'p> {
    type Item = &'p [u8];

    fn next(&mut self) -> Option<&'p [u8]> {
        if self.at >= self.end {
            return None;
        }
        let (block, within) = self.chain.find(self.pool, self.at)?;
        let rest = self.pool.block(block).get(within..)?;
        let want = usize::try_from(self.end.wrapping_sub(self.at)).unwrap_or(usize::MAX);
        let slice = rest.get(..want.min(rest.len()))?;
        self.at = self.at.saturating_add(slice.len() as u64);
        if slice.is_empty() { None } else { Some(slice) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn write(chain: &mut Chain, pool: &mut Pool, account: &mut Account, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            chain.grow(pool, account).unwrap();
            let space = chain.space(pool);
            let n = space.len().min(bytes.len());
            space[..n].copy_from_slice(&bytes[..n]);
            chain.filled(pool, n);
            bytes = &bytes[n..];
        }
    }

    #[test]
    fn trimmed_blocks_make_room_and_come_back() {
        let mut account = Account::new(4096);
        let (mut pool, mut chain) = (Pool::new(256), Chain::new());
        write(&mut chain, &mut pool, &mut account, &[7; 2048]);
        chain.clear(&mut pool, &mut account);
        let held = account.held();
        pool.trim(&mut account, 0);
        assert_eq!(account.held(), held, "no room is wanted");
        pool.trim(&mut account, 4096 - held + 512);
        assert_eq!(account.held(), held - 512);
        let rest = pool.charged();
        account.charge(512).unwrap();
        write(&mut chain, &mut pool, &mut account, &[8; 1536]);
        assert_eq!(pool.charged(), rest, "blocks that kept their memory go first");
        assert!(chain.grow(&mut pool, &mut account).is_ok() || account.room() < 256);
        account.release(512);
        let bytes = [9; 512];
        write(&mut chain, &mut pool, &mut account, &bytes);
        assert_eq!(account.held(), held);
        assert_eq!(chain.slices(&pool, 1536, 512).collect::<Vec<_>>().concat(), bytes);
        pool.trim(&mut account, 4096);
        assert_eq!(account.held(), held, "what is in a chain stays");
        chain.free(&mut pool, &mut account);
        pool.free_all(&mut account);
        assert_eq!(account.held(), 0);
    }

    #[test]
    fn a_body_reads_back_across_blocks_and_frees_its_front() {
        let mut account = Account::new(1 << 20);
        let (mut pool, mut chain) = (Pool::new(256), Chain::new());
        let bytes: Vec<u8> = (0..1000u32).map(|i| (i * 7) as u8).collect();
        write(&mut chain, &mut pool, &mut account, &bytes);
        assert_eq!(chain.slices(&pool, 100, 700).collect::<Vec<_>>().concat(), &bytes[100..800]);
        assert_eq!(chain.u32_at(&pool, 254), Some(u32::from_be_bytes(bytes[254..258].try_into().unwrap())));
        chain.set_u32(&mut pool, 254, 1);
        assert_eq!(chain.u32_at(&pool, 254), Some(1));
        assert_eq!(chain.contiguous(&pool, 260, 200), Some(&bytes[260..460]));
        assert_eq!(chain.contiguous(&pool, 250, 20), None);
        assert_eq!(chain.u32_at(&pool, 997), None);
        chain.release_before(&mut pool, &mut account, 600);
        assert_eq!(
            (chain.blocks(), chain.byte(&pool, 511), chain.byte(&pool, 512)),
            (2, None, Some(bytes[512]))
        );
        chain.clear(&mut pool, &mut account);
        assert_eq!(pool.used(), 0);
        let held = account.held();
        write(&mut chain, &mut pool, &mut account, &bytes);
        assert_eq!(account.held(), held, "the second body reuses the first one's blocks");
        chain.free(&mut pool, &mut account);
        pool.free_all(&mut account);
        assert_eq!(account.held(), 0);
    }
}
