//! The core's values as C's structs.

use core::ffi::c_char;
use core::ptr;

use super::codes::SMOOTHCORE_OK;
use super::info::{
    SMOOTHCORE_STATE_ENDED, SMOOTHCORE_STATE_FAILED, SMOOTHCORE_STATE_NEW, SMOOTHCORE_STATE_OPENING,
    SMOOTHCORE_STATE_PLAYING, smoothcore_deviation, smoothcore_level_info, smoothcore_metadata,
    smoothcore_presentation, smoothcore_stats, smoothcore_stream_info,
};
use super::media::*;
use super::protection::{ProtectionScratch, sample_protection};
use super::record;
use super::scratch::{PartList, Reserve, UrlText};
use super::types::*;
use super::{text, tracks};
use crate::codec::{Codec, CodecConfig, Kind, codec_string};
use crate::error::{Code, Error};
use crate::io::{
    Buffered, Configure, DecoderTraits, Event, EventKind, Framing, Rate, Request, RequestKind, Sample,
    StreamId,
};
use crate::manifest::{Manifest, QualityLevel, Stream};
use crate::mem::Text;
use crate::session::{Selection, Session, State};
use crate::time::{MediaTime, Micros};

/// The name of a codec in an array of C's.
pub(super) type CodecName = [c_char; 40];

pub(super) fn stream_id(stream: u32) -> Result<StreamId, Code> {
    u16::try_from(stream).map(StreamId).map_err(|_| Code::Argument)
}

pub(super) fn selection(on: u32) -> Result<Selection, Code> {
    match on {
        0 => Ok(Selection::Off),
        1 => Ok(Selection::On),
        _ => Err(Code::Argument),
    }
}

pub(super) fn traits(framing: u32, flags: u32) -> Result<DecoderTraits, Code> {
    const KNOWN: u32 = SMOOTHCORE_DECODER_CONTIGUOUS
        | SMOOTHCORE_DECODER_NEEDS_AUD
        | SMOOTHCORE_DECODER_UNPACED
        | SMOOTHCORE_DECODER_REPEAT_PARAMETER_SETS
        | SMOOTHCORE_DECODER_CAPABILITIES
        | SMOOTHCORE_DECODER_SEAMLESS_RESIZE;
    const {
        assert!(SMOOTHCORE_DECODER_CONTIGUOUS == DecoderTraits::CONTIGUOUS);
        assert!(SMOOTHCORE_DECODER_NEEDS_AUD == DecoderTraits::NEEDS_AUD);
        assert!(SMOOTHCORE_DECODER_UNPACED == DecoderTraits::UNPACED);
        assert!(SMOOTHCORE_DECODER_REPEAT_PARAMETER_SETS == DecoderTraits::REPEAT_PARAMETER_SETS);
        assert!(SMOOTHCORE_DECODER_CAPABILITIES == DecoderTraits::CAPABILITIES);
        assert!(SMOOTHCORE_DECODER_SEAMLESS_RESIZE == DecoderTraits::SEAMLESS_RESIZE);
    }
    let framing = match framing {
        SMOOTHCORE_FRAMING_ELEMENTARY => Framing::ElementaryStream,
        SMOOTHCORE_FRAMING_LENGTH_PREFIXED => Framing::LengthPrefixed,
        _ => return Err(Code::Argument),
    };
    if flags & !KNOWN != 0 {
        return Err(Code::Argument);
    }
    Ok(DecoderTraits { framing, flags })
}

pub(super) fn buffered(held: &smoothcore_buffered) -> Buffered {
    Buffered {
        depth: Micros(held.depth_us),
        position: (held.position != SMOOTHCORE_NO_TIME).then_some(MediaTime(held.position)),
        dropped: held.dropped,
    }
}

pub(super) fn rate(rate: Rate) -> i32 {
    match rate {
        Rate::Hold => 0,
        Rate::Run(thousandths) => thousandths,
    }
}

