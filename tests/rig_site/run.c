/* Whole campaigns on a bench of emulated boards: the program, relays on ptys, QEMU behind them. */
#include "../soak/soak.h"
#include "bench_of.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void leave(void)
{
    cr_assert_eq(system("rm -rf em"), 0); /* the bench's state is meant to stay */
    bench_leave();
}

TestSuite(rig_site_run, .init = bench_enter, .fini = leave, .timeout = 300);

static json_t *smoke(const char *where)
{
    char old[1024], fresh[1024];
    snprintf(old, sizeof old, "%s", boards_file("pump-2.3.1.bin"));
    snprintf(fresh, sizeof fresh, "%s", boards_file("pump-2.4.0.bin"));
    int code = program("run %s/scenarios/bench-smoke.yaml %s --quiet --json result.json "
                       "--set firmware.2.3.1.file=%s --set firmware.2.4.0.file=%s",
                       getenv("BRICKYARD_SOURCE"), where, old, fresh);
    cr_assert_eq(code, 0, "%s: %d: %s", where, code, program_err());
    cr_assert_eq(bench_processes(), 0);
    return bench_result();
}

/* Why nobody could check a promise of which nothing broken was seen; "": it was kept. */
static const char *unchecked(const json_t *result, const char *promise)
{
    const json_t *rows = json_object_get(result, "promises"), *row;
    size_t i;
    json_array_foreach(
        rows, i,
        row) if (!strcmp(json_string_value(json_object_get(row, "name")),
                         promise)) return json_string_value(json_object_get(row, "first_what"));
    cr_assert_fail("there is no promise %s", promise);
    return "";
}

/* Three worlds: of their own files the sanitizers see nothing that the other tests do not show. */
Test(rig_site_run, the_same_scenario_has_the_same_verdict_in_every_world, RELEASE_ONLY)
{
    static const char *const worlds[] = {"", "--world board", "--world board --bench bench.yaml"};
    json_t *result[3];
    bench_of(3, true);
    for (int w = 0; w < 3; w++)
        result[w] = smoke(worlds[w]);
    for (int w = 1; w < 3; w++) {
        cr_assert(json_equal(json_object_get(result[w], "verdict"),
                             json_object_get(result[0], "verdict")));
        /* All three of the same outcome: so has each. */
        cr_assert(json_equal(json_object_get(result[w], "updates"),
                             json_object_get(result[0], "updates")));
    }
    cr_assert_eq(bench_number(result[0], "updates", "confirmed"), 3);
    cr_assert_eq(bench_number(result[2], "belief", "wrong_at_end"), 0);
    cr_assert_eq(strtol(bench_fact(result[2], "ends by itself"), NULL, 10), 0);
    /* 2 + 1 + 1 cuts of each; a download may be over before the first of them is there. */
    cr_assert_geq(bench_number(result[2], NULL, "power_cuts"), 6);
    cr_assert_leq(bench_number(result[2], NULL, "power_cuts"), 12);
    cr_assert_not_null(strstr(bench_fact(result[2], "oracle"), "flash of 3 of 3 boards"));
    cr_assert_gt(strtod(bench_fact(result[2], "memory of a board"), NULL), 5);
    cr_assert_str_empty(unchecked(result[1], "flash_discipline"), "each operation is seen there");
    cr_assert_str_not_empty(unchecked(result[2], "flash_discipline"));
    cr_assert_str_empty(unchecked(result[2], "no_unverified_code"));
    for (unsigned n = 1; n <= 3; n++)
        cr_assert_not(bench_of_locked(n));
    for (int w = 0; w < 3; w++)
        json_decref(result[w]);
}

/* ---- Bad images go for their own reason ---- */

static bool has_alert(const json_t *result, const char *reason)
{
    size_t i;
    const json_t *alert;
    json_array_foreach(json_object_get(result, "alerts"), i, alert)
    {
        const char *cause = json_string_value(json_object_get(alert, "cause"));
        if (cause && strstr(cause, reason))
            return true;
    }
    return false;
}

static void rolls_back(const char *image, const char *behaviour, const char *reason)
{
    bench_of(3, true);
    boards_small(3, image, behaviour, "");
    int code =
        program("run small.yaml --world board --bench bench.yaml --quiet --json result.json");
    cr_assert_eq(code, 0, "%s: %d: %s", image, code, program_err());
    json_t *result = bench_result();
    cr_assert_eq(bench_number(result, "updates", "rolled_back"), 3, "%s", image);
    cr_assert_eq(bench_number(result, "updates", "bricked"), 0, "%s", image);
    cr_assert_eq(bench_number(result, "belief", "wrong_at_end"), 0, "%s", image);
    cr_assert(has_alert(result, reason), "%s: %s wanted", image, reason);
    json_decref(result);
    cr_assert_eq(bench_processes(), 0);
}

