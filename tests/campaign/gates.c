/* Holds, early red, final judgement, silence, and what each metric counts. */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { FLEET = 100 };

/* One phase over 100 devices, the first `odd` of which follow the script; runs until it is done. */
struct trial {
    enum scn_metric metric;
    enum scn_compare compare;
    int64_t num, den;
    enum script script;
    uint32_t odd;
};

static void trial_run(struct world *world, struct rep_result *result, const struct trial *trial)
{
    world_init(world, 0, FLEET);
    struct scn_phase *phase = world_single_phase(world, 48 * HOUR);
    world_gate(phase, trial->metric, trial->compare, trial->num, trial->den);
    world->plan.observe_us = 0;
    for (uint32_t i = 0; i < trial->odd; i++)
        world->device[i].script = trial->script;
    bool trend = trial->metric == SCN_METRIC_MEMORY || trial->metric == SCN_METRIC_CPU;
    for (uint32_t i = 0; i < FLEET && trend; i++)
        world->info[i].ota_window =
            "Sat 02:00-06:00 UTC"; /* first two days with the old firmware */
    world_open(world);
    world_run_days(world, 12);
    rep_result_init(result);
    camp_report(world->camp, result);
}

Test(camp_gates, each_metric_turns_at_its_limit)
{
    static const struct {
        struct trial trial;
        enum rep_gate_state state;
        int64_t numerator, denominator;
    } row[] = {
        {{SCN_METRIC_SUCCESS, SCN_LESS, 95, 100, VERIFY_FAILS, 5}, REP_GATE_GREEN, 95, 100},
        {{SCN_METRIC_SUCCESS, SCN_LESS, 95, 100, REFUSES, 5}, REP_GATE_GREEN, 95, 100},
        {{SCN_METRIC_SUCCESS, SCN_LESS, 95, 100, MUTE, 5}, REP_GATE_GREEN, 95, 100},
        {{SCN_METRIC_SUCCESS, SCN_LESS, 95, 100, DOWNLOAD_LATER, 5}, REP_GATE_GREEN, 100, 100},
        /* 20 that fail three times and succeed a day later stop nothing; 6 that never do, at the
           end. */
        {{SCN_METRIC_SUCCESS, SCN_LESS, 95, 100, DOWNLOAD_LATER, 20}, REP_GATE_GREEN, 100, 100},
        {{SCN_METRIC_SUCCESS, SCN_LESS, 95, 100, DOWNLOAD_FAILS, 6}, REP_GATE_RED, 94, 100},
        {{SCN_METRIC_ROLLBACK, SCN_MORE, 5, 100, UNHEALTHY, 5}, REP_GATE_GREEN, 5, 100},
        {{SCN_METRIC_ROLLBACK, SCN_MORE, 5, 100, ROLLS_BACK, 6}, REP_GATE_RED, 6, -1},
        {{SCN_METRIC_ROLLBACK, SCN_MORE, 5, 100, MUTE, 6}, REP_GATE_GREEN, 0, 100},
        {{SCN_METRIC_BRICK, SCN_MORE, 0, 1, BRICKS, 1}, REP_GATE_RED, 1, -1},
        {{SCN_METRIC_BRICK, SCN_MORE, 0, 1, MUTE, 3}, REP_GATE_GREEN, 0, 100},
        {{SCN_METRIC_CRASH, SCN_MORE, 2, 100, CRASHES, 2}, REP_GATE_GREEN, 2, 100},
        {{SCN_METRIC_CRASH, SCN_MORE, 2, 100, CRASHES, 3}, REP_GATE_RED, 3, 100},
        {{SCN_METRIC_TELEMETRY_GAP, SCN_MORE, 5, 100, QUIET, 3}, REP_GATE_GREEN, -1, -1},
        {{SCN_METRIC_TELEMETRY_GAP, SCN_MORE, 5, 100, QUIET, 12}, REP_GATE_RED, -1, -1},
        {{SCN_METRIC_MEMORY, SCN_MORE, 10, 100, GROWS, 10}, REP_GATE_GREEN, -1, -1},
        {{SCN_METRIC_MEMORY, SCN_MORE, 10, 100, GROWS, 40}, REP_GATE_RED, -1, -1},
        {{SCN_METRIC_CPU, SCN_MORE, 20, 100, GROWS, 40}, REP_GATE_GREEN, 0, -1},
    };
    for (size_t at = 0; at < sizeof row / sizeof row[0]; at++) {
        struct world world;
        struct rep_result result;
        trial_run(&world, &result, &row[at].trial);
        const struct rep_gate *gate = &result.phase[0].gate[0];
        cr_expect_eq(gate->state, row[at].state, "row %zu: state %d, %ld/%ld", at, (int)gate->state,
                     (long)gate->numerator, (long)gate->denominator);
        cr_expect(row[at].numerator < 0 || gate->numerator == row[at].numerator, "row %zu: %ld", at,
                  (long)gate->numerator);
        cr_expect(row[at].denominator < 0 || gate->denominator == row[at].denominator,
                  "row %zu: %ld", at, (long)gate->denominator);
        cr_expect_eq(camp_state(world.camp),
                     row[at].state == REP_GATE_RED ? CAMP_PAUSED : CAMP_FINISHED);
        rep_result_free(&result);
        world_free(&world);
    }
}

