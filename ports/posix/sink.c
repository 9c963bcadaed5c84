/*
 * A decoder port that decodes nothing: it writes elementary streams and a log of samples, and where it has a clock it
 * behaves like hardware towards the library: little room, a picture that waits for its time, rate orders obeyed.
 *
 * No hook blocks but for the file system. samples.log, one line a sample in the order taken, decimal but for the hash:
 *   stream epoch flags dts pts duration size fnv1a64 fragment bitrate
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "smoothcore_posix.h"

typedef struct smoothcore_posix_sink_stream stream_t;

static stream_t *stream_of(smoothcore_posix_sink *sink, uint32_t id)
{
    int i;
    for (i = 0; i < SMOOTHCORE_POSIX_SINK_STREAMS; i++) {
        if (sink->stream[i].in_use && sink->stream[i].id == id) return &sink->stream[i];
    }
    return NULL;
}

/* ----------------------------------------------------------------------------------------------- the simulated clock */

/* Brings the position to the present. Nothing is shown beyond the end of a stream that may still go on: picture and
 * sound wait for each other. */
static void advance(smoothcore_posix_sink *sink)
{
    uint64_t now;
    int64_t to, running = INT64_MAX, last = SMOOTHCORE_NO_TIME;
    int i;
    if (!sink->paced) return;
    now = sink->clock.now_us(sink->clock.userdata);
    if (sink->rate > 0 && sink->position != SMOOTHCORE_NO_TIME) {
        to = sink->position + (int64_t)((now - sink->anchor_us) * (uint64_t)sink->rate / 100u);
        for (i = 0; i < SMOOTHCORE_POSIX_SINK_STREAMS; i++) {
            const stream_t *s = &sink->stream[i];
            if (!s->in_use || s->end == SMOOTHCORE_NO_TIME) continue;
            if (s->end > last) last = s->end;
            if (!s->ended && s->end < running) running = s->end;
        }
        if (running == INT64_MAX) running = last;
        if (to > running) to = running;
        if (to > sink->position) sink->position = to;
    }
    sink->anchor_us = now;
    for (i = 0; i < SMOOTHCORE_POSIX_SINK_STREAMS; i++) {
        stream_t *s = &sink->stream[i];
        while (s->held > 0 && s->sample[s->head].end <= sink->position) {
            s->bytes_held -= s->sample[s->head].size;
            s->head = (s->head + 1) % SMOOTHCORE_POSIX_SINK_SAMPLES;
            s->held--;
        }
    }
}

/* Media a stream holds that has not been shown, in microseconds; 0 only when there is none. */
static uint64_t depth_us(const smoothcore_posix_sink *sink, const stream_t *s)
{
    int64_t from = s->first;
    if (!sink->paced || s->end == SMOOTHCORE_NO_TIME) return 0;
    if (sink->position != SMOOTHCORE_NO_TIME && sink->position > from) from = sink->position;
    return s->end > from ? ((uint64_t)(s->end - from) + 9u) / 10u : 0;
}

static int has_room(const smoothcore_posix_sink *sink, const stream_t *s, size_t size)
{
    if (!sink->paced || s->held == 0) return 1;
    return s->held < SMOOTHCORE_POSIX_SINK_SAMPLES && depth_us(sink, s) < sink->most_us &&
           s->bytes_held + size <= sink->most_bytes;
}

/* ----------------------------------------------------------------------------------------------------------- files */

/* Writes every part to its last byte; 0 when it did. */
static int put_all(int fd, const smoothcore_slice *part, uint32_t count)
{
    struct iovec piece[16];
    uint32_t taken = 0;
    size_t offset = 0;
    while (taken < count) {
        int n = 0;
        ssize_t put;
        while (n < 16 && taken + (uint32_t)n < count) {
            size_t skip = n == 0 ? offset : 0;
            /* writev takes what it never writes to without const. */
            piece[n].iov_base = (void *)(uintptr_t)(part[taken + (uint32_t)n].data + skip);
            piece[n].iov_len = part[taken + (uint32_t)n].size - skip;
            n++;
        }
        put = writev(fd, piece, n);
        if (put < 0) return -1;
        offset += (size_t)put;
        while (taken < count && offset >= part[taken].size) offset -= part[taken++].size;
    }
    return 0;
}

