/*
 * Modelled links: how long a message takes, and when a device can't be reached. Integer arithmetic
 * only; chance comes from the caller's stream.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "sim/rng.h"
#include <stdbool.h>
#include <stdint.h>

struct sim_link {
    const char *name;
    int64_t latency_us, jitter_us; /* one way; jitter is uniform in [0, jitter_us] */
    int64_t bits_per_s;
    uint32_t loss_ppm; /* of a packet; a lost one is sent again after twice the latency and 1 s */
    uint32_t message_bytes; /* longer messages are cut into fragments of this size */
};

/* ethernet, wifi, lte-m, nb-iot, lorawan, satellite; NULL for another name. */
const struct sim_link *sim_link_find(const char *name);

/* Time for a message of this size to arrive, retransmissions included. */
int64_t sim_link_delay_us(const struct sim_link *link, struct sim_rng *rng, uint32_t bytes);

/* Time that a piece of a running transfer adds: serialisation, and now and then a retransmission.
 */
int64_t sim_link_piece_us(const struct sim_link *link, struct sim_rng *rng, uint32_t bytes);

/* What an outage takes away. */
enum { SIM_OUT_MQTT = 1, SIM_OUT_HTTP = 2, SIM_OUT_LINK = 3 };

#endif
