/* On an emulated bench: the ticking flash is booted, cut and aimed at by one command. */
#include "run.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void open_bench(void)
{
    kit_open();
    kit_write("desk.yaml", "bench: desk\n"
                           "state: state\n"
                           "emulator: {boards: 1, folder: emulated}\n"
                           "controllers: {bank-1: {driver: lcus, device: emulated/relay-1}}\n"
                           "boards:\n"
                           "  - name: board-01\n"
                           "    console: {serial: emulated/board-01.console}\n"
                           "    line: {serial: emulated/board-01.line}\n"
                           "    power: {controller: bank-1, channel: 1, off_at_least: 100ms}\n"
                           "    flash: [cp, \"{image}\", emulated/board-01.nor]\n"
                           "    flash_file: emulated/board-01.nor\n");
}

TestSuite(rig_calibrate_boards, .init = open_bench, .fini = kit_close);

static const char *ticker(void)
{
    static char path[512];
    const char *brickyard = getenv("BRICKYARD_BIN"), *slash = strrchr(brickyard, '/');
    snprintf(path, sizeof path, "%.*sboard/ticker.nor", (int)(slash + 1 - brickyard), brickyard);
    return path;
}

static int64_t number(const json_t *json, const char *object, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(json, object), key));
}

/* Contacts take 5 to 15 ms, and the emulator stops a QEMU for some more, on a busy host for tens.
 */
Test(rig_calibrate_boards, one_command_flashes_measures_and_aims)
{
    char words[700];
    snprintf(words, sizeof words,
             "rig calibrate --bench BENCH board-01 --image %s --cuts 8 --check 5 --json", ticker());
    bool quick = false;
    for (int tries = 0; tries < 3 && !quick; tries++) { /* a busy host: once more */
        cr_assert_eq(run_brickyard(words), 0, "%s", kit_read("err"));
        json_t *json = json_loads(kit_read("out"), 0, NULL);
        cr_assert(json, "%s", kit_read("out"));
        cr_expect_eq(number(json, "latency", "samples"), 8);
        cr_expect_geq(number(json, "latency", "median_us"), 5000);
        cr_expect_eq(number(json, "check", "cuts"), 5);
        cr_expect_eq(number(json, "check", "measured"), 5);
        quick = number(json, "latency", "median_us") <= 60000 &&
                number(json, "pauses", "median_us") <= 5000;
        json_decref(json);
    }
    cr_assert(quick, "%s", kit_read("out"));
    cr_assert(!kit_is_there("emulated/ready"), "its emulator has ended with it");
}

/* Of a run's own cuts at a marker: how late its power went, as the emulator knows. */
static double median_ms_of_a_run(unsigned *recorded)
{
    char words[900];
    double median_ms = 1e9;
    snprintf(words, sizeof words,
             "run %s/scenarios/bench-smoke.yaml --devices 1 --world board --bench BENCH "
             "--aim /event=http_head/+20ms..100ms/20ms --aimed-cuts 4 --json result.json "
             "--set expect.confirmed=1",
             getenv("BRICKYARD_SOURCE"));
    cr_assert_eq(run_brickyard(words), 0, "%s", kit_read("err"));
    static const char fact[] = ", by the emulator: power went off by ";
    json_t *json = json_load_file(kit_path("result.json"), 0, NULL);
    char *said = json_dumps(json, 0);
    json_decref(json);
    cr_assert(said);
    const char *at = strstr(said, fact);
    cr_assert(at, "%s", said);
    cr_assert_eq(sscanf(at + sizeof fact - 1, "%lf ms median", &median_ms), 1);
    while (at > said && at[-1] != '"')
        at--;
    cr_assert_eq(sscanf(at, "%u", recorded), 1, "%.60s", at);
    free(said);
    return median_ms;
}

Test(rig_calibrate_boards, a_run_cuts_where_it_is_told_to_aim)
{
    double median_ms = 1e9;
    for (int tries = 0; tries < 2 && median_ms >= 80; tries++) { /* a busy host: once more */
        unsigned recorded = 0;
        median_ms = median_ms_of_a_run(&recorded);
        cr_expect_eq(recorded, 4u);
    }
    cr_expect_lt(median_ms, 80.0);
}

Test(rig_calibrate_boards, aims_that_can_not_be_are_refused)
{
    char words[700];
    const char *source = getenv("BRICKYARD_SOURCE");
    snprintf(words, sizeof words, "run %s/scenarios/bench-smoke.yaml --aim /x/+5ms", source);
    cr_assert_eq(run_brickyard(words), 1);
    cr_assert(run_said("--aim, --aimed-cuts: accepted with --bench only"));
    snprintf(words, sizeof words,
             "run %s/scenarios/bench-smoke.yaml --world board --bench BENCH --aim /x/5ms", source);
    cr_assert_eq(run_brickyard(words), 1);
    cr_assert(run_said("--aim: aim \"/x/5ms\", column 4"));
    snprintf(words, sizeof words,
             "run %s/scenarios/bench-smoke.yaml --world board --bench BENCH --aimed-cuts 3",
             source);
    cr_assert_eq(run_brickyard(words), 1);
    snprintf(words, sizeof words,
             "run %s/scenarios/bench-smoke.yaml --world board --bench BENCH --aim /x/+5ms "
             "--aimed-cuts 0",
             source);
    cr_assert_eq(run_brickyard(words), 1);
    cr_assert(run_said("--aimed-cuts"));
}

Test(rig_calibrate_boards, a_bench_that_is_emulated_is_there_for_every_command)
{
    struct run bench;
    char words[700];
    cr_assert_eq(run_rig("power --bench BENCH board-01 on"), 8);
    cr_assert(run_said("start `brickyard rig emulate --bench"));
    run_start(&bench, "emulate --bench BENCH");
    for (int i = 0; i < 5000 && !kit_is_there("emulated/ready"); i++)
        cr_assert(!run_is_over(&bench, 20), "%s", kit_read("err"));
    snprintf(words, sizeof words, "flash --bench BENCH board-01 --image %s", ticker());
    cr_assert_eq(run_rig(words), 0, "%s", kit_read("err"));
    cr_assert_eq(run_rig("console --bench BENCH board-01 --until ^t[0-9]{7}$ --for 15s"), 0, "%s",
                 kit_read("err"));
    cr_assert_eq(run_rig("emulate --bench BENCH"), 1);
    cr_assert(run_said("is emulated already"));
    cr_assert_eq(run_brickyard("rig calibrate --bench BENCH board-01 --cuts 1 --check 0"), 0, "%s",
                 kit_read("err"));
    cr_assert(kit_is_there("emulated/ready"), "it was another's");
    kill(bench.child.pid, SIGINT);
    cr_assert_eq(run_end(&bench), 0);
    cr_assert(!kit_is_there("emulated/ready"));
}
