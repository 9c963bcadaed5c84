//! Blocks but for their symbols: heads, stored bytes, and the codes of dynamic ones. RFC 1951 3.2.3 to 3.2.7.

use super::{DISTANCES, Inflate, LENGTH_ORDER, LITERALS, State, Step, WINDOW};
use crate::error::{Code, Result};

impl Inflate {
    pub(super) fn block_head(&mut self, input: &mut &[u8]) -> Result<Step> {
        if self.last_block {
            self.last_block = false;
            self.bits.align();
            self.state = State::Trailer { at: 0 };
            return Ok(Step::On);
        }
        let Some(head) = self.bits.take(3, input) else { return Ok(Step::Starved) };
        self.last_block = head & 1 == 1;
        self.state = match head >> 1 {
            0 => {
                self.bits.align();
                State::StoredHead
            }
            1 => {
                self.codes.fix(&mut self.lengths);
                State::Symbols
            }
            2 => State::DynamicHead,
            _ => return Err(self.error(Code::InflateData)),
        };
        Ok(Step::On)
    }

    pub(super) fn stored_head(&mut self, input: &mut &[u8]) -> Result<Step> {
        let Some(sizes) = self.bits.take(32, input) else { return Ok(Step::Starved) };
        let (size, complement) = (sizes & 0xFFFF, sizes >> 16);
        if size != complement ^ 0xFFFF {
            return Err(self.error(Code::InflateData));
        }
        self.state = State::Stored { left: size };
        Ok(Step::On)
    }

    /// Copies stored bytes: first those the bit buffer holds, then straight from the input.
    pub(super) fn stored(
        &mut self,
        left: u32,
        input: &mut &[u8],
        sink: &mut impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Step> {
        if left == 0 {
            self.state = State::BlockHead;
            return Ok(Step::On);
        }
        let target = self.window.get_mut(self.position..).unwrap_or(&mut []);
        let n = self.bits.copy_bytes(target, left as usize, input);
        if n == 0 {
            return Ok(Step::Starved);
        }
        self.position = self.position.saturating_add(n);
        self.state = State::Stored { left: left.saturating_sub(n as u32) };
        if self.position >= WINDOW {
            self.hand_out(sink)?;
        }
        Ok(Step::On)
    }

    pub(super) fn dynamic_head(&mut self, input: &mut &[u8]) -> Result<Step> {
        let Some(counts) = self.bits.take(14, input) else { return Ok(Step::Starved) };
        self.literals = (counts & 31) as u16 + 257;
        self.distances = (counts >> 5 & 31) as u16 + 1;
        self.length_codes = (counts >> 10 & 15) as u8 + 4;
        if self.literals > LITERALS || self.distances > DISTANCES {
            return Err(self.error(Code::InflateData));
        }
        self.lengths = [0; 320];
        self.state = State::CodeLengths { at: 0 };
        Ok(Step::On)
    }

    pub(super) fn code_lengths(&mut self, at: u8, input: &mut &[u8]) -> Result<Step> {
        let mut at = at;
        while at < self.length_codes {
            let Some(length) = self.bits.take(3, input) else {
                self.state = State::CodeLengths { at };
                return Ok(Step::Starved);
            };
            let symbol = LENGTH_ORDER.get(usize::from(at)).copied().unwrap_or(0);
            if let Some(place) = self.lengths.get_mut(usize::from(symbol)) {
                *place = length as u8;
            }
            at = at.saturating_add(1);
        }
        if !self.codes.define_lengths(self.lengths.get(..19).unwrap_or(&[])) {
            return Err(self.error(Code::InflateData));
        }
        self.lengths = [0; 320];
        self.state = State::Lengths { at: 0 };
        Ok(Step::On)
    }

    /// Reads the code lengths of both alphabets, which are one sequence with repeats across. RFC 1951 3.2.7.
    pub(super) fn dynamic_lengths(&mut self, at: u16, input: &mut &[u8]) -> Result<Step> {
        let end = usize::from(self.literals.saturating_add(self.distances));
        let mut at = usize::from(at);
        while at < end {
            let Some(found) = self.codes.length_symbol(&mut self.bits, input) else {
                self.state = State::Lengths { at: at as u16 };
                return Ok(Step::Starved);
            };
            let Some((symbol, extra)) = found else { return Err(self.error(Code::InflateData)) };
            let (length, repeat) = match symbol {
                16 => match at.checked_sub(1).and_then(|before| self.lengths.get(before)) {
                    Some(before) => (*before, extra + 3),
                    None => return Err(self.error(Code::InflateData)),
                },
                17 => (0, extra + 3),
                18 => (0, extra + 11),
                length => (length as u8, 1),
            };
            let next = at.saturating_add(repeat as usize);
            match self.lengths.get_mut(at..next) {
                Some(places) if next <= end => places.fill(length),
                _ => return Err(self.error(Code::InflateData)),
            }
            at = next;
        }
        let (literals, rest) =
            self.lengths.split_at_checked(usize::from(self.literals)).unwrap_or((&[], &[]));
        let distances = rest.get(..usize::from(self.distances)).unwrap_or(&[]);
        // A block that cannot end is refused before its first symbol.
        if literals.get(256).is_none_or(|end| *end == 0) || !self.codes.define(literals, distances) {
            return Err(self.error(Code::InflateData));
        }
        self.state = State::Symbols;
        Ok(Step::On)
    }
}
