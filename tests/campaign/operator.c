/* The operator's orders: pause, resume, rollback; and the deadline of a device with a window. */
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static uint32_t alerts(struct world *world, enum rep_alert_level level, const char *text)
{
    struct rep_result result;
    uint32_t count = 0;
    rep_result_init(&result);
    cr_assert_eq(camp_report(world->camp, &result), CAMP_OK);
    for (uint32_t i = 0; i < result.alerts; i++)
        count += result.alert[i].level == level && strstr(result.alert[i].cause, text);
    rep_result_free(&result);
    return count;
}

static struct rep_phase first_phase(struct world *world)
{
    struct rep_result result;
    rep_result_init(&result);
    cr_assert_eq(camp_report(world->camp, &result), CAMP_OK);
    struct rep_phase phase = result.phase[0];
    rep_result_free(&result);
    phase.gate = NULL;
    return phase;
}

static enum rep_outcome outcome_of(const struct world *world, uint32_t device)
{
    struct camp_belief belief;
    camp_belief(world->camp, device, &belief);
    return belief.outcome;
}

/* Forty devices, four an hour, that do what they are told. */
static void obedient_fleet(struct world *world)
{
    world_init(world, 0, 40);
    world_single_phase(world, 12 * HOUR)->rate_per_hour = 4;
    world->plan.observe_us = 0;
    world->no_telemetry = true;
    for (uint32_t i = 0; i < 40; i++)
        world->device[i].script = OBEYS;
}

Test(camp_operator, a_pause_enrols_nobody_and_holds_back_those_under_way)
{
    struct world world;
    obedient_fleet(&world);
    world_order(&world, START + 3 * HOUR + 5 * MINUTE, CAMP_OPERATOR_PAUSE);
    world_open(&world);
    world_run(&world, START + 30 * HOUR);
    cr_expect_eq(camp_state(world.camp), CAMP_PAUSED);
    cr_expect(camp_done(world.camp), "nobody is under way");
    uint32_t deferred = 0;
    for (uint32_t i = 0; i < 40; i++) {
        const struct device *it = &world.device[i];
        deferred += it->defers;
        cr_expect_leq(it->notified_us, START + 3 * HOUR + 5 * MINUTE, "device %u", i);
        cr_expect_eq(it->rollbacks, 0u, "device %u", i);
    }
    cr_expect_eq(deferred, 1u, "the one notified 5 min before; the others had confirmed");
    cr_expect_eq(world_count(&world, REP_OUT_CONFIRMED), 12u);
    cr_expect_eq(world_count(&world, REP_OUT_PENDING), 1u);
    cr_expect_eq(alerts(&world, REP_ALERT_OPERATIONS, "paused by the operator: all"), 1u);
    cr_expect_eq(alerts(&world, REP_ALERT_OPERATIONS, ""), 1u);
    cr_expect_eq(first_phase(&world).result, REP_PHASE_NOT_REACHED, "the phase is open");
    world_free(&world);
}

Test(camp_operator, a_resume_ends_like_the_straight_campaign_by_the_pause_later)
{
    struct world straight, paused;
    obedient_fleet(&straight);
    obedient_fleet(&paused);
    world_order(&paused, START + 15 * HOUR, CAMP_OPERATOR_PAUSE);
    world_order(&paused, START + 35 * HOUR, CAMP_OPERATOR_RESUME);
    world_open(&straight);
    world_open(&paused);
    world_run_days(&straight, 5);
    world_run_days(&paused, 5);
    for (struct world *world = &straight; world; world = world == &straight ? &paused : NULL) {
        cr_expect_eq(camp_state(world->camp), CAMP_FINISHED);
        cr_expect_eq(world_count(world, REP_OUT_CONFIRMED), 40u);
    }
    struct rep_phase a = first_phase(&straight), b = first_phase(&paused);
    cr_expect_eq(a.hold_from_s, b.hold_from_s, "the pause began in the hold");
    cr_expect_eq(b.ended_s - a.ended_s, 20 * HOUR / SECOND, "the hold clock stood still");
    cr_expect_eq(b.result, REP_PHASE_PASSED);
    world_free(&straight);
    world_free(&paused);
}

