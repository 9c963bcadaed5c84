/*
 * The demonstration: plays a presentation over the C interface alone, tells what happens, and keeps what it saw.
 *
 *   player [--out DIR] [--speed max|real] [--budget BYTES] [--audio all|LANG] [--fixed BITRATE] [--json FILE]
 *          [--duration SECONDS] [--delay SECONDS] URL
 *
 *   --out DIR       write elementary streams (video.h264, audio_eng.aac), samples.log, fragments.log, session.csv
 *   --speed max     take everything as fast as it comes (default); real: at the speed of a screen
 *   --budget BYTES  most bytes the library may hold (default: its own)
 *   --audio all     play every audio stream; or one by its language, such as eng (default: the first)
 *   --fixed BITRATE stay at the highest video level of at most so many bit/s (default: adapt)
 *   --json FILE     write the figures of the end as JSON
 *
 *   --duration S    stop after so many seconds; a live presentation has no end of its own
 *   --delay S       live: how far behind the newest fragment to play (default: the library's)
 *
 * Event-loop mode on the POSIX port. Exit status 0 only when the presentation was played to its end, or
 * for as long as it should be.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "posix/smoothcore_posix.h"

#define STREAMS SMOOTHCORE_POSIX_SINK_STREAMS
/* Between two rows of session.csv, and two status lines. */
#define ROW_US 200000u
#define STATUS_US 1000000u

struct options {
    const char *url, *out, *json, *language;
    uint64_t budget, duration_us, delay_us;
    uint32_t fixed;
    int real, all_audio;
};

/* What the demonstration counts for itself, beside the library's own figures. */
struct seen {
    int used, any, named;
    uint32_t id, kind, bitrate;
    char codec[40], language[16];
    uint64_t fragment, fragments, samples, bytes;
};

/* A decoder port around another one: it passes every hook on and takes notes. */
struct tap {
    smoothcore_decoder_port inner;
    struct seen stream[STREAMS];
    FILE *fragments;
};

/* How far behind its edge a live presentation was played. Without a value: SMOOTHCORE_NO_TIME_US. */
struct behind {
    uint64_t now_us, most_us;
    /* Behind the clock of this machine, when media times count from 1970. */
    uint64_t clock_us;
};

static struct behind behind = { SMOOTHCORE_NO_TIME_US, SMOOTHCORE_NO_TIME_US, SMOOTHCORE_NO_TIME_US };
static smoothcore_posix posix;
static smoothcore_posix_sink sink;
static struct tap tap;
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int failed(const char *what, int32_t result)
{
    fprintf(stderr, "player: %s: %s (%d)\n", what, smoothcore_strerror(result), (int)result);
    return 1;
}

/* ------------------------------------------------------------------------------------------------ the decoder port */

static const char *kind_name(uint32_t kind)
{
    return kind == SMOOTHCORE_KIND_VIDEO ? "video" : kind == SMOOTHCORE_KIND_AUDIO ? "audio" : "text";
}

static struct seen *seen_of(uint32_t id)
{
    int i;
    for (i = 0; i < STREAMS; i++) {
        if (tap.stream[i].used && tap.stream[i].id == id) return &tap.stream[i];
    }
    return NULL;
}

static struct seen *first_of(uint32_t kind)
{
    int i;
    for (i = 0; i < STREAMS; i++) {
        if (tap.stream[i].used && tap.stream[i].kind == kind) return &tap.stream[i];
    }
    return NULL;
}

static int32_t tap_configure(void *userdata, const smoothcore_setup *setup)
{
    struct seen *s = seen_of(setup->stream);
    int i;
    (void)userdata;
    for (i = 0; s == NULL && i < STREAMS; i++) {
        if (tap.stream[i].used) continue;
        s = &tap.stream[i];
        s->used = 1;
        s->id = setup->stream;
        s->kind = setup->kind;
        snprintf(s->codec, sizeof s->codec, "%s", setup->codec_string);
    }
    return tap.inner.configure(tap.inner.userdata, setup);
}

