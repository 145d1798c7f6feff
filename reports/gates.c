/* Gate arithmetic: see rep/gates.h. Everything is decided by one 128-bit cross multiplication. */
#include "rep/gates.h"

#include <assert.h>

const char *rep_gate_state_name(int state)
{
    static const char *const names[] = {"hold", "green", "red"};
    return state >= REP_GATE_HOLD && state <= REP_GATE_RED ? names[state] : NULL;
}

bool rep_ratio_compare(int64_t k, int64_t n, enum rep_compare compare, int64_t num, int64_t den)
{
    assert(n > 0 && den > 0);
    __int128 value = (__int128)k * den;
    __int128 limit = (__int128)num * n;
    switch (compare) {
    case REP_LESS:
        return value < limit;
    case REP_MORE:
        return value > limit;
    case REP_LESS_EQUAL:
        return value <= limit;
    case REP_MORE_EQUAL:
        return value >= limit;
    }
    return true; /* An unknown comparison fails closed: a gate that cannot be judged is red. */
}

/* Those that can still turn out either way: neither reported nor past their deadline. */
static int64_t undecided(const struct rep_gate_counts *counts)
{
    int64_t rest = counts->cohort - counts->reported - counts->silent;
    return rest > 0 ? rest : 0;
}

/* What is known now: the silent are failures, the undecided are not counted yet (except in the
 * cohort). */
static struct rep_gate_result observed(const struct rep_gate_rule *rule,
                                       const struct rep_gate_counts *counts)
{
    struct rep_gate_result seen = {.state = REP_GATE_HOLD};
    seen.numerator = counts->numerator + (rule->numerator_is_good ? 0 : counts->silent);
    seen.denominator = rule->of_cohort ? counts->cohort : counts->reported + counts->silent;
    return seen;
}

/*
 * The end that is furthest from red: every undecided one reports, and does so on the side that
 * helps. A ratio that is red when small is largest with all of them in the numerator; one that is
 * red when large is smallest with none of them there. Both ratios move one way with each device
 * that reports, so no end with fewer reports is better, and red here is red at every end.
 */
static struct rep_gate_result best_end(const struct rep_gate_rule *rule,
                                       const struct rep_gate_counts *counts)
{
    bool red_when_small = rule->compare == REP_LESS || rule->compare == REP_LESS_EQUAL;
    struct rep_gate_result best = observed(rule, counts);
    if (red_when_small)
        best.numerator += undecided(counts);
    if (!rule->of_cohort)
        best.denominator += undecided(counts);
    return best;
}

static bool is_sample(const struct rep_gate_rule *rule, int64_t denominator)
{
    return denominator > 0 && denominator >= (int64_t)rule->min_sample;
}

static bool is_red(const struct rep_gate_rule *rule, const struct rep_gate_result *value)
{
    return rep_ratio_compare(value->numerator, value->denominator, rule->compare, rule->limit_num,
                             rule->limit_den);
}

struct rep_gate_result rep_gate_judge(const struct rep_gate_rule *rule,
                                      const struct rep_gate_counts *counts, bool final)
{
    assert(counts->numerator >= 0 && counts->reported >= 0 && counts->silent >= 0 &&
           counts->cohort >= 0);
    struct rep_gate_result result = observed(rule, counts);
    if (!final) {
        struct rep_gate_result best = best_end(rule, counts);
        if (is_sample(rule, best.denominator) && is_red(rule, &best))
            result.state = REP_GATE_RED;
        return result;
    }
    if (rule->of_cohort && !rule->numerator_is_good)
        result.numerator += undecided(counts);
    if (is_sample(rule, result.denominator))
        result.state = is_red(rule, &result) ? REP_GATE_RED : REP_GATE_GREEN;
    return result;
}
