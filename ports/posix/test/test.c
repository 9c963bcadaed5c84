/*
 * Tests of the POSIX port by itself, without a player: every hook is called as the library would, and the arena as an
 * allocator. Prints one line a group; exit status 0 when all hold. Linked with arena/arena.c.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../smoothcore_posix.h"

static int failures;
#define CHECK(what) ((what) ? (void)0 : (void)(failures++, printf("test.c:%d: not so: %s\n", __LINE__, #what)))

/* ------------------------------------------------------------------------------------------------------------ arena */

static unsigned char memory[64 * 1024 + 7];

static void arena(void)
{
    enum { PIECES = 200 };
    unsigned char *piece[PIECES];
    size_t size[PIECES], i, n;
    unsigned round, state = 1;
    void *all;

    smoothcore_posix_arena(memory + 3, sizeof memory - 7); /* an odd address */
    all = smoothcore_port_alloc(64 * 1024 - 16, 16);
    CHECK(all != NULL && (uintptr_t)all % 16 == 0);
    CHECK(smoothcore_port_alloc(4096, 8) == NULL);
    smoothcore_port_free(all, 64 * 1024 - 16, 16);
    CHECK(smoothcore_port_alloc((size_t)-1, 16) == NULL);
    CHECK(smoothcore_port_alloc((size_t)-8, 1) == NULL);
    CHECK(smoothcore_port_alloc(16, 32) == NULL);

    /* Pieces come and go in no order; none may touch another, and in the end all space is one again. */
    memset(size, 0, sizeof size);
    for (round = 0; round < 20000; round++) {
        state = state * 1103515245u + 12345u;
        n = (state >> 16) % PIECES;
        if (size[n] != 0) {
            for (i = 0; i < size[n]; i++) {
                if (piece[n][i] != (unsigned char)n) break;
            }
            CHECK(i == size[n]);
            smoothcore_port_free(piece[n], size[n], 8);
            size[n] = 0;
        } else {
            size_t want = (state >> 8) % 1500 + 1;
            piece[n] = smoothcore_port_alloc(want, 8);
            if (piece[n] == NULL) continue;
            CHECK(piece[n] >= memory + 3 && piece[n] + want <= memory + sizeof memory - 4);
            size[n] = want;
            memset(piece[n], (int)n, want);
        }
    }
    for (n = 0; n < PIECES; n++) {
        if (size[n] != 0) smoothcore_port_free(piece[n], size[n], 8);
    }
    CHECK(smoothcore_posix_arena_used() == 0);
    CHECK(smoothcore_posix_arena_peak() > 32 * 1024);
    all = smoothcore_port_alloc(64 * 1024 - 16, 16);
    CHECK(all != NULL);
    if (all != NULL) smoothcore_port_free(all, 64 * 1024 - 16, 16);
}

/* ------------------------------------------------------------------------------------------------- clock and streams */

static smoothcore_posix posix;
static smoothcore_clock_port clock_port;

static uint64_t now(void) { return clock_port.now_us(clock_port.userdata); }

/* Microseconds that a wait of at most `most_us` took. */
static uint64_t waited(uint64_t most_us)
{
    uint64_t from = now();
    clock_port.wait_until(clock_port.userdata, from + most_us);
    return now() - from;
}

static void *wake_later(void *argument)
{
    struct timespec pause = { 0, 30000000 };
    (void)argument;
    nanosleep(&pause, NULL);
    clock_port.wakeup(clock_port.userdata);
    return NULL;
}

static void waiting(void)
{
    pthread_t thread;
    uint64_t took;
    int i;
    took = waited(20000);
    CHECK(took >= 20000 && took < 1000000);
    CHECK(waited(0) < 500000);
    CHECK(pthread_create(&thread, NULL, wake_later, NULL) == 0);
    took = waited(10000000);
    CHECK(took >= 25000 && took < 5000000);
    pthread_join(thread, NULL);
    for (i = 0; i < 100000; i++) clock_port.wakeup(clock_port.userdata); /* more than a pipe holds */
    CHECK(waited(10000000) < 5000000);
    CHECK(waited(20000) >= 20000); /* they were one wake-up */
    CHECK(smoothcore_posix_seed() != smoothcore_posix_seed());
}

