/* Files, for presentations on disk: .ism, .ismc, .ismv, .isma. Delete this file if there is no disk. All hooks are called
 * from the player's thread; they may block as a disk does, or answer SMOOTHCORE_WOULD_BLOCK and be asked again. */
#include "port.h"

/* To do: open `name` (valid during the call) for reading, put a handle of yours into *file, which may be NULL:
 * SMOOTHCORE_OK. It is what smoothcore_player_open was given, or lies beside it or below; "/" stands between its parts.
 * SMOOTHCORE_END when there is no such file. Only what you answered SMOOTHCORE_OK to is closed. */
static int32_t open_file(void *userdata, const char *name, void **file)
{
    (void)userdata;
    (void)name;
    (void)file;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: the bytes of the file into *size: SMOOTHCORE_OK. */
static int32_t size_of_file(void *userdata, void *file, uint64_t *size)
{
    (void)userdata;
    (void)file;
    (void)size;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: put at most `size` bytes from `offset` on into `buffer`, which is the library's, and their number into *got:
 * SMOOTHCORE_OK. SMOOTHCORE_END at the end of the file, SMOOTHCORE_E_FILE_IO when it cannot be read. Several places of
 * one file are read in turn. */
static int32_t read_at(void *userdata, void *file, uint64_t offset, uint8_t *buffer, size_t size, size_t *got)
{
    (void)userdata;
    (void)file;
    (void)offset;
    (void)buffer;
    (void)size;
    (void)got;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: close it. */
static void close_file(void *userdata, void *file)
{
    (void)userdata;
    (void)file;
}

smoothcore_source_port port_source(struct port *port)
{
    smoothcore_source_port table = { 0 };
    table.struct_size = sizeof table;
    table.userdata = port;
    table.open = open_file;
    table.size = size_of_file;
    table.read_at = read_at;
    table.close = close_file;
    return table;
}
