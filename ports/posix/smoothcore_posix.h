/*
 * The POSIX port of SmoothCore: memory, clock, byte streams and a decoder that writes files.
 *
 * Plain C99 and POSIX.1-2008. Nothing here allocates: every struct below is the caller's, on its stack or static, and
 * must stay where it is from its init to its done. One smoothcore_posix serves one player and is used from that
 * player's thread; the wakeup hook alone may be called from any thread.
 *
 *   alloc.c         smoothcore_port_alloc and _free by posix_memalign and free
 *   arena/arena.c   the same two from one fixed arena: link it instead of alloc.c
 *   clock.c         the clock port: a monotonic clock that sleeps on the sockets of streams.c
 *   streams.c       the stream port: TCP without TLS, under the library's own HTTP/1.1
 *   source.c        the source port: files by name, for presentations on disk
 *   sink.c          a decoder port that writes elementary streams and a log of samples
 */
#ifndef SMOOTHCORE_POSIX_H
#define SMOOTHCORE_POSIX_H

#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "smoothcore.h"

/* Sockets open at once. The library keeps at most one for each exchange. */
#define SMOOTHCORE_POSIX_CONNECTIONS 32
/* Addresses of one host that are tried in turn. */
#define SMOOTHCORE_POSIX_ADDRESSES 4
/* Entries smoothcore_posix_poll_list needs at most: every socket and the wake-up pipe. */
#define SMOOTHCORE_POSIX_POLL (SMOOTHCORE_POSIX_CONNECTIONS + 1)

/* ------------------------------------------------------------------------------------------------ clock and sockets */

union smoothcore_posix_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct smoothcore_posix_connection {
    int fd;       /* -1: free */
    short armed;  /* POLLIN, POLLOUT: what the last WOULD_BLOCK waits for */
    uint8_t next; /* the address to try next */
    uint8_t addresses;
    union smoothcore_posix_address address[SMOOTHCORE_POSIX_ADDRESSES];
};

typedef struct smoothcore_posix {
    int wake_read, wake_write;
    struct smoothcore_posix_connection connection[SMOOTHCORE_POSIX_CONNECTIONS];
} smoothcore_posix;

/* Makes the wake-up pipe. SMOOTHCORE_OK, or SMOOTHCORE_E_NETWORK_IO when the process has no file descriptor left. */
int32_t smoothcore_posix_init(smoothcore_posix *posix);
/* Closes everything; after smoothcore_player_destroy. */
void smoothcore_posix_done(smoothcore_posix *posix);

/* The clock port: CLOCK_MONOTONIC; wait_until sleeps in poll() until a socket is ready, a wake-up, or the time. */
smoothcore_clock_port smoothcore_posix_clock(smoothcore_posix *posix);
/* The stream port: non-blocking TCP. Resolving a name blocks, see README.md; a numeric address does not. */
smoothcore_stream_port smoothcore_posix_streams(smoothcore_posix *posix);

/* For an event loop of your own: what to poll before the next step (at most `room` entries), and afterwards the
 * answers, which may stand among other entries of yours. */
size_t smoothcore_posix_poll_list(const smoothcore_posix *posix, struct pollfd *list, size_t room);
void smoothcore_posix_polled(smoothcore_posix *posix, const struct pollfd *list, size_t count);

/* A number that differs from device to device and from start to start, for smoothcore_config.seed. */
uint64_t smoothcore_posix_seed(void);

/* ---------------------------------------------------------------------------------------------------------- files */

/* The source port: names as open() takes them. */
smoothcore_source_port smoothcore_posix_source(void);

/* ---------------------------------------------------------------------------------------------------------- arena */

/* Only with arena/arena.c, before the first call into the library and never while it holds memory: the arena to use
 * instead of the built-in one. The bytes stay the caller's. */
void smoothcore_posix_arena(void *memory, size_t size);
/* Only with arena/arena.c: bytes handed out now, overhead included, and the most there ever were. */
size_t smoothcore_posix_arena_used(void);
size_t smoothcore_posix_arena_peak(void);

/* ----------------------------------------------------------------------------------------------------- file decoder */

/* Streams written at once, and samples one stream may hold when paced. */
#define SMOOTHCORE_POSIX_SINK_STREAMS 16
#define SMOOTHCORE_POSIX_SINK_SAMPLES 128

struct smoothcore_posix_sink_stream {
    uint32_t id, epoch;
    uint32_t in_use, ended, held, head; /* held samples start at head of the ring below */
    int fd;                             /* -1: nothing is written */
    uint64_t bytes_held, samples;
    int64_t first, end; /* presentation time of the samples taken in this epoch; NO_TIME before the first */
    struct {
        int64_t end;
        uint64_t size;
    } sample[SMOOTHCORE_POSIX_SINK_SAMPLES];
    const char *ending;
    char name[48];
};

typedef struct smoothcore_posix_sink {
    /* Set these after smoothcore_posix_sink_init, before play. */
    uint64_t most_us;    /* paced: media one stream takes before it answers WOULD_BLOCK; 1 s */
    uint64_t most_bytes; /* paced: bytes likewise; 2 MiB */
    /* The rest belongs to sink.c. */
    const char *directory;
    smoothcore_clock_port clock;
    int paced, log;
    int32_t rate;
    uint64_t anchor_us;
    int64_t position;
    struct smoothcore_posix_sink_stream stream[SMOOTHCORE_POSIX_SINK_STREAMS];
} smoothcore_posix_sink;

/* A decoder that writes each stream to `directory` (which exists; the pointer is kept): video.h264, audio.aac, a second
 * one as audio_2.aac by the stream's number, and samples.log with one line a sample. NULL writes nothing.
 * With a clock it is paced: it behaves like a decoder with a small memory and a screen, so that it refuses samples,
 * runs dry and obeys rate orders. Without one (NULL) it takes everything at once and has no clock.
 * SMOOTHCORE_OK, or SMOOTHCORE_E_DECODER_FAILED when samples.log cannot be made. */
int32_t smoothcore_posix_sink_init(smoothcore_posix_sink *sink, const char *directory,
                                   const smoothcore_clock_port *clock);
void smoothcore_posix_sink_done(smoothcore_posix_sink *sink);
smoothcore_decoder_port smoothcore_posix_sink_port(smoothcore_posix_sink *sink);
/* Renames the file of a stream that has been set up, for example to "audio_eng" once the language is known. */
void smoothcore_posix_sink_name(smoothcore_posix_sink *sink, uint32_t stream, const char *stem);
/* The media time on the screen, in 100 ns; SMOOTHCORE_NO_TIME before the first. */
int64_t smoothcore_posix_sink_position(smoothcore_posix_sink *sink);

#endif
