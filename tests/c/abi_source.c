/* The source port: presentations on disk, from files in memory. */
#include "abi.h"

#define FILES 12

struct file {
    char name[64];
    uint8_t *data;
    size_t size;
};

static rig *r;
static struct file files[FILES];
static int open_files, refuse, lie, pending;

static const struct file *find(const char *name)
{
    int i;
    for (i = 0; i < FILES; i++) {
        if (files[i].data && !strcmp(files[i].name, name)) return &files[i];
    }
    return NULL;
}

static int32_t open_file(void *u, const char *name, void **file)
{
    static unsigned calls;
    const struct file *found = find(name);
    CHECK(u == r);
    if (refuse) return refuse;
    if (pending && ++calls % 2) return SMOOTHCORE_WOULD_BLOCK;
    if (!found) return SMOOTHCORE_END;
    open_files++;
    *file = (void *)(uintptr_t)found;
    return SMOOTHCORE_OK;
}

static int32_t size_of_file(void *u, void *file, uint64_t *size)
{
    CHECK(u == r && file);
    *size = ((struct file *)file)->size;
    return SMOOTHCORE_OK;
}

static int32_t read_at(void *u, void *file, uint64_t offset, uint8_t *buffer, size_t size, size_t *got)
{
    const struct file *f = file;
    CHECK(u == r && f && size > 0);
    if (lie) {
        *got = size + 1;
        return SMOOTHCORE_OK;
    }
    if (offset >= f->size) return SMOOTHCORE_END;
    if (size > f->size - offset) size = (size_t)(f->size - offset);
    if (size > 5000) size = 5000;
    memcpy(buffer, f->data + offset, size);
    *got = size;
    return SMOOTHCORE_OK;
}

static void close_file(void *u, void *file)
{
    CHECK(u == r && file && open_files > 0);
    open_files--;
}

static void put(const char *name, const uint8_t *data, size_t size)
{
    int i;
    for (i = 0; i < FILES && files[i].data; i++) {
    }
    CHECK(i < FILES && strlen(name) < sizeof files[i].name);
    strcpy(files[i].name, name);
    files[i].data = malloc(size + 1);
    CHECK(files[i].data);
    memcpy(files[i].data, data, size);
    files[i].size = size;
}

static void drop(const char *name)
{
    struct file *f = (struct file *)(uintptr_t)find(name);
    CHECK(f);
    free(f->data);
    f->data = NULL;
}

static const char server[] =
    "<smil><head><meta name='title' content='Test &amp; card'/><meta name='description' content=''/></head><body><switch>"
    "<video src='0.ismv' systemBitrate='64852'><param name='trackID' value='1'/></video>"
    "<audio src='4.ismv' systemBitrate='22924'><param name='trackName' value='audio_eng'/></audio>"
    "</switch></body></smil>";

static smoothcore_player *player_over(rig_tables *tables, const smoothcore_source_port *source)
{
    smoothcore_config config = abi_config();
    smoothcore_player *player = NULL;
    rig_fill_tables(r, tables);
    tables->ports.http = NULL;
    tables->ports.source = source;
    CHECK_IS(smoothcore_player_create(&config, &tables->ports, &player), SMOOTHCORE_OK);
    return player;
}

static smoothcore_source_port port_of(void)
{
    smoothcore_source_port port = { 0 };
    port.struct_size = sizeof port;
    port.userdata = r;
    port.open = open_file;
    port.size = size_of_file;
    port.read_at = read_at;
    port.close = close_file;
    return port;
}

/* Opens `name` with a new player; what that says. */
static int32_t opens(const char *name)
{
    smoothcore_source_port port = port_of();
    rig_tables tables;
    smoothcore_player *player = player_over(&tables, &port);
    int32_t result = smoothcore_player_open(player, name);
    if (result == SMOOTHCORE_OK) CHECK_IS(smoothcore_player_open(player, name), SMOOTHCORE_E_STATE);
    smoothcore_player_destroy(player);
    CHECK_IS(open_files, 0);
    return result;
}

static int is(smoothcore_slice slice, const char *text)
{
    return slice.size == strlen(text) && !memcmp(slice.data, text, slice.size);
}