static int32_t tap_submit(void *userdata, const smoothcore_sample *sample)
{
    int32_t result = tap.inner.submit(tap.inner.userdata, sample);
    struct seen *s = seen_of(sample->stream);
    (void)userdata;
    if (result != SMOOTHCORE_OK || s == NULL) return result;
    s->samples++;
    s->bytes += sample->size;
    if (!s->any || s->fragment != sample->fragment) {
        s->any = 1;
        s->fragment = sample->fragment;
        s->bitrate = sample->bitrate;
        s->fragments++;
        if (tap.fragments != NULL) {
            fprintf(tap.fragments, "%" PRIu32 " %" PRIu64 " %" PRIu32 "\n", s->id, s->fragment, s->bitrate);
        }
    }
    return result;
}

/* ---------------------------------------------------------------------------------------------------- while it plays */

static int status_shown;

static void clear_status(void)
{
    if (status_shown) fputs("\r\033[K", stdout);
    status_shown = 0;
}

static double seconds(uint64_t us) { return (double)us / 1000000.0; }

/* One line for each event worth one. Times are seconds since the start. */
static void tell(const smoothcore_event *event, uint64_t began_us)
{
    const char *because = event->code != 0 ? smoothcore_strerror(event->code) : "";
    if (event->kind == SMOOTHCORE_EVENT_FRAGMENT_STARTED || event->kind == SMOOTHCORE_EVENT_FRAGMENT_DONE) return;
    if (event->kind == SMOOTHCORE_EVENT_DECIDED) return; /* for each fragment; a change is a switch as well */
    clear_status();
    printf("%8.3f  ", seconds(event->at_us - began_us));
    if (event->stream >= 0) printf("stream %" PRId32 ": ", event->stream);
    switch (event->kind) {
    case SMOOTHCORE_EVENT_OPENED:
        printf("opened: %" PRIu64 " streams, %.3f s", event->a, seconds(event->b));
        break;
    case SMOOTHCORE_EVENT_STREAM_DROPPED:
        printf("not played: %s", because);
        break;
    case SMOOTHCORE_EVENT_LEVEL_DROPPED:
        printf("level of %" PRIu64 " bit/s not played: %s", event->a, because);
        break;
    case SMOOTHCORE_EVENT_RETRY:
        printf("retry: try %" PRIu64 " failed: %s", event->a, because);
        if (event->http_status != 0) printf(", status %" PRIu32, event->http_status);
        printf("; next in %.3f s", seconds(event->b));
        break;
    case SMOOTHCORE_EVENT_GAP:
        printf("gap: %.3f s lost at tick %" PRIu64 ": %s", seconds(event->a), event->b, because);
        break;
    case SMOOTHCORE_EVENT_SWITCH:
        printf("switch %s: %" PRIu64 " -> %" PRIu64 " bit/s", event->b > event->a ? "up" : "down", event->a, event->b);
        break;
    case SMOOTHCORE_EVENT_STARTED:
        printf("clock started");
        break;
    case SMOOTHCORE_EVENT_STALLED:
        printf("stalled");
        break;
    case SMOOTHCORE_EVENT_RESUMED:
        printf("resumed after %.3f s", seconds(event->a));
        break;
    case SMOOTHCORE_EVENT_SEEKING:
        printf("seeking to %.3f s", (double)event->media_time / 1e7);
        break;
    case SMOOTHCORE_EVENT_STREAM_ENDED:
        printf("all samples handed over");
        break;
    case SMOOTHCORE_EVENT_ENDED:
        printf("every stream has ended");
        break;
    case SMOOTHCORE_EVENT_FAILED:
        printf("failed: %s", because);
        break;
    case SMOOTHCORE_EVENT_NOT_YET:
        printf("not there yet: asked again in %.3f s", seconds(event->b));
        break;
    case SMOOTHCORE_EVENT_STALLED_AT_EDGE:
        printf("nothing new at the edge for %.3f s", seconds(event->a));
        break;
    case SMOOTHCORE_EVENT_EDGE_MOVING:
        printf("the edge moves again after %.3f s", seconds(event->a));
        break;
    case SMOOTHCORE_EVENT_BEHIND_WINDOW:
        printf("the window passed by %.3f s ago", seconds(event->a));
        break;
    case SMOOTHCORE_EVENT_GAP_SKIPPED:
        printf("nothing for %.3f s, skipped", seconds(event->a));
        break;
    case SMOOTHCORE_EVENT_ORIGIN_RESTARTED:
        printf("the encoder started again");
        break;
    case SMOOTHCORE_EVENT_LIVE_ENDED:
        printf("the event is over");
        break;
    case SMOOTHCORE_EVENT_REFRESHED:
        printf("manifest read again in %.3f s, reason %" PRIu64, seconds(event->b), event->a);
        break;
    case SMOOTHCORE_EVENT_REFRESH_FAILED:
        printf("manifest not read again, reason %" PRIu64 ": %s", event->a, because);
        break;
    case SMOOTHCORE_EVENT_ABANDONED:
        printf("fragment at %" PRIu64 " bit/s given up after %" PRIu64 " bytes", event->a, event->b);
        break;
    case SMOOTHCORE_EVENT_REPLACED:
        printf("fragment fetched again: %" PRIu64 " -> %" PRIu64 " bit/s", event->a, event->b);
        break;
    case SMOOTHCORE_EVENT_DROPPING_FRAMES:
        printf("decoder drops pictures: at most %" PRIu64 " bit/s for %.0f s", event->a, seconds(event->b));
        break;
    default: /* a newer library knows more */
        printf("event %" PRIu32 " (%" PRIu64 ", %" PRIu64 ")", event->kind, event->a, event->b);
    }
    if (event->code != 0 && event->place[0] != 0) printf(" at %s", event->place);
    if (event->lost != 0) printf(" (%" PRIu32 " events lost before)", event->lost);
    putchar('\n');
}

