/* Daemons that end by themselves. */
#include "bench.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(process_crash, .init = bench_enter, .fini = bench_leave);

Test(process_crash, a_daemon_that_never_runs_ends_the_run_and_says_so)
{
    bench_small("", "");
    bench_fake_agent("#!/bin/sh\necho something is wrong here >&2\nexit 139\n");
    cr_assert_eq(program("run small.yaml --world process --quiet"), 8);
    cr_assert_not_null(strstr(program_err(), "exit code 139"), "%s", program_err());
    cr_assert_not_null(strstr(program_err(), "something is wrong here"), "%s", program_err());
    cr_assert_eq(bench_processes(), 0);
    cr_assert_eq(program_entries(), 3, "scenario, brickyard, ota-agent, and no folder");
}

Test(process_crash, a_crash_after_a_power_cut_breaks_a_promise)
{
    char script[1024];
    bench_small("", "  - {kind: power_loss, during: flash_write, torn: prefix, "
                    "where: {device: pumps-00002}, off_for: 5s}\n");
    /* The second start of pumps-00002 crashes; the third is the real daemon's again. */
    snprintf(script, sizeof script,
             "#!/bin/sh\nn=$(cat starts 2>/dev/null || echo 0)\necho $((n + 1)) >starts\n"
             "if [ $n = 1 ]; then echo boom >&2; kill -SEGV $$; fi\nexec %s \"$@\"\n",
             bench_real_agent());
    bench_fake_agent(script);
    int code = program("run small.yaml --world process --quiet --json result.json");
    json_t *result = bench_result();
    cr_assert_eq(code, 3, "%d: %s", code, program_err());
    cr_assert_str_eq(bench_fact(result, "ends by itself"), "1");
    cr_assert_eq(bench_number(result, "updates", "confirmed"), 3);
    json_decref(result);
    cr_assert_eq(bench_processes(), 0);
}

Test(process_crash, a_daemon_that_always_crashes_is_a_boot_loop)
{
    char script[1024];
    bench_small("", "  - {kind: power_loss, during: flash_write, torn: nothing, "
                    "where: {device: pumps-00002}, off_for: 5s}\n");
    snprintf(script, sizeof script,
             "#!/bin/sh\nn=$(cat starts 2>/dev/null || echo 0)\necho $((n + 1)) >starts\n"
             "if [ $n != 0 ]; then echo boom >&2; exit 139; fi\nexec %s \"$@\"\n",
             bench_real_agent());
    bench_fake_agent(script);
    int code = program("run small.yaml --world process --quiet --json result.json "
                       "--set campaign.presumed_brick_after=10m --set campaign.silent_after=15m");
    json_t *result = bench_result();
    cr_assert_eq(code, 3, "%d: %s", code, program_err());
    cr_assert_eq(bench_number(result, "bricks", "boot_loop"), 1);
    cr_assert_eq(bench_number(result, "updates", "bricked"), 1);
    json_decref(result);
}

/* As the kernel does it when memory is short. */
Test(process_crash, a_daemon_that_somebody_else_kills_says_nothing_of_the_device)
{
    char script[1024];
    bench_small("", "  - {kind: power_loss, during: flash_write, torn: prefix, "
                    "where: {device: pumps-00002}, off_for: 5s}\n");
    snprintf(script, sizeof script,
             "#!/bin/sh\nn=$(cat starts 2>/dev/null || echo 0)\necho $((n + 1)) >starts\n"
             "if [ $n = 1 ]; then kill -KILL $$; fi\nexec %s \"$@\"\n",
             bench_real_agent());
    bench_fake_agent(script);
    int code = program("run small.yaml --world process --quiet");
    cr_assert_eq(code, 8, "%d: %s", code, program_err());
    cr_assert_not_null(
        strstr(program_err(), "pumps-00002: somebody else killed its ota-agent (pid"), "%s",
        program_err());
    cr_assert_eq(bench_processes(), 0);
}
