/*
 * The oracle (sim/sweep/judge.c): a device with one fault breaks the promise that guards against
 * it, in these words, and the token replays. Each row is a rule; a rule without a row is not known
 * to work.
 */
#include "sweeping.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NO_BRICK "no_brick"
#define VERIFIED "no_unverified_code"
#define UNTOUCHED "running_image_untouched"
#define HEALTHY "confirm_means_healthy"
#define CONVERGES "convergence"
#define DISCIPLINE "flash_discipline"

struct row {
    const char *fault, *stories, *promise, *what;
    int exit_code;  /* 0: 3 */
    uint32_t forms; /* 0: before */
};

static const struct row row[] = {
    {"boots-nothing", "update", NO_BRICK, "nothing boots", 0, 0},
    {"arms-no-watchdog", "update", NO_BRICK, "hangs, and no watchdog resets it", 0, 0},
    {"does-not-ask", "wrong-key", NO_BRICK, "without asking for its update", 0, 0},
    {"refuses-further", "update", NO_BRICK, "a further good update", 0, 0},

    {"jumps-out", "wrong-key", VERIFIED, "the jump goes out of the flash", 0, 0},
    {"jumps-beside", "wrong-key", VERIFIED, "is no whole image", 0, 0},

    {"writes-the-bootloader", "wrong-key", UNTOUCHED, "bootloader at 0x0", 0, 0},
    {"writes-what-runs", "wrong-key", UNTOUCHED, "write to the running image", 0, 0},
    {"writes-the-application", "wrong-key", UNTOUCHED, "belongs to the application", 0, 0},

    {"confirms-unchecked", "update", HEALTHY, "before its health checks passed", 0, 0},
    {"trial-for-good", "update", HEALTHY, "runs for good, never confirmed", 0, 0},
    {"tries-too-often", "update", HEALTHY, "runs beyond its trial boots", 0, 0},

    {"boots-the-other", "update", CONVERGES, "is the confirmed one", 0, 0},
    {"says-rolled-back", "update", CONVERGES, "says it rolled back while", 0, 0},
    {"says-confirmed", "update", CONVERGES, "is confirmed while 1.9.0 runs", 0, 0},
    {"says-another-version", "update", CONVERGES, "says that 9.9.9 runs while", 0, 0},
    {"says-refused-is-installed", "wrong-type", CONVERGES, "is confirmed while 1.9.0 runs", 0, 0},
    {"confirms-without-a-deed", "wrong-key", CONVERGES, "is confirmed while 1.9.0 runs", 0, 0},
    {"tells-nothing", "update", CONVERGES, "without telling an outcome", 0, 0},
    {"calls-it-a-download", "update", CONVERGES, "ends as something else than rolled back", 0, 0},
    {"refuses-all", "update", CONVERGES, "the good update 1.10.0 does not succeed", 0, 0},
    {"disobeys", "rollback-order", CONVERGES, "the ordered rollback does not happen", 0, 0},
    {"stays-on-trial", "update", CONVERGES, "stays without being confirmed",
     .forms = FORM(WATCHDOG)},
    {"forgets-the-rollback", "update", CONVERGES, "is installed again after its rollback", 0, 0},
    {"tries-again-at-once", "update", CONVERGES, "runs again after it was rolled back", 0, 0},

    {"boots-for-ever", "wrong-key", CONVERGES, "never comes to rest", 4, 0},
    {"counts-for-ever", "wrong-key", CONVERGES, "boots again and again", 4, 0},
    {"runs-for-ever", "wrong-key", CONVERGES, "a session never ends", 4, 0},

    {"programs-beside-a-page", "wrong-key", DISCIPLINE, "misaligned operation", 0, 0},
    {"programs-half-a-page", "wrong-key", DISCIPLINE, "misaligned operation", 0, 0},
    {"erases-beside-a-sector", "wrong-key", DISCIPLINE, "misaligned operation", 0, 0},
    {"programs-out-of-the-flash", "wrong-key", DISCIPLINE, "out of the flash", 0, 0},
    {"raises-bits", "wrong-key", DISCIPLINE, "bits programmed from 0 to 1", 0, 0},
};

