//! A DRM agent that knows when each key comes, and a cipher simple enough to write twice.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use smoothcore::error::Code;
use smoothcore::io::{
    Decrypt, Decrypted, KeyHandle, KeyStatus, Keys, Kid, Offer, OfferSource, Scheme, Subsample,
};
use smoothcore::port::{Decryption, Protection};

/// What becomes of a key.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fate {
    /// Ready from this virtual time on, in microseconds, with this handle.
    At(u64, u64),
    /// Refused from this virtual time on.
    Refused(u64, Code),
}

/// An offer as it came.
#[derive(Clone, PartialEq, Debug)]
pub struct Offered {
    pub at: u64,
    pub source: OfferSource,
    pub system_id: [u8; 16],
    pub data: Vec<u8>,
    pub kids: Vec<Kid>,
    pub la_url: String,
    pub scheme: Option<Scheme>,
}

pub struct Agent {
    pub decryption: Option<Decryption>,
    pub clock: Rc<Cell<u64>>,
    /// `None`: the key without a name. A key that is not here never comes.
    pub keys: BTreeMap<Option<Kid>, Fate>,
    pub offers: Vec<Offered>,
    /// Every so many samples it is busy once; 0: never.
    pub busy_every: u64,
    pub failing: Option<Code>,
    pub decrypted: u64,
    pub calls: u64,
    /// The handle of keys that are not listed.
    pub any: Option<u64>,
    pub closed: u32,
}

impl Agent {
    pub fn none() -> Agent {
        Agent {
            decryption: None,
            clock: Rc::default(),
            keys: BTreeMap::new(),
            offers: Vec::new(),
            busy_every: 0,
            failing: None,
            decrypted: 0,
            calls: 0,
            any: None,
            closed: 0,
        }
    }

    pub fn new(decryption: Decryption, keys: &[(Option<Kid>, Fate)]) -> Agent {
        Agent { decryption: Some(decryption), keys: keys.iter().copied().collect(), ..Agent::none() }
    }
}

impl Protection for Agent {
    fn decryption(&self) -> Option<Decryption> {
        self.decryption
    }

    fn offer(&mut self, offer: &Offer<'_>) {
        self.offers.push(Offered {
            at: self.clock.get(),
            source: offer.source,
            system_id: offer.system_id,
            data: offer.data.to_vec(),
            kids: offer.kids.to_vec(),
            la_url: offer.la_url.to_string(),
            scheme: offer.scheme,
        });
    }

    fn key(&mut self, keys: Keys) -> Option<KeyStatus> {
        let name = match keys {
            Keys::One(kid) => Some(kid),
            Keys::Unnamed => None,
            Keys::All => panic!("asked about one at a time"),
        };
        self.decryption?;
        let now = self.clock.get();
        Some(match self.keys.get(&name) {
            Some(Fate::At(at, handle)) if now >= *at => KeyStatus::Ready(KeyHandle(*handle)),
            Some(Fate::Refused(at, code)) if now >= *at => KeyStatus::Refused(*code),
            None if self.any.is_some() => KeyStatus::Ready(KeyHandle(self.any.unwrap())),
            _ => KeyStatus::Pending,
        })
    }

    fn decrypt(&mut self, sample: &mut Decrypt<'_>) -> Decrypted {
        self.calls += 1;
        if self.busy_every != 0 && self.calls.is_multiple_of(self.busy_every) {
            return Decrypted::Later;
        }
        if let Some(code) = self.failing {
            return Decrypted::Failed(code);
        }
        let p = &sample.protection;
        let expected = match self.keys[&p.kid] {
            Fate::At(_, handle) => handle,
            Fate::Refused(..) => panic!("refused"),
        };
        assert_eq!(p.handle, KeyHandle(expected));
        apply(sample.data, p.kid, p.iv, p.subsamples);
        self.decrypted += 1;
        Decrypted::Done
    }

    fn close(&mut self) {
        self.closed += 1;
    }
}

/// Encrypts or decrypts in place. No part: all of it.
pub fn apply(data: &mut [u8], kid: Option<Kid>, iv: &[u8], parts: &[Subsample]) {
    let seed = kid
        .unwrap_or_default()
        .0
        .iter()
        .chain(iv)
        .fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    let whole = [Subsample { clear: 0, protected: data.len() as u32 }];
    let parts = if parts.is_empty() { &whole } else { parts };
    let total: u64 = parts.iter().map(|p| u64::from(p.clear) + u64::from(p.protected)).sum();
    assert_eq!(total, data.len() as u64, "the parts are the sample");
    let (mut at, mut n) = (0usize, 0u64);
    for part in parts {
        at += part.clear as usize;
        for byte in &mut data[at..at + part.protected as usize] {
            // The key stream goes on from part to part.
            let x = (seed ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte ^= (x >> 32) as u8;
            n += 1;
        }
        at += part.protected as usize;
    }
}
