/* The test rig: origin, link, decoder, and the three ways to drive. See rig.h. */
#include "rig.h"

#include <string.h>

#define URL "http://origin.test/vod/testcard.ism/Manifest"
/* Virtual time between two looks. */
#define TICK_US 5000u
/* A run that takes longer in virtual time is stuck. */
#define LONGEST_US 600000000u
#define PERIOD_MS 5000u
#define LATENCY_MS 20u
/* Media the decoder takes ahead. */
#define CAPACITY_US 2000000u
#define NO_CUT UINT32_MAX

const rig_script rig_scripts[RIG_SCRIPTS] = {
    /* The level is forced up and down. */
    {"plain", {60, 12, 90, 8}, {{0, 0, 0}}, 0, 0, 0, 0, 0, {0, 0}},
    /* One level, so that it is known which requests come. */
    {"cuts",
     {40, 25},
     {{"Manifest", 1, 700},
      {"QualityLevels(101261)/Fragments(video=0)", 1, 9000},
      {"QualityLevels(101261)/Fragments(video=100000000)", 1, 17},
      {"QualityLevels(101261)/Fragments(video=100000000)", 2, 20000},
      {"QualityLevels(22924)/Fragments(audio_eng=100266667)", 1, 3000},
      {"QualityLevels(26030)/Fragments(audio_fra=0)", 1, 0},
      {"QualityLevels(26030)/Fragments(audio_fra=461226667)", 1, 5000}},
     101261,
     0,
     0,
     0,
     0,
     {0, 0}},
    {"seek",
     {60, 12, 90, 8},
     {{"QualityLevels(22924)/Fragments(audio_eng=280746667)", 1, 2500}},
     0,
     0,
     10000000,
     300000000,
     0,
     {0, 0}},
    {"start", {60, 30}, {{0, 0, 0}}, 0, 310000000, 0, 0, 0, {0, 0}},
    /* The first key comes late, and the second so late that the clock stalls. */
    {"sealed", {60, 12, 90, 8}, {{0, 0, 0}}, 0, 0, 0, 0, SMOOTHCORE_PROTECTION_DECODER, {3000000, 40000000}},
    {"opened", {60, 12, 90, 8}, {{0, 0, 0}}, 0, 0, 0, 0, SMOOTHCORE_PROTECTION_DECRYPT, {3000000, 40000000}},
    /* The only one in which the planner chooses: the small archive has none. */
    {"planned", {60, 12, 90, 8}, {{0, 0, 0}}, 0, 0, 0, 0, 0, {0, 0}},
};

const rig_file rig_testcard[RIG_FILES] = {
    {64852, "video", "testcard_64.ismv", 0, 0},      {101261, "video", "testcard_100.ismv", 0, 0},
    {151877, "video", "testcard_150.ismv", 0, 0},    {258995, "video", "testcard_256.ismv", 0, 0},
    {22924, "audio_eng", "testcard_eng.isma", 0, 0}, {26030, "audio_fra", "testcard_fra.isma", 0, 0},
};

static void require(rig *r, int holds, const char *rule)
{
    if (!holds) r->fatal(r->userdata, rule);
}

/* ------------------------------------------------------------------------------------------------------------- text */

uint64_t rig_fnv1a(uint64_t hash, const uint8_t *data, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) hash = (hash ^ data[i]) * 0x100000001b3u;
    return hash;
}

typedef struct text {
    char at[200];
    size_t size;
} text;

static void put(text *t, const char *s)
{
    while (*s && t->size < sizeof t->at) t->at[t->size++] = *s++;
}

static void put_u64(text *t, uint64_t n)
{
    char digits[24];
    int at = 23;
    digits[at] = 0;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    put(t, digits + at);
}

