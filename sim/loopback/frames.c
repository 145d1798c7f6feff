/* The frames' layout, one table for both directions. */
#include "frames.h"
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { FIELDS_MAX = 14 };

struct field {
    uint8_t bytes; /* 1, 4 or 8, as its member has; 0: the end */
    size_t at;
};
struct layout {
    struct field field[FIELDS_MAX + 1];
    bool known, rest;
};

#define U8(member)                                                                                 \
    {                                                                                              \
        1, offsetof(struct lb_frame, member)                                                       \
    }
#define U32(member)                                                                                \
    {                                                                                              \
        4, offsetof(struct lb_frame, member)                                                       \
    }
#define U64(member)                                                                                \
    {                                                                                              \
        8, offsetof(struct lb_frame, member)                                                       \
    }

static const struct layout layouts[LB_FRAME_KINDS] = {
    [LB_OPEN] = {{U32(device)}, true, false},
    [LB_CLOCK] = {{U64(wall_us), U64(world_us)}, true, false},
    [LB_LETTER] = {{U32(device)}, true, true},
    [LB_SPOILT] = {{U32(device)}, true, false},
    [LB_REST] = {{{0}}, true, false},
    [LB_INSPECT] = {{U32(device), U8(whole)}, true, false},
    [LB_READY] = {{{0}}, true, false},
    [LB_FAILED] = {{{0}}, true, true},
    [LB_TRUTH] = {{U32(device), U32(changes), U32(boots), U32(cuts), U32(crashes), U32(wear_max),
                   U8(state), U8(flags), U8(brick), U64(away_until_us), U64(lost_us),
                   U64(changed_us), U64(programs), U64(erases)},
                  true,
                  true},
    [LB_BROKEN] = {{U32(device), U8(promise), U64(count)}, true, true},
    [LB_HOW] = {{U32(device), U8(how), U64(delay_us)}, true, false},
    [LB_COUNTS] = {{U32(number), U32(held_max), U64(connects), U64(refused), U64(rss_max),
                    U64(rss_grown), U64(hashed), U64(verified)},
                   true,
                   false},
    [LB_CUTS] = {{U8(state), U8(region), U8(form), U64(count)}, true, false},
    [LB_FAULT] = {{U32(number), U32(armed), U32(fired)}, true, false},
    [LB_RESTED] = {{U32(number)}, true, false},
    [LB_INSPECTED] = {{U32(device)}, true, false},
    [LB_STORY] = {{{0}}, true, true},
};

static uint32_t fixed_bytes(const struct layout *layout)
{
    uint32_t bytes = 0;
    for (const struct field *field = layout->field; field->bytes; field++)
        bytes += field->bytes;
    return bytes;
}

static uint64_t member_get(const struct lb_frame *frame, const struct field *field)
{
    const char *at = (const char *)frame + field->at;
    uint32_t four;
    uint64_t eight;
    if (field->bytes == 1)
        return *(const uint8_t *)at;
    if (field->bytes == 4)
        return memcpy(&four, at, sizeof four), four;
    return memcpy(&eight, at, sizeof eight), eight;
}

static void member_set(struct lb_frame *frame, const struct field *field, uint64_t value)
{
    char *at = (char *)frame + field->at;
    uint32_t four = (uint32_t)value;
    if (field->bytes == 1)
        *(uint8_t *)at = (uint8_t)value;
    else if (field->bytes == 4)
        memcpy(at, &four, sizeof four);
    else
        memcpy(at, &value, sizeof value);
}

static uint8_t *put(uint8_t *out, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        *out++ = (uint8_t)(value >> 8 * i);
    return out;
}

static uint64_t get(const uint8_t *in, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value |= (uint64_t)in[i] << 8 * i;
    return value;
}

static bool is_kind(uint32_t kind)
{
    return kind < LB_FRAME_KINDS && layouts[kind].known;
}

uint32_t lb_frame_bytes(const struct lb_frame *frame)
{
    assert(is_kind(frame->kind));
    uint32_t body = fixed_bytes(&layouts[frame->kind]) + frame->len;
    assert(body <= LB_BODY_MAX && (!frame->len || layouts[frame->kind].rest));
    return LB_FRAME_HEAD + body;
}

void lb_frame_put(uint8_t *out, const struct lb_frame *frame)
{
    out = put(out, lb_frame_bytes(frame) - LB_FRAME_HEAD, 4);
    out = put(out, frame->kind, 1);
    for (const struct field *field = layouts[frame->kind].field; field->bytes; field++)
        out = put(out, member_get(frame, field), field->bytes);
    if (frame->len)
        memcpy(out, frame->bytes, frame->len);
}

int lb_frame_get(struct lb_frame *out, uint32_t *used, const uint8_t *bytes, uint32_t have)
{
    if (have < LB_FRAME_HEAD)
        return 0;
    uint32_t body = (uint32_t)get(bytes, 4), kind = bytes[4];
    if (body > LB_BODY_MAX || !is_kind(kind))
        return -1;
    const struct layout *layout = &layouts[kind];
    uint32_t fixed = fixed_bytes(layout);
    if (body < fixed || (body > fixed && !layout->rest))
        return -1;
    if (have < LB_FRAME_HEAD + body)
        return 0;
    *out = (struct lb_frame){.kind = (uint8_t)kind, .len = body - fixed};
    bytes += LB_FRAME_HEAD;
    for (const struct field *field = layout->field; field->bytes; bytes += field->bytes, field++)
        member_set(out, field, get(bytes, field->bytes));
    out->bytes = bytes;
    *used = LB_FRAME_HEAD + body;
    return 1;
}
