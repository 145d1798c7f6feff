/*
 * Keeps the host alive, and honest, when a device under test crashes or never returns: that is
 * told of the device, with a token where it is a history, instead of ending the host or hanging it.
 *
 * A thread says by sweep_guard_enter that it is about to call the device, and by sweep_guard_leave
 * that it is back. What happens outside of such calls is none of this file's business: a crash of
 * the host stays one.
 */
#ifndef SIM_SWEEP_GUARD_H
#define SIM_SWEEP_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

struct sweep_worker;

/* The call of the device that this thread is in. */
struct sweep_call {
    struct sweep_worker
        *worker;          /* whose session can be ended, NULL: the whole sweep ends, with 8 */
    const char *function; /* "boot()"; NULL: in none */
};

/* The call that this one interrupts, to be given to sweep_guard_leave. */
struct sweep_call sweep_guard_enter(struct sweep_worker *worker, const char *function);
void sweep_guard_leave(struct sweep_call before);

/* From begin to end, calls that this thread makes are guarded. The plugin's path (NULL: our own
 * device) is kept for messages, and for all threads. */
struct sweep_guard {
    timer_t timer;
    stack_t before;
    bool timed;
};
void sweep_guard_begin(struct sweep_guard *guard);
void sweep_guard_end(struct sweep_guard *guard);
void sweep_guard_name(const char *path);

#endif
