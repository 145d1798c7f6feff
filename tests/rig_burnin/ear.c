/* The ground in between hands everything on: what it left out would not be asked for at all. */
#include "cycle.h"
#include "stop.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

static unsigned reports;

static int prepare(void *ctx, struct sim_world *world, char *message, size_t len)
{
    (void)ctx, (void)world, (void)message, (void)len;
    return 0;
}

static int open_ground(void *ctx, const struct sim_ground_fleet *fleet, char *message, size_t len)
{
    (void)ctx, (void)fleet, (void)message, (void)len;
    return 0;
}

static int stuck(void *ctx, char *message, size_t len)
{
    (void)ctx;
    snprintf(message, len, "board pump-1: the contact is stuck or welded");
    return -1;
}

static int restart(void *ctx, bool forgets, char *message, size_t len)
{
    (void)ctx, (void)forgets, (void)message, (void)len;
    return 0;
}

static int report(void *ctx, struct rep_result *result)
{
    (void)ctx, (void)result;
    reports++;
    return 0;
}

static struct sim_ground made_ground(void)
{
    return (struct sim_ground){.name = "board",
                               .prepare = prepare,
                               .open = open_ground,
                               .restart_broker = restart,
                               .held_out = stuck,
                               .report = report};
}

/* A relay that sticks as the last cycle's boards are switched off: exit code 8, no passed cycle. */
Test(burnin_ear, what_gave_way_at_the_very_end_is_handed_on)
{
    const struct sim_ground inner = made_ground();
    const struct bi_ear_hooks hooks = {0};
    char message[128] = "";
    struct bi_ear *ear = bi_ear_create(&inner, &hooks);
    cr_assert(ear);
    const struct sim_ground *ground = bi_ear_ground(ear);
    cr_assert(ground->held_out, "nobody asks whether the bench held out");
    cr_assert_eq(ground->held_out(ground->ctx, message, sizeof message), -1);
    cr_assert(strstr(message, "stuck or welded"));
    cr_assert_eq(ground->restart_broker(ground->ctx, true, message, sizeof message), 0);
    cr_assert_eq(ground->report(ground->ctx, NULL), 0);
    cr_assert_eq(reports, 1);
    bi_ear_free(ear);
}

Test(burnin_ear, what_the_ground_has_not_got_it_has_not_got_either)
{
    struct sim_ground inner = made_ground();
    const struct bi_ear_hooks hooks = {0};
    inner.held_out = NULL;
    inner.restart_broker = NULL;
    struct bi_ear *ear = bi_ear_create(&inner, &hooks);
    cr_assert(ear);
    const struct sim_ground *ground = bi_ear_ground(ear);
    cr_assert_null(ground->held_out);
    cr_assert_null(ground->restart_broker);
    cr_assert_null(ground->devices);
    bi_ear_free(ear);
}

/* ---- What was broken before the bench gave way ---- */

static uint64_t bricks;

static void truth(void *ctx, uint32_t device, struct sim_truth *out)
{
    (void)ctx;
    *out = (struct sim_truth){.version = "2.3.1"};
    out->broken[REP_PROMISE_CONVERGENCE] = 1; /* it had no time to */
    out->broken[REP_PROMISE_NO_BRICK] = device == 1 ? bricks : 0;
    out->broken_what[REP_PROMISE_NO_BRICK] = "after a cut no slot verifies";
}

static int interrupted(void *ctx, int64_t until_us, int64_t *now_us, char *message, size_t len)
{
    (void)ctx, (void)until_us, (void)now_us;
    snprintf(message, len, "interrupted");
    return -1;
}

/* Of two boards, through `run` or `held_out`. */
static struct bi_cycle ended_by(bool at_the_end, uint64_t bricked)
{
    static const struct sim_ground_devices devices = {.truth = truth};
    const struct sim_ground_fleet fleet = {.devices = 2};
    const struct bi_ear_hooks hooks = {0};
    struct sim_ground inner = made_ground();
    struct bi_cycle cycle = {.state = BI_RUNNING};
    char message[128] = "";
    int64_t now_us = 0;
    inner.devices = &devices;
    inner.run = interrupted;
    bricks = bricked;
    struct bi_ear *ear = bi_ear_create(&inner, &hooks);
    cr_assert(ear);
    const struct sim_ground *ground = bi_ear_ground(ear);
    cr_assert_eq(ground->open(ground->ctx, &fleet, message, sizeof message), 0);
    cr_assert_not(bi_ear_broken(ear, cycle.broken, cycle.broken_what), "it goes on");
    int error = at_the_end ? ground->held_out(ground->ctx, message, sizeof message)
                           : ground->run(ground->ctx, 0, &now_us, message, sizeof message);
    cr_assert_eq(bi_ear_broken(ear, cycle.broken, cycle.broken_what), bricked > 0);
    bi_cycle_judge(&cycle, error, message);
    bi_ear_free(ear);
    return cycle;
}

Test(burnin_ear, a_brick_is_none_of_the_relay_that_fails_after_it)
{
    for (int at_the_end = 0; at_the_end < 2; at_the_end++) {
        struct bi_cycle cycle = ended_by(at_the_end, 2);
        cr_expect_eq(cycle.state, BI_FAILED);
        cr_expect_eq(cycle.exit_code, 3);
        cr_expect_str_eq(cycle.verdict, "unsafe");
        cr_expect_eq(cycle.broken[REP_PROMISE_NO_BRICK], 2);
        cr_expect_eq(cycle.broken[REP_PROMISE_CONVERGENCE], 0);
        cr_expect_str_eq(cycle.broken_what[REP_PROMISE_NO_BRICK], "after a cut no slot verifies");
        for (int p = 0; p < REP_PROMISES; p++)
            if (p != REP_PROMISE_NO_BRICK) /* with nothing broken, an empty one is "kept" */
                cr_expect(strstr(cycle.broken_what[p], "before it was checked"), "promise %d", p);
        cr_expect(strstr(cycle.what, "no slot verifies"), "%s", cycle.what);
        cr_expect(strstr(cycle.what, at_the_end ? "stuck or welded" : "interrupted"), "%s",
                  cycle.what);
    }
}