static uint64_t plays(const char *name)
{
    smoothcore_source_port port = port_of();
    rig_tables tables;
    smoothcore_player *player = player_over(&tables, &port);
    smoothcore_metadata metadata;
    smoothcore_stats stats;
    uint64_t samples;
    r->now_us = r->last_us = r->samples = 0;
    memset(r->held, 0, sizeof r->held);
    r->running = 0;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    memset(&metadata, 0, sizeof metadata);
    metadata.struct_size = sizeof metadata;
    CHECK_IS(smoothcore_player_metadata(player, 0, &metadata), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_open(player, name), SMOOTHCORE_OK);
    if (strstr(name, ".ismv") == NULL) {
        if (!pending) {
            CHECK_IS(smoothcore_player_metadata(player, 0, &metadata), SMOOTHCORE_OK);
            CHECK(is(metadata.name, "title") && is(metadata.value, "Test & card"));
            CHECK_IS(smoothcore_player_metadata(player, 1, &metadata), SMOOTHCORE_OK);
            CHECK(is(metadata.name, "description") && is(metadata.value, ""));
        }
        CHECK_IS(smoothcore_player_metadata(player, 2, &metadata), SMOOTHCORE_E_ARGUMENT);
    }
    CHECK_IS(smoothcore_player_metadata(player, 0, NULL), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(abi_step(r, player, UINT64_MAX), SMOOTHCORE_END);
    CHECK_IS(smoothcore_player_stats(player, &stats), SMOOTHCORE_OK);
    CHECK(stats.retries == 0 && stats.gaps == 0);
    samples = stats.samples;
    smoothcore_player_destroy(player);
    CHECK_IS(open_files, 0);
    CHECK(abi_held == 0);
    return samples;
}

void test_source(void)
{
    smoothcore_source_port port;
    smoothcore_config config = abi_config();
    smoothcore_player *player = NULL;
    rig_tables tables;
    char name[8];
    size_t i;

    r = abi_rig();
    for (i = 0; i < RIG_FILES; i++) {
        snprintf(name, sizeof name, "%d.ismv", (int)i);
        put(name, r->files[i].data, r->files[i].size);
    }
    put("card.ism", (const uint8_t *)server, sizeof server - 1);

    /* Made of what the files say, with the client manifest, a single file, and a source that makes one wait. */
    CHECK_IS((long)plays("card.ism"), 1200 + 2252);
    pending = 1;
    CHECK_IS((long)plays("file:card.ism"), 1200 + 2252);
    pending = 0;
    CHECK_IS((long)plays("0.ismv"), 1200);

    CHECK_IS(opens("nothing.ism"), SMOOTHCORE_E_NO_FILE);
    CHECK_IS(opens("file://elsewhere/card.ism"), SMOOTHCORE_E_URL_REFUSED);
    CHECK_IS(opens("http://origin.test/card.ism/Manifest"), SMOOTHCORE_E_UNSUPPORTED);
    refuse = SMOOTHCORE_E_FILE_IO;
    CHECK_IS(opens("card.ism"), SMOOTHCORE_E_FILE_IO);
    refuse = -12345;
    CHECK_IS(opens("card.ism"), SMOOTHCORE_E_FILE_IO);
    refuse = 77;
    CHECK_IS(opens("card.ism"), SMOOTHCORE_E_PORT_CONTRACT);
    refuse = 0;
    lie = 1;
    CHECK_IS(opens("card.ism"), SMOOTHCORE_E_PORT_CONTRACT);
    lie = 0;
    drop("0.ismv");
    drop("4.ismv");
    CHECK_IS(opens("card.ism"), SMOOTHCORE_E_MANIFEST_NOTHING_PLAYABLE);

    /* Tables that are not whole. */
    rig_fill_tables(r, &tables);
    port = port_of();
    tables.ports.source = &port;
    port.read_at = NULL;
    CHECK_IS(smoothcore_player_create(&config, &tables.ports, &player), SMOOTHCORE_E_ARGUMENT);
    port = port_of();
    port.reserved = 1;
    CHECK_IS(smoothcore_player_create(&config, &tables.ports, &player), SMOOTHCORE_E_ARGUMENT);
    port = port_of();
    port.struct_size = 3;
    CHECK_IS(smoothcore_player_create(&config, &tables.ports, &player), SMOOTHCORE_E_ABI);
    tables.ports.source = NULL;
    tables.ports.http = NULL;
    CHECK_IS(smoothcore_player_create(&config, &tables.ports, &player), SMOOTHCORE_E_ARGUMENT);
    /* Without a source, a path is no URL. */
    rig_fill_tables(r, &tables);
    CHECK_IS(smoothcore_player_create(&config, &tables.ports, &player), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_open(player, "card.ism"), SMOOTHCORE_E_URL_INVALID);
    smoothcore_player_destroy(player);

    for (i = 0; i < FILES; i++) {
        free(files[i].data);
        files[i].data = NULL;
    }
    free(r);
    CHECK(abi_held == 0);
}