static smoothcore_stats stats_of(smoothcore_player *player)
{
    smoothcore_stats stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    smoothcore_player_stats(player, &stats);
    return stats;
}

static smoothcore_stream_info info_of(smoothcore_player *player, uint32_t stream)
{
    smoothcore_stream_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    smoothcore_player_stream(player, stream, &info);
    return info;
}

/* Hooks may not ask the player; so the languages of new streams are learnt between two steps. */
static void learn_languages(smoothcore_player *player)
{
    char stem[24];
    int i;
    for (i = 0; i < STREAMS; i++) {
        struct seen *s = &tap.stream[i];
        if (!s->used || s->named) continue;
        s->named = 1;
        memcpy(s->language, info_of(player, s->id).language, sizeof s->language);
        if (s->kind == SMOOTHCORE_KIND_VIDEO || strcmp(s->language, "und") == 0) continue;
        snprintf(stem, sizeof stem, "%s_%s", kind_name(s->kind), s->language);
        smoothcore_posix_sink_name(&sink, s->id, stem);
    }
}

/* Looks how far behind a live presentation is played. */
static void measure(smoothcore_player *player)
{
    smoothcore_live live;
    struct timespec t;
    int64_t world, position = smoothcore_posix_sink_position(&sink);
    memset(&live, 0, sizeof live);
    live.struct_size = sizeof live;
    if (smoothcore_player_live(player, &live) != SMOOTHCORE_OK || live.latency_us == SMOOTHCORE_NO_TIME_US) return;
    behind.now_us = live.latency_us;
    if (behind.most_us == SMOOTHCORE_NO_TIME_US || behind.most_us < live.latency_us) behind.most_us = live.latency_us;
    if (position == SMOOTHCORE_NO_TIME || clock_gettime(CLOCK_REALTIME, &t) != 0) return;
    world = (int64_t)t.tv_sec * 10000000 + t.tv_nsec / 100;
    /* Within an hour it is no other epoch. */
    if (world > position && world - position < INT64_C(36000000000)) behind.clock_us = (uint64_t)(world - position) / 10u;
}

