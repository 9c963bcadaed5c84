/* Two players at once, a wake from another thread, memory that ends, budgets that are too small. */
#include <pthread.h>

#include "abi.h"

static void two_at_once(void)
{
    rig *one = abi_rig(), *two = abi_rig(), *alone = abi_rig();
    rig_tables t1, t2, t3;
    smoothcore_player *a, *b, *c;
    uint64_t at;
    rig_fill_tables(one, &t1);
    rig_fill_tables(two, &t2);
    rig_fill_tables(alone, &t3);
    two->script = &rig_scripts[3];
    a = abi_player(&t1);
    b = abi_player(&t2);
    for (at = 0; at < 20000000; at += 500000) {
        CHECK_IS(abi_step(one, a, at), SMOOTHCORE_OK);
        CHECK_IS(abi_step(two, b, at), SMOOTHCORE_OK);
    }
    smoothcore_player_destroy(b);
    CHECK_IS(abi_step(one, a, 200000000), SMOOTHCORE_END);
    smoothcore_player_destroy(a);
    /* The one does not know of the other. */
    c = abi_player(&t3);
    CHECK_IS(abi_step(alone, c, 200000000), SMOOTHCORE_END);
    smoothcore_player_destroy(c);
    CHECK(one->samples == alone->samples && one->samples > 3000 && one->fnv == alone->fnv);
    free(one);
    free(two);
    free(alone);
}

/* A clock that really sleeps, until it is woken. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t bell, bed;
    int rung, asleep, done;
} sleeper = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0};
static smoothcore_player *sleeping;
static rig *sleeping_rig;
static long wakes;

static void sleep_until(void *u, uint64_t until)
{
    rig *r = u;
    pthread_mutex_lock(&sleeper.lock);
    sleeper.asleep = 1;
    pthread_cond_signal(&sleeper.bed);
    while (!sleeper.rung) pthread_cond_wait(&sleeper.bell, &sleeper.lock);
    sleeper.rung = sleeper.asleep = 0;
    pthread_mutex_unlock(&sleeper.lock);
    CHECK(until > r->now_us);
    r->now_us += 5000;
}

static void ring(void *u)
{
    if (u != sleeping_rig) return; /* then nobody wakes */
    pthread_mutex_lock(&sleeper.lock);
    sleeper.rung = 1;
    wakes++;
    pthread_cond_signal(&sleeper.bell);
    pthread_mutex_unlock(&sleeper.lock);
}

/* Every other wake comes when it may, the rest to a player asleep: time goes on only there. */
static void *waker(void *unused)
{
    int over, patient = 0;
    (void)unused;
    do {
        smoothcore_player_wake(sleeping);
        patient = !patient;
        pthread_mutex_lock(&sleeper.lock);
        while (patient && !sleeper.asleep && !sleeper.done) pthread_cond_wait(&sleeper.bed, &sleeper.lock);
        over = sleeper.done;
        pthread_mutex_unlock(&sleeper.lock);
    } while (!over);
    return 0;
}

static void woken_from_another_thread(void)
{
    rig_tables t;
    pthread_t thread;
    uint64_t next;
    int32_t result;
    int returns = 0;
    sleeping_rig = abi_rig();
    rig_fill_tables(sleeping_rig, &t);
    t.clock.wait_until = sleep_until;
    t.clock.wakeup = ring;
    sleeping = abi_player(&t);
    CHECK_IS(smoothcore_player_step(sleeping, &next), SMOOTHCORE_OK);
    CHECK(next > 0);
    /* Blocking mode gets on by being woken alone. */
    CHECK_IS(smoothcore_player_seek(sleeping, 450000000), SMOOTHCORE_E_STATE);
    CHECK(!pthread_create(&thread, 0, waker, 0));
    /* ... which is also the way out of it. */
    do {
        returns++;
        result = smoothcore_player_run_until(sleeping, SMOOTHCORE_NO_TIME_US);
    } while (result == SMOOTHCORE_OK && returns < 10);
    CHECK_IS(result, SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_run(sleeping), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_run_until(sleeping, SMOOTHCORE_NO_TIME_US), SMOOTHCORE_END);
    pthread_mutex_lock(&sleeper.lock);
    sleeper.done = 1;
    pthread_cond_signal(&sleeper.bed);
    pthread_mutex_unlock(&sleeper.lock);
    CHECK(!pthread_join(thread, 0));
    CHECK(wakes > 0 && sleeping_rig->samples > 3000);
    smoothcore_player_destroy(sleeping);
    free(sleeping_rig);
}

static rig_tables woken_inner;
static smoothcore_player *woken_player;

static int32_t wake_inside(void *u, const smoothcore_request *request)
{
    smoothcore_player_wake(woken_player);
    return woken_inner.http.start(u, request);
}

