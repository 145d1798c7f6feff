/*
 * A proxy between peers on one loop: clients from addresses of their own (127.1.x.y is device
 * 256 x + y), a server behind it, a log of what was told. Nothing has an upper bound of time: what
 * never comes ends by Criterion's timeout.
 */
#ifndef TESTS_CHAOS_BENCH_H
#define TESTS_CHAOS_BENCH_H

#include "sim/chaos_proxy.h"
#include <stdbool.h>
#include <stddef.h>

enum { BENCH_DEVICES = 1024, BENCH_EFFECTS = 4096, BENCH_PEERS = 2048 };

struct bench;

/* One end of a connection. */
struct peer {
    struct bench *bench;
    int fd;
    ev_io read, write;
    uint8_t *in;
    size_t in_len, in_capacity, out_at, out_len;
    const uint8_t *out;
    bool up, fin, rst;                /* connected; what it has seen */
    bool fin_after_out;               /* sends FIN when all is sent */
    bool echoes;                      /* sends all that has come back, FIN too */
    int64_t up_us, first_us, last_us; /* connected; first and last byte come */
    struct sockaddr_in from;
};

/* A server: what each connection is sent, or an echo. */
struct bench_server {
    struct bench *bench;
    int fd;
    struct sockaddr_in address;
    ev_io accept;
    const uint8_t *greeting; /* NULL: echoes */
    size_t greeting_len;
    bool mute; /* neither: reads only */
    bool fin_after_greeting;
    struct peer *peer[BENCH_PEERS];
    uint32_t peers;
};

struct bench {
    struct ev_loop *loop;
    struct sim_proxy *proxy;
    struct bench_server server, second;
    struct sim_proxy_plan plan; /* for every connection */
    struct sim_proxy_effect effect[BENCH_EFFECTS];
    uint32_t effects;
    uint32_t plans; /* asked */
};

/* config: NULL, or queue_bytes, linger_ms, seed from it. */
void bench_begin(struct bench *bench, const struct sim_proxy_config *config);
void bench_end(struct bench *bench);                /* asserts that no descriptor is left */
void bench_turn(struct bench *bench);               /* one round of the loop, blocking */
void bench_run_us(struct bench *bench, int64_t us); /* rounds for at least so long */
uint32_t bench_count(const struct bench *bench, enum sim_proxy_effect_kind kind);
struct sim_proxy_stats bench_stats(const struct bench *bench);

#define BENCH_UNTIL(bench, condition)                                                              \
    while (!(condition))                                                                           \
    bench_turn(bench)

/* A connection of this device to the proxy; not up yet. Closed and freed by peer_free. */
struct peer *peer_connect(struct bench *bench, uint32_t device);
void peer_free(struct peer *peer);
void peer_send(struct peer *peer, const void *bytes, size_t len); /* borrowed until sent */
void peer_stop_reading(struct peer *peer);
void peer_read_on(struct peer *peer);

/* len bytes that differ by position; static, the same for each call. */
const uint8_t *bench_pattern(size_t len);
uint32_t bench_descriptors(void); /* open in this process */

#endif
