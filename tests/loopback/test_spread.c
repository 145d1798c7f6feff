/* The fleet over several processes: spread by itself, and what becomes of it when one of them dies.
 */
#include "worlds.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *fact(const struct world_run *run, const char *name)
{
    const json_t *fact = json_object_get(json_object_get(run->json, "facts"), name);
    cr_assert(json_is_string(fact), "%s: %s", name, run->said);
    return json_string_value(fact);
}

/* What the servers and the workers counted adds up to what one process counts. */
static void expect_whole(const struct world_run *run, unsigned devices)
{
    cr_assert_eq(run->exit_code, 0, "%d: %s", run->exit_code, run->said);
    cr_expect_eq(world_number(run, "updates/confirmed"), devices);
    cr_expect_eq(world_number(run, "belief/wrong_at_end"), 0);
    cr_expect_geq(world_fact(run, "broker.tls_clients"), 2 * devices + 1);
    cr_expect_eq(world_fact(run, "connects.made") + 1, world_fact(run, "broker.tls_clients"));
    cr_expect_eq(world_fact(run, "store.clients"), devices);
    cr_expect_leq(world_fact(run, "connects.at_once_max"), 64);
    cr_expect_geq(world_number(run, "crypto/ecdsa_verifies"), 2 * devices);
    cr_expect_geq(world_number(run, "crypto/sha256_bytes"), 2 * devices * 66 * 1024);
    cr_expect_geq(world_fact(run, "memory.all_processes"), world_fact(run, "processes") << 20);
}

Test(loopback_spread, workers_do_what_one_process_does)
{
    struct world_run run;
    char *scenario = world_scenario(12, "", "");
    world_run(&run, scenario, "loopback",
              "--jobs 3 --trace 11 --set device.credentials=certificate");
    expect_whole(&run, 12);
    cr_expect_str_eq(fact(&run, "processes"), "4: the service's, and 3 that carry the devices");
    /* The story of a worker's device is told by the parent. */
    char command[256];
    snprintf(command, sizeof command, "grep -q 'notification' %s/out", run.folder);
    cr_expect_eq(system(command), 0, "no story in %s", run.folder);
    world_run_free(&run);
    free(scenario);
}

Test(loopback_spread, a_low_limit_of_files_spreads_a_fleet_by_itself)
{
    const struct rlimit limit = {400, 400};
    struct world_run run;
    char *scenario = world_scenario(45, "", "  - {kind: corrupt_download, how: truncated}\n");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    world_run(&run, scenario, "loopback", "--jobs 1");
    cr_expect_eq(run.exit_code, 1, "%d: %s", run.exit_code, run.said);
    cr_expect_not_null(strstr(run.said, "leave --jobs out"), "%s", run.said);
    world_run_free(&run);
    world_run(&run, scenario, "loopback", "");
    expect_whole(&run, 45);
    cr_expect_str_eq(fact(&run, "processes"), "3: the service's, and 2 that carry the devices");
    cr_expect_eq(world_fact(&run, "devices.through_proxy"), 45);
    const json_t *fault = json_array_get(json_object_get(run.json, "faults"), 0);
    cr_expect_eq(json_integer_value(json_object_get(fault, "fired")), 45);
    world_run_free(&run);
    free(scenario);
}

/* ---- Deaths ---- */

struct running {
    char folder[64];
    pid_t pid;
    FILE *said;
    pid_t worker[8];
    unsigned workers;
};

/* The program's children with its own name: those that were not started as something else. */
static void find_workers(struct running *run)
{
    char path[96], name[32];
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", run->pid, run->pid);
    FILE *in = fopen(path, "r");
    cr_assert_not_null(in, "%s", path);
    while (run->workers < 8 && fscanf(in, "%d", &child) == 1) {
        snprintf(path, sizeof path, "/proc/%d/comm", child);
        FILE *comm = fopen(path, "r");
        if (comm && fscanf(comm, "%31s", name) == 1 && !strcmp(name, "brickyard"))
            run->worker[run->workers++] = child;
        if (comm)
            fclose(comm);
    }
    fclose(in);
}

