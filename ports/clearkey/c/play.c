/* Plays one protected presentation to its end in blocking mode, into files, with keys given in the clear.
 *
 *   play URL DIRECTORY KID:KEY...
 *
 * Exit status 0 when it has played to the end.
 */
#include <stdio.h>
#include <string.h>

#include "port.h"
#include "posix/smoothcore_posix.h"

static smoothcore_posix posix;
static smoothcore_posix_sink sink;
static smoothcore_clearkey_keys keys;

static int failed(const char *what, int32_t result)
{
    fprintf(stderr, "play: %s: %s (%d)\n", what, smoothcore_strerror(result), (int)result);
    return 1;
}

int main(int argc, char **argv)
{
    smoothcore_config config;
    smoothcore_ports ports;
    smoothcore_clock_port clock;
    smoothcore_stream_port streams;
    smoothcore_decoder_port decoder;
    smoothcore_protection_port protection;
    smoothcore_player *player = NULL;
    int32_t result;
    int n;

    if (argc < 3) return fprintf(stderr, "usage: play URL DIRECTORY KID:KEY...\n"), 2;
    for (n = 3; n < argc; n++)
        if (smoothcore_clearkey_add(&keys, argv[n])) return fprintf(stderr, "play: %s: not KID:KEY\n", argv[n]), 2;

    result = smoothcore_posix_init(&posix);
    if (result != SMOOTHCORE_OK) return failed("sockets", result);
    clock = smoothcore_posix_clock(&posix);
    streams = smoothcore_posix_streams(&posix);
    result = smoothcore_posix_sink_init(&sink, argv[2], NULL);
    if (result != SMOOTHCORE_OK) return failed(argv[2], result);
    decoder = smoothcore_posix_sink_port(&sink);
    protection = smoothcore_clearkey_port(&keys);
    memset(&ports, 0, sizeof ports);
    ports.struct_size = sizeof ports;
    ports.streams = &streams;
    ports.decoder = &decoder;
    ports.clock = &clock;
    ports.protection = &protection;

    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.seed = smoothcore_posix_seed();
    result = smoothcore_player_create(&config, &ports, &player);
    if (result != SMOOTHCORE_OK) return failed("create", result);
    result = smoothcore_player_open(player, argv[1]);
    if (result == SMOOTHCORE_OK) result = smoothcore_player_run(player);
    if (result < 0) failed(argv[1], result);
    smoothcore_player_destroy(player);
    smoothcore_posix_sink_done(&sink);
    smoothcore_posix_done(&posix);
    return result < 0;
}
