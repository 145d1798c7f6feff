/* The arithmetic of the gates at its borders, and the two halves of "red early" over every small
 * end. */
#include "rep/gates.h"
#include "sample.h"

#include <criterion/criterion.h>

static const struct rep_gate_rule success = {REP_LESS, 95, 100, true, false, 1};
static const struct rep_gate_rule crash = {REP_MORE, 2, 100, false, false, 1};
static const struct rep_gate_rule brick = {REP_MORE, 0, 1, false, false, 1};

static enum rep_gate_state final_state(const struct rep_gate_rule *rule, int64_t k,
                                       int64_t reported, int64_t silent, int64_t cohort)
{
    struct rep_gate_counts counts = {k, reported, silent, cohort};
    return rep_gate_judge(rule, &counts, true).state;
}

Test(rep_gates, borders_of_the_design_are_exact)
{
    static const struct {
        const struct rep_gate_rule *rule;
        int64_t k, reported, silent, cohort;
        enum rep_gate_state expect;
    } rows[] = {
        {&crash, 1, 50, 0, 50, REP_GATE_GREEN}, /* 2% is not more than 2% */
        {&crash, 2, 50, 0, 50, REP_GATE_RED},
        {&crash, 100, 5000, 0, 5000, REP_GATE_GREEN},
        {&crash, 101, 5000, 0, 5000, REP_GATE_RED},
        {&success, 95, 100, 0, 100, REP_GATE_GREEN}, /* 95% is not less than 95% */
        {&success, 94, 100, 0, 100, REP_GATE_RED},
        {&success, 4750, 5000, 0, 5000, REP_GATE_GREEN},
        {&success, 4749, 5000, 0, 5000, REP_GATE_RED},
        {&success, 95, 95, 5, 100, REP_GATE_GREEN}, /* silence is a failure */
        {&success, 95, 95, 6, 101, REP_GATE_RED},
        {&crash, 1, 49, 1, 50, REP_GATE_RED}, /* and a bad one for a bad numerator */
        {&brick, 0, 50, 0, 50, REP_GATE_GREEN},
        {&brick, 1, 5000, 0, 5000, REP_GATE_RED},
        {&success, 0, 0, 0, 50, REP_GATE_HOLD}, /* no data never passes */
        {&crash, 0, 0, 0, 50, REP_GATE_HOLD},
        {&success, 0, 0, 50, 50, REP_GATE_RED}, /* all silent */
        {&crash, 0, 0, 50, 50, REP_GATE_RED},
        {&success, 19, 20, 0, 50, REP_GATE_GREEN}, /* judged on those that reported */
        {&crash, 0, 0, 0, 0, REP_GATE_HOLD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(
            final_state(rows[i].rule, rows[i].k, rows[i].reported, rows[i].silent, rows[i].cohort),
            rows[i].expect, "row %zu", i);
}

Test(rep_gates, each_comparison_has_its_own_border)
{
    static const struct {
        enum rep_compare compare;
        bool below, at, above;
    } rows[] = {
        {REP_LESS, true, false, false},
        {REP_MORE, false, false, true},
        {REP_LESS_EQUAL, true, true, false},
        {REP_MORE_EQUAL, false, true, true},
    };
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(rep_ratio_compare(32, 99, rows[i].compare, 1, 3), rows[i].below);
        cr_expect_eq(rep_ratio_compare(33, 99, rows[i].compare, 1, 3), rows[i].at);
        cr_expect_eq(rep_ratio_compare(34, 99, rows[i].compare, 1, 3), rows[i].above);
    }
}

Test(rep_gates, largest_numbers_do_not_overflow)
{
    const int64_t big = (int64_t)1 << 40;
    cr_expect_not(rep_ratio_compare(big, big, REP_MORE, 1, 1));
    cr_expect(rep_ratio_compare(big, big - 1, REP_MORE, 1, 1));
    cr_expect(rep_ratio_compare(INT64_MAX, INT64_MAX - 1, REP_MORE, INT64_MAX - 1, INT64_MAX - 1));
    cr_expect(rep_ratio_compare(INT64_MAX - 1, INT64_MAX, REP_LESS, INT64_MAX, INT64_MAX));
    cr_expect(rep_ratio_compare(0, 1, REP_LESS, INT64_MAX, 1));
    struct rep_gate_rule rule = {REP_MORE, INT64_MAX - 1, INT64_MAX, false, false, UINT32_MAX};
    struct rep_gate_counts counts = {big - 2, big - 1, 1, big};
    cr_expect_eq(rep_gate_judge(&rule, &counts, true).state, REP_GATE_GREEN);
    counts.numerator = big - 1;
    cr_expect_eq(rep_gate_judge(&rule, &counts, true).state, REP_GATE_RED);
}

Test(rep_gates, fewer_than_the_sample_stays_on_hold)
{
    struct rep_gate_rule rule = crash;
    rule.min_sample = 10;
    cr_expect_eq(final_state(&rule, 9, 9, 0, 50), REP_GATE_HOLD);
    cr_expect_eq(final_state(&rule, 0, 9, 0, 50), REP_GATE_HOLD);
    cr_expect_eq(final_state(&rule, 0, 10, 0, 50), REP_GATE_GREEN);
    cr_expect_eq(final_state(&rule, 1, 9, 1, 50), REP_GATE_RED,
                 "the silent are part of the sample");
    /* A cohort below the sample can never be judged, so it never turns red early either. */
    struct rep_gate_counts all_bad = {9, 9, 0, 9};
    cr_expect_eq(rep_gate_judge(&rule, &all_bad, false).state, REP_GATE_HOLD);
}

Test(rep_gates, of_cohort_counts_the_undecided_as_failures_at_the_end)
{
    struct rep_gate_rule good = success, bad = crash;
    good.of_cohort = bad.of_cohort = true;
    struct rep_gate_counts counts = {94, 94, 0, 100};
    struct rep_gate_result at_end = rep_gate_judge(&good, &counts, true);
    cr_expect_eq(at_end.state, REP_GATE_RED);
    cr_expect_eq(at_end.numerator, 94);
    cr_expect_eq(at_end.denominator, 100);
    cr_expect_eq(rep_gate_judge(&good, &counts, false).state, REP_GATE_HOLD);
    struct rep_gate_counts crashes = {1, 97, 1, 100};
    at_end = rep_gate_judge(&bad, &crashes, true);
    cr_expect_eq(at_end.state, REP_GATE_RED);
    cr_expect_eq(at_end.numerator, 4, "one crash, one silent, two undecided");
    cr_expect_eq(rep_gate_judge(&bad, &crashes, false).state, REP_GATE_HOLD);
}

Test(rep_gates, red_early_at_the_first_device_that_decides_it)
{
    struct rep_gate_counts counts = {1, 5, 0, 50};
    cr_expect_eq(rep_gate_judge(&crash, &counts, false).state, REP_GATE_HOLD);
    counts.numerator = 2;
    struct rep_gate_result early = rep_gate_judge(&crash, &counts, false);
    cr_expect_eq(early.state, REP_GATE_RED);
    cr_expect_eq(early.numerator, 2);
    cr_expect_eq(early.denominator, 5, "what is shown is what was seen");
    struct rep_gate_counts updates = {10, 12, 0, 50};
    cr_expect_eq(rep_gate_judge(&success, &updates, false).state, REP_GATE_HOLD,
                 "48/50 is possible");
    updates.reported = 13;
    cr_expect_eq(rep_gate_judge(&success, &updates, false).state, REP_GATE_RED, "47/50 at best");
    struct rep_gate_counts all_good = {50, 50, 0, 50};
    cr_expect_eq(rep_gate_judge(&success, &all_good, false).state, REP_GATE_HOLD,
                 "never green early");
}

/* Is there an end of this state among all: each undecided device reports well, badly, or falls
 * silent? */
static bool some_end(const struct rep_gate_rule *rule, struct rep_gate_counts now,
                     enum rep_gate_state wanted)
{
    int64_t rest = now.cohort - now.reported - now.silent;
    for (int64_t counted = 0; counted <= rest; counted++) {
        for (int64_t silent = 0; counted + silent <= rest; silent++) {
            struct rep_gate_counts end = {now.numerator + counted, now.cohort - now.silent - silent,
                                          now.silent + silent, now.cohort};
            if (rep_gate_judge(rule, &end, true).state == wanted)
                return true;
        }
    }
    return false;
}

static struct rep_gate_rule random_rule(uint64_t *seed)
{
    struct rep_gate_rule rule = {.compare = (enum rep_compare)(sample_next(seed) % 4),
                                 .limit_num = (int64_t)(sample_next(seed) % 21),
                                 .limit_den = (int64_t)(sample_next(seed) % 20) + 1,
                                 .numerator_is_good = sample_next(seed) % 2,
                                 .of_cohort = sample_next(seed) % 2,
                                 .min_sample = (uint32_t)(sample_next(seed) % 4)};
    return rule;
}

Test(rep_gates, red_early_is_red_at_every_end_and_hold_has_a_green_one)
{
    uint64_t seed = 2026;
    unsigned reds = 0, holds = 0;
    for (int i = 0; i < 40000; i++) {
        struct rep_gate_rule rule = random_rule(&seed);
        struct rep_gate_counts now = {.cohort = (int64_t)(sample_next(&seed) % 12) + 4};
        now.reported = (int64_t)(sample_next(&seed) % (uint64_t)(now.cohort + 1));
        now.silent = (int64_t)(sample_next(&seed) % (uint64_t)(now.cohort - now.reported + 1));
        now.numerator = (int64_t)(sample_next(&seed) % (uint64_t)(now.reported + 1));
        enum rep_gate_state state = rep_gate_judge(&rule, &now, false).state;
        cr_assert_neq(state, REP_GATE_GREEN);
        if (state == REP_GATE_RED) {
            reds++;
            cr_assert_not(some_end(&rule, now, REP_GATE_GREEN), "case %d: red, but could be green",
                          i);
            cr_assert_not(some_end(&rule, now, REP_GATE_HOLD), "case %d", i);
        } else {
            holds++;
            cr_assert(some_end(&rule, now, REP_GATE_GREEN), "case %d: on hold, but never green", i);
        }
    }
    cr_assert(reds > 5000 && holds > 5000, "%u red, %u on hold: the cases prove too little", reds,
              holds);
}

Test(rep_gates, red_shown_is_red_by_its_own_numbers)
{
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        struct rep_gate_rule rule = random_rule(&seed);
        struct rep_gate_counts now = {.cohort = (int64_t)(sample_next(&seed) % 100) + 1};
        now.reported = (int64_t)(sample_next(&seed) % (uint64_t)(now.cohort + 1));
        now.numerator = (int64_t)(sample_next(&seed) % (uint64_t)(now.reported + 1));
        rule.numerator_is_good = rule.compare == REP_LESS || rule.compare == REP_LESS_EQUAL;
        struct rep_gate_result judged = rep_gate_judge(&rule, &now, sample_next(&seed) % 2);
        if (judged.state == REP_GATE_RED && judged.denominator > 0)
            cr_assert(rep_ratio_compare(judged.numerator, judged.denominator, rule.compare,
                                        rule.limit_num, rule.limit_den),
                      "case %d", i);
    }
}

Test(rep_gates, states_have_names)
{
    cr_expect_str_eq(rep_gate_state_name(REP_GATE_HOLD), "hold");
    cr_expect_str_eq(rep_gate_state_name(REP_GATE_GREEN), "green");
    cr_expect_str_eq(rep_gate_state_name(REP_GATE_RED), "red");
    cr_expect_null(rep_gate_state_name(3));
    cr_expect_null(rep_gate_state_name(-1));
}
