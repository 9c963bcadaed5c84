/* Ports that break their contract, decoders that break, origins that fail: the right error, and for good. */
#include "abi.h"

static rig *r;
static rig_tables inner;

/* What the bad port does, from its `after`th call on. */
static struct {
    int32_t result;
    size_t claim;
    uint32_t status;
    int64_t length;
    const char *url;
    int after, calls;
} bad;

static int due(void) { return bad.calls++ >= bad.after; }

static int32_t bad_start(void *u, const smoothcore_request *request)
{
    return due() ? bad.result : inner.http.start(u, request);
}
static int32_t bad_response(void *u, uint32_t request, smoothcore_response *out)
{
    int32_t result = inner.http.response(u, request, out);
    CHECK(out->struct_size == sizeof *out && out->content_length == -1);
    if (result != SMOOTHCORE_OK || !due()) return result;
    out->status = bad.status;
    out->content_length = bad.length;
    out->final_url = bad.url;
    return bad.result;
}
static int32_t bad_read(void *u, uint32_t request, uint8_t *buffer, size_t size, size_t *got)
{
    int32_t result = inner.http.read(u, request, buffer, size, got);
    CHECK(size > 0);
    if (result != SMOOTHCORE_OK || !due()) return result;
    *got = bad.claim == SIZE_MAX ? size + 1 : bad.claim;
    return bad.result;
}
static int32_t bad_submit(void *u, const smoothcore_sample *sample)
{
    return due() ? bad.result : inner.decoder.submit(u, sample);
}
static int32_t bad_configure(void *u, const smoothcore_setup *setup)
{
    CHECK(setup->struct_size == sizeof *setup && setup->codec_string && *setup->codec_string);
    return due() ? bad.result : inner.decoder.configure(u, setup);
}
static int32_t bad_status(void *u, uint32_t stream, smoothcore_buffered *out)
{
    CHECK(out->position == SMOOTHCORE_NO_TIME && out->depth_us == 0 && out->dropped == 0);
    return inner.decoder.status(u, stream, out);
}

/* Plays with one function replaced until the player fails; checks that it fails for good. */
static void fails_with(rig_tables *t, int32_t wanted)
{
    smoothcore_player *player = abi_player(t);
    smoothcore_event event;
    smoothcore_stats stats;
    uint64_t next = 0;
    int failed = 0;
    CHECK_IS(abi_step(r, player, 200000000), wanted);
    CHECK_IS(smoothcore_player_step(player, &next), wanted);
    CHECK(next == SMOOTHCORE_NO_TIME_US);
    CHECK_IS(smoothcore_player_seek(player, 0), wanted);
    CHECK_IS(smoothcore_player_pause(player), wanted);
    CHECK_IS(smoothcore_player_play(player), wanted);
    CHECK_IS(smoothcore_player_select(player, 0, 1), wanted);
    CHECK_IS(smoothcore_player_open(player, URL), wanted);
    CHECK_IS(smoothcore_player_run(player), wanted);
    stats.struct_size = sizeof stats;
    CHECK_IS(smoothcore_player_stats(player, &stats), SMOOTHCORE_OK);
    CHECK(stats.state == SMOOTHCORE_STATE_FAILED && stats.error == wanted);
    event.struct_size = sizeof event;
    while (smoothcore_player_event(player, &event) == SMOOTHCORE_OK) {
        if (event.kind != SMOOTHCORE_EVENT_FAILED) continue;
        CHECK_IS(event.code, wanted);
        failed++;
    }
    CHECK_IS(failed, 1);
    /* Everything that was started has been ended by now. */
    CHECK_IS(r->balance, 0);
    smoothcore_player_destroy(player);
    CHECK_IS(r->balance, 0);
}

static rig_tables *fresh(void)
{
    static rig_tables t;
    free(r);
    r = abi_rig();
    rig_fill_tables(r, &inner);
    rig_fill_tables(r, &t);
    memset(&bad, 0, sizeof bad);
    bad.status = 200;
    bad.length = -1;
    return &t;
}

static void breaches(void)
{
    static const int after[] = {0, 3};
    rig_tables *t;
    int i;
    for (i = 0; i < 2; i++) {
        t = fresh();
        t->http.read = bad_read;
        bad.claim = SIZE_MAX;
        bad.after = after[i];
        fails_with(t, SMOOTHCORE_E_PORT_CONTRACT);

        t = fresh();
        t->http.read = bad_read;
        bad.claim = 0;
        bad.after = after[i];
        fails_with(t, SMOOTHCORE_E_PORT_CONTRACT);

        t = fresh();
        t->http.read = bad_read;
        bad.result = 99;
        bad.after = after[i];
        fails_with(t, SMOOTHCORE_E_PORT_CONTRACT);

        t = fresh();
        t->http.start = bad_start;
        bad.result = 1;
        bad.after = after[i];
        fails_with(t, SMOOTHCORE_E_PORT_CONTRACT);

        t = fresh();
        t->http.response = bad_response;
        bad.status = 20000;
        bad.after = after[i];
        fails_with(t, SMOOTHCORE_E_PORT_CONTRACT);

        t = fresh();
        t->http.response = bad_response;
        bad.length = -5;
        bad.after = after[i];
        fails_with(t, SMOOTHCORE_E_PORT_CONTRACT);

        t = fresh();
        t->decoder.submit = bad_submit;
        bad.result = 2;
        bad.after = after[i];
        fails_with(t, SMOOTHCORE_E_PORT_CONTRACT);
    }
}

