/*
 * The campaign service's place at the broker: it hears every device of a registry and speaks to
 * each, and to nobody else in any other way. Over an MQTT connection that is made again whenever it
 * is lost; what was sent and not acknowledged is sent again then (devices tolerate duplicates).
 *
 * On a libev loop, one thread. Strings and the registry are borrowed until sim_desk_free. Nothing
 * survives a crash but what the service has in its own database.
 */
#ifndef SIM_DESK_H
#define SIM_DESK_H

#include "camp/campaign.h"
#include "drivers/mqtt.h"
#include "sim/ground.h"

enum { SIM_DESK_KEEPALIVE_S = 60 };

struct sim_desk_config {
    struct ev_loop *loop;
    const struct agent_tls *tls;
    const struct agent_identity *identity; /* NULL: none */
    const char *host, *server_name, *client_id, *user, *secret;
    uint16_t port;
    struct agent_clock clock; /* for certificates */
    const struct camp_device_info *device;
    uint32_t devices;
    /* A payload of a device; bytes are valid during the call only. */
    void (*said)(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len);
    /* After payloads and before the broker hears that they arrived: whoever is killed later has
     * them, or gets them again. False: they could not be kept; the connection is made anew. May be
     * NULL. */
    bool (*keep)(void *ctx);
    /* A device is there (its own word), or gone (its last will, by the broker). May be NULL. */
    void (*presence)(void *ctx, uint32_t device, bool online);
    /* The connection came, or went (why is a phrase). May be NULL. */
    void (*link)(void *ctx, bool up, const char *why);
    void *ctx;
};

struct sim_desk_counts {
    uint64_t heard, sent, sent_again, lost; /* messages; lost: connections */
    uint64_t foreign;                       /* messages of nobody in the registry, or too large */
    uint64_t online;                        /* news of devices that came (their presence) */
    uint64_t signs;                         /* of the broker's life: whatever came of it */
};

struct sim_desk;
/* Begins to connect. 0 or -1 (no memory). */
int sim_desk_create(struct sim_desk **out, const struct sim_desk_config *config);
void sim_desk_free(struct sim_desk *desk); /* NULL allowed */
bool sim_desk_is_up(const struct sim_desk *desk);
/* Why the last connection was lost, or not made; "": none was. Until the next loss. */
const char *sim_desk_why(const struct sim_desk *desk);
/* Asks the broker for a sign of life (counts.signs), unless it owes one. */
void sim_desk_ask(struct sim_desk *desk);
/* Copied; sent as soon as there is a connection. 0 or -1 (no memory). */
int sim_desk_send(struct sim_desk *desk, const struct camp_out *out);
/* Messages that the broker has not acknowledged yet. */
uint32_t sim_desk_outstanding(const struct sim_desk *desk);
/* The number (camp_out.number) of the first of them, INT64_MAX: none. */
int64_t sim_desk_outstanding_from(const struct sim_desk *desk);
void sim_desk_counts(const struct sim_desk *desk, struct sim_desk_counts *out);

#endif
