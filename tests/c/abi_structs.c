/* Structs of callers older and newer than the library, and numbers out of range. */
#include "abi.h"

/* A struct with room for the tail of a later version. */
#define LONGER(type) \
    struct { \
        type known; \
        uint8_t tail[64]; \
    }

static int32_t create_session(const smoothcore_config *config)
{
    smoothcore_session *session = (smoothcore_session *)config;
    int32_t result = smoothcore_session_create(config, &session);
    CHECK((result == SMOOTHCORE_OK) == (session != 0));
    smoothcore_session_destroy(session);
    return result;
}

static int32_t create_player(const smoothcore_ports *ports)
{
    smoothcore_config config = abi_config();
    smoothcore_player *player = 0;
    int32_t result = smoothcore_player_create(&config, ports, &player);
    CHECK((result == SMOOTHCORE_OK) == (player != 0));
    smoothcore_player_destroy(player);
    return result;
}

/* What a struct that goes in must stand: `use` hands it over; `shortest` is how much of it is required. */
static void ages(void *known, uint32_t size, uint32_t shortest, int32_t (*use)(void *), void *context)
{
    uint8_t *tail = (uint8_t *)known + size;
    uint32_t *declared = known;
    uint32_t n;
    for (n = 0; n < 4; n++) {
        *declared = n;
        CHECK_IS(use(context), SMOOTHCORE_E_ABI);
    }
    *declared = shortest;
    CHECK_IS(use(context), SMOOTHCORE_OK);
    *declared = size;
    CHECK_IS(use(context), SMOOTHCORE_OK);
    memset(tail, 0, 64);
    *declared = size + 64;
    CHECK_IS(use(context), SMOOTHCORE_OK);
    for (n = 0; n < 64; n += 63) {
        tail[n] = 1;
        CHECK_IS(use(context), SMOOTHCORE_E_ABI);
        tail[n] = 0;
    }
    *declared = UINT32_MAX;
    CHECK_IS(use(context), SMOOTHCORE_E_ABI);
    *declared = size;
}

static int32_t use_config(void *context) { return create_session(context); }

static int32_t use_ports(void *context) { return create_player(context); }

static void going_in(void)
{
    LONGER(smoothcore_config) config;
    LONGER(smoothcore_limits) limits;
    LONGER(smoothcore_ports) ports;
    LONGER(smoothcore_http_port) http;
    LONGER(smoothcore_decoder_port) decoder;
    LONGER(smoothcore_clock_port) clock;
    LONGER(smoothcore_event_port) events;
    LONGER(smoothcore_protection_port) protection;
    rig *r = abi_rig();
    rig_tables tables;
    smoothcore_config plain = abi_config();
    rig_fill_tables(r, &tables);

    memset(&config, 0, sizeof config);
    config.known = plain;
    ages(&config, sizeof config.known, 8, use_config, &config.known);

    memset(&limits, 0, sizeof limits);
    limits.known.struct_size = sizeof limits.known;
    plain.limits = &limits.known;
    ages(&limits, sizeof limits.known, 4, use_config, &plain);

    memset(&ports, 0, sizeof ports);
    ports.known = tables.ports;
    ages(&ports, sizeof ports.known, offsetof(smoothcore_ports, events), use_ports, &ports.known);
    CHECK_IS(use_ports(&tables.ports), SMOOTHCORE_OK);

    memset(&http, 0, sizeof http);
    http.known = tables.http;
    tables.ports.http = &http.known;
    ages(&http, sizeof http.known, sizeof http.known, use_ports, &tables.ports);
    http.known.struct_size = offsetof(smoothcore_http_port, cancel);
    CHECK_IS(use_ports(&tables.ports), SMOOTHCORE_E_ARGUMENT);
    http.known.struct_size = sizeof http.known;

    memset(&decoder, 0, sizeof decoder);
    decoder.known = tables.decoder;
    tables.ports.decoder = &decoder.known;
    ages(&decoder, sizeof decoder.known, offsetof(smoothcore_decoder_port, end), use_ports, &tables.ports);
    decoder.known.struct_size = offsetof(smoothcore_decoder_port, flush);
    CHECK_IS(use_ports(&tables.ports), SMOOTHCORE_E_ARGUMENT);
    decoder.known.struct_size = sizeof decoder.known;

    memset(&clock, 0, sizeof clock);
    clock.known = tables.clock;
    tables.ports.clock = &clock.known;
    ages(&clock, sizeof clock.known, offsetof(smoothcore_clock_port, wait_until), use_ports, &tables.ports);

    memset(&protection, 0, sizeof protection);
    protection.known = tables.protection;
    tables.ports.protection = &protection.known;
    ages(&protection, sizeof protection.known, offsetof(smoothcore_protection_port, decrypt), use_ports, &tables.ports);
    protection.known.struct_size = offsetof(smoothcore_protection_port, key);
    CHECK_IS(use_ports(&tables.ports), SMOOTHCORE_E_ARGUMENT);
    tables.ports.protection = 0;

    memset(&events, 0, sizeof events);
    events.known.struct_size = sizeof events.known;
    tables.ports.events = &events.known;
    CHECK_IS(use_ports(&tables.ports), SMOOTHCORE_E_ARGUMENT); /* its function is missing */
    free(r);
}

