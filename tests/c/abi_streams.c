/* The byte-stream port under the built-in HTTP client: an origin that speaks HTTP/1.1 over the rig's link. */
#include "abi.h"

#define CONNECTIONS 8

struct connection {
    int open, asked;
    char head[2048];
    size_t head_size;
    uint32_t request;
    int answered, ended;
    uint8_t out[4096];
    size_t out_at, out_size;
};

static rig *r;
static rig_tables inner;
static struct connection connections[CONNECTIONS];
static uint32_t next_request = 1000000;
static int opened, closed, overclaim, mute;

static int32_t connect_to(void *u, const char *host, uint32_t port, uint32_t secure, void **connection)
{
    int i;
    CHECK(u == r && port == 80 && secure == 0);
    CHECK(!strcmp(host, "origin.test"));
    for (i = 0; i < CONNECTIONS && connections[i].open; i++) {
    }
    CHECK(i < CONNECTIONS);
    memset(&connections[i], 0, sizeof connections[i]);
    connections[i].open = 1;
    *connection = &connections[i];
    opened++;
    return SMOOTHCORE_OK;
}

static int32_t connected(void *u, void *connection)
{
    static unsigned calls;
    CHECK(u == r && ((struct connection *)connection)->open);
    return ++calls % 3 ? SMOOTHCORE_WOULD_BLOCK : SMOOTHCORE_OK;
}

static void begin(struct connection *c)
{
    static const smoothcore_request zero;
    smoothcore_request request = zero;
    char url[2048], *end;
    CHECK(!strncmp(c->head, "GET /", 5) && strstr(c->head, "\r\nHost: origin.test\r\n"));
    end = strchr(c->head + 4, ' ');
    CHECK(end && !strncmp(end, " HTTP/1.1\r\n", 11));
    CHECK(snprintf(url, sizeof url, "http://origin.test%.*s", (int)(end - c->head - 4), c->head + 4) < 2048);
    request.struct_size = sizeof request;
    request.id = c->request = next_request++;
    request.url = url;
    CHECK_IS(inner.http.start(r, &request), SMOOTHCORE_OK);
    c->asked = 1;
    c->answered = c->ended = 0;
}

static int32_t write_to(void *u, void *connection, const uint8_t *data, size_t size, size_t *put)
{
    static unsigned calls;
    struct connection *c = connection;
    CHECK(u == r && c->open && size > 0);
    if (++calls % 2) return SMOOTHCORE_WOULD_BLOCK;
    if (size > 31) size = 31;
    CHECK(!c->asked && c->head_size + size < sizeof c->head);
    memcpy(c->head + c->head_size, data, size);
    c->head_size += size;
    c->head[c->head_size] = 0;
    *put = size;
    if (strstr(c->head, "\r\n\r\n")) begin(c);
    return SMOOTHCORE_OK;
}

/* Makes the next bytes of an answer: a head, chunks, the last chunk. */
static int32_t produce(struct connection *c)
{
    smoothcore_response head;
    uint8_t body[1500];
    size_t got = 0;
    int32_t result;
    if (!c->asked) return SMOOTHCORE_WOULD_BLOCK;
    if (!c->answered) {
        memset(&head, 0, sizeof head);
        result = inner.http.response(r, c->request, &head);
        if (result != SMOOTHCORE_OK) return result;
        c->answered = 1;
        c->out_size = (size_t)snprintf((char *)c->out, sizeof c->out,
                                       "HTTP/1.1 %u X\r\nTransfer-Encoding: chunked\r\nServer: rig\r\n\r\n", head.status);
        c->out_at = 0;
        return SMOOTHCORE_OK;
    }
    result = inner.http.read(r, c->request, body, sizeof body, &got);
    if (result == SMOOTHCORE_OK) {
        int n = snprintf((char *)c->out, sizeof c->out, "%lx\r\n", (unsigned long)got);
        memcpy(c->out + n, body, got);
        memcpy(c->out + n + got, "\r\n", 2);
        c->out_size = (size_t)n + got + 2;
        c->out_at = 0;
    } else if (result == SMOOTHCORE_END) {
        memcpy(c->out, "0\r\n\r\n", 5);
        c->out_size = 5;
        c->out_at = 0;
        inner.http.cancel(r, c->request);
        /* The next request may come on the same connection. */
        c->asked = 0;
        c->head_size = 0;
        result = SMOOTHCORE_OK;
    }
    return result;
}

