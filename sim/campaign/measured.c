/*
 * The bytes of camp_measured.sums: little-endian int64, in this order. One row per device
 * instead of one per message keeps a tick's transaction small.
 *
 *     0 last_us | 8 before: base expected received energy memory cpu resets | 64 after: the same
 *   120 ping_us | 128 ping_out | 136 answers | 144 answers_bad | 152 reset_us |
 *   160 crash_us | 168 total | 176 total_us | 184 n u32 | 188 the marks of the last n messages,
 *   8 bytes each
 *
 * A row of an older service has 168 bytes, or 200: four marks at 168, 0 where there is none. No row
 * of this form has as many.
 */
#include "camp.h"

enum { OLD_MARKS = 4, TAIL_BYTES = 20 };

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

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
    return at + 4;
}

static const uint8_t *get_u32(const uint8_t *at, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++)
        *value |= (uint32_t)at[i] << 8 * i;
    return at + 4;
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

uint32_t camp_measured_encode(uint8_t out[CAMP_MEASURED_BYTES_MAX], const struct camp_measured *in)
{
    uint8_t *at = put(out, in->last_us);
    at = put_span(put_span(at, &in->before), &in->after);
    at = put(put(at, in->ping_us), in->ping_out);
    at = put(put(at, in->answers), in->answers_bad);
    at = put(put(at, in->reset_us), in->crash_us);
    at = put_u32(put(put(at, in->total), in->total_us), in->marks);
    for (uint32_t i = 0; i < in->marks; i++)
        at = put(at, (int64_t)in->mark[i]);
    return (uint32_t)(at - out);
}

/* What follows the sums. */
static int get_marks(struct camp_measured *out, const uint8_t *at, uint32_t len)
{
    uint32_t marks = len == OLD_MARKS * 8 ? OLD_MARKS : 0;
    out->total = -1;
    if (len && !marks) {
        if (len >= TAIL_BYTES)
            at = get_u32(get(get(at, &out->total), &out->total_us), &marks);
        if (marks > CAMP_MARKS || len != TAIL_BYTES + 8 * marks)
            return CAMP_ECONFIG;
    }
    if (marks && camp_marks_make(out))
        return CAMP_EMEMORY;
    for (out->marks = 0; marks; marks--) {
        int64_t mark;
        at = get(at, &mark);
        if (mark)
            out->mark[out->marks++] = (uint64_t)mark;
    }
    return CAMP_OK;
}

int camp_measured_decode(struct camp_measured *out, const uint8_t *in, uint32_t len)
{
    if (len < CAMP_SUMS_BYTES)
        return CAMP_ECONFIG;
    const uint8_t *at = get(in, &out->last_us);
    at = get_span(get_span(at, &out->before), &out->after);
    at = get(get(at, &out->ping_us), &out->ping_out);
    at = get(get(at, &out->answers), &out->answers_bad);
    at = get(get(at, &out->reset_us), &out->crash_us);
    return get_marks(out, at, len - CAMP_SUMS_BYTES);
}
