/* The operator's orders on whole fleets: pause, resume and rollback, with real agents and flash. */
#include "fleet_bench.h"

#include <criterion/criterion.h>
#include <string.h>

enum { HOUR_S = 3600, DEVICES = 24 };

/* One device in three hours: every stage of an enrolment is met by a pause somewhere. */
static const char slowly[] =
    "    - {name: few, share: 25%, hold: 6h}\n"
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
