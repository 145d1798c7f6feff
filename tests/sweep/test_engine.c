/* The search: one result whatever the threads, tokens that replay, and no pass for what can't be
 * judged. */
#include "../soak/soak.h"
#include "sweeping.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The same text for 1 and 4 threads; in a soak for 2 also, twice. The last result is left in *out.
 */
static void expect_one_result(struct sim_sweep_options options, struct sim_sweep_result *out)
{
    static const uint32_t jobs[] = {1, 4, 2, 2};
    char *first = NULL;
    for (size_t i = 0; i < soak(2, sizeof jobs / sizeof *jobs); i++) {
        options.jobs = jobs[i];
        sweeping(options, out);
        char *text = sweeping_text(out);
        if (first)
            cr_expect_str_eq(text, first, "run %zu, %u jobs: %s\nbut with one: %s", i, jobs[i],
                             text, first);
        else
            first = strdup(text);
        free(text);
    }
    free(first);
}

static struct sim_sweep_result result;

Test(sweep_engine, threads_change_nothing_at_one_cut)
{
    expect_one_result((struct sim_sweep_options){.stories = "wrong-type"}, &result);
    cr_expect_eq(result.exit_code, 0);
    cr_expect_gt(result.cuts, 5000);
    for (int form = 0; form < SIM_SWEEP_FORMS; form++)
        cr_expect_gt(result.form[form], 0, "%s", sim_sweep_form_name(form));
}

Test(sweep_engine, threads_change_nothing_at_two_cuts, RELEASE_ONLY)
{
    expect_one_result((struct sim_sweep_options){.stories = "wrong-type",
                                                 .cuts = 2,
                                                 .forms = FORM(PREFIX) | FORM(WORN)},
                      &result);
    cr_expect_eq(result.exit_code, 0);
    cr_expect_eq(result.depth, 2);
    cr_expect_gt(result.sampled_pairs, 0);
}

Test(sweep_engine, threads_change_nothing_where_promises_break)
{
    for (uint32_t cuts = 1; cuts <= (SANITIZED ? 1 : 2); cuts++) {
        expect_one_result(
            (struct sim_sweep_options){.dut_path = SINGLE_COPY,
                                       .cuts = cuts,
                                       .forms = cuts == 1 ? 0 : FORM(BEFORE) | FORM(UNSTABLE)},
            &result);
        cr_expect_eq(result.exit_code, 3);
        cr_expect_gt(result.brokens, 1);
        cr_expect_eq(result.broken[0].cuts, 1, "one cut is enough, so the token has one");
        sweeping_expect_tokens_replay(&result);
    }
}

Test(sweep_engine, any_number_of_cuts_reaches_a_fixpoint_with_any_threads)
{
    const char *stories = SANITIZED ? "wrong-key" : "wrong-key,power-cycles";
    expect_one_result((struct sim_sweep_options){.stories = stories, .any = true}, &result);
    cr_expect_eq(result.exit_code, 0);
    cr_expect(result.fixpoint);
    cr_expect_eq(result.depth, 0);
    cr_expect_gt(result.merged, result.cuts, "most cuts lead to what was seen before");
    cr_expect_gt(result.sampled_pairs, 0, "and of those some are run on all the same");
}

Test(sweep_engine, a_number_of_cuts_is_no_fixpoint)
{
    sweeping((struct sim_sweep_options){.stories = "wrong-type", .forms = FORM(AFTER)}, &result);
    cr_expect_eq(result.exit_code, 0);
    cr_expect_not(result.fixpoint);
}

/* The device without its fault ends well on the same history: what is told depends on the device.
 */
Test(sweep_engine, the_story_of_a_token_ends_with_its_promise)
{
    char *story;
    sweeping_fault("boots-for-ever");
    sweeping((struct sim_sweep_options){.dut_path = FAULTY,
                                        .stories = "wrong-key",
                                        .forms = FORM(AFTER)},
             &result);
    cr_expect_eq(result.exit_code, 4);
    cr_expect_eq(sweeping_replay_token(result.broken[0].token, &story), 4);
    cr_expect_not_null(strstr(story, "BROKEN: convergence: "), "%s", story);
    free(story);
    sweeping_fault(NULL);
    cr_expect_eq(sweeping_replay_token(result.broken[0].token, &story), 0);
    cr_expect_not_null(strstr(story, "nothing was broken"), "%s", story);
    free(story);
}

