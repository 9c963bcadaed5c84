/* The library's memory: posix_memalign and free. Link arena/arena.c instead to play without a heap. */
#include <stdlib.h>

#include "smoothcore_posix.h"

void *smoothcore_port_alloc(size_t size, size_t align)
{
    void *memory = NULL;
    if (align < sizeof(void *)) align = sizeof(void *); /* posix_memalign takes no less */
    return posix_memalign(&memory, align, size) == 0 ? memory : NULL;
}

void smoothcore_port_free(void *ptr, size_t size, size_t align)
{
    (void)size;
    (void)align;
    free(ptr);
}