Test(camp_operator, the_deferred_get_a_new_deadline_and_what_lets_them_continue)
{
    struct world world;
    obedient_fleet(&world);
    world.plan.phase[0].rate_per_hour = 0;
    world.plan.phase[0].hold_us = 10 * DAY;
    world.device[3].script = MUTE;
    world_order(&world, START + 5 * MINUTE, CAMP_OPERATOR_PAUSE);
    world_order(&world, START + 100 * HOUR, CAMP_OPERATOR_RESUME);
    world_open(&world);
    world_run(&world, START + 99 * HOUR);
    cr_expect_eq(world_count(&world, REP_OUT_PENDING), 40u, "they waited, and gave up by order");
    cr_expect_eq(alerts(&world, REP_ALERT_OPERATIONS, "refused"), 0u);
    world_run(&world, START + 101 * HOUR);
    cr_expect_eq(world_count(&world, REP_OUT_CONFIRMED), 39u);
    cr_expect_eq(world.device[0].notifications, 2u);
    cr_expect_eq(world.device[0].applies, 1u);
    cr_expect(strstr(world.last_notification, "\"deadline\":\"2026-03-25T14:00:00Z\""), "%s",
              world.last_notification);
    world_run(&world, START + 147 * HOUR);
    cr_expect_eq(outcome_of(&world, 3), REP_OUT_PENDING, "48 h from the resume");
    world_run(&world, START + 148 * HOUR);
    cr_expect_eq(outcome_of(&world, 3), REP_OUT_SILENT);
    world_free(&world);
}

Test(camp_operator, a_pause_stops_the_deadline_of_a_trial_but_not_the_presumed_brick)
{
    struct world world;
    obedient_fleet(&world);
    world.plan.phase[0].rate_per_hour = 0;
    world.plan.presumed_brick_us = 100 * HOUR;
    world.device[5].script = BRICKS;
    world_order(&world, START + 20 * MINUTE, CAMP_OPERATOR_PAUSE);
    world_order(&world, START + 90 * HOUR, CAMP_OPERATOR_RESUME);
    world_open(&world);
    world_run(&world, START + 89 * HOUR);
    cr_expect_eq(outcome_of(&world, 5), REP_OUT_PENDING, "silent after 48 h, if time had run");
    world_run(&world, START + 110 * HOUR);
    cr_expect_eq(outcome_of(&world, 5), REP_OUT_SILENT);
    cr_expect_eq(alerts(&world, REP_ALERT_ON_CALL, "presumed brick"), 1u);
    world_free(&world);
}

Test(camp_operator, one_that_rolls_back_before_it_hears_of_the_resume_stays_rolled_back)
{
    struct world world;
    obedient_fleet(&world);
    world_order(&world, START + 5 * MINUTE, CAMP_OPERATOR_PAUSE);
    world_order(&world, START + 2 * HOUR, CAMP_OPERATOR_RESUME);
    world.device[0].script = DOWNLOADS_ON;
    world.plan.phase[0].rate_per_hour = 0;
    world_open(&world);
    world_run(&world, START + 2 * HOUR);
    world_say(&world, 0, 90, "rolled_back", "watchdog");
    world_say(&world, 0, 91, "refused", "rolled_back_before");
    struct camp_belief belief;
    camp_belief(world.camp, 0, &belief);
    cr_expect_eq(belief.outcome, REP_OUT_ROLLED_BACK);
    cr_expect_str_eq(belief.reason, "watchdog");
    world_free(&world);
}

/* Every second device fails; the canary of one phase is stopped by its gate. */
static void stopped_by_gate(struct world *world, enum scn_metric metric)
{
    obedient_fleet(world);
    world->plan.phase[0].rate_per_hour = 0;
    world_gate(&world->plan.phase[0], metric, SCN_MORE, 1, 10);
    for (uint32_t i = 0; i < 40; i += 2)
        world->device[i].script = OBEYS_BADLY;
    world->plan.phases = 2;
    world->plan.phase[1] = world->plan.phase[0];
    world->plan.phase[1].gates = 0;
    world->plan.phase[0].share = (struct scn_ratio){1, 2};
    snprintf(world->plan.phase[1].name, sizeof world->plan.phase[1].name, "rest");
}

Test(camp_operator, a_gates_stop_is_resumed_by_the_operator_only_and_stays_on_record)
{
    struct world world;
    stopped_by_gate(&world, SCN_METRIC_ROLLBACK);
    world_order(&world, START + 40 * HOUR, CAMP_OPERATOR_RESUME);
    world_open(&world);
    world_run(&world, START + 39 * HOUR);
    cr_expect_eq(camp_state(world.camp), CAMP_PAUSED);
    cr_expect_eq(first_phase(&world).result, REP_PHASE_STOPPED);
    world_run_days(&world, 6);
    cr_expect_eq(camp_state(world.camp), CAMP_FINISHED);
    cr_expect_eq(world_count(&world, REP_OUT_CONFIRMED), 20u);
    cr_expect_eq(world_count(&world, REP_OUT_ROLLED_BACK), 20u);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(result.phase[0].result, REP_PHASE_PASSED);
    cr_expect_eq(result.phase[0].gate[0].state, REP_GATE_RED, "on record");
    cr_expect_lt(result.phase[0].gate[0].at_s, HOUR / SECOND, "as it was when it stopped");
    rep_result_free(&result);
    cr_expect_eq(alerts(&world, REP_ALERT_ENGINEERING_LEAD, "gate stopped"), 1u, "once");
    world_free(&world);
}

