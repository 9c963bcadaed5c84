//! Bits of a header, first bit first.

/// A reader over bytes. Every read past the end is `None`. Headers are read once a level, so size counts more than
/// speed: the reads stay calls.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Index of the byte that holds the next bit.
    byte: usize,
    /// Bits of that byte already read, 0 to 7.
    used: u32,
    escapes: Escapes,
}

/// Whether `00 00 03` hides a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    /// The third byte of `00 00 03` is no data, ITU-T H.264 7.4.1.
    Nal,
}

impl<'a> Bits<'a> {
    /// Over plain bytes.
    pub(super) const fn new(bytes: &'a [u8]) -> Bits<'a> {
        Bits { bytes, byte: 0, used: 0, escapes: Escapes::None }
    }

    /// Over a NAL unit after its header, leaving out emulation prevention bytes.
    pub(super) const fn of_nal(bytes: &'a [u8]) -> Bits<'a> {
        Bits { bytes, byte: 0, used: 0, escapes: Escapes::Nal }
    }

    /// One bit.
    pub(super) fn bit(&mut self) -> Option<u32> {
        if self.used == 0 && self.escapes == Escapes::Nal && self.at_escape() {
            self.byte = self.byte.wrapping_add(1);
        }
        let byte = *self.bytes.get(self.byte)?;
        let bit = u32::from(byte) >> (7u32.wrapping_sub(self.used) & 7) & 1;
        self.used = self.used.wrapping_add(1) & 7;
        if self.used == 0 {
            self.byte = self.byte.wrapping_add(1);
        }
        Some(bit)
    }

    /// `count` bits, at most 32.
    #[inline(never)]
    pub(super) fn bits(&mut self, count: u32) -> Option<u32> {
        let mut value = 0u32;
        for _ in 0..count.min(32) {
            value = value << 1 | self.bit()?;
        }
        Some(value)
    }

    /// `count` bits that do not matter.
    #[inline(never)]
    pub(super) fn skip(&mut self, count: u32) -> Option<()> {
        for _ in 0..count {
            self.bit()?;
        }
        Some(())
    }

    /// An unsigned number in exponential Golomb code, ITU-T H.264 9.1.
    #[inline(never)]
    pub(super) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0u32;
        while self.bit()? == 0 {
            zeros = zeros.wrapping_add(1);
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.bits(zeros)?;
        // zeros <= 31: at most 2^31 - 1 + 2^31 - 1.
        Some((1u32 << zeros).wrapping_sub(1).wrapping_add(rest))
    }

    /// A signed number in exponential Golomb code, ITU-T H.264 9.1.1.
    pub(super) fn se(&mut self) -> Option<i32> {
        let code = self.ue()?;
        let half = (code >> 1) as i32;
        Some(if code & 1 == 1 { half.wrapping_add(1) } else { half.wrapping_neg() })
    }

    /// To the start of the next byte, unless there already.
    pub(super) fn align(&mut self) {
        if self.used != 0 {
            self.used = 0;
            self.byte = self.byte.wrapping_add(1);
        }
    }

    /// Bytes touched so far.
    pub(super) const fn bytes_read(&self) -> usize {
        if self.used == 0 { self.byte } else { self.byte.wrapping_add(1) }
    }

    fn at_escape(&self) -> bool {
        let Some(two_back) = self.byte.checked_sub(2) else { return false };
        matches!(self.bytes.get(two_back..), Some([0, 0, 3, ..]))
    }
}

/// What a [`Packer`] made.
pub(super) type Packed = heapless::Vec<u8, 128>;

/// Bits to bytes, first bit first. 128 bytes hold everything made here: the longest is a video parameter set with all
/// sub-layers. What does not fit is left out.
#[derive(Default)]
pub(super) struct Packer {
    bytes: Packed,
    byte: u8,
    used: u32,
}

impl Packer {
    /// The lowest `count` bits of `value`.
    #[inline(never)]
    pub(super) fn put(&mut self, value: u32, count: u32) {
        for i in (0..count.min(32)).rev() {
            self.byte = self.byte << 1 | (value >> i & 1) as u8;
            self.used = self.used.wrapping_add(1);
            if self.used == 8 {
                let _ = self.bytes.push(self.byte);
                (self.byte, self.used) = (0, 0);
            }
        }
    }

    /// An unsigned number below 2^16 in exponential Golomb code, ITU-T H.264 9.1.
    pub(super) fn ue(&mut self, value: u32) {
        let code = (value & 0xFFFF).wrapping_add(1);
        let bits = 31u32.wrapping_sub(code.leading_zeros());
        self.put(0, bits);
        self.put(code, bits.wrapping_add(1));
    }

    /// The bytes; the last one is filled up with zeros.
    pub(super) fn finish(mut self) -> Packed {
        let rest = 8u32.wrapping_sub(self.used) & 7;
        self.put(0, rest);
        self.bytes
    }
}
