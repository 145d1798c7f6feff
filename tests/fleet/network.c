/* Faults of the network, of servers and of clocks: whom they hold back, for how long, and how each
 * update ends. */
#include "fault_list.h"

#include "agent/agent.h"

#include <criterion/criterion.h>
#include <string.h>

/* Everybody's update begins at 10 s: without the network they must wait for it. */
static void assert_waited(const struct fleet_run *run, uint32_t d, bool hit, const char *about)
{
    const struct rep_device *row = fleet_device(run, d);
    cr_expect_eq(row->outcome, REP_OUT_CONFIRMED, "%s: %s", about, row->id);
    cr_expect_eq(row->outcome_s >= 600, hit, "%s: %s told its outcome at %d s", about, row->id,
                 (int)row->outcome_s);
}

Test(network, a_network_that_drops_holds_back_those_it_names_and_no_other)
{
    enum { DEVICES = 8 };
    static const struct {
        const char *fault;
        unsigned from, step, hits;
    } row[] = {
        {"kind: network_drop, where: {device: pumps-00003}, at: 5s, for: 10m", 2, DEVICES, 1},
        {"kind: network_drop, where: {site: site-02}, at: 5s, for: 10m", 1, 4, 2},
        {"kind: network_drop, where: {link: wifi}, at: 5s, for: 10m", 0, 1, DEVICES},
        {"kind: broker_down, at: 5s, for: 10m", 0, 1, DEVICES},
        {"kind: cdn_down, at: 5s, for: 10m", 0, 1, DEVICES},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct list list = {.len = 0};
        struct fleet_run run;
        add(&list, "%s", row[i].fault);
        fleet_run_plan(
            &run, &(struct fleet_plan){.count = DEVICES, .group = "sites: 4", .faults = list.text},
            NULL);
        fleet_assert_sound(&run, row[i].fault);
        cr_expect_eq(fleet_fault(&run, 0)->fired, row[i].hits, "%s", row[i].fault);
        for (uint32_t d = 0; d < DEVICES; d++)
            assert_waited(&run, d, d % row[i].step == row[i].from % row[i].step, row[i].fault);
        fleet_run_free(&run);
    }
}

/* What spoils the network for a while, on device 3 alone, just before everybody's update: how long
 * it is held back at the least. */
static const struct {
    const char *fault;
    int32_t from_s;
} trouble[] = {
    {"kind: network_drop, how: reset, at: 5s, for: 10m", 600},
    {"kind: network_drop, how: close, at: 5s, for: 10m", 600},
    {"kind: network_drop, how: slow_close, at: 5s, for: 10m", 600},
    {"kind: network_drop, how: black_hole, at: 5s, for: 10m", 600},
    /* Nobody closes anything: the device misses its pings long after the network is back. */
    {"kind: network_drop, how: black_hole, at: 5s, for: 2s", 65},
    {"kind: network_drop, how: black_hole, during: downloading, for: 1s", 30},
    {"kind: bad_certificate, server: broker, how: expired, at: 5s, for: 10m", 600},
    {"kind: bad_certificate, server: broker, how: any, at: 5s, for: 10m", 600},
    {"kind: bad_certificate, server: store, how: wrong_name, at: 5s, for: 10m", 600},
    {"kind: bad_certificate, server: store, how: unknown_ca, at: 5s, for: 10m", 600},
    {"kind: slow_link, latency: 10s", 130},
    {"kind: slow_link, latency: 8s, jitter: 2s, at: 5s, for: 1h", 110},
    {"kind: slow_link, bandwidth: 256", 130},
    {"kind: slow_link, slice: 100", 0},
};

Test(network, a_network_that_is_spoiled_for_a_while_costs_time_and_no_update)
{
    enum { DEVICES = 4, HIT = 2 };
    for (size_t i = 0; i < sizeof trouble / sizeof *trouble; i++) {
        struct list list = {.len = 0};
        struct fleet_run run;
        const char *about = trouble[i].fault;
        add(&list, "%s, " ONE, about, HIT + 1);
        fleet_run_plan(&run, &(struct fleet_plan){.count = DEVICES, .faults = list.text}, NULL);
        assert_at_rest(&run, about);
        cr_expect_eq(fleet_fault(&run, 0)->fired, 1, "%s", about);
        cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], DEVICES, "%s", about);
        for (uint32_t d = 0; d < DEVICES; d++) {
            int64_t at_s = fleet_device(&run, d)->outcome_s;
            if (d == HIT)
                cr_expect_geq(at_s, trouble[i].from_s, "%s: %d s", about, (int)at_s);
            else
                cr_expect_leq(at_s, 120, "%s: %d s", about, (int)at_s);
        }
        fleet_run_free(&run);
    }
}

