/*
 * The messages of the OTA line: what a board asks of its gateway, and what the gateway tells it.
 * Encode and decode only, little endian, drawn in FORMAT.md. Decoding takes any bytes and never
 * keeps a pointer beyond them.
 */
#ifndef LINK_MESSAGE_H
#define LINK_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum link_kind {
    /* board to gateway */
    LINK_HELLO = 1, /* text: device_id; flags: bit 0: wants MQTT up. First after LINK_EV_UP */
    LINK_PUBLISH,   /* topic, token (0: QoS 0), bytes: the JSON */
    LINK_GET,       /* id, offset, text: the URL */
    LINK_CANCEL,    /* id */
    LINK_MQTT,      /* flags bit 0: connect, or stay away */
    /* gateway to board */
    LINK_TIME = 32, /* utc_ms; after HELLO, each minute, and when the clock was set */
    LINK_MQTT_UP,   /* nothing */
    LINK_MQTT_DOWN, /* text: why */
    LINK_INCOMING,  /* topic, bytes: the JSON */
    LINK_PUBLISHED, /* token: the broker has acknowledged it */
    LINK_HEAD,      /* id, status, offset, total */
    LINK_DATA,      /* id, bytes: in order */
    LINK_END,       /* id: complete as the server declared it */
    LINK_ERROR,     /* id, text: why */
};

enum {
    LINK_DEVICE_ID_MAX = 47, /* with it the longest topic has 64 bytes, its NUL counted */
    LINK_URL_MAX = 512,
    LINK_JSON_MAX = 8192, /* the agent takes no longer message */
    LINK_DATA_MAX = 8192,
    LINK_WHY_MAX = 160,
};

enum link_topic {
    LINK_TOPIC_STATUS = 1, /* ota/status/<device> */
    LINK_TOPIC_TELEMETRY,  /* telemetry/<device> */
    LINK_TOPIC_NOTIFICATION,
    LINK_TOPIC_COMMAND,
};

/* Members that a kind does not have are zero. */
struct link_message {
    enum link_kind kind;
    uint8_t topic, flags;
    uint16_t status;
    uint32_t id, token, offset, total;
    int64_t utc_ms;
    const uint8_t *bytes; /* also of a text, which is not NUL-terminated */
    uint32_t len;
};

/* The number of bytes, or 0: does not fit max, or a member is out of range. */
uint32_t link_encode(uint8_t *out, uint32_t max, const struct link_message *message);
/* False (out zeroed): not a message of this kind. out->bytes points into bytes. */
bool link_decode(struct link_message *out, uint8_t kind, const uint8_t *bytes, uint32_t len);

#endif
