//! Constants, limits and configuration.

use core::ffi::c_char;

use super::record::record;

/// No media time is known.
pub const SMOOTHCORE_NO_TIME: i64 = i64::MIN;
/// No host time: not yet, or never.
pub const SMOOTHCORE_NO_TIME_US: u64 = u64::MAX;

/// Kind of a stream: pictures.
pub const SMOOTHCORE_KIND_VIDEO: u32 = 1;
/// Kind of a stream: sound.
pub const SMOOTHCORE_KIND_AUDIO: u32 = 2;
/// Kind of a stream: subtitles, captions, timed data.
pub const SMOOTHCORE_KIND_TEXT: u32 = 3;

/// A codec the library does not know; its fourcc and audio tag say more.
pub const SMOOTHCORE_CODEC_OTHER: u32 = 0;
/// H.264.
pub const SMOOTHCORE_CODEC_H264: u32 = 1;
/// AAC in all its object types.
pub const SMOOTHCORE_CODEC_AAC: u32 = 2;
/// H.265.
pub const SMOOTHCORE_CODEC_H265: u32 = 3;
/// VC-1 Advanced Profile.
pub const SMOOTHCORE_CODEC_VC1: u32 = 4;
/// Windows Media Audio.
pub const SMOOTHCORE_CODEC_WMA: u32 = 5;
/// Windows Media Audio Professional.
pub const SMOOTHCORE_CODEC_WMA_PRO: u32 = 6;
/// Dolby Digital (AC-3).
pub const SMOOTHCORE_CODEC_AC3: u32 = 7;
/// Dolby Digital Plus (EC-3).
pub const SMOOTHCORE_CODEC_EAC3: u32 = 8;
/// MPEG audio, MP3 above all.
pub const SMOOTHCORE_CODEC_MPEG_AUDIO: u32 = 9;
/// PCM, little-endian.
pub const SMOOTHCORE_CODEC_PCM: u32 = 10;
/// Timed text (TTML).
pub const SMOOTHCORE_CODEC_TTML: u32 = 11;

/// Framing of samples: Annex B start codes, ADTS headers.
pub const SMOOTHCORE_FRAMING_ELEMENTARY: u32 = 0;
/// Framing of samples: NAL units behind their lengths, raw audio access units, as they lie in the file.
pub const SMOOTHCORE_FRAMING_LENGTH_PREFIXED: u32 = 1;

/// Decoder flag: each sample must be one part; the library copies where it must.
pub const SMOOTHCORE_DECODER_CONTIGUOUS: u32 = 1;
/// Decoder flag: each picture must begin with an access unit delimiter.
pub const SMOOTHCORE_DECODER_NEEDS_AUD: u32 = 2;
/// Decoder flag: no clock, it takes samples as fast as they come (a file, a transmuxer).
pub const SMOOTHCORE_DECODER_UNPACED: u32 = 4;
/// Decoder flag: parameter sets before every key frame, not only where they may have changed.
pub const SMOOTHCORE_DECODER_REPEAT_PARAMETER_SETS: u32 = 8;
/// Decoder flag: ask about every quality level before playback starts.
pub const SMOOTHCORE_DECODER_CAPABILITIES: u32 = 16;
/// Decoder: pictures may change their size from one fragment to the next without a break. Without it a change of size is
/// avoided, and made only where it is likely to last ten seconds.
pub const SMOOTHCORE_DECODER_SEAMLESS_RESIZE: u32 = 32;

/// Audio to play from the start: the first stream that can be played.
pub const SMOOTHCORE_AUDIO_FIRST: u32 = 0;
/// Audio to play from the start: the first stream of `audio_language`, or else the first.
pub const SMOOTHCORE_AUDIO_LANGUAGE: u32 = 1;
/// Audio to play from the start: every stream, each to its own decoder.
pub const SMOOTHCORE_AUDIO_ALL: u32 = 2;
/// Audio to play from the start: none.
pub const SMOOTHCORE_AUDIO_NONE: u32 = 3;

/// A manifest that deviates from the specification is read as it is meant; smoothcore_session_deviation tells how.
pub const SMOOTHCORE_MANIFEST_LENIENT: u32 = 0;
/// A manifest that deviates from the specification is SMOOTHCORE_E_MANIFEST_DEVIATION.
pub const SMOOTHCORE_MANIFEST_STRICT: u32 = 1;

/// Bytes of somebody's memory. Never grows, so it has no size of its own.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_slice {
    /// First byte; may be NULL when `size` is 0.
    pub data: *const u8,
    /// How many.
    pub size: usize,
}

