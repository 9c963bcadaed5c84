/*
 * first URL
 *
 * Prints the microseconds from the start of the program to the first sample of video that a decoder gets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "posix/smoothcore_posix.h"

static smoothcore_posix posix;
static smoothcore_clock_port the_clock;
static uint64_t began_us;

static int32_t configure(void *userdata, const smoothcore_setup *setup)
{
    (void)userdata;
    (void)setup;
    return SMOOTHCORE_OK;
}

static int32_t submit(void *userdata, const smoothcore_sample *sample)
{
    (void)userdata;
    (void)sample;
    printf("%llu\n", (unsigned long long)(the_clock.now_us(the_clock.userdata) - began_us));
    exit(0);
}

static int32_t status(void *userdata, uint32_t stream, smoothcore_buffered *out)
{
    (void)userdata;
    (void)stream;
    (void)out;
    return SMOOTHCORE_OK;
}

static void flush(void *userdata, uint32_t stream, uint32_t epoch)
{
    (void)userdata;
    (void)stream;
    (void)epoch;
}

int main(int argc, char **argv)
{
    smoothcore_decoder_port decoder;
    smoothcore_stream_port streams;
    smoothcore_config config;
    smoothcore_ports ports;
    smoothcore_player *player;
    the_clock = smoothcore_posix_clock(&posix);
    began_us = the_clock.now_us(the_clock.userdata);
    if (argc != 2 || smoothcore_posix_init(&posix) != SMOOTHCORE_OK) return 2;
    streams = smoothcore_posix_streams(&posix);
    memset(&decoder, 0, sizeof decoder);
    decoder.struct_size = sizeof decoder;
    decoder.flags = SMOOTHCORE_DECODER_UNPACED;
    decoder.configure = configure;
    decoder.submit = submit;
    decoder.status = status;
    decoder.flush = flush;
    memset(&ports, 0, sizeof ports);
    ports.struct_size = sizeof ports;
    ports.streams = &streams;
    ports.decoder = &decoder;
    ports.clock = &the_clock;
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.audio = SMOOTHCORE_AUDIO_NONE;
    if (smoothcore_player_create(&config, &ports, &player) != SMOOTHCORE_OK) return 1;
    if (smoothcore_player_open(player, argv[1]) == SMOOTHCORE_OK) smoothcore_player_run(player);
    fprintf(stderr, "first: no sample came\n");
    return 1;
}
