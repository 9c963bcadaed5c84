//! Samples that stand in the manifest itself. [MS-SSTR] 2.2.2.6, `TrackFragment`.

use super::Payload;
use super::deviation::Reading;
use super::value::{Value, ends_all};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::mem::{Account, Bytes, Text};

const PLACE: &str = "c/f";
const ATTRIBUTES: [&str; 1] = ["f@i"];

/// An `f` element on its way into the stream.
#[derive(Debug, Default)]
pub(super) struct PayloadDraft {
    at: u64,
    seen: u32,
    level: Option<u32>,
    text: Text,
}

impl PayloadDraft {
    /// One whose tag is at `at`.
    pub(super) fn new(at: u64) -> PayloadDraft {
        PayloadDraft { at, ..PayloadDraft::default() }
    }

    /// Takes one attribute of `f`.
    pub(super) fn attribute(&mut self, r: &mut Reading<'_>, name: &[u8], value: Value<'_>) {
        r.tally(&mut self.seen, &ATTRIBUTES, name, value.at);
        if name == b"i" {
            self.level = value.u32(r, "f@i");
        }
    }

    /// Takes a part of the text. How long it may be, the XML parser has checked.
    pub(super) fn text(&mut self, r: &mut Reading<'_>, text: &str) -> Result<()> {
        self.text.push(r.account, if self.text.is_empty() { text.trim_ascii_start() } else { text })
    }

    /// The sample at `time`; `None` when there is none, or its text is no base64. At most `room` bytes.
    ///
    /// # Errors
    /// [`Code::LimitPayload`] or lack of memory.
    pub(super) fn finish(&mut self, r: &mut Reading<'_>, time: u64, room: usize) -> Result<Option<Payload>> {
        r.missing(self.seen, 1, &ATTRIBUTES, self.at);
        let mut bytes = Bytes::new();
        let decoded = digits::base64(&self.text, r.account, room, &mut bytes, Code::ManifestAttribute);
        let empty = self.text.is_empty();
        self.free(r.account);
        match decoded {
            Ok(()) if empty => r.note("payload-empty", PLACE, self.at),
            Ok(()) => return Ok(Some(Payload { time, duration: 0, level: self.level.unwrap_or(0), bytes })),
            Err(e) if ends_all(e) => return Err(e),
            Err(e) if e.code == Code::LimitXmlText => {
                return Err(Error::at(Code::LimitPayload, PLACE, self.at));
            }
            Err(_) => r.note("base64-invalid", PLACE, self.at),
        }
        Ok(None)
    }

    /// Frees everything and takes it off the account.
    pub(super) fn free(&mut self, account: &mut Account) {
        self.text.free(account);
    }
}