/* What a struct that comes out must stand: filled as far as declared, a longer tail zeroed, nothing behind touched. */
static void filled(void *known, uint32_t size, int32_t (*use)(void *), int32_t wanted)
{
    uint8_t *bytes = known;
    static const uint32_t sizes[] = {4, 8, 12, 16};
    uint32_t n, i;
    for (n = 0; n < 4; n++) {
        memset(bytes, 0xA5, size + 64);
        memcpy(bytes, &n, 4);
        CHECK_IS(use(known), SMOOTHCORE_E_ABI);
    }
    for (n = 0; n < 6; n++) {
        uint32_t declared = n < 4 ? sizes[n] : size + (n - 4) * 32, after = 0;
        memset(bytes, 0xA5, size + 64);
        memcpy(bytes, &declared, 4);
        CHECK_IS(use(known), wanted);
        memcpy(&after, bytes, 4);
        CHECK(after == declared);
        for (i = declared; i < size + 64; i++) CHECK(bytes[i] == 0xA5);
        for (i = size; i < declared; i++) CHECK(bytes[i] == 0);
    }
    n = UINT32_MAX;
    memcpy(bytes, &n, 4);
    CHECK_IS(use(known), SMOOTHCORE_E_ABI);
}

static smoothcore_player *player;
static smoothcore_session *session;

static int32_t use_stats(void *out) { return smoothcore_player_stats(player, out); }
static int32_t use_presentation(void *out) { return smoothcore_player_presentation(player, out); }
static int32_t use_stream(void *out) { return smoothcore_player_stream(player, 0, out); }
static int32_t use_level(void *out) { return smoothcore_player_level(player, 0, 1, out); }
static int32_t use_event(void *out) { return smoothcore_player_event(player, out); }
static int32_t use_output(void *out) { return smoothcore_session_poll(session, out); }
static int32_t use_session_stats(void *out) { return smoothcore_session_stats(session, out); }

static void coming_out(void)
{
    LONGER(smoothcore_stats) stats;
    LONGER(smoothcore_presentation) presentation;
    LONGER(smoothcore_stream_info) stream;
    LONGER(smoothcore_level_info) level;
    LONGER(smoothcore_event) event;
    LONGER(smoothcore_output) output;
    rig *r = abi_rig();
    rig_tables tables;
    smoothcore_config config = abi_config();
    rig_fill_tables(r, &tables);
    player = abi_player(&tables);
    CHECK_IS(abi_step(r, player, 10000000), SMOOTHCORE_OK);

    filled(&event, sizeof event.known, use_event, SMOOTHCORE_OK);
    filled(&stats, sizeof stats.known, use_stats, SMOOTHCORE_OK);
    filled(&presentation, sizeof presentation.known, use_presentation, SMOOTHCORE_OK);
    filled(&stream, sizeof stream.known, use_stream, SMOOTHCORE_OK);
    filled(&level, sizeof level.known, use_level, SMOOTHCORE_OK);

    stats.known.struct_size = sizeof stats.known;
    CHECK_IS(use_stats(&stats), SMOOTHCORE_OK);
    CHECK(stats.known.state == SMOOTHCORE_STATE_PLAYING && stats.known.error == 0);
    CHECK(stats.known.samples == r->samples && r->samples > 100);
    CHECK(stats.known.startup_us > 0 && stats.known.startup_us < 5000000);
    CHECK(stats.known.held_bytes <= stats.known.peak_held_bytes);
    CHECK(stats.known.peak_held_bytes <= stats.known.budget_bytes && stats.known.budget_bytes == 8u << 20);
    /* What the library says it holds covers what it has asked for. */
    CHECK(abi_held <= stats.known.held_bytes && abi_peak <= stats.known.budget_bytes);
    presentation.known.struct_size = sizeof presentation.known;
    CHECK_IS(use_presentation(&presentation), SMOOTHCORE_OK);
    CHECK(presentation.known.live == 0 && presentation.known.stream_count == 3);
    CHECK(presentation.known.duration_us > 47000000 && presentation.known.duration_us < 50000000);
    stream.known.struct_size = sizeof stream.known;
    CHECK_IS(use_stream(&stream), SMOOTHCORE_OK);
    CHECK(stream.known.kind == SMOOTHCORE_KIND_VIDEO && stream.known.playable && stream.known.selected);
    CHECK(stream.known.level_count == 4 && !strcmp(stream.known.name, "video"));
    level.known.struct_size = sizeof level.known;
    CHECK_IS(use_level(&level), SMOOTHCORE_OK);
    CHECK(level.known.codec == SMOOTHCORE_CODEC_H264 && level.known.usable && level.known.bitrate == 101261);
    CHECK(!strncmp(level.known.codec_string, "avc1.", 5));
    CHECK_IS(smoothcore_player_level(player, 0, 4, &level.known), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_level(player, 3, 0, &level.known), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_stream(player, UINT32_MAX, &stream.known), SMOOTHCORE_E_ARGUMENT);
    smoothcore_player_destroy(player);
    CHECK(r->balance == 0);
    free(r);

    CHECK_IS(smoothcore_session_create(&config, &session), SMOOTHCORE_OK);
    filled(&output, sizeof output.known, use_output, SMOOTHCORE_OK);
    filled(&stats, sizeof stats.known, use_session_stats, SMOOTHCORE_OK);
    smoothcore_session_destroy(session);
}

