/*
 * The rough part of a real network: a chaos proxy before the broker, one before the store, and the
 * edge that lies; and which fault of a device spoils its ways through them from when to when. A
 * device that no fault of the network may hit goes past all of them. For every world on real
 * sockets (loopback, process).
 *
 * Devices are known by their address: address_base + number. On a libev loop, one thread; what the
 * config points to is borrowed until close. Times are the world's. Nothing survives. NULL is misuse
 * unless a line says so.
 */
#ifndef SIM_ROUGH_H
#define SIM_ROUGH_H

#include "sim/chaos_edge.h"
#include "sim/chaos_proxy.h"
#include "sim/servers.h"
#include "sim/world.h"

enum sim_rough_server { SIM_ROUGH_BROKER, SIM_ROUGH_STORE, SIM_ROUGH_SERVERS };
enum { SIM_ROUGH_TROUBLES_MAX = 8 }; /* of one device at once */

struct sim_rough_config {
    struct ev_loop *loop;
    const struct sim_servers *servers; /* running; a broker with mutual TLS is met at that port */
    /* A server of somebody else's in place of ours; sin_family 0: ours. Such a one has no bad
     * certificates. Of the store then: the path before the images' names, from / to /, and the PEM
     * files by which the edge is taken for it. */
    struct sockaddr_in given[SIM_ROUGH_SERVERS];
    const char *store_path, *store_cert, *store_key;
    const struct sim_world *world; /* faults and images */
    uint32_t address_base;         /* 127.x.0.0, host order */
    void *ctx;
    /* What was to be spoiled was sent, `at` is the first byte of the body that is not as it should
     * be; the device may not have seen it yet. */
    void (*spoiled)(void *ctx, uint32_t device, uint32_t at);
    /* What sim_rough_begin began had its effect on this device; told by sim_rough_tell. */
    void (*cut_off)(void *ctx, uint32_t device, const struct sim_fault *fault);
    /* It is over, and had none; told by sim_rough_restore. */
    void (*spared)(void *ctx, uint32_t device, const struct sim_fault *fault);
    /* Asked for each connection to the store that is not led to the edge, *plan is as the device's
     * troubles have it. NULL: nothing more is wanted. `dropped` is told when a plan with a mark has
     * reset a connection; may be NULL. */
    void (*plan)(void *ctx, uint32_t device, struct sim_proxy_plan *plan);
    void (*dropped)(void *ctx, uint32_t device, uint32_t mark);
};

/* Its faults touch the network. */
bool sim_rough_is(const struct sim_world *world, uint32_t device);
uint32_t sim_rough_count(const struct sim_world *world);

struct sim_rough;
/* 0, or -1 with the reason. No socket is opened when no device is rough. */
int sim_rough_open(struct sim_rough **out, const struct sim_rough_config *config, char *message,
                   size_t len);
void sim_rough_close(struct sim_rough *rough); /* NULL allowed */

/* Where this device finds the server. */
uint16_t sim_rough_port(const struct sim_rough *rough, uint32_t device,
                        enum sim_rough_server server);
/* The same with the address, which is not ours for a server that was given. */
struct sockaddr_in sim_rough_where(const struct sim_rough *rough, uint32_t device,
                                   enum sim_rough_server server);
/* How the answers to its next connections to the store are spoiled; NULL: honestly. */
void sim_rough_spoil(struct sim_rough *rough, uint32_t device, const struct sim_fault *fault);

/*
 * The device's way to these servers (SIM_OUT_*) is spoiled by this fault until then, SIM_NEVER: to
 * the end: cut off (by its `how`; else reset), slow, or led to a bad certificate. The fault is
 * borrowed until cut_off or spared tells of it; NULL: a reset of which nobody is told. Returns 0,
 * or -1 when the device is not rough or has SIM_ROUGH_TROUBLES_MAX: nothing is changed then.
 */
int sim_rough_begin(struct sim_rough *rough, uint32_t device, uint32_t what, int64_t until_us,
                    const struct sim_fault *fault);
/* Troubles whose time is over end; when the next one does, SIM_NEVER. */
void sim_rough_restore(struct sim_rough *rough, int64_t now_us);
int64_t sim_rough_next(const struct sim_rough *rough);
/* A connection, or a download, ended with this phrase of the driver's before anything came of it:
 * a bad certificate has its effect when the phrase speaks of it. */
void sim_rough_refused(struct sim_rough *rough, uint32_t device, enum sim_rough_server server,
                       const char *why);
/* Tells of the effects since the last call. */
void sim_rough_tell(struct sim_rough *rough);

#endif
