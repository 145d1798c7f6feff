/* FAILED outlives the process: it is in the odometer's file. */
#include "bench.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct bench bench;
static struct rig_odometer *odometer;
static char folder[64], path[96], message[256];

static void begin(void)
{
    cr_assert_eq(rig_odometer_open(&odometer, path, message, sizeof message), RIG_OK, "%s",
                 message);
    bench_open(&bench,
               &(struct rig_controller_config){.driver = &fake_readable, .odometer = odometer});
}

static void end(void)
{
    bench_close(&bench);
    rig_odometer_close(odometer);
}

static void restart(void)
{
    end();
    begin();
}

static void setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/failed.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/rig.db", folder);
    begin();
}

static void teardown(void)
{
    char command[96];
    end();
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

static struct rig_answer want(enum rig_want what, uint32_t channel)
{
    return bench_do(&bench, (struct rig_ask){.want = what, .channel = channel});
}

/* Its contact moved, its answer was lost. */
static void fail(uint32_t channel)
{
    bench_must(&bench, RIG_WANT_OFF, channel);
    bench.fake->fault =
        (struct fake_fault){.at = bench.fake->fallible + 1, .after = true, .error = RIG_ESILENT};
    cr_assert_eq(want(RIG_WANT_ON, channel).error, RIG_ESILENT);
    bench.fake->fault.at = 0;
}

static void expect_refused(uint32_t channel)
{
    uint32_t sets = fake_count(bench.fake, FAKE_SET);
    struct rig_answer answer = want(RIG_WANT_ON, channel);
    cr_assert_eq(answer.error, RIG_EFAILED, "%s", answer.message);
    cr_assert_eq(answer.sent_us, 0);
    cr_assert_eq(fake_count(bench.fake, FAKE_SET), sets);
    cr_assert_not_null(strstr(answer.message, "`brickyard rig power BOARD off`"), "%s",
                       answer.message);
    cr_assert_not_null(strstr(answer.message, "injected: silent"), "%s", answer.message);
}

/* Another program, with a controller of its own; killed when it has done that. */
static void in_another(void (*act)(uint32_t channel), uint32_t channel)
{
    int status;
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(120);
        begin();
        act(channel);
        raise(SIGKILL);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %d", status);
}

static void switch_off(uint32_t channel)
{
    bench_must(&bench, RIG_WANT_OFF, channel);
}

TestSuite(rig_restart, .init = setup, .fini = teardown, .timeout = 300);

Test(rig_restart, failed_stays_so_until_an_off_succeeded)
{
    fail(3);
    for (int i = 0; i < 2; i++) {
        restart();
        cr_assert_eq(bench_facts(&bench).failed_channels, 1u);
        expect_refused(3);
        bench_must(&bench, RIG_WANT_ON, 4);
        bench_must(&bench, RIG_WANT_READ, 3);
    }
    switch_off(3);
    cr_assert_eq(bench_facts(&bench).failed_channels, 0u);
    bench_must(&bench, RIG_WANT_ON, 3);
    restart();
    cr_assert_eq(bench_facts(&bench).failed_channels, 0u);
    bench_must(&bench, RIG_WANT_ON, 3);
}

/* At once: it waits for no off-time and no hour. */
Test(rig_restart, the_first_ask_after_it_is_refused_at_once)
{
    fail(1);
    restart();
    int64_t since_us = rig_port_now_us();
    struct rig_ask ask = {.want = RIG_WANT_ON,
                          .channel = 1,
                          .off_at_least_ms = 600000,
                          .not_before_us = since_us + INT64_C(600000000)};
    cr_assert_eq(bench_do(&bench, ask).error, RIG_EFAILED);
    cr_assert_lt(rig_port_now_us() - since_us, 20000000);
}

Test(rig_restart, another_controller_s_channel_is_not_failed_and_what_it_has_not_is_ignored)
{
    cr_assert_eq(rig_odometer_fail(odometer, "bank-2", 1, "of bank-2"), RIG_OK);
    cr_assert_eq(rig_odometer_fail(odometer, "bank-1", FAKE_CHANNELS + 1, "no such"), RIG_OK);
    restart();
    cr_assert_eq(bench_facts(&bench).failed_channels, 0u);
    bench_must(&bench, RIG_WANT_ON, 1);
}

Test(rig_restart, of_a_process_that_was_killed)
{
    end();
    in_another(fail, 2);
    begin();
    expect_refused(2);
    switch_off(2);
    bench_must(&bench, RIG_WANT_ON, 2);
}

/* A server that stays, and rests its hardware, beside a command. */
Test(rig_restart, another_process_fails_and_heals_while_this_one_rests)
{
    bench_must(&bench, RIG_WANT_ON, 2);
    rig_controller_rest(bench.controller);
    in_another(fail, 2);
    expect_refused(2);
    fail(5);
    rig_controller_rest(bench.controller);
    in_another(switch_off, 2);
    bench_must(&bench, RIG_WANT_ON, 2);
    expect_refused(5);
    cr_assert_eq(bench_facts(&bench).failed_channels, 1u);
}

/* What closing would put into somebody else's hands is not closed to rest. */
Test(rig_restart, a_driver_that_holds_is_not_closed_to_rest)
{
    struct rig_relay_driver holds = fake_readable;
    holds.holds = true;
    end();
    cr_assert_eq(rig_odometer_open(&odometer, path, message, sizeof message), RIG_OK);
    bench_open(&bench, &(struct rig_controller_config){.driver = &holds, .odometer = odometer});
    bench_must(&bench, RIG_WANT_ON, 2);
    rig_controller_rest(bench.controller);
    bench_must(&bench, RIG_WANT_READ, 2);
    rig_controller_rest(bench.controller);
    cr_expect_eq(fake_count(bench.fake, FAKE_CLOSE), 0);
    cr_expect_eq(bench_facts(&bench).opened, 1u);
    end();
    begin(); /* the driver of this test is gone: another for teardown */
}

/* Every write of a file fails, as on a full disk. */
static void fill_disk(bool full)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = full ? 0 : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(rig_restart, a_full_disk_breaks_no_command_and_it_is_written_later)
{
    fill_disk(true);
    fail(1); /* its OFF before it works, too */
    expect_refused(1);
    switch_off(1);
    bench_must(&bench, RIG_WANT_ON, 1);
    fail(1);
    rig_controller_rest(bench.controller);
    expect_refused(1);
    fill_disk(false);
    bench_must(&bench, RIG_WANT_READ, 1);
    restart();
    expect_refused(1);
    fill_disk(true);
    switch_off(1);
    rig_controller_rest(bench.controller);
    bench_must(&bench, RIG_WANT_ON, 1); /* its row is still there */
    fill_disk(false);
    bench_must(&bench, RIG_WANT_ON, 1);
    restart();
    bench_must(&bench, RIG_WANT_ON, 1);
}
