//! The state machine from text to elements, attributes and text.

use heapless::Vec;

use super::class::{self, NAME_START, NOT_NAME, SPACE, Stop};
use super::encoding::Origin;
use super::window::Window;
use super::{Handler, NAME};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Bytes};

mod markup;

/// Bytes of an instruction that are looked at: more than any real XML declaration has.
const DECLARATION: usize = 256;

/// Most elements open at once, whatever the limits say.
const DEPTH: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Between tags.
    Content,
    /// Behind `<`.
    Open,
    /// In the name of a start tag.
    Name,
    /// Behind a name or value: space, `/` or `>` must follow.
    Gap,
    /// Inside a start tag, behind space.
    Tag,
    AttributeName,
    Equals,
    Quote,
    Value(Stop),
    /// Behind the `/` of an empty element.
    Empty,
    EndName,
    EndTag,
    /// Behind `<!`.
    Bang,
    /// In a comment, behind so many hyphens.
    Comment(u8),
    /// In a CDATA section, behind so many brackets.
    Cdata(u8),
    /// In a processing instruction.
    Instruction,
    /// In one, behind `?`.
    InstructionEnd,
    /// In a reference within text (`Stop::Text`) or a value.
    Entity(Stop),
}

/// The state machine. Each step takes the window and a place in it and returns the place it stopped at; a step
/// that moves nothing changes to a state that will, so a window takes at most two steps a byte.
#[derive(Debug)]
pub(super) struct Tokenizer {
    max_depth: usize,
    max_attributes: u32,
    max_attribute_bytes: usize,
    max_text_bytes: usize,
    state: State,
    /// The names of the open elements, one behind the other.
    names: Bytes,
    /// Where each begins in `names`.
    starts: Vec<u16, DEPTH>,
    root_closed: bool,
    /// Where the text begins, behind a byte order mark.
    begin: Option<u64>,
    /// Something that does not belong there has come behind it.
    trailed: bool,
    /// A carriage return came last: a line feed behind it is the same line end.
    after_cr: bool,
    /// Offset of the present tag's `<`, and of the present attribute.
    tag_at: u64,
    attribute_at: u64,
    attributes: u32,
    text_bytes: usize,
    /// A name or value cut by the end of a window, or one that had to be rewritten.
    token: Bytes,
    /// The name of the attribute whose value is read.
    attribute: Vec<u8, NAME>,
    /// A reference or the word behind `<!`.
    word: Vec<u8, 12>,
}

