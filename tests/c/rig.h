/*
 * The test rig in C: an origin in memory, a link that takes virtual time, a decoder that records.
 *
 * The same rig as tests/common in Rust, line by line of the log: integers and virtual microseconds only, so one script
 * gives one log on every target and in every driving mode. Needs no operating system, no heap and no C library; what
 * it wants of a host are the two functions in struct rig.
 */
#ifndef SMOOTHCORE_TEST_RIG_H
#define SMOOTHCORE_TEST_RIG_H

#include "smoothcore.h"

#define RIG_STREAMS 8
#define RIG_EXCHANGES 16
#define RIG_FAULTS 8

/* Who drives the session. */
#define RIG_SANS_IO 0
#define RIG_EVENT_LOOP 1
#define RIG_BLOCKING 2

/* One level: a file of fragments that ends in its index. */
typedef struct rig_file {
    uint32_t bitrate;
    const char *stream, *name;
    const uint8_t *data;
    size_t size;
} rig_file;

/* The connection of the nth request (from 1) of `path` breaks after `cut` body bytes. */
typedef struct rig_fault {
    const char *path;
    uint32_t nth, cut;
} rig_fault;

/* What is played, and what happens meanwhile. */
typedef struct rig_script {
    const char *name;
    /* Bytes per millisecond, one entry each 5 s, for ever repeated; ends with 0. */
    uint32_t rates[8];
    rig_fault faults[RIG_FAULTS];
    uint32_t fixed_bitrate;
    int64_t start_at;
    /* At this virtual time seek there; 0: no seek. Not in blocking mode, which nobody can interrupt. */
    uint64_t seek_at_us;
    int64_t seek_to;
    /* A SMOOTHCORE_PROTECTION_ number; not 0 wants the encrypted test card. */
    uint32_t protection;
    /* When the two keys are ready. */
    uint64_t keys_at_us[2];
} rig_script;

struct rig_exchange {
    uint32_t id, status, cut;
    const uint8_t *body;
    size_t size, sent;
    uint64_t started_ms;
};

struct rig_held {
    uint64_t depth_us, taken;
    int64_t position;
    uint32_t configured;
};

typedef struct rig {
    /* Set these. */
    const rig_script *script;
    const uint8_t *manifest;
    size_t manifest_size;
    const rig_file *files;
    size_t file_count;
    void *userdata;
    /* One line of the log, its newline included. */
    void (*line)(void *userdata, const char *text, size_t size);
    /* The rig or the library broke a rule; does not return. */
    void (*fatal)(void *userdata, const char *rule);
    /* The rest is the rig's; zeros at the start. */
    uint64_t now_us, last_us;
    uint64_t lines, samples, fnv;
    uint32_t running, sought, requests, cuts;
    int32_t balance;
    uint32_t tries[RIG_FAULTS];
    struct rig_exchange exchange[RIG_EXCHANGES];
    struct rig_held held[RIG_STREAMS];
    /* Streams in the order in which they were set up, and the agent's keys as they were offered. */
    uint32_t set_up[RIG_STREAMS], set_up_count;
    uint8_t kids[4][16];
    uint32_t kid_count, decrypts, closed;
    uint32_t order[RIG_EXCHANGES], answered[RIG_EXCHANGES], open;
    uint8_t scratch[65536];
} rig;

/* The scripts, RIG_SCRIPTS of them. */
#define RIG_SCRIPTS 7
extern const rig_script rig_scripts[RIG_SCRIPTS];

/* The levels of the test card; data and size are for the host to fill in. */
#define RIG_FILES 6
extern const rig_file rig_testcard[RIG_FILES];

/* Plays the script to the end. The library's result: OK when everything was shown. */
int32_t rig_play(rig *r, int mode);

/* The rig as tables of ports, for a player driven from elsewhere. `ports` points to the others. */
typedef struct rig_tables {
    smoothcore_http_port http;
    smoothcore_decoder_port decoder;
    smoothcore_clock_port clock;
    smoothcore_protection_port protection;
    smoothcore_ports ports;
} rig_tables;
void rig_fill_tables(rig *r, rig_tables *tables);

/* FNV-1a, 64 bits, begun with RIG_FNV. */
#define RIG_FNV 0xcbf29ce484222325u
uint64_t rig_fnv1a(uint64_t hash, const uint8_t *data, size_t size);

#endif
