/*
 * A lab without hardware: brickyard-emulator as a program of its own with two boards, a bench file
 * for it, scenarios with the build's images, and build/brickyard as a user runs it.
 */
#ifndef TESTS_RIG_BURNIN_LAB_H
#define TESTS_RIG_BURNIN_LAB_H

#include "rig/child.h"
#include <stdint.h>

/* A folder, the emulator in it, bench.yaml, update.yaml (2.4.0 must confirm; 2 boards, each cut
 * once), bad.yaml (2.4.0 whose drivers fail, expected to confirm). For fixtures. */
void lab_enter(void);
void lab_leave(void);
const char *lab_path(const char *name); /* one at a time */
/* pass.yaml and others: a campaign of 20 pumps in virtual time with a lab phase and this image. */
void lab_campaign(const char *name, const char *image, const char *device_type,
                  const char *telemetry_limit);
/* A bench file: the emulator's boards as "lab", with power by these channels; bench.yaml has 1, 2.
 */
void lab_bench(const char *name, int first, int second);
void lab_order(const char *line); /* to the emulator; must be "ok" */
void lab_wait_on(int64_t times);  /* until it switched boards on so often */

/* brickyard with these words, split at spaces; names that begin with '@' are in the folder. What it
 * says on both streams is in "said". */
void lab_start(struct rig_child *child, const char *words);
int lab_end(struct rig_child *child); /* exit code; -1: killed, or it took a minute */
int lab_run(const char *words);
/* What it said holds this. */
void lab_said(const char *text);

/* A number that the burn-in's file @b.db gives; -1: none. */
int64_t lab_ask(const char *sql);
void lab_wait(const char *sql, int64_t want); /* until it is so */

#endif
