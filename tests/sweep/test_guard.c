/* A device that crashes, hangs or exits: told of the device, and never the end of the host with
 * another exit code than 8. */
#include "sim/sweep.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct sim_sweep_result result;
static char message[512];

/* The error of the run, or 0; the device does this. */
static int sweep(const char *plugin, const char *unruly)
{
    struct scn_messages messages;
    struct scn *scn;
    char path[512];
    setenv("UNRULY", unruly, 1);
    snprintf(path, sizeof path, "%s/scenarios/sweep-tiny.yaml", getenv("BRICKYARD_SOURCE"));
    cr_assert_eq(scn_load(&scn, path, NULL, &messages), 0, "%s", path);
    const struct sim_sweep_options options = {
        .scn = scn, .dut_path = plugin, .cuts = 1, .jobs = 1, .stories = "update"};
    int error = sim_sweep_run(&options, &result, message, sizeof message);
    scn_free(scn);
    return error;
}

static int replay(const char *text)
{
    struct scn_messages messages;
    struct sim_sweep_token token;
    struct scn *scn;
    FILE *nowhere = fopen("/dev/null", "w");
    cr_assert(nowhere && sim_sweep_token_read(&token, text), "%s", text);
    cr_assert_eq(scn_load(&scn, token.scenario, NULL, &messages), 0);
    const struct sim_sweep_options options = {
        .scn = scn, .dut_path = token.dut, .cuts = 1, .jobs = 1};
    int code = sim_sweep_replay(&options, &token, nowhere, message, sizeof message);
    scn_free(scn);
    fclose(nowhere);
    return code;
}

Test(sweep_guard, what_would_end_or_hang_the_host_is_a_broken_promise_with_a_token)
{
    static const struct {
        char unruly[16], promise[16], what[64];
        int code;
    } row[] = {
        {"boot-null", "no_brick", "boot() crashes: SIGSEGV at address 0x0", 3},
        {"run-null", "no_brick", "run() crashes: SIGSEGV at address 0x0", 3},
        {"boot-abort", "no_brick", "boot() crashes: SIGABRT (an assertion?)", 3},
        {"run-ram", "no_brick", "run() crashes: SIGSEGV behind its RAM, ram_bytes = 64", 3},
        {"boot-deep", "no_brick", "boot() crashes: SIGSEGV at an address that is none", 3},
        {"run-loop", "convergence", "run() never returns, and calls nothing", 4},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        cr_assert_eq(sweep(UNRULY, row[i].unruly), 0, "%s: %s", row[i].unruly, message);
        cr_expect_eq(result.exit_code, row[i].code, "%s", row[i].unruly);
        cr_assert_eq(result.brokens, 1, "%s", row[i].unruly);
        cr_expect_str_eq(result.broken[0].promise, row[i].promise);
        cr_expect_str_eq(result.broken[0].what, row[i].what);
        cr_expect_eq(replay(result.broken[0].token), row[i].code, "%s", row[i].unruly);
    }
}

Test(sweep_guard, a_device_calls_its_own_function_where_libc_has_one_of_that_name)
{
    cr_assert_eq(sweep(UNRULY, "boot-names"), 0, "%s", message);
    cr_assert_eq(result.brokens, 1);
    cr_expect_str_eq(result.broken[0].what, "came to rest without asking for its update");
}

/* Nothing was run: the message names the plugin or its device, and the function. */
static void expect_error(const char *plugin, const char *unruly, const char *names,
                         const char *says)
{
    cr_expect_eq(sweep(plugin, unruly), -1, "%s", unruly);
    cr_expect(strstr(message, names) && strstr(message, says), "%s", message);
}

Test(sweep_guard, a_factory_that_crashes_is_an_error)
{
    expect_error(UNRULY, "factory-null", "unruly", "factory() crashes: SIGSEGV");
}

Test(sweep_guard, what_no_reset_would_set_back_or_nobody_would_notice_is_refused)
{
    expect_error(UNRULY_EXITS, "", UNRULY_EXITS, "calls _Exit()");
    expect_error(UNRULY_THREAD_LOCAL, "", UNRULY_THREAD_LOCAL, "thread-local variables");
}

/* There is no session to be ended: the host ends, by the exit code of its own failures. */
Test(sweep_guard, a_canonical_form_that_crashes_ends_the_sweep, .exit_code = 8)
{
    sweep(UNRULY, "canonical-null");
}

Test(sweep_guard, a_canonical_form_that_never_returns_ends_the_sweep, .exit_code = 8)
{
    sweep(UNRULY, "canonical-loop");
}

Test(sweep_guard, ranges_that_crash_end_the_sweep, .exit_code = 8)
{
    sweep(UNRULY, "ranges-abort");
}

Test(sweep_guard, a_crash_of_the_host_stays_one, .signal = SIGABRT)
{
    sweep(UNRULY, "");
    abort();
}
