/*
 * The emulator of a bench without hardware (`emulator:` of the bench file), seen from the rig: one
 * that runs is used, else brickyard-emulator is started and ended with its user. What it knows of
 * its cuts is for precision, never for a verdict.
 *
 * One thread: the child is killed when the thread that started it ends. NULL is misuse.
 */
#ifndef RIG_EMULATED_H
#define RIG_EMULATED_H

#include "rig/benchfile.h"
#include "rig/child.h"

enum { RIG_EMULATED_PATH_MAX = 700 };

struct rig_emulated {
    struct rig_child child; /* pid 0: none was started */
    char folder[RIG_EMULATED_PATH_MAX];
    bool there; /* one runs, this one's or somebody else's */
};

/* Nothing where the bench has no `emulator:`. 0 when all that it makes is there; -1 with message,
 * and nothing runs on. seed: of one that is started. */
int rig_emulated_start(struct rig_emulated *out, const struct rig_bench *bench, uint64_t seed,
                       char *message, size_t len);
/* Ends the one that was started, which is a loss of power for its boards. */
void rig_emulated_end(struct rig_emulated *emulated);
/* An emulator works in the bench's folder now. */
bool rig_emulated_runs(const struct rig_bench *bench);

/* When the board lost its power last, on rig_port_now_us's clock, if that was after `after_us`;
 * false: it did not, or the board's console is none of an emulator's. */
bool rig_emulated_cut(int64_t *at_us, const struct rig_emulated *emulated,
                      const struct rig_bench_board *board, int64_t after_us);

#endif
