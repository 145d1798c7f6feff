/*
 * What was done to a board's flash, and what it must hold therefore: operations as the bus saw
 * them, cuts with their torn forms, and what others wrote into the file. It is applied to a struct
 * sim_flash at once, and written as text, which replays to the same bytes: the differential between
 * a board and the simulator.
 *
 *   brickyard-flash-history 1
 *   sector 0x00010000 HEX            that sector (4,096 bytes) holds this; at first, all that are
 * not blank 0x00011000                 FF; later, what others wrote program 17 0x00010000 HEX
 * operation 17, within one page erase 18 0x00011000 4096         whole sectors cut 19 prefix 17
 * SEED INDEX program 0x00010100 HEX          power went in operation 19; torn at cut 20 random 0
 * SEED INDEX erase 0x00012000 4096            byte 17 of its page (0: drawn)
 *
 * One thread. Functions that return int: 0, or -1 (no memory, or the text could not be written).
 */
#ifndef RIG_HISTORY_H
#define RIG_HISTORY_H

#include "rig/board.h"
#include "scn/scenario.h"
#include <stdio.h>

struct rig_history;

enum { RIG_HISTORY_BYTES = 1024 * 1024, RIG_HISTORY_LINE_MAX = 8400 };

/* How an operation was torn. Chance is drawn from (seed, index). */
struct rig_tear {
    enum scn_torn form; /* not ANY */
    uint32_t tear;      /* PREFIX, SUFFIX: bytes from the page's or sector's start; 0: drawn */
    uint64_t seed;
    uint32_t index; /* numbers the cuts of one seed */
};

/* to: borrowed, NULL: no text. flash: RIG_HISTORY_BYTES. */
int rig_history_open(struct rig_history **out, const uint8_t *flash, FILE *to);
void rig_history_free(struct rig_history *history); /* NULL allowed */

/* The operation must lie in the flash: a program within one page, an erase of whole sectors. */
int rig_history_op(struct rig_history *history, const struct rig_op *op);
int rig_history_cut(struct rig_history *history, const struct rig_op *op,
                    const struct rig_tear *tear);
/* The file holds this now, whoever wrote it; what is equal is not noted. Returns how many sectors
 * differed, or -1. */
int rig_history_found(struct rig_history *history, const uint8_t *flash);

void rig_history_flash(const struct rig_history *history, uint8_t *flash);
bool rig_history_fits(const struct rig_op *op); /* may it be given to the functions above? */
/* Draws the form that stands for ANY. */
enum scn_torn rig_history_form(uint64_t seed, uint32_t index);

/* Reads a text; any bytes. -1: message names the line. */
int rig_history_replay(struct rig_history **out, FILE *from, char *message, size_t len);

#endif
