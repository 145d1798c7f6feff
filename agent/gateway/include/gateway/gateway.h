/*
 * The host's end of a board's OTA line: speaks MQTT and HTTPS for one board through agent/drivers,
 * on the caller's libev loop. The board decides (when to connect, what to publish, what to fetch);
 * the gateway carries, and knows nothing of updates. Whatever the board says, it can reach only its
 * own topics and https URLs. One gateway for each board; any number in a process. NULL is misuse
 * unless a line allows it.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "drivers/http.h"
#include "drivers/mqtt.h"
#include "link/channel.h"

struct gateway;

struct gateway_config { /* borrowed, with all it points to, until gateway_free */
    struct ev_loop *loop;
    const char *device_id;       /* whom this line belongs to: a HELLO of another name is refused */
    struct agent_http *http;     /* shared by all gateways of a process */
    const char *http_connect_to; /* "address:port", or NULL */
    const struct agent_identity *http_identity; /* client certificate; or NULL */
    const char *bind_address;                   /* or NULL */
    struct agent_mqtt_config mqtt; /* host, port, user, secret, ...; topics and will are set here */
    uint32_t reconnect_first_ms, reconnect_max_ms;
    struct agent_clock clock; /* what the board is told */
    /* Bytes for the board's UART. Taken whole, or the rest is repeated by the channel. Neither this
     * nor note calls the gateway, but gateway_input. */
    void (*write)(void *ctx, const void *bytes, size_t len);
    /* One line for a log: "mqtt up", "get https://... from 0", "refused: ...". May be NULL. */
    void (*note)(void *ctx, const char *line);
    void *ctx;
};

/* 0 or -1. Without power: gateway_power_on is next. device_id: 1 .. 47 bytes, fit for a topic. */
int gateway_create(struct gateway **out, const struct gateway_config *config);
void gateway_free(struct gateway *gateway);                                 /* NULL allowed */
void gateway_input(struct gateway *gateway, const void *bytes, size_t len); /* from the UART */
/* The board's power is gone: its connections drop without a word (the will is sent), as those of a
 * device with a network of its own would. The caller took it: the next connection is made at once.
 */
void gateway_power_lost(struct gateway *gateway);
/* The same where the line is gone and the board may have done it: that counts for the delay between
 * connections that did not last. */
void gateway_line_lost(struct gateway *gateway);
/* The board is powered: the channel begins anew. */
void gateway_power_on(struct gateway *gateway);
void gateway_clock_set(struct gateway *gateway); /* config.clock jumped: tell the board */
/* For how long the board has asked for a connection to the broker and this gateway could not give it
 * one, in ms; 0: it has one, or asks for none, or is silent (then it is the board that is away).
 * *why: of the last attempt, borrowed; "": none has failed yet. */
int64_t gateway_owes_ms(const struct gateway *gateway, const char **why);
const struct link_counters *gateway_counters(const struct gateway *gateway);

#endif
