/*
 * One MQTT 3.1.1 connection over TLS by libmosquitto on a libev loop, by the library's
 * external-loop calls (its own thread polls with select and stops near 339 clients). Persistent
 * session (clean session off) unless the config says otherwise, QoS 1 subscriptions.
 *
 * A struct agent_mqtt makes one connection after another: each is a libmosquitto instance of its
 * own, so that nothing of a lost one lives on (what was not acknowledged is sent again by who owns
 * it, as after a power cut). Events are called from the loop or from none of the functions below,
 * and every function may be called inside every event, destroy too.
 *
 * A message is acknowledged when `message` has returned, not before: one during which the
 * connection is dropped (a power cut) is delivered again, and so are those that were read with it.
 */
#ifndef DRIVERS_MQTT_H
#define DRIVERS_MQTT_H

#include "drivers/tls.h"
#include <ev.h>
#include <stdbool.h>

enum { AGENT_MQTT_TOPICS_MAX = 8 };

/* Borrowed, with all it points to, until agent_mqtt_destroy. */
struct agent_mqtt_config {
    const struct agent_tls *tls;
    const struct agent_identity *identity; /* client certificate; NULL: none */
    const char *host;                      /* address or name to connect to */
    const char *server_name;               /* name that the certificate must hold; NULL: host */
    const char *bind_address;              /* address of ours; NULL: any */
    const char *client_id;
    const char *user, *secret;                /* NULL: none */
    const char *will_topic, *will_payload;    /* last will, QoS 1, retained; NULL: none */
    const char *topic[AGENT_MQTT_TOPICS_MAX]; /* subscribed at each connection, QoS 1 */
    uint32_t topics;
    /* The broker forgets what it kept for this client id, and keeps nothing. A device has a
     * persistent session (false). */
    bool clean_session;
    /* One of thousands in a process of one thread: libmosquitto is kept from opening a socket pair
     * that nobody needs here, two descriptors for each connection, by taking the limit of files
     * away for the moment of its creation. No other thread may want a file then. */
    bool one_of_many;
    uint32_t message_bytes_max; /* larger payloads are dropped and told by `dropped` */
    uint16_t port;
    uint16_t keepalive_s;      /* 60; 5 at least, or 0: none */
    uint16_t connect_within_s; /* from connect to `up`, 30; then `down` */
    struct agent_clock clock;
};

struct agent_mqtt_events {
    /* CONNACK, and every SUBACK granted. Messages which the session kept may come before it. */
    void (*up)(void *ctx);
    /* The connection is lost, or could not be made; why is a phrase ("certificate has expired").
     * Exactly once for each agent_mqtt_connect that was not ended by a call of ours. */
    void (*down)(void *ctx, const char *why);
    void (*message)(void *ctx, const char *topic, const void *payload, uint32_t len);
    /* After one `message` or more, before they are acknowledged: what they said can be made durable
     * here. False: it can't; the connection is lost, and they are delivered again. May be NULL. */
    bool (*keep)(void *ctx);
    void (*published)(void *ctx, uint32_t token); /* PUBACK of a QoS 1 message */
    void (*answered)(void *ctx); /* the broker did, to agent_mqtt_ask; may be NULL */
    void (*dropped)(void *ctx, const char *topic, uint32_t len); /* may be NULL */
};

struct agent_mqtt;
/* No connection yet. events is borrowed. */
int agent_mqtt_create(struct agent_mqtt **out, struct ev_loop *loop,
                      const struct agent_mqtt_config *config,
                      const struct agent_mqtt_events *events, void *ctx);
void agent_mqtt_destroy(struct agent_mqtt *mqtt); /* drops; NULL allowed */

/* Begins a connection; a second call while there is one is misuse. AGENT_DRIVERS_ECONNECT: no event
 * follows, why (may be NULL) says it. */
int agent_mqtt_connect(struct agent_mqtt *mqtt, char *why, size_t len);
/* Ends it without an event. drop: as a power cut, the socket closes and the broker publishes the
 * will; disconnect: DISCONNECT is sent first, and no will is published, unless the socket takes no
 * more bytes just then. Inside an event the messages that came with the present one are
 * acknowledged after a disconnect, though nobody is told of them; after a drop they are not. */
void agent_mqtt_drop(struct agent_mqtt *mqtt);
void agent_mqtt_disconnect(struct agent_mqtt *mqtt);
/* While held, nothing is read of the connection and nothing is written: what `message` has brought
 * is not acknowledged until the hold ends, and is delivered again when the connection is dropped or
 * lost instead. For who hands messages on and acknowledges when they have arrived. Called inside
 * `message`, messages that were read with the present one still follow. Not for longer than the
 * keep-alive: a ping goes unanswered meanwhile. Without a connection it does nothing; a new one
 * begins without it. */
void agent_mqtt_hold(struct agent_mqtt *mqtt, bool hold);
bool agent_mqtt_is_up(const struct agent_mqtt *mqtt);

/* While up, otherwise ECONNECT. token comes back by `published` (QoS 1). Payload is copied. After
 * an error the message is not sent, or `down` follows. A wildcard in topic is misuse. */
int agent_mqtt_publish(struct agent_mqtt *mqtt, const char *topic, const void *payload,
                       uint32_t len, int qos, bool retain, uint32_t token);

/* Asks the broker for a sign of life, `answered`, now and not after a keep-alive's time: by an
 * UNSUBSCRIBE of what nobody has subscribed, which every broker has to acknowledge. While up,
 * otherwise ECONNECT. */
int agent_mqtt_ask(struct agent_mqtt *mqtt);

/* When to connect again after so many connections in a row that failed (1, 2, ...): first_ms,
 * doubled up to max_ms, with up to half of it more by chance. random: 32 bits. */
uint32_t agent_mqtt_retry_ms(uint32_t first_ms, uint32_t max_ms, uint32_t failed, uint32_t random);

#endif
