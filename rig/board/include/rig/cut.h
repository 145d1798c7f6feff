/*
 * Cuts of a QEMU board's power: asked for, placed, torn in the flash file, and told as a record of
 * what was asked and what was hit. The cutter makes the board itself, keeps a history of its flash
 * from the SPI trace, and hands its events on.
 *
 * AT_OP needs a stepped board and is exact: same operation, form and seed, same flash file. AT_LINE
 * and AT_TIME hit what they hit, as a relay does; whether an operation was in progress is told by
 * the trace's time and the data sheet's (0.7 ms, 45 ms).
 *
 * One thread. Functions that return int: 0, or -1 with the reason in message.
 */
#ifndef RIG_CUT_H
#define RIG_CUT_H

#include "rig/board.h"
#include "rig/history.h"

struct rig_cutter;

enum rig_cut_at { RIG_CUT_AT_OP, RIG_CUT_AT_LINE, RIG_CUT_AT_TIME };

struct rig_cut_plan {
    enum rig_cut_at at;
    uint64_t op;             /* AT_OP: the operation's number, since the board was created */
    const char *pattern;     /* AT_LINE: POSIX extended regular expression; copied */
    uint32_t delay_ms;       /* AT_LINE: after that line */
    uint32_t from_ms, to_ms; /* AT_TIME: drawn from this window, from the plan on */
    struct rig_tear tear;    /* form ANY: drawn */
};

/* What became of it. */
struct rig_cut {
    struct rig_cut_plan asked; /* pattern: the cutter's, valid until the next plan */
    int64_t asked_us;          /* AT_LINE, AT_TIME: from the line or the plan to the cut */
    int64_t got_us;            /* the same, as it came */
    bool clean;                /* QEMU stopped in time, so that no late page is lost */
    bool any;                  /* there was an operation since power on; the rest is about it */
    bool hit;                  /* it was in progress, or stood at its beginning */
    struct rig_op op;          /* the last one; data NULL */
    enum scn_torn form;        /* what was done to it, if it was hit */
    int64_t into_us;           /* since it began; 0: it stood */
    /* Sectors in which QEMU's file was not what the bus had asked for, apart from the last
     * operation's. Not 0: a defect, of QEMU or of this rig. The file holds the history's now. */
    uint32_t strays;
};

/* One line: "asked operation 12, torn; hit operation 12, program 0x00010100 +256, prefix". */
void rig_cut_text(const struct rig_cut *cut, char *out, size_t len);

/* Called when power is off and the file is torn; may power on again. */
typedef void rig_cut_done(void *ctx, const struct rig_cut *cut);

/* board: copied; traced is set, ctx is given to done as well. text: where the history is written
 * from the first power on, borrowed, NULL: nowhere. */
int rig_cutter_create(struct rig_cutter **out, const struct rig_board_config *board,
                      rig_cut_done *done, FILE *text, char *message, size_t len);
void rig_cutter_free(struct rig_cutter *cutter); /* NULL allowed; not from a callback */

struct rig_board *rig_cutter_board(const struct rig_cutter *cutter); /* its power: see below */
const struct rig_history *rig_cutter_history(const struct rig_cutter *cutter); /* NULL: never on */

int rig_cutter_power_on(struct rig_cutter *cutter, char *message, size_t len);
/* Arms the next cut; the one before is forgotten. */
int rig_cutter_plan(struct rig_cutter *cutter, const struct rig_cut_plan *plan, char *message,
                    size_t len);
/* Now; what is in progress is torn so. done is not called. The record may be NULL. */
int rig_cutter_power_off(struct rig_cutter *cutter, const struct rig_tear *tear,
                         struct rig_cut *cut, char *message, size_t len);

#endif