static int32_t use_response(void *context)
{
    return smoothcore_session_response(session, 1, 1, context);
}

static int32_t use_buffered(void *context) { return smoothcore_session_buffered(session, 1, 0, context); }

static void facts_in(void)
{
    LONGER(smoothcore_response) response;
    LONGER(smoothcore_buffered) buffered;
    smoothcore_config config = abi_config();
    CHECK_IS(smoothcore_session_create(&config, &session), SMOOTHCORE_OK);
    memset(&response, 0, sizeof response);
    response.known.status = 200;
    ages(&response, sizeof response.known, 8, use_response, &response);
    response.known.status = 99;
    CHECK_IS(use_response(&response), SMOOTHCORE_E_ARGUMENT);
    response.known.status = 1000;
    CHECK_IS(use_response(&response), SMOOTHCORE_E_ARGUMENT);
    response.known.status = 200;
    response.known.content_length = -2;
    CHECK_IS(use_response(&response), SMOOTHCORE_E_ARGUMENT);
    response.known.content_length = -1;
    response.known.final_url = "http://\xff/";
    CHECK_IS(use_response(&response), SMOOTHCORE_E_URL_INVALID);
    memset(&buffered, 0, sizeof buffered);
    ages(&buffered, sizeof buffered.known, 4, use_buffered, &buffered);
    smoothcore_session_destroy(session);
}

static void ranges(void)
{
    smoothcore_config config = abi_config();
    rig *r = abi_rig();
    rig_tables tables;
#define REFUSED(change, why) \
    config = abi_config(); \
    change; \
    CHECK_IS(create_session(&config), why)
    REFUSED(config.abi_version = 0, SMOOTHCORE_E_ABI);
    REFUSED(config.abi_version = SMOOTHCORE_ABI_VERSION + 1, SMOOTHCORE_E_ABI);
    REFUSED(config.abi_version = SMOOTHCORE_ABI_VERSION + 0x10000, SMOOTHCORE_E_ABI);
    REFUSED(config.audio = 4, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.framing = 2, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.decoder_flags = 0x80000000u, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.protection = 3, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.protection = SMOOTHCORE_PROTECTION_DECRYPT, SMOOTHCORE_OK);
    REFUSED(config.start_at = -1, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.budget_bytes = UINT64_MAX, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.budget_bytes = 1, SMOOTHCORE_E_BUDGET);
    REFUSED(config.budget_bytes = (128u << 10) - 1, SMOOTHCORE_E_BUDGET);
    REFUSED(config.reserved = &config, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.strictness = 2, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.text = 4, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.captions = 2, SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.strictness = SMOOTHCORE_MANIFEST_STRICT, SMOOTHCORE_OK);
    REFUSED((config.min_bitrate = 2, config.max_bitrate = 1), SMOOTHCORE_E_ARGUMENT);
    REFUSED(config.budget_bytes = 128u << 10, SMOOTHCORE_OK);
    REFUSED(config.start_at = SMOOTHCORE_NO_TIME, SMOOTHCORE_OK);
    REFUSED(memset(config.audio_language, 'x', 8), SMOOTHCORE_OK);

    rig_fill_tables(r, &tables);
#define REFUSED_PORT(change, why) \
    rig_fill_tables(r, &tables); \
    change; \
    CHECK_IS(create_player(&tables.ports), why)
    REFUSED_PORT(tables.decoder.framing = 7, SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT(tables.decoder.flags = 1u << 20, SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT(tables.decoder.reserved = 1, SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT(tables.http.reserved = 1, SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT(tables.clock.reserved = 1, SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT((tables.ports.protection = &tables.protection, tables.protection.reserved = 1), SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT((tables.ports.protection = &tables.protection, tables.protection.offer = 0), SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT((tables.ports.protection = &tables.protection, tables.protection.key = 0), SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT((tables.ports.protection = &tables.protection, tables.protection.close = 0), SMOOTHCORE_OK);
    REFUSED_PORT(tables.ports.reserved = 1, SMOOTHCORE_E_ARGUMENT);
    REFUSED_PORT((void)0, SMOOTHCORE_OK);
    free(r);
}

void test_structs(void)
{
    going_in();
    facts_in();
    coming_out();
    ranges();
}
