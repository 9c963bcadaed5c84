/* Byte streams: for firmware with sockets but no HTTP stack. The library speaks HTTP/1.1 over them. Delete this file if
 * you fill http.c. All hooks are called from the player's thread and must not block. */
#include "port.h"

/* To do: resolve `host` (a name or a numeric address, valid during the call), open a non-blocking socket, start to
 * connect to `port`, and put your handle for it into *connection. Do not wait: connected() is asked until it stands.
 * `secure` is not 0: TLS with the host's name verified, or SMOOTHCORE_E_UNSUPPORTED.
 * If your resolver can only block, it stops the player meanwhile; playback goes on from the decoder's buffer.
 * Errors: SMOOTHCORE_E_NAME_RESOLUTION, SMOOTHCORE_E_CONNECT, SMOOTHCORE_E_TLS. Nothing is closed after an error. */
static int32_t start(void *userdata, const char *host, uint32_t port, uint32_t secure, void **connection)
{
    (void)userdata;
    (void)host;
    (void)port;
    (void)secure;
    (void)connection;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: SMOOTHCORE_OK once it stands, SMOOTHCORE_WOULD_BLOCK until then, SMOOTHCORE_E_CONNECT or _E_TLS. */
static int32_t connected(void *userdata, void *connection)
{
    (void)userdata;
    (void)connection;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: read at most `size` bytes and put their number into *got. SMOOTHCORE_OK with at least one byte,
 * SMOOTHCORE_WOULD_BLOCK when none is there, SMOOTHCORE_END when the peer has closed, SMOOTHCORE_E_NETWORK_IO. */
static int32_t get(void *userdata, void *connection, uint8_t *buffer, size_t size, size_t *got)
{
    (void)userdata;
    (void)connection;
    (void)buffer;
    (void)size;
    *got = 0;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: the same the other way. It is one request of some hundred bytes at a time. No SIGPIPE (MSG_NOSIGNAL). */
static int32_t put(void *userdata, void *connection, const uint8_t *data, size_t size, size_t *taken)
{
    (void)userdata;
    (void)connection;
    (void)data;
    (void)size;
    *taken = 0;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: close at once and free. Called exactly once for each connection that connect() gave, at any moment. */
static void hang_up(void *userdata, void *connection)
{
    (void)userdata;
    (void)connection;
}

smoothcore_stream_port port_streams(struct port *port)
{
    smoothcore_stream_port streams = { 0 };
    streams.struct_size = sizeof streams;
    streams.userdata = port;
    streams.connect = start;
    streams.connected = connected;
    streams.read = get;
    streams.write = put;
    streams.close = hang_up;
    return streams;
}
