/*
 * SmoothCore: Smooth Streaming for set-top boxes.
 *
 * Generated from src/capi by `make header`; do not edit.
 *
 * Results    0 is SMOOTHCORE_OK. A positive number is no error: SMOOTHCORE_WOULD_BLOCK, SMOOTHCORE_END. A negative
 *            number is an error with a name below; it keeps its number for ever. smoothcore_strerror() gives a line
 *            of text. New numbers may appear: treat an unknown negative number as an error.
 * Time       Media time is int64_t in units of 100 ns. Host time is uint64_t in microseconds of a clock that never
 *            goes back, whatever its zero, in names that end in _us. The library reads no clock.
 * Text       Strings end with NUL and are UTF-8. Every function that takes a pointer refuses NULL with
 *            SMOOTHCORE_E_ARGUMENT unless its comment allows it; destroy functions do nothing then.
 * Threads    The library starts none and keeps no global state but the log sink. Everything of one player is called
 *            from one thread at a time, and not from inside its own callbacks, which is detected and refused. What
 *            may be called from elsewhere says so. Two players are independent.
 * Ownership  A pointer is valid during the call it is passed to or by, unless its comment says otherwise. The library
 *            never frees what it did not allocate. What a create function returns goes back to its destroy function.
 * Structs    Where a struct begins with struct_size, set it to sizeof the struct you compiled with and zero the rest
 *            first. A shorter struct of an older header is read as if continued with zeros; zero means the default.
 *            A longer one is refused when its unknown tail is not zero; where the library fills a struct of yours, it
 *            fills what you declared and zeroes a tail it does not know. Structs only ever grow at their end.
 * Callbacks  userdata comes first and is yours alone. A callback may not unwind or longjmp through the library.
 * Memory     All memory comes from the two smoothcore_port_ functions, which the firmware defines. When they return
 *            NULL the library returns SMOOTHCORE_E_NO_MEMORY; it never aborts.
 */

#ifndef SMOOTHCORE_H
#define SMOOTHCORE_H

#include <stddef.h>
#include <stdint.h>

/* The call did what it says. */
#define SMOOTHCORE_OK 0
/* Not now: call again after the next wake-up or deadline. */
#define SMOOTHCORE_WOULD_BLOCK 1
/* There is no more to come. */
#define SMOOTHCORE_END 2
/* An argument is out of range. */
#define SMOOTHCORE_E_ARGUMENT (-1)
/* Struct size or ABI version does not fit this library. */
#define SMOOTHCORE_E_ABI (-2)
/* The allocator has no memory. */
#define SMOOTHCORE_E_NO_MEMORY (-3)
/* Not possible in this state. */
#define SMOOTHCORE_E_STATE (-4)
/* Called from inside a callback of the same player. */
#define SMOOTHCORE_E_REENTRANT (-5)
/* The byte budget is too small. */
#define SMOOTHCORE_E_BUDGET (-6)
/* Not supported by this port or build. */
#define SMOOTHCORE_E_UNSUPPORTED (-7)
/* The file is not there. */
#define SMOOTHCORE_E_NO_FILE (-8)
/* Reading a file failed. */
#define SMOOTHCORE_E_FILE_IO (-9)
/* The manifest is not well-formed XML. */
#define SMOOTHCORE_E_MANIFEST_SYNTAX (-100)
/* The manifest's text encoding is broken. */
#define SMOOTHCORE_E_MANIFEST_ENCODING (-101)
/* The manifest has a DOCTYPE, which Smooth Streaming forbids. */
#define SMOOTHCORE_E_MANIFEST_DOCTYPE (-102)
/* The manifest uses an undefined or illegal entity. */
#define SMOOTHCORE_E_MANIFEST_ENTITY (-103)
/* Not a Smooth Streaming manifest. */
#define SMOOTHCORE_E_MANIFEST_NOT_SMOOTH (-104)
/* Unknown manifest version. */
#define SMOOTHCORE_E_MANIFEST_VERSION (-105)
/* A required attribute is missing or invalid. */
#define SMOOTHCORE_E_MANIFEST_ATTRIBUTE (-106)
/* The fragment list has impossible times. */
#define SMOOTHCORE_E_MANIFEST_TIMELINE (-107)
/* No stream of the manifest can be played. */
#define SMOOTHCORE_E_MANIFEST_NOTHING_PLAYABLE (-108)
/* The manifest ends too early. */
#define SMOOTHCORE_E_MANIFEST_TRUNCATED (-109)
/* A URL is malformed. */
#define SMOOTHCORE_E_URL_INVALID (-110)
/* A URL was refused: scheme, or a path above the manifest's. */
#define SMOOTHCORE_E_URL_REFUSED (-111)
/* The manifest deviates from the specification. */
#define SMOOTHCORE_E_MANIFEST_DEVIATION (-112)
/* The manifest is larger than the limit. */
#define SMOOTHCORE_E_LIMIT_MANIFEST_BYTES (-120)
/* The compressed manifest inflates beyond the limit. */
#define SMOOTHCORE_E_LIMIT_INFLATE_RATIO (-121)
/* XML elements are nested too deeply. */
#define SMOOTHCORE_E_LIMIT_XML_DEPTH (-122)
/* An XML element has too many attributes. */
#define SMOOTHCORE_E_LIMIT_XML_ATTRIBUTES (-123)
/* An XML name, attribute or text is too long. */
#define SMOOTHCORE_E_LIMIT_XML_TEXT (-124)
/* Too many streams. */
#define SMOOTHCORE_E_LIMIT_STREAMS (-125)
/* Too many quality levels in a stream. */
#define SMOOTHCORE_E_LIMIT_LEVELS (-126)
/* Too many custom attributes on a quality level. */
#define SMOOTHCORE_E_LIMIT_CUSTOM_ATTRIBUTES (-127)
/* Too many fragments listed. */
#define SMOOTHCORE_E_LIMIT_FRAGMENTS (-128)
/* A URL is too long. */
#define SMOOTHCORE_E_LIMIT_URL (-129)
/* The samples in the manifest are larger than the limit. */
#define SMOOTHCORE_E_LIMIT_PAYLOAD (-130)
/* Compressed data has a bad gzip or zlib header. */
#define SMOOTHCORE_E_INFLATE_HEADER (-140)
/* Compressed data is corrupt. */
#define SMOOTHCORE_E_INFLATE_DATA (-141)
/* The checksum of compressed data does not match. */
#define SMOOTHCORE_E_INFLATE_CHECKSUM (-142)
/* Compressed data ends too early. */
#define SMOOTHCORE_E_INFLATE_TRUNCATED (-143)
/* The server answered with an error status. */
#define SMOOTHCORE_E_HTTP_STATUS (-200)
/* No connection to the server. */
#define SMOOTHCORE_E_CONNECT (-201)
/* The connection took too long. */
#define SMOOTHCORE_E_CONNECT_TIMEOUT (-202)
/* The server did not answer in time. */
#define SMOOTHCORE_E_FIRST_BYTE_TIMEOUT (-203)
/* The server stopped sending. */
#define SMOOTHCORE_E_IDLE_TIMEOUT (-204)
/* The response ended before its declared length. */
#define SMOOTHCORE_E_BODY_TRUNCATED (-205)
/* The HTTP response is malformed. */
#define SMOOTHCORE_E_HTTP_SYNTAX (-206)
/* Too many redirects, or one that is not allowed. */
#define SMOOTHCORE_E_TOO_MANY_REDIRECTS (-207)
/* Unknown Content-Encoding. */
#define SMOOTHCORE_E_CONTENT_ENCODING (-208)
/* The connection failed. */
#define SMOOTHCORE_E_NETWORK_IO (-209)
/* The server's name could not be resolved. */
#define SMOOTHCORE_E_NAME_RESOLUTION (-210)
/* The secure connection failed. */
#define SMOOTHCORE_E_TLS (-211)
/* The HTTP response head is larger than the limit. */
#define SMOOTHCORE_E_LIMIT_HTTP_HEAD (-220)
/* The response is not a media fragment. */
#define SMOOTHCORE_E_FRAGMENT_NOT_MP4 (-300)
/* A box has an impossible size. */
#define SMOOTHCORE_E_BOX_INVALID (-301)
/* The sample table does not fit the media data. */
#define SMOOTHCORE_E_SAMPLES_OUTSIDE (-302)
/* The fragment ends too early. */
#define SMOOTHCORE_E_FRAGMENT_TRUNCATED (-303)
/* The fragment changed between two requests. */
#define SMOOTHCORE_E_FRAGMENT_CHANGED (-304)
/* A NAL unit length exceeds its sample. */
#define SMOOTHCORE_E_NAL_INVALID (-305)
/* The codec private data cannot be used. */
#define SMOOTHCORE_E_CODEC_CONFIG (-306)
/* The codec is not supported. */
#define SMOOTHCORE_E_CODEC_UNSUPPORTED (-307)
/* The fragment does not start with a key frame. */
#define SMOOTHCORE_E_NO_KEY_FRAME (-308)
/* The fragment could not be fetched and was skipped. */
#define SMOOTHCORE_E_FRAGMENT_LOST (-309)
/* The sample encryption table does not fit the samples. */
#define SMOOTHCORE_E_ENCRYPTION_TABLE (-310)
/* The live window has passed what is played. */
#define SMOOTHCORE_E_BEHIND_WINDOW (-311)
/* Too many boxes, or nested too deeply. */
#define SMOOTHCORE_E_LIMIT_BOXES (-320)
/* Too many samples in a fragment. */
#define SMOOTHCORE_E_LIMIT_SAMPLES (-321)
/* The fragment is larger than the limit. */
#define SMOOTHCORE_E_LIMIT_FRAGMENT_BYTES (-322)
/* A sample is larger than its share of the budget. */
#define SMOOTHCORE_E_LIMIT_SAMPLE_BYTES (-323)
/* The codec private data is larger than the limit. */
#define SMOOTHCORE_E_LIMIT_CODEC_CONFIG (-324)
/* The movie fragment header is larger than the limit. */
#define SMOOTHCORE_E_LIMIT_MOOF_BYTES (-325)
/* Too many subsamples in a fragment. */
#define SMOOTHCORE_E_LIMIT_SUBSAMPLES (-326)
/* The protection system is not supported. */
#define SMOOTHCORE_E_PROTECTION_UNSUPPORTED (-400)
/* The protection header is malformed. */
#define SMOOTHCORE_E_PROTECTION_HEADER (-401)
/* The key of an encrypted stream was refused. */
#define SMOOTHCORE_E_KEY_REFUSED (-402)
/* The key of an encrypted stream did not come in time. */
#define SMOOTHCORE_E_KEY_TIMEOUT (-403)
/* A sample could not be decrypted. */
#define SMOOTHCORE_E_DECRYPT_FAILED (-404)
/* Output restrictions forbid this quality level. */
#define SMOOTHCORE_E_OUTPUT_RESTRICTED (-405)
/* A stream is encrypted, and there is neither a protection mode nor a protection port. */
#define SMOOTHCORE_E_PROTECTION_MISSING (-406)
/* Too many or too large protection headers. */
#define SMOOTHCORE_E_LIMIT_PROTECTION (-420)
/* A port callback broke its contract. */
#define SMOOTHCORE_E_PORT_CONTRACT (-500)
/* The decoder port failed. */
#define SMOOTHCORE_E_DECODER_FAILED (-501)
/* The HTTP port failed. */
#define SMOOTHCORE_E_HTTP_PORT_FAILED (-502)
/* The decoder refused every quality level of a stream. */
#define SMOOTHCORE_E_DECODER_REFUSED (-503)
/* The decoder cannot play this quality level. */
#define SMOOTHCORE_E_NOT_CAPABLE (-504)
/* Changes when a program built for an older header would break. While it is 0, every break has an ABI line in
 * CHANGELOG.md.
 */
