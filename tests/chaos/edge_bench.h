/*
 * An edge on a loop of its own, and clients in a thread, so that they may block: a small TLS client
 * that shows each byte and how the connection ended, and curl, which judges as devices do.
 */
#ifndef TESTS_CHAOS_EDGE_BENCH_H
#define TESTS_CHAOS_EDGE_BENCH_H

#include "sim/chaos_edge.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { EDGE_EFFECTS = 1024, EDGE_NEW_BYTES = 50000, EDGE_OLD_BYTES = 30000 };

enum bench_cert { CERT_GOOD, CERT_EXPIRED, CERT_WRONG_NAME, CERT_UNKNOWN_CA, CERTS };

struct edge_bench {
    struct ev_loop *loop;
    struct sim_edge *edge;
    char folder[64];
    struct sockaddr_in address[CERTS];
    struct sim_edge_file file[3]; /* /new, /old, /empty */
    struct sim_edge_plan plan;    /* for every request */
    uint32_t asked_offset;
    struct sim_edge_effect effect[EDGE_EFFECTS];
    uint32_t effects;
};

/* config: NULL, or its limits. */
void edge_bench_begin(struct edge_bench *bench, const struct sim_edge_config *config);
void edge_bench_end(struct edge_bench *bench); /* asserts that no descriptor is left */
/* Runs `client` in a thread and the loop until it is done. */
void edge_bench_run(struct edge_bench *bench, void (*client)(void *ctx), void *ctx);
void edge_bench_until(struct edge_bench *bench, enum sim_edge_effect_kind kind, uint32_t count);
uint32_t edge_bench_count(const struct edge_bench *bench, enum sim_edge_effect_kind kind);
/* The only SPOILED; asserts that it is the only one. */
const struct sim_edge_effect *edge_bench_spoiled(const struct edge_bench *bench);

enum fetch_end { FETCH_COMPLETE, FETCH_CLOSED, FETCH_RESET, FETCH_TIMED_OUT, FETCH_NO_TLS };

/* One request, or many at once, and all that came back until the end. */
struct fetch {
    struct edge_bench *bench;
    enum bench_cert cert;
    const char *request; /* sent as it is */
    size_t request_len;  /* 0: strlen */
    bool raw;            /* without TLS */
    size_t stop_after;   /* leaves after so many bytes; 0: reads to the end */
    int silence_ms;      /* TIMED_OUT after so long without a byte, from the first; 0: never */
    pthread_barrier_t *connected; /* waited at before anything is sent; NULL: no */
    /* What came: */
    uint8_t *bytes; /* freed by fetch_free */
    size_t len;
    enum fetch_end end; /* CLOSED: by TLS's close_notify; COMPLETE: stop_after was reached */
    int status;
    size_t head_len; /* with its empty line */
};
void fetch(struct fetch *fetch); /* by edge_bench_run */
const uint8_t *fetch_body(const struct fetch *fetch, size_t *len);
bool fetch_has(const struct fetch *fetch, const char *header); /* a whole line of the head */
void fetch_free(struct fetch *fetch);

/* curl --cacert ca.pem ARGUMENTS https://edge.test/PATH; its output is kept. Returns its exit
 * code. */
int curl(struct edge_bench *bench, enum bench_cert cert, const char *arguments, const char *path,
         uint8_t *out, size_t *len);
/* Doubles how long curl waits (--max-time) for another try: on a busy machine all of it can go by
 * before the edge has done anything. True when no more is to be tried. */
bool patience_ends(double *max_s);

#endif