static int32_t until_connected(const smoothcore_stream_port *port, void *connection)
{
    int32_t result = SMOOTHCORE_WOULD_BLOCK;
    int tries;
    for (tries = 0; tries < 100 && result == SMOOTHCORE_WOULD_BLOCK; tries++) {
        result = port->connected(port->userdata, connection);
        if (result == SMOOTHCORE_WOULD_BLOCK) waited(50000);
    }
    return result;
}

static void streams(void)
{
    smoothcore_stream_port port = smoothcore_posix_streams(&posix);
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    struct pollfd list[SMOOTHCORE_POSIX_POLL];
    uint8_t buffer[64], big[4096];
    void *connection = NULL, *second = NULL;
    size_t count = 7, sent = 0;
    uint32_t number;
    int32_t result;
    int listener = socket(AF_INET, SOCK_STREAM, 0), peer, i;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    number = ntohs(address.sin_port);

    CHECK(port.connect(port.userdata, "127.0.0.1", number, 1, &connection) == SMOOTHCORE_E_UNSUPPORTED);
#ifdef SMOOTHCORE_POSIX_NUMERIC_ONLY
    CHECK(port.connect(port.userdata, "example.invalid", number, 0, &connection) == SMOOTHCORE_E_NAME_RESOLUTION);
#endif

    /* To and fro. */
    CHECK(port.connect(port.userdata, "localhost", number, 0, &connection) == SMOOTHCORE_OK);
    peer = accept(listener, NULL, NULL);
    CHECK(peer >= 0);
    CHECK(until_connected(&port, connection) == SMOOTHCORE_OK);
    CHECK(port.write(port.userdata, connection, (const uint8_t *)"hello", 5, &count) == SMOOTHCORE_OK && count == 5);
    CHECK(recv(peer, buffer, sizeof buffer, 0) == 5);
    CHECK(smoothcore_posix_poll_list(&posix, list, SMOOTHCORE_POSIX_POLL) == 1); /* nobody waits for it */
    CHECK(port.read(port.userdata, connection, buffer, sizeof buffer, &count) == SMOOTHCORE_WOULD_BLOCK && count == 0);
    CHECK(smoothcore_posix_poll_list(&posix, list, SMOOTHCORE_POSIX_POLL) == 2);
    CHECK(waited(20000) >= 20000);
    CHECK(send(peer, "abc", 3, 0) == 3);
    CHECK(waited(10000000) < 5000000);
    CHECK(waited(20000) >= 20000); /* woken once; bytes left on the wire do not spin */
    CHECK(port.read(port.userdata, connection, buffer, 2, &count) == SMOOTHCORE_OK && count == 2);
    CHECK(port.read(port.userdata, connection, buffer, 2, &count) == SMOOTHCORE_OK && count == 1);

    /* A peer that does not read. */
    memset(big, 0, sizeof big);
    for (i = 0; i < 100000; i++) {
        result = port.write(port.userdata, connection, big, sizeof big, &count);
        if (result != SMOOTHCORE_OK) break;
        sent += count;
    }
    CHECK(result == SMOOTHCORE_WOULD_BLOCK && count == 0 && sent > sizeof big);

    /* A peer that goes: first an end, then errors and no signal. */
    shutdown(peer, SHUT_WR);
    while ((result = port.read(port.userdata, connection, buffer, 2, &count)) == SMOOTHCORE_WOULD_BLOCK) waited(50000);
    CHECK(result == SMOOTHCORE_END);
    close(peer);
    for (i = 0; i < 1000; i++) {
        result = port.write(port.userdata, connection, big, sizeof big, &count);
        if (result < 0) break;
        waited(1000);
    }
    CHECK(result == SMOOTHCORE_E_NETWORK_IO);

    /* A slot is free again after close, and no more than there are. */
    port.close(port.userdata, connection);
    for (i = 0; i < SMOOTHCORE_POSIX_CONNECTIONS; i++) {
        CHECK(port.connect(port.userdata, "127.0.0.1", number, 0, &connection) == SMOOTHCORE_OK);
        if (i == 0) second = connection;
    }
    CHECK(port.connect(port.userdata, "127.0.0.1", number, 0, &connection) == SMOOTHCORE_E_NETWORK_IO);
    port.close(port.userdata, second);
    close(listener);

    /* Nobody listens: at once or on the second look, an error. */
    result = port.connect(port.userdata, "127.0.0.1", number, 0, &connection);
    if (result == SMOOTHCORE_OK) result = until_connected(&port, connection);
    CHECK(result == SMOOTHCORE_E_CONNECT);
}