Test(camp_gates, success_below_the_limit_is_red_as_soon_as_it_cannot_recover)
{
    struct world world;
    struct rep_result result;
    struct trial trial = {SCN_METRIC_SUCCESS, SCN_LESS, 95, 100, VERIFY_FAILS, 6};
    trial_run(&world, &result, &trial);
    cr_expect_eq(result.phase[0].gate[0].state, REP_GATE_RED);
    cr_expect_eq(result.phase[0].ended_s, 600, "%ld: when the sixth failed",
                 (long)result.phase[0].ended_s);
    cr_expect_eq(result.phase[0].hold_from_s, -1, "before the hold began");
    rep_result_free(&result);
    world_free(&world);
}

Test(camp_gates, hold_counts_from_95_percent_of_outcomes)
{
    struct world world;
    world_init(&world, 0, FLEET);
    world_gate(world_single_phase(&world, 48 * HOUR), SCN_METRIC_SUCCESS, SCN_LESS, 50, 100);
    for (uint32_t i = 0; i < 6; i++)
        world.device[i].script =
            i ? MUTE : SLEEPS; /* 94 at once, one 20 h later, 5 silent after 48 h */
    world.plan.presumed_brick_us = 90 * HOUR;
    world_open(&world);
    world_run_days(&world, 4);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(result.phase[0].hold_from_s, 20 * 3600 + 60, "%ld",
                 (long)result.phase[0].hold_from_s);
    cr_expect_eq(result.phase[0].ended_s, 68 * 3600 + 60, "%ld", (long)result.phase[0].ended_s);
    cr_expect_eq(result.phase[0].gate[0].numerator, 95);
    cr_expect_eq(result.phase[0].gate[0].denominator, 100, "the silent are failures");
    rep_result_free(&result);
    world_free(&world);
}

Test(camp_gates, no_data_never_passes)
{
    struct world world;
    world_init(&world, 0, FLEET);
    struct scn_phase *phase = world_single_phase(&world, 10 * HOUR);
    world_gate(phase, SCN_METRIC_MEMORY, SCN_MORE, 10, 100);
    world.no_telemetry = true;
    world_open(&world);
    world_run(&world, START + 50 * HOUR);
    cr_expect_eq(camp_state(world.camp), CAMP_RUNNING, "it waits for data");
    world_run_days(&world, 5);
    cr_expect_eq(camp_state(world.camp), CAMP_PAUSED, "%d", (int)camp_state(world.camp));
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(result.phase[0].result, REP_PHASE_STOPPED);
    cr_expect_eq(result.phase[0].gate[0].state, REP_GATE_HOLD);
    cr_assert_eq(result.alerts, 1u);
    cr_expect_str_eq(result.alert[0].cause, "no data to judge the phase by: all");
    rep_result_free(&result);
    world_free(&world);
}