/* The example device says that it does what it does not. */
static const struct row boast[] = {
    {"signed", "wrong-key", VERIFIED, "runs, which has to be refused", 0, 0},
    {"identity", "wrong-type", VERIFIED, "runs, which has to be refused", 0, 0},
    {"identity", "wrong-revision", VERIFIED, "runs, which has to be refused", 0, 0},
    {"no-downgrade", "older", VERIFIED, "runs, which has to be refused", 0, 0},
    {"no-downgrade", "downgrade", CONVERGES, "is the confirmed one", 0, 0},
    {"tries", "update", HEALTHY, "runs for good, never confirmed", 0, 0},
};

static void expect_found(const char *plugin, const struct row *at)
{
    static struct sim_sweep_result result;
    sweeping_fault(at->fault);
    sweeping((struct sim_sweep_options){.dut_path = plugin,
                                        .stories = at->stories,
                                        .forms = at->forms ? at->forms : FORM(BEFORE)},
             &result);
    char *text = sweeping_text(&result);
    const struct sim_sweep_broken *broken = sweeping_broken(&result, at->promise, at->what);
    cr_expect_not_null(broken, "%s: not found, but\n%s", at->fault, text);
    cr_expect_eq(result.exit_code, at->exit_code ? at->exit_code : 3, "%s\n%s", at->fault, text);
    cr_expect_eq(result.unequal_pairs, 0, "%s\n%s", at->fault, text);
    sweeping_expect_tokens_replay(&result);
    free(text);
}

Test(sweep_oracle, the_device_without_a_fault_passes)
{
    static struct sim_sweep_result result;
    static const char stories[] = "update,rollback-order,wrong-key,wrong-type";
    sweeping_fault(NULL);
    sweeping(
        (struct sim_sweep_options){.dut_path = FAULTY, .stories = stories, .forms = FORM(BEFORE)},
        &result);
    char *text = sweeping_text(&result);
    cr_expect_eq(result.exit_code, 0, "%s", text);
    cr_expect_gt(result.cuts, 1000, "%s", text);
    free(text);
}

/* Statuses come at least once. An outcome that is told again while a rollback is ordered is no
 * answer to the order: a sweep of two cuts took it for one, where the record that it had been told
 * read unstably (`0.rollback-order/n3/unstable@20/n3/c2:before@0/n1/c1` on sweep-64k). */
Test(sweep_oracle, a_confirmation_told_once_more_answers_no_order)
{
    static struct sim_sweep_result result;
    sweeping_fault("confirms-once-more");
    sweeping((struct sim_sweep_options){.dut_path = FAULTY,
                                        .stories = "rollback-order",
                                        .forms = FORM(BEFORE)},
             &result);
    char *text = sweeping_text(&result);
    cr_expect_eq(result.exit_code, 0, "%s", text);
    free(text);
}

Test(sweep_oracle, each_fault_breaks_its_promise_and_replays)
{
    /* Under the sanitizers the first fault of each promise: the rest is more of the same code. */
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        if (!SANITIZED || i == 0 || strcmp(row[i].promise, row[i - 1].promise))
            expect_found(FAULTY, &row[i]);
}

Test(sweep_oracle, a_device_is_held_to_the_traits_that_it_names)
{
    for (size_t i = 0; i < sizeof boast / sizeof *boast; i++)
        expect_found(BOASTING, &boast[i]);
}

/* It bricks; but that it takes what another would refuse is no failure of this device. */
Test(sweep_oracle, and_to_no_others)
{
    static struct sim_sweep_result result;
    sweeping_fault(NULL);
    sweeping((struct sim_sweep_options){.dut_path = BOASTING, .forms = FORM(AFTER)}, &result);
    cr_expect_eq(result.exit_code, 3);
    cr_expect_null(sweeping_broken(&result, VERIFIED, "has to be refused"));
    cr_expect_not_null(sweeping_broken(&result, NO_BRICK, "nothing boots"));
}
