//! The start of an MP4 file for one quality level, for decoders and files that want one.

use super::Session;
use crate::codec::{self, Kind};
use crate::error::{Code, Error, Result};
use crate::io::StreamId;
use crate::limits::Limits;
use crate::manifest::{Manifest, QualityLevel, Stream};
use crate::mem::{Account, Bytes};
use crate::mp4::init::{self, Entry, Init, Media, Protection};
use crate::protection::{self, Kid, Scheme};

/// The `track_ID` that is written: the only one.
pub const INIT_TRACK_ID: u32 = 1;

/// Bytes that a segment usually takes, with what it is made of; long protection headers come on top.
const USUAL: usize = 4 << 10;

/// ISO 639-1 and 639-2 letters of languages that manifests are seen to name by two.
const TWO_LETTERS: &[u8] =
    b"ararabgbulcacatcscesdadandedeuelellenengesspaetestfifinfrfrahehebhihinhrhrvhuhunidindisisl\
    ititajajpnkokorltlitlvlavmsmsanlnldnonorplpolptporroronrurusskslkslslvsrsrpsvsweththatrtur\
    ukukrviviezhzho";

impl Session {
    /// `ftyp` and `moov` of the quality level at `position` of a stream's list. Valid until the next call.
    ///
    /// # Errors
    /// [`Code::State`] before the manifest is there; else as [`init_segment`].
    pub fn init_segment(&mut self, stream: StreamId, position: u32) -> Result<&[u8]> {
        if !cfg!(feature = "init") {
            return Err(Code::Unsupported.into());
        }
        let headers = self.manifest.as_ref().map_or(0, |m| {
            m.protection.iter().fold(0usize, |sum, header| sum.saturating_add(header.data.len()))
        });
        self.make_room(headers.saturating_mul(3).saturating_add(USUAL));
        let Some(manifest) = &self.manifest else { return Err(Code::State.into()) };
        self.gathered.clear();
        init_segment(manifest, stream, position, &mut self.account, &self.config.limits, &mut self.gathered)?;
        Ok(&self.gathered)
    }
}

/// Appends to `out` the `ftyp` and `moov` of the quality level at `position` of a stream's list. The `tfhd` of
/// fragments that follow must name track [`INIT_TRACK_ID`]; times count as in the stream's fragments.
///
/// Where the manifest has protection headers, pictures and sound are announced as encrypted, with the one key that the
/// headers name, or with a key identifier of zeros when they name none or several: fragments, or whoever has the
/// licence, name it then. Every header goes in as a `pssh` box.
///
/// # Errors
/// [`Code::Argument`] when there is no such level; [`Code::CodecConfig`] when its decoder set-up is in band alone;
/// [`Code::ProtectionUnsupported`] for a protection system that encrypts whole fragments; [`Code::Unsupported`] for a
/// scale beyond 32 bits; [`Code::Budget`] or [`Code::NoMemory`]. `out` is as before then.
pub fn init_segment(
    manifest: &Manifest,
    stream: StreamId,
    position: u32,
    account: &mut Account,
    limits: &Limits,
    out: &mut Bytes,
) -> Result<()> {
    if !cfg!(feature = "init") {
        return Err(Code::Unsupported.into());
    }
    let stream = manifest.streams.get(usize::from(stream.0)).ok_or(Code::Argument)?;
    let level = stream.levels.get(position as usize).ok_or(Code::Argument)?;
    let mut parts = Bytes::new();
    let done = join(manifest, stream, level, account, limits, &mut parts, out);
    parts.free(account);
    done
}

/// `parts` takes the configuration, then the `pssh` boxes.
fn join(
    manifest: &Manifest,
    stream: &Stream,
    level: &QualityLevel,
    account: &mut Account,
    limits: &Limits,
    parts: &mut Bytes,
    out: &mut Bytes,
) -> Result<()> {
    let timescale = u32::try_from(stream.timescale.per_second())
        .map_err(|_| Error::at(Code::Unsupported, "StreamIndex@TimeScale", 0))?;
    let duration = match manifest.duration {
        _ if manifest.is_live() => None,
        0 => None,
        ticks => manifest.timescale.rescale(ticks, stream.timescale),
    };
    let config = &level.config;
    let names = codec::sample_entry(config, level.bitrate, account, parts)?;
    let config_bytes = parts.len();
    let mut secret = None;
    // Text is never encrypted.
    if stream.kind != Kind::Text && !manifest.protection.is_empty() {
        secret = Some(one_key(manifest, account, limits)?);
        for header in manifest.protection.iter() {
            protection::pssh(header.system_id, &header.data, account, parts)?;
        }
    }
    let (config_bytes, pssh) = parts.split_at_checked(config_bytes).unwrap_or((parts, &[]));
    let media = match stream.kind {
        Kind::Video => Media::Video {
            width: config.width,
            height: config.height,
            display_width: stream.display_width,
            display_height: stream.display_height,
        },
        Kind::Audio => Media::Audio {
            channels: config.channels,
            bits_per_sample: config.bits_per_sample,
            sampling_rate: config.sampling_rate,
        },
        Kind::Text => Media::Text,
    };
    let init = Init {
        timescale,
        duration,
        track_id: INIT_TRACK_ID,
        language: letters(&stream.language),
        entry: Entry { name: names.entry, config_name: names.config, config: config_bytes, media },
        protection: secret.map(|(kid, scheme)| Protection {
            scheme: scheme.four_cc(),
            kid: kid.0,
            iv_size: if scheme == Scheme::AesCtr { 8 } else { 16 },
            constant_iv: &[],
            pattern: if scheme == Scheme::Cbcs && stream.kind == Kind::Video { (1, 9) } else { (0, 0) },
        }),
        pssh,
    };
    init::write(&init, account, out)
}

/// The one key that all headers agree on, or zeros, and the scheme.
fn one_key(manifest: &Manifest, account: &mut Account, limits: &Limits) -> Result<(Kid, Scheme)> {
    let (mut kid, mut several, mut scheme) = (None, false, None);
    for header in manifest.protection.iter() {
        match protection::read(header.system_id, &header.data, account, limits) {
            Ok(mut read) => {
                for key in read.keys.iter() {
                    several |= kid.is_some_and(|known| known != key.kid);
                    kid = Some(key.kid);
                }
                scheme = scheme.or(read.scheme());
                read.free(account);
            }
            Err(e) if matches!(e.code, Code::ProtectionUnsupported | Code::Budget | Code::NoMemory) => {
                return Err(e);
            }
            // A header that only its system can read.
            Err(_) => {}
        }
    }
    let kid = if several { None } else { kid };
    Ok((kid.unwrap_or_default(), scheme.unwrap_or(Scheme::AesCtr)))
}

/// Three letters for `mdhd`, of a language in three or two letters with or without a region.
fn letters(language: &str) -> [u8; 3] {
    let name = language.as_bytes().split(|b| *b == b'-' || *b == b'_').next().unwrap_or(&[]);
    let lower = |i: usize| name.get(i).map_or(0, u8::to_ascii_lowercase);
    let [a, b, c] = [lower(0), lower(1), lower(2)];
    match name.len() {
        3 => [a, b, c],
        2 => TWO_LETTERS
            .chunks_exact(5)
            .find_map(|row| row.strip_prefix(&[a, b]).and_then(<[u8]>::first_chunk::<3>))
            .copied()
            .unwrap_or(*b"und"),
        _ => *b"und",
    }
}