Test(camp_gates, a_sample_too_small_holds)
{
    struct world world;
    world_init(&world, 0, 20);
    struct scn_phase *phase = world_single_phase(&world, HOUR);
    world_gate(phase, SCN_METRIC_SUCCESS, SCN_LESS, 95, 100);
    phase->gate[0].min_sample = 21;
    world_open(&world);
    world_run_days(&world, 5);
    cr_expect_eq(camp_state(world.camp), CAMP_PAUSED);
    world_free(&world);
}

Test(camp_gates, labs_answer_pings_each_hour_of_the_hold)
{
    static const enum script script[] = {HEALTHY, SLOW_PONG, NO_PONG};
    for (int at = 0; at < 3; at++) {
        struct world world;
        world_init(&world, 10, 0);
        world.device[3].script = script[at];
        world.plan.phases = 1;
        world.plan.observe_us = 0;
        world_open(&world);
        world_run_days(&world, 4);
        struct rep_result result;
        rep_result_init(&result);
        camp_report(world.camp, &result);
        const struct rep_gate *gate = world_find_gate(&result.phase[0], "command_ms");
        cr_assert(gate);
        cr_expect_eq(gate->state, at ? REP_GATE_RED : REP_GATE_GREEN);
        cr_expect_eq(gate->numerator, at ? 1 : 0);
        cr_expect_eq(gate->denominator, at == 0 ? 240 : 10, "%ld", (long)gate->denominator);
        cr_expect(strstr(gate->comparison, ">= 500ms"), "%s", gate->comparison);
        rep_result_free(&result);
        world_free(&world);
    }
}

Test(camp_gates, labs_count_in_no_percentage)
{
    struct world world;
    world_init(&world, 40, FLEET);
    for (uint32_t i = 0; i < 40; i++)
        world.device[i].script = i < 20 ? UNHEALTHY : HEALTHY;
    world_open(&world);
    world_run_days(&world, 40);
    cr_expect_eq(camp_state(world.camp), CAMP_FINISHED, "%d", (int)camp_state(world.camp));
    world_free(&world);
}

Test(camp_gates, presumed_brick_comes_after_12_hours_and_is_taken_back)
{
    struct world world;
    world_init(&world, 0, FLEET);
    world_gate(world_single_phase(&world, 48 * HOUR), SCN_METRIC_BRICK, SCN_MORE, 5, 100);
    world.device[0].script = SLEEPS;
    world.device[1].script = BRICKS;
    world.no_telemetry = true;
    world_open(&world);
    struct camp_belief belief;
    world_run(&world, START + 12 * HOUR + 11 * MINUTE);
    camp_belief(world.camp, 0, &belief);
    cr_expect_not(belief.presumed_bricked);
    world_run(&world, START + 13 * HOUR);
    camp_belief(world.camp, 0, &belief);
    cr_expect(belief.presumed_bricked);
    cr_expect_eq(belief.outcome, REP_OUT_SILENT);
    world_run(&world, START + 30 * HOUR);
    camp_belief(world.camp, 0, &belief);
    cr_expect_not(belief.presumed_bricked, "it spoke");
    cr_expect_eq(belief.outcome, REP_OUT_CONFIRMED);
    camp_belief(world.camp, 1, &belief);
    cr_expect(belief.presumed_bricked);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(result.presumed_bricked, 1u);
    cr_expect_eq(result.phase[0].gate[0].numerator, 1);
    rep_result_free(&result);
    world_free(&world);
}

Test(camp_gates, a_crash_in_the_observation_still_stops)
{
    struct world world;
    world_init(&world, 0, FLEET);
    world_gate(world_single_phase(&world, HOUR), SCN_METRIC_CRASH, SCN_MORE, 2, 100);
    for (uint32_t i = 0; i < 10; i++)
        world.device[i].script = CRASHES;
    world_open(&world);
    world_run_days(&world, 10);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(camp_state(world.camp), CAMP_PAUSED);
    cr_expect_eq(result.phase[0].result, REP_PHASE_PASSED);
    cr_expect_str_eq(result.phase[1].name, "observation");
    cr_expect_eq(result.phase[1].result, REP_PHASE_STOPPED);
    rep_result_free(&result);
    world_free(&world);
}

