//! A push tokenizer for XML 1.0 documents that arrive in pieces of any size.
//!
//! Pieces go in as the network gives them; elements, attributes and text come out of a [`Handler`] at once, and
//! the document is never held: what stays between two pieces is the names of the open elements and the one token
//! the pieces cut in two. Tokens that lie within a piece are handed on without a copy.
//!
//! Read are UTF-8, UTF-16 of either byte order and Latin-1. Comments and processing instructions are skipped, the
//! five predefined entities and character references resolved; a document type declaration is refused, since
//! nothing good comes of one. Some things are taken more lightly than the standard asks: `--` inside a comment, text
//! behind the root element, a declaration that is late or names another encoding ([`Handler::odd`] hears of these),
//! and an attribute that stands twice (both are handed on).

mod class;
mod encoding;
mod entity;
#[cfg(test)]
mod tests;
mod tokens;
mod window;

use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::Account;
use encoding::Decoder;
use tokens::Tokenizer;

/// Longest name of an element or attribute, in bytes of UTF-8.
pub const NAME: usize = 256;

/// What receives the document. An error ends the parse and is the result of [`Parser::feed`].
///
/// `at` is the byte offset in the input of the `<` of a tag or of the first character of an attribute's name.
pub trait Handler {
    /// The account that the parser's own buffers are charged to: always the same one.
    fn account(&mut self) -> &mut Account;

    /// Something at `at` that XML 1.0 does not allow and this parser does, under a name that stays the same.
    fn odd(&mut self, rule: &'static str, at: u64) {
        let _ = (rule, at);
    }

    /// A start tag begins; its attributes follow.
    ///
    /// # Errors
    /// Whatever ends the parse.
    fn start(&mut self, name: &[u8], at: u64) -> Result<()>;

    /// One attribute, its references resolved.
    ///
    /// # Errors
    /// Whatever ends the parse.
    fn attribute(&mut self, name: &[u8], value: &str, at: u64) -> Result<()>;

    /// The start tag is complete.
    ///
    /// # Errors
    /// Whatever ends the parse.
    fn attributes_done(&mut self) -> Result<()>;

    /// A part of the text directly inside the innermost open element; one text may come in many parts.
    ///
    /// # Errors
    /// Whatever ends the parse.
    fn text(&mut self, text: &str) -> Result<()>;

    /// An element ends, by its end tag or as an empty element.
    ///
    /// # Errors
    /// Whatever ends the parse.
    fn end(&mut self, name: &[u8], at: u64) -> Result<()>;
}

/// The parser of one document.
#[derive(Debug)]
pub struct Parser {
    decoder: Decoder,
    tokens: Tokenizer,
    failed: Option<Error>,
}

impl Parser {
    /// A parser at the beginning of a document; holds nothing yet.
    pub fn new(limits: &Limits) -> Parser {
        Parser { decoder: Decoder::new(), tokens: Tokenizer::new(limits), failed: None }
    }

    /// Parses the next `bytes` of the document.
    ///
    /// # Errors
    /// [`Code::ManifestSyntax`], [`Code::ManifestEncoding`], [`Code::ManifestDoctype`], [`Code::ManifestEntity`],
    /// [`Code::LimitXmlDepth`], [`Code::LimitXmlAttributes`], [`Code::LimitXmlText`], lack of memory, or what the
    /// handler said, each with the byte offset. The first error comes back from every later call.
    pub fn feed(&mut self, bytes: &[u8], handler: &mut dyn Handler) -> Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let tokens = &mut self.tokens;
        let result = self.decoder.feed(bytes, &mut |text, origin| tokens.run(text, origin, handler));
        self.failed = result.err();
        result
    }

    /// Ends the document.
    ///
    /// # Errors
    /// [`Code::ManifestTruncated`] when the root element is not closed, or the first error of [`Parser::feed`].
    pub fn finish(&mut self) -> Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.decoder.finish()?;
        if self.tokens.complete() {
            Ok(())
        } else {
            Err(Error::at(Code::ManifestTruncated, "XML", self.decoder.offset()))
        }
    }

    /// Input bytes parsed so far.
    pub fn offset(&self) -> u64 {
        self.decoder.offset()
    }

    /// Frees the buffers and takes them off the account.
    pub fn free(&mut self, account: &mut Account) {
        self.tokens.free(account);
    }
}