static void failures(void)
{
    rig_tables *t = fresh();
    t->http.start = bad_start;
    bad.result = SMOOTHCORE_E_NAME_RESOLUTION;
    fails_with(t, SMOOTHCORE_E_NAME_RESOLUTION);

    /* A number that is not of the network counts as a broken connection. */
    t = fresh();
    t->http.start = bad_start;
    bad.result = SMOOTHCORE_E_BUDGET;
    fails_with(t, SMOOTHCORE_E_NETWORK_IO);

    t = fresh();
    t->http.response = bad_response;
    bad.status = 404;
    fails_with(t, SMOOTHCORE_E_HTTP_STATUS);

    t = fresh();
    t->http.response = bad_response;
    bad.url = "http://\xff/";
    fails_with(t, SMOOTHCORE_E_HTTP_SYNTAX);

    t = fresh();
    t->decoder.submit = bad_submit;
    bad.result = -12345;
    bad.after = 10;
    fails_with(t, SMOOTHCORE_E_DECODER_FAILED);

    t = fresh();
    t->decoder.configure = bad_configure;
    bad.result = SMOOTHCORE_E_UNSUPPORTED;
    fails_with(t, SMOOTHCORE_E_DECODER_REFUSED);

    t = fresh();
    t->decoder.status = bad_status;
    {
        smoothcore_player *player = abi_player(t);
        CHECK_IS(abi_step(r, player, 2000000), SMOOTHCORE_OK);
        smoothcore_player_destroy(player);
    }
    free(r);
    r = 0;
}

/* The sans-IO way fails for good as well. */
static void sessions(void)
{
    smoothcore_config config = abi_config();
    smoothcore_session *session;
    smoothcore_output out;
    smoothcore_stats stats;
    uint8_t *space;
    size_t size;
    int outputs, failed = 0, cancelled = 0;
    CHECK_IS(smoothcore_session_create(&config, &session), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_open(session, 1, URL), SMOOTHCORE_OK);
    out.struct_size = sizeof out;
    CHECK_IS(smoothcore_session_poll(session, &out), SMOOTHCORE_OK);
    CHECK(out.kind == SMOOTHCORE_OUTPUT_REQUEST && !strcmp(out.request_info->url, URL));
    CHECK(out.request_info->kind == SMOOTHCORE_REQUEST_MANIFEST && out.request_info->stream == -1);
    CHECK(out.request_info->flags == SMOOTHCORE_REQUEST_ACCEPT_GZIP && out.request_info->attempt == 1);
    CHECK(!out.setup && !out.sample && !out.event);
    CHECK_IS(smoothcore_session_space(session, out.request_info->id, &space, &size), SMOOTHCORE_OK);
    CHECK(space && size > 0);
    CHECK_IS(smoothcore_session_filled(session, 2, 1, size + 1), SMOOTHCORE_E_PORT_CONTRACT);
    CHECK_IS(smoothcore_session_timeout(session, 3), SMOOTHCORE_E_PORT_CONTRACT);
    CHECK_IS(smoothcore_session_finished(session, 3, 1, 0), SMOOTHCORE_E_PORT_CONTRACT);
    for (outputs = 0; outputs < 9; outputs++) {
        int32_t result = smoothcore_session_poll(session, &out);
        cancelled += out.kind == SMOOTHCORE_OUTPUT_CANCEL;
        failed += out.kind == SMOOTHCORE_OUTPUT_EVENT && out.event->kind == SMOOTHCORE_EVENT_FAILED;
        if (out.kind != SMOOTHCORE_OUTPUT_IDLE) CHECK_IS(result, SMOOTHCORE_OK);
        else CHECK_IS(result, SMOOTHCORE_E_PORT_CONTRACT);
    }
    CHECK(failed == 1 && cancelled == 1);
    stats.struct_size = sizeof stats;
    CHECK_IS(smoothcore_session_stats(session, &stats), SMOOTHCORE_OK);
    CHECK(stats.error == SMOOTHCORE_E_PORT_CONTRACT);
    smoothcore_session_destroy(session);
}

void test_contract(void)
{
    breaches();
    failures();
    sessions();
}
