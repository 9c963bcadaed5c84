//! One piece of decoded text, and how to search it.

use super::class::{self, SPACE};
use super::encoding::Origin;
use crate::error::{Code, Error};

/// One piece of decoded text.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) text: &'a str,
    pub(super) origin: Origin,
}

impl<'a> Window<'a> {
    pub(super) fn byte(self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    pub(super) fn bytes(self, from: usize, to: usize) -> &'a [u8] {
        self.text.as_bytes().get(from..to).unwrap_or(&[])
    }

    pub(super) fn slice(self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or("")
    }

    /// The first place from `from` on that has one of `classes`, or the end.
    pub(super) fn find(self, from: usize, classes: u8) -> usize {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(from..).unwrap_or(&[]);
        match rest.iter().position(|b| class::of(*b) & classes != 0) {
            Some(n) => from.wrapping_add(n),
            None => bytes.len(),
        }
    }

    pub(super) fn skip_space(self, from: usize) -> usize {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(from..).unwrap_or(&[]);
        match rest.iter().position(|b| class::of(*b) & SPACE == 0) {
            Some(n) => from.wrapping_add(n),
            None => bytes.len(),
        }
    }

    pub(super) fn error(self, code: Code, what: &'static str, at: usize) -> Error {
        Error::at(code, what, self.origin.of(at))
    }

    pub(super) fn syntax(self, what: &'static str, at: usize) -> Error {
        self.error(Code::ManifestSyntax, what, at)
    }
}
