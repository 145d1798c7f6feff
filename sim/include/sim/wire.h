/*
 * A network of real sockets for an emulated device, in place of the modelled one (sim/net). The
 * device says what it wants by struct sim_wire; what comes of it is fed in by the functions below.
 *
 * Each of those may run agent and flash, and so may end in a power cut of this device: it is over
 * when the function returns, and the wire was told by `drop`. They must not be called inside a call
 * of struct sim_wire. now_us is the time of the world (world.h: pace). One thread.
 */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include "sim/device.h"

/* What a device publishes. */
enum sim_wire_topic { SIM_WIRE_STATUS, SIM_WIRE_TELEMETRY, SIM_WIRE_PONG };

struct sim_wire {
    /* A connection is wanted: answered by up or lost. */
    void (*connect)(void *ctx);
    /* Power or reset took the application away: all connections end at once, without a word. */
    void (*drop)(void *ctx);
    /* QoS 1; acknowledged by published(id). Payload is copied. */
    void (*publish)(void *ctx, enum sim_wire_topic topic, uint32_t id, const char *payload,
                    uint32_t len);
    /* A download from this byte on. spoiled: how the store is to serve it, NULL: honestly; where,
     * it works out of the same draws as sim/device/http.c. What is spoiled is told by
     * sim_device_http_sent_spoiled. */
    void (*get)(void *ctx, const char *url, uint32_t offset, const struct sim_fault *spoiled);
    void (*cancel)(void *ctx); /* of the download: no event of it may follow */
    /* The way to these servers (SIM_OUT_*) is spoiled by this fault until this time, SIM_NEVER: to
     * the end: it is cut off (network_drop by its `how`; broker_down, cdn_down), slow, or leads to
     * a bad certificate. sim_device_cut_off tells that it had an effect. */
    void (*outage)(void *ctx, uint32_t what, int64_t until_us, const struct sim_fault *fault);
};

/* Before the first run. wire is borrowed. */
void sim_device_use_wire(struct sim_device *device, const struct sim_wire *wire, void *ctx);

void sim_device_up(struct sim_device *device, struct sim_shard *shard, int64_t now_us);
/* why is a phrase, for the device's story. */
void sim_device_lost(struct sim_device *device, struct sim_shard *shard, int64_t now_us,
                     const char *why);
void sim_device_message(struct sim_device *device, struct sim_shard *shard, int64_t now_us,
                        bool command, const char *payload, uint32_t len);
void sim_device_published(struct sim_device *device, struct sim_shard *shard, int64_t now_us,
                          enum sim_wire_topic topic, uint32_t id);
/* Events of the download that was asked for last; false once it is over: no further one. */
bool sim_device_http_head(struct sim_device *device, struct sim_shard *shard, int64_t now_us,
                          uint16_t status, uint32_t offset, uint32_t total_bytes);
bool sim_device_http_data(struct sim_device *device, struct sim_shard *shard, int64_t now_us,
                          const void *bytes, uint32_t len);
void sim_device_http_end(struct sim_device *device, struct sim_shard *shard, int64_t now_us,
                         bool complete, const char *why);
/* The store has sent what `get` asked it to spoil: `at` is the first byte of the body that is not
 * as it should be. It counts when the device has got so far. */
void sim_device_http_sent_spoiled(struct sim_device *device, uint32_t at);
/* What `outage` began has had its effect. */
void sim_device_cut_off(struct sim_device *device, struct sim_shard *shard, int64_t now_us,
                        const struct sim_fault *fault);
/* It is over, and the device, which was off or not connected, has noticed nothing. */
void sim_device_spared(struct sim_device *device, const struct sim_fault *fault);

/* A message of the service is about to be sent: SCN_HOW_DUPLICATE: now, and once more after
 * *delay_us; SCN_HOW_LATE: after *delay_us instead; SCN_HOW_ANY: as it is. */
enum scn_how sim_device_spoil(struct sim_device *device, const char *payload, uint32_t len,
                              int64_t now_us, int64_t *delay_us);
/* What came after the delay was sent. */
void sim_device_spoilt(struct sim_device *device);

/* How far the device's own clock is ahead: whoever checks certificates for it adds this. */
int64_t sim_device_skew_us(const struct sim_device *device);

/* When the device wants to run next, SIM_NEVER: only when something comes in. */
int64_t sim_device_next(const struct sim_device *device);

#endif