static uint64_t fnv1a64(const smoothcore_sample *sample)
{
    uint64_t hash = 0xcbf29ce484222325u;
    uint32_t i;
    size_t n;
    for (i = 0; i < sample->part_count; i++) {
        for (n = 0; n < sample->parts[i].size; n++) hash = (hash ^ sample->parts[i].data[n]) * 0x100000001b3u;
    }
    return hash;
}

/* Without stdio's streams, which would take memory from the heap. */
static int log_sample(int fd, const smoothcore_sample *s)
{
    char line[256];
    smoothcore_slice whole;
    whole.data = (const uint8_t *)line;
    whole.size = (size_t)snprintf(line, sizeof line,
                                  "%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRId64 " %" PRId64 " %" PRIu64 " %zu %016" PRIx64
                                  " %" PRIu64 " %" PRIu32 "\n",
                                  s->stream, s->epoch, s->flags, s->dts, s->pts, s->duration, s->size, fnv1a64(s),
                                  s->fragment, s->bitrate);
    return put_all(fd, &whole, 1);
}

/* Whether another stream writes to a file of this name. */
static int is_taken(const smoothcore_posix_sink *sink, const stream_t *s, const char *name)
{
    int i;
    for (i = 0; i < SMOOTHCORE_POSIX_SINK_STREAMS; i++) {
        const stream_t *other = &sink->stream[i];
        if (other != s && other->in_use && strcmp(other->name, name) == 0) return 1;
    }
    return 0;
}

/* stem.ending; with the stream's number where that is taken. */
static void choose_name(const smoothcore_posix_sink *sink, const stream_t *s, const char *stem, char *name, size_t size)
{
    snprintf(name, size, "%s.%s", stem, s->ending);
    if (is_taken(sink, s, name)) snprintf(name, size, "%s_%" PRIu32 ".%s", stem, s->id, s->ending);
}

/* The set-up record beside the file, without which nothing says what is in it. */
static int put_format(const smoothcore_posix_sink *sink, const stream_t *s, const smoothcore_setup *setup)
{
    char path[1024];
    int fd, put;
    if (setup->codec != SMOOTHCORE_CODEC_WMA && setup->codec != SMOOTHCORE_CODEC_WMA_PRO &&
        setup->codec != SMOOTHCORE_CODEC_PCM) {
        return 0;
    }
    if (snprintf(path, sizeof path, "%s/%s.wfx", sink->directory, s->name) >= (int)sizeof path) return -1;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return -1;
    put = put_all(fd, &setup->record, 1);
    return close(fd) == 0 ? put : -1;
}

static int open_file(smoothcore_posix_sink *sink, stream_t *s, const smoothcore_setup *setup)
{
    /* By codec. */
    static const char *const ending[] = { "bin", "h264", "aac", "h265", "vc1", "wma",
                                          "wma", "ac3",  "ec3", "mp3",  "pcm", "ttml" };
    char path[1024];
    s->ending = setup->codec < sizeof ending / sizeof ending[0] ? ending[setup->codec] : "bin";
    choose_name(sink, s,
                setup->kind == SMOOTHCORE_KIND_VIDEO   ? "video"
                : setup->kind == SMOOTHCORE_KIND_AUDIO ? "audio"
                                                       : "text",
                s->name, sizeof s->name);
    if (snprintf(path, sizeof path, "%s/%s", sink->directory, s->name) >= (int)sizeof path) return -1;
    s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return s->fd < 0 ? -1 : put_format(sink, s, setup);
}

