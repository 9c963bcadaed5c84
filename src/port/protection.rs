//! The protection seam: the box's DRM agent.

use crate::error::Code;
use crate::io::{Decrypt, Decrypted, KeyStatus, Keys, Offer};

/// Whether a port decrypts in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decryption {
    /// The decoder takes encrypted samples.
    Decoder,
    /// [`Protection::decrypt`] makes them clear.
    Port,
}

/// Gets licences, and decrypts where the decoder does not. Nothing here waits: what is not there yet is asked for again.
pub trait Protection {
    /// Where samples are decrypted. Must not change while a session is open; `None`: as the configuration says.
    fn decryption(&self) -> Option<Decryption>;

    /// A header to get keys with; valid during the call only. Each comes once.
    fn offer(&mut self, offer: &Offer<'_>);

    /// How far a key is, [`Keys::One`] or [`Keys::Unnamed`]; asked every step. `None`: as before.
    fn key(&mut self, keys: Keys) -> Option<KeyStatus>;

    /// Decrypts one sample in place.
    fn decrypt(&mut self, sample: &mut Decrypt<'_>) -> Decrypted {
        let _ = sample;
        Decrypted::Failed(Code::ProtectionUnsupported)
    }

    /// The player goes; the decoders have thrown away what they held.
    fn close(&mut self) {}
}

/// No DRM agent: offers go unheard. A host may still tell the session about keys itself.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoProtection;

impl Protection for NoProtection {
    fn decryption(&self) -> Option<Decryption> {
        None
    }

    fn offer(&mut self, _: &Offer<'_>) {}

    fn key(&mut self, _: Keys) -> Option<KeyStatus> {
        None
    }
}