/// Caps on everything that input controls. 0 is the default, too much is brought down to the most allowed. Exceeding
/// one is an error of its own, never a truncation.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_limits {
    /// sizeof(smoothcore_limits).
    pub struct_size: u32,
    /// Inflated bytes for each compressed byte of a manifest, plus 64 KiB. Default 100, at most 1,032.
    pub inflate_ratio: u32,
    /// Bytes of an inflated manifest. Default 16 MiB, at most 64 MiB.
    pub manifest_bytes: u64,
    /// Bytes of one fragment. Default 32 MiB, at most 256 MiB.
    pub fragment_bytes: u64,
    /// Time to connect. Default 10 s, 1 ms to 10 min.
    pub connect_timeout_us: u64,
    /// Time from the request to the first byte of the answer. Default 10 s, 1 ms to 10 min.
    pub first_byte_timeout_us: u64,
    /// Time without a byte. Default 10 s, 1 ms to 10 min.
    pub idle_timeout_us: u64,
    /// Wait before the second try; doubles with each further one. Default 200 ms.
    pub retry_first_us: u64,
    /// Longest wait between two tries. Default 3 s.
    pub retry_longest_us: u64,
    /// Nesting of XML elements. Default 16, at most 64.
    pub xml_depth: u32,
    /// Attributes of one XML element. Default 64, at most 256.
    pub xml_attributes: u32,
    /// Bytes of one XML attribute value. Default 64 KiB, at most 1 MiB.
    pub xml_attribute_bytes: u32,
    /// Bytes of one XML text. Default 512 KiB, at most 4 MiB.
    pub xml_text_bytes: u32,
    /// Streams. Default 64, at most 256.
    pub streams: u32,
    /// Quality levels of one stream. Default 64, at most 256.
    pub levels: u32,
    /// Custom attributes of one level. Default 32, at most 256.
    pub custom_attributes: u32,
    /// Fragments listed in the whole manifest. Default 524,288, at most 4,194,304.
    pub fragments: u32,
    /// Largest repeat count of one listed fragment. Default 2^24, at most 2^31.
    pub repeat: u32,
    /// Bytes of one URL. Default 4,096, 64 to 16,384.
    pub url_bytes: u32,
    /// Bytes of decoded codec private data. Default 8 KiB, at most 64 KiB.
    pub codec_config_bytes: u32,
    /// Protection headers. Default 8, at most 32.
    pub protection_headers: u32,
    /// Bytes of one decoded protection header. Default 64 KiB, at most 256 KiB.
    pub protection_bytes: u32,
    /// Bytes of one movie fragment header. Default 256 KiB, at most 4 MiB.
    pub moof_bytes: u32,
    /// Nesting of boxes. Default 8, 4 to 16.
    pub box_depth: u32,
    /// Children of one box. Default 1,024, at most 65,536.
    pub box_children: u32,
    /// Samples of one fragment. Default 65,536, at most 1,048,576.
    pub samples: u32,
    /// Redirects of one request. Default 5, at most 20.
    pub redirects: u32,
    /// Bytes of the head of an HTTP response. Default 16 KiB, 256 to 64 KiB.
    pub http_head_bytes: u32,
    /// Tries of one request, the first included. Default 4, at most 16. While nothing at all comes, neither of another
    /// stream, a fragment is tried for as long as tries times lost_in_a_row of retry_longest_us: by default 96 s.
    pub tries: u32,
    /// Fragments in a row that a stream may lose before playback fails. Default 8, at most 1,000.
    pub lost_in_a_row: u32,
    /// Deviations kept of one manifest; the rest is counted. Default 64, at most 1,024.
    pub deviations: u32,
    /// Bytes of all samples that stand in the manifest, decoded. Default 1 MiB, at most 16 MiB.
    pub payload_bytes: u32,
    /// Bytes of the manifest's root attributes kept as metadata; one that does not fit is left out. Default 4 KiB, at
    /// most 64 KiB.
    pub metadata_bytes: u32,
}

record!(
    smoothcore_limits,
    metadata_bytes,
    manifest_bytes,
    fragment_bytes,
    connect_timeout_us,
    first_byte_timeout_us,
    idle_timeout_us,
    retry_first_us,
    retry_longest_us
);

