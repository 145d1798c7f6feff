/* The operator's orders on whole fleets: pause, resume and rollback, with real agents and flash. */
#include "fleet_bench.h"

#include <criterion/criterion.h>
#include <string.h>

enum { HOUR_S = 3600, DEVICES = 24 };

/* One device in three hours: every stage of an enrolment is met by a pause somewhere. */
static const char slowly[] = "    - {name: few, share: 25%, hold: 6h}\n"
                             "    - {name: all, share: 100%, hold: 12h, rate_per_hour: 1}\n";

static void run_orders(struct fleet_run *run, const char *campaign, const char *faults)
{
    const struct fleet_plan plan = {
        .count = DEVICES, .phases = slowly, .campaign = campaign, .faults = faults};
    fleet_run_plan(run, &plan, NULL);
}

static int64_t ended_s(const struct fleet_run *run)
{
    return run->result.phase[run->result.phases - 1].ended_s;
}

Test(fleet_operator, a_pause_costs_its_time_and_nothing_else)
{
    struct fleet_run plain, paused;
    run_orders(&plain, NULL, NULL);
    run_orders(&paused, "  operator: [{at: 12h, do: pause}, {at: 32h, do: resume}]\n", NULL);
    fleet_assert_sound(&paused, "paused");
    fleet_assert_all(&plain, REP_OUT_CONFIRMED, "2.4.0", "", "plain");
    fleet_assert_all(&paused, REP_OUT_CONFIRMED, "2.4.0", "", "paused");
    cr_expect_eq(paused.result.exit_code, 0, "%s", paused.result.explanation);
    int64_t later_s = ended_s(&paused) - ended_s(&plain);
    cr_expect(later_s >= 19 * HOUR_S && later_s <= 21 * HOUR_S, "%ld s later", (long)later_s);
    uint32_t before = 0, after = 0;
    for (uint32_t i = 0; i < DEVICES; i++) {
        int64_t at_s = fleet_device(&paused, i)->enrolled_s;
        before += at_s <= 12 * HOUR_S;
        after += at_s >= 32 * HOUR_S;
    }
    cr_expect_eq(before + after, DEVICES, "enrolled in the pause: %u", DEVICES - before - after);
    cr_expect_gt(before, 6u);
    cr_expect_gt(after, 6u);
    cr_expect(fleet_alerted(&paused, REP_ALERT_OPERATIONS), "the pause is told");
    fleet_run_free(&plain);
    fleet_run_free(&paused);
}

/* Killed at the very times of the orders, and again while it is paused. */
Test(fleet_operator, a_service_that_dies_meanwhile_changes_nothing)
{
    static const char orders[] = "  operator: [{at: 12h, do: pause}, {at: 32h, do: resume}]\n";
    struct fleet_run alive, killed;
    run_orders(&alive, orders, NULL);
    run_orders(&killed, orders,
               "{kind: service_restart, at: 12h}, {kind: service_restart, at: 20h}, "
               "{kind: service_restart, at: 32h}");
    fleet_assert_sound(&killed, "killed");
    fleet_assert_all(&killed, REP_OUT_CONFIRMED, "2.4.0", "", "killed");
    cr_expect_eq(ended_s(&alive), ended_s(&killed));
    cr_expect_eq(killed.result.alerts, alive.result.alerts);
    for (uint32_t i = 0; i < DEVICES; i++) {
        cr_expect_eq(fleet_device(&alive, i)->enrolled_s, fleet_device(&killed, i)->enrolled_s);
        cr_expect_eq(fleet_device(&alive, i)->outcome_s, fleet_device(&killed, i)->outcome_s);
    }
    fleet_run_free(&alive);
    fleet_run_free(&killed);
}

/* A process runs on most of them, so that the pause meets devices that wait to apply. Their
 * deadline passes in the pause; the resume brings them all on. */
