/*
 * Event-loop mode: one poll() of the program's own for the player's sockets and for everything else it listens to.
 * Here that is the keyboard.
 *
 *   event_loop URL [DIRECTORY]
 *
 * Plays in real time. Lines on standard input: pause, play, seek SECONDS, quit. Exit status 0 when it has played to
 * the end or was told to quit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "posix/smoothcore_posix.h"

static smoothcore_posix posix;
static smoothcore_posix_sink sink;

static int failed(const char *what, int32_t result)
{
    fprintf(stderr, "event_loop: %s: %s (%d)\n", what, smoothcore_strerror(result), (int)result);
    return 1;
}

/* What arrived on standard input. 0 goes on, 1 quits, -1: nothing will come any more. */
static int obey(smoothcore_player *player)
{
    static char text[256];
    static size_t held;
    char *end;
    ssize_t got = read(STDIN_FILENO, text + held, sizeof text - 1 - held);
    int quit = 0;
    if (got <= 0) return -1;
    held += (size_t)got;
    text[held] = 0;
    while ((end = strchr(text, '\n')) != NULL) {
        *end = 0;
        if (strcmp(text, "pause") == 0) smoothcore_player_pause(player);
        else if (strcmp(text, "play") == 0) smoothcore_player_play(player);
        else if (strncmp(text, "seek ", 5) == 0) smoothcore_player_seek(player, (int64_t)atoi(text + 5) * 10000000);
        else if (strcmp(text, "quit") == 0) quit = 1;
        else printf("pause, play, seek SECONDS, quit\n");
        held -= (size_t)(end + 1 - text);
        memmove(text, end + 1, held + 1);
    }
    if (held == sizeof text - 1) held = 0; /* no command is that long */
    return quit;
}

static void tell(smoothcore_player *player)
{
    smoothcore_event event;
    memset(&event, 0, sizeof event);
    event.struct_size = sizeof event;
    while (smoothcore_player_event(player, &event) == SMOOTHCORE_OK) {
        if (event.kind == SMOOTHCORE_EVENT_STARTED) printf("started\n");
        if (event.kind == SMOOTHCORE_EVENT_STALLED) printf("stalled\n");
        if (event.kind == SMOOTHCORE_EVENT_RESUMED) printf("resumed\n");
        if (event.kind == SMOOTHCORE_EVENT_SWITCH) printf("bitrate %lu\n", (unsigned long)event.b);
    }
}

static int32_t play(smoothcore_player *player, const smoothcore_clock_port *clock)
{
    struct pollfd list[1 + SMOOTHCORE_POSIX_POLL];
    int listens = 1, timeout;
    for (;;) {
        uint64_t next_us = 0, now_us;
        size_t count;
        int32_t result = smoothcore_player_step(player, &next_us);
        tell(player);
        if (result != SMOOTHCORE_OK) return result;

        /* Sleep until the player is due, one of its sockets is ready, or a key was hit. A second at most: this
         * decoder does not call smoothcore_player_wake when it has shown its last picture. */
        list[0].fd = listens ? STDIN_FILENO : -1;
        list[0].events = POLLIN;
        count = 1 + smoothcore_posix_poll_list(&posix, list + 1, SMOOTHCORE_POSIX_POLL);
        now_us = clock->now_us(clock->userdata);
        if (next_us <= now_us) timeout = 0;
        else if (next_us - now_us > 1000000u) timeout = 1000;
        else timeout = (int)((next_us - now_us) / 1000u) + 1;
        if (poll(list, (nfds_t)count, timeout) <= 0) continue;
        smoothcore_posix_polled(&posix, list + 1, count - 1);
        if (list[0].revents != 0) {
            int told = obey(player);
            if (told == 1) return SMOOTHCORE_END;
            if (told < 0) listens = 0;
        }
    }
}

int main(int argc, char **argv)
{
    smoothcore_config config;
    smoothcore_ports ports;
    smoothcore_clock_port clock;
    smoothcore_stream_port streams;
    smoothcore_decoder_port decoder;
    smoothcore_player *player = NULL;
    int32_t result;

    if (argc < 2) return fprintf(stderr, "usage: event_loop URL [DIRECTORY]\n"), 2;

    setvbuf(stdout, NULL, _IOLBF, 0);
    result = smoothcore_posix_init(&posix);
    if (result != SMOOTHCORE_OK) return failed("sockets", result);
    clock = smoothcore_posix_clock(&posix);
    streams = smoothcore_posix_streams(&posix);
    result = smoothcore_posix_sink_init(&sink, argc > 2 ? argv[2] : NULL, &clock);
    if (result != SMOOTHCORE_OK) return failed(argv[2], result);
    decoder = smoothcore_posix_sink_port(&sink);
    memset(&ports, 0, sizeof ports);
    ports.struct_size = sizeof ports;
    ports.streams = &streams;
    ports.decoder = &decoder;
    ports.clock = &clock;

    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.seed = smoothcore_posix_seed();

    result = smoothcore_player_create(&config, &ports, &player);
    if (result != SMOOTHCORE_OK) return failed("create", result);
    result = smoothcore_player_open(player, argv[1]);
    if (result == SMOOTHCORE_OK) result = play(player, &clock);
    if (result < 0) failed(argv[1], result);
    smoothcore_player_destroy(player);
    smoothcore_posix_sink_done(&sink);
    smoothcore_posix_done(&posix);
    return result < 0;
}
