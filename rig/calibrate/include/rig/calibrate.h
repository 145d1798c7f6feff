/*
 * Calibration of one board: its power is cut again and again while it prints without a pause, and
 * the console's last byte tells when power was gone (rig/aim.h). Then the same latency is used for
 * cuts at a marker plus a time, and how far off those were is measured the same way.
 *
 *   on ──► prints without a pause? ──► off ──► silent for off_at_least and 10 * quiet ──► a sample
 *   on ──► ... ──► a line ──► off at line + delay - latency ──► silent ──► asked against got
 *
 * One thread, that of the loop, which it runs; it returns when the loop is broken by others, too.
 * The board is left off. NULL is misuse unless a line allows it.
 */
#ifndef RIG_CALIBRATE_H
#define RIG_CALIBRATE_H

#include "rig/aim.h"
#include "rig/wiring.h"

/* A board that prints more rarely than this tells nothing of use: 95 of 100 pauses. */
enum { RIG_CALIBRATE_PAUSE_US_MAX = 5000 };

struct rig_calibrate_config { /* borrowed for the call */
    struct ev_loop *loop;
    struct rig_wiring *wiring;           /* opened with this loop */
    const struct rig_bench_board *board; /* with a console and a power contact */
    struct rig_aim_store *store; /* gets each sample, and gives the latency of the second part;
                                    NULL: this run's samples are all there is */
    uint32_t cuts, checks;    /* samples wanted, 1 at the least; aimed cuts afterwards, 0: none */
    uint32_t talks_within_ms; /* from power on to printing without a pause */
    uint64_t seed;            /* of delays, so that no cut is in step with what is printed */
    void (*cut)(void *ctx, uint32_t done, uint32_t of); /* progress; NULL: not wanted */
    void *ctx;
};

struct rig_calibration {
    struct rig_histogram pauses;  /* between reads of its console, before the first cut */
    int64_t quiet_us;             /* what was taken for them: 99 of 100, 1 ms at the least */
    struct rig_histogram latency; /* of this run, from the command's first byte to the last byte */
    struct rig_histogram kept;    /* of all runs; as latency without a store */
    uint32_t useless;             /* cuts that told nothing: it stood still when it was cut. Each
                                     was made again, of either part */
    uint32_t tries;               /* of relay commands beyond the first */
    int64_t aimed_with_us;        /* the latency of the second part: kept's median */
    struct rig_precision check;   /* of aimed cuts: got minus asked, the last byte is what was got;
                                     all of its cuts were measured */
};

/* RIG_OK. RIG_EUNSUPPORTED: the board prints too rarely, or without line ends where checks are
 * wanted. Else what failed, RIG_ESILENT (not a word), RIG_EFAILED (it talks on without power),
 * RIG_EGONE (console) or RIG_EANSWER (interrupted, among others): message says it, and out holds
 * what was measured until then. */
int rig_calibrate(struct rig_calibration *out, const struct rig_calibrate_config *config,
                  char *message, size_t len);

#endif