Test(camp_operator, a_stop_for_want_of_data_is_resumed_without_the_data)
{
    struct world world;
    stopped_by_gate(&world, SCN_METRIC_MEMORY);
    world_order(&world, START + 100 * HOUR, CAMP_OPERATOR_RESUME);
    world_open(&world);
    world_run(&world, START + 99 * HOUR);
    cr_expect_eq(alerts(&world, REP_ALERT_OPERATIONS, "no data"), 1u);
    world_run_days(&world, 8);
    cr_expect_eq(camp_state(world.camp), CAMP_FINISHED);
    cr_expect_eq(alerts(&world, REP_ALERT_OPERATIONS, "no data"), 1u);
    world_free(&world);
}

Test(camp_operator, a_rollback_order_takes_the_confirmed_back_whatever_on_trigger_says)
{
    static const bool paused_first[] = {false, true};
    for (int at = 0; at < 2; at++) {
        struct world world;
        obedient_fleet(&world);
        world.plan.on_trigger = SCN_TRIGGER_PAUSE;
        if (paused_first[at])
            world_order(&world, START + 3 * HOUR + 5 * MINUTE, CAMP_OPERATOR_PAUSE);
        world_order(&world, START + 5 * HOUR + 5 * MINUTE, CAMP_OPERATOR_ROLLBACK);
        world_open(&world);
        world_run_days(&world, 8);
        uint32_t back = world_count(&world, REP_OUT_ROLLED_BACK_BY_CAMPAIGN);
        cr_expect_eq(camp_state(world.camp), CAMP_STOPPED);
        cr_expect_eq(back, paused_first[at] ? 12u : 20u, "%u", back);
        cr_expect_eq(world_count(&world, REP_OUT_CONFIRMED), 0u);
        cr_expect_eq(world_count(&world, REP_OUT_PENDING), 1u, "deferred once, and only once");
        cr_expect_eq(first_phase(&world).result, REP_PHASE_STOPPED);
        cr_expect_eq(alerts(&world, REP_ALERT_OPERATIONS, "rolled back by the operator: all"), 1u);
        world_free(&world);
    }
}

struct ignored {
    uint32_t count;
    char last[128];
};

static void note_ignored(void *ctx, int64_t at_us, const char *kind, const char *text)
{
    struct ignored *ignored = ctx;
    (void)at_us;
    if (strcmp(kind, "operator") || !strstr(text, "ignored"))
        return;
    ignored->count++;
    snprintf(ignored->last, sizeof ignored->last, "%s", text);
}

Test(camp_operator, orders_that_make_no_sense_are_ignored_and_said)
{
    enum { PAUSE = CAMP_OPERATOR_PAUSE, RESUME, ROLLBACK, NONE = 9 };
    static const struct {
        int first, then;
        int64_t then_at_us;
        enum camp_state state;
    } row[] = {
        {NONE, RESUME, HOUR, CAMP_RUNNING},
        {PAUSE, PAUSE, HOUR, CAMP_PAUSED},
        {ROLLBACK, ROLLBACK, 25 * MINUTE, CAMP_ROLLING_BACK},
        {ROLLBACK, PAUSE, 25 * MINUTE, CAMP_ROLLING_BACK},
        {ROLLBACK, RESUME, 25 * MINUTE, CAMP_ROLLING_BACK},
        {ROLLBACK, RESUME, 5 * HOUR, CAMP_STOPPED},
        {NONE, PAUSE, 4 * DAY, CAMP_FINISHED},
        {NONE, ROLLBACK, 4 * DAY, CAMP_FINISHED},
    };
    for (size_t at = 0; at < sizeof row / sizeof row[0]; at++) {
        struct world world;
        struct ignored ignored = {0};
        obedient_fleet(&world);
        if (row[at].first != NONE)
            world_order(&world, START + 24 * MINUTE, (enum camp_operator_action)row[at].first);
        world_order(&world, START + row[at].then_at_us, (enum camp_operator_action)row[at].then);
        world_open(&world);
        camp_on_event(world.camp, note_ignored, &ignored);
        world_run(&world, START + row[at].then_at_us);
        cr_expect_eq(camp_state(world.camp), row[at].state, "row %zu: %d", at,
                     (int)camp_state(world.camp));
        cr_expect_eq(ignored.count, 1u, "row %zu: %u, %s", at, ignored.count, ignored.last);
        world_free(&world);
    }
}

