/* Capabilities, output restrictions, keys and the protection port, as far as clear media shows them; encrypted media is
 * played by the scripts. */
#include "abi.h"

static smoothcore_output output;

static uint32_t next(smoothcore_session *s)
{
    memset(&output, 0xA5, sizeof output);
    output.struct_size = sizeof output;
    CHECK_IS(smoothcore_session_poll(s, &output), SMOOTHCORE_OK);
    return output.kind;
}

/* A session whose manifest has arrived. */
static smoothcore_session *opened(rig *r, smoothcore_config *config)
{
    smoothcore_session *s = 0;
    size_t taken = 0;
    uint32_t id;
    CHECK_IS(smoothcore_session_create(config, &s), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_open(s, 1, URL), SMOOTHCORE_OK);
    CHECK(next(s) == SMOOTHCORE_OUTPUT_REQUEST);
    id = output.request_info->id;
    CHECK_IS(smoothcore_session_restrict(s, 1, 0, 1), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_body(s, 2, id, r->manifest, r->manifest_size, &taken), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_finished(s, 3, id, SMOOTHCORE_OK), SMOOTHCORE_OK);
    return s;
}

static void capabilities(void)
{
    rig *r = abi_rig();
    smoothcore_config config = abi_config();
    smoothcore_session *s;
    uint32_t asked = 0, dropped = 0, requests = 0, kind;
    config.decoder_flags = SMOOTHCORE_DECODER_CAPABILITIES;
    config.framing = SMOOTHCORE_FRAMING_LENGTH_PREFIXED;
    s = opened(r, &config);
    while ((kind = next(s)) != SMOOTHCORE_OUTPUT_IDLE) {
        if (kind == SMOOTHCORE_OUTPUT_CAPABILITY) {
            const smoothcore_candidate *c = output.candidate;
            uint32_t stream = output.stream, position = c->position, bitrate = c->setup->bitrate;
            CHECK(c->struct_size == sizeof *c && c->setup->struct_size == sizeof *c->setup);
            CHECK(stream == c->setup->stream && c->secure == 0 && requests == 0);
            CHECK(c->setup->framing == SMOOTHCORE_FRAMING_LENGTH_PREFIXED);
            CHECK(c->setup->record.size == 0 && !c->setup->key && c->setup->codec_string[0]);
            CHECK(stream != 0 || (c->setup->width >= 256 && c->setup->codec == SMOOTHCORE_CODEC_H264));
            CHECK(position == (stream ? 0 : asked));
            asked++;
            /* Not the level asked about, then it. */
            CHECK_IS(smoothcore_session_capable(s, 4, stream, position + 1, 0), SMOOTHCORE_OK);
            CHECK_IS(smoothcore_session_capable(s, 4, stream, position, bitrate < 110000), SMOOTHCORE_OK);
            CHECK_IS(smoothcore_session_capable(s, 4, stream, position, 0), SMOOTHCORE_OK);
        } else if (kind == SMOOTHCORE_OUTPUT_EVENT && output.event->kind == SMOOTHCORE_EVENT_LEVEL_DROPPED) {
            CHECK(output.event->code == SMOOTHCORE_E_NOT_CAPABLE && output.event->a > 110000);
            dropped++;
        } else if (kind == SMOOTHCORE_OUTPUT_REQUEST) {
            requests++;
        }
    }
    CHECK(asked == 6 && dropped == 2 && requests == 2);
    smoothcore_session_destroy(s);
    free(r);
}

static uint32_t candidates;

static int32_t can_play(void *userdata, const smoothcore_candidate *candidate)
{
    CHECK(userdata != 0);
    candidates++;
    return candidate->setup->bitrate < 110000 ? SMOOTHCORE_OK : SMOOTHCORE_E_UNSUPPORTED;
}

/* Fetches the player's events; how many of `kind` with `code`. */
static uint32_t count(smoothcore_player *player, uint32_t kind, int32_t code)
{
    smoothcore_event event;
    uint32_t found = 0;
    event.struct_size = sizeof event;
    while (smoothcore_player_event(player, &event) == SMOOTHCORE_OK)
        found += event.kind == kind && event.code == code;
    return found;
}

static void restrictions(void)
{
    rig *r = abi_rig();
    rig_tables tables;
    smoothcore_player *player;
    rig_fill_tables(r, &tables);
    tables.decoder.flags = SMOOTHCORE_DECODER_CAPABILITIES;
    tables.decoder.can_play = can_play;
    player = abi_player(&tables);
    CHECK_IS(smoothcore_player_restrict(player, 0, 1), SMOOTHCORE_E_STATE);
    CHECK_IS(abi_step(r, player, 1000000), SMOOTHCORE_OK);
    CHECK(candidates == 6);
    CHECK(count(player, SMOOTHCORE_EVENT_LEVEL_DROPPED, SMOOTHCORE_E_NOT_CAPABLE) == 2);
    /* Only what the decoder cannot play would be left. */
    CHECK_IS(smoothcore_player_restrict(player, 0, 0xFFFFFFFFFFFFFFFCu), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_restrict(player, 0, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_restrict(player, 7, 1), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_restrict(player, 0, 1), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_restrict(player, 0, 1), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 1100000), SMOOTHCORE_OK);
    CHECK(count(player, SMOOTHCORE_EVENT_LEVEL_DROPPED, SMOOTHCORE_E_OUTPUT_RESTRICTED) == 1);
    CHECK_IS(smoothcore_player_restrict(player, 0, 3), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 1200000), SMOOTHCORE_OK);
    CHECK(count(player, SMOOTHCORE_EVENT_LEVEL_ALLOWED, 0) == 1);
    smoothcore_player_destroy(player);
    CHECK(r->balance == 0 && r->closed == 0);
    free(r);
}

static void keys(void)
{
    static const uint8_t kid[16] = {1, 2, 3};
    rig *r = abi_rig();
    rig_tables tables;
    smoothcore_config config = abi_config();
    smoothcore_session *s;
    smoothcore_player *player;
    config.protection = SMOOTHCORE_PROTECTION_DECODER;
    s = opened(r, &config);
    CHECK_IS(smoothcore_session_key(s, 5, kid, SMOOTHCORE_OK, 77), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_key(s, 5, kid, SMOOTHCORE_WOULD_BLOCK, 0), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_key(s, 5, 0, SMOOTHCORE_E_KEY_REFUSED, 0), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_key(s, 5, 0, INT32_MIN, 0), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_key(s, 5, kid, SMOOTHCORE_END, 0), SMOOTHCORE_E_ARGUMENT);
    /* Nobody asked. */
    CHECK_IS(smoothcore_session_decrypted(s, 5, 0, SMOOTHCORE_OK), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_capable(s, 5, 0, 0, 1), SMOOTHCORE_OK);
    smoothcore_session_destroy(s);

    /* A port that is there and has nothing to do is closed once, after its decoders were flushed. */
    rig_fill_tables(r, &tables);
    tables.ports.protection = &tables.protection;
    player = abi_player(&tables);
    CHECK_IS(abi_step(r, player, 3000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_key(player, kid, SMOOTHCORE_OK, 5), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_key(player, 0, 3, 5), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_key(0, kid, 0, 5), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_restrict(0, 0, 1), SMOOTHCORE_E_ARGUMENT);
    CHECK(r->held[0].depth_us > 0 && r->kid_count == 0);
    smoothcore_player_destroy(player);
    CHECK(r->closed == 1 && r->held[0].depth_us == 0);
    free(r);
}

void test_protection(void)
{
    capabilities();
    restrictions();
    keys();
}