/* What session.csv and the status line show. */
struct moment {
    uint64_t video_us, audio_us; /* media at hand and not on the screen yet */
    int64_t position;
    uint32_t bitrate;
};

static struct moment moment_of(smoothcore_player *player)
{
    const struct seen *video = first_of(SMOOTHCORE_KIND_VIDEO), *audio = first_of(SMOOTHCORE_KIND_AUDIO);
    struct moment m = { 0, 0, smoothcore_posix_sink_position(&sink), 0 };
    if (m.position == SMOOTHCORE_NO_TIME) m.position = 0;
    if (video != NULL) {
        m.video_us = info_of(player, video->id).ahead_us;
        m.bitrate = video->bitrate;
    }
    if (audio != NULL) m.audio_us = info_of(player, audio->id).ahead_us;
    return m;
}

static void row(FILE *csv, uint64_t at_us, const struct moment *m, const smoothcore_stats *stats)
{
    if (csv == NULL) return;
    fprintf(csv, "%" PRIu64 ",%" PRId64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu64 "\n", at_us / 1000u,
            m->position / 10000, m->video_us / 1000u, m->audio_us / 1000u, m->bitrate, stats->link_rate);
}

static void show_status(uint64_t at_us, const struct moment *m, const smoothcore_stats *stats)
{
    printf("\r\033[K%8.3f  at %.1f s, %.1f s ahead, %" PRIu32 " bit/s, link %" PRIu64 " bit/s, %" PRIu64 " bytes held",
           seconds(at_us), (double)m->position / 1e7, seconds(m->video_us), m->bitrate, stats->link_rate,
           stats->held_bytes);
    if (behind.now_us != SMOOTHCORE_NO_TIME_US) printf(", %.1f s behind the edge", seconds(behind.now_us));
    fflush(stdout);
    status_shown = 1;
}

/* The loop. SMOOTHCORE_END, or the error it ended with; SMOOTHCORE_WOULD_BLOCK when it was interrupted. */
static int32_t play(smoothcore_player *player, const smoothcore_clock_port *clock, FILE *csv, uint64_t duration_us)
{
    const uint64_t began_us = clock->now_us(clock->userdata);
    uint64_t row_us = began_us, status_us = began_us;
    int terminal = isatty(STDOUT_FILENO);
    smoothcore_event event;
    int32_t result;
    do {
        uint64_t next_us = 0, now_us;
        result = smoothcore_player_step(player, &next_us);
        memset(&event, 0, sizeof event);
        event.struct_size = sizeof event;
        while (smoothcore_player_event(player, &event) == SMOOTHCORE_OK) tell(&event, began_us);
        learn_languages(player);
        now_us = clock->now_us(clock->userdata);
        if (now_us >= row_us || result != SMOOTHCORE_OK) {
            smoothcore_stats stats = stats_of(player);
            struct moment moment = moment_of(player);
            measure(player);
            row(csv, now_us - began_us, &moment, &stats);
            row_us = now_us + ROW_US;
            if (terminal && now_us >= status_us) {
                show_status(now_us - began_us, &moment, &stats);
                status_us = now_us + STATUS_US;
            }
        }
        /* The clock port's own sleep serves an event loop as well: it ends when a socket is ready. */
        if (result == SMOOTHCORE_OK && next_us > now_us) {
            clock->wait_until(clock->userdata, next_us < row_us ? next_us : row_us);
        }
        if (duration_us != 0 && now_us - began_us >= duration_us) break;
    } while (result == SMOOTHCORE_OK && !interrupted);
    clear_status();
    return result == SMOOTHCORE_OK ? SMOOTHCORE_WOULD_BLOCK : result;
}

/* ------------------------------------------------------------------------------------------------------- at the end */

static const char *file_of(uint32_t id)
{
    int i;
    for (i = 0; i < STREAMS; i++) {
        if (sink.stream[i].in_use && sink.stream[i].id == id) return sink.stream[i].name;
    }
    return "";
}

