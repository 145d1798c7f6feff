/*
 * Faults of the network on real sockets, a few seconds each: what proxy, edge and servers do to a
 * device is seen to have happened, and costs nobody the update.
 */
#include "worlds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 10 };

/* Phases, windows and faults go 60 times faster; the devices' own times do not, and are short. */
static const char frame[] =
    "scenario: faults\n"
    "start: 2026-03-19T10:00:00Z\n"
    "fleet:\n"
    "  - {group: pumps, count: 10, firmware: 2.3.1, telemetry_every: 1s}\n"
    "device: {mqtt_within: 30s, fault_free: 1s, watchdog: 40s, retry_first: 1s, retry_max: 2s,\n"
    "         keepalive: 5s, stall: 10s}\n"
    "flash: {slot: 256KiB, data: 128KiB}\n"
    "firmware:\n"
    "  2.3.1: {size: 64KiB}\n"
    "  2.4.0: {size: 66KiB}\n"
    "campaign:\n"
    "  to: 2.4.0\n"
    "  force: true\n"
    "  time_scale: 60\n"
    "  observe: 0s\n"
    "  phases:\n"
    "    - {name: everybody, share: 100%, hold: 1m}\n"
    "faults:\n";

static long long count_of(const struct world_run *run, size_t fault, const char *what)
{
    const json_t *row = json_array_get(json_object_get(run->json, "faults"), fault);
    return json_integer_value(json_object_get(row, what));
}

/* Each fault on a device of its own, from the first on; or on nobody in particular, with `where`
 * written out. */
static void run_faults(const char *const *fault, size_t faults)
{
    struct world_run run;
    char scenario[4096];
    int len = snprintf(scenario, sizeof scenario, "%s", frame);
    for (size_t i = 0; i < faults; i++)
        len += snprintf(scenario + len, sizeof scenario - (size_t)len, fault[i], (unsigned)i);
    cr_assert_lt((size_t)len, sizeof scenario);
    world_run(&run, scenario, "loopback", "");
    cr_assert_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_number(&run, "updates/confirmed"), DEVICES);
    cr_expect_eq(world_number(&run, "belief/wrong_at_end"), 0);
    for (size_t i = 0; i < faults; i++) {
        cr_expect_eq(count_of(&run, i, "scheduled"), 1, "%s", fault[i]);
        cr_expect_eq(count_of(&run, i, "armed"), 1, "%s", fault[i]);
        cr_expect_eq(count_of(&run, i, "fired"), 1, "%s", fault[i]);
    }
    world_run_free(&run);
}

/* What has to be met while it lasts lasts 10 s of the machine's time. */
#define ON "where: {device: %u}}\n"
#define RUN(table) run_faults(table, sizeof(table) / sizeof *(table))

Test(loopback_faults, an_answer_that_ends_in_its_head_is_asked_for_again)
{
    static const char *const row[] = {
        "  - {kind: corrupt_download, how: http_416, " ON,
        "  - {kind: corrupt_download, how: redirect_loop, " ON,
        "  - {kind: corrupt_download, how: huge_headers, " ON,
    };
    RUN(row);
}

Test(loopback_faults, a_bad_certificate_is_refused_by_broker_and_store_connections)
{
    static const char *const row[] = {
        "  - {kind: bad_certificate, server: broker, how: expired, at: 0s, for: 10m, " ON,
        "  - {kind: bad_certificate, server: broker, how: not_yet_valid, at: 0s, for: 10m, " ON,
        "  - {kind: bad_certificate, server: broker, how: wrong_name, at: 0s, for: 10m, " ON,
        "  - {kind: bad_certificate, server: broker, how: unknown_ca, at: 0s, for: 10m, " ON,
        "  - {kind: bad_certificate, server: store, how: expired, at: 0s, for: 10m, " ON,
        "  - {kind: bad_certificate, server: store, how: not_yet_valid, at: 0s, for: 10m, " ON,
        "  - {kind: bad_certificate, server: store, how: wrong_name, at: 0s, for: 10m, " ON,
        "  - {kind: bad_certificate, server: store, how: unknown_ca, at: 0s, for: 10m, " ON,
    };
    RUN(row);
}

