/* The queue of nodes: its order is that of a sorted list, whatever the history. */
#include "sim/queue.h"
#include "sim/rng.h"

#include <criterion/criterion.h>

/* The reference: search of the smallest (time, node). */
static int64_t naive_peek(const int64_t *at, uint32_t count, uint32_t *node)
{
    int64_t best = SIM_NEVER;
    for (uint32_t i = 0; i < count; i++) {
        if (at[i] < best) {
            best = at[i];
            *node = i;
        }
    }
    return best;
}

static void assert_heap_is_whole(const struct sim_queue *queue)
{
    uint32_t inside = 0;
    for (uint32_t i = 0; i < queue->capacity; i++)
        inside += queue->at[i] != SIM_NEVER;
    cr_assert_eq(inside, queue->count);
    for (uint32_t i = 0; i < queue->count; i++)
        cr_assert_eq(queue->position[queue->heap[i]], i);
}

Test(queue, empty_queue_is_never)
{
    struct sim_queue queue;
    uint32_t node = 7;
    cr_assert_eq(sim_queue_init(&queue, 0), 0);
    cr_assert_eq(sim_queue_peek(&queue, &node), SIM_NEVER);
    cr_assert_eq(node, 7, "node is left alone");
    sim_queue_free(&queue);
    cr_assert_eq(sim_queue_init(&queue, 3), 0);
    cr_assert_eq(sim_queue_peek(&queue, &node), SIM_NEVER);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(sim_queue_at(&queue, i), SIM_NEVER);
    sim_queue_free(&queue);
}

Test(queue, equal_times_go_by_node_number_in_any_order_of_insertion)
{
    static const uint32_t order[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};
    for (size_t row = 0; row < sizeof order / sizeof *order; row++) {
        struct sim_queue queue;
        cr_assert_eq(sim_queue_init(&queue, 4), 0);
        for (int i = 0; i < 4; i++)
            sim_queue_set(&queue, order[row][i], 100);
        for (uint32_t expect = 0; expect < 4; expect++) {
            uint32_t node = 99;
            cr_assert_eq(sim_queue_peek(&queue, &node), 100);
            cr_assert_eq(node, expect, "row %zu", row);
            sim_queue_set(&queue, node, SIM_NEVER);
        }
        sim_queue_free(&queue);
    }
}

Test(queue, time_changes_in_place)
{
    struct sim_queue queue;
    uint32_t node;
    cr_assert_eq(sim_queue_init(&queue, 3), 0);
    sim_queue_set(&queue, 0, 10);
    sim_queue_set(&queue, 1, 20);
    sim_queue_set(&queue, 2, 30);
    sim_queue_set(&queue, 2, 5);
    cr_assert_eq(sim_queue_peek(&queue, &node), 5);
    cr_assert_eq(node, 2);
    sim_queue_set(&queue, 2, 15);
    cr_assert_eq(sim_queue_peek(&queue, &node), 10);
    cr_assert_eq(node, 0);
    cr_assert_eq(sim_queue_at(&queue, 2), 15);
    sim_queue_set(&queue, 1, SIM_NEVER);
    sim_queue_set(&queue, 1, SIM_NEVER);
    cr_assert_eq(queue.count, 2);
    assert_heap_is_whole(&queue);
    sim_queue_free(&queue);
}

Test(queue, random_history_agrees_with_a_search)
{
    enum { NODES = 37, STEPS = 30000 };
    struct sim_queue queue;
    struct sim_rng rng;
    int64_t at[NODES];
    sim_rng_init(&rng, 11, 0, SIM_RNG_ROSTER, 0);
    cr_assert_eq(sim_queue_init(&queue, NODES), 0);
    for (int i = 0; i < NODES; i++)
        at[i] = SIM_NEVER;
    for (int step = 0; step < STEPS; step++) {
        uint32_t node = sim_rng_below(&rng, NODES), got = NODES, expect = NODES;
        at[node] = sim_rng_chance(&rng, 1, 4) ? SIM_NEVER : (int64_t)sim_rng_below(&rng, 50) - 10;
        sim_queue_set(&queue, node, at[node]);
        cr_assert_eq(sim_queue_peek(&queue, &got), naive_peek(at, NODES, &expect), "step %d", step);
        cr_assert_eq(got, expect, "step %d", step);
        if (step % 100 == 0)
            assert_heap_is_whole(&queue);
    }
    sim_queue_free(&queue);
}
