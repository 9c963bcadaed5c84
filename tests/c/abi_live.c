/* A live presentation from C: its window, its edge, standby and the network; and what is no live one. */
#include "abi.h"

/* The test card's manifest, said to be live. Free it. */
static uint8_t *live_manifest(const rig *r, size_t *size)
{
    static const char attribute[] = " IsLive=\"TRUE\" LookAheadFragmentCount=\"2\" DVRWindowLength=\"0\"";
    static const char before[] = " Duration=\"480400000\"";
    size_t length = sizeof attribute - 1, at = 0;
    uint8_t *text = malloc(r->manifest_size + length);
    CHECK(text);
    while (memcmp(r->manifest + at, before, sizeof before - 1)) at++;
    memcpy(text, r->manifest, at);
    memcpy(text + at, attribute, length);
    memcpy(text + at + length, r->manifest + at, r->manifest_size - at);
    /* How long it will be is not known. */
    memset(text + at + length + sizeof " Duration=\"" - 1, '0', sizeof "480400000" - 1);
    *size = r->manifest_size + length;
    return text;
}

static uint32_t seen[64];

static void count(smoothcore_player *player)
{
    smoothcore_event event;
    event.struct_size = sizeof event;
    while (smoothcore_player_event(player, &event) == SMOOTHCORE_OK)
        if (event.kind < sizeof seen / sizeof *seen) seen[event.kind]++;
}

static void live(void)
{
    rig *r = abi_rig();
    rig_tables t;
    smoothcore_player *player;
    smoothcore_live told;
    smoothcore_stats stats;
    const uint8_t *whole = r->manifest;
    size_t whole_size = r->manifest_size;
    uint8_t *text = live_manifest(r, &r->manifest_size);
    uint32_t requests;

    memset(seen, 0, sizeof seen);
    r->manifest = text;
    rig_fill_tables(r, &t);
    player = abi_player(&t);
    told.struct_size = sizeof told;
    stats.struct_size = sizeof stats;
    CHECK_IS(smoothcore_player_live(player, &told), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_seek_live(player), SMOOTHCORE_E_STATE);
    CHECK_IS(abi_step(r, player, 3000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_live(player, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_live(player, &told), SMOOTHCORE_OK);
    CHECK(told.struct_size == sizeof told && told.start == 0 && told.end > 470000000 && told.end <= 480400000);
    CHECK(told.edge >= 400000000 && told.edge < 430000000);
    CHECK(told.position >= told.edge - 20000000 && told.latency_us >= 3000000 && told.latency_us < 12000000);
    CHECK(told.target_delay_us >= 6000000 && told.origin_clock_us == SMOOTHCORE_NO_TIME_US);

    CHECK_IS(smoothcore_player_network(player, 2), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_seek(player, 20000000), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 4000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_network(player, 0), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 4010000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_stats(player, &stats), SMOOTHCORE_OK);
    requests = stats.requests;
    CHECK_IS(abi_step(r, player, 8000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_stats(player, &stats), SMOOTHCORE_OK);
    CHECK(stats.requests == requests);
    CHECK_IS(smoothcore_player_network(player, 1), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 12000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_suspend(player), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 12010000), SMOOTHCORE_OK);
    CHECK(r->balance == 0);
    r->now_us += 3600000000u;
    CHECK_IS(smoothcore_player_resume(player), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, r->now_us + 15000000), SMOOTHCORE_OK);
    CHECK(r->running);
    CHECK_IS(smoothcore_player_seek_live(player), SMOOTHCORE_OK);
    count(player);
    r->manifest = whole;
    r->manifest_size = whole_size;
    while (abi_step(r, player, r->now_us + 1000000) == SMOOTHCORE_OK) count(player);
    count(player);
    CHECK(seen[SMOOTHCORE_EVENT_LIVE_ENDED] == 1 && seen[SMOOTHCORE_EVENT_REFRESHED] >= 1);
    CHECK(seen[SMOOTHCORE_EVENT_GAP] == 0 && seen[SMOOTHCORE_EVENT_FAILED] == 0);
    CHECK_IS(smoothcore_player_live(player, &told), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_stats(player, &stats), SMOOTHCORE_OK);
    CHECK(stats.refreshes >= 1 && stats.not_yet == 0 && stats.state == SMOOTHCORE_STATE_ENDED);
    smoothcore_player_destroy(player);
    CHECK(r->balance == 0);
    free(r);
    free(text);
}

static void not_live(void)
{
    rig *r = abi_rig();
    rig_tables t;
    smoothcore_player *player;
    smoothcore_live told;

    rig_fill_tables(r, &t);
    player = abi_player(&t);
    told.struct_size = sizeof told;
    CHECK_IS(abi_step(r, player, 3000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_live(player, &told), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_seek_live(player), SMOOTHCORE_E_STATE);
    /* Standby is for everything. */
    CHECK_IS(smoothcore_player_suspend(player), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 3010000), SMOOTHCORE_OK);
    CHECK(!r->running && r->balance == 0);
    CHECK_IS(smoothcore_player_resume(player), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 200000000), SMOOTHCORE_END);
    smoothcore_player_destroy(player);
    free(r);
}

static void refused(void)
{
    smoothcore_config config;
    smoothcore_session *session;
    smoothcore_live told;
    told.struct_size = sizeof told;
    CHECK_IS(smoothcore_session_live(0, &told), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_seek_live(0, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_suspend(0, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_resume(0, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_network(0, 0, 1), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_live(0, &told), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_seek_live(0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_suspend(0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_resume(0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_network(0, 1), SMOOTHCORE_E_ARGUMENT);
#define CONFIG(change, why) \
    config = abi_config(); \
    change; \
    session = 0; \
    CHECK_IS(smoothcore_session_create(&config, &session), why); \
    smoothcore_session_destroy(session)
    CONFIG(config.live_start = 3, SMOOTHCORE_E_ARGUMENT);
    CONFIG(config.live_start = SMOOTHCORE_LIVE_START_ALWAYS_EDGE, SMOOTHCORE_OK);
    CONFIG(config.live_behind = 3, SMOOTHCORE_E_ARGUMENT);
    CONFIG(config.live_behind = SMOOTHCORE_BEHIND_STOP, SMOOTHCORE_OK);
    CONFIG(config.live_window = 2, SMOOTHCORE_E_ARGUMENT);
    CONFIG(config.live_window = SMOOTHCORE_WINDOW_UNLIMITED, SMOOTHCORE_OK);
    CONFIG(config.live_rate = 201, SMOOTHCORE_E_ARGUMENT);
    CONFIG(config.live_rate = 50, SMOOTHCORE_OK);
    CONFIG(config.live_target_delay_us = UINT64_MAX, SMOOTHCORE_OK);
}

void test_live(void)
{
    live();
    not_live();
    refused();
}
