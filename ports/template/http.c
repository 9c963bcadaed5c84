/* A whole HTTP stack: for firmware that has one, with its TLS, proxies and cookies. Delete this file if you fill
 * streams.c. All hooks are called from the player's thread and must not block. */
#include "port.h"

/* To do: start a GET of request->url (valid during the call: copy it) and remember request->id as its name. Follow
 * redirects. Send "Accept-Encoding: gzip, deflate" only where SMOOTHCORE_REQUEST_ACCEPT_GZIP is set in request->flags, and
 * "Cache-Control: no-cache" where SMOOTHCORE_REQUEST_NO_CACHE is. No retries of your own: the library counts tries.
 * Errors: a -2xx code; cancel is not called for it then. */
static int32_t start(void *userdata, const smoothcore_request *request)
{
    (void)userdata;
    (void)request;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: SMOOTHCORE_WOULD_BLOCK until the head of the final response is there, then fill `out` and SMOOTHCORE_OK, once.
 * Set status (also 404 and its kin: they are no errors here) and content_length (-1 when unknown, or when your stack
 * inflates: then content_encoding stays NULL). final_url after redirects matters: fragments are fetched beside it.
 * The strings must live until the next call of any hook. Errors: a -2xx code. */
static int32_t response(void *userdata, uint32_t request, smoothcore_response *out)
{
    (void)userdata;
    (void)request;
    (void)out;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: put at most `size` bytes of the body into `buffer`, which lies in the library's own media memory, and their
 * number into *got: SMOOTHCORE_OK. SMOOTHCORE_WOULD_BLOCK when none is there, SMOOTHCORE_END after the last byte,
 * SMOOTHCORE_E_BODY_TRUNCATED when it broke off before. Bytes that are not asked for stay with you: that is how the
 * library slows the server down when its memory is full. */
static int32_t get(void *userdata, uint32_t request, uint8_t *buffer, size_t size, size_t *got)
{
    (void)userdata;
    (void)request;
    (void)buffer;
    (void)size;
    *got = 0;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: end this exchange, finished or not, and free what belongs to it. Exactly once for each one that started. */
static void cancel(void *userdata, uint32_t request)
{
    (void)userdata;
    (void)request;
}

smoothcore_http_port port_http(struct port *port)
{
    smoothcore_http_port http = { 0 };
    http.struct_size = sizeof http;
    http.userdata = port;
    http.start = start;
    http.response = response;
    http.read = get;
    http.cancel = cancel;
    return http;
}
