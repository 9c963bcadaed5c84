//! Attribute values: numbers, truth values and text, and what to do with bad ones.

use log::warn;

use super::deviation::Reading;
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::mem::{Account, List, Text};
use crate::time::TimeScale;
use crate::trace::MANIFEST;

/// An attribute as it stands in the manifest.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    /// Its text, references resolved.
    pub(super) text: &'a str,
    /// Its byte offset.
    pub(super) at: u64,
}

impl Value<'_> {
    /// A number of 32 bits; anything else is as good as absent.
    pub(super) fn u32(self, r: &mut Reading<'_>, name: &'static str) -> Option<u32> {
        self.or_note(r, name, digits::decimal_u32(self.text))
    }

    /// A number of 64 bits; anything else is as good as absent.
    pub(super) fn u64(self, r: &mut Reading<'_>, name: &'static str) -> Option<u64> {
        self.or_note(r, name, digits::decimal(self.text))
    }

    /// A truth value in any case; anything else is as good as absent.
    pub(super) fn boolean(self, r: &mut Reading<'_>, name: &'static str) -> Option<bool> {
        if matches!(self.text, "0" | "1") {
            r.note("boolean-form", name, self.at);
        }
        self.or_note(r, name, digits::boolean(self.text))
    }

    /// A time scale.
    ///
    /// # Errors
    /// [`Code::ManifestAttribute`] unless it is 1 to 10^10: no time could be computed.
    pub(super) fn timescale(self, r: &mut Reading<'_>, name: &'static str) -> Result<TimeScale> {
        let scale = digits::decimal(self.text).and_then(TimeScale::new);
        self.or_note(r, name, scale).ok_or(self.bad(name))
    }

    /// Makes `to` a copy of the text.
    ///
    /// # Errors
    /// Lack of memory.
    #[inline(never)]
    pub(super) fn copy(self, account: &mut Account, to: &mut Text) -> Result<()> {
        to.free(account);
        *to = Text::from(account, self.text)?;
        Ok(())
    }

    /// The error that this attribute cannot be used.
    pub(super) const fn bad(self, name: &'static str) -> Error {
        Error::at(Code::ManifestAttribute, name, self.at)
    }

    fn or_note<T>(self, r: &mut Reading<'_>, name: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            r.note(if self.text.is_empty() { "attribute-empty" } else { "attribute-invalid" }, name, self.at);
        }
        value
    }
}

/// Whether `error` is lack of memory, which ends the parse whatever it is about.
pub(super) const fn ends_all(error: Error) -> bool {
    matches!(error.code, Code::Budget | Code::NoMemory)
}

/// Keeps `error` as the reason in `reason` unless there is one already.
///
/// # Errors
/// The error itself when it is lack of memory.
#[inline(never)]
pub(super) fn keep(reason: &mut Option<Error>, error: Error) -> Result<()> {
    if ends_all(error) {
        return Err(error);
    }
    if reason.is_none() {
        warn!(target: MANIFEST, "{error}");
        *reason = Some(error);
    }
    Ok(())
}

/// Appends a name and a value to `pairs`. Nothing stays charged after an error.
///
/// # Errors
/// Lack of memory.
pub(super) fn push_pair(
    account: &mut Account,
    pairs: &mut List<(Text, Text)>,
    name: &[u8],
    value: &str,
) -> Result<()> {
    pairs.reserve(account, 1)?;
    let mut name = Text::from(account, core::str::from_utf8(name).unwrap_or(""))?;
    match Text::from(account, value) {
        Ok(value) => pairs.push(account, (name, value)),
        Err(e) => {
            name.free(account);
            Err(e)
        }
    }
}
