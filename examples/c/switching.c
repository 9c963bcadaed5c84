/*
 * Bitrate switching as a box sees it: a cap for its screen, every decision with its reason, and what was learned of the
 * network kept for the next start.
 *
 *   switching URL [SECONDS [PRIOR_FILE [MAX_HEIGHT]]]
 *
 * Plays in real time into nothing, for so many seconds or to the end. Run it twice with a file: the second start is from
 * what the first one learned.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "posix/smoothcore_posix.h"

static smoothcore_posix posix;
static smoothcore_posix_sink sink;

static int failed(const char *what, int32_t result)
{
    fprintf(stderr, "switching: %s: %s (%d)\n", what, smoothcore_strerror(result), (int)result);
    return 1;
}

static const char *why_name(uint64_t why)
{
    static const char *const names[] = { "?",    "start", "rate",      "buffer",   "fixed", "prior",
                                         "plan", "abandoned", "replaced", "share", "small" };
    return why < sizeof names / sizeof *names ? names[why] : "?";
}

static void hear(void *userdata, const smoothcore_event *event)
{
    (void)userdata;
    if (event->kind != SMOOTHCORE_EVENT_DECIDED) return;
    printf("stream %" PRId32 " at %.1f s: %" PRIu64 " bit/s, %.1f s held, link %" PRIu64 " bit/s, why %s\n", event->stream,
           (double)event->media_time / 1e7, event->a & UINT32_MAX, (double)(event->a >> 32) / 1000.0,
           event->b & ((UINT64_C(1) << 56) - 1), why_name(event->b >> 56));
}

/* On a box: into flash, under a name of the network, its gateway for instance. Wall time, for the box may have been off. */
struct kept {
    int64_t at;
    smoothcore_prior prior;
};

static void keep(smoothcore_player *player, const char *path)
{
    struct kept kept;
    FILE *f;
    memset(&kept, 0, sizeof kept);
    kept.at = (int64_t)time(NULL);
    kept.prior.struct_size = sizeof kept.prior;
    if (smoothcore_player_prior(player, &kept.prior) != SMOOTHCORE_OK || kept.prior.ln_rate == 0) return;
    f = fopen(path, "wb");
    if (f == NULL || fwrite(&kept, sizeof kept, 1, f) != 1) fprintf(stderr, "switching: %s: not kept\n", path);
    if (f != NULL) fclose(f);
}

/* 1 when there is one, with its age. What is too old or makes no sense the library leaves out by itself. */
static int recall(const char *path, smoothcore_prior *prior)
{
    struct kept kept;
    FILE *f = fopen(path, "rb");
    int whole = f != NULL && fread(&kept, sizeof kept, 1, f) == 1;
    if (f != NULL) fclose(f);
    if (!whole || kept.prior.struct_size != sizeof kept.prior || kept.at > (int64_t)time(NULL)) return 0;
    *prior = kept.prior;
    prior->age_us = (uint64_t)((int64_t)time(NULL) - kept.at) * 1000000u;
    return 1;
}

int main(int argc, char **argv)
{
    const uint64_t play_us = argc > 2 ? (uint64_t)strtoul(argv[2], NULL, 10) * 1000000u : 0;
    const char *path = argc > 3 ? argv[3] : NULL;
    smoothcore_config config;
    smoothcore_ports ports;
    smoothcore_clock_port clock;
    smoothcore_stream_port streams;
    smoothcore_decoder_port decoder;
    smoothcore_event_port events;
    smoothcore_switching switching;
    smoothcore_picture_cap cap;
    smoothcore_prior prior;
    smoothcore_player *player = NULL;
    uint64_t until_us;
    int32_t result;

    if (argc < 2) return fprintf(stderr, "usage: switching URL [SECONDS [PRIOR_FILE [MAX_HEIGHT]]]\n"), 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    result = smoothcore_posix_init(&posix);
    if (result != SMOOTHCORE_OK) return failed("sockets", result);
    clock = smoothcore_posix_clock(&posix);
    streams = smoothcore_posix_streams(&posix);
    result = smoothcore_posix_sink_init(&sink, NULL, &clock);
    if (result != SMOOTHCORE_OK) return failed("sink", result);
    decoder = smoothcore_posix_sink_port(&sink);
    memset(&events, 0, sizeof events);
    events.struct_size = sizeof events;
    events.event = hear;
    memset(&ports, 0, sizeof ports);
    ports.struct_size = sizeof ports;
    ports.streams = &streams;
    ports.decoder = &decoder;
    ports.clock = &clock;
    ports.events = &events;

    memset(&cap, 0, sizeof cap);
    cap.struct_size = sizeof cap;
    cap.height = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
    memset(&switching, 0, sizeof switching);
    switching.struct_size = sizeof switching;
    switching.replacement = 1; /* bytes cost nothing here */
    switching.cap = &cap;
    if (path != NULL && recall(path, &prior)) switching.prior = &prior;
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.seed = smoothcore_posix_seed();
    config.switching = &switching;

    result = smoothcore_player_create(&config, &ports, &player);
    if (result != SMOOTHCORE_OK) return failed("create", result);
    until_us = play_us == 0 ? SMOOTHCORE_NO_TIME_US : clock.now_us(clock.userdata) + play_us;
    result = smoothcore_player_open(player, argv[1]);
    if (result == SMOOTHCORE_OK) result = smoothcore_player_run_until(player, until_us);
    if (path != NULL && result >= 0) keep(player, path);
    if (result < 0) failed(argv[1], result);
    smoothcore_player_destroy(player);
    smoothcore_posix_sink_done(&sink);
    smoothcore_posix_done(&posix);
    return result < 0;
}