/* ------------------------------------------------------------------------------------------------------------- sink */

static uint64_t fake_us;
static uint64_t fake_now(void *userdata)
{
    (void)userdata;
    return fake_us;
}

static smoothcore_posix_sink sink;

static int32_t give(const smoothcore_decoder_port *port, uint32_t stream, uint32_t epoch, int64_t pts, const char *text)
{
    smoothcore_slice part[40];
    smoothcore_sample sample;
    memset(&sample, 0, sizeof sample);
    sample.struct_size = sizeof sample;
    sample.stream = stream;
    sample.epoch = epoch;
    sample.flags = SMOOTHCORE_SAMPLE_KEY;
    sample.dts = sample.pts = pts;
    sample.duration = 1000000; /* 0.1 s */
    sample.fragment = 123456789012u;
    sample.bitrate = 64000;
    sample.parts = part;
    for (; text[sample.size] != 0 && sample.size < 40; sample.size++) { /* one byte a part */
        part[sample.part_count].data = (const uint8_t *)text + sample.size;
        part[sample.part_count++].size = 1;
    }
    return port->submit(port->userdata, &sample);
}

static int32_t set_up(const smoothcore_decoder_port *port, uint32_t stream, uint32_t kind, uint32_t codec)
{
    smoothcore_setup setup;
    memset(&setup, 0, sizeof setup);
    setup.struct_size = sizeof setup;
    setup.stream = stream;
    setup.kind = kind;
    setup.codec = codec;
    return port->configure(port->userdata, &setup);
}

static smoothcore_buffered held(const smoothcore_decoder_port *port, uint32_t stream)
{
    smoothcore_buffered out;
    memset(&out, 0, sizeof out);
    out.struct_size = sizeof out;
    CHECK(port->status(port->userdata, stream, &out) == SMOOTHCORE_OK);
    return out;
}

static int holds(const char *directory, const char *name, const char *text)
{
    char path[512], found[2048];
    FILE *f;
    size_t n;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    f = fopen(path, "r");
    if (f == NULL) return 0;
    n = fread(found, 1, sizeof found - 1, f);
    found[n] = 0;
    fclose(f);
    remove(path);
    if (strcmp(found, text) != 0) printf("%s holds: %s\n", name, found);
    return strcmp(found, text) == 0;
}

