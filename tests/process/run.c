/* Whole campaigns on real daemons. */
#include "bench.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
enum { DEVICES = 4, KILLS_LEAST = 80 };
#else
enum { DEVICES = 10, KILLS_LEAST = 200 };
#endif

TestSuite(process_run, .init = bench_enter, .fini = bench_leave);

Test(process_run, kills_across_an_update_brick_nothing_and_end_in_the_right_status)
{
    int code = program("run %s/scenarios/process-kills.yaml --world process --quiet --devices %d "
                       "--json result.json --set expect.confirmed=%d",
                       getenv("BRICKYARD_SOURCE"), DEVICES, DEVICES);
    json_t *result = bench_result();
    cr_assert_eq(code, 0, "%s", program_err());
    cr_assert_eq(bench_number(result, "updates", "confirmed"), DEVICES);
    cr_assert_eq(bench_number(result, "updates", "bricked"), 0);
    cr_assert_eq(bench_number(result, "belief", "wrong_at_end"), 0);
    long kills = strtol(bench_fact(result, "SIGKILLs"), NULL, 10);
    cr_assert_geq(kills, KILLS_LEAST, "%ld", kills);
    cr_assert_eq(bench_number(result, NULL, "power_cuts"), kills);
    static const char *const forms[] = {"before", "nothing",  "prefix", "suffix",
                                        "random", "unstable", "after"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        cr_assert_not_null(strstr(bench_fact(result, "torn forms"), forms[i]), "%s", forms[i]);
    cr_log_info("%ld SIGKILLs in %.1f s", kills,
                json_number_value(json_object_get(result, "wall_s")));
    json_decref(result);
    cr_assert_eq(bench_processes(), 0);
    cr_assert_eq(program_entries(), 1, "result.json, and no folder");
}

/* So many of three devices fail to boot, in their own way; the others are updated. */
static void rolls_back(const char *fault_text, int devices, const char *times)
{
    bench_small("", fault_text);
    int code = program("run small.yaml --world process --quiet --json result.json %s", times);
    json_t *result = bench_result();
    cr_assert_eq(code, 0, "%s", program_err());
    cr_assert_eq(bench_number(result, "updates", "confirmed"), 3 - devices);
    cr_assert_eq(bench_number(result, "updates", "rolled_back"), devices);
    cr_assert_eq(bench_number(result, "belief", "wrong_at_end"), 0);
    const json_t *fault = json_array_get(json_object_get(result, "faults"), 0);
    cr_assert_eq(json_integer_value(json_object_get(fault, "fired")), devices);
    json_decref(result);
}

Test(process_run, a_device_with_a_bad_image_rolls_back)
{
    rolls_back("  - {kind: boot_failure, how: health_drivers, where: {device: pumps-00002}}\n", 1,
               "");
}

/* With a watchdog as short as the test's patience; so nobody's trial has to pass. */
Test(process_run, a_hanging_image_is_ended_by_the_watchdog_and_rolls_back)
{
    rolls_back("  - {kind: boot_failure, how: hang}\n", 3,
               "--set device.mqtt_within=4s --set device.watchdog=5s");
}

Test(process_run, faults_of_the_network_strike_real_daemons)
{
    bench_small("", "  - {kind: corrupt_download, how: bit_flip, where: {device: pumps-00001}}\n"
                    "  - {kind: network_drop, during: downloading, where: {device: pumps-00003}, "
                    "for: 1m}\n"
                    "  - {kind: broker_down, at: 30s, for: 1m}\n"
                    "  - {kind: service_restart, at: 1m}\n");
    int code = program("run small.yaml --world process --quiet --json result.json");
    json_t *result = bench_result();
    cr_assert_eq(code, 0, "%s", program_err());
    const json_t *faults = json_object_get(result, "faults");
    for (size_t i = 0; i < json_array_size(faults); i++)
        cr_assert_gt(json_integer_value(json_object_get(json_array_get(faults, i), "fired")), 0,
                     "fault %zu", i + 1);
    cr_assert_eq(bench_number(result, "updates", "confirmed") +
                     bench_number(result, "updates", "verify_failed"),
                 3);
    json_decref(result);
}
