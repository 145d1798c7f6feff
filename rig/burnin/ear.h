/*
 * Between the fleet and a bench: a ground (sim/ground.h) that hands everything on, and listens. It
 * measures what only the wall's clock can tell: how long each answer to a ping took, from the
 * moment the command went to the broker to that of the answer's arrival. The campaign counts late
 * answers by itself; this says how long they were. And it says when the run's loop no longer takes
 * SIGINT and SIGTERM (stop.h).
 */
#ifndef RIG_BURNIN_EAR_H
#define RIG_BURNIN_EAR_H

#include "sim/ground.h"

struct bi_ear;

/* What became of the boards so far. */
struct bi_ear_now {
    uint32_t boards, confirmed, rolled_back;
};

/* pulse is called whenever the ground comes back, report while it is still open; both may be NULL.
 * inner is borrowed. NULL without memory. */
struct bi_ear_hooks {
    void (*pulse)(void *ctx, const struct bi_ear_now *now);
    void (*report)(void *ctx, uint32_t boards);
    void *ctx;
};
struct bi_ear *bi_ear_create(const struct sim_ground *inner, const struct bi_ear_hooks *hooks);
void bi_ear_free(struct bi_ear *ear); /* NULL allowed */
const struct sim_ground *bi_ear_ground(struct bi_ear *ear);

/* The safety promises that boards had broken by the time the ground gave way (`run` or `held_out`
 * failed; afterwards nobody else is told): how often, and how first; of all others, that nobody
 * looked whether they were kept. False: none, or it did not. */
bool bi_ear_broken(const struct bi_ear *ear, uint64_t broken[REP_PROMISES],
                   char what[REP_PROMISES][REP_TEXT_MAX]);

/* Microseconds, of one board; false: no answer came. */
bool bi_ear_round_trip(const struct bi_ear *ear, uint32_t board, int64_t *worst_us,
                       int64_t *median_us);

#endif