/// # Errors
/// [`Code::LimitUrl`] when the URL is longer than `text` has room for, [`Code::UrlInvalid`] when C could not read it.
pub(super) fn request(request: &Request<'_>, text: &mut UrlText) -> Result<smoothcore_request, Code> {
    let mut flags = 0;
    if request.kind == RequestKind::Manifest {
        flags |= SMOOTHCORE_REQUEST_ACCEPT_GZIP;
    }
    if request.attempt >= 3 {
        flags |= SMOOTHCORE_REQUEST_NO_CACHE;
    }
    Ok(smoothcore_request {
        id: request.id.0,
        kind: match request.kind {
            RequestKind::Manifest => SMOOTHCORE_REQUEST_MANIFEST,
            RequestKind::Fragment => SMOOTHCORE_REQUEST_FRAGMENT,
        },
        attempt: request.attempt,
        stream: request.stream.map_or(-1, |s| i32::from(s.0)),
        flags,
        url: text.put(request.url)?,
        ..record::blank()
    })
}

pub(super) fn slice(bytes: &[u8]) -> smoothcore_slice {
    smoothcore_slice { data: bytes.as_ptr(), size: bytes.len() }
}

const fn kind(kind: Kind) -> u32 {
    match kind {
        Kind::Video => SMOOTHCORE_KIND_VIDEO,
        Kind::Audio => SMOOTHCORE_KIND_AUDIO,
        Kind::Text => SMOOTHCORE_KIND_TEXT,
    }
}

const fn codec(codec: Codec) -> u32 {
    match codec {
        Codec::H264 => SMOOTHCORE_CODEC_H264,
        Codec::Aac => SMOOTHCORE_CODEC_AAC,
        Codec::H265 => SMOOTHCORE_CODEC_H265,
        Codec::Vc1 => SMOOTHCORE_CODEC_VC1,
        Codec::Wma => SMOOTHCORE_CODEC_WMA,
        Codec::WmaPro => SMOOTHCORE_CODEC_WMA_PRO,
        Codec::Ac3 => SMOOTHCORE_CODEC_AC3,
        Codec::Eac3 => SMOOTHCORE_CODEC_EAC3,
        Codec::MpegAudio => SMOOTHCORE_CODEC_MPEG_AUDIO,
        Codec::Pcm => SMOOTHCORE_CODEC_PCM,
        Codec::Ttml => SMOOTHCORE_CODEC_TTML,
        Codec::Other => SMOOTHCORE_CODEC_OTHER,
    }
}

fn codec_name(config: &CodecConfig) -> CodecName {
    text::array(&codec_string(config))
}

/// The set-up; `name` is what its `codec_string` points to, `key` what its `key` does.
pub(super) fn setup(configure: &Configure<'_>, name: &mut CodecName, key: &mut u64) -> smoothcore_setup {
    let config = configure.config;
    *name = codec_name(config);
    smoothcore_setup {
        stream: u32::from(configure.stream.0),
        epoch: configure.epoch.0,
        kind: kind(configure.kind),
        codec: codec(config.codec),
        framing: match configure.framing {
            Framing::ElementaryStream => SMOOTHCORE_FRAMING_ELEMENTARY,
            Framing::LengthPrefixed => SMOOTHCORE_FRAMING_LENGTH_PREFIXED,
        },
        fourcc: config.fourcc.0,
        level: configure.level,
        bitrate: configure.bitrate,
        width: config.width,
        height: config.height,
        sampling_rate: config.sampling_rate,
        channels: u32::from(config.channels),
        bits_per_sample: u32::from(config.bits_per_sample),
        packet_size: config.packet_size,
        audio_tag: config.audio_tag,
        nal_length: u32::from(config.nal_length),
        record: slice(configure.record),
        codec_private: slice(&config.private),
        codec_string: name.as_ptr(),
        key: match configure.key {
            Some(handle) => {
                *key = handle.0;
                ptr::from_ref(key)
            }
            None => ptr::null(),
        },
        ..record::blank()
    }
}