/// How to play. Zero it, set `struct_size` and `abi_version`, then what you want; 0 is the default of every number.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_config {
    /// sizeof(smoothcore_config).
    pub struct_size: u32,
    /// SMOOTHCORE_ABI_VERSION of the header you compiled with. Required.
    pub abi_version: u32,
    /// Most bytes ever held, the handle included. Default 8 MiB, at least 128 KiB. Sizing: 16 KiB for the handle; 4 bytes
    /// for each listed fragment of irregular duration and 1 KiB for each level; for each played stream twice its largest
    /// sample; and bitrate / 8 for each second of buffer wanted.
    pub budget_bytes: u64,
    /// The only randomness, for the waits between retries. Must differ from device to device.
    pub seed: u64,
    /// Media fetched ahead of the position being shown. Default 20 s.
    pub buffer_target_us: u64,
    /// Media each stream needs before the presentation clock starts. Default 1 s.
    pub start_buffer_us: u64,
    /// Media each stream needs before the clock goes on after a stall. Default 2 s.
    pub resume_buffer_us: u64,
    /// While a decoder holds less than this it gets samples of fragments that are still arriving. Default 1 s; UINT64_MAX: only
    /// whole fragments.
    pub early_release_us: u64,
    /// Where to start. 0 or SMOOTHCORE_NO_TIME: at the beginning. Not negative otherwise.
    pub start_at: i64,
    /// Bytes of one block of media memory, rounded down to a power of two, 1 KiB to 64 KiB. Default: budget / 256, at most
    /// 16 KiB.
    pub block_bytes: u32,
    /// Video bitrate to start with, in bit/s: the highest level of at most this. 0: the lowest level.
    pub start_bitrate: u32,
    /// Video bitrate to stay at, in bit/s: the highest level of at most this. 0: switch freely.
    pub fixed_bitrate: u32,
    /// Lowest video bitrate to use, in bit/s.
    pub min_bitrate: u32,
    /// Highest video bitrate to use, in bit/s. 0: no cap.
    pub max_bitrate: u32,
    /// A SMOOTHCORE_AUDIO_ number.
    pub audio: u32,
    /// A SMOOTHCORE_FRAMING_ number. smoothcore_session only: a player asks its decoder port.
    pub framing: u32,
    /// SMOOTHCORE_DECODER_ flags. smoothcore_session only: a player asks its decoder port.
    pub decoder_flags: u32,
    /// For SMOOTHCORE_AUDIO_LANGUAGE: the letters of the language as the manifest has them, in any case, such as "eng";
    /// zeros behind them.
    pub audio_language: [c_char; 8],
    /// Caps on input; NULL for the defaults. Read during the call only.
    pub limits: *const smoothcore_limits,
    /// Set to NULL.
    pub reserved: *const core::ffi::c_void,
    /// A SMOOTHCORE_MANIFEST_ number.
    pub strictness: u32,
    /// A SMOOTHCORE_PROTECTION_ number. A player with a protection port asks that instead.
    pub protection: u32,
    /// A sample that waits for its key longer than this gives SMOOTHCORE_EVENT_KEY_TIMEOUT. Default 10 s.
    pub key_timeout_us: u64,
    /// A SMOOTHCORE_TEXT_ number: the text streams to play. Nothing ever waits for them or fails with them.
    pub text: u32,
    /// 1: captions inside pictures come out beside them, too. 0: they stay in the samples alone.
    pub captions: u32,
    /// For SMOOTHCORE_TEXT_LANGUAGE, as audio_language.
    pub text_language: [c_char; 8],
    /// Live: how far behind the newest listed fragment to play. Default: three fragments, 6 s at least; half of the window when
    /// that is shorter than twice this.
    pub live_target_delay_us: u64,
    /// Live: a SMOOTHCORE_LIVE_START_ number, where to start without start_at and to go on after a suspension.
    pub live_start: u32,
    /// Live: a SMOOTHCORE_BEHIND_ number, what to do when the window has overtaken what is played.
    pub live_behind: u32,
    /// Live: a SMOOTHCORE_WINDOW_ number, how far back it can be played.
    pub live_window: u32,
    /// Live: by how many thousandths the clock may run faster or slower to come back to the target delay. 0: never; 200 at
    /// most. The order is SMOOTHCORE_OUTPUT_RATE, or `rate` of the decoder port, with 1000 plus or minus this.
    pub live_rate: u32,
    /// How levels are chosen; NULL for the defaults. Read during the call only.
    pub switching: *const super::switching::smoothcore_switching,
    /// Set to NULL.
    pub reserved3: *const core::ffi::c_void,
}

record!(
    smoothcore_config,
    reserved3,
    live_target_delay_us,
    key_timeout_us,
    budget_bytes,
    seed,
    buffer_target_us,
    start_buffer_us,
    resume_buffer_us,
    early_release_us,
    start_at
);
