//! What goes through the boundary while playing: requests, responses, set-ups, samples, events.

use core::ffi::{c_char, c_void};

use super::protection::{
    smoothcore_candidate, smoothcore_decrypt, smoothcore_protection_offer, smoothcore_sample_protection,
};
use super::record::record;
use super::tracks::smoothcore_captions;
use super::types::smoothcore_slice;

/// A request fetches the client manifest.
pub const SMOOTHCORE_REQUEST_MANIFEST: u32 = 1;
/// A request fetches a media fragment.
pub const SMOOTHCORE_REQUEST_FRAGMENT: u32 = 2;

/// Request flag: send `Accept-Encoding: gzip, deflate`; hand the body in as it came and name its coding.
pub const SMOOTHCORE_REQUEST_ACCEPT_GZIP: u32 = 1;
/// Request flag: send `Cache-Control: no-cache`, for an earlier try got a bad copy.
pub const SMOOTHCORE_REQUEST_NO_CACHE: u32 = 2;

/// Sample flag: decoding can start here.
pub const SMOOTHCORE_SAMPLE_KEY: u32 = 1;
/// Sample flag: not the direct successor of the sample before.
pub const SMOOTHCORE_SAMPLE_DISCONTINUITY: u32 = 2;
/// Sample flag: parameter sets come first in it.
pub const SMOOTHCORE_SAMPLE_CONFIG: u32 = 4;
/// Sample flag: decode it, do not show it; it lies before the seek target.
pub const SMOOTHCORE_SAMPLE_PREROLL: u32 = 8;
/// Sample flag: encrypted where the lengths of NAL units are, so left as it lies in the file, whatever the framing.
pub const SMOOTHCORE_SAMPLE_VERBATIM: u32 = 16;

