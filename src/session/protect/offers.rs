//! Offers to the DRM agent: what the manifest's headers, a fragment's boxes and its samples' keys make due.

use super::{Cipher, Due, MOST_DUE, Named, Protect, hash};
use crate::error::{Code, Error, Result};
use crate::io::{EventKind, Kid, Offer, OfferSource, Output};
use crate::limits::Limits;
use crate::mem::{Account, Bytes, List};
use crate::mp4::pssh::{Pssh, PsshBoxes};
use crate::protection;
use crate::session::Session;

impl Protect {
    /// Whether `hash` is new; it is remembered.
    fn is_new(&mut self, hash: u64) -> bool {
        if self.offered.iter().any(|h| *h == hash) {
            return false;
        }
        if self.offered.is_full() {
            self.offered.pop_front();
        }
        let _ = self.offered.push_back(hash);
        true
    }

    /// Takes note of the keys that the header being offered names.
    fn learn_header(&mut self, account: &mut Account) -> Result<()> {
        for n in 0..self.current.kids.len() {
            let Some(kid) = self.current.kids.get(n).copied() else { break };
            self.learn(account, Some(kid))?;
            self.named = match self.named {
                Named::None => Named::One(kid),
                Named::One(known) if known == kid => Named::One(kid),
                _ => Named::Many,
            };
        }
        if self.current.kids.is_empty() && self.named == Named::None {
            self.learn(account, None)?;
        }
        Ok(())
    }

    /// Takes note of a key that a fragment needs.
    fn want(&mut self, account: &mut Account, kid: Option<[u8; 16]>) -> Result<()> {
        let name = self.name(kid);
        if self.learn(account, name)? && self.due.len() < MOST_DUE {
            self.due.push(account, Due::Key(name))?;
        }
        Ok(())
    }

    /// Takes note of a box that a fragment carries.
    fn note(&mut self, account: &mut Account, found: &Pssh<'_>) -> Result<()> {
        if self.due.len() >= MOST_DUE || !self.is_new(hash(found.system_id, found.data)) {
            return Ok(());
        }
        let (mut data, mut kids) = (Bytes::new(), List::new());
        let kept = data.extend(account, found.data).and_then(|()| {
            for kid in found.kids {
                self.learn(account, Some(Kid(*kid)))?;
                kids.push(account, Kid(*kid))?;
            }
            self.due.reserve(account, 1)
        });
        if let Err(error) = kept {
            data.free(account);
            kids.free(account);
            return Err(error);
        }
        self.due.push(account, Due::Box { system_id: found.system_id, data, kids })
    }

    /// What a fragment's `moof` says about its samples' keys.
    ///
    /// # Errors
    /// Of the boxes, or lack of memory.
    pub fn learn_from(
        &mut self,
        moof: &[u8],
        cipher: &Cipher,
        account: &mut Account,
        limits: &Limits,
    ) -> Result<()> {
        let mut boxes = PsshBoxes::new(moof, limits)?;
        // Bounded by the limit inside.
        while let Some(found) = boxes.next_box()? {
            self.note(account, &found)?;
        }
        let mut last = None;
        for sample in (0..cipher.table.len()).filter_map(|n| cipher.table.sample(n)) {
            let kid = sample.setting.kid;
            if last != Some(kid) {
                self.want(account, kid)?;
                last = Some(kid);
            }
        }
        Ok(())
    }
}

impl Session {
    /// The manifest is there: its headers are due.
    ///
    /// # Errors
    /// Lack of memory.
    pub(in crate::session) fn note_headers(&mut self) -> Result<()> {
        let Some(manifest) = &self.manifest else { return Ok(()) };
        let mut envelope = None;
        for (n, header) in (0u16..).zip(manifest.protection.iter()) {
            if protection::normalized(header.system_id) == protection::ENVELOPE {
                envelope = Some(n);
            }
            if self.is_protecting() && self.protect.is_new(hash(header.system_id, &header.data)) {
                self.protect.due.push(&mut self.account, Due::Header(n))?;
            }
        }
        // Nobody can offer it, but everybody wants to know.
        if let (false, Some(n)) = (self.is_protecting(), envelope) {
            self.header_dropped(n, Error::at(Code::ProtectionUnsupported, "Protection/ProtectionHeader", 0));
        }
        Ok(())
    }

