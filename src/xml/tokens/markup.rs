//! What is no element: comments, CDATA sections, instructions, the document type, and references to entities.

use super::{DECLARATION, State, Tokenizer};
use crate::error::{Code, Error, Result};
use crate::xml::class::{self, Stop};
use crate::xml::window::Window;
use crate::xml::{Handler, encoding, entity};

impl Tokenizer {
    pub(super) fn bang(&mut self, w: Window<'_>, at: usize) -> Result<usize> {
        let _ = self.word.push(w.byte(at).unwrap_or(0));
        let word: &[u8] = &self.word;
        self.state = if word == b"--" {
            State::Comment(0)
        } else if word == b"[CDATA[" && !self.starts.is_empty() {
            State::Cdata(0)
        } else if word.eq_ignore_ascii_case(b"DOCTYPE") {
            return Err(Error::at(Code::ManifestDoctype, "DOCTYPE", self.tag_at));
        } else if b"--".starts_with(word) || b"[CDATA[".starts_with(word) || doctype_begins(word) {
            State::Bang
        } else {
            return Err(w.syntax("markup declaration", at));
        };
        Ok(at.wrapping_add(1))
    }

    pub(super) fn comment(&mut self, w: Window<'_>, at: usize, hyphens: u8, to: &mut dyn Handler) -> usize {
        let next = match w.byte(at) {
            Some(b'>') if hyphens == 2 => State::Content,
            other => {
                if hyphens == 2 {
                    to.odd("xml-comment", w.origin.of(at));
                }
                match other {
                    Some(b'-') => State::Comment(hyphens.saturating_add(1).min(2)),
                    _ => State::Comment(0),
                }
            }
        };
        self.state = next;
        at.wrapping_add(1)
    }

    pub(super) fn cdata(
        &mut self,
        w: Window<'_>,
        at: usize,
        brackets: u8,
        to: &mut dyn Handler,
    ) -> Result<usize> {
        let next = at.wrapping_add(1);
        match (w.byte(at), brackets) {
            (Some(b']'), 0 | 1) => self.state = State::Cdata(brackets.saturating_add(1)),
            (Some(b']'), _) => self.text(w, at, "]", to)?,
            (Some(b'>'), 2) => self.state = State::Content,
            (_, 1) => {
                self.text(w, at, "]", to)?;
                self.state = State::Cdata(0);
                return Ok(at);
            }
            (_, 2) => {
                self.text(w, at, "]]", to)?;
                self.state = State::Cdata(0);
                return Ok(at);
            }
            _ => {
                let end = w.find(at, class::BRACKET);
                self.text(w, at, w.slice(at, end), to)?;
                return Ok(end);
            }
        }
        Ok(next)
    }

    pub(super) fn instruction(&mut self, w: Window<'_>, at: usize, to: &mut dyn Handler) -> Result<usize> {
        // The declaration is one, but for its end; only the beginning of the others is kept.
        if cfg!(feature = "details")
            && let Some(byte) = w.byte(at)
            && self.token.len() < DECLARATION
            && self.starts.is_empty()
        {
            self.token.push(to.account(), byte)?;
        }
        self.state = match (w.byte(at), self.state) {
            (Some(b'?'), _) => State::InstructionEnd,
            (Some(b'>'), State::InstructionEnd) => {
                if cfg!(feature = "details")
                    && let Some(attributes) = declaration(&self.token)
                {
                    if self.begin != Some(self.tag_at) {
                        to.odd("xml-declaration-late", self.tag_at);
                    } else if !names_encoding(attributes, w.origin.step()) {
                        to.odd("xml-encoding", self.tag_at);
                    }
                }
                State::Content
            }
            _ => State::Instruction,
        };
        Ok(at.wrapping_add(1))
    }

    pub(super) fn entity(
        &mut self,
        w: Window<'_>,
        at: usize,
        stop: Stop,
        to: &mut dyn Handler,
    ) -> Result<usize> {
        let bad = w.error(Code::ManifestEntity, "entity", at);
        let next = at.wrapping_add(1);
        match w.byte(at) {
            Some(b';') => {}
            Some(b) if b.is_ascii_alphanumeric() || b == b'#' => {
                return self.word.push(b).map(|()| next).map_err(|_| bad);
            }
            _ => return Err(bad),
        }
        let text = entity::resolve(&self.word).ok_or(bad)?;
        if stop == Stop::Text {
            self.text(w, at, &text, to)?;
            self.state = State::Content;
        } else {
            self.token.extend(to.account(), text.as_bytes())?;
            self.state = State::Value(stop);
        }
        Ok(next)
    }
}

/// The attributes in an instruction that is an XML declaration.
fn declaration(instruction: &[u8]) -> Option<&[u8]> {
    let attributes = instruction.strip_prefix(b"xml")?;
    if attributes.first()?.is_ascii_whitespace() { Some(attributes) } else { None }
}

/// Whether a declaration names no other encoding than that of text with `step` bytes a character.
fn names_encoding(attributes: &[u8], step: u64) -> bool {
    let Some(name) = encoding::encoding_name(attributes) else { return true };
    let wide = name.get(..6).is_some_and(|n| n.eq_ignore_ascii_case(b"utf-16"));
    if step == 2 { wide } else { encoding::narrow(name) }
}

fn doctype_begins(word: &[u8]) -> bool {
    b"DOCTYPE".get(..word.len()).is_some_and(|d| d.eq_ignore_ascii_case(word))
}
