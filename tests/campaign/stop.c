/* Triggers: pause, rollback, what each device is told; alerts; approval. */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static bool has_alert(const struct rep_result *result, enum rep_alert_level level, const char *text)
{
    for (uint32_t i = 0; i < result->alerts; i++)
        if (result->alert[i].level == level && strstr(result->alert[i].cause, text))
            return true;
    return false;
}

static void report(struct world *world, struct rep_result *result)
{
    rep_result_init(result);
    cr_assert_eq(camp_report(world->camp, result), CAMP_OK);
}

Test(camp_stop, canary_stops_a_bad_firmware_and_nobody_further_is_notified)
{
    struct world world;
    world_init(&world, 0, 2000);
    for (uint32_t i = 0; i < 2000; i++)
        world.device[i].script = ROLLS_BACK;
    world_open(&world);
    world_run_days(&world, 20);
    struct rep_result result;
    report(&world, &result);
    cr_expect_eq(camp_state(world.camp), CAMP_PAUSED);
    cr_expect(camp_done(world.camp));
    cr_expect_eq(world_count(&world, REP_OUT_ROLLED_BACK), 20u);
    cr_expect_eq(world_count(&world, REP_OUT_NONE), 1980u);
    cr_expect_eq(result.phase[0].result, REP_PHASE_STOPPED);
    cr_expect_eq(result.phase[1].result, REP_PHASE_NOT_REACHED);
    cr_expect(has_alert(&result, REP_ALERT_ON_CALL, "did not boot: watchdog"));
    rep_result_free(&result);
    world_free(&world);
}

/* Half of the fleet confirmed when the brick gate fires; the rest is queued or under way. */
static void stopped_fleet(struct world *world, enum scn_trigger trigger)
{
    world_init(world, 0, 40);
    struct scn_phase *phase = world_single_phase(world, 48 * HOUR);
    world_gate(phase, SCN_METRIC_BRICK, SCN_MORE, 0, 1);
    world->plan.on_trigger = trigger;
    for (uint32_t i = 0; i < 40; i++) {
        world->device[i].script = i == 0 ? BRICKS : i < 20 ? HEALTHY : i < 30 ? DOWNLOADS_ON : MUTE;
        if (i >= 36)
            world->info[i].ota_window = "Sun 02:00-06:00 UTC";
    }
    world->no_telemetry = true;
    world_open(world);
    world_run(world, START + 14 * HOUR);
}

Test(camp_stop, pause_leaves_the_confirmed_and_defers_those_under_way)
{
    struct world world;
    stopped_fleet(&world, SCN_TRIGGER_PAUSE);
    cr_assert_eq(camp_state(world.camp), CAMP_PAUSED);
    for (uint32_t i = 0; i < 40; i++) {
        const struct device *it = &world.device[i];
        cr_expect_eq(it->rollbacks, 0u, "device %u", i);
        cr_expect_eq(it->defers, i >= 20 && i < 36 ? 1u : 0u, "device %u", i);
        cr_expect(i < 36 || it->notifications == 0, "device %u was queued", i);
    }
    cr_expect_not(camp_done(world.camp), "downloads are under way");
    world_run_days(&world, 30);
    cr_expect(camp_done(world.camp));
    cr_expect_leq(world.now_us, START + 12 * HOUR + 49 * HOUR);
    cr_expect_eq(world_count(&world, REP_OUT_PENDING), 16u, "deferred, so not silent");
    world_free(&world);
}

Test(camp_stop, rollback_orders_every_confirmed_device_back_and_that_is_no_failure)
{
    struct world world;
    stopped_fleet(&world, SCN_TRIGGER_ROLLBACK);
    cr_assert_eq(camp_state(world.camp), CAMP_ROLLING_BACK);
    world_run_days(&world, 30);
    cr_expect_eq(camp_state(world.camp), CAMP_STOPPED);
    cr_expect_eq(world_count(&world, REP_OUT_ROLLED_BACK_BY_CAMPAIGN), 19u);
    cr_expect_eq(world_count(&world, REP_OUT_ROLLED_BACK), 0u);
    struct camp_belief belief;
    camp_belief(world.camp, 5, &belief);
    cr_expect_str_eq(belief.version, "2.3.1");
    struct rep_result result;
    report(&world, &result);
    cr_expect(has_alert(&result, REP_ALERT_ENGINEERING_LEAD, "brick"));
    cr_expect(has_alert(&result, REP_ALERT_ON_CALL, "presumed brick"));
    rep_result_free(&result);
    world_free(&world);
}