#define SMOOTHCORE_ABI_MAJOR 0
/* Rises when functions, constants or struct tails are added. */
#define SMOOTHCORE_ABI_MINOR 1
/* Of the header you compile with, for smoothcore_config: `major << 16 | minor`. */
#define SMOOTHCORE_ABI_VERSION ((SMOOTHCORE_ABI_MAJOR << 16) | SMOOTHCORE_ABI_MINOR)
/* No media time is known. */
#define SMOOTHCORE_NO_TIME INT64_MIN
/* No host time: not yet, or never. */
#define SMOOTHCORE_NO_TIME_US UINT64_MAX
/* Kind of a stream: pictures. */
#define SMOOTHCORE_KIND_VIDEO 1
/* Kind of a stream: sound. */
#define SMOOTHCORE_KIND_AUDIO 2
/* Kind of a stream: subtitles, captions, timed data. */
#define SMOOTHCORE_KIND_TEXT 3
/* A codec the library does not know; its fourcc and audio tag say more. */
#define SMOOTHCORE_CODEC_OTHER 0
/* H.264. */
#define SMOOTHCORE_CODEC_H264 1
/* AAC in all its object types. */
#define SMOOTHCORE_CODEC_AAC 2
/* H.265. */
#define SMOOTHCORE_CODEC_H265 3
/* VC-1 Advanced Profile. */
#define SMOOTHCORE_CODEC_VC1 4
/* Windows Media Audio. */
#define SMOOTHCORE_CODEC_WMA 5
/* Windows Media Audio Professional. */
#define SMOOTHCORE_CODEC_WMA_PRO 6
/* Dolby Digital (AC-3). */
#define SMOOTHCORE_CODEC_AC3 7
/* Dolby Digital Plus (EC-3). */
#define SMOOTHCORE_CODEC_EAC3 8
/* MPEG audio, MP3 above all. */
#define SMOOTHCORE_CODEC_MPEG_AUDIO 9
/* PCM, little-endian. */
#define SMOOTHCORE_CODEC_PCM 10
/* Timed text (TTML). */
#define SMOOTHCORE_CODEC_TTML 11
/* Framing of samples: Annex B start codes, ADTS headers. */
#define SMOOTHCORE_FRAMING_ELEMENTARY 0
/* Framing of samples: NAL units behind their lengths, raw audio access units, as they lie in the file. */
#define SMOOTHCORE_FRAMING_LENGTH_PREFIXED 1
/* Decoder flag: each sample must be one part; the library copies where it must. */
#define SMOOTHCORE_DECODER_CONTIGUOUS 1
/* Decoder flag: each picture must begin with an access unit delimiter. */
#define SMOOTHCORE_DECODER_NEEDS_AUD 2
/* Decoder flag: no clock, it takes samples as fast as they come (a file, a transmuxer). */
#define SMOOTHCORE_DECODER_UNPACED 4
/* Decoder flag: parameter sets before every key frame, not only where they may have changed. */
#define SMOOTHCORE_DECODER_REPEAT_PARAMETER_SETS 8
/* Decoder flag: ask about every quality level before playback starts. */
#define SMOOTHCORE_DECODER_CAPABILITIES 16
/* Decoder: pictures may change their size from one fragment to the next without a break. Without it a change of size is
 * avoided, and made only where it is likely to last ten seconds.
 */
#define SMOOTHCORE_DECODER_SEAMLESS_RESIZE 32
/* Audio to play from the start: the first stream that can be played. */
#define SMOOTHCORE_AUDIO_FIRST 0
/* Audio to play from the start: the first stream of `audio_language`, or else the first. */
#define SMOOTHCORE_AUDIO_LANGUAGE 1
/* Audio to play from the start: every stream, each to its own decoder. */
#define SMOOTHCORE_AUDIO_ALL 2
/* Audio to play from the start: none. */
#define SMOOTHCORE_AUDIO_NONE 3
/* A manifest that deviates from the specification is read as it is meant; smoothcore_session_deviation tells how. */
#define SMOOTHCORE_MANIFEST_LENIENT 0
/* A manifest that deviates from the specification is SMOOTHCORE_E_MANIFEST_DEVIATION. */
#define SMOOTHCORE_MANIFEST_STRICT 1
/* A request fetches the client manifest. */
#define SMOOTHCORE_REQUEST_MANIFEST 1
/* A request fetches a media fragment. */
#define SMOOTHCORE_REQUEST_FRAGMENT 2
/* Request flag: send `Accept-Encoding: gzip, deflate`; hand the body in as it came and name its coding. */
#define SMOOTHCORE_REQUEST_ACCEPT_GZIP 1
/* Request flag: send `Cache-Control: no-cache`, for an earlier try got a bad copy. */
#define SMOOTHCORE_REQUEST_NO_CACHE 2
/* Sample flag: decoding can start here. */
#define SMOOTHCORE_SAMPLE_KEY 1
/* Sample flag: not the direct successor of the sample before. */
#define SMOOTHCORE_SAMPLE_DISCONTINUITY 2
/* Sample flag: parameter sets come first in it. */
#define SMOOTHCORE_SAMPLE_CONFIG 4
/* Sample flag: decode it, do not show it; it lies before the seek target. */
#define SMOOTHCORE_SAMPLE_PREROLL 8
/* Sample flag: encrypted where the lengths of NAL units are, so left as it lies in the file, whatever the framing. */
#define SMOOTHCORE_SAMPLE_VERBATIM 16
/* Event: the manifest is parsed. a = streams listed, b = duration in microseconds. */
#define SMOOTHCORE_EVENT_OPENED 1
/* Event: a stream will not be played; `code` says why. */
#define SMOOTHCORE_EVENT_STREAM_DROPPED 2
/* Event: a quality level will not be played; `code` says why. a = its bitrate. */
#define SMOOTHCORE_EVENT_LEVEL_DROPPED 3
/* Event: a fragment is being fetched. media_time = its start, a = bitrate, b = its start in stream ticks. */
#define SMOOTHCORE_EVENT_FRAGMENT_STARTED 4
/* Event: a fragment has arrived. a = bytes, b = microseconds from the request to the last byte. */
#define SMOOTHCORE_EVENT_FRAGMENT_DONE 5
/* Event: one try failed and another follows; `code` or `http_status` says why. a = try, b = microseconds to wait. */
#define SMOOTHCORE_EVENT_RETRY 6
/* Event: a fragment, or the rest of it, is lost. media_time = where the hole starts, a = its length in microseconds,
 * b = start of the fragment in stream ticks.
 */
#define SMOOTHCORE_EVENT_GAP 7
/* Event: the next fragments come from another level. a = bitrate before, b = bitrate from now on. */
#define SMOOTHCORE_EVENT_SWITCH 8
/* Event: the presentation clock was started for the first time. a = microseconds since open. */
#define SMOOTHCORE_EVENT_STARTED 9
/* Event: a decoder ran dry and the clock is held. stream = which. */
#define SMOOTHCORE_EVENT_STALLED 10
/* Event: the clock runs again after a stall. a = microseconds it was held. */
#define SMOOTHCORE_EVENT_RESUMED 11
/* Event: a seek begins. media_time = its target. */
#define SMOOTHCORE_EVENT_SEEKING 12
/* Event: one stream has been handed over to its end. */
#define SMOOTHCORE_EVENT_STREAM_ENDED 13
/* Event: every stream has ended. */
#define SMOOTHCORE_EVENT_ENDED 14
/* Event: playback cannot go on; `code` says why. Comes once. */
#define SMOOTHCORE_EVENT_FAILED 15
/* Event: the picture at which the decoder must start is no key frame; it goes to it all the same. media_time = where;
 * a = bitrate, b = start of the fragment in stream ticks.
 */
#define SMOOTHCORE_EVENT_NO_KEY_FRAME 16
/* Event: a key did not come in time; the stream waits on. media_time = the sample that waits; a, b = first and last 8
 * bytes of the key's name, big-endian.
 */
#define SMOOTHCORE_EVENT_KEY_TIMEOUT 17
/* Event: a protection header cannot be used; `code` says why. a = its place among the headers, from 0. */
#define SMOOTHCORE_EVENT_HEADER_DROPPED 18
/* Event: a quality level that output restrictions had taken away may be used again. a = its bitrate. */
#define SMOOTHCORE_EVENT_LEVEL_ALLOWED 19
/* Event, live: the origin does not have the fragment yet; it is asked again. No failure. media_time = its start,
 * http_status = how the origin said it; a = how often in a row, b = microseconds to wait.
 */
#define SMOOTHCORE_EVENT_NOT_YET 20
/* Event, live: nothing new has appeared at the edge for three fragments, or ten seconds; it goes on asking. media_time =
 * where the newest fragment ends; a = microseconds since something came.
 */
#define SMOOTHCORE_EVENT_STALLED_AT_EDGE 21
/* Event, live: the edge moves again. a = microseconds it stood. */
#define SMOOTHCORE_EVENT_EDGE_MOVING 22
/* Event, live: the window has overtaken what is played. media_time = the fragment that is gone; a = microseconds from there
 * to the start of the window; b = what is done: 1 goes on near the start of the window, 2 goes to the edge, 3 stops.
 */
#define SMOOTHCORE_EVENT_BEHIND_WINDOW 23
/* Event: the presentation has no media here, and it is played on behind it; the next sample carries
 * SMOOTHCORE_SAMPLE_DISCONTINUITY. media_time = where the hole begins; a = its length in microseconds, b = start of the next
 * fragment in stream ticks.
 */
#define SMOOTHCORE_EVENT_GAP_SKIPPED 24
/* Event, live: the encoder counts its time anew, from before or from far ahead. Decoders are flushed; playback goes on near the new edge. media_time = the
 * new start of the window.
 */
#define SMOOTHCORE_EVENT_ORIGIN_RESTARTED 25
/* Event, live: no more fragments will come; what is listed is played to its end. media_time = that end; http_status where
 * the origin no longer has the manifest.
 */
#define SMOOTHCORE_EVENT_LIVE_ENDED 26
/* Event, live: the oldest fragments have left the list because it had grown to its share of the budget. media_time = what is
 * the first one now; a = how many went.
 */
#define SMOOTHCORE_EVENT_WINDOW_TRIMMED 27
/* Event, live: the manifest was read again. a = why, a SMOOTHCORE_REFRESH_ number; b = microseconds it took. */
#define SMOOTHCORE_EVENT_REFRESHED 28
/* Event, live: reading the manifest again has failed; the list known stays in force. `code` or http_status says why;
 * a = why it was wanted, a SMOOTHCORE_REFRESH_ number; b = microseconds to the next try.
 */
#define SMOOTHCORE_EVENT_REFRESH_FAILED 29
/* Event: the clock has jumped forward; playback goes on as if it had not. a = microseconds left out. */
#define SMOOTHCORE_EVENT_CLOCK_JUMPED 30
/* Event: the level of the next fragment was decided. `media_time` = the fragment's start; `a` = bitrate, and from bit 32 on the
 * media held in milliseconds; `b` = the link's rate in bit/s that was reckoned with, 0 when unknown, and from bit 56 on a
 * SMOOTHCORE_WHY_ number. Of those that nobody has fetched only the newest is kept once events pile up.
 */
#define SMOOTHCORE_EVENT_DECIDED 40
/* Event: a fragment was coming too slowly, and is fetched again at a lower level. `media_time` = its start; `a` = bitrate given
 * up, `b` = bytes of it that had come.
 */
#define SMOOTHCORE_EVENT_ABANDONED 41
/* Event: a fragment in the buffer was fetched again at a higher level. `media_time` = its start; `a` = bitrate before, `b` =
 * bitrate now.
 */
#define SMOOTHCORE_EVENT_REPLACED 42
/* Event: the decoder drops too many pictures, and higher levels are left out for a while. `a` = the highest bitrate left, `b` =
 * microseconds.
 */
#define SMOOTHCORE_EVENT_DROPPING_FRAMES 43
/* Output: nothing more to do before `deadline_us`, or the next input. Always the last one. */
#define SMOOTHCORE_OUTPUT_IDLE 0
/* Output: start the exchange `request_info`. */
#define SMOOTHCORE_OUTPUT_REQUEST 1
/* Output: stop the exchange `request`; nothing more is expected of it. */
#define SMOOTHCORE_OUTPUT_CANCEL 2
/* Output: set up a decoder as `setup` says; answer with smoothcore_session_configured. */
#define SMOOTHCORE_OUTPUT_CONFIGURE 3
/* Output: give `sample` to the decoder; answer with smoothcore_session_accepted or _refused. */
#define SMOOTHCORE_OUTPUT_SAMPLE 4
/* Output: the presentation clock runs at `rate`. */
#define SMOOTHCORE_OUTPUT_RATE 5
/* Output: throw away what the decoder of `stream` holds, and anything older than `epoch`. */
#define SMOOTHCORE_OUTPUT_FLUSH 6
/* Output: no sample follows on `stream` in `epoch`. */
#define SMOOTHCORE_OUTPUT_END_OF_STREAM 7
/* Output: something you may want to know stands in `event`. */
#define SMOOTHCORE_OUTPUT_EVENT 8
/* Output: `offer` is for the DRM agent; tell what comes of it with smoothcore_session_key, now or later. */
#define SMOOTHCORE_OUTPUT_PROTECTION 9
/* Output: decrypt what `decrypt` names in place; answer with smoothcore_session_decrypted. */
#define SMOOTHCORE_OUTPUT_DECRYPT 10
/* Output: could the decoder play `candidate`? Answer with smoothcore_session_capable. */
#define SMOOTHCORE_OUTPUT_CAPABILITY 11
/* Output: `captions` are in the sample that comes next; nothing is answered. Only with smoothcore_config.captions. */
#define SMOOTHCORE_OUTPUT_CAPTIONS 12
/* Encrypted samples: a stream that has one is dropped. */
#define SMOOTHCORE_PROTECTION_NONE 0
/* Encrypted samples: they go to the decoder as they are, with all it needs to decrypt them. */
#define SMOOTHCORE_PROTECTION_DECODER 1
/* Encrypted samples: they are decrypted in memory, by you or your protection port, and reach the decoder clear. */
#define SMOOTHCORE_PROTECTION_DECRYPT 2
/* Scheme: AES-128 in counter mode. */
#define SMOOTHCORE_SCHEME_AES_CTR 1
/* Scheme: AES-128 in chained blocks over all whole blocks. */
#define SMOOTHCORE_SCHEME_AES_CBC 2
/* Scheme: AES-128 in chained blocks by a pattern. */
#define SMOOTHCORE_SCHEME_CBCS 3
/* An offer comes from a protection header of the manifest. */
#define SMOOTHCORE_OFFER_MANIFEST 1
/* An offer comes from a pssh box of a fragment. */
#define SMOOTHCORE_OFFER_FRAGMENT 2
/* An offer comes from a fragment that names a new key; system and data are those of the manifest's first header. */
#define SMOOTHCORE_OFFER_KEY 3
/* State: made, not opened. */
#define SMOOTHCORE_STATE_NEW 0
/* State: the manifest is being fetched. */
#define SMOOTHCORE_STATE_OPENING 1
/* State: fragments are being fetched and handed out. */
#define SMOOTHCORE_STATE_PLAYING 2
/* State: every selected stream has been handed over to its end. */
#define SMOOTHCORE_STATE_ENDED 3
/* State: a fatal error; only destroying is left. */
#define SMOOTHCORE_STATE_FAILED 4
/* Text to play from the start: none. */
#define SMOOTHCORE_TEXT_NONE 0
/* Text to play from the start: the first stream that is to be read, subtitles or captions. */
#define SMOOTHCORE_TEXT_FIRST 1
/* Text to play from the start: the first stream to be read of `text_language`; none when there is none. */
#define SMOOTHCORE_TEXT_LANGUAGE 2
/* Text to play from the start: every text stream, chapters, commands, markers and data included. */
#define SMOOTHCORE_TEXT_ALL 3
/* Role of a stream: what the programme consists of, or nothing special. */
#define SMOOTHCORE_ROLE_MAIN 0
/* Role of a stream: subtitles in another language (SUBT). */
#define SMOOTHCORE_ROLE_SUBTITLES 1
/* Role of a stream: captions for the hard of hearing (CAPT). */
#define SMOOTHCORE_ROLE_CAPTIONS 2
/* Role of a stream: description of what is to be heard or seen (DESC). */
#define SMOOTHCORE_ROLE_DESCRIPTION 3
/* Role of a stream: chapters (CHAP). */
#define SMOOTHCORE_ROLE_CHAPTERS 4
/* Role of a stream: script commands (SCMD). */
#define SMOOTHCORE_ROLE_SCRIPT 5
/* Role of a stream: advertisement markers (ADI3, ADVT). */
#define SMOOTHCORE_ROLE_ADS 6
/* Role of a stream: control events (CTRL). */
#define SMOOTHCORE_ROLE_CONTROL 7
/* Role of a stream: application data (DATA). */
#define SMOOTHCORE_ROLE_DATA 8
/* Role of a stream: pictures for fast play. */
#define SMOOTHCORE_ROLE_TRICK_MODE 9
/* Start of a live presentation: near its edge; after a suspension it goes on where it was. */
#define SMOOTHCORE_LIVE_START_EDGE 0
/* Start of a live presentation: at the beginning of its window; after a suspension it goes on where it was. */
#define SMOOTHCORE_LIVE_START_BEGINNING 1
/* Start of a live presentation: near its edge, and there again after a suspension. */
#define SMOOTHCORE_LIVE_START_ALWAYS_EDGE 2
/* When the window has overtaken what is played: it goes on at the start of the window, and a margin of five seconds or two
 * fragments.
 */
