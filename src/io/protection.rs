//! Protected content and capabilities: what a session offers, asks and is told about keys, samples and levels.

use super::{Epoch, StreamId};
use crate::codec::{CodecConfig, Kind};
use crate::error::Code;
pub use crate::mp4::encryption::Subsample;
pub use crate::protection::{Kid, Scheme};

/// An open key session of the box's DRM agent. The number means nothing here; it travels to the decoder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyHandle(pub u64);

/// Which keys a fact is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Keys {
    /// Every key the session knows of by now, one without a name included. One it learns of later is not meant.
    All,
    /// The key of this name.
    One(Kid),
    /// The key of samples for which neither fragment nor header name one.
    Unnamed,
}

/// How far a key is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyStatus {
    /// Samples may go out, with this handle.
    Ready(KeyHandle),
    /// Not yet: samples wait.
    Pending,
    /// It will not come. A -4xx code says why; others count as [`Code::KeyRefused`].
    Refused(Code),
}

/// Where an offer comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfferSource {
    /// A protection header of the manifest.
    Manifest,
    /// A `pssh` box of a fragment.
    Fragment,
    /// A fragment that names a key nobody has named before. `system_id` and `data` are those of the first header that
    /// was offered; zeros and empty without any.
    Key,
}

/// What the DRM agent needs to get keys. Each header is offered once, as early as it is known; answer with
/// [`super::Input::Key`] when something is known about a key.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Where it comes from.
    pub source: OfferSource,
    /// The system it is for, in the order in which it is written.
    pub system_id: [u8; 16],
    /// The header as it came, for the agent; for PlayReady a PlayReady object.
    pub data: &'a [u8],
    /// Keys it names; often one, may be none.
    pub kids: &'a [Kid],
    /// Where the header says that licences may be had; empty when it does not. A hint, never fetched here.
    pub la_url: &'a str,
    /// The scheme it names; `None` when it does not.
    pub scheme: Option<Scheme>,
}

/// How a sample is encrypted.
#[derive(Clone, Copy, Debug)]
pub struct SampleProtection<'a> {
    /// The scheme.
    pub scheme: Scheme,
    /// Encrypted and skipped blocks of 16 bytes, in turn; zeros when the fragment does not say. Then
    /// [`Scheme::Cbcs`] means 1 and 9 for pictures, and every block for sound.
    pub pattern: (u8, u8),
    /// Its key; `None` when neither fragment nor header name one.
    pub kid: Option<Kid>,
    /// Initialisation vector, 8 or 16 bytes. 8: the upper half of the counter block. Empty when neither sample nor
    /// fragment have one.
    pub iv: &'a [u8],
    /// Its parts in order, together as long as the sample with everything put before it. Empty: all of the sample is
    /// encrypted. A count may exceed 65,535, as what is put before the sample is clear; an interface with 16 bits for it
    /// splits such a part into some with nothing protected and the rest.
    pub subsamples: &'a [Subsample],
    /// The session of its key, as the host gave it.
    pub handle: KeyHandle,
}

/// One encrypted sample to decrypt in place, for `ProtectionMode::Decrypt`.
#[derive(Debug)]
pub struct Decrypt<'a> {
    /// The stream.
    pub stream: StreamId,
    /// Its epoch.
    pub epoch: Epoch,
    /// How it is encrypted.
    pub protection: SampleProtection<'a>,
    /// All of the sample, as it lies in the file. After [`Decrypted::Later`] it is offered again as it is then; bytes
    /// may have been replaced.
    pub data: &'a mut [u8],
}

/// What became of a sample to decrypt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decrypted {
    /// It is clear now.
    Done,
    /// Not now; it is offered again after `Input::Buffered` or `Input::Timeout`.
    Later,
    /// It cannot be: the sample is left out. A -4xx code says why; others count as [`Code::DecryptFailed`].
    Failed(Code),
}

/// A quality level about which the decoder is asked before playback starts.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The stream.
    pub stream: StreamId,
    /// What it carries.
    pub kind: Kind,
    /// Position of the level in the manifest's list, from 0: its name in the answer.
    pub position: u16,
    /// The quality level's `Index`.
    pub level: u32,
    /// Its bitrate in bit/s.
    pub bitrate: u32,
    /// Codec and its parameters.
    pub config: &'a CodecConfig,
    /// Whether the manifest has protection headers, so that a secure decoder will be needed.
    pub secrecy: Secrecy,
}

/// Whether content is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Secrecy {
    /// As far as the manifest says, it is not.
    Clear,
    /// The manifest has protection headers.
    Protected,
}

/// What a decoder says to a candidate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capable {
    /// It can play it.
    Yes,
    /// It cannot: the level is dropped.
    No,
}
