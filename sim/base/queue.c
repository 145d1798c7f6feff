/*
 * The binary heap behind sim/queue.h. The order is total, by (time, node number), so the smallest
 * element is the same whatever was inserted first; `position` says where a node is, so that its
 * time changes in O(log n) without a search.
 */
#include "sim/queue.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

enum { QUEUE_ROOT = 0 };
#define QUEUE_OUTSIDE UINT32_MAX

int sim_queue_init(struct sim_queue *queue, uint32_t capacity)
{
    size_t cells = capacity ? capacity : 1;
    *queue = (struct sim_queue){
        .capacity = capacity,
        .heap = malloc(cells * sizeof *queue->heap),
        .position = malloc(cells * sizeof *queue->position),
        .at = malloc(cells * sizeof *queue->at),
    };
    if (!queue->heap || !queue->position || !queue->at) {
        sim_queue_free(queue);
        return -1;
    }
    for (uint32_t node = 0; node < capacity; node++) {
        queue->position[node] = QUEUE_OUTSIDE;
        queue->at[node] = SIM_NEVER;
    }
    return 0;
}

void sim_queue_free(struct sim_queue *queue)
{
    free(queue->heap);
    free(queue->position);
    free(queue->at);
    *queue = (struct sim_queue){0};
}

static bool earlier(const struct sim_queue *queue, uint32_t a, uint32_t b)
{
    return queue->at[a] < queue->at[b] || (queue->at[a] == queue->at[b] && a < b);
}

static void place(struct sim_queue *queue, uint32_t node, uint32_t index)
{
    queue->heap[index] = node;
    queue->position[node] = index;
}

static void sift_up(struct sim_queue *queue, uint32_t node, uint32_t index)
{
    while (index > QUEUE_ROOT) {
        uint32_t parent = (index - 1) / 2;
        if (!earlier(queue, node, queue->heap[parent]))
            break;
        place(queue, queue->heap[parent], index);
        index = parent;
    }
    place(queue, node, index);
}

static void sift_down(struct sim_queue *queue, uint32_t node, uint32_t index)
{
    for (;;) {
        uint32_t child = 2 * index + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count && earlier(queue, queue->heap[child + 1], queue->heap[child]))
            child++;
        if (!earlier(queue, queue->heap[child], node))
            break;
        place(queue, queue->heap[child], index);
        index = child;
    }
    place(queue, node, index);
}

/* Puts a node where its time belongs; only one of the two directions moves it. */
static void settle(struct sim_queue *queue, uint32_t node, uint32_t index)
{
    sift_up(queue, node, index);
    sift_down(queue, node, queue->position[node]);
}

static void take_out(struct sim_queue *queue, uint32_t node)
{
    uint32_t index = queue->position[node];
    queue->position[node] = QUEUE_OUTSIDE;
    uint32_t last = queue->heap[--queue->count];
    if (last != node)
        settle(queue, last, index);
}

void sim_queue_set(struct sim_queue *queue, uint32_t node, int64_t at_us)
{
    assert(node < queue->capacity);
    bool inside = queue->position[node] != QUEUE_OUTSIDE;
    queue->at[node] = at_us;
    if (at_us == SIM_NEVER) {
        if (inside)
            take_out(queue, node);
    } else {
        settle(queue, node, inside ? queue->position[node] : queue->count++);
    }
}

int64_t sim_queue_at(const struct sim_queue *queue, uint32_t node)
{
    assert(node < queue->capacity);
    return queue->at[node];
}

int64_t sim_queue_peek(const struct sim_queue *queue, uint32_t *node)
{
    if (queue->count == 0)
        return SIM_NEVER;
    *node = queue->heap[QUEUE_ROOT];
    return queue->at[queue->heap[QUEUE_ROOT]];
}
