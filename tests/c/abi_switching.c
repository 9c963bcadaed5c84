/* Switching from C: what is known of a network goes from one player to the next, caps, and decisions nobody fetches. */
#include "abi.h"

/* Decisions about pictures: how many, and of the first and the newest level and reason; the highest level. */
struct decisions {
    uint32_t count, first, first_why, newest, highest, failed;
    int64_t newest_time;
};

static struct decisions fetch(smoothcore_player *player)
{
    struct decisions d;
    smoothcore_event event;
    memset(&d, 0, sizeof d);
    event.struct_size = sizeof event;
    while (smoothcore_player_event(player, &event) == SMOOTHCORE_OK) {
        if (event.kind != SMOOTHCORE_EVENT_DECIDED || event.stream != 0) continue;
        d.newest = (uint32_t)event.a;
        d.newest_time = event.media_time;
        if (d.count++ == 0) {
            d.first = d.newest;
            d.first_why = (uint32_t)(event.b >> 56);
        }
        if (d.newest > d.highest) d.highest = d.newest;
    }
    return d;
}

static smoothcore_player *begin(rig_tables *tables, smoothcore_switching *switching)
{
    smoothcore_config config = abi_config();
    smoothcore_player *player = 0;
    config.switching = switching;
    CHECK_IS(smoothcore_player_create(&config, &tables->ports, &player), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_open(player, URL), SMOOTHCORE_OK);
    return player;
}

static smoothcore_switching defaults(void)
{
    smoothcore_switching switching;
    memset(&switching, 0, sizeof switching);
    switching.struct_size = sizeof switching;
    return switching;
}

/* A player with that prior: its first decision. */
static struct decisions first_of(smoothcore_prior *prior)
{
    rig *r = abi_rig();
    rig_tables tables;
    smoothcore_player *player;
    smoothcore_switching switching = defaults();
    struct decisions d;
    switching.prior = prior;
    rig_fill_tables(r, &tables);
    player = begin(&tables, &switching);
    CHECK_IS(abi_step(r, player, 1000000), SMOOTHCORE_OK);
    d = fetch(player);
    CHECK(d.count > 0);
    smoothcore_player_destroy(player);
    free(r);
    return d;
}

static void prior(void)
{
    rig *r = abi_rig();
    rig_tables tables;
    smoothcore_player *player;
    smoothcore_switching switching = defaults();
    smoothcore_prior kept, before;
    struct decisions d;
    rig_fill_tables(r, &tables);
    player = begin(&tables, &switching);
    kept.struct_size = before.struct_size = sizeof kept;
    CHECK_IS(smoothcore_player_prior(player, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_prior(player, &before), SMOOTHCORE_OK);
    CHECK(before.ln_rate == 0 && before.sigma == 0 && before.age_us == 0 && before.reserved == 0);
    CHECK_IS(abi_step(r, player, 4000000), SMOOTHCORE_OK);
    d = fetch(player);
    CHECK(d.first == 64852 && d.first_why == SMOOTHCORE_WHY_START);
    memset(&kept, 0x55, sizeof kept);
    kept.struct_size = sizeof kept;
    CHECK_IS(smoothcore_player_prior(player, &kept), SMOOTHCORE_OK);
    CHECK(kept.struct_size == sizeof kept && kept.ln_rate > 0 && kept.age_us == 0 && kept.reserved == 0);
    smoothcore_player_destroy(player);
    free(r);

    /* Half of what is known carries the top level. */
    kept.age_us = 60000000;
    d = first_of(&kept);
    CHECK_IS((long)d.first_why, SMOOTHCORE_WHY_PRIOR);
    CHECK_IS((long)d.first, 258995);
    kept.age_us = 601000000;
    d = first_of(&kept);
    CHECK(d.first == 64852 && d.first_why == SMOOTHCORE_WHY_START);
    /* One of which nothing is known is as none. */
    d = first_of(&before);
    CHECK(d.first == 64852 && d.first_why == SMOOTHCORE_WHY_START);
    /* A player that has measured nothing hands on what it was given. */
    kept.age_us = 5;
    switching.prior = &kept;
    r = abi_rig();
    rig_fill_tables(r, &tables);
    player = begin(&tables, &switching);
    CHECK_IS(smoothcore_player_prior(player, &before), SMOOTHCORE_OK);
    CHECK(before.ln_rate == kept.ln_rate && before.sigma == kept.sigma && before.age_us == 5);
    smoothcore_player_destroy(player);
    free(r);
}

static void cap(void)
{
    rig *r = abi_rig();
    rig_tables tables;
    smoothcore_player *player;
    smoothcore_switching switching = defaults();
    smoothcore_picture_cap most;
    struct decisions d;
    memset(&most, 0, sizeof most);
    most.struct_size = sizeof most;
    most.bitrate = 101261;
    switching.cap = &most;
    rig_fill_tables(r, &tables);
    player = begin(&tables, &switching);
    CHECK_IS(abi_step(r, player, 5000000), SMOOTHCORE_OK);
    d = fetch(player);
    CHECK_IS((long)d.highest, 101261);
    /* Read during the call only. */
    most.bitrate = 64852;
    CHECK_IS(abi_step(r, player, 12000000), SMOOTHCORE_OK);
    d = fetch(player);
    CHECK(d.count == 0 || d.highest == 101261);
    CHECK_IS(smoothcore_player_cap(player, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_cap(player, &most), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 20000000), SMOOTHCORE_OK);
    d = fetch(player);
    CHECK(d.count > 0 && d.highest == 64852);
    /* One of 0 lifts it. */
    memset(&most, 0, sizeof most);
    most.struct_size = sizeof most;
    CHECK_IS(smoothcore_player_cap(player, &most), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 30000000), SMOOTHCORE_OK);
    d = fetch(player);
    CHECK(d.count > 0 && d.highest > 101261);
    smoothcore_player_destroy(player);
    free(r);
}

/* Nobody fetches anything for the whole presentation. */
static void unfetched(void)
{
    rig *r = abi_rig();
    rig_tables tables;
    smoothcore_player *player;
    smoothcore_switching switching = defaults();
    struct decisions d;
    rig_fill_tables(r, &tables);
    player = begin(&tables, &switching);
    CHECK_IS(abi_step(r, player, 90000000), SMOOTHCORE_END);
    d = fetch(player);
    CHECK_IS((long)d.count, 1);
    /* The last fragment of the test card. */
    CHECK(d.newest_time >= 460000000);
    smoothcore_player_destroy(player);
    free(r);
}

void test_switching(void)
{
    prior();
    cap();
    unfetched();
}
