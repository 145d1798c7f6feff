/* The messages' bytes, and what is refused. */
#include "link/message.h"
#include "link/channel.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TEXT(s) .bytes = (const uint8_t *)(s), .len = sizeof(s) - 1

static const struct row {
    struct link_message message;
    const char *hex; /* NULL: not to be encoded */
} rows[] = {
    {{.kind = LINK_HELLO, .flags = 1, TEXT("p-1")}, "01702d31"},
    {{.kind = LINK_HELLO, .flags = 2, TEXT("p-1")}, NULL},
    {{.kind = LINK_HELLO}, NULL},
    {{.kind = LINK_HELLO, TEXT("a\nb")}, NULL},
    {{.kind = LINK_HELLO, TEXT("123456789012345678901234567890123456789012345678")}, NULL},
    {{.kind = LINK_PUBLISH, .topic = LINK_TOPIC_STATUS, .token = 0x01020304, TEXT("{}")},
     "01040302017b7d"},
    {{.kind = LINK_PUBLISH, .topic = LINK_TOPIC_TELEMETRY}, "0200000000"},
    {{.kind = LINK_PUBLISH, .topic = LINK_TOPIC_NOTIFICATION}, NULL},
    {{.kind = LINK_PUBLISH, .topic = 0}, NULL},
    {{.kind = LINK_PUBLISH, .topic = 255}, NULL},
    {{.kind = LINK_GET, .id = 7, .offset = 4096, TEXT("https://x")},
     "070000000010000068747470733a2f2f78"},
    {{.kind = LINK_GET, .id = 7}, NULL},
    {{.kind = LINK_CANCEL, .id = 0xFFFFFFFF}, "ffffffff"},
    {{.kind = LINK_CANCEL, .id = 1, TEXT("x")}, NULL},
    {{.kind = LINK_MQTT, .flags = 1}, "01"},
    {{.kind = LINK_MQTT}, "00"},
    {{.kind = LINK_TIME, .utc_ms = -2}, "feffffffffffffff"},
    {{.kind = LINK_MQTT_UP}, "00"},
    {{.kind = LINK_MQTT_UP, .flags = 1}, NULL},
    {{.kind = LINK_MQTT_DOWN, TEXT("gone")}, "676f6e65"},
    {{.kind = LINK_INCOMING, .topic = LINK_TOPIC_COMMAND, TEXT("{}")}, "047b7d"},
    {{.kind = LINK_INCOMING, .topic = LINK_TOPIC_STATUS, TEXT("{}")}, NULL},
    {{.kind = LINK_PUBLISHED, .token = 9}, "09000000"},
    {{.kind = LINK_PUBLISHED, .token = 0}, NULL},
    {{.kind = LINK_HEAD, .status = 206, .id = 1, .offset = 2, .total = 3},
     "ce00010000000200000003000000"},
    {{.kind = LINK_DATA, .id = 1, TEXT("\x00\xff")}, "0100000000ff"},
    {{.kind = LINK_DATA, .id = 1}, NULL},
    {{.kind = LINK_END, .id = 1}, "01000000"},
    {{.kind = LINK_ERROR, .id = 1, TEXT("no")}, "010000006e6f"},
    {{.kind = 0}, NULL},
    {{.kind = 6}, NULL},
    {{.kind = 41}, NULL},
    {{.kind = 255}, NULL},
};

Test(link_message, bytes_are_those_of_the_format)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[64];
        char hex[130] = "";
        const struct link_message *message = &rows[i].message;
        struct link_message back;
        uint32_t len = link_encode(out, sizeof out, message);
        for (uint32_t j = 0; j < len; j++)
            sprintf(hex + 2 * j, "%02x", out[j]);
        cr_assert_str_eq(hex, rows[i].hex ? rows[i].hex : "", "row %zu", i);
        if (!rows[i].hex)
            continue;
        cr_assert_eq(link_encode(out, len - 1, message), 0, "row %zu", i);
        cr_assert(link_decode(&back, (uint8_t)message->kind, out, len), "row %zu", i);
        cr_assert(back.kind == message->kind && back.topic == message->topic &&
                      back.flags == message->flags && back.status == message->status &&
                      back.id == message->id && back.token == message->token &&
                      back.offset == message->offset && back.total == message->total &&
                      back.utc_ms == message->utc_ms && back.len == message->len &&
                      (!back.len || !memcmp(back.bytes, message->bytes, back.len)),
                  "row %zu", i);
    }
}

Test(link_message, what_is_cut_off_or_too_long_is_refused)
{
    static uint8_t bytes[LINK_MESSAGE_MAX + 1];
    struct link_message out;
    memset(bytes, 'x', sizeof bytes);
    static const struct {
        uint8_t kind;
        uint32_t least, most;
        uint8_t first;
    } bounds[] = {
        {LINK_HELLO, 2, 48, 0},      {LINK_PUBLISH, 5, 8197, 1},    {LINK_GET, 9, 520, 'x'},
        {LINK_CANCEL, 4, 4, 'x'},    {LINK_MQTT, 1, 1, 1},          {LINK_TIME, 8, 8, 'x'},
        {LINK_MQTT_UP, 1, 1, 0},     {LINK_MQTT_DOWN, 0, 160, 'x'}, {LINK_INCOMING, 1, 8193, 3},
        {LINK_PUBLISHED, 4, 4, 'x'}, {LINK_HEAD, 14, 14, 'x'},      {LINK_DATA, 5, 8196, 'x'},
        {LINK_END, 4, 4, 'x'},       {LINK_ERROR, 4, 164, 'x'},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        bytes[0] = bounds[i].first;
        uint8_t kind = bounds[i].kind;
        cr_assert(link_decode(&out, kind, bytes, bounds[i].least), "kind %u", kind);
        cr_assert(link_decode(&out, kind, bytes, bounds[i].most), "kind %u", kind);
        cr_assert_not(link_decode(&out, kind, bytes, bounds[i].most + 1), "kind %u", kind);
        cr_assert(!out.kind && !out.bytes && !out.len);
        if (bounds[i].least)
            cr_assert_not(link_decode(&out, kind, bytes, bounds[i].least - 1), "kind %u", kind);
    }
    cr_assert_not(link_decode(&out, 0, bytes, 4));
    cr_assert_not(link_decode(&out, 20, bytes, 4));
}