void smoothcore_posix_sink_name(smoothcore_posix_sink *sink, uint32_t stream, const char *stem)
{
    stream_t *s = stream_of(sink, stream);
    char safe[24], name[sizeof s->name], from[1024], to[1024];
    size_t n;
    if (s == NULL || s->fd < 0 || strlen(stem) >= sizeof safe) return;
    for (n = 0; stem[n] != 0; n++) {
        /* A manifest's words do not choose folders. */
        safe[n] = stem[n] == '/' || stem[n] == '.' || (unsigned char)stem[n] <= 32 ? '_' : stem[n];
    }
    safe[n] = 0;
    choose_name(sink, s, safe, name, sizeof name);
    if (snprintf(from, sizeof from, "%s/%s", sink->directory, s->name) >= (int)sizeof from ||
        snprintf(to, sizeof to, "%s/%s", sink->directory, name) >= (int)sizeof to || rename(from, to) != 0) {
        return;
    }
    /* Its set-up record where it has one. */
    if (snprintf(from, sizeof from, "%s/%s.wfx", sink->directory, s->name) < (int)sizeof from &&
        snprintf(to, sizeof to, "%s/%s.wfx", sink->directory, name) < (int)sizeof to) {
        (void)rename(from, to);
    }
    memcpy(s->name, name, sizeof name);
}

/* ----------------------------------------------------------------------------------------------------------- hooks */

/* OK; E_UNSUPPORTED when there are too many streams; E_DECODER_FAILED when the file cannot be made. */
static int32_t configure(void *userdata, const smoothcore_setup *setup)
{
    smoothcore_posix_sink *sink = userdata;
    stream_t *s = stream_of(sink, setup->stream);
    int i;
    for (i = 0; s == NULL && i < SMOOTHCORE_POSIX_SINK_STREAMS; i++) {
        if (sink->stream[i].in_use) continue;
        s = &sink->stream[i];
        memset(s, 0, sizeof *s);
        s->in_use = 1;
        s->id = setup->stream;
        s->epoch = setup->epoch;
        s->fd = -1;
        s->first = s->end = SMOOTHCORE_NO_TIME;
        if (sink->directory != NULL && open_file(sink, s, setup) != 0) {
            s->in_use = 0;
            return SMOOTHCORE_E_DECODER_FAILED;
        }
    }
    return s == NULL ? SMOOTHCORE_E_UNSUPPORTED : SMOOTHCORE_OK;
}

/* Takes the whole sample or nothing of it. */
static int32_t submit(void *userdata, const smoothcore_sample *sample)
{
    smoothcore_posix_sink *sink = userdata;
    stream_t *s = stream_of(sink, sample->stream);
    int64_t end = sample->pts + (int64_t)sample->duration;
    if (s == NULL) return SMOOTHCORE_E_DECODER_FAILED;
    if (sample->epoch < s->epoch) return SMOOTHCORE_OK; /* stale: taken and thrown away */
    advance(sink);
    if (!has_room(sink, s, sample->size)) return SMOOTHCORE_WOULD_BLOCK;
    if (s->fd >= 0 && put_all(s->fd, sample->parts, sample->part_count) != 0) return SMOOTHCORE_E_DECODER_FAILED;
    if (sink->log >= 0 && log_sample(sink->log, sample) != 0) return SMOOTHCORE_E_DECODER_FAILED;
    s->samples++;
    if (!sink->paced) {
        sink->position = sample->pts;
    } else if ((sample->flags & SMOOTHCORE_SAMPLE_PREROLL) == 0) {
        uint32_t tail = (s->head + s->held) % SMOOTHCORE_POSIX_SINK_SAMPLES;
        s->sample[tail].end = end;
        s->sample[tail].size = sample->size;
        s->held++;
        s->bytes_held += sample->size;
        if (s->first == SMOOTHCORE_NO_TIME || sample->pts < s->first) s->first = sample->pts;
        if (s->end == SMOOTHCORE_NO_TIME || end > s->end) s->end = end;
    }
    return SMOOTHCORE_OK;
}

