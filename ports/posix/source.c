/*
 * Files by name, for presentations on disk. No state: a handle is a file descriptor. Hooks block as the disk does, which
 * playing from a disk means; put a thread behind them where it may sleep or be a network's.
 */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "smoothcore_posix.h"

/* One more than the descriptor, so that 0 is not NULL in a debugger. */
static void *handle_of(int fd) { return (void *)(intptr_t)(fd + 1); }
static int fd_of(void *file) { return (int)(intptr_t)file - 1; }

static int32_t open_file(void *u, const char *name, void **file)
{
    struct stat about;
    int fd;
    (void)u;
    do fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR ? SMOOTHCORE_END : SMOOTHCORE_E_FILE_IO;
    /* A pipe would block, a directory cannot be read. */
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(fd);
        return SMOOTHCORE_E_FILE_IO;
    }
    *file = handle_of(fd);
    return SMOOTHCORE_OK;
}

static int32_t size_of_file(void *u, void *file, uint64_t *size)
{
    struct stat about;
    (void)u;
    if (fstat(fd_of(file), &about) != 0) return SMOOTHCORE_E_FILE_IO;
    *size = (uint64_t)about.st_size;
    return SMOOTHCORE_OK;
}

static int32_t read_at(void *u, void *file, uint64_t offset, uint8_t *buffer, size_t size, size_t *got)
{
    ssize_t count;
    (void)u;
    if (offset > INT64_MAX) return SMOOTHCORE_END;
    do count = pread(fd_of(file), buffer, size, (off_t)offset);
    while (count < 0 && errno == EINTR);
    if (count < 0) return SMOOTHCORE_E_FILE_IO;
    if (count == 0) return SMOOTHCORE_END;
    *got = (size_t)count;
    return SMOOTHCORE_OK;
}

static void close_file(void *u, void *file)
{
    (void)u;
    close(fd_of(file));
}

smoothcore_source_port smoothcore_posix_source(void)
{
    smoothcore_source_port port = { 0 };
    port.struct_size = sizeof port;
    port.open = open_file;
    port.size = size_of_file;
    port.read_at = read_at;
    port.close = close_file;
    return port;
}
