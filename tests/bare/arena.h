/* Firmware's memory: one fixed piece, first fit, neighbours merged. Counts what it is asked for. */
#ifndef BARE_ARENA_H
#define BARE_ARENA_H
#include <stddef.h>

struct arena_figures {
    size_t used, peak;  /* bytes in use now and at most, the arena's own overhead included */
    size_t held, calls; /* bytes the library holds now, and how often it asked */
};
extern struct arena_figures arena;

/* Forgets everything: the whole piece is free. */
void arena_reset(void);
size_t arena_size(void);

#endif