/// Event: the manifest is parsed. a = streams listed, b = duration in microseconds.
pub const SMOOTHCORE_EVENT_OPENED: u32 = 1;
/// Event: a stream will not be played; `code` says why.
pub const SMOOTHCORE_EVENT_STREAM_DROPPED: u32 = 2;
/// Event: a quality level will not be played; `code` says why. a = its bitrate.
pub const SMOOTHCORE_EVENT_LEVEL_DROPPED: u32 = 3;
/// Event: a fragment is being fetched. media_time = its start, a = bitrate, b = its start in stream ticks.
pub const SMOOTHCORE_EVENT_FRAGMENT_STARTED: u32 = 4;
/// Event: a fragment has arrived. a = bytes, b = microseconds from the request to the last byte.
pub const SMOOTHCORE_EVENT_FRAGMENT_DONE: u32 = 5;
/// Event: one try failed and another follows; `code` or `http_status` says why. a = try, b = microseconds to wait.
pub const SMOOTHCORE_EVENT_RETRY: u32 = 6;
/// Event: a fragment, or the rest of it, is lost. media_time = where the hole starts, a = its length in microseconds,
/// b = start of the fragment in stream ticks.
pub const SMOOTHCORE_EVENT_GAP: u32 = 7;
/// Event: the next fragments come from another level. a = bitrate before, b = bitrate from now on.
pub const SMOOTHCORE_EVENT_SWITCH: u32 = 8;
/// Event: the presentation clock was started for the first time. a = microseconds since open.
pub const SMOOTHCORE_EVENT_STARTED: u32 = 9;
/// Event: a decoder ran dry and the clock is held. stream = which.
pub const SMOOTHCORE_EVENT_STALLED: u32 = 10;
/// Event: the clock runs again after a stall. a = microseconds it was held.
pub const SMOOTHCORE_EVENT_RESUMED: u32 = 11;
/// Event: a seek begins. media_time = its target.
pub const SMOOTHCORE_EVENT_SEEKING: u32 = 12;
/// Event: one stream has been handed over to its end.
pub const SMOOTHCORE_EVENT_STREAM_ENDED: u32 = 13;
/// Event: every stream has ended.
pub const SMOOTHCORE_EVENT_ENDED: u32 = 14;
/// Event: playback cannot go on; `code` says why. Comes once.
pub const SMOOTHCORE_EVENT_FAILED: u32 = 15;
/// Event: the picture at which the decoder must start is no key frame; it goes to it all the same. media_time = where;
/// a = bitrate, b = start of the fragment in stream ticks.
pub const SMOOTHCORE_EVENT_NO_KEY_FRAME: u32 = 16;
/// Event: a key did not come in time; the stream waits on. media_time = the sample that waits; a, b = first and last 8
/// bytes of the key's name, big-endian.
pub const SMOOTHCORE_EVENT_KEY_TIMEOUT: u32 = 17;
/// Event: a protection header cannot be used; `code` says why. a = its place among the headers, from 0.
pub const SMOOTHCORE_EVENT_HEADER_DROPPED: u32 = 18;
/// Event: a quality level that output restrictions had taken away may be used again. a = its bitrate.
pub const SMOOTHCORE_EVENT_LEVEL_ALLOWED: u32 = 19;
/// Event, live: the origin does not have the fragment yet; it is asked again. No failure. media_time = its start,
/// http_status = how the origin said it; a = how often in a row, b = microseconds to wait.
pub const SMOOTHCORE_EVENT_NOT_YET: u32 = 20;
/// Event, live: nothing new has appeared at the edge for three fragments, or ten seconds; it goes on asking. media_time =
/// where the newest fragment ends; a = microseconds since something came.
pub const SMOOTHCORE_EVENT_STALLED_AT_EDGE: u32 = 21;
/// Event, live: the edge moves again. a = microseconds it stood.
pub const SMOOTHCORE_EVENT_EDGE_MOVING: u32 = 22;
/// Event, live: the window has overtaken what is played. media_time = the fragment that is gone; a = microseconds from there
/// to the start of the window; b = what is done: 1 goes on near the start of the window, 2 goes to the edge, 3 stops.
pub const SMOOTHCORE_EVENT_BEHIND_WINDOW: u32 = 23;
/// Event: the presentation has no media here, and it is played on behind it; the next sample carries
/// SMOOTHCORE_SAMPLE_DISCONTINUITY. media_time = where the hole begins; a = its length in microseconds, b = start of the next
/// fragment in stream ticks.
pub const SMOOTHCORE_EVENT_GAP_SKIPPED: u32 = 24;
/// Event, live: the encoder counts its time anew, from before or from far ahead. Decoders are flushed; playback goes on near the new edge. media_time = the
/// new start of the window.
pub const SMOOTHCORE_EVENT_ORIGIN_RESTARTED: u32 = 25;
/// Event, live: no more fragments will come; what is listed is played to its end. media_time = that end; http_status where
/// the origin no longer has the manifest.
pub const SMOOTHCORE_EVENT_LIVE_ENDED: u32 = 26;
/// Event, live: the oldest fragments have left the list because it had grown to its share of the budget. media_time = what is
/// the first one now; a = how many went.
pub const SMOOTHCORE_EVENT_WINDOW_TRIMMED: u32 = 27;
/// Event, live: the manifest was read again. a = why, a SMOOTHCORE_REFRESH_ number; b = microseconds it took.
pub const SMOOTHCORE_EVENT_REFRESHED: u32 = 28;
/// Event, live: reading the manifest again has failed; the list known stays in force. `code` or http_status says why;
/// a = why it was wanted, a SMOOTHCORE_REFRESH_ number; b = microseconds to the next try.
pub const SMOOTHCORE_EVENT_REFRESH_FAILED: u32 = 29;
/// Event: the clock has jumped forward; playback goes on as if it had not. a = microseconds left out.
pub const SMOOTHCORE_EVENT_CLOCK_JUMPED: u32 = 30;
/// Event: the level of the next fragment was decided. `media_time` = the fragment's start; `a` = bitrate, and from bit 32 on the
/// media held in milliseconds; `b` = the link's rate in bit/s that was reckoned with, 0 when unknown, and from bit 56 on a
/// SMOOTHCORE_WHY_ number. Of those that nobody has fetched only the newest is kept once events pile up.
pub const SMOOTHCORE_EVENT_DECIDED: u32 = 40;
/// Event: a fragment was coming too slowly, and is fetched again at a lower level. `media_time` = its start; `a` = bitrate given
/// up, `b` = bytes of it that had come.
pub const SMOOTHCORE_EVENT_ABANDONED: u32 = 41;
/// Event: a fragment in the buffer was fetched again at a higher level. `media_time` = its start; `a` = bitrate before, `b` =
/// bitrate now.
pub const SMOOTHCORE_EVENT_REPLACED: u32 = 42;
/// Event: the decoder drops too many pictures, and higher levels are left out for a while. `a` = the highest bitrate left, `b` =
/// microseconds.
pub const SMOOTHCORE_EVENT_DROPPING_FRAMES: u32 = 43;

