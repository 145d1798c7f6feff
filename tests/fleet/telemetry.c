/*
 * What the service concludes from telemetry does not depend on how often it is sent: the crash gate
 * counts the devices that really crashed, and firmware that misses nothing passes telemetry_gap.
 */
#include "fleet_bench.h"

#include <criterion/criterion.h>

#define CRASH_GATE                                                                                 \
    "    - {name: all, share: 100%, hold: 60h, gates: [{metric: crash, stop_if: \"> 50%\"}]}\n"
#define GAP_GATE(LIMIT)                                                                            \
    "    - {name: all, share: 100%, hold: 10d, "                                                   \
    "gates: [{metric: telemetry_gap, stop_if: \"> " LIMIT "\"}]}\n"

static const struct rep_gate *first_gate(const struct fleet_run *run)
{
    cr_assert_gt(run->result.phases, 0);
    cr_assert_gt(run->result.phase[0].gates, 0);
    return &run->result.phase[0].gate[0];
}

/* A run of one phase with one gate, and telemetry at this interval. */
static void run_at(struct fleet_run *run, struct fleet_plan plan, const char *every,
                   const char *phase, const struct sim_fleet_options *options)
{
    plan.telemetry_every = every;
    plan.phases = phase;
    fleet_run_plan(run, &plan, options);
}

Test(telemetry, the_crash_gate_counts_what_crashed_at_every_interval)
{
    static const char *const every[] = {"30s", "1m", "5m", "15m", "1h", "1d"};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        struct fleet_run run;
        uint32_t crashed = 0;
        run_at(&run,
               (struct fleet_plan){.count = 300, .candidate = "behaviour: {crash_per_day: 4%}"},
               every[i], CRASH_GATE, &(struct sim_fleet_options){.jobs = 1, .crashed = &crashed});
        cr_expect_gt(crashed, 10, "%s: %u crashed", every[i], crashed);
        cr_expect_eq(first_gate(&run)->numerator, crashed, "%s: the gate says %lld, %u crashed",
                     every[i], (long long)first_gate(&run)->numerator, crashed);
        cr_expect_eq(first_gate(&run)->denominator, 300, "%s", every[i]);
        fleet_run_free(&run);
    }
}

/* Old firmware that crashes often, a reset in the trial, reboots for the update: none is a crash.
 */
Test(telemetry, other_resets_are_no_crashes)
{
    struct fleet_run run;
    uint32_t crashed = 7;
    run_at(&run,
           (struct fleet_plan){.count = 40,
                               .candidate = "behaviour: {health: {hard_fault: 30%}, hangs: 20%}"},
           "30s", CRASH_GATE, &(struct sim_fleet_options){.jobs = 1, .crashed = &crashed});
    cr_expect_gt(run.result.updates[REP_OUT_ROLLED_BACK], 4);
    cr_expect_eq(crashed, 0);
    cr_expect_eq(first_gate(&run)->numerator, 0);
    fleet_run_free(&run);
}

Test(telemetry, the_crashes_survive_a_restart_of_the_service_at_every_tick)
{
    struct fleet_run run;
    uint32_t crashed = 0;
    run_at(&run, (struct fleet_plan){.count = 100, .candidate = "behaviour: {crash_per_day: 8%}"},
           "15m", CRASH_GATE,
           &(struct sim_fleet_options){.jobs = 1, .restart_every = 1, .crashed = &crashed});
    cr_expect_gt(crashed, 3);
    cr_expect_eq(first_gate(&run)->numerator, crashed);
    fleet_run_free(&run);
}

Test(telemetry, firmware_that_misses_nothing_passes_the_gap_at_every_interval)
{
    static const char *const every[] = {"10s", "5m", "1h", "3h", "4h", "7h",
                                        "13h", "1d", "2d", "3d", "5d", "7d"};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        struct fleet_run run;
        run_at(&run, (struct fleet_plan){.count = 40}, every[i], GAP_GATE("1%"), NULL);
        const struct rep_gate *gate = first_gate(&run);
        cr_expect_eq(gate->state, REP_GATE_GREEN, "%s: %lld of %lld missed", every[i],
                     (long long)gate->numerator, (long long)gate->denominator);
        cr_expect_eq(gate->numerator, 0, "%s: %lld of %lld missed", every[i],
                     (long long)gate->numerator, (long long)gate->denominator);
        cr_expect_gt(gate->denominator, 0, "%s", every[i]);
        fleet_run_free(&run);
    }
}

Test(telemetry, firmware_that_misses_messages_is_stopped_at_short_and_long_intervals)
{
    static const char *const every[] = {"5m", "4h", "1d"};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        struct fleet_run run;
        run_at(&run,
               (struct fleet_plan){.count = 40, .candidate = "behaviour: {telemetry_gap: 60%}"},
               every[i], GAP_GATE("5%"), NULL);
        cr_expect_eq(first_gate(&run)->state, REP_GATE_RED, "%s: %lld of %lld missed", every[i],
                     (long long)first_gate(&run)->numerator,
                     (long long)first_gate(&run)->denominator);
        fleet_run_free(&run);
    }
}
