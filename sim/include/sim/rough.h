/*
 * The rough part of a real network: a chaos proxy before the broker, one before the store, and the
 * edge that lies. A device that no fault of the network may hit goes past all of them. For every
 * world on real sockets (loopback, process).
 *
 * Devices are known by their address: address_base + number. On a libev loop, one thread; what the
 * config points to is borrowed until close. Nothing survives. NULL is misuse unless a line says so.
 */
#ifndef SIM_ROUGH_H
#define SIM_ROUGH_H

#include "sim/chaos_edge.h"
#include "sim/chaos_proxy.h"
#include "sim/servers.h"
#include "sim/world.h"

enum sim_rough_server { SIM_ROUGH_BROKER, SIM_ROUGH_STORE, SIM_ROUGH_SERVERS };

struct sim_rough_config {
    struct ev_loop *loop;
    const struct sim_servers *servers;
    const struct sim_world *world; /* faults and images */
    uint32_t address_base;         /* 127.x.0.0, host order */
    void *ctx;
    /* The download of this device was spoiled; told when it happens. */
    void (*spoiled)(void *ctx, uint32_t device);
    /* An outage took effect on this device; told by sim_rough_tell. */
    void (*cut_off)(void *ctx, uint32_t device);
    /* Its outage is over, and had no effect; told by sim_rough_restore. */
    void (*spared)(void *ctx, uint32_t device);
    /* Asked for each connection to the store that is not led to the edge; NULL: none is spoiled.
     * Told when that plan reset one. */
    void (*plan)(void *ctx, uint32_t device, struct sim_proxy_plan *plan);
    void (*dropped)(void *ctx, uint32_t device, uint32_t mark);
};

/* Its faults touch the network. */
bool sim_rough_is(const struct sim_world *world, uint32_t device);
uint32_t sim_rough_count(const struct sim_world *world);

struct sim_rough;
/* 0, or -1 with the reason. Nothing is opened when no device is rough. */
int sim_rough_open(struct sim_rough **out, const struct sim_rough_config *config, char *message,
                   size_t len);
void sim_rough_close(struct sim_rough *rough); /* NULL allowed */

/* Where this device finds the server. */
uint16_t sim_rough_port(const struct sim_rough *rough, uint32_t device,
                        enum sim_rough_server server);
/* How the answers to its next connections to the store are spoiled; NULL: honestly. */
void sim_rough_spoil(struct sim_rough *rough, uint32_t device, const struct sim_fault *fault);
/* The device is cut off from what (SIM_OUT_*) until this time of the world. */
void sim_rough_outage(struct sim_rough *rough, uint32_t device, uint32_t what, int64_t until_us);
/* Outages that are over end; when the next one does, SIM_NEVER. */
void sim_rough_restore(struct sim_rough *rough, int64_t now_us);
int64_t sim_rough_next(const struct sim_rough *rough);
/* Tells of outages that took effect since the last call. */
void sim_rough_tell(struct sim_rough *rough);

#endif
