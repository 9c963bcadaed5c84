/* The decoders and the presentation clock. All hooks are called from the player's thread and must not block. */
#include "port.h"

/* To do: set up the decoder of setup->stream for setup->codec (H.264: width, height, record = start-coded parameter
 * sets; AAC: sampling_rate, channels, record = AudioSpecificConfig). It comes again when the set-up changes.
 * `setup` and everything it points to are valid during the call.
 * SMOOTHCORE_OK: send samples. SMOOTHCORE_WOULD_BLOCK: not before what I hold has drained; asked again.
 * Negative: I cannot play this; the quality level is dropped and playback goes on with the others. */
static int32_t configure(void *userdata, const smoothcore_setup *setup)
{
    (void)userdata;
    (void)setup;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: take the whole sample or nothing. Its bytes are sample->parts[0 .. part_count), one after the other, valid
 * during the call: copy them into the decoder's memory, with sample->pts_90k. A sample of an older epoch than the last flush's
 * is stale: throw it away and say OK. SMOOTHCORE_SAMPLE_PREROLL: decode, do not show.
 * SMOOTHCORE_OK: taken. SMOOTHCORE_WOULD_BLOCK: no room; the same sample comes again (call smoothcore_player_wake when
 * there is room, or it comes after 20 ms). Negative: the decoder is broken, and the session ends. */
static int32_t submit(void *userdata, const smoothcore_sample *sample)
{
    (void)userdata;
    (void)sample;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: what the stream's decoder holds now. depth_us: taken but not yet shown, 0 only when it has run dry.
 * position: the presentation time on the screen in 100 ns, SMOOTHCORE_NO_TIME before the first. dropped: pictures
 * dropped since the start. Buffering and switching decide by these numbers: they must be honest. */
static int32_t status(void *userdata, uint32_t stream, smoothcore_buffered *out)
{
    (void)userdata;
    (void)stream;
    out->depth_us = 0;
    out->position = SMOOTHCORE_NO_TIME;
    out->dropped = 0;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: throw away all that the stream holds, and keep `epoch`: what carries an older one is stale. A seek. */
static void flush(void *userdata, uint32_t stream, uint32_t epoch)
{
    (void)userdata;
    (void)stream;
    (void)epoch;
}

/* To do: tell the decoder that nothing follows, so that it shows its last pictures and its depth reaches 0. */
static void end_of_stream(void *userdata, uint32_t stream, uint32_t epoch)
{
    (void)userdata;
    (void)stream;
    (void)epoch;
}

/* To do: the only order to the presentation clock of all streams. 0: hold the picture, keep what you have, go on
 * taking samples. 1000: run. It begins held. */
static void set_rate(void *userdata, int32_t rate)
{
    (void)userdata;
    (void)rate;
}

/* To do: whether the decoder can play this quality level; asked of each before playback starts. `candidate` is valid during
 * the call. SMOOTHCORE_OK: yes. Anything else: the level is dropped, and the others play. */
static int32_t can_play(void *userdata, const smoothcore_candidate *candidate)
{
    (void)userdata;
    (void)candidate;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do, if you draw 608 or 708 captions: keep the payload, valid during the call, until the picture with this pts is shown.
 * Only with smoothcore_config.captions. */
static void hear_captions(void *userdata, const smoothcore_captions *captions)
{
    (void)userdata;
    (void)captions;
}

smoothcore_decoder_port port_decoder(struct port *port)
{
    smoothcore_decoder_port decoder = { 0 };
    decoder.struct_size = sizeof decoder;
    decoder.framing = SMOOTHCORE_FRAMING_ELEMENTARY; /* start codes and ADTS; or _LENGTH_PREFIXED */
    /* _CAPABILITIES: can_play is asked. SMOOTHCORE_DECODER_CONTIGUOUS: one part only. _NEEDS_AUD, _REPEAT_PARAMETER_SETS,
     * _UNPACED. */
    decoder.flags = SMOOTHCORE_DECODER_CAPABILITIES;
    decoder.userdata = port;
    decoder.configure = configure;
    decoder.submit = submit;
    decoder.status = status;
    decoder.flush = flush;
    decoder.end = end_of_stream;
    decoder.rate = set_rate;
    decoder.can_play = can_play;
    decoder.captions = hear_captions;
    return decoder;
}
