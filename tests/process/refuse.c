/* What can't be done is told before anything is started. */
#include "bench.h"
#include "sim/processes.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(process_refuse, .init = bench_enter, .fini = bench_leave);

static void refused(const char *options, const char *needle)
{
    cr_assert_eq(program("run small.yaml --world process --quiet %s", options), 1, "%s", options);
    cr_assert_not_null(strstr(program_err(), needle), "%s: %s", options, program_err());
    cr_assert_not_null(strstr(program_err(), "accepted"), "%s: %s", options, program_err());
    cr_assert_eq(bench_processes(), 0);
    cr_assert_eq(program_entries(), 1);
}

Test(process_refuse, faults_that_a_process_does_not_know)
{
    static const struct {
        const char *fault, *needle;
    } row[] = {
        {"  - {kind: flash_damage, how: stuck, region: config, at: 1m}\n",
         "small.yaml:22:5: flash_damage"},
        {"  - {kind: boot_failure, how: reset_loop}\n", "boot_failure: how: reset_loop"},
        {"  - {kind: boot_failure, how: brown_out}\n", "brown_out"},
        {"  - {kind: boot_failure}\n", "boot_failure: how: any"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        bench_small("", row[i].fault);
        refused("", row[i].needle);
    }
}

Test(process_refuse, behaviour_that_a_process_can_not_be_given)
{
    static const char *const key[] = {"crash_per_day: 1%", "telemetry_gap: 1%",
                                      "energy: +1%",       "memory_growth: 1%",
                                      "cpu: +1%",          "data_migration: 1%"};
    for (size_t i = 0; i < sizeof key / sizeof *key; i++) {
        char behaviour[96], name[32];
        snprintf(behaviour, sizeof behaviour, ", behaviour: {%s}", key[i]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(key[i], ":"), key[i]);
        bench_small(behaviour, "");
        refused("", name);
    }
}

Test(process_refuse, times_that_do_not_fit)
{
    static const struct {
        const char *options, *needle;
    } row[] = {
        {"--set device.fault_free=1ms", "device.fault_free"},
        {"--set start=2010-01-01T00:00:00Z", "start"},
        {"--check-digest 00000000000000000000000000000000", "no digest"},
    };
    bench_small("", "");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        refused(row[i].options, row[i].needle);
}

Test(process_refuse, a_window_with_a_faster_clock_and_no_force)
{
    struct scn *scn = NULL;
    struct scn_messages messages = {0};
    char message[1024];
    static const char text[] =
        "scenario: w\nstart: 2026-11-01T10:00:00Z\n"
        "fleet:\n  - {group: a, count: 1, firmware: 1.0.0, ota_window: \"daily 01:00-05:00 UTC\"}\n"
        "firmware:\n  1.0.0: {size: 16KiB}\n  1.1.0: {size: 16KiB}\n"
        "campaign: {to: 1.1.0, time_scale: 60}\n";
    cr_assert_eq(scn_parse(&scn, "w.yaml", text, sizeof text - 1, NULL, &messages), 0, "%s",
                 messages.message[0].text);
    cr_assert_eq(sim_processes_refuse(scn, message, sizeof message), -1);
    cr_assert_not_null(strstr(message, "ota_window"), "%s", message);
    scn->campaign.time_scale = 1;
    cr_assert_eq(sim_processes_refuse(scn, message, sizeof message), 0, "%s", message);
    scn->campaign.time_scale = 60;
    scn->campaign.force = true;
    cr_assert_eq(sim_processes_refuse(scn, message, sizeof message), 0, "%s", message);
    scn_free(scn);
}

Test(process_refuse, a_missing_daemon)
{
    bench_small("", "");
    bench_no_agent();
    cr_assert_eq(program("run small.yaml --world process --quiet"), 1);
    cr_assert_not_null(strstr(program_err(), "ota-agent"), "%s", program_err());
    cr_assert_not_null(strstr(program_err(), "No such file"), "%s", program_err());
    cr_assert_eq(bench_processes(), 0);
}

Test(process_refuse, a_fleet_that_the_machine_can_not_carry)
{
    char message[512];
    static const struct {
        struct sim_stepped_need need;
        const char *needle;
    } row[] = {
        {{65001, 0, 1}, "addresses"},
        {{60000, 0, UINT64_C(1) << 50}, "devices are too many"},
        {{2, 0, UINT64_C(1) << 60}, "TMPDIR"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        cr_assert_eq(
            sim_stepped_preflight(&row[i].need, &sim_processes_body, message, sizeof message), -1);
        cr_assert_not_null(strstr(message, row[i].needle), "%s", message);
        cr_assert_not_null(strstr(message, "run at most --devices"), "%s", message);
    }
    const struct sim_stepped_need small = {3, 1, 1 << 20};
    cr_assert_eq(sim_stepped_preflight(&small, &sim_processes_body, message, sizeof message), 0,
                 "%s", message);
}