Test(loopback_faults, a_network_drops_in_each_way)
{
    static const char *const row[] = {
        "  - {kind: network_drop, how: reset, at: 0s, for: 10m, " ON,
        "  - {kind: network_drop, how: close, at: 0s, for: 10m, " ON,
        "  - {kind: network_drop, how: slow_close, at: 0s, for: 10m, " ON,
        "  - {kind: network_drop, how: black_hole, at: 0s, for: 10m, " ON,
        "  - {kind: network_drop, how: reset, during: downloading, for: 10m, " ON,
        "  - {kind: network_drop, how: close, during: downloading, for: 10m, " ON,
        "  - {kind: network_drop, how: slow_close, during: downloading, for: 10m, " ON,
        "  - {kind: network_drop, how: black_hole, during: downloading, for: 10m, " ON,
    };
    RUN(row);
}

Test(loopback_faults, a_link_is_slow_in_each_way)
{
    static const char *const row[] = {
        "  - {kind: slow_link, latency: 50ms, " ON,
        "  - {kind: slow_link, latency: 20ms, jitter: 30ms, at: 0s, for: 10m, " ON,
        "  - {kind: slow_link, bandwidth: 16KiB, " ON,
        "  - {kind: slow_link, slice: 100, " ON,
        "  - {kind: slow_link, slice: 256, bandwidth: 32KiB, latency: 5ms, " ON,
    };
    RUN(row);
}

Test(loopback_faults, a_broker_is_restarted_and_messages_come_twice_or_late)
{
    static const char *const row[] = {
        "  - {kind: message, how: duplicate, delay: 10s, " ON,
        "  - {kind: message, how: duplicate, delay: 4m, " ON,
        "  - {kind: message, how: late, delay: 10s, " ON,
        "  - {kind: message, how: late, delay: 3m, " ON,
        "  - {kind: broker_restart, at: 30s}\n",
    };
    RUN(row);
}

/* Device 0's update is over by its calendar; device 1 does not believe the store, later it does. */
Test(loopback_faults, a_wrong_clock_refuses_certificates_and_ends_an_update)
{
    struct world_run run;
    char scenario[4096];
    snprintf(scenario, sizeof scenario, "%s%s", frame,
             "  - {kind: clock_skew, by: +400d, at: 0s, for: 1h, where: {device: 0}}\n"
             "  - {kind: clock_skew, by: -400d, at: 0s, for: 2m, where: {device: 1}}\n"
             "  - {kind: clock_skew, by: -400d, at: 1m, for: 10s, where: {device: 2}}\n");
    world_run(&run, scenario, "loopback", "");
    cr_assert_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_number(&run, "updates/refused"), 1);
    cr_expect_eq(world_number(&run, "updates/confirmed"), DEVICES - 1);
    cr_expect_geq(world_number(&run, "virtual_s"), 120);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(count_of(&run, i, "fired"), 1, "%zu", i);
    world_run_free(&run);
}

/* What it held is gone: those that were told nothing yet are told the next day. */
Test(loopback_faults, a_broker_that_forgets_costs_a_day_and_no_update)
{
    struct world_run run;
    char scenario[4096];
    snprintf(scenario, sizeof scenario, "%s%s", frame,
             "  - {kind: broker_restart, at: 0s, how: forget}\n");
    world_run(&run, scenario, "loopback", "--set campaign.time_scale=7200");
    cr_assert_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_number(&run, "updates/confirmed"), DEVICES);
    cr_expect_geq(world_number(&run, "virtual_s"), 86400);
    cr_expect_eq(count_of(&run, 0, "fired"), 1);
    world_run_free(&run);
}

Test(loopback_faults, a_fault_too_short_to_be_met_is_refused_before_anything_starts)
{
    struct world_run run;
    char scenario[4096];
    snprintf(scenario, sizeof scenario, "%s%s", frame,
             "  - {kind: bad_certificate, server: broker, at: 0s, for: 119s}\n");
    world_run(&run, scenario, "loopback", "");
    cr_expect_eq(run.exit_code, 1, "%d", run.exit_code);
    cr_expect_not_null(strstr(run.said, "s.yaml:19:5: faults.0.for: at campaign.time_scale 60"),
                       "%s", run.said);
    cr_expect_not_null(strstr(run.said, "accepted: 120s or more"), "%s", run.said);
    world_run_free(&run);
}