#define SMOOTHCORE_BEHIND_WINDOW_START 0
/* When the window has overtaken what is played: it goes to the edge. */
#define SMOOTHCORE_BEHIND_EDGE 1
/* When the window has overtaken what is played: it ends with SMOOTHCORE_E_BEHIND_WINDOW. */
#define SMOOTHCORE_BEHIND_STOP 2
/* How far back it can be played: as the origin says. */
#define SMOOTHCORE_WINDOW_ORIGIN 0
/* How far back it can be played: as far as fragments have been known, for origins that keep them longer than they say. */
#define SMOOTHCORE_WINDOW_UNLIMITED 1
/* Why the manifest is read again, `a` of SMOOTHCORE_EVENT_REFRESHED: a seek went to where the list does not reach. */
#define SMOOTHCORE_REFRESH_SEEK 1
/* Why the manifest is read again: playback goes on after a pause, a suspension, an outage or a jump of the clock. */
#define SMOOTHCORE_REFRESH_RESUME 2
/* Why the manifest is read again: nothing new comes at the edge. */
#define SMOOTHCORE_REFRESH_STALLED 3
/* Why the manifest is read again: a stream was turned on whose list does not reach the position. */
#define SMOOTHCORE_REFRESH_SELECT 4
/* Why the manifest is read again: the origin's fragments do not announce what follows. */
#define SMOOTHCORE_REFRESH_UNANNOUNCED 5
/* Why the manifest is read again: the origin does not have a fragment that is listed. */
#define SMOOTHCORE_REFRESH_MISSING 6
/* Why the manifest is read again: the origin refuses access; a token may have run out. */
#define SMOOTHCORE_REFRESH_FORBIDDEN 7
/* Why the manifest is read again: a played stream lists nothing yet. */
#define SMOOTHCORE_REFRESH_EMPTY 8
/* Why the manifest is read again: the list read before lies wholly before the one known, and is looked at twice. */
#define SMOOTHCORE_REFRESH_RESTART 9
/* Why the manifest is read again: the origin does not answer for a fragment. */
#define SMOOTHCORE_REFRESH_PROBE 10
/* Levels are chosen by the planner; in a library without it, and for a decoder without a clock, by the throughput-and-buffer
 * rule.
 */
#define SMOOTHCORE_RULE_PLANNER 0
/* Levels are chosen by the throughput-and-buffer rule. */
#define SMOOTHCORE_RULE_THROUGHPUT 1
/* No choice: the highest level of at most `fixed_bitrate`, or else the lowest one. */
#define SMOOTHCORE_RULE_FIXED 2
/* What is made most of: the logarithm of the bitrate. */
#define SMOOTHCORE_OBJECTIVE_LOG 0
/* What is made most of: the bitrate. */
#define SMOOTHCORE_OBJECTIVE_LINEAR 1
/* Why a level was chosen, in SMOOTHCORE_EVENT_DECIDED: the first choice, nothing being known of the link; `start_bitrate`, if
 * that is set.
 */
#define SMOOTHCORE_WHY_START 1
/* Why a level was chosen: the throughput rule, the link carries it. */
#define SMOOTHCORE_WHY_RATE 2
/* Why a level was chosen: the throughput rule, the buffer bridges a link that is too slow for it. */
#define SMOOTHCORE_WHY_BUFFER 3
/* Why a level was chosen: it is pinned. */
#define SMOOTHCORE_WHY_FIXED 4
/* Why a level was chosen: the first choice, from what was known of the network before. */
#define SMOOTHCORE_WHY_PRIOR 5
/* Why a level was chosen: the plan, it is worth most. */
#define SMOOTHCORE_WHY_PLAN 6
/* Why a level was chosen: the fragment was coming too slowly at a higher one. */
#define SMOOTHCORE_WHY_ABANDONED 7
/* Why a level was chosen: the link has become better than what is buffered. */
#define SMOOTHCORE_WHY_REPLACED 8
/* Why a level was chosen: sound, by its share of the link. */
#define SMOOTHCORE_WHY_SHARE 9
/* Why a level was chosen: the plan without tables, a few fragments ahead, there being no room for them in the budget or in
 * `table_bytes`, or more than 24 levels.
 */
#define SMOOTHCORE_WHY_SMALL 10
/* Nothing is logged. */
#define SMOOTHCORE_LOG_OFF 0
/* Playback has failed. */
#define SMOOTHCORE_LOG_ERROR 1
/* Something was lost or repaired. */
#define SMOOTHCORE_LOG_WARN 2
/* Milestones of a presentation. */
#define SMOOTHCORE_LOG_INFO 3
/* Decisions, fragment by fragment. */
#define SMOOTHCORE_LOG_DEBUG 4
/* Everything. */
#define SMOOTHCORE_LOG_TRACE 5

/* One presentation being played against your ports. */
typedef struct smoothcore_player smoothcore_player;

/* One presentation being played by a host that moves the bytes itself. It reads no clock and calls nothing back; each
 * call brings the time. Apply one input, then poll until SMOOTHCORE_OUTPUT_IDLE.
 */
typedef struct smoothcore_session smoothcore_session;

/* One custom attribute of a quality level, as it tells hardware profiles apart. You set `struct_size`; the library fills
 * the rest. Texts end with NUL and are cut at a character where they are too long.
 */
typedef struct smoothcore_attribute {
    /* sizeof(smoothcore_attribute). */
    uint32_t struct_size;
    /* How many attributes the level has. */
    uint32_t count;
    /* Its name. */
    char name[64];
    /* Its value. */
    char value[192];
} smoothcore_attribute;

/* Bytes of somebody's memory. Never grows, so it has no size of its own. */
typedef struct smoothcore_slice {
    /* First byte; may be NULL when `size` is 0. */
    const uint8_t *data;
    /* How many. */
    size_t size;
} smoothcore_slice;

/* One sample of a text stream that you bring; a whole document is one. Never grows, so it has no size of its own. */
typedef struct smoothcore_cue {
    /* When it is due; not negative. */
    int64_t time;
    /* How long it lasts, in 100 ns; 0 when that does not matter. */
    uint64_t duration;
    /* Its bytes. */
    struct smoothcore_slice data;
} smoothcore_cue;

/* A text stream that you bring. It and everything it points to is read during the call; the bytes are copied within the
 * budget.
 */
typedef struct smoothcore_given_text {
    /* sizeof(smoothcore_given_text). */
    uint32_t struct_size;
    /* A SMOOTHCORE_ROLE_ number. */
    uint32_t role;
    /* What the bytes are, such as "TTML", padded with spaces; comes back in smoothcore_setup. */
    uint8_t fourcc[4];
    /* How many cues. */
    uint32_t cue_count;
    /* What it is called, ended by NUL. */
    const char *name;
    /* Its language, ended by NUL; NULL for none. */
    const char *language;
    /* The cues in the order of their times. */
    const struct smoothcore_cue *cues;
    /* Set to NULL. */
    const void *reserved;
} smoothcore_given_text;

/* Where a live presentation can be played, and how far behind its edge it is. You set `struct_size`; the library fills the
 * rest.
 */
typedef struct smoothcore_live {
    /* sizeof(smoothcore_live). */
    uint32_t struct_size;
    /* 0. */
    uint32_t reserved;
    /* The earliest time that can be sought to. */
    int64_t start;
    /* Where the newest fragment that every played stream can have ends: an estimate between two things learnt. */
    int64_t end;
    /* Where `_seek_live` goes: the target delay before `end`, at the start of a fragment. */
    int64_t edge;
    /* What is being shown; SMOOTHCORE_NO_TIME before anything is. */
    int64_t position;
    /* From `position` to `end`; SMOOTHCORE_NO_TIME_US without a position. */
    uint64_t latency_us;
    /* The delay behind `end` that is aimed at. */
    uint64_t target_delay_us;
    /* The origin's clock now, in microseconds since 1970: a hint, from the Date of its latest manifest.
     * SMOOTHCORE_NO_TIME_US when it sent none.
     */
    uint64_t origin_clock_us;
    /* Since when the manifest was last read. */
    uint64_t age_us;
} smoothcore_live;

/* What one session knew of a network, for the next one on the same network. Keep it as it is; nothing in it is yours to
 * read but `ln_rate`, which is 0 as long as nothing is known: before the first fragment, and always where the planner does not
 * choose. Before you hand it back, set `age_us`. It decides the first level, `start_bitrate` only where there is none.
 */
typedef struct smoothcore_prior {
    /* sizeof(smoothcore_prior). */
    uint32_t struct_size;
    /* Opaque; 0 when nothing is known. */
    int32_t ln_rate;
    /* Opaque. */
    int32_t sigma;
    /* 0. */
    uint32_t reserved;
    /* How long ago it was kept, which you must say: what fills this struct sets 0. Older than ten minutes it is ignored, and so
     * is one that makes no sense.
     */
    uint64_t age_us;
} smoothcore_prior;

/* Caps on pictures beyond `max_bitrate`; 0 is no cap. The lowest level that `min_bitrate` and the decoder leave stays in any
 * case.
 */
typedef struct smoothcore_picture_cap {
    /* sizeof(smoothcore_picture_cap). */
    uint32_t struct_size;
    /* Bit/s. */
    uint32_t bitrate;
    /* Pixels. */
    uint32_t width;
    /* Pixels. */
    uint32_t height;
} smoothcore_picture_cap;

/* Caps on everything that input controls. 0 is the default, too much is brought down to the most allowed. Exceeding
 * one is an error of its own, never a truncation.
 */