/// An exchange to start: always a plain GET of the whole resource. The library fills it; valid during the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_request {
    /// sizeof(smoothcore_request) of the library.
    pub struct_size: u32,
    /// The exchange's name from now on; never 0, never used twice.
    pub id: u32,
    /// A SMOOTHCORE_REQUEST_MANIFEST or _FRAGMENT.
    pub kind: u32,
    /// 1 for the first try.
    pub attempt: u32,
    /// The stream it belongs to; -1 for the manifest.
    pub stream: i32,
    /// SMOOTHCORE_REQUEST_ACCEPT_GZIP, SMOOTHCORE_REQUEST_NO_CACHE.
    pub flags: u32,
    /// Absolute http or https URL, ASCII, ended by NUL; valid as long as this struct.
    pub url: *const c_char,
}

record!(smoothcore_request, url);

/// The head of a response. The library has set `struct_size`, `content_length` to -1 and the rest to zeros before
/// a port fills it. Strings end with NUL and stay the port's; they are read before the port is called again. A header
/// that is no UTF-8 or longer than 1,024 bytes counts as absent.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_response {
    /// sizeof(smoothcore_response).
    pub struct_size: u32,
    /// The status code, 100 to 999. Redirects are the port's; only the last answer is reported.
    pub status: u32,
    /// Content-Length of the bytes that will be handed in; -1 when unknown, or when the port inflates.
    pub content_length: i64,
    /// The URL after redirects; NULL when it is the one requested. What is no URL fails the exchange.
    pub final_url: *const c_char,
    /// Content-Type; NULL when absent.
    pub content_type: *const c_char,
    /// Content-Encoding still in force; NULL when absent or when the port has inflated.
    pub content_encoding: *const c_char,
    /// Date; NULL when absent.
    pub date: *const c_char,
}

record!(smoothcore_response, date, content_length);

/// Set-up of one stream's decoder. The library fills it; it and everything it points to is valid during the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_setup {
    /// sizeof(smoothcore_setup) of the library.
    pub struct_size: u32,
    /// The stream, from 0.
    pub stream: u32,
    /// Samples that follow carry this epoch; it rises with every flush.
    pub epoch: u32,
    /// A SMOOTHCORE_KIND_ number.
    pub kind: u32,
    /// A SMOOTHCORE_CODEC_ number.
    pub codec: u32,
    /// A SMOOTHCORE_FRAMING_ number: how the samples will come.
    pub framing: u32,
    /// The codec's name in the manifest, padded with spaces; no NUL.
    pub fourcc: [u8; 4],
    /// The quality level's index.
    pub level: u32,
    /// Its bitrate in bit/s.
    pub bitrate: u32,
    /// Coded width in pixels, 0 when unknown.
    pub width: u32,
    /// Coded height in pixels, 0 when unknown.
    pub height: u32,
    /// Samples of sound per second. For AAC that of the core: a decoder with SBR puts out twice as many.
    pub sampling_rate: u32,
    /// Channels of sound; 0 when the bit stream describes them.
    pub channels: u32,
    /// Bits of one sample of sound.
    pub bits_per_sample: u32,
    /// Bytes of one packet of sound (nBlockAlign of WAVEFORMATEX).
    pub packet_size: u32,
    /// WAVE format tag.
    pub audio_tag: u32,
    /// Bytes of the length before each NAL unit in the file: 1, 2 or 4; 0 when there are none.
    pub nal_length: u32,
    /// 0.
    pub reserved: u32,
    /// Configuration in the form the codec has and the framing wants: Annex B parameter sets, or the payload of avcC or
    /// hvcC; AudioSpecificConfig; WAVEFORMATEX; the payload of dac3 or dec3; the headers of VC-1. May be empty.
    pub record: smoothcore_slice,
    /// The same without regard to the framing: start-coded parameter sets, else as above; of a codec the library does
    /// not know, the private bytes of the manifest.
    pub codec_private: smoothcore_slice,
    /// The codec in the form of RFC 6381, such as "avc1.4D401E"; never NULL.
    pub codec_string: *const c_char,
    /// Your number for the key session of the encrypted samples that follow; NULL for a clear decoder. Set up again where
    /// it changes.
    pub key: *const u64,
}

