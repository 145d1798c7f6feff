/*
 * What of a bench decides what a burn-in has proved, as a text: which boards there are and in which
 * order, what powers, resets and straps each of them, where its console and its OTA line are, how
 * it is flashed, and where the controllers are. Not in it: the state folder, and how patient one is
 * (timeout, retries, flash_within, rated_cycles); secrets never are. Pure. NULL is misuse.
 *
 * One line each, in the bench's order: "board pump-1 TAB power TAB bank-1 channel 2, ... LF".
 */
#ifndef RIG_BURNIN_WIRING_H
#define RIG_BURNIN_WIRING_H

#include "rig/benchfile.h"

/* Owned by the caller (free); NULL without memory. */
char *bi_wiring_of(const struct rig_bench *bench);
/* True, with the first difference in words: "board pump-1: power was '...', and is '...'". */
bool bi_wiring_differs(const char *kept, const char *now, char *message, size_t len);

#endif
