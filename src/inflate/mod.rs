//! Bounded decoder of gzip, zlib and raw deflate, fed in pieces.
//!
//! Compressed bytes go in as the network delivers them, in pieces of any size; decompressed runs come out through a
//! closure. What a hostile input can cost is fixed beforehand: one 32 KiB window and two small tables at
//! construction, and an output capped by the input and by [`Limits`]. RFC 1950, RFC 1951, RFC 1952.

use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes, List};

mod bits;
mod block;
mod checksum;
mod frame;
mod huffman;
#[cfg(test)]
mod tests;

use bits::Bits;
use frame::{Frame, Head};
use huffman::Codes;

/// How far back a match may reach: the window of deflate.
const WINDOW: usize = 32 << 10;
/// Output that no ratio forbids, in bytes.
const RATIO_ALLOWANCE: u64 = 64 << 10;
/// The most literal/length codes, and the most distance codes, that a block may define.
const LITERALS: u16 = 286;
const DISTANCES: u16 = 30;
/// The order in which a block gives the lengths of its code length codes. RFC 1951 3.2.7.
const LENGTH_ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// What a `Content-Encoding` header promised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// gzip, of one or more members.
    Gzip,
    /// "deflate": zlib, raw deflate or, against its name, gzip. Servers disagree, so the first two bytes decide.
    Deflate,
}

/// The encoding that a body's first bytes betray, when no header declared any: gzip or none.
pub fn sniff(first_bytes: &[u8]) -> Option<Encoding> {
    match first_bytes {
        [0x1F, 0x8B, ..] => Some(Encoding::Gzip),
        _ => None,
    }
}

/// A decoder in the middle of one body.
///
/// Besides its own size of about 1 KiB it holds 34 KiB charged to an [`Account`]; [`Inflate::free`] returns them.
#[derive(Debug)]
pub struct Inflate {
    bits: Bits,
    state: State,
    frame: Frame,
    /// The block at hand is the last one.
    last_block: bool,
    codes: Codes,
    /// Code lengths of the dynamic block at hand, and how many of each kind.
    lengths: [u8; 320],
    literals: u16,
    distances: u16,
    length_codes: u8,
    window: Bytes,
    /// Where the next byte goes in the window, and up to where it was handed out.
    position: usize,
    handed: usize,
    /// The window has been filled since the member began.
    wrapped: bool,
    total: u64,
    ratio: u64,
    most: u64,
    failed: Option<Error>,
}

/// What the next bits are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Head(Head),
    BlockHead,
    StoredHead,
    Stored {
        left: u32,
    },
    DynamicHead,
    CodeLengths {
        at: u8,
    },
    Lengths {
        at: u16,
    },
    Symbols,
    Trailer {
        at: u8,
    },
    /// Between the members of a gzip file, where it may also end.
    Between,
    Done,
}

/// Whether a step got anywhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    On,
    /// All input is used up, and the next step needs more.
    Starved,
}

impl Inflate {
    /// A decoder at the beginning of a body.
    ///
    /// # Errors
    /// [`Code::Budget`] or [`Code::NoMemory`]; nothing stays charged then.
    pub fn new(account: &mut Account, encoding: Encoding, limits: &Limits) -> Result<Inflate> {
        let mut fast = List::new();
        fast.reserve_exact(account, huffman::FAST)?;
        fast.resize(account, huffman::FAST, 0)?;
        let mut window = Bytes::new();
        if let Err(refused) = window.reserve_exact(account, WINDOW) {
            fast.free(account);
            return Err(refused);
        }
        window.resize(account, WINDOW, 0)?;
        Ok(Inflate {
            bits: Bits::new(),
            state: State::Head(match encoding {
                Encoding::Gzip => Head::Gzip { at: 0 },
                Encoding::Deflate => Head::Sniff,
            }),
            frame: Frame::new(),
            last_block: false,
            codes: Codes::new(fast),
            lengths: [0; 320],
            literals: 0,
            distances: 0,
            length_codes: 0,
            window,
            position: 0,
            handed: 0,
            wrapped: false,
            total: 0,
            ratio: u64::from(limits.inflate_ratio),
            most: limits.manifest_bytes,
            failed: None,
        })
    }

