/*
 * Sans-IO: no port at all but memory. The program fetches what the session asks for, with the plainest HTTP there is,
 * one exchange after the other, and counts the samples that come out.
 *
 *   sans_io http://ADDRESS[:PORT]/PATH/Manifest
 *
 * Exit status 0 when every stream was handed over to its end. Link alloc.c or arena.c of the POSIX port beside it.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "smoothcore.h"

/* Exchanges that wait for their turn: one for the manifest, then one a stream. */
#define WAITING 32

struct exchange {
    uint32_t id;
    char url[4096 + 1];
};

static struct exchange waiting[WAITING];
static size_t waiting_count;
static int connection = -1; /* of waiting[0] */
static unsigned long samples, bytes, answered;

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void hang_up(void)
{
    if (connection >= 0) close(connection);
    connection = -1;
}

static void forget(uint32_t id)
{
    size_t i;
    for (i = 0; i < waiting_count; i++) {
        if (waiting[i].id != id) continue;
        if (i == 0) hang_up();
        memmove(&waiting[i], &waiting[i + 1], (--waiting_count - i) * sizeof waiting[0]);
        return;
    }
}

/* Does what the session asks until it has nothing more. Its result; END when all is handed over. */
static int32_t drain(smoothcore_session *session, uint64_t *deadline_us)
{
    smoothcore_output out;
    int32_t result;
    for (;;) {
        memset(&out, 0, sizeof out);
        out.struct_size = sizeof out;
        result = smoothcore_session_poll(session, &out);
        switch (out.kind) {
        case SMOOTHCORE_OUTPUT_IDLE:
            *deadline_us = out.deadline_us;
            return result;
        case SMOOTHCORE_OUTPUT_REQUEST: /* valid until the next call: copied */
            if (waiting_count < WAITING && strlen(out.request_info->url) < sizeof waiting[0].url) {
                waiting[waiting_count].id = out.request_info->id;
                strcpy(waiting[waiting_count++].url, out.request_info->url);
            } else {
                smoothcore_session_finished(session, now_us(), out.request_info->id, SMOOTHCORE_E_NETWORK_IO);
            }
            break;
        case SMOOTHCORE_OUTPUT_CANCEL:
            forget(out.request);
            break;
        case SMOOTHCORE_OUTPUT_CONFIGURE:
            printf("stream %u: %s, %u bit/s\n", (unsigned)out.setup->stream, out.setup->codec_string,
                   (unsigned)out.setup->bitrate);
            smoothcore_session_configured(session, now_us(), out.setup->stream, SMOOTHCORE_OK);
            break;
        case SMOOTHCORE_OUTPUT_SAMPLE: /* a decoder would take out.sample->parts here */
            samples++;
            bytes += (unsigned long)out.sample->size;
            smoothcore_session_accepted(session, now_us(), out.sample->stream);
            break;
        default: /* a decoder without a clock needs no rate, flush or end; events are news */
            break;
        }
    }
}

