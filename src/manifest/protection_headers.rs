//! A `ProtectionHeader` on its way into the manifest.

use super::ProtectionHeader;
use super::deviation::Reading;
use super::value::{Value, ends_all};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::mem::{Account, Bytes, Text};
use crate::protection;

const PLACE: &str = "Protection/ProtectionHeader";
const ATTRIBUTES: [&str; 1] = ["ProtectionHeader@SystemID"];

/// The system and text of one header.
#[derive(Debug, Default)]
pub(super) struct HeaderDraft {
    at: u64,
    seen: u32,
    system_id: Option<[u8; 16]>,
    text: Text,
}

impl HeaderDraft {
    /// A header whose tag is at `at`, as the `seen`-th one after others.
    ///
    /// # Errors
    /// [`Code::LimitProtection`] when there are too many.
    pub(super) fn new(at: u64, seen: usize, r: &Reading<'_>) -> Result<HeaderDraft> {
        if seen >= r.limits.protection_headers as usize {
            return Err(Error::at(Code::LimitProtection, PLACE, at));
        }
        Ok(HeaderDraft { at, ..HeaderDraft::default() })
    }

    /// Takes one attribute of `ProtectionHeader`. [MS-SSTR] 2.2.2.2.
    pub(super) fn attribute(&mut self, r: &mut Reading<'_>, name: &[u8], value: Value<'_>) {
        r.tally(&mut self.seen, &ATTRIBUTES, name, value.at);
        if name == b"SystemID" {
            self.system_id = protection::system_id(value.text);
            let [place] = ATTRIBUTES;
            if self.system_id.is_none() {
                r.note("attribute-invalid", place, value.at);
            } else if !plain(value.text) {
                r.note("system-id-form", place, value.at);
            }
        }
    }

    /// Takes a part of the text.
    ///
    /// # Errors
    /// [`Code::LimitProtection`] when it is longer than any header can be, or lack of memory.
    pub(super) fn text(&mut self, r: &mut Reading<'_>, text: &str) -> Result<()> {
        if !cfg!(feature = "protection") {
            // That there is one is all that is wanted.
            return Ok(());
        }
        // Base64 takes four thirds; white space may take the rest.
        let most = (r.limits.protection_bytes as usize).saturating_mul(2).saturating_add(64);
        let held = self.text.len();
        if held.saturating_add(text.len()) > most {
            return Err(Error::at(Code::LimitProtection, PLACE, self.at));
        }
        self.text.push(r.account, if held == 0 { text.trim_ascii_start() } else { text })
    }

    /// The header; `None` when it names no system.
    ///
    /// # Errors
    /// [`Code::LimitProtection`] or lack of memory.
    pub(super) fn finish(&mut self, r: &mut Reading<'_>) -> Result<Option<ProtectionHeader>> {
        r.missing(self.seen, 1, &ATTRIBUTES, self.at);
        let Some(system_id) = self.system_id else {
            self.free(r.account);
            return Ok(None);
        };
        let mut data = Bytes::new();
        if !cfg!(feature = "protection") {
            return Ok(Some(ProtectionHeader { system_id, data }));
        }
        let limit = r.limits.protection_bytes as usize;
        match digits::base64(&self.text, r.account, limit, &mut data, Code::ProtectionHeader) {
            Ok(()) => {
                let symbols = self.text.bytes().filter(|b| !b.is_ascii_whitespace()).count();
                if symbols == 0 {
                    r.note("protection-empty", PLACE, self.at);
                } else if symbols % 4 != 0 {
                    r.note("base64-padding", PLACE, self.at);
                }
            }
            Err(e) if ends_all(e) || e.code == Code::LimitProtection => {
                return Err(Error::at(e.code, PLACE, self.at));
            }
            Err(_) => {
                // One system writes its header as plain text; its owner knows.
                r.note("base64-invalid", PLACE, self.at);
                let text = self.text.trim_ascii_end().as_bytes();
                if text.len() > limit {
                    return Err(Error::at(Code::LimitProtection, PLACE, self.at));
                }
                data.reserve_exact(r.account, text.len())?;
                data.extend(r.account, text)?;
            }
        }
        self.free(r.account);
        Ok(Some(ProtectionHeader { system_id, data }))
    }

    /// Frees everything and takes it off the account.
    pub(super) fn free(&mut self, account: &mut Account) {
        self.text.free(account);
    }
}

/// Whether `text` is a UUID with its hyphens in their places, in braces or without.
fn plain(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let hyphen = |(at, byte): (usize, u8)| (byte == b'-') == matches!(at, 8 | 13 | 18 | 23);
    inner.len() == 36 && inner.bytes().enumerate().all(hyphen)
}
