/* The DRM agent. All hooks are called from the player's thread and must not block. */
#include "port.h"

/* To do: hand offer->data, a header of offer->system_id (a PlayReady object, or the data of a pssh box), to the agent so that
 * it fetches licences. `offer` and what it points to are valid during the call: copy what you keep. Each header comes
 * once, early; those of other systems than yours come, too: leave them. */
static void take_offer(void *userdata, const smoothcore_protection_offer *offer)
{
    (void)userdata;
    (void)offer;
}

/* To do: how far the key named by the 16 bytes at `kid` is (NULL: of samples whose key nothing names).
 * SMOOTHCORE_OK: it is there, and `*key` is your number for its session, which comes back with configure and each sample.
 * SMOOTHCORE_WOULD_BLOCK: not yet; asked again at each step (call smoothcore_player_wake when it comes).
 * SMOOTHCORE_E_KEY_REFUSED or another -4xx: it will not come. */
static int32_t find_key(void *userdata, const uint8_t *kid, uint64_t *key)
{
    (void)userdata;
    (void)kid;
    *key = 0;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do, if samples are decrypted in memory: sample->data in place, by sample->protection. With a secure decoder leave it
 * out: then samples reach the decoder as they are, with vector, key and clear and protected parts.
 * SMOOTHCORE_OK: done. SMOOTHCORE_WOULD_BLOCK: not now, the same sample comes again. Negative: the sample is left out. */
static int32_t decrypt(void *userdata, const smoothcore_decrypt *sample)
{
    (void)userdata;
    (void)sample;
    return SMOOTHCORE_E_UNSUPPORTED;
}

/* To do: end the agent's sessions. The decoders are flushed by then. */
static void close_agent(void *userdata)
{
    (void)userdata;
}

smoothcore_protection_port port_protection(struct port *port)
{
    smoothcore_protection_port protection = { 0 };
    protection.struct_size = sizeof protection;
    protection.userdata = port;
    protection.offer = take_offer;
    protection.key = find_key;
    protection.decrypt = decrypt; /* 0 with a secure decoder */
    protection.close = close_agent;
    return protection;
}
