/*
 * The bytes of camp_measured.sums: little-endian int64, in this order. One row per device
 * instead of one per message keeps a tick's transaction small.
 *
 *     0 last_us | 8 before: base expected received energy memory cpu resets | 64 after: the same
 *   120 ping_us | 128 ping_out | 136 answers | 144 answers_bad | 152 reset_us |
 *   160 crash_us | 168 the marks of the last messages, 8 bytes each (not in old rows)
 */
#include "camp.h"

static uint8_t *put(uint8_t *at, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(bits >> 8 * i);
    return at + 8;
}

static const uint8_t *get(const uint8_t *at, int64_t *value)
{
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++)
        bits |= (uint64_t)at[i] << 8 * i;
    *value = (int64_t)bits;
    return at + 8;
}

static uint8_t *put_span(uint8_t *at, const struct camp_span *span)
{
    at = put(put(put(at, span->base_us), span->expected), span->received);
    at = put(put(put(at, span->energy), span->memory), span->cpu);
    return put(at, span->resets);
}

static const uint8_t *get_span(const uint8_t *at, struct camp_span *span)
{
    at = get(get(get(at, &span->base_us), &span->expected), &span->received);
    at = get(get(get(at, &span->energy), &span->memory), &span->cpu);
    return get(at, &span->resets);
}

void camp_measured_encode(uint8_t out[CAMP_MEASURED_BYTES], const struct camp_measured *in)
{
    uint8_t *at = put(out, in->last_us);
    at = put_span(put_span(at, &in->before), &in->after);
    at = put(put(at, in->ping_us), in->ping_out);
    at = put(put(at, in->answers), in->answers_bad);
    at = put(put(at, in->reset_us), in->crash_us);
    for (int i = 0; i < CAMP_MARKS; i++)
        at = put(at, (int64_t)in->mark[i]);
}

void camp_measured_decode(struct camp_measured *out, const uint8_t *in, uint32_t len)
{
    const uint8_t *at = get(in, &out->last_us);
    at = get_span(get_span(at, &out->before), &out->after);
    at = get(get(at, &out->ping_us), &out->ping_out);
    at = get(get(at, &out->answers), &out->answers_bad);
    at = get(get(at, &out->reset_us), &out->crash_us);
    for (int i = 0; i < CAMP_MARKS; i++) {
        int64_t mark = 0;
        if (len == CAMP_MEASURED_BYTES)
            at = get(at, &mark);
        out->mark[i] = (uint64_t)mark;
    }
}
