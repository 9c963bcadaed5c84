//! The decoder seam.

use crate::error::Code;
use crate::io::{
    Buffered, Candidate, Capable, Captions, Configure, Configured, DecoderTraits, Epoch, Rate, Sample,
    StreamId,
};

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

    /// Whether it could play a level; asked before playback starts, with [`DecoderTraits::CAPABILITIES`] only.
    fn can_play(&mut self, candidate: &Candidate<'_>) -> Capable {
        let _ = candidate;
        Capable::Yes
    }

    /// Captions found in the picture that is submitted next; valid during the call only. Ignored unless overridden.
    fn captions(&mut self, captions: &Captions<'_>) {
        let _ = captions;
    }
}