Test(sweep_engine, what_is_no_history_is_told_and_a_blow_that_cannot_fall_is_not_hidden)
{
    static const struct {
        const char *history;
        int code;
    } row[] = {
        {"0.wrong-key", 0},
        {"0.wrong-key/n1/before@0", 0},
        {"0.wrong-key/before@4000000", 6},      /* the session has no such operation */
        {"0.wrong-key/n1/prefix@0+4000000", 6}, /* nor the operation such a byte */
        {"0.wrong-key/n1/prefix@0+15", 0},      /* the last of a page */
        {"0.wrong-key/n300/before@0", 6},       /* the story is over before */
        {"0.wrong-key/rot@0+4000000000", 6},    /* there is no such flash */
        {"0.wrong-key/n1/rot@0+4096", 6},       /* not off: it was booted */
        {"", -1},
        {"0.wrong", -1},
        {"9.wrong-key", -1},
        {"-1.wrong-key", -1},
        {"0.wrong-key/", -1},
        {"0.wrong-key/n0", -1},
        {"0.wrong-key/n5000", -1},
        {"0.wrong-key/n18446744073709551617", -1},
        {"0.wrong-key/before", -1},
        {"0.wrong-key/before@", -1},
        {"0.wrong-key/before@-1", -1},
        {"0.wrong-key/before@ 1", -1},
        {"0.wrong-key/before@4294967296", -1},
        {"0.wrong-key/before@1+", -1},
        {"0.wrong-key/sideways@1", -1},
        {"0.wrong-key/c0x1", -1},
        {"0.wrong-key/c11111111111111111", -1},
        {"0.wrong-key/c1:", -1},
        {"0.wrong-key/n1 ", -1},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *story;
        int code = sweeping_replay(NULL, row[i].history, &story);
        cr_expect_eq(code, row[i].code, "%s: %d\n%s", row[i].history, code, story);
        cr_expect(code != -1 || strstr(story, "history="), "%s: %s", row[i].history, story);
        free(story);
    }
}

/* A run that nobody may believe: exit code 8. */
static void expect_not_valid(const char *fault, struct sim_sweep_options options)
{
    sweeping_fault(fault);
    options.dut_path = ODD;
    sweeping(options, &result);
    char *text = sweeping_text(&result);
    cr_expect_eq(result.exit_code, 8, "%s: %s", fault, text);
    cr_expect_gt(result.unequal_pairs + result.unfired + result.unrepeated, 0, "%s: %s", fault,
                 text);
    free(text);
}

Test(sweep_engine, a_canonical_form_that_leaves_out_what_matters_makes_no_valid_run)
{
    struct sim_sweep_options one = {.stories = "update", .forms = FORM(BEFORE) | FORM(PREFIX)};
    struct sim_sweep_options any = {.stories = "update", .any = true};
    expect_not_valid("unsound-canonical", one);
    if (!SANITIZED)
        expect_not_valid("unsound-canonical", any);
}

Test(sweep_engine, a_device_that_does_not_do_the_same_twice_makes_no_valid_run)
{
    static const char *const fault[] = {"writes-by-the-count", "writes-the-count",
                                        "boots-by-the-count"};
    for (size_t i = 0; i < sizeof fault / sizeof *fault; i++) {
        expect_not_valid(
            fault[i], (struct sim_sweep_options){.stories = "wrong-type", .forms = FORM(BEFORE)});
    }
}

Test(sweep_engine, the_device_around_which_these_are_built_passes)
{
    sweeping_fault(NULL);
    sweeping((struct sim_sweep_options){.dut_path = ODD,
                                        .stories = "wrong-type,wrong-key",
                                        .forms = FORM(BEFORE)},
             &result);
    cr_expect_eq(result.exit_code, 0);
    cr_expect_eq(result.unfired, 0);
}
