/* All cycles as one Phase 0. */
#include "made.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void add(struct bi_sum *sum, struct bi_cycle cycle)
{
    cr_assert_eq(bi_sum_add(sum, &cycle), 0);
    bi_cycle_free(&cycle);
}

static struct rep_result result_of(const struct bi_sum *sum)
{
    struct rep_result result;
    cr_assert_eq(bi_sum_result(sum, true, 1, &result), 0);
    return result;
}

static void expect_fact(const struct rep_result *result, const char *name, const char *value)
{
    for (uint32_t i = 0; i < result->facts; i++)
        if (!strcmp(result->fact[i].name, name)) {
            cr_expect_str_eq(result->fact[i].value, value);
            return;
        }
    cr_expect_fail("no fact %s", name);
}

Test(burnin_sums, gates_of_the_candidate_are_summed_as_integers)
{
    const struct bi_identity it = made_identity(4, 0);
    struct bi_sum sum;
    made_sum(&sum, &it);
    for (uint32_t n = 1; n <= 4; n++)
        add(&sum, made_cycle(n));
    struct rep_result result = result_of(&sum);
    const struct rep_phase *phase = &result.phase[0];
    cr_assert(result.phases == 1 && phase->gates == 3);
    cr_expect(result.exit_code == 0 && result.verdict == REP_PASS, "%s", result.explanation);
    cr_expect(phase->result == REP_PHASE_PASSED && phase->cohort == 4 && phase->confirmed == 4);
    cr_expect(phase->gate[0].numerator == 0 && phase->gate[0].denominator == 4);
    cr_expect(phase->gate[1].numerator == 2 && phase->gate[1].denominator == 40);
    cr_expect(phase->gate[2].numerator == 0 && phase->gate[2].denominator == 8);
    cr_expect(result.power_cuts == 28 && result.devices == 2 && result.wall_s == 120.0);
    cr_expect(result.device_rows == 2 && result.enrolled == 2);
    cr_expect_eq(result.updates[REP_OUT_CONFIRMED], 2, "the rollback is another image's");
    cr_expect(result.device[1].cuts == 16 && result.device[1].boots == 20);
    cr_expect_str_eq(result.device[0].site, "board-01");
    rep_result_free(&result);
    bi_sum_free(&sum);
}

/* Each cycle is green, 5 % missed is not more than 5 %; one interval more in any of them is. */
Test(burnin_sums, the_sum_is_judged_and_not_the_cycles)
{
    const struct bi_identity it = made_identity(2, 0);
    struct bi_sum sum;
    made_sum(&sum, &it);
    struct bi_cycle more = made_cycle(3);
    more.gate[1].numerator = 2;
    add(&sum, made_cycle(1));
    add(&sum, more);
    struct rep_result result = result_of(&sum);
    cr_expect(result.exit_code == 2 && result.verdict == REP_GATE_STOPPED);
    cr_expect(strstr(result.explanation, "telemetry_gap"), "%s", result.explanation);
    cr_expect_eq(result.phase[0].result, REP_PHASE_STOPPED);
    rep_result_free(&result);
    bi_sum_free(&sum);
}

Test(burnin_sums, without_data_it_never_passes)
{
    const struct bi_identity it = made_identity(1, 0);
    struct bi_sum sum;
    made_sum(&sum, &it);
    add(&sum, made_cycle(2));
    struct rep_result result = result_of(&sum);
    cr_expect_eq(result.exit_code, 2);
    cr_expect(strstr(result.explanation, "too few data"), "%s", result.explanation);
    rep_result_free(&result);
    bi_sum_free(&sum);
}

