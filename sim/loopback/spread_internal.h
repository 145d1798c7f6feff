/* The workers as their parent sees them, shared by spread.c and hear.c. */
#ifndef SIM_LOOPBACK_SPREAD_INTERNAL_H
#define SIM_LOOPBACK_SPREAD_INTERNAL_H

#include "channel.h"
#include "loopback_internal.h"
#include <sys/types.h>

struct lb_worker {
    struct lb_spread *in;
    uint32_t number, from, to; /* its devices */
    pid_t pid;                 /* 0: none, or it was waited for */
    struct lb_channel channel;
    struct ev_io io;
    bool ready, rested;
    uint32_t asked;    /* inspections that it did not answer yet */
    int64_t silent_us; /* since it was last heard, as silence.c counts */
    uint32_t gathered, faults_told;
    struct lb_counts counts;
    uint64_t hashed, verified;
};

/* What its worker told of a device. */
struct lb_known {
    struct sim_truth truth; /* version and broken_what point to what is below */
    char version[BOOT_VERSION_MAX];
    char *what[REP_PROMISES];
};

struct lb_spread {
    struct sim_loopback *lb;
    struct lb_worker *worker;
    uint32_t workers, ready, rested;
    bool resting;
    int64_t silent_us_max, looked_us; /* silence.c */
    struct lb_known *known;
    char lost[512];
};

/* hear.c */
/* The run can't go on, for this reason unless there is one already. Always -1. */
int lb_worker_lost(struct lb_worker *w, const char *why);
/* Sends what waits, takes what came; a worker that has ended is lost. */
void lb_worker_move(struct lb_worker *w);
/* It closed its socket or lost it, so it has ended or will at once. */
void lb_worker_wait(struct lb_worker *w, int *status);

/* silence.c */
/* How long a worker may be silent: BRICKYARD_WORKER_SILENT_S, or the default. -1: that is no time,
 * with the reason. */
int lb_silence_limit(struct lb_spread *spread, char *message, size_t len);
/* Ends each worker that has been silent for too long while something was to be heard of it, and the
 * run with it. To be called every second or so; what is between two calls counts as 1 s at most. */
void lb_silence_look(struct lb_spread *spread);

#endif
