/*
 * One MQTT connection: a libmosquitto instance, its socket on the loop, its timer. It belongs to a
 * struct agent_mqtt until it is lost, dropped or disconnected, and dies alone after that: not
 * before the library call that it may be inside has returned, because libmosquitto holds a lock
 * while it calls back.
 */
#ifndef AGENT_DRIVERS_MQTT_LINK_H
#define AGENT_DRIVERS_MQTT_LINK_H

#include "drivers/mqtt.h"
#include "tls_peer.h"
#include <mosquitto.h>

enum {
    /* Bytes of the socket read for one event of the loop: one flooded client does not starve the
     * others. More than one TLS record. */
    MQTT_READ_MAX = 32768,
    /* libmosquitto has no limit for incoming packets: it holds one while it grows, and copies it at
     * its end. A longer one ends the connection. */
    MQTT_PACKET_MAX = 4 << 20,
    /* A TLS record with a PINGRESP, of which no callback tells, has at most so many bytes. */
    MQTT_PING_BYTES = 64
};

struct agent_mqtt {
    struct ev_loop *loop;
    const struct agent_mqtt_config *config;
    const struct agent_mqtt_events *events;
    void *ctx;
    struct mqtt_link *link; /* NULL: no connection */
};

/* A QoS 1 message on its way: libmosquitto's number for it, and the caller's. */
struct mqtt_token {
    struct mqtt_token *next;
    int mid;
    uint32_t token;
};

struct mqtt_link {
    struct agent_mqtt *owner; /* NULL: ended by a call of ours, no event follows */
    struct ev_loop *loop;
    struct mosquitto *mosq;
    struct agent_tls_peer peer;
    ev_io io;
    ev_timer timer;                        /* until `up`: connect_within_s; then keepalive */
    struct mqtt_token *token, **token_end; /* the oldest first */
    uint32_t read_left;                    /* for this event of the loop */
    uint32_t packet_bytes;                 /* read since the last packet that a callback told of */
    int subscription;                      /* libmosquitto's number of our SUBSCRIBE */
    int busy;                              /* depth of library calls that may call back */
    bool reading; /* inside the library's read: nothing is written meanwhile */
    bool held;    /* agent_mqtt_hold */
    bool unkept;  /* messages were handed over in this read, and `keep` was not asked yet */
    bool up;
    bool goodbye;  /* DISCONNECT is still to be sent */
    char why[160]; /* it is lost, and this is why; empty: it is not */
};

/* NULL: it could not be begun, why says it. */
struct mqtt_link *mqtt_link_begin(struct agent_mqtt *owner, char *why, size_t len);
/* From now on it has no owner; frees it, at once or when the library returns. */
void mqtt_link_end(struct mqtt_link *link, bool goodbye);
void mqtt_link_watch(struct mqtt_link *link); /* what the library now wants of the socket */
/* The loop tells the owner, soon. The first reason stays. */
void mqtt_link_lose(struct mqtt_link *link, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void mqtt_link_is_up(struct mqtt_link *link);

/* libmosquitto's callbacks (mqtt_calls.c). */
void mqtt_calls_set(struct mosquitto *mosq);
struct mqtt_token *mqtt_token_add(struct mqtt_link *link, uint32_t token);
bool mqtt_token_take(struct mqtt_link *link, int mid, uint32_t *token);

#endif