/// The sample; `parts` is what its `parts` points to, `scratch` what its `protection` does.
///
/// # Errors
/// [`Code::Budget`] or [`Code::NoMemory`].
pub(super) fn sample(
    sample: &Sample<'_>,
    parts: &mut PartList,
    scratch: &mut ProtectionScratch,
) -> Result<smoothcore_sample, Code> {
    use crate::io::SampleFlags;
    const {
        assert!(SMOOTHCORE_SAMPLE_KEY == SampleFlags::KEY.0);
        assert!(SMOOTHCORE_SAMPLE_DISCONTINUITY == SampleFlags::DISCONTINUITY.0);
        assert!(SMOOTHCORE_SAMPLE_CONFIG == SampleFlags::CONFIG.0);
        assert!(SMOOTHCORE_SAMPLE_PREROLL == SampleFlags::PREROLL.0);
        assert!(SMOOTHCORE_SAMPLE_VERBATIM == SampleFlags::VERBATIM.0);
    }
    let size = parts.put(&sample.data)?;
    Ok(smoothcore_sample {
        stream: u32::from(sample.stream.0),
        epoch: sample.epoch.0,
        flags: sample.flags.0,
        pts: sample.pts.0,
        dts: sample.dts.0,
        duration: sample.duration,
        pts_90k: sample.pts.pts90k(),
        dts_90k: sample.dts.pts90k(),
        fragment: sample.fragment,
        bitrate: sample.bitrate,
        part_count: parts.count(),
        size,
        parts: parts.as_ptr(),
        protection: sample_protection(sample.protection.as_ref(), scratch),
        pieces: sample.pieces.as_ptr(),
        piece_count: sample.pieces.len(),
        ..record::blank()
    })
}

const fn event_kind(kind: EventKind) -> u32 {
    match kind {
        EventKind::Opened => SMOOTHCORE_EVENT_OPENED,
        EventKind::StreamDropped => SMOOTHCORE_EVENT_STREAM_DROPPED,
        EventKind::LevelDropped => SMOOTHCORE_EVENT_LEVEL_DROPPED,
        EventKind::FragmentStarted => SMOOTHCORE_EVENT_FRAGMENT_STARTED,
        EventKind::FragmentDone => SMOOTHCORE_EVENT_FRAGMENT_DONE,
        EventKind::Retry => SMOOTHCORE_EVENT_RETRY,
        EventKind::Gap => SMOOTHCORE_EVENT_GAP,
        EventKind::Switch => SMOOTHCORE_EVENT_SWITCH,
        EventKind::Started => SMOOTHCORE_EVENT_STARTED,
        EventKind::Stalled => SMOOTHCORE_EVENT_STALLED,
        EventKind::Resumed => SMOOTHCORE_EVENT_RESUMED,
        EventKind::Seeking => SMOOTHCORE_EVENT_SEEKING,
        EventKind::StreamEnded => SMOOTHCORE_EVENT_STREAM_ENDED,
        EventKind::Ended => SMOOTHCORE_EVENT_ENDED,
        EventKind::Failed => SMOOTHCORE_EVENT_FAILED,
        EventKind::NoKeyFrame => SMOOTHCORE_EVENT_NO_KEY_FRAME,
        EventKind::KeyTimeout => SMOOTHCORE_EVENT_KEY_TIMEOUT,
        EventKind::HeaderDropped => SMOOTHCORE_EVENT_HEADER_DROPPED,
        EventKind::LevelAllowed => SMOOTHCORE_EVENT_LEVEL_ALLOWED,
        EventKind::NotYet => SMOOTHCORE_EVENT_NOT_YET,
        EventKind::StalledAtEdge => SMOOTHCORE_EVENT_STALLED_AT_EDGE,
        EventKind::EdgeMoving => SMOOTHCORE_EVENT_EDGE_MOVING,
        EventKind::BehindWindow => SMOOTHCORE_EVENT_BEHIND_WINDOW,
        EventKind::GapSkipped => SMOOTHCORE_EVENT_GAP_SKIPPED,
        EventKind::OriginRestarted => SMOOTHCORE_EVENT_ORIGIN_RESTARTED,
        EventKind::LiveEnded => SMOOTHCORE_EVENT_LIVE_ENDED,
        EventKind::WindowTrimmed => SMOOTHCORE_EVENT_WINDOW_TRIMMED,
        EventKind::Refreshed => SMOOTHCORE_EVENT_REFRESHED,
        EventKind::RefreshFailed => SMOOTHCORE_EVENT_REFRESH_FAILED,
        EventKind::ClockJumped => SMOOTHCORE_EVENT_CLOCK_JUMPED,
        EventKind::Decided => SMOOTHCORE_EVENT_DECIDED,
        EventKind::Abandoned => SMOOTHCORE_EVENT_ABANDONED,
        EventKind::Replaced => SMOOTHCORE_EVENT_REPLACED,
        EventKind::DroppingFrames => SMOOTHCORE_EVENT_DROPPING_FRAMES,
    }
}

fn why(error: Option<Error>) -> i32 {
    error.map_or(0, |e| e.code.number())
}

fn time(time: Option<MediaTime>) -> i64 {
    time.map_or(SMOOTHCORE_NO_TIME, |t| t.0)
}

