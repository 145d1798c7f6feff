/*
 * What is true at the end of a run: damage that no boot has met yet, and faults that have not
 * stopped.
 */
#include "fleet_bench.h"

#include <criterion/criterion.h>
#include <string.h>

/* Everybody has confirmed after half an hour, and nobody boots again before the end. */
static const struct {
    const char *region;
    uint32_t bricks;
} rotten[] = {
    {"bootloader", 3},   {"config", 0},  {"running_slot", 0},
    {"staging_slot", 0}, {"journal", 0}, {"data", 0},
};

Test(lasting, damage_that_the_next_power_cycle_would_not_survive_is_a_brick)
{
    for (size_t i = 0; i < sizeof rotten / sizeof *rotten; i++) {
        struct fleet_run run;
        char fault[160];
        snprintf(fault, sizeof fault,
                 "{kind: flash_damage, region: %s, how: bit_rot, at: 30m, devices: 3/6}",
                 rotten[i].region);
        fleet_run_plan(&run, &(struct fleet_plan){.count = 6, .faults = fault}, NULL);
        const struct rep_result *result = &run.result;
        cr_expect_eq(fleet_fault(&run, 0)->fired, 3);
        cr_expect_eq(result->bricks[REP_BRICK_HARDWARE], rotten[i].bricks, "%s", rotten[i].region);
        cr_expect_eq(result->updates[REP_OUT_BRICKED], rotten[i].bricks, "%s", rotten[i].region);
        cr_expect_eq(result->exit_code, rotten[i].bricks ? 3 : 0, "%s: %s", rotten[i].region,
                     result->explanation);
        fleet_run_free(&run);
    }
}

/* The image that runs and the one to fall back to, both rotten after the update; a bit of a slot
 * often lies behind its image. */
Test(lasting, two_rotten_slots_are_a_brick_though_the_device_runs)
{
    struct fleet_run run;
    fleet_run_plan(&run,
                   &(struct fleet_plan){
                       .count = 64,
                       .faults =
                           "{kind: flash_damage, region: running_slot, how: bit_rot, at: 30m},"
                           "{kind: flash_damage, region: staging_slot, how: bit_rot, at: 31m}"},
                   NULL);
    cr_expect_gt(run.result.bricks[REP_BRICK_HARDWARE], 0);
    cr_expect_eq(run.result.exit_code, 3, "%s", run.result.explanation);
    fleet_run_free(&run);
}

static const char *const lasts[] = {
    "{kind: power_loss, during: downloading, off_for: 30d, devices: 4/8}",
    "{kind: power_loss, at: 5s, off_for: 30d, devices: 4/8}",
    "{kind: power_loss, during: rebooting, off_for: 30d, devices: 4/8}",
    "{kind: network_drop, during: downloading, for: 365d, devices: 4/8}",
    "{kind: network_drop, at: 5s, for: 365d, devices: 4/8}",
    "{kind: network_drop, during: rebooting, for: 365d, devices: 4/8}",
};

/* Convergence is promised for after the faults, and nobody waits for these. */
Test(lasting, a_device_that_a_fault_keeps_away_breaks_no_promise)
{
    for (size_t i = 0; i < sizeof lasts / sizeof *lasts; i++) {
        struct fleet_run run;
        fleet_run_plan(&run, &(struct fleet_plan){.faults = lasts[i]}, NULL);
        const struct rep_result *result = &run.result;
        fleet_assert_sound(&run, lasts[i]);
        cr_expect_eq(result->updates[REP_OUT_CONFIRMED], 4, "%s", lasts[i]);
        cr_expect_eq(result->updates[REP_OUT_SILENT] + result->updates[REP_OUT_PENDING], 4, "%s",
                     lasts[i]);
        cr_expect_eq(result->bricks[REP_BRICK_UNREACHABLE], 0, "%s", lasts[i]);
        cr_expect_eq(result->exit_code, 0, "%s: %s", lasts[i], result->explanation);
        cr_expect_not_null(strstr(result->explanation, "4 devices out of reach"), "%s: %s",
                           lasts[i], result->explanation);
        cr_expect_lt(result->virtual_s, 60 * 3600, "%s", lasts[i]);
        fleet_run_free(&run);
    }
}

Test(lasting, a_device_that_comes_back_is_waited_for)
{
    struct fleet_run run;
    fleet_run_plan(
        &run,
        &(struct fleet_plan){
            .faults = "{kind: power_loss, during: downloading, off_for: 60h, devices: 4/8}"},
        NULL);
    fleet_assert_sound(&run, "60 h");
    cr_expect_null(strstr(run.result.explanation, "out of reach"), "%s", run.result.explanation);
    cr_expect_gt(run.result.virtual_s, 60 * 3600);
    for (uint32_t d = 0; d < run.result.device_rows; d++) {
        const struct rep_device *row = fleet_device(&run, d);
        cr_expect_gt(row->boots + (row->cuts == 0), 0, "%s", row->id);
    }
    fleet_run_free(&run);
}
