//! A `ProtectionHeader` on its way into the manifest.

use super::ProtectionHeader;
use super::value::{Value, complain, ends_all};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes, Text};
use crate::protection;

const PLACE: &str = "Protection/ProtectionHeader";

/// The system and text of one header.
#[derive(Debug, Default)]
pub(super) struct HeaderDraft {
    at: u64,
    system_id: Option<[u8; 16]>,
    text: Text,
}

impl HeaderDraft {
    /// A header whose tag is at `at`, as the `seen`-th one after others.
    ///
    /// # Errors
    /// [`Code::LimitProtection`] when there are too many.
    pub(super) fn new(at: u64, seen: usize, limits: &Limits) -> Result<HeaderDraft> {
        if seen >= limits.protection_headers as usize {
            return Err(Error::at(Code::LimitProtection, PLACE, at));
        }
        Ok(HeaderDraft { at, ..HeaderDraft::default() })
    }

    /// Takes one attribute of `ProtectionHeader`. [MS-SSTR] 2.2.2.2.
    pub(super) fn attribute(&mut self, name: &[u8], value: Value<'_>) {
        if name == b"SystemID" {
            self.system_id = protection::system_id(value.text);
        }
    }

    /// Takes a part of the text.
    ///
    /// # Errors
    /// [`Code::LimitProtection`] when it is longer than any header can be, or lack of memory.
    pub(super) fn text(&mut self, account: &mut Account, limits: &Limits, text: &str) -> Result<()> {
        // Base64 takes four thirds; white space may take the rest.
        let most = (limits.protection_bytes as usize).saturating_mul(2).saturating_add(64);
        let held = self.text.len();
        if held.saturating_add(text.len()) > most {
            return Err(Error::at(Code::LimitProtection, PLACE, self.at));
        }
        self.text.push(account, if held == 0 { text.trim_ascii_start() } else { text })
    }

    /// The header; `None` when it names no system.
    ///
    /// # Errors
    /// [`Code::LimitProtection`] or lack of memory.
    pub(super) fn finish(
        &mut self,
        account: &mut Account,
        limits: &Limits,
    ) -> Result<Option<ProtectionHeader>> {
        let Some(system_id) = self.system_id else {
            complain(PLACE, "names no system and is ignored", self.at);
            self.free(account);
            return Ok(None);
        };
        let mut data = Bytes::new();
        let limit = limits.protection_bytes as usize;
        match digits::base64(&self.text, account, limit, &mut data, Code::ProtectionHeader) {
            Ok(()) => {}
            Err(e) if ends_all(e) || e.code == Code::LimitProtection => {
                return Err(Error::at(e.code, PLACE, self.at));
            }
            Err(_) => {
                // One system writes its header as plain text; its owner knows.
                complain(PLACE, "is no base64", self.at);
                let text = self.text.trim_ascii_end().as_bytes();
                if text.len() > limit {
                    return Err(Error::at(Code::LimitProtection, PLACE, self.at));
                }
                data.reserve_exact(account, text.len())?;
                data.extend(account, text)?;
            }
        }
        self.free(account);
        Ok(Some(ProtectionHeader { system_id, data }))
    }

    /// Frees everything and takes it off the account.
    pub(super) fn free(&mut self, account: &mut Account) {
        self.text.free(account);
    }
}
