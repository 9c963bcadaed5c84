//! Figures and descriptions a host may ask for.

use core::ffi::c_char;

use super::record::record;
use super::types::smoothcore_slice;

/// State: made, not opened.
pub const SMOOTHCORE_STATE_NEW: u32 = 0;
/// State: the manifest is being fetched.
pub const SMOOTHCORE_STATE_OPENING: u32 = 1;
/// State: fragments are being fetched and handed out.
pub const SMOOTHCORE_STATE_PLAYING: u32 = 2;
/// State: every selected stream has been handed over to its end.
pub const SMOOTHCORE_STATE_ENDED: u32 = 3;
/// State: a fatal error; only destroying is left.
pub const SMOOTHCORE_STATE_FAILED: u32 = 4;

/// Figures since open. You set `struct_size`; the library fills the rest.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_stats {
    /// sizeof(smoothcore_stats).
    pub struct_size: u32,
    /// A SMOOTHCORE_STATE_ number.
    pub state: u32,
    /// From open to the parsed manifest; SMOOTHCORE_NO_TIME_US before.
    pub manifest_us: u64,
    /// From open to the first byte of a fragment; SMOOTHCORE_NO_TIME_US before.
    pub first_byte_us: u64,
    /// From open to the first sample the decoder took; SMOOTHCORE_NO_TIME_US before.
    pub first_sample_us: u64,
    /// From open to the start of the presentation clock; SMOOTHCORE_NO_TIME_US before.
    pub startup_us: u64,
    /// Time the clock was held by stalls.
    pub stalled_us: u64,
    /// Samples the decoders took.
    pub samples: u64,
    /// Body bytes received.
    pub bytes: u64,
    /// Body bytes of the manifest, as received.
    pub manifest_bytes: u64,
    /// Measured rate of the link in bit/s; 0 when unknown.
    pub link_rate: u64,
    /// Bytes held now, the handle included.
    pub held_bytes: u64,
    /// Most bytes ever held.
    pub peak_held_bytes: u64,
    /// Most bytes that may be held.
    pub budget_bytes: u64,
    /// Times a decoder ran dry.
    pub stalls: u32,
    /// Changes to a higher video level.
    pub switches_up: u32,
    /// Changes to a lower video level.
    pub switches_down: u32,
    /// Exchanges started.
    pub requests: u32,
    /// Answers with an error status.
    pub http_errors: u32,
    /// Tries after a failed one.
    pub retries: u32,
    /// Fragments that arrived whole.
    pub fragments: u32,
    /// Fragments lost, wholly or in part.
    pub gaps: u32,
    /// The fatal error in SMOOTHCORE_STATE_FAILED, else 0.
    pub error: i32,
    /// Answers that a live fragment is not there yet, which are no failures.
    pub not_yet: u32,
    /// Times the manifest of a live presentation was asked for again.
    pub refreshes: u32,
    /// 0.
    pub reserved2: u32,
    /// Fragments given up for a lower level while they came.
    pub abandoned: u32,
    /// Buffered fragments fetched again at a higher level.
    pub replaced: u32,
    /// Body bytes that switching has thrown away.
    pub wasted_bytes: u64,
}

record!(
    smoothcore_stats,
    wasted_bytes,
    wasted_bytes,
    manifest_us,
    first_byte_us,
    first_sample_us,
    startup_us,
    stalled_us,
    samples,
    bytes,
    manifest_bytes,
    link_rate,
    held_bytes,
    peak_held_bytes,
    budget_bytes
);

/// The presentation as a whole. You set `struct_size`; the library fills the rest.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_presentation {
    /// sizeof(smoothcore_presentation).
    pub struct_size: u32,
    /// 1 when more fragments will come, else 0.
    pub live: u32,
    /// Streams listed, playable or not.
    pub stream_count: u32,
    /// Protection headers listed; 0 when nothing is protected.
    pub protection_count: u32,
    /// How long it is, as far as it is listed.
    pub duration_us: u64,
    /// Earliest time that can be played; SMOOTHCORE_NO_TIME when nothing is listed yet.
    pub first_time: i64,
    /// End of the last fragment; SMOOTHCORE_NO_TIME when nothing is listed yet.
    pub end_time: i64,
}

record!(smoothcore_presentation, end_time, duration_us, first_time, end_time);

