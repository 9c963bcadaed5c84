/* Decrypts samples with keys given in the clear: for laboratories and tests, where no DRM agent is at hand. A product
 * has an agent that keeps its keys.
 *
 * Link libsmoothcore_clearkey.a beside libsmoothcore.a with -lpthread -lm (and -ldl before glibc 2.34). It needs no
 * other archive.
 */
#ifndef SMOOTHCORE_CLEARKEY_H
#define SMOOTHCORE_CLEARKEY_H

#include <stddef.h>
#include <stdint.h>

/* AES-128 in counter mode (cenc). */
#define SMOOTHCORE_CLEARKEY_CTR 1u
/* AES-128 in chained blocks (cbc1); what is less than a block at the end of a protected range is clear. */
#define SMOOTHCORE_CLEARKEY_CBC 2u
/* AES-128 in chained blocks by a pattern, anew in every protected range (cbcs). */
#define SMOOTHCORE_CLEARKEY_CBCS 3u

/* How one sample is encrypted. */
typedef struct smoothcore_clearkey_sample {
    /* sizeof(smoothcore_clearkey_sample). */
    uint32_t struct_size;
    /* One of the three above. */
    uint32_t scheme;
    /* For CBCS: of every crypt + skip blocks the first crypt are encrypted; 0 and 0: all. 1 and 9 is video's. */
    uint8_t crypt_blocks;
    uint8_t skip_blocks;
    /* 8 or 16. */
    uint8_t iv_size;
    uint8_t reserved[5];
    uint8_t iv[16];
    /* Pairs of numbers: clear bytes, protected bytes. NULL with a count of 0: all of the sample is protected. */
    const uint32_t *subsamples;
    /* Pairs. */
    size_t subsample_count;
} smoothcore_clearkey_sample;

#ifdef __cplusplus
extern "C" {
#endif

/* Decrypts `size` bytes at `data`, one whole sample, in place. `key` has 16 bytes. 0, or -1 (SMOOTHCORE_E_ARGUMENT) when
 * an argument is NULL or does not fit the others; the data is unchanged then.
 */
int32_t smoothcore_clearkey_decrypt(const uint8_t *key, const smoothcore_clearkey_sample *sample, uint8_t *data,
                                    size_t size);

/* Writes into the 8 bytes at `out` what a PlayReady header gives as CHECKSUM of that key (16 bytes) and key identifier
 * (16 bytes, big-endian): a wrong key gives other bytes. 0, or -1 for NULL.
 */
int32_t smoothcore_clearkey_checksum(const uint8_t *key, const uint8_t *kid, uint8_t *out);

/* Writes into the 16 bytes at `out` the key that PlayReady's public test server derives from its seed (30 bytes count)
 * and a key identifier (16 bytes, big-endian). 0, or -1 for NULL.
 */
int32_t smoothcore_clearkey_test_key(const uint8_t *seed, size_t seed_size, const uint8_t *kid, uint8_t *out);

#ifdef __cplusplus
}
#endif

#endif
