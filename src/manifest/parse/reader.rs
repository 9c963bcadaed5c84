//! Elements and attributes on their way into the model.

use super::model::{Model, Place};
use crate::error::{Code, Error, Result};
use crate::manifest::deviation::Reading;
use crate::manifest::level::LevelDraft;
use crate::manifest::payload::PayloadDraft;
use crate::manifest::protection_headers::HeaderDraft;
use crate::manifest::stream::StreamDraft;
use crate::manifest::timeline::C;
use crate::manifest::value::Value;
use crate::mem::Account;
use crate::xml::Handler;
/// The model at work on one piece.
pub(super) struct Reader<'a> {
    pub(super) r: Reading<'a>,
    pub(super) model: &'a mut Model,
}

impl Handler for Reader<'_> {
    fn account(&mut self) -> &mut Account {
        self.r.account
    }

    fn odd(&mut self, rule: &'static str, at: u64) {
        self.r.note(rule, "XML", at);
    }

    fn start(&mut self, name: &[u8], at: u64) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        if m.skipping > 0 {
            m.skipping = m.skipping.saturating_add(1);
            return Ok(());
        }
        m.tag_at = at;
        m.place = match (m.place, name) {
            (Place::Stream, b"c") => {
                m.fragment = C::default();
                m.fragment_seen = 0;
                m.ordinal = None;
                m.untimely = false;
                Place::Fragment
            }
            (Place::Fragment, b"f") if cfg!(feature = "text") && m.stream.embedded() => {
                m.payload = PayloadDraft::new(at);
                Place::Payload
            }
            (Place::Stream, b"QualityLevel") => {
                m.stream.level_begins(r, at)?;
                m.level = LevelDraft::new(at);
                Place::Level
            }
            (Place::Level, b"CustomAttributes") => Place::CustomAttributes,
            (Place::CustomAttributes, b"Attribute") => Place::CustomAttribute,
            (Place::Root, b"StreamIndex") => {
                m.streams_seen = m.streams_seen.saturating_add(1);
                if m.streams_seen > r.limits.streams {
                    return Err(Error::at(Code::LimitStreams, "StreamIndex", at));
                }
                m.stream = StreamDraft::new(at);
                Place::Stream
            }
            (Place::Root, b"CustomAttributes") if cfg!(feature = "details") => Place::Metadata,
            (Place::Metadata, b"Attribute") if cfg!(feature = "details") => Place::MetadataItem,
            (Place::Root, b"Protection") => {
                if m.headers_seen > 0 {
                    r.note("element-twice", "Protection", at);
                }
                if m.streams_seen > 0 {
                    r.note("element-order", "Protection", at);
                }
                Place::Protection
            }
            (Place::Protection, b"ProtectionHeader") => {
                m.header = HeaderDraft::new(at, m.headers_seen, r)?;
                m.headers_seen = m.headers_seen.saturating_add(1);
                Place::Header
            }
            (Place::Outside, b"SmoothStreamingMedia") => Place::Root,
            (Place::Outside, b"MPD") => return Err(Error::at(Code::ManifestNotSmooth, "MPD", at)),
            (Place::Outside, other) => {
                let html = other.eq_ignore_ascii_case(b"html");
                return Err(Error::at(Code::ManifestNotSmooth, if html { "html" } else { "root" }, at));
            }
            (place, other) => {
                let expected = place == Place::Fragment && other == b"f";
                if !expected && !other.contains(&b':') {
                    r.note("element-unknown", place.element(), at);
                }
                m.skipping = 1;
                place
            }
        };
        Ok(())
    }

    fn attribute(&mut self, name: &[u8], value: &str, at: u64) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        if m.skipping > 0 {
            return Ok(());
        }
        let value = Value { text: value, at };
        match m.place {
            Place::Fragment => m.fragment_attribute(r, name, value),
            Place::Level => m.level.attribute(r, name, value)?,
            Place::CustomAttribute => m.level.custom_attribute(r, name, value)?,
            Place::Stream => m.stream.attribute(r, name, value)?,
            Place::Root => m.root_attribute(r, name, value)?,
            Place::Header => m.header.attribute(r, name, value),
            Place::Payload if cfg!(feature = "text") => m.payload.attribute(r, name, value),
            Place::MetadataItem if cfg!(feature = "details") && name == b"Name" => {
                value.copy(r.account, &mut m.item.0)?
            }
            Place::MetadataItem if cfg!(feature = "details") && name == b"Value" => {
                value.copy(r.account, &mut m.item.1)?
            }
            _ => {}
        }
        Ok(())
    }

    fn attributes_done(&mut self) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        if m.skipping > 0 {
            return Ok(());
        }
        match m.place {
            Place::Fragment => {
                let c = if m.untimely { None } else { Some(m.fragment) };
                m.stream.fragment(r, &mut m.fragments_seen, c, m.ordinal, m.tag_at)
            }
            Place::Root => m.root_begins(r),
            Place::Stream => {
                let Some(mut ignored) = m.stream.begin(r, &m.manifest)? else { return Ok(()) };
                m.stream.free(r.account);
                m.place = Place::Root;
                m.skipping = 1;
                if !cfg!(feature = "details") {
                    ignored.kind.free(r.account);
                    ignored.name.free(r.account);
                    return Ok(());
                }
                let pushed = m.manifest.ignored.reserve(r.account, 1);
                if pushed.is_err() {
                    ignored.kind.free(r.account);
                    ignored.name.free(r.account);
                }
                pushed?;
                m.manifest.ignored.push(r.account, ignored)
            }
            _ => Ok(()),
        }
    }

    fn text(&mut self, text: &str) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        match m.place {
            _ if m.skipping > 0 => Ok(()),
            Place::Header => m.header.text(r, text),
            Place::Payload if cfg!(feature = "text") => m.payload.text(r, text),
            _ => Ok(()),
        }
    }

    fn end(&mut self, _name: &[u8], at: u64) -> Result<()> {
        let (m, r) = (&mut *self.model, &mut self.r);
        if m.skipping > 0 {
            m.skipping = m.skipping.saturating_sub(1);
            return Ok(());
        }
        m.place = match m.place {
            Place::Payload => {
                if cfg!(feature = "text") {
                    m.stream.payload(r, &mut m.payload, &mut m.payloads)?;
                }
                Place::Fragment
            }
            Place::Fragment => Place::Stream,
            Place::Level => {
                m.stream.level(r, &mut m.level)?;
                Place::Stream
            }
            Place::CustomAttribute => {
                m.level.custom_done(r, at)?;
                Place::CustomAttributes
            }
            Place::CustomAttributes => Place::Level,
            Place::Stream => {
                m.manifest.streams.reserve(r.account, 1)?;
                let stream = m.stream.finish(r, &m.manifest)?;
                m.manifest.streams.push(r.account, stream)?;
                Place::Root
            }
            Place::Header => {
                m.manifest.protection.reserve(r.account, 1)?;
                if let Some(header) = m.header.finish(r)? {
                    m.manifest.protection.push(r.account, header)?;
                }
                Place::Protection
            }
            Place::MetadataItem => {
                if cfg!(feature = "details") {
                    m.keep_metadata(r)?;
                }
                Place::Metadata
            }
            Place::Protection | Place::Metadata => Place::Root,
            Place::Root => {
                m.root_ends(r, at);
                Place::Outside
            }
            Place::Outside => Place::Outside,
        };
        Ok(())
    }
}
