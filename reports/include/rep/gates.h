/*
 * Gate arithmetic: exact integers, no floats. A gate compares numerator / denominator with a limit.
 *
 * While the phase is held (final false) a gate turns red as soon as it could not be green at the
 * end even if all the rest went well; otherwise it is on hold. At the end (final true) it is judged
 * on the devices that reported, with those silent past their deadline as failures: green or red.
 * With fewer than min_sample in the denominator (or none) it stays on hold: no data never passes.
 * Early, the sample is the cohort, every undecided one is taken as it helps, and the silent stay
 * failures: their deadline is the decision. What is shown is what was seen: when red, those numbers
 * are red too. Pure functions; thread-safe.
 */
#ifndef REP_GATES_H
#define REP_GATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rep_gate_state { REP_GATE_HOLD, REP_GATE_GREEN, REP_GATE_RED };
const char *rep_gate_state_name(int state); /* "hold", "green", "red" */

enum rep_compare { REP_LESS, REP_MORE, REP_LESS_EQUAL, REP_MORE_EQUAL };

struct rep_gate_rule {
    enum rep_compare compare;     /* red when value COMPARE limit */
    int64_t limit_num, limit_den; /* den > 0 */
    bool numerator_is_good;       /* success: the rest could still turn out well */
    bool of_cohort; /* the denominator is the cohort, the undecided count as failures */
    uint32_t min_sample;
};

/* Counts of devices, intervals or answers; all >= 0. */
struct rep_gate_counts {
    int64_t numerator; /* good ones when numerator_is_good, else bad ones; without the silent */
    int64_t reported;  /* those with an outcome, good or bad */
    int64_t silent;    /* no outcome past their deadline: failures */
    int64_t cohort;    /* all that will be judged */
};

struct rep_gate_result {
    enum rep_gate_state state;
    int64_t numerator, denominator;
};

/*
 * numerator and denominator in the result are what was compared (denominator: reported + silent, or
 * the cohort), with the silent added to a bad numerator. Never overflows for counts below 2^40.
 */
struct rep_gate_result rep_gate_judge(const struct rep_gate_rule *rule,
                                      const struct rep_gate_counts *counts, bool final);

/* k / n COMPARE num / den, exactly, by 128-bit cross multiplication; n > 0. */
bool rep_ratio_compare(int64_t k, int64_t n, enum rep_compare compare, int64_t num, int64_t den);

#endif
