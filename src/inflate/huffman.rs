//! Huffman codes of deflate: a small table for the short codes, canonical counting for the rest.

use super::bits::Bits;
use crate::mem::{Account, List};

/// Longest code. RFC 1951 3.2.7.
const LONGEST: usize = 15;
/// Bits that the table of each alphabet resolves at once.
const LITERAL_BITS: u32 = 9;
const DISTANCE_BITS: u32 = 7;
const LITERAL_FAST: usize = 1 << LITERAL_BITS;
const DISTANCE_FAST: usize = 1 << DISTANCE_BITS;
/// Entries of both tables together.
pub(super) const FAST: usize = LITERAL_FAST + DISTANCE_FAST;

/// A table entry: the symbol above four bits of code length; 0 when no short code begins so.
type Entry = u16;

/// The codes of the block at hand. The code length code lives where the distance code will be: it is no longer
/// needed when that is defined.
#[derive(Debug)]
pub(super) struct Codes {
    fast: List<Entry>,
    literal_counts: [u16; LONGEST + 1],
    literal_symbols: [u16; 288],
    distance_counts: [u16; LONGEST + 1],
    distance_symbols: [u16; 32],
    /// The fixed codes are in place.
    fixed: bool,
}

impl Codes {
    /// Codes without any symbol. `fast` has [`FAST`] entries.
    pub(super) const fn new(fast: List<Entry>) -> Codes {
        Codes {
            fast,
            literal_counts: [0; LONGEST + 1],
            literal_symbols: [0; 288],
            distance_counts: [0; LONGEST + 1],
            distance_symbols: [0; 32],
            fixed: false,
        }
    }

    pub(super) fn free(&mut self, account: &mut Account) {
        self.fast.free(account);
    }

    /// The fixed codes of RFC 1951 3.2.6. Overwrites `lengths`.
    pub(super) fn fix(&mut self, lengths: &mut [u8; 320]) {
        if self.fixed {
            return;
        }
        for (symbol, length) in lengths.iter_mut().enumerate() {
            *length = match symbol {
                0..=143 => 8,
                144..=255 => 9,
                256..=279 => 7,
                280..=287 => 8,
                _ => 5,
            };
        }
        if let Some((literals, distances)) = lengths.split_at_checked(288) {
            self.fixed = self.define(literals, distances);
        }
    }

    /// The codes of a dynamic block; `false` when the lengths make none.
    pub(super) fn define(&mut self, literals: &[u8], distances: &[u8]) -> bool {
        self.fixed = false;
        let Some((fast_literals, fast_distances)) = self.fast.split_at_mut_checked(LITERAL_FAST) else {
            return false;
        };
        let one = define(
            literals,
            LITERAL_BITS,
            fast_literals,
            &mut self.literal_counts,
            &mut self.literal_symbols,
            Lone::Allowed,
        );
        let other = define(
            distances,
            DISTANCE_BITS,
            fast_distances,
            &mut self.distance_counts,
            &mut self.distance_symbols,
            Lone::Allowed,
        );
        one && other
    }

    /// The code of the code lengths; `false` when the lengths make none.
    pub(super) fn define_lengths(&mut self, lengths: &[u8]) -> bool {
        self.fixed = false;
        let fast = self.fast.get_mut(LITERAL_FAST..).unwrap_or(&mut []);
        let (counts, symbols) = (&mut self.distance_counts, &mut self.distance_symbols);
        define(lengths, DISTANCE_BITS, fast, counts, symbols, Lone::Refused)
    }

    /// The next literal or length symbol of those bits that are there; `None` when there is none.
    #[inline(always)]
    pub(super) fn literal(&self, bits: &mut Bits) -> Option<u16> {
        let entry = self.fast.get((bits.buffer() as usize) & (LITERAL_FAST - 1)).copied().unwrap_or(0);
        let length = u32::from(entry & 15);
        if length != 0 && length <= bits.count() {
            bits.skip(length);
            return Some(entry >> 4);
        }
        search(&self.literal_counts, &self.literal_symbols, bits)
    }

    /// The next distance symbol of those bits that are there; `None` when there is none.
    #[inline(always)]
    pub(super) fn distance(&self, bits: &mut Bits) -> Option<u16> {
        let at = (bits.buffer() as usize) & (DISTANCE_FAST - 1);
        let entry = self.fast.get(LITERAL_FAST + at).copied().unwrap_or(0);
        let length = u32::from(entry & 15);
        if length != 0 && length <= bits.count() {
            bits.skip(length);
            return Some(entry >> 4);
        }
        search(&self.distance_counts, &self.distance_symbols, bits)
    }

    /// The next symbol of the code lengths and its extra bits; `None` when the input ends before, `Some(None)`
    /// when there is no such code.
    pub(super) fn length_symbol(&self, bits: &mut Bits, input: &mut &[u8]) -> Option<Option<(u16, u32)>> {
        // 14 bits hold any; near the end of the input there may be fewer.
        let _ = bits.peek(14, input);
        bits.trim();
        let mut ahead = *bits;
        let Some(symbol) = self.distance(&mut ahead) else {
            return if bits.count() >= 7 { Some(None) } else { None };
        };
        let extra = match symbol {
            16 => 2,
            17 => 3,
            18 => 7,
            _ => 0,
        };
        let value = ahead.pull(extra)?;
        *bits = ahead;
        Some(Some((symbol, value)))
    }
}