static int32_t status(void *userdata, uint32_t stream, smoothcore_buffered *out)
{
    smoothcore_posix_sink *sink = userdata;
    const stream_t *s = stream_of(sink, stream);
    out->dropped = 0;
    out->depth_us = 0;
    out->position = SMOOTHCORE_NO_TIME;
    if (s == NULL) return SMOOTHCORE_OK;
    advance(sink);
    out->depth_us = depth_us(sink, s);
    out->position = sink->position;
    return SMOOTHCORE_OK;
}

/* Everything of older epochs goes; the position is open until the clock is started again. */
static void flush(void *userdata, uint32_t stream, uint32_t epoch)
{
    smoothcore_posix_sink *sink = userdata;
    stream_t *s = stream_of(sink, stream);
    advance(sink);
    sink->rate = 0;
    sink->position = SMOOTHCORE_NO_TIME;
    if (s == NULL) return;
    s->epoch = epoch;
    s->ended = s->held = s->head = 0;
    s->bytes_held = 0;
    s->first = s->end = SMOOTHCORE_NO_TIME;
}

static void end_of_stream(void *userdata, uint32_t stream, uint32_t epoch)
{
    smoothcore_posix_sink *sink = userdata;
    stream_t *s = stream_of(sink, stream);
    if (s == NULL || epoch < s->epoch) return;
    advance(sink);
    s->ended = 1;
}

/* 0 holds the picture; 1000 runs. The first order to run starts at the earliest picture or sound there is. */
static void set_rate(void *userdata, int32_t rate)
{
    smoothcore_posix_sink *sink = userdata;
    int i;
    advance(sink);
    sink->rate = rate;
    if (!sink->paced || rate <= 0 || sink->position != SMOOTHCORE_NO_TIME) return;
    for (i = 0; i < SMOOTHCORE_POSIX_SINK_STREAMS; i++) {
        const stream_t *s = &sink->stream[i];
        if (!s->in_use || s->first == SMOOTHCORE_NO_TIME) continue;
        if (sink->position == SMOOTHCORE_NO_TIME || s->first < sink->position) sink->position = s->first;
    }
}

/* ---------------------------------------------------------------------------------------------------- making a port */

int32_t smoothcore_posix_sink_init(smoothcore_posix_sink *sink, const char *directory,
                                   const smoothcore_clock_port *clock)
{
    char path[1024];
    memset(sink, 0, sizeof *sink);
    sink->most_us = 1000000;
    sink->most_bytes = 2u << 20;
    sink->directory = directory;
    sink->position = SMOOTHCORE_NO_TIME;
    sink->log = -1;
    if (clock != NULL) {
        sink->clock = *clock;
        sink->paced = 1;
    }
    if (directory == NULL) return SMOOTHCORE_OK;
    if (snprintf(path, sizeof path, "%s/samples.log", directory) >= (int)sizeof path) return SMOOTHCORE_E_DECODER_FAILED;
    sink->log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return sink->log < 0 ? SMOOTHCORE_E_DECODER_FAILED : SMOOTHCORE_OK;
}

void smoothcore_posix_sink_done(smoothcore_posix_sink *sink)
{
    int i;
    for (i = 0; i < SMOOTHCORE_POSIX_SINK_STREAMS; i++) {
        if (sink->stream[i].in_use && sink->stream[i].fd >= 0) close(sink->stream[i].fd);
        sink->stream[i].in_use = 0;
    }
    if (sink->log >= 0) close(sink->log);
    sink->log = -1;
}

smoothcore_decoder_port smoothcore_posix_sink_port(smoothcore_posix_sink *sink)
{
    smoothcore_decoder_port port;
    memset(&port, 0, sizeof port);
    port.struct_size = sizeof port;
    port.framing = SMOOTHCORE_FRAMING_ELEMENTARY;
    port.flags = sink->paced ? 0 : SMOOTHCORE_DECODER_UNPACED;
    port.userdata = sink;
    port.configure = configure;
    port.submit = submit;
    port.status = status;
    port.flush = flush;
    port.end = end_of_stream;
    port.rate = set_rate;
    return port;
}

int64_t smoothcore_posix_sink_position(smoothcore_posix_sink *sink)
{
    advance(sink);
    return sink->position;
}