typedef struct smoothcore_limits {
    /* sizeof(smoothcore_limits). */
    uint32_t struct_size;
    /* Inflated bytes for each compressed byte of a manifest, plus 64 KiB. Default 100, at most 1,032. */
    uint32_t inflate_ratio;
    /* Bytes of an inflated manifest. Default 16 MiB, at most 64 MiB. */
    uint64_t manifest_bytes;
    /* Bytes of one fragment. Default 32 MiB, at most 256 MiB. */
    uint64_t fragment_bytes;
    /* Time to connect. Default 10 s, 1 ms to 10 min. */
    uint64_t connect_timeout_us;
    /* Time from the request to the first byte of the answer. Default 10 s, 1 ms to 10 min. */
    uint64_t first_byte_timeout_us;
    /* Time without a byte. Default 10 s, 1 ms to 10 min. */
    uint64_t idle_timeout_us;
    /* Wait before the second try; doubles with each further one. Default 200 ms. */
    uint64_t retry_first_us;
    /* Longest wait between two tries. Default 3 s. */
    uint64_t retry_longest_us;
    /* Nesting of XML elements. Default 16, at most 64. */
    uint32_t xml_depth;
    /* Attributes of one XML element. Default 64, at most 256. */
    uint32_t xml_attributes;
    /* Bytes of one XML attribute value. Default 64 KiB, at most 1 MiB. */
    uint32_t xml_attribute_bytes;
    /* Bytes of one XML text. Default 512 KiB, at most 4 MiB. */
    uint32_t xml_text_bytes;
    /* Streams. Default 64, at most 256. */
    uint32_t streams;
    /* Quality levels of one stream. Default 64, at most 256. */
    uint32_t levels;
    /* Custom attributes of one level. Default 32, at most 256. */
    uint32_t custom_attributes;
    /* Fragments listed in the whole manifest. Default 524,288, at most 4,194,304. */
    uint32_t fragments;
    /* Largest repeat count of one listed fragment. Default 2^24, at most 2^31. */
    uint32_t repeat;
    /* Bytes of one URL. Default 4,096, 64 to 16,384. */
    uint32_t url_bytes;
    /* Bytes of decoded codec private data. Default 8 KiB, at most 64 KiB. */
    uint32_t codec_config_bytes;
    /* Protection headers. Default 8, at most 32. */
    uint32_t protection_headers;
    /* Bytes of one decoded protection header. Default 64 KiB, at most 256 KiB. */
    uint32_t protection_bytes;
    /* Bytes of one movie fragment header. Default 256 KiB, at most 4 MiB. */
    uint32_t moof_bytes;
    /* Nesting of boxes. Default 8, 4 to 16. */
    uint32_t box_depth;
    /* Children of one box. Default 1,024, at most 65,536. */
    uint32_t box_children;
    /* Samples of one fragment. Default 65,536, at most 1,048,576. */
    uint32_t samples;
    /* Redirects of one request. Default 5, at most 20. */
    uint32_t redirects;
    /* Bytes of the head of an HTTP response. Default 16 KiB, 256 to 64 KiB. */
    uint32_t http_head_bytes;
    /* Tries of one request, the first included. Default 4, at most 16. While nothing at all comes, neither of another
     * stream, a fragment is tried for as long as tries times lost_in_a_row of retry_longest_us: by default 96 s.
     */
    uint32_t tries;
    /* Fragments in a row that a stream may lose before playback fails. Default 8, at most 1,000. */
    uint32_t lost_in_a_row;
    /* Deviations kept of one manifest; the rest is counted. Default 64, at most 1,024. */
    uint32_t deviations;
    /* Bytes of all samples that stand in the manifest, decoded. Default 1 MiB, at most 16 MiB. */
    uint32_t payload_bytes;
    /* Bytes of the manifest's root attributes kept as metadata; one that does not fit is left out. Default 4 KiB, at
     * most 64 KiB.
     */
    uint32_t metadata_bytes;
} smoothcore_limits;

/* How levels are chosen. Zero it, set `struct_size`, then what you want. Ignored in a library without the planner. */
typedef struct smoothcore_switching {
    /* sizeof(smoothcore_switching). */
    uint32_t struct_size;
    /* A SMOOTHCORE_RULE_ number. */
    uint32_t rule;
    /* A SMOOTHCORE_OBJECTIVE_ number. */
    uint32_t objective;
    /* 1: buffered fragments of which nothing has gone out are fetched again once the link has become better, where that is
     * worth the bytes; never live. 0: every byte is fetched once.
     */
    uint32_t replacement;
    /* 1: a fragment is never given up for a lower level. 0: it is where that is likely to avoid a stall. */
    uint32_t keep_fragments;
    /* Most bytes for the planner's tables, out of the budget. Default: a 32nd of the budget, 64 KiB at most. With less than
     * they need (about 25 KiB) a small rule plans.
     */
    uint32_t table_bytes;
    /* What the screen shows; NULL: no cap. Read during the call only. */
    const struct smoothcore_picture_cap *cap;
    /* What is known of the network; NULL: nothing. Read during the call only. */
    const struct smoothcore_prior *prior;
} smoothcore_switching;

/* How to play. Zero it, set `struct_size` and `abi_version`, then what you want; 0 is the default of every number. */
typedef struct smoothcore_config {
    /* sizeof(smoothcore_config). */
    uint32_t struct_size;
    /* SMOOTHCORE_ABI_VERSION of the header you compiled with. Required. */
    uint32_t abi_version;
    /* Most bytes ever held, the handle included. Default 8 MiB, at least 128 KiB. Sizing: 16 KiB for the handle; 4 bytes
     * for each listed fragment of irregular duration and 1 KiB for each level; for each played stream twice its largest
     * sample; and bitrate / 8 for each second of buffer wanted.
     */
    uint64_t budget_bytes;
    /* The only randomness, for the waits between retries. Must differ from device to device. */
    uint64_t seed;
    /* Media fetched ahead of the position being shown. Default 20 s. */
    uint64_t buffer_target_us;
    /* Media each stream needs before the presentation clock starts. Default 1 s. */
    uint64_t start_buffer_us;
    /* Media each stream needs before the clock goes on after a stall. Default 2 s. */
    uint64_t resume_buffer_us;
    /* While a decoder holds less than this it gets samples of fragments that are still arriving. Default 1 s; UINT64_MAX: only
     * whole fragments.
     */
    uint64_t early_release_us;
    /* Where to start. 0 or SMOOTHCORE_NO_TIME: at the beginning. Not negative otherwise. */
    int64_t start_at;
    /* Bytes of one block of media memory, rounded down to a power of two, 1 KiB to 64 KiB. Default: budget / 256, at most
     * 16 KiB.
     */
    uint32_t block_bytes;
    /* Video bitrate to start with, in bit/s: the highest level of at most this. 0: the lowest level. */
    uint32_t start_bitrate;
    /* Video bitrate to stay at, in bit/s: the highest level of at most this. 0: switch freely. */
    uint32_t fixed_bitrate;
    /* Lowest video bitrate to use, in bit/s. */
    uint32_t min_bitrate;
    /* Highest video bitrate to use, in bit/s. 0: no cap. */
    uint32_t max_bitrate;
    /* A SMOOTHCORE_AUDIO_ number. */
    uint32_t audio;
    /* A SMOOTHCORE_FRAMING_ number. smoothcore_session only: a player asks its decoder port. */
    uint32_t framing;
    /* SMOOTHCORE_DECODER_ flags. smoothcore_session only: a player asks its decoder port. */
    uint32_t decoder_flags;
    /* For SMOOTHCORE_AUDIO_LANGUAGE: the letters of the language as the manifest has them, in any case, such as "eng";
     * zeros behind them.
     */
    char audio_language[8];
    /* Caps on input; NULL for the defaults. Read during the call only. */
    const struct smoothcore_limits *limits;
    /* Set to NULL. */
    const void *reserved;
    /* A SMOOTHCORE_MANIFEST_ number. */
    uint32_t strictness;
    /* A SMOOTHCORE_PROTECTION_ number. A player with a protection port asks that instead. */
    uint32_t protection;
    /* A sample that waits for its key longer than this gives SMOOTHCORE_EVENT_KEY_TIMEOUT. Default 10 s. */
    uint64_t key_timeout_us;
    /* A SMOOTHCORE_TEXT_ number: the text streams to play. Nothing ever waits for them or fails with them. */
    uint32_t text;
    /* 1: captions inside pictures come out beside them, too. 0: they stay in the samples alone. */
    uint32_t captions;
    /* For SMOOTHCORE_TEXT_LANGUAGE, as audio_language. */
    char text_language[8];
    /* Live: how far behind the newest listed fragment to play. Default: three fragments, 6 s at least; half of the window when
     * that is shorter than twice this.
     */
    uint64_t live_target_delay_us;
    /* Live: a SMOOTHCORE_LIVE_START_ number, where to start without start_at and to go on after a suspension. */
    uint32_t live_start;
    /* Live: a SMOOTHCORE_BEHIND_ number, what to do when the window has overtaken what is played. */
    uint32_t live_behind;
    /* Live: a SMOOTHCORE_WINDOW_ number, how far back it can be played. */
    uint32_t live_window;
    /* Live: by how many thousandths the clock may run faster or slower to come back to the target delay. 0: never; 200 at
     * most. The order is SMOOTHCORE_OUTPUT_RATE, or `rate` of the decoder port, with 1000 plus or minus this.
     */
    uint32_t live_rate;
    /* How levels are chosen; NULL for the defaults. Read during the call only. */
    const struct smoothcore_switching *switching;
    /* Set to NULL. */
    const void *reserved3;
} smoothcore_config;

/* An exchange to start: always a plain GET of the whole resource. The library fills it; valid during the call. */
typedef struct smoothcore_request {
    /* sizeof(smoothcore_request) of the library. */
    uint32_t struct_size;
    /* The exchange's name from now on; never 0, never used twice. */
    uint32_t id;
    /* A SMOOTHCORE_REQUEST_MANIFEST or _FRAGMENT. */
    uint32_t kind;
    /* 1 for the first try. */
    uint32_t attempt;
    /* The stream it belongs to; -1 for the manifest. */
    int32_t stream;
    /* SMOOTHCORE_REQUEST_ACCEPT_GZIP, SMOOTHCORE_REQUEST_NO_CACHE. */
    uint32_t flags;
    /* Absolute http or https URL, ASCII, ended by NUL; valid as long as this struct. */
    const char *url;
} smoothcore_request;

/* Set-up of one stream's decoder. The library fills it; it and everything it points to is valid during the call. */
typedef struct smoothcore_setup {
    /* sizeof(smoothcore_setup) of the library. */
    uint32_t struct_size;
    /* The stream, from 0. */
    uint32_t stream;
    /* Samples that follow carry this epoch; it rises with every flush. */
    uint32_t epoch;
    /* A SMOOTHCORE_KIND_ number. */
    uint32_t kind;
    /* A SMOOTHCORE_CODEC_ number. */
    uint32_t codec;
    /* A SMOOTHCORE_FRAMING_ number: how the samples will come. */
    uint32_t framing;
    /* The codec's name in the manifest, padded with spaces; no NUL. */
    uint8_t fourcc[4];
    /* The quality level's index. */
    uint32_t level;
    /* Its bitrate in bit/s. */
    uint32_t bitrate;
    /* Coded width in pixels, 0 when unknown. */
    uint32_t width;
    /* Coded height in pixels, 0 when unknown. */
    uint32_t height;
    /* Samples of sound per second. For AAC that of the core: a decoder with SBR puts out twice as many. */
    uint32_t sampling_rate;
    /* Channels of sound; 0 when the bit stream describes them. */
    uint32_t channels;
    /* Bits of one sample of sound. */
    uint32_t bits_per_sample;
    /* Bytes of one packet of sound (nBlockAlign of WAVEFORMATEX). */
    uint32_t packet_size;
    /* WAVE format tag. */
    uint32_t audio_tag;
    /* Bytes of the length before each NAL unit in the file: 1, 2 or 4; 0 when there are none. */
    uint32_t nal_length;
    /* 0. */
    uint32_t reserved;
    /* Configuration in the form the codec has and the framing wants: Annex B parameter sets, or the payload of avcC or
     * hvcC; AudioSpecificConfig; WAVEFORMATEX; the payload of dac3 or dec3; the headers of VC-1. May be empty.
     */
    struct smoothcore_slice record;
    /* The same without regard to the framing: start-coded parameter sets, else as above; of a codec the library does
     * not know, the private bytes of the manifest.
     */
    struct smoothcore_slice codec_private;
    /* The codec in the form of RFC 6381, such as "avc1.4D401E"; never NULL. */
    const char *codec_string;
    /* Your number for the key session of the encrypted samples that follow; NULL for a clear decoder. Set up again where
     * it changes.
     */
    const uint64_t *key;
} smoothcore_setup;

/* A part of a sample: clear bytes, then encrypted ones. Never grows, so it has no size of its own. */
typedef struct smoothcore_subsample {
    /* Bytes that are clear. May exceed 65,535, for what the library puts before a sample is clear. */
    uint32_t clear_bytes;
    /* Bytes after them that are encrypted. */
    uint32_t protected_bytes;
} smoothcore_subsample;

/* How a sample is encrypted. The library fills it; it and what it points to is valid during the call. */
typedef struct smoothcore_sample_protection {
    /* sizeof(smoothcore_sample_protection) of the library. */
    uint32_t struct_size;
    /* A SMOOTHCORE_SCHEME_ number. */
    uint32_t scheme;
    /* Your number for the session of its key. */
    uint64_t key;
    /* Name of its key, big-endian; zeros when nothing names one. */
    uint8_t kid[16];
    /* Initialisation vector. */
    uint8_t iv[16];
    /* 1 when `kid` is a name. */
    uint32_t has_kid;
    /* Bytes of `iv`: 8 (the upper half of the counter block) or 16; 0 without one. */
    uint32_t iv_size;
    /* Encrypted blocks of 16 bytes in a pattern; 0 when the fragment does not say. */
    uint32_t crypt_blocks;
    /* Blocks passed over after them. */
    uint32_t skip_blocks;
    /* How many parts; 0: all of the sample is encrypted. */
    size_t subsample_count;
    /* The parts in order, together as long as the sample. */
    const struct smoothcore_subsample *subsamples;
} smoothcore_sample_protection;

