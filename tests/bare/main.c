/*
 * A program without an operating system: the archive, the test rig, an arena, and of a C library only the memcpy kin.
 * It plays every script of the rig in every driving mode from memory and leaves each log in a file of the host,
 * SCRIPT.MODE.log, by semihosting.
 */
#include "arena.h"
#include "rig.h"

int bare_semihosting(int operation, const void *argument);
int bare_main(void);
void bare_exit(int status);
extern unsigned char bss_start[], bss_end[];
extern uint32_t stack_bottom[];

#define SYS_OPEN 0x01
#define SYS_CLOSE 0x02
#define SYS_WRITE0 0x04
#define SYS_WRITE 0x05
#define SYS_EXIT 0x18

/* Samples after which nothing is allocated any more; as in tests/c/scripted.c. */
#define STEADY 4000

#define MEDIA(n) extern const uint8_t media_##n[], media_end_##n[];
MEDIA(0) MEDIA(1) MEDIA(2) MEDIA(3) MEDIA(4) MEDIA(5) MEDIA(6)

static void print(const char *text) { bare_semihosting(SYS_WRITE0, text); }

static void print_number(uint64_t n)
{
    char digits[24];
    int at = 23;
    digits[at] = 0;
    do { digits[--at] = (char)('0' + n % 10); n /= 10; } while (n && at);
    print(digits + at);
}

void bare_exit(int status) { bare_semihosting(SYS_EXIT, (const void *)(uintptr_t)(status ? 0x20023 : 0x20026)); }

/* ------------------------------------------------------------------------------------------------- the host's files */

static int file;
static char pending[8192];
static size_t pending_size;

static size_t length(const char *text)
{
    size_t n = 0;
    while (text[n]) n++;
    return n;
}

static void flush_file(void)
{
    uintptr_t write[3];
    write[0] = (uintptr_t)file;
    write[1] = (uintptr_t)pending;
    write[2] = pending_size;
    if (pending_size && bare_semihosting(SYS_WRITE, write) != 0) {
        print("the host takes no more\n");
        bare_exit(1);
    }
    pending_size = 0;
}

static void open_file(const char *name)
{
    uintptr_t open[3];
    open[0] = (uintptr_t)name;
    open[1] = 5; /* "wb" */
    open[2] = length(name);
    file = bare_semihosting(SYS_OPEN, open);
    if (file < 0) {
        print("the host opens no file\n");
        bare_exit(1);
    }
}

static void close_file(void)
{
    uintptr_t close[1];
    flush_file();
    close[0] = (uintptr_t)file;
    bare_semihosting(SYS_CLOSE, close);
}

/* ---------------------------------------------------------------------------------------------------------- the rig */

static rig the_rig;
static rig_file files[RIG_FILES];
static size_t calls_when_steady;

static void line(void *userdata, const char *text, size_t size)
{
    size_t i;
    (void)userdata;
    if (pending_size + size > sizeof pending) flush_file();
    for (i = 0; i < size; i++) pending[pending_size++] = text[i];
    if (the_rig.samples == STEADY) calls_when_steady = arena.calls;
}

static void fatal(void *userdata, const char *rule)
{
    (void)userdata;
    print("broken: ");
    print(rule);
    print("\n");
    bare_exit(1);
}

static const uint8_t *const begins[] = {media_0, media_1, media_2, media_3, media_4, media_5, media_6};
static const uint8_t *const ends[] = {media_end_0, media_end_1, media_end_2, media_end_3,
                                      media_end_4, media_end_5, media_end_6};
static const char *const modes[] = {"sans-io", "event-loop", "blocking"};

/* Plays one script in one mode. 0, or the number of what does not hold. */
static int play(const rig_script *script, int mode)
{
    static const rig zero;
    char name[64];
    size_t i, n = 0, late;
    int32_t result;
    the_rig = zero;
    arena_reset();
    calls_when_steady = 0;
    for (i = 0; script->name[i]; i++) name[n++] = script->name[i];
    name[n++] = '.';
    for (i = 0; modes[mode][i]; i++) name[n++] = modes[mode][i];
    for (i = 0; i < sizeof ".log"; i++) name[n++] = ".log"[i];
    for (i = 0; i < RIG_FILES; i++) {
        files[i] = rig_testcard[i];
        files[i].data = begins[i + 1];
        files[i].size = (size_t)(ends[i + 1] - begins[i + 1]);
    }
    the_rig.script = script;
    the_rig.manifest = begins[0];
    the_rig.manifest_size = (size_t)(ends[0] - begins[0]);
    the_rig.files = files;
    the_rig.file_count = RIG_FILES;
    the_rig.line = line;
    the_rig.fatal = fatal;
    open_file(name);
    result = rig_play(&the_rig, mode);
    close_file();
    late = calls_when_steady ? arena.calls - calls_when_steady : 0;
    print(name);
    print(": ");
    print_number(the_rig.lines);
    print(" lines, arena's peak ");
    print_number(arena.peak);
    print(" of ");
    print_number(arena_size());
    print(" bytes, ");
    if (calls_when_steady) {
        print_number(late);
        print(" allocations in steady play of ");
    }
    print_number(arena.calls);
    print(" allocations\n");
    if (result != SMOOTHCORE_OK) {
        print(smoothcore_strerror(result));
        print("\n");
        return 4;
    }
    if (arena.held || arena.used) return 5;
    /* The planner fills the buffer only near the end: there it still grows. */
    if (late && the_rig.script != &rig_scripts[RIG_SCRIPTS - 1]) return 6;
    return 0;
}

/* What the library does here. Each line that does not hold ends the program with its number. */
static int checks(void)
{
    const char *unknown = smoothcore_strerror(-9999), *budget = smoothcore_strerror(SMOOTHCORE_E_BUDGET);
    int script, mode, failed;
    if (smoothcore_abi_version() >> 16 != SMOOTHCORE_ABI_MAJOR) return 1;
    if (!unknown || !budget || unknown == budget) return 2;
    print("smoothcore ");
    print(smoothcore_version());
    print(", no operating system\n");
    for (script = 0; script < RIG_SCRIPTS; script++) {
        for (mode = 0; mode < 3; mode++) {
            if (rig_scripts[script].protection) continue; /* its media is made by a test on the host */
            failed = play(&rig_scripts[script], mode);
            if (failed) return failed;
        }
    }
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
    print("deepest stack, the rig's included: ");
    print_number(here - (uintptr_t)p);
    print(" bytes");
    print(status ? ", FAILED at check " : ", passed");
    if (status) print_number((uint64_t)status);
    print("\n");
    return status;
}
