/* Known answers through the C boundary. Exits 0 when all are right. */
#include "smoothcore_clearkey.h"

#include <stdio.h>
#include <string.h>

static int failed;

static void check(int right, const char *what)
{
    printf("  %s %s\n", right ? "ok   " : "FAIL ", what);
    failed |= !right;
}

int main(void)
{
    static const uint8_t seed[30] = {0x5d, 0x50, 0x68, 0xbe, 0xc9, 0xb3, 0x84, 0xff, 0x60, 0x44, 0x86, 0x71, 0x59, 0xf1, 0x6d,
                                     0x6b, 0x75, 0x55, 0x44, 0xfc, 0xd5, 0x11, 0x69, 0x89, 0xb1, 0xac, 0xc4, 0x27, 0x8e, 0x88};
    static const uint8_t wanted_key[16] = {0x0a, 0xf8, 0x44, 0xa3, 0x5a, 0x0c, 0xdb, 0xcd, 0x46, 0x44, 0x47, 0xd8, 0xc2, 0xdf,
                                           0x88, 0x6e};
    static const uint8_t wanted_sum[8] = {0xd6, 0x16, 0xba, 0xfe, 0xb4, 0x7d, 0x97, 0x83};
    static const uint8_t wanted_stream[32] = {0xa8, 0xe5, 0x55, 0x69, 0x5f, 0xc6, 0x59, 0xfc, 0xe9, 0xbb, 0x91,
                                              0xd5, 0xba, 0x48, 0xc9, 0x83, 0xf7, 0x38, 0x3f, 0x41, 0xbb, 0x16,
                                              0x62, 0xf8, 0x37, 0x74, 0x63, 0xef, 0xdf, 0xfc, 0x72, 0x17};
    static const uint32_t pairs[4] = {3, 20, 5, 12};
    smoothcore_clearkey_sample how = {.struct_size = sizeof how, .scheme = SMOOTHCORE_CLEARKEY_CTR, .iv_size = 8,
                                      .iv = {1, 2, 3, 4, 5, 6, 7, 8}};
    uint8_t kid[16], key[16], sum[8], data[40] = {0};
    int i;
    for (i = 0; i < 16; i++) kid[i] = (uint8_t)(i + 1);

    check(smoothcore_clearkey_test_key(seed, sizeof seed, kid, key) == 0 && !memcmp(key, wanted_key, 16), "test key");
    check(smoothcore_clearkey_checksum(key, kid, sum) == 0 && !memcmp(sum, wanted_sum, 8), "checksum");
    check(smoothcore_clearkey_decrypt(key, &how, data, 32) == 0 && !memcmp(data, wanted_stream, 32), "key stream");

    memset(data, 0, sizeof data);
    how.subsamples = pairs;
    how.subsample_count = 2;
    check(smoothcore_clearkey_decrypt(key, &how, data, 40) == 0 && !memcmp(data + 3, wanted_stream, 20) &&
              !memcmp(data + 28, wanted_stream + 20, 12) && !data[0] && !data[2] && !data[23] && !data[27],
          "subsamples");
    check(smoothcore_clearkey_decrypt(key, &how, data, 39) == -1, "subsamples that do not fit");
    how.iv_size = 17;
    check(smoothcore_clearkey_decrypt(key, &how, data, 40) == -1, "a vector that does not fit");
    how.iv_size = 16;
    how.scheme = 4;
    check(smoothcore_clearkey_decrypt(key, &how, data, 40) == -1, "no such scheme");
    how.struct_size = 4;
    check(smoothcore_clearkey_decrypt(key, &how, data, 40) == -1, "no such struct");
    check(smoothcore_clearkey_decrypt(NULL, NULL, NULL, 0) == -1, "NULL");
    return failed;
}