Test(camp_operator, the_observation_is_paused_and_resumed_too)
{
    struct world world;
    obedient_fleet(&world);
    world.plan.observe_us = 2 * DAY;
    world_order(&world, START + 36 * HOUR, CAMP_OPERATOR_PAUSE);
    world_order(&world, START + 46 * HOUR, CAMP_OPERATOR_RESUME);
    world_open(&world);
    world_run(&world, START + 35 * HOUR);
    cr_assert_eq(camp_state(world.camp), CAMP_OBSERVING);
    world_run(&world, START + 40 * HOUR);
    cr_expect_eq(camp_state(world.camp), CAMP_PAUSED);
    world_run(&world, START + 46 * HOUR);
    cr_expect_eq(camp_state(world.camp), CAMP_OBSERVING);
    world_run_days(&world, 9);
    struct rep_result result;
    rep_result_init(&result);
    camp_report(world.camp, &result);
    cr_expect_eq(camp_state(world.camp), CAMP_FINISHED);
    cr_expect_eq(result.phase[1].ended_s - result.phase[1].started_s,
                 (2 * DAY + 10 * HOUR) / SECOND);
    rep_result_free(&result);
    world_free(&world);
}

Test(camp_operator, an_order_that_cannot_be_taken_is_refused_at_once)
{
    struct world world;
    obedient_fleet(&world);
    world_open(&world);
    cr_expect_eq(camp_operator(world.camp, CAMP_OPERATOR_ACTIONS, START), CAMP_ECONFIG);
    for (int i = 0; i < CAMP_ORDERS_MAX; i++)
        cr_expect_eq(camp_operator(world.camp, CAMP_OPERATOR_PAUSE, START), CAMP_OK);
    cr_expect_eq(camp_operator(world.camp, CAMP_OPERATOR_PAUSE, START), CAMP_EMEMORY);
    cr_expect_eq(camp_next_at(world.camp), START);
    world_tick(&world);
    cr_expect_eq(camp_state(world.camp), CAMP_PAUSED);
    cr_expect_eq(world_count(&world, REP_OUT_PENDING), 0u, "before anybody was notified");
    world_free(&world);
}

/* START is a Thursday, 10:00. The rate decides when in its window the second device is notified. */
Test(camp_operator, a_device_is_not_silent_before_its_next_window_had_a_chance)
{
    static const struct {
        char window[32];
        uint32_t rate;
        int64_t notified_us, silent_us; /* from START */
    } row[] = {
        {"", 1, HOUR, HOUR + 48 * HOUR},
        {"Thu 10:00-14:00 UTC", 1, HOUR, HOUR + 48 * HOUR},
        {"Thu 10:00-12:00 UTC", 1, HOUR, HOUR + 48 * HOUR}, /* an hour is left: just enough */
        {"Thu 10:00-11:59 UTC", 1, HOUR, 7 * DAY + 48 * HOUR},
        {"Thu 10:00-11:02 UTC", 1, HOUR, 7 * DAY + 48 * HOUR},
        {"daily 10:00-11:02 UTC", 1, HOUR, DAY + 48 * HOUR},
        {"daily 10:00-11:02 UTC", 3, 20 * MINUTE, DAY + 48 * HOUR},
        {"Thu 12:00-13:30 UTC", 1, 3 * HOUR, 7 * DAY + 2 * HOUR + 48 * HOUR},
    };
    for (size_t at = 0; at < sizeof row / sizeof row[0]; at++) {
        struct world world;
        obedient_fleet(&world);
        world.config.devices = 2;
        world.plan.phase[0].rate_per_hour = row[at].rate;
        int64_t last_us = 0;
        for (uint32_t i = 0; i < 2; i++) {
            world.device[i].script = MUTE;
            world.info[i].site = "s-00";
            world.info[i].ota_window = row[at].window;
        }
        world_open(&world);
        world_run(&world, START + row[at].silent_us - 10 * SECOND);
        uint32_t last = world.device[1].notified_us > world.device[0].notified_us;
        last_us = world.device[last].notified_us - START;
        cr_expect_eq(last_us, row[at].notified_us, "row %zu: %ld s", at, (long)(last_us / SECOND));
        cr_expect_eq(outcome_of(&world, last), REP_OUT_PENDING, "row %zu", at);
        world_run(&world, START + row[at].silent_us);
        cr_expect_eq(outcome_of(&world, last), REP_OUT_SILENT, "row %zu", at);
        world_free(&world);
    }
}