Test(rig_site_run, an_image_that_hangs_is_taken_back_by_the_watchdog, RELEASE_ONLY)
{
    rolls_back("pump-2.4.0-hang", ", behaviour: {hangs: 100%}", "watchdog");
}

/* tests/board_fw has them all, tests/rig_world another one. */
Test(rig_site_run, an_image_that_finds_no_drivers_is_taken_back, RELEASE_ONLY)
{
    if (!soak(0, 1))
        cr_skip_test("long; see tests/soak");
    rolls_back("pump-2.4.0-no-drivers", ", behaviour: {health: {drivers: 100%}}", "drivers");
}

/* ---- Cuts of the rig's own ---- */

/* What the report says of them, as of a fault of the scenario. */
static int64_t aimed(const json_t *result, const char *key)
{
    const json_t *row = json_array_get(json_object_get(result, "faults"), 0);
    const char *kind = json_string_value(json_object_get(row, "kind"));
    cr_assert(kind && !strcmp(kind, "aimed_cut"), "%s", kind);
    return json_integer_value(json_object_get(row, key));
}

Test(rig_site_run, an_aim_that_never_strikes_fails_the_run_and_one_that_did_does_not)
{
    bench_of(1, true);
    boards_small(1, "pump-2.4.0", "", "");
    int code = program("run small.yaml --world board --bench bench.yaml --quiet --json result.json "
                       "--aim /a.typing.mistake/+5ms --aimed-cuts 2");
    cr_assert_eq(code, 6, "%d: %s", code, program_err());
    json_t *result = bench_result();
    cr_assert_eq(aimed(result, "scheduled"), 2);
    cr_assert_eq(aimed(result, "fired"), 0);
    cr_assert_eq(bench_number(result, "updates", "confirmed"), 1);
    json_decref(result);
    code = program("run small.yaml --world board --bench bench.yaml --quiet --json result.json "
                   "--aim /event=firmware/+200ms --aimed-cuts 1");
    cr_assert_eq(code, 0, "%d: %s", code, program_err());
    result = bench_result();
    cr_assert_eq(aimed(result, "fired"), 1);
    json_decref(result);
    cr_assert_eq(bench_processes(), 0);
}

/* ---- What the boards are driven by fails ---- */

/* Cuts at every boot, so that relays always have something to do. */
static const char cuts[] = "  - {kind: power_loss, during: boot, times: 40, off_for: 10s}\n";

/* Exit code of the run. The order is given once both boards are on, by a process of its own. */
static int ordered(const char *order)
{
    int status;
    bench_of(2, true);
    boards_small(2, "pump-2.4.0", "", cuts);
    pid_t pid = fork();
    if (!pid)
        _exit(bench_of_await("\"on\":\"11\"", 60000) && !strncmp(bench_of_ask(order), "ok", 2) ? 0
                                                                                               : 1);
    int code = program("run small.yaml --world board --bench bench.yaml --quiet");
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "%s was not obeyed", order);
    cr_assert_eq(bench_processes(), 0, "%s", order);
    return code;
}

static void is_infrastructure(const char *order, const char *place, const char *what)
{
    int code = ordered(order);
    const char *said = program_err();
    cr_assert_eq(code, 8, "%s: exit code %d: %s", order, code, said);
    cr_assert(strstr(said, place), "%s: \"%s\" wanted: %s", order, place, said);
    cr_assert(strstr(said, what), "%s: \"%s\" wanted: %s", order, what, said);
}

Test(rig_site_run, a_relay_that_is_pulled_is_infrastructure)
{
    is_infrastructure("unplug relay-1", "(relay bank-1, channel ", "look at the relay's plug");
}

Test(rig_site_run, a_board_whose_qemu_is_killed_is_infrastructure)
{
    is_infrastructure("kill board-02", "board board-02 (relay bank-1, channel 2)",
                      "look at its cable");
}

Test(rig_site_run, a_contact_that_sticks_is_infrastructure)
{
    is_infrastructure("stick relay-1 2", "board board-02 (relay bank-1, channel 2)",
                      "stuck or welded");
}

Test(rig_site_run, a_contact_that_is_welded_is_infrastructure, RELEASE_ONLY)
{
    is_infrastructure("weld relay-1 2", "board board-02 (relay bank-1, channel 2)",
                      "stuck or welded");
}

