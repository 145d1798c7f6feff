/* Between the files of the gateway. */
#ifndef GATEWAY_INSIDE_H
#define GATEWAY_INSIDE_H

#include "gateway/gateway.h"
#include "link/channel_state.h"
#include "link/message.h"

enum {
    GATEWAY_TOPIC_MAX = 64,
    GATEWAY_TOKENS_MAX = 64,  /* publishes of the board that the broker has not answered */
    GATEWAY_BUFFER = 65536,   /* of a download */
    GATEWAY_PAUSE_AT = 32768, /* libcurl hands over 16 KiB at most after that */
    GATEWAY_GO_ON_AT = 8192,
    GATEWAY_CHUNK = LINK_PAYLOAD_MAX - 4, /* of a DATA message: one frame */
    GATEWAY_LOOSE_BYTES = 1024,           /* of a QoS 0 message */
    GATEWAY_LOOSE_PER_S = 32,             /* QoS 0 messages a second; more are dropped */
};

/* A message of the broker's that the board has not dealt with. */
struct gateway_letter {
    struct gateway_letter *next;
    uint8_t topic;
    bool sent;
    uint32_t number; /* link_sent when it was */
    uint32_t len;
    uint8_t bytes[];
};

struct gateway_download {
    struct agent_transfer *transfer; /* NULL: ended, or none */
    bool wanted;                     /* the board waits for something of it */
    uint32_t id;
    bool head, ended, failed; /* still to be told */
    uint16_t status;
    uint32_t offset, total;
    char why[LINK_WHY_MAX + 1];
    uint32_t at, len; /* in buffer: next byte for the board, end */
    bool paused;
    uint8_t buffer[GATEWAY_BUFFER];
};

struct gateway {
    const struct gateway_config *config;
    struct link_channel channel;
    bool powered, greeted;
    bool pumping, again;
    ev_timer link_timer, time_timer, retry_timer;

    struct agent_mqtt *mqtt;
    struct agent_mqtt_config mqtt_config;
    char notification[GATEWAY_TOPIC_MAX], command[GATEWAY_TOPIC_MAX], status[GATEWAY_TOPIC_MAX];
    char telemetry[GATEWAY_TOPIC_MAX], presence[GATEWAY_TOPIC_MAX];
    char offline[GATEWAY_TOPIC_MAX + 32], online[GATEWAY_TOPIC_MAX + 32];
    bool wants_mqtt, connecting; /* connecting: up, or an event will say why not */
    uint32_t failed;             /* connections in a row that did not last */
    uint32_t hasty;              /* those in a row that the board ended and that did not last */
    int64_t up_since_ms;
    int64_t owes_since_ms; /* the board asks for a connection, and has none; 0: it has */
    int64_t not_before_ms; /* a board that asks is not connected earlier */
    struct gateway_letter *letters, **letters_end;
    uint32_t unanswered;                    /* QoS 1 publishes */
    uint32_t published[GATEWAY_TOKENS_MAX]; /* tokens still to be told, the oldest first */
    uint32_t published_count;
    uint32_t loose;
    int64_t loose_since_ms;

    bool tell_time, tell_up, tell_down;
    char down_why[LINK_WHY_MAX + 1];

    struct gateway_download download;
};

/* gateway.c */
void gateway_pump(struct gateway *gateway); /* what there is to say and to hear, now */
void gateway_note(const struct gateway *gateway, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gateway_text(char *out, size_t size, const char *text); /* printable ASCII, cut off */
/* Sends a message of the line. False: no room now. */
bool gateway_send(struct gateway *gateway, const struct link_message *message);
void gateway_after(const struct gateway *gateway, ev_timer *timer, double s);

/* board.c: what the board says. */
void gateway_heed(struct gateway *gateway, const struct link_delivery *got);

/* broker.c */
int gateway_broker_create(struct gateway *gateway);
void gateway_broker_want(struct gateway *gateway, bool wanted);
/* Without a word: the will is sent, and what the board has not dealt with comes again. */
void gateway_broker_drop(struct gateway *gateway);
/* The board was cut off by whoever drives it: that is not held against it. */
void gateway_broker_forgive(struct gateway *gateway);
void gateway_broker_publish(struct gateway *gateway, const struct link_message *message);
void gateway_broker_say(struct gateway *gateway); /* to the board */

/* download.c */
void gateway_download_get(struct gateway *gateway, const struct link_message *message);
void gateway_download_cancel(struct gateway *gateway);
void gateway_download_say(struct gateway *gateway); /* to the board */

#endif
