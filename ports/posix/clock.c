/*
 * The clock: CLOCK_MONOTONIC, and a sleep that ends when a socket is ready or somebody wakes it.
 *
 * A socket is polled only for what its last WOULD_BLOCK waited for, and only once: data that the library leaves on
 * the wire because its budget is full does not keep the loop awake.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "smoothcore_posix.h"

static uint64_t now_us(void *userdata)
{
    struct timespec t;
    (void)userdata;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/* Blocks by contract; the only hook that may. Waking early is harmless, so a signal simply ends the sleep. */
static void wait_until(void *userdata, uint64_t until_us)
{
    smoothcore_posix *posix = userdata;
    struct pollfd list[SMOOTHCORE_POSIX_POLL];
    size_t count = smoothcore_posix_poll_list(posix, list, SMOOTHCORE_POSIX_POLL);
    uint64_t now = now_us(NULL), ms = until_us > now ? (until_us - now) / 1000u + 1u : 0;
    int timeout = until_us == UINT64_MAX ? -1 : ms > 3600000u ? 3600000 : (int)ms;
    if (poll(list, (nfds_t)count, timeout) > 0) smoothcore_posix_polled(posix, list, count);
}

/* Any thread, and signal handlers: one byte into a pipe. A full pipe is as good as another byte. */
static void wakeup(void *userdata)
{
    const smoothcore_posix *posix = userdata;
    int kept = errno;
    ssize_t put = write(posix->wake_write, "", 1);
    (void)put;
    errno = kept;
}

int32_t smoothcore_posix_init(smoothcore_posix *posix)
{
    int ends[2], i;
    memset(posix, 0, sizeof *posix);
    for (i = 0; i < SMOOTHCORE_POSIX_CONNECTIONS; i++) posix->connection[i].fd = -1;
    posix->wake_read = posix->wake_write = -1;
    if (pipe(ends) != 0) return SMOOTHCORE_E_NETWORK_IO;
    for (i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    posix->wake_read = ends[0];
    posix->wake_write = ends[1];
    return SMOOTHCORE_OK;
}

void smoothcore_posix_done(smoothcore_posix *posix)
{
    int i;
    for (i = 0; i < SMOOTHCORE_POSIX_CONNECTIONS; i++) {
        if (posix->connection[i].fd >= 0) close(posix->connection[i].fd);
        posix->connection[i].fd = -1;
    }
    if (posix->wake_read >= 0) close(posix->wake_read);
    if (posix->wake_write >= 0) close(posix->wake_write);
    posix->wake_read = posix->wake_write = -1;
}

smoothcore_clock_port smoothcore_posix_clock(smoothcore_posix *posix)
{
    smoothcore_clock_port port;
    memset(&port, 0, sizeof port);
    port.struct_size = sizeof port;
    port.userdata = posix;
    port.now_us = now_us;
    port.wait_until = wait_until;
    port.wakeup = wakeup;
    return port;
}

size_t smoothcore_posix_poll_list(const smoothcore_posix *posix, struct pollfd *list, size_t room)
{
    size_t count = 0, i;
    struct pollfd entry = { posix->wake_read, POLLIN, 0 };
    if (room > 0) list[count++] = entry;
    for (i = 0; i < SMOOTHCORE_POSIX_CONNECTIONS && count < room; i++) {
        entry.fd = posix->connection[i].fd;
        entry.events = posix->connection[i].armed;
        if (entry.fd >= 0 && entry.events != 0) list[count++] = entry;
    }
    return count;
}

void smoothcore_posix_polled(smoothcore_posix *posix, const struct pollfd *list, size_t count)
{
    char byte[64];
    size_t n, i;
    for (n = 0; n < count; n++) {
        if (list[n].revents == 0) continue;
        if (list[n].fd == posix->wake_read) {
            while (read(posix->wake_read, byte, sizeof byte) > 0) continue;
        }
        for (i = 0; i < SMOOTHCORE_POSIX_CONNECTIONS; i++) {
            if (posix->connection[i].fd == list[n].fd) posix->connection[i].armed = 0;
        }
    }
}

uint64_t smoothcore_posix_seed(void)
{
    uint64_t seed = 0;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (read(fd, &seed, sizeof seed) != (ssize_t)sizeof seed) seed = 0;
        close(fd);
    }
    return seed != 0 ? seed : now_us(NULL) * 2654435761u + (uint64_t)getpid();
}
