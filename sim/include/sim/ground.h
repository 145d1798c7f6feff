/*
 * What carries a fleet that does not live in virtual time: a clock that goes by itself, a network
 * of real sockets or boards. The fleet (fleet.h) stays the same: world, service, oracle, result.
 *
 * Called by one thread, in this order: prepare, open, then run and send in turns, held_out,
 * report, close.
 * Functions that return int: 0, or -1 with the reason in message (len bytes).
 */
#ifndef SIM_GROUND_H
#define SIM_GROUND_H

#include "camp/campaign.h"
#include "sim/device.h"

/* A payload of a device that reached the campaign service by the broker. */
enum sim_said { SIM_SAID_STATUS, SIM_SAID_TELEMETRY };
struct sim_ground_sink {
    void (*said)(void *ctx, enum sim_said what, uint32_t device, const char *json, uint32_t len,
                 int64_t at_us);
    void *ctx;
};

/* All devices and who they are; borrowed until close. */
struct sim_ground_fleet {
    struct sim_device *const *device;
    const struct sim_unit *unit;
    const struct camp_device_info *registry;
    uint32_t devices;
    struct sim_shard *shard;
    struct sim_ground_sink sink;
    uint32_t traced; /* the device whose story goes to `trace`; trace NULL: none */
    FILE *trace;
};

/* Devices that are no struct sim_device (programs, boards): what the fleet asks of them, as in
 * device.h. The fleet has no device of its own then, fleet.device[] is NULL. */
struct sim_ground_devices {
    void (*truth)(void *ctx, uint32_t device, struct sim_truth *out);
    uint32_t (*changes)(void *ctx, uint32_t device);
    void (*inspect)(void *ctx, uint32_t device, bool whole_data);
};

/* What `open` may return beside 0 and -1, with the reason in message. */
enum { SIM_GROUND_TOUCHED = -2 };

struct sim_ground {
    const char *name; /* of the world: "loopback" */
    void *ctx;
    const struct sim_ground_devices *devices; /* NULL: the fleet's own, struct sim_device */
    /* Is the machine up to it? Starts what the fleet needs, sets the world's pace, flash timing and
     * addresses. Nothing runs afterwards when it fails: exit code 1. */
    int (*prepare)(void *ctx, struct sim_world *world, char *message, size_t len);
    /* -1: nothing was run, exit code 1. SIM_GROUND_TOUCHED: things that outlive the run may have
     * been touched by then (boards switched off, or flashed): exit code 8. */
    int (*open)(void *ctx, const struct sim_ground_fleet *fleet, char *message, size_t len);
    /* Until until_us of the world's clock, or until the service has something to do before.
     * *now_us: the clock. -1: the ground gave way (a server ended): exit code 8. */
    int (*run)(void *ctx, int64_t until_us, int64_t *now_us, char *message, size_t len);
    /* False while what the service sent before is not taken by the broker (a message that is not
     * acknowledged is lost with the service), or the fleet is not there yet: it must not act. */
    bool (*taken)(void *ctx);
    int (*send)(void *ctx, const struct camp_out *out);
    /* Since when the broker has answered without a break, of the world's clock: whom it kept away
     * before has been away since then. NULL: always. */
    int64_t (*answered_from)(void *ctx);
    /* The broker is stopped and started again on its ports; it forgets what it held, or not. NULL:
     * this ground has none of its own. */
    int (*restart_broker)(void *ctx, bool forgets, char *message, size_t len);
    /* All devices were inspected, and their truth is asked for once more: is all answered, and did
     * what they are driven by hold out to the very end? -1: it did not (a relay that could not be
     * switched off, a worker process that ended), exit code 8. May be NULL. */
    int (*held_out)(void *ctx, char *message, size_t len);
    /* After it, where downloads have failed: does the store serve? -1: it does not, exit code 8.
     * NULL: it is known to have served all along. */
    int (*store_serves)(void *ctx, char *message, size_t len);
    /* What the report says of this ground: facts by name, and of each promise that nobody could
     * check here (rep_promise_unchecked). All other rows are there by now. */
    int (*report)(void *ctx, struct rep_result *result);
    void (*close)(void *ctx);
};

#endif