/// One stream. You set `struct_size`; the library fills the rest. Texts end with NUL and are cut at a character where
/// they are too long.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_stream_info {
    /// sizeof(smoothcore_stream_info).
    pub struct_size: u32,
    /// Its number, from 0, in the order of the manifest.
    pub id: u32,
    /// A SMOOTHCORE_KIND_ number.
    pub kind: u32,
    /// 1 when it is being played, else 0.
    pub selected: u32,
    /// 1 when it can be played, else 0.
    pub playable: u32,
    /// Quality levels listed.
    pub level_count: u32,
    /// Widest picture in pixels.
    pub max_width: u32,
    /// Highest picture in pixels.
    pub max_height: u32,
    /// Width to show it at, in pixels.
    pub display_width: u32,
    /// Height to show it at, in pixels.
    pub display_height: u32,
    /// Bitrate being fetched, in bit/s; 0 before the first fragment.
    pub bitrate: u32,
    /// Why it cannot be played: a negative number, or 0.
    pub why: i32,
    /// Fragments listed.
    pub fragments: u32,
    /// 0.
    pub reserved: u32,
    /// Ticks per second of its fragment times.
    pub timescale: u64,
    /// Start of its first fragment; SMOOTHCORE_NO_TIME when none is listed.
    pub first_time: i64,
    /// End of its last fragment; SMOOTHCORE_NO_TIME when none is listed.
    pub end_time: i64,
    /// Media time being shown; SMOOTHCORE_NO_TIME when it is not played or not yet shown.
    pub position: i64,
    /// Media in the decoder and in memory.
    pub ahead_us: u64,
    /// Media in the decoder.
    pub depth_us: u64,
    /// Its name.
    pub name: [c_char; 64],
    /// Its language as the manifest has it; "und" when it has none.
    pub language: [c_char; 16],
    /// Its subtype, such as the role of a text stream; empty when absent.
    pub subtype: [c_char; 16],
    /// A SMOOTHCORE_ROLE_ number.
    pub role: u32,
    /// 0.
    pub reserved2: u32,
    /// What it is recognised by, in every presentation of the same content and in whatever order the manifest lists its
    /// streams: keep it to select the same one again. See smoothcore_player_find_track.
    pub track: u64,
}

record!(smoothcore_stream_info, track, track, timescale, first_time, end_time, position, ahead_us, depth_us);

/// One quality level. You set `struct_size`; the library fills the rest.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_level_info {
    /// sizeof(smoothcore_level_info).
    pub struct_size: u32,
    /// Its index as the manifest has it.
    pub index: u32,
    /// Bitrate in bit/s.
    pub bitrate: u32,
    /// Width in pixels, 0 when unknown.
    pub width: u32,
    /// Height in pixels, 0 when unknown.
    pub height: u32,
    /// Samples of sound per second.
    pub sampling_rate: u32,
    /// Channels of sound.
    pub channels: u32,
    /// A SMOOTHCORE_CODEC_ number.
    pub codec: u32,
    /// 1 when the manifest describes it well enough to be played, else 0.
    pub usable: u32,
    /// Why not: a negative number, or 0.
    pub why: i32,
    /// The codec's name in the manifest, padded with spaces; no NUL.
    pub fourcc: [u8; 4],
    /// 0.
    pub reserved: u32,
    /// The codec in the form of RFC 6381, ended by NUL.
    pub codec_string: [c_char; 40],
}

record!(smoothcore_level_info, codec_string);

/// A place where the manifest deviates from the specification. You set `struct_size`; the library fills the rest.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_deviation {
    /// sizeof(smoothcore_deviation).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Byte offset in the inflated manifest.
    pub offset: u64,
    /// The rule that is broken, such as "stream-name-duplicate"; ended by NUL. The same in every release.
    pub rule: [c_char; 32],
    /// The element or attribute, such as "QualityLevel@FourCC"; ended by NUL.
    pub place: [c_char; 56],
}

record!(smoothcore_deviation, place, offset);

/// What is said of a presentation and means nothing to playback, such as a title: by its server manifest, where that is
/// on disk, then by root attributes of the manifest. You set `struct_size`; the library fills the rest.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_metadata {
    /// sizeof(smoothcore_metadata).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Its name in UTF-8, the library's as long as the handle lives; no NUL.
    pub name: smoothcore_slice,
    /// Its value, likewise.
    pub value: smoothcore_slice,
}

record!(smoothcore_metadata, value);