/* One access unit. The library fills it; it and everything it points to is valid during the call. */
typedef struct smoothcore_sample {
    /* sizeof(smoothcore_sample) of the library. */
    uint32_t struct_size;
    /* The stream. */
    uint32_t stream;
    /* Older epochs are stale. */
    uint32_t epoch;
    /* SMOOTHCORE_SAMPLE_ flags. */
    uint32_t flags;
    /* When to show it. */
    int64_t pts;
    /* When to decode it. */
    int64_t dts;
    /* How long it lasts, in 100 ns. */
    uint64_t duration;
    /* `pts` on a 33-bit 90 kHz clock. */
    uint64_t pts_90k;
    /* `dts` on a 33-bit 90 kHz clock. */
    uint64_t dts_90k;
    /* Start of its fragment in stream ticks, as it stood in the URL. */
    uint64_t fragment;
    /* Bitrate of its quality level in bit/s. */
    uint32_t bitrate;
    /* How many parts. */
    uint32_t part_count;
    /* Bytes in all parts. */
    size_t size;
    /* The bytes in order: parameter sets or a header where the framing has one, then the body. No part is empty. */
    const struct smoothcore_slice *parts;
    /* How it is encrypted; NULL when it is clear. */
    const struct smoothcore_sample_protection *protection;
    /* NULL. */
    const void *reserved;
    /* Bytes of each sub-sample in order, where the fragment has a table of them: for bitmap subtitles the document, then
     * its images. They count over all parts.
     */
    const uint32_t *pieces;
    /* How many sub-samples; mostly 0. */
    size_t piece_count;
} smoothcore_sample;

/* Something you may want to know. What the numbers mean stands at each SMOOTHCORE_EVENT_; new kinds may appear. */
typedef struct smoothcore_event {
    /* sizeof(smoothcore_event). */
    uint32_t struct_size;
    /* A SMOOTHCORE_EVENT_ number. */
    uint32_t kind;
    /* When, on your clock. */
    uint64_t at_us;
    /* Media time; SMOOTHCORE_NO_TIME where none is concerned. */
    int64_t media_time;
    /* First number. */
    uint64_t a;
    /* Second number. */
    uint64_t b;
    /* Byte offset in the input where `code` was found; 0 when unknown. */
    uint64_t offset;
    /* The stream; -1 where none is concerned. */
    int32_t stream;
    /* Why: a negative number, or 0. */
    int32_t code;
    /* HTTP status; 0 where none is concerned. */
    uint32_t http_status;
    /* Events dropped before this one because nobody fetched them. */
    uint32_t lost;
    /* Element, box or field where `code` was found, ended by NUL; empty when unknown. */
    char place[56];
} smoothcore_event;

/* What a DRM agent needs to get keys. The library fills it; it and what it points to is valid during the call, or until
 * the next one with the same session.
 */
typedef struct smoothcore_protection_offer {
    /* sizeof(smoothcore_protection_offer) of the library. */
    uint32_t struct_size;
    /* A SMOOTHCORE_OFFER_ number. */
    uint32_t source;
    /* A SMOOTHCORE_SCHEME_ number; 0 when the header names none. */
    uint32_t scheme;
    /* How many keys it names. */
    uint32_t kid_count;
    /* The system it is for, in the order in which it is written; zeros when none is known. */
    uint8_t system_id[16];
    /* The header as it came; for PlayReady a PlayReady object. */
    struct smoothcore_slice data;
    /* Where the header says that licences may be had: UTF-8, no NUL; often empty. */
    struct smoothcore_slice la_url;
    /* Names of the keys, 16 bytes each, big-endian. */
    const uint8_t *kids;
} smoothcore_protection_offer;

/* One encrypted sample to decrypt in place. The library fills it; it and what it points to is valid during the call, or
 * until the next one with the same session.
 */
typedef struct smoothcore_decrypt {
    /* sizeof(smoothcore_decrypt) of the library. */
    uint32_t struct_size;
    /* The stream. */
    uint32_t stream;
    /* Its epoch. */
    uint32_t epoch;
    /* 0. */
    uint32_t reserved;
    /* The bytes, to be replaced. */
    uint8_t *data;
    /* How many. */
    size_t size;
    /* How they are encrypted. */
    const struct smoothcore_sample_protection *protection;
} smoothcore_decrypt;

/* A quality level about which the decoder is asked. The library fills it; it and what it points to is valid during the
 * call, or until the next one with the same session.
 */
typedef struct smoothcore_candidate {
    /* sizeof(smoothcore_candidate) of the library. */
    uint32_t struct_size;
    /* The level's position in the manifest's list, from 0: its name in the answer. */
    uint32_t position;
    /* 1 when the manifest has protection headers, so that a secure decoder will be needed. */
    uint32_t secure;
    /* 0. */
    uint32_t reserved;
    /* What it would be set up with, but for `record`, `epoch` and `key`. */
    const struct smoothcore_setup *setup;
} smoothcore_candidate;

/* CEA-608 and 708 captions found in a picture. The library fills it; it and its bytes are valid during the call. They come
 * in decoding order, before the sample that carries them: sort by `pts` before use.
 */
typedef struct smoothcore_captions {
    /* sizeof(smoothcore_captions) of the library. */
    uint32_t struct_size;
    /* The video stream. */
    uint32_t stream;
    /* Older epochs are stale. */
    uint32_t epoch;
    /* 0. */
    uint32_t reserved;
    /* When the picture is shown. */
    int64_t pts;
    /* `pts` on a 33-bit 90 kHz clock. */
    uint64_t pts_90k;
    /* The cc_data() of ATSC A/53 part 4, from its first byte; emulation prevention is undone. */
    struct smoothcore_slice data;
} smoothcore_captions;

/* One thing to do. You set `struct_size`; the library fills the rest. Of the pointers only the one for `kind` is not
 * NULL; it is valid until the next call with the same session.
 */
typedef struct smoothcore_output {
    /* sizeof(smoothcore_output). */
    uint32_t struct_size;
    /* A SMOOTHCORE_OUTPUT_ number. */
    uint32_t kind;
    /* IDLE: call smoothcore_session_timeout at this time; SMOOTHCORE_NO_TIME_US: not before the next input. */
    uint64_t deadline_us;
    /* FLUSH, END_OF_STREAM: the stream. */
    uint32_t stream;
    /* FLUSH, END_OF_STREAM: the epoch. */
    uint32_t epoch;
    /* CANCEL: the exchange. */
    uint32_t request;
    /* RATE: 0 to show nothing new, 1000 for real time. */
    int32_t rate;
    /* REQUEST. */
    const struct smoothcore_request *request_info;
    /* CONFIGURE. */
    const struct smoothcore_setup *setup;
    /* SAMPLE. */
    const struct smoothcore_sample *sample;
    /* EVENT. */
    const struct smoothcore_event *event;
    /* PROTECTION. */
    const struct smoothcore_protection_offer *offer;
    /* DECRYPT. */
    const struct smoothcore_decrypt *decrypt;
    /* CAPABILITY. */
    const struct smoothcore_candidate *candidate;
    /* CAPTIONS. */
    const struct smoothcore_captions *captions;
} smoothcore_output;

/* The head of a response. The library has set `struct_size`, `content_length` to -1 and the rest to zeros before
 * a port fills it. Strings end with NUL and stay the port's; they are read before the port is called again. A header
 * that is no UTF-8 or longer than 1,024 bytes counts as absent.
 */
typedef struct smoothcore_response {
    /* sizeof(smoothcore_response). */
    uint32_t struct_size;
    /* The status code, 100 to 999. Redirects are the port's; only the last answer is reported. */
    uint32_t status;
    /* Content-Length of the bytes that will be handed in; -1 when unknown, or when the port inflates. */
    int64_t content_length;
    /* The URL after redirects; NULL when it is the one requested. What is no URL fails the exchange. */
    const char *final_url;
    /* Content-Type; NULL when absent. */
    const char *content_type;
    /* Content-Encoding still in force; NULL when absent or when the port has inflated. */
    const char *content_encoding;
    /* Date; NULL when absent. */
    const char *date;
} smoothcore_response;

/* What the decoder of one stream holds. The library has set `struct_size`, `position` to SMOOTHCORE_NO_TIME and the
 * rest to zeros before a port fills it.
 */
typedef struct smoothcore_buffered {
    /* sizeof(smoothcore_buffered). */
    uint32_t struct_size;
    /* Pictures dropped since the presentation was opened. */
    uint32_t dropped;
    /* Media accepted and not yet shown. */
    uint64_t depth_us;
    /* The media time being shown; SMOOTHCORE_NO_TIME before the first. */
    int64_t position;
} smoothcore_buffered;

/* Figures since open. You set `struct_size`; the library fills the rest. */
typedef struct smoothcore_stats {
    /* sizeof(smoothcore_stats). */
    uint32_t struct_size;
    /* A SMOOTHCORE_STATE_ number. */
    uint32_t state;
    /* From open to the parsed manifest; SMOOTHCORE_NO_TIME_US before. */
    uint64_t manifest_us;
    /* From open to the first byte of a fragment; SMOOTHCORE_NO_TIME_US before. */
    uint64_t first_byte_us;
    /* From open to the first sample the decoder took; SMOOTHCORE_NO_TIME_US before. */
    uint64_t first_sample_us;
    /* From open to the start of the presentation clock; SMOOTHCORE_NO_TIME_US before. */
    uint64_t startup_us;
    /* Time the clock was held by stalls. */
    uint64_t stalled_us;
    /* Samples the decoders took. */
    uint64_t samples;
    /* Body bytes received. */
    uint64_t bytes;
    /* Body bytes of the manifest, as received. */
    uint64_t manifest_bytes;
    /* Measured rate of the link in bit/s; 0 when unknown. */
    uint64_t link_rate;
    /* Bytes held now, the handle included. */
    uint64_t held_bytes;
    /* Most bytes ever held. */
    uint64_t peak_held_bytes;
    /* Most bytes that may be held. */
    uint64_t budget_bytes;
    /* Times a decoder ran dry. */
    uint32_t stalls;
    /* Changes to a higher video level. */
    uint32_t switches_up;
    /* Changes to a lower video level. */
    uint32_t switches_down;
    /* Exchanges started. */
    uint32_t requests;
    /* Answers with an error status. */
    uint32_t http_errors;
    /* Tries after a failed one. */
    uint32_t retries;
    /* Fragments that arrived whole. */
    uint32_t fragments;
    /* Fragments lost, wholly or in part. */
    uint32_t gaps;
    /* The fatal error in SMOOTHCORE_STATE_FAILED, else 0. */
    int32_t error;
    /* Answers that a live fragment is not there yet, which are no failures. */
    uint32_t not_yet;
    /* Times the manifest of a live presentation was asked for again. */
    uint32_t refreshes;
    /* 0. */
    uint32_t reserved2;
    /* Fragments given up for a lower level while they came. */
    uint32_t abandoned;
    /* Buffered fragments fetched again at a higher level. */
    uint32_t replaced;
    /* Body bytes that switching has thrown away. */
    uint64_t wasted_bytes;
} smoothcore_stats;

/* The presentation as a whole. You set `struct_size`; the library fills the rest. */
typedef struct smoothcore_presentation {
    /* sizeof(smoothcore_presentation). */
    uint32_t struct_size;
    /* 1 when more fragments will come, else 0. */
    uint32_t live;
    /* Streams listed, playable or not. */
    uint32_t stream_count;
    /* Protection headers listed; 0 when nothing is protected. */
    uint32_t protection_count;
    /* How long it is, as far as it is listed. */
    uint64_t duration_us;
    /* Earliest time that can be played; SMOOTHCORE_NO_TIME when nothing is listed yet. */
    int64_t first_time;
    /* End of the last fragment; SMOOTHCORE_NO_TIME when nothing is listed yet. */
    int64_t end_time;
} smoothcore_presentation;

/* One stream. You set `struct_size`; the library fills the rest. Texts end with NUL and are cut at a character where
 * they are too long.
 */
typedef struct smoothcore_stream_info {
    /* sizeof(smoothcore_stream_info). */
    uint32_t struct_size;
    /* Its number, from 0, in the order of the manifest. */
    uint32_t id;
    /* A SMOOTHCORE_KIND_ number. */
    uint32_t kind;
    /* 1 when it is being played, else 0. */
    uint32_t selected;
    /* 1 when it can be played, else 0. */
    uint32_t playable;
    /* Quality levels listed. */
    uint32_t level_count;
    /* Widest picture in pixels. */
    uint32_t max_width;
    /* Highest picture in pixels. */
    uint32_t max_height;
    /* Width to show it at, in pixels. */
    uint32_t display_width;
    /* Height to show it at, in pixels. */
    uint32_t display_height;
    /* Bitrate being fetched, in bit/s; 0 before the first fragment. */
    uint32_t bitrate;
    /* Why it cannot be played: a negative number, or 0. */
    int32_t why;
    /* Fragments listed. */
    uint32_t fragments;
    /* 0. */
    uint32_t reserved;
    /* Ticks per second of its fragment times. */
    uint64_t timescale;
    /* Start of its first fragment; SMOOTHCORE_NO_TIME when none is listed. */
    int64_t first_time;
    /* End of its last fragment; SMOOTHCORE_NO_TIME when none is listed. */
    int64_t end_time;
    /* Media time being shown; SMOOTHCORE_NO_TIME when it is not played or not yet shown. */
    int64_t position;
    /* Media in the decoder and in memory. */
    uint64_t ahead_us;
    /* Media in the decoder. */
    uint64_t depth_us;
    /* Its name. */
    char name[64];
    /* Its language as the manifest has it; "und" when it has none. */
    char language[16];
    /* Its subtype, such as the role of a text stream; empty when absent. */
    char subtype[16];
    /* A SMOOTHCORE_ROLE_ number. */
    uint32_t role;
    /* 0. */
    uint32_t reserved2;
    /* What it is recognised by, in every presentation of the same content and in whatever order the manifest lists its
     * streams: keep it to select the same one again. See smoothcore_player_find_track.
     */
    uint64_t track;
} smoothcore_stream_info;

