/*
 * The second half of brickyard-bench: what the real protocol stack costs (the agent's drivers
 * against mosquitto and nginx on 127.0.0.1), beside what its libraries alone cost for the same.
 *
 * One thread, one loop, one struct bench_stack. Functions that return int: 0, or -1 with the reason
 * in stack->why. CPU is that of this process alone, without the servers'.
 */
#ifndef BENCH_STACK_H
#define BENCH_STACK_H

#include "drivers/http.h"
#include "drivers/mqtt.h"
#include "sim/servers.h"

enum { BENCH_DEVICES = 1000, BENCH_UNDER_WAY = 64, BENCH_IMAGE_BYTES = 512 * 1024 };
#define BENCH_IMAGE "bench-image.bin"
#define BENCH_SERVICE_SECRET "bench-service"

struct bench_stack {
    struct sim_servers servers;
    struct ev_loop *loop;
    struct ev_timer guard; /* the loop turns at least every 0.1 s */
    struct agent_tls *tls;
    char ca[SIM_PKI_PATH_MAX];
    char why[512]; /* the first failure; empty: none */
};

/* What so many of one thing took, summed over rounds. */
struct bench_cost {
    double cpu_s, wall_s;
    double cpu_begin, wall_begin;
    uint32_t count;
};
void bench_begin(struct bench_cost *cost);
void bench_end(struct bench_cost *cost, uint32_t count);

/* Growth of this process since the mark. */
struct bench_memory {
    uint64_t heap_bytes, resident_bytes;
};
void bench_memory_mark(struct bench_memory *out);
void bench_memory_grown(struct bench_memory *in_out); /* in: the mark; out: what was added */

void bench_fail(struct bench_stack *stack, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Turns the loop until *count is want, or something failed, or 30 s are over (a failure). */
int bench_until(struct bench_stack *stack, const uint32_t *count, uint32_t want);

/* stack_devices.c: BENCH_DEVICES devices on agent_mqtt. */
struct bench_devices;
int bench_devices_open(struct bench_devices **out, struct bench_stack *stack);
void bench_devices_close(struct bench_devices *devices); /* NULL allowed */
/* All of them connect, BENCH_UNDER_WAY at once, and stay. memory: NULL, or what they take. */
int bench_devices_connect(struct bench_devices *devices, struct bench_cost *cost,
                          struct bench_memory *memory);
int bench_devices_leave(struct bench_devices *devices);
/* messages of QoS 1 by BENCH_UNDER_WAY connected devices, each after the last one's PUBACK, until a
 * subscriber on agent_mqtt has them all. */
int bench_devices_say(struct bench_devices *devices, struct bench_cost *cost, uint32_t messages);

/* stack_plain.c: libmosquitto alone: one client says, one hears, BENCH_UNDER_WAY in flight. */
int bench_plain_say(struct bench_stack *stack, struct bench_cost *cost, uint32_t messages);

/* stack_tls.c: OpenSSL alone. */
int bench_plain_handshakes(struct bench_stack *stack, struct bench_cost *cost, uint32_t count);
/* The client's half of handshakes without a socket; wall is CPU here. */
int bench_memory_handshakes(struct bench_stack *stack, struct bench_cost *cost, uint32_t count);
/* BENCH_IMAGE_BYTES decrypted (AES-256-GCM, records of 16 KiB) and copied once. */
int bench_memory_images(struct bench_stack *stack, struct bench_cost *cost, uint32_t count);

/* stack_http.c, stack_curl.c: downloads of BENCH_IMAGE, BENCH_UNDER_WAY at once. */
int bench_downloads(struct bench_stack *stack, struct bench_cost *cost, uint32_t count);
int bench_plain_downloads(struct bench_stack *stack, struct bench_cost *cost, uint32_t count);
/* What `count` transfers take that have all begun and none ended. */
int bench_transfers_memory(struct bench_stack *stack, struct bench_memory *memory, uint32_t count);

/* stack.c: all of it, as a table; a line when it can't be. 0, or -1: something failed. */
int bench_stack_print(void);

#endif
