/* Firmware's memory. See arena.h. */
#include "arena.h"
#include "smoothcore.h"

/* A block's header; blocks lie one behind the other. 16 bytes on every target here, so that bodies stay aligned. */
struct block {
    size_t size, in_use, unused[2]; /* of the body, a multiple of 16 */
};

#define PIECE (2u << 20)
static _Alignas(16) unsigned char piece[PIECE];
struct arena_figures arena;

static struct block *block_at(size_t offset) { return (struct block *)(void *)(piece + offset); }

size_t arena_size(void) { return PIECE; }

void arena_reset(void)
{
    static const struct arena_figures zero;
    arena = zero;
    block_at(0)->size = PIECE - sizeof(struct block);
    block_at(0)->in_use = 0;
}

void *smoothcore_port_alloc(size_t size, size_t align)
{
    const size_t wanted = (size + 15) & ~(size_t)15;
    size_t at;
    if (align > 16 || wanted < size) return 0;
    arena.calls++;
    for (at = 0; at < PIECE; at += sizeof(struct block) + block_at(at)->size) {
        struct block *b = block_at(at);
        if (b->in_use || b->size < wanted) continue;
        if (b->size - wanted > sizeof(struct block)) {
            struct block *rest = block_at(at + sizeof(struct block) + wanted);
            rest->size = b->size - wanted - sizeof(struct block);
            rest->in_use = 0;
            b->size = wanted;
        }
        b->in_use = 1;
        arena.held += size;
        arena.used += sizeof(struct block) + b->size;
        if (arena.used > arena.peak) arena.peak = arena.used;
        return b + 1;
    }
    return 0;
}

void smoothcore_port_free(void *ptr, size_t size, size_t align)
{
    struct block *b = (struct block *)ptr - 1;
    size_t at, next;
    (void)align;
    b->in_use = 0;
    arena.held -= size;
    arena.used -= sizeof(struct block) + b->size;
    /* Free neighbours become one, all over the piece: it is short. */
    for (at = 0; at < PIECE; at = next) {
        next = at + sizeof(struct block) + block_at(at)->size;
        while (!block_at(at)->in_use && next < PIECE && !block_at(next)->in_use) {
            block_at(at)->size += sizeof(struct block) + block_at(next)->size;
            next = at + sizeof(struct block) + block_at(at)->size;
        }
    }
}
