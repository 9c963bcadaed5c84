/* Memory: two functions that the linker looks for by name. They are not hooks and have no userdata. */
#include "port.h"

/* Called on the thread that called the library. May block as your allocator does; not called in steady play.
 *
 * To do: return `size` bytes (never 0) at a multiple of `align` (a power of two, at most 16), or NULL when there are
 * none. NULL is no disaster: the library answers SMOOTHCORE_E_NO_MEMORY, or plays on with less. */
void *smoothcore_port_alloc(size_t size, size_t align)
{
    (void)size;
    (void)align;
    return 0; /* so smoothcore_player_create answers SMOOTHCORE_E_NO_MEMORY */
}

/* To do: take back what smoothcore_port_alloc returned; size and align are the same as then. */
void smoothcore_port_free(void *ptr, size_t size, size_t align)
{
    (void)ptr;
    (void)size;
    (void)align;
}