Test(camp_stop, one_that_confirms_while_rolling_back_is_ordered_back_too)
{
    struct world world;
    stopped_fleet(&world, SCN_TRIGGER_ROLLBACK);
    world_say(&world, 31, 1, "confirmed", "");
    world_tick(&world);
    world_run(&world, START + 15 * HOUR);
    cr_expect_eq(world.device[31].rollbacks, 1u);
    struct camp_belief belief;
    camp_belief(world.camp, 31, &belief);
    cr_expect_eq(belief.outcome, REP_OUT_ROLLED_BACK_BY_CAMPAIGN);
    world_free(&world);
}

Test(camp_stop, gates_and_failures_alert_whom_the_playbook_names)
{
    static const struct {
        enum script script;
        enum scn_metric metric;
        enum rep_alert_level level, gate_level;
        char text[40];
    } row[] = {
        {DOWNLOAD_FAILS, SCN_METRIC_SUCCESS, REP_ALERT_OPERATIONS, REP_ALERT_OPERATIONS,
         "download failed: network"},
        {VERIFY_FAILS, SCN_METRIC_SUCCESS, REP_ALERT_OPERATIONS, REP_ALERT_OPERATIONS,
         "verification failed: checksum"},
        {REFUSES, SCN_METRIC_SUCCESS, REP_ALERT_OPERATIONS, REP_ALERT_OPERATIONS,
         "refused: hw_revision"},
        {ROLLS_BACK, SCN_METRIC_ROLLBACK, REP_ALERT_ON_CALL, REP_ALERT_ENGINEERING_LEAD,
         "watchdog"},
        {UNHEALTHY, SCN_METRIC_ROLLBACK, REP_ALERT_OPERATIONS, REP_ALERT_ENGINEERING_LEAD,
         "health_config"},
        {BRICKS, SCN_METRIC_BRICK, REP_ALERT_ON_CALL, REP_ALERT_ENGINEERING_LEAD, "presumed brick"},
    };
    for (size_t at = 0; at < sizeof row / sizeof row[0]; at++) {
        struct world world;
        struct rep_result result;
        world_init(&world, 0, 20);
        bool good = row[at].metric == SCN_METRIC_SUCCESS;
        world_gate(world_single_phase(&world, DAY), row[at].metric, good ? SCN_LESS : SCN_MORE,
                   good ? 95 : 5, 100);
        for (uint32_t i = 0; i < 3; i++)
            world.device[i].script = row[at].script;
        world_open(&world);
        world_run_days(&world, 5);
        report(&world, &result);
        cr_expect_eq(camp_state(world.camp), CAMP_PAUSED, "row %zu", at);
        cr_expect(has_alert(&result, row[at].level, row[at].text), "row %zu", at);
        cr_expect(has_alert(&result, row[at].gate_level, "gate stopped"), "row %zu", at);
        cr_expect(result.alert[0].device[0], "row %zu names the device", at);
        rep_result_free(&result);
        world_free(&world);
    }
}

Test(camp_stop, alerts_of_one_kind_end_with_one_that_says_more)
{
    struct world world;
    world_init(&world, 0, 60);
    world_single_phase(&world, DAY);
    for (uint32_t i = 0; i < 60; i++)
        world.device[i].script = VERIFY_FAILS;
    world_open(&world);
    world_run(&world, START + HOUR);
    struct rep_result result;
    report(&world, &result);
    cr_assert_eq(result.alerts, 21u, "%u", result.alerts);
    cr_expect_str_eq(result.alert[20].cause, "verification failed: and more devices");
    cr_expect_str_eq(result.alert[20].device, "");
    rep_result_free(&result);
    world_free(&world);
}

Test(camp_stop, approval_is_granted_after_one_tick_and_only_when_asked)
{
    struct world world;
    world_init(&world, 0, 10);
    world_single_phase(&world, HOUR);
    world.plan.approval = true;
    world.device[4].script = VERIFY_FAILS;
    world_open(&world);
    world_run(&world, START + 10 * MINUTE + 10 * SECOND);
    cr_expect_eq(world.device[0].applies, 0u, "asked at 10:01, seen at the tick of 10:10");
    world_run(&world, START + 10 * MINUTE + 20 * SECOND);
    cr_expect_eq(world.device[0].applies, 1u);
    world_run(&world, START + HOUR);
    cr_expect_eq(world_count(&world, REP_OUT_CONFIRMED), 9u);
    cr_expect_eq(world.device[4].applies, 0u);
    world_free(&world);
}