static void put_i64(text *t, int64_t n)
{
    if (n < 0) put(t, "-");
    put_u64(t, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void put_hash(text *t, uint64_t hash)
{
    char digit[2] = {0, 0};
    int shift;
    for (shift = 60; shift >= 0; shift -= 4) {
        digit[0] = "0123456789abcdef"[hash >> shift & 15];
        put(t, digit);
    }
}

static void put_line(rig *r, text *t)
{
    put(t, "\n");
    r->lines++;
    r->fnv = rig_fnv1a(r->fnv, (const uint8_t *)t->at, t->size);
    r->line(r->userdata, t->at, t->size);
}

static int same(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

/* What follows `prefix` in `s`; NULL when `s` does not begin with it. */
static const char *after(const char *s, const char *prefix)
{
    if (!s) return 0;
    while (*prefix)
        if (*s++ != *prefix++) return 0;
    return s;
}

static const char *number(const char *s, uint64_t *out)
{
    const char *begin = s;
    *out = 0;
    if (!s) return 0;
    while (*s >= '0' && *s <= '9') *out = *out * 10 + (uint64_t)(*s++ - '0');
    return s == begin ? 0 : s;
}

/* ----------------------------------------------------------------------------------------------------------- origin */

static uint64_t big_endian(const uint8_t *at, unsigned bytes)
{
    uint64_t n = 0;
    while (bytes--) n = n << 8 | *at++;
    return n;
}

/* A fragment by the index at the end of its file: mfro tells where mfra is, tfra in it lists times and offsets. */
static int fragment(const rig_file *file, uint64_t time, const uint8_t **body, size_t *size)
{
    const uint8_t *end = file->data + file->size, *box, *entry;
    uint64_t count, i;
    unsigned wide, step;
    if (file->size < 40) return 0;
    box = end - big_endian(end - 4, 4) + 8;
    while (box + 24 <= end && big_endian(box + 4, 4) != 0x74667261) box += big_endian(box, 4);
    if (box + 24 > end) return 0;
    wide = box[8] == 0 ? 4 : 8;
    step = 2 * wide + 3 + (box[19] >> 4 & 3) + (box[19] >> 2 & 3) + (box[19] & 3);
    count = big_endian(box + 20, 4);
    entry = box + 24;
    for (i = 0; i < count && entry + step <= end; i++, entry += step) {
        if (big_endian(entry, wide) == time) {
            const uint8_t *moof = file->data + big_endian(entry + wide, wide);
            const uint8_t *mdat = moof + big_endian(moof, 4);
            *body = moof;
            *size = (size_t)(mdat - moof) + (size_t)big_endian(mdat, 4);
            return 1;
        }
    }
    return 0;
}

static int resource(const rig *r, const char *path, const uint8_t **body, size_t *size)
{
    uint64_t bitrate, time;
    const char *name = after(number(after(path, "QualityLevels("), &bitrate), ")/Fragments(");
    size_t i;
    *body = r->manifest;
    *size = r->manifest_size;
    if (same(path, "Manifest")) return 1;
    for (i = 0; name && i < r->file_count; i++) {
        const char *rest = number(after(after(name, r->files[i].stream), "="), &time);
        if (rest && same(rest, ")") && r->files[i].bitrate == bitrate) return fragment(&r->files[i], time, body, size);
    }
    *size = 0;
    return 0;
}

/* ------------------------------------------------------------------------------------------------- link: HTTP port */

static struct rig_exchange *exchange_of(rig *r, uint32_t id)
{
    unsigned i;
    for (i = 0; i < RIG_EXCHANGES; i++)
        if (r->exchange[i].id == id) return &r->exchange[i];
    require(r, 0, "only what was started is asked for");
    return &r->exchange[0];
}

static int32_t link_start(void *userdata, const smoothcore_request *request)
{
    rig *r = userdata;
    struct rig_exchange *e = 0;
    const char *path = request->url;
    unsigned i;
    while (*path && !after(path, ".ism/")) path++;
    path = after(path, ".ism/");
    require(r, path != 0, "a presentation is asked for");
    for (i = 0; i < RIG_EXCHANGES; i++) {
        require(r, r->exchange[i].id != request->id, "request ids are never used twice");
        if (!e && r->exchange[i].id == 0) e = &r->exchange[i];
    }
    require(r, e != 0, "few exchanges at once");
    e->id = request->id;
    e->status = resource(r, path, &e->body, &e->size) ? 200 : 404;
    e->sent = 0;
    e->cut = NO_CUT;
    e->started_ms = r->now_us / 1000;
    for (i = 0; i < RIG_FAULTS && r->script->faults[i].path; i++)
        if (same(r->script->faults[i].path, path) && ++r->tries[i] == r->script->faults[i].nth)
            e->cut = r->script->faults[i].cut;
    r->requests++;
    r->balance++;
    return SMOOTHCORE_OK;
}

static int32_t link_response(void *userdata, uint32_t request, smoothcore_response *out)
{
    rig *r = userdata;
    struct rig_exchange *e = exchange_of(r, request);
    if (r->now_us / 1000 < e->started_ms + LATENCY_MS) return SMOOTHCORE_WOULD_BLOCK;
    out->status = e->status;
    out->content_type = "video/mp4";
    return SMOOTHCORE_OK;
}

/* Bytes the link carries in [from, to) milliseconds. */
static uint64_t carried(const rig *r, uint64_t from, uint64_t to)
{
    uint64_t sum = 0, rates = 0;
    while (r->script->rates[rates]) rates++;
    while (from < to) {
        uint64_t period = from / PERIOD_MS, end = (period + 1) * PERIOD_MS;
        if (end > to) end = to;
        sum += (end - from) * r->script->rates[period % rates];
        from = end;
    }
    return sum;
}

static int32_t link_read(void *userdata, uint32_t request, uint8_t *buffer, size_t size, size_t *got)
{
    rig *r = userdata;
    struct rig_exchange *e = exchange_of(r, request);
    uint64_t most = carried(r, e->started_ms + LATENCY_MS, r->now_us / 1000);
    size_t i, n;
    if (e->sent >= e->cut) {
        r->cuts++;
        return SMOOTHCORE_E_NETWORK_IO;
    }
    if (e->sent >= e->size) return SMOOTHCORE_END;
    if (most > e->size) most = e->size;
    if (most > e->cut) most = e->cut;
    n = most > e->sent ? (size_t)most - e->sent : 0;
    if (n > size) n = size;
    if (n == 0) return SMOOTHCORE_WOULD_BLOCK;
    for (i = 0; i < n; i++) buffer[i] = e->body[e->sent + i];
    e->sent += n;
    *got = n;
    return SMOOTHCORE_OK;
}

static void link_cancel(void *userdata, uint32_t request)
{
    rig *r = userdata;
    exchange_of(r, request)->id = 0;
    r->balance--;
}

/* ------------------------------------------------------------------------------------------- recorder: decoder port */

static void advance(rig *r)
{
    uint64_t passed = r->now_us - r->last_us;
    unsigned i;
    r->last_us = r->now_us;
    for (i = 0; r->running && i < RIG_STREAMS; i++) {
        struct rig_held *held = &r->held[i];
        held->depth_us -= held->depth_us < passed ? held->depth_us : passed;
    }
}

static int32_t recorder_configure(void *userdata, const smoothcore_setup *setup)
{
    rig *r = userdata;
    text t = {{0}, 0};
    advance(r);
    require(r, setup->stream < RIG_STREAMS, "few streams");
    if (!r->held[setup->stream].configured) r->set_up[r->set_up_count++] = setup->stream;
    r->held[setup->stream].configured = 1;
    put(&t, "configure ");
    put_u64(&t, setup->stream);
    put(&t, " epoch ");
    put_u64(&t, setup->epoch);
    put(&t, " level ");
    put_u64(&t, setup->level);
    put(&t, " bitrate ");
    put_u64(&t, setup->bitrate);
    put(&t, " record ");
    put_hash(&t, rig_fnv1a(RIG_FNV, setup->record.data, setup->record.size));
    put_line(r, &t);
    if (setup->key) {
        text k = {{0}, 0};
        put(&k, "key ");
        put_u64(&k, setup->stream);
        put(&k, " ");
        put_u64(&k, *setup->key);
        put_line(r, &k);
    }
    return SMOOTHCORE_OK;
}

static int32_t recorder_submit(void *userdata, const smoothcore_sample *sample)
{
    rig *r = userdata;
    struct rig_held *held = &r->held[sample->stream % RIG_STREAMS];
    text t = {{0}, 0};
    uint64_t hash = RIG_FNV;
    size_t bytes = 0;
    uint32_t i;
    advance(r);
    require(r, sample->stream < RIG_STREAMS && held->configured, "configured first");
    if (held->depth_us + sample->duration / 10 > CAPACITY_US) return SMOOTHCORE_WOULD_BLOCK;
    held->depth_us += sample->duration / 10;
    held->taken++;
    held->position = sample->pts;
    for (i = 0; i < sample->part_count; i++) {
        hash = rig_fnv1a(hash, sample->parts[i].data, sample->parts[i].size);
        bytes += sample->parts[i].size;
    }
    require(r, bytes == sample->size, "a sample's size is the sum of its parts");
    put(&t, "sample ");
    put_u64(&t, sample->stream);
    put(&t, " ");
    put_u64(&t, sample->epoch);
    put(&t, " ");
    put_u64(&t, sample->flags);
    put(&t, " ");
    put_i64(&t, sample->dts);
    put(&t, " ");
    put_i64(&t, sample->pts);
    put(&t, " ");
    put_u64(&t, sample->duration);
    put(&t, " ");
    put_u64(&t, sample->fragment);
    put(&t, " ");
    put_u64(&t, sample->bitrate);
    put(&t, " ");
    put_u64(&t, bytes);
    put(&t, " ");
    put_hash(&t, hash);
    put_line(r, &t);
    if (sample->protection) {
        const smoothcore_sample_protection *p = sample->protection;
        text k = {{0}, 0};
        put(&k, "protected ");
        put_u64(&k, p->key);
        put(&k, " ");
        put_u64(&k, p->scheme);
        put(&k, " ");
        put_hash(&k, rig_fnv1a(RIG_FNV, p->kid, 16));
        put(&k, " ");
        put_hash(&k, rig_fnv1a(RIG_FNV, p->iv, p->iv_size));
        put(&k, " ");
        put_u64(&k, p->subsample_count);
        put(&k, " ");
        put_u64(&k, p->subsample_count ? p->subsamples[0].clear_bytes : 0);
        put_line(r, &k);
    }
    r->samples++;
    return SMOOTHCORE_OK;
}

static int32_t recorder_status(void *userdata, uint32_t stream, smoothcore_buffered *out)
{
    rig *r = userdata;
    struct rig_held *held = &r->held[stream % RIG_STREAMS];
    advance(r);
    out->depth_us = held->depth_us;
    out->position = held->taken ? held->position : SMOOTHCORE_NO_TIME;
    return SMOOTHCORE_OK;
}

static void put_stream_line(rig *r, const char *what, uint32_t stream, uint32_t epoch)
{
    text t = {{0}, 0};
    put(&t, what);
    put_u64(&t, stream);
    put(&t, " ");
    put_u64(&t, epoch);
    put_line(r, &t);
}

static void recorder_flush(void *userdata, uint32_t stream, uint32_t epoch)
{
    rig *r = userdata;
    put_stream_line(r, "flush ", stream, epoch);
    r->held[stream % RIG_STREAMS].depth_us = 0;
}

static void recorder_end(void *userdata, uint32_t stream, uint32_t epoch)
{
    put_stream_line(userdata, "end ", stream, epoch);
}

static void recorder_rate(void *userdata, int32_t rate)
{
    rig *r = userdata;
    advance(r);
    r->running = rate != 0;
}

/* ---------------------------------------------------------------------------------------------- agent: protection port */

/* The agent is busy once every so many samples. */
#define BUSY_EVERY 7u

static void agent_offer(void *userdata, const smoothcore_protection_offer *offer)
{
    rig *r = userdata;
    uint32_t i, n;
    for (i = 0; i < offer->kid_count; i++) {
        require(r, r->kid_count < 4, "few keys");
        for (n = 0; n < 16; n++) r->kids[r->kid_count][n] = offer->kids[16 * i + n];
        r->kid_count++;
    }
}

static int32_t agent_key(void *userdata, const uint8_t *kid, uint64_t *key)
{
    rig *r = userdata;
    uint32_t which;
    require(r, kid != 0, "every key has a name");
    which = kid[0] == 'B';
    if (r->now_us < r->script->keys_at_us[which]) return SMOOTHCORE_WOULD_BLOCK;
    *key = 11 + which;
    return SMOOTHCORE_OK;
}

/* The cipher of the encrypted test card: fit to see that every byte came where it belongs, and for nothing else. */
static int32_t agent_decrypt(void *userdata, const smoothcore_decrypt *sample)
{
    rig *r = userdata;
    const smoothcore_sample_protection *p = sample->protection;
    uint64_t seed = rig_fnv1a(rig_fnv1a(RIG_FNV, p->kid, 16), p->iv, p->iv_size), n = 0;
    size_t part, at = 0;
    uint32_t i;
    if (++r->decrypts % BUSY_EVERY == 0) return SMOOTHCORE_WOULD_BLOCK;
    for (part = 0; part < (p->subsample_count ? p->subsample_count : 1); part++) {
        uint32_t bytes = p->subsample_count ? p->subsamples[part].protected_bytes : (uint32_t)sample->size;
        if (p->subsample_count) at += p->subsamples[part].clear_bytes;
        require(r, at + bytes <= sample->size, "the parts are the sample");
        for (i = 0; i < bytes; i++, n++) sample->data[at++] ^= (uint8_t)(((seed ^ n) * 0x9e3779b97f4a7c15u) >> 32);
    }
    require(r, at == sample->size, "the parts are the sample");
    return SMOOTHCORE_OK;
}

static void agent_close(void *userdata)
{
    rig *r = userdata;
    r->closed++;
}

/* ------------------------------------------------------------------------------------------------------------ clock */

static uint64_t clock_now(void *userdata)
{
    return ((rig *)userdata)->now_us;
}

static void tick(rig *r)
{
    r->now_us += TICK_US;
    require(r, r->now_us < LONGEST_US, "a run ends");
}

static void clock_wait(void *userdata, uint64_t until_us)
{
    rig *r = userdata;
    require(r, until_us > r->now_us, "nobody waits for what has passed");
    tick(r);
}

/* ---------------------------------------------------------------------------------- event loop and blocking: player */

static smoothcore_config config_of(const rig *r)
{
    static const smoothcore_config zero;
    static const smoothcore_switching by_throughput = {
        sizeof by_throughput, SMOOTHCORE_RULE_THROUGHPUT, 0, 0, 0, 0, 0, 0};
    smoothcore_config config = zero;
    if (strcmp(r->script->name, "planned") != 0) config.switching = &by_throughput;
    config.struct_size = sizeof config;
    config.abi_version = SMOOTHCORE_ABI_VERSION;
    config.budget_bytes = 4u << 20;
    config.seed = 7;
    config.audio = SMOOTHCORE_AUDIO_ALL;
    config.fixed_bitrate = r->script->fixed_bitrate;
    config.start_at = r->script->start_at;
    config.protection = r->script->protection;
    return config;
}

static int seek_is_due(rig *r)
{
    if (r->sought || r->script->seek_at_us == 0 || r->now_us < r->script->seek_at_us) return 0;
    r->sought = 1;
    return 1;
}

void rig_fill_tables(rig *r, rig_tables *t)
{
    const smoothcore_http_port http = {sizeof http, 0, 0, link_start, link_response, link_read, link_cancel};
    const smoothcore_decoder_port decoder = {
        sizeof decoder,     SMOOTHCORE_FRAMING_ELEMENTARY, 0,           0, 0, recorder_configure, recorder_submit,
        recorder_status, recorder_flush,                recorder_end, recorder_rate, 0, 0};
    const smoothcore_clock_port clock = {sizeof clock, 0, 0, clock_now, clock_wait, 0};
    const smoothcore_protection_port protection = {
        sizeof protection, 0, 0, agent_offer, agent_key,
        r->script->protection == SMOOTHCORE_PROTECTION_DECRYPT ? agent_decrypt : 0, agent_close};
    const smoothcore_ports ports = {sizeof ports, 0, 0, 0, 0, 0, 0, 0, 0};
    t->http = http;
    t->decoder = decoder;
    t->clock = clock;
    t->protection = protection;
    t->ports = ports;
    t->http.userdata = t->decoder.userdata = t->clock.userdata = t->protection.userdata = r;
    t->ports.http = &t->http;
    t->ports.decoder = &t->decoder;
    t->ports.clock = &t->clock;
    if (r->script->protection) t->ports.protection = &t->protection;
}

static int32_t with_player(rig *r, int mode)
{
    rig_tables tables;
    const smoothcore_config config = config_of(r);
    smoothcore_player *player;
    int32_t result;
    rig_fill_tables(r, &tables);
    result = smoothcore_player_create(&config, &tables.ports, &player);
    if (result != SMOOTHCORE_OK) return result;
    result = smoothcore_player_open(player, URL);
    if (result == SMOOTHCORE_OK && mode == RIG_BLOCKING) {
        if (r->script->seek_at_us) {
            /* The other modes seek after their step at that instant; here the clock has moved on when that step is over. */
            result = smoothcore_player_run_until(player, r->script->seek_at_us + TICK_US);
            require(r, result == SMOOTHCORE_OK && seek_is_due(r), "blocking mode returns at an instant");
            require(r, smoothcore_player_seek(player, r->script->seek_to) == SMOOTHCORE_OK, "seeking works");
        }
        result = smoothcore_player_run(player);
    } else if (result == SMOOTHCORE_OK) {
        uint64_t next;
        for (;;) {
            result = smoothcore_player_step(player, &next);
            if (seek_is_due(r)) {
                require(r, smoothcore_player_seek(player, r->script->seek_to) == SMOOTHCORE_OK, "seeking works");
                result = SMOOTHCORE_OK;
            }
            if (result != SMOOTHCORE_OK) break;
            if (next != r->now_us) tick(r);
        }
        if (result == SMOOTHCORE_END) result = SMOOTHCORE_OK;
    }
    smoothcore_player_destroy(player);
    return result;
}

/* --------------------------------------------------------------------------------------------------------- sans-IO */

static void close_nth(rig *r, uint32_t n)
{
    uint32_t id = r->order[n];
    r->open--;
    r->order[n] = r->order[r->open];
    r->answered[n] = r->answered[r->open];
    link_cancel(r, id);
}

/* Does what the session asks until it is idle; its last answer. */
static int32_t drain(rig *r, smoothcore_session *session)
{
    static const smoothcore_output zero;
    int outputs;
    uint32_t n;
    for (outputs = 0;; outputs++) {
        smoothcore_output out = zero;
        int32_t result;
        out.struct_size = sizeof out;
        result = smoothcore_session_poll(session, &out);
        require(r, outputs < 10000, "a bounded number of outputs follows one input");
        switch (out.kind) {
        case SMOOTHCORE_OUTPUT_IDLE: return result;
        case SMOOTHCORE_OUTPUT_REQUEST:
            link_start(r, out.request_info);
            require(r, r->open < RIG_EXCHANGES, "few exchanges at once");
            r->order[r->open] = out.request_info->id;
            r->answered[r->open++] = 0;
            break;
        case SMOOTHCORE_OUTPUT_CANCEL:
            for (n = 0; n < r->open && r->order[n] != out.request;) n++;
            if (n < r->open) close_nth(r, n);
            break;
        case SMOOTHCORE_OUTPUT_CONFIGURE: {
            uint32_t stream = out.setup->stream;
            result = recorder_configure(r, out.setup);
            smoothcore_session_configured(session, r->now_us, stream, result);
            break;
        }
        case SMOOTHCORE_OUTPUT_SAMPLE: {
            uint32_t stream = out.sample->stream;
            if (recorder_submit(r, out.sample) == SMOOTHCORE_OK)
                smoothcore_session_accepted(session, r->now_us, stream);
            else
                smoothcore_session_refused(session, r->now_us, stream);
            break;
        }
        case SMOOTHCORE_OUTPUT_PROTECTION: agent_offer(r, out.offer); break;
        case SMOOTHCORE_OUTPUT_DECRYPT: {
            uint32_t stream = out.decrypt->stream;
            smoothcore_session_decrypted(session, r->now_us, stream, agent_decrypt(r, out.decrypt));
            break;
        }
        case SMOOTHCORE_OUTPUT_RATE: recorder_rate(r, out.rate); break;
        case SMOOTHCORE_OUTPUT_FLUSH: recorder_flush(r, out.stream, out.epoch); break;
        case SMOOTHCORE_OUTPUT_END_OF_STREAM: recorder_end(r, out.stream, out.epoch); break;
        default: break;
        }
    }
}

/* Moves what can be moved of one exchange. 0 nothing, 1 something, 2 the exchange is over and its place taken. */
static int pump(rig *r, smoothcore_session *session, uint32_t n)
{
    static const smoothcore_response zero;
    uint32_t id = r->order[n];
    uint8_t *space;
    size_t size, got = 0, i;
    int32_t result;
    if (!r->answered[n]) {
        smoothcore_response head = zero;
        head.struct_size = sizeof head;
        head.content_length = -1;
        if (link_response(r, id, &head) != SMOOTHCORE_OK) return 0;
        smoothcore_session_response(session, r->now_us, id, &head);
        r->answered[n] = 1;
        return 1;
    }
    if (smoothcore_session_space(session, id, &space, &size) != SMOOTHCORE_OK) return 0;
    require(r, size <= sizeof r->scratch, "a block is at most 64 KiB");
    result = link_read(r, id, r->scratch, size, &got);
    if (result == SMOOTHCORE_WOULD_BLOCK) return 0;
    if (result == SMOOTHCORE_OK) {
        /* Half of the bytes go in by copy, half in place. */
        if (got % 2 == 0) {
            for (i = 0; i < got; i++) space[i] = r->scratch[i];
            smoothcore_session_filled(session, r->now_us, id, got);
        } else {
            size_t taken = 0;
            smoothcore_session_body(session, r->now_us, id, r->scratch, got, &taken);
            require(r, taken == got, "what there was space for is taken");
        }
        return 1;
    }
    close_nth(r, n);
    smoothcore_session_finished(session, r->now_us, id, result == SMOOTHCORE_END ? SMOOTHCORE_OK : result);
    return 2;
}

static int is_shown(rig *r)
{
    unsigned i;
    for (i = 0; i < RIG_STREAMS; i++)
        if (r->held[i].configured && r->held[i].depth_us) return 0;
    return 1;
}

static int32_t with_session(rig *r)
{
    static const smoothcore_buffered zero;
    const smoothcore_config config = config_of(r);
    smoothcore_session *session;
    int32_t result = smoothcore_session_create(&config, &session);
    if (result != SMOOTHCORE_OK) return result;
    result = smoothcore_session_open(session, r->now_us, URL);
    while (result == SMOOTHCORE_OK) {
        uint32_t stream, round, n;
        int moved = 0;
        advance(r);
        for (stream = 0; stream < RIG_STREAMS; stream++) {
            smoothcore_buffered held = zero;
            if (!r->held[stream].configured) continue;
            held.struct_size = sizeof held;
            recorder_status(r, stream, &held);
            smoothcore_session_buffered(session, r->now_us, stream, &held);
        }
        for (n = 0; n < r->kid_count; n++) {
            uint64_t key = 0;
            int32_t status = agent_key(r, r->kids[n], &key);
            smoothcore_session_key(session, r->now_us, r->kids[n], status, key);
        }
        result = drain(r, session);
        for (round = 0; round < 16; round++) {
            moved = 0;
            for (n = 0; n < r->open;) {
                int what = pump(r, session, n);
                moved |= what != 0;
                n += what != 2;
            }
            if (!moved) break;
            result = drain(r, session);
        }
        if (!moved) {
            smoothcore_session_timeout(session, r->now_us);
            result = drain(r, session);
        }
        if (seek_is_due(r)) {
            require(r, smoothcore_session_seek(session, r->now_us, r->script->seek_to) == SMOOTHCORE_OK, "seeking works");
            result = SMOOTHCORE_OK;
        }
        if (result == SMOOTHCORE_END && !is_shown(r)) result = SMOOTHCORE_OK;
        if (!moved) tick(r);
    }
    while (r->open) close_nth(r, 0);
    if (r->script->protection) {
        while (r->set_up_count) recorder_flush(r, r->set_up[--r->set_up_count], UINT32_MAX);
        agent_close(r);
    }
    smoothcore_session_destroy(session);
    return result == SMOOTHCORE_END ? SMOOTHCORE_OK : result;
}

int32_t rig_play(rig *r, int mode)
{
    int32_t result;
    uint32_t faults = 0;
    r->fnv = RIG_FNV;
    result = mode == RIG_SANS_IO ? with_session(r) : with_player(r, mode);
    while (faults < RIG_FAULTS && r->script->faults[faults].path) faults++;
    require(r, r->closed == (r->script->protection != 0), "the agent is closed once");
    require(r, r->balance == 0, "each exchange that was started is cancelled once");
    require(r, result != SMOOTHCORE_OK || r->cuts == faults, "the script's cuts were all met");
    return result;
}
