/* A program without an operating system: the archive, this file, and nothing else but the C library's memcpy kin. */
#include "smoothcore.h"

int bare_semihosting(int operation, const void *argument);
int bare_main(void);
void bare_exit(int status);
extern unsigned char bss_start[], bss_end[];
extern uint32_t stack_bottom[];

/* Firmware's memory: a bump allocator that counts. */
static _Alignas(16) unsigned char heap[1 << 20];
static size_t heap_used, heap_held;

void *smoothcore_port_alloc(size_t size, size_t align)
{
    size_t at = (heap_used + align - 1) & ~(align - 1);
    if (at > sizeof heap || size > sizeof heap - at) return 0;
    heap_used = at + size;
    heap_held += size;
    return heap + at;
}

void smoothcore_port_free(void *ptr, size_t size, size_t align)
{
    (void)ptr;
    (void)align;
    heap_held -= size;
}

static void print(const char *text) { bare_semihosting(4, text); }

static void print_number(size_t n)
{
    char digits[12];
    int at = 11;
    digits[at] = 0;
    do { digits[--at] = (char)('0' + n % 10); n /= 10; } while (n && at);
    print(digits + at);
}

void bare_exit(int status) { bare_semihosting(0x18, (const void *)(status ? 0x20023 : 0x20026)); }

/* What the library does here. Each line that does not hold ends the program with its number. */
static int checks(void)
{
    const char *unknown = smoothcore_strerror(-9999), *budget = smoothcore_strerror(SMOOTHCORE_E_BUDGET);
    if (smoothcore_abi_version() >> 16 != SMOOTHCORE_ABI_MAJOR) return 1;
    if (!unknown || !budget || unknown == budget) return 2;
    print("smoothcore ");
    print(smoothcore_version());
    print(", no operating system: ");
    print(budget);
    print("\n");
    if (heap_held != 0) return 3;
    return 0;
}

#define PAINT 0x5afe57acu

int bare_main(void)
{
    unsigned char *b;
    volatile uint32_t *p;
    int status;
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    for (b = bss_start; b < bss_end; b++) *b = 0;
    for (p = stack_bottom; (uintptr_t)p < here - 128; p++) *p = PAINT;
    status = checks();
    for (p = stack_bottom; *p == PAINT; p++) { }
    print("deepest stack ");
    print_number((size_t)(here - (uintptr_t)p));
    print(" bytes, heap held at the end ");
    print_number(heap_held);
    print(status ? ", FAILED at check " : ", passed");
    if (status) print_number((size_t)status);
    print("\n");
    return status;
}
