//! Bits of the compressed data, least significant first, across pieces of input.

/// Up to 63 bits taken from the input and not used yet.
///
/// Above the `count` valid bits the buffer may hold a copy of the bits that follow in the input; filling writes the
/// same bits there again. [`Bits::trim`] clears them before the input changes hands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    buffer: u64,
    count: u32,
    consumed: u64,
}

impl Bits {
    pub(super) const fn new() -> Bits {
        Bits { buffer: 0, count: 0, consumed: 0 }
    }

    /// Takes whole bytes from `input` until 56 bits are there or the input is used up.
    #[inline(always)]
    pub(super) fn fill(&mut self, input: &mut &[u8]) {
        if let Some(next) = input.first_chunk::<8>() {
            self.buffer |= u64::from_le_bytes(*next) << (self.count & 63);
            let bytes = (63 - self.count.min(63)) >> 3;
            *input = input.get(bytes as usize..).unwrap_or(&[]);
            self.count = self.count.wrapping_add(bytes << 3);
            self.consumed = self.consumed.wrapping_add(u64::from(bytes));
        } else {
            self.fill_slowly(input);
        }
    }

    fn fill_slowly(&mut self, input: &mut &[u8]) {
        self.trim();
        while self.count < 56
            && let Some((first, rest)) = input.split_first()
        {
            self.buffer |= u64::from(*first) << (self.count & 63);
            self.count = self.count.wrapping_add(8);
            self.consumed = self.consumed.wrapping_add(1);
            *input = rest;
        }
    }

    /// Clears what lies above the valid bits.
    pub(super) fn trim(&mut self) {
        self.buffer &= (1u64 << (self.count & 63)).wrapping_sub(1);
    }

    /// The next `n` bits, at most 32, which stay; `None` when the input ends before.
    pub(super) fn peek(&mut self, n: u32, input: &mut &[u8]) -> Option<u32> {
        if self.count < n {
            self.fill_slowly(input);
        }
        if self.count < n {
            return None;
        }
        Some((self.buffer & (1u64 << (n & 63)).wrapping_sub(1)) as u32)
    }

    /// The next `n` bits, at most 32; `None`, and nothing taken, when the input ends before.
    pub(super) fn take(&mut self, n: u32, input: &mut &[u8]) -> Option<u32> {
        let value = self.peek(n, input)?;
        self.skip(n);
        Some(value)
    }

    /// The next `n` bits, at most 13, of those already there.
    #[inline(always)]
    pub(super) fn pull(&mut self, n: u8) -> Option<u32> {
        let n = u32::from(n);
        if self.count < n {
            return None;
        }
        let value = (self.buffer as u32) & (1u32 << (n & 31)).wrapping_sub(1);
        self.skip(n);
        Some(value)
    }

    /// The bits at hand; those above [`Bits::count`] mean nothing.
    #[inline(always)]
    pub(super) const fn buffer(&self) -> u64 {
        self.buffer
    }

    /// How many bits are at hand.
    #[inline(always)]
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Uses up `n` bits, of those that are there.
    #[inline(always)]
    pub(super) fn skip(&mut self, n: u32) {
        self.buffer >>= n & 63;
        self.count = self.count.saturating_sub(n);
    }

    /// There are enough bits for any single code, so one that was not found does not exist.
    pub(super) const fn is_wide(&self) -> bool {
        self.count >= 15
    }

    /// Goes to the next byte boundary.
    pub(super) fn align(&mut self) {
        self.trim();
        self.skip(self.count & 7);
    }

    /// Copies at most `most` whole bytes to `target`, from here and then from `input`; says how many. On a byte
    /// boundary only.
    pub(super) fn copy_bytes(&mut self, target: &mut [u8], most: usize, input: &mut &[u8]) -> usize {
        self.trim();
        let most = most.min(target.len());
        let mut copied = 0usize;
        let mut places = target.get_mut(..most).unwrap_or(&mut []).iter_mut();
        while self.count >= 8
            && let Some(place) = places.next()
        {
            *place = self.buffer as u8;
            self.skip(8);
            copied = copied.wrapping_add(1);
        }
        let places = places.into_slice();
        let n = places.len().min(input.len());
        if let (Some(to), Some((from, rest))) = (places.get_mut(..n), input.split_at_checked(n))
            && to.len() == from.len()
        {
            to.copy_from_slice(from);
            *input = rest;
            self.consumed = self.consumed.wrapping_add(n as u64);
            copied = copied.wrapping_add(n);
        }
        copied
    }

    /// Takes all of `input` without a look.
    pub(super) fn discard(&mut self, input: &mut &[u8]) {
        self.consumed = self.consumed.wrapping_add(input.len() as u64);
        *input = &[];
    }

    /// Bytes taken from the input.
    pub(super) const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The offset of the byte that holds the next bit.
    pub(super) const fn offset(&self) -> u64 {
        self.consumed.saturating_sub((self.count / 8) as u64)
    }
}
