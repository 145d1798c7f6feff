/*
 * Calibration and aim: how long it takes from "off" to the loss of power, on each channel, and how
 * to place a cut with that.
 *
 * Latency is measured by the console's silence: a board that prints without a pause (every
 * quiet_us at the most) is switched off, and its last byte is when power was gone, give or take
 * that pause and the console's own delay. Contact, bounce and the hold-up of the board's capacitors
 * are all in it. A histogram of each board is kept in STATE/rig.db over all runs; every cut of a
 * run that can be measured adds to it.
 *
 * An aimed cut is sent `latency` (the median) before its moment; what is nearer than that can't be
 * hit, and is sent at once. What was asked and what was hit is told of every cut.
 *
 * Times are rig_port_now_us(). One thread, but for the database. NULL is misuse unless a line
 * allows it.
 */
#ifndef RIG_AIM_H
#define RIG_AIM_H

#include "rig/port.h"
#include <stdio.h>

/* ---- Histogram: pure, no clock ---- */

/* Bins of 0.5 ms up to 128 ms, then 16 for each doubling: none is wider than a sixteenth of what it
 * counts, so that a plug of 200 ms and a boot of 20 s have a median, too. The last is 127 s and
 * above. */
enum { RIG_HISTOGRAM_BINS = 416, RIG_HISTOGRAM_FINE = 256, RIG_HISTOGRAM_FINE_US = 500 };

struct rig_histogram {
    uint64_t bin[RIG_HISTOGRAM_BINS];
    uint64_t samples;
    int64_t least_us, most_us;
};
uint32_t rig_histogram_bin(int64_t us);      /* negative: taken as 0 */
int64_t rig_histogram_from_us(uint32_t bin); /* where it begins, and the one before it ends */
void rig_histogram_add(struct rig_histogram *histogram, int64_t us); /* negative: taken as 0 */
/* per_mille 0 to 1000; 500: the median. The bin's middle; of the last, between its beginning and
 * the most; 0 without samples. */
int64_t rig_histogram_quantile(const struct rig_histogram *histogram, uint32_t per_mille);
/* A line for each step of time from the first sample to the last, at most rows_max (3 or more):
 * where it begins, a bar, how many. Steps grow as bins do. A '+' behind the time: and all that is
 * above. */
void rig_histogram_bars(FILE *to, const struct rig_histogram *histogram, uint32_t rows_max);

/* What a switching-off tells of the latency: the command was sent at sent_us, the console's last
 * byte came at heard_us, and it is now_us. A board is silent when nothing came for 10 * quiet_us
 * (it prints every quiet_us at the most). */
enum rig_silence {
    RIG_SILENCE_NOT_YET, /* it may still print: ask again */
    RIG_SILENCE_TOLD,    /* *latency_us, from sent_us to the last byte, not below 0 */
    RIG_SILENCE_USELESS  /* it had been silent before the command: nothing can be told */
};
enum rig_silence rig_aim_silence(int64_t *latency_us, int64_t sent_us, int64_t heard_us,
                                 int64_t now_us, int64_t quiet_us);

/* ---- Store: the histograms of all boards, SQLite, used by several processes and threads at once.
 *
 *     latency_bins (board TEXT, bin INTEGER 0..415, count, least_us, most_us, last_us UTC)
 *
 * Other tables of the file are left alone. What was added survives the death of the process; a
 * power cut of the host may take the last ones. RIG_OK; RIG_EBUSY: somebody wrote for 0.2 s
 * (5 s while it is opened), so that a loop may add;
 * RIG_EMEMORY; RIG_EANSWER: what is in the table is no histogram; RIG_EOPEN, RIG_EGONE: the file
 * can't be used any more (disk full, I/O). Then nothing was changed. ---- */

struct rig_aim_store;
int rig_aim_store_open(struct rig_aim_store **out, const char *path, char *message, size_t len);
void rig_aim_store_close(struct rig_aim_store *store); /* NULL allowed */
int rig_aim_store_add(struct rig_aim_store *store, const char *board, int64_t us);
int rig_aim_store_read(struct rig_aim_store *store, const char *board, struct rig_histogram *out);
int rig_aim_store_forget(struct rig_aim_store *store, const char *board);
/* What was wrong at the last call that was not RIG_OK, with the file's name. */
void rig_aim_store_why(struct rig_aim_store *store, char *message, size_t len);

/* ---- Plans: where the next cut of a board goes ---- */

enum rig_aim_kind {
    RIG_AIM_MARKER, /* when the console says /pattern/, plus from_us */
    RIG_AIM_SWEEP,  /* the same, from_us, then step_us more with each cut, to to_us, and again */
    RIG_AIM_RANDOM  /* drawn from from_us to to_us by seed, after the marker (pattern NULL: after
                       the plan is made) */
};
struct rig_aim {
    enum rig_aim_kind kind;
    const char *pattern;
    int64_t from_us, to_us, step_us;
    uint64_t seed;
};
/* "/regex/+5ms", "/regex/+0ms..200ms/5ms", "/regex/+random 0ms..2s", "random 0ms..2s". A '/' of the
 * expression is written "\/". Durations: a whole number with us, ms, s, m or h, 24h at most. seed
 * is 0: the caller sets it. 0, or -1 with message: where, what, and what is accepted; out is empty
 * then. pattern: allocated, rig_aim_free. */
int rig_aim_read(struct rig_aim *out, const char *text, char *message, size_t len);
void rig_aim_free(struct rig_aim *aim);
/* Of the cut'th cut of this board (0, 1, ...): microseconds after the marker or the plan. SWEEP:
 * the last step is the last that is not beyond to_us. RANDOM: from_us and to_us included; one block
 * of Philox4x32-10, key seed, counter (board, SIM_RNG_AIM, cut low, cut high). */
int64_t rig_aim_delay_us(const struct rig_aim *aim, uint32_t board, uint64_t cut);
/* When to send the command, so that power is gone at event_us + delay_us; now_us at the earliest.
 */
int64_t rig_aim_send_us(int64_t event_us, int64_t delay_us, int64_t latency_us, int64_t now_us);

/* How precisely cuts hit: got minus asked, of all of them. */
struct rig_precision {
    uint64_t cuts, measured, late; /* late: their moment was nearer than the latency */
    struct rig_histogram error;    /* of the absolute difference */
    int64_t sum_us;                /* signed, for the mean */
};
/* got_us negative: it was not measured. */
void rig_precision_add(struct rig_precision *precision, int64_t asked_us, int64_t got_us,
                       bool was_late);

#endif
