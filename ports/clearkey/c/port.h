/* A protection port with keys given in the clear: what a DRM agent's port looks like, with nothing secret in it.
 *
 *     static smoothcore_clearkey_keys keys;
 *     smoothcore_clearkey_add(&keys, "KID:KEY");
 *     smoothcore_protection_port protection = smoothcore_clearkey_port(&keys);
 *     ports.protection = &protection;
 *
 * Copy port.c and this file, and put your agent where libsmoothcore_clearkey.a is called.
 */
#ifndef SMOOTHCORE_CLEARKEY_PORT_H
#define SMOOTHCORE_CLEARKEY_PORT_H

#include "smoothcore.h"

#define SMOOTHCORE_CLEARKEY_MOST_KEYS 32
/* Parts of one sample; a sample of more is left out. */
#define SMOOTHCORE_CLEARKEY_MOST_PARTS 512

/* Zero it before use. It must outlive the player. */
typedef struct smoothcore_clearkey_keys {
    uint32_t count;
    struct {
        uint8_t kid[16];
        uint8_t key[16];
    } keys[SMOOTHCORE_CLEARKEY_MOST_KEYS];
    uint32_t parts[2 * SMOOTHCORE_CLEARKEY_MOST_PARTS];
} smoothcore_clearkey_keys;

/* Adds a key, as 32 hexadecimal digits of its name, a colon, and 32 of itself. 0, or -1 when it is anything else or there
 * are too many.
 */
int smoothcore_clearkey_add(smoothcore_clearkey_keys *keys, const char *text);

/* The port. Where content does not name the pattern of cbcs, samples in parts get that of video, whole ones that of
 * audio.
 */
smoothcore_protection_port smoothcore_clearkey_port(smoothcore_clearkey_keys *keys);

#endif