/* One quality level. You set `struct_size`; the library fills the rest. */
typedef struct smoothcore_level_info {
    /* sizeof(smoothcore_level_info). */
    uint32_t struct_size;
    /* Its index as the manifest has it. */
    uint32_t index;
    /* Bitrate in bit/s. */
    uint32_t bitrate;
    /* Width in pixels, 0 when unknown. */
    uint32_t width;
    /* Height in pixels, 0 when unknown. */
    uint32_t height;
    /* Samples of sound per second. */
    uint32_t sampling_rate;
    /* Channels of sound. */
    uint32_t channels;
    /* A SMOOTHCORE_CODEC_ number. */
    uint32_t codec;
    /* 1 when the manifest describes it well enough to be played, else 0. */
    uint32_t usable;
    /* Why not: a negative number, or 0. */
    int32_t why;
    /* The codec's name in the manifest, padded with spaces; no NUL. */
    uint8_t fourcc[4];
    /* 0. */
    uint32_t reserved;
    /* The codec in the form of RFC 6381, ended by NUL. */
    char codec_string[40];
} smoothcore_level_info;

/* A place where the manifest deviates from the specification. You set `struct_size`; the library fills the rest. */
typedef struct smoothcore_deviation {
    /* sizeof(smoothcore_deviation). */
    uint32_t struct_size;
    /* 0. */
    uint32_t reserved;
    /* Byte offset in the inflated manifest. */
    uint64_t offset;
    /* The rule that is broken, such as "stream-name-duplicate"; ended by NUL. The same in every release. */
    char rule[32];
    /* The element or attribute, such as "QualityLevel@FourCC"; ended by NUL. */
    char place[56];
} smoothcore_deviation;

/* What is said of a presentation and means nothing to playback, such as a title: by its server manifest, where that is
 * on disk, then by root attributes of the manifest. You set `struct_size`; the library fills the rest.
 */
typedef struct smoothcore_metadata {
    /* sizeof(smoothcore_metadata). */
    uint32_t struct_size;
    /* 0. */
    uint32_t reserved;
    /* Its name in UTF-8, the library's as long as the handle lives; no NUL. */
    struct smoothcore_slice name;
    /* Its value, likewise. */
    struct smoothcore_slice value;
} smoothcore_metadata;

/* A whole HTTP stack. All four functions are required. Errors are -2xx numbers (SMOOTHCORE_E_CONNECT and following);
 * any other negative number counts as SMOOTHCORE_E_NETWORK_IO. A positive number that is not named here, or a count
 * larger than the buffer, ends playback with SMOOTHCORE_E_PORT_CONTRACT.
 */
typedef struct smoothcore_http_port {
    /* sizeof(smoothcore_http_port). */
    uint32_t struct_size;
    /* Set to 0. */
    uint32_t reserved;
    /* Comes first in each call. */
    void *userdata;
    /* Starts an exchange. OK, or an error when it cannot even start, which counts as one failed try; such an
     * exchange is not cancelled.
     */
    int32_t (*start)(void *userdata, const struct smoothcore_request *request);
    /* Tells the head of the response, once. OK, WOULD_BLOCK, or an error. */
    int32_t (*response)(void *userdata, uint32_t request, struct smoothcore_response *out);
    /* Reads body bytes: up to `size` (never 0) into `buffer`, how many into `*got`. OK with at least one byte,
     * WOULD_BLOCK, END behind the last byte, or an error.
     */
    int32_t (*read)(void *userdata, uint32_t request, uint8_t *buffer, size_t size, size_t *got);
    /* Ends an exchange, finished or not, and frees what belongs to it. Exactly once for each one that was started. */
    void (*cancel)(void *userdata, uint32_t request);
} smoothcore_http_port;

/* Byte streams under the built-in HTTP/1.1 client. All five functions are required. Errors as in smoothcore_http_port. */
typedef struct smoothcore_stream_port {
    /* sizeof(smoothcore_stream_port). */
    uint32_t struct_size;
    /* Set to 0. */
    uint32_t reserved;
    /* Comes first in each call. */
    void *userdata;
    /* Starts to connect to `port` of `host` (a name or address, ended by NUL, without brackets) and puts a handle of yours
     * into `*connection`; it may be NULL. `secure` is 1 for TLS with the host's name verified, else 0. OK, or an error;
     * SMOOTHCORE_E_UNSUPPORTED when there is no TLS. Only what returned OK is closed.
     */
    int32_t (*connect)(void *userdata, const char *host, uint32_t port, uint32_t secure, void **connection);
    /* Whether the connection stands: OK, WOULD_BLOCK, or an error. */
    int32_t (*connected)(void *userdata, void *connection);
    /* Reads up to `size` bytes (never 0), how many into `*got`. OK with at least one byte, WOULD_BLOCK, END when the
     * other side has closed, or an error.
     */
    int32_t (*read)(void *userdata, void *connection, uint8_t *buffer, size_t size, size_t *got);
    /* Writes up to `size` bytes (never 0), how many into `*put`. OK with at least one byte, WOULD_BLOCK, or an error. */
    int32_t (*write)(void *userdata, void *connection, const uint8_t *data, size_t size, size_t *put);
    /* Closes and frees. Exactly once for each connection. */
    void (*close)(void *userdata, void *connection);
} smoothcore_stream_port;

/* Decoders and the presentation clock. `configure`, `submit`, `status` and `flush` are required; NULL for another one
 * means that it is not called.
 */
typedef struct smoothcore_decoder_port {
    /* sizeof(smoothcore_decoder_port). */
    uint32_t struct_size;
    /* A SMOOTHCORE_FRAMING_ number. */
    uint32_t framing;
    /* SMOOTHCORE_DECODER_ flags. */
    uint32_t flags;
    /* Set to 0. */
    uint32_t reserved;
    /* Comes first in each call. */
    void *userdata;
    /* Sets up the decoder of one stream. OK; WOULD_BLOCK for not before what it holds has drained, then it is asked
     * again; anything else for it cannot play this, and the quality level is dropped.
     */
    int32_t (*configure)(void *userdata, const struct smoothcore_setup *setup);
    /* Takes one sample, by copy or by use, or none of it. OK; WOULD_BLOCK for no room, then the same sample comes
     * again; an error when the decoder is broken, which ends playback with SMOOTHCORE_E_DECODER_FAILED.
     */
    int32_t (*submit)(void *userdata, const struct smoothcore_sample *sample);
    /* Tells what the decoder of a stream holds. Anything but OK counts as nothing held. */
    int32_t (*status)(void *userdata, uint32_t stream, struct smoothcore_buffered *out);
    /* Throws away everything of a stream that is older than `epoch`. */
    void (*flush)(void *userdata, uint32_t stream, uint32_t epoch);
    /* No sample follows on this stream in this epoch. NULL: not told. */
    void (*end)(void *userdata, uint32_t stream, uint32_t epoch);
    /* The presentation clock: 0 shows nothing new, 1000 runs in real time. NULL: the port runs as it likes. */
    void (*rate)(void *userdata, int32_t rate);
    /* With SMOOTHCORE_DECODER_CAPABILITIES, asked about every quality level before playback starts. OK when it can play it;
     * anything else, and the level is dropped. NULL: it can play everything.
     */
    int32_t (*can_play)(void *userdata, const struct smoothcore_candidate *candidate);
    /* Captions found in the picture that is submitted next; only with smoothcore_config.captions. NULL: not told. */
    void (*captions)(void *userdata, const struct smoothcore_captions *captions);
} smoothcore_decoder_port;

/* A monotonic clock. `now_us` is required; blocking mode needs `wait_until` as well. */
typedef struct smoothcore_clock_port {
    /* sizeof(smoothcore_clock_port). */
    uint32_t struct_size;
    /* Set to 0. */
    uint32_t reserved;
    /* Comes first in each call. */
    void *userdata;
    /* Microseconds since any moment; never goes back. */
    uint64_t (*now_us)(void *userdata);
    /* Returns at `until_us`, or earlier when something has happened or `wakeup` was called. NULL: no blocking mode. */
    void (*wait_until)(void *userdata, uint64_t until_us);
    /* Called by smoothcore_player_wake, on its thread: makes your sleeping loop, or `wait_until`, return. NULL: nothing. */
    void (*wakeup)(void *userdata);
} smoothcore_clock_port;

/* Hears of events as they happen, for those who would rather not fetch them with smoothcore_player_event. */
typedef struct smoothcore_event_port {
    /* sizeof(smoothcore_event_port). */
    uint32_t struct_size;
    /* Set to 0. */
    uint32_t reserved;
    /* Comes first in each call. */
    void *userdata;
    /* One event; valid during the call. Required. */
    void (*event)(void *userdata, const struct smoothcore_event *event);
} smoothcore_event_port;

/* Files, for presentations on disk: .ism, .ismc, .ismv, .isma. All four functions are required. Names are what
 * smoothcore_player_open was given, or lie beside it or below; `/` stands between their parts. Errors: any
 * SMOOTHCORE_E_ number; another negative one counts as SMOOTHCORE_E_FILE_IO. A file may be read from by several
 * requests in turn, at several places.
 */
typedef struct smoothcore_source_port {
    /* sizeof(smoothcore_source_port). */
    uint32_t struct_size;
    /* Set to 0. */
    uint32_t reserved;
    /* Comes first in each call. */
    void *userdata;
    /* Opens `name` (UTF-8, ended by NUL) for reading and puts a handle of yours into `*file`; it may be NULL. OK;
     * WOULD_BLOCK, then it is asked again; END when there is no such file; an error. Only what returned OK is closed.
     */
    int32_t (*open)(void *userdata, const char *name, void **file);
    /* Tells how many bytes the file has. OK or an error. */
    int32_t (*size)(void *userdata, void *file, uint64_t *size);
    /* Reads up to `size` bytes (never 0) from `offset` on, how many into `*got`. OK with at least one byte; WOULD_BLOCK, then
     * the same is asked for again, perhaps after other places; END at the end of the file; an error. May block as a
     * disk does.
     */
    int32_t (*read_at)(void *userdata, void *file, uint64_t offset, uint8_t *buffer, size_t size, size_t *got);
    /* Closes. Exactly once for each file. */
    void (*close)(void *userdata, void *file);
} smoothcore_source_port;

/* A DRM agent. `offer` and `key` are required. With `decrypt` samples are decrypted there and reach the decoder clear;
 * without it the decoder port gets them encrypted.
 */
typedef struct smoothcore_protection_port {
    /* sizeof(smoothcore_protection_port). */
    uint32_t struct_size;
    /* Set to 0. */
    uint32_t reserved;
    /* Comes first in each call. */
    void *userdata;
    /* A header to get keys with. Each comes once, as early as it is known. */
    void (*offer)(void *userdata, const struct smoothcore_protection_offer *offer);
    /* How far the key named by the 16 bytes at `kid` is; `kid` is NULL for samples whose key nothing names. OK with your
     * number for its session in `*key`; WOULD_BLOCK for not yet; a SMOOTHCORE_E_ number of -4xx when it will not come
     * (any other counts as SMOOTHCORE_E_KEY_REFUSED). Asked at every step, so that a key may still change.
     */
    int32_t (*key)(void *userdata, const uint8_t *kid, uint64_t *key);
    /* Decrypts a sample in place. OK; WOULD_BLOCK for not now, then it comes again as it is then; a negative number when it
     * cannot be, and the sample is left out. NULL: the decoder port decrypts.
     */
    int32_t (*decrypt)(void *userdata, const struct smoothcore_decrypt *sample);
    /* The player is being destroyed; every decoder was flushed. NULL: not told. */
    void (*close)(void *userdata);
} smoothcore_protection_port;

/* The ports of one player. The tables are copied by smoothcore_player_create and need not outlive it; what their
 * userdata points to must outlive the player.
 */
typedef struct smoothcore_ports {
    /* sizeof(smoothcore_ports). */
    uint32_t struct_size;
    /* Set to 0. */
    uint32_t reserved;
    /* An HTTP stack; NULL with `streams`. Exactly one of the two, or none with `source`. */
    const struct smoothcore_http_port *http;
    /* Byte streams; NULL with `http`. SMOOTHCORE_E_UNSUPPORTED in a library built without its HTTP client. */
    const struct smoothcore_stream_port *streams;
    /* Required. */
    const struct smoothcore_decoder_port *decoder;
    /* Required. */
    const struct smoothcore_clock_port *clock;
    /* Where events go; NULL: to the ring that smoothcore_player_event reads. */
    const struct smoothcore_event_port *events;
    /* Files, for smoothcore_player_open with a path instead of a URL; NULL: none. SMOOTHCORE_E_UNSUPPORTED in a library
     * built without presentations on disk.
     */
    const struct smoothcore_source_port *source;
    /* A DRM agent; NULL: none, or one that you speak for yourself. */
    const struct smoothcore_protection_port *protection;
} smoothcore_ports;