Test(burnin_sums, the_gravest_failure_gives_the_exit_code_whenever_it_came)
{
    static const struct {
        int exit_code[3], expect;
        enum rep_verdict verdict;
    } row[] = {
        /* As of a plain run: with 6 and 7 no gate stopped anything, and it is headed "FAILED". */
        {{2, 7, 2}, 7, REP_PASS},   {{7, 6, 2}, 6, REP_PASS},   {{4, 6, 7}, 4, REP_DIVERGED},
        {{2, 4, 3}, 3, REP_UNSAFE}, {{3, 4, 2}, 3, REP_UNSAFE}, {{2, 2, 2}, 2, REP_GATE_STOPPED},
    };
    const struct bi_identity it = made_identity(9, 0);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bi_sum sum;
        made_sum(&sum, &it);
        for (uint32_t n = 0; n < 3; n++) {
            char what[16];
            snprintf(what, sizeof what, "code %d", row[i].exit_code[n]);
            add(&sum, made_failure(n + 1, row[i].exit_code[n], what));
        }
        struct rep_result result = result_of(&sum);
        char what[16];
        snprintf(what, sizeof what, "code %d", row[i].expect);
        cr_expect(result.exit_code == row[i].expect && result.verdict == row[i].verdict, "%zu", i);
        cr_expect(strstr(result.explanation, what), "%s", result.explanation);
        cr_expect_eq(result.phase[0].result, REP_PHASE_STOPPED);
        cr_expect_eq(result.alerts, 3);
        rep_result_free(&result);
        bi_sum_free(&sum);
    }
}

/* 25 cycles that fail lightly, then one that bricks: it must not be the one that is left out. */
Test(burnin_sums, many_failures_do_not_hide_the_worst)
{
    const struct bi_identity it = made_identity(99, 0);
    struct bi_sum sum;
    made_sum(&sum, &it);
    for (uint32_t n = 1; n <= 25; n++)
        add(&sum, made_failure(n, 7, "light"));
    struct bi_cycle brick = made_failure(26, 3, "1 device is bricked");
    brick.broken[REP_PROMISE_NO_BRICK] = 1;
    strcpy(brick.broken_what[REP_PROMISE_NO_BRICK], "lab-00002: no boot");
    brick.board[1].brick = REP_BRICK_NO_BOOT;
    add(&sum, brick);
    add(&sum, made_cycle(27));
    struct rep_result result = result_of(&sum);
    cr_expect(result.exit_code == 3 && strstr(result.explanation, "cycle 26"), "%s",
              result.explanation);
    cr_expect_eq(result.alerts, BI_FAILURES_TOLD);
    cr_expect(result.updates[REP_OUT_BRICKED] == 1 && result.bricks[REP_BRICK_NO_BOOT] == 1,
              "a later cycle does not heal it");
    cr_expect(result.promise[REP_PROMISE_NO_BRICK].broken == 1);
    cr_expect_str_eq(result.promise[REP_PROMISE_NO_BRICK].first_what, "lab-00002: no boot");
    rep_result_free(&result);
    bi_sum_free(&sum);
}

/* 28 of 32 that were asked for; "28 in 0 kinds" was once told. */
Test(burnin_sums, cuts_are_summed_with_their_kinds_and_what_was_asked_for)
{
    const struct bi_identity it = made_identity(4, 0);
    struct bi_sum sum;
    made_sum(&sum, &it);
    for (uint32_t n = 1; n <= 4; n++)
        add(&sum, made_cycle(n));
    struct bi_cycle more = made_cycle(5);
    strcpy(more.kind[1].state, "applying");
    more.fault[SCN_FAULT_CDN_DOWN] = (struct bi_fault){true, 2, 1, 1};
    more.fault[BI_AIMED_CUT] = (struct bi_fault){true, 4, 2, 2};
    more.cuts = 9;
    add(&sum, more);
    struct rep_result result = result_of(&sum);
    cr_assert(result.power_cuts == 37 && result.cuts == 3);
    cr_expect(!strcmp(result.cut[0].state, "downloading") && result.cut[0].cuts == 20);
    cr_expect(!strcmp(result.cut[1].state, "boot") && result.cut[1].cuts == 12);
    cr_expect(!strcmp(result.cut[2].state, "applying") && result.cut[2].cuts == 3);
    static const struct rep_fault faults[] = {
        {"power_loss", 1, 40, 35, 35}, {"cdn_down", 2, 2, 1, 1}, {"aimed_cut", 3, 4, 2, 2}};
    cr_assert_eq(result.faults, 3);
    for (int i = 0; i < 3; i++) {
        const struct rep_fault *has = &result.fault[i], *want = &faults[i];
        cr_expect_str_eq(has->kind, want->kind);
        cr_expect(has->number == want->number && has->scheduled == want->scheduled &&
                      has->armed == want->armed && has->fired == want->fired,
                  "%s: %u, %d, %d, %d", has->kind, has->number, (int)has->scheduled,
                  (int)has->armed, (int)has->fired);
    }
    expect_fact(&result, "power cuts", "37: 40 scheduled, 35 armed, 35 took effect; 2 of 4 aimed");
    cr_expect(strstr(result.explanation, "; 37 power cuts"), "%s", result.explanation);
    rep_result_free(&result);
    bi_sum_free(&sum);
}

