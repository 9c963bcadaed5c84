/*
 * The library's memory from one fixed arena: no heap at all. Link it instead of alloc.c.
 *
 * Free space is a list of holes in order of address. An allocation takes the first hole that is large enough; what is
 * freed joins its neighbours. No header stands before an allocation, because smoothcore_port_free is told the size.
 * A search passes every hole: the library allocates blocks of one size and frees them into the same holes, so there
 * are few. Not for several threads at once: two players on two threads need a lock here.
 */
#include "../smoothcore_posix.h"

/* The built-in arena: the byte budget, and room for what stands between. */
#ifndef SMOOTHCORE_POSIX_ARENA_BYTES
#define SMOOTHCORE_POSIX_ARENA_BYTES (10u << 20)
#endif
/* Sizes and addresses are multiples of this: a hole must fit into the smallest piece, and no type needs more. */
#define UNIT 16u

struct hole {
    size_t size;
    struct hole *next;
};

static union {
    struct hole first;
    unsigned char bytes[SMOOTHCORE_POSIX_ARENA_BYTES];
    long double aligned;
} built_in;

static struct hole *holes;
static int ready;
static size_t used, peak;

void smoothcore_posix_arena(void *memory, size_t size)
{
    size_t lost = (UNIT - (uintptr_t)memory % UNIT) % UNIT;
    holes = NULL;
    used = peak = 0;
    ready = 1;
    if (size < lost + UNIT) return;
    holes = (struct hole *)(void *)((unsigned char *)memory + lost);
    holes->size = (size - lost) / UNIT * UNIT;
    holes->next = NULL;
}

size_t smoothcore_posix_arena_used(void) { return used; }
size_t smoothcore_posix_arena_peak(void) { return peak; }

static size_t rounded(size_t size) { return (size + (UNIT - 1)) / UNIT * UNIT; }

void *smoothcore_port_alloc(size_t size, size_t align)
{
    struct hole **link, *hole, *rest;
    if (!ready) smoothcore_posix_arena(built_in.bytes, sizeof built_in.bytes);
    if (align > UNIT || size > (size_t)-1 - UNIT) return NULL;
    size = rounded(size);
    for (link = &holes; (hole = *link) != NULL; link = &hole->next) {
        if (hole->size < size) continue;
        if (hole->size == size) {
            *link = hole->next;
        } else {
            rest = (struct hole *)(void *)((unsigned char *)hole + size);
            rest->size = hole->size - size;
            rest->next = hole->next;
            *link = rest;
        }
        used += size;
        if (used > peak) peak = used;
        return hole;
    }
    return NULL;
}

void smoothcore_port_free(void *ptr, size_t size, size_t align)
{
    struct hole *freed = ptr, *before = NULL, *after = holes;
    (void)align;
    size = rounded(size);
    used -= size;
    while (after != NULL && after < freed) {
        before = after;
        after = after->next;
    }
    freed->size = size;
    freed->next = after;
    if (after != NULL && (unsigned char *)freed + size == (unsigned char *)after) {
        freed->size += after->size;
        freed->next = after->next;
    }
    if (before == NULL) {
        holes = freed;
    } else if ((unsigned char *)before + before->size == (unsigned char *)freed) {
        before->size += freed->size;
        before->next = freed->next;
    } else {
        before->next = freed;
    }
}
