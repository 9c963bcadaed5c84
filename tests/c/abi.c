/* abi MEDIA: tests of the boundary itself. Playing is tested by `scripted`. */
#include "abi.h"

static rig_file files[RIG_FILES];
static uint8_t *manifest;
static size_t manifest_size;
static long checks;

size_t abi_held, abi_peak;
long abi_allocations_left = -1;

void *smoothcore_port_alloc(size_t size, size_t align)
{
    void *at;
    CHECK(size > 0 && align <= 16 && (align & (align - 1)) == 0);
    if (abi_allocations_left == 0) return 0;
    at = malloc(size);
    if (!at) return 0;
    if (abi_allocations_left > 0) abi_allocations_left--;
    /* Nothing may rely on zeros. */
    memset(at, 0xA5, size);
    abi_held += size;
    if (abi_held > abi_peak) abi_peak = abi_held;
    return at;
}

void smoothcore_port_free(void *ptr, size_t size, size_t align)
{
    (void)align;
    CHECK(ptr && size <= abi_held);
    memset(ptr, 0x5A, size);
    abi_held -= size;
    free(ptr);
}

void abi_check(int holds, const char *what, const char *file, int line)
{
    checks++;
    if (holds) return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    exit(1);
}

void abi_is(long result, long wanted, const char *what, const char *file, int line)
{
    checks++;
    if (result == wanted) return;
    fprintf(stderr, "%s:%d: %s is %ld (%s), not %ld\n", file, line, what, result, smoothcore_strerror((int32_t)result),
            wanted);
    exit(1);
}

static uint8_t *load(const char *directory, const char *name, size_t *size)
{
    char path[1024];
    FILE *file;
    uint8_t *data;
    long end;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path) exit(2);
    file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) || (end = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) ||
        !(data = malloc((size_t)end)) || fread(data, 1, (size_t)end, file) != (size_t)end) {
        fprintf(stderr, "abi: cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    *size = (size_t)end;
    return data;
}

static void no_line(void *userdata, const char *text, size_t size) { (void)userdata, (void)text, (void)size; }

static void fatal(void *userdata, const char *rule)
{
    (void)userdata;
    fprintf(stderr, "abi: broken: %s\n", rule);
    exit(1);
}

smoothcore_config abi_config(void)
{
    smoothcore_config config;
    memset(&config, 0, sizeof config);
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    return config;
}

rig *abi_rig(void)
{
    rig *r = calloc(1, sizeof *r);
    CHECK(r);
    r->script = &rig_scripts[0];
    r->manifest = manifest;
    r->manifest_size = manifest_size;
    r->files = files;
    r->file_count = RIG_FILES;
    r->line = no_line;
    r->fatal = fatal;
    return r;
}

smoothcore_player *abi_player(rig_tables *tables)
{
    smoothcore_config config = abi_config();
    smoothcore_player *player = 0;
    CHECK_IS(smoothcore_player_create(&config, &tables->ports, &player), SMOOTHCORE_OK);
    CHECK(player);
    CHECK_IS(smoothcore_player_open(player, URL), SMOOTHCORE_OK);
    return player;
}

int32_t abi_step(rig *r, smoothcore_player *player, uint64_t until_us)
{
    int32_t result = SMOOTHCORE_OK;
    uint64_t next;
    while (result == SMOOTHCORE_OK && r->now_us < until_us) {
        result = smoothcore_player_step(player, &next);
        if (next != r->now_us) r->now_us += 5000;
    }
    return result;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {{"structs", test_structs},   {"nulls", test_nulls},     {"reentry", test_reentry},
                 {"contract", test_contract}, {"streams", test_streams}, {"handles", test_handles},
                 {"init", test_init},         {"source", test_source},   {"tracks", test_tracks},
                 {"protection", test_protection}, {"deviations", test_deviations}, {"live", test_live},
                 {"switching", test_switching}};
    size_t i;
    if (argc != 2) {
        fprintf(stderr, "usage: abi MEDIA\n");
        return 2;
    }
    for (i = 0; i < RIG_FILES; i++) {
        files[i] = rig_testcard[i];
        files[i].data = load(argv[1], files[i].name, &files[i].size);
    }
    manifest = load(argv[1], "testcard.ismc", &manifest_size);
    for (i = 0; i < sizeof tests / sizeof *tests; i++) {
        tests[i].run();
        CHECK_IS((long)abi_held, 0);
        printf("  %s\n", tests[i].name);
    }
    for (i = 0; i < RIG_FILES; i++) free((void *)(uintptr_t)files[i].data);
    free(manifest);
    printf("abi: %ld checks\n", checks);
    return 0;
}
