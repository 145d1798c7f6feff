/* A broker that dies in the middle of a run, or lives and does nothing, is no fault of a device,
 * and a store neither: the run ends with exit code 8, or goes on where it was. */
#include "site.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct running {
    const struct site *site;
    pid_t pid, observer;
    FILE *statuses; /* of the devices, as an observer at the broker sees them */
};

/* Devices take 3 s from `health_check` to `confirmed`; faults are appended. */
static char *scenario(const char *hold, const char *more)
{
    char *text = NULL;
    cr_assert_gt(asprintf(&text,
                          "scenario: gone\n"
                          "start: 2026-03-19T10:00:00Z\n"
                          "fleet:\n"
                          "  - {group: pumps, count: 4, firmware: 2.3.1, telemetry_every: 30s}\n"
                          "device: {mqtt_within: 30s, fault_free: 3s, watchdog: 60s,\n"
                          "         retry_first: 1s, retry_max: 1s}\n"
                          "flash: {slot: 256KiB, data: 128KiB}\n"
                          "firmware: {2.3.1: {size: 64KiB}, 2.4.0: {size: 66KiB}}\n"
                          "campaign:\n"
                          "  to: 2.4.0\n"
                          "  force: true\n"
                          "  observe: 0s\n"
                          "  time_scale: 6\n"
                          "  phases:\n"
                          "    - name: everybody\n"
                          "      share: 100%%\n"
                          "      hold: %s\n"
                          "      gates: [{metric: success, stop_if: \"< 95%%\"}]\n"
                          "%s",
                          hold, more),
                 0);
    return text;
}

/* Of a shell's command: its pid, and out (NULL: not wanted) reads its standard output or error. */
static pid_t start(const char *command, int which, FILE **out)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (out)
            dup2(ends[1], which);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    if (out)
        *out = fdopen(ends[0], "r");
    else
        close(ends[0]);
    return pid;
}

static void observe(struct running *run, const struct site *site)
{
    char command[1024], line[256] = "";
    snprintf(command, sizeof command,
             "exec stdbuf -oL mosquitto_sub -W 120 -d -v -h 127.0.0.1 -p %u --cafile %s/pki/ca.pem "
             "-u observer -P %s -i observer -t 'ota/status/+'",
             site->servers.broker.port[SIM_CERT_GOOD], site->servers.folder, site->service_secret);
    run->observer = start(command, STDOUT_FILENO, &run->statuses);
    while (!strstr(line, "Subscribed") && fgets(line, sizeof line, run->statuses))
        ;
    cr_assert_not_null(strstr(line, "Subscribed"), "%s", line);
}

static void begin(struct running *run, const struct site *site, const char *silent_s)
{
    char command[2048];
    *run = (struct running){.site = site};
    observe(run, site);
    snprintf(command, sizeof command,
             "cd %s && exec timeout 150 %s run s.yaml --world loopback --json run.json -q %s "
             ">out 2>err",
             site->folder, world_program(), site_options(site));
    setenv("BRICKYARD_BROKER_SILENT_S", silent_s, 1);
    run->pid = start(command, -1, NULL);
}

static void await(struct running *run, const char *status, unsigned times)
{
    char line[1024], wanted[64];
    snprintf(wanted, sizeof wanted, "\"status\":\"%s\"", status);
    while (times && fgets(line, sizeof line, run->statuses))
        times -= strstr(line, wanted) != NULL;
    cr_assert_eq(times, 0, "%s", status);
}

