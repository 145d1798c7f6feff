/* The whole campaign: cohorts, phases in order, restarts, cost. */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

Test(camp_whole, healthy_fleet_passes_every_phase_and_finishes)
{
    struct world world;
    world_init(&world, 10, 500);
    world_open(&world);
    world_run_days(&world, 40);
    cr_assert_eq(camp_state(world.camp), CAMP_FINISHED, "state %d", (int)camp_state(world.camp));
    struct rep_result result;
    rep_result_init(&result);
    cr_assert_eq(camp_report(world.camp, &result), CAMP_OK);
    cr_expect_eq(result.phases, 6u);
    for (uint32_t i = 0; i < result.phases; i++) {
        cr_expect_eq(result.phase[i].result, REP_PHASE_PASSED, "%s", result.phase[i].name);
        for (uint32_t k = 0; k < result.phase[i].gates; k++)
            cr_expect_eq(result.phase[i].gate[k].state, REP_GATE_GREEN, "%s %s",
                         result.phase[i].name, result.phase[i].gate[k].metric);
    }
    cr_expect_eq(world_count(&world, REP_OUT_CONFIRMED), 510u);
    cr_expect_eq(result.alerts, 0u);
    cr_expect_eq(result.observations, 5u);
    rep_result_free(&result);
    world_free(&world);
}

Test(camp_whole, cohorts_are_cumulative_and_rounded_up_without_labs)
{
    static const uint32_t fleets[] = {5000, 4999, 101, 7};
    static const uint32_t expect[][4] = {
        {50, 500, 2500, 5000}, {50, 500, 2500, 4999}, {2, 11, 51, 101}, {1, 1, 4, 7}};
    for (size_t at = 0; at < sizeof fleets / sizeof fleets[0]; at++) {
        struct world world;
        world_init(&world, 10, fleets[at]);
        world.no_telemetry = true;
        for (uint32_t i = 0; i < world.plan.phases; i++)
            world.plan.phase[i].gates = 0; /* only who is chosen matters here */
        world_open(&world);
        world_run_days(&world, 40);
        struct rep_result result;
        rep_result_init(&result);
        camp_report(world.camp, &result);
        cr_expect_eq(result.phase[0].cohort, 10u);
        for (uint32_t i = 0; i < 4; i++)
            cr_expect_eq(result.phase[1 + i].cohort, expect[at][i], "fleet %u phase %u: %u",
                         fleets[at], i, result.phase[1 + i].cohort);
        rep_result_free(&result);
        world_free(&world);
    }
}

Test(camp_whole, canary_takes_only_uncritical_devices_and_the_seed_chooses)
{
    struct world world[2];
    uint32_t same = 0, canaries = 0;
    for (int run = 0; run < 2; run++) {
        world_init(&world[run], 0, 1000);
        world[run].config.seed = 7 + (uint64_t)run;
        world_open(&world[run]);
        world_run(&world[run], START + HOUR);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        struct camp_belief a, b;
        camp_belief(world[0].camp, i, &a);
        camp_belief(world[1].camp, i, &b);
        if (a.phase == 0) {
            canaries++;
            cr_expect_str_eq(world[0].info[i].criticality, "low");
        }
        same += a.phase == 0 && b.phase == 0;
    }
    cr_expect_eq(canaries, 10u);
    cr_expect_lt(same, 5u);
    world_free(&world[0]);
    world_free(&world[1]);
}

static void note_event(void *ctx, int64_t at_us, const char *kind, const char *text)
{
    (void)at_us;
    if (strcmp(kind, "note") == 0)
        snprintf(ctx, 256, "%s", text);
}