    /// Whether the manifest says that whole fragments are encrypted: what comes is no MP4 then.
    pub(in crate::session) fn is_enveloped(&self) -> bool {
        self.manifest.as_ref().is_some_and(|m| {
            m.protection.iter().any(|h| protection::normalized(h.system_id) == protection::ENVELOPE)
        })
    }

    fn header_dropped(&mut self, n: u16, error: Error) {
        let event = self.event(EventKind::HeaderDropped).because(error);
        self.tell(event.numbers(n.into(), 0));
    }

    /// Makes the next offer ready; whether there is one. A header that cannot be used gives an event instead.
    pub(in crate::session) fn offer_due(&mut self) -> bool {
        if !cfg!(feature = "protection") {
            return false;
        }
        // Each turn takes one out.
        while let Some(due) = self.protect.due.remove(0) {
            match self.make_offer(due) {
                Ok(()) => return true,
                Err((_, error)) if matches!(error.code, Code::Budget | Code::NoMemory) => {
                    self.fail(error);
                    return false;
                }
                Err((n, error)) => self.header_dropped(n, error),
            }
        }
        false
    }

    fn make_offer(&mut self, due: Due) -> core::result::Result<(), (u16, Error)> {
        let (account, limits) = (&mut self.account, &self.config.limits);
        let protect = &mut self.protect;
        let current = &mut protect.current;
        current.data.free(account);
        current.kids.clear();
        current.la_url.free(account);
        current.scheme = None;
        let headers = self.manifest.as_ref().map_or(&[][..], |m| &m.protection);
        match due {
            Due::Box { system_id, data, kids } => {
                current.source = Some(OfferSource::Fragment);
                current.system_id = system_id;
                current.kids.free(account);
                (current.data, current.kids) = (data, kids);
            }
            Due::Key(name) => {
                protect.header = protect.first;
                let header = protect.first.and_then(|n| headers.get(usize::from(n)));
                current.source = Some(OfferSource::Key);
                current.system_id = header.map_or([0; 16], |h| h.system_id);
                current.scheme = protect.scheme;
                if let Some(kid) = name {
                    current.kids.push(account, kid).map_err(|e| (0, e))?;
                }
            }
            Due::Header(n) => {
                let Some(header) = headers.get(usize::from(n)) else { return Ok(()) };
                let mut read =
                    protection::read(header.system_id, &header.data, account, limits).map_err(|e| (n, e))?;
                current.source = Some(OfferSource::Manifest);
                current.system_id = protection::normalized(header.system_id);
                current.scheme = read.scheme();
                current.la_url = core::mem::take(&mut read.la_url);
                let mut kept = Ok(());
                for key in read.keys.iter() {
                    kept = kept.and_then(|()| current.kids.push(account, key.kid));
                }
                read.free(account);
                kept.map_err(|e| (n, e))?;
                protect.header = Some(n);
                protect.first = protect.first.or(Some(n));
                if protect.scheme.is_none() {
                    protect.scheme = protect.current.scheme;
                }
                protect.learn_header(account).map_err(|e| (n, e))?;
            }
        }
        Ok(())
    }

    /// The offer that [`Session::offer_due`] made ready.
    pub(in crate::session) fn protection_output(&self) -> Output<'_> {
        let current = &self.protect.current;
        let Some(source) = current.source.filter(|_| cfg!(feature = "protection")) else {
            return Output::Idle(self.deadline());
        };
        let header = self.protect.header.and_then(|n| self.manifest.as_ref()?.protection.get(usize::from(n)));
        let data: &[u8] = match source {
            OfferSource::Fragment => &current.data,
            OfferSource::Manifest | OfferSource::Key => header.map_or(&[], |h| &h.data),
        };
        Output::Protection(Offer {
            source,
            system_id: current.system_id,
            data,
            kids: &current.kids,
            la_url: &current.la_url,
            scheme: current.scheme,
        })
    }
}
