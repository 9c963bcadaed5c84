/* See port.h. */
#include "port.h"

#include <string.h>

#include "smoothcore_clearkey.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static int id(const char *text, uint8_t *out)
{
    int i;
    for (i = 0; i < 16; i++) {
        int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);
        if (low < 0) return -1;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

int smoothcore_clearkey_add(smoothcore_clearkey_keys *keys, const char *text)
{
    uint32_t n = keys->count;
    if (n >= SMOOTHCORE_CLEARKEY_MOST_KEYS || strlen(text) != 65 || text[32] != ':') return -1;
    if (id(text, keys->keys[n].kid) || id(text + 33, keys->keys[n].key)) return -1;
    keys->count = n + 1;
    return 0;
}

/* Here an agent would begin to fetch licences, with offer->data and offer->la_url, without waiting for them. */
static void on_offer(void *userdata, const smoothcore_protection_offer *offer)
{
    (void)userdata;
    (void)offer;
}

/* Our number for a key is its place. Without a name, an only key is meant. */
static int32_t on_key(void *userdata, const uint8_t *kid, uint64_t *key)
{
    const smoothcore_clearkey_keys *keys = userdata;
    uint32_t n;
    for (n = 0; n < keys->count; n++) {
        if (kid ? memcmp(kid, keys->keys[n].kid, 16) == 0 : keys->count == 1) {
            *key = n;
            return SMOOTHCORE_OK;
        }
    }
    return SMOOTHCORE_E_KEY_REFUSED;
}

static int32_t on_decrypt(void *userdata, const smoothcore_decrypt *sample)
{
    smoothcore_clearkey_keys *keys = userdata;
    const smoothcore_sample_protection *told = sample->protection;
    smoothcore_clearkey_sample how;
    size_t n;
    if (told->key >= keys->count || told->subsample_count > SMOOTHCORE_CLEARKEY_MOST_PARTS)
        return SMOOTHCORE_E_DECRYPT_FAILED;
    memset(&how, 0, sizeof how);
    how.struct_size = sizeof how;
    how.scheme = told->scheme; /* the numbers are the same */
    how.crypt_blocks = (uint8_t)told->crypt_blocks;
    how.skip_blocks = (uint8_t)told->skip_blocks;
    if (told->crypt_blocks == 0 && told->scheme == SMOOTHCORE_SCHEME_CBCS && told->subsample_count > 0) {
        how.crypt_blocks = 1;
        how.skip_blocks = 9;
    }
    how.iv_size = (uint8_t)told->iv_size;
    memcpy(how.iv, told->iv, sizeof how.iv);
    for (n = 0; n < told->subsample_count; n++) {
        keys->parts[2 * n] = told->subsamples[n].clear_bytes;
        keys->parts[2 * n + 1] = told->subsamples[n].protected_bytes;
    }
    how.subsamples = keys->parts;
    how.subsample_count = told->subsample_count;
    return smoothcore_clearkey_decrypt(keys->keys[told->key].key, &how, sample->data, sample->size) == 0
               ? SMOOTHCORE_OK
               : SMOOTHCORE_E_DECRYPT_FAILED;
}

smoothcore_protection_port smoothcore_clearkey_port(smoothcore_clearkey_keys *keys)
{
    smoothcore_protection_port port;
    memset(&port, 0, sizeof port);
    port.struct_size = sizeof port;
    port.userdata = keys;
    port.offer = on_offer;
    port.key = on_key;
    port.decrypt = on_decrypt;
    return port;
}
