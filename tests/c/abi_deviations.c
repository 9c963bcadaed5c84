/* What a manifest does otherwise than the specification says: a list, or an error. */
#include "abi.h"

static const char MANIFEST[] =
    "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='20000000' IsLive='0' Title='A B'>"
    "<StreamIndex Type='audio' Name='a' Chunks='7' QualityLevels='1' Url='Q({bitrate})/F(a={start time})'>"
    "<QualityLevel Index='0' Bitrate='64000' FourCC='AACL' SamplingRate='48000' Channels='2' BitsPerSample='16'"
    " PacketSize='4' AudioTag='255' CodecPrivateData='1190'/><c t='0' d='20000000'/></StreamIndex>"
    "</SmoothStreamingMedia>";

/* A session that has been given the manifest; `failed` is what became of it. */
static smoothcore_session *opened(uint32_t strictness, int32_t *failed)
{
    smoothcore_config config = abi_config();
    smoothcore_session *session = 0;
    smoothcore_output output = {0};
    uint32_t request = 0;
    size_t taken = 0;

    config.strictness = strictness;
    output.struct_size = sizeof output;
    CHECK_IS(smoothcore_session_create(&config, &session), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_open(session, 0, "http://h/p.ism/Manifest"), SMOOTHCORE_OK);
    do CHECK_IS(smoothcore_session_poll(session, &output), SMOOTHCORE_OK);
    while (output.kind != SMOOTHCORE_OUTPUT_REQUEST);
    request = output.request_info->id;
    do *failed = smoothcore_session_poll(session, &output);
    while (output.kind != SMOOTHCORE_OUTPUT_IDLE);
    (void)smoothcore_session_body(session, 1, request, (const uint8_t *)MANIFEST, sizeof MANIFEST - 1, &taken);
    (void)smoothcore_session_finished(session, 2, request, 0);
    do *failed = smoothcore_session_poll(session, &output);
    while (output.kind != SMOOTHCORE_OUTPUT_IDLE);
    return session;
}

void test_deviations(void)
{
    int32_t failed;
    uint32_t kept = 7, lost = 7;
    smoothcore_deviation one = {0};
    smoothcore_metadata pair = {0};
    smoothcore_session *session = opened(SMOOTHCORE_MANIFEST_LENIENT, &failed);

    one.struct_size = sizeof one;
    pair.struct_size = sizeof pair;
    CHECK_IS(failed, SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_deviation_count(session, &kept, &lost), SMOOTHCORE_OK);
    CHECK(kept == 3 && lost == 0);
    CHECK_IS(smoothcore_session_deviation_count(session, &kept, 0), SMOOTHCORE_OK);
    CHECK_IS(smoothcore_session_deviation_count(session, 0, &lost), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_deviation(session, 0, &one), SMOOTHCORE_OK);
    CHECK(!strcmp(one.rule, "boolean-form") && !strcmp(one.place, "SmoothStreamingMedia@IsLive"));
    CHECK(one.offset == (uint64_t)(strstr(MANIFEST, "IsLive") - MANIFEST));
    CHECK_IS(smoothcore_session_deviation(session, 1, &one), SMOOTHCORE_OK);
    CHECK(!strcmp(one.rule, "attribute-unknown") && !strcmp(one.place, "SmoothStreamingMedia"));
    CHECK_IS(smoothcore_session_deviation(session, 2, &one), SMOOTHCORE_OK);
    CHECK(!strcmp(one.rule, "count-wrong") && !strcmp(one.place, "StreamIndex@Chunks"));
    CHECK_IS(smoothcore_session_deviation(session, 3, &one), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_deviation(session, 0, 0), SMOOTHCORE_E_ARGUMENT);
    CHECK_IS(smoothcore_session_metadata(session, 0, &pair), SMOOTHCORE_OK);
    CHECK(pair.name.size == 5 && !memcmp(pair.name.data, "Title", 5));
    CHECK(pair.value.size == 3 && !memcmp(pair.value.data, "A B", 3));
    CHECK_IS(smoothcore_session_metadata(session, 1, &pair), SMOOTHCORE_E_ARGUMENT);
    smoothcore_session_destroy(session);

    session = opened(SMOOTHCORE_MANIFEST_STRICT, &failed);
    CHECK_IS(failed, SMOOTHCORE_E_MANIFEST_DEVIATION);
    CHECK_IS(smoothcore_session_deviation_count(session, &kept, &lost), SMOOTHCORE_OK);
    CHECK(kept == 1 && lost == 0);
    CHECK_IS(smoothcore_session_deviation(session, 0, &one), SMOOTHCORE_OK);
    CHECK(!strcmp(one.rule, "boolean-form"));
    CHECK_IS(smoothcore_session_metadata(session, 0, &pair), SMOOTHCORE_E_ARGUMENT);
    smoothcore_session_destroy(session);
    CHECK(abi_held == 0);
}