/* Sends a GET and reads the head of the answer. 0 or a -2xx code. HTTP/1.0, so that no body comes in chunks. */
static int32_t ask(const char *url, smoothcore_response *response)
{
    char host[256], port[8] = "80", request[4096 + 512], head[4096];
    const char *path = url + 7;
    size_t length = strcspn(path, "/:"), used = 0;
    struct addrinfo hints, *address = NULL;
    char *field;
    int n;

    if (strncmp(url, "http://", 7) != 0 || length >= sizeof host) return SMOOTHCORE_E_TLS;
    memcpy(host, path, length);
    host[length] = 0;
    path += length;
    if (*path == ':') {
        length = strcspn(++path, "/");
        if (length >= sizeof port) return SMOOTHCORE_E_CONNECT;
        memcpy(port, path, length);
        port[length] = 0;
        path += length;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, port, &hints, &address) != 0) return SMOOTHCORE_E_NAME_RESOLUTION;
    connection = socket(address->ai_family, SOCK_STREAM, 0);
    n = connection < 0 ? -1 : connect(connection, address->ai_addr, address->ai_addrlen);
    freeaddrinfo(address);
    if (n != 0) return SMOOTHCORE_E_CONNECT;

    n = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n", path, host, port);
    if (send(connection, request, (size_t)n, MSG_NOSIGNAL) != n) return SMOOTHCORE_E_NETWORK_IO;
    /* One byte a time, so that the body stays on the wire. */
    do {
        if (used + 1 >= sizeof head) return SMOOTHCORE_E_LIMIT_HTTP_HEAD;
        if (recv(connection, head + used, 1, 0) != 1) return SMOOTHCORE_E_HTTP_SYNTAX;
        head[++used] = 0;
    } while (used < 4 || strcmp(head + used - 4, "\r\n\r\n") != 0);

    memset(response, 0, sizeof *response);
    response->struct_size = sizeof *response;
    response->status = (uint32_t)atoi(head + strcspn(head, " "));
    field = strstr(head, "Content-Length:");
    if (field == NULL) field = strstr(head, "content-length:");
    response->content_length = field != NULL ? (int64_t)strtoull(field + 15, NULL, 10) : -1;
    return SMOOTHCORE_OK;
}

/* Moves some bytes of the exchange whose turn it is. */
static void move(smoothcore_session *session)
{
    smoothcore_response response;
    uint32_t id = waiting[0].id;
    int32_t result = SMOOTHCORE_OK;
    uint8_t *room = NULL;
    size_t size = 0;
    ssize_t got;
    if (connection < 0) {
        result = ask(waiting[0].url, &response);
        if (result == SMOOTHCORE_OK) {
            answered++;
            smoothcore_session_response(session, now_us(), id, &response);
            return;
        }
    } else if (smoothcore_session_space(session, id, &room, &size) == SMOOTHCORE_WOULD_BLOCK) {
        smoothcore_session_timeout(session, now_us()); /* no room: time may make some */
        return;
    } else {
        got = recv(connection, room, size, 0); /* straight into the session's memory */
        if (got > 0) {
            smoothcore_session_filled(session, now_us(), id, (size_t)got);
            return;
        }
        if (got < 0) result = SMOOTHCORE_E_NETWORK_IO;
    }
    forget(id);
    smoothcore_session_finished(session, now_us(), id, result);
}

int main(int argc, char **argv)
{
    smoothcore_config config;
    smoothcore_session *session = NULL;
    uint64_t deadline_us = 0;
    int32_t result;

    if (argc != 2) return fprintf(stderr, "usage: sans_io URL\n"), 2;
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.seed = now_us();
    config.decoder_flags = SMOOTHCORE_DECODER_UNPACED;
    result = smoothcore_session_create(&config, &session);
    if (result == SMOOTHCORE_OK) result = smoothcore_session_open(session, now_us(), argv[1]);

    while (result == SMOOTHCORE_OK && (result = drain(session, &deadline_us)) == SMOOTHCORE_OK) {
        if (waiting_count > 0) {
            move(session);
        } else if (deadline_us == SMOOTHCORE_NO_TIME_US) {
            result = SMOOTHCORE_E_STATE; /* nothing to do and nothing to wait for: cannot be */
        } else { /* a retry is due later */
            while (now_us() < deadline_us) {
                struct timespec pause = { 0, 5000000 };
                nanosleep(&pause, NULL);
            }
            smoothcore_session_timeout(session, now_us());
        }
    }
    hang_up();
    smoothcore_session_destroy(session);
    if (result < 0) fprintf(stderr, "sans_io: %s: %s (%d)\n", argv[1], smoothcore_strerror(result), (int)result);
    else printf("every stream to its end: %lu answers, %lu samples, %lu bytes\n", answered, samples, bytes);
    return result < 0;
}