/* Everybody's update begins at 10 s. What the broker forgot is told again the next day. */
static const struct {
    const char *fault;
    int64_t from_s, to_s;
} restart[] = {
    {"{kind: broker_restart, at: 5s}", 0, 120},
    {"{kind: broker_restart, at: 10s, how: keep}", 0, 120},
    {"{kind: broker_restart, at: 1m, how: keep}", 0, 180},
    {"{kind: broker_restart, at: 1m, how: forget}", 0, 180},
    {"{kind: broker_restart, at: 10s, how: forget}", 86400, 86700},
};

Test(network, a_broker_that_is_started_anew_costs_at_most_a_day)
{
    for (size_t i = 0; i < sizeof restart / sizeof *restart; i++) {
        struct fleet_run run;
        fleet_run_plan(&run, &(struct fleet_plan){.faults = restart[i].fault}, NULL);
        assert_at_rest(&run, restart[i].fault);
        cr_expect_eq(fleet_fault(&run, 0)->scheduled, 1, "%s", restart[i].fault);
        cr_expect_eq(fleet_fault(&run, 0)->fired, 1, "%s", restart[i].fault);
        for (uint32_t d = 0; d < run.result.device_rows; d++) {
            int64_t at_s = fleet_device(&run, d)->outcome_s;
            cr_expect_eq(fleet_device(&run, d)->outcome, REP_OUT_CONFIRMED);
            cr_expect(at_s >= restart[i].from_s && at_s <= restart[i].to_s, "%s: %d s",
                      restart[i].fault, (int)at_s);
        }
        fleet_run_free(&run);
    }
}

/* What waited at the broker for a device that was away is gone with the session. */
Test(network, what_waits_at_a_broker_that_forgets_is_lost)
{
    struct fleet_run run;
    fleet_run_plan(
        &run,
        &(struct fleet_plan){.count = 4,
                             .faults = "{kind: broker_restart, at: 1m, how: forget},"
                                       "{kind: network_drop, at: 5s, for: 1h, where: {device: 2}}"},
        NULL);
    assert_at_rest(&run, "away");
    for (uint32_t d = 0; d < 4; d++)
        cr_expect_eq(fleet_device(&run, d)->outcome_s > 86400, d == 2, "%u: %d s", d,
                     (int)fleet_device(&run, d)->outcome_s);
    fleet_run_free(&run);
}

/* Notified twice, by the same bytes: in the middle of the update, after it, and late. */
Test(network, a_message_that_comes_twice_or_late_changes_no_outcome)
{
    static const struct {
        const char *fault;
        int64_t from_s, to_s;
    } row[] = {
        {"kind: message, how: duplicate, delay: 1s", 0, 120},
        {"kind: message, how: duplicate, delay: 40s", 0, 120},
        {"kind: message, how: duplicate, delay: 1h", 0, 120},
        {"kind: message, how: late, delay: 1s", 0, 120},
        {"kind: message, how: late, delay: 3h", 10800, 11000},
        {"kind: message, delay: 10m, at: 5s", 0, 720},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct list list = {.len = 0};
        struct fleet_run run;
        add(&list, "%s, " ONE, row[i].fault, 2);
        fleet_run_plan(&run, &(struct fleet_plan){.count = 3, .faults = list.text}, NULL);
        assert_at_rest(&run, row[i].fault);
        cr_expect_eq(fleet_fault(&run, 0)->fired, 1, "%s", row[i].fault);
        const struct rep_device *hit = fleet_device(&run, 1);
        cr_expect_eq(hit->outcome, REP_OUT_CONFIRMED, "%s", row[i].fault);
        cr_expect_eq(hit->boots, 1, "%s: %u boots", row[i].fault, hit->boots);
        cr_expect(hit->outcome_s >= row[i].from_s && hit->outcome_s <= row[i].to_s, "%s: %d s",
                  row[i].fault, (int)hit->outcome_s);
        fleet_run_free(&run);
    }
}

/* A clock that is wrong from 5 s on, before everybody's update, or in the trial, which lasts from
 * about 13 s to 73 s: what the calendar decides follows it, what is timed does not. */
static const struct {
    const char *fault;
    enum rep_outcome outcome;
    enum agent_reason why;
    int64_t from_s, to_s;
} skew[] = {
    {"by: +400d, at: 5s, for: 1h", REP_OUT_REFUSED, AGENT_WHY_DEADLINE, 0, 60},
    {"by: +1d, at: 5s, for: 1h", REP_OUT_CONFIRMED, AGENT_WHY_NONE, 70, 90},
    {"by: -12h, at: 5s, for: 1h", REP_OUT_CONFIRMED, AGENT_WHY_NONE, 70, 90},
    /* The store's certificate is not valid by then; the retries go on when the clock is right. */
    {"by: -400d, at: 5s, for: 10m", REP_OUT_CONFIRMED, AGENT_WHY_NONE, 600, 2000},
    {"by: +5000d, at: 0s, for: 10m", REP_OUT_CONFIRMED, AGENT_WHY_NONE, 600, 2000},
    {"by: +400d, at: 20s, for: 1h", REP_OUT_CONFIRMED, AGENT_WHY_NONE, 70, 90},
    {"by: -400d, at: 20s, for: 1h", REP_OUT_CONFIRMED, AGENT_WHY_NONE, 70, 90},
    {"by: +400d, at: 20s, for: 5s", REP_OUT_CONFIRMED, AGENT_WHY_NONE, 70, 90},
    {"by: -400d, at: 20s, for: 5s", REP_OUT_CONFIRMED, AGENT_WHY_NONE, 70, 90},
};
enum { SKEWS = sizeof skew / sizeof *skew };

