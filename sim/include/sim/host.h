/*
 * What the worlds on real sockets (loopback, process) ask of the machine they run on: the clock of
 * the world, which is the wall's times a scale, and what a fleet may use.
 *
 * The caller owns every struct; nothing is kept here. Times in microseconds of the world. Any
 * thread. NULL is misuse.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stddef.h>
#include <stdint.h>

struct sim_host_clock {
    int64_t wall_us, world_us; /* the monotonic clock, and the world's at that moment */
};

int64_t sim_host_us(void); /* the monotonic clock */
/* The world's clock shows now_us, and goes on from there. */
void sim_host_clock_set(struct sim_host_clock *clock, int64_t now_us);
/* What it shows, when it goes `scale` times as fast as the wall's since it was set. */
int64_t sim_host_clock_now(const struct sim_host_clock *clock, uint32_t scale);

/* Memory that can be had without swapping (/proc/meminfo, MemAvailable); 0: not known. */
uint64_t sim_host_memory_bytes(void);
/* What this process has in memory; 0: not known. */
uint64_t sim_host_resident_bytes(void);
/* Connections that a listener of this host, anybody's, had no room for; 0 too when not known. */
uint64_t sim_host_listen_overflows(void);
/* Descriptors that this process, and each that it starts, may have: the hard limit. */
uint64_t sim_host_files_max(void);
/* The soft limit is raised to it. */
void sim_host_files_raise(void);

/* Something of the machine that each device needs a share of. */
struct sim_host_limit {
    const char *what;   /* with its verb: "the limit of open files (ulimit -Hn) is" */
    const char *change; /* what to do: "raise it" */
    uint64_t have;      /* of it, in its own unit */
    uint64_t most;      /* devices that it carries */
};
/* Says that so many devices are too many for it, and the most that would do. Always -1. */
int sim_host_refuse(const struct sim_host_limit *limit, char *message, size_t len,
                    uint32_t devices);

#endif
