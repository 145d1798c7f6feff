/* build/brickyard as a user runs it: what it says, how it ends. */
#ifndef TEST_RIG_CLI_RUN_H
#define TEST_RIG_CLI_RUN_H

#include "kit.h"
#include "rig/child.h"

struct run {
    struct rig_child child;
};
/* "brickyard rig WORDS"; words are split at spaces, "BENCH" is the bench file "desk.yaml". The
 * answers are in kit_read("out") and ("err") when it has ended. */
void run_start(struct run *run, const char *words);
int run_end(struct run *run); /* exit code; killed after 20 s: -1 */
int run_rig(const char *words);
/* "brickyard WORDS", for at most 60 s. */
int run_brickyard(const char *words);
bool run_is_over(struct run *run, int within_ms);

/* What the last one said on standard error holds this. */
bool run_said(const char *text);
bool run_told(const char *text); /* on standard output */

#endif