Test(fleet_operator, devices_that_waited_beyond_their_deadline_are_notified_anew)
{
    struct fleet_run run;
    const struct fleet_plan plan = {
        .count = 6,
        .group = "active_process: 60%",
        .campaign = "  operator: [{at: 10m, do: pause}, {at: 100h, do: resume}]\n",
    };
    fleet_run_plan(&run, &plan, NULL);
    fleet_assert_sound(&run, "waited");
    fleet_assert_all(&run, REP_OUT_CONFIRMED, "2.4.0", "", "waited");
    uint32_t later = 0;
    for (uint32_t i = 0; i < 6; i++)
        later += fleet_device(&run, i)->outcome_s > 100 * HOUR_S;
    cr_expect_gt(later, 0u, "nobody waited: %u", later);
    cr_expect_eq(run.result.alerts, 1u, "the pause, and no refusal");
    fleet_run_free(&run);
}

Test(fleet_operator, the_number_of_threads_changes_nothing)
{
    char digest[65] = "";
    for (uint32_t jobs = 1; jobs <= 4; jobs *= 2) {
        struct fleet_run run;
        const struct fleet_plan plan = {
            .count = DEVICES,
            .phases = slowly,
            .campaign = "  operator: [{at: 12h, do: pause}, {at: 32h, do: resume}]\n"};
        fleet_run_plan(&run, &plan, &(struct sim_fleet_options){.jobs = jobs});
        if (jobs == 1)
            snprintf(digest, sizeof digest, "%s", run.result.digest);
        cr_expect_str_eq(run.result.digest, digest, "%u jobs", jobs);
        fleet_run_free(&run);
    }
}

Test(fleet_operator, a_rollback_order_takes_back_what_was_confirmed)
{
    struct fleet_run run;
    uint32_t back = 0;
    run_orders(&run, "  operator: [{at: 12h, do: rollback}]\n", NULL);
    fleet_assert_sound(&run, "ordered");
    for (uint32_t i = 0; i < DEVICES; i++) {
        const struct rep_device *row = fleet_device(&run, i);
        cr_expect(row->outcome == REP_OUT_ROLLED_BACK_BY_CAMPAIGN || row->outcome == REP_OUT_NONE ||
                      row->outcome == REP_OUT_PENDING,
                  "%s is %s", row->id, rep_outcome_name((int)row->outcome));
        cr_expect_str_eq(row->version, "2.3.1", "%s", row->id);
        back += row->outcome == REP_OUT_ROLLED_BACK_BY_CAMPAIGN;
    }
    cr_expect_gt(back, 6u);
    cr_expect_eq(run.result.exit_code, 2, "%s", run.result.explanation);
    cr_expect(strstr(run.result.explanation, "an order"), "%s", run.result.explanation);
    fleet_run_free(&run);
}

Test(fleet_operator, a_pause_that_nobody_ends_is_no_pass)
{
    struct fleet_run run;
    run_orders(&run, "  operator: [{at: 12h, do: pause}]\n", NULL);
    fleet_assert_sound(&run, "left paused");
    cr_expect_eq(run.result.verdict, REP_UNFINISHED);
    cr_expect_eq(run.result.exit_code, 8, "%s", run.result.explanation);
    fleet_run_free(&run);
}

/* A driver fails on many; the operator goes on in spite of the gate. */
Test(fleet_operator, a_gates_stop_that_is_overruled_is_not_forgotten)
{
    static const char phases[] =
        "    - {name: few, share: 25%, hold: 6h, gates: [{metric: rollback, stop_if: \"> 1%\"}]}\n"
        "    - {name: all, share: 100%, hold: 6h}\n";
    struct fleet_run run;
    const struct fleet_plan plan = {
        .count = DEVICES,
        .candidate = "behaviour: {health: {drivers: 40%}}",
        .phases = phases,
        .campaign = "  operator: [{at: 30h, do: resume}]\n",
    };
    fleet_run_plan(&run, &plan, NULL);
    fleet_assert_sound(&run, "overruled");
    cr_expect_eq(run.result.phase[0].result, REP_PHASE_PASSED);
    cr_expect_eq(run.result.phase[0].gate[0].state, REP_GATE_RED);
    cr_expect_eq(run.result.phase[1].result, REP_PHASE_PASSED);
    cr_expect_eq(run.result.enrolled, DEVICES);
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED] + run.result.updates[REP_OUT_ROLLED_BACK],
                 DEVICES);
    cr_expect_eq(run.result.verdict, REP_GATE_STOPPED);
    cr_expect_eq(run.result.exit_code, 2, "%s", run.result.explanation);
    fleet_run_free(&run);
}
