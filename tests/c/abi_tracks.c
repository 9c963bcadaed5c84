/* Streams as a viewer sees them, and text that the caller brings. */
#include "abi.h"

static uint32_t texts, text_bytes, text_setups, stray_captions;
static int64_t text_times[8];
static rig_tables tables;

static int32_t configure(void *userdata, const smoothcore_setup *setup)
{
    if (setup->kind == SMOOTHCORE_KIND_TEXT) {
        CHECK(!memcmp(setup->fourcc, "TTML", 4));
        text_setups++;
        return SMOOTHCORE_OK;
    }
    return tables.decoder.configure(userdata, setup);
}

static int32_t submit(void *userdata, const smoothcore_sample *sample)
{
    if (sample->stream != 3) {
        CHECK(sample->piece_count == 0);
        return tables.decoder.submit(userdata, sample);
    }
    CHECK(texts < 8 && sample->part_count == 1 && sample->fragment == (uint64_t)sample->pts);
    text_times[texts++] = sample->pts;
    text_bytes += (uint32_t)sample->size;
    return SMOOTHCORE_OK;
}

static void captions(void *userdata, const smoothcore_captions *found)
{
    (void)userdata;
    CHECK(found->struct_size == sizeof *found && found->data.size > 0);
    stray_captions++;
}

static smoothcore_given_text given(const smoothcore_cue *cues, uint32_t count)
{
    smoothcore_given_text text;
    memset(&text, 0, sizeof text);
    text.struct_size = sizeof text;
    text.role = SMOOTHCORE_ROLE_CHAPTERS;
    memcpy(text.fourcc, "TTML", 4);
    text.name = "mine";
    text.cues = cues;
    text.cue_count = count;
    return text;
}

