/*
 * Who acts next: a binary heap of node numbers keyed by (time, number), with the position of each
 * node kept, so that a node's time can be changed in place. Fixed capacity. Order never depends on
 * insertion history.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stdint.h>

#define SIM_NEVER INT64_MAX

struct sim_queue {
    uint32_t capacity, count;
    uint32_t *heap;
    uint32_t *position;
    int64_t *at;
};

/* 0 or -1 (no memory). All nodes start at SIM_NEVER (out of the heap). */
int sim_queue_init(struct sim_queue *queue, uint32_t capacity);
void sim_queue_free(struct sim_queue *queue);
void sim_queue_set(struct sim_queue *queue, uint32_t node,
                   int64_t at_us); /* SIM_NEVER takes it out */
int64_t sim_queue_at(const struct sim_queue *queue, uint32_t node);
/* Smallest time and its node, SIM_NEVER when empty. */
int64_t sim_queue_peek(const struct sim_queue *queue, uint32_t *node);

#endif
