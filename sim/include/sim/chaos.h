/*
 * What the two parts of sim/chaos share: chaos_proxy.h stands between the devices of the loopback
 * world and its servers, chaos_edge.h is the server that lies.
 *
 * Both run on the caller's libev loop, in its thread, and never block; their watchers keep ev_run
 * from returning. Every callback is called from the loop only, and may call every function of its
 * own part but `free`. Pointers are not NULL unless a comment allows it. Nothing outlives `free`,
 * which closes all descriptors. SIGPIPE is never raised.
 */
#ifndef SIM_CHAOS_H
#define SIM_CHAOS_H

#include <stdint.h>

enum sim_chaos_error {
    SIM_CHAOS_OK = 0,
    SIM_CHAOS_EMEMORY = -1,
    SIM_CHAOS_ESOCKET = -2, /* no socket, or 127.0.0.1 can't be bound */
    SIM_CHAOS_ECERT = -3    /* a PEM file can't be read, or key and certificate are no pair */
};
const char *sim_chaos_error_name(int error); /* never NULL */

/* The device of an effect that belongs to none. */
#define SIM_CHAOS_NOBODY UINT32_MAX

/* CLOCK_MONOTONIC in microseconds: the time of every effect. */
int64_t sim_chaos_now_us(void);

#endif