static int end(struct running *run)
{
    int status;
    cr_assert_eq(waitpid(run->pid, &status, 0), run->pid);
    kill(run->observer, SIGKILL); /* it waits for a broker that may be gone */
    cr_assert_eq(waitpid(run->observer, NULL, 0), run->observer);
    fclose(run->statuses);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_broken_off(struct running *run, const char *says)
{
    int code = end(run);
    cr_expect_eq(code, 8, "%d", code);
    cr_expect_eq(site_shell(run->site, "grep -qF -e '%s' err || { cat err >&2; false; }", says), 0,
                 "%s", says);
    cr_expect_eq(site_shell(run->site, "test ! -s run.json"), 0, "no verdict is given");
}

/* All that the service had to say is said: nothing waits for an acknowledgement. */
Test(given_gone, a_given_broker_that_dies_for_good_ends_the_run)
{
    struct site site;
    struct running run;
    char says[256];
    site_open(&site, scenario("1h", ""));
    begin(&run, &site, "6");
    await(&run, "health_check", 1);
    sim_broker_kill(&site.servers.broker);
    snprintf(says, sizeof says,
             "the broker (mqtts://127.0.0.1:%u) has not answered the campaign service for 6 s "
             "(Connection refused)",
             site.servers.broker.port[SIM_CERT_GOOD]);
    expect_broken_off(&run, says);
    site_close(&site);
}

/* The operator's order makes the service speak to devices while the broker is gone. */
Test(given_gone, a_broker_that_owes_an_acknowledgement_ends_the_run)
{
    struct site site;
    struct running run;
    site_open(&site, scenario("1h", "  operator: [{at: 1m, do: rollback}]\n"));
    begin(&run, &site, "6");
    await(&run, "confirmed", 4);
    kill(site.servers.broker.process.pid, SIGSTOP);
    expect_broken_off(&run,
                      "has not answered the campaign service for 6 s (the connection is open)");
    kill(site.servers.broker.process.pid, SIGCONT);
    site_close(&site);
}

/* The hold is over before the silence is long: no verdict without a last sign of life. */
Test(given_gone, a_verdict_takes_a_broker_that_answers)
{
    struct site site;
    struct running run;
    site_open(&site, scenario("30s", "")); /* 5 s here */
    begin(&run, &site, "8");
    await(&run, "confirmed", 4);
    kill(site.servers.broker.process.pid, SIGSTOP);
    expect_broken_off(&run, "has not answered the campaign service for 8 s");
    kill(site.servers.broker.process.pid, SIGCONT);
    site_close(&site);
}

/* Each device's deadline, a minute, passes within the 12 s in which nothing comes through. */
Test(given_gone, a_broker_that_comes_back_costs_no_device_its_outcome)
{
    struct site site;
    struct running run;
    site_open(&site, scenario("6s", "  silent_after: 1m\n"));
    begin(&run, &site, "60");
    await(&run, "health_check", 1);
    kill(site.servers.broker.process.pid, SIGSTOP);
    sleep(12); /* the length of the silence is what is tested */
    kill(site.servers.broker.process.pid, SIGCONT);
    int code = end(&run);
    cr_expect_eq(code, 0, "%d", code);
    cr_expect_eq(
        site_shell(&site, "grep -q '\"confirmed\": *4' run.json || { cat err >&2; false; }"), 0);
    site_close(&site);
}

/* ---- The store ---- */

/* One device in five seconds; the first one gets its image. */
Test(given_gone, a_given_store_that_dies_is_no_failure_of_the_firmware)
{
    struct site site;
    struct running run;
    site_open(&site, scenario("1m", "      rate_per_hour: 120\n"));
    begin(&run, &site, "30");
    await(&run, "health_check", 1);
    sim_store_stop(&site.servers.store);
    expect_broken_off(&run, "downloads have failed, and that is not");
    site_close(&site);
}

/* ---- Our own one ---- */

static pid_t child_named(pid_t parent, const char *wanted)
{
    char path[96], name[32];
    int child;
    pid_t found = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);
    FILE *in = fopen(path, "r");
    cr_assert_not_null(in, "%s", path);
    while (!found && fscanf(in, "%d", &child) == 1) {
        snprintf(path, sizeof path, "/proc/%d/comm", child);
        FILE *comm = fopen(path, "r");
        if (comm && fscanf(comm, "%31s", name) == 1 && !strcmp(name, wanted))
            found = child;
        if (comm)
            fclose(comm);
    }
    fclose(in);
    return found;
}

Test(given_gone, our_own_broker_that_lives_and_does_nothing_ends_the_run)
{
    struct site site = {.folder = "/tmp/brickyard-gone-XXXXXX"};
    char line[512], path[128];
    bool said = false;
    int status;
    char command[256];
    FILE *err;
    char *text = scenario("1h", "");
    cr_assert_not_null(mkdtemp(site.folder));
    snprintf(path, sizeof path, "%s/s.yaml", site.folder);
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    free(text);
    setenv("BRICKYARD_BROKER_SILENT_S", "6", 1);
    snprintf(command, sizeof command, "exec %s run %s --world loopback >/dev/null", world_program(),
             path);
    pid_t pid = start(command, STDERR_FILENO, &err);
    while (fgets(line, sizeof line, err) && !strstr(line, "everybody"))
        ;
    pid_t broker = child_named(pid, "mosquitto");
    cr_assert_gt(broker, 0, "%s", line);
    kill(broker, SIGSTOP);
    while (fgets(line, sizeof line, err))
        said |= strstr(line, "the broker (mosquitto, which runs) has not answered") != NULL;
    cr_expect(said);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 8, "%d", status);
    cr_expect_neq(kill(broker, 0), 0, "it is left behind");
    fclose(err);
    cr_expect_eq(site_shell(&site, "rm -rf %s", site.folder), 0);
}

Test(given_gone, a_limit_that_is_none_is_refused)
{
    struct world_run run;
    char *text = world_scenario(2, "", "");
    setenv("BRICKYARD_BROKER_SILENT_S", "4", 1);
    world_run(&run, text, "loopback", "");
    cr_expect_eq(run.exit_code, 1, "%d: %s", run.exit_code, run.said);
    cr_expect_not_null(strstr(run.said, "BRICKYARD_BROKER_SILENT_S=4: accepted: seconds, 5 to"),
                       "%s", run.said);
    world_run_free(&run);
    free(text);
}