Test(camp_whole, too_few_eligible_devices_are_taken_and_said)
{
    struct world world;
    char note[256] = "";
    world_init(&world, 0, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        world.info[i].criticality = i < 3 ? "low" : "high";
    world_open(&world);
    camp_on_event(world.camp, note_event, note);
    world_run(&world, START + HOUR);
    cr_expect_eq(world_count(&world, REP_OUT_NONE), 997u);
    cr_expect_str_eq(note, "phase-1 canary: only 3 of 10 devices are eligible");
    world_free(&world);
}

static void loosen(struct scn_gate *gate)
{
    if (gate->metric != SCN_METRIC_BRICK)
        gate->limit = (struct scn_ratio){1, 2};
}

/* Small, with short holds and loose gates: every kind of device goes all the way. */
static void mixed_fleet(struct world *world)
{
    static const enum script odd[] = {DOWNLOAD_LATER, VERIFY_FAILS, UNHEALTHY, MUTE,
                                      SLOW_PONG,      CRASHES,      QUIET,     REFUSES};
    world_init(world, 4, 80);
    for (uint32_t i = 0; i < 8; i++)
        world->device[7 + i * 9].script = odd[i];
    for (uint32_t i = 4; i < 84; i++) {
        world->info[i].ota_window = i % 3 ? "daily 01:00-05:00 local" : "";
        world->info[i].zone_posix = i % 5 ? "CET-1CEST,M3.5.0,M10.5.0/3" : "JST-9";
    }
    for (uint32_t i = 0; i < world->plan.phases; i++) {
        world->plan.phase[i].hold_us = 24 * HOUR;
        for (uint32_t k = 0; k < world->plan.phase[i].gates; k++)
            loosen(&world->plan.phase[i].gate[k]);
    }
    world->plan.observe_us = DAY;
}

/* Everything that a report and the beliefs say, as text. */
static void story(struct world *world, char *out, size_t room)
{
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world->camp, &result);
    FILE *file = fmemopen(out, room, "w");
    fprintf(file, "state %d presumed %u\n", (int)camp_state(world->camp), result.presumed_bricked);
    for (uint32_t i = 0; i < result.phases; i++) {
        const struct rep_phase *p = &result.phase[i];
        fprintf(file, "%s %d %ld %ld %ld %u %u %u %u\n", p->name, (int)p->result,
                (long)p->started_s, (long)p->hold_from_s, (long)p->ended_s, p->cohort, p->confirmed,
                p->rolled_back, p->bricked);
        for (uint32_t k = 0; k < p->gates; k++)
            fprintf(file, " %s %d %ld/%ld %ld\n", p->gate[k].metric, (int)p->gate[k].state,
                    (long)p->gate[k].numerator, (long)p->gate[k].denominator,
                    (long)p->gate[k].at_s);
    }
    for (uint32_t i = 0; i < result.alerts; i++)
        fprintf(file, "alert %ld %d %s %s\n", (long)result.alert[i].at_s,
                (int)result.alert[i].level, result.alert[i].cause, result.alert[i].device);
    for (uint32_t i = 0; i < result.observations; i++)
        fprintf(file, "%s %ld %ld %ld %ld\n", result.observation[i].metric,
                (long)result.observation[i].before_num, (long)result.observation[i].before_den,
                (long)result.observation[i].after_num, (long)result.observation[i].after_den);
    for (uint32_t i = 0; i < world->config.devices; i++) {
        struct camp_belief b;
        camp_belief(world->camp, i, &b);
        fprintf(file, "%u %s %d %d %s %d %ld %ld\n", i, b.version, (int)b.outcome,
                b.presumed_bricked, b.reason, (int)b.phase, (long)b.enrolled_us,
                (long)b.outcome_us);
    }
    fclose(file);
    rep_result_free(&result);
}

enum { STORY_BYTES = 200000 };

static void compare_restarts(void (*script)(struct world *), enum camp_state end, const char *what)
{
    char *text[3];
    for (int mode = STRAIGHT; mode <= KILL_BEFORE_COMMIT; mode++) {
        struct world world;
        mixed_fleet(&world);
        script(&world);
        world.restart = (enum restart)mode;
        world_open(&world);
        world_run_days(&world, 40);
        text[mode] = calloc(1, STORY_BYTES);
        story(&world, text[mode], STORY_BYTES);
        cr_expect(camp_done(world.camp), "%s", what);
        cr_expect_eq(camp_state(world.camp), end, "%s: %d", what, (int)camp_state(world.camp));
        world_free(&world);
    }
    cr_expect_str_eq(text[STRAIGHT], text[RESTART_EACH_TICK], "%s", what);
    cr_expect_str_eq(text[STRAIGHT], text[KILL_BEFORE_COMMIT], "%s", what);
    for (int mode = 0; mode < 3; mode++)
        free(text[mode]);
}

