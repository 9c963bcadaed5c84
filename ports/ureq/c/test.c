/* libsmoothcore_ureq.a beside libsmoothcore.a: the port by itself, then under the core's player.
 *   test [HTTPS_URL CA_PEM_FILE]
 */
#include "smoothcore_ureq.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "test.c:%d: not so: %s\n", __LINE__, #what); \
            exit(1); \
        } \
    } while (0)

void *smoothcore_port_alloc(size_t size, size_t align) { (void)align; return malloc(size); }
void smoothcore_port_free(void *ptr, size_t size, size_t align) { (void)size; (void)align; free(ptr); }

/* ------------------------------------------------------------------------------------------------------- the server */

static const char manifest[] =
    "<?xml version=\"1.0\"?><SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"20000000\">"
    "<StreamIndex Type=\"audio\" Name=\"a\" Chunks=\"1\" QualityLevels=\"1\" "
    "Url=\"QualityLevels({bitrate})/Fragments(a={start time})\">"
    "<QualityLevel Index=\"0\" Bitrate=\"64000\" FourCC=\"AACL\" SamplingRate=\"44100\" Channels=\"2\" "
    "BitsPerSample=\"16\" PacketSize=\"4\" AudioTag=\"255\" CodecPrivateData=\"1210\"/>"
    "<c t=\"0\" d=\"20000000\"/></StreamIndex></SmoothStreamingMedia>";

static void answer(int socket, const char *request)
{
    char head[256];
    const char *status = "404 Not Found", *body = "no", *more = "";
    if (!strncmp(request, "GET /hello ", 11)) status = "200 OK", body = "hello";
    if (!strncmp(request, "GET /moved ", 11)) status = "302 Found", body = "", more = "Location: /hello\r\n";
    if (strstr(request, "/Manifest HTTP")) status = "200 OK", body = manifest, more = "Content-Type: text/xml\r\n";
    int n = snprintf(head, sizeof head, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, more, strlen(body));
    CHECK(write(socket, head, (size_t)n) == n);
    CHECK(write(socket, body, strlen(body)) == (ssize_t)strlen(body));
}

static void *serve_one(void *argument)
{
    int socket = *(int *)argument;
    char request[4096];
    size_t have = 0;
    ssize_t n;
    free(argument);
    while ((n = read(socket, request + have, sizeof request - 1 - have)) > 0) {
        have += (size_t)n;
        request[have] = 0;
        if (strstr(request, "\r\n\r\n")) {
            answer(socket, request);
            have = 0;
        }
    }
    close(socket);
    return NULL;
}

static void *serve(void *argument)
{
    int listener = *(int *)argument;
    for (;;) {
        int *socket = malloc(sizeof *socket);
        pthread_t thread;
        *socket = accept(listener, NULL, NULL);
        if (*socket < 0) return NULL;
        CHECK(!pthread_create(&thread, NULL, serve_one, socket));
        pthread_detach(thread);
    }
}

/* --------------------------------------------------------------------------------------------------------- the port */

static void nap(void)
{
    struct timespec millisecond = {0, 1000000};
    nanosleep(&millisecond, NULL);
}

static atomic_int woken;
static void wake(void *userdata)
{
    CHECK(userdata == &woken);
    atomic_fetch_add(&woken, 1);
}

/* One whole exchange: the status, or the error. The body comes as a string. */
static int32_t get(smoothcore_http_port *http, uint32_t id, const char *url, char *body, size_t size, char *final)
{
    smoothcore_request request = {sizeof request, id, SMOOTHCORE_REQUEST_FRAGMENT, 1, 0, 0, url};
    smoothcore_response response = {0};
    int32_t result;
    size_t have = 0;
    response.struct_size = sizeof response;
    CHECK(http->start(http->userdata, &request) == SMOOTHCORE_OK);
    while ((result = http->response(http->userdata, id, &response)) == SMOOTHCORE_WOULD_BLOCK) nap();
    if (result == SMOOTHCORE_OK) {
        CHECK(response.struct_size == sizeof response);
        snprintf(final, 200, "%s", response.final_url ? response.final_url : "");
        for (;;) {
            size_t got = 0;
            result = http->read(http->userdata, id, (uint8_t *)body + have, size - 1 - have, &got);
            if (result == SMOOTHCORE_WOULD_BLOCK) {
                nap();
            } else if (result == SMOOTHCORE_OK) {
                CHECK(got > 0);
                have += got;
            } else {
                break;
            }
        }
        body[have] = 0;
        if (result == SMOOTHCORE_END) result = (int32_t)response.status;
    }
    http->cancel(http->userdata, id);
    return result;
}