/* Milliseconds, or - for what never happened. */
static const char *since(char text[32], uint64_t us)
{
    if (us == UINT64_MAX) snprintf(text, 32, "-");
    else snprintf(text, 32, "%.1f ms", (double)us / 1000.0);
    return text;
}

static void summary(const smoothcore_stats *s, int32_t result, uint64_t took_us)
{
    char a[32], b[32], c[32], d[32];
    int i;
    printf("%s in %.3f s\n", result == SMOOTHCORE_END ? "played to the end" : "not played to the end", seconds(took_us));
    if (behind.now_us != SMOOTHCORE_NO_TIME_US) {
        printf("  latency   %.3f s behind the edge, %.3f s at most", seconds(behind.now_us), seconds(behind.most_us));
        if (behind.clock_us != SMOOTHCORE_NO_TIME_US) printf(", %.3f s behind the clock", seconds(behind.clock_us));
        printf("; manifest read again %" PRIu32 " times, not there yet %" PRIu32 "\n", s->refreshes, s->not_yet);
    }
    printf("  startup   manifest %s, first byte %s, first sample %s, clock start %s\n", since(a, s->manifest_us),
           since(b, s->first_byte_us), since(c, s->first_sample_us), since(d, s->startup_us));
    printf("  switches  %" PRIu32 " up, %" PRIu32 " down\n", s->switches_up, s->switches_down);
    printf("  stalls    %" PRIu32 ", %.3f s in all\n", s->stalls, seconds(s->stalled_us));
    printf("  network   %" PRIu64 " bytes, %" PRIu32 " requests, %" PRIu32 " HTTP errors, %" PRIu32 " retries, %" PRIu32
           " gaps\n", s->bytes, s->requests, s->http_errors, s->retries, s->gaps);
    printf("  memory    %" PRIu64 " bytes held at most\n", s->peak_held_bytes);
    for (i = 0; i < STREAMS; i++) {
        const struct seen *t = &tap.stream[i];
        if (!t->used || t->samples == 0) continue;
        printf("  stream %-2" PRIu32 " %s %s %s: %" PRIu64 " fragments, %" PRIu64 " samples, %" PRIu64 " bytes%s%s\n", t->id,
               kind_name(t->kind), t->codec, t->language, t->fragments, t->samples, t->bytes,
               sink.directory != NULL ? " -> " : "", sink.directory != NULL ? file_of(t->id) : "");
    }
}

static void json_time(FILE *f, const char *name, uint64_t us)
{
    if (us == UINT64_MAX) fprintf(f, "  \"%s\": null,\n", name);
    else fprintf(f, "  \"%s\": %" PRIu64 ",\n", name, us);
}

/* The strings in it come from the manifest; only what needs no escape passes. */
static void json_text(FILE *f, const char *text)
{
    putc('"', f);
    for (; *text != 0; text++) putc(*text < 32 || *text == '"' || *text == '\\' ? '_' : *text, f);
    putc('"', f);
}

