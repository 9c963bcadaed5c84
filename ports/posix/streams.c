/*
 * Byte streams over BSD sockets, for the library's own HTTP/1.1. No TLS: put a whole HTTP stack behind
 * smoothcore_http_port where https is needed.
 *
 * No hook waits for the network but one: getaddrinfo, on the thread of the player, for a host given by name. A
 * numeric address and "localhost" never get there. -DSMOOTHCORE_POSIX_NUMERIC_ONLY leaves getaddrinfo out, for
 * statically linked programs (glibc's own needs shared libraries at run time) and for firmware with its own resolver.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "smoothcore_posix.h"

typedef struct smoothcore_posix_connection connection_t;

static void add_v4(connection_t *c, const struct in_addr *address, uint32_t port)
{
    union smoothcore_posix_address *a = &c->address[c->addresses];
    if (c->addresses >= SMOOTHCORE_POSIX_ADDRESSES) return;
    memset(a, 0, sizeof *a);
    a->v4.sin_family = AF_INET;
    a->v4.sin_port = htons((uint16_t)port);
    a->v4.sin_addr = *address;
    c->addresses++;
}

static void add_v6(connection_t *c, const struct in6_addr *address, uint32_t scope, uint32_t port)
{
    union smoothcore_posix_address *a = &c->address[c->addresses];
    if (c->addresses >= SMOOTHCORE_POSIX_ADDRESSES) return;
    memset(a, 0, sizeof *a);
    a->v6.sin6_family = AF_INET6;
    a->v6.sin6_port = htons((uint16_t)port);
    a->v6.sin6_addr = *address;
    a->v6.sin6_scope_id = scope;
    c->addresses++;
}

#ifndef SMOOTHCORE_POSIX_NUMERIC_ONLY
/* Blocks until the system's resolver answers or gives up. */
static void look_up(connection_t *c, const char *host, uint32_t port)
{
    struct addrinfo hints, *found = NULL, *a;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, NULL, &hints, &found) != 0) return;
    for (a = found; a != NULL; a = a->ai_next) {
        if (a->ai_family == AF_INET) {
            struct sockaddr_in v4;
            memcpy(&v4, a->ai_addr, sizeof v4);
            add_v4(c, &v4.sin_addr, port);
        } else if (a->ai_family == AF_INET6) {
            struct sockaddr_in6 v6;
            memcpy(&v6, a->ai_addr, sizeof v6);
            add_v6(c, &v6.sin6_addr, v6.sin6_scope_id, port);
        }
    }
    freeaddrinfo(found);
}
#endif

static void resolve(connection_t *c, const char *host, uint32_t port)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1) {
        add_v4(c, &v4, port);
    } else if (inet_pton(AF_INET6, host, &v6) == 1) {
        add_v6(c, &v6, 0, port);
    } else if (strcmp(host, "localhost") == 0) {
        v4.s_addr = htonl(INADDR_LOOPBACK);
        add_v4(c, &v4, port);
        add_v6(c, &in6addr_loopback, 0, port);
    } else {
#ifndef SMOOTHCORE_POSIX_NUMERIC_ONLY
        look_up(c, host, port);
#endif
    }
}

/* Starts to connect to the next address that lets it. */
static int32_t try_next(connection_t *c)
{
    const int on = 1;
    while (c->next < c->addresses) {
        const union smoothcore_posix_address *a = &c->address[c->next++];
        socklen_t length = a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
        if (c->fd >= 0) close(c->fd);
        c->fd = socket(a->any.sa_family, SOCK_STREAM, 0);
        if (c->fd < 0) continue;
        fcntl(c->fd, F_SETFD, FD_CLOEXEC);
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connect(c->fd, &a->any, length) == 0 || errno == EINPROGRESS || errno == EINTR) {
            c->armed = POLLOUT;
            return SMOOTHCORE_OK;
        }
    }
    return SMOOTHCORE_E_CONNECT;
}

/* The slot is free again. */
static void hang_up(void *userdata, void *connection)
{
    connection_t *c = connection;
    (void)userdata;
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->armed = 0;
}

/* Starts only; whether it stands, connected() tells. */
static int32_t start(void *userdata, const char *host, uint32_t port, uint32_t secure, void **connection)
{
    smoothcore_posix *posix = userdata;
    int32_t result;
    int i;
    if (secure) return SMOOTHCORE_E_UNSUPPORTED;
    for (i = 0; i < SMOOTHCORE_POSIX_CONNECTIONS; i++) {
        connection_t *c = &posix->connection[i];
        if (c->fd >= 0) continue;
        c->armed = 0;
        c->next = c->addresses = 0;
        resolve(c, host, port);
        if (c->addresses == 0) return SMOOTHCORE_E_NAME_RESOLUTION;
        result = try_next(c);
        if (result == SMOOTHCORE_OK) *connection = c;
        else hang_up(userdata, c);
        return result;
    }
    return SMOOTHCORE_E_NETWORK_IO;
}

static int32_t connected(void *userdata, void *connection)
{
    connection_t *c = connection;
    struct pollfd one = { c->fd, POLLOUT, 0 };
    int error = 0;
    socklen_t length = sizeof error;
    (void)userdata;
    if (poll(&one, 1, 0) <= 0) {
        c->armed = POLLOUT;
        return SMOOTHCORE_WOULD_BLOCK;
    }
    c->armed = 0;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0) return SMOOTHCORE_OK;
    return try_next(c) == SMOOTHCORE_OK ? SMOOTHCORE_WOULD_BLOCK : SMOOTHCORE_E_CONNECT;
}

static int32_t blocked(connection_t *c, short what)
{
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return SMOOTHCORE_E_NETWORK_IO;
    c->armed |= what;
    return SMOOTHCORE_WOULD_BLOCK;
}

static int32_t get(void *userdata, void *connection, uint8_t *buffer, size_t size, size_t *got)
{
    connection_t *c = connection;
    ssize_t count = recv(c->fd, buffer, size, 0);
    (void)userdata;
    *got = 0;
    c->armed = 0;
    if (count < 0) return blocked(c, POLLIN);
    if (count == 0) return SMOOTHCORE_END;
    *got = (size_t)count;
    return SMOOTHCORE_OK;
}

static int32_t put(void *userdata, void *connection, const uint8_t *data, size_t size, size_t *taken)
{
    connection_t *c = connection;
    ssize_t count = send(c->fd, data, size, MSG_NOSIGNAL);
    (void)userdata;
    *taken = 0;
    c->armed = 0;
    if (count < 0) return blocked(c, POLLOUT);
    *taken = (size_t)count;
    return SMOOTHCORE_OK;
}

smoothcore_stream_port smoothcore_posix_streams(smoothcore_posix *posix)
{
    smoothcore_stream_port port;
    memset(&port, 0, sizeof port);
    port.struct_size = sizeof port;
    port.userdata = posix;
    port.connect = start;
    port.connected = connected;
    port.read = get;
    port.write = put;
    port.close = hang_up;
    return port;
}