    /// Takes all of `input` and hands every byte that can be decompressed from it to `sink`, in order, in runs of 1
    /// to 32,768 bytes. Bytes after the end of the compressed data are taken and ignored, except that a gzip member
    /// may be followed by another.
    ///
    /// # Errors
    /// [`Code::InflateHeader`], [`Code::InflateData`], [`Code::InflateChecksum`], [`Code::LimitInflateRatio`],
    /// [`Code::LimitManifestBytes`] at the offset of the compressed byte, or the error of `sink`. Output before the
    /// error may have been handed out. Each further call returns the same error.
    pub fn feed(&mut self, input: &[u8], sink: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut rest = input;
        let outcome = self.run(&mut rest, sink);
        self.failed = outcome.err();
        outcome
    }

    /// Ends the body.
    ///
    /// # Errors
    /// [`Code::InflateTruncated`] when the compressed data has no end yet; else the error of an earlier
    /// [`Inflate::feed`].
    pub fn finish(&mut self) -> Result<()> {
        match (self.failed, self.state) {
            (Some(error), _) => Err(error),
            (None, State::Done | State::Between) => Ok(()),
            (None, _) => Err(self.error(Code::InflateTruncated)),
        }
    }

    /// Frees the window and the tables and takes them off the account. The decoder is of no use afterwards.
    pub fn free(&mut self, account: &mut Account) {
        self.window.free(account);
        self.codes.free(account);
        self.failed = Some(self.failed.unwrap_or(Code::State.into()));
    }

    /// Bytes handed out so far.
    pub const fn total(&self) -> u64 {
        self.total
    }

    fn run(&mut self, input: &mut &[u8], sink: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        // Each step uses up input or moves the state on; a starved one ends the loop.
        let outcome = loop {
            match self.step(input, sink) {
                Ok(Step::On) => {}
                other => break other,
            }
        };
        // What was good before a fault goes out first, or errors would depend on how the input is divided.
        self.hand_out(sink)?;
        outcome.map(|_| ())
    }