record!(smoothcore_setup, key);

/// One access unit. The library fills it; it and everything it points to is valid during the call.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_sample {
    /// sizeof(smoothcore_sample) of the library.
    pub struct_size: u32,
    /// The stream.
    pub stream: u32,
    /// Older epochs are stale.
    pub epoch: u32,
    /// SMOOTHCORE_SAMPLE_ flags.
    pub flags: u32,
    /// When to show it.
    pub pts: i64,
    /// When to decode it.
    pub dts: i64,
    /// How long it lasts, in 100 ns.
    pub duration: u64,
    /// `pts` on a 33-bit 90 kHz clock.
    pub pts_90k: u64,
    /// `dts` on a 33-bit 90 kHz clock.
    pub dts_90k: u64,
    /// Start of its fragment in stream ticks, as it stood in the URL.
    pub fragment: u64,
    /// Bitrate of its quality level in bit/s.
    pub bitrate: u32,
    /// How many parts.
    pub part_count: u32,
    /// Bytes in all parts.
    pub size: usize,
    /// The bytes in order: parameter sets or a header where the framing has one, then the body. No part is empty.
    pub parts: *const smoothcore_slice,
    /// How it is encrypted; NULL when it is clear.
    pub protection: *const smoothcore_sample_protection,
    /// NULL.
    pub reserved: *const c_void,
    /// Bytes of each sub-sample in order, where the fragment has a table of them: for bitmap subtitles the document, then
    /// its images. They count over all parts.
    pub pieces: *const u32,
    /// How many sub-samples; mostly 0.
    pub piece_count: usize,
}

record!(smoothcore_sample, piece_count, pts, dts, duration, pts_90k, dts_90k, fragment);

/// What the decoder of one stream holds. The library has set `struct_size`, `position` to SMOOTHCORE_NO_TIME and the
/// rest to zeros before a port fills it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_buffered {
    /// sizeof(smoothcore_buffered).
    pub struct_size: u32,
    /// Pictures dropped since the presentation was opened.
    pub dropped: u32,
    /// Media accepted and not yet shown.
    pub depth_us: u64,
    /// The media time being shown; SMOOTHCORE_NO_TIME before the first.
    pub position: i64,
}

record!(smoothcore_buffered, position, depth_us, position);

/// Something you may want to know. What the numbers mean stands at each SMOOTHCORE_EVENT_; new kinds may appear.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_event {
    /// sizeof(smoothcore_event).
    pub struct_size: u32,
    /// A SMOOTHCORE_EVENT_ number.
    pub kind: u32,
    /// When, on your clock.
    pub at_us: u64,
    /// Media time; SMOOTHCORE_NO_TIME where none is concerned.
    pub media_time: i64,
    /// First number.
    pub a: u64,
    /// Second number.
    pub b: u64,
    /// Byte offset in the input where `code` was found; 0 when unknown.
    pub offset: u64,
    /// The stream; -1 where none is concerned.
    pub stream: i32,
    /// Why: a negative number, or 0.
    pub code: i32,
    /// HTTP status; 0 where none is concerned.
    pub http_status: u32,
    /// Events dropped before this one because nobody fetched them.
    pub lost: u32,
    /// Element, box or field where `code` was found, ended by NUL; empty when unknown.
    pub place: [c_char; 56],
}