fn span(span: Option<Micros>) -> u64 {
    span.map_or(SMOOTHCORE_NO_TIME_US, |s| s.0)
}

pub(super) fn event(event: &Event) -> smoothcore_event {
    let place = event.error.map(|e| e.place).unwrap_or_default();
    smoothcore_event {
        kind: event_kind(event.kind),
        at_us: event.at.0,
        media_time: time(event.media_time),
        a: event.a,
        b: event.b,
        offset: place.offset,
        stream: event.stream.map_or(-1, |s| i32::from(s.0)),
        code: why(event.error),
        http_status: u32::from(event.http_status),
        lost: event.lost,
        place: text::array(place.at),
        ..record::blank()
    }
}

pub(super) fn stats(session: &Session, reserve: &Reserve) -> smoothcore_stats {
    let stats = session.stats();
    let (state, error) = match session.state() {
        State::New => (SMOOTHCORE_STATE_NEW, None),
        State::Opening => (SMOOTHCORE_STATE_OPENING, None),
        State::Playing => (SMOOTHCORE_STATE_PLAYING, None),
        State::Ended => (SMOOTHCORE_STATE_ENDED, None),
        State::Failed(error) => (SMOOTHCORE_STATE_FAILED, Some(error)),
    };
    let with_ours = |bytes: usize| bytes.saturating_add(reserve.bytes) as u64;
    smoothcore_stats {
        state,
        manifest_us: span(stats.manifest),
        first_byte_us: span(stats.first_byte),
        first_sample_us: span(stats.first_sample),
        startup_us: span(stats.startup),
        stalled_us: stats.stalled.0,
        samples: stats.samples,
        bytes: stats.bytes,
        manifest_bytes: stats.manifest_bytes,
        link_rate: stats.link_rate,
        held_bytes: with_ours(stats.held),
        peak_held_bytes: with_ours(stats.peak_held),
        budget_bytes: with_ours(session.config().budget),
        stalls: stats.stalls,
        switches_up: stats.switches_up,
        switches_down: stats.switches_down,
        requests: stats.requests,
        http_errors: stats.http_errors,
        retries: stats.retries,
        abandoned: stats.abandoned,
        replaced: stats.replaced,
        wasted_bytes: stats.wasted,
        fragments: stats.fragments,
        gaps: stats.gaps,
        error: why(error),
        not_yet: stats.not_yet,
        refreshes: stats.refreshes,
        ..record::blank()
    }
}

