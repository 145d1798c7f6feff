/*
 * Power cuts through the life of a tiny device. A story is what its agent wants; the agent is a
 * function of flash alone, like a real one after a reset, so the story goes on after any cut. Facts
 * are what the checker knows from outside: they survive cuts, and no code under test sees them.
 */
#ifndef TEST_SWEEP_H
#define TEST_SWEEP_H

#include "device.h"

enum sweep_story {
    SWEEP_CONFIRM,  /* stage, trial, confirm */
    SWEEP_WATCHDOG, /* stage, trial, watchdog reset, revert */
    SWEEP_EXHAUST,  /* stage, trial, power cycles until the trial boots are used up, revert */
    SWEEP_REFUSE,   /* stage, trial, the agent itself reverts */
    SWEEP_REPEAT,   /* confirm one update, stage the next one over the fallback, confirm, ordered
                       rollback */
    SWEEP_STORIES
};

/* Runs every cut of depth 1 or 2. Every stride-th second cut only. Asserts; prints what it ran. */
void sweep_run(enum sweep_story story, int depth, bool openssl, uint32_t stride);

#endif