record!(smoothcore_event, place, at_us, media_time, a, b, offset);

/// Output: nothing more to do before `deadline_us`, or the next input. Always the last one.
pub const SMOOTHCORE_OUTPUT_IDLE: u32 = 0;
/// Output: start the exchange `request_info`.
pub const SMOOTHCORE_OUTPUT_REQUEST: u32 = 1;
/// Output: stop the exchange `request`; nothing more is expected of it.
pub const SMOOTHCORE_OUTPUT_CANCEL: u32 = 2;
/// Output: set up a decoder as `setup` says; answer with smoothcore_session_configured.
pub const SMOOTHCORE_OUTPUT_CONFIGURE: u32 = 3;
/// Output: give `sample` to the decoder; answer with smoothcore_session_accepted or _refused.
pub const SMOOTHCORE_OUTPUT_SAMPLE: u32 = 4;
/// Output: the presentation clock runs at `rate`.
pub const SMOOTHCORE_OUTPUT_RATE: u32 = 5;
/// Output: throw away what the decoder of `stream` holds, and anything older than `epoch`.
pub const SMOOTHCORE_OUTPUT_FLUSH: u32 = 6;
/// Output: no sample follows on `stream` in `epoch`.
pub const SMOOTHCORE_OUTPUT_END_OF_STREAM: u32 = 7;
/// Output: something you may want to know stands in `event`.
pub const SMOOTHCORE_OUTPUT_EVENT: u32 = 8;
/// Output: `offer` is for the DRM agent; tell what comes of it with smoothcore_session_key, now or later.
pub const SMOOTHCORE_OUTPUT_PROTECTION: u32 = 9;
/// Output: decrypt what `decrypt` names in place; answer with smoothcore_session_decrypted.
pub const SMOOTHCORE_OUTPUT_DECRYPT: u32 = 10;
/// Output: could the decoder play `candidate`? Answer with smoothcore_session_capable.
pub const SMOOTHCORE_OUTPUT_CAPABILITY: u32 = 11;

/// Output: `captions` are in the sample that comes next; nothing is answered. Only with smoothcore_config.captions.
pub const SMOOTHCORE_OUTPUT_CAPTIONS: u32 = 12;

/// One thing to do. You set `struct_size`; the library fills the rest. Of the pointers only the one for `kind` is not
/// NULL; it is valid until the next call with the same session.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct smoothcore_output {
    /// sizeof(smoothcore_output).
    pub struct_size: u32,
    /// A SMOOTHCORE_OUTPUT_ number.
    pub kind: u32,
    /// IDLE: call smoothcore_session_timeout at this time; SMOOTHCORE_NO_TIME_US: not before the next input.
    pub deadline_us: u64,
    /// FLUSH, END_OF_STREAM: the stream.
    pub stream: u32,
    /// FLUSH, END_OF_STREAM: the epoch.
    pub epoch: u32,
    /// CANCEL: the exchange.
    pub request: u32,
    /// RATE: 0 to show nothing new, 1000 for real time.
    pub rate: i32,
    /// REQUEST.
    pub request_info: *const smoothcore_request,
    /// CONFIGURE.
    pub setup: *const smoothcore_setup,
    /// SAMPLE.
    pub sample: *const smoothcore_sample,
    /// EVENT.
    pub event: *const smoothcore_event,
    /// PROTECTION.
    pub offer: *const smoothcore_protection_offer,
    /// DECRYPT.
    pub decrypt: *const smoothcore_decrypt,
    /// CAPABILITY.
    pub candidate: *const smoothcore_candidate,
    /// CAPTIONS.
    pub captions: *const smoothcore_captions,
}

record!(smoothcore_output, captions, deadline_us);