fn manifest(session: &Session) -> Result<&Manifest, Code> {
    session.manifest().ok_or(Code::State)
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

pub(super) fn presentation(session: &Session) -> Result<smoothcore_presentation, Code> {
    let manifest = manifest(session)?;
    Ok(smoothcore_presentation {
        live: u32::from(manifest.is_live()),
        stream_count: count(manifest.streams.len()),
        protection_count: count(manifest.protection.len()),
        duration_us: manifest.length().0,
        first_time: time(manifest.first_time()),
        end_time: time(manifest.end_time()),
        ..record::blank()
    })
}

/// # Safety
/// `out` is NULL or writable.
pub(super) unsafe fn stream_count(session: &Session, out: *mut u32) -> Result<i32, Code> {
    if out.is_null() || !out.is_aligned() {
        return Err(Code::Argument);
    }
    let streams = count(manifest(session)?.streams.len());
    // SAFETY: not NULL; the caller's promise.
    unsafe { out.write(streams) };
    Ok(SMOOTHCORE_OK)
}

/// # Safety
/// `kept` is NULL or writable, and so is `lost`.
pub(super) unsafe fn deviation_count(session: &Session, kept: *mut u32, lost: *mut u32) -> Result<i32, Code> {
    if kept.is_null() || !kept.is_aligned() || !lost.is_aligned() {
        return Err(Code::Argument);
    }
    if !cfg!(feature = "details") {
        return Err(Code::Unsupported);
    }
    let others = session.manifest().map_or(0, |m| m.deviations_lost);
    // SAFETY: not NULL; the caller's promise.
    unsafe { kept.write(count(session.deviations().len())) };
    if !lost.is_null() {
        // SAFETY: not NULL; the caller's promise.
        unsafe { lost.write(others) };
    }
    Ok(SMOOTHCORE_OK)
}

pub(super) fn deviation(session: &Session, position: u32) -> Result<smoothcore_deviation, Code> {
    if !cfg!(feature = "details") {
        return Err(Code::Unsupported);
    }
    let d = usize::try_from(position).ok().and_then(|at| session.deviations().get(at));
    let d = d.ok_or(Code::Argument)?;
    Ok(smoothcore_deviation {
        offset: d.offset,
        rule: text::array(d.rule),
        place: text::array(d.place),
        ..record::blank()
    })
}

pub(super) fn metadata(session: &Session, position: u32) -> Result<smoothcore_metadata, Code> {
    if !cfg!(feature = "details") {
        return Err(Code::Unsupported);
    }
    let found = usize::try_from(position).ok().and_then(|at| manifest(session).ok()?.metadata.get(at));
    found.map(pair).ok_or(Code::Argument)
}

pub(super) fn pair((name, value): &(Text, Text)) -> smoothcore_metadata {
    smoothcore_metadata { name: slice(name.as_bytes()), value: slice(value.as_bytes()), ..record::blank() }
}

fn listed(session: &Session, stream: u32) -> Result<(StreamId, &Stream), Code> {
    let manifest = manifest(session)?;
    let id = stream_id(stream)?;
    manifest.streams.get(usize::from(id.0)).map(|s| (id, s)).ok_or(Code::Argument)
}

pub(super) fn stream(session: &Session, stream: u32) -> Result<smoothcore_stream_info, Code> {
    let (id, s) = listed(session, stream)?;
    let now = session.stream_stats(id);
    let (selected, now) = (u32::from(now.is_some()), now.unwrap_or_default());
    Ok(smoothcore_stream_info {
        id: stream,
        kind: kind(s.kind),
        selected,
        playable: u32::from(s.unusable.is_none()),
        level_count: count(s.levels.len()),
        max_width: s.max_width,
        max_height: s.max_height,
        display_width: s.display_width,
        display_height: s.display_height,
        bitrate: now.bitrate,
        why: why(s.unusable),
        fragments: s.timeline.len(),
        timescale: s.timescale.per_second(),
        first_time: time(s.first_time()),
        end_time: time(s.end_time()),
        position: time(now.position),
        ahead_us: now.ahead.0,
        depth_us: now.depth.0,
        name: text::array(&s.name),
        language: text::array(&s.language),
        subtype: text::array(&s.subtype),
        role: session.role(id).map_or(0, tracks::role_number),
        track: session.track(id).map_or(0, |t| t.0),
        ..record::blank()
    })
}

pub(super) fn level_of(session: &Session, stream: u32, position: u32) -> Result<&QualityLevel, Code> {
    let (_, s) = listed(session, stream)?;
    usize::try_from(position).ok().and_then(|at| s.levels.get(at)).ok_or(Code::Argument)
}

pub(super) fn level(session: &Session, stream: u32, position: u32) -> Result<smoothcore_level_info, Code> {
    let level = level_of(session, stream, position)?;
    Ok(smoothcore_level_info {
        index: level.index,
        bitrate: level.bitrate,
        width: level.config.width,
        height: level.config.height,
        sampling_rate: level.config.sampling_rate,
        channels: u32::from(level.config.channels),
        codec: codec(level.config.codec),
        usable: u32::from(level.unusable.is_none()),
        why: why(level.unusable),
        fourcc: level.config.fourcc.0,
        codec_string: codec_name(&level.config),
        ..record::blank()
    })
}

/// Copies an init segment to a C caller's buffer if there is room; tells how long it is.
///
/// # Safety
/// `buffer` has room for `size` bytes or `size` is 0; `length` may be written.
pub(super) unsafe fn init_segment(
    session: &mut Session,
    (stream, position): (u32, u32),
    buffer: *mut u8,
    size: usize,
    length: *mut usize,
) -> Result<i32, Code> {
    if length.is_null() || (buffer.is_null() && size != 0) || size > isize::MAX as usize {
        return Err(Code::Argument);
    }
    let segment = session.init_segment(stream_id(stream)?, position).map_err(|e| e.code)?;
    // SAFETY: not NULL, and the caller's promise.
    unsafe { length.write(segment.len()) };
    if !buffer.is_null() && segment.len() <= size {
        // SAFETY: there is room; what the session holds is not the caller's.
        unsafe { core::ptr::copy_nonoverlapping(segment.as_ptr(), buffer, segment.len()) };
    }
    Ok(SMOOTHCORE_OK)
}
