/* The clock. Required; wait_until only for smoothcore_player_run, wakeup only if a thread of yours wakes the loop. */
#include "port.h"

/* Must not block.
 *
 * To do: microseconds of a counter that never goes back, whatever its zero: not the time of day. Its jumps would be
 * timeouts and stalls. If your counter has 32 bits, count its overflows. */
static uint64_t now_us(void *userdata)
{
    (void)userdata;
    return 0;
}

/* May block; the only hook that should.
 *
 * To do: sleep until now_us() reaches `until_us` (UINT64_MAX: without end), or until a socket that answered
 * WOULD_BLOCK is ready, a decoder has made room, or wakeup() was called. Returning early is harmless; returning late
 * costs quality. */
static void wait_until(void *userdata, uint64_t until_us)
{
    (void)userdata;
    (void)until_us;
}

/* Any thread, also while wait_until sleeps. Must not block. smoothcore_player_wake calls it.
 *
 * To do: make wait_until, or your own event loop, return: give a semaphore, write to an eventfd. */
static void wakeup(void *userdata) { (void)userdata; }

smoothcore_clock_port port_clock(struct port *port)
{
    smoothcore_clock_port clock = { 0 };
    clock.struct_size = sizeof clock;
    clock.userdata = port;
    clock.now_us = now_us;
    clock.wait_until = wait_until;
    clock.wakeup = wakeup;
    return clock;
}
