//! The server manifest: a SMIL 2.0 document that says which file holds which stream and bitrate.
//!
//! `head/meta` names the client manifest and whatever else is said of the presentation; each `video`, `audio` and
//! `textstream` is one track of one file, its `param` children say which and under what name. A track that makes no
//! sense is left out, the others stay.

use super::catalog::{Catalog, NUMBERS, Track, keep_pair, kind_name};
use super::index::ends_all;
use crate::codec::{FourCc, Kind};
use crate::digits;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, Text};
use crate::xml::Handler;

/// Parameters that have a meaning and are no custom attributes, beyond [`NUMBERS`] and those read below.
const KNOWN: [&str; 8] = [
    "parentTrackName",
    "manifestOutput",
    "Subtype",
    "DisplayWidth",
    "DisplayHeight",
    "systemBitrate",
    "systemLanguage",
    "trackIndex",
];

/// What the parse remembers between two pieces of the document.
#[derive(Default)]
pub(super) struct Smil {
    seen_root: bool,
    within: Within,
    track: Option<Track>,
    /// Name and value of a `meta` or `param`.
    pair: (Text, Text),
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    #[default]
    Other,
    Meta,
    Param,
    Track,
}

/// Takes the document apart.
pub(super) struct Reader<'a> {
    pub account: &'a mut Account,
    pub limits: &'a Limits,
    pub catalog: &'a mut Catalog,
    pub smil: &'a mut Smil,
}

impl Smil {
    pub(super) fn free(&mut self, account: &mut Account) {
        if let Some(mut track) = self.track.take() {
            track.free(account);
        }
        self.pair.0.free(account);
        self.pair.1.free(account);
    }
}

impl Reader<'_> {
    fn track_attribute(&mut self, name: &[u8], value: &str, at: u64) -> Result<()> {
        let Some(track) = &mut self.smil.track else { return Ok(()) };
        match name {
            b"src" => replace(self.account, &mut track.source, value.trim_ascii()),
            b"systemLanguage" => replace(self.account, &mut track.language, value.trim_ascii()),
            b"systemBitrate" => {
                match digits::decimal_u32(value.trim_ascii()) {
                    Some(bitrate) => track.bitrate = bitrate,
                    None => track.fault = Some(Error::at(Code::ManifestAttribute, "smil@systemBitrate", at)),
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A complete `meta`.
    fn meta(&mut self) -> Result<()> {
        let (name, value) = (&*self.smil.pair.0, &*self.smil.pair.1);
        if name.eq_ignore_ascii_case("clientManifestRelativePath") {
            replace(self.account, &mut self.catalog.client, value.trim_ascii())?;
        }
        self.catalog.tell(self.account, name, value)
    }

    /// A complete `param`.
    fn param(&mut self, at: u64) -> Result<()> {
        let (account, limits) = (&mut *self.account, self.limits);
        let (name, value) = (&*self.smil.pair.0, &*self.smil.pair.1);
        let Some(track) = &mut self.smil.track else { return Ok(()) };
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let plain = value.trim_ascii();
        if is("trackID") {
            track.track_id = digits::decimal_u32(plain).unwrap_or(0);
            if track.track_id == 0 {
                track.fault = Some(Error::at(Code::ManifestAttribute, "smil/param trackID", at));
            }
        } else if is("trackName") {
            replace(account, &mut track.name, value)?;
        } else if is("timeScale") {
            track.codec.timescale = digits::decimal(plain).unwrap_or(0);
        } else if is("FourCC") {
            track.codec.fourcc = FourCc::from_text(plain);
        } else if is("CodecPrivateData") {
            let most = limits.codec_config_bytes as usize;
            track.codec.private.clear();
            // What is wrong here the file knows better.
            match digits::hex(plain, account, most, &mut track.codec.private, Code::CodecConfig) {
                Err(error) if ends_all(error) => return Err(error),
                _ => {}
            }
        } else if let Some(n) = NUMBERS.iter().position(|known| is(known)) {
            if let Some(number) = track.codec.numbers.get_mut(n) {
                *number = digits::decimal_u32(plain).unwrap_or(0);
            }
        } else if !name.is_empty() && !KNOWN.iter().any(|known| is(known)) {
            if track.attributes.len() >= limits.custom_attributes as usize {
                return Err(Error::at(Code::LimitCustomAttributes, "smil/param", at));
            }
            keep_pair(account, &mut track.attributes, name, value)?;
        }
        Ok(())
    }

    /// A complete track.
    fn complete(&mut self, at: u64) -> Result<()> {
        // The name while the track is still ours to free.
        if let Some(track) = &mut self.smil.track
            && track.name.is_empty()
        {
            replace(self.account, &mut track.name, kind_name(track.kind))?;
        }
        let Some(mut track) = self.smil.track.take() else { return Ok(()) };
        if track.source.is_empty() {
            track.fault = Some(Error::at(Code::ManifestAttribute, "smil@src", at));
        } else if !super::catalog::stays_below(&track.source) {
            track.fault = Some(Error::at(Code::UrlRefused, "smil@src", at));
        }
        if track.fault.is_some() {
            log::warn!(target: crate::trace::LOCAL, "a track of the server manifest makes no sense and is left out");
        }
        self.catalog.add(self.account, self.limits, track)
    }
}

impl Handler for Reader<'_> {
    fn account(&mut self) -> &mut Account {
        self.account
    }

    fn start(&mut self, name: &[u8], at: u64) -> Result<()> {
        let name = local(name);
        let smil = &mut *self.smil;
        if !smil.seen_root {
            smil.seen_root = true;
            return if name == b"smil" {
                Ok(())
            } else {
                Err(Error::at(Code::ManifestNotSmooth, "smil", at))
            };
        }
        let kind = match name {
            b"video" => Kind::Video,
            b"audio" => Kind::Audio,
            b"textstream" | b"text" => Kind::Text,
            b"meta" | b"param" => {
                smil.within = if name == b"meta" { Within::Meta } else { Within::Param };
                smil.pair.0.clear();
                smil.pair.1.clear();
                return Ok(());
            }
            _ => {
                smil.within = Within::Other;
                return Ok(());
            }
        };
        // One within another is none.
        if smil.track.is_none() {
            smil.track = Some(Track::new(kind));
            smil.within = Within::Track;
        }
        Ok(())
    }

    fn attribute(&mut self, name: &[u8], value: &str, at: u64) -> Result<()> {
        let pair = &mut self.smil.pair;
        match (self.smil.within, name) {
            (Within::Track, _) => self.track_attribute(name, value, at),
            (Within::Meta | Within::Param, b"name") => replace(self.account, &mut pair.0, value),
            (Within::Meta, b"content") | (Within::Param, b"value") => {
                replace(self.account, &mut pair.1, value)
            }
            _ => Ok(()),
        }
    }

    fn attributes_done(&mut self) -> Result<()> {
        Ok(())
    }

    fn text(&mut self, _: &str) -> Result<()> {
        Ok(())
    }

    fn end(&mut self, name: &[u8], at: u64) -> Result<()> {
        let was = core::mem::take(&mut self.smil.within);
        match local(name) {
            b"meta" if was == Within::Meta => self.meta(),
            b"param" if was == Within::Param => self.param(at),
            b"video" | b"audio" | b"textstream" | b"text" => self.complete(at),
            _ => Ok(()),
        }
    }
}

/// A name without its prefix.
fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|b| *b == b':').next().unwrap_or(name)
}

fn replace(account: &mut Account, text: &mut Text, with: &str) -> Result<()> {
    text.clear();
    text.push(account, with)
}