impl Tokenizer {
    pub(super) fn new(limits: &Limits) -> Tokenizer {
        Tokenizer {
            max_depth: limits.xml_depth as usize,
            max_attributes: limits.xml_attributes,
            max_attribute_bytes: limits.xml_attribute_bytes as usize,
            max_text_bytes: limits.xml_text_bytes as usize,
            state: State::Content,
            names: Bytes::new(),
            starts: Vec::new(),
            root_closed: false,
            begin: None,
            trailed: false,
            after_cr: false,
            tag_at: 0,
            attribute_at: 0,
            attributes: 0,
            text_bytes: 0,
            token: Bytes::new(),
            attribute: Vec::new(),
            word: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, text: &str, origin: Origin, to: &mut dyn Handler) -> Result<()> {
        let w = Window { text, origin };
        let _ = self.begin.get_or_insert(origin.of(0));
        let mut i = 0;
        while i < text.len() {
            i = match self.state {
                State::Content => self.content(w, i, to)?,
                State::Open => self.open(w, i)?,
                State::Name => self.name(w, i, to)?,
                State::Gap | State::Tag => self.tag(w, i, to)?,
                State::AttributeName => self.attribute_name(w, i, to)?,
                State::Equals | State::Quote => self.before_value(w, i)?,
                State::Value(stop) => self.value(w, i, stop, to)?,
                State::Empty => self.empty(w, i, to)?,
                State::EndName => self.end_name(w, i, to)?,
                State::EndTag => self.end_tag(w, i, to)?,
                State::Bang => self.bang(w, i)?,
                State::Comment(hyphens) => self.comment(w, i, hyphens, to),
                State::Cdata(brackets) => self.cdata(w, i, brackets, to)?,
                State::Instruction | State::InstructionEnd => self.instruction(w, i, to)?,
                State::Entity(stop) => self.entity(w, i, stop, to)?,
            };
        }
        Ok(())
    }

    /// Whether the root element is closed and nothing begun behind it.
    pub(super) fn complete(&self) -> bool {
        self.root_closed && self.state == State::Content
    }

    /// Frees the buffers and takes them off the account.
    pub(super) fn free(&mut self, account: &mut Account) {
        self.token.free(account);
        self.names.free(account);
    }

    fn content(&mut self, w: Window<'_>, from: usize, to: &mut dyn Handler) -> Result<usize> {
        let from = self.line_end(w, from);
        let end = w.find(from, Stop::Text.class());
        if end > from {
            self.text(w, from, w.slice(from, end), to)?;
        }
        match w.byte(end) {
            None => return Ok(end),
            Some(b'<') => {
                self.tag_at = w.origin.of(end);
                self.state = State::Open;
            }
            Some(b'&') if !self.starts.is_empty() => {
                self.word.clear();
                self.state = State::Entity(Stop::Text);
            }
            Some(b'\r') => {
                self.after_cr = true;
                self.text(w, end, "\n", to)?;
            }
            Some(_) if self.root_closed => self.trailing(w, end, to),
            Some(_) => return Err(w.syntax("text", end)),
        }
        Ok(end.wrapping_add(1))
    }

    /// Skips the line feed of a line end whose carriage return was the last character.
    fn line_end(&mut self, w: Window<'_>, from: usize) -> usize {
        let skip = self.after_cr && w.byte(from) == Some(b'\n');
        self.after_cr = false;
        if skip { from.wrapping_add(1) } else { from }
    }

    fn text(&mut self, w: Window<'_>, at: usize, text: &str, to: &mut dyn Handler) -> Result<()> {
        if self.starts.is_empty() {
            return match text.bytes().position(|b| class::of(b) & SPACE == 0) {
                None => Ok(()),
                Some(n) if self.root_closed => {
                    self.trailing(w, at.wrapping_add(n), to);
                    Ok(())
                }
                Some(n) => Err(w.syntax("text outside the root element", at.wrapping_add(n))),
            };
        }
        self.text_bytes = self.text_bytes.saturating_add(text.len());
        if self.text_bytes > self.max_text_bytes {
            return Err(w.error(Code::LimitXmlText, "text", at));
        }
        to.text(text)
    }

    /// Passes over what stands behind the root element: zeros of a buffer, or the rest of an older document.
    fn trailing(&mut self, w: Window<'_>, at: usize, to: &mut dyn Handler) {
        if !self.trailed {
            self.trailed = true;
            to.odd("xml-trailing-bytes", w.origin.of(at));
        }
    }

    fn open(&mut self, w: Window<'_>, at: usize) -> Result<usize> {
        self.token.clear();
        self.text_bytes = 0;
        let next = at.wrapping_add(1);
        match w.byte(at) {
            Some(b'/') if !self.starts.is_empty() => self.state = State::EndName,
            Some(b'?') => self.state = State::Instruction,
            Some(b'!') => {
                self.word.clear();
                self.state = State::Bang;
            }
            Some(b) if class::of(b) & NAME_START != 0 => {
                if self.root_closed {
                    return Err(w.syntax("second root element", at));
                }
                self.state = State::Name;
                return Ok(at);
            }
            _ => return Err(w.syntax("tag", at)),
        }
        Ok(next)
    }

    fn name(&mut self, w: Window<'_>, from: usize, to: &mut dyn Handler) -> Result<usize> {
        let end = w.find(from, NOT_NAME);
        self.keep_name(w, from, end, to)?;
        if end == w.text.len() {
            return Ok(end);
        }
        let name = if self.token.is_empty() { w.bytes(from, end) } else { self.token.as_slice() };
        let start = self.names.len().min(usize::from(u16::MAX)) as u16;
        if self.starts.len() >= self.max_depth || self.starts.push(start).is_err() {
            return Err(Error::at(Code::LimitXmlDepth, "element", self.tag_at));
        }
        self.names.extend(to.account(), name)?;
        self.attributes = 0;
        to.start(name, self.tag_at)?;
        self.state = State::Gap;
        Ok(end)
    }

    /// Keeps the part of a name in the window when the window ends it or began within it, and checks its length.
    fn keep_name(&mut self, w: Window<'_>, from: usize, end: usize, to: &mut dyn Handler) -> Result<()> {
        if self.token.len().saturating_add(end.saturating_sub(from)) > NAME {
            return Err(w.error(Code::LimitXmlText, "name", from));
        }
        if end == w.text.len() || !self.token.is_empty() {
            self.token.extend(to.account(), w.bytes(from, end))?;
        }
        Ok(())
    }

    fn tag(&mut self, w: Window<'_>, from: usize, to: &mut dyn Handler) -> Result<usize> {
        let at = w.skip_space(from);
        let spaced = at > from || self.state == State::Tag;
        let next = at.wrapping_add(1);
        match w.byte(at) {
            None if spaced => self.state = State::Tag,
            None => {}
            Some(b'>') => {
                self.state = State::Content;
                to.attributes_done()?;
                return Ok(next);
            }
            Some(b'/') => {
                self.state = State::Empty;
                return Ok(next);
            }
            Some(b) if spaced && class::of(b) & NAME_START != 0 => {
                self.attributes = self.attributes.saturating_add(1);
                if self.attributes > self.max_attributes {
                    return Err(w.error(Code::LimitXmlAttributes, "attribute", at));
                }
                if let Some(end) = self.whole_attribute(w, at, to)? {
                    self.state = State::Gap;
                    return Ok(end);
                }
                self.attribute_at = w.origin.of(at);
                self.token.clear();
                self.state = State::AttributeName;
            }
            Some(_) => return Err(w.syntax("tag", at)),
        }
        Ok(at)
    }

    /// The common case: an attribute that lies within the window and holds nothing to rewrite.
    fn whole_attribute(&mut self, w: Window<'_>, at: usize, to: &mut dyn Handler) -> Result<Option<usize>> {
        let equals = w.find(at, NOT_NAME);
        let from = equals.wrapping_add(2);
        let stop = match (w.byte(equals), w.byte(equals.wrapping_add(1))) {
            (Some(b'='), Some(b'"')) => Stop::Double,
            (Some(b'='), Some(b'\'')) => Stop::Single,
            _ => return Ok(None),
        };
        let end = w.find(from, stop.class());
        let small = equals.saturating_sub(at) <= NAME && end.saturating_sub(from) <= self.max_attribute_bytes;
        if !small || w.byte(end) != Some(stop.quote()) {
            return Ok(None);
        }
        to.attribute(w.bytes(at, equals), w.slice(from, end), w.origin.of(at))?;
        Ok(Some(end.wrapping_add(1)))
    }

    fn attribute_name(&mut self, w: Window<'_>, from: usize, to: &mut dyn Handler) -> Result<usize> {
        let end = w.find(from, NOT_NAME);
        self.keep_name(w, from, end, to)?;
        if end < w.text.len() {
            let name = if self.token.is_empty() { w.bytes(from, end) } else { self.token.as_slice() };
            self.attribute.clear();
            let _ = self.attribute.extend_from_slice(name);
            self.state = State::Equals;
        }
        Ok(end)
    }

    fn before_value(&mut self, w: Window<'_>, from: usize) -> Result<usize> {
        let at = w.skip_space(from);
        self.state = match (w.byte(at), self.state) {
            (None, _) => return Ok(at),
            (Some(b'='), State::Equals) => State::Quote,
            (Some(b'"'), State::Quote) => State::Value(Stop::Double),
            (Some(b'\''), State::Quote) => State::Value(Stop::Single),
            _ => return Err(w.syntax("attribute", at)),
        };
        self.token.clear();
        self.after_cr = false;
        Ok(at.wrapping_add(1))
    }

    fn value(&mut self, w: Window<'_>, from: usize, stop: Stop, to: &mut dyn Handler) -> Result<usize> {
        let from = self.line_end(w, from);
        let end = w.find(from, stop.class());
        let next = end.wrapping_add(1);
        if self.token.len().saturating_add(end.saturating_sub(from)) > self.max_attribute_bytes {
            return Err(Error::at(Code::LimitXmlText, "attribute", self.attribute_at));
        }
        let part = w.slice(from, end);
        match w.byte(end) {
            Some(b) if b == stop.quote() => {
                if self.token.is_empty() {
                    to.attribute(&self.attribute, part, self.attribute_at)?;
                } else {
                    self.token.extend(to.account(), part.as_bytes())?;
                    // Whole characters went in, so this is text; checking costs less than a second copy of the type.
                    let value = core::str::from_utf8(&self.token).unwrap_or("");
                    to.attribute(&self.attribute, value, self.attribute_at)?;
                }
                self.state = State::Gap;
                return Ok(next);
            }
            Some(b @ (b'\t' | b'\n' | b'\r')) => {
                self.token.extend(to.account(), part.as_bytes())?;
                self.token.push(to.account(), b' ')?;
                self.after_cr = b == b'\r';
            }
            Some(b'&') => {
                self.token.extend(to.account(), part.as_bytes())?;
                self.word.clear();
                self.state = State::Entity(stop);
            }
            Some(_) => return Err(w.syntax("attribute", end)),
            None => {
                self.token.extend(to.account(), part.as_bytes())?;
                return Ok(end);
            }
        }
        Ok(next)
    }

    fn empty(&mut self, w: Window<'_>, at: usize, to: &mut dyn Handler) -> Result<usize> {
        if w.byte(at) != Some(b'>') {
            return Err(w.syntax("tag", at));
        }
        to.attributes_done()?;
        self.close(to)?;
        Ok(at.wrapping_add(1))
    }

    fn end_name(&mut self, w: Window<'_>, from: usize, to: &mut dyn Handler) -> Result<usize> {
        let end = w.find(from, NOT_NAME);
        self.keep_name(w, from, end, to)?;
        if end < w.text.len() {
            let name = if self.token.is_empty() { w.bytes(from, end) } else { self.token.as_slice() };
            let start = self.starts.last().copied().unwrap_or(0);
            if self.names.get(usize::from(start)..) != Some(name) {
                return Err(Error::at(Code::ManifestSyntax, "end tag", self.tag_at));
            }
            self.state = State::EndTag;
        }
        Ok(end)
    }

    fn end_tag(&mut self, w: Window<'_>, from: usize, to: &mut dyn Handler) -> Result<usize> {
        let at = w.skip_space(from);
        match w.byte(at) {
            None => return Ok(at),
            Some(b'>') => self.close(to)?,
            Some(_) => return Err(w.syntax("end tag", at)),
        }
        Ok(at.wrapping_add(1))
    }

    /// Ends the innermost element.
    fn close(&mut self, to: &mut dyn Handler) -> Result<()> {
        let start = usize::from(self.starts.pop().unwrap_or(0));
        to.end(self.names.get(start..).unwrap_or(&[]), self.tag_at)?;
        self.names.truncate(start);
        self.root_closed = self.starts.is_empty();
        self.state = State::Content;
        Ok(())
    }
}
