/*
 * SIGINT and SIGTERM of a burn-in. A run's own loop takes them while it goes on; before, between
 * cycles, and from the moment that a cycle's boards are looked at for the last time, they wait, and
 * are taken once it is over: a cycle that came to its end stands, and the next one does not begin.
 *
 *     hold ── prepare ── release ── run ── hold ── inspect, close ── came? ── prepare ...
 */
#ifndef RIG_BURNIN_STOP_H
#define RIG_BURNIN_STOP_H

#include <stdbool.h>
#include <stdint.h>

void bi_stop_hold(void);    /* from here on they wait; threads that are begun are not told */
void bi_stop_release(void); /* from here on they are taken as they come, one that waits at once */
/* Held: one came, or comes within so long; it is taken. */
bool bi_stop_came(int64_t within_ms);

#endif