    fn step(&mut self, input: &mut &[u8], sink: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<Step> {
        match self.state {
            State::Head(head) => self.head(head, input),
            State::BlockHead => self.block_head(input),
            State::StoredHead => self.stored_head(input),
            State::Stored { left } => self.stored(left, input, sink),
            State::DynamicHead => self.dynamic_head(input),
            State::CodeLengths { at } => self.code_lengths(at, input),
            State::Lengths { at } => self.dynamic_lengths(at, input),
            State::Symbols => self.symbols(input, sink),
            State::Trailer { at } => {
                self.hand_out(sink)?;
                self.trailer(at, input)
            }
            State::Between => self.between(input),
            State::Done => {
                self.bits.discard(input);
                Ok(Step::Starved)
            }
        }
    }

    fn head(&mut self, head: Head, input: &mut &[u8]) -> Result<Step> {
        let Some(next) = self.frame.head(head, &mut self.bits, input).map_err(|code| self.error(code))?
        else {
            return Ok(Step::Starved);
        };
        self.state = match next {
            Head::Body => State::BlockHead,
            more => State::Head(more),
        };
        Ok(Step::On)
    }

    fn trailer(&mut self, at: u8, input: &mut &[u8]) -> Result<Step> {
        let Some(more) = self.frame.trailer(at, &mut self.bits, input).map_err(|code| self.error(code))?
        else {
            return Ok(Step::Starved);
        };
        self.state = if more {
            State::Trailer { at: at.saturating_add(1) }
        } else if self.frame.is_gzip() {
            State::Between
        } else {
            State::Done
        };
        Ok(Step::On)
    }

    /// Looks for a further gzip member; what is none is no part of the data.
    fn between(&mut self, input: &mut &[u8]) -> Result<Step> {
        let Some(magic) = self.bits.peek(16, input) else { return Ok(Step::Starved) };
        if magic != 0x8B1F {
            self.state = State::Done;
            return Ok(Step::On);
        }
        self.frame = Frame::new();
        (self.position, self.handed, self.wrapped) = (0, 0, false);
        self.state = State::Head(Head::Gzip { at: 0 });
        Ok(Step::On)
    }

    /// Decodes literals and matches until the block ends or the input does.
    fn symbols(&mut self, input: &mut &[u8], sink: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<Step> {
        loop {
            self.bits.fill(input);
            // Everything up to the commit below leaves the bits as they are: a match cut off by the end of the
            // input is simply decoded again. The longest takes 15 + 5 + 15 + 13 = 48 bits of the 56 there are.
            let mut bits = self.bits;
            let symbol = match self.codes.literal(&mut bits) {
                Some(symbol) => symbol,
                None => return self.cut_off(&bits),
            };
            if symbol < 256 {
                self.bits = bits;
                if let Some(place) = self.window.get_mut(self.position) {
                    *place = symbol as u8;
                }
                self.position = self.position.wrapping_add(1);
                if self.position >= WINDOW {
                    self.hand_out(sink)?;
                }
                continue;
            }
            if symbol == 256 {
                self.bits = bits;
                self.bits.trim();
                self.state = State::BlockHead;
                return Ok(Step::On);
            }
            let (base, extra) = huffman::match_length(symbol.wrapping_sub(257));
            let Some(more) = bits.pull(extra) else { return self.cut_off(&bits) };
            let length = usize::from(base).wrapping_add(more as usize);
            let Some(code) = self.codes.distance(&mut bits) else { return self.cut_off(&bits) };
            let (base_distance, extra) = huffman::match_distance(code);
            let Some(more) = bits.pull(extra) else { return self.cut_off(&bits) };
            let distance = usize::from(base_distance).wrapping_add(more as usize);
            // The codes that no table entry stands for have base 0.
            if base == 0 || base_distance == 0 || distance > self.history() {
                return Err(self.error(Code::InflateData));
            }
            self.bits = bits;
            self.copy_match(length, distance, sink)?;
        }
    }

    /// The input has no whole symbol: either it is at its end, or there is no such code.
    fn cut_off(&mut self, tried: &Bits) -> Result<Step> {
        if tried.is_wide() {
            return Err(self.error(Code::InflateData));
        }
        self.bits.trim();
        Ok(Step::Starved)
    }

    fn history(&self) -> usize {
        if self.wrapped { WINDOW } else { self.position }
    }

    fn copy_match(
        &mut self,
        length: usize,
        distance: usize,
        sink: &mut impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut left = length;
        // At most twice: a match is at most 258 bytes and the window larger.
        while left > 0 {
            let n = left.min(WINDOW.saturating_sub(self.position));
            left = left.saturating_sub(n);
            let mut to = self.position;
            self.position = to.wrapping_add(n);
            if let Some(window) = self.window.first_chunk_mut::<WINDOW>() {
                let mut from = to.wrapping_sub(distance);
                for _ in 0..n {
                    let byte = window.get(from % WINDOW).copied().unwrap_or(0);
                    if let Some(place) = window.get_mut(to % WINDOW) {
                        *place = byte;
                    }
                    (to, from) = (to.wrapping_add(1), from.wrapping_add(1));
                }
            }
            if self.position >= WINDOW {
                self.hand_out(sink)?;
            }
        }
        Ok(())
    }

    /// Hands out what the window holds of new bytes, after the limits and into the checksum, and starts the window
    /// over when it is full.
    fn hand_out(&mut self, sink: &mut impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        // Whatever comes of it, no byte goes out twice.
        let from = core::mem::replace(&mut self.handed, self.position);
        let run = self.window.get(from..self.position).unwrap_or(&[]);
        if !run.is_empty() {
            let total = self.total.saturating_add(run.len() as u64);
            let allowed = self.bits.consumed().saturating_mul(self.ratio).saturating_add(RATIO_ALLOWANCE);
            if total > self.most {
                return Err(self.error(Code::LimitManifestBytes));
            }
            if total > allowed {
                return Err(self.error(Code::LimitInflateRatio));
            }
            self.total = total;
            self.frame.account(run);
            sink(run)?;
        }
        if self.position >= WINDOW {
            (self.position, self.handed, self.wrapped) = (0, 0, true);
        }
        Ok(())
    }

    fn error(&self, code: Code) -> Error {
        Error::at(code, self.frame.name(), self.bits.offset())
    }
}