static void files(void)
{
    char directory[] = "/tmp/smoothcore-test-XXXXXX";
    smoothcore_decoder_port port;
    CHECK(mkdtemp(directory) != NULL);
    CHECK(smoothcore_posix_sink_init(&sink, directory, NULL) == SMOOTHCORE_OK);
    port = smoothcore_posix_sink_port(&sink);
    CHECK((port.flags & SMOOTHCORE_DECODER_UNPACED) != 0);
    CHECK(set_up(&port, 0, SMOOTHCORE_KIND_VIDEO, SMOOTHCORE_CODEC_H264) == SMOOTHCORE_OK);
    CHECK(set_up(&port, 1, SMOOTHCORE_KIND_AUDIO, SMOOTHCORE_CODEC_AAC) == SMOOTHCORE_OK);
    CHECK(set_up(&port, 2, SMOOTHCORE_KIND_AUDIO, SMOOTHCORE_CODEC_AAC) == SMOOTHCORE_OK);
    CHECK(set_up(&port, 3, SMOOTHCORE_KIND_AUDIO, SMOOTHCORE_CODEC_AAC) == SMOOTHCORE_OK);
    CHECK(set_up(&port, 0, SMOOTHCORE_KIND_VIDEO, SMOOTHCORE_CODEC_H264) == SMOOTHCORE_OK); /* again: the same file */
    smoothcore_posix_sink_name(&sink, 1, "audio_eng");
    smoothcore_posix_sink_name(&sink, 2, "../../x");
    CHECK(give(&port, 0, 0, 400000, "first of more than sixteen parts;") == SMOOTHCORE_OK);
    CHECK(give(&port, 1, 0, -1, "a") == SMOOTHCORE_OK);
    CHECK(give(&port, 0, 0, 800000, "second") == SMOOTHCORE_OK);
    CHECK(give(&port, 9, 0, 800000, "nobody's") == SMOOTHCORE_E_DECODER_FAILED);
    port.flush(port.userdata, 0, 1);
    CHECK(give(&port, 0, 0, 0, "stale") == SMOOTHCORE_OK);
    CHECK(held(&port, 0).depth_us == 0);
    smoothcore_posix_sink_done(&sink);
    CHECK(holds(directory, "video.h264", "first of more than sixteen parts;second"));
    CHECK(holds(directory, "audio_eng.aac", "a"));
    CHECK(holds(directory, "______x.aac", ""));
    CHECK(holds(directory, "audio_3.aac", ""));
    CHECK(holds(directory, "samples.log",
                "0 0 1 400000 400000 1000000 33 c88dd807ba12fd85 123456789012 64000\n"
                "1 0 1 -1 -1 1000000 1 af63dc4c8601ec8c 123456789012 64000\n"
                "0 0 1 800000 800000 1000000 6 a49985ef4cee20bd 123456789012 64000\n"));
    CHECK(rmdir(directory) == 0);
    CHECK(smoothcore_posix_sink_init(&sink, "/nowhere/at/all", NULL) == SMOOTHCORE_E_DECODER_FAILED);
}

static void pacing(void)
{
    smoothcore_clock_port fake;
    smoothcore_decoder_port port;
    int64_t t;
    memset(&fake, 0, sizeof fake);
    fake.now_us = fake_now;
    CHECK(smoothcore_posix_sink_init(&sink, NULL, &fake) == SMOOTHCORE_OK);
    port = smoothcore_posix_sink_port(&sink);
    CHECK((port.flags & SMOOTHCORE_DECODER_UNPACED) == 0);
    CHECK(set_up(&port, 0, SMOOTHCORE_KIND_VIDEO, SMOOTHCORE_CODEC_H264) == SMOOTHCORE_OK);
    CHECK(set_up(&port, 1, SMOOTHCORE_KIND_AUDIO, SMOOTHCORE_CODEC_AAC) == SMOOTHCORE_OK);
    port.rate(port.userdata, 0);
    CHECK(held(&port, 0).position == SMOOTHCORE_NO_TIME);

    /* It fills up, and time alone changes nothing. */
    for (t = 0; give(&port, 0, 0, 400000 + t * 1000000, "x") == SMOOTHCORE_OK; t++) CHECK(t < 100);
    CHECK(t == 10 && held(&port, 0).depth_us == 1000000);
    fake_us += 5000000;
    CHECK(held(&port, 0).depth_us == 1000000);
    for (t = 0; t < 5; t++) CHECK(give(&port, 1, 0, t * 1000000, "y") == SMOOTHCORE_OK);

    /* It runs from the earliest sample, at the speed told. */
    port.rate(port.userdata, 1000);
    CHECK(held(&port, 0).position == 0);
    fake_us += 300000;
    CHECK(held(&port, 0).position == 3000000 && held(&port, 0).depth_us == 740000 && held(&port, 1).depth_us == 200000);
    CHECK(give(&port, 0, 0, 10400000, "x") == SMOOTHCORE_OK);

    /* Sound runs dry: the picture waits, also in the count of bytes. */
    fake_us += 10000000;
    CHECK(held(&port, 1).depth_us == 0 && held(&port, 1).position == 5000000 && held(&port, 0).depth_us == 640000);
    port.rate(port.userdata, 0);
    CHECK(give(&port, 1, 0, 5000000, "y") == SMOOTHCORE_OK);
    fake_us += 10000000;
    CHECK(held(&port, 1).depth_us == 100000);
    port.rate(port.userdata, 1000);
    fake_us += 50000;
    CHECK(held(&port, 1).depth_us == 50000);

    /* Sound has ended: the picture goes on alone, and all is shown. */
    port.end(port.userdata, 1, 0);
    fake_us += 10000000;
    CHECK(held(&port, 0).depth_us == 0 && held(&port, 0).position == 11400000);

    /* A flush: nothing old remains. */
    port.flush(port.userdata, 0, 1);
    port.flush(port.userdata, 1, 1);
    CHECK(held(&port, 0).depth_us == 0 && held(&port, 0).position == SMOOTHCORE_NO_TIME);
    CHECK(give(&port, 0, 0, 0, "stale") == SMOOTHCORE_OK && held(&port, 0).depth_us == 0);
    sink.most_bytes = 10;
    CHECK(give(&port, 0, 1, 90000000, "six by") == SMOOTHCORE_OK);
    CHECK(give(&port, 0, 1, 91000000, "six by") == SMOOTHCORE_WOULD_BLOCK);
    CHECK(held(&port, 0).depth_us == 100000);
    port.rate(port.userdata, 1000);
    fake_us += 100000;
    CHECK(held(&port, 0).depth_us == 0 && held(&port, 0).position == 91000000);
    CHECK(give(&port, 0, 1, 91000000, "larger than all the room") == SMOOTHCORE_OK); /* or it would never go */
    smoothcore_posix_sink_done(&sink);
}