/* Takes log lines: `level` is a SMOOTHCORE_LOG_ number; `target` and `message` end with NUL, are UTF-8 of at most 63 and
 * 255 bytes, cut at a character, and valid during the call.
 */
typedef void (*smoothcore_log_sink)(void *userdata, uint32_t level, const char *target, const char *message);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* The ABI this archive speaks: `major << 16 | minor`. A program compares the major with `SMOOTHCORE_ABI_MAJOR` and
 * needs at least the minor it was compiled with. Any thread, any time.
 */
uint32_t smoothcore_abi_version(void);

/* The release, for example "0.1.0". Static text, never freed. Any thread, any time. */
const char *smoothcore_version(void);

/* One English line for a result of this library, without a full stop; never NULL, also for numbers it does not
 * know. Static text, never freed. Any thread, any time.
 */
const char *smoothcore_strerror(int32_t code);

/* Plays `stream` instead of every other one of its kind: another language, another angle. What plays goes on until the
 * new one has media for the position being shown; then the old one is flushed, and the new one begins there. If it cannot
 * be had, nothing changes.
 *
 * E_STATE before the manifest is there; E_ARGUMENT for a stream that cannot be played; E_BUDGET when there is no memory for
 * both for a while; the fatal error of a failed player.
 */
int32_t smoothcore_player_switch(struct smoothcore_player *player,
                                 uint32_t stream);

/* As smoothcore_player_switch. */
int32_t smoothcore_session_switch(struct smoothcore_session *session, uint64_t at_us, uint32_t stream);

/* Puts into `*stream` the number of the stream whose smoothcore_stream_info.track is `track`: the same stream, wherever
 * the manifest lists it now.
 *
 * E_STATE before the manifest is there; E_ARGUMENT when there is none; the fatal error of a failed player.
 */
int32_t smoothcore_player_find_track(struct smoothcore_player *player,
                                     uint64_t track,
                                     uint32_t *stream);

/* As smoothcore_player_find_track. */
int32_t smoothcore_session_find_track(struct smoothcore_session *session, uint64_t track, uint32_t *stream);

/* Custom attribute `position`, from 0, of quality level `level` of a stream, both from 0 in the order of the manifest.
 *
 * E_STATE before the manifest is there; E_ARGUMENT when there are not so many; the fatal error of a failed player.
 */
int32_t smoothcore_player_attribute(struct smoothcore_player *player,
                                    uint32_t stream,
                                    uint32_t level,
                                    uint32_t position,
                                    struct smoothcore_attribute *out);

/* As smoothcore_player_attribute. */
int32_t smoothcore_session_attribute(struct smoothcore_session *session,
                                     uint32_t stream,
                                     uint32_t level,
                                     uint32_t position,
                                     struct smoothcore_attribute *out);

/* Adds a text stream of yours, and plays it: a document or a list of cues or markers. Its samples come to the decoder port
 * at their times, and it can be turned off and on like any other. Its number goes to `*stream`.
 *
 * E_STATE before the manifest is there; E_ARGUMENT for no cue, times that are negative or fall, or a number out of range;
 * E_LIMIT_STREAMS; E_BUDGET; E_NO_MEMORY; the fatal error of a failed player.
 */
int32_t smoothcore_player_add_text(struct smoothcore_player *player,
                                   const struct smoothcore_given_text *given,
                                   uint32_t *stream);

/* As smoothcore_player_add_text. */
int32_t smoothcore_session_add_text(struct smoothcore_session *session,
                                    uint64_t at_us,
                                    const struct smoothcore_given_text *given,
                                    uint32_t *stream);

/* Where a live presentation can be played, and how far behind its edge it is.
 *
 * E_STATE for one that no longer grows, and before there is anything to play; E_UNSUPPORTED in a library without live
 * presentations; the fatal error of a failed session.
 */
int32_t smoothcore_session_live(struct smoothcore_session *session,
                                struct smoothcore_live *out);

/* Goes to the live edge, the target delay behind the newest fragment, and follows it from there.
 *
 * E_STATE before the manifest is there, and for a presentation that is not live; E_UNSUPPORTED in a library without live
 * presentations; the fatal error of a failed session.
 */
int32_t smoothcore_session_seek_live(struct smoothcore_session *session,
                                     uint64_t at_us);

/* The box goes to sleep: every exchange is cancelled, the clock is held, and nothing is asked for until
 * smoothcore_session_resume. For presentations on demand as well.
 *
 * E_UNSUPPORTED in a library without live presentations; the fatal error of a failed session.
 */
int32_t smoothcore_session_suspend(struct smoothcore_session *session, uint64_t at_us);

/* The reverse: decoders are flushed and set up anew, and playback goes on where it was. A live presentation goes on there if
 * its window still reaches so far; otherwise as `live_behind` says. Errors as smoothcore_session_suspend.
 */
int32_t smoothcore_session_resume(struct smoothcore_session *session,
                                  uint64_t at_us);

/* The network has gone (`up` 0) or come back (1). Without it nothing is asked for and nothing counts as failed; what is at
 * hand is played. When it is back, everything starts again within a second.
 *
 * E_ARGUMENT for another number; else as smoothcore_session_suspend.
 */
int32_t smoothcore_session_network(struct smoothcore_session *session,
                                   uint64_t at_us,
                                   uint32_t up);

/* As smoothcore_session_live. */
int32_t smoothcore_player_live(struct smoothcore_player *player, struct smoothcore_live *out);

/* As smoothcore_session_seek_live. Step the player afterwards. */
int32_t smoothcore_player_seek_live(struct smoothcore_player *player);

/* As smoothcore_session_suspend. Step the player once more, so that it can cancel what is in flight; then it need not be
 * stepped until smoothcore_player_resume.
 */
int32_t smoothcore_player_suspend(struct smoothcore_player *player);

/* As smoothcore_session_resume. Step the player afterwards. */
int32_t smoothcore_player_resume(struct smoothcore_player *player);

/* As smoothcore_session_network. Step the player afterwards. */
int32_t smoothcore_player_network(struct smoothcore_player *player, uint32_t up);

/* What is known of the network, to be kept for the next session on it.
 *
 * E_UNSUPPORTED in a library without the planner; the fatal error of a failed session.
 */
int32_t smoothcore_session_prior(struct smoothcore_session *session, struct smoothcore_prior *out);

/* Caps the pictures to be fetched from now on, because the screen or the viewer's wish has changed. What is buffered plays.
 *
 * E_UNSUPPORTED in a library without the planner; the fatal error of a failed session.
 */
int32_t smoothcore_session_cap(struct smoothcore_session *session,
                               uint64_t at_us,
                               const struct smoothcore_picture_cap *cap);

/* As smoothcore_session_prior. */
int32_t smoothcore_player_prior(struct smoothcore_player *player, struct smoothcore_prior *out);

/* As smoothcore_session_cap. Step the player afterwards. */
int32_t smoothcore_player_cap(struct smoothcore_player *player, const struct smoothcore_picture_cap *cap);

/* Makes a session. `*out` goes back to smoothcore_session_destroy; it is NULL after an error.
 *
 * E_ARGUMENT; E_ABI for a header of another ABI major or a newer minor; E_BUDGET; E_NO_MEMORY.
 */
int32_t smoothcore_session_create(const struct smoothcore_config *config, struct smoothcore_session **out);

/* Frees a session and all it holds. NULL is fine. Exchanges in flight are yours to stop. */
void smoothcore_session_destroy(struct smoothcore_session *session);

/* Starts: the next poll asks for the manifest at `url`, an absolute http or https URL ended by NUL. Once a session.
 *
 * E_STATE when opened before; E_URL_INVALID, E_URL_REFUSED, E_LIMIT_URL; E_BUDGET; E_NO_MEMORY.
 */
int32_t smoothcore_session_open(struct smoothcore_session *session,
                                uint64_t at_us,
                                const char *url);

/* Tells the next thing to do. Call until `out->kind` is SMOOTHCORE_OUTPUT_IDLE.
 *
 * OK; END with IDLE when every stream was handed over to its end; with IDLE the fatal error that ended the session.
 */
int32_t smoothcore_session_poll(struct smoothcore_session *session,
                                struct smoothcore_output *out);

/* The head of a response has arrived. Optional for a stack that only tells the end; then 200 is assumed. Ignored for an
 * exchange that is unknown or cancelled, as are all facts about one.
 *
 * E_ARGUMENT for a status outside 100 to 999 or a negative length other than -1; E_URL_INVALID for the final URL; the
 * fatal error of a failed session.
 */
int32_t smoothcore_session_response(struct smoothcore_session *session,
                                    uint64_t at_us,
                                    uint32_t request,
                                    const struct smoothcore_response *response);

/* Hands in body bytes by copy. `*taken` is how many were taken: fewer than `size` when the budget has no room now. Then
 * keep the rest, stop reading that connection, and offer it again when samples have been accepted.
 *
 * OK; WOULD_BLOCK when not all were taken; the fatal error of a failed session.
 */
int32_t smoothcore_session_body(struct smoothcore_session *session,
                                uint64_t at_us,
                                uint32_t request,
                                const uint8_t *data,
                                size_t size,
                                size_t *taken);

/* Memory to read body bytes into: `*size` bytes at `*data`, the library's, until the next call with this session; then
 * smoothcore_session_filled. The way without a copy.
 *
 * OK; WOULD_BLOCK with `*size` 0 when the budget has no room now or the exchange is unknown: stop reading that
 * connection until samples have been accepted; the fatal error of a failed session.
 */
int32_t smoothcore_session_space(struct smoothcore_session *session,
                                 uint32_t request,
                                 uint8_t **data,
                                 size_t *size);

/* Counts `size` bytes written to the front of what smoothcore_session_space returned.
 *
 * E_PORT_CONTRACT when that is more than there was, and the session fails; the fatal error of a failed session.
 */
int32_t smoothcore_session_filled(struct smoothcore_session *session,
                                  uint64_t at_us,
                                  uint32_t request,
                                  size_t size);

/* The exchange is over: `outcome` 0 when the whole body was handed in, else a -2xx number; any other negative number
 * counts as SMOOTHCORE_E_NETWORK_IO.
 *
 * E_ARGUMENT for a positive outcome; the fatal error of a failed session.
 */
int32_t smoothcore_session_finished(struct smoothcore_session *session,
                                    uint64_t at_us,
                                    uint32_t request,
                                    int32_t outcome);

/* The decoder took the sample last offered for this stream. */
int32_t smoothcore_session_accepted(struct smoothcore_session *session, uint64_t at_us, uint32_t stream);

/* The decoder has no room for it now. It is offered again after smoothcore_session_buffered or _timeout. */
int32_t smoothcore_session_refused(struct smoothcore_session *session, uint64_t at_us, uint32_t stream);

/* What the decoder of a stream holds. */
int32_t smoothcore_session_buffered(struct smoothcore_session *session,
                                    uint64_t at_us,
                                    uint32_t stream,
                                    const struct smoothcore_buffered *held);

/* The answer to SMOOTHCORE_OUTPUT_CONFIGURE: OK; WOULD_BLOCK for not before the decoder has drained; a negative number
 * when it cannot play this, and the quality level is dropped.
 */
int32_t smoothcore_session_configured(struct smoothcore_session *session,
                                      uint64_t at_us,
                                      uint32_t stream,
                                      int32_t answer);

/* How far keys are: the one named by the 16 bytes at `kid` (big-endian), or with NULL all that the session knows of by
 * now. `result` is OK, with your number for its session in `key`; WOULD_BLOCK for not yet; a SMOOTHCORE_E_ number of
 * -4xx when it will not come (any other counts as SMOOTHCORE_E_KEY_REFUSED).
 */
int32_t smoothcore_session_key(struct smoothcore_session *session,
                               uint64_t at_us,
                               const uint8_t *kid,
                               int32_t result,
                               uint64_t key);

/* The answer to SMOOTHCORE_OUTPUT_DECRYPT: OK when the sample is clear now; WOULD_BLOCK for not now, then it is offered
 * again, as it is then, after smoothcore_session_buffered or _timeout; a negative number when it cannot be decrypted, and
 * it is left out.
 */
int32_t smoothcore_session_decrypted(struct smoothcore_session *session,
                                     uint64_t at_us,
                                     uint32_t stream,
                                     int32_t result);

/* The answer to SMOOTHCORE_OUTPUT_CAPABILITY, by the candidate's stream and position: 1 when the decoder can play it, 0
 * when not, and the quality level is dropped.
 */
int32_t smoothcore_session_capable(struct smoothcore_session *session,
                                   uint64_t at_us,
                                   uint32_t stream,
                                   uint32_t position,
                                   uint32_t yes);

