//! Configuration and limits from C, every number checked.

use super::record;
use super::scratch::Reserve;
use super::status::{SMOOTHCORE_ABI_MAJOR, SMOOTHCORE_ABI_VERSION};
use super::tracks::{
    SMOOTHCORE_TEXT_ALL, SMOOTHCORE_TEXT_FIRST, SMOOTHCORE_TEXT_LANGUAGE, SMOOTHCORE_TEXT_NONE,
};
use super::types::*;
use super::{fill, types};
use crate::error::Code;
use crate::limits::Limits;
use crate::manifest::Strictness;
use crate::session::{AudioChoice, CaptionChoice, Config, TextChoice};
use crate::time::{MediaTime, Micros};

/// What is held without a budget of C's.
const DEFAULT_BUDGET: usize = 8 << 20;
/// Less cannot hold the boundary, a small manifest and one sample a stream.
const SMALLEST_BUDGET: usize = 128 << 10;
/// Parts of a sample beyond its blocks: a prefix, and both ends of a block.
const SPARE_PARTS: usize = 8;

/// A configuration of C's.
pub(super) struct Given {
    /// For the session, its budget less what the boundary holds.
    pub core: Config,
    pub reserve: Reserve,
}

impl Given {
    /// Takes `bytes` more off the session's budget.
    ///
    /// # Errors
    /// [`Code::Budget`] when the rest is too small.
    pub fn set_aside(&mut self, bytes: usize) -> Result<(), Code> {
        let rest = self.core.budget.saturating_sub(bytes);
        if rest < Config::SMALLEST_BUDGET {
            return Err(Code::Budget);
        }
        self.core.budget = rest;
        self.reserve.bytes = self.reserve.bytes.saturating_add(bytes);
        Ok(())
    }

    /// The budget as C gave it.
    #[cfg(any(feature = "http1", feature = "local"))]
    pub fn total(&self) -> usize {
        self.core.budget.saturating_add(self.reserve.bytes)
    }
}