static void group(const char *name, void (*run)(void))
{
    int before = failures;
    run();
    printf("posix port: %s: %s\n", name, failures == before ? "ok" : "FAILED");
}

/* ----------------------------------------------------------------------------------------------------------- source */

static void source(void)
{
    smoothcore_source_port port = smoothcore_posix_source();
    char name[] = "/tmp/smoothcore-source-XXXXXX";
    uint8_t bytes[8];
    uint64_t size = 0;
    size_t got = 0;
    void *file = NULL;
    int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10);
    CHECK(port.struct_size == sizeof port && port.open && port.size && port.read_at && port.close);
    CHECK(port.open(port.userdata, "/tmp/smoothcore-nothing-here", &file) == SMOOTHCORE_END);
    CHECK(port.open(port.userdata, "/dev/null/x", &file) == SMOOTHCORE_END);
    CHECK(port.open(port.userdata, "/tmp", &file) == SMOOTHCORE_E_FILE_IO);
    CHECK(port.open(port.userdata, "/dev/zero", &file) == SMOOTHCORE_E_FILE_IO);
    CHECK(port.open(port.userdata, name, &file) == SMOOTHCORE_OK && file != NULL);
    CHECK(port.size(port.userdata, file, &size) == SMOOTHCORE_OK && size == 10);
    CHECK(port.read_at(port.userdata, file, 7, bytes, sizeof bytes, &got) == SMOOTHCORE_OK && got == 3);
    CHECK(memcmp(bytes, "789", 3) == 0);
    CHECK(port.read_at(port.userdata, file, 0, bytes, 4, &got) == SMOOTHCORE_OK && got == 4);
    CHECK(port.read_at(port.userdata, file, 10, bytes, 4, &got) == SMOOTHCORE_END);
    CHECK(port.read_at(port.userdata, file, UINT64_MAX, bytes, 4, &got) == SMOOTHCORE_END);
    port.close(port.userdata, file);
    close(fd);
    unlink(name);
}

int main(void)
{
    CHECK(smoothcore_posix_init(&posix) == SMOOTHCORE_OK);
    clock_port = smoothcore_posix_clock(&posix);
    group("arena", arena);
    group("waiting and waking", waiting);
    group("byte streams", streams);
    group("files and the log", files);
    group("pacing", pacing);
    group("source", source);
    smoothcore_posix_done(&posix);
    return failures != 0;
}
