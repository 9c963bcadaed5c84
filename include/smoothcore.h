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
 * Threads    The library starts none and keeps no global state but the log sink. Everything of one player is called
 *            from one thread at a time, and not from inside its own callbacks, which is detected and refused. What
 *            may be called from elsewhere says so. Two players are independent.
 * Ownership  A pointer is valid during the call it is passed to or by, unless its comment says otherwise. The library
 *            never frees what it did not allocate. What a create function returns goes back to its destroy function.
 * Structs    Where a struct begins with struct_size, set it to sizeof the struct you compiled with and zero the rest
 *            first. A shorter struct of an older header is read as if continued with zeros; zero means the default.
 *            A longer one is refused when its unknown tail is not zero. Structs only ever grow at their end.
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
/* The protection system is not supported. */
#define SMOOTHCORE_E_PROTECTION_UNSUPPORTED (-400)
/* The protection header is malformed. */
#define SMOOTHCORE_E_PROTECTION_HEADER (-401)
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
/* Changes when a program built for an older header would break. While it is 0, every break has an ABI line in
 * CHANGELOG.md.
 */
#define SMOOTHCORE_ABI_MAJOR 0
/* Rises when functions, constants or struct tails are added. */
#define SMOOTHCORE_ABI_MINOR 1

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