/// The configuration at `config` for a handle of `own` bytes.
///
/// # Errors
/// [`Code::Argument`], [`Code::Abi`], [`Code::Budget`].
///
/// # Safety
/// `config` is NULL or as the header says.
pub(super) unsafe fn config(config: *const smoothcore_config, own: usize) -> Result<Given, Code> {
    // SAFETY: the caller's promise.
    let c = unsafe { record::read(config) }?;
    if c.abi_version >> 16 != SMOOTHCORE_ABI_MAJOR
        || c.abi_version > SMOOTHCORE_ABI_VERSION
        || c.abi_version == 0
    {
        return Err(Code::Abi);
    }
    if !c.reserved.is_null() || !c.reserved3.is_null() || (c.start_at < 0 && c.start_at != SMOOTHCORE_NO_TIME)
    {
        return Err(Code::Argument);
    }
    let limits = if c.limits.is_null() {
        Limits::default()
    } else {
        // SAFETY: the caller's promise.
        limits(&unsafe { record::read(c.limits) }?)
    };
    let limits = limits.clamped();
    let budget = match usize::try_from(c.budget_bytes) {
        Ok(0) => DEFAULT_BUDGET,
        Ok(bytes) if bytes < SMALLEST_BUDGET => return Err(Code::Budget),
        // More than half of the address space cannot be meant.
        Ok(bytes) if bytes <= isize::MAX as usize => bytes,
        _ => return Err(Code::Argument),
    };
    // C's char has a sign on x86 only.
    #[allow(clippy::unnecessary_cast)]
    let audio = match c.audio {
        SMOOTHCORE_AUDIO_FIRST => AudioChoice::First,
        SMOOTHCORE_AUDIO_LANGUAGE => AudioChoice::Language(c.audio_language.map(|letter| letter as u8)),
        SMOOTHCORE_AUDIO_ALL => AudioChoice::All,
        SMOOTHCORE_AUDIO_NONE => AudioChoice::None,
        _ => return Err(Code::Argument),
    };
    let strictness = match c.strictness {
        SMOOTHCORE_MANIFEST_LENIENT => Strictness::Lenient,
        SMOOTHCORE_MANIFEST_STRICT => Strictness::Strict,
        _ => return Err(Code::Argument),
    };
    #[allow(clippy::unnecessary_cast)]
    let text = match c.text {
        SMOOTHCORE_TEXT_NONE => TextChoice::None,
        SMOOTHCORE_TEXT_FIRST => TextChoice::First,
        SMOOTHCORE_TEXT_LANGUAGE => TextChoice::Language(c.text_language.map(|letter| letter as u8)),
        SMOOTHCORE_TEXT_ALL => TextChoice::All,
        _ => return Err(Code::Argument),
    };
    let captions = match c.captions {
        0 => CaptionChoice::Off,
        1 => CaptionChoice::On,
        _ => return Err(Code::Argument),
    };
    if c.max_bitrate != 0 && c.min_bitrate > c.max_bitrate {
        return Err(Code::Argument);
    }
    let whole = Config { budget, block: c.block_bytes as usize, ..Config::default() };
    let block = whole.block_bytes();
    let parts =
        (budget / block.max(1)).saturating_add(SPARE_PARTS).saturating_mul(size_of::<smoothcore_slice>());
    let url_bytes = limits.url_bytes as usize;
    let core = Config {
        limits,
        block,
        seed: c.seed,
        buffer_target: Micros(c.buffer_target_us),
        start_buffer: Micros(c.start_buffer_us),
        resume_buffer: Micros(c.resume_buffer_us),
        early_release: Micros(c.early_release_us),
        start_bitrate: c.start_bitrate,
        fixed_bitrate: c.fixed_bitrate,
        max_bitrate: c.max_bitrate,
        min_bitrate: c.min_bitrate,
        audio,
        text,
        captions,
        decoder: fill::traits(c.framing, c.decoder_flags)?,
        strictness,
        protection: super::protection::mode(c.protection)?,
        key_timeout: Micros(c.key_timeout_us),
        live: super::live::config(&c)?,
        // SAFETY: the caller's promise.
        switching: unsafe { super::switching::config(c.switching) }?,
        start_at: (c.start_at > 0).then_some(MediaTime(c.start_at)),
        ..whole
    };
    let mut given = Given { core, reserve: Reserve { bytes: 0, parts, url_bytes } };
    given.set_aside(own.saturating_add(parts).saturating_add(url_bytes).saturating_add(1))?;
    Ok(given)
}

/// Limits, zeros replaced by defaults.
fn limits(c: &types::smoothcore_limits) -> Limits {
    let mut all = Limits::default();
    let counts = [
        c.inflate_ratio,
        c.xml_depth,
        c.xml_attributes,
        c.xml_attribute_bytes,
        c.xml_text_bytes,
        c.streams,
        c.levels,
        c.custom_attributes,
        c.fragments,
        c.repeat,
        c.url_bytes,
        c.codec_config_bytes,
        c.protection_headers,
        c.protection_bytes,
        c.deviations,
        c.payload_bytes,
        c.metadata_bytes,
        c.moof_bytes,
        c.box_depth,
        c.box_children,
        c.samples,
        c.redirects,
        c.http_head_bytes,
        c.lost_in_a_row,
    ];
    let times = [
        c.connect_timeout_us,
        c.first_byte_timeout_us,
        c.idle_timeout_us,
        c.retry_first_us,
        c.retry_longest_us,
    ];
    // In the order of the core.
    for (to, given) in all.counts().into_iter().zip(counts).filter(|(_, given)| *given != 0) {
        *to = given;
    }
    for (to, given) in all.times().into_iter().zip(times).filter(|(_, given)| *given != 0) {
        *to = Micros(given);
    }
    let or = |given: u64, default: u64| if given == 0 { default } else { given };
    all.tries = or(c.tries.into(), all.tries.into()) as u32;
    all.manifest_bytes = or(c.manifest_bytes, all.manifest_bytes);
    all.fragment_bytes = or(c.fragment_bytes, all.fragment_bytes);
    all
}
