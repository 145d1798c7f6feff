/* The messages, by one table: which members a kind has, in this order, and what they may hold. */
#include "link/message.h"
#include "link/channel.h"
#include <string.h>

enum member {
    TOPIC = 1,
    FLAGS = 2,
    STATUS = 4,
    ID = 8,
    TOKEN = 16,
    OFFSET = 32,
    TOTAL = 64,
    UTC = 128,
    BYTES = 256, /* any, to the end */
    TEXT = 512   /* printable ASCII, to the end */
};

#define TOPIC_BIT(topic) (uint8_t)(1u << (topic))

struct form {
    uint16_t members;
    uint8_t topics, flags; /* that are allowed, by their bits */
    uint16_t least, most;  /* of bytes or text */
};

enum {
    KINDS = LINK_ERROR + 1,
    UP = TOPIC_BIT(LINK_TOPIC_STATUS) | TOPIC_BIT(LINK_TOPIC_TELEMETRY),
    IN = TOPIC_BIT(LINK_TOPIC_NOTIFICATION) | TOPIC_BIT(LINK_TOPIC_COMMAND)
};

static const struct form forms[KINDS] = {
    [LINK_HELLO] = {FLAGS | TEXT, 0, 1, 1, LINK_DEVICE_ID_MAX},
    [LINK_PUBLISH] = {TOPIC | TOKEN | BYTES, UP, 0, 0, LINK_JSON_MAX},
    [LINK_GET] = {ID | OFFSET | TEXT, 0, 0, 1, LINK_URL_MAX},
    [LINK_CANCEL] = {ID, 0, 0, 0, 0},
    [LINK_MQTT] = {FLAGS, 0, 1, 0, 0},
    [LINK_TIME] = {UTC, 0, 0, 0, 0},
    [LINK_MQTT_UP] = {FLAGS, 0, 0, 0, 0},
    [LINK_MQTT_DOWN] = {TEXT, 0, 0, 0, LINK_WHY_MAX},
    [LINK_INCOMING] = {TOPIC | BYTES, IN, 0, 0, LINK_JSON_MAX},
    [LINK_PUBLISHED] = {TOKEN, 0, 0, 0, 0},
    [LINK_HEAD] = {STATUS | ID | OFFSET | TOTAL, 0, 0, 0, 0},
    [LINK_DATA] = {ID | BYTES, 0, 0, 1, LINK_DATA_MAX},
    [LINK_END] = {ID, 0, 0, 0, 0},
    [LINK_ERROR] = {ID | TEXT, 0, 0, 0, LINK_WHY_MAX},
};

_Static_assert(LINK_JSON_MAX + 5 <= LINK_MESSAGE_MAX, "a PUBLISH fits a message");
_Static_assert(LINK_DATA_MAX + 4 <= LINK_MESSAGE_MAX, "a DATA fits a message");

static const struct form *form_of(uint32_t kind)
{
    bool known = (kind >= LINK_HELLO && kind <= LINK_MQTT) || (kind >= LINK_TIME && kind < KINDS);
    return known ? &forms[kind] : NULL;
}

static bool is_text(const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (bytes[i] < 0x20 || bytes[i] > 0x7E)
            return false;
    }
    return true;
}

static bool members_are_right(const struct form *form, const struct link_message *message)
{
    if (form->members & TOPIC && (message->topic > 7 || !(form->topics >> message->topic & 1)))
        return false;
    if (form->members & FLAGS && message->flags & ~form->flags)
        return false;
    if (message->kind == LINK_PUBLISHED && !message->token)
        return false;
    if (message->len < form->least || message->len > form->most)
        return false;
    return !(form->members & TEXT) || is_text(message->bytes, message->len);
}

static uint8_t *put(uint8_t *out, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        *out++ = (uint8_t)(value >> (8 * i));
    return out;
}

static uint64_t get(const uint8_t **in, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = bytes; i > 0; i--)
        value = value << 8 | (*in)[i - 1];
    *in += bytes;
    return value;
}

static const struct width {
    uint16_t member;
    uint8_t bytes;
} widths[] = {{TOPIC, 1}, {FLAGS, 1},  {STATUS, 2}, {ID, 4},
              {TOKEN, 4}, {OFFSET, 4}, {TOTAL, 4},  {UTC, 8}};

enum { WIDTHS = sizeof widths / sizeof widths[0] };

static uint32_t fixed_bytes(const struct form *form)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < WIDTHS; i++)
        sum += form->members & widths[i].member ? widths[i].bytes : 0;
    return sum;
}

static uint64_t member_of(const struct link_message *message, uint32_t member)
{
    switch (member) {
    case TOPIC:
        return message->topic;
    case FLAGS:
        return message->flags;
    case STATUS:
        return message->status;
    case ID:
        return message->id;
    case TOKEN:
        return message->token;
    case OFFSET:
        return message->offset;
    case TOTAL:
        return message->total;
    default:
        return (uint64_t)message->utc_ms;
    }
}

static void member_set(struct link_message *message, uint32_t member, uint64_t value)
{
    switch (member) {
    case TOPIC:
        message->topic = (uint8_t)value;
        break;
    case FLAGS:
        message->flags = (uint8_t)value;
        break;
    case STATUS:
        message->status = (uint16_t)value;
        break;
    case ID:
        message->id = (uint32_t)value;
        break;
    case TOKEN:
        message->token = (uint32_t)value;
        break;
    case OFFSET:
        message->offset = (uint32_t)value;
        break;
    case TOTAL:
        message->total = (uint32_t)value;
        break;
    default:
        message->utc_ms = (int64_t)value;
        break;
    }
}

uint32_t link_encode(uint8_t *out, uint32_t max, const struct link_message *message)
{
    const struct form *form = form_of(message->kind);
    if (!form || !members_are_right(form, message))
        return 0;
    uint32_t len = fixed_bytes(form) + message->len;
    if (len > max)
        return 0;
    for (uint32_t i = 0; i < WIDTHS; i++) {
        if (form->members & widths[i].member)
            out = put(out, member_of(message, widths[i].member), widths[i].bytes);
    }
    if (message->len)
        memcpy(out, message->bytes, message->len);
    return len;
}

bool link_decode(struct link_message *out, uint8_t kind, const uint8_t *bytes, uint32_t len)
{
    const struct form *form = form_of(kind);
    *out = (struct link_message){0};
    if (!form || len < fixed_bytes(form))
        return false;
    out->kind = (enum link_kind)kind;
    out->len = len - fixed_bytes(form);
    for (uint32_t i = 0; i < WIDTHS; i++) {
        if (form->members & widths[i].member)
            member_set(out, widths[i].member, get(&bytes, widths[i].bytes));
    }
    if (out->len)
        out->bytes = bytes;
    if (members_are_right(form, out))
        return true;
    *out = (struct link_message){0};
    return false;
}
