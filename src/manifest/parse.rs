//! The streaming parser of client manifests.

use heapless::Vec;

use super::deviation::{Notes, Reading};
use super::{Deviation, Manifest, Strictness};
use crate::error::{Code, Error, Result};
use crate::inflate::{self, Encoding, Inflate};
use crate::limits::Limits;
use crate::mem::{Account, List};
use crate::xml::Parser;

mod model;
mod reader;

use model::Model;
use reader::Reader;

/// What every HLS playlist begins with; origins answer so when the wrong format is asked for.
const HLS: &[u8] = b"#EXTM3U";

/// Bytes in pieces to a [`Manifest`].
///
/// Whatever happens, call [`ManifestParser::free`] at the end. Besides the growing manifest it holds one token of the
/// document, and 34 KiB more while the document comes compressed.
#[derive(Debug)]
pub struct ManifestParser {
    limits: Limits,
    declared: Option<Encoding>,
    /// The first bytes of the body, until they show whether they are compressed.
    head: Vec<u8, 2>,
    /// Whether they have shown it.
    settled: bool,
    /// One, while the body is compressed: on the heap, because it is large.
    inflate: List<Inflate>,
    document: Document,
}

impl ManifestParser {
    /// A parser at the beginning of a manifest; holds nothing yet.
    pub fn new(limits: &Limits) -> ManifestParser {
        ManifestParser {
            limits: *limits,
            declared: None,
            head: Vec::new(),
            settled: false,
            inflate: List::new(),
            document: Document::new(limits),
        }
    }

    /// Says what the response's `Content-Encoding` was, before the first [`ManifestParser::feed`]. Not needed for gzip,
    /// which shows itself, and harmless when the host has decompressed gzip already.
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.declared = Some(encoding);
    }

    /// Says what deviations from the specification lead to, before the first [`ManifestParser::feed`].
    pub fn set_strictness(&mut self, strictness: Strictness) {
        self.document.notes.strictness = strictness;
    }

    /// The deviations seen so far; empty once [`ManifestParser::finish`] has given them away with the manifest.
    pub fn deviations(&self) -> &[Deviation] {
        &self.document.notes.kept
    }

    /// Parses the next `bytes` of the body.
    ///
    /// # Errors
    /// Those of [`Inflate::feed`] and [`Parser::feed`]; [`Code::ManifestNotSmooth`], [`Code::ManifestVersion`] and
    /// [`Code::ManifestAttribute`] for a root element that leaves nothing to go on with; [`Code::ManifestDeviation`]
    /// for the first deviation of a strict parse; the limit codes for too many of anything; [`Code::Budget`] and [`Code::NoMemory`]. The parse is over then.
    pub fn feed(&mut self, account: &mut Account, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !self.settled {
            let Some((byte, tail)) = rest.split_first() else { return Ok(()) };
            let _ = self.head.push(*byte);
            rest = tail;
            if self.head.len() >= 2 {
                self.settle(account)?;
            }
        }
        self.take(account, rest)
    }

    /// Ends the body and gives the manifest.
    ///
    /// # Errors
    /// [`Code::ManifestTruncated`] or [`Code::InflateTruncated`] when it is not whole,
    /// [`Code::ManifestNothingPlayable`] when nothing in it can be played, or an earlier error.
    pub fn finish(&mut self) -> Result<Manifest> {
        if !self.settled {
            return Err(Error::at(Code::ManifestTruncated, "XML", self.head.len() as u64));
        }
        if let Some(inflate) = self.inflate.first_mut() {
            inflate.finish()?;
        }
        self.document.finish()?;
        let mut manifest = core::mem::take(&mut self.document.model.manifest);
        manifest.deviations = core::mem::take(&mut self.document.notes.kept);
        manifest.deviations_lost = self.document.notes.lost;
        Ok(manifest)
    }

    /// Frees everything but a manifest already given, and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        if let Some(inflate) = self.inflate.first_mut() {
            inflate.free(account);
        }
        self.inflate.free(account);
        self.document.free(account);
    }

    /// Decides from the first two bytes how the body is encoded.
    fn settle(&mut self, account: &mut Account) -> Result<()> {
        let seen = inflate::sniff(&self.head);
        let encoding = match (seen, self.declared) {
            (None, Some(Encoding::Gzip)) => None,
            (seen, declared) => declared.or(seen),
        };
        if let Some(encoding) = encoding {
            self.inflate.reserve_exact(account, 1)?;
            let inflate = Inflate::new(account, encoding, &self.limits)?;
            self.inflate.push(account, inflate)?;
        }
        self.settled = true;
        let head = core::mem::take(&mut self.head);
        self.take(account, &head)
    }

    fn take(&mut self, account: &mut Account, bytes: &[u8]) -> Result<()> {
        let (limits, document) = (&self.limits, &mut self.document);
        match self.inflate.first_mut() {
            Some(inflate) => inflate.feed(bytes, &mut |bytes| document.feed(account, limits, bytes)),
            None => document.feed(account, limits, bytes),
        }
    }
}

/// The decompressed document.
#[derive(Debug)]
struct Document {
    /// Bytes taken.
    size: u64,
    /// The beginning of what may be an HLS playlist.
    hls: Vec<u8, 8>,
    xml: Parser,
    model: Model,
    notes: Notes,
}

impl Document {
    fn new(limits: &Limits) -> Document {
        Document {
            size: 0,
            hls: Vec::new(),
            xml: Parser::new(limits),
            model: Model::new(),
            notes: Notes::default(),
        }
    }

    fn feed(&mut self, account: &mut Account, limits: &Limits, bytes: &[u8]) -> Result<()> {
        let first = self.size == 0;
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > limits.manifest_bytes {
            return Err(Error::at(Code::LimitManifestBytes, "manifest", limits.manifest_bytes));
        }
        if first && bytes.first() == HLS.first() || !self.hls.is_empty() {
            return self.maybe_hls(bytes);
        }
        let r = Reading { account, limits, notes: &mut self.notes };
        let fed = self.xml.feed(bytes, &mut Reader { r, model: &mut self.model });
        // A deviation comes before whatever the rest of the piece brought, or errors would depend on its size.
        self.notes.refused.map_or(fed, Err)
    }

    /// No XML begins with `#`, so all that is left to find out is how to call it.
    fn maybe_hls(&mut self, bytes: &[u8]) -> Result<()> {
        for byte in bytes.iter().take(HLS.len().saturating_sub(self.hls.len())) {
            let _ = self.hls.push(*byte);
        }
        if self.hls == HLS {
            Err(Error::at(Code::ManifestNotSmooth, "#EXTM3U", 0))
        } else if HLS.starts_with(&self.hls) {
            Ok(())
        } else {
            Err(Error::at(Code::ManifestSyntax, "text outside the root element", 0))
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.xml.finish()?;
        self.model.manifest.complete()
    }

    fn free(&mut self, account: &mut Account) {
        self.xml.free(account);
        self.model.free(account);
        self.notes.kept.free(account);
    }
}