/* Leaves only the quality levels of a stream whose bit is set in `mask`, for output restrictions: bit 0 is the first of
 * the manifest's list, bit 63 stands for all from the 64th on. May change while playing. A fragment of which samples
 * were handed out is played to its end; what is behind it is fetched again where its level was withdrawn.
 *
 * E_STATE before playback has started; E_ARGUMENT for a stream that cannot be played or is text, and for a mask that
 * leaves no level; the fatal error of a failed session.
 */
int32_t smoothcore_session_restrict(struct smoothcore_session *session,
                                    uint64_t at_us,
                                    uint32_t stream,
                                    uint64_t mask);

/* Time has passed. Early ones are harmless. */
int32_t smoothcore_session_timeout(struct smoothcore_session *session, uint64_t at_us);

/* Goes on from the fragment that covers `to`. Samples before `to` carry SMOOTHCORE_SAMPLE_PREROLL.
 *
 * E_STATE before the manifest is there; E_ARGUMENT for a negative time; the fatal error of a failed session.
 */
int32_t smoothcore_session_seek(struct smoothcore_session *session, uint64_t at_us, int64_t to);

/* Plays (`on` 1) or stops playing (0) one stream. One that is turned on starts where the others are.
 *
 * E_STATE before the manifest is there; E_ARGUMENT for a stream that cannot be played; E_BUDGET when the budget cannot
 * be divided among so many; the fatal error of a failed session.
 */
int32_t smoothcore_session_select(struct smoothcore_session *session,
                                  uint64_t at_us,
                                  uint32_t stream,
                                  uint32_t on);

/* Holds the presentation clock until smoothcore_session_play; fetching goes on. */
int32_t smoothcore_session_pause(struct smoothcore_session *session, uint64_t at_us);

/* Lets the presentation clock run when there is enough media, as it does from the start. */
int32_t smoothcore_session_play(struct smoothcore_session *session, uint64_t at_us);

/* Figures since open. Also of a failed session. */
int32_t smoothcore_session_stats(struct smoothcore_session *session, struct smoothcore_stats *out);

/* The presentation as a whole. E_STATE before the manifest is there. */
int32_t smoothcore_session_presentation(struct smoothcore_session *session,
                                        struct smoothcore_presentation *out);

/* How many streams the manifest lists, playable or not. E_STATE before the manifest is there. */
int32_t smoothcore_session_stream_count(struct smoothcore_session *session, uint32_t *out);

/* Stream `stream`, from 0. E_STATE before the manifest is there, E_ARGUMENT when there are not so many. */
int32_t smoothcore_session_stream(struct smoothcore_session *session,
                                  uint32_t stream,
                                  struct smoothcore_stream_info *out);

/* Quality level `position` of a stream, from 0 in the order of the manifest. Errors as smoothcore_session_stream. */
int32_t smoothcore_session_level(struct smoothcore_session *session,
                                 uint32_t stream,
                                 uint32_t position,
                                 struct smoothcore_level_info *out);

/* The start of an MP4 file, `ftyp` and `moov`, for quality level `position` of a stream: one track with track_ID 1 that
 * has the decoder's set-up and no samples. `*length` is how long it is; it is in `buffer` only when that is no more
 * than `size`. A NULL buffer of size 0 asks for the length alone.
 *
 * E_STATE before the manifest is there; E_ARGUMENT; E_CODEC_CONFIG when the set-up is in band alone;
 * E_PROTECTION_UNSUPPORTED; E_UNSUPPORTED; E_BUDGET; E_NO_MEMORY.
 */
int32_t smoothcore_session_init_segment(struct smoothcore_session *session,
                                        uint32_t stream,
                                        uint32_t position,
                                        uint8_t *buffer,
                                        size_t size,
                                        size_t *length);

/* How many deviations of the manifest from the specification smoothcore_session_deviation tells: into `*kept`; and how
 * many more there were, into `*lost` unless that is NULL. Also of a session that refused its manifest. None before.
 */
int32_t smoothcore_session_deviation_count(struct smoothcore_session *session,
                                           uint32_t *kept,
                                           uint32_t *lost);

/* Deviation `position`, from 0. E_ARGUMENT when there are not so many. */
int32_t smoothcore_session_deviation(struct smoothcore_session *session,
                                     uint32_t position,
                                     struct smoothcore_deviation *out);

/* Root attribute `position` of those that mean nothing to playback, from 0. E_ARGUMENT when there are not so many, and
 * before the manifest is there.
 */
int32_t smoothcore_session_metadata(struct smoothcore_session *session,
                                    uint32_t position,
                                    struct smoothcore_metadata *out);

/* Makes a player. `*out` goes back to smoothcore_player_destroy; it is NULL after an error. No port is called.
 *
 * E_ARGUMENT for a number out of range, a missing port or required function; E_ABI for a header of another ABI major or
 * a newer minor; E_BUDGET; E_NO_MEMORY; E_UNSUPPORTED for byte streams in a library without its HTTP client.
 */
int32_t smoothcore_player_create(const struct smoothcore_config *config,
                                 const struct smoothcore_ports *ports,
                                 struct smoothcore_player **out);

/* Ends every exchange in flight through the port, then frees the player and all it holds. NULL is fine. Decoders are
 * yours to stop; with a protection port they are flushed and then that is closed. Does nothing inside a callback of the same player: call it when the callback has returned.
 */
void smoothcore_player_destroy(struct smoothcore_player *player);

/* Starts to play the presentation at `url`: an absolute http or https URL ended by NUL, read during the call. Once a
 * player.
 *
 * With a source port, whatever has no `://` in it, and any `file:` URL (its path counts), is opened from that: an .ism,
 * an .ismc, or a single .ismv or .isma, muxed or not. The files are looked at during the call; the client manifest is
 * the .ismc, or is made of what the files say.
 *
 * E_STATE when opened before; E_URL_INVALID, E_URL_REFUSED, E_LIMIT_URL; E_UNSUPPORTED for a URL without an HTTP or
 * stream port; of files, E_NO_FILE, E_FILE_IO, what the port says, E_MANIFEST_... for an .ism, E_BOX_INVALID and
 * limits for media; E_BUDGET; E_NO_MEMORY.
 */
int32_t smoothcore_player_open(struct smoothcore_player *player,
                               const char *url);

/* Event-loop mode: does what can be done now and returns. `*next_us` is when to call again at the latest, by the clock
 * port; SMOOTHCORE_NO_TIME_US: not before a port has something new, which it tells with smoothcore_player_wake.
 *
 * OK; END when everything has been shown, though a seek may go on from there; E_STATE before open; a fatal error, which
 * every further call returns as well.
 */
int32_t smoothcore_player_step(struct smoothcore_player *player,
                               uint64_t *next_us);

/* Makes smoothcore_player_step due at once and smoothcore_player_run_until return, and calls the clock port's `wakeup` on this thread, which must return at
 * once. Ports call it when a WOULD_BLOCK of theirs has ended. Any thread and any callback, as long as the player lives.
 */
void smoothcore_player_wake(struct smoothcore_player *player);

/* Fetches the oldest event; 64 are kept, and `out->lost` counts those that had to go. With an event port there are none.
 *
 * OK; WOULD_BLOCK when there is none. Also of a failed player.
 */
int32_t smoothcore_player_event(struct smoothcore_player *player,
                                struct smoothcore_event *out);

/* Goes on from the fragment that covers `to`. Samples before `to` carry SMOOTHCORE_SAMPLE_PREROLL.
 *
 * E_STATE before the manifest is there; E_ARGUMENT for a negative time; the fatal error of a failed player.
 */
int32_t smoothcore_player_seek(struct smoothcore_player *player, int64_t to);

/* Plays (`on` 1) or stops playing (0) one stream. One that is turned on starts where the others are.
 *
 * E_STATE before the manifest is there; E_ARGUMENT for a stream that cannot be played; E_BUDGET when the budget cannot
 * be divided among so many; the fatal error of a failed player.
 */
int32_t smoothcore_player_select(struct smoothcore_player *player,
                                 uint32_t stream,
                                 uint32_t on);

/* How far keys are, for a host without a protection port: as smoothcore_session_key. */
int32_t smoothcore_player_key(struct smoothcore_player *player,
                              const uint8_t *kid,
                              int32_t result,
                              uint64_t key);

/* Leaves only the quality levels of a stream whose bit is set in `mask`: as smoothcore_session_restrict. */
int32_t smoothcore_player_restrict(struct smoothcore_player *player, uint32_t stream, uint64_t mask);

/* Holds the presentation clock, from the next step on, until smoothcore_player_play; fetching goes on. */
int32_t smoothcore_player_pause(struct smoothcore_player *player);

/* Lets the presentation clock run when there is enough media, as it does from the start. */
int32_t smoothcore_player_play(struct smoothcore_player *player);

/* Figures since open. Also of a failed player. */
int32_t smoothcore_player_stats(struct smoothcore_player *player, struct smoothcore_stats *out);

/* The presentation as a whole. E_STATE before the manifest is there. */
int32_t smoothcore_player_presentation(struct smoothcore_player *player, struct smoothcore_presentation *out);

/* How many streams the manifest lists, playable or not. E_STATE before the manifest is there. */
int32_t smoothcore_player_stream_count(struct smoothcore_player *player, uint32_t *out);

/* Stream `stream`, from 0. E_STATE before the manifest is there, E_ARGUMENT when there are not so many. */
int32_t smoothcore_player_stream(struct smoothcore_player *player,
                                 uint32_t stream,
                                 struct smoothcore_stream_info *out);

/* Quality level `position` of a stream, from 0 in the order of the manifest. Errors as smoothcore_player_stream. */
int32_t smoothcore_player_level(struct smoothcore_player *player,
                                uint32_t stream,
                                uint32_t position,
                                struct smoothcore_level_info *out);

/* The start of an MP4 file, `ftyp` and `moov`, for quality level `position` of a stream: one track with track_ID 1 that
 * has the decoder's set-up and no samples. `*length` is how long it is; it is in `buffer` only when that is no more
 * than `size`. A NULL buffer of size 0 asks for the length alone.
 *
 * E_STATE before the manifest is there; E_ARGUMENT; E_CODEC_CONFIG when the set-up is in band alone;
 * E_PROTECTION_UNSUPPORTED; E_UNSUPPORTED; E_BUDGET; E_NO_MEMORY.
 */
int32_t smoothcore_player_init_segment(struct smoothcore_player *player,
                                       uint32_t stream,
                                       uint32_t position,
                                       uint8_t *buffer,
                                       size_t size,
                                       size_t *length);

/* How many deviations of the manifest from the specification smoothcore_player_deviation tells: into `*kept`; and how
 * many more there were, into `*lost` unless that is NULL. Also of a session that refused its manifest. None before.
 */
int32_t smoothcore_player_deviation_count(struct smoothcore_player *player,
                                          uint32_t *kept,
                                          uint32_t *lost);

/* Deviation `position`, from 0. E_ARGUMENT when there are not so many. */
int32_t smoothcore_player_deviation(struct smoothcore_player *player,
                                    uint32_t position,
                                    struct smoothcore_deviation *out);

/* What is said of the presentation, one thing at a time, `position` from 0: first by the server manifest of one on disk,
 * known once it is open, then by root attributes of the manifest. E_ARGUMENT when there are not so many.
 */
int32_t smoothcore_player_metadata(struct smoothcore_player *player,
                                   uint32_t position,
                                   struct smoothcore_metadata *out);

/* Blocking mode, for bring-up: plays to the end, sleeping in the clock port's `wait_until`. While an exchange is open it
 * looks at the ports every 5 ms at least. Give an event port to hear of events meanwhile.
 *
 * OK when everything has been shown; E_UNSUPPORTED without `wait_until`; E_STATE before open; a fatal error.
 */
int32_t smoothcore_player_run(struct smoothcore_player *player);

/* Blocking mode for a thread that has more to do: plays as smoothcore_player_run does and returns when the clock port says
 * `until_us`, or soon after smoothcore_player_wake, whoever called it. Then seek, select, fetch events or destroy, and
 * call it again to play on. SMOOTHCORE_NO_TIME_US: a wake alone ends it. Each call makes at least one step.
 *
 * OK when there is more to play; END when everything has been shown, though a seek may go on from there; E_UNSUPPORTED
 * without `wait_until`; E_STATE before open; a fatal error, which every further call returns as well.
 */
int32_t smoothcore_player_run_until(struct smoothcore_player *player,
                                    uint64_t until_us);

/* Sends log lines of up to `max_level` (a SMOOTHCORE_LOG_ number; more counts as TRACE) to `sink`; NULL ends it. For the
 * whole process. Call it before any other thread is inside the library: sink and userdata are not changed together.
 * The sink is called on the thread that called the library and must not call it, smoothcore_player_wake excepted.
 */
void smoothcore_log_set(smoothcore_log_sink sink,
                        void *userdata,
                        uint32_t max_level);

/* Firmware defines this: `size` bytes (never 0) aligned to `align` (a power of two, at most 16 on every
 * supported target), or NULL when there is no memory, which becomes an error code and no abort. The library
 * owns the bytes until it hands them to `smoothcore_port_free`. Called on the thread that called the library.
 */
extern void *smoothcore_port_alloc(size_t size, size_t align);

/* Firmware defines this: takes back what `smoothcore_port_alloc` returned, with the same `size` and `align`.
 * `ptr` is never NULL and never used again.
 */
extern void smoothcore_port_free(void *ptr, size_t size, size_t align);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SMOOTHCORE_H */