/* Everybody has confirmed; now the first device tells resets, without a message between them. */
static int64_t crashes_after(const struct camp_telemetry *run, bool again)
{
    struct world world;
    world_init(&world, 0, FLEET);
    world_gate(world_single_phase(&world, 96 * HOUR), SCN_METRIC_CRASH, SCN_MORE, 50, 100);
    world.plan.observe_us = 0;
    world.no_telemetry = true;
    world_open(&world);
    world_run_days(&world, 1);
    struct camp_telemetry told = *run;
    int64_t confirmed_us = world.device[0].confirmed_us;
    told.first_reset_us += confirmed_us;
    told.last_reset_us += confirmed_us;
    told.first_us = told.last_us = confirmed_us + 60 * HOUR;
    camp_telemetry(world.camp, &told);
    if (again)
        camp_telemetry(world.camp, &told);
    world_run_days(&world, 6);
    struct camp_counts counts;
    camp_counts(world.camp, &counts);
    cr_expect_eq(counts.late, again, "the same news twice");
    cr_expect_eq(counts.dropped, 0);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    int64_t crashes = result.phase[0].gate[0].numerator;
    rep_result_free(&result);
    world_free(&world);
    return crashes;
}

Test(camp_gates, a_crash_is_judged_by_the_time_of_the_reset)
{
    static const struct {
        const char *version;
        int64_t first_us, last_us; /* since the confirmation */
        int64_t crashes;
    } row[] = {
        {"2.4.0", 0, 0, 1},
        {"2.4.0", 48 * HOUR, 48 * HOUR, 1},
        {"2.4.0", 48 * HOUR + 1, 48 * HOUR + 1, 0},
        {"2.4.0", 47 * HOUR, 49 * HOUR, 1},
        {"2.3.1", HOUR, HOUR, 0},
    };
    for (size_t at = 0; at < sizeof row / sizeof row[0]; at++)
        for (uint32_t received = 0; received < 2; received++) {
            struct camp_telemetry run = {.received = received,
                                         .resets = 2,
                                         .first_reset_us = row[at].first_us,
                                         .last_reset_us = row[at].last_us};
            snprintf(run.version, sizeof run.version, "%s", row[at].version);
            cr_expect_eq(crashes_after(&run, true), row[at].crashes, "row %zu, %u messages", at,
                         received);
        }
}

/* Its reset kept the device from sending the confirmation before the news of the reset. */
Test(camp_gates, a_reset_told_before_the_confirmation_counts)
{
    struct world world;
    world_init(&world, 0, FLEET);
    world_gate(world_single_phase(&world, 48 * HOUR), SCN_METRIC_CRASH, SCN_MORE, 50, 100);
    world.plan.observe_us = 0;
    world.no_telemetry = true;
    world.device[0].script = MUTE;
    world_open(&world);
    world_run(&world, START + HOUR);
    camp_telemetry(world.camp, &(struct camp_telemetry){.version = "2.4.0",
                                                        .first_us = world.now_us,
                                                        .last_us = world.now_us,
                                                        .resets = 1,
                                                        .first_reset_us = world.now_us - SECOND,
                                                        .last_reset_us = world.now_us - SECOND});
    world_say(&world, 0, 1, "confirmed", "");
    world_run_days(&world, 4);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(result.phase[0].gate[0].numerator, 1);
    cr_expect_eq(result.phase[0].gate[0].denominator, FLEET);
    rep_result_free(&result);
    world_free(&world);
}

