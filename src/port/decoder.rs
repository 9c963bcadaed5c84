//! The decoder seam.

use crate::error::Code;
use crate::io::{Buffered, Configure, Configured, Epoch, Framing, Rate, Sample, StreamId};

/// What a decoder port is, told once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DecoderTraits {
    /// How it wants samples.
    pub framing: Framing,
    /// Bits of the constants below.
    pub flags: u32,
}

impl DecoderTraits {
    /// Each sample must be one slice; the core pays the copy.
    pub const CONTIGUOUS: u32 = 1;
    /// Each picture must begin with an access unit delimiter.
    pub const NEEDS_AUD: u32 = 2;
    /// It has no clock: it takes samples as fast as they come (a file, a transmuxer). No rate orders, no stalls.
    pub const UNPACED: u32 = 4;
    /// Parameter sets before every key frame, not only where they may have changed.
    pub const REPEAT_PARAMETER_SETS: u32 = 8;

    /// Whether every bit of `flags` is set.
    pub const fn has(self, flags: u32) -> bool {
        self.flags & flags == flags
    }
}

/// What became of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Submitted {
    /// Taken; its bytes were copied or consumed.
    Accepted,
    /// No room now; it will be offered again unchanged.
    Refused,
}

/// Decoders and the presentation clock.
pub trait Decoder {
    /// What this port is. Must not change while a session is open.
    fn traits(&self) -> DecoderTraits;

    /// Sets up one stream; `setup` is valid during the call only.
    fn configure(&mut self, setup: &Configure<'_>) -> Configured;

    /// Takes one sample or none of it; `sample` is valid during the call only.
    ///
    /// # Errors
    /// Any code: the decoder is broken and the session ends with [`Code::DecoderFailed`].
    fn submit(&mut self, sample: &Sample<'_>) -> Result<Submitted, Code>;

    /// What the stream's decoder holds now.
    fn status(&mut self, stream: StreamId) -> Buffered;

    /// Throws away everything of older epochs.
    fn flush(&mut self, stream: StreamId, epoch: Epoch);

    /// Nothing follows on this stream.
    fn end(&mut self, stream: StreamId, epoch: Epoch);

    /// Order to the presentation clock.
    fn rate(&mut self, rate: Rate);
}
