#!/bin/sh
# Writes a C program that keeps every function of a header reachable.
#   probe.sh HEADER all|none >probe.c
# "none" is the same program without the library: the difference of the two is what linking the library costs.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
header=$1 which=$2
cat <<'C'
#include "smoothcore.h"
#include <stdlib.h>
#include <string.h>

void *smoothcore_port_alloc(size_t size, size_t align) { (void)align; return malloc(size); }
void smoothcore_port_free(void *ptr, size_t size, size_t align) { (void)size; (void)align; free(ptr); }

typedef void (*any_function)(void);
any_function smoothcore_probe_table[] = {
    (any_function)&smoothcore_port_alloc,
    (any_function)&smoothcore_port_free,
C
[ "$which" = none ] || sh "$here/header-functions.sh" exported "$header" | sed 's/.*/    (any_function)&,/'
cat <<'C'
    0
};
int smoothcore_probe(void);
int smoothcore_probe(void)
{
    size_t n = 0;
    while (smoothcore_probe_table[n]) n++;
C
[ "$which" = none ] || cat <<'C'
    if (smoothcore_abi_version() >> 16 != SMOOTHCORE_ABI_MAJOR) return 1;
    if (strlen(smoothcore_strerror(SMOOTHCORE_E_BUDGET)) < 10) return 2;
    if (!strcmp(smoothcore_strerror(SMOOTHCORE_E_BUDGET), smoothcore_strerror(SMOOTHCORE_E_NO_MEMORY))) return 3;
    if (smoothcore_version()[0] < '0' || smoothcore_version()[0] > '9') return 4;
C
cat <<'C'
    /* Keeps what both programs need alike, so that their difference is the library alone. */
    {
        char a[64], b[64];
        char *volatile pa = a, *volatile pb = b;
        volatile size_t size = sizeof a;
        volatile unsigned long long wide = n + 12345678901ULL, by = n + 3;
        memset(pa, (int)n, size);
        memcpy(pb, pa, size);
        memmove(pb + 1, pb, size - 1);
        if (memcmp(pa + 1, pb + 1, size - 1)) return 5;
        if (wide / by * by + wide % by != wide) return 6;
    }
    return 0;
}
C
