/* Threads. What they compute does not depend on them: each device is run by one thread at a time,
 * and nothing passes between devices before the tick. */
#include "fleet_internal.h"

enum { SPINS = 2000 };

static void run_part(struct sim_fleet *fleet, uint32_t p, int64_t until_us)
{
    struct sim_part *part = &fleet->part[p];
    uint32_t node;
    while (sim_queue_peek(&part->queue, &node) < until_us) {
        uint32_t d = node * fleet->parts + p;
        int64_t next = sim_device_run(fleet->device[d], &part->shard, until_us);
        sim_queue_set(&part->queue, node, next);
        uint32_t changes = sim_device_changes(fleet->device[d]);
        if (changes != fleet->seen_changes[d]) {
            fleet->seen_changes[d] = changes;
            part->changed[part->changes++] = d;
        }
    }
}

static unsigned wait_for_round(struct sim_crew *crew, unsigned last)
{
    for (int spin = 0; spin < SPINS; spin++)
        if (atomic_load_explicit(&crew->round, memory_order_acquire) != last)
            return atomic_load(&crew->round);
    pthread_mutex_lock(&crew->lock);
    while (atomic_load(&crew->round) == last)
        pthread_cond_wait(&crew->go, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
    return atomic_load(&crew->round);
}

static void *work(void *argument)
{
    const struct sim_worker *worker = argument;
    struct sim_fleet *fleet = worker->fleet;
    struct sim_crew *crew = &fleet->crew;
    unsigned round = 0;
    for (;;) {
        round = wait_for_round(crew, round);
        if (crew->end)
            return NULL;
        run_part(fleet, worker->part, crew->until_us);
        if (atomic_fetch_add(&crew->finished, 1) + 1 == fleet->parts - 1) {
            pthread_mutex_lock(&crew->lock);
            pthread_cond_signal(&crew->done);
            pthread_mutex_unlock(&crew->lock);
        }
    }
}

static void begin_round(struct sim_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    atomic_store(&crew->finished, 0);
    atomic_fetch_add(&crew->round, 1);
    pthread_cond_broadcast(&crew->go);
    pthread_mutex_unlock(&crew->lock);
}

int sim_crew_start(struct sim_fleet *fleet)
{
    struct sim_crew *crew = &fleet->crew;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->go, NULL);
    pthread_cond_init(&crew->done, NULL);
    for (uint32_t p = 1; p < fleet->parts; p++) {
        crew->worker[p] = (struct sim_worker){fleet, p};
        if (pthread_create(&crew->thread[p], NULL, work, &crew->worker[p]))
            return -1;
        crew->threads++;
    }
    return 0;
}

void sim_crew_stop(struct sim_fleet *fleet)
{
    struct sim_crew *crew = &fleet->crew;
    if (crew->threads) {
        crew->end = true;
        begin_round(crew);
    }
    for (uint32_t p = 1; p <= crew->threads; p++)
        pthread_join(crew->thread[p], NULL);
    crew->threads = 0;
}

void sim_crew_run(struct sim_fleet *fleet, int64_t until_us)
{
    uint32_t busy = 0, node;
    for (uint32_t p = 0; p < fleet->parts; p++)
        busy += sim_queue_peek(&fleet->part[p].queue, &node) < until_us;
    if (busy < 2 || fleet->parts < 2) { /* not worth waking anybody */
        for (uint32_t p = 0; p < fleet->parts; p++)
            run_part(fleet, p, until_us);
        return;
    }
    struct sim_crew *crew = &fleet->crew;
    crew->until_us = until_us;
    begin_round(crew);
    run_part(fleet, 0, until_us);
    for (int spin = 0; spin < SPINS; spin++)
        if (atomic_load_explicit(&crew->finished, memory_order_acquire) == fleet->parts - 1)
            return;
    pthread_mutex_lock(&crew->lock);
    while (atomic_load(&crew->finished) != fleet->parts - 1)
        pthread_cond_wait(&crew->done, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

int64_t sim_crew_next(const struct sim_fleet *fleet)
{
    int64_t next = SIM_NEVER;
    for (uint32_t p = 0; p < fleet->parts; p++) {
        uint32_t node;
        int64_t at = sim_queue_peek(&fleet->part[p].queue, &node);
        next = at < next ? at : next;
    }
    return next;
}
