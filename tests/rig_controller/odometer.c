/* Operations of contacts over runs and processes. */
#include "bench.h"
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct bench bench;
static char folder[64], path[96], message[256];

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/odometer.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/rig.db", folder);
}

static void teardown(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

static struct rig_odometer *open_it(void)
{
    struct rig_odometer *odometer;
    cr_assert_eq(rig_odometer_open(&odometer, path, message, sizeof message), RIG_OK, "%s",
                 message);
    return odometer;
}

static uint64_t cycles_of(struct rig_odometer *odometer, uint32_t channel)
{
    uint64_t cycles;
    cr_assert_eq(rig_odometer_read(odometer, "bank-1", channel, &cycles), RIG_OK);
    return cycles;
}

TestSuite(rig_odometer, .init = setup, .fini = teardown);

Test(rig_odometer, two_operations_are_a_cycle_and_halves_are_rounded_down)
{
    struct rig_odometer *odometer = open_it();
    uint64_t cycles;
    for (uint64_t i = 1; i <= 7; i++) {
        cr_assert_eq(rig_odometer_count(odometer, "bank-1", 3, &cycles), RIG_OK);
        cr_assert_eq(cycles, i / 2);
        cr_assert_eq(cycles_of(odometer, 3), i / 2);
    }
    cr_assert_eq(cycles_of(odometer, 4), 0u);
    cr_assert_eq(rig_odometer_read(odometer, "bank-2", 3, &cycles), RIG_OK);
    cr_assert_eq(cycles, 0u);
    rig_odometer_close(odometer);
}

Test(rig_odometer, goes_on_when_opened_again_until_the_relay_is_changed)
{
    uint64_t cycles;
    for (uint64_t run = 1; run <= 3; run++) {
        struct rig_odometer *odometer = open_it();
        for (int i = 0; i < 4; i++)
            cr_assert_eq(rig_odometer_count(odometer, "bank-1", 1, &cycles), RIG_OK);
        cr_assert_eq(cycles, run * 2);
        rig_odometer_close(odometer);
    }
    struct rig_odometer *odometer = open_it();
    cr_assert_eq(rig_odometer_count(odometer, "bank-1", 2, &cycles), RIG_OK);
    cr_assert_eq(rig_odometer_count(odometer, "bank-1", 2, &cycles), RIG_OK);
    cr_assert_eq(rig_odometer_reset(odometer, "bank-1", 1), RIG_OK);
    cr_assert_eq(cycles_of(odometer, 1), 0u);
    cr_assert_eq(cycles_of(odometer, 2), 1u, "another contact's is kept");
    rig_odometer_close(odometer);
}

/* All open a new file at once, and count the same contact. */
Test(rig_odometer, several_processes_count_into_one_file)
{
    enum { PROCESSES = 4, EACH = 200 };
    pid_t pid[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        pid[p] = fork();
        cr_assert_geq(pid[p], 0);
        if (pid[p])
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        struct rig_odometer *odometer;
        uint64_t cycles;
        int failures = rig_odometer_open(&odometer, path, message, sizeof message) != RIG_OK;
        for (int i = 0, error; !failures && i < EACH; i += !error) {
            error = rig_odometer_count(odometer, "bank-1", 1, &cycles);
            failures += error && error != RIG_EBUSY; /* others starve it: counted later */
        }
        _exit(failures); /* and never closed: as if killed */
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        cr_assert_eq(waitpid(pid[p], &status, 0), pid[p]);
        cr_assert_eq(status, 0);
    }
    struct rig_odometer *odometer = open_it();
    cr_assert_eq(cycles_of(odometer, 1), PROCESSES * EACH / 2);
    rig_odometer_close(odometer);
}

Test(rig_odometer, what_is_no_database_is_told_and_left_alone)
{
    struct rig_odometer *odometer;
    FILE *file = fopen(path, "w");
    fprintf(file, "this is a shopping list, and a long one: eggs, flux, relays, more relays\n");
    fclose(file);
    cr_assert_eq(rig_odometer_open(&odometer, path, message, sizeof message), RIG_EOPEN);
    cr_assert_null(odometer);
    cr_assert_not_null(strstr(message, path));
    file = fopen(path, "r");
    cr_assert_eq(fgetc(file), 't');
    fclose(file);
    cr_assert_eq(rig_odometer_open(&odometer, "/nowhere/rig.db", message, sizeof message),
                 RIG_EOPEN);
    unlink(path);
}

static void controller_on(struct rig_odometer *odometer, uint64_t rated)
{
    bench_open(&bench, &(struct rig_controller_config){
                           .driver = &fake_plain, .odometer = odometer, .rated_cycles = rated});
}

Test(rig_odometer, a_controller_counts_changes_and_not_commands)
{
    struct rig_odometer *odometer = open_it();
    controller_on(odometer, 6);
    bench_must(&bench, RIG_WANT_OFF, 1); /* nobody knew how it stood: counted */
    cr_assert_eq(bench_must(&bench, RIG_WANT_OFF, 1).cycles, 0u);
    cr_assert_eq(bench_must(&bench, RIG_WANT_ON, 1).cycles, 1u);
    cr_assert_eq(bench_must(&bench, RIG_WANT_ON, 1).cycles, 1u, "it was on");
    for (uint64_t i = 2; i <= 6; i++) {
        bench_must(&bench, RIG_WANT_OFF, 1);
        struct rig_answer on = bench_must(&bench, RIG_WANT_ON, 1);
        cr_assert_eq(on.cycles, i);
        cr_assert_eq(on.worn, i > 3);
    }
    struct rig_answer pulse =
        bench_do(&bench, (struct rig_ask){.want = RIG_WANT_PULSE, .channel = 1, .ms = 1});
    cr_assert_eq(pulse.cycles, 7u);
    cr_assert_eq(bench_must(&bench, RIG_WANT_OFF, 2).cycles, 0u);
    bench_close(&bench);
    rig_odometer_close(odometer);
}

Test(rig_odometer, what_may_have_moved_counts_and_what_was_never_sent_does_not)
{
    struct rig_odometer *odometer = open_it();
    controller_on(odometer, 0);
    bench_must(&bench, RIG_WANT_OFF, 1);
    bench_must(&bench, RIG_WANT_ON, 1); /* a cycle */
    bench.fake->fault = (struct fake_fault){.at = bench.fake->fallible + 1, .error = RIG_EBUSY};
    bench_do(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 1});
    cr_assert_eq(bench_must(&bench, RIG_WANT_ON, 1).cycles, 1u);
    cr_assert_eq(bench_must(&bench, RIG_WANT_ON, 1).cycles, 1u, "nothing was sent");
    bench.fake->fault =
        (struct fake_fault){.at = bench.fake->fallible + 1, .after = true, .error = RIG_ESILENT};
    bench_do(&bench, (struct rig_ask){.want = RIG_WANT_OFF, .channel = 1});
    cr_assert_eq(bench_must(&bench, RIG_WANT_OFF, 1).cycles, 2u);
    bench.fake->fault =
        (struct fake_fault){.at = bench.fake->fallible + 1, .after = true, .error = RIG_ESILENT};
    bench_do(&bench, (struct rig_ask){.want = RIG_WANT_ON, .channel = 1});
    cr_assert_eq(bench_must(&bench, RIG_WANT_OFF, 1).cycles, 3u, "it did go on and off");
    bench_close(&bench);
    rig_odometer_close(odometer);
}

Test(rig_odometer, a_locked_file_delays_the_count_and_fails_no_command)
{
    struct rig_odometer *odometer = open_it();
    sqlite3 *other;
    controller_on(odometer, 0);
    cr_assert_eq(sqlite3_open(path, &other), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(bench_must(&bench, RIG_WANT_OFF, 1).cycles, 0u);
    cr_assert_eq(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(bench_must(&bench, RIG_WANT_ON, 1).cycles, 1u);
    sqlite3_close(other);
    bench_close(&bench);
    rig_odometer_close(odometer);
}