static int write_json(const char *path, const smoothcore_stats *s, int32_t result, uint64_t took_us)
{
    FILE *f = fopen(path, "w");
    int i, any = 0;
    if (f == NULL) return fprintf(stderr, "player: %s: %s\n", path, strerror(errno)), 1;
    fprintf(f, "{\n  \"version\": \"%s\",\n  \"ended\": %s,\n  \"result\": %" PRId32 ",\n", smoothcore_version(),
            result == SMOOTHCORE_END ? "true" : "false", result);
    json_time(f, "took_us", took_us);
    json_time(f, "manifest_us", s->manifest_us);
    json_time(f, "first_byte_us", s->first_byte_us);
    json_time(f, "first_sample_us", s->first_sample_us);
    json_time(f, "startup_us", s->startup_us);
    if (behind.now_us != SMOOTHCORE_NO_TIME_US) {
        json_time(f, "latency_us", behind.now_us);
        json_time(f, "latency_most_us", behind.most_us);
        json_time(f, "latency_clock_us", behind.clock_us);
        fprintf(f, "  \"refreshes\": %" PRIu32 ",\n  \"not_yet\": %" PRIu32 ",\n", s->refreshes, s->not_yet);
    }
    fprintf(f, "  \"switches_up\": %" PRIu32 ",\n  \"switches_down\": %" PRIu32 ",\n", s->switches_up, s->switches_down);
    fprintf(f, "  \"stalls\": %" PRIu32 ",\n", s->stalls);
    json_time(f, "stalled_us", s->stalled_us);
    fprintf(f, "  \"bytes\": %" PRIu64 ",\n  \"requests\": %" PRIu32 ",\n  \"http_errors\": %" PRIu32 ",\n", s->bytes,
            s->requests, s->http_errors);
    fprintf(f, "  \"retries\": %" PRIu32 ",\n  \"gaps\": %" PRIu32 ",\n  \"link_rate\": %" PRIu64 ",\n", s->retries, s->gaps,
            s->link_rate);
    fprintf(f, "  \"peak_held_bytes\": %" PRIu64 ",\n  \"streams\": [", s->peak_held_bytes);
    for (i = 0; i < STREAMS; i++) {
        const struct seen *t = &tap.stream[i];
        if (!t->used || t->samples == 0) continue;
        fprintf(f, "%s\n    { \"stream\": %" PRIu32 ", \"kind\": \"%s\", \"codec\": ", any++ ? "," : "", t->id,
                kind_name(t->kind));
        json_text(f, t->codec);
        fprintf(f, ", \"language\": ");
        json_text(f, t->language);
        fprintf(f, ", \"fragments\": %" PRIu64 ", \"samples\": %" PRIu64 ", \"bytes\": %" PRIu64 " }", t->fragments,
                t->samples, t->bytes);
    }
    fprintf(f, "%s]\n}\n", any ? "\n  " : "");
    if (fclose(f) != 0) return fprintf(stderr, "player: %s: %s\n", path, strerror(errno)), 1;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ the beginning */

static int number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    unsigned long long value;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || errno != 0 || value > most) return 0;
    *out = value;
    return 1;
}

static int usage(void)
{
    fprintf(stderr, "usage: player [--out DIR] [--speed max|real] [--budget BYTES] [--audio all|LANG] [--fixed BITRATE]\n"
                    "              [--json FILE] [--duration SECONDS] [--delay SECONDS] URL|FILE\n");
    return 2;
}

/* 0 when the arguments make no sense. */
static int read_options(int argc, char **argv, struct options *o)
{
    uint64_t value = 0;
    int i;
    memset(o, 0, sizeof *o);
    for (i = 1; i < argc; i++) {
        const char *name = argv[i], *with;
        if (name[0] != '-') {
            if (o->url != NULL) return 0;
            o->url = name;
            continue;
        }
        if (++i >= argc) return 0;
        with = argv[i];
        if (strcmp(name, "--out") == 0) o->out = with;
        else if (strcmp(name, "--json") == 0) o->json = with;
        else if (strcmp(name, "--speed") == 0 && strcmp(with, "real") == 0) o->real = 1;
        else if (strcmp(name, "--speed") == 0 && strcmp(with, "max") == 0) o->real = 0;
        else if (strcmp(name, "--audio") == 0 && strcmp(with, "all") == 0) o->all_audio = 1;
        else if (strcmp(name, "--audio") == 0 && strlen(with) < 8) o->language = with;
        else if (strcmp(name, "--budget") == 0 && number(with, UINT64_MAX, &value)) o->budget = value;
        else if (strcmp(name, "--fixed") == 0 && number(with, UINT32_MAX, &value)) o->fixed = (uint32_t)value;
        else if (strcmp(name, "--duration") == 0 && number(with, 100000000, &value)) o->duration_us = value * 1000000u;
        else if (strcmp(name, "--delay") == 0 && number(with, 100000, &value)) o->delay_us = value * 1000000u;
        else return 0;
    }
    return o->url != NULL;
}

