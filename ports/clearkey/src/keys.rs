//! Keys by their identifiers, the derivation of test keys, and the checksum that tells a wrong key.

use std::fmt;
use std::str::FromStr;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use sha2::{Digest, Sha256};
use smoothcore::protection::playready::Algorithm;
use smoothcore::protection::{self, Kid};

use crate::Key;

/// Some keys and what they are called.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    keys: Vec<(Kid, Key)>,
}

/// `KID:KEY`, each in 32 hexadecimal digits, hyphens ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named {
    /// Big-endian.
    pub kid: Kid,
    pub key: Key,
}

/// Text that names no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotNamed;

impl fmt::Display for NotNamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not KID:KEY, each of 32 hexadecimal digits")
    }
}

impl std::error::Error for NotNamed {}

impl FromStr for Named {
    type Err = NotNamed;

    fn from_str(text: &str) -> Result<Named, NotNamed> {
        let (kid, key) = text.split_once(':').ok_or(NotNamed)?;
        // System ids are written the same way.
        let id = |text| protection::system_id(text).ok_or(NotNamed);
        Ok(Named { kid: Kid(id(kid)?), key: Key(id(key)?) })
    }
}

impl Keys {
    /// Adds a key; it replaces one of the same name.
    pub fn add(&mut self, kid: Kid, key: Key) {
        self.keys.retain(|(known, _)| *known != kid);
        self.keys.push((kid, key));
    }

    /// The key of that name.
    pub fn find(&self, kid: Kid) -> Option<Key> {
        self.keys.iter().find(|(known, _)| *known == kid).map(|(_, key)| *key)
    }

    /// The only key; `None` when there is none or more than one.
    pub fn only(&self) -> Option<Key> {
        if let [(_, key)] = self.keys.as_slice() { Some(*key) } else { None }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The first key here that the checksum in a header belies; `None` when all are right as far as that can be told.
    pub fn wrong(&self, header: &[protection::Key]) -> Option<Kid> {
        let belied = |named: &&protection::Key| {
            let told = if named.algorithm == Some(Algorithm::AesCtr) { named.checksum } else { None };
            told.is_some_and(|told| self.find(named.kid).is_some_and(|key| checksum(key, named.kid) != told))
        };
        header.iter().find(belied).map(|named| named.kid)
    }
}

/// The checksum of a key in a WRMHEADER: the first half of its identifier, in GUID order, encrypted by the key.
pub fn checksum(key: Key, kid: Kid) -> [u8; 8] {
    let mut block = kid.to_guid().into();
    Aes128::new(&key.0.into()).encrypt_block(&mut block);
    std::array::from_fn(|at| block[at])
}

/// The key that PlayReady's public test server gives out for `kid`: derived from a seed, of which 30 bytes count.
pub fn test_key(seed: &[u8], kid: Kid) -> Key {
    let seed = &seed[..seed.len().min(30)];
    let guid = kid.to_guid();
    let parts: [&[u8]; 4] = [seed, &guid, seed, &guid];
    let hash = |count: usize| -> [u8; 32] { Sha256::digest(parts[..count].concat()).into() };
    let hashes = [hash(2), hash(3), hash(4)];
    Key(std::array::from_fn(|at| hashes.iter().fold(0, |sum, hash| sum ^ hash[at] ^ hash[at + 16])))
}