Test(burnin_ear, what_broke_nothing_is_run_again)
{
    struct bi_cycle cycle = ended_by(true, 0);
    cr_expect_eq(cycle.state, BI_INFRASTRUCTURE);
    cr_expect_eq(cycle.exit_code, 8);
    cycle = ended_by(false, 0);
    cr_expect_eq(cycle.state, BI_INTERRUPTED);
    cr_expect_eq(cycle.exit_code, 8);
}

/* The run itself held out, but its campaign did not come to its end: 8 goes before 3 there. */
Test(burnin_ear, a_promise_that_broke_in_a_campaign_without_an_end_stays_broken)
{
    static const char ended[] = "the campaign did not come to an end within 90 days";
    struct bi_cycle cycle = {.exit_code = 8};
    strcpy(cycle.what, ended);
    cycle.broken[REP_PROMISE_CONVERGENCE] = 1; /* it had no time to */
    cycle.broken[REP_PROMISE_SAME_RUN] = 1;
    bi_cycle_judge(&cycle, 0, "");
    cr_expect_eq(cycle.state, BI_INFRASTRUCTURE);
    cr_expect_eq(cycle.exit_code, 8);
    cr_expect_str_eq(cycle.what, ended);
    cycle.broken[REP_PROMISE_CONFIRM_HEALTHY] = 1;
    strcpy(cycle.broken_what[REP_PROMISE_CONFIRM_HEALTHY], "confirmed before all five checks");
    bi_cycle_judge(&cycle, 0, "");
    cr_expect_eq(cycle.state, BI_FAILED);
    cr_expect_eq(cycle.exit_code, 3);
    cr_expect_str_eq(cycle.verdict, "unsafe");
    cr_expect(strstr(cycle.what, "confirmed before all five checks"), "%s", cycle.what);
    cr_expect(strstr(cycle.what, "did not come to an end"), "%s", cycle.what);
}

/* ---- Without a cut ---- */

Test(burnin_ear, what_cut_nothing_though_it_was_to_does_not_pass)
{
    static const struct {
        int exit_code;
        uint64_t fired;
        enum bi_state state;
        int expect;
    } row[] = {
        {0, 3, BI_PASSED, 0},         {0, 0, BI_FAILED, 6}, {2, 0, BI_FAILED, 2},
        {8, 0, BI_INFRASTRUCTURE, 8}, {3, 0, BI_FAILED, 3},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct bi_cycle cycle = {.exit_code = row[i].exit_code, .what = "as expected"};
        cycle.fault[SCN_FAULT_POWER_LOSS] = (struct bi_fault){true, 14, 0, row[i].fired};
        bi_cycle_judge(&cycle, 0, "");
        cr_expect(cycle.state == row[i].state && cycle.exit_code == row[i].expect, "row %zu", i);
        cr_expect_eq(strstr(cycle.what, "no power was cut by its power_loss: 14 scheduled") != NULL,
                     row[i].expect == 6, "%s", cycle.what);
    }
}

/* ---- SIGINT and SIGTERM ---- */

static int strikes;

static void strike(void *ctx)
{
    (void)ctx;
    if (strikes)
        raise(strikes);
}

static void strike_device(void *ctx, uint32_t device, bool whole_data)
{
    (void)device, (void)whole_data;
    strike(ctx);
}

/* The ground's loop is gone, or looks at nothing but dark boards: what comes then waits, and is
 * taken once. An unheld one would end this test. */
Test(burnin_ear, a_signal_while_the_boards_go_dark_is_taken_after_the_cycle)
{
    static const struct sim_ground_devices devices = {.inspect = strike_device};
    static const int numbers[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 4; i++) {
        const struct bi_ear_hooks hooks = {0};
        struct sim_ground inner = made_ground();
        char message[64];
        inner.devices = &devices;
        inner.close = strike;
        bi_stop_hold();
        struct bi_ear *ear = bi_ear_create(&inner, &hooks);
        cr_assert(ear);
        const struct sim_ground *ground = bi_ear_ground(ear);
        cr_assert_eq(ground->prepare(ground->ctx, NULL, message, sizeof message), 0);
        strikes = i < 2 ? numbers[i] : 0;
        ground->devices->inspect(ground->ctx, 0, true);
        strikes = i < 2 ? 0 : numbers[i - 2];
        ground->close(ground->ctx);
        cr_expect(bi_stop_came(0), "case %d", i);
        cr_expect(!bi_stop_came(0), "it is taken once");
        bi_ear_free(ear);
        bi_stop_release();
    }
}

static volatile sig_atomic_t taken;

static void take(int number)
{
    taken = number;
}

/* While the ground is up its own loop is told at once. */
Test(burnin_ear, a_signal_while_the_cycle_runs_is_the_ground_s)
{
    const struct bi_ear_hooks hooks = {0};
    const struct sim_ground inner = made_ground();
    char message[64];
    signal(SIGTERM, take);
    bi_stop_hold();
    raise(SIGTERM);
    cr_expect_eq(taken, 0);
    struct bi_ear *ear = bi_ear_create(&inner, &hooks);
    cr_assert(ear);
    cr_assert_eq(bi_ear_ground(ear)->prepare(bi_ear_ground(ear)->ctx, NULL, message, 64), 0);
    cr_expect_eq(taken, SIGTERM);
    bi_ear_free(ear);
}