static void test_port(const char *origin)
{
    char url[200], body[4096], final[200];
    smoothcore_http_port http = {0};
    smoothcore_ureq_settings settings = {sizeof settings, 0, "no certificate"};

    CHECK(smoothcore_ureq_create(NULL, NULL) == SMOOTHCORE_E_ARGUMENT);
    CHECK(smoothcore_ureq_create(NULL, &http) == SMOOTHCORE_E_ABI);
    http.struct_size = sizeof http;
    CHECK(smoothcore_ureq_create(&settings, &http) == SMOOTHCORE_E_TLS);
    settings.flags = 2;
    CHECK(smoothcore_ureq_create(&settings, &http) == SMOOTHCORE_E_ABI);
    CHECK(http.userdata == NULL);
    CHECK(smoothcore_ureq_create(NULL, &http) == SMOOTHCORE_OK);
    CHECK(http.struct_size == sizeof http && http.reserved == 0 && http.userdata && http.cancel);
    smoothcore_ureq_set_wake(&http, wake, &woken);

    snprintf(url, sizeof url, "%s/hello", origin);
    CHECK(get(&http, 1, url, body, sizeof body, final) == 200);
    CHECK(!strcmp(body, "hello") && !final[0]);
    while (atomic_load(&woken) < 3) nap();
    smoothcore_ureq_set_wake(&http, NULL, NULL);
    int before = atomic_load(&woken);
    snprintf(url, sizeof url, "%s/moved", origin);
    CHECK(get(&http, 2, url, body, sizeof body, final) == 200);
    snprintf(url, sizeof url, "%s/hello", origin);
    CHECK(!strcmp(body, "hello") && !strcmp(final, url));
    CHECK(atomic_load(&woken) == before);
    snprintf(url, sizeof url, "%s/missing", origin);
    CHECK(get(&http, 3, url, body, sizeof body, final) == 404);
    CHECK(get(&http, 4, "http://127.0.0.1:1/", body, sizeof body, final) == SMOOTHCORE_E_CONNECT);
    smoothcore_request bad = {sizeof bad, 5, SMOOTHCORE_REQUEST_FRAGMENT, 1, 0, 0, "no URL"};
    CHECK(http.start(http.userdata, &bad) == SMOOTHCORE_E_URL_INVALID);
    smoothcore_ureq_destroy(&http);
    smoothcore_ureq_destroy(&http);
    smoothcore_ureq_destroy(NULL);
    puts("  ok    the port by itself");
}

static void test_https(const char *url, const char *file)
{
    static char pem[1 << 16];
    char body[1 << 16], final[200];
    FILE *f = fopen(file, "rb");
    smoothcore_http_port http = {0};
    smoothcore_ureq_settings settings = {sizeof settings, 0, pem};
    CHECK(f && fread(pem, 1, sizeof pem - 1, f) > 0);
    fclose(f);
    http.struct_size = sizeof http;

    CHECK(smoothcore_ureq_create(NULL, &http) == SMOOTHCORE_OK);
    CHECK(get(&http, 1, url, body, sizeof body, final) == SMOOTHCORE_E_TLS);
    smoothcore_ureq_destroy(&http);
    CHECK(smoothcore_ureq_create(&settings, &http) == SMOOTHCORE_OK);
    CHECK(get(&http, 1, url, body, sizeof body, final) == 200 && strlen(body) > 0);
    smoothcore_ureq_destroy(&http);
    settings.ca_pem = NULL;
    settings.flags = SMOOTHCORE_UREQ_TRUST_ANYTHING;
    CHECK(smoothcore_ureq_create(&settings, &http) == SMOOTHCORE_OK);
    CHECK(get(&http, 1, url, body, sizeof body, final) == 200 && strlen(body) > 0);
    smoothcore_ureq_destroy(&http);
    puts("  ok    HTTPS: a foreign certificate is refused, its authority's is enough");
}