static FILE *create(const char *directory, const char *name)
{
    char path[1024];
    FILE *f = NULL;
    if (snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path) f = fopen(path, "w");
    if (f == NULL) fprintf(stderr, "player: %s/%s: %s\n", directory, name, strerror(errno));
    return f;
}

int main(int argc, char **argv)
{
    struct options options;
    struct sigaction interrupt;
    smoothcore_config config;
    smoothcore_ports ports;
    smoothcore_clock_port clock;
    smoothcore_stream_port streams;
    smoothcore_source_port source;
    smoothcore_decoder_port decoder;
    smoothcore_player *player = NULL;
    smoothcore_stats stats;
    FILE *csv = NULL;
    uint64_t began_us, took_us;
    int32_t result;
    int bad = 0;

    if (!read_options(argc, argv, &options)) return usage();
    if (smoothcore_abi_version() >> 16 != SMOOTHCORE_ABI_MAJOR) return failed("library", SMOOTHCORE_E_ABI);
    if (options.out != NULL) {
        if (mkdir(options.out, 0777) != 0 && errno != EEXIST) {
            fprintf(stderr, "player: %s: %s\n", options.out, strerror(errno));
            return 1;
        }
        tap.fragments = create(options.out, "fragments.log");
        csv = create(options.out, "session.csv");
        if (tap.fragments == NULL || csv == NULL) return 1;
        fprintf(csv, "time_ms,position_ms,video_ahead_ms,audio_ahead_ms,bitrate,link_rate\n");
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    memset(&interrupt, 0, sizeof interrupt);
    interrupt.sa_handler = on_interrupt;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &interrupt, NULL);

    result = smoothcore_posix_init(&posix);
    if (result != SMOOTHCORE_OK) return failed("sockets", result);
    clock = smoothcore_posix_clock(&posix);
    streams = smoothcore_posix_streams(&posix);
    source = smoothcore_posix_source();
    result = smoothcore_posix_sink_init(&sink, options.out, options.real ? &clock : NULL);
    if (result != SMOOTHCORE_OK) return failed(options.out, result);
    tap.inner = decoder = smoothcore_posix_sink_port(&sink);
    decoder.configure = tap_configure; /* the other hooks go to the sink directly */
    decoder.submit = tap_submit;
    memset(&ports, 0, sizeof ports);
    ports.struct_size = sizeof ports;
    ports.streams = &streams;
    ports.source = &source; /* files: an .ism, .ismc, .ismv or .isma in the place of a URL */
    ports.decoder = &decoder;
    ports.clock = &clock;

    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.budget_bytes = options.budget;
    config.seed = smoothcore_posix_seed();
    config.fixed_bitrate = options.fixed;
    config.live_target_delay_us = options.delay_us;
    config.audio = options.all_audio ? SMOOTHCORE_AUDIO_ALL : SMOOTHCORE_AUDIO_FIRST;
    if (options.language != NULL) {
        config.audio = SMOOTHCORE_AUDIO_LANGUAGE;
        memcpy(config.audio_language, options.language, strlen(options.language));
    }

    result = smoothcore_player_create(&config, &ports, &player);
    if (result != SMOOTHCORE_OK) return failed("create", result);
    began_us = clock.now_us(clock.userdata);
    result = smoothcore_player_open(player, options.url);
    if (result == SMOOTHCORE_OK) result = play(player, &clock, csv, options.duration_us);
    took_us = clock.now_us(clock.userdata) - began_us;
    stats = stats_of(player);
    if (result < 0) failed(options.url, result);
    summary(&stats, result, took_us);
    if (options.json != NULL) bad |= write_json(options.json, &stats, result, took_us);

    smoothcore_player_destroy(player);
    smoothcore_posix_sink_done(&sink);
    smoothcore_posix_done(&posix);
    if (csv != NULL && fclose(csv) != 0) bad = 1;
    if (tap.fragments != NULL && fclose(tap.fragments) != 0) bad = 1;
    if (result == SMOOTHCORE_WOULD_BLOCK && options.duration_us != 0 && !interrupted) result = SMOOTHCORE_END;
    return bad || result != SMOOTHCORE_END;
}