/* Started, and the campaign is under way. */
static void start(struct running *run, const char *scenario)
{
    char path[96], json[96], line[512] = "";
    int ends[2];
    memset(run, 0, sizeof *run);
    snprintf(run->folder, sizeof run->folder, "/tmp/brickyard-spread-XXXXXX");
    cr_assert_not_null(mkdtemp(run->folder));
    snprintf(path, sizeof path, "%s/s.yaml", run->folder);
    snprintf(json, sizeof json, "%s/run.json", run->folder);
    FILE *file = fopen(path, "w");
    fputs(scenario, file);
    fclose(file);
    cr_assert_eq(pipe(ends), 0);
    run->pid = fork();
    if (run->pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        setenv("TMPDIR", run->folder, 1);
        execl(world_program(), world_program(), "run", path, "--world", "loopback", "--jobs", "3",
              "--json", json, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    run->said = fdopen(ends[0], "r");
    while (fgets(line, sizeof line, run->said) && !strstr(line, "everybody"))
        ;
    find_workers(run);
    cr_assert_eq(run->workers, 3, "%s", line);
}

/* Until every process that held the pipe has ended; what was said last that has this in it. */
static bool ends_saying(struct running *run, const char *what)
{
    char line[1024];
    bool said = false;
    while (fgets(line, sizeof line, run->said))
        said |= strstr(line, what) != NULL;
    fclose(run->said);
    return said;
}

static void expect_nothing_left(const struct running *run)
{
    char command[128];
    for (unsigned i = 0; i < run->workers; i++)
        cr_expect_neq(kill(run->worker[i], 0), 0, "worker %u is left behind", i);
    snprintf(command, sizeof command, "test \"$(ls %s)\" = s.yaml", run->folder);
    cr_expect_eq(system(command), 0, "the servers' folder is gone, and no number is told");
}

static void tidy(const struct running *run)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", run->folder);
    cr_expect_eq(system(command), 0);
}

/* A campaign that lasts until it is disturbed. */
static char *long_scenario(void)
{
    return world_scenario(9, "",
                          "  - {kind: network_drop, at: 1h, for: 1s, devices: 1%}\n"
                          "  - {kind: power_loss, during: downloading, off_for: 1h}\n");
}

Test(loopback_spread, a_killed_worker_ends_the_run_and_is_named)
{
    struct running run;
    int status;
    char *scenario = long_scenario();
    start(&run, scenario);
    kill(run.worker[1], SIGKILL);
    cr_expect(ends_saying(&run, "worker process 2 of 3 (devices 3 to 5) was ended in the middle of "
                                "the run by signal 9 (Killed)"));
    cr_assert_eq(waitpid(run.pid, &status, 0), run.pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 8, "%d", status);
    expect_nothing_left(&run);
    tidy(&run);
    free(scenario);
}

/* It lives, so nothing but its silence tells. */
Test(loopback_spread, a_worker_that_hangs_ends_the_run_and_is_named)
{
    struct running run;
    char said[160];
    int status;
    char *scenario = long_scenario();
    setenv("BRICKYARD_WORKER_SILENT_S", "10", 1);
    start(&run, scenario);
    kill(run.worker[2], SIGSTOP);
    snprintf(
        said, sizeof said,
        "worker process 3 of 3 (devices 6 to 8) has not said a word for 10 s (it hangs, or was "
        "stopped) and was ended, pid %d",
        run.worker[2]);
    cr_expect(ends_saying(&run, said));
    cr_assert_eq(waitpid(run.pid, &status, 0), run.pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 8, "%d", status);
    expect_nothing_left(&run);
    tidy(&run);
    free(scenario);
}

Test(loopback_spread, a_killed_parent_leaves_nobody_behind)
{
    struct running run;
    int status;
    char *scenario = long_scenario();
    start(&run, scenario);
    kill(run.pid, SIGKILL);
    ends_saying(&run, ""); /* returns when the last worker has ended */
    cr_assert_eq(waitpid(run.pid, &status, 0), run.pid);
    cr_expect(WIFSIGNALED(status), "%d", status);
    tidy(&run);
    free(scenario);
}

/* The workers are no part of the terminal's group: their parent ends them, and itself in order. */
Test(loopback_spread, an_interrupt_ends_the_workers_with_the_run)
{
    struct running run;
    int status;
    char *scenario = long_scenario();
    start(&run, scenario);
    kill(run.pid, SIGINT);
    cr_expect(ends_saying(&run, "interrupted"));
    cr_assert_eq(waitpid(run.pid, &status, 0), run.pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 8, "%d", status);
    expect_nothing_left(&run);
    tidy(&run);
    free(scenario);
}