Test(network, a_wrong_clock_ends_as_the_calendar_says_and_times_nothing_wrongly)
{
    struct list list = {.len = 0};
    struct fleet_run run;
    for (uint32_t i = 0; i < SKEWS; i++)
        add(&list, "kind: clock_skew, %s, " ONE, skew[i].fault, i + 1);
    fleet_run_plan(&run, &(struct fleet_plan){.count = SKEWS, .faults = list.text}, NULL);
    assert_at_rest(&run, "clock skew");
    for (uint32_t i = 0; i < SKEWS; i++) {
        const struct rep_device *row = fleet_device(&run, i);
        cr_expect_eq(fleet_fault(&run, i)->fired, 1, "%s", skew[i].fault);
        cr_expect_eq(row->outcome, skew[i].outcome, "%s: %s", skew[i].fault,
                     rep_outcome_name((int)row->outcome));
        cr_expect_str_eq(row->reason, agent_reason_name((int)skew[i].why), "%s", skew[i].fault);
        cr_expect(row->outcome_s >= skew[i].from_s && row->outcome_s <= skew[i].to_s, "%s: %d s",
                  skew[i].fault, (int)row->outcome_s);
    }
    fleet_run_free(&run);
}

/* Nobody looked at the certificate in its time, and nothing passed the slow link. */
Test(network, what_no_device_has_met_was_not_armed)
{
    static const char *const row[] = {
        "{kind: bad_certificate, server: store, at: 1h, for: 10m}",
        "{kind: slow_link, latency: 1s, at: 3h, for: 1s}",
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct fleet_run run;
        fleet_run_plan(&run, &(struct fleet_plan){.faults = row[i]}, NULL);
        fleet_assert_sound(&run, row[i]);
        cr_expect_eq(fleet_fault(&run, 0)->scheduled, 8, "%s", row[i]);
        cr_expect_eq(fleet_fault(&run, 0)->armed, 0, "%s", row[i]);
        cr_expect_eq(run.result.exit_code, 0, "%s", row[i]);
        fleet_run_free(&run);
    }
}

/* MQTT has to be there within 30 s of the trial's start; whoever was connected before may lose it
 * again. */
Test(network, a_network_that_drops_in_a_trial_for_too_long_costs_the_update)
{
    enum { DEVICES = 16 };
    struct fleet_run run;
    fleet_run_plan(
        &run,
        &(struct fleet_plan){.count = DEVICES,
                             .faults = "{kind: network_drop, during: health_check, for: 5s}"},
        NULL);
    assert_at_rest(&run, "5 s");
    cr_expect_eq(run.result.updates[REP_OUT_CONFIRMED], DEVICES);
    fleet_run_free(&run);
    fleet_run_plan(
        &run,
        &(struct fleet_plan){.count = DEVICES,
                             .faults = "{kind: network_drop, during: health_check, for: 10m}"},
        NULL);
    assert_at_rest(&run, "10 min");
    cr_expect_gt(run.result.updates[REP_OUT_ROLLED_BACK], 0);
    for (uint32_t d = 0; d < DEVICES; d++)
        if (fleet_device(&run, d)->outcome == REP_OUT_ROLLED_BACK)
            cr_expect_str_eq(fleet_device(&run, d)->reason,
                             agent_reason_name(AGENT_WHY_HEALTH_MQTT));
    fleet_run_free(&run);
}

/* 33 KiB take about a minute at 5 kbit/s: the drop comes in the middle, and the rest is fetched
 * later. */
Test(network, a_download_goes_on_where_the_network_dropped)
{
    struct fleet_run run;
    fleet_run_plan(
        &run,
        &(struct fleet_plan){.link = "lorawan",
                             .faults = "{kind: network_drop, during: downloading, where: {device: "
                                       "pumps-00004}, for: 10m}"},
        NULL);
    fleet_assert_sound(&run, "downloading");
    cr_expect_eq(fleet_fault(&run, 0)->fired, 1);
    for (uint32_t d = 0; d < 8; d++)
        assert_waited(&run, d, d == 3, "downloading");
    fleet_run_free(&run);
}