static void played(void)
{
    static const uint8_t words[] = "one two three";
    smoothcore_cue cues[3] = {{0, 0, {0, 0}}};
    smoothcore_given_text text = given(cues, 3);
    smoothcore_decoder_port decoder;
    smoothcore_stream_info info;
    smoothcore_attribute attribute;
    smoothcore_config config = abi_config();
    smoothcore_player *player = 0;
    rig *r = abi_rig();
    uint64_t tracks[3];
    uint32_t n, found;
    for (n = 0; n < 3; n++) {
        cues[n].time = 50000000 * (int64_t)n;
        cues[n].data.data = words;
        cues[n].data.size = 3 + n;
    }
    rig_fill_tables(r, &tables);
    decoder = tables.decoder;
    decoder.configure = configure;
    decoder.submit = submit;
    decoder.captions = captions;
    {
        smoothcore_ports ports = tables.ports;
        ports.decoder = &decoder;
        config.captions = 2;
        CHECK_IS(smoothcore_player_create(&config, &ports, &player), SMOOTHCORE_E_ARGUMENT);
        config.captions = 1;
        config.text = 4;
        CHECK_IS(smoothcore_player_create(&config, &ports, &player), SMOOTHCORE_E_ARGUMENT);
        config.text = SMOOTHCORE_TEXT_LANGUAGE;
        memcpy(config.text_language, "eng", 3);
        CHECK_IS(smoothcore_player_create(&config, &ports, &player), SMOOTHCORE_OK);
    }
    CHECK_IS(smoothcore_player_open(player, URL), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_switch(player, 2), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_player_find_track(player, 1, &found), SMOOTHCORE_E_STATE);
    CHECK_IS(abi_step(r, player, 3000000), SMOOTHCORE_OK);

    info.struct_size = sizeof info;
    for (n = 0; n < 3; n++) {
        CHECK_IS(smoothcore_player_stream(player, n, &info), SMOOTHCORE_OK);
        CHECK(info.role == SMOOTHCORE_ROLE_MAIN && info.track != 0 && info.reserved2 == 0);
        tracks[n] = info.track;
        found = 99;
        CHECK_IS(smoothcore_player_find_track(player, info.track, &found), SMOOTHCORE_OK);
        CHECK(found == n);
    }
    CHECK(tracks[0] != tracks[1] && tracks[1] != tracks[2]);
    CHECK_IS(smoothcore_player_find_track(player, 1, &found), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_find_track(player, 1, 0), SMOOTHCORE_E_ARGUMENT);

    /* The test card tells no levels apart by attributes. */
    attribute.struct_size = sizeof attribute;
    CHECK_IS(smoothcore_player_attribute(player, 0, 0, 0, &attribute), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_attribute(player, 0, 9, 0, &attribute), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_attribute(player, 9, 0, 0, &attribute), SMOOTHCORE_E_ARGUMENT);

    /* What is not whole is refused and leaves nothing behind. */
    CHECK_IS(smoothcore_player_add_text(player, 0, &found), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_add_text(player, &text, 0), SMOOTHCORE_E_ARGUMENT);
    text.cues = 0;
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_ARGUMENT);
    text = given(cues, 0);
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_ARGUMENT);
    text = given(cues, 3);
    text.role = 10;
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_ARGUMENT);
    text = given(cues, 3);
    text.reserved = &text;
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_ARGUMENT);
    text = given(cues, 3);
    text.struct_size = 3;
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_ABI);
    text = given(cues, 3);
    cues[2].time = 0;
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_ARGUMENT);
    cues[2].time = -1;
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_ARGUMENT);
    cues[2].time = 100000000;
    cues[1].data.data = 0;
    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_E_ARGUMENT);
    cues[1].data.data = words;
    CHECK_IS(smoothcore_player_stream(player, 3, &info), SMOOTHCORE_E_ARGUMENT);

    CHECK_IS(smoothcore_player_add_text(player, &text, &found), SMOOTHCORE_OK);
    CHECK(found == 3);
    memset(cues, 0xEE, sizeof cues);
    CHECK_IS(smoothcore_player_stream(player, 3, &info), SMOOTHCORE_OK);
    CHECK(info.role == SMOOTHCORE_ROLE_CHAPTERS && info.selected == 1 && info.kind == SMOOTHCORE_KIND_TEXT);
    CHECK(!strcmp(info.name, "mine") && !strcmp(info.language, "und") && !strcmp(info.subtype, "CHAP"));

    CHECK_IS(smoothcore_player_switch(player, 9), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_switch(player, 2), SMOOTHCORE_OK);
    CHECK_IS(abi_step(r, player, 600000000), SMOOTHCORE_END);
    CHECK_IS(smoothcore_player_stream(player, 1, &info), SMOOTHCORE_OK);
    CHECK(info.selected == 0);
    CHECK_IS(smoothcore_player_stream(player, 2, &info), SMOOTHCORE_OK);
    CHECK(info.selected == 1);
    CHECK(texts == 3 && text_bytes == 12 && text_setups == 1 && stray_captions == 0);
    CHECK(text_times[0] == 0 && text_times[1] == 50000000 && text_times[2] == 100000000);
    smoothcore_player_destroy(player);
    free(r);
}

/* The sans-IO twins, before there is a manifest. */
static void sessions(void)
{
    smoothcore_config config = abi_config();
    smoothcore_session *session = 0;
    smoothcore_cue cue = {0, 0, {0, 0}};
    smoothcore_given_text text = given(&cue, 1);
    smoothcore_attribute attribute;
    uint32_t stream;
    attribute.struct_size = sizeof attribute;
    CHECK_IS(smoothcore_session_create(&config, &session), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_switch(session, 1, 0), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_find_track(session, 1, &stream), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_attribute(session, 0, 0, 0, &attribute), SMOOTHCORE_E_STATE);
    CHECK_IS(smoothcore_session_add_text(session, 1, &text, &stream), SMOOTHCORE_E_STATE);
    smoothcore_session_destroy(session);
    CHECK_IS(smoothcore_session_switch(0, 1, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_find_track(0, 1, &stream), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_attribute(0, 0, 0, 0, &attribute), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_add_text(0, 1, &text, &stream), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_switch(0, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_find_track(0, 1, &stream), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_attribute(0, 0, 0, 0, &attribute), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_add_text(0, &text, &stream), SMOOTHCORE_E_ARGUMENT);
}

void test_tracks(void)
{
    played();
    sessions();
}
