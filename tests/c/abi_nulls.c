/* NULL for every pointer of every function, and every required function of every table. */
#include "abi.h"

#define REFUSES(call) CHECK_IS(call, SMOOTHCORE_E_ARGUMENT)

static void no_session(smoothcore_session *s)
{
    smoothcore_output output = {0};
    smoothcore_response response = {sizeof response, 200, -1, 0, 0, 0, 0};
    smoothcore_buffered buffered = {sizeof buffered, 0, 0, 0};
    smoothcore_stats stats;
    smoothcore_presentation presentation;
    smoothcore_stream_info stream;
    smoothcore_level_info level;
    uint8_t byte = 0, *space;
    size_t size;
    uint32_t count;
    output.struct_size = sizeof output;
    stats.struct_size = sizeof stats;
    presentation.struct_size = sizeof presentation;
    stream.struct_size = sizeof stream;
    level.struct_size = sizeof level;
    if (!s) {
        smoothcore_session_destroy(s);
        REFUSES(smoothcore_session_open(s, 0, URL));
        REFUSES(smoothcore_session_poll(s, &output));
        REFUSES(smoothcore_session_response(s, 0, 1, &response));
        REFUSES(smoothcore_session_body(s, 0, 1, &byte, 1, &size));
        REFUSES(smoothcore_session_space(s, 1, &space, &size));
        REFUSES(smoothcore_session_filled(s, 0, 1, 0));
        REFUSES(smoothcore_session_finished(s, 0, 1, 0));
        REFUSES(smoothcore_session_accepted(s, 0, 0));
        REFUSES(smoothcore_session_refused(s, 0, 0));
        REFUSES(smoothcore_session_buffered(s, 0, 0, &buffered));
        REFUSES(smoothcore_session_configured(s, 0, 0, 0));
        REFUSES(smoothcore_session_timeout(s, 0));
        REFUSES(smoothcore_session_key(s, 0, 0, 0, 1));
        REFUSES(smoothcore_session_decrypted(s, 0, 0, 0));
        REFUSES(smoothcore_session_capable(s, 0, 0, 0, 1));
        REFUSES(smoothcore_session_restrict(s, 0, 0, 1));
        REFUSES(smoothcore_session_seek(s, 0, 0));
        REFUSES(smoothcore_session_select(s, 0, 0, 1));
        REFUSES(smoothcore_session_pause(s, 0));
        REFUSES(smoothcore_session_play(s, 0));
        REFUSES(smoothcore_session_stats(s, &stats));
        REFUSES(smoothcore_session_presentation(s, &presentation));
        REFUSES(smoothcore_session_stream_count(s, &count));
        REFUSES(smoothcore_session_stream(s, 0, &stream));
        REFUSES(smoothcore_session_level(s, 0, 0, &level));
        REFUSES(smoothcore_session_init_segment(s, 0, 0, 0, 0, &size));
        return;
    }
    REFUSES(smoothcore_session_open(s, 0, 0));
    REFUSES(smoothcore_session_poll(s, 0));
    REFUSES(smoothcore_session_response(s, 0, 1, 0));
    REFUSES(smoothcore_session_body(s, 0, 1, 0, 1, &size));
    REFUSES(smoothcore_session_body(s, 0, 1, &byte, 1, 0));
    REFUSES(smoothcore_session_body(s, 0, 1, &byte, SIZE_MAX, &size));
    REFUSES(smoothcore_session_space(s, 1, 0, &size));
    REFUSES(smoothcore_session_space(s, 1, &space, 0));
    REFUSES(smoothcore_session_buffered(s, 0, 0, 0));
    REFUSES(smoothcore_session_stats(s, 0));
    REFUSES(smoothcore_session_stream_count(s, 0));
    /* Numbers that cannot be. */
    REFUSES(smoothcore_session_key(s, 0, 0, 2, 1));
    REFUSES(smoothcore_session_decrypted(s, 0, 0, 2));
    REFUSES(smoothcore_session_decrypted(s, 0, 65536, 0));
    REFUSES(smoothcore_session_capable(s, 0, 0, 0, 2));
    REFUSES(smoothcore_session_capable(s, 0, 0, 65536, 1));
    REFUSES(smoothcore_session_restrict(s, 0, 65536, 1));
    REFUSES(smoothcore_session_finished(s, 0, 1, 3));
    REFUSES(smoothcore_session_configured(s, 0, 0, 2));
    REFUSES(smoothcore_session_accepted(s, 0, 65536));
    REFUSES(smoothcore_session_seek(s, 0, -1));
    REFUSES(smoothcore_session_select(s, 0, 0, 2));
    /* No bytes need no pointer; a struct nobody can fill yet is a matter of state. */
    CHECK_IS(smoothcore_session_body(s, 0, 1, 0, 0, &size), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_presentation(s, 0), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_stream(s, 0, 0), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_level(s, 0, 0, 0), SMOOTHCORE_E_STATE);
    REFUSES(smoothcore_session_init_segment(s, 0, 0, 0, 0, 0));
    REFUSES(smoothcore_session_init_segment(s, 0, 0, 0, 1, &size));
    REFUSES(smoothcore_session_init_segment(s, 0, 0, &byte, SIZE_MAX, &size));
    REFUSES(smoothcore_session_init_segment(s, 65536, 0, 0, 0, &size));
    CHECK_IS(smoothcore_session_init_segment(s, 0, 0, 0, 0, &size), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_seek(s, 0, 0), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_select(s, 0, 0, 1), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_open(s, 0, "ftp://a/b"), SMOOTHCORE_E_URL_INVALID);
    CHECK_IS(smoothcore_session_open(s, 0, "http://\xff/"), SMOOTHCORE_E_URL_INVALID);
}

