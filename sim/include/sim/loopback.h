/*
 * The loopback world: the ground (ground.h) on which a fleet speaks MQTT and HTTPS over TLS, by the
 * agent's own drivers, to a real mosquitto and a real nginx on 127.0.0.1, all devices in one
 * process on one libev loop. A device whose faults touch the network goes through a chaos proxy.
 * Where the file descriptors of one process end, the devices are spread over worker processes, each
 * with a loop and proxies of its own; servers and campaign service stay in this one. They are
 * forked by prepare: no thread may run then.
 *
 * The clock is the wall's, times campaign.time_scale: what the scenario dates (phases, windows,
 * faults) goes so much faster, what belongs to a device (health checks, watchdog, retries) does
 * not. Two runs are not the same to the microsecond, so there is no digest.
 */
#ifndef SIM_LOOPBACK_H
#define SIM_LOOPBACK_H

#include "sim/given.h"
#include "sim/ground.h"

struct sim_loopback;
/* Each has to have one of the places to connect at the broker. */
enum { SIM_LOOPBACK_PROCESSES_MAX = 64 };

/* 0 or -1 (no memory). scn and given are borrowed until sim_loopback_free. given: somebody else's
 * broker, store or both, in place of our own; NULL: none. processes: that carry devices, 1: this
 * one alone, 2 to SIM_LOOPBACK_PROCESSES_MAX: so many workers; 0: as few as the descriptors allow.
 * tell: gets a line that says how to watch our own broker; NULL: nobody is told. */
int sim_loopback_create(struct sim_loopback **out, const struct scn *scn,
                        const struct sim_given *given, uint32_t processes, FILE *tell);
void sim_loopback_free(struct sim_loopback *loopback); /* NULL allowed */
const struct sim_ground *sim_loopback_ground(struct sim_loopback *loopback);

/* What this machine can carry, and what a fleet needs; the sums of preflight.c. */
struct sim_loopback_need {
    uint32_t devices;
    uint32_t through_proxy; /* of them, at the most */
    uint32_t processes;     /* wanted, as above */
    bool broker_given;      /* its limits are not known here */
};
/* 0, or -1 with what is too small, the most devices that would do, and what to change. */
int sim_loopback_preflight(const struct sim_loopback_need *need, char *message, size_t len);
/* Processes that carry the devices: what is wanted, or the fewest in which their files fit. */
uint32_t sim_loopback_processes(const struct sim_loopback_need *need);

#endif
