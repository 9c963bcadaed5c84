//! The chunked transfer coding (RFC 9112, clause 7.1), taken out of the bytes in place.

use core::cell::Cell;

use crate::error::Code;

/// Where in a chunked body the next byte lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// In the digits of a chunk's size; how many there were and what they say.
    Size(u8, u64),
    /// Behind them, in an extension or at the line's end.
    SizeLine(u64),
    /// In a chunk; bytes left, at least 1.
    Data(u64),
    /// Behind a chunk.
    DataEnd,
    /// Behind the carriage return behind a chunk.
    DataLineFeed,
    /// At the start of a trailer line.
    TrailerStart,
    /// Within a trailer line.
    Trailer,
    /// Behind the last byte.
    Done,
}

/// Reads chunks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunked {
    state: State,
    /// Bytes since the last byte of data that were not data.
    framing: usize,
}

impl Default for Chunked {
    fn default() -> Chunked {
        Chunked { state: State::Size(0, 0), framing: 0 }
    }
}

/// What [`Chunked::decode`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decoded {
    /// Bytes of data, now at the front.
    pub data: usize,
    /// Bytes that follow the end of the body.
    pub surplus: usize,
}

impl Chunked {
    /// The last byte has been seen.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Moves the data in `bytes`, the next of the body, to their front. Size lines, extensions and trailers of one
    /// place may have `limit` bytes.
    ///
    /// # Errors
    /// [`Code::HttpSyntax`]; [`Code::LimitHttpHead`].
    pub fn decode(&mut self, bytes: &mut [u8], limit: usize) -> Result<Decoded, Code> {
        let len = bytes.len();
        let (mut from, mut to) = (0usize, 0usize);
        // Each round takes at least one byte.
        while from < len && self.state != State::Done {
            if let State::Data(left) = self.state {
                let here = len.saturating_sub(from);
                let n = usize::try_from(left).unwrap_or(usize::MAX).min(here);
                let end = from.saturating_add(n);
                let shift = from.saturating_sub(to);
                if shift > 0 {
                    let span = Cell::from_mut(bytes.get_mut(to..end).unwrap_or(&mut [])).as_slice_of_cells();
                    for (to, from) in span.iter().zip(span.get(shift..).unwrap_or(&[])) {
                        to.set(from.get());
                    }
                }
                from = end;
                to = to.saturating_add(n);
                let left = left.saturating_sub(n as u64);
                self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                self.framing = 0;
                continue;
            }
            let Some(byte) = bytes.get(from) else { break };
            self.state = self.state.after(*byte).ok_or(Code::HttpSyntax)?;
            from = from.saturating_add(1);
            self.framing = self.framing.saturating_add(1);
            if self.framing > limit {
                return Err(Code::LimitHttpHead);
            }
        }
        Ok(Decoded { data: to, surplus: len.saturating_sub(from) })
    }
}

impl State {
    /// The state behind a byte that is not data; `None` when it may not stand here. Bare line feeds are taken.
    fn after(self, byte: u8) -> Option<State> {
        Some(match (self, byte) {
            (State::Size(digits, size), _) if byte.is_ascii_hexdigit() => {
                let digit = match byte {
                    b'0'..=b'9' => byte.wrapping_sub(b'0'),
                    _ => (byte | 0x20).wrapping_sub(b'a').wrapping_add(10),
                };
                let size = size.checked_mul(16)?.checked_add(u64::from(digit))?;
                State::Size(digits.saturating_add(1), size)
            }
            (State::Size(0, _), _) => return None,
            (State::Size(_, size), b'\r' | b';' | b' ' | b'\t') => State::SizeLine(size),
            (State::Size(_, 0) | State::SizeLine(0), b'\n') => State::TrailerStart,
            (State::Size(_, size) | State::SizeLine(size), b'\n') => State::Data(size),
            (State::Size(..), _) => return None,
            (State::SizeLine(size), _) => State::SizeLine(size),
            (State::DataEnd, b'\r') => State::DataLineFeed,
            (State::DataEnd | State::DataLineFeed, b'\n') => State::Size(0, 0),
            (State::TrailerStart, b'\n') => State::Done,
            (State::TrailerStart, b'\r') => State::TrailerStart,
            (State::Trailer, b'\n') => State::TrailerStart,
            (State::TrailerStart | State::Trailer, _) => State::Trailer,
            (State::DataEnd | State::DataLineFeed | State::Data(_) | State::Done, _) => return None,
        })
    }
}