static void no_player(smoothcore_player *p)
{
    smoothcore_event event;
    smoothcore_stats stats;
    smoothcore_presentation presentation;
    smoothcore_stream_info stream;
    smoothcore_level_info level;
    uint64_t next;
    uint32_t count;
    size_t length;
    event.struct_size = sizeof event;
    stats.struct_size = sizeof stats;
    presentation.struct_size = sizeof presentation;
    stream.struct_size = sizeof stream;
    level.struct_size = sizeof level;
    if (!p) {
        smoothcore_player_destroy(p);
        smoothcore_player_wake(p);
        REFUSES(smoothcore_player_open(p, URL));
        REFUSES(smoothcore_player_step(p, &next));
        REFUSES(smoothcore_player_run(p));
        REFUSES(smoothcore_player_run_until(p, 0));
        REFUSES(smoothcore_player_event(p, &event));
        REFUSES(smoothcore_player_seek(p, 0));
        REFUSES(smoothcore_player_select(p, 0, 1));
        REFUSES(smoothcore_player_pause(p));
        REFUSES(smoothcore_player_play(p));
        REFUSES(smoothcore_player_stats(p, &stats));
        REFUSES(smoothcore_player_presentation(p, &presentation));
        REFUSES(smoothcore_player_stream_count(p, &count));
        REFUSES(smoothcore_player_stream(p, 0, &stream));
        REFUSES(smoothcore_player_level(p, 0, 0, &level));
        REFUSES(smoothcore_player_init_segment(p, 0, 0, 0, 0, &length));
        return;
    }
    REFUSES(smoothcore_player_open(p, 0));
    REFUSES(smoothcore_player_step(p, 0));
    REFUSES(smoothcore_player_event(p, 0));
    REFUSES(smoothcore_player_stats(p, 0));
    REFUSES(smoothcore_player_stream_count(p, 0));
    REFUSES(smoothcore_player_seek(p, -1));
    REFUSES(smoothcore_player_select(p, 0, 2));
    /* Before open. */
    CHECK_IS(smoothcore_player_step(p, &next), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_run(p), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_run_until(p, 0), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_seek(p, 0), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_presentation(p, 0), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_event(p, &event), SMOOTHCORE_WOULD_BLOCK);
    CHECK_IS(smoothcore_player_open(p, URL), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_open(p, URL), SMOOTHCORE_E_STATE);
}

static void tables_with_holes(void)
{
    smoothcore_config config = abi_config();
    smoothcore_player *player;
    smoothcore_stream_port streams;
    rig *r = abi_rig();
    rig_tables t;
    memset(&streams, 0, sizeof streams);
    streams.struct_size = sizeof streams;
#define HOLE(change, wanted) \
    rig_fill_tables(r, &t); \
    change; \
    player = (smoothcore_player *)r; \
    CHECK_IS(smoothcore_player_create(&config, &t.ports, &player), wanted); \
    CHECK((wanted == SMOOTHCORE_OK) == (player != 0)); \
    smoothcore_player_destroy(player)
    HOLE(t.http.start = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.http.response = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.http.read = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.http.cancel = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.decoder.configure = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.decoder.submit = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.decoder.status = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.decoder.flush = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.clock.now_us = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.ports.http = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.ports.decoder = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.ports.clock = 0, SMOOTHCORE_E_ARGUMENT);
    HOLE(t.ports.streams = &streams, SMOOTHCORE_E_ARGUMENT);
    HOLE((t.ports.http = 0, t.ports.streams = &streams), SMOOTHCORE_E_ARGUMENT);
    HOLE((t.decoder.end = 0, t.decoder.rate = 0, t.clock.wait_until = 0), SMOOTHCORE_OK);
    rig_fill_tables(r, &t);
    REFUSES(smoothcore_player_create(0, &t.ports, &player));
    CHECK(player == 0);
    REFUSES(smoothcore_player_create(&config, 0, &player));
    REFUSES(smoothcore_player_create(&config, &t.ports, 0));

    /* What may be missing is not missed, but for blocking mode. */
    t.decoder.end = 0;
    t.decoder.rate = 0;
    t.clock.wait_until = 0;
    player = abi_player(&t);
    CHECK_IS(abi_step(r, player, 3000000), SMOOTHCORE_OK);
    CHECK(r->samples > 0);
    CHECK_IS(smoothcore_player_run(player), SMOOTHCORE_E_UNSUPPORTED);
    CHECK_IS(smoothcore_player_run_until(player, 0), SMOOTHCORE_E_UNSUPPORTED);
    smoothcore_player_destroy(player);
    free(r);
}

void test_nulls(void)
{
    smoothcore_config config = abi_config();
    smoothcore_session *session;
    smoothcore_player *player;
    rig *r = abi_rig();
    rig_tables tables;
    REFUSES(smoothcore_session_create(0, &session));
    CHECK(session == 0);
    REFUSES(smoothcore_session_create(&config, 0));
    no_session(0);
    CHECK_IS(smoothcore_session_create(&config, &session), SMOOTHCORE_OK);
    no_session(session);
    smoothcore_session_destroy(session);
    rig_fill_tables(r, &tables);
    no_player(0);
    CHECK_IS(smoothcore_player_create(&config, &tables.ports, &player), SMOOTHCORE_OK);
    no_player(player);
    smoothcore_player_destroy(player);
    free(r);
    tables_with_holes();
    smoothcore_log_set(0, 0, 5);
    CHECK(smoothcore_strerror(INT32_MIN) && smoothcore_strerror(INT32_MAX));
}
