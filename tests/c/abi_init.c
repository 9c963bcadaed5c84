/* The start of an MP4 file: its length is told, and nothing is written beyond the buffer. */
#include "abi.h"

void test_init(void)
{
    rig *r = abi_rig();
    rig_tables t;
    smoothcore_player *player;
    uint8_t segment[2048];
    uint32_t count = 0, stream;
    size_t length = 0, again = 0, i;

    rig_fill_tables(r, &t);
    player = abi_player(&t);
    CHECK_IS(smoothcore_player_init_segment(player, 0, 0, segment, sizeof segment, &length), SMOOTHCORE_E_STATE);
    CHECK_IS(abi_step(r, player, 3000000), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_player_stream_count(player, &count), SMOOTHCORE_OK);
    CHECK(count == 3);
    for (stream = 0; stream < count; stream++) {
        CHECK_IS(smoothcore_player_init_segment(player, stream, 0, 0, 0, &length), SMOOTHCORE_OK);
        CHECK(length > 400 && length < sizeof segment);
        memset(segment, 0xAA, sizeof segment);
        CHECK_IS(smoothcore_player_init_segment(player, stream, 0, segment, length - 1, &again), SMOOTHCORE_OK);
        CHECK(again == length);
        for (i = 0; i < sizeof segment; i++) CHECK(segment[i] == 0xAA);
        CHECK_IS(smoothcore_player_init_segment(player, stream, 0, segment, length, &again), SMOOTHCORE_OK);
        CHECK(again == length && segment[length] == 0xAA);
        CHECK(!memcmp(segment + 4, "ftypiso6", 8) && !memcmp(segment + 32, "moov", 4));
    }
    CHECK_IS(smoothcore_player_init_segment(player, count, 0, 0, 0, &length), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_player_init_segment(player, 0, 99, 0, 0, &length), SMOOTHCORE_E_ARGUMENT);
    /* It goes on as if nobody had asked. */
    CHECK_IS(abi_step(r, player, 200000000), SMOOTHCORE_END);
    smoothcore_player_destroy(player);
    CHECK(r->balance == 0);
    free(r);
}
