/* A small program of a vendor's: a session that is opened, asks for its manifest and is given one, and a player without
 * business. Its objects in tests/abi/VERSION were compiled when that version was new and are never compiled again: what
 * they hold of the header, sizes and numbers, is what a box in the field holds. It needs no library. */
#include "smoothcore.h"

static unsigned char pool[600 << 10];
static size_t used;

void *smoothcore_port_alloc(size_t size, size_t align)
{
    size_t at = (used + align - 1) / align * align;
    if (at > sizeof pool || size > sizeof pool - at) return 0;
    used = at + size;
    return pool + at;
}

void smoothcore_port_free(void *ptr, size_t size, size_t align)
{
    /* The last one alone is given back: it is a short program. */
    if ((unsigned char *)ptr + size == pool + used) used -= size;
    (void)align;
}

static const char manifest[] =
    "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"40000000\">"
    "<StreamIndex Type=\"audio\" Name=\"audio\" Url=\"QualityLevels({bitrate})/Fragments(audio={start time})\">"
    "<QualityLevel Index=\"0\" Bitrate=\"64000\" FourCC=\"AACL\" CodecPrivateData=\"1190\" SamplingRate=\"48000\""
    " Channels=\"2\" BitsPerSample=\"16\" PacketSize=\"4\" AudioTag=\"255\"/>"
    "<c t=\"0\" d=\"20000000\" r=\"2\"/></StreamIndex></SmoothStreamingMedia>";

static smoothcore_config config;
static smoothcore_output out;
static smoothcore_presentation presentation;
static smoothcore_stream_info info;
static smoothcore_level_info level;
static smoothcore_stats stats;

/* Polls up to an output of `kind`: its request, or 0. */
static uint32_t poll_for(smoothcore_session *session, uint32_t kind)
{
    int n;
    for (n = 0; n < 100; n++) {
        out.struct_size = sizeof out;
        smoothcore_session_poll(session, &out);
        if (out.kind == kind) return out.request_info ? out.request_info->id : 0;
        if (out.kind == SMOOTHCORE_OUTPUT_IDLE) return 0;
    }
    return 0;
}

static int with_session(void)
{
    smoothcore_session *session = 0;
    uint32_t request, count = 0;
    size_t taken = 0;
    if (smoothcore_session_create(&config, &session) != SMOOTHCORE_OK) return 1;
    if (smoothcore_session_open(session, 1000, "http://origin.test/film.ism/Manifest") != SMOOTHCORE_OK) return 2;
    request = poll_for(session, SMOOTHCORE_OUTPUT_REQUEST);
    if (request == 0 || out.request_info->kind != SMOOTHCORE_REQUEST_MANIFEST) return 3;
    if (smoothcore_session_body(session, 2000, request, (const uint8_t *)manifest, sizeof manifest - 1, &taken)) return 4;
    if (taken != sizeof manifest - 1) return 5;
    if (smoothcore_session_finished(session, 3000, request, SMOOTHCORE_OK) != SMOOTHCORE_OK) return 6;
    request = poll_for(session, SMOOTHCORE_OUTPUT_REQUEST);
    if (request == 0 || out.request_info->kind != SMOOTHCORE_REQUEST_FRAGMENT) return 7;
    presentation.struct_size = sizeof presentation;
    if (smoothcore_session_presentation(session, &presentation) != SMOOTHCORE_OK) return 8;
    if (presentation.stream_count != 1 || presentation.end_time != 40000000) return 9;
    if (smoothcore_session_stream_count(session, &count) != SMOOTHCORE_OK || count != 1) return 10;
    info.struct_size = sizeof info;
    if (smoothcore_session_stream(session, 0, &info) != SMOOTHCORE_OK || info.level_count != 1) return 11;
    level.struct_size = sizeof level;
    if (smoothcore_session_level(session, 0, 0, &level) != SMOOTHCORE_OK || level.bitrate != 64000) return 12;
    stats.struct_size = sizeof stats;
    if (smoothcore_session_stats(session, &stats) != SMOOTHCORE_OK) return 13;
    if (stats.requests != 2 || stats.state != SMOOTHCORE_STATE_PLAYING) return 14;
    smoothcore_session_destroy(session);
    return 0;
}

static int32_t no_start(void *u, const smoothcore_request *r) { return u && r ? SMOOTHCORE_E_CONNECT : 0; }
static int32_t no_response(void *u, uint32_t r, smoothcore_response *o) { return u || r || o ? SMOOTHCORE_E_CONNECT : 0; }
static int32_t no_read(void *u, uint32_t r, uint8_t *b, size_t s, size_t *g)
{
    return u || r || b || s || g ? SMOOTHCORE_E_CONNECT : 0;
}
static void no_cancel(void *u, uint32_t r) { (void)u, (void)r; }
static int32_t configure(void *u, const smoothcore_setup *s) { return u && s ? SMOOTHCORE_OK : SMOOTHCORE_OK; }
static int32_t submit(void *u, const smoothcore_sample *s) { return u && s ? SMOOTHCORE_OK : SMOOTHCORE_OK; }
static int32_t held(void *u, uint32_t s, smoothcore_buffered *o) { return u || s || o ? SMOOTHCORE_OK : SMOOTHCORE_OK; }
static void flush(void *u, uint32_t s, uint32_t e) { (void)u, (void)s, (void)e; }
static uint64_t now_us(void *u) { return ++*(uint64_t *)u; }

static smoothcore_http_port http;
static smoothcore_decoder_port decoder;
static smoothcore_clock_port clock;
static smoothcore_ports ports;
static smoothcore_event event;

static int with_player(void)
{
    static uint64_t instant;
    smoothcore_player *player = 0;
    uint64_t next = 0;
    http.struct_size = sizeof http;
    http.userdata = &instant;
    http.start = no_start;
    http.response = no_response;
    http.read = no_read;
    http.cancel = no_cancel;
    decoder.struct_size = sizeof decoder;
    decoder.configure = configure;
    decoder.submit = submit;
    decoder.status = held;
    decoder.flush = flush;
    clock.struct_size = sizeof clock;
    clock.userdata = &instant;
    clock.now_us = now_us;
    ports.struct_size = sizeof ports;
    ports.http = &http;
    ports.decoder = &decoder;
    ports.clock = &clock;
    if (smoothcore_player_create(&config, &ports, &player) != SMOOTHCORE_OK) return 20;
    if (smoothcore_player_open(player, "http://origin.test/film.ism/Manifest") != SMOOTHCORE_OK) return 21;
    if (smoothcore_player_step(player, &next) != SMOOTHCORE_OK || next <= instant) return 22;
    event.struct_size = sizeof event;
    if (smoothcore_player_event(player, &event) != SMOOTHCORE_OK || event.kind != SMOOTHCORE_EVENT_RETRY) return 23;
    smoothcore_player_destroy(player);
    return 0;
}

int main(void)
{
    int result;
    if (smoothcore_abi_version() >> 16 != SMOOTHCORE_ABI_MAJOR) return 30;
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.budget_bytes = 256u << 10;
    config.seed = 7;
    result = with_session();
    return result ? result : with_player();
}
