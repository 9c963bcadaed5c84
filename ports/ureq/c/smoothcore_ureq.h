/* The HTTP port of SmoothCore over ureq and rustls, HTTPS included: a smoothcore_http_port that is ready to use.
 *
 *     smoothcore_http_port http = { .struct_size = sizeof http };
 *     smoothcore_ureq_create(NULL, &http);
 *     ports.http = &http;
 *     smoothcore_player_create(&config, &ports, &player);
 *     smoothcore_ureq_set_wake(&http, wake_player, player);
 *     ...
 *     smoothcore_ureq_set_wake(&http, NULL, NULL);
 *     smoothcore_player_destroy(player);
 *     smoothcore_ureq_destroy(&http);
 *
 * Each exchange has a thread of its own. Proxies are taken from the environment. Link libsmoothcore_ureq.a beside
 * libsmoothcore.a with -lpthread -lm (and -ldl before glibc 2.34).
 */
#ifndef SMOOTHCORE_UREQ_H
#define SMOOTHCORE_UREQ_H

#include "smoothcore.h"

/* Trusts any certificate for any name: for tests alone, as anyone on the way can read and change what is sent. */
#define SMOOTHCORE_UREQ_TRUST_ANYTHING 1u

typedef struct smoothcore_ureq_settings {
    /* sizeof(smoothcore_ureq_settings). */
    uint32_t struct_size;
    /* SMOOTHCORE_UREQ_TRUST_ANYTHING, or 0. */
    uint32_t flags;
    /* Certificates to trust instead of those built in (Mozilla's), as PEM text ended by NUL; NULL: those built in. Valid
     * during create. */
    const char *ca_pem;
} smoothcore_ureq_settings;

#ifdef __cplusplus
extern "C" {
#endif

/* Fills `*port`, whose struct_size you have set, for one player. `settings` may be NULL. What it holds goes back to
 * smoothcore_ureq_destroy; after an error there is nothing to give back.
 *
 * E_ARGUMENT; E_ABI for a struct size or flag this library does not know; E_TLS for a `ca_pem` without a certificate.
 */
int32_t smoothcore_ureq_create(const smoothcore_ureq_settings *settings, smoothcore_http_port *port);

/* Sets what is called when an exchange has something new, on a thread of the port: it must do no more than call
 * smoothcore_player_wake, write to a pipe or the like. NULL ends it. On return the one set before is no longer running.
 * Call it on the player's thread; end it before the player is destroyed.
 */
void smoothcore_ureq_set_wake(const smoothcore_http_port *port, void (*wake)(void *userdata), void *userdata);

/* Frees what create made, when the player that uses it is gone. NULL is fine, and so is a second time. */
void smoothcore_ureq_destroy(smoothcore_http_port *port);

#ifdef __cplusplus
}
#endif

#endif