Test(rig_site_run, a_relay_that_hears_nothing_is_infrastructure, RELEASE_ONLY)
{
    is_infrastructure("silent relay-1", "(relay bank-1, channel ", "stuck or welded");
}

/* ---- A start that fails ---- */

/* Boards are off and one is flashed by then: something was run. */
Test(rig_site_run, a_flashing_command_that_fails_is_infrastructure)
{
    bench_of(2, true);
    boards_small(2, "pump-2.4.0", "", "");
    cr_assert_eq(system("sed -i '/flash:.*board-02/s/cp,/false,/' bench.yaml"), 0);
    int code = program("run small.yaml --world board --bench bench.yaml --quiet");
    cr_assert_eq(code, 8, "exit code %d: %s", code, program_err());
    cr_assert(strstr(program_err(), "board-02: it can't be flashed"), "%s", program_err());
    cr_assert_eq(bench_processes(), 0);
}

Test(rig_site_run, a_relay_that_is_not_there_at_the_start_is_infrastructure)
{
    bench_of(1, false);
    boards_small(1, "pump-2.4.0", "", "");
    int code = program("run small.yaml --world board --bench bench.yaml --quiet");
    cr_assert_eq(code, 8, "exit code %d: %s", code, program_err());
    cr_assert(strstr(program_err(), "can't be switched off: relay bank-1"), "%s", program_err());
}

Test(rig_site_run, a_start_that_fails_before_a_relay_was_used_ran_nothing)
{
    bench_of(1, false);
    boards_small(1, "pump-2.4.0", "", "");
    program_write("em/runs", "where a folder is wanted\n");
    int code = program("run small.yaml --world board --bench bench.yaml --quiet");
    cr_assert_eq(code, 1, "exit code %d: %s", code, program_err());
    cr_assert(strstr(program_err(), "transcripts"), "%s", program_err());
}

/* ---- The end ---- */

static bool await_processes(unsigned most)
{
    for (int i = 0; i < 1200 && bench_processes() > most; i++)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return bench_processes() <= most;
}

Test(rig_site_run, sigint_opens_all_contacts_and_leaves_nothing)
{
    int status;
    bench_of(2, false);
    bench_of_start(2);
    boards_small(2, "pump-2.4.0", "", "");
    pid_t pid = program_start("run small.yaml --world board --bench bench.yaml --quiet");
    cr_assert(bench_of_await("\"on\":\"11\"", 60000), "the boards never came");
    cr_assert(bench_of_locked(1) && bench_of_locked(2));
    kill(pid, SIGINT);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 8, "status %d", status);
    cr_assert(bench_of_await("\"closed\":\"00000000\"", 60000), "%s", bench_of_ask("facts"));
    cr_assert(bench_of_await("\"on\":\"00\"", 60000), "%s", bench_of_ask("facts"));
    cr_assert_not(bench_of_locked(1) || bench_of_locked(2));
    cr_assert(await_processes(1), "%u are left beside the emulator", bench_processes());
    bench_of_stop();
    cr_assert_eq(bench_processes(), 0);
}

Test(rig_site_run, sigkill_leaves_no_process_and_no_lock)
{
    bench_of(2, true);
    boards_small(2, "pump-2.4.0", "", "");
    pid_t pid = program_start("run small.yaml --world board --bench bench.yaml --quiet");
    cr_assert(bench_of_await("\"on\":\"11\"", 60000), "the boards never came");
    cr_assert(program_kill(pid));
    cr_assert(await_processes(0), "%u are left", bench_processes());
    cr_assert_not(bench_of_locked(1) || bench_of_locked(2));
    cr_assert_eq(system("rm -rf brickyard-servers-*"), 0); /* as documented */
}

/* A scenario that names too many boards, or a file that is none: before anything is started. */
Test(rig_site_run, what_the_bench_can_not_do_is_refused)
{
    bench_of(2, true);
    boards_small(3, "pump-2.4.0", "", "");
    cr_assert_eq(program("run small.yaml --world board --bench bench.yaml --quiet"), 1);
    cr_assert(strstr(program_err(), "no board of") && strstr(program_err(), "--devices"), "%s",
              program_err());
    boards_small(2, "pump-2.4.0", "", "  - {kind: power_loss, during: flash_write, torn: any}\n");
    cr_assert_eq(program("run small.yaml --world board --bench bench.yaml --quiet"), 1);
    cr_assert(strstr(program_err(), "a relay can't aim at a flash operation"), "%s", program_err());
    cr_assert_eq(bench_processes(), 0);
}