static void script_none(struct world *world)
{
    (void)world;
}

static void script_bricks(struct world *world)
{
    for (uint32_t i = 4; i < 84; i += 5)
        world->device[i].script = i % 2 ? SLEEPS : BRICKS;
    world->plan.on_trigger = SCN_TRIGGER_ROLLBACK;
}

static void script_rollback(struct world *world)
{
    for (uint32_t i = 4; i < 84; i += 2)
        world->device[i].script = i % 8 ? ROLLS_BACK : DOWNLOADS_ON;
    world->plan.on_trigger = SCN_TRIGGER_ROLLBACK;
    world->plan.approval = true;
}

/* Paused in a hold and resumed, paused while devices are under way and resumed, stopped by the
 * brick gate and resumed in spite of it. */
static void script_orders(struct world *world)
{
    for (uint32_t i = 4; i < 84; i++)
        world->device[i].script = i % 6 == 5 ? BRICKS : OBEYS;
    world->plan.phases = 2;
    world->plan.phase[1] = world->plan.phase[3];
    world->plan.phase[0].gates = world->plan.phase[1].gates = 0;
    world_gate(&world->plan.phase[0], SCN_METRIC_COMMAND_MS, SCN_MORE_EQUAL, 0, 1);
    world_gate(&world->plan.phase[1], SCN_METRIC_BRICK, SCN_MORE, 0, 1);
    world->plan.observe_us = 0;
    world->no_telemetry = true;
    world_order(world, START + 20 * MINUTE, CAMP_OPERATOR_PAUSE);
    world_order(world, START + 60 * HOUR, CAMP_OPERATOR_RESUME);
    world_order(world, START + 84 * HOUR, CAMP_OPERATOR_PAUSE);
    world_order(world, START + 9 * DAY, CAMP_OPERATOR_RESUME);
    world_order(world, START + 12 * DAY, CAMP_OPERATOR_RESUME);
}

static void script_ordered_rollback(struct world *world)
{
    script_orders(world);
    world->orders = 4;
    world_order(world, START + 9 * DAY + 20 * HOUR, CAMP_OPERATOR_ROLLBACK);
}

Test(camp_whole, restarted_after_every_tick_it_tells_the_same_story)
{
    compare_restarts(script_none, CAMP_FINISHED, "finishes");
    compare_restarts(script_bricks, CAMP_STOPPED, "bricks");
    compare_restarts(script_rollback, CAMP_STOPPED, "rolls back");
    compare_restarts(script_orders, CAMP_FINISHED, "paused and resumed");
    compare_restarts(script_ordered_rollback, CAMP_STOPPED, "rolled back by order");
}

Test(camp_whole, what_was_not_acknowledged_is_sent_again_after_a_restart)
{
    struct world world;
    struct camp_out out;
    int64_t number[4];
    world_init(&world, 0, 4);
    world_single_phase(&world, DAY);
    world_open(&world);
    cr_assert_eq(camp_tick(world.camp, START), CAMP_OK);
    for (int i = 0; i < 4; i++) {
        cr_assert(camp_next_out(world.camp, &out));
        number[i] = out.number;
    }
    /* All were sent, the first two were acknowledged; later the third too. */
    for (int acknowledged = 2; acknowledged < 4; acknowledged++) {
        camp_keep_from(world.camp, number[acknowledged]);
        world_say(&world, 0, (uint32_t)acknowledged, "notified", "");
        cr_assert_eq(camp_tick(world.camp, START + acknowledged * 10 * SECOND), CAMP_OK);
        camp_close(world.camp);
        cr_assert_eq(camp_open(&world.camp, &world.config, world.db), CAMP_OK);
        for (int i = acknowledged; i < 4; i++) {
            cr_assert(camp_next_out(world.camp, &out));
            cr_expect_eq(out.number, number[i]);
        }
        cr_expect(!camp_next_out(world.camp, &out));
    }
    world_free(&world);
}