static int32_t read_from(void *u, void *connection, uint8_t *buffer, size_t size, size_t *got)
{
    struct connection *c = connection;
    size_t n;
    CHECK(u == r && c->open && size > 0);
    if (mute) return SMOOTHCORE_E_IDLE_TIMEOUT;
    if (c->out_at == c->out_size) {
        int32_t result = produce(c);
        if (result != SMOOTHCORE_OK) return result;
    }
    n = c->out_size - c->out_at;
    if (n > size) n = size;
    memcpy(buffer, c->out + c->out_at, n);
    c->out_at += n;
    *got = overclaim ? size + 1 : n;
    return SMOOTHCORE_OK;
}

static void close_it(void *u, void *connection)
{
    struct connection *c = connection;
    CHECK(u == r && c->open);
    if (c->asked) inner.http.cancel(r, c->request);
    c->open = 0;
    closed++;
}

static void fresh(rig_tables *t, smoothcore_stream_port *streams)
{
    static const smoothcore_stream_port port = {sizeof port, 0, 0, connect_to, connected, read_from, write_to, close_it};
    free(r);
    r = abi_rig();
    rig_fill_tables(r, &inner);
    rig_fill_tables(r, t);
    *streams = port;
    streams->userdata = r;
    t->ports.http = 0;
    t->ports.streams = streams;
    opened = closed = overclaim = mute = 0;
    memset(connections, 0, sizeof connections);
}

void test_streams(void)
{
    rig_tables t;
    smoothcore_stream_port streams;
    smoothcore_player *player;
    smoothcore_stats stats;
    smoothcore_config config = abi_config();

    fresh(&t, &streams);
    player = abi_player(&t);
    CHECK_IS(abi_step(r, player, 200000000), SMOOTHCORE_END);
    stats.struct_size = sizeof stats;
    CHECK_IS(smoothcore_player_stats(player, &stats), SMOOTHCORE_OK);
    CHECK(stats.samples == r->samples && r->samples > 3000 && stats.gaps == 0);
    CHECK(stats.peak_held_bytes <= stats.budget_bytes);
    /* Connections are used again. */
    CHECK(opened > 0 && opened < (int)stats.requests / 2);
    CHECK_IS(smoothcore_player_seek(player, 0), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, r->now_us + 100000), SMOOTHCORE_OK);
    smoothcore_player_destroy(player);
    CHECK(opened == closed && r->balance == 0);

    /* The smallest budget that has room for the client. */
    fresh(&t, &streams);
    config.budget_bytes = 256u << 10;
    CHECK_IS(smoothcore_player_create(&config, &t.ports, &player), SMOOTHCORE_OK);
    abi_peak = 0;
    CHECK_IS(smoothcore_player_open(player, URL), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 20000000), SMOOTHCORE_OK);
    CHECK(r->samples > 100 && abi_peak <= config.budget_bytes);
    smoothcore_player_destroy(player);
    CHECK(opened == closed && r->balance == 0);

    fresh(&t, &streams);
    overclaim = 1;
    player = abi_player(&t);
    CHECK_IS(abi_step(r, player, 200000000), SMOOTHCORE_E_PORT_CONTRACT);
    smoothcore_player_destroy(player);
    CHECK(opened == closed && r->balance == 0);

    fresh(&t, &streams);
    mute = 1;
    player = abi_player(&t);
    CHECK_IS(abi_step(r, player, 200000000), SMOOTHCORE_E_IDLE_TIMEOUT);
    smoothcore_player_destroy(player);
    CHECK(opened == closed && opened > 1 && r->balance == 0);

    fresh(&t, &streams);
    streams.close = 0;
    CHECK_IS(smoothcore_player_create(&config, &t.ports, &player), SMOOTHCORE_E_ARGUMENT);
    fresh(&t, &streams);
    streams.struct_size = 3;
    CHECK_IS(smoothcore_player_create(&config, &t.ports, &player), SMOOTHCORE_E_ABI);
    free(r);
    r = 0;
}