/* It passes, and says plainly what it is no proof of. */
Test(burnin_sums, without_a_cut_that_was_asked_for_it_says_so)
{
    const struct bi_identity it = made_identity(1, 0);
    struct bi_sum sum;
    made_sum(&sum, &it);
    struct bi_cycle calm = made_cycle(1);
    memset(calm.fault, 0, sizeof calm.fault);
    calm.cuts = calm.kinds = 0;
    add(&sum, calm);
    struct rep_result result = result_of(&sum);
    cr_expect_eq(result.exit_code, 0);
    cr_expect(strstr(result.explanation, "no power was cut"), "%s", result.explanation);
    expect_fact(&result, "power cuts", "0: no power was cut, no scenario asks for it");
    cr_expect(result.faults == 0 && result.cuts == 0);
    rep_result_free(&result);
    bi_sum_free(&sum);
}

/* Two boards of which the second one rolls back each time: crash, telemetry and answers are those
 * of the first alone, and green. */
Test(burnin_sums, a_board_that_never_confirmed_is_not_passed)
{
    const struct bi_identity it = made_identity(3, 0);
    for (int heals = 0; heals < 2; heals++) {
        struct bi_sum sum;
        made_sum(&sum, &it);
        for (uint32_t n = 1; n <= 3; n++) {
            struct bi_cycle cycle = made_cycle(n);
            if (n < 3 || !heals)
                cycle.board[1].outcome = REP_OUT_ROLLED_BACK;
            add(&sum, cycle);
        }
        struct rep_result result = result_of(&sum);
        cr_expect_eq(result.exit_code, heals ? 0 : 2);
        cr_expect(heals || strstr(result.explanation, "board-02 (lab-00002) did not confirm 2.4.0 "
                                                      "in any of 2 cycles"),
                  "%s", result.explanation);
        cr_expect_eq(result.phase[0].result, heals ? REP_PHASE_PASSED : REP_PHASE_STOPPED);
        rep_result_free(&result);
        bi_sum_free(&sum);
    }
}

/* "< 100%" of those that reported and of the cohort are two gates. */
Test(burnin_sums, gates_of_other_denominators_are_not_added_up)
{
    const struct bi_identity it = made_identity(2, 0);
    struct bi_sum sum;
    struct scn *scn = calloc(1, sizeof *scn);
    static const struct scn_gate other = {.metric = SCN_METRIC_CRASH,
                                          .compare = SCN_MORE,
                                          .limit = {0, 100},
                                          .text = "> 0%",
                                          .of_cohort = true,
                                          .min_sample = 1};
    cr_assert(scn);
    made_sum(&sum, &it);
    scn->campaign.phases = 1;
    scn->campaign.phase[0] =
        (struct scn_phase){.size = SCN_SIZE_LAB, .gate = {sum.plan[0], other}, .gates = 2};
    scn->campaign.phase[0].gate[0].min_sample = 3;
    bi_sum_gates(&sum, scn);
    free(scn);
    cr_assert_eq(sum.gates, 4);
    cr_expect_eq(sum.plan[0].min_sample, 3, "the most that any of them wants");
    add(&sum, made_cycle(1));
    cr_expect(sum.denominator[0] == 2 && sum.denominator[3] == 0);
    struct rep_result result = result_of(&sum);
    cr_expect_eq(result.exit_code, 2, "2 are fewer than 3");
    cr_expect_eq(result.phase[0].gate[0].min_sample, 3);
    rep_result_free(&result);
    bi_sum_free(&sum);
}

Test(burnin_sums, phase_0_needs_its_three_criteria)
{
    const struct bi_identity it = made_identity(1, 0);
    struct bi_sum sum;
    made_sum(&sum, &it);
    cr_expect_null(bi_sum_lacks(&sum));
    sum.gates = 2;
    cr_expect_str_eq(bi_sum_lacks(&sum), "command_ms");
    sum.gates = 0;
    cr_expect_str_eq(bi_sum_lacks(&sum), "crash");
}
