/* The loopback world as a user runs it. */
#include "worlds.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Test(loopback_run, a_fleet_updates_over_real_servers_and_they_have_seen_it)
{
    struct world_run run;
    char *scenario = world_scenario(40, "", "");
    world_run(&run, scenario, "loopback", "");
    cr_assert_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_number(&run, "updates/confirmed"), 40);
    cr_expect_eq(world_number(&run, "belief/wrong_at_end"), 0);
    /* Each device connects before and after its reboot; the service once. Again, where the machine
     * held a connection up for longer than its keepalive. */
    cr_expect_geq(world_fact(&run, "broker.tls_clients"), 81);
    cr_expect_leq(world_fact(&run, "broker.tls_clients"), 2 * 81);
    cr_expect_eq(world_fact(&run, "connects.failed"), 0);
    cr_expect_eq(world_fact(&run, "store.whole"), 40);
    cr_expect_eq(world_fact(&run, "store.clients"), 40);
    cr_expect_eq(world_fact(&run, "store.tls13"), 40);
    cr_expect_eq(world_fact(&run, "store.image_bytes"), 40 * 66 * 1024);
    cr_expect_leq(world_fact(&run, "connects.at_once_max"), 64);
    /* Two images hashed and two signatures verified for each, none shared. */
    cr_expect_geq(world_number(&run, "crypto/ecdsa_verifies"), 2 * 40);
    cr_expect_geq(world_number(&run, "crypto/sha256_bytes"), 2 * 40 * 66 * 1024);
    const json_t *facts = json_object_get(run.json, "facts");
    cr_expect_str_eq(json_string_value(json_object_get(facts, "device.fault_free")),
                     "1.000 s, shortened from 60 s");
    world_run_free(&run);
    free(scenario);
}

Test(loopback_run, devices_prove_by_certificates_who_they_are)
{
    struct world_run run;
    char *scenario = world_scenario(8, "", "");
    world_run(&run, scenario, "loopback", "--set device.credentials=certificate");
    cr_expect_eq(run.exit_code, 0, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_number(&run, "updates/confirmed"), 8);
    cr_expect_eq(world_fact(&run, "connects.failed"), 0);
    world_run_free(&run);
    free(scenario);
}

Test(loopback_run, a_bad_version_is_rolled_back_and_the_gate_stops_it)
{
    struct world_run run;
    char *scenario = world_scenario(12, "    behaviour: {health: {drivers: 100%}}\n", "");
    world_run(&run, scenario, "loopback", "");
    cr_expect_eq(run.exit_code, 2, "%d: %s", run.exit_code, run.said);
    cr_expect_eq(world_number(&run, "updates/rolled_back"), 12);
    cr_expect_eq(world_number(&run, "bricks/no_boot"), 0);
    world_run_free(&run);
    free(scenario);
}

Test(loopback_run, what_cannot_be_is_refused_before_anything_starts)
{
    static const struct {
        const char *more, *says;
    } row[] = {
        {"--devices 300000", "too many for this machine"},
        {"--check-digest 00112233445566778899aabbccddeeff", "has no digest"},
        {"--world nowhere", "no such world"},
        {"--set campaign.time_scale=100000 --set device.fault_free=60s --set device.watchdog=90s",
         "at most 71582"},
        {"--set campaign.phases=standard --set campaign.time_scale=36000", "waits for telemetry"},
    };
    char *scenario = world_scenario(3, "", "");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct world_run run;
        world_run(&run, scenario, "loopback", row[i].more);
        cr_expect_eq(run.exit_code, 1, "%s: %d", row[i].more, run.exit_code);
        cr_expect_not_null(strstr(run.said, row[i].says), "%s: %s", row[i].more, run.said);
        world_run_free(&run);
    }
    free(scenario);
}

static unsigned entries(const char *folder)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    cr_assert_not_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

/* Stopped by its user in the middle: exit code 8, and nothing of it stays. */
Test(loopback_run, an_interrupt_leaves_no_server_and_no_folder)
{
    char folder[] = "/tmp/brickyard-stop-XXXXXX", line[512] = "", command[512];
    char *scenario = world_scenario(5, "", "");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof command, "%s/s.yaml", folder);
    FILE *file = fopen(command, "w");
    fputs(scenario, file);
    fclose(file);
    snprintf(command, sizeof command,
             "mkdir %s/tmp && TMPDIR=%s/tmp exec %s run %s/s.yaml --world loopback 2>&1 >/dev/null",
             folder, folder, world_program(), folder);
    int pipes[2], status;
    cr_assert_eq(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    FILE *said = fdopen(pipes[0], "r");
    while (fgets(line, sizeof line, said) && !strstr(line, "everybody"))
        ;
    snprintf(command, sizeof command, "%s/tmp", folder);
    cr_expect_eq(entries(command), 1, "the servers' folder");
    kill(pid, SIGINT);
    while (fgets(line, sizeof line, said)) /* until every process that held the pipe has ended */
        ;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 8, "%d, %s", status, line);
    cr_expect_eq(entries(command), 0, "the folder is gone");
    fclose(said);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
    free(scenario);
}
