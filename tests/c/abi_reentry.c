/* Every function from inside every callback: refused, and nothing comes to harm. */
#include "abi.h"

enum { START, RESPONSE, READ, CANCEL, CONFIGURE, SUBMIT, STATUS, FLUSH, END, RATE, NOW, WAIT, EVENT, LOG, CALLBACKS };

static rig *r;
static rig_tables inner;
static smoothcore_player *player;
static long seen[CALLBACKS], woken;

/* What a careless port might do in a callback. */
static void careless(int callback)
{
    static int inside;
    smoothcore_stats stats;
    smoothcore_event event;
    smoothcore_presentation presentation;
    smoothcore_stream_info stream;
    smoothcore_level_info level;
    uint64_t next = 77;
    uint32_t count;
    seen[callback]++;
    if (!player || inside) return;
    inside = 1;
    stats.struct_size = sizeof stats;
    event.struct_size = sizeof event;
    presentation.struct_size = sizeof presentation;
    stream.struct_size = sizeof stream;
    level.struct_size = sizeof level;
    CHECK_IS(smoothcore_player_step(player, &next), SMOOTHCORE_E_REENTRANT);
    CHECK(next == 77);
    CHECK_IS(smoothcore_player_run(player), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_run_until(player, SMOOTHCORE_NO_TIME_US), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_open(player, URL), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_event(player, &event), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_seek(player, 0), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_select(player, 0, 0), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_pause(player), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_play(player), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_stats(player, &stats), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_presentation(player, &presentation), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_stream_count(player, &count), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_stream(player, 0, &stream), SMOOTHCORE_E_REENTRANT);
    CHECK_IS(smoothcore_player_level(player, 0, 0, &level), SMOOTHCORE_E_REENTRANT);
    smoothcore_player_destroy(player);
    /* Whoever wakes for ever is stepped for ever at the same time. */
    if (seen[callback] <= 5) smoothcore_player_wake(player);
    inside = 0;
}

static int32_t start(void *u, const smoothcore_request *request)
{
    careless(START);
    return inner.http.start(u, request);
}
static int32_t response(void *u, uint32_t request, smoothcore_response *out)
{
    careless(RESPONSE);
    return inner.http.response(u, request, out);
}
static int32_t read_body(void *u, uint32_t request, uint8_t *buffer, size_t size, size_t *got)
{
    careless(READ);
    return inner.http.read(u, request, buffer, size, got);
}
static void cancel(void *u, uint32_t request)
{
    careless(CANCEL);
    inner.http.cancel(u, request);
}
static int32_t configure(void *u, const smoothcore_setup *setup)
{
    careless(CONFIGURE);
    return inner.decoder.configure(u, setup);
}
static int32_t submit(void *u, const smoothcore_sample *sample)
{
    careless(SUBMIT);
    return inner.decoder.submit(u, sample);
}
static int32_t status(void *u, uint32_t stream, smoothcore_buffered *out)
{
    careless(STATUS);
    return inner.decoder.status(u, stream, out);
}
static void flush(void *u, uint32_t stream, uint32_t epoch)
{
    careless(FLUSH);
    inner.decoder.flush(u, stream, epoch);
}
static void end(void *u, uint32_t stream, uint32_t epoch)
{
    careless(END);
    inner.decoder.end(u, stream, epoch);
}
static void rate(void *u, int32_t n)
{
    careless(RATE);
    inner.decoder.rate(u, n);
}
static uint64_t now(void *u)
{
    careless(NOW);
    return inner.clock.now_us(u);
}
static void wait_until(void *u, uint64_t until)
{
    careless(WAIT);
    inner.clock.wait_until(u, until);
}
static void wakeup(void *u)
{
    (void)u;
    woken++;
}
static void event_port(void *u, const smoothcore_event *event)
{
    (void)u;
    CHECK(event->struct_size == sizeof *event && event->kind >= 1);
    careless(EVENT);
}
static void log_sink(void *u, uint32_t level, const char *target, const char *message)
{
    CHECK(u == seen && level >= 1 && level <= 5);
    CHECK(!strncmp(target, "smoothcore", 10) && strlen(target) < 64);
    CHECK(strlen(message) > 0 && strlen(message) < 256);
    careless(LOG);
}

void test_reentry(void)
{
    smoothcore_event_port events = {sizeof events, 0, 0, event_port};
    smoothcore_event event;
    rig_tables t;
    int i;
    r = abi_rig();
    rig_fill_tables(r, &inner);
    rig_fill_tables(r, &t);
    t.http.start = start;
    t.http.response = response;
    t.http.read = read_body;
    t.http.cancel = cancel;
    t.decoder.configure = configure;
    t.decoder.submit = submit;
    t.decoder.status = status;
    t.decoder.flush = flush;
    t.decoder.end = end;
    t.decoder.rate = rate;
    t.clock.now_us = now;
    t.clock.wait_until = wait_until;
    t.clock.wakeup = wakeup;
    t.ports.events = &events;
    smoothcore_log_set(log_sink, seen, SMOOTHCORE_LOG_TRACE);
    player = abi_player(&t);
    CHECK_IS(abi_step(r, player, 3000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_seek(player, 440000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_run(player), SMOOTHCORE_OK);
    for (i = 0; i < CALLBACKS; i++) CHECK(seen[i] > 0);
    CHECK(woken > 20);
    /* With an event port there is nothing in the ring. */
    event.struct_size = sizeof event;
    CHECK_IS(smoothcore_player_event(player, &event), SMOOTHCORE_WOULD_BLOCK);
    /* Exchanges that are still open are ended from destroy; their callbacks are inside it. */
    CHECK_IS(smoothcore_player_seek(player, 0), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, r->now_us + 40000), SMOOTHCORE_OK);
    CHECK(r->balance > 0);
    smoothcore_player_destroy(player);
    player = 0;
    CHECK(r->balance == 0);
    /* Off means off. */
    seen[LOG] = 0;
    smoothcore_log_set(0, 0, SMOOTHCORE_LOG_TRACE);
    free(r);
    r = abi_rig();
    rig_fill_tables(r, &t);
    player = abi_player(&t);
    CHECK_IS(abi_step(r, player, 1000000), SMOOTHCORE_OK);
    smoothcore_player_destroy(player);
    player = 0;
    CHECK(seen[LOG] == 0);
    free(r);
}
