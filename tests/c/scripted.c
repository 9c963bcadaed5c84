/*
 * scripted sans-io|event-loop|blocking plain|cuts|seek|start|sealed|opened|planned MEDIA
 *
 * Plays the test card in MEDIA by one of the rig's scripts and prints the log of what the decoder got. What it cost in
 * memory goes to standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static rig the_rig;
static size_t held, peak, late;

/* Samples of 5,704 after which everything that grows has grown: every level was played, every buffer full once. */
#define STEADY 4000

void *smoothcore_port_alloc(size_t size, size_t align)
{
    (void)align; /* malloc's is the most the library asks for */
    held += size;
    if (held > peak) peak = held;
    if (the_rig.samples > STEADY) late++;
    return malloc(size);
}

void smoothcore_port_free(void *ptr, size_t size, size_t align)
{
    (void)align;
    held -= size;
    free(ptr);
}

static void line(void *userdata, const char *text, size_t size)
{
    (void)userdata;
    if (fwrite(text, 1, size, stdout) != size) exit(1);
}

static void fatal(void *userdata, const char *rule)
{
    (void)userdata;
    fprintf(stderr, "scripted: broken at %llu us: %s\n", (unsigned long long)the_rig.now_us, rule);
    exit(1);
}

static const uint8_t *load(const char *directory, const char *name, size_t *size)
{
    char path[1024];
    FILE *file;
    uint8_t *data;
    long end;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path) exit(2);
    file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) || (end = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) ||
        !(data = malloc((size_t)end)) || fread(data, 1, (size_t)end, file) != (size_t)end) {
        fprintf(stderr, "scripted: cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    *size = (size_t)end;
    return data;
}

int main(int argc, char **argv)
{
    static const char *const modes[] = {"sans-io", "event-loop", "blocking"};
    static rig_file files[RIG_FILES];
    int mode = 0, script = 0, i;
    int32_t result;
    if (argc == 4) {
        while (mode < 3 && strcmp(argv[1], modes[mode])) mode++;
        while (script < RIG_SCRIPTS && strcmp(argv[2], rig_scripts[script].name)) script++;
    }
    if (argc != 4 || mode == 3 || script == RIG_SCRIPTS) {
        fprintf(stderr, "usage: scripted sans-io|event-loop|blocking plain|cuts|seek|start|sealed|opened|planned MEDIA\n");
        return 2;
    }
    for (i = 0; i < RIG_FILES; i++) {
        files[i] = rig_testcard[i];
        files[i].data = load(argv[3], files[i].name, &files[i].size);
    }
    the_rig.manifest = load(argv[3], "testcard.ismc", &the_rig.manifest_size);
    the_rig.files = files;
    the_rig.file_count = RIG_FILES;
    the_rig.script = &rig_scripts[script];
    the_rig.line = line;
    the_rig.fatal = fatal;
    result = rig_play(&the_rig, mode);
    if (result != SMOOTHCORE_OK) {
        fprintf(stderr, "scripted: %s: %s\n", argv[1], smoothcore_strerror(result));
        return 1;
    }
    if (held) {
        fprintf(stderr, "scripted: %lu bytes are still held\n", (unsigned long)held);
        return 1;
    }
    /* The planner fills the buffer with its highest level only near the end: there it still grows. */
    if (late && strcmp(argv[2], "planned")) {
        fprintf(stderr, "scripted: %lu allocations in steady play\n", (unsigned long)late);
        return 1;
    }
    fprintf(stderr, "%lu samples in %lu virtual ms, %u requests, %u cuts, peak %lu bytes\n",
            (unsigned long)the_rig.samples, (unsigned long)(the_rig.now_us / 1000), the_rig.requests, the_rig.cuts,
            (unsigned long)peak);
    return 0;
}