/* A wake during a step makes the next one due at once. */
static void a_wake_is_not_slept_through(void)
{
    rig *r = abi_rig();
    rig_tables t;
    uint64_t next;
    rig_fill_tables(r, &woken_inner);
    rig_fill_tables(r, &t);
    t.http.start = wake_inside;
    woken_player = abi_player(&t);
    CHECK_IS(smoothcore_player_step(woken_player, &next), SMOOTHCORE_OK);
    CHECK(next == r->now_us);
    CHECK_IS(smoothcore_player_step(woken_player, &next), SMOOTHCORE_OK);
    CHECK(next > r->now_us);
    /* Nor does blocking mode lose one that came before it. */
    smoothcore_player_wake(woken_player);
    next = r->now_us;
    CHECK_IS(smoothcore_player_run_until(woken_player, SMOOTHCORE_NO_TIME_US), SMOOTHCORE_OK);
    CHECK(next == r->now_us);
    /* It returns when the clock says so. */
    next += 100000;
    do CHECK_IS(smoothcore_player_run_until(woken_player, next), SMOOTHCORE_OK);
    while (r->now_us < next);
    CHECK(r->now_us < next + 10000);
    smoothcore_player_destroy(woken_player);
    free(r);
}

/* Every place at which memory can end. */
static void memory_that_ends(void)
{
    long n, failed = 0;
    smoothcore_config config = abi_config();
    for (n = 0; n < 400; n++) {
        rig *r = abi_rig();
        rig_tables t;
        smoothcore_player *player = (smoothcore_player *)r;
        int32_t result;
        rig_fill_tables(r, &t);
        abi_allocations_left = n;
        result = smoothcore_player_create(&config, &t.ports, &player);
        CHECK((result == SMOOTHCORE_OK) == (player != 0));
        if (player) {
            result = smoothcore_player_open(player, URL);
            if (result == SMOOTHCORE_OK) result = abi_step(r, player, 1500000);
        }
        abi_allocations_left = -1;
        /* Out of memory, said so; or enough, or a block of media memory that play does without. */
        if (result != SMOOTHCORE_OK) {
            CHECK_IS(result, SMOOTHCORE_E_NO_MEMORY);
            failed++;
        }
        smoothcore_player_destroy(player);
        CHECK_IS(r->balance, 0);
        CHECK_IS((long)abi_held, 0);
        free(r);
    }
    CHECK(failed > 10 && failed < 400);
}

static void budgets(void)
{
    static const uint32_t kib[] = {128, 160, 192, 256, 512, 2048};
    int i, played = 0;
    for (i = 0; i < 6; i++) {
        smoothcore_config config = abi_config();
        rig *r = abi_rig();
        rig_tables t;
        smoothcore_player *player;
        smoothcore_stats stats;
        int32_t result;
        rig_fill_tables(r, &t);
        config.budget_bytes = kib[i] << 10;
        abi_peak = 0;
        CHECK_IS(smoothcore_player_create(&config, &t.ports, &player), SMOOTHCORE_OK);
        CHECK_IS(smoothcore_player_open(player, URL), SMOOTHCORE_OK);
        result = abi_step(r, player, 30000000);
        CHECK(result == SMOOTHCORE_OK || result == SMOOTHCORE_E_BUDGET);
        played += result == SMOOTHCORE_OK;
        stats.struct_size = sizeof stats;
        CHECK_IS(smoothcore_player_stats(player, &stats), SMOOTHCORE_OK);
        CHECK(stats.budget_bytes == config.budget_bytes && stats.peak_held_bytes <= config.budget_bytes);
        CHECK(abi_peak <= config.budget_bytes);
        smoothcore_player_destroy(player);
        free(r);
    }
    CHECK(played >= 2);
}

/* The ring keeps the newest and counts what went. */
static void events_in_a_ring(void)
{
    rig *r = abi_rig();
    rig_tables t;
    smoothcore_player *player;
    smoothcore_event event;
    uint32_t lost = 0, count = 0, kinds = 0;
    uint64_t last = 0;
    rig_fill_tables(r, &t);
    player = abi_player(&t);
    CHECK_IS(abi_step(r, player, 200000000), SMOOTHCORE_END);
    event.struct_size = sizeof event;
    while (smoothcore_player_event(player, &event) == SMOOTHCORE_OK) {
        if (count++ == 0) lost = event.lost;
        else CHECK(event.lost == 0);
        CHECK(event.at_us >= last && event.kind >= 1);
        last = event.at_us;
        kinds = event.kind;
    }
    CHECK(count == 64 && lost > 10 && kinds == SMOOTHCORE_EVENT_ENDED);
    smoothcore_player_destroy(player);
    free(r);
}

void test_handles(void)
{
    two_at_once();
    woken_from_another_thread();
    a_wake_is_not_slept_through();
    memory_that_ends();
    budgets();
    events_in_a_ring();
}
