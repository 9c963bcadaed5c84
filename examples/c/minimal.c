/*
 * The shortest real program: plays one presentation to its end in blocking mode, into files or into nothing.
 *
 *   minimal URL [DIRECTORY]
 *
 * With a directory it writes video.h264, audio.aac and samples.log there, as fast as the network allows. Without one
 * it plays in real time into nothing. Exit status 0 when it has played to the end.
 */
#include <stdio.h>
#include <string.h>

#include "posix/smoothcore_posix.h"

static smoothcore_posix posix;
static smoothcore_posix_sink sink;

static int failed(const char *what, int32_t result)
{
    fprintf(stderr, "minimal: %s: %s (%d)\n", what, smoothcore_strerror(result), (int)result);
    return 1;
}

int main(int argc, char **argv)
{
    const char *directory = argc > 2 ? argv[2] : NULL;
    smoothcore_config config;
    smoothcore_ports ports;
    smoothcore_clock_port clock;
    smoothcore_stream_port streams;
    smoothcore_decoder_port decoder;
    smoothcore_player *player = NULL;
    int32_t result;

    if (argc < 2) return fprintf(stderr, "usage: minimal URL [DIRECTORY]\n"), 2;

    /* What only the box has: sockets, a clock, a decoder. */
    result = smoothcore_posix_init(&posix);
    if (result != SMOOTHCORE_OK) return failed("sockets", result);
    clock = smoothcore_posix_clock(&posix);
    streams = smoothcore_posix_streams(&posix);
    result = smoothcore_posix_sink_init(&sink, directory, directory == NULL ? &clock : NULL);
    if (result != SMOOTHCORE_OK) return failed(directory, result);
    decoder = smoothcore_posix_sink_port(&sink);
    memset(&ports, 0, sizeof ports);
    ports.struct_size = sizeof ports;
    ports.streams = &streams;
    ports.decoder = &decoder;
    ports.clock = &clock;

    /* Zero is the default of everything. */
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.seed = smoothcore_posix_seed();

    result = smoothcore_player_create(&config, &ports, &player);
    if (result != SMOOTHCORE_OK) return failed("create", result);
    result = smoothcore_player_open(player, argv[1]);
    if (result == SMOOTHCORE_OK) result = smoothcore_player_run(player); /* returns at the end */

    if (result < 0) failed(argv[1], result);
    else printf("played to the end\n");
    smoothcore_player_destroy(player);
    smoothcore_posix_sink_done(&sink);
    smoothcore_posix_done(&posix);
    return result < 0;
}
