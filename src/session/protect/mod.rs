//! Encrypted samples: offers to the DRM agent, keys, and waiting for them.
//!
//! Each header is offered once, before the first fragment is asked for; a key that only a fragment names is offered
//! when that fragment arrives, which is long before its samples are due. A sample whose key is not ready waits, and
//! with it its stream; clear ones before it pass.

mod decrypt;
mod keys;
#[cfg(feature = "protection")]
mod late;
mod offers;
#[cfg(not(feature = "protection"))]
mod prompt;

use super::Session;
use super::config::ProtectionMode;
use crate::error::Code;
use crate::io::{KeyHandle, KeyStatus, Kid, OfferSource, Scheme, Subsample};
use crate::mem::{Bytes, List, Text};
use crate::mp4::encryption::EncryptionTable;
use crate::protection;
use crate::time::Instant;
use late::Waiting;

#[cfg(not(feature = "protection"))]
use prompt as late;

/// Keys remembered; the oldest goes when there are more.
const MOST_KEYS: usize = 64;
/// Offers that wait to be fetched, beyond those of the manifest; more are left out.
const MOST_DUE: usize = 16;
/// Headers remembered, so that none is offered twice.
const REMEMBERED: usize = 16;

/// What a session knows of keys.
#[derive(Debug, Default)]
pub(super) struct Protect {
    keys: List<Key>,
    due: List<Due>,
    /// Hashes of what was offered last.
    offered: heapless::Deque<u64, REMEMBERED>,
    /// The header of the manifest that was offered first.
    first: Option<u16>,
    /// The one whose data goes with the offer that is out.
    header: Option<u16>,
    named: Named,
    scheme: Option<Scheme>,
    /// The offer that is out.
    current: Current,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    name: Option<Kid>,
    status: KeyStatus,
}

/// Keys that the manifest's headers name.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Named {
    #[default]
    None,
    One(Kid),
    Many,
}

#[derive(Debug)]
enum Due {
    Header(u16),
    Key(Option<Kid>),
    Box { system_id: [u8; 16], data: Bytes, kids: List<Kid> },
}

#[derive(Debug, Default)]
struct Current {
    source: Option<OfferSource>,
    system_id: [u8; 16],
    data: Bytes,
    kids: List<Kid>,
    la_url: Text,
    scheme: Option<Scheme>,
}

/// What one stream keeps of its protection.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// What its decoder was last set up with.
    pub key: Option<KeyHandle>,
    wait: Option<Wait>,
    /// Samples in a row that could not be decrypted.
    failures: u32,
    /// Parts of the sample on offer, what was put before them included.
    parts: List<Subsample>,
    /// The part in which the last stretched byte lay, where it starts in the sample as it was, and how much it has
    /// grown.
    part: usize,
    part_start: u64,
    grown: u32,
    pub layout: Layout,
}

/// How an encrypted sample is handed over.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Layout {
    /// In the decoder's framing.
    #[default]
    Framed,
    /// As it lies in the file, because its framing is encrypted.
    Verbatim,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    since: Instant,
    told: bool,
}

/// Whether the front sample may go out.
pub(super) enum Lock {
    /// It is clear.
    Clear,
    /// It is encrypted and its key is there.
    Open(KeyHandle),
    /// It waits for its key, or its level has just been given up.
    Shut,
}

/// How the samples of one fragment are encrypted.
#[derive(Debug, Default)]
pub(super) struct Cipher {
    table: EncryptionTable,
    /// Samples before the first `moof` with encrypted ones: they are clear and not in the table.
    clear: usize,
    /// The sample that has been decrypted in place.
    pub opened: Option<usize>,
    waiting: Waiting,
}

impl Protect {
    /// The key of a sample or offer for which the fragment names `kid`.
    fn name(&self, kid: Option<[u8; 16]>) -> Option<Kid> {
        match (kid, self.named) {
            (Some(kid), _) => Some(Kid(kid)),
            (None, Named::One(kid)) => Some(kid),
            _ => None,
        }
    }

    fn status(&self, name: Option<Kid>) -> KeyStatus {
        self.keys.iter().find(|k| k.name == name).map_or(KeyStatus::Pending, |k| k.status)
    }
}

impl Session {
    pub(super) fn is_protecting(&self) -> bool {
        cfg!(feature = "protection") && self.config.protection != ProtectionMode::None
    }
}

/// `code` where it is one of protection, or else `instead`.
fn own(code: Code, instead: Code) -> Code {
    if matches!(code.number(), -499..=-400) { code } else { instead }
}

/// FNV-1a, 64 bits: names a header.
fn hash(system_id: [u8; 16], data: &[u8]) -> u64 {
    let bytes = protection::normalized(system_id);
    let one = |h: u64, b: &u8| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3);
    data.iter().fold(bytes.iter().fold(0xcbf2_9ce4_8422_2325, one), one)
}
