/*
 * What a request does to a board, one at a time for each board. Those that wait (for a delay, or
 * for a turn) are bounded, so that there is always somebody left to answer the others:
 *
 *   on, off    wait `delay` ─► turn ─► lock ─► switch                         ─► answer
 *   reboot                     turn ─► lock ─► off ─► wait `delay` ─► on      ─► answer
 *
 * A turn is this server's queue (first come, first served), a lock is against other programs. A
 * request whose client went away is carried out all the same, as pdudaemon does.
 */
#ifndef RIG_SERVER_JOB_H
#define RIG_SERVER_JOB_H

#include "query.h"
#include "rig/server.h"
#include <pthread.h>

enum { RIG_TURNS = RIG_BENCH_BOARDS_MAX + RIG_BENCH_CONTROLLERS_MAX };

struct rig_jobs {
    const struct rig_server_config *config;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a turn ended, a request ended, or the server ends */
    struct {
        uint64_t next, serving;
    } turn[RIG_TURNS]; /* a board's, or that of a controller for channels of no board */
    uint32_t running;  /* requests that were not answered yet */
    uint32_t waiting;  /* of them: with a delay, or in a queue for their turn */
    bool ending;
};

void rig_jobs_init(struct rig_jobs *jobs, const struct rig_server_config *config);
void rig_jobs_free(struct rig_jobs *jobs);
/* From now on nobody waits: neither for a delay nor for a turn. */
void rig_jobs_end(struct rig_jobs *jobs);
/* One more request, one less. */
void rig_jobs_count(struct rig_jobs *jobs, bool one_more);
/* Until no request is running, at most ms. */
void rig_jobs_drain(struct rig_jobs *jobs, uint32_t ms);

/* The HTTP status; where it is not 200, message says what was wrong and what was left. */
unsigned rig_job_do(struct rig_jobs *jobs, const struct rig_query *query,
                    const struct rig_outlet *outlet, char *message, size_t len);

#endif
