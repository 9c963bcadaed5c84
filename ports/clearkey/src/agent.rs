//! The protection port of a player: keys given beforehand, samples decrypted in place.

use std::fmt;

use smoothcore::codec::Kind;
use smoothcore::error::Code;
use smoothcore::io::{Decrypt, Decrypted, KeyHandle, KeyStatus, Keys as Which, Kid, Offer};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::port::{Decryption, Protection};
use smoothcore::protection::{self, Scheme};

use crate::{How, Keys, Pattern, Refusal, Subsample, decrypt};

/// Keys in place of a DRM agent. Without any it stands aside, and protected content is refused as it is without an agent.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    keys: Keys,
    trouble: Option<Trouble>,
    subsamples: Vec<Subsample>,
    /// What each stream of the manifest is, once that is known.
    kinds: Option<Vec<Kind>>,
}

/// Why protected samples are not decrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// There is no key of that name; without a name, there is not exactly one key.
    Missing(Option<Kid>),
    /// By the header's checksum, the key of that name is another one.
    Wrong(Kid),
    /// A sample is encrypted in a way that cannot be.
    Sample(Refusal),
}

impl Agent {
    /// An agent that has those keys.
    pub fn new(keys: Keys) -> Agent {
        Agent { keys, ..Agent::default() }
    }

    /// The first thing that went wrong.
    pub const fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// Takes what each stream of the manifest is: a pattern that the content does not name depends on it.
    pub fn learn(&mut self, kinds: impl IntoIterator<Item = Kind>) {
        self.kinds = Some(kinds.into_iter().collect());
    }

    fn fail(&mut self, trouble: Trouble) {
        self.trouble.get_or_insert(trouble);
    }
}

impl Protection for Agent {
    fn decryption(&self) -> Option<Decryption> {
        if self.keys.is_empty() { None } else { Some(Decryption::Port) }
    }

    fn offer(&mut self, offer: &Offer<'_>) {
        // The header is small, and this is a workstation.
        let mut account = Account::new(1 << 20);
        if let Ok(mut header) =
            protection::read(offer.system_id, offer.data, &mut account, &Limits::default())
        {
            if let Some(kid) = self.keys.wrong(&header.keys) {
                self.fail(Trouble::Wrong(kid));
            }
            header.free(&mut account);
        }
    }

    fn key(&mut self, which: Which) -> Option<KeyStatus> {
        let name = if let Which::One(kid) = which { Some(kid) } else { None };
        if let (Some(Trouble::Wrong(wrong)), Some(kid)) = (self.trouble, name)
            && wrong == kid
        {
            return Some(KeyStatus::Refused(Code::KeyRefused));
        }
        let key = name.map_or_else(|| self.keys.only(), |kid| self.keys.find(kid));
        Some(match key {
            Some(_) => KeyStatus::Ready(KeyHandle(0)),
            None => {
                self.fail(Trouble::Missing(name));
                KeyStatus::Refused(Code::KeyRefused)
            }
        })
    }

    fn decrypt(&mut self, sample: &mut Decrypt<'_>) -> Decrypted {
        let told = &sample.protection;
        let key = told.kid.map_or_else(|| self.keys.only(), |kid| self.keys.find(kid));
        let Some(key) = key else {
            self.fail(Trouble::Missing(told.kid));
            return Decrypted::Failed(Code::KeyRefused);
        };
        self.subsamples.clear();
        let parts = told.subsamples.iter();
        self.subsamples.extend(parts.map(|part| Subsample { clear: part.clear, protected: part.protected }));
        let pattern = match told.pattern {
            (0, 0) if told.scheme == Scheme::Cbcs => {
                let Some(kinds) = &self.kinds else { return Decrypted::Later };
                let kind = kinds.get(usize::from(sample.stream.0));
                if kind == Some(&Kind::Video) { Pattern::TENTH } else { Pattern::ALL }
            }
            (crypt, skip) => Pattern { crypt, skip },
        };
        let how = How { scheme: told.scheme, pattern, iv: told.iv, subsamples: &self.subsamples };
        match decrypt(key, &how, sample.data) {
            Ok(()) => Decrypted::Done,
            Err(refusal) => {
                self.fail(Trouble::Sample(refusal));
                Decrypted::Failed(Code::DecryptFailed)
            }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |kid: &Kid| kid.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        match self {
            Trouble::Missing(Some(kid)) => write!(f, "no key for KID {} was given", hex(kid)),
            Trouble::Missing(None) => {
                f.write_str("the content names no KID, and not exactly one key was given")
            }
            Trouble::Wrong(kid) => write!(
                f,
                "the key given for KID {} is wrong: the checksum in the protection header is that of another",
                hex(kid)
            ),
            Trouble::Sample(refusal) => write!(f, "a sample could not be decrypted: {refusal}"),
        }
    }
}