/* -------------------------------------------------------------------------------------------------- under the player */

static int32_t configure(void *userdata, const smoothcore_setup *setup) { (void)userdata, (void)setup; return SMOOTHCORE_OK; }
static int32_t submit(void *userdata, const smoothcore_sample *sample) { (void)userdata, (void)sample; return SMOOTHCORE_OK; }
static int32_t status(void *userdata, uint32_t stream, smoothcore_buffered *out)
{
    (void)userdata, (void)stream;
    out->position = SMOOTHCORE_NO_TIME;
    return SMOOTHCORE_OK;
}
static void flush(void *userdata, uint32_t stream, uint32_t epoch) { (void)userdata, (void)stream, (void)epoch; }
static uint64_t now_us(void *userdata)
{
    struct timespec t;
    (void)userdata;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static atomic_int player_woken;
static void note(void *userdata) { (void)userdata; atomic_store(&player_woken, 1); }
static void wake_player(void *player) { smoothcore_player_wake(player); }

static void test_player(const char *origin)
{
    char url[200];
    smoothcore_http_port http = {0};
    smoothcore_decoder_port decoder = {0};
    smoothcore_clock_port clock = {0};
    smoothcore_ports ports = {0};
    smoothcore_config config = {0};
    smoothcore_player *player = NULL;
    int opened = 0, lost = 0;
    int32_t result = SMOOTHCORE_OK;

    http.struct_size = sizeof http;
    CHECK(smoothcore_ureq_create(NULL, &http) == SMOOTHCORE_OK);
    decoder.struct_size = sizeof decoder;
    decoder.flags = SMOOTHCORE_DECODER_UNPACED;
    decoder.configure = configure, decoder.submit = submit, decoder.status = status, decoder.flush = flush;
    clock.struct_size = sizeof clock;
    clock.now_us = now_us, clock.wakeup = note;
    ports.struct_size = sizeof ports;
    ports.http = &http, ports.decoder = &decoder, ports.clock = &clock;
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    CHECK(smoothcore_player_create(&config, &ports, &player) == SMOOTHCORE_OK);
    smoothcore_ureq_set_wake(&http, wake_player, player);
    snprintf(url, sizeof url, "%s/x.ism/Manifest", origin);
    CHECK(smoothcore_player_open(player, url) == SMOOTHCORE_OK);

    /* The manifest is there, its only fragment is not: it opens, loses the fragment and is over. */
    for (uint64_t start = now_us(NULL), next; result == SMOOTHCORE_OK && now_us(NULL) - start < 30000000;) {
        smoothcore_event event = {0};
        event.struct_size = sizeof event;
        result = smoothcore_player_step(player, &next);
        while (smoothcore_player_event(player, &event) == SMOOTHCORE_OK) {
            if (event.kind == SMOOTHCORE_EVENT_OPENED) opened = event.a == 1;
            if (event.code == SMOOTHCORE_E_HTTP_STATUS || event.http_status == 404) lost = 1;
        }
        while (result == SMOOTHCORE_OK && next > now_us(NULL) && !atomic_exchange(&player_woken, 0)) nap();
    }
    CHECK(opened);
    CHECK(lost);
    CHECK(result == SMOOTHCORE_END);
    smoothcore_ureq_set_wake(&http, NULL, NULL);
    smoothcore_player_destroy(player);
    smoothcore_ureq_destroy(&http);
    puts("  ok    under the player: a manifest is read, a missing fragment is lost");
}

int main(int argc, char **argv)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {0};
    socklen_t size = sizeof at;
    pthread_t thread;
    char origin[100];
    alarm(120);
    setvbuf(stdout, NULL, _IOLBF, 0);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(!bind(listener, (struct sockaddr *)&at, size) && !listen(listener, 16));
    CHECK(!getsockname(listener, (struct sockaddr *)&at, &size));
    CHECK(!pthread_create(&thread, NULL, serve, &listener));
    snprintf(origin, sizeof origin, "http://127.0.0.1:%d", ntohs(at.sin_port));

    test_port(origin);
    test_player(origin);
    if (argc == 3) test_https(argv[1], argv[2]);
    return 0;
}