/* What ota-agent and the board write; the times of resets are the simulator's alone. */
static int64_t crashes_told(const char *version, unsigned resets, const char *more, int64_t dropped)
{
    struct world world;
    char json[400];
    world_init(&world, 0, FLEET);
    world_gate(world_single_phase(&world, 48 * HOUR), SCN_METRIC_CRASH, SCN_MORE, 50, 100);
    world_gate(&world.plan.phase[0], SCN_METRIC_TELEMETRY_GAP, SCN_MORE, 100, 100);
    world.plan.observe_us = 0;
    world.no_telemetry = true;
    world_open(&world);
    world_run_days(&world, 1);
    int len = snprintf(json, sizeof json,
                       "{\"device_id\":\"%s\",\"seq\":1,\"at\":\"2026-11-01T10:00:00Z\","
                       "\"version\":\"%s\",\"energy_mw\":1500,\"memory_kb\":69,"
                       "\"cpu_permille\":4,\"resets\":%u%s}",
                       world.info[0].id, version, resets, more);
    struct camp_counts counts;
    camp_telemetry_json(world.camp, 0, json, (uint32_t)len, world.now_us);
    camp_counts(world.camp, &counts);
    cr_expect_eq(counts.dropped, dropped, "%s", json);
    world_run_days(&world, 4);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    int64_t crashes = result.phase[0].gate[0].numerator;
    rep_result_free(&result);
    world_free(&world);
    return crashes;
}

Test(camp_gates, a_message_that_tells_its_resets_is_telemetry_and_news)
{
    cr_expect_eq(crashes_told("2.4.0", 0, "", 0), 0);
    cr_expect_eq(crashes_told("2.4.0", 1, "", 0), 1);
    cr_expect_eq(crashes_told("2.3.1", 1, "", 0), 0);
    cr_expect_eq(crashes_told("2.4.0", 1, ",\"first_reset_ms\":5", 1), 0, "half of the news");
    cr_expect_eq(crashes_told("2.4.0", 0, ",\"first_reset_ms\":5,\"last_reset_ms\":5", 1), 0);
}

Test(camp_gates, observation_compares_before_with_after)
{
    struct world world;
    world_init(&world, 0, FLEET);
    world_single_phase(&world, 24 * HOUR);
    for (uint32_t i = 0; i < FLEET; i++) {
        world.info[i].ota_window = "Sat 02:00-06:00 UTC"; /* two days with the old firmware first */
        world.device[i].script = i < 2 ? CRASHES : GROWS;
    }
    world_open(&world);
    world_run_days(&world, 14);
    cr_expect_eq(camp_state(world.camp), CAMP_FINISHED);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    const struct rep_observation *mtbf = &result.observation[0], *memory = &result.observation[2];
    cr_expect_str_eq(mtbf->metric, "mtbf");
    cr_expect(mtbf->before_lower_bound, "nothing crashed before");
    cr_expect_eq(mtbf->before_den, 1);
    cr_expect_not(mtbf->lower_bound, "two crashed after");
    cr_expect_eq(mtbf->after_den, 2);
    cr_expect_gt(mtbf->after_num, 100 * 24 * 6);
    cr_expect_str_eq(memory->metric, "memory");
    cr_expect_eq(memory->before_num / memory->before_den, 2000);
    cr_expect_eq(memory->after_num / memory->after_den, 2980);
    cr_expect_eq(result.observation[4].after_num, result.observation[4].after_den,
                 "all telemetry came");
    rep_result_free(&result);
    world_free(&world);
}

/* Everybody updates at once, so that there is no time before; and after it nobody crashes. */
Test(camp_gates, mtbf_is_a_bound_without_crashes_and_no_data_without_hours)
{
    for (int silent = 0; silent < 2; silent++) {
        struct world world;
        world_init(&world, 0, FLEET);
        world_single_phase(&world, 24 * HOUR);
        world.no_telemetry = silent;
        world_open(&world);
        world_run_days(&world, 14);
        struct rep_result result;
        rep_result_init(&result);
        camp_report(world.camp, &result);
        const struct rep_observation *mtbf = &result.observation[0];
        cr_expect_eq(mtbf->before_den, 0, "no hours with the old firmware");
        cr_expect_not(mtbf->before_lower_bound);
        cr_expect_eq(mtbf->lower_bound, !silent, "hours and no crash");
        cr_expect_eq(mtbf->after_den, !silent);
        cr_expect_eq(mtbf->after_num > 0, !silent);
        rep_result_free(&result);
        world_free(&world);
    }
}