/// Whether an alphabet may have a single code of one bit, which leaves the other bit without meaning. RFC 1951
/// 3.2.7 allows it for distances; encoders also make it for literals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lone {
    Allowed,
    Refused,
}

/// Builds one code; `false` when the lengths claim more codes than there are, or leave some unused.
fn define(
    lengths: &[u8],
    fast_bits: u32,
    fast: &mut [Entry],
    counts: &mut [u16; LONGEST + 1],
    symbols: &mut [u16],
    lone: Lone,
) -> bool {
    counts.fill(0);
    fast.fill(0);
    for length in lengths {
        if let Some(count) = counts.get_mut(usize::from(length & 15)) {
            *count = count.wrapping_add(1);
        }
    }
    counts[0] = 0;
    let (mut unused, mut used) = (1i32, 0u16);
    for count in counts.iter().skip(1) {
        unused = (unused << 1).wrapping_sub(i32::from(*count));
        used = used.wrapping_add(*count);
        if unused < 0 {
            return false;
        }
    }
    // No code at all is legal until one is used.
    let single = lone == Lone::Allowed && used == 1 && unused == 1 << (LONGEST - 1);
    if unused > 0 && !single && !(lone == Lone::Allowed && used == 0) {
        return false;
    }
    // Per length, the next code and the place of the next symbol.
    let mut next = [(0u16, 0u16); LONGEST + 1];
    let (mut code, mut place) = (0u16, 0u16);
    for (count, next) in counts.iter().zip(next.iter_mut()).skip(1) {
        code = code.wrapping_shl(1);
        *next = (code, place);
        code = code.wrapping_add(*count);
        place = place.wrapping_add(*count);
    }
    for (symbol, length) in lengths.iter().enumerate() {
        let at = usize::from(length & 15);
        let Some(next) = next.get_mut(at) else { continue };
        if at == 0 {
            continue;
        }
        let (code, place) = *next;
        *next = (code.wrapping_add(1), place.wrapping_add(1));
        if let Some(slot) = symbols.get_mut(usize::from(place)) {
            *slot = symbol as u16;
        }
        // A short code is every index whose low bits are its own, reversed.
        if at as u32 <= fast_bits {
            let first = usize::from(code.reverse_bits() >> ((16 - at as u32) & 15));
            let entry = (symbol as u16) << 4 | at as u16;
            for slot in fast.iter_mut().skip(first).step_by(1 << at) {
                *slot = entry;
            }
        }
    }
    true
}

/// Finds the code bit by bit: at each length, the codes are a range that follows the shorter ones.
fn search(counts: &[u16; LONGEST + 1], symbols: &[u16], bits: &mut Bits) -> Option<u16> {
    let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
    let mut rest = bits.buffer();
    for (length, count) in counts.iter().enumerate().skip(1) {
        if length as u32 > bits.count() {
            return None;
        }
        code |= (rest & 1) as u32;
        rest >>= 1;
        let count = u32::from(*count);
        let beyond = code.wrapping_sub(first);
        if code >= first && beyond < count {
            bits.skip(length as u32);
            return symbols.get(index.wrapping_add(beyond) as usize).copied();
        }
        index = index.wrapping_add(count);
        first = first.wrapping_add(count) << 1;
        code <<= 1;
    }
    None
}

/// Base and extra bits of length code `257 + code`; base 0 when there is none. RFC 1951 3.2.5.
#[inline(always)]
pub(super) fn match_length(code: u16) -> (u16, u8) {
    static TABLE: [(u16, u8); 32] = length_bases();
    TABLE.get(usize::from(code & 31)).copied().unwrap_or((0, 0))
}

/// Base and extra bits of distance code `code`; base 0 when there is none. RFC 1951 3.2.5.
#[inline(always)]
pub(super) fn match_distance(code: u16) -> (u16, u8) {
    static TABLE: [(u16, u8); 32] = distance_bases();
    TABLE.get(usize::from(code & 31)).copied().unwrap_or((0, 0))
}

// The tables are made in the compiler, which refuses an index out of bounds.
#[allow(clippy::indexing_slicing)]
const fn length_bases() -> [(u16, u8); 32] {
    let mut table = [(0, 0); 32];
    let (mut base, mut i) = (3u16, 0);
    while i < 28 {
        let extra = if i < 8 { 0 } else { (i as u8 - 4) / 4 };
        table[i] = (base, extra);
        base += 1 << extra;
        i += 1;
    }
    table[28] = (258, 0);
    table
}

#[allow(clippy::indexing_slicing)]
const fn distance_bases() -> [(u16, u8); 32] {
    let mut table = [(0, 0); 32];
    let (mut base, mut i) = (1u16, 0);
    while i < 30 {
        let extra = if i < 4 { 0 } else { (i as u8 - 2) / 2 };
        table[i] = (base, extra);
        base = base.wrapping_add(1 << extra);
        i += 1;
    }
    table
}