Test(camp_whole, another_campaign_or_fleet_is_not_taken_for_ours)
{
    struct world world;
    world_init(&world, 0, 20);
    world_open(&world);
    world_run(&world, START + HOUR);
    camp_close(world.camp);
    world.config.campaign_id = "camp-2";
    cr_expect_eq(camp_open(&world.camp, &world.config, world.db), CAMP_ECONFIG);
    cr_expect_str_eq(camp_message(world.camp), "campaign database: it holds another campaign");
    camp_close(world.camp);
    world.config.campaign_id = "camp-1";
    world.config.devices = 19;
    cr_expect_eq(camp_open(&world.camp, &world.config, world.db), CAMP_ECONFIG);
    world_free(&world);
}

Test(camp_whole, a_database_that_cannot_be_written_ends_the_run_and_sends_nothing)
{
    struct world world;
    world_init(&world, 0, 20);
    world_open(&world);
    sqlite3_exec(world.db, "PRAGMA query_only=1", NULL, NULL, NULL);
    struct camp_out out;
    cr_expect_eq(camp_tick(world.camp, START), CAMP_EDB);
    cr_expect(strstr(camp_message(world.camp), "writing a tick"));
    cr_expect_not(camp_next_out(world.camp, &out));
    sqlite3_exec(world.db, "PRAGMA query_only=0", NULL, NULL, NULL);
    camp_close(world.camp);
    cr_expect_eq(camp_open(&world.camp, &world.config, world.db), CAMP_OK);
    cr_expect_eq(world_count(&world, REP_OUT_NONE), 20u, "nothing of that tick happened");
    world_free(&world);
}

/* Reading the CPU clock is a system call: twice in each tick, one of them inside what is measured.
 */
static double clock_cost_s(uint32_t ticks)
{
    struct timespec from, to, scratch;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (uint32_t i = 0; i < ticks; i++)
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &scratch);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* Printed, not asserted: machines differ. The budget is 1 s for 5,000 devices on the reference
 * machine. */
Test(camp_whole, cost_of_a_campaign_of_5000)
{
    struct world world;
    world_init(&world, 10, 5000);
    world_open(&world);
    world_run_days(&world, 40);
    struct camp_counts counts;
    camp_counts(world.camp, &counts);
    cr_expect_eq(camp_state(world.camp), CAMP_FINISHED);
    printf("campaign of 5,000: %.0f ms CPU in the service, %lu statuses, %lu telemetry runs, %u "
           "ticks\n",
           (world.service_s - clock_cost_s(world.ticks)) * 1e3, (unsigned long)counts.statuses,
           (unsigned long)counts.telemetry, world.ticks);
    world_free(&world);
}

/* The live display's end: it shrinks from the plan's length to the true end, and a pause hides it.
 */
Test(camp_whole, the_end_is_estimated_until_a_pause_makes_it_unknown)
{
    struct world world;
    world_init(&world, 0, 40);
    world_single_phase(&world, 12 * HOUR);
    world.plan.observe_us = 3 * DAY;
    world_open(&world);
    cr_expect_eq(camp_end_estimate_us(world.camp), START + DAY + 12 * HOUR + 3 * DAY, "the plan");
    world_run(&world, START + 6 * HOUR);
    int64_t held = camp_end_estimate_us(world.camp);
    cr_expect(held > START + 3 * DAY + 12 * HOUR && held < START + 4 * DAY, "held: %lld s",
              (long long)((held - START) / SECOND));
    world_run(&world, START + DAY);
    cr_assert_eq(camp_state(world.camp), CAMP_OBSERVING);
    cr_expect(camp_end_estimate_us(world.camp) <= held + MINUTE &&
                  camp_end_estimate_us(world.camp) >= held - MINUTE,
              "observed");
    world_free(&world);

    world_init(&world, 0, 40);
    world_single_phase(&world, 12 * HOUR);
    world_order(&world, START + 3 * HOUR, CAMP_OPERATOR_PAUSE);
    world_open(&world);
    world_run(&world, START + 4 * HOUR);
    cr_assert_eq(camp_state(world.camp), CAMP_PAUSED);
    cr_expect_eq(camp_end_estimate_us(world.camp), -1, "paused");
    world_free(&world);
}
