/*
 * The loopback world: the ground (ground.h) on which a fleet speaks MQTT and HTTPS over TLS, by the
 * agent's own drivers, to a real mosquitto and a real nginx on 127.0.0.1, all devices in one
 * process on one libev loop. A device whose faults touch the network goes through a chaos proxy.
 *
 * The clock is the wall's, times campaign.time_scale: what the scenario dates (phases, windows,
 * faults) goes so much faster, what belongs to a device (health checks, watchdog, retries) does
 * not. Two runs are not the same to the microsecond, so there is no digest.
 */
#ifndef SIM_LOOPBACK_H
#define SIM_LOOPBACK_H

#include "sim/ground.h"

struct sim_loopback;

/* 0 or -1 (no memory). scn is borrowed until sim_loopback_free. tell: gets a line that says how to
 * watch the broker; NULL: nobody is told. */
int sim_loopback_create(struct sim_loopback **out, const struct scn *scn, FILE *tell);
void sim_loopback_free(struct sim_loopback *loopback); /* NULL allowed */
const struct sim_ground *sim_loopback_ground(struct sim_loopback *loopback);

/* What this machine can carry, and what a fleet needs; the sums of preflight.c. */
struct sim_loopback_need {
    uint32_t devices;
    uint32_t through_proxy; /* of them, at the most */
};
/* 0, or -1 with what is too small, the most devices that would do, and what to change. */
int sim_loopback_preflight(const struct sim_loopback_need *need, char *message, size_t len);

#endif
